// SPDX-License-Identifier: GPL-2.0-only
/*
 * `kmemtrace export`: the figures are the report's, each byte counts once, hostile names and
 * figures do no harm, and a failure leaves the output file as it was. tests/export opens the files
 * with the programs that they are for.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/escape.h"
#include "cmd.h"
#include "data/class.h"
#include "export/export.h"
#include "golden.h"
#include "model/time_range.h"
#include "output.h"
#include "record/classify.h"
#include "recorded.h"
#include "report_text.h"
#include "run_command.h"
#include "sample_capture.h"
#include "scratch.h"
#include "write_capture.h"

static const struct export_options as_given = {.labels = SAMPLE_LABELS_DEFAULT,
					       .unit = VALUE_INUSE_SPACE,
					       .root = {LABEL_POOL, LABEL_CACHE},
					       .nr_root = 2};

/* ---- figures ---- */

/* What the samples of one pool and place add up to; of all places with `any_place`. */
static int64_t samples_sum(const struct samples *s, enum pool pool, uint32_t place, bool any_place,
			   enum sample_value value)
{
	int64_t sum = 0;

	for (size_t i = 0; i < s->nr; i++)
		if (s->items[i].pool == pool && (any_place || s->items[i].place == place))
			sum += s->items[i].values[value];
	return sum;
}

/* Each group of growth has the rounded figures that the report's JSON gives. */
static void assert_groups_agree(const struct report *r, const struct samples *s)
{
	int64_t all[POOLS] = {0};

	for (size_t i = 0; i < r->growth.nr; i++) {
		const struct growth_group *g = &r->growth.groups[i];
		uint32_t place = r->growth.by == GROWTH_BY_POOL ? (uint32_t)g->pool : g->key;

		assert_int_equal(samples_sum(s, g->pool, place, false, VALUE_INUSE_SPACE),
				 llrint(g->bytes));
		assert_int_equal(samples_sum(s, g->pool, place, false, VALUE_INUSE_OBJECTS),
				 llrint(g->objects));
		if (s->traffic)
			assert_int_equal(samples_sum(s, g->pool, place, false, VALUE_ALLOC_OBJECTS),
					 llrint(g->allocs));
		all[g->pool] += llrint(g->bytes);
	}
	for (int p = 0; p < POOLS; p++)
		assert_int_equal(samples_sum(s, (enum pool)p, 0, true, VALUE_INUSE_SPACE), all[p]);
}

static void assert_exports_add_up(const struct view *v)
{
	const unsigned int labels[] = {SAMPLE_LABELS_DEFAULT, 1u << LABEL_POOL,
				       1u << LABEL_POOL | 1u << LABEL_PID,
				       1u << LABEL_POOL | 1u << LABEL_CONTAINER};

	for (int by = 0; by < GROWTH_BYS; by++) {
		struct report r;

		assert_int_equal(report_build(v, (enum growth_by)by, &r), 0);
		for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
			struct samples s;

			assert_int_equal(samples_build(&r, labels[i], &s), 0);
			assert_groups_agree(&r, &s);
			samples_free(&s);
		}
		report_free(&r);
	}
}

static struct capture *read_recorded(const char *folder, const char *name)
{
	char *path = path_of("recorded.kmt");
	struct capture *c;

	recorded_unpack_from(folder, name, path);
	assert_int_equal(capture_read(path, &c), 0);
	free(path);
	return c;
}

static void every_grouping_adds_up_to_the_report(void **state)
{
	static const char *const recorded[][2] = {{"captures", "6.18"},
						  {"captures", "6.12-boot1"},
						  {"incidents", "messages"},
						  {"incidents", "threads"}};
	struct view v;

	(void)state;
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		struct capture *c = read_recorded(recorded[i][0], recorded[i][1]);

		view_whole(c, &v);
		assert_exports_add_up(&v);
		capture_free(c);
	}
}

