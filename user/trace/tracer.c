// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads, attaches and runs the BPF programs and maps their tables. Cost and the live table's
 * parts are in tracer_*.c, the kernel's memory layout in layout.c. See tracer.h.
 */
#include "trace/tracer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/units.h"
#include "proc/available.h"
#include "trace/const_fold.h"
#include "trace/layout.h"
#include "trace/libbpf_log.h"
#include "trace/program.h"
#include "tracer_legacy.skel.h"

/* The legacy programs are built from the same sources, so their variables have the same offsets. */
_Static_assert(sizeof(*((struct tracer_bpf *)0)->rodata) ==
			       sizeof(*((struct tracer_legacy_bpf *)0)->rodata) &&
		       sizeof(*((struct tracer_bpf *)0)->bss) ==
			       sizeof(*((struct tracer_legacy_bpf *)0)->bss),
	       "one skeleton must fit both objects");

/* ---- settings become constants in the programs ---- */

#define SECTION "raw_tp/"

static struct bpf_map *loading; /* settings map of the tracer being loaded; NULL: none is */

/* libbpf calls this for each program before loading it. */
static int program_fold(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	size_t size = 0;
	const void *settings = loading ? bpf_map__initial_value(loading, &size) : NULL;
	struct bpf_insn *insns = (struct bpf_insn *)bpf_program__insns(prog);

	(void)opts;
	(void)cookie;
	if (!loading)
		return 0;
	return const_fold_settings(insns, bpf_program__insn_cnt(prog), bpf_map__fd(loading),
				   settings, size);
}

/* A custom section handler must also implement attach. */
static int program_attach(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	(void)cookie;
	*link = bpf_program__attach_raw_tracepoint(prog, bpf_program__section_name(prog) +
								 strlen(SECTION));
	return libbpf_get_error(*link);
}

/* If registering fails, the programs load their settings at run time: slower, but correct. */
static void const_fold_register(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler, .prog_prepare_load_fn = program_fold,
		    .prog_attach_fn = program_attach);
	static bool registered;

	if (!registered)
		libbpf_register_prog_handler(SECTION, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &handler);
	registered = true;
}

/* ---- load ---- */

/* Maps and programs are found by name, so legacy mode only swaps the object file. */
static struct tracer_bpf *skeleton_open(bool legacy, const char *btf_source)
{
	/*
	 * Always give the path: otherwise libbpf searches the modules for types that vmlinux lacks,
	 * which needs CAP_SYS_ADMIN.
	 */
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		    .btf_custom_path = *btf_source ? btf_source : KERNEL_BTF);
	struct tracer_bpf *skel = calloc(1, sizeof(*skel));
	int err = skel ? tracer_bpf__create_skeleton(skel) : -ENOMEM;

	const_fold_register();
	if (!err && legacy)
		skel->skeleton->data = tracer_legacy_bpf__elf_bytes(&skel->skeleton->data_sz);
	err = err ?: bpf_object__open_skeleton(skel->skeleton, &opts);
	if (!err)
		return skel;
	tracer_bpf__destroy(skel);
	errno = -err;
	return NULL;
}

/* Fill the tables of functions that BPF cannot compute: log2(1 + i/256) and 1/(1 − e^−x). */
static void tables_fill(struct tracer_bpf *skel)
{
	for (int i = 0; i <= 256; i++)
		skel->rodata->cfg_log2[i] = (uint16_t)fmin(65535, log2(1 + i / 256.0) * 65536);
	for (int i = 1; i <= 64; i++)
		skel->rodata->cfg_weight[i] = (uint32_t)lrint(KMT_ONE / (1 - exp(-i / 4.0)));
}

/* A CPU doubles the period of a stratum after so many samples in one tick (log2), … */
#define STEP_BITS      10
#define STEP_BITS_MOST 15
#define CPU_BITS       13 /* … and all periods after so many, until tracer_strata_set() says more */

/*
 * Pass the request to the programs as constants. A feature that was not requested then costs
 * nothing.
 */
