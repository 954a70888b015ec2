/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps those objects of a sample that look like a kind of the census: takes a census that looks at
 * each of them, with the same groups and types as `kmemtrace census`. Used by trace/refs.c.
 */
#ifndef KMEMTRACE_TRACE_REFS_KIND_H
#define KMEMTRACE_TRACE_REFS_KIND_H

#include "trace/plan.h"
#include "trace/refs_objects.h"
#include "trace/refs_options.h"

#define REFS_KIND_DRAWN 4000 /* objects that are looked at; each takes some microseconds */

/*
 * The objects are of one cache. The census takes at most a quarter of the budget, and counts as
 * part of the run. Returns 0; −ENOMSG if the census finds no kinds, or none of them fits; or
 * −errno.
 */
int refs_kind_keep(const struct plan *plan, const struct refs_options *options,
		   struct refs_run *run, struct refs_objects *o);

#endif
