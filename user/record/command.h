/* SPDX-License-Identifier: GPL-2.0-only */
/* The command that a recording runs, and what became of it. */
#ifndef KMEMTRACE_RECORD_COMMAND_H
#define KMEMTRACE_RECORD_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct command {
	pid_t pid;  /* 0: none, or it has ended */
	int status; /* as a shell gives it: 128 + signal, 127 no such command, 126 it cannot run */
	bool stopped; /* by command_stop(), before it had ended by itself */
};

/* Start it with the signals and limits that this process was given (base/inherited.h) and the
 * privileges that it has now. argv is NULL-terminated, NULL for no command. 0 or −errno, which has
 * been said; the status is then 127 or 126. */
int command_start(struct command *c, char **argv);
/* Has it ended since the last call? Its status is then known. */
bool command_ended(struct command *c);
/* The recording ends before the command does: ask it to end, too, and do not wait for long. */
void command_stop(struct command *c);

#endif
