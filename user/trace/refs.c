// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks twice for pointers to objects: see refs.h. An object counts only if it was live before,
 * between and after the two scans. Nothing points to it only if neither scan found a pointer, and
 * if its contents stayed the same: what changes is in use.
 */
#include "trace/refs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "proc/cgroup.h"
#include "trace/refs_holders.h"
#include "trace/refs_referrers.h"

#define APART_S        3 /* between the scans: longer than the kernel defers most frees */
#define CONTROL_WANTED 385
#define CONTROL_LEAST  30
#define CONTROL_CACHE  4    /* objects of one cache that tell whether it may leak, too */
#define FIND_SHARE     0.25 /* of the budget, at most, to find slabs */
#define FIRST_SHARE    0.6  /* … and to end the first scan */

struct refs_looking {
	struct refs_run *run;
	struct refs_slabs *slabs;
	struct refs_objects sample, control;
	struct refs_objects both; /* what a scan looks for: the sample, then the control */
	struct refs_outcome *first, *second; /* of the sample; of both */
	struct refs_scanned scanned[REFS_SCANS];
	struct refs_types types;
	struct refs_belongs_table belongs;
	struct slab_aliases *aliases; /* NULL: not known */
	struct refs_roots roots;
	struct refs_follower *follower; /* NULL: this kernel allows none, so no holders are known */
	struct refs_claims claims;
	struct refs *out;
};

static void refs_looking_end(struct refs_looking *l)
{
	free(l->first);
	free(l->second);
	ARRAY_FREE(&l->sample);
	ARRAY_FREE(&l->control);
	ARRAY_FREE(&l->both);
	for (int i = 0; i < REFS_SCANS; i++)
		ARRAY_FREE(&l->scanned[i].places);
	ARRAY_FREE(&l->claims);
	refs_follower_close(l->follower);
	refs_roots_free(&l->roots);
	slab_aliases_free(l->aliases);
	refs_belongs_free(&l->belongs);
	refs_types_free(&l->types);
	refs_slabs_free(l->slabs);
	refs_run_close(l->run);
}

/* ---- the control ---- */

/* Objects of the same cache that were free places a moment before, if there are enough. */
static int refs_control_young(struct refs_looking *l, struct refs_objects *free_before)
{
	int err = refs_objects_check(l->slabs, free_before);

	refs_objects_keep_live(free_before);
	if (err || free_before->nr < CONTROL_LEAST)
		return err;
	if (free_before->nr > CONTROL_WANTED)
		free_before->nr = CONTROL_WANTED;
	l->control = *free_before;
	*free_before = (struct refs_objects){0};
	l->out->control_kind = REFS_CONTROL_YOUNG;
	return 0;
}

static int refs_control_others(struct refs_looking *l)
{
	bool all;
	int err = refs_objects_draw(l->slabs, true, CONTROL_WANTED, &l->control, &all);

	if (!err && l->control.nr >= CONTROL_LEAST)
		l->out->control_kind = REFS_CONTROL_OTHER;
	return err;
}

/* ---- two scans ---- */

static int refs_both_join(struct refs_looking *l)
{
	const struct refs_objects *const parts[] = {&l->sample, &l->control};

	for (size_t part = 0; part < 2; part++)
		for (size_t i = 0; i < parts[part]->nr; i++) {
			struct refs_object *o = ARRAY_PUSH(&l->both);

			if (!o)
				return -ENOMEM;
			*o = parts[part]->items[i];
		}
	return 0;
}

static int refs_first_scan(struct refs_looking *l)
{
	const struct refs_scan_how how = {.budget_share = FIRST_SHARE};
	int err;

	l->first = calloc(l->sample.nr + 1, sizeof(*l->first));
	if (!l->first)
		return -ENOMEM;
	err = refs_scan_memory(l->slabs, l->run, &l->sample, &how, l->first, &l->scanned[0]);
	l->out->scans[0] = l->scanned[0].scan;
	return err;
}

