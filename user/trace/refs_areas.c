// SPDX-License-Identifier: GPL-2.0-only
/* The vmalloc areas of page frames: see refs_areas.h. */
#include "trace/refs_areas.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define PAGES_MOST (1u << 22) /* of all areas that are compared: more would take seconds */

struct refs_areas {
	ARRAY_OF(struct kmt_root_area);
};

static int refs_compare_areas(const void *x, const void *y)
{
	const struct kmt_root_area *a = x, *b = y;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* All areas, by address. */
static int refs_areas_read(struct refs_slabs *s, const struct refs_follower *f,
			   const struct slab_aliases *aliases, struct refs_areas *out)
{
	static const char *const own[] = {"vmap_area"};
	size_t nr;
	const char *const *names = slab_aliases_of(aliases, own[0], &nr);
	struct refs_objects objects = {0};
	int err = refs_objects_of(s, nr ? names : own, nr ?: 1, &objects);

	for (size_t i = 0; i < objects.nr && !err; i++) {
		struct kmt_root_area read, *area;

		if (!refs_follower_area(f, objects.items[i].start, &read))
			continue;
		area = ARRAY_PUSH(out);
		err = area ? 0 : -ENOMEM;
		if (area)
			*area = read;
	}
	ARRAY_FREE(&objects);
	if (out->nr)
		qsort(out->items, out->nr, sizeof(*out->items), refs_compare_areas);
	return err;
}

static int refs_compare_frame(const void *x, const void *y)
{
	const struct refs_area_frame *a = x, *b = y;

	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

/* Compare the pages of one area with the frames. */
static void refs_area_compare(const struct refs_follower *f, const struct kmt_root_area *area,
			      struct refs_area_frame *frames, size_t nr)
{
	uint64_t page = sysconf(_SC_PAGESIZE), found[KMT_ROOT_PAGES];
	size_t got;

	for (uint32_t at = 0; at < area->pages; at += got) {
		got = refs_follower_area_frames(f, area, at, found);
		if (!got)
			return;
		for (size_t i = 0; i < got; i++) {
			const struct refs_area_frame key = {.frame = found[i]};
			struct refs_area_frame *frame =
				bsearch(&key, frames, nr, sizeof(key), refs_compare_frame);

			if (!frame || frame->address)
				continue;
			frame->address = area->start + (at + i) * page;
			frame->caller = area->caller;
		}
	}
}

static bool refs_area_begins(void *arg, uint64_t address)
{
	const struct refs_areas *areas = arg;
	const struct kmt_root_area key = {.start = address};

	return areas->nr &&
	       bsearch(&key, areas->items, areas->nr, sizeof(key), refs_compare_areas) != NULL;
}

int refs_areas_find(struct refs_slabs *s, const struct refs_follower *f,
		    const struct slab_aliases *aliases, struct refs_area_frame *frames, size_t nr)
{
	struct refs_areas areas = {0};
	uint64_t pages = 0;
	int err;

	if (!nr)
		return 0;
	err = refs_areas_read(s, f, aliases, &areas);
	for (size_t i = 0; i < areas.nr && !err && pages < PAGES_MOST; i++) {
		pages += areas.items[i].pages;
		refs_area_compare(f, &areas.items[i], frames, nr);
	}
	/* chunks of per-CPU memory are areas without a list of pages, but their pages name them */
	for (size_t i = 0; i < nr && !err; i++)
		if (!frames[i].address)
			frames[i].percpu =
				refs_follower_chunk(f, frames[i].frame, refs_area_begins, &areas);
	log_debug("references: %zu vmalloc areas, with %llu pages", areas.nr,
		  (unsigned long long)pages);
	ARRAY_FREE(&areas);
	return err;
}
