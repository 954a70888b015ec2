// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judges the kernel's figures: see believable.h. Each rule is a function; beliefs_judge() applies
 * them in order. docs/interpretation.md lists them with their sources.
 */
#include "model/believable.h"

#include <math.h>
#include <string.h>

#define SLACK        0.01 /* of MemTotal: counters lag, and lines are read one by one */
#define LAG_PAGES    125  /* of one counter on one CPU: the largest stat_threshold (mm/vmstat.c) */
#define LAG_COUNTERS 8    /* counters of the sheet that move much */
#define LAG_MOST     0.02 /* of MemTotal; lag cannot explain a larger error */

enum figure_flags {
	ALWAYS = 1, /* every kernel since 2.6.32 prints it */
	MEMORY = 2, /* pages in use: cannot exceed MemTotal - MemFree */
	IN_OOM = 4, /* an OOM report has it, too */
};

static const struct figure_def {
	const char *name;
	unsigned int flags;
	const char *pages; /* the counter of /proc/vmstat that counts the same in pages, or NULL */
} figure_defs[FIGURES] = {
	[FIGURE_MEM_TOTAL] = {"MemTotal", ALWAYS | IN_OOM, NULL},
	[FIGURE_MEM_FREE] = {"MemFree", ALWAYS | IN_OOM, "nr_free_pages"},
	[FIGURE_MEM_AVAILABLE] = {"MemAvailable", 0, NULL},
	[FIGURE_BUFFERS] = {"Buffers", ALWAYS | MEMORY, NULL},
	[FIGURE_CACHED] = {"Cached", ALWAYS | MEMORY | IN_OOM, NULL},
	[FIGURE_SWAP_CACHED] = {"SwapCached", ALWAYS | MEMORY, "nr_swapcached"},
	[FIGURE_ACTIVE] = {"Active", ALWAYS | MEMORY | IN_OOM, NULL},
	[FIGURE_INACTIVE] = {"Inactive", ALWAYS | MEMORY | IN_OOM, NULL},
	[FIGURE_ACTIVE_ANON] = {"Active(anon)", MEMORY, "nr_active_anon"},
	[FIGURE_INACTIVE_ANON] = {"Inactive(anon)", MEMORY, "nr_inactive_anon"},
	[FIGURE_ACTIVE_FILE] = {"Active(file)", MEMORY, "nr_active_file"},
	[FIGURE_INACTIVE_FILE] = {"Inactive(file)", MEMORY, "nr_inactive_file"},
	[FIGURE_UNEVICTABLE] = {"Unevictable", MEMORY, "nr_unevictable"},
	[FIGURE_ZSWAP] = {"Zswap", MEMORY, NULL},
	[FIGURE_ANON_PAGES] = {"AnonPages", ALWAYS | MEMORY | IN_OOM, "nr_anon_pages"},
	[FIGURE_MAPPED] = {"Mapped", MEMORY, "nr_mapped"},
	[FIGURE_SHMEM] = {"Shmem", ALWAYS | MEMORY | IN_OOM, "nr_shmem"},
	[FIGURE_K_RECLAIMABLE] = {"KReclaimable", MEMORY, NULL},
	[FIGURE_SLAB] = {"Slab", ALWAYS | MEMORY | IN_OOM, NULL},
	[FIGURE_S_RECLAIMABLE] = {"SReclaimable", ALWAYS | MEMORY | IN_OOM, "nr_slab_reclaimable"},
	[FIGURE_S_UNRECLAIM] = {"SUnreclaim", ALWAYS | MEMORY | IN_OOM, "nr_slab_unreclaimable"},
	[FIGURE_KERNEL_STACK] = {"KernelStack", ALWAYS | MEMORY | IN_OOM, NULL},
	[FIGURE_PAGE_TABLES] = {"PageTables", ALWAYS | MEMORY | IN_OOM, "nr_page_table_pages"},
	[FIGURE_SEC_PAGE_TABLES] = {"SecPageTables", MEMORY, "nr_sec_page_table_pages"},
	[FIGURE_BOUNCE] = {"Bounce", MEMORY, "nr_bounce"},
	[FIGURE_WRITEBACK_TMP] = {"WritebackTmp", MEMORY, "nr_writeback_temp"},
	[FIGURE_VMALLOC_USED] = {"VmallocUsed", ALWAYS, NULL},
	[FIGURE_PERCPU] = {"Percpu", MEMORY, NULL},
	[FIGURE_HARDWARE_CORRUPTED] = {"HardwareCorrupted", MEMORY, NULL},
	[FIGURE_ANON_HUGE_PAGES] = {"AnonHugePages", MEMORY, NULL},
	[FIGURE_BALLOON] = {"Balloon", 0, NULL},
	[FIGURE_GPU_ACTIVE] = {"GPUActive", MEMORY, NULL},
	[FIGURE_GPU_RECLAIM] = {"GPUReclaim", MEMORY, NULL},
	[FIGURE_HUGETLB] = {"Hugetlb", MEMORY, NULL},
};

