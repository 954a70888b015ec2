// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures what tracers add to a workload, in turns of a tenth of a second, for scripts/bench.sh:
 *   bench_turns WORKLOAD ROUNDS NAME COMMAND [NAME COMMAND]...
 * One process runs the workload all the time (`bench_load stream`), so that its place in memory and
 * other activity of the machine affect all tracers equally. Each COMMAND is a tracer that runs
 * until it is killed. It is started alone, and gets a second. Then this program takes over its BPF
 * programs and their attach points, and kills it. From then on the programs of each tracer, and
 * nothing, are attached in turn, forward and backward. A round has SLICES turns of each tracer, and
 * twice as many of nothing. The output is "ROUND NAME WORKLOAD NS" for each round and tracer; NS is
 * the mean of one iteration.
 *
 * NAME+SECONDS is a recorder of kmemtrace. It gets SECONDS to learn the stacks of the workload and
 * to settle. Twice a second it makes the kernel measure run times for some ms, so one of its turns
 * in each round contains such a window, too. Twice a second it also begins a new tick: within a
 * tick, the programs take ever fewer samples (bpf/sample.bpf.h). So this program begins a tick in
 * the same turn. Without that, the samples would become rare, and the cost would look too small.
 */
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>

#include "record/governor.h"

#define TRACERS_MAX  8
#define PROGRAMS_MAX 32
#define MAPS_MAX     64 /* of a program */
#define SETTLE_S     1
#define SLICE_S      0.1
#define SLICES       5     /* of each in a round: half a second, GOVERNOR_EVERY_S */
#define PAUSE_S      0.008 /* after attaching, and half of that after detaching, until all CPUs know */
#define INTERRUPTED  0.1 /* the slowest pieces of a turn: not the workload's own */

static struct tracer {
	const char *name;
	bool windows;
	__u32 *tick; /* sample_tick of its programs; NULL: they have none */
	int nr;
	struct {
		__u32 link; /* of its owner */
		int fd;
		char event[64];
	} programs[PROGRAMS_MAX];
} tracers[TRACERS_MAX];
static int nr_tracers;

/* When a tracer was attached. */
struct turn {
	int round, tracer; /* −1: nothing */
	double from_s, to_s;
};