static void settings_fill(struct tracer *t, const struct tracer_options *o)
{
	struct tracer_bpf *skel = t->skel;
	bool every = o->exact && !o->governed; /* a governed recording may switch to sampling */
	uint64_t slots = (uint64_t)KMT_KEYS << t->sizes.live_bits;

	skel->rodata->cfg_cpus = t->nr_cpus;
	skel->rodata->cfg_preemptible = t->plan->preemptible;
	skel->rodata->cfg_reads = t->plan->reads;
	skel->rodata->cfg_thread_size = o->thread_size;
	skel->rodata->cfg_page_size = sysconf(_SC_PAGESIZE);
	skel->rodata->cfg_exact = every;
	skel->rodata->cfg_free_filter = (!every || o->nr_caches) && slots <= KMT_FREE_FILTER_MOST;
	skel->rodata->cfg_filtered =
		o->min_size || o->cache_min_size || o->cache_max_size || o->pid || o->cgroup;
	skel->rodata->cfg_min_size =
		o->min_size > o->cache_min_size ? o->min_size : o->cache_min_size;
	skel->rodata->cfg_max_size = o->cache_max_size ?: UINT64_MAX;
	skel->rodata->cfg_pid = o->pid;
	skel->rodata->cfg_cgroup = o->cgroup;
	skel->rodata->cfg_cgroup_level = o->cgroup_level;
	skel->rodata->cfg_filter_caches = o->nr_caches;
	for (size_t i = 0; i < o->nr_caches && i < KMT_FILTER_CACHES; i++)
		snprintf((char *)skel->rodata->cfg_filter_cache_name[i], KMT_NAME, "%s",
			 o->caches[i]);
	if (o->audit_every)
		skel->rodata->cfg_audit = o->audit_every - 1;
	skel->bss->sample_every = o->exact;
	/* a period that the user gave is kept as long as the budget allows */
	skel->bss->sample_step_bits = o->sample_bytes > KMT_EVERY ? STEP_BITS_MOST : STEP_BITS;
	skel->bss->sample_cpu_bits = CPU_BITS;
	tables_fill(skel);
}

/* Size the tables according to t->sizes. */
static void tables_size(struct tracer *t)
{
	struct tracer_bpf *skel = t->skel;
	const struct sizes *s = &t->sizes;
	uint32_t heads = (1u << s->memo_bits) / KMT_MEMOS_A_HEAD;

	skel->rodata->cfg_live_shift = 64 - s->live_bits;
	skel->rodata->cfg_live_parts = t->nr_parts;
	skel->rodata->cfg_stack_shift = 64 - s->stack_bits;
	skel->rodata->cfg_memo_shift = 64 - (ffs((int)heads) - 1);
	skel->rodata->cfg_process_shift = 64 - s->process_bits;
	skel->rodata->cfg_tallies = s->tallies;
	skel->rodata->cfg_nest = s->nest;
	bpf_map__set_max_entries(skel->maps.samplers, s->strata_cpus ?: 1);
	bpf_map__set_max_entries(skel->maps.strata, (s->strata_cpus ?: 1) * KMT_STRATA);
	bpf_map__set_max_entries(skel->maps.cpus, t->nr_cpus);
	bpf_map__set_max_entries(skel->maps.scratch, t->nr_cpus * s->nest);
	bpf_map__set_max_entries(skel->maps.tallies, t->nr_cpus * s->tallies);
	bpf_map__set_max_entries(skel->maps.live, t->nr_parts ? 1 : 1u << s->live_bits);
	bpf_map__set_max_entries(skel->maps.stacks, (1u << s->stack_bits) + KMT_PROBES);
	bpf_map__set_max_entries(skel->maps.stack_traffic, (1u << s->stack_bits) + KMT_PROBES);
	bpf_map__set_max_entries(skel->maps.memos, 1u << s->memo_bits);
	bpf_map__set_max_entries(skel->maps.memo_heads, heads);
	bpf_map__set_max_entries(skel->maps.processes, (1u << s->process_bits) + KMT_PROBES);
	bpf_map__set_max_entries(skel->maps.cache_traffic, KMT_CACHES + KMT_PROBES);
	bpf_map__set_max_entries(skel->maps.audit_items, KMT_AUDIT_CHUNK);
	bpf_map__set_max_entries(skel->maps.audit_cpu_offset, t->nr_cpus);
	skel->rodata->cfg_page_shift = ffs((int)sysconf(_SC_PAGESIZE)) - 1;
	skel->rodata->cfg_nodes = nodes_possible("/sys");
}

/*
 * Collect what the user asks for and what the host has. Returns 0, or −errno with the reason in
 * `why`.
 */
