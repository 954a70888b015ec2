// SPDX-License-Identifier: GPL-2.0-only
/*
 * A census in a capture. What a user would lose: a census that is read as it was taken, captures
 * without one, and a reader that survives whatever a file says of one.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "capture/census_tables_internal.h"
#include "capture_file.h"
#include "model/likeness.h"
#include "sample_capture.h"
#include "sample_census.h"
#include "write_capture.h"

static struct capture *sample_made(void)
{
	struct capture *c = sample_new("sampled");

	for (int i = 0; i < 2; i++) {
		struct snapshot *s = sample_snapshot(c, i * 10);

		sample_meminfo(s, "MemTotal", 8184832);
		sample_meminfo(s, "Slab", 3174400);
	}
	c->snapshots[1].kind = SNAPSHOT_END;
	for (int moment = 0; moment < CENSUS_MOMENTS; moment++) {
		c->census[moment] = calloc(1, sizeof(struct census));
		assert_non_null(c->census[moment]);
		sample_census(c->census[moment], 700000 + 1000 * moment);
		sample_lenses(c->census[moment], 1e6 + 1e5 * moment);
		sample_records(c->census[moment], 4 << 20);
		sample_census_kinds(c->census[moment],
				    moment ? sample_call(c, "timerfd_alloc", 3, "vmlinux") : 0);
	}
	c->census[CENSUS_AT_END]->counted = 330; /* a sample */
	return c;
}

static void write_made(void)
{
	struct capture *c = sample_made();

	write_capture(c, file);
	capture_free(c);
}

/* ---- round trip ---- */

static void sum_equal(const struct census_sum *a, const struct census_sum *b)
{
	assert_true(a->sum == b->sum && a->squares == b->squares && a->hits == b->hits);
}

static void figure_equal(const struct census_figure *a, const struct census_figure *b)
{
	assert_true(a->kb == b->kb && a->low_kb == b->low_kb && a->high_kb == b->high_kb);
}

static void kinds_equal(const struct census_kinds *a, const struct census_kinds *b)
{
	assert_int_equal(a->nr, b->nr);
	for (size_t i = 0; i < a->nr; i++) {
		const struct census_kind *x = &a->items[i], *y = &b->items[i];

		assert_int_equal(x->cache, y->cache);
		assert_int_equal(x->objects, y->objects);
		assert_true(x->effective == y->effective);
		assert_int_equal(x->sure, y->sure);
		assert_int_equal(x->nr_types, y->nr_types);
		for (int t = 0; t < KIND_TYPES; t++) {
			assert_string_equal(x->types[t].name, y->types[t].name);
			assert_true(x->types[t].score == y->types[t].score);
		}
		assert_memory_equal(x->functions, y->functions, sizeof(x->functions));
		assert_memory_equal(x->points_to, y->points_to, sizeof(x->points_to));
		assert_string_equal(x->signature, y->signature);
		assert_int_equal(x->cgroup, y->cgroup);
		assert_int_equal(x->charged, y->charged);
	}
	assert_int_equal(a->samples.nr, b->samples.nr);
	for (size_t i = 0; i < a->samples.nr; i++)
		assert_memory_equal(&a->samples.items[i], &b->samples.items[i],
				    sizeof(a->samples.items[i]));
	assert_int_equal(a->paths.nr, b->paths.nr);
	for (size_t i = 0; i < a->paths.nr; i++)
		assert_memory_equal(&a->paths.items[i], &b->paths.items[i],
				    sizeof(a->paths.items[i]));
	assert_true(a->cpu_s == b->cpu_s);
	assert_int_equal(a->skipped, b->skipped);
	assert_string_equal(a->why, b->why);
	assert_string_equal(a->lacks, b->lacks);
}

