// SPDX-License-Identifier: GPL-2.0-only
/* io_uring through system calls, for plant and churn; and the requests that plant holds. */
#include <linux/io_uring.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "plant.h"

static struct ring {
	int fd;
	struct io_uring_params p;
	char *rings, *sqes;
	size_t rings_len, sqes_len;
} ring = {.fd = -1};

void ring_close(void)
{
	if (ring.fd < 0)
		return;
	munmap(ring.rings, ring.rings_len);
	munmap(ring.sqes, ring.sqes_len);
	close(ring.fd);
	ring.fd = -1;
}

/* Assume IORING_FEAT_SINGLE_MMAP (5.4): one mapping contains both rings. */
int ring_open(void)
{
	size_t sq, cq;

	memset(&ring.p, 0, sizeof(ring.p));
	ring.fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &ring.p);
	if (ring.fd < 0)
		return -errno;
	sq = ring.p.sq_off.array + ring.p.sq_entries * sizeof(unsigned int);
	cq = ring.p.cq_off.cqes + ring.p.cq_entries * sizeof(struct io_uring_cqe);
	ring.rings_len = sq > cq ? sq : cq;
	ring.sqes_len = ring.p.sq_entries * sizeof(struct io_uring_sqe);
	ring.rings = mmap(NULL, ring.rings_len, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
			  IORING_OFF_SQ_RING);
	ring.sqes = mmap(NULL, ring.sqes_len, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
			 IORING_OFF_SQES);
	return ring.rings == MAP_FAILED || ring.sqes == MAP_FAILED ? -errno : 0;
}

struct io_uring_sqe *ring_queue(int opcode, int fd, unsigned int poll_events)
{
	unsigned int *tail = (unsigned int *)(ring.rings + ring.p.sq_off.tail);
	unsigned int slot = *tail % RING_ENTRIES;
	struct io_uring_sqe *sqe = (struct io_uring_sqe *)ring.sqes + slot;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = (unsigned char)opcode;
	sqe->fd = fd;
	sqe->poll_events = opcode == IORING_OP_POLL_ADD ? (unsigned short)poll_events : 0;
	((unsigned int *)(ring.rings + ring.p.sq_off.array))[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return sqe;
}

int ring_submit(unsigned int nr, bool wait)
{
	long n = syscall(SYS_io_uring_enter, ring.fd, nr, wait ? nr : 0,
			 wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);

	if (n != (long)nr)
		return n < 0 ? -errno : -EIO;
	if (wait)
		__atomic_store_n((unsigned int *)(ring.rings + ring.p.cq_off.head),
				 *(unsigned int *)(ring.rings + ring.p.cq_off.tail),
				 __ATOMIC_RELEASE);
	return 0;
}

/* Submit request i of `count`, which was queued, with others. */
static int request_submit(long i, long count)
{
	if ((i + 1) % RING_ENTRIES && i + 1 != count)
		return 0;
	return ring_submit((unsigned int)(i % RING_ENTRIES) + 1, false);
}

/* Requests that wait for an event that never occurs. */
static int requests_setup(long count, long size)
{
	int never = eventfd(0, 0), err = never < 0 ? -errno : ring_open();

	(void)size;
	for (long i = 0; i < count && !err; i++) {
		ring_queue(IORING_OP_POLL_ADD, never, POLLIN);
		err = request_submit(i, count);
	}
	return err;
}

/* Requests that wait for a day. */
static int timeouts_setup(long count, long size)
{
	static const struct __kernel_timespec day = {.tv_sec = 86400};
	int err = ring_open();

	(void)size;
	for (long i = 0; i < count && !err; i++) {
		struct io_uring_sqe *sqe = ring_queue(IORING_OP_TIMEOUT, -1, 0);

		sqe->addr = (unsigned long)&day;
		sqe->len = 1;
		err = request_submit(i, count);
	}
	return err;
}

/* Registered buffers, all of the same page. */
static int buffers_setup(long count, long size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	struct iovec *buffers = calloc((size_t)count, sizeof(*buffers));
	int err = memory == MAP_FAILED || !buffers ? -ENOMEM : ring_open();

	(void)size;
	for (long i = 0; i < count && !err; i++)
		buffers[i] = (struct iovec){memory, page};
	err = err
		      ?: result(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS,
					buffers, count));
	free(buffers);
	return err;
}

const struct kind ring_kinds[] = {
	{"iouring", "io_uring requests that wait: allocated in bulk", "io_kiocb",
	 "__io_alloc_req_refill,io_submit_sqes,__do_sys_io_uring_enter,__se_sys_io_uring_enter",
	 "io_uring_enter", 0, requests_setup, NULL, ring_close},
	{"utimeouts", "io_uring timeouts", "kmalloc*", "io_timeout_data", "io_uring_enter", 0,
	 timeouts_setup, NULL, ring_close},
	{"ubuffers", "registered buffers of an io_uring, at most 16,384", "kmalloc*",
	 "io_mapped_ubuf", "io_uring_register", 0, buffers_setup, NULL, ring_close},
	{0},
};
