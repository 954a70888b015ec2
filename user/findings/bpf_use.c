// SPDX-License-Identifier: GPL-2.0-only
/* Adds up BPF maps and programs, and matches start and end by id: see bpf_use.h. */
#include "findings/bpf_use.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

double bpf_level_bytes(const struct bpf_level *l)
{
	return (double)l->vmalloc + (double)l->percpu + (double)l->slab + (double)l->pages;
}

static int compare_bpf_level(const void *a, const void *b)
{
	const struct bpf_level *x = *(const struct bpf_level *const *)a,
			       *y = *(const struct bpf_level *const *)b;

	if (x->kind != y->kind)
		return x->kind - y->kind;
	return (x->id > y->id) - (x->id < y->id);
}

static int compare_size(const void *a, const void *b)
{
	const struct bpf_use_row *x = a, *y = b;
	double p = fmax(x->start_bytes, x->end_bytes), q = fmax(y->start_bytes, y->end_bytes);

	if (x->level->own != y->level->own)
		return x->level->own ? 1 : -1;
	if (p != q)
		return p < q ? 1 : -1;
	return compare_bpf_level(&x->level, &y->level);
}

static void sum_add(struct bpf_sum *sum, const struct bpf_level *l)
{
	sum->nr++;
	sum->bytes += bpf_level_bytes(l);
	sum->vmalloc += (double)l->vmalloc;
	sum->percpu += (double)l->percpu;
	sum->slab += (double)l->slab;
	sum->pages += (double)l->pages;
}

static int bpf_use_add(struct bpf_use *u, const struct bpf_level *l, double start, double end)
{
	struct bpf_use_row *row = ARRAY_PUSH(u);
	const char *blank = strchr(l->object, ' ');

	if (!row)
		return -ENOMEM;
	*row = (struct bpf_use_row){.level = l,
				    .name = blank ? blank + 1 : "",
				    .start_bytes = start,
				    .end_bytes = end,
				    .delta_bytes = end - start};
	return 0;
}

/* Pointers to the rows of a snapshot, by kind and id. NULL when memory is short. */
static const struct bpf_level **sorted(const struct bpf_levels *levels)
{
	const struct bpf_level **list = calloc(levels->nr + 1, sizeof(*list));

	for (size_t i = 0; list && i < levels->nr; i++)
		list[i] = &levels->items[i];
	if (list)
		qsort(list, levels->nr, sizeof(*list), compare_bpf_level);
	return list;
}

/* Add one row for each object of either moment. */
static int rows_merge(const struct bpf_level **a, size_t nr_a, const struct bpf_level **b,
		      size_t nr_b, struct bpf_use *u)
{
	size_t i = 0, k = 0;
	int err = 0;

	while (!err && (i < nr_a || k < nr_b)) {
		int order = i == nr_a ? 1 : k == nr_b ? -1 : compare_bpf_level(&a[i], &b[k]);

		if (order < 0)
			err = bpf_use_add(u, a[i], bpf_level_bytes(a[i]), 0);
		else
			err = bpf_use_add(u, b[k], order ? 0 : bpf_level_bytes(a[i]),
					  bpf_level_bytes(b[k]));
		if (!err && order <= 0)
			u->items[u->nr - 1].before = a[i];
		i += order <= 0;
		k += order >= 0;
	}
	return err;
}

__attribute__((format(printf, 3, 4))) static void who_add(struct bpf_use_row *row, bool first,
							  const char *fmt, ...)
{
	size_t at = strlen(row->who);
	va_list ap;

	if (!first && at + 2 < sizeof(row->who))
		at += (size_t)snprintf(row->who + at, sizeof(row->who) - at, ", ");
	if (at >= sizeof(row->who))
		return;
	va_start(ap, fmt);
	vsnprintf(row->who + at, sizeof(row->who) - at, fmt, ap);
	va_end(ap);
}

static void who_say(struct bpf_use_row *row, const struct bpf_holder *h)
{
	bool first = !row->who[0];

	switch (h->how) {
	case BPF_HELD_BY_PROCESS:
		who_add(row, first, "%.16s[%" PRId64 "]", h->name, h->holder);
		break;
	case BPF_HELD_BY_PIN:
		who_add(row, first, "pinned at %s", h->name);
		break;
	case BPF_HELD_BY_LINK:
		who_add(row, first, "attached (%.20s)", h->name);
		break;
	default:
		who_add(row, first, "used by program %.16s", h->name);
		break;
	}
}

