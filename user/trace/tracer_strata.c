// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what the programs know of each stratum, and sets the strata's periods. The recorder calls
 * it through tracer.h; bpf/sample.bpf.h is the other side.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "trace/tracer_internal.h"

#define CPU_BITS_LEAST 8
#define CPU_BITS_MOST  20

static void stratum_add(struct stratum_counts *sum, const struct kmt_stratum *s)
{
	uint16_t cache = s->cache;

	sum->alloc_bytes += (double)s->alloc_bytes / KMT_ONE;
	sum->held_bytes += (double)s->held_bytes / KMT_ONE;
	sum->samples += s->samples;
	if (s->longest)
		sum->longest = fmax(sum->longest, exp2(s->longest));
	if (s->size)
		sum->size = s->size;
	if (cache)
		sum->cache = cache;
}

/* In the order in which they lie in memory: with many CPUs, the rows are many MiB. */
void tracer_strata(const struct tracer *t, struct stratum_counts out[KMT_STRATA])
{
	memset(out, 0, KMT_STRATA * sizeof(*out));
	for (uint32_t i = 0; i < KMT_STRATA; i++)
		out[i].longest = t->longest[i];
	for (uint32_t cpu = 0; cpu < t->sizes.strata_cpus; cpu++)
		for (uint32_t i = 0; i < KMT_STRATA; i++)
			stratum_add(&out[i], &t->tables.strata[cpu * KMT_STRATA + i]);
}

/* What a period is as a rate of kmt_sampler. */
static uint8_t rate_of(uint32_t period)
{
	return period > KMT_EVERY ? KMT_PERIOD_BITS - lrint(log2(period)) : KMT_RATE_EVERY;
}

/*
 * A CPU's rates, and a fresh draw of its countdown: at the start it has none. If a program counts
 * down at the same moment, its result may stand, which is as good.
 */
static void sampler_set(struct tracer *t, struct kmt_sampler *s, const uint8_t *rates)
{
	double u = ((double)(random_next(&t->random) >> 11) + 0.5) / (1ull << 53);

	memcpy(s->rate, rates, KMT_STRATA);
	__atomic_store_n(&s->left, 1 + (int64_t)(-log(u) * KMT_PERIOD_MOST), __ATOMIC_RELAXED);
}

void tracer_strata_set(struct tracer *t, const uint32_t *periods, double cpu_samples)
{
	int bits = (int)ceil(log2(fmax(1, cpu_samples)));
	uint8_t rates[KMT_STRATA];

	bits = bits < CPU_BITS_LEAST ? CPU_BITS_LEAST : bits > CPU_BITS_MOST ? CPU_BITS_MOST : bits;
	if (!t->random)
		t->random = clock_ns() | 1;
	for (uint32_t i = 0; i < KMT_STRATA; i++) {
		rates[i] = rate_of(periods ? periods[i] : KMT_EVERY);
		__atomic_store_n(&t->skel->bss->stratum_rate[i], rates[i], __ATOMIC_RELAXED);
		if (t->longest[i] < t->period[i])
			t->longest[i] = t->period[i];
		t->period[i] = kmt_period(rates[i]);
	}
	__atomic_store_n(&t->skel->bss->sample_cpu_bits, bits, __ATOMIC_RELAXED);
	__atomic_store_n(&t->skel->bss->sample_every, !periods, __ATOMIC_RELAXED);
	__atomic_add_fetch(&t->skel->bss->sample_tick, 1, __ATOMIC_RELEASE);
	for (uint32_t cpu = 0; cpu < t->sizes.strata_cpus; cpu++)
		sampler_set(t, &t->tables.samplers[cpu], rates);
}
