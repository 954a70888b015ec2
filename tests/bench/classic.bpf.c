// SPDX-License-Identifier: GPL-2.0-only
/*
 * The classic design of memleak tools, for comparison: bpf_get_stackid() walks the stack of each
 * allocation; a preallocated hash map stores it by address; each free looks it up and deletes it.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define STACK_TRACE 7 /* BPF_MAP_TYPE_STACK_TRACE */
#define FRAMES      64

char LICENSE[] SEC("license") = "GPL";

struct allocation {
	__u64 size;
	__u64 time;
	__s32 stack;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 20);
	__type(key, __u64);
	__type(value, struct allocation);
} live SEC(".maps");

struct {
	__uint(type, STACK_TRACE);
	__uint(max_entries, 1 << 14);
	__uint(key_size, 4);
	__uint(value_size, FRAMES * 8);
} stacks SEC(".maps");

static __always_inline int allocated(void *ctx, __u64 addr, __u64 size)
{
	struct allocation a = {.size = size};

	if (addr <= 16)
		return 0;
	a.time = bpf_ktime_get_ns();
	a.stack = bpf_get_stackid(ctx, &stacks, 0);
	bpf_map_update_elem(&live, &addr, &a, BPF_ANY);
	return 0;
}

static __always_inline int freed(__u64 addr)
{
	if (bpf_map_lookup_elem(&live, &addr))
		bpf_map_delete_elem(&live, &addr);
	return 0;
}

SEC("raw_tp/kmalloc")
int classic_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	return allocated(ctx, ctx->args[1], ctx->args[3]);
}

SEC("raw_tp/kmem_cache_alloc")
int classic_kmem_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_cache *s = (void *)ctx->args[2];
	__u32 size = 0;

	bpf_probe_read_kernel(&size, sizeof(size), &s->size);
	return allocated(ctx, ctx->args[1], size);
}

SEC("raw_tp/kfree")
int classic_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(ctx->args[1]);
}

SEC("raw_tp/kmem_cache_free")
int classic_kmem_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(ctx->args[1]);
}

/* The same for the other pools that kmemtrace traces. */
SEC("raw_tp/mm_page_alloc")
int classic_page_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	return allocated(ctx, ctx->args[0], 4096ull << (ctx->args[1] & 31));
}

SEC("raw_tp/mm_page_free")
int classic_page_free(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(ctx->args[0]);
}

SEC("raw_tp/percpu_alloc_percpu")
int classic_percpu_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	return allocated(ctx, ctx->args[7], ctx->args[3]);
}

SEC("raw_tp/percpu_free_percpu")
int classic_percpu_free(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(ctx->args[2]);
}
