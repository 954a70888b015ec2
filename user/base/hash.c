// SPDX-License-Identifier: GPL-2.0-only
/* An unpredictable hash function. See hash.h. */
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/bounds.h"
#include "base/log.h"

#define PRIME ((UINT64_C(1) << 61) - 1)
#define BLOCK 7 /* bytes per step; a block must be below the prime */

/* The random argument of the polynomial, and a factor that spreads the result over all bits. */
static uint64_t argument, factor;

static void choose_secret(void)
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now); /* early in boot there is no random number
							 yet; the time is better than a constant */
		random[0] = (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15) ^ (uintptr_t)&now;
		random[1] = random[0] * UINT64_C(0xd1342543de82ef95);
	}
	argument = random[0] % (PRIME - 256) + 256;
	factor = random[1] | 1;
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	uint64_t sum = (uint64_t)(product & PRIME) + (uint64_t)(product >> 61);

	sum = (sum & PRIME) + (sum >> 61);
	return sum >= PRIME ? sum - PRIME : sum;
}

uint32_t hash_keyed(const void *key, size_t len)
{
	const unsigned char *p = key;
	uint64_t sum = len;

	if (!argument)
		choose_secret();
	while (len) {
		size_t n = len < BLOCK ? len : BLOCK;
		uint64_t block = 0;

		memcpy(&block, p, n);
		sum = multiply(sum, argument) + (block & PRIME) + 1;
		p += n;
		len -= n;
	}
	return (uint32_t)(multiply(sum, argument) * factor >> 32);
}

void hash_no_memory(void)
{
	log_error(ENOMEM, "not enough memory%s", bounds_memory_hint());
	exit(1);
}
