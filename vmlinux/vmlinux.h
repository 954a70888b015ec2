/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types that the BPF programs read, written by hand, with only the members that they
 * read. The offsets here do not matter: with preserve_access_index, libbpf takes each from the
 * running kernel's BTF. A generated dump of one kernel has 130,000 lines; this is what we depend
 * on. scripts/check-vmlinux.sh compares each name with the BTF of real kernels. Types that differ
 * between kernels are in flavors.h.
 */
#ifndef KMEMTRACE_VMLINUX_H
#define KMEMTRACE_VMLINUX_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;
typedef _Bool bool;
/* bpf_helper_defs.h uses these */
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

enum { false, true };

#define NULL ((void *)0)

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_MMAPABLE = 1024,
};

/* The context of raw tracepoint programs: UAPI, not relocated. */
struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	u64 id;
	const char *name;
	void *priv; /* of a cgroup's directory: the cgroup */
};

struct cgroup {
	struct kernfs_node *kn;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	unsigned int flags;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
};

/* Who kernel memory is charged to. It survives its memory cgroup: see census.bpf.c. */
struct obj_cgroup {
	struct mem_cgroup *memcg;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

typedef struct {
	s64 counter;
} atomic64_t;

typedef atomic64_t atomic_long_t; /* of a 64-bit kernel */

struct mm_struct {
	atomic_long_t pgtables_bytes;
};

struct task_struct {
	void *stack;
	unsigned int flags;
	struct mm_struct *mm;
	int pid;
	int tgid;
	struct task_struct *group_leader;
	char comm[16];
	u64 self_exec_id;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
};

struct list_head {
	struct list_head *next, *prev;
};

/* Bits 16 and up: the order of a slab; below: how many objects lie in it. */
struct kmem_cache_order_objects {
	unsigned int x;
};

/* What the audit alone reads, and what not all kernels have, is in flavors.h. */
struct kmem_cache {
	unsigned int flags;
	unsigned int size;
	unsigned int object_size;
	unsigned int offset;
	struct kmem_cache_order_objects oo;
	struct kmem_cache_order_objects min;
	const char *name;
	struct list_head list; /* of all caches */
};

struct kmem_cache_node {
	struct list_head partial;
};

typedef struct {
	int counter;
} atomic_t;

struct pt_regs {
	unsigned long sp;
};

struct inode;

struct address_space {
	struct inode *host;
	unsigned long nrpages;
};

struct page {
	struct address_space *mapping;
	unsigned int page_type;
	atomic_t _refcount;
};

struct bpf_array {
	void *pptrs[0];
};

/* ---- what the lenses read: see lenses.bpf.c ---- */

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

struct qstr {
	const unsigned char *name;
};

struct lockref {
	int count;
};

struct file_system_type {
	const char *name;
};

struct super_block {
	struct file_system_type *s_type;
	unsigned long s_magic;
	struct dentry *s_root;
	char s_id[32];
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	struct lockref d_lockref;
};

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned int i_rdev;
	struct list_head i_sb_list;
	atomic_t i_count;
	struct address_space i_data;
};

struct vfsmount;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	const void *f_op;
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
};

struct net;

typedef struct {
	struct net *net;
} possible_net_t;

struct ns_common {
	const void *ops;
	unsigned int inum;
};

struct net {
	refcount_t passive;
	struct ns_common ns;
};

struct nsproxy {
	struct net *net_ns;
};

struct request_sock_ops {
	struct kmem_cache *slab;
};

struct timewait_sock_ops {
	struct kmem_cache *twsk_slab;
};

struct proto {
	struct kmem_cache *slab;
	unsigned int obj_size;
	struct request_sock_ops *rsk_prot;
	struct timewait_sock_ops *twsk_prot;
	char name[32];
};

struct sock_common {
	unsigned short skc_family;
	unsigned char skc_state;
	struct proto *skc_prot;
	possible_net_t skc_net;
	refcount_t skc_refcnt;
};

struct socket;

struct sock {
	struct sock_common __sk_common;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	int sk_wmem_queued;
	refcount_t sk_wmem_alloc;
	struct proto *sk_prot_creator;
	struct socket *sk_socket;
};

struct socket {
	struct sock *sk;
};

struct unix_sock {
	struct path path;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	unsigned int fd;
	struct file *file;
};

/* Only its first member is used: a type with a 64-bit number at offset 0, to read a stack word
 * through. */
struct timespec64 {
	long long tv_sec;
};

#pragma clang attribute pop

#endif