/* Half objects, as samples give them: rounding each row by itself would be off by many. */
static void fractions_of_many_rows_do_not_add_up_to_an_error(void **state)
{
	struct capture *c = sample_whole();
	struct cap_checkpoint *at = &c->checkpoints[0];
	struct view v;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char comm[32];
		struct cap_held *h;

		snprintf(comm, sizeof(comm), "worker/%d", i);
		sample_process(c, 100 + i, comm, 0);
		h = sample_held(at, 1, 1, (uint32_t)c->nr_processes - 1, 1, 1024.4);
		h->objects = 0.5;
	}
	view_whole(c, &v);
	assert_exports_add_up(&v);
	capture_free(c);
}

static void a_part_of_a_recording_may_have_freed_more_than_it_allocated(void **state)
{
	struct capture *c = sample_whole();
	struct cap_checkpoint *late;
	struct time_range part;

	(void)state;
	late = sample_interval(c, 60);
	sample_held(late, 1, 1, 1, 200, 200 * 1024);
	sample_fill_snapshot(sample_snapshot(c, 60), 60);
	assert_int_equal(time_range_build(c, 30, 60, &part), 0);
	assert_exports_add_up(&part.view);
	time_range_free(&part);
	capture_free(c);
}

/* Held by no pool of its own: address space, pages behind other pools, stacks of threads. */
static void each_byte_counts_once(void **state)
{
	struct capture *c = sample_whole();
	struct cap_checkpoint *at = &c->checkpoints[0];
	const char *const classes[] = {"thread", "vmap", "vmalloc"};
	/* as gcc may name it: record takes this function for one that makes threads, and export too
	 */
	const struct classify_frame makes[] = {{"__vmalloc_node_range", "vmlinux"},
					       {"dup_task_struct", "vmlinux"}};
	uint32_t fork = sample_call(c, "dup_task_struct.isra.0", 0x10, "vmlinux"), stacks[3];
	struct stack_class class_;
	struct samples s;
	struct report r;

	(void)state;
	classify_stack(POOL_VMALLOC, makes, 2, &class_);
	assert_string_equal(class_.class_, "thread");
	for (int i = 0; i < 3; i++) {
		struct cap_held *h;

		stacks[i] = sample_call(c, classes[i], 0, "vmlinux");
		h = sample_held(at, 0, stacks[i], 1, 1, 16384);
		h->pool = POOL_VMALLOC;
		strcpy(h->class_, classes[i]);
		sample_churn(at, stacks[i], 7, 0, 0);
		at->churn.items[at->churn.nr - 1].pool = POOL_VMALLOC;
		at->churn.items[at->churn.nr - 1].alloc_bytes = 7 * 16384;
	}
	sample_churn(at, fork, 1000, 1000, 0); /* its stacks were freed before the checkpoint */
	at->churn.items[at->churn.nr - 1].pool = POOL_VMALLOC;
	sample_held(at, 0, 0, 0, 100, 409600)->pool = POOL_PAGE;
	strcpy(at->held.items[at->held.nr - 1].class_, "slab-backing");
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(samples_build(&r, SAMPLE_LABELS_DEFAULT, &s), 0);
	assert_int_equal(samples_sum(&s, POOL_VMALLOC, 0, true, VALUE_INUSE_SPACE), 16384);
	assert_int_equal(samples_sum(&s, POOL_PAGE, 0, true, VALUE_INUSE_SPACE), 0);
	assert_int_equal(samples_sum(&s, POOL_VMALLOC, 0, true, VALUE_ALLOC_OBJECTS), 7);
	assert_int_equal(samples_sum(&s, POOL_VMALLOC, stacks[2], false, VALUE_ALLOC_SPACE),
			 7 * 16384);
	samples_free(&s);
	report_free(&r);
	capture_free(c);
}

/* ---- folded ---- */

