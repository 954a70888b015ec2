// SPDX-License-Identifier: GPL-2.0-only
/* Code that the fuzzers share: see fuzz.h. */
#include "fuzz.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "diff/diff.h"
#include "export/export.h"
#include "findings/report_findings.h"
#include "render/balance.h"
#include "render/diff.h"
#include "render/report.h"

static FILE *messages;

void fuzz_quiet(void)
{
	FILE *nowhere = fopen("/dev/null", "w");

	if (!nowhere)
		abort();
	messages = stderr;
	stderr = nowhere;
}

void fuzz_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("fuzz: ", messages ? messages : stderr);
	vfprintf(messages ? messages : stderr, fmt, ap);
	fputc('\n', messages ? messages : stderr);
	va_end(ap);
	abort();
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double started;

void fuzz_clock_start(void)
{
	started = cpu_seconds();
}

void fuzz_clock_check(void)
{
	double took = cpu_seconds() - started;

	if (took > FUZZ_SECONDS)
		fuzz_die("it took %.1f s of CPU time", took);
}

/* ---- files ---- */

static char *files[4];

static void remove_files(void)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i])
			unlink(files[i]);
}

const char *fuzz_file(const char *name)
{
	const char *tmp = getenv("TMPDIR");
	size_t i = 0;
	int fd;

	while (i < sizeof(files) / sizeof(files[0]) && files[i])
		i++;
	if (i == sizeof(files) / sizeof(files[0]) ||
	    asprintf(&files[i], "%s/fuzz-%s.XXXXXX", tmp ? tmp : "/tmp", name) < 0)
		fuzz_die("no more files");
	fd = mkstemp(files[i]);
	if (fd < 0)
		fuzz_die("cannot make %s", files[i]);
	close(fd);
	if (!i)
		atexit(remove_files);
	return files[i];
}

void fuzz_write(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		fuzz_die("cannot write %s", path);
}

/* ---- documents ---- */

FILE *fuzz_document_open(struct fuzz_document *d)
{
	*d = (struct fuzz_document){0};
	d->f = open_memstream(&d->text, &d->size);
	if (!d->f)
		fuzz_die("no memory for a document");
	return d->f;
}

static void document_close(struct fuzz_document *d)
{
	if (fclose(d->f))
		fuzz_die("no memory for a document");
	if (strlen(d->text) != d->size)
		fuzz_die("a document holds a NUL: %s", d->text);
}

