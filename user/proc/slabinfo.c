// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/slabinfo, version 2.1. Called every second by snapshot_read(). Lines are
 *
 *   NAME active_objs num_objs objsize objperslab pagesperslab : tunables … : slabdata active num …
 *
 * and are read from their colons outwards, because a cache's name may hold blanks.
 *
 * CONTRIBUTING.md, "A slabinfo column", lists the steps of adding one.
 */
#include "proc/snapshot.h"

#include <errno.h>

#include "base/text.h"

/*
 * A line beyond these limits is damaged. Within them, pages × 4096 and objects × size stay far
 * below the limit of int64_t, so the model may multiply and add without checks.
 */
#define OBJECTS_MAX  (INT64_C(1) << 40)
#define OBJ_SIZE_MAX (INT64_C(1) << 30) /* KMALLOC_MAX_SIZE is 512 MiB on arm64 with 64K pages */
#define BYTES_MAX    (INT64_C(1) << 57) /* objects × size: an address space */
#define PER_SLAB_MAX (INT64_C(1) << 16)

/*
 * active_objs is total − free, read without a lock: a free counted twice makes it wrap below zero
 * (mm/slub.c, get_slabinfo). Such a value means 0.
 */
static bool active_objs(struct text word, int64_t *out)
{
	uint64_t v;

	if (!text_u64(word, &v))
		return false;
	*out = (int64_t)v < 0 ? 0 : (int64_t)v;
	return *out <= OBJECTS_MAX;
}

static bool slab_line(struct text line, struct slab_level *s)
{
	const char *tunables = text_find(line, " : tunables ");
	const char *slabdata = text_find(line, " : slabdata ");
	struct text head, tail, word[5];

	if (!tunables || !slabdata)
		return false;
	head = (struct text){line.p, (size_t)(tunables - line.p)};
	tail = (struct text){slabdata, line.len - (size_t)(slabdata - line.p)};
	for (int i = 4; i >= 0; i--)
		if (!text_last_word(&head, &word[i]))
			return false;
	while (head.len && text_is_blank(head.p[head.len - 1]))
		head.len--;
	if (!head.len || !active_objs(word[0], &s->active_objs) ||
	    !text_count(word[1], OBJECTS_MAX, &s->num_objs) ||
	    !text_count(word[2], OBJ_SIZE_MAX, &s->object_size) ||
	    !text_count(word[3], PER_SLAB_MAX, &s->objs_per_slab) ||
	    !text_count(word[4], PER_SLAB_MAX, &s->pages_per_slab))
		return false;
	for (int i = 0; i < 4; i++) /* ":", "slabdata", active, num */
		if (!text_word(&tail, &word[i]))
			return false;
	if (s->object_size && (s->num_objs > BYTES_MAX / s->object_size ||
			       s->active_objs > BYTES_MAX / s->object_size))
		return false;
	text_copy(head, s->name, sizeof(s->name));
	s->cpu_free = -1;
	return text_count(word[2], OBJECTS_MAX, &s->active_slabs) &&
	       text_count(word[3], INT64_C(1) << 32, &s->num_slabs);
}

int slabinfo_parse(const char *buf, size_t len, struct slab_levels *out)
{
	struct slab_levels slabs = {0};
	struct text rest = {buf, len}, line;

	while (text_line(&rest, &line)) {
		struct slab_level parsed, *s;

		if (text_starts(line, "slabinfo - version:") || text_starts(line, "# name "))
			continue;
		if (!slab_line(line, &parsed)) {
			slabs.bad_lines++;
			continue;
		}
		s = ARRAY_PUSH(&slabs);
		if (!s) {
			ARRAY_FREE(&slabs);
			return -ENOMEM;
		}
		*s = parsed;
	}
	*out = slabs;
	return 0;
}
