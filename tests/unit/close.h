/* SPDX-License-Identifier: GPL-2.0-only */
/* Compares figures that may differ in the last bits. Include after cmocka.h. */
#ifndef TESTS_UNIT_CLOSE_H
#define TESTS_UNIT_CLOSE_H

#include <math.h>

#define assert_close(a, b, tolerance)                                      \
	do {                                                               \
		double _a = (a), _b = (b);                                 \
		if (!(fabs(_a - _b) <= (tolerance)))                       \
			fail_msg("%s is %.9g, expected %.9g", #a, _a, _b); \
	} while (0)

/* cmocka 2.0 has two new names for assert_in_range(), which 1.1 lacks. */
#define assert_between(n, least, most)                                                         \
	do {                                                                                   \
		double _n = (n);                                                               \
		if (!(_n >= (least) && _n <= (most)))                                          \
			fail_msg("%s is %.9g, expected %.9g to %.9g", #n, _n, (double)(least), \
				 (double)(most));                                              \
	} while (0)

#endif
