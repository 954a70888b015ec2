// SPDX-License-Identifier: GPL-2.0-only
/* Which type fits a group of objects: see kinds_score.h. */
#include "trace/kinds_score.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* A type is likely, or possible, from this score and margin on (measured: docs/census.md). */
#define LIKELY_SCORE    5.5
#define LIKELY_MARGIN   2.5
#define POSSIBLE_SCORE  2
#define POSSIBLE_MARGIN 0.4
#define LIKELY_WORDS    2   /* words that fit well, each pointing to something else */
#define FITS_WELL       0.9 /* the score of such a word */
#define AGAINST_MOST    2   /* evidence against a likely type: this, … */
#define AGAINST_SHARE   0.2 /* … or this share of its score */
#define FLEXIBLE_MOST   16  /* elements of an array at the end, as large as the rest of the type */
#define NUMBER_GAP      0.8 /* against a long number that has zeros in its middle */
#define BYTES_MOST      0.9 /* of the objects */
#define PADDING_SET     0.7 /* against a type if its padding is not 0 */
#define LOCK_HELD       2
#define REFS_ARE        0.5 /* for a type if its references are not 0, and against it if they are */
#define REFS_LARGE      1
#define HOPELESS        20 /* with so much more against it than for it, a type is given up */

#define WORD_SHARE_MOST 4 /* evidence from names, at most */
#define WORD_BITS_WORTH 0.3
#define CACHE_NAMED     8 /* the cache has the name of the type */
#define MODULE_NAMED    2 /* it is of the module whose functions it names */
#define NAMES_MOST      (WORD_SHARE_MOST + CACHE_NAMED + MODULE_NAMED)

struct kinds_scorer {
	const struct kinds_btf *btf;
	const struct kinds_names *names;
	uint64_t *protos;            /* of each function; 0: BTF does not know it */
	struct struct_type **caches; /* what each cache holds; NULL: not known, or any type */
	bool *learned;               /* not from the cache's name */
};

/* A type that is compared with a group. */
struct scoring {
	const struct kinds_scorer *s;
	const struct kind_cache *cache;
	const struct struct_type *type;
	uint32_t word;
};

/* ---- what caches hold ---- */

/* Caches whose name does not have the name of their type. */
static const struct {
	const char *cache, *type;
} cache_types[] = {
	{"filp", "file"},
	{"cred_jar", "cred"},
	{"sock_inode_cache", "socket_alloc"},
	{"signal_cache", "signal_struct"},
	{"skbuff_head_cache", "sk_buff"},
	{"mnt_cache", "mount"},
	{"radix_tree_node", "xa_node"},
	{"names_cache", ""},
};

/* Does the type fill the objects of the cache? The kernel rounds sizes up to its alignment. */
static bool type_fills(const struct struct_type *t, const struct kind_cache *c)
{
	return t->bytes <= c->object_bytes && c->object_bytes - t->bytes < 64;
}

/* The type of a cache by its name, without what such names usually end with. */
static struct struct_type *cache_type_by_name(const struct kinds_btf *b, const struct kind_cache *c)
{
	static const char *const ends[] = {"", "_cachep", "_cache", "_slab", "_jar"};
	static const char *const more[] = {"", "_struct", "_info"};

	for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
		size_t len = strlen(c->name), end = strlen(ends[e]);

		if (len <= end || strcmp(c->name + len - end, ends[e]) != 0)
			continue;
		for (size_t m = 0; m < sizeof(more) / sizeof(more[0]); m++) {
			char name[2 * KIND_NAME_MAX];
			struct struct_type *t;

			snprintf(name, sizeof(name), "%.*s%s", (int)(len - end), c->name, more[m]);
			t = kinds_btf_find(b, name, 0);
			/* the kernel may append to what has exactly this name: registers, masks */
			if (t && (type_fills(t, c) || (!end && t->bytes <= c->object_bytes)))
				return t;
		}
	}
	return NULL;
}

/*
 * The type of a cache of one size that only one user has (kmem_buckets_create()), such as
 * msg_msg-512: the type begins each object, and data of any length follows it.
 */
