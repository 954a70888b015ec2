// SPDX-License-Identifier: GPL-2.0-only
/*
 * Retention: a recording that is thinned while it continues must stay a valid capture; what it
 * keeps must be what existed at that time, whatever appeared and disappeared in between; and it
 * must stay below its limit.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample_capture.h"
#include "scratch.h"

static uint64_t hash(uint64_t a, uint64_t b)
{
	uint64_t z = a * 0x9e3779b97f4a7c15 + b * 0xbf58476d1ce4e5b9 + 1;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* The levels at second t: some change each time, some rarely, some appear and disappear. They
 * depend only on t. */
static void snapshot_of(struct snapshot *s, int t)
{
	char name[32];

	*s = (struct snapshot){
		.kind = t ? SNAPSHOT_TICK : SNAPSHOT_START, .t_s = t, .wall_s = 1e9 + t};
	sample_meminfo(s, "MemTotal", 1000000);
	sample_meminfo(s, "Slab", 1000 + t);
	sample_meminfo(s, "Seldom", t / 17);
	for (uint64_t i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "cache_%d", (int)i);
		if (hash(i, (uint64_t)t / 5) % 3) /* it exists for a while */
			sample_slab(s, name, (int64_t)(hash(i, (uint64_t)t / (i + 1)) % 1000), 64,
				    64, 1, 10);
	}
}

static void put_tick(struct capture_writer *w, int t)
{
	struct snapshot s;

	snapshot_of(&s, t);
	assert_int_equal(capture_put_snapshot(w, &s), 0);
	snapshot_free(&s);
}

static void put_interval(struct capture_writer *w, int t, int rows)
{
	struct cap_checkpoint i = {.end_s = t};

	for (int k = 0; k < rows; k++) {
		sample_held(&i, 0, 0, 0, t, 100.0 * t + k)->pool = k % POOLS;
		sample_churn(&i, 0, t, t, 0);
	}
	sample_loss(&i, "lost", t);
	assert_int_equal(capture_put_checkpoint(w, &i), 0);
	free(i.losses.items[0].name);
	ARRAY_FREE(&i.held);
	ARRAY_FREE(&i.churn);
	ARRAY_FREE(&i.losses);
}

static void check_snapshot(const struct snapshot *s)
{
	struct snapshot want;

	snapshot_of(&want, (int)s->t_s);
	assert_int_equal(s->meminfo.nr, want.meminfo.nr);
	for (size_t i = 0; i < want.meminfo.nr; i++)
		assert_int_equal(named_value_get(&s->meminfo, want.meminfo.items[i].name, -1),
				 want.meminfo.items[i].value);
	if (s->slabs.nr != want.slabs.nr)
		fail_msg("%zu caches at %g s, not %zu", s->slabs.nr, s->t_s, want.slabs.nr);
	for (size_t i = 0; i < want.slabs.nr; i++) {
		size_t k = 0;

		while (k < s->slabs.nr && strcmp(s->slabs.items[k].name, want.slabs.items[i].name))
			k++;
		assert_true(k < s->slabs.nr);
		assert_int_equal(s->slabs.items[k].active_objs, want.slabs.items[i].active_objs);
	}
	snapshot_free(&want);
}

static void check_interval(const struct cap_checkpoint *i, size_t rows)
{
	assert_int_equal(i->held.nr, rows);
	assert_int_equal(i->churn.nr, rows);
	for (size_t k = 0; k < rows; k++)
		assert_true(i->held.items[k].bytes == 100 * i->end_s + (double)k);
	assert_int_equal(i->losses.items[0].value, (int64_t)i->end_s);
}

static void kept_rows_are_true_for_their_time(void **state)
{
	char *path = path_of("thinned.kmt");
	struct capture_writer *w;
	struct capture *c;
	double newest = 0, oldest_gap = 0;

	(void)state;
	assert_int_equal(capture_writer_new(path, true, &w), 0);
	assert_int_equal(capture_thin(w), 0); /* nothing there yet */
	for (int t = 0; t <= 300; t++) {
		put_tick(w, t);
		if (t % 10 == 9)
			put_interval(w, t, 5);
		if (t % 50 == 33)
			assert_true(capture_thin(w) > 0);
	}
	assert_int_equal(capture_finish(w), 0);
	assert_int_equal(capture_read(path, &c), 0);
	assert_true(c->complete);
	assert_true(c->nr_snapshots < 150 && c->nr_checkpoints < 20 && c->nr_checkpoints > 5);
	assert_true(c->snapshots[0].t_s == 0 && c->snapshots[c->nr_snapshots - 1].t_s == 300);
	assert_true(c->checkpoints[0].end_s == 9 &&
		    c->checkpoints[c->nr_checkpoints - 1].end_s == 299);
	for (size_t i = 0; i < c->nr_snapshots; i++)
		check_snapshot(&c->snapshots[i]);
	for (size_t i = 0; i < c->nr_checkpoints; i++)
		check_interval(&c->checkpoints[i], 5);
	/* older parts keep less detail */
	oldest_gap = c->snapshots[2].t_s - c->snapshots[1].t_s;
	newest = 300 - c->snapshots[c->nr_snapshots - 2].t_s;
	assert_true(oldest_gap >= 8 * newest);
	capture_free(c);
	free(path);
}

static void a_long_recording_stays_below_its_bound(void **state)
{
	const int64_t bound = 1 << 20;
	char *path = path_of("bounded.kmt");
	struct capture_writer *w;
	struct capture *c;
	struct stat st;
	int thinned = 0;

	(void)state;
	assert_int_equal(capture_writer_new(path, true, &w), 0);
	for (int t = 0; t < 2000; t++) {
		put_tick(w, t);
		if (t % 10)
			continue;
		put_interval(w, t, 200);
		while (capture_size(w) > bound && capture_thin(w) > 0)
			thinned++;
		assert_true(capture_size(w) <= bound);
	}
	assert_int_equal(capture_finish(w), 0);
	assert_int_equal(stat(path, &st), 0);
	print_message("2000 snapshots and 200 intervals, thinned %d times: %lld kB\n", thinned,
		      (long long)st.st_size / 1024);
	assert_true(thinned > 2 && st.st_size < 2 * bound);
	assert_int_equal(capture_read(path, &c), 0);
	for (size_t i = 0; i < c->nr_snapshots; i++)
		check_snapshot(&c->snapshots[i]);
	for (size_t i = 0; i < c->nr_checkpoints; i++)
		check_interval(&c->checkpoints[i], 200);
	capture_free(c);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_rows_are_true_for_their_time),
		cmocka_unit_test(a_long_recording_stays_below_its_bound),
	};

	return cmocka_run_group_tests(tests, scratch_new, scratch_remove);
}
