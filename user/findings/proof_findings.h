/* SPDX-License-Identifier: GPL-2.0-only */
/* The findings about what `record --prove` found. The verdict says the most important ones. */
#ifndef KMEMTRACE_FINDINGS_PROOF_FINDINGS_H
#define KMEMTRACE_FINDINGS_PROOF_FINDINGS_H

#include "findings/finding.h"
#include "model/proofs.h"

/* Add the finding of one of the proofs. Returns it as findings_add() does. */
struct finding *proof_find(const struct proofs *proofs, const struct proof_row *row,
			   const struct capture *c, struct findings *out);

/* Why there is no proof, if one was asked for. Returns the finding; NULL: nothing to say. */
struct finding *proof_find_missing(const struct capture *c, struct findings *out);

/* The process that surely holds most of the objects; 0: none is known. */
int32_t proof_holder_pid(const struct refs *r);

#endif
