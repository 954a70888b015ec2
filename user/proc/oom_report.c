// SPDX-License-Identifier: GPL-2.0-only
/*
 * OOM reports in kernel logs: see oom_report.h. Lines are not recognised by their beginning,
 * because each kind of log puts a different prefix before them. Figures are found by their names:
 * "active_anon:12" is a sum in pages, "active_anon:12kB" part of a node or zone.
 */
#include "proc/oom_report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/units.h"
#include "proc/oom_sites.h"

#define VALUE_MAX (INT64_C(1) << 50)

/* Sums of the whole machine, in pages. */
enum oom_sum {
	SUM_ACTIVE_ANON,
	SUM_INACTIVE_ANON,
	SUM_ISOLATED_ANON,
	SUM_ACTIVE_FILE,
	SUM_INACTIVE_FILE,
	SUM_ISOLATED_FILE,
	SUM_UNEVICTABLE,
	SUM_DIRTY,
	SUM_WRITEBACK,
	SUM_SLAB_RECLAIMABLE,
	SUM_SLAB_UNRECLAIMABLE,
	SUM_MAPPED,
	SUM_SHMEM,
	SUM_PAGE_TABLES,
	SUM_SEC_PAGE_TABLES,
	SUM_BOUNCE,
	SUM_MISC_RECLAIMABLE,
	SUM_FREE,
	SUM_FREE_PCP,
	SUM_FREE_CMA,
	SUMS
};

static const char *const sum_names[SUMS] = {
	"active_anon",
	"inactive_anon",
	"isolated_anon",
	"active_file",
	"inactive_file",
	"isolated_file",
	"unevictable",
	"dirty",
	"writeback",
	"slab_reclaimable",
	"slab_unreclaimable",
	"mapped",
	"shmem",
	"pagetables",
	"sec_pagetables",
	"bounce",
	"kernel_misc_reclaimable",
	"free",
	"free_pcp",
	"free_cma",
};

/* Parts that are printed for each node or zone only, in kB. */
enum oom_part {
	PART_KERNEL_STACK,
	PART_ANON_THP,
	PART_WRITEBACK_TMP, /* until 6.18 or so */
	PART_BALLOON,       /* these four are recent */
	PART_GPU_ACTIVE,
	PART_GPU_RECLAIM,
	PART_ZSPAGES,
	PARTS
};

static const char *const part_names[PARTS] = {"kernel_stack", "anon_thp",   "writeback_tmp",
					      "Balloon",      "gpu_active", "gpu_reclaim",
					      "zspages"};

/* "123 pages RAM": a number and the words behind it. */
enum oom_count {
	COUNT_PAGE_CACHE,
	COUNT_SWAP_CACHE,
	COUNT_RAM,
	COUNT_RESERVED,
	COUNT_POISONED,
	COUNTS
};

static const struct {
	const char *words;
	enum oom_count count;
} count_words[] = {
	{"total pagecache pages", COUNT_PAGE_CACHE},
	{"pages in swap cache", COUNT_SWAP_CACHE},
	{"pages RAM", COUNT_RAM},
	{"pages of RAM", COUNT_RAM},
	{"pages reserved", COUNT_RESERVED},
	{"reserved pages", COUNT_RESERVED},
	{"pages hwpoisoned", COUNT_POISONED},
};

/* One report while it is read. */
struct block {
	struct zone_levels zones;                         /* in kB until block_finish() */
	int64_t sums[SUMS], counts[COUNTS], parts[PARTS]; /* −1: not seen */
	int64_t hugetlb_kb, huge_total;
	int64_t pcp_old; /* "usd:" of each CPU, before 4.2 */
	int64_t page_kb; /* the smallest block of the free lists */
	int64_t rss_pages, processes;
	int64_t swap_total_kb, swap_free_kb;
	struct oom_cache caches[OOM_CACHES];
	struct oom_site sites[OOM_SITES];
	size_t nr_caches, nr_sites, line;
	bool allocations, profiling_off;
	bool tasks, slabs, closed, mixed, is_oom, partial_tasks;
	char trigger[OOM_TEXT_MAX], release[OOM_RELEASE_MAX];
};

