// SPDX-License-Identifier: GPL-2.0-only
/* The audit's sample: see choice.h. */
#include "live/choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define GROUP_BITS   15
#define GROUPS	     (1u << GROUP_BITS)
#define GROUP_PROBES 32

/* Objects of one cache and path; what does not fit lies in row 0. */
struct group {
	uint32_t path;
	uint16_t cache;
	bool used;
	uint32_t total, looked;
	uint32_t want, again; /* to be taken yet: of the sample, and of those looked at before */
	uint32_t left;	      /* not yet met at the second reading */
	uint64_t bytes;
};

struct choice {
	uint64_t random;
	struct group groups[GROUPS];
};

struct choice *choice_new(uint64_t seed)
{
	struct choice *c = calloc(1, sizeof(*c));

	if (c)
		c->random = seed | 1;
	return c;
}

void choice_free(struct choice *c)
{
	free(c);
}

/* xorshift64*: Vigna (2016). Below n. */
static uint32_t random_below(struct choice *c, uint32_t n)
{
	c->random ^= c->random >> 12;
	c->random ^= c->random << 25;
	c->random ^= c->random >> 27;
	return ((c->random * 0x2545F4914F6CDD1Dull >> 32) * n) >> 32;
}

static struct group *group_of(struct choice *c, uint32_t path, uint16_t cache)
{
	uint32_t h = ((uint64_t)path << 16 | cache) * 0x9E3779B97F4A7C15ull >> (64 - GROUP_BITS);

	for (uint32_t i = 0; i < GROUP_PROBES; i++) {
		struct group *g = &c->groups[(h + i) & (GROUPS - 1)];

		if (g == c->groups)
			continue;
		if (!g->used)
			*g = (struct group){.path = path, .cache = cache, .used = true};
		if (g->path == path && g->cache == cache)
			return g;
	}
	return c->groups;
}

void choice_begin(struct choice *c)
{
	memset(c->groups, 0, sizeof(c->groups));
}

void choice_count(struct choice *c, uint32_t path, uint16_t cache, uint64_t size, bool looked)
{
	struct group *g = group_of(c, path, cache);

	g->total++;
	g->looked += looked;
	g->bytes += size;
}

static int compare_bytes(const void *x, const void *y)
{
	const struct group *a = *(struct group *const *)x, *b = *(struct group *const *)y;

	return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The sample of a group, and the second look; false when there is no room for the sample. */
static bool group_plan(struct group *g, uint64_t *room)
{
	uint64_t all = g->total,
		 want = least(all, 1 + all * CHOICE_SAMPLE / (all + CHOICE_SAMPLE - 1));

	if (want > *room)
		return false;
	g->want = want;
	*room -= want;
	g->again = least(*room, least(g->looked, least(all - want, want)));
	*room -= g->again;
	return true;
}

/* Look it up whole, if there is room. */
static bool group_whole(struct group *g, uint64_t *room)
{
	uint64_t planned = g->want + g->again;

	if (g->total > *room + planned)
		return false;
	*room -= g->total - planned;
	g->want = g->total;
	g->again = 0;
	return true;
}

/* Give it what room there is, which is not enough for all of it. */
static void group_extend(struct group *g, uint64_t *room)
{
	uint64_t planned = *room + g->want + g->again;

	g->again = least(g->looked, planned / 2);
	g->want = planned - g->again;
	*room = 0;
}

int choice_plan(struct choice *c, uint64_t room)
{
	_cleanup_free_ struct group **by_bytes = calloc(GROUPS, sizeof(*by_bytes));
	struct group *first = NULL;
	size_t nr = 0, planned = 0;

	if (!by_bytes)
		return -ENOMEM;
	for (uint32_t i = 0; i < GROUPS; i++) {
		c->groups[i].left = c->groups[i].total;
		if (c->groups[i].total)
			by_bytes[nr++] = &c->groups[i];
	}
	qsort(by_bytes, nr, sizeof(*by_bytes), compare_bytes);
	while (planned < nr && group_plan(by_bytes[planned], &room))
		planned++;
	for (size_t i = 0; i < planned; i++)
		if (!group_whole(by_bytes[i], &room) && !first)
			first = by_bytes[i];
	if (first)
		group_extend(first, &room);
	return 0;
}

enum chosen choice_take(struct choice *c, uint32_t path, uint16_t cache, bool looked)
{
	struct group *g = group_of(c, path, cache);
	bool sampled;

	if (!g->left)
		return CHOSEN_NOT; /* came since it was counted */
	/* Selection sampling: Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S. */
	sampled = g->want && (g->want >= g->left || random_below(c, g->left) < g->want);
	g->left--;
	if (sampled) {
		g->want--;
		return CHOSEN_SAMPLE;
	}
	if (!looked || !g->again)
		return CHOSEN_NOT;
	g->again--;
	return CHOSEN_AGAIN;
}
