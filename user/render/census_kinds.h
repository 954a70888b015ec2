/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of objects of a census, for its text and its JSON. */
#ifndef KMEMTRACE_RENDER_CENSUS_KINDS_H
#define KMEMTRACE_RENDER_CENSUS_KINDS_H

#include <stdint.h>

#include "model/census.h"
#include "model/likeness.h"
#include "render/json_value.h"
#include "render/page.h"

/* The kinds with most memory; at most `most` of them. */
void census_kinds_text(struct page *p, const struct census_sheet *s, size_t most);

/* What objects look like, at most `most` kinds of them; nothing if that is not known. */
void census_like_text(struct page *p, const struct census_sheet *s, const struct likeness *l,
		      size_t most);

/*
 * The members kinds and looks_like of the cache with that index, and the member kinds of the
 * census. `l` may be NULL.
 */
void cache_kinds_write(struct json_out *o, const struct census_sheet *s, const struct likeness *l,
		       uint32_t cache);
json_t *census_kinds_json(struct json_out *o, const struct census *c);

#endif
