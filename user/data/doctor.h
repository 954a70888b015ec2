/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `doctor` found on a host. trace/doctor.c fills it from the plan that `record` would use;
 * render/ prints it. Data only. All strings are borrowed.
 */
#ifndef KMEMTRACE_DATA_DOCTOR_H
#define KMEMTRACE_DATA_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/alloc_records.h"
#include "data/pool.h"

#define DOCTOR_HOOKS_MAX 48
#define DOCTOR_NOTES_MAX 10
#define DOCTOR_CAPS      6

/* A kernel facility: whether it can be used, and words for how or why not. */
struct doctor_fact {
	bool works;
	const char *words;
};

struct doctor_capability {
	const char *name;
	const char *use; /* what it is needed for */
	bool has;
};

struct doctor_hook {
	const char *name;
	enum pool pool;
	bool attached;
	const char *how;    /* "raw_tp", …; "" when not attached */
	const char *reason; /* why not; "" when attached */
	const char *cost;   /* what the report loses; "" when attached */
};

/* The tables of a recording. */
struct doctor_tables {
	uint64_t bytes;
	uint64_t live; /* objects that fit */
	uint64_t stacks;
};

struct doctor {
	bool can_record;
	const char *refusal; /* why record would not work and what to do; "" if it would */
	const char *release, *arch, *lockdown, *virtualization;
	bool proc, meminfo, cmpxchg, slabinfo, vmallocinfo;
	struct alloc_uses alloc_uses; /* what the kernel itself says of allocations */
	bool bpf_objects;             /* the BPF maps and programs of the machine can be listed */
	const char *counters_missing; /* "sys/fs/file-nr, …"; "" if none is */
	const char *census_refusal; /* why `census` would not work and what to do; "" if it would */
	const char *census_lacks; /* "large kmalloc, …": what it cannot tell apart; "" for none */
	struct doctor_fact btf, bpf_load, symbols;
	const char *btf_path;
	int kptr_restrict;            /* −1 when it cannot be read */
	const char *memory_why;       /* why tables cannot be made; "" if they can */
	struct doctor_tables sampled; /* with default options */
	struct doctor_tables exact;   /* with --exact */
	uint64_t process_bytes;       /* what the recorder takes besides its tables */
	uint64_t most_bytes;          /* the largest --memory */
	struct doctor_capability capabilities[DOCTOR_CAPS];
	struct doctor_hook hooks[DOCTOR_HOOKS_MAX];
	size_t nr_hooks, hooks_off;          /* of nr_hooks, those that are not attached */
	const char *notes[DOCTOR_NOTES_MAX]; /* whole sentences: what works, but with limits */
	size_t nr_notes;
};

#endif
