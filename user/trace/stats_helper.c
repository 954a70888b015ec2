// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both sides of the helper process: it receives one-byte requests over a socket and answers with a
 * descriptor. See stats_helper.h.
 */
#include "trace/stats_helper.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/log.h"
#include "base/privileges.h"

#define ANSWER_S 2 /* time to wait for an answer: the host may be overloaded */

/* An answer: 0 with a descriptor, or −errno without one. */
struct message {
	int err;
	struct iovec iov;
	struct msghdr head;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
};

static void message_init(struct message *m)
{
	memset(m, 0, sizeof(*m));
	m->iov = (struct iovec){&m->err, sizeof(m->err)};
	m->head.msg_iov = &m->iov;
	m->head.msg_iovlen = 1;
	m->head.msg_control = m->control.buf;
	m->head.msg_controllen = sizeof(m->control.buf);
}

/* ---- the helper's side ---- */

static bool answer(int sock, int stats_fd)
{
	struct message m;

	message_init(&m);
	if (stats_fd < 0) {
		m.err = -errno;
		m.head.msg_control = NULL;
		m.head.msg_controllen = 0;
	} else {
		struct cmsghdr *c = CMSG_FIRSTHDR(&m.head);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &stats_fd, sizeof(stats_fd));
	}
	return sendmsg(sock, &m.head, MSG_NOSIGNAL) >= 0;
}

static void serve(int sock)
{
	char request;

	while (recv(sock, &request, sizeof(request), 0) == sizeof(request)) {
		int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		bool answered = answer(sock, fd);

		if (fd >= 0)
			close(fd);
		if (!answered)
			return;
	}
}

/*
 * Keep only the socket (as descriptor 3) and one capability. Only SIGKILL or the end of the
 * recorder ends the helper.
 */
static void helper_main(int sock)
{
	static const struct privilege wanted[] = {{.cap = CAP_SYS_ADMIN, .what = "count run time"}};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "kmemtrace-stats");
	if (dup2(sock, 3) < 0 || chdir("/"))
		_exit(1);
	close_range(0, 2, 0);
	close_range(4, ~0u, 0);
	privileges_keep(wanted, 1, NULL);
	serve(3);
	_exit(0);
}

/* ---- the recorder's side ---- */

int stats_helper_start(struct stats_helper *h)
{
	struct timeval limit = {.tv_sec = ANSWER_S};
	int socks[2], err;

	*h = (struct stats_helper){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		return -errno;
	h->pid = fork();
	err = errno;
	if (!h->pid)
		helper_main(socks[1]);
	close(socks[1]);
	if (h->pid < 0) {
		close(socks[0]);
		return -err;
	}
	setsockopt(socks[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	h->fd = socks[0];
	return 0;
}

int stats_helper_ask(struct stats_helper *h)
{
	struct message m;
	struct cmsghdr *c;
	int fd;

	message_init(&m);
	if (h->fd < 0)
		return -ESRCH;
	if (send(h->fd, "?", 1, MSG_NOSIGNAL) != 1 ||
	    recvmsg(h->fd, &m.head, MSG_CMSG_CLOEXEC) != sizeof(m.err)) {
		/* A late answer would be taken for the answer to the next request. */
		log_warn(
			"the cost of tracing can no longer be measured: the helper process (pid %d) does not answer",
			(int)h->pid);
		stats_helper_stop(h);
		return -ESRCH;
	}
	c = CMSG_FIRSTHDR(&m.head);
	if (m.err || !c || c->cmsg_type != SCM_RIGHTS)
		return m.err ?: -EPROTO;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

void stats_helper_stop(struct stats_helper *h)
{
	if (h->fd < 0)
		return;
	close(h->fd);
	h->fd = -1;
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
}
