// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernels print wrong figures, and people damage files that they copy. What a user would lose: a
 * sheet that says so instead of explaining nonsense. Fixtures: tests/fixtures/lies.
 */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/balance_findings.h"
#include "findings/balance_notes.h"
#include "findings/growth_limit.h"
#include "proc/snapshot.h"
#include "sample_capture.h"
#include "tree.h"

#define READER_PAGE 4096.0
#define LIES        TESTS_DIR "/fixtures/lies/"

/* A copy of /proc, read as `balance --proc` reads it. */
struct copy {
	struct snapshot s;
	struct input_report input;
	struct beliefs_hint hint;
	const char *page_source;
	struct balance b;
	struct findings findings, notes;
};

static void copy_judge(struct copy *c)
{
	struct balance_findings_facts facts = {
		.b = &c->b, .input = &c->input, .reader_page_bytes = READER_PAGE};

	findings_free(&c->findings);
	findings_free(&c->notes);
	c->hint.page_bytes = beliefs_page_bytes(&c->s, READER_PAGE, &c->page_source);
	facts.page_bytes_source = c->page_source;
	balance_build(&c->s, &c->hint, NULL, &c->b);
	balance_findings_build(&facts, &c->findings);
	balance_notes(&c->s, &c->b, &c->notes);
}

static void copy_read(const char *root, struct copy *c)
{
	memset(c, 0, sizeof(*c));
	assert_int_equal(snapshot_read_copy(root, SNAPSHOT_ALL, &c->input, &c->s), 0);
	copy_judge(c);
}

static void copy_free(struct copy *c)
{
	snapshot_free(&c->s);
	input_report_free(&c->input);
	findings_free(&c->findings);
	findings_free(&c->notes);
}

static const struct finding *finding(const struct copy *c, const char *rule, const char *words)
{
	for (size_t i = 0; i < c->findings.nr; i++)
		if (!strcmp(c->findings.items[i].kind, rule) &&
		    strstr(c->findings.items[i].text, words))
			return &c->findings.items[i];
	return NULL;
}

static void assert_finding(const struct copy *c, const char *rule, const char *words)
{
	if (finding(c, rule, words))
		return;
	for (size_t i = 0; i < c->findings.nr; i++)
		print_error("%s: %s\n", c->findings.items[i].kind, c->findings.items[i].text);
	fail_msg("no finding %s with '%s'", rule, words);
}

static bool noted(const struct copy *c, const char *words)
{
	for (size_t i = 0; i < c->notes.nr; i++)
		if (strstr(c->notes.items[i].text, words))
			return true;
	return false;
}

/* ---- every dump ---- */

static double page_bytes_of(const char *root)
{
	return strstr(root, "64k") ? 65536 : strstr(root, "16k") ? 16384 : 4096;
}

/* The rule for any input: the sheet closes, and impossible figures are reported. */
static void check_dump(const char *root)
{
	struct copy c;
	double sum = 0;

	copy_read(root, &c);
	if (isnan(c.b.total_kb)) {
		copy_free(&c);
		return;
	}
	if (c.hint.page_bytes != page_bytes_of(root))
		fail_msg("%s: pages of %.0f bytes", root, c.hint.page_bytes);
	for (size_t i = 0; i < BALANCE_LINES; i++) {
		sum += c.b.kb[i];
		if (c.b.kb[i] < 0 && i != BALANCE_REST)
			fail_msg("%s: %s is %.0f kB", root, balance_defs[i].name, c.b.kb[i]);
	}
	assert_true(sum == c.b.total_kb);
	if (c.b.kb[BALANCE_REST] < -0.02 * c.b.total_kb && !finding(&c, "lines-beyond-memory", ""))
		fail_msg("%s: the rest is %.0f kB, and nothing says why", root,
			 c.b.kb[BALANCE_REST]);
	if (c.b.kb[BALANCE_REST] < 0 && !c.b.contradiction)
		assert_true(noted(&c, "The lines exceed MemTotal by"));
	copy_free(&c);
}

