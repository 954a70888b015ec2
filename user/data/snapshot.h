/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot: the levels that the kernel itself reports at one moment. proc/ fills it live and
 * capture/ from a file; the task iterator and the audit (trace/) add their parts. model/, diff/ and
 * findings/ read it. It must not attribute memory to anyone.
 */
#ifndef KMEMTRACE_DATA_SNAPSHOT_H
#define KMEMTRACE_DATA_SNAPSHOT_H

#include <stdint.h>

#include "base/array.h"

#define LEVEL_NAME_MAX 64

/* "Name: value kB" lines of /proc/meminfo; "name value" lines of /proc/vmstat, and beside these
 * counters of /proc/sys under the names of sysctl, such as "fs.file-nr" (proc/counters.c). */
struct named_value {
	char name[LEVEL_NAME_MAX];
	int64_t value; /* meminfo: kB (or a count for HugePages_*); vmstat: a count */
};

struct named_values {
	ARRAY_OF(struct named_value);
	size_t bad_lines;
};

/* One line of /proc/slabinfo (version 2.1). A merged cache has one line, under one of its names. */
struct slab_level {
	char name[LEVEL_NAME_MAX];
	int64_t active_objs; /* includes free objects on CPU lists and in sheaves */
	int64_t num_objs;
	int64_t object_size; /* <objsize>: bytes of an object with its metadata (s->size) */
	int64_t objs_per_slab;
	int64_t pages_per_slab;
	int64_t active_slabs;
	int64_t num_slabs;
	int64_t cpu_free; /* of active_objs: free objects on CPU lists and in sheaves, counted by
			     audit_count_free(); −1 unknown */
};

struct slab_levels {
	ARRAY_OF(struct slab_level);
	size_t bad_lines;
};

/* One zone of one node in /proc/zoneinfo. All in pages. */
struct zone_level {
	int node;
	char zone[16];
	int64_t free;
	int64_t spanned;
	int64_t present;
	int64_t managed;
	int64_t pcp;   /* sum of the "count:" lines of per-CPU lists: free, but not in MemFree */
	int cpus;      /* number of these lines; 0 unknown: captures do not store it */
	int64_t start; /* the first page frame; 0 unknown: captures do not store it */
};

struct zone_levels {
	ARRAY_OF(struct zone_level);
	size_t bad_lines;
};

enum vmalloc_kind {
	VMALLOC_VMALLOC, /* "vmalloc": has pages, counted in VmallocUsed */
	VMALLOC_VMAP,
	VMALLOC_IOREMAP,
	VMALLOC_VM_MAP_RAM,
	VMALLOC_PERCPU, /* per-CPU chunk address space: pcpu_get_vm_areas */
	VMALLOC_OTHER,
	VMALLOC_KINDS
};

/* All areas of /proc/vmallocinfo with one caller and kind, added up. */
struct vmalloc_level {
	char caller[128]; /* "symbol+0xoff [module]", without "/0xsize"; "" when the kernel prints
			     no caller */
	enum vmalloc_kind kind;
	int64_t areas;
	int64_t bytes; /* address space, including guard pages */
	int64_t pages; /* from "pages=" */
};

#define NODES_MAX 64 /* NUMA nodes that are told apart */

struct vmalloc_levels {
	ARRAY_OF(struct vmalloc_level);
	size_t bad_lines;
	int64_t node_pages[NODES_MAX]; /* of VMALLOC_VMALLOC areas, by node; as read, in no capture
					*/
};

/* The threads and page tables of one process, from the BPF task iterator. */
struct task_level {
	int32_t tgid;
	char comm[16];
	uint64_t cgroup_id;
	int64_t threads;
	int64_t stack_bytes;
	int64_t pgtables_bytes;
};

struct task_levels {
	ARRAY_OF(struct task_level);
};

/*
 * A cgroup with many removed ones below it, and always the root. cgroup v1 counts removed cgroups
 * only for a whole hierarchy. CGROUP_V1_MEMORY is the path of the memory controller's hierarchy.
 */
struct cgroup_level {
	char path[128]; /* below the mount, "/" for its root; "…" and the end if it is longer */
	uint64_t id;    /* the directory's inode, as in task_level */
	int64_t descendants; /* cgroups below it that are in use */
	int64_t dying; /* removed cgroups below it that still exist, because memory is charged to
			  them */
};

#define CGROUP_V1_MEMORY "v1:memory"

struct cgroup_levels {
	ARRAY_OF(struct cgroup_level);
};

/*
 * One figure of one NUMA node: a line of its meminfo in kB (HugePages_*: a count), or one of the
 * NODE_… below. Only where more than one node has memory.
 */
struct node_level {
	char name[LEVEL_NAME_MAX];
	int node;
	int64_t value;
};

#define NODE_ZSPAGES "nr_zspages"  /* pages of zsmalloc */
#define NODE_VMALLOC "vmalloc"     /* pages of vmalloc areas, thread stacks included */
#define NODE_CPUS    "cpus_online" /* a count */

struct node_levels {
	ARRAY_OF(struct node_level);
};

/* A BPF map or program of the machine: trace/bpf_objects.c. Bytes by what the kernel takes them
 * from. */
enum bpf_kind { BPF_KIND_MAP, BPF_KIND_PROGRAM, BPF_KINDS };

struct bpf_level {
	char object[128]; /* type and name: "percpu_hash cilium_ct"; the type has no blank */
	int kind;
	int64_t id;
	int64_t vmalloc;
	int64_t percpu; /* of all possible CPUs */
	int64_t slab;
	int64_t pages; /* whole pages that are in no line of meminfo: ring buffers, arenas */
	int64_t own;   /* 1: the recorder's */
};

struct bpf_levels {
	ARRAY_OF(struct bpf_level);
};

/* What keeps a BPF object: it has one row for each. */
enum bpf_hold {
	BPF_HELD_BY_PROCESS,
	BPF_HELD_BY_PIN,
	BPF_HELD_BY_LINK,
	BPF_HELD_BY_PROGRAM,
	BPF_HOLDS
};

struct bpf_holder {
	char name[128]; /* comm, path ("…" and the end if it is longer), type of link, program */
	int kind;       /* of the object */
	int64_t id;     /* of the object */
	int how;        /* enum bpf_hold */
	int64_t holder; /* process id, id of the link or program; 0 for a path */
};

struct bpf_holders {
	ARRAY_OF(struct bpf_holder);
};

enum snapshot_kind { SNAPSHOT_START, SNAPSHOT_TICK, SNAPSHOT_END };

struct snapshot {
	enum snapshot_kind kind;
	double t_s;    /* seconds since tracing began, CLOCK_BOOTTIME; 0 for the start */
	double wall_s; /* seconds since the epoch */
	struct named_values meminfo;
	struct named_values vmstat;
	struct slab_levels slabs;
	struct zone_levels zones;
	struct vmalloc_levels vmallocs;
	struct task_levels tasks;     /* only where the task iterator ran */
	struct cgroup_levels cgroups; /* only at the start and at the end, … */
	struct bpf_levels bpf;        /* … as these */
	struct bpf_holders bpf_holders;
	struct node_levels nodes;
};

/* The value called `name`, or `missing` where there is none. */
int64_t named_value_get(const struct named_values *v, const char *name, int64_t missing);

/* Pages of VMALLOC_VMALLOC areas; VmallocUsed is this sum in kB. */
int64_t vmalloc_levels_pages(const struct vmalloc_levels *levels);

void snapshot_free(struct snapshot *s);

#endif
