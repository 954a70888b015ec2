/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs a command of kmemtrace in a child. Include after cmocka.h. */
#ifndef TESTS_UNIT_RUN_COMMAND_H
#define TESTS_UNIT_RUN_COMMAND_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

/* With stdout to `out` and stderr to the file "stderr" of scratch.h. Returns its exit status. */
static inline int run_command(int (*command)(int argc, char **argv), const char *out, char **argv)
{
	int status, argc = 0;
	pid_t pid;

	while (argv[argc])
		argc++;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		char *err = path_of("stderr");

		if (!freopen(out, "w", stdout) || !freopen(err, "w", stderr))
			_exit(99);
		free(err);
		exit(command(argc, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif
