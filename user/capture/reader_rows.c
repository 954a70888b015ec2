// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the tables of a capture, except its levels, into struct capture. Ids must be dense and
 * refer to existing rows, because users of the result index with them unchecked.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "data/class.h"
#include "capture/reader_internal.h"
#include "capture/reader_cost.h"

#define STACK_USED (1u << 31) /* in reader.stack_text: a row refers to it */

static int read_meta(struct reader *r, void *unused)
{
	struct cap_meta *m = READER_PUSH(r, r->c->meta.items, r->c->meta.nr, r->c->meta.cap);

	(void)unused;
	if (!m)
		return 0;
	m->key = reader_text(r, 0);
	m->value = reader_long_text(r, 1);
	return 0;
}

static int read_frame(struct reader *r, void *unused)
{
	struct cap_frame *f = READER_PUSH(r, r->c->frames, r->c->nr_frames, r->frames_cap);

	(void)unused;
	if (!f)
		return 0;
	reader_next_id(r, 0, r->c->nr_frames - 1);
	f->symbol = reader_text(r, 1);
	f->offset = reader_int(r, 2, 0, INT32_MAX);
	f->module = reader_text(r, 3);
	f->build_id = reader_text(r, 4);
	reader_spend(r, COST_FRAME);
	return 0;
}

static int read_stack(struct reader *r, void *unused)
{
	struct cap_stack *s = READER_PUSH(r, r->c->stacks, r->c->nr_stacks, r->stacks_cap);

	(void)unused;
	if (!s)
		return 0;
	reader_next_id(r, 0, r->c->nr_stacks - 1);
	s->truncated = reader_bool(r, 1);
	reader_spend(r, COST_STACK);
	return 0;
}

/* Store the collected frames in their stack. */
static int close_stack(struct reader *r)
{
	struct cap_stack *s;
	size_t size = r->nr_frames * sizeof(*s->frames);

	if (!r->nr_frames)
		return 0;
	s = &r->c->stacks[r->stack];
	reader_spend(r, size + COST_STRING);
	if (r->too_large)
		return reader_too_large(r);
	s->frames = malloc(size);
	if (!s->frames)
		return reader_no_memory(r);
	memcpy(s->frames, r->frames, size);
	s->nr_frames = r->nr_frames;
	r->stack_text[r->stack] = (uint32_t)r->frames_text;
	r->nr_frames = 0;
	r->frames_text = 0;
	return 0;
}

static int read_stack_frame(struct reader *r, void *unused)
{
	uint32_t stack = reader_int(r, 0, 1, (int64_t)r->c->nr_stacks - 1);
	uint32_t depth = reader_int(r, 1, 0, CAPTURE_FRAMES_MAX - 1);
	uint32_t frame = reader_int(r, 2, 1, (int64_t)r->c->nr_frames - 1);
	int err;

	(void)unused;
	if (!r->bad && stack < r->stack)
		r->bad = "out of order";
	if (r->bad)
		return 0;
	if (stack != r->stack) {
		err = close_stack(r);
		if (err)
			return err;
		r->stack = stack;
	}
	if (depth != r->nr_frames) {
		r->bad = "frames out of order";
		return 0;
	}
	r->frames[r->nr_frames++] = frame;
	r->frames_text += strlen(r->c->frames[frame].symbol) + strlen(r->c->frames[frame].module) +
			  COST_FRAME_TEXT;
	return 0;
}

/* Allocate the array of printed sizes of the stacks. */
static int stack_text_new(struct reader *r)
{
	r->stack_text = calloc(r->c->nr_stacks, sizeof(*r->stack_text));
	return r->stack_text ? 0 : reader_no_memory(r);
}

void reader_refer_stack(struct reader *r, uint32_t stack)
{
	if (r->bad)
		return;
	reader_spend_text(r, r->stack_text[stack] & ~STACK_USED);
	if (!(r->stack_text[stack] & STACK_USED))
		reader_spend(r, r->stack_text[stack]);
	r->stack_text[stack] |= STACK_USED;
}

static int read_cgroup(struct reader *r, void *unused)
{
	char **path = READER_PUSH(r, r->c->cgroups, r->c->nr_cgroups, r->cgroups_cap);

	(void)unused;
	if (!path)
		return 0;
	reader_next_id(r, 0, r->c->nr_cgroups - 1);
	*path = reader_text(r, 1);
	reader_spend(r, COST_CGROUP);
	return 0;
}

