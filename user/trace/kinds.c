// SPDX-License-Identifier: GPL-2.0-only
/* Looks at objects by bpf/kinds.bpf.c, and groups and names what it finds: see kinds.h. */
#include "trace/kinds.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "proc/slab_alias.h"
#include "sym/kallsyms.h"
#include "trace/kinds_btf.h"
#include "trace/kinds_group.h"
#include "trace/kinds_score.h"

#define OBJECTS_WANTED 385 /* of a cache: shares within 5 %, as in audit_sample.h; … */
#define CACHES_WELL    24  /* … of so many caches, and of others, within 8 %: */
#define OBJECTS_FEWER  150
#define OBJECTS_DRAWN  2000
#define CACHES_LOOKED  96
#define GROUPS_SCORED  12  /* of a cache; some may turn out to be of one type */
#define CACHE_SHARE    0.9 /* of objects of one kind, for a cache to hold that kind */
#define CACHE_LEAST_KB 64  /* smaller caches are not looked at */
#define GATHER_TRIES   5
#define KIND_LEAST     2             /* objects of a kind */
#define IMAGE_DATA     (32ull << 20) /* the kernel's data ends before, after its last code */
#define MODULE_DATA    (1ull << 20)  /* data of modules is so near to their code */
#define TABLE_NO_CODE  3             /* words before the first function of a table */
#define IDS_MOST       (UINT16_MAX - 1)

_Static_assert((int)KMT_WORD_POISON == KIND_POISON && KMT_KIND_WORDS == KIND_WORDS &&
		       KMT_KIND_TABLE == KIND_TABLE_WORDS,
	       "both sides must number the classes alike");

/* What an address means. Addresses are known only here, and only while kinds are taken. */
struct known_address {
	uint64_t address;
	struct kind_word word; /* class and id */
	bool lost;
	UT_hash_handle hh;
};

/* An object that was looked at: its words follow in `words`. */
struct looked_cache {
	uint32_t cache; /* index in the census */
	uint32_t words; /* of an object */
	ARRAY_OF(struct kind_word);
	struct {
		ARRAY_OF(uint64_t);
	} units; /* of each object of the sample; tracked objects follow these */
	struct {
		ARRAY_OF(uint32_t);
	} cgroups; /* of each object of the sample */
	struct {
		ARRAY_OF(uint32_t);
	} paths; /* of each tracked object */
	struct kind_groups groups;
};

struct kinds_run {
	const struct kinds_input *in;
	struct kmt_kinds *kinds;
	struct kallsyms *symbols;
	struct slab_aliases *aliases;
	struct known_address *known;
	struct kinds_names names; /* caches: those of the census first */
	struct census *out;
	uint64_t until_ns; /* CPU time */
	uint64_t *on_cpu;  /* free objects on CPUs' lists, sorted */
	size_t nr_on_cpu;
	double slabs_kb; /* of all caches */
	/* Of each tracked path: objects that were looked at, and those of them that are of a kind.
	 */
	uint32_t *looked, *alike;
};

static void kinds_run_end(struct kinds_run *k)
{
	HASH_FREE(k->known);
	kinds_names_free(&k->names);
	slab_aliases_free(k->aliases);
	kallsyms_free(k->symbols);
	free(k->on_cpu);
	free(k->looked);
	free(k->alike);
}

static void looked_cache_free(struct looked_cache *c)
{
	ARRAY_FREE(&c->units);
	ARRAY_FREE(&c->cgroups);
	ARRAY_FREE(&c->paths);
	kind_groups_free(&c->groups);
	ARRAY_FREE(c);
}

/* ---- where things are ---- */