static char *folded_of(const struct capture *c, const struct capture *base,
		       const struct export_options *o, int64_t *negative)
{
	struct report r, base_r = {0};
	struct export_input in = {.r = &r, .base = base ? &base_r : NULL};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	if (base)
		assert_int_equal(report_whole(base, GROWTH_BY_STACK, &base_r), 0);
	assert_int_equal(export_folded(&in, o, negative, f), 0);
	fclose(f);
	report_free(&r);
	report_free(&base_r);
	return text;
}

static void folded_is_as_agreed(void **state)
{
	struct capture *c = sample_whole();
	int64_t negative = 0;
	char *text = folded_of(c, NULL, &as_given, &negative);

	(void)state;
	compare_golden("export.folded", text);
	assert_int_equal(negative, 0);
	free(text);
	capture_free(c);
}

static void a_difference_of_folded_stacks_has_both_figures(void **state)
{
	struct export_options o = as_given;
	struct capture *base = sample_whole(), *c = sample_whole();
	int64_t negative = 0;
	char *text;

	(void)state;
	c->checkpoints[0].held.items[0].bytes *= 2;
	c->checkpoints[0].held.items[0].objects *= 2;
	o.nr_root = 0;
	text = folded_of(c, base, &o, &negative);
	assert_non_null(strstr(
		text,
		"__x64_sys_pipe2;do_pipe2;create_pipe_files;alloc_pipe_info 1228800 2457600\n"));
	assert_non_null(strstr(text, "__x64_sys_newfstatat;ext4_lookup [ext4];__d_alloc "));
	free(text);
	capture_free(base);
	capture_free(c);
}

/* ---- pprof ---- */

struct decoded {
	uint8_t *bytes;
	size_t size;
	char *strings[4096];
	size_t nr_strings, samples, locations, mappings;
	int64_t sum; /* of the last value of all samples */
};

static uint64_t take_varint(const uint8_t **at, const uint8_t *end)
{
	uint64_t value = 0;

	for (unsigned int shift = 0;; shift += 7) {
		assert_true(*at < end && shift < 64);
		value |= (uint64_t)(**at & 0x7f) << shift;
		if (!(*(*at)++ & 0x80))
			return value;
	}
}

/* The last number of a packed list is the last value of a sample: inuse_space. */
static int64_t last_value(const uint8_t *at, const uint8_t *end)
{
	int64_t last = 0;

	while (at < end) {
		uint64_t key = take_varint(&at, end), len = take_varint(&at, end);
		const uint8_t *part = at;

		assert_int_equal(key & 7, 2);
		assert_true(len <= (size_t)(end - at));
		at += len;
		while (key >> 3 == 2 && part < at)
			last = (int64_t)take_varint(&part, at);
	}
	return last;
}

static void decode_field(struct decoded *d, unsigned int field, const uint8_t *at, size_t len)
{
	switch (field) {
	case 2:
		d->samples++;
		d->sum = sample_add(d->sum, last_value(at, at + len));
		break;
	case 3:
		d->mappings++;
		break;
	case 4:
		d->locations++;
		break;
	case 6:
		assert_true(d->nr_strings < 4096);
		d->strings[d->nr_strings] = strndup((const char *)at, len);
		assert_int_equal(strlen(d->strings[d->nr_strings++]), len);
		break;
	default:
		break;
	}
}

static void decode(const char *path, struct decoded *d)
{
	const uint8_t *at, *end;
	gzFile in = gzopen(path, "r");
	int n;

	*d = (struct decoded){.bytes = malloc(1 << 20)};
	assert_non_null(in);
	while ((n = gzread(in, d->bytes + d->size, 65536)) > 0)
		assert_true((d->size += (size_t)n) < (1 << 20) - 65536);
	assert_int_equal(gzclose(in), Z_OK);
	at = d->bytes;
	end = at + d->size;
	while (at < end) {
		uint64_t key = take_varint(&at, end), value = take_varint(&at, end);

		assert_true((key & 7) == 0 || (key & 7) == 2);
		if ((key & 7) == 0)
			continue;
		assert_true(value <= (size_t)(end - at));
		decode_field(d, (unsigned int)(key >> 3), at, value);
		at += value;
	}
}

