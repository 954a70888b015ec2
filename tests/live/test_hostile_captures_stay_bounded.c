// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "hostile_captures.h"

#define MIB (1 << 20)

extern char **environ;

struct cost {
	double mib, cpu_s;
	int status; /* exit status, or −signal */
	char said[400];
};

static void run(const char *const argv[], struct cost *out)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int status, fd[2];
	pid_t pid;
	ssize_t len = 0, n;

	*out = (struct cost){0};
	if (pipe2(fd, O_CLOEXEC))
		abort();
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fd[1], 2);
	if (posix_spawn(&pid, argv[0], &actions, NULL, (char **)argv, environ))
		abort();
	posix_spawn_file_actions_destroy(&actions);
	close(fd[1]);
	while ((n = read(fd[0], out->said + len, sizeof(out->said) - 1 - len)) > 0)
		len += n;
	close(fd[0]);
	if (wait4(pid, &status, 0, &usage) != pid)
		abort();
	out->mib = (double)usage.ru_maxrss / 1024;
	out->cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	out->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int main(int argc, char **argv)
{
	double mib = argc > 1 ? atof(argv[1]) : 95;
	const char *only = argc > 2 ? argv[2] : "";
	const char *cmdset = argc > 3 ? argv[3] : "";
	const char *a = "/tmp/hostile.a.kmt", *b = "/tmp/hostile.b.kmt";
	const char *bin = getenv("KMT") ?: "build/kmemtrace";

	for (size_t k = 0; k < HOSTILE_KINDS; k++) {
		const struct hostile_kind *kind = &hostile_kinds[k];
		const char *const cmds[][12] = {
			{bin, "report", a, NULL},
			{bin, "report", "-n0", a, NULL},
			{bin, "report", "-fjson", a, NULL},
			{bin, "report", "-fjson", "-n0", a, NULL},
			{bin, "report", "-fjson", "-n0", "-bcache", a, NULL},
			{bin, "report", "-fjson", "-n0", "-bsite", a, NULL},
			{bin, "report", "-fjson", "-n0", "-bprocess", a, NULL},
			{bin, "report", "-fjson", "-n0", "-bcgroup", a, NULL},
			{bin, "report", "-fjson", "-n0", "-bmodule", a, NULL},
			{bin, "report", "-fjson", "-n0", "-bpool", a, NULL},
			{bin, "report", "-fjson", "-n0", "-bsyscall", a, NULL},
			{bin, "diff", a, a, NULL},
			{bin, "diff", a, b, NULL},
			{bin, "diff", "-n0", "--all", a, b, NULL},
			{bin, "diff", "-fjson", "-n0", "--all", a, b, NULL},
			{bin, "diff", "-fjson", "-n0", "--all", "-bsite", a, b, NULL},
			{bin, "diff", "-fjson", "-n0", "--all", "-bprocess", a, b, NULL},
			{bin, "diff", "-fjson", "-n0", "--all", "-bcgroup", a, b, NULL},
			{bin, "balance", a, NULL},
		};
		size_t size;

		if (only[0] && strcmp(only, kind->name))
			continue;
		size = hostile_make(kind, (size_t)(mib * MIB), "a", a);
		hostile_make(kind, (size_t)(mib * MIB), "b", b);
		printf("%-20s %6.1f MiB\n", kind->name, (double)size / MIB);
		for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
			struct cost c;
			char name[200] = "";
			for (int w = 1; cmds[i][w]; w++)
				if (cmds[i][w] != a && cmds[i][w] != b) {
					strcat(name, cmds[i][w]);
					strcat(name, " ");
				}
			if (cmdset[0] && strncmp(name, cmdset, strlen(cmdset)))
				continue;
			run(cmds[i], &c);
			printf("  %-36s %8.0f MiB %6.1f s %4d %s%s", name, c.mib, c.cpu_s, c.status,
			       c.mib > 1024 || c.cpu_s > 20 ? "OVER " : "",
			       c.said[0] ? c.said : "\n");
			fflush(stdout);
		}
	}
	return 0;
}
