// SPDX-License-Identifier: GPL-2.0-only
/* Joins the start and end levels of processes, cgroups and vmalloc callers: see holders.h. */
#include "model/holders.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/normalise.h"
#include "model/balance.h"
#include "model/cgroup_of.h"
#include "model/confidence.h"

/* ---- processes ---- */

static int compare_task(const void *a, const void *b)
{
	const struct task_level *x = *(struct task_level *const *)a,
				*y = *(struct task_level *const *)b;

	return (x->tgid > y->tgid) - (x->tgid < y->tgid);
}

/* Pointers to the snapshot's tasks by tgid; NULL without memory. */
static const struct task_level **tasks_sorted(const struct snapshot *s)
{
	const struct task_level **sorted = calloc(s->tasks.nr + 1, sizeof(*sorted));

	for (size_t i = 0; sorted && i < s->tasks.nr; i++)
		sorted[i] = &s->tasks.items[i];
	if (sorted)
		qsort(sorted, s->tasks.nr, sizeof(*sorted), compare_task);
	return sorted;
}

static void process_start(struct process_level *p, const struct task_level *t)
{
	p->threads.start += (double)t->threads;
	p->stack_kb.start += (double)t->stack_bytes / 1024;
	p->pgtables_kb.start += (double)t->pgtables_bytes / 1024;
}

static void process_end(struct process_level *p, const struct task_level *t)
{
	p->replaced = p->comm && strncmp(p->comm, t->comm, sizeof(t->comm)) != 0;
	p->comm = t->comm;
	p->cgroup_id = t->cgroup_id;
	p->threads.end += (double)t->threads;
	p->stack_kb.end += (double)t->stack_bytes / 1024;
	p->pgtables_kb.end += (double)t->pgtables_bytes / 1024;
}

static int processes_merge(const struct snapshot *start, const struct snapshot *end,
			   struct holders *l)
{
	_cleanup_free_ const struct task_level **a = tasks_sorted(start), **b = tasks_sorted(end);
	size_t i = 0, k = 0;

	if (!a || !b)
		return -ENOMEM;
	while (i < start->tasks.nr || k < end->tasks.nr) {
		struct process_level *p = ARRAY_PUSH(&l->processes);

		if (!p)
			return -ENOMEM;
		if (k >= end->tasks.nr || (i < start->tasks.nr && a[i]->tgid <= b[k]->tgid))
			p->tgid = a[i]->tgid;
		else
			p->tgid = b[k]->tgid;
		p->cgroup = "";
		for (; i < start->tasks.nr && a[i]->tgid == p->tgid; i++) {
			p->comm = a[i]->comm;
			p->cgroup_id = a[i]->cgroup_id;
			process_start(p, a[i]);
		}
		for (; k < end->tasks.nr && b[k]->tgid == p->tgid; k++)
			process_end(p, b[k]);
	}
	return 0;
}

/*
 * Add up what each process lost since the start: older stacks and page tables that were certainly
 * freed. A process that was replaced (exec) keeps its stack and loses all its page tables.
 */
static void processes_lost(struct holders *l)
{
	for (size_t i = 0; i < l->processes.nr; i++) {
		const struct process_level *p = &l->processes.items[i];

		l->stacks_lost_kb += fmax(p->stack_kb.start - p->stack_kb.end, 0);
		l->pgtables_lost_kb += p->replaced
					       ? p->pgtables_kb.start
					       : fmax(p->pgtables_kb.start - p->pgtables_kb.end, 0);
	}
}

static int compare_cgroup(const void *a, const void *b)
{
	const struct process_level *x = a, *y = b;

	return (x->cgroup_id > y->cgroup_id) - (x->cgroup_id < y->cgroup_id);
}

static int compare_process_size(const void *a, const void *b)
{
	const struct process_level *x = a, *y = b;
	double kx = fmax(x->stack_kb.end + x->pgtables_kb.end,
			 x->stack_kb.start + x->pgtables_kb.start);
	double ky = fmax(y->stack_kb.end + y->pgtables_kb.end,
			 y->stack_kb.start + y->pgtables_kb.start);

	if (kx != ky)
		return kx < ky ? 1 : -1;
	return x->tgid != y->tgid ? (x->tgid > y->tgid) - (x->tgid < y->tgid)
				  : compare_cgroup(a, b);
}

