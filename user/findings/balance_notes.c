// SPDX-License-Identifier: GPL-2.0-only
/* Writes the notes to a balance sheet: see balance_notes.h. */
#include "findings/balance_notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "findings/witness.h"

#define COUNTER_LAG_PAGES                                                           \
	125 /* pages of one counter that a CPU may not have passed on yet (vmstat's \
	       stat_threshold, mm/vmstat.c) */

/* How much VmallocUsed and vmallocinfo may differ because areas come and go between two readings.
 */
#define AREAS_LEAST_KB 1024.0
#define AREAS_SHARE    0.05

enum note {
	NOTE_NO_MEMTOTAL,
	NOTE_COUNTERS_LAG,
	NOTE_ZONEINFO_MISSING,
	NOTE_ZONES_UNKNOWN,
	NOTE_RESERVED_AT_BOOT,
	NOTE_BELOW_MANAGED,
	NOTE_BALLOON_IN_TOTAL,
	NOTE_BEYOND_MANAGED,
	NOTE_VMALLOC_PARTS,
	NOTE_VMALLOC_CHANGED,
	NOTE_VMALLOC_DIFFERS,
	NOTE_VMALLOCINFO_MISSING,
	NOTE_SLAB_WHOLE,
	NOTE_PERCPU_FIRST,
	NOTE_HUGE_UNUSED,
	NOTE_BALLOON_LOWERS_TOTAL,
	NOTE_REMOVED_CGROUPS,
	NOTE_UNKNOWN_LINES,
	NOTES
};

#define NOTE(severity_, kind_)                                                   \
	{                                                                        \
		.severity = (severity_), .kind = (kind_), .about = ABOUT_COUNTER \
	}

static const struct finding note_defs[NOTES] = {
	[NOTE_NO_MEMTOTAL] = NOTE(FINDING_CAUTION, "no-memtotal"),
	[NOTE_COUNTERS_LAG] = NOTE(FINDING_NOTICE, "counters-lag"),
	[NOTE_ZONEINFO_MISSING] = NOTE(FINDING_CAUTION, "zoneinfo-missing"),
	[NOTE_ZONES_UNKNOWN] = NOTE(FINDING_NOTICE, "zones-unknown"),
	[NOTE_RESERVED_AT_BOOT] = NOTE(FINDING_NOTICE, "reserved-at-boot"),
	[NOTE_BELOW_MANAGED] = NOTE(FINDING_CAUTION, "below-managed"),
	[NOTE_BALLOON_IN_TOTAL] = NOTE(FINDING_NOTICE, "balloon-in-total"),
	[NOTE_BEYOND_MANAGED] = NOTE(FINDING_NOTICE, "beyond-managed"),
	[NOTE_VMALLOC_PARTS] = NOTE(FINDING_NOTICE, "vmalloc-parts"),
	[NOTE_VMALLOC_CHANGED] = NOTE(FINDING_NOTICE, "vmalloc-changed"),
	[NOTE_VMALLOC_DIFFERS] = NOTE(FINDING_CAUTION, "vmalloc-differs"),
	[NOTE_VMALLOCINFO_MISSING] = NOTE(FINDING_CAUTION, "vmallocinfo-missing"),
	[NOTE_SLAB_WHOLE] = NOTE(FINDING_CAUTION, "slab-whole"),
	[NOTE_PERCPU_FIRST] = NOTE(FINDING_NOTICE, "percpu-first-chunk"),
	[NOTE_HUGE_UNUSED] = NOTE(FINDING_NOTICE, "huge-pages-unused"),
	[NOTE_BALLOON_LOWERS_TOTAL] = NOTE(FINDING_NOTICE, "balloon-lowers-total"),
	[NOTE_REMOVED_CGROUPS] = {.severity = FINDING_WARNING,
				  .kind = "removed-cgroups",
				  .about = ABOUT_HOST},
	[NOTE_UNKNOWN_LINES] = NOTE(FINDING_NOTICE, "unknown-lines"),
};

bool balance_is_note(const struct finding *f)
{
	for (size_t i = 0; i < NOTES; i++)
		if (!strcmp(f->kind, note_defs[i].kind))
			return true;
	return false;
}

/* A note, with the figure that it is about; NaN: none. */
#define note(list, which, subject, kb, ...) \
	note_finish(findings_add(list, &note_defs[which], __VA_ARGS__), subject, kb)

