// SPDX-License-Identifier: GPL-2.0-only
/* Reads copies of /proc: see proc_copy.h. Everything in them is other people's bytes. */
#include "proc_copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/log.h"
#include "base/text.h"
#include "model/believable.h"
#include "proc/snapshot.h"

#define CPUS_MAX 65536

bool proc_copy_is(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* No MemTotal: name the first line that could not be read, because that is likely the reason. */
static int refuse_copy(const char *dir, const struct input_report *report)
{
	for (size_t i = 0; i < report->nr; i++)
		if (!strcmp(report->items[i].file, "meminfo") &&
		    report->items[i].fault == INPUT_REFUSED)
			return log_error(
				EINVAL,
				"%s/meminfo has no MemTotal line that can be read; line %zu, '%s': %s. "
				"Copy the file as the kernel prints it: cat /proc/meminfo > meminfo",
				dir, report->items[i].number, report->items[i].text,
				report->items[i].why);
	return log_error(EINVAL,
			 "%s/meminfo has no MemTotal line. Copy the file as the kernel prints it: "
			 "cat /proc/meminfo > meminfo",
			 dir);
}

int proc_copy_read(const char *dir, struct input_report *report, struct snapshot *out)
{
	_cleanup_(snapshot_free) struct snapshot s = {0};
	int err = snapshot_read_copy(dir, SNAPSHOT_ALL, report, &s);

	if (err)
		return log_error(-err, "cannot read %s/meminfo: %s%s", dir, file_why(-err),
				 err == -ENOENT ? " (a directory must contain copies of "
						  "/proc/meminfo and others)"
						: "");
	if (named_value_get(&s.meminfo, "MemTotal", 0) <= 0)
		return refuse_copy(dir, report);
	*out = s;
	s = (struct snapshot){0};
	return 0;
}

/* ---- as a capture ---- */

static int meta_put(struct capture *c, const char *key, const char *value)
{
	struct cap_meta *m;

	if (!value[0])
		return 0;
	m = ARRAY_PUSH(&c->meta);
	if (!m)
		return -ENOMEM;
	m->key = strdup(key);
	m->value = strdup(value);
	return m->key && m->value ? 0 : -ENOMEM;
}

static int meta_line(struct capture *c, const char *key, const char *dir, const char *name)
{
	char line[256];

	(void)file_read_line(dir, name, line, sizeof(line));
	return meta_put(c, key, line);
}

/* "Linux version 6.12.9-amd64 (…) …", where there is no sys/kernel/osrelease. */
static int meta_release(struct capture *c, const char *dir)
{
	char line[256];
	struct text rest, word;

	if (!file_read_line(dir, "sys/kernel/osrelease", line, sizeof(line)))
		return meta_put(c, META_RELEASE, line);
	(void)file_read_line(dir, "version", line, sizeof(line));
	rest = text_of(line);
	if (!text_word(&rest, &word) || !text_is(word, "Linux") || !text_word(&rest, &word) ||
	    !text_is(word, "version") || !text_word(&rest, &word))
		return 0;
	line[word.p + word.len - line] = '\0';
	return meta_put(c, META_RELEASE, word.p);
}

/* CPUs by the per-CPU lists in zoneinfo, "    cpu: 3"; 0 where there are none. */
static int64_t cpus_count(const char *dir)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, line, word;
	char path[PATH_MAX];
	int64_t cpu, count = 0;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/zoneinfo", dir) >= (int)sizeof(path) ||
	    file_read(path, &buf, &len))
		return 0;
	rest = (struct text){buf, len};
	while (text_line(&rest, &line))
		if (text_word(&line, &word) && text_is(word, "cpu:") && text_word(&line, &word) &&
		    text_count(word, CPUS_MAX, &cpu) && cpu >= count)
			count = cpu + 1;
	return count;
}

static int meta_fill(struct capture *c, const char *dir, const struct snapshot *s)
{
	const char *source = NULL;
	double page_bytes = beliefs_page_bytes(s, (double)sysconf(_SC_PAGESIZE), &source);
	char number[32];
	int64_t cpus = cpus_count(dir);
	int err = meta_put(c, META_COPY, dir);

	snprintf(number, sizeof(number), "%.0f", page_bytes);
	err = err ?: meta_put(c, META_PAGE_SIZE, number);
	snprintf(number, sizeof(number), "%" PRId64, cpus);
	if (cpus)
		err = err ?: meta_put(c, META_CPUS, number);
	err = err ?: meta_release(c, dir);
	err = err ?: meta_line(c, META_HOST, dir, "sys/kernel/hostname");
	err = err ?: meta_line(c, META_ARCH, dir, "sys/kernel/arch");
	return err ?: meta_line(c, META_BOOT_ID, dir, "sys/kernel/random/boot_id");
}

/* Row 0 of each table, as the capture reader makes it. */
static int rows_empty(struct capture *c)
{
	c->frames = calloc(1, sizeof(*c->frames));
	c->stacks = calloc(1, sizeof(*c->stacks));
	c->caches = calloc(1, sizeof(*c->caches));
	c->processes = calloc(1, sizeof(*c->processes));
	c->cgroups = calloc(1, sizeof(*c->cgroups));
	if (!c->frames || !c->stacks || !c->caches || !c->processes || !c->cgroups)
		return -ENOMEM;
	c->nr_frames = c->nr_stacks = c->nr_caches = c->nr_processes = c->nr_cgroups = 1;
	c->frames->symbol = strdup("");
	c->frames->module = strdup("");
	c->frames->build_id = strdup("");
	c->caches->name = strdup("");
	c->processes->comm = strdup("");
	c->processes->cmdline = strdup("");
	c->cgroups[0] = strdup("");
	return c->frames->symbol && c->frames->module && c->frames->build_id && c->caches->name &&
			       c->processes->comm && c->processes->cmdline && c->cgroups[0]
		       ? 0
		       : -ENOMEM;
}

static void warn_of_lines(const char *dir, const struct input_report *report)
{
	for (size_t i = 0; i < report->nr; i++)
		if (report->items[i].fault == INPUT_REFUSED)
			log_warn("%s/%s, line %zu is left out: '%s': %s", dir,
				 report->items[i].file, report->items[i].number,
				 report->items[i].text, report->items[i].why);
}

int proc_copy_capture(const char *dir, struct capture **out)
{
	_cleanup_(input_report_free) struct input_report report = {0};
	_cleanup_capture_ struct capture *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return log_error(ENOMEM, "cannot read %s: not enough memory", dir);
	c->snapshots = calloc(1, sizeof(*c->snapshots));
	if (!c->snapshots)
		return log_error(ENOMEM, "cannot read %s: not enough memory", dir);
	err = proc_copy_read(dir, &report, c->snapshots);
	if (err)
		return err;
	c->nr_snapshots = c->nr_snapshots_stored = 1;
	c->complete = true;
	warn_of_lines(dir, &report);
	err = rows_empty(c) ?: meta_fill(c, dir, c->snapshots);
	if (err)
		return log_error(-err, "cannot read %s: not enough memory", dir);
	*out = TAKE_PTR(c);
	return 0;
}