const struct belief_rule_def belief_rules[BELIEF_RULES] = {
	[RULE_NONE] = {"none", "", ""},
	[RULE_LINE_MISSING] = {"line-missing", "Every kernel prints this line.", ""},
	[RULE_LRU_BEYOND_MEMORY] =
		{"lru-beyond-memory",
		 "The LRU lists hold pages in use, so they cannot exceed MemTotal - MemFree.",
		 "some vendor kernels of 6.12 leak NR_INACTIVE_FILE"},
	[RULE_GPU_BEYOND_MEMORY] =
		{"gpu-beyond-memory",
		 "Graphics memory in system memory cannot exceed MemTotal - MemFree.",
		 "7.1 and later print it; on 7.2 some machines print too much"},
	[RULE_BEYOND_MEMORY] = {"beyond-memory", "Memory in use cannot exceed MemTotal - MemFree.",
				""},
	[RULE_AVAILABLE_BEYOND_MEMORY] = {"available-beyond-memory",
					  "MemAvailable cannot exceed MemTotal.", ""},
	[RULE_AVAILABLE_FROM_BROKEN] =
		{"available-from-broken",
		 "The kernel computes MemAvailable from figures that cannot be true.", ""},
	[RULE_VMALLOC_ADDRESS_SPACE] =
		{"vmalloc-address-space",
		 "VmallocChunk is above 0: this kernel prints address space in VmallocUsed, ioremap "
		 "included, not memory.",
		 "before 4.4"},
	[RULE_VMALLOC_ZERO] = {"vmalloc-zero", "This kernel always prints 0 in VmallocUsed.",
			       "4.4 to 5.2"},
	[RULE_DISTRUSTED] = {"distrusted",
			     "It is contradicted at another moment of the same recording.", ""},
	[RULE_NOT_IN_OOM_REPORT] = {"not-in-oom-report", "An OOM report does not print it.", ""},
};

const char *figure_name(enum figure f)
{
	return figure_defs[f].name;
}

enum figure figure_named(const char *line)
{
	for (int f = 0; f < FIGURES; f++)
		if (!strcmp(figure_defs[f].name, line))
			return f;
	return FIGURES;
}

double beliefs_kb(const struct beliefs *b, enum figure f)
{
	return b->figures[f].kb;
}

double beliefs_sum_kb(const struct beliefs *b, enum figure f)
{
	return isnan(b->figures[f].kb) ? 0 : b->figures[f].kb;
}

static void decide(struct beliefs *b, enum figure f, enum belief belief, enum belief_rule rule)
{
	b->figures[f].belief = belief;
	b->figures[f].rule = rule;
	b->figures[f].kb = NAN;
}

static void correct(struct beliefs *b, enum figure f, enum belief_rule rule, double kb,
		    const char *source)
{
	decide(b, f, BELIEF_CORRECTED, rule);
	b->figures[f].kb = kb;
	b->figures[f].source = source;
}

static bool figure_is_known(const struct beliefs *b, enum figure f)
{
	return !isnan(b->figures[f].kb);
}

/* ---- reading ---- */