static void note_finish(struct finding *f, const char *subject, double kb)
{
	finding_subject(f, "%s", subject);
	finding_figure(f, "kb", kb, NAN, NAN);
}

static const char *size_of(char buf[UNITS_MAX], double kb)
{
	return units_bytes(buf, kb * 1024);
}

static bool balloon_counted(const struct snapshot *s)
{
	return named_value_get(&s->vmstat, "balloon_inflate", 0) >
		       named_value_get(&s->vmstat, "balloon_deflate", 0) ||
	       named_value_get(&s->meminfo, "Balloon", 0) > 0;
}

/*
 * A balloon and late initialisation of page structures have the same effect on these figures. So a
 * hypervisor is named only if the kernel counts a balloon.
 */
static void note_managed(const struct snapshot *s, double more_kb, struct findings *n)
{
	char a[UNITS_MAX];

	size_of(a, fabs(more_kb));
	if (more_kb < 0)
		note(n, NOTE_BELOW_MANAGED, "MemTotal", -more_kb,
		     "MemTotal is %s below the pages that the zones manage: /proc/meminfo shows a "
		     "container (lxcfs), the other files show the machine.",
		     a);
	else if (balloon_counted(s))
		note(n, NOTE_BALLOON_IN_TOTAL, "MemTotal", more_kb,
		     "MemTotal exceeds the pages that the zones manage by %s: a hypervisor took "
		     "this memory back (a balloon is counted), and MemTotal still counts it.",
		     a);
	else
		note(n, NOTE_BEYOND_MANAGED, "MemTotal", more_kb,
		     "MemTotal exceeds the pages that the zones manage by %s. Memory whose page "
		     "structures are initialised late (the kernel log then says 'deferred'), or "
		     "that a hypervisor took back without a balloon counter, looks like this.",
		     a);
}

/* Memory that the zones have and MemTotal does not, or the reverse. */
static void note_zones(const struct snapshot *s, const struct balance *b, struct findings *n)
{
	double page_bytes = b->beliefs.page_bytes, present = 0, managed = 0;
	char a[UNITS_MAX];

	if (b->beliefs.oom_report) /* it leaves out zones that the allocation could not use */
		return;
	for (size_t i = 0; i < s->zones.nr; i++) {
		present += (double)s->zones.items[i].present * page_bytes / 1024;
		managed += (double)s->zones.items[i].managed * page_bytes / 1024;
	}
	if (!s->zones.nr) {
		note(n, NOTE_ZONEINFO_MISSING, "zoneinfo", NAN,
		     "/proc/zoneinfo could not be read: free pages on per-CPU lists are in "
		     "Unaccounted.");
		return;
	}
	if (managed <= 0) { /* since 3.8 */
		note(n, NOTE_ZONES_UNKNOWN, "zoneinfo", NAN,
		     "/proc/zoneinfo does not say how many pages the zones manage (kernels "
		     "before 3.8, or a cut copy), so MemTotal is not compared with it.");
		return;
	}
	if (present > b->total_kb && !b->beliefs.container)
		note(n, NOTE_RESERVED_AT_BOOT, "MemTotal", present - b->total_kb,
		     "MemTotal leaves out %s that the kernel reserved for itself at boot (its "
		     "image, page structures): zoneinfo present - MemTotal.",
		     size_of(a, present - b->total_kb));
	if (fabs(b->total_kb - managed) > 0.001 * b->total_kb)
		note_managed(s, b->total_kb - managed, n);
}

/* "VmallocUsed is 19.5 MiB: 2.0 MiB of kernel stacks, 32 KiB of cached ones and 17.5 MiB of
 * others." */
static void note_stacks(const struct balance *b, struct findings *n)
{
	char used[UNITS_MAX], stacks[UNITS_MAX], others[UNITS_MAX], size[UNITS_MAX];
	char cached[UNITS_MAX + 32] = "";

	if (b->cached_stacks_kb > 0)
		snprintf(cached, sizeof(cached), ", %s of stacks kept for new threads",
			 size_of(size, b->cached_stacks_kb));
	note(n, NOTE_VMALLOC_PARTS, "VmallocUsed", b->vmalloc_used_kb,
	     "VmallocUsed is %s: %s of kernel stacks%s and %s of other areas.",
	     size_of(used, b->vmalloc_used_kb), size_of(stacks, b->kb[BALANCE_KERNEL_STACK]),
	     cached, size_of(others, b->kb[BALANCE_VMALLOC] - fmax(b->cached_stacks_kb, 0)));
}