static int refs_second_scan(struct refs_looking *l)
{
	const struct refs_scan_how how = {.budget_share = 1, .pages = true};
	int err = refs_both_join(l);

	if (err)
		return err;
	l->second = calloc(l->both.nr + 1, sizeof(*l->second));
	if (!l->second)
		return -ENOMEM;
	err = refs_scan_memory(l->slabs, l->run, &l->both, &how, l->second, &l->scanned[1]);
	l->out->scans[1] = l->scanned[1].scan;
	return err;
}

/* ---- holders ---- */

/* Look for what points to the objects of another level. */
static int refs_level_scan(void *arg, const struct refs_objects *objects, struct refs_places *out)
{
	const struct refs_scan_how how = {.budget_share = 1};
	struct refs_looking *l = arg;
	struct refs_scanned scanned = {0};
	_cleanup_free_ struct refs_outcome *outcomes = calloc(objects->nr + 1, sizeof(*outcomes));
	int err = outcomes ? 0 : -ENOMEM;

	if (refs_run_is_over(l->run, how.budget_share))
		return -ETIME;
	err = err ?: refs_scan_memory(l->slabs, l->run, objects, &how, outcomes, &scanned);
	if (err)
		ARRAY_FREE(&scanned.places);
	else
		*out = scanned.places;
	return err;
}

static int refs_find_holders(struct refs_looking *l, uint32_t levels)
{
	const struct refs_holding how = {.types = &l->types,
					 .aliases = l->aliases,
					 .belongs = &l->belongs,
					 .roots = &l->roots,
					 .follow = refs_follower_follow,
					 .name = refs_follower_name,
					 .arg = l->follower,
					 .scan = refs_level_scan,
					 .scan_arg = l,
					 .levels = levels};
	int err = l->follower ? refs_follower_roots(l->follower, &l->roots) : -ENOTSUP;

	if (err == -ENOMEM)
		return err;
	l->out->holders_known = !err;
	l->out->holders_partial = l->roots.partial;
	return err ? 0
		   : refs_holders_find(&how, &l->sample, &l->scanned[1].places, &l->claims, l->out);
}

/* The paths of the cgroups of the processes. Without them, holders have no cgroup. */
static void refs_name_cgroups(struct refs *out)
{
	struct cgroups *cgroups = NULL;

	if (cgroups_load("/proc", &cgroups))
		return;
	for (size_t i = 0; i < out->holders.nr; i++)
		snprintf(out->holders.items[i].cgroup_path,
			 sizeof(out->holders.items[i].cgroup_path), "%s",
			 cgroups_path(cgroups, out->holders.items[i].cgroup));
	cgroups_free(cgroups);
}

/* ---- counting ---- */

/*
 * What is known of an object in the end. `first` is NULL if only one scan looked for it. Returns
 * whether something may hold it: a leaked dentry still points to its super block.
 */
static bool refs_count_object(struct refs_counts *c, const struct refs_object *o,
			      const struct refs_outcome *first, const struct refs_outcome *second)
{
	uint32_t strong = second->strong + (first ? first->strong : 0);
	uint32_t own = second->own + (first ? first->own : 0);
	uint32_t weak = second->weak + (first ? first->weak : 0);

	if (!o->live || !o->sure) {
		c->freed++;
		return false;
	}
	c->checked++;
	if (strong)
		c->own_kind += own == strong;
	else if (weak)
		c->weak++;
	else if (o->changed)
		c->changed++;
	else
		c->unreferenced++;
	return strong || weak || o->changed;
}

static void refs_counts_add(struct refs_counts *to, const struct refs_counts *c)
{
	to->checked += c->checked;
	to->unreferenced += c->unreferenced;
	to->weak += c->weak;
	to->own_kind += c->own_kind;
	to->changed += c->changed;
	to->freed += c->freed;
}

/*
 * Count the control. Other caches can be leaked, too, for the same reason as the one that the user
 * asks about: those of which nothing points to most objects do not show what the scan can see. The
 * objects are sorted by cache.
 */
