// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters and limits of /proc/sys and /proc/loadavg that say when something other than memory runs
 * out: threads, process numbers, open files; and how many dentries are negative. Called by
 * snapshot_read(). A snapshot keeps them beside vmstat, under the names of sysctl, which have a
 * dot: no name of vmstat has one.
 */
#include "proc/snapshot.h"

#include <errno.h>
#include <stdio.h>

#include "base/file_read.h"
#include "base/text.h"

#define WORDS_MAX 6

/* The words of a file's first line, by position; NULL: not kept. */
static const struct counter_file {
	const char *path;
	const char *names[WORDS_MAX];
} counter_files[] = {
	/* fs/dcache.c, struct dentry_stat_t; negative ones are counted from 5.0 on, 0 before */
	{"sys/fs/dentry-state",
	 {"fs.dentry-state.nr", "fs.dentry-state.unused", NULL, NULL, "fs.dentry-state.negative"}},
	{"sys/fs/file-nr", {"fs.file-nr", NULL, "fs.file-max"}},
	{"sys/kernel/threads-max", {"kernel.threads-max"}},
	{"sys/kernel/pid_max", {"kernel.pid_max"}},
	{"sys/vm/min_free_kbytes", {"vm.min_free_kbytes"}},
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
	return counter_add(out, "kernel.threads", threads);
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
	return err;
}
