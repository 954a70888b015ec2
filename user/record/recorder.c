// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs one recording: start, the loop of ticks, end. Each tick may measure cost, audit, take a
 * snapshot or write a checkpoint. See recorder.h.
 */
#include "record/recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>

#include <linux/membarrier.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/inherited.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/units.h"
#include "capture/capture.h"
#include "proc/cgroup_levels.h"
#include "proc/nodes.h"
#include "proc/pids_limits.h"
#include "proc/snapshot.h"
#include "record/collector.h"
#include "record/command.h"
#include "record/loss_counters.h"
#include "record/metadata.h"
#include "record/progress.h"
#include "record/sampler.h"
#include "record/oom.h"
#include "record/recorder_caps.h"
#include "record/recorder_census.h"
#include "record/recorder_prove.h"
#include "trace/stats_helper.h"
#include "trace/tasks.h"

#define TICK_MS    100 /* how often coarse_now_ms is set, and how soon a signal is noticed */
#define SNAPSHOT_S 1.0
#define CHECKPOINT_S                                                                          \
	1.0 /* initial spacing; doubled after every CHECKPOINTS, so that long recordings stay \
	       small */
#define CHECKPOINTS      12
#define CHECKPOINT_SHARE 0.01 /* limit for all checkpoints, as a share of all CPU time */
#define SNAPSHOTS        60   /* with --every: at most so many per checkpoint, at least 1 s apart */
#define SNAPSHOT_MAX_S   60.0
#define AUDIT_S          2.0  /* least time between two audits */
#define AUDIT_LIMIT_S    0.2  /* time limit of one audit */
#define AUDIT_SHARE      0.01 /* limit for all audits, as a share of all CPU time */
/* The same for snapshots with vmallocinfo, in which the kernel prints a symbol for each area. */
#define AREAS_SHARE 0.0005

enum ended_by { BY_COMMAND, BY_LIMIT, BY_SIGNAL };

struct recorder {
	const struct recorder_options *options;
	const struct plan *plan;
	struct tracer *tracer;
	struct capture_writer *writer;
	struct audit *audit;
	struct collector *collector;
	struct timespec enabled_at; /* CLOCK_BOOTTIME */
	double next_snapshot_s, next_checkpoint_s, checkpoint_every_s, next_audit_s;
	double checkpoint_took_s; /* duration of the last one */
	double snapshot_every_s, next_areas_s;
	int nr_checkpoints;
	bool bound_said; /* printed that the file cannot be kept below its bound */
	struct governor governor;
	struct sampler sampler;
	bool cost_open;     /* a cost window is open */
	double cost_next_s; /* when it is closed, or the next one opened */
	bool cost_said;     /* printed that the budget cannot be kept */
	enum tracer_watch watched[KMT_POOLS];
	double exact_until_s;           /* when an exact recording started sampling; 0: never */
	struct pids_limits pids_limits; /* at the start */
	struct command command;
	struct stats_helper helper;
	struct recorder_census census;
	enum ended_by ended_by;
	bool cut_short; /* a signal came while the end was recorded */
	int signal_fd;
	int heard_fd; /* stderr, if the recording ends when its reader goes away; else −1 */
	struct progress progress;
};

/* Names of the pools in messages about pausing. */
static const char *const watched_names[KMT_POOLS] = {
	[KMT_SLAB] = "slab",
	[KMT_VMALLOC] = "vmalloc",
	[KMT_PERCPU] = "per-CPU memory",
	[KMT_KSTACK] = "kernel stacks",
	[KMT_PAGE] = "page tables and pages",
};

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (now.tv_sec - then->tv_sec) + (now.tv_nsec - then->tv_nsec) / 1e9;
}

/* A share of the machine's CPU time as CPU seconds per second. */
static double share_of_cpus(double share)
{
	return share * (double)sysconf(_SC_NPROCESSORS_ONLN);
}

/* ---- writing to the capture ---- */

/*
 * Removed cgroups and BPF objects. Walking over them takes up to a second. So at the start it is
 * done before the levels are read, and at the end it is done after that. Without CAP_SYS_ADMIN
 * there are no BPF objects.
 */
