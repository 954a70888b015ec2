/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that `balance` states: MemTotal broken down at one moment or at two, with shares,
 * changes and findings. cmd_balance.c builds it; the renderers only print it.
 */
#ifndef KMEMTRACE_FINDINGS_BALANCE_SHEET_H
#define KMEMTRACE_FINDINGS_BALANCE_SHEET_H

#include "findings/balance_findings.h"
#include "findings/bpf_use.h"
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

#define SCREEN_LARGEST 3
#define SCREEN_ODD     2
#define SCREEN_ROWS    10

/* What the first screen shows of a sheet. */
struct balance_screen {
	enum balance_id largest[SCREEN_LARGEST]; /* largest first */
	size_t nr_largest;
	enum balance_id changed[SCREEN_LARGEST]; /* the largest change first */
	size_t nr_changed;
	bool rows[BALANCE_LINES];              /* the lines in its table */
	const struct finding *odd[SCREEN_ODD]; /* critical, then warnings */
	size_t nr_odd, all_odd;                /* in `odd`, and all there are */
	const struct finding *caution;         /* the first one; NULL: there are none */
	size_t cautions;
	const struct finding *caches;         /* the largest; NULL: not known */
	const struct finding *report, *sites; /* of an OOM report; NULL: not said */
};

struct balance_sheet {
	bool pair; /* of two moments, start and end; else of one, end */
	struct balance end;
	struct balance_figure lines[BALANCE_LINES], groups[BALANCE_GROUPS], total;
	struct findings findings; /* of the end, the most severe first; notes are among them */
	struct bpf_use bpf;
	struct balance_screen screen;
	struct witnesses witnesses;
	struct node_use nodes;
	const struct snapshot *start_levels, *levels; /* of both moments, borrowed; start_levels is
							 NULL in a sheet of one */
	const char *kernel;                           /* release, borrowed; "" unknown */
	double duration_s;                            /* from start to end */
	double wall_s;      /* of the end: seconds since the epoch; 0 unknown */
	const char *moment; /* what a sheet of one moment is of: "now" */
	char *next;         /* the command to run next; NULL: none */
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

/*
 * The sheet of one moment. kernel, wall_s and moment ("now") are left to the caller. Free it with
 * balance_sheet_free(). Returns 0 or −ENOMEM; *out is then empty.
 */
int balance_sheet_now(const struct snapshot *s, const struct balance_origin *origin,
		      struct balance_sheet *out);
/* The sheet of a view's start and end, and of its capture's kernel. The same. */
int balance_sheet_view(const struct view *v, struct balance_sheet *out);
void balance_sheet_free(struct balance_sheet *sheet);

#endif
