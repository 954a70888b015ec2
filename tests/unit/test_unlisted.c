// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages in no line of /proc/meminfo. What a user would lose: a pipe that several processes share
 * counted once, the name of who has it, the device of a page pool, and an honest remainder.
 */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/census_findings.h"
#include "model/census_unlisted.h"
#include "render/census.h"
#include "sample_census.h"
#include "trace/census_slabs.h"
#include "trace/origins.h"

static struct kmt_origin record(uint64_t object, enum kmt_origin_kind kind, const char *comm,
				uint64_t pages)
{
	struct kmt_origin o = {.object = object, .kind = kind, .pages = pages};

	memset(o.comm, 'x', sizeof(o.comm)); /* whatever follows the end of the name */
	snprintf(o.comm, sizeof(o.comm), "%s", comm);
	return o;
}

static const struct census_origin *origin_find(const struct census_origins *list, const char *kind,
					       const char *name)
{
	for (size_t i = 0; i < list->nr; i++)
		if (!strcmp(list->items[i].kind, kind) && !strcmp(list->items[i].name, name))
			return &list->items[i];
	return NULL;
}

static void a_shared_pipe_counts_once(void **state)
{
	const struct kmt_origin records[] = {
		record(1, KMT_ORIGIN_PIPE, "bash", 16),
		record(1, KMT_ORIGIN_PIPE, "cat", 16), /* the other end */
		record(2, KMT_ORIGIN_PIPE, "bash", 4),
		record(3, KMT_ORIGIN_PACKET, "tcpdump", 512),
		record(4, KMT_ORIGIN_PERF, "bash", 129),
		record(5, 77, "bash", 1),                             /* no such kind */
		record(6, 0, "bash", 1),                              /* no such kind */
		record(7, KMT_ORIGIN_PIPE, "bash", UINT64_C(1) << 40) /* read while it changed */
	};
	struct origins_found *f = origins_new();
	struct census_origins list = {0};

	(void)state;
	assert_non_null(f);
	assert_int_equal(origins_add(f, records, 3), 0);
	assert_int_equal(origins_add(f, records + 3, sizeof(records) / sizeof(records[0]) - 3), 0);
	assert_int_equal(origins_finish(f, &list), 0);
	origins_free(f);
	assert_int_equal(list.nr, 3);
	assert_string_equal(list.items[0].name, "tcpdump"); /* the largest */
	assert_int_equal(origin_find(&list, CENSUS_ORIGIN_PIPE, "bash")->nr, 2);
	assert_true(origin_find(&list, CENSUS_ORIGIN_PIPE, "bash")->pages.sum == 20);
	assert_true(origin_find(&list, CENSUS_ORIGIN_PERF, "bash")->pages.sum == 129);
	assert_null(origin_find(&list, CENSUS_ORIGIN_PIPE, "cat"));
	ARRAY_FREE(&list);
}

static const char *ask_pool(void *arg, uint64_t pool)
{
	++*(int *)arg;
	return pool == 0x3000 ? NULL : "eth0";
}

static struct kmt_census_record pool_record(int block, uint64_t pool, uint32_t pages)
{
	return (struct kmt_census_record){
		.block = block, .class = CENSUS_POOL, .owner = pool, .used = pages};
}

/* Two queues of one device, and a pool whose device is not known. */
static void page_pools_count_by_device(void **state)
{
	const struct kmt_census_record records[] = {
		pool_record(0, 0x1000, 10), pool_record(0, 0x2000, 5), pool_record(1, 0x1000, 1),
		pool_record(1, 0x3000, 7), pool_record(5, 0x1000, 9) /* of no block */};
	static const int node[2] = {0, 0};
	const struct census_run run = {.first = 0, .nr = 2, .node = node};
	int asked = 0;
	const struct census_asking asking = {.pool = ask_pool, .arg = &asked};
	struct census_slabs *s = census_slabs_new(&asking, 4096);
	struct census c = {0};

	(void)state;
	assert_non_null(s);
	for (int i = 0; i < 2; i++) { /* what is forgotten does not count */
		census_slabs_forget(s);
		assert_int_equal(
			census_slabs_add(s, records, sizeof(records) / sizeof(records[0]), &run),
			0);
	}
	assert_int_equal(census_slabs_finish(s, &c, NULL), 0);
	census_slabs_free(s);
	assert_int_equal(asked, 3);
	assert_int_equal(c.origins.nr, 2);
	assert_true(origin_find(&c.origins, CENSUS_ORIGIN_POOL, "eth0")->pages.sum == 16);
	assert_int_equal(origin_find(&c.origins, CENSUS_ORIGIN_POOL, "eth0")->nr, 2);
	assert_true(origin_find(&c.origins, CENSUS_ORIGIN_POOL, "")->pages.sum == 7);
	census_free(&c);
}

