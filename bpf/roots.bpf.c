// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds objects: iterators over all open files of all processes and over all tasks, and a few
 * programs that follow a pointer. The loader (user/trace/refs_roots.c) takes the offsets of all
 * fields from BTF. They only read, and trust nothing that they read. An object of its own: a kernel
 * that refuses it can still look for references.
 */
#include "cpus.bpf.h"
#include "flavors.h"
#include "origins.h"
#include "roots_shared.h"

char LICENSE[] SEC("license") = "GPL";

/* The loader's settings. */
const volatile struct kmt_root_path cfg_task_paths[KMT_ROOT_PLACES] = {};
const volatile struct kmt_root_path cfg_file_paths[KMT_ROOT_PLACES] = {};
const volatile __u64 cfg_direct = 0, cfg_direct_bytes = 0, cfg_frame_base = 0;

/*
 * The loader's, too, once it knows them: where the kernel's image is, whose static variables are at
 * other addresses than in the direct map. 0 bytes: not known.
 */
__u64 roots_image = 0, roots_image_bytes = 0, roots_image_place = 0;

/* Answers. */
__u64 roots_place = 0;
__u32 roots_number = 0;
char roots_text[2][KMT_ROOT_TEXT] = {};
struct kmt_root_area roots_area = {};
__u64 roots_pages[KMT_ROOT_PAGES] = {};

static __always_inline __u64 root_word(__u64 address)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)address);
	return word;
}

/*
 * A pointer of the context, as a number: the verifier allows no arithmetic with the pointer itself.
 */
#define ROOT_NUMBER(ctx, type, member) root_word((__u64)(ctx) + bpf_core_field_offset(type, member))

/* A function of its own: the verifier of 5.10 would follow all ways through its many calls. */
GLOBAL __u64 root_place(__u64 address)
{
	__u64 place = address - cfg_direct, inside = address - roots_image;

	if (place < cfg_direct_bytes)
		return place;
	return inside < roots_image_bytes ? roots_image_place + inside : KMT_ROOT_NOWHERE;
}

/* The pages of a task's kernel stack, where it is a vmalloc area. */
static __always_inline void root_stack(struct kmt_root *r, __u64 number)
{
	struct task_struct___vmap_stack *task = (void *)number;
	struct vm_struct *area = NULL;
	__u64 pages = 0;
	__u32 nr = 0;

	if (bpf_core_field_exists(task->stack_vm_area))
		area = BPF_CORE_READ(task, stack_vm_area);
	if (area) {
		pages = (__u64)BPF_CORE_READ(area, pages);
		nr = pages ? BPF_CORE_READ(area, nr_pages) : 0;
	}
	for (__u32 i = 0; i < KMT_ROOT_STACK; i++)
		r->stack[i] = i < nr ? root_word(pages + i * 8) - cfg_frame_base : KMT_ROOT_NOWHERE;
}

/* The pointer at the end of a path. Those before the last are known to be pointers or NULL. */
static __always_inline __u64 root_follow(__u64 address, const volatile struct kmt_root_path *path)
{
	for (__u32 i = 0; i < KMT_ROOT_STEPS; i++) {
		if (i >= path->steps || !address)
			break;
		address = root_word(address + path->offsets[i]);
	}
	return path->steps ? address : 0;
}

static __always_inline void root_owner(struct kmt_root *r, __u64 number)
{
	struct task_struct *task = (void *)number;

	r->tgid = BPF_CORE_READ(task, tgid);
	r->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_probe_read_kernel_str(r->comm, sizeof(r->comm),
				  (void *)BPF_CORE_READ(task, group_leader) +
					  bpf_core_field_offset(struct task_struct, comm));
}

