// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user would lose: two counts of the same objects are compared, and a difference is reported
 * only if it is real. Many removed cgroups are reported, too.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/counter.h"
#include "findings/balance_notes.h"
#include "findings/witness.h"
#include "render/balance.h"
#include "sample_capture.h"

static void count(struct snapshot *s, const char *name, int64_t value)
{
	struct named_value *v = ARRAY_PUSH(&s->vmstat);

	assert_non_null(v);
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->value = value;
}

/* `objects` objects of `size` bytes in use, without free ones on CPU lists. */
static void cache(struct snapshot *s, const char *name, int64_t objects, int64_t size)
{
	sample_slab(s, name, objects, size, 16, 1, objects / 16 + 1);
	s->slabs.items[s->slabs.nr - 1].cpu_free = 0;
}

static const struct witness *find(const struct witnesses *w, const char *name)
{
	for (size_t i = 0; i < w->nr; i++)
		if (!strcmp(w->items[i].def->name, name))
			return &w->items[i];
	return NULL;
}

static void counts_that_agree_are_not_a_finding(void **state)
{
	struct snapshot s = {0};
	struct witnesses w;

	(void)state;
	count(&s, COUNTER_FILES, 50000);
	count(&s, COUNTER_INODES, 300000);
	count(&s, COUNTER_KEYS, 9);
	cache(&s, "filp", 51000, 256);
	cache(&s, "ext4_inode_cache", 200000, 1176);
	cache(&s, "shmem_inode_cache", 60000, 768);
	cache(&s, "xfs_inode", 35000, 1024);
	cache(&s, "lsm_inode_cache", 300000, 32);
	cache(&s, "key_jar", 42, 256); /* 33 more, but of 8 KiB */
	witnesses_build(NULL, &s, &w);
	assert_int_equal(w.nr, 3);
	for (size_t i = 0; i < w.nr; i++) {
		assert_int_equal(w.items[i].state, WITNESS_AGREES);
		assert_string_equal(w.items[i].text, "");
		assert_true(isnan(w.items[i].count_start) && isnan(w.items[i].objects_start));
	}
	assert_int_equal((int)find(&w, "inodes")->objects_end, 295000);
	snapshot_free(&s);
}

static void counts_that_contradict_are_said_with_both_figures(void **state)
{
	struct snapshot s = {0};
	struct witnesses w;

	(void)state;
	count(&s, COUNTER_FILES, 12000);
	cache(&s, "filp", 52000, 256);
	witnesses_build(NULL, &s, &w);
	assert_int_equal(w.items[0].state, WITNESS_DIFFERS);
	assert_non_null(strstr(w.items[0].text, "52,000 objects (12.7 MiB)"));
	assert_non_null(strstr(w.items[0].text, "12,000 open files (fs.file-nr)"));
	assert_non_null(strstr(w.items[0].text, "RCU"));
	/* if free objects on CPU lists are included, 10 MiB are possible, 4 MiB are not */
	s.slabs.items[0].active_objs = 20000;
	s.slabs.items[0].cpu_free = -1;
	witnesses_build(NULL, &s, &w);
	assert_int_equal(w.items[0].state, WITNESS_AGREES);
	s.slabs.items[0].cpu_free = 7000; /* these are free: 13,000 in use */
	witnesses_build(NULL, &s, &w);
	assert_int_equal(w.items[0].state, WITNESS_AGREES);
	s.slabs.items[0].cpu_free = 1;
	witnesses_build(NULL, &s, &w);
	assert_int_equal(w.items[0].state, WITNESS_DIFFERS);
	snapshot_free(&s);
}

static void a_cache_that_grew_without_its_counter_is_said(void **state)
{
	struct snapshot a = {0}, b = {0};
	struct witnesses w;

	(void)state;
	count(&a, COUNTER_DENTRIES, 1000000);
	count(&b, COUNTER_DENTRIES, 1001000);
	cache(&a, "dentry", 1000000, 192);
	cache(&b, "dentry", 1100000, 192);
	witnesses_build(&a, &b, &w);
	assert_int_equal(w.items[0].state, WITNESS_DIFFERS);
	assert_non_null(strstr(w.items[0].text, "grew by 100,000 objects (18.3 MiB)"));
	assert_non_null(strstr(w.items[0].text, "rose by 1,000"));
	b.vmstat.items[0].value = 1099000;
	witnesses_build(&a, &b, &w);
	assert_int_equal(w.items[0].state, WITNESS_AGREES);
	assert_true(w.items[0].count_start == 1000000);
	snapshot_free(&a);
	snapshot_free(&b);
}

