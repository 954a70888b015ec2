// SPDX-License-Identifier: GPL-2.0-only
/* Builds each part of a report in order: see report_findings.h. Later parts use earlier ones. */
#include "findings/report_findings.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "findings/census_findings.h"
#include "findings/recording_findings.h"
#include "findings/unusual_levels.h"
#include "model/confidence.h"
#include "model/sampling.h"

#define TRUST_FIGURE 65536.0 /* bytes: smaller figures are in no verdict */
#define TRUST_SHARE \
	0.1 /* a cache with at least this share of held bytes can lower the report's trust */

/* Bytes that a cache holds of allocations since tracing began, with or without an event. */
static double cache_weight(const struct cache_row *cache)
{
	return cache->held_bytes + (cache->unseen_bytes > 0 ? cache->unseen_bytes : 0);
}

/* Does slabinfo say the same of each cache that matters? */
static bool caches_confirmed(const struct caches *caches, double all)
{
	bool any = false;

	for (size_t i = 0; i < caches->nr; i++) {
		double weight = cache_weight(&caches->items[i]);

		if (!(weight > 0) || weight < TRUST_SHARE * all)
			continue;
		any = true;
		if (!caches->items[i].trust.confirmed)
			return false;
	}
	return any;
}

/* The figures that the verdict gives: Slab's growth that was traced, and the largest group. */
static void trust_figures(struct report *r)
{
	const struct ledger_row *slab = &r->ledger.rows[LEDGER_SLAB];
	const struct growth_group *top = r->growth.nr ? r->growth.groups : NULL;
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
	double low, high, var = slab->attributed_sd_kb * slab->attributed_sd_kb;
	enum trust_level level;
	struct sampling sampling;

	sampling_of(&r->view, POOL_SLAB, &sampling);
	if (slab->delta_kb > TRUST_FIGURE / 1024 && !isnan(slab->attributed_kb)) {
		interval_weighted_at(1.959964, slab->attributed_kb, var, sampling.most / 1024, &low,
				     &high);
		level = trust_of_interval(slab->attributed_kb, low, high);
		if (level < TRUST_HIGH)
			trust_lower(&r->trust, level, "the %s held of Slab may be %s to %s",
				    units_bytes(a, slab->attributed_kb * 1024),
				    units_bytes(b, low * 1024), units_bytes(c, high * 1024));
	}
	if (!top || top->bytes < TRUST_FIGURE)
		return;
	level = trust_of_interval(top->bytes, top->bytes_low, top->bytes_high);
	if (level < TRUST_HIGH)
		trust_lower(&r->trust, level, "the largest call path's %s may be %s to %s",
			    units_bytes(a, top->bytes), units_bytes(b, top->bytes_low),
			    units_bytes(c, top->bytes_high));
}

static void report_trust(struct report *r)
{
	struct trust_facts capture = {.slabinfo_delta = NAN, .complete = r->view.complete};
	double all = 0, lost = losses_ratio(&r->losses);

	for (size_t i = 0; i < r->caches.nr; i++)
		all += cache_weight(&r->caches.items[i]);
	trust_judge(&capture, &r->trust);
	trust_losses(lost, caches_confirmed(&r->caches, all), &r->trust);
	r->trust.lost_ratio = lost;
	if (!r->view.at)
		trust_lower(&r->trust, TRUST_LOW, "nothing was traced");
	if (view_filter_left_nothing(&r->view))
		trust_lower(&r->trust, TRUST_LOW, "no allocation passed the filter");
	r->recorded_trust = r->trust;
	for (size_t i = 0; i < r->caches.nr; i++) {
		const struct cache_row *cache = &r->caches.items[i];
		double weight = cache_weight(cache);

		if (weight > 0 && weight >= TRUST_SHARE * all &&
		    cache->trust.level < r->trust.level)
			trust_lower(&r->trust, cache->trust.level, "%.40s: %s", cache->name,
				    cache->trust.reasons[cache->trust.deciding]);
	}
	trust_figures(r);
}

/* The census before the view; NULL: there is none. */
static const struct census_sheet *census_before(const struct report *r)
{
	const struct census_sheet *s = &r->census[CENSUS_AT_START];

	return s->census && !r->view.first ? s : NULL;
}

