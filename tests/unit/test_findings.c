// SPDX-License-Identifier: GPL-2.0-only
/* Exhaustion, correlation and unusual levels, each with figures that just meet the rule, and
 * figures that just miss it. */
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

/* Slab grows by what process 1 holds, plus a little without a process. Process 2 always holds the
 * same. */
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

			/* every third step is twice as large, so that the steps differ */
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

static void time_to_exhaustion_follows_mem_available(void **state)
{
	struct capture *c = recording(5000, 12, true); /* 1,000 kB/s, of what was available */
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_true(r.exhaustion.available_kb == 940000);
	assert_int_equal(r.exhaustion.nr, 1);
	assert_string_equal(r.exhaustion.rows[0].name, "MemAvailable");
	assert_true(fabs(r.exhaustion.rows[0].seconds - 940) < 90);
	assert_true(r.exhaustion.rows[0].low <= r.exhaustion.rows[0].seconds &&
		    r.exhaustion.rows[0].seconds <= r.exhaustion.rows[0].high);
	report_free(&r);
	capture_free(c);
	c = recording(0, 12, true); /* Slab grows by 10 kB/s, MemAvailable stays */
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.exhaustion.nr, 0);
	report_free(&r);
	capture_free(c);
}

static void set_meminfo(struct snapshot *s, const char *name, int64_t kb)
{
	for (size_t i = 0; i < s->meminfo.nr; i++)
		if (!strcmp(s->meminfo.items[i].name, name)) {
			s->meminfo.items[i].value = kb;
			return;
		}
	sample_meminfo(s, name, kb);
}

static void set_counter(struct snapshot *s, const char *name, int64_t value)
{
	struct named_value *v = ARRAY_PUSH(&s->vmstat);

	assert_non_null(v);
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->value = value;
}

/*
 * "the 21.6 GiB that are available last 36 min": dentries grew by 10 MiB/s, and MemAvailable by
 * nothing. Of a small machine it falls at first, as half of what can be reclaimed is left out.
 */
static void what_can_be_reclaimed_has_no_deadline(void **state)
{
	(void)state;
	for (int small = 0; small < 2; small++) {
		struct capture *c = recording(50000, 12, true);
		struct report r;

		for (size_t i = 0; i < c->nr_snapshots; i++) {
			struct snapshot *s = &c->snapshots[i];
			int64_t slab = snapshot_meminfo(s, "Slab");

			set_meminfo(s, "SReclaimable", slab);
			set_meminfo(s, "MemAvailable", 22000000 - (small ? slab / 2 : 0));
			set_counter(s, "vm.min_free_kbytes", small ? 400000 : 60000);
		}
		assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
		assert_int_equal(r.ledger.rows[LEDGER_SLAB].trend.pattern, PATTERN_GROWING);
		assert_int_equal(r.exhaustion.nr, 0);
		report_free(&r);
		capture_free(c);
	}
}

/* 100 threads a second: the machine has room for 100,000 more, process numbers end at 32,768, and
 * the cgroup's limit comes first. */
