// SPDX-License-Identifier: GPL-2.0-only
/* Trust in a difference: see diff_trust.h. The rules themselves are in model/trust.c. */
#include "findings/diff_trust.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "model/caches.h"
#include "model/losses.h"
#include "model/outstanding.h"

/* Lower the trust to that of one of its captures. `of` begins the reason. */
static void lower_to(struct trust *t, const struct trust *side, const char *of)
{
	if (side->level < t->level && side->nr_reasons)
		trust_lower(t, side->level, "%s%.80s", of, side->reasons[side->deciding]);
	else if (side->level < t->level)
		trust_lower(t, side->level, "%strust is %s", of, trust_name(side->level));
}

static const struct cache_row *trust_cache_find(const struct caches *caches, const char *name)
{
	for (size_t i = 0; i < caches->nr; i++) {
		const struct cache_row *row = &caches->items[i];

		if (!strcmp(row->cap ? row->cap->name : row->name, name))
			return row;
	}
	return NULL;
}

/* The trust in one cache of a capture, as a report of it says; without a cache, in the capture. */
static int side_trust(const struct view *v, const char *cache, struct trust *out)
{
	_cleanup_(outstanding_free) struct outstanding outstanding = {0};
	_cleanup_(caches_free) struct caches caches = {0};
	struct trust t = {.level = TRUST_HIGH};
	const struct cache_row *row;
	struct losses losses;

	losses_sum(v, &losses);
	trust_losses(losses_ratio(&losses), false, &t);
	if (!v->complete)
		trust_lower(&t, TRUST_FAIR, "the capture is incomplete");
	if (cache && cache[0]) {
		if (outstanding_correct(v->at, &outstanding) ||
		    caches_build(v, &outstanding, losses_ratio(&losses), &caches))
			return -ENOMEM;
		row = trust_cache_find(&caches, cache);
		if (row)
			t = row->trust;
	}
	*out = t;
	return 0;
}

int diff_trust(const struct diff *d, const struct diff_row *row, struct trust *out)
{
	const struct diff_figure *f = &row->growth;
	struct trust t = {.level = TRUST_HIGH}, side;
	char low[UNITS_MAX], high[UNITS_MAX];
	enum trust_level level;

	if (d->in.new_view->at) {
		if (side_trust(d->in.new_view, row->new_ ? row->new_->cache : NULL, &side))
			return -ENOMEM;
		lower_to(&t, &side, "");
	}
	if (d->in.base_view && d->in.base_view->at) {
		const char *cache = row->base && row->base->held > 0 ? row->base->cache : NULL;

		if (side_trust(d->in.base_view, cache, &side))
			return -ENOMEM;
		lower_to(&t, &side, "in the base, ");
	}
	level = trust_of_interval(f->delta, f->low, f->high);
	if (level < t.level)
		trust_lower(&t, level, "the difference may be %s/s to %s/s",
			    units_bytes(low, f->low), units_bytes(high, f->high));
	*out = t;
	return 0;
}
