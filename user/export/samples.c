// SPDX-License-Identifier: GPL-2.0-only
/* Makes the rows that profilers read from a report: see samples.h. */
#include "export/samples.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/hash.h"
#include "base/normalise.h"
#include "data/class.h"
#include "model/container.h"

/* ---- names ---- */

static const char *const label_names[SAMPLE_LABELS] = {
	[LABEL_POOL] = "pool",   [LABEL_CLASS] = "class",
	[LABEL_CACHE] = "cache", [LABEL_PROCESS] = "process",
	[LABEL_PID] = "pid",     [LABEL_CGROUP] = "cgroup",
	[LABEL_POD] = "pod",     [LABEL_CONTAINER] = "container",
};

static const char *const value_names[SAMPLE_VALUES] = {
	[VALUE_ALLOC_OBJECTS] = "alloc_objects",
	[VALUE_ALLOC_SPACE] = "alloc_space",
	[VALUE_INUSE_OBJECTS] = "inuse_objects",
	[VALUE_INUSE_SPACE] = "inuse_space",
};

const char *sample_label_name(enum sample_label label)
{
	return label_names[label];
}

unsigned int sample_label_parse(const char *name, size_t len)
{
	for (unsigned int i = 0; i < SAMPLE_LABELS; i++)
		if (strlen(label_names[i]) == len && !strncmp(label_names[i], name, len))
			return 1u << i;
	return 0;
}

const char *sample_value_name(enum sample_value value)
{
	return value_names[value];
}

const char *sample_value_unit(enum sample_value value)
{
	return value == VALUE_ALLOC_SPACE || value == VALUE_INUSE_SPACE ? "bytes" : "count";
}

int sample_value_parse(const char *name, enum sample_value *out)
{
	for (unsigned int i = 0; i < SAMPLE_VALUES; i++)
		if (!strcmp(value_names[i], name)) {
			*out = (enum sample_value)i;
			return 0;
		}
	return -EINVAL;
}

/* ---- rounding ---- */

/* A whole number; hostile captures have figures that fit in no int64_t. The difference of two fits.
 */
static int64_t whole_number(double value)
{
	return isnan(value) ? 0 : (int64_t)fmax(-4e18, fmin(4e18, rint(value)));
}

int64_t sample_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum) || sum == INT64_MIN)
		return a < 0 ? -INT64_MAX : INT64_MAX;
	return sum;
}

/*
 * The rows of one group of growth, added up in the order in which growth_build() adds them. Each
 * row gets the difference between two rounded sums, so that all rows add up to the rounded figure.
 */
struct group_sum {
	double bytes, objects;
};

static int64_t rounded_share(double *sum, double add)
{
	int64_t before = whole_number(*sum);

	*sum += add;
	return whole_number(*sum) - before;
}

/* ---- held ---- */

static uint32_t sample_place(const struct growth *g, enum pool pool, uint32_t key)
{
	return g->by == GROWTH_BY_POOL ? (uint32_t)pool : key;
}

/* The index of the group of each (pool, key). malloc'ed; NULL without memory. */
static uint32_t *group_index(const struct growth *g, size_t keys)
{
	uint32_t *index = calloc(POOLS * (keys + 1), sizeof(*index));

	for (size_t i = 0; index && i < g->nr; i++)
		index[g->groups[i].pool * keys + g->groups[i].key] = (uint32_t)i;
	return index;
}

static int samples_held(struct samples *s)
{
	const struct report *r = s->r;
	size_t keys = growth_keys(&r->growth, r->c);
	_cleanup_free_ uint32_t *index = group_index(&r->growth, keys);
	_cleanup_free_ struct group_sum *sums = calloc(r->growth.nr + 1, sizeof(*sums));

	if (!index || !sums)
		return -ENOMEM;
	for (size_t i = 0; i < r->outstanding.nr; i++) {
		const struct outstanding_row *row = &r->outstanding.items[i];
		uint32_t key = growth_key(&r->growth, r->c, row->h);
		struct group_sum *sum = &sums[index[row->h->pool * keys + key]];
		struct sample *x;

		if (class_place(row->h->pool, row->h->class_) == CLASS_SHARED)
			continue;
		x = ARRAY_PUSH(s);
		if (!x)
			return -ENOMEM;
		x->pool = row->h->pool;
		x->class_ = row->h->class_;
		x->cache = row->h->cache;
		x->process = row->h->process;
		x->place = sample_place(&r->growth, row->h->pool, key);
		x->values[VALUE_INUSE_SPACE] = rounded_share(&sum->bytes, row->bytes);
		x->values[VALUE_INUSE_OBJECTS] = rounded_share(&sum->objects, row->objects);
	}
	return 0;
}

