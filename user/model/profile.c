// SPDX-License-Identifier: GPL-2.0-only
/* Reduces a capture to comparable rows: see profile.h. Each section is filled by one function, then sorted. */
#include "model/profile.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "capture/class.h"
#include "model/balance.h"
#include "model/container.h"

#define NOISE_POINTS 128 /* snapshots looked at for a level's own noise */

struct build {
	const struct view *v;
	const struct match *m;
	bool brief;
	struct profile *p;
};

static const char *const section_names[PROFILE_SECTIONS] = {
	[PROFILE_POOLS] = "pools",	       [PROFILE_CACHES] = "caches",
	[PROFILE_VMALLOC] = "vmalloc_callers", [PROFILE_STACKS] = "kernel_stacks",
	[PROFILE_PAGE_TABLES] = "page_tables", [PROFILE_GROWTH] = "growth",
};

const char *profile_section_name(enum profile_section s)
{
	return section_names[s];
}

/* Objects younger than this many seconds may only be in flight: an eighth of the recording, 1 to 8 s. */
static double young_limit_s(double duration_s)
{
	return fmin(8, fmax(1, duration_s / 8));
}

/* ---- rows ---- */

/* A new row with copies of both strings, or NULL. */
static struct profile_row *row_add(struct profile_rows *rows, const char *key, const char *name)
{
	struct profile_row *r = ARRAY_PUSH(rows);

	if (!r)
		return NULL;
	r->key = strdup(key);
	r->name = strdup(name);
	r->level = r->noise = r->change = r->level_objects = NAN;
	r->churn = r->churn_var = NAN;
	return r->key && r->name ? r : NULL;
}

static void row_clear(struct profile_row *r)
{
	free(r->key);
	free(r->loose);
	free(r->name);
	free(r->cache);
	free(r->who);
}

/* a + b, of which either may be unknown. */
static double sum_known(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : a + b;
}

/* Two rows of one identity become one; what is for people is taken from the larger. */
static void row_merge(struct profile_row *into, struct profile_row *r)
{
	if (r->held > into->held) {
		struct profile_row larger = *r;

		r->name = into->name;
		r->cache = into->cache;
		r->who = into->who;
		into->name = larger.name;
		into->cache = larger.cache;
		into->who = larger.who;
		into->stack = larger.stack;
	}
	into->held += r->held;
	into->held_var += r->held_var;
	into->objects += r->objects;
	into->young += r->young;
	into->churn = sum_known(into->churn, r->churn);
	into->churn_var = sum_known(into->churn_var, r->churn_var);
	into->level = sum_known(into->level, r->level);
	into->change = sum_known(into->change, r->change);
	into->level_objects = sum_known(into->level_objects, r->level_objects);
	into->noise = sqrt(sum_known(into->noise * into->noise, r->noise * r->noise));
	row_clear(r);
}

static int compare_key(const void *a, const void *b)
{
	const struct profile_row *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order ? order : (x->stack > y->stack) - (x->stack < y->stack);
}

/* Sort by identity, and let each be there once. */
static void rows_finish(struct profile_rows *rows)
{
	size_t kept = 0;

	if (!rows->nr)
		return;
	qsort(rows->items, rows->nr, sizeof(*rows->items), compare_key);
	for (size_t i = 1; i < rows->nr; i++) {
		if (!strcmp(rows->items[kept].key, rows->items[i].key))
			row_merge(&rows->items[kept], &rows->items[i]);
		else
			rows->items[++kept] = rows->items[i];
	}
	rows->nr = kept + 1;
}

/* ---- noise: from first differences, so that a trend is none ---- */

struct noise {
	double last, sum, squares;
	size_t nr;
};

static void noise_add(struct noise *n, double y)
{
	double d = y - n->last;

	if (isnan(y))
		return;
	if (n->nr) {
		n->sum += d;
		n->squares += d * d;
	}
	n->last = y;
	n->nr++;
}

