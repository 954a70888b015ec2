// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns the tables of the BPF side into the rows of a capture: processes, caches, live objects,
 * traffic. stacks.c names the stacks. See collector.h.
 */
#include "record/collector.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/limits.h"
#include "base/log.h"
#include "data/class.h"
#include "record/estimate.h"
#include "record/groups.h"
#include "record/loss_counters.h"
#include "record/stacks.h"
#include "proc/cgroup.h"
#include "proc/process.h"
#include "proc/slab_alias.h"

/*
 * In process_ids: the process ended before collector_notice() came to it, so nothing more can be
 * read about it. It is stored once a row needs it: a shell that forks leaves a thousand a second.
 */
#define ENDED UINT32_MAX

struct collector {
	struct tracer *tracer;
	const struct audit *audit;
	struct capture_writer *w;
	const struct tracer_tables *tables;
	const char *proc_root, *sys_root;
	struct stacks *stacks;
	struct cgroups *cgroups;
	struct slab_aliases *aliases;
	uint32_t *process_ids; /* by process row; 0: not yet stored, or ENDED */
	uint32_t *cache_ids;   /* by cache row */
};

int collector_new(struct tracer *t, const struct audit *a, struct capture_writer *w,
		  const char *proc_root, const char *sys_root, struct collector **out)
{
	struct collector *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->tracer = t;
	d->audit = a;
	d->w = w;
	d->tables = tracer_tables(t);
	d->proc_root = proc_root;
	d->sys_root = sys_root;
	d->process_ids = calloc(d->tables->nr_processes, sizeof(*d->process_ids));
	d->cache_ids = calloc(d->tables->nr_caches, sizeof(*d->cache_ids));
	if (!d->process_ids || !d->cache_ids ||
	    stacks_new(d->tables, w, proc_root, sys_root, &d->stacks)) {
		collector_free(d);
		return -ENOMEM;
	}
	if (cgroups_load(proc_root, &d->cgroups))
		d->cgroups = NULL;
	if (slab_aliases_load(sys_root, &d->aliases))
		d->aliases = NULL;
	*out = d;
	return 0;
}

void collector_free(struct collector *d)
{
	if (!d)
		return;
	stacks_free(d->stacks);
	cgroups_free(d->cgroups);
	slab_aliases_free(d->aliases);
	free(d->process_ids);
	free(d->cache_ids);
	free(d);
}

int collector_stack(struct collector *d, uint32_t row, uint32_t *id)
{
	struct stack_class class_;

	return stacks_id(d->stacks, row, POOL_SLAB, id, &class_);
}

const char *collector_symbols_state(const struct collector *d)
{
	return stacks_symbols_state(d->stacks);
}

/* ---- processes ---- */

static const char *cgroup_path(struct collector *d, uint64_t id, bool *refreshed)
{
	const char *path = d->cgroups ? cgroups_path(d->cgroups, id) : "";

	if (d->cgroups && !*path && !*refreshed) {
		*refreshed = true;
		cgroups_refresh(d->cgroups);
		path = cgroups_path(d->cgroups, id);
	}
	return path;
}

static int process_put(struct collector *d, uint32_t row, bool *refreshed)
{
	const struct kmt_process *process = &d->tables->processes[row];
	char comm[KMT_COMM + 1] = "[interrupt]", cmdline[4096] = "";
	struct cap_process p = {.tgid = process->tgid, .comm = comm, .cmdline = cmdline};
	const char *path;
	int err;

	if (process->tgid) {
		memcpy(comm, process->comm, KMT_COMM);
		comm[KMT_COMM] = '\0';
		if (d->process_ids[row] == ENDED ||
		    process_cmdline(d->proc_root, process->tgid, cmdline, sizeof(cmdline)))
			cmdline[0] = '\0';
		path = cgroup_path(d, process->cgroup, refreshed);
		err = *path ? capture_put_cgroup(d->w, path, &p.cgroup) : 0;
		if (err)
			return err;
	}
	return capture_put_process(d->w, &p, &d->process_ids[row]);
}

/* The capture's id of the process in `row`; 0: none. */
static int process_id(struct collector *d, uint32_t row, uint32_t *id)
{
	bool refreshed = true; /* collector_notice() has done so */
	int err = 0;

	*id = 0;
	if (row >= d->tables->nr_processes)
		return 0;
	if (d->process_ids[row] == ENDED)
		err = process_put(d, row, &refreshed);
	if (!err)
		*id = d->process_ids[row];
	return err;
}

