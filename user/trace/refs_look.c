// SPDX-License-Identifier: GPL-2.0-only
/* Two scans, and what they found of each part: see refs_look.h. */
#include "trace/refs_look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "proc/cgroup.h"
#include "refs.skel.h"
#include "trace/refs_referrers.h"

#define APART_S     3   /* between the scans: longer than the kernel defers most frees */
#define FIRST_SHARE 0.6 /* of the budget, at most, to end the first scan */
#define OWN_PERCENT 10  /* of objects with pointers of their own kind only: fewer do not matter */

/* ---- begin and end ---- */

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

int refs_looking_begin(struct refs_looking *l, const struct plan *plan,
		       const struct refs_options *options)
{
	int err;

	l->began_ns = clock_ns();
	l->all.wall_s = clock_wall_s();
	l->all.page_bytes = sysconf(_SC_PAGESIZE);
	err = refs_run_open(plan, options->threads, &l->run);
	if (err)
		return err;
	l->run->budget_ns = (uint64_t)(options->budget_s * 1e9);
	l->run->stop = options->stop;
	l->run->stop_arg = options->arg;
	l->slabs = refs_slabs_new(l->run, options->cache);
	if (!l->slabs)
		return -ENOMEM;
	refs_types_load(&l->types, plan->btf_source);
	refs_follow_load(l, plan);
	return 0;
}

void refs_looking_end(struct refs_looking *l)
{
	free(l->first);
	free(l->second);
	free(l->held);
	ARRAY_FREE(&l->sample);
	ARRAY_FREE(&l->control);
	ARRAY_FREE(&l->both);
	ARRAY_FREE(&l->parts);
	for (int i = 0; i < REFS_SCANS; i++)
		ARRAY_FREE(&l->scanned[i].places);
	ARRAY_FREE(&l->claims);
	refs_closure_free(&l->closure);
	refs_names_free(&l->names);
	refs_free(&l->all);
	refs_follower_close(l->follower);
	refs_roots_free(&l->roots);
	slab_aliases_free(l->aliases);
	refs_belongs_free(&l->belongs);
	refs_types_free(&l->types);
	refs_slabs_free(l->slabs);
	refs_run_close(l->run);
}

/* ---- parts ---- */

int refs_part_add(struct refs_looking *l, const struct refs_cache *cache, enum refs_control as)
{
	struct refs_part *part = ARRAY_PUSH(&l->parts);

	if (!part)
		return -ENOMEM;
	*part = (struct refs_part){.cache = cache, .as = as};
	return (int)l->parts.nr - 1;
}

int refs_control_others(struct refs_looking *l)
{
	struct refs_objects others = {0};
	bool all;
	int part = -1, err;

	err = refs_objects_draw(l->slabs, true, REFS_CONTROL_WANTED, &others, &all);
	for (size_t i = 0; i < others.nr && !err; i++) { /* sorted by cache */
		struct refs_object *o = ARRAY_PUSH(&l->control);

		if (!i || others.items[i].cache != others.items[i - 1].cache)
			part = refs_part_add(l, others.items[i].cache, REFS_CONTROL_OTHER);
		err = !o || part < 0 ? -ENOMEM : 0;
		if (err)
			break;
		*o = others.items[i];
		o->part = (uint32_t)part;
	}
	ARRAY_FREE(&others);
	return err;
}

/* ---- two scans ---- */

int refs_look_first(struct refs_looking *l)
{
	const struct refs_scan_how how = {.budget_share = FIRST_SHARE};
	int err;

	l->first = calloc(l->sample.nr + 1, sizeof(*l->first));
	if (!l->first)
		return -ENOMEM;
	err = refs_scan_memory(l->slabs, l->run, &l->sample, &how, l->first, &l->scanned[0]);
	l->all.scans[0] = l->scanned[0].scan;
	/* a scan that was cut short is no evidence that nothing points to an object */
	if (!err && refs_scan_is_whole(&l->all.scans[0])) {
		sleep(APART_S);
		background_begin(&l->run->background); /* that was no wait for a CPU */
		l->all.apart_s = APART_S;
	}
	return err;
}

static int refs_second_scan(struct refs_looking *l)
{
	const struct refs_scan_how how = {.budget_share = 1, .pages = true};
	struct refs_places *places = &l->scanned[1].places;
	int err = ARRAY_APPEND(&l->both, l->sample.items, l->sample.nr)
			  ?: ARRAY_APPEND(&l->both, l->control.items, l->control.nr);

	if (err)
		return err;
	l->second = calloc(l->both.nr + 1, sizeof(*l->second));
	if (!l->second)
		return -ENOMEM;
	err = refs_scan_memory(l->slabs, l->run, &l->both, &how, l->second, &l->scanned[1]);
	l->all.scans[1] = l->scanned[1].scan;
	/* what points to the control has been counted, and needs no names */
	while (places->nr && places->items[places->nr - 1].object >= l->sample.nr)
		places->nr--;
	return err;
}

/* ---- lists and trees ---- */

/* If objects of the wanted cache point to each other, see whether something else leads to them. */
static int refs_close(struct refs_looking *l)
{
	const struct refs_scan *scan = &l->all.scans[REFS_SCANS - 1];
	uint64_t own = 0;
	int err;

	for (size_t i = 0; i < l->sample.nr; i++)
		own += l->sample.items[i].cache->wanted && l->second[i].strong &&
		       l->second[i].own == l->second[i].strong;
	if (!own || 100 * own < OWN_PERCENT * l->sample.nr || !refs_scan_is_whole(scan) ||
	    !refs_slabs_found_all(l->slabs))
		return 0;
	err = refs_closure_find(l->slabs, l->run, scan->cpu_s, &l->closure);
	l->all.closed = !err;
	l->all.too_short = err == -ETIME;
	return err == -ETIME || err == -E2BIG ? 0 : err;
}