static void refs_count_control(struct refs_looking *l)
{
	const struct refs_object *o = l->both.items;

	for (size_t i = l->sample.nr, end; i < l->both.nr; i = end) {
		struct refs_counts c = {0};

		for (end = i; end < l->both.nr && o[end].cache == o[i].cache; end++)
			refs_count_object(&c, &o[end], NULL, &l->second[end]);
		if (l->out->control_kind == REFS_CONTROL_OTHER && c.checked >= CONTROL_CACHE &&
		    2 * c.unreferenced > c.checked)
			log_debug("references: the control is without %s: %llu of %llu objects",
				  o[i].cache->name, (unsigned long long)c.unreferenced,
				  (unsigned long long)c.checked);
		else
			refs_counts_add(&l->out->control, &c);
	}
}

/*
 * The last check sorted the objects again, so it is made on a copy, and looked up by place: both
 * lists have the same objects.
 */
static int refs_compare_copies(const void *x, const void *y)
{
	const struct refs_object *a = x, *b = y;

	return a->start < b->start ? -1 : a->start > b->start;
}

static int refs_last_check(struct refs_looking *l)
{
	struct refs_objects last = {0};
	int err = 0;

	for (size_t i = 0; i < l->both.nr && !err; i++) {
		struct refs_object *o = ARRAY_PUSH(&last);

		err = o ? 0 : -ENOMEM;
		if (o)
			*o = l->both.items[i];
	}
	err = err ?: refs_objects_check(l->slabs, &last);
	if (!err && last.nr)
		qsort(last.items, last.nr, sizeof(*last.items), refs_compare_copies);
	for (size_t i = 0; i < l->both.nr && !err; i++) {
		const struct refs_object *o = bsearch(&l->both.items[i], last.items, last.nr,
						      sizeof(*last.items), refs_compare_copies);

		if (o)
			l->both.items[i] = *o;
	}
	ARRAY_FREE(&last);
	return err;
}

static int refs_sum(struct refs_looking *l)
{
	_cleanup_free_ bool *counts = calloc(l->both.nr + 1, sizeof(*counts)),
			    *held = calloc(l->both.nr + 1, sizeof(*held));
	struct refs_counted objects = {.roots = &l->roots,
				       .page_shift = l->run->page_shift,
				       .counts = counts,
				       .nr = l->both.nr};

	if (!counts || !held)
		return -ENOMEM;
	for (size_t i = 0; i < l->sample.nr; i++) {
		const struct refs_object *o = &l->both.items[i];

		counts[i] = o->live && o->sure;
		objects.own = o->cache;
		held[i] = refs_count_object(&l->out->sample, o, &l->first[i], &l->second[i]);
	}
	refs_count_control(l);
	refs_holders_count(&l->claims, held, l->out);
	refs_name_cgroups(l->out);
	return refs_referrers_build(&l->scanned[1].places, &objects, &l->types, l->out);
}

/* ---- all of it ---- */

static int refs_look(struct refs_looking *l, const struct refs_options *options)
{
	struct refs_objects before = {0};
	struct refs *out = l->out;
	int err = refs_slabs_find(l->slabs, FIND_SHARE);

	err = err
		      ?: refs_objects_draw(l->slabs, false, options->objects, &l->sample,
					   &out->all_objects);
	out->found_all = refs_slabs_found_all(l->slabs);
	out->all_objects &= out->found_all;
	out->in_use = refs_slabs_used(l->slabs);
	out->object_bytes = refs_slabs_object_bytes(l->slabs);
	err = err ?: refs_objects_free_now(l->slabs, 2 * CONTROL_WANTED, &before);
	err = err ?: refs_first_scan(l);
	/* a scan that was cut short is no evidence that nothing points to an object */
	if (!err && refs_scan_is_whole(&out->scans[0])) {
		sleep(APART_S);
		background_begin(&l->run->background); /* that was no wait for a CPU */
		out->apart_s = APART_S;
	}
	err = err ?: refs_control_young(l, &before);
	ARRAY_FREE(&before);
	if (!err && out->control_kind == REFS_CONTROL_NONE)
		err = refs_control_others(l);
	err = err ?: refs_second_scan(l);
	err = err ?: refs_find_holders(l, options->levels);
	err = err ?: refs_last_check(l);
	return err ?: refs_sum(l);
}

