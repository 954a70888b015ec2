/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that `balance` states: MemTotal broken down at one moment or at two, with shares,
 * changes and notes. cmd_balance.c builds it; the renderers only print it.
 */
#ifndef KMEMTRACE_FINDINGS_BALANCE_SHEET_H
#define KMEMTRACE_FINDINGS_BALANCE_SHEET_H

#include "findings/balance_findings.h"
#include "findings/balance_notes.h"
#include "findings/node_use.h"
#include "findings/witness.h"
#include "model/balance.h"
#include "model/view.h"

/* A line, a group of lines, or all of MemTotal. */
struct balance_figure {
	double start_kb, delta_kb; /* NaN in a sheet of one moment */
	double end_kb;             /* NaN: no figure for it can be believed */
	double share;              /* end_kb of MemTotal */
	bool shown;                /* it is unknown, it is not empty, or it is Unaccounted */
};

struct balance_sheet {
	bool pair; /* of two moments, start and end; else of one, end */
	struct balance end;
	struct balance_figure lines[BALANCE_LINES], groups[BALANCE_GROUPS], total;
	struct balance_findings findings; /* of the end */
	struct balance_notes notes;
	struct witnesses witnesses;
	struct node_use nodes;
	const struct snapshot *start_levels, *levels; /* of both moments, borrowed; start_levels is
							 NULL in a sheet of one */
	const char *kernel;                           /* release, borrowed; "" unknown */
	double duration_s;                            /* from start to end */
	double wall_s;      /* of the end: seconds since the epoch; 0 unknown */
	const char *moment; /* what a sheet of one moment is of: "now" */
};

/* Where the figures of a sheet of one moment are from. */
struct balance_origin {
	struct beliefs_hint hint;
	const struct unlisted *unlisted;  /* NULL: not read */
	const struct input_report *input; /* NULL: nothing was copied */
	const struct oom_report *oom;     /* NULL: the figures are not of an OOM report */
	double reader_page_bytes;         /* of this machine; 0: do not compare */
	const char *page_bytes_source;    /* NULL: not derived */
};

/* The sheet of one moment. kernel, wall_s and moment ("now") are left to the caller. */
void balance_sheet_now(const struct snapshot *s, const struct balance_origin *origin,
		       struct balance_sheet *out);
/* The sheet of a view's start and end, and of its capture's kernel. */
void balance_sheet_view(const struct view *v, struct balance_sheet *out);

#endif
