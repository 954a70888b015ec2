/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uthash for untrusted keys: include this instead of <uthash.h>. uthash's own hash functions have
 * no secret, so an attacker can craft names that all fall into one bucket and make every lookup a
 * linear search. This hash is a polynomial with a random argument (Carter & Wegman 1979), which an
 * attacker does not know.
 */
#ifndef KMEMTRACE_BASE_HASH_H
#define KMEMTRACE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

uint32_t hash_keyed(const void *key, size_t len);

/*
 * Called if a table cannot grow and HASH_NONFATAL_OOM is not defined: prints that and exits with 1.
 */
void hash_no_memory(void) __attribute__((noreturn));

#ifndef uthash_fatal
#define uthash_fatal(what) hash_no_memory()
#endif
/* Where the keys are the kernel's own, HASH_JEN is as good, and takes less than half the time. */
#ifndef HASH_FUNCTION
#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = hash_keyed((keyptr), (keylen)))
#endif
#include <uthash.h>

/* Empty a table, and free its entries, which own nothing else. */
#define HASH_FREE(head)                                       \
	do {                                                  \
		__typeof__(head) hash_entry, hash_next;       \
                                                              \
		HASH_ITER (hh, head, hash_entry, hash_next) { \
			HASH_DEL(head, hash_entry);           \
			free(hash_entry);                     \
		}                                             \
	} while (0)

#endif
