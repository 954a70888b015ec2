// SPDX-License-Identifier: GPL-2.0-only
/*
 * Call paths that the kernel itself keeps. What a user would lose: the call path of memory on a
 * host that was booted to tell; a host that stands still because its debugfs was read; and an
 * address, or a name that a process chose, where there should be a function.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "proc/alloc_paths.h"
#include "proc/alloc_records.h"
#include "tree.h"

struct result {
	struct alloc_paths paths;
	struct alloc_source about;
};

/* Parse text in pieces of `piece` bytes. */
static void result_of(enum alloc_format format, uint64_t unit, const char *buf, size_t len,
		      size_t piece, struct result *out)
{
	struct alloc_paths_sum *sum = alloc_paths_new(format, unit);
	const struct alloc_path like = {.source = "x", .cache = "c"};
	size_t at = 0, end = 0;

	assert_non_null(sum);
	*out = (struct result){0};
	while (end < len) {
		ssize_t taken;

		end = end + piece < len ? end + piece : len;
		taken = alloc_paths_take(buf + at, end - at, end == len, sum);
		assert_true(taken >= 0);
		at += (size_t)taken;
	}
	assert_int_equal(at, len);
	assert_int_equal(alloc_paths_end(sum, &like, 100, &out->paths, &out->about), 0);
	alloc_paths_sum_free(sum);
}

static void result_of_file(enum alloc_format format, uint64_t unit, const char *name, size_t piece,
			   struct result *out)
{
	_cleanup_free_ char *buf = NULL;
	char path[256];
	size_t len;

	snprintf(path, sizeof(path), TESTS_DIR "/fixtures/alloc_paths/%s", name);
	assert_int_equal(file_read(path, &buf, &len), 0);
	result_of(format, unit, buf, len, piece, out);
}

static void result_of_text(enum alloc_format format, const char *text, struct result *out)
{
	char *copy = malloc(strlen(text)); /* so that reading beyond the end is seen */

	assert_non_null(copy);
	memcpy(copy, text, strlen(text));
	result_of(format, 4096, copy, strlen(text), SIZE_MAX / 2, out);
	free(copy);
}

static void pages_are_added_up_by_call_path(void **state)
{
	static const size_t pieces[] = {1, 7, 100, 100000};

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct result r;

		result_of_file(ALLOC_FORMAT_PAGES, 4096, "page_owner", pieces[i], &r);
		assert_int_equal(r.about.bad_lines, 0);
		assert_int_equal(r.about.bytes, 17 * 4096);
		assert_int_equal(r.paths.nr, 2);
		assert_int_equal(r.paths.items[0].bytes, 16 * 4096);
		assert_int_equal(r.paths.items[0].nr, 2);
		assert_string_equal(r.paths.items[0].source, "x");
		assert_string_equal(r.paths.items[0].frames,
				    "post_alloc_hook+0x1b8 < get_page_from_freelist+0x10f8 < "
				    "example_ring_new+0x3c [example] < ? < do_sys_open+0x57");
		ARRAY_FREE(&r.paths);
	}
}

static void stacks_that_the_kernel_added_up_are_read(void **state)
{
	struct result r;

	(void)state;
	result_of_file(ALLOC_FORMAT_STACKS, 4096, "show_stacks", 11, &r);
	assert_int_equal(r.about.bad_lines, 0);
	assert_int_equal(r.about.bytes, (uint64_t)(8192 + 16) * 4096);
	assert_int_equal(r.paths.nr, 2);
	assert_int_equal(r.paths.items[0].bytes, 8192 * 4096);
	assert_int_equal(r.paths.items[0].nr, 0); /* it does not say how many allocations */
	assert_non_null(strstr(r.paths.items[0].frames, "example_ring_new+0x3c [example]"));
	ARRAY_FREE(&r.paths);
	/* 6.9 counts allocations, which may be of any size: that gives no bytes */
	result_of_text(ALLOC_FORMAT_STACKS, " f+0x1/0x2\nstack_count: 5\n\n", &r);
	assert_int_equal(r.paths.nr, 0);
	assert_int_equal(r.about.bytes, 0);
	assert_int_equal(r.about.bad_lines, 1);
}

static void objects_are_added_up_by_call_path(void **state)
{
	struct result r;

	(void)state;
	result_of_file(ALLOC_FORMAT_SLAB, 64, "alloc_traces", 13, &r);
	assert_int_equal(r.about.bad_lines, 0);
	assert_int_equal(r.about.bytes, 1026 * 64);
	assert_int_equal(r.paths.nr, 3);
	assert_int_equal(r.paths.items[0].nr, 1005); /* two rows that differ in what they waste */
	assert_string_equal(r.paths.items[0].frames,
			    "kmem_cache_alloc_trace+0x1a < example_open+0x2a [example] < "
			    "do_sys_open+0x57");
	assert_string_equal(r.paths.items[0].cache, "c");
	assert_string_equal(r.paths.items[1].frames, "apply_wqattrs_prepare+0x4f");
	assert_string_equal(r.paths.items[2].frames, "?");
	ARRAY_FREE(&r.paths);
	result_of_text(ALLOC_FORMAT_SLAB, "No data\n", &r);
	assert_int_equal(r.paths.nr + r.about.bad_lines, 0);
}

