// SPDX-License-Identifier: GPL-2.0-only
/* A hash table of groups with a limit, and its fallback to coarser groups. See groups.h. */
#define HASH_FUNCTION HASH_JEN
#include "record/groups.h"

#include <stdlib.h>

static struct live_group *group_by_key(const struct live_groups *groups,
				       const struct group_key *key)
{
	struct live_group *g;

	/* NOLINTNEXTLINE(clang-analyzer-core.*): no part of the key is unset */
	HASH_FIND(hh, groups->by_key, key, sizeof(*key), g);
	return g;
}

struct live_group *groups_find(const struct live_groups *groups, const struct group_key *key)
{
	struct group_key less = *key;
	struct live_group *g = group_by_key(groups, &less);

	if (g || !groups->merged)
		return g;
	less.process = 0;
	g = group_by_key(groups, &less);
	less.stack = 0;
	return g ?: group_by_key(groups, &less);
}

struct live_group *groups_get(struct live_groups *groups, const struct kmt_object *o)
{
	struct group_key key = {
		.stack = o->stack, .process = o->process, .cache = o->cache, .pool = o->pool};
	struct live_group *g = group_by_key(groups, &key);

	if (!g && groups->nr >= groups->most / 4 * 3) {
		key.process = 0;
		g = group_by_key(groups, &key);
	}
	if (!g && groups->nr >= groups->most) {
		key.stack = 0;
		g = group_by_key(groups, &key);
	}
	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->key = key;
	HASH_ADD(hh, groups->by_key, key, sizeof(g->key), g);
	groups->nr++;
	return g;
}

bool group_is_of(const struct live_group *g, const struct kmt_object *o)
{
	return g->key.stack == o->stack && g->key.process == o->process &&
	       g->key.cache == o->cache && g->key.pool == o->pool;
}

void groups_free(struct live_groups *groups)
{
	HASH_FREE(groups->by_key);
	*groups = (struct live_groups){};
}
