/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of a diff: what cannot be compared, and the verdict. Called by diff_build() alone. */
#ifndef KMEMTRACE_MODEL_DIFF_SAY_H
#define KMEMTRACE_MODEL_DIFF_SAY_H

#include "model/diff.h"

/* Fill notes, verdict and next from the sections, which are built. 0 or −ENOMEM. */
int diff_say(struct diff *d);

#endif
