/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What objects belong to: a table of pointers from a part to the whole (epitem.ep, sock.sk_socket),
 * with the offsets that the kernel's BTF gives. Such a pointer leads from an object to its holder;
 * in the other direction, it does not mean that the part holds the whole. Pure.
 */
#ifndef KMEMTRACE_TRACE_REFS_BELONGS_H
#define KMEMTRACE_TRACE_REFS_BELONGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "trace/refs_types.h"

/* A pointer to the whole. */
struct refs_belongs {
	const char *type, *field; /* the part, and its pointer */
	const char *to;           /* the struct of the whole; NULL: it is not followed */
	const char *inside;       /* the field of `to` that it points to; NULL: its first byte */
	uint8_t tags;             /* low bits that are no part of the address */
	uint8_t tag; /* it leads to `to` only if the lowest bit is this, if tags is set */
	uint32_t offset, inside_offset; /* on this kernel */
};

#define REFS_BELONGS_MOST 40

/* Where a struct, or one inside it, has the pointers of the table. */
struct refs_belongs_type {
	int type;
	int32_t at[REFS_BELONGS_MOST]; /* offset of the pointer of each row; −1: it has none */
};

/* Those that this kernel has. */
struct refs_belongs_table {
	const struct refs_types *types;
	struct refs_belongs rows[REFS_BELONGS_MOST];
	uint32_t nr;
	struct {
		ARRAY_OF(struct refs_belongs_type);
	} known; /* structs that were asked for */
};

/* `types` is borrowed. */
void refs_belongs_load(const struct refs_types *types, struct refs_belongs_table *out);
void refs_belongs_free(struct refs_belongs_table *t);

/* The pointers of struct number `type`; NULL if memory is short. */
const struct refs_belongs_type *refs_belongs_of(struct refs_belongs_table *t, int type);
/*
 * Does the pointer at this offset of a struct lead from a part to the whole, or is it known not to
 * hold what it points to?
 */
bool refs_belongs_is_up(struct refs_belongs_table *t, int type, uint32_t offset);

/* Is this a pointer that holds what it points to, for sure? Others may, such as those of kmalloc.
 */
bool refs_belongs_holds(const char *type, const char *field);

#endif
