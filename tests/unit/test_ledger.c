// SPDX-License-Identifier: GPL-2.0-only
/* The ledger must close with measured terms, mark terms that were not measured, and know which
 * source to trust. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "close.h"
#include "findings/report_findings.h"
#include "sample_capture.h"

static const struct cache_row *find_cache(const struct report *r, const char *name)
{
	for (size_t i = 0; i < r->caches.nr; i++)
		if (!strcmp(r->caches.items[i].name, name))
			return &r->caches.items[i];
	fail_msg("no cache %s", name);
	return NULL;
}

static struct report report_of(struct capture *c)
{
	struct report r;

	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	return r;
}

/*
 * One cache with objects of 1 KiB, 16 per slab of 4 pages. Active objects change from 100 to 250,
 * slabs from 10 to 20. 180 are held, so 30 older ones were freed. Pages: 160 → 320 kB; free: 60 →
 * 70 kB. Large kmalloc: 40 → 104 kB, 64 held.
 */
static void slab_terms_are_each_measured(void **state)
{
	struct capture *c = sample_new("exact");
	struct snapshot *s = sample_snapshot(c, 0);
	struct cap_checkpoint *at;
	struct report r;

	(void)state;
	sample_cache(c, "obj", 1024, 1024, false);
	sample_cache(c, "kmalloc-large", 0, 0, false);
	c->caches[2].large = true;
	sample_meminfo(s, "Slab", 200);
	sample_slab(s, "obj", 100, 1024, 16, 4, 10);
	s = sample_snapshot(c, 10);
	sample_meminfo(s, "Slab", 424);
	sample_slab(s, "obj", 250, 1024, 16, 4, 20);
	at = sample_interval(c, 10);
	sample_held(at, 1, 0, 0, 180, 180 * 1024);
	sample_held(at, 2, 0, 0, 1, 65536);
	r = report_of(c);

	const struct ledger_row *slab = &r.ledger.rows[LEDGER_SLAB];
	assert_close(slab->delta_kb, 224, 0);
	assert_close(slab->attributed_kb, 180 + 64, 0);
	assert_close(slab->preexisting_freed_kb, 30, 0);
	assert_close(slab->allocator_overhead_kb, 10, 0);
	assert_close(slab->residual_kb, 0, 0);
	assert_close(find_cache(&r, "kmalloc-large")->start_kb, 40, 0);
	assert_close(find_cache(&r, "kmalloc-large")->end_kb, 104, 0);
	report_free(&r);
	capture_free(c);
}

/*
 * Of the active objects, 20 are free on CPU lists at the start and 50 at the end: 200 − 80 = 120
 * were added. If only one end was counted, this is not subtracted: 150 were added.
 */
static void free_on_cpu_lists_is_not_in_use(void **state)
{
	(void)state;
	for (int counted = 0; counted < 2; counted++) {
		struct capture *c = sample_new("exact");
		struct snapshot *s = sample_snapshot(c, 0);
		struct report r;

		sample_cache(c, "obj", 1024, 1024, false);
		sample_meminfo(s, "Slab", 160);
		sample_slab(s, "obj", 100, 1024, 16, 4, 10);
		s->slabs.items[0].cpu_free = counted ? 20 : -1;
		s = sample_snapshot(c, 10);
		sample_meminfo(s, "Slab", 320);
		sample_slab(s, "obj", 250, 1024, 16, 4, 20);
		s->slabs.items[0].cpu_free = 50;
		sample_held(sample_interval(c, 10), 1, 0, 0, 120, 120 * 1024);
		r = report_of(c);

		const struct cache_row *obj = find_cache(&r, "obj");
		assert_close(obj->start_objects, counted ? 80 : 100, 0);
		assert_close(obj->end_objects, counted ? 200 : 250, 0);
		assert_close(r.ledger.rows[LEDGER_SLAB].allocator_overhead_kb, counted ? 40 : 10,
			     0);
		assert_close(r.ledger.rows[LEDGER_SLAB].residual_kb, counted ? 0 : 30, 0);
		assert_true(counted ? obj->cpu_free == 50 : isnan(obj->cpu_free));
		/* of what is left when free objects on CPU lists are taken off */
		assert_true(obj->delta_objects == obj->end_objects - obj->start_objects);
		report_free(&r);
		capture_free(c);
	}
}

