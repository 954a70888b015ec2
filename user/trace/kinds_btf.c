// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's types: see kinds_btf.h. */
#include "trace/kinds_btf.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/log.h"

#define MODULES_MOST 512
#define DEPTH_MOST   12   /* of structs in structs */
#define FIELDS_MOST  2048 /* of a struct */
#define MEMBERS_MOST 1024
#define CHAIN_MOST   32 /* typedefs and qualifiers of a type */
#define PROTO_DEPTH  8
#define WORD_LEAST   3 /* characters of a word in a name */

struct btf_object {
	const struct btf *btf;
	struct btf *own; /* NULL: borrowed */
	char name[64];
	uint32_t first; /* its first type */
};

/* A word of a struct's name. */
struct name_word {
	const char *text;
	uint32_t len;
};

struct kinds_btf {
	ARRAY_OF(struct btf_object);
	struct {
		ARRAY_OF(struct struct_type);
	} structs; /* by size */
	struct struct_type **by_name;
	struct {
		ARRAY_OF(struct name_word);
	} words; /* sorted */
};

static const struct btf_type *type_of(const struct kinds_btf *b, struct type_ref ref)
{
	return ref.btf < b->nr ? btf__type_by_id(b->items[ref.btf].btf, ref.id) : NULL;
}

static const char *name_of(const struct kinds_btf *b, uint32_t object, const struct btf_type *t)
{
	const char *name = t ? btf__name_by_offset(b->items[object].btf, t->name_off) : NULL;

	return name ?: "";
}

/* The type behind typedefs and qualifiers. */
static struct type_ref type_strip(const struct kinds_btf *b, struct type_ref ref)
{
	for (int i = 0; i < CHAIN_MOST; i++) {
		const struct btf_type *t = type_of(b, ref);

		if (!t || !ref.id || !(btf_is_mod(t) || btf_is_typedef(t)))
			return ref;
		ref.id = t->type;
	}
	return (struct type_ref){ref.btf, 0};
}

/* ---- all structs ---- */

/* Does a struct end with an array of any length? */
static bool ends_flexible(const struct kinds_btf *b, uint32_t object, const struct btf_type *t)
{
	struct type_ref last;
	const struct btf_type *type;

	if (!btf_vlen(t))
		return false;
	last = type_strip(b, (struct type_ref){object, btf_members(t)[btf_vlen(t) - 1].type});
	type = type_of(b, last);
	return type && btf_is_array(type) && !btf_array(type)->nelems;
}

static int struct_push(struct kinds_btf *b, uint32_t object, uint32_t id, const struct btf_type *t)
{
	const char *name = name_of(b, object, t);
	struct struct_type *s;

	if (!btf_is_struct(t) || !*name || !t->size)
		return 0;
	s = ARRAY_PUSH(&b->structs);
	if (!s)
		return -ENOMEM;
	*s = (struct struct_type){.ref = {object, id},
				  .name = name,
				  .module = b->items[object].name,
				  .bytes = t->size,
				  .flexible = ends_flexible(b, object, t)};
	return 0;
}

static int structs_read(struct kinds_btf *b, uint32_t object)
{
	const struct btf_object *o = &b->items[object];
	uint32_t end = btf__type_cnt(o->btf);
	int err = 0;

	for (uint32_t id = o->first; id < end && !err; id++) {
		const struct btf_type *t = btf__type_by_id(o->btf, id);

		if (t)
			err = struct_push(b, object, id, t);
	}
	return err;
}

static int compare_structs(const void *x, const void *y)
{
	const struct struct_type *a = x, *b = y;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? -1 : 1;
	if (a->ref.btf != b->ref.btf)
		return a->ref.btf < b->ref.btf ? -1 : 1;
	return a->ref.id < b->ref.id ? -1 : a->ref.id > b->ref.id;
}

static int compare_struct_names(const void *x, const void *y)
{
	const struct struct_type *a = *(struct struct_type *const *)x,
				 *b = *(struct struct_type *const *)y;
	int order = strcmp(a->name, b->name);

	return order ? order : a < b ? -1 : a > b;
}

