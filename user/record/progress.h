/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a recording says while it runs: which pool grew most, how many events, how many were lost. A
 * terminal gets one line that is rewritten; anything else a line a minute. The recorder calls it.
 */
#ifndef KMEMTRACE_RECORD_PROGRESS_H
#define KMEMTRACE_RECORD_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "data/snapshot.h"

#define PROGRESS_POOLS 6 /* the lines of /proc/meminfo that count pools */

struct progress {
	int64_t start_kb[PROGRESS_POOLS], now_kb[PROGRESS_POOLS];
	double shown_s;  /* when the line was last rewritten, */
	uint64_t events; /* and the number of events then */
	double logged_s; /* when a line was last logged */
};

struct progress_facts {
	double now_s, duration_s; /* 0: no limit */
	uint64_t events, outstanding, lost;
	double cpu_percent; /* NaN: not measured yet */
};

/* Take the pools' levels from a snapshot. */
void progress_levels(struct progress *p, const struct snapshot *s);

void progress_show(struct progress *p, const struct progress_facts *f);

/*
 * The line, in at most `columns` columns: what does not fit is left out from the end, piece by
 * piece. Returns buf.
 */
char *progress_line(const struct progress *p, const struct progress_facts *f, size_t columns,
		    char *buf, size_t size);

#endif
