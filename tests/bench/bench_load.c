// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workloads of scripts/bench.sh; `bench_load names` lists them. `bench_load [WORKLOAD...]` runs
 * each (default: all) in short rounds, and prints "NAME NS": the nanoseconds of one iteration in
 * the fastest round, which on a busy machine is the one without interruption. It runs several
 * processes, one after the other, and takes the median, because the place of stack and objects in
 * memory makes a process some percent faster or slower. Single-threaded workloads are pinned to the
 * last CPU.
 *
 * `bench_load stream WORKLOAD` runs one until SIGTERM. It prints a line about every millisecond:
 * the time of its end and its duration, in seconds, and the nanoseconds of one iteration.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP     25 /* rounds that do not count, in which a tracer learns the stacks of the load */
#define PROCESSES   9 /* … and after the one that warms up, each begins with one such round more */
#define ROUNDS      3
#define ROUND_NS    20e6
#define PIECE_NS    1e6
#define BUFFER      (1 << 20) /* of what is printed: what that costs falls to few */
#define FAULT_PAGES 256

struct message {
	long type;
	char text[200];
};

/* State of the workloads; the setup functions fill it. */
struct load_state {
	int queue;
	int socket[2];
	char path[64];
};

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- one iteration of each ---- */

static void msg_setup(struct load_state *s)
{
	s->queue = msgget(IPC_PRIVATE, 0600);
	if (s->queue < 0)
		die("msgget");
}

static void msg_run(struct load_state *s)
{
	struct message m = {.type = 1};

	if (msgsnd(s->queue, &m, sizeof(m.text), 0) ||
	    msgrcv(s->queue, &m, sizeof(m.text), 0, 0) < 0)
		die("msgsnd");
}

static void msg_end(struct load_state *s)
{
	msgctl(s->queue, IPC_RMID, NULL);
}

static void eventfd_run(struct load_state *s)
{
	int fd = eventfd(0, 0);

	(void)s;
	if (fd < 0)
		die("eventfd");
	close(fd);
}

static void fork_run(struct load_state *s)
{
	pid_t pid = fork();
	int status;

	(void)s;
	if (!pid) {
		execl("/proc/self/exe", "bench_load", "nothing", NULL);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("fork and exec");
}

static void fault_run(struct load_state *s)
{
	size_t len = FAULT_PAGES * 4096ul;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)s;
	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, len, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < len; i += 4096)
		*(volatile char *)(p + i) = 1;
	munmap(p, len);
}

static void tcp_setup(struct load_state *s)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	s->socket[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&addr, &len) || connect(s->socket[0], (void *)&addr, len))
		die("loopback TCP");
	s->socket[1] = accept(listener, NULL, NULL);
	close(listener);
}

static void tcp_run(struct load_state *s)
{
	char buf[512] = "";

	if (send(s->socket[0], buf, sizeof(buf), 0) != sizeof(buf) ||
	    recv(s->socket[1], buf, sizeof(buf), MSG_WAITALL) != sizeof(buf))
		die("TCP");
}

static void tcp_end(struct load_state *s)
{
	close(s->socket[0]);
	close(s->socket[1]);
}

static void file_setup(struct load_state *s)
{
	/* not on disk: only the kernel's objects matter */
	snprintf(s->path, sizeof(s->path), "%s/kmemtrace-bench-%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
}

static void file_run(struct load_state *s)
{
	int fd = open(s->path, O_CREAT | O_EXCL | O_WRONLY, 0600);

	if (fd < 0)
		die("open");
	close(fd);
	unlink(s->path);
}

static void mixed_run(struct load_state *s)
{
	msg_run(s);
	eventfd_run(s);
}

static const struct load {
	const char *name;
	void (*setup)(struct load_state *s);
	void (*run)(struct load_state *s);
	void (*end)(struct load_state *s);
	int per_run; /* iterations that one run counts as */
	int batch;   /* runs between readings of the clock */
	int warm_up; /* rounds that do not count */
	bool all_cpus;
} loads[] = {
	{"msg", msg_setup, msg_run, msg_end, 1, 256, WARM_UP, false},
	{"eventfd", NULL, eventfd_run, NULL, 1, 256, WARM_UP, false},
	{"fork", NULL, fork_run, NULL, 1, 1, 6 * WARM_UP,
	 false}, /* few iterations a second, with very many stacks */
	{"fault", NULL, fault_run, NULL, FAULT_PAGES, 1, WARM_UP, false},
	{"tcp", tcp_setup, tcp_run, tcp_end, 1, 32, WARM_UP, false},
	{"file", file_setup, file_run, NULL, 1, 32, WARM_UP, false},
	{"one-cpu", msg_setup, mixed_run, msg_end, 1, 64, WARM_UP, false},
	{"all-cpus", msg_setup, mixed_run, msg_end, 1, 64, WARM_UP, true},
};
#define LOADS (sizeof(loads) / sizeof(loads[0]))

/* ---- running them ---- */

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Measure the ns of one iteration, with as many as take at least least_ns. */
static double round_time(const struct load *l, struct load_state *s, double least_ns)
{
	double began = now_ns(), ns;
	long n = 0;

	do {
		for (int i = 0; i < l->batch; i++)
			l->run(s);
		n += l->batch;
		ns = now_ns() - began;
	} while (ns < least_ns);
	return ns / (n * (double)l->per_run);
}

/* The ns of one iteration in the fastest round. */
static double load_time(const struct load *l, int warm_up)
{
	struct load_state s = {0};
	double best = 1e18;

	if (l->setup)
		l->setup(&s);
	for (int round = -warm_up; round < ROUNDS; round++) {
		double ns = round_time(l, &s, ROUND_NS);

		if (round >= 0 && ns < best)
			best = ns;
	}
	if (l->end)
		l->end(&s);
	return best;
}

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	stopped = sig;
}

