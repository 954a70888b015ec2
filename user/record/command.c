// SPDX-License-Identifier: GPL-2.0-only
/* Starts, watches and ends the recorded command. See command.h. */
#include "record/command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/inherited.h"
#include "base/limits.h"
#include "base/log.h"
#include "record/oom.h"

/*
 * Use vfork(). posix_spawn() can reset a signal to its default but cannot make it ignored again.
 * fork() would copy the page tables of the mapped tables, and the recording would see those
 * allocations itself.
 */
int command_start(struct command *c, char **argv)
{
	volatile int err = 0;
	char why[LIMITS_MAX];

	if (!argv)
		return 0;
	c->pid = vfork(); /* NOLINT(clang-analyzer-unix.Vfork): the child sets what it shares */
	if (!c->pid) {
		inherited_restore();
		oom_as_before();
		execvp(argv[0], argv);
		err = errno;
		_exit(127);
	}
	if (c->pid < 0)
		err = errno;
	else if (err)
		waitpid(c->pid, NULL, 0);
	if (!err)
		return 0;
	c->pid = 0;
	c->status = err == ENOENT ? 127 : 126;
	return log_error(err, "cannot run %s (%s): nothing was recorded", argv[0],
			 limits_explain(err, why));
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
	if (c->pid <= 0 || command_ended(c))
		return;
	c->stopped = true;
	kill(c->pid, SIGTERM);
	kill(c->pid, SIGCONT); /* a stopped process would not handle SIGTERM */
	for (int i = 0; i < 20 && !command_ended(c); i++)
		poll(NULL, 0, 10);
	if (c->pid > 0)
		log_warn("the command (pid %d) is still running", (int)c->pid);
}