static void change_add(struct level_change *to, const struct level_change *from)
{
	to->start += from->start;
	to->end += from->end;
}

/* Levels have the kernel's cgroup id; only processes that allocated have the cgroup's path. */
static int cgroups_name(const struct view *v, struct holders *l)
{
	_cleanup_(cgroup_of_free) struct cgroup_of of = {0};
	int err = cgroup_of_build(v->c, &of);

	for (size_t i = 0; i < l->processes.nr && !err; i++) {
		const char *path = cgroup_of(v->c, &of, l->processes.items[i].tgid);

		if (path)
			l->processes.items[i].cgroup = path;
	}
	return err;
}

static int cgroups_add_up(struct holders *l)
{
	l->cgroups = calloc(l->processes.nr + 1, sizeof(*l->cgroups));
	if (!l->cgroups)
		return -ENOMEM;
	if (l->processes.nr)
		qsort(l->processes.items, l->processes.nr, sizeof(*l->processes.items),
		      compare_cgroup);
	for (size_t i = 0; i < l->processes.nr; i++) {
		const struct process_level *p = &l->processes.items[i];
		struct process_level *g = &l->cgroups[l->nr_cgroups];

		if (l->nr_cgroups && g[-1].cgroup_id == p->cgroup_id) {
			g--;
		} else {
			l->nr_cgroups++;
			*g = (struct process_level){
				.comm = "", .cgroup_id = p->cgroup_id, .cgroup = ""};
		}
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a path not known is "" */
		if (!g->cgroup[0])
			g->cgroup = p->cgroup;
		change_add(&g->threads, &p->threads);
		change_add(&g->stack_kb, &p->stack_kb);
		change_add(&g->pgtables_kb, &p->pgtables_kb);
	}
	/* A process without a path gets the path of the other processes with its cgroup id. */
	for (size_t i = 0, g = 0; i < l->processes.nr; i++) {
		while (l->cgroups[g].cgroup_id != l->processes.items[i].cgroup_id)
			g++;
		l->processes.items[i].cgroup = l->cgroups[g].cgroup;
	}
	return 0;
}

static void stacks_unlisted(const struct view *v, struct holders *l)
{
	double listed = 0;

	for (size_t i = 0; i < l->processes.nr; i++)
		listed += l->processes.items[i].stack_kb.end;
	l->unlisted_stacks_kb = fmax(view_level_kb(v, v->end, "KernelStack") - listed, 0);
}

static int processes_build(const struct view *v, struct holders *l)
{
	l->stacks_lost_kb = l->pgtables_lost_kb = l->unlisted_stacks_kb = NAN;
	l->tasks_known = v->first != v->last && v->start->tasks.nr && v->end->tasks.nr;
	if (!l->tasks_known)
		return 0;
	l->stacks_lost_kb = l->pgtables_lost_kb = 0;
	if (processes_merge(v->start, v->end, l) || cgroups_name(v, l) || cgroups_add_up(l))
		return -ENOMEM;
	processes_lost(l);
	stacks_unlisted(v, l);
	qsort(l->processes.items, l->processes.nr, sizeof(*l->processes.items),
	      compare_process_size);
	qsort(l->cgroups, l->nr_cgroups, sizeof(*l->cgroups), compare_process_size);
	return 0;
}

/* ---- vmalloc ---- */

/* A caller's name as frames of stacks are written: "symbol+0xoff [module]". */
struct caller_key {
	char name[192];
	size_t index; /* into holders.callers */
};

static void caller_key(const char *caller, char key[192])
{
	size_t n = strcspn(caller, "+");
	char symbol[128], plain[128];

	snprintf(symbol, sizeof(symbol), "%.*s", (int)n, caller);
	sym_normalise(symbol, plain, sizeof(plain));
	snprintf(key, 192, "%s%.60s", plain, caller + n);
}

static int compare_caller_key(const void *a, const void *b)
{
	return strcmp(((const struct caller_key *)a)->name, ((const struct caller_key *)b)->name);
}

static int compare_level_caller(const void *a, const void *b)
{
	return strcmp((*(struct vmalloc_level *const *)a)->caller,
		      (*(struct vmalloc_level *const *)b)->caller);
}