static void decoded_free(struct decoded *d)
{
	for (size_t i = 0; i < d->nr_strings; i++)
		free(d->strings[i]);
	free(d->bytes);
}

static void write_pprof(const struct capture *c, const struct capture *base, const char *path)
{
	struct report r, base_r = {0};
	struct export_input in = {.r = &r, .base = base ? &base_r : NULL};
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	if (base)
		assert_int_equal(report_whole(base, GROWTH_BY_STACK, &base_r), 0);
	assert_int_equal(export_pprof(&in, &as_given, f), 0);
	fclose(f);
	report_free(&r);
	report_free(&base_r);
}

static bool has_string(const struct decoded *d, const char *s)
{
	for (size_t i = 0; i < d->nr_strings; i++)
		if (!strcmp(d->strings[i], s))
			return true;
	return false;
}

static void pprof_has_the_figures_and_says_how_sure_they_are(void **state)
{
	struct capture *c = sample_whole();
	char *path = path_of("a.pb.gz");
	struct decoded d;
	struct report r;
	int64_t sum = 0;

	(void)state;
	write_pprof(c, NULL, path);
	decode(path, &d);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	for (size_t i = 0; i < r.growth.nr; i++)
		sum += llrint(r.growth.groups[i].bytes);
	assert_int_equal(d.sum, sum);
	assert_string_equal(d.strings[0], "");
	assert_int_equal(d.mappings, 3); /* vmlinux, ext4, and the hostile one */
	assert_true(has_string(&d, "mode exact: every object was tracked"));
	assert_true(has_string(&d, "lost 3 of 138403 events; 0 details missing"));
	assert_true(has_string(&d, "[deeper than recorded]"));
	assert_true(has_string(&d, "alloc_pipe_info+0xc1"));
	decoded_free(&d);
	write_pprof(c, c, path); /* the difference to itself */
	decode(path, &d);
	assert_int_equal(d.sum, 0);
	assert_true(has_string(&d, "pprof::base"));
	decoded_free(&d);
	report_free(&r);
	free(path);
	capture_free(c);
}

static void assert_inert(const char *text, bool lines)
{
	size_t len;
	uint32_t code;

	for (const char *p = text; *p; p += len) {
		len = utf8_decode(p, &code);
		assert_true(len > 0);
		if (!lines || code != '\n')
			assert_true(code >= 0x20 && !(code >= 0x7f && code < 0xa0) &&
				    code != 0x202e);
	}
}

static void hostile_names_stay_inert(void **state)
{
	struct capture *c = sample_whole();
	char *path = path_of("hostile.pb.gz"), *text, *comm;
	int64_t negative = 0;
	struct decoded d;
	size_t lines = 0;

	(void)state;
	/* a name that would end the frame, and one that looks like a figure */
	comm = c->frames[1].symbol;
	c->frames[1].symbol = sample_text("a;b 12");
	free(comm);
	text = folded_of(c, NULL, &as_given, &negative);
	assert_inert(text, true);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 5);
	assert_non_null(strstr(text, ";a\\x3bb 12 1228800\n"));
	free(text);
	write_pprof(c, NULL, path);
	decode(path, &d);
	for (size_t i = 0; i < d.nr_strings; i++)
		assert_inert(d.strings[i], false);
	decoded_free(&d);
	free(path);
	capture_free(c);
}

static void figures_that_fit_no_number_do_no_harm(void **state)
{
	struct capture *c = sample_whole();
	struct cap_checkpoint *at = &c->checkpoints[0];
	char *path = path_of("huge.pb.gz");
	int64_t negative = 0;
	struct decoded d;

	(void)state;
	for (size_t i = 0; i < at->held.nr; i++)
		at->held.items[i].bytes = at->held.items[i].objects = 1e30;
	for (size_t i = 0; i < at->churn.nr; i++)
		at->churn.items[i].allocs = at->churn.items[i].alloc_bytes = 1e30;
	write_pprof(c, c, path);
	decode(path, &d);
	assert_true(d.samples > 0);
	decoded_free(&d);
	free(folded_of(c, c, &as_given, &negative));
	free(path);
	capture_free(c);
}