/* The level of large kmalloc is what Slab has beyond the caches, so without Slab it is unknown. */
static void the_trend_of_large_kmalloc_survives_a_reading_without_slab(void **state)
{
	struct capture *c = sample_new("exact");
	const struct cache_row *large;
	struct report r;

	(void)state;
	sample_cache(c, "obj", 1024, 1024, false);
	sample_cache(c, "kmalloc-large", 0, 0, false);
	c->caches[2].large = true;
	for (int t = 0; t <= 34; t++) {
		struct snapshot *s = sample_snapshot(c, t);

		if (t != 20)
			sample_meminfo(s, "Slab", 160 + (t < 10 ? 2048 : t < 31 ? 2304 : 2504));
		sample_slab(s, "obj", 100, 1024, 16, 4, 10);
	}
	sample_interval(c, 34);
	r = report_of(c);
	large = find_cache(&r, "kmalloc-large");
	assert_close(large->delta_kb, 456, 0);
	assert_true(isnan(large->series[20]));
	assert_int_equal(large->trend.n, 34);
	assert_true(large->trend.slope_low <= large->trend.slope &&
		    large->trend.slope <= large->trend.slope_high);
	assert_true(large->trend.mk_p < 0.01);
	report_free(&r);
	capture_free(c);
}

/* Slab lags behind slabinfo, and CPU lists are counted a little later. No cache may become
 * negative. */
static void no_cache_holds_less_than_nothing(void **state)
{
	struct capture *c = sample_new("exact");
	struct report r;

	(void)state;
	sample_cache(c, "obj", 1024, 1024, false);
	sample_cache(c, "kmalloc-large", 0, 0, false);
	c->caches[2].large = true;
	for (int t = 0; t <= 10; t += 10) {
		struct snapshot *s = sample_snapshot(c, t);

		sample_meminfo(s, "Slab", 100 + t); /* of 160 in obj alone */
		sample_slab(s, "obj", 5, 1024, 16, 4, 10);
		s->slabs.items[0].cpu_free = 7 + t;
	}
	sample_interval(c, 10);
	r = report_of(c);

	assert_close(find_cache(&r, "kmalloc-large")->start_kb, 0, 0);
	assert_close(find_cache(&r, "kmalloc-large")->end_kb, 0, 0);
	assert_close(find_cache(&r, "obj")->start_objects, 0, 0);
	assert_close(find_cache(&r, "obj")->end_objects, 0, 0);
	report_free(&r);
	capture_free(c);
}

/* Objects that appear without an event are part of the residual. */
static void unseen_allocations_stay_in_the_residual(void **state)
{
	struct capture *c = sample_new("exact");
	struct snapshot *s = sample_snapshot(c, 0);
	struct report r;

	(void)state;
	sample_cache(c, "obj", 1024, 1024, false);
	sample_meminfo(s, "Slab", 160);
	sample_slab(s, "obj", 160, 1024, 16, 4, 10);
	s = sample_snapshot(c, 10);
	sample_meminfo(s, "Slab", 320);
	sample_slab(s, "obj", 320, 1024, 16, 4, 20);
	sample_held(sample_interval(c, 10), 1, 0, 0, 60, 60 * 1024);
	r = report_of(c);
	assert_close(r.ledger.rows[LEDGER_SLAB].preexisting_freed_kb, 0, 0);
	assert_close(r.ledger.rows[LEDGER_SLAB].residual_kb, 100, 0);
	report_free(&r);
	capture_free(c);
}

/* More old frees than there were objects are impossible: unseen frees must appear as a negative
 * residual. */
static void unseen_frees_cannot_hide_as_older_objects(void **state)
{
	struct capture *c = sample_new("exact");
	struct cap_checkpoint *at;
	struct report r;

	(void)state;
	sample_cache(c, "obj", 1024, 1024, false);
	for (int i = 0; i < 2; i++) {
		struct snapshot *s = sample_snapshot(c, 10 * i);

		sample_meminfo(s, "Slab", 160);
		sample_slab(s, "obj", 160, 1024, 16, 4, 10);
	}
	at = sample_interval(c, 10);
	sample_held(at, 1, 0, 0, 10000, 10000 * 1024);
	sample_cache_churn(at, 1, 20000, 1000, 9000);
	r = report_of(c);
	assert_close(r.ledger.rows[LEDGER_SLAB].preexisting_freed_kb, 160, 0);
	assert_close(r.ledger.rows[LEDGER_SLAB].residual_kb, -9840, 0);
	assert_int_equal(find_cache(&r, "obj")->trust.level, TRUST_LOW);
	assert_int_equal(r.trust.level, TRUST_LOW);
	report_free(&r);
	capture_free(c);
}

