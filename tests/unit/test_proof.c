// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `record --prove` found, from the capture to the report. What a user would lose: a proof that
 * is read as it was taken, "leaked" where nothing points to the objects of a call path and nowhere
 * else, captures without one, and a reader that survives whatever a file says of one.
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
#include <jansson.h>
#include <sqlite3.h>

#include "capture_file.h"
#include "report_text.h"
#include "sample_capture.h"
#include "write_capture.h"

/* The objects of the pipes' call path, all of which are of kmalloc-cg-1k. */
static struct refs *sample_proof(struct capture *c, uint32_t stack, const char *cache)
{
	struct proof *p = ARRAY_PUSH(&c->proofs);
	struct refs *r = &p->refs;

	assert_non_null(p);
	p->stack = stack;
	snprintf(r->cache, sizeof(r->cache), "%s", cache);
	r->object_bytes = 1024;
	r->in_use = 1200;
	r->wall_s = 1700000031;
	r->took_s = 4.5;
	r->cpu_s = 1.25;
	r->apart_s = 3;
	r->found_all = true;
	r->levels = 1;
	for (int i = 0; i < REFS_SCANS; i++)
		r->scans[i] = (struct refs_scan){.frames = 1000000, .frames_all = 1000000};
	r->scans[1].faults = 2;
	r->control_kind = REFS_CONTROL_PATHS;
	r->control = (struct refs_counts){.checked = 300, .unreferenced = 1};
	r->holders_known = true;
	return r;
}

static void sample_holder(struct refs *r, int32_t pid, const char *name, uint64_t objects)
{
	struct refs_referrer *from = ARRAY_PUSH(&r->referrers);
	struct refs_holder *h = ARRAY_PUSH(&r->holders);

	assert_true(from && h);
	*from = (struct refs_referrer){.class = CENSUS_SLAB,
				       .cache = "filp",
				       .type = "file",
				       .field = "private_data",
				       .objects = objects,
				       .references = objects + 1};
	*h = (struct refs_holder){.kind = REFS_HOLDER_FILE_TABLE,
				  .pid = pid,
				  .cgroup_path = "/system.slice/plant.service",
				  .through = "file.private_data",
				  .certain = true,
				  .objects = objects};
	snprintf(h->name, sizeof(h->name), "%s", name);
	r->referenced = r->held = objects;
}

static struct capture *with_leak(void)
{
	struct capture *c = sample_whole();
	struct refs *r = sample_proof(c, 1, "kmalloc-cg-1k");

	sample_meta(c, META_PROOF, "ok");
	r->sample = (struct refs_counts){.checked = 385,
					 .unreferenced = 377,
					 .weak = 5,
					 .own_kind = 2,
					 .dropped = 1,
					 .freed = 7};
	return c;
}

static struct capture *with_holder(void)
{
	struct capture *c = sample_whole();
	struct refs *r = sample_proof(c, 1, "kmalloc-cg-1k");

	sample_meta(c, META_PROOF, "ok");
	r->sample = (struct refs_counts){.checked = 385};
	sample_holder(r, 4242, "plant", 380);
	return c;
}

/* ---- the capture ---- */

static void a_proof_is_read_as_it_was_taken(void **state)
{
	struct capture *made = with_holder(), *c;
	const struct refs *a, *b;

	(void)state;
	made->proofs.items[0].refs.all_objects = true;
	write_capture(made, file);
	assert_int_equal(read_back(&c), 0);
	assert_int_equal(c->proofs.nr, 1);
	assert_int_equal(c->proofs.items[0].stack, 1);
	a = &made->proofs.items[0].refs;
	b = &c->proofs.items[0].refs;
	assert_string_equal(a->cache, b->cache);
	assert_int_equal(a->object_bytes, b->object_bytes);
	assert_int_equal(a->in_use, b->in_use);
	assert_true(b->all_objects && b->holders_known && !b->holders_partial);
	assert_memory_equal(&a->sample, &b->sample, sizeof(a->sample));
	assert_int_equal(a->control_kind, b->control_kind);
	assert_memory_equal(&a->control, &b->control, sizeof(a->control));
	assert_int_equal(a->levels, b->levels);
	assert_int_equal(a->referenced, b->referenced);
	assert_int_equal(a->held, b->held);
	assert_true(a->wall_s == b->wall_s && a->took_s == b->took_s && a->cpu_s == b->cpu_s &&
		    a->apart_s == b->apart_s);
	assert_int_equal(b->scans[1].faults, 2);
	assert_true(refs_scan_is_whole(&b->scans[0]) && refs_scan_is_whole(&b->scans[1]));
	assert_int_equal(b->referrers.nr, 1);
	assert_memory_equal(a->referrers.items, b->referrers.items, sizeof(a->referrers.items[0]));
	assert_int_equal(b->holders.nr, 1);
	assert_memory_equal(a->holders.items, b->holders.items, sizeof(a->holders.items[0]));
	capture_free(c);
	capture_free(made);
}

