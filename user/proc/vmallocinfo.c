// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/vmallocinfo, added up by caller and kind. Lines are
 *
 *   0xSTART-0xEND SIZE [symbol+0xoff/0xsize [module]] [pages=N] [phys=P] [KIND] [more words]
 *   0xSTART-0xEND SIZE vm_map_ram
 *   0xSTART-0xEND SIZE unpurged vm_area
 *
 * Format: mm/vmalloc.c, vmalloc_info_show(). Addresses are never kept.
 */
#include "proc/snapshot.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(elt) ((elt)->lost = true)
#include "base/hash.h"

#define AREA_MAX  (INT64_C(1) << 57) /* bytes: an address space, or the sum of all areas in it */
#define PAGES_MAX (AREA_MAX >> 12)

/* Levels are found again by their first two members, caller and kind, compared as bytes. */
#define KEY_SIZE (offsetof(struct vmalloc_level, kind) + sizeof(enum vmalloc_kind))

struct caller_group {
	char key[KEY_SIZE];
	size_t index; /* into vmalloc_levels.items */
	bool lost;    /* the hash had no memory to take it */
	UT_hash_handle hh;
};

static const struct {
	const char *word;
	enum vmalloc_kind kind;
} kind_words[] = {
	{"vmalloc", VMALLOC_VMALLOC},
	{"vmap", VMALLOC_VMAP},
	{"ioremap", VMALLOC_IOREMAP},
	{"vm_map_ram", VMALLOC_VM_MAP_RAM},
};

static enum vmalloc_kind kind_of(struct text word)
{
	for (size_t i = 0; i < sizeof(kind_words) / sizeof(*kind_words); i++)
		if (text_is(word, kind_words[i].word))
			return kind_words[i].kind;
	return VMALLOC_OTHER;
}

/* "symbol+0xoff/0xsize" to "symbol+0xoff", with the module when `next` is one. */
static void caller_copy(struct text symbol, struct text next, char *dst, size_t size)
{
	const char *slash = memrchr(symbol.p, '/', symbol.len);
	size_t n;

	if (slash)
		symbol.len = (size_t)(slash - symbol.p);
	text_copy(symbol, dst, size);
	n = strlen(dst);
	if (text_starts(next, "[") && n + 1 + next.len < size) {
		dst[n] = ' ';
		text_copy(next, dst + n + 1, size - n - 1);
	}
}

/* Everything after the size. */
static bool area_words(struct text rest, struct vmalloc_level *area)
{
	struct text word, ahead = rest, next;

	text_word(&ahead, &word);
	text_word(&ahead, &next);
	/* Code without a symbol is printed as its address: that is no caller to name. */
	if (text_contains(word, "+0x") && !text_contains(word, "=") && !text_starts(word, "0x"))
		caller_copy(word, next, area->caller, sizeof(area->caller));

	area->kind = VMALLOC_OTHER;
	while (text_word(&rest, &word)) {
		if (text_starts(word, "pages=")) {
			word.p += strlen("pages=");
			word.len -= strlen("pages=");
			if (!text_count(word, PAGES_MAX, &area->pages))
				return false;
		} else if (area->kind == VMALLOC_OTHER) {
			area->kind = kind_of(word);
		}
	}
	/* A chunk's address space: its pages are in Percpu, none are counted here. */
	if (area->kind == VMALLOC_VMALLOC &&
	    text_starts(text_of(area->caller), "pcpu_get_vm_areas+"))
		area->kind = VMALLOC_PERCPU;
	return true;
}

static bool area_line(struct text line, struct vmalloc_level *area)
{
	struct text range, size;

	memset(area, 0, sizeof(*area)); /* the key is compared as bytes */
	area->areas = 1;
	return text_word(&line, &range) && text_starts(range, "0x") &&
	       text_contains(range, "-0x") && text_word(&line, &size) &&
	       text_count(size, AREA_MAX, &area->bytes) && area_words(line, area);
}

static struct caller_group *caller_group_add(struct caller_group **groups,
					     const struct vmalloc_level *area,
					     struct vmalloc_levels *levels)
{
	struct caller_group *g = calloc(1, sizeof(*g));
	struct vmalloc_level *level;

