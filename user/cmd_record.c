// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace record`: options and defaults; the recording itself is live/recorder.c. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "base/log.h"
#include "base/units.h"
#include "cmd.h"
#include "live/focus.h"
#include "live/recorder.h"
#include "proc/host.h"

#define MAX_SIZE_EVERY (256 << 20) /* of a recording with --every */
#define MAX_SIZE_LEAST (1 << 20)
#define SAMPLE_BYTES   (512 << 10) /* mean bytes between samples */

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
};

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "Capture to write (default: kmemtrace-HOST-TIME.kmt)", 0},
	{"duration", 'd', "TIME", 0,
	 "Stop after TIME, e.g. 30, 500ms, 10m (default: until Ctrl-C or COMMAND ends)", 0},
	{"for", OPT_FOR, "TIME", 0, "The same as --duration", 0},
	{"every", OPT_EVERY, "TIME", 0,
	 "Keep what is held every TIME, for report --from and --to and for diff", 0},
	{"max-size", OPT_MAX_SIZE, "SIZE", 0,
	 "Keep the capture below SIZE: the older, the fewer intervals (default with --every: 256M)",
	 0},
	{"exact", OPT_EXACT, NULL, 0, "Track every allocation instead of a sample", 1},
	{"sample", 's', "BYTES", 0, "Sample one allocation in BYTES on average (default 512K)", 1},
	{"cache", OPT_CACHE, "NAME", 0, "Only this cache, exactly; may be repeated", 1},
	{"min-size", OPT_MIN_SIZE, "BYTES", 0, "Ignore smaller allocations", 1},
	{"cgroup", OPT_CGROUP, "PATH", 0, "Only processes of this cgroup and those below it", 1},
	{"pid", OPT_PID, "PID", 0, "Only this process, with all its threads", 1},
	{"pool", OPT_POOL, "NAME", 0,
	 "Only this pool: slab, vmalloc, percpu, kstack, pagetable or page; may be repeated", 1},
	{"memory", OPT_MEMORY, "SIZE", 0,
	 "Kernel memory for all tables (default: see `kmemtrace doctor`)", 1},
	{"max-overhead", OPT_MAX_OVERHEAD, "PERCENT", 0,
	 "Share of all CPU time that tracing may take (default 1); given with --exact, that falls "
	 "to sampling rather than exceed it",
	 1},
	{"max-live", OPT_MAX_LIVE, "N", 0,
	 "Objects that must fit the tables (default: as many as --memory holds)", 1},
	{"audit-every", OPT_AUDIT_EVERY, "N", OPTION_HIDDEN,
	 "Check every Nth recognised stack, a power of two", 1},
	{"force", 'f', NULL, 0, "Overwrite an existing capture", 2},
	{"quiet", 'q', NULL, 0, "No progress line", 2},
	{"verbose", 'v', NULL, 0, "Say what is being done", 2},
	{0},
};

static const char doc[] =
	"Trace kernel memory allocations into a capture file. Needs root.\v"
	"Sampled by default, which costs little and is unbiased; --exact and --cache\n"
	"track every object. Ctrl-C ends the recording; the capture is then complete.\n"
	"One that was cut off by kill -9 still opens and is marked incomplete.\n\n"
	"Examples:\n"
	"  kmemtrace record -d 30 -o now.kmt          half a minute of everything\n"
	"  kmemtrace record --exact -- ./reproducer   what a command leaves behind\n"
	"  kmemtrace record --cache dentry -d 5m      one cache, exactly, and cheaply\n"
	"  kmemtrace record --every 10m --for 24h     a day, to be looked at in parts\n\n"
	"Exit status: that of COMMAND; 0 without one; 1 when recording failed; 2 when\n"
	"the command line was wrong.";

struct record_args {
	struct recorder_options options;
	const char *caches[KMT_FOCUS];
	char default_path[256];
	const char *cgroup;
	struct plan_request request;
	bool sampled;
	bool governed; /* --max-overhead was given */
};

