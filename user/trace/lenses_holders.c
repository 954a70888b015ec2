// SPDX-License-Identifier: GPL-2.0-only
/* Open files and sockets by process: see lenses_holders.h. */
#include "trace/lenses_holders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "base/hash.h"
#include "trace/lenses_tally_internal.h"

#define HOLDERS_MOST 65536 /* that are told apart */
#define PATHS_MOST   65536

struct lens_holder_key {
	struct lens_key what;
	char comm[16];
};

struct lens_holder_entry {
	struct lens_holder_key key;
	char text[KMT_LENS_TEXT];
	uint32_t first, last; /* processes */
	uint32_t processes;
	uint64_t objects, held, queued;
	bool lost;
	UT_hash_handle hh;
};

struct lens_path_key {
	uint64_t dentry;
	uint32_t lens, spare;
};

/* Descriptors of open files with one path, or of sockets that are bound to one. */
struct lens_path_entry {
	struct lens_path_key key;
	uint64_t super, mount;
	uint64_t objects, here, most; /* all, of the last process, and of the one with most */
	uint32_t last, most_tgid, processes;
	char comm[16]; /* of the one with most */
	bool lost;
	UT_hash_handle hh;
};

struct lens_holders_found {
	struct lens_holder_entry *entries;
	struct lens_path_entry *paths;
	bool full; /* some had no room */
};

struct lens_holders_found *lens_holders_new(void)
{
	return calloc(1, sizeof(struct lens_holders_found));
}

void lens_holders_free(struct lens_holders_found *f)
{
	if (!f)
		return;
	HASH_FREE(f->entries);
	HASH_FREE(f->paths);
	free(f);
}