/* NaN below 8 readings: one step would be all there is. */
static double noise_sd(const struct noise *n)
{
	double k = (double)n->nr - 1;

	return n->nr < 8 ? NAN : sqrt(fmax(0, n->squares / k - n->sum * n->sum / k / k) / 2);
}

/* The i-th of up to NOISE_POINTS snapshots of the view, or NULL. */
static const struct snapshot *noise_snapshot(const struct view *v, size_t i)
{
	size_t span = v->last - v->first, points = span + 1 < NOISE_POINTS ? span + 1 : NOISE_POINTS;

	if (i >= points)
		return NULL;
	return &v->c->snapshots[v->first + (points > 1 ? i * span / (points - 1) : 0)];
}

/* ---- pools ---- */

static const char *const pool_lines[] = {"Slab",	  "VmallocUsed", "KernelStack", "PageTables",
					 "SecPageTables", "Percpu",	 "Unaccounted"};

/*
 * The recorder's own tables were there from the first snapshot to the last, and gone with it: they say nothing
 * of the host, and two recordings may well have had tables of different sizes. They are vmalloc areas.
 */
static double own_bytes(const struct view *v)
{
	return capture_meta_number(v->c, META_OWN_BYTES, 0);
}

/* In bytes; NaN where the kernel does not say. */
static double pool_level(const struct view *v, const struct snapshot *s, const char *line)
{
	double level = snapshot_meminfo(s, line) * 1024;
	struct balance b;

	if (!strcmp(line, "VmallocUsed"))
		return level - fmin(level, own_bytes(v));
	if (strcmp(line, "Unaccounted"))
		return level;
	balance_build(s, v->page_bytes, NULL, &b);
	return b.placed ? b.kb[BALANCE_REST] * 1024 : NAN;
}

static int build_pools(struct build *b)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_POOLS];

	for (size_t i = 0; i < sizeof(pool_lines) / sizeof(pool_lines[0]); i++) {
		struct profile_row *r = row_add(rows, pool_lines[i], pool_lines[i]);
		struct noise noise = {0};
		const struct snapshot *s;

		if (!r)
			return -ENOMEM;
		r->level = pool_level(b->v, b->v->end, pool_lines[i]);
		if (b->v->first != b->v->last)
			r->change = r->level - pool_level(b->v, b->v->start, pool_lines[i]);
		for (size_t k = 0; !b->brief && (s = noise_snapshot(b->v, k)); k++)
			noise_add(&noise, pool_level(b->v, s, pool_lines[i]));
		r->noise = noise_sd(&noise);
	}
	rows->measured = true;
	return 0;
}

/* ---- caches ---- */

static int add_caches(struct build *b, const struct snapshot *s, bool end)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_CACHES];
	double large = snapshot_meminfo(s, "Slab") * 1024, sign = end ? 1 : -1;

	for (size_t i = 0; i <= s->slabs.nr; i++) {
		bool is_large = i == s->slabs.nr;
		const struct slab_level *l = is_large ? NULL : &s->slabs.items[i];
		const char *name = is_large ? "kmalloc-large" : l->name;
		double level = is_large ? large
					: (double)l->num_slabs * (double)l->pages_per_slab * b->v->page_bytes;
		struct profile_row *r;

		large -= level;
		r = row_add(rows, is_large ? "\x1f" "kmalloc-large" : match_cache(b->m, name), name);
		if (!r)
			return -ENOMEM;
		r->level = end ? level : 0;
		r->change = sign * level;
		if (!is_large)
			r->level_objects = end ? (double)l->active_objs : 0;
	}
	return 0;
}

struct profile_row *profile_find(const struct profile_rows *rows, const char *key)
{
	struct profile_row wanted = {.key = (char *)key};
	size_t low = 0, high = rows->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(wanted.key, rows->items[middle].key);

