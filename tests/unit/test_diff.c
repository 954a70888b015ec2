// SPDX-License-Identifier: GPL-2.0-only
/*
 * A comparison must find planted growth, with the rate inside its interval; must report nothing if
 * nothing changed; and must recognise the same thing on another boot, host and kernel.
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "diff_pair.h"
#include "golden.h"
#include "findings/growth_limit.h"
#include "model/confidence.h"
#include "model/time_range.h"

static bool says(const struct pair *p, const char *phrase)
{
	for (size_t i = 0; i < p->said.verdict.nr; i++)
		if (strstr(p->said.verdict.items[i], phrase))
			return true;
	for (size_t i = 0; i < p->said.notes.nr; i++)
		if (strstr(p->said.notes.items[i], phrase))
			return true;
	return false;
}

static const struct diff_row *level(const struct diff *d, enum profile_section section,
				    const char *name)
{
	for (size_t i = 0; i < d->sections[section].nr; i++)
		if (!strcmp(diff_row_name(&d->sections[section].items[i]), name))
			return &d->sections[section].items[i];
	fail_msg("no row %s", name);
	return NULL;
}

/* The limit: at most one in twenty comparisons of equal workloads may report anything. */
static void equal_workloads_report_nothing(void **state)
{
	static const struct workload kinds[] = {
		{.period = 524288, .seconds = 10, .paths = 300, .churn = 200e6},
		{.period = 65536, .seconds = 10, .paths = 300, .churn = 200e6},
		{.period = 0, .seconds = 10, .paths = 100, .churn = 20e6},
		{.period = 524288, .seconds = 600, .paths = 2000, .churn = 50e6},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		int alarms = 0, runs = 100;

		for (int i = 0; i < runs; i++) {
			struct workload a = kinds[k], b = kinds[k];
			struct pair p;

			a.seed = (uint64_t)(2 * i + 1);
			b.seed = (uint64_t)(2 * i + 2);
			compare(&p, workload_record(&a), workload_record(&b));
			for (int s = 0; s < PROFILE_SECTIONS; s++)
				if (p.d.sections[s].changed) {
					alarms++;
					break;
				}
			pair_free(&p);
		}
		print_message(
			"%d of %d like comparisons (%d paths, %.0f s, period %.0f) report a change\n",
			alarms, runs, kinds[k].paths, kinds[k].seconds, kinds[k].period);
		assert_true(alarms <= runs / 20);
	}
}

/* Planted growth at several rates next to 200 MB/s of churn is found, comes first, and its rate is
 * in the interval. */
static void planted_growth_is_first_at_its_rate(void **state)
{
	/* 1 MB/s gives 19 samples in 10 s. In 3 of 100 recordings there are too few to distinguish
	 * it from chance */
	static const struct {
		double rate, found;
	} t[] = {{1e6, 0.93}, {2e6, 1}, {10e6, 1}, {50e6, 1}};

	(void)state;
	for (size_t k = 0; k < sizeof(t) / sizeof(t[0]); k++) {
		int covered = 0, found = 0, runs = 60;

		for (int i = 0; i < runs; i++) {
			struct workload w = {.period = 524288,
					     .seconds = 10,
					     .paths = 300,
					     .churn = 200e6,
					     .seed = (uint64_t)(2 * i + 1)};
			struct capture *base = workload_record(&w);
			const struct diff_row *top;
			struct pair p;

			w.seed++;
			w.leak = t[k].rate;
			compare(&p, base, workload_record(&w));
			top = &p.d.sections[PROFILE_GROWTH].items[0];
			assert_non_null(
				strstr(diff_row_key(top), "site_1000000")); /* first in any case */
			assert_string_equal(top->new_->cache, "kmalloc-1k");
			found += top->growth.status == DIFF_NEW && says(&p, "site_1000000");
			covered += top->growth.low <= t[k].rate && t[k].rate <= top->growth.high;
			pair_free(&p);
		}
		print_message(
			"%.0f MB/s planted: first in all %d, reported in %d, its rate within the interval in %d\n",
			t[k].rate / 1e6, runs, found, covered);
		assert_true(found >= t[k].found * runs);
		assert_true(covered >= runs * 85 / 100); /* 95 %, minus the error of 60 runs */
	}
}

