// SPDX-License-Identifier: GPL-2.0-only
/* See background.h. */
#include "trace/background.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define LOW_NICE   10
#define STEP_NS    1000000 /* at most so long without a rest of … */
#define REST_NS    50000
#define STARVED_NS 1000000000 /* of waiting for a CPU */

struct background_work {
	int (*work)(void *arg);
	void *arg;
	int result;
};

/* In Linux, both are of the calling thread alone. What is refused stays as it is. */
static void background_priority(int policy)
{
	sched_setscheduler(0, policy, &(struct sched_param){0});
	if (getpriority(PRIO_PROCESS, 0) < LOW_NICE)
		setpriority(PRIO_PROCESS, 0, LOW_NICE);
}

static void *background_thread(void *arg)
{
	struct background_work *w = arg;

	background_priority(SCHED_IDLE);
	w->result = w->work(w->arg);
	return NULL;
}

int background_run(int (*work)(void *arg), void *arg)
{
	struct background_work w = {.work = work, .arg = arg};
	pthread_t thread;

	if (pthread_create(&thread, NULL, background_thread, &w))
		return work(arg);
	pthread_join(thread, NULL);
	return w.result;
}

void background_begin(struct background *b)
{
	*b = (struct background){.began_ns = clock_ns(), .cpu_ns = clock_thread_ns()};
	b->rested_ns = b->began_ns;
}

/*
 * On a busy machine, a thread of the lowest priority would wait for ever. After a while it competes
 * like other work of low priority.
 */
static void background_starve(struct background *b, uint64_t now)
{
	uint64_t took = now - b->began_ns - b->resting_ns;
	uint64_t cpu = clock_thread_ns() - b->cpu_ns;

	if (b->starved || took < cpu + STARVED_NS)
		return;
	b->starved = true;
	log_debug("the CPUs are busy: the census no longer waits until one is idle");
	background_priority(SCHED_BATCH);
}

void background_rest(struct background *b)
{
	const struct timespec rest = {.tv_nsec = REST_NS};
	uint64_t now = clock_ns();

	if (now - b->rested_ns < STEP_NS)
		return;
	background_starve(b, now);
	nanosleep(&rest, NULL);
	b->rested_ns = clock_ns();
	b->resting_ns += REST_NS;
}
