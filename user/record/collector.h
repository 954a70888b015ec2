/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turns the tables of the BPF side into the rows of a capture: it names addresses, adds up the live
 * objects by (pool, cache, stack, process) and weights samples. It remembers the names between
 * calls. The recorder calls it while tracing goes on, so it must never write to the tables.
 */
#ifndef KMEMTRACE_RECORD_COLLECTOR_H
#define KMEMTRACE_RECORD_COLLECTOR_H

#include "capture/capture.h"
#include "trace/audit.h"

struct collector;

/* Borrows all its arguments. */
int collector_new(struct tracer *t, const struct audit *a, struct capture_writer *w,
		  const char *proc_root, const char *sys_root, struct collector **out);
void collector_free(struct collector *d);

/*
 * Read what may soon be gone: command lines and cgroup paths of processes seen since the last call.
 * Called every second; cheap if nothing is new.
 */
int collector_notice(struct collector *d);

/*
 * Write one interval, from the start of the recording to end_s. end_s is the present time, in
 * seconds since pools were enabled. `not_watched` is the estimated number of events missed while
 * pools were paused. Returns 0 or −errno.
 */
int collector_checkpoint(struct collector *d, double end_s, uint64_t not_watched);

/* Store aliases and kind of caches that only slabinfo knows, so that the report can name them. */
int collector_other_caches(struct collector *d, const struct slab_levels *slabs);

/*
 * Store the paths of the cgroups that these processes are in. A process that allocated nothing is
 * in no table, and without this the report could only print the id of its cgroup.
 */
int collector_task_cgroups(struct collector *d, const struct task_levels *tasks);

/* The capture's id of the stack in a row of the tables; 0: there is none. Returns 0 or −errno. */
int collector_stack(struct collector *d, uint32_t row, uint32_t *id);

/* "ok", or why the frames have no names. Stored as META_STACKS. */
const char *collector_symbols_state(const struct collector *d);

#endif