static void arrays_equal(const struct census *a, const struct census *b)
{
	kinds_equal(&a->kinds, &b->kinds);
	assert_int_equal(a->caches.nr, b->caches.nr);
	for (size_t i = 0; i < a->caches.nr; i++) {
		const struct census_cache *x = &a->caches.items[i], *y = &b->caches.items[i];

		assert_string_equal(x->name, y->name);
		assert_int_equal(x->object_bytes, y->object_bytes);
		assert_int_equal(x->reclaimable, y->reclaimable);
		assert_int_equal(x->cpu_free, y->cpu_free);
		sum_equal(&x->pages, &y->pages);
		sum_equal(&x->empty, &y->empty);
		sum_equal(&x->objects, &y->objects);
		sum_equal(&x->used, &y->used);
	}
	assert_int_equal(a->cgroups.nr, b->cgroups.nr);
	for (size_t i = 0; i < a->cgroups.nr; i++) {
		assert_string_equal(a->cgroups.items[i].path, b->cgroups.items[i].path);
		assert_true(a->cgroups.items[i].id == b->cgroups.items[i].id);
		assert_int_equal(a->cgroups.items[i].removed, b->cgroups.items[i].removed);
		assert_int_equal(a->cgroups.items[i].below, b->cgroups.items[i].below);
		assert_int_equal(a->cgroups.items[i].owners, b->cgroups.items[i].owners);
	}
	assert_int_equal(a->charges.nr, b->charges.nr);
	for (size_t i = 0; i < a->charges.nr; i++) {
		assert_int_equal(a->charges.items[i].cache, b->charges.items[i].cache);
		assert_int_equal(a->charges.items[i].class, b->charges.items[i].class);
		assert_int_equal(a->charges.items[i].cgroup, b->charges.items[i].cgroup);
		sum_equal(&a->charges.items[i].nr, &b->charges.items[i].nr);
	}
	assert_int_equal(a->origins_known, b->origins_known);
	assert_int_equal(a->origins.nr, b->origins.nr);
	for (size_t i = 0; i < a->origins.nr; i++) {
		assert_string_equal(a->origins.items[i].kind, b->origins.items[i].kind);
		assert_string_equal(a->origins.items[i].name, b->origins.items[i].name);
		assert_int_equal(a->origins.items[i].counted, b->origins.items[i].counted);
		assert_int_equal(a->origins.items[i].nr, b->origins.items[i].nr);
		sum_equal(&a->origins.items[i].pages, &b->origins.items[i].pages);
	}
	assert_int_equal(a->nodes.nr, b->nodes.nr);
	for (size_t i = 0; i < a->nodes.nr; i++) {
		assert_int_equal(a->nodes.items[i].cache, b->nodes.items[i].cache);
		assert_int_equal(a->nodes.items[i].node, b->nodes.items[i].node);
		sum_equal(&a->nodes.items[i].pages, &b->nodes.items[i].pages);
	}
}

static void estimate_equal(const struct lens_sum *a, const struct lens_sum *b)
{
	assert_true(a->value == b->value && a->variance == b->variance);
}

