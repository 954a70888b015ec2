// SPDX-License-Identifier: GPL-2.0-only
/* Which row of growth a proof is about: see proofs.h. */
#include "model/proofs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A group of several call paths is what its largest one is, if that has this share of it. */
#define PATH_SHARE 0.5

static bool group_has(const struct capture *c, const struct growth_group *g, const struct proof *p)
{
	if (g->pool != POOL_SLAB || !g->stacks.nr || g->stacks.items[0].id != p->stack ||
	    g->stack_share < PATH_SHARE)
		return false;
	for (size_t i = 0; i < g->caches.nr; i++)
		if (!strcmp(c->caches[g->caches.items[i].id].name, p->refs.cache))
			return true;
	return false;
}

static size_t group_find(const struct capture *c, const struct growth *g, const struct proof *p)
{
	for (size_t i = 0; i < g->nr; i++)
		if (group_has(c, &g->groups[i], p))
			return i;
	return PROOF_NO_GROUP;
}

static double proof_bytes(const struct proof_row *row)
{
	return (double)row->proof->refs.in_use * row->proof->refs.object_bytes;
}

/* Of one group: leaks first, because what it holds in other caches makes them no less; then the
 * cache with most memory. */
static int compare_proofs(const void *x, const void *y)
{
	const struct proof_row *a = x, *b = y;
	int leaks = refs_verdict_is_leak(b->sheet.verdict) - refs_verdict_is_leak(a->sheet.verdict);

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (leaks)
		return leaks;
	if (proof_bytes(a) != proof_bytes(b))
		return proof_bytes(a) < proof_bytes(b) ? 1 : -1;
	return a->proof < b->proof ? -1 : a->proof > b->proof;
}

int proofs_build(const struct view *v, const struct growth *g, struct proofs *out)
{
	const struct capture *c = v->c;
	struct proofs p = {0};

	if (!v->at || v->at != &c->checkpoints[c->nr_checkpoints - 1])
		return 0;
	for (size_t i = 0; i < c->proofs.nr; i++) {
		struct proof_row *row = ARRAY_PUSH(&p);

		if (!row) {
			proofs_free(&p);
			return -ENOMEM;
		}
		row->proof = &c->proofs.items[i];
		row->group = group_find(c, g, row->proof);
		refs_sheet_build(&row->proof->refs, &row->sheet);
	}
	if (p.nr)
		qsort(p.items, p.nr, sizeof(*p.items), compare_proofs);
	*out = p;
	return 0;
}

void proofs_free(struct proofs *p)
{
	ARRAY_FREE(p);
}

const struct proof_row *proofs_of_group(const struct proofs *p, size_t group)
{
	for (size_t i = 0; i < p->nr; i++)
		if (p->items[i].group == group)
			return &p->items[i];
	return NULL;
}