/* A leak that continues as before is not reported; one that doubles is. */
static void growth_is_compared_with_growth(void **state)
{
	struct workload w = {
		.period = 65536, .seconds = 20, .paths = 50, .churn = 10e6, .leak = 2e6, .seed = 1};
	struct capture *base = workload_record(&w);
	struct pair p;

	(void)state;
	w.seed = 2;
	compare(&p, base, workload_record(&w));
	assert_int_equal(p.d.sections[PROFILE_GROWTH].changed, 0);
	pair_free(&p);
	w.seed = 1;
	base = workload_record(&w);
	w.seed = 3;
	w.leak *= 2;
	compare(&p, base, workload_record(&w));
	assert_int_equal(p.d.sections[PROFILE_GROWTH].items[0].growth.status, DIFF_GROWN);
	assert_true(fabs(p.d.sections[PROFILE_GROWTH].items[0].growth.delta / 2e6 - 1) < 0.3);
	pair_free(&p);
	w.seed = 4;
	base = workload_record(&w);
	w.seed = 5;
	w.leak = 0;
	compare(&p, base, workload_record(&w));
	assert_int_equal(p.d.sections[PROFILE_GROWTH].items[0].growth.status, DIFF_GONE);
	pair_free(&p);
}

/* Captures of different lengths are compared by rates. */
static void recordings_of_different_length_compare(void **state)
{
	struct workload a = {.period = 65536,
			     .seconds = 100,
			     .paths = 50,
			     .churn = 10e6,
			     .leak = 2e6,
			     .seed = 1};
	struct workload b = a;
	struct pair p;

	(void)state;
	b.seconds = 20;
	b.seed = 2;
	compare(&p, workload_record(&a), workload_record(&b));
	assert_int_equal(p.d.sections[PROFILE_GROWTH].changed, 0);
	assert_true(says(&p, "Rates are compared"));
	pair_free(&p);
}

static void other_kernels_have_the_same_paths_and_caches(void **state)
{
	struct workload a = {.period = 0,
			     .seconds = 10,
			     .paths = 40,
			     .churn = 4e6,
			     .leak = 1e6,
			     .seed = 1,
			     .boot = "a"};
	struct workload b = a;
	const struct diff_row *row;
	struct pair p;

	(void)state;
	b.other_kernel = true;
	b.boot = "b";
	b.seed = 2;
	compare(&p, workload_record(&a), workload_record(&b));
	for (size_t i = 0; i < p.d.sections[PROFILE_GROWTH].nr; i++) {
		row = &p.d.sections[PROFILE_GROWTH].items[i];
		if (!row->base || !row->new_)
			fail_msg("not matched: %s", diff_row_key(row));
		assert_false(row->similar);
	}
	assert_true(p.d.sections[PROFILE_GROWTH].nr >= 40);
	assert_int_equal(p.d.sections[PROFILE_GROWTH].changed, 0);
	/* kmalloc-rnd-07-1k is kmalloc-1k, and small_merged is also called small */
	for (size_t i = 0; i < p.d.sections[PROFILE_CACHES].nr; i++)
		assert_true(p.d.sections[PROFILE_CACHES].items[i].base &&
			    p.d.sections[PROFILE_CACHES].items[i].new_);
	assert_true(says(&p, "Kernels differ (6.1.7-one and 6.12.9-other)"));
	pair_free(&p);
}

