// SPDX-License-Identifier: GPL-2.0-only
/* The recorded command. See command.h. */
#include "record/command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

int command_start(struct command *c, char **argv)
{
	posix_spawnattr_t attr;
	sigset_t none;
	int err;

	if (!argv)
		return 0;
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	err = posix_spawnp(&c->pid, argv[0], NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (!err)
		return 0;
	c->pid = 0;
	c->status = err == ENOENT ? 127 : 126;
	return log_error(err, "cannot run %s (%s): nothing was recorded", argv[0], strerror(err));
}

bool command_ended(struct command *c)
{
	int status;

	if (c->pid <= 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return false;
	c->pid = 0;
	c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

void command_stop(struct command *c)
{
	if (c->pid <= 0)
		return;
	kill(c->pid, SIGTERM);
	for (int i = 0; i < 20 && !command_ended(c); i++)
		poll(NULL, 0, 10);
	if (c->pid > 0)
		log_warn("the command (pid %d) is still running", (int)c->pid);
}
