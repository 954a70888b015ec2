// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace diff`: prints what changed between two captures, or between a set and one. Options and
 * wiring only. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/bounds.h"
#include "base_set.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/privileges.h"
#include "cmd.h"
#include "diff/diff.h"
#include "findings/diff_findings.h"
#include "output.h"
#include "proc_copy.h"
#include "render/diff.h"
#include "capture_input.h"

enum { OPT_SET = 256, OPT_FROM, OPT_TO, OPT_BASE_FROM, OPT_BASE_TO, OPT_FAIL, OPT_ALL };

struct diff_args {
	const char *paths[2];
	size_t nr_stacks;
	const char *set;
	enum growth_by by;
	enum args_format format;
	const char *output;        /* of -o; NULL: standard output */
	struct diff_options show;  /* its sections: those of --show */
	unsigned int implied;      /* sections: those of --top, --by and --all without --show */
	double from_s[2], to_s[2]; /* of base and new; NaN: the recording's own ends */
	struct growth_limits growth_limits;
};

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0,
	 "text (default), json, or html: one page with pictures, for a browser", 0},
	{"output", 'o', "FILE", 0, "Write to FILE, not to standard output", 0},
	{"top", 'n', "N", 0,
	 "Show the N largest changes of each kind; 0 for all (text: 10; json: 100)", 0},
	{"show", 's', "SECTIONS", 0,
	 "Also print these sections, separated by commas: " DIFF_SECTION_WORDS, 0},
	{"by", 'b', "WHAT", 0, "Compare growth by " GROWTH_BY_WORDS " (default: stack)", 0},
	{"all", OPT_ALL, NULL, 0, "Also show what did not change", 0},
	{"base-set", OPT_SET, "DIR", 0, "Compare NEW with all captures (*.kmt) in DIR", 0},
	{"from", OPT_FROM, "TIME", 0, "Use NEW from TIME on, counted from its start (e.g. 10m)", 1},
	{"to", OPT_TO, "TIME", 0, "Use NEW up to TIME, counted from its start", 1},
	{"base-from", OPT_BASE_FROM, "TIME", 0, "Use BASE from TIME on, counted from its start", 1},
	{"base-to", OPT_BASE_TO, "TIME", 0, "Use BASE up to TIME, counted from its start", 1},
	{"fail-if-growth", OPT_FAIL, "LIMIT", 0,
	 "If LIMIT is POOL=SIZE, exit with 3 if the pool is larger in NEW than in BASE by more than "
	 "SIZE. If it is POOL=SIZE/TIME, exit with 3 if the pool grows faster by more than that. May "
	 "be repeated. POOL is " GROWTH_LIMIT_POOLS,
	 2},
	{0},
};

static const char doc[] =
	"Show what changed from one capture to another: the levels, what grows faster, and what is "
	"allocated faster. The captures may come from different boots, hosts and kernels. BASE and NEW "
	"may also be directories with copies of /proc: then only levels are compared. Needs no "
	"privilege.\v"
	"Examples:\n"
	"  kmemtrace diff before.kmt after.kmt          what changed: the first screen\n"
	"  kmemtrace diff --show all before.kmt after.kmt   all sections\n"
	"  kmemtrace diff --by cgroup good.kmt bad.kmt  growth by cgroup\n"
	"  kmemtrace diff --base-set fleet/ this.kmt    compare with other hosts\n"
	"  kmemtrace diff monday/ tuesday/              levels of two copies of /proc\n"
	"  kmemtrace diff --base-to 1h --from 23h day.kmt day.kmt   last hour vs. first\n"
	"  kmemtrace diff --format html -o changed.html before.kmt after.kmt\n"
	"  kmemtrace diff --fail-if-growth Slab=1M/1min a.kmt b.kmt || echo regressed\n\n"
	"Exit status: 0 on success; 1 on failure; 2 if the command line was wrong;\n"
	"3 if --fail-if-growth found growth.";