/* True if no process of our pid namespace has this id. This needs no permission, and no file. */
static bool process_ended(uint32_t tgid)
{
	return tgid && kill((pid_t)tgid, 0) && errno == ESRCH;
}

int collector_notice(struct collector *d)
{
	bool refreshed = false;
	int err = 0;

	for (uint32_t row = 1; row < d->tables->nr_processes && !err; row++) {
		const struct kmt_process *process = &d->tables->processes[row];

		if (d->process_ids[row] || !__atomic_load_n(&process->ready, __ATOMIC_ACQUIRE))
			continue;
		if (process_ended(process->tgid)) {
			cgroup_path(d, process->cgroup, &refreshed); /* it may soon be removed */
			d->process_ids[row] = ENDED;
		} else {
			err = process_put(d, row, &refreshed);
		}
	}
	return err;
}

static int compare_cgroup_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The ids of cgroups whose path is in the capture, sorted. */
static size_t known_cgroups(const struct collector *d, uint64_t *ids)
{
	size_t nr = 0;

	for (uint32_t row = 1; row < d->tables->nr_processes; row++)
		if (d->process_ids[row] && d->process_ids[row] != ENDED)
			ids[nr++] = d->tables->processes[row].cgroup;
	if (nr)
		qsort(ids, nr, sizeof(*ids), compare_cgroup_id);
	return nr;
}

struct task_cgroup {
	uint64_t id; /* first: compare_cgroup_id() reads it */
	const struct task_level *task;
};

static int task_cgroup_put(struct collector *d, const struct task_cgroup *of, bool *refreshed)
{
	char comm[sizeof(of->task->comm) + 1] = "";
	struct cap_process p = {.tgid = of->task->tgid, .comm = comm, .cmdline = (char *)""};
	const char *path = cgroup_path(d, of->id, refreshed);
	uint32_t row;

	if (!*path)
		return 0;
	memcpy(comm, of->task->comm, sizeof(of->task->comm));
	return capture_put_cgroup(d->w, path, &p.cgroup) ?: capture_put_process(d->w, &p, &row);
}

int collector_task_cgroups(struct collector *d, const struct task_levels *tasks)
{
	_cleanup_free_ uint64_t *known = calloc(d->tables->nr_processes + 1, sizeof(*known));
	_cleanup_free_ struct task_cgroup *of = calloc(tasks->nr + 1, sizeof(*of));
	size_t nr_known = known ? known_cgroups(d, known) : 0;
	bool refreshed = false;
	int err = 0;

	if (!known || !of)
		return -ENOMEM;
	for (size_t i = 0; i < tasks->nr; i++)
		of[i] = (struct task_cgroup){tasks->items[i].cgroup_id, &tasks->items[i]};
	if (tasks->nr)
		qsort(of, tasks->nr, sizeof(*of), compare_cgroup_id);
	for (size_t i = 0; i < tasks->nr && !err; i++) {
		bool last = i + 1 == tasks->nr || of[i + 1].id != of[i].id;

		if (last && of[i].task->tgid &&
		    !bsearch(&of[i].id, known, nr_known, sizeof(*known), compare_cgroup_id))
			err = task_cgroup_put(d, &of[i], &refreshed);
	}
	return err;
}

/* ---- caches ---- */

static int cache_put(struct collector *d, struct cap_cache *cache, uint32_t *id)
{
	size_t nr = 0;
	const char *const *names = slab_aliases_of(d->aliases, cache->name, &nr);
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		char **alias;

		if (!strcmp(names[i], cache->name))
			continue;
		alias = ARRAY_PUSH(&cache->aliases);
		if (alias)
			*alias = (char *)names[i];
		else
			err = -ENOMEM;
	}
	if (!err)
		err = capture_put_cache(d->w, cache, id);
	ARRAY_FREE(&cache->aliases);
	return err;
}

/* The capture's id of the cache in `row`; 0: none. */
static int cache_id(struct collector *d, uint32_t row, uint32_t *id)
{
	const struct kmt_cache_key *key;
	const struct kmt_cache_info *info;
	char name[KMT_NAME + 1] = "";
	int err = 0;

	*id = 0;
	if (!row || row >= d->tables->nr_caches)
		return 0;
	key = &d->tables->cache_keys[row];
	if (!d->cache_ids[row] &&
	    (__atomic_load_n(&key->state, __ATOMIC_ACQUIRE) & KMT_CACHE_READY)) {
		struct cap_cache cache = {.name = name};

		info = &d->tables->cache_info[row];
		memcpy(name, info->name, KMT_NAME);
		cache.object_size = info->object_size;
		cache.size = key->size;
		cache.reclaimable = info->reclaimable;
		cache.large = key->ptr == KMT_CACHE_LARGE;
		err = cache_put(d, &cache, &d->cache_ids[row]);
	}
	*id = d->cache_ids[row];
	return err;
}

