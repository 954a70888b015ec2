// SPDX-License-Identifier: GPL-2.0-only
/* Structs of slab caches and their fields, by BTF: see refs_types.h. */
#include "trace/refs_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define DEEPEST 16 /* structs within structs */

/* Caches whose name is not that of their struct. The size must agree, too. */
static const struct {
	const char *cache, *type;
	bool larger; /* the object may be larger: the struct ends in something of the machine's */
} refs_known_types[] = {
	{"filp", "file", false},
	{"TCP", "tcp_sock", false},
	{"TCPv6", "tcp6_sock", false},
	{"UDP", "udp_sock", false},
	{"UDPv6", "udp6_sock", false},
	{"UNIX", "unix_sock", false},
	{"UNIX-STREAM", "unix_sock", false},
	{"RAW", "raw_sock", false},
	{"RAWv6", "raw6_sock", false},
	{"task_struct", "task_struct", true},
	{"inode_cache", "inode", false},
	{"sock_inode_cache", "socket_alloc", false},
	{"proc_inode_cache", "proc_inode", false},
	{"shmem_inode_cache", "shmem_inode_info", false},
	{"ext4_inode_cache", "ext4_inode_info", false},
	{"hugetlbfs_inode_cache", "hugetlbfs_inode_info", false},
	{"mqueue_inode_cache", "mqueue_inode_info", false},
	{"tracefs_inode_cache", "tracefs_inode", false},
	{"bdev_cache", "bdev_inode", false},
	{"xfs_inode", "xfs_inode", false},
	{"btrfs_inode", "btrfs_inode", false},
	{"ovl_inode", "ovl_inode", false},
	{"fuse_inode", "fuse_inode", false},
	{"kernfs_node_cache", "kernfs_node", false},
	{"radix_tree_node", "xa_node", false},
	{"cred_jar", "cred", false},
	{"key_jar", "key", false},
	{"files_cache", "files_struct", false},
	{"fs_cache", "fs_struct", false},
	{"sighand_cache", "sighand_struct", false},
	{"signal_cache", "signal_struct", true},
	{"mnt_cache", "mount", false},
	{"skbuff_head_cache", "sk_buff", false},
	{"eventpoll_epi", "epitem", false},
	{"eventpoll_pwq", "eppoll_entry", false},
	{"file_lock_cache", "file_lock", false},
	{"file_lease_cache", "file_lease", false},
	{"posix_timers_cache", "k_itimer", false},
	{"request_sock_TCP", "tcp_request_sock", false},
	{"tw_sock_TCP", "tcp_timewait_sock", false},
	{"nf_conntrack", "nf_conn", false},
	{"net_namespace", "net", false},
	{"mm_struct", "mm_struct", true},
	{"pid", "pid", true},
};

void refs_types_load(struct refs_types *t, const char *path)
{
	struct btf *btf = path && path[0] ? btf__parse(path, NULL) : btf__load_vmlinux_btf();

	t->btf = libbpf_get_error(btf) ? NULL : btf;
}

void refs_types_free(struct refs_types *t)
{
	btf__free(t->btf);
	t->btf = NULL;
}

int refs_types_named(const struct refs_types *t, const char *name)
{
	int id = t->btf ? btf__find_by_name_kind(t->btf, name, BTF_KIND_STRUCT) : 0;

	return id > 0 ? id : 0;
}

/* The struct that a cache's name says; *larger: its objects may be larger than the struct. */
static const struct btf_type *refs_type_said(const struct refs_types *t, const char *cache,
					     bool *larger, int *id)
{
	const char *wanted = cache;

	*larger = false;
	for (size_t i = 0; i < sizeof(refs_known_types) / sizeof(refs_known_types[0]); i++) {
		if (strcmp(cache, refs_known_types[i].cache))
			continue;
		wanted = refs_known_types[i].type;
		*larger = refs_known_types[i].larger;
	}
	*id = refs_types_named(t, wanted);
	return *id ? btf__type_by_id(t->btf, (unsigned int)*id) : NULL;
}

