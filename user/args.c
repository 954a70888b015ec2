// SPDX-License-Identifier: GPL-2.0-only
/* Parses option values that several commands share: see args.h. */
#include "args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "cmd.h"
#include "output.h"

#define OPT_COLOR 512 /* larger than the option keys of all commands */

#define TOP_TEXT 10
#define TOP_JSON 100

int args_parse(const struct argp *argp, unsigned int flags, int argc, char **argv, void *input)
{
	argp_err_exit_status = EXIT_USAGE;
	return argp_parse(argp, argc, argv, flags, NULL, input) ? EXIT_USAGE : EXIT_OK;
}

static error_t document_parse_option(int key, char *arg, struct argp_state *state)
{
	if (key != OPT_COLOR)
		return ARGP_ERR_UNKNOWN;
	if (output_set_colour(arg))
		argp_error(state, "unknown --color '%s'; use auto, always or never", arg);
	return 0;
}

static const struct argp_option document_options[] = {
	{"color", OPT_COLOR, "WHEN", 0,
	 "Use colours: always, never, or auto (only on a terminal; the default)", 3},
	{0},
};

static const struct argp document_argp = {.options = document_options,
					  .parser = document_parse_option};
const struct argp_child args_document[] = {{&document_argp, 0, NULL, 0}, {0}};

bool args_json(struct argp_state *state, const char *arg)
{
	if (strcmp(arg, "text") && strcmp(arg, "json"))
		argp_error(state, "unknown format '%s'; use text or json", arg);
	return !strcmp(arg, "json");
}

enum args_format args_format(struct argp_state *state, const char *arg)
{
	if (!strcmp(arg, "html"))
		return ARGS_HTML;
	if (strcmp(arg, "text") && strcmp(arg, "json"))
		argp_error(state, "unknown format '%s'; use text, json or html", arg);
	return strcmp(arg, "json") ? ARGS_TEXT : ARGS_JSON;
}

void args_page(struct argp_state *state, enum args_format format, const char *path, bool rows)
{
	if (format != ARGS_HTML)
		return;
	if ((!path || !strcmp(path, "-")) && isatty(STDOUT_FILENO))
		argp_error(state, "HTML is for a browser, not for a terminal: name a file, such as "
				  "-o report.html");
	if (rows)
		argp_error(state, "an HTML page has all sections: leave out --show and --top");
}

unsigned int args_sections(struct argp_state *state, const char *arg,
			   unsigned int (*parse)(const char *name, size_t len), const char *words)
{
	return args_list(state, "section", arg, parse, words);
}

unsigned int args_list(struct argp_state *state, const char *what, const char *arg,
		       unsigned int (*parse)(const char *name, size_t len), const char *words)
{
	unsigned int bits = 0;

	for (const char *at = arg; *at;) {
		size_t len = strcspn(at, ",");
		unsigned int bit = parse(at, len);

		if (!bit)
			argp_error(state, "unknown %s '%.*s': give %s", what, (int)len, at, words);
		bits |= bit;
		at += len + (at[len] == ',');
	}
	return bits;
}

size_t args_top(struct argp_state *state, const char *arg)
{
	unsigned long top;
	char *end;

	errno = 0;
	top = strtoul(arg, &end, 10);
	if (errno || *end || arg[0] < '0' || arg[0] > '9')
		argp_error(state, "invalid --top '%s': give a number, or 0 for all", arg);
	return top;
}

size_t args_top_or_default(size_t top, bool json)
{
	if (top != ARGS_TOP_UNSET)
		return top;
	return json ? TOP_JSON : TOP_TEXT;
}

enum growth_by args_by(struct argp_state *state, const char *arg)
{
	enum growth_by by = GROWTH_BY_STACK;

	if (growth_by_parse(arg, &by))
		argp_error(state, "cannot group by '%s'; use " GROWTH_BY_WORDS, arg);
	return by;
}

#define CENSUS_BUDGET_MOST_S 600

double args_census_budget(struct argp_state *state, const char *arg)
{
	double seconds;

	if (units_parse_duration(arg, &seconds) || seconds > CENSUS_BUDGET_MOST_S)
		argp_error(
			state,
			"invalid --census-budget '%s': give a time of at most 10m, such as 500ms or "
			"2s",
			arg);
	return seconds;
}

#define REFS_BUDGET_MOST_S 3600

double args_refs_budget(struct argp_state *state, const char *option, const char *arg)
{
	double seconds;

	if (units_parse_duration(arg, &seconds) || seconds > REFS_BUDGET_MOST_S)
		argp_error(state, "invalid %s '%s': give a time of at most 1h, such as 2s or 1m",
			   option, arg);
	return seconds;
}

double args_time(struct argp_state *state, const char *arg)
{
	double seconds = 0;

	if (strcmp(arg, "0") && units_parse_duration(arg, &seconds))
		argp_error(
			state,
			"invalid time '%s': give a time since the start of the recording, such as 90, 10m or 2h",
			arg);
	return seconds;
}

void args_span(struct argp_state *state, const char *from, double from_s, const char *to,
	       double to_s)
{
	char a[UNITS_MAX], b[UNITS_MAX];

	if (isnan(from_s) || isnan(to_s) || from_s < to_s)
		return;
	units_duration(a, from_s);
	units_duration(b, to_s);
	if (from_s > to_s)
		argp_error(state, "%s (%s) is after %s (%s): swap the two", from, a, to, b);
	else
		argp_error(state, "%s and %s are the same time (%s): give two different times",
			   from, to, a);
}

void args_growth_limit(struct argp_state *state, const char *arg, struct growth_limits *limits)
{
	int err;

	if (limits->nr == GROWTH_LIMITS_MAX)
		argp_error(state, "--fail-if-growth can be given at most %d times",
			   GROWTH_LIMITS_MAX);
	err = growth_limit_parse(arg, &limits->items[limits->nr++]);
	if (err == -ENOMSG)
		argp_error(state, "'%s' has no unit: give one, such as Slab=16M (B means bytes)",
			   arg);
	else if (err)
		argp_error(
			state,
			"invalid growth limit '%s': give POOL=SIZE or POOL=SIZE/TIME, such as Slab=16M or "
			"KernelStack=1M/1h; POOL is " GROWTH_LIMIT_POOLS,
			arg);
}

int args_growth_limit_check(const struct growth_limit *g, const struct growth_limit_facts *facts,
			    const char *note, int status)
{
	int found = growth_limit_check(g, facts);
	char words[256];

	if (found < 0) {
		log_error(0,
			  "--fail-if-growth: the growth of %s is unknown, because a capture has "
			  "fewer than two readings of it; record for longer",
			  g->pool);
		return EXIT_FAILED;
	}
	if (!found)
		return status;
	log_error(0, "%s%s", growth_limit_describe(g, facts, words, sizeof(words)), note);
	return status == EXIT_OK ? EXIT_GROWTH : status;
}