/* Offsets distinguish two calls in one function, but only if both captures have the same code. */
static void offsets_count_for_one_build_alone(void **state)
{
	(void)state;
	for (int same = 0; same < 2; same++) {
		struct capture *c[2];
		struct pair p;

		for (int side = 0; side < 2; side++) {
			uint32_t frame;

			c[side] = sample_new("exact");
			sample_snapshot(c[side], 0);
			sample_snapshot(c[side], 10);
			sample_hook(c[side], "kmem:kmalloc", POOL_SLAB, "raw_tp", "", "");
			frame = sample_frame(c[side], "function", side ? 0x20 : 0x10, "module");
			free(c[side]->frames[frame].build_id);
			c[side]->frames[frame].build_id =
				sample_text(same || !side ? "1234" : "5678");
			sample_stack(c[side], 1, &frame);
			sample_held(sample_interval(c[side], 10), 0, 1, 0, 5000, 5e6);
		}
		compare(&p, c[0], c[1]);
		assert_int_equal(p.d.sections[PROFILE_GROWTH].nr, same ? 2 : 1);
		pair_free(&p);
	}
}

/* A function in the middle was inlined: one path remains on each side, with the same beginning and
 * end. */
static void paths_that_differ_in_between_are_similar(void **state)
{
	struct capture *c[2];
	struct pair p;

	(void)state;
	for (int side = 0; side < 2; side++) {
		uint32_t f[4], nr = 0;

		c[side] = sample_new("exact");
		sample_meta(c[side], META_BUILD_ID, side ? "1" : "2");
		sample_snapshot(c[side], 0);
		sample_snapshot(c[side], 10);
		sample_hook(c[side], "kmem:kmalloc", POOL_SLAB, "raw_tp", "", "");
		f[nr++] = sample_frame(c[side], "alloc_it", 1, "vmlinux");
		if (side)
			f[nr++] = sample_frame(c[side], "inlined_elsewhere", 1, "vmlinux");
		f[nr++] = sample_frame(c[side], "__x64_sys_take", 1, "vmlinux");
		sample_stack(c[side], nr, f);
		sample_held(sample_interval(c[side], 10), 0, 1, 0, 5000, 5e6);
	}
	compare(&p, c[0], c[1]);
	assert_int_equal(p.d.sections[PROFILE_GROWTH].nr, 1);
	assert_true(p.d.sections[PROFILE_GROWTH].items[0].similar);
	assert_int_equal(p.d.sections[PROFILE_GROWTH].changed, 0);
	pair_free(&p);
}

/* If caches are merged on one side only, both sides are summed in the same way. */
static void merged_caches_are_one_on_both_sides(void **state)
{
	struct capture *c[2];
	struct pair p;

	(void)state;
	for (int side = 0; side < 2; side++) {
		c[side] = sample_new("exact");
		for (int t = 0; t <= 10; t += 10) {
			struct snapshot *s = sample_snapshot(c[side], t);

			sample_meminfo(s, "Slab", 30 * 1024);
			sample_slab(s, "one", 1000, 64, 64, 1, side ? 3000 : 5000);
			if (side)
				sample_slab(s, "two", 1000, 64, 64, 1, 2000);
		}
		sample_cache(c[side], "one", 64, 64, false);
		if (side)
			sample_cache(c[side], "two", 64, 64, false);
		else
			sample_alias(c[side], 1, "two");
	}
	compare(&p, c[0], c[1]);
	assert_int_equal(p.d.sections[PROFILE_CACHES].nr, 2); /* and large kmalloc */
	assert_int_equal(p.d.sections[PROFILE_CACHES].changed, 0);
	assert_true(level(&p.d, PROFILE_CACHES, "one")->level.delta == 0);
	pair_free(&p);
}

static void levels_that_changed_are_named(void **state)
{
	struct workload a = {
		.period = 0, .seconds = 30, .paths = 5, .churn = 1e5, .seed = 1, .cpus = 2};
	struct workload b = {.period = 0,
			     .seconds = 30,
			     .paths = 5,
			     .churn = 1e5,
			     .seed = 2,
			     .cpus = 8,
			     .mem_kb = 32000000};
	struct capture *base = workload_record(&a), *new_ = workload_record(&b);
	struct pair p;

	(void)state;
	for (size_t i = 0; i < new_->nr_snapshots; i++)
		for (size_t k = 0; k < new_->snapshots[i].meminfo.nr; k++) {
			struct named_value *v = &new_->snapshots[i].meminfo.items[k];

			if (!strcmp(v->name, "PageTables"))
				v->value += 900000;
			if (!strcmp(v->name, "Percpu"))
				v->value = 0;
		}
	compare(&p, base, new_);
	assert_int_equal(level(&p.d, PROFILE_POOLS, "PageTables")->level.status, DIFF_GROWN);
	assert_int_equal(level(&p.d, PROFILE_POOLS, "Percpu")->level.status, DIFF_GONE);
	assert_int_equal(level(&p.d, PROFILE_POOLS, "Slab")->level.status, DIFF_SAME);
	assert_true(says(&p, "PageTables higher by 878.9 MiB"));
	assert_true(says(&p, "differ in size"));
	pair_free(&p);
}

