/* SPDX-License-Identifier: GPL-2.0-only */
/* How far a difference of held memory can be trusted. diff_findings.c calls it. Pure. */
#ifndef KMEMTRACE_FINDINGS_DIFF_TRUST_H
#define KMEMTRACE_FINDINGS_DIFF_TRUST_H

#include "diff/diff.h"
#include "model/trust.h"

/*
 * The trust in a row of PROFILE_GROWTH, by the rules of docs/trust.md: trust in both captures, in
 * the cache that the row is of, and in the interval of the difference. A base set is not judged. 0
 * or −ENOMEM, *out then untouched.
 */
int diff_trust(const struct diff *d, const struct diff_row *row, struct trust *out);

#endif
