// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command with something attached to the kernel, for scripts/bench.sh:
 *   bench_attach floor EVENT... -- COMMAND    an empty program on each event
 *   bench_attach classic -- COMMAND           the classic design of classic.bpf.c
 *   bench_attach stats -- COMMAND             nothing, but prints "program NAME RUNS NS" for every
 * BPF program that ran, with the run time that the kernel measured, and "window PERCENT", their
 * share of all CPU time, every WINDOW_S
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "classic.skel.h"

#define PROGRAMS_MAX 256
#define POLL_MS      20 /* programs vanish with their owner: look often enough to miss little */
#define WINDOW_S     5

static struct program {
	__u32 id;
	char name[64];
	__u64 runs, ns;
} programs[PROGRAMS_MAX];
static int nr_programs;

static int fail(const char *what, int err)
{
	fprintf(stderr, "bench_attach: %s: %s\n", what, strerror(err < 0 ? -err : err));
	return 1;
}

/* The kernel keeps 15 characters of a program's name; BTF has the full name of its main function.
 */
static void program_name(int fd, const char *short_name, char *buf, size_t size)
{
	struct bpf_func_info function = {};
	struct bpf_prog_info info = {.nr_func_info = 1,
				     .func_info_rec_size = sizeof(function),
				     .func_info = (unsigned long)&function};
	__u32 len = sizeof(info);
	const struct btf_type *type = NULL;
	struct btf *btf = NULL;

	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.btf_id)
		btf = btf__load_from_kernel_by_id(info.btf_id);
	if (btf && !libbpf_get_error(btf))
		type = btf__type_by_id(btf, function.type_id);
	snprintf(buf, size, "%s", type ? btf__name_by_offset(btf, type->name_off) : short_name);
	btf__free(btf);
}

static void program_look(__u32 id)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id), i;

	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.run_cnt) {
		for (i = 0; i < nr_programs && programs[i].id != id; i++)
			;
		if (i < PROGRAMS_MAX) {
			if (i == nr_programs)
				program_name(fd, info.name, programs[i].name,
					     sizeof(programs[i].name));
			programs[i].id = id;
			programs[i].runs = info.run_cnt;
			programs[i].ns = info.run_time_ns;
			nr_programs += i == nr_programs;
		}
	}
	close(fd);
}

/* Print the programs' share of CPU time in each window of WINDOW_S. */
static void window_step(void)
{
	static double began_s, began_ns;
	struct timespec now;
	double now_s, ns = 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_s = now.tv_sec + now.tv_nsec / 1e9;
	for (int i = 0; i < nr_programs; i++)
		ns += programs[i].ns;
	if (began_s && now_s - began_s < WINDOW_S)
		return;
	if (began_s)
		printf("window %.2f\n", 100 * (ns - began_ns) / 1e9 / (now_s - began_s) /
						sysconf(_SC_NPROCESSORS_ONLN));
	began_s = now_s;
	began_ns = ns;
}

static int run(char **command, bool stats)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execvp(command[0], command);
		fail(command[0], errno);
		_exit(127);
	}
	if (pid < 0)
		return fail("fork", errno);
	while (waitpid(pid, &status, stats ? WNOHANG : 0) == 0) {
		__u32 id = 0;

		poll(NULL, 0, POLL_MS);
		while (!bpf_prog_get_next_id(id, &id))
			program_look(id);
		window_step();
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int floor_attach(const char *event)
{
	/* r0 = 0; exit */
	const struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
					 {.code = BPF_JMP | BPF_EXIT}};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "bench_floor", "GPL", insns, 2, NULL);

	return fd < 0 ? fd : bpf_raw_tracepoint_open(event, fd);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int dashes = 2, ret;

	while (dashes < argc && strcmp(argv[dashes], "--"))
		dashes++;
	if (dashes + 1 >= argc) {
		fprintf(stderr, "Usage: bench_attach floor EVENT...|classic|stats -- COMMAND\n");
		return 2;
	}
	if (!strcmp(mode, "floor")) {
		for (int i = 2; i < dashes; i++)
			if (floor_attach(argv[i]) < 0)
				return fail(argv[i], errno);
	} else if (!strcmp(mode, "classic")) {
		struct classic_bpf *skel = classic_bpf__open_and_load();

		if (!skel || classic_bpf__attach(skel))
			return fail("classic.bpf.c", errno);
	} else if (!strcmp(mode, "stats")) {
		if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
			return fail("bpf_enable_stats", errno);
	}
	ret = run(argv + dashes + 1, !strcmp(mode, "stats"));
	for (int i = 0; i < nr_programs; i++)
		printf("program %s %llu %.1f\n", programs[i].name,
		       (unsigned long long)programs[i].runs,
		       (double)programs[i].ns / programs[i].runs);
	return ret;
}
