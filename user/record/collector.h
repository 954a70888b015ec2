/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the tables of the BPF side to the rows of a capture: names addresses, adds up the live
 * objects by (pool, cache, stack, process), weighs samples. Keeps what it has named between calls.
 * Reads only; the trace goes on meanwhile.
 */
#ifndef KMEMTRACE_RECORD_COLLECTOR_H
#define KMEMTRACE_RECORD_COLLECTOR_H

#include "capture/capture.h"
#include "trace/audit.h"

struct collector;

/* All are borrowed. */
int collector_new(struct tracer *t, const struct audit *a, struct capture_writer *w,
		  const char *proc_root, const char *sys_root, struct collector **out);
void collector_free(struct collector *d);

/*
 * Look at what may soon be gone: command lines and cgroup paths of processes seen since the last
 * call. Cheap when there is nothing new; called every second.
 */
int collector_notice(struct collector *d);

/*
 * Write one interval that began at start_s and ends now, end_s after the gate opened, in which
 * about so many events went by while nothing was attached.
 */
int collector_checkpoint(struct collector *d, double start_s, double end_s, uint64_t not_watched);

/* Caches that only slabinfo knows: their aliases and kind, so that the report can name them. */
int collector_other_caches(struct collector *d, const struct slab_levels *slabs);

/* "ok", or why the frames have no names: for META_STACKS. */
const char *collector_symbols_state(const struct collector *d);

#endif
