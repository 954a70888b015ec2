// SPDX-License-Identifier: GPL-2.0-only
/* See crew.h. */
#include "trace/crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct crew_member {
	struct crew *crew;
	pthread_t thread;
	void *own;
};

struct crew {
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t begin, done;
	int (*work)(void *own, void *arg);
	void *arg;
	uint64_t round; /* of work; the first is to make their own */
	size_t busy;
	int err;
	bool over;
	struct crew_kind kind;
	size_t nr;
	struct crew_member members[];
};

/* A thread has ended its work. */
static void crew_member_done(struct crew *c, int err)
{
	if (err && !c->err)
		c->err = err;
	if (!--c->busy)
		pthread_cond_signal(&c->done);
}

static void *crew_member_run(void *arg)
{
	struct crew_member *m = arg;
	struct crew *c = m->crew;
	int err = c->kind.open(c->kind.arg, &m->own);
	uint64_t round = 0;

	pthread_mutex_lock(&c->lock);
	crew_member_done(c, err);
	while (true) {
		int (*work)(void *own, void *arg);
		void *work_arg;

		while (!c->over && c->round == round)
			pthread_cond_wait(&c->begin, &c->lock);
		if (c->over)
			break;
		round = c->round;
		work = c->work;
		work_arg = c->arg;
		pthread_mutex_unlock(&c->lock);
		err = work(m->own, work_arg);
		pthread_mutex_lock(&c->lock);
		crew_member_done(c, err);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

void crew_free(struct crew *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->over = true;
	pthread_cond_broadcast(&c->begin);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->nr; i++)
		pthread_join(c->members[i].thread, NULL);
	for (size_t i = 0; i < c->nr; i++)
		if (c->members[i].own)
			c->kind.close(c->members[i].own);
	pthread_cond_destroy(&c->begin);
	pthread_cond_destroy(&c->done);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

int crew_new(const struct crew_kind *kind, size_t nr, struct crew **out)
{
	struct crew *c = calloc(1, sizeof(*c) + nr * sizeof(c->members[0]));
	pthread_condattr_t monotonic;
	int err = 0, opened = 0;

	if (!c)
		return -ENOMEM;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->begin, NULL);
	/* of a clock that nobody sets */
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	c->kind = *kind;
	for (; c->nr < nr && !err; c->nr += !err) {
		struct crew_member *m = &c->members[c->nr];

		m->crew = c;
		pthread_mutex_lock(&c->lock);
		err = -pthread_create(&m->thread, NULL, crew_member_run, m);
		c->busy += !err;
		pthread_mutex_unlock(&c->lock);
	}
	while (!crew_wait(c, 1000, &opened))
		;
	err = err ?: opened;
	if (err) {
		crew_free(c);
		return err;
	}
	*out = c;
	return 0;
}

size_t crew_size(const struct crew *c)
{
	return c->nr;
}

void *crew_own(const struct crew *c, size_t i)
{
	return c->members[i].own;
}

void crew_begin(struct crew *c, int (*work)(void *own, void *arg), void *arg)
{
	pthread_mutex_lock(&c->lock);
	c->work = work;
	c->arg = arg;
	c->err = 0;
	c->busy = c->nr;
	c->round++;
	pthread_cond_broadcast(&c->begin);
	pthread_mutex_unlock(&c->lock);
}

bool crew_wait(struct crew *c, uint32_t ms, int *err)
{
	struct timespec until;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&c->lock);
	while (c->busy && pthread_cond_timedwait(&c->done, &c->lock, &until) != ETIMEDOUT)
		;
	done = !c->busy;
	if (done)
		*err = c->err;
	pthread_mutex_unlock(&c->lock);
	return done;
}