/* Holders are found by call path, whatever the report is grouped by. */
static int screen_fill(struct report *r)
{
	struct screen_facts facts = {.v = &r->view,
				     .losses = &r->losses,
				     .caches = &r->caches,
				     .ledger = &r->ledger,
				     .growth = &r->growth,
				     .recorded_trust = &r->recorded_trust,
				     .trust = &r->trust,
				     .exhaustion = &r->exhaustion,
				     .bpf = &r->bpf,
				     .before = census_before(r),
				     .like = &r->like,
				     .findings = &r->findings,
				     .verdict = &r->verdict};
	_cleanup_(growth_free) struct growth paths = {0};

	if (r->growth.by != GROWTH_BY_STACK) {
		if (growth_build(&r->view, &r->outstanding, GROWTH_BY_STACK, &paths))
			return -ENOMEM;
		facts.growth = &paths;
	}
	return first_screen_build(&facts, &r->screen);
}

/* What is not about growth as such; the verdict repeats some of it. */
static void report_find(struct report *r)
{
	struct findings *list = &r->findings;

	unusual_levels_build(&r->view, &r->holders, list);
	correlation_find(r->c, &r->correlation, list);
	witnesses_find(&r->witnesses, list);
	bpf_use_find(&r->bpf, &r->ledger, list);
	node_use_find(&r->nodes, list);
	if (capture_is_census(r->c) && r->census[CENSUS_AT_START].census)
		census_findings(&r->census[CENSUS_AT_START], list);
	recording_findings_build(&r->view, &r->losses, &r->liveness, list);
}

static int report_censuses(struct report *r)
{
	int err = 0;

	for (int moment = 0; moment < CENSUS_MOMENTS && !err; moment++)
		if (r->c->census[moment])
			err = census_sheet_build(r->c->census[moment], &r->census[moment]);
	if (r->c->census[CENSUS_AT_START] && r->c->census[CENSUS_AT_END])
		err = err
			      ?: census_delta_build(&r->census[CENSUS_AT_START],
						    &r->census[CENSUS_AT_END], &r->census_delta);
	if (r->c->census[CENSUS_AT_START])
		err = err ?: likeness_build(&r->census[CENSUS_AT_START], r->c, &r->like);
	return err;
}

static int report_fill(const struct view *v, enum growth_by by, struct report *r)
{
	struct verdict_facts facts = {.v = &r->view,
				      .losses = &r->losses,
				      .caches = &r->caches,
				      .ledger = &r->ledger,
				      .growth = &r->growth,
				      .history = &r->history,
				      .levels = &r->holders,
				      .trust = &r->trust,
				      .exhaustion = &r->exhaustion,
				      .proofs = &r->proofs};
	int err;

	r->c = v->c;
	r->view = *v;
	losses_sum(&r->view, &r->losses);
	liveness_build(&r->view, &r->liveness);
	if (outstanding_correct(r->view.at, &r->outstanding) ||
	    caches_build(&r->view, &r->outstanding, losses_ratio(&r->losses), &r->caches) ||
	    holders_build(&r->view, &r->outstanding, &r->holders) ||
	    ledger_build(&r->view, &r->outstanding, &r->caches, &r->holders, &r->ledger) ||
	    growth_build(&r->view, &r->outstanding, by, &r->growth) ||
	    history_build(&r->view, &r->growth, &r->history) ||
	    proofs_build(&r->view, &r->growth, &r->proofs) ||
	    exhaustion_build(&r->view, &r->findings, &r->exhaustion) ||
	    correlation_build(&r->view, &r->ledger, &r->correlation) ||
	    bpf_use_build(r->view.start, r->view.end, &r->bpf) || report_censuses(r))
		return -ENOMEM;
	witnesses_build(r->view.start, r->view.end, &r->witnesses);
	node_use_build(r->view.start, r->view.end, r->view.page_bytes, &r->nodes);
	report_trust(r);
	report_find(r);
	err = verdict_build(&facts, &r->findings, &r->verdict) ?: screen_fill(r);
	findings_sort(&r->findings);
	return err ?: r->findings.failed ? -ENOMEM : 0;
}

/* The parts point into each other, so fill `out` in place, and clear it on failure. */
int report_build(const struct view *v, enum growth_by by, struct report *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	err = report_fill(v, by, out);
	if (err)
		report_free(out);
	return err;
}

void report_free(struct report *r)
{
	outstanding_free(&r->outstanding);
	caches_free(&r->caches);
	holders_free(&r->holders);
	ledger_free(&r->ledger);
	growth_free(&r->growth);
	history_free(&r->history);
	proofs_free(&r->proofs);
	correlation_free(&r->correlation);
	bpf_use_free(&r->bpf);
	verdict_free(&r->verdict);
	for (int moment = 0; moment < CENSUS_MOMENTS; moment++)
		census_sheet_free(&r->census[moment]);
	census_delta_free(&r->census_delta);
	likeness_free(&r->like);
	findings_free(&r->findings);
	memset(r, 0, sizeof(*r));
}
