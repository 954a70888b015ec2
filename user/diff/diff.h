/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changed between two captures, or between many and one: levels and rates, each new, grown,
 * shrunk or gone only when the difference is beyond what sampling, objects in flight and the
 * level's own noise make. The judgement allows for as many rows as were looked at, so that one
 * comparison of two like workloads in twenty at the most reports anything (docs/interpretation.md
 * has the rules).
 */
#ifndef KMEMTRACE_DIFF_DIFF_H
#define KMEMTRACE_DIFF_DIFF_H

#include "diff/baseline.h"
#include "diff/profile.h"

enum diff_status { DIFF_SAME, DIFF_NEW, DIFF_GROWN, DIFF_SHRUNK, DIFF_GONE };

const char *diff_status_name(enum diff_status s); /* "same", "new", "grown", "shrunk", "gone" */

#define DIFF_FALSE_ALARMS                                                       \
	0.05 /* comparisons of like workloads that report anything, at the most \
	      */
#define DIFF_HELD_FLOOR \
	(256.0 * 1024) /* bytes over the recording: a smaller difference is no news */
#define DIFF_LEVEL_FLOOR (1024.0 * 1024)
#define DIFF_LEVEL_SHARE 0.02            /* of the larger level */
#define DIFF_CHURN_FLOOR (1024.0 * 1024) /* bytes a second */
#define DIFF_CHURN_SHARE 0.5

/* A figure on both sides and their difference with its 95 % interval; NaN where not measured. */
struct diff_figure {
	double base, base_low, base_high; /* of a base set: median, least and most */
	double new_, new_low, new_high;
	double delta, low, high;
	enum diff_status status;
};

struct diff_row {
	const struct profile_row *base, *new_; /* NULL: not there */
	const struct baseline_row *set;        /* of a base set, instead of base */
	struct diff_figure level;              /* bytes; of levels */
	struct diff_figure growth; /* bytes a second: of the level, or of what is held */
	struct diff_figure churn;  /* bytes allocated a second; of growth */
	bool similar;              /* paths that only begin and end alike, of different kernels */
};

struct diff_rows {
	ARRAY_OF(struct diff_row); /* what grew most first, then what shrank most, then what did
				      neither */
	size_t changed;
	bool comparable; /* both sides measured it */
};

struct diff_note {
	char *text; /* a whole sentence */
	bool grave; /* it decides what the figures are worth: said in the verdict, too */
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
	size_t *churn_order; /* rows of growth whose churn changed, by how much */
	size_t nr_churn;
	ARRAY_OF(struct diff_note) notes; /* what cannot be compared, and what to keep in mind */
	ARRAY_OF(char *) verdict;
	char *next; /* the command to run next */
};

/* 0 or −ENOMEM. What `in` points to must outlive the diff. Free with diff_free(). */
int diff_build(const struct diff_input *in, struct diff *out);
void diff_free(struct diff *d);

/* "pipe2() < create_pipe_files < …" out of a row's identity, or its name; malloc'ed, NULL without
 * memory. */
char *diff_row_label(const struct diff_row *row);
const char *diff_row_key(const struct diff_row *row);
enum pool diff_row_pool(const struct diff_row *row);
const char *diff_row_name(const struct diff_row *row);

#endif
