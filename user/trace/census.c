// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and runs bpf/census.bpf.c: see census.h. Which frames are counted is decided by
 * census_sample.c.
 */
#include "trace/census.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/privileges.h"
#include "census.skel.h"
#include "proc/alloc_records.h"
#include "proc/available.h"
#include "proc/namespaces.h"
#include "proc/snapshot.h"
#include "trace/background.h"
#include "trace/census_lines.h"
#include "trace/census_sample.h"
#include "trace/census_slabs.h"
#include "trace/kinds.h"
#include "trace/layout.h"
#include "trace/lenses.h"
#include "trace/libbpf_log.h"
#include "trace/origins.h"
#include "trace/program.h"
#include "trace/tracer.h"

#define PROC_PARTS      (SNAPSHOT_MEMINFO | SNAPSHOT_VMSTAT | SNAPSHOT_ZONEINFO)
#define CPU_FREE_CACHES 64       /* the largest caches, whose CPU lists are walked */
#define RUN_NS          30000    /* a run cannot be preempted, so it must be short */
#define WATCH_NS        10000000 /* how often /proc/meminfo is read during a scan */

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
	struct kmt_audit *audit;
	struct census_slabs *slabs;
	struct lens_blocks *blocks; /* NULL: no lenses are asked for */
	struct lens_programs *lenses;
	int no_lenses;               /* −errno: why there are none */
	struct origins_bpf *origins; /* NULL: this kernel allows no such programs */
	struct kinds_sample *sample; /* of slabs; NULL: no kinds are wanted */
	struct kinds_programs kinds;
	int no_kinds; /* −errno: why there are none */
	const struct plan *plan;
	const struct census_options *options;
	uint64_t lost;
	bool old;      /* audit_pages_old learns where pages are */
	bool cpu_free; /* objects on CPUs' lists can be counted */
	struct background background;
	struct named_values *low; /* bounds of the lines of /proc/meminfo, in this census */
	struct snapshot high;
	uint64_t watched_ns;
};

static void census_close(struct census_programs *p)
{
	census_slabs_free(p->slabs);
	lens_blocks_free(p->blocks);
	lenses_close(p->lenses);
	kinds_programs_unload(&p->kinds);
	if (p->audit)
		munmap(p->audit, sizeof(*p->audit));
	if (p->census)
		munmap(p->census, sizeof(*p->census));
	census_bpf__destroy(p->skel);
	origins_unload(p->origins);
}

/* Map a table of one row. NULL with errno on failure. */
static void *row_map(const struct bpf_map *map, size_t bytes)
{
	void *row = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return row == MAP_FAILED ? NULL : row;
}

static struct bpf_program *pages_program(const struct census_programs *p)
{
	return p->old ? p->skel->progs.audit_pages_old : p->skel->progs.audit_pages;
}

/* Open the object, with its settings and the programs that this kernel needs. */
static int census_open(const struct plan *plan, struct census_programs *p)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		    .btf_custom_path = plan->btf_source[0] ? plan->btf_source : KERNEL_BTF);

	if (!plan_audits(plan))
		return -ENOTSUP;
	p->old = plan_audits(plan)->event == EVENT_PAGE_ALLOC;
	libbpf_log_begin();
	p->skel = census_bpf__open_opts(&opts);
	if (!p->skel)
		return -errno;
	p->skel->rodata->cfg_page_size = sysconf(_SC_PAGESIZE);
	p->skel->rodata->cfg_page_shift = ffs((int)sysconf(_SC_PAGESIZE)) - 1;
	bpf_program__set_autoload(p->skel->progs.census_self, true);
	bpf_program__set_autoload(p->skel->progs.census_seen, true);
	bpf_program__set_autoload(p->skel->progs.census_scan, true);
	bpf_program__set_autoload(p->skel->progs.census_cache, true);
	bpf_program__set_autoload(p->skel->progs.census_owner, true);
	bpf_program__set_autoload(p->skel->progs.census_pool, true);
	bpf_program__set_autoload(pages_program(p), true);
	bpf_program__set_autoload(p->skel->progs.audit_cpu, true);
	bpf_program__set_autoload(p->skel->progs.audit_gather, true);
	p->skel->rodata->cfg_nodes = nodes_possible("/sys");
	bpf_map__set_max_entries(p->skel->maps.audit_cpu_offset, libbpf_num_possible_cpus());
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
	p->audit = row_map(p->skel->maps.audit, sizeof(*p->audit));
	if (!p->census || !p->audit)
		return -errno;
	layout = (struct layout_frames){.census = p->census,
					.self = p->skel->progs.census_self,
					.seen = p->skel->progs.census_seen};
	err = layout_learn_frames(&layout, &frame_base);
	if (!err)
		__atomic_store_n(&p->skel->bss->frame_base, frame_base, __ATOMIC_SEQ_CST);
	return err;
}