static int walk(struct recorder *r, struct snapshot *out)
{
	struct bpf_objects o = {0};
	int err = cgroup_levels_read("/proc", &out->cgroups);

	if (err)
		return limits_no_memory("counting cgroups");
	err = r->helper.fd >= 0 ? stats_helper_bpf(&r->helper, &o)
				: bpf_objects_read((int)getpid(), &o);
	if (err)
		log_debug("the BPF objects of this machine are not known (%s)", strerror(-err));
	out->bpf = o.levels;
	out->bpf_holders = o.holders;
	return 0;
}

/* Read all levels as nearly at one moment as possible. Call snapshot_refresh() first. */
static int snapshot_take(struct recorder *r, enum snapshot_kind kind, double t_s,
			 struct snapshot *out)
{
	bool areas = kind != SNAPSHOT_TICK || t_s >= r->next_areas_s;
	unsigned int parts = areas ? SNAPSHOT_ALL : SNAPSHOT_ALL & ~SNAPSHOT_VMALLOCINFO;
	uint64_t began = clock_thread_ns();
	int err = snapshot_read("/proc", parts | SNAPSHOT_REFRESHED, out);
	char why[LIMITS_MAX];

	if (err)
		return log_error(-err, "cannot read /proc/meminfo%s (%s)",
				 err == -ENOENT ? " any more" : "", limits_explain(-err, why));
	out->kind = kind;
	out->t_s = t_s;
	if (areas)
		r->next_areas_s = t_s + (double)(clock_thread_ns() - began) / 1e9 /
						share_of_cpus(AREAS_SHARE);
	if (kind == SNAPSHOT_TICK)
		return 0;
	err = audit_count_free(r->audit, &out->slabs);
	if (err)
		log_warn(
			"cannot count the free objects on CPUs' lists (%s): slabinfo counts them as in use",
			strerror(-err));
	err = tasks_read(r->tracer, r->options->tracer.thread_size, &out->tasks);
	if (err)
		log_warn("cannot tell which processes hold kernel stacks and page tables (%s)",
			 strerror(-err));
	if (nodes_read("/sys", out))
		return limits_no_memory("reading the levels of NUMA nodes");
	return kind == SNAPSHOT_END ? walk(r, out) : 0;
}

static int snapshot_put(struct recorder *r, const struct snapshot *s)
{
	int err = capture_put_snapshot(r->writer, s);

	progress_levels(&r->progress, s);
	sampler_levels(&r->sampler, s);
	if (!err && s->kind == SNAPSHOT_END)
		err = collector_other_caches(r->collector, &s->slabs);
	if (!err && s->kind != SNAPSHOT_TICK)
		err = collector_task_cgroups(r->collector, &s->tasks);
	return err;
}

static int snapshot(struct recorder *r, enum snapshot_kind kind, double t_s)
{
	_cleanup_(snapshot_free) struct snapshot s = {};

	return snapshot_take(r, kind, t_s, &s) ?: snapshot_put(r, &s);
}

/* Store which pools were paused: "slab for 31.2 s, as its events take 12 % of all CPU time" */
static int not_watched_put(struct recorder *r)
{
	const struct governor *g = &r->governor;
	char text[512] = "", dear[UNITS_MAX];
	size_t at = 0;

	for (int p = 0; p < KMT_POOLS; p++)
		if (g->paused_s[p] > 0)
			at += snprintf(text + at, sizeof(text) - at,
				       "%s%s for %.1f s, as its events take %s %% of all CPU time",
				       at ? "; " : "", watched_names[p], g->paused_s[p],
				       units_percent(dear, g->highest_price[p]));
	return at ? capture_put_meta(r->writer, META_NOT_WATCHED, text) : 0;
}

/* Store the sampling periods that were in force. */
static int periods_put(struct recorder *r)
{
	_cleanup_free_ char *pools = NULL, *caches = NULL;
	int err;

	if (!r->governor.exact)
		sampler_note(&r->sampler);
	pools = sampler_periods(&r->sampler);
	caches = sampler_cache_periods(&r->sampler);
	if (!pools || !caches)
		return limits_no_memory("storing the sampling periods");
	if (!pools[0]) /* as yet, every object was tracked */
		return 0;
	err = capture_put_meta(r->writer, META_PERIODS, pools);
	return err ?: capture_put_meta(r->writer, META_CACHE_PERIODS, caches);
}

