// SPDX-License-Identifier: GPL-2.0-only
/* The audit's sample: see audit_sample.h. */
#include "trace/audit_sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/random.h"

#define GROUP_BITS   15
#define GROUPS       (1u << GROUP_BITS)
#define GROUP_PROBES 32

/* Objects of one cache and stack. Row 0 collects the groups that do not fit. */
struct sample_group {
	uint32_t stack;
	uint16_t cache;
	bool used;
	uint32_t total, checked;
	uint32_t want, again; /* still to take: for the sample, and for a second check */
	uint32_t left;        /* not yet seen in the second pass */
	uint64_t bytes;
};

struct audit_sample {
	uint64_t random;
	struct sample_group groups[GROUPS];
};

struct audit_sample *audit_sample_new(uint64_t seed)
{
	struct audit_sample *c = calloc(1, sizeof(*c));

	if (c)
		c->random = seed | 1;
	return c;
}

void audit_sample_free(struct audit_sample *c)
{
	free(c);
}

static struct sample_group *group_of(struct audit_sample *c, uint32_t stack, uint16_t cache)
{
	uint32_t h = ((uint64_t)stack << 16 | cache) * 0x9E3779B97F4A7C15ull >> (64 - GROUP_BITS);

	for (uint32_t i = 0; i < GROUP_PROBES; i++) {
		struct sample_group *g = &c->groups[(h + i) & (GROUPS - 1)];

		if (g == c->groups)
			continue;
		if (!g->used)
			*g = (struct sample_group){.stack = stack, .cache = cache, .used = true};
		if (g->stack == stack && g->cache == cache)
			return g;
	}
	return c->groups;
}

void audit_sample_begin(struct audit_sample *c)
{
	memset(c->groups, 0, sizeof(c->groups));
}

void audit_sample_count(struct audit_sample *c, uint32_t stack, uint16_t cache, uint64_t size,
			bool checked)
{
	struct sample_group *g = group_of(c, stack, cache);

	g->total++;
	g->checked += checked;
	g->bytes += size;
}

static int compare_bytes(const void *x, const void *y)
{
	const struct sample_group *a = *(struct sample_group *const *)x,
				  *b = *(struct sample_group *const *)y;

	return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : 0;
}

static uint64_t fewest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Plan a group's sample and its second checks. False if there is no room for the sample. */
static bool group_plan(struct sample_group *g, uint64_t sample, uint64_t *room)
{
	uint64_t all = g->total, want = fewest(all, 1 + all * sample / (all + sample - 1));

	if (want > *room)
		return false;
	g->want = want;
	*room -= want;
	g->again = fewest(*room, fewest(g->checked, fewest(all - want, want)));
	*room -= g->again;
	return true;
}

/* Take the whole group if there is room. */
static bool group_whole(struct sample_group *g, uint64_t *room)
{
	uint64_t planned = g->want + g->again;

	if (g->total > *room + planned)
		return false;
	*room -= g->total - planned;
	g->want = g->total;
	g->again = 0;
	return true;
}

/* Give the remaining room to a group that is too large to take whole. */
static void group_extend(struct sample_group *g, uint64_t *room)
{
	uint64_t planned = *room + g->want + g->again;

	g->again = fewest(g->checked, planned / 2);
	g->want = planned - g->again;
	*room = 0;
}

int audit_sample_plan(struct audit_sample *c, uint64_t room, uint64_t sample)
{
	_cleanup_free_ struct sample_group **by_bytes = calloc(GROUPS, sizeof(*by_bytes));
	struct sample_group *first = NULL;
	size_t nr = 0, planned = 0;

	if (!by_bytes)
		return -ENOMEM;
	for (uint32_t i = 0; i < GROUPS; i++) {
		c->groups[i].left = c->groups[i].total;
		if (c->groups[i].total)
			by_bytes[nr++] = &c->groups[i];
	}
	qsort(by_bytes, nr, sizeof(*by_bytes), compare_bytes);
	while (planned < nr && group_plan(by_bytes[planned], sample, &room))
		planned++;
	for (size_t i = 0; i < planned; i++)
		if (!group_whole(by_bytes[i], &room) && !first)
			first = by_bytes[i];
	if (first)
		group_extend(first, &room);
	return 0;
}

enum chosen audit_sample_take(struct audit_sample *c, uint32_t stack, uint16_t cache, bool checked)
{
	struct sample_group *g = group_of(c, stack, cache);
	bool sampled;

	if (!g->left)
		return CHOSEN_NOT; /* allocated since the first pass */
	/* Selection sampling: Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S. */
	sampled = g->want &&
		  (g->want >= g->left || (uint32_t)random_below(&c->random, g->left) < g->want);
	g->left--;
	if (sampled) {
		g->want--;
		return CHOSEN_SAMPLE;
	}
	if (!checked || !g->again)
		return CHOSEN_NOT;
	g->again--;
	return CHOSEN_AGAIN;
}