SEC("?iter/task_file")
int roots_files(struct bpf_iter__task_file *ctx)
{
	__u64 task = ROOT_NUMBER(ctx, struct bpf_iter__task_file, task);
	__u64 file = ROOT_NUMBER(ctx, struct bpf_iter__task_file, file);
	struct kmt_root r = {.file = 1};

	if (!task || !file)
		return 0;
	root_owner(&r, task);
	r.self = root_place(file);
	for (__u32 i = 0; i < KMT_ROOT_PLACES; i++)
		r.places[i] = root_place(root_follow(file, &cfg_file_paths[i]));
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

SEC("?iter/task")
int roots_tasks(struct bpf_iter__task *ctx)
{
	__u64 task = ROOT_NUMBER(ctx, struct bpf_iter__task, task);
	struct kmt_root r = {};

	if (!task)
		return 0;
	root_owner(&r, task);
	r.self = root_place(task);
	for (__u32 i = 0; i < KMT_ROOT_PLACES; i++)
		r.places[i] = root_place(root_follow(task, &cfg_task_paths[i]));
	root_stack(&r, task);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

/* Argument: a place. Answers: roots_place, where the word there points to; and its low bits. */
SEC("?raw_tp")
int roots_follow(struct bpf_raw_tracepoint_args *ctx)
{
	roots_place = KMT_ROOT_NOWHERE;
	if (ctx->args[0] < cfg_direct_bytes)
		roots_place = root_place(root_word(cfg_direct + ctx->args[0]));
	return 0;
}

/* Argument: the place of a super block. Answer: roots_text, its type and its id; empty if it is
 * none: the root dentry of a super block points back to it. */
SEC("?raw_tp")
int roots_super(struct bpf_raw_tracepoint_args *ctx)
{
	struct super_block *super = (void *)(cfg_direct + ctx->args[0]);
	struct dentry *root;

	roots_text[0][0] = roots_text[1][0] = '\0';
	if (ctx->args[0] >= cfg_direct_bytes)
		return 0;
	root = BPF_CORE_READ(super, s_root);
	if (root_place((__u64)root) == KMT_ROOT_NOWHERE || BPF_CORE_READ(root, d_sb) != super)
		return 0;
	bpf_probe_read_kernel_str(roots_text[0], KMT_ROOT_TEXT, BPF_CORE_READ(super, s_type, name));
	bpf_probe_read_kernel_str(
		roots_text[1], KMT_ROOT_TEXT,
		(void *)((__u64)super + bpf_core_field_offset(struct super_block, s_id)));
	return 0;
}

/*
 * Arguments: the place of a namespace; where in it is its ns_common; and where in nsproxy is the
 * pointer to such a namespace. Answer: roots_number, which lsns prints; 0 if it is none: all of a
 * kind have the operations that the namespace of this task has.
 */
SEC("?raw_tp")
int roots_namespace(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct ns_common *ns = (void *)(cfg_direct + ctx->args[0] + ctx->args[1]), *own;

	roots_number = 0;
	if (ctx->args[0] >= cfg_direct_bytes)
		return 0;
	own = (void *)(root_word((__u64)BPF_CORE_READ(task, nsproxy) + ctx->args[2]) +
		       ctx->args[1]);
	if (BPF_CORE_READ(ns, ops) && BPF_CORE_READ(ns, ops) == BPF_CORE_READ(own, ops))
		roots_number = BPF_CORE_READ(ns, inum);
	return 0;
}

/* Argument: a place. Answer: roots_number, the number of 32 bits that is there. */
SEC("?raw_tp")
int roots_read(struct bpf_raw_tracepoint_args *ctx)
{
	roots_number = 0;
	if (ctx->args[0] < cfg_direct_bytes)
		bpf_probe_read_kernel(&roots_number, sizeof(roots_number),
				      (void *)(cfg_direct + ctx->args[0]));
	return 0;
}

#define SAME_WORDS 32

/* Arguments: an address, and a place. Answer: roots_number, 1 if the same words are there. */
SEC("?raw_tp")
int roots_same(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 any = 0;

	roots_number = 0;
	for (__u32 i = 0; i < SAME_WORDS; i++) {
		__u64 at, there;

		if (bpf_probe_read_kernel(&at, sizeof(at), (void *)(ctx->args[0] + i * 8)) ||
		    bpf_probe_read_kernel(&there, sizeof(there),
					  (void *)(cfg_direct + ctx->args[1] + i * 8)) ||
		    at != there)
			return 0;
		any |= at;
	}
	roots_number = any != 0;
	return 0;
}

/* ---- vmalloc and per-CPU memory ---- */

/* Argument: the place of what may be a vmap_area. Answer: roots_area. */
SEC("?raw_tp")
int roots_area_of(struct bpf_raw_tracepoint_args *ctx)
{
	struct vmap_area *area = (void *)(cfg_direct + ctx->args[0]);
	struct vm_struct *vm;
	__u64 start;

	roots_area.bytes = 0;
	if (ctx->args[0] >= cfg_direct_bytes)
		return 0;
	vm = BPF_CORE_READ(area, vm);
	start = BPF_CORE_READ(area, va_start);
	roots_area.vm = root_place((__u64)vm);
	if (roots_area.vm == KMT_ROOT_NOWHERE || (__u64)BPF_CORE_READ(vm, addr) != start)
		return 0;
	roots_area.start = start;
	roots_area.caller = (__u64)BPF_CORE_READ(vm, caller);
	roots_area.pages = BPF_CORE_READ(vm, nr_pages);
	roots_area.bytes = BPF_CORE_READ(vm, size);
	return 0;
}

/*
 * Arguments: the place of a vm_struct, and which of its pages, from the first of that many.
 * Answers: roots_pages, their struct pages: bytes from the first; and roots_number, 1 if so.
 */
SEC("?raw_tp")
int roots_area_pages(struct bpf_raw_tracepoint_args *ctx)
{
	struct vm_struct *vm = (void *)(cfg_direct + ctx->args[0]);
	__u64 pages, bytes = ctx->args[2] * 8;

	roots_number = 0;
	if (ctx->args[0] >= cfg_direct_bytes)
		return 0;
	pages = (__u64)BPF_CORE_READ(vm, pages);
	asm volatile("" : "+r"(bytes));
	if (!(pages >> 63) || !bytes || bytes > sizeof(roots_pages) ||
	    bpf_probe_read_kernel(roots_pages, bytes, (void *)(pages + ctx->args[1] * 8)))
		return 0;
	for (__u32 i = 0; i < KMT_ROOT_PAGES; i++)
		roots_pages[i] -= cfg_frame_base;
	roots_number = 1;
	return 0;
}

#define PAGE_WORDS 8

/*
 * Argument: a struct page, in bytes from the first. Its chunk of per-CPU memory is in one of its
 * words, by kernel. Answers: roots_pages, for each word the address of the chunk, if it is one.
 */
SEC("?raw_tp")
int roots_chunk(struct bpf_raw_tracepoint_args *ctx)
{
	for (__u32 i = 0; i < PAGE_WORDS; i++) {
		__u64 chunk = root_word(cfg_frame_base + ctx->args[0] + i * 8);

		roots_pages[i] = 0;
		if (root_place(chunk) != KMT_ROOT_NOWHERE)
			roots_pages[i] =
				(__u64)BPF_CORE_READ((struct pcpu_chunk *)chunk, base_addr);
	}
	return 0;
}

/* Arguments: an address, and a word. Answer: roots_number, 1 if it is there. */
SEC("?raw_tp")
int roots_has(struct bpf_raw_tracepoint_args *ctx)
{
	roots_number = root_word(ctx->args[0]) == ctx->args[1];
	return 0;
}
