// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace export`: writes a capture in a format that other tools read. Options and wiring only.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "base/bounds.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/units.h"
#include "capture_input.h"
#include "cmd.h"
#include "export/export.h"
#include "findings/report_findings.h"
#include "output.h"
#include "with_lines.h"

enum {
	OPT_FROM = 256,
	OPT_TO,
	OPT_BASE,
	OPT_BASE_FROM,
	OPT_BASE_TO,
	OPT_LABELS,
	OPT_ROOT,
	OPT_UNIT,
	OPT_LINES,
	OPT_DEBUG_DIR
};

enum export_format { FORMAT_PPROF, FORMAT_FOLDED, FORMAT_OPENMETRICS, FORMAT_NDJSON, FORMATS };

#define FORMAT_WORDS "pprof, folded, openmetrics or ndjson"

/* Bits of the options that only some formats have. */
enum {
	TAKES_BASE = 1,
	TAKES_BY = 2,
	TAKES_LABELS = 4,
	TAKES_ROOT = 8,
	TAKES_UNIT = 16,
	TAKES_LINES = 32
};

static const struct format_def {
	const char *name;
	unsigned int takes;
	bool binary;
} formats[FORMATS] = {
	[FORMAT_PPROF] = {"pprof", TAKES_BASE | TAKES_BY | TAKES_LABELS | TAKES_UNIT | TAKES_LINES,
			  true},
	[FORMAT_FOLDED] = {"folded", TAKES_BASE | TAKES_BY | TAKES_ROOT | TAKES_UNIT, false},
	[FORMAT_OPENMETRICS] = {"openmetrics", 0, false},
	[FORMAT_NDJSON] = {"ndjson", TAKES_BY | TAKES_LABELS | TAKES_LINES, false},
};

struct export_args {
	const char *path, *base, *out;
	enum export_format format;
	unsigned int given; /* which options of some formats only */
	enum growth_by by;
	struct export_options options;
	struct with_lines lines;
	double from_s[2], to_s[2]; /* of base and of the capture; NaN: the recording's own ends */
};

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0, "Required: " FORMAT_WORDS, 0},
	{"output", 'o', "FILE", 0, "Write to FILE (default: standard output)", 0},
	{"by", 'b', "WHAT", 0, "Group by " GROWTH_BY_WORDS " (default: stack)", 0},
	{"labels", OPT_LABELS, "LIST", 0,
	 "pprof, ndjson: the labels of samples, separated by commas: " SAMPLE_LABEL_WORDS
	 " (default: all; pprof: all but pid)",
	 1},
	{"root", OPT_ROOT, "LIST", 0,
	 "folded: put these labels before each path, or none (default: pool,cache)", 1},
	{"unit", OPT_UNIT, "FIGURE", 0,
	 "folded: the figure of each path; pprof: the figure that is shown first: " SAMPLE_VALUE_WORDS
	 " (default: inuse_space)",
	 1},
	{"lines", OPT_LINES, 0, 0, "pprof, ndjson: " LINES_HELP, 1},
	{"debug-dir", OPT_DEBUG_DIR, "DIR", 0, DEBUG_DIR_HELP, 1},
	{"base", OPT_BASE, "BASE", 0, "pprof, folded: show the difference to BASE, another capture",
	 2},
	{"from", OPT_FROM, "TIME", 0,
	 "Export only from TIME on, counted from the start of the recording (e.g. 10m)", 3},
	{"to", OPT_TO, "TIME", 0, "Export only up to TIME, counted from the start of the recording",
	 3},
	{"base-from", OPT_BASE_FROM, "TIME", 0, "Use BASE from TIME on, counted from its start", 3},
	{"base-to", OPT_BASE_TO, "TIME", 0, "Use BASE up to TIME, counted from its start", 3},
	{0},
};

static const char doc[] =
	"Write what a capture holds in a format that other tools read. The figures are those of "
	"`kmemtrace report --format json`. Needs no privilege.\v"
	"Examples:\n"
	"  kmemtrace export -f pprof -o now.pb.gz now.kmt && pprof -http=: now.pb.gz\n"
	"  kmemtrace export -f pprof --base a.kmt -o diff.pb.gz b.kmt   b minus a\n"
	"  kmemtrace export -f folded now.kmt | flamegraph.pl >now.svg\n"
	"  kmemtrace export -f openmetrics -o day.om day.kmt   history for Prometheus\n\n"
	"docs/export.md shows how to open each format.\n\n"
	"Exit status: 0 on success; 1 on failure; 2 if the command line was wrong.";

