/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of kmemtrace. Each cmd_NAME.c owns its options (argp) and help; main.c only
 * dispatches. */
#ifndef KMEMTRACE_CMD_H
#define KMEMTRACE_CMD_H

#include <stdbool.h>

struct cmd {
	const char *name;
	const char *summary; /* one line for `kmemtrace --help` */
	int (*run)(int argc,
		   char **argv); /* argv[0] is the command's name; returns the exit status */
	bool bounded;            /* it reads captures, which may be hostile: see base/bounds.h */
};

/* Exit statuses, the same for every command. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* the command failed; stderr says why */
	EXIT_USAGE = 2,  /* the command line was wrong */
	EXIT_GROWTH = 3  /* --fail-if-growth found growth */
};

int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_balance(int argc, char **argv);
int cmd_census(int argc, char **argv);
int cmd_refs(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_explain(int argc, char **argv);

#endif