/* The result of the audit scales the whole (cache, stack) group, including processes that it did
 * not sample. */
static void audit_corrects_whole_groups(void **state)
{
	struct capture *c = sample_new("exact");
	struct snapshot *s = sample_snapshot(c, 0);
	struct cap_checkpoint *at;
	struct cap_held *h;
	struct report r;

	(void)state;
	sample_call(c, "f", 1, "vmlinux");
	sample_process(c, 1, "a", 0);
	sample_process(c, 2, "b", 0);
	sample_cache(c, "obj", 100, 100, false);
	sample_meminfo(s, "Slab", 0);
	at = sample_interval(c, 0);
	h = sample_held(at, 1, 1, 1, 1000, 100000);
	h->verified = 40;
	h->verified_live = 10;
	sample_held(at, 1, 1, 2, 600, 60000);
	sample_held(at, 1, 0, 2, 10,
		    1000); /* another stack, which was not checked: use the share of the cache */
	r = report_of(c);
	assert_int_equal(r.growth.nr, 2);
	/* 10 live, and a quarter of the 1590 that were not checked */
	assert_close(r.growth.groups[0].bytes, 40750, 1e-6);
	assert_close(r.growth.groups[0].objects, 407.5, 1e-6);
	assert_true(r.growth.groups[0].bytes_low < 40750 && r.growth.groups[0].bytes_low >= 1000);
	assert_true(r.growth.groups[0].bytes_high > 50000 &&
		    r.growth.groups[0].bytes_high < 160000);
	assert_close(r.growth.groups[0].processes.items[1].bytes, 15000, 1e-6);
	assert_close(r.growth.groups[1].bytes, 250, 1e-6);
	assert_true(r.growth.groups[1].bytes_low < 50);
	assert_close(r.growth.groups[1].bytes_high, 1000, 0);
	report_free(&r);
	capture_free(c);
}

/* Page tables of another level have no mark: the results of the others do not apply to them. */
static void checked_page_tables_count_only_for_their_path(void **state)
{
	struct capture *c = sample_new("exact");
	struct snapshot *s = sample_snapshot(c, 0);
	struct cap_checkpoint *at;
	struct cap_held *h;
	struct report r;

	(void)state;
	sample_call(c, "pte_alloc_one", 1, "vmlinux");
	sample_call(c, "pgd_alloc", 2, "vmlinux");
	sample_process(c, 1, "a", 0);
	sample_meminfo(s, "PageTables", 0);
	at = sample_interval(c, 0);
	h = sample_held(at, 0, 1, 1, 300, 300 * 4096);
	h->pool = POOL_PAGETABLE;
	h->verified = 400; /* a hundred were freed unseen, and left the table */
	h->verified_live = 300;
	sample_held(at, 0, 2, 1, 100, 100 * 4096)->pool = POOL_PAGETABLE;
	r = report_of(c);
	assert_int_equal(r.growth.nr, 2);
	assert_close(r.growth.groups[0].bytes, 300 * 4096, 0);
	assert_close(r.growth.groups[1].bytes, 100 * 4096, 0);
	assert_close(r.growth.groups[1].bytes_low, 100 * 4096, 0);
	report_free(&r);
	capture_free(c);
}

/* If they were not measured, they are null, not zero; and one reading is no change. */
static void unmeasured_values_are_nan(void **state)
{
	struct capture *c = sample_new("exact");
	struct snapshot *s = sample_snapshot(c, 0);
	struct report r;

	(void)state;
	sample_meminfo(s, "Slab", 100);
	sample_meminfo(s, "Percpu", 7);
	r = report_of(c);
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &r.ledger.rows[i];

		assert_true(isnan(row->delta_kb));
		assert_true(isnan(row->attributed_kb));
		assert_true(isnan(row->preexisting_freed_kb));
		assert_true(isnan(row->allocator_overhead_kb));
		assert_true(isnan(row->residual_kb));
	}
	assert_close(r.ledger.rows[LEDGER_PERCPU].start_kb, 7, 0);
	assert_true(isnan(r.ledger.rows[LEDGER_VMALLOC].start_kb));
	assert_int_equal(r.trust.level, TRUST_LOW);
	assert_false(r.verdict.leak);
	report_free(&r);
	capture_free(c);
}