/* ---- traffic ---- */

/* Functions that ask vmalloc for thread stacks (record/classify.c, thread_rules). The pool kstack
 * counts these allocations. */
static bool path_makes_threads(const struct capture *c, uint32_t stack)
{
	static const char *const names[] = {"alloc_thread_stack_node", "dup_task_struct",
					    "copy_process"};
	const struct cap_stack *s = &c->stacks[stack];
	char symbol[64];

	for (uint32_t i = 0; i < s->nr_frames; i++) {
		sym_normalise(c->frames[s->frames[i]].symbol, symbol, sizeof(symbol));
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (!strcmp(symbol, names[k]))
				return true;
	}
	return false;
}

/*
 * Mark the paths of vmalloc that allocate thread stacks or address space only. All rows of a path
 * have one class, so one row in any checkpoint tells.
 */
static void uncounted_mark(const struct report *r, bool *uncounted)
{
	const struct capture *c = r->c;

	for (size_t k = 0; k < c->nr_checkpoints; k++)
		for (size_t i = 0; i < checkpoint_briefs(&c->checkpoints[k]); i++) {
			struct cap_brief h = checkpoint_brief(&c->checkpoints[k], i);

			if (h.pool == POOL_VMALLOC &&
			    (h.place == CLASS_SHARED || h.place == CLASS_OUTSIDE))
				uncounted[h.stack] = true;
		}
}

struct traffic_sum {
	enum pool pool;
	uint32_t place;
	double allocs, bytes;
};

