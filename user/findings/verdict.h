/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verdict: a section of a report, a few plain sentences for a reader in a hurry. Each sentence
 * is the text of a finding. report_findings.c builds it last, from the other results. It must state
 * measured figures only. Names in it are as captured: the renderer must escape them.
 */
#ifndef KMEMTRACE_FINDINGS_VERDICT_H
#define KMEMTRACE_FINDINGS_VERDICT_H

#include "model/caches.h"
#include "model/growth.h"
#include "model/history.h"
#include "model/ledger.h"
#include "model/losses.h"
#include "model/proofs.h"
#include "findings/finding.h"

/* It costs a production host, so the command says so wherever it is printed. */
#define VERDICT_DROP_CACHES \
	"echo 2 | sudo tee /proc/sys/vm/drop_caches  # only if memory is short: slows file access"

struct exhaustion;

struct verdict {
	ARRAY_OF(char *);               /* whole sentences, owned by the findings */
	const char *next;               /* the command to run next, of a finding; NULL: none */
	bool leak;                      /* a sentence says "leak" */
	const struct refs_sheet *proof; /* decides whether it is one; NULL: none does */
	bool grew;                      /* a pool grew beyond noise, or a cache within Slab did */
	bool growing;                   /* and was still growing at the end */
	bool too_few;   /* there are too few readings to say whether it still grows */
	bool too_short; /* the recording is too short to call this growth a leak */
	const struct ledger_row *most;   /* the pool that grew most; NULL: none */
	const struct ledger_row *shrunk; /* the pool that shrank most beyond noise; NULL: none */
	const struct cache_row *cache; /* the cache that holds most; NULL: outside slab, or none */
};

struct verdict_facts {
	const struct view *v;
	const struct losses *losses;
	const struct caches *caches;
	const struct ledger *ledger;
	const struct growth *growth;
	const struct history *history; /* of growth */
	const struct holders *levels;
	const struct trust *trust;
	const struct exhaustion *exhaustion;
	const struct proofs *proofs; /* NULL: none */
};

/*
 * Append the findings about what grew to `list`, which has those about exhaustion and unusual
 * levels, and must outlive the verdict. 0 or −ENOMEM. Free with verdict_free().
 */
int verdict_build(const struct verdict_facts *f, struct findings *list, struct verdict *out);
void verdict_free(struct verdict *v);

#endif
