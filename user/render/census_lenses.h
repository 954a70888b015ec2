/* SPDX-License-Identifier: GPL-2.0-only */
/* The lenses of a census: a section of its text and a member of its JSON. */
#ifndef KMEMTRACE_RENDER_CENSUS_LENSES_H
#define KMEMTRACE_RENDER_CENSUS_LENSES_H

#include "findings/bpf_use.h"
#include "model/lenses.h"
#include "render/json_value.h"
#include "render/page.h"

const char *lens_short_word(enum lens lens); /* "network ns" */

/* All kinds together, the largest first: for the first screen. Nothing if lenses were not taken. */
void census_lenses_screen(struct page *p, const struct lens_sheet *s);
/* Each kind, with its largest rows; `bpf` may be NULL. */
void census_lenses_text(struct page *p, const struct lens_sheet *s, const struct bpf_use *bpf);
/* Write member "lenses". */
void census_lenses_json(struct json_out *o, const struct lens_sheet *s, const struct bpf_use *bpf);

#endif