/* ---- OpenMetrics ---- */

static char *openmetrics_of(const struct capture *c)
{
	return report_text_of(c, GROWTH_BY_STACK, export_openmetrics);
}

/* Each series once, in the family that was announced, and its points in the order of time. */
static void assert_openmetrics(char *text)
{
	char family[128] = "", series[4096] = "", *save = NULL;
	double last = 0;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *value = strrchr(l, '}'), *time = strrchr(l, ' ');

		if (!strcmp(l, "# EOF")) {
			assert_null(strtok_r(NULL, "\n", &save));
			return;
		}
		if (l[0] == '#') {
			if (!strncmp(l, "# TYPE ", 7))
				assert_int_equal(sscanf(l, "# TYPE %127s", family), 1);
			continue;
		}
		assert_true(!strncmp(l, family, strlen(family)));
		assert_non_null(strstr(l, "{instance=\"host"));
		assert_true(value && time > value && isfinite(strtod(value + 2, NULL)));
		if (strncmp(l, series, (size_t)(value - l)) || series[value - l])
			last = 0;
		assert_true(strtod(time, NULL) > last);
		last = strtod(time, NULL);
		snprintf(series, sizeof(series), "%.*s", (int)(value - l), l);
	}
	fail_msg("no # EOF");
}

/* How many series have samples that begin so; those of one series follow each other. */
static size_t series_of(const char *text, const char *begin)
{
	const char *last = "";
	size_t nr = 0;

	for (const char *p = text; (p = strstr(p, begin)); p++) {
		size_t len = (size_t)(strstr(p, "\"} ") - p); /* a name has "\u{…}" */

		nr += strncmp(p, last, len) != 0;
		last = p;
	}
	return nr;
}

static void metrics_are_ordered_and_bounded(void **state)
{
	struct capture *c = sample_whole();
	size_t caches;
	char *text;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[32];

		snprintf(name, sizeof(name), "cache-%d", i / 2); /* two of each name */
		sample_slab(&c->snapshots[0], name, 10 * i, 64, 64, 1, i);
		sample_slab(&c->snapshots[c->nr_snapshots - 1], name, 90 * i, 64, 64, 1, 9 * i);
	}
	text = openmetrics_of(c);
	assert_inert(text, true);
	assert_non_null(strstr(text, "kmemtrace_pool_bytes{instance=\"host\\\\x1b]0;owned"));
	assert_non_null(strstr(text, ",pool=\"Slab\"} "));
	assert_null(strstr(text, " nan "));
	caches = series_of(text, "\nkmemtrace_cache_bytes{");
	assert_int_equal(caches, 20);
	assert_openmetrics(text);
	free(text);
	capture_free(c);
}

static void metrics_of_a_capture_that_traced_nothing_are_its_levels(void **state)
{
	struct capture *c = sample_whole();
	char *text;

	(void)state;
	for (size_t i = 1; i < c->nr_snapshots; i++)
		snapshot_free(&c->snapshots[i]);
	c->nr_snapshots = 1; /* the only reading of a recording that was killed at once */
	ARRAY_FREE(&c->checkpoints[0].held);
	ARRAY_FREE(&c->checkpoints[0].churn);
	ARRAY_FREE(&c->checkpoints[0].cache_churn);
	for (size_t i = 0; i < c->checkpoints[0].losses.nr; i++)
		free(c->checkpoints[0].losses.items[i].name);
	ARRAY_FREE(&c->checkpoints[0].losses);
	c->nr_checkpoints = 0;
	text = openmetrics_of(c);
	assert_non_null(strstr(text, "pool=\"Slab\"} "));
	assert_null(strstr(text, "kmemtrace_held_bytes{"));
	assert_openmetrics(text);
	free(text);
	capture_free(c);
}