static int checkpoint(struct recorder *r, double now_s)
{
	int err;

	governor_count_paused(&r->governor, now_s);
	err = collector_checkpoint(r->collector, now_s, r->governor.not_watched);
	err = err ?: not_watched_put(r);
	err = err ?: periods_put(r);
	err = err
		      ?: capture_put_meta(r->writer, META_STACKS,
					  collector_symbols_state(r->collector));
	err = err ?: capture_put_meta(r->writer, META_AUDIT, audit_state(r->audit));
	if (!err && r->governor.readings)
		err = capture_put_metaf(r->writer, META_OVERHEAD, "%.3f",
					governor_mean(&r->governor));
	if (!err && r->governor.readings)
		err = capture_put_metaf(r->writer, META_SAMPLING, "%.3f",
					governor_mean_sampling(&r->governor));
	return err ?: capture_commit(r->writer);
}

/* ---- the loop ---- */

static void progress(struct recorder *r, double now_s)
{
	struct progress_facts f = {.now_s = now_s, .duration_s = r->options->duration_s};
	struct tracer_counts c;

	if (r->options->quiet)
		return;
	tracer_counts(r->tracer, &c);
	f.events = c.stats[KMT_STAT_ALLOCS] + c.stats[KMT_STAT_FREES] +
		   c.stats[KMT_STAT_UNKNOWN_FREES];
	f.outstanding = c.stats[KMT_STAT_ALLOCS] - c.stats[KMT_STAT_FREES] -
			c.stats[KMT_STAT_REUSED] - audit_counts(r->audit)->unseen_frees;
	f.lost = losses_events(&c);
	f.cpu_percent = r->governor.readings ? r->governor.cost : NAN;
	progress_show(&r->progress, &f);
}

/* Print once that the governor cannot keep the budget. */
static void cost_say(struct recorder *r)
{
	const struct governor *g = &r->governor;
	char cost[UNITS_MAX];

	if (r->cost_said || g->state == GOVERNOR_HOLDS ||
	    (g->state == GOVERNOR_FLOOR && g->options.may_pause))
		return;
	r->cost_said = true;
	if (g->state == GOVERNOR_OVER)
		log_warn(
			"tracking every object takes %s %% of all CPU time, more than %g %%; narrow it with --cache or --min-size, or give --max-overhead to let it switch to sampling",
			units_percent_above(cost, g->cost, g->options.budget), g->options.budget);
	else
		log_warn(
			"the allocation events of this load take %s %% of all CPU time even without samples, more than %g %%; narrow it with --pool, or give --max-overhead to pause the most expensive pools",
			units_percent_above(cost, g->floor, g->options.budget), g->options.budget);
}

/*
 * Switch an exact recording to sampling. Objects already tracked stay; each keeps its own weight.
 */
static int exact_end(struct recorder *r, double now_s)
{
	int err = capture_put_meta(r->writer, META_MODE, "sampled");
	char cost[UNITS_MAX];

	r->exact_until_s = now_s;
	err = err
		      ?: capture_put_metaf(r->writer, META_PERIOD, "%llu",
					   (unsigned long long)r->options->tracer.sample_bytes);
	err = err ?: capture_put_metaf(r->writer, META_EXACT_UNTIL, "%.3f", now_s);
	log_warn(
		"tracking every object takes %s %% of all CPU time, more than %g %%: sampling since %.1f s",
		units_percent_above(cost, r->governor.cost, r->governor.options.budget),
		r->governor.options.budget, now_s);
	return err;
}

/*
 * Print why a pool is paused: its own price is too high, or it does not fit beside the cheaper
 * pools.
 */
