// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace report`: a capture in, where the memory went out. Needs no privilege. Wiring only. */
#include <argp.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd.h"
#include "model/report.h"
#include "render/json.h"
#include "render/text.h"

#define TOP_TEXT 10
#define TOP_JSON 100

struct report_args {
	const char *path;
	enum growth_by by;
	bool json;
	size_t top;
	bool top_given;
};

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0, "text (default) or json", 0},
	{"top", 'n', "N", 0,
	 "Show the N largest caches and call paths; 0 for all (text: 10; json: 100)", 0},
	{"by", 'b', "WHAT", 0, "Add growth up by stack (default), cache, site, process, cgroup, module, pool or syscall",
	 0},
	{0},
};

static const char doc[] =
	"Say where kernel memory went, from a capture that `kmemtrace record` wrote. Needs no "
	"privilege.\v"
	"Examples:\n"
	"  kmemtrace report before.kmt                   the whole story\n"
	"  kmemtrace report --top 3 before.kmt           only the three largest call paths\n"
	"  kmemtrace report --by cache before.kmt        growth by slab cache\n"
	"  kmemtrace report --format json before.kmt | jq '.growth[0]'\n";

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct report_args *args = state->input;
	unsigned long top;
	char *end;

	switch (key) {
	case 'f':
		if (strcmp(arg, "text") && strcmp(arg, "json"))
			argp_error(state, "unknown format '%s'; use text or json", arg);
		args->json = !strcmp(arg, "json");
		return 0;
	case 'n':
		errno = 0;
		top = strtoul(arg, &end, 10);
		if (errno || *end || arg[0] < '0' || arg[0] > '9')
			argp_error(state, "--top takes a number, not '%s'", arg);
		args->top = top;
		args->top_given = true;
		return 0;
	case 'b':
		if (growth_by_parse(arg, &args->by))
			argp_error(
				state,
				"cannot group by '%s'; use " GROWTH_BY_WORDS,
				arg);
		return 0;
	case ARGP_KEY_ARG:
		if (args->path)
			argp_error(state, "one capture at a time, please");
		args->path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which capture? give the file that `kmemtrace record` wrote");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Colour on a terminal only, and not for those who ask for none (https://no-color.org). */
static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

/* Render whole before writing a byte: a failure then leaves nothing half-printed, and errno is the
 * write's. */
static int print_report(const struct report *r, const struct report_args *args)
{
	struct text_options text = {.top = args->top_given ? args->top : TOP_TEXT,
				    .colour = wants_colour()};
	_cleanup_free_ char *document = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&document, &size);
	int err;

	if (!f)
		return log_error(ENOMEM, "not enough memory to print the report");
	if (args->json) {
		err = json_render(r, args->top_given ? args->top : TOP_JSON, f);
	} else {
		setlocale(LC_CTYPE, "");
		text.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
		err = text_render(r, &text, f);
	}
	if (fclose(f) || err)
		return log_error(ENOMEM, "not enough memory to print the report");
	if (fwrite(document, 1, size, stdout) != size || fflush(stdout)) {
		err = errno;
		return log_error(err, "cannot write the report to standard output: %s",
				 strerror(err));
	}
	return 0;
}

static void free_capture(struct capture **c)
{
	if (*c)
		capture_free(*c);
}

int cmd_report(int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse_option, .args_doc = "FILE", .doc = doc};
	struct report_args args = {0};
	_cleanup_(free_capture) struct capture *c = NULL;
	_cleanup_(report_free) struct report r = {0};

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &args))
		return EXIT_USAGE;
	/* A reader that goes away is an error to report, not a silent death. */
	signal(SIGPIPE, SIG_IGN);
	if (capture_read(args.path, &c))
		return EXIT_FAILED;
	if (report_build(c, args.by, &r)) {
		log_error(ENOMEM, "not enough memory to work out the report of %s", args.path);
		return EXIT_FAILED;
	}
	return print_report(&r, &args) ? EXIT_FAILED : EXIT_OK;
}
