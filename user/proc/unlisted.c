// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the counters of memory outside /proc/meminfo; see unlisted.h. Formats: net/ipv4/proc.c
 * sockstat_seq_show(), kernel/trace/trace.c tracing_total_entries_read(), mm/percpu.c
 * pcpu_embed_first_chunk().
 */
#include "proc/unlisted.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"
#include "proc/host.h"

#define VALUE_MAX    (INT64_C(1) << 40)
#define READ_ALL     3  /* klogctl: SYSLOG_ACTION_READ_ALL */
#define BUFFER_SIZE  10 /* klogctl: SYSLOG_ACTION_SIZE_BUFFER */
#define MESSAGES_MAX (16 << 20)

/* The number after the word `name` of a line. */
static bool value_after(struct text line, const char *name, int64_t *out)
{
	struct text word;

	while (text_word(&line, &word))
		if (text_is(word, name))
			return text_word(&line, &word) && text_count(word, VALUE_MAX, out);
	return false;
}

void sockstat_parse(const char *buf, size_t len, struct unlisted *out)
{
	struct text rest = {buf, len}, line;
	int64_t value;

	while (text_line(&rest, &line)) {
		if (text_starts(line, "TCP:") || text_starts(line, "UDP:")) {
			if (value_after(line, "mem", &value))
				out->socket_pages =
					(out->socket_pages > 0 ? out->socket_pages : 0) + value;
		} else if (text_starts(line, "FRAG:") && value_after(line, "memory", &value)) {
			out->fragment_bytes = value;
		}
	}
}

/* "percpu: Embedded 53 pages/cpu s185560 r0 d31528 u1048576" */
void boot_messages_parse(const char *buf, size_t len, struct unlisted *out)
{
	static const char mark[] = "percpu: Embedded ";
	struct text rest = {buf, len}, line, word;
	const char *at;

	while (text_line(&rest, &line)) {
		at = text_find(line, mark);
		if (!at)
			continue;
		line.len -= (size_t)(at - line.p) + strlen(mark);
		line.p = at + strlen(mark);
		if (text_word(&line, &word) &&
		    text_count(word, VALUE_MAX, &out->percpu_first_pages))
			return;
	}
}

static int read_under(const char *root, const char *name, char **buf, size_t *len)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", root, name) >= (int)sizeof(path))
		return -1;
	return file_read(path, buf, len);
}

static void trace_read(const char *sys_root, struct unlisted *out)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, word;
	size_t len;

	if (read_under(sys_root, "kernel/tracing/buffer_total_size_kb", &buf, &len))
		return;
	rest = (struct text){buf, strcspn(buf, "\n")};
	if (text_word(&rest, &word)) /* "14 (expanded: 2816)" while it is not in use */
		text_count(word, VALUE_MAX, &out->trace_kb);
}

/* The kernel's messages: only the running kernel has them, and they may have been overwritten. */
static void messages_read(struct unlisted *out)
{
	int size = klogctl(BUFFER_SIZE, NULL, 0);
	_cleanup_free_ char *buf = NULL;

	if (size <= 0 || size > MESSAGES_MAX)
		return;
	buf = malloc((size_t)size);
	if (!buf)
		return;
	size = klogctl(READ_ALL, buf, size);
	if (size > 0)
		boot_messages_parse(buf, (size_t)size, out);
}

/* Multiply one CPU's part by the number of CPUs. */
static void percpu_multiply(const char *sys_root, struct unlisted *out)
{
	char list[256], dir[PATH_MAX];
	int cpus = -1;

	if (snprintf(dir, sizeof(dir), "%s/devices/system/cpu", sys_root) < (int)sizeof(dir) &&
	    !file_read_line(dir, "possible", list, sizeof(list)))
		cpus = cpu_list_count(list);
	out->percpu_first_pages =
		cpus > 0 && out->percpu_first_pages > 0 ? out->percpu_first_pages * cpus : -1;
}

void unlisted_read(const char *proc_root, const char *sys_root, struct unlisted *out)
{
	_cleanup_free_ char *buf = NULL;
	size_t len;

	*out = UNLISTED_NONE;
	if (!read_under(proc_root, "net/sockstat", &buf, &len))
		sockstat_parse(buf, len, out);
	trace_read(sys_root, out);
	if (!strcmp(proc_root, "/proc"))
		messages_read(out);
	percpu_multiply(sys_root, out);
}
