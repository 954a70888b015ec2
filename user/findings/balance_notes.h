/* SPDX-License-Identifier: GPL-2.0-only */
/* What a balance sheet cannot put in a line, one sentence each. */
#ifndef KMEMTRACE_FINDINGS_BALANCE_NOTES_H
#define KMEMTRACE_FINDINGS_BALANCE_NOTES_H

#include "model/balance.h"

#define BALANCE_NOTES    12
#define BALANCE_NOTE_MAX 256

/* A note: something about this machine that the sheet cannot put in a line. */
struct balance_notes {
	char items[BALANCE_NOTES][BALANCE_NOTE_MAX];
	size_t nr;
};

/* What has to be known beside the lines, for the people who read them. */
void balance_notes(const struct snapshot *s, const struct balance *b, double page_bytes,
		   struct balance_notes *out);

#endif
