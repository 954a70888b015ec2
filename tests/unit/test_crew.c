// SPDX-License-Identifier: GPL-2.0-only
/* Threads that scan at the same time: each works once a round, and none is left behind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/crew.h"

#define THREADS 4

struct site {
	atomic_int opened, closed, worked;
	atomic_int at_work, most_at_work;
	int fail_at; /* the thread that cannot open, from 1; 0: none */
	int result;
};

static int site_open(void *arg, void **own)
{
	struct site *s = arg;
	int nr = atomic_fetch_add(&s->opened, 1) + 1;

	if (nr == s->fail_at)
		return -ENOEXEC;
	*own = s;
	return 0;
}

static void site_close(void *own)
{
	atomic_fetch_add(&((struct site *)own)->closed, 1);
}

static int site_work(void *own, void *arg)
{
	struct site *s = own;
	int now = atomic_fetch_add(&s->at_work, 1) + 1;

	if (own != arg)
		return -EINVAL;
	if (now > atomic_load(&s->most_at_work))
		atomic_store(&s->most_at_work, now);
	while (atomic_load(&s->most_at_work) < THREADS)
		usleep(100); /* until all are there: they work at the same time */
	atomic_fetch_sub(&s->at_work, 1);
	return atomic_fetch_add(&s->worked, 1) ? 0 : s->result;
}

static struct crew *site_crew(struct site *s)
{
	const struct crew_kind kind = {.open = site_open, .close = site_close, .arg = s};
	struct crew *c = NULL;

	assert_int_equal(crew_new(&kind, THREADS, &c), 0);
	return c;
}

static void all_threads_work_at_the_same_time_and_all_end(void **state)
{
	struct site s = {0};
	struct crew *c = site_crew(&s);
	int err = -1;

	(void)state;
	assert_int_equal(crew_size(c), THREADS);
	assert_ptr_equal(crew_own(c, THREADS - 1), &s);
	for (int round = 1; round <= 3; round++) {
		crew_begin(c, site_work, &s);
		while (!crew_wait(c, 1, &err))
			;
		assert_int_equal(err, 0);
		assert_int_equal(s.worked, round * THREADS);
	}
	crew_free(c);
	assert_int_equal(s.closed, THREADS);
}

static void an_error_of_one_thread_is_not_lost(void **state)
{
	struct site s = {.result = -EIO};
	struct crew *c = site_crew(&s);
	int err = 0;

	(void)state;
	crew_begin(c, site_work, &s);
	while (!crew_wait(c, 1, &err))
		;
	assert_int_equal(err, -EIO);
	crew_begin(c, site_work, &s); /* the next round is not blamed for it */
	while (!crew_wait(c, 1, &err))
		;
	assert_int_equal(err, 0);
	crew_free(c);
}

static void a_thread_that_cannot_begin_leaves_none_behind(void **state)
{
	struct site s = {.fail_at = 2};
	const struct crew_kind kind = {.open = site_open, .close = site_close, .arg = &s};
	struct crew *c = NULL;

	(void)state;
	assert_int_equal(crew_new(&kind, THREADS, &c), -ENOEXEC);
	assert_null(c);
	assert_int_equal(s.opened, THREADS);
	assert_int_equal(s.closed, THREADS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_threads_work_at_the_same_time_and_all_end),
		cmocka_unit_test(an_error_of_one_thread_is_not_lost),
		cmocka_unit_test(a_thread_that_cannot_begin_leaves_none_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