int refs_types_struct(const struct refs_types *t, const char *cache, uint32_t bytes,
		      const char **name)
{
	bool larger;
	int id;
	const struct btf_type *type = refs_type_said(t, cache, &larger, &id);

	if (!type || (larger ? type->size > bytes : type->size != bytes))
		return 0;
	*name = btf__name_by_offset(t->btf, type->name_off);
	return id;
}

int refs_types_merged(const struct refs_types *t, const char *cache, uint32_t bytes)
{
	bool larger;
	int id;
	const struct btf_type *type = refs_type_said(t, cache, &larger, &id);

	return type && type->size <= bytes ? id : 0;
}

/* Do only the links of a list or a tree matter, not which of them it is? */
static bool refs_type_is_link(const char *name)
{
	static const char *const links[] = {"list_head",        "hlist_node",       "hlist_head",
					    "hlist_bl_node",    "hlist_bl_head",    "llist_node",
					    "hlist_nulls_node", "hlist_nulls_head", "llist_head",
					    "rb_node"};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (!strcmp(name, links[i]))
			return true;
	return false;
}

/* A place inside a type, on the way down to a pointer. */
struct refs_type_place {
	int type;
	uint32_t offset; /* in that type */
};

static const struct btf_type *refs_type_plain(const struct btf *btf, int *id)
{
	const struct btf_type *type = btf__type_by_id(btf, (unsigned int)*id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type))) {
		*id = (int)type->type;
		type = btf__type_by_id(btf, type->type);
	}
	return type;
}

/* The name of a field, as far as it is known. */
struct refs_field_name {
	char text[256];
	size_t len;
	bool link;   /* it is part of a list or a tree */
	bool number; /* it is a number that may hold a pointer */
};

static void refs_name_add(struct refs_field_name *n, const char *word)
{
	bool dot = n->len && word[0] != '[' && word[0];
	int len =
		snprintf(n->text + n->len, sizeof(n->text) - n->len, "%s%s", dot ? "." : "", word);

	n->len += (size_t)len;
	if (n->len >= sizeof(n->text))
		n->len = sizeof(n->text) - 1;
}

static bool refs_name_place(const struct btf *btf, struct refs_type_place at, int depth,
			    struct refs_field_name *name);

static bool refs_name_member(const struct btf *btf, const struct btf_type *type, uint32_t offset,
			     int depth, struct refs_field_name *name)
{
	const struct btf_member *members = btf_members(type);
	size_t len = name->len;

	name->link = refs_type_is_link(btf__name_by_offset(btf, type->name_off));
	if (name->link)
		return true;
	for (uint16_t i = 0; i < btf_vlen(type); i++) {
		uint32_t bits = btf_member_bit_offset(type, i);
		int64_t bytes = btf__resolve_size(btf, members[i].type);
		struct refs_type_place at = {(int)members[i].type, offset - bits / 8};

		if (btf_member_bitfield_size(type, i) || offset < bits / 8 || bytes <= at.offset)
			continue;
		refs_name_add(name, btf__name_by_offset(btf, members[i].name_off));
		if (refs_name_place(btf, at, depth + 1, name))
			return true;
		name->len = len; /* another member of the union may fit */
		name->text[len] = '\0';
	}
	return false;
}

/* Add the name of a place inside a type: nothing if the type itself is what is there. */
static bool refs_name_place(const struct btf *btf, struct refs_type_place at, int depth,
			    struct refs_field_name *name)
{
	const struct btf_type *type = refs_type_plain(btf, &at.type);
	int64_t bytes;

	if (!type || depth > DEEPEST)
		return false;
	/* some pointers are kept as numbers */
	name->number = btf_is_int(type);
	if (btf_is_ptr(type) || (btf_is_int(type) && type->size == sizeof(uint64_t)))
		return at.offset < sizeof(uint64_t);
	if (btf_is_composite(type))
		return refs_name_member(btf, type, at.offset, depth, name);
	if (!btf_is_array(type))
		return false;
	bytes = btf__resolve_size(btf, (int)btf_array(type)->type);
	if (bytes <= 0)
		return false;
	refs_name_add(name, "[]");
	at = (struct refs_type_place){(int)btf_array(type)->type, at.offset % (uint32_t)bytes};
	return refs_name_place(btf, at, depth + 1, name);
}

