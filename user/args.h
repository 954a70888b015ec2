/* SPDX-License-Identifier: GPL-2.0-only */
/* Option values that several commands take; each ends in argp_error(), exit status 2, when it is
 * none. */
#ifndef KMEMTRACE_ARGS_H
#define KMEMTRACE_ARGS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findings/growth_limit.h"
#include "model/growth.h"

/* argp_parse(); EXIT_OK, or EXIT_USAGE for what argp does not end by itself. */
int args_parse(const struct argp *argp, unsigned int flags, int argc, char **argv, void *input);

bool args_json(struct argp_state *state, const char *arg);
size_t args_top(struct argp_state *state, const char *arg);
#define ARGS_TOP_UNSET SIZE_MAX
/* The rows to show: what args_top() gave, or else what suits the format. */
size_t args_top_or_default(size_t top, bool json);
enum growth_by args_by(struct argp_state *state, const char *arg);
/* Seconds into a recording. */
double args_time(struct argp_state *state, const char *arg);
/* The options called `from` and `to` were given these times (NaN: were not given): in this order?
 */
void args_span(struct argp_state *state, const char *from, double from_s, const char *to,
	       double to_s);

struct args_growth_limits {
	struct growth_limit items[GROWTH_LIMITS_MAX];
	size_t nr;
};

void args_growth_limit(struct argp_state *state, const char *arg,
		       struct args_growth_limits *growth_limits);
/*
 * Judge the gates of one pool by what was measured of it, and say on stderr what is beyond them
 * ("…, NOTE"). *status rises from EXIT_OK to EXIT_GROWTH, or EXIT_FAILED where nothing was
 * measured.
 */
void args_growth_limits_check(const struct args_growth_limits *growth_limits, const char *pool,
			      const struct growth_limit_facts *facts, const char *note,
			      int *status);

#endif
