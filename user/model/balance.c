// SPDX-License-Identifier: GPL-2.0-only
/*
 * Breaks MemTotal down: see balance.h. Each line is a row of balance_defs and one expression in
 * balance_fill(), which also removes what the kernel counts twice.
 */
#include "model/balance.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct balance_def balance_defs[BALANCE_LINES] = {
	[BALANCE_MEM_FREE] = {"free", "free pages", BALANCE_FREE, "MemFree",
			      "Pages on the page allocator's own lists.",
			      "includes CmaFree and Unaccepted"},
	[BALANCE_PER_CPU_LISTS] =
		{"per_cpu_lists", "per-CPU free lists", BALANCE_FREE, "zoneinfo count:",
		 "Free pages that each CPU keeps on its own lists; MemFree leaves them out.", ""},
	[BALANCE_ANON_SMALL] = {"anonymous", "anonymous, small pages", BALANCE_USER,
				"AnonPages - AnonHugePages",
				"Heap, stack and private memory of processes.",
				"Mlocked and Unevictable also count some of them"},
	[BALANCE_ANON_HUGE] = {"anonymous_huge", "anonymous, huge pages", BALANCE_USER,
			       "AnonHugePages", "The same in transparent huge pages.", ""},
	[BALANCE_SHMEM] =
		{"shmem", "shared memory and tmpfs", BALANCE_USER, "Shmem",
		 "Shared memory, tmpfs and memfd; it can be swapped out, but not dropped.",
		 "part of Cached, as are ShmemHugePages"},
	[BALANCE_FILES] = {"files", "page cache of files", BALANCE_USER, "Cached - Shmem",
			   "Contents of files, including mapped ones and FileHugePages.",
			   "Mapped, Dirty and Writeback also count some of them"},
	[BALANCE_BUFFERS] = {"buffers", "page cache of devices", BALANCE_USER, "Buffers",
			     "Metadata of file systems, read through the block device.", ""},
	[BALANCE_SWAP_CACHE] =
		{"swap_cache", "swap cache, not mapped", BALANCE_USER, "SwapCached, LRU lists",
		 "Pages that are in memory and in swap, and that no process maps now.",
		 "AnonPages has the mapped ones; their size is AnonPages + Cached + Buffers + "
		 "SwapCached - LRU lists"},
	[BALANCE_OTHER_LRU] =
		{"other_lru", "pages only on LRU lists", BALANCE_USER,
		 "Active, Inactive, Unevictable",
		 "Pages on the LRU lists that are neither mapped nor in a cache: pinned, or about "
		 "to be freed.",
		 ""},
	[BALANCE_HUGETLB] = {"hugetlb", "reserved huge pages", BALANCE_HUGE, "Hugetlb",
			     "hugetlbfs pages of all sizes, in use or not.",
			     "AnonPages, Shmem and Cached leave them out"},
	[BALANCE_SLAB_RECLAIMABLE] = {"slab_reclaimable", "slab, reclaimable", BALANCE_KERNEL,
				      "SReclaimable",
				      "Objects the kernel can drop: dentries, inodes.",
				      "part of KReclaimable"},
	[BALANCE_SLAB_UNRECLAIMABLE] = {"slab_unreclaimable", "slab, unreclaimable", BALANCE_KERNEL,
					"SUnreclaim", "All other slab objects, and large kmalloc.",
					""},
	[BALANCE_MISC_RECLAIMABLE] = {"misc_reclaimable", "other reclaimable", BALANCE_KERNEL,
				      "KReclaimable - SReclaimable",
				      "Pages that drivers and subsystems give back on demand.", ""},
	[BALANCE_KERNEL_STACK] = {"kernel_stack", "kernel stacks", BALANCE_KERNEL, "KernelStack",
				  "One stack for each thread.",
				  "also in VmallocUsed, if stacks are vmalloc areas"},
	[BALANCE_VMALLOC] =
		{"vmalloc", "vmalloc, without stacks", BALANCE_KERNEL, "VmallocUsed - KernelStack",
		 "Large buffers and tables, modules, BPF, stacks kept for new threads.",
		 "includes per-CPU metadata and ShadowCallStack, but not per-CPU memory"},
	[BALANCE_PAGE_TABLES] = {"page_tables", "page tables", BALANCE_KERNEL, "PageTables",
				 "Page tables of processes; newer kernels also count their own.",
				 ""},
	[BALANCE_SEC_PAGE_TABLES] = {"sec_page_tables", "secondary page tables", BALANCE_KERNEL,
				     "SecPageTables",
				     "Page tables of virtual machines (KVM) and IOMMUs.",
				     "includes nr_iommu_pages"},
	[BALANCE_PERCPU] = {"percpu", "per-CPU memory", BALANCE_KERNEL, "Percpu",
			    "Pages of the per-CPU allocator, all CPUs.",
			    "its first chunk, reserved at boot, is in Percpu but not in MemTotal"},
	[BALANCE_COMPRESSED] = {"compressed", "compressed swap", BALANCE_KERNEL,
				"vmstat nr_zspages, Zswap",
				"Compressed pages held by zram and zswap.",
				"Zswap is part of nr_zspages if zswap uses zsmalloc"},
	[BALANCE_GPU] = {"gpu", "graphics memory", BALANCE_KERNEL, "GPUActive + GPUReclaim",
			 "System memory that GPU drivers use or keep (newer kernels).", ""},
	[BALANCE_BOUNCE] = {"bounce", "bounce buffers", BALANCE_KERNEL, "Bounce",
			    "Copies for devices that cannot address the original pages.", ""},
	[BALANCE_WRITEBACK_TMP] = {"writeback_tmp", "FUSE writeback", BALANCE_KERNEL,
				   "WritebackTmp", "Copies of pages that FUSE is writing back.",
				   ""},
	[BALANCE_BALLOON] = {"balloon", "balloon", BALANCE_HARDWARE, "Balloon",
			     "Memory given back to the hypervisor but still counted in MemTotal.",
			     "0 with balloon drivers that lower MemTotal instead"},
	[BALANCE_POISONED] = {"hardware_corrupted", "broken memory", BALANCE_HARDWARE,
			      "HardwareCorrupted", "Pages taken out of use after memory errors.",
			      ""},
	[BALANCE_REST] =
		{"unaccounted", "in no line", BALANCE_UNACCOUNTED, "MemTotal - all above",
		 "Pages that no figure of the kernel counts: pipe buffers, packet rings, buffers "
		 "of drivers, sockets, BPF and tracing.",
		 ""},
};