int collector_other_caches(struct collector *d, const struct slab_levels *slabs)
{
	for (uint32_t row = 1; row < d->tables->nr_caches; row++) {
		uint32_t id;
		int err = cache_id(d, row, &id);

		if (err)
			return err;
	}
	for (size_t i = 0; i < slabs->nr; i++) {
		const struct slab_level *s = &slabs->items[i];
		struct cap_cache cache = {
			.name = (char *)s->name, .size = s->object_size, .merged_away = true};
		char dir[512], line[32] = "";
		uint32_t id;
		bool seen = false;
		int err;

		for (uint32_t row = 1; row < d->tables->nr_caches && !seen; row++)
			seen = d->tables->cache_keys[row].ptr &&
			       !strncmp(d->tables->cache_info[row].name, s->name, KMT_NAME);
		if (seen)
			continue;
		snprintf(dir, sizeof(dir), "%s/kernel/slab/%s", d->sys_root, s->name);
		cache.object_size = file_read_line(dir, "object_size", line, sizeof(line))
					    ? s->object_size
					    : atoll(line);
		cache.reclaimable =
			!file_read_line(dir, "reclaim_account", line, sizeof(line)) && atoi(line);
		err = cache_put(d, &cache, &id);
		if (err)
			return err;
	}
	return 0;
}

/* ---- live objects ---- */

static int live_read(const struct collector *d, uint32_t now_ms, struct live_groups *groups)
{
	const struct tracer_tables *t = d->tables;
	struct live_group *last = NULL;
	struct stratum_counts strata[KMT_STRATA];

	tracer_strata(d->tracer, strata);
	for (uint32_t b = 0; b < t->nr_buckets; b++)
		for (uint32_t i = 0; i < KMT_KEYS; i++) {
			uint64_t key = __atomic_load_n(&t->live[b].key[i], __ATOMIC_ACQUIRE), n;
			struct kmt_object o;

			if (key <= KMT_EVICTING)
				continue;
			o = t->live[b].object[i];
			if (__atomic_load_n(&t->live[b].key[i], __ATOMIC_ACQUIRE) != key)
				continue; /* freed while we read it */
			if (!last || !group_is_of(last, &o))
				last = groups_get(groups, &o);
			if (!last)
				return -ENOMEM;
			groups->merged += !group_is_of(last, &o);
			estimate_add(&last->held, &o, now_ms,
				     audit_sampled(d->audit, b * KMT_KEYS + i));
			if (o.stratum < KMT_STRATA)
				last->held.bytes_missed =
					fmax(last->held.bytes_missed,
					     estimate_missed(o.size, strata[o.stratum].longest));
			n = kmt_weight(o.size, o.period, t->weights);
			last->nr += n;
			last->bytes += n * o.size;
		}
	return 0;
}

/*
 * Unseen frees were audited too. Without them every audited object would be live, and the live
 * share would be 100 %.
 */
static void unseen_frees_add(const struct collector *d, const struct live_groups *groups)
{
	const struct audit_unseen_frees *unseen_frees;
	size_t nr = audit_unseen_frees(d->audit, &unseen_frees);

	for (size_t i = 0; i < nr; i++) {
		struct group_key key = {.stack = unseen_frees[i].stack,
					.process = unseen_frees[i].process,
					.cache = unseen_frees[i].cache,
					.pool = unseen_frees[i].cache ? KMT_SLAB : KMT_PAGE};
		struct live_group *g;

		g = groups_find(groups, &key);
		if (g)
			g->held.verified += unseen_frees[i].nr;
	}
}

static void held_add(struct cap_held *to, const struct cap_held *from)
{
	to->tracked += from->tracked;
	to->objects += from->objects;
	to->bytes += from->bytes;
	to->bytes_var += from->bytes_var;
	to->bytes_missed = fmax(to->bytes_missed, from->bytes_missed);
	for (int i = 0; i < AGE_BUCKETS; i++)
		to->age_hist[i] += from->age_hist[i];
	if (from->oldest_s > to->oldest_s)
		to->oldest_s = from->oldest_s;
}

/* Indexes in cap_checkpoint.held of the rows without stack and process, one per class. */
struct sum_rows {
	struct {
		const char *class_;
		size_t row;
	} at[16];
	size_t nr;
};

