/* SPDX-License-Identifier: GPL-2.0-only */
/* What is worth saying about references to sampled objects. Pure. */
#ifndef KMEMTRACE_FINDINGS_REFS_FINDINGS_H
#define KMEMTRACE_FINDINGS_REFS_FINDINGS_H

#include "findings/finding.h"
#include "model/refs.h"

#define REFS_FROM_MAX (2 * REFS_NAME + REFS_FIELD)
/* Who points: "file.private_data", "kmalloc-96+16", "other pages". Returns buf. */
const char *refs_referrer_words(const struct refs_referrer *r, char buf[REFS_FROM_MAX]);

#define REFS_HOLDER_MAX (REFS_FIELD + 64)
/* Who holds: "open files of frontend[812]", "super block ext4 (sda1)". Returns buf. */
const char *refs_holder_words(const struct refs_holder *h, char buf[REFS_HOLDER_MAX]);

void refs_findings(const struct refs_sheet *s, struct findings *out);

#endif
