// SPDX-License-Identifier: GPL-2.0-only
/* Names of words outside of slab caches: see refs_names.h. */
#include "trace/refs_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sym/kallsyms_few.h"

#define NAMES_MOST 65536
#define DATA_REACH (UINT64_C(64) << 20) /* no variable is larger */

/* A place whose name is looked for. */
struct refs_unnamed {
	uint64_t address; /* where the word's variable is; 0: not known */
	uint64_t caller;  /* the code that made its area; 0: not known */
	bool image;       /* it is in the kernel's image, of which no code is scanned */
};

struct refs_name_frames {
	ARRAY_OF(struct refs_area_frame);
};

struct refs_names_work {
	const struct refs_naming *how;
	struct refs_names *out;
	struct refs_name_frames frames;
	struct refs_unnamed *unnamed; /* one for each name */
};

void refs_names_free(struct refs_names *n)
{
	ARRAY_FREE(n);
}

static int refs_compare_names(const void *x, const void *y)
{
	const struct refs_name *a = x, *b = y;

	return a->place < b->place ? -1 : a->place > b->place;
}

const char *refs_names_at(const struct refs_names *n, uint64_t place)
{
	const struct refs_name key = {.place = place}, *found = NULL;

	if (n->nr)
		found = bsearch(&key, n->items, n->nr, sizeof(key), refs_compare_names);
	return found ? found->where : "";
}

static bool refs_is_stack(const struct refs_naming *how, uint64_t place)
{
	uint64_t page = place >> how->page_shift << how->page_shift;
	size_t nr;

	refs_roots_find(how->roots, page, page + 1, &nr);
	return nr > 0;
}

/* The places, each once. */
static int refs_names_collect(struct refs_names_work *w, const struct refs_places *places)
{
	struct refs_names *n = w->out;
	size_t nr = 0;

	for (size_t i = 0; i < places->nr && n->nr < NAMES_MOST; i++) {
		const struct refs_place *p = &places->items[i];
		struct refs_name *name;

		if (p->cache || (p->class != CENSUS_REST && p->class != CENSUS_RESERVED) ||
		    refs_is_stack(w->how, p->at))
			continue;
		name = ARRAY_PUSH(n);
		if (!name)
			return -ENOMEM;
		*name = (struct refs_name){.place = p->at};
	}
	if (n->nr)
		qsort(n->items, n->nr, sizeof(*n->items), refs_compare_names);
	for (size_t i = 0; i < n->nr; i++)
		if (!nr || n->items[i].place != n->items[nr - 1].place)
			n->items[nr++] = n->items[i];
	n->nr = nr;
	return 0;
}

static int refs_frames_collect(struct refs_names_work *w)
{
	struct refs_name_frames *frames = &w->frames;

	for (size_t i = 0; i < w->out->nr; i++) {
		uint64_t number = w->out->items[i].place >> w->how->page_shift;
		struct refs_area_frame *frame;

		if (frames->nr && frames->items[frames->nr - 1].frame == number)
			continue;
		frame = ARRAY_PUSH(frames);
		if (!frame)
			return -ENOMEM;
		*frame = (struct refs_area_frame){.frame = number};
	}
	return 0;
}

/* Name what needs no symbol, and find the addresses of the rest. */
static void refs_names_place(struct refs_names_work *w)
{
	const struct refs_image *image = refs_follower_where_image(w->how->follower);
	const struct refs_area_frame *frame = w->frames.items;
	uint64_t page = UINT64_C(1) << w->how->page_shift;

	for (size_t i = 0; i < w->out->nr; i++) {
		struct refs_name *name = &w->out->items[i];
		const char *variable =
			refs_percpu_at(&w->how->percpu, w->how->direct + name->place);
		struct refs_unnamed *u = &w->unnamed[i];

		/* both lists are by place, and each name has a frame */
		while (frame->frame != name->place >> w->how->page_shift)
			frame++;
		if (variable && variable[0])
			snprintf(name->where, sizeof(name->where), "per-CPU %s", variable);
		else if (variable || frame->percpu)
			snprintf(name->where, sizeof(name->where), "per-CPU memory");
		else if (frame->address)
			u->address = frame->address + name->place % page;
		else if (refs_image_has(image, name->place))
			*u = (struct refs_unnamed){.address = image->address +
							      (name->place - image->place),
						   .image = true};
		if (!variable)
			u->caller = frame->caller;
	}
}

static int refs_compare_few(const void *x, const void *y)
{
	const struct sym_few *a = x, *b = y;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static const struct sym_few *refs_symbol_of(const struct sym_few *few, size_t nr, uint64_t address)
{
	const struct sym_few key = {.addr = address};

	return address && nr ? bsearch(&key, few, nr, sizeof(key), refs_compare_few) : NULL;
}

static void refs_symbol_words(struct refs_name *name, const char *what, const struct sym_few *s)
{
	const char *module = s->module;

	snprintf(name->where, sizeof(name->where), "%s%.63s%s%.32s%s", what, s->name,
		 module[0] ? " [" : "", module, module[0] ? "]" : "");
}

/*
 * Write the name of a place by its variable, or else by the code that made its area. In the image,
 * every symbol is a variable: Linux 7.3 lists some of them as code.
 */
static void refs_name_write(struct refs_name *name, const struct refs_unnamed *u,
			    const struct sym_few *data, const struct sym_few *code)
{
	if (data && data->start && (u->image || sym_few_is_data(data)) &&
	    data->addr - data->start < DATA_REACH)
		refs_symbol_words(name, "static ", data);
	else if (code && code->start && !sym_few_is_data(code))
		refs_symbol_words(name, "vmalloc area of ", code);
}

static int refs_names_symbols(struct refs_names_work *w)
{
	_cleanup_free_ struct sym_few *few = calloc(2 * w->out->nr + 1, sizeof(*few));
	size_t nr = 0;
	bool all;
	int err;

	if (!few)
		return -ENOMEM;
	for (size_t i = 0; i < w->out->nr; i++) {
		if (w->unnamed[i].address)
			few[nr++].addr = w->unnamed[i].address;
		if (w->unnamed[i].caller)
			few[nr++].addr = w->unnamed[i].caller;
	}
	if (!nr)
		return 0;
	qsort(few, nr, sizeof(*few), refs_compare_few);
	err = kallsyms_few(w->how->kallsyms, few, nr, &all);
	for (size_t i = 0; i < w->out->nr && !err; i++) {
		const struct refs_unnamed *u = &w->unnamed[i];

		if (!w->out->items[i].where[0])
			refs_name_write(&w->out->items[i], u,
					all ? refs_symbol_of(few, nr, u->address) : NULL,
					refs_symbol_of(few, nr, u->caller));
	}
	return err == -ENOMEM ? err : 0; /* kptr_restrict may hide the symbols */
}

int refs_names_find(const struct refs_naming *how, const struct refs_places *places,
		    struct refs_names *out)
{
	struct refs_names names = {0};
	struct refs_names_work w = {.how = how, .out = &names};
	int err = refs_names_collect(&w, places);

	err = err ?: refs_frames_collect(&w);
	err = err
		      ?: refs_areas_find(how->slabs, how->follower, how->aliases, w.frames.items,
					 w.frames.nr);
	w.unnamed = calloc(names.nr + 1, sizeof(*w.unnamed));
	if (!w.unnamed)
		err = -ENOMEM;
	if (!err) {
		refs_names_place(&w);
		err = refs_names_symbols(&w);
	}
	free(w.unnamed);
	ARRAY_FREE(&w.frames);
	if (err) {
		refs_names_free(&names);
		return err;
	}
	*out = names;
	return 0;
}
