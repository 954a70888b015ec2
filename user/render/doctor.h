/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints what `doctor` found, for people (80 columns) and for programs (docs/schema). */
#ifndef KMEMTRACE_RENDER_DOCTOR_H
#define KMEMTRACE_RENDER_DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

#include "data/doctor.h"

/* Returns 0 or −ENOMEM. Write errors set the error flag of `out`. */
int doctor_text(const struct doctor *d, bool colour, bool utf8, FILE *out);
/* Returns 0, −ENOMEM, or −EIO. */
int doctor_json(const struct doctor *d, FILE *out);

#endif