static void block_begin(struct block *b, size_t line)
{
	*b = (struct block){.line = line, .swap_total_kb = -1, .swap_free_kb = -1};
	memset(b->sums, 0xff, sizeof(b->sums));
	memset(b->counts, 0xff, sizeof(b->counts));
	memset(b->parts, 0xff, sizeof(b->parts));
}

/* ---- names and their values ---- */

/* "12kB" or "12": the number, and whether it is in kB. */
static bool value_of(struct text word, int64_t *value, bool *kb)
{
	while (word.len && (word.p[word.len - 1] == ',' || word.p[word.len - 1] == '\r'))
		word.len--;
	*kb = word.len > 2 &&
	      (!memcmp(word.p + word.len - 2, "kB", 2) || !memcmp(word.p + word.len - 2, "KB", 2));
	word.len -= *kb ? 2 : 0;
	return text_count(word, VALUE_MAX, value);
}

static int find_name(const char *const *names, int nr, struct text name)
{
	for (int i = 0; i < nr; i++)
		if (text_is(name, names[i]))
			return i;
	return -1;
}

static void add_to(int64_t *sum, int64_t value)
{
	*sum = (*sum < 0 ? 0 : *sum) + value;
	if (*sum > VALUE_MAX)
		*sum = VALUE_MAX;
}

/* A report prints a sum once. A second value belongs to another report. */
static void take_sum(struct block *b, int sum, int64_t value)
{
	if (b->sums[sum] >= 0 && b->sums[sum] != value)
		b->mixed = true;
	if (b->sums[sum] < 0)
		b->sums[sum] = value;
}

/* "free:12kB" opens a zone, and what follows belongs to it. `before` is the zone's name. */
static int take_zone(struct block *b, struct text name, int64_t kb, struct text before)
{
	struct zone_level *z;

	if (text_is(name, "free")) {
		z = ARRAY_PUSH(&b->zones);
		if (!z)
			return -ENOMEM;
		text_copy(before, z->zone, sizeof(z->zone));
		z->free = kb;
		return 0;
	}
	if (!b->zones.nr)
		return 0;
	z = &b->zones.items[b->zones.nr - 1];
	if (text_is(name, "present"))
		z->present = kb;
	else if (text_is(name, "managed"))
		z->managed = kb;
	else if (text_is(name, "free_pcp"))
		z->pcp = kb;
	return 0;
}

/* One "name:value". 0 or −ENOMEM. */
static int take_pair(struct block *b, struct text name, struct text word, struct text before)
{
	int64_t value;
	bool kb;
	int i;

	if (!value_of(word, &value, &kb))
		return 0;
	if (!kb) {
		i = find_name(sum_names, SUMS, name);
		if (i >= 0)
			take_sum(b, i, value);
		else if (text_is(name, "usd"))
			add_to(&b->pcp_old, value);
		return 0;
	}
	i = find_name(part_names, PARTS, name);
	if (i >= 0)
		add_to(&b->parts[i], value);
	return take_zone(b, name, value, before);
}

/* "111*4kB": the free lists begin with single pages. "hugepages_total=16", "hugepages_size=2048kB".
 */
static void take_word(struct block *b, struct text word)
{
	const char *star = memchr(word.p, '*', word.len), *equals = memchr(word.p, '=', word.len);
	struct text value = word;
	int64_t n;
	bool kb;

	if (!star && !equals)
		return;
	value.p = (star ?: equals) + 1;
	value.len -= (size_t)(value.p - word.p);
	if (!value_of(value, &n, &kb) || n <= 0)
		return;
	if (star && kb && (!b->page_kb || n < b->page_kb))
		b->page_kb = n;
	if (text_starts(word, "hugepages_total="))
		b->huge_total = n;
	if (text_starts(word, "hugepages_size=") && b->huge_total) {
		add_to(&b->hugetlb_kb, b->huge_total < VALUE_MAX / n ? b->huge_total * n : 0);
		b->huge_total = 0;
	}
}