static void lenses_equal(const struct census_lenses *a, const struct census_lenses *b)
{
	assert_true(b->taken == a->taken && b->named == a->named &&
		    b->spaces_whole == a->spaces_whole);
	assert_string_equal(a->absent, b->absent);
	assert_true(a->cpu_s == b->cpu_s && a->unrecognised == b->unrecognised &&
		    a->lost == b->lost && a->holders_whole == b->holders_whole);
	assert_int_equal(a->holders.nr, b->holders.nr);
	assert_memory_equal(a->holders.items, b->holders.items,
			    a->holders.nr * sizeof(*a->holders.items));
	for (int lens = 0; lens < LENSES; lens++) {
		assert_int_equal(isnan(a->share[lens]), isnan(b->share[lens]));
		assert_true(isnan(a->share[lens]) || a->share[lens] == b->share[lens]);
		assert_int_equal(a->sampled[lens], b->sampled[lens]);
	}
	assert_int_equal(a->rows.nr, b->rows.nr);
	for (size_t i = 0; i < a->rows.nr; i++) {
		const struct lens_row *x = &a->rows.items[i], *y = &b->rows.items[i];

		assert_true(x->lens == y->lens && x->space == y->space && x->cgroup == y->cgroup);
		assert_string_equal(x->what, y->what);
		assert_string_equal(x->device, y->device);
		assert_string_equal(x->kind, y->kind);
		assert_string_equal(x->state, y->state);
		assert_string_equal(x->family, y->family);
		estimate_equal(&x->objects, &y->objects);
		estimate_equal(&x->kb, &y->kb);
		estimate_equal(&x->held_kb, &y->held_kb);
		estimate_equal(&x->queued_kb, &y->queued_kb);
	}
	assert_int_equal(a->spaces.nr, b->spaces.nr);
	assert_memory_equal(a->spaces.items, b->spaces.items,
			    a->spaces.nr * sizeof(*a->spaces.items));
	assert_int_equal(a->directories.nr, b->directories.nr);
	for (size_t i = 0; i < a->directories.nr; i++) {
		const struct lens_directory *x = &a->directories.items[i],
					    *y = &b->directories.items[i];

		assert_string_equal(x->path, y->path);
		assert_string_equal(x->what, y->what);
		assert_string_equal(x->device, y->device);
		estimate_equal(&x->objects, &y->objects);
		estimate_equal(&x->negative, &y->negative);
		assert_true(x->kb == y->kb);
	}
	assert_int_equal(a->paths.nr, b->paths.nr);
	for (size_t i = 0; i < a->paths.nr; i++) {
		const struct lens_path *x = &a->paths.items[i], *y = &b->paths.items[i];

		assert_true(x->lens == y->lens && x->deleted == y->deleted && x->most == y->most &&
			    x->processes == y->processes && x->pid == y->pid);
		assert_string_equal(x->path, y->path);
		assert_string_equal(x->what, y->what);
		assert_string_equal(x->device, y->device);
		assert_string_equal(x->comm, y->comm);
		estimate_equal(&x->objects, &y->objects);
	}
}

static void records_equal(const struct alloc_records *a, const struct alloc_records *b)
{
	assert_int_equal(a->sources.nr, b->sources.nr);
	assert_memory_equal(a->sources.items, b->sources.items,
			    a->sources.nr * sizeof(*a->sources.items));
	assert_int_equal(a->sites.nr, b->sites.nr);
	assert_memory_equal(a->sites.items, b->sites.items, a->sites.nr * sizeof(*a->sites.items));
	assert_int_equal(a->paths.nr, b->paths.nr);
	assert_memory_equal(a->paths.items, b->paths.items, a->paths.nr * sizeof(*a->paths.items));
}

/* Whatever is computed from the two is the same, and so are the lines of /proc beside it. */
static void sheets_equal(const struct census *a, const struct census *b)
{
	struct census_sheet x = {0}, y = {0};

	assert_int_equal(census_sheet_build(a, &x), 0);
	assert_int_equal(census_sheet_build(b, &y), 0);
	for (int class = 0; class < CENSUS_CLASSES; class ++) {
		figure_equal(&x.rows[class].figure, &y.rows[class].figure);
		assert_int_equal(x.rows[class].differs, y.rows[class].differs);
		if (!isnan(x.rows[class].line_kb) || !isnan(y.rows[class].line_kb))
			assert_true(x.rows[class].line_kb == y.rows[class].line_kb);
	}
	figure_equal(&x.total, &y.total);
	assert_true(x.removed == y.removed && x.removed_kb == y.removed_kb);
	census_sheet_free(&x);
	census_sheet_free(&y);
}

static void a_census_is_read_as_it_was_taken(void **state)
{
	struct capture *made = sample_made(), *c;

	(void)state;
	write_capture(made, file);
	assert_int_equal(read_back(&c), 0);
	for (int moment = 0; moment < CENSUS_MOMENTS; moment++) {
		const struct census *a = made->census[moment], *b = c->census[moment];

		assert_non_null(b);
		assert_true(a->wall_s == b->wall_s && a->took_s == b->took_s &&
			    a->cpu_s == b->cpu_s);
		assert_true(a->units == b->units && a->counted == b->counted &&
			    a->frames == b->frames && a->lost == b->lost);
		assert_int_equal(a->page_bytes, b->page_bytes);
		assert_int_equal(a->unknown, b->unknown);
		assert_int_equal(a->cpus, b->cpus);
		for (int class = 0; class < CENSUS_CLASSES; class ++)
			sum_equal(&a->pages[class], &b->pages[class]);
		arrays_equal(a, b);
		lenses_equal(&a->lenses, &b->lenses);
		records_equal(&a->records, &b->records);
		sheets_equal(a, b);
	}
	capture_free(c);
	capture_free(made);
}

