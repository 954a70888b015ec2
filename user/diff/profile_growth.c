// SPDX-License-Identifier: GPL-2.0-only
/* Fills a profile's growth: held memory and traffic, by call path or by --by. See profile.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "diff/profile_internal.h"

/* Objects younger than this may be in flight: an eighth of the recording, at least 1 s, at most 8
 * s. */
static double young_limit_s(double duration_s)
{
	return fmin(8, fmax(1, duration_s / 8));
}

/* Write the identity of a group's key. */
static void growth_identity(const struct profile_builder *b, const struct growth *g, uint32_t key,
			    bool loose, FILE *out)
{
	const struct capture *c = b->v->c;
	char path[4096];

	switch (g->by) {
	case GROWTH_BY_STACK:
		match_stack(b->m, c, key, loose, out);
		return;
	case GROWTH_BY_CACHE:
		fputs(match_cache(b->m, c->caches[key].name), out);
		return;
	case GROWTH_BY_SITE:
		match_frame(b->m, &c->frames[key], out);
		return;
	case GROWTH_BY_PROCESS:
		fputs(c->processes[key].comm, out);
		return;
	case GROWTH_BY_CGROUP:
		profile_cgroup_key(b, c->cgroups[key], path, sizeof(path));
		fputs(path, out);
		return;
	case GROWTH_BY_MODULE:
	case GROWTH_BY_SYSCALL:
		fputs(g->names.items[key], out);
		return;
	case GROWTH_BY_POOL:
	case GROWTH_BYS:
		return;
	}
}