static const struct {
	const char *name, *label;
} group_names[BALANCE_GROUPS] = {
	[BALANCE_FREE] = {"free", "Free"},
	[BALANCE_USER] = {"user", "Processes and files"},
	[BALANCE_HUGE] = {"hugetlb", "Reserved huge pages"},
	[BALANCE_KERNEL] = {"kernel", "Kernel"},
	[BALANCE_HARDWARE] = {"hardware", "Hypervisor, hardware"},
	[BALANCE_UNACCOUNTED] = {"unaccounted", "Unaccounted"},
};

const char *balance_group_name(enum balance_group group)
{
	return group_names[group].name;
}

const char *balance_group_label(enum balance_group group)
{
	return group_names[group].label;
}

/* A line of meminfo that believable.c does not judge, in kB; 0 when the kernel does not print
 * it. */
static double line_kb(const struct snapshot *s, const char *name)
{
	return (double)named_value_get(&s->meminfo, name, 0);
}

static double vmstat_pages_kb(const struct snapshot *s, const char *name, double page_bytes)
{
	return (double)named_value_get(&s->vmstat, name, 0) * page_bytes / 1024;
}

/* A figure that the kernel does not print is 0: no such memory, or counted elsewhere. */
static double figure_kb(const struct balance *b, enum figure f)
{
	return beliefs_sum_kb(&b->beliefs, f);
}

static bool figure_unknown(const struct balance *b, enum figure f)
{
	enum belief belief = b->beliefs.figures[f].belief;

	return belief == BELIEF_CONTRADICTED || belief == BELIEF_MISSING;
}

/* Set a line made of this figure, and perhaps others. */
static void line_set(struct balance *b, enum balance_id line, enum figure f, double kb)
{
	b->unknown[line] = figure_unknown(b, f);
	b->kb[line] = b->unknown[line] ? 0 : fmax(kb, 0);
}

bool balance_is_stack_caller(const char *caller)
{
	/* The functions of fork(), any of which the compiler may have inlined into its caller. */
	static const char *const callers[] = {"alloc_thread_stack", "dup_task_struct",
					      "copy_process", "kernel_clone", "_do_fork"};

	for (size_t k = 0; k < sizeof(callers) / sizeof(callers[0]); k++)
		if (!strncmp(caller, callers[k], strlen(callers[k])))
			return true;
	return false;
}

