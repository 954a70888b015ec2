/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Findings about the lines of a balance sheet that are out of the ordinary: kernel memory that is a
 * large share of the machine, and the slab caches that have most of it. balance_sheet.c calls it.
 * Pure.
 */
#ifndef KMEMTRACE_FINDINGS_LEVEL_FINDINGS_H
#define KMEMTRACE_FINDINGS_LEVEL_FINDINGS_H

#include "findings/finding.h"
#include "model/balance.h"

/* Append them; `s` is the snapshot of the sheet. */
void level_findings_build(const struct balance *b, const struct snapshot *s, struct findings *out);

#endif