	if (!g)
		return NULL;
	memcpy(g->key, area, KEY_SIZE);
	g->index = levels->nr;
	HASH_ADD(hh, *groups, key, KEY_SIZE, g);
	if (g->lost) {
		free(g);
		return NULL;
	}
	level = ARRAY_PUSH(levels);
	if (!level) {
		HASH_DEL(*groups, g);
		free(g);
		return NULL;
	}
	memcpy(level, area, KEY_SIZE);
	return g;
}

/* Add one area to its group. 0, −ENOMEM, or −ERANGE if the sum would be impossibly large. */
static int caller_group_count(struct caller_group **groups, const struct vmalloc_level *area,
			      struct vmalloc_levels *levels)
{
	struct vmalloc_level *level;
	struct caller_group *g;

	HASH_FIND(hh, *groups, area, KEY_SIZE, g);
	if (!g)
		g = caller_group_add(groups, area, levels);
	if (!g)
		return -ENOMEM;
	level = &levels->items[g->index];
	if (level->bytes + area->bytes > AREA_MAX || level->pages + area->pages > PAGES_MAX)
		return -ERANGE;
	level->areas++;
	level->bytes += area->bytes;
	level->pages += area->pages;
	return 0;
}

static void caller_groups_free(struct caller_group *groups)
{
	HASH_FREE(groups);
}

/* The levels so far. */
struct area_sums {
	struct vmalloc_levels levels;
	struct caller_group *groups;
};

static void area_sums_free(struct area_sums *sums)
{
	caller_groups_free(sums->groups);
	ARRAY_FREE(&sums->levels);
}

/* "… pages=5 vmalloc N0=4 N1=1": the pages by node come last. */
static void node_pages_add(struct text line, struct vmalloc_levels *levels)
{
	struct text word;

	while (text_last_word(&line, &word) && *word.p == 'N') {
		const char *equal = memchr(word.p, '=', word.len);
		int64_t node, pages, *sum;

		if (!equal ||
		    !text_count((struct text){word.p + 1, (size_t)(equal - word.p - 1)},
				NODES_MAX - 1, &node) ||
		    !text_count((struct text){equal + 1, word.len - (size_t)(equal + 1 - word.p)},
				PAGES_MAX, &pages))
			return;
		sum = &levels->node_pages[node];
		*sum = *sum + pages < PAGES_MAX ? *sum + pages : PAGES_MAX;
	}
}

/* Add whole lines. 0 or −ENOMEM. */
static int area_sums_add(struct area_sums *sums, const char *buf, size_t len)
{
	struct text rest = {buf, len}, line;
	struct vmalloc_level area;
	int err;

	while (text_line(&rest, &line)) {
		err = area_line(line, &area)
			      ? caller_group_count(&sums->groups, &area, &sums->levels)
			      : -EINVAL;
		if (err == -ENOMEM)
			return err;
		sums->levels.bad_lines += err != 0;
		if (!err && area.kind == VMALLOC_VMALLOC && area.pages)
			node_pages_add(line, &sums->levels);
	}
	return 0;
}

static void area_sums_take(struct area_sums *sums, struct vmalloc_levels *out)
{
	*out = sums->levels;
	sums->levels = (struct vmalloc_levels){0};
}

int vmallocinfo_parse(const char *buf, size_t len, struct vmalloc_levels *out)
{
	_cleanup_(area_sums_free) struct area_sums sums = {0};
	int err = area_sums_add(&sums, buf, len);

	if (!err)
		area_sums_take(&sums, out);
	return err;
}

static ssize_t lines_take(const char *buf, size_t len, bool last, void *arg)
{
	size_t whole = file_whole_lines(buf, len, last);

	return area_sums_add(arg, buf, whole) ?: (ssize_t)whole;
}

int vmallocinfo_read(int fd, struct vmalloc_levels *out)
{
	_cleanup_(area_sums_free) struct area_sums sums = {0};
	int err = file_read_pieces(fd, lines_take, &sums);

	if (!err)
		area_sums_take(&sums, out);
	return err;
}
