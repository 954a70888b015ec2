// SPDX-License-Identifier: GPL-2.0-only
/* Saves, changes and restores the inherited signals and limits. See inherited.h. */
#include "base/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static struct {
	sigset_t mask;
	sigset_t ignored;
	struct rlimit limits[RLIM_NLIMITS];
} inherited;

/* Signals whose disposition is changed, and the new disposition. */
static const struct {
	int sig;
	void (*handler)(int);
} changed[] = {{SIGPIPE, SIG_IGN}, {SIGXFSZ, SIG_IGN}, {SIGCHLD, SIG_DFL}};
#define NR_CHANGED (sizeof(changed) / sizeof(changed[0]))

/*
 * Open closed standard streams in the wrong direction: reading or writing them then fails with
 * EBADF, as on a closed stream.
 */
static void streams_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

void inherited_take(void)
{
	struct rlimit *files = &inherited.limits[RLIMIT_NOFILE], all;

	sigprocmask(SIG_BLOCK, NULL, &inherited.mask);
	sigemptyset(&inherited.ignored);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction action;

		if (!sigaction(sig, NULL, &action) && action.sa_handler == SIG_IGN)
			sigaddset(&inherited.ignored, sig);
	}
	for (int i = 0; i < RLIM_NLIMITS; i++)
		getrlimit(i, &inherited.limits[i]);
	for (size_t i = 0; i < NR_CHANGED; i++)
		signal(changed[i].sig, changed[i].handler);
	all = (struct rlimit){files->rlim_max, files->rlim_max};
	setrlimit(RLIMIT_NOFILE, &all);
	streams_open();
}

bool inherited_ignores(int sig)
{
	return sigismember(&inherited.ignored, sig) == 1;
}

void inherited_restore(void)
{
	for (size_t i = 0; i < NR_CHANGED; i++)
		signal(changed[i].sig, inherited_ignores(changed[i].sig) ? SIG_IGN : SIG_DFL);
	for (int i = 0; i < RLIM_NLIMITS; i++)
		setrlimit(i, &inherited.limits[i]);
	sigprocmask(SIG_SETMASK, &inherited.mask, NULL);
}
