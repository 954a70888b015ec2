// SPDX-License-Identifier: GPL-2.0-only
/* Loads the programs of bpf/refs.bpf.c and lays out the scan: see refs_run.h. */
#include "trace/refs_run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file_read.h"
#include "base/log.h"
#include "proc/snapshot.h"
#include "refs.skel.h"
#include "trace/layout.h"
#include "trace/libbpf_log.h"
#include "trace/program.h"

#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_PFN     ((UINT64_C(1) << 55) - 1) /* admin-guide/mm/pagemap.rst */

struct refs_frames {
	ARRAY_OF(uint64_t);
};

uint64_t refs_run_spent_ns(const struct refs_run *r)
{
	uint64_t spent = clock_read_ns(r->clock) - r->began_ns + r->census_ns;

	for (size_t i = 0; r->crew && i < crew_size(r->crew); i++)
		spent += refs_run_spent_ns(crew_own(r->crew, i));
	return spent;
}

bool refs_run_is_over(const struct refs_run *r, double share)
{
	if (r->stop && r->stop(r->stop_arg))
		return true;
	return r->budget_ns &&
	       (double)(refs_run_spent_ns(r) - r->loaded_ns) > share * (double)r->budget_ns;
}

int refs_run_program(struct refs_run *r, enum refs_program which, const uint64_t args[3])
{
	const struct bpf_program *const programs[REFS_PROGRAMS] = {
		[REFS_FIND] = r->skel->progs.refs_find,
		[REFS_SCAN] = r->skel->progs.refs_scan,
		[REFS_CHECK] = r->skel->progs.refs_check,
		[REFS_SOURCES] = r->skel->progs.refs_sources,
		[REFS_MERGED] = r->skel->progs.refs_merged,
		[REFS_CACHE] = r->skel->progs.census_cache,
		[REFS_GATHER] = r->skel->progs.audit_gather,
	};

	background_rest(&r->background);
	return program_call(programs[which], args);
}

void refs_run_close(struct refs_run *r)
{
	if (!r)
		return;
	crew_free(r->crew);
	if (r->refs)
		munmap(r->refs, sizeof(*r->refs));
	if (r->audit)
		munmap(r->audit, sizeof(*r->audit));
	if (r->census)
		munmap(r->census, sizeof(*r->census));
	refs_bpf__destroy(r->skel);
	ARRAY_FREE(&r->memory);
	free(r);
}

/* Map a table of one row, with all its pages, so that /proc/self/pagemap shows them. */
static void *refs_row_map(const struct bpf_map *map, size_t bytes)
{
	void *row = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 bpf_map__fd(map), 0);

	return row == MAP_FAILED ? NULL : row;
}

static struct bpf_program *refs_pages_program(const struct refs_run *r)
{
	return r->old ? r->skel->progs.audit_pages_old : r->skel->progs.audit_pages;
}

/* Choose the programs: those of the crew only scan. */
static void refs_programs_choose(const struct refs_run *r, bool crew)
{
	bpf_program__set_autoload(r->skel->progs.refs_scan, true);
	bpf_program__set_autoload(r->skel->progs.refs_stack, true);
	if (crew)
		return;
	bpf_program__set_autoload(r->skel->progs.refs_find, true);
	bpf_program__set_autoload(r->skel->progs.refs_check, true);
	bpf_program__set_autoload(r->skel->progs.refs_sources, true);
	bpf_program__set_autoload(r->skel->progs.refs_merged, true);
	bpf_program__set_autoload(r->skel->progs.census_self, true);
	bpf_program__set_autoload(r->skel->progs.census_seen, true);
	bpf_program__set_autoload(r->skel->progs.census_cache, true);
	bpf_program__set_autoload(r->skel->progs.audit_cpu, true);
	bpf_program__set_autoload(r->skel->progs.audit_gather, true);
	bpf_program__set_autoload(refs_pages_program(r), true);
}

