/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF maps and programs of the machine take, who keeps the largest, and how that changed:
 * one part of a report and of the balance sheet. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_BPF_USE_H
#define KMEMTRACE_FINDINGS_BPF_USE_H

#include <stdbool.h>

#include "base/array.h"
#include "data/snapshot.h"
#include "findings/finding.h"
#include "model/ledger.h"

#define BPF_WHO_MAX  160
#define BPF_TEXT_MAX 400

struct bpf_use_row {
	const struct bpf_level *level; /* at the end; if the object is gone by then, at the start */
	const struct bpf_level *before; /* at the start; NULL: it came later */
	const char *name;               /* within level->object; "" if it has none */
	double start_bytes, end_bytes;  /* 0 before it came, and after it went */
	double delta_bytes;
	char who[BPF_WHO_MAX]; /* "cilium-agent[812], pinned at /sys/fs/bpf/x"; names as
				  captured */
};

struct bpf_sum {
	double nr, bytes, vmalloc, percpu, slab, pages;
};

struct bpf_use {
	bool known, is_pair; /* known: read at the end; is_pair: also read at the start */
	struct bpf_sum maps, programs, own; /* at the end; own: the recorder's maps and programs */
	double maps_grew, programs_grew;    /* bytes, without `own`; NaN for a single moment */
	ARRAY_OF(struct bpf_use_row);       /* all of them, largest first, then the recorder's */
	char text[BPF_TEXT_MAX]; /* "41 BPF maps hold 12.3 MiB …"; "" when there are none */
};

#define BPF_GROWTH_SHARE 0.25     /* of a pool's growth: if BPF has less of it, nothing is said */
#define BPF_GROWTH_LEAST 262144.0 /* bytes: of less, neither */
#define BPF_OBJECT_WORDS 256

/* What BPF has of the growth of a pool. */
struct bpf_growth {
	double bytes, share;           /* of all maps and programs but the recorder's own */
	size_t nr;                     /* of those that grew */
	const struct bpf_use_row *row; /* that grew most */
	double row_bytes;
	size_t kept_nr; /* of those that grew and are kept like it: many maps of one process */
	double kept_bytes;
};

double bpf_level_bytes(const struct bpf_level *l);

/* `start` may be NULL. The snapshots must outlive `out`. 0 or −ENOMEM. Free with bpf_use_free(). */
int bpf_use_build(const struct snapshot *start, const struct snapshot *end, struct bpf_use *out);
/* False if BPF has less than BPF_GROWTH_SHARE of the pool's growth, or if that is not known. */
bool bpf_growth_of(const struct bpf_use *u, const struct ledger_row *pool, struct bpf_growth *out);
/* "map 12 (hash flows)": kind, id, type and name as captured. Returns buf. */
const char *bpf_object_words(const struct bpf_use_row *row, char *buf, size_t size);
/* Append what all of it takes, and a finding for each pool that grew by it; `ledger` is NULL in a
 * balance sheet. */
void bpf_use_find(const struct bpf_use *u, const struct ledger *ledger, struct findings *list);
void bpf_use_free(struct bpf_use *u);

#endif
