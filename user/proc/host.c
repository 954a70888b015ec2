// SPDX-License-Identifier: GPL-2.0-only
/* The facts about a host, one small file each. Read at the start of a recording, and by doctor. */
#include "proc/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"
#include "proc/snapshot.h"

#define CPUS_MAX 65536

int cpu_list_count(const char *list)
{
	struct text rest = text_of(list);
	int count = 0;

	while (rest.len) {
		struct text range = rest, last;
		const char *comma = memchr(rest.p, ',', rest.len), *dash;
		int64_t from, to;

		if (comma)
			range.len = (size_t)(comma - rest.p);
		rest.p += range.len + !!comma;
		rest.len -= range.len + !!comma;
		dash = memchr(range.p, '-', range.len);
		last = range;
		if (dash) {
			last = (struct text){dash + 1, range.len - (size_t)(dash + 1 - range.p)};
			range.len = (size_t)(dash - range.p);
		}
		if (!text_count(range, CPUS_MAX, &from) || !text_count(last, CPUS_MAX, &to) ||
		    to < from)
			return -1;
		count += (int)(to - from) + 1;
		if (count > CPUS_MAX)
			return -1;
	}
	return count ? count : -1;
}

static int cpus_read(const char *sys_root, const char *name)
{
	char list[4096];
	int n;

	if (file_read_line(sys_root, name, list, sizeof(list)))
		return 0;
	n = cpu_list_count(list);
	return n < 0 ? 0 : n;
}

/* The file reads "none [integrity] confidentiality": the state in force is in brackets. */
static void lockdown_read(const char *sys_root, char *dst, size_t size)
{
	char line[128], *open, *close;

	text_copy(text_of("unknown"), dst, size);
	if (file_read_line(sys_root, "kernel/security/lockdown", line, sizeof(line))) {
		/* `lsm` exists if securityfs is mounted: then lockdown is not built in */
		if (!file_read_line(sys_root, "kernel/security/lsm", line, sizeof(line)))
			text_copy(text_of("none"), dst, size);
		return;
	}
	open = strchr(line, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close && close > open + 1)
		text_copy((struct text){open + 1, (size_t)(close - open - 1)}, dst, size);
}

static int64_t mem_total_read(const char *proc_root)
{
	_cleanup_free_ char *buf = NULL;
	struct named_values meminfo = {0};
	char path[4096];
	int64_t kb = 0;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/meminfo", proc_root) < (int)sizeof(path) &&
	    !file_read(path, &buf, &len) && !meminfo_parse(buf, len, &meminfo))
		kb = named_value_get(&meminfo, "MemTotal", 0);
	ARRAY_FREE(&meminfo);
	return kb;
}

static void kernel_line(const char *proc_root, const char *name, char *dst, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/kernel/%s", name);
	(void)file_read_line(proc_root, path, dst, size);
}

int host_facts_read(const char *proc_root, const char *sys_root, struct host_facts *out)
{
	struct host_facts facts = {0};
	struct virt_clues clues;
	char uptime[64];
	int err;

	err = file_read_line(proc_root, "sys/kernel/osrelease", facts.release,
			     sizeof(facts.release));
	if (err)
		return err;
	kernel_line(proc_root, "hostname", facts.hostname, sizeof(facts.hostname));
	kernel_line(proc_root, "version", facts.version, sizeof(facts.version));
	kernel_line(proc_root, "random/boot_id", facts.boot_id, sizeof(facts.boot_id));
	kernel_line(proc_root, "arch", facts.arch, sizeof(facts.arch)); /* from 6.1 */
	if (!*facts.arch) {
		struct utsname self;

		if (!uname(&self))
			text_copy(text_of(self.machine), facts.arch, sizeof(facts.arch));
	}
	(void)file_read_line(proc_root, "self/root/etc/machine-id", facts.machine_id,
			     sizeof(facts.machine_id));
	(void)build_id_kernel(sys_root, facts.build_id);
	lockdown_read(sys_root, facts.lockdown, sizeof(facts.lockdown));
	virt_clues_read(proc_root, sys_root, &clues);
	virt_name(&clues, facts.virtualization);
	facts.cpus_online = cpus_read(sys_root, "devices/system/cpu/online");
	facts.cpus_possible = cpus_read(sys_root, "devices/system/cpu/possible");
	facts.page_size = sysconf(_SC_PAGESIZE);
	facts.mem_total_kb = mem_total_read(proc_root);
	if (!file_read_line(proc_root, "uptime", uptime, sizeof(uptime)))
		facts.uptime_s = strtod(uptime, NULL);
	*out = facts;
	return 0;
}

uint32_t host_thread_size(const char *proc_root)
{
	struct snapshot s = {};
	char line[128], *slash;
	uint64_t bytes = 0;
	long threads = 0;
	uint32_t size = 4096;

	if (!snapshot_read(proc_root, SNAPSHOT_MEMINFO, &s))
		bytes = named_value_get(&s.meminfo, "KernelStack", 0) * 1024;
	snapshot_free(&s);
	/* "0.00 0.01 0.05 1/123 4567": the second of the pair counts all threads */
	if (!file_read_line(proc_root, "loadavg", line, sizeof(line)) &&
	    (slash = strchr(line, '/')))
		threads = atol(slash + 1);
	if (!bytes || threads <= 0)
		return 16384;
	/*
	 * the mean is slightly too high: idle and dead tasks have stacks but are not counted as
	 * threads
	 */
	while (size < 65536 && size * 1.5 < (double)bytes / threads)
		size *= 2;
	return size;
}
