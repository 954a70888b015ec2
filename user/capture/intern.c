// SPDX-License-Identifier: GPL-2.0-only
/* Gives equal byte strings equal ids, with a hash table. See intern.h. */
#include "capture/intern.h"

#include <errno.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry)    \
	do {                          \
		out_of_memory = true; \
	} while (0)
#include "base/hash.h"

struct intern_entry {
	UT_hash_handle hh;
	uint32_t id;
	char key[];
};

void intern_key_add(struct intern_key *key, const void *data, size_t len)
{
	if (!len)
		return;
	if (key->failed || array_grow((void **)&key->items, &key->cap, 1, key->nr + len)) {
		key->failed = true;
		return;
	}
	memcpy(key->items + key->nr, data, len);
	key->nr += len;
}

void intern_key_text(struct intern_key *key, const char *text)
{
	intern_key_add(key, text ? text : "", text ? strlen(text) + 1 : 1);
}

void intern_key_number(struct intern_key *key, int64_t number)
{
	intern_key_add(key, &number, sizeof(number));
}

int intern_id(struct intern *table, const struct intern_key *key, uint32_t *id)
{
	struct intern_entry *entry;
	bool out_of_memory = false;

	if (key->failed)
		return -ENOMEM;
	HASH_FIND(hh, table->entries, key->items, key->nr, entry);
	if (entry) {
		*id = entry->id;
		return 0;
	}
	entry = malloc(sizeof(*entry) + key->nr);
	if (!entry)
		return -ENOMEM;
	memcpy(entry->key, key->items, key->nr);
	entry->id = table->nr + 1;
	HASH_ADD_KEYPTR(hh, table->entries, entry->key, key->nr, entry);
	if (out_of_memory) {
		free(entry);
		return -ENOMEM;
	}
	*id = ++table->nr;
	return 1;
}

void intern_free(struct intern *table)
{
	HASH_FREE(table->entries);
	table->nr = 0;
}
