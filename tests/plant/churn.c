// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn KIND COUNT: COUNT cycles of making and unmaking, none of which leaves an object behind.
 * Most of these free in bulk or after an RCU grace period, where no tracepoint tells: what other
 * tracers call leaks.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "plant.h"

static int queue = -1;

static void msg_drop(void)
{
	if (queue >= 0)
		msgctl(queue, IPC_RMID, NULL);
}

static int msg_setup(long count, long size)
{
	(void)count, (void)size;
	if (unshare(CLONE_NEWIPC))
		return -errno;
	queue = msgget(IPC_PRIVATE, 0600);
	return result(queue);
}

static int msg_step(long i, long size)
{
	static struct {
		long type;
		char text[4096];
	} msg = {.type = 1};

	(void)i;
	if (size > (long)sizeof(msg.text))
		return -EINVAL;
	if (msgsnd(queue, &msg, (size_t)size, 0))
		return -errno;
	return result(msgrcv(queue, &msg, sizeof(msg.text), 0, 0));
}

static int eventfd_step(long i, long size)
{
	int fd = eventfd(0, 0);

	(void)i, (void)size;
	return fd < 0 ? -errno : result(close(fd));
}

/* Removed by hand in one cycle, by closing the watched file in the next. */
static int epoll_step(long i, long size)
{
	static int ep = -1;
	struct epoll_event ev = {.events = EPOLLIN};
	int fd = eventfd(0, 0);

	(void)size;
	if (ep < 0)
		ep = epoll_create1(0);
	if (ep < 0 || fd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	if (i % 2 && epoll_ctl(ep, EPOLL_CTL_DEL, fd, &ev))
		return -errno;
	return result(close(fd));
}

/* The middle page's protection splits the area in three; unmapping frees all: vm_area_struct,
 * maple_node. */
static int mmap_step(long i, long size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 3 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)i, (void)size;
	if (p == MAP_FAILED || mprotect(p + page, page, PROT_NONE))
		return -errno;
	return result(munmap(p, 3 * page));
}

static int rename_setup(long count, long size)
{
	(void)count, (void)size;
	return private_tmpfs();
}

static int rename_step(long i, long size)
{
	(void)i, (void)size;
	if (mkdir("a", 0700) || rename("a", "b"))
		return -errno;
	return result(rmdir("b"));
}

static int pipe_step(long i, long size)
{
	int fds[2];

	(void)i, (void)size;
	if (pipe(fds) || write(fds[1], "x", 1) != 1 || close(fds[0]))
		return -errno;
	return result(close(fds[1]));
}

/* Released by kfree_rcu(). */
static int timerfd_step(long i, long size)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	(void)i, (void)size;
	return fd < 0 ? -errno : result(close(fd));
}

static int socket_step(long i, long size)
{
	int fds[2];

	(void)i, (void)size;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) || send(fds[0], "x", 1, 0) != 1 ||
	    close(fds[0]))
		return -errno;
	return result(close(fds[1]));
}

static int fork_step(long i, long size)
{
	pid_t pid = fork();

	(void)i, (void)size;
	if (!pid)
		_exit(0);
	return pid < 0 ? -errno : result(waitpid(pid, NULL, 0));
}

/* ---- loopback: both ends in this process ---- */

static int sender = -1, receiver = -1;

static int loopback(int type)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, type, 0);

	sender = socket(AF_INET, type, 0);
	if (l < 0 || sender < 0 || bind(l, (struct sockaddr *)&a, len) ||
	    getsockname(l, (struct sockaddr *)&a, &len) || (type == SOCK_STREAM && listen(l, 1)) ||
	    connect(sender, (struct sockaddr *)&a, len))
		return -errno;
	receiver = type == SOCK_STREAM ? accept(l, NULL, NULL) : l;
	return result(receiver);
}

static int udp_setup(long count, long size)
{
	(void)count, (void)size;
	return loopback(SOCK_DGRAM);
}

static int tcp_setup(long count, long size)
{
	(void)count, (void)size;
	return loopback(SOCK_STREAM);
}