double balance_vmalloc_stacks_kb(const struct snapshot *s, double page_bytes)
{
	double pages = 0;

	for (size_t i = 0; i < s->vmallocs.nr; i++)
		if (balance_is_stack_caller(s->vmallocs.items[i].caller))
			pages += (double)s->vmallocs.items[i].pages;
	return pages > 0 ? pages * page_bytes / 1024 : NAN;
}

/* With CONFIG_VMAP_STACK, thread stacks are vmalloc areas; fork() is the caller in vmallocinfo. */
static void fill_stacks(const struct snapshot *s, struct balance *b)
{
	double page_bytes = b->beliefs.page_bytes;
	double stacks = balance_vmalloc_stacks_kb(s, page_bytes),
	       level = figure_kb(b, FIGURE_KERNEL_STACK);
	const struct believed *used = &b->beliefs.figures[FIGURE_VMALLOC_USED];

	b->vmalloc_used_kb = used->kb;
	b->vmallocinfo_kb = s->vmallocs.nr
				    ? (double)vmalloc_levels_pages(&s->vmallocs) * page_bytes / 1024
				    : NAN;
	/* Without vmallocinfo, assume vmalloc stacks (the default of every large architecture)
	 * unless VmallocUsed is too small for them. */
	b->stacks_are_vmalloc = used->kb >= level && (!s->vmallocs.nr || !isnan(stacks));
	b->cached_stacks_kb = b->stacks_are_vmalloc ? fmax(stacks - level, 0) : NAN;
	if (isnan(stacks))
		b->cached_stacks_kb = NAN; /* fmax() above turned NaN into 0 */
	line_set(b, BALANCE_KERNEL_STACK, FIGURE_KERNEL_STACK, level);
	line_set(b, BALANCE_VMALLOC, FIGURE_VMALLOC_USED,
		 used->kb - (b->stacks_are_vmalloc ? level : 0));
}

/* The pages on the LRU lists; NaN unknown. */
static double lists_kb(const struct snapshot *s, const struct balance *b)
{
	double page_bytes = b->beliefs.page_bytes;

	return beliefs_kb(&b->beliefs, FIGURE_ACTIVE) + beliefs_kb(&b->beliefs, FIGURE_INACTIVE) +
	       (figure_unknown(b, FIGURE_UNEVICTABLE) ? NAN : figure_kb(b, FIGURE_UNEVICTABLE)) +
	       vmstat_pages_kb(s, "nr_isolated_anon", page_bytes) +
	       vmstat_pages_kb(s, "nr_isolated_file", page_bytes);
}

/*
 * User memory by kind. A mapped page in the swap cache is in AnonPages and in SwapCached, but only
 * once on the LRU lists; the difference shows how many such pages there are. Pages that wait on a
 * CPU for a list (a few dozen per CPU) look the same and make this number slightly too large. If
 * the lists are longer than all known memory, the excess is "pages only on LRU lists".
 */
static void fill_user(const struct snapshot *s, struct balance *b)
{
	double anon = figure_kb(b, FIGURE_ANON_PAGES),
	       swap_cached = figure_kb(b, FIGURE_SWAP_CACHED), cached = figure_kb(b, FIGURE_CACHED),
	       shmem = figure_kb(b, FIGURE_SHMEM);
	double known = anon + cached + figure_kb(b, FIGURE_BUFFERS) + swap_cached;
	double lists = lists_kb(s, b), twice = fmin(fmax(known - lists, 0), swap_cached);
	double huge = fmin(figure_kb(b, FIGURE_ANON_HUGE_PAGES), anon);

	line_set(b, BALANCE_ANON_HUGE, FIGURE_ANON_PAGES, huge);
	line_set(b, BALANCE_ANON_SMALL, FIGURE_ANON_PAGES, anon - huge);
	/* Shared memory is part of Cached, so Cached limits it if Cached is known. */
	line_set(b, BALANCE_SHMEM, FIGURE_SHMEM,
		 figure_unknown(b, FIGURE_CACHED) ? shmem : fmin(shmem, cached));
	line_set(b, BALANCE_FILES, FIGURE_CACHED, cached - b->kb[BALANCE_SHMEM]);
	line_set(b, BALANCE_BUFFERS, FIGURE_BUFFERS, figure_kb(b, FIGURE_BUFFERS));
	line_set(b, BALANCE_SWAP_CACHE, FIGURE_SWAP_CACHED,
		 swap_cached - (isnan(lists) ? 0 : twice));
	b->unknown[BALANCE_OTHER_LRU] = isnan(lists) || figure_unknown(b, FIGURE_ANON_PAGES) ||
					figure_unknown(b, FIGURE_CACHED) ||
					figure_unknown(b, FIGURE_BUFFERS);
	b->kb[BALANCE_OTHER_LRU] = b->unknown[BALANCE_OTHER_LRU] ? 0 : fmax(lists - known, 0);
}

