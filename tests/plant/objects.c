// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plants of many kinds of kernel objects, most of them in caches that they share with others. A
 * test asks the census what they are; `stack` is the type, by the kernel's source.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#include "plant.h"

static int timerfds_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(timerfd_create(CLOCK_MONOTONIC, 0));
}

static int epolls_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(epoll_create1(0));
}

static int eventfds_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(eventfd(0, 0));
}

static int pipes_step(long i, long size)
{
	int fds[2];

	(void)i;
	(void)size;
	return result(pipe(fds));
}

/* The owner of a file, to be signalled. */
static int owner_step(long i, long size)
{
	int fd = eventfd(0, 0);

	(void)i;
	(void)size;
	return fd < 0 ? -errno : result(fcntl(fd, F_SETOWN, getpid()));
}

static int fsopen_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(syscall(SYS_fsopen, "tmpfs", 0));
}

/* What is left of System V goes with the namespace. */
static int ipc_setup(long count, long size)
{
	FILE *limits;

	(void)count;
	(void)size;
	if (unshare(CLONE_NEWIPC))
		return -errno;
	limits = fopen("/proc/sys/kernel/msgmni", "w");
	if (limits) {
		fprintf(limits, "%ld\n", count + 16);
		fclose(limits);
	}
	return 0;
}

static int shm_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(shmget(IPC_PRIVATE, 4096, 0600));
}

static int msgq_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(msgget(IPC_PRIVATE, 0600));
}

static int sem_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(semget(IPC_PRIVATE, 1, 0600));
}

/* What would be undone if the process ended. */
static int semundo_step(long i, long size)
{
	struct sembuf up = {.sem_op = 1, .sem_flg = SEM_UNDO};
	int id = semget(IPC_PRIVATE, 1, 0600);

	(void)i;
	(void)size;
	return id < 0 ? -errno : result(semop(id, &up, 1));
}

static int inotify_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(inotify_init1(0));
}

static int netlinks_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int packets_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int unixes_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int ptimer_setup(long count, long size)
{
	(void)count;
	(void)size;
	signal(SIGRTMIN, SIG_IGN);
	return 0;
}

static int ptimer_step(long i, long size)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	timer_t timer;

	(void)i;
	(void)size;
	return result(timer_create(CLOCK_MONOTONIC, &event, &timer));
}

static int pty_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(posix_openpt(O_RDWR | O_NOCTTY));
}

static int uring_step(long i, long size)
{
	struct io_uring_params params = {0};

	(void)i;
	(void)size;
	return result(syscall(SYS_io_uring_setup, 1, &params));
}

/* A socket may join few groups, so it takes one for each 16. */
static int mcast_step(long i, long size)
{
	static int fd = -1;
	struct ip_mreqn group = {.imr_multiaddr.s_addr = htonl(0xef000001u + (unsigned int)i),
				 .imr_ifindex = 1};

	(void)size;
	if (i % 16 == 0)
		fd = socket(AF_INET, SOCK_DGRAM, 0);
	return fd < 0 ? -errno
		      : result(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group,
					  sizeof(group)));
}

static int maps_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(open("/proc/self/maps", O_RDONLY));
}

static int sysfs_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(open("/sys/kernel/uevent_seqnum", O_RDONLY));
}

/* Each filter stays, because later ones name it as the one before. */
static int seccomp_step(long i, long size)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {.len = 1, .filter = allow};

	(void)size;
	if (!i && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return result(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}

/* A namespace stays as long as a descriptor names it. */
static int ipcns_step(long i, long size)
{
	(void)i;
	(void)size;
	if (unshare(CLONE_NEWIPC))
		return -errno;
	return result(open("/proc/self/ns/ipc", O_RDONLY));
}

static int faultfd_step(long i, long size)
{
	(void)i;
	(void)size;
	return result(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int locks_setup(long count, long size)
{
	(void)count;
	(void)size;
	return private_tmpfs();
}

/* Locks of every second byte, which cannot be merged. */
static int locks_step(long i, long size)
{
	static int fd = -1;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1};

	(void)size;
	if (fd < 0)
		fd = open("locks", O_CREAT | O_RDWR, 0600);
	return fd < 0 ? -errno : result(fcntl(fd, F_OFD_SETLK, &lock));
}

/* A filter of a socket. */
static int sockfilter_step(long i, long size)
{
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, 0xffff)};
	struct sock_fprog program = {.len = 1, .filter = all};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)i;
	(void)size;
	return fd < 0 ? -errno
		      : result(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
					  sizeof(program)));
}

