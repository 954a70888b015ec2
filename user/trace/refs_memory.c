// SPDX-License-Identifier: GPL-2.0-only
/* Lays out a scan for references: see refs_memory.h. */
#include "trace/refs_memory.h"

#include <errno.h>

#include "base/random.h"

static int refs_memory_chunk(struct refs_memory *m, uint64_t first, uint64_t end, int node)
{
	struct frame_range *chunk = ARRAY_PUSH(m);

	if (!chunk)
		return -ENOMEM;
	*chunk = (struct frame_range){first, end, node};
	m->frames += end - first;
	m->end = end > m->end ? end : m->end;
	return 0;
}

/* Add the frames from `first` to `end`, without the tool's own. */
static int refs_memory_add(struct refs_memory *m, const struct refs_memory_input *in,
			   uint64_t first, uint64_t end, int node)
{
	size_t own = 0;
	int err = 0;

	while (own < in->nr_own && in->own[own] < first)
		own++;
	while (first < end && !err) {
		uint64_t stop = (first / REFS_CHUNK + 1) * REFS_CHUNK;

		stop = stop < end ? stop : end;
		if (own < in->nr_own && in->own[own] < stop)
			stop = in->own[own];
		if (stop > first)
			err = refs_memory_chunk(m, first, stop, node);
		first = stop;
		while (own < in->nr_own && in->own[own] == first) {
			own++;
			if (own == in->nr_own || in->own[own] != first)
				first++;
		}
	}
	return err;
}

static void refs_memory_shuffle(struct refs_memory *m, uint64_t seed)
{
	for (size_t i = m->nr; i > 1; i--) {
		size_t j = random_below(&seed, i);
		struct frame_range other = m->items[j];

		m->items[j] = m->items[i - 1];
		m->items[i - 1] = other;
	}
}

int refs_memory_build(const struct refs_memory_input *in, struct refs_memory *out)
{
	uint64_t page = UINT64_C(1) << in->page_shift;
	struct refs_memory m = {0};
	int err = 0;

	for (size_t i = 0; i < in->zones->nr && !err; i++) {
		const struct frame_range *zone = &in->zones->items[i];

		for (size_t k = 0; k < in->ram->nr && !err; k++) {
			uint64_t first = (in->ram->items[k].first + page - 1) >> in->page_shift;
			uint64_t end = in->ram->items[k].end >> in->page_shift;

			first = first > zone->first ? first : zone->first;
			end = end < zone->end ? end : zone->end;
			if (first < end)
				err = refs_memory_add(&m, in, first, end, zone->node);
		}
	}
	if (!err && !m.nr)
		err = -ENODATA;
	if (err) {
		ARRAY_FREE(&m);
		return err;
	}
	refs_memory_shuffle(&m, in->seed);
	*out = m;
	return 0;
}
