/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sentences of a diff: notes on what cannot be compared, the verdict, and the next command.
 * cmd_diff.c calls it after diff_build(). It must state measured figures only.
 */
#ifndef KMEMTRACE_FINDINGS_DIFF_FINDINGS_H
#define KMEMTRACE_FINDINGS_DIFF_FINDINGS_H

#include "diff/diff.h"

/* Fill notes, verdict and next from the sections that diff_build() filled. 0 or −ENOMEM. */
int diff_findings(struct diff *d);

#endif
