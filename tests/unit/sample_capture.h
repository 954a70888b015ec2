/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures built in memory, for tests of model/ and render/: a few builders, and one complete
 * sample with hostile names. Deterministic. capture_free() frees them, like captures that were
 * read.
 */
#ifndef TESTS_UNIT_SAMPLE_CAPTURE_H
#define TESTS_UNIT_SAMPLE_CAPTURE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "findings/report_findings.h"

#define SAMPLE_UNUSED __attribute__((unused))

/* Append a zeroed element to a plain (pointer, count) pair, whose space doubles when it is full. */
#define SAMPLE_ADD(items, nr)                                                                   \
	({                                                                                      \
		if (!((nr) & (-1 + (nr))))                                                      \
			(items) = reallocarray((items), (nr) ? 2 * (nr) : 1, sizeof(*(items))); \
		if (!(items))                                                                   \
			abort();                                                                \
		memset(&(items)[(nr)], 0, sizeof(*(items)));                                    \
		&(items)[(nr)++];                                                               \
	})

static inline char *sample_text(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		abort();
	return copy;
}

SAMPLE_UNUSED static void sample_meta(struct capture *c, const char *key, const char *value)
{
	struct cap_meta *m = ARRAY_PUSH(&c->meta);

	if (!m)
		abort();
	m->key = sample_text(key);
	m->value = sample_text(value);
}

SAMPLE_UNUSED static uint32_t sample_frame(struct capture *c, const char *symbol, uint64_t offset,
					   const char *module)
{
	struct cap_frame *f = SAMPLE_ADD(c->frames, c->nr_frames);

	f->symbol = sample_text(symbol);
	f->offset = offset;
	f->module = sample_text(module);
	f->build_id = sample_text("");
	return (uint32_t)(c->nr_frames - 1);
}

SAMPLE_UNUSED static uint32_t sample_stack(struct capture *c, uint32_t nr, const uint32_t *frames)
{
	struct cap_stack *s = SAMPLE_ADD(c->stacks, c->nr_stacks);

	s->nr_frames = nr;
	s->frames = nr ? calloc(nr, sizeof(*s->frames)) : NULL;
	if (nr)
		memcpy(s->frames, frames, nr * sizeof(*frames));
	return (uint32_t)(c->nr_stacks - 1);
}

/* A stack of one frame. */
SAMPLE_UNUSED static uint32_t sample_call(struct capture *c, const char *symbol, uint64_t offset,
					  const char *module)
{
	uint32_t frame = sample_frame(c, symbol, offset, module);

	return sample_stack(c, 1, &frame);
}

SAMPLE_UNUSED static uint32_t sample_cache(struct capture *c, const char *name, int64_t object_size,
					   int64_t size, bool reclaimable)
{
	struct cap_cache *cache = SAMPLE_ADD(c->caches, c->nr_caches);

	cache->name = sample_text(name);
	cache->object_size = object_size;
	cache->size = size;
	cache->reclaimable = reclaimable;
	return (uint32_t)(c->nr_caches - 1);
}

SAMPLE_UNUSED static void sample_alias(struct capture *c, uint32_t cache, const char *name)
{
	char **slot = ARRAY_PUSH(&c->caches[cache].aliases);

	if (!slot)
		abort();
	*slot = sample_text(name);
}

SAMPLE_UNUSED static uint32_t sample_cgroup(struct capture *c, const char *path)
{
	*SAMPLE_ADD(c->cgroups, c->nr_cgroups) = sample_text(path);
	return (uint32_t)(c->nr_cgroups - 1);
}

SAMPLE_UNUSED static uint32_t sample_process(struct capture *c, int32_t tgid, const char *comm,
					     uint32_t cgroup)
{
	struct cap_process *p = SAMPLE_ADD(c->processes, c->nr_processes);

	p->tgid = tgid;
	p->comm = sample_text(comm);
	p->cmdline = sample_text("");
	p->cgroup = cgroup;
	return (uint32_t)(c->nr_processes - 1);
}

/* Row 0 of every table, and the facts every capture has. */
SAMPLE_UNUSED static struct capture *sample_new(const char *mode)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->complete = true;
	sample_meta(c, META_MODE, mode);
	sample_meta(c, META_PAGE_SIZE, "4096");
	sample_meta(c, META_CPUS, "2");
	sample_meta(c, META_STACKS, "ok");
	sample_frame(c, "", 0, "");
	sample_stack(c, 0, NULL);
	sample_cache(c, "", 0, 0, false);
	sample_cgroup(c, "");
	sample_process(c, 0, "", 0);
	return c;
}