static enum export_format format_parse(struct argp_state *state, const char *arg)
{
	for (unsigned int i = 0; i < FORMATS; i++)
		if (!strcmp(arg, formats[i].name))
			return (enum export_format)i;
	argp_error(state, "unknown format '%s'; use " FORMAT_WORDS, arg);
	return FORMATS;
}

static unsigned int labels_parse(struct argp_state *state, const char *arg)
{
	if (!strcmp(arg, "none"))
		return 0;
	return args_list(state, "label", arg, sample_label_parse, SAMPLE_LABEL_WORDS);
}

/* The labels in the order in which they are given, each once. */
static void root_parse(struct argp_state *state, const char *arg, struct export_options *o)
{
	unsigned int seen = 0;

	labels_parse(state, arg);
	o->nr_root = 0;
	for (const char *at = arg; *at && strcmp(arg, "none") != 0;) {
		size_t len = strcspn(at, ",");
		unsigned int bit = sample_label_parse(at, len);

		if (!(seen & bit))
			o->root[o->nr_root++] = (enum sample_label)(ffs((int)bit) - 1);
		seen |= bit;
		at += len + (at[len] == ',');
	}
}

/* Refuse options that the format does not have, and say what has the same effect. */
static void export_check_format(struct argp_state *state, const struct export_args *args)
{
	static const struct {
		unsigned int takes;
		const char *option, *instead;
	} rules[] = {
		{TAKES_BASE, "--base",
		 "export both captures, and compare them where they are read"},
		{TAKES_BY, "--by", "leave it out"},
		{TAKES_LABELS, "--labels", "leave it out"},
		{TAKES_ROOT, "--root", "leave it out (pprof -tagroot=pool,cache does the same)"},
		{TAKES_UNIT, "--unit", "leave it out"},
		{TAKES_LINES, "--lines", "use pprof, which speedscope reads, too"},
	};
	const struct format_def *f = &formats[args->format];

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (args->given & rules[i].takes & ~f->takes)
			argp_error(state, "%s does not apply to the format %s: %s", rules[i].option,
				   f->name, rules[i].instead);
}

static void export_check_args(struct argp_state *state, const struct export_args *args)
{
	enum sample_value unit = args->options.unit;

	if (args->format == FORMATS)
		argp_error(state, "give a format: --format=" FORMAT_WORDS);
	export_check_format(state, args);
	if (!args->base && (!isnan(args->from_s[0]) || !isnan(args->to_s[0])))
		argp_error(state, "--base-from and --base-to need --base");
	if ((unit == VALUE_ALLOC_SPACE || unit == VALUE_ALLOC_OBJECTS) &&
	    (args->by == GROWTH_BY_CACHE || args->by == GROWTH_BY_PROCESS ||
	     args->by == GROWTH_BY_CGROUP))
		argp_error(state,
			   "%s is counted by call path, and not by %s: use --unit inuse_space, or "
			   "group by stack, site, module, pool or syscall",
			   sample_value_name(unit), growth_by_name(args->by));
	args_span(state, "--base-from", args->from_s[0], "--base-to", args->to_s[0]);
	args_span(state, "--from", args->from_s[1], "--to", args->to_s[1]);
}

