// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user would lose: a copy of /proc that went through mail, chat or Windows is read like the
 * original, or the message names the line that cannot be read. It must never silently give other
 * figures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/balance_findings.h"
#include "model/balance.h"
#include "proc/foreign.h"
#include "proc/snapshot.h"
#include "tree.h"

static const char *const files[] = {"meminfo", "vmstat", "slabinfo", "zoneinfo", "vmallocinfo"};
static const struct beliefs_hint hint = {.page_bytes = 4096};

/* Changes a file, and writes the result to `out`. */
typedef void damage(const char *buf, size_t len, FILE *out);

static void each_line(const char *buf, FILE *out, const char *before, const char *after)
{
	while (*buf) {
		size_t n = strcspn(buf, "\n");

		fprintf(out, "%s%.*s%s\n", before, (int)n, buf, after);
		buf += n + (buf[n] == '\n');
	}
}

static void replace_all(const char *buf, FILE *out, const char *from, const char *to)
{
	const char *at;

	while ((at = strstr(buf, from))) {
		fprintf(out, "%.*s%s", (int)(at - buf), buf, to);
		buf = at + strlen(from);
	}
	fputs(buf, out);
}

static void whole(const char *buf, size_t len, FILE *out)
{
	fwrite(buf, 1, len, out);
}

static void crlf(const char *buf, size_t len, FILE *out)
{
	(void)len;
	each_line(buf, out, "", "\r");
}

static void bom(const char *buf, size_t len, FILE *out)
{
	fputs("\xef\xbb\xbf", out);
	whole(buf, len, out);
}

static void utf16(const char *buf, size_t len, FILE *out)
{
	fputs("\xff\xfe", out);
	for (size_t i = 0; i < len; i++)
		fwrite((const char[]){buf[i], '\0'}, 1, 2, out);
}

static void quoted(const char *buf, size_t len, FILE *out)
{
	(void)len;
	each_line(buf, out, "> ", "");
}

static void quoted_twice(const char *buf, size_t len, FILE *out)
{
	(void)len;
	each_line(buf, out, "> > ", "");
}

static void piped(const char *buf, size_t len, FILE *out)
{
	(void)len;
	each_line(buf, out, "| ", " |");
}

static void indented(const char *buf, size_t len, FILE *out)
{
	(void)len;
	each_line(buf, out, "    ", "");
}

static void trailing(const char *buf, size_t len, FILE *out)
{
	(void)len;
	each_line(buf, out, "", "   \t");
}

static void no_break_spaces(const char *buf, size_t len, FILE *out)
{
	(void)len;
	replace_all(buf, out, " ", "\xc2\xa0");
}

static void large_kb(const char *buf, size_t len, FILE *out)
{
	(void)len;
	replace_all(buf, out, " kB\n", " KB\n");
}

static void no_unit(const char *buf, size_t len, FILE *out)
{
	(void)len;
	replace_all(buf, out, " kB\n", "\n");
}

static void in_a_shell(const char *buf, size_t len, FILE *out)
{
	fputs("```\nroot@host:~# cat /proc/something\n", out);
	whole(buf, len, out);
	fputs("root@host:~#\n```\n", out);
}

static void twice(const char *buf, size_t len, FILE *out)
{
	whole(buf, len, out);
	fputc('\n', out);
	whole(buf, len, out);
}

static void blank_lines(const char *buf, size_t len, FILE *out)
{
	(void)len;
	each_line(buf, out, "", "\n");
}

/* Write FIXTURES/6.12 changed by `how` into a new tree. */
static char *changed_tree(damage *how)
{
	char *dir = tree_new();

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *out = NULL, *buf = tree_read(FIXTURES "/6.12", files[i], NULL);
		size_t size = 0;
		FILE *f = open_memstream(&out, &size);

		assert_non_null(f);
		how(buf, strlen(buf), f);
		assert_int_equal(fclose(f), 0);
		tree_put_bytes(dir, files[i], out, size);
		free(out);
		free(buf);
	}
	return dir;
}