/* The snapshot's areas that have pages, sorted by caller; NULL without memory. */
static const struct vmalloc_level **areas_sorted(const struct snapshot *s, size_t *nr)
{
	const struct vmalloc_level **sorted = calloc(s->vmallocs.nr + 1, sizeof(*sorted));

	*nr = 0;
	for (size_t i = 0; sorted && i < s->vmallocs.nr; i++)
		if (s->vmallocs.items[i].pages)
			sorted[(*nr)++] = &s->vmallocs.items[i];
	if (sorted)
		qsort(sorted, *nr, sizeof(*sorted), compare_level_caller);
	return sorted;
}

static int callers_merge(const struct view *v, struct holders *l)
{
	size_t nr_a, nr_b, i = 0, k = 0;
	_cleanup_free_ const struct vmalloc_level **a = areas_sorted(v->start, &nr_a),
						  **b = areas_sorted(v->end, &nr_b);
	double page_kb = v->page_bytes / 1024;

	if (!a || !b)
		return -ENOMEM;
	while (i < nr_a || k < nr_b) {
		struct caller_level *c = ARRAY_PUSH(&l->callers);

		if (!c)
			return -ENOMEM;
		if (k >= nr_b || (i < nr_a && strcmp(a[i]->caller, b[k]->caller) <= 0))
			c->caller = a[i]->caller;
		else
			c->caller = b[k]->caller;
		c->stacks = balance_is_stack_caller(c->caller);
		for (; i < nr_a && !strcmp(a[i]->caller, c->caller); i++) {
			c->areas.start += (double)a[i]->areas;
			c->kb.start += (double)a[i]->pages * page_kb;
		}
		for (; k < nr_b && !strcmp(b[k]->caller, c->caller); k++) {
			c->areas.end += (double)b[k]->areas;
			c->kb.end += (double)b[k]->pages * page_kb;
		}
	}
	return 0;
}

static const struct caller_key *key_find(const struct caller_key *keys, size_t nr,
					 const struct cap_frame *f)
{
	bool module = f->module[0] && strcmp(f->module, "vmlinux") != 0;
	struct caller_key key = {0};
	char symbol[128];

	sym_normalise(f->symbol, symbol, sizeof(symbol));
	snprintf(key.name, sizeof(key.name), "%s+0x%llx%s%.40s%s", symbol,
		 (unsigned long long)f->offset, module ? " [" : "", module ? f->module : "",
		 module ? "]" : "");
	return bsearch(&key, keys, nr, sizeof(*keys), compare_caller_key);
}

/* Caches the key of each frame: its index plus 1, 0 for no key, or FRAME_NOT_LOOKED_UP. */
#define FRAME_NOT_LOOKED_UP UINT32_MAX

struct frame_keys {
	const struct caller_key *keys;
	size_t nr;
	uint32_t *of_frame; /* c->nr_frames */
};

static const struct caller_key *frame_key(const struct frame_keys *f, const struct capture *c,
					  uint32_t frame)
{
	uint32_t *known = &f->of_frame[frame];

	if (*known == FRAME_NOT_LOOKED_UP) {
		const struct caller_key *key = key_find(f->keys, f->nr, &c->frames[frame]);

		*known = key ? (uint32_t)(key - f->keys) + 1 : 0;
	}
	return *known ? &f->keys[*known - 1] : NULL;
}

/* Add each traced area to the caller that vmallocinfo shows for it: a frame of its call path. */
static int callers_attribute(const struct view *v, const struct outstanding *outstanding,
			     const struct caller_key *keys, size_t nr, struct holders *l)
{
	_cleanup_free_ uint32_t *of_frame = malloc(v->c->nr_frames * sizeof(*of_frame));
	const struct frame_keys frames = {.keys = keys, .nr = nr, .of_frame = of_frame};

	if (!of_frame)
		return -ENOMEM;
	memset(of_frame, 0xff, v->c->nr_frames * sizeof(*of_frame));
	for (size_t i = 0; i < outstanding->nr; i++) {
		const struct outstanding_row *row = &outstanding->items[i];
		const struct cap_stack *s = &v->c->stacks[row->h->stack];
		const struct caller_key *key = NULL;

		if (row->h->pool != POOL_VMALLOC)
			continue;
		for (uint32_t k = 0; k < s->nr_frames && !key; k++)
			key = frame_key(&frames, v->c, s->frames[k]);
		if (!key)
			continue;
		l->callers.items[key->index].attributed_kb += row->bytes / 1024;
		l->callers.items[key->index].attributed_var += row->bytes_var / (1024 * 1024);
	}
	return 0;
}

