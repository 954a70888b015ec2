// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the rows of a capture, except its levels: processes, stacks, caches, checkpoints. Input
 * that the reader would refuse is refused here before any row is written, so that a bug in `record`
 * cannot spoil a capture.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "capture/writer_internal.h"

static void cleanup_key(struct intern_key *key)
{
	ARRAY_FREE(key);
}

#define _cleanup_key_ _cleanup_(cleanup_key)

/*
 * Look up the id of `key`. Returns 1 if it is new and its row must be written, 0 if it is known, or
 * −errno.
 */
static int writer_intern(struct capture_writer *w, struct intern *table,
			 const struct intern_key *key, uint32_t *id)
{
	int found;

	if (w->failed)
		return w->failed;
	found = intern_id(table, key, id);
	return found == -ENOMEM ? writer_no_memory(w) : found;
}

int capture_put_hook(struct capture_writer *w, const struct cap_hook *h)
{
	struct insert_row row = insert_begin(w, INSERT_HOOK);

	insert_name(&row, h->name);
	insert_name(&row, pool_name(h->pool));
	insert_name(&row, h->how);
	insert_name(&row, h->reason);
	insert_name(&row, h->cost);
	return insert_end(&row);
}

int capture_put_frame(struct capture_writer *w, const struct cap_frame *f, uint32_t *id)
{
	_cleanup_key_ struct intern_key key = {0};
	/* No function is that long: such an offset is an address, and no address may be stored. */
	int64_t offset = f->offset > INT32_MAX ? 0 : f->offset;
	struct insert_row row;
	int found;

	intern_key_text(&key, f->symbol);
	intern_key_text(&key, f->module);
	intern_key_text(&key, f->build_id);
	intern_key_number(&key, offset);
	found = writer_intern(w, &w->frames, &key, id);
	if (found <= 0)
		return found;
	row = insert_begin(w, INSERT_FRAME);
	insert_int(&row, *id);
	insert_name(&row, f->symbol);
	insert_int(&row, offset);
	insert_name(&row, f->module);
	insert_name(&row, f->build_id);
	return insert_end(&row);
}

static int put_stack_row(struct capture_writer *w, uint32_t id, bool truncated)
{
	struct insert_row row = insert_begin(w, INSERT_STACK);

	insert_int(&row, id);
	insert_int(&row, truncated);
	return insert_end(&row);
}

static int put_stack_frame(struct capture_writer *w, uint32_t id, uint32_t i, uint32_t frame)
{
	struct insert_row row = insert_begin(w, INSERT_STACK_FRAME);

	insert_int(&row, id);
	insert_int(&row, i);
	insert_int(&row, frame);
	return insert_end(&row);
}

int capture_put_stack(struct capture_writer *w, const struct cap_stack *s, uint32_t *id)
{
	_cleanup_key_ struct intern_key key = {0};
	uint32_t nr = s->nr_frames < CAPTURE_FRAMES_MAX ? s->nr_frames : CAPTURE_FRAMES_MAX;
	bool truncated = s->truncated || nr < s->nr_frames;
	int found, err;

	for (uint32_t i = 0; i < nr; i++)
		if (!s->frames[i] || s->frames[i] > w->frames.nr)
			return log_error(
				EINVAL,
				"a stack has frame %u, which was not put (a bug in kmemtrace)",
				s->frames[i]);
	intern_key_number(&key, truncated);
	intern_key_add(&key, s->frames, nr * sizeof(*s->frames));
	found = writer_intern(w, &w->stacks, &key, id);
	if (found <= 0)
		return found;
	err = put_stack_row(w, *id, truncated);
	for (uint32_t i = 0; i < nr && !err; i++)
		err = put_stack_frame(w, *id, i, s->frames[i]);
	return err;
}

static int put_cache_row(struct capture_writer *w, uint32_t id, const struct cap_cache *c)
{
	struct insert_row row = insert_begin(w, INSERT_CACHE);

	insert_int(&row, id);
	insert_name(&row, c->name);
	insert_int(&row, c->object_size);
	insert_int(&row, c->size);
	insert_int(&row, c->reclaimable);
	insert_int(&row, c->large);
	insert_int(&row, c->merged_away);
	return insert_end(&row);
}

static int put_cache_alias(struct capture_writer *w, uint32_t id, const char *alias)
{
	struct insert_row row = insert_begin(w, INSERT_CACHE_ALIAS);

	insert_int(&row, id);
	insert_name(&row, alias);
	return insert_end(&row);
}

