// SPDX-License-Identifier: GPL-2.0-only
/*
 * No capture, however made, takes a reader above 1 GiB of memory or 20 s of CPU time: else whoever
 * sends a file to a host can take it down. Measured from outside (wait4), of the binary as it is
 * installed; needs no privilege.
 *
 * test_hostile_captures_stay_bounded --table [MIB] [KIND] prints the table of
 * docs/capture-format.md ("Bounds"): each kind at MIB (95), and, where that is refused, as large as
 * the reader takes it, with each command. `--honest FILE` writes the capture of a large host's day.
 */
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

#include "honest_capture.h"
#include "hostile_captures.h"

#define MIB           (1 << 20)
#define MOST_MIB      1024.0
#define MOST_S        20.0
#define WORDS_MAX     10
#define MOST_EXPORT_S 6.0 /* of a capture with 20,000 call paths; 0.7 to 2.5 s were measured */

extern char **environ;

static char dir[] = "/tmp/kmemtrace-bounds.XXXXXX", base[64], other[64];

/* What may be run; A and B stand for two captures of one kind. */
static const char *const commands[][WORDS_MAX] = {
	{"report", "A"},
	{"report", "-n0", "A"},
	{"report", "-fjson", "-n0", "A"},
	{"report", "-fjson", "-n0", "-bcache", "A"},
	{"report", "-fjson", "-n0", "-bsite", "A"},
	{"report", "-fjson", "-n0", "-bprocess", "A"},
	{"report", "-fjson", "-n0", "-bcgroup", "A"},
	{"report", "-fjson", "-n0", "-bmodule", "A"},
	{"report", "-fjson", "-n0", "-bpool", "A"},
	{"report", "-fjson", "-n0", "-bsyscall", "A"},
	{"report", "-fjson", "-n0", "--from=1", "A"},
	{"diff", "A", "A"},
	{"diff", "-n0", "--all", "A", "B"},
	{"diff", "-fjson", "-n0", "--all", "A", "B"},
	{"diff", "-fjson", "-n0", "--all", "-bsite", "A", "B"},
	{"diff", "-fjson", "-n0", "--all", "-bprocess", "A", "B"},
	{"diff", "-fjson", "-n0", "--all", "-bcgroup", "A", "B"},
	{"balance", "A"},
	{"export", "-fpprof", "-o/dev/null", "A"},
	{"export", "-fpprof", "-o/dev/null", "--base", "A", "A"},
	{"export", "-ffolded", "--root=process,cgroup,pool,cache", "A"},
	{"export", "-ffolded", "-bprocess", "A"},
	{"export", "-fopenmetrics", "A"},
	{"export", "-fndjson", "A"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

struct cost {
	double mib, cpu_s;
	int status; /* exit status, or −signal */
	char said[400];
};

static void run(const char *const words[WORDS_MAX], struct cost *out)
{
	const char *argv[WORDS_MAX + 2] = {"build/kmemtrace"};
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int status, fd[2];
	ssize_t len = 0, n;
	pid_t pid;

	for (int i = 0; i < WORDS_MAX && words[i]; i++)
		argv[i + 1] = !strcmp(words[i], "A")   ? base
			      : !strcmp(words[i], "B") ? other
						       : words[i];
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
	while ((n = read(fd[0], out->said + len, sizeof(out->said) - 1 - (size_t)len)) > 0)
		len += n;
	close(fd[0]);
	if (wait4(pid, &status, 0, &usage) != pid)
		abort();
	out->mib = (double)usage.ru_maxrss / 1024;
	out->cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	out->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void print_words(const char *const words[WORDS_MAX], FILE *out)
{
	for (int i = 0; i < WORDS_MAX && words[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", words[i]);
}

/* It is within the bounds, and was done. */
static bool is_bounded(const struct hostile_kind *kind, const char *const words[WORDS_MAX])
{
	struct cost c;

	run(words, &c);
	if (c.mib <= MOST_MIB && c.cpu_s <= MOST_S && !c.status)
		return true;
	fprintf(stderr, "%s: ", kind->name);
	print_words(words, stderr);
	fprintf(stderr, ": %.0f MiB, %.1f s, status %d: %s\n", c.mib, c.cpu_s, c.status, c.said);
	return false;
}

static bool needs_other(const char *const words[WORDS_MAX])
{
	for (int i = 0; i < WORDS_MAX && words[i]; i++)
		if (!strcmp(words[i], "B"))
			return true;
	return false;
}

/* Of each kind in CI as much as the reader takes, or nearly so, and the command that costs most. */
static void what_is_read_stays_bounded(void **state)
{
	bool bounded = true;

	(void)state;
	for (size_t k = 0; k < HOSTILE_KINDS; k++) {
		const struct hostile_kind *kind = &hostile_kinds[k];

		if (!kind->in_ci)
			continue;
		hostile_write(kind, kind->in_ci, "a", base);
		if (needs_other(commands[kind->command]))
			hostile_write(kind, kind->in_ci, "b", other);
		bounded &= is_bounded(kind, commands[kind->command]);
	}
	assert_true(bounded);
}

/* What is beyond the budget is refused, in little time, with the figure and what to do. */
static void what_is_too_large_is_refused(void **state)
{
	static const char *const kinds[] = {"held-mixed", "caches", "stacks-held"};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct hostile_kind *kind = hostile_find(kinds[i]);
		struct cost c;

		hostile_write(kind, 1000000, "a", base);
		run(commands[2], &c);
		if (c.status != 1 || !strstr(c.said, "384 MiB") || !strstr(c.said, "record anew") ||
		    c.mib > 500 || c.cpu_s > 10)
			fail_msg("%s: %.0f MiB, %.1f s, %d: %s", kinds[i], c.mib, c.cpu_s, c.status,
				 c.said);
	}
}

/* A large host's hours, with checkpoints, are read whole. */
static void a_large_host_is_read_whole(void **state)
{
	struct honest h = honest_large;
	struct cost c;

	(void)state;
	h.checkpoints = 4;
	h.snapshots = 6;
	honest_write(&h, base);
	for (size_t i = 2; i < COMMANDS; i += 11) { /* report as JSON, diff as JSON */
		const char *words[WORDS_MAX];

		memcpy(words, commands[i], sizeof(words));
		for (int w = 0; w < WORDS_MAX && words[w]; w++)
			words[w] = !strcmp(words[w], "B") ? "A" : words[w];
		run(words, &c);
		if (c.status || c.mib > MOST_MIB || c.cpu_s > MOST_S)
			fail_msg("%s: %.0f MiB, %.1f s, %d: %s", words[0], c.mib, c.cpu_s, c.status,
				 c.said);
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i][0], "export") != 0)
			continue;
		run(commands[i], &c);
		if (c.status || c.mib > MOST_MIB || c.cpu_s > MOST_EXPORT_S)
			fail_msg("export %s: %.0f MiB, %.1f s, %d: %s", commands[i][1], c.mib,
				 c.cpu_s, c.status, c.said);
	}
}

/* ---- the table ---- */

static void print_costs(const char *what)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		struct cost c;

		run(commands[i], &c);
		printf("%s\t", what);
		print_words(commands[i], stdout);
		printf("\t%.0f MiB\t%.1f s\t%d\t%s%s", c.mib, c.cpu_s, c.status,
		       c.mib > MOST_MIB || c.cpu_s > MOST_S ? "OVER " : "",
		       c.said[0] ? c.said : "\n");
		fflush(stdout);
	}
}

