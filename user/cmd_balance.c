// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace balance`: divides MemTotal into parts, now or at both ends of a capture. Options and
 * wiring only. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "args.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/file_read.h"
#include "base/log.h"
#include "base/privileges.h"
#include "capture/capture.h"
#include "cmd.h"
#include "findings/balance_sheet.h"
#include "model/view.h"
#include "output.h"
#include "proc/cgroup_levels.h"
#include "proc/nodes.h"
#include "proc/oom_report.h"
#include "proc/snapshot.h"
#include "proc/unlisted.h"
#include "proc_copy.h"
#include "render/balance.h"
#include "trace/bpf_objects.h"

struct balance_args {
	const char *path, *proc_root, *oom;
	bool json, explain;
	unsigned int sections; /* of --show, as bits */
};

enum { KEY_PROC = 256, KEY_OOM };

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0, "text (default) or json", 0},
	{"show", 's', "SECTIONS", 0,
	 "Also print these sections, separated by commas: " BALANCE_SECTION_WORDS, 0},
	{"explain", 'e', NULL, 0, "Show every line, including empty ones, and explain it", 0},
	{"proc", KEY_PROC, "DIR", 0,
	 "Read a copy of /proc from DIR: meminfo and, if they exist, vmstat, zoneinfo, vmallocinfo, "
	 "slabinfo, sys/fs, net/sockstat and key-users",
	 0},
	{"oom", KEY_OOM, "FILE", 0,
	 "Divide the memory that the last OOM report in FILE shows; FILE is a kernel log (dmesg, "
	 "journalctl -k, syslog)",
	 0},
	{0},
};

static const char doc[] =
	"Divide all of MemTotal into parts, each page counted once: free memory, processes and files, "
	"each kernel pool, and what no line of /proc/meminfo explains. Traces nothing. Without FILE, "
	"show this machine now (root also sees /proc/vmallocinfo). If FILE is given, it is a capture: "
	"show its start, its end and the change.\v"
	"Examples:\n"
	"  sudo kmemtrace balance                  where memory is now\n"
	"  sudo kmemtrace balance --show lines     the same, with all lines\n"
	"  kmemtrace balance --explain             the same, with each line explained\n"
	"  kmemtrace balance before.kmt            what changed in a recording\n"
	"  kmemtrace balance --oom kern.log        where memory was when it ran out\n"
	"  kmemtrace balance --format json | jq .unaccounted_percent\n";

