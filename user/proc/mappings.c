// SPDX-License-Identifier: GPL-2.0-only
/* Adds up the kernel memory that processes map: see mappings.h. */
#include "proc/mappings.h"

#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"

#define TIME_MS 500
#define KB_MAX  (INT64_C(1) << 50)

/* "START-END perms offset dev inode name": its size in kB, 0 for none. */
static int64_t map_kb(struct text line)
{
	struct text range, end;
	const char *dash;
	uint64_t from, to;

	if (!text_word(&line, &range))
		return 0;
	dash = memchr(range.p, '-', range.len);
	if (!dash)
		return 0;
	end = (struct text){dash + 1, range.len - (size_t)(dash + 1 - range.p)};
	range.len = (size_t)(dash - range.p);
	if (!text_hex(range, &from) || !text_hex(end, &to) || to <= from)
		return 0;
	return (int64_t)((to - from) >> 10);
}

static void total_add(int64_t *total, int64_t kb)
{
	if (kb > 0 && *total < KB_MAX && kb < KB_MAX)
		*total += kb;
}

void maps_parse(const char *buf, size_t len, struct mapping_totals *t)
{
	struct text rest = {buf, len}, line, name;

	while (text_line(&rest, &line)) {
		struct text all = line;

		if (!text_last_word(&line, &name))
			continue;
		if (text_is(name, "anon_inode:[perf_event]"))
			total_add(&t->perf_kb, map_kb(all));
		else if (text_is(name, "anon_inode:[io_uring]"))
			total_add(&t->uring_kb, map_kb(all));
		else if (text_starts(name, "socket:["))
			total_add(&t->packet_kb, map_kb(all));
	}
}

void pinned_parse(const char *buf, size_t len, int pid, struct mapping_totals *t)
{
	struct text rest = {buf, len}, line, word, name = {"", 0};
	int64_t kb;

	while (text_line(&rest, &line)) {
		if (text_starts(line, "Name:")) {
			text_word(&line, &word);
			text_word(&line, &name);
		}
		if (!text_starts(line, "VmPin:"))
			continue;
		text_word(&line, &word);
		if (!text_word(&line, &word) || !text_count(word, KB_MAX, &kb))
			return;
		total_add(&t->pinned_kb, kb);
		if (kb > t->most_pinned_kb) {
			t->most_pinned_kb = kb;
			snprintf(t->pinned_by, sizeof(t->pinned_by), "%.*s[%d]",
				 name.len < 16 ? (int)name.len : 16, name.p, pid);
		}
		return;
	}
}

static void mappings_process_read(const char *proc_root, int pid, struct mapping_totals *t)
{
	_cleanup_free_ char *status = NULL, *maps = NULL;
	char path[PATH_MAX];
	size_t len;

	snprintf(path, sizeof(path), "%.3000s/%d/status", proc_root, pid);
	if (file_read(path, &status, &len))
		return;
	pinned_parse(status, len, pid, t);
	snprintf(path, sizeof(path), "%.3000s/%d/maps", proc_root, pid);
	if (!file_read(path, &maps, &len))
		maps_parse(maps, len, t);
}

static void mappings_processes_read(const char *proc_root, struct mapping_totals *t)
{
	DIR *dir = opendir(proc_root);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int64_t pid;

		if (text_count(text_of(entry->d_name), INT_MAX, &pid))
			mappings_process_read(proc_root, (int)pid, t);
	}
	if (dir)
		closedir(dir);
}

/* The child: write the totals at once, and end without this program's own exit handlers. */
static void child_run(const char *proc_root, int fd)
{
	struct mapping_totals t = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mappings_processes_read(proc_root, &t);
	_exit(write(fd, &t, sizeof(t)) == (ssize_t)sizeof(t) ? 0 : 1);
}

void mappings_read(const char *proc_root, struct unlisted *out)
{
	_cleanup_close_ int from = -1, to = -1;
	struct mapping_totals t;
	struct pollfd wait = {.events = POLLIN};
	int fds[2];
	pid_t child;

	if (pipe(fds))
		return;
	from = fds[0];
	to = fds[1];
	child = fork();
	if (child < 0)
		return;
	if (!child)
		child_run(proc_root, to);
	wait.fd = from;
	if (poll(&wait, 1, TIME_MS) == 1 && read(from, &t, sizeof(t)) == (ssize_t)sizeof(t)) {
		out->perf_kb = t.perf_kb;
		out->packet_kb = t.packet_kb;
		out->uring_kb = t.uring_kb;
		out->pinned_kb = t.pinned_kb;
		memcpy(out->pinned_by, t.pinned_by, sizeof(out->pinned_by));
	}
	/* Reading can wait for a lock; a fatal signal ends this wait (mmap_read_lock_killable). */
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
