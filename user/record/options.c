// SPDX-License-Identifier: GPL-2.0-only
/* Options of a recording that follow from others, or from the host: see options.h. */
#include "record/options.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

void recorder_options_govern(struct recorder_options *o, bool limited)
{
	struct governor_options *g = &o->governor;

	if (!limited)
		g->budget = GOVERNOR_BUDGET;
	g->exact = o->tracer.exact;
	g->may_sample = limited && !o->tracer.nr_caches;
	g->may_pause = limited;
	o->tracer.governed = g->exact && g->may_sample;
}

const char *recorder_default_path(char buf[RECORDER_PATH_MAX])
{
	char host[128] = "host", when[32];
	time_t now = time(NULL);
	struct tm tm;

	gethostname(host, sizeof(host) - 1);
	for (char *p = host; *p; p++)
		if (*p == '/')
			*p = '_';
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	snprintf(buf, RECORDER_PATH_MAX, "kmemtrace-%s-%s.kmt", host, when);
	return buf;
}
