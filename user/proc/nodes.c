// SPDX-License-Identifier: GPL-2.0-only
/* Reads what the kernel says of each NUMA node: see nodes.h, and drivers/base/node.c. */
#include "proc/nodes.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"
#include "proc/host.h"

#define VALUE_MAX (INT64_MAX >> 10)

static int node_add(struct node_levels *out, int node, struct text name, int64_t value)
{
	struct node_level *l = ARRAY_PUSH(out);

	if (!l)
		return -ENOMEM;
	l->node = node;
	text_copy(name, l->name, sizeof(l->name));
	l->value = value;
	return 0;
}

/* Split "Node 0 MemTotal:   4 kB". */
static bool node_line(struct text line, int node, struct text *name, int64_t *value)
{
	struct text word, number;
	int64_t id;

	if (!text_word(&line, &word) || !text_is(word, "Node") || !text_word(&line, &word) ||
	    !text_count(word, INT_MAX, &id) || id != node || !text_word(&line, name) ||
	    name->len < 2 || name->p[name->len - 1] != ':' || !text_word(&line, &number))
		return false;
	name->len--;
	return text_count(number, VALUE_MAX, value);
}

int node_meminfo_parse(const char *buf, size_t len, int node, struct node_levels *out)
{
	struct text rest = {buf, len}, line, name;
	int64_t value;

	while (text_line(&rest, &line))
		if (node_line(line, node, &name, &value) && node_add(out, node, name, value))
			return -ENOMEM;
	return 0;
}

static int read_below(const char *root, int node, const char *name, char **buf, size_t *len)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/devices/system/node/node%d/%s", root, node, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return file_read(path, buf, len);
}

/* Compressed pages: only the node's vmstat has them. The unit is pages. */
static int zspages_read(const char *root, int node, struct node_levels *out)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, line, word;
	int64_t value;
	size_t len;

	if (read_below(root, node, "vmstat", &buf, &len))
		return 0;
	rest = (struct text){buf, len};
	while (text_line(&rest, &line))
		if (text_word(&line, &word) && text_is(word, "nr_zspages") &&
		    text_word(&line, &word) && text_count(word, VALUE_MAX, &value))
			return node_add(out, node, text_of(NODE_ZSPAGES), value);
	return 0;
}

static int node_read(const char *root, int node, const struct snapshot *s, struct node_levels *out)
{
	_cleanup_free_ char *buf = NULL;
	char dir[PATH_MAX], list[4096];
	int cpus = 0, err = 0;
	size_t len;

	if (read_below(root, node, "meminfo", &buf, &len))
		return 0;
	if (snprintf(dir, sizeof(dir), "%s/devices/system/node/node%d", root, node) <
		    (int)sizeof(dir) &&
	    !file_read_line(dir, "cpulist", list, sizeof(list)))
		cpus = cpu_list_count(list);
	err = node_meminfo_parse(buf, len, node, out);
	err = err ?: zspages_read(root, node, out);
	if (node < NODES_MAX && s->vmallocs.nr)
		err = err
			      ?: node_add(out, node, text_of(NODE_VMALLOC),
					  s->vmallocs.node_pages[node]);
	return err ?: node_add(out, node, text_of(NODE_CPUS), cpus > 0 ? cpus : 0);
}

int nodes_read(const char *sys_root, struct snapshot *s)
{
	struct node_levels nodes = {0};
	int err = 0, seen = 0;

	for (int node = 0; node < NODES_MAX && !err; node++) {
		size_t before = nodes.nr;

		err = node_read(sys_root, node, s, &nodes);
		seen += nodes.nr > before;
	}
	if (err || seen < 2)
		ARRAY_FREE(&nodes);
	s->nodes = nodes;
	return err;
}