static void what_cannot_be_compared_is_said(void **state)
{
	struct workload a = {.period = 0, .seconds = 10, .paths = 5, .churn = 1e5, .seed = 1},
			b = a;
	struct capture *base = workload_record(&a), *new_;
	struct pair p;

	(void)state;
	b.period = 65536;
	new_ = workload_record(&b);
	sample_hook(new_, "vmalloc:alloc_vmap_area", POOL_VMALLOC, "raw_tp", "", "");
	compare(&p, base, new_);
	assert_true(says(&p, "exact"));
	assert_true(says(&p, "Only the new capture traced vmalloc"));
	pair_free(&p);

	base = workload_record(&a);
	new_ = workload_record(&a);
	new_->nr_checkpoints =
		0; /* this does not free its rows; the original capture is freed below */
	for (size_t i = 0; i < new_->nr_snapshots; i++)
		new_->snapshots[i].slabs.nr = 0;
	compare(&p, base, new_);
	assert_true(says(&p, "has no traced allocations"));
	assert_true(says(&p, "slabinfo"));
	assert_false(p.d.sections[PROFILE_GROWTH].comparable);
	new_->nr_checkpoints = 1;
	pair_free(&p);
}

static struct capture *recorded_at(const char *boot, const char *start_s)
{
	struct workload w = {.period = 0, .seconds = 10, .paths = 5, .churn = 1e5, .seed = 1};
	struct capture *c = workload_record(&w);

	for (size_t i = c->meta.nr; i-- > 0;) /* the first row of a key is used */
		if (!strcmp(c->meta.items[i].key, META_BOOT_ID) ||
		    !strcmp(c->meta.items[i].key, META_START))
			strcpy(c->meta.items[i].key, "-");
	sample_meta(c, META_BOOT_ID, boot);
	sample_meta(c, META_START, start_s);
	return c;
}

static bool order_is_noted(const char *base_boot, const char *base_s, const char *new_boot,
			   const char *new_s, const char *phrase)
{
	bool any, noted;
	struct pair p;

	compare(&p, recorded_at(base_boot, base_s), recorded_at(new_boot, new_s));
	noted = phrase && says(&p, phrase);
	any = says(&p, "older than the base") || says(&p, "same recording");
	pair_free(&p);
	return phrase ? noted : any;
}

/* If captures are swapped by mistake, growth would look like shrinking; and the same capture twice
 * like an idle kernel. */
static void captures_in_the_wrong_order_are_noticed(void **state)
{
	(void)state;
	assert_true(
		order_is_noted("a", "2000", "a", "1000", "The new capture is older than the base"));
	assert_true(order_is_noted("a", "2000", "a", "2000",
				   "the same time range of the same recording"));
	assert_false(order_is_noted("a", "1000", "a", "2000", NULL));
	assert_false(order_is_noted("b", "2000", "a", "1000", NULL)); /* clocks of two boots */
	assert_false(order_is_noted("", "2000", "", "2000", NULL));
}

/* ---- what is printed ---- */

static void diffs_are_as_agreed(void **state)
{
	struct workload a = {.period = 65536,
			     .seconds = 20,
			     .paths = 8,
			     .churn = 2e6,
			     .seed = 1,
			     .boot = "a"},
			b = a;
	struct diff_options o = {.sections = DIFF_SECTIONS_ALL, .top = 5, .utf8 = true};
	struct pair p;
	char *text;

	(void)state;
	b.other_kernel = true;
	b.boot = "b";
	b.seed = 2;
	b.leak = 2e6;
	b.cpus = 8;
	compare(&p, workload_record(&a), workload_record(&b));
	text = render(&p, false, &o);
	assert_terminal_safe(text, true);
	compare_golden("diff.txt", text);
	free(text);
	text = render(&p, true, &o);
	compare_golden("diff.json", text);
	free(text);
	pair_free(&p);
}

