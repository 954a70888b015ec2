// SPDX-License-Identifier: GPL-2.0-only
/* Adds up what the kernel says of its allocations by call path: see alloc_paths.h. */
#include "proc/alloc_paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->refused = true)
#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/units.h"

#define PATHS_MOST 16384 /* different call paths; at most some 16 MiB */
#define NR_MOST    (INT64_C(1) << 40)
#define ORDER_MOST 20
#define FRAME_CUT  ALLOC_FRAME_END "…"

struct path_entry {
	UT_hash_handle hh;
	uint64_t bytes, nr;
	bool refused;
	char frames[]; /* the key */
};

/* The record that is being read. */
struct path_record {
	bool open;   /* its first line was seen */
	bool framed; /* what follows are frames */
	uint64_t bytes, nr;
	char frames[sizeof(((struct alloc_path *)0)->frames)];
	size_t len;
	bool cut;     /* there was no room for all frames */
	bool stacked; /* alloc_traces: they follow, so its first line has none */
};

struct alloc_paths_sum {
	enum alloc_format format;
	uint64_t unit;
	struct path_record record;
	struct path_entry *entries;
	uint64_t bytes, bad;
	uint64_t full; /* bytes of call paths that had no room */
	int err;
};

struct alloc_paths_sum *alloc_paths_new(enum alloc_format format, uint64_t unit)
{
	struct alloc_paths_sum *s = calloc(1, sizeof(*s));

	if (s) {
		s->format = format;
		s->unit = unit;
	}
	return s;
}

void alloc_paths_sum_free(struct alloc_paths_sum *s)
{
	if (s)
		HASH_FREE(s->entries);
	free(s);
}

/* ---- frames ---- */

static void frames_forget(struct path_record *r)
{
	r->frames[0] = '\0';
	r->len = 0;
	r->cut = false;
}

static void frame_append(struct path_record *r, const char *frame)
{
	size_t room = sizeof(r->frames) - strlen(FRAME_CUT);
	const char *end = r->len ? ALLOC_FRAME_END : "";

	if (r->cut)
		return;
	if (r->len + strlen(end) + strlen(frame) >= room) {
		r->cut = true;
		end = "";
		frame = r->len ? FRAME_CUT : "…";
	}
	r->len += (size_t)snprintf(r->frames + r->len, sizeof(r->frames) - r->len, "%s%s", end,
				   frame);
}

/*
 * "function+0x10/0x20 [module]", without the size. Where the kernel knows no name, it prints the
 * address, which must not be kept.
 */
static void frame_read(struct path_record *r, struct text line)
{
	struct text word, module = {"", 0};
	const char *size;
	char frame[160];

	if (!text_word(&line, &word))
		return;
	size = memchr(word.p, '/', word.len);
	if (!text_contains(word, "+0x") || memchr(word.p, '\0', word.len)) {
		frame_append(r, "?");
		return;
	}
	if (size)
		word.len = (size_t)(size - word.p);
	if (!text_word(&line, &module) || *module.p != '[' || module.p[module.len - 1] != ']')
		module.len = 0;
	snprintf(frame, sizeof(frame), "%.*s%s%.*s", (int)(word.len < 96 ? word.len : 96), word.p,
		 module.len ? " " : "", (int)(module.len < 56 ? module.len : 56), module.p);
	frame_append(r, frame);
}

/* ---- records ---- */

static struct path_entry *path_entry_find(struct alloc_paths_sum *s, const struct path_record *r)
{
	struct path_entry *e = NULL;

	HASH_FIND(hh, s->entries, r->frames, r->len, e);
	if (e || HASH_COUNT(s->entries) >= PATHS_MOST)
		return e;
	e = calloc(1, sizeof(*e) + r->len + 1);
	if (!e) {
		s->err = -ENOMEM;
		return NULL;
	}
	memcpy(e->frames, r->frames, r->len + 1);
	HASH_ADD(hh, s->entries, frames, r->len, e);
	if (e->refused) {
		free(e);
		s->err = -ENOMEM;
		return NULL;
	}
	return e;
}

static void path_record_add(struct alloc_paths_sum *s, struct path_record *r)
{
	struct path_entry *e;

	if (!r->len)
		frame_append(r, "?");
	s->bytes += r->bytes;
	e = path_entry_find(s, r);
	if (!e) {
		s->full += r->bytes;
		return;
	}
	e->bytes += r->bytes;
	e->nr += r->nr;
}

/* The record is complete. */
static void path_record_end(struct alloc_paths_sum *s)
{
	struct path_record *r = &s->record;

	if (!r->open)
		return;
	if (r->framed && r->bytes && r->bytes <= ALLOC_BYTES_MAX - s->bytes)
		path_record_add(s, r);
	else
		s->bad++;
	*r = (struct path_record){0};
}

/* Without bytes, it will count as bad. */
static uint64_t path_record_bytes(const struct alloc_paths_sum *s, uint64_t units)
{
	uint64_t bytes;

	return __builtin_mul_overflow(units, s->unit, &bytes) ? 0 : bytes;
}

static void path_record_begin(struct alloc_paths_sum *s, uint64_t nr, uint64_t units)
{
	s->record =
		(struct path_record){.open = true, .nr = nr, .bytes = path_record_bytes(s, units)};
}