static int compare_name_words(const void *x, const void *y)
{
	const struct name_word *a = x, *b = y;
	uint32_t len = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->text, b->text, len);

	return order ? order : a->len < b->len ? -1 : a->len > b->len;
}

static int name_words_push(struct kinds_btf *b, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, "_");
		struct name_word *w;

		if (len >= WORD_LEAST) {
			w = ARRAY_PUSH(&b->words);
			if (!w)
				return -ENOMEM;
			*w = (struct name_word){name, (uint32_t)len};
		}
		name += len + (name[len] == '_');
	}
	return 0;
}

static int structs_sort(struct kinds_btf *b)
{
	size_t nr = b->structs.nr;
	int err = 0;

	b->by_name = calloc(nr + 1, sizeof(*b->by_name));
	if (!b->by_name)
		return -ENOMEM;
	if (nr)
		qsort(b->structs.items, nr, sizeof(*b->structs.items), compare_structs);
	for (size_t i = 0; i < nr && !err; i++) {
		b->by_name[i] = &b->structs.items[i];
		err = name_words_push(b, b->structs.items[i].name);
	}
	qsort(b->by_name, nr, sizeof(*b->by_name), compare_struct_names);
	if (b->words.nr)
		qsort(b->words.items, b->words.nr, sizeof(*b->words.items), compare_name_words);
	return err;
}

static int object_push(struct kinds_btf *b, const struct btf *btf, struct btf *own,
		       const char *name)
{
	struct btf_object *o = ARRAY_PUSH(b);

	if (!o)
		return -ENOMEM;
	o->btf = btf;
	o->own = own;
	o->first = b->nr > 1 ? btf__type_cnt(b->items[0].btf) : 1;
	snprintf(o->name, sizeof(o->name), "%s", name);
	return 0;
}

/* Add the types of modules. One that cannot be read is left out. */
static int modules_push(struct kinds_btf *b, const char *sys_root)
{
	_cleanup_(cleanup_closedir_func) DIR *dir = NULL;
	char path[512];
	struct dirent *e;
	int err = 0;

	snprintf(path, sizeof(path), "%s/kernel/btf", sys_root);
	dir = opendir(path);
	while (dir && !err && b->nr < MODULES_MOST && (e = readdir(dir))) {
		struct btf *btf;

		if (e->d_name[0] == '.' || !strcmp(e->d_name, "vmlinux"))
			continue;
		snprintf(path, sizeof(path), "%s/kernel/btf/%.200s", sys_root, e->d_name);
		btf = btf__parse_split(path, b->items[0].own);
		if (libbpf_get_error(btf))
			continue;
		err = object_push(b, btf, btf, e->d_name);
		if (err)
			btf__free(btf);
	}
	return err;
}

void kinds_btf_free(struct kinds_btf *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->structs.nr; i++)
		free((void *)b->structs.items[i].fields);
	ARRAY_FREE(&b->structs);
	ARRAY_FREE(&b->words);
	free(b->by_name);
	for (size_t i = b->nr; i-- > 0;)
		btf__free(b->items[i].own);
	ARRAY_FREE(b);
	free(b);
}

static void kinds_btf_cleanup(struct kinds_btf **b)
{
	kinds_btf_free(*b);
}

static int kinds_btf_finish(struct kinds_btf *b)
{
	int err = 0;

	for (uint32_t i = 0; i < b->nr && !err; i++)
		err = structs_read(b, i);
	return err ?: structs_sort(b);
}

int kinds_btf_new(const struct btf *btf, struct kinds_btf **out)
{
	_cleanup_(kinds_btf_cleanup) struct kinds_btf *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	err = object_push(b, btf, NULL, "vmlinux");
	err = err ?: kinds_btf_finish(b);
	if (!err)
		*out = TAKE_PTR(b);
	return err;
}

