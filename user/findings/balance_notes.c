// SPDX-License-Identifier: GPL-2.0-only
/* Writes the notes to a balance sheet: see balance_notes.h. */
#include "findings/balance_notes.h"

#include <math.h>
#include <stdarg.h>
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

__attribute__((format(printf, 2, 3))) static void balance_note(struct balance_notes *n,
							       const char *fmt, ...)
{
	va_list ap;

	if (n->nr == BALANCE_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(n->items[n->nr++], BALANCE_NOTE_MAX, fmt, ap);
	va_end(ap);
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
static void note_managed(const struct snapshot *s, double more_kb, struct balance_notes *n)
{
	char a[UNITS_MAX];

	size_of(a, fabs(more_kb));
	if (more_kb < 0)
		balance_note(
			n,
			"MemTotal is %s below the pages that the zones manage: /proc/meminfo shows a "
			"container (lxcfs), the other files show the machine.",
			a);
	else if (balloon_counted(s))
		balance_note(
			n,
			"MemTotal exceeds the pages that the zones manage by %s: a hypervisor took "
			"this memory back (a balloon is counted), and MemTotal still counts it.",
			a);
	else
		balance_note(
			n,
			"MemTotal exceeds the pages that the zones manage by %s. Memory whose page "
			"structures are initialised late (the kernel log then says 'deferred'), or that a "
			"hypervisor took back without a balloon counter, looks like this.",
			a);
}

/* Memory that the zones have and MemTotal does not, or the reverse. */
static void note_zones(const struct snapshot *s, const struct balance *b, struct balance_notes *n)
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
		balance_note(n,
			     "/proc/zoneinfo could not be read: free pages on per-CPU lists are in "
			     "Unaccounted.");
		return;
	}
	if (managed <= 0) { /* since 3.8 */
		balance_note(n,
			     "/proc/zoneinfo does not say how many pages the zones manage (kernels "
			     "before 3.8, or a cut copy), so MemTotal is not compared with it.");
		return;
	}
	if (present > b->total_kb && !b->beliefs.container)
		balance_note(
			n,
			"MemTotal leaves out %s that the kernel reserved for itself at boot (its image, "
			"page structures): zoneinfo present - MemTotal.",
			size_of(a, present - b->total_kb));
	if (fabs(b->total_kb - managed) > 0.001 * b->total_kb)
		note_managed(s, b->total_kb - managed, n);
}

/* "VmallocUsed is 19.5 MiB: 2.0 MiB of kernel stacks, 32 KiB of cached ones and 17.5 MiB of
 * others." */
static void note_stacks(const struct balance *b, struct balance_notes *n)
{
	char used[UNITS_MAX], stacks[UNITS_MAX], others[UNITS_MAX], size[UNITS_MAX];
	char cached[UNITS_MAX + 32] = "";

	if (b->cached_stacks_kb > 0)
		snprintf(cached, sizeof(cached), ", %s of stacks kept for new threads",
			 size_of(size, b->cached_stacks_kb));
	balance_note(n, "VmallocUsed is %s: %s of kernel stacks%s and %s of other areas.",
		     size_of(used, b->vmalloc_used_kb),
		     size_of(stacks, b->kb[BALANCE_KERNEL_STACK]), cached,
		     size_of(others, b->kb[BALANCE_VMALLOC] - fmax(b->cached_stacks_kb, 0)));
}

static void note_overlaps(const struct snapshot *s, const struct balance *b,
			  struct balance_notes *n)
{
	char x[UNITS_MAX], y[UNITS_MAX];
	double huge_free = (double)named_value_get(&s->meminfo, "HugePages_Free", 0) *
			   (double)named_value_get(&s->meminfo, "Hugepagesize", 0);
	double balloon = (double)named_value_get(&s->meminfo, "Balloon", 0);

