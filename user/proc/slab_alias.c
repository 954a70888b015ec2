// SPDX-License-Identifier: GPL-2.0-only
/*
 * Merged slab caches, from links such as "Acpi-State -> :0000080". There are some 300, so one
 * sorted array is enough.
 */
#include "proc/slab_alias.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/array.h"
#include "base/cleanup.h"

#define LINKS_MAX 65536

struct link {
	char *id; /* ":0000080": size and flags, equal for all caches that share */
	char *name;
};

struct slab_aliases {
	ARRAY_OF(struct link);
	char **names; /* of items, in the same order: equal ids side by side */
};

void slab_aliases_free(struct slab_aliases *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->nr; i++) {
		free(set->items[i].id);
		free(set->items[i].name);
	}
	ARRAY_FREE(set);
	free(set->names);
	free(set);
}

static void slab_aliases_cleanup(struct slab_aliases **set)
{
	slab_aliases_free(*set);
}

/* Add `name` if it is a link to a merged cache; ignore anything else. Returns 0 or −ENOMEM. */
static int link_add(struct slab_aliases *set, int dir_fd, const char *name)
{
	char target[PATH_MAX], *id;
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);
	struct link *link;

	if (n < 0)
		return 0;
	target[n] = '\0';
	id = strrchr(target, '/');
	id = id ? id + 1 : target;
	if (*id != ':' || set->nr == LINKS_MAX)
		return 0;
	link = ARRAY_PUSH(set);
	if (!link)
		return -ENOMEM;
	link->id = strdup(id);
	link->name = strdup(name);
	return link->id && link->name ? 0 : -ENOMEM;
}

static int link_cmp(const void *a, const void *b)
{
	const struct link *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	return order ? order : strcmp(x->name, y->name);
}

int slab_aliases_load(const char *sys_root, struct slab_aliases **out)
{
	_cleanup_(slab_aliases_cleanup) struct slab_aliases *set = NULL;
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/kernel/slab", sys_root) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	dir = opendir(path);
	if (!dir)
		return -errno;
	set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN)
			if (link_add(set, dirfd(dir), entry->d_name))
				return -ENOMEM;

	if (set->nr)
		qsort(set->items, set->nr, sizeof(*set->items), link_cmp);
	set->names = calloc(set->nr + 1, sizeof(*set->names));
	if (!set->names)
		return -ENOMEM;
	for (size_t i = 0; i < set->nr; i++)
		set->names[i] = set->items[i].name;
	*out = TAKE_PTR(set);
	return 0;
}

const char *const *slab_aliases_of(const struct slab_aliases *set, const char *name, size_t *nr)
{
	size_t total = set ? set->nr : 0, at, first, end;

	*nr = 0;
	for (at = 0; at < total && strcmp(set->names[at], name); at++)
		;
	if (at == total)
		return NULL;
	for (first = at; first && !strcmp(set->items[first - 1].id, set->items[at].id); first--)
		;
	for (end = at + 1; end < total && !strcmp(set->items[end].id, set->items[at].id); end++)
		;
	*nr = end - first;
	return (const char *const *)set->names + first;
}
