// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code that plant and churn share: the command line, the order setup → steps → READY → hold → drop,
 * and the READY line, which is all that a test reads: `READY kind=… count=… size=… caches=… stack=…
 * call=…`.
 */
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "plant.h"

struct options {
	const struct kind *kind;
	long count;
	long size;
	long rate;      /* objects per second; 0: as fast as possible */
	double seconds; /* how long to hold; < 0: until stdin closes */
};

static volatile sig_atomic_t stopped;

static void on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void usage(FILE *to, const char *name, const struct kind *const *tables)
{
	fprintf(to,
		"usage: %s KIND COUNT [--size BYTES] [--rate OBJECTS_PER_SECOND] [--seconds HOLD]\n"
		"Prints READY when all are made, holds until stdin closes, SIGTERM or "
		"--seconds.\nIf PLANT is set, its words are used instead of the arguments.\n\n",
		name);
	for (; *tables; tables++)
		for (const struct kind *k = *tables; k->name; k++)
			fprintf(to, "  %-10s %s\n", k->name, k->what);
}

static const struct kind *kind_find(const struct kind *const *tables, const char *name)
{
	for (; *tables; tables++)
		for (const struct kind *k = *tables; k->name; k++)
			if (!strcmp(k->name, name))
				return k;
	return NULL;
}

/*
 * If the environment has PLANT, its words are the arguments, and argv is only for show: incidents
 * stage a service with a name and a command line that do not tell the answer.
 */
#define ENV_WORDS 16

static void arguments_from_env(int *argc, char ***argv)
{
	static char *words[ENV_WORDS + 1];
	const char *env = getenv("PLANT");
	char *copy = env ? strdup(env) : NULL, *rest = NULL;
	int n = 0;

	if (!copy)
		return;
	words[n++] = (*argv)[0];
	for (char *w = strtok_r(copy, " ", &rest); w && n < ENV_WORDS;
	     w = strtok_r(NULL, " ", &rest))
		words[n++] = w;
	words[n] = NULL;
	*argc = n;
	*argv = words;
}

/* Parse an integer of at least `min`, or exit. */
static long number(const char *what, const char *text, long min)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < min) {
		fprintf(stderr, "%s: not a number of at least %ld: %s\n", what, min, text);
		exit(2);
	}
	return n;
}

static void options_parse(int argc, char **argv, const struct kind *const *tables,
			  struct options *o)
{
	static const struct option longs[] = {{"size", required_argument, NULL, 's'},
					      {"rate", required_argument, NULL, 'r'},
					      {"seconds", required_argument, NULL, 't'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	*o = (struct options){.size = -1, .seconds = -1};
	arguments_from_env(&argc, &argv);
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 's') {
			o->size = number("--size", optarg, 0);
		} else if (c == 'r') {
			o->rate = number("--rate", optarg, 1);
		} else if (c == 't') {
			o->seconds = strtod(optarg, NULL);
		} else {
			usage(c == 'h' ? stdout : stderr, argv[0], tables);
			exit(c == 'h' ? 0 : 2);
		}
	}
	if (argc - optind == 2)
		o->kind = kind_find(tables, argv[optind]);
	if (!o->kind) {
		usage(stderr, argv[0], tables);
		exit(2);
	}
	o->count = number("COUNT", argv[optind + 1], 1);
	if (o->size < 0)
		o->size = o->kind->size;
}

static void limits_raise(void)
{
	struct rlimit files = {1 << 20, 1 << 20};
	struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

	/* Errors are ignored: a kind that reaches a limit says so. Containers lack
	 * CAP_SYS_RESOURCE. */
	if (setrlimit(RLIMIT_NOFILE, &files) && !getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	setrlimit(RLIMIT_MEMLOCK, &none); /* before 5.11, BPF maps count against it */
}

/* Sleep until object i is due. */
static void pace(const struct options *o, double start, long i)
{
	double wait = o->rate ? start + (double)i / (double)o->rate - now_s() : 0;

	if (wait > 0) {
		struct timespec t = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};

		nanosleep(&t, NULL);
	}
}

static int grow(const struct options *o)
{
	const struct kind *k = o->kind;
	double start = now_s();
	int err = k->setup ? k->setup(o->count, o->size) : 0;
	long i = 0;

	for (; !err && k->step && i < o->count && !stopped; i++) {
		pace(o, start, i);
		err = k->step(i, o->size);
	}
	if (err) {
		fprintf(stderr, "%s: object %ld of %ld: %s\n", k->name, i, o->count,
			strerror(-err));
		return err;
	}
	printf("READY kind=%s count=%ld size=%ld caches=%s stack=%s call=%s took_ms=%.0f\n",
	       k->name, o->count, o->size, k->caches, k->stack, k->call, (now_s() - start) * 1e3);
	fflush(stdout);
	return 0;
}

static void hold(double seconds)
{
	double end = now_s() + seconds;
	char buf[64];

	while (!stopped) {
		struct pollfd in = {.fd = seconds < 0 ? STDIN_FILENO : -1, .events = POLLIN};
		int wait = seconds < 0 ? -1 : (int)((end - now_s()) * 1e3) + 1;

		if (seconds >= 0 && wait <= 1)
			return;
		if (poll(&in, 1, wait) > 0 && read(STDIN_FILENO, buf, sizeof(buf)) <= 0)
			return;
	}
}

int private_tmpfs(void)
{
	if (unshare(CLONE_NEWNS))
		return -errno;
	/* If the root is an initramfs, it cannot be made private, and need not be. */
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir("/tmp", 0755);
	if (mount("plant", "/tmp", "tmpfs", 0, "nr_inodes=0,mode=700"))
		return -errno;
	return result(chdir("/tmp"));
}

int kinds_main(int argc, char **argv, const struct kind *const *tables)
{
	struct sigaction stop = {.sa_handler = on_stop};
	struct options o;
	int err;

	options_parse(argc, argv, tables, &o);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	limits_raise();
	err = grow(&o);
	if (!err)
		hold(o.seconds);
	if (o.kind->drop)
		o.kind->drop();
	return err ? 1 : 0;
}
