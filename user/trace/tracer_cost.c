// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what the programs did and what they cost: events and losses, run time, memory. The recorder
 * calls it through tracer.h. See there.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file_read.h"
#include "trace/stats_helper.h"
#include "trace/tracer_internal.h"

#define SAMPLES_TO_TIME 50 /* fewer do not tell what one takes */

/*
 * The kernel's own figures of the attached programs: run time and runs, added to *cost by pool, and
 * recursion misses.
 */
static void programs_info(const struct tracer *t, struct cost_reading *cost, uint64_t *misses)
{
	for (size_t i = 0; i < t->plan->nr; i++) {
		const struct plan_hook *hook = &t->plan->hooks[i];
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);
		int fd = hook->on ? tracer_program_fd(t, hook->def->program) : -1;
		enum pool pool = pool_traced_as(hook->def->pool);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			continue;
		cost->pool[pool].run_ns += info.run_time_ns;
		cost->pool[pool].runs += info.run_cnt;
		*misses += info.recursion_misses;
	}
}

/* The programs' own counters. */
static void tables_counts(const struct tracer *t, struct tracer_counts *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t c = 0; c < t->tables.nr_cpus; c++) {
		for (int i = 0; i < KMT_LOSSES; i++)
			out->losses[i] += t->tables.cpus[c].losses[i];
		for (int i = 0; i < KMT_STATS; i++)
			out->stats[i] += t->tables.cpus[c].stats[i];
	}
}

void tracer_counts(const struct tracer *t, struct tracer_counts *out)
{
	struct cost_reading cost = {};

	tables_counts(t, out);
	programs_info(t, &cost, &out->recursion_misses);
}

/* "memlock:" in the fdinfo. */
uint64_t bpf_fd_bytes(int fd)
{
	_cleanup_free_ char *buf = NULL;
	char path[64], *line;
	size_t len;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (fd < 0 || file_read(path, &buf, &len))
		return 0;
	line = strstr(buf, "memlock:");
	return line ? strtoull(line + strlen("memlock:"), NULL, 10) : 0;
}

uint64_t bpf_object_bytes(const struct bpf_object *obj)
{
	struct bpf_program *prog;
	struct bpf_map *map;
	uint64_t sum = 0;

	bpf_object__for_each_map(map, obj) sum += bpf_fd_bytes(bpf_map__fd(map));
	bpf_object__for_each_program(prog, obj) sum += bpf_fd_bytes(bpf_program__fd(prog));
	return sum;
}

uint64_t tracer_own_bytes(const struct tracer *t)
{
	uint64_t sum = bpf_object_bytes(t->skel->obj);

	if (t->nr_parts)
		sum += t->nr_parts * bpf_fd_bytes(t->parts[0]);
	return sum;
}

/* Time spent on samples since the last call: percent of all CPU time, and of one sample. */
static void sampling_take(struct tracer *t, const struct tracer_counts *counts, long online,
			  struct cost_reading *out)
{
	uint64_t now = clock_ns(), passed_ns = now - t->sampling.at_ns,
		 took_ns = counts->stats[KMT_STAT_SAMPLING_NS] - t->sampling.ns,
		 samples = counts->stats[KMT_STAT_ALLOCS] - t->sampling.samples;

	t->sampling.at_ns = now;
	t->sampling.ns = counts->stats[KMT_STAT_SAMPLING_NS];
	t->sampling.samples = counts->stats[KMT_STAT_ALLOCS];
	out->sampling = passed_ns ? 100.0 * took_ns / passed_ns / online : 0;
	out->sample_ns = samples >= SAMPLES_TO_TIME ? (double)took_ns / samples : 0;
}

static int stats_ask(const struct tracer *t)
{
	int fd = t->stats_helper ? stats_helper_ask(t->stats_helper)
				 : bpf_enable_stats(BPF_STATS_RUN_TIME);

	return fd < 0 && !t->stats_helper ? -errno : fd;
}

void tracer_stats_by(struct tracer *t, struct stats_helper *helper)
{
	t->stats_helper = helper;
}

/*
 * Counting starts at some moment during the call that requests it, and stops during the call that
 * ends it. Each call usually takes 0.2 ms, so the window is the time between them. If this process
 * had to wait in one of the calls, that whole call belongs to the window.
 */
#define EDGE_NS 1000000

static bool edge_is_long(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns - from_ns > EDGE_NS;
}

/*
 * Read the kernel's counters before the window opens and after it closes. However long the reading
 * takes, no run time from outside the window is counted.
 */
int tracer_cost_begin(struct tracer *t)
{
	uint64_t misses = 0, asked_ns, now_ns;
	struct tracer_counts counts;
	struct cost_reading first;

	memset(&t->cost_began, 0, sizeof(t->cost_began));
	programs_info(t, &t->cost_began, &misses);
	tables_counts(t, &counts);
	t->cost_began.sampling_ns = counts.stats[KMT_STAT_SAMPLING_NS];
	if (!t->sampling.at_ns)
		sampling_take(t, &counts, 1, &first);
	asked_ns = clock_ns();
	if (t->stats_fd < 0)
		t->stats_fd = stats_ask(t);
	if (t->stats_fd < 0)
		return t->stats_fd;
	now_ns = clock_ns();
	t->cost_began.cpu_ns = edge_is_long(asked_ns, now_ns) ? asked_ns : now_ns;
	return 0;
}

int tracer_cost_end(struct tracer *t, struct cost_reading *out)
{
	const struct cost_reading *began = &t->cost_began;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	struct cost_reading r = {};
	uint64_t misses = 0, asked_ns, now_ns;
	struct tracer_counts counts;

	if (t->stats_fd < 0)
		return -EINVAL;
	asked_ns = clock_ns();
	close(t->stats_fd);
	t->stats_fd = -1;
	now_ns = clock_ns();
	r.window_s = ((edge_is_long(asked_ns, now_ns) ? now_ns : asked_ns) - began->cpu_ns) / 1e9;
	online = online > 0 ? online : 1;
	r.cpu_ns = r.window_s * 1e9 * online;
	tables_counts(t, &counts);
	programs_info(t, &r, &misses);
	for (int p = 0; p < KMT_POOLS; p++) {
		r.pool[p].run_ns -= began->pool[p].run_ns;
		r.pool[p].runs -= began->pool[p].runs;
	}
	r.sampling_ns = counts.stats[KMT_STAT_SAMPLING_NS] - began->sampling_ns;
	sampling_take(t, &counts, online, &r);
	r.live_fill = (double)(counts.stats[KMT_STAT_ALLOCS] - counts.stats[KMT_STAT_FREES] -
			       counts.stats[KMT_STAT_REUSED]) /
		      ((uint64_t)KMT_KEYS * t->tables.nr_buckets);
	*out = r;
	return 0;
}