static int compare_traffic(const void *a, const void *b)
{
	const struct traffic_sum *x = a, *y = b;

	if (x->pool != y->pool)
		return x->pool < y->pool ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

static int samples_traffic(struct samples *s)
{
	const struct report *r = s->r;
	size_t all = r->view.at ? r->view.at->churn.nr : 0, nr = 0;
	_cleanup_free_ bool *uncounted = calloc(r->c->nr_stacks + 1, sizeof(*uncounted));
	_cleanup_free_ struct traffic_sum *sums = calloc(all + 1, sizeof(*sums));

	if (!uncounted || !sums)
		return -ENOMEM;
	uncounted_mark(r, uncounted);
	for (size_t i = 0; i < all; i++) {
		const struct cap_churn *t = &r->view.at->churn.items[i];

		if (t->pool == POOL_VMALLOC &&
		    (uncounted[t->stack] || path_makes_threads(r->c, t->stack)))
			continue;
		sums[nr++] = (struct traffic_sum){
			.pool = t->pool,
			.place = sample_place(&r->growth, t->pool,
					      growth_traffic_key(&r->growth, r->c, t->stack)),
			.allocs = t->allocs,
			.bytes = t->alloc_bytes};
	}
	if (nr)
		qsort(sums, nr, sizeof(*sums), compare_traffic);
	for (size_t i = 0; i < nr;) {
		struct traffic_sum sum = sums[i];
		struct sample *x = ARRAY_PUSH(s);

		if (!x)
			return -ENOMEM;
		while (++i < nr && !compare_traffic(&sums[i], &sum)) {
			sum.allocs += sums[i].allocs;
			sum.bytes += sums[i].bytes;
		}
		x->pool = sum.pool;
		x->class_ = "";
		x->place = sum.place;
		x->values[VALUE_ALLOC_OBJECTS] = whole_number(sum.allocs);
		x->values[VALUE_ALLOC_SPACE] = whole_number(sum.bytes);
	}
	return 0;
}

/* ---- labels that are not wanted ---- */

/* What distinguishes processes, without their names: a key is followed by the name. */
struct process_key {
	uint32_t cgroup;
	int32_t tgid;
};

struct same_process {
	uint32_t id; /* the first process with this key */
	UT_hash_handle hh;
	char key[];
};

static bool label_wanted(const struct samples *s, enum sample_label label)
{
	return s->labels & 1u << label;
}

/* The process that stands for all with the same wanted labels; 0 and *failed without memory. */
static uint32_t process_stands_for(const struct samples *s, uint32_t id,
				   struct same_process **known, bool *failed)
{
	const struct cap_process *p = &s->r->c->processes[id];
	bool by_cgroup = label_wanted(s, LABEL_CGROUP) || label_wanted(s, LABEL_CONTAINER) ||
			 label_wanted(s, LABEL_POD);
	struct process_key key = {.cgroup = by_cgroup ? p->cgroup : 0,
				  .tgid = label_wanted(s, LABEL_PID) ? p->tgid : 0};
	const char *name = label_wanted(s, LABEL_PROCESS) ? p->comm : "";
	size_t len = sizeof(key) + strlen(name);
	struct same_process *new_ = calloc(1, sizeof(*new_) + len + 1), *found;

	if (!new_) {
		*failed = true;
		return 0;
	}
	new_->id = id;
	memcpy(new_->key, &key, sizeof(key));
	memcpy(new_->key + sizeof(key), name, strlen(name) + 1);
	HASH_FIND(hh, *known, new_->key, len, found);
	if (found) {
		free(new_);
		return found->id;
	}
	HASH_ADD_KEYPTR(hh, *known, new_->key, len, new_);
	return id;
}

/* For each process of the capture the one that stands for it. malloc'ed; NULL without memory. */
static uint32_t *samples_merge_processes(const struct samples *s)
{
	const unsigned int who = 1u << LABEL_PROCESS | 1u << LABEL_PID | 1u << LABEL_CGROUP |
				 1u << LABEL_CONTAINER | 1u << LABEL_POD;
	uint32_t *as = calloc(s->r->c->nr_processes + 1, sizeof(*as));
	struct same_process *known = NULL;
	bool failed = !as;

	for (uint32_t i = 1; !failed && s->labels & who && i < s->r->c->nr_processes; i++)
		as[i] = process_stands_for(s, i, &known, &failed);
	HASH_FREE(known);
	if (failed) {
		free(as);
		return NULL;
	}
	return as;
}

static int compare_sample(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	if (x->pool != y->pool)
		return x->pool < y->pool ? -1 : 1;
	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	return strcmp(x->class_, y->class_);
}

/* Forget what is not wanted, and make one sample of those that no longer differ. */
static int samples_merge(struct samples *s)
{
	_cleanup_free_ uint32_t *as = samples_merge_processes(s);
	size_t nr = 0;

	if (!as)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr; i++) {
		struct sample *x = &s->items[i];

		x->process = as[x->process];
		if (!label_wanted(s, LABEL_POOL))
			x->pool = POOLS;
		if (!label_wanted(s, LABEL_CLASS))
			x->class_ = "";
		if (!label_wanted(s, LABEL_CACHE))
			x->cache = 0;
	}
	if (s->nr)
		qsort(s->items, s->nr, sizeof(*s->items), compare_sample);
	for (size_t i = 0; i < s->nr; i++) {
		if (nr && !compare_sample(&s->items[nr - 1], &s->items[i])) {
			for (int k = 0; k < SAMPLE_VALUES; k++)
				s->items[nr - 1].values[k] = sample_add(s->items[nr - 1].values[k],
									s->items[i].values[k]);
			continue;
		}
		s->items[nr++] = s->items[i];
	}
	s->nr = nr;
	return 0;
}

/* Read the container and the pod of each cgroup from its path, if they are wanted. */
static int samples_containers(struct samples *s)
{
	const struct capture *c = s->r->c;

	if (!label_wanted(s, LABEL_CONTAINER) && !label_wanted(s, LABEL_POD))
		return 0;
	s->containers = calloc(c->nr_cgroups + 1, sizeof(*s->containers));
	for (size_t i = 1; s->containers && i < c->nr_cgroups; i++)
		container_of_cgroup(c->cgroups[i], &s->containers[i]);
	return s->containers ? 0 : -ENOMEM;
}

int samples_build(const struct report *r, unsigned int labels, struct samples *out)
{
	struct samples s = {.r = r,
			    .labels = labels,
			    .traffic = growth_traffic_key(&r->growth, r->c, 0) != UINT32_MAX};
	int err = samples_held(&s);

	if (!err && s.traffic)
		err = samples_traffic(&s);
	err = err ?: samples_merge(&s);
	err = err ?: samples_containers(&s);
	if (err)
		samples_free(&s);
	else
		*out = s;
	return err;
}