/* Events of vmstat say nothing of a census, and there are many. */
static void of_vmstat_only_levels_are_stored(void **state)
{
	static const char vmstat[] = "nr_zspages 77\npgalloc_normal 123456\n";
	struct capture *made = sample_made(), *c;
	struct census *start = made->census[CENSUS_AT_START];

	(void)state;
	assert_int_equal(vmstat_parse(vmstat, strlen(vmstat), &start->before.vmstat), 0);
	assert_int_equal(vmstat_parse(vmstat, strlen(vmstat), &start->after.vmstat), 0);
	write_capture(made, file);
	assert_int_equal(read_back(&c), 0);
	assert_int_equal(c->census[CENSUS_AT_START]->before.vmstat.nr, 1);
	assert_int_equal(
		named_value_get(&c->census[CENSUS_AT_START]->after.vmstat, "nr_zspages", 0), 77);
	capture_free(c);
	capture_free(made);
}

/* Captures of main before there were censuses, and recordings with --no-census. */
static void captures_without_a_census_are_read(void **state)
{
	struct capture *c;

	(void)state;
	write_made();
	sql("DROP VIEW census_kinds; DROP VIEW census_pages; DROP VIEW census_caches; DROP VIEW "
	    "census_charges; DROP TABLE census_kind; DROP TABLE census_kind_sample; DROP TABLE "
	    "census_path;"
	    "DROP VIEW census_objects; DROP TABLE census_lenses; DROP TABLE census_lens; DROP "
	    "TABLE census_object; DROP TABLE census_space; DROP TABLE census_directory;"
	    "DROP TABLE census_place;"
	    "DROP TABLE census_source; DROP TABLE census_site; DROP TABLE census_alloc_path;"
	    "DROP TABLE census_holder; DROP TABLE census; DROP TABLE census_line; DROP TABLE census_page; DROP TABLE "
	    "census_cache; DROP TABLE census_cgroup; DROP TABLE census_charge; DROP TABLE "
	    "census_node; DROP TABLE census_origin");
	assert_int_equal(read_back(&c), 0);
	assert_null(c->census[CENSUS_AT_START]);
	assert_null(c->census[CENSUS_AT_END]);
	assert_int_equal(c->nr_snapshots, 2);
	capture_free(c);

	write_made();
	/* of versions that did not know them */
	sql("DROP TABLE census_source; DROP TABLE census_site; DROP TABLE census_alloc_path;"
	    "DROP TABLE census_node; DROP VIEW census_objects; DROP TABLE census_lenses; "
	    "DROP TABLE census_lens; DROP TABLE census_object; DROP TABLE census_space; "
	    "DROP TABLE census_directory; DROP VIEW census_kinds; DROP TABLE census_kind; "
	    "DROP TABLE census_kind_sample; DROP TABLE census_path; DROP TABLE census_holder; "
	    "DROP TABLE census_place");
	assert_int_equal(read_back(&c), 0);
	assert_false(c->census[CENSUS_AT_START]->lenses.taken);
	assert_int_equal(c->census[CENSUS_AT_START]->lenses.rows.nr, 0);
	assert_int_equal(c->census[CENSUS_AT_START]->kinds.nr, 0);
	assert_int_equal(c->census[CENSUS_AT_START]->nodes.nr, 0);
	assert_int_equal(c->census[CENSUS_AT_START]->records.sources.nr, 0);
	assert_int_equal(c->census[CENSUS_AT_START]->caches.nr, 2);
	capture_free(c);
}

/* ---- what is not true ---- */

