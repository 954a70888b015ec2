// SPDX-License-Identifier: GPL-2.0-only
/* Sums of the lenses: see lenses_tally.h. */
#include "trace/lenses_tally.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "base/hash.h"
#include "trace/lenses_tally_internal.h"

#define ENTRIES_MOST 65536 /* of one cache, and rows of all */
#define NAMES_MOST   65536
#define FEW_HITS     30 /* with fewer, the variance of their number counts, too */

/* A figure over blocks: sum, sum of squares, and sum of products with the block's objects. */
struct lens_moments {
	double part; /* in the current block */
	double sum, squares, products;
	uint64_t hits;
};

enum { MOMENT_OBJECTS, MOMENT_HELD, MOMENT_QUEUED, MOMENTS };

/* What the kernel side says about objects of the current cache, by address. */
struct lens_entry {
	struct lens_key key;
	char text[KMT_LENS_TEXT];
	uint64_t mount; /* of a place */
	uint64_t block; /* the last one with such objects */
	double used;    /* objects of that block */
	struct lens_moments moments[MOMENTS];
	bool lost;
	UT_hash_handle hh;
};

struct lens_named {
	uint64_t address;
	char type[32], device[32];
	bool lost;
	UT_hash_handle hh;
};

struct lens_row_entry {
	struct lens_row_key key;
	size_t row; /* index */
	bool lost;
	UT_hash_handle hh;
};

struct lens_tally {
	struct lens_asking asking;
	struct lens_entry *entries;
	/*
	 * Directories of dentries, and mount points: the key has the dentry as `op`, and that of a
	 * mount point no `what`.
	 */
	struct lens_entry *places;
	struct lens_directories directories;
	struct lens_paths paths;
	struct lens_named *names;
	struct lens_row_entry *by_name;
	struct lens_rows rows;
	uint64_t blocks;     /* of the current cache */
	double used;         /* objects in the current block, … */
	double sum, squares; /* … and in all blocks of the cache */
	uint64_t lost;
};

struct lens_tally *lens_tally_new(const struct lens_asking *asking)
{
	struct lens_tally *t = calloc(1, sizeof(*t));

	if (t)
		t->asking = *asking;
	return t;
}

static void entries_free(struct lens_tally *t)
{
	HASH_FREE(t->entries);
	HASH_FREE(t->places);
	t->blocks = 0;
	t->sum = t->squares = 0;
}

void lens_tally_free(struct lens_tally *t)
{
	if (!t)
		return;
	entries_free(t);
	HASH_FREE(t->names);
	HASH_FREE(t->by_name);
	ARRAY_FREE(&t->rows);
	ARRAY_FREE(&t->directories);
	ARRAY_FREE(&t->paths);
	free(t);
}

/* ---- sums of a cache ---- */

static void moments_close(struct lens_moments *m, double used)
{
	m->sum += m->part;
	m->squares += m->part * m->part;
	m->products += m->part * used;
	m->hits += m->part > 0;
	m->part = 0;
}

static void entry_close(struct lens_entry *e)
{
	for (int i = 0; i < MOMENTS; i++)
		moments_close(&e->moments[i], e->used);
}

void lens_tally_block(struct lens_tally *t, double used)
{
	t->blocks++;
	t->used = used;
	t->sum += used;
	t->squares += used * used;
}

/* The entry of a key; *out is NULL if there is no room for it. Returns 0 or −ENOMEM. */
static int entry_find(struct lens_entry **entries, const struct lens_key *key,
		      struct lens_entry **out)
{
	struct lens_entry *e;

