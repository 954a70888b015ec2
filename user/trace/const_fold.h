/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings as numbers in the instructions. The verifier knows what lies in read-only data and drops
 * what a setting rules out, but it leaves the load, and the test where what follows is come to from
 * elsewhere, too: of code that does little else, and runs where caches are cold, that is a good
 * part.
 */
#ifndef KMEMTRACE_TRACE_CONST_FOLD_H
#define KMEMTRACE_TRACE_CONST_FOLD_H

#include <stddef.h>
#include <linux/bpf.h>

/*
 * In `nr` instructions of a program that is relocated, replace the loads from the map of `fd`,
 * whose one value is the `size` bytes at `values` for good, by what they load, the jumps that this
 * decides by the way they go, and what nobody uses any more by nothing. All instructions stay where
 * they are: libbpf and the verifier know them by their place. Returns 0, or −ENOMEM with nothing
 * replaced.
 */
int const_fold_settings(struct bpf_insn *insns, size_t nr, int fd, const void *values, size_t size);

#endif
