// SPDX-License-Identifier: GPL-2.0-only
/* Entry point: finds the command in one table and calls it. Nothing else belongs here. */
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <jansson.h>
#include <sqlite3.h>

#include "base/bounds.h"
#include "base/inherited.h"
#include "base/log.h"
#include "base/suggest.h"
#include "cmd.h"
#include "output.h"
#include "sym/lines.h"
#include "version.h"

#ifdef __clang__
#define COMPILER __VERSION__ /* it begins with the compiler's name */
#else
#define COMPILER "gcc " __VERSION__
#endif

static int cmd_version(int argc, char **argv);

static const struct cmd commands[] = {
	{"record", "trace kernel allocations into a capture file (root)", cmd_record, false},
	{"report", "show where kernel memory went, from a capture", cmd_report, true},
	{"diff", "show what changed from one capture (or several) to another", cmd_diff, true},
	{"export", "write a capture in a format of pprof, flame graphs, Prometheus, SQL",
	 cmd_export, true},
	{"balance", "divide MemTotal into free and user memory, kernel pools and the rest",
	 cmd_balance, true},
	{"census", "count page by page what memory is used for (root)", cmd_census, false},
	{"refs", "show what points to objects of a slab cache, or that nothing does (root)",
	 cmd_refs, false},
	{"doctor", "show what kmemtrace can trace on this kernel, and what it cannot", cmd_doctor,
	 false},
	{"explain", "explain a word that a report uses", cmd_explain, false},
	{"version", "print the version and what it was built with", cmd_version, false},
};

static int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("kmemtrace %s\n"
	       "capture schema %d, JSON schema %d\n"
	       "libbpf %s, SQLite %s, jansson %s, libdw %s; built by %s\n",
	       KMEMTRACE_VERSION, CAPTURE_SCHEMA_VERSION, JSON_SCHEMA_VERSION,
	       libbpf_version_string() + 1, sqlite3_libversion(), JANSSON_VERSION,
	       lines_library() ?: "absent", COMPILER);
	return EXIT_OK;
}

static void print_help(FILE *out)
{
	fprintf(out, "Usage: kmemtrace COMMAND [OPTION...]\n"
		     "Show where the kernel's memory went and who holds it.\n\n"
		     "Commands:\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fprintf(out,
		"\nExamples:\n"
		"  sudo kmemtrace record -d 30 -o before.kmt   trace for 30 seconds\n"
		"  kmemtrace report before.kmt                 read it, as any user, on any host\n"
		"\n`kmemtrace COMMAND --help` explains a command; see also kmemtrace(8).\n");
}

/* Suggest what the user may have meant: another word, a file to read, or an option given too early.
 */
static int unknown_command(const char *word)
{
	struct suggestion s = {0};
	size_t n = strlen(word);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		suggest_try(&s, word, commands[i].name);
	if (word[0] == '-')
		log_error(
			0,
			"a command must come before the option %s: kmemtrace COMMAND %s …; `kmemtrace --help` lists the commands",
			word, word);
	else if (n > 4 && !strcmp(word + n - 4, ".kmt"))
		log_error(0, "'%s' is not a command; to read that capture: kmemtrace report %s",
			  word, word);
	else if (s.word)
		log_error(
			0,
			"unknown command '%s'; did you mean %s? `kmemtrace --help` lists all commands",
			word, s.word);
	else
		log_error(0, "unknown command '%s'; `kmemtrace --help` lists the commands", word);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	inherited_take();
	output_check_at_exit();
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version"))
		return cmd_version(argc, argv);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char name[32];

		if (strcmp(argv[1], commands[i].name))
			continue;
		/* argp prints this name in messages and in the usage. */
		snprintf(name, sizeof(name), "kmemtrace %s", commands[i].name);
		argv[1] = name;
		if (commands[i].bounded)
			bounds_set();
		return commands[i].run(argc - 1, argv + 1);
	}
	return unknown_command(argv[1]);
}
