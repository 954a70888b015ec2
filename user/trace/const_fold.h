/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folds the settings in read-only data into the instructions as constants. The verifier already
 * drops code that a setting rules out. It keeps the load, and it keeps the test if the code after
 * it has other predecessors. In short programs that run with cold caches, those are a large part of
 * the cost. Called by tracer.c while libbpf loads each program; must never move an instruction.
 */
#ifndef KMEMTRACE_TRACE_CONST_FOLD_H
#define KMEMTRACE_TRACE_CONST_FOLD_H

#include <stddef.h>
#include <linux/bpf.h>

/*
 * Fold constants in the `nr` instructions of a relocated program. `fd` is a map whose only value is
 * the `size` bytes at `values`, which never change. Loads from it become constants, jumps that
 * those constants decide become unconditional, and instructions that are then unused become no-ops.
 * Every instruction keeps its index, because libbpf and the verifier refer to it by index. Returns
 * 0, or −ENOMEM with nothing replaced.
 */
int const_fold_settings(struct bpf_insn *insns, size_t nr, int fd, const void *values, size_t size);

#endif