static void figures_read(const struct snapshot *s, struct beliefs *b)
{
	for (int f = 0; f < FIGURES; f++)
		b->figures[f] = (struct believed){.read_kb = NAN, .kb = NAN};
	for (size_t i = 0; i < s->meminfo.nr; i++) {
		enum figure f = figure_named(s->meminfo.items[i].name);

		/* The first of two lines with one name counts. */
		if (f == FIGURES || b->figures[f].belief != BELIEF_ABSENT)
			continue;
		b->figures[f].belief = BELIEF_BELIEVED;
		b->figures[f].read_kb = b->figures[f].kb = (double)s->meminfo.items[i].value;
	}
}

static void zones_read(const struct snapshot *s, const struct beliefs_hint *hint, struct beliefs *b)
{
	double managed = 0, total = beliefs_kb(b, FIGURE_MEM_TOTAL);
	int cpus = 0;

	for (size_t i = 0; i < s->zones.nr; i++) {
		managed += (double)s->zones.items[i].managed * b->page_bytes / 1024;
		cpus = s->zones.items[i].cpus > cpus ? s->zones.items[i].cpus : cpus;
	}
	b->managed_kb = managed > 0 ? managed : NAN;
	b->container = total < 0.999 * managed;
	b->cpus = hint->cpus > 0 ? hint->cpus : cpus > 0 ? cpus : NAN;
}

/* ---- lines that are missing ---- */

static double vmstat_kb(const struct snapshot *s, const char *name, double page_bytes)
{
	int64_t pages = name ? named_value_get(&s->vmstat, name, -1) : -1;

	return pages < 0 ? NAN : (double)pages * page_bytes / 1024;
}

/* What another line or file says of this line: NaN, or its value and its source. */
static double missing_kb(const struct snapshot *s, const struct beliefs *b, enum figure f,
			 const char **source)
{
	double file_pages = vmstat_kb(s, "nr_file_pages", b->page_bytes);

	*source = "other lines of /proc/meminfo";
	switch (f) {
	case FIGURE_S_RECLAIMABLE:
		if (figure_is_known(b, FIGURE_SLAB) && figure_is_known(b, FIGURE_S_UNRECLAIM))
			return beliefs_kb(b, FIGURE_SLAB) - beliefs_kb(b, FIGURE_S_UNRECLAIM);
		break;
	case FIGURE_S_UNRECLAIM:
		if (figure_is_known(b, FIGURE_SLAB) && figure_is_known(b, FIGURE_S_RECLAIMABLE))
			return beliefs_kb(b, FIGURE_SLAB) - beliefs_kb(b, FIGURE_S_RECLAIMABLE);
		break;
	case FIGURE_ACTIVE:
		return beliefs_kb(b, FIGURE_ACTIVE_ANON) + beliefs_kb(b, FIGURE_ACTIVE_FILE);
	case FIGURE_INACTIVE:
		return beliefs_kb(b, FIGURE_INACTIVE_ANON) + beliefs_kb(b, FIGURE_INACTIVE_FILE);
	case FIGURE_SLAB: /* its two parts come before it in the order of judging */
		return beliefs_kb(b, FIGURE_S_RECLAIMABLE) + beliefs_kb(b, FIGURE_S_UNRECLAIM);
	case FIGURE_CACHED:
		*source = "/proc/vmstat";
		return file_pages - beliefs_kb(b, FIGURE_BUFFERS) -
		       beliefs_kb(b, FIGURE_SWAP_CACHED);
	default:
		break;
	}
	*source = "/proc/vmstat";
	return vmstat_kb(s, figure_defs[f].pages, b->page_bytes);
}