static int net_step(long i, long size)
{
	static char data[65536];
	long got = 0, n;

	(void)i;
	if (size > (long)sizeof(data))
		return -EINVAL;
	if (send(sender, data, (size_t)size, 0) != size)
		return -errno;
	for (; got < size; got += n) {
		n = recv(receiver, data, sizeof(data), 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
	}
	return 0;
}

/* ---- io_uring, by system call number: requests are allocated and freed in bulk ---- */

#define RING_ENTRIES 64
#define RING_LIFE    4096 /* cycles, then a new ring, so that its cached requests are freed too */

static struct ring {
	int fd;
	struct io_uring_params p;
	char *rings, *sqes;
	size_t rings_len, sqes_len;
	int always; /* an event descriptor: always writable */
} ring = {.fd = -1};

static int ring_setup(long count, long size)
{
	(void)count, (void)size;
	ring.always = eventfd(0, 0);
	return result(ring.always);
}

static void ring_close(void)
{
	if (ring.fd < 0)
		return;
	munmap(ring.rings, ring.rings_len);
	munmap(ring.sqes, ring.sqes_len);
	close(ring.fd);
	ring.fd = -1;
}

/* IORING_FEAT_SINGLE_MMAP (5.4) is taken for granted: one mapping holds both rings. */
static int ring_open(void)
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

/* Queue request i; every RING_ENTRIES of them are submitted together and waited for. */
static int iouring_step(long i, long size)
{
	unsigned int *tail, *head, slot;
	struct io_uring_sqe *sqe;
	long n;

	(void)size;
	if (i % RING_LIFE == 0) {
		int err;

		ring_close();
		err = ring_open();
		if (err)
			return err;
	}
	tail = (unsigned int *)(ring.rings + ring.p.sq_off.tail);
	slot = *tail % RING_ENTRIES;
	sqe = (struct io_uring_sqe *)ring.sqes + slot;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = i % 2 ? IORING_OP_POLL_ADD : IORING_OP_NOP;
	sqe->fd = i % 2 ? ring.always : -1;
	sqe->poll_events = i % 2 ? POLLOUT : 0;
	((unsigned int *)(ring.rings + ring.p.sq_off.array))[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if ((i + 1) % RING_ENTRIES) /* what is left over at the end goes with the ring */
		return 0;
	n = syscall(SYS_io_uring_enter, ring.fd, RING_ENTRIES, RING_ENTRIES, IORING_ENTER_GETEVENTS,
		    NULL, 0);
	if (n != RING_ENTRIES)
		return n < 0 ? -errno : -EIO;
	head = (unsigned int *)(ring.rings + ring.p.cq_off.head);
	__atomic_store_n(head, *(unsigned int *)(ring.rings + ring.p.cq_off.tail),
			 __ATOMIC_RELEASE);
	return 0;
}

static const struct kind churn_kinds[] = {
	{"msg", "send and receive messages of --size bytes", "-", "-", "msgsnd", 976, msg_setup,
	 msg_step, msg_drop},
	{"eventfd", "open and close event descriptors", "-", "-", "eventfd2", 0, NULL, eventfd_step,
	 NULL},
	{"epoll", "add epoll items; delete them or close their files", "-", "-", "epoll_ctl", 0,
	 NULL, epoll_step, NULL},
	{"mmap", "map, protect a part, unmap", "-", "-", "mmap", 0, NULL, mmap_step, NULL},
	{"rename", "make, rename and remove directories", "-", "-", "rename", 0, rename_setup,
	 rename_step, NULL},
	{"pipe", "open, fill and close pipes", "-", "-", "pipe2", 0, NULL, pipe_step, NULL},
	{"timerfd", "open and close timers: kfree_rcu", "-", "-", "timerfd_create", 0, NULL,
	 timerfd_step, NULL},
	{"socket", "unix socket pairs with a byte in flight", "-", "-", "socketpair", 0, NULL,
	 socket_step, NULL},
	{"fork", "fork, exit, wait", "-", "-", "clone", 0, NULL, fork_step, NULL},
	{"udp", "datagrams of --size bytes over loopback", "-", "-", "sendto", 512, udp_setup,
	 net_step, NULL},
	{"tcp", "writes of --size bytes over loopback", "-", "-", "sendto", 16384, tcp_setup,
	 net_step, NULL},
	{"iouring", "io_uring requests, a new ring every 4096", "-", "-", "io_uring_enter", 0,
	 ring_setup, iouring_step, ring_close},
	{0},
};

int main(int argc, char **argv)
{
	const struct kind *const tables[] = {churn_kinds, NULL};

	return kinds_main(argc, argv, tables);
}
