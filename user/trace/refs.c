// SPDX-License-Identifier: GPL-2.0-only
/* What points to a random sample of a cache: see refs.h. */
#include "trace/refs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/log.h"
#include "trace/background.h"
#include "trace/refs_kind.h"
#include "trace/refs_look.h"

/* Objects of the same cache that were free places a moment before, if there are enough. */
static int refs_control_young(struct refs_looking *l, struct refs_objects *free_before)
{
	int err = refs_objects_check(l->slabs, free_before), part;

	refs_objects_keep_live(free_before);
	if (err || free_before->nr < REFS_CONTROL_LEAST)
		return err;
	refs_objects_thin(l->slabs, free_before, REFS_CONTROL_WANTED);
	part = refs_part_add(l, free_before->items[0].cache, REFS_CONTROL_YOUNG);
	if (part < 0)
		return part;
	for (size_t i = 0; i < free_before->nr; i++)
		free_before->items[i].part = (uint32_t)part;
	l->control = *free_before;
	*free_before = (struct refs_objects){0};
	return 0;
}

/* Of what was drawn, keep what is of the kind that is asked about. */
static int refs_sample_of_kind(struct refs_looking *l, const struct plan *plan,
			       const struct refs_options *options)
{
	struct refs *all = &l->all;
	size_t drawn = l->sample.nr;
	int err = refs_kind_keep(plan, options, l->run, &l->sample);

	if (err)
		return err;
	all->in_use = (uint64_t)((double)all->in_use * (double)l->sample.nr / (double)drawn);
	all->all_objects = false;
	refs_objects_thin(l->slabs, &l->sample, options->objects);
	return 0;
}

/* Draw the sample, which is part 0. */
static int refs_sample_draw(struct refs_looking *l, const struct plan *plan,
			    const struct refs_options *options)
{
	size_t want = options->kind_fits ? REFS_KIND_DRAWN : options->objects;
	struct refs *all = &l->all;
	int err = refs_slabs_find(l->slabs);

	err = err ?: refs_objects_draw(l->slabs, false, want, &l->sample, &all->all_objects);
	all->found_all = refs_slabs_found_all(l->slabs);
	all->all_objects &= all->found_all;
	all->in_use = refs_slabs_used(l->slabs);
	if (!err && options->kind_fits)
		err = refs_sample_of_kind(l, plan, options);
	if (err)
		return err;
	err = refs_part_add(l, refs_slabs_wanted(l->slabs), REFS_CONTROL_NONE);
	return err < 0 ? err : 0;
}

static int refs_look(struct refs_looking *l, const struct plan *plan,
		     const struct refs_options *options)
{
	struct refs_objects before = {0};
	int err = refs_sample_draw(l, plan, options);

	err = err ?: refs_objects_free_now(l->slabs, 2 * REFS_CONTROL_WANTED, &before);
	err = err ?: refs_look_first(l);
	err = err ?: refs_control_young(l, &before);
	ARRAY_FREE(&before);
	if (!err && !l->control.nr)
		err = refs_control_others(l);
	return err ?: refs_look_second(l, options->levels);
}

const char *refs_failure(int err, char why[REFS_WHY_MAX])
{
	char limits[LIMITS_MAX];

	if (err == -ENOEXEC)
		snprintf(
			why, REFS_WHY_MAX,
			"this kernel refuses the BPF program that scans memory; it is known to run on Linux 5.10, 6.1, 6.12, 6.18 and 7.3; `kmemtrace census` works here");
	else if (err == -ENOTSUP)
		snprintf(
			why, REFS_WHY_MAX,
			"this kernel does not lay its memory out as expected; `kmemtrace census` works more often");
	else if (err == -EPERM)
		snprintf(
			why, REFS_WHY_MAX,
			"not permitted to see physical addresses in /proc/iomem and /proc/self/pagemap: run as root; a container needs CAP_SYS_ADMIN");
	else if (err == -ENODATA)
		snprintf(
			why, REFS_WHY_MAX,
			"/proc/zoneinfo and /proc/iomem do not say where memory is: is /proc mounted?");
	else
		snprintf(why, REFS_WHY_MAX, "%s; `kmemtrace doctor` says what this kernel allows",
			 limits_explain(-err, limits));
	return why;
}

static int refs_refuse(const struct refs_options *options, int err)
{
	const char *cache = options->cache;
	char why[REFS_WHY_MAX];

	if (err == -ENOMSG)
		return log_error(
			ENOMSG,
			"a census finds no such kind among objects of '%s': `kmemtrace census --show kinds` lists the kinds",
			cache);
	if (err == -ENOENT)
		return log_error(
			ENOENT,
			"no slab cache in use is called '%s': `kmemtrace census --show caches` lists them",
			cache);
	if (err == -ETIME)
		return log_error(
			ETIME,
			"--refs-budget is too short: no slab of '%s' was found in a quarter of it, so give more time, or check the name by `kmemtrace census --show caches`",
			cache);
	return log_error(-err, "cannot look for references: %s", refs_failure(err, why));
}

struct refs_work {
	const struct plan *plan;
	const struct refs_options *options;
	struct refs *out;
};

static int refs_work_do(void *arg)
{
	_cleanup_(refs_looking_end) struct refs_looking l = {0};
	const struct refs_work *w = arg;
	int err = refs_looking_begin(&l, w->plan, w->options);

	err = err ?: refs_look(&l, w->plan, w->options);
	return err ?: refs_look_sum(&l, 0, w->out);
}

int refs_take(const struct plan *plan, const struct refs_options *options, struct refs *out)
{
	struct refs taken = {0};
	int err = background_run(refs_work_do, &(struct refs_work){plan, options, &taken});

	if (err) {
		refs_free(&taken);
		return refs_refuse(options, err);
	}
	*out = taken;
	return 0;
}