/* Processes and pins come first: they are what a user can end or remove. */
static void who_fill(const struct snapshot *s, struct bpf_use_row *row)
{
	static const int order[] = {BPF_HELD_BY_PIN, BPF_HELD_BY_PROCESS, BPF_HELD_BY_LINK,
				    BPF_HELD_BY_PROGRAM};

	for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++)
		for (size_t i = 0; i < s->bpf_holders.nr; i++) {
			const struct bpf_holder *h = &s->bpf_holders.items[i];

			if (h->how == order[o] && h->kind == row->level->kind &&
			    h->id == row->level->id && strlen(row->who) < sizeof(row->who) / 2)
				who_say(row, h);
		}
}

#define WHO_ROWS 64 /* rows whose holders are found; each needs a pass over all holders */

static void sums_fill(const struct snapshot *end, struct bpf_use *u)
{
	for (size_t i = 0; i < end->bpf.nr; i++) {
		const struct bpf_level *l = &end->bpf.items[i];

		sum_add(l->own ? &u->own : l->kind == BPF_KIND_MAP ? &u->maps : &u->programs, l);
	}
	u->maps_grew = u->programs_grew = u->is_pair ? 0 : NAN;
	for (size_t i = 0; u->is_pair && i < u->nr; i++) {
		const struct bpf_use_row *row = &u->items[i];
		double grew = row->delta_bytes;

		if (row->level->own)
			continue;
		if (row->level->kind == BPF_KIND_MAP)
			u->maps_grew += grew;
		else
			u->programs_grew += grew;
	}
}

static void text_fill(struct bpf_use *u)
{
	char nr[UNITS_MAX], a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], d[UNITS_MAX], grew[64] = "";
	char nr_programs[UNITS_MAX], programs[UNITS_MAX], own[96] = "";
	const struct bpf_sum *m = &u->maps;

	if (!(m->nr + u->programs.nr + u->own.nr > 0))
		return;
	if (!(m->nr + u->programs.nr > 0)) {
		snprintf(
			u->text, sizeof(u->text),
			"There are no BPF maps or programs except kmemtrace's own %.0f, which take "
			"%s and are freed when it ends.",
			u->own.nr, units_bytes(a, u->own.bytes));
		return;
	}
	if (u->is_pair && fabs(u->maps_grew) >= 1)
		snprintf(grew, sizeof(grew), ", %s %s than at the start",
			 units_bytes(a, fabs(u->maps_grew)), u->maps_grew > 0 ? "more" : "less");
	if (u->own.nr > 0)
		snprintf(own, sizeof(own),
			 " kmemtrace's own %.0f take another %s, and are freed when it ends.",
			 u->own.nr, units_bytes(b, u->own.bytes));
	snprintf(u->text, sizeof(u->text), "%s BPF map%s hold%s %s%s: %s vmalloc, %s per-CPU",
		 units_count(nr, m->nr), m->nr == 1 ? "" : "s", m->nr == 1 ? "s" : "",
		 units_bytes(b, m->bytes), grew, units_bytes(c, m->vmalloc),
		 units_bytes(d, m->percpu));
	snprintf(u->text + strlen(u->text), sizeof(u->text) - strlen(u->text),
		 ", %s slab, %s in pages that no counter shows. %s program%s take%s %s.%s",
		 units_bytes(a, m->slab), units_bytes(b, m->pages),
		 units_count(nr_programs, u->programs.nr), u->programs.nr == 1 ? "" : "s",
		 u->programs.nr == 1 ? "s" : "", units_bytes(programs, u->programs.bytes), own);
}

int bpf_use_build(const struct snapshot *start, const struct snapshot *end, struct bpf_use *out)
{
	const struct bpf_levels none = {0}, *first = start ? &start->bpf : &none;
	const struct bpf_level **a = sorted(first), **b = sorted(&end->bpf);
	struct bpf_use u = {.known = end->bpf.nr > 0, .is_pair = first->nr > 0};
	int err = a && b ? rows_merge(a, first->nr, b, end->bpf.nr, &u) : -ENOMEM;

	free(a);
	free(b);
	if (err) {
		bpf_use_free(&u);
		return err;
	}
	if (u.nr)
		qsort(u.items, u.nr, sizeof(*u.items), compare_size);
	for (size_t i = 0; i < u.nr && i < WHO_ROWS; i++)
		who_fill(u.items[i].end_bytes > 0 || !start ? end : start, &u.items[i]);
	sums_fill(end, &u);
	text_fill(&u);
	*out = u;
	return 0;
}

static double part_of(const struct bpf_level *l, enum pool pool)
{
	if (!l)
		return 0;
	switch (pool) {
	case POOL_VMALLOC:
		return (double)l->vmalloc;
	case POOL_PERCPU:
		return (double)l->percpu;
	case POOL_SLAB:
		return (double)l->slab;
	default:
		return 0;
	}
}

