/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which objects the liveness audit looks up, where there is not time for all. Pure: the audit reads
 * the live table twice, tells each object it meets, and is told what to do with it.
 */
#ifndef KMEMTRACE_TRACE_AUDIT_SAMPLE_H
#define KMEMTRACE_TRACE_AUDIT_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Objects that tell the share of a large group that lives to ±5 %, 95 times of 100, whatever the
 * share is: 1.96² × ½ × ½ / 0.05² (Cochran 1977, Sampling Techniques, 4.4).
 */
#define AUDIT_SAMPLE 385

enum chosen {
	CHOSEN_NOT,
	CHOSEN_SAMPLE, /* of the uniform sample of its group: what it turns out to be speaks for the
			  others */
	CHOSEN_AGAIN,  /* found live before, and looked up once more: speaks for itself alone */
};

struct audit_sample;

/* NULL without memory. Equal seeds choose alike. */
struct audit_sample *audit_sample_new(uint64_t seed);
void audit_sample_free(struct audit_sample *c);

void audit_sample_begin(struct audit_sample *c);
/* The first reading: an object of the group (path, cache). `looked`: it was found live before. */
void audit_sample_count(struct audit_sample *c, uint32_t stack, uint16_t cache, uint64_t size,
			bool checked);
/*
 * Share out `room` look-ups: from the group that holds most bytes on down, a uniform sample of
 * AUDIT_SAMPLE (with the finite population's due) and as many of those found live before, so that a
 * group too large to be looked up whole is nevertheless seen twice; then what is left to looking
 * groups up whole, in the same order, and the rest to the first that was too large. 0 or −ENOMEM.
 */
int audit_sample_plan(struct audit_sample *c, uint64_t room);
/* The second reading, in any order: each object of a group is as likely to be of its sample as any
 * other. */
enum chosen audit_sample_take(struct audit_sample *c, uint32_t stack, uint16_t cache, bool checked);

#endif
