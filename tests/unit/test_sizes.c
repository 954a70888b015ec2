// SPDX-License-Identifier: GPL-2.0-only
/* The tables respect the memory limit on any machine. What a user would lose: the host. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kmemtrace.h"
#include "trace/sizes.h"

#define MiB (1ull << 20)
#define GiB (1ull << 30)

static void the_limit_is_kept_and_used(void **state)
{
	static const uint32_t cpus[] = {1, 2, 8, 64, 512, 8192};

	(void)state;
	for (size_t c = 0; c < sizeof(cpus) / sizeof(cpus[0]); c++)
		for (uint64_t memory = 2 * MiB; memory <= 8 * GiB; memory += memory / 3)
			for (int exact = 0; exact < 2; exact++) {
				struct sizes_request r = {
					.memory = memory, .cpus = cpus[c], .exact = exact};
				struct sizes s;

				if (sizes_plan(&r, &s)) {
					assert_true(s.bytes > memory);
					continue;
				}
				assert_true(s.bytes <= memory);
				/* doubling leaves at most half unused, until the tables have their
				 * maximum size */
				if (memory <= 256 * MiB)
					assert_true(s.bytes > memory / 2);
			}
}

static void many_cpus_do_not_multiply_the_tables(void **state)
{
	struct sizes_request r = {.memory = 32 * MiB, .cpus = 512};
	struct sizes s;

	(void)state;
	assert_int_equal(sizes_plan(&r, &s), 0);
	assert_true(s.stack_bits >= 12);
	assert_true(s.tallies * 512 * sizeof(struct kmt_tally) <= 32 * MiB / 8);
}

static void a_default_is_at_most_a_hundredth_of_the_machine(void **state)
{
	static const struct {
		uint32_t cpus;
		uint64_t mem_total;
	} machines[] = {{1, 1 * GiB},
			{2, 4 * GiB},
			{64, 256 * GiB},
			{512, 2048 * GiB},
			{8192, 16384 * GiB}};

	(void)state;
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		for (int exact = 0; exact < 2; exact++) {
			struct sizes_request r = {.cpus = machines[i].cpus,
						  .mem_total = machines[i].mem_total,
						  .exact = exact};
			struct sizes s;

			assert_int_equal(sizes_plan(&r, &s), 0);
			assert_true(s.bytes <= machines[i].mem_total / 100);
			if (machines[i].cpus <= 64)
				assert_true(s.bytes <= (exact ? 128 : 16) * MiB);
		}
}

static void as_many_objects_as_asked_for_or_an_error(void **state)
{
	struct sizes_request r = {.cpus = 2, .exact = true, .mem_total = 24 * GiB};
	struct sizes s;

	(void)state;
	for (r.max_live = 1; r.max_live <= 64 << 20; r.max_live = r.max_live * 3 + 1) {
		assert_int_equal(sizes_plan(&r, &s), 0);
		assert_true(s.live >= r.max_live);
	}
	r.memory = 16 * MiB;
	r.max_live = 1000000;
	assert_int_equal(sizes_plan(&r, &s), -E2BIG);
	assert_true(s.bytes > r.memory); /* the message names the required size */
}

static void a_million_objects_and_20000_paths_fit_an_exact_default(void **state)
{
	struct sizes_request r = {.cpus = 8, .exact = true, .mem_total = 64 * GiB};
	struct sizes s;

	(void)state;
	assert_int_equal(sizes_plan(&r, &s), 0);
	assert_true(s.live >= 1000000);
	assert_true((1u << s.stack_bits) > 20000);
}

static void a_default_takes_little_of_what_is_left(void **state)
{
	static const uint64_t available[] = {31, 40, 64, 100, 200, 1000, 20000};
	static const uint32_t cpus[] = {1, 4, 64, 512};

	(void)state;
	for (size_t c = 0; c < sizeof(cpus) / sizeof(cpus[0]); c++)
		for (size_t i = 0; i < sizeof(available) / sizeof(available[0]); i++)
			for (int exact = 0; exact < 2; exact++) {
				struct sizes_request r = {.cpus = cpus[c],
							  .exact = exact,
							  .mem_total = 256 * GiB,
							  .available = available[i] * MiB};
				uint64_t room = (r.available - SIZES_PROCESS) / 2;
				struct sizes s;
				int err = sizes_plan(&r, &s);

				assert_int_equal(s.most, room);
				if (err) {
					/* only if the smallest tables do not fit */
					assert_int_equal(err, -ENOMEM);
					assert_true(s.bytes > room);
					continue;
				}
				assert_true(s.bytes <= room);
				/* a quarter, unless the smallest tables need more */
				assert_true(s.bytes <= room / 4 || cpus[c] >= 64 ||
					    available[i] <= 40);
				assert_true(s.groups * 1024ull <= room || s.groups <= 2048);
			}
}