/*
 * Learn what it takes to walk CPUs' lists of free objects. If that fails, their number is unknown,
 * and all else works.
 */
static void census_learn_cpus(struct census_programs *p)
{
	const struct layout_programs layout = {.audit = p->audit,
					       .pages = pages_program(p),
					       .old = p->old,
					       .cpu = p->skel->progs.audit_cpu,
					       .nr_cpus = libbpf_num_possible_cpus()};
	uint64_t page_base;
	int err = layout_learn_pages(&layout, &page_base);

	if (!err)
		__atomic_store_n(&p->skel->bss->page_base, page_base, __ATOMIC_SEQ_CST);
	err = err ?: layout_learn_cpus(&layout);
	p->cpu_free = !err;
	if (err)
		log_debug("free objects on CPUs' lists are not counted (%s)", strerror(-err));
}

/* If that fails, who has pipes and rings is unknown, and all else works. */
static void census_load_origins(const struct plan *plan, struct census_programs *p)
{
	int err = origins_load(plan->btf_source[0] ? plan->btf_source : KERNEL_BTF, &p->origins);

	if (err)
		log_debug("pipes and rings are not looked for (%s)", strerror(-err));
}

/* ---- counting ---- */

static const struct kmt_census_cache *cache_ask(void *arg, uint64_t cache)
{
	struct census_programs *p = arg;

	if (program_call(p->skel->progs.census_cache, (uint64_t[3]){cache}))
		return NULL;
	return &p->census->cache;
}

static const struct kmt_census_owner *owner_ask(void *arg, uint64_t owner)
{
	struct census_programs *p = arg;

	if (program_call(p->skel->progs.census_owner, (uint64_t[3]){owner}))
		return NULL;
	return &p->census->owner;
}

static const char *pool_ask(void *arg, uint64_t pool)
{
	struct census_programs *p = arg;

	return program_call(p->skel->progs.census_pool, (uint64_t[3]){pool}) ? NULL
									     : p->census->pool;
}

/* Let slabs take part in the sample of which objects are drawn. Returns 0 or −ENOMEM. */
static int slabs_sample(struct census_programs *p, uint32_t nr, const struct census_run *run)
{
	int err = 0;

	for (uint32_t i = 0; i < nr && !err; i++) {
		const struct kmt_census_record *r = &p->census->records[i];
		uint64_t pfn;

		if (r->owner || !r->cache || r->block >= run->nr || r->used > r->objects ||
		    r->block >= KMT_CENSUS_BLOCKS)
			continue;
		pfn = p->census->blocks[r->block].pfn >> 32 << 32 | r->frame;
		err = kinds_sample_add(p->sample, r->cache,
				       &(struct kind_slab){.pfn = pfn,
							   .unit = run->first + r->block,
							   .objects = r->objects,
							   .used = r->used});
	}
	return err;
}

