/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Findings about a balance sheet: figures that cannot be believed and what was done about them,
 * memory that nobody maps, lines of a copy that could not be read. cmd_balance.c builds them, the
 * renderers print them. The decisions were made in model/believable.c; this only says them.
 */
#ifndef KMEMTRACE_FINDINGS_BALANCE_FINDINGS_H
#define KMEMTRACE_FINDINGS_BALANCE_FINDINGS_H

#include "data/input.h"
#include "data/oom_report.h"
#include "model/balance.h"

#define BALANCE_FINDINGS     24
#define BALANCE_FINDING_TEXT 560

/* Unmapped LRU pages are a finding from this share of MemTotal on. Pages that wait for a list or
 * are being freed are only a few MiB. */
#define BALANCE_UNMAPPED_SHARE 0.03

enum finding_severity {
	FINDING_HIGH,    /* memory that is lost, or held without a visible reason */
	FINDING_CAUTION, /* a figure that is wrong, left out or unknown */
	FINDING_INFO,    /* a figure that was corrected */
};

struct balance_finding {
	enum finding_severity severity;
	const char *rule;    /* its name in docs/interpretation.md */
	const char *kernels; /* where it is known from, "" any */
	const char *next;    /* the command to run next, or "" */
	char subject[128];   /* the lines it is about */
	char text[BALANCE_FINDING_TEXT];
};

struct balance_findings {
	struct balance_finding items[BALANCE_FINDINGS];
	size_t nr;
};

struct balance_findings_facts {
	const struct balance *b;
	const struct snapshot *s;         /* that it was built from */
	const struct input_report *input; /* NULL: nothing was copied */
	const struct oom_report *oom;     /* NULL: the figures are not of an OOM report */
	double reader_page_bytes;         /* of this machine; 0: do not compare */
	const char *page_bytes_source;    /* NULL: not derived */
};

/* "high", "caution" or "info". */
const char *finding_severity_name(enum finding_severity severity);

/* The most important first. Never fails; more than BALANCE_FINDINGS are dropped. */
void balance_findings_build(const struct balance_findings_facts *f, struct balance_findings *out);

/*
 * Pages on the LRU lists that no process maps and no cache has, when they are enough to be a
 * finding; 0 otherwise.
 */
double balance_unmapped_lru_kb(const struct balance *b);

/* The sentence about lines of /proc that the parsers left out. Returns text; "" when there are
 * none. */
char *unread_lines_describe(const struct snapshot *s, struct balance_finding *out);

/* The sentence about this rule's figures, and which they are. Returns text; "" when there are
 * none. */
char *belief_describe(const struct beliefs *b, enum belief_rule rule, enum belief belief,
		      struct balance_finding *out);

#endif
