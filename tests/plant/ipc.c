// SPDX-License-Identifier: GPL-2.0-only
/* Plants in System V message queues and in keyrings. */
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "plant.h"

#define MSG_HEADER 48 /* sizeof(struct msg_msg), which shares the allocation with the text */
#define MSG_MAX    4096

static int queue = -1;

static void msg_drop(void)
{
	if (queue >= 0)
		msgctl(queue, IPC_RMID, NULL);
}

/*
 * Uses a separate IPC namespace, so that nothing is left even after SIGKILL. The namespace has its
 * own limits: writing msgmnb affects no other process and, unlike IPC_SET, needs no
 * CAP_SYS_RESOURCE.
 */
static int msg_setup(long count, long size)
{
	FILE *limit;
	int bad;

	if (size < MSG_HEADER || size > MSG_MAX || count > (INT_MAX - 65536) / size)
		return -EINVAL;
	if (unshare(CLONE_NEWIPC))
		return -errno;
	limit = fopen("/proc/sys/kernel/msgmnb", "w");
	if (!limit)
		return -errno;
	fprintf(limit, "%ld\n", count * size + 65536);
	bad = fclose(limit);
	queue = bad ? -1 : msgget(IPC_PRIVATE, 0600);
	return result(queue);
}

static int msg_step(long i, long size)
{
	static struct {
		long type;
		char text[MSG_MAX];
	} msg;

	msg.type = 1 + i % 7;
	return result(msgsnd(queue, &msg, (size_t)(size - MSG_HEADER), IPC_NOWAIT));
}

/* Use a new session keyring, so that the keys are freed with the process. */
static int key_setup(long count, long size)
{
	(void)count, (void)size;
	return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0));
}

static int key_step(long i, long size)
{
	char name[32];

	(void)size;
	snprintf(name, sizeof(name), "plant%ld", i);
	return result(syscall(SYS_add_key, "user", name, "x", 1, KEY_SPEC_SESSION_KEYRING));
}

/* Each message has a priority of its own, and the kernel keeps a tree of priorities. */
static int priority_setup(long count, long size)
{
	/* As struct mq_attr of linux/mqueue.h. */
	const long attr[8] = {0, count, size};
	FILE *limit;

	if (unshare(CLONE_NEWIPC))
		return -errno;
	limit = fopen("/proc/sys/fs/mqueue/msg_max", "w");
	if (limit) {
		fprintf(limit, "%ld\n", count);
		fclose(limit);
	}
	queue = (int)syscall(SYS_mq_open, "plant", O_CREAT | O_RDWR, 0600, attr);
	return result(queue);
}

static int priority_step(long i, long size)
{
	static const char text[MSG_MAX];

	return result(syscall(SYS_mq_timedsend, queue, text, size, i, NULL));
}

const struct kind ipc_kinds[] = {
	{"msg", "queued messages; --size is header and text together, 48 to 4096",
	 "msg_msg-*,kmalloc-*", "load_msg,alloc_msg,do_msgsnd", "msgsnd", 1024, msg_setup, msg_step,
	 msg_drop},
	{"key", "keys in a session keyring", "key_jar", "key_alloc", "add_key", 0, key_setup,
	 key_step, NULL},
	{"keytrees", "keys in a session keyring: nodes of its tree, one for about 8 keys",
	 "kmalloc*", "assoc_array_node", "add_key", 0, key_setup, key_step, NULL},
	{"priorities", "POSIX messages, each of its own priority; at most 32,768", "kmalloc*",
	 "posix_msg_tree_node", "mq_timedsend", 8, priority_setup, priority_step, NULL},
	{0},
};