	HASH_FIND(hh, *entries, key, sizeof(*key), e);
	*out = e;
	if (e || HASH_COUNT(*entries) >= ENTRIES_MOST)
		return 0;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->key = *key;
	HASH_ADD(hh, *entries, key, sizeof(e->key), e);
	if (e->lost) {
		free(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

/* Begin to add to an entry, in the current block. */
static void entry_begin(struct lens_entry *e, const struct lens_tally *t)
{
	if (e->block != t->blocks)
		entry_close(e);
	e->block = t->blocks;
	e->used = t->used;
}

static int record_add(struct lens_tally *t, const struct kmt_lens_record *r)
{
	struct lens_entry *e;
	struct lens_key key;
	int err;

	memset(&key, 0, sizeof(key));
	key.what = r->what;
	key.op = r->op;
	key.lens = r->lens;
	key.detail = r->detail;
	key.space = r->space;
	key.cgroup = r->owner ? t->asking.cgroup(t->asking.arg, r->owner) : LENS_NO_CGROUP;
	err = entry_find(&t->entries, &key, &e);
	if (err || !e) {
		t->lost += r->nr;
		return err;
	}
	memcpy(e->text, r->text, sizeof(e->text));
	entry_begin(e, t);
	e->moments[MOMENT_OBJECTS].part += r->nr;
	e->moments[MOMENT_HELD].part += (double)r->bytes;
	e->moments[MOMENT_QUEUED].part += (double)r->bytes2;
	return 0;
}

/* Add a record to its directory or mount point. Those with no room are few each. */
static int place_add(struct lens_tally *t, const struct kmt_lens_record *r)
{
	struct lens_entry *e;
	struct lens_key key;
	int err;

	memset(&key, 0, sizeof(key));
	key.lens = r->lens;
	key.what = r->lens == KMT_LENS_MOUNT ? 0 : r->what;
	key.op = r->dentry;
	err = entry_find(&t->places, &key, &e);
	if (err || !e)
		return err;
	if (!e->mount)
		e->mount = r->mount;
	entry_begin(e, t);
	e->moments[MOMENT_OBJECTS].part += r->nr;
	if (r->lens == KMT_LENS_DENTRY && r->detail == KMT_LENS_NEGATIVE)
		e->moments[MOMENT_HELD].part += r->nr;
	return 0;
}

int lens_tally_add(struct lens_tally *t, const struct kmt_lens_record *records, size_t nr)
{
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		const struct kmt_lens_record *r = &records[i];

		if (!r->lens || r->lens >= KMT_LENSES)
			continue;
		err = record_add(t, r);
		if (!err && r->dentry)
			err = place_add(t, r);
	}
	return err;
}

/* ---- names ---- */

static const char *file_type(uint32_t type)
{
	static const char *const types[16] = {
		[1] = "pipe",         [2] = "character device", [4] = "directory",
		[6] = "block device", [8] = "regular file",     [10] = "symbolic link",
		[12] = "socket"};

	return types[type & 15] ?: "";
}

static const char *family_word(uint32_t family)
{
	static const char *const families[] = {
		[1] = "unix",    [2] = "inet",  [10] = "inet6",     [15] = "key", [16] = "netlink",
		[17] = "packet", [29] = "can",  [31] = "bluetooth", [38] = "alg", [40] = "vsock",
		[41] = "kcm",    [42] = "qrtr", [43] = "smc",       [44] = "xdp", [45] = "mctp"};

	return family < sizeof(families) / sizeof(families[0]) && families[family]
		       ? families[family]
		       : "other";
}

/* As ss writes them. */
static const char *socket_state(uint32_t state)
{
	static const char *const states[] = {
		[1] = "ESTAB",      [2] = "SYN-SENT",  [3] = "SYN-RECV", [4] = "FIN-WAIT-1",
		[5] = "FIN-WAIT-2", [6] = "TIME-WAIT", [7] = "UNCONN",   [8] = "CLOSE-WAIT",
		[9] = "LAST-ACK",   [10] = "LISTEN",   [11] = "CLOSING", [12] = "SYN-RECV"};

	return state < sizeof(states) / sizeof(states[0]) && states[state] ? states[state] : "";
}

/* The names behind an address, asked for once. NULL if memory is short. */
static const struct lens_named *named(struct lens_tally *t, uint32_t lens, uint64_t address)
{
	static const struct lens_named unknown = {.type = "unknown"};
	const struct kmt_lens_name *answer;
	struct lens_named *n;

	HASH_FIND(hh, t->names, &address, sizeof(address), n);
	if (n)
		return n;
	if (HASH_COUNT(t->names) >= NAMES_MOST)
		return &unknown;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	*n = unknown;
	n->address = address;
	answer = t->asking.name(t->asking.arg, lens, address);
	if (answer && answer->known) {
		snprintf(n->type, sizeof(n->type), "%.31s", answer->type);
		snprintf(n->device, sizeof(n->device), "%.31s", answer->device);
	}
	HASH_ADD(hh, t->names, address, sizeof(n->address), n);
	if (!n->lost)
		return n;
	free(n);
	return NULL;
}

/* "[eventfd]" → "eventfd" */
static void file_kind(const char text[KMT_LENS_TEXT], char kind[24])
{
	size_t len = strnlen(text, KMT_LENS_TEXT - 1);

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	snprintf(kind, 24, "%.*s", (int)len, text);
}

int lens_row_key_build(struct lens_tally *t, const struct lens_key *key, const char *text,
		       struct lens_row_key *k)
{
	uint32_t lens = key->lens, state = key->detail >> KMT_LENS_STATE_SHIFT;
	const struct lens_named *n = NULL;
	const char *word = "";

	memset(k, 0, sizeof(*k));
	k->lens = lens - 1;
	k->space = key->space;
	k->cgroup = key->cgroup;
	if (lens != KMT_LENS_NET) {
		n = named(t, lens, key->what);
		if (!n)
			return -ENOMEM;
		memcpy(k->what, n->type, sizeof(k->what));
		memcpy(k->device, n->device, sizeof(k->device));
	}
	if (lens == KMT_LENS_DENTRY)
		state = key->detail;
	if (lens == KMT_LENS_DENTRY || lens == KMT_LENS_INODE)
		word = state == KMT_LENS_NEGATIVE ? "negative"
		       : state == KMT_LENS_UNUSED ? "unused"
						  : "";
	else if (lens == KMT_LENS_SOCKET)
		word = socket_state(state);
	snprintf(k->state, sizeof(k->state), "%s", word);
	if (lens == KMT_LENS_SOCKET)
		snprintf(k->family, sizeof(k->family), "%s", family_word(key->detail & 0xffff));
	if (lens == KMT_LENS_INODE || lens == KMT_LENS_FILE)
		snprintf(k->kind, sizeof(k->kind), "%s", file_type(key->detail));
	if (lens == KMT_LENS_FILE && text[0])
		file_kind(text, k->kind);
	if (lens == KMT_LENS_FILE && k->space) {
		memset(k->kind, 0, sizeof(k->kind));
		t->asking.device(t->asking.arg, key->detail == KMT_LENS_BLOCK, k->space, k->kind);
		memset(k->kind + strlen(k->kind), 0, sizeof(k->kind) - strlen(k->kind));
		k->space = 0;
	}
	return 0;
}

/* The row of that name, which is added if it is new. *out is NULL if there is no room for it. */
static int row_of(struct lens_tally *t, const struct lens_row_key *key, struct lens_row **out)
{
	struct lens_row_entry *e;
	struct lens_row *row;

	HASH_FIND(hh, t->by_name, key, sizeof(*key), e);
	*out = e ? &t->rows.items[e->row] : NULL;
	if (e || HASH_COUNT(t->by_name) >= ENTRIES_MOST)
		return 0;
	row = ARRAY_PUSH(&t->rows);
	e = row ? calloc(1, sizeof(*e)) : NULL;
	if (!e)
		return -ENOMEM;
	e->key = *key;
	e->row = t->rows.nr - 1;
	row->lens = key->lens;
	row->space = key->space;
	row->cgroup = key->cgroup;
	memcpy(row->what, key->what, sizeof(row->what));
	memcpy(row->device, key->device, sizeof(row->device));
	memcpy(row->kind, key->kind, sizeof(row->kind));
	memcpy(row->state, key->state, sizeof(row->state));
	memcpy(row->family, key->family, sizeof(row->family));
	HASH_ADD(hh, t->by_name, key, sizeof(e->key), e);
	if (e->lost) {
		free(e);
		t->rows.nr--;
		return -ENOMEM;
	}
	*out = row;
	return 0;
}

/* ---- estimates ---- */

/* A total over all blocks by the share in those looked at: see lenses_tally.h. */
static struct lens_sum moments_total(const struct lens_tally *t, const struct lens_population *p,
				     const struct lens_moments *m, bool ratio)
{
	double n = (double)t->blocks, all = (double)p->blocks, r = 0, squares;
	struct lens_sum s = {.value = m->sum, .hits = m->hits};

	if (p->counted < p->units) {
		/* blocks without slabs of the cache were looked at, too: they have nothing of it */
		n *= (double)p->counted / all;
		all = (double)p->units;
		ratio = false;
	}
	if (n >= all || !(n > 0))
		return s;
	if (ratio && t->sum > 0) {
		r = m->sum / t->sum;
		s.value = r * p->objects;
		squares = m->squares - 2 * r * m->products + r * r * t->squares;
	} else {
		s.value = m->sum * all / n;
		squares = m->squares - m->sum * m->sum / n;
	}
	if (n > 1)
		s.variance = all * all * (1 - n / all) / n * fmax(squares, 0) / (n - 1);
	else
		s.variance = s.value * s.value;
	/* of what is in few of the blocks, their number has a binomial distribution */
	if (s.hits && s.hits < FEW_HITS && (double)s.hits < n)
		s.variance = fmax(s.variance, s.value * s.value / (double)s.hits *
						      (1 - (double)s.hits / n) * (1 - n / all));
	return s;
}

static void lens_sum_add(struct lens_sum *to, const struct lens_sum *s, double scale)
{
	to->value += s->value * scale;
	to->variance += s->variance * scale * scale;
	to->hits += s->hits;
}

static void lens_row_add(struct lens_row *row, const struct lens_tally *t,
			 const struct lens_population *p, const struct lens_entry *e)
{
	double held_kb = row->lens == LENS_INODES ? p->page_bytes / 1024.0 : 1 / 1024.0;
	struct lens_sum s = moments_total(t, p, &e->moments[MOMENT_OBJECTS], true);
	double bytes = p->bytes;

	/* a socket from kmalloc(), found through its inode */
	if (row->lens == LENS_SOCKETS && e->key.op)
		bytes = (double)e->key.op;

	lens_sum_add(&row->objects, &s, 1);
	lens_sum_add(&row->kb, &s, bytes / 1024.0);
	s = moments_total(t, p, &e->moments[MOMENT_HELD], false);
	lens_sum_add(&row->held_kb, &s, held_kb);
	s = moments_total(t, p, &e->moments[MOMENT_QUEUED], false);
	lens_sum_add(&row->queued_kb, &s, 1 / 1024.0);
}

/* ---- directories and paths ---- */

void lens_path_words(const struct kmt_lens_path *p, char path[256])
{
	char all[KMT_LENS_LEVELS * (KMT_LENS_NAME + 1) + 4] = "";
	uint32_t levels = p->levels < KMT_LENS_LEVELS ? p->levels : KMT_LENS_LEVELS;
	size_t at = 0;

	if (p->more)
		at += (size_t)snprintf(all, sizeof(all), "…");
	for (uint32_t i = levels; i-- > 0;)
		at += (size_t)snprintf(all + at, sizeof(all) - at, "/%.*s", KMT_LENS_NAME - 1,
				       p->name[i]);
	if (!at)
		at = (size_t)snprintf(all, sizeof(all), "/");
	if (at < 256)
		memcpy(path, all, at + 1);
	else
		snprintf(path, 256, "…%s", all + at - 250);
}

int lens_path_add(struct lens_tally *t, const struct lens_place *place, struct lens_path **out)
{
	const struct kmt_lens_path *path =
		t->asking.path(t->asking.arg, place->dentry, place->super, place->mount);
	const struct lens_named *n = NULL;
	struct lens_path *p;

	*out = NULL;
	if (!path || !path->known)
		return 0;
	p = ARRAY_PUSH(&t->paths);
	if (!p)
		return -ENOMEM;
	p->lens = place->lens;
	lens_path_words(path, p->path);
	p->deleted = path->deleted;
	if (place->super) {
		n = named(t, KMT_LENS_DENTRY, place->super);
		if (!n)
			return -ENOMEM;
		memcpy(p->what, n->type, sizeof(p->what));
		memcpy(p->device, n->device, sizeof(p->device));
	}
	*out = p;
	return 0;
}

static int compare_places(const void *x, const void *y)
{
	const struct lens_entry *a = *(struct lens_entry *const *)x,
				*b = *(struct lens_entry *const *)y;
	double one = a->moments[MOMENT_OBJECTS].sum, other = b->moments[MOMENT_OBJECTS].sum;

	return one != other ? (one < other ? 1 : -1) : 0;
}

static int directory_add(struct lens_tally *t, const struct lens_population *p,
			 const struct lens_entry *e)
{
	const struct kmt_lens_path *path = t->asking.path(t->asking.arg, e->key.op, e->key.what, 0);
	const struct lens_named *n = named(t, KMT_LENS_DENTRY, e->key.what);
	struct lens_directory *d = path && path->known ? ARRAY_PUSH(&t->directories) : NULL;

	if (!n || (!d && path && path->known))
		return -ENOMEM;
	if (!d)
		return 0;
	memcpy(d->what, n->type, sizeof(d->what));
	memcpy(d->device, n->device, sizeof(d->device));
	lens_path_words(path, d->path);
	d->objects = moments_total(t, p, &e->moments[MOMENT_OBJECTS], true);
	d->negative = moments_total(t, p, &e->moments[MOMENT_HELD], true);
	d->kb = d->objects.value * p->bytes / 1024.0;
	return 0;
}

static int mount_point_add(struct lens_tally *t, const struct lens_population *p,
			   const struct lens_entry *e)
{
	const struct lens_place place = {
		.lens = LENS_MOUNTS, .dentry = e->key.op, .mount = e->mount};
	struct lens_sum objects = moments_total(t, p, &e->moments[MOMENT_OBJECTS], true);
	struct lens_path *path = NULL;
	int err = objects.value < LENS_SEVERAL ? 0 : lens_path_add(t, &place, &path);

	if (path)
		path->objects = objects;
	return err;
}

/* Name the directories with most dentries, or the mount points with most mounts. */
static int places_build(struct lens_tally *t, const struct lens_population *p)
{
	size_t nr = 0, most = HASH_COUNT(t->places);
	struct lens_entry **sorted = calloc(most + 1, sizeof(struct lens_entry *));
	int err = sorted ? 0 : -ENOMEM;

	for (struct lens_entry *e = t->places; e && !err; e = e->hh.next) {
		entry_close(e);
		sorted[nr++] = e;
	}
	if (nr)
		qsort(sorted, nr, sizeof(*sorted), compare_places);
	for (size_t i = 0; i < nr && !err; i++) {
		if (sorted[i]->key.lens == KMT_LENS_MOUNT && t->paths.nr < LENS_PATHS)
			err = mount_point_add(t, p, sorted[i]);
		if (sorted[i]->key.lens == KMT_LENS_DENTRY && t->directories.nr < LENS_DIRECTORIES)
			err = directory_add(t, p, sorted[i]);
	}
	free(sorted);
	return err;
}

int lens_tally_cache(struct lens_tally *t, const struct lens_population *population)
{
	struct lens_row_key key;
	struct lens_row *row;
	int err = 0;

	for (struct lens_entry *e = t->entries; e && !err; e = e->hh.next) {
		entry_close(e);
		err = lens_row_key_build(t, &e->key, e->text, &key) ?: row_of(t, &key, &row);
		if (err)
			break;
		if (row)
			lens_row_add(row, t, population, e);
		else
			t->lost += (uint64_t)e->moments[MOMENT_OBJECTS].sum;
	}
	if (!err && t->places)
		err = places_build(t, population);
	entries_free(t);
	return err;
}

static int compare_lens_rows(const void *x, const void *y)
{
	const struct lens_row *a = x, *b = y;

	if (a->lens != b->lens)
		return a->lens < b->lens ? -1 : 1;
	if (a->objects.value != b->objects.value)
		return a->objects.value < b->objects.value ? 1 : -1;
	return strncmp(a->what, b->what, sizeof(a->what));
}

static int compare_lens_paths(const void *x, const void *y)
{
	const struct lens_path *a = x, *b = y;

	if (a->lens != b->lens)
		return a->lens < b->lens ? -1 : 1;
	if (a->objects.value != b->objects.value)
		return a->objects.value < b->objects.value ? 1 : -1;
	return strncmp(a->path, b->path, sizeof(a->path));
}

void lens_tally_finish(struct lens_tally *t, struct census_lenses *out)
{
	if (t->rows.nr)
		qsort(t->rows.items, t->rows.nr, sizeof(*t->rows.items), compare_lens_rows);
	out->rows = t->rows;
	out->lost += t->lost;
	out->directories = t->directories;
	if (t->paths.nr)
		qsort(t->paths.items, t->paths.nr, sizeof(*t->paths.items), compare_lens_paths);
	out->paths = t->paths;
	t->rows = (struct lens_rows){0};
	t->directories = (struct lens_directories){0};
	t->paths = (struct lens_paths){0};
}
