// SPDX-License-Identifier: GPL-2.0-only
/* Older objects and call paths: see likeness.h. */
#include "model/likeness.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

#define ONE_KIND    0.9  /* of its objects: then a named cache is of one kind */
#define LEAST_SHARE 0.01 /* paths with less are left out */
#define TYPE_ALIKE  0.9
#define CODE_WEIGHT 3 /* a function tells more than a pointer */

/* ---- signatures ---- */

/* A word of a signature: "144:->filp+8". */
struct sign_word {
	unsigned long offset;
	const char *what;
	size_t len;
};

/* Take the next word off the text. False at its end. */
static bool sign_next(const char **text, struct sign_word *out)
{
	char *end;

	*text += strspn(*text, " ");
	if (!**text)
		return false;
	out->offset = strtoul(*text, &end, 10);
	out->what = *end == ':' ? end + 1 : end;
	out->len = strcspn(out->what, " ");
	*text = out->what + out->len;
	return true;
}

static bool sign_is_code(const struct sign_word *w)
{
	return w->what[0] == '{' || (w->len > 2 && !memcmp(w->what + w->len - 2, "()", 2));
}

static bool sign_is_self(const struct sign_word *w)
{
	return w->len == strlen("self") && !memcmp(w->what, "self", w->len);
}

/* Skip what differs between boots: "rnd-05-" of the copies that kmalloc's caches may have. */
static const char *skip_copy(const char *name, const char *end)
{
	if (end - name > 7 && !memcmp(name, "rnd-", 4) && name[6] == '-')
		return name + 7;
	return name;
}

static bool names_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	const char *a_end = a + a_len, *b_end = b + b_len;

	while (a < a_end && b < b_end) {
		const char *x = skip_copy(a, a_end), *y = skip_copy(b, b_end);

		if (*x != *y)
			return false;
		a = x + 1;
		b = y + 1;
	}
	return a == a_end && b == b_end;
}

/* How much two words at one offset say for one kind, and against it. Infinite: they are of two. */
static void words_weigh(const struct sign_word *a, const struct sign_word *b, double *like,
			double *unlike)
{
	bool code_a = sign_is_code(a), code_b = sign_is_code(b);

	if (names_same(a->what, a->len, b->what, b->len))
		*like += code_a ? CODE_WEIGHT : 1;
	else if (code_a && code_b)
		*unlike = INFINITY;
	else
		*unlike += code_a || code_b ? 2 : sign_is_self(a) || sign_is_self(b) ? 0.3 : 0.5;
}

/* Only one of the two has a pointer there. */
static double word_missing(const struct sign_word *w)
{
	return sign_is_code(w) || sign_is_self(w) ? 1 : 0.2;
}

/* From 0 to 1; negative: they name different functions in the same place. */
static double signatures_likeness(const char *a, const char *b)
{
	struct sign_word x, y;
	bool has_x = sign_next(&a, &x), has_y = sign_next(&b, &y);
	double like = 0, unlike = 0;

	while (has_x || has_y) {
		bool both = has_x && has_y && x.offset == y.offset;
		bool first = has_x && (!has_y || x.offset < y.offset);

		if (both)
			words_weigh(&x, &y, &like, &unlike);
		else
			unlike += word_missing(first ? &x : &y);
		if (both || first)
			has_x = sign_next(&a, &x);
		if (both || !first)
			has_y = sign_next(&b, &y);
	}
	if (isinf(unlike))
		return -1;
	return like > 0 ? like / (like + unlike) : 0;
}

