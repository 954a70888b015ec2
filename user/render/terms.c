// SPDX-License-Identifier: GPL-2.0-only
/* The table of words, in alphabetical order, and how it is printed: see terms.h. */
#include "render/terms.h"

#include <ctype.h>
#include <string.h>

const struct
	term
		terms
			[] =
				{
					{"audit", "objects looked up in the allocator itself",
					 "Some frees fire no event, so an object that was never seen freed may be free all the same. The audit looks objects up in the allocator's own free lists: live means in use, unseen free means that it was given back without an event. Figures of held memory are corrected by what it finds.",
					 "unseen free, held, trust"},
					{"balance",
					 "a sheet that counts each page of the machine once",
					 "The balance sheet splits MemTotal into free memory, memory of processes and files, each of the kernel's pools, and Unaccounted, so that nothing is counted twice and nothing is left out. It needs no recording.",
					 "pool, Unaccounted"},
					{"baseline", "an earlier capture to compare with",
					 "A baseline is a capture of a time when all was well, best of the same host under the same load. `kmemtrace diff BASE NEW` shows what changed; with --base-set it compares with several, and tells what is unusual from what always varies.",
					 "interval, noise"},
					{"cache", "a slab cache: objects of one kind or size",
					 "The slab allocator keeps objects of one kind (dentry, filp) or of one size (kmalloc-256) in a cache. The kernel may merge caches of equal size: the report then gives all names that share one. A cache's pages are counted in Slab.",
					 "Slab, reclaimable, overhead"},
					{"call path", "the functions that led to an allocation",
					 "A call path lists the kernel functions that were running when memory was allocated: the innermost first, the system call, interrupt or kernel thread last. The report adds up held memory by call path.",
					 "held, cache"},
					{"change", "size at the end, less size at the start",
					 "A pool's change is split up: held (allocated while tracing, not freed), old freed (older than the recording, freed meanwhile), overhead (of the allocator), and residual (what none of these explains).",
					 "held, old freed, overhead, residual"},
					{"exact", "a recording that tracks every object",
					 "With --exact, or for the caches of --cache, each object is tracked from its allocation to its free, so the figures are counts and not estimates. It costs more CPU time and memory than sampling.",
					 "sampled"},
					{"growing", "was still rising at the end of the recording",
					 "A pool or cache is called growing when its size rose by more than noise, through the whole recording and at its end. Its rate has a 95% interval. Other patterns are steady, step, drop, spike and sawtooth.",
					 "noise, leak, sawtooth"},
					{"held", "allocated while tracing and not freed yet",
					 "Held memory was allocated during the recording and was still in use at its end, as far as events and the audit can tell. It is not yet a leak: much of it is freed later. What is older than the recording is not held memory, though it may be most of a pool.",
					 "leak, audit, old freed"},
					{"interval",
					 "the range that holds the true value 95 times in 100",
					 "A sampled figure is an estimate. Its 95% interval holds the true value in 95 of 100 recordings. An interval that includes 0 may be sampling error alone. To make it narrower, record longer, or with --exact.",
					 "sampled, trust"},
					{"KernelStack", "one stack for each thread",
					 "Each thread has a kernel stack, 16 KiB on most machines, so KernelStack grows with the number of threads. Where stacks are vmalloc areas, VmallocUsed counts them a second time.",
					 "VmallocUsed, pool"},
					{"leak", "memory that keeps growing and is never freed",
					 "The report says that memory looks like a leak only when all of these hold: trust is high, the cache still grew at the end, the kernel cannot reclaim it, its objects were looked up and found live, they are as old as the growth, and the recording lasted at least 150 s.",
					 "growing, trust, reclaimable, audit"},
					{"lost",
					 "events that could not be counted", "An event is lost when a table is full, when events interrupt each other too deeply, or when a hook was paused to save CPU time. Each loss is counted and shown, and a share above 0.1% lowers trust.",
					 "trust, unseen free"},
					{"noise", "how much a size varies when nothing happens",
					 "Noise is the typical difference between a pool's size and its own trend. Changes below four times the noise are not called growth.",
					 "growing, baseline"},
					{"old freed", "older than the recording, freed during it",
					 "Memory that was allocated before the recording began and freed while it ran. It makes a pool shrink although nothing that was traced was freed.",
					 "change, held"},
					{"overhead", "what the allocator takes beside the objects",
					 "Slabs hold free slots, padding and metadata beside the objects in use, and CPUs keep free objects at hand. When objects are freed, their slabs often stay: overhead grows while objects shrink.",
					 "cache, change"},
					{"PageTables", "maps from virtual to physical memory",
					 "Each process needs page tables for the memory that it maps: 8 bytes for each 4 KiB page. Many processes that map the same large file, as databases do without huge pages, need one set each. SecPageTables are those of virtual machines and of devices.",
					 "pool"},
					{"Percpu", "memory that exists once for each CPU",
					 "Percpu is memory of which each CPU has its own copy: statistics, BPF maps, network devices, cgroups. Its size counts all copies, so on a host with many CPUs a small structure becomes large.",
					 "pool"},
					{"pool",
					 "a part of the kernel's memory with a counter of its own",
					 "The kernel counts its memory in pools, each a line of /proc/meminfo: Slab, VmallocUsed, KernelStack, PageTables, SecPageTables and Percpu. What no line counts is Unaccounted.",
					 "Slab, Unaccounted, change"},
					{"reclaimable",
					 "the kernel frees it when memory runs short",
					 "Caches of files, directories and inodes are reclaimable: the kernel frees their unused objects when memory is needed. They can grow until memory is full without doing harm. Objects in use are not freed, however.",
					 "cache, leak"},
					{"residual", "the part of a change that nothing explains",
					 "The residual is a pool's change, less everything that was measured: held, old freed and overhead. Near 0 means that the explanation is complete. A large residual means that memory came or went along a way that is not traced, or that estimates are uncertain: compare its interval.",
					 "change, interval, Unaccounted"},
					{"sampled", "a recording that tracks one object in many",
					 "By default kmemtrace tracks a random sample: one allocation for each so many bytes. It costs little, and sums over the samples are right on average, with an interval that says how far off they may be.",
					 "exact, interval"},
					{"sawtooth", "rises and falls again and again",
					 "A pool with this pattern is filled and emptied in turns, as by batch jobs or garbage collection. The difference between start and end says little about it.",
					 "growing"},
					{"Slab",
					 "objects of the kernel: files, sockets, inodes, buffers",
					 "Slab holds the kernel's objects: SReclaimable, which it can free when memory runs short, and SUnreclaim, which it cannot.",
					 "cache, reclaimable"},
					{"trust", "how far the figures can be relied on",
					 "High: at most 0.1% of events was lost, and traced objects agree with slabinfo or were looked up in the allocator. Fair and low give the reason. Below high, the report never calls anything a leak.",
					 "lost, leak, audit, interval"},
					{"Unaccounted",
					 "memory that no line of /proc/meminfo counts",
					 "MemTotal less everything that /proc/meminfo counts: pages that drivers, balloons, network page pools, ring buffers or graphics took from the page allocator directly. It varies by some MiB, because counters lag.",
					 "balance, pool"},
					{"unseen free", "a free that fired no event",
					 "Some kernel functions free memory without an event, in bulk or through RCU, and an event can be lost. The audit finds such objects, and the report counts them apart, so that they are not mistaken for held memory.",
					 "audit, lost, held"},
					{"VmallocUsed", "memory that is contiguous by address only",
					 "VmallocUsed counts the pages of large buffers: BPF maps, modules, file systems, hash tables, and thread stacks where these are vmalloc areas. /proc/vmallocinfo names the caller of each.",
					 "KernelStack, pool"},
};

const size_t nr_terms = sizeof(terms) / sizeof(terms[0]);

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		char c = *b == '_' || *b == '-' ? ' ' : *b;

		if (tolower((unsigned char)*a) != tolower((unsigned char)c))
			return false;
	}
	return *a == *b;
}

const struct term *term_find(const char *name)
{
	for (size_t i = 0; i < nr_terms; i++)
		if (same_name(terms[i].name, name))
			return &terms[i];
	return NULL;
}

void term_text(struct page *p, const struct term *t)
{
	page_heading(p, PAGE_BOLD, "%s: %s", t->name, t->brief);
	page_paragraph(p, 2, "%s", t->text);
	if (t->also[0])
		page_paragraph(p, 2, "See also: %s.", t->also);
}

void terms_list(struct page *p)
{
	page_heading(p, PAGE_BOLD, "TERMS  (kmemtrace explain TERM)");
	for (size_t i = 0; i < nr_terms; i++)
		fprintf(p->out, "  %-12s  %s\n", terms[i].name, terms[i].brief);
}
