// SPDX-License-Identifier: GPL-2.0-only
/*
 * Older objects and the call paths that allocate such objects (model/likeness.c). What a user would
 * lose: the name of what took the memory before the recording began, or, worse, a wrong one.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "close.h"
#include "model/likeness.h"
#include "render/report.h"
#include "sample_capture.h"
#include "sample_census.h"

#define FILP 0 /* index of a cache with a name */
#define K64  1 /* of a generic one */

/* 30 s in which nothing grew; Slab has 3 GiB. Two call paths; a census before and after. */
struct made {
	struct capture *c;
	struct census *before, *after;
	uint32_t timer, message; /* stacks */
};

static struct census *census_made(double pages, double objects)
{
	struct census *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	sample_census(c, 1000);
	c->caches.items[FILP] = c->caches.items[0];
	snprintf(c->caches.items[FILP].name, sizeof(c->caches.items[FILP].name), "filp");
	c->caches.items[K64].pages = sample_sum(pages, 0, 90);
	c->caches.items[K64].used = sample_sum(objects, 0, 90);
	c->caches.items[K64].cpu_free = 0;
	return c;
}

static uint32_t path_made(struct capture *c, const char *inner, const char *call)
{
	uint32_t f[2] = {sample_frame(c, inner, 3, "vmlinux"), sample_frame(c, call, 9, "vmlinux")};

	return sample_stack(c, 2, f);
}

static struct made make(void)
{
	struct made m = {.c = sample_new("exact")};

	for (int i = 0; i <= 30; i++) {
		struct snapshot *s = sample_snapshot(m.c, i);

		sample_meminfo(s, "MemTotal", 8184832);
		sample_meminfo(s, "MemAvailable", 4092416);
		sample_meminfo(s, "Slab", 3174400);
	}
	m.c->snapshots[m.c->nr_snapshots - 1].kind = SNAPSHOT_END;
	m.timer = path_made(m.c, "timer_make", "__x64_sys_timerfd_create");
	m.message = path_made(m.c, "load_msg", "__x64_sys_msgsnd");
	m.before = m.c->census[CENSUS_AT_START] = census_made(500000, 20000000);
	m.after = m.c->census[CENSUS_AT_END] = census_made(500000, 20000000);
	return m;
}

/* A kind of a cache, of `objects` of the sample. Returns its index. */
static uint32_t kind_add(struct census *c, uint32_t cache, uint32_t objects, const char *signature)
{
	struct census_kind *kind = ARRAY_PUSH(&c->kinds);
	struct kind_sample *sample = NULL;

	assert_non_null(kind);
	kind->cache = cache;
	kind->objects = objects;
	kind->effective = 385;
	snprintf(kind->signature, sizeof(kind->signature), "%s", signature);
	for (size_t i = 0; i < c->kinds.samples.nr; i++)
		if (c->kinds.samples.items[i].cache == cache)
			sample = &c->kinds.samples.items[i];
	if (!sample) {
		sample = ARRAY_PUSH(&c->kinds.samples);
		assert_non_null(sample);
		sample->cache = cache;
	}
	sample->live += objects;
	sample->drawn = sample->live;
	return (uint32_t)c->kinds.nr - 1;
}

/* A path that holds `tracked` objects of a kind, all of which were looked at. */
static void path_add(struct census *c, uint32_t cache, uint32_t kind, uint32_t stack,
		     uint32_t tracked)
{
	struct census_path *path = ARRAY_PUSH(&c->kinds.paths);

	assert_non_null(path);
	*path = (struct census_path){.cache = cache,
				     .kind = kind,
				     .stack = stack,
				     .tracked = tracked,
				     .looked = 40,
				     .alike = 40,
				     .objects = tracked};
}

static const char timers[] = "0:self 40:timer_expires() 144:->filp";
static const char messages[] = "0:->kmalloc-64 8:->kmalloc-64 40:->pid";

static struct census_kind kind_with(const char *signature, enum kind_sure sure, const char *type)
{
	struct census_kind k = {.sure = sure, .nr_types = type != NULL};

	snprintf(k.signature, sizeof(k.signature), "%s", signature);
	if (type)
		snprintf(k.types[0].name, sizeof(k.types[0].name), "%s", type);
	return k;
}

static double alike(const char *a, const char *b)
{
	const struct census_kind x = kind_with(a, KIND_UNKNOWN, NULL),
				 y = kind_with(b, KIND_UNKNOWN, NULL);

	assert_true(kinds_likeness(&x, &y) == kinds_likeness(&y, &x));
	return kinds_likeness(&x, &y);
}

/* ---- which kinds are alike ---- */

static void a_kind_is_like_itself(void **state)
{
	(void)state;
	assert_true(alike(timers, timers) == 1);
	assert_true(alike(messages, messages) == 1);
	/* one that points nowhere could be anything */
	assert_true(alike("", "") == 0);
	assert_true(alike("", timers) == 0);
}