double kinds_likeness(const struct census_kind *a, const struct census_kind *b)
{
	double like = signatures_likeness(a->signature, b->signature);
	bool typed =
		a->sure != KIND_UNKNOWN && b->sure != KIND_UNKNOWN && a->nr_types && b->nr_types;

	if (like < 0)
		return 0;
	if (typed && !strcmp(a->types[0].name, b->types[0].name))
		return fmax(like, TYPE_ALIKE);
	if (a->sure == KIND_LIKELY && b->sure == KIND_LIKELY)
		return 0;
	return like;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* ---- what is learned of each older kind ---- */

/* Building: where the kinds of `learned` belong in `older`. */
struct liking {
	const struct census_sheet *older;
	const struct census *learned;
	const struct census_kind **kinds; /* of each learned kind: that of `older`; NULL: none */
	uint32_t *caches;                 /* of each learned cache: that of `older`; UINT32_MAX */
	uint8_t *whole;                   /* caches of `older` that count as one kind */
	struct likeness out;
};

static void liking_free(struct liking *l)
{
	free(l->kinds);
	free(l->caches);
	free(l->whole);
	likeness_free(&l->out);
}

static bool cache_is_generic(const char *name)
{
	return strstr(name, "kmalloc-") != NULL;
}

/* Are all objects of the cache of one kind, as far as is known? Those of kmalloc's never are. */
static bool cache_is_whole(const struct census_sheet *s, uint32_t cache)
{
	const struct kind_cache_row *row = kinds_sheet_find(&s->kinds, cache);

	if (cache_is_generic(s->caches[cache].cache->name))
		return false;
	return !row || !row->nr || row->rows[0].share >= ONE_KIND;
}

/* A cache's name without what differs between boots, and its index. */
struct cache_named {
	char name[sizeof(((struct census_cache *)0)->name)];
	uint32_t index;
};

static void cache_name_it(const char *from, uint32_t index, struct cache_named *to)
{
	const char *end = from + strlen(from);
	size_t len = 0;

	*to = (struct cache_named){.index = index};
	while (from < end && len < sizeof(to->name) - 1) {
		from = skip_copy(from, end);
		to->name[len++] = *from++;
	}
}

/* Of caches with one name, the first comes first: it is the largest. */
static int compare_named(const void *x, const void *y)
{
	const struct cache_named *a = x, *b = y;

	return strcmp(a->name, b->name) ?: compare_u64(a->index, b->index);
}

/* Find the older cache of each learned one. */
static int caches_match(const struct liking *l)
{
	size_t nr = l->older->nr_caches;
	_cleanup_free_ struct cache_named *named = calloc(nr + 1, sizeof(*named));

	if (!named)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++)
		cache_name_it(l->older->caches[i].cache->name, i, &named[i]);
	qsort(named, nr, sizeof(*named), compare_named);
	for (size_t i = 0; i < l->learned->caches.nr; i++) {
		struct cache_named want;
		size_t first;

		cache_name_it(l->learned->caches.items[i].name, 0, &want);
		SORTED_FIRST(first, nr, compare_named(&named[first], &want) < 0);
		l->caches[i] = first < nr && !strcmp(named[first].name, want.name)
				       ? named[first].index
				       : UINT32_MAX;
	}
	return 0;
}

/* The older kind of the cache that is most like this one; NULL: none is like it. */
static const struct census_kind *kind_alike(const struct census_sheet *s, uint32_t cache,
					    const struct census_kind *kind)
{
	const struct kind_cache_row *row = kinds_sheet_find(&s->kinds, cache);
	const struct census_kind *best = NULL;
	double most = LIKE_LEAST;

	for (size_t i = 0; row && i < row->nr; i++) {
		double like = row->rows[i].kind ? kinds_likeness(row->rows[i].kind, kind) : 0;

		if (like < most)
			continue;
		most = like;
		best = row->rows[i].kind;
	}
	return best;
}