static int records_take(struct census_programs *p, const struct census_run *run)
{
	uint32_t nr = p->census->records_nr;
	int err;

	if (nr > KMT_CENSUS_RECORDS)
		nr = KMT_CENSUS_RECORDS;
	p->lost += p->census->lost;
	err = census_slabs_add(p->slabs, p->census->records, nr, run);
	if (!err && p->blocks)
		err = lens_blocks_add(p->blocks, p->census->blocks, p->census->records, nr);
	if (!err && p->sample)
		err = slabs_sample(p, nr, run);
	return err;
}

static void records_forget(void *arg)
{
	struct census_programs *p = arg;

	p->lost = 0;
	census_slabs_forget(p->slabs);
	if (p->blocks)
		lens_blocks_forget(p->blocks);
	if (p->sample)
		kinds_sample_forget(p->sample);
}

/* Runs of audit_gather() that it takes to read the lists of all CPUs and nodes. */
static uint32_t gather_runs(const struct census_programs *p)
{
	uint32_t cpus = (libbpf_num_possible_cpus() + KMT_AUDIT_CPUS - 1) / KMT_AUDIT_CPUS;
	uint32_t nodes = p->skel->rodata->cfg_nodes;

	return cpus > nodes ? cpus : nodes;
}

static int gather_run(void *arg, uint64_t cache, uint32_t run)
{
	struct census_programs *p = arg;

	return program_call(p->skel->progs.audit_gather,
			    (uint64_t[3]){cache, run * KMT_AUDIT_CPUS, run});
}

/* Count the objects of a cache that are on CPUs' free lists and in sheaves. −1 if they move. */
static int64_t cpu_free_count(struct census_programs *p, uint64_t cache)
{
	int64_t nr = 0;

	for (uint32_t run = 0; run < gather_runs(p); run++) {
		if (gather_run(p, cache, run) || p->audit->incomplete)
			return -1;
		nr += p->audit->on_cpu_freelist_nr;
	}
	return nr;
}

static uint32_t kinds_cgroup_ask(void *arg, uint64_t owner)
{
	const struct census_programs *p = arg;

	return census_slabs_cgroup_known(p->slabs, owner);
}

static void kinds_rest(void *arg)
{
	struct census_programs *p = arg;

	background_rest(&p->background);
}

/* Look at objects of the largest caches. */
static int kinds_find(struct census_programs *p, uint64_t frames, const uint64_t *addresses,
		      struct census *out)
{
	uint32_t first_cpu = 0;
	char why[LIMITS_MAX];
	struct kinds_input in = {.plan = p->plan,
				 .programs = &p->kinds,
				 .tracked = p->options->tracked,
				 .answers = p->audit,
				 .frame_base = p->skel->bss->frame_base,
				 .page_base = p->skel->bss->page_base,
				 .frames = frames,
				 .page_bytes = p->census->page_bytes,
				 .sample = p->sample,
				 .addresses = addresses,
				 .budget_s = p->options->budget_s > 0 ? p->options->budget_s
								      : CENSUS_BUDGET_S,
				 .typed_share = p->options->typed_share,
				 .gather = gather_run,
				 .gather_runs = gather_runs(p),
				 .ask = cache_ask,
				 .cgroup = kinds_cgroup_ask,
				 .rest = kinds_rest,
				 .arg = p,
				 .stop = p->options->stop,
				 .stop_arg = p->options->arg};

	if (p->no_kinds) {
		snprintf(out->kinds.why, sizeof(out->kinds.why), "%.190s",
			 limits_explain(-p->no_kinds, why));
		return 0;
	}
	if (!p->cpu_free) {
		snprintf(out->kinds.why, sizeof(out->kinds.why),
			 "objects that are free on a CPU's list cannot be told from others");
		return 0;
	}
	bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.audit_cpu_offset), &first_cpu, &in.percpu);
	return kinds_take(&in, out);
}