static void another_function_is_another_kind(void **state)
{
	(void)state;
	assert_true(alike("0:self 40:timer_expires() 144:->filp",
			  "0:self 40:alarm_expires() 144:->filp") == 0);
	assert_true(alike("0:self 16:{ext4_open} 24:self 32:self", "0:self 16:{proc_open} 24:self "
								   "32:self") == 0);
	assert_true(alike("0:->filp 8:->pid", "0:->cred 8:->dentry") < LIKE_LEAST);
	assert_true(alike(timers, messages) < LIKE_LEAST);
}

/* Some words differ from sample to sample: a list with entries and without, a pointer that is not
 * set yet. */
static void small_differences_do_not_matter(void **state)
{
	(void)state;
	assert_true(alike("0:self 8:self 40:timer_expires() 144:->filp",
			  "0:->kmalloc-64 8:->kmalloc-64+8 40:timer_expires() 144:->filp") >=
		    LIKE_LEAST);
	assert_true(alike("8:->pid 16:->filp 24:->cred", "8:->pid 16:->filp 24:->cred 32:->vmalloc "
							 "40:->memory") >= LIKE_LEAST);
}

/* CONFIG_RANDOM_KMALLOC_CACHES: each boot puts the objects into another copy of the caches. */
static void copies_of_kmalloc_caches_are_the_same(void **state)
{
	(void)state;
	assert_true(alike("0:->kmalloc-rnd-05-192 8:->pid", "0:->kmalloc-rnd-11-192 8:->pid") == 1);
	assert_true(alike("0:->kmalloc-rnd-05-192 8:->pid", "0:->kmalloc-192 8:->pid") == 1);
	assert_true(alike("0:->kmalloc-rnd-05-192", "0:->kmalloc-rnd-05-96") < LIKE_LEAST);
	assert_true(alike("0:->kmalloc-rnd-", "0:->kmalloc-") < 1); /* cut short */
}

static void types_decide_where_offsets_differ(void **state)
{
	struct census_kind a = kind_with("0:->pid 8:->filp", KIND_LIKELY, "owner"),
			   b = kind_with("16:->pid 32:->filp", KIND_POSSIBLE, "owner");

	(void)state;
	assert_true(kinds_likeness(&a, &b) >= LIKE_LEAST); /* of another kernel */
	b.sure = KIND_UNKNOWN;
	assert_true(kinds_likeness(&a, &b) < LIKE_LEAST);
	b = kind_with("0:->pid 8:->filp", KIND_LIKELY, "lock");
	assert_true(kinds_likeness(&a, &b) == 0);
	/* functions say more than types */
	a = kind_with("0:f()", KIND_LIKELY, "timer");
	b = kind_with("0:g()", KIND_LIKELY, "timer");
	assert_true(kinds_likeness(&a, &b) == 0);
}

/* ---- shares ---- */

static void build(const struct made *m, struct census_sheet *s, struct likeness *l)
{
	assert_int_equal(census_sheet_build(m->before, s), 0);
	assert_int_equal(likeness_build(s, m->c, l), 0);
}

/* A path holds 10,000 objects; of the 40 that were looked at, half are timers. */
static void a_share_is_no_surer_than_what_was_looked_at(void **state)
{
	struct made m = make();
	struct census_sheet s = {0};
	struct likeness l = {0};
	uint32_t t;

	(void)state;
	kind_add(m.before, K64, 300, timers);
	t = kind_add(m.after, K64, 150, timers);
	path_add(m.after, K64, t, m.timer, 10000);
	path_add(m.after, K64, t, m.message, 10000);
	m.after->kinds.paths.items[1].alike = 20;
	m.after->kinds.paths.items[1].objects = 5000;
	build(&m, &s, &l);
	assert_int_equal(l.nr, 1);
	assert_int_equal(l.paths.nr, 2);
	assert_true(fabs(l.paths.items[1].share - 1.0 / 3) < 0.001);
	assert_true(l.paths.items[1].share_low < 0.28 && l.paths.items[1].share_high > 0.39);
	likeness_free(&l);
	census_sheet_free(&s);
	capture_free(m.c);
}