/* "123 pages RAM", and "Total swap = 12kB". */
static void take_count(struct block *b, struct text word, struct text rest)
{
	int64_t value;

	if (!text_count(word, VALUE_MAX, &value))
		return;
	while (rest.len && text_is_blank(*rest.p)) {
		rest.p++;
		rest.len--;
	}
	for (size_t i = 0; i < sizeof(count_words) / sizeof(count_words[0]); i++)
		if (text_starts(rest, count_words[i].words) && b->counts[count_words[i].count] < 0)
			b->counts[count_words[i].count] = value;
}

static void take_swap(struct block *b, struct text line)
{
	const char *at = text_find(line, "swap  = ") ?: text_find(line, "swap = ");
	bool total = text_contains(line, "Total swap"), kb;
	struct text rest, word;
	int64_t value;

	if (!at || (!total && !text_contains(line, "Free swap")))
		return;
	rest = (struct text){at, line.len - (size_t)(at - line.p)};
	for (int i = 0; i < 3; i++)
		text_word(&rest, &word);
	if (value_of(word, &value, &kb) && kb)
		*(total ? &b->swap_total_kb : &b->swap_free_kb) = value;
}

/* The names and values of a line. 0 or −ENOMEM. */
static int take_words(struct block *b, struct text line)
{
	struct text word, before = {"", 0}, name;

	while (text_word(&line, &word)) {
		const char *colon = memchr(word.p, ':', word.len);
		int err = 0;

		if (colon) {
			name = (struct text){word.p, (size_t)(colon - word.p)};
			word.p = colon + 1;
			word.len -= name.len + 1;
			if (!word.len) { /* "anon_thp: 0kB" */
				struct text ahead = line;

				text_word(&ahead, &word);
			}
			err = take_pair(b, name, word, before);
		} else {
			take_word(b, word);
			take_count(b, word, line);
		}
		if (err)
			return err;
		before = word;
	}
	return 0;
}

/* ---- processes and caches ---- */

/* "[  312]     0   312    16600     9941 …": uid, tgid, total_vm, rss. */
static void take_task(struct block *b, struct text line)
{
	for (size_t i = 0; i < line.len; i++) {
		struct text rest, word, pid;
		const char *end = line.p[i] == '[' ? memchr(line.p + i, ']', line.len - i) : NULL;
		int64_t value[4];
		int nr = 0;

		if (!end)
			continue;
		rest = (struct text){line.p + i + 1, (size_t)(end - line.p) - i - 1};
		if (!text_word(&rest, &pid) || !text_count(pid, VALUE_MAX, &value[0]) ||
		    text_word(&rest, &word))
			continue;
		rest = (struct text){end + 1, line.len - (size_t)(end + 1 - line.p)};
		while (nr < 4 && text_word(&rest, &word) && text_count(word, VALUE_MAX, &value[nr]))
			nr++;
		if (nr < 4)
			continue;
		add_to(&b->rss_pages, value[3]);
		b->processes++;
		return;
	}
}

/* "kmalloc-8192   120KB   240KB": used and total. */
static void take_cache(struct block *b, struct text line)
{
	struct text total, used, name;
	struct oom_cache cache;
	int64_t kb;
	bool unit;
	size_t at;

	if (!text_last_word(&line, &total) || !text_last_word(&line, &used) ||
	    !text_last_word(&line, &name) || !value_of(used, &kb, &unit) || !unit ||
	    !value_of(total, &kb, &unit) || !unit)
		return;
	text_copy(name, cache.name, sizeof(cache.name));
	cache.kb = (double)kb;
	for (at = b->nr_caches; at > 0 && b->caches[at - 1].kb < cache.kb; at--)
		if (at < OOM_CACHES)
			b->caches[at] = b->caches[at - 1];
	if (at < OOM_CACHES)
		b->caches[at] = cache;
	b->nr_caches += b->nr_caches < OOM_CACHES;
}