/* The entry of a key; *out is NULL if there is no room for it. Returns 0 or −ENOMEM. */
static int lens_holder_find(struct lens_holders_found *f, const struct lens_holder_key *key,
			    uint32_t tgid, struct lens_holder_entry **out)
{
	struct lens_holder_entry *e;

	HASH_FIND(hh, f->entries, key, sizeof(*key), e);
	*out = e;
	if (e)
		return 0;
	if (HASH_COUNT(f->entries) >= HOLDERS_MOST) {
		f->full = true;
		return 0;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->key = *key;
	e->first = tgid;
	HASH_ADD(hh, f->entries, key, sizeof(e->key), e);
	if (e->lost) {
		free(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

static int lens_holder_add(struct lens_holders_found *f, const struct kmt_lens_holder *r)
{
	struct lens_holder_entry *e;
	struct lens_holder_key key;
	int err;

	memset(&key, 0, sizeof(key));
	key.what.what = r->held.what;
	key.what.op = r->held.lens == KMT_LENS_FILE ? r->held.op : 0;
	key.what.lens = r->held.lens;
	key.what.detail = r->held.detail;
	key.what.space = r->held.space;
	key.what.cgroup = LENS_NO_CGROUP;
	memcpy(key.comm, r->comm, strnlen(r->comm, sizeof(key.comm) - 1));
	err = lens_holder_find(f, &key, r->tgid, &e);
	if (err || !e)
		return err;
	memcpy(e->text, r->held.text, sizeof(e->text));
	e->processes += !e->processes || e->last != r->tgid;
	e->last = r->tgid;
	e->objects += r->held.nr;
	e->held += r->held.bytes;
	e->queued += r->held.bytes2;
	return 0;
}

/* The entry of a path; *out is NULL if there is no room for it. Returns 0 or −ENOMEM. */
static int lens_path_find(struct lens_holders_found *f, const struct kmt_lens_record *r,
			  struct lens_path_entry **out)
{
	struct lens_path_key key = {.dentry = r->dentry, .lens = r->detail};
	struct lens_path_entry *e;

	HASH_FIND(hh, f->paths, &key, sizeof(key), e);
	*out = e;
	if (e)
		return 0;
	if (HASH_COUNT(f->paths) >= PATHS_MOST) {
		f->full = true;
		return 0;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->key = key;
	e->super = r->what;
	e->mount = r->mount;
	HASH_ADD(hh, f->paths, key, sizeof(e->key), e);
	if (e->lost) {
		free(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

static int lens_path_count(struct lens_holders_found *f, const struct kmt_lens_holder *r)
{
	struct lens_path_entry *e;
	int err = lens_path_find(f, &r->held, &e);

	if (err || !e)
		return err;
	if (!e->objects || e->last != r->tgid) {
		e->last = r->tgid;
		e->processes++;
		e->here = 0;
	}
	e->objects += r->held.nr;
	e->here += r->held.nr;
	if (e->here > e->most) {
		e->most = e->here;
		e->most_tgid = r->tgid;
		snprintf(e->comm, sizeof(e->comm), "%.15s", r->comm);
	}
	return 0;
}

int lens_holders_add(struct lens_holders_found *f, const struct kmt_lens_holder *records, size_t nr)
{
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		uint32_t lens = records[i].held.lens;

		if (lens == KMT_LENS_FILE || lens == KMT_LENS_SOCKET)
			err = lens_holder_add(f, &records[i]);
		else if (lens == KMT_LENS_PATH)
			err = lens_path_count(f, &records[i]);
	}
	return err;
}

/* The larger comes first; of sockets, what they queue counts, too. */
static int compare_lens_holders(const void *x, const void *y)
{
	const struct lens_holder_entry *a = *(struct lens_holder_entry *const *)x,
				       *b = *(struct lens_holder_entry *const *)y;
	uint64_t one = a->objects * 512 + a->held + a->queued,
		 other = b->objects * 512 + b->held + b->queued;

	if (one != other)
		return one < other ? 1 : -1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static int lens_holder_row(const struct lens_holder_entry *e, struct lens_tally *t,
			   struct lens_holders *out)
{
	struct lens_row_key k;
	struct lens_holder *h;

	if (lens_row_key_build(t, &e->key.what, e->text, &k))
		return -ENOMEM;
	h = ARRAY_PUSH(out);
	if (!h)
		return -ENOMEM;
	h->lens = k.lens;
	memcpy(h->what, k.what, sizeof(h->what));
	memcpy(h->device, k.device, sizeof(h->device));
	memcpy(h->kind, k.kind, sizeof(h->kind));
	memcpy(h->state, k.state, sizeof(h->state));
	memcpy(h->family, k.family, sizeof(h->family));
	memcpy(h->comm, e->key.comm, sizeof(h->comm));
	h->processes = e->processes;
	h->pid = (int)(e->first & INT32_MAX);
	h->objects = e->objects;
	h->held_kb = (double)e->held / 1024;
	h->queued_kb = (double)e->queued / 1024;
	return 0;
}

/* ---- paths ---- */

static int compare_open_paths(const void *x, const void *y)
{
	const struct lens_path_entry *a = *(struct lens_path_entry *const *)x,
				     *b = *(struct lens_path_entry *const *)y;

	if (a->objects != b->objects)
		return a->objects < b->objects ? 1 : -1;
	return a->most_tgid < b->most_tgid ? -1 : a->most_tgid > b->most_tgid;
}

static int lens_path_row(const struct lens_path_entry *e, struct lens_tally *t, size_t *nr)
{
	const struct lens_place place = {.lens = e->key.lens == KMT_LENS_SOCKET ? LENS_SOCKETS
										: LENS_FILES,
					 .dentry = e->key.dentry,
					 .super = e->super,
					 .mount = e->mount};
	struct lens_path *p;
	int err = lens_path_add(t, &place, &p);

	if (err || !p)
		return err;
	p->objects.value = (double)e->objects;
	p->processes = e->processes;
	p->pid = (int)(e->most_tgid & INT32_MAX);
	p->most = e->most;
	memcpy(p->comm, e->comm, sizeof(p->comm));
	(*nr)++;
	return 0;
}

/* Name the paths that most have. */
static int lens_paths_finish(const struct lens_holders_found *f, struct lens_tally *t)
{
	size_t nr = 0, most = HASH_COUNT(f->paths), files = 0, sockets = 0;
	struct lens_path_entry **sorted = calloc(most + 1, sizeof(struct lens_path_entry *));
	int err = sorted ? 0 : -ENOMEM;

	for (struct lens_path_entry *e = f->paths; e && !err; e = e->hh.next)
		if (e->objects >= LENS_SEVERAL)
			sorted[nr++] = e;
	if (nr)
		qsort(sorted, nr, sizeof(*sorted), compare_open_paths);
	for (size_t i = 0; i < nr && !err; i++) {
		size_t *rows = sorted[i]->key.lens == KMT_LENS_SOCKET ? &sockets : &files;

		if (*rows < LENS_PATHS)
			err = lens_path_row(sorted[i], t, rows);
	}
	free(sorted);
	return err;
}

int lens_holders_finish(struct lens_holders_found *f, struct lens_tally *t,
			struct census_lenses *out)
{
	size_t nr = 0, most = HASH_COUNT(f->entries);
	struct lens_holder_entry **sorted = calloc(most + 1, sizeof(struct lens_holder_entry *));
	int err = sorted ? 0 : -ENOMEM;

	for (struct lens_holder_entry *e = f->entries; e && !err; e = e->hh.next)
		sorted[nr++] = e;
	if (nr)
		qsort(sorted, nr, sizeof(*sorted), compare_lens_holders);
	for (size_t i = 0; i < nr && i < LENS_HOLDERS && !err; i++)
		err = lens_holder_row(sorted[i], t, &out->holders);
	free(sorted);
	out->holders_whole &= !f->full;
	return err ?: lens_paths_finish(f, t);
}