static int refs_load(struct refs_run *r, const struct plan *plan, bool crew)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		    .btf_custom_path = plan->btf_source[0] ? plan->btf_source : KERNEL_BTF);
	int err;

	if (!plan_audits(plan))
		return -ENOTSUP;
	r->old = plan_audits(plan)->event == EVENT_PAGE_ALLOC;
	libbpf_log_begin();
	r->skel = refs_bpf__open_opts(&opts);
	if (!r->skel)
		return -errno;
	r->skel->rodata->cfg_page_size = sysconf(_SC_PAGESIZE);
	r->skel->rodata->cfg_page_shift = r->page_shift;
	r->skel->rodata->cfg_nodes = r->nodes;
	refs_programs_choose(r, crew);
	bpf_map__set_max_entries(r->skel->maps.audit_cpu_offset, r->cpus);
	err = refs_bpf__load(r->skel);
	if (err)
		/* the verifier's way to refuse a program; the capabilities were checked before */
		return err == -EACCES || err == -EINVAL || err == -E2BIG ? -ENOEXEC : err;
	r->census = refs_row_map(r->skel->maps.census, sizeof(*r->census));
	r->audit = refs_row_map(r->skel->maps.audit, sizeof(*r->audit));
	r->refs = refs_row_map(r->skel->maps.refs, sizeof(*r->refs));
	return r->census && r->audit && r->refs ? 0 : -errno;
}

/* Learn where struct page, the direct map and each CPU's variables are. */
static int refs_learn(struct refs_run *r)
{
	const struct layout_frames frames = {.census = r->census,
					     .self = r->skel->progs.census_self,
					     .seen = r->skel->progs.census_seen};
	const struct layout_programs pages = {.audit = r->audit,
					      .pages = refs_pages_program(r),
					      .old = r->old,
					      .cpu = r->skel->progs.audit_cpu,
					      .nr_cpus = (int)r->cpus};
	uint64_t frame_base, page_base;
	int err = layout_learn_frames(&frames, &frame_base);

	err = err ?: layout_learn_pages(&pages, &page_base);
	err = err ?: layout_learn_cpus(&pages);
	if (err)
		return err;
	__atomic_store_n(&r->skel->bss->frame_base, frame_base, __ATOMIC_SEQ_CST);
	__atomic_store_n(&r->skel->bss->page_base, page_base, __ATOMIC_SEQ_CST);
	r->direct = ((frame_base - page_base) / r->census->page_bytes) << r->page_shift;
	r->refs->direct = r->direct;
	r->refs->pages = frame_base;
	return 0;
}

/* ---- the crew ---- */

#define CREW_MOST  16
#define THREAD_GIB 64 /* of memory, for each thread: it is scanned in a few seconds */

static struct refs_run *refs_run_new(void)
{
	struct refs_run *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	if (pthread_getcpuclockid(pthread_self(), &r->clock))
		r->clock = CLOCK_THREAD_CPUTIME_ID;
	r->began_ns = clock_read_ns(r->clock);
	background_begin(&r->background);
	r->page_shift = ffs((int)sysconf(_SC_PAGESIZE)) - 1;
	r->cpus = libbpf_num_possible_cpus();
	r->nodes = nodes_possible("/sys");
	return r;
}

struct refs_crew_plan {
	const struct plan *plan;
	const struct refs_run *leader;
};

/* Runs in a thread of the crew. */
static int refs_crew_open(void *arg, void **own)
{
	const struct refs_crew_plan *p = arg;
	struct refs_run *r = refs_run_new();
	int err = r ? 0 : -ENOMEM;

	err = err ?: refs_load(r, p->plan, true);
	if (!err) {
		r->skel->bss->frame_base = p->leader->skel->bss->frame_base;
		r->skel->bss->page_base = p->leader->skel->bss->page_base;
		r->refs->direct = p->leader->refs->direct;
		r->refs->pages = p->leader->refs->pages;
	}
	/* it computes page frames, from frame_base */
	err = err ?: program_call(r->skel->progs.refs_stack, (uint64_t[3]){0});
	if (err) {
		refs_run_close(r);
		return err;
	}
	*own = r;
	return 0;
}

static void refs_crew_close(void *own)
{
	refs_run_close(own);
}

