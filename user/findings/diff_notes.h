/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What limits a comparison: parts that only one side has, kernels that differ, recordings that are
 * too short, losses. diff_findings.c calls it. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_DIFF_NOTES_H
#define KMEMTRACE_FINDINGS_DIFF_NOTES_H

#include "diff/diff.h"
#include "findings/finding.h"

enum note_weight {
	NOTE_GRAVE,   /* it limits what the figures can show, so the verdict repeats it */
	NOTE_PLAIN,   /* good to know for a reader of the figures */
	NOTE_TRIVIAL, /* true of most comparisons */
	NOTE_WEIGHTS
};

/* Append cautions, each to the list of its weight. If memory is short, a list has `failed`. */
void diff_notes(const struct diff *d, struct findings lists[NOTE_WEIGHTS]);

#endif
