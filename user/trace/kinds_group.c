// SPDX-License-Identifier: GPL-2.0-only
/* Groups of objects that are alike: see kinds_group.h. */
#include "trace/kinds_group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define GROUPS_MOST   24
#define UNLIKE_MOST   0.3 /* of the evidence may speak against joining a group */
#define SLOT_SHARE    0.1 /* of a group's objects have what counts as its own */
#define VECTOR_LEAST  3   /* pointers in a vector, on average */
#define VECTOR_SHARE  0.97
#define REPEATS_LEAST 2    /* words that repeat in an array of structs */
#define FOLDED        1000 /* objects of a group of elements */

void kinds_names_free(struct kinds_names *n)
{
	ARRAY_FREE(&n->functions);
	ARRAY_FREE(&n->tables);
	ARRAY_FREE(&n->caches);
}

void kind_groups_free(struct kind_groups *g)
{
	for (size_t i = 0; i < g->nr; i++)
		ARRAY_FREE(&g->items[i].members);
	ARRAY_FREE(g);
}

static bool words_same(const struct kind_word *a, const struct kind_word *b)
{
	return a->class == b->class && a->id == b->id && a->at == b->at;
}

static bool class_is_number(uint32_t class)
{
	return class == KIND_SMALL || class == KIND_HALF || class == KIND_OTHER;
}

static bool class_names_code(uint32_t class)
{
	return class == KIND_FUNCTION || class == KIND_TABLE;
}

/* How much it says that two objects have the same in a word. */
static double word_weight(const struct kind_word *w)
{
	if (class_names_code(w->class))
		return 3;
	if (w->class == KIND_ZERO)
		return 0.02;
	return kind_class_points(w->class) ? 1 : 0;
}

static bool class_is_list(uint32_t class)
{
	return class == KIND_SELF || class == KIND_NEIGHBOUR || class == KIND_SLAB ||
	       class == KIND_POISON;
}

/* How much it says against one kind that a word of two objects differs. Infinite: never one. */
static double words_unlike(const struct kind_word *a, const struct kind_word *b)
{
	if (class_names_code(a->class) && class_names_code(b->class))
		return 1e9;
	if (a->class == KIND_ZERO || b->class == KIND_ZERO) {
		const struct kind_word *other = a->class == KIND_ZERO ? b : a;

		if (class_names_code(other->class) || other->class == KIND_SELF)
			return 1;
		return kind_class_points(other->class) ? 0.2 : 0.02;
	}
	if (class_is_number(a->class) && class_is_number(b->class))
		return 0;
	if (class_names_code(a->class) || class_names_code(b->class))
		return 2;
	if (class_is_number(a->class) != class_is_number(b->class))
		return 1;
	if (class_is_list(a->class) && class_is_list(b->class))
		return 0.3; /* a list with entries, or without */
	return 0.5;
}

/* ---- groups ---- */

static double slot_share(const struct kind_group *g, const struct kind_slot *s, uint32_t i)
{
	return (double)s->seen[i].objects / g->objects;
}

/* The share of the evidence that speaks against the object being of the group. */
static double group_unlike(const struct kind_group *g, const struct kind_word *object)
{
	double like = 0, unlike = 0;

	for (uint32_t w = 0; w < g->words; w++) {
		const struct kind_slot *s = &g->slots[w];
		double least = s->nr ? words_unlike(&s->seen[0].word, &object[w]) : 0;
		bool same = false;

		for (uint32_t i = 0; i < s->nr && !same; i++) {
			double other = words_unlike(&s->seen[i].word, &object[w]);

			same = words_same(&s->seen[i].word, &object[w]) &&
			       slot_share(g, s, i) >= SLOT_SHARE;
			if (other > 1e8)
				least = other;
		}
		if (same)
			like += word_weight(&object[w]);
		else
			unlike += least;
	}
	return like + unlike > 0 ? unlike / (like + unlike) : 0;
}