int capture_put_cache(struct capture_writer *w, const struct cap_cache *c, uint32_t *id)
{
	_cleanup_key_ struct intern_key key = {0};
	int found, err;

	if (c->object_size < 0 || c->object_size > CAPTURE_LEVEL_MAX || c->size < 0 ||
	    c->size > CAPTURE_LEVEL_MAX)
		return log_error(EINVAL, "cache %s has a size out of range (a bug in kmemtrace)",
				 c->name);
	intern_key_text(&key, c->name);
	intern_key_number(&key, c->object_size);
	intern_key_number(&key, c->size);
	intern_key_number(&key, c->reclaimable | c->large << 1 | c->merged_away << 2);
	for (size_t i = 0; i < c->aliases.nr; i++)
		intern_key_text(&key, c->aliases.items[i]);
	found = writer_intern(w, &w->caches, &key, id);
	if (found <= 0)
		return found;
	err = put_cache_row(w, *id, c);
	for (size_t i = 0; i < c->aliases.nr && !err; i++)
		err = put_cache_alias(w, *id, c->aliases.items[i]);
	return err;
}

int capture_put_cgroup(struct capture_writer *w, const char *path, uint32_t *id)
{
	_cleanup_key_ struct intern_key key = {0};
	struct insert_row row;
	int found;

	intern_key_text(&key, path);
	found = writer_intern(w, &w->cgroups, &key, id);
	if (found <= 0)
		return found;
	row = insert_begin(w, INSERT_CGROUP);
	insert_int(&row, *id);
	insert_name(&row, path);
	return insert_end(&row);
}

int capture_put_process(struct capture_writer *w, const struct cap_process *p, uint32_t *id)
{
	_cleanup_key_ struct intern_key key = {0};
	struct insert_row row;
	int found;

	if (p->tgid < 0 || p->cgroup > w->cgroups.nr)
		return log_error(EINVAL,
				 "process %d has cgroup %u, which was not put (a bug in kmemtrace)",
				 p->tgid, p->cgroup);
	intern_key_number(&key, p->tgid);
	intern_key_number(&key, p->cgroup);
	intern_key_text(&key, p->comm);
	intern_key_text(&key, p->cmdline);
	found = writer_intern(w, &w->processes, &key, id);
	if (found <= 0)
		return found;
	row = insert_begin(w, INSERT_PROCESS);
	insert_int(&row, *id);
	insert_int(&row, p->tgid);
	insert_name(&row, p->comm);
	insert_text(&row, p->cmdline);
	insert_int(&row, p->cgroup);
	return insert_end(&row);
}

/* ---- one interval ---- */

static bool held_ok(const struct capture_writer *w, const struct cap_held *h)
{
	bool ok = (unsigned int)h->pool < POOLS && memchr(h->class_, '\0', sizeof(h->class_)) &&
		  h->cache <= w->caches.nr && h->stack <= w->stacks.nr &&
		  h->process <= w->processes.nr && h->tracked >= 0 &&
		  h->tracked <= CAPTURE_LEVEL_MAX && h->verified >= 0 && h->verified_live >= 0 &&
		  h->verified <= CAPTURE_LEVEL_MAX && h->verified_live <= h->verified &&
		  h->verified_twice >= 0 && h->verified_twice <= h->tracked &&
		  real_fits(h->objects) && real_fits(h->bytes) && real_fits(h->bytes_var) &&
		  real_fits(h->bytes_missed) && real_fits(h->oldest_s);

	for (int b = 0; b < AGE_BUCKETS; b++)
		ok = ok && real_fits(h->age_hist[b]);
	return ok;
}

static bool churn_ok(const struct capture_writer *w, const struct cap_churn *c)
{
	return (unsigned int)c->pool < POOLS && c->stack <= w->stacks.nr && real_fits(c->allocs) &&
	       real_fits(c->alloc_bytes) && real_fits(c->frees) && real_fits(c->free_bytes) &&
	       real_fits(c->unseen_frees) && real_fits(c->unseen_free_bytes) &&
	       (isnan(c->alloc_bytes_var) || real_fits(c->alloc_bytes_var));
}

static int interval_check(const struct capture_writer *w, const struct cap_checkpoint *in)
{
	bool ok = real_fits(in->start_s) && real_fits(in->end_s) && in->start_s <= in->end_s;

	if (!ok)
		return log_error(EINVAL, "an interval from %g to %g s (a bug in kmemtrace)",
				 in->start_s, in->end_s);
	for (size_t i = 0; i < in->held.nr; i++)
		if (!held_ok(w, &in->held.items[i]))
			return log_error(
				EINVAL,
				"row %zu of what is held is out of range (a bug in kmemtrace)", i);
	for (size_t i = 0; i < in->churn.nr; i++)
		if (!churn_ok(w, &in->churn.items[i]))
			return log_error(
				EINVAL, "row %zu of the churn is out of range (a bug in kmemtrace)",
				i);
	for (size_t i = 0; i < in->cache_churn.nr; i++) {
		const struct cap_cache_churn *c = &in->cache_churn.items[i];

		if (c->cache > w->caches.nr || !real_fits(c->allocs) || !real_fits(c->frees) ||
		    !real_fits(c->unseen_frees))
			return log_error(
				EINVAL,
				"row %zu of the cache churn is out of range (a bug in kmemtrace)",
				i);
	}
	for (size_t i = 0; i < in->losses.nr; i++)
		if (in->losses.items[i].value < 0 || in->losses.items[i].value > CAPTURE_LEVEL_MAX)
			return log_error(EINVAL, "loss %s is out of range (a bug in kmemtrace)",
					 in->losses.items[i].name);
	return 0;
}