/* How many threads should scan? One for every 64 GiB of memory, and never more than half of the
 * CPUs. */
static size_t refs_crew_wanted(void)
{
	long mib = sysconf(_SC_PHYS_PAGES) / 256 * (sysconf(_SC_PAGESIZE) / 4096);
	long wanted = mib / (THREAD_GIB * 1024), most = sysconf(_SC_NPROCESSORS_ONLN) / 2;

	wanted = wanted < most ? wanted : most;
	return wanted < CREW_MOST ? (wanted > 1 ? (size_t)wanted : 1) : CREW_MOST;
}

/* Without a crew, one thread scans: it takes longer. */
static void refs_crew_start(struct refs_run *r, const struct plan *plan, size_t threads)
{
	struct refs_crew_plan arg = {.plan = plan, .leader = r};
	const struct crew_kind kind = {
		.open = refs_crew_open, .close = refs_crew_close, .arg = &arg};
	int err;

	if (threads < 2)
		return;
	err = crew_new(&kind, threads, &r->crew);
	if (err)
		log_debug("references: no threads to scan at the same time: %s", strerror(-err));
}

size_t refs_run_scanners(const struct refs_run *r)
{
	return r->crew ? crew_size(r->crew) : 1;
}

struct refs_run *refs_run_scanner(struct refs_run *r, size_t i)
{
	return r->crew ? crew_own(r->crew, i) : r;
}

/* ---- memory ---- */

/* Add the page frames of our memory from `row` on, all of which must be there. */
static int refs_frames_add(struct refs_frames *out, int pagemap, const void *row, uint64_t bytes)
{
	uint64_t page = sysconf(_SC_PAGESIZE), entries[512];
	uint64_t first = (uintptr_t)row / page, nr = (bytes + page - 1) / page;

	for (uint64_t at = 0; at < nr;) {
		size_t want = nr - at < 512 ? (size_t)(nr - at) : 512;
		ssize_t got = pread(pagemap, entries, want * sizeof(entries[0]),
				    (off_t)((first + at) * sizeof(entries[0])));

		if (got <= 0 || got % (ssize_t)sizeof(entries[0]))
			return got < 0 ? -errno : -EIO;
		for (size_t i = 0; i < (size_t)got / sizeof(entries[0]); i++, at++) {
			uint64_t *frame;

			if (!(entries[i] & PAGEMAP_PRESENT) || !(entries[i] & PAGEMAP_PFN))
				return -ENOTSUP;
			frame = ARRAY_PUSH(out);
			if (!frame)
				return -ENOMEM;
			*frame = entries[i] & PAGEMAP_PFN;
		}
	}
	return 0;
}

/*
 * Add the page frames of a BPF map if user space can map it. Such a map holds data only: where
 * programs keep references in a map, the kernel refuses to map it (bpf_map_mmap()).
 */
static int refs_frames_of_map(struct refs_frames *out, int pagemap, int map)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);
	uint64_t bytes;
	void *rows;
	int err;

	if (bpf_obj_get_info_by_fd(map, &info, &len) || info.type != BPF_MAP_TYPE_ARRAY ||
	    !(info.map_flags & BPF_F_MMAPABLE))
		return 0;
	bytes = ((uint64_t)info.value_size + 7) / 8 * 8 * info.max_entries;
	rows = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, map, 0);
	if (rows == MAP_FAILED)
		return 0;
	err = refs_frames_add(out, pagemap, rows, bytes);
	munmap(rows, bytes);
	return err == -ENOMEM ? err : 0;
}

/*
 * Add the page frames of all maps of tracers: the tables of a recording that is under way have the
 * addresses of the objects that it tracks.
 */
static int refs_frames_of_maps(struct refs_frames *out, int pagemap)
{
	uint32_t id = 0;
	int err = 0;

	while (!err && !bpf_map_get_next_id(id, &id)) {
		int map = bpf_map_get_fd_by_id(id);

		if (map < 0)
			continue;
		err = refs_frames_of_map(out, pagemap, map);
		close(map);
	}
	return err;
}

