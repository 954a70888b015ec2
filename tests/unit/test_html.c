// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTML pages of report and diff: their data has the figures of the JSON, hostile names become no
 * markup, and a page stays below 1 MB. tests/web opens such pages in a browser.
 */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff_pair.h"
#include "findings/report_findings.h"
#include "golden.h"
#include "render/report.h"
#include "report_text.h"
#include "sample_capture.h"

#define PAGE_MAX 1000000

static char *page_of(const struct capture *c, enum growth_by by)
{
	return report_text_of(c, by, report_html);
}

static json_t *report_json_of(const struct capture *c)
{
	char *text = report_text_of(c, GROWTH_BY_STACK, report_all_json);
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(text);
	return root;
}

/* The data for the script, as a browser finds it: up to the first end tag of a script. */
static json_t *data_of(const char *page)
{
	const char *mark = "<script type=\"application/json\" id=\"data\">",
		   *begin = strstr(page, mark), *end;
	json_t *root;

	assert_non_null(begin);
	begin += strlen(mark);
	end = strstr(begin, "</script");
	assert_non_null(end);
	root = json_loadb(begin, (size_t)(end - begin), 0, NULL);
	assert_non_null(root);
	return root;
}

static json_t *at(json_t *row, const json_t *table, const char *column)
{
	size_t i;
	json_t *name;

	json_array_foreach(json_object_get(table, "columns"), i, name)
	{
		if (!strcmp(json_string_value(name), column))
			return json_array_get(row, i);
	}
	fail_msg("there is no column %s", column);
	return NULL;
}

static void the_data_has_the_figures_of_the_json(void **state)
{
	static const char *const figures[] = {"bytes",   "bytes_low", "bytes_high",
					      "objects", "age_p50_s", "paths"};
	struct capture *c = sample_whole();
	char *page = page_of(c, GROWTH_BY_STACK);
	json_t *data = data_of(page), *json = report_json_of(c),
	       *table = json_object_get(data, "growth"), *rows = json_object_get(table, "rows"),
	       *strings = json_object_get(data, "strings"), *row;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(rows), json_array_size(json_object_get(json, "growth")));
	assert_true(json_array_size(rows) > 2);
	json_array_foreach(rows, i, row)
	{
		json_t *wanted = json_array_get(json_object_get(json, "growth"), i),
		       *stack = at(row, table, "stack"), *frames = json_object_get(wanted, "stack");

		for (size_t k = 0; k < sizeof(figures) / sizeof(figures[0]); k++)
			assert_true(json_equal(at(row, table, figures[k]),
					       json_object_get(wanted, figures[k])));
		assert_int_equal(json_array_size(stack), json_array_size(frames));
		assert_string_equal(
			json_string_value(json_array_get(
				strings, (size_t)json_integer_value(at(row, table, "pool")))),
			json_string_value(json_object_get(wanted, "pool")));
	}
	table = json_object_get(data, "caches");
	json_array_foreach(json_object_get(table, "rows"), i, row)
	{
		json_t *wanted = json_array_get(json_object_get(json, "caches"), i);

		assert_true(
			json_equal(at(row, table, "end_kb"), json_object_get(wanted, "end_kb")));
		assert_true(json_equal(at(row, table, "attributed_bytes"),
				       json_object_get(wanted, "attributed_bytes")));
	}
	json_decref(json);
	json_decref(data);
	free(page);
	capture_free(c);
}

/* The picture shows call paths even if the report groups its growth by something else. */
static void the_picture_is_of_call_paths_whatever_the_groups(void **state)
{
	struct capture *c = sample_whole();
	char *by_stack = page_of(c, GROWTH_BY_STACK), *by_cgroup = page_of(c, GROWTH_BY_CGROUP);
	json_t *a = data_of(by_stack), *b = data_of(by_cgroup);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json_object_get(b, "growth"), "by")),
			    "stack");
	assert_int_equal(json_array_size(json_object_get(json_object_get(a, "growth"), "rows")),
			 json_array_size(json_object_get(json_object_get(b, "growth"), "rows")));
	assert_non_null(strstr(by_cgroup, "The table is by cgroup."));
	json_decref(a);
	json_decref(b);
	free(by_stack);
	free(by_cgroup);
	capture_free(c);
}

