// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes one snapshot of the kernel's own levels: which file is read for which part, and what
 * happens if it cannot be read. `record` calls this at the start, every second and at the end. See
 * snapshot.h.
 */
#include "proc/snapshot.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file_read.h"
#include "proc/foreign.h"

static int parse_meminfo(const char *buf, size_t len, struct snapshot *s)
{
	return meminfo_parse(buf, len, &s->meminfo);
}

static int parse_vmstat(const char *buf, size_t len, struct snapshot *s)
{
	return vmstat_parse(buf, len, &s->vmstat);
}

static int parse_slabinfo(const char *buf, size_t len, struct snapshot *s)
{
	return slabinfo_parse(buf, len, &s->slabs);
}

static int parse_zoneinfo(const char *buf, size_t len, struct snapshot *s)
{
	return zoneinfo_parse(buf, len, &s->zones);
}

static int parse_vmallocinfo(const char *buf, size_t len, struct snapshot *s)
{
	return vmallocinfo_parse(buf, len, &s->vmallocs);
}

/* The lines of a file that its parser does not take. */
#define BAD_LINES_OF(name, type)                                    \
	static size_t bad_lines_##name(const char *buf, size_t len) \
	{                                                           \
		struct type v;                                      \
		size_t bad;                                         \
                                                                    \
		if (name##_parse(buf, len, &v))                     \
			return 0;                                   \
		bad = v.bad_lines;                                  \
		ARRAY_FREE(&v);                                     \
		return bad;                                         \
	}

BAD_LINES_OF(meminfo, named_values)
BAD_LINES_OF(vmstat, named_values)
BAD_LINES_OF(slabinfo, slab_levels)
BAD_LINES_OF(zoneinfo, zone_levels)
BAD_LINES_OF(vmallocinfo, vmalloc_levels)

/* In reading order: slabinfo beside meminfo, because their sums are compared. */
static const struct {
	enum snapshot_parts part;
	const char *name;
	int (*parse)(const char *buf, size_t len, struct snapshot *s);
	enum foreign_file foreign;
	size_t (*bad_lines)(const char *buf, size_t len);
} files[] = {
	{SNAPSHOT_MEMINFO, "meminfo", parse_meminfo, FOREIGN_MEMINFO, bad_lines_meminfo},
	{SNAPSHOT_SLABINFO, "slabinfo", parse_slabinfo, FOREIGN_SLABINFO, bad_lines_slabinfo},
	{SNAPSHOT_VMSTAT, "vmstat", parse_vmstat, FOREIGN_VMSTAT, bad_lines_vmstat},
	{SNAPSHOT_ZONEINFO, "zoneinfo", parse_zoneinfo, FOREIGN_ZONEINFO, bad_lines_zoneinfo},
	{SNAPSHOT_VMALLOCINFO, "vmallocinfo", parse_vmallocinfo, FOREIGN_VMALLOCINFO,
	 bad_lines_vmallocinfo},
};

static int path_of(const char *root, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", root, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int read_path(const char *root, const char *name, char **buf, size_t *len)
{
	char path[PATH_MAX];

	return path_of(root, name, path) ?: file_read(path, buf, len);
}

static int read_vmallocinfo(const char *root, struct snapshot *s)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int err = path_of(root, "vmallocinfo", path);

	if (err)
		return err;
	fd = file_open(path);
	return fd < 0 ? fd : vmallocinfo_read(fd, &s->vmallocs);
}

/* Reading the file has the effect; it is empty, and older kernels return EINVAL. */
void snapshot_refresh(const char *root)
{
	_cleanup_free_ char *buf = NULL;
	size_t len;

	(void)read_path(root, "sys/vm/stat_refresh", &buf, &len);
}

/* Put a copy right, and parse it. */
static int parse_copy(size_t i, const char *buf, size_t len, struct input_report *report,
		      struct snapshot *s)
{
	_cleanup_(foreign_text_free) struct foreign_text text = {0};
	int err = foreign_clean(files[i].foreign, buf, len, report, &text);

	if (!err)
		err = foreign_report(files[i].foreign, &text, files[i].bad_lines, report);
	return err ?: files[i].parse(text.buf, text.len, s);
}

/* Read and parse file number i; `report` is NULL for the kernel's own. */
static int read_part(const char *root, size_t i, struct input_report *report, struct snapshot *s)
{
	_cleanup_free_ char *buf = NULL;
	size_t len = 0;
	int err;

	/* Piece by piece: it can be very long. */
	if (!report && files[i].part == SNAPSHOT_VMALLOCINFO)
		return read_vmallocinfo(root, s);
	err = read_path(root, files[i].name, &buf, &len);
	if (err)
		return err;
	return report ? parse_copy(i, buf, len, report, s) : files[i].parse(buf, len, s);
}

static int files_read(const char *root, unsigned int parts, struct input_report *report,
		      struct snapshot *s)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int err = parts & files[i].part ? read_part(root, i, report, s) : 0;

		if (err == -ENOMEM || (err && files[i].part == SNAPSHOT_MEMINFO))
			return err;
	}
	return parts & SNAPSHOT_COUNTERS && counters_read(root, &s->vmstat) ? -ENOMEM : 0;
}

int snapshot_read(const char *root, unsigned int parts, struct snapshot *out)
{
	_cleanup_(snapshot_free) struct snapshot s = {0};
	int err;

	if (!(parts & SNAPSHOT_REFRESHED))
		snapshot_refresh(root);
	s.wall_s = clock_wall_s();
	err = files_read(root, parts, NULL, &s);
	if (err)
		return err;
	*out = s;
	s = (struct snapshot){0};
	return 0;
}

int snapshot_read_copy(const char *root, unsigned int parts, struct input_report *report,
		       struct snapshot *out)
{
	_cleanup_(snapshot_free) struct snapshot s = {0};
	int err = files_read(root, parts, report, &s);

	if (err)
		return err;
	*out = s;
	s = (struct snapshot){0};
	return 0;
}