/* The kind as large as the reader takes it: from a size it refuses downward. */
static void print_kind(const struct hostile_kind *kind, size_t bytes)
{
	size_t size, n = hostile_make(kind, bytes, "a", base, &size);
	struct cost c;
	char what[100];

	run(commands[0], &c);
	printf("%s\t%.1f MiB, %zu rows\t%.0f MiB\t%.1f s\t%d\t%s", kind->name, (double)size / MIB,
	       n, c.mib, c.cpu_s, c.status, c.said[0] ? c.said : "\n");
	while (c.status && n > 100) {
		n = n * 4 / 5;
		size = hostile_write(kind, n, "a", base);
		run(commands[0], &c);
	}
	hostile_write(kind, n, "b", other);
	snprintf(what, sizeof(what), "%s\t%.1f MiB, %zu rows", kind->name, (double)size / MIB, n);
	print_costs(what);
}

static int print_table(int argc, char **argv)
{
	double mib = argc > 2 ? atof(argv[2]) : 95;

	if (argc > 3 && !strcmp(argv[3], "honest")) {
		snprintf(base, sizeof(base), "%s", argv[4]);
		snprintf(other, sizeof(other), "%s", argv[4]);
		print_costs("honest");
		return 0;
	}
	for (size_t k = 0; k < HOSTILE_KINDS; k++)
		if (argc <= 3 || !strcmp(argv[3], hostile_kinds[k].name))
			print_kind(&hostile_kinds[k], (size_t)(mib * MIB));
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_stays_bounded),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(a_large_host_is_read_whole),
	};
	int status;

	if (argc > 2 && !strcmp(argv[1], "--honest")) {
		honest_write(&honest_large, argv[2]);
		return 0;
	}
	if (!mkdtemp(dir))
		abort();
	snprintf(base, sizeof(base), "%s/a.kmt", dir);
	snprintf(other, sizeof(other), "%s/b.kmt", dir);
	status = argc > 1 && !strcmp(argv[1], "--table")
			 ? print_table(argc, argv)
			 : cmocka_run_group_tests(tests, NULL, NULL);
	if (!strncmp(base, dir, strlen(dir))) {
		unlink(base);
		unlink(other);
	}
	rmdir(dir);
	return status;
}
