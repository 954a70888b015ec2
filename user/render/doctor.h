/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints what `doctor` found, for people (80 columns) and for programs (docs/schema). */
#ifndef KMEMTRACE_RENDER_DOCTOR_H
#define KMEMTRACE_RENDER_DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

#include "data/doctor.h"

#define DOCTOR_SECTION_WORDS "hooks or all"
/* The bit of the section with this name, 0: there is none. */
unsigned int doctor_section_parse(const char *name, size_t len);

struct doctor_options {
	unsigned int sections; /* beside the first screen */
	bool colour, utf8;
};

/* Returns 0 or −ENOMEM. Write errors set the error flag of `out`. */
int doctor_text(const struct doctor *d, const struct doctor_options *options, FILE *out);
/* Returns 0, −ENOMEM, or −EIO. */
int doctor_json(const struct doctor *d, FILE *out);

#endif