static int read_process(struct reader *r, void *unused)
{
	struct cap_process *p =
		READER_PUSH(r, r->c->processes, r->c->nr_processes, r->processes_cap);

	(void)unused;
	if (!p)
		return 0;
	reader_next_id(r, 0, r->c->nr_processes - 1);
	p->tgid = reader_int(r, 1, 0, INT32_MAX);
	p->comm = reader_text(r, 2);
	p->cmdline = reader_long_text(r, 3);
	p->cgroup = reader_int(r, 4, 0, (int64_t)r->c->nr_cgroups - 1);
	reader_spend(r, COST_PROCESS);
	return 0;
}

static int read_cache(struct reader *r, void *unused)
{
	struct cap_cache *c = READER_PUSH(r, r->c->caches, r->c->nr_caches, r->caches_cap);

	(void)unused;
	if (!c)
		return 0;
	reader_next_id(r, 0, r->c->nr_caches - 1);
	c->name = reader_text(r, 1);
	c->object_size = reader_int(r, 2, 0, CAPTURE_LEVEL_MAX);
	c->size = reader_int(r, 3, 0, CAPTURE_LEVEL_MAX);
	c->reclaimable = reader_bool(r, 4);
	c->large = reader_bool(r, 5);
	c->merged_away = reader_bool(r, 6);
	reader_spend(r, COST_CACHE);
	return 0;
}

static int read_cache_alias(struct reader *r, void *unused)
{
	uint32_t id = reader_int(r, 0, 1, (int64_t)r->c->nr_caches - 1);
	struct cap_cache *c;
	char **name;

	(void)unused;
	if (r->bad)
		return 0;
	c = &r->c->caches[id];
	name = READER_PUSH(r, c->aliases.items, c->aliases.nr, c->aliases.cap);
	if (name)
		*name = reader_text(r, 1);
	reader_spend(r, COST_ALIAS);
	return 0;
}

static int read_hook(struct reader *r, void *unused)
{
	struct cap_hook *h = READER_PUSH(r, r->c->hooks, r->c->nr_hooks, r->hooks_cap);

	(void)unused;
	if (!h)
		return 0;
	h->name = reader_text(r, 0);
	h->pool = reader_pool(r, 1);
	h->how = reader_text(r, 2);
	h->reason = reader_text(r, 3);
	h->cost = reader_text(r, 4);
	return 0;
}

static int read_interval(struct reader *r, void *unused)
{
	struct cap_checkpoint *i =
		READER_PUSH(r, r->c->checkpoints, r->c->nr_checkpoints, r->intervals_cap);

	(void)unused;
	if (!i)
		return 0;
	reader_next_id(r, 0, r->c->nr_checkpoints);
	i->start_s = reader_real(r, 1, 0, CAPTURE_REAL_MAX);
	i->end_s = reader_real(r, 2, i->start_s, CAPTURE_REAL_MAX);
	if (!r->bad && r->c->nr_checkpoints > 1 && i->start_s < i[-1].start_s)
		r->bad = "not in time order";
	reader_spend(r, COST_INTERVAL);
	return 0;
}

/* The interval whose id is in column 0; NULL with r->bad set if there is none. */
static struct cap_checkpoint *interval_of_row(struct reader *r)
{
	int64_t id = reader_int(r, 0, 1, (int64_t)r->c->nr_checkpoints);

	return r->bad ? NULL : &r->c->checkpoints[id - 1];
}

/* Mark all intervals brief except those wanted completely. */
static int choose_intervals(struct reader *r)
{
	struct capture *c = r->c;
	struct cap_checkpoint *wanted[] = {
		c->nr_checkpoints ? &c->checkpoints[c->nr_checkpoints - 1] : NULL,
		isnan(r->from_s) ? NULL : capture_checkpoint_near(c, r->from_s),
		isnan(r->to_s) ? NULL : capture_checkpoint_near(c, r->to_s),
	};

	for (size_t i = 0; i < c->nr_checkpoints && !r->whole; i++)
		c->checkpoints[i].is_brief = true;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (wanted[i])
			wanted[i]->is_brief = false;
	return 0;
}

/* The columns that a brief row has. */
static void fetch_held_brief(struct reader *r, struct cap_held *h)
{
	h->pool = reader_pool(r, 1);
	reader_text_into(r, 2, h->class_, sizeof(h->class_));
	h->cache = reader_int(r, 3, 0, (int64_t)r->c->nr_caches - 1);
	h->stack = reader_int(r, 4, 0, (int64_t)r->c->nr_stacks - 1);
	h->process = reader_int(r, 5, 0, (int64_t)r->c->nr_processes - 1);
	h->bytes = reader_real(r, 8, 0, CAPTURE_REAL_MAX);
}

