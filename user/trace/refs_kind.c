// SPDX-License-Identifier: GPL-2.0-only
/* Which objects are of a kind: see refs_kind.h. */
#include "trace/refs_kind.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "trace/census.h"
#include "trace/kinds_tracked.h"

#define BUDGET_S     4.0  /* CPU time of the census, and of looking at objects, at most … */
#define BUDGET_SHARE 0.25 /* … and as a share of all that references may take */

/* Each object is a path of its own, so that the census tells the kind of each. */
static int kind_paths_build(const struct refs_objects *o, uint64_t direct,
			    struct tracked_objects *out)
{
	for (size_t i = 0; i < o->nr; i++) {
		struct tracked_object *object = ARRAY_PUSH(out);
		struct tracked_path *path = ARRAY_PUSH(&out->paths);

		if (!object || !path)
			return -ENOMEM;
		*object = (struct tracked_object){.cache = o->items[i].cache->address,
						  .address = o->items[i].start + direct,
						  .path = (uint32_t)i};
		*path = (struct tracked_path){.cache = o->items[i].cache->address,
					      .stack = (uint32_t)i + 1,
					      .tracked = 1,
					      .objects = 1};
	}
	return 0;
}

static int kind_census_take(const struct plan *plan, double budget_s,
			    const struct tracked_objects *tracked, struct census *out)
{
	double share_s = BUDGET_SHARE * budget_s;
	const struct census_options options = {.budget_s = share_s < BUDGET_S ? share_s : BUDGET_S,
					       .kinds = true,
					       .tracked = tracked};
	struct census_taker *taker = NULL;
	int err = census_taker_new(plan, true, &taker);

	err = err ?: census_taker_run(taker, &options, out);
	census_taker_free(taker);
	return err;
}

/* Keep the objects of the kinds that fit. */
static int kind_objects_keep(const struct census *c, const struct refs_options *options,
			     struct refs_objects *o)
{
	_cleanup_free_ bool *fits = calloc(o->nr + 1, sizeof(*fits));
	size_t nr = 0;

	if (!fits)
		return -ENOMEM;
	for (size_t i = 0; i < c->kinds.paths.nr; i++) {
		const struct census_path *p = &c->kinds.paths.items[i];

		if (p->kind != CENSUS_NO_KIND && p->stack && p->stack <= o->nr)
			fits[p->stack - 1] = options->kind_fits(options->kind_arg, c, p->kind);
	}
	for (size_t i = 0; i < o->nr; i++)
		if (fits[i])
			o->items[nr++] = o->items[i];
	log_debug("references: %zu of %zu objects are of the kind", nr, o->nr);
	o->nr = nr;
	return nr ? 0 : -ENOMSG;
}

/* CPU time of all other threads: a census counts in one of its own. */
static uint64_t kind_others_ns(void)
{
	return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - clock_thread_ns();
}

int refs_kind_keep(const struct plan *plan, const struct refs_options *options,
		   struct refs_run *run, struct refs_objects *o)
{
	uint64_t others_ns = kind_others_ns();
	_cleanup_(tracked_objects_free) struct tracked_objects tracked = {0};
	_cleanup_(census_free) struct census census = {0};
	int err = kind_paths_build(o, run->direct, &tracked);

	err = err ?: kind_census_take(plan, options->budget_s, &tracked, &census);
	run->census_ns += kind_others_ns() - others_ns;
	return err ?: kind_objects_keep(&census, options, o);
}
