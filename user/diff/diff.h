/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changed between two captures, or between a set and one capture: levels and rates, each new,
 * grown, shrunk or gone. A row counts as changed only when the difference is beyond sampling error,
 * objects in flight and the level's own noise. The test allows for the number of rows, so that at
 * most one in twenty comparisons of equal workloads reports anything (docs/interpretation.md).
 * cmd_diff.c calls it.
 */
#ifndef KMEMTRACE_DIFF_DIFF_H
#define KMEMTRACE_DIFF_DIFF_H

#include "diff/baseline.h"
#include "diff/profile.h"
#include "model/census_delta.h"

enum diff_status { DIFF_SAME, DIFF_NEW, DIFF_GROWN, DIFF_SHRUNK, DIFF_GONE };

const char *diff_status_name(enum diff_status s); /* "same", "new", "grown", "shrunk", "gone" */

/* The largest share of comparisons of equal workloads that may report anything. */
#define DIFF_FALSE_ALARMS 0.05
/* Smaller differences are never reported. */
#define DIFF_HELD_FLOOR  (256.0 * 1024)  /* bytes of held memory, over the shorter recording */
#define DIFF_LEVEL_FLOOR (1024.0 * 1024) /* bytes of a level */
#define DIFF_LEVEL_SHARE 0.02            /* of the larger level */
#define DIFF_CHURN_FLOOR (1024.0 * 1024) /* bytes of traffic per second */
#define DIFF_CHURN_SHARE 0.5             /* of the larger rate of traffic */

/* A figure of both sides, and the difference with its 95 % interval; NaN when not measured. */
struct diff_figure {
	double base, base_low, base_high; /* of a base set: median, minimum and maximum */
	double new_, new_low, new_high;
	double delta, low, high;
	enum diff_status status;
};

struct diff_row {
	const struct profile_row *base, *new_; /* NULL: that side has no such row */
	const struct baseline_row *set;        /* of a base set, instead of base */
	struct diff_figure level;              /* bytes; sections of levels only */
	struct diff_figure growth; /* bytes per second: change of the level, or of held memory */
	struct diff_figure churn;  /* bytes allocated per second; PROFILE_GROWTH only */
	bool similar;              /* of two kernels: the call paths match only at both ends */
};

struct diff_rows {
	ARRAY_OF(struct diff_row); /* grown rows first, then shrunk, then unchanged ones; largest
				      difference first */
	size_t changed;            /* how many rows grew or shrank */
	bool comparable;           /* both sides measured the section */
};

struct diff_input {
	const struct view *base_view; /* NULL with a set */
	const struct profile *base;   /* NULL with a set */
	const struct baseline *set;   /* NULL without one */
	const struct view *new_view;
	const struct profile *new_;
	const struct match *match;
};

struct diff {
	struct diff_input in;
	struct diff_rows sections[PROFILE_SECTIONS];
	size_t *churn_order; /* rows of growth whose churn changed, largest change first */
	size_t nr_churn;
	/* The last census of base and of new, and what changed; without one of each it is empty. */
	struct census_sheet census[2];
	struct census_delta census_delta;
};

/* Were both sides counted page by page? */
static inline bool diff_has_census(const struct diff *d)
{
	return d->census_delta.pages.nr;
}

/* 0 or −ENOMEM. What `in` points to must outlive the diff. Free with diff_free(). */
int diff_build(const struct diff_input *in, struct diff *out);
void diff_free(struct diff *d);

/* Is the view of a directory with copies of /proc? False for NULL. */
bool diff_is_copy(const struct view *v);
/* Do the machines differ in size, so that levels are also worth comparing per CPU and per GiB? */
bool diff_sizes_differ(const struct diff_input *in);
/* The change as a share of the base, and the new figure as a multiple of it; NaN without a base. */
double diff_relative(const struct diff_figure *f);
double diff_times(const struct diff_figure *f);
/* How many rows of a section grew or are new; they come first. */
size_t diff_rows_grown(const struct diff_rows *rows);
/* What a rate adds up to over the new recording. */
double diff_new_bytes(const struct diff *d, double bytes_per_s);

/* The side that describes a row, the new one where there is one, and the view it is of. NULL when a
 * base set alone has the row. */
const struct profile_row *diff_row_side(const struct diff_row *row);
const struct view *diff_row_view(const struct diff *d, const struct diff_row *row);
/* The row's name, or for a call path "load_msg < do_msgsnd < msgsnd()" from its key. malloc'ed;
 * NULL without memory. */
char *diff_row_label(const struct diff_row *row);
/* False for a pool that neither side has, as on most machines. */
bool diff_row_shown(const struct diff_row *row);
const char *diff_row_key(const struct diff_row *row);
enum pool diff_row_pool(const struct diff_row *row);
const char *diff_row_name(const struct diff_row *row);

#endif