/* Slab is the sum of its two parts. If they are unknown, all of Slab is shown as unreclaimable, and
 * a note says so. */
static void fill_slab(struct balance *b)
{
	double slab = figure_kb(b, FIGURE_SLAB), reclaimable = figure_kb(b, FIGURE_S_RECLAIMABLE);

	line_set(b, BALANCE_SLAB_RECLAIMABLE, FIGURE_S_RECLAIMABLE, reclaimable);
	if (figure_unknown(b, FIGURE_SLAB))
		line_set(b, BALANCE_SLAB_UNRECLAIMABLE, FIGURE_S_UNRECLAIM,
			 figure_kb(b, FIGURE_S_UNRECLAIM));
	else
		line_set(b, BALANCE_SLAB_UNRECLAIMABLE, FIGURE_SLAB, slab - reclaimable);
	line_set(b, BALANCE_MISC_RECLAIMABLE, FIGURE_K_RECLAIMABLE,
		 figure_kb(b, FIGURE_K_RECLAIMABLE) - reclaimable);
	if (figure_unknown(b, FIGURE_S_RECLAIMABLE) && b->kb[BALANCE_MISC_RECLAIMABLE] > 0) {
		b->kb[BALANCE_MISC_RECLAIMABLE] = 0; /* KReclaimable includes SReclaimable */
		b->unknown[BALANCE_MISC_RECLAIMABLE] = true;
	}
}

static void fill_kernel(const struct snapshot *s, struct balance *b)
{
	static const struct {
		enum balance_id line;
		enum figure figure;
	} lines[] = {
		{BALANCE_PAGE_TABLES, FIGURE_PAGE_TABLES},
		{BALANCE_SEC_PAGE_TABLES, FIGURE_SEC_PAGE_TABLES},
		{BALANCE_PERCPU, FIGURE_PERCPU},
		{BALANCE_BOUNCE, FIGURE_BOUNCE},
		{BALANCE_WRITEBACK_TMP, FIGURE_WRITEBACK_TMP},
		{BALANCE_POISONED, FIGURE_HARDWARE_CORRUPTED},
	};
	double zspages = vmstat_pages_kb(s, "nr_zspages", b->beliefs.page_bytes),
	       zswap = figure_kb(b, FIGURE_ZSWAP);

	fill_slab(b);
	fill_stacks(s, b);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		line_set(b, lines[i].line, lines[i].figure, figure_kb(b, lines[i].figure));
	/* If Zswap exceeds zsmalloc's pages, zswap uses another allocator (zbud, z3fold;
	 * until 6.15). */
	line_set(b, BALANCE_COMPRESSED, FIGURE_ZSWAP, zswap > zspages ? zspages + zswap : zspages);
	line_set(b, BALANCE_GPU,
		 figure_unknown(b, FIGURE_GPU_ACTIVE) ? FIGURE_GPU_ACTIVE : FIGURE_GPU_RECLAIM,
		 figure_kb(b, FIGURE_GPU_ACTIVE) + figure_kb(b, FIGURE_GPU_RECLAIM));
}

static double hugetlb_kb(const struct snapshot *s, const struct balance *b)
{
	/* Hugetlb (since 4.20) counts all sizes, HugePages_Total only the default one. */
	double all = beliefs_kb(&b->beliefs, FIGURE_HUGETLB);

	return isnan(all) ? line_kb(s, "HugePages_Total") * line_kb(s, "Hugepagesize") : all;
}

