// SPDX-License-Identifier: GPL-2.0-only
/* Time to exhaustion, whose allocation a growth goes with, and the rules of proportion, each on
 * figures made to meet it or just not to. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/report_findings.h"
#include "render/report.h"
#include "sample_capture.h"

/* Slab gains what process 1 holds and a little by nobody; process 2 holds as much all along. */
static struct capture *recording(double per_step_kb, int steps, bool steady)
{
	struct capture *c = sample_new("exact");
	double kb = 0;
	int step = 0;

	sample_call(c, "taker", 1, "vmlinux");
	sample_process(c, 10, "grower", sample_cgroup(c, "/grower.service"));
	sample_process(c, 11, "holder", sample_cgroup(c, "/holder.service"));
	sample_cache(c, "kmalloc-1k", 1024, 1024, false);
	sample_hook(c, "kmem:kmalloc", POOL_SLAB, "raw_tp", "", "");
	for (int t = 0; t <= steps * 5; t++) {
		struct snapshot *s = sample_snapshot(c, t);

		if (t && t % 5 == 0) {
			struct cap_checkpoint *at;

			/* twice as much every third time, so that the steps differ */
			kb += steady ? per_step_kb : per_step_kb * (++step % 3 ? 0.5 : 2);
			at = sample_interval(c, t);
			sample_held(at, 1, 1, 1, (int64_t)kb, kb * 1024);
			sample_held(at, 1, 1, 2, 1000, 1000 * 1024);
		}
		sample_meminfo(s, "MemTotal", 8000000);
		sample_meminfo(s, "MemAvailable", 1000000 - (int64_t)kb);
		sample_meminfo(s, "Slab", 100000 + (int64_t)kb + 10 * t);
	}
	return c;
}

static void time_to_exhaustion_follows_the_slope(void **state)
{
	struct capture *c = recording(500, 12, true); /* 100 kB/s, and 10 more */
	bool slab = false;
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_true(r.exhaustion.available_kb == 994000);
	for (size_t i = 0; i < r.exhaustion.nr; i++) {
		const struct exhaustion_row *row = &r.exhaustion.rows[i];

		assert_true(!i || row[-1].seconds <= row->seconds);
		assert_true(row->low <= row->seconds && row->seconds <= row->high);
		slab |= !strcmp(row->name, "Slab") && fabs(row->seconds - 994000 / 110.0) < 900;
	}
	assert_true(slab);
	report_free(&r);
	capture_free(c);
	c = recording(0, 12, true); /* 10 kB/s of 1 GB: beyond what a minute can tell */
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.exhaustion.nr, 0);
	report_free(&r);
	capture_free(c);
}

static void growth_goes_with_who_holds_more(void **state)
{
	struct capture *c = recording(3000, 12, false);
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.history.nr, 1);
	assert_int_equal(r.history.trends[0].pattern, PATTERN_GROWING);
	assert_true(fabs(r.history.trends[0].slope / 600 - 1) < 0.2); /* 3,000 kB in 5 s */
	assert_int_equal(r.correlation.nr,
			 2); /* one process, one cgroup: the holder gained nothing */
	assert_int_equal(r.correlation.items[0].id, 1);
	assert_false(r.correlation.items[0].cgroup);
	assert_true(r.correlation.items[0].share > 0.9 && r.correlation.items[0].share < 1);
	assert_true(r.correlation.items[0].r > 0.99);
	assert_true(r.correlation.items[1].cgroup);
	assert_string_equal(c->cgroups[r.correlation.items[1].id], "/grower.service");
	report_free(&r);
	capture_free(c);
	c = recording(3000, 5, false); /* too few steps */
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.correlation.nr, 0);
	report_free(&r);
	capture_free(c);
}

static void correlation_by_hand(void **state)
{
	static const double x[] = {1, 2, 3, 4}, y[] = {2, 4, 6, 8}, z[] = {4, 3, 2, 1},
			    flat[] = {5, 5, 5, 5};
	static const double w[] = {1, 3, 2, 4};

	(void)state;
	assert_true(fabs(correlation_r(x, y, 4) - 1) < 1e-12);
	assert_true(fabs(correlation_r(x, z, 4) + 1) < 1e-12);
	assert_true(fabs(correlation_r(x, w, 4) - 0.8) < 1e-12);
	assert_true(isnan(correlation_r(x, flat, 4)));
}

