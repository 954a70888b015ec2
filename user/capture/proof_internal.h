/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits of the proofs in a capture. Shared by the capture's writer and reader only. */
#ifndef KMEMTRACE_CAPTURE_PROOF_INTERNAL_H
#define KMEMTRACE_CAPTURE_PROOF_INTERNAL_H

#define PROOFS_MAX        64
#define PROOF_OBJECTS_MAX 4096 /* of a sample */
#define PROOF_ROWS_MAX    64   /* referrers, and holders, of one proof: those of most objects */

#endif
