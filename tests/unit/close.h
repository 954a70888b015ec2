/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures that need not be the same to the last bit. Include after cmocka.h. */
#ifndef TESTS_UNIT_CLOSE_H
#define TESTS_UNIT_CLOSE_H

#include <math.h>

#define assert_close(a, b, tolerance)                                      \
	do {                                                               \
		double _a = (a), _b = (b);                                 \
		if (!(fabs(_a - _b) <= (tolerance)))                       \
			fail_msg("%s is %.9g, expected %.9g", #a, _a, _b); \
	} while (0)

#endif