/* If either scan was cut short, the absence of pointers proves nothing. */
static void a_scan_that_was_cut_short_stays_so(void **state)
{
	struct capture *c;

	(void)state;
	for (int scan = 0; scan < REFS_SCANS; scan++) {
		struct capture *made = with_leak();
		struct refs_sheet sheet;

		made->proofs.items[0].refs.scans[scan].frames = 999999;
		write_capture(made, file);
		capture_free(made);
		assert_int_equal(read_back(&c), 0);
		refs_sheet_build(&c->proofs.items[0].refs, &sheet);
		assert_int_equal(sheet.verdict, REFS_PARTIAL);
		capture_free(c);
	}
}

static void captures_without_proofs_are_read(void **state)
{
	struct capture *made = with_leak(), *c;

	(void)state;
	write_capture(made, file);
	capture_free(made);
	sql("DROP TABLE proof_holder");
	assert_int_equal(read_back(&c), 0);
	assert_int_equal(c->proofs.nr, 1);
	capture_free(c);
	sql("DROP TABLE proof_referrer; DROP TABLE proof");
	assert_int_equal(read_back(&c), 0);
	assert_int_equal(c->proofs.nr, 0);
	capture_free(c);
}

static void hostile_rows_of_a_proof_are_refused(void **state)
{
	static const struct {
		const char *sql, *words; /* NULL: the capture is read */
	} cases[] = {
		{"UPDATE proof SET id=2", "next id"},
		{"UPDATE proof SET stack=0", "out of range"},
		{"UPDATE proof SET stack=99", "out of range"},
		{"UPDATE proof SET stack='x'", "not an integer"},
		{"UPDATE proof SET cache=printf('%.*c', 64, 'x')", "too long"},
		{"UPDATE proof SET cache='a' || char(0)", "NUL"},
		{"UPDATE proof SET cache=char(27) || '[2J'", NULL},
		{"UPDATE proof SET checked=9007199254740992", "out of range"},
		{"UPDATE proof SET checked=4096", NULL},
		{"UPDATE proof SET unreferenced=386", "out of range"},
		{"UPDATE proof SET unreferenced=385",
		 "out of range"}, /* with only_page, too many */
		{"UPDATE proof SET unreferenced=-1", "out of range"},
		{"UPDATE proof SET only_own_cache=385", "out of range"},
		{"UPDATE proof SET dropped=3", "out of range"},
		{"UPDATE proof SET closed=2", "out of range"},
		{"UPDATE proof SET changed=385", "out of range"},
		{"UPDATE proof SET control='gold'", "no such control"},
		{"UPDATE proof SET control_unreferenced=301", "out of range"},
		{"UPDATE proof SET held_objects=-1", "out of range"},
		{"UPDATE proof SET held_objects=9007199254740992", NULL},
		{"UPDATE proof SET all_objects=2", "out of range"},
		{"UPDATE proof SET frames=frames_all+1", "out of range"},
		{"UPDATE proof SET frames=0, frames_all=0", NULL},
		{"UPDATE proof SET took_s=-1", "out of range"},
		{"UPDATE proof SET took_s=9e999", "out of range"},
		{"UPDATE proof SET cpu_s='long'", "not a real"},
		{"UPDATE proof SET with_holder=386", "out of range"},
		{"UPDATE proof_referrer SET proof=2", "out of range"},
		{"UPDATE proof_referrer SET class='gold'", "no such class"},
		{"UPDATE proof_referrer SET objects=386", "out of range"},
		{"UPDATE proof_referrer SET field=printf('%.*c', 128, 'x')", "too long"},
		{"UPDATE proof_referrer SET type=x'ff'", "not a text"},
		{"UPDATE proof_holder SET kind='gold'", "no such kind"},
		{"UPDATE proof_holder SET pid=-1", "out of range"},
		{"UPDATE proof_holder SET name=char(27) || '[2J'", NULL},
		{"UPDATE proof_holder SET objects=1.5", "not an integer"},
		{"DELETE FROM proof", "there is no proof"},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) INSERT INTO "
		 "proof_holder SELECT 1, 'process', 'x', 1, '', '', 1, 1 FROM n LIMIT 64",
		 "more rows than a proof has"},
		{"ALTER TABLE proof ADD COLUMN extra", "not the table"},
		{"ALTER TABLE proof RENAME TO p; CREATE VIEW proof AS SELECT * FROM p",
		 "not the table"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capture *made = with_leak(), *c;
		int err;

		sample_holder(&made->proofs.items[0].refs, 13, "holder", 8);
		write_capture(made, file);
		capture_free(made);
		sql(cases[i].sql);
		err = read_back(&c);
		if (!err != !cases[i].words || (err && !strstr(said, cases[i].words)))
			fail_msg("%s: %s", cases[i].sql, said);
		if (!err) { /* whatever it says, a report can be made of it */
			char *text = report_text_of(c, GROWTH_BY_STACK, report_all_json);

			assert_null(strchr(text, '\x1b'));
			free(text);
			capture_free(c);
		}
	}
}