/* The last figure of a series must be the level at the end. */
static void series_end_at_the_end(void **state)
{
	struct capture *c = sample_whole();
	char *page = page_of(c, GROWTH_BY_STACK);
	json_t *data = data_of(page), *pool, *step;
	size_t i, k;

	(void)state;
	json_array_foreach(json_object_get(data, "pools"), i, pool)
	{
		double level = 0;

		json_array_foreach(json_object_get(pool, "series"), k, step) level +=
			json_number_value(step);
		assert_true(fabs(level - json_number_value(json_object_get(pool, "end_kb"))) < 1);
	}
	assert_true(i > 2);
	json_decref(data);
	free(page);
	capture_free(c);
}

/* Every tag of the page is one of ours: names must not open, close or alter any. */
static void assert_inert(const char *page)
{
	size_t scripts = 0;

	for (const char *p = page; (p = strchr(p, '<')); p++) {
		assert_null(strncmp(p, "<img", 4) ? NULL : p);
		assert_null(strncmp(p, "<!--", 4) ? NULL : p);
		scripts += !strncmp(p, "<script", 7);
	}
	assert_int_equal(scripts, 2);
	assert_null(strstr(page, "\xe2\x80\xae")); /* U+202E reverses text */
	assert_null(strchr(page, '\x1b'));
}

static const char *const attacks[] = {"</script><script>alert(1)</script>",
				      "\"><img src=x onerror=alert(1)>", "<!--<script>",
				      "\xe2\x80\xaegnp.exe", "\x1b[31m'\"&lt;"};

static void attack(char **name, size_t i)
{
	free(*name);
	*name = sample_text(attacks[i % 5]);
}

static void hostile_names_become_no_markup(void **state)
{
	(void)state;
	for (int by = 0; by < GROWTH_BYS; by++) {
		struct capture *c = sample_whole();
		char *page;

		for (size_t i = 1; i < c->nr_processes; i++) {
			attack(&c->processes[i].comm, i);
			attack(&c->processes[i].cmdline, i + 1);
		}
		for (size_t i = 1; i < c->nr_frames; i++) {
			attack(&c->frames[i].symbol, i);
			attack(&c->frames[i].module, i + 2);
		}
		for (size_t i = 1; i < c->nr_caches; i++)
			attack(&c->caches[i].name, i);
		for (size_t i = 1; i < c->nr_cgroups; i++)
			attack(&c->cgroups[i], i);
		for (size_t i = 0; i < c->meta.nr; i++)
			if (!strcmp(c->meta.items[i].key, META_HOST) ||
			    !strcmp(c->meta.items[i].key, META_RELEASE))
				attack(&c->meta.items[i].value, i);
		for (size_t i = 0; i < c->nr_hooks; i++)
			attack(&c->hooks[i].reason, i);
		page = page_of(c, (enum growth_by)by);
		assert_inert(page);
		json_decref(data_of(page));
		free(page);
		capture_free(c);
	}
}