/* ---- NDJSON ---- */

static void rows_are_whole_json_objects(void **state)
{
	struct capture *c = sample_whole();
	char *text = NULL, *save = NULL;
	int64_t held = 0, want = 0;
	size_t size = 0, rows = 0;
	struct report r;
	FILE *f;

	(void)state;
	f = open_memstream(&text, &size);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(export_ndjson(&r, &as_given, f), 0);
	fclose(f);
	for (size_t i = 0; i < r.growth.nr; i++)
		want += llrint(r.growth.groups[i].bytes);
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		json_t *j = json_loads(l, JSON_REJECT_DUPLICATES, NULL);
		const char *type = json_string_value(json_object_get(j, "type"));

		assert_non_null(type);
		assert_inert(l, false);
		assert_string_equal(json_string_value(json_object_get(j, "kernel")), "6.18.44");
		assert_int_equal(strlen(json_string_value(json_object_get(j, "time"))),
				 strlen("2026-11-28T19:38:54.123Z"));
		if (!strcmp(type, "held"))
			held += json_integer_value(json_object_get(j, "bytes"));
		json_decref(j);
		rows++;
	}
	assert_int_equal(held, want);
	assert_true(rows > 100);
	report_free(&r);
	free(text);
	capture_free(c);
}

/* ---- the command ---- */

#define RUN(out, ...) \
	run_command(cmd_export, out, (char *[]){(char *)"kmemtrace export", __VA_ARGS__, NULL})
#define A(text) ((char *)(text))

/* Check for an exit status, and for words in the message. */
static void assert_refused(int status, int want, const char *words)
{
	char *path = path_of("stderr"), *text = read_file(path);

	if (status != want || !strstr(text, words))
		fail_msg("status %d, nothing like '%s' in: %s", status, words, text);
	free(text);
	free(path);
}

static void wrong_use_says_what_to_do(void **state)
{
	char *kmt = path_of("a.kmt"), *out = path_of("out");
	struct capture *c = sample_whole();

	(void)state;
	write_capture(c, kmt);
	assert_refused(RUN(out, kmt), EXIT_USAGE, "give a format");
	assert_refused(RUN(out, A("-f"), A("xml"), kmt), EXIT_USAGE,
		       "unknown format 'xml'; use pprof");
	assert_refused(RUN(out, A("-f"), A("pprof"), A("--root=pool"), kmt), EXIT_USAGE,
		       "pprof -tagroot=pool,cache does the same");
	assert_refused(RUN(out, A("-f"), A("openmetrics"), A("--base"), kmt, kmt), EXIT_USAGE,
		       "export both captures");
	assert_refused(RUN(out, A("-f"), A("folded"), A("--labels=pool"), kmt), EXIT_USAGE,
		       "--labels does not apply to the format folded");
	assert_refused(RUN(out, A("-f"), A("folded"), A("--root=pool,colour"), kmt), EXIT_USAGE,
		       "unknown label 'colour'");
	assert_refused(RUN(out, A("-f"), A("folded"), A("--unit=pages"), kmt), EXIT_USAGE,
		       "unknown unit 'pages'");
	assert_refused(
		RUN(out, A("-f"), A("folded"), A("--unit=alloc_space"), A("--by=process"), kmt),
		EXIT_USAGE, "group by stack, site, module, pool or syscall");
	assert_refused(RUN(out, A("-f"), A("pprof"), A("--base-to=5"), kmt), EXIT_USAGE,
		       "need --base");
	assert_refused(RUN(out, A("-f"), A("pprof"), kmt, kmt), EXIT_USAGE, "--base");
	assert_refused(RUN(out, A("-f"), A("pprof")), EXIT_USAGE, "give a capture");
	assert_int_equal(RUN(out, A("-f"), A("pprof"), kmt), EXIT_OK);
	free(kmt);
	free(out);
	capture_free(c);
}