/* A sample has more pool pages than it saw, but not more pipes. */
static void figures_of_a_sample_are_scaled_unless_counted(void **state)
{
	struct census_figure f;
	struct census c;

	(void)state;
	sample_census(&c, 100);
	c.counted = c.units / 4;
	f = census_origin_figure(&c, &c.origins.items[0]);
	assert_true(f.kb == 25600 * 4 && f.low_kb == f.kb && f.high_kb == f.kb);
	f = census_origin_figure(&c, &c.origins.items[1]);
	assert_true(f.kb == 4 * 4000 && f.low_kb < f.kb && f.high_kb > f.kb);
	census_free(&c);
}

static void what_is_not_found_stays_unknown(void **state)
{
	struct census_sheet s = {0};
	struct census_unlisted u;
	struct census c;

	(void)state;
	sample_census(&c, 100);
	assert_int_equal(census_sheet_build(&c, &s), 0);
	u = census_unlisted(&s);
	assert_true(u.kb == 312 * 1024 - 210000);
	assert_true(u.found_kb == 25600 * 4); /* the network pools are another class */
	assert_true(u.unknown_kb == u.kb - u.found_kb);
	census_sheet_free(&s);
	c.origins.items[0].pages.sum = 1e6; /* pipes that were filled later */
	assert_int_equal(census_sheet_build(&c, &s), 0);
	assert_true(census_unlisted(&s).unknown_kb == 0);
	census_sheet_free(&s);
	census_free(&c);
}

static char *unlisted_print(const struct census *c, bool json)
{
	struct findings found = {0};
	struct census_sheet s = {0};
	const struct census_document d = {.sheet = &s, .findings = &found, .kernel = "6.18.0"};
	const struct census_text_options all = {.sections = census_section_parse("all", 3)};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(census_sheet_build(c, &s), 0);
	census_findings(&s, &found);
	assert_int_equal(json ? census_json(&d, f) : census_text(&d, &all, f), 0);
	fclose(f);
	findings_free(&found);
	census_sheet_free(&s);
	return text;
}

static void both_documents_name_who_has_them(void **state)
{
	struct census c;
	json_t *root, *unlisted, *origin;
	char *text;

	(void)state;
	sample_census(&c, 100);
	text = unlisted_print(&c, false);
	assert_non_null(strstr(text, "data in pipes"));
	assert_non_null(strstr(text, "shell"));
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "network page pool"));
	assert_non_null(strstr(text, "eth0"));
	assert_null(strstr(text, "could not be looked at"));
	free(text);
	text = unlisted_print(&c, true);
	root = json_loads(text, 0, NULL);
	unlisted = json_object_get(json_object_get(root, "census"), "unlisted");
	origin = json_array_get(json_object_get(unlisted, "origins"), 0);
	assert_string_equal(json_string_value(json_object_get(origin, "kind")), "pipe");
	assert_int_equal(json_integer_value(json_object_get(origin, "count")), 3);
	assert_true(json_number_value(json_object_get(origin, "kb")) == 102400);
	assert_true(json_is_true(json_object_get(unlisted, "files_read")));
	json_decref(root);
	free(text);
	c.origins_known = false;
	text = unlisted_print(&c, false);
	assert_non_null(strstr(text, "could not be looked at"));
	free(text);
	census_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shared_pipe_counts_once),
		cmocka_unit_test(page_pools_count_by_device),
		cmocka_unit_test(figures_of_a_sample_are_scaled_unless_counted),
		cmocka_unit_test(what_is_not_found_stays_unknown),
		cmocka_unit_test(both_documents_name_who_has_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
