/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Learns where the kernel keeps struct page and each CPU's variables, with the programs of
 * bpf/freelists.bpf.h. layout.c makes allocations, and the programs observe them. The tracer and
 * the census call it once after loading. It must never guess: unless enough slabs agree, the
 * layout is unknown.
 */
#ifndef KMEMTRACE_TRACE_LAYOUT_H
#define KMEMTRACE_TRACE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtrace.h"

struct bpf_program;

struct layout_programs {
	const volatile struct kmt_audit *audit; /* the programs' answers, mapped */
	struct bpf_program *pages;              /* audit_pages or audit_pages_old */
	bool old;                               /* the latter */
	struct bpf_program *cpu;                /* audit_cpu */
	int nr_cpus;
};

/* *page_base is the address of the struct page of frame 0. Returns 0, −ENOTSUP if the slabs seen
 * are too few or disagree, or −errno. */
int layout_learn_pages(const struct layout_programs *p, uint64_t *page_base);
/*
 * The struct page of frame 0: the address at which most of the `nr_pages` struct pages fit one of
 * the frame numbers. `page_bytes` is the size of a struct page. Returns 0 if fewer than half of the
 * frames fit. Pure.
 */
uint64_t layout_vote(const uint64_t *pages, size_t nr_pages, const uint64_t *frames,
		     size_t nr_frames, uint32_t page_bytes);

struct layout_frames {
	volatile struct kmt_census *census; /* the programs' answers, mapped */
	struct bpf_program *self, *seen;    /* census_self and census_seen */
};

/*
 * *frame_base is the struct page of frame 0. Returns 0, −EPERM if /proc/self/pagemap does not show
 * frame numbers to this process, −ENOTSUP if the pages disagree, or −errno.
 */
int layout_learn_frames(const struct layout_frames *p, uint64_t *frame_base);

/* Learn where each CPU's variables are. Returns 0, or −ENOTSUP if that works on no CPU. */
int layout_learn_cpus(const struct layout_programs *p);

/* The highest possible NUMA node plus one. */
uint32_t nodes_possible(const char *sys_root);

#endif