static int liking_begin(struct liking *l)
{
	size_t nr_caches = l->learned->caches.nr, nr_kinds = l->learned->kinds.nr;

	l->kinds = calloc(nr_kinds + 1, sizeof(*l->kinds));
	l->caches = calloc(nr_caches + 1, sizeof(*l->caches));
	l->whole = calloc(l->older->nr_caches + 1, sizeof(*l->whole));
	if (!l->kinds || !l->caches || !l->whole || caches_match(l))
		return -ENOMEM;
	for (uint32_t i = 0; i < l->older->nr_caches; i++)
		l->whole[i] = cache_is_whole(l->older, i);
	for (size_t i = 0; i < nr_kinds; i++) {
		const struct census_kind *kind = &l->learned->kinds.items[i];
		uint32_t cache = l->caches[kind->cache];

		if (cache != UINT32_MAX && !l->whole[cache])
			l->kinds[i] = kind_alike(l->older, cache, kind);
	}
	return 0;
}

/* ---- shares ---- */

/* What is added up for one older kind. */
struct like_sum {
	uint32_t cache;
	const struct census_kind *kind;
	uint32_t stack;
	double objects, tracked;
	double variance; /* of `objects`, where only a part of what is tracked was looked at */
};

struct like_sums {
	ARRAY_OF(struct like_sum);
};

static int sums_take(struct liking *l, struct like_sums *out)
{
	for (size_t i = 0; i < l->learned->kinds.paths.nr; i++) {
		const struct census_path *p = &l->learned->kinds.paths.items[i];
		uint32_t cache = l->caches[p->cache];
		const struct census_kind *kind =
			p->kind < l->learned->kinds.nr ? l->kinds[p->kind] : NULL;
		double share = p->looked ? fmin((double)p->alike / p->looked, 1) : 1;
		/* as if two more had been looked at, and one of them were alike */
		double likely = ((double)p->alike + 1) / ((double)p->looked + 2);
		double all = share > 0 ? p->objects / share : 0;
		struct like_sum *to;

		if (cache == UINT32_MAX || (!kind && !l->whole[cache]) || !(p->objects > 0))
			continue;
		to = ARRAY_PUSH(out);
		if (!to)
			return -ENOMEM;
		*to = (struct like_sum){.cache = cache,
					.kind = kind,
					.stack = p->stack,
					.objects = p->objects,
					.tracked = share * p->tracked,
					.variance = p->looked ? all * all * likely * (1 - likely) /
									(p->looked + 2)
							      : 0};
	}
	return 0;
}

/* Is it of the same kind? */
static int compare_kind_of(const struct like_sum *a, const struct like_sum *b)
{
	return a->cache != b->cache ? compare_u64(a->cache, b->cache)
				    : compare_u64((uintptr_t)a->kind, (uintptr_t)b->kind);
}

static int compare_sums(const void *x, const void *y)
{
	const struct like_sum *a = x, *b = y;

	return compare_kind_of(a, b) ?: compare_u64(a->stack, b->stack);
}

static int compare_shares(const void *x, const void *y)
{
	const struct like_path *a = x, *b = y;

	if (a->share != b->share)
		return a->share < b->share ? 1 : -1;
	return compare_u64(a->stack, b->stack);
}

static int compare_like_rows(const void *x, const void *y)
{
	const struct like_row *a = x, *b = y;

	if (a->kb != b->kb)
		return a->kb < b->kb ? 1 : -1;
	return a->first < b->first ? -1 : a->first > b->first;
}

/* How much of it is older. */
static void row_older(const struct census_sheet *s, struct like_row *row)
{
	const struct census_cache_row *cache = &s->caches[row->cache];
	const struct kind_cache_row *kinds = kinds_sheet_find(&s->kinds, row->cache);

	row->objects = cache->objects.kb;
	row->kb = row->objects * cache->cache->object_bytes / 1024.0;
	for (size_t i = 0; row->kind && kinds && i < kinds->nr; i++)
		if (kinds->rows[i].kind == row->kind) {
			row->objects = kinds->rows[i].objects;
			row->kb = kinds->rows[i].kb;
		}
}

/*
 * How many objects a share is known from. `tracked` were, but that those of a path are of the kind
 * is known from fewer: `own` is the variance from that, of the path's part, and `other` that of the
 * other paths. By the first terms of the share's Taylor series.
 */