static void rule_missing(const struct snapshot *s, const struct beliefs_hint *hint,
			 struct beliefs *b)
{
	/* A figure comes before the figures that are computed from it. */
	static const enum figure order[] = {
		FIGURE_MEM_FREE,      FIGURE_SWAP_CACHED,   FIGURE_BUFFERS,
		FIGURE_CACHED,        FIGURE_ACTIVE_ANON,   FIGURE_ACTIVE_FILE,
		FIGURE_INACTIVE_ANON, FIGURE_INACTIVE_FILE, FIGURE_ACTIVE,
		FIGURE_INACTIVE,      FIGURE_ANON_PAGES,    FIGURE_SHMEM,
		FIGURE_S_RECLAIMABLE, FIGURE_S_UNRECLAIM,   FIGURE_SLAB,
		FIGURE_KERNEL_STACK,  FIGURE_PAGE_TABLES,   FIGURE_VMALLOC_USED,
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		enum figure f = order[i];
		bool needed = figure_defs[f].flags & ALWAYS;
		const char *source;
		double kb;

		if (b->figures[f].belief != BELIEF_ABSENT)
			continue;
		kb = missing_kb(s, b, f, &source);
		if (kb >= 0)
			correct(b, f, RULE_LINE_MISSING, kb, source);
		else if (needed)
			decide(b, f, BELIEF_MISSING,
			       hint->oom_report && !(figure_defs[f].flags & IN_OOM)
				       ? RULE_NOT_IN_OOM_REPORT
				       : RULE_LINE_MISSING);
	}
	if (hint->oom_report)
		decide(b, FIGURE_PERCPU, BELIEF_MISSING, RULE_NOT_IN_OOM_REPORT);
}

/* ---- figures that cannot be true ---- */

static enum belief_rule rule_of(enum figure f)
{
	if (f == FIGURE_GPU_ACTIVE || f == FIGURE_GPU_RECLAIM)
		return RULE_GPU_BEYOND_MEMORY;
	return (f >= FIGURE_ACTIVE && f <= FIGURE_UNEVICTABLE) ? RULE_LRU_BEYOND_MEMORY
							       : RULE_BEYOND_MEMORY;
}

/* A line whose parts are wrong is wrong. */
static void rule_parts(struct beliefs *b)
{
	static const enum figure parts[][2] = {{FIGURE_ACTIVE_ANON, FIGURE_ACTIVE},
					       {FIGURE_ACTIVE_FILE, FIGURE_ACTIVE},
					       {FIGURE_INACTIVE_ANON, FIGURE_INACTIVE},
					       {FIGURE_INACTIVE_FILE, FIGURE_INACTIVE}};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (b->figures[parts[i][0]].belief == BELIEF_CONTRADICTED &&
		    b->figures[parts[i][1]].belief != BELIEF_ABSENT)
			decide(b, parts[i][1], BELIEF_CONTRADICTED, RULE_LRU_BEYOND_MEMORY);
}

/* No single list is too long, but all lists together are. Other lines count the same pages:
 * AnonPages and Shmem those of the anonymous lists, Cached and Buffers those of the file lists. The
 * lists that exceed these lines by more are wrong. */
static void rule_lists(struct beliefs *b, double limit)
{
	double lists = beliefs_kb(b, FIGURE_ACTIVE) + beliefs_kb(b, FIGURE_INACTIVE) +
		       beliefs_sum_kb(b, FIGURE_UNEVICTABLE);
	double anon = beliefs_kb(b, FIGURE_ACTIVE_ANON) + beliefs_kb(b, FIGURE_INACTIVE_ANON) -
		      beliefs_kb(b, FIGURE_ANON_PAGES) - beliefs_kb(b, FIGURE_SHMEM);
	double file = beliefs_kb(b, FIGURE_ACTIVE_FILE) + beliefs_kb(b, FIGURE_INACTIVE_FILE) -
		      beliefs_kb(b, FIGURE_CACHED) - beliefs_kb(b, FIGURE_BUFFERS) +
		      beliefs_kb(b, FIGURE_SHMEM);

	if (!(lists > limit))
		return;
	if (!(anon > file)) {
		decide(b, FIGURE_ACTIVE_FILE, BELIEF_CONTRADICTED, RULE_LRU_BEYOND_MEMORY);
		decide(b, FIGURE_INACTIVE_FILE, BELIEF_CONTRADICTED, RULE_LRU_BEYOND_MEMORY);
	}
	if (!(file > anon)) {
		decide(b, FIGURE_ACTIVE_ANON, BELIEF_CONTRADICTED, RULE_LRU_BEYOND_MEMORY);
		decide(b, FIGURE_INACTIVE_ANON, BELIEF_CONTRADICTED, RULE_LRU_BEYOND_MEMORY);
	}
	decide(b, FIGURE_ACTIVE, BELIEF_CONTRADICTED, RULE_LRU_BEYOND_MEMORY);
	decide(b, FIGURE_INACTIVE, BELIEF_CONTRADICTED, RULE_LRU_BEYOND_MEMORY);
}

