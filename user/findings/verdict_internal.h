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
	struct findings *list;
	struct verdict *out;
	ARRAY_OF(size_t) said; /* the findings of the verdict, by their index in `list` */
	size_t main; /* the finding that the next command belongs to, by its index in `list` */
	enum finding_severity severity; /* of what grew */
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
	const struct proof_row *proof;   /* of top; NULL: none */
	bool failed;
};

/* Append a finding to the list and to the verdict: see findings_add(). */
#define verdict_say(w, as, ...) verdict_said(w, findings_add((w)->list, as, __VA_ARGS__))
/* Add a sentence to the last finding of the verdict. */
#define verdict_more(w, ...) finding_say((w)->list, verdict_last(w), " " __VA_ARGS__)

struct finding *verdict_said(struct writer *w, struct finding *f);
struct finding *verdict_last(struct writer *w); /* NULL: nothing was said */
/* Repeat the first critical finding or warning of this part of the report, if there is one. */
void verdict_quote(struct writer *w, enum finding_part part);

/* The smallest change of a pool, in kB, that is beyond noise. */
double verdict_limit_kb(const struct ledger_row *row);
bool verdict_row_grew(const struct ledger_row *row);
bool verdict_row_shrank(const struct ledger_row *row);
bool verdict_cache_grew(const struct cache_row *cache); /* `cache` may be NULL */
/* The group is part of what grew: its pool did, or its cache. */
bool verdict_group_grew(const struct writer *w, const struct growth_group *g);

/* Is Slab what grew most, or a cache within it? */
bool verdict_slab_grew_most(const struct writer *w);

/* Say who allocated what grew: the process or cgroup that holds most of it, else call paths. */
void verdict_say_where(struct writer *w);
/* Say whether it is a leak, or why it is not called one. */
void verdict_say_leak(struct writer *w);
/* Say what a proof shows, of call paths that are not the top, and why there is none. */
void verdict_say_proofs(struct writer *w);
/* Say how far all of it can be trusted: losses, filters, sampling. */
void verdict_say_caveats(struct writer *w);
/* The command to run next. */
void verdict_choose_next(struct writer *w);

#endif
