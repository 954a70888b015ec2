// SPDX-License-Identifier: GPL-2.0-only
/* Units and escaping: a typing error must not silently become another request, and a name must not
 * control the terminal. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/escape.h"
#include "base/suggest.h"
#include "base/units.h"

static void sizes_are_formatted(void **state)
{
	static const struct {
		double bytes;
		const char *longer, *shorter;
	} t[] = {
		{0, "0 B", "0"},
		{-0.2, "0 B", "0"},
		{1023, "1023 B", "1023"},
		{1024, "1.0 KiB", "1.0K"},
		{-1536, "-1.5 KiB", "-1.5K"},
		{1023.99 * 1024, "1.0 MiB", "1.0M"},
		{12.3 * 1048576, "12.3 MiB", "12.3M"},
		{1e30, "867361737988.4 EiB", "867361737988.4E"},
		{NAN, "?", "?"},
	};
	char buf[UNITS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_string_equal(units_bytes(buf, t[i].bytes), t[i].longer);
		assert_string_equal(units_bytes_short(buf, t[i].bytes), t[i].shorter);
	}
}

static void counts_and_durations_are_formatted(void **state)
{
	char buf[UNITS_MAX];

	(void)state;
	assert_string_equal(units_count(buf, 0), "0");
	assert_string_equal(units_count(buf, 999), "999");
	assert_string_equal(units_count(buf, 1000), "1,000");
	assert_string_equal(units_count(buf, -1234567.4), "-1,234,567");
	assert_string_equal(units_count(buf, -0.4), "0");
	assert_string_equal(units_count(buf, 999999999999999), "999,999,999,999,999");
	assert_string_equal(units_duration(buf, 0.04), "0.0 s");
	assert_string_equal(units_duration(buf, 9.96), "10 s");
	assert_string_equal(units_duration(buf, 200), "3 min 20 s");
	assert_string_equal(units_duration(buf, 18720), "5 h 12 min");
	assert_string_equal(units_duration(buf, 86400 * 3 + 4 * 3600), "3 d 4 h");
	assert_string_equal(units_duration(buf, -1), "?");
	assert_string_equal(units_count(buf, NAN), "?");
	assert_string_equal(units_count(buf, -INFINITY), "?");
}

/* The sanitizers end this program if a figure that is not a valid time is converted to one. */
static void invalid_times_are_not_printed(void **state)
{
	const double no_times[] = {NAN, INFINITY, -INFINITY, 0, -1, 1e30, 253402300800.0};
	char buf[UNITS_MAX] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof(no_times) / sizeof(no_times[0]); i++)
		assert_null(units_time(buf, "%Y", no_times[i]));
	assert_string_equal(buf, "untouched");
	assert_string_equal(units_time(buf, "%Y-%m-%d", 1700000000), "2023-11-14");
}

