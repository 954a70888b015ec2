/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The base of everything in bpf/: the kernel's types, the marks of functions and variables, the
 * form of tables, and each CPU's row with its losses. compat.bpf.h and state.bpf.h include it; it
 * includes neither.
 */
#ifndef KMEMTRACE_CPUS_BPF_H
#define KMEMTRACE_CPUS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
/*
 * libbpf 1.5 and later declare this kfunc in bpf_core_read.h, too. compat.bpf.h decides how we call
 * it.
 */
#define bpf_rdonly_cast libbpf_rdonly_cast
#include <bpf/bpf_core_read.h>
#undef bpf_rdonly_cast

#include "kmemtrace.h"

#define WEAK __attribute__((weak))

/*
 * A function that the verifier checks once, on its own, instead of along every path that calls it.
 * Its arguments are ctx and numbers only (5.10 allows nothing else): it gets row numbers and looks
 * the rows up again. It must be weak. Then clang and the verifier both treat a call of it without
 * looking at its body.
 */
#define GLOBAL WEAK __noinline

/* A table that user space maps. The loader sets its number of rows. */
#define TABLE(map, row_type)                       \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, 1);            \
		__type(key, __u32);                \
		__type(value, row_type);           \
	} map SEC(".maps") WEAK

TABLE(cpus, struct kmt_cpu);

/* The row of CPU `id`, for functions that get the number as an argument. */
static __always_inline struct kmt_cpu *cpu_of(__u32 id)
{
	return bpf_map_lookup_elem(&cpus, &id);
}

/* Count a loss on row 0, for callers that have no row of their CPU. */
GLOBAL int loss_shared(__u32 loss)
{
	struct kmt_cpu *cpu = cpu_of(0);

	if (cpu && loss < KMT_LOSSES)
		__sync_fetch_and_add(&cpu->losses[loss], 1);
	return 0;
}

/* This CPU's row, NULL when its number is beyond the table. */
static __always_inline struct kmt_cpu *cpu_row(__u32 *id)
{
	*id = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&cpus, id);
}

#endif