static int request_fill(const struct tracer_options *o, struct sizes_request *out,
			char why[TRACER_WHY_MAX])
{
	struct memory_available available = {};
	int err = memory_available_read("/proc", &available), cpus;

	libbpf_log_begin(); /* without /sys, it says so in its own words */
	cpus = libbpf_num_possible_cpus();
	if (err)
		snprintf(why, TRACER_WHY_MAX,
			 "cannot tell how much memory is available: /proc/meminfo cannot be read "
			 "(%s): is /proc mounted?",
			 strerror(-err));
	else if (cpus < 0)
		snprintf(why, TRACER_WHY_MAX, "cannot tell how many CPUs there may be (%s)",
			 strerror(-cpus));
	if (err || cpus < 0)
		return err ?: cpus;
	*out = (struct sizes_request){
		.memory = o->memory,
		.mem_total = (uint64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE),
		.available = available.bytes ?: 1,
		.cpus = cpus,
		.exact = o->exact,
		.every = o->exact && !o->governed,
		.max_live = o->max_live,
	};
	snprintf(out->cgroup, sizeof(out->cgroup), "%.*s", (int)sizeof(out->cgroup) - 1,
		 available.cgroup);
	return 0;
}

int tracer_sizes(const struct tracer_options *o, struct sizes *out, char why[TRACER_WHY_MAX])
{
	struct sizes_request request;
	int err = request_fill(o, &request, why);

	if (err)
		return err;
	err = sizes_plan(&request, out);
	if (err)
		sizes_why(&request, out, err, why, TRACER_WHY_MAX);
	return err;
}

const struct sizes *tracer_sizes_of(const struct tracer *t)
{
	return &t->sizes;
}

/* Remember a mapping, for tracer_free(). */
static int mapping_add(struct tracer *t, void *addr, size_t len)
{
	if (t->nr_mapped == TRACER_MAPPINGS) {
		munmap(addr, len);
		return -E2BIG;
	}
	t->mapped[t->nr_mapped].addr = addr;
	t->mapped[t->nr_mapped++].len = len;
	return 0;
}

/* Map a table into our address space. *rows is the number of rows. Returns 0 or −errno. */
static int table_map(struct tracer *t, struct bpf_map *map, const void *table, uint32_t *rows,
		     bool writable)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t len = (size_t)((bpf_map__value_size(map) + 7) / 8 * 8) * bpf_map__max_entries(map);
	void *addr;
	int err;

	len = (len + page - 1) / page * page;
	addr = mmap(NULL, len, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED,
		    bpf_map__fd(map), 0);
	if (addr == MAP_FAILED)
		return -errno;
	err = mapping_add(t, addr, len);
	if (err)
		return err;
	memcpy((void *)table, &addr, sizeof(addr));
	if (rows)
		*rows = bpf_map__max_entries(map);
	return 0;
}

/* Use the live table's parts instead of the empty map `live`. */
static int live_map(struct tracer *t)
{
	void *addr;
	size_t len;
	int err = tracer_parts_map(t, &addr, &len);

	err = err ?: mapping_add(t, addr, len);
	if (err)
		return err;
	t->tables.live = addr;
	t->tables.nr_buckets = len / sizeof(struct kmt_bucket);
	return 0;
}

static int tables_map(struct tracer *t)
{
	struct tracer_tables *b = &t->tables;
	const struct {
		struct bpf_map *map;
		const void *table;
		uint32_t *rows;
		bool writable;
	} all[TRACER_TABLES] = {
		{t->skel->maps.cpus, &b->cpus, &b->nr_cpus, false},
		{t->skel->maps.live, &b->live, &b->nr_buckets, false},
		{t->skel->maps.stacks, &b->stacks, &b->nr_stacks, false},
		{t->skel->maps.processes, &b->processes, &b->nr_processes, false},
		{t->skel->maps.tallies, &b->tallies, &b->nr_tallies, false},
		{t->skel->maps.stack_traffic, &b->stack_traffic, NULL, false},
		{t->skel->maps.cache_traffic, &b->cache_traffic, NULL, false},
		{t->skel->maps.cache_keys, &b->cache_keys, &b->nr_caches, false},
		{t->skel->maps.cache_info, &b->cache_info, NULL, false},
		{t->skel->maps.audit, &b->audit, NULL, false},
		{t->skel->maps.audit_items, &b->audit_items, NULL, true},
		{t->skel->maps.strata, &b->strata, NULL, false},
		{t->skel->maps.samplers, &b->samplers, NULL, true},
	};

	for (int i = 0; i < TRACER_TABLES; i++) {
		int err = table_map(t, all[i].map, all[i].table, all[i].rows, all[i].writable);

		if (err)
			return err;
	}
	if (t->nr_parts) {
		int err = live_map(t);

		if (err)
			return err;
	}
	b->weights = (const uint32_t *)t->skel->rodata->cfg_weight;
	return 0;
}