/* Shares are shares, whatever the file says. */
static void report_is_sane(const struct capture *c)
{
	struct likeness like = {0};
	struct census_sheet s = {0};

	assert_int_equal(census_sheet_build(c->census[CENSUS_AT_START], &s), 0);
	assert_int_equal(likeness_build(&s, c, &like), 0);
	for (size_t i = 0; i < s.kinds.top.nr; i++) {
		const struct kind_row *row = s.kinds.top.items[i].row;

		assert_true(row->share >= 0 && row->share <= 1);
		assert_true(row->share_low >= 0 && row->share_high <= 1);
		assert_true(!row->cgroup || row->cgroup_share <= 1);
	}
	for (size_t i = 0; i < like.paths.nr; i++) {
		assert_true(like.paths.items[i].share >= 0 && like.paths.items[i].share <= 1);
		assert_true(like.paths.items[i].share_low <= like.paths.items[i].share_high);
	}
	likeness_free(&like);
	census_sheet_free(&s);
}

static void hostile_rows_of_a_census_are_refused(void **state)
{
	static const struct {
		const char *sql, *words; /* NULL: the capture is read */
	} cases[] = {
		{"UPDATE census SET moment='later' WHERE id=2", "not one of two moments"},
		{"UPDATE census SET moment='start' WHERE id=2", "not one of two moments"},
		{"UPDATE census SET id=3 WHERE id=2", "next id"},
		{"INSERT INTO census SELECT 3, 'end', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, '', ''",
		 "more than 2 rows"},
		{"DELETE FROM census", "there is no census"},
		{"UPDATE census SET counted=units+1", "out of range"},
		{"UPDATE census SET units=-1, counted=0", "out of range"},
		{"UPDATE census SET page_bytes=0", "out of range"},
		{"UPDATE census SET took_s=-1", "out of range"},
		{"UPDATE census SET took_s='long'", "not a real"},
		{"UPDATE census SET counted=0", "out of range"},
		{"UPDATE census_line SET file='mounts' WHERE name='Slab'", "no such line"},
		{"UPDATE census_line SET file='zoneinfo' WHERE name='Slab'", "no such line"},
		{"UPDATE census_line SET before=9007199254740993", "out of range"},
		{"UPDATE census_line SET name=printf('%.*c', 64, 'x')", "too long"},
		{"UPDATE census_line SET census=3", "out of range"},
		{"UPDATE census_page SET class='gold'", "no such class"},
		{"UPDATE census_page SET pages=-1", "out of range"},
		{"UPDATE census_page SET pages_squares=9e999", "out of range"},
		{"UPDATE census_page SET pages_hits=1.5", "not an integer"},
		{"UPDATE census_cache SET number=7 WHERE number=2", "next id"},
		{"UPDATE census_cache SET census=0", "out of range"},
		{"UPDATE census_cache SET object_bytes=0", "out of range"},
		{"UPDATE census_cache SET name=printf('%.*c', 64, 'x')", "too long"},
		{"UPDATE census_cache SET name='a' || char(0)", "NUL"},
		{"UPDATE census_cache SET reclaimable=2", "out of range"},
		{"UPDATE census_cache SET cpu_free=-2", "out of range"},
		{"UPDATE census_cache SET name=char(27) || '[2J'", NULL},
		{"UPDATE census_cgroup SET path=printf('%.*c', 256, 'x')", "too long"},
		{"UPDATE census_cgroup SET owners=-1", "out of range"},
		{"UPDATE census_charge SET cache=3", "out of range"},
		{"UPDATE census_charge SET cache=-1", "out of range"},
		{"UPDATE census_charge SET cgroup=0", "out of range"},
		{"UPDATE census_charge SET cgroup=3", "out of range"},
		{"UPDATE census_charge SET cgroup=4294967297", "out of range"},
		{"UPDATE census_charge SET class='gold'", "no such class"},
		{"UPDATE census_node SET cache=0", "out of range"},
		{"UPDATE census_origin SET kind=printf('%.*c', 16, 'x')", "too long"},
		{"UPDATE census_origin SET kind='gold'", NULL}, /* of a later version */
		{"UPDATE census_origin SET counted=2", "out of range"},
		{"UPDATE census_origin SET objects=-1", "out of range"},
		{"UPDATE census_origin SET pages=-1", "out of range"},
		{"UPDATE census SET files_read=2", "out of range"},
		{"UPDATE census_lenses SET census=1", "a second row"},
		{"UPDATE census_lenses SET cpu_s=-1", "out of range"},
		{"UPDATE census_lenses SET absent=printf('%.*c', 200, 'x')", "too long"},
		{"UPDATE census_lenses SET named=2", "out of range"},
		{"UPDATE census_lenses SET lost=-1", "out of range"},
		{"INSERT INTO census_lenses VALUES (1, '', 0, 0, 0, 0, 0, 0)", "more than 2 rows"},
		{"UPDATE census_lens SET lens='gold'", "no such kind of objects"},
		{"UPDATE census_lens SET looked=1.5", "out of range"},
		{"UPDATE census_object SET lens='gold'", "no such kind of objects"},
		{"UPDATE census_object SET cgroup=3", "out of range"},
		{"UPDATE census_object SET namespace=4294967296", "out of range"},
		{"UPDATE census_object SET objects=-1", "out of range"},
		{"UPDATE census_object SET objects_variance=9e999", "out of range"},
		{"UPDATE census_object SET what=printf('%.*c', 32, 'x')", "too long"},
		{"UPDATE census_object SET kind=char(27) || '[2J'", NULL},
		{"UPDATE census_object SET number=9 WHERE number=2", "next id"},
		{"UPDATE census_space SET pid=-1", "out of range"},
		{"UPDATE census_space SET comm=printf('%.*c', 16, 'x')", "too long"},
		{"UPDATE census_directory SET path=printf('%.*c', 256, 'x')", "too long"},
		{"UPDATE census_directory SET kb=-1", "out of range"},
		{"UPDATE census_place SET lens='gold'", "no such kind of objects"},
		{"UPDATE census_place SET path=printf('%.*c', 256, 'x')", "too long"},
		{"UPDATE census_place SET deleted=2", "out of range"},
		{"UPDATE census_place SET objects=-1", "out of range"},
		{"UPDATE census_place SET most=-1", "out of range"},
		{"UPDATE census_place SET comm=printf('%.*c', 16, 'x')", "too long"},
		{"UPDATE census_holder SET lens='gold'", "no such kind of objects"},
		{"UPDATE census_holder SET comm=printf('%.*c', 16, 'x')", "too long"},
		{"UPDATE census_holder SET objects=-1", "out of range"},
		{"UPDATE census_holder SET held_kb=-1", "out of range"},
		{"UPDATE census_lenses SET holders_whole=2", "out of range"},
		{"UPDATE census_source SET name=printf('%.*c', 16, 'x')", "too long"},
		{"UPDATE census_source SET name='gold'", NULL}, /* of a later version */
		{"UPDATE census_source SET bytes=9007199254740993", "out of range"},
		{"UPDATE census_site SET bytes=-1", "out of range"},
		{"UPDATE census_site SET line=4294967296", "out of range"},
		{"UPDATE census_site SET file=printf('%.*c', 96, 'x')", "too long"},
		{"UPDATE census_site SET inaccurate=2", "out of range"},
		{"UPDATE census_alloc_path SET frames=printf('%.*c', 1024, 'x')", "too long"},
		{"UPDATE census_alloc_path SET frames=' <  < '", NULL},
		{"UPDATE census_alloc_path SET bytes=-1", "out of range"},
		{"UPDATE census SET kinds_cpu_s=-1", "out of range"},
		{"UPDATE census SET kinds_missing=printf('%.*c', 200, 'x')", "too long"},
		{"UPDATE census_kind SET cache=0", "out of range"},
		{"UPDATE census_kind SET cache=9", "out of range"},
		{"UPDATE census_kind SET objects=-1", "out of range"},
		{"UPDATE census_kind SET objects=2147483647", NULL}, /* more than were looked at */
		{"UPDATE census_kind SET effective=-1", "out of range"},
		{"UPDATE census_kind SET effective=0", NULL},
		{"UPDATE census_kind SET effective=1e300", "out of range"},
		{"UPDATE census_kind SET sure=3", "out of range"},
		{"UPDATE census_kind SET types=4", "out of range"},
		{"UPDATE census_kind SET type=printf('%.*c', 64, 'x')", "too long"},
		{"UPDATE census_kind SET score=-1e7", "out of range"},
		{"UPDATE census_kind SET functions='a b c d e f g'", "not a list of names"},
		{"UPDATE census_kind SET functions=printf('%.*c', 64, 'x')", "not a list of names"},
		{"UPDATE census_kind SET points_to=printf('%.*c', 400, 'x')", "too long"},
		{"UPDATE census_kind SET points_to='  a   b '", NULL},
		{"UPDATE census_kind SET signature=printf('%.*c', 512, 'x')", "too long"},
		{"UPDATE census_kind SET signature='99999999999999999999:x ::: 7 -1:y {'", NULL},
		{"UPDATE census_kind SET cgroup=9", "out of range"},
		{"UPDATE census_kind SET charged=2147483647", NULL}, /* more than there are */
		{"UPDATE census_kind_sample SET live=0", NULL},
		{"UPDATE census_kind_sample SET cache=4", "out of range"},
		{"UPDATE census_path SET kind=4", "out of range"},
		{"UPDATE census_path SET kind=-1", "out of range"},
		{"UPDATE census_path SET stack=0", "out of range"},
		{"UPDATE census_path SET stack=2", "out of range"},
		{"UPDATE census_path SET alike=2147483647", NULL}, /* more than were looked at */
		{"UPDATE census_path SET looked=0", NULL},
		{"UPDATE census_path SET objects=-1", "out of range"},
		{"UPDATE census_path SET objects=0", NULL},
		{"DELETE FROM stack_frame; DELETE FROM stack", "out of range"},
		{"DELETE FROM census_cgroup", "out of range"},
		{"WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i+1 FROM n) INSERT INTO "
		 "census_cache SELECT 1, i, 'x', 8, 0, 0, 0,0,0, 0,0,0, 0,0,0, 0,0,0 FROM n LIMIT "
		 "20000",
		 "more than 16384 rows"},
		{"ALTER TABLE census_cache ADD COLUMN extra", "not the table"},
		{"DROP VIEW census_charges; ALTER TABLE census_charge RENAME TO h; CREATE VIEW "
		 "census_charge AS SELECT * FROM h",
		 "not the table"},
	};
	struct capture *c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err;

		write_made();
		sql(cases[i].sql);
		err = read_back(&c);
		if (!err != !cases[i].words || (err && !strstr(said, cases[i].words)))
			fail_msg("%s: %s", cases[i].sql, said);
		if (!err) {
			sheets_equal(c->census[CENSUS_AT_START], c->census[CENSUS_AT_START]);
			report_is_sane(c);
			capture_free(c);
		}
	}
}

