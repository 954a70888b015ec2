// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report as JSON: see report.h. Each section of the contract is one function. It returns the
 * value of the section. Sections of unlimited size (holders, callers, caches, growth) are written
 * instead, row by row.
 */
#include <math.h>
#include <string.h>

#include "data/counter.h"
#include "model/container.h"
#include "model/entry.h"
#include "model/sampling.h"
#include "render/bpf_use.h"
#include "render/census_parts.h"
#include "render/finding.h"
#include "render/report_findings.h"
#include "render/json_value.h"
#include "render/node_use.h"
#include "render/refs_parts.h"
#include "render/report.h"
#include "render/witness.h"
#include "render/rows.h"
#include "version.h"

static json_t *kernel_json(struct json_out *o)
{
	json_t *k = json_object();

	put(o, k, "release", meta_text(o->r->c, META_RELEASE));
	put(o, k, "version", meta_text(o->r->c, META_VERSION));
	put(o, k, "arch", meta_text(o->r->c, META_ARCH));
	put(o, k, "build_id", meta_text(o->r->c, META_BUILD_ID));
	put(o, k, "lockdown", meta_text(o->r->c, META_LOCKDOWN));
	return k;
}

static json_t *host_json(struct json_out *o)
{
	json_t *h = json_object();

	put(o, h, "name", meta_text(o->r->c, META_HOST));
	put(o, h, "cpus", meta_number(o->r->c, META_CPUS));
	put(o, h, "cpus_possible", meta_number(o->r->c, META_POSSIBLE));
	put(o, h, "mem_total_kb", number(view_mem_total_kb(&o->r->view)));
	put(o, h, "virtualization", meta_text(o->r->c, META_VIRT));
	put(o, h, "boot_id", meta_text(o->r->c, META_BOOT_ID));
	put(o, h, "uptime_s", meta_number(o->r->c, META_UPTIME));
	return h;
}

/* The counters of lost events and details, or the others. */
static json_t *counts_json(struct json_out *o, bool losses_wanted)
{
	json_t *counts = json_object();

	for (size_t i = 0; i < o->r->losses.nr_counters; i++) {
		const struct cap_count *counter = &o->r->losses.counters[i];
		_cleanup_free_ char *name = escape_utf8(counter->name);

		if ((loss_kind(counter->name) != LOSS_NONE) == losses_wanted)
			put(o, counts, name ? name : "",
			    name ? json_integer(counter->value) : NULL);
	}
	return counts;
}

static json_t *trust_json(struct json_out *o, const struct trust *t)
{
	json_t *j = json_object(), *reasons = json_array();

	put(o, j, "level", json_string(trust_name(t->level)));
	put(o, j, "lost_ratio", fraction(t->lost_ratio));
	for (size_t i = 0; i < t->nr_reasons; i++)
		append(o, reasons, text(t->reasons[i]));
	put(o, j, "reasons", reasons);
	return j;
}

static json_t *hooks_json(struct json_out *o)
{
	json_t *hooks = json_array();

	for (size_t i = 0; i < o->r->c->nr_hooks; i++) {
		const struct cap_hook *h = &o->r->c->hooks[i];

		append(o, hooks, hook_json(o, h->name, h->pool, h->how, h->reason, h->cost));
	}
	return hooks;
}

/* How rare samples were, by pool. */
static json_t *sampling_json(struct json_out *o)
{
	static const enum pool pools[] = {POOL_SLAB, POOL_PERCPU, POOL_KSTACK, POOL_PAGE};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		struct sampling s;
		json_t *j;

		sampling_of(&o->r->view, pools[i], &s);
		if (!(s.mean > 0))
			continue;
		j = json_object();
		put(o, j, "pool", json_string(pool_name(pools[i])));
		put(o, j, "mean", whole(s.mean));
		put(o, j, "least", s.recorded ? whole(s.least) : json_null());
		put(o, j, "most", s.recorded ? whole(s.most) : json_null());
		append(o, list, j);
	}
	return list;
}