/* Finish caches, cgroups, charges and kinds. `frames`: the last page frame plus one. */
static int slabs_finish(struct census_programs *p, uint64_t frames, struct census *out)
{
	_cleanup_free_ uint64_t *addresses = NULL;
	int err = census_slabs_finish(p->slabs, out, &addresses);

	for (size_t i = 0; i < out->caches.nr && i < CPU_FREE_CACHES && p->cpu_free && !err; i++)
		out->caches.items[i].cpu_free = cpu_free_count(p, addresses[i]);
	out->lost = p->lost;
	if (!err && p->sample)
		err = kinds_find(p, frames, addresses, out);
	return err;
}

/* Keep the bounds of the lines of /proc/meminfo up to date. */
static void lines_watch(struct census_programs *p)
{
	uint64_t now = clock_ns();

	if (!p->low || now - p->watched_ns < WATCH_NS)
		return;
	p->watched_ns = now;
	census_lines_watch("/proc", p->low, &p->high.meminfo);
}

/* The lines after the scan. What follows it takes memory of its own, which it did not count. */
static int lines_end(struct census_programs *p, struct census *out)
{
	int err = snapshot_read("/proc", PROC_PARTS, &out->after);

	census_lines_widen(p->low, &p->high.meminfo, &out->after.meminfo);
	census_lines_widen(p->low, &out->after.meminfo, &p->high.meminfo);
	p->low = NULL;
	return err;
}

/* Each run stops after RUN_NS, at the latest after the next slab, and the next one goes on there.
 */
static int blocks_count(void *arg, struct kmt_census_block *blocks, const struct census_run *run)
{
	struct census_programs *p = arg;
	uint64_t resume = 0;
	int err = 0;

	if (p->options->stop && p->options->stop(p->options->arg))
		return -EINTR;
	memcpy(p->census->blocks, blocks, run->nr * sizeof(*blocks));
	while ((resume & 0xffff) < run->nr && !err) {
		p->census->lost = 0;
		err = program_call(p->skel->progs.census_scan,
				   (uint64_t[3]){run->nr, RUN_NS, resume});
		err = err ?: records_take(p, run);
		resume = p->census->resume;
		background_rest(&p->background);
		lines_watch(p);
	}
	if (!err)
		memcpy(blocks, p->census->blocks, run->nr * sizeof(*blocks));
	return err;
}

static uint64_t census_cpu_ns(void *arg)
{
	(void)arg;
	return clock_thread_ns();
}

static const struct kmt_census_cache *lens_cache_ask(void *arg, uint64_t address)
{
	struct census_programs *p = arg;

	return census_slabs_cache(p->slabs, address);
}

static uint32_t lens_owner_ask(void *arg, uint64_t owner)
{
	struct census_programs *p = arg;
	uint32_t cgroup;

	return census_slabs_cgroup(p->slabs, owner, &cgroup) ? LENS_NO_CGROUP : cgroup;
}

static void lens_rest(void *arg)
{
	struct census_programs *p = arg;

	background_rest(&p->background);
}

/* CPU time that lenses may take; 0: no limit. */
static uint64_t lenses_budget_ns(const struct census_options *o, uint64_t spent_ns)
{
	uint64_t budget_ns = (uint64_t)(o->budget_s * 1e9);
	uint64_t most_ns = (uint64_t)(o->lenses_share * o->budget_s * 1e9);
	uint64_t left_ns = spent_ns < budget_ns ? budget_ns - spent_ns : 1;

	if (!budget_ns)
		return 0;
	return most_ns && left_ns > most_ns ? most_ns : left_ns;
}

