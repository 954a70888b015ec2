// SPDX-License-Identifier: GPL-2.0-only
/* The recorded command. See command.h. */
#include "live/command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

int command_start(struct command *c, char **argv)
{
	sigset_t none;

	if (!argv)
		return 0;
	c->pid = fork();
	if (c->pid < 0)
		return log_error(errno, "cannot start %s (%s)", argv[0], strerror(errno));
	if (c->pid)
		return 0;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	log_error(errno, "cannot run %s (%s)", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
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