static void older_objects_look_like_those_of_their_path(void **state)
{
	struct made m = make();
	struct census_sheet s = {0};
	struct likeness l = {0};
	uint32_t t, g;

	(void)state;
	kind_add(m.before, K64, 300, timers);
	kind_add(m.before, K64, 100, messages);
	g = kind_add(m.after, K64, 150, messages); /* in another order */
	t = kind_add(m.after, K64, 250, timers);
	path_add(m.after, K64, t, m.timer, 1000);
	path_add(m.after, K64, g, m.message, 500);
	build(&m, &s, &l);
	assert_int_equal(l.nr, 2);
	assert_string_equal(l.items[0].kind->signature, timers);
	assert_close(l.items[0].objects, 15000000, 1);
	assert_int_equal(l.items[0].nr, 1);
	assert_int_equal(l.paths.items[l.items[0].first].stack, m.timer);
	assert_true(l.paths.items[l.items[0].first].share == 1);
	assert_true(l.paths.items[l.items[0].first].share_low > 0.99);
	assert_int_equal(l.paths.items[l.items[1].first].stack, m.message);
	assert_ptr_equal(likeness_find(&l, K64, l.items[1].kind), &l.items[1]);
	assert_null(likeness_find(&l, K64, NULL));
	likeness_free(&l);
	census_sheet_free(&s);
	capture_free(m.c);
}

static void two_paths_of_one_kind_are_both_named(void **state)
{
	struct made m = make();
	struct census_sheet s = {0};
	struct likeness l = {0};
	const struct like_path *p;
	uint32_t t;

	(void)state;
	kind_add(m.before, K64, 385, timers);
	t = kind_add(m.after, K64, 385, timers);
	path_add(m.after, K64, t, m.message, 10);
	path_add(m.after, K64, t, m.timer, 30);
	build(&m, &s, &l);
	assert_int_equal(l.nr, 1);
	assert_int_equal(l.items[0].nr, 2);
	p = l.paths.items + l.items[0].first;
	assert_int_equal(p[0].stack, m.timer);
	assert_close(p[0].share, 0.75, 1e-9);
	assert_close(p[1].share, 0.25, 1e-9);
	/* 30 of 40: Wilson's interval */
	assert_close(p[0].share_low, 0.598, 0.001);
	assert_close(p[0].share_high, 0.858, 0.001);
	likeness_free(&l);
	census_sheet_free(&s);
	capture_free(m.c);
}

/* Objects of one path that are of two kinds count for each in part. */
static void a_path_counts_for_what_it_has_of_the_kind(void **state)
{
	struct made m = make();
	struct census_sheet s = {0};
	struct likeness l = {0};
	uint32_t t, g;

	(void)state;
	kind_add(m.before, K64, 385, timers);
	t = kind_add(m.after, K64, 200, timers);
	g = kind_add(m.after, K64, 185, messages);
	path_add(m.after, K64, t, m.timer, 100);
	path_add(m.after, K64, g, m.timer, 100);
	path_add(m.after, K64, t, m.message, 300);
	m.after->kinds.paths.items[0].alike = 10;
	m.after->kinds.paths.items[0].objects = 25;
	m.after->kinds.paths.items[1].alike = 30;
	m.after->kinds.paths.items[1].objects = 75;
	build(&m, &s, &l);
	assert_int_equal(l.nr, 1);
	assert_close(l.items[0].tracked, 325, 1e-9);
	assert_int_equal(l.paths.items[l.items[0].first].stack, m.message);
	assert_close(l.paths.items[l.items[0].first + 1].share, 25 / 325.0, 1e-9);
	likeness_free(&l);
	census_sheet_free(&s);
	capture_free(m.c);
}

/* Objects of a named cache are of one kind, so the cache says it; those of kmalloc-64 are not. */
static void a_named_cache_of_one_kind_is_the_kind(void **state)
{
	struct made m = make();
	struct census_sheet s = {0};
	struct likeness l = {0};

	(void)state;
	kind_add(m.before, FILP, 380, "0:->dentry");
	kind_add(m.before, FILP, 5, "0:->vmalloc");
	path_add(m.after, FILP, CENSUS_NO_KIND, m.timer, 50);
	path_add(m.after, K64, CENSUS_NO_KIND, m.message, 50);
	build(&m, &s, &l);
	assert_int_equal(l.nr, 1);
	assert_int_equal(l.items[0].cache, FILP);
	assert_null(l.items[0].kind);
	assert_close(l.items[0].objects, s.caches[FILP].objects.kb, 1e-9);
	likeness_free(&l);
	census_sheet_free(&s);

	/* of two kinds, it is not */
	m.before->kinds.items[0].objects = 200;
	m.before->kinds.items[1].objects = 185;
	build(&m, &s, &l);
	assert_int_equal(l.nr, 0);
	likeness_free(&l);
	census_sheet_free(&s);
	capture_free(m.c);
}

static void what_no_path_holds_looks_like_nothing(void **state)
{
	struct made m = make();
	struct census_sheet s = {0};
	struct likeness l = {0};
	uint32_t g;

	(void)state;
	kind_add(m.before, K64, 385, timers);
	build(&m, &s, &l);
	assert_int_equal(l.nr, 0); /* nothing was learned */
	assert_null(likeness_learned(m.c));
	g = kind_add(m.after, K64, 385, messages);
	path_add(m.after, K64, g, m.message, 50);
	likeness_free(&l);
	census_sheet_free(&s);
	build(&m, &s, &l);
	assert_non_null(likeness_learned(m.c));
	assert_int_equal(l.nr, 0); /* other kinds were */
	likeness_free(&l);
	census_sheet_free(&s);
	capture_free(m.c);
}