/* "pool<sep>identity", malloc'ed, or NULL. */
static char *growth_key_text(const struct profile_builder *b, const struct growth *g,
			     enum pool pool, uint32_t key, bool loose)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s%c", pool_name(pool), MATCH_SEPARATOR);
	growth_identity(b, g, key, loose, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static struct profile_row *growth_row(struct profile_builder *b, const struct growth *g,
				      enum pool pool, const char *class_, uint32_t key,
				      uint32_t stack)
{
	struct profile_row *r = ARRAY_PUSH(&b->p->sections[PROFILE_GROWTH]);
	char *at;

	if (!r)
		return NULL;
	*r = (struct profile_row){.level = NAN,
				  .noise = NAN,
				  .change = NAN,
				  .level_objects = NAN,
				  .churn = NAN,
				  .churn_var = NAN,
				  .pool = pool,
				  .stack = stack};
	snprintf(r->class_, sizeof(r->class_), "%s", class_);
	r->key = growth_key_text(b, g, pool, key, false);
	if (!r->key)
		return NULL;
	if (g->by == GROWTH_BY_STACK && !b->brief && !match_same_kernel(b->m))
		r->loose = growth_key_text(b, g, pool, key, true);
	at = strchr(r->key, MATCH_SEPARATOR);
	r->name = strdup(g->by == GROWTH_BY_STACK  ? ""
			 : g->by == GROWTH_BY_POOL ? pool_name(pool)
			 : at                      ? at + 1
						   : "");
	r->cache = strdup("");
	r->who = strdup("");
	return r->name && r->cache && r->who ? r : NULL;
}

/* Bytes of the group's objects younger than `limit_s`; a bucket that it splits counts in part. */
static double young_bytes(const struct growth_group *g, double limit_s)
{
	double young = 0;

	for (size_t b = 0; b < AGE_BUCKETS && g->objects > 0; b++) {
		double low = b ? ldexp(1, (int)b - 1) : 0, high = ldexp(1, (int)b);

		young += g->age_hist[b] * fmin(1, fmax(0, (limit_s - low) / (high - low)));
	}
	return g->objects > 0 ? g->bytes * fmin(1, young / g->objects) : 0;
}

static int row_names(const struct profile_builder *b, const struct growth_group *group,
		     struct profile_row *r)
{
	const struct capture *c = b->v->c;
	uint32_t cache = group->caches.nr ? group->caches.items[0].id : 0;
	uint32_t process = group->processes.nr ? group->processes.items[0].id : 0;

	if (b->brief)
		return 0;
	if (group->pool == POOL_SLAB && cache) {
		free(r->cache);
		r->cache = strdup(c->caches[cache].name);
	}
	r->process = process;
	if (group->processes.nr && group->bytes > 0)
		r->who_share = fmin(group->processes.items[0].bytes / group->bytes, 1);
	r->cgroup = group->cgroups.nr ? group->cgroups.items[0].id : 0;
	if (process) {
		free(r->who);
		r->who = strdup(c->processes[process].comm);
	}
	return r->cache && r->who ? 0 : -ENOMEM;
}

/* index[]: the row of each (pool, key); UINT32_MAX: none yet. */
static int add_groups(struct profile_builder *b, const struct growth *g, uint32_t *index,
		      size_t keys)
{
	double young_s = young_limit_s(b->v->duration_s), bytes = 0, var = 0;

	for (size_t i = 0; i < g->nr; i++) {
		const struct growth_group *group = &g->groups[i];
		struct profile_row *r =
			growth_row(b, g, group->pool, group->class_, group->key,
				   group->stacks.nr ? group->stacks.items[0].id : 0);

		if (!r || row_names(b, group, r))
			return -ENOMEM;
		r->held = group->bytes;
		r->held_var = group->bytes_var;
		r->held_missed = group->bytes_missed;
		r->objects = group->objects;
		r->young = young_bytes(group, young_s);
		index[(size_t)group->pool * keys + group->key] =
			(uint32_t)(b->p->sections[PROFILE_GROWTH].nr - 1);
		bytes += group->traced_bytes;
		var += group->traced_var;
	}
	b->p->weight = bytes > 0 ? var / bytes : 0;
	return 0;
}

/*
 * The variance of a path's traffic. In captures that do not store it, each sample is taken to stand
 * for `weight` bytes.
 */
static double churn_variance(const struct profile *p, const struct cap_churn *churn)
{
	double allocs = churn->allocs, bytes = churn->alloc_bytes;
	double size = allocs > 0 ? bytes / allocs : 0, share, weight;

	if (!isnan(churn->alloc_bytes_var))
		return churn->alloc_bytes_var;
	if (!(p->sample_bytes > 0) || !(size > 0))
		return 0;
	share = -expm1(-size / p->sample_bytes);
	weight = fmax(size / share * (1 - share), p->weight);
	return bytes * weight;
}

static int add_churn(struct profile_builder *b, const struct growth *g, uint32_t *index,
		     size_t keys)
{
	const struct cap_checkpoint *at = b->v->at;

	for (size_t i = 0; at && i < at->churn.nr; i++) {
		const struct cap_churn *churn = &at->churn.items[i];
		uint32_t key = growth_traffic_key(g, b->v->c, churn->stack), *where;
		struct profile_row *r;

		if (key == UINT32_MAX)
			return 0; /* traffic is not counted by this dimension */
		where = &index[(size_t)churn->pool * keys + key];
		if (*where == UINT32_MAX) {
			if (!growth_row(b, g, churn->pool, "", key, churn->stack))
				return -ENOMEM;
			*where = (uint32_t)(b->p->sections[PROFILE_GROWTH].nr - 1);
		}
		r = &b->p->sections[PROFILE_GROWTH].items[*where];
		r->churn = profile_sum(r->churn, churn->alloc_bytes);
		r->churn_var = profile_sum(r->churn_var, churn_variance(b->p, churn));
	}
	return 0;
}

int profile_growth(struct profile_builder *b)
{
	_cleanup_(outstanding_free) struct outstanding outstanding = {0};
	_cleanup_(growth_free) struct growth g = {0};
	_cleanup_free_ uint32_t *index = NULL;
	size_t keys;

	if (!b->v->at)
		return 0;
	b->p->sections[PROFILE_GROWTH].measured = true;
	if (outstanding_correct(b->v->at, &outstanding) ||
	    growth_build(b->v, &outstanding, b->p->by, &g))
		return -ENOMEM;
	keys = growth_keys(&g, b->v->c);
	index = malloc(POOLS * (keys + 1) * sizeof(*index));
	if (!index)
		return -ENOMEM;
	memset(index, 0xff, POOLS * (keys + 1) * sizeof(*index));
	if (add_groups(b, &g, index, keys) || add_churn(b, &g, index, keys))
		return -ENOMEM;
	profile_finish(&b->p->sections[PROFILE_GROWTH]);
	return 0;
}
