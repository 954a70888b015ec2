// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace record`: options and defaults. record/recorder.c does the recording. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/log.h"
#include "base/units.h"
#include "cmd.h"
#include "record/filter.h"
#include "record/recorder.h"
#include "proc/host.h"
#include "trace/census.h"
#include "trace/refs_options.h"

#define MAX_SIZE_EVERY (256 << 20) /* the default of --max-size with --every */
#define MAX_SIZE_LEAST (1 << 20)

enum {
	OPT_EXACT = 256,
	OPT_CACHE,
	OPT_MAX_LIVE,
	OPT_MIN_SIZE,
	OPT_CGROUP,
	OPT_PID,
	OPT_POOL,
	OPT_MEMORY,
	OPT_MAX_OVERHEAD,
	OPT_AUDIT_EVERY,
	OPT_EVERY,
	OPT_FOR,
	OPT_MAX_SIZE,
	OPT_BTF,
	OPT_NO_CENSUS,
	OPT_CENSUS_BUDGET,
	OPT_PROVE,
	OPT_PROVE_BUDGET,
};

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "Write the capture to FILE (default: kmemtrace-HOST-TIME.kmt)",
	 0},
	{"duration", 'd', "TIME", 0,
	 "Stop after TIME, e.g. 30, 500ms or 10m (default: on Ctrl-C, or when COMMAND ends)", 0},
	{"for", OPT_FOR, "TIME", 0, "The same as --duration", 0},
	{"every", OPT_EVERY, "TIME", 0,
	 "Write a checkpoint every TIME, so that report and diff can look at parts of the recording",
	 0},
	{"max-size", OPT_MAX_SIZE, "SIZE", 0,
	 "Keep the capture below SIZE: older parts lose detail (default with --every: 256M)", 0},
	{"exact", OPT_EXACT, NULL, 0, "Track every allocation instead of a sample", 1},
	{"sample", 's', "BYTES", 0,
	 "Do not sample more often than once per BYTES allocated, on average (default: "
	 "kmemtrace chooses; it samples most where memory stays, up to every object)",
	 1},
	{"cache", OPT_CACHE, "NAME", 0,
	 "Track only this slab cache, and every object of it; may be repeated", 1},
	{"min-size", OPT_MIN_SIZE, "BYTES", 0, "Ignore smaller allocations", 1},
	{"cgroup", OPT_CGROUP, "PATH", 0,
	 "Track only this cgroup (cgroup2, e.g. /system.slice/ssh.service) and those below it", 1},
	{"pid", OPT_PID, "PID", 0, "Track only this process, with all its threads", 1},
	{"pool", OPT_POOL, "NAME", 0,
	 "Track only this pool: Slab, VmallocUsed, Percpu, KernelStack, PageTables or Unaccounted (or slab, vmalloc, percpu, kstack, pagetable, page); may be repeated",
	 1},
	{"memory", OPT_MEMORY, "SIZE", 0,
	 "Kernel memory for all tables (`kmemtrace doctor` shows the default)", 1},
	{"max-overhead", OPT_MAX_OVERHEAD, "PERCENT", 0,
	 "Share of all CPU time that tracing may take (default 1). If given, it is a limit: to stay "
	 "below it, --exact changes to sampling, and the most expensive pools are paused",
	 1},
	{"max-live", OPT_MAX_LIVE, "N", 0,
	 "Make the tables large enough for N objects (default: as many as fit into --memory)", 1},
	{"no-census", OPT_NO_CENSUS, NULL, 0,
	 "Do not count page by page what memory is used for, before tracing and after it", 1},
	{"census-budget", OPT_CENSUS_BUDGET, "TIME", 0, ARGS_CENSUS_BUDGET_HELP, 1},
	{"prove", OPT_PROVE, NULL, 0,
	 "At the end, look whether anything in the kernel still points to what the largest call "
	 "paths hold: what nothing points to is most likely leaked. Takes some seconds",
	 1},
	{"prove-budget", OPT_PROVE_BUDGET, "TIME", 0,
	 "Use at most about this much CPU time for --prove (default 10s, at most 1h). If that is "
	 "too short to scan all memory of the kernel, there is no verdict",
	 1},
	{"audit-every", OPT_AUDIT_EVERY, "N", OPTION_HIDDEN,
	 "Check every Nth recognised stack; N is a power of two", 1},
	{"btf", OPT_BTF, "FILE", 0,
	 "Read this kernel's types from FILE if this kernel has no BTF of its own", 2},
	{"force", 'f', NULL, 0, "Overwrite an existing capture", 2},
	{"quiet", 'q', NULL, 0,
	 "Print no progress; without -q, one line is updated on a terminal, or printed once a "
	 "minute elsewhere",
	 2},
	{"verbose", 'v', NULL, 0, "Print what kmemtrace does", 2},
	{0},
};

