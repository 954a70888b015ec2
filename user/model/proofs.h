/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `record --prove` found, beside the rows of growth that it is about. Pure.
 */
#ifndef KMEMTRACE_MODEL_PROOFS_H
#define KMEMTRACE_MODEL_PROOFS_H

#include "model/growth.h"
#include "model/refs.h"

struct proof_row {
	const struct proof *proof;
	struct refs_sheet sheet;
	size_t group; /* its index in growth; PROOF_NO_GROUP: none, as the view has it */
};
#define PROOF_NO_GROUP SIZE_MAX

struct proofs {
	ARRAY_OF(struct proof_row); /* in the order of growth, those without a group last */
};

/*
 * Empty if the view does not reach to the end of the recording: the objects are those of the end.
 * Returns 0 or −ENOMEM; on failure *out is unchanged. `out` borrows from the capture.
 */
int proofs_build(const struct view *v, const struct growth *g, struct proofs *out);
void proofs_free(struct proofs *p);

/* The first proof about a group of growth; more may follow, of other caches. NULL: none. */
const struct proof_row *proofs_of_group(const struct proofs *p, size_t group);

#endif