/* The contract: each figure has base and new, and there is a status. */
static void json_keeps_the_contract(void **state)
{
	struct workload a = {.period = 65536, .seconds = 20, .paths = 8, .churn = 2e6, .seed = 1},
			b = a;
	struct diff_options o = {.all = true};
	static const char *const lists[] = {"pools", "caches", "growth"};
	struct pair p;
	json_t *root, *item;
	char *text;

	(void)state;
	b.leak = 2e6;
	compare(&p, workload_record(&a), workload_record(&b));
	text = render(&p, true, &o);
	root = json_loads(text, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(root, "schema")), 1);
	for (size_t l = 0; l < 3; l++) {
		json_t *list = json_object_get(root, lists[l]);
		size_t i;

		assert_true(json_array_size(list) > 0);
		json_array_foreach(list, i, item)
		{
			assert_true(json_is_object(json_object_get(item, "base")));
			assert_true(json_is_object(json_object_get(item, "new")));
			assert_true(json_is_string(json_object_get(item, "status")));
			assert_true(json_is_string(json_object_get(item, "name")));
		}
	}
	item = json_array_get(json_object_get(root, "growth"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "status")), "new");
	assert_string_equal(json_string_value(json_object_get(item, "cache")), "kmalloc-1k");
	assert_true(json_number_value(json_object_get(json_object_get(item, "new"), "bytes")) >
		    30e6);
	json_decref(root);
	free(text);
	pair_free(&p);
}

static void hostile_captures_stay_inert_on_either_side(void **state)
{
	(void)state;
	for (int by = 0; by < GROWTH_BYS; by++)
		for (int side = 0; side < 3; side++) {
			struct workload w = {.seconds = 10, .paths = 5, .churn = 1e5, .seed = 1};
			struct diff_options o = {
				.sections = DIFF_SECTIONS_ALL, .utf8 = by & 1, .all = true};
			struct capture *a = side & 1 ? workload_record(&w) : sample_whole();
			struct capture *b = side & 2 ? workload_record(&w) : sample_whole();
			struct pair p;
			char *text;
			json_t *root;

			compare_by(&p, a, b, by);
			text = render(&p, false, &o);
			assert_terminal_safe(text, o.utf8);
			free(text);
			text = render(&p, true, &o);
			root = json_loads(text, 0, NULL);
			assert_non_null(root);
			json_decref(root);
			free(text);
			pair_free(&p);
		}
}

/* Figures at the limits of what a capture may contain, or only one empty reading. */
static void extreme_captures_are_compared(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct workload w = {.seconds = 10, .paths = 5, .churn = 1e5, .seed = 1};
		struct capture *c = sample_new("sampled");
		struct diff_options o = {.sections = DIFF_SECTIONS_ALL, .all = true};
		struct pair p;
		char *text;

		sample_snapshot(c, 0);
		if (kind) {
			struct cap_held *h;

			sample_call(c, "", 0, "");
			sample_meminfo(sample_snapshot(c, 1e9), "Slab", INT64_C(1) << 53);
			h = sample_held(sample_interval(c, 1e9), 0, 1, 0, INT64_C(1) << 53, 1e300);
			h->bytes_var = 1e300;
			h->objects = 1e300;
			h->age_hist[0] = 1e300;
		}
		compare(&p, c, workload_record(&w));
		text = render(&p, false, &o);
		assert_terminal_safe(text, false);
		free(text);
		free(render(&p, true, &o));
		pair_free(&p);
	}
}

/* ---- parts ---- */

