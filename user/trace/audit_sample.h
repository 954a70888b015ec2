/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chooses which objects the liveness audit checks when there is no time for all. Used by audit.c,
 * which reads the live table twice: the first pass counts the groups, the second asks for each
 * object whether to take it. Pure: must never read the tables itself.
 */
#ifndef KMEMTRACE_TRACE_AUDIT_SAMPLE_H
#define KMEMTRACE_TRACE_AUDIT_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Sample size that gives the live share of a large group to ±5 % at 95 % confidence, whatever that
 * share is: 1.96² × ½ × ½ / 0.05² (Cochran 1977, Sampling Techniques, 4.4).
 */
#define AUDIT_SAMPLE 385

enum chosen {
	CHOSEN_NOT,
	CHOSEN_SAMPLE, /* in the uniform sample of its group: its verdict stands for the others */
	CHOSEN_AGAIN, /* found live before, checked once more: its verdict counts for itself only */
};

struct audit_sample;

/* Returns NULL if memory runs out. Equal seeds make equal choices. */
struct audit_sample *audit_sample_new(uint64_t seed);
void audit_sample_free(struct audit_sample *c);

void audit_sample_begin(struct audit_sample *c);
/* First pass: count an object of the group (stack, cache). `checked`: it was found live before. */
void audit_sample_count(struct audit_sample *c, uint32_t stack, uint16_t cache, uint64_t size,
			bool checked);
/*
 * Divide `room` checks among the groups, largest bytes first. Each group gets a uniform sample of
 * `sample` objects (less by the finite population correction) and as many second checks of objects
 * found live before, so that a group too large to check whole still gets second checks. The
 * remaining room goes to checking whole groups, in the same order; what is left then goes to the
 * first group that was too large. Returns 0 or −ENOMEM.
 */
int audit_sample_plan(struct audit_sample *c, uint64_t room, uint64_t sample);
/* Second pass, in any order: each object of a group is equally likely to be sampled. */
enum chosen audit_sample_take(struct audit_sample *c, uint32_t stack, uint16_t cache, bool checked);

#endif
