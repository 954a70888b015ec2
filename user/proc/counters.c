// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters and limits of /proc/sys, /proc/loadavg, /proc/net and /proc/key-users. Some say when
 * something other than memory runs out: threads, process numbers, open files. The others are the
 * kernel's own counts of what slab caches hold: inodes, dentries, sockets, keys, tracked
 * connections (findings/witness.c). Called by snapshot_read(). A snapshot keeps them beside vmstat,
 * under the names of sysctl, which have a dot: no name of vmstat has one. Formats: fs/file_table.c
 * and fs/dcache.c proc_nr_*(), net/ipv4/proc.c sockstat_seq_show(), net/ipv6/proc.c
 * sockstat6_seq_show(), security/keys/proc.c proc_key_users_show().
 */
#include "proc/snapshot.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"
#include "data/counter.h"

#define WORDS_MAX 6

/* The words of a file's first line, by position; NULL: not kept. */
static const struct counter_file {
	const char *path;
	const char *names[WORDS_MAX];
} counter_files[] = {
	/* fs/dcache.c, struct dentry_stat_t; negative ones are counted from 5.0 on, 0 before */
	{"sys/fs/dentry-state",
	 {COUNTER_DENTRIES, COUNTER_DENTRIES_UNUSED, NULL, NULL, COUNTER_DENTRIES_NEGATIVE}},
	{"sys/fs/file-nr", {COUNTER_FILES, NULL, COUNTER_FILES_MAX}},
	{"sys/fs/inode-nr", {COUNTER_INODES, COUNTER_INODES_UNUSED}},
	{"sys/kernel/threads-max", {COUNTER_THREADS_MAX}},
	{"sys/kernel/pid_max", {COUNTER_PID_MAX}},
	{"sys/net/netfilter/nf_conntrack_count", {COUNTER_CONNECTIONS}},
	{"sys/net/netfilter/nf_conntrack_max", {COUNTER_CONNECTIONS_MAX}},
	{"sys/vm/min_free_kbytes", {"vm.min_free_kbytes"}},
};

static const struct {
	const char *line, *field, *name;
} socket_fields[] = {
	{"sockets:", "used", COUNTER_SOCKETS},       {"TCP:", "inuse", COUNTER_TCP_IN_USE},
	{"TCP:", "orphan", COUNTER_TCP_ORPHANS},     {"TCP:", "tw", COUNTER_TCP_TIME_WAIT},
	{"TCP:", "alloc", COUNTER_TCP_ALLOCATED},    {"TCP:", "mem", COUNTER_TCP_PAGES},
	{"UDP:", "inuse", COUNTER_UDP_IN_USE},       {"UDP:", "mem", COUNTER_UDP_PAGES},
	{"FRAG:", "memory", COUNTER_FRAGMENT_BYTES}, {"TCP6:", "inuse", COUNTER_TCP6_IN_USE},
	{"UDP6:", "inuse", COUNTER_UDP6_IN_USE},     {"FRAG6:", "memory", COUNTER_FRAGMENT6_BYTES},
};

static int counter_add(struct named_values *out, const char *name, int64_t value)
{
	struct named_value *v = ARRAY_PUSH(out);

	if (!v)
		return -ENOMEM;
	text_copy(text_of(name), v->name, sizeof(v->name));
	v->value = value;
	return 0;
}

int counters_line_parse(const char *line, const char *const names[], size_t nr,
			struct named_values *out)
{
	struct text rest = text_of(line), word;

	for (size_t i = 0; i < nr && text_word(&rest, &word); i++) {
		int64_t value;

		if (!names[i] || !text_count(word, INT64_MAX, &value))
			continue;
		if (counter_add(out, names[i], value))
			return -ENOMEM;
	}
	return 0;
}

int loadavg_parse(const char *line, struct named_values *out)
{
	const char *slash = strchr(line, '/');
	struct text rest = text_of(slash ? slash + 1 : ""), word;
	int64_t threads;

	/* "0.00 0.01 0.05 1/123 4567": the second of the pair counts all threads */
	if (!text_word(&rest, &word) || !text_count(word, INT32_MAX, &threads))
		return 0;
	return counter_add(out, COUNTER_THREADS, threads);
}

/* The counters of one line, "TCP: inuse 7 orphan 0 tw 2 alloc 9 mem 1". */
static int socket_line(struct text head, struct text line, struct named_values *out)
{
	struct text field, number;

	while (text_word(&line, &field)) {
		int64_t value;

		if (!text_word(&line, &number) || !text_count(number, INT64_MAX, &value))
			return 0;
		for (size_t i = 0; i < sizeof(socket_fields) / sizeof(socket_fields[0]); i++)
			if (text_is(head, socket_fields[i].line) &&
			    text_is(field, socket_fields[i].field) &&
			    counter_add(out, socket_fields[i].name, value))
				return -ENOMEM;
	}
	return 0;
}

int sockstat_counters_parse(const char *buf, size_t len, struct named_values *out)
{
	struct text rest = {buf, len}, line, head;
	int err = 0;

	while (!err && text_line(&rest, &line))
		if (text_word(&line, &head))
			err = socket_line(head, line, out);
	return err;
}

/*
 * "    0:    57 56/56 44/1000000 950/25000000": a user; before the slash of the third word, the
 * number of its keys.
 */
static bool key_user_line(struct text line, int64_t *keys)
{
	struct text word;
	const char *slash;

	if (!text_word(&line, &word) || word.p[word.len - 1] != ':' || !text_word(&line, &word) ||
	    !text_word(&line, &word))
		return false;
	slash = memchr(word.p, '/', word.len);
	return slash &&
	       text_count((struct text){word.p, (size_t)(slash - word.p)}, INT32_MAX, keys);
}

int key_users_parse(const char *buf, size_t len, struct named_values *out)
{
	struct text rest = {buf, len}, line;
	int64_t keys, sum = 0, users = 0;

	while (text_line(&rest, &line)) {
		if (!key_user_line(line, &keys))
			continue;
		sum += keys;
		users++;
	}
	return users ? counter_add(out, COUNTER_KEYS, sum) : 0;
}

/* Files of more than one line. */
static const struct {
	const char *path;
	int (*parse)(const char *buf, size_t len, struct named_values *out);
} line_files[] = {
	{"net/sockstat", sockstat_counters_parse},
	{"net/sockstat6", sockstat_counters_parse},
	{"key-users", key_users_parse},
};

static int lines_read(const char *root, size_t i, struct named_values *out)
{
	_cleanup_free_ char *buf = NULL;
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/%s", root, line_files[i].path) >= (int)sizeof(path) ||
	    file_read(path, &buf, &len))
		return 0;
	return line_files[i].parse(buf, len, out);
}

int counters_read(const char *root, struct named_values *out)
{
	char line[256];
	int err = 0;

	for (size_t i = 0; i < sizeof(counter_files) / sizeof(counter_files[0]) && !err; i++)
		if (!file_read_line(root, counter_files[i].path, line, sizeof(line)))
			err = counters_line_parse(line, counter_files[i].names, WORDS_MAX, out);
	if (!err && !file_read_line(root, "loadavg", line, sizeof(line)))
		err = loadavg_parse(line, out);
	for (size_t i = 0; i < sizeof(line_files) / sizeof(line_files[0]) && !err; i++)
		err = lines_read(root, i, out);
	return err;
}
