/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command that a recording runs, and its exit status. The recorder starts it, polls it and ends
 * it. Must never wait long for it.
 */
#ifndef KMEMTRACE_RECORD_COMMAND_H
#define KMEMTRACE_RECORD_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct command {
	pid_t pid;    /* 0: none, or it has ended */
	int status;   /* as a shell reports it: 128 + signal; 127 no such command; 126 cannot be run
		       */
	bool stopped; /* ended by command_stop(), not by itself */
};

/*
 * Start it with the signals and limits that this process inherited (base/inherited.h) and its
 * current privileges. argv is NULL-terminated; NULL: no command. Returns 0, or −errno after
 * printing why; the status is then 127 or 126.
 */
int command_start(struct command *c, char **argv);
/* True once it has ended; c->status is then set. */
bool command_ended(struct command *c);
/* End the command because the recording ends first. Waits only briefly. */
void command_stop(struct command *c);

#endif