static void add_checkpoint(struct capture *c, double end_s, const double bytes[2],
			   const double allocs[2])
{
	struct cap_checkpoint *at = sample_interval(c, end_s);

	for (uint32_t i = 0; i < 2; i++) {
		if (bytes[i] > 0)
			sample_held(at, 0, i + 1, 0, (int64_t)bytes[i] / 100, bytes[i])
				->age_hist[3] = bytes[i] / 100;
		sample_churn(at, i + 1, allocs[i], 0, 0);
	}
	sample_loss(at, "lost", (int64_t)end_s);
}

static void a_part_has_only_its_own_growth(void **state)
{
	static const double bytes[4][2] = {{1000, 50000}, {5000, 50000}, {9000, 0}, {9500, 0}};
	static const double allocs[4][2] = {{10, 500}, {50, 510}, {90, 520}, {95, 520}};
	struct capture *c = sample_new("exact");
	struct time_range part;

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		sample_call(c, i ? "b" : "a", 0, "vmlinux");
	for (int t = 0; t <= 40; t++)
		sample_meminfo(sample_snapshot(c, t), "Slab", 1000 + t);
	for (int i = 0; i < 4; i++)
		add_checkpoint(c, 10 * (i + 1), bytes[i], allocs[i]);
	assert_int_equal(time_range_build(c, 11, 29, &part), 0);
	assert_true(part.view.start->t_s == 10 && part.view.end->t_s == 30 &&
		    part.view.duration_s == 20);
	assert_int_equal(part.view.at->held.nr, 2);
	assert_true(part.view.at->held.items[0].bytes == 8000);
	assert_true(part.view.at->held.items[1].bytes ==
		    -50000); /* more was freed than allocated */
	assert_true(part.view.at->churn.items[0].allocs == 80);
	assert_int_equal(part.view.at->losses.items[0].value, 20);
	time_range_free(&part);
	assert_int_equal(time_range_build(c, NAN, 12, &part), 0);
	assert_true(part.view.start->t_s == 0 && part.view.at == &c->checkpoints[0]);
	time_range_free(&part);
	assert_int_equal(time_range_build(c, 35, NAN, &part), 0);
	assert_true(part.view.duration_s == 10 || part.view.duration_s == 0 ||
		    part.view.end->t_s == 40);
	time_range_free(&part);
	assert_int_equal(time_range_build(c, 30, 10, &part), -ERANGE);
	assert_int_equal(time_range_build(c, 10, 11, &part), -ERANGE);
	capture_free(c);
}

/* The uncertainty of a difference comes from what was allocated and freed, not from what stayed. */
static void objects_at_both_ends_cancel_in_a_part(void **state)
{
	struct capture *c = sample_new("sampled");
	struct time_range part;

	(void)state;
	sample_call(c, "a", 0, "vmlinux");
	for (int t = 0; t <= 200; t += 10)
		sample_snapshot(c, t);
	for (int i = 0; i < 2; i++) {
		struct cap_held *h = sample_held(sample_interval(c, 100 * (i + 1)), 0, 1, 0, 1000,
						 i ? 1010e3 : 1000e3);

		h->bytes_var = i ? 1010e6 : 1000e6;
		h->age_hist[8] = 1000;       /* 128 s and older */
		h->age_hist[2] = i ? 10 : 0; /* and ten new ones */
	}
	assert_int_equal(time_range_build(c, 100, 200, &part), 0);
	assert_true(part.view.at->held.items[0].bytes == 10e3);
	assert_true(part.view.at->held.items[0].bytes_var < 25e6);
	time_range_free(&part);
	capture_free(c);
}

/* Objects that the audit found free between two checkpoints had been freed before: they are not a
 * change in the part. */