/* Look at objects, with what the scan left of the budget. */
static int census_look(struct census_programs *p, uint64_t spent_ns, uint64_t seed,
		       struct census *out)
{
	const struct lenses_options options = {.blocks = p->blocks,
					       .frame_base = p->skel->bss->frame_base,
					       .page_base = p->skel->bss->page_base,
					       .units = out->units,
					       .counted = out->counted,
					       .budget_ns = lenses_budget_ns(p->options, spent_ns),
					       .seed = seed | 1,
					       .names = p->options->names,
					       .cache = lens_cache_ask,
					       .cgroup = lens_owner_ask,
					       .rest = lens_rest,
					       .arg = p};
	bool whole = false;
	int err;

	err = lenses_take(p->lenses, p->no_lenses, &options, &out->lenses);
	if (err)
		return err;
	err = namespaces_read("/proc", &out->lenses.spaces, &whole);
	out->lenses.spaces_whole = !err && whole && privileges_have(CAP_SYS_PTRACE);
	if (err)
		log_debug("which namespaces processes are in is not known (%s)", strerror(-err));
	return 0;
}

static int census_scan_all(struct census_programs *p, const struct census_options *options,
			   struct census *out)
{
	double share = p->blocks ? 1 - LENSES_SHARE : 1;
	struct census_counting how = {.count = blocks_count,
				      .cpu_ns = census_cpu_ns,
				      .forget = records_forget,
				      .arg = p,
				      .budget_ns = (uint64_t)(options->budget_s * share * 1e9),
				      .seed = options->seed};
	struct frame_ranges ranges = {0};
	uint64_t began = clock_ns(), cpu = clock_thread_ns();
	int err;

	if (!how.seed && getrandom(&how.seed, sizeof(how.seed), GRND_NONBLOCK) != sizeof(how.seed))
		how.seed = began;
	p->options = options;
	out->wall_s = clock_wall_s();
	err = snapshot_read("/proc", PROC_PARTS, &out->before);
	err = err ?: snapshot_read("/proc", SNAPSHOT_MEMINFO, &p->high);
	p->low = &out->before.meminfo;
	err = err ?: frame_ranges_build(&out->before.zones, &ranges);
	background_begin(&p->background);
	err = err ?: census_count(&how, &ranges, out);
	err = err ?: lines_end(p, out);
	if (p->blocks)
		err = err ?: census_look(p, clock_thread_ns() - cpu, how.seed, out);
	err = err ?: slabs_finish(p, ranges.nr ? ranges.items[ranges.nr - 1].end : 0, out);
	if (!err && p->origins)
		out->origins_known = !origins_read(p->origins, &out->origins);
	p->low = NULL;
	snapshot_free(&p->high);
	ARRAY_FREE(&ranges);
	out->took_s = (double)(clock_ns() - began) / 1e9;
	out->cpu_s = (double)(clock_thread_ns() - cpu) / 1e9 - out->kinds.cpu_s;
	out->page_bytes = sysconf(_SC_PAGESIZE);
	out->cpus = libbpf_num_possible_cpus();
	out->unknown = p->census->unknown;
	return err;
}

const char *census_failure(int err, char why[CENSUS_WHY_MAX])
{
	char limits[LIMITS_MAX];

	if (err == ENOTSUP)
		snprintf(
			why, CENSUS_WHY_MAX,
			"this kernel does not lay its pages out as expected; `kmemtrace balance` works here");
	else if (err == EPERM)
		snprintf(
			why, CENSUS_WHY_MAX,
			"not permitted to see page frame numbers in /proc/self/pagemap: run as root (sudo kmemtrace census); a container needs CAP_SYS_ADMIN");
	else if (err == ENODATA)
		snprintf(why, CENSUS_WHY_MAX,
			 "/proc/zoneinfo does not say where memory begins: is /proc mounted?");
	else
		snprintf(why, CENSUS_WHY_MAX, "%s; `kmemtrace doctor` says what this kernel allows",
			 limits_explain(err, limits));
	return why;
}

struct census_taker {
	struct census_programs p;
};

struct taker_work {
	struct census_taker *taker;
	const struct plan *plan;
	bool objects; /* load what looks at objects, too */
	const struct census_options *options;
	struct census *out;
};

