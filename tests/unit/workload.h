/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings of a simulated workload: paths whose objects live for a while and are freed (no
 * growth, but never the same twice), and one planted path that keeps all its objects. Sampled as
 * the tracer does it. The true figures are known, and the same workload can be recorded again with
 * another seed, kernel, boot or machine.
 */
#ifndef TESTS_UNIT_WORKLOAD_H
#define TESTS_UNIT_WORKLOAD_H

#include <math.h>

#include "sample_capture.h"

struct workload {
	uint64_t seed;
	double period; /* 0: exact */
	double seconds;
	int paths;
	double churn;      /* bytes a second, of all paths together */
	double leak;       /* bytes a second, of the planted path; 0: it is not there */
	bool other_kernel; /* other offsets, suffixes, inlining, cache names */
	const char *boot;
	int cpus;
	int64_t mem_kb;
};

SAMPLE_UNUSED static double workload_uniform(uint64_t *seed) /* SplitMix64, 0 … 1 */
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

SAMPLE_UNUSED static double workload_normal(uint64_t *seed)
{
	return sqrt(-2 * log(workload_uniform(seed))) * cos(2 * M_PI * workload_uniform(seed));
}

SAMPLE_UNUSED static int64_t workload_poisson(uint64_t *seed, double mean)
{
	double limit = exp(-mean), product = 1;
	int64_t n = -1;

	if (mean > 50)
		return (int64_t)fmax(0, rint(mean + sqrt(mean) * workload_normal(seed)));
	do {
		product *= workload_uniform(seed);
		n++;
	} while (product > limit);
	return n;
}

/* A row for `n` sampled objects of `size`, with ages drawn by `age`. */
SAMPLE_UNUSED static void workload_held(struct capture *c, const struct workload *w, uint64_t *seed,
					uint32_t cache, uint32_t stack, int64_t n, double size,
					double life)
{
	double p = w->period > 0 ? -expm1(-size / w->period) : 1;
	int64_t tracked = p < 1 ? workload_poisson(seed, (double)n * p) : n;
	struct cap_held *h;

	if (!tracked)
		return;
	h = sample_held(&c->checkpoints[0], cache, stack, 1, tracked, (double)tracked * size / p);
	h->objects = (double)tracked / p;
	h->bytes_var = (double)tracked * size * size * (1 - p) / (p * p);
	for (int64_t i = 0; i < tracked && i < 2000; i++) {
		double age = life > 0 ? fmin(w->seconds, -life * log(workload_uniform(seed)))
				      : w->seconds * workload_uniform(seed);
		int bucket = age < 1 ? 0 : ilogb(age) + 1;

		h->age_hist[bucket < AGE_BUCKETS ? bucket : AGE_BUCKETS - 1] +=
			h->objects / (double)(tracked < 2000 ? tracked : 2000);
		h->oldest_s = fmax(h->oldest_s, age);
	}
}

/* Frames that many paths share, each stored once, as the writer does: ids 1 to 14. */
SAMPLE_UNUSED static void workload_frames(struct capture *c, const struct workload *w)
{
	char name[64];

	for (int i = 0; i < 7; i++) {
		snprintf(name, sizeof(name), "caller_%d", i);
		sample_frame(c, name, (uint64_t)(w->other_kernel ? 0x11 : 0x22), "vmlinux");
	}
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "__x64_sys_call%d", i);
		sample_frame(c, name, 9, "vmlinux");
	}
	sample_frame(c, "x64_sys_call", 9, "vmlinux");
	sample_frame(c, "do_syscall_64", 5, "vmlinux");
}

SAMPLE_UNUSED static uint32_t workload_stack(struct capture *c, const struct workload *w, int i)
{
	uint32_t frames[5], nr = 0;
	char name[64];

	snprintf(name, sizeof(name), w->other_kernel ? "site_%d.isra.0" : "site_%d", i);
	frames[nr++] = sample_frame(c, name, (uint64_t)(w->other_kernel ? 0x99 : 0x17),
				    i % 10 ? "vmlinux" : "ext4");
	frames[nr++] = 1 + (uint32_t)i % 7;
	frames[nr++] = 8 + (uint32_t)i % 5;
	if (w->other_kernel)
		frames[nr++] = 13;
	frames[nr++] = 14;
	return sample_stack(c, nr, frames);
}

static const double workload_sizes[] = {64, 192, 1024, 4096};