static void a_part_only_counts_live_objects(void **state)
{
	struct capture *c = sample_new("exact");
	struct cap_held *early, *late;
	struct time_range part;

	(void)state;
	sample_call(c, "a", 0, "vmlinux");
	for (int t = 0; t <= 20; t += 10)
		sample_snapshot(c, t);
	early = sample_held(sample_interval(c, 10), 0, 1, 0, 1000, 100e3);
	early->verified = 100; /* half of the checked ones had been freed unseen */
	early->verified_live = 50;
	late = sample_held(sample_interval(c, 20), 0, 1, 0, 720, 72e3);
	late->verified = late->verified_live = 720;
	late->age_hist[3] = 220;
	late->age_hist[5] = 500;
	assert_int_equal(time_range_build(c, 10, 20, &part), 0);
	/* 720 live, minus 50 known and half of the 950 others */
	assert_true(fabs(part.view.at->held.items[0].objects - (720 - 525)) < 1e-6);
	assert_true(fabs(part.view.at->held.items[0].bytes - (72e3 - 52.5e3)) < 1e-6);
	/* the share was a guess from a hundred: ±10 % of 95 kB and more */
	assert_true(part.view.at->held.items[0].bytes_var > 4e3 * 4e3);
	assert_int_equal(part.view.at->held.items[0].verified, 0);
	time_range_free(&part);
	capture_free(c);
}

/* ---- gates ---- */

