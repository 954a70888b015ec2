// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making the tables must not stop a CPU: the kernel makes a map in one go, and on some kernels
 * nothing else runs on that CPU meanwhile. Large tables were one map: 1.3 s for 2 GiB, and a soft
 * lockup once. Here: no map is too large, and nobody who wants the CPU of the recorder waits for
 * long.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "live_plan.h"
#include "trace/census.h"
#include "trace/tracer.h"
#include "proc/host.h"

#define MEMORY     (1ull << 30)
#define MEMORY_MIN (256ull << 20)
#define WATCH_NS   2000000000ull
#define LATE_NS    500000
#define STALL_MS \
	1000 /* the aim is 100 ms: the rest is for a test machine whose CPUs are taken away */

/* The bytes of the largest map that there is now, of those younger than `after`; the youngest in
 * *last. */
static uint64_t largest_map(uint32_t after, uint32_t *last)
{
	uint64_t largest = 0;
	uint32_t id = after;

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);
		uint64_t bytes;

		*last = id;
		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len)) {
			bytes = (uint64_t)info.value_size * info.max_entries;
			largest = bytes > largest ? bytes : largest;
		}
		close(fd);
	}
	return largest;
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

struct watch {
	uint64_t longest; /* between two times that it woke up, in ns */
	uint64_t late;    /* times that it was late by more than LATE_NS */
	uint64_t wakes;
};

static volatile struct watch *watch_new(void)
{
	void *watch = mmap(NULL, sizeof(struct watch), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(watch != MAP_FAILED);
	return watch;
}

/* Wakes up each millisecond, before all others on its CPU, and notes how late it was. */
static pid_t watcher_start(volatile struct watch *watch)
{
	const struct sched_param first = {.sched_priority = 10};
	const struct timespec ms = {.tv_nsec = 1000000};
	pid_t pid = fork();
	uint64_t last, now;

	if (pid)
		return pid;
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		_exit(1);
	for (last = clock_ns();; last = now) {
		nanosleep(&ms, NULL);
		now = clock_ns();
		watch->wakes++;
		watch->late += now - last > 1000000 + LATE_NS;
		if (now - last > watch->longest)
			watch->longest = now - last;
	}
}

static void watcher_end(pid_t watcher)
{
	kill(watcher, SIGKILL);
	waitpid(watcher, NULL, 0);
}

static void large_tables_are_made_piece_by_piece(void **state)
{
	struct tracer_options o = {.exact = true, .thread_size = host_thread_size("/proc")};
	volatile struct watch *watch = watch_new();
	uint32_t before = 0, after = 0;
	char why[TRACER_WHY_MAX];
	struct tracer *t = NULL;
	struct sizes sizes;
	uint64_t largest;
	cpu_set_t mine;
	pid_t watcher;

	(void)state;
	assert_int_equal(tracer_sizes(&o, &sizes, why), 0);
	o.memory = sizes.most < MEMORY ? sizes.most : MEMORY;
	if (o.memory < MEMORY_MIN)
		skip();
	largest_map(0, &before);
	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	stay_on(sched_getcpu());
	watcher = watcher_start(watch);
	assert_true(watcher > 0);
	usleep(10000);
	watch->longest = 0;
	assert_int_equal(tracer_new(&plan, &o, &t), 0);
	usleep(2000);
	watcher_end(watcher);
	sched_setaffinity(0, sizeof(mine), &mine);

	largest = largest_map(before, &after);
	print_message(
		"%.0f MiB of tables, the largest map %.1f MiB; the CPU was kept for %.0f ms at most\n",
		tracer_own_bytes(t) / 1048576.0, largest / 1048576.0, watch->longest / 1e6);
	assert_true(after > before);
	assert_true(tracer_own_bytes(t) >= o.memory / 4);
	assert_true(largest <= SIZES_MAP_MOST);
	assert_true(watch->longest > 0 && watch->longest < STALL_MS * 1000000ull);
	tracer_free(t);
	munmap((void *)watch, sizeof(*watch));
}

/* What kmemtrace census does, on this CPU. */
static void census_here(void)
{
	struct kernel_facts facts;
	struct census census = {0};

	kernel_facts_read("/proc", NULL, &facts);
	assert_int_equal(census_take(&plan, &(struct census_options){.budget_s = 10}, &census), 0);
	assert_true(census_is_whole(&census));
	census_free(&census);
}

/* How often the watcher is late in WATCH_NS, alone and beside censuses. Is it about the same? */
static bool late_is_alike(volatile struct watch *watch)
{
	uint64_t until, quiet, wakes, nr = 0;

	watch->late = watch->wakes = 0;
	usleep(WATCH_NS / 1000);
	quiet = watch->late;
	wakes = watch->wakes;
	watch->late = watch->wakes = 0;
	for (until = clock_ns() + WATCH_NS; clock_ns() < until; nr++)
		census_here();
	print_message("late by more than %.1f ms: %llu of %llu times, and %llu of %llu beside %llu "
		      "censuses\n",
		      LATE_NS / 1e6, (unsigned long long)quiet, (unsigned long long)wakes,
		      (unsigned long long)watch->late, (unsigned long long)watch->wakes,
		      (unsigned long long)nr);
	return watch->wakes > wakes / 2 && watch->late <= quiet + nr / 2;
}

/*
 * Reading vmallocinfo kept a CPU for 2 ms in each census. What else happens on the machine makes
 * one round differ, but not three.
 */
static void a_census_lets_others_run(void **state)
{
	volatile struct watch *watch = watch_new();
	bool alike = false;
	cpu_set_t mine;
	pid_t watcher;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	stay_on(sched_getcpu());
	watcher = watcher_start(watch);
	assert_true(watcher > 0);
	for (int round = 0; round < 3 && !alike; round++)
		alike = late_is_alike(watch);
	watcher_end(watcher);
	sched_setaffinity(0, sizeof(mine), &mine);
	assert_true(alike);
	munmap((void *)watch, sizeof(*watch));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_tables_are_made_piece_by_piece),
		cmocka_unit_test(a_census_lets_others_run),
	};

	return cmocka_run_group_tests(tests, plan_make, NULL);
}