SAMPLE_UNUSED static struct snapshot *sample_snapshot(struct capture *c, double t_s)
{
	struct snapshot *s = SAMPLE_ADD(c->snapshots, c->nr_snapshots);

	s->t_s = t_s;
	s->wall_s = 1700000000 + t_s;
	s->kind = c->nr_snapshots == 1 ? SNAPSHOT_START : SNAPSHOT_TICK;
	c->nr_snapshots_stored = c->nr_snapshots;
	return s;
}

SAMPLE_UNUSED static void sample_meminfo(struct snapshot *s, const char *name, int64_t kb)
{
	struct named_value *v = ARRAY_PUSH(&s->meminfo);

	if (!v)
		abort();
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->value = kb;
}

SAMPLE_UNUSED static void sample_slab(struct snapshot *s, const char *name, int64_t active,
				      int64_t object_size, int64_t objs_per_slab,
				      int64_t pages_per_slab, int64_t num_slabs)
{
	struct slab_level *l = ARRAY_PUSH(&s->slabs);

	if (!l)
		abort();
	*l = (struct slab_level){.active_objs = active,
				 .num_objs = num_slabs * objs_per_slab,
				 .object_size = object_size,
				 .objs_per_slab = objs_per_slab,
				 .pages_per_slab = pages_per_slab,
				 .active_slabs = num_slabs,
				 .num_slabs = num_slabs,
				 .cpu_free = -1};
	snprintf(l->name, sizeof(l->name), "%s", name);
}

SAMPLE_UNUSED static struct cap_checkpoint *sample_interval(struct capture *c, double end_s)
{
	struct cap_checkpoint *i = SAMPLE_ADD(c->checkpoints, c->nr_checkpoints);

	i->end_s = end_s;
	return i;
}

/* `objects` outstanding objects with `bytes` in total, counted exactly, `age` seconds old (in whole
 * buckets). */
SAMPLE_UNUSED static struct cap_held *sample_held(struct cap_checkpoint *i, uint32_t cache,
						  uint32_t stack, uint32_t process, int64_t objects,
						  double bytes)
{
	struct cap_held *h = ARRAY_PUSH(&i->held);

	if (!h)
		abort();
	*h = (struct cap_held){.pool = POOL_SLAB,
			       .cache = cache,
			       .stack = stack,
			       .process = process,
			       .tracked = objects,
			       .objects = (double)objects,
			       .bytes = bytes};
	return h;
}

SAMPLE_UNUSED static void sample_churn(struct cap_checkpoint *i, uint32_t stack, double allocs,
				       double frees, double unseen_frees)
{
	struct cap_churn *c = ARRAY_PUSH(&i->churn);

	if (!c)
		abort();
	*c = (struct cap_churn){.alloc_bytes_var = NAN,
				.pool = POOL_SLAB,
				.stack = stack,
				.allocs = allocs,
				.frees = frees,
				.unseen_frees = unseen_frees};
}

SAMPLE_UNUSED static void sample_cache_churn(struct cap_checkpoint *i, uint32_t cache,
					     double allocs, double frees, double unseen_frees)
{
	struct cap_cache_churn *c = ARRAY_PUSH(&i->cache_churn);

	if (!c)
		abort();
	*c = (struct cap_cache_churn){
		.cache = cache, .allocs = allocs, .frees = frees, .unseen_frees = unseen_frees};
}

SAMPLE_UNUSED static void sample_loss(struct cap_checkpoint *i, const char *name, int64_t value)
{
	struct cap_count *c = ARRAY_PUSH(&i->losses);

	if (!c)
		abort();
	c->name = sample_text(name);
	c->value = value;
}

SAMPLE_UNUSED static void sample_hook(struct capture *c, const char *name, enum pool pool,
				      const char *how, const char *reason, const char *cost)
{
	struct cap_hook *h = SAMPLE_ADD(c->hooks, c->nr_hooks);

	h->name = sample_text(name);
	h->pool = pool;
	h->how = sample_text(how);
	h->reason = sample_text(reason);
	h->cost = sample_text(cost);
}

/* The report of all that c holds. */
SAMPLE_UNUSED static int report_whole(const struct capture *c, enum growth_by by,
				      struct report *out)
{
	struct view v;

	view_whole(c, &v);
	return report_build(&v, by, out);
}