/* A million charges fit into the bounds of a capture; what does not fit is refused, not killed. */
static void charges_of_a_large_host_are_read(void **state)
{
	static const char many[] =
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
		"INSERT INTO census_charge SELECT 1, i+2, 1, 'slab', 1, 1, 0, 1 FROM n LIMIT %d";
	struct capture *c;
	char text[256];

	(void)state;
	write_made();
	snprintf(text, sizeof(text), many, 500000);
	sql(text);
	assert_int_equal(read_back(&c), 0);
	assert_int_equal(c->census[CENSUS_AT_START]->charges.nr, 500002);
	capture_free(c);
	write_made();
	snprintf(text, sizeof(text), many, 2000000);
	sql(text);
	assert_int_equal(read_back(&c), -EFBIG);
	assert_non_null(strstr(said, "384 MiB"));
}

static void the_writer_refuses_a_census_that_cannot_be_read(void **state)
{
	struct capture *made = sample_made(), *c;
	struct census *bad = made->census[CENSUS_AT_END];
	struct capture_writer *w;

	(void)state;
	assert_int_equal(capture_writer_new(file, true, &w), 0);
	assert_int_equal(capture_put_snapshot(w, &made->snapshots[0]), 0);
	assert_int_equal(capture_put_census(w, CENSUS_AT_START, made->census[CENSUS_AT_START]), 0);
	said_begin();
	bad->charges.items[0].cgroup = 99;
	assert_int_equal(capture_put_census(w, CENSUS_AT_END, bad), -EINVAL);
	bad->charges.items[0].cgroup = 0;
	bad->caches.items[0].object_bytes = 0;
	assert_int_equal(capture_put_census(w, CENSUS_AT_END, bad), -EINVAL);
	bad->caches.items[0].object_bytes = 192;
	bad->kinds.paths.items[0].stack = 1; /* this file has no stacks */
	assert_int_equal(capture_put_census(w, CENSUS_AT_END, bad), -EINVAL);
	bad->kinds.paths.nr = 0;
	bad->kinds.items[0].effective = NAN;
	assert_int_equal(capture_put_census(w, CENSUS_AT_END, bad), -EINVAL);
	bad->kinds.items[0].effective = 1;
	bad->pages[CENSUS_SLAB].sum = NAN;
	assert_int_equal(capture_put_census(w, CENSUS_AT_END, bad), -EINVAL);
	said_end();
	assert_int_equal(capture_finish(w), 0);
	assert_int_equal(read_back(&c), 0); /* the capture is as good as without it */
	assert_true(c->complete);
	assert_non_null(c->census[CENSUS_AT_START]);
	assert_null(c->census[CENSUS_AT_END]);
	capture_free(c);
	capture_free(made);
}