static void rule_beyond(struct beliefs *b)
{
	double total = beliefs_kb(b, FIGURE_MEM_TOTAL), limit;

	if (beliefs_kb(b, FIGURE_MEM_FREE) > total * (1 + SLACK))
		decide(b, FIGURE_MEM_FREE, BELIEF_CONTRADICTED, RULE_BEYOND_MEMORY);
	b->used_kb = total - fmin(beliefs_sum_kb(b, FIGURE_MEM_FREE), total);
	limit = b->used_kb + SLACK * total;
	for (int f = 0; f < FIGURES; f++)
		if ((figure_defs[f].flags & MEMORY) && beliefs_kb(b, f) > limit)
			decide(b, f, BELIEF_CONTRADICTED, rule_of(f));
	rule_parts(b);
	rule_lists(b, limit);
}

static void rule_available(struct beliefs *b)
{
	static const enum figure from[] = {
		FIGURE_MEM_FREE, FIGURE_ACTIVE_FILE,   FIGURE_INACTIVE_FILE, FIGURE_ACTIVE,
		FIGURE_INACTIVE, FIGURE_S_RECLAIMABLE, FIGURE_K_RECLAIMABLE};
	double total = beliefs_kb(b, FIGURE_MEM_TOTAL);

	if (!figure_is_known(b, FIGURE_MEM_AVAILABLE))
		return;
	if (beliefs_kb(b, FIGURE_MEM_AVAILABLE) > total) {
		decide(b, FIGURE_MEM_AVAILABLE, BELIEF_CONTRADICTED, RULE_AVAILABLE_BEYOND_MEMORY);
		return;
	}
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
		if (b->figures[from[i]].belief == BELIEF_CONTRADICTED)
			decide(b, FIGURE_MEM_AVAILABLE, BELIEF_CONTRADICTED,
			       RULE_AVAILABLE_FROM_BROKEN);
}

static void rule_vmalloc(const struct snapshot *s, struct beliefs *b)
{
	bool address_space = named_value_get(&s->meminfo, "VmallocChunk", 0) > 0;
	double pages = (double)vmalloc_levels_pages(&s->vmallocs) * b->page_bytes / 1024;
	enum belief_rule rule = address_space ? RULE_VMALLOC_ADDRESS_SPACE : RULE_VMALLOC_ZERO;
	bool absent = !figure_is_known(b, FIGURE_VMALLOC_USED);

	if (!address_space && beliefs_kb(b, FIGURE_VMALLOC_USED) > 0)
		return;
	if (s->vmallocs.nr && absent)
		rule = RULE_LINE_MISSING;
	if (s->vmallocs.nr)
		correct(b, FIGURE_VMALLOC_USED, rule, pages, "/proc/vmallocinfo pages=");
	else if (!absent)
		decide(b, FIGURE_VMALLOC_USED, BELIEF_CONTRADICTED, rule);
}

static void rule_distrusted(struct beliefs *b, uint64_t distrusted)
{
	for (int f = 0; f < FIGURES; f++)
		if ((distrusted & UINT64_C(1) << f) && figure_is_known(b, f))
			decide(b, f, BELIEF_CONTRADICTED, RULE_DISTRUSTED);
}

void beliefs_judge(const struct snapshot *s, const struct beliefs_hint *hint, struct beliefs *out)
{
	*out = (struct beliefs){.page_bytes = hint->page_bytes, .oom_report = hint->oom_report};
	figures_read(s, out);
	zones_read(s, hint, out);
	out->used_kb = NAN;
	if (!(beliefs_kb(out, FIGURE_MEM_TOTAL) > 0))
		return;
	rule_missing(s, hint, out);
	rule_vmalloc(s, out);
	/* A container's MemTotal says nothing of the machine's figures. */
	if (!out->container)
		rule_beyond(out);
	rule_distrusted(out, hint->distrusted);
	rule_available(out);
}

