// SPDX-License-Identifier: GPL-2.0-only
/* See origins.h. */
#include "trace/origins.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/log.h"
#include "origins.skel.h"
#include "trace/libbpf_log.h"
#include "trace/program.h"

#define OBJECTS_MOST (1u << 20) /* that are told apart; more would take too much memory */

struct origin_object {
	uint64_t address;
	bool lost;
	UT_hash_handle hh;
};

struct origin_key {
	uint32_t kind;
	char comm[16];
};

struct origin_row {
	struct origin_key key;
	uint64_t nr, pages;
	bool lost;
	UT_hash_handle hh;
};

struct origins_found {
	struct origin_object *objects;
	struct origin_row *rows;
};

static const char *const kinds[KMT_ORIGIN_KINDS] = {[KMT_ORIGIN_PIPE] = CENSUS_ORIGIN_PIPE,
						    [KMT_ORIGIN_PACKET] = CENSUS_ORIGIN_PACKET,
						    [KMT_ORIGIN_PERF] = CENSUS_ORIGIN_PERF};

struct origins_found *origins_new(void)
{
	return calloc(1, sizeof(struct origins_found));
}

void origins_free(struct origins_found *f)
{
	if (!f)
		return;
	HASH_FREE(f->objects);
	HASH_FREE(f->rows);
	free(f);
}

/* 1 if the object is new, 0 if not, −ENOMEM. */
static int object_is_new(struct origins_found *f, uint64_t address)
{
	struct origin_object *o;

	HASH_FIND(hh, f->objects, &address, sizeof(address), o);
	if (o)
		return 0;
	if (HASH_COUNT(f->objects) >= OBJECTS_MOST)
		return -ENOMEM;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->address = address;
	HASH_ADD(hh, f->objects, address, sizeof(o->address), o);
	if (!o->lost)
		return 1;
	free(o);
	return -ENOMEM;
}

static int origin_row_add(struct origins_found *f, const struct kmt_origin *record)
{
	struct origin_key key;
	struct origin_row *r;

	memset(&key, 0, sizeof(key));
	key.kind = record->kind;
	memcpy(key.comm, record->comm, sizeof(key.comm) - 1);
	/* what follows the end of a name is not part of it */
	memset(key.comm + strlen(key.comm), 0, sizeof(key.comm) - strlen(key.comm));
	HASH_FIND(hh, f->rows, &key, sizeof(key), r);
	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r)
			return -ENOMEM;
		r->key = key;
		HASH_ADD(hh, f->rows, key, sizeof(r->key), r);
		if (r->lost) {
			free(r);
			return -ENOMEM;
		}
	}
	r->nr++;
	r->pages += record->pages;
	return 0;
}

int origins_add(struct origins_found *f, const struct kmt_origin *records, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct kmt_origin *record = &records[i];
		int err;

		if (record->kind >= KMT_ORIGIN_KINDS || !kinds[record->kind] ||
		    record->pages > UINT32_MAX)
			continue; /* read while it changed */
		err = object_is_new(f, record->object);
		if (err > 0)
			err = origin_row_add(f, record);
		if (err < 0)
			return err;
	}
	return 0;
}

static int compare_origins(const void *x, const void *y)
{
	const struct census_origin *a = x, *b = y;

	if (a->pages.sum != b->pages.sum)
		return a->pages.sum < b->pages.sum ? 1 : -1;
	return strcmp(a->kind, b->kind) ?: strcmp(a->name, b->name);
}

int origins_finish(struct origins_found *f, struct census_origins *out)
{
	for (struct origin_row *r = f->rows; r; r = r->hh.next) {
		struct census_origin *row = ARRAY_PUSH(out);

		if (!row)
			return -ENOMEM;
		*row = (struct census_origin){.counted = true, .nr = r->nr};
		snprintf(row->kind, sizeof(row->kind), "%s", kinds[r->key.kind]);
		snprintf(row->name, sizeof(row->name), "%s", r->key.comm);
		row->pages.sum = (double)r->pages;
	}
	if (out->nr)
		qsort(out->items, out->nr, sizeof(*out->items), compare_origins);
	return 0;
}

/* ---- from the kernel ---- */

/* Learn how the kernel marks files of perf events, by one of our own. */
static void perf_learn(struct origins_bpf *skel)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_DUMMY,
				       .disabled = 1,
				       .exclude_kernel = 1};
	_cleanup_close_ int fd =
		(int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	int err = fd < 0 ? -errno
			 : program_call(skel->progs.origins_learn, (uint64_t[3]){(uint64_t)fd});

	if (err)
		log_debug("rings of perf events are not looked for (%s)", strerror(-err));
}

static int origins_take(void *found, const void *records, size_t nr)
{
	return origins_add(found, records, nr);
}

int origins_load(const char *btf_path, struct origins_bpf **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf_path);
	struct origins_bpf *skel;
	int err;

	libbpf_log_begin();
	skel = origins_bpf__open_opts(&opts);
	if (!skel)
		return -errno;
	bpf_program__set_autoload(skel->progs.origins_learn, true);
	bpf_program__set_autoload(skel->progs.origins_dump, true);
	err = origins_bpf__load(skel);
	if (err) {
		origins_bpf__destroy(skel);
		return err;
	}
	perf_learn(skel);
	*out = skel;
	return 0;
}

void origins_unload(struct origins_bpf *skel)
{
	origins_bpf__destroy(skel);
}

int origins_read(const struct origins_bpf *skel, struct census_origins *out)
{
	struct origins_found *found = origins_new();
	size_t before = out->nr;
	int err = found ? program_records(skel->progs.origins_dump, sizeof(struct kmt_origin),
					  origins_take, found)
			: -ENOMEM;

	err = err ?: origins_finish(found, out);
	origins_free(found);
	if (err)
		out->nr = before;
	return err;
}