static struct struct_type *cache_type_of_bucket(const struct kinds_btf *b,
						const struct kind_cache *c)
{
	char name[KIND_NAME_MAX];
	struct struct_type *t;

	snprintf(name, sizeof(name), "%.*s", (int)(strrchr(c->name, '-') - c->name), c->name);
	t = kinds_btf_find(b, name, 0);
	return t && t->bytes <= c->object_bytes ? t : NULL;
}

static struct struct_type *cache_type(const struct kinds_btf *b, const struct kind_cache *c)
{
	if (c->generic)
		return cache_type_of_bucket(b, c);
	for (size_t i = 0; i < sizeof(cache_types) / sizeof(cache_types[0]); i++) {
		struct struct_type *t;

		if (strcmp(c->name, cache_types[i].cache) != 0)
			continue;
		t = kinds_btf_find(b, cache_types[i].type, 0);
		return t && type_fills(t, c) ? t : NULL;
	}
	return cache_type_by_name(b, c);
}

int kinds_scorer_new(const struct kinds_btf *btf, const struct kinds_names *names,
		     struct kinds_scorer **out)
{
	_cleanup_free_ const char **functions = calloc(names->functions.nr + 1, sizeof(char *));
	struct kinds_scorer *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (s) {
		s->btf = btf;
		s->names = names;
		s->protos = calloc(names->functions.nr + 1, sizeof(*s->protos));
		s->caches = calloc(names->caches.nr + 1, sizeof(*s->caches));
		s->learned = calloc(names->caches.nr + 1, sizeof(*s->learned));
	}
	if (s && functions && s->protos && s->caches && s->learned) {
		for (size_t i = 0; i < names->functions.nr; i++)
			functions[i] = names->functions.items[i].name;
		err = kinds_btf_protos(btf, functions, names->functions.nr, s->protos);
		for (size_t i = 0; i < names->caches.nr; i++)
			s->caches[i] = cache_type(btf, &names->caches.items[i]);
	}
	if (err) {
		kinds_scorer_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void kinds_scorer_free(struct kinds_scorer *s)
{
	if (!s)
		return;
	free(s->protos);
	free(s->caches);
	free(s->learned);
	free(s);
}

int kinds_scorer_learn(struct kinds_scorer *s, uint32_t cache, const struct kind_group *g)
{
	struct census_kind kind = {0};
	int err = s->names->caches.items[cache].generic || s->caches[cache]
			  ? 0
			  : kinds_score(s, cache, g, &kind);

	if (err || kind.sure != KIND_LIKELY)
		return err;
	s->caches[cache] = kinds_btf_find(s->btf, kind.types[0].name, 0);
	s->learned[cache] = s->caches[cache] != NULL;
	return 0;
}

/* ---- a word and a field ---- */

static bool word_is_number(const struct kind_word *w)
{
	return w->class == KIND_SMALL || w->class == KIND_HALF || w->class == KIND_OTHER;
}

/* A pointer to a function. */
static double function_fits(const struct kinds_scorer *s, const struct kind_word *w, uint64_t proto)
{
	uint64_t known = w->id < s->names->functions.nr ? s->protos[w->id] : 0;

	if (!known || !proto)
		return 1.5;
	return known == proto ? 5 : -5;
}

/*
 * A pointer to a table that names functions. The struct that it should be must have pointers to
 * functions with the same arguments in the same places.
 */
static double table_fits(const struct kinds_scorer *s, const struct kind_word *w,
			 const struct pointed *target)
{
	const struct kind_table *table =
		w->id < s->names->tables.nr ? &s->names->tables.items[w->id] : NULL;
	struct struct_type *type = kinds_btf_find(s->btf, target->name, target->bytes);
	uint32_t same = 0, other = 0;

	if (!table || !type || kinds_btf_fields(s->btf, type))
		return 0;
	for (uint32_t i = 0; i < KIND_TABLE_WORDS && i < type->bytes / 8; i++) {
		double fits = -5;

		if (!table->functions[i])
			continue;
		for (uint32_t f = 0; f < type->nr_fields; f++) {
			const struct kind_word function = {.class = KIND_FUNCTION,
							   .id = table->functions[i] - 1};

			if (type->fields[f].word != i)
				continue;
			if (type->fields[f].kind == FIELD_FUNCTION)
				fits = fmax(fits,
					    function_fits(s, &function, type->fields[f].proto));
			else if (type->fields[f].kind == FIELD_POINTER)
				fits = fmax(fits, 0);
		}
		same += fits > 2;
		other += fits < -2;
	}
	if (other)
		return same > 4 * other ? 0.5 : -5;
	return same ? 3 + 1.5 * fmin(same, 3) : 0.2;
}

/* A pointer into an object of a named cache, of which the type may be known. */
static double named_fits(const struct kinds_scorer *s, const struct kind_word *w,
			 const struct kind_cache *cache, const struct pointed *target)
{
	const struct struct_type *type = s->caches[w->id];

	if (target->kind != TARGET_STRUCT && target->kind != TARGET_UNKNOWN)
		return target->kind == TARGET_VOID ? 0.1 : -2;
	if (target->kind == TARGET_UNKNOWN)
		return 0.1;
	if (!type) {
		if (target->bytes + w->at > cache->object_bytes)
			return -4;
		return !w->at && target->bytes && cache->object_bytes - target->bytes < 8 ? 2 : 0.2;
	}
	if (kinds_btf_has_at(s->btf, type, w->at, target->name))
		return 4;
	return cache->merged ? -1 : -4;
}

/* A pointer into an object of a generic cache: does the size fit? */
static double generic_fits(const struct kind_word *w, const struct kind_cache *cache,
			   const struct pointed *target)
{
	if (target->kind == TARGET_VOID)
		return 0.1;
	if (target->kind == TARGET_CHAR || target->kind == TARGET_NUMBER)
		return w->at ? 0.1 : 0.4;
	if (target->kind == TARGET_POINTER)
		return w->at ? 0 : 0.4;
	if (!target->bytes) /* of a type that is declared only */
		return 0.1;
	if (target->bytes + w->at > cache->bytes)
		return -5;
	if (w->at)
		return 0.1;
	if (target->bytes > cache->above)
		return 1.2;
	return target->flexible ? 0.3 : -0.5;
}

static double slab_fits(const struct scoring *c, const struct kind_word *w,
			const struct pointed *target)
{
	const struct kind_cache *cache =
		w->id < c->s->names->caches.nr ? &c->s->names->caches.items[w->id] : NULL;

	if (!cache)
		return 0;
	return cache->generic ? generic_fits(w, cache, target) : named_fits(c->s, w, cache, target);
}

/* A pointer to another object of the same cache. It may be of the same type. */
static double neighbour_fits(const struct scoring *c, const struct kind_word *w,
			     const struct pointed *target)
{
	if (target->kind == TARGET_STRUCT &&
	    kinds_btf_has_at(c->s->btf, c->type, w->at, target->name))
		return 2.5;
	if (target->kind == TARGET_STRUCT && !c->cache->generic)
		return -2;
	return generic_fits(w, c->cache, target);
}

static double pointer_fits(const struct scoring *c, const struct kind_word *w,
			   const struct field *f)
{
	struct pointed t;
	bool record;

	if (w->class == KIND_ZERO)
		return 0.02;
	t = kinds_btf_target(c->s->btf, f->target);
	record = t.kind == TARGET_STRUCT || t.kind == TARGET_UNKNOWN;
	switch (w->class) {
	case KIND_SELF:
		if (t.kind == TARGET_STRUCT && kinds_btf_has_at(c->s->btf, c->type, w->at, t.name))
			return 2;
		return t.kind == TARGET_STRUCT ? -3 : -0.3;
	case KIND_NEIGHBOUR:
		return neighbour_fits(c, w, &t);
	case KIND_SLAB:
		return slab_fits(c, w, &t);
	case KIND_OWNER:
		return !strcmp(t.name, "obj_cgroup") ? 4 : t.kind == TARGET_VOID ? 0 : -4;
	case KIND_FUNCTION:
		return t.kind == TARGET_VOID ? 0.1 : -4;
	case KIND_TABLE:
		return t.kind == TARGET_STRUCT ? table_fits(c->s, w, &t) : record ? 0.1 : 0;
	case KIND_DATA:
		return t.kind == TARGET_CHAR ? 0.6 : 0.3;
	case KIND_PAGE:
		return !strcmp(t.name, "page") || !strcmp(t.name, "folio") ? 4 : record ? -3 : 0;
	case KIND_PERCPU:
		return t.kind == TARGET_VOID ? 0.3 : 0.5;
	case KIND_MEMORY:
	case KIND_VMALLOC:
		return 0.2;
	case KIND_POISON:
		return -0.5;
	case KIND_HALF: /* on some kernels, a pointer to a per-CPU variable is a small number */
		return t.kind == TARGET_VOID ? -1 : -2.5;
	default:
		return t.kind == TARGET_VOID ? -1.5 : -4;
	}
}

/*
 * A word that should be a link to another object: what it points to has to point back in one of the
 * ways of `links`. If the other is of the same cache, it should be so at the same offset.
 */
static double link_fits(const struct kind_word *w, uint32_t node, uint32_t links)
{
	if (!kind_class_points(w->class))
		return -4;
	if (!(w->shape & links))
		return -2;
	return w->class == KIND_NEIGHBOUR && w->at / 8 * 8 == node ? 3 : 2;
}

/* A half of a list_head; `head` is the offset of its first half. */
static double list_fits(const struct kind_word *w, uint32_t head, uint32_t links)
{
	switch (w->class) {
	case KIND_SELF:
		return w->at == head ? 2.5 : -1;
	case KIND_POISON:
		return 2;
	case KIND_ZERO: /* an empty list is not zero, but one that is not in use may be */
		return -1.2;
	default:
		return link_fits(w, head, links);
	}
}

static double hlist_fits(const struct kind_word *w, uint32_t node, uint32_t links)
{
	switch (w->class) {
	case KIND_ZERO:
		return 0;
	case KIND_POISON:
		return 2;
	case KIND_SELF: /* such a list is not closed */
		return -4;
	default:
		return link_fits(w, node, links);
	}
}

static double rb_fits(const struct kind_word *w, uint32_t node, uint32_t links)
{
	bool parent = links & KMT_LINK_NEXT;

	switch (w->class) {
	case KIND_ZERO:
		return 0;
	case KIND_SELF:
		return parent && w->at == node ? 2.5 : -3; /* in no tree */
	case KIND_SMALL:
		return parent ? 0 : -4; /* the root has only a colour */
	default:
		return link_fits(w, node, links);
	}
}

static double number_fits(const struct kind_word *w, enum field_kind kind)
{
	static const double longs[KIND_CLASSES] = {
		[KIND_SELF] = -2.5,   [KIND_NEIGHBOUR] = -2, [KIND_SLAB] = -2, [KIND_OWNER] = -1,
		[KIND_FUNCTION] = -3, [KIND_TABLE] = -3,     [KIND_DATA] = -2, [KIND_PAGE] = -0.5,
		[KIND_MEMORY] = -1,   [KIND_VMALLOC] = -1};

	if (w->class == KIND_ZERO)
		return 0.03;
	if (word_is_number(w))
		return 0.2;
	if (w->class == KIND_POISON)
		return -1;
	if (kind == FIELD_LONG)
		return longs[w->class];
	/* numbers may look like an address by chance, but hardly like one of an object */
	return w->class == KIND_VMALLOC || w->class == KIND_MEMORY || w->class == KIND_PERCPU ? -2
											      : -5;
}

static double field_fits(const struct scoring *c, const struct kind_word *w, const struct field *f)
{
	uint32_t here = c->word * 8;

	switch (f->kind) {
	case FIELD_FUNCTION:
		if (w->class == KIND_FUNCTION)
			return function_fits(c->s, w, f->proto);
		return w->class == KIND_ZERO ? -0.1 : -4.5;
	case FIELD_POINTER:
		return pointer_fits(c, w, f);
	case FIELD_LIST:
		return list_fits(w, here, KMT_LINK_NEXT);
	case FIELD_LIST_PREV:
		return list_fits(w, here - 8, KMT_LINK_PREV);
	case FIELD_HLIST_NULLS:
		if (word_is_number(w))
			return 0;
		return hlist_fits(w, here, KMT_LINK_NEXT);
	case FIELD_HLIST:
		return hlist_fits(w, here, KMT_LINK_NEXT);
	case FIELD_HLIST_PPREV:
		return hlist_fits(w, here - 8, KMT_LINK_PREV);
	case FIELD_RCU:
		return w->class == KIND_ZERO ? 0.03 : -0.3;
	case FIELD_RB:
		return rb_fits(w, here, KMT_LINK_NEXT | KMT_LINK_LEFT);
	case FIELD_RB_RIGHT:
		return rb_fits(w, here - 8, KMT_LINK_PREV);
	case FIELD_RB_LEFT:
		return rb_fits(w, here - 16, KMT_LINK_CHILD);
	default:
		return number_fits(w, f->kind);
	}
}

/* A word of which the type says nothing: padding, or after its end. */
static double unused_fits(const struct kind_word *w, bool beyond)
{
	if (w->class == KIND_ZERO)
		return 0.03;
	if (word_is_number(w))
		return beyond ? -0.2 : -0.5;
	return -3;
}

/* ---- a type and a group ---- */

struct fit {
	double score, against;
	uint32_t words;        /* that fit well, each to something else; at most LIKELY_WORDS */
	struct kind_word well; /* the first of them */
};

/* Objects in which one of these bytes is not 0: at least so many. */
static double bytes_set(const struct kind_slot *slot, uint32_t bytes)
{
	uint32_t most = 0;

	for (uint32_t b = 0; b < 8; b++)
		if (bytes >> b & 1 && slot->bytes[b] > most)
			most = slot->bytes[b];
	return most;
}

/* Are two bytes in the middle always 0, but not a higher one? Then it is more than one number. */
static bool bytes_gap(const struct kind_slot *slot, uint32_t objects)
{
	double most = BYTES_MOST * objects;

	for (uint32_t b = 1; b < 6 && bytes_set(slot, 0xf0) >= most; b++)
		if (!bytes_set(slot, 3u << b) && bytes_set(slot, 0xfcu << b & 0xf0) >= most)
			return true;
	return false;
}

/*
 * What the bytes of a number say, for all objects: padding is 0, and so are most locks; a count of
 * references is not, but seldom large.
 */
static double bytes_fit(const struct kind_slot *slot, uint32_t objects, const struct field *fields,
			uint32_t nr)
{
	uint32_t used = 0;
	double sum = 0;

	for (uint32_t f = 0; f < nr; f++) {
		uint32_t bytes = fields[f].bytes;

		used |= bytes;
		if (fields[f].kind == FIELD_LOCK)
			sum -= LOCK_HELD * bytes_set(slot, bytes);
		if (fields[f].kind == FIELD_REFS)
			sum += REFS_ARE * (2 * bytes_set(slot, bytes) - objects) -
			       REFS_LARGE * bytes_set(slot, bytes & bytes << 2);
	}
	if (nr == 1 && fields[0].kind == FIELD_LONG && bytes_gap(slot, objects))
		sum -= NUMBER_GAP * objects;
	return used && used != 0xff ? sum - PADDING_SET * bytes_set(slot, ~used) : sum;
}

/* How well a word fits: the mean over the objects of the best field of a union. */
static double slot_fits(const struct scoring *c, const struct kind_group *g,
			const struct field *fields, uint32_t nr)
{
	const struct kind_slot *slot = &g->slots[c->word];
	bool beyond = c->word * 8 >= c->type->bytes;
	double sum = 0;

	if (beyond && c->type->flexible && !nr)
		return 0;
	for (uint32_t i = 0; i < slot->nr; i++) {
		const struct kind_word *w = &slot->seen[i].word;
		double best = nr ? -HUGE_VAL : unused_fits(w, beyond);

		for (uint32_t f = 0; f < nr; f++)
			best = fmax(best, field_fits(c, w, &fields[f]));
		sum += best * slot->seen[i].objects;
	}
	return (sum + bytes_fit(slot, g->objects, fields, nr)) / g->objects;
}

/* Are all fields those of later elements of an array? */
static bool fields_later(const struct field *fields, uint32_t nr)
{
	for (uint32_t f = 0; f < nr; f++)
		if (!fields[f].later)
			return false;
	return nr > 0;
}

/* Count a word that fits well, but what points to the same only once: lists, vectors. */
static void fit_well(struct fit *fit, const struct kind_word *w)
{
	if (!w || fit->words == LIKELY_WORDS ||
	    (fit->words && fit->well.class == w->class && fit->well.id == w->id))
		return;
	if (!fit->words)
		fit->well = *w;
	fit->words++;
}

static struct fit type_fits(const struct kinds_scorer *s, const struct kind_cache *cache,
			    const struct kind_group *g, const struct struct_type *t)
{
	struct scoring c = {.s = s, .cache = cache, .type = t};
	struct fit fit = {0};
	uint32_t at = 0, nr_later = 0;
	double later = 0; /* an array is evidence once, not with each of its elements */

	for (uint32_t w = 0; w < g->words; w++) {
		uint32_t first = at;
		double fits;

		while (at < t->nr_fields && t->fields[at].word == w)
			at++;
		c.word = w;
		fits = slot_fits(&c, g, t->fields ? t->fields + first : NULL, at - first);
		if (fields_later(t->fields + first, at - first)) {
			later += fits;
			nr_later++;
			continue;
		}
		fit.score += fits;
		if (fits >= FITS_WELL)
			fit_well(&fit, kind_slot_main(g, w));
		fit.against += fits < 0 ? -fits : 0;
		if (fit.score < -HOPELESS)
			break;
	}
	later /= nr_later ? nr_later : 1;
	fit.score += later;
	fit.against += later < 0 ? -later : 0;
	return fit;
}

/* ---- names ---- */

/* The functions that a group names, itself or by a table. */
struct functions {
	ARRAY_OF(uint16_t);
};

static int function_push(struct functions *f, uint16_t id, size_t nr_known)
{
	uint16_t *to;

	if (id >= nr_known)
		return 0;
	for (size_t i = 0; i < f->nr; i++)
		if (f->items[i] == id)
			return 0;
	to = ARRAY_PUSH(f);
	if (!to)
		return -ENOMEM;
	*to = id;
	return 0;
}

static int functions_named(const struct kinds_names *names, const struct kind_group *g,
			   struct functions *out)
{
	int err = 0;

	for (uint32_t w = 0; w < g->words && !err; w++) {
		const struct kind_word *word = kind_slot_main(g, w);

		if (word && word->class == KIND_FUNCTION)
			err = function_push(out, word->id, names->functions.nr);
		if (!word || word->class != KIND_TABLE || word->id >= names->tables.nr)
			continue;
		for (uint32_t i = 0; i < KIND_TABLE_WORDS && !err; i++) {
			uint16_t id = names->tables.items[word->id].functions[i];

			if (id)
				err = function_push(out, id - 1, names->functions.nr);
		}
	}
	return err;
}

/* Is the word between underscores in the name? */
static bool name_has_word(const char *name, const char *word, size_t len)
{
	while (*name) {
		size_t n = strcspn(name, "_");

		if (n == len && !memcmp(name, word, len))
			return true;
		name += n + (name[n] == '_');
	}
	return false;
}

/* What the names of functions say for a type: the rarer the words in common, the more. */
static double names_fit(const struct kinds_scorer *s, const struct functions *f,
			const struct struct_type *t)
{
	const char *name = t->name;
	double sum = 0;

	while (*name) {
		size_t len = strcspn(name, "_"), types;
		bool said = false;

		for (size_t i = 0; i < f->nr && len >= 3 && !said; i++)
			said = name_has_word(s->names->functions.items[f->items[i]].name, name,
					     len);
		types = said ? kinds_btf_word_count(s->btf, name, len) : 0;
		if (types)
			sum += WORD_BITS_WORTH *
			       log2((double)kinds_btf_count(s->btf) / (double)types);
		name += len + (name[len] == '_');
	}
	return fmin(sum, WORD_SHARE_MOST);
}

/* Is the type of the module that all functions are of, and not of the kernel itself? */
static bool module_fits(const struct kinds_scorer *s, const struct functions *f,
			const struct struct_type *t)
{
	for (size_t i = 0; i < f->nr; i++)
		if (strcmp(s->names->functions.items[f->items[i]].module, t->module) != 0)
			return false;
	return f->nr && strcmp(t->module, "vmlinux") != 0;
}

/* ---- the best ---- */

struct best {
	struct kind_type types[KIND_TYPES];
	struct fit fits[KIND_TYPES];
	uint32_t nr;
};

/* Types of one name count as one: the better of them. */
static void best_add(struct best *b, const char *name, const struct fit *fit)
{
	uint32_t at = 0;

	while (at < b->nr && strcmp(b->types[at].name, name) != 0)
		at++;
	if (at < b->nr && b->types[at].score >= fit->score)
		return;
	if (at == KIND_TYPES) {
		if (b->types[at - 1].score >= fit->score)
			return;
		at--;
	} else if (at == b->nr) {
		b->nr++;
	}
	snprintf(b->types[at].name, KIND_NAME_MAX, "%s", name);
	b->types[at].score = fit->score;
	b->fits[at] = *fit;
	for (; at && b->types[at].score > b->types[at - 1].score; at--) {
		struct kind_type type = b->types[at];
		struct fit other = b->fits[at];

		b->types[at] = b->types[at - 1];
		b->fits[at] = b->fits[at - 1];
		b->types[at - 1] = type;
		b->fits[at - 1] = other;
	}
}

static enum kind_sure best_sure(const struct best *b)
{
	double second = b->nr > 1 ? fmax(b->types[1].score, 0) : 0, margin;

	if (!b->nr || b->types[0].score < POSSIBLE_SCORE)
		return KIND_UNKNOWN;
	margin = b->types[0].score - second;
	if (b->types[0].score >= LIKELY_SCORE && margin >= LIKELY_MARGIN &&
	    b->fits[0].words >= LIKELY_WORDS &&
	    b->fits[0].against <= fmax(AGAINST_MOST, AGAINST_SHARE * b->types[0].score))
		return KIND_LIKELY;
	return margin >= POSSIBLE_MARGIN ? KIND_POSSIBLE : KIND_UNKNOWN;
}

static int type_score(const struct kinds_scorer *s, uint32_t cache, const struct kind_group *g,
		      const struct functions *f, struct struct_type *t, struct best *best)
{
	struct fit fit;

	if (kinds_btf_fields(s->btf, t))
		return -ENOMEM;
	fit = type_fits(s, &s->names->caches.items[cache], g, t);
	if (fit.score < -HOPELESS ||
	    (best->nr == KIND_TYPES && fit.score + NAMES_MOST < best->types[KIND_TYPES - 1].score))
		return 0;
	fit.score += names_fit(s, f, t);
	fit.score += module_fits(s, f, t) ? MODULE_NAMED : 0;
	if (s->caches[cache] == t && !s->learned[cache]) {
		fit.score += CACHE_NAMED;
		fit.words++;
	}
	best_add(best, t->name, &fit);
	return 0;
}

/* Objects of a cache are a little smaller than its places; of merged caches, some more. */
static uint32_t cache_above(const struct kind_cache *c)
{
	uint32_t slack = c->merged ? 128 : 64;

	if (c->generic)
		return c->above;
	return c->object_bytes > slack ? c->object_bytes - slack : 0;
}

/*
 * Compare with all types of the size. A type that ends with an array of any length may be smaller.
 */
static int types_score(const struct kinds_scorer *s, uint32_t cache, const struct kind_group *g,
		       const struct functions *f, struct best *best)
{
	const struct kind_cache *c = &s->names->caches.items[cache];
	uint32_t above = cache_above(c);
	struct struct_type *t;
	size_t at = 0;
	int err = 0;

	while (!err && (t = kinds_btf_next(s->btf, above, c->object_bytes, &at)))
		err = type_score(s, cache, g, f, t, best);
	at = 0;
	while (!err && c->generic &&
	       (t = kinds_btf_next(s->btf, above / FLEXIBLE_MOST, above, &at)))
		if (t->flexible)
			err = type_score(s, cache, g, f, t, best);
	t = s->caches[cache];
	if (!err && t && (t->bytes <= above || t->bytes > c->object_bytes))
		err = type_score(s, cache, g, f, t, best);
	return err;
}

/* If the words repeat, compare an element with all structs of its size. */
static int arrays_score(const struct kinds_scorer *s, uint32_t cache, const struct kind_group *g,
			const struct functions *f, struct best *out)
{
	struct best best = {.nr = 0};
	struct kind_group element;
	struct struct_type *t;
	size_t at = 0;
	int err = 0;

	if (!kind_group_fold(g, &element))
		return 0;
	while (!err && (t = kinds_btf_next(s->btf, 8 * element.words - 8, 8 * element.words, &at)))
		err = type_score(s, cache, &element, f, t, &best);
	if (err || best_sure(&best) != KIND_LIKELY)
		return err;
	for (uint32_t i = 0; i < best.nr; i++)
		snprintf(best.types[i].name + strnlen(best.types[i].name, KIND_NAME_MAX - 3), 3,
			 "[]");
	*out = best;
	return 0;
}

/* ---- what it points to ---- */

static void name_add(char names[KIND_NAMES][KIND_NAME_MAX], const char *name)
{
	uint32_t i = 0;

	while (i < KIND_NAMES && names[i][0] && strcmp(names[i], name) != 0)
		i++;
	if (i < KIND_NAMES && !names[i][0])
		snprintf(names[i], KIND_NAME_MAX, "%s", name);
}

static void caches_name(const struct kinds_names *names, uint32_t cache, const struct kind_group *g,
			struct census_kind *out)
{
	for (uint32_t w = 0; w < g->words; w++) {
		const struct kind_word *word = kind_slot_main(g, w);

		if (!word)
			continue;
		if (word->class == KIND_NEIGHBOUR)
			name_add(out->points_to, names->caches.items[cache].name);
		else if ((word->class == KIND_SLAB || word->class == KIND_OWNER) &&
			 word->id < names->caches.nr)
			name_add(out->points_to, names->caches.items[word->id].name);
	}
}

/* A vector of pointers is of no struct. */
static void vector_name(const struct kinds_scorer *s, const struct kind_word *to,
			struct census_kind *out)
{
	bool known = to->id < s->names->caches.nr;
	const struct struct_type *type = known ? s->caches[to->id] : NULL;

	out->nr_types = 1;
	out->sure = to->class == KIND_SLAB && known && s->names->caches.items[to->id].merged
			    ? KIND_POSSIBLE
			    : KIND_LIKELY;
	out->types[0].score = LIKELY_SCORE;
	if (to->class == KIND_PAGE)
		snprintf(out->types[0].name, KIND_NAME_MAX, "page *[]");
	else if (to->class == KIND_OWNER)
		snprintf(out->types[0].name, KIND_NAME_MAX, "obj_cgroup *[]");
	else if (type)
		snprintf(out->types[0].name, KIND_NAME_MAX, "%.50s *[]", type->name);
	else {
		out->sure = KIND_UNKNOWN;
		out->nr_types = 0;
		out->types[0].score = 0;
	}
}

static void points_name(const struct kinds_names *names, uint32_t cache, const struct kind_group *g,
			const struct functions *f, struct census_kind *out)
{
	for (size_t i = 0; i < f->nr; i++)
		name_add(out->functions, names->functions.items[f->items[i]].name);
	caches_name(names, cache, g, out);
}

int kinds_points(const struct kinds_names *names, uint32_t cache, const struct kind_group *g,
		 struct census_kind *out)
{
	struct functions f = {0};
	int err = functions_named(names, g, &f);

	if (!err)
		points_name(names, cache, g, &f, out);
	ARRAY_FREE(&f);
	return err;
}

int kinds_score(const struct kinds_scorer *s, uint32_t cache, const struct kind_group *g,
		struct census_kind *out)
{
	const struct kind_word *vector = kind_group_vector(g);
	struct functions f = {0};
	struct best best = {.nr = 0};
	int err = functions_named(s->names, g, &f);

	if (!err)
		points_name(s->names, cache, g, &f, out);
	if (vector && !err) {
		vector_name(s, vector, out);
	} else if (!err) {
		err = types_score(s, cache, g, &f, &best);
		if (best_sure(&best) != KIND_LIKELY)
			err = err ?: arrays_score(s, cache, g, &f, &best);
		memcpy(out->types, best.types, sizeof(out->types));
		out->nr_types = best.nr;
		out->sure = best_sure(&best);
	}
	ARRAY_FREE(&f);
	return err;
}