int kinds_btf_load(const char *path, const char *sys_root, struct kinds_btf **out)
{
	_cleanup_(kinds_btf_cleanup) struct kinds_btf *b = calloc(1, sizeof(*b));
	struct btf *btf;
	int err;

	if (!b)
		return -ENOMEM;
	btf = btf__parse(path, NULL);
	err = (int)libbpf_get_error(btf);
	if (err)
		return err;
	err = object_push(b, btf, btf, "vmlinux");
	if (err)
		btf__free(btf);
	err = err ?: modules_push(b, sys_root) ?: kinds_btf_finish(b);
	if (err)
		return err;
	log_debug("kinds: %zu structs of the kernel and %zu modules", b->structs.nr, b->nr - 1);
	*out = TAKE_PTR(b);
	return 0;
}

size_t kinds_btf_count(const struct kinds_btf *b)
{
	return b->structs.nr;
}

struct struct_type *kinds_btf_next(const struct kinds_btf *b, uint32_t above, uint32_t most,
				   size_t *at)
{
	if (!*at)
		SORTED_FIRST(*at, b->structs.nr, b->structs.items[*at].bytes <= above);
	if (*at >= b->structs.nr || b->structs.items[*at].bytes > most)
		return NULL;
	return &b->structs.items[(*at)++];
}

struct struct_type *kinds_btf_find(const struct kinds_btf *b, const char *name, uint32_t bytes)
{
	size_t i;

	SORTED_FIRST(i, b->structs.nr, strcmp(b->by_name[i]->name, name) < 0);
	for (; i < b->structs.nr && !strcmp(b->by_name[i]->name, name); i++)
		if (!bytes || b->by_name[i]->bytes == bytes)
			return b->by_name[i];
	return NULL;
}

size_t kinds_btf_word_count(const struct kinds_btf *b, const char *word, size_t len)
{
	const struct name_word want = {word, (uint32_t)len};
	size_t first, end;

	SORTED_FIRST(first, b->words.nr, compare_name_words(&b->words.items[first], &want) < 0);
	SORTED_FIRST(end, b->words.nr, compare_name_words(&b->words.items[end], &want) <= 0);
	return end - first;
}

/* ---- arguments of functions ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x9E3779B97F4A7C15ull + (hash >> 29);
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = mix(hash, (unsigned char)*text);
	return hash;
}

static uint64_t mix_type(const struct kinds_btf *b, uint64_t hash, struct type_ref ref, int depth)
{
	const struct btf_type *t;

	ref = type_strip(b, ref);
	t = type_of(b, ref);
	if (!ref.id || !t)
		return mix(hash, 1);
	if (btf_is_ptr(t)) {
		if (depth >= PROTO_DEPTH)
			return mix(hash, 2);
		return mix_type(b, mix(hash, 3), (struct type_ref){ref.btf, t->type}, depth + 1);
	}
	/* a declaration is equal to its definition */
	if (btf_is_composite(t) || btf_is_fwd(t))
		return mix_text(mix(hash, 4), name_of(b, ref.btf, t));
	if (btf_is_int(t) || btf_is_any_enum(t))
		return mix(mix(hash, 5), t->size);
	return mix(hash, 6 + btf_kind(t));
}

/* 0 if it is no function. */
static uint64_t proto_hash(const struct kinds_btf *b, struct type_ref ref)
{
	const struct btf_type *t = type_of(b, ref);
	const struct btf_param *p;
	uint64_t hash = 1;

	if (!t || !btf_is_func_proto(t))
		return 0;
	p = btf_params(t);
	hash = mix_type(b, hash, (struct type_ref){ref.btf, t->type}, 0);
	for (int i = 0; i < btf_vlen(t); i++)
		hash = mix_type(b, hash, (struct type_ref){ref.btf, p[i].type}, 0);
	return hash ?: 1;
}

struct wanted_function {
	const char *name;
	uint64_t *proto;
	UT_hash_handle hh;
};

static void protos_read(const struct kinds_btf *b, uint32_t object,
			struct wanted_function *functions)
{
	const struct btf_object *o = &b->items[object];
	uint32_t end = btf__type_cnt(o->btf);

