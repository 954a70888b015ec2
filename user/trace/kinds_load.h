/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs of bpf/kinds.bpf.c, loaded. kinds.c runs them. They are loaded apart from that,
 * because a recording looks at objects at its end, when it may no longer load programs.
 */
#ifndef KMEMTRACE_TRACE_KINDS_LOAD_H
#define KMEMTRACE_TRACE_KINDS_LOAD_H

#include <stdint.h>

#include "kmemtrace.h"
#include "trace/plan.h"

struct bpf_map;
struct bpf_object;
struct bpf_program;
struct kinds_bpf;

struct kinds_programs {
	struct kinds_bpf *skel; /* NULL: not loaded */
	struct kmt_kinds *kinds;
};

/* What kinds_look() and kinds_table() must know of this machine. */
struct kinds_layout {
	uint64_t frame_base, page_base;  /* struct page of frame 0, and of address 0 */
	uint64_t frames;                 /* the last page frame plus one */
	uint64_t percpu;                 /* distance to the first CPU's variables */
	uint64_t direct_base;            /* where page frame 0 is mapped */
	uint64_t image, image_bytes;     /* code and data of the kernel; 0: not known */
	uint64_t modules, modules_bytes; /* of its modules */
};

/* Share two tables with the programs of a census. Returns 0 or −errno; then *out is unchanged. */
int kinds_programs_load(const struct plan *plan, const struct bpf_map *audit,
			const struct bpf_map *cpu_offsets, struct kinds_programs *out);
void kinds_programs_unload(struct kinds_programs *p);
void kinds_programs_layout(const struct kinds_programs *p, const struct kinds_layout *layout);
/* Look at the first `nr` items, or at the table at an address. Return 0 or −errno. */
int kinds_programs_look(const struct kinds_programs *p, uint32_t nr);
int kinds_programs_table(const struct kinds_programs *p, uint64_t address);
/* NULL: not loaded. */
const struct bpf_object *kinds_programs_object(const struct kinds_programs *p);

#endif