static double objects_known(double share, double tracked, double own, double other)
{
	double simple = share * (1 - share), more;

	more = fmin((1 - share) * (1 - share) * own + share * share * fmax(other, 0), 1);
	return simple > 0 && tracked > 0 ? simple / (simple / tracked + more) : tracked;
}

/* The paths of the sums from `first` to `end`, which are of one kind. */
static int row_push(struct liking *l, const struct like_sums *sums, size_t first, size_t end)
{
	struct like_row row = {.cache = sums->items[first].cache,
			       .kind = sums->items[first].kind,
			       .first = l->out.paths.nr};
	double objects = 0, variance = 0;
	struct like_row *to;

	for (size_t i = first; i < end; i++) {
		objects += sums->items[i].objects;
		row.tracked += sums->items[i].tracked;
		variance += sums->items[i].variance;
	}
	row_older(l->older, &row);
	for (size_t i = first; i < end;) {
		struct like_path path = {.stack = sums->items[i].stack}, *add;
		double own = 0;

		for (; i < end && sums->items[i].stack == path.stack; i++) {
			path.objects += sums->items[i].objects;
			own += sums->items[i].variance;
		}
		path.share = path.objects / objects;
		if (!(path.share >= LEAST_SHARE))
			continue;
		share_interval(path.share,
			       objects_known(path.share, row.tracked, own / (objects * objects),
					     (variance - own) / (objects * objects)),
			       SHARE_OF_MANY, &path.share_low, &path.share_high);
		add = ARRAY_PUSH(&l->out.paths);
		if (!add)
			return -ENOMEM;
		*add = path;
	}
	row.nr = l->out.paths.nr - row.first;
	if (!row.nr || !l->out.paths.items || !(row.objects > 0))
		return 0;
	qsort(l->out.paths.items + row.first, row.nr, sizeof(*l->out.paths.items), compare_shares);
	to = ARRAY_PUSH(&l->out);
	if (!to)
		return -ENOMEM;
	*to = row;
	return 0;
}

static int rows_push(struct liking *l, struct like_sums *sums)
{
	int err = 0;

	if (sums->nr)
		qsort(sums->items, sums->nr, sizeof(*sums->items), compare_sums);
	for (size_t first = 0, end; first < sums->nr && !err; first = end) {
		end = first + 1;
		while (end < sums->nr && !compare_kind_of(&sums->items[first], &sums->items[end]))
			end++;
		err = row_push(l, sums, first, end);
	}
	if (!err && l->out.nr)
		qsort(l->out.items, l->out.nr, sizeof(*l->out.items), compare_like_rows);
	return err;
}

const struct census *likeness_learned(const struct capture *taught)
{
	for (int moment = CENSUS_MOMENTS - 1; moment >= 0; moment--)
		if (taught->census[moment] && taught->census[moment]->kinds.paths.nr)
			return taught->census[moment];
	return NULL;
}

int likeness_build(const struct census_sheet *older, const struct capture *taught,
		   struct likeness *out)
{
	_cleanup_(liking_free) struct liking l = {
		.older = older, .learned = likeness_learned(taught), .out = {.taught = taught}};
	struct like_sums sums = {0};
	int err;

	if (!l.learned) {
		*out = l.out;
		return 0;
	}
	err = liking_begin(&l);
	err = err ?: sums_take(&l, &sums);
	err = err ?: rows_push(&l, &sums);
	ARRAY_FREE(&sums);
	if (err)
		return err;
	*out = l.out;
	l.out = (struct likeness){0};
	return 0;
}

void likeness_free(struct likeness *l)
{
	ARRAY_FREE(&l->paths);
	ARRAY_FREE(l);
}

const struct like_row *likeness_find(const struct likeness *l, uint32_t cache,
				     const struct census_kind *kind)
{
	for (size_t i = 0; i < l->nr; i++)
		if (l->items[i].cache == cache && l->items[i].kind == kind)
			return &l->items[i];
	return NULL;
}
