/* SPDX-License-Identifier: GPL-2.0-only */
/* Parses option values that several commands share. An invalid value ends the program through
 * argp_error(), with exit status 2. */
#ifndef KMEMTRACE_ARGS_H
#define KMEMTRACE_ARGS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findings/growth_limit.h"
#include "model/growth.h"

/* Call argp_parse(). Returns EXIT_OK, or EXIT_USAGE for errors that do not end the program. */
int args_parse(const struct argp *argp, unsigned int flags, int argc, char **argv, void *input);

/* Options of all commands that print a document (--color), for .children of their argp. */
extern const struct argp_child args_document[];

bool args_json(struct argp_state *state, const char *arg);
/* The formats of report and diff. */
enum args_format { ARGS_TEXT, ARGS_JSON, ARGS_HTML };
enum args_format args_format(struct argp_state *state, const char *arg);
/*
 * A page is a file for a browser, and has all sections: refuse to print it on a terminal, and
 * --show and --top (`rows`: one of them was given). `path` is that of -o.
 */
void args_page(struct argp_state *state, enum args_format format, const char *path, bool rows);
/*
 * Bits of the names in a list, separated by commas. `parse` returns the bit of a name, 0 for an
 * unknown one; for the message, `what` says what the names are, and `words` lists them.
 */
unsigned int args_list(struct argp_state *state, const char *what, const char *arg,
		       unsigned int (*parse)(const char *name, size_t len), const char *words);
/* The same for the sections that --show names. */
unsigned int args_sections(struct argp_state *state, const char *arg,
			   unsigned int (*parse)(const char *name, size_t len), const char *words);
size_t args_top(struct argp_state *state, const char *arg);
#define ARGS_TOP_UNSET SIZE_MAX
/* The number of rows to show: what args_top() returned, or the default of the format. */
size_t args_top_or_default(size_t top, bool json);
enum growth_by args_by(struct argp_state *state, const char *arg);
/* CPU seconds of --census-budget. */
#define ARGS_CENSUS_BUDGET_HELP                                                                     \
	"Use at most about this much time of one CPU (default 500ms, at most 10m) for a census; a " \
	"machine that takes longer is sampled"
double args_census_budget(struct argp_state *state, const char *arg);
/* CPU seconds of an option for a search for references. */
double args_refs_budget(struct argp_state *state, const char *option, const char *arg);
/* Seconds into a recording. */
double args_time(struct argp_state *state, const char *arg);
/* Check that the time of option `from` is before that of option `to`. NaN: not given. */
void args_span(struct argp_state *state, const char *from, double from_s, const char *to,
	       double to_s);

void args_growth_limit(struct argp_state *state, const char *arg, struct growth_limits *limits);
/*
 * Compare what was measured with a limit. Print an exceeded limit on stderr, followed by `note`.
 * Returns the exit status: `status` until now, EXIT_GROWTH if the limit is exceeded, or EXIT_FAILED
 * if the growth is unknown.
 */
int args_growth_limit_check(const struct growth_limit *g, const struct growth_limit_facts *facts,
			    const char *note, int status);

#endif