/* ---- lines ---- */

/* What comes before a message in a log: up to the last "] " or "kernel: " before `message`. */
static struct text message_of(struct text line, const char *message)
{
	struct text head = {line.p, (size_t)(message - line.p)};
	const char *start = line.p, *bracket = memrchr(head.p, ']', head.len),
		   *kernel = text_find(head, "kernel: ");

	if (kernel)
		start = kernel + strlen("kernel: ");
	if (bracket && bracket >= start)
		start = bracket + 1;
	while (start < message && text_is_blank(*start))
		start++;
	return (struct text){start, line.len - (size_t)(start - line.p)};
}

/* Lines before the figures say why they are shown, and on which kernel. */
struct preamble {
	char trigger[OOM_TEXT_MAX], release[OOM_RELEASE_MAX];
	bool is_oom, partial_tasks;
};

/* "CPU: 1 PID: 467 Comm: java Not tainted 6.1.0-9-amd64 #1 Debian": the word before "#". */
static void take_release(struct preamble *p, struct text line)
{
	struct text word, before = {"", 0};

	if (!text_contains(line, "CPU: ") || !text_contains(line, "PID: "))
		return;
	while (text_word(&line, &word)) {
		if (word.p[0] == '#' && before.len && before.p[0] >= '1' && before.p[0] <= '9') {
			text_copy(before, p->release, sizeof(p->release));
			return;
		}
		before = word;
	}
}

static void take_preamble(struct preamble *p, struct text line)
{
	const char *oom = text_find(line, " invoked oom-killer"),
		   *failed = text_find(line, "page allocation failure"),
		   *shown = text_find(line, "Show Memory");
	const char *at = oom ?: failed ?: shown;

	if (at) {
		*p = (struct preamble){.is_oom = oom != NULL};
		text_copy(message_of(line, at), p->trigger, sizeof(p->trigger));
	}
	take_release(p, line);
	/* For such an allocation, the kernel lists only processes that may use the same nodes. */
	p->partial_tasks |= text_contains(line, "CONSTRAINT_CPUSET") ||
			    text_contains(line, "CONSTRAINT_MEMORY_POLICY");
}

/* 0 or −ENOMEM. */
static int block_line(struct block *b, struct text line)
{
	struct oom_site site;

	if (b->closed)
		return 0;
	if (text_contains(line, "Out of memory") || text_contains(line, "Killed process")) {
		b->closed = true; /* what follows is about something else */
		return 0;
	}
	if (text_contains(line, "CONSTRAINT_CPUSET") ||
	    text_contains(line, "CONSTRAINT_MEMORY_POLICY"))
		b->partial_tasks = true;
	if (text_contains(line, "total_vm") && text_contains(line, "rss")) {
		b->tasks = true;
		b->slabs = false;
		return 0;
	}
	if (text_contains(line, "Memory allocations")) {
		b->allocations = true;
		b->profiling_off |= text_contains(line, "turned off");
		return 0;
	}
	if (b->allocations && oom_site_parse(line, &site)) {
		oom_sites_add(b->sites, &b->nr_sites, &site);
		return 0;
	}
	if (text_contains(line, "Unreclaimable slab info")) {
		b->slabs = true;
		return 0;
	}
	if (b->tasks)
		take_task(b, line);
	else if (b->slabs)
		take_cache(b, line);
	if (b->tasks || b->slabs)
		return 0;
	take_swap(b, line);
	return take_words(b, line);
}

static bool line_opens(struct text line)
{
	return text_contains(line, "Mem-Info:") || text_contains(line, "Mem-info:");
}

