/* SPDX-License-Identifier: GPL-2.0-only */
/* What a search for references may be told. Commands fill it in. */
#ifndef KMEMTRACE_TRACE_REFS_OPTIONS_H
#define KMEMTRACE_TRACE_REFS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct census;

#define REFS_OBJECTS      385 /* the default of --objects: ± 5 %, 95 times in 100 */
#define REFS_OBJECTS_MOST 1500
#define REFS_THREADS_MOST 64
#define REFS_BUDGET_S     10.0 /* the default of --refs-budget */
#define REFS_LEVELS       2    /* … and of --levels */
#define REFS_LEVELS_MOST  8

struct refs_options {
	const char *cache;
	size_t objects;  /* to look for */
	double budget_s; /* CPU time that it may take; 0: no limit */
	uint32_t
		threads; /* that scan at the same time; 0: as many as the size of memory suggests */
	uint32_t levels; /* scans for what holds what points to the objects, at most */
	/* Look only at objects of kinds for which this is true; NULL: at all of the cache. */
	bool (*kind_fits)(void *arg, const struct census *c, uint32_t kind);
	void *kind_arg;
	bool (*stop)(void *arg); /* asked often, in any thread: stop looking? NULL: never */
	void *arg;
};

#endif
