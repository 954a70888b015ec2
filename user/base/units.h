/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formats and parses sizes and durations, with binary units (1 KiB = 1024 bytes) both ways. The
 * parsers accept only complete, in-range input: a typing error must never become a different
 * request.
 */
#ifndef KMEMTRACE_BASE_UNITS_H
#define KMEMTRACE_BASE_UNITS_H

#include <math.h>
#include <stdint.h>

#define UNITS_MAX 24 /* bytes that hold any result of the formatters */

/* A figure that may be unknown (NaN), for sums in which it then counts nothing. */
static inline double or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

/* "0 B", "512 B", "12.3 MiB"; negative values carry a '-'. NaN is "?". Returns buf. */
char *units_bytes(char buf[UNITS_MAX], double bytes);
/* The same for narrow tables: "0", "512", "12.3M". */
char *units_bytes_short(char buf[UNITS_MAX], double bytes);
/* A count with thousands separators: "1,234,567". Rounds to the nearest whole number; "?" when not
 * finite. */
char *units_count(char buf[UNITS_MAX], double count);
/* A share in percent with a useful number of digits: "0.04", "3.2", "129". */
char *units_percent(char buf[UNITS_MAX], double percent);
/* A share whose small values matter, with two significant digits: "0.0012", "3.2", "100", and
 * "under 0.001" for what is smaller. */
char *units_share(char buf[UNITS_MAX], double percent);
/* A share above `limit`, with enough digits to print differently from it. */
char *units_percent_above(char buf[UNITS_MAX], double percent, double limit);
/* "0.4 s", "12 s", "3 min 20 s", "5 h 12 min", "3 d 4 h". */
char *units_duration(char buf[UNITS_MAX], double seconds);
/* Seconds since the epoch in UTC, by a strftime() format; NULL, buf untouched, when it is no time
 * before year 10000. */
__attribute__((format(strftime, 2, 0))) char *units_time(char buf[UNITS_MAX], const char *format,
							 double wall_s);

/*
 * "4096", "64K", "1M", "2GiB" (suffix B, K, M, G, T, optionally followed by B or iB, any case) →
 * bytes. Returns 0, −EINVAL (not a size) or −ERANGE (does not fit in 63 bits).
 */
int units_parse_size(const char *text, int64_t *bytes);
/*
 * "30", "2.5", "500ms", "30s", "10m", "24h", "7d" → seconds, > 0 and finite.
 * Returns 0, −EINVAL (not a duration) or −ERANGE (zero, or over 10 years).
 */
int units_parse_duration(const char *text, double *seconds);

#endif
