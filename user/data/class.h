/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says by a held row's class which line of /proc/meminfo counts its bytes: the pool's own, another
 * or none. So each byte is attributed once. record/classify.c names the classes; capture/, model/
 * and findings/ ask class_place(). docs/capture-format.md lists the names.
 */
#ifndef KMEMTRACE_DATA_CLASS_H
#define KMEMTRACE_DATA_CLASS_H

#include "data/pool.h"

enum class_place {
	CLASS_IN_POOL,   /* in the pool's own line of /proc/meminfo only */
	CLASS_SECONDARY, /* pagetable: in SecPageTables, not in PageTables */
	CLASS_SHARED,    /* in the pool's line, but another pool shows its holder: thread stacks in
			    VmallocUsed */
	CLASS_OUTSIDE,   /* not in this pool: address space only, pages behind another pool, user
			    memory */
};

#define CLASS_PERCPU_BACKING "percpu-backing" /* class of POOL_PAGE: the pages behind Percpu */

/* CLASS_IN_POOL for classes that this version does not know. */
enum class_place class_place(enum pool pool, const char *class_);

#endif
