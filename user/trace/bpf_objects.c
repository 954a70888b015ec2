// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks BPF objects by id: see bpf_objects.h. First all objects, by bpf(2) and fdinfo; then who
 * keeps them, from /proc/PID/fd, links and bpffs mounts. What goes away meanwhile is skipped.
 * Names are stored as the kernel has them; whoever prints one escapes it.
 */
#include "trace/bpf_objects.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"

#define WALK_S       0.5
#define SLAB_MOST    8192  /* from this size on, kmalloc() takes whole pages */
#define AREA_KMALLOC 32768 /* bpf_map_area_alloc(): PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER */
#define HEADER_MAGIC 0x6b627066u

void bpf_objects_free(struct bpf_objects *o)
{
	ARRAY_FREE(&o->levels);
	ARRAY_FREE(&o->holders);
}

/* ---- where the memory of a map comes from ---- */

/* Types that libbpf's headers may not have yet. The numbers are the kernel's ABI. */
enum { TYPE_CGRP_STORAGE = 32, TYPE_ARENA = 33 };

static bool is_percpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

/* Maps whose elements are allocated one by one. */
static bool is_by_element(const struct bpf_map_shape *s)
{
	switch (s->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return s->flags & BPF_F_NO_PREALLOC;
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_SOCKHASH:
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case TYPE_CGRP_STORAGE:
		return true;
	default:
		return false;
	}
}

static int64_t percpu_bytes(const struct bpf_map_shape *s, int cpus)
{
	int64_t each = ((int64_t)s->value_size + 7) / 8 * 8 * cpus;
	/* if elements are allocated one by one, the kernel's figure counts only those that exist */
	int64_t entries = is_by_element(s) ? s->bytes / (each + s->key_size + 48) : s->max_entries;
	int64_t all;

	if (__builtin_mul_overflow(entries, each, &all) || all > s->bytes)
		return s->bytes;
	return all;
}

void bpf_map_split(const struct bpf_map_shape *s, int cpus_possible, struct bpf_level *out)
{
	int64_t rest = s->bytes;

	out->vmalloc = out->percpu = out->slab = out->pages = 0;
	if (s->type == BPF_MAP_TYPE_RINGBUF || s->type == BPF_MAP_TYPE_USER_RINGBUF ||
	    s->type == TYPE_ARENA) {
		out->pages = rest;
		return;
	}
	if (is_percpu(s->type)) {
		out->percpu = percpu_bytes(s, cpus_possible > 0 ? cpus_possible : 1);
		rest -= out->percpu;
	}
	if (is_by_element(s) || (rest <= AREA_KMALLOC && !(s->flags & BPF_F_MMAPABLE)))
		out->slab = rest;
	else
		out->vmalloc = rest;
}

/* ---- the walk over ids ---- */

/* "memlock: 4096" of an open object; 0 where fdinfo has none. */
static int64_t memlock_read(int fd)
{
	int64_t bytes = bpf_fdinfo_number("self", fd, "memlock:");

	return bytes > 0 ? bytes : 0;
}

/* The name of a type without "BPF_MAP_TYPE_", or its number. */
static void object_name(char dst[128], const char *type, uint32_t number, const char *name)
{
	if (type)
		snprintf(dst, 128, "%s %.*s", type, BPF_OBJ_NAME_LEN, name);
	else
		snprintf(dst, 128, "type_%u %.*s", number, BPF_OBJ_NAME_LEN, name);
}

static int map_add(int fd, int cpus, struct bpf_objects *o)
{
	struct bpf_map_info info = {0};
	struct bpf_level *row;
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	row = ARRAY_PUSH(&o->levels);
	if (!row)
		return -ENOMEM;
	row->kind = BPF_KIND_MAP;
	row->id = info.id;
	object_name(row->object, libbpf_bpf_map_type_str(info.type), info.type, info.name);
	bpf_map_split(&(struct bpf_map_shape){.type = info.type,
					      .flags = info.map_flags,
					      .key_size = info.key_size,
					      .value_size = info.value_size,
					      .max_entries = info.max_entries,
					      .bytes = memlock_read(fd)},
		      cpus, row);
	return 0;
}

/* Instructions are in vmalloc areas, as is the machine code made of them. */
static int program_add(int fd, int cpus, struct bpf_objects *o)
{
	struct bpf_prog_info info = {0};
	struct bpf_level *row;
	__u32 len = sizeof(info);

	(void)cpus;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	row = ARRAY_PUSH(&o->levels);
	if (!row)
		return -ENOMEM;
	row->kind = BPF_KIND_PROGRAM;
	row->id = info.id;
	object_name(row->object, libbpf_bpf_prog_type_str(info.type), info.type, info.name);
	row->vmalloc = memlock_read(fd) + info.jited_prog_len;
	return bpf_holders_of_program(fd, info.id, info.name, &o->holders);
}