static json_t *capture_json(struct json_out *o)
{
	json_t *c = json_object();

	put(o, c, "start", time_json(capture_meta_number(o->r->c, META_START, NAN)));
	put(o, c, "duration_s", number(o->r->view.duration_s));
	put(o, c, "mode", meta_text(o->r->c, META_MODE));
	put(o, c, "sample_bytes", meta_number(o->r->c, META_PERIOD));
	put(o, c, "sample_bytes_in_force", sampling_json(o));
	put(o, c, "complete", json_boolean(o->r->view.complete));
	put(o, c, "command", meta_text(o->r->c, META_COMMAND));
	put(o, c, "tool_version", meta_text(o->r->c, META_TOOL));
	put(o, c, "stack_symbols", meta_text(o->r->c, META_STACKS));
	put(o, c, "overhead_cpu_percent", meta_number(o->r->c, META_OVERHEAD));
	put(o, c, "sampling_cpu_percent", meta_number(o->r->c, META_SAMPLING));
	put(o, c, "not_watched", meta_text(o->r->c, META_NOT_WATCHED));
	put(o, c, "own_kernel_bytes", meta_number(o->r->c, META_OWN_BYTES));
	put(o, c, "audit", meta_text(o->r->c, META_AUDIT));
	put(o, c, "losses", counts_json(o, true));
	put(o, c, "counters", counts_json(o, false));
	put(o, c, "hooks", hooks_json(o));
	return c;
}

static json_t *report_verdict_json(struct json_out *o)
{
	const struct verdict *v = &o->r->verdict;
	json_t *j = verdict_json(o, v->items, v->nr, v->next);

	put(o, j, "leak", json_boolean(v->leak));
	return j;
}

static void put_trend(struct json_out *o, json_t *j, const struct trend *t)
{
	put(o, j, "pattern", json_string(pattern_name(t->pattern)));
	put(o, j, "slope_kb_per_s", number(t->slope));
	put(o, j, "slope_low_kb_per_s", number(t->slope_low));
	put(o, j, "slope_high_kb_per_s", number(t->slope_high));
	put(o, j, "trend_p", fraction(t->mk_p));
	put(o, j, "change_kb", number(t->change));
	put(o, j, "change_at_s", number(trend_has_step(t) ? t->change_t : NAN));
	put(o, j, "change_p", fraction(t->change_p));
}

static json_t *pools_json(struct json_out *o)
{
	json_t *pools = json_array();

	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &o->r->ledger.rows[i];
		json_t *j = json_object();

		put(o, j, "name", json_string(row->name));
		put(o, j, "start_kb", number(row->start_kb));
		put(o, j, "end_kb", number(row->end_kb));
		put(o, j, "delta_kb", number(row->delta_kb));
		put(o, j, "attributed_kb", number(row->attributed_kb));
		put(o, j, "attributed_sd_kb", number(row->attributed_sd_kb));
		put(o, j, "preexisting_freed_kb", number(row->preexisting_freed_kb));
		put(o, j, "allocator_overhead_kb", number(row->allocator_overhead_kb));
		put(o, j, "residual_kb", number(row->residual_kb));
		put(o, j, "residual_low_kb", number(row->residual_low_kb));
		put(o, j, "residual_high_kb", number(row->residual_high_kb));
		put(o, j, "attributed_from",
		    row->attributed_from[0] ? json_string(row->attributed_from) : json_null());
		put(o, j, "remark", row->remark[0] ? json_string(row->remark) : json_null());
		put_trend(o, j, &row->trend);
		append(o, pools, j);
	}
	return pools;
}

static void put_change(struct json_out *o, json_t *j, const char *start, const char *end,
		       const struct level_change *c)
{
	put(o, j, start, number(c->start));
	put(o, j, end, number(c->end));
}

/* Processes, or cgroups: the same figures of other holders. */
static void write_level_holders(struct json_out *o, const char *key,
				const struct process_level *rows, size_t nr)
{
	bool processes = !strcmp(key, "processes");

	json_begin(o, key, '[');
	for (size_t i = 0; i < nr && json_wanted(o); i++) {
		const struct process_level *p = &rows[i];
		json_t *j = json_object();

		if (processes) {
			put(o, j, "comm", text(p->comm));
			put(o, j, "pid", json_integer(p->tgid));
		}
		put(o, j, "cgroup", p->cgroup[0] ? text(p->cgroup) : json_null());
		put(o, j, "cgroup_id", json_integer((json_int_t)p->cgroup_id));
		put_change(o, j, "start_threads", "end_threads", &p->threads);
		put_change(o, j, "start_stack_kb", "end_stack_kb", &p->stack_kb);
		put_change(o, j, "start_page_tables_kb", "end_page_tables_kb", &p->pgtables_kb);
		json_member(o, NULL, j);
	}
	json_end(o, ']');
}

