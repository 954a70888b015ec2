/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Suspects of Unaccounted: memory that no line of the balance sheet has, but that some other figure
 * of the kernel counts or hints at. balance.c calls it last. Pure.
 */
#ifndef KMEMTRACE_MODEL_SUSPECTS_H
#define KMEMTRACE_MODEL_SUSPECTS_H

#include <stdbool.h>

#include "data/snapshot.h"
#include "data/unlisted.h"

#define BALANCE_CANDIDATES 24

/* Memory that is part of Unaccounted and that some other figure of the kernel counts. */
struct balance_candidate {
	const char *name;
	double kb;    /* NaN: nothing counts it, but there are signs of it */
	bool at_most; /* part of it may be in other lines */
	const char *source;
	const char *explain;
	char detail[UNLISTED_SITE]; /* who or where, as the kernel names it; "" none */
};

struct suspects_facts {
	const struct snapshot *s;
	const struct unlisted *unlisted; /* NULL: not read */
	double page_bytes;
	double total_kb, rest_kb;
};

/* Fill out[BALANCE_CANDIDATES], largest first. If Unaccounted is large, a suspect without a size
 * comes before all others. Returns how many. */
size_t suspects_find(const struct suspects_facts *f, struct balance_candidate *out);

#endif