static const char doc[] =
	"Trace kernel memory allocations into a capture file. Needs root, or some capabilities.\v"
	"By default, record takes a sample, which costs little and is unbiased. --exact\n"
	"and --cache track every object.\n\n"
	"Examples:\n"
	"  kmemtrace record -d 30 -o now.kmt          trace everything for 30 seconds\n"
	"  kmemtrace record --exact -- ./reproducer   what a command does not free\n"
	"  kmemtrace record --cache dentry -d 5m      one cache, exactly, at low cost\n"
	"  kmemtrace record -d 60 --prove             is what grew leaked, or held?\n"
	"  kmemtrace record --every 10m --for 24h     a day, with parts to compare\n\n"
	"The first Ctrl-C ends COMMAND and the recording, and the capture is complete;\n"
	"further ones are ignored. Ctrl-\\ and kill -9 end the recording at once: the\n"
	"capture can be read, and is marked incomplete.\n"
	"When TIME has passed, kmemtrace sends SIGTERM to COMMAND. If the recording\n"
	"fails, COMMAND continues, and kmemtrace waits for it.\n\n"
	"Exit status: that of COMMAND; 126 or 127 if COMMAND could not be run; 0 if\n"
	"there is no COMMAND, or if kmemtrace ended COMMAND after TIME; 1 if the\n"
	"recording failed; 2 if the command line was wrong.";

struct record_args {
	struct recorder_options options;
	const char *caches[KMT_FILTER_CACHES];
	char default_path[RECORDER_PATH_MAX];
	const char *cgroup, *btf_path;
	const char *duration, *every, *pid; /* as they were given */
	struct plan_request request;
	bool pools_named;
	bool sampled;
	bool governed; /* --max-overhead was given */
};

/* The options that take a number, and its allowed values. */
static const struct number {
	int key;
	int64_t least, most;
	const char *what, *expected; /* for the message */
	const char *letters;         /* suffixes, in any case; NULL: those of a size */
} numbers[] = {
	{'s', 64, KMT_PERIOD_MOST, "sampling period", "64 to 64M bytes, such as 64K or 1M", NULL},
	{OPT_MAX_SIZE, MAX_SIZE_LEAST, INT64_MAX, "size", "1M or more, such as 64M or 1G", NULL},
	{OPT_MIN_SIZE, 1, INT64_MAX, "size", "a size such as 512 or 4K", NULL},
	{OPT_MAX_LIVE, 1, 256 << 20, "number of objects", "1 to 256M, such as 200000 or 4M",
	 "KkMm"},
	{OPT_PID, 1, INT32_MAX, "process number", "a number such as 1234", ""},
	{OPT_MEMORY, 1, INT64_MAX, "size", "a size such as 16M or 256M", NULL},
	{OPT_AUDIT_EVERY, 1, 1 << 20, "number", "a power of two up to 1M", "KkMm"},
};

static const struct number *number_of(int key)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].key == key)
			return &numbers[i];
	return NULL;
}

static void number_set(struct record_args *a, int key, int64_t n)
{
	struct tracer_options *o = &a->options.tracer;

	switch (key) {
	case 's':
		o->sample_bytes = n;
		a->sampled = true;
		break;
	case OPT_MAX_SIZE:
		a->options.max_bytes = n;
		break;
	case OPT_MIN_SIZE:
		o->min_size = n;
		break;
	case OPT_MAX_LIVE:
		o->max_live = n;
		break;
	case OPT_PID:
		o->pid = n;
		break;
	case OPT_MEMORY:
		o->memory = n;
		break;
	case OPT_AUDIT_EVERY:
		o->audit_every = n;
		break;
	}
}

