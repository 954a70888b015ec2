/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report as one JSON document: the contract of docs/json.md (schema 1). Names are stable; what
 * was not measured is null, never 0. Only ASCII is written, so that the document is safe on a terminal too.
 */
#ifndef KMEMTRACE_RENDER_JSON_H
#define KMEMTRACE_RENDER_JSON_H

#include <stdio.h>

#include "model/report.h"

/* `top` growth groups at most, 0 for all. 0, −ENOMEM, or −EIO when out cannot be written. */
int json_render(const struct report *r, size_t top, FILE *out);

#endif