static int parse_count(const char *text, int64_t *out)
{
	return units_parse_size(text, out) || *out <= 0 ? -EINVAL : 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct record_args *a = state->input;
	enum pool pool;
	char *end;
	int64_t n;

	switch (key) {
	case 'o':
		a->options.path = arg;
		return 0;
	case 'd':
	case OPT_FOR:
		if (units_parse_duration(arg, &a->options.duration_s))
			argp_error(state, "'%s' is no duration; examples: 30, 500ms, 10m", arg);
		return 0;
	case 's':
		if (parse_count(arg, &n) || n < 64 || n > 1ll << 40)
			argp_error(state, "'%s' is no sampling period; examples: 64K, 1M", arg);
		a->options.tracer.sample_bytes = n;
		a->sampled = true;
		return 0;
	case OPT_EVERY:
		if (units_parse_duration(arg, &a->options.every_s) || a->options.every_s < 1)
			argp_error(state,
				   "'%s' is no time of a second or more; examples: 10s, 10m, 1h",
				   arg);
		return 0;
	case OPT_MAX_SIZE:
		if (parse_count(arg, &n) || n < MAX_SIZE_LEAST)
			argp_error(state, "'%s' is no size of 1M or more; examples: 64M, 1G", arg);
		a->options.max_bytes = n;
		return 0;
	case OPT_EXACT:
		a->options.tracer.exact = true;
		return 0;
	case OPT_CACHE:
		if (a->options.tracer.nr_caches == KMT_FOCUS)
			argp_error(state, "at most %d caches can be named", KMT_FOCUS);
		a->caches[a->options.tracer.nr_caches++] = arg;
		return 0;
	case OPT_MIN_SIZE:
		if (parse_count(arg, &n))
			argp_error(state, "'%s' is no size; examples: 512, 4K", arg);
		a->options.tracer.min_size = n;
		return 0;
	case OPT_MAX_LIVE:
		if (parse_count(arg, &n) || n > 256 << 20)
			argp_error(state,
				   "'%s' is no number of objects up to 256M; examples: 200000, 4M",
				   arg);
		a->options.tracer.max_live = n;
		return 0;
	case OPT_CGROUP:
		a->cgroup = arg;
		return 0;
	case OPT_PID:
		if (parse_count(arg, &n) || n > INT32_MAX)
			argp_error(state, "'%s' is no process number", arg);
		a->options.tracer.pid = n;
		return 0;
	case OPT_POOL:
		if (pool_parse(arg, &pool))
			argp_error(
				state,
				"no pool is called '%s'; there are slab, vmalloc, percpu, kstack, "
				"pagetable and page",
				arg);
		a->request.pools[pool] = true;
		return 0;
	case OPT_MEMORY:
		if (parse_count(arg, &n))
			argp_error(state, "'%s' is no size; examples: 16M, 256M", arg);
		a->options.tracer.memory = n;
		return 0;
	case OPT_MAX_OVERHEAD:
		a->options.governor.budget = strtod(arg, &end);
		if (*end || end == arg ||
		    !(a->options.governor.budget > 0 && a->options.governor.budget <= 100))
			argp_error(state,
				   "'%s' is no share of CPU time in percent; examples: 0.5, 2",
				   arg);
		a->governed = true;
		return 0;
	case OPT_AUDIT_EVERY:
		if (parse_count(arg, &n) || n > 1 << 20 || (n & (n - 1)))
			argp_error(state, "'%s' is no power of two up to 1M", arg);
		a->options.tracer.audit_every = n;
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
		if (a->sampled && (a->options.tracer.exact || a->options.tracer.nr_caches))
			argp_error(state, "--sample does not go with --exact or --cache, which "
					  "track everything");
		if (a->options.every_s && !a->options.max_bytes)
			a->options.max_bytes = MAX_SIZE_EVERY;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* kmemtrace-HOST-20261121-013500.kmt */
static const char *default_path(struct record_args *a)
{
	char host[128] = "host", when[32];
	time_t now = time(NULL);
	struct tm tm;

	gethostname(host, sizeof(host) - 1);
	for (char *p = host; *p; p++)
		if (*p == '/')
			*p = '_';
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	snprintf(a->default_path, sizeof(a->default_path), "kmemtrace-%s-%s.kmt", host, when);
	return a->default_path;
}

/* Names to what the programs compare; a cache lies in slab alone. */
static int focus(struct record_args *a)
{
	struct tracer_options *o = &a->options.tracer;
	bool kmalloc = true;
	int err;

	o->caches = a->caches;
	if (o->nr_caches) {
		o->exact = true;
		memset(&a->request, 0, sizeof(a->request));
		a->request.pools[POOL_SLAB] = true;
	}
	err = focus_caches("/proc", "/sys", a->caches, o, &kmalloc);
	a->request.no_kmalloc = !kmalloc;
	if (!err && a->cgroup)
		err = focus_cgroup("/proc", a->cgroup, o);
	return err;
}

/* The budget holds for any recording; only one that was given may end an exact one. */
static void govern(struct record_args *a)
{
	struct tracer_options *o = &a->options.tracer;
	struct governor_options *g = &a->options.governor;

	if (!a->governed)
		g->budget = GOVERNOR_BUDGET;
	g->exact = o->exact;
	g->may_sample = a->governed && !o->nr_caches;
	g->may_refine = !a->sampled;
	g->sample_bytes = o->sample_bytes;
	o->governed = g->exact && g->may_sample;
}

int cmd_record(int argc, char **argv)
{
	const struct argp argp = {options, parse_option, "[-- COMMAND [ARG...]]", doc, NULL,
				  NULL,	   NULL};
	struct record_args a = {.options.tracer.sample_bytes = SAMPLE_BYTES};
	struct kernel_facts facts;
	struct plan plan;
	int err, status = 0;

	if (args_parse(&argp, ARGP_IN_ORDER, argc, argv, &a))
		return EXIT_USAGE;
	if (focus(&a))
		return EXIT_FAILED;
	govern(&a);
	kernel_facts_read("/proc", NULL, &facts);
	plan_build(&facts, &a.request, &plan);
	if (!plan.can_record) {
		log_error(0, "%s", plan.refusal);
		return EXIT_FAILED;
	}
	a.options.tracer.thread_size = host_thread_size("/proc");
	if (!a.options.path)
		a.options.path = default_path(&a);
	err = recorder_run(&plan, &a.options, &status);
	if (err)
		return EXIT_FAILED;
	fprintf(stderr, "kmemtrace: wrote %s; read it with: kmemtrace report %s\n", a.options.path,
		a.options.path);
	return status;
}