	for (uint32_t id = o->first; id < end; id++) {
		const struct btf_type *t = btf__type_by_id(o->btf, id);
		struct wanted_function *f = NULL;
		const char *name;

		if (!t || !btf_is_func(t))
			continue;
		name = name_of(b, object, t);
		HASH_FIND_STR(functions, name, f);
		if (f && !*f->proto)
			*f->proto = proto_hash(b, (struct type_ref){object, t->type});
	}
}

int kinds_btf_protos(const struct kinds_btf *b, const char *const *names, size_t nr,
		     uint64_t *protos)
{
	struct wanted_function *items = calloc(nr + 1, sizeof(*items)), *functions = NULL, *known;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		protos[i] = 0;
		HASH_FIND_STR(functions, names[i], known);
		if (known)
			continue;
		items[i].name = names[i];
		items[i].proto = &protos[i];
		HASH_ADD_KEYPTR(hh, functions, items[i].name, strlen(items[i].name), &items[i]);
	}
	for (uint32_t object = 0; object < b->nr; object++)
		protos_read(b, object, functions);
	for (size_t i = 0; i < nr; i++) {
		HASH_FIND_STR(functions, names[i], known);
		if (known)
			protos[i] = *known->proto;
	}
	HASH_CLEAR(hh, functions);
	free(items);
	return 0;
}

/* ---- what the words of a struct are ---- */

struct reading {
	const struct kinds_btf *b;
	ARRAY_OF(struct field);
	bool flexible, failed;
	uint32_t unions; /* that are being read: their members may hold anything */
	uint32_t later;  /* elements of arrays that are being read, without first ones */
	uint32_t bytes;  /* of the outermost struct */
};

/* The bytes of a word that `size` bytes from `offset` on are. */
static uint8_t bytes_of_word(uint64_t offset, uint64_t size)
{
	uint64_t first = offset % 8, end = first + size < 8 ? first + size : 8;

	return (uint8_t)((1u << end) - (1u << first));
}

static void field_push(struct reading *r, uint64_t offset, uint64_t size, enum field_kind kind,
		       struct type_ref target, uint64_t proto)
{
	uint8_t bytes = bytes_of_word(offset, size);
	struct field *f;

	if (offset / 8 >= FIELD_WORDS || r->nr >= FIELDS_MOST)
		return;
	/* several numbers in one word are one field */
	for (size_t i = r->nr; kind == FIELD_INTS && i-- > 0;) {
		if (r->items[i].word != offset / 8)
			break;
		if (r->items[i].kind != FIELD_INTS)
			continue;
		r->items[i].bytes |= bytes;
		return;
	}
	f = ARRAY_PUSH(r);
	if (!f) {
		r->failed = true;
		return;
	}
	*f = (struct field){.word = (uint16_t)(offset / 8),
			    .kind = (uint8_t)kind,
			    .bytes = bytes,
			    .later = r->later,
			    .target = target,
			    .proto = proto};
}

static void pointer_read(struct reading *r, uint64_t offset, uint32_t object,
			 const struct btf_type *t)
{
	struct type_ref target = type_strip(r->b, (struct type_ref){object, t->type});
	uint64_t proto = proto_hash(r->b, target);

	if (offset % 8)
		return;
	field_push(r, offset, 8, proto ? FIELD_FUNCTION : FIELD_POINTER, target, proto);
}