/* Run until SIGTERM. Returns 0. */
static double load_stream(const struct load *l, int warm_up)
{
	struct load_state s = {0};
	double began, ns;

	(void)warm_up;
	if (l->setup)
		l->setup(&s);
	while (!stopped) {
		began = now_ns();
		ns = round_time(l, &s, PIECE_NS);
		printf("%.6f %.6f %.2f\n", now_ns() / 1e9, (now_ns() - began) / 1e9, ns);
	}
	if (l->end)
		l->end(&s);
	return 0;
}

struct worker {
	pthread_t thread;
	const struct load *load;
	double (*how)(const struct load *l, int warm_up);
	int cpu, warm_up;
	double ns;
};

static void *worker_run(void *arg)
{
	struct worker *w = arg;

	pin(w->cpu);
	w->ns = w->how(w->load, w->warm_up);
	return NULL;
}

/* Run on the last CPU, or on all CPUs at the same time: then take the mean of the threads. */
static double threads_run(const struct load *l, double (*how)(const struct load *l, int warm_up),
			  int warm_up)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_ONLN), nr = l->all_cpus ? nr_cpus : 1;
	struct worker *workers;
	double sum = 0;

	pin(nr_cpus - 1);
	if (nr == 1) /* another thread would make its system calls slower */
		return how(l, warm_up);
	workers = calloc(nr, sizeof(*workers));
	if (!workers)
		die("memory");
	for (int i = 0; i < nr; i++) {
		workers[i] = (struct worker){
			.load = l, .how = how, .warm_up = warm_up, .cpu = nr_cpus - nr + i};
		errno = pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]);
		if (errno)
			die("thread");
	}
	for (int i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		sum += workers[i].ns;
	}
	free(workers);
	return sum / nr;
}

/* The same in a separate process. */
static double process_time(const struct load *l, int warm_up)
{
	int channel[2], status;
	double ns = 0;
	pid_t pid;

	if (pipe(channel))
		die("pipe");
	pid = fork();
	if (!pid) {
		ns = threads_run(l, load_time, warm_up);
		_exit(write(channel[1], &ns, sizeof(ns)) != sizeof(ns));
	}
	close(channel[1]);
	if (pid < 0 || read(channel[0], &ns, sizeof(ns)) != sizeof(ns) ||
	    waitpid(pid, &status, 0) != pid || status)
		die("a process of its own");
	close(channel[0]);
	return ns;
}

static int compare_ns(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median_time(const struct load *l)
{
	double ns[PROCESSES];

	process_time(l, l->warm_up);
	for (int i = 0; i < PROCESSES; i++)
		ns[i] = process_time(l, 1);
	qsort(ns, PROCESSES, sizeof(ns[0]), compare_ns);
	return ns[PROCESSES / 2];
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	bool stream = argc == 3 && !strcmp(argv[1], "stream");

	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	if (argc == 2 && !strcmp(argv[1], "names")) {
		for (size_t i = 0; i < LOADS; i++)
			puts(loads[i].name);
		return 0;
	}
	for (size_t i = 0; i < LOADS; i++) {
		const struct load *l = &loads[i];

		if (!wanted(l->name, argc, argv))
			continue;
		if (stream) {
			signal(SIGTERM, stop);
			setvbuf(stdout, NULL, _IOFBF, BUFFER);
			threads_run(l, load_stream, 0);
		} else {
			printf("%s %.1f\n", l->name, median_time(l));
			fflush(stdout);
		}
	}
	return 0;
}