static int check_dumps_in(const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort), seen = 0;

	for (int i = 0; i < n; i++) {
		char root[PATH_MAX], file[PATH_MAX];

		snprintf(root, sizeof(root), "%.2000s/%.200s", dir, entries[i]->d_name);
		tree_path(file, root, "meminfo");
		if (*entries[i]->d_name != '.' && !access(file, R_OK)) {
			check_dump(root);
			seen++;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return seen;
}

/* KMEMTRACE_DUMPS names a directory of further ones. */
static void no_dump_gets_a_negative_line_or_an_unexplained_rest(void **state)
{
	const char *more = getenv("KMEMTRACE_DUMPS");

	(void)state;
	assert_int_equal(check_dumps_in(TESTS_DIR "/fixtures/lies"), 11);
	assert_int_equal(check_dumps_in(FIXTURES), 6);
	assert_int_equal(check_dumps_in(TESTS_DIR "/fixtures/balance"), 3);
	if (more)
		print_message("%d dumps in %s\n", check_dumps_in(more), more);
}

/* ---- one test a lie ---- */

static void a_leaked_lru_counter_is_called_broken(void **state)
{
	struct copy c;

	(void)state;
	copy_read(LIES "x86-6.12-lru-counter-broken", &c);
	assert_finding(&c, "lru-beyond-memory", "Inactive(file) (22.2 GiB)");
	assert_finding(&c, "available-beyond-memory", "MemAvailable (22.5 GiB)");
	assert_int_equal(c.b.beliefs.figures[FIGURE_INACTIVE_FILE].belief, BELIEF_CONTRADICTED);
	assert_true(isnan(beliefs_kb(&c.b.beliefs, FIGURE_MEM_AVAILABLE)));
	assert_true(c.b.unknown[BALANCE_OTHER_LRU] && c.b.kb[BALANCE_OTHER_LRU] == 0);
	/* MemTotal minus all lines that are believed. */
	assert_true(c.b.kb[BALANCE_REST] ==
		    1551032 - 400000 - 500000 - 200000 - 120000 - 10000 - 40000 - 2000);
	assert_false(c.b.contradiction);
	copy_free(&c);
}

/* No single line exceeds memory in use, but all lists together do. */
static void lru_lists_that_exceed_memory_together_are_left_out(void **state)
{
	struct copy c;

	(void)state;
	copy_read(LIES "x86-6.12-lru-counter-broken", &c);
	for (size_t i = 0; i < c.s.meminfo.nr; i++) {
		struct named_value *v = &c.s.meminfo.items[i];

		if (!strcmp(v->name, "Inactive(file)"))
			v->value = 1100000;
		if (!strcmp(v->name, "Inactive"))
			v->value = 1200000 - 50000;
		if (!strcmp(v->name, "MemAvailable"))
			v->value = 1000000;
	}
	copy_judge(&c);
	assert_finding(&c, "lru-beyond-memory", "Inactive(file)");
	assert_finding(&c, "available-from-broken", "MemAvailable");
	assert_int_equal(c.b.beliefs.figures[FIGURE_ACTIVE_ANON].belief, BELIEF_BELIEVED);
	assert_true(c.b.unknown[BALANCE_OTHER_LRU]);
	copy_free(&c);
}

static void graphics_memory_beyond_memtotal_is_left_out(void **state)
{
	struct copy c;

	(void)state;
	copy_read(LIES "x86-7.2-gpureclaim-above-memtotal", &c);
	assert_finding(&c, "gpu-beyond-memory", "GPUReclaim (31.5 GiB) cannot be true");
	assert_true(c.b.unknown[BALANCE_GPU] && c.b.kb[BALANCE_REST] > 0);
	copy_free(&c);
}

static void vmalloc_address_space_is_not_memory(void **state)
{
	struct copy c;

	(void)state;
	copy_read(LIES "arm-4.1-vmalloc-is-address-space", &c);
	assert_finding(&c, "vmalloc-address-space",
		       "It is 12.4 MiB according to /proc/vmallocinfo");
	assert_true(c.b.vmalloc_used_kb == c.b.vmallocinfo_kb);
	assert_true(c.b.kb[BALANCE_REST] > 9.1 * 1024 && c.b.kb[BALANCE_REST] < 9.3 * 1024);
	assert_false(noted(&c, "were allocated or freed"));
	copy_free(&c);
	copy_read(LIES "vmalloc-is-ioremap", &c); /* only a register window and 4 MiB */
	assert_true(c.b.kb[BALANCE_VMALLOC] == 4096 && c.b.kb[BALANCE_KERNEL_STACK] == 1000);
	ARRAY_FREE(&c.s.vmallocs); /* without it, the value is unknown */
	copy_judge(&c);
	assert_true(c.b.unknown[BALANCE_VMALLOC] && c.b.kb[BALANCE_KERNEL_STACK] == 1000);
	assert_finding(&c, "vmalloc-address-space", "left out");
	copy_free(&c);
}

static void a_vmallocused_of_zero_is_taken_from_vmallocinfo(void **state)
{
	struct copy c;

	(void)state;
	copy_read(LIES "x86-4.18-hyperv-balloon", &c);
	assert_finding(&c, "vmalloc-zero", "It is 44.2 MiB according to /proc/vmallocinfo");
	assert_true(c.b.stacks_are_vmalloc);
	assert_true(c.b.kb[BALANCE_VMALLOC] > 40 * 1024);
	assert_false(noted(&c, "were allocated or freed"));
	copy_free(&c);
}

static void pages_are_as_large_as_on_the_machine_they_are_from(void **state)
{
	struct copy c;

	(void)state;
	copy_read(LIES "64k-zoneinfo", &c);
	assert_true(c.hint.page_bytes == 65536);
	assert_finding(&c, "page-size", "pages of 64.0 KiB (this one has 4.0 KiB)");
	assert_true(c.b.kb[BALANCE_PER_CPU_LISTS] == 50 * 64);
	assert_true(c.b.kb[BALANCE_COMPRESSED] == 100 * 64);
	assert_false(noted(&c, "hypervisor"));
	/* A huge page of a machine with pages of 64 KiB is 512 MiB. */
	assert_int_equal(c.b.nr_candidates, 1);
	assert_string_equal(c.b.candidates[0].name, "huge_zero_page");
	assert_true(c.b.candidates[0].kb == 524288);
	copy_free(&c);
	copy_read(LIES "arm64-5.15-64k", &c); /* meminfo alone */
	assert_true(c.hint.page_bytes == 65536);
	copy_free(&c);
	copy_read(FIXTURES "/6.12", &c);
	assert_true(c.hint.page_bytes == 4096 && !finding(&c, "page-size", ""));
	copy_free(&c);
}

static void lru_pages_that_nobody_maps_are_a_finding(void **state)
{
	struct growth_limit limit;
	struct copy c;

	(void)state;
	copy_read(LIES "arm64-4.18-64k-lru-mapped-by-nobody", &c);
	assert_finding(&c, "lru-unmapped", "223.7 GiB of 253.5 GiB are on the LRU lists");
	assert_int_equal(c.findings.items[0].severity, FINDING_WARNING); /* it comes first */
	assert_true(balance_unmapped_lru_kb(&c.b) == c.b.kb[BALANCE_OTHER_LRU]);
	copy_free(&c);
	copy_read(FIXTURES "/6.18-host", &c);
	assert_null(finding(&c, "lru-unmapped", ""));
	copy_free(&c);
	assert_int_equal(growth_limit_parse("UnmappedLRU=1G", &limit), 0);
	assert_string_equal(limit.pool, "UnmappedLRU");
	assert_int_equal(growth_limit_parse("lru=64M/1h", &limit), 0);
	assert_string_equal(limit.pool, "UnmappedLRU");
}

static void set_zones(struct snapshot *s, int64_t managed)
{
	for (size_t i = 0; i < s->zones.nr; i++)
		s->zones.items[i].managed = i ? 0 : managed;
}

static void set_vmstat(struct snapshot *s, const char *name, int64_t value)
{
	struct named_value *v = ARRAY_PUSH(&s->vmstat);

	assert_non_null(v);
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->value = value;
}

static void a_hypervisor_is_named_only_for_a_balloon(void **state)
{
	struct copy c;

	(void)state;
	copy_read(LIES "vmalloc-is-ioremap", &c);
	assert_non_null(ARRAY_PUSH(&c.s.zones));
	set_zones(&c.s, 200000); /* 800,000 of 1,000,000 kB */
	copy_judge(&c);
	assert_true(noted(&c, "initialised late"));
	assert_false(noted(&c, "a hypervisor took this memory back"));
	set_vmstat(&c.s, "balloon_inflate", 50000);
	copy_judge(&c);
	assert_true(noted(&c, "a hypervisor took this memory back (a balloon is counted)"));
	set_zones(&c.s, 0);
	copy_judge(&c);
	assert_false(noted(&c, "hypervisor"));
	assert_true(noted(&c, "does not say how many pages the zones manage"));
	copy_free(&c);
}

static void areas_come_and_go_only_in_small_numbers(void **state)
{
	struct copy c;

	(void)state;
	copy_read(FIXTURES "/6.12", &c);
	c.s.vmallocs.items[0].kind = VMALLOC_VMALLOC;
	c.s.vmallocs.items[0].pages += 200;
	copy_judge(&c);
	assert_true(noted(&c, "areas were allocated or freed between the two readings"));
	c.s.vmallocs.items[0].pages += 100000;
	copy_judge(&c);
	assert_true(noted(&c, "too much for areas that were allocated or freed in between"));
	copy_free(&c);
}

static void direct_map_is_no_memory(void **state)
{
	struct copy c;

	(void)state;
	copy_read(LIES "s390-5.11", &c);
	assert_false(noted(&c, "DirectMap"));
	copy_free(&c);
}

static struct named_value *line_of(struct copy *c, const char *name)
{
	for (size_t i = 0; i < c->s.meminfo.nr; i++)
		if (!strcmp(c->s.meminfo.items[i].name, name))
			return &c->s.meminfo.items[i];
	fail_msg("no %s", name);
	return NULL;
}

static void lines_beyond_memtotal_name_what_may_be_wrong(void **state)
{
	struct copy c;

	(void)state;
	copy_read(FIXTURES "/6.18-host", &c);
	/* Each is below memory in use, but their sum is not. */
	line_of(&c, "Percpu")->value = (int64_t)(0.9 * c.b.beliefs.used_kb);
	copy_judge(&c);
	assert_true(c.b.contradiction && c.b.kb[BALANCE_REST] < 0);
	assert_finding(&c, "lines-beyond-memory", "per-CPU memory");
	assert_false(noted(&c, "had not yet passed on"));
	/* The lag of CPU counters is still an explanation. */
	line_of(&c, "Percpu")->value = 0;
	copy_judge(&c);
	line_of(&c, "Percpu")->value = (int64_t)c.b.kb[BALANCE_REST] + 800;
	copy_judge(&c);
	assert_true(c.b.kb[BALANCE_REST] == -800 && !c.b.contradiction);
	assert_true(noted(&c, "had not yet passed on"));
	copy_free(&c);
}

/* ---- a recording ---- */

/* 40 readings of a machine whose counter of inactive file pages leaks from the tenth on. */
static struct capture *recording_with_a_leaking_counter(void)
{
	struct capture *c = sample_new("exact");

	for (int i = 0; i < 40; i++) {
		struct snapshot *s = sample_snapshot(c, i);
		int64_t leaked = i < 10 ? 0 : (i - 9) * 1000000;

		sample_meminfo(s, "MemTotal", 4000000);
		sample_meminfo(s, "MemFree", 1000000);
		sample_meminfo(s, "MemAvailable", 2000000 - i * 30000);
		sample_meminfo(s, "Buffers", 0);
		sample_meminfo(s, "Cached", 1000000);
		sample_meminfo(s, "SwapCached", 0);
		sample_meminfo(s, "Active", 500000);
		sample_meminfo(s, "Inactive", 1000000 + leaked);
		sample_meminfo(s, "Active(file)", 0);
		sample_meminfo(s, "Inactive(file)", 1000000 + leaked);
		sample_meminfo(s, "Unevictable", 0);
		sample_meminfo(s, "AnonPages", 500000);
		sample_meminfo(s, "Shmem", 0);
		sample_meminfo(s, "Slab", 200000);
		sample_meminfo(s, "SReclaimable", 100000);
		sample_meminfo(s, "SUnreclaim", 100000);
		sample_meminfo(s, "KernelStack", 1000);
		sample_meminfo(s, "PageTables", 1000);
		sample_meminfo(s, "VmallocUsed", 10000);
		if (!ARRAY_PUSH(&s->zones))
			abort();
	}
	return c;
}

static void a_broken_counter_is_no_growth_and_no_deadline(void **state)
{
	struct capture *c = recording_with_a_leaking_counter();
	struct report r;
	bool said = false;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	/* Believable at second 5, contradicted at second 30: it is left out at both. */
	assert_true(r.ledger.rows[LEDGER_UNACCOUNTED].delta_kb == 0);
	assert_true(isnan(r.ledger.rows[LEDGER_UNMAPPED_LRU].delta_kb));
	assert_true(isnan(r.exhaustion.available_kb) && r.exhaustion.nr == 0);
	for (size_t i = 0; i < r.findings.nr; i++)
		said |= strstr(r.findings.items[i].text, "Inactive(file)") != NULL;
	assert_true(said);
	report_free(&r);
	capture_free(c);
}

/* A long recording in which a counter is broken at one moment: only some snapshots were judged, and
 * whether this moment was among them was luck. */
static void a_counter_broken_at_one_moment_is_believed_at_none(void **state)
{
	static const size_t moments[] = {0, 1, 150, 298, 299};

	(void)state;
	for (size_t k = 0; k < sizeof(moments) / sizeof(moments[0]); k++) {
		struct capture *c = sample_new("exact");
		struct report r;

		for (size_t i = 0; i < 300; i++) {
			struct snapshot *s = sample_snapshot(c, (double)i);

			sample_meminfo(s, "MemTotal", 1000000);
			sample_meminfo(s, "MemFree", 600000);
			sample_meminfo(s, "Slab", i == moments[k] ? 900000 : 50000);
			sample_slab(s, "obj", 1000, 100, 40, 1, 25);
		}
		sample_interval(c, 299);
		assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
		assert_true(r.view.hint.distrusted & UINT64_C(1) << FIGURE_SLAB);
		for (size_t i = 0; i < 300; i++)
			assert_true(isnan(view_level_kb(&r.view, &c->snapshots[i], "Slab")));
		report_free(&r);
		capture_free(c);
	}
}

static void growing_pages_that_nobody_maps_are_a_pool(void **state)
{
	struct capture *c = recording_with_a_leaking_counter();
	struct report r;

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++)
		for (size_t k = 0; k < c->snapshots[i].meminfo.nr; k++) {
			struct named_value *v = &c->snapshots[i].meminfo.items[k];

			if (!strcmp(v->name, "Inactive") || !strcmp(v->name, "Inactive(file)"))
				v->value = 1000000 + (int64_t)i * 20000;
			if (!strcmp(v->name, "MemFree"))
				v->value = 1000000 - (int64_t)i * 20000;
		}
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_true(r.ledger.rows[LEDGER_UNMAPPED_LRU].delta_kb == 39 * 20000);
	assert_true(r.ledger.rows[LEDGER_UNACCOUNTED].delta_kb == 0);
	assert_int_equal(r.ledger.rows[LEDGER_UNMAPPED_LRU].trend.pattern, PATTERN_GROWING);
	report_free(&r);
	capture_free(c);
}

