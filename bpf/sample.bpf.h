/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Poisson sampling by bytes, in strata. Allocations that are likely to live alike are one stratum:
 * those of one call site and cache. On average, one sample is taken for every `period` bytes
 * allocated in a stratum, so an object of s bytes is sampled with probability 1 − e^(−s/period),
 * whatever was allocated before it. The loader sets the period of each stratum: short where objects
 * stay, long where they are freed at once (user/record/strata.c). The programs of each pool count
 * an allocation down first; this must stay cheap for one that is not sampled.
 *
 * Each CPU has one countdown, which is drawn from an exponential distribution of mean 1. Every
 * allocation takes the share size / period of its stratum off it. So the samples of a stratum are a
 * Poisson process of its own rate, whatever happens in the others. The exponential distribution is
 * memoryless, so a fresh draw is exact at any time, and a period may change at any time. Each
 * sample carries the period that it was taken with. So sums stay unbiased, whatever the periods
 * did, and also if two call sites share a stratum. Periods are powers of two: a byte for each
 * stratum is enough, and these bytes stay in the nearest caches.
 *
 * A burst can come faster than the loader turns. So a stratum doubles its period each time that it
 * has taken 2^sample_step_bits samples within one tick of the loader, and a CPU doubles the periods
 * of all its strata after 2^sample_cpu_bits samples. The next tick sets the loader's periods again.
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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmt_sampler);
} samplers SEC(".maps") WEAK; /* a row for each CPU */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmt_stratum);
} strata SEC(".maps") WEAK; /* KMT_STRATA rows for each CPU */

static __always_inline struct kmt_sampler *sampler_of(__u32 cpu_id)
{
	__u32 row = cpu_id & (KMT_STRATA_CPUS - 1);

	return bpf_map_lookup_elem(&samplers, &row);
}

static __always_inline struct kmt_stratum *stratum_of(__u32 cpu_id, __u32 stratum)
{
	__u32 row = (cpu_id & (KMT_STRATA_CPUS - 1)) * KMT_STRATA + stratum;

	return bpf_map_lookup_elem(&strata, &row);
}

/* A hash of 32 bits, because a constant of 32 bits needs no register. */
static __always_inline __u32 stratum_hash(__u32 v, __u32 bits)
{
	return v * 0x61C88647u >> (32 - bits);
}

/* The stratum of a slab object. `what` is its cache, or its size << STRATUM_SIZE. */
#define STRATUM_SIZE 14
static __always_inline __u32 stratum_slab(__u64 site, __u64 what)
{
	return KMT_STRATUM_SLAB + stratum_hash(site ^ what, KMT_STRATA_BITS);
}

/* How many samples fell in this tick, as the number of times that periods are doubled. */
static __always_inline __u32 sample_doublings(struct kmt_cpu *cpu, struct kmt_stratum *s)
{
	__u32 tick = sample_tick;

	if (s->tick != (__u16)tick) {
		s->tick = tick;
		s->in_tick = 0;
	}
	if (cpu->sample_tick != tick) {
		cpu->sample_tick = tick;
		cpu->samples = 0;
	}
	if (s->in_tick < UINT16_MAX)
		s->in_tick++;
	cpu->samples++;
	return (s->in_tick >> (sample_step_bits & 15)) + (cpu->samples >> (sample_cpu_bits & 31));
}

/* The rate of a stratum after this many doublings, where an object of `size` bytes was sampled. */
static __always_inline __u32 sample_rate(__u32 stratum, __u32 doublings, __u64 size)
{
	__u32 rate = stratum_rate[stratum & (KMT_STRATA_ROOM - 1)];

	if (!doublings)
		return rate;
	/* a period far below the size of objects would track nearly all of them still */
	if (rate > KMT_PERIOD_BITS)
		rate = KMT_PERIOD_BITS;
	for (__u32 i = 0; i < KMT_PERIOD_BITS; i++)
		if (size >> (KMT_PERIOD_BITS + 2 - rate))
			rate--;
	return rate > doublings ? rate - doublings : 0;
}

/*
 * Count an allocation down. This is all that happens to one that is not sampled. If it is sampled,
 * the countdown is left as it was, and the function returns true.
 */
static __always_inline bool sample_reached(struct kmt_sampler *c, __u32 stratum, __u64 size)
{
	__s64 left;

	if (!c || stratum >= KMT_STRATA)
		return false;
	left = c->left - (size << c->rate[stratum]);
	if (left <= 0)
		return true;
	c->left = left;
	return false;
}

/* The same. If it returns true, the caller must ask sample_take(), which draws the next countdown.
 */
static __always_inline bool sample_hit_on(__u32 cpu_id, __u32 stratum, __u64 size)
{
	struct kmt_sampler *c = sampler_of(cpu_id);

	if (!sample_reached(c, stratum, size))
		return false;
	c->left = KMT_LEFT_TAKING;
	return true;
}

static __always_inline bool sample_hit(__u32 stratum, __u64 size)
{
	return cfg_exact || sample_hit_on(bpf_get_smp_processor_id(), stratum, size);
}

/*
 * The same for several objects at once. If it returns true, the caller counts them down one by one,
 * or calls sample_begin() and sample_take().
 */
static __always_inline bool sample_may_hit(__u32 stratum, __u64 size)
{
	return cfg_exact || sample_reached(sampler_of(bpf_get_smp_processor_id()), stratum, size);
}

static __always_inline void sample_begin(void)
{
	struct kmt_sampler *c = cfg_exact ? NULL : sampler_of(bpf_get_smp_processor_id());

	if (c)
		c->left = KMT_LEFT_TAKING;
}

/*
 * sample_hit() was true for an allocation of `size` bytes. Returns the period that the sample
 * stands for, KMT_EVERY if every object is tracked. Call it even if the allocation is filtered out
 * later: it draws the next countdown.
 */
GLOBAL int sample_take(__u32 cpu_id, __u32 stratum, __u64 size)
{
	struct kmt_sampler *c = sampler_of(cpu_id);
	struct kmt_stratum *s = stratum_of(cpu_id, stratum);
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	__u32 period, doublings, rate;

	if (!c || !s || !cpu || stratum >= KMT_STRATA)
		return 0;
	period = kmt_period(c->rate[stratum]);
	s->size = size;
	s->samples++;
	s->alloc_bytes += size * kmt_weight(size, period == KMT_EVERY ? 0 : period, cfg_weight);
	doublings = sample_every ? 0 : sample_doublings(cpu, s);
	if (doublings) {
		rate = sample_rate(stratum, doublings, size);
		c->rate[stratum] = rate;
		if (s->longest < KMT_PERIOD_BITS - rate)
			s->longest = KMT_PERIOD_BITS - rate;
	}
	c->left = 1 + (sample_exponential() << (KMT_PERIOD_BITS - 16));
	return period;
}

/*
 * Should an allocation be tracked, for which sample_hit() was true? Sets the period to store in
 * kmt_object (0: every object is tracked).
 */
static __always_inline bool sample_weigh(__u32 cpu_id, __u32 stratum, __u64 size, __u32 *period)
{
	__u32 drawn;

	*period = 0;
	if (cfg_exact)
		return true;
	drawn = sample_take(cpu_id, stratum, size);
	if (drawn != KMT_EVERY)
		*period = drawn;
	return drawn;
}

GLOBAL __u64 sample_weight(__u64 size, __u64 mean)
{
	return kmt_weight(size, mean, cfg_weight);
}

#endif