static void every_host_with_40_MiB_left_can_be_recorded(void **state)
{
	struct sizes_request r = {.cpus = 4, .mem_total = 64 * GiB, .available = 40 * MiB};
	struct sizes s;

	(void)state;
	assert_int_equal(sizes_plan(&r, &s), 0);
	assert_true(s.live >= 1000);
	r.cpus = 64;
	assert_int_equal(sizes_plan(&r, &s), 0);
	r.cpus = 512;
	r.available = 88 * MiB;
	assert_int_equal(sizes_plan(&r, &s), 0);
}

/* `--memory 100G` silently took 8 GiB. */
static void more_than_the_host_can_spare_is_refused_with_what_fits(void **state)
{
	struct sizes_request r = {
		.cpus = 2, .exact = true, .mem_total = 24 * GiB, .available = 20 * GiB};
	char why[512];
	struct sizes s;

	(void)state;
	r.memory = 100 * GiB;
	assert_int_equal(sizes_plan(&r, &s), -ENOMEM);
	sizes_why(&r, &s, -ENOMEM, why, sizeof(why));
	assert_string_equal(
		why,
		"--memory 100.0 GiB is more than this host can spare: 20.0 GiB are available, 28.0 MiB of that "
		"for the recorder itself and half of the rest for its tables; give --memory 10226M or less");
	r.memory = 10226 * MiB;
	assert_int_equal(sizes_plan(&r, &s), 0);
	r.memory = 10227 * MiB;
	assert_int_equal(sizes_plan(&r, &s), -ENOMEM);

	r.memory = 0;
	r.available = 150 * MiB;
	r.max_live = 1000000;
	assert_int_equal(sizes_plan(&r, &s), -ENOMEM);
	sizes_why(&r, &s, -ENOMEM, why, sizeof(why));
	assert_non_null(strstr(why, "--max-live 1,000,000 takes 65."));
	assert_non_null(strstr(why, "give --max-live "));
	r.max_live = s.most_live;
	assert_int_equal(sizes_plan(&r, &s), 0);
	r.max_live++;
	assert_int_equal(sizes_plan(&r, &s), -ENOMEM);

	r.max_live = 0;
	r.available = 20 * MiB;
	snprintf(r.cgroup, sizeof(r.cgroup), "/sys/fs/cgroup/pod");
	assert_int_equal(sizes_plan(&r, &s), -ENOMEM);
	sizes_why(&r, &s, -ENOMEM, why, sizeof(why));
	assert_non_null(strstr(
		why,
		"too little memory is left to record: the memory limit of /sys/fs/cgroup/pod leaves 20.0 MiB,"));
	assert_non_null(strstr(why, "kmemtrace balance"));
}

static void every_advised_size_is_accepted(void **state)
{
	(void)state;
	for (uint32_t cpus = 1; cpus <= 8192; cpus *= 2) {
		struct sizes_request r = {.cpus = cpus, .memory = 64 << 10, .available = 8 * GiB};
		char why[512], *advice;
		struct sizes s;

		assert_int_equal(sizes_plan(&r, &s), -E2BIG);
		sizes_why(&r, &s, -E2BIG, why, sizeof(why));
		advice = strstr(why, "--memory ");
		assert_non_null(advice);
		r.memory = strtoull(advice + strlen("--memory "), &advice, 10);
		r.memory <<= *advice == 'M' ? 20 : 10;
		assert_int_equal(sizes_plan(&r, &s), 0);
		r.memory = 0;
		r.max_live = UINT32_MAX;
		assert_int_equal(sizes_plan(&r, &s), -ENOMEM);
		r.max_live = s.most_live;
		assert_int_equal(sizes_plan(&r, &s), 0);
	}
}

