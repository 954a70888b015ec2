// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what the programs know of each stratum, and sets the strata's periods. The recorder calls
 * it through tracer.h; bpf/sample.bpf.h is the other side.
 */
#include <math.h>
#include <string.h>

#include "trace/tracer_internal.h"

#define CPU_BITS_LEAST 8
#define CPU_BITS_MOST  20
#define REDRAW         2 /* draw again if a countdown was drawn with a period longer by this factor */

static void stratum_add(struct stratum_counts *sum, const struct kmt_stratum *s)
{
	uint16_t cache = s->cache;

	sum->alloc_bytes += (double)s->alloc_bytes / KMT_ONE;
	sum->held_bytes += (double)s->held_bytes / KMT_ONE;
	sum->samples += s->samples;
	sum->longest = fmax(sum->longest, (double)kmt_long(s->longest));
	if (s->size)
		sum->size = s->size;
	if (cache)
		sum->cache = cache;
}

/* In the order in which they lie in memory: with many CPUs, the rows are many MiB. */
void tracer_strata(const struct tracer *t, struct stratum_counts out[KMT_STRATA])
{
	memset(out, 0, KMT_STRATA * sizeof(*out));
	for (uint32_t cpu = 0; cpu < t->sizes.strata_cpus; cpu++)
		for (uint32_t i = 0; i < KMT_STRATA; i++)
			stratum_add(&out[i], &t->tables.strata[cpu * KMT_STRATA + i]);
}

/*
 * Make a CPU draw a countdown again that would last too long. The program may count it down at the
 * same moment. Then its result stands, without a period: allocations are not sampled until the next
 * tick, which draws again.
 */
static void countdown_redraw(struct kmt_countdown *c, uint32_t period)
{
	struct kmt_countdown was = {.both = __atomic_load_n(&c->both, __ATOMIC_RELAXED)};

	if (was.period ? was.period / REDRAW > period : was.left > 0)
		__atomic_compare_exchange_n(&c->both, &was.both, 0, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
}

void tracer_strata_set(struct tracer *t, const uint32_t *periods, double cpu_samples)
{
	int bits = (int)ceil(log2(fmax(1, cpu_samples)));

	bits = bits < CPU_BITS_LEAST ? CPU_BITS_LEAST : bits > CPU_BITS_MOST ? CPU_BITS_MOST : bits;
	for (uint32_t i = 0; i < KMT_STRATA; i++)
		__atomic_store_n(&t->skel->bss->stratum_period[i], periods[i], __ATOMIC_RELAXED);
	__atomic_store_n(&t->skel->bss->sample_cpu_bits, bits, __ATOMIC_RELAXED);
	__atomic_add_fetch(&t->skel->bss->sample_tick, 1, __ATOMIC_RELEASE);
	for (uint32_t cpu = 0; cpu < t->sizes.strata_cpus; cpu++)
		for (uint32_t i = 0; i < KMT_STRATA; i++)
			countdown_redraw(&t->tables.countdowns[cpu * KMT_STRATA + i], periods[i]);
}

void tracer_sample_every(struct tracer *t, bool every)
{
	__atomic_store_n(&t->skel->bss->sample_every, every, __ATOMIC_RELEASE);
}
