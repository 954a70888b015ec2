/* SPDX-License-Identifier: GPL-2.0-only */
/* The sections of a report that judge rather than measure: outlook, whose allocation growth
 * follows, what is out of proportion. Nothing is printed where there is nothing to say. */
#ifndef KMEMTRACE_RENDER_FINDINGS_H
#define KMEMTRACE_RENDER_FINDINGS_H

#include "findings/report.h"
#include "render/json_value.h"
#include "render/page.h"

void findings_text(struct page *p, const struct report *r);
/* Puts "outlook", "follows" and "proportions" into root. */
void findings_json(struct json_out *o);

#endif
