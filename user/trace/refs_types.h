/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names fields of objects by the kernel's own types (BTF). A cache has a struct only if that is
 * certain: its name says which, the sizes agree, and no other cache was merged into it.
 */
#ifndef KMEMTRACE_TRACE_REFS_TYPES_H
#define KMEMTRACE_TRACE_REFS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;

struct refs_types {
	struct btf *btf; /* NULL: no struct is known */
};

/* Read the types of `path` ("": the kernel's own). Without them, nothing gets a name. */
void refs_types_load(struct refs_types *t, const char *path);
void refs_types_free(struct refs_types *t);

/*
 * The number of the struct of a cache's objects, and its name; 0 if it is not known. `bytes` is the
 * object size that the cache was made for.
 */
int refs_types_struct(const struct refs_types *t, const char *cache, uint32_t bytes,
		      const char **name);
/*
 * The field at an offset: "private_data", "f_path.dentry", "slots[]". Lists and trees are named
 * without their own members. False, `field` untouched, if no pointer is there.
 */
bool refs_types_field(const struct refs_types *t, int type, uint32_t offset, char *field,
		      size_t size);

/* The same for a cache into which others were merged: some of its objects may have the struct. */
int refs_types_merged(const struct refs_types *t, const char *cache, uint32_t bytes);
/* The number of the struct of that name; 0: none. */
int refs_types_named(const struct refs_types *t, const char *name);
/*
 * The offset of a field of a struct, such as "fsn_mark.group" or "ids[1].ipcs_idr". False: this
 * kernel has none.
 */
bool refs_types_offset(const struct refs_types *t, const char *type, const char *field,
		       uint32_t *offset);
/*
 * Where in struct number `type` is a struct `name`: the struct itself, or one inside it, however
 * deep? False: nowhere.
 */
bool refs_types_inside(const struct refs_types *t, int type, const char *name, uint32_t *offset);
/* Is a pointer at this offset, and not a number, nor a link of a list or a tree? */
bool refs_types_is_pointer(const struct refs_types *t, int type, uint32_t offset);

#endif