static void note_vmalloc(const struct snapshot *s, const struct balance *b, struct findings *n)
{
	double difference = fabs(b->vmallocinfo_kb - b->vmalloc_used_kb);
	char x[UNITS_MAX], y[UNITS_MAX];

	if (b->stacks_are_vmalloc && !b->unknown[BALANCE_KERNEL_STACK])
		note_stacks(b, n);
	size_of(x, b->vmalloc_used_kb);
	size_of(y, b->vmallocinfo_kb);
	if (difference > fmax(AREAS_LEAST_KB, AREAS_SHARE * b->vmalloc_used_kb))
		note(n, NOTE_VMALLOC_DIFFERS, "VmallocUsed", difference,
		     "VmallocUsed is %s, but the areas in /proc/vmallocinfo add up to %s. That "
		     "is too much for areas that were allocated or freed in between: the files "
		     "are of two moments or machines, or one of them is cut. VmallocUsed is used.",
		     x, y);
	else if (difference > 0 && strcmp(x, y)) /* false for NaN */
		note(n, NOTE_VMALLOC_CHANGED, "VmallocUsed", difference,
		     "VmallocUsed is %s, but the areas in /proc/vmallocinfo add up to %s: areas "
		     "were allocated or freed between the two readings.",
		     x, y);
	if (s->vmallocs.nr == 0 && b->stacks_are_vmalloc)
		note(n, NOTE_VMALLOCINFO_MISSING, "vmallocinfo", NAN,
		     "/proc/vmallocinfo could not be read (it needs root): thread stacks are "
		     "assumed to be vmalloc areas.");
}

static void note_overlaps(const struct snapshot *s, const struct balance *b, struct findings *n)
{
	char x[UNITS_MAX];
	double huge_free = (double)named_value_get(&s->meminfo, "HugePages_Free", 0) *
			   (double)named_value_get(&s->meminfo, "Hugepagesize", 0);
	double balloon = (double)named_value_get(&s->meminfo, "Balloon", 0);

	if (b->unknown[BALANCE_SLAB_RECLAIMABLE] && b->kb[BALANCE_SLAB_UNRECLAIMABLE] > 0)
		note(n, NOTE_SLAB_WHOLE, "SReclaimable", NAN,
		     "SReclaimable is unknown, so the line of unreclaimable slab has all of Slab.");
	if (b->percpu_first_kb > 0)
		note(n, NOTE_PERCPU_FIRST, "Percpu", b->percpu_first_kb,
		     "Percpu includes its first chunk, %s, which the kernel reserved before it "
		     "counted MemTotal: the real Unaccounted is that much larger.",
		     size_of(x, b->percpu_first_kb));
	if (huge_free > 0)
		note(n, NOTE_HUGE_UNUSED, "HugePages_Free", huge_free,
		     "Of the reserved huge pages, %s is not in use (HugePages_Free).",
		     size_of(x, huge_free));
	if (balloon > 0 && !b->balloon_in_total)
		note(n, NOTE_BALLOON_LOWERS_TOTAL, "Balloon", balloon,
		     "The balloon, %s, is larger than the memory that no other line has: its "
		     "driver has already lowered MemTotal by it.",
		     size_of(x, balloon));
}

/* Lines of meminfo that the sheet or its notes know. A note names any other line, which a later
 * kernel may print. */