	if (b->stacks_are_vmalloc && !b->unknown[BALANCE_KERNEL_STACK])
		note_stacks(b, n);
	if (!isnan(b->vmallocinfo_kb) && !isnan(b->vmalloc_used_kb) &&
	    b->vmallocinfo_kb != b->vmalloc_used_kb)
		balance_note(
			n,
			fabs(b->vmallocinfo_kb - b->vmalloc_used_kb) <=
					fmax(AREAS_LEAST_KB, AREAS_SHARE * b->vmalloc_used_kb)
				? "VmallocUsed is %s, but the areas in /proc/vmallocinfo add up to %s: areas "
				  "were allocated or freed between the two readings."
				: "VmallocUsed is %s, but the areas in /proc/vmallocinfo add up to %s. That "
				  "is too much for areas that were allocated or freed in between: the files "
				  "are of two moments or machines, or one of them is cut. VmallocUsed is used.",
			size_of(x, b->vmalloc_used_kb), size_of(y, b->vmallocinfo_kb));
	if (b->unknown[BALANCE_SLAB_RECLAIMABLE] && b->kb[BALANCE_SLAB_UNRECLAIMABLE] > 0)
		balance_note(
			n,
			"SReclaimable is unknown, so the line of unreclaimable slab has all of Slab.");
	if (b->percpu_first_kb > 0)
		balance_note(
			n,
			"Percpu includes its first chunk, %s, which the kernel reserved before it counted "
			"MemTotal: the real Unaccounted is that much larger.",
			size_of(x, b->percpu_first_kb));
	if (huge_free > 0)
		balance_note(n, "Of the reserved huge pages, %s is not in use (HugePages_Free).",
			     size_of(x, huge_free));
	if (balloon > 0 && !b->balloon_in_total)
		balance_note(
			n,
			"The balloon, %s, is larger than the memory that no other line has: its driver has "
			"already lowered MemTotal by it.",
			size_of(x, balloon));
	if (s->vmallocs.nr == 0 && b->stacks_are_vmalloc)
		balance_note(
			n,
			"/proc/vmallocinfo could not be read (it needs root): thread stacks are assumed "
			"to be vmalloc areas.");
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

static void note_unknown_lines(const struct snapshot *s, struct balance_notes *n)
{
	char a[UNITS_MAX];

	for (size_t i = 0; i < s->meminfo.nr; i++)
		if (!line_known(s->meminfo.items[i].name) && s->meminfo.items[i].value > 0)
			balance_note(
				n,
				"This kernel also prints %s (%s), which this version does not know: it may be "
				"part of Unaccounted.",
				s->meminfo.items[i].name,
				size_of(a, (double)s->meminfo.items[i].value));
}

/* The same limit as in a report (unusual_levels.c). */
static void note_removed_cgroups(const struct snapshot *s, struct balance_notes *n)
{
	double removed = removed_cgroups(s);
	char a[UNITS_MAX], b[UNITS_MAX];

	if (removed > REMOVED_CGROUPS_MANY)
		balance_note(
			n,
			"%s removed cgroups still exist, beside %s in use: page cache, tmpfs files or "
			"kernel objects are still charged to them. Each takes slab and per-CPU memory.",
			units_count(a, removed), units_count(b, present_cgroups(s)));
}

void balance_notes(const struct snapshot *s, const struct balance *b, struct balance_notes *out)
{
	double page_bytes = b->beliefs.page_bytes;
	char a[UNITS_MAX], lag[UNITS_MAX];

	*out = (struct balance_notes){0};
	if (isnan(b->total_kb)) {
		balance_note(out,
			     "/proc/meminfo has no MemTotal, so there is nothing to break down.");
		return;
	}
	if (b->kb[BALANCE_REST] < 0 && !b->contradiction)
		balance_note(
			out,
			"The lines exceed MemTotal by %s: CPUs had not yet passed on their counters (up to %s "
			"per CPU and counter), or the lines were read a moment apart.",
			size_of(a, -b->kb[BALANCE_REST]),
			size_of(lag, COUNTER_LAG_PAGES * page_bytes / 1024));
	note_zones(s, b, out);
	note_overlaps(s, b, out);
	note_removed_cgroups(s, out);
	note_unknown_lines(s, out);
}
