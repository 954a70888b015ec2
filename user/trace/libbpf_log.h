/* SPDX-License-Identifier: GPL-2.0-only */
/* What libbpf says while programs are loaded: to the log, and its first warning for our message. */
#ifndef KMEMTRACE_TRACE_LIBBPF_LOG_H
#define KMEMTRACE_TRACE_LIBBPF_LOG_H

/* Listen from now on, and forget what was said before. */
void libbpf_log_begin(void);
/* The first warning since then; "" if there was none. */
const char *libbpf_log_first(void);

#endif