const struct kind objects_kinds[] = {
	{.name = "timerfds",
	 .what = "timerfds",
	 .caches = "kmalloc*-256",
	 .stack = "timerfd_ctx",
	 .call = "timerfd_create",
	 .step = timerfds_step},
	{.name = "epolls",
	 .what = "epoll instances",
	 .caches = "kmalloc*-256",
	 .stack = "eventpoll",
	 .call = "epoll_create1",
	 .step = epolls_step},
	{.name = "eventfds",
	 .what = "eventfds",
	 .caches = "kmalloc*-64",
	 .stack = "eventfd_ctx",
	 .call = "eventfd2",
	 .step = eventfds_step},
	{.name = "pipes",
	 .what = "empty pipes",
	 .caches = "kmalloc*-192",
	 .stack = "pipe_inode_info",
	 .call = "pipe",
	 .step = pipes_step},
	{.name = "owner",
	 .what = "owners of files (F_SETOWN), from 6.12",
	 .caches = "kmalloc*-64",
	 .stack = "fown_struct",
	 .call = "fcntl",
	 .step = owner_step},
	{.name = "fsopen",
	 .what = "file systems being configured",
	 .caches = "kmalloc*-192",
	 .stack = "fs_context",
	 .call = "fsopen",
	 .step = fsopen_step},
	{.name = "shm",
	 .what = "System V shared memory",
	 .caches = "kmalloc*-256",
	 .stack = "shmid_kernel",
	 .call = "shmget",
	 .setup = ipc_setup,
	 .step = shm_step},
	{.name = "msgq",
	 .what = "System V message queues",
	 .caches = "kmalloc*-256",
	 .stack = "msg_queue",
	 .call = "msgget",
	 .setup = ipc_setup,
	 .step = msgq_step},
	{.name = "sem",
	 .what = "System V semaphores",
	 .caches = "kmalloc*-512",
	 .stack = "sem_array",
	 .call = "semget",
	 .setup = ipc_setup,
	 .step = sem_step},
	{.name = "semundos",
	 .what = "undo lists of System V semaphores",
	 .caches = "kmalloc*",
	 .stack = "sem_undo",
	 .call = "semop",
	 .setup = ipc_setup,
	 .step = semundo_step},
	{.name = "inotifies",
	 .what = "inotify instances",
	 .caches = "kmalloc*-256,kmalloc*-512",
	 .stack = "fsnotify_group",
	 .call = "inotify_init1",
	 .step = inotify_step},
	{.name = "netlinks",
	 .what = "netlink sockets",
	 .caches = "kmalloc*-2k",
	 .stack = "netlink_sock",
	 .call = "socket",
	 .step = netlinks_step},
	{.name = "packets",
	 .what = "packet sockets",
	 .caches = "kmalloc*-2k",
	 .stack = "packet_sock",
	 .call = "socket",
	 .step = packets_step},
	{.name = "unixes",
	 .what = "Unix sockets",
	 .caches = "UNIX*",
	 .stack = "unix_sock",
	 .call = "socket",
	 .step = unixes_step},
	{.name = "ptimer",
	 .what = "POSIX timers",
	 .caches = "posix_timers_cache",
	 .stack = "k_itimer",
	 .call = "timer_create",
	 .setup = ptimer_setup,
	 .step = ptimer_step},
	{.name = "pty",
	 .what = "pseudo terminals",
	 .caches = "kmalloc*-1k",
	 .stack = "tty_struct",
	 .call = "openat",
	 .step = pty_step},
	{.name = "uring",
	 .what = "io_urings",
	 .caches = "kmalloc*-2k,kmalloc*-4k",
	 .stack = "io_ring_ctx",
	 .call = "io_uring_setup",
	 .step = uring_step},
	{.name = "mcast",
	 .what = "multicast groups of an interface",
	 .caches = "kmalloc*-192,kmalloc*-256",
	 .stack = "ip_mc_list",
	 .call = "setsockopt",
	 .step = mcast_step},
	{.name = "maps",
	 .what = "open /proc/self/maps",
	 .caches = "kmalloc*",
	 .stack = "proc_maps_private",
	 .call = "openat",
	 .step = maps_step},
	{.name = "sysfs",
	 .what = "open files of sysfs",
	 .caches = "kmalloc*-192,kmalloc*-256",
	 .stack = "kernfs_open_file",
	 .call = "openat",
	 .step = sysfs_step},
	{.name = "seccomp",
	 .what = "filters of system calls",
	 .caches = "kmalloc*",
	 .stack = "seccomp_filter",
	 .call = "prctl",
	 .step = seccomp_step},
	{.name = "ipcns",
	 .what = "IPC namespaces",
	 .caches = "kmalloc*-1k,kmalloc*-2k",
	 .stack = "ipc_namespace",
	 .call = "unshare",
	 .step = ipcns_step},
	{.name = "faultfd",
	 .what = "userfaultfds",
	 .caches = "userfaultfd_ctx_cache",
	 .stack = "userfaultfd_ctx",
	 .call = "userfaultfd",
	 .step = faultfd_step},
	{.name = "locks",
	 .what = "locks of a file",
	 .caches = "file_lock_cache",
	 .stack = "file_lock",
	 .call = "fcntl",
	 .setup = locks_setup,
	 .step = locks_step},
	{.name = "sockfilter",
	 .what = "filters of sockets",
	 .caches = "kmalloc*-32,kmalloc*-64",
	 .stack = "sk_filter",
	 .call = "setsockopt",
	 .step = sockfilter_step},
	{0},
};
