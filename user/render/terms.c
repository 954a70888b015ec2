// SPDX-License-Identifier: GPL-2.0-only
/* The table of words, in alphabetical order, and how it is printed: see terms.h. */
#include "render/terms.h"

#include <ctype.h>
#include <string.h>

const struct term terms[] = {
	{"audit", "objects checked in the allocator itself",
	 "Some frees fire no event, so an object can be free although its free was not seen. The "
	 "audit looks objects up in the allocator's own free lists. Live means in use; unseen free "
	 "means freed without an event. The report uses the results to correct the figures of held "
	 "memory.",
	 "unseen free, held, trust"},
	{"balance", "a table that counts each page of the machine once",
	 "The balance sheet divides MemTotal into free memory, memory of processes and files, each "
	 "of the kernel's pools, and Unaccounted. Each page is counted exactly once. `kmemtrace "
	 "balance` prints it and needs no recording.",
	 "pool, Unaccounted"},
	{"baseline", "an earlier capture to compare with",
	 "A baseline is a capture from a time without problems. It is best if host and load are "
	 "the same. `kmemtrace diff BASE NEW` shows what changed. With --base-set, it compares "
	 "with several captures, and so distinguishes unusual values from normal variation.",
	 "interval, noise"},
	{"cache", "a slab cache: objects of one type or size",
	 "The slab allocator keeps objects of one type (dentry, filp) or of one size (kmalloc-256) "
	 "in a cache. The kernel may merge caches of equal size; the report then shows all names "
	 "of the merged cache. Slab counts the pages of all caches.",
	 "Slab, reclaimable, overhead"},
	{"call path", "the functions that led to an allocation",
	 "A call path lists the kernel functions that were running when memory was allocated. The "
	 "innermost function is first; the system call, interrupt or kernel thread is last. The "
	 "report sums held memory by call path.",
	 "held, cache"},
	{"change", "size at the end minus size at the start",
	 "The change of a pool is split into held (allocated while tracing, not freed), old freed "
	 "(older than the recording, freed during it), overhead (of the allocator), and residual "
	 "(what none of these explains).",
	 "held, old freed, overhead, residual"},
	{"exact", "a recording that tracks every object",
	 "With --exact, or for the caches of --cache, each object is tracked from its allocation "
	 "to its free, so the figures are counts and not estimates. It costs more CPU time and "
	 "memory than sampling.",
	 "sampled"},
	{"growing", "still rising at the end of the recording",
	 "A pool or cache is growing if its size rose throughout the recording, was still rising "
	 "at its end, and rose by more than four times the noise. Its rate has a 95% interval. "
	 "Other patterns are steady, step, drop, spike and sawtooth.",
	 "noise, leak, spike, sawtooth"},
	{"held", "allocated while tracing and not freed yet",
	 "Held memory was allocated during the recording and was still in use at its end, as far "
	 "as events and the audit show. It is not necessarily a leak: much of it is freed later. "
	 "Memory that is older than the recording is not held memory, although it may be most of a "
	 "pool.",
	 "leak, audit, old freed"},
	{"interval", "the range that contains the true value 95 times in 100",
	 "A sampled figure is an estimate. Its 95% interval contains the true value in 95 of 100 "
	 "recordings. If an interval includes 0, the figure may be nothing but sampling error. To "
	 "make the interval narrower, record for longer, or with --exact.",
	 "sampled, trust"},
	{"KernelStack", "one stack for each thread",
	 "Each thread has a kernel stack, 16 KiB on most machines, so KernelStack grows with the "
	 "number of threads. If stacks are vmalloc areas, VmallocUsed counts them a second time.",
	 "VmallocUsed, pool"},
	{"leak", "memory that keeps growing and is never freed",
	 "The report says that memory looks like a leak only if all of these hold: trust is high, "
	 "the cache was still growing at the end, the kernel cannot reclaim it, its objects were "
	 "checked and found live, they are as old as the growth, and the recording lasted at least "
	 "150 s. With record --prove, whether anything points to its objects decides instead.",
	 "growing, trust, reclaimable, audit"},
	{"lost", "events that could not be recorded",
	 "An event is lost if a table is full, if too many events interrupt each other on one CPU, "
	 "or if a hook was paused to save CPU time. The report counts and shows each loss. If more "
	 "than 0.1% of events are lost, trust is lower, unless slabinfo shows the same objects.",
	 "trust, unseen free"},
	{"new memory", "what came to a pool during the recording",
	 "New memory is what was allocated during the recording and is still held. If the pool grew "
	 "by more than that, the growth is the new memory, and a part of it was not traced. Memory "
	 "that is older than the recording is not in it.",
	 "held, old freed, residual"},
	{"noise", "how much a size varies when nothing happens",
	 "Noise is the typical difference between the size of a pool and its own trend. Changes "
	 "below four times the noise are not called growth.",
	 "growing, baseline"},
	{"old freed", "older than the recording, freed during it",
	 "Old freed memory was allocated before the recording and freed during it. It makes a pool "
	 "shrink although no traced memory was freed.",
	 "change, held"},
	{"overhead", "memory that the allocator needs in addition to the objects",
	 "Slabs contain not only objects in use, but also free slots, padding and metadata, and "
	 "CPUs keep free objects ready. If objects are freed, their slabs often stay: the memory "
	 "of objects then shrinks while the overhead grows.",
	 "cache, change"},
	{"PageTables", "tables that map virtual to physical memory",
	 "Each process needs page tables for the memory that it maps: 8 bytes for each page of 4 "
	 "KiB. If many processes map the same large file without huge pages, as databases do, each "
	 "process needs its own tables. SecPageTables are the tables of virtual machines and "
	 "devices.",
	 "pool"},
	{"Percpu", "memory that exists once for each CPU",
	 "Each CPU has its own copy of Percpu memory: statistics, BPF maps, network devices, "
	 "cgroups. Percpu counts all copies, so a small structure becomes large on a host with "
	 "many CPUs.",
	 "pool"},
	{"pool", "a part of the kernel's memory with its own counter",
	 "The kernel counts its memory in pools. These pools are lines of /proc/meminfo: Slab, "
	 "VmallocUsed, KernelStack, PageTables, SecPageTables and Percpu. Two more are computed: "
	 "UnmappedLRU is the memory of pages that are only on LRU lists; Unaccounted is memory "
	 "that no line counts.",
	 "Slab, Unaccounted, change"},
	{"reclaimable", "memory that the kernel can free when it runs short",
	 "Caches of files, directories and inodes are reclaimable: the kernel frees their unused "
	 "objects when it needs memory. They may fill all free memory, and this is no problem. But "
	 "objects that are in use are not freed.",
	 "cache, leak"},
	{"residual", "the part of a change that nothing explains",
	 "The residual is the change of a pool minus everything that was measured: held, old freed "
	 "and overhead. If it is near 0, the explanation is complete. A large residual means that "
	 "memory was allocated or freed in a way that is not traced, or that estimates are "
	 "uncertain: check its interval.",
	 "change, interval, Unaccounted"},
	{"sampled", "a recording that tracks a random part of the objects",
	 "By default, kmemtrace tracks a random sample: on average, one allocation for every N "
	 "bytes that are allocated. Call sites are divided into groups, and each group has its own "
	 "N. Where objects stay, N is small, and often every object is tracked. Where objects are freed at once, N is large. kmemtrace "
	 "adapts N to the CPU time that tracing takes. Sampling costs little. Sums over the samples are right on average, and their interval "
	 "shows how uncertain they are.",
	 "exact, interval"},
	{"sawtooth", "rises and falls again and again",
	 "A pool with this pattern is filled and emptied in turn, for example by batch jobs or "
	 "garbage collection. The difference between start and end says little about it.",
	 "growing"},
	{"Slab", "objects of the kernel: files, sockets, inodes, buffers",
	 "Slab contains the kernel's objects. It has two parts: SReclaimable, which the kernel can "
	 "free when memory runs short, and SUnreclaim, which it cannot.",
	 "cache, reclaimable"},
	{"spike", "rose, and fell again",
	 "A pool with this pattern rose during the recording and gave most of it back before the "
	 "end. Drop means that it fell; step means that it rose once and then kept its new size.",
	 "growing, sawtooth, noise"},
	{"trust", "how reliable the figures are",
	 "High means that at most 0.1% of events were lost, and that traced objects agree with "
	 "slabinfo or were checked in the allocator. If trust is fair or low, the report says why, "
	 "and calls nothing a leak. TRUST on the first screen is that of the headline. Trust in the "
	 "whole report, in the verdict, is that of its least certain figure, so it may be lower.",
	 "lost, leak, audit, interval"},
	{"Unaccounted", "memory that no line of /proc/meminfo counts",
	 "Unaccounted is MemTotal minus everything that /proc/meminfo counts: pages that drivers, "
	 "balloons, network page pools, ring buffers or graphics took directly from the page "
	 "allocator. It varies by some MiB, because the kernel updates its counters late.",
	 "balance, pool"},
	{"UnmappedLRU", "pages that are only on the kernel's LRU lists",
	 "No process maps these pages, and no cache has them. A process pinned them for a device "
	 "and then unmapped them (RDMA, vhost, io_uring), or they leaked. The kernel cannot "
	 "reclaim them. Most machines have a few MiB at most.",
	 "pool, Unaccounted"},
	{"unseen free", "a free that fired no event",
	 "Some kernel functions free memory without an event, in bulk or through RCU; and an event "
	 "can be lost. The audit finds such objects, and the report counts them separately, so "
	 "that they are not mistaken for held memory.",
	 "audit, lost, held"},
	{"VmallocUsed", "memory that is contiguous only in virtual addresses",
	 "VmallocUsed counts the pages of large buffers: BPF maps, modules, file systems, hash "
	 "tables, and thread stacks if these are vmalloc areas. /proc/vmallocinfo names the caller "
	 "of each buffer.",
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