static void pause_say(const struct governor *g, int pool)
{
	double budget = g->options.budget;
	char cost[UNITS_MAX];

	if (g->price[pool] > budget)
		log_warn(
			"the events of %s alone take %s %% of all CPU time, more than --max-overhead %g: not watched "
			"until that changes",
			watched_names[pool], units_percent_above(cost, g->price[pool], budget),
			budget);
	else
		log_warn(
			"the events of %s take %s %% of all CPU time, and with those of the other pools more than "
			"--max-overhead %g: not watched until that changes",
			watched_names[pool], units_percent(cost, g->price[pool]), budget);
}

/* Watch the pools that the governor allows; during a window also those it wants to probe. */
static int pools_watch(struct recorder *r, bool window)
{
	const struct governor *g = &r->governor;
	char cost[UNITS_MAX];

	for (int p = 0; p < KMT_POOLS; p++) {
		enum tracer_watch how = !g->paused[p]        ? WATCH_RECORD
					: window && g->probe ? WATCH_PROBE
							     : WATCH_NOT;
		int err = how != r->watched[p] ? tracer_watch(r->tracer, p, how) : 0;

		if (err)
			return err;
		if (how == WATCH_NOT && r->watched[p] == WATCH_RECORD)
			pause_say(g, p);
		else if (how == WATCH_RECORD && r->watched[p] != WATCH_RECORD)
			log_warn("watching %s again: its events take %s %% of all CPU time",
				 watched_names[p], units_percent(cost, g->price[p]));
		r->watched[p] = how;
	}
	return 0;
}

/* Open or close a window of cost measurement, and carry out the governor's decision. */
static int cost_step(struct recorder *r, double now_s)
{
	struct cost_reading reading;
	bool exact = r->governor.exact;
	int err;

	if (now_s < r->cost_next_s)
		return 0;
	if (!r->cost_open) {
		err = pools_watch(r, true);
		if (err)
			return err;
		r->cost_open = !tracer_cost_begin(r->tracer);
		r->cost_next_s = now_s + (r->cost_open ? GOVERNOR_WINDOW_S : GOVERNOR_EVERY_S);
		if (!r->cost_open) /* nobody measures, but bursts must not stay throttled */
			sampler_step(&r->sampler, now_s, &r->governor, 0);
		return 0;
	}
	r->cost_open = false;
	r->cost_next_s = now_s + GOVERNOR_EVERY_S - GOVERNOR_WINDOW_S;
	if (tracer_cost_end(r->tracer, &reading))
		return 0;
	reading.at_s = now_s;
	governor_step(&r->governor, &reading);
	sampler_step(&r->sampler, now_s, &r->governor, reading.live_fill);
	cost_say(r);
	err = pools_watch(r, false);
	if (!err && exact && !r->governor.exact)
		err = exact_end(r, now_s);
	return err;
}

/* Audit objects older than age_ms. The more it cost, the later the next audit. */
static int audit_step(struct recorder *r, uint32_t age_ms)
{
	uint64_t before = audit_counts(r->audit)->ns;
	double now_s = seconds_since(&r->enabled_at), took_s;
	uint32_t now_ms = now_s * 1000;
	int err;

	if (now_ms <= age_ms)
		return 0;
	tracer_clock(r->tracer, now_ms);
	err = audit_run(r->audit, now_ms - age_ms - 1, AUDIT_LIMIT_S);
	if (err)
		return log_error(-err, "the liveness audit failed (%s)", strerror(-err));
	took_s = (audit_counts(r->audit)->ns - before) / 1e9;
	r->next_audit_s = now_s + fmax(AUDIT_S, took_s / share_of_cpus(AUDIT_SHARE));
	return 0;
}

/* Keep the file below its bound by dropping every second old interval and snapshot. */
static int bound_keep(struct recorder *r)
{
	int64_t size = r->options->max_bytes ? capture_size(r->writer) : 0;
	int dropped = 1;

	while (size > r->options->max_bytes && dropped > 0) {
		dropped = capture_thin(r->writer);
		size = dropped < 0 ? dropped : capture_size(r->writer);
		log_debug("thinned out: dropped %d intervals and snapshots, %lld bytes left",
			  dropped, (long long)size);
	}
	if (size < 0)
		return (int)size;
	if (size > r->options->max_bytes && !r->bound_said)
		log_warn(
			"a single interval takes more than --max-size: %s grows beyond it; give a larger --max-size",
			r->options->path);
	r->bound_said |= size > r->options->max_bytes;
	return 0;
}

