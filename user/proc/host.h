/* SPDX-License-Identifier: GPL-2.0-only */
/* The facts about a host that a capture carries once: which kernel, which machine, since when. */
#ifndef KMEMTRACE_PROC_HOST_H
#define KMEMTRACE_PROC_HOST_H

#include <stdint.h>

#include "proc/virt.h"
#include "sym/build_id.h"

struct host_facts {
	char hostname[65];
	char release[128]; /* "6.12.9-amd64" */
	char version[256]; /* "#1 SMP …" */
	char arch[32];
	char build_id[BUILD_ID_HEX_SIZE]; /* the kernel's; "" when unknown */
	char lockdown[32]; /* "none", "integrity", "confidentiality"; "unknown": no securityfs */
	char virtualization[VIRT_NAME_MAX]; /* see virt_name() */
	char boot_id[40];
	char machine_id[40]; /* "" when the host has none */
	int cpus_online;
	int cpus_possible;
	int64_t page_size; /* bytes, of the running kernel */
	int64_t mem_total_kb;
	double uptime_s;
};

/*
 * Read the facts from the trees at proc_root and sys_root ("/proc", "/sys", or recorded ones). What
 * cannot be read is "" or 0. Returns 0, or −errno if there is no kernel release: then proc_root is
 * not a proc tree.
 */
int host_facts_read(const char *proc_root, const char *sys_root, struct host_facts *out);

/*
 * Bytes of a kernel stack: KernelStack of /proc/meminfo divided by the number of threads, rounded
 * to a power of two.
 */
uint32_t host_thread_size(const char *proc_root);

/* The number of CPUs in a list such as "0-3,8"; −1 if it is invalid. Pure. */
int cpu_list_count(const char *list);

#endif