/* Names of 4 KB by the thousand, and processes and caches without end. */
static void no_capture_makes_a_large_page(void **state)
{
	struct capture *c = sample_whole();
	struct cap_checkpoint *last = &c->checkpoints[c->nr_checkpoints - 1];
	uint32_t stack = last->held.items[0].stack, cache = last->held.items[0].cache;
	char name[4096], number[16], *page;

	(void)state;
	for (int i = 0; i < 6000; i++) {
		struct cap_process *p = SAMPLE_ADD(c->processes, c->nr_processes);
		struct cap_stack *s = SAMPLE_ADD(c->stacks, c->nr_stacks);
		struct cap_held *h = ARRAY_PUSH(&last->held);

		memset(name, '<', sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		name[snprintf(number, sizeof(number), "%d", i)] = '-';
		memcpy(name, number, strlen(number));
		p->comm = sample_text(name);
		p->cmdline = sample_text(name);
		p->tgid = i + 10;
		s->nr_frames = c->stacks[stack].nr_frames;
		s->frames = calloc(s->nr_frames + 1, sizeof(*s->frames));
		assert_non_null(s->frames);
		for (uint32_t k = 0; k < s->nr_frames; k++)
			s->frames[k] = sample_frame(c, name, (uint64_t)i, name);
		assert_non_null(h);
		*h = last->held.items[0];
		h->cache = cache;
		h->stack = (uint32_t)(c->nr_stacks - 1);
		h->process = (uint32_t)(c->nr_processes - 1);
	}
	page = page_of(c, GROWTH_BY_STACK);
	assert_true(strlen(page) < PAGE_MAX);
	assert_non_null(strstr(page, "smaller ones"));
	assert_non_null(strstr(page, "too long for this page"));
	free(page);
	capture_free(c);
}

/* Debug information can be hostile, too: long names, and as many inlined functions as may be. */
static void no_source_lines_make_a_large_page(void **state)
{
	struct capture *c = sample_whole();
	uint32_t stack = c->checkpoints[c->nr_checkpoints - 1].held.items[0].stack;
	struct cap_stack *s = &c->stacks[stack];
	char name[1025], *page;

	(void)state;
	memset(name, '<', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	free(s->frames);
	s->nr_frames = 127;
	s->frames = calloc(s->nr_frames, sizeof(*s->frames));
	for (uint32_t i = 0; i < s->nr_frames; i++)
		s->frames[i] = sample_frame(c, "f", i, "vmlinux");
	c->lines = calloc(1, sizeof(*c->lines));
	c->lines->nr_frames = c->nr_frames;
	c->lines->frames = calloc(c->nr_frames, sizeof(*c->lines->frames));
	for (size_t i = 1; i < c->nr_frames; i++)
		for (uint32_t k = 0; k < 33; k++) {
			struct source_line *l = ARRAY_PUSH(&c->lines->frames[i]);

			l->inlined = k < 32;
			l->function = l->inlined ? sample_text(name) : NULL;
			l->file = sample_text(name);
			l->line = k + 1;
		}
	alarm(60); /* it once tried smaller and smaller budgets for ever */
	page = page_of(c, GROWTH_BY_STACK);
	alarm(0);
	assert_true(strlen(page) < PAGE_MAX);
	assert_non_null(strstr(page, "class=\"line\""));
	free(page);
	capture_free(c);
}

static void empty_captures_make_a_page(void **state)
{
	struct capture *c = sample_new("exact");
	char *page;

	(void)state;
	c->complete = false;
	sample_snapshot(c, 0);
	page = page_of(c, GROWTH_BY_STACK);
	assert_non_null(strstr(page, "Nothing was traced."));
	assert_non_null(strstr(page, "nothing was traced</a>"));
	assert_non_null(strstr(page, "incomplete"));
	json_decref(data_of(page));
	free(page);
	capture_free(c);
}

static void a_diff_has_the_figures_of_its_json(void **state)
{
	struct pair p;
	struct diff_options all = {.all = true};
	char *page = NULL, *text;
	size_t size, i;
	FILE *f;
	json_t *data, *json, *row, *table;

	(void)state;
	compare(&p, sample_whole(), sample_whole());
	f = open_memstream(&page, &size);
	assert_int_equal(diff_html(&p.d, &p.said, f), 0);
	assert_int_equal(fclose(f), 0);
	text = render(&p, true, &all);
	json = json_loads(text, 0, NULL);
	data = data_of(page);
	assert_inert(page);
	table = json_object_get(data, "growth");
	assert_int_equal(json_array_size(json_object_get(table, "rows")),
			 json_array_size(json_object_get(json, "growth")));
	json_array_foreach(json_object_get(table, "rows"), i, row)
	{
		json_t *wanted = json_array_get(json_object_get(json, "growth"), i);

		assert_true(json_equal(at(row, table, "bytes"), json_object_get(wanted, "bytes")));
		assert_true(json_equal(at(row, table, "new_bytes"),
				       json_object_get(json_object_get(wanted, "new"), "bytes")));
	}
	assert_true(i > 0);
	json_decref(data);
	json_decref(json);
	free(text);
	free(page);
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_data_has_the_figures_of_the_json),
		cmocka_unit_test(the_picture_is_of_call_paths_whatever_the_groups),
		cmocka_unit_test(series_end_at_the_end),
		cmocka_unit_test(hostile_names_become_no_markup),
		cmocka_unit_test(no_capture_makes_a_large_page),
		cmocka_unit_test(no_source_lines_make_a_large_page),
		cmocka_unit_test(empty_captures_make_a_page),
		cmocka_unit_test(a_diff_has_the_figures_of_its_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
