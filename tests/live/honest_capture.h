/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `record --every 10m` leaves of a day on a large host, made by the writer: 20,000 call paths,
 * 3,000 caches, 20,000 processes in 2,000 cgroups; a checkpoint each ten minutes, a snapshot each
 * ten seconds; thinned at
 * --max-size's 256 MiB as the recorder does.
 */
#ifndef TESTS_LIVE_HONEST_CAPTURE_H
#define TESTS_LIVE_HONEST_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "capture/capture.h"
#include "data/capture.h"

struct honest {
	int paths, caches, processes, cgroups, checkpoints,
		snapshots; /* the last: between two checkpoints */
	int64_t max_bytes;
};

static const struct honest honest_large = {.paths = 20000,
					   .caches = 3000,
					   .processes = 20000,
					   .cgroups = 2000,
					   .checkpoints = 144,
					   .snapshots = 60,
					   .max_bytes = 256LL << 20};

/* ARRAY_PUSH() that cannot fail. */
#define HONEST_PUSH(a)                                       \
	({                                                   \
		__typeof__((a)->items) _new = ARRAY_PUSH(a); \
		if (!_new)                                   \
			abort();                             \
		_new;                                        \
	})
#define HONEST_FRAMES 25
#define HONEST(call)             \
	do {                     \
		if ((call) < 0)  \
			abort(); \
	} while (0)

static void honest_who(struct capture_writer *w, const struct honest *h)
{
	char name[300];
	uint32_t id;

	for (int i = 0; i < h->caches; i++) {
		struct cap_cache c = {.name = name, .object_size = 64 + i, .size = 64 + i};

		snprintf(name, sizeof(name), "cache_of_a_subsystem_%d", i);
		HONEST(capture_put_cache(w, &c, &id));
	}
	for (int i = 0; i < h->cgroups; i++) {
		snprintf(
			name, sizeof(name),
			"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%08x_1234_1234_1234_123456789abc"
			".slice/cri-containerd-%064x.scope",
			(unsigned int)i, (unsigned int)i);
		HONEST(capture_put_cgroup(w, name, &id));
	}
	for (int i = 0; i < h->processes; i++) {
		char cmdline[400];
		struct cap_process p = {.tgid = i + 1,
					.comm = name,
					.cmdline = cmdline,
					.cgroup = (uint32_t)(1 + i % h->cgroups)};

		snprintf(name, sizeof(name), "worker-%d", i % 500);
		snprintf(
			cmdline, sizeof(cmdline),
			"/usr/lib/a-service/bin/worker --id=%d --config=/etc/a-service/%d.conf "
			"--listen=0.0.0.0:8080 --log=/var/log/a-service/worker.log --with-some-more=options",
			i, i % 500);
		HONEST(capture_put_process(w, &p, &id));
	}
}

static void honest_paths(struct capture_writer *w, const struct honest *h)
{
	for (int i = 0; i < h->paths; i++) {
		uint32_t frames[HONEST_FRAMES], id;
		char symbol[80];

		for (int f = 0; f < HONEST_FRAMES; f++) {
			int which = f == HONEST_FRAMES - 1 ? 0
				    : f                    ? (i / (f * f) + 97 * f) % 6000
							   : i % 9000;
			struct cap_frame frame = {
				.symbol = symbol,
				.offset = (uint64_t)(16 + which % 400),
				.module = (char *)(which % 5 ? "vmlinux" : "some_driver"),
				.build_id = (char *)"0123456789abcdef0123456789abcdef01234567"};

			snprintf(symbol, sizeof(symbol),
				 which ? "a_function_of_the_kernel_%d" : "__x64_sys_sendmsg",
				 which);
			HONEST(capture_put_frame(w, &frame, &frames[f]));
		}
		HONEST(capture_put_stack(w, &(struct cap_stack){HONEST_FRAMES, frames, false},
					 &id));
	}
}

static void honest_meminfo(struct snapshot *s, const char *name, int64_t kb)
{
	struct named_value *v = HONEST_PUSH(&s->meminfo);

	snprintf(v->name, sizeof(v->name), "%s", name);
	v->value = kb;
}