/* The row that sums all pages of a class outside its pool; NULL if memory runs out. */
static struct cap_held *sum_row(struct sum_rows *sums, const struct stack_class *class_,
				struct cap_checkpoint *out)
{
	struct cap_held *row;

	for (size_t i = 0; i < sums->nr; i++)
		if (!strcmp(sums->at[i].class_, class_->class_))
			return &out->held.items[sums->at[i].row];
	row = ARRAY_PUSH(&out->held);
	if (row && sums->nr < sizeof(sums->at) / sizeof(sums->at[0])) {
		sums->at[sums->nr].class_ = class_->class_;
		sums->at[sums->nr++].row = out->held.nr - 1;
	}
	return row;
}

static int group_put(struct collector *d, const struct live_group *g, struct sum_rows *sums,
		     struct cap_checkpoint *out)
{
	struct stack_class class_;
	struct cap_held *row;
	uint32_t stack;
	int err = stacks_id(d->stacks, g->key.stack, (enum pool)g->key.pool, &stack, &class_);
	bool whole =
		g->key.pool != KMT_PAGE || class_place(class_.pool, class_.class_) != CLASS_OUTSIDE;

	if (err)
		return err;
	row = whole ? ARRAY_PUSH(&out->held) : sum_row(sums, &class_, out);
	if (!row)
		return -ENOMEM;
	if (whole)
		*row = g->held;
	else
		held_add(row, &g->held);
	row->pool = class_.pool;
	snprintf(row->class_, sizeof(row->class_), "%s", class_.class_);
	if (!whole)
		return 0;
	row->stack = stack;
	err = process_id(d, g->key.process, &row->process);
	return err ?: cache_id(d, g->key.cache, &row->cache);
}

/* Pages that back another pool, or are not kernel memory, are kept only as one sum per class. */
static int held_put(struct collector *d, const struct live_groups *groups,
		    struct cap_checkpoint *out)
{
	struct sum_rows sums = {};
	struct live_group *g, *next;
	int err = 0;

	HASH_ITER (hh, groups->by_key, g, next) {
		err = err ?: group_put(d, g, &sums, out);
	}
	return err;
}

/* ---- traffic ---- */

/* Allocations of a stack or a cache, in 1/KMT_ONE, and how much of them is live. */
struct flow {
	struct kmt_traffic t;
	uint64_t live, live_bytes;
};

struct flows {
	struct flow *stack, *cache; /* by row */
};

/*
 * Allocations that are neither live nor freed unseen. `live` is read later than `came`, so the
 * difference can be negative; it then counts as 0.
 */
static double freed(uint64_t came, uint64_t unseen_frees, uint64_t live)
{
	return came > unseen_frees + live ? (double)(came - unseen_frees - live) / KMT_ONE : 0;
}

static int churn_put(struct collector *d, uint32_t stack_row, const struct flow *f,
		     struct cap_checkpoint *out)
{
	uint32_t pool = (d->tables->stacks[stack_row].flags >> KMT_STACK_POOL) & 0xff;
	struct stack_class class_;
	struct cap_churn *row;
	uint32_t stack;
	int err;

	if (!f->t.allocs && !f->t.unseen_frees)
		return 0;
	err = stacks_id(d->stacks, stack_row, pool, &stack, &class_);
	if (err || (pool == KMT_PAGE && class_place(class_.pool, class_.class_) == CLASS_OUTSIDE))
		return err;
	row = ARRAY_PUSH(&out->churn);
	if (!row)
		return -ENOMEM;
	row->pool = class_.pool;
	row->stack = stack;
	row->allocs = (double)f->t.allocs / KMT_ONE;
	row->alloc_bytes = (double)f->t.alloc_bytes / KMT_ONE;
	row->frees = freed(f->t.allocs, f->t.unseen_frees, f->live);
	row->free_bytes = freed(f->t.alloc_bytes, f->t.unseen_free_bytes, f->live_bytes);
	row->unseen_frees = (double)f->t.unseen_frees / KMT_ONE;
	row->unseen_free_bytes = (double)f->t.unseen_free_bytes / KMT_ONE;
	row->alloc_bytes_var = (double)f->t.alloc_var * KMT_VAR_UNIT * KMT_VAR_UNIT;
	return 0;
}

static int cache_churn_put(struct collector *d, uint32_t cache, const struct flow *f,
			   struct cap_checkpoint *out)
{
	struct cap_cache_churn row = {
		.allocs = (double)f->t.allocs / KMT_ONE,
		.frees = freed(f->t.allocs, f->t.unseen_frees, f->live),
		.unseen_frees = (double)f->t.unseen_frees / KMT_ONE,
	};
	struct cap_cache_churn *to;
	int err;