		if (!order)
			return &rows->items[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int cache_noise(struct build *b)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_CACHES];
	_cleanup_free_ struct noise *noise = calloc(rows->nr + 1, sizeof(*noise));
	_cleanup_free_ double *level = calloc(rows->nr + 1, sizeof(*level));
	const struct snapshot *s;

	if (!noise || !level)
		return -ENOMEM;
	for (size_t k = 0; (s = noise_snapshot(b->v, k)); k++) {
		if (!s->slabs.nr)
			continue;
		memset(level, 0, rows->nr * sizeof(*level));
		for (size_t i = 0; i < s->slabs.nr; i++) {
			const struct slab_level *l = &s->slabs.items[i];
			struct profile_row *r = profile_find(rows, match_cache(b->m, l->name));

			if (r)
				level[r - rows->items] += (double)l->num_slabs *
							  (double)l->pages_per_slab * b->v->page_bytes;
		}
		for (size_t i = 0; i < rows->nr; i++)
			noise_add(&noise[i], level[i]);
	}
	for (size_t i = 0; i < rows->nr; i++)
		rows->items[i].noise = noise_sd(&noise[i]);
	return 0;
}

static int build_caches(struct build *b)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_CACHES];
	const struct view *v = b->v;

	if (!v->slab_end)
		return 0;
	rows->measured = true;
	if (add_caches(b, v->slab_end, true) ||
	    (v->slab_start != v->slab_end && add_caches(b, v->slab_start, false)))
		return -ENOMEM;
	rows_finish(rows);
	for (size_t i = 0; i < rows->nr && v->slab_start == v->slab_end; i++)
		rows->items[i].change = NAN;
	for (size_t i = 1; i < v->c->nr_caches && !b->brief; i++) {
		const struct cap_cache *cache = &v->c->caches[i];
		struct profile_row *r = profile_find(rows, match_cache(b->m, cache->name));

		if (r && !cache->large)
			r->reclaimable |= cache->reclaimable;
	}
	return b->brief ? 0 : cache_noise(b);
}

/* ---- vmalloc callers ---- */

static int add_vmallocs(struct build *b, const struct snapshot *s, bool end)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_VMALLOC];
	double own = own_bytes(b->v);

	for (size_t i = 0; i < s->vmallocs.nr; i++) {
		const struct vmalloc_level *l = &s->vmallocs.items[i];
		double level = (double)l->pages * b->v->page_bytes, ours = 0;
		char caller[sizeof(l->caller)], *module = NULL;
		struct cap_frame f = {.symbol = caller, .module = (char *)"", .build_id = (char *)""};
		_cleanup_free_ char *key = NULL;
		struct profile_row *r;
		size_t size;
		FILE *out;

		if (!strncmp(l->caller, "array_map_alloc", strlen("array_map_alloc")))
			ours = fmin(level, own);
		own -= ours;
		level -= ours;
		if (level <= 0)
			continue;
		/* "symbol+0xoff [module]": offsets say nothing across kernels */
		snprintf(caller, sizeof(caller), "%s", l->caller);
		module = strchr(caller, '[');
		if (module) {
			module[strcspn(module, "]")] = '\0';
			f.module = module + 1;
		}
		caller[strcspn(caller, "+ ")] = '\0';
		out = open_memstream(&key, &size);
		if (!out)
			return -ENOMEM;
		match_frame(b->m, &f, out);
		if (fclose(out))
			return -ENOMEM;
		r = row_add(rows, key, key);
		if (!r)
			return -ENOMEM;
		r->level = end ? level : 0;
		r->change = end ? level : -level;
		r->level_objects = end ? (double)l->areas : 0;
	}
	return 0;
}

