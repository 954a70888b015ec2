/* SPDX-License-Identifier: GPL-2.0-only */
/* What a census has to say: where memory is, which counter of the kernel does not fit, and what
 * limits the figures. Pure. */
#ifndef KMEMTRACE_FINDINGS_CENSUS_FINDINGS_H
#define KMEMTRACE_FINDINGS_CENSUS_FINDINGS_H

#include "findings/finding.h"
#include "model/census.h"

void census_findings(const struct census_sheet *s, struct findings *out);

#endif