static void the_writer_refuses_a_proof_that_cannot_be_read(void **state)
{
	struct capture *made = with_leak(), *c;
	struct proof bad = made->proofs.items[0];
	struct capture_writer *w;

	(void)state;
	write_capture(made, file);
	assert_int_equal(capture_writer_new(file, true, &w), 0);
	assert_int_equal(capture_put_snapshot(w, &made->snapshots[0]), 0);
	said_begin();
	assert_int_equal(capture_put_proof(w, &bad), -EINVAL); /* there is no such stack */
	said_end();
	assert_int_equal(capture_finish(w), 0);
	assert_int_equal(read_back(&c), 0);
	assert_true(c->complete);
	assert_int_equal(c->proofs.nr, 0);
	capture_free(c);
	capture_free(made);
}

/* ---- the report ---- */

static int whole_text(const struct report *r, FILE *out)
{
	const struct report_options all = {.sections = ~0u, .top = SIZE_MAX};

	return report_text(r, &all, out);
}

/* The text of a report (c is freed) with line breaks and indents as one blank. */
static char *flat_text(struct capture *c)
{
	char *text = report_text_of(c, GROWTH_BY_STACK, whole_text), *to = text;

	for (const char *from = text; *from; from++)
		if (*from == '\n' || *from == ' ') {
			if (to > text && to[-1] != ' ')
				*to++ = ' ';
		} else {
			*to++ = *from;
		}
	*to = '\0';
	capture_free(c);
	return text;
}

static void expect_text(struct capture *c, const char *const *wanted, const char *unwanted)
{
	char *text = flat_text(c);

	for (; *wanted; wanted++)
		if (!strstr(text, *wanted))
			fail_msg("\"%s\" is not in: %s", *wanted, text);
	if (unwanted && strstr(text, unwanted))
		fail_msg("\"%s\" is in: %s", unwanted, text);
	free(text);
}

/* 30 s are too short for the rules about growth, but not for a proof. */
static void what_nothing_points_to_is_leaked(void **state)
{
	static const char *const wanted[] = {
		"Most likely leaked: nothing else points to 378 of 385 sampled objects of its largest call path.",
		"Most likely leaked: nothing that was scanned points to 377 of 385 sampled objects "
		"of kmalloc-cg-1k from alloc_pipe_info (#1) (control: nothing points to 1 of 300 objects of the same "
		"cache, from other call paths). By that share, 96% to 99% (95 % interval), about "
		"1,175 objects with 1.1 MiB are leaked. Besides, 1 are in rings or lists to which nothing else points.",
		"references: nothing points to 377 of 385 objects of kmalloc-cg-1k (control: nothing points to 1 of 300): most likely "
		"leaked",
		"LEAK ", NULL};

	(void)state;
	expect_text(with_leak(), wanted, "too short to tell");
}

static void a_dropped_list_is_leaked(void **state)
{
	static const char *const wanted[] = {
		"Most likely leaked: nothing else points to 300 of 385 sampled objects",
		"references: only their own lists point to 300 of 385 objects of kmalloc-cg-1k "
		"(control: nothing points to 1 of 300): most likely leaked",
		NULL};
	struct capture *c = with_leak();
	struct refs *r = &c->proofs.items[0].refs;

	(void)state;
	r->closed = true;
	r->sample = (struct refs_counts){.checked = 385, .own_kind = 300, .dropped = 300};
	expect_text(c, wanted, "nothing points to 0 of");
}

/* Growth that looks like a leak for 240 s is none if something holds its objects. */
static void what_is_held_is_not_called_a_leak(void **state)
{
	static const char *const wanted[] = {
		"Not called leaked: 380 of 385 sampled objects of its largest call path are held "
		"by the open files of plant[4242].",
		"Not called leaked: something in the kernel points to all 385 sampled objects of "
		"kmalloc-cg-1k from alloc_pipe_info (#1). The most, 98.7%, are pointed to by "
		"file.private_data. 98.7% of the sample are held by the open files of plant[4242].",
		"file.private_data to 380; 380 held by open files of plant[4242]: not called leaked",
		"NEXT ps -o pid,ppid,user,etime,nlwp,rss,args -p 4242 # can it be stopped?", NULL};

	(void)state;
	expect_text(with_holder(), wanted, "looks like a leak");
}

