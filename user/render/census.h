/* SPDX-License-Identifier: GPL-2.0-only */
/* A census for people (80 columns) and for programs (docs/schema). */
#ifndef KMEMTRACE_RENDER_CENSUS_H
#define KMEMTRACE_RENDER_CENSUS_H

#include <stdbool.h>
#include <stdio.h>

#include "findings/bpf_use.h"
#include "findings/finding.h"
#include "model/census.h"
#include "model/likeness.h"
#include "model/lenses.h"

struct census_document {
	const struct census_sheet *sheet;
	const struct likeness *like; /* what its objects look like; NULL: not known */
	const struct bpf_use *bpf;   /* NULL: not known */
	const struct findings *findings;
	const char *kernel; /* its release; "" if that is not known */
};

#define CENSUS_SECTION_WORDS "caches, cgroups, nodes, kinds, lenses, unlisted, sites or all"
/* The bit of the section of that name, all bits for "all", 0: there is none. */
unsigned int census_section_parse(const char *name, size_t len);

struct census_text_options {
	unsigned int sections; /* as bits, after the first screen */
	bool colour, utf8;
};

/* Return 0, −ENOMEM, or −EIO. */
int census_text(const struct census_document *d, const struct census_text_options *o, FILE *out);
int census_json(const struct census_document *d, FILE *out);

#endif