SAMPLE_UNUSED static void workload_path(struct capture *c, const struct workload *w, uint64_t *seed,
					int i)
{
	double size = workload_sizes[i % 4], life = 0.02 * (1 + i % 50); /* up to a second */
	double rate = w->churn / w->paths / size;
	uint32_t stack = workload_stack(c, w, i);
	struct cap_churn *churn;
	double allocs;

	workload_held(c, w, seed, 1 + (uint32_t)(i % 4), stack,
		      workload_poisson(seed, rate * life * -expm1(-w->seconds / life)), size, life);
	allocs = (double)workload_poisson(seed, rate * w->seconds);
	if (w->period > 0) {
		double p = -expm1(-size / w->period);

		allocs = (double)workload_poisson(seed, allocs * p) / p;
	}
	sample_churn(&c->checkpoints[0], stack, allocs, allocs, 0);
	churn = &c->checkpoints[0].churn.items[c->checkpoints[0].churn.nr - 1];
	churn->alloc_bytes = allocs * size;
}

SAMPLE_UNUSED static void workload_levels(struct capture *c, const struct workload *w,
					  uint64_t *seed)
{
	int readings = w->seconds < 60 ? (int)w->seconds : 60;

	for (int i = 0; i <= readings; i++) {
		double t = w->seconds * i / readings, leak = w->leak * t;
		struct snapshot *s = sample_snapshot(c, t);
		int64_t slabs =
			4000 + (int64_t)(leak / 16384) + (int64_t)(3 * workload_normal(seed));

		sample_meminfo(s, "MemTotal", w->mem_kb ?: 8000000);
		sample_meminfo(s, "MemFree", 4000000);
		sample_meminfo(s, "Slab", slabs * 16 + 20000);
		sample_meminfo(s, "KernelStack", 4000 + (int64_t)(16 * workload_normal(seed)));
		sample_meminfo(s, "PageTables", 9000 + (int64_t)(50 * workload_normal(seed)));
		sample_meminfo(s, "VmallocUsed", 30000);
		sample_meminfo(s, "Percpu", 5000);
		sample_slab(s, w->other_kernel ? "kmalloc-rnd-07-1k" : "kmalloc-1k", slabs * 16,
			    1024, 16, 4, slabs);
		sample_slab(s, w->other_kernel ? "small_merged" : "small", 1000, 64, 64, 1, 100);
	}
}

/* One recording of the workload. */
SAMPLE_UNUSED static struct capture *workload_record(const struct workload *w)
{
	struct capture *c = sample_new(w->period > 0 ? "sampled" : "exact");
	uint64_t seed = w->seed * 7919 + 1;
	char text[32];
	uint32_t stack;

	snprintf(text, sizeof(text), "%.0f", w->period);
	sample_meta(c, META_PERIOD, text);
	sample_meta(c, META_HOST, "simulated");
	sample_meta(c, META_ARCH, "x86_64");
	sample_meta(c, META_RELEASE, w->other_kernel ? "6.12.9-other" : "6.1.7-one");
	sample_meta(c, META_BUILD_ID, w->other_kernel ? "bbbb" : "aaaa");
	sample_meta(c, META_BOOT_ID, w->boot ?: "boot");
	sample_meta(c, META_START, "1700000000");
	sample_meta(c, META_UPTIME, "1000");
	if (w->cpus) {
		snprintf(text, sizeof(text), "%d", w->cpus);
		for (size_t i = 0; i < c->meta.nr; i++)
			if (!strcmp(c->meta.items[i].key, META_CPUS)) {
				free(c->meta.items[i].value);
				c->meta.items[i].value = sample_text(text);
			}
	}
	sample_cache(c, w->other_kernel ? "small_merged" : "small", 64, 64, false);
	if (w->other_kernel)
		sample_alias(c, 1, "small");
	sample_cache(c, "dentry", 192, 192, true);
	sample_cache(c, w->other_kernel ? "kmalloc-rnd-07-1k" : "kmalloc-1k", 1024, 1024, false);
	sample_cache(c, "kmalloc-4k", 4096, 4096, false);
	sample_process(c, 100, "worker", sample_cgroup(c, "/system.slice/worker.service"));
	sample_hook(c, "kmem:kmalloc", POOL_SLAB, "raw_tp", "", "");
	workload_frames(c, w);
	workload_levels(c, w, &seed);
	sample_interval(c, w->seconds);
	for (int i = 0; i < w->paths; i++)
		workload_path(c, w, &seed, i);
	stack = workload_stack(c, w, 1000000); /* the planted path */
	if (w->leak > 0) {
		workload_held(c, w, &seed, 3, stack, (int64_t)(w->leak * w->seconds / 1024), 1024,
			      0);
		sample_churn(&c->checkpoints[0], stack, w->leak * w->seconds / 1024, 0, 0);
		c->checkpoints[0].churn.items[c->checkpoints[0].churn.nr - 1].alloc_bytes =
			w->leak * w->seconds;
	}
	return c;
}

#endif