static const struct {
	int (*next)(__u32 start, __u32 *next);
	int (*open)(__u32 id);
	int (*add)(int fd, int cpus, struct bpf_objects *o);
} kinds[] = {
	{bpf_map_get_next_id, bpf_map_get_fd_by_id, map_add},
	{bpf_prog_get_next_id, bpf_prog_get_fd_by_id, program_add},
};

static int kind_walk(size_t kind, double deadline_s, int cpus, struct bpf_objects *o)
{
	__u32 id = 0;
	int err = 0;

	while (!err && o->levels.nr < BPF_OBJECTS_MAX && bpf_clock_s() < deadline_s) {
		_cleanup_close_ int fd = -1;

		if (kinds[kind].next(id, &id))
			return errno == ENOENT ? 0 : -errno;
		fd = kinds[kind].open(id);
		if (fd < 0 && errno == EPERM)
			return -EPERM;
		if (fd >= 0)
			err = kinds[kind].add(fd, cpus, o);
	}
	return err;
}

static void own_mark(int own_pid, struct bpf_objects *o)
{
	for (size_t i = 0; i < o->holders.nr; i++) {
		const struct bpf_holder *h = &o->holders.items[i];

		if (h->how != BPF_HELD_BY_PROCESS || h->holder != own_pid)
			continue;
		for (size_t k = 0; k < o->levels.nr; k++)
			if (o->levels.items[k].kind == h->kind && o->levels.items[k].id == h->id)
				o->levels.items[k].own = 1;
	}
}

static bool has_others(const struct bpf_objects *o)
{
	for (size_t i = 0; i < o->levels.nr; i++)
		if (!o->levels.items[i].own)
			return true;
	return false;
}

int bpf_objects_read(int own_pid, struct bpf_objects *out)
{
	_cleanup_(bpf_objects_free) struct bpf_objects o = {0};
	double deadline_s = bpf_clock_s() + WALK_S;
	int cpus = libbpf_num_possible_cpus(), err = 0;

	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]) && !err; kind++)
		err = kind_walk(kind, deadline_s, cpus, &o);
	err = err ?: bpf_holders_of_process(own_pid, &o.holders);
	if (err)
		return err;
	own_mark(own_pid, &o);
	/*
	 * reading all processes leaves memory in procfs, so do it only if there are other objects
	 * than our own
	 */
	if (has_others(&o))
		err = bpf_holders_read(own_pid, deadline_s + WALK_S, &o.holders);
	if (err)
		return err;
	*out = o;
	o = (struct bpf_objects){0};
	return 0;
}

/* ---- through the helper ---- */

struct header {
	uint32_t magic, levels, holders;
};

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int bpf_objects_write(int fd, const struct bpf_objects *o)
{
	struct header head = {HEADER_MAGIC, (uint32_t)o->levels.nr, (uint32_t)o->holders.nr};
	int err = write_all(fd, &head, sizeof(head));

	err = err ?: write_all(fd, o->levels.items, o->levels.nr * sizeof(*o->levels.items));
	return err ?: write_all(fd, o->holders.items, o->holders.nr * sizeof(*o->holders.items));
}

int bpf_objects_load(int fd, struct bpf_objects *out)
{
	_cleanup_free_ char *buf = NULL;
	struct bpf_objects o = {0};
	struct header head;
	size_t len = 0;
	int err = lseek(fd, 0, SEEK_SET) ? -errno : file_read_fd(fd, &buf, &len);

	if (err)
		return err;
	if (len < sizeof(head))
		return -EPROTO;
	memcpy(&head, buf, sizeof(head));
	if (head.magic != HEADER_MAGIC || head.levels > BPF_OBJECTS_MAX ||
	    head.holders > BPF_OBJECTS_MAX ||
	    len != sizeof(head) + head.levels * sizeof(struct bpf_level) +
			    head.holders * sizeof(struct bpf_holder))
		return -EPROTO;
	o.levels.items = calloc(head.levels + 1, sizeof(struct bpf_level));
	o.holders.items = calloc(head.holders + 1, sizeof(struct bpf_holder));
	if (!o.levels.items || !o.holders.items) {
		bpf_objects_free(&o);
		return -ENOMEM;
	}
	o.levels.nr = head.levels;
	o.levels.cap = head.levels + 1;
	o.holders.nr = head.holders;
	o.holders.cap = head.holders + 1;
	memcpy(o.levels.items, buf + sizeof(head), head.levels * sizeof(struct bpf_level));
	memcpy(o.holders.items, buf + sizeof(head) + head.levels * sizeof(struct bpf_level),
	       head.holders * sizeof(struct bpf_holder));
	*out = o;
	return 0;
}
