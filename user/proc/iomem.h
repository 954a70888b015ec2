/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads /proc/iomem: which physical memory is RAM that may be read. Device memory, firmware and
 * memory that a device or a crash kernel claimed must not be read.
 */
#ifndef KMEMTRACE_PROC_IOMEM_H
#define KMEMTRACE_PROC_IOMEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/array.h"

struct iomem_range {
	uint64_t first, end; /* bytes: the first, and the one after the last */
};

struct iomem_ranges {
	ARRAY_OF(struct iomem_range);
};

/*
 * The ranges of "System RAM", in order, without what is inside them but not the kernel's: anything
 * but its data and what it reserved. The kernel's code is left out, too. Returns 0, −EPERM if the
 * addresses are hidden, −ENODATA without RAM, or −ENOMEM; on failure, `out` is unchanged.
 */
int iomem_ram_parse(const char *buf, size_t len, struct iomem_ranges *out);

/*
 * Where the kernel's image is: its code, and then all of it, up to the end of its data. What is
 * between its parts was freed after boot, and is other memory now.
 */
#define IOMEM_PARTS 8
struct iomem_image {
	struct iomem_range code, all, parts[IOMEM_PARTS];
	size_t nr_parts;
};

/* Returns 0, or −ENODATA if the file does not tell; `out` is then unchanged. */
int iomem_image_parse(const char *buf, size_t len, struct iomem_image *out);

#endif