static int put_interval(struct capture_writer *w, int64_t id, const struct cap_checkpoint *in)
{
	struct insert_row row = insert_begin(w, INSERT_INTERVAL);

	insert_int(&row, id);
	insert_real(&row, in->start_s);
	insert_real(&row, in->end_s);
	return insert_end(&row);
}

static int put_held(struct capture_writer *w, int64_t id, const struct cap_held *h)
{
	struct insert_row row = insert_begin(w, INSERT_HELD);

	insert_int(&row, id);
	insert_name(&row, pool_name(h->pool));
	insert_name(&row, h->class_);
	insert_int(&row, h->cache);
	insert_int(&row, h->stack);
	insert_int(&row, h->process);
	insert_int(&row, h->tracked);
	insert_real(&row, h->objects);
	insert_real(&row, h->bytes);
	insert_real(&row, h->bytes_var);
	insert_real(&row, h->oldest_s);
	insert_int(&row, h->verified);
	insert_int(&row, h->verified_live);
	insert_int(&row, h->verified_twice);
	for (int b = 0; b < AGE_BUCKETS; b++)
		insert_real(&row, h->age_hist[b]);
	return insert_end(&row);
}

/*
 * A figure that version 3 added to row `number` of held or churn in this interval, counted from 1.
 * No row for 0, and for NAN: not known.
 */
static int put_added(struct capture_writer *w, enum insert table, int64_t id, int64_t number,
		     double figure)
{
	struct insert_row row;

	if (!(figure > 0))
		return 0;
	row = insert_begin(w, table);
	insert_int(&row, id);
	insert_int(&row, number);
	insert_real(&row, figure);
	return insert_end(&row);
}

static int put_churn(struct capture_writer *w, int64_t id, const struct cap_churn *c)
{
	struct insert_row row = insert_begin(w, INSERT_CHURN);

	insert_int(&row, id);
	insert_name(&row, pool_name(c->pool));
	insert_int(&row, c->stack);
	insert_real(&row, c->allocs);
	insert_real(&row, c->alloc_bytes);
	insert_real(&row, c->frees);
	insert_real(&row, c->free_bytes);
	insert_real(&row, c->unseen_frees);
	insert_real(&row, c->unseen_free_bytes);
	return insert_end(&row);
}

static int put_cache_churn(struct capture_writer *w, int64_t id, const struct cap_cache_churn *c)
{
	struct insert_row row = insert_begin(w, INSERT_CACHE_CHURN);

	insert_int(&row, id);
	insert_int(&row, c->cache);
	insert_real(&row, c->allocs);
	insert_real(&row, c->frees);
	insert_real(&row, c->unseen_frees);
	return insert_end(&row);
}

static int put_loss(struct capture_writer *w, int64_t id, const char *name, int64_t value)
{
	struct insert_row row = insert_begin(w, INSERT_LOSS);

	insert_int(&row, id);
	insert_name(&row, name);
	insert_int(&row, value);
	return insert_end(&row);
}

int capture_put_checkpoint(struct capture_writer *w, const struct cap_checkpoint *in)
{
	int64_t id = w->nr_checkpoints + 1;
	int err = w->failed ? w->failed : interval_check(w, in);

	if (err)
		return err;
	err = put_interval(w, id, in);
	for (size_t i = 0; i < in->held.nr && !err; i++)
		err = put_held(w, id, &in->held.items[i]);
	for (size_t i = 0; i < in->held.nr && !err; i++)
		err = put_added(w, INSERT_HELD_MISSED, id, (int64_t)i + 1,
				in->held.items[i].bytes_missed);
	for (size_t i = 0; i < in->churn.nr && !err; i++)
		err = put_churn(w, id, &in->churn.items[i]);
	for (size_t i = 0; i < in->churn.nr && !err; i++)
		err = put_added(w, INSERT_CHURN_VAR, id, (int64_t)i + 1,
				in->churn.items[i].alloc_bytes_var);
	for (size_t i = 0; i < in->cache_churn.nr && !err; i++)
		err = put_cache_churn(w, id, &in->cache_churn.items[i]);
	for (size_t i = 0; i < in->losses.nr && !err; i++)
		err = put_loss(w, id, in->losses.items[i].name, in->losses.items[i].value);
	if (!err)
		err = capture_commit(w);
	if (!err)
		w->nr_checkpoints++;
	return err;
}