/* Does the report have the figures that a balance sheet needs? */
static bool block_complete(const struct block *b)
{
	int64_t managed = 0;

	for (size_t i = 0; i < b->zones.nr; i++)
		managed += b->zones.items[i].managed;
	return b->line && b->sums[SUM_FREE] >= 0 && b->sums[SUM_ACTIVE_ANON] >= 0 &&
	       (b->counts[COUNT_RAM] > 0 || managed > 0);
}

/* ---- as levels ---- */

static int put_value(struct named_values *v, const char *name, double value)
{
	struct named_value *n;

	if (isnan(value))
		return 0;
	n = ARRAY_PUSH(v);
	if (!n)
		return -ENOMEM;
	snprintf(n->name, sizeof(n->name), "%s", name);
	n->value = (int64_t)value;
	return 0;
}

/* A sum in kB, NaN where the report does not have it. */
static double sum_kb(const struct block *b, enum oom_sum sum, double page_kb)
{
	return b->sums[sum] < 0 ? NAN : (double)b->sums[sum] * page_kb;
}

static double count_kb(const struct block *b, enum oom_count count, double page_kb)
{
	return b->counts[count] < 0 ? NAN : (double)b->counts[count] * page_kb;
}

static double total_kb(const struct block *b, double page_kb)
{
	double kb = count_kb(b, COUNT_RAM, page_kb) - or_zero(count_kb(b, COUNT_RESERVED, page_kb));

	if (kb > 0)
		return kb;
	kb = 0;
	for (size_t i = 0; i < b->zones.nr; i++)
		kb += (double)b->zones.items[i].managed;
	return kb;
}

/*
 * User memory under the names of /proc/meminfo. A report has no AnonPages and no Buffers. Its page
 * cache includes files and devices, and all other pages on the lists count as anonymous.
 */
static int put_user(const struct block *b, double page_kb, struct named_values *v)
{
	double active = sum_kb(b, SUM_ACTIVE_ANON, page_kb) + sum_kb(b, SUM_ACTIVE_FILE, page_kb);
	double inactive =
		sum_kb(b, SUM_INACTIVE_ANON, page_kb) + sum_kb(b, SUM_INACTIVE_FILE, page_kb);
	double unevictable = or_zero(sum_kb(b, SUM_UNEVICTABLE, page_kb));
	double isolated = or_zero(sum_kb(b, SUM_ISOLATED_ANON, page_kb)) +
			  or_zero(sum_kb(b, SUM_ISOLATED_FILE, page_kb));
	double swap = or_zero(count_kb(b, COUNT_SWAP_CACHE, page_kb));
	double cache = count_kb(b, COUNT_PAGE_CACHE, page_kb);
	double shmem = sum_kb(b, SUM_SHMEM, page_kb);

	if (isnan(cache)) /* the report is cut there */
		cache = sum_kb(b, SUM_ACTIVE_FILE, page_kb) +
			sum_kb(b, SUM_INACTIVE_FILE, page_kb) + or_zero(shmem) + swap;
	return put_value(v, "Active", active) || put_value(v, "Inactive", inactive) ||
			       put_value(v, "Active(anon)", sum_kb(b, SUM_ACTIVE_ANON, page_kb)) ||
			       put_value(v, "Inactive(anon)",
					 sum_kb(b, SUM_INACTIVE_ANON, page_kb)) ||
			       put_value(v, "Active(file)", sum_kb(b, SUM_ACTIVE_FILE, page_kb)) ||
			       put_value(v, "Inactive(file)",
					 sum_kb(b, SUM_INACTIVE_FILE, page_kb)) ||
			       put_value(v, "Unevictable", unevictable) ||
			       put_value(v, "Buffers", 0) ||
			       put_value(v, "Cached", fmax(cache - swap, 0)) ||
			       put_value(v, "SwapCached", swap) || put_value(v, "Shmem", shmem) ||
			       put_value(v, "AnonPages",
					 fmax(active + inactive + unevictable + isolated - cache,
					      0)) ||
			       put_value(v, "AnonHugePages",
					 b->parts[PART_ANON_THP] < 0
						 ? NAN
						 : (double)b->parts[PART_ANON_THP])
		       ? -ENOMEM
		       : 0;
}