/* ---- for people with sqlite3 ---- */

static int keep_number(void *to, int n, char **values, char **names)
{
	(void)names;
	assert_int_equal(n, 1);
	*(double *)to = values[0] ? atof(values[0]) : NAN;
	return 0;
}

static double ask(const char *text)
{
	char *why = NULL;
	double v = NAN;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, keep_number, &v, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	sqlite3_close(db);
	return v;
}

static void views_say_what_the_sheet_says(void **state)
{
	struct capture *made = sample_made();
	struct census_sheet s = {0};

	(void)state;
	write_capture(made, file);
	assert_int_equal(census_sheet_build(made->census[CENSUS_AT_END], &s), 0);
	assert_float_equal(ask("SELECT kb FROM census_pages WHERE moment='end' AND class='slab'"),
			   s.rows[CENSUS_SLAB].figure.kb, 0.01);
	assert_float_equal(ask("SELECT kb FROM census_caches WHERE moment='end' AND name='dentry'"),
			   s.caches[0].figure.kb, 0.01);
	assert_float_equal(
		ask("SELECT objects FROM census_caches WHERE moment='end' AND name='kmalloc-64'"),
		s.caches[1].objects.kb, 0.01);
	assert_float_equal(ask("SELECT kb FROM census_charges WHERE moment='end' AND "
			       "cache='dentry' AND path='/pod'"),
			   s.items[0].figure.kb, 0.01);
	assert_float_equal(ask("SELECT objects FROM census_objects WHERE moment='end' AND "
			       "lens='dentries' AND state='negative' AND cgroup='/pod'"),
			   s.lenses.objects[LENS_DENTRIES].value, 0.01);
	assert_float_equal(ask("SELECT kb FROM census_charges WHERE moment='end' AND class='file'"),
			   s.cgroups[1].figure.kb > s.cgroups[0].figure.kb ? s.cgroups[0].figure.kb
									   : s.cgroups[1].figure.kb,
			   0.01);
	assert_float_equal(ask("SELECT objects FROM census_kinds WHERE moment='end' AND "
			       "type='timerfd_ctx'"),
			   s.kinds.top.items[0].row->objects, 0.01);
	census_sheet_free(&s);
	capture_free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_census_is_read_as_it_was_taken),
		cmocka_unit_test(of_vmstat_only_levels_are_stored),
		cmocka_unit_test(captures_without_a_census_are_read),
		cmocka_unit_test(hostile_rows_of_a_census_are_refused),
		cmocka_unit_test(charges_of_a_large_host_are_read),
		cmocka_unit_test(the_writer_refuses_a_census_that_cannot_be_read),
		cmocka_unit_test(views_say_what_the_sheet_says),
	};

	return cmocka_run_group_tests(tests, capture_file_new, capture_file_remove);
}
