/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of refs.bpf.c and user/trace/refs*.c share. The loader writes the targets, runs
 * a program, and reads the answers. Places in memory are bytes from the first page frame: as a
 * number, such a place never looks like a pointer, so the tables are no references themselves.
 */
#ifndef KMEMTRACE_REFS_SHARED_H
#define KMEMTRACE_REFS_SHARED_H

#include "kmemtrace.h"

#define KMT_REFS_TARGETS 2048 /* objects that one scan looks for: a power of two */
/*
 * The filter has a byte for each grain of memory, by the low bits of its number: is a target in it?
 * A grain of the direct map has 4 KiB; one of the array of struct page is a struct page.
 */
#define KMT_REFS_FILTER     65536
#define KMT_REFS_GRAIN      12
#define KMT_REFS_PAGE_GRAIN 6
#define KMT_REFS_DIRECT     1   /* a mark in the filter: part of a target is here */
#define KMT_REFS_PAGE       2   /* this page, or the slab that begins here, has a target */
#define KMT_REFS_WORDS      512 /* words read at a time, … */
#define KMT_REFS_GROUP      8   /* … in groups of so many */
#define KMT_REFS_GROUPS     (KMT_REFS_WORDS / KMT_REFS_GROUP)
#define KMT_REFS_BLOCKS     16 /* blocks of KMT_CENSUS_FRAMES page frames in one run */
#define KMT_REFS_SLABS      (KMT_REFS_BLOCKS * KMT_CENSUS_FRAMES)
#define KMT_REFS_KEPT       64    /* references of a kind to one object that a scan keeps */
#define KMT_REFS_HITS       65536 /* references kept in one run: more than a run can find */
#define KMT_REFS_ITEMS      16    /* objects or references checked in one run */
#define KMT_REFS_STACK      64    /* pages of a kernel stack */
/*
 * A run cannot be preempted. It ends when it has done so much work: a page frame counts 1, and
 * reading a page's words counts KMT_REFS_PAGE_WORK for every KMT_REFS_WORDS of them. In all, that
 * is about 30 µs.
 */
#define KMT_REFS_WORK      1200
#define KMT_REFS_PAGE_WORK 50

#define KMT_REFS_NOWHERE (1ull << 62) /* a place beyond all memory */

/* A target: its first byte, the byte after its last, and the first page frame of its slab. */
struct kmt_refs_target {
	__u64 start, end;
	__u64 slab;
};

/* Something points to a target. */
struct kmt_refs_hit {
	__u64 at; /* place of the word */
	__u32 target;
	__u16 class; /* enum kmt_page_class of the page */
	__u16 weak;  /* it points to the page of the target only */
};

/* A slab that was found. */
struct kmt_refs_slab {
	__u64 pfn;
	__u64 cache;
	__u32 used, objects;
};

/* An object to check. The loader fills in the first two members. */
struct kmt_refs_item {
	__u64 start; /* place */
	__u64 cache;
	__u64 hash;    /* of its contents */
	__u64 slab;    /* first page frame of its slab; of a live object */
	__u32 verdict; /* enum kmt_verdict */
	__u32 spare;
};

/* A reference to look at. The loader fills in the first two members. */
struct kmt_refs_source {
	__u64 at;           /* place of the word */
	__u64 target_cache; /* of the object that it points to */
	__u64 cache;        /* of the object that the word is in; 0: it is in no slab */
	__u64 start;        /* place of that object */
	__u32 class;
	__u32 verdict; /* of that object */
	__u32 sheaf;   /* it is a sheaf of the target's cache: no reference */
	__u32 spare;
};

struct kmt_refs {
	__u64 words[KMT_REFS_WORDS]; /* that were read */
	__u8 filter[KMT_REFS_FILTER];
	/* the loader's settings */
	__u64 direct;             /* address of the first page frame in the direct map */
	__u64 direct_bytes;       /* from there to the end of memory */
	__u64 pages, pages_bytes; /* the array of struct page; 0 bytes: do not look for these */
	__u32 targets_nr, spare0;
	struct kmt_refs_target
		targets[KMT_REFS_TARGETS]; /* sorted; those not used: KMT_REFS_NOWHERE */
	/* answers */
	__u64 next_pfn;                  /* where a run ended */
	__u64 scanned[KMT_PAGE_CLASSES]; /* pages read, by class */
	__u64 faults;                    /* pages that could not be read */
	__u32 refs[KMT_REFS_TARGETS];    /* references to each target */
	__u32 weak[KMT_REFS_TARGETS];    /* to a page of its slab */
	__u32 hits_nr, slabs_nr;
	__u64 work; /* of the current run */
	__u32 cache_merged;
	__u32 stack_nr;
	__u64 stack[KMT_REFS_STACK]; /* page frames of the loader's kernel stack */
	struct kmt_refs_item items[KMT_REFS_ITEMS];
	struct kmt_refs_source sources[KMT_REFS_ITEMS];
	struct kmt_refs_slab slabs[KMT_REFS_SLABS];
	struct kmt_refs_hit hits[KMT_REFS_HITS];
	__u32 groups[KMT_REFS_GROUPS]; /* that may have a pointer to a target */
	__u32 groups_nr, spare;
};

#endif