/* Lists and trees, which objects are in. Returns whether it is one. */
static bool container_read(struct reading *r, uint64_t offset, struct type_ref ref,
			   const char *name)
{
	static const struct {
		const char *name;
		enum field_kind first, second, third;
	} nodes[] = {
		{"list_head", FIELD_LIST, FIELD_LIST_PREV, FIELD_INTS},
		{"hlist_node", FIELD_HLIST, FIELD_HLIST_PPREV, FIELD_INTS},
		{"hlist_nulls_node", FIELD_HLIST_NULLS, FIELD_HLIST_PPREV, FIELD_INTS},
		{"hlist_bl_node", FIELD_HLIST, FIELD_HLIST_PPREV, FIELD_INTS},
		{"callback_head", FIELD_RCU, FIELD_RCU, FIELD_INTS},
		{"rb_node", FIELD_RB, FIELD_RB_RIGHT, FIELD_RB_LEFT},
	};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		if (strcmp(name, nodes[i].name) != 0)
			continue;
		field_push(r, offset, 8, nodes[i].first, ref, 0);
		field_push(r, offset + 8, 8, nodes[i].second, ref, 0);
		if (nodes[i].third != FIELD_INTS)
			field_push(r, offset + 16, 8, nodes[i].third, ref, 0);
		return true;
	}
	return false;
}

static void type_read(struct reading *r, uint64_t offset, struct type_ref ref, int depth);

static void members_read(struct reading *r, uint64_t offset, uint32_t object,
			 const struct btf_type *t, int depth)
{
	const struct btf_member *m = btf_members(t);

	for (int i = 0; i < btf_vlen(t) && i < MEMBERS_MOST; i++) {
		uint64_t at = offset + btf_member_bit_offset(t, i) / 8;

		if (at / 8 >= FIELD_WORDS || r->failed)
			return;
		if (btf_member_bitfield_size(t, i))
			field_push(r, at, 1 + btf_member_bitfield_size(t, i) / 8, FIELD_INTS,
				   (struct type_ref){0, 0}, 0);
		else
			type_read(r, at, (struct type_ref){object, m[i].type}, depth + 1);
	}
}

static void array_read(struct reading *r, uint64_t offset, uint32_t object,
		       const struct btf_type *t, int depth)
{
	const struct btf_array *a = btf_array(t);
	struct type_ref element = type_strip(r->b, (struct type_ref){object, a->type});
	int64_t bytes = btf__resolve_size(r->b->items[object].btf, element.id);
	uint64_t nr = a->nelems;

	if (bytes <= 0)
		return;
	if (!nr && offset + (uint64_t)bytes > r->bytes) {
		r->flexible = true;
		nr = FIELD_WORDS * 8;
	}
	for (uint64_t i = 0; i < nr && (offset + i * (uint64_t)bytes) / 8 < FIELD_WORDS; i++) {
		uint64_t at = offset + i * (uint64_t)bytes;
		bool later = i > 0;

		r->later += later;
		if (bytes == 1) {
			field_push(r, at, nr - i, FIELD_BYTES, element, 0);
			i += 7 - at % 8;
		} else {
			type_read(r, at, element, depth + 1);
		}
		r->later -= later;
	}
}

/* What is said of a number beyond its being one, outside of unions. */
static void number_mark(struct reading *r, uint64_t offset, struct type_ref ref,
			const struct btf_type *t)
{
	const char *name = name_of(r->b, ref.btf, t);

	if (r->unions || t->size != 4)
		return;
	if (!strcmp(name, "spinlock") || !strcmp(name, "raw_spinlock"))
		field_push(r, offset, t->size, FIELD_LOCK, ref, 0);
	else if (!strcmp(name, "refcount_struct"))
		field_push(r, offset, t->size, FIELD_REFS, ref, 0);
}

static void composite_read(struct reading *r, uint64_t offset, struct type_ref ref,
			   const struct btf_type *t, int depth)
{
	if (container_read(r, offset, ref, name_of(r->b, ref.btf, t)))
		return;
	number_mark(r, offset, ref, t);
	r->unions += btf_is_union(t);
	members_read(r, offset, ref.btf, t, depth);
	r->unions -= btf_is_union(t);
}

static void type_read(struct reading *r, uint64_t offset, struct type_ref ref, int depth)
{
	const struct btf_type *t;

	ref = type_strip(r->b, ref);
	t = type_of(r->b, ref);
	if (!ref.id || !t || depth > DEPTH_MOST || r->nr >= FIELDS_MOST)
		return;
	if (btf_is_ptr(t))
		pointer_read(r, offset, ref.btf, t);
	else if (btf_is_composite(t))
		composite_read(r, offset, ref, t, depth);
	else if (btf_is_array(t))
		array_read(r, offset, ref.btf, t, depth);
	else if (btf_is_int(t) || btf_is_any_enum(t))
		field_push(r, offset, t->size,
			   t->size == 8 && !(offset % 8) ? FIELD_LONG : FIELD_INTS, ref, 0);
}

