// SPDX-License-Identifier: GPL-2.0-only
/* Reads lines of the list "Memory allocations": see oom_sites.h. */
#include "proc/oom_sites.h"

#include <math.h>

#define VALUE_MAX (INT64_C(1) << 50)

/*
 * A size as string_get_size() of the kernel prints it: "38.4" and "MiB", in bytes. Without a unit,
 * the number is in bytes (6.10). False for anything else.
 */
static bool take_size(struct text number, struct text unit, double *bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	const size_t nr_units = sizeof(units) / sizeof(units[0]);
	const char *dot = memchr(number.p, '.', number.len);
	size_t whole_len = dot ? (size_t)(dot - number.p) : number.len;
	struct text whole = {number.p, whole_len}, part = {"0", 1};
	int64_t value, digits;
	size_t u = 0;
	double scale = 1;

	while (u < nr_units && !text_is(unit, units[u]))
		u++;
	if (dot)
		part = (struct text){dot + 1, number.len - whole_len - 1};
	if (u == nr_units || part.len > 3 || !text_count(whole, VALUE_MAX, &value) ||
	    !text_count(part, VALUE_MAX, &digits))
		return false;
	for (size_t i = 0; dot && i < part.len; i++)
		scale *= 10;
	*bytes = ((double)value + (double)digits / scale) * (double)(UINT64_C(1) << (10 * u));
	return true;
}

/* From the end of the line, because logs put different prefixes before it. */
bool oom_site_parse(struct text line, struct oom_site *site)
{
	struct text function, place, calls, size, unit;
	const struct text none = {"B", 1};
	int64_t nr, bytes;

	*site = (struct oom_site){.kb = NAN};
	if (!text_last_word(&line, &function) || !text_starts(function, "func:") ||
	    !text_last_word(&line, &place))
		return false;
	if (place.p[0] == '[' && place.p[place.len - 1] == ']') {
		text_copy((struct text){place.p + 1, place.len - 2}, site->module,
			  sizeof(site->module));
		if (!text_last_word(&line, &place))
			return false;
	}
	if (!text_contains(place, ":") || !text_last_word(&line, &calls) ||
	    !text_count(calls, VALUE_MAX, &nr) || !text_last_word(&line, &unit))
		return false;
	size = unit;
	if (text_count(unit, VALUE_MAX, &bytes))
		unit = none;
	else if (!text_last_word(&line, &size))
		return false;
	if (!take_size(size, unit, &site->kb))
		return false;
	site->kb /= 1024;
	site->calls = (double)nr;
	function.p += strlen("func:");
	function.len -= strlen("func:");
	text_copy(function, site->function, sizeof(site->function));
	text_copy(place, site->place, sizeof(site->place));
	return true;
}

static bool is_listed(const struct oom_site *sites, size_t nr, const struct oom_site *site)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(sites[i].place, site->place) &&
		    !strcmp(sites[i].function, site->function) &&
		    !strcmp(sites[i].module, site->module))
			return true;
	return false;
}

void oom_sites_add(struct oom_site *sites, size_t *nr, const struct oom_site *site)
{
	size_t at;

	if (is_listed(sites, *nr, site) || !(site->kb > 0))
		return;
	for (at = *nr; at > 0 && sites[at - 1].kb < site->kb; at--)
		if (at < OOM_SITES)
			sites[at] = sites[at - 1];
	if (at < OOM_SITES)
		sites[at] = *site;
	*nr += *nr < OOM_SITES;
}
