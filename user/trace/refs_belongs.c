// SPDX-License-Identifier: GPL-2.0-only
/* The table of pointers from parts to wholes: see refs_belongs.h. */
#include "trace/refs_belongs.h"

#include <stddef.h>
#include <string.h>

/* In this order: the first that leads to a holder counts. Names of several kernels. */
static const struct refs_belongs rows[] = {
	/* sockets: of an open file, or at least of a network namespace */
	{.type = "socket", .field = "file", .to = "file"},
	{.type = "sock", .field = "sk_socket", .to = "socket"},
	{.type = "sk_buff", .field = "sk", .to = "sock"},
	{.type = "sock_common", .field = "skc_net.net", .to = "net"},
	{.type = "nf_conn", .field = "ct_net.net", .to = "net"},
	/* what watches open files: of the file that watches, not of the one that is watched */
	{.type = "epitem", .field = "ep", .to = "eventpoll"},
	{.type = "epitem", .field = "ffd.file"},
	{.type = "eppoll_entry", .field = "base", .to = "epitem"},
	{.type = "eppoll_entry", .field = "whead"},
	{.type = "fsnotify_mark", .field = "group", .to = "fsnotify_group"},
	{.type = "fasync_struct", .field = "fa_file", .to = "file"},
	{.type = "file_lock", .field = "c.flc_file", .to = "file"}, /* 6.9 and later */
	{.type = "file_lease", .field = "c.flc_file", .to = "file"},
	{.type = "file_lock", .field = "fl_file", .to = "file"},
	{.type = "io_kiocb", .field = "ctx", .to = "io_ring_ctx"},
	{.type = "kioctx", .field = "mm", .to = "mm_struct"},
	/* of a process */
	{.type = "k_itimer", .field = "it_signal", .to = "signal_struct"},
	{.type = "vm_area_struct", .field = "vm_mm", .to = "mm_struct"},
	{.type = "anon_vma_chain", .field = "vma", .to = "vm_area_struct"},
	{.type = "maple_node", .field = "parent", .to = "maple_node", .tags = 0xff, .tag = 0},
	{.type = "maple_node",
	 .field = "parent",
	 .to = "mm_struct",
	 .inside = "mm_mt",
	 .tags = 3,
	 .tag = 1},
	{.type = "pid", .field = "tasks"},
	/* of a user: keys count against a quota */
	{.type = "key", .field = "user", .to = "key_user"},
	/* a namespace that is open has an entry in nsfs; from 6.9 on, this is a pointer */
	{.type = "ns_common", .field = "stashed", .to = "dentry"},
	/* of a file system */
	{.type = "mount", .field = "mnt_ns", .to = "mnt_namespace"},
	{.type = "dentry", .field = "d_sb", .to = "super_block"},
	{.type = "inode", .field = "i_sb", .to = "super_block"},
	{.type = "xa_node",
	 .field = "array",
	 .to = "inode",
	 .inside = "i_data.i_pages"}, /* of the page cache; a super block is checked */
	/* System V semaphores, message queues and shared memory; a namespace is checked, too */
	{.type = "xa_node",
	 .field = "array",
	 .to = "ipc_namespace",
	 .inside = "ids[0].ipcs_idr.idr_rt"},
	{.type = "xa_node",
	 .field = "array",
	 .to = "ipc_namespace",
	 .inside = "ids[1].ipcs_idr.idr_rt"},
	{.type = "xa_node",
	 .field = "array",
	 .to = "ipc_namespace",
	 .inside = "ids[2].ipcs_idr.idr_rt"},
	{.type = "buffer_head", .field = "b_assoc_map"},
	{.type = "jbd2_inode", .field = "i_vfs_inode", .to = "inode"},
};

void refs_belongs_load(const struct refs_types *types, struct refs_belongs_table *out)
{
	_Static_assert(sizeof(rows) / sizeof(rows[0]) <= REFS_BELONGS_MOST, "table too small");

	*out = (struct refs_belongs_table){.types = types};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct refs_belongs row = rows[i];

		if (!refs_types_offset(types, row.type, row.field, &row.offset))
			continue;
		if (row.inside && !refs_types_offset(types, row.to, row.inside, &row.inside_offset))
			continue;
		out->rows[out->nr++] = row;
	}
}

void refs_belongs_free(struct refs_belongs_table *t)
{
	ARRAY_FREE(&t->known);
}

const struct refs_belongs_type *refs_belongs_of(struct refs_belongs_table *t, int type)
{
	struct refs_belongs_type *known;

	for (size_t i = 0; i < t->known.nr; i++)
		if (t->known.items[i].type == type)
			return &t->known.items[i];
	known = ARRAY_PUSH(&t->known);
	if (!known)
		return NULL;
	known->type = type;
	for (uint32_t i = 0; i < t->nr; i++) {
		uint32_t inside;

		known->at[i] = -1;
		if (refs_types_inside(t->types, type, t->rows[i].type, &inside))
			known->at[i] = (int32_t)(inside + t->rows[i].offset);
	}
	return known;
}

bool refs_belongs_is_up(struct refs_belongs_table *t, int type, uint32_t offset)
{
	const struct refs_belongs_type *known = refs_belongs_of(t, type);

	for (uint32_t i = 0; known && i < t->nr; i++)
		if (known->at[i] >= 0 && (uint32_t)known->at[i] == offset)
			return true;
	return false;
}

bool refs_belongs_holds(const char *type, const char *field)
{
	static const char *const holds[][2] = {
		{"sk_buff", "head"},           {"files_struct", "fdt"},
		{"vm_area_struct", "vm_file"}, {"mm_struct", "exe_file"},
		{"socket_alloc", "socket.sk"}, {"cred", "user"},
		{"task_struct", "cred"},       {"dentry", "d_inode"},
	};

	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++)
		if (!strcmp(holds[i][0], type) && !strcmp(holds[i][1], field))
			return true;
	return false;
}
