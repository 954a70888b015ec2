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

/* In reading order: slabinfo beside meminfo, because their sums are compared. */
static const struct {
	enum snapshot_parts part;
	const char *name;
	int (*parse)(const char *buf, size_t len, struct snapshot *s);
} files[] = {
	{SNAPSHOT_MEMINFO, "meminfo", parse_meminfo},
	{SNAPSHOT_SLABINFO, "slabinfo", parse_slabinfo},
	{SNAPSHOT_VMSTAT, "vmstat", parse_vmstat},
	{SNAPSHOT_ZONEINFO, "zoneinfo", parse_zoneinfo},
	{SNAPSHOT_VMALLOCINFO, "vmallocinfo", NULL}, /* piece by piece: it can be very long */
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

/* Read and parse file number i. */
static int read_part(const char *root, size_t i, struct snapshot *s)
{
	_cleanup_free_ char *buf = NULL;
	size_t len = 0;
	int err;

	if (!files[i].parse)
		return read_vmallocinfo(root, s);
	err = read_path(root, files[i].name, &buf, &len);
	return err ?: files[i].parse(buf, len, s);
}

/* Reading the file has the effect; it is empty, and older kernels return EINVAL. */
void snapshot_refresh(const char *root)
{
	_cleanup_free_ char *buf = NULL;
	size_t len;

	(void)read_path(root, "sys/vm/stat_refresh", &buf, &len);
}

int snapshot_read(const char *root, unsigned int parts, struct snapshot *out)
{
	_cleanup_(snapshot_free) struct snapshot s = {0};

	if (!(parts & SNAPSHOT_REFRESHED))
		snapshot_refresh(root);
	s.wall_s = clock_wall_s();
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int err = parts & files[i].part ? read_part(root, i, &s) : 0;

		if (err == -ENOMEM || (err && files[i].part == SNAPSHOT_MEMINFO))
			return err;
	}
	if (parts & SNAPSHOT_COUNTERS && counters_read(root, &s.vmstat))
		return -ENOMEM;
	*out = s;
	s = (struct snapshot){0};
	return 0;
}