/* A machine of 8 GB in which one figure is as given, and the rest as usual. */
static struct capture *machine(const char *name, int64_t kb, const char *virt)
{
	static const struct {
		const char *name;
		int64_t kb;
	} usual[] = {{"MemTotal", 8000000},  {"AnonPages", 2000000},   {"Mapped", 500000},
		     {"Slab", 400000},       {"SReclaimable", 250000}, {"SUnreclaim", 150000},
		     {"KernelStack", 16000}, {"PageTables", 20000},    {"Percpu", 8000},
		     {"VmallocUsed", 60000}};
	struct capture *c = sample_new("exact");
	struct snapshot *s = sample_snapshot(c, 0);
	struct task_level *task = ARRAY_PUSH(&s->tasks);

	sample_meta(c, META_VIRT, virt);
	sample_meta(c, META_POSSIBLE, "4");
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		sample_meminfo(s, usual[i].name, strcmp(usual[i].name, name) ? usual[i].kb : kb);
	*task = (struct task_level){.tgid = 1,
				    .comm = "all",
				    .threads = 1000,
				    .stack_bytes = 16 << 20,
				    .pgtables_bytes = 9 << 20};
	return c;
}

static void each_rule_has_its_limit(void **state)
{
	static const struct {
		const char *line;
		int64_t inside, outside;
		const char *rule;
	} t[] = {
		{"KernelStack", 23900, 24100, "stacks-per-thread"},
		{"KernelStack", 159000, 161000, "stacks-of-memory"},
		{"PageTables", 124000, 126000, "page-tables-of-mapped"},
		{"SUnreclaim", 799000, 801000, "slab-unreclaimable"},
		{"SReclaimable", 2390000, 2410000, "slab-reclaimable"},
		{"Percpu", 4 * 8192 - 1, 4 * 8192 + 1, "percpu-per-cpu"},
		{"VmallocUsed", 399000, 401000, "vmalloc-of-memory"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		for (int outside = 0; outside < 2; outside++) {
			struct capture *c =
				machine(t[i].line, outside ? t[i].outside : t[i].inside, "none");
			struct report r;
			bool found = false;

			assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
			for (size_t k = 0; k < r.unusual_levels.nr; k++)
				if (!strcmp(r.unusual_levels.items[k].rule, t[i].rule)) {
					found = true;
					assert_true(r.unusual_levels.items[k].value >
						    r.unusual_levels.items[k].limit);
				}
			if (found != outside)
				fail_msg("%s is %s", t[i].rule,
					 found ? "found inside its limit" : "not found");
			report_free(&r);
			capture_free(c);
		}
}

static void usual_machines_get_no_finding_and_virtual_ones_their_cautions(void **state)
{
	static const struct {
		const char *virt;
		size_t cautions;
	} t[] = {{"none", 0},
		 {"", 0},
		 {"kvm", 1},
		 {"container:docker", 1},
		 {"amazon/kvm+container:docker", 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct capture *c = machine("", 0, t[i].virt);
		struct report r;

		assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
		assert_int_equal(r.unusual_levels.nr, t[i].cautions);
		for (size_t k = 0; k < r.unusual_levels.nr; k++)
			assert_false(r.unusual_levels.items[k].high);
		report_free(&r);
		capture_free(c);
	}
}

/* A container's /proc may leave a line out or say 0: of that nothing is a share, and "inf%" was
 * printed. */
static void of_nothing_nothing_is_a_share(void **state)
{
	static const char *const empty[] = {"MemTotal", "AnonPages"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct capture *c = machine(empty[i], 0, "none");
		struct report r;

		for (size_t n = 0; n < c->snapshots[0].meminfo.nr; n++) {
			struct named_value *v = &c->snapshots[0].meminfo.items[n];

			if (i == 1 && !strcmp(v->name, "Mapped"))
				v->value = 0;
			if (!strcmp(v->name, "PageTables"))
				v->value = 126000;
		}
		assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
		for (size_t k = 0; k < r.unusual_levels.nr; k++) {
			assert_true(isfinite(r.unusual_levels.items[k].value));
			assert_null(strstr(r.unusual_levels.items[k].text, "inf"));
		}
		report_free(&r);
		capture_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_to_exhaustion_follows_the_slope),
		cmocka_unit_test(growth_goes_with_who_holds_more),
		cmocka_unit_test(correlation_by_hand),
		cmocka_unit_test(each_rule_has_its_limit),
		cmocka_unit_test(usual_machines_get_no_finding_and_virtual_ones_their_cautions),
		cmocka_unit_test(of_nothing_nothing_is_a_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
