/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A finding: one thing that a command has to say, as data. Each command collects its findings in
 * one list, and text, JSON and every other format print from this list. So all formats say the
 * same, and a sentence is written in one place: the file of findings/ that found it.
 *
 * Names in a finding are as captured: renderers must escape them.
 */
#ifndef KMEMTRACE_FINDINGS_FINDING_H
#define KMEMTRACE_FINDINGS_FINDING_H

#include <math.h>
#include <stdbool.h>

#include "base/array.h"
#include "model/trust.h"

#define FINDING_FIGURES  4
#define FINDING_EVIDENCE 3
#define FINDING_NAME     256 /* the path of a pod's cgroup has up to 200 characters */

/* How much the reader should care. */
enum finding_severity {
	FINDING_CRITICAL, /* a leak, or memory, threads or files that run out within an hour */
	FINDING_WARNING,  /* growth that goes on, or memory that is held without a visible reason */
	FINDING_NOTICE,   /* good to know; nothing to act on */
	FINDING_CAUTION,  /* what limits other findings: something lost, unknown or left out */
};

/* What a finding is about. */
enum finding_about {
	ABOUT_HOST,
	ABOUT_RECORDING,
	ABOUT_POOL,
	ABOUT_CACHE,
	ABOUT_PATH, /* the subject is "POOL RANK", as in the table of growth */
	ABOUT_PROCESS,
	ABOUT_CGROUP,
	ABOUT_COUNTER, /* lines of /proc */
	ABOUT_INPUT,   /* files or a log that a person copied */
};

/* Which part of a report says it: the section of the text that prints it. */
enum finding_part {
	PART_VERDICT,
	PART_EXHAUSTION,
	PART_CORRELATION,
	PART_LEVELS,
	PART_COUNTERS,
	PART_BPF,
	PART_NODES,
	PART_LOSSES,
	PART_AUDIT,
	PART_HOOKS,
};

/* A figure that the sentence rests on. */
struct finding_figure {
	const char *name;        /* with its unit at the end, as in JSON: "delta_kb" */
	double value, low, high; /* low and high: 95 % interval, NaN without one */
};

/* Where in the report the reader finds more: a table, and a row of it. */
struct finding_evidence {
	const char *table; /* the name of a section, or of a list in JSON: "caches" */
	char row[FINDING_NAME];
};

struct finding {
	enum finding_severity severity;
	const char *kind; /* stable, for scripts: "growth", "exhaustion" … docs/json.md lists all */
	enum finding_about about;
	enum finding_part part;
	char subject[FINDING_NAME]; /* its name; "" if `about` says all */
	char *text;                 /* one sentence, sometimes two */
	struct finding_figure figures[FINDING_FIGURES];
	size_t nr_figures;
	struct finding_evidence evidence[FINDING_EVIDENCE];
	size_t nr_evidence;
	bool judged;            /* `trust` is known */
	enum trust_level trust; /* in the figures */
	char *next;             /* the command to run next; NULL: none */
	const char *kernels;    /* kernels that this is known from; NULL: any */
};

struct findings {
	ARRAY_OF(struct finding);
	bool failed; /* memory was short, so a finding is missing */
};

/* What findings_add() gets as `as`: FINDING(FINDING_NOTICE, "growth", ABOUT_POOL). Further members
 * can follow: .part = PART_HOOKS. */
#define FINDING(severity_, kind_, about_, ...) \
	(&(const struct finding){              \
		.severity = (severity_), .kind = (kind_), .about = (about_), ##__VA_ARGS__})

/*
 * Append a finding with this sentence. Severity, kind, about, part, trust and kernels are those of
 * `as`. Returns the finding, to add what else is known of it; it is valid until the next call. NULL
 * if memory is short; all functions below accept NULL.
 */
__attribute__((format(printf, 3, 4))) struct finding *findings_add(struct findings *list,
								   const struct finding *as,
								   const char *fmt, ...);

/* Add more to the sentence. */
__attribute__((format(printf, 3, 4))) void finding_say(struct findings *list, struct finding *f,
						       const char *fmt, ...);
/* Name what the finding is about; a name that is too long is cut. */
__attribute__((format(printf, 2, 3))) void finding_subject(struct finding *f, const char *fmt, ...);
/* Add a figure; more than FINDING_FIGURES are dropped, and so are figures that are not known. */
void finding_figure(struct finding *f, const char *name, double value, double low, double high);
__attribute__((format(printf, 3, 4))) void finding_evidence(struct finding *f, const char *table,
							    const char *fmt, ...);
void finding_trust(struct finding *f, enum trust_level trust);
void finding_next(struct findings *list, struct finding *f, const char *command);

/* Move all findings of `from` to the end of `to`; on failure, both have `failed`. */
void findings_move(struct findings *to, struct findings *from);

/* The first finding of this kind; NULL: there is none. */
const struct finding *findings_of(const struct findings *list, const char *kind);

/* The most severe first. Of one severity, the verdict's come first; others keep their order. */
void findings_sort(struct findings *list);
void findings_free(struct findings *list);

/* "critical", "warning", "notice" or "caution". */
const char *finding_severity_name(enum finding_severity severity);
/* "host", "recording", "pool" … */
const char *finding_about_name(enum finding_about about);

#endif
