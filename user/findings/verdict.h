/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first paragraph: a few plain sentences for someone who is tired and in a hurry, each built
 * from measured figures alone. Names in it are as captured: whoever prints it escapes them.
 */
#ifndef KMEMTRACE_FINDINGS_VERDICT_H
#define KMEMTRACE_FINDINGS_VERDICT_H

#include "model/caches.h"
#include "model/growth.h"
#include "model/ledger.h"
#include "model/losses.h"
#include "findings/exhaustion.h"
#include "findings/unusual_levels.h"

struct verdict {
	ARRAY_OF(char *); /* sentences, each whole */
	char *next;       /* the command to run next, "" when there is nothing to do */
	bool leak;        /* the word was used */
};

struct verdict_facts {
	const struct view *v;
	const struct losses *losses;
	const struct caches *caches;
	const struct ledger *ledger;
	const struct growth *growth;
	const struct trust *trust;
	const struct exhaustion *exhaustion;
	const struct unusual_levels *unusual_levels;
};

/* 0 or −ENOMEM. Free with verdict_free(). */
int verdict_build(const struct verdict_facts *f, struct verdict *out);
void verdict_free(struct verdict *v);

/* The cache that a growth group holds most bytes in, or NULL. */
const struct cache_row *growth_cache(const struct growth_group *g, const struct caches *caches);

#endif
