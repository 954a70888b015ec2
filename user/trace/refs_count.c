// SPDX-License-Identifier: GPL-2.0-only
/* Counts the objects of parts, and chooses each part's control: see refs_count.h. */
#include "trace/refs_count.h"

#include "base/log.h"

#define CONTROL_CACHE 4 /* objects of one part that tell whether it may leak, too */

bool refs_count_object(const struct refs_known *k, struct refs_counts *c)
{
	const struct refs_outcome none = {0}, *first = k->first ?: &none, *second = k->second;
	uint32_t strong = second->strong + first->strong;
	uint32_t weak = second->weak + first->weak;
	bool own_kind =
		strong && second->own + first->own == strong && !second->more && !first->more;

	if (!k->object->live || !k->object->sure) {
		c->freed++;
		return false;
	}
	c->checked++;
	c->own_kind += own_kind;
	if (own_kind && k->dropped && !weak && !k->object->changed) {
		c->dropped++;
		return false;
	}
	if (strong)
		return true;
	if (weak)
		c->weak++;
	else if (k->object->changed)
		c->changed++;
	else {
		c->unreferenced++;
		return false;
	}
	return true;
}

static void refs_counts_add(struct refs_counts *to, const struct refs_counts *c)
{
	to->checked += c->checked;
	to->unreferenced += c->unreferenced;
	to->weak += c->weak;
	to->own_kind += c->own_kind;
	to->dropped += c->dropped;
	to->changed += c->changed;
	to->freed += c->freed;
}

/*
 * Other caches, and other call paths, can be leaked, too, for the same reason as what the user asks
 * about: those of which nothing points to most objects do not show what the scan can see.
 */
static bool refs_part_is_lost(const struct refs_part *p)
{
	return p->as != REFS_CONTROL_YOUNG && p->counts.checked >= CONTROL_CACHE &&
	       2 * p->counts.unreferenced > p->counts.checked;
}

/* Add up other parts: those of the same cache, or those of other caches. */
static struct refs_counts refs_control_sum(const struct refs_parts *parts, uint32_t part, bool same)
{
	const struct refs_cache *own = parts->items[part].cache;
	struct refs_counts sum = {0};

	for (uint32_t i = 0; i < parts->nr; i++) {
		const struct refs_part *p = &parts->items[i];

		if (i == part || (p->cache == own) != same ||
		    (!same && p->as != REFS_CONTROL_OTHER))
			continue;
		if (refs_part_is_lost(p))
			log_debug("references: the control is without %s: %llu of %llu objects",
				  p->cache->name, (unsigned long long)p->counts.unreferenced,
				  (unsigned long long)p->counts.checked);
		else
			refs_counts_add(&sum, &p->counts);
	}
	return sum;
}

void refs_control_choose(const struct refs_parts *parts, uint32_t part, struct refs *out)
{
	const struct refs_cache *own = parts->items[part].cache;

	out->control = refs_control_sum(parts, part, true);
	if (out->control.checked >= REFS_CONTROL_LEAST) {
		out->control_kind = REFS_CONTROL_PATHS;
		for (size_t i = 0; i < parts->nr; i++)
			if (parts->items[i].as == REFS_CONTROL_YOUNG &&
			    parts->items[i].cache == own)
				out->control_kind = REFS_CONTROL_YOUNG;
		return;
	}
	out->control = refs_control_sum(parts, part, false);
	out->control_kind =
		out->control.checked >= REFS_CONTROL_LEAST ? REFS_CONTROL_OTHER : REFS_CONTROL_NONE;
}
