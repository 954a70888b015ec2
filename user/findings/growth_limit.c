// SPDX-License-Identifier: GPL-2.0-only
/* Limits on growth, for scripts: see growth_limit.h. */
#include "findings/growth_limit.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"

static const struct {
	const char *name, *pool;
} names[] = {
	{"Slab", "Slab"},
	{"VmallocUsed", "VmallocUsed"},
	{"vmalloc", "VmallocUsed"},
	{"KernelStack", "KernelStack"},
	{"kstack", "KernelStack"},
	{"PageTables", "PageTables"},
	{"pagetable", "PageTables"},
	{"SecPageTables", "SecPageTables"},
	{"Percpu", "Percpu"},
	{"UnmappedLRU", "UnmappedLRU"},
	{"lru", "UnmappedLRU"},
	{"Unaccounted", "Unaccounted"},
	{"page", "Unaccounted"},
};

int growth_limit_parse(const char *text, struct growth_limit *out)
{
	const char *equals = strchr(text, '='), *slash = equals ? strchr(equals, '/') : NULL;
	struct growth_limit g = {0};
	char size[32];
	int64_t bytes;

	if (!equals)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == (size_t)(equals - text) &&
		    !strncasecmp(names[i].name, text, (size_t)(equals - text)))
			g.pool = names[i].pool;
	if (!g.pool)
		return -EINVAL;
	if ((size_t)snprintf(size, sizeof(size), "%.*s", slash ? (int)(slash - equals - 1) : 64,
			     equals + 1) >= sizeof(size) ||
	    units_parse_size(size, &bytes))
		return -EINVAL;
	if (bytes && isdigit((unsigned char)size[strlen(size) - 1]))
		return -ENOMSG; /* "Slab=16" is most likely a mistake, not 16 bytes */
	g.bytes = (double)bytes;
	if (slash && units_parse_duration(slash + 1, &g.seconds)) {
		/* a unit alone ("/s", "/min", "/h", "/d") means 1 of the unit */
		char one[16];

		if (!isalpha((unsigned char)slash[1]) ||
		    (size_t)snprintf(one, sizeof(one), "1%s",
				     strcmp(slash + 1, "min") ? slash + 1 : "m") >= sizeof(one) ||
		    units_parse_duration(one, &g.seconds))
			return -EINVAL;
	}
	*out = g;
	return 0;
}

struct growth_limit_facts growth_limit_of_ledger(const struct growth_limit *g,
						 const struct ledger *l, double duration_s)
{
	for (size_t i = 0; i < LEDGER_POOLS; i++)
		if (!strcmp(l->rows[i].name, g->pool))
			return (struct growth_limit_facts){.grown = l->rows[i].delta_kb * 1024,
							   .rate = l->rows[i].delta_kb * 1024 /
								   duration_s};
	return (struct growth_limit_facts){NAN, NAN};
}

struct growth_limit_facts growth_limit_of_diff(const struct growth_limit *g, const struct diff *d)
{
	const struct diff_rows *pools = &d->sections[PROFILE_POOLS];

	for (size_t i = 0; i < pools->nr; i++)
		if (!strcmp(diff_row_name(&pools->items[i]), g->pool))
			return (struct growth_limit_facts){.grown = pools->items[i].level.delta,
							   .rate = pools->items[i].growth.delta};
	return (struct growth_limit_facts){NAN, NAN};
}

int growth_limit_check(const struct growth_limit *g, const struct growth_limit_facts *facts)
{
	double value = g->seconds > 0 ? facts->rate * g->seconds : facts->grown;

	if (isnan(value))
		return -ENODATA;
	return value > g->bytes;
}

char *growth_limit_describe(const struct growth_limit *g, const struct growth_limit_facts *facts,
			    char *buf, size_t size)
{
	double value = g->seconds > 0 ? facts->rate * g->seconds : facts->grown;
	char grown[UNITS_MAX + 8], limit[UNITS_MAX + 8], time[UNITS_MAX] = "";

	units_bytes(grown, value);
	units_bytes(limit, g->bytes);
	if (!strcmp(grown, limit)) { /* both round to the same words, so print bytes */
		units_count(grown, ceil(value));
		units_count(limit, g->bytes);
		strcat(grown, " bytes");
		strcat(limit, " bytes");
	}
	if (g->seconds > 0)
		units_duration(time, g->seconds);
	snprintf(buf, size, "%s grew by %s%s%s, more than %s", g->pool, grown, *time ? " in " : "",
		 time, limit);
	return buf;
}
