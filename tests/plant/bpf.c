// SPDX-License-Identifier: GPL-2.0-only
/* Plants that use bpf(2) directly: vmalloc areas, per-CPU memory, and any number of different
 * stacks. */
#include <linux/bpf.h>
#include <string.h>
#include <sys/socket.h>

#include "plant.h"

static long sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int map_create(enum bpf_map_type type, long value_size, long entries)
{
	union bpf_attr attr = {.map_type = type,
			       .key_size = 4,
			       .value_size = (unsigned int)value_size,
			       .max_entries = (unsigned int)entries};

	return result(sys_bpf(BPF_MAP_CREATE, &attr));
}

static int bpfarray_step(long i, long size)
{
	(void)i;
	return map_create(BPF_MAP_TYPE_ARRAY, 4096, size / 4096);
}

static int bpfpercpu_step(long i, long size)
{
	(void)i;
	return map_create(BPF_MAP_TYPE_PERCPU_ARRAY, size, 1);
}

static int trie_step(long i, long size)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_LPM_TRIE,
			       .key_size = 8,
			       .value_size = (unsigned int)size,
			       .max_entries = 16,
			       .map_flags = BPF_F_NO_PREALLOC};

	(void)i;
	return result(sys_bpf(BPF_MAP_CREATE, &attr));
}

static int ringbuf_step(long i, long size)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = (unsigned int)size};

	(void)i;
	return result(sys_bpf(BPF_MAP_CREATE, &attr));
}

/* Sockets in a map. */
static int sockmap_fd = -1;

static int sockmap_setup(long count, long size)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_SOCKMAP,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = (unsigned int)count};

	(void)size;
	sockmap_fd = (int)sys_bpf(BPF_MAP_CREATE, &attr);
	return result(sockmap_fd);
}

static int sockmap_step(long i, long size)
{
	unsigned int key = (unsigned int)i;
	union bpf_attr attr = {.map_fd = (unsigned int)sockmap_fd};
	int pair[2];

	(void)size;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)&pair[0];
	return result(sys_bpf(BPF_MAP_UPDATE_ELEM, &attr));
}

static struct bpf_insn insn(int code, int dst, int src, int off, int imm)
{
	return (struct bpf_insn){.code = (unsigned char)code,
				 .dst_reg = (unsigned char)(dst & 15),
				 .src_reg = (unsigned char)(src & 15),
				 .off = (short)off,
				 .imm = imm};
}

/*
 * A program with `sites` calls of bpf_sys_bpf(BPF_MAP_CREATE). Each call returns to a different
 * address, so each map is allocated by a different stack. Each site has five instructions, after an
 * attr of 32 bytes.
 */
static long sites_program(struct bpf_insn *p, long sites)
{
	const int attr[8] = {BPF_MAP_TYPE_ARRAY, 4, 8, 1};
	long n = 0;

	for (int w = 0; w < 8; w++)
		p[n++] = insn(BPF_ST | BPF_MEM | BPF_W, 10, 0, -32 + 4 * w, attr[w]);
	for (long s = 0; s < sites; s++) {
		p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, BPF_MAP_CREATE);
		p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
		p[n++] = insn(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -32);
		p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 32);
		p[n++] = insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sys_bpf);
	}
	/* The result of the program is the last fd or error. */
	p[n++] = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return n;
}

static int stacks_setup(long count, long size)
{
	struct bpf_insn *p = calloc((size_t)count * 5 + 16, sizeof(*p));
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_SYSCALL, .prog_flags = BPF_F_SLEEPABLE};
	union bpf_attr run = {0};
	long fd;

	(void)size;
	if (!p)
		return -ENOMEM;
	load.insn_cnt = (unsigned int)sites_program(p, count);
	load.insns = (unsigned long)p;
	load.license = (unsigned long)"GPL";
	strcpy(load.prog_name, "plant_stacks");
	fd = sys_bpf(BPF_PROG_LOAD, &load);
	free(p);
	if (fd < 0)
		return -errno;
	run.test.prog_fd = (unsigned int)fd;
	if (sys_bpf(BPF_PROG_TEST_RUN, &run))
		return -errno;
	return (int)run.test.retval < 0 ? (int)run.test.retval : 0;
}

const struct kind bpf_kinds[] = {
	{"bpfarray", "BPF array maps of --size bytes (vmalloc)", "-",
	 "array_map_alloc,bpf_map_area_alloc,__bpf_map_area_alloc", "bpf", 1 << 20, NULL,
	 bpfarray_step, NULL},
	{"bpfpercpu", "BPF per-CPU maps, --size bytes on each CPU", "-",
	 "bpf_map_alloc_percpu,array_map_alloc,bpf_array_alloc_percpu", "bpf", 4096, NULL,
	 bpfpercpu_step, NULL},
	{"stacks", "BPF maps, each created by a stack of its own (5.14 and later)", "kmalloc-*",
	 "array_map_alloc,bpf_map_area_alloc,__bpf_map_area_alloc", "bpf", 0, stacks_setup, NULL,
	 NULL},
	{"tries", "BPF maps: LPM tries", "kmalloc*", "lpm_trie", "bpf", 8, NULL, trie_step, NULL},
	{"ringbufs", "BPF maps: ring buffers", "kmalloc*", "bpf_ringbuf_map", "bpf", 4096, NULL,
	 ringbuf_step, NULL},
	{"sockmaps", "sockets in a BPF map", "kmalloc*", "sk_psock", "bpf", 0, sockmap_setup,
	 sockmap_step, NULL},
	{0},
};
