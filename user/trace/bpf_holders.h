/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keeps BPF objects alive: descriptors of processes, paths in a bpffs, links, and programs
 * that use a map. bpf_objects.c calls it. Bounded in number and time.
 */
#ifndef KMEMTRACE_TRACE_BPF_HOLDERS_H
#define KMEMTRACE_TRACE_BPF_HOLDERS_H

#include <stdint.h>

#include "data/snapshot.h"

#define BPF_OBJECTS_MAX 4096 /* limit for maps and programs together, and also for holders */

double bpf_clock_s(void); /* CLOCK_MONOTONIC */

/* The number after `name` ("map_id:") in /proc/PID/fdinfo/FD; −1 where there is none. */
int64_t bpf_fdinfo_number(const char *pid, int fd, const char *name);

/* The maps that an open program uses. 0 or −ENOMEM. */
int bpf_holders_of_program(int fd, uint32_t id, const char *name, struct bpf_holders *out);

/* The descriptors of one process. 0 or −ENOMEM. */
int bpf_holders_of_process(int pid, struct bpf_holders *out);

/*
 * Descriptors of all processes but `own_pid`, pins and links, until the clock says deadline_s. 0 or
 * −ENOMEM.
 */
int bpf_holders_read(int own_pid, double deadline_s, struct bpf_holders *out);

#endif
