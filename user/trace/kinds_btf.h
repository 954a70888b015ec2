/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types, and those of its modules, as kinds_score.c needs them: which structs have a
 * certain size, what each word of one is, and which arguments a function has. From BTF, through
 * libbpf. Types of a kernel are not trusted: depths and numbers are limited.
 */
#ifndef KMEMTRACE_TRACE_KINDS_BTF_H
#define KMEMTRACE_TRACE_KINDS_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;
struct kinds_btf;

/* What BTF says that a word is. A word of a union can be several of these. */
enum field_kind {
	FIELD_INTS,        /* smaller numbers, flags, bit fields */
	FIELD_LOCK,        /* a spinlock, which is 0 most of the time */
	FIELD_REFS,        /* a count of references, which is not 0 while the object lives */
	FIELD_LONG,        /* a number of 64 bits, which may hold a pointer */
	FIELD_BYTES,       /* characters */
	FIELD_POINTER,     /* to `target` */
	FIELD_FUNCTION,    /* pointer to a function with the arguments `proto` */
	FIELD_LIST,        /* a half of a list_head, … */
	FIELD_LIST_PREV,   /* … the second */
	FIELD_HLIST,       /* the first word of an hlist_node, … */
	FIELD_HLIST_NULLS, /* where the end of the list is a number */
	FIELD_HLIST_PPREV,
	FIELD_RCU, /* a half of what RCU needs to free the object: anything while it lives */
	FIELD_RB,  /* the first word of an rb_node, … */
	FIELD_RB_RIGHT,
	FIELD_RB_LEFT,
};

/* A type in one of the BTF objects. */
struct type_ref {
	uint32_t btf; /* 0: the kernel's own */
	uint32_t id;  /* 0: void */
};

struct field {
	uint16_t word;
	uint8_t kind;  /* enum field_kind */
	uint8_t bytes; /* a bit for each byte of the word that it has */
	bool later;    /* of an element of an array, but not of the first */
	struct type_ref target;
	uint64_t proto; /* hash; 0: not known */
};

#define FIELD_WORDS 128

/* A struct. */
struct struct_type {
	struct type_ref ref;
	const char *name;
	const char *module; /* "vmlinux", or a module */
	uint32_t bytes;
	bool flexible;              /* it ends with an array of any length */
	const struct field *fields; /* by word; read them with kinds_btf_fields() */
	uint32_t nr_fields;
	bool read;
};

/*
 * Read the kernel's BTF from `path`, and that of modules from SYS_ROOT/kernel/btf; a module whose
 * types cannot be read is left out. Returns 0 or −errno.
 */
int kinds_btf_load(const char *path, const char *sys_root, struct kinds_btf **out);
/* The same of one BTF object, which is borrowed. */
int kinds_btf_new(const struct btf *btf, struct kinds_btf **out);
void kinds_btf_free(struct kinds_btf *b);

/* Structs larger than `above` and of at most `most` bytes: all with *at from 0 on, until NULL. */
struct struct_type *kinds_btf_next(const struct kinds_btf *b, uint32_t above, uint32_t most,
				   size_t *at);
/* The struct of that name with so many bytes, or with any number if it is 0; NULL: none. */
struct struct_type *kinds_btf_find(const struct kinds_btf *b, const char *name, uint32_t bytes);
size_t kinds_btf_count(const struct kinds_btf *b);

/* Fill in its fields. Returns 0 or −ENOMEM. */
int kinds_btf_fields(const struct kinds_btf *b, struct struct_type *t);

/* What a pointer points to. */
enum target_kind {
	TARGET_VOID,
	TARGET_CHAR,
	TARGET_NUMBER,
	TARGET_POINTER,
	TARGET_STRUCT,  /* or a union */
	TARGET_UNKNOWN, /* declared only, or a function */
};
struct pointed {
	enum target_kind kind;
	const char *name; /* of a struct, even if it is declared only; otherwise "" */
	uint32_t bytes;   /* 0: not known */
	bool flexible;
};
struct pointed kinds_btf_target(const struct kinds_btf *b, struct type_ref ref);

/* Does `t` have a struct `name` at that offset, however deep inside? */
bool kinds_btf_has_at(const struct kinds_btf *b, const struct struct_type *t, uint32_t offset,
		      const char *name);

/*
 * Look up what arguments these functions have. protos[i] becomes a hash that is equal to that of
 * fields for such functions, or 0 if BTF does not know function i. Returns 0 or −ENOMEM.
 */
int kinds_btf_protos(const struct kinds_btf *b, const char *const *names, size_t nr,
		     uint64_t *protos);

/* How many structs have the word between underscores in their name. */
size_t kinds_btf_word_count(const struct kinds_btf *b, const char *word, size_t len);

#endif