static void binary_data_is_kept_off_a_terminal(void **state)
{
	char *kmt = path_of("a.kmt"), name[64];
	struct capture *c = sample_whole();
	int pty = posix_openpt(O_RDWR | O_NOCTTY);

	(void)state;
	assert_true(pty >= 0 && !grantpt(pty) && !unlockpt(pty));
	assert_int_equal(ptsname_r(pty, name, sizeof(name)), 0);
	write_capture(c, kmt);
	assert_refused(RUN(name, A("-f"), A("pprof"), kmt), EXIT_FAILED,
		       "write to a file with --output=FILE.pb.gz");
	assert_int_equal(RUN(name, A("-f"), A("folded"), kmt), EXIT_OK);
	close(pty);
	free(kmt);
	capture_free(c);
}

static void a_capture_is_not_overwritten_by_its_export(void **state)
{
	char *kmt = path_of("own.kmt"), *before, *after;
	struct capture *c = sample_whole(), *back;

	(void)state;
	write_capture(c, kmt);
	before = read_file(kmt);
	assert_refused(RUN(A("/dev/null"), A("-f"), A("folded"), A("-o"), kmt, kmt), EXIT_FAILED,
		       "is a capture");
	after = read_file(kmt);
	assert_string_equal(before, after);
	assert_int_equal(capture_read(kmt, &back), 0);
	capture_free(back);
	free(before);
	free(after);
	free(kmt);
	capture_free(c);
}

static int render_words(const void *arg, FILE *out)
{
	fprintf(out, "%s", (const char *)arg);
	return strcmp(arg, "half") ? 0 : -ENOMEM;
}

static void a_failure_leaves_the_file_as_it_was(void **state)
{
	char *path = path_of("output"), *command = NULL, *text;
	struct stat st;

	(void)state;
	umask(022);
	assert_int_equal(output_file("words", path, render_words, "first"), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(output_file("words", path, render_words, "half"), -ENOMEM);
	text = read_file(path);
	assert_string_equal(text, "first");
	free(text);
	assert_int_equal(output_file("words", path, render_words, "second"), 0);
	text = read_file(path);
	assert_string_equal(text, "second");
	free(text);
	/* nothing is left beside it */
	assert_true(asprintf(&command, "test -z \"$(find '%s' -mindepth 1 -name '*kmemtrace*')\"",
			     scratch) > 0);
	assert_int_equal(system(command), 0);
	assert_int_equal(output_file("words", "/nonexistent/x", render_words, "x"), -ENOENT);
	assert_int_equal(output_file("words", "/dev/full", render_words, "x"), -ENOSPC);
	assert_int_equal(stat("/dev/full", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	free(command);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_grouping_adds_up_to_the_report),
		cmocka_unit_test(fractions_of_many_rows_do_not_add_up_to_an_error),
		cmocka_unit_test(a_part_of_a_recording_may_have_freed_more_than_it_allocated),
		cmocka_unit_test(each_byte_counts_once),
		cmocka_unit_test(folded_is_as_agreed),
		cmocka_unit_test(a_difference_of_folded_stacks_has_both_figures),
		cmocka_unit_test(pprof_has_the_figures_and_says_how_sure_they_are),
		cmocka_unit_test(hostile_names_stay_inert),
		cmocka_unit_test(figures_that_fit_no_number_do_no_harm),
		cmocka_unit_test(metrics_are_ordered_and_bounded),
		cmocka_unit_test(metrics_of_a_capture_that_traced_nothing_are_its_levels),
		cmocka_unit_test(rows_are_whole_json_objects),
		cmocka_unit_test(wrong_use_says_what_to_do),
		cmocka_unit_test(binary_data_is_kept_off_a_terminal),
		cmocka_unit_test(a_capture_is_not_overwritten_by_its_export),
		cmocka_unit_test(a_failure_leaves_the_file_as_it_was),
	};

	return cmocka_run_group_tests(tests, scratch_new, scratch_remove);
}