/* Do only objects of its own cache lead to it, and nothing else to any of these? */
static bool refs_is_dropped(const struct refs_looking *l, const struct refs_object *o)
{
	int64_t number =
		l->all.closed && o->cache->wanted ? refs_closure_number(&l->closure, o->start) : -1;

	return number >= 0 && !l->closure.held[number];
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
					 .closure = l->all.closed ? &l->closure : NULL,
					 .follow = refs_follower_follow,
					 .name = refs_follower_name,
					 .arg = l->follower,
					 .scan = refs_level_scan,
					 .scan_arg = l,
					 .levels = levels};
	int err = l->follower ? refs_follower_roots(l->follower, &l->roots) : -ENOTSUP;

	if (err == -ENOMEM)
		return err;
	l->all.holders_known = !err;
	l->all.holders_partial = l->roots.partial;
	return err ? 0
		   : refs_holders_find(&how, &l->sample, &l->scanned[1].places, &l->claims,
				       &l->all);
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

/* ---- names ---- */

/* Name the words outside of slab caches that point to the sample. Without names, they still count.
 */
static int refs_find_names(struct refs_looking *l)
{
	const struct refs_run *r = l->run;
	_cleanup_free_ uint64_t *offsets = calloc(r->cpus + 1, sizeof(*offsets));
	struct refs_naming how = {.slabs = l->slabs,
				  .follower = l->follower,
				  .aliases = l->aliases,
				  .roots = &l->roots,
				  .direct = r->direct,
				  .page_shift = r->page_shift,
				  .kallsyms = "/proc/kallsyms"};
	struct refs_percpu_input in = {.types = &l->types,
				       .offsets = offsets,
				       .cpus = r->cpus,
				       .has = refs_follower_has,
				       .arg = l->follower};
	int map = bpf_map__fd(r->skel->maps.audit_cpu_offset);

	if (!offsets)
		return -ENOMEM;
	if (!l->follower || refs_run_is_over(r, 1))
		return 0;
	for (uint32_t cpu = 0; cpu < r->cpus; cpu++)
		if (bpf_map_lookup_elem(map, &cpu, &offsets[cpu]))
			offsets[cpu] = 0;
	in.image = refs_follower_where_image(l->follower);
	refs_percpu_learn(&in, &how.percpu);
	return refs_names_find(&how, &l->scanned[1].places, &l->names);
}

/* ---- counting ---- */

/* Count the objects of each part. */
static int refs_count_parts(struct refs_looking *l)
{
	l->held = calloc(l->both.nr + 1, sizeof(*l->held));
	if (!l->held)
		return -ENOMEM;
	for (size_t i = 0; i < l->both.nr; i++) {
		const struct refs_object *o = &l->both.items[i];
		bool asked = i < l->sample.nr;
		const struct refs_known known = {.object = o,
						 .first = asked ? &l->first[i] : NULL,
						 .second = &l->second[i],
						 .dropped = asked && refs_is_dropped(l, o)};

		l->held[i] = refs_count_object(&known, &l->parts.items[o->part].counts);
	}
	return 0;
}

/* What is true of all parts. Its arrays stay where they are. */
static void refs_all_copy(const struct refs_looking *l, struct refs *out)
{
	*out = l->all;
	memset(&out->referrers, 0, sizeof(out->referrers));
	memset(&out->holders, 0, sizeof(out->holders));
	out->took_s = (double)(clock_ns() - l->began_ns) / 1e9;
	out->cpu_s = (double)refs_run_spent_ns(l->run) / 1e9;
}

int refs_look_second(struct refs_looking *l, uint32_t levels)
{
	int err = refs_second_scan(l);

	err = err ?: refs_close(l);
	err = err ?: refs_find_holders(l, levels);
	err = err ?: refs_find_names(l);
	err = err ?: refs_objects_check(l->slabs, &l->both);
	if (!err)
		refs_name_cgroups(&l->all);
	return err ?: refs_count_parts(l);
}

int refs_look_sum(struct refs_looking *l, uint32_t part, struct refs *out)
{
	const struct refs_part *p = &l->parts.items[part];
	_cleanup_free_ bool *counts = calloc(l->both.nr + 1, sizeof(*counts)),
			    *held = calloc(l->both.nr + 1, sizeof(*held));
	struct refs_counted objects = {.own = p->cache,
				       .roots = &l->roots,
				       .names = &l->names,
				       .page_shift = l->run->page_shift,
				       .counts = counts,
				       .nr = l->both.nr};
	int err;

	refs_all_copy(l, out);
	if (!counts || !held)
		return -ENOMEM;
	snprintf(out->cache, sizeof(out->cache), "%s", p->cache->name);
	out->object_bytes = p->cache->size;
	out->sample = p->counts;
	out->closed = l->all.closed && p->counts.own_kind;
	out->too_short = l->all.too_short && p->counts.own_kind;
	for (size_t i = 0; i < l->sample.nr; i++) {
		const struct refs_object *o = &l->both.items[i];

		counts[i] = o->part == part && o->live && o->sure;
		held[i] = o->part == part && l->held[i];
	}
	refs_control_choose(&l->parts, part, out);
	err = ARRAY_APPEND(&out->holders, l->all.holders.items, l->all.holders.nr);
	if (err)
		return err;
	refs_holders_count(&l->claims, held, out);
	return refs_referrers_build(&l->scanned[1].places, &objects, &l->types, out);
}