static void threads_end_at_the_first_limit(void **state)
{
	struct capture *c = recording(0, 12, true);
	struct report r;

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		struct snapshot *s = &c->snapshots[i];

		set_counter(s, "kernel.threads", 200 + 100 * (int64_t)i);
		set_counter(s, "kernel.threads-max", 106200);
		set_counter(s, "kernel.pid_max", 32768);
		set_counter(s, "fs.file-nr", 1000);
		set_counter(s, "fs.file-max", 2000);
	}
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	/* 100,000 at 100/s is within 100 times a minute */
	assert_int_equal(r.exhaustion.nr, 2);
	assert_string_equal(r.exhaustion.rows[0].name, "kernel.pid_max");
	assert_true(fabs(r.exhaustion.rows[0].seconds - (32768 - 6200) / 100.0) < 1);
	assert_string_equal(r.exhaustion.rows[1].name, "kernel.threads-max");
	assert_int_equal(r.exhaustion.rows[1].of, EXHAUSTION_THREADS);
	assert_true(r.exhaustion.rows[0].low <= r.exhaustion.rows[0].seconds &&
		    r.exhaustion.rows[0].seconds <= r.exhaustion.rows[0].high);
	report_free(&r);
	sample_meta(
		c, META_PIDS_LIMITS,
		"900 40 40 /idle.slice\n9000 100 5500 /busy.slice/a b\n18446744073709551616 0 1 /x\nbad");
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.exhaustion.nr, 3);
	assert_string_equal(r.exhaustion.rows[0].name, "pids.max of /busy.slice/a b");
	assert_true(fabs(r.exhaustion.rows[0].seconds - 3500 / 90.0) < 1);
	/* its rate is from two readings: the interval of all threads' rate is not its own */
	assert_true(isnan(r.exhaustion.rows[0].low) && isnan(r.exhaustion.rows[0].high));
	report_free(&r);
	capture_free(c);
}

/* Pods have long cgroup paths. A script must find the cgroup by the subject. */
static void a_long_cgroup_path_is_a_whole_subject(void **state)
{
	struct capture *c = recording(0, 12, true);
	char limits[256], path[181];
	struct report r;

	(void)state;
	memset(path, 'p', 180);
	path[0] = '/';
	path[180] = '\0';
	for (size_t i = 0; i < c->nr_snapshots; i++)
		set_counter(&c->snapshots[i], "kernel.threads", 200 + 100 * (int64_t)i);
	snprintf(limits, sizeof(limits), "9000 100 5500 %s\n", path);
	sample_meta(c, META_PIDS_LIMITS, limits);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.exhaustion.nr, 1);
	assert_string_equal(r.findings.items[0].kind, "exhaustion");
	assert_string_equal(r.findings.items[0].subject, r.exhaustion.rows[0].name);
	assert_non_null(strstr(r.findings.items[0].subject, path));
	report_free(&r);
	capture_free(c);
}

static void open_files_end_at_file_max(void **state)
{
	struct capture *c = recording(0, 12, true);
	struct report r;

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		set_counter(&c->snapshots[i], "fs.file-nr", 1000 + 50 * (int64_t)i);
		set_counter(&c->snapshots[i], "fs.file-max", 10000);
	}
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.exhaustion.nr, 1);
	assert_int_equal(r.exhaustion.rows[0].of, EXHAUSTION_FILES);
	assert_true(fabs(r.exhaustion.rows[0].seconds - 120) < 1);
	report_free(&r);
	capture_free(c);
}

static void growth_correlates_with_its_holder(void **state)
{
	struct capture *c = recording(3000, 12, false);
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.history.nr, 1);
	assert_int_equal(r.history.trends[0].pattern, PATTERN_GROWING);
	assert_true(fabs(r.history.trends[0].slope / 600 - 1) < 0.2); /* 3,000 kB in 5 s */
	assert_int_equal(r.correlation.nr,
			 2); /* one process, one cgroup: the holder did not grow */
	assert_int_equal(r.correlation.items[0].id, 1);
	assert_false(r.correlation.items[0].cgroup);
	assert_true(r.correlation.items[0].share > 0.9 && r.correlation.items[0].share < 1);
	assert_true(r.correlation.items[0].r > 0.99);
	assert_true(r.correlation.items[1].cgroup);
	assert_string_equal(c->cgroups[r.correlation.items[1].id], "/grower.service");
	report_free(&r);
	capture_free(c);
	/* its steps are not those of the pool */
	c = recording(3000, 12, false);
	for (size_t i = 1; i + 1 < c->nr_checkpoints; i++)
		c->checkpoints[i].held.items[0].bytes += (i % 2 ? 9e6 : -9e6) + 9e6;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.correlation.nr, 0);
	report_free(&r);
	capture_free(c);
	/* even growth: there is nothing to correlate, and the whole of it is one holder's */
	c = recording(3000, 12, true);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.correlation.nr, 2);
	assert_int_equal(r.correlation.items[0].id, 1);
	assert_true(isnan(r.correlation.items[0].r));
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