/* Options that only some formats have. */
static error_t export_parse_detail(int key, char *arg, struct argp_state *state)
{
	struct export_args *args = state->input;

	switch (key) {
	case 'b':
		args->given |= TAKES_BY;
		args->by = args_by(state, arg);
		return 0;
	case OPT_LABELS:
		args->given |= TAKES_LABELS;
		args->options.labels = labels_parse(state, arg);
		return 0;
	case OPT_ROOT:
		args->given |= TAKES_ROOT;
		root_parse(state, arg, &args->options);
		return 0;
	case OPT_UNIT:
		args->given |= TAKES_UNIT;
		if (sample_value_parse(arg, &args->options.unit))
			argp_error(state, "unknown unit '%s': use " SAMPLE_VALUE_WORDS, arg);
		return 0;
	case OPT_LINES:
	case OPT_DEBUG_DIR:
		args->given |= TAKES_LINES;
		with_lines_set(state, arg, &args->lines);
		return 0;
	case OPT_BASE:
		args->given |= TAKES_BASE;
		args->base = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t export_parse_option(int key, char *arg, struct argp_state *state)
{
	struct export_args *args = state->input;

	switch (key) {
	case 'f':
		args->format = format_parse(state, arg);
		return 0;
	case 'o':
		args->out = arg;
		return 0;
	case OPT_FROM:
	case OPT_BASE_FROM:
		args->from_s[key == OPT_FROM] = args_time(state, arg);
		return 0;
	case OPT_TO:
	case OPT_BASE_TO:
		args->to_s[key == OPT_TO] = args_time(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (args->path)
			argp_error(state,
				   "export reads one capture, and '%s' is a second one; --base "
				   "compares it with another",
				   arg);
		args->path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "give a capture: a file that `kmemtrace record` wrote");
		return 0;
	case ARGP_KEY_END:
		export_check_args(state, args);
		if (args->format == FORMAT_NDJSON && !(args->given & TAKES_LABELS))
			args->options.labels |= 1u << LABEL_PID;
		return 0;
	default:
		return export_parse_detail(key, arg, state);
	}
}

struct export_rendering {
	struct export_input in;
	const struct export_args *args;
	int64_t *negative;
};

static int export_render(const void *arg, FILE *out)
{
	const struct export_rendering *what = arg;

	switch (what->args->format) {
	case FORMAT_PPROF:
		return export_pprof(&what->in, &what->args->options, out);
	case FORMAT_FOLDED:
		return export_folded(&what->in, &what->args->options, what->negative, out);
	case FORMAT_OPENMETRICS:
		return export_openmetrics(what->in.r, out);
	default:
		return export_ndjson(what->in.r, &what->args->options, out);
	}
}

/* Binary data on a terminal helps nobody, and may change its settings. */
static int export_check_output(const struct export_args *args)
{
	const struct format_def *f = &formats[args->format];

	if (!f->binary || (args->out && strcmp(args->out, "-") != 0) || !isatty(STDOUT_FILENO))
		return 0;
	return log_error(EINVAL,
			 "%s is binary, and standard output is a terminal: write to a file with "
			 "--output=FILE.pb.gz, or redirect it",
			 f->name);
}

/* A capture and its report. */
struct export_side {
	struct capture_input input;
	struct report r;
};

static int side_open(const char *path, const struct export_args *args, int which,
		     struct export_side *s)
{
	return capture_input_read(path, args->from_s[which], args->to_s[which], &s->input);
}

static int side_report(const char *path, const struct export_args *args, struct export_side *s)
{
	int err;

	if (report_build(&s->input.range.view, args->by, &s->r))
		return log_error(ENOMEM, "not enough memory to compute the report of %s%s", path,
				 bounds_memory_hint());
	err = with_lines_find(&args->lines, s->input.c, NULL, 0);
	if (!err)
		with_lines_tell(s->input.c);
	return err;
}

static void side_close(struct export_side *s)
{
	report_free(&s->r);
	capture_input_free(&s->input);
}

static int export_sides(const struct export_args *args, struct export_side *base,
			struct export_side *new_)
{
	int64_t negative = 0;
	const struct export_rendering what = {
		.in = {.r = &new_->r, .base = args->base ? &base->r : NULL},
		.args = args,
		.negative = &negative};
	char bytes[UNITS_MAX];

	if (output_file("export", args->out, export_render, &what))
		return EXIT_FAILED;
	if (!new_->r.view.at)
		log_warn("nothing was traced in %s, so there are no call paths; `kmemtrace balance "
			 "%s` shows what the kernel counted",
			 args->path, args->path);
	if (negative < 0)
		log_warn("paths that freed more than they allocated in this part of the recording "
			 "are left out, %s in all, because folded stacks cannot be negative; the "
			 "format pprof has them",
			 args->options.unit == VALUE_INUSE_SPACE ||
					 args->options.unit == VALUE_ALLOC_SPACE
				 ? units_bytes(bytes, (double)negative)
				 : units_count(bytes, (double)negative));
	return EXIT_OK;
}

int cmd_export(int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = export_parse_option, .args_doc = "FILE", .doc = doc};
	struct export_args args = {.format = FORMATS,
				   .options = {.labels = SAMPLE_LABELS_DEFAULT,
					       .unit = VALUE_INUSE_SPACE,
					       .root = {LABEL_POOL, LABEL_CACHE},
					       .nr_root = 2},
				   .from_s = {NAN, NAN},
				   .to_s = {NAN, NAN}};
	_cleanup_(side_close) struct export_side base = {0}, new_ = {0};

	if (args_parse(&argp, 0, argc, argv, &args))
		return EXIT_USAGE;
	if (export_check_output(&args))
		return EXIT_FAILED;
	privileges_keep_for((const char *const[]){args.path, args.base}, 2);
	if (args.base && side_open(args.base, &args, 0, &base))
		return EXIT_FAILED;
	if (side_open(args.path, &args, 1, &new_))
		return EXIT_FAILED;
	privileges_keep_none();
	if ((args.base && side_report(args.base, &args, &base)) ||
	    side_report(args.path, &args, &new_))
		return EXIT_FAILED;
	return export_sides(&args, &base, &new_);
}
