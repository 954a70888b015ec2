// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and runs bpf/census.bpf.c: see census.h. Which frames are counted is decided by
 * census_sample.c.
 */
#include "trace/census.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "census.skel.h"
#include "proc/snapshot.h"
#include "trace/census_sample.h"
#include "trace/layout.h"

#define PROC_PARTS (SNAPSHOT_MEMINFO | SNAPSHOT_VMSTAT | SNAPSHOT_ZONEINFO)
#define LOW_NICE                                                                        \
	10 /* lower than other work, but not so low that a busy host delays it for long \
	    */

const char *census_refusal(const struct kernel_facts *facts, char why[CENSUS_WHY_MAX])
{
	const struct plan_request everything = {};
	struct plan plan;

	plan_build(facts, &everything, &plan);
	why[0] = '\0';
	if (!plan.can_record)
		snprintf(why, CENSUS_WHY_MAX, "%s", plan.refusal);
	else if (facts->audit_obstacle[0])
		snprintf(
			why, CENSUS_WHY_MAX,
			"this kernel's pages cannot be told apart (%s); `kmemtrace balance` works here",
			facts->audit_obstacle);
	return why;
}

/* The programs, and what they share with us. */
struct census_programs {
	struct census_bpf *skel;
	struct kmt_census *census;
};

static void census_close(struct census_programs *p)
{
	if (p->census)
		munmap(p->census, sizeof(*p->census));
	census_bpf__destroy(p->skel);
}

/* Map a table of one row. NULL with errno on failure. */
static void *row_map(const struct bpf_map *map, size_t bytes)
{
	void *row = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return row == MAP_FAILED ? NULL : row;
}

static int census_libbpf_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("libbpf: %s", line);
	return 0;
}

/* Open the object, with its settings and the programs that this kernel needs. */
static int census_open(const struct plan *plan, struct census_programs *p)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		    .btf_custom_path = plan->btf_source[0] ? plan->btf_source : KERNEL_BTF);

	if (!plan_audits(plan))
		return -ENOTSUP;
	libbpf_set_print(census_libbpf_log);
	p->skel = census_bpf__open_opts(&opts);
	if (!p->skel)
		return -errno;
	p->skel->rodata->cfg_page_size = sysconf(_SC_PAGESIZE);
	p->skel->rodata->cfg_page_shift = ffs((int)sysconf(_SC_PAGESIZE)) - 1;
	bpf_program__set_autoload(p->skel->progs.census_self, true);
	bpf_program__set_autoload(p->skel->progs.census_seen, true);
	bpf_program__set_autoload(p->skel->progs.census_scan, true);
	return 0;
}

/* Load the programs and learn where struct page is. */
static int census_load(struct census_programs *p)
{
	struct layout_frames layout;
	uint64_t frame_base;
	int err = census_bpf__load(p->skel);

	if (err)
		return err;
	p->census = row_map(p->skel->maps.census, sizeof(*p->census));
	if (!p->census)
		return -errno;
	layout = (struct layout_frames){.census = p->census,
					.self = p->skel->progs.census_self,
					.seen = p->skel->progs.census_seen};
	err = layout_learn_frames(&layout, &frame_base);
	if (!err)
		__atomic_store_n(&p->skel->bss->frame_base, frame_base, __ATOMIC_SEQ_CST);
	return err;
}

/* ---- counting ---- */

static int blocks_count(void *arg, struct kmt_census_block *blocks, size_t nr)
{
	const uint64_t args[3] = {nr};
	struct census_programs *p = arg;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

	memcpy(p->census->blocks, blocks, nr * sizeof(*blocks));
	if (bpf_prog_test_run_opts(bpf_program__fd(p->skel->progs.census_scan), &opts))
		return -errno;
	memcpy(blocks, p->census->blocks, nr * sizeof(*blocks));
	return 0;
}

static uint64_t thread_ns(void *arg)
{
	struct timespec now;

	(void)arg;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int census_scan_all(struct census_programs *p, const struct census_options *options,
			   struct census *out)
{
	struct census_counting how = {.count = blocks_count,
				      .cpu_ns = thread_ns,
				      .arg = p,
				      .budget_ns = (uint64_t)(options->budget_s * 1e9),
				      .seed = options->seed};
	struct frame_ranges ranges = {0};
	uint64_t began = clock_ns(), cpu = thread_ns(NULL);
	int nice = getpriority(PRIO_PROCESS, 0), err;

	if (!how.seed && getrandom(&how.seed, sizeof(how.seed), GRND_NONBLOCK) != sizeof(how.seed))
		how.seed = began;
	out->wall_s = clock_wall_s();
	err = snapshot_read("/proc", PROC_PARTS, &out->before);
	err = err ?: frame_ranges_build(&out->before.zones, &ranges);
	if (nice < LOW_NICE)
		setpriority(PRIO_PROCESS, 0, LOW_NICE);
	err = err ?: census_count(&how, &ranges, out);
	/* without CAP_SYS_NICE, the priority stays low: nothing depends on it */
	setpriority(PRIO_PROCESS, 0, nice);
	err = err ?: snapshot_read("/proc", PROC_PARTS, &out->after);
	ARRAY_FREE(&ranges);
	out->took_s = (double)(clock_ns() - began) / 1e9;
	out->cpu_s = (double)(thread_ns(NULL) - cpu) / 1e9;
	out->page_bytes = sysconf(_SC_PAGESIZE);
	out->cpus = libbpf_num_possible_cpus();
	out->unknown = p->census->unknown;
	return err;
}

static int census_refuse(int err)
{
	char why[LIMITS_MAX];

	if (err == -ENOTSUP)
		return log_error(
			ENOTSUP,
			"no census: this kernel does not lay its pages out as expected; `kmemtrace balance` works here");
	if (err == -EPERM)
		return log_error(
			EPERM,
			"no census: not permitted to see page frame numbers in /proc/self/pagemap: run as root (sudo kmemtrace census); a container needs CAP_SYS_ADMIN");
	if (err == -ENODATA)
		return log_error(
			ENODATA,
			"no census: /proc/zoneinfo does not say where memory begins: is /proc mounted?");
	return log_error(-err, "no census: %s; `kmemtrace doctor` says what this kernel allows",
			 limits_explain(-err, why));
}

int census_take(const struct plan *plan, const struct census_options *options, struct census *out)
{
	_cleanup_(census_close) struct census_programs p = {0};
	struct census taken = {0};
	int err = census_open(plan, &p);

	err = err ?: census_load(&p);
	err = err ?: census_scan_all(&p, options, &taken);
	if (err) {
		census_free(&taken);
		return census_refuse(err);
	}
	*out = taken;
	return 0;
}