/* The length of the printable UTF-8 character at p, or 0. */
static size_t shown_utf8(const unsigned char *p)
{
	size_t nr = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
	uint32_t c = p[0] & (0x7f >> nr);

	if (!nr || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < nr; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	/* no C1 control, no change of direction, no surrogate, not overlong */
	if (c < 0xa0 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	    (c >= 0xd800 && c <= 0xdfff) || (nr == 3 && c < 0x800) || (nr == 4 && c < 0x10000))
		return 0;
	return nr;
}

/* The length of a colour sequence at p, or 0. */
static size_t colour_at(const char *p)
{
	size_t n = 2;

	if (p[0] != '\x1b' || p[1] != '[')
		return 0;
	while (isdigit((unsigned char)p[n]) || p[n] == ';')
		n++;
	return p[n] == 'm' ? n + 1 : 0;
}

static void check_characters(const char *text, bool colour, bool utf8)
{
	const char *p = text;

	while (*p) {
		size_t n = *p == '\n' || (*p >= ' ' && *p <= '~');

		if (!n && colour)
			n = colour_at(p);
		if (!n && utf8)
			n = shown_utf8((const unsigned char *)p);
		if (!n)
			fuzz_die("byte %02x at %zu of the text:\n%s", (unsigned char)*p,
				 (size_t)(p - text), text);
		p += n;
	}
}

/*
 * A separate word "nan" or "inf" is a figure that was not checked. strstr() is not used, because
 * libFuzzer would learn the words from it and write them into names.
 */
static void check_figures(const char *text)
{
	for (const char *p = text; *p; p++) {
		bool nan = p[0] == 'n' && p[1] == 'a' && p[2] == 'n',
		     inf = p[0] == 'i' && p[1] == 'n' && p[2] == 'f';

		if ((nan || inf) &&
		    (p == text || (!isalnum((unsigned char)p[-1]) && p[-1] != '_')) &&
		    !isalnum((unsigned char)p[3]) && p[3] != '_')
			fuzz_die("a figure is %.3s: …%.40s…\n%s", p, p - text > 20 ? p - 20 : text,
				 text);
	}
}

void fuzz_check_text(struct fuzz_document *d, bool colour, bool utf8)
{
	document_close(d);
	check_characters(d->text, colour, utf8);
	check_figures(d->text);
	free(d->text);
}

/* Fields that can never be below 0, with the names of docs/json.md. */
static bool never_negative(const char *key)
{
	static const char *const names[] = {"duration_s",
					    "cpus",
					    "cpus_possible",
					    "mem_total_kb",
					    "lost_ratio",
					    "start_kb",
					    "end_kb",
					    "attributed_sd_kb",
					    "used_kb",
					    "vmallocinfo_kb",
					    "stacks_kb",
					    "start_areas",
					    "end_areas",
					    "start_threads",
					    "end_threads",
					    "start_stack_kb",
					    "end_stack_kb",
					    "start_page_tables_kb",
					    "end_page_tables_kb",
					    "object_size",
					    "size",
					    "start_objects",
					    "end_objects",
					    "allocs",
					    "frees",
					    "unseen_frees",
					    "resting_objects",
					    "unseen_free_ratio",
					    "audited_ratio",
					    "judged_objects",
					    "verified_live_fraction",
					    "age_p50_s",
					    "age_p90_s",
					    "age_oldest_s",
					    "available_kb",
					    "seconds",
					    "trend_p",
					    "change_p",
					    "sample_bytes",
					    "overhead_cpu_percent",
					    "own_kernel_bytes"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(key, names[i]))
			return true;
	return false;
}

static bool is_ratio(const char *key)
{
	return !strcmp(key, "lost_ratio") || !strcmp(key, "unseen_free_ratio") ||
	       !strcmp(key, "audited_ratio") || !strcmp(key, "verified_live_fraction") ||
	       !strcmp(key, "trend_p") || !strcmp(key, "change_p");
}

static double member(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Equal, within three decimals and twelve digits of the largest figure. */
static bool same(double a, double b, double largest)
{
	return !(fabs(a - b) > 0.02 + 1e-9 * fabs(largest)); /* NaN: not measured */
}

/* An interval must contain its figure. Low, figure and high may each be null. */
static void check_order(const json_t *j, const char *text)
{
	static const char *const orders[][3] = {
		{"bytes_low", "bytes", "bytes_high"},
		{"slope_low_kb_per_s", "slope_kb_per_s", "slope_high_kb_per_s"},
		{"residual_low_kb", "residual_kb", "residual_high_kb"},
		{"delta_low_kb", "delta_kb", "delta_high_kb"},
		{"bytes_per_s_low", "bytes_per_s", "bytes_per_s_high"},
		{"delta_bytes_per_s_low", "delta_bytes_per_s", "delta_bytes_per_s_high"},
		{"seconds_low", "seconds", "seconds_high"},
		{"kb_least", "kb", "kb_most"},
		{"low", "value", "high"},
		{"age_p50_s", "age_p90_s", "age_oldest_s"},
		{"judged_twice_objects", "tracked_objects", ""},
	};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		double low = member(j, orders[i][0]), at = member(j, orders[i][1]),
		       high = member(j, orders[i][2]), slack;

		slack = 1 + 1e-9 * fmax(fmax(fabs(low), fabs(at)), fabs(high));
		if (low > at + slack || at > high + slack)
			fuzz_die("%s %g, %s %g, %s %g:\n%s", orders[i][0], low, orders[i][1], at,
				 orders[i][2], high, text);
	}
}

/* Sums must equal the sum of their parts. */
static void check_sums(const json_t *j, const char *text)
{
	double start = member(j, "start_kb"), end = member(j, "end_kb"),
	       delta = member(j, "delta_kb");
	double attributed = member(j, "attributed_kb"), freed = member(j, "preexisting_freed_kb"),
	       overhead = member(j, "allocator_overhead_kb"), residual = member(j, "residual_kb");
	double total = member(j, "mem_total_kb"), sum = 0, largest = 0;
	const json_t *lines = json_object_get(j, "lines");
	json_t *line;
	size_t i;

	if (!same(end - start, delta, fmax(fabs(start), fabs(end))))
		fuzz_die("%g - %g is not %g:\n%s", end, start, delta, text);
	if (!same(attributed - freed + overhead + residual, delta,
		  fmax(fmax(fabs(attributed), fabs(freed)), fmax(fabs(overhead), fabs(residual)))))
		fuzz_die("%g - %g + %g + %g is not %g:\n%s", attributed, freed, overhead, residual,
			 delta, text);
	json_array_foreach((json_t *)lines, i, line)
	{
		sum += member(line, "kb");
		largest = fmax(largest, fabs(member(line, "kb")));
	}
	if (lines && !same(sum, total, largest))
		fuzz_die("the lines are %g, MemTotal is %g:\n%s", sum, total, text);
}

static void check_values(const json_t *j, const char *parent, const char *text)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_array(j)) {
		json_array_foreach((json_t *)j, i, value) check_values(value, parent, text);
		return;
	}
	if (!json_is_object(j))
		return;
	check_order(j, text);
	check_sums(j, text);
	json_object_foreach((json_t *)j, key, value)
	{
		double v = json_number_value(value);

		check_values(value, key, text);
		if (!json_is_number(value))
			continue;
		if (!isfinite(v))
			fuzz_die("%s of %s is not finite:\n%s", key, parent, text);
		/* Unaccounted is the remainder, in every list. */
		if (v < 0 &&
		    (never_negative(key) || (!strcmp(key, "kb") && json_object_get(j, "name"))) &&
		    !strstr(json_string_value(json_object_get(j, "name")) ?: "", "naccounted"))
			fuzz_die("%s of %s is %g:\n%s", key, parent, v, text);
		if (v > 1 && is_ratio(key))
			fuzz_die("%s of %s is %g, beyond 1:\n%s", key, parent, v, text);
	}
}

