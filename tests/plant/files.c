// SPDX-License-Identifier: GPL-2.0-only
/* Plants that file descriptors and names hold: pipes, files, timers, epoll items, watches,
 * dentries, inodes. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include "plant.h"

/* 16 struct pipe_buffer of 40 bytes: the largest slab object of a new pipe. */
static int pipe_step(long i, long size)
{
	int fds[2];

	(void)i, (void)size;
	return result(pipe2(fds, O_CLOEXEC));
}

/* A ring of 256 pipe_buffers takes 10 KiB, more than the largest kmalloc cache: large kmalloc. */
static int pipering_step(long i, long size)
{
	int fds[2];

	(void)i;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	return result(fcntl(fds[1], F_SETPIPE_SZ, (int)(size / 40 * sysconf(_SC_PAGESIZE))));
}

static int file_step(long i, long size)
{
	(void)i, (void)size;
	return result(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static int timerfd_step(long i, long size)
{
	(void)i, (void)size;
	return result(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
}

static int memfd_step(long i, long size)
{
	(void)i, (void)size;
	return result(syscall(SYS_memfd_create, "plant", 1));
}

/* Item i watches file i % EPOLL_FILES from instance i / EPOLL_FILES: few files, many items. */
#define EPOLL_FILES 256

static int epoll_files[EPOLL_FILES], epoll_instance = -1;

static int epoll_setup(long count, long size)
{
	(void)count, (void)size;
	for (int f = 0; f < EPOLL_FILES; f++) {
		epoll_files[f] = eventfd(0, EFD_CLOEXEC);
		if (epoll_files[f] < 0)
			return -errno;
	}
	return 0;
}

static int epoll_step(long i, long size)
{
	struct epoll_event ev = {.events = EPOLLIN};

	(void)size;
	if (i % EPOLL_FILES == 0)
		epoll_instance = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_instance < 0)
		return -errno;
	return result(epoll_ctl(epoll_instance, EPOLL_CTL_ADD, epoll_files[i % EPOLL_FILES], &ev));
}

/* Watch i is on file i % WATCHED_FILES: a root user gets 128 instances by default. */
#define WATCHED_FILES 1000

static int inotify_instance = -1;

static int inotify_setup(long count, long size)
{
	int err = private_tmpfs();
	char name[16];

	(void)count, (void)size;
	for (int f = 0; !err && f < WATCHED_FILES; f++) {
		snprintf(name, sizeof(name), "%d", f);
		err = result(mknod(name, S_IFREG | 0600, 0));
	}
	return err;
}

static int inotify_step(long i, long size)
{
	char name[16];

	(void)size;
	if (i % WATCHED_FILES == 0)
		inotify_instance = inotify_init1(IN_CLOEXEC);
	if (inotify_instance < 0)
		return -errno;
	snprintf(name, sizeof(name), "%ld", i % WATCHED_FILES);
	return result(inotify_add_watch(inotify_instance, name, IN_MODIFY));
}

/* Hard links: one dentry each, pinned by tmpfs, and no inode. */
static int dentry_setup(long count, long size)
{
	int err = private_tmpfs();

	(void)count, (void)size;
	return err ? err : result(mknod("f", S_IFREG | 0600, 0));
}

static int dentry_step(long i, long size)
{
	char name[24];

	(void)size;
	snprintf(name, sizeof(name), "%lx", i + 0x10);
	return result(link("f", name));
}

/* Names that do not exist, in a file system that caches this (ext4, but not tmpfs): negative
 * dentries. */
static char missing_dir[64];

static void missing_drop(void)
{
	if (missing_dir[0])
		rmdir(missing_dir);
}

static int missing_setup(long count, long size)
{
	const char *base = getenv("TMPDIR");
	char dir[sizeof(missing_dir)];

	(void)count, (void)size;
	if (snprintf(dir, sizeof(dir), "%s/plant.XXXXXX", base ? base : "/var/tmp") >=
	    (int)sizeof(dir))
		return -ENAMETOOLONG;
	if (!mkdtemp(dir))
		return -errno;
	strcpy(missing_dir, dir);
	return result(chdir(dir));
}

static int missing_step(long i, long size)
{
	struct stat st;
	char name[24];

	(void)size;
	snprintf(name, sizeof(name), "%lx", i);
	if (!stat(name, &st))
		return -EEXIST;
	return errno == ENOENT ? 0 : -errno;
}

const struct kind files_kinds[] = {
	{"pipe", "pipes (their array of 16 pipe_buffers)", "kmalloc-*1k,kmalloc-*1024",
	 "alloc_pipe_info", "pipe2", 640, NULL, pipe_step, NULL},
	{"pipering", "pipes with rings above 8 KiB: large kmalloc", "kmalloc-large",
	 "pipe_resize_ring,pipe_set_size,pipe_fcntl", "fcntl", 10240, NULL, pipering_step, NULL},
	{"file", "open files on /dev/null", "filp", "alloc_empty_file", "open", 0, NULL, file_step,
	 NULL},
	{"timerfd", "timer descriptors", "kmalloc-*256",
	 "__do_sys_timerfd_create,__x64_sys_timerfd_create,__arm64_sys_timerfd_create,__se_sys_"
	 "timerfd_create,do_timerfd_"
	 "create",
	 "timerfd_create", 0, NULL, timerfd_step, NULL},
	{"memfd", "anonymous memory files (their shmem inode)", "shmem_inode_cache",
	 "shmem_alloc_inode,alloc_inode", "memfd_create", 0, NULL, memfd_step, NULL},
	{"epoll", "epoll items", "eventpoll_epi", "ep_insert,do_epoll_ctl", "epoll_ctl", 0,
	 epoll_setup, epoll_step, NULL},
	{"inotify", "inotify watches, at most 128,000", "inotify_inode_mark",
	 "inotify_new_watch,inotify_update_watch,__x64_sys_inotify_add_watch,__do_sys_inotify_add_"
	 "watch",
	 "inotify_add_watch", 0, inotify_setup, inotify_step, NULL},
	{"dentry", "hard links in a private tmpfs (their dentries)", "dentry", "__d_alloc,d_alloc",
	 "link", 0, dentry_setup, dentry_step, NULL},
	{"negdentry", "negative dentries in $TMPDIR or /var/tmp, reclaimable", "dentry",
	 "__d_alloc,d_alloc", "stat", 0, missing_setup, missing_step, missing_drop},
	{0},
};
