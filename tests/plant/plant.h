/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Planted ground truth: programs that make the kernel hold a known number of known objects (plant)
 * or allocate and free many and keep none (churn), so that a test knows what a report must say.
 * Nothing beyond libc, so that they link statically and run from an initramfs on old kernels.
 */
#ifndef KMEMTRACE_TESTS_PLANT_H
#define KMEMTRACE_TESTS_PLANT_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One kind of object. Lists are comma-separated and hold no blanks: they are printed in the READY
 * line. */
struct kind {
	const char *name;
	const char *what;   /* one line for --list */
	const char *caches; /* shell patterns: names the slab cache may have, by kernel; "-" outside
			       slab */
	const char *stack;  /* kernel functions, one of which is on the stack of each allocation;
			       of plants whose types a test asks for, these types */
	const char *call;   /* the system call that makes it */
	long size; /* default of --size: bytes asked of the kernel for one object; 0: its own struct
		    */
	/* Once, before the first object; may be NULL. 0 or −errno, as step(). */
	int (*setup)(long count, long size);
	/* Make object number i, from 0; for a churn, one cycle. NULL when setup() made them all. */
	int (*step)(long i, long size);
	/* Undo what would outlive the process; may be NULL. Must not fail when setup() did. */
	void (*drop)(void);
};

extern const struct kind files_kinds[], ipc_kinds[], net_kinds[], memory_kinds[], bpf_kinds[],
	ring_kinds[], objects_kinds[], watch_kinds[], netlink_kinds[], sockets_kinds[],
	mounts_kinds[];

/*
 * Parse the command line, make the objects, print READY, hold them, drop them; returns the exit
 * status. `tables` is a NULL-terminated list of kind tables, each ended by a kind without a name.
 */
int kinds_main(int argc, char **argv, const struct kind *const *tables);

/* An empty tmpfs that no other process sees, as working directory; it goes when the process does.
 */
int private_tmpfs(void);

/* A network namespace that no other process sees, of which only the loopback is up. */
int private_net(void);

/* One io_uring of RING_ENTRIES: queue up to that many requests, then submit them, and wait for all.
 */
#define RING_ENTRIES 64
int ring_open(void);
struct io_uring_sqe *ring_queue(int opcode, int fd, unsigned int poll_events);
int ring_submit(unsigned int nr, bool wait);
void ring_close(void);

/* 0 for a result that is not negative, else −errno. */
static inline int result(long r)
{
	return r < 0 ? -errno : 0;
}

#endif
