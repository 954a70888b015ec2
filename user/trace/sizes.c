// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decides how much memory the tables may take and divides it: it doubles the table that is furthest
 * below its share until nothing more fits. Called by tracer.c, and through it by `doctor`. Must
 * never read anything from the machine.
 */
#include "trace/sizes.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/units.h"
#include "kmemtrace.h"

#define MiB (1ull << 20)

#define DEFAULT_EXACT   (128 * MiB)
#define DEFAULT_SAMPLED (16 * MiB)
#define MEM_TOTAL_PART  100           /* the default is at most 1 % of the machine, … */
#define MOST_PART       4             /* … and a quarter of what it can spare */
#define FIXED           (MiB / 8 * 5) /* free filter, caches, programs, and the last page of each table */
#define TALLIES_PART    16            /* the per-CPU tallies take at most 1/16 of the memory */
#define STRATA_BYTES    (sizeof(struct kmt_sampler) + KMT_STRATA * sizeof(struct kmt_stratum))
#define GROUP_BYTES     1024 /* recorder memory for one row of a checkpoint */
#define GROUPS_LEAST    2048

/*
 * One table: bytes per row, log2 of the fewest and most rows, and its share of the memory in each
 * mode.
 */
static const struct table_rule {
	size_t bits; /* offset in struct sizes */
	uint32_t row;
	uint32_t least, most;
	uint32_t share[2]; /* sampled, exact */
} rules[] = {
	{offsetof(struct sizes, live_bits), sizeof(struct kmt_bucket), 7, 25, {35, 70}},
	{offsetof(struct sizes, stack_bits),
	 sizeof(struct kmt_stack) + sizeof(struct kmt_traffic),
	 9,
	 15,
	 {38, 18}},
	{offsetof(struct sizes, memo_bits),
	 sizeof(struct kmt_memo) + sizeof(__u64) / KMT_MEMOS_A_HEAD,
	 10,
	 17,
	 {22, 9}},
	{offsetof(struct sizes, process_bits), sizeof(struct kmt_process), 8, 16, {5, 3}},
};
#define RULES      (sizeof(rules) / sizeof(rules[0]))
#define PART_EXTRA (40 << 10) /* extra bytes per part: its first page and its page list */

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
	uint64_t sum = FIXED + cpus * cpu_bytes(s) + (uint64_t)s->strata_cpus * STRATA_BYTES;

	if (s->live_bits > KMT_PART_BITS)
		sum += (uint64_t)PART_EXTRA << (s->live_bits - KMT_PART_BITS);
	for (size_t i = 0; i < RULES; i++)
		sum += rule_bytes(s, &rules[i]);
	return sum;
}

/*
 * Objects that fit in 2^bits buckets. With a third left free, about one object in a thousand finds
 * its four buckets full. (Simulated: 0.02 to 0.3 % of objects of 64 bytes to 1 KiB, 0.4 to 0.8 % if
 * all have 8 or 32 bytes.)
 */
static uint64_t live_of(uint32_t bits)
{
	return ((uint64_t)KMT_KEYS << bits) / 25 * 16;
}

static void smallest(const struct sizes_request *r, struct sizes *s)
{
	*s = (struct sizes){.tallies = 16, .nest = 2};
	if (!r->every)
		s->strata_cpus = r->cpus < KMT_STRATA_CPUS ? r->cpus : KMT_STRATA_CPUS;
	for (size_t i = 0; i < RULES; i++)
		*bits_of(s, &rules[i]) = rules[i].least;
	if (r->max_live) {
		s->live_bits = __builtin_ctz(KMT_NEAR_ROWS);
		while (s->live_bits < rules[0].most && live_of(s->live_bits) < r->max_live)
			s->live_bits++;
	}
	s->bytes = all_bytes(s, r->cpus);
}

/* The table to double next: of those that may grow, the one furthest below its share. */
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

/* The most that the tables may take. */
static uint64_t most_bytes(const struct sizes_request *r)
{
	if (!r->available)
		return UINT64_MAX;
	return r->available > SIZES_PROCESS ? (r->available - SIZES_PROCESS) / 2 : 0;
}

/* The number of objects that fit in `most` bytes if the other tables have their smallest size. */
static uint64_t most_live(struct sizes s, uint64_t most, uint32_t cpus)
{
	uint64_t live = 0;

	for (s.live_bits = rules[0].least; s.live_bits <= rules[0].most; s.live_bits++)
		if (all_bytes(&s, cpus) <= most)
			live = live_of(s.live_bits);
	return live;
}

static uint32_t groups_of(const struct sizes_request *r)
{
	uint64_t groups = most_bytes(r) / 2 / GROUP_BYTES;

	return groups > SIZES_GROUPS_MOST ? SIZES_GROUPS_MOST
	       : groups < GROUPS_LEAST    ? GROUPS_LEAST
					  : groups;
}