/* Fill all lines except the balloon and the rest. */
static void balance_fill(const struct snapshot *s, struct balance *b)
{
	double pcp = 0;

	for (size_t i = 0; i < s->zones.nr; i++)
		pcp += (double)s->zones.items[i].pcp * b->beliefs.page_bytes / 1024;
	b->placed = s->zones.nr > 0;
	line_set(b, BALANCE_MEM_FREE, FIGURE_MEM_FREE, figure_kb(b, FIGURE_MEM_FREE));
	/* In a container, meminfo is the container's and zoneinfo the machine's. In a damaged copy,
	 * the lists can be larger than MemTotal. The line is unknown in both cases. */
	b->unknown[BALANCE_PER_CPU_LISTS] = !b->placed || b->beliefs.container || pcp > b->total_kb;
	b->kb[BALANCE_PER_CPU_LISTS] = b->unknown[BALANCE_PER_CPU_LISTS] ? 0 : pcp;
	fill_user(s, b);
	line_set(b, BALANCE_HUGETLB, FIGURE_HUGETLB, hugetlb_kb(s, b));
	fill_kernel(s, b);
}

static double rest_kb(const struct balance *b)
{
	double rest = b->total_kb;

	for (size_t i = 0; i < BALANCE_REST; i++)
		rest -= b->kb[i];
	return rest;
}

/* Which memory may be in the rest. */
static void fill_suspects(const struct snapshot *s, const struct unlisted *u, struct balance *b)
{
	struct suspects_facts facts = {.s = s,
				       .unlisted = u,
				       .page_bytes = b->beliefs.page_bytes,
				       .total_kb = b->total_kb,
				       .rest_kb = rest_kb(b)};

	b->nr_candidates = suspects_find(&facts, b->candidates);
	b->percpu_first_kb = u && u->percpu_first_pages > 0
				     ? (double)u->percpu_first_pages * facts.page_bytes / 1024
				     : NAN;
}

/* No MemTotal: every figure is unknown. */
static void balance_nothing(struct balance *b)
{
	for (size_t i = 0; i < BALANCE_LINES; i++)
		b->kb[i] = NAN;
	b->percpu_first_kb = NAN;
	b->total_kb = b->vmalloc_used_kb = b->vmallocinfo_kb = b->cached_stacks_kb = NAN;
}

static void balance_start(const struct snapshot *s, const struct beliefs_hint *hint,
			  const struct unlisted *unlisted, struct balance *b)
{
	*b = (struct balance){.total_kb = (double)named_value_get(&s->meminfo, "MemTotal", 0)};
	beliefs_judge(s, hint, &b->beliefs);
	if (!(b->total_kb > 0)) { /* no share of it can be computed */
		balance_nothing(b);
		return;
	}
	balance_fill(s, b);
	fill_suspects(s, unlisted, b);
}

/* Some balloon drivers lower MemTotal by each page that they take, others do not. If the balloon is
 * larger than the rest, its driver must have lowered MemTotal. */
static bool balloon_fits(const struct balance *b)
{
	return isnan(b->total_kb) || rest_kb(b) >= figure_kb(b, FIGURE_BALLOON);
}

static void balance_finish(bool balloon, struct balance *b)
{
	if (isnan(b->total_kb))
		return;
	b->balloon_in_total = balloon;
	b->kb[BALANCE_BALLOON] = balloon ? figure_kb(b, FIGURE_BALLOON) : 0;
	b->kb[BALANCE_REST] = rest_kb(b);
	b->contradiction = b->kb[BALANCE_REST] < -beliefs_lag_kb(&b->beliefs);
}

void balance_build(const struct snapshot *s, const struct beliefs_hint *hint,
		   const struct unlisted *unlisted, struct balance *out)
{
	balance_start(s, hint, unlisted, out);
	balance_finish(balloon_fits(out), out);
}

void balance_pair(const struct snapshot *start, const struct snapshot *end,
		  const struct beliefs_hint *hint, struct balance *start_out,
		  struct balance *end_out)
{
	struct beliefs_hint both = *hint;
	bool balloon;

	/* A figure that is contradicted at one moment is believed at neither. Otherwise it would
	 * look like change. */
	both.distrusted |= beliefs_distrust(start, 1, hint) | beliefs_distrust(end, 1, hint);
	balance_start(start, &both, NULL, start_out);
	balance_start(end, &both, NULL, end_out);
	balloon = balloon_fits(start_out) && balloon_fits(end_out);
	balance_finish(balloon, start_out);
	balance_finish(balloon, end_out);
}

double balance_line_kb(const struct balance *b, enum balance_id line)
{
	return b->unknown[line] ? NAN : b->kb[line];
}

double balance_group_kb(const struct balance *b, enum balance_group group)
{
	double kb = 0;

	for (size_t i = 0; i < BALANCE_LINES; i++)
		if (balance_defs[i].group == group)
			kb += b->kb[i];
	return kb;
}
