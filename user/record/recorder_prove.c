// SPDX-License-Identifier: GPL-2.0-only
/* The proof at the end of a recording: see recorder_prove.h. */
#include "record/recorder_prove.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "trace/refs.h"
#include "trace/refs_prove.h"

/* A proof takes longer than its CPU time if the host is busy; then it is given up. */
#define WALL_BUDGETS 4
#define WALL_LEAST_S 10.0

/* Threads that scan ask whether to go on. */
struct prove_waiting {
	const struct recorder_proving *how;
	pthread_mutex_t lock;
	uint64_t until_ns;
	bool stopped, late;
};

static bool prove_is_over(void *arg)
{
	struct prove_waiting *w = arg;
	bool over;

	pthread_mutex_lock(&w->lock);
	w->stopped = w->stopped || w->how->stop(w->how->arg);
	w->late = w->late || clock_ns() > w->until_ns;
	over = w->stopped || w->late;
	pthread_mutex_unlock(&w->lock);
	return over;
}

/* Store what was found of each path. */
static int proofs_put(const struct recorder_proving *how, const struct tracked_objects *paths,
		      const struct refs *found)
{
	int err = 0;

	for (size_t i = 0; i < paths->paths.nr && !err; i++) {
		struct proof proof = {.refs = found[i]};

		err = collector_stack(how->collector, paths->paths.items[i].stack, &proof.stack);
		if (err || !proof.stack)
			continue;
		err = capture_put_proof(how->w, &proof);
		if (err == -EINVAL) /* it said so */
			err = 0;
	}
	return err;
}

/* Returns 0, or −errno if the capture cannot be written; `why` is "ok", or says why not. */
static int prove_paths(const struct recorder_proving *how, const struct prove_objects *objects,
		       char why[REFS_WHY_MAX])
{
	const struct recorder_options *o = how->options;
	struct prove_waiting waiting = {.how = how, .lock = PTHREAD_MUTEX_INITIALIZER};
	const struct refs_options options = {.budget_s = o->prove_budget_s,
					     .levels = REFS_LEVELS,
					     .stop = prove_is_over,
					     .arg = &waiting};
	const struct tracked_objects *paths = &objects->paths;
	_cleanup_free_ struct refs *found = calloc(paths->paths.nr, sizeof(*found));
	double wall_s = WALL_LEAST_S + o->prove_budget_s * WALL_BUDGETS;
	int err;

	if (!found)
		return -ENOMEM;
	if (!o->quiet)
		log_info("looking for what points to the objects of %zu call path%s",
			 paths->paths.nr, paths->paths.nr == 1 ? "" : "s");
	waiting.until_ns = clock_ns() + (uint64_t)(wall_s * 1e9);
	err = refs_prove(o->census_plan, &options, objects, found);
	if (err) {
		refs_failure(err, why);
		return 0;
	}
	if (waiting.stopped)
		snprintf(why, REFS_WHY_MAX, "a signal cut it short");
	else if (waiting.late)
		snprintf(why, REFS_WHY_MAX, "this host is so busy that it took too long");
	err = proofs_put(how, paths, found);
	for (size_t i = 0; i < paths->paths.nr; i++)
		refs_free(&found[i]);
	return err;
}

int recorder_prove(const struct recorder_proving *how)
{
	_cleanup_(prove_objects_free) struct prove_objects objects = {0};
	const struct recorder_options *o = how->options;
	char why[REFS_WHY_MAX] = "ok";
	int err = 0;

	if (!o->prove)
		return 0;
	if (o->census_refusal && o->census_refusal[0])
		snprintf(why, sizeof(why), "%s", o->census_refusal);
	else
		err = prove_objects_draw(tracer_tables(how->tracer), how->audit, &objects);
	if (!err && objects.paths.paths.nr)
		err = prove_paths(how, &objects, why);
	else if (!err && !strcmp(why, "ok"))
		snprintf(why, sizeof(why),
			 "no call path holds %d KiB or more, in %d or more tracked objects, of a "
			 "slab cache that the kernel cannot reclaim",
			 PROVE_PATH_BYTES / 1024, PROVE_OBJECTS_LEAST);
	if (err == -ENOMEM)
		return limits_no_memory("proving what is leaked");
	if (err)
		return err;
	if (strcmp(why, "ok") != 0)
		log_warn("--prove could not check all that it should: %s", why);
	return capture_put_meta(how->w, META_PROOF, why);
}