static int refs_compare_frames(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

/* Add the frames of a run's tables, and of the kernel stack of its thread. */
static int refs_frames_of_run(struct refs_frames *out, int pagemap, const struct refs_run *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->refs->stack_nr && i < KMT_REFS_STACK && !err; i++) {
		uint64_t *frame = ARRAY_PUSH(out);

		err = frame ? 0 : -ENOMEM;
		if (frame)
			*frame = r->refs->stack[i];
	}
	err = err ?: refs_frames_add(out, pagemap, r->refs, sizeof(*r->refs));
	err = err ?: refs_frames_add(out, pagemap, r->census, sizeof(*r->census));
	return err ?: refs_frames_add(out, pagemap, r->audit, sizeof(*r->audit));
}

/* The frames of our tables and of our kernel stacks, sorted. */
static int refs_frames_own(struct refs_run *r, struct refs_frames *out)
{
	_cleanup_close_ int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int err = pagemap < 0 ? -errno : 0;

	err = err ?: program_call(r->skel->progs.refs_stack, (uint64_t[3]){0});
	err = err ?: refs_frames_of_run(out, pagemap, r);
	for (size_t i = 0; r->crew && i < crew_size(r->crew) && !err; i++)
		err = refs_frames_of_run(out, pagemap, crew_own(r->crew, i));
	err = err ?: refs_frames_of_maps(out, pagemap);
	if (!err && out->nr)
		qsort(out->items, out->nr, sizeof(*out->items), refs_compare_frames);
	log_debug("references: %zu page frames are of our stack and of BPF maps", out->nr);
	return err;
}

static int refs_ram_read(struct iomem_ranges *out)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int err = file_read("/proc/iomem", &text, &len);

	return err ?: iomem_ram_parse(text, len, out);
}

static int refs_memory_read(struct refs_run *r)
{
	struct refs_memory_input in = {.page_shift = r->page_shift, .seed = r->random};
	struct snapshot snapshot = {0};
	struct frame_ranges zones = {0};
	struct iomem_ranges ram = {0};
	struct refs_frames own = {0};
	int err = snapshot_read("/proc", SNAPSHOT_ZONEINFO, &snapshot);

	err = err ?: frame_ranges_build(&snapshot.zones, &zones);
	err = err ?: refs_ram_read(&ram);
	err = err ?: refs_frames_own(r, &own);
	in.zones = &zones;
	in.ram = &ram;
	in.own = own.items;
	in.nr_own = own.nr;
	err = err ?: refs_memory_build(&in, &r->memory);
	/* a stack that is elsewhere would be scanned */
	if (!err && own.nr && own.items[own.nr - 1] >= r->memory.end)
		err = -ERANGE;
	if (!err) {
		uint32_t size = r->census->page_bytes;

		r->refs->direct_bytes = r->memory.end << r->page_shift;
		for (size_t i = 0; i < refs_run_scanners(r); i++)
			refs_run_scanner(r, i)->refs->direct_bytes = r->memory.end << r->page_shift;
		r->pages_bytes = size == 1 << KMT_REFS_PAGE_GRAIN ? r->memory.end * size : 0;
	}
	ARRAY_FREE(&own);
	ARRAY_FREE(&ram);
	ARRAY_FREE(&zones);
	snapshot_free(&snapshot);
	return err;
}

int refs_run_open(const struct plan *plan, uint32_t threads, struct refs_run **out)
{
	struct refs_run *r = refs_run_new();
	int err;

	if (!r)
		return -ENOMEM;
	if (getrandom(&r->random, sizeof(r->random), GRND_NONBLOCK) != sizeof(r->random) ||
	    !r->random)
		r->random = clock_ns() | 1;
	err = refs_load(r, plan, false);
	err = err ?: refs_learn(r);
	if (!err)
		refs_crew_start(r, plan, threads ?: refs_crew_wanted());
	err = err ?: refs_memory_read(r);
	r->loaded_ns = refs_run_spent_ns(r);
	if (err) {
		refs_run_close(r);
		return err;
	}
	*out = r;
	return 0;
}
