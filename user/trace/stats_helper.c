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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/privileges.h"

#define ANSWER_S 2  /* time to wait for an answer: the host may be overloaded */
#define WALK_S   10 /* the same for the BPF objects */

enum request { REQUEST_STATS = '?', REQUEST_BPF = 'b' };

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

static bool answer(int sock, int answer_fd)
{
	struct message m;

	message_init(&m);
	if (answer_fd < 0) {
		m.err = -errno;
		m.head.msg_control = NULL;
		m.head.msg_controllen = 0;
	} else {
		struct cmsghdr *c = CMSG_FIRSTHDR(&m.head);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &answer_fd, sizeof(answer_fd));
	}
	return sendmsg(sock, &m.head, MSG_NOSIGNAL) >= 0;
}

/* A file without a name that holds all BPF objects; −1 with errno set. */
static int objects_file(int recorder)
{
	_cleanup_(bpf_objects_free) struct bpf_objects o = {0};
	int fd = -1, err = bpf_objects_read(recorder, &o);

	if (!err) {
		fd = memfd_create("kmemtrace-bpf", MFD_CLOEXEC);
		err = fd < 0 ? -errno : bpf_objects_write(fd, &o);
	}
	if (err && fd >= 0) {
		close(fd);
		fd = -1;
	}
	errno = -err;
	return fd;
}

static void serve(int sock, int recorder)
{
	char request;

	while (recv(sock, &request, sizeof(request), 0) == sizeof(request)) {
		int fd = request == REQUEST_BPF ? objects_file(recorder)
						: bpf_enable_stats(BPF_STATS_RUN_TIME);
		bool answered = answer(sock, fd);

		if (fd >= 0)
			close(fd);
		if (!answered)
			return;
	}
}

/*
 * Keep only the socket (as descriptor 3) and two capabilities. Only SIGKILL or the end of the
 * recorder ends the helper.
 */
static void helper_main(int sock, int recorder)
{
	static const struct privilege wanted[] = {
		{.cap = CAP_SYS_ADMIN, .what = "count run time and read BPF objects"},
		{.cap = CAP_SYS_PTRACE, .what = "see which processes hold BPF objects"},
	};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "kmemtrace-stats");
	if (dup2(sock, 3) < 0 || chdir("/"))
		_exit(1);
	close_range(0, 2, 0);
	close_range(4, ~0u, 0);
	privileges_keep(wanted, sizeof(wanted) / sizeof(wanted[0]), NULL);
	serve(3, recorder);
	_exit(0);
}

/* ---- the recorder's side ---- */

int stats_helper_start(struct stats_helper *h)
{
	struct timeval limit = {.tv_sec = ANSWER_S};
	int socks[2], err, recorder = getpid();

	*h = (struct stats_helper){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		return -errno;
	h->pid = fork();
	err = errno;
	if (!h->pid)
		helper_main(socks[1], recorder);
	close(socks[1]);
	if (h->pid < 0) {
		close(socks[0]);
		return -err;
	}
	setsockopt(socks[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	h->fd = socks[0];
	return 0;
}

/* Send a request and wait for the descriptor that answers it, or −errno. */
static int helper_ask(struct stats_helper *h, char request)
{
	struct message m;
	struct cmsghdr *c;
	int fd;

	message_init(&m);
	if (h->fd < 0)
		return -ESRCH;
	if (send(h->fd, &request, 1, MSG_NOSIGNAL) != 1 ||
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

int stats_helper_ask(struct stats_helper *h)
{
	return helper_ask(h, REQUEST_STATS);
}

static void helper_wait(struct stats_helper *h, time_t seconds)
{
	struct timeval limit = {.tv_sec = seconds};

	setsockopt(h->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

int stats_helper_bpf(struct stats_helper *h, struct bpf_objects *out)
{
	_cleanup_close_ int fd = -1;

	if (h->fd >= 0)
		helper_wait(h, WALK_S);
	fd = helper_ask(h, REQUEST_BPF);
	if (h->fd >= 0)
		helper_wait(h, ANSWER_S);
	return fd < 0 ? fd : bpf_objects_load(fd, out);
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