static int compare_fields(const void *x, const void *y)
{
	const struct field *a = x, *b = y;

	if (a->word != b->word)
		return a->word < b->word ? -1 : 1;
	return a->kind < b->kind ? -1 : a->kind > b->kind;
}

int kinds_btf_fields(const struct kinds_btf *b, struct struct_type *t)
{
	struct reading r = {.b = b, .bytes = t->bytes};

	if (t->read)
		return 0;
	type_read(&r, 0, t->ref, 0);
	if (r.failed) {
		ARRAY_FREE(&r);
		return -ENOMEM;
	}
	if (r.nr)
		qsort(r.items, r.nr, sizeof(*r.items), compare_fields);
	t->fields = r.items;
	t->nr_fields = (uint32_t)r.nr;
	t->flexible |= r.flexible;
	t->read = true;
	return 0;
}

/* ---- targets of pointers ---- */

struct pointed kinds_btf_target(const struct kinds_btf *b, struct type_ref ref)
{
	const struct btf_type *t;
	struct pointed out = {.kind = TARGET_UNKNOWN, .name = ""};

	ref = type_strip(b, ref);
	t = type_of(b, ref);
	if (!ref.id) {
		out.kind = TARGET_VOID;
		return out;
	}
	if (!t)
		return out;
	if (btf_is_composite(t)) {
		out = (struct pointed){.kind = TARGET_STRUCT,
				       .name = name_of(b, ref.btf, t),
				       .bytes = t->size,
				       .flexible = ends_flexible(b, ref.btf, t)};
	} else if (btf_is_fwd(t)) {
		const char *name = name_of(b, ref.btf, t);
		const struct struct_type *s = *name ? kinds_btf_find(b, name, 0) : NULL;

		/* declared only here, but defined elsewhere */
		if (s)
			return kinds_btf_target(b, s->ref);
		out.name = name;
	} else if (btf_is_ptr(t)) {
		out.kind = TARGET_POINTER;
	} else if (btf_is_int(t) || btf_is_any_enum(t)) {
		out.kind = t->size == 1 ? TARGET_CHAR : TARGET_NUMBER;
	}
	return out;
}

static bool type_has_at(const struct kinds_btf *b, struct type_ref ref, uint32_t offset,
			const char *name, int depth)
{
	const struct btf_type *t;

	ref = type_strip(b, ref);
	t = type_of(b, ref);
	if (!ref.id || !t || depth > DEPTH_MOST)
		return false;
	if (btf_is_array(t)) {
		const struct btf_array *a = btf_array(t);
		int64_t bytes = btf__resolve_size(b->items[ref.btf].btf, a->type);

		return bytes > 0 && offset / bytes < a->nelems &&
		       type_has_at(b, (struct type_ref){ref.btf, a->type}, offset % (uint32_t)bytes,
				   name, depth + 1);
	}
	if (!btf_is_composite(t) || offset >= t->size)
		return false;
	if (!offset && !strcmp(name_of(b, ref.btf, t), name))
		return true;
	for (int i = 0; i < btf_vlen(t) && i < MEMBERS_MOST; i++) {
		uint32_t bits = btf_member_bit_offset(t, i);

		if (bits % 8 || bits / 8 > offset)
			continue;
		if (type_has_at(b, (struct type_ref){ref.btf, btf_members(t)[i].type},
				offset - bits / 8, name, depth + 1))
			return true;
	}
	return false;
}

bool kinds_btf_has_at(const struct kinds_btf *b, const struct struct_type *t, uint32_t offset,
		      const char *name)
{
	return *name && type_has_at(b, t->ref, offset, name, 0);
}
