// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn KIND COUNT: run COUNT cycles that allocate and free, and leave no object. Most kinds free
 * in bulk or after an RCU grace period, without a tracepoint, which other tracers report as leaks.
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

/* Removed explicitly in one cycle, and by closing the watched file in the next. */
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

/* Protecting the middle page splits the area in three. Unmapping frees all: vm_area_struct,
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

/* ---- io_uring: requests are allocated and freed in bulk ---- */

#define RING_LIFE 4096 /* cycles, then a new ring, so that its cached requests are freed too */

static int always; /* an event descriptor that is always writable */

static int iouring_setup(long count, long size)
{
	(void)count, (void)size;
	always = eventfd(0, 0);
	return result(always);
}

/* Queue request i. After every RING_ENTRIES requests, submit them together and wait. */
static int iouring_step(long i, long size)
{
	(void)size;
	if (i % RING_LIFE == 0) {
		int err;

		ring_close();
		err = ring_open();
		if (err)
			return err;
	}
	ring_queue(i % 2 ? IORING_OP_POLL_ADD : IORING_OP_NOP, i % 2 ? always : -1, POLLOUT);
	/* the rest at the end is freed with the ring */
	return (i + 1) % RING_ENTRIES ? 0 : ring_submit(RING_ENTRIES, true);
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
	 iouring_setup, iouring_step, ring_close},
	{0},
};

int main(int argc, char **argv)
{
	const struct kind *const tables[] = {churn_kinds, NULL};

	return kinds_main(argc, argv, tables);
}