/* The programs that learn the kernel's layout. Only for a plan with an audit. */
static struct layout_programs layout_programs(const struct tracer *t)
{
	bool old = plan_audits(t->plan)->event == EVENT_PAGE_ALLOC;

	return (struct layout_programs){
		.audit = t->tables.audit,
		.pages = old ? t->skel->progs.audit_pages_old : t->skel->progs.audit_pages,
		.old = old,
		.cpu = t->skel->progs.audit_cpu,
		.nr_cpus = t->nr_cpus,
	};
}

static int programs_load(struct tracer *t)
{
	char why[LIMITS_MAX];
	int err;

	for (size_t i = 0; i < t->plan->nr; i++) {
		const struct plan_hook *hook = &t->plan->hooks[i];
		struct bpf_program *prog =
			bpf_object__find_program_by_name(t->skel->obj, hook->def->program);

		if (!prog)
			return log_error(ENOENT, "no BPF program %s: this build is broken",
					 hook->def->program);
		bpf_program__set_autoload(prog, hook->on);
	}
	bpf_program__set_autoload(t->skel->progs.unwind_find_syscall, true);
	if (plan_audits(t->plan)) {
		bpf_program__set_autoload(layout_programs(t).pages, true);
		bpf_program__set_autoload(t->skel->progs.audit_cpu, true);
		bpf_program__set_autoload(t->skel->progs.audit_gather, true);
		bpf_program__set_autoload(t->skel->progs.audit_caches, true);
	}
	libbpf_log_begin();
	loading = t->skel->maps.rodata;
	err = tracer_bpf__load(t->skel);
	loading = NULL;
	if (err == -ENOMEM)
		return err;
	if (limits_cause(-err))
		return log_error(-err, "cannot load the BPF programs: %s",
				 limits_explain(-err, why));
	if (err)
		return log_error(
			-err,
			"cannot load the BPF programs (%s%s%s); `kmemtrace doctor` says what this "
			"kernel allows",
			strerror(-err), libbpf_log_first()[0] ? ": " : "", libbpf_log_first());
	return 0;
}

/*
 * Find the offset of the system call number on a task's stack (bpf/unwind.bpf.c). Without it,
 * recording a call stack costs more.
 */
static void syscall_find(struct tracer *t)
{
	const uint64_t this_one[3] = {__NR_bpf};
	int err = tracer_run(t, TRACER_FIND_SYSCALL, this_one, -1);

	log_debug("a task's system call number is %u bytes from the end of its stack (%s)",
		  t->skel->bss->syscall_at, strerror(-err));
}

/* The steps before the programs are loaded. Returns 0 or −errno, printed unless it is −ENOMEM. */
static int tables_make(struct tracer *t, const struct tracer_options *options)
{
	char why[LIMITS_MAX];
	int err;

	settings_fill(t, options);
	err = tracer_parts_make(t);
	tables_size(t);
	if (err && err != -ENOMEM)
		log_error(-err, "cannot make the live table (%s)", limits_explain(-err, why));
	return err;
}

/* The steps after the programs are loaded. Returns 0 or −errno, printed unless it is −ENOMEM. */
static int tables_put(struct tracer *t)
{
	char why[LIMITS_MAX];
	int err = tracer_parts_put(t) ?: tables_map(t);

	if (err && err != -ENOMEM)
		log_error(-err, "cannot map the tables (%s)", limits_explain(-err, why));
	return err;
}

/*
 * Load everything with tables of these sizes. Returns 0 or −errno. −ENOMEM is not printed: the
 * caller retries with smaller tables.
 */
