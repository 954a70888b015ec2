// SPDX-License-Identifier: GPL-2.0-only
/* The tables keep to the limit on memory whatever the machine: losing this would lose a user's
 * host. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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
				/* doubling leaves at most half of it unused, until the tables are
				 * at their largest */
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
	assert_true(s.bytes > r.memory); /* what it would take is said */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_is_kept_and_used),
		cmocka_unit_test(many_cpus_do_not_multiply_the_tables),
		cmocka_unit_test(a_default_is_at_most_a_hundredth_of_the_machine),
		cmocka_unit_test(as_many_objects_as_asked_for_or_an_error),
		cmocka_unit_test(a_million_objects_and_20000_paths_fit_an_exact_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
