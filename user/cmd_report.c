// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace report`: prints where the memory went, from a capture. Options and wiring only. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "args.h"
#include "base/bounds.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/privileges.h"
#include "cmd.h"
#include "findings/report_findings.h"
#include "output.h"
#include "render/report.h"
#include "capture_input.h"
#include "with_lines.h"

enum { OPT_FROM = 256, OPT_TO, OPT_FAIL, OPT_LINES, OPT_DEBUG_DIR };

struct report_args {
	const char *path;
	enum growth_by by;
	enum args_format format;
	const char *output; /* of -o; NULL: standard output */
	size_t top;
	unsigned int sections; /* of enum report_section: those of --show */
	unsigned int implied;  /* the same: those of --top and --by if there is no --show */
	double from_s, to_s;   /* NaN: the recording's own ends */
	struct growth_limits growth_limits;
	struct with_lines lines;
};

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0,
	 "text (default), json, or html: one page with pictures, for a browser", 0},
	{"output", 'o', "FILE", 0, "Write to FILE, not to standard output", 0},
	{"top", 'n', "N", 0,
	 "Show the N largest caches and call paths; 0 for all (text: 10; json: 100)", 0},
	{"show", 's', "SECTIONS", 0,
	 "Also print these sections, separated by commas: " SECTION_WORDS, 0},
	{"by", 'b', "WHAT", 0,
	 "Group the growth by stack (default), cache, site, process, cgroup, module, pool or syscall",
	 0},
	{"lines", OPT_LINES, 0, 0, LINES_HELP, 0},
	{"debug-dir", OPT_DEBUG_DIR, "DIR", 0, DEBUG_DIR_HELP, 0},
	{"from", OPT_FROM, "TIME", 0,
	 "Report only from TIME on, counted from the start of the recording (e.g. 10m)", 1},
	{"to", OPT_TO, "TIME", 0, "Report only up to TIME, counted from the start of the recording",
	 1},
	{"fail-if-growth", OPT_FAIL, "LIMIT", 0,
	 "If LIMIT is POOL=SIZE, exit with 3 if the pool grew by more than SIZE. If it is "
	 "POOL=SIZE/TIME, exit with 3 if the pool grew faster than that. May be repeated. POOL is " GROWTH_LIMIT_POOLS,
	 2},
	{0},
};

static const char doc[] =
	"Show where kernel memory went, from a capture that `kmemtrace record` wrote. Needs no "
	"privilege.\v"
	"Examples:\n"
	"  kmemtrace report now.kmt                   the first screen\n"
	"  kmemtrace report --show all now.kmt        all sections\n"
	"  kmemtrace report --top 3 now.kmt           also the three largest call paths\n"
	"  kmemtrace report --by cache now.kmt        also growth by slab cache\n"
	"  kmemtrace report --lines now.kmt           call paths with source lines\n"
	"  kmemtrace report --from 2h --to 3h day.kmt   the third hour of a day\n"
	"  kmemtrace report --fail-if-growth Slab=16M now.kmt || echo it grew\n"
	"  kmemtrace report --format json now.kmt | jq '.growth[0]'\n"
	"  kmemtrace report --format html -o now.html now.kmt   pictures, in a browser\n\n"
	"Exit status: 0 on success; 1 on failure; 2 if the command line was wrong;\n"
	"3 if --fail-if-growth found growth.";

static error_t report_parse_option(int key, char *arg, struct argp_state *state)
{
	struct report_args *args = state->input;

	switch (key) {
	case 'f':
		args->format = args_format(state, arg);
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case 'n':
		args->top = args_top(state, arg);
		args->implied |= SECTION_CACHES | SECTION_STACKS;
		return 0;
	case 's':
		args->sections |= args_sections(state, arg, section_parse, SECTION_WORDS);
		return 0;
	case 'b':
		args->by = args_by(state, arg);
		args->implied |= SECTION_STACKS;
		return 0;
	case OPT_LINES:
	case OPT_DEBUG_DIR:
		with_lines_set(state, arg, &args->lines);
		args->implied |= SECTION_STACKS;
		return 0;
	case OPT_FROM:
		args->from_s = args_time(state, arg);
		return 0;
	case OPT_TO:
		args->to_s = args_time(state, arg);
		return 0;
	case OPT_FAIL:
		args_growth_limit(state, arg, &args->growth_limits);
		return 0;
	case ARGP_KEY_ARG:
		if (args->path)
			argp_error(
				state,
				"report reads one capture, and '%s' is a second one; `kmemtrace diff` compares two",
				arg);
		args->path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "give a capture: a file that `kmemtrace record` wrote");
		return 0;
	case ARGP_KEY_END:
		args_span(state, "--from", args->from_s, "--to", args->to_s);
		args_page(state, args->format, args->output,
			  args->sections || args->top != ARGS_TOP_UNSET);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The rows that are shown; 0: all. */
static size_t report_top(const struct report_args *args)
{
	if (args->format == ARGS_HTML)
		return 0;
	return args_top_or_default(args->top, args->format == ARGS_JSON);
}

struct report_rendering {
	const struct report *r;
	const struct report_args *args;
};

static int report_render(const void *arg, FILE *out)
{
	const struct report_rendering *what = arg;
	const struct report_args *args = what->args;
	struct report_options show = {.top = report_top(args),
				      .sections = args->sections ?: args->implied};

	if (args->format == ARGS_HTML)
		return report_html(what->r, out);
	if (args->format == ARGS_JSON)
		return report_json(what->r, show.top, out);
	show.colour = output_file_wants_colour(args->output);
	show.utf8 = output_is_utf8();
	return report_text(what->r, &show, out);
}

static int report_check_limits(const struct report_args *args, const struct report *r)
{
	int status = EXIT_OK;

	for (size_t i = 0; i < args->growth_limits.nr; i++) {
		const struct growth_limit *g = &args->growth_limits.items[i];
		struct growth_limit_facts facts =
			growth_limit_of_ledger(g, &r->ledger, r->view.duration_s);

		status = args_growth_limit_check(g, &facts, "", status);
	}
	return status;
}

int cmd_report(int argc, char **argv)
{
	const struct argp argp = {.options = options,
				  .parser = report_parse_option,
				  .args_doc = "FILE",
				  .doc = doc,
				  .children = args_document};
	struct report_args args = {.top = ARGS_TOP_UNSET, .from_s = NAN, .to_s = NAN};
	_cleanup_(capture_input_free) struct capture_input input = {0};
	_cleanup_(report_free) struct report r = {0};
	const struct report_rendering what = {.r = &r, .args = &args};

	if (args_parse(&argp, 0, argc, argv, &args))
		return EXIT_USAGE;
	privileges_keep_for(&args.path, 1);
	if (capture_input_read(args.path, args.from_s, args.to_s, &input))
		return EXIT_FAILED;
	privileges_keep_none();
	if (report_build(&input.range.view, args.by, &r)) {
		log_error(ENOMEM, "not enough memory to compute the report of %s%s", args.path,
			  bounds_memory_hint());
		return EXIT_FAILED;
	}
	if (with_lines_find(&args.lines, input.c, &r.growth, report_top(&args)))
		return EXIT_FAILED;
	return output_file("report", args.output, report_render, &what)
		       ? EXIT_FAILED
		       : report_check_limits(&args, &r);
}