/*
 * As for slab caches: if more is outstanding than the level grew by, older areas were freed. The
 * result is at most what the caller had at the start, and 0 if the difference is within the
 * sampling error.
 */
static void callers_preexisting(bool traced, struct holders *l)
{
	for (size_t i = 0; i < l->callers.nr; i++) {
		struct caller_level *c = &l->callers.items[i];
		double freed = c->attributed_kb - (c->kb.end - c->kb.start);

		if (!traced)
			c->attributed_kb = c->preexisting_freed_kb = NAN;
		else
			c->preexisting_freed_kb = freed > NOISE_SD * sqrt(c->attributed_var)
							  ? fmin(freed, c->kb.start)
							  : 0;
	}
}

static int compare_caller_size(const void *a, const void *b)
{
	const struct caller_level *x = a, *y = b;

	if (x->kb.end != y->kb.end)
		return x->kb.end < y->kb.end ? 1 : -1;
	return strcmp(x->caller, y->caller);
}

static int callers_build(const struct view *v, const struct outstanding *outstanding,
			 struct holders *l)
{
	_cleanup_free_ struct caller_key *keys = NULL;

	l->callers_known = v->first != v->last && v->start->vmallocs.nr && v->end->vmallocs.nr;
	if (!l->callers_known)
		return 0;
	if (callers_merge(v, l))
		return -ENOMEM;
	keys = calloc(l->callers.nr + 1, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < l->callers.nr; i++) {
		caller_key(l->callers.items[i].caller, keys[i].name);
		keys[i].index = i;
	}
	qsort(keys, l->callers.nr, sizeof(*keys), compare_caller_key);
	if (callers_attribute(v, outstanding, keys, l->callers.nr, l))
		return -ENOMEM;
	callers_preexisting(view_traces(v, POOL_VMALLOC), l);
	if (l->callers.nr)
		qsort(l->callers.items, l->callers.nr, sizeof(*l->callers.items),
		      compare_caller_size);
	return 0;
}

static void vmalloc_sum(const struct view *v, const struct snapshot *s, struct vmalloc_sum *out)
{
	double page_kb = v->page_bytes / 1024, pages = 0, inside = 0;
	struct balance b;

	balance_build(s, &v->hint, NULL, &b);
	*out = (struct vmalloc_sum){.used_kb = view_level_kb(v, s, "VmallocUsed"),
				    .info_kb = b.vmallocinfo_kb,
				    .stacks_kb = balance_vmalloc_stacks_kb(s, v->page_bytes),
				    .cached_stacks_kb = b.cached_stacks_kb,
				    .rounding_kb = NAN};
	out->without_stacks_kb = out->used_kb - out->stacks_kb;
	out->comparable = !isnan(out->info_kb - out->used_kb);
	out->agrees = out->info_kb == out->used_kb;
	for (size_t i = 0; i < s->vmallocs.nr; i++) {
		const struct vmalloc_level *a = &s->vmallocs.items[i];

		if (a->kind != VMALLOC_VMALLOC)
			continue;
		pages += (double)a->pages * page_kb;
		inside += (double)a->bytes / 1024 - (double)a->areas * page_kb;
	}
	if (s->vmallocs.nr)
		out->rounding_kb = pages - inside;
}

int holders_build(const struct view *v, const struct outstanding *outstanding, struct holders *out)
{
	struct holders l = {0};

	vmalloc_sum(v, v->start, &l.vmalloc_start);
	vmalloc_sum(v, v->end, &l.vmalloc_end);
	if (processes_build(v, &l) || callers_build(v, outstanding, &l)) {
		holders_free(&l);
		return -ENOMEM;
	}
	*out = l;
	return 0;
}

void holders_free(struct holders *l)
{
	ARRAY_FREE(&l->processes);
	ARRAY_FREE(&l->callers);
	free(l->cgroups);
	memset(l, 0, sizeof(*l));
}