/* A line that the parsers left out may have been the one that matters. */
static void lines_that_could_not_be_read_are_said(void **state)
{
	struct capture *c = recording_with_a_leaking_counter();
	struct findings findings = {0};
	struct balance b;
	struct report r;
	bool said = false;

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++)
		c->snapshots[i].zones.bad_lines = 3;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	for (size_t i = 0; i < r.findings.nr; i++)
		said |= strstr(r.findings.items[i].text, "3 of /proc/zoneinfo") != NULL;
	assert_true(said);
	balance_build(r.view.end, &r.view.hint, NULL, &b);
	balance_findings_build(&(struct balance_findings_facts){.b = &b, .s = r.view.end},
			       &findings);
	said = false;
	for (size_t i = 0; i < findings.nr; i++)
		said |= !strcmp(findings.items[i].kind, "lines-unread");
	assert_true(said);
	findings_free(&findings);
	report_free(&r);
	capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_dump_gets_a_negative_line_or_an_unexplained_rest),
		cmocka_unit_test(a_leaked_lru_counter_is_called_broken),
		cmocka_unit_test(lru_lists_that_exceed_memory_together_are_left_out),
		cmocka_unit_test(graphics_memory_beyond_memtotal_is_left_out),
		cmocka_unit_test(vmalloc_address_space_is_not_memory),
		cmocka_unit_test(a_vmallocused_of_zero_is_taken_from_vmallocinfo),
		cmocka_unit_test(pages_are_as_large_as_on_the_machine_they_are_from),
		cmocka_unit_test(lru_pages_that_nobody_maps_are_a_finding),
		cmocka_unit_test(a_hypervisor_is_named_only_for_a_balloon),
		cmocka_unit_test(areas_come_and_go_only_in_small_numbers),
		cmocka_unit_test(direct_map_is_no_memory),
		cmocka_unit_test(lines_beyond_memtotal_name_what_may_be_wrong),
		cmocka_unit_test(a_broken_counter_is_no_growth_and_no_deadline),
		cmocka_unit_test(a_counter_broken_at_one_moment_is_believed_at_none),
		cmocka_unit_test(growing_pages_that_nobody_maps_are_a_pool),
		cmocka_unit_test(lines_that_could_not_be_read_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
