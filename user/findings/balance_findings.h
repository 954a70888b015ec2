/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Findings about a balance sheet: figures that cannot be believed and what was done about them,
 * memory that nobody maps or counts, lines of a copy that could not be read. balance_sheet.c builds
 * them. The decisions were made in model/believable.c; this only says them.
 */
#ifndef KMEMTRACE_FINDINGS_BALANCE_FINDINGS_H
#define KMEMTRACE_FINDINGS_BALANCE_FINDINGS_H

#include "data/input.h"
#include "data/oom_report.h"
#include "findings/finding.h"
#include "model/balance.h"

/* Unmapped LRU pages are a finding from this share of MemTotal on. Pages that wait for a list or
 * are being freed are only a few MiB. */
#define BALANCE_UNMAPPED_SHARE 0.03

#define BALANCE_UNMAPPED_WHY                                                                      \
	"The user of these pages still holds a reference to them (RDMA, vhost, io_uring, device " \
	"passthrough: pinned and then unmapped), or they leaked."

/* Unaccounted is a finding from this share of MemTotal on. It is never 0, because the kernel has no
 * counter for some of its pages. */
#define BALANCE_UNACCOUNTED_SHARE 0.05
#define BALANCE_PART_SHARE        0.1 /* of Unaccounted: a smaller part of it explains nothing */

struct balance_findings_facts {
	const struct balance *b;
	const struct snapshot *s;         /* that it was built from */
	const struct input_report *input; /* NULL: nothing was copied */
	const struct oom_report *oom;     /* NULL: the figures are not of an OOM report */
	double reader_page_bytes;         /* of this machine; 0: do not compare */
	const char *page_bytes_source;    /* NULL: not derived */
};

/* Append the findings, the most severe first. */
void balance_findings_build(const struct balance_findings_facts *f, struct findings *out);

/* Are these unmapped LRU pages enough to be a finding? */
bool balance_unmapped_matters(const struct balance *b, double kb);
/* Pages on the LRU lists that no process maps and no cache has, when they are enough to be a
 * finding; 0 otherwise. */
double balance_unmapped_lru_kb(const struct balance *b);

/* Append the finding about lines of /proc that the parsers left out; nothing if there are none. */
void unread_lines_find(const struct snapshot *s, struct findings *out);

/* Append the finding about the figures to which this rule gave this belief; nothing if there are
 * none. */
void belief_find(const struct beliefs *b, enum belief_rule rule, enum belief belief,
		 struct findings *out);

#endif