static bool line_known(const char *name)
{
	static const char *const known[] = {
		"MemTotal",       "MemFree",         "MemAvailable",
		"Buffers",        "Cached",          "SwapCached",
		"Active",         "Inactive",        "Active(anon)",
		"Inactive(anon)", "Active(file)",    "Inactive(file)",
		"Unevictable",    "Mlocked",         "SwapTotal",
		"SwapFree",       "Zswap",           "Zswapped",
		"Dirty",          "Writeback",       "AnonPages",
		"Mapped",         "Shmem",           "KReclaimable",
		"Slab",           "SReclaimable",    "SUnreclaim",
		"KernelStack",    "ShadowCallStack", "PageTables",
		"SecPageTables",  "NFS_Unstable",    "Bounce",
		"WritebackTmp",   "CommitLimit",     "Committed_AS",
		"VmallocTotal",   "VmallocUsed",     "VmallocChunk",
		"Percpu",         "EarlyMemtestBad", "HardwareCorrupted",
		"AnonHugePages",  "ShmemHugePages",  "ShmemPmdMapped",
		"FileHugePages",  "FilePmdMapped",   "CmaTotal",
		"CmaFree",        "Unaccepted",      "Balloon",
		"GPUActive",      "GPUReclaim",      "HugePages_Total",
		"HugePages_Free", "HugePages_Rsvd",  "HugePages_Surp",
		"Hugepagesize",   "Hugetlb",         "HighTotal",
		"HighFree",       "LowTotal",        "LowFree",
		"MmapCopy",
	};

	/* DirectMap4k, DirectMap1M (s390), DirectMap64M (ppc64) and so on: with pages of which size
	 * the kernel maps memory for itself. These lines count no further memory. */
	if (!strncmp(name, "DirectMap", strlen("DirectMap")))
		return true;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i], name))
			return true;
	return false;
}

#define UNKNOWN_NAMED 4

/* "This kernel also prints A (1.0 MiB), B (12 KiB) and 2 other lines, …" */
static void note_unknown_lines(const struct snapshot *s, struct findings *n)
{
	struct finding *f = NULL;
	size_t nr = 0;
	char a[UNITS_MAX];

	for (size_t i = 0; i < s->meminfo.nr; i++) {
		const struct named_value *v = &s->meminfo.items[i];

		if (line_known(v->name) || v->value <= 0)
			continue;
		size_of(a, (double)v->value);
		if (!nr) {
			f = findings_add(n, &note_defs[NOTE_UNKNOWN_LINES],
					 "This kernel also prints %s (%s)", v->name, a);
			note_finish(f, v->name, (double)v->value);
		} else if (nr < UNKNOWN_NAMED)
			finding_say(n, f, ", %s (%s)", v->name, a);
		nr++;
	}
	if (nr > UNKNOWN_NAMED)
		finding_say(n, f, " and %zu more", nr - UNKNOWN_NAMED);
	finding_say(n, f, ", which this version does not know: %s may be part of Unaccounted.",
		    nr > 1 ? "they" : "it");
}

/* The same limit as in a report (unusual_levels.c). */
static void note_removed_cgroups(const struct snapshot *s, struct findings *n)
{
	double removed = removed_cgroups(s);
	char a[UNITS_MAX], b[UNITS_MAX];
	struct finding *f;

	if (!(removed > REMOVED_CGROUPS_MANY))
		return;
	f = findings_add(n, &note_defs[NOTE_REMOVED_CGROUPS],
			 "%s removed cgroups still exist, beside %s in use: page cache, tmpfs "
			 "files or kernel objects are still charged to them. Each takes slab and "
			 "per-CPU memory.",
			 units_count(a, removed), units_count(b, present_cgroups(s)));
	finding_figure(f, "removed_cgroups", removed, NAN, NAN);
	finding_evidence(f, "removed_cgroups", "/");
}

void balance_notes(const struct snapshot *s, const struct balance *b, struct findings *out)
{
	double page_bytes = b->beliefs.page_bytes, rest = b->kb[BALANCE_REST];
	char a[UNITS_MAX], lag[UNITS_MAX];

	if (isnan(b->total_kb)) {
		note(out, NOTE_NO_MEMTOTAL, "MemTotal", NAN,
		     "/proc/meminfo has no MemTotal, so there is nothing to break down.");
		return;
	}
	if (rest < 0 && !b->contradiction)
		note(out, NOTE_COUNTERS_LAG, "MemTotal", -rest,
		     "The lines exceed MemTotal by %s: CPUs had not yet passed on their counters "
		     "(up to %s per CPU and counter), or the lines were read a moment apart.",
		     size_of(a, -rest), size_of(lag, COUNTER_LAG_PAGES * page_bytes / 1024));
	note_zones(s, b, out);
	note_vmalloc(s, b, out);
	note_overlaps(s, b, out);
	note_removed_cgroups(s, out);
	note_unknown_lines(s, out);
}
