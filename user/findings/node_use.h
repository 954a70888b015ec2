/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of each NUMA node, each page once, as the balance sheet has it for the machine:
 * levels, what is unaccounted on the node, and how these changed. Only where there is more than one
 * node. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_NODE_USE_H
#define KMEMTRACE_FINDINGS_NODE_USE_H

#include <stdbool.h>

#include "data/snapshot.h"
#include "findings/finding.h"

enum node_line {
	NODE_LINE_FREE,    /* MemFree, and the free pages on per-CPU lists */
	NODE_LINE_LRU,     /* processes and files: the LRU lists */
	NODE_LINE_HUGE,    /* hugetlbfs pages of the default size */
	NODE_LINE_SLAB,    /* Slab */
	NODE_LINE_VMALLOC, /* by vmallocinfo, thread stacks included */
	NODE_LINE_STACKS,  /* KernelStack, where stacks are not vmalloc areas; else 0 */
	NODE_LINE_TABLES,  /* PageTables and SecPageTables */
	NODE_LINE_PERCPU,  /* Percpu, divided up by the CPUs of the nodes */
	NODE_LINE_OTHER,   /* other reclaimable, compressed swap, bounce buffers, FUSE */
	NODE_LINE_REST,    /* MemTotal minus all above */
	NODE_LINES
};

#define NODE_TEXT_MAX 256

struct node_row {
	int node;
	double cpus, total_kb;
	double kb[NODE_LINES];       /* at the end; NaN: not known */
	double start_kb[NODE_LINES]; /* NaN for a single moment, */
	double delta_kb[NODE_LINES]; /* and so is the change since */
};

struct node_use {
	struct node_row rows[NODES_MAX];
	size_t nr; /* 0, or at least 2 */
	bool is_pair;
	char text[NODE_TEXT_MAX]; /* where most of a growth is; "" where nothing stands out */
};

const char *node_line_name(enum node_line line); /* in JSON, without "_kb" */

/* `start` may be NULL. */
void node_use_build(const struct snapshot *start, const struct snapshot *end, double page_bytes,
		    struct node_use *out);
/* Append a finding if the growth is not spread over the nodes. */
void node_use_find(const struct node_use *u, struct findings *list);

#endif