	if (!f->t.allocs && !f->t.unseen_frees)
		return 0;
	err = cache_id(d, cache, &row.cache);
	if (err || !row.cache)
		return err;
	to = ARRAY_PUSH(&out->cache_churn);
	if (!to)
		return -ENOMEM;
	*to = row;
	return 0;
}

static void flow_add_tally(struct flow *f, const struct kmt_tally *tally)
{
	bool unseen_frees = tally->cache & KMT_TALLY_UNSEEN_FREES;

	*(unseen_frees ? &f->t.unseen_frees : &f->t.allocs) += tally->nr;
	*(unseen_frees ? &f->t.unseen_free_bytes : &f->t.alloc_bytes) += tally->bytes;
	if (!unseen_frees)
		f->t.alloc_var += tally->var;
}

/* Read the shared totals, plus what each CPU has not yet added to them. */
static int traffic_read(const struct collector *d, struct flows *flows)
{
	const struct tracer_tables *t = d->tables;

	flows->stack = calloc(t->nr_stacks, sizeof(*flows->stack));
	flows->cache = calloc(t->nr_caches, sizeof(*flows->cache));
	if (!flows->stack || !flows->cache)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->nr_stacks; i++)
		flows->stack[i].t = t->stack_traffic[i];
	for (uint32_t i = 0; i < t->nr_caches; i++)
		flows->cache[i].t = t->cache_traffic[i];
	for (uint32_t i = 0; i < t->nr_tallies; i++) {
		struct kmt_tally tally = t->tallies[i];
		uint32_t cache = tally.cache & ~KMT_TALLY_UNSEEN_FREES;

		if (tally.stack < t->nr_stacks)
			flow_add_tally(&flows->stack[tally.stack], &tally);
		if (cache < t->nr_caches)
			flow_add_tally(&flows->cache[cache], &tally);
	}
	return 0;
}

static void live_add(struct flow *f, const struct live_group *g)
{
	f->live += g->nr;
	f->live_bytes += g->bytes;
}

/* Add the live objects to the flows. */
static void groups_add(const struct collector *d, const struct live_groups *groups,
		       struct flows *flows)
{
	struct live_group *g, *next;

	HASH_ITER (hh, groups->by_key, g, next) {
		if (g->key.stack < d->tables->nr_stacks)
			live_add(&flows->stack[g->key.stack], g);
		if (g->key.cache < d->tables->nr_caches)
			live_add(&flows->cache[g->key.cache], g);
	}
}

static int traffic_put(struct collector *d, const struct flows *flows, struct cap_checkpoint *out)
{
	int err = 0;

	for (uint32_t i = 0; i < d->tables->nr_stacks && !err; i++)
		err = churn_put(d, i, &flows->stack[i], out);
	for (uint32_t i = 0; i < d->tables->nr_caches && !err; i++)
		err = cache_churn_put(d, i, &flows->cache[i], out);
	return err;
}

int collector_checkpoint(struct collector *d, double end_s, uint64_t not_watched)
{
	struct cap_checkpoint interval = {.end_s = end_s};
	struct tracer_counts counts;
	struct live_groups groups = {.most = tracer_sizes_of(d->tracer)->groups};
	struct flows flows = {};
	int err = traffic_read(d, &flows);

	/*
	 * Read traffic before the live table: objects freed in between then count as freed, and new
	 * ones are not counted.
	 */
	if (!err)
		err = live_read(d, end_s * 1000, &groups);
	unseen_frees_add(d, &groups);
	if (!err)
		err = collector_notice(d);
	if (!err)
		err = held_put(d, &groups, &interval);
	if (!err) {
		groups_add(d, &groups, &flows);
		err = traffic_put(d, &flows, &interval);
	}
	tracer_counts(d->tracer, &counts);
	counts.losses[KMT_LOSS_PROCESS_FULL] += groups.merged;
	if (!err)
		err = losses_put(&counts, audit_counts(d->audit), not_watched, &interval);
	if (!err)
		err = capture_put_checkpoint(d->w, &interval);
	groups_free(&groups);
	free(flows.stack);
	free(flows.cache);
	ARRAY_FREE(&interval.held);
	ARRAY_FREE(&interval.churn);
	ARRAY_FREE(&interval.cache_churn);
	ARRAY_FREE(&interval.losses);
	return err == -ENOMEM ? limits_no_memory("reading the tables") : err;
}