/* ---- the whole sample ---- */

#define SAMPLE_SECONDS 30
#define SAMPLE_HOSTILE "\x1b]0;owned\x07\x1b[2J\xff\xfe\xe2\x80\xae<script>&\"'\r\n"

/* The levels at second i: kmalloc-cg-1k grows by 40 objects per second, dentry by 50, from the
 * start. */
SAMPLE_UNUSED static void sample_fill_snapshot(struct snapshot *s, int i)
{
	int64_t cg = 160 + 40 * i, dentry = 21000 + 50 * i;
	int64_t cg_slabs = (cg + 15) / 16, dentry_slabs = (dentry + 20) / 21 + 10;
	int64_t caches_kb = cg_slabs * 16 + dentry_slabs * 4 + 50 * 4;

	sample_meminfo(s, "MemTotal", 4000000);
	sample_meminfo(s, "MemFree", 3000000 - 60 * i);
	sample_meminfo(s, "Buffers", 0);
	sample_meminfo(s, "Cached", 301000);
	sample_meminfo(s, "SwapCached", 0);
	sample_meminfo(s, "Active", 500000);
	sample_meminfo(s, "Inactive", 400000);
	sample_meminfo(s, "Unevictable", 1000);
	sample_meminfo(s, "AnonPages", 600000);
	sample_meminfo(s, "Shmem", 0);
	/* 2 MiB of large kmalloc, and 256 KiB more from second 10 on. */
	sample_meminfo(s, "Slab", caches_kb + 2048 + (i >= 10 ? 256 : 0));
	sample_meminfo(s, "KernelStack", 2000);
	sample_meminfo(s, "PageTables", 3000 + (i % 2));
	sample_meminfo(s, "SecPageTables", 0);
	sample_meminfo(s, "VmallocUsed", 20000);
	sample_meminfo(s, "Percpu", 1000);
	sample_slab(s, "dentry", dentry, 192, 21, 1, dentry_slabs);
	sample_slab(s, "kmalloc-cg-1k", cg, 1024, 16, 4, cg_slabs);
	sample_slab(s, "vm_area_struct", 900, 176, 23, 1, 50);
	if (!ARRAY_PUSH(&s->zones))
		abort();
	s->zones.items[0].pcp = 2500; /* pages */
}

SAMPLE_UNUSED static void sample_tables(struct capture *c)
{
	static char symbol[4097], comm[64];
	uint32_t f[8], cgroup;

	memset(symbol, 'S', sizeof(symbol) - 1);
	memcpy(symbol, SAMPLE_HOSTILE, strlen(SAMPLE_HOSTILE));
	snprintf(comm, sizeof(comm), "%s", "evil\x1b[31m\xc3(");
	f[0] = sample_frame(c, "alloc_pipe_info", 0xc1, "vmlinux");
	f[1] = sample_frame(c, "create_pipe_files", 0x50, "vmlinux");
	f[2] = sample_frame(c, "do_pipe2", 0x3a, "vmlinux");
	f[3] = sample_frame(c, "__x64_sys_pipe2", 0x18, "vmlinux");
	sample_stack(c, 4, f); /* 1: pipes */
	f[0] = sample_frame(c, "__d_alloc", 0x2f, "vmlinux");
	f[1] = sample_frame(c, "ext4_lookup", 0x1b2, "ext4");
	f[2] = sample_frame(c, "__x64_sys_newfstatat", 0x1c, "vmlinux");
	sample_stack(c, 3, f); /* 2: dentries */
	f[0] = sample_frame(c, symbol, INT32_MAX, SAMPLE_HOSTILE);
	sample_stack(c, 1, f); /* 3: hostile */
	c->stacks[3].truncated = true;
	f[0] = sample_frame(c, "mas_alloc_nodes", 0x7, "vmlinux");
	sample_stack(c, 1, f); /* 4: maple nodes */
	cgroup = sample_cgroup(c, "/system.slice/plant.service");
	sample_process(c, 4242, "plant", cgroup);
	sample_process(c, 13, comm, sample_cgroup(c, "/" SAMPLE_HOSTILE));
	sample_process(c, 0, "[interrupt]", 0);
	sample_cache(c, "kmalloc-cg-1k", 1024, 1024, false);
	sample_alias(c, sample_cache(c, "ext4_merged", 184, 192, true),
		     "dentry"); /* slabinfo's name is the alias */
	sample_cache(c, "kmalloc-large", 0, 0, false);
	c->caches[3].large = true;
	sample_alias(c, sample_cache(c, symbol, 64, 64, false), SAMPLE_HOSTILE);
	sample_cache(c, "maple_node", 256, 256, false);
}