static void fetch_held(struct reader *r, struct cap_held *h)
{
	fetch_held_brief(r, h);
	h->tracked = reader_int(r, 6, 0, CAPTURE_LEVEL_MAX);
	h->objects = reader_real(r, 7, 0, CAPTURE_REAL_MAX);
	h->bytes_var = reader_real(r, 9, 0, CAPTURE_REAL_MAX);
	h->oldest_s = reader_real(r, 10, 0, CAPTURE_REAL_MAX);
	h->verified = reader_int(r, 11, 0, CAPTURE_LEVEL_MAX);
	h->verified_live = reader_int(r, 12, 0, h->verified);
	h->verified_twice = reader_int(r, 13, 0, h->tracked);
	for (int b = 0; b < AGE_BUCKETS; b++)
		h->age_hist[b] = reader_real(r, 14 + b, 0, CAPTURE_REAL_MAX);
}

/* Spend the memory and the text that a report or diff needs for the row. */
static void spend_held(struct reader *r, const struct cap_held *h)
{
	const struct cap_process *p = &r->c->processes[h->process];

	reader_spend(r,
		     isnan(r->from_s) && isnan(r->to_s) ? COST_HELD : COST_HELD + COST_HELD_PART);
	reader_refer_stack(r, h->stack);
	reader_spend_text(r, strlen(p->comm) + strlen(p->cmdline) +
				     strlen(r->c->cgroups[p->cgroup]) +
				     strlen(r->c->caches[h->cache].name));
}

static int read_held(struct reader *r, void *unused)
{
	struct cap_checkpoint *i = interval_of_row(r);
	struct cap_held *h, fetched = {0};
	struct cap_brief *brief;

	(void)unused;
	if (!i)
		return 0;
	if (!i->is_brief) {
		h = READER_PUSH(r, i->held.items, i->held.nr, i->held.cap);
		if (!h)
			return 0;
		fetch_held(r, h);
		spend_held(r, h);
		return 0;
	}
	fetch_held_brief(r, &fetched); /* nothing uses its other figures */
	brief = READER_PUSH(r, i->brief.items, i->brief.nr, i->brief.cap);
	if (brief)
		*brief = (struct cap_brief){.pool = fetched.pool,
					    .place = class_place(fetched.pool, fetched.class_),
					    .cache = fetched.cache,
					    .stack = fetched.stack,
					    .process = fetched.process,
					    .bytes = fetched.bytes};
	return 0;
}

/*
 * A figure that version 3 added to a row of an interval. Returns the number of that row, from 0; −1
 * if the figure is not wanted.
 */
static int64_t read_added(struct reader *r, struct cap_checkpoint *i, size_t nr, double *figure)
{
	int64_t number = reader_int(r, 1, 1, INT64_MAX);

	*figure = reader_real(r, 2, 0, CAPTURE_REAL_MAX);
	if (!i || i->is_brief || r->bad)
		return -1;
	if ((uint64_t)number > nr) {
		r->bad = "no such row in this interval";
		return -1;
	}
	return number - 1;
}

/* Captures that do not store it count as if nothing could be missed. */
static int read_held_missed(struct reader *r, void *unused)
{
	struct cap_checkpoint *i = interval_of_row(r);
	double missed;
	int64_t row = read_added(r, i, i ? i->held.nr : 0, &missed);

	(void)unused;
	if (row >= 0)
		i->held.items[row].bytes_missed = missed;
	return 0;
}

static int read_churn(struct reader *r, void *unused)
{
	struct cap_checkpoint *i = interval_of_row(r);
	struct cap_churn *c;

	(void)unused;
	if (!i || i->is_brief)
		return 0;
	c = READER_PUSH(r, i->churn.items, i->churn.nr, i->churn.cap);
	if (!c)
		return 0;
	c->pool = reader_pool(r, 1);
	c->stack = reader_int(r, 2, 0, (int64_t)r->c->nr_stacks - 1);
	c->allocs = reader_real(r, 3, 0, CAPTURE_REAL_MAX);
	c->alloc_bytes = reader_real(r, 4, 0, CAPTURE_REAL_MAX);
	c->frees = reader_real(r, 5, 0, CAPTURE_REAL_MAX);
	c->free_bytes = reader_real(r, 6, 0, CAPTURE_REAL_MAX);
	c->unseen_frees = reader_real(r, 7, 0, CAPTURE_REAL_MAX);
	c->unseen_free_bytes = reader_real(r, 8, 0, CAPTURE_REAL_MAX);
	c->alloc_bytes_var = capture_table_since("churn_var") <= r->version ? 0 : NAN;
	reader_spend(r, COST_CHURN);
	reader_refer_stack(r, c->stack);
	return 0;
}

