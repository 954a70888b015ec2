// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of a capture except its levels, row by row into struct capture. Ids must be dense and
 * point at rows that exist, so that those who use the result can index with them unchecked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "capture/reader_internal.h"

static int read_meta(struct reader *r, void *unused)
{
	struct cap_meta *m = READER_PUSH(r, r->c->meta.items, r->c->meta.nr, r->c->meta.cap);

	(void)unused;
	if (!m)
		return 0;
	m->key = reader_text(r, 0);
	m->value = reader_text(r, 1);
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
	return 0;
}

/* Hand the frames gathered to the stack they belong to. */
static int close_stack(struct reader *r)
{
	struct cap_stack *s;
	size_t size = r->nr_frames * sizeof(*s->frames);

	if (!r->nr_frames)
		return 0;
	s = &r->c->stacks[r->stack];
	if (reader_spend(r, size + 32))
		return -EFBIG;
	s->frames = malloc(size);
	if (!s->frames)
		return log_error(ENOMEM, "cannot read %s: not enough memory", r->path);
	memcpy(s->frames, r->frames, size);
	s->nr_frames = r->nr_frames;
	r->nr_frames = 0;
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
	if (depth != r->nr_frames)
		r->bad = "frames out of order";
	else
		r->frames[r->nr_frames++] = frame;
	return 0;
}

static int read_cgroup(struct reader *r, void *unused)
{
	char **path = READER_PUSH(r, r->c->cgroups, r->c->nr_cgroups, r->cgroups_cap);

	(void)unused;
	if (!path)
		return 0;
	reader_next_id(r, 0, r->c->nr_cgroups - 1);
	*path = reader_text(r, 1);
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
	p->cmdline = reader_text(r, 3);
	p->cgroup = reader_int(r, 4, 0, (int64_t)r->c->nr_cgroups - 1);
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
	return 0;
}

/* The interval that column 0 names, or NULL and r->bad. */
static struct cap_checkpoint *row_interval(struct reader *r)
{
	int64_t id = reader_int(r, 0, 1, (int64_t)r->c->nr_checkpoints);

	return r->bad ? NULL : &r->c->checkpoints[id - 1];
}

static int read_held(struct reader *r, void *unused)
{
	struct cap_checkpoint *i = row_interval(r);
	struct cap_held *h;

	(void)unused;
	if (!i)
		return 0;
	h = READER_PUSH(r, i->held.items, i->held.nr, i->held.cap);
	if (!h)
		return 0;
	h->pool = reader_pool(r, 1);
	reader_text_into(r, 2, h->class_, sizeof(h->class_));
	h->cache = reader_int(r, 3, 0, (int64_t)r->c->nr_caches - 1);
	h->stack = reader_int(r, 4, 0, (int64_t)r->c->nr_stacks - 1);
	h->process = reader_int(r, 5, 0, (int64_t)r->c->nr_processes - 1);
	h->tracked = reader_int(r, 6, 0, CAPTURE_LEVEL_MAX);
	h->objects = reader_real(r, 7, 0, CAPTURE_REAL_MAX);
	h->bytes = reader_real(r, 8, 0, CAPTURE_REAL_MAX);
	h->bytes_var = reader_real(r, 9, 0, CAPTURE_REAL_MAX);
	h->oldest_s = reader_real(r, 10, 0, CAPTURE_REAL_MAX);
	h->verified = reader_int(r, 11, 0, CAPTURE_LEVEL_MAX);
	h->verified_live = reader_int(r, 12, 0, h->verified);
	h->verified_twice = reader_int(r, 13, 0, h->tracked);
	for (int b = 0; b < AGE_BUCKETS; b++)
		h->age_hist[b] = reader_real(r, 14 + b, 0, CAPTURE_REAL_MAX);
	return 0;
}

static int read_churn(struct reader *r, void *unused)
{
	struct cap_checkpoint *i = row_interval(r);
	struct cap_churn *c;

	(void)unused;
	if (!i)
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
	return 0;
}

static int read_cache_churn(struct reader *r, void *unused)
{
	struct cap_checkpoint *i = row_interval(r);
	struct cap_cache_churn *c;

	(void)unused;
	if (!i)
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
	struct cap_checkpoint *i = row_interval(r);
	struct cap_count *l;

	(void)unused;
	if (!i)
		return 0;
	l = READER_PUSH(r, i->losses.items, i->losses.nr, i->losses.cap);
	if (!l)
		return 0;
	l->name = reader_text(r, 1);
	l->value = reader_int(r, 2, 0, CAPTURE_LEVEL_MAX);
	return 0;
}

/*
 * Row 0 of what is indexed by id: empty, with empty strings, so that "none" can be printed like any
 * other.
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
	return log_error(ENOMEM, "cannot read %s: not enough memory", r->path);
}

int reader_rows(struct reader *r)
{
	/* Each table after those its ids point into. */
	static const struct {
		const char *table;
		int (*row)(struct reader *r, void *arg);
	} tables[] = {
		{"meta", read_meta},
		{"frame", read_frame},
		{"stack", read_stack},
		{"stack_frame", read_stack_frame},
		{"cgroup", read_cgroup},
		{"process", read_process},
		{"cache", read_cache},
		{"cache_alias", read_cache_alias},
		{"hook", read_hook},
		{"interval", read_interval},
		{"held", read_held},
		{"churn", read_churn},
		{"cache_churn", read_cache_churn},
		{"loss", read_loss},
	};
	int err = push_empty_rows(r);

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !err; i++)
		err = reader_each(r, tables[i].table, tables[i].row, NULL);
	if (!err)
		err = close_stack(r);
	if (!err)
		r->c->complete = !strcmp(capture_meta(r->c, META_COMPLETE), "1");
	return err;
}
