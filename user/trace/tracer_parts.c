// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of a large live table, each a map of its own. The kernel creates a map in one go and
 * runs no other task on that CPU meanwhile; with several small maps, other tasks run in between.
 * The programs find the parts through the map live_parts (bpf/track.bpf.h). Only tracer.c calls
 * this.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "trace/tracer_internal.h"

#define PART_ROWS  (1u << KMT_PART_BITS)
#define PART_BYTES ((size_t)PART_ROWS * sizeof(struct kmt_bucket))

int tracer_parts_make(struct tracer *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	uint32_t bits = t->sizes.live_bits,
		 nr = bits > KMT_PART_BITS ? 1u << (bits - KMT_PART_BITS) : 0;

	if (!nr)
		return 0;
	t->parts = malloc(nr * sizeof(*t->parts));
	if (!t->parts)
		return -ENOMEM;
	memset(t->parts, -1, nr * sizeof(*t->parts));
	t->nr_parts = nr;
	for (uint32_t i = 0; i < nr; i++) {
		t->parts[i] = bpf_map_create(BPF_MAP_TYPE_ARRAY, "live_part", sizeof(__u32),
					     sizeof(struct kmt_bucket), PART_ROWS, &opts);
		if (t->parts[i] < 0)
			return -errno;
	}
	bpf_map__set_max_entries(t->skel->maps.live_parts, nr);
	return bpf_map__set_inner_map_fd(t->skel->maps.live_parts, t->parts[0]);
}

int tracer_parts_put(struct tracer *t)
{
	for (uint32_t i = 0; i < t->nr_parts; i++)
		if (bpf_map_update_elem(bpf_map__fd(t->skel->maps.live_parts), &i, &t->parts[i],
					BPF_ANY))
			return -errno;
	return 0;
}

int tracer_parts_map(const struct tracer *t, void **addr, size_t *len)
{
	size_t all = t->nr_parts * PART_BYTES;
	char *at = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	for (uint32_t i = 0; i < t->nr_parts; i++)
		if (mmap(at + i * PART_BYTES, PART_BYTES, PROT_READ, MAP_SHARED | MAP_FIXED,
			 t->parts[i], 0) == MAP_FAILED) {
			int err = -errno;

			munmap(at, all);
			return err;
		}
	/*
	 * The map live_parts and the mappings keep the parts alive. All parts have the same size,
	 * so the first one's descriptor suffices for tracer_own_bytes().
	 */
	for (uint32_t i = 1; i < t->nr_parts; i++) {
		close(t->parts[i]);
		t->parts[i] = -1;
	}
	*addr = at;
	*len = all;
	return 0;
}

void tracer_parts_free(struct tracer *t)
{
	for (uint32_t i = 0; i < t->nr_parts; i++)
		if (t->parts[i] >= 0)
			close(t->parts[i]);
	free(t->parts);
	t->parts = NULL;
	t->nr_parts = 0;
}
