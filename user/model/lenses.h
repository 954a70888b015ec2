/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turns what the lenses of a census counted into figures with 95 % intervals, and adds them up for
 * people: by file system, protocol, type and state, without cgroups and namespaces. Pure.
 */
#ifndef KMEMTRACE_MODEL_LENSES_H
#define KMEMTRACE_MODEL_LENSES_H

#include "data/census.h"

struct lens_figure {
	double value, low, high; /* low and high are equal to value if all blocks were looked at */
};

struct lens_figure lens_estimate(const struct lens_sum *s);

#define LENS_WORDS 128

/* Rows that differ only in cgroup and namespace. */
struct lens_group {
	const struct lens_row *like; /* one of them */
	char words[LENS_WORDS];      /* what they are: "ext4 (vda1): directory, unused" */
	struct lens_figure objects, kb, held_kb, queued_kb;
	double bytes;        /* of the objects, and of what sockets queue: the order of groups */
	uint32_t cgroup;     /* that most of the objects are charged to, or LENS_NO_CGROUP … */
	double cgroup_share; /* … and how many of them, 0 to 1 */
	bool lonely;         /* namespaces that no process is in */
};

struct lens_sheet {
	const struct census *census;
	ARRAY_OF(struct lens_group); /* by lens; in each, the largest first */
	struct lens_figure objects[LENSES], kb[LENSES];
};

/* Were lenses taken, and did the kernel allow them? */
static inline bool lens_sheet_is_known(const struct lens_sheet *s)
{
	return s->census && s->census->lenses.taken && !s->census->lenses.absent[0];
}

/* What the objects of a row are: "ext4 (vda1): directory, unused", "TCP CLOSE-WAIT", "eventfd". */
void lens_holder_words(const struct lens_holder *h, char words[LENS_WORDS]);

/* The processes in a namespace; NULL if there are none. */
const struct lens_space *lens_space_find(const struct census_lenses *l, bool net, uint32_t number);

/* `out` borrows from `c`. Returns 0 or −ENOMEM; on failure, `out` is unchanged. */
int lens_sheet_build(const struct census *c, struct lens_sheet *out);
void lens_sheet_free(struct lens_sheet *s);

#endif