static void assert_same(const struct snapshot *a, const struct snapshot *b)
{
	assert_int_equal(a->meminfo.nr, b->meminfo.nr);
	for (size_t i = 0; i < a->meminfo.nr; i++) {
		assert_string_equal(a->meminfo.items[i].name, b->meminfo.items[i].name);
		assert_int_equal(a->meminfo.items[i].value, b->meminfo.items[i].value);
	}
	assert_int_equal(a->vmstat.nr, b->vmstat.nr);
	for (size_t i = 0; i < a->vmstat.nr; i++)
		assert_int_equal(a->vmstat.items[i].value, b->vmstat.items[i].value);
	assert_int_equal(a->slabs.nr, b->slabs.nr);
	for (size_t i = 0; i < a->slabs.nr; i++)
		assert_int_equal(a->slabs.items[i].num_objs, b->slabs.items[i].num_objs);
	assert_int_equal(a->zones.nr, b->zones.nr);
	for (size_t i = 0; i < a->zones.nr; i++)
		assert_memory_equal(&a->zones.items[i], &b->zones.items[i],
				    sizeof(a->zones.items[i]));
	assert_int_equal(vmalloc_levels_pages(&a->vmallocs), vmalloc_levels_pages(&b->vmallocs));
	assert_int_equal(a->vmallocs.nr, b->vmallocs.nr);
}

static void copies_are_read_as_the_original(void **state)
{
	static const struct {
		damage *how;
		const char *why; /* the message; NULL: there is none */
	} ways[] = {
		{whole, NULL},
		{crlf, "CR LF"},
		{bom, "byte order mark"},
		{utf16, "UTF-16"},
		{quoted, "quoted"},
		{quoted_twice, "quoted"},
		{piped, "quoted"},
		{indented, NULL},
		{trailing, NULL},
		{no_break_spaces, "no-break"},
		{large_kb, NULL},
		{no_unit, NULL},
		{in_a_shell, "shell"},
		{twice, "second time"},
		{blank_lines, NULL},
	};
	struct snapshot original;

	(void)state;
	assert_int_equal(snapshot_read(FIXTURES "/6.12", SNAPSHOT_ALL, &original), 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char *dir = changed_tree(ways[i].how);
		struct input_report report = {0};
		struct snapshot s;

		print_message("way %zu\n", i);
		assert_int_equal(snapshot_read_copy(dir, SNAPSHOT_ALL, &report, &s), 0);
		assert_same(&s, &original);
		assert_int_equal(report.nr > 0, ways[i].why != NULL);
		for (size_t k = 0; k < report.nr; k++)
			assert_non_null(strstr(report.items[k].why, ways[i].why));
		snapshot_free(&s);
		input_report_free(&report);
		tree_remove(dir);
	}
	snapshot_free(&original);
}

/* Read these two files as a copy. */
static void read_text(const char *meminfo, const char *vmstat, struct input_report *report,
		      struct snapshot *s)
{
	char *dir = tree_new();

	tree_put(dir, "meminfo", meminfo);
	if (vmstat)
		tree_put(dir, "vmstat", vmstat);
	memset(report, 0, sizeof(*report));
	assert_int_equal(snapshot_read_copy(dir, SNAPSHOT_ALL, report, s), 0);
	tree_remove(dir);
}

static const struct input_line *line_with(const struct input_report *r, const char *why)
{
	for (size_t i = 0; i < r->nr; i++)
		if (strstr(r->items[i].why, why))
			return &r->items[i];
	fail_msg("nothing says '%s'", why);
	return NULL;
}