/* ---- what the report says ---- */

static char *print_report(const struct made *m, bool json)
{
	const struct report_options o = {.sections = SECTION_CENSUS, .top = 5, .utf8 = true};
	struct report r = {0};
	struct view v;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	view_whole(m->c, &v);
	assert_int_equal(report_build(&v, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(json ? report_json(&r, 5, f) : report_text(&r, &o, f), 0);
	assert_int_equal(fclose(f), 0);
	report_free(&r);
	return text;
}

static void has_words(char *text, const char *words)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from != ' ' && *from != '\n')
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
	if (!strstr(text, words))
		fail_msg("'%s' is not in: %s", words, text);
}

static struct made timers_made(void)
{
	struct made m = make();
	uint32_t t;

	kind_add(m.before, K64, 385, timers);
	m.before->kinds.items[0].sure = KIND_LIKELY;
	m.before->kinds.items[0].nr_types = 1;
	snprintf(m.before->kinds.items[0].types[0].name, KIND_NAME_MAX, "timerfd_ctx");
	t = kind_add(m.after, K64, 385, timers);
	path_add(m.after, K64, t, m.timer, 900);
	path_add(m.after, K64, t, m.message, 100);
	return m;
}

static void the_report_names_path_and_share(void **state)
{
	struct made m = timers_made();
	char *text = print_report(&m, false);

	(void)state;
	/* the first screen */
	has_words(text, "20,000,000 older objects of kmalloc-64 take 1.2 GiB. Of similar objects "
			"that were traced, 88-92% came from timer_make < timerfd_create() and "
			"8.2-12% from load_msg < msgsnd().");
	has_words(
		text,
		"1.2 GiB in kmalloc-64: 20,000,000 objects of type timerfd_ctx look like "
		"those of the following call paths (compared with 1,000 traced objects): 88-92% timer_make < "
		"timerfd_create() 8.2-12% load_msg < msgsnd()");
	has_words(text, "Nothing traced these objects");
	free(text);
	text = print_report(&m, true);
	has_words(text, "\"looks_like\": [ { \"stack\": [ \"timer_make+0x3\", "
			"\"__x64_sys_timerfd_create+0x9\" ], \"share\": 0.9,");
	has_words(text, "\"kind\": \"older-like\"");
	free(text);
	capture_free(m.c);
}

/* Two traced objects are no ground for a sentence. */
static void what_few_objects_say_is_not_said(void **state)
{
	struct made m = timers_made();
	char *text;

	(void)state;
	m.after->kinds.paths.items[0].tracked = 1;
	m.after->kinds.paths.items[1].tracked = 1;
	text = print_report(&m, false);
	assert_null(strstr(text, "look like"));
	free(text);
	capture_free(m.c);
}

/* What only looks like something is in no other figure of the report. */
static void likeness_is_mixed_into_nothing(void **state)
{
	struct made m = timers_made();
	char *with = print_report(&m, true), *without;

	(void)state;
	m.after->kinds.paths.nr = 0;
	without = print_report(&m, true);
	for (const char *part = "\"pools\": ["; part;
	     part = strcmp(part, "\"growth\": [") ? "\"growth\": [" : NULL) {
		const char *a = strstr(with, part), *b = strstr(without, part);

		assert_non_null(a);
		assert_non_null(b);
		assert_int_equal(strcspn(a, "]"), strcspn(b, "]"));
		assert_memory_equal(a, b, strcspn(a, "]"));
	}
	free(with);
	free(without);
	capture_free(m.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kind_is_like_itself),
		cmocka_unit_test(another_function_is_another_kind),
		cmocka_unit_test(small_differences_do_not_matter),
		cmocka_unit_test(copies_of_kmalloc_caches_are_the_same),
		cmocka_unit_test(types_decide_where_offsets_differ),
		cmocka_unit_test(a_share_is_no_surer_than_what_was_looked_at),
		cmocka_unit_test(older_objects_look_like_those_of_their_path),
		cmocka_unit_test(two_paths_of_one_kind_are_both_named),
		cmocka_unit_test(a_path_counts_for_what_it_has_of_the_kind),
		cmocka_unit_test(a_named_cache_of_one_kind_is_the_kind),
		cmocka_unit_test(what_no_path_holds_looks_like_nothing),
		cmocka_unit_test(the_report_names_path_and_share),
		cmocka_unit_test(what_few_objects_say_is_not_said),
		cmocka_unit_test(likeness_is_mixed_into_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