static void slot_add(struct kind_slot *s, const struct kind_word *from, uint32_t objects)
{
	struct kind_word word = *from;
	uint32_t i = 0;

	if (!kind_class_points(word.class)) {
		for (uint32_t b = 0; b < 8; b++)
			s->bytes[b] += word.shape >> b & 1 ? objects : 0;
		word.shape = 0;
	}
	while (i < s->nr && memcmp(&s->seen[i].word, &word, sizeof(word)) != 0)
		i++;
	if (i == KIND_SEEN)
		return;
	if (i == s->nr) {
		s->nr++;
		s->seen[i].word = word;
		s->seen[i].objects = 0;
	}
	s->seen[i].objects += objects;
	for (; i && s->seen[i].objects > s->seen[i - 1].objects; i--) {
		__typeof__(s->seen[0]) other = s->seen[i];

		s->seen[i] = s->seen[i - 1];
		s->seen[i - 1] = other;
	}
}

/* Objects with exactly the same words, in the sorted order. */
struct unique {
	uint32_t first, nr;
};

static int objects_join(struct kind_group *g, const struct kind_word *objects,
			const uint32_t *order, const struct unique *u)
{
	const struct kind_word *object = objects + (size_t)order[u->first] * g->words;

	for (uint32_t w = 0; w < g->words; w++)
		slot_add(&g->slots[w], &object[w], u->nr);
	g->objects += u->nr;
	for (uint32_t i = 0; i < u->nr; i++) {
		uint32_t *member = ARRAY_PUSH(&g->members);

		if (!member)
			return -ENOMEM;
		*member = order[u->first + i];
	}
	return 0;
}

static struct kind_group *group_nearest(struct kind_groups *all, const struct kind_word *object)
{
	struct kind_group *nearest = NULL;
	double least = UNLIKE_MOST;

	for (size_t i = 0; i < all->nr; i++) {
		double unlike = group_unlike(&all->items[i], object);

		if (unlike < least) {
			least = unlike;
			nearest = &all->items[i];
		}
	}
	return nearest;
}

struct sorting {
	const struct kind_word *objects;
	uint32_t words;
};

static int compare_objects(const void *x, const void *y, void *arg)
{
	const struct sorting *s = arg;
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	int order = memcmp(s->objects + (size_t)a * s->words, s->objects + (size_t)b * s->words,
			   s->words * sizeof(*s->objects));

	return order ? order : a < b ? -1 : a > b;
}

