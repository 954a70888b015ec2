/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of devices by their number, from /sys and /proc: never a name of a file. */
#ifndef KMEMTRACE_PROC_DEVICES_H
#define KMEMTRACE_PROC_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The name of a device: "tun", "sda1"; for one that is not in /sys, that of its driver in
 * /proc/devices, such as "pts"; "240:7" if there is none. `number` is the kernel's own: major << 20
 * | minor.
 */
void device_name(const char *sys_root, const char *proc_root, bool block, uint32_t number,
		 char *name, size_t size);

#endif