/* NAN in captures that do not store it: see read_churn(). */
static int read_churn_var(struct reader *r, void *unused)
{
	struct cap_checkpoint *i = interval_of_row(r);
	double var;
	int64_t row = read_added(r, i, i ? i->churn.nr : 0, &var);

	(void)unused;
	if (row >= 0)
		i->churn.items[row].alloc_bytes_var = var;
	return 0;
}

static int read_cache_churn(struct reader *r, void *unused)
{
	struct cap_checkpoint *i = interval_of_row(r);
	struct cap_cache_churn *c;

	(void)unused;
	if (!i || i->is_brief)
		return 0;
	c = READER_PUSH(r, i->cache_churn.items, i->cache_churn.nr, i->cache_churn.cap);
	if (!c)
		return 0;
	c->cache = reader_int(r, 1, 0, (int64_t)r->c->nr_caches - 1);
	c->allocs = reader_real(r, 2, 0, CAPTURE_REAL_MAX);
	c->frees = reader_real(r, 3, 0, CAPTURE_REAL_MAX);
	c->unseen_frees = reader_real(r, 4, 0, CAPTURE_REAL_MAX);
	return 0;
}

static int read_loss(struct reader *r, void *unused)
{
	struct cap_checkpoint *i = interval_of_row(r);
	struct cap_count *l;

	(void)unused;
	if (!i || i->is_brief)
		return 0;
	if (i->losses.nr == CAPTURE_FACTS_MAX) {
		r->bad = "more losses than there are causes";
		return 0;
	}
	l = READER_PUSH(r, i->losses.items, i->losses.nr, i->losses.cap);
	if (!l)
		return 0;
	l->name = reader_text(r, 1);
	l->value = reader_int(r, 2, 0, CAPTURE_LEVEL_MAX);
	return 0;
}

/*
 * Add row 0 to each table indexed by id, with empty strings, so that "none" prints like any other
 * row.
 */
static int push_empty_rows(struct reader *r)
{
	struct capture *c = r->c;
	struct cap_frame *f = READER_PUSH(r, c->frames, c->nr_frames, r->frames_cap);
	struct cap_stack *s = READER_PUSH(r, c->stacks, c->nr_stacks, r->stacks_cap);
	struct cap_cache *cache = READER_PUSH(r, c->caches, c->nr_caches, r->caches_cap);
	struct cap_process *p = READER_PUSH(r, c->processes, c->nr_processes, r->processes_cap);
	char **cgroup = READER_PUSH(r, c->cgroups, c->nr_cgroups, r->cgroups_cap);

	if (f && s && cache && p && cgroup && (f->symbol = strdup("")) &&
	    (f->module = strdup("")) && (f->build_id = strdup("")) && (cache->name = strdup("")) &&
	    (p->comm = strdup("")) && (p->cmdline = strdup("")) && (*cgroup = strdup("")))
		return 0;
	return reader_no_memory(r);
}

struct row_table {
	const char *name;
	int (*row)(struct reader *r, void *arg);
	int (*before)(struct reader *r), (*after)(struct reader *r); /* NULL: nothing to do */
};

static int read_table(struct reader *r, const struct row_table *t)
{
	int err = t->before ? t->before(r) : 0;

	if (capture_table_since(t->name) > r->version)
		return 0;
	err = err ?: reader_each(r, t->name, t->row, NULL);
	return err ?: t->after ? t->after(r) : 0;
}

int reader_rows(struct reader *r)
{
	/* Tables in reading order: each after those its ids refer to. */
	static const struct row_table tables[] = {
		{"meta", read_meta, NULL, NULL},
		{"frame", read_frame, NULL, NULL},
		{"stack", read_stack, NULL, NULL},
		{"stack_frame", read_stack_frame, stack_text_new, close_stack},
		{"cgroup", read_cgroup, NULL, NULL},
		{"process", read_process, NULL, NULL},
		{"cache", read_cache, NULL, NULL},
		{"cache_alias", read_cache_alias, NULL, NULL},
		{"hook", read_hook, NULL, NULL},
		{"interval", read_interval, NULL, choose_intervals},
		{"held", read_held, NULL, NULL},
		{"held_missed", read_held_missed, NULL, NULL},
		{"churn", read_churn, NULL, NULL},
		{"churn_var", read_churn_var, NULL, NULL},
		{"cache_churn", read_cache_churn, NULL, NULL},
		{"loss", read_loss, NULL, NULL},
	};
	int err = push_empty_rows(r);

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !err; i++)
		err = read_table(r, &tables[i]);
	if (!err)
		r->c->complete = !strcmp(capture_meta(r->c, META_COMPLETE), "1");
	return err;
}
