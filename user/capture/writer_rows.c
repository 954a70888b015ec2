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

int capture_put_meta(struct capture_writer *w, const char *key, const char *value)
{
	return writer_insert(w, INSERT_META, "tT", key, value);
}

int capture_put_metaf(struct capture_writer *w, const char *key, const char *fmt, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&value, fmt, ap);
	va_end(ap);
	if (len < 0) {
		value = NULL;
		return writer_no_memory(w);
	}
	return capture_put_meta(w, key, value);
}

int capture_put_hook(struct capture_writer *w, const struct cap_hook *h)
{
	return writer_insert(w, INSERT_HOOK, "ttttt", h->name, pool_name(h->pool), h->how,
			     h->reason, h->cost);
}

int capture_put_frame(struct capture_writer *w, const struct cap_frame *f, uint32_t *id)
{
	_cleanup_key_ struct intern_key key = {0};
	/* No function is that long: such an offset is an address, and no address may be stored. */
	int64_t offset = f->offset > INT32_MAX ? 0 : f->offset;
	int found;

	intern_key_text(&key, f->symbol);
	intern_key_text(&key, f->module);
	intern_key_text(&key, f->build_id);
	intern_key_number(&key, offset);
	found = writer_intern(w, &w->frames, &key, id);
	if (found <= 0)
		return found;
	return writer_insert(w, INSERT_FRAME, "ititt", (int64_t)*id, f->symbol, offset, f->module,
			     f->build_id);
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
	err = writer_insert(w, INSERT_STACK, "ii", (int64_t)*id, (int64_t)truncated);
	for (uint32_t i = 0; i < nr && !err; i++)
		err = writer_insert(w, INSERT_STACK_FRAME, "iii", (int64_t)*id, (int64_t)i,
				    (int64_t)s->frames[i]);
	return err;
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
	err = writer_insert(w, INSERT_CACHE, "itiiiii", (int64_t)*id, c->name, c->object_size,
			    c->size, (int64_t)c->reclaimable, (int64_t)c->large,
			    (int64_t)c->merged_away);
	for (size_t i = 0; i < c->aliases.nr && !err; i++)
		err = writer_insert(w, INSERT_CACHE_ALIAS, "it", (int64_t)*id, c->aliases.items[i]);
	return err;
}

int capture_put_cgroup(struct capture_writer *w, const char *path, uint32_t *id)
{
	_cleanup_key_ struct intern_key key = {0};
	int found;

	intern_key_text(&key, path);
	found = writer_intern(w, &w->cgroups, &key, id);
	return found <= 0 ? found : writer_insert(w, INSERT_CGROUP, "it", (int64_t)*id, path);
}

int capture_put_process(struct capture_writer *w, const struct cap_process *p, uint32_t *id)
{
	_cleanup_key_ struct intern_key key = {0};
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
	return writer_insert(w, INSERT_PROCESS, "iitTi", (int64_t)*id, (int64_t)p->tgid, p->comm,
			     p->cmdline, (int64_t)p->cgroup);
}

/* ---- one interval ---- */

static bool real_ok(double v)
{
	return v >= 0 && v <= CAPTURE_REAL_MAX; /* false for NaN */
}

static bool held_ok(const struct capture_writer *w, const struct cap_held *h)
{
	bool ok = (unsigned int)h->pool < POOLS && memchr(h->class_, '\0', sizeof(h->class_)) &&
		  h->cache <= w->caches.nr && h->stack <= w->stacks.nr &&
		  h->process <= w->processes.nr && h->tracked >= 0 &&
		  h->tracked <= CAPTURE_LEVEL_MAX && h->verified >= 0 && h->verified_live >= 0 &&
		  h->verified <= CAPTURE_LEVEL_MAX && h->verified_live <= h->verified &&
		  h->verified_twice >= 0 && h->verified_twice <= h->tracked &&
		  real_ok(h->objects) && real_ok(h->bytes) && real_ok(h->bytes_var) &&
		  real_ok(h->oldest_s);

	for (int b = 0; b < AGE_BUCKETS; b++)
		ok = ok && real_ok(h->age_hist[b]);
	return ok;
}

static bool churn_ok(const struct capture_writer *w, const struct cap_churn *c)
{
	return (unsigned int)c->pool < POOLS && c->stack <= w->stacks.nr && real_ok(c->allocs) &&
	       real_ok(c->alloc_bytes) && real_ok(c->frees) && real_ok(c->free_bytes) &&
	       real_ok(c->unseen_frees) && real_ok(c->unseen_free_bytes);
}

static int interval_check(const struct capture_writer *w, const struct cap_checkpoint *in)
{
	bool ok = real_ok(in->start_s) && real_ok(in->end_s) && in->start_s <= in->end_s;

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

		if (c->cache > w->caches.nr || !real_ok(c->allocs) || !real_ok(c->frees) ||
		    !real_ok(c->unseen_frees))
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

static int put_held(struct capture_writer *w, int64_t id, const struct cap_held *h)
{
	return writer_insert(w, INSERT_HELD, "ittiiiirrrriiiA", id, pool_name(h->pool), h->class_,
			     (int64_t)h->cache, (int64_t)h->stack, (int64_t)h->process, h->tracked,
			     h->objects, h->bytes, h->bytes_var, h->oldest_s, h->verified,
			     h->verified_live, h->verified_twice, h->age_hist);
}

static int put_churn(struct capture_writer *w, int64_t id, const struct cap_churn *c)
{
	return writer_insert(w, INSERT_CHURN, "itirrrrrr", id, pool_name(c->pool),
			     (int64_t)c->stack, c->allocs, c->alloc_bytes, c->frees, c->free_bytes,
			     c->unseen_frees, c->unseen_free_bytes);
}

int capture_put_checkpoint(struct capture_writer *w, const struct cap_checkpoint *in)
{
	int64_t id = w->nr_checkpoints + 1;
	int err = w->failed ? w->failed : interval_check(w, in);

	if (err)
		return err;
	err = writer_insert(w, INSERT_INTERVAL, "irr", id, in->start_s, in->end_s);
	for (size_t i = 0; i < in->held.nr && !err; i++)
		err = put_held(w, id, &in->held.items[i]);
	for (size_t i = 0; i < in->churn.nr && !err; i++)
		err = put_churn(w, id, &in->churn.items[i]);
	for (size_t i = 0; i < in->cache_churn.nr && !err; i++) {
		const struct cap_cache_churn *c = &in->cache_churn.items[i];

		err = writer_insert(w, INSERT_CACHE_CHURN, "iirrr", id, (int64_t)c->cache,
				    c->allocs, c->frees, c->unseen_frees);
	}
	for (size_t i = 0; i < in->losses.nr && !err; i++)
		err = writer_insert(w, INSERT_LOSS, "iti", id, in->losses.items[i].name,
				    in->losses.items[i].value);
	if (!err)
		err = capture_commit(w);
	if (!err)
		w->nr_checkpoints++;
	return err;
}
