/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's static per-CPU variables, by the kernel's BTF: what they are called and where each
 * CPU has its own. Used by refs_names.c.
 */
#ifndef KMEMTRACE_TRACE_REFS_PERCPU_H
#define KMEMTRACE_TRACE_REFS_PERCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/refs_image.h"
#include "trace/refs_types.h"

struct refs_percpu {
	const struct btf *btf; /* borrowed */
	const void *section;   /* its struct btf_type; NULL: not known */
	uint64_t start;        /* address of the first variable, before they were copied */
	uint64_t bytes;
	const uint64_t *offsets; /* of each CPU: from there to its own; borrowed */
	size_t cpus;
};

/* Is the word at the address? */
typedef bool (*refs_word_t)(void *arg, uint64_t address, uint64_t word);

struct refs_percpu_input {
	const struct refs_types *types;
	const struct refs_image *image;
	const uint64_t *offsets;
	size_t cpus;
	refs_word_t has;
	void *arg;
};

/* Without success, out->section is NULL, and nothing has a name. */
void refs_percpu_learn(const struct refs_percpu_input *in, struct refs_percpu *out);

/*
 * The variable at an address, such as "runqueues"; "": other per-CPU memory, of modules and
 * allocated early; NULL: it is none.
 */
const char *refs_percpu_at(const struct refs_percpu *p, uint64_t address);

#endif