/*
 * Set when the next checkpoint is due: as requested with --every, otherwise rarer over time and
 * delayed by the cost of checkpoints. The cost is the shorter of the last two, because names are
 * looked up only once.
 */
static void checkpoint_next(struct recorder *r, double now_s)
{
	double took_s = seconds_since(&r->enabled_at) - now_s,
	       least_s = fmin(took_s, r->checkpoint_took_s);

	log_debug("checkpoint at %.1f s took %.1f ms", now_s, took_s * 1000);
	r->checkpoint_took_s = took_s;
	if (r->options->every_s) {
		while (r->next_checkpoint_s <= now_s)
			r->next_checkpoint_s += r->checkpoint_every_s;
		return;
	}
	if (++r->nr_checkpoints % CHECKPOINTS == 0)
		r->checkpoint_every_s *= 2;
	r->next_checkpoint_s =
		now_s + fmax(r->checkpoint_every_s, least_s / share_of_cpus(CHECKPOINT_SHARE));
}

/* Do what is due now: cost window, audit, snapshot, checkpoint. */
static int tick(struct recorder *r, double now_s)
{
	int err = cost_step(r, now_s);

	if (!err && now_s >= r->next_audit_s)
		err = audit_step(r, AUDIT_AGE_MS);
	if (!err && now_s >= r->next_snapshot_s) {
		snapshot_refresh("/proc");
		err = snapshot(r, SNAPSHOT_TICK, now_s);
		err = err ?: audit_list_caches(r->audit);
		err = err ?: collector_notice(r->collector);
		err = err ?: capture_commit(r->writer);
		progress(r, now_s);
		while (r->next_snapshot_s <= now_s)
			r->next_snapshot_s += r->snapshot_every_s;
	}
	if (!err && now_s >= r->next_checkpoint_s) {
		err = checkpoint(r, now_s);
		checkpoint_next(r, now_s);
		err = err ?: bound_keep(r);
	}
	return err;
}

/*
 * Wait up to `ms` for a signal that ends the recording, or for the reader of stderr to go away,
 * which counts as a hangup of the terminal.
 */
static bool signal_came(struct recorder *r, int ms)
{
	struct pollfd p[2] = {{.fd = r->signal_fd, .events = POLLIN}, {.fd = r->heard_fd}};
	struct signalfd_siginfo info;

	while (poll(p, 2, ms) > 0) {
		if (p[1].revents)
			return true;
		if (read(r->signal_fd, &info, sizeof(info)) != sizeof(info))
			return false;
		if (info.ssi_signo != SIGCHLD) {
			log_debug("signal %u (%s) ends the recording", info.ssi_signo,
				  strsignal((int)info.ssi_signo));
			return true;
		}
		ms = 0;
	}
	return false;
}

/* How long to sleep: until the next tick, the end of the recording or the end of a window. */
static int wait_ms(const struct recorder *r, double now_s)
{
	double limit = r->options->duration_s, wait_s = TICK_MS / 1000.0;

	if (limit && limit - now_s < wait_s)
		wait_s = limit - now_s;
	if (r->cost_next_s - now_s < wait_s)
		wait_s = r->cost_next_s - now_s;
	return wait_s > 0 ? wait_s * 1000 + 1 : 0;
}

static int record_loop(struct recorder *r)
{
	double limit = r->options->duration_s;

	r->checkpoint_every_s = r->options->every_s ?: CHECKPOINT_S;
	r->snapshot_every_s =
		fmin(SNAPSHOT_MAX_S, fmax(SNAPSHOT_S, r->options->every_s / SNAPSHOTS));
	r->next_snapshot_s = r->snapshot_every_s;
	r->next_checkpoint_s = r->checkpoint_every_s;
	r->next_audit_s = AUDIT_S;
	r->cost_next_s = GOVERNOR_WINDOW_S;
	for (;;) {
		double now_s = seconds_since(&r->enabled_at);
		int err;

		tracer_clock(r->tracer, now_s * 1000);
		if (command_ended(&r->command))
			return 0;
		if (limit && now_s >= limit) {
			r->ended_by = BY_LIMIT;
			return 0;
		}
		err = tick(r, now_s);
		if (err)
			return err;
		if (signal_came(r, wait_ms(r, seconds_since(&r->enabled_at)))) {
			r->ended_by = BY_SIGNAL;
			return 0;
		}
	}
}