static error_t balance_parse_option(int key, char *arg, struct argp_state *state)
{
	struct balance_args *args = state->input;

	switch (key) {
	case 'f':
		args->json = args_json(state, arg);
		return 0;
	case 's':
		args->sections |=
			args_sections(state, arg, balance_section_parse, BALANCE_SECTION_WORDS);
		return 0;
	case 'e':
		args->explain = true;
		return 0;
	case KEY_PROC:
		args->proc_root = arg;
		return 0;
	case KEY_OOM:
		args->oom = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->path)
			argp_error(
				state,
				"balance reads one capture, and '%s' is a second one; `kmemtrace diff` compares two",
				arg);
		args->path = arg;
		return 0;
	case ARGP_KEY_END:
		if ((args->path || args->oom) && args->proc_root)
			argp_error(state, "--proc cannot be combined with %s: give one of them",
				   args->oom ? "--oom" : "a capture");
		if (args->path && args->oom)
			argp_error(state,
				   "--oom cannot be combined with a capture: give one of them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct balance_rendering {
	const struct balance_sheet *sheet;
	const struct balance_args *args;
};

static int balance_render(const void *arg, FILE *out)
{
	const struct balance_rendering *what = arg;
	const struct balance_text_options show = {.sections = what->args->sections,
						  .explain = what->args->explain,
						  .colour = output_wants_colour(),
						  .utf8 = output_is_utf8()};

	return what->args->json ? balance_json(what->sheet, out)
				: balance_text(what->sheet, &show, out);
}

static int print_sheet(const struct balance_sheet *sheet, const struct balance_args *args)
{
	return output_document("balance sheet", balance_render,
			       &(struct balance_rendering){.sheet = sheet, .args = args});
}

/* Build and print the sheet of one moment. */
static int balance_snapshot(const struct snapshot *s, const struct balance_origin *origin,
			    const struct balance_args *args)
{
	_cleanup_(balance_sheet_free) struct balance_sheet sheet = {0};
	struct utsname uts = {0};

	if (balance_sheet_now(s, origin, &sheet))
		return log_error(ENOMEM, "not enough memory for the balance sheet");
	sheet.wall_s = s->wall_s;
	if (args->proc_root)
		sheet.moment = "a copy of /proc";
	else if (origin->oom) {
		sheet.moment = "an OOM report";
		sheet.kernel = origin->oom->release;
	} else
		sheet.kernel = uname(&uts) ? "" : uts.release;
	return print_sheet(&sheet, args);
}

/* The maps and programs of this machine. Without CAP_SYS_ADMIN, there are none. */
static void bpf_read(struct snapshot *s)
{
	struct bpf_objects o = {0};
	int err = bpf_objects_read((int)getpid(), &o);

	if (err)
		log_debug("the BPF objects of this machine are not known (%s)", strerror(-err));
	s->bpf = o.levels;
	s->bpf_holders = o.holders;
}

static int balance_live(const struct balance_args *args)
{
	_cleanup_(snapshot_free) struct snapshot s = {0};
	struct unlisted unlisted = UNLISTED_NONE;
	struct balance_origin origin = {.hint.page_bytes = (double)sysconf(_SC_PAGESIZE),
					.unlisted = &unlisted};
	int err = snapshot_read("/proc", SNAPSHOT_ALL, &s);

	if (err)
		return log_error(-err, "cannot read /proc/meminfo: %s%s", file_why(-err),
				 err == -ENOENT ? " (is /proc mounted?)" : "");
	unlisted_read("/proc", "/sys", &unlisted);
	if (cgroup_levels_read("/proc", &s.cgroups) || nodes_read("/sys", &s))
		return log_error(ENOMEM, "not enough memory to count cgroups and NUMA nodes");
	bpf_read(&s);
	privileges_keep_none();
	if (named_value_get(&s.meminfo, "MemTotal", 0) <= 0)
		return log_error(EINVAL, "/proc/meminfo has no MemTotal: is /proc mounted?");
	return balance_snapshot(&s, &origin, args);
}

static int balance_copy(const struct balance_args *args)
{
	_cleanup_(snapshot_free) struct snapshot s = {0};
	_cleanup_(input_report_free) struct input_report report = {0};
	struct unlisted unlisted = UNLISTED_NONE;
	double own = (double)sysconf(_SC_PAGESIZE);
	struct balance_origin origin = {
		.unlisted = &unlisted, .input = &report, .reader_page_bytes = own};
	int err = proc_copy_read(args->proc_root, &report, &s);

	if (!err)
		unlisted_read_copy(args->proc_root, &unlisted);
	privileges_keep_none();
	if (err)
		return err;
	origin.hint.page_bytes = beliefs_page_bytes(&s, own, &origin.page_bytes_source);
	return balance_snapshot(&s, &origin, args);
}

static int refuse_log(const char *path, int err)
{
	if (err == -ENODATA)
		return log_error(
			EINVAL,
			"%s: in this log, only memory cgroups reached their limits. Such a report says "
			"nothing about the machine's memory: look at memory.stat of the cgroup",
			path);
	if (err == -EBADMSG)
		return log_error(
			EINVAL,
			"%s: the OOM report is incomplete. It needs the lines from 'Mem-Info:' to 'pages "
			"reserved': take them from `journalctl -k -b -1` or the console",
			path);
	if (err == -ENOENT)
		return log_error(
			EINVAL,
			"%s: there is no OOM report, because no line has 'Mem-Info:'. "
			"Give a kernel log: `journalctl -k -b -1 > kern.log`, or `dmesg > kern.log`",
			path);
	return log_error(-err, "cannot read %s: %s", path, file_why(-err));
}

static int balance_oom(const struct balance_args *args)
{
	_cleanup_(oom_report_free) struct oom_report report = {0};
	_cleanup_free_ char *buf = NULL;
	struct balance_origin origin = {.oom = &report,
					.hint.oom_report = true,
					.reader_page_bytes = (double)sysconf(_SC_PAGESIZE),
					.page_bytes_source = "its free lists"};
	size_t len;
	int err;

	privileges_keep_for(&args->oom, 1);
	err = file_read(args->oom, &buf, &len);
	privileges_keep_none();
	if (err)
		return log_error(-err, "cannot read %s: %s", args->oom, file_why(-err));
	err = oom_report_parse(buf, len, &report);
	if (err)
		return refuse_log(args->oom, err);
	origin.hint.page_bytes = report.page_bytes > 0 ? report.page_bytes : 4096;
	return balance_snapshot(&report.s, &origin, args);
}

/* A report of the same capture says who took the memory. 0 or −ENOMEM. */
static int next_is_report(const char *path, struct balance_sheet *sheet)
{
	if (sheet->next || !is_plain_path(path))
		return 0;
	return asprintf(&sheet->next, "kmemtrace report %s", path) < 0 ? -ENOMEM : 0;
}

/* The one moment of a census. */
static int balance_census(const struct capture *c, const struct view *v,
			  const struct balance_args *args)
{
	_cleanup_(balance_sheet_free) struct balance_sheet sheet = {0};
	struct unlisted unlisted = UNLISTED_NONE;
	const struct balance_origin origin = {.hint = v->hint, .unlisted = &unlisted};

	if (balance_sheet_now(v->start, &origin, &sheet) || next_is_report(args->path, &sheet))
		return log_error(ENOMEM, "not enough memory for the balance sheet of %s",
				 args->path);
	sheet.wall_s = v->start->wall_s;
	sheet.moment = "a census without a recording";
	sheet.kernel = capture_meta(c, META_RELEASE);
	return print_sheet(&sheet, args);
}

static int balance_capture(const struct balance_args *args)
{
	_cleanup_capture_ struct capture *c = NULL;
	_cleanup_(balance_sheet_free) struct balance_sheet sheet = {0};
	struct view v;

	privileges_keep_for(&args->path, 1);
	if (capture_read_part(args->path, NAN, NAN, &c))
		return -EBADMSG;
	privileges_keep_none();
	view_whole(c, &v);
	if (capture_is_census(c))
		return balance_census(c, &v, args);
	if (balance_sheet_view(&v, &sheet) || next_is_report(args->path, &sheet))
		return log_error(ENOMEM, "not enough memory for the balance sheet of %s",
				 args->path);
	return print_sheet(&sheet, args);
}

int cmd_balance(int argc, char **argv)
{
	const struct argp argp = {.options = options,
				  .parser = balance_parse_option,
				  .args_doc = "[FILE]",
				  .doc = doc,
				  .children = args_document};
	struct balance_args args = {0};

	if (args_parse(&argp, 0, argc, argv, &args))
		return EXIT_USAGE;
	if (args.path)
		return balance_capture(&args) ? EXIT_FAILED : EXIT_OK;
	if (args.oom)
		return balance_oom(&args) ? EXIT_FAILED : EXIT_OK;
	return (args.proc_root ? balance_copy(&args) : balance_live(&args)) ? EXIT_FAILED : EXIT_OK;
}