static void sample_closes(void **state)
{
	struct capture *c = sample_whole();
	struct report r = report_of(c);
	const struct ledger_row *slab = &r.ledger.rows[LEDGER_SLAB];
	const struct cache_row *dentry = find_cache(&r, "ext4_merged");

	(void)state;
	/* slabinfo: 160 → 1360 objects of 1 KiB on 10 → 85 slabs of 16 kB; dentry 1010 → 1082 slabs
	 * of 4 kB. */
	assert_close(slab->delta_kb, 75 * 16 + 72 * 4 + 256, 0);
	assert_close(slab->allocator_overhead_kb, (72 * 4 - 1500 * 192 / 1024.0), 1e-6);
	/* 6000 of maple_node, 1 of 50 live: that one and 5999 / 50 objects of 256 bytes; the
	 * hostile cache's 100 of 64. */
	assert_close(slab->attributed_kb, 1200 + 2000 * 192 / 1024.0 + 256 + 30.245 + 6.25, 1e-6);
	assert_close(slab->preexisting_freed_kb, 500 * 192 / 1024.0, 1e-6);
	/* Caches that slabinfo does not list are not explained. */
	assert_close(slab->residual_kb, -36.495, 1e-6);
	/* It is found under its other name. */
	assert_close(dentry->end_objects - dentry->start_objects, 1500, 0);
	assert_close(dentry->held_objects, 2000, 1e-6);
	/* With so little slack, 500 of 2000 objects matter, and the audit confirms the traced ones.
	 * */
	assert_true(dentry->trust.agreement == AGREE_YES ||
		    dentry->trust.agreement == AGREE_FREED_OLD);
	assert_int_equal(find_cache(&r, "kmalloc-cg-1k")->trust.agreement, AGREE_YES);
	assert_int_equal(find_cache(&r, "kmalloc-cg-1k")->trust.level, TRUST_HIGH);
	assert_int_equal(find_cache(&r, "kmalloc-cg-1k")->trend.pattern, PATTERN_GROWING);
	assert_close(find_cache(&r, "kmalloc-cg-1k")->trend.slope, 40, 1);
	assert_true(
		find_cache(&r, "vm_area_struct")->traced); /* none of its objects was allocated */
	assert_close(find_cache(&r, "vm_area_struct")->unseen_objects, 0, 0);
	report_free(&r);
	capture_free(c);
}

/* MemTotal minus all lines, including per-CPU lists of 2500 pages: calculated by hand from second 0
 * of the sample. */
static void unaccounted_counts_each_page_once(void **state)
{
	struct capture *c = sample_whole();
	struct report r = report_of(c);
	const struct ledger_row *row = &r.ledger.rows[LEDGER_UNACCOUNTED];
	double slab = r.ledger.rows[LEDGER_SLAB].start_kb;

	(void)state;
	assert_close(row->start_kb, 4000000 - 3000000 - 10000 - 901000 - slab - 3000 - 20000 - 1000,
		     0);
	report_free(&r);
	capture_free(c);
}

/* A killed recording has ticks after its last interval: levels are taken at the time of the
 * interval. */
static void incomplete_capture_uses_levels_of_its_interval(void **state)
{
	struct capture *c = sample_whole();
	struct report r;

	(void)state;
	c->complete = false;
	c->checkpoints[0].end_s = 20.4;
	r = report_of(c);
	assert_close(r.view.end->t_s, 20, 0);
	assert_int_equal(r.trust.level, TRUST_FAIR);
	assert_false(r.verdict.leak);
	report_free(&r);
	capture_free(c);
}

static struct trust_facts good_facts(void)
{
	return (struct trust_facts){.frees = 1000,
				    .held_objects = 5000,
				    .tracked = 5000,
				    .verified = 5000,
				    .verified_live = 5000,
				    .slabinfo_delta = 5000,
				    .slabinfo_slack = 100,
				    .start_objects = 10000,
				    .complete = true};
}