/* A machine with 8 GB, where one figure is given and the others are normal. */
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
			for (size_t k = 0; k < r.findings.nr; k++)
				if (!strcmp(r.findings.items[k].kind, t[i].rule)) {
					const struct finding *f = &r.findings.items[k];

					found = true;
					assert_int_equal(f->severity, FINDING_WARNING);
					assert_int_equal(f->nr_figures, 2);
					assert_string_equal(f->figures[1].name, "limit");
					assert_true(f->figures[0].value > f->figures[1].value);
				}
			if (found != outside)
				fail_msg("%s is %s", t[i].rule,
					 found ? "found inside its limit" : "not found");
			report_free(&r);
			capture_free(c);
		}
}

static void sample_page_size(struct capture *c, int bytes)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", bytes);
	for (size_t i = 0; i < c->meta.nr; i++)
		if (!strcmp(c->meta.items[i].key, META_PAGE_SIZE)) {
			free(c->meta.items[i].value);
			c->meta.items[i].value = sample_text(text);
		}
}

/* On arm64 with pages of 64 KiB, each stack is a page. */
static void a_stack_is_at_least_a_page(void **state)
{
	(void)state;
	for (int page_kb = 4; page_kb <= 64; page_kb *= 4) {
		struct capture *c = machine("KernelStack", 64000, "none");
		struct report r;

		sample_page_size(c, page_kb * 1024);
		assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
		assert_true(!findings_of(&r.findings, "stacks-per-thread") == (page_kb == 64));
		report_free(&r);
		capture_free(c);
	}
}

static void ordinary_machines_get_no_finding_virtual_ones_a_caution(void **state)
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
		size_t cautions = 0;
		struct report r;

		assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
		for (size_t k = 0; k < r.findings.nr; k++)
			if (r.findings.items[k].part == PART_LEVELS) {
				assert_int_equal(r.findings.items[k].severity, FINDING_CAUTION);
				cautions++;
			}
		assert_int_equal(cautions, t[i].cautions);
		report_free(&r);
		capture_free(c);
	}
}

/* A container's /proc may lack a line or contain 0. There is no share of that; "inf%" was printed.
 * */
static void shares_of_zero_are_not_printed(void **state)
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
		for (size_t k = 0; k < r.findings.nr; k++) {
			const struct finding *f = &r.findings.items[k];

			if (f->part != PART_LEVELS)
				continue;
			assert_null(strstr(f->text, "inf"));
			for (size_t n = 0; n < f->nr_figures; n++)
				assert_true(isfinite(f->figures[n].value));
		}
		report_free(&r);
		capture_free(c);
	}
}

static void put_map(struct snapshot *s, int64_t id, const char *object, int64_t kb)
{
	struct bpf_level *l = ARRAY_PUSH(&s->bpf);

	assert_non_null(l);
	*l = (struct bpf_level){.kind = BPF_KIND_MAP, .id = id, .vmalloc = kb * 1024};
	snprintf(l->object, sizeof(l->object), "%s", object);
}

/* VmallocUsed grows by 40,000 kB in 10 s. Of this, map 7 takes `map_kb`; map 8 gave up 1,000. */
static struct capture *with_maps(int64_t map_kb)
{
	struct capture *c = sample_new("exact");
	struct bpf_holder *h;

	for (int t = 0; t <= 10; t++) {
		struct snapshot *s = sample_snapshot(c, t);

		sample_meminfo(s, "MemTotal", 8000000);
		sample_meminfo(s, "VmallocUsed", 60000 + 4000 * (int64_t)t);
	}
	put_map(&c->snapshots[0], 7, "hash flows", 2000);
	put_map(&c->snapshots[0], 8, "array old", 3000);
	put_map(&c->snapshots[10], 7, "hash flows", 2000 + map_kb);
	put_map(&c->snapshots[10], 8, "array old", 2000);
	h = ARRAY_PUSH(&c->snapshots[10].bpf_holders);
	*h = (struct bpf_holder){
		.kind = BPF_KIND_MAP, .id = 7, .how = BPF_HELD_BY_PROCESS, .holder = 812};
	snprintf(h->name, sizeof(h->name), "agent");
	return c;
}