static void a_line_that_cannot_be_read_is_quoted_with_its_number(void **state)
{
	static const char text[] = "MemTotal:       1000 kB\n"
				   "MemFree:         500 MB\n"
				   "Buffers:          xx kB\n"
				   "Dirty: 18446744073709288640 kB\n"
				   "Cached:          100 kB\n"
				   "Cached:          200 kB\n"
				   "what is this\n";
	struct input_report report;
	struct snapshot s;

	(void)state;
	read_text(text, NULL, &report, &s);
	assert_int_equal(line_with(&report, "unit is not kB")->number, 2);
	assert_int_equal(line_with(&report, "not a number")->number, 3);
	assert_int_equal(line_with(&report, "fell below zero")->number, 4);
	assert_string_equal(line_with(&report, "fell below zero")->text,
			    "Dirty: 18446744073709288640 kB");
	assert_int_equal(line_with(&report, "with another value")->number, 6);
	assert_int_equal(line_with(&report, "NAME: NUMBER kB")->number, 7);
	assert_int_equal(named_value_get(&s.meminfo, "Cached", -1), 100);
	assert_int_equal(named_value_get(&s.meminfo, "MemFree", -1), -1);
	snapshot_free(&s);
	input_report_free(&report);
}

static void a_number_that_may_be_cut_is_not_used(void **state)
{
	struct input_report report;
	struct snapshot s;

	(void)state;
	read_text("MemTotal:       1000 kB\nMemFree:         50", "nr_free_pages 12\nnr_zspages 1",
		  &report, &s);
	assert_int_equal(named_value_get(&s.meminfo, "MemFree", -1), -1);
	assert_int_equal(named_value_get(&s.vmstat, "nr_zspages", -1), -1);
	assert_int_equal(line_with(&report, "may have been cut")->number, 2);
	snapshot_free(&s);
	input_report_free(&report);
	/* A newline that an editor removed does not count as cut. */
	read_text("MemTotal:       1000 kB\nMemFree:         50 kB", NULL, &report, &s);
	assert_int_equal(named_value_get(&s.meminfo, "MemFree", -1), 50);
	assert_int_equal(report.nr, 0);
	snapshot_free(&s);
	input_report_free(&report);
}

static bool belief_of(const struct balance *b, enum figure f, enum belief belief, double kb)
{
	return b->beliefs.figures[f].belief == belief &&
	       (belief != BELIEF_CORRECTED || b->beliefs.figures[f].kb == kb);
}

/* A truncated or wrapped line is taken from another source or called unknown; nothing becomes
 * negative. */
static void missing_lines_are_named_and_never_negative(void **state)
{
	static const char head[] = "MemTotal:     100000 kB\nMemFree:       20000 kB\n"
				   "Buffers:         100 kB\nSwapCached:        0 kB\n"
				   "Active:        20000 kB\nInactive:      20000 kB\n"
				   "Unevictable:       0 kB\nAnonPages:     20000 kB\n"
				   "Shmem:           400 kB\nSlab:           9000 kB\n"
				   "SUnreclaim:     5000 kB\nPageTables:      300 kB\n";
	struct input_report report;
	struct snapshot s;
	struct balance b;
	char text[2048];

	(void)state;
	snprintf(text, sizeof(text),
		 "%sCached: 18446744073709551000 kB\nSReclaimable: 18446744073709551000 kB\n",
		 head);
	read_text(text, "nr_file_pages 5025\n", &report, &s);
	balance_build(&s, &hint, NULL, &b);
	assert_true(belief_of(&b, FIGURE_CACHED, BELIEF_CORRECTED, 20000));
	assert_true(belief_of(&b, FIGURE_S_RECLAIMABLE, BELIEF_CORRECTED, 4000));
	assert_true(belief_of(&b, FIGURE_KERNEL_STACK, BELIEF_MISSING, 0));
	assert_true(belief_of(&b, FIGURE_VMALLOC_USED, BELIEF_MISSING, 0));
	assert_true(b.unknown[BALANCE_KERNEL_STACK] && b.unknown[BALANCE_VMALLOC]);
	assert_true(b.kb[BALANCE_SLAB_UNRECLAIMABLE] == 5000);
	assert_true(b.kb[BALANCE_FILES] == 19600);
	for (size_t i = 0; i < BALANCE_LINES; i++)
		assert_true(b.kb[i] >= 0);
	snapshot_free(&s);
	input_report_free(&report);

	read_text(text, NULL, &report, &s); /* nothing else counts Cached */
	balance_build(&s, &hint, NULL, &b);
	assert_true(belief_of(&b, FIGURE_CACHED, BELIEF_MISSING, 0));
	assert_true(b.unknown[BALANCE_FILES] && b.unknown[BALANCE_OTHER_LRU]);
	snapshot_free(&s);
	input_report_free(&report);
}

