/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that a report states: report_build() is the one call between a capture and the
 * renderers. cmd_report.c calls it. Renderers only print what is here.
 *
 * CONTRIBUTING.md, "A finding", lists the steps of adding one.
 */
#ifndef KMEMTRACE_FINDINGS_REPORT_FINDINGS_H
#define KMEMTRACE_FINDINGS_REPORT_FINDINGS_H

#include "model/caches.h"
#include "findings/bpf_use.h"
#include "findings/node_use.h"
#include "findings/correlation.h"
#include "model/growth.h"
#include "model/history.h"
#include "model/ledger.h"
#include "model/liveness.h"
#include "model/losses.h"
#include "findings/exhaustion.h"
#include "findings/first_screen.h"
#include "findings/finding.h"
#include "model/trust.h"
#include "findings/verdict.h"
#include "findings/witness.h"
#include "model/census_delta.h"
#include "model/likeness.h"

struct report {
	const struct capture *c; /* borrowed */
	struct view view;
	struct losses losses;
	struct liveness liveness;
	struct outstanding outstanding;
	struct caches caches;
	struct holders holders;
	struct ledger ledger;
	struct growth growth;
	struct history history;      /* of the first groups of growth */
	struct proofs proofs;        /* what --prove found of them */
	struct trust recorded_trust; /* in the recording as such: its losses and its end */
	struct trust trust; /* of the whole report: the lowest of the capture's own trust and that
			       of the caches that hold most */
	struct findings findings; /* all that the report says, the most severe first */
	struct verdict verdict;   /* which of them are its summary */
	struct first_screen screen;
	struct exhaustion exhaustion;
	struct correlation correlation;
	struct witnesses witnesses;
	struct bpf_use bpf;
	struct node_use nodes;
	struct census_sheet census[CENSUS_MOMENTS]; /* `census` of it is NULL: none was taken */
	struct census_delta census_delta;           /* of these; empty if one is missing */
	struct likeness like; /* what the objects look like that are older than the recording */
};

/* 0 or −ENOMEM. The view's capture must outlive the report. Free with report_free(). */
int report_build(const struct view *v, enum growth_by by, struct report *out);
void report_free(struct report *r);

#endif
