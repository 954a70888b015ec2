// SPDX-License-Identifier: GPL-2.0-only
/* Names of devices: see devices.h. */
#include "proc/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_read.h"

#define MINOR_BITS 20

/* The last part of what /sys/dev/char/MAJOR:MINOR points to. Returns whether there is one. */
static bool sys_name(const char *sys_root, bool block, unsigned int major, unsigned int minor,
		     char *name, size_t size)
{
	char path[256], target[512];
	const char *last;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/dev/%s/%u:%u", sys_root, block ? "block" : "char", major,
		 minor);
	len = readlink(path, target, sizeof(target) - 1);
	if (len <= 0)
		return false;
	target[len] = '\0';
	last = strrchr(target, '/');
	snprintf(name, size, "%s", last ? last + 1 : target);
	return name[0];
}

/* The driver of a major number, from lines such as "136 pts". */
static bool driver_name(const char *proc_root, bool block, unsigned int major, char *name,
			size_t size)
{
	_cleanup_free_ char *buf = NULL;
	bool in_block = false;
	char path[256], *line, *rest;
	size_t len;

	snprintf(path, sizeof(path), "%s/devices", proc_root);
	if (file_read(path, &buf, &len))
		return false;
	rest = buf;
	while ((line = strsep(&rest, "\n"))) {
		char *end;
		unsigned long number = strtoul(line, &end, 10);

		if (!strncmp(line, "Block", strlen("Block")))
			in_block = true;
		if (end == line || *end != ' ' || number != major || in_block != block)
			continue;
		snprintf(name, size, "%s", end + 1);
		return name[0];
	}
	return false;
}

void device_name(const char *sys_root, const char *proc_root, bool block, uint32_t number,
		 char *name, size_t size)
{
	unsigned int major = number >> MINOR_BITS, minor = number & ((1u << MINOR_BITS) - 1);

	if (sys_name(sys_root, block, major, minor, name, size) ||
	    driver_name(proc_root, block, major, name, size))
		return;
	snprintf(name, size, "%u:%u", major, minor);
}
