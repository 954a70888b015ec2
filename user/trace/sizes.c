// SPDX-License-Identifier: GPL-2.0-only
/* Divides memory among the tables: doubles the one that has least of its share until nothing more
 * fits. */
#include "trace/sizes.h"

#include <errno.h>
#include <stddef.h>

#include "kmemtrace.h"

#define MiB (1ull << 20)

#define DEFAULT_EXACT   (128 * MiB)
#define DEFAULT_SAMPLED (16 * MiB)
#define MEM_TOTAL_PART  100           /* the default is at most 1 % of the machine */
#define FIXED           (MiB / 8 * 5) /* filter, countdowns, caches, programs, and each table's last page */
#define TALLIES_PART    16            /* the CPUs' tallies take at most this part of the memory */

/* One table: bytes of a row, the least and most rows (log2), its share of the memory in each mode.
 */
static const struct table_rule {
	size_t bits; /* where in struct sizes */
	uint32_t row;
	uint32_t least, most;
	uint32_t share[2]; /* sampled, exact */
} rules[] = {
	{offsetof(struct sizes, live_bits), sizeof(struct kmt_bucket), 7, 25, {35, 70}},
	{offsetof(struct sizes, stack_bits),
	 sizeof(struct kmt_stack) + sizeof(struct kmt_traffic),
	 9,
	 17,
	 {38, 18}},
	{offsetof(struct sizes, memo_bits),
	 sizeof(struct kmt_memo) + sizeof(__u64) / KMT_MEMOS_A_HEAD,
	 10,
	 18,
	 {22, 9}},
	{offsetof(struct sizes, process_bits), sizeof(struct kmt_process), 8, 16, {5, 3}},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

static uint32_t *bits_of(struct sizes *s, const struct table_rule *rule)
{
	return (uint32_t *)((char *)s + rule->bits);
}

static uint64_t rule_bytes(struct sizes *s, const struct table_rule *rule)
{
	return (uint64_t)rule->row << *bits_of(s, rule);
}

static uint64_t cpu_bytes(const struct sizes *s)
{
	return sizeof(struct kmt_cpu) + s->nest * (uint64_t)KMT_SCRATCH +
	       s->tallies * sizeof(struct kmt_tally);
}

static uint64_t all_bytes(struct sizes *s, uint32_t cpus)
{
	uint64_t sum = FIXED + cpus * cpu_bytes(s);

	for (size_t i = 0; i < RULES; i++)
		sum += rule_bytes(s, &rules[i]);
	return sum;
}

/*
 * Objects that fit in 2^bits buckets: with a third left free, one in thousands finds its four
 * buckets full. (Simulated: 0.02 to 0.3 % of objects of 64 bytes to 1 KiB, 0.4 to 0.8 % where all
 * are of 8 or of 32 bytes.)
 */
static uint64_t live_of(uint32_t bits)
{
	return ((uint64_t)KMT_KEYS << bits) / 25 * 16;
}

static void smallest(const struct sizes_request *r, struct sizes *s)
{
	*s = (struct sizes){.tallies = 16, .nest = 2};
	for (size_t i = 0; i < RULES; i++)
		*bits_of(s, &rules[i]) = rules[i].least;
	if (r->max_live) {
		s->live_bits = __builtin_ctz(KMT_NEAR_ROWS);
		while (s->live_bits < rules[0].most && live_of(s->live_bits) < r->max_live)
			s->live_bits++;
	}
	s->bytes = all_bytes(s, r->cpus);
}

/* The table to double next: the one with least of its share, of those that may still grow. */
static const struct table_rule *poorest(const struct sizes_request *r, struct sizes *s)
{
	const struct table_rule *best = NULL;
	uint64_t best_part = 0;

	for (size_t i = 0; i < RULES; i++) {
		uint64_t part = rule_bytes(s, &rules[i]) / rules[i].share[r->exact];

		if (*bits_of(s, &rules[i]) >= rules[i].most || (r->max_live && !rules[i].bits) ||
		    s->bytes + rule_bytes(s, &rules[i]) > s->memory)
			continue;
		if (!best || part < best_part) {
			best = &rules[i];
			best_part = part;
		}
	}
	return best;
}

int sizes_plan(const struct sizes_request *r, struct sizes *out)
{
	const struct table_rule *rule;

	smallest(r, out);
	out->memory = r->memory;
	if (!r->memory) {
		out->memory = r->exact ? DEFAULT_EXACT : DEFAULT_SAMPLED;
		if (r->mem_total && out->memory > r->mem_total / MEM_TOTAL_PART)
			out->memory = r->mem_total / MEM_TOTAL_PART;
		/* what many CPUs need by themselves, or was asked for by number, is given */
		if (out->memory < 2 * out->bytes)
			out->memory = 2 * out->bytes;
	}
	out->live = live_of(out->live_bits);
	if (out->bytes > out->memory || out->live < r->max_live)
		return -E2BIG;
	out->nest = KMT_NEST;
	if (all_bytes(out, r->cpus) > out->memory / 2)
		out->nest = 2;
	while (out->tallies < KMT_TALLIES &&
	       r->cpus * sizeof(struct kmt_tally) * out->tallies * 2 <= out->memory / TALLIES_PART)
		out->tallies *= 2;
	out->bytes = all_bytes(out, r->cpus);
	while ((rule = poorest(r, out))) {
		++*bits_of(out, rule);
		out->bytes = all_bytes(out, r->cpus);
	}
	out->live = live_of(out->live_bits);
	return 0;
}