static int tracer_load(const struct plan *plan, const struct tracer_options *options,
		       const struct sizes *sizes, struct tracer **out)
{
	struct tracer *t = calloc(1, sizeof(*t));
	char why[LIMITS_MAX];
	int err;

	if (!t)
		return -ENOMEM;
	t->stats_fd = -1;
	t->plan = plan;
	t->sizes = *sizes;
	t->nr_cpus = libbpf_num_possible_cpus();
	t->skel = t->nr_cpus > 0 ? skeleton_open(plan->legacy, plan->btf_source) : NULL;
	if (!t->skel) {
		err = -(errno ?: EINVAL);
		if (err != -ENOMEM)
			log_error(-err, "cannot open the BPF object (%s)",
				  limits_explain(-err, why));
	} else {
		err = tables_make(t, options);
		err = err ?: programs_load(t);
		err = err ?: tables_put(t);
	}
	if (!t->skel || err) {
		tracer_free(t);
		return err;
	}
	syscall_find(t);
	*out = t;
	return 0;
}

int tracer_new(const struct plan *plan, const struct tracer_options *options, struct tracer **out)
{
	struct sizes_request asked, request;
	char why[TRACER_WHY_MAX], taken[UNITS_MAX], next[UNITS_MAX];
	char limit[LIMITS_MAX];
	struct sizes sizes;
	int err = tracer_sizes(options, &sizes, why);

	if (err || request_fill(options, &asked, why))
		return log_error(err ? -err : EIO, "%s", why);
	libbpf_log_begin();
	while ((err = tracer_load(plan, options, &sizes, out)) == -ENOMEM) {
		units_bytes(taken, sizes.bytes);
		if (!sizes_retreat(&asked, sizes.bytes, &request) || sizes_plan(&request, &sizes))
			return log_error(
				ENOMEM,
				"no memory for tables of %s (%s): give a smaller --memory or --max-live, or neither, to use what fits",
				taken, limits_explain(ENOMEM, limit));
		log_warn("no memory for tables of %s: trying with %s", taken,
			 units_bytes(next, sizes.bytes));
	}
	return err;
}

static int hook_attach(struct tracer *t, size_t i)
{
	const struct hook_def *def = t->plan->hooks[i].def;
	struct bpf_link *link =
		bpf_program__attach(bpf_object__find_program_by_name(t->skel->obj, def->program));
	int err = (int)libbpf_get_error(link);
	char why[LIMITS_MAX];

	if (err)
		return log_error(
			-err,
			"cannot attach to %s (%s); `kmemtrace doctor` says what this kernel allows",
			def->name, limits_explain(-err, why));
	t->links[i] = link;
	return 0;
}

/* Attach the programs of the pools in the bit mask `pools`, those that see frees first. */
static int pools_attach(struct tracer *t, uint32_t pools)
{
	for (int frees = 1; frees >= 0; frees--)
		for (size_t i = 0; i < t->plan->nr; i++) {
			const struct plan_hook *hook = &t->plan->hooks[i];
			int err;

			if (!hook->on || !hook_is_attached(hook->def) ||
			    hook->def->frees != frees || t->links[i] ||
			    !(pools >> pool_traced_as(hook->def->pool) & 1))
				continue;
			err = hook_attach(t, i);
			if (err)
				return err;
		}
	return 0;
}

static void pools_detach(struct tracer *t, uint32_t pools)
{
	for (size_t i = 0; i < t->plan->nr; i++) {
		if (!t->links[i] || !(pools >> pool_traced_as(t->plan->hooks[i].def->pool) & 1))
			continue;
		bpf_link__destroy(t->links[i]);
		t->links[i] = NULL;
	}
}

int tracer_attach(struct tracer *t)
{
	return pools_attach(t, KMT_ALL_POOLS);
}

void tracer_detach(struct tracer *t)
{
	pools_detach(t, KMT_ALL_POOLS);
}

void tracer_free(struct tracer *t)
{
	if (!t)
		return;
	tracer_detach(t);
	for (int i = 0; i < t->nr_mapped; i++)
		munmap(t->mapped[i].addr, t->mapped[i].len);
	tracer_parts_free(t);
	if (t->stats_fd >= 0)
		close(t->stats_fd);
	tracer_bpf__destroy(t->skel);
	free(t);
}

void tracer_enable_pools(struct tracer *t, bool open)
{
	__atomic_store_n(&t->skel->bss->enabled_pools, open ? KMT_ALL_POOLS : 0, __ATOMIC_SEQ_CST);
}

