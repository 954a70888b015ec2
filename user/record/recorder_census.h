/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two censuses of a recording: one before tracing begins, one after it has ended. The recorder
 * calls these. No failure here may end a recording: where there is no census, one note says so, and
 * the capture says why.
 */
#ifndef KMEMTRACE_RECORD_RECORDER_CENSUS_H
#define KMEMTRACE_RECORD_RECORDER_CENSUS_H

#include "capture/capture.h"
#include "record/options.h"
#include "trace/census.h"
#include "trace/kinds_tracked.h"

struct recorder_census {
	struct census_taker *taker; /* NULL: there will be none */
	double budget_s;
	bool wanted;
	char why[CENSUS_WHY_MAX]; /* why there is none; "" */
};

/* Load the programs, while that is still permitted. */
void recorder_census_begin(struct recorder_census *c, const struct recorder_options *o);
/* How to take one of the two. */
struct recorder_census_how {
	enum census_moment moment;
	struct capture_writer *w;
	bool (*stop)(void *arg); /* asked often; if it says so, the census is given up */
	void *arg;
	const struct tracked_objects *tracked; /* NULL: none */
};
/*
 * Take the census and put it into the capture. Returns 0, also if there is no census; or −errno if
 * the capture cannot be written.
 */
int recorder_census_take(struct recorder_census *c, const struct recorder_census_how *how);
void recorder_census_end(struct recorder_census *c);

#endif
