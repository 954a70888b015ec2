/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types that bpf/origins.bpf.c alone reads, each as far as it reads it. */
#ifndef KMEMTRACE_ORIGINS_TYPES_H
#define KMEMTRACE_ORIGINS_TYPES_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pipe_buffer {
	struct page *page;
};

struct pipe_inode_info {
	unsigned int head, tail, ring_size;
	struct pipe_buffer *bufs;
};

struct inode___origin {
	unsigned short i_mode;
	struct pipe_inode_info *i_pipe;
};

struct file___origin {
	struct inode___origin *f_inode;
	const void *f_op;
	void *private_data;
};

struct sock_common___origin {
	unsigned short skc_family;
};

struct sock___origin {
	struct sock_common___origin __sk_common;
};

struct socket___origin {
	struct sock___origin *sk;
};

struct packet_ring_buffer {
	unsigned int pg_vec_pages, pg_vec_len;
};

struct packet_sock {
	struct packet_ring_buffer rx_ring, tx_ring;
};

struct perf_buffer {
	int nr_pages, aux_nr_pages;
};

struct perf_event___origin {
	struct perf_buffer *rb;
};

struct fdtable___origin {
	unsigned int max_fds;
	struct file___origin **fd;
};

struct files_struct___origin {
	struct fdtable___origin *fdt;
};

struct task_struct___origin {
	struct files_struct___origin *files;
};

#pragma clang attribute pop

#endif
