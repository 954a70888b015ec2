// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns a stream of tasks into one row per process. Two hash tables find the process of a task and
 * address spaces already counted. See tasks.h.
 */
#include "trace/tasks.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#define HASH_FUNCTION HASH_JEN
#include "base/hash.h"

/*
 * Either the index of a process in the list, by tgid, or a mark that an address space was counted.
 */
struct seen {
	uint64_t key;
	size_t index;
	UT_hash_handle hh;
};

static void seen_free(struct seen **all)
{
	HASH_FREE(*all);
}

/* Is `key` known already? *out is its entry, old or new; NULL if memory runs out. */
static bool seen_before(struct seen **all, uint64_t key, struct seen **out)
{
	HASH_FIND(hh, *all, &key, sizeof(key), *out);
	if (*out)
		return true;
	*out = calloc(1, sizeof(**out));
	if (*out) {
		(*out)->key = key;
		HASH_ADD(hh, *all, key, sizeof((*out)->key), *out);
	}
	return false;
}

static int task_add(const struct kmt_task *t, uint32_t thread_size, struct seen **processes,
		    struct seen **spaces, struct task_levels *out)
{
	struct task_level *level;
	struct seen *process, *space;

	if (!seen_before(processes, t->tgid, &process)) {
		level = process ? ARRAY_PUSH(out) : NULL;
		if (!level)
			return -ENOMEM;
		process->index = out->nr - 1;
		level->tgid = (int32_t)t->tgid;
		level->cgroup_id = t->cgroup;
		memcpy(level->comm, t->comm, sizeof(level->comm) - 1);
	}
	level = &out->items[process->index];
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a process seen before has a row */
	level->threads++;
	level->stack_bytes += t->stack ? thread_size : 0;
	if (t->mm && !seen_before(spaces, t->mm, &space)) {
		if (!space)
			return -ENOMEM;
		level->pgtables_bytes += (int64_t)t->pgtables_bytes;
	}
	return 0;
}

/* The rows so far. */
struct task_sums {
	struct task_levels levels;
	struct seen *processes, *spaces;
	uint32_t thread_size;
};

static void task_sums_free(struct task_sums *sums)
{
	seen_free(&sums->processes);
	seen_free(&sums->spaces);
	ARRAY_FREE(&sums->levels);
}

static void task_sums_take(struct task_sums *sums, struct task_levels *out)
{
	*out = sums->levels;
	sums->levels = (struct task_levels){0};
}

static int task_sums_add(struct task_sums *sums, const struct kmt_task *tasks, size_t nr)
{
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++)
		err = task_add(&tasks[i], sums->thread_size, &sums->processes, &sums->spaces,
			       &sums->levels);
	return err;
}

int tasks_sum(const struct kmt_task *tasks, size_t nr, uint32_t thread_size,
	      struct task_levels *out)
{
	_cleanup_(task_sums_free) struct task_sums sums = {.thread_size = thread_size};
	int err = task_sums_add(&sums, tasks, nr);

	if (!err)
		task_sums_take(&sums, out);
	return err;
}

/* Whole records; a part of one at the very end is not a task. The buffer is aligned for any type.
 */
static ssize_t tasks_take(const char *buf, size_t len, bool last, void *arg)
{
	size_t nr = len / sizeof(struct kmt_task);
	int err = task_sums_add(arg, (const struct kmt_task *)buf, nr);

	return err ?: (ssize_t)(last ? len : nr * sizeof(struct kmt_task));
}

int tasks_read(const struct tracer *t, uint32_t thread_size, struct task_levels *out)
{
	_cleanup_(task_sums_free) struct task_sums sums = {.thread_size = thread_size};
	int err = tracer_iter(t, "tasks_dump", tasks_take, &sums);

	if (err == -ENOENT)
		return 0;
	if (!err)
		task_sums_take(&sums, out);
	return err;
}
