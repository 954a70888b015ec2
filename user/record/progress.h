/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints the progress of a recording: the pool that grew most, the number of events, and how many
 * were lost. On a terminal one line is updated; elsewhere one line is printed per minute. The
 * recorder calls it.
 */
#ifndef KMEMTRACE_RECORD_PROGRESS_H
#define KMEMTRACE_RECORD_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "data/pool.h"
#include "data/snapshot.h"

struct progress {
	/* of pool_labels; 0 for what /proc/meminfo has not (Unaccounted) */
	int64_t start_kb[POOL_LABELS], now_kb[POOL_LABELS];
	double shown_s;  /* time of the last update of the line, */
	uint64_t events; /* and the number of events then */
	double logged_s; /* time of the last logged line */
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
 * Compose the line in at most `columns` columns. Pieces at the end that do not fit are left out.
 * Returns buf.
 */
char *progress_line(const struct progress *p, const struct progress_facts *f, size_t columns,
		    char *buf, size_t size);

#endif