uint64_t beliefs_distrust(const struct snapshot *snapshots, size_t nr,
			  const struct beliefs_hint *hint)
{
	uint64_t distrusted = 0;
	struct beliefs b;

	for (size_t i = 0; i < nr; i++) {
		beliefs_judge(&snapshots[i], hint, &b);
		for (int f = 0; f < FIGURES; f++)
			if (b.figures[f].belief == BELIEF_CONTRADICTED)
				distrusted |= UINT64_C(1) << f;
	}
	return distrusted;
}

double beliefs_lag_kb(const struct beliefs *b)
{
	double most = LAG_MOST * beliefs_sum_kb(b, FIGURE_MEM_TOTAL);
	double lag = b->cpus * LAG_PAGES * LAG_COUNTERS * b->page_bytes / 1024;

	return isnan(lag) ? most : fmin(lag, most);
}

/* ---- page size ---- */

#define PAGE_KB_LOG_MIN 2 /* 4 KiB */
#define PAGE_KB_LOG_MAX 8 /* 256 KiB */
#define PAIR_PAGES_MIN  16
#define MULTIPLES_MIN   8

/* Which power of two the quotient is, as its logarithm; −1: none. */
static int page_log(double kb, double pages)
{
	double log = log2(kb / pages), whole = round(log);

	if (!(kb > 0) || !(pages >= PAIR_PAGES_MIN) || !(fabs(log - whole) < 0.25) ||
	    whole < PAGE_KB_LOG_MIN || whole > PAGE_KB_LOG_MAX)
		return -1;
	return (int)whole;
}

/* Compares figures in kB (meminfo) with the same figures in pages (vmstat). Free pages change too
 * quickly between the two readings, so they are used only if there is no other figure. */
static int page_log_of_pairs(const struct snapshot *s)
{
	int votes[PAGE_KB_LOG_MAX + 1] = {0}, best = -1, free_log;

	for (int f = 0; f < FIGURES; f++) {
		int64_t kb = named_value_get(&s->meminfo, figure_defs[f].name, -1), pages;
		int log;

		if (!figure_defs[f].pages || f == FIGURE_MEM_FREE)
			continue;
		pages = named_value_get(&s->vmstat, figure_defs[f].pages, -1);
		log = page_log((double)kb, (double)pages);
		if (log >= 0)
			votes[log]++;
	}
	for (int log = PAGE_KB_LOG_MIN; log <= PAGE_KB_LOG_MAX; log++)
		if (votes[log] && (best < 0 || votes[log] > votes[best]))
			best = log;
	free_log = page_log((double)named_value_get(&s->meminfo, "MemFree", -1),
			    (double)named_value_get(&s->vmstat, "nr_free_pages", -1));
	return best >= 0 ? best : free_log;
}

/* Finds the largest power of two that divides all sizes. It must be a usual page size: 4, 16 or 64
 * KiB. */
static int page_log_of_multiples(const struct snapshot *s)
{
	uint64_t bits = 0;
	size_t nr = 0;
	int log = 0;

	for (int f = FIGURE_MEM_TOTAL; f <= FIGURE_S_UNRECLAIM; f++) {
		int64_t kb = named_value_get(&s->meminfo, figure_defs[f].name, 0);

		bits |= (uint64_t)kb;
		nr += kb > 0;
	}
	if (nr < MULTIPLES_MIN)
		return -1;
	while (!(bits >> log & 1))
		log++;
	return log == 2 || log == 4 || log == 6 ? log : -1;
}

double beliefs_page_bytes(const struct snapshot *s, double fallback, const char **source)
{
	double managed = 0;
	int log = page_log_of_pairs(s);

	*source = "figures that /proc/meminfo has in kB and /proc/vmstat in pages";
	if (log < 0) {
		log = page_log_of_multiples(s);
		*source = "the sizes in /proc/meminfo, all multiples of that page size,";
	}
	if (log < 0) {
		for (size_t i = 0; i < s->zones.nr; i++)
			managed += (double)s->zones.items[i].managed;
		log = page_log((double)named_value_get(&s->meminfo, "MemTotal", -1), managed);
		*source = "MemTotal and the pages that /proc/zoneinfo calls managed";
	}
	if (log < 0)
		*source = NULL;
	return log < 0 ? fallback : ldexp(1024, log);
}
