/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the bytes of a held row's class belong: a byte is attributed once. Written by
 * record/classify.c, read by the model; the names are in docs/capture-format.md.
 */
#ifndef KMEMTRACE_DATA_CLASS_H
#define KMEMTRACE_DATA_CLASS_H

#include "data/pool.h"

enum class_place {
	CLASS_IN_POOL,   /* in the pool's own line of /proc/meminfo, and nowhere else */
	CLASS_SECONDARY, /* pagetable: in SecPageTables, not in PageTables */
	CLASS_SHARED,  /* in the pool's line, but another pool names who holds it: thread stacks in
			  VmallocUsed */
	CLASS_OUTSIDE, /* no bytes of this pool: address space only, another pool's backing, user
			  memory */
};

#define CLASS_PERCPU_BACKING "percpu-backing" /* of page: the population of Percpu */

/* Unknown classes are CLASS_IN_POOL. */
enum class_place class_place(enum pool pool, const char *class_);

#endif