static void diff_check_args(struct argp_state *state, const struct diff_args *args)
{
	if (args->nr_stacks != (args->set ? 1 : 2))
		argp_error(state, args->set ? "with --base-set, give one capture: NEW"
					    : "give two captures: BASE, then NEW");
	if (args->set && (!isnan(args->from_s[0]) || !isnan(args->to_s[0])))
		argp_error(state, "--base-from and --base-to cannot be combined with --base-set");
	args_span(state, "--base-from", args->from_s[0], "--base-to", args->to_s[0]);
	args_span(state, "--from", args->from_s[1], "--to", args->to_s[1]);
	args_page(state, args->format, args->output,
		  args->show.sections || args->show.top != ARGS_TOP_UNSET);
}

static error_t diff_parse_option(int key, char *arg, struct argp_state *state)
{
	struct diff_args *args = state->input;

	switch (key) {
	case 'f':
		args->format = args_format(state, arg);
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case 'n':
		args->show.top = args_top(state, arg);
		args->implied |= DIFF_SECTIONS_OF_ROWS;
		return 0;
	case 'b':
		args->by = args_by(state, arg);
		args->implied |= DIFF_SECTION_GROWTH;
		return 0;
	case 's':
		args->show.sections |=
			args_sections(state, arg, diff_section_parse, DIFF_SECTION_WORDS);
		return 0;
	case OPT_ALL:
		args->show.all = true;
		args->implied |= DIFF_SECTIONS_OF_ROWS | DIFF_SECTION_POOLS;
		return 0;
	case OPT_SET:
		args->set = arg;
		return 0;
	case OPT_FROM:
	case OPT_BASE_FROM:
		args->from_s[key == OPT_FROM] = args_time(state, arg);
		return 0;
	case OPT_TO:
	case OPT_BASE_TO:
		args->to_s[key == OPT_TO] = args_time(state, arg);
		return 0;
	case OPT_FAIL:
		args_growth_limit(state, arg, &args->growth_limits);
		return 0;
	case ARGP_KEY_ARG:
		if (args->nr_stacks == 2)
			argp_error(
				state,
				"diff compares two captures, and '%s' is a third one; to compare many with one, put "
				"the many into a directory and use --base-set=DIR NEW",
				arg);
		args->paths[args->nr_stacks++] = arg;
		return 0;
	case ARGP_KEY_END:
		diff_check_args(state, args);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int no_memory(void)
{
	return log_error(ENOMEM, "not enough memory to compare the captures%s",
			 bounds_memory_hint());
}

struct diff_rendering {
	const struct diff *d;
	const struct diff_findings *findings;
	const struct diff_args *args;
	struct witnesses counters; /* from base to new */
};

static int diff_render(const void *arg, FILE *out)
{
	const struct diff_rendering *what = arg;
	struct diff_options show = what->args->show;

	show.counters = what->d->in.base_view ? &what->counters : NULL;
	show.top = args_top_or_default(show.top, what->args->format == ARGS_JSON);
	if (what->args->format == ARGS_HTML)
		return diff_html(what->d, what->findings, out);
	if (what->args->format == ARGS_JSON)
		return diff_json(what->d, what->findings, &show, out);
	show.sections = show.sections ?: what->args->implied;
	show.colour = output_file_wants_colour(what->args->output);
	show.utf8 = output_is_utf8();
	return diff_text(what->d, what->findings, &show, out);
}

static int diff_check_limits(const struct diff_args *args, const struct diff *d)
{
	int status = EXIT_OK;

	for (size_t i = 0; i < args->growth_limits.nr; i++) {
		const struct growth_limit *g = &args->growth_limits.items[i];
		struct growth_limit_facts facts = growth_limit_of_diff(g, d);

		status = args_growth_limit_check(g, &facts, " (new against base)", status);
	}
	return status;
}

static int diff_print(const struct diff_args *args, const struct diff_input *in)
{
	_cleanup_(diff_free) struct diff d = {0};
	_cleanup_(diff_findings_free) struct diff_findings findings = {0};
	struct diff_rendering what = {.d = &d, .findings = &findings, .args = args};

	if (diff_build(in, &d) || diff_findings_build(&d, &findings)) {
		no_memory();
		return EXIT_FAILED;
	}
	if (in->base_view)
		witnesses_build(in->base_view->end, in->new_view->end, &what.counters);
	if (output_file("comparison", args->output, diff_render, &what))
		return EXIT_FAILED;
	return diff_check_limits(args, &d);
}

/* Read a capture, or a directory with copies of /proc: that is one reading without parts. */
static int side_read(const char *path, double from_s, double to_s, struct capture_input *s)
{
	int err;

	if (!proc_copy_is(path))
		return capture_input_read(path, from_s, to_s, s);
	if (!isnan(from_s) || !isnan(to_s))
		return log_error(EINVAL,
				 "%s is a directory with copies of /proc: it holds only one "
				 "reading, so leave out the times (--from, --to, --base-from, "
				 "--base-to)",
				 path);
	err = proc_copy_capture(path, &s->c);
	if (!err)
		view_whole(s->c, &s->range.view);
	return err;
}

static int diff_pair(const struct diff_args *args)
{
	_cleanup_(capture_input_free) struct capture_input base = {0}, new_ = {0};
	_cleanup_(profile_free) struct profile base_profile = {0}, new_profile = {0};
	struct match *match = NULL;
	struct diff_input in = {.base_view = &base.range.view,
				.base = &base_profile,
				.new_view = &new_.range.view,
				.new_ = &new_profile};
	int status;

	if (side_read(args->paths[0], args->from_s[0], args->to_s[0], &base) ||
	    side_read(args->paths[1], args->from_s[1], args->to_s[1], &new_))
		return EXIT_FAILED;
	privileges_keep_none();
	if (match_new(new_.c, base.c, true, &match)) {
		no_memory();
		return EXIT_FAILED;
	}
	in.match = match;
	if (profile_build(in.base_view, match, args->by, false, &base_profile) ||
	    profile_build(in.new_view, match, args->by, false, &new_profile)) {
		no_memory();
		status = EXIT_FAILED;
	} else {
		status = diff_print(args, &in);
	}
	match_free(match);
	return status;
}

/* ---- a set ---- */

static int diff_set(const struct diff_args *args)
{
	_cleanup_(capture_input_free) struct capture_input new_ = {0};
	_cleanup_(profile_free) struct profile profile = {0};
	struct baseline *set = NULL;
	struct match *match = NULL;
	struct diff_input in = {.new_view = &new_.range.view, .new_ = &profile};
	int status = EXIT_FAILED;

	if (proc_copy_is(args->paths[0])) {
		log_error(EINVAL,
			  "%s is a directory with copies of /proc, but --base-set compares a "
			  "capture: give a file written by kmemtrace record",
			  args->paths[0]);
		return EXIT_FAILED;
	}
	if (capture_input_read(args->paths[0], args->from_s[1], args->to_s[1], &new_))
		return EXIT_FAILED;
	if (baseline_new(args->by, &set) || match_new(new_.c, new_.c, false, &match) ||
	    profile_build(in.new_view, match, args->by, false, &profile)) {
		no_memory();
	} else if (!base_set_read(args->set, new_.c, args->by, set)) {
		privileges_keep_none();
		in.set = set;
		in.match = match;
		status = diff_print(args, &in);
	}
	match_free(match);
	baseline_free(set);
	return status;
}

int cmd_diff(int argc, char **argv)
{
	const struct argp argp = {.options = options,
				  .parser = diff_parse_option,
				  .args_doc = "BASE NEW\n--base-set=DIR NEW",
				  .doc = doc,
				  .children = args_document};
	struct diff_args args = {
		.show.top = ARGS_TOP_UNSET, .from_s = {NAN, NAN}, .to_s = {NAN, NAN}};

	if (args_parse(&argp, 0, argc, argv, &args))
		return EXIT_USAGE;
	privileges_keep_for((const char *const[]){args.paths[0], args.paths[1], args.set}, 3);
	return args.set ? diff_set(&args) : diff_pair(&args);
}
