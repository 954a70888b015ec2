// SPDX-License-Identifier: GPL-2.0-only
/* Names of what refs.h lists, as JSON and captures have them. */
#include "data/refs.h"

#include <errno.h>
#include <string.h>

static const char *const control_names[REFS_CONTROLS] = {
	[REFS_CONTROL_NONE] = "",
	[REFS_CONTROL_YOUNG] = "young",
	[REFS_CONTROL_PATHS] = "other_paths",
	[REFS_CONTROL_OTHER] = "other_caches",
};

static const char *const holder_names[REFS_HOLDER_KINDS] = {
	[REFS_HOLDER_FILE_TABLE] = "file_table",
	[REFS_HOLDER_PROCESS] = "process",
	[REFS_HOLDER_SUPER_BLOCK] = "super_block",
	[REFS_HOLDER_NET_NAMESPACE] = "net_namespace",
	[REFS_HOLDER_MNT_NAMESPACE] = "mount_namespace",
	[REFS_HOLDER_IPC_NAMESPACE] = "ipc_namespace",
	[REFS_HOLDER_USER] = "user",
};

/* The number of a name among `nr`; −EINVAL: it is none of them. */
static int name_find(const char *const *names, int nr, const char *name)
{
	for (int i = 0; i < nr; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -EINVAL;
}

const char *refs_control_name(enum refs_control control)
{
	return control_names[control];
}

int refs_control_parse(const char *name, enum refs_control *out)
{
	int i = name_find(control_names, REFS_CONTROLS, name);

	if (i < 0)
		return i;
	*out = (enum refs_control)i;
	return 0;
}

const char *refs_holder_kind_name(enum refs_holder_kind kind)
{
	return holder_names[kind];
}

int refs_holder_kind_parse(const char *name, enum refs_holder_kind *out)
{
	int i = name_find(holder_names, REFS_HOLDER_KINDS, name);

	if (i < 0)
		return i;
	*out = (enum refs_holder_kind)i;
	return 0;
}