/*
 * 30 seconds, exact. kmalloc-cg-1k: a plant holds 1200 of 1200 objects, all live. dentry (merged;
 * the tracer knows it by another name): 2000 held, all live, and 500 older ones were freed. Large
 * kmalloc: 4 × 64 KiB. maple_node: 6000 look outstanding, but of 50 checked only 1 is live. A
 * hostile cache: 100 objects.
 */
SAMPLE_UNUSED static struct capture *sample_whole(void)
{
	struct capture *c = sample_new("exact");
	struct cap_checkpoint *at;
	struct cap_held *h;

	sample_meta(c, META_HOST, "host" SAMPLE_HOSTILE);
	sample_meta(c, META_RELEASE, "6.18.44");
	sample_meta(c, META_ARCH, "x86_64");
	sample_meta(c, META_VIRT, "kvm");
	sample_meta(c, META_LOCKDOWN, "integrity");
	sample_meta(c, META_START, "1700000000");
	sample_meta(c, META_OVERHEAD, "0.42");
	sample_meta(c, META_AUDIT, "ok");
	sample_meta(c, META_OWN_BYTES, "41943040");
	sample_tables(c);
	for (int i = 0; i <= SAMPLE_SECONDS; i++)
		sample_fill_snapshot(sample_snapshot(c, i), i);
	at = sample_interval(c, SAMPLE_SECONDS);
	h = sample_held(at, 1, 1, 1, 1200, 1200 * 1024);
	h->verified = h->verified_live = 1200;
	h->verified_twice = 1100;
	h->age_hist[0] = 40; /* one per 25 ms: 40 per second, in buckets that double */
	h->age_hist[1] = 40;
	h->age_hist[2] = 80;
	h->age_hist[3] = 160;
	h->age_hist[4] = 320;
	h->age_hist[5] = 560;
	h->oldest_s = 30;
	h = sample_held(at, 2, 2, 1, 1500, 1500 * 192);
	h->verified = h->verified_live = 40;
	h->age_hist[3] = 1500;
	h->oldest_s = 8;
	h = sample_held(at, 2, 2, 2, 500, 500 * 192);
	h->verified = h->verified_live = 10;
	h->age_hist[3] = 500;
	h->oldest_s = 7;
	h = sample_held(at, 3, 0, 3, 4, 4 * 65536);
	h->age_hist[5] = 4;
	h->oldest_s = 20;
	h = sample_held(at, 4, 3, 2, 100, 6400);
	h->age_hist[1] = 100;
	h->oldest_s = 2;
	h = sample_held(at, 5, 4, 1, 6000, 6000 * 256);
	h->verified = 50;
	h->verified_live = 1;
	h->age_hist[2] = 6000;
	h->oldest_s = 3.5;
	sample_churn(at, 1, 1300, 100, 0);
	sample_churn(at, 2, 2500, 500, 0);
	sample_churn(at, 4, 130000, 4000, 120000);
	sample_cache_churn(at, 1, 1300, 100, 0);
	sample_cache_churn(at, 2, 2500, 500, 0);
	sample_cache_churn(at, 3, 4, 0, 0);
	sample_cache_churn(at, 4, 100, 0, 0);
	sample_cache_churn(at, 5, 130000, 4000, 120000);
	sample_loss(at, "recursion_misses", 3);
	sample_loss(at, "live_table_full", 0);
	sample_loss(at, "audit_runs", 4);
	sample_loss(at, "audit_ns", 12000000);
	sample_loss(at, "audit_judged", 1300);
	sample_loss(at, "audit_live", 1251);
	sample_loss(at, "audit_ghosts", 49);
	sample_loss(at, "unknown_frees", 512);
	sample_loss(at, "reused_addresses", 120000);
	sample_loss(at, "unwind_hits", 133000);
	sample_hook(c, "kmem:kmalloc", POOL_SLAB, "raw_tp", "", "");
	sample_hook(c, "kmem:kmem_cache_alloc", POOL_SLAB, "raw_tp", "", "");
	sample_hook(c, "kmem_cache_free_bulk", POOL_SLAB, "", "fentry is refused by lockdown",
		    "bulk frees are seen by the audit alone");
	return c;
}

#endif