static int refs_refuse(const char *cache, int err)
{
	char why[LIMITS_MAX];

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
	if (err == -ENOEXEC)
		return log_error(
			ENOEXEC,
			"cannot look for references: this kernel refuses the BPF program that scans memory; it is known to run on Linux 5.10, 6.1, 6.12, 6.18 and 7.3; `kmemtrace census` works here");
	if (err == -ENOTSUP)
		return log_error(
			ENOTSUP,
			"cannot look for references: this kernel does not lay its memory out as expected; `kmemtrace census` works more often");
	if (err == -EPERM)
		return log_error(
			EPERM,
			"cannot look for references: not permitted to see physical addresses in /proc/iomem and /proc/self/pagemap: run as root (sudo kmemtrace refs); a container needs CAP_SYS_ADMIN");
	if (err == -ENODATA)
		return log_error(
			ENODATA,
			"cannot look for references: /proc/zoneinfo and /proc/iomem do not say where memory is: is /proc mounted?");
	return log_error(
		-err,
		"cannot look for references: %s; `kmemtrace doctor` says what this kernel allows",
		limits_explain(-err, why));
}

struct refs_work {
	const struct plan *plan;
	const struct refs_options *options;
	struct refs *out;
};

/* Load what holders are found with. A kernel that refuses it can still look for references. */
static void refs_follow_load(struct refs_looking *l, const struct plan *plan)
{
	const struct refs_run *r = l->run;
	const struct refs_memory_place where = {.direct = r->direct,
						.direct_bytes = r->refs->direct_bytes,
						.frame_base = r->refs->pages,
						.frame_bytes = r->census->page_bytes,
						.page_shift = r->page_shift};
	const char *btf = plan->btf_source[0] ? plan->btf_source : KERNEL_BTF;

	refs_belongs_load(&l->types, &l->belongs);
	if (slab_aliases_load("/sys", &l->aliases))
		l->aliases = NULL;
	if (refs_follower_open(btf, &l->types, &where, &l->follower))
		l->follower = NULL;
}

static int refs_work_do(void *arg)
{
	_cleanup_(refs_looking_end) struct refs_looking l = {0};
	const struct refs_work *w = arg;
	uint64_t began = clock_ns();
	struct refs *out = w->out;
	int err;

	l.out = out;
	err = refs_run_open(w->plan, w->options->threads, &l.run);
	if (!err) {
		l.run->budget_ns = (uint64_t)(w->options->budget_s * 1e9);
		l.slabs = refs_slabs_new(l.run, w->options->cache);
		err = l.slabs ? 0 : -ENOMEM;
		refs_types_load(&l.types, w->plan->btf_source);
		refs_follow_load(&l, w->plan);
	}
	err = err ?: refs_look(&l, w->options);
	if (err)
		return err;
	out->took_s = (double)(clock_ns() - began) / 1e9;
	out->cpu_s = (double)refs_run_spent_ns(l.run) / 1e9;
	return 0;
}

int refs_take(const struct plan *plan, const struct refs_options *options, struct refs *out)
{
	struct refs taken = {.wall_s = clock_wall_s()};
	int err;

	snprintf(taken.cache, sizeof(taken.cache), "%s", options->cache);
	taken.page_bytes = sysconf(_SC_PAGESIZE);
	err = background_run(refs_work_do, &(struct refs_work){plan, options, &taken});
	if (err) {
		refs_free(&taken);
		return refs_refuse(options->cache, err);
	}
	*out = taken;
	return 0;
}