static void a_counter_of_one_namespace_is_no_contradiction(void **state)
{
	struct snapshot s = {0};
	struct witnesses w;

	(void)state;
	count(&s, COUNTER_CONNECTIONS, 10);
	cache(&s, "nf_conntrack", 60000, 256);
	cache(&s, "nf_conntrack_expect", 90000, 200);
	witnesses_build(NULL, &s, &w);
	assert_int_equal(w.items[0].state, WITNESS_PART);
	assert_true(w.items[0].objects_end == 60000);
	assert_non_null(strstr(w.items[0].text, "other namespaces"));
	s.vmstat.items[0].value = 600000; /* more than the machine has: that is a contradiction */
	witnesses_build(NULL, &s, &w);
	assert_int_equal(w.items[0].state, WITNESS_DIFFERS);
	snapshot_free(&s);
}

static void without_slabinfo_or_counters_nothing_is_compared(void **state)
{
	struct snapshot s = {0}, start = {0};
	struct witnesses w;

	(void)state;
	cache(&s, "filp", 52000, 256);
	witnesses_build(&start, &s, &w);
	assert_int_equal(w.nr, 0);
	ARRAY_FREE(&s.slabs);
	count(&s, COUNTER_FILES, 12000);
	witnesses_build(&start, &s, &w);
	assert_int_equal(w.nr, 1);
	assert_int_equal(w.items[0].state, WITNESS_UNKNOWN);
	assert_true(isnan(w.items[0].objects_end) && isnan(w.items[0].count_start));
	snapshot_free(&s);
}

static void put_cgroups(struct snapshot *s, const char *path, int64_t present, int64_t dying)
{
	struct cgroup_level *l = ARRAY_PUSH(&s->cgroups);

	assert_non_null(l);
	*l = (struct cgroup_level){.descendants = present, .dying = dying};
	snprintf(l->path, sizeof(l->path), "%s", path);
}

static bool noted(const struct snapshot *s)
{
	struct findings notes = {0};
	bool any = false, right = false;
	struct balance b;

	balance_build(s, &(struct beliefs_hint){.page_bytes = 4096}, NULL, &b);
	balance_notes(s, &b, &notes);
	for (size_t i = 0; i < notes.nr; i++)
		if (strstr(notes.items[i].text, "removed cgroups still exist")) {
			any = true;
			right = strstr(notes.items[i].text, "412") != NULL;
			assert_int_equal(notes.items[i].severity, FINDING_WARNING);
		}
	findings_free(&notes);
	return any && right;
}

static void many_removed_cgroups_are_said_and_few_are_not(void **state)
{
	struct snapshot s = {0};

	(void)state;
	sample_meminfo(&s, "MemTotal", 1000000);
	assert_true(isnan(removed_cgroups(&s)));
	assert_false(noted(&s));
	put_cgroups(&s, "/", 0, 0); /* cgroup2 without a controller, beside v1 */
	put_cgroups(&s, CGROUP_V1_MEMORY, 37, 100);
	put_cgroups(&s, "/pods", 30, 99);
	assert_true(removed_cgroups(&s) == 100 && present_cgroups(&s) == 37);
	assert_false(noted(&s));
	s.cgroups.items[1].dying = 412;
	assert_true(noted(&s));
	snapshot_free(&s);
}

static void the_sheet_prints_counters_as_they_are(void **state)
{
	struct snapshot s = {0};
	struct balance_sheet sheet;
	char *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	(void)state;
	sample_meminfo(&s, "MemTotal", 1000000);
	count(&s, COUNTER_FILES, 12000);
	cache(&s, "filp", 52000, 256);
	put_cgroups(&s, "/a\x1b[31m", 37, 412);
	assert_int_equal(
		balance_sheet_now(&s, &(struct balance_origin){.hint.page_bytes = 4096}, &sheet),
		0);
	assert_int_equal(balance_text(&sheet,
				      &(struct balance_text_options){
					      .sections = balance_section_parse("all", 3)},
				      f),
			 0);
	assert_int_equal(balance_json(&sheet, f), 0);
	fclose(f);
	assert_non_null(strstr(out, "COUNTED BY THE KERNEL"));
	assert_non_null(strstr(out, "open files"));
	assert_non_null(strstr(out, "\"state\": \"differs\""));
	assert_non_null(strstr(out, "\"kind\": \"counts-differ\""));
	assert_non_null(findings_of(&sheet.findings, "counts-differ"));
	assert_non_null(strstr(out, "\"removed\": 412"));
	assert_null(strchr(out, '\x1b'));
	free(out);
	balance_sheet_free(&sheet);
	snapshot_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_that_agree_are_not_a_finding),
		cmocka_unit_test(counts_that_contradict_are_said_with_both_figures),
		cmocka_unit_test(a_cache_that_grew_without_its_counter_is_said),
		cmocka_unit_test(a_counter_of_one_namespace_is_no_contradiction),
		cmocka_unit_test(without_slabinfo_or_counters_nothing_is_compared),
		cmocka_unit_test(many_removed_cgroups_are_said_and_few_are_not),
		cmocka_unit_test(the_sheet_prints_counters_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