static void write_callers(struct json_out *o, size_t top)
{
	const struct holders *l = &o->r->holders;

	json_begin(o, "callers", '[');
	for (size_t i = 0; i < rows_shown(top, l->callers.nr) && json_wanted(o); i++) {
		const struct caller_level *c = &l->callers.items[i];
		json_t *j = json_object();

		put(o, j, "caller", c->caller[0] ? text(c->caller) : json_null());
		put(o, j, "stacks", json_boolean(c->stacks));
		put_change(o, j, "start_areas", "end_areas", &c->areas);
		put_change(o, j, "start_kb", "end_kb", &c->kb);
		put(o, j, "delta_kb", number(level_change_delta(&c->kb)));
		put(o, j, "attributed_kb", number(c->attributed_kb));
		put(o, j, "preexisting_freed_kb", number(c->preexisting_freed_kb));
		json_member(o, NULL, j);
	}
	json_end(o, ']');
}

static json_t *vmalloc_json(struct json_out *o, const struct vmalloc_sum *v)
{
	json_t *j = json_object();

	put(o, j, "used_kb", number(v->used_kb));
	put(o, j, "vmallocinfo_kb", number(v->info_kb));
	put(o, j, "identity_holds", v->comparable ? json_boolean(v->agrees) : json_null());
	put(o, j, "stacks_kb", number(v->stacks_kb));
	put(o, j, "cached_stacks_kb", number(v->cached_stacks_kb));
	put(o, j, "without_stacks_kb", number(v->without_stacks_kb));
	return j;
}

/* Of all dentries, those that are unused, and those of names that do not exist. */
static json_t *dentries_json(struct json_out *o)
{
	const struct snapshot *s = o->r->view.end;
	json_t *j = json_object();

	put(o, j, "all", number(snapshot_counter(s, COUNTER_DENTRIES)));
	put(o, j, "unused", number(snapshot_counter(s, COUNTER_DENTRIES_UNUSED)));
	put(o, j, "negative", number(snapshot_counter(s, COUNTER_DENTRIES_NEGATIVE)));
	return j;
}

static void write_levels(struct json_out *o, size_t top)
{
	const struct holders *l = &o->r->holders;

	json_begin(o, "levels", '{');
	json_member(o, "dentries", dentries_json(o));
	json_begin(o, "vmalloc", '{');
	json_member(o, "start", vmalloc_json(o, &l->vmalloc_start));
	json_member(o, "end", vmalloc_json(o, &l->vmalloc_end));
	if (l->callers_known)
		write_callers(o, top);
	else
		json_member(o, "callers", json_null());
	json_end(o, '}');
	if (l->tasks_known) {
		write_level_holders(o, "processes", l->processes.items,
				    rows_shown(top, l->processes.nr));
		write_level_holders(o, "cgroups", l->cgroups, l->nr_cgroups);
	} else {
		json_member(o, "processes", json_null());
		json_member(o, "cgroups", json_null());
	}
	json_end(o, '}');
}

static json_t *agreement_json(enum agreement a)
{
	static const char *const names[] = {[AGREE_UNKNOWN] = NULL,
					    [AGREE_YES] = "yes",
					    [AGREE_FREED_OLD] = "older_objects_freed",
					    [AGREE_NO] = "no"};

	return names[a] ? json_string(names[a]) : json_null();
}

static void write_cache(struct json_out *o, const struct cache_row *row)
{
	json_t *j = json_object(), *reasons = json_array();

	json_begin(o, NULL, '{');
	json_member(o, "name", text(row->name));
	json_begin(o, "aliases", '[');
	for (size_t i = 0; row->cap && i < row->cap->aliases.nr && json_wanted(o); i++)
		json_member(o, NULL, text(row->cap->aliases.items[i]));
	json_end(o, ']');
	for (size_t i = 0; i < row->trust.nr_reasons; i++)
		append(o, reasons, text(row->trust.reasons[i]));
	put(o, j, "object_size", number(row->object_size));
	put(o, j, "size", number(row->size));
	put(o, j, "reclaimable", row->cap ? json_boolean(row->cap->reclaimable) : json_null());
	put(o, j, "start_objects", number(row->start_objects));
	put(o, j, "end_objects", number(row->end_objects));
	put(o, j, "delta_objects", number(row->delta_objects));
	put(o, j, "start_kb", number(row->start_kb));
	put(o, j, "end_kb", number(row->end_kb));
	put(o, j, "delta_kb", number(row->delta_kb));
	put(o, j, "attributed_bytes", row->traced ? whole(row->held_bytes) : json_null());
	put(o, j, "attributed_objects", row->traced ? number(row->held_objects) : json_null());
	put(o, j, "preexisting_freed_bytes", whole(row->preexisting_freed_bytes));
	put(o, j, "allocs", row->traced ? number(row->allocs) : json_null());
	put(o, j, "frees", row->traced ? number(row->frees) : json_null());
	put(o, j, "unseen_frees", row->traced ? number(row->unseen_frees) : json_null());
	put(o, j, "resting_objects", number(row->cpu_free));
	put(o, j, "unseen_alloc_objects", number(row->unseen_objects));
	put(o, j, "unseen_alloc_bytes", whole(row->unseen_bytes));
	put(o, j, "agrees", agreement_json(row->trust.agreement));
	put(o, j, "disagreement", fraction(row->trust.disagreement));
	put(o, j, "unseen_free_ratio", fraction(row->trust.unseen_free_ratio));
	put(o, j, "audited_ratio", fraction(row->trust.audited_ratio));
	put(o, j, "trust", json_string(trust_name(row->trust.level)));
	put(o, j, "trust_reasons", reasons);
	put_trend(o, j, &row->trend);
	json_members(o, j);
	json_end(o, '}');
}