static void trust_falls_for_each_reason(void **state)
{
	struct trust_facts f = good_facts();
	struct trust t;

	(void)state;
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_HIGH);
	assert_int_equal(t.nr_reasons, 0);
	f.verified = 3 * f.tracked; /* among them objects that were freed unseen */
	trust_judge(&f, &t);
	assert_true(t.audited_ratio == 1);

	f = good_facts();
	f.lost_ratio = 0.0015; /* slabinfo, which loses nothing, says the same */
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_HIGH);
	f.slabinfo_delta = NAN;
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_FAIR);
	f = good_facts();
	f.held_objects = f.slabinfo_delta = 150; /* its slack could hide as many */
	f.lost_ratio = 0.0015;
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_FAIR);
	f.lost_ratio = 0.06;
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_LOW);

	f = good_facts();
	f.complete = false;
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_FAIR);

	f = good_facts();
	f.slabinfo_delta = 100; /* the objects are verified, so older ones were freed */
	trust_judge(&f, &t);
	assert_int_equal(t.agreement, AGREE_FREED_OLD);
	assert_int_equal(t.level, TRUST_HIGH);
	f.verified = f.verified_live = 0; /* without a check, this is a contradiction */
	trust_judge(&f, &t);
	assert_int_equal(t.agreement, AGREE_NO);
	assert_int_equal(t.level, TRUST_LOW);

	f = good_facts();
	f.verified = f.verified_live = 0;
	f.unseen_frees = 500;
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_LOW);
	f.unseen_frees = 0; /* slabinfo confirms 5000 objects with a slack of 100 */
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_HIGH);
	f.held_objects = f.slabinfo_delta = f.tracked = 150; /* but not for 150 */
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_FAIR);
	f.slabinfo_delta = NAN;
	trust_judge(&f, &t);
	assert_int_equal(t.level, TRUST_LOW);
}

static void leak_is_said_only_if_all_conditions_hold(void **state)
{
	const struct leak_facts good = {.slab = true,
					.trust = TRUST_HIGH,
					.still_growing = true,
					.duration = 200,
					.age_p50 = 90,
					.oldest = 199,
					.verified = 1,
					.verified_twice = 0.7};
	struct leak_facts f;

	(void)state;
	assert_int_equal(trust_leak(&good), LEAK_YES);
	f = good; /* a minute of TCP's TIME_WAIT looks the same */
	f.duration = 60;
	f.age_p50 = 24;
	f.oldest = 60;
	assert_int_equal(trust_leak(&f), LEAK_SHORT);
#define REFUSED(member, value) \
	f = good;              \
	f.member = value;      \
	assert_int_not_equal(trust_leak(&f), LEAK_YES)
	REFUSED(trust, TRUST_FAIR);
	REFUSED(still_growing, false);
	REFUSED(reclaimable, true);
	REFUSED(age_p50, 5);
	REFUSED(age_p50, NAN);
	REFUSED(oldest, 70);
	REFUSED(oldest, NAN);
	REFUSED(verified, 0.5);
	REFUSED(verified_twice, 0.2);
#undef REFUSED
	f = good;
	f.verified = f.verified_twice = NAN; /* not audited, but slabinfo confirms it */
	assert_int_equal(trust_leak(&f), LEAK_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slab_terms_are_each_measured),
		cmocka_unit_test(free_on_cpu_lists_is_not_in_use),
		cmocka_unit_test(the_trend_of_large_kmalloc_survives_a_reading_without_slab),
		cmocka_unit_test(no_cache_holds_less_than_nothing),
		cmocka_unit_test(unseen_allocations_stay_in_the_residual),
		cmocka_unit_test(unseen_frees_cannot_hide_as_older_objects),
		cmocka_unit_test(audit_corrects_whole_groups),
		cmocka_unit_test(checked_page_tables_count_only_for_their_path),
		cmocka_unit_test(unmeasured_values_are_nan),
		cmocka_unit_test(sample_closes),
		cmocka_unit_test(unaccounted_counts_each_page_once),
		cmocka_unit_test(incomplete_capture_uses_levels_of_its_interval),
		cmocka_unit_test(trust_falls_for_each_reason),
		cmocka_unit_test(leak_is_said_only_if_all_conditions_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
