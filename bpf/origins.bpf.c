// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that no line of /proc/meminfo counts, found from their own structures: the data in pipes,
 * the rings of packet sockets and of perf. The loader (user/trace/origins.c) reads this iterator,
 * which visits each open file once for each process that has it, and writes a record for each such
 * file. It only reads, and trusts nothing that it reads. An object of its own: a kernel that
 * refuses it still has a census.
 */
#include "cpus.bpf.h"
#include "origins.h"

#define FILE_TYPE   0170000
#define FILE_PIPE   0010000
#define FILE_SOCKET 0140000
#define AF_PACKET   17
#define BUFFERS     256 /* of a pipe that are looked at; a pipe of 1 MiB has as many */

char LICENSE[] SEC("license") = "GPL";

__u64 origins_perf = 0; /* f_op of files of perf events; 0: not known, so none are found */

/* Argument: a file descriptor of this process. Answer: its f_op in origins_perf. */
SEC("?raw_tp")
int origins_learn(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct___origin *task = (void *)bpf_get_current_task();
	struct fdtable___origin *table = BPF_CORE_READ(task, files, fdt);
	struct file___origin **files = BPF_CORE_READ(table, fd), *file = NULL;
	__u64 fd = ctx->args[0];

	if (fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	origins_perf = (__u64)BPF_CORE_READ(file, f_op);
	return 0;
}

/* Is this page of a pipe its own? Pages that were spliced into it belong to a file. */
GLOBAL int origin_page(__u64 buffer)
{
	struct page *page = BPF_CORE_READ((struct pipe_buffer *)buffer, page);

	return page && !BPF_CORE_READ(page, mapping);
}

/*
 * Pages of data in a pipe. Where it has more than BUFFERS pages, the rest is taken to be like
 * these.
 */
GLOBAL int origin_pipe(__u64 address)
{
	struct pipe_inode_info *pipe = (void *)address;
	__u32 head = BPF_CORE_READ(pipe, head), tail = BPF_CORE_READ(pipe, tail);
	__u32 ring = BPF_CORE_READ(pipe, ring_size), used = head - tail, own = 0;
	__u64 bufs = (__u64)BPF_CORE_READ(pipe, bufs);

	if (!bufs || !ring || used > ring)
		return 0;
	/* 64 bits: the verifier of 5.10 forgets a smaller number when it is put on the stack */
	for (__u64 nr = 0; nr < BUFFERS; nr++) {
		__u64 at = (tail + nr) & (ring - 1);

		if (nr >= used)
			break;
		own += origin_page(bufs + at * bpf_core_type_size(struct pipe_buffer));
	}
	return used > BUFFERS ? (__u64)own * used / BUFFERS : own;
}

static __always_inline __u64 origin_ring(struct packet_ring_buffer *ring)
{
	return (__u64)BPF_CORE_READ(ring, pg_vec_pages) * BPF_CORE_READ(ring, pg_vec_len);
}

static __always_inline __u64 origin_packet(struct packet_sock *sock)
{
	return origin_ring(
		       (void *)((__u64)sock + bpf_core_field_offset(struct packet_sock, rx_ring))) +
	       origin_ring(
		       (void *)((__u64)sock + bpf_core_field_offset(struct packet_sock, tx_ring)));
}

/* Fill in what and how many pages. False if the file has none. */
static __always_inline bool origin_of(struct file___origin *file, struct kmt_origin *o)
{
	struct inode___origin *inode = BPF_CORE_READ(file, f_inode);
	__u32 type = BPF_CORE_READ(inode, i_mode) & FILE_TYPE;

	if (type == FILE_PIPE) {
		o->object = (__u64)BPF_CORE_READ(inode, i_pipe);
		o->kind = KMT_ORIGIN_PIPE;
		if (o->object)
			o->pages = origin_pipe(o->object);
	} else if (type == FILE_SOCKET) {
		struct socket___origin *socket = BPF_CORE_READ(file, private_data);
		struct sock___origin *sock = BPF_CORE_READ(socket, sk);

		if (BPF_CORE_READ(sock, __sk_common.skc_family) != AF_PACKET)
			return false;
		o->object = (__u64)sock;
		o->kind = KMT_ORIGIN_PACKET;
		o->pages = origin_packet((void *)sock);
	} else if (origins_perf && (__u64)BPF_CORE_READ(file, f_op) == origins_perf) {
		struct perf_event___origin *event = BPF_CORE_READ(file, private_data);
		struct perf_buffer *buffer = BPF_CORE_READ(event, rb);

		if (!buffer)
			return false;
		o->object = (__u64)buffer;
		o->kind = KMT_ORIGIN_PERF;
		/* one page more is shared with the reader */
		o->pages =
			BPF_CORE_READ(buffer, nr_pages) + BPF_CORE_READ(buffer, aux_nr_pages) + 1;
	}
	return o->pages != 0;
}

SEC("?iter/task_file")
int origins_dump(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct file___origin *file = (void *)ctx->file;
	struct task_struct *task = ctx->task;
	struct kmt_origin o = {};

	if (!task || !file || !origin_of(file, &o))
		return 0;
	o.tgid = BPF_CORE_READ(task, tgid);
	bpf_probe_read_kernel_str(o.comm, sizeof(o.comm),
				  (void *)BPF_CORE_READ(task, group_leader) +
					  bpf_core_field_offset(struct task_struct, comm));
	bpf_seq_write(seq, &o, sizeof(o));
	return 0;
}
