// SPDX-License-Identifier: GPL-2.0-only
/* What a proof says of a call path: see proof_findings.h. */
#include "findings/proof_findings.h"

#include <stdio.h>

#include "findings/refs_findings.h"

#define SYMBOL_SHOWN  64
#define SUBJECT_WORDS 224
#define HOLDS_MOST    0.5

struct finding *proof_find(const struct proofs *proofs, const struct proof_row *row,
			   const struct capture *c, struct findings *out)
{
	const struct cap_stack *stack = &c->stacks[row->proof->stack];
	const char *symbol = stack->nr_frames ? c->frames[stack->frames[0]].symbol : "";
	char objects[SUBJECT_WORDS], rank[32] = "", name[FINDING_NAME];
	const struct refs_subject of = {.about = row->group == PROOF_NO_GROUP ? ABOUT_CACHE
									      : ABOUT_PATH,
					.name = name,
					.objects = objects,
					.table = row->group == PROOF_NO_GROUP ? "caches" : "growth",
					.budget = "--prove-budget"};
	struct finding *f;

	snprintf(name, sizeof(name), "%s", row->proof->refs.cache);
	if (row->group != PROOF_NO_GROUP) {
		snprintf(name, sizeof(name), "%s %zu", pool_name(POOL_SLAB), row->group + 1);
		snprintf(rank, sizeof(rank), " (#%zu)", row->group + 1);
	}
	snprintf(objects, sizeof(objects), "%s from %.*s%s", row->proof->refs.cache, SYMBOL_SHOWN,
		 symbol[0] ? symbol : "a call path that was not recorded", rank);
	f = refs_verdict_find(&row->sheet, &of, out);
	finding_evidence(f, "proof.paths", "%zu", (size_t)(row - proofs->items) + 1);
	return f;
}

struct finding *proof_find_missing(const struct capture *c, struct findings *out)
{
	const char *why = capture_why(c, META_PROOF);

	if (!why)
		return NULL;
	return findings_add(out, FINDING(FINDING_CAUTION, "no-proof", ABOUT_RECORDING),
			    "--prove could not check all that it should: %s.", why);
}

int32_t proof_holder_pid(const struct refs *r)
{
	const struct refs_holder *h = r->holders.items;

	return r->holders.nr && h->certain &&
			       (double)h->objects > HOLDS_MOST * (double)r->sample.checked
		       ? h->pid
		       : 0;
}