static double part_kb(const struct block *b, enum oom_part part)
{
	return b->parts[part] < 0 ? NAN : (double)b->parts[part];
}

static int put_kernel(const struct block *b, double page_kb, struct named_values *v)
{
	double reclaimable = sum_kb(b, SUM_SLAB_RECLAIMABLE, page_kb);
	const struct {
		const char *name;
		double kb;
	} lines[] = {
		{"Slab", reclaimable + sum_kb(b, SUM_SLAB_UNRECLAIMABLE, page_kb)},
		{"SReclaimable", reclaimable},
		{"SUnreclaim", sum_kb(b, SUM_SLAB_UNRECLAIMABLE, page_kb)},
		{"KReclaimable", reclaimable + sum_kb(b, SUM_MISC_RECLAIMABLE, page_kb)},
		{"KernelStack", part_kb(b, PART_KERNEL_STACK)},
		{"PageTables", sum_kb(b, SUM_PAGE_TABLES, page_kb)},
		{"SecPageTables", sum_kb(b, SUM_SEC_PAGE_TABLES, page_kb)},
		{"Bounce", sum_kb(b, SUM_BOUNCE, page_kb)},
		{"WritebackTmp", part_kb(b, PART_WRITEBACK_TMP)},
		{"HardwareCorrupted", count_kb(b, COUNT_POISONED, page_kb)},
		{"Balloon", part_kb(b, PART_BALLOON)},
		{"GPUActive", part_kb(b, PART_GPU_ACTIVE)},
		{"GPUReclaim", part_kb(b, PART_GPU_RECLAIM)},
		{"CmaFree", sum_kb(b, SUM_FREE_CMA, page_kb)},
		{"Mapped", sum_kb(b, SUM_MAPPED, page_kb)},
		{"Dirty", sum_kb(b, SUM_DIRTY, page_kb)},
		{"Writeback", sum_kb(b, SUM_WRITEBACK, page_kb)},
		{"Hugetlb", (double)b->hugetlb_kb},
		{"SwapTotal", b->swap_total_kb < 0 ? NAN : (double)b->swap_total_kb},
		{"SwapFree", b->swap_free_kb < 0 ? NAN : (double)b->swap_free_kb},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (put_value(v, lines[i].name, lines[i].kb))
			return -ENOMEM;
	return 0;
}

/*
 * Convert zones to pages, as in /proc/zoneinfo. If no zone has pages on per-CPU lists, the first
 * zone gets the machine's total.
 */
static int put_zones(struct block *b, double page_kb, struct zone_levels *out)
{
	int64_t pcp = 0;

	for (size_t i = 0; i < b->zones.nr; i++) {
		struct zone_level *z = &b->zones.items[i];

		z->free = (int64_t)((double)z->free / page_kb);
		z->present = (int64_t)((double)z->present / page_kb);
		z->managed = (int64_t)((double)z->managed / page_kb);
		z->pcp = (int64_t)((double)z->pcp / page_kb);
		pcp += z->pcp;
	}
	if (!b->zones.nr && !ARRAY_PUSH(&b->zones))
		return -ENOMEM;
	if (!pcp)
		b->zones.items[0].pcp =
			b->sums[SUM_FREE_PCP] > 0 ? b->sums[SUM_FREE_PCP] : b->pcp_old;
	*out = b->zones;
	b->zones = (struct zone_levels){0};
	return 0;
}

static int block_finish(struct block *b, struct oom_report *r)
{
	double page_kb = b->page_kb ? (double)b->page_kb : 4;
	struct snapshot *s = &r->s;

	r->page_bytes = (double)b->page_kb * 1024;
	r->line = b->line;
	r->mixed = b->mixed;
	r->is_oom = b->is_oom;
	r->rss_kb = b->processes && !b->partial_tasks ? (double)b->rss_pages * page_kb : NAN;
	r->processes = (size_t)b->processes;
	memcpy(r->trigger, b->trigger, sizeof(r->trigger));
	memcpy(r->release, b->release, sizeof(r->release));
	memcpy(r->caches, b->caches, sizeof(r->caches));
	r->nr_caches = b->nr_caches;
	memcpy(r->sites, b->sites, sizeof(r->sites));
	r->nr_sites = b->nr_sites;
	r->profiling_off = b->profiling_off && b->nr_sites;
	if (put_value(&s->meminfo, "MemTotal", total_kb(b, page_kb)) ||
	    put_value(&s->meminfo, "MemFree", sum_kb(b, SUM_FREE, page_kb)) ||
	    put_user(b, page_kb, &s->meminfo) || put_kernel(b, page_kb, &s->meminfo) ||
	    put_value(&s->vmstat, "nr_isolated_anon", sum_kb(b, SUM_ISOLATED_ANON, 1)) ||
	    put_value(&s->vmstat, "nr_isolated_file", sum_kb(b, SUM_ISOLATED_FILE, 1)) ||
	    put_value(&s->vmstat, "nr_zspages", part_kb(b, PART_ZSPAGES) / page_kb))
		return -ENOMEM;
	return put_zones(b, page_kb, &s->zones);
}

/* ---- the log ---- */

struct log {
	struct block now, last; /* the report being read, and the last complete one */
	struct preamble preamble;
	size_t reports, cgroup_reports;
	bool later_cut;
};

/* The report being read ends: keep it if it is complete. */
static void log_close(struct log *log)
{
	if (!log->now.line)
		return;
	if (block_complete(&log->now)) {
		ARRAY_FREE(&log->last.zones);
		log->last = log->now;
		log->reports++;
		log->later_cut = false;
	} else {
		ARRAY_FREE(&log->now.zones);
		log->later_cut = true;
	}
	log->now = (struct block){0};
}

static void log_open(struct log *log, size_t number)
{
	log_close(log);
	block_begin(&log->now, number);
	log->now.is_oom = log->preamble.is_oom;
	log->now.partial_tasks = log->preamble.partial_tasks;
	memcpy(log->now.trigger, log->preamble.trigger, sizeof(log->now.trigger));
	memcpy(log->now.release, log->preamble.release, sizeof(log->now.release));
	log->preamble = (struct preamble){0};
}

static int report_line(struct log *log, struct text line, size_t number)
{
	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	if (text_contains(line, "Memory cgroup out of memory") ||
	    text_contains(line, "Memory cgroup stats for"))
		log->cgroup_reports++;
	take_preamble(&log->preamble, line);
	if (line_opens(line))
		log_open(log, number);
	return log->now.line ? block_line(&log->now, line) : 0;
}

int oom_report_parse(const char *buf, size_t len, struct oom_report *out)
{
	struct text rest = {buf, len}, line;
	struct oom_report r = {0};
	struct log log = {0};
	size_t number = 0;
	int err = 0;

	while (!err && text_line(&rest, &line))
		err = report_line(&log, line, ++number);
	if (!err) {
		log_close(&log);
		err = log.reports          ? block_finish(&log.last, &r)
		      : log.later_cut      ? -EBADMSG
		      : log.cgroup_reports ? -ENODATA
					   : -ENOENT;
	}
	ARRAY_FREE(&log.now.zones);
	ARRAY_FREE(&log.last.zones);
	if (err) {
		oom_report_free(&r);
		return err;
	}
	r.reports = log.reports;
	r.later_cut = log.later_cut;
	*out = r;
	return 0;
}
