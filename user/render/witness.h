/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints the kernel's own counts next to the slab caches that hold these objects, and removed
 * cgroups: a section of the report and of the balance sheet, as text and as JSON.
 */
#ifndef KMEMTRACE_RENDER_WITNESS_H
#define KMEMTRACE_RENDER_WITNESS_H

#include "findings/witness.h"
#include "render/json_value.h"
#include "render/page.h"

/* Print nothing if there are no counters. `is_pair`: from a start to an end. */
void witnesses_text(struct page *p, const struct witnesses *w, bool is_pair);
json_t *witnesses_json(struct json_out *o, const struct witnesses *w, bool is_pair);
/* `start` may be NULL. */
json_t *removed_cgroups_json(struct json_out *o, const struct snapshot *start,
			     const struct snapshot *end);

#endif