static void sizes_are_parsed_strictly(void **state)
{
	static const struct {
		const char *text;
		int err;
		int64_t bytes;
	} t[] = {
		{"0", 0, 0},
		{"4096", 0, 4096},
		{"512B", 0, 512},
		{"64K", 0, 65536},
		{"64kb", 0, 65536},
		{"1MiB", 0, 1048576},
		{"2GiB", 0, 2147483648},
		{"7E", 0, 7LL << 60},
		{"8E", -ERANGE, 0},
		{"9223372036854775808", -ERANGE, 0},
		{"99999999999999999999", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 K", -EINVAL, 0},
		{"1Q", -EINVAL, 0},
		{"1Bi", -EINVAL, 0},
		{"1Kx", -EINVAL, 0},
		{"1.5M", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int64_t bytes = 77;

		assert_int_equal(units_parse_size(t[i].text, &bytes), t[i].err);
		assert_int_equal(bytes, t[i].err ? 77 : t[i].bytes);
	}
}

static void durations_are_parsed_strictly(void **state)
{
	static const struct {
		const char *text;
		int err;
		double seconds;
	} t[] = {
		{"30", 0, 30},       {"2.5", 0, 2.5},       {"500ms", 0, 0.5},
		{"10m", 0, 600},     {"24h", 0, 86400},     {"7d", 0, 604800},
		{"0", -ERANGE, 0},   {"0.0s", -ERANGE, 0},  {"99999d", -ERANGE, 0},
		{"", -EINVAL, 0},    {"-5", -EINVAL, 0},    {"5x", -EINVAL, 0},
		{"inf", -EINVAL, 0}, {"nan", -EINVAL, 0},   {"1e9", -EINVAL, 0},
		{"0x5", -EINVAL, 0}, {"1.2.3", -EINVAL, 0}, {".", -EINVAL, 0},
		{"5 s", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		double seconds = 77;

		assert_int_equal(units_parse_duration(t[i].text, &seconds), t[i].err);
		assert_true(fabs(seconds - (t[i].err ? 77 : t[i].seconds)) < 1e-9);
	}
}

static void hostile_names_cannot_drive_the_terminal(void **state)
{
	static const struct {
		const char *in, *utf8, *ascii;
	} t[] = {
		{"plain_name-1", "plain_name-1", "plain_name-1"},
		{"\x1b]0;owned\x07", "\\x1b]0;owned\\x07", "\\x1b]0;owned\\x07"},
		{"a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f", "a\\x0ab\\x09c\\x7f"},
		{"\xc2\x9b"
		 "31m",
		 "\\u{9b}31m", "\\u{9b}31m"}, /* C1 CSI */
		{"\xe2\x80\xae"
		 "evil",
		 "\\u{202e}evil", "\\u{202e}evil"}, /* right-to-left override */
		{"na\xc3\xafve", "na\xc3\xafve", "na\\u{ef}ve"},
		{"\xff\xfe", "\\xff\\xfe", "\\xff\\xfe"},
		{"\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf"},               /* overlong '/' */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"}, /* surrogate */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80",
		 "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
		{"cut\xe2\x82", "cut\\xe2\\x82", "cut\\xe2\\x82"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *utf8 = escape_terminal(t[i].in, true);
		char *ascii = escape_terminal(t[i].in, false);

		assert_string_equal(utf8, t[i].utf8);
		assert_string_equal(ascii, t[i].ascii);
		free(utf8);
		free(ascii);
	}
}

static void every_byte_string_becomes_valid(void **state)
{
	(void)state;
	/* All strings of two bytes: both escapes must give text that can be decoded, and fit their
	 * buffers. */
	for (unsigned int i = 0; i < 65536; i++) {
		char in[3] = {(char)(i >> 8), (char)i, 0}, *out[2];

		out[0] = escape_terminal(in, true);
		out[1] = escape_utf8(in);
		for (int k = 0; k < 2; k++) {
			uint32_t c;

			for (const char *p = out[k]; *p;) {
				size_t len = utf8_decode(p, &c);

				assert_true(len > 0);
				assert_true(k || (c >= 0x20 && c != 0x7f));
				p += len;
			}
			free(out[k]);
		}
	}
}

static void widths_follow_the_terminal(void **state)
{
	(void)state;
	assert_int_equal(utf8_width("abc"), 3);
	assert_int_equal(utf8_width("\xe6\x97\xa5\xe6\x9c\xac"), 4); /* two wide characters */
	assert_int_equal(utf8_width("e\xcc\x81"), 1);                /* combining acute */
	assert_int_equal(utf8_fit("\xe6\x97\xa5\xe6\x9c\xac", 3), 3);
	assert_int_equal(utf8_fit("abc", 2), 2);
	assert_int_equal(utf8_fit("abc", 9), 3);
}

/* "takes 1.0 %, more than 1 %" */
static void a_share_above_its_limit_is_printed_above_it(void **state)
{
	static const struct {
		double percent, limit;
		const char *text;
	} t[] = {{1.04, 1, "1.04"},       {1.0004, 1, "1.0004"}, {3.21, 1, "3.2"},
		 {0.5004, 0.5, "0.5004"}, {2, 1, "2.0"},         {100, 1, "100"},
		 {12.34, 5, "12.3"}};
	char buf[UNITS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_string_equal(units_percent_above(buf, t[i].percent, t[i].limit), t[i].text);
	assert_string_equal(units_percent(buf, 100), "100");
	assert_string_equal(units_share(buf, 100), "100"); /* not 1e+02 */
	assert_string_equal(units_share(buf, 0.00123), "0.0012");
	assert_string_equal(units_share(buf, 0.000096), "under 0.001"); /* not 9.6e-05 */
	assert_string_equal(units_share(buf, 0), "0");
	assert_string_equal(units_percent(buf, 0.043), "0.04");
}

static const char *suggested(const char *typed)
{
	static const char *const words[] = {"record",  "report", "diff",
					    "balance", "doctor", "version"};
	struct suggestion s = {0};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		suggest_try(&s, typed, words[i]);
	return s.word ?: "";
}

static void a_mistyped_word_finds_the_one_that_was_meant(void **state)
{
	static const char *const t[][2] = {
		{"recrod", "record"},
		{"reprot", "report"},
		{"repor", "report"},
		{"docter", "doctor"},
		{"DIFF", "diff"},
		{"blance", "balance"},
		{"ver", "version"},
		{"dif", "diff"},
		{"trace", ""},
		{"x", ""},
		{"", ""},
		{"top", ""},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_string_equal(suggested(t[i][0]), t[i][1]);
}

static void appended_elements_follow_those_that_were_there(void **state)
{
	struct {
		ARRAY_OF(uint64_t);
	} to = {0}, from = {0};

	(void)state;
	assert_int_equal(ARRAY_APPEND(&to, from.items, from.nr), 0); /* none has no items */
	assert_null(to.items);
	for (uint64_t i = 0; i < 20; i++)
		*ARRAY_PUSH(&from) = i;
	assert_int_equal(ARRAY_APPEND(&to, from.items, from.nr), 0);
	assert_int_equal(ARRAY_APPEND(&to, from.items + 5, 1), 0);
	assert_int_equal(ARRAY_APPEND(&to, from.items, 0), 0);
	assert_int_equal(ARRAY_APPEND(&to, from.items, from.nr), 0);
	assert_int_equal(to.nr, 41);
	for (size_t i = 0; i < 20; i++)
		assert_true(to.items[i] == i && to.items[21 + i] == i);
	assert_true(to.items[20] == 5);
	ARRAY_FREE(&to);
	ARRAY_FREE(&from);
}

static void the_first_that_is_not_before_is_found(void **state)
{
	static const int sorted[] = {1, 3, 3, 3, 8};
	static const struct {
		int wanted;
		size_t nr, first;
	} t[] = {{0, 5, 0}, {1, 5, 0}, {2, 5, 1}, {3, 5, 1}, {8, 5, 4}, {9, 5, 5}, {3, 0, 0}};

	(void)state;
	for (size_t k = 0; k < sizeof(t) / sizeof(t[0]); k++) {
		size_t i;

		SORTED_FIRST(i, t[k].nr, sorted[i] < t[k].wanted);
		assert_int_equal(i, t[k].first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_is_not_before_is_found),
		cmocka_unit_test(sizes_are_formatted),
		cmocka_unit_test(appended_elements_follow_those_that_were_there),
		cmocka_unit_test(counts_and_durations_are_formatted),
		cmocka_unit_test(invalid_times_are_not_printed),
		cmocka_unit_test(sizes_are_parsed_strictly),
		cmocka_unit_test(durations_are_parsed_strictly),
		cmocka_unit_test(hostile_names_cannot_drive_the_terminal),
		cmocka_unit_test(every_byte_string_becomes_valid),
		cmocka_unit_test(widths_follow_the_terminal),
		cmocka_unit_test(a_share_above_its_limit_is_printed_above_it),
		cmocka_unit_test(a_mistyped_word_finds_the_one_that_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