/* Making a map stalls a CPU: 128 ms for 32 MiB at the worst that was measured. */
static void no_map_is_larger_than_may_be_made_at_once(void **state)
{
	(void)state;
	for (uint32_t cpus = 1; cpus <= 4096; cpus *= 2)
		for (uint64_t memory = 64 * MiB; memory <= 64 * GiB; memory *= 2)
			for (int exact = 0; exact < 2; exact++) {
				struct sizes_request r = {
					.memory = memory, .cpus = cpus, .exact = exact};
				struct sizes s;

				assert_int_equal(sizes_plan(&r, &s), 0);
				assert_true(sizeof(struct kmt_bucket) << KMT_PART_BITS <=
					    SIZES_MAP_MOST);
				assert_true(sizeof(struct kmt_stack) << s.stack_bits <=
					    SIZES_MAP_MOST);
				assert_true(sizeof(struct kmt_memo) << s.memo_bits <=
					    SIZES_MAP_MOST);
				assert_true(sizeof(struct kmt_process) << s.process_bits <=
					    SIZES_MAP_MOST);
				assert_true((uint64_t)cpus * s.tallies * sizeof(struct kmt_tally) <=
					    SIZES_MAP_MOST);
				assert_true((uint64_t)cpus * s.nest * KMT_SCRATCH <=
					    SIZES_MAP_MOST);
			}
}

static void less_is_requested_if_memory_is_short(void **state)
{
	struct sizes_request asked = {.cpus = 2,
				      .exact = true,
				      .mem_total = 24 * GiB,
				      .available = 20 * GiB},
			     r;
	struct sizes s;
	int tries = 0;

	(void)state;
	assert_int_equal(sizes_plan(&asked, &s), 0);
	while (sizes_retreat(&asked, s.bytes, &r)) {
		uint64_t failed = s.bytes;

		assert_int_equal(sizes_plan(&r, &s), 0);
		assert_true(s.bytes <= failed / 2);
		assert_true(++tries < 20);
	}
	assert_true(tries > 3 && s.bytes < 4 * MiB);
	/* a requested size or number of objects is not silently reduced */
	asked.memory = 128 * MiB;
	assert_false(sizes_retreat(&asked, 128 * MiB, &r));
	asked.memory = 0;
	asked.max_live = 1000000;
	assert_int_equal(sizes_plan(&asked, &s), 0);
	while (sizes_retreat(&asked, s.bytes, &r)) {
		assert_int_equal(sizes_plan(&r, &s), 0);
		assert_true(s.live >= asked.max_live);
	}
}

/* Strata are read with each allocation: they must stay in a CPU's second-level cache. */
static void strata_take_at_most_64_KiB_of_a_cpu(void **state)
{
	const uint64_t cpu = sizeof(struct kmt_sampler) + KMT_STRATA * sizeof(struct kmt_stratum);

	(void)state;
	assert_true(cpu <= 64 << 10);
	/* a map of each kind is not larger than a map may be */
	assert_true(KMT_STRATA_CPUS * KMT_STRATA * sizeof(struct kmt_stratum) <= SIZES_MAP_MOST);
	for (uint32_t cpus = 1; cpus <= 8192; cpus *= 2) {
		struct sizes_request r = {
			.cpus = cpus, .mem_total = cpus * GiB, .available = cpus * GiB / 4};
		struct sizes sampled, exact;

		assert_int_equal(sizes_plan(&r, &sampled), 0);
		assert_true(sampled.strata_cpus == cpus || sampled.strata_cpus == KMT_STRATA_CPUS);
		assert_true(sampled.strata_cpus * cpu < sampled.bytes);
		assert_true(sampled.live >= 1000); /* the live table is not starved for them */
		r.exact = r.every = true;
		assert_int_equal(sizes_plan(&r, &exact), 0);
		assert_int_equal(exact.strata_cpus, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_is_kept_and_used),
		cmocka_unit_test(many_cpus_do_not_multiply_the_tables),
		cmocka_unit_test(a_default_is_at_most_a_hundredth_of_the_machine),
		cmocka_unit_test(as_many_objects_as_asked_for_or_an_error),
		cmocka_unit_test(a_million_objects_and_20000_paths_fit_an_exact_default),
		cmocka_unit_test(a_default_takes_little_of_what_is_left),
		cmocka_unit_test(every_host_with_40_MiB_left_can_be_recorded),
		cmocka_unit_test(more_than_the_host_can_spare_is_refused_with_what_fits),
		cmocka_unit_test(every_advised_size_is_accepted),
		cmocka_unit_test(no_map_is_larger_than_may_be_made_at_once),
		cmocka_unit_test(less_is_requested_if_memory_is_short),
		cmocka_unit_test(strata_take_at_most_64_KiB_of_a_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