static int build_vmallocs(struct build *b)
{
	const struct snapshot *end = NULL, *start = NULL;

	for (size_t i = b->v->first; i <= b->v->last; i++) {
		if (!b->v->c->snapshots[i].vmallocs.nr)
			continue;
		start = start ?: &b->v->c->snapshots[i];
		end = &b->v->c->snapshots[i];
	}
	if (!end)
		return 0;
	b->p->sections[PROFILE_VMALLOC].measured = true;
	if (add_vmallocs(b, end, true) || (start != end && add_vmallocs(b, start, false)))
		return -ENOMEM;
	rows_finish(&b->p->sections[PROFILE_VMALLOC]);
	return 0;
}

/* ---- kernel stacks and page tables by process or cgroup ---- */

/* The cgroup of a process, as far as the trace met it. */
static const char *cgroup_of_tgid(const struct capture *c, int32_t tgid)
{
	for (size_t i = 1; i < c->nr_processes; i++)
		if (c->processes[i].tgid == tgid && c->processes[i].cgroup)
			return c->cgroups[c->processes[i].cgroup];
	return "(cgroup not known)";
}

static void cgroup_key(const struct build *b, const char *path, char *buf, size_t size)
{
	if (match_same_boot(b->m))
		snprintf(buf, size, "%s", path);
	else
		cgroup_normalise(path, buf, size);
}

static int add_tasks(struct build *b, const struct snapshot *s, bool end)
{
	bool by_cgroup = b->p->by == GROWTH_BY_CGROUP;

	for (size_t i = 0; i < s->tasks.nr; i++) {
		const struct task_level *l = &s->tasks.items[i];
		const char *name = by_cgroup ? cgroup_of_tgid(b->v->c, l->tgid) : l->comm;
		double levels[] = {(double)l->stack_bytes, (double)l->pgtables_bytes};
		double objects[] = {(double)l->threads, 1};
		char key[4096];

		snprintf(key, sizeof(key), "%s", name);
		if (by_cgroup)
			cgroup_key(b, name, key, sizeof(key));
		for (size_t k = 0; k < 2; k++) {
			struct profile_row *r = row_add(&b->p->sections[PROFILE_STACKS + k], key, name);

			if (!r)
				return -ENOMEM;
			r->level = end ? levels[k] : 0;
			r->change = end ? levels[k] : -levels[k];
			r->level_objects = end ? objects[k] : 0;
		}
	}
	return 0;
}

static int build_tasks(struct build *b)
{
	const struct snapshot *end = NULL, *start = NULL;

	for (size_t i = b->v->first; i <= b->v->last; i++) {
		if (!b->v->c->snapshots[i].tasks.nr)
			continue;
		start = start ?: &b->v->c->snapshots[i];
		end = &b->v->c->snapshots[i];
	}
	if (!end)
		return 0;
	for (int s = PROFILE_STACKS; s <= PROFILE_PAGE_TABLES; s++)
		b->p->sections[s].measured = true;
	if (add_tasks(b, end, true) || (start != end && add_tasks(b, start, false)))
		return -ENOMEM;
	for (int s = PROFILE_STACKS; s <= PROFILE_PAGE_TABLES; s++)
		rows_finish(&b->p->sections[s]);
	return 0;
}

/* ---- growth ---- */

/* The identity of a key of the dimension that growth is added up by. */
static void growth_identity(const struct build *b, const struct growth *g, uint32_t key, bool loose, FILE *out)
{
	const struct capture *c = b->v->c;
	char path[4096];

	switch (g->by) {
	case GROWTH_BY_STACK:
		match_path(b->m, c, key, loose, out);
		return;
	case GROWTH_BY_CACHE:
		fputs(match_cache(b->m, c->caches[key].name), out);
		return;
	case GROWTH_BY_SITE:
		match_frame(b->m, &c->frames[key], out);
		return;
	case GROWTH_BY_PROCESS:
		fputs(c->processes[key].comm, out);
		return;
	case GROWTH_BY_CGROUP:
		cgroup_key(b, c->cgroups[key], path, sizeof(path));
		fputs(path, out);
		return;
	case GROWTH_BY_MODULE:
	case GROWTH_BY_SYSCALL:
		fputs(g->names.items[key], out);
		return;
	case GROWTH_BY_POOL:
	case GROWTH_BYS:
		return;
	}
}