void samples_free(struct samples *s)
{
	ARRAY_FREE(s);
	free(s->containers);
	s->containers = NULL;
}

/* ---- what a sample says ---- */

const char *sample_label_raw(const struct samples *s, const struct sample *x,
			     enum sample_label label, char buf[16])
{
	const struct capture *c = s->r->c;
	const struct cap_process *p = &c->processes[x->process];

	if (!label_wanted(s, label))
		return "";
	switch (label) {
	case LABEL_POOL:
		return x->pool < POOLS ? pool_name(x->pool) : "";
	case LABEL_CLASS:
		return x->class_;
	case LABEL_CACHE:
		return x->cache ? c->caches[x->cache].name : "";
	default:
		break;
	}
	if (!x->process)
		return "";
	if (label == LABEL_PROCESS)
		return p->comm;
	if (label == LABEL_PID) {
		snprintf(buf, 16, "%d", p->tgid);
		return buf;
	}
	if (!p->cgroup)
		return "";
	if (label == LABEL_CGROUP)
		return c->cgroups[p->cgroup];
	return label == LABEL_POD ? s->containers[p->cgroup].pod : s->containers[p->cgroup].id;
}

char *sample_label_text(const struct samples *s, const struct sample *x, enum sample_label label,
			bool *failed)
{
	char buf[16], *escaped;
	const char *raw = sample_label_raw(s, x, label, buf);

	if (!raw[0])
		return NULL;
	escaped = escape_terminal(raw, true);
	*failed |= !escaped;
	return escaped;
}

uint32_t sample_depth(const struct samples *s, const struct sample *x)
{
	const struct cap_stack *stack;

	if (s->r->growth.by != GROWTH_BY_STACK)
		return 1;
	stack = &s->r->c->stacks[x->place];
	return stack->nr_frames + (stack->truncated || !stack->nr_frames);
}

/* The name of what the report is grouped by, if it is not a call path or a call site. */
static void group_name(const struct samples *s, const struct sample *x, char *buf, size_t size)
{
	const struct growth *g = &s->r->growth;
	const struct capture *c = s->r->c;
	const struct cap_process *p;

	switch (g->by) {
	case GROWTH_BY_CACHE:
		snprintf(buf, size, "%s", x->place ? c->caches[x->place].name : "[no cache]");
		break;
	case GROWTH_BY_PROCESS:
		p = &c->processes[x->place];
		if (!x->place)
			snprintf(buf, size, "[unknown process]");
		else if (p->tgid)
			snprintf(buf, size, "%.160s[%d]", p->comm, p->tgid);
		else
			snprintf(buf, size, "%s", p->comm);
		break;
	case GROWTH_BY_CGROUP:
		snprintf(buf, size, "%s", x->place ? c->cgroups[x->place] : "[unknown cgroup]");
		break;
	case GROWTH_BY_POOL:
		snprintf(buf, size, "%s", pool_name((enum pool)x->place));
		break;
	default:
		snprintf(buf, size, "%s", g->names.items[x->place]);
	}
}

static void frame_of_id(const struct samples *s, uint32_t id, struct sample_frame *out)
{
	out->id = id;
	out->frame = id ? &s->r->c->frames[id] : NULL;
	if (!id)
		snprintf(out->name, sizeof(out->name), "[no call path recorded]");
}

void sample_frame_get(const struct samples *s, const struct sample *x, uint32_t i,
		      struct sample_frame *out)
{
	const struct cap_stack *stack;

	out->frame = NULL;
	out->id = 0;
	out->name[0] = '\0';
	if (s->r->growth.by == GROWTH_BY_SITE) {
		frame_of_id(s, x->place, out);
		return;
	}
	if (s->r->growth.by != GROWTH_BY_STACK) {
		group_name(s, x, out->name, sizeof(out->name));
		return;
	}
	stack = &s->r->c->stacks[x->place];
	if (i < stack->nr_frames)
		frame_of_id(s, stack->frames[i], out);
	else if (!stack->nr_frames)
		frame_of_id(s, 0, out);
	else
		snprintf(out->name, sizeof(out->name), "[deeper than recorded]");
}
