/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From which size on a level is out of the ordinary: a few times what ordinary machines show. The
 * report (unusual_levels.c) and the balance sheet (level_findings.c) use the same limits;
 * docs/interpretation.md explains where each comes from.
 */
#ifndef KMEMTRACE_FINDINGS_LEVEL_LIMITS_H
#define KMEMTRACE_FINDINGS_LEVEL_LIMITS_H

#include <math.h>

#define STACK_SHARE          1.5 /* of threads × THREAD_SIZE */
#define STACK_MEMORY         0.02
#define PAGE_TABLE_SHARE     0.05 /* of mapped memory; dense mappings need 1/512 */
#define PAGE_TABLE_LEAST_KB  65536.0
#define SLAB_UNRECLAIM_SHARE 0.1
#define SLAB_RECLAIM_SHARE   0.3
#define PERCPU_EACH_KB       8192.0 /* per possible CPU */
#define VMALLOC_SHARE        0.05
#define LEVEL_LEAST_KB       65536.0 /* less is nothing to act on, even on a small machine */

/*
 * THREAD_SIZE: 16 KiB on x86-64 (arch/x86/include/asm/page_64_types.h), and on arm64 a page if that
 * is more (arch/arm64/include/asm/memory.h, THREAD_SHIFT).
 */
static inline double level_stack_kb(double page_bytes)
{
	return fmax(16, page_bytes / 1024);
}

#endif
