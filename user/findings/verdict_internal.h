/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of the verdict only: the state of a verdict that is being written. */
#ifndef KMEMTRACE_FINDINGS_VERDICT_INTERNAL_H
#define KMEMTRACE_FINDINGS_VERDICT_INTERNAL_H

#include "findings/verdict.h"

#define GREW_KB    256.0   /* ignore smaller changes of a pool, whatever the noise */
#define HELD_BYTES 65536.0 /* ignore call paths that hold less */
#define NAME_SHOWN 64      /* characters of a symbol or cache name; the tables print it whole */

struct writer {
	const struct verdict_facts *f;
	struct verdict *out;
	/* holds most of what grew; NULL when none holds HELD_BYTES */
	const struct growth_group *top;
	size_t top_rank;                 /* its index in growth */
	const struct cache_row *cache;   /* of top; NULL outside slab */
	const struct ledger_row *most;   /* the pool that grew most; NULL when none grew */
	const struct ledger_row *shrunk; /* the pool that shrank most beyond noise; NULL: none */
	bool traced;                     /* a group of HELD_BYTES is part of what grew */
	bool grew;                       /* a pool grew, or `cache` did */
	bool within;                     /* `cache` grew, but Slab did not */
	bool named;                      /* a sentence names who allocated what grew */
	enum leak_answer leak;           /* of top; LEAK_YES without top means nothing */
	bool failed;
};

__attribute__((format(printf, 2, 3))) void verdict_say(struct writer *w, const char *fmt, ...);

/* The smallest change of a pool, in kB, that is beyond noise. */
double verdict_limit_kb(const struct ledger_row *row);
bool verdict_row_grew(const struct ledger_row *row);
bool verdict_row_shrank(const struct ledger_row *row);
bool verdict_cache_grew(const struct cache_row *cache); /* `cache` may be NULL */
/* The group is part of what grew: its pool did, or its cache. */
bool verdict_group_grew(const struct writer *w, const struct growth_group *g);

/* Say who allocated what grew: the process or cgroup that holds most of it, else call paths. */
void verdict_say_where(struct writer *w);

#endif