static void keep_json(const struct fuzz_document *d, const char *command)
{
	const char *dir = getenv("FUZZ_KEEP");
	static unsigned int nr;
	char name[4096];

	if (!dir)
		return;
	snprintf(name, sizeof(name), "%s/%s-%u", dir, command, nr++);
	fuzz_write(name, d->text, d->size);
}

void fuzz_check_json(struct fuzz_document *d, const char *command)
{
	json_error_t error;
	json_t *root;

	document_close(d);
	check_characters(d->text, false, false);
	root = json_loads(d->text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fuzz_die("not JSON, line %d: %s:\n%s", error.line, error.text, d->text);
	check_values(root, "the document", d->text);
	json_decref(root);
	keep_json(d, command);
	free(d->text);
}

/* ---- the commands ---- */

struct fuzz_show fuzz_show_of(uint8_t a, uint8_t b)
{
	static const size_t tops[] = {10, 0, 1, 100};

	return (struct fuzz_show){.by = a % GROWTH_BYS,
				  .colour = b & 1,
				  .utf8 = b & 2,
				  .all = b & 4,
				  .top = tops[b >> 3 & 3]};
}

/* Each line is a JSON object. */
static void check_rows(struct fuzz_document *d)
{
	char *save = NULL;

	document_close(d);
	check_characters(d->text, false, false);
	for (char *l = strtok_r(d->text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		json_error_t error;
		json_t *row = json_loads(l, JSON_REJECT_DUPLICATES, &error);

		if (!json_is_object(row))
			fuzz_die("not a JSON object: %s: %s", error.text, l);
		json_decref(row);
	}
	free(d->text);
}

/* The same in all formats of other tools; tests/export reads them with these tools. */
static void fuzz_export(const struct report *r, const struct fuzz_show *show)
{
	const struct export_options o = {
		.labels = show->all ? SAMPLE_LABELS_DEFAULT : 1u << LABEL_POOL,
		.unit = show->colour ? VALUE_INUSE_OBJECTS : VALUE_INUSE_SPACE,
		.root = {LABEL_PROCESS, LABEL_CACHE, LABEL_CGROUP},
		.nr_root = show->all ? 3 : 0};
	const struct export_input in = {.r = r, .base = show->utf8 ? r : NULL};
	struct fuzz_document d;
	int64_t negative;

	if (export_pprof(&in, &o, fuzz_document_open(&d)))
		fuzz_die("export_pprof failed");
	fclose(d.f);
	free(d.text);
	if (export_folded(&in, &o, &negative, fuzz_document_open(&d)))
		fuzz_die("export_folded failed");
	fuzz_check_text(&d, false, true);
	if (export_openmetrics(r, fuzz_document_open(&d)))
		fuzz_die("export_openmetrics failed");
	fuzz_check_text(&d, false, true);
	if (export_ndjson(r, &o, fuzz_document_open(&d)))
		fuzz_die("export_ndjson failed");
	check_rows(&d);
}

/* A page is small, its names are no markup, and its data is JSON. */
static void check_page(struct fuzz_document *d)
{
	static const char mark[] = "<script type=\"application/json\" id=\"data\">";
	char *data, *end;
	json_t *root;
	size_t tags = 0;

	document_close(d);
	if (d->size >= 1000000)
		fuzz_die("a page of %zu bytes", d->size);
	for (const char *p = d->text; (p = strchr(p, '<')); p++)
		tags += !strncmp(p, "<script", 7) || !strncmp(p, "<!--", 4);
	data = strstr(d->text, mark);
	end = data ? strstr(data, "</script>\n<script>") : NULL;
	if (tags != 2 || !end)
		fuzz_die("%zu scripts in a page:\n%s", tags, d->text);
	*end = '\0'; /* what follows is ours */
	root = json_loads(data + strlen(mark), JSON_REJECT_DUPLICATES, NULL);
	if (!root)
		fuzz_die("the data of a page is no JSON:\n%s", data);
	json_decref(root);
	*data = '\0';
	check_characters(strstr(d->text, "</head>"), false, true);
	check_figures(strstr(d->text, "</head>"));
	free(d->text);
}

void fuzz_report(const struct view *v, const struct fuzz_show *show)
{
	const struct report_options options = {.sections = show->all ? SECTIONS_ALL : 0,
					       .top = show->top,
					       .colour = show->colour,
					       .utf8 = show->utf8};
	struct fuzz_document d;
	struct report r;

	if (report_build(v, show->by, &r))
		fuzz_die("report_build failed");
	if (report_text(&r, &options, fuzz_document_open(&d)))
		fuzz_die("report_text failed");
	fuzz_check_text(&d, show->colour, show->utf8);
	if (report_json(&r, show->top, fuzz_document_open(&d)))
		fuzz_die("report_json failed");
	fuzz_check_json(&d, "report");
	if (report_html(&r, fuzz_document_open(&d)))
		fuzz_die("report_html failed");
	check_page(&d);
	fuzz_export(&r, show);
	report_free(&r);
}

static void sheet_check(struct balance_sheet *sheet, const struct fuzz_show *show)
{
	const struct balance_text_options options = {
		.sections = show->all ? balance_section_parse("all", strlen("all")) : 0,
		.explain = show->all && show->top,
		.colour = show->colour,
		.utf8 = show->utf8};
	struct fuzz_document d;

	if (balance_text(sheet, &options, fuzz_document_open(&d)))
		fuzz_die("balance_text failed");
	fuzz_check_text(&d, show->colour, show->utf8);
	if (balance_json(sheet, fuzz_document_open(&d)))
		fuzz_die("balance_json failed");
	fuzz_check_json(&d, "balance");
	balance_sheet_free(sheet);
}

void fuzz_balance(const struct view *v, const struct fuzz_show *show)
{
	struct balance_sheet sheet;

	if (balance_sheet_view(v, &sheet))
		fuzz_die("balance_sheet_view failed");
	sheet_check(&sheet, show);
}

void fuzz_balance_now(const struct snapshot *s, const struct unlisted *unlisted,
		      const struct fuzz_show *show)
{
	struct balance_origin origin = {.unlisted = unlisted, .reader_page_bytes = 4096};
	struct balance_sheet sheet;

	origin.hint.page_bytes = beliefs_page_bytes(s, 4096, &origin.page_bytes_source);
	if (balance_sheet_now(s, &origin, &sheet))
		fuzz_die("balance_sheet_now failed");
	if (isnan(sheet.total.end_kb)) {
		balance_sheet_free(&sheet);
		return;
	}
	sheet_check(&sheet, show);
}

void fuzz_balance_oom(const struct oom_report *report, const struct fuzz_show *show)
{
	const struct balance_origin origin = {
		.oom = report,
		.hint = {.page_bytes = report->page_bytes > 0 ? report->page_bytes : 4096,
			 .oom_report = true}};
	struct balance_sheet sheet;

	if (balance_sheet_now(&report->s, &origin, &sheet))
		fuzz_die("balance_sheet_now failed");
	if (isnan(sheet.total.end_kb)) {
		balance_sheet_free(&sheet);
		return;
	}
	sheet_check(&sheet, show);
}

static void diff_check(const struct diff_input *in, const struct fuzz_show *show)
{
	const struct diff_options options = {.sections = show->all ? DIFF_SECTIONS_ALL : 0,
					     .top = show->top,
					     .all = show->all,
					     .colour = show->colour,
					     .utf8 = show->utf8};
	struct fuzz_document doc;
	struct diff_findings findings;
	struct diff d;

	if (diff_build(in, &d))
		fuzz_die("diff_build failed");
	if (diff_findings_build(&d, &findings))
		fuzz_die("diff_findings_build failed");
	if (diff_text(&d, &findings, &options, fuzz_document_open(&doc)))
		fuzz_die("diff_text failed");
	fuzz_check_text(&doc, show->colour, show->utf8);
	if (diff_json(&d, &findings, &options, fuzz_document_open(&doc)))
		fuzz_die("diff_json failed");
	fuzz_check_json(&doc, "diff");
	if (diff_html(&d, &findings, fuzz_document_open(&doc)))
		fuzz_die("diff_html failed");
	check_page(&doc);
	diff_findings_free(&findings);
	diff_free(&d);
}

static void diff_of_pair(struct diff_input *in, const struct fuzz_show *show)
{
	struct profile base = {0}, new_ = {0};
	struct match *match = NULL;

	if (match_new(in->new_view->c, in->base_view->c, true, &match) ||
	    profile_build(in->base_view, match, show->by, false, &base) ||
	    profile_build(in->new_view, match, show->by, false, &new_))
		fuzz_die("profile_build failed");
	in->match = match;
	in->base = &base;
	in->new_ = &new_;
	diff_check(in, show);
	profile_free(&base);
	profile_free(&new_);
	match_free(match);
}

static void diff_of_set(const struct view *base, struct diff_input *in,
			const struct fuzz_show *show)
{
	struct profile one = {0}, new_ = {0};
	struct baseline *set = NULL;
	struct match *match = NULL, *own = NULL;

	if (baseline_new(show->by, &set) ||
	    match_new(in->new_view->c, in->new_view->c, false, &own) ||
	    profile_build(in->new_view, own, show->by, false, &new_) ||
	    match_new(in->new_view->c, base->c, false, &match) ||
	    profile_build(base, match, show->by, true, &one) || baseline_add(set, &one) ||
	    baseline_finish(set))
		fuzz_die("baseline failed");
	in->set = set;
	in->new_ = &new_;
	in->match = own;
	diff_check(in, show);
	profile_free(&one);
	profile_free(&new_);
	match_free(match);
	match_free(own);
	baseline_free(set);
}

void fuzz_diff(const struct view *base, const struct view *new_, const struct fuzz_show *show,
	       bool set)
{
	struct diff_input in = {.new_view = new_};

	if (set) {
		diff_of_set(base, &in, show);
	} else {
		in.base_view = base;
		diff_of_pair(&in, show);
	}
}
