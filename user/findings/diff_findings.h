/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of a diff: what cannot be compared, and the verdict. Called after diff_build(). */
#ifndef KMEMTRACE_FINDINGS_DIFF_FINDINGS_H
#define KMEMTRACE_FINDINGS_DIFF_FINDINGS_H

#include "diff/diff.h"

/* Fill notes, verdict and next from the sections, which are built. 0 or −ENOMEM. */
int diff_findings(struct diff *d);

#endif
