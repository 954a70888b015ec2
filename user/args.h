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

bool args_json(struct argp_state *state, const char *arg);
size_t args_top(struct argp_state *state, const char *arg);
#define ARGS_TOP_UNSET SIZE_MAX
/* The number of rows to show: what args_top() returned, or the default of the format. */
size_t args_top_or_default(size_t top, bool json);
enum growth_by args_by(struct argp_state *state, const char *arg);
/* Seconds into a recording. */
double args_time(struct argp_state *state, const char *arg);
/* Check that the time of option `from` is before that of option `to`. NaN: not given. */
void args_span(struct argp_state *state, const char *from, double from_s, const char *to,
	       double to_s);

struct args_growth_limits {
	struct growth_limit items[GROWTH_LIMITS_MAX];
	size_t nr;
};

void args_growth_limit(struct argp_state *state, const char *arg,
		       struct args_growth_limits *growth_limits);
/*
 * Compare the growth of one pool with its limits. Print each exceeded limit on stderr, followed by
 * `note`. *status changes from EXIT_OK to EXIT_GROWTH, or to EXIT_FAILED if the growth is unknown.
 */
void args_growth_limits_check(const struct args_growth_limits *growth_limits, const char *pool,
			      const struct growth_limit_facts *facts, const char *note,
			      int *status);

#endif
