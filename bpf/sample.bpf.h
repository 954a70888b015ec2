/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Poisson sampling by bytes: on average, one sample is taken for every `period` bytes allocated
 * from a pool, so an object of s bytes is sampled with probability 1 − e^(−s/period), whatever was
 * allocated before it. The programs of each pool call it first; it must stay cheap for an
 * allocation that is not sampled.
 * Each CPU counts down an exponentially distributed number of bytes. The exponential distribution
 * is memoryless, so a fresh draw after each sample is exact. A changed period takes effect at the
 * next draw, and each sample carries the period that it was drawn with: estimates stay unbiased
 * whatever the governor changes meanwhile.
 */
#ifndef KMEMTRACE_SAMPLE_BPF_H
#define KMEMTRACE_SAMPLE_BPF_H

#include "state.bpf.h"

/* −ln(u / 2^32) × 2^16 for a uniform u, from a table of log2 that the loader fills in. */
static __always_inline __u64 sample_exponential(void)
{
	__u32 u = bpf_get_prandom_u32() | 1;
	__u32 msb = 31, row, rest;
	__u64 log2;

	/* normalise: move the leading one to bit 31 */
	if (!(u >> 16)) {
		u <<= 16;
		msb -= 16;
	}
	if (!(u >> 24)) {
		u <<= 8;
		msb -= 8;
	}
	if (!(u >> 28)) {
		u <<= 4;
		msb -= 4;
	}
	if (!(u >> 30)) {
		u <<= 2;
		msb -= 2;
	}
	if (!(u >> 31)) {
		u <<= 1;
		msb -= 1;
	}
	row = (u >> 23) & 0xff;
	rest = (u >> 7) & 0xffff;
	log2 = ((__u64)msb << 16) + cfg_log2[row] +
	       (((__u64)(__u16)(cfg_log2[row + 1] - cfg_log2[row]) * rest) >> 16);
	return (((32ull << 16) - log2) * 45426) >> 16; /* × ln 2 */
}

struct kmt_countdown
	countdowns[KMT_COUNTDOWNS] WEAK; /* of fixed size, so that their address is a constant */

static __always_inline struct kmt_countdown *countdown_of(__u32 cpu_id)
{
	return &countdowns[cpu_id & (KMT_COUNTDOWNS - 1)];
}

/* Draw the next countdown of CPU `id`. */
GLOBAL int sample_draw(__u32 id, __u32 pool)
{
	struct kmt_countdown *c = countdown_of(id);
	__u64 mean;

	if (pool >= KMT_POOLS)
		return 0;
	mean = period[pool];
	c->left[pool] = mean == KMT_EVERY ? 0 : 1 + ((sample_exponential() * mean) >> 16);
	c->period[pool] = mean;
	return 0;
}

/*
 * Count an allocation down. This is all that happens to one that is not sampled. True if it may be
 * sampled: the caller then asks sample_weigh(). Where every object is tracked, the countdown stays
 * below 0.
 */
static __always_inline bool sample_hit_on(__u32 cpu_id, __u32 pool, __u64 size)
{
	__s64 *left = &countdown_of(cpu_id)->left[pool];

	*left -= size;
	return *left <= 0;
}

/* Undo a countdown, because the caller counts the same bytes down again in smaller parts. */
static __always_inline void sample_undo(__u32 cpu_id, __u32 pool, __u64 size)
{
	countdown_of(cpu_id)->left[pool] += size;
}

static __always_inline bool sample_hit(__u32 pool, __u64 size)
{
	return cfg_exact || sample_hit_on(bpf_get_smp_processor_id(), pool, size);
}

/*
 * sample_hit() was true for an allocation: should it be tracked? Sets the period that the sample
 * stands for (0: every object is tracked). Call it even if the allocation is filtered out later: it
 * draws the next countdown.
 */
static __always_inline bool sample_weigh(__u32 cpu_id, __u32 pool, __u64 *weight)
{
	__u64 drawn;

	*weight = 0;
	if (cfg_exact)
		return true;
	drawn = countdown_of(cpu_id)->period[pool];
	if (!drawn && period[pool] == KMT_EVERY)
		drawn = KMT_EVERY;
	sample_draw(cpu_id, pool);
	if (drawn == KMT_EVERY)
		return true;
	*weight = drawn;
	return drawn; /* a CPU's first countdown starts at 0 without a draw: do not sample it */
}

GLOBAL __u64 sample_weight(__u64 size, __u64 mean)
{
	return kmt_weight(size, mean, cfg_weight);
}

#endif
