/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs loaded BPF programs: on a call from here, and over all objects of a kind (iterators). */
#ifndef KMEMTRACE_TRACE_PROGRAM_H
#define KMEMTRACE_TRACE_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/file_read.h"

struct bpf_program;

/* Run a program with these arguments on this CPU. Returns 0 or −errno. */
int program_call(const struct bpf_program *program, const uint64_t args[3]);
/* The same on a given CPU; −1: on this one. */
int program_call_on(const struct bpf_program *program, const uint64_t args[3], int cpu);

/* Let an iterator run, and give what it writes to `take`. Returns 0 or −errno. */
int program_iterate(const struct bpf_program *program, file_take_t take, void *arg);

/*
 * The same for one that writes records of `size` bytes: they are given to `add`, several at once,
 * at an address for any type. Returns 0 or −errno, of reading or of `add`.
 */
typedef int (*program_add_t)(void *arg, const void *records, size_t nr);
int program_records(const struct bpf_program *program, size_t size, program_add_t add, void *arg);

#endif