/* Is the unit allowed? A number of objects is not in bytes, and a process number has no unit. */
static bool unit_fits(const struct number *number, const char *arg)
{
	size_t digits = strspn(arg, "0123456789");

	return !number->letters || !arg[digits] ||
	       (strchr(number->letters, arg[digits]) && !arg[digits + 1]);
}

static void parse_number(struct argp_state *state, const struct number *number, const char *arg)
{
	int64_t n = 0;

	if (units_parse_size(arg, &n) || !unit_fits(number, arg) || n < number->least ||
	    n > number->most || (number->key == OPT_AUDIT_EVERY && (n & (n - 1))))
		argp_error(state, "invalid %s '%s': give %s", number->what, arg, number->expected);
	number_set(state->input, number->key, n);
}

/* For options with one value: refuse a second one, which would silently replace the first. */
static void set_once(struct argp_state *state, const char *what, const char **had, const char *arg)
{
	if (*had && strcmp(*had, arg))
		argp_error(state, "%s is given twice, as %s and as %s: give it once", what, *had,
			   arg);
	*had = arg;
}

static void parse_time(struct argp_state *state, const char *arg, double least_s, double *seconds)
{
	if (units_parse_duration(arg, seconds) || *seconds < least_s)
		argp_error(state, "invalid time '%s': give %s", arg,
			   least_s ? "one second or more, such as 10s, 10m or 1h"
				   : "a time such as 30, 500ms or 10m");
}

static void parse_percent(struct argp_state *state, const char *arg, double *percent)
{
	char *end;

	*percent = strtod(arg, &end);
	if (*end || end == arg || !(*percent > 0 && *percent <= 100))
		argp_error(
			state,
			"invalid percentage '%s': give more than 0 and at most 100, such as 0.5 or 2",
			arg);
}

static void parse_pool(struct argp_state *state, const char *arg)
{
	struct record_args *a = state->input;
	enum pool pool = POOL_SLAB;

	if (pool_parse_any(arg, &pool))
		argp_error(
			state,
			"unknown pool '%s': give slab, vmalloc, percpu, kstack, pagetable or page",
			arg);
	a->request.pools[pool] = true;
	a->pools_named = true;
}

static void record_check_args(struct argp_state *state, struct record_args *a)
{
	if (a->sampled && (a->options.tracer.exact || a->options.tracer.nr_caches))
		argp_error(
			state,
			"--sample cannot be combined with --exact or --cache, which track every object");
	if (a->options.tracer.nr_caches && a->pools_named)
		argp_error(
			state,
			"--pool cannot be combined with --cache: caches are only in the pool slab");
	if (a->options.duration_s && a->options.every_s > a->options.duration_s)
		argp_error(
			state,
			"--every %s is longer than the recording (--duration %s): shorten --every, or "
			"record for longer",
			a->every, a->duration);
	if (a->options.every_s && !a->options.max_bytes)
		a->options.max_bytes = MAX_SIZE_EVERY;
}

/* Is it an option of the censuses, or of the proof? */
static bool ends_option(struct argp_state *state, int key, const char *arg)
{
	struct recorder_options *o = &((struct record_args *)state->input)->options;

	if (key == OPT_NO_CENSUS)
		o->no_census = true;
	else if (key == OPT_CENSUS_BUDGET)
		o->census_budget_s = args_census_budget(state, arg);
	else if (key == OPT_PROVE)
		o->prove = true;
	else if (key == OPT_PROVE_BUDGET)
		o->prove_budget_s = args_refs_budget(state, "--prove-budget", arg);
	else
		return false;
	return true;
}