/* A tenth of all lines changes from one snapshot to the next. */
static void honest_snapshot(struct capture_writer *w, const struct honest *h, int t, int last)
{
	struct snapshot s = {.kind = !t          ? SNAPSHOT_START
				     : t == last ? SNAPSHOT_END
						 : SNAPSHOT_TICK,
			     .t_s = 600.0 / h->snapshots * t,
			     .wall_s = 1.7e9 + 600.0 / h->snapshots * t};
	char name[40];

	honest_meminfo(&s, "MemTotal", 1 << 30);
	honest_meminfo(&s, "MemFree", (1 << 29) - t);
	honest_meminfo(&s, "Slab", 20000000 + 40 * t);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "Line%d", i);
		honest_meminfo(&s, name, i + (t + i) / 10);
	}
	for (int i = 0; i < 180; i++) {
		struct named_value *v = HONEST_PUSH(&s.vmstat);

		snprintf(v->name, sizeof(v->name), "vmstat_%d", i);
		v->value = (t + i) / 3;
	}
	for (int i = 0; i < h->caches; i++) {
		struct slab_level *l = HONEST_PUSH(&s.slabs);

		*l = (struct slab_level){.object_size = 64 + i,
					 .objs_per_slab = 30,
					 .pages_per_slab = 1,
					 .cpu_free = -1,
					 .active_objs = 1000 + (t + 7 * i) / 60,
					 .num_objs = 2000,
					 .num_slabs = 60 + t / 60,
					 .active_slabs = 60};
		snprintf(l->name, sizeof(l->name), "cache_of_a_subsystem_%d", i);
	}
	for (int i = 0; i < 200; i++) {
		struct vmalloc_level *l = HONEST_PUSH(&s.vmallocs);

		snprintf(l->caller, sizeof(l->caller), "a_function_of_the_kernel_%d+0x%x", i,
			 16 + i);
		l->areas = l->pages = 10 + t / 600;
		l->bytes = l->areas * 8192;
	}
	for (int i = 0; s.kind != SNAPSHOT_TICK && i < h->processes; i++) {
		struct task_level *l = HONEST_PUSH(&s.tasks);

		snprintf(l->comm, sizeof(l->comm), "worker-%d", i % 500);
		l->tgid = i + 1;
		l->cgroup_id = (uint64_t)(1000 + i % h->cgroups);
		l->threads = 4;
		l->stack_bytes = 65536;
		l->pgtables_bytes = 200000 + t;
	}
	HONEST(capture_put_snapshot(w, &s));
	snapshot_free(&s);
}

/* Each path is held by two processes: half of the paths from the beginning on, the others come in
 * the day. */
static void honest_interval(struct capture_writer *w, const struct honest *h, int k)
{
	int paths = h->paths / 2 + h->paths / 2 * k / h->checkpoints;
	struct cap_checkpoint in = {.start_s = 0, .end_s = 600.0 * k};
	static const char *const causes[] = {"recursion_misses", "live_table_full",
					     "stack_table_full", "audit_runs"};

	for (int i = 0; i < 2 * paths; i++) {
		struct cap_held *row = HONEST_PUSH(&in.held);

		*row = (struct cap_held){.pool = i % 20 ? POOL_SLAB : POOL_PAGE,
					 .stack = (uint32_t)(1 + i / 2),
					 .cache = (uint32_t)(i % 20 ? 1 + i % h->caches : 0),
					 .process = (uint32_t)(1 + (i * 7919LL) % h->processes),
					 .tracked = 1 + k + i % 7,
					 .objects = 3.7 * (1 + k + i % 7),
					 .bytes = 517.3 * (1 + k + i % 7),
					 .bytes_var = 1e6,
					 .oldest_s = 599.5 * k,
					 .verified = 1,
					 .verified_live = 1};
		for (int b = 0; b < 12; b++)
			row->age_hist[b] = 0.3 * (1 + k + i % 7);
	}
	for (int i = 0; i < paths; i++) {
		struct cap_churn *row = HONEST_PUSH(&in.churn);

		*row = (struct cap_churn){.pool = POOL_SLAB,
					  .stack = (uint32_t)(1 + i),
					  .allocs = 1000.5 * k,
					  .alloc_bytes = 1e6 * k,
					  .frees = 900.5 * k,
					  .free_bytes = 0.9e6 * k};
	}
	for (int i = 0; i < h->caches; i++) {
		struct cap_cache_churn *row = HONEST_PUSH(&in.cache_churn);

		*row = (struct cap_cache_churn){(uint32_t)(1 + i), 5000.5 * k, 4500.5 * k, 0};
	}
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		struct cap_count *row = HONEST_PUSH(&in.losses);

		*row = (struct cap_count){(char *)causes[i], k};
	}
	HONEST(capture_put_checkpoint(w, &in));
	ARRAY_FREE(&in.held);
	ARRAY_FREE(&in.churn);
	ARRAY_FREE(&in.cache_churn);
	ARRAY_FREE(&in.losses);
}

static void honest_write(const struct honest *h, const char *path)
{
	struct capture_writer *w;
	int t = 0, last = h->checkpoints * h->snapshots;

	HONEST(capture_writer_new(path, true, &w));
	HONEST(capture_put_meta(w, META_MODE, "sampled"));
	HONEST(capture_put_meta(w, META_PERIOD, "65536"));
	HONEST(capture_put_meta(w, META_PAGE_SIZE, "4096"));
	HONEST(capture_put_meta(w, META_CPUS, "128"));
	HONEST(capture_put_meta(w, META_BUILD_ID, "0123456789abcdef0123456789abcdef01234567"));
	HONEST(capture_put_hook(w, &(struct cap_hook){(char *)"kmem:kmalloc", POOL_SLAB,
						      (char *)"raw_tp", (char *)"", (char *)""}));
	honest_who(w, h);
	honest_paths(w, h);
	honest_snapshot(w, h, t++, last);
	for (int k = 1; k <= h->checkpoints; k++) {
		while (t <= k * h->snapshots)
			honest_snapshot(w, h, t++, last);
		honest_interval(w, h, k);
		while (capture_size(w) > h->max_bytes && capture_thin(w) > 0)
			;
	}
	HONEST(capture_finish(w));
}

#endif
