// SPDX-License-Identifier: GPL-2.0-only
/* Formats sizes and durations for reports, and parses them strictly for options. See units.h. */
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define YEAR_10000 253402300800.0 /* seconds since the epoch */

static const char scale_letters[] = "BKMGTPE";

/* Scale the value until it prints with at most four digits. Returns the index of the unit. */
static int scale_down(double *value)
{
	int unit = 0;

	while (fabs(*value) >= 1023.95 && unit < (int)sizeof(scale_letters) - 2) {
		*value /= 1024;
		unit++;
	}
	return unit;
}

static char *format_bytes(char buf[UNITS_MAX], double bytes, bool brief)
{
	int unit;

	if (!isfinite(bytes)) {
		snprintf(buf, UNITS_MAX, "?");
		return buf;
	}
	unit = scale_down(&bytes);
	if (!unit)
		snprintf(buf, UNITS_MAX, "%.0f%s", round(bytes) + 0.0, brief ? "" : " B");
	else
		snprintf(buf, UNITS_MAX, brief ? "%.1f%c" : "%.1f %ciB", bytes,
			 scale_letters[unit]);
	return buf;
}

char *units_bytes(char buf[UNITS_MAX], double bytes)
{
	return format_bytes(buf, bytes, false);
}

char *units_bytes_short(char buf[UNITS_MAX], double bytes)
{
	return format_bytes(buf, bytes, true);
}

char *units_count(char buf[UNITS_MAX], double count)
{
	char digits[UNITS_MAX];
	size_t n, out = 0;

	if (!isfinite(count)) {
		snprintf(buf, UNITS_MAX, "?");
		return buf;
	}
	/* 10^15 is 19 characters with separators; nothing real is larger. */
	if (fabs(count) >= 1e15) {
		snprintf(buf, UNITS_MAX, "%.3g", count);
		return buf;
	}
	n = (size_t)snprintf(digits, sizeof(digits), "%.0f", fabs(round(count)));
	if (round(count) < 0)
		buf[out++] = '-';
	for (size_t i = 0; i < n; i++) {
		buf[out++] = digits[i];
		if (i + 1 < n && (n - 1 - i) % 3 == 0)
			buf[out++] = ',';
	}
	buf[out] = '\0';
	return buf;
}

char *units_percent(char buf[UNITS_MAX], double percent)
{
	snprintf(buf, UNITS_MAX, "%.*f", percent < 0.995 ? 2 : percent < 99.95 ? 1 : 0, percent);
	return buf;
}

char *units_share(char buf[UNITS_MAX], double percent)
{
	if (percent >= 99.5)
		snprintf(buf, UNITS_MAX, "%.0f", percent); /* %g would print 1e+02 */
	else if (percent > 0 && percent < 0.001)
		snprintf(buf, UNITS_MAX, "under 0.001"); /* %g would print 9.6e-05 */
	else
		snprintf(buf, UNITS_MAX, "%.2g", percent);
	return buf;
}

char *units_percent_above(char buf[UNITS_MAX], double percent, double limit)
{
	units_percent(buf, percent);
	for (int digits = 2; digits <= 6 && percent > limit && strtod(buf, NULL) <= limit; digits++)
		snprintf(buf, UNITS_MAX, "%.*f", digits, percent);
	return buf;
}

char *units_duration(char buf[UNITS_MAX], double seconds)
{
	long long s;

	if (!isfinite(seconds) || seconds < 0 || seconds > 1e12)
		snprintf(buf, UNITS_MAX, "?");
	else if (seconds < 9.95)
		snprintf(buf, UNITS_MAX, "%.1f s", seconds);
	else if ((s = llround(seconds)) < 120)
		snprintf(buf, UNITS_MAX, "%lld s", s);
	else if (s < 2 * 3600)
		snprintf(buf, UNITS_MAX, s % 60 ? "%lld min %lld s" : "%lld min", s / 60, s % 60);
	else if (s < 48 * 3600)
		snprintf(buf, UNITS_MAX, "%lld h %lld min", s / 3600, s / 60 % 60);
	else
		snprintf(buf, UNITS_MAX, "%lld d %lld h", s / 86400, s / 3600 % 24);
	return buf;
}

char *units_time(char buf[UNITS_MAX], const char *format, double wall_s)
{
	time_t seconds;
	struct tm tm;

	if (!(wall_s > 0 && wall_s < YEAR_10000))
		return NULL;
	seconds = (time_t)wall_s; /* what is out of range must not be converted */
	if (!gmtime_r(&seconds, &tm) || !strftime(buf, UNITS_MAX, format, &tm))
		return NULL;
	return buf;
}

int units_parse_size(const char *text, int64_t *bytes)
{
	const char *letter;
	unsigned long long value;
	unsigned int shift = 0;
	char *end;

	/* strtoull would skip spaces and negate "-1" into a huge number. */
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || value > INT64_MAX)
		return -ERANGE;
	if (*end) {
		letter = strchr(scale_letters, toupper((unsigned char)*end));
		if (!letter)
			return -EINVAL;
		shift = 10 * (unsigned int)(letter - scale_letters);
		end++;
		if (*end && (!shift || (strcasecmp(end, "b") && strcasecmp(end, "ib"))))
			return -EINVAL;
	}
	if (value > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*bytes = (int64_t)(value << shift);
	return 0;
}

int units_parse_duration(const char *text, double *seconds)
{
	static const struct {
		const char *suffix;
		double seconds;
	} unit[] = {{"", 1},     {"ms", 0.001}, {"s", 1},    {"m", 60},
		    {"min", 60}, {"h", 3600},   {"d", 86400}};
	size_t digits = strspn(text, "0123456789.");
	double value;
	char *end;

	/* Only plain decimals: strtod alone would take "inf", "nan" and hexadecimal. */
	if (!digits)
		return -EINVAL;
	value = strtod(text, &end);
	if (end != text + digits)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
		if (strcmp(end, unit[i].suffix))
			continue;
		value *= unit[i].seconds;
		if (!(value > 0) || value > 10 * 366 * 86400.0)
			return -ERANGE;
		*seconds = value;
		return 0;
	}
	return -EINVAL;
}
