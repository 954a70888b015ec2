/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The findings of a diff: what changed, what cannot be compared, and the command to run next.
 * cmd_diff.c calls it after diff_build(). It must state measured figures only.
 */
#ifndef KMEMTRACE_FINDINGS_DIFF_FINDINGS_H
#define KMEMTRACE_FINDINGS_DIFF_FINDINGS_H

#include "diff/diff.h"
#include "findings/diff_screen.h"
#include "findings/finding.h"

struct diff_findings {
	struct findings list; /* the most severe first; of the cautions, the gravest first */
	/* Sentences of the list; it owns them. A grave caution is in both. */
	ARRAY_OF(char *) verdict; /* what changed, and the grave cautions */
	ARRAY_OF(char *) notes;   /* all cautions: what cannot be compared, and others */
	const char *next;         /* the command to run next; of the list, too */
	struct diff_screen screen;
};

/* 0 or −ENOMEM, *out then untouched. `d` must outlive it. Free with diff_findings_free(). */
int diff_findings_build(const struct diff *d, struct diff_findings *out);
void diff_findings_free(struct diff_findings *f);

#endif
