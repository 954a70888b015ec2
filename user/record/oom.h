/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes the recorder the OOM killer's first victim while it records. The host is often short of
 * memory then, and its services matter more than the trace. Everything committed until then stays
 * readable.
 */
#ifndef KMEMTRACE_RECORD_OOM_H
#define KMEMTRACE_RECORD_OOM_H

/*
 * Become the OOM killer's first victim. A failure only prints a debug message; recording goes on.
 */
void oom_first(void);
/*
 * Restore the value from before the first oom_first(). Used while COMMAND is started, which must
 * not inherit ours.
 */
void oom_as_before(void);

#endif