static void indented_zones_are_told_apart(void **state)
{
	char *buf;
	size_t len;
	struct zone_levels z;

	(void)state;
	buf = tree_read(TESTS_DIR "/fixtures/lies/arm64-zoneinfo-indented", "zoneinfo", &len);
	assert_int_equal(zoneinfo_parse(buf, len, &z), 0);
	assert_true(z.nr >= 2);
	assert_string_equal(z.items[0].zone, "DMA32");
	assert_int_equal(z.items[0].managed, 374424);
	assert_int_equal(z.items[0].pcp, 342 + 301 + 32 + 296);
	assert_int_equal(z.items[0].cpus, 4);
	assert_string_equal(z.items[1].zone, "Normal");
	assert_int_equal(z.bad_lines, 0);
	ARRAY_FREE(&z);
	free(buf);
}

/* kmalloc caches of kernels with SLAB and 64K pages have objects of up to 32 MiB. */
static void objects_above_4_mib_are_read(void **state)
{
	static const char text[] =
		"slabinfo - version: 2.1\n"
		"size-33554432          2      2 33554432    1 8192 : tunables    1    1    0 : "
		"slabdata      2      2      0\n"
		"damaged       1099511627776 1099511627776 1073741824    1 1 : tunables    1    1 "
		"   0 : slabdata      2      2      0\n";
	struct slab_levels slabs;

	(void)state;
	assert_int_equal(slabinfo_parse(text, sizeof(text) - 1, &slabs), 0);
	assert_int_equal(slabs.nr, 1);
	assert_int_equal(slabs.items[0].object_size, 33554432);
	assert_int_equal(slabs.bad_lines, 1);
	ARRAY_FREE(&slabs);
}

static size_t bad_meminfo(const char *buf, size_t len)
{
	struct named_values v;
	size_t bad;

	assert_int_equal(meminfo_parse(buf, len, &v), 0);
	bad = v.bad_lines;
	ARRAY_FREE(&v);
	return bad;
}

static void survive(const char *buf, size_t len)
{
	for (int f = 0; f < FOREIGN_FILES; f++) {
		struct input_report report = {0};
		struct foreign_text text;

		assert_int_equal(foreign_clean(f, buf, len, &report, &text), 0);
		assert_true(text.len <= len + 1);
		assert_int_equal(foreign_report(f, &text, bad_meminfo, &report), 0);
		foreign_text_free(&text);
		input_report_free(&report);
	}
}

static void hostile_bytes_are_survived(void **state)
{
	static const char text[] =
		"\xff\xfe> MemTotal: 5 kB\r\n> | x\n\xef\xbb\xbf\xc2\xa0> \n"
		"> root@a:~# cat /proc/x\n> Node 0, zone DMA\n> |||\n> MemTotal:";

	(void)state;
	survive("", 0);
	tree_damage(text, sizeof(text) - 1, survive);
	tree_damage(text + 2, sizeof(text) - 3, survive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_read_as_the_original),
		cmocka_unit_test(a_line_that_cannot_be_read_is_quoted_with_its_number),
		cmocka_unit_test(a_number_that_may_be_cut_is_not_used),
		cmocka_unit_test(missing_lines_are_named_and_never_negative),
		cmocka_unit_test(indented_zones_are_told_apart),
		cmocka_unit_test(objects_above_4_mib_are_read),
		cmocka_unit_test(hostile_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