/* "PFN 0x1 type … Block 2 type … Flags …": the name of a process cannot hold so much. */
static bool page_line_is_second(struct text line)
{
	return text_starts(line, "PFN ") && text_contains(line, " type ") &&
	       text_contains(line, " Block ") && text_contains(line, " Flags ");
}

/*
 * page_owner. The first line contains the name of a process, which may hold newlines; so frames are
 * only what follows the second line.
 */
static void page_line(struct alloc_paths_sum *s, struct text line)
{
	static const char head[] = "Page allocated via order ";
	struct text word;
	int64_t order;

	if (text_starts(line, head)) {
		s->bad += s->record.open;
		line.p += strlen(head);
		line.len -= strlen(head);
		text_word(&line, &word);
		if (word.len && word.p[word.len - 1] == ',')
			word.len--;
		if (text_count(word, ORDER_MOST, &order))
			path_record_begin(s, 1, UINT64_C(1) << order);
		else
			path_record_begin(s, 0, 0);
	} else if (s->record.open && page_line_is_second(line)) {
		s->record.framed = true;
	} else if (s->record.framed && !line.len) {
		path_record_end(s);
	} else if (s->record.framed && text_is_blank(*line.p)) {
		frame_read(&s->record, line);
	}
}

/* page_owner_stacks/show_stacks: frames, then "nr_base_pages: N". */
static void stack_line(struct alloc_paths_sum *s, struct text line)
{
	struct path_record *r = &s->record;
	struct text word;
	int64_t pages;

	if (!line.len) {
		path_record_end(s);
	} else if (text_is_blank(*line.p)) {
		r->open = true;
		frame_read(r, line);
	} else if (text_word(&line, &word) && text_is(word, "nr_base_pages:")) {
		r->open = r->framed = true;
		if (text_word(&line, &word) && text_count(word, NR_MOST, &pages))
			r->bytes = path_record_bytes(s, (uint64_t)pages);
	}
}

/*
 * alloc_traces: "     12 function+0x1/0x2 waste=… age=… pid=…", then, if the kernel keeps whole
 * call paths (5.18), their frames and an empty line.
 */
static void trace_line(struct alloc_paths_sum *s, struct text line)
{
	struct path_record *r = &s->record;
	struct text rest = line, word;
	int64_t nr;

	if (!text_word(&rest, &word)) {
		path_record_end(s);
	} else if (text_count(word, NR_MOST, &nr)) {
		path_record_end(s);
		path_record_begin(s, (uint64_t)nr, (uint64_t)nr);
		frame_read(r, rest);
		r->framed = true;
	} else if (r->open) {
		if (!r->stacked)
			frames_forget(r);
		r->stacked = true;
		frame_read(r, line);
	} else if (!text_is(line, "No data")) {
		s->bad++;
	}
}

ssize_t alloc_paths_take(const char *buf, size_t len, bool last, void *arg)
{
	static void (*const take[])(struct alloc_paths_sum *, struct text) = {
		[ALLOC_FORMAT_PAGES] = page_line,
		[ALLOC_FORMAT_STACKS] = stack_line,
		[ALLOC_FORMAT_SLAB] = trace_line,
	};
	struct alloc_paths_sum *s = arg;
	size_t whole = file_whole_lines(buf, len, last);
	struct text rest = {buf, whole}, line;

	while (!s->err && text_line(&rest, &line))
		take[s->format](s, line);
	return s->err ?: (ssize_t)whole;
}

/* ---- what came of it ---- */

static int compare_path_entries(const void *x, const void *y)
{
	const struct path_entry *a = *(const struct path_entry *const *)x,
				*b = *(const struct path_entry *const *)y;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return strcmp(a->frames, b->frames);
}

static int alloc_paths_push(struct path_entry *const *entries, size_t nr,
			    const struct alloc_path *like, struct alloc_paths *out)
{
	size_t before = out->nr;

	for (size_t i = 0; i < nr; i++) {
		struct alloc_path *p = ARRAY_PUSH(out);

		if (!p) {
			out->nr = before;
			return -ENOMEM;
		}
		*p = *like;
		p->bytes = entries[i]->bytes;
		p->nr = entries[i]->nr;
		snprintf(p->frames, sizeof(p->frames), "%s", entries[i]->frames);
	}
	return 0;
}

int alloc_paths_end(struct alloc_paths_sum *s, const struct alloc_path *like, size_t most,
		    struct alloc_paths *out, struct alloc_source *about)
{
	_cleanup_free_ struct path_entry **entries = NULL;
	struct path_entry *e, *next;
	size_t nr, at = 0;
	int err;

	if (s->format == ALLOC_FORMAT_SLAB) /* its last record needs no empty line */
		path_record_end(s);
	nr = HASH_COUNT(s->entries);
	entries = calloc(nr + 1, sizeof(struct path_entry *));
	if (!entries)
		return -ENOMEM;
	HASH_ITER (hh, s->entries, e, next)
		entries[at++] = e;
	qsort(entries, nr, sizeof(struct path_entry *), compare_path_entries);
	err = s->err ?: alloc_paths_push(entries, nr < most ? nr : most, like, out);
	if (err)
		return err;
	about->bytes += s->bytes < ALLOC_BYTES_MAX - about->bytes ? s->bytes : 0;
	about->bad_lines += s->bad;
	if (s->full) {
		char full[UNITS_MAX];

		alloc_source_lacks(about, "%s of it is of more call paths than are kept.",
				   units_bytes(full, (double)s->full));
	}
	return 0;
}
