/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the kernel's own image is: its static variables have addresses of their own, beside those
 * in the direct map. /proc/kallsyms has the address and /proc/iomem the place; both are compared
 * word by word before they are believed. Used by refs_roots.c and refs_names.c.
 */
#ifndef KMEMTRACE_TRACE_REFS_IMAGE_H
#define KMEMTRACE_TRACE_REFS_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "proc/iomem.h"

struct refs_image {
	uint64_t address, place, bytes; /* 0 bytes: not known */
	struct iomem_range parts[IOMEM_PARTS];
	size_t nr_parts;
};

/* Is the place in a part of the image that is still there? */
bool refs_image_has(const struct refs_image *image, uint64_t place);

/* Are the same words at the address and at the place? */
typedef bool (*refs_same_t)(void *arg, uint64_t address, uint64_t place);

/* `proc` is "/proc". Returns 0, or −errno, `out` then untouched. */
int refs_image_learn(const char *proc, refs_same_t same, void *arg, struct refs_image *out);

#endif
