/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Notes to a balance sheet: findings that say how its lines fit together, which no line of the
 * sheet can show. balance_sheet.c calls it. It must not change the sheet.
 */
#ifndef KMEMTRACE_FINDINGS_BALANCE_NOTES_H
#define KMEMTRACE_FINDINGS_BALANCE_NOTES_H

#include "findings/finding.h"
#include "model/balance.h"

/* Append the notes to sheet `b`, which was built from `s`. */
void balance_notes(const struct snapshot *s, const struct balance *b, struct findings *out);

/* Is this finding a note? */
bool balance_is_note(const struct finding *f);

#endif
