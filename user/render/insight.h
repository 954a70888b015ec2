/* SPDX-License-Identifier: GPL-2.0-only */
/* The sections of a report that judge rather than measure: outlook, whose allocation growth follows, what is out
 * of proportion. Nothing is printed where there is nothing to say. */
#ifndef KMEMTRACE_RENDER_INSIGHT_H
#define KMEMTRACE_RENDER_INSIGHT_H

#include <stdbool.h>
#include <stdio.h>

#include "model/report.h"

struct json_out;

/* False when memory was short. */
bool insight_text(const struct report *r, bool colour, bool utf8, FILE *out);
/* Puts "outlook", "follows" and "proportions" into root, a json_t object. */
void insight_json(struct json_out *o, void *root);

#endif