static void growth_limits_are_read_and_kept(void **state)
{
	static const struct {
		const char *text, *pool;
		double bytes, seconds;
	} good[] = {{"Slab=16M", "Slab", 16 << 20, 0},
		    {"slab=1M/1h", "Slab", 1 << 20, 3600},
		    {"kstack=1M/h", "KernelStack", 1 << 20, 3600},
		    {"percpu=0/10m", "Percpu", 0, 600},
		    {"Unaccounted=1G/d", "Unaccounted", 1 << 30, 86400},
		    {"page=64K/min", "Unaccounted", 65536, 60}};
	static const char *const bad[] = {"",
					  "Slab",
					  "Slab=",
					  "Slab=x",
					  "Nope=1M",
					  "Slab=1M/",
					  "Slab=1M/x",
					  "=1M",
					  "Slab=-1M",
					  "Slab=1M/0",
					  "Slab=111111111111111111111111111111111111111"};
	struct growth_limit g;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(growth_limit_parse(good[i].text, &g), 0);
		assert_string_equal(g.pool, good[i].pool);
		assert_true(g.bytes == good[i].bytes && g.seconds == good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(growth_limit_parse(bad[i], &g), -EINVAL);
	/* as the messages of the command advise */
	assert_int_equal(growth_limit_parse("Slab=16", &g), -ENOMSG);
	assert_int_equal(growth_limit_parse("Slab=16/1h", &g), -ENOMSG);
	assert_int_equal(growth_limit_parse("Slab=16B", &g), 0);
	assert_true(g.bytes == 16);
	growth_limit_parse("Slab=1M/1h", &g);
	assert_int_equal(
		growth_limit_check(&g, &(struct growth_limit_facts){.grown = 9e9, .rate = 290}), 0);
	assert_int_equal(
		growth_limit_check(&g, &(struct growth_limit_facts){.grown = 0, .rate = 300}), 1);
	assert_int_equal(
		growth_limit_check(&g, &(struct growth_limit_facts){.grown = 0, .rate = NAN}),
		-ENODATA);
}

/* Each limit is compared with its own pool, in a diff and in a report. */
static void a_limit_is_compared_with_its_own_pool(void **state)
{
	struct workload a = {.seconds = 60, .paths = 10, .churn = 1e6, .seed = 1}, b = a;
	struct ledger ledger = {
		.rows = {[LEDGER_SLAB] = {.name = "Slab", .delta_kb = 600},
			 [LEDGER_VMALLOC] = {.name = "VmallocUsed", .delta_kb = 3}}};
	struct growth_limit slab, vmalloc;
	struct growth_limit_facts facts;
	struct pair p;

	(void)state;
	for (size_t i = 0; i < LEDGER_POOLS; i++)
		ledger.rows[i].name = ledger.rows[i].name ?: "";
	assert_int_equal(growth_limit_parse("Slab=1M", &slab), 0);
	assert_int_equal(growth_limit_parse("vmalloc=1M", &vmalloc), 0);
	b.leak = 1e6;
	b.seed = 2;
	compare(&p, workload_record(&a), workload_record(&b));
	facts = growth_limit_of_diff(&slab, &p.d);
	assert_true(fabs(facts.grown - 60e6) < 6e6 && fabs(facts.rate - 1e6) < 1e5);
	facts = growth_limit_of_diff(&vmalloc, &p.d);
	assert_false(facts.grown > 1 << 20 || facts.rate > 1e4);
	pair_free(&p);

	facts = growth_limit_of_ledger(&vmalloc, &ledger, 10);
	assert_true(facts.grown == 3 * 1024 && facts.rate == 3 * 1024 / 10.0);
	facts = growth_limit_of_ledger(&slab, &ledger, 10);
	assert_true(facts.grown == 600 * 1024 && facts.rate == 60 * 1024);
}

/* "16.0 MiB, more than 16.0 MiB" would be nonsense. */
static void a_slightly_exceeded_limit_is_printed_as_exceeded(void **state)
{
	char words[256];
	struct growth_limit g;

	(void)state;
	assert_int_equal(growth_limit_parse("Slab=16M", &g), 0);
	assert_string_equal(
		growth_limit_describe(&g, &(struct growth_limit_facts){.grown = (16 << 20) + 4096},
				      words, sizeof(words)),
		"Slab grew by 16,781,312 bytes, more than 16,777,216 bytes");
	assert_string_equal(growth_limit_describe(&g,
						  &(struct growth_limit_facts){.grown = 20 << 20},
						  words, sizeof(words)),
			    "Slab grew by 20.0 MiB, more than 16.0 MiB");
}

/* The bar: 20 000 paths on each side, under a second and 150 MB without sanitizers (scripts measure
 * those). */
static void big_diffs_are_quick(void **state)
{
	struct workload a = {.period = 65536,
			     .seconds = 60,
			     .paths = 20000,
			     .churn = 4e9,
			     .seed = 1},
			b = a;
	struct capture *base = workload_record(&a), *new_;
	struct timespec from, to;
	struct diff_options o = {.sections = DIFF_SECTIONS_ALL, .top = 10};
	struct pair p;

	(void)state;
	b.seed = 2;
	b.leak = 1e6;
	new_ = workload_record(&b);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	compare(&p, base, new_);
	free(render(&p, false, &o));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	print_message("20000 paths on each side: %.2f s\n",
		      (double)(to.tv_sec - from.tv_sec) +
			      (double)(to.tv_nsec - from.tv_nsec) / 1e9);
	assert_true(to.tv_sec - from.tv_sec < 5);
	assert_non_null(
		strstr(diff_row_key(&p.d.sections[PROFILE_GROWTH].items[0]), "site_1000000"));
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_workloads_report_nothing),
		cmocka_unit_test(planted_growth_is_first_at_its_rate),
		cmocka_unit_test(growth_is_compared_with_growth),
		cmocka_unit_test(recordings_of_different_length_compare),
		cmocka_unit_test(other_kernels_have_the_same_paths_and_caches),
		cmocka_unit_test(offsets_count_for_one_build_alone),
		cmocka_unit_test(paths_that_differ_in_between_are_similar),
		cmocka_unit_test(merged_caches_are_one_on_both_sides),
		cmocka_unit_test(levels_that_changed_are_named),
		cmocka_unit_test(what_cannot_be_compared_is_said),
		cmocka_unit_test(captures_in_the_wrong_order_are_noticed),
		cmocka_unit_test(diffs_are_as_agreed),
		cmocka_unit_test(json_keeps_the_contract),
		cmocka_unit_test(hostile_captures_stay_inert_on_either_side),
		cmocka_unit_test(extreme_captures_are_compared),
		cmocka_unit_test(a_part_has_only_its_own_growth),
		cmocka_unit_test(objects_at_both_ends_cancel_in_a_part),
		cmocka_unit_test(a_part_only_counts_live_objects),
		cmocka_unit_test(growth_limits_are_read_and_kept),
		cmocka_unit_test(a_limit_is_compared_with_its_own_pool),
		cmocka_unit_test(a_slightly_exceeded_limit_is_printed_as_exceeded),
		cmocka_unit_test(big_diffs_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
