// SPDX-License-Identifier: GPL-2.0-only
/* Builds identities that hold across captures: see match.h. Cache names are joined in a union–find
 * forest over a hash. */
#include "diff/match.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/normalise.h"
#include "model/entry.h"

#define SYMBOL_MAX 512

struct name_node {
	char *name;
	struct name_node *parent; /* a root is its own parent; its name stands for all below */
	bool of_main;             /* a name of the capture `main` */
	UT_hash_handle hh;
};

struct build_node {
	char *key;   /* "module\x1fbuild id" */
	bool shared; /* both captures have it */
	UT_hash_handle hh;
};

struct match {
	struct name_node *names;
	struct build_node *builds;
	bool same_kernel, same_boot;
};

/* kmalloc-rnd-NN-SIZE → kmalloc-SIZE; other names unchanged. Truncates to fit. */
static void cache_fold(const char *name, char *dst, size_t size)
{
	static const char prefix[] = "kmalloc-rnd-";
	const char *rest = name + sizeof(prefix) - 1;

	if (!strncmp(name, prefix, sizeof(prefix) - 1) && isdigit((unsigned char)rest[0]) &&
	    isdigit((unsigned char)rest[1]) && rest[2] == '-')
		snprintf(dst, size, "kmalloc-%s", rest + 3);
	else
		snprintf(dst, size, "%s", name);
}

/* ---- names of caches ---- */

static struct name_node *node_root(struct name_node *n)
{
	while (n->parent != n)
		n = n->parent = n->parent->parent;
	return n;
}

static struct name_node *node_find(const struct match *m, const char *name)
{
	struct name_node *n;
	char folded[SYMBOL_MAX];

	cache_fold(name, folded, sizeof(folded));
	HASH_FIND_STR(m->names, folded, n);
	return n;
}

static struct name_node *match_node_add(struct match *m, const char *name, bool of_main)
{
	struct name_node *n = node_find(m, name);
	char folded[SYMBOL_MAX];

	if (n)
		return n;
	cache_fold(name, folded, sizeof(folded));
	n = calloc(1, sizeof(*n));
	if (!n || !(n->name = strdup(folded))) {
		free(n);
		return NULL;
	}
	n->parent = n;
	n->of_main = of_main;
	HASH_ADD_KEYPTR(hh, m->names, n->name, strlen(n->name), n);
	return n;
}

/* Join two trees. A name of `main` becomes the root; if both or neither are, the first in the
 * alphabet. */
static void node_join(struct name_node *a, struct name_node *b)
{
	a = node_root(a);
	b = node_root(b);
	if (a == b)
		return;
	if (a->of_main != b->of_main ? b->of_main : strcmp(b->name, a->name) < 0)
		a->parent = b;
	else
		b->parent = a;
}

static int match_cache_add(struct match *m, const struct cap_cache *cache, bool of_main, bool join)
{
	struct name_node *first = NULL;

	for (size_t i = 0; i <= cache->aliases.nr; i++) {
		const char *name = i ? cache->aliases.items[i - 1] : cache->name;
		struct name_node *n = match_node_add(m, name, of_main);

		if (!n)
			return -ENOMEM;
		if (first && (join || !node_root(n)->of_main || !node_root(first)->of_main))
			node_join(first, n);
		first = first ?: n;
	}
	return 0;
}

static int match_caches_add(struct match *m, const struct capture *c, bool of_main, bool join)
{
	int err = 0;

	for (size_t i = 1; i < c->nr_caches && !err; i++)
		err = match_cache_add(m, &c->caches[i], of_main, join);
	return err;
}

const char *match_cache(const struct match *m, const char *name)
{
	struct name_node *n = node_find(m, name);

	return n ? node_root(n)->name : name;
}

/* ---- builds ---- */

static void build_key(const struct cap_frame *f, char *buf, size_t size)
{
	snprintf(buf, size, "%s%c%s", f->module, MATCH_SEPARATOR, f->build_id);
}

static struct build_node *build_find(const struct match *m, const struct cap_frame *f)
{
	struct build_node *n;
	char key[SYMBOL_MAX];

	build_key(f, key, sizeof(key));
	HASH_FIND_STR(m->builds, key, n);
	return n;
}

static int builds_add(struct match *m, const struct capture *c)
{
	for (size_t i = 1; i < c->nr_frames; i++) {
		struct build_node *n;
		char key[SYMBOL_MAX];

		if (!c->frames[i].build_id[0] || build_find(m, &c->frames[i]))
			continue;
		build_key(&c->frames[i], key, sizeof(key));
		n = calloc(1, sizeof(*n));
		if (!n || !(n->key = strdup(key))) {
			free(n);
			return -ENOMEM;
		}
		HASH_ADD_KEYPTR(hh, m->builds, n->key, strlen(n->key), n);
	}
	return 0;
}

static void builds_share(struct match *m, const struct capture *c)
{
	for (size_t i = 1; i < c->nr_frames; i++) {
		struct build_node *n =
			c->frames[i].build_id[0] ? build_find(m, &c->frames[i]) : NULL;

		if (n)
			n->shared = true;
	}
}

static bool meta_equal(const struct capture *a, const struct capture *b, const char *key)
{
	const char *value = capture_meta(a, key);

	return value[0] && !strcmp(value, capture_meta(b, key));
}

int match_new(const struct capture *main, const struct capture *other, bool join,
	      struct match **out)
{
	struct match *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->same_kernel = meta_equal(main, other, META_BUILD_ID);
	m->same_boot = join && meta_equal(main, other, META_BOOT_ID);
	if (match_caches_add(m, main, true, true) || match_caches_add(m, other, false, join) ||
	    (join && builds_add(m, main))) {
		match_free(m);
		return -ENOMEM;
	}
	if (join)
		builds_share(m, other);
	*out = m;
	return 0;
}

void match_free(struct match *m)
{
	struct name_node *n, *next;
	struct build_node *b, *next_build;

	if (!m)
		return;
	HASH_ITER (hh, m->names, n, next) {
		HASH_DEL(m->names, n);
		free(n->name);
		free(n);
	}
	HASH_ITER (hh, m->builds, b, next_build) {
		HASH_DEL(m->builds, b);
		free(b->key);
		free(b);
	}
	free(m);
}

bool match_same_kernel(const struct match *m)
{
	return m->same_kernel;
}

bool match_same_boot(const struct match *m)
{
	return m->same_boot;
}

/* ---- call paths ---- */

void match_frame(const struct match *m, const struct cap_frame *f, FILE *out)
{
	const struct build_node *build = f->build_id[0] ? build_find(m, f) : NULL;
	char symbol[SYMBOL_MAX];

	sym_normalise(f->symbol, symbol, sizeof(symbol));
	fputs(symbol, out);
	if (build && build->shared)
		fprintf(out, "+0x%llx", (unsigned long long)f->offset);
	if (f->module[0] && strcmp(f->module, "vmlinux"))
		fprintf(out, " [%s]", f->module);
}

void match_stack(const struct match *m, const struct capture *c, uint32_t stack, bool loose,
		 FILE *out)
{
	const struct cap_stack *s = &c->stacks[stack];
	struct entry entry;
	uint32_t frames;

	entry_of_stack(c, stack, &entry);
	frames = loose && entry.frames > 1 ? 1 : entry.frames;
	for (uint32_t i = 0; i < frames; i++) {
		match_frame(m, &c->frames[s->frames[i]], out);
		fputc(MATCH_SEPARATOR, out);
	}
	fputs(entry.kind == ENTRY_UNKNOWN ? "" : entry.label, out);
}