/* Some iterations of the workload, with the mean time of one. */
struct piece {
	double at_s, s; /* when they ended; how long all of them took */
	double ns;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void pause_s(double s)
{
	struct timespec ts = {(time_t)s, (long)((s - (time_t)s) * 1e9)};

	nanosleep(&ts, NULL);
}

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "bench_turns: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Run a shell command in its own process group; it ends when this process ends. */
static pid_t start(const char *command, FILE *out)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		dup2(out ? fileno(out) : STDERR_FILENO, STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	setpgid(pid, pid);
	return pid;
}

/* ---- taking over the programs of a tracer ---- */

/* Take over a link to a raw tracepoint, unless it existed before. */
static void program_take(struct tracer *t, __u32 link, __u32 newest)
{
	struct bpf_link_info info = {};
	typeof(t->programs[0]) *p = &t->programs[t->nr];
	__u32 len = sizeof(info);
	int fd = bpf_link_get_fd_by_id(link);

	info.raw_tracepoint.tp_name = (unsigned long)p->event;
	info.raw_tracepoint.tp_name_len = sizeof(p->event);
	if (fd >= 0 && link > newest && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	    info.type == BPF_LINK_TYPE_RAW_TRACEPOINT && t->nr < PROGRAMS_MAX) {
		p->link = link;
		p->fd = bpf_prog_get_fd_by_id(info.prog_id);
		t->nr += p->fd >= 0;
	}
	close(fd);
}

static __u32 newest_link(void)
{
	__u32 id = 0;

	while (!bpf_link_get_next_id(id, &id))
		;
	return id;
}

static bool is_there(const struct tracer *t)
{
	int fd = -1;

	for (int i = 0; i < t->nr && fd < 0; i++) {
		fd = bpf_link_get_fd_by_id(t->programs[i].link);
		if (fd >= 0)
			close(fd);
	}
	return fd >= 0;
}

/* The offset of a variable in a map that holds global variables, or −1. */
static long variable_at(const struct bpf_map_info *map, const char *name)
{
	struct btf *btf = map->btf_id ? btf__load_from_kernel_by_id(map->btf_id) : NULL;
	const struct btf_type *section = btf ? btf__type_by_id(btf, map->btf_value_type_id) : NULL;
	long at = -1;

	for (int i = 0; section && btf_is_datasec(section) && i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *v = &btf_var_secinfos(section)[i];
		const struct btf_type *t = btf__type_by_id(btf, v->type);

		if (!strcmp(btf__name_by_offset(btf, t->name_off), name))
			at = v->offset;
	}
	btf__free(btf);
	return at;
}

/* Map the memory of the variable, if this map has it. */
static __u32 *variable_map(__u32 map_id, const char *name)
{
	struct bpf_map_info map = {};
	__u32 len = sizeof(map);
	char *memory = MAP_FAILED;
	long at = -1;
	int fd = bpf_map_get_fd_by_id(map_id);

	if (fd < 0)
		return NULL;
	if (!bpf_obj_get_info_by_fd(fd, &map, &len))
		at = variable_at(&map, name);
	if (at >= 0) {
		memory = mmap(NULL, map.value_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (memory == MAP_FAILED)
			die(name);
	}
	close(fd);
	return at < 0 ? NULL : (__u32 *)(memory + at);
}

static __u32 *tick_find(const struct tracer *t)
{
	__u32 *tick = NULL;

	for (int i = 0; i < t->nr && !tick; i++) {
		__u32 ids[MAPS_MAX], len = sizeof(struct bpf_prog_info);
		struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (unsigned long)ids};

		if (bpf_obj_get_info_by_fd(t->programs[i].fd, &info, &len))
			die("bpf_prog_info");
		for (__u32 m = 0; m < info.nr_map_ids && m < MAPS_MAX && !tick; m++)
			tick = variable_map(ids[m], "sample_tick");
	}
	return tick;
}

static void tracer_take(const char *name, const char *command)
{
	struct tracer *t = &tracers[nr_tracers++];
	__u32 newest = newest_link(), id = 0;
	const char *seconds = strchrnul(name, '+');
	pid_t pid = start(command, NULL);

	t->name = strndup(name, seconds - name);
	t->windows = *seconds;
	pause_s(*seconds ? atof(seconds) : SETTLE_S);
	while (!bpf_link_get_next_id(id, &id))
		program_take(t, id, newest);
	errno = ESRCH;
	if (!t->nr)
		die(command);
	t->tick = tick_find(t);
	errno = ENOENT;
	if (t->windows && !t->tick)
		die("sample_tick");
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while (is_there(t))
		pause_s(PAUSE_S);
}

/* ---- turns ---- */

static void window(void)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	pause_s(GOVERNOR_WINDOW_S);
	close(fd);
}

/* What a recorder does every GOVERNOR_EVERY_S. */
static void govern(const struct tracer *t)
{
	if (t->tick)
		__atomic_add_fetch(t->tick, 1, __ATOMIC_RELEASE);
	if (t->windows)
		window();
}

static struct turn turn_take(int tracer, bool governed)
{
	const struct tracer *t = tracer < 0 ? NULL : &tracers[tracer];
	struct turn turn = {.tracer = tracer};
	int links[PROGRAMS_MAX];

	for (int i = 0; t && i < t->nr; i++) {
		links[i] = bpf_raw_tracepoint_open(t->programs[i].event, t->programs[i].fd);
		if (links[i] < 0)
			die(t->programs[i].event);
	}
	pause_s(PAUSE_S);
	turn.from_s = now_s();
	if (t && governed)
		govern(t);
	pause_s(turn.from_s + SLICE_S - now_s());
	turn.to_s = now_s();
	for (int i = 0; t && i < t->nr; i++)
		close(links[i]);
	pause_s(PAUSE_S / 2);
	return turn;
}

