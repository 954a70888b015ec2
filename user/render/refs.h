/* SPDX-License-Identifier: GPL-2.0-only */
/* What points to sampled objects, for people (80 columns) and for programs (docs/schema). */
#ifndef KMEMTRACE_RENDER_REFS_H
#define KMEMTRACE_RENDER_REFS_H

#include <stdbool.h>
#include <stdio.h>

#include "findings/finding.h"
#include "model/refs.h"

struct refs_document {
	const struct refs_sheet *sheet;
	const struct findings *findings;
	const char *kernel; /* its release; "" if that is not known */
};

struct refs_text_options {
	size_t rows; /* of the table; SIZE_MAX: all */
	bool colour, utf8;
};

/* Return 0, −ENOMEM, or −EIO. */
int refs_text(const struct refs_document *d, const struct refs_text_options *o, FILE *out);
int refs_json(const struct refs_document *d, FILE *out);

#endif