static void write_caches(struct json_out *o)
{
	json_begin(o, "caches", '[');
	for (size_t i = 0; i < o->r->caches.nr && json_wanted(o); i++)
		write_cache(o, &o->r->caches.items[i]);
	json_end(o, ']');
}

static void write_processes(struct json_out *o, const struct growth_shares *shares)
{
	json_begin(o, "processes", '[');
	for (size_t i = 0; i < shares->nr && json_wanted(o); i++) {
		const struct cap_process *p = &o->r->c->processes[shares->items[i].id];
		json_t *j = json_object();

		put(o, j, "comm", shares->items[i].id ? text(p->comm) : json_null());
		put(o, j, "pid", shares->items[i].id ? json_integer(p->tgid) : json_null());
		put(o, j, "cmdline", p->cmdline[0] ? text(p->cmdline) : json_null());
		put(o, j, "bytes", whole(shares->items[i].bytes));
		json_member(o, NULL, j);
	}
	json_end(o, ']');
}

static void write_cgroups(struct json_out *o, const struct growth_shares *shares)
{
	json_begin(o, "cgroups", '[');
	for (size_t i = 0; i < shares->nr && json_wanted(o); i++) {
		uint32_t id = shares->items[i].id;
		json_t *j = json_object();

		struct container container;

		container_of_cgroup(o->r->c->cgroups[id], &container);
		put(o, j, "path", id ? text(o->r->c->cgroups[id]) : json_null());
		put(o, j, "container", container.id[0] ? text(container.id) : json_null());
		put(o, j, "pod", container.pod[0] ? text(container.pod) : json_null());
		put(o, j, "bytes", whole(shares->items[i].bytes));
		json_member(o, NULL, j);
	}
	json_end(o, ']');
}

static void write_group_caches(struct json_out *o, const struct growth_group *g)
{
	json_begin(o, "caches", '[');
	for (size_t i = 0; g->pool == POOL_SLAB && i < g->caches.nr && json_wanted(o); i++) {
		uint32_t id = g->caches.items[i].id;
		json_t *j = json_object();

		put(o, j, "name", id ? text(o->r->c->caches[id].name) : json_null());
		put(o, j, "bytes", whole(g->caches.items[i].bytes));
		json_member(o, NULL, j);
	}
	json_end(o, ']');
}

static json_t *ages_json(struct json_out *o, const struct growth_group *g)
{
	json_t *list = json_array();

	for (size_t b = 0; b < AGE_BUCKETS; b++)
		append(o, list, number(g->age_hist[b]));
	return list;
}

/* What called the kernel: {"kind", "name"}. */
static json_t *entry_json(const struct capture *c, uint32_t stack)
{
	struct entry e;

	entry_of_stack(c, stack, &e);
	return json_pack("{s:s, s:o}", "kind", entry_kind_name(e.kind), "name", text(e.label));
}