static int compare_unique(const void *x, const void *y)
{
	const struct unique *a = x, *b = y;

	if (a->nr != b->nr)
		return a->nr < b->nr ? 1 : -1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static int compare_groups(const void *x, const void *y)
{
	const struct kind_group *a = x, *b = y;

	if (a->objects != b->objects)
		return a->objects < b->objects ? 1 : -1;
	return a->members.items[0] < b->members.items[0] ? -1 : 1;
}

/* Sort the objects; write which of them are the same, the most frequent first. */
static size_t uniques_find(const struct sorting *s, size_t nr, uint32_t *order, struct unique *out)
{
	size_t found = 0;

	for (size_t i = 0; i < nr; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, nr, sizeof(*order), compare_objects, (void *)s);
	for (size_t i = 0; i < nr; i++) {
		if (i && !memcmp(s->objects + (size_t)order[i] * s->words,
				 s->objects + (size_t)order[i - 1] * s->words,
				 s->words * sizeof(*s->objects)))
			out[found - 1].nr++;
		else
			out[found++] = (struct unique){.first = (uint32_t)i, .nr = 1};
	}
	qsort(out, found, sizeof(*out), compare_unique);
	return found;
}

int kinds_group(const struct kind_word *objects, size_t nr, uint32_t words, struct kind_groups *out)
{
	_cleanup_free_ uint32_t *order = calloc(nr + 1, sizeof(*order));
	_cleanup_free_ struct unique *unique = calloc(nr + 1, sizeof(*unique));
	const struct sorting sorting = {objects, words};
	struct kind_groups groups = {0};
	size_t uniques;
	int err = 0;

	if (!order || !unique)
		return -ENOMEM;
	uniques = uniques_find(&sorting, nr, order, unique);
	for (size_t i = 0; i < uniques && !err; i++) {
		const struct kind_word *object = objects + (size_t)order[unique[i].first] * words;
		struct kind_group *g = group_nearest(&groups, object);

		if (!g && groups.nr >= GROUPS_MOST) {
			groups.others += unique[i].nr;
			continue;
		}
		if (!g) {
			g = ARRAY_PUSH(&groups);
			if (g)
				g->words = words;
		}
		err = g ? objects_join(g, objects, order, &unique[i]) : -ENOMEM;
	}
	if (err) {
		kind_groups_free(&groups);
		return err;
	}
	if (groups.nr)
		qsort(groups.items, groups.nr, sizeof(*groups.items), compare_groups);
	*out = groups;
	return 0;
}

bool kind_groups_differ(const struct kind_group *a, const struct kind_group *b)
{
	for (uint32_t w = 0; w < a->words && w < b->words; w++) {
		const struct kind_word *x = kind_slot_main(a, w), *y = kind_slot_main(b, w);

		if (x && y && class_names_code(x->class) && class_names_code(y->class) &&
		    !words_same(x, y))
			return true;
	}
	return false;
}

const struct kind_word *kind_slot_main(const struct kind_group *g, uint32_t word)
{
	const struct kind_slot *s = &g->slots[word];

	return s->nr && 2 * s->seen[0].objects > g->objects ? &s->seen[0].word : NULL;
}

const struct kind_word *kind_group_vector(const struct kind_group *g)
{
	const struct kind_word *to = NULL;
	double pointers = 0, all = 0;

	for (uint32_t w = 0; w < g->words; w++) {
		for (uint32_t i = 0; i < g->slots[w].nr; i++) {
			const struct kind_word *word = &g->slots[w].seen[i].word;

			if (word->class == KIND_ZERO)
				continue;
			all += g->slots[w].seen[i].objects;
			if (word->at || (word->class != KIND_OWNER && word->class != KIND_SLAB &&
					 word->class != KIND_PAGE))
				continue;
			to = to ?: word;
			if (words_same(to, word))
				pointers += g->slots[w].seen[i].objects;
		}
	}
	if (!to || pointers < VECTOR_LEAST * (double)g->objects || pointers < VECTOR_SHARE * all)
		return NULL;
	return to;
}

/* ---- arrays of structs ---- */

/* The most frequent content that is not 0; NULL: hardly any object has one. */
static const struct kind_word *slot_filled(const struct kind_group *g, uint32_t w)
{
	const struct kind_slot *s = &g->slots[w];

	for (uint32_t i = 0; i < s->nr; i++)
		if (s->seen[i].word.class != KIND_ZERO)
			return slot_share(g, s, i) >= SLOT_SHARE ? &s->seen[i].word : NULL;
	return NULL;
}

/* In an array, the same content of a word, `period` words further. */
static bool words_repeat(const struct kind_word *a, const struct kind_word *b, uint32_t period)
{
	return a->class == b->class && a->id == b->id &&
	       b->at == a->at + (a->class == KIND_SELF ? 8 * period : 0);
}

/* How does a word go on `period` words further: 1: in the same way; −1: in another; 0: unknown. */
static int slot_repeats(const struct kind_group *g, uint32_t w, uint32_t period)
{
	const struct kind_word *a = slot_filled(g, w);
	const struct kind_word *b = slot_filled(g, w + period);

	if (!a || !b) /* an element that is not in use */
		return 0;
	if (kind_class_points(a->class) != kind_class_points(b->class))
		return -1;
	return !kind_class_points(a->class) ? 0 : words_repeat(a, b, period) ? 1 : -1;
}

/* Words of an element; 0: nothing repeats. */
static uint32_t group_period(const struct kind_group *g)
{
	for (uint32_t period = 2; 2 * period <= g->words; period++) {
		uint32_t same = 0, other = 0;

		for (uint32_t w = 0; w + period < g->words; w++) {
			int repeats = slot_repeats(g, w, period);

			same += repeats > 0;
			other += repeats < 0;
		}
		if (same >= REPEATS_LEAST && !other)
			return period;
	}
	return 0;
}

/* Add what a word of an element is, where it is in use. Returns in how many objects. */
static uint32_t slot_fold(const struct kind_slot *from, uint32_t element, struct kind_slot *to)
{
	uint32_t all = 0;

	for (uint32_t i = 0; i < from->nr; i++) {
		struct kind_word word = from->seen[i].word;

		if (word.class == KIND_ZERO)
			continue;
		if (word.class == KIND_SELF)
			word.at -= word.at < element ? 0 : element;
		slot_add(to, &word, from->seen[i].objects);
		all += from->seen[i].objects;
	}
	for (uint32_t b = 0; b < 8; b++)
		to->bytes[b] += from->bytes[b];
	return all;
}

/* As of a group of FOLDED objects, of `all`. */
static void slot_scale(struct kind_slot *s, uint32_t all)
{
	if (!all)
		slot_add(s, &(struct kind_word){.class = KIND_ZERO}, FOLDED);
	for (uint32_t i = 0; all && i < s->nr; i++)
		s->seen[i].objects = (uint32_t)((uint64_t)s->seen[i].objects * FOLDED / all);
	for (uint32_t b = 0; all && b < 8; b++)
		s->bytes[b] = (uint32_t)((uint64_t)s->bytes[b] * FOLDED / all);
}

bool kind_group_fold(const struct kind_group *g, struct kind_group *out)
{
	uint32_t period = group_period(g);

	*out = (struct kind_group){.objects = FOLDED, .words = period};
	for (uint32_t w = 0; w < period; w++) {
		struct kind_slot *to = &out->slots[w];
		uint32_t all = 0;

		for (uint32_t at = w; at < g->words; at += period)
			all += slot_fold(&g->slots[at], 8 * (at - w), to);
		slot_scale(to, all);
	}
	return period;
}

/* ---- words ---- */

static const char *target_name(const struct kind_word *w, const struct kinds_names *names,
			       const char *cache)
{
	switch (w->class) {
	case KIND_SELF:
		return "self";
	case KIND_NEIGHBOUR:
		return cache;
	case KIND_SLAB:
	case KIND_OWNER:
		return w->id < names->caches.nr ? names->caches.items[w->id].name : "?";
	case KIND_FUNCTION:
		return w->id < names->functions.nr ? names->functions.items[w->id].name : "?";
	case KIND_PAGE:
		return "page";
	case KIND_MEMORY:
		return "memory";
	case KIND_VMALLOC:
		return "vmalloc";
	case KIND_PERCPU:
		return "per-CPU";
	case KIND_DATA:
		return "data";
	default:
		return "";
	}
}

/* The first function that a table names. */
static const char *table_name(const struct kind_word *w, const struct kinds_names *names)
{
	const struct kind_table *t = w->id < names->tables.nr ? &names->tables.items[w->id] : NULL;

	for (uint32_t i = 0; t && i < KIND_TABLE_WORDS; i++)
		if (t->functions[i] && t->functions[i] <= names->functions.nr)
			return names->functions.items[t->functions[i] - 1].name;
	return "?";
}

void kind_group_sign(const struct kind_group *g, const struct kinds_names *names, const char *cache,
		     char out[KIND_SIGN_MAX])
{
	size_t at = 0;

	out[0] = '\0';
	for (uint32_t w = 0; w < g->words; w++) {
		const struct kind_word *word = kind_slot_main(g, w);
		char one[2 * KIND_NAME_MAX];
		int len;

		if (!word || !kind_class_points(word->class))
			continue;
		if (word->class == KIND_TABLE)
			len = snprintf(one, sizeof(one), "%s%u:{%s}", at ? " " : "", w * 8,
				       table_name(word, names));
		else if (word->class == KIND_FUNCTION)
			len = snprintf(one, sizeof(one), "%s%u:%s()", at ? " " : "", w * 8,
				       target_name(word, names, cache));
		else if (word->at && word->class != KIND_SELF)
			len = snprintf(one, sizeof(one), "%s%u:->%s+%u", at ? " " : "", w * 8,
				       target_name(word, names, cache), word->at);
		else
			len = snprintf(one, sizeof(one), "%s%u:%s%s", at ? " " : "", w * 8,
				       word->class == KIND_SELF ? "" : "->",
				       target_name(word, names, cache));
		if (at + (size_t)len >= KIND_SIGN_MAX)
			return;
		memcpy(out + at, one, (size_t)len + 1);
		at += (size_t)len;
	}
}