/* Which map took the memory, and who keeps it: no call path says that. */
static void growth_by_bpf_names_the_map_and_its_keeper(void **state)
{
	static const struct {
		int64_t map_kb;
		bool found, first;
	} t[] = {{10900, false, false},
		 {11100, true, false},
		 {20900, true, false},
		 {21100, true, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct capture *c = with_maps(t[i].map_kb);
		const struct finding *f;
		struct report r;

		assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
		f = findings_of(&r.findings, "bpf-growth");
		assert_int_equal(f != NULL, t[i].found);
		if (f) {
			assert_int_equal(f->severity, FINDING_WARNING);
			assert_string_equal(f->subject, "VmallocUsed");
			assert_non_null(strstr(f->text, "BPF map 7 (hash flows) grew most, by"));
			assert_non_null(strstr(f->text, "; it is held by agent[812]."));
			assert_string_equal(f->figures[0].name, "bytes");
			assert_true(f->figures[0].value == (double)(t[i].map_kb - 1000) * 1024);
		}
		assert_int_equal(r.screen.nr_holders, t[i].first);
		if (t[i].first) {
			assert_string_equal(r.screen.holders[0].who, "agent[812]");
			assert_string_equal(r.screen.holders[0].what, "BPF map 7 (hash flows)");
		}
		report_free(&r);
		capture_free(c);
	}
}

/* Someone acts on the list alone, so the gravest must come first, and nothing may be missing. */
static void the_list_says_what_the_verdict_says(void **state)
{
	struct capture *c = recording(3000, 12, false);
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_true(r.verdict.nr > 3 && r.findings.nr > r.verdict.nr);
	for (size_t i = 0; i < r.verdict.nr; i++) {
		bool found = false;

		for (size_t k = 0; k < r.findings.nr; k++)
			found |= r.findings.items[k].text == r.verdict.items[i];
		if (!found)
			fail_msg("not in the list: %s", r.verdict.items[i]);
	}
	for (size_t k = 1; k < r.findings.nr; k++)
		assert_true(r.findings.items[k - 1].severity <= r.findings.items[k].severity);
	/* MemAvailable lasts less than an hour */
	assert_string_equal(r.findings.items[0].kind, "exhaustion");
	assert_int_equal(r.findings.items[0].severity, FINDING_CRITICAL);
	assert_string_equal(r.findings.items[0].figures[0].name, "seconds");
	assert_true(r.findings.items[0].figures[0].value == r.exhaustion.rows[0].seconds);
	assert_true(r.findings.items[0].figures[0].low == r.exhaustion.rows[0].low);
	assert_non_null(strstr(r.screen.urgent, r.findings.items[0].text));
	report_free(&r);
	capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_to_exhaustion_follows_mem_available),
		cmocka_unit_test(what_can_be_reclaimed_has_no_deadline),
		cmocka_unit_test(threads_end_at_the_first_limit),
		cmocka_unit_test(a_long_cgroup_path_is_a_whole_subject),
		cmocka_unit_test(open_files_end_at_file_max),
		cmocka_unit_test(growth_correlates_with_its_holder),
		cmocka_unit_test(correlation_by_hand),
		cmocka_unit_test(each_rule_has_its_limit),
		cmocka_unit_test(a_stack_is_at_least_a_page),
		cmocka_unit_test(ordinary_machines_get_no_finding_virtual_ones_a_caution),
		cmocka_unit_test(shares_of_zero_are_not_printed),
		cmocka_unit_test(growth_by_bpf_names_the_map_and_its_keeper),
		cmocka_unit_test(the_list_says_what_the_verdict_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
