/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Poisson sampling by bytes, in strata. Allocations that are likely to live alike are one stratum:
 * those of one call site and cache. On average, one sample is taken for every `period` bytes
 * allocated in a stratum, so an object of s bytes is sampled with probability 1 − e^(−s/period),
 * whatever was allocated before it. The loader sets the period of each stratum: short where objects
 * stay, long where they are freed at once (user/record/strata.c). The programs of each pool count
 * an allocation down first; this must stay cheap for one that is not sampled.
 *
 * Each CPU counts down an exponentially distributed number of bytes for each stratum. The
 * exponential distribution is memoryless, so a fresh draw is exact at any time: after a sample, in
 * place of a countdown that ran too far, and when the loader asks for one. Each sample carries the
 * period that it was drawn with. So sums stay unbiased, whatever the periods did, and also if two
 * call sites share a stratum.
 *
 * A burst can come faster than the loader turns. So a stratum doubles its period each time that it
 * has taken 2^sample_step_bits samples within one tick of the loader, and a CPU doubles the periods
 * of all its strata after 2^sample_cpu_bits samples.
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
	__type(value, struct kmt_countdown);
} countdowns SEC(".maps") WEAK; /* KMT_STRATA rows for each CPU */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmt_stratum);
} strata SEC(".maps") WEAK; /* the same rows */

static __always_inline struct kmt_countdown *countdown_of(__u32 cpu_id, __u32 stratum)
{
	__u32 row = (cpu_id & (KMT_STRATA_CPUS - 1)) * KMT_STRATA + stratum;

	return bpf_map_lookup_elem(&countdowns, &row);
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

/* The mean of the next countdown. */
static __always_inline __u32 sample_period(struct kmt_cpu *cpu, struct kmt_stratum *s,
					   __u32 stratum, __u64 size)
{
	__u32 tick = sample_tick, shift;
	__u64 mean;

	if (sample_every)
		return KMT_EVERY;
	if (s->tick != (__u16)tick) {
		s->tick = tick;
		s->in_tick = 0;
	}
	if (cpu->sample_tick != tick) {
		cpu->sample_tick = tick;
		cpu->samples = 0;
	}
	shift = (s->in_tick >> (sample_step_bits & 15)) + (cpu->samples >> (sample_cpu_bits & 31));
	if (s->in_tick < UINT16_MAX)
		s->in_tick++;
	cpu->samples++;
	mean = stratum_period[stratum & (KMT_STRATA_ROOM - 1)];
	if (!shift)
		return mean;
	if (shift > 20)
		shift = 20;
	mean = (mean > size / 2 ? mean : size / 2) << shift;
	return mean < KMT_PERIOD_MOST ? mean : KMT_PERIOD_MOST;
}

/* Draw the next countdown of a stratum, in which an object of `size` bytes was allocated. */
static __always_inline void sample_draw(struct kmt_cpu *cpu, struct kmt_countdown *c,
					struct kmt_stratum *s, __u32 stratum, __u64 size)
{
	struct kmt_countdown next = {};
	__u32 mean = sample_period(cpu, s, stratum, size);
	__u64 left;

	next.period = mean;
	/* also if no sample comes of it: what was missed meanwhile was missed at this period */
	if (mean >= kmt_long(s->longest) + (kmt_long(s->longest) >> 9))
		s->longest = kmt_short(mean);
	if (mean != KMT_EVERY) {
		left = 1 + ((sample_exponential() * mean) >> 16);
		if (left > KMT_LEFT_MOST) {
			left = KMT_LEFT_MOST;
			next.period = 0;
		}
		next.left = left;
	}
	*(volatile __u64 *)&c->both = next.both;
}

/*
 * Count an allocation down. This is all that happens to one that is not sampled. True if it may be
 * sampled: the caller then asks sample_take(). Where every object of a stratum is tracked, the
 * countdown stays at 0 or below.
 */
static __always_inline bool sample_hit_on(__u32 cpu_id, __u32 stratum, __u64 size)
{
	struct kmt_countdown *c = countdown_of(cpu_id, stratum);

	if (!c)
		return false;
	c->left -= size;
	return c->left <= 0;
}

/* Undo a countdown, because the caller counts the same bytes down again in smaller parts. */
static __always_inline void sample_undo(__u32 cpu_id, __u32 stratum, __u64 size)
{
	struct kmt_countdown *c = countdown_of(cpu_id, stratum);

	if (c)
		c->left += size;
}

static __always_inline bool sample_hit(__u32 stratum, __u64 size)
{
	return cfg_exact || sample_hit_on(bpf_get_smp_processor_id(), stratum, size);
}

/*
 * sample_hit() was true for an allocation of `size` bytes. Returns the period that the sample
 * stands for, KMT_EVERY if every object is tracked, or 0 if this one is not to be tracked. Call it
 * even if the allocation is filtered out later: it draws the next countdown.
 */
GLOBAL int sample_take(__u32 cpu_id, __u32 stratum, __u64 size)
{
	struct kmt_countdown *c = countdown_of(cpu_id, stratum);
	struct kmt_stratum *s = stratum_of(cpu_id, stratum);
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	__u32 drawn;

	if (!c || !s || !cpu)
		return 0;
	if (!c->period) {
		sample_draw(cpu, c, s, stratum, size);
		c->left -= size;
		if (c->left > 0)
			return 0;
	}
	drawn = c->period;
	s->size = size;
	s->samples++;
	s->alloc_bytes += size * kmt_weight(size, drawn == KMT_EVERY ? 0 : drawn, cfg_weight);
	sample_draw(cpu, c, s, stratum, size);
	return drawn;
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
