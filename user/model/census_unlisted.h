/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages in no line of /proc/meminfo: how many there are, what is known about them, and what is
 * not. Pure.
 */
#ifndef KMEMTRACE_MODEL_CENSUS_UNLISTED_H
#define KMEMTRACE_MODEL_CENSUS_UNLISTED_H

#include "model/census.h"

struct census_unlisted {
	double kb;         /* other pages beyond VmallocUsed and Percpu; NaN: not known */
	double found_kb;   /* of these, data in pipes and rings of sockets and perf events */
	double unknown_kb; /* the rest */
};

struct census_unlisted census_unlisted(const struct census_sheet *s);

/* The memory of an origin. */
struct census_figure census_origin_figure(const struct census *c,
					  const struct census_origin *origin);

/* Pages of a cgroup that are other or unmapped, in kB: those of no line, and vmalloc. */
double census_cgroup_unlisted_kb(const struct census_cgroup_row *row);

/* What a kind of origins is, for people: "data in pipes". */
const char *census_origin_words(const char *kind);

#endif
