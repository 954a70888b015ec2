/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was held before a recording began, and by whom: nothing of it was traced, but the census at
 * the start counted it. The first screen of a report calls this. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_CENSUS_OLDER_H
#define KMEMTRACE_FINDINGS_CENSUS_OLDER_H

#include "findings/finding.h"
#include "model/likeness.h"
#include "model/ledger.h"

struct older_facts {
	const struct census_sheet *before; /* at the start of the recording */
	const struct likeness *like;       /* what its objects look like */
	const struct ledger *ledger;
	const struct ledger_row *headline; /* the pool in the headline; NULL: there is none */
	double total_kb;                   /* MemTotal; NaN: not known */
};

/*
 * Add the finding "older-memory" if much of the memory is older than the recording, and say which
 * caches and cgroups had it. Returns its sentence; NULL: nothing of that kind.
 */
const char *census_older_find(const struct older_facts *f, struct findings *out);
/*
 * Add findings "older-like": older objects that look like those of a call path which the recording
 * traced. Returns the sentence of the largest; NULL: none is worth one.
 */
const char *census_older_like(const struct older_facts *f, struct findings *out);

#endif