/* What an object of BPF grew by in this pool. */
static double row_growth(const struct bpf_use_row *row, enum pool pool)
{
	double after = row->end_bytes > 0 ? part_of(row->level, pool) : 0;

	return row->level->own ? 0 : after - part_of(row->before, pool);
}

bool bpf_growth_of(const struct bpf_use *u, const struct ledger_row *pool, struct bpf_growth *out)
{
	struct bpf_growth g = {0};

	if (!u->is_pair || !(pool->delta_kb > 0))
		return false;
	for (size_t i = 0; i < u->nr; i++) {
		double bytes = row_growth(&u->items[i], pool->pool);

		g.bytes += bytes;
		g.nr += bytes > 0;
		if (bytes > g.row_bytes) {
			g.row = &u->items[i];
			g.row_bytes = bytes;
		}
	}
	g.share = g.bytes / (pool->delta_kb * 1024);
	if (!g.row || g.bytes < BPF_GROWTH_LEAST || g.share < BPF_GROWTH_SHARE)
		return false;
	for (size_t i = 0; i < u->nr; i++) {
		double bytes = row_growth(&u->items[i], pool->pool);

		if (bytes > 0 && !strcmp(u->items[i].who, g.row->who)) {
			g.kept_nr++;
			g.kept_bytes += bytes;
		}
	}
	*out = g;
	return true;
}

const char *bpf_object_words(const struct bpf_use_row *row, char *buf, size_t size)
{
	const char *object = row->level->object;

	snprintf(buf, size, "BPF %s %" PRId64 " (%.*s%s%.32s)",
		 row->level->kind == BPF_KIND_MAP ? "map" : "program", row->level->id,
		 (int)strcspn(object, " "), object, row->name[0] ? " " : "", row->name);
	return buf;
}

/* "it is " pinned at X, "it is held by " agent[812]. */
static const char *keeper_lead(const char *who)
{
	static const char *const complete[] = {"pinned at ", "attached (", "used by program "};

	for (size_t i = 0; i < sizeof(complete) / sizeof(complete[0]); i++)
		if (!strncmp(who, complete[i], strlen(complete[i])))
			return "it is ";
	return who[0] ? "it is held by " : "who keeps it is not known";
}

static void bpf_growth_find(const struct bpf_use *u, const struct ledger_row *pool,
			    struct findings *list)
{
	bool growing = pool->trend.pattern == PATTERN_GROWING;
	char bytes[UNITS_MAX], most[UNITS_MAX], object[BPF_OBJECT_WORDS];
	struct bpf_growth g;
	struct finding *f;

	if (!bpf_growth_of(u, pool, &g))
		return;
	f = findings_add(list,
			 FINDING(growing ? FINDING_WARNING : FINDING_NOTICE, "bpf-growth",
				 ABOUT_POOL, .part = PART_BPF),
			 "BPF maps and programs took %s (%.0f%%) of what %s grew by. %s grew most, "
			 "by %s; %s%s.",
			 units_bytes(bytes, g.bytes), 100 * fmin(g.share, 1), pool->name,
			 bpf_object_words(g.row, object, sizeof(object)),
			 units_bytes(most, g.row_bytes), keeper_lead(g.row->who), g.row->who);
	if (g.kept_nr > 1 && g.row->who[0])
		finding_say(list, f, " What is kept like it grew by %s: %zu objects.",
			    units_bytes(most, g.kept_bytes), g.kept_nr);
	finding_subject(f, "%s", pool->name);
	finding_figure(f, "bytes", g.bytes, NAN, NAN);
	finding_figure(f, "share", g.share, NAN, NAN);
	finding_figure(f, "object_bytes", g.row_bytes, NAN, NAN);
	finding_evidence(f, "pools", "%s", pool->name);
	finding_evidence(f, "bpf", "%" PRId64, g.row->level->id);
}

void bpf_use_find(const struct bpf_use *u, const struct ledger *ledger, struct findings *list)
{
	if (u->text[0])
		finding_evidence(findings_add(list,
					      FINDING(FINDING_NOTICE, "bpf-use", ABOUT_HOST,
						      .part = PART_BPF),
					      "%s", u->text),
				 "bpf", "maps");
	if (!ledger)
		return;
	bpf_growth_find(u, &ledger->rows[LEDGER_SLAB], list);
	bpf_growth_find(u, &ledger->rows[LEDGER_VMALLOC], list);
	bpf_growth_find(u, &ledger->rows[LEDGER_PERCPU], list);
}

void bpf_use_free(struct bpf_use *u)
{
	ARRAY_FREE(u);
}
