/* SPDX-License-Identifier: GPL-2.0-only */
/* Interning for the capture writer, over uthash: equal bytes give an equal, dense id from 1. */
#ifndef KMEMTRACE_CAPTURE_INTERN_H
#define KMEMTRACE_CAPTURE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"

struct intern_entry;

struct intern {
	struct intern_entry *entries;
	uint32_t nr; /* ids in use: 1 … nr */
};

/* The bytes of one key, built up part by part. */
struct intern_key {
	ARRAY_OF(char);
	bool failed; /* memory ran out */
};

void intern_key_add(struct intern_key *key, const void *data, size_t len);
/* Append text including its NUL; NULL counts as "". */
void intern_key_text(struct intern_key *key, const char *text);
void intern_key_number(struct intern_key *key, int64_t number);

/* Find or assign the id of a key. Returns 1 if *id is new, 0 if it was known, or −ENOMEM. */
int intern_id(struct intern *table, const struct intern_key *key, uint32_t *id);
void intern_free(struct intern *table);

#endif
