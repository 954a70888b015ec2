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
/* "held", or "likely held". */
const char *refs_held_words(const struct refs_holder *h);

/* "not leaked", "most likely leaked", "no verdict" … */
const char *refs_verdict_words(enum refs_verdict verdict);

#define REFS_OBJECTS_MAX (2 * REFS_NAME + 16)
/* "kmalloc-256 of the kind timerfd_ctx". Returns buf. */
const char *refs_objects_words(const struct refs *r, char buf[REFS_OBJECTS_MAX]);

/* What was looked at, as a finding says it. */
struct refs_subject {
	enum finding_about about;
	const char *name;    /* the finding's subject: "dentry", "Slab 1" */
	const char *objects; /* "dentry", "kmalloc-64 from sk_alloc (#1)" */
	const char *table;   /* where the figures are */
	const char *budget;  /* the option that gives it more time */
};

/* Add the verdict's finding. Returns it as findings_add() does. */
struct finding *refs_verdict_find(const struct refs_sheet *s, const struct refs_subject *of,
				  struct findings *out);

/* All that `kmemtrace refs` says of a cache. */
void refs_findings(const struct refs_sheet *s, struct findings *out);

#endif