int tracer_watch(struct tracer *t, int pool, enum tracer_watch how)
{
	uint32_t bit = 1u << pool;
	int err = 0;

	if (how != WATCH_RECORD)
		__atomic_and_fetch(&t->skel->bss->enabled_pools, ~bit, __ATOMIC_SEQ_CST);
	if (how == WATCH_NOT)
		pools_detach(t, bit);
	else
		err = pools_attach(t, bit);
	if (how == WATCH_RECORD && !err)
		__atomic_or_fetch(&t->skel->bss->enabled_pools, bit, __ATOMIC_SEQ_CST);
	return err;
}

void tracer_clock(struct tracer *t, uint32_t ms)
{
	__atomic_store_n(&t->skel->bss->coarse_now_ms, ms, __ATOMIC_RELAXED);
}

void tracer_filter_caches(struct tracer *t)
{
	uint32_t nr = 0, most = t->skel->rodata->cfg_filter_caches;
	uint64_t found[KMT_FILTER_CACHES] = {};

	for (uint32_t row = 1; row < t->tables.nr_caches; row++) {
		const struct kmt_cache_key *key = &t->tables.cache_keys[row];

		if (!(__atomic_load_n(&key->state, __ATOMIC_ACQUIRE) & KMT_CACHE_WANTED) ||
		    key->ptr == KMT_CACHE_LARGE)
			continue;
		if (nr < most)
			found[nr] = key->ptr;
		nr++;
	}
	for (uint32_t i = 0; i < most; i++)
		__atomic_store_n(&t->skel->bss->filter_cache_at[i], found[i], __ATOMIC_RELAXED);
	/* If a name matches several caches, or none yet, the programs compare names instead. */
	__atomic_store_n(&t->skel->bss->filter_caches_known, nr && nr <= most, __ATOMIC_RELEASE);
}

const struct tracer_tables *tracer_tables(const struct tracer *t)
{
	return &t->tables;
}

/* ---- the audit's programs ---- */

uint32_t tracer_nodes(const struct tracer *t)
{
	return t->skel->rodata->cfg_nodes;
}

int tracer_learn_layout(struct tracer *t)
{
	struct layout_programs programs;
	uint64_t page_base;
	int err;

	if (!plan_audits(t->plan))
		return -ENOTSUP;
	programs = layout_programs(t);
	err = layout_learn_pages(&programs, &page_base);
	if (err)
		return err;
	__atomic_store_n(&t->skel->bss->page_base, page_base, __ATOMIC_SEQ_CST);
	return layout_learn_cpus(&programs);
}

int tracer_run(struct tracer *t, enum tracer_call call, const uint64_t args[3], int cpu)
{
	const struct bpf_program *const programs[TRACER_CALLS] = {
		[TRACER_AUDIT_GATHER] = t->skel->progs.audit_gather,
		[TRACER_AUDIT_CACHES] = t->skel->progs.audit_caches,
		[TRACER_AUDIT_VERIFY] = t->skel->progs.audit_verify,
		[TRACER_FIND_SYSCALL] = t->skel->progs.unwind_find_syscall,
	};

	return program_call_on(programs[call], args, cpu);
}

int tracer_iter(const struct tracer *t, const char *program, file_take_t take, void *arg)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(t->skel->obj, program);

	if (!prog || bpf_program__fd(prog) < 0)
		return -ENOENT;
	return program_iterate(prog, take, arg);
}

int tracer_program_fd(const struct tracer *t, const char *program)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(t->skel->obj, program);
	int fd = prog ? bpf_program__fd(prog) : -ENOENT;

	return fd < 0 ? -ENOENT : fd;
}

/*
 * Makes requests that would fail for another reason if permitted: bpf(2) checks privileges first,
 * so only −EPERM means not permitted.
 */
bool tracer_is_permitted(const struct tracer *t)
{
	static const char too_large[UINT16_MAX + 1];
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = too_large, .ctx_size_in = sizeof(too_large));
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd = -1;

	for (size_t i = 0; i < t->plan->nr && fd < 0; i++)
		if (t->links[i])
			fd = tracer_program_fd(t, t->plan->hooks[i].def->program);
	if (fd < 0)
		return true; /* nothing is attached, so nothing needs permission */
	if (bpf_obj_get_info_by_fd(fd, &info, &len) && errno == EPERM)
		return false;
	if (bpf_prog_test_run_opts(fd, &run) && errno == EPERM)
		return false;
	return bpf_raw_tracepoint_open("kmemtrace_none", fd) >= 0 || errno != EPERM;
}