/*
 * Names of functions and types take the most memory of a census. They are left out where they would
 * take more than half of what this host, or our cgroup, has left.
 */
#define OBJECTS_BYTES (40ull << 20)

static void objects_afford(struct census_programs *p)
{
	struct memory_available available = {0};

	if (!memory_available_read("/proc", &available) && available.bytes < 2 * OBJECTS_BYTES)
		p->no_lenses = p->no_kinds = -ENOBUFS;
}

static int taker_load(void *arg)
{
	const struct taker_work *w = arg;
	struct census_programs *p = &w->taker->p;
	int err = census_open(w->plan, p) ?: census_load(p);

	if (!err) {
		census_learn_cpus(p);
		census_load_origins(w->plan, p);
	}
	if (!err && w->objects)
		objects_afford(p);
	if (!err && w->objects && !p->no_kinds) {
		p->no_lenses = lenses_open(w->plan, &p->lenses);
		p->no_kinds = kinds_programs_load(w->plan, p->skel->maps.audit,
						  p->skel->maps.audit_cpu_offset, &p->kinds);
	}
	return err;
}

int census_taker_new(const struct plan *plan, bool objects, struct census_taker **out)
{
	struct census_taker *t = calloc(1, sizeof(*t));
	int err = -ENOMEM;

	if (t)
		t->p.plan = plan;
	if (t)
		err = background_run(
			taker_load,
			&(struct taker_work){.taker = t, .plan = plan, .objects = objects});
	if (err) {
		census_taker_free(t);
		return err;
	}
	*out = t;
	return 0;
}

static int taker_scan(void *arg)
{
	const struct taker_work *w = arg;

	return census_scan_all(&w->taker->p, w->options, w->out);
}

int census_taker_run(struct census_taker *t, const struct census_options *options,
		     struct census *out)
{
	struct census taken = {0};
	int err = -ENOMEM;

	if (options->kinds)
		objects_afford(&t->p);
	t->p.lost = 0;
	t->p.slabs =
		census_slabs_new(&(struct census_asking){cache_ask, owner_ask, pool_ask, &t->p},
				 sysconf(_SC_PAGESIZE));
	t->p.blocks = options->lenses ? lens_blocks_new() : NULL;
	t->p.sample = options->kinds ? kinds_sample_new(clock_ns() | 1) : NULL;
	if (t->p.slabs && (t->p.blocks || !options->lenses) && (t->p.sample || !options->kinds))
		err = background_run(
			taker_scan,
			&(struct taker_work){.taker = t, .options = options, .out = &taken});
	kinds_sample_free(t->p.sample);
	t->p.sample = NULL;
	census_slabs_free(t->p.slabs);
	lens_blocks_free(t->p.blocks);
	t->p.slabs = NULL;
	t->p.blocks = NULL;
	err = err ?: alloc_records_read("/proc", "/sys", options->traces, &taken);
	if (err)
		census_free(&taken);
	else
		*out = taken;
	return err;
}

uint64_t census_taker_own_bytes(const struct census_taker *t)
{
	const struct bpf_object *kinds = kinds_programs_object(&t->p.kinds);

	return bpf_object_bytes(t->p.skel->obj) + lenses_own_bytes(t->p.lenses) +
	       (kinds ? bpf_object_bytes(kinds) : 0);
}

void census_taker_free(struct census_taker *t)
{
	if (t)
		census_close(&t->p);
	free(t);
}

int census_take(const struct plan *plan, const struct census_options *options, struct census *out)
{
	struct census_taker *t = NULL;
	char why[CENSUS_WHY_MAX];
	int err = census_taker_new(plan, options->lenses || options->kinds, &t);

	err = err ?: census_taker_run(t, options, out);
	census_taker_free(t);
	return err ? log_error(-err, "no census: %s", census_failure(-err, why)) : 0;
}
