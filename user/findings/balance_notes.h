/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Notes to a balance sheet, one sentence each: facts about this machine that no line of the sheet
 * can show. The renderers of balance call it. It must not change the sheet.
 */
#ifndef KMEMTRACE_FINDINGS_BALANCE_NOTES_H
#define KMEMTRACE_FINDINGS_BALANCE_NOTES_H

#include "model/balance.h"

#define BALANCE_NOTES    16
#define BALANCE_NOTE_MAX 256

/* Whole sentences; at most BALANCE_NOTES of them, further ones are dropped. */
struct balance_notes {
	char items[BALANCE_NOTES][BALANCE_NOTE_MAX];
	size_t nr;
};

/* Write the notes of sheet `b`, which was built from `s`. Never fails. */
void balance_notes(const struct snapshot *s, const struct balance *b, struct balance_notes *out);

#endif