/* A process may have 15 characters of its choice in a record, newlines, too. */
static void the_name_of_a_process_changes_no_call_path(void **state)
{
	static const char *const names[] = {"a\n b+0x1/0x2",   "\n\n\n",
					    "\nPFN \n\n",      "\nPFN \n x+0x1/2",
					    "\nPFN 1\n\n\n\n", ")\n\nPage alloca"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[1024];
		struct result r;

		snprintf(text, sizeof(text),
			 "Page allocated via order 1, mask 0x0(), pid 1, tgid 1 (%s), ts 1 ns\n"
			 "PFN 0x1 type Unmovable Block 0 type Unmovable Flags 0x0(node=0)\n"
			 " f+0x1/0x2\n\n",
			 names[i]);
		result_of_text(ALLOC_FORMAT_PAGES, text, &r);
		assert_int_equal(r.paths.nr, 1);
		assert_string_equal(r.paths.items[0].frames, "f+0x1");
		assert_int_equal(r.paths.items[0].bytes, 8192);
		ARRAY_FREE(&r.paths);
	}
}

static void what_is_no_record_is_counted_and_skipped(void **state)
{
	static const struct {
		enum alloc_format format;
		const char *text;
		unsigned int bad;
	} cases[] = {
		{ALLOC_FORMAT_PAGES, "", 0},
		{ALLOC_FORMAT_PAGES, "anything\n f+0x1/0x2\n\n", 0},
		{ALLOC_FORMAT_PAGES,
		 "Page allocated via order 99, x\nPFN 1 type a Block 1 type a Flags 0x0\n f+0x1/0x2\n\n",
		 1},
		{ALLOC_FORMAT_PAGES,
		 "Page allocated via order -1, x\nPFN 1 type a Block 1 type a Flags 0x0\n\n", 1},
		{ALLOC_FORMAT_PAGES, "Page allocated via order 1, x\nPage allocated via order 2",
		 1},
		{ALLOC_FORMAT_STACKS, " f+0x1/0x2\nnr_base_pages: -5\n\n", 1},
		{ALLOC_FORMAT_STACKS, "nr_base_pages: 9999999999999999999999\n\n", 1},
		{ALLOC_FORMAT_STACKS, " f+0x1/0x2\n\n", 1},
		{ALLOC_FORMAT_SLAB, "some line\n", 1},
		{ALLOC_FORMAT_SLAB, "0 f+0x1/0x2\n", 1},
		{ALLOC_FORMAT_SLAB, "99999999999999999999 f+0x1/0x2\n", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r;

		result_of_text(cases[i].format, cases[i].text, &r);
		assert_int_equal(r.paths.nr, 0);
		assert_int_equal(r.about.bad_lines, cases[i].bad);
	}
}

static void sums_stay_within_what_a_capture_holds(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct result r;

	(void)state;
	for (int i = 0; i < 10; i++) /* 2^40 pages each */
		fprintf(f, " f%d+0x1/0x2\nnr_base_pages: 1099511627776\n\n", i);
	fclose(f);
	result_of_text(ALLOC_FORMAT_STACKS, text, &r);
	free(text);
	assert_true(r.about.bytes <= ALLOC_BYTES_MAX);
	assert_int_equal(r.paths.nr, 2);
	assert_int_equal(r.about.bad_lines, 8);
	ARRAY_FREE(&r.paths);
}

/* Many different paths, and frames without end. */
static void memory_is_bounded(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct result r;

	(void)state;
	fputs("5 f+0x1/0x2\n", f);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "        long_name_of_a_function_%d+0x1/0x2\n", i);
	for (int i = 0; i < 20000; i++)
		fprintf(f, "1 g%d+0x1/0x2\n", i);
	fclose(f);
	result_of_text(ALLOC_FORMAT_SLAB, text, &r);
	free(text);
	assert_int_equal(r.about.bytes, 20005 * 4096);
	assert_int_equal(r.paths.nr, 100); /* as many as were asked for */
	assert_int_equal(r.paths.items[0].nr, 5);
	assert_true(strlen(r.paths.items[0].frames) < sizeof(r.paths.items[0].frames));
	assert_non_null(strstr(r.paths.items[0].frames, " < …"));
	assert_non_null(strstr(r.about.lacks, "more call paths than are kept"));
	ARRAY_FREE(&r.paths);
}

/* ---- what a kernel has ---- */

static void add_cache(struct census *c, const char *name, double used)
{
	struct census_cache *cache = ARRAY_PUSH(&c->caches);

	assert_non_null(cache);
	snprintf(cache->name, sizeof(cache->name), "%s", name);
	cache->object_bytes = 64;
	cache->used.sum = used;
}