/* The tracer at the nth of `all` places. "Nothing" has two, because all are compared with it. */
static int whose(int place, int all)
{
	return place == 0 || place == all / 2 ? -1 : place < all / 2 ? place - 1 : place - 2;
}

static int turns_take(struct turn *turns, int rounds)
{
	int n = 0, all = nr_tracers + 2;

	for (int slice = 0; slice < rounds * SLICES; slice++)
		for (int i = 0; i < all; i++) {
			int place = ((slice & 1 ? all - 1 - i : i) + slice / 2) % all;

			turns[n] = turn_take(whose(place, all), slice % SLICES == 0);
			turns[n++].round = slice / SLICES;
		}
	return n;
}

/* ---- figures ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The mean time of one iteration in a turn; 0 if there was none. */
static double turn_ns(const struct turn *turn, const struct piece *pieces, int nr)
{
	double *ns = calloc(nr + 1, sizeof(*ns)), sum = 0;
	int n = 0;

	if (!ns)
		die("memory");
	for (int i = 0; i < nr && pieces[i].at_s <= turn->to_s; i++)
		if (pieces[i].at_s - pieces[i].s >= turn->from_s)
			ns[n++] = pieces[i].ns;
	qsort(ns, n, sizeof(*ns), compare);
	n = ceil(n * (1 - INTERRUPTED));
	for (int i = 0; i < n; i++)
		sum += ns[i] / n;
	free(ns);
	return sum;
}

static double round_ns(const struct turn *turns, int nr_turns, int round, int tracer,
		       const struct piece *pieces, int nr)
{
	double sum = 0;
	int n = 0;

	for (int i = 0; i < nr_turns; i++)
		if (turns[i].round == round && turns[i].tracer == tracer) {
			sum += turn_ns(&turns[i], pieces, nr);
			n++;
		}
	return sum / n;
}

static int compare_at(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->at_s < y->at_s ? -1 : x->at_s > y->at_s;
}

static int pieces_read(FILE *f, struct piece **out)
{
	struct piece *pieces = NULL, p;
	int n = 0, room = 0;

	rewind(f);
	while (fscanf(f, "%lf %lf %lf\n", &p.at_s, &p.s, &p.ns) == 3) {
		if (n == room)
			pieces = realloc(pieces, (room = 2 * room + 1024) * sizeof(*pieces));
		if (!pieces)
			die("memory");
		pieces[n++] = p;
	}
	qsort(pieces, n, sizeof(*pieces), compare_at); /* each thread writes its lines separately */
	*out = pieces;
	return n;
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 0, nr_turns, nr_pieces;
	struct piece *pieces;
	struct turn *turns;
	FILE *log = tmpfile();
	char command[512];
	cpu_set_t first;
	pid_t load;

	if (argc < 5 || argc % 2 == 0 || argc > 3 + 2 * TRACERS_MAX || rounds < 1) {
		fprintf(stderr,
			"Usage: bench_turns WORKLOAD ROUNDS NAME COMMAND [NAME COMMAND]...\n");
		return 2;
	}
	turns = calloc((size_t)rounds * SLICES * (TRACERS_MAX + 2), sizeof(*turns));
	if (!log || !turns)
		die("memory");
	snprintf(command, sizeof(command), "exec \"$(dirname '%s')/bench_load\" stream '%s'",
		 argv[0], argv[1]);
	load = start(command, log);
	for (int i = 3; i < argc; i += 2)
		tracer_take(argv[i], argv[i + 1]);
	CPU_ZERO(&first); /* the workload runs on the last CPU */
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	nr_turns = turns_take(turns, rounds);
	kill(load, SIGTERM);
	waitpid(load, NULL, 0);
	nr_pieces = pieces_read(log, &pieces);
	for (int round = 0; round < rounds; round++)
		for (int t = -1; t < nr_tracers; t++)
			printf("%d %s %s %.2f\n", round + 1, t < 0 ? "nothing" : tracers[t].name,
			       argv[1], round_ns(turns, nr_turns, round, t, pieces, nr_pieces));
	return 0;
}