/* A control to which nothing points, either, shows that the scan cannot see such pointers. */
static void without_a_verdict_the_other_rules_decide(void **state)
{
	static const char *const wanted[] = {"No verdict: nothing that was scanned points to 377",
					     "too similar to tell a leak from objects", "too short",
					     NULL};
	struct capture *c = with_leak();

	(void)state;
	c->proofs.items[0].refs.control.unreferenced = 290;
	expect_text(c, wanted, "Most likely leaked");
}

/* Of a call path that is not the largest, too. */
static void a_leak_of_another_path_is_said(void **state)
{
	static const char *const wanted[] = {
		"Not called leaked: 380 of 385 sampled objects of its largest call path are held",
		"Most likely leaked: nothing that was scanned points to 50 of 50 sampled objects of "
		"maple_node from mas_alloc_nodes (#",
		NULL};
	struct capture *c = with_holder();
	struct refs *r = sample_proof(c, 4, "maple_node");

	(void)state;
	r->sample = (struct refs_counts){.checked = 50, .unreferenced = 50};
	expect_text(c, wanted, "It looks like a leak");
}

/* One call path may allocate in several caches; what is held in one makes no leak in another good.
 */
static void a_leak_in_another_cache_of_the_path_is_said(void **state)
{
	static const char *const wanted[] = {
		"LEAK ",
		"Most likely leaked: nothing that was scanned points to 50 of 50 sampled objects of "
		"maple_node from alloc_pipe_info (#1)",
		"references: nothing points to 50 of 50 objects of maple_node",
		"references: nothing points to 0 of 385 objects of kmalloc-cg-1k", NULL};
	struct capture *c = with_holder();
	struct refs *r = sample_proof(c, 1, "maple_node");

	(void)state;
	r->object_bytes = 256;
	r->sample = (struct refs_counts){.checked = 50, .unreferenced = 50};
	sample_held(&c->checkpoints[0], 5, 1, 1, 1200, 1200 * 256);
	expect_text(c, wanted, "of its largest call path are held");
}

static void why_there_is_no_proof_is_said(void **state)
{
	struct capture *c = sample_whole();
	struct report r;

	(void)state;
	sample_meta(c, META_PROOF, "a signal cut it short");
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_string_equal(findings_of(&r.findings, "no-proof")->text,
			    "--prove could not check all that it should: a signal cut it "
			    "short.");
	report_free(&r);
	capture_free(c);
}

static void programs_read_the_proof(void **state)
{
	struct capture *c = with_leak();
	char *text = report_text_of(c, GROWTH_BY_CACHE, report_all_json);
	json_t *root = json_loads(text, 0, NULL), *path, *refs;

	(void)state;
	assert_non_null(root);
	path = json_array_get(json_object_get(json_object_get(root, "proof"), "paths"), 0);
	refs = json_object_get(path, "references");
	assert_int_equal(json_integer_value(json_object_get(path, "rank")), 1);
	assert_int_equal(json_integer_value(json_object_get(refs, "unreferenced")), 377);
	assert_true(json_is_true(json_object_get(json_object_get(refs, "verdict"), "leaked")));
	assert_non_null(strstr(
		json_string_value(json_object_get(json_object_get(refs, "verdict"), "sentence")),
		"377 of 385"));
	assert_true(json_is_null(json_object_get(refs, "scans")));
	json_decref(root);
	free(text);
	capture_free(c);
	/* without --prove, nothing is said of it */
	c = sample_whole();
	text = report_text_of(c, GROWTH_BY_STACK, report_all_json);
	assert_null(strstr(text, "\"proof\""));
	free(text);
	capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_is_read_as_it_was_taken),
		cmocka_unit_test(a_scan_that_was_cut_short_stays_so),
		cmocka_unit_test(captures_without_proofs_are_read),
		cmocka_unit_test(hostile_rows_of_a_proof_are_refused),
		cmocka_unit_test(the_writer_refuses_a_proof_that_cannot_be_read),
		cmocka_unit_test(what_nothing_points_to_is_leaked),
		cmocka_unit_test(a_dropped_list_is_leaked),
		cmocka_unit_test(what_is_held_is_not_called_a_leak),
		cmocka_unit_test(without_a_verdict_the_other_rules_decide),
		cmocka_unit_test(a_leak_of_another_path_is_said),
		cmocka_unit_test(a_leak_in_another_cache_of_the_path_is_said),
		cmocka_unit_test(why_there_is_no_proof_is_said),
		cmocka_unit_test(programs_read_the_proof),
	};

	return cmocka_run_group_tests(tests, capture_file_new, capture_file_remove);
}
