// SPDX-License-Identifier: GPL-2.0-only
/* Correlates a pool's growth with its holders, step by step: see correlation.h. */
#include "findings/correlation.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "data/class.h"

/* The ledger's pools whose holders are traced, and the pool of their objects. */
static const struct {
	enum ledger_pool row;
	enum pool pool;
} correlated[] = {
	{LEDGER_SLAB, POOL_SLAB},           {LEDGER_VMALLOC, POOL_VMALLOC},
	{LEDGER_KERNEL_STACK, POOL_KSTACK}, {LEDGER_PAGE_TABLES, POOL_PAGETABLE},
	{LEDGER_PERCPU, POOL_PERCPU},       {LEDGER_UNACCOUNTED, POOL_PAGE},
};

struct correlation_builder {
	const struct view *v;
	const struct cap_checkpoint **at; /* checkpoints in the view */
	size_t nr;
	double *level; /* of the pool at each checkpoint, in bytes */
	double *ends;  /* by id, two each: bytes held at the first and at the last checkpoint */
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

/* The pool's level nearest in time to t_s. The row's series holds the view's snapshots, thinned. */
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

/* The id of the process or cgroup that holds row `h`; 0 when unknown, or when the row's bytes are
 * not in the pool. */
static uint32_t holder(const struct capture *c, const struct cap_brief *h, enum pool pool,
		       bool cgroup)
{
	if (h->pool != pool || h->place != CLASS_IN_POOL)
		return 0;
	return cgroup ? c->processes[h->process].cgroup : h->process;
}

/* Add up what each holder has at the first and at the last checkpoint. */
static void ends_sum(struct correlation_builder *b, enum pool pool, bool cgroup)
{
	memset(b->ends, 0, 2 * b->nr_ids * sizeof(*b->ends));
	for (size_t end = 0; end < 2; end++) {
		const struct cap_checkpoint *at = b->at[end ? b->nr - 1 : 0];

		for (size_t i = 0; i < checkpoint_briefs(at); i++) {
			struct cap_brief h = checkpoint_brief(at, i);

			b->ends[2 * holder(b->v->c, &h, pool, cgroup) + end] += h.bytes;
		}
	}
}

/* Add up what the holders in `rows` have at each checkpoint; x has nr · b->nr elements. */
static void held_sum(const struct correlation_builder *b, enum pool pool,
		     const struct correlation_row *rows, size_t nr, double *x)
{
	for (size_t k = 0; k < b->nr; k++)
		for (size_t i = 0; i < checkpoint_briefs(b->at[k]); i++) {
			struct cap_brief h = checkpoint_brief(b->at[k], i);
			uint32_t id = holder(b->v->c, &h, pool, rows[0].cgroup);

			for (size_t r = 0; id && r < nr; r++)
				if (rows[r].id == id)
					x[r * b->nr + k] += h.bytes;
		}
}

static int compare_correlation(const struct correlation_row *x, const struct correlation_row *y)
{
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Insert `row` in order, keeping at most CORRELATION_SHOWN. */
static void rows_insert(struct correlation_row *rows, size_t *nr, const struct correlation_row *row)
{
	size_t at = *nr;

	while (at > 0 && compare_correlation(row, &rows[at - 1]) < 0)
		at--;
	if (at == CORRELATION_SHOWN)
		return;
	if (*nr == CORRELATION_SHOWN)
		--*nr;
	memmove(rows + at + 1, rows + at, (*nr - at) * sizeof(*rows));
	rows[at] = *row;
	++*nr;
}

/* Turn nr levels into their nr − 1 differences. */
static void to_steps(double *x, size_t nr)
{
	for (size_t k = 0; k + 1 < nr; k++)
		x[k] = x[k + 1] - x[k];
}

/* Is the growth even? Its steps then differ too little to show whose they are. */
static bool steps_are_even(const double *y, size_t n)
{
	double mean = 0, var = 0;

	for (size_t i = 0; i < n; i++)
		mean += y[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		var += (y[i] - mean) * (y[i] - mean) / (double)n;
	return sqrt(var) < mean * CORRELATION_EVEN;
}

/* Few steps can correlate by chance: in one case of twenty, r is beyond 1.96 / √(n − 1). */
static bool correlation_shows(double r, size_t steps)
{
	return r >= fmax(CORRELATION_R, 1.96 / sqrt((double)steps - 1));
}

/* Append the processes (or cgroups) whose held bytes grew most in this pool. */
static int correlation_pool(struct correlation_builder *b, enum pool pool, const char *name,
			    bool cgroup, struct correlation *out)
{
	size_t ids = cgroup ? b->v->c->nr_cgroups : b->v->c->nr_processes, steps = b->nr - 1,
	       nr = 0;
	double gained = b->level[steps] - b->level[0];
	_cleanup_free_ double *x = calloc((CORRELATION_SHOWN + 1) * b->nr, sizeof(*x));
	struct correlation_row rows[CORRELATION_SHOWN];
	double *y;
	bool even;

	if (!x)
		return -ENOMEM;
	y = x + CORRELATION_SHOWN * b->nr;
	ends_sum(b, pool, cgroup);
	for (uint32_t id = 1; id < ids; id++) {
		double bytes = b->ends[2 * id + 1] - b->ends[2 * id];

		if (bytes >= CORRELATION_SHARE * gained)
			rows_insert(rows, &nr,
				    &(struct correlation_row){.pool = name,
							      .cgroup = cgroup,
							      .id = id,
							      .bytes = bytes,
							      .share = bytes / gained,
							      .steps = steps});
	}
	if (!nr)
		return 0;
	memcpy(y, b->level, b->nr * sizeof(*y));
	to_steps(y, b->nr);
	even = steps_are_even(y, steps);
	held_sum(b, pool, rows, nr, x);
	for (size_t r = 0; r < nr; r++) {
		struct correlation_row *row;

		to_steps(x + r * b->nr, b->nr);
		rows[r].r = even ? NAN : correlation_r(x + r * b->nr, y, steps);
		if (even ? rows[r].share < CORRELATION_HALF : !correlation_shows(rows[r].r, steps))
			continue;
		row = ARRAY_PUSH(out);
		if (!row)
			return -ENOMEM;
		*row = rows[r];
	}
	return 0;
}

static int correlation_pools(struct correlation_builder *b, const struct ledger *ledger,
			     struct correlation *out)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(correlated) / sizeof(correlated[0]) && !err; i++) {
		const struct ledger_row *row = &ledger->rows[correlated[i].row];

		/* skip pools that did not grow */
		if (row->trend.pattern != PATTERN_GROWING && row->trend.pattern != PATTERN_STEP)
			continue;
		for (size_t k = 0; k < b->nr; k++)
			b->level[k] = level_near(b->v, row, b->at[k]->end_s);
		if (!(b->level[b->nr - 1] > b->level[0]))
			continue;
		for (int cgroup = 0; cgroup < 2 && !err; cgroup++)
			err = correlation_pool(b, correlated[i].pool, row->name, cgroup, out);
	}
	return err;
}

int correlation_build(const struct view *v, const struct ledger *ledger, struct correlation *out)
{
	const struct capture *c = v->c;
	_cleanup_free_ const struct cap_checkpoint **at =
		calloc(c->nr_checkpoints + 1, sizeof(*at));
	_cleanup_free_ double *level = NULL, *ends = NULL;
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
	b.ends = ends = calloc(2 * b.nr_ids, sizeof(*ends));
	if (!level || !ends || correlation_pools(&b, ledger, &f)) {
		correlation_free(&f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

void correlation_find(const struct capture *c, const struct correlation *f, struct findings *list)
{
	for (size_t i = 0; i < f->nr; i++) {
		const struct correlation_row *row = &f->items[i];
		char bytes[UNITS_MAX], correlation[64] = "", who[512];
		struct finding *said;

		if (row->cgroup)
			snprintf(who, sizeof(who), "cgroup %.200s", c->cgroups[row->id]);
		else
			snprintf(who, sizeof(who), "%.64s[%d]", c->processes[row->id].comm,
				 c->processes[row->id].tgid);
		if (!isnan(row->r))
			snprintf(correlation, sizeof(correlation),
				 ", correlation %.2f over %zu steps", row->r, row->steps);
		said = findings_add(list,
				    FINDING(FINDING_NOTICE, "correlation",
					    row->cgroup ? ABOUT_CGROUP : ABOUT_PROCESS,
					    .part = PART_CORRELATION),
				    "%s: %s holds %s more, %.0f%% of the growth%s.", row->pool, who,
				    units_bytes(bytes, row->bytes), 100 * row->share, correlation);
		finding_subject(said, "%s", row->cgroup ? c->cgroups[row->id] : who);
		finding_figure(said, "bytes", row->bytes, NAN, NAN);
		finding_figure(said, "share", row->share, NAN, NAN);
		finding_figure(said, "correlation", row->r, NAN, NAN);
		finding_evidence(said, "pools", "%s", row->pool);
	}
}

void correlation_free(struct correlation *f)
{
	ARRAY_FREE(f);
}