static void write_group(struct json_out *o, const struct growth_group *g, size_t rank)
{
	const struct cache_row *cache = growth_cache(g, &o->r->caches);
	const struct trend *trend = history_trend(&o->r->history, rank - 1);
	uint32_t stack = g->stacks.items[0].id;
	json_t *j = json_object();

	put(o, j, "rank", json_integer((json_int_t)rank));
	put(o, j, "pool", json_string(pool_name(g->pool)));
	put(o, j, "entry", entry_json(o->r->c, stack));
	put(o, j, "class", g->class_[0] ? text(g->class_) : json_null());
	put(o, j, "cache", cache ? text(cache->name) : json_null());
	put(o, j, "trust", cache ? json_string(trust_name(cache->trust.level)) : json_null());
	put(o, j, "bytes", whole(g->bytes));
	put(o, j, "bytes_low", whole(g->bytes_low));
	put(o, j, "bytes_high", whole(g->bytes_high));
	put(o, j, "traced_bytes", whole(g->traced_bytes));
	put(o, j, "objects", number(g->objects));
	put(o, j, "tracked_objects", number(g->tracked));
	put(o, j, "sample_bytes", number(growth_period(g)));
	put(o, j, "judged_objects", number(g->verified));
	put(o, j, "judged_twice_objects", number(g->verified_twice));
	put(o, j, "verified_live_fraction", fraction(g->verified_share));
	put(o, j, "allocs", number(g->allocs));
	put(o, j, "frees", number(g->frees));
	put(o, j, "unseen_frees", number(g->unseen_frees));
	put(o, j, "pattern", json_string(pattern_name(trend->pattern)));
	put(o, j, "slope_kb_per_s", number(trend->slope));
	put(o, j, "age_p50_s", number(g->age_p50_s));
	put(o, j, "age_p90_s", number(g->age_p90_s));
	put(o, j, "age_oldest_s", number(g->oldest_s));
	put(o, j, "age_histogram", ages_json(o, g));
	put(o, j, "module", text(g->module));
	json_begin(o, NULL, '{');
	json_members(o, j);
	write_group_caches(o, g);
	write_processes(o, &g->processes);
	write_cgroups(o, &g->cgroups);
	json_member(o, "paths", json_integer((json_int_t)g->stacks.nr));
	json_member(o, "stack_truncated", json_boolean(o->r->c->stacks[stack].truncated));
	json_member(o, "stack", path_json(o, o->r->c, stack));
	if (o->r->c->lines)
		json_member(o, "stack_lines", path_lines_json(o, o->r->c, stack));
	json_end(o, '}');
}

static void write_growth(struct json_out *o, size_t top)
{
	const struct growth *g = &o->r->growth;

	paths_begin(o, o->r->c);
	json_begin(o, "growth", '[');
	for (size_t i = 0; i < rows_shown(top, g->nr) && json_wanted(o); i++)
		write_group(o, &g->groups[i], i + 1);
	json_end(o, ']');
	paths_end(o);
}

/* The censuses; null if none was taken, and why. */
static void write_censuses(struct json_out *o)
{
	const char *why = capture_why(o->r->c, META_CENSUS);

	json_begin(o, "census", '{');
	json_member(o, "missing", why ? text(why) : json_null());
	for (int moment = 0; moment < CENSUS_MOMENTS; moment++) {
		const struct census_sheet *s = &o->r->census[moment];

		if (s->census)
			census_write(o, census_moment_name(moment), s, NULL,
				     moment == CENSUS_AT_START ? &o->r->like : NULL);
		else
			json_member(o, census_moment_name(moment), json_null());
	}
	if (o->r->census_delta.pages.nr)
		census_changes_write(o, "changes", &o->r->census_delta);
	else
		json_member(o, "changes", json_null());
	json_end(o, '}');
}

int report_json(const struct report *r, size_t top, FILE *out)
{
	struct json_out o = {.r = r};

	json_document_begin(&o, out);
	json_member(&o, "schema", json_integer(JSON_SCHEMA_VERSION));
	json_member(&o, "kernel", kernel_json(&o));
	json_member(&o, "host", host_json(&o));
	json_member(&o, "capture", capture_json(&o));
	json_member(&o, "verdict", report_verdict_json(&o));
	json_member(&o, "findings", finding_list_json(&o, &r->findings));
	json_member(&o, "trust", trust_json(&o, &r->trust));
	json_member(&o, "pools", pools_json(&o));
	write_levels(&o, top);
	write_caches(&o);
	json_member(&o, "counters", witnesses_json(&o, &r->witnesses, true));
	json_member(&o, "removed_cgroups", removed_cgroups_json(&o, r->view.start, r->view.end));
	bpf_use_json(&o, &r->bpf);
	json_member(&o, "nodes", node_use_json(&o, &r->nodes));
	write_censuses(&o);
	if (r->proofs.nr || capture_meta(r->c, META_PROOF)[0])
		json_member(&o, "proof", proofs_json(&o, r));
	json_member(&o, "growth_by", json_string(growth_by_name(r->growth.by)));
	if (r->c->lines)
		json_member(&o, "source_lines", source_lines_json(&o, r->c));
	json_member(&o, "growth_groups", json_integer((json_int_t)r->growth.nr));
	write_growth(&o, top);
	findings_json(&o);
	return json_document_end(&o);
}
