// SPDX-License-Identifier: GPL-2.0-only
/* Finds facts in a capture and frees it: see capture.h. */
#include "data/capture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/class.h"

const char *capture_meta(const struct capture *c, const char *key)
{
	for (size_t i = 0; i < c->meta.nr; i++)
		if (!strcmp(c->meta.items[i].key, key))
			return c->meta.items[i].value;
	return "";
}

const char *capture_why(const struct capture *c, const char *key)
{
	const char *why = capture_meta(c, key);

	return why[0] && strcmp(why, "ok") != 0 ? why : NULL;
}

bool capture_is_census(const struct capture *c)
{
	return !strcmp(capture_meta(c, META_MODE), MODE_CENSUS);
}

/* Possible numbers of a machine. Numbers outside of these ranges are unknown. */
static bool meta_plausible(const char *key, double v)
{
	static const struct {
		const char *key;
		double min, max;
	} ranges[] = {
		{META_CPUS, 1, 1 << 20},         {META_POSSIBLE, 1, 1 << 20},
		{META_PAGE_SIZE, 1024, 1 << 20}, {META_PERIOD, 0, 1e15},
		{META_OVERHEAD, 0, 1e6},         {META_SAMPLING, 0, 1e6},
		{META_OWN_BYTES, 0, 1e15},       {META_UPTIME, 0, 1e12},
		{META_START, 0, 1e12},           {META_EXACT_UNTIL, 0, 1e12},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (!strcmp(key, ranges[i].key))
			return v >= ranges[i].min && v <= ranges[i].max;
	return v - v == 0;
}

double capture_meta_number(const struct capture *c, const char *key, double missing)
{
	const char *text = capture_meta(c, key);
	char *end;
	double v = strtod(text, &end);

	return end == text || *end || !meta_plausible(key, v) ? missing : v;
}

struct cap_checkpoint *capture_checkpoint_near(const struct capture *c, double t_s)
{
	struct cap_checkpoint *best = NULL;
	double distance = fabs(t_s);

	for (size_t i = 0; i < c->nr_checkpoints; i++) {
		if (fabs(c->checkpoints[i].end_s - t_s) >= distance)
			continue;
		distance = fabs(c->checkpoints[i].end_s - t_s);
		best = &c->checkpoints[i];
	}
	return best;
}

size_t checkpoint_briefs(const struct cap_checkpoint *at)
{
	return at->is_brief ? at->brief.nr : at->held.nr;
}

struct cap_brief checkpoint_brief(const struct cap_checkpoint *at, size_t i)
{
	const struct cap_held *h;

	if (at->is_brief)
		return at->brief.items[i];
	h = &at->held.items[i];
	return (struct cap_brief){.pool = h->pool,
				  .place = class_place(h->pool, h->class_),
				  .cache = h->cache,
				  .stack = h->stack,
				  .process = h->process,
				  .bytes = h->bytes};
}

static void checkpoint_free(struct cap_checkpoint *i)
{
	for (size_t n = 0; n < i->losses.nr; n++)
		free(i->losses.items[n].name);
	ARRAY_FREE(&i->brief);
	ARRAY_FREE(&i->held);
	ARRAY_FREE(&i->churn);
	ARRAY_FREE(&i->cache_churn);
	ARRAY_FREE(&i->losses);
}

static void cap_caches_free(struct cap_cache *caches, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(caches[i].name);
		for (size_t n = 0; n < caches[i].aliases.nr; n++)
			free(caches[i].aliases.items[n]);
		ARRAY_FREE(&caches[i].aliases);
	}
	free(caches);
}

/* The tables that rows refer to by id. */
static void tables_free(struct capture *c)
{
	for (size_t i = 0; i < c->nr_frames; i++) {
		free(c->frames[i].symbol);
		free(c->frames[i].module);
		free(c->frames[i].build_id);
	}
	free(c->frames);
	for (size_t i = 0; i < c->nr_stacks; i++)
		free(c->stacks[i].frames);
	free(c->stacks);
	cap_caches_free(c->caches, c->nr_caches);
	for (size_t i = 0; i < c->nr_processes; i++) {
		free(c->processes[i].comm);
		free(c->processes[i].cmdline);
	}
	free(c->processes);
	for (size_t i = 0; i < c->nr_cgroups; i++)
		free(c->cgroups[i]);
	free(c->cgroups);
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->meta.nr; i++) {
		free(c->meta.items[i].key);
		free(c->meta.items[i].value);
	}
	ARRAY_FREE(&c->meta);
	for (size_t i = 0; i < c->nr_snapshots; i++)
		snapshot_free(&c->snapshots[i]);
	free(c->snapshots);
	tables_free(c);
	for (size_t i = 0; i < c->nr_hooks; i++) {
		free(c->hooks[i].name);
		free(c->hooks[i].how);
		free(c->hooks[i].reason);
		free(c->hooks[i].cost);
	}
	free(c->hooks);
	for (size_t i = 0; i < c->nr_checkpoints; i++)
		checkpoint_free(&c->checkpoints[i]);
	free(c->checkpoints);
	for (int moment = 0; moment < CENSUS_MOMENTS; moment++) {
		if (c->census[moment])
			census_free(c->census[moment]);
		free(c->census[moment]);
	}
	for (size_t i = 0; i < c->proofs.nr; i++)
		refs_free(&c->proofs.items[i].refs);
	ARRAY_FREE(&c->proofs);
	source_lines_free(c->lines);
	free(c);
}