/*
 * Read signals from a descriptor, so that they interrupt nothing and everything is written in
 * order. They stay blocked until the process exits: a second Ctrl-C must not cut the end short.
 * SIGQUIT is not blocked, so that the user can still kill the recorder from the terminal.
 */
static int signals_take(struct recorder *r)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU};
	const struct recorder_options *o = r->options;
	bool open_ended = !o->duration_s && !o->command;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!inherited_ignores(ends[i]))
			sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signal_fd < 0)
		return log_error(errno, "signalfd failed (%s)", strerror(errno));
	if (open_ended && inherited_ignores(SIGINT))
		log_info(
			"SIGINT is ignored, as for any program that a script starts with &: end the recording with kill %d",
			(int)getpid());
	r->heard_fd = open_ended && !inherited_ignores(SIGHUP) ? STDERR_FILENO : -1;
	return 0;
}

/*
 * Wait for an RCU grace period, so that objects waiting for one are freed: nobody holds them, but
 * the levels count them.
 */
static void grace_period(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

/* Has a signal come? It stays for signal_came(). */
static bool signal_waits(void *arg)
{
	const struct recorder *r = arg;
	struct pollfd p[2] = {{.fd = r->signal_fd, .events = POLLIN}, {.fd = r->heard_fd}};

	return poll(p, 2, 0) > 0;
}

/* The census comes just before the levels, so that both describe nearly the same moment. */
static int snapshot_start(struct recorder *r, struct snapshot *out)
{
	const struct recorder_census_how how = {
		.moment = CENSUS_AT_START, .w = r->writer, .stop = signal_waits, .arg = r};
	_cleanup_(snapshot_free) struct snapshot walked = {};
	int err = walk(r, &walked);

	err = err ?: recorder_census_take(&r->census, &how);
	if (err)
		return err;
	grace_period();
	snapshot_refresh("/proc");
	err = snapshot_take(r, SNAPSHOT_START, 0, out);
	if (err)
		return err;
	out->cgroups = walked.cgroups;
	out->bpf = walked.bpf;
	out->bpf_holders = walked.bpf_holders;
	walked = (struct snapshot){};
	return 0;
}

/*
 * Read the levels just before pools are enabled and write them afterwards, so that as little as
 * possible happens unseen in between.
 */
static int record_start(struct recorder *r)
{
	_cleanup_(snapshot_free) struct snapshot start = {};
	char why[LIMITS_MAX];
	int err = stats_helper_start(&r->helper);

	if (err)
		log_debug("no helper process (%s): keeping CAP_SYS_ADMIN", strerror(-err));
	err = capture_writer_new(r->options->path, r->options->overwrite, &r->writer);
	err = err ?: tracer_new(r->plan, &r->options->tracer, &r->tracer);
	err = err ?: tracer_attach(r->tracer);
	if (!err && (audit_new(r->tracer, &r->audit) ||
		     collector_new(r->tracer, r->audit, r->writer, "/proc", "/sys", &r->collector)))
		err = limits_no_memory("preparing the recording");
	err = err ?: metadata_put(r->writer, r->plan, r->options, r->tracer);
	if (err)
		return err;
	governor_init(&r->governor, &r->options->governor);
	sampler_start(&r->sampler, r->tracer, r->options->tracer.sample_bytes, &r->governor);
	(void)pids_limits_read("/proc", &r->pids_limits);
	recorder_census_begin(&r->census, r->options);
	if (r->census.taker)
		err = capture_put_metaf(r->writer, META_OWN_BYTES, "%" PRIu64,
					tracer_own_bytes(r->tracer) +
						census_taker_own_bytes(r->census.taker));
	err = err ?: snapshot_start(r, &start);
	if (err)
		return err;
	clock_gettime(CLOCK_BOOTTIME, &r->enabled_at);
	tracer_enable_pools(r->tracer, true);
	if (r->helper.fd >= 0)
		tracer_stats_by(r->tracer, &r->helper);
	err = tracer_cost_begin(r->tracer);
	r->cost_open = !err;
	if (err)
		log_warn(
			"the cost of tracing cannot be measured (%s), so --max-overhead has no effect%s",
			limits_explain(-err, why), err == -EPERM ? ": it takes CAP_SYS_ADMIN" : "");
	for (int p = 0; p < KMT_POOLS; p++)
		r->watched[p] = WATCH_RECORD;
	/*
	 * Name the file last: naming it replaces an older capture, which must survive if the
	 * command cannot be run or space runs out.
	 */
	err = snapshot_put(r, &start) ?: capture_commit_unnamed(r->writer);
	sampler_levels_begin(&r->sampler, &start);
	err = err ?: command_start(&r->command, r->options->command);
	if (err)
		return err;
	err = capture_commit(r->writer);
	if (err)
		command_stop(&r->command);
	else /* only after the command has started: it gets the user's full privileges */
		recorder_caps_give_up(&(struct recorder_caps){.tracer = r->tracer,
							      .path = r->options->path,
							      .command = r->options->command,
							      .helper = r->helper.fd >= 0,
							      .prove = r->options->prove});
	return err;
}

/*
 * Warn if nothing passed the filter: that is probably a mistake, and better known now than when
 * reading the report.
 */
static void filter_say(const struct recorder *r)
{
	const struct tracer_options *o = &r->options->tracer;
	_cleanup_free_ char *filter = NULL;
	struct tracer_counts c;

	if (metadata_filter(o, &filter) || (!filter[0] && !o->nr_caches))
		return;
	tracer_counts(r->tracer, &c);
	if (c.stats[KMT_STAT_ALLOCS])
		return;
	log_warn("no allocation%s%s was %s: the capture holds only the kernel's levels", filter,
		 o->nr_caches ? " from the caches named with --cache" : "",
		 r->governor.exact ? "seen" : "sampled (--exact tracks every one)");
}

/* Another signal cuts the census and the proof at the end short: whoever sends one does not want to
 * wait. */
static bool signal_came_again(void *arg)
{
	struct recorder *r = arg;

	r->cut_short = r->cut_short || signal_came(r, 0);
	return r->cut_short;
}

/* The census at the end, in which the kinds of what call paths hold are learned. */
static int census_end(struct recorder *r)
{
	_cleanup_(tracked_objects_free) struct tracked_objects tracked = {0};
	const struct recorder_census_how how = {.moment = CENSUS_AT_END,
						.w = r->writer,
						.stop = signal_came_again,
						.arg = r,
						.tracked = &tracked};
	int err = tracked_objects_draw(tracer_tables(r->tracer), r->audit, &tracked_for_kinds,
				       &tracked);

	if (err)
		return limits_no_memory("learning what call paths allocate");
	for (size_t i = 0; i < tracked.paths.nr && !err; i++) {
		uint32_t row = tracked.paths.items[i].stack;

		err = collector_stack(r->collector, row, &tracked.paths.items[i].stack);
	}
	return err ?: recorder_census_take(&r->census, &how);
}

/* The proof comes last: it takes seconds, in which the other figures would grow old. */
static int proof_end(struct recorder *r)
{
	return recorder_prove(&(struct recorder_proving){.options = r->options,
							 .tracer = r->tracer,
							 .audit = r->audit,
							 .collector = r->collector,
							 .w = r->writer,
							 .stop = signal_came_again,
							 .arg = r});
}

/*
 * Store the cgroups that are closest to their limit of threads, one line "max start end path" each.
 */
static int pids_limits_put(struct recorder *r)
{
	_cleanup_(pids_limits_free) struct pids_limits end = {0};
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f;

	if (pids_limits_read("/proc", &end) || !end.nr)
		return 0;
	pids_limits_sort(&end);
	f = open_memstream(&text, &len);
	if (!f)
		return limits_no_memory("storing the limits of cgroups");
	for (size_t i = 0; i < end.nr && i < PIDS_LIMITS_STORED; i++) {
		const struct pids_limit *at = &end.items[i],
					*was = pids_limits_find(&r->pids_limits, at->path);

		fprintf(f, "%lld %lld %lld %s\n", (long long)at->max,
			was ? (long long)was->current : 0LL, (long long)at->current, at->path);
	}
	if (fclose(f))
		return limits_no_memory("storing the limits of cgroups");
	return capture_put_meta(r->writer, META_PIDS_LIMITS, text);
}

/*
 * End a recording. The last audit checks all live objects, however young, while frees are still
 * traced. Right after it the pools are disabled and the levels are read, so that both describe the
 * same moment. The command is ended too, unless the recording failed: that is not the command's
 * fault.
 */
static int record_end(struct recorder *r, bool failed)
{
	double asked_s = seconds_since(&r->enabled_at), end_s;
	int err;

	grace_period();
	err = audit_step(r, 0);
	snapshot_refresh("/proc");
	end_s = seconds_since(&r->enabled_at);
	tracer_enable_pools(r->tracer, false);
	err = snapshot(r, SNAPSHOT_END, end_s) ?: err;
	filter_say(r);
	tracer_detach(r->tracer);
	log_debug("detached %.3f s after the end", seconds_since(&r->enabled_at) - asked_s);
	if (!err && !failed)
		err = census_end(r);
	err = pids_limits_put(r) ?: err;
	if (!err && !failed)
		err = proof_end(r);
	if (!failed)
		command_stop(&r->command);
	err = err ?: checkpoint(r, end_s);
	if (!err) {
		err = capture_finish(r->writer);
		r->writer = NULL;
	}
	return err;
}

/* After the recording failed, wait for the command: until it ends, the time limit, or a signal. */
static void command_await(struct recorder *r)
{
	double limit = r->options->duration_s;

	if (r->command.pid <= 0 || r->command.stopped || command_ended(&r->command))
		return;
	log_warn(
		"the recording has ended, but the command (pid %d) is still running: waiting for it",
		(int)r->command.pid);
	for (;;) {
		double now_s = seconds_since(&r->enabled_at);

		if (command_ended(&r->command))
			return;
		if ((limit && now_s >= limit) || signal_came(r, TICK_MS))
			break;
	}
	command_stop(&r->command);
}

/* The exit status of the command; 0 if the time limit ended it, as requested. */
static int status_of_command(const struct recorder *r)
{
	return r->ended_by == BY_LIMIT && r->command.stopped ? 0 : r->command.status;
}

/* Release everything. A recording that did not start leaves no file behind. */
static void recorder_release(struct recorder *r, bool started)
{
	tracer_free(r->tracer);
	sampler_free(&r->sampler);
	pids_limits_free(&r->pids_limits);
	stats_helper_stop(&r->helper);
	collector_free(r->collector);
	audit_free(r->audit);
	recorder_census_end(&r->census);
	if (started)
		capture_writer_free(r->writer);
	else
		capture_writer_discard(r->writer);
}

int recorder_run(const struct plan *plan, const struct recorder_options *options,
		 int *command_status)
{
	struct recorder r = {
		.options = options, .plan = plan, .signal_fd = -1, .heard_fd = -1, .helper.fd = -1};
	struct timespec began;
	bool started;
	int err;

	clock_gettime(CLOCK_BOOTTIME, &began);
	oom_first();
	err = signals_take(&r);
	err = err ?: record_start(&r);
	started = !err;
	if (started) {
		log_debug("tracing %.3f s after the start", seconds_since(&began));
		err = record_loop(&r);
		log_progress_end();
		err = record_end(&r, err) ?: err;
	}
	recorder_release(&r, started);
	if (started && err) {
		if (err != -ESTALE) /* the message already said where the file is */
			log_warn("what was recorded until then can be read: %s report %s",
				 program_invocation_name, options->path);
		command_await(&r);
	}
	if (r.signal_fd >= 0)
		close(r.signal_fd);
	if (!started || !err)
		*command_status = status_of_command(&r);
	return err;
}