bool refs_types_field(const struct refs_types *t, int type, uint32_t offset, char *field,
		      size_t size)
{
	struct refs_field_name name = {0};

	if (!t->btf || !refs_name_place(t->btf, (struct refs_type_place){type, offset}, 0, &name))
		return false;
	snprintf(field, size, "%s", name.text);
	return true;
}

bool refs_types_is_pointer(const struct refs_types *t, int type, uint32_t offset)
{
	struct refs_field_name name = {0};

	return t->btf &&
	       refs_name_place(t->btf, (struct refs_type_place){type, offset}, 0, &name) &&
	       !name.link && !name.number;
}

/* ---- offsets ---- */

/* Find the member of that name, also in unnamed structs and unions; its type becomes *id. */
static bool refs_member_find(const struct btf *btf, int *id, const char *name, size_t len,
			     uint32_t *offset)
{
	const struct btf_type *type = refs_type_plain(btf, id);

	if (!type || !btf_is_composite(type))
		return false;
	for (uint16_t i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *m = &btf_members(type)[i];
		const char *own = btf__name_by_offset(btf, m->name_off);
		int inside = (int)m->type;

		if (own[0] ? strlen(own) == len && !memcmp(own, name, len)
			   : refs_member_find(btf, &inside, name, len, offset)) {
			*offset += btf_member_bit_offset(type, i) / 8;
			*id = inside;
			return true;
		}
	}
	return false;
}

/* Go on to element `index` of an array, if the type is one. */
static bool refs_element_find(const struct btf *btf, int *id, const char *index, uint32_t *offset)
{
	const struct btf_type *type = refs_type_plain(btf, id);
	unsigned long nr = strtoul(index, NULL, 10);
	int64_t bytes;

	if (!type || !btf_is_array(type) || nr >= btf_array(type)->nelems)
		return false;
	*id = (int)btf_array(type)->type;
	bytes = btf__resolve_size(btf, *id);
	*offset += bytes > 0 ? (uint32_t)nr * (uint32_t)bytes : 0;
	return bytes > 0;
}

bool refs_types_offset(const struct refs_types *t, const char *type, const char *field,
		       uint32_t *offset)
{
	int id = refs_types_named(t, type);
	uint32_t sum = 0;

	if (!id)
		return false;
	for (const char *end; field[0]; field = end + (*end == '.')) {
		size_t len = strcspn(field, ".[");

		end = strchrnul(field, '.');
		if (!refs_member_find(t->btf, &id, field, len, &sum))
			return false;
		if (field[len] == '[' && !refs_element_find(t->btf, &id, field + len + 1, &sum))
			return false;
	}
	*offset = sum;
	return true;
}

static bool refs_struct_find(const struct btf *btf, int id, const char *name, int depth,
			     uint32_t *offset)
{
	const struct btf_type *type = refs_type_plain(btf, &id);

	if (!type || !btf_is_struct(type) || depth > DEEPEST)
		return false;
	if (!strcmp(btf__name_by_offset(btf, type->name_off), name))
		return true;
	for (uint16_t i = 0; i < btf_vlen(type); i++)
		if (refs_struct_find(btf, (int)btf_members(type)[i].type, name, depth + 1,
				     offset)) {
			*offset += btf_member_bit_offset(type, i) / 8;
			return true;
		}
	return false;
}

bool refs_types_inside(const struct refs_types *t, int type, const char *name, uint32_t *offset)
{
	uint32_t sum = 0;

	if (!t->btf || !refs_struct_find(t->btf, type, name, 0, &sum))
		return false;
	*offset = sum;
	return true;
}
