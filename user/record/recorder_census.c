// SPDX-License-Identifier: GPL-2.0-only
/* The censuses of a recording: see recorder_census.h. */
#include "record/recorder_census.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "trace/lenses.h"

/* A census takes longer than its CPU time if the host is busy; then it is given up, because the
 * recording must begin, and end, in time. */
#define WALL_MOST_S  3.0
#define WALL_BUDGETS 4
/* Of smaller kinds, no types are found: it would take longer than the rest. */
#define TYPED_SHARE 0.0005

void recorder_census_begin(struct recorder_census *c, const struct recorder_options *o)
{
	int err;

	c->budget_s = o->census_budget_s;
	c->wanted = !o->no_census;
	if (!c->wanted) {
		snprintf(c->why, sizeof(c->why), "it was left out (--no-census)");
		return;
	}
	snprintf(c->why, sizeof(c->why), "%s", o->census_refusal ?: "");
	if (!c->why[0]) {
		err = census_taker_new(o->census_plan, true, &c->taker);
		if (err)
			census_failure(-err, c->why);
	}
	if (!c->taker)
		log_warn("no census, only a recording: %s; --no-census leaves it out", c->why);
}

struct census_waiting {
	bool (*stop)(void *arg);
	void *arg;
	uint64_t until_ns;
	bool stopped, late;
};

static bool is_over(void *arg)
{
	struct census_waiting *w = arg;

	w->stopped = w->stop && w->stop(w->arg);
	w->late = clock_ns() > w->until_ns;
	return w->stopped || w->late;
}

static void explain(struct recorder_census *c, enum census_moment moment,
		    const struct census_waiting *waiting, int err)
{
	if (waiting->stopped)
		snprintf(c->why, sizeof(c->why), "a signal cut the census at the %s short",
			 census_moment_name(moment));
	else if (waiting->late)
		snprintf(c->why, sizeof(c->why),
			 "this host is so busy that the census at the %s took too long",
			 census_moment_name(moment));
	else
		census_failure(err, c->why);
	if (!waiting->stopped)
		log_warn("no census at the %s of the recording: %s", census_moment_name(moment),
			 c->why);
}

int recorder_census_take(struct recorder_census *c, const struct recorder_census_how *how)
{
	double wall_s = c->budget_s * WALL_BUDGETS;
	struct census_waiting waiting = {
		.stop = how->stop, .arg = how->arg, .until_ns = clock_ns()};
	const struct census_options options = {.budget_s = c->budget_s,
					       .stop = is_over,
					       .arg = &waiting,
					       .lenses = true,
					       .lenses_share = LENSES_SHARE,
					       .kinds = true,
					       .typed_share = TYPED_SHARE,
					       .tracked = how->tracked};
	_cleanup_(census_free) struct census census = {0};
	int err;

	waiting.until_ns += (uint64_t)((wall_s > WALL_MOST_S ? wall_s : WALL_MOST_S) * 1e9);
	if (c->taker) {
		err = census_taker_run(c->taker, &options, &census);
		if (err)
			explain(c, how->moment, &waiting, -err);
		else
			log_debug(
				"census at the %s: %.0f ms, %.0f ms of one CPU and %.0f ms for kinds",
				census_moment_name(how->moment), census.took_s * 1000,
				census.cpu_s * 1000, census.kinds.cpu_s * 1000);
		err = err ? 0 : capture_put_census(how->w, how->moment, &census);
		if (err && err != -EINVAL) /* it refuses what it could not read, and said so */
			return err;
		if (err)
			snprintf(c->why, sizeof(c->why), "its figures were out of range");
	}
	return capture_put_meta(how->w, META_CENSUS, c->why[0] ? c->why : "ok");
}

void recorder_census_end(struct recorder_census *c)
{
	census_taker_free(c->taker);
	c->taker = NULL;
}