static error_t record_parse_option(int key, char *arg, struct argp_state *state)
{
	const struct number *number = number_of(key);
	struct record_args *a = state->input;

	if (key == OPT_PID)
		set_once(state, "--pid", &a->pid, arg);
	if (number) {
		parse_number(state, number, arg);
		return 0;
	}
	if (ends_option(state, key, arg))
		return 0;
	switch (key) {
	case 'o':
		set_once(state, "--output", &a->options.path, arg);
		return 0;
	case 'd':
	case OPT_FOR:
		set_once(state, "--duration (--for)", &a->duration, arg);
		parse_time(state, arg, 0, &a->options.duration_s);
		return 0;
	case OPT_EVERY:
		set_once(state, "--every", &a->every, arg);
		parse_time(state, arg, 1, &a->options.every_s);
		return 0;
	case OPT_EXACT:
		a->options.tracer.exact = true;
		return 0;
	case OPT_CACHE:
		if (a->options.tracer.nr_caches == KMT_FILTER_CACHES)
			argp_error(state, "at most %d caches can be named", KMT_FILTER_CACHES);
		a->caches[a->options.tracer.nr_caches++] = arg;
		return 0;
	case OPT_CGROUP:
		set_once(state, "--cgroup", &a->cgroup, arg);
		return 0;
	case OPT_BTF:
		a->btf_path = arg;
		return 0;
	case OPT_POOL:
		parse_pool(state, arg);
		return 0;
	case OPT_MAX_OVERHEAD:
		parse_percent(state, arg, &a->options.governor.budget);
		a->governed = true;
		return 0;
	case 'f':
		a->options.overwrite = true;
		return 0;
	case 'q':
		a->options.quiet = true;
		return 0;
	case 'v':
		log_verbose = true;
		return 0;
	case ARGP_KEY_ARGS: /* "COMMAND…", with or without the -- before it */
		a->options.command = state->argv + state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		record_check_args(state, a);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/*
 * Is too little memory left for any recording? Find out before the kernel's types are read, because
 * that takes more than the smallest hosts have.
 */
static bool memory_is_short(const struct tracer_options *o)
{
	char why[TRACER_WHY_MAX];
	struct sizes sizes;

	if (tracer_sizes(o, &sizes, why) != -ENOMEM || sizes.most)
		return false;
	log_error(0, "%s", why);
	return true;
}

int cmd_record(int argc, char **argv)
{
	const struct argp argp = {
		options, record_parse_option, "[-- COMMAND [ARG...]]", doc, NULL, NULL, NULL};
	struct record_args a = {.options.tracer.sample_bytes = KMT_EVERY,
				.options.census_budget_s = CENSUS_BUDGET_S,
				.options.prove_budget_s = REFS_BUDGET_S};
	const struct plan_request everything = {};
	struct kernel_facts facts;
	struct plan plan, census_plan;
	char refusal[CENSUS_WHY_MAX];
	int err, status = 0;

	if (args_parse(&argp, ARGP_IN_ORDER, argc, argv, &a))
		return EXIT_USAGE;
	if (memory_is_short(&a.options.tracer))
		return EXIT_FAILED;
	kernel_facts_read("/proc", a.btf_path, &facts);
	plan_build(&facts, &a.request, &plan);
	if (!plan.can_record) {
		log_error(0, "%s", plan.refusal);
		return EXIT_FAILED;
	}
	if (filter_resolve("/proc", "/sys", a.caches, a.cgroup, &a.options.tracer, &a.request))
		return EXIT_FAILED;
	recorder_options_govern(&a.options, a.governed);
	plan_build(&facts, &a.request, &plan); /* again: --cache changed which pools are wanted */
	plan_build(&facts, &everything, &census_plan);
	a.options.census_plan = &census_plan;
	a.options.census_refusal = census_refusal(&facts, refusal);
	a.options.tracer.thread_size = host_thread_size("/proc");
	if (!a.options.path)
		a.options.path = recorder_default_path(a.default_path);
	err = recorder_run(&plan, &a.options, &status);
	if (err)
		return status ?: EXIT_FAILED;
	/* Use the name of the program as it was called: it need not be in PATH. */
	log_info("wrote %s; read it with: %s report %s", a.options.path, program_invocation_name,
		 a.options.path);
	return status;
}
