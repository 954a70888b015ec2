/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All BPF maps and programs of the machine, what each takes, and what keeps it: processes with a
 * descriptor, paths in a bpffs, links, programs. Called at both ends of a recording, by the helper
 * process (stats_helper.h), because it takes CAP_SYS_ADMIN. The walk is bounded in number and time.
 */
#ifndef KMEMTRACE_TRACE_BPF_OBJECTS_H
#define KMEMTRACE_TRACE_BPF_OBJECTS_H

#include <stdint.h>

#include "data/snapshot.h"
#include "trace/bpf_holders.h"

struct bpf_objects {
	struct bpf_levels levels;
	struct bpf_holders holders;
};

void bpf_objects_free(struct bpf_objects *o);

/* The properties of a map that decide where its memory comes from. */
struct bpf_map_shape {
	uint32_t type, flags, key_size, value_size, max_entries;
	int64_t bytes; /* all of it: fdinfo's memlock */
};

/*
 * Fill in the four sizes of `out`. Their sum is shape->bytes. Pure. Sources: kernel/bpf/hashtab.c,
 * arraymap.c, ringbuf.c, bpf_local_storage.c, and bpf_map_area_alloc() of syscall.c.
 */
void bpf_map_split(const struct bpf_map_shape *shape, int cpus_possible, struct bpf_level *out);

/*
 * Read all maps and programs. Those that process `own_pid` has open are marked as its own. Returns
 * 0 or −errno: −EPERM without CAP_SYS_ADMIN.
 */
int bpf_objects_read(int own_pid, struct bpf_objects *out);

/* Write the result to a file, or read it from one: for the helper process. 0 or −errno. */
int bpf_objects_write(int fd, const struct bpf_objects *o);
int bpf_objects_load(int fd, struct bpf_objects *out);

#endif