/* The default limit. It is raised to what many CPUs or --max-live need anyway. */
static uint64_t default_bytes(const struct sizes_request *r, uint64_t least, uint64_t most)
{
	uint64_t memory = r->exact ? DEFAULT_EXACT : DEFAULT_SAMPLED;

	if (r->mem_total && memory > r->mem_total / MEM_TOTAL_PART)
		memory = r->mem_total / MEM_TOTAL_PART;
	if (memory > most / MOST_PART)
		memory = most / MOST_PART;
	if (memory < 2 * least)
		memory = 2 * least;
	return memory < most ? memory : most;
}

/* Size the per-CPU tables: as large as fits in their part of the memory and in one map. */
static void cpus_plan(const struct sizes_request *r, struct sizes *s)
{
	uint64_t tallies = s->memory / TALLIES_PART < SIZES_MAP_MOST ? s->memory / TALLIES_PART
								     : SIZES_MAP_MOST;

	s->nest = KMT_NEST;
	if (all_bytes(s, r->cpus) > s->memory / 2 ||
	    (uint64_t)r->cpus * KMT_NEST * KMT_SCRATCH > SIZES_MAP_MOST)
		s->nest = 2;
	s->bytes = all_bytes(s, r->cpus);
	while (s->tallies < KMT_TALLIES) {
		uint64_t more = r->cpus * sizeof(struct kmt_tally) * s->tallies;

		if (2 * more > tallies || s->bytes + more > s->memory)
			break;
		s->tallies *= 2;
		s->bytes += more;
	}
}

int sizes_plan(const struct sizes_request *r, struct sizes *out)
{
	const struct table_rule *rule;

	smallest(r, out);
	out->groups = groups_of(r);
	out->most = most_bytes(r);
	out->most_live = most_live(*out, out->most, r->cpus);
	out->memory = r->memory ?: default_bytes(r, out->bytes, out->most);
	out->live = live_of(out->live_bits);
	if (r->memory > out->most || out->bytes > out->most)
		return -ENOMEM;
	if (out->bytes > out->memory || out->live < r->max_live)
		return -E2BIG;
	cpus_plan(r, out);
	while ((rule = poorest(r, out))) {
		++*bits_of(out, rule);
		out->bytes = all_bytes(out, r->cpus);
	}
	out->live = live_of(out->live_bits);
	return 0;
}

/* A size for an option: whole KiB or MiB, rounded up or down. */
static const char *option_size(char buf[UNITS_MAX], uint64_t bytes, bool up)
{
	bool mib = bytes >= 2 * MiB;
	uint64_t unit = mib ? MiB : 1024;

	snprintf(buf, UNITS_MAX, "%llu%c",
		 (unsigned long long)((bytes + (up ? unit - 1 : 0)) / unit), mib ? 'M' : 'K');
	return buf;
}

/* "22.6 GiB are available" */
static void available_say(const struct sizes_request *r, char *buf, size_t size)
{
	char bytes[UNITS_MAX];

	units_bytes(bytes, r->available);
	if (*r->cgroup)
		snprintf(buf, size, "the memory limit of %s leaves %s", r->cgroup, bytes);
	else
		snprintf(buf, size, "%s are available", bytes);
}

void sizes_why(const struct sizes_request *r, const struct sizes *s, int err, char *why,
	       size_t size)
{
	char asked[UNITS_MAX], available[UNITS_MAX + 192], own[UNITS_MAX], option[UNITS_MAX],
		live[2][UNITS_MAX];
	uint64_t least = s->bytes + s->bytes / 64;

	available_say(r, available, sizeof(available));
	units_bytes(own, SIZES_PROCESS);
	units_bytes(asked, r->memory ?: s->bytes);
	units_count(live[0], r->max_live);
	units_count(live[1], s->most_live);
	if (err == -ENOMEM && s->most >= least && r->memory)
		snprintf(
			why, size,
			"--memory %s is more than this host can spare: %s, %s of that for the "
			"recorder itself and half of the rest for its tables; give --memory %s or less",
			asked, available, own, option_size(option, s->most, false));
	else if (err == -ENOMEM && r->max_live && s->most_live)
		snprintf(
			why, size,
			"--max-live %s takes %s, more than this host can spare: %s, %s of that "
			"for the recorder itself and half of the rest for its tables; give --max-live %s or less",
			live[0], asked, available, own, live[1]);
	else if (err == -ENOMEM)
		snprintf(
			why, size,
			"too little memory is left to record: %s, and a recording takes %s and, "
			"for its tables, no more than half of the rest, but at least %s; free some first, or run `kmemtrace "
			"balance`, which takes less and says what holds the memory",
			available, own, asked);
	else if (s->bytes > s->memory && s->most >= least)
		snprintf(why, size, "the tables do not fit in %s: give --memory %s or more%s",
			 asked, option_size(option, least, true),
			 r->max_live ? ", or a smaller --max-live" : "");
	else
		snprintf(why, size, "no table holds %s objects: give --max-live %s or less",
			 live[0], live[1]);
}

bool sizes_retreat(const struct sizes_request *asked, uint64_t failed,
		   struct sizes_request *request)
{
	struct sizes s;

	*request = *asked;
	request->memory = failed / 2;
	return !asked->memory && !sizes_plan(request, &s) && s.bytes < failed;
}
