/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uthash for keys that others chose: include this instead of <uthash.h>. Its own hash functions
 * have no secret, so a file can be made of names that all fall into one bucket, and looking each up
 * then takes as long as reading all. This one is a polynomial with a random argument (Carter &
 * Wegman 1979): whoever does not know it cannot do that.
 */
#ifndef KMEMTRACE_BASE_HASH_H
#define KMEMTRACE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint32_t hash_keyed(const void *key, size_t len);

/* Where a table cannot grow and HASH_NONFATAL_OOM is not defined: say so and exit with 1. */
void hash_no_memory(void) __attribute__((noreturn));

#ifndef uthash_fatal
#define uthash_fatal(what) hash_no_memory()
#endif
#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = hash_keyed((keyptr), (keylen)))
#include <uthash.h>

#endif
