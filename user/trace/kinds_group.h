/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups the sampled objects of a cache by what their words are: objects of one group are of one
 * kind. Words name functions, tables and caches by number (struct kinds_names), so that a group
 * holds no address. Pure.
 */
#ifndef KMEMTRACE_TRACE_KINDS_GROUP_H
#define KMEMTRACE_TRACE_KINDS_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "data/kinds.h"
#include "kmemtrace.h"

/* What a word is. */
enum kind_class {
	KIND_ZERO,
	KIND_SMALL,     /* a number from −4096 to 4095 */
	KIND_HALF,      /* the upper half is 0 */
	KIND_OTHER,     /* any other content */
	KIND_POISON,    /* an entry that was taken off a list */
	KIND_SELF,      /* points into the same object */
	KIND_NEIGHBOUR, /* points into another object of this cache */
	KIND_SLAB,      /* points into an object of another cache */
	KIND_OWNER,     /* points to an obj_cgroup */
	KIND_FUNCTION,
	KIND_TABLE,   /* points to data of the kernel that names functions */
	KIND_DATA,    /* points to other data of the kernel or of a module */
	KIND_PAGE,    /* points to a struct page */
	KIND_MEMORY,  /* points to memory that is in no slab */
	KIND_VMALLOC, /* points to vmalloc's or other mapped memory */
	KIND_PERCPU,  /* names a per-CPU variable */
	KIND_CLASSES
};

struct kind_word {
	uint8_t class; /* enum kind_class */
	uint8_t shape; /* of a pointer: how what it points to points back (KMT_LINK_…); of a
			  number: a bit for each byte that is not 0 */
	uint16_t id;   /* function, table or cache: its number in kinds_names */
	uint32_t at;   /* offset in the object that it points into */
};

#define KIND_WORDS       128 /* words of an object that are looked at */
#define KIND_TABLE_WORDS 32

struct kind_function {
	char name[KIND_NAME_MAX];
	char module[KIND_NAME_MAX]; /* "vmlinux", or a module */
};

struct kind_table {
	uint16_t functions[KIND_TABLE_WORDS]; /* number plus one; 0: this word names none */
};

struct kind_cache {
	char name[KIND_NAME_MAX];
	uint32_t bytes;        /* from one object to the next */
	uint32_t object_bytes; /* of an object */
	uint32_t above;        /* of kmalloc: objects are larger than this; 0 otherwise */
	bool generic;          /* its objects are of any type: kmalloc */
	bool merged;           /* it may hold objects of several named caches */
};

struct kinds_names {
	struct {
		ARRAY_OF(struct kind_function);
	} functions;
	struct {
		ARRAY_OF(struct kind_table);
	} tables;
	struct {
		ARRAY_OF(struct kind_cache);
	} caches;
};

void kinds_names_free(struct kinds_names *n);

#define KIND_SEEN 6 /* different contents of a word that are kept */

/* What a word is in the objects of a group, the most frequent first. */
struct kind_slot {
	struct {
		struct kind_word word;
		uint32_t objects;
	} seen[KIND_SEEN];
	uint32_t nr;
	uint32_t
		bytes[8]; /* objects in which the byte is not 0, of those in which it is a number */
};

struct kind_group {
	uint32_t objects;
	uint32_t words;
	struct kind_slot slots[KIND_WORDS];
	struct {
		ARRAY_OF(uint32_t);
	} members; /* their numbers */
};

struct kind_groups {
	ARRAY_OF(struct kind_group); /* the largest first */
	uint32_t others;             /* objects in none, because there would be too many groups */
};

/* `words` words of each of `nr` objects. Returns 0 or −ENOMEM. */
int kinds_group(const struct kind_word *objects, size_t nr, uint32_t words,
		struct kind_groups *out);
void kind_groups_free(struct kind_groups *g);

/* Do two groups name different functions in the same word? Then they are of different kinds. */
bool kind_groups_differ(const struct kind_group *a, const struct kind_group *b);

/* Does the class say what the object points to? */
static inline bool kind_class_points(uint32_t class)
{
	return class >= KIND_SELF && class < KIND_CLASSES;
}

/* What the slot is in most objects of a group; NULL if nothing prevails. */
const struct kind_word *kind_slot_main(const struct kind_group *g, uint32_t word);

/*
 * Is it a vector of pointers that all point to the start of objects of one cache, or to pages?
 * Returns one of them, or NULL.
 */
const struct kind_word *kind_group_vector(const struct kind_group *g);

/*
 * Do the words repeat, because the object is an array of structs? Then fill in `out` as a group of
 * one element, of out->words words. Its share of objects means nothing. `out` has no members.
 */
bool kind_group_fold(const struct kind_group *g, struct kind_group *out);

/* Write the signature: "0:->filp 24:self". "" if nothing in it points anywhere. */
void kind_group_sign(const struct kind_group *g, const struct kinds_names *names, const char *cache,
		     char out[KIND_SIGN_MAX]);

#endif