static void tree_copy(const char *root, const char *to, const char *fixture)
{
	_cleanup_free_ char *buf = NULL;
	char path[256];
	size_t len;

	snprintf(path, sizeof(path), TESTS_DIR "/fixtures/%s", fixture);
	assert_int_equal(file_read(path, &buf, &len), 0);
	tree_put(root, to, buf);
}

static void a_kernel_with_none_of_them_has_none(void **state)
{
	struct census c = {.units = 10, .counted = 10};
	struct alloc_uses uses;
	char *root = tree_new();

	(void)state;
	add_cache(&c, "kmalloc-64", 10);
	assert_int_equal(alloc_records_read(root, root, true, &c), 0);
	assert_int_equal(c.records.sources.nr, 0);
	alloc_uses_read(root, root, &uses);
	assert_int_equal(uses.sites, ALLOC_ABSENT);
	assert_int_equal(uses.pages, ALLOC_UNKNOWN); /* debugfs is not mounted */
	assert_int_equal(uses.slabs, ALLOC_UNKNOWN);
	census_free(&c);
	tree_remove(root);
}

/* In a sample, the cache has 10 times the objects that were counted. */
static void large_caches_are_left_out_and_named(void **state)
{
	struct census c = {.units = 100, .counted = 10};
	const struct alloc_source *s;
	struct alloc_uses uses;
	char *root = tree_new();

	(void)state;
	tree_copy(root, "allocinfo", "allocinfo/v1");
	tree_put(root, "sys/vm/mem_profiling", "0\n");
	tree_copy(root, "kernel/debug/page_owner", "alloc_paths/page_owner");
	tree_copy(root, "kernel/debug/slab/kmalloc-64/alloc_traces", "alloc_paths/alloc_traces");
	tree_copy(root, "kernel/debug/slab/huge/alloc_traces", "alloc_paths/alloc_traces");
	add_cache(&c, "huge", 10001);
	add_cache(&c, "kmalloc-64", 100);
	add_cache(&c, "../../etc", 100);
	add_cache(&c, "without", 100);

	assert_int_equal(alloc_records_read(root, root, false, &c), 0);
	assert_int_equal(c.records.sources.nr, 1); /* debugfs is read only if asked for */
	assert_non_null(strstr(c.records.sources.items[0].lacks, "switched off now"));
	alloc_records_free(&c.records);
	assert_int_equal(alloc_records_read(root, root, true, &c), 0);
	s = alloc_source_get(&c.records, ALLOC_PAGES);
	assert_non_null(s);
	assert_string_equal(s->lacks, "");
	s = alloc_source_get(&c.records, ALLOC_SLABS);
	assert_non_null(s);
	assert_int_equal(s->bytes, 1026 * 64);
	assert_non_null(strstr(s->lacks, "huge has 100010"));
	assert_int_equal(c.records.paths.nr, 2 + 3);
	assert_string_equal(c.records.paths.items[2].cache, "kmalloc-64");
	alloc_uses_read(root, root, &uses);
	assert_int_equal(uses.sites, ALLOC_OFF);
	assert_int_equal(uses.pages, ALLOC_ON);
	assert_int_equal(uses.slabs, ALLOC_ON);
	census_free(&c);
	tree_remove(root);
}

/* What the kernel has added up is preferred to what takes minutes, and its threshold is told. */
static void the_sums_of_the_kernel_are_preferred(void **state)
{
	struct census c = {.units = 1, .counted = 1};
	const struct alloc_source *s;
	char *root = tree_new();

	(void)state;
	tree_copy(root, "kernel/debug/page_owner", "alloc_paths/page_owner");
	tree_copy(root, "kernel/debug/page_owner_stacks/show_stacks", "alloc_paths/show_stacks");
	tree_put(root, "kernel/debug/page_owner_stacks/count_threshold", "16\n");
	assert_int_equal(alloc_records_read(root, root, true, &c), 0);
	s = alloc_source_get(&c.records, ALLOC_PAGES);
	assert_non_null(s);
	assert_true(s->bytes == (uint64_t)(8192 + 16) * (uint64_t)sysconf(_SC_PAGESIZE));
	assert_non_null(strstr(s->lacks, "less than 16 pages"));
	census_free(&c);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_added_up_by_call_path),
		cmocka_unit_test(stacks_that_the_kernel_added_up_are_read),
		cmocka_unit_test(objects_are_added_up_by_call_path),
		cmocka_unit_test(the_name_of_a_process_changes_no_call_path),
		cmocka_unit_test(what_is_no_record_is_counted_and_skipped),
		cmocka_unit_test(sums_stay_within_what_a_capture_holds),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(a_kernel_with_none_of_them_has_none),
		cmocka_unit_test(large_caches_are_left_out_and_named),
		cmocka_unit_test(the_sums_of_the_kernel_are_preferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
