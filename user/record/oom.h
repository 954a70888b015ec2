/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * While a recording runs, the kernel's OOM killer takes the recorder before anything else: the host
 * is short of memory when it is run, and what it traces matters more than the trace. What was
 * committed until then can be read.
 */
#ifndef KMEMTRACE_RECORD_OOM_H
#define KMEMTRACE_RECORD_OOM_H

/* Be the first that the OOM killer takes. A failure is a debug message: it is no reason not to
 * record. */
void oom_first(void);
/* Be as we were when oom_first() was first called: for as long as COMMAND is started, which must
 * not inherit it. */
void oom_as_before(void);

#endif
