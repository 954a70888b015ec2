/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Findings about the OOM report that a balance sheet was built from: which report it is, what is
 * wrong with it, and what it says beside its sums. balance_findings.c calls it. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_OOM_FINDINGS_H
#define KMEMTRACE_FINDINGS_OOM_FINDINGS_H

#include "data/oom_report.h"
#include "findings/finding.h"
#include "model/balance.h"

/* Append them, in no order. */
void oom_findings_build(const struct balance *b, const struct oom_report *oom,
			struct findings *out);

#endif