static uint64_t direct_base(const struct kinds_input *in)
{
	return (in->frame_base - in->page_base) / in->page_bytes * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Tell the programs where memory, code and data of the kernel and its modules are. */
static void layout_tell(struct kinds_run *k)
{
	struct kinds_layout layout = {.frame_base = k->in->frame_base,
				      .page_base = k->in->page_base,
				      .frames = k->in->frames,
				      .percpu = k->in->percpu,
				      .direct_base = direct_base(k->in)};
	uint64_t first = 0, last = 0;

	if (k->symbols && kallsyms_span(k->symbols, false, &first, &last)) {
		layout.image = first;
		layout.image_bytes = last - first + IMAGE_DATA;
	}
	if (k->symbols && kallsyms_span(k->symbols, true, &first, &last)) {
		layout.modules = first - MODULE_DATA;
		layout.modules_bytes = last - first + 2 * MODULE_DATA;
	}
	kinds_programs_layout(k->in->programs, &layout);
}

/* ---- what addresses mean ---- */

static const uint32_t kmalloc_sizes[] = {8,   16,  32,   64,   96,   128,  192,
					 256, 512, 1024, 2048, 4096, 8192, 16384};

void kind_cache_classify(struct kind_cache *c)
{
	const char *dash = strrchr(c->name, '-');
	unsigned long size;
	char *end;

	c->generic = false;
	c->above = 0;
	if (!dash || dash[1] < '0' || dash[1] > '9')
		return;
	size = strtoul(dash + 1, &end, 10);
	if (*end == 'k')
		size *= 1024;
	if (size != c->object_bytes || (*end && strcmp(end, "k") != 0))
		return;
	c->generic = true;
#ifndef __aarch64__ /* where small sizes may share the cache of the next one */
	for (size_t i = 0; i < sizeof(kmalloc_sizes) / sizeof(kmalloc_sizes[0]); i++)
		if (kmalloc_sizes[i] < size)
			c->above = kmalloc_sizes[i];
#else
	for (size_t i = 0; i < sizeof(kmalloc_sizes) / sizeof(kmalloc_sizes[0]); i++)
		if (kmalloc_sizes[i] < size && size > 256)
			c->above = kmalloc_sizes[i];
#endif
}

/* Add a cache to the names. Returns its number, or −ENOMEM. */
static int64_t cache_name(struct kinds_run *k, uint64_t address)
{
	const struct kmt_census_cache *info = k->in->ask(k->in->arg, address);
	struct kind_cache *c = ARRAY_PUSH(&k->names.caches);
	size_t aliases;

	if (!c)
		return -ENOMEM;
	snprintf(c->name, sizeof(c->name), "%.*s", KIND_NAME_MAX - 1, info ? info->name : "");
	if (!c->name[0])
		snprintf(c->name, sizeof(c->name), "?");
	c->bytes = info ? info->size : 0;
	c->object_bytes = info ? info->object_size : 0;
	slab_aliases_of(k->aliases, c->name, &aliases);
	c->merged = aliases > 1;
	kind_cache_classify(c);
	return (int64_t)k->names.caches.nr - 1;
}

/* The number of a function, or −ENOMEM; UINT16_MAX if it is no beginning of one. */
static int64_t function_name(struct kinds_run *k, uint64_t address)
{
	struct kind_function *f;
	struct sym_ref ref;

	if (!k->symbols || !kallsyms_find(k->symbols, address, &ref) || ref.offset)
		return UINT16_MAX;
	for (size_t i = 0; i < k->names.functions.nr; i++) {
		f = &k->names.functions.items[i];
		if (!strncmp(f->name, ref.name, sizeof(f->name) - 1) &&
		    !strncmp(f->module, ref.module, sizeof(f->module) - 1))
			return (int64_t)i;
	}
	if (k->names.functions.nr >= IDS_MOST)
		return UINT16_MAX;
	f = ARRAY_PUSH(&k->names.functions);
	if (!f)
		return -ENOMEM;
	snprintf(f->name, sizeof(f->name), "%.*s", KIND_NAME_MAX - 1, ref.name);
	snprintf(f->module, sizeof(f->module), "%.*s", KIND_NAME_MAX - 1, ref.module);
	return (int64_t)k->names.functions.nr - 1;
}

/*
 * Is there a table that names functions? Returns its number, UINT16_MAX if not, or −ENOMEM. Text
 * and numbers are no tables, but may stand before one.
 */
static int64_t table_name_functions(struct kinds_run *k, uint64_t address)
{
	struct kind_table table = {0};
	uint32_t found = 0, others = 0;
	struct kind_table *t;

	if (k->names.tables.nr >= IDS_MOST || kinds_programs_table(k->in->programs, address))
		return UINT16_MAX;
	for (uint32_t w = 0; w < KMT_KIND_TABLE; w++) {
		uint64_t word = k->kinds->table[w];
		int64_t id = word > 1 ? function_name(k, word) : UINT16_MAX;

		if (id < 0)
			return id;
		others = word == 1 ? others + 1 : word ? 0 : others;
		if (others >= TABLE_NO_CODE)
			break;
		if (id == UINT16_MAX)
			continue;
		table.functions[w] = (uint16_t)(id + 1);
		found++;
	}
	if (!found)
		return UINT16_MAX;
	t = ARRAY_PUSH(&k->names.tables);
	if (!t)
		return -ENOMEM;
	*t = table;
	return (int64_t)k->names.tables.nr - 1;
}

/* What an address in the kernel's image is. Returns 0 or −ENOMEM. */
static int image_explain(struct kinds_run *k, uint64_t address, struct kind_word *out)
{
	int64_t id = function_name(k, address);

	out->class = KIND_FUNCTION;
	if (id == UINT16_MAX) {
		id = table_name_functions(k, address);
		out->class = KIND_TABLE;
	}
	if (id < 0)
		return (int)id;
	if (id == UINT16_MAX) {
		out->class = KIND_DATA;
		id = 0;
	}
	out->id = (uint16_t)id;
	return 0;
}

/* Remember what an address means. Returns NULL if memory is short. */
static struct known_address *address_add(struct kinds_run *k, uint64_t address,
					 const struct kind_word *word)
{
	struct known_address *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->address = address;
	a->word = *word;
	HASH_ADD(hh, k->known, address, sizeof(a->address), a);
	if (!a->lost)
		return a;
	free(a);
	return NULL;
}

static int address_explain(struct kinds_run *k, uint64_t address, bool image, struct kind_word *out)
{
	struct kind_word word = {.class = KIND_SLAB};
	struct known_address *a;
	int err = 0;

	HASH_FIND(hh, k->known, &address, sizeof(address), a);
	if (!a) {
		if (image) {
			err = image_explain(k, address, &word);
		} else {
			int64_t id = cache_name(k, address);

			err = id < 0 ? (int)id : 0;
			word.id = (uint16_t)id;
		}
		a = err ? NULL : address_add(k, address, &word);
		if (!a)
			return err ?: -ENOMEM;
	}
	out->class = a->word.class;
	out->id = a->word.id;
	return 0;
}

/* ---- looking ---- */

/* Translate a word, so that it names no address. Returns 0 or −ENOMEM. */
static int word_translate(struct kinds_run *k, uint64_t cache, const struct kmt_kind_word *from,
			  struct kind_word *to)
{
	static const uint16_t classes[KMT_WORDS] = {
		[KMT_WORD_ZERO] = KIND_ZERO,       [KMT_WORD_SMALL] = KIND_SMALL,
		[KMT_WORD_HALF] = KIND_HALF,       [KMT_WORD_OTHER] = KIND_OTHER,
		[KMT_WORD_POISON] = KIND_POISON,   [KMT_WORD_SELF] = KIND_SELF,
		[KMT_WORD_PAGE] = KIND_PAGE,       [KMT_WORD_MEMORY] = KIND_MEMORY,
		[KMT_WORD_VMALLOC] = KIND_VMALLOC, [KMT_WORD_PERCPU] = KIND_PERCPU};
	int err;

	*to = (struct kind_word){.at = from->at, .shape = (uint8_t)from->shape};
	if (from->class == KMT_WORD_SLAB && from->ref == cache) {
		to->class = KIND_NEIGHBOUR;
		return 0;
	}
	if (from->class != KMT_WORD_SLAB && from->class != KMT_WORD_OWNER &&
	    from->class != KMT_WORD_IMAGE) {
		to->class = from->class < KMT_WORDS ? classes[from->class] : KIND_OTHER;
		return 0;
	}
	err = address_explain(k, from->ref, from->class == KMT_WORD_IMAGE, to);
	if (from->class == KMT_WORD_OWNER)
		to->class = KIND_OWNER;
	return err;
}

static int item_take(struct kinds_run *k, struct looked_cache *c, const struct kmt_kind_item *item)
{
	int err = 0;

	for (uint32_t w = 0; w < c->words && !err; w++) {
		struct kind_word *word = ARRAY_PUSH(c);

		err = word ? word_translate(k, item->cache, &item->word[w], word) : -ENOMEM;
	}
	return err;
}

static int compare_addresses(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

/* Read the free objects on CPUs' lists of the cache. Returns 0, −EAGAIN if they move, or −errno. */
static int on_cpu_read(struct kinds_run *k, uint64_t cache)
{
	k->nr_on_cpu = 0;
	for (uint32_t run = 0; run < k->in->gather_runs; run++) {
		int err = k->in->gather(k->in->arg, cache, run);
		uint32_t nr = k->in->answers->on_cpu_freelist_nr;
		uint64_t *list;

		if (err || k->in->answers->incomplete)
			return err ?: -EAGAIN;
		nr = nr < KMT_ON_CPU_FREELIST ? nr : KMT_ON_CPU_FREELIST;
		list = reallocarray(k->on_cpu, k->nr_on_cpu + nr + 1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		k->on_cpu = list;
		memcpy(list + k->nr_on_cpu, k->in->answers->on_cpu_freelist, nr * sizeof(*list));
		k->nr_on_cpu += nr;
	}
	qsort(k->on_cpu, k->nr_on_cpu, sizeof(*k->on_cpu), compare_addresses);
	return 0;
}

static bool is_on_cpu(const struct kinds_run *k, uint64_t address)
{
	return bsearch(&address, k->on_cpu, k->nr_on_cpu, sizeof(*k->on_cpu), compare_addresses);
}

/* Fill in an item. False if the object is free on a CPU's list. */
static bool item_fill(struct kinds_run *k, uint32_t i, const struct looked_cache *c,
		      uint64_t address)
{
	struct kmt_kind_item *item = &k->kinds->items[i];

	item->addr = address;
	item->cache = k->in->addresses[c->cache];
	item->words = c->words;
	return !is_on_cpu(k, address);
}

/* Look at the next places that are on no CPU's list. Returns the number of places used, or −errno.
 */
static int64_t chunk_look(struct kinds_run *k, const struct kind_place *places, size_t nr,
			  struct looked_cache *c, struct kind_sample *sample)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), base = direct_base(k->in);
	const struct kind_cache *info = &k->names.caches.items[c->cache];
	uint64_t units[KMT_KIND_CHUNK];
	uint32_t filled = 0;
	size_t used = 0;
	int err;

	for (; used < nr && filled < KMT_KIND_CHUNK; used++) {
		units[filled] = places[used].slab->unit;
		filled += item_fill(k, filled, c,
				    base + places[used].slab->pfn * page +
					    (uint64_t)places[used].place * info->bytes);
	}
	err = filled ? kinds_programs_look(k->in->programs, filled) : 0;
	for (uint32_t i = 0; i < filled && !err; i++) {
		const struct kmt_kind_item *item = &k->kinds->items[i];
		uint32_t *cgroup;
		uint64_t *unit;

		sample->unsure += item->verdict == KMT_UNSURE;
		if (item->verdict != KMT_LIVE)
			continue;
		sample->live++;
		unit = ARRAY_PUSH(&c->units);
		cgroup = ARRAY_PUSH(&c->cgroups);
		if (!unit || !cgroup)
			return -ENOMEM;
		*unit = units[i];
		*cgroup = item->owner ? k->in->cgroup(k->in->arg, item->owner) : CENSUS_NO_CGROUP;
		err = item_take(k, c, item);
	}
	sample->drawn += (uint32_t)used;
	return err ? err : (int64_t)used;
}

static bool is_stopped(const struct kinds_run *k)
{
	return k->in->stop && k->in->stop(k->in->stop_arg);
}

static bool out_of_time(const struct kinds_run *k)
{
	return clock_thread_ns() > k->until_ns || is_stopped(k);
}

/*
 * Look at the drawn places of a cache. An object that was freed just now may be counted as live:
 * that changes a share by less than its interval. Returns 0 or −errno.
 */
static int places_look(struct kinds_run *k, const struct kind_places *places,
		       struct looked_cache *c, struct kind_sample *sample)
{
	for (size_t at = 0; at < places->nr;) {
		int64_t used = chunk_look(k, places->items + at, places->nr - at, c, sample);

		if (used < 0)
			return (int)used;
		at += (size_t)used;
		k->in->rest(k->in->arg);
		/* they are in order of address, so a part of them is no sample */
		if (at < places->nr && out_of_time(k))
			return -EDQUOT;
	}
	return 0;
}

/* The first tracked object of a cache; at the end of all, if it has none. */
static size_t tracked_first(const struct kinds_run *k, uint64_t cache)
{
	size_t first;

	SORTED_FIRST(first, k->in->tracked ? k->in->tracked->nr : 0,
		     k->in->tracked->items[first].cache < cache);
	return first;
}

static bool tracked_is_of(const struct kinds_run *k, size_t i, uint64_t cache)
{
	return k->in->tracked && i < k->in->tracked->nr && k->in->tracked->items[i].cache == cache;
}

/*
 * Look at objects of the cache that a recording tracks. One that was freed and used again since the
 * last audit counts for a wrong path: that is rare, and a path needs several objects of a kind.
 */
static int tracked_look(struct kinds_run *k, struct looked_cache *c)
{
	uint64_t cache = k->in->addresses[c->cache];
	size_t at = tracked_first(k, cache);
	int err = 0;

	while (!err && tracked_is_of(k, at, cache)) {
		uint32_t paths[KMT_KIND_CHUNK], filled = 0;

		for (; tracked_is_of(k, at, cache) && filled < KMT_KIND_CHUNK; at++) {
			const struct tracked_object *o = &k->in->tracked->items[at];

			paths[filled] = o->path;
			filled += item_fill(k, filled, c, o->address);
		}
		err = filled ? kinds_programs_look(k->in->programs, filled) : 0;
		for (uint32_t i = 0; i < filled && !err; i++) {
			uint32_t *path;

			if (k->kinds->items[i].verdict != KMT_LIVE)
				continue;
			path = ARRAY_PUSH(&c->paths);
			if (!path)
				return -ENOMEM;
			*path = paths[i];
			k->looked[paths[i]]++;
			err = item_take(k, c, &k->kinds->items[i]);
		}
		k->in->rest(k->in->arg);
		/* in order of address, too: the first of them say nothing about the paths */
		if (!err && tracked_is_of(k, at, cache) && out_of_time(k))
			err = -EDQUOT;
	}
	for (size_t i = 0; err && i < c->paths.nr; i++)
		k->looked[c->paths.items[i]]--;
	return err;
}

/* Look at one cache, and group its objects. −EDQUOT: no time; −EAGAIN: its lists move too fast. */
static int objects_look(struct kinds_run *k, uint32_t wanted, struct looked_cache *c)
{
	const struct kind_cache *info = &k->names.caches.items[c->cache];
	struct kind_sample sample = {.cache = c->cache}, *to;
	struct kind_places places = {0};
	uint64_t cache = k->in->addresses[c->cache];
	int err = -EAGAIN;

	for (int i = 0; i < GATHER_TRIES && err == -EAGAIN; i++)
		err = on_cpu_read(k, cache);
	c->words = info->object_bytes / 8;
	c->words = c->words < KIND_WORDS ? c->words : KIND_WORDS;
	err = err ?: kinds_sample_draw(k->in->sample, cache, wanted, OBJECTS_DRAWN, &places);
	if (c->words)
		err = err ?: places_look(k, &places, c, &sample) ?: tracked_look(k, c);
	ARRAY_FREE(&places);
	if (err)
		return err;
	to = ARRAY_PUSH(&k->out->kinds.samples);
	if (!to)
		return -ENOMEM;
	*to = sample;
	if (c->nr)
		err = kinds_group(c->items, c->units.nr + c->paths.nr, c->words, &c->groups);
	ARRAY_FREE(c);
	return err;
}

/* ---- kinds ---- */

double kinds_effective(const uint64_t *units, const uint8_t *of, size_t nr)
{
	double in = 0, share, squares = 0, variance, simple;
	size_t clusters = 0;

	for (size_t i = 0; i < nr; i++)
		in += of[i] != 0;
	if (nr < 2 || in == 0 || in == (double)nr)
		return (double)nr;
	share = in / (double)nr;
	for (size_t i = 0; i < nr;) {
		double sum = 0, size = 0;
		size_t j = i;

		for (; j < nr && units[j] == units[i]; j++) {
			sum += of[j] != 0;
			size++;
		}
		squares += pow(sum - share * size, 2);
		clusters++;
		i = j;
	}
	if (clusters < 2)
		return 1;
	/* the variance of a ratio of cluster totals (Cochran, Sampling Techniques, 9A.2) */
	variance = squares * (double)clusters / ((double)clusters - 1) / ((double)nr * (double)nr);
	simple = share * (1 - share) / (double)nr;
	return variance > simple ? share * (1 - share) / variance : (double)nr;
}

/* Move the objects of one group to another. Returns 0 or −ENOMEM. */
static int members_move(struct kind_group *to, struct kind_group *from)
{
	int err = ARRAY_APPEND(&to->members, from->members.items, from->members.nr);

	if (err)
		return err;
	to->objects += from->objects;
	from->objects = 0;
	return 0;
}

/* A group of the same type that names no other functions; NULL: none. */
static struct kind_group *group_of_type(struct looked_cache *c, const struct census_kind *kinds,
					size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (!c->groups.items[i].objects || kinds[i].sure == KIND_UNKNOWN ||
		    kinds[nr].sure == KIND_UNKNOWN ||
		    strcmp(kinds[i].types[0].name, kinds[nr].types[0].name) != 0)
			continue;
		if (!kind_groups_differ(&c->groups.items[i], &c->groups.items[nr]))
			return &c->groups.items[i];
	}
	return NULL;
}

