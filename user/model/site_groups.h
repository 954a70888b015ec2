/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /proc/allocinfo says, by function: so two captures can be compared although lines of source
 * move from one kernel to the next. Pure.
 */
#ifndef KMEMTRACE_MODEL_SITE_GROUPS_H
#define KMEMTRACE_MODEL_SITE_GROUPS_H

#include "data/alloc_records.h"

struct site_group {
	char words[232]; /* "alloc_slab_page (mm/slub.c)", "f (drivers/x.c) [module]" */
	double bytes, calls;
};

struct site_groups {
	bool known;                  /* the kernel has /proc/allocinfo */
	ARRAY_OF(struct site_group); /* by name */
};

/* Returns 0 or −ENOMEM; on failure, `out` is unchanged. */
int site_groups_build(const struct alloc_records *r, struct site_groups *out);
void site_groups_free(struct site_groups *g);

#endif
