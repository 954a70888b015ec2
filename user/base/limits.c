// SPDX-License-Identifier: GPL-2.0-only
/* A table of the limits that cause each error, and the texts made from it. See limits.h. */
#include "base/limits.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"

#define ENOUGH_BYTES (1ULL << 30) /* with a limit above this, memory ran out for another reason */

static const struct limit {
	int err;
	__rlimit_resource_t resource;
	const char *words; /* message with the limit's value in `unit` */
	rlim_t unit;
	const char *remedy;
} limits[] = {
	{EMFILE, RLIMIT_NOFILE, "this process may open %llu", 1, "ulimit -n 1024"},
	{ENOMEM, RLIMIT_AS, "its address space is limited to %llu KiB", 1024,
	 "ulimit -v unlimited"},
	{ENOMEM, RLIMIT_DATA, "its data is limited to %llu KiB", 1024, "ulimit -d unlimited"},
	{EFBIG, RLIMIT_FSIZE, "files are limited to %llu KiB", 1024, "ulimit -f unlimited"},
	{EAGAIN, RLIMIT_NPROC, "its user may have %llu processes", 1, "ulimit -u unlimited"},
};

/* The limit in force that can cause `err`; NULL: none. */
static const struct limit *limit_find(int err, rlim_t *value)
{
	struct rlimit is;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (limits[i].err != err || getrlimit(limits[i].resource, &is) ||
		    is.rlim_cur == RLIM_INFINITY || (err == ENOMEM && is.rlim_cur >= ENOUGH_BYTES))
			continue;
		*value = is.rlim_cur / limits[i].unit;
		return &limits[i];
	}
	return NULL;
}

bool limits_cause(int err)
{
	rlim_t value;

	return limit_find(err, &value);
}

const char *limits_explain(int err, char buf[LIMITS_MAX])
{
	rlim_t value = 0;
	const struct limit *limit = limit_find(err, &value);
	char words[64];

	if (limit) {
		snprintf(words, sizeof(words), limit->words, (unsigned long long)value);
		snprintf(buf, LIMITS_MAX, "%s: %s; run `%s` first", strerror(err), words,
			 limit->remedy);
	} else if (err == ENFILE) {
		snprintf(buf, LIMITS_MAX, "%s: see `sysctl fs.file-max`", strerror(err));
	} else if (err == ENOBUFS) { /* what we return before we try */
		snprintf(buf, LIMITS_MAX, "too little memory is left");
	} else {
		snprintf(buf, LIMITS_MAX, "%s", strerror(err));
	}
	return buf;
}

int limits_no_memory(const char *doing)
{
	char why[LIMITS_MAX];

	return log_error(ENOMEM, "no memory while %s: %s", doing, limits_explain(ENOMEM, why));
}