/* Members of the group that are of the sample, and not tracked objects. */
static uint32_t group_sampled(const struct looked_cache *c, const struct kind_group *g)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < g->members.nr; i++)
		nr += g->members.items[i] < c->units.nr;
	return nr;
}

/* What each path holds of a kind; alike[i]: objects of path i that were of it. */
static int paths_push(struct kinds_run *k, uint32_t cache, uint32_t kind, const uint32_t *alike)
{
	const struct tracked_objects *t = k->in->tracked;

	for (uint32_t i = 0; t && i < t->paths.nr; i++) {
		const struct tracked_path *from = &t->paths.items[i];
		struct census_path *to;

		if (!alike[i] || !from->stack)
			continue;
		k->alike[i] += alike[i];
		to = ARRAY_PUSH(&k->out->kinds.paths);
		if (!to)
			return -ENOMEM;
		*to = (struct census_path){.cache = cache,
					   .kind = kind,
					   .stack = from->stack,
					   .tracked = from->tracked,
					   .looked = k->looked[i],
					   .alike = alike[i],
					   .objects = from->objects * alike[i] / k->looked[i]};
	}
	return 0;
}

/* The paths of the tracked objects of a group. */
static int group_paths(struct kinds_run *k, const struct looked_cache *c,
		       const struct kind_group *g)
{
	size_t nr = k->in->tracked ? k->in->tracked->paths.nr : 0;
	_cleanup_free_ uint32_t *alike = calloc(nr + 1, sizeof(*alike));

	if (!alike)
		return -ENOMEM;
	for (size_t i = 0; i < g->members.nr; i++)
		if (g->members.items[i] >= c->units.nr)
			alike[c->paths.items[g->members.items[i] - c->units.nr]]++;
	return paths_push(k, c->cache, (uint32_t)k->out->kinds.nr - 1, alike);
}