/* "pool<sep>identity", malloc'ed, or NULL. */
static char *growth_key_text(const struct build *b, const struct growth *g, enum pool pool, uint32_t key,
			     bool loose)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s%c", pool_name(pool), MATCH_SEPARATOR);
	growth_identity(b, g, key, loose, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static struct profile_row *growth_row(struct build *b, const struct growth *g, enum pool pool,
				      const char *class_, uint32_t key, uint32_t stack)
{
	struct profile_row *r = ARRAY_PUSH(&b->p->sections[PROFILE_GROWTH]);
	char *at;

	if (!r)
		return NULL;
	*r = (struct profile_row){.level = NAN, .noise = NAN, .change = NAN, .level_objects = NAN,
				  .churn = NAN, .churn_var = NAN, .pool = pool, .stack = stack};
	snprintf(r->class_, sizeof(r->class_), "%s", class_);
	r->key = growth_key_text(b, g, pool, key, false);
	if (!r->key)
		return NULL;
	if (g->by == GROWTH_BY_STACK && !b->brief && !match_same_kernel(b->m))
		r->loose = growth_key_text(b, g, pool, key, true);
	at = strchr(r->key, MATCH_SEPARATOR);
	r->name = strdup(g->by == GROWTH_BY_STACK ? "" : at ? at + 1 : "");
	r->cache = strdup("");
	r->who = strdup("");
	return r->name && r->cache && r->who ? r : NULL;
}

/* Bytes of a group whose objects are younger than `limit_s`; a bucket that it cuts counts in part. */
static double young_bytes(const struct growth_group *g, double limit_s)
{
	double young = 0;

	for (size_t b = 0; b < AGE_BUCKETS && g->objects > 0; b++) {
		double low = b ? ldexp(1, (int)b - 1) : 0, high = ldexp(1, (int)b);

		young += g->age_hist[b] * fmin(1, fmax(0, (limit_s - low) / (high - low)));
	}
	return g->objects > 0 ? g->bytes * fmin(1, young / g->objects) : 0;
}

static int row_names(const struct build *b, const struct growth_group *group, struct profile_row *r)
{
	const struct capture *c = b->v->c;
	uint32_t cache = group->caches.nr ? group->caches.items[0].id : 0;
	uint32_t process = group->processes.nr ? group->processes.items[0].id : 0;

	if (b->brief)
		return 0;
	if (group->pool == POOL_SLAB && cache) {
		free(r->cache);
		r->cache = strdup(c->caches[cache].name);
	}
	if (process) {
		free(r->who);
		r->who = strdup(c->processes[process].comm);
	}
	return r->cache && r->who ? 0 : -ENOMEM;
}

/* index: row of (pool, key), UINT32_MAX for none yet. */
static int add_groups(struct build *b, const struct growth *g, uint32_t *index, size_t keys)
{
	double young_s = young_limit_s(b->v->duration_s), bytes = 0, var = 0;

	for (size_t i = 0; i < g->nr; i++) {
		const struct growth_group *group = &g->groups[i];
		struct profile_row *r = growth_row(b, g, group->pool, group->class_, group->key,
						   group->stacks.nr ? group->stacks.items[0].id : 0);

		if (!r || row_names(b, group, r))
			return -ENOMEM;
		r->held = group->bytes;
		r->held_var = group->bytes_var;
		r->objects = group->objects;
		r->young = young_bytes(group, young_s);
		index[(size_t)group->pool * keys + group->key] =
			(uint32_t)(b->p->sections[PROFILE_GROWTH].nr - 1);
		bytes += group->traced_bytes;
		var += group->traced_var;
	}
	b->p->weight = bytes > 0 ? var / bytes : 0;
	return 0;
}

/* The variance of a sampled sum of allocations: each sample stands for `weight` bytes. */
static double churn_variance(const struct profile *p, double allocs, double bytes)
{
	double size = allocs > 0 ? bytes / allocs : 0, share, weight;

	if (!(p->sample_bytes > 0) || !(size > 0))
		return 0;
	share = -expm1(-size / p->sample_bytes);
	weight = fmax(size / share * (1 - share), p->weight);
	return bytes * weight;
}

static int add_churn(struct build *b, const struct growth *g, uint32_t *index, size_t keys)
{
	const struct cap_interval *at = b->v->at;

	for (size_t i = 0; at && i < at->churn.nr; i++) {
		const struct cap_churn *churn = &at->churn.items[i];
		uint32_t key = growth_traffic_key(g, b->v->c, churn->stack), *where;
		struct profile_row *r;

		if (key == UINT32_MAX)
			return 0; /* traffic is not kept by that */
		where = &index[(size_t)churn->pool * keys + key];
		if (*where == UINT32_MAX) {
			if (!growth_row(b, g, churn->pool, "", key, churn->stack))
				return -ENOMEM;
			*where = (uint32_t)(b->p->sections[PROFILE_GROWTH].nr - 1);
		}
		r = &b->p->sections[PROFILE_GROWTH].items[*where];
		r->churn = sum_known(r->churn, churn->alloc_bytes);
		r->churn_var = sum_known(r->churn_var,
					 churn_variance(b->p, churn->allocs, churn->alloc_bytes));
	}
	return 0;
}

static int build_growth(struct build *b)
{
	_cleanup_(held_free) struct held held = {0};
	_cleanup_(growth_free) struct growth g = {0};
	_cleanup_free_ uint32_t *index = NULL;
	size_t keys;

	if (!b->v->at)
		return 0;
	b->p->sections[PROFILE_GROWTH].measured = true;
	if (held_correct(b->v->at, &held) || growth_build(b->v, &held, b->p->by, &g))
		return -ENOMEM;
	keys = growth_keys(&g, b->v->c);
	index = malloc(POOLS * (keys + 1) * sizeof(*index));
	if (!index)
		return -ENOMEM;
	memset(index, 0xff, POOLS * (keys + 1) * sizeof(*index));
	if (add_groups(b, &g, index, keys) || add_churn(b, &g, index, keys))
		return -ENOMEM;
	rows_finish(&b->p->sections[PROFILE_GROWTH]);
	return 0;
}

static int build_all(struct build *b)
{
	return build_pools(b) || build_caches(b) || build_vmallocs(b) || build_tasks(b) || build_growth(b)
		       ? -ENOMEM
		       : 0;
}

int profile_build(const struct view *v, const struct match *m, enum growth_by by, bool brief,
		  struct profile *out)
{
	struct profile p = {
		.by = by,
		.duration_s = v->duration_s,
		.cpus = v->cpus,
		.mem_total_kb = snapshot_meminfo(v->end, "MemTotal"),
		.sample_bytes = v->exact ? 0 : capture_meta_number(v->c, META_PERIOD, 0),
		.own_bytes = own_bytes(v),
		.focused = v->focused,
		.complete = v->complete,
	};
	struct build b = {.v = v, .m = m, .brief = brief, .p = &p};

	for (int pool = 0; pool < POOLS; pool++)
		p.traces[pool] = view_traces(v, pool);
	if (build_all(&b)) {
		profile_free(&p);
		return -ENOMEM;
	}
	rows_finish(&p.sections[PROFILE_POOLS]);
	*out = p;
	return 0;
}

void profile_free(struct profile *p)
{
	for (int s = 0; s < PROFILE_SECTIONS; s++) {
		for (size_t i = 0; i < p->sections[s].nr; i++)
			row_clear(&p->sections[s].items[i]);
		ARRAY_FREE(&p->sections[s]);
	}
}
