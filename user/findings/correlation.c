// SPDX-License-Identifier: GPL-2.0-only
/* Growth beside holders, step by step: see follow.h. */
#include "findings/correlation.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "data/class.h"

/* The pools of the ledger whose holders are traced, and how. */
static const struct {
	enum ledger_pool row;
	enum pool pool;
} followed[] = {
	{LEDGER_SLAB, POOL_SLAB},           {LEDGER_VMALLOC, POOL_VMALLOC},
	{LEDGER_KERNEL_STACK, POOL_KSTACK}, {LEDGER_PAGE_TABLES, POOL_PAGETABLE},
	{LEDGER_PERCPU, POOL_PERCPU},       {LEDGER_UNACCOUNTED, POOL_PAGE},
};

struct correlation_builder {
	const struct view *v;
	const struct cap_checkpoint **at; /* checkpoints in the view */
	size_t nr;
	double *level; /* of the pool at each, in bytes */
	double *held;  /* by id, then checkpoint */
	size_t nr_ids;
};

double correlation_r(const double *x, const double *y, size_t n)
{
	double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;

	for (size_t i = 0; i < n; i++) {
		mx += x[i] / (double)n;
		my += y[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		xx += (x[i] - mx) * (x[i] - mx);
		yy += (y[i] - my) * (y[i] - my);
		xy += (x[i] - mx) * (y[i] - my);
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

/* The ledger's level of the pool nearest in time to t_s: its series has the view's snapshots,
 * thinned. */
static double level_near(const struct view *v, const struct ledger_row *row, double t_s)
{
	size_t span = v->last - v->first, best = 0;
	double distance = INFINITY;

	for (size_t i = 0; i < row->nr_series; i++) {
		size_t at = v->first + (row->nr_series > 1 ? i * span / (row->nr_series - 1) : 0);
		double d = fabs(v->c->snapshots[at].t_s - t_s);

		if (d < distance && !isnan(row->series[i])) {
			distance = d;
			best = i;
		}
	}
	return isfinite(distance) ? row->series[best] * 1024 : NAN;
}

static void held_sum(struct correlation_builder *b, enum pool pool, bool cgroup)
{
	const struct capture *c = b->v->c;

	memset(b->held, 0, b->nr_ids * b->nr * sizeof(*b->held));
	for (size_t k = 0; k < b->nr; k++)
		for (size_t i = 0; i < b->at[k]->held.nr; i++) {
			const struct cap_held *h = &b->at[k]->held.items[i];
			uint32_t id = cgroup ? c->processes[h->process].cgroup : h->process;

			if (h->pool == pool && id && class_place(pool, h->class_) == CLASS_IN_POOL)
				b->held[id * b->nr + k] += h->bytes;
		}
}

static int compare_row(const void *a, const void *b)
{
	const struct correlation_row *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Those who hold the most more, of the processes or the cgroups. */
static int correlation_pool(struct correlation_builder *b, const char *pool, bool cgroup,
			    struct correlation *out)
{
	size_t ids = cgroup ? b->v->c->nr_cgroups : b->v->c->nr_processes, steps = b->nr - 1,
	       first = out->nr;
	double gained = b->level[steps] - b->level[0];
	_cleanup_free_ double *x = calloc(2 * steps, sizeof(*x));
	double *y;

	if (!x)
		return -ENOMEM;
	y = x + steps;
	for (size_t k = 0; k < steps; k++)
		y[k] = b->level[k + 1] - b->level[k];
	for (uint32_t id = 1; id < ids; id++) {
		const double *held = &b->held[id * b->nr];
		double bytes = held[steps] - held[0];
		struct correlation_row *row;

		if (!(bytes >= CORRELATION_SHARE * gained))
			continue;
		for (size_t k = 0; k < steps; k++)
			x[k] = held[k + 1] - held[k];
		row = ARRAY_PUSH(out);
		if (!row)
			return -ENOMEM;
		*row = (struct correlation_row){.pool = pool,
						.cgroup = cgroup,
						.id = id,
						.bytes = bytes,
						.share = bytes / gained,
						.r = correlation_r(x, y, steps),
						.steps = steps};
	}
	if (out->nr > first)
		qsort(out->items + first, out->nr - first, sizeof(*out->items), compare_row);
	if (out->nr > first + CORRELATION_SHOWN)
		out->nr = first + CORRELATION_SHOWN;
	return 0;
}

static int correlation_pools(struct correlation_builder *b, const struct ledger *ledger,
			     struct correlation *out)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(followed) / sizeof(followed[0]) && !err; i++) {
		const struct ledger_row *row = &ledger->rows[followed[i].row];

		/* only what grew is followed */
		if (row->trend.pattern != PATTERN_GROWING && row->trend.pattern != PATTERN_STEP)
			continue;
		for (size_t k = 0; k < b->nr; k++)
			b->level[k] = level_near(b->v, row, b->at[k]->end_s);
		if (!(b->level[b->nr - 1] > b->level[0]))
			continue;
		for (int cgroup = 0; cgroup < 2 && !err; cgroup++) {
			held_sum(b, followed[i].pool, cgroup);
			err = correlation_pool(b, row->name, cgroup, out);
		}
	}
	return err;
}

int correlation_build(const struct view *v, const struct ledger *ledger, struct correlation *out)
{
	const struct capture *c = v->c;
	_cleanup_free_ const struct cap_checkpoint **at =
		calloc(c->nr_checkpoints + 1, sizeof(*at));
	_cleanup_free_ double *level = NULL, *held = NULL;
	struct correlation_builder b = {.v = v, .at = at};
	struct correlation f = {0};

	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < c->nr_checkpoints; i++)
		if (c->checkpoints[i].end_s >= v->start->t_s &&
		    c->checkpoints[i].end_s <= v->end->t_s + 1)
			at[b.nr++] = &c->checkpoints[i];
	if (b.nr <= CORRELATION_MIN) {
		*out = f;
		return 0;
	}
	b.nr_ids = c->nr_processes > c->nr_cgroups ? c->nr_processes : c->nr_cgroups;
	b.level = level = calloc(b.nr, sizeof(*level));
	b.held = held = calloc(b.nr_ids * b.nr, sizeof(*held));
	if (!level || !held || correlation_pools(&b, ledger, &f)) {
		correlation_free(&f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

void correlation_free(struct correlation *f)
{
	ARRAY_FREE(f);
}
