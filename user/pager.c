// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses and runs a pager: see pager.h. It is $KMEMTRACE_PAGER, else $PAGER, else less; "" and
 * "cat" mean none. Root must not run what an unprivileged user put into the environment, and the
 * pager must not give anybody a root shell (less can). So root ignores $PAGER and sets LESSSECURE.
 */
#include "pager.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inherited.h"

#define NOT_FOUND 127 /* of sh(1) */

static const char *pager_command(void)
{
	const char *own = getenv("KMEMTRACE_PAGER"), *all = geteuid() ? getenv("PAGER") : NULL;
	const char *command = own ?: all ?: "less";

	return !strcmp(command, "cat") ? "" : command;
}

bool pager_wanted(const char *document, size_t size)
{
	const char *end = document + size;
	struct winsize window;
	size_t lines = 0;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) || !*pager_command() ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) || !window.ws_row)
		return false;
	while (document < end && (document = memchr(document, '\n', (size_t)(end - document)))) {
		document++;
		lines++;
	}
	return lines >= window.ws_row; /* the prompt needs a line, too */
}

__attribute__((noreturn)) static void run(int in)
{
	setenv("LESS", "FRX", 0); /* exit if it fits; show colours; leave the text on the screen */
	if (!geteuid())
		setenv("LESSSECURE", "1", 1);
	dup2(in, STDIN_FILENO);
	inherited_restore();
	execl("/bin/sh", "sh", "-c", pager_command(), (char *)NULL);
	_exit(NOT_FOUND);
}

static void feed(int out, const char *document, size_t size)
{
	while (size) {
		ssize_t n = write(out, document, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* EPIPE: the user has seen enough */
		document += n;
		size -= (size_t)n;
	}
}

bool pager_show(const char *document, size_t size)
{
	_cleanup_close_ int in = -1, out = -1;
	void (*interrupt)(int), (*quit)(int);
	int fds[2], status = 0;
	pid_t pid, ended;

	if (pipe(fds))
		return false;
	in = fds[0];
	out = fds[1];
	pid = fork();
	if (pid < 0)
		return false;
	if (!pid) {
		close(out);
		run(in);
	}
	close(TAKE_FD(in));
	/* Ctrl-C is for the pager. If we ended first, it would keep control of the terminal. */
	interrupt = signal(SIGINT, SIG_IGN);
	quit = signal(SIGQUIT, SIG_IGN);
	feed(out, document, size);
	close(TAKE_FD(out));
	do {
		ended = waitpid(pid, &status, 0);
	} while (ended < 0 && errno == EINTR);
	signal(SIGINT, interrupt);
	signal(SIGQUIT, quit);
	return ended == pid && !(WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND);
}
