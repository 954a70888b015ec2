/* SPDX-License-Identifier: GPL-2.0-only */
/* What `doctor` says of a host, for people (80 columns) and for programs (docs/schema). */
#ifndef KMEMTRACE_RENDER_DOCTOR_H
#define KMEMTRACE_RENDER_DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

#include "data/doctor.h"

/* 0 or −ENOMEM. Write errors are left in out's error flag. */
int doctor_text(const struct doctor *d, bool colour, bool utf8, FILE *out);
/* 0, −ENOMEM, or −EIO. */
int doctor_json(const struct doctor *d, FILE *out);

#endif