static int compare_cgroup_numbers(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* The cgroup that most of the group's objects in the sample are charged to. */
static int group_cgroup(const struct looked_cache *c, const struct kind_group *g,
			struct census_kind *out)
{
	_cleanup_free_ uint32_t *cgroups = calloc(g->members.nr + 1, sizeof(*cgroups));
	size_t nr = 0;

	if (!cgroups)
		return -ENOMEM;
	for (size_t i = 0; i < g->members.nr; i++)
		if (g->members.items[i] < c->units.nr)
			cgroups[nr++] = c->cgroups.items[g->members.items[i]];
	qsort(cgroups, nr, sizeof(*cgroups), compare_cgroup_numbers);
	out->cgroup = CENSUS_NO_CGROUP;
	for (size_t i = 0, end; i < nr && cgroups[i] != CENSUS_NO_CGROUP; i = end) {
		for (end = i + 1; end < nr && cgroups[end] == cgroups[i];)
			end++;
		if (end - i <= out->charged)
			continue;
		out->cgroup = cgroups[i];
		out->charged = (uint32_t)(end - i);
	}
	return 0;
}

static int kind_push(struct kinds_run *k, const struct looked_cache *c, const struct kind_group *g,
		     const struct census_kind *kind)
{
	_cleanup_free_ uint8_t *of = calloc(c->units.nr + 1, 1);
	struct census_kind *row = of ? ARRAY_PUSH(&k->out->kinds) : NULL;

	if (!row)
		return -ENOMEM;
	for (size_t i = 0; i < g->members.nr; i++)
		if (g->members.items[i] < c->units.nr)
			of[g->members.items[i]] = 1;
	*row = *kind;
	row->cache = c->cache;
	row->effective = census_is_whole(k->out) ? (double)c->units.nr
						 : kinds_effective(c->units.items, of, c->units.nr);
	kind_group_sign(g, &k->names, k->names.caches.items[c->cache].name, row->signature);
	return group_cgroup(c, g, row) ?: group_paths(k, c, g);
}

/* The scored group with most objects of the sample that was not taken yet, or −1. */
static int group_next(const struct looked_cache *c, const struct census_kind *kinds,
		      const bool taken[GROUPS_SCORED])
{
	int next = -1;

	for (size_t i = 0; i < c->groups.nr && i < GROUPS_SCORED; i++)
		if (!taken[i] && c->groups.items[i].objects >= KIND_LEAST &&
		    (next < 0 || kinds[i].objects > kinds[next].objects))
			next = (int)i;
	return next;
}

static double slabs_kb(const struct census *c, size_t i)
{
	return c->caches.items[i].pages.sum * (double)c->units / (double)c->counted *
	       (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* Do objects like those of the group hold enough memory? */
static bool is_worth_types(const struct kinds_run *k, const struct looked_cache *c,
			   const struct kind_group *g)
{
	double share = (double)group_sampled(c, g) / (double)(c->units.nr + !c->units.nr);

	return share * slabs_kb(k->out, c->cache) >= k->in->typed_share * k->slabs_kb;
}

/* Find the types of a cache's groups; none without a scorer. */
static int cache_kinds(struct kinds_run *k, const struct kinds_scorer *scorer,
		       struct looked_cache *c)
{
	_cleanup_free_ struct census_kind *kinds = calloc(c->groups.nr + 1, sizeof(*kinds));
	bool taken[GROUPS_SCORED] = {false};
	int err = kinds ? 0 : -ENOMEM, next;

	for (size_t i = 0; i < c->groups.nr && i < GROUPS_SCORED && !err; i++) {
		struct kind_group *same;

		if (c->groups.items[i].objects < KIND_LEAST)
			continue;
		if (scorer && is_worth_types(k, c, &c->groups.items[i]) && !is_stopped(k))
			err = kinds_score(scorer, c->cache, &c->groups.items[i], &kinds[i]);
		else
			err = kinds_points(&k->names, c->cache, &c->groups.items[i], &kinds[i]);
		k->in->rest(k->in->arg);
		same = err ? NULL : group_of_type(c, kinds, i);
		if (same)
			err = members_move(same, &c->groups.items[i]);
	}
	for (size_t i = 0; i < c->groups.nr && i < GROUPS_SCORED && !err; i++)
		kinds[i].objects = group_sampled(c, &c->groups.items[i]);
	for (int nr = 0; nr < KINDS_OF_CACHE && !err; nr++) {
		next = group_next(c, kinds, taken);
		if (next < 0)
			break;
		taken[next] = true;
		err = kind_push(k, c, &c->groups.items[next], &kinds[next]);
	}
	return err;
}

struct looked_caches {
	ARRAY_OF(struct looked_cache);
};

/* Learn the types of caches whose names do not say them. */
static int caches_learn(struct kinds_run *k, struct kinds_scorer *scorer,
			const struct looked_caches *looked)
{
	int err = 0;

	for (size_t i = 0; i < looked->nr && !err && !is_stopped(k); i++) {
		const struct looked_cache *c = &looked->items[i];
		const struct kind_group *most = c->groups.nr ? &c->groups.items[0] : NULL;

		if (most && most->objects >= CACHE_SHARE * (double)(c->units.nr + c->paths.nr))
			err = kinds_scorer_learn(scorer, c->cache, most);
		k->in->rest(k->in->arg);
	}
	return err;
}

static void looked_free(struct looked_caches *l)
{
	for (size_t i = 0; i < l->nr; i++)
		looked_cache_free(&l->items[i]);
	ARRAY_FREE(l);
}

/* All caches of the census, so that names have the same numbers. */
static int caches_name_all(struct kinds_run *k)
{
	for (size_t i = 0; i < k->out->caches.nr; i++) {
		struct kind_word word = {.class = KIND_SLAB, .id = (uint16_t)i};
		int64_t id = cache_name(k, k->in->addresses[i]);

		if (id < 0 || !address_add(k, k->in->addresses[i], &word))
			return -ENOMEM;
		k->slabs_kb += slabs_kb(k->out, i);
	}
	return 0;
}

/* Look at the caches with most memory; generic ones first. */
static int caches_look(struct kinds_run *k, struct looked_caches *out)
{
	for (int generic = 1; generic >= 0; generic--) {
		for (size_t i = 0; i < k->out->caches.nr; i++) {
			struct looked_cache *c;
			int err;

			if (k->names.caches.items[i].generic != (generic == 1) ||
			    (slabs_kb(k->out, i) < CACHE_LEAST_KB &&
			     !tracked_is_of(k, tracked_first(k, k->in->addresses[i]),
					    k->in->addresses[i])))
				continue;
			if (out->nr >= CACHES_LOOKED || out_of_time(k)) {
				k->out->kinds.skipped++;
				continue;
			}
			c = ARRAY_PUSH(out);
			if (!c)
				return -ENOMEM;
			c->cache = (uint32_t)i;
			err = objects_look(
				k, out->nr <= CACHES_WELL ? OBJECTS_WANTED : OBJECTS_FEWER, c);
			if (!err)
				continue;
			log_debug("kinds: %s: %s", k->names.caches.items[i].name, strerror(-err));
			looked_cache_free(&out->items[--out->nr]);
			if (err != -EAGAIN && err != -EDQUOT)
				return err;
			k->out->kinds.skipped++;
		}
	}
	return 0;
}

/* The place of a cache in the census; −1: it has none. */
static int64_t cache_number(const struct kinds_run *k, uint64_t address)
{
	for (size_t i = 0; i < k->out->caches.nr; i++)
		if (k->in->addresses[i] == address)
			return (int64_t)i;
	return -1;
}

/* What paths hold of which the kind was not found. */
static int paths_rest(struct kinds_run *k)
{
	const struct tracked_objects *t = k->in->tracked;

	for (uint32_t i = 0; t && i < t->paths.nr; i++) {
		const struct tracked_path *from = &t->paths.items[i];
		uint32_t looked = k->looked[i], rest = looked - k->alike[i];
		int64_t cache = cache_number(k, from->cache);
		struct census_path *to;

		if (cache < 0 || !from->stack || (looked && !rest))
			continue;
		to = ARRAY_PUSH(&k->out->kinds.paths);
		if (!to)
			return -ENOMEM;
		*to = (struct census_path){.cache = (uint32_t)cache,
					   .kind = CENSUS_NO_KIND,
					   .stack = from->stack,
					   .tracked = from->tracked,
					   .looked = looked,
					   .alike = rest,
					   .objects = looked ? from->objects * rest / looked
							     : from->objects};
	}
	return 0;
}

static int compare_looked(const void *x, const void *y)
{
	const struct looked_cache *a = x, *b = y;

	return a->cache < b->cache ? -1 : a->cache > b->cache;
}

/* Compare all groups with the types of the kernel. */
static int kinds_type(struct kinds_run *k, struct looked_caches *looked)
{
	const struct plan *plan = k->in->plan;
	struct kinds_scorer *scorer = NULL;
	struct kinds_btf *btf = NULL;
	uint64_t began = clock_thread_ns();
	bool types = !is_stopped(k);
	int err = !types ? 0
			 : kinds_btf_load(plan->btf_source[0] ? plan->btf_source : KERNEL_BTF,
					  "/sys", &btf);

	if (types)
		err = err ?: kinds_scorer_new(btf, &k->names, &scorer);
	err = err || !types ? err : caches_learn(k, scorer, looked);
	log_debug("kinds: reading types took %.0f ms", (double)(clock_thread_ns() - began) / 1e6);
	for (size_t i = 0; i < looked->nr && !err; i++)
		err = cache_kinds(k, scorer, &looked->items[i]);
	if (!err && is_stopped(k) && !k->out->kinds.lacks[0])
		snprintf(k->out->kinds.lacks, sizeof(k->out->kinds.lacks),
			 "types: it was stopped before all were found");
	kinds_scorer_free(scorer);
	kinds_btf_free(btf);
	return err ?: paths_rest(k);
}

static int kinds_take_all(struct kinds_run *k, struct looked_caches *looked, uint64_t began)
{
	struct census_kinds *out = &k->out->kinds;
	size_t paths = k->in->tracked ? k->in->tracked->paths.nr : 0;
	uint64_t looking, typing;
	int err;

	err = kallsyms_load("/proc/kallsyms", &k->symbols);
	if (err) {
		char why[SYMBOLS_WHY_MAX];

		snprintf(out->lacks, sizeof(out->lacks), "functions: %.180s",
			 symbols_why(err, "/proc", why));
	}
	if (slab_aliases_load("/sys", &k->aliases))
		k->aliases = NULL;
	layout_tell(k);
	k->kinds = k->in->programs->kinds;
	k->looked = calloc(paths + 1, sizeof(*k->looked));
	k->alike = calloc(paths + 1, sizeof(*k->alike));
	err = k->looked && k->alike ? caches_name_all(k) : -ENOMEM;
	looking = clock_thread_ns();
	k->until_ns = looking + (uint64_t)(k->in->budget_s * 1e9);
	err = err ?: caches_look(k, looked);
	if (looked->nr) /* kinds are in the order of the census */
		qsort(looked->items, looked->nr, sizeof(*looked->items), compare_looked);
	typing = clock_thread_ns();
	err = err ?: kinds_type(k, looked);
	log_debug("kinds: %zu of %zu caches; load %.0f ms, look %.0f ms, types %.0f ms", looked->nr,
		  k->out->caches.nr, (double)(looking - began) / 1e6,
		  (double)(typing - looking) / 1e6, (double)(clock_thread_ns() - typing) / 1e6);
	return err;
}

int kinds_take(const struct kinds_input *in, struct census *out)
{
	_cleanup_(kinds_run_end) struct kinds_run k = {.in = in, .out = out};
	_cleanup_(looked_free) struct looked_caches looked = {0};
	uint64_t began = clock_thread_ns();
	char why[LIMITS_MAX];
	int err = kinds_take_all(&k, &looked, began);

	out->kinds.cpu_s = (double)(clock_thread_ns() - began) / 1e9;
	if (!err)
		return 0;
	census_kinds_free(&out->kinds);
	if (err == -ENOMEM)
		return err;
	snprintf(out->kinds.why, sizeof(out->kinds.why), "%.190s", limits_explain(-err, why));
	return 0;
}
