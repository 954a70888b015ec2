// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plants that a descriptor or a namespace holds, for tests that ask who holds them: POSIX message
 * queues, mounts, descriptors of signals, and marks of fanotify.
 */
#include <fcntl.h>
#include <linux/fanotify.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "plant.h"

/* Queues of one message of a byte, which have no name any more, in an IPC namespace of their own.
 */
static int mqueue_setup(long count, long size)
{
	struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	FILE *limit;

	(void)size;
	if (unshare(CLONE_NEWIPC))
		return -errno;
	setrlimit(RLIMIT_MSGQUEUE, &none);
	limit = fopen("/proc/sys/fs/mqueue/queues_max", "w");
	if (limit) {
		fprintf(limit, "%ld\n", count + 16);
		fclose(limit);
	}
	return 0;
}

static int mqueue_step(long i, long size)
{
	struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 1};
	mqd_t queue;

	(void)i, (void)size;
	queue = mq_open("/plant", O_CREAT | O_EXCL | O_RDWR, 0600, &small);
	if (queue == (mqd_t)-1)
		return -errno;
	return result(mq_unlink("/plant"));
}

static int signalfd_step(long i, long size)
{
	sigset_t none;

	(void)i, (void)size;
	sigemptyset(&none);
	return result(signalfd(-1, &none, SFD_CLOEXEC));
}

/* Each mount is one of the private file system on its own directory, which hides no other. */
static int mount_setup(long count, long size)
{
	int err = private_tmpfs();

	(void)count, (void)size;
	return err ?: result(mkdir("here", 0700));
}

static int mount_step(long i, long size)
{
	(void)i, (void)size;
	return result(mount("plant", "here", "tmpfs", 0, "mode=700"));
}

#define FILES 1000

static int marks_setup(long count, long size)
{
	int err = private_tmpfs();
	char name[16];

	(void)count, (void)size;
	for (int f = 0; !err && f < FILES; f++) {
		snprintf(name, sizeof(name), "%d", f);
		err = result(mknod(name, S_IFREG | 0600, 0));
	}
	return err;
}

/* Mark i is on file i % FILES: a user has at most 128 groups. */
static int marks_step(long i, long size)
{
	static int group = -1;
	char name[16];

	(void)size;
	if (i % FILES == 0)
		group = (int)syscall(SYS_fanotify_init,
				     FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_UNLIMITED_MARKS, O_RDONLY);
	if (group < 0)
		return -errno;
	snprintf(name, sizeof(name), "%ld", i % FILES);
	return result(syscall(SYS_fanotify_mark, group, FAN_MARK_ADD, (uint64_t)FAN_OPEN, AT_FDCWD,
			      name));
}

const struct kind watch_kinds[] = {
	{.name = "mqueue",
	 .what = "POSIX message queues",
	 .caches = "mqueue_inode_cache",
	 .stack = "mqueue_alloc_inode",
	 .call = "mq_open",
	 .setup = mqueue_setup,
	 .step = mqueue_step},
	{.name = "signalfd",
	 .what = "descriptors of signals",
	 .caches = "kmalloc-8",
	 .stack = "do_signalfd4",
	 .call = "signalfd4",
	 .step = signalfd_step},
	{.name = "mount",
	 .what = "mounts of file systems in memory, one over the other",
	 .caches = "mnt_cache",
	 .stack = "alloc_vfsmnt",
	 .call = "mount",
	 .setup = mount_setup,
	 .step = mount_step},
	{.name = "fanmark",
	 .what = "marks of fanotify",
	 .caches = "fanotify_mark,fanotify_perm_event",
	 .stack = "fanotify_add_new_mark,fanotify_add_mark",
	 .call = "fanotify_mark",
	 .setup = marks_setup,
	 .step = marks_step},
	{0},
};
