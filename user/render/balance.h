/* SPDX-License-Identifier: GPL-2.0-only */
/* The balance sheet for people (80 columns) and for programs (docs/schema). */
#ifndef KMEMTRACE_RENDER_BALANCE_H
#define KMEMTRACE_RENDER_BALANCE_H

#include <stdbool.h>
#include <stdio.h>

#include "findings/balance_sheet.h"

struct balance_text_options {
	bool colour;  /* ANSI colours */
	bool utf8;    /* the terminal shows UTF-8 */
	bool explain; /* show every line, with an explanation */
};

/* Returns 0, −ENOMEM, or −EIO. */
int balance_text(const struct balance_sheet *s, const struct balance_text_options *o, FILE *out);
int balance_json(const struct balance_sheet *s, FILE *out);

#endif
