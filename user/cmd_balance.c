// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace balance`: MemTotal taken apart, now or at both ends of a capture. Wiring only. */
#include <argp.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "capture/capture.h"
#include "cmd.h"
#include "model/balance.h"
#include "model/view.h"
#include "render/balance.h"

struct balance_args {
	const char *path, *proc_root;
	bool json, explain;
};

enum { KEY_PROC = 256 };

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0, "text (default) or json", 0},
	{"explain", 'e', NULL, 0, "Show every line, empty ones too, and say what each is", 0},
	{"proc", KEY_PROC, "DIR", 0,
	 "Read this copy of /proc instead (meminfo, vmstat, zoneinfo, vmallocinfo)", 0},
	{0},
};

static const char doc[] =
	"Take MemTotal apart completely, each page once: free, processes and files, each pool of "
	"the kernel, "
	"and what no line of /proc/meminfo explains. Traces nothing. Without FILE it is about this "
	"machine "
	"now (root sees /proc/vmallocinfo too); with a capture about its start and end.\v"
	"Examples:\n"
	"  sudo kmemtrace balance                  where memory is now\n"
	"  kmemtrace balance --explain             the same, and what each line is\n"
	"  kmemtrace balance before.kmt            what changed in a recording\n"
	"  kmemtrace balance --format json | jq .unaccounted_percent\n";

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct balance_args *args = state->input;

	switch (key) {
	case 'f':
		if (strcmp(arg, "text") && strcmp(arg, "json"))
			argp_error(state, "unknown format '%s'; use text or json", arg);
		args->json = !strcmp(arg, "json");
		return 0;
	case 'e':
		args->explain = true;
		return 0;
	case KEY_PROC:
		args->proc_root = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->path)
			argp_error(state, "one capture at a time, please");
		args->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (args->path && args->proc_root)
			argp_error(state, "a capture or --proc, not both");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int print_sheet(const struct balance_sheet *sheet, const struct balance_args *args)
{
	const char *no_color = getenv("NO_COLOR");
	struct balance_text_options text = {.explain = args->explain,
					    .colour = isatty(STDOUT_FILENO) &&
						      !(no_color && no_color[0])};
	int err;

	setlocale(LC_CTYPE, "");
	text.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	err = args->json ? balance_json(sheet, stdout) : balance_text(sheet, &text, stdout);
	if (err == -ENOMEM)
		return log_error(ENOMEM, "not enough memory to print the balance sheet");
	errno = 0;
	if (err || fflush(stdout) || ferror(stdout))
		return log_error(EIO, "cannot write the balance sheet to standard output: %s",
				 strerror(errno ?: EIO));
	return 0;
}

static int balance_live(const struct balance_args *args)
{
	const char *proc_root = args->proc_root ?: "/proc";
	_cleanup_(snapshot_free) struct snapshot s = {0};
	struct balance_notes notes;
	struct unlisted unlisted = UNLISTED_NONE;
	struct utsname uts = {0};
	struct balance b;
	struct balance_sheet sheet = {.end = &b, .notes = &notes, .kernel = ""};
	int err = snapshot_read(proc_root, SNAPSHOT_ALL & ~SNAPSHOT_SLABINFO, &s);

	if (err)
		return log_error(-err, "cannot read %s/meminfo: %s", proc_root, strerror(-err));
	if (!args->proc_root) {
		unlisted_read(proc_root, "/sys", &unlisted);
		if (!uname(&uts))
			sheet.kernel = uts.release;
		sheet.wall_s = s.wall_s;
	}
	balance_build(&s, (double)sysconf(_SC_PAGESIZE), &unlisted, &b);
	if (isnan(b.total_kb))
		return log_error(EINVAL, "%s/meminfo has no MemTotal: is /proc mounted there?",
				 proc_root);
	balance_notes(&s, &b, (double)sysconf(_SC_PAGESIZE), &notes);
	return print_sheet(&sheet, args);
}

static void free_capture(struct capture **c)
{
	if (*c)
		capture_free(*c);
}

static int balance_capture(const struct balance_args *args)
{
	_cleanup_(free_capture) struct capture *c = NULL;
	struct balance start, end;
	struct balance_notes notes;
	struct balance_sheet sheet = {.start = &start, .end = &end, .notes = &notes};
	struct view v;

	if (capture_read(args->path, &c))
		return -EBADMSG;
	view_whole(c, &v);
	balance_pair(v.start, v.end, v.page_bytes, &start, &end);
	balance_notes(v.end, &end, v.page_bytes, &notes);
	sheet.kernel = capture_meta(c, META_RELEASE);
	sheet.duration_s = v.duration_s;
	sheet.wall_s = v.end->wall_s;
	return print_sheet(&sheet, args);
}

int cmd_balance(int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse_option, .args_doc = "[FILE]", .doc = doc};
	struct balance_args args = {0};

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &args))
		return EXIT_USAGE;
	/* A reader that goes away is an error to report, not a silent death. */
	signal(SIGPIPE, SIG_IGN);
	return (args.path ? balance_capture(&args) : balance_live(&args)) ? EXIT_FAILED : EXIT_OK;
}
