/* SPDX-License-Identifier: GPL-2.0-only */
/* What `refs` and `report` print of references alike. */
#ifndef KMEMTRACE_RENDER_REFS_PARTS_H
#define KMEMTRACE_RENDER_REFS_PARTS_H

#include "findings/report_findings.h"
#include "render/json_value.h"
#include "render/page.h"

/*
 * References to a sample, with the sentence of the verdict (NULL: none). `scans`: with what was
 * read, which a capture does not store.
 */
json_t *refs_found_json(struct json_out *o, const struct refs_sheet *s, const char *sentence,
			bool scans);

/* The proofs of a report, or why there are none. */
json_t *proofs_json(struct json_out *o, const struct report *r);

/* One line of text about a proof, in `indent` columns. */
void proof_text(struct page *p, const struct refs_sheet *s, int indent);

#endif
