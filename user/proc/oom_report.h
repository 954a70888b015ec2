/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the "Mem-Info" of OOM reports out of a kernel log (dmesg, dmesg -T, journalctl, syslog, a
 * serial console; wrapped, quoted or with other lines in between). Formats: mm/show_mem.c, before
 * 6.5 mm/page_alloc.c show_free_areas(); mm/oom_kill.c dump_tasks(); mm/slab_common.c
 * dump_unreclaimable_slab(); from 6.10 on "Memory allocations" of mm/show_mem.c. Pure.
 */
#ifndef KMEMTRACE_PROC_OOM_REPORT_H
#define KMEMTRACE_PROC_OOM_REPORT_H

#include <stddef.h>

#include "data/oom_report.h"

/*
 * Read the last complete report of a log; free it with oom_report_free(). Returns 0, −ENOMEM,
 * −ENOENT (no report), −ENODATA (only reports of memory cgroups, which say nothing of the machine)
 * or −EBADMSG (the only report is incomplete); *out is then untouched.
 */
int oom_report_parse(const char *buf, size_t len, struct oom_report *out);

#endif
