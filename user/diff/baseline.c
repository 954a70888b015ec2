// SPDX-License-Identifier: GPL-2.0-only
/* Collects values of many captures and computes their spread: see baseline.h. */
#include "diff/baseline.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* With fewer captures, the 99th percentile is the maximum or close to it. */
#define PERCENTILES_FROM 200

struct kept {
	float *values;
	uint32_t nr, cap;
	uint32_t present; /* how many values were added, kept or not */
};

struct node {
	struct baseline_row row;
	struct kept kept[BASELINE_MEASURES];
	char *hash_key; /* the section's number, then the row's key */
	UT_hash_handle hh;
};

struct baseline {
	enum growth_by by;
	struct node *nodes;
	ARRAY_OF(const struct baseline_row *) rows[PROFILE_SECTIONS];
	size_t captures;
	size_t measured[PROFILE_SECTIONS];
	size_t traced[POOLS];
	uint64_t seed; /* of the reservoir; starts at 0, so that a comparison is repeatable */
};

int baseline_new(enum growth_by by, struct baseline **out)
{
	struct baseline *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->by = by;
	*out = b;
	return 0;
}

void baseline_free(struct baseline *b)
{
	struct node *n, *next;

	if (!b)
		return;
	HASH_ITER (hh, b->nodes, n, next) {
		HASH_DEL(b->nodes, n);
		for (int m = 0; m < BASELINE_MEASURES; m++)
			free(n->kept[m].values);
		free(n->row.name);
		free(n->hash_key);
		free(n);
	}
	for (int s = 0; s < PROFILE_SECTIONS; s++)
		ARRAY_FREE(&b->rows[s]);
	free(b);
}

static struct node *baseline_node_find(const struct baseline *b, enum profile_section section,
				       const char *key)
{
	struct node *n = NULL;
	char *text = NULL;

	if (asprintf(&text, "%d%s", section, key) < 0)
		return NULL;
	HASH_FIND_STR(b->nodes, text, n);
	free(text);
	return n;
}

static struct node *baseline_node_add(struct baseline *b, enum profile_section section,
				      const struct profile_row *r)
{
	struct node *n = baseline_node_find(b, section, r->key);

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->row.section = section;
	n->row.pool = r->pool;
	n->row.name = strdup(r->name);
	if (!n->row.name || asprintf(&n->hash_key, "%d%s", section, r->key) < 0) {
		free(n->row.name);
		free(n);
		return NULL;
	}
	n->row.key = n->hash_key + 1; /* section numbers have one digit */
	HASH_ADD_KEYPTR(hh, b->nodes, n->hash_key, strlen(n->hash_key), n);
	return n;
}

/* Keep a uniform sample of at most BASELINE_KEPT values (Vitter's algorithm R). */
static int kept_add(struct baseline *b, struct kept *k, double value)
{
	if (isnan(value))
		return 0;
	k->present++;
	if (k->nr == BASELINE_KEPT) {
		uint32_t at;

		b->seed = b->seed * 6364136223846793005u + 1442695040888963407u;
		at = (uint32_t)((b->seed >> 33) % k->present);
		if (at < BASELINE_KEPT)
			k->values[at] = (float)value;
		return 0;
	}
	if (k->nr == k->cap) {
		uint32_t cap = k->cap ? 2 * k->cap : 4;
		float *grown = reallocarray(k->values, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		k->values = grown;
		k->cap = cap;
	}
	k->values[k->nr++] = (float)value;
	return 0;
}

static int baseline_row_add(struct baseline *b, const struct profile *p,
			    enum profile_section section, const struct profile_row *r)
{
	struct node *n = baseline_node_add(b, section, r);
	double seconds = p->duration_s > 0 ? p->duration_s : NAN;
	bool growth = section == PROFILE_GROWTH;

	if (!n)
		return -ENOMEM;
	return kept_add(b, &n->kept[BASELINE_LEVEL], r->level) ||
			       kept_add(b, &n->kept[BASELINE_CHANGE],
					(growth ? r->held : r->change) / seconds) ||
			       kept_add(b, &n->kept[BASELINE_CHURN],
					growth ? r->churn / seconds : NAN)
		       ? -ENOMEM
		       : 0;
}

int baseline_add(struct baseline *b, const struct profile *p)
{
	b->captures++;
	for (int s = 0; s < PROFILE_SECTIONS; s++) {
		b->measured[s] += p->sections[s].measured;
		for (size_t i = 0; i < p->sections[s].nr; i++)
			if (baseline_row_add(b, p, s, &p->sections[s].items[i]))
				return -ENOMEM;
	}
	for (int pool = 0; pool < POOLS; pool++)
		b->traced[pool] += p->traces[pool];
	return 0;
}

/* ---- spreads ---- */

static int compare_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* The `share` quantile of nr sorted values plus `copies` copies of the value `at`. */
static double quantile(const float *sorted, size_t nr, double at, double copies, double share)
{
	double rank = share * ((double)nr + copies - 1);
	size_t below = 0;

	while (below < nr && sorted[below] < at)
		below++;
	if (rank < (double)below)
		return sorted[(size_t)rank];
	if (rank < (double)below + copies || !nr)
		return at;
	return sorted[(size_t)fmin(rank - copies, (double)nr - 1)];
}

static void values_sort(float *values, size_t nr)
{
	if (nr)
		qsort(values, nr, sizeof(*values), compare_float);
}

void baseline_stat_of(float *values, size_t nr, size_t present, size_t n, struct baseline_stat *out)
{
	double zeros = n > present ? (double)(n - present) : 0;
	bool percentiles = n >= PERCENTILES_FROM;

	*out = (struct baseline_stat){.n = n, .present = present};
	if (!n) {
		out->median = out->sd = out->low = out->high = NAN;
		return;
	}
	if (present) /* if only a sample was kept, count the same share of the zeros */
		zeros *= (double)nr / (double)present;
	values_sort(values, nr);
	out->median = quantile(values, nr, 0, zeros, 0.5);
	out->low = quantile(values, nr, 0, zeros, percentiles ? 0.01 : 0);
	out->high = quantile(values, nr, 0, zeros, percentiles ? 0.99 : 1);
	for (size_t i = 0; i < nr; i++)
		values[i] = (float)fabs(values[i] - out->median);
	values_sort(values, nr);
	out->sd = 1.4826 * quantile(values, nr, fabs(out->median), zeros, 0.5);
}

int baseline_finish(struct baseline *b)
{
	struct node *n, *next;

	HASH_ITER (hh, b->nodes, n, next) {
		size_t measured = baseline_measured(b, n->row.section, n->row.pool);
		const struct baseline_row **slot = ARRAY_PUSH(&b->rows[n->row.section]);

		if (!slot)
			return -ENOMEM;
		*slot = &n->row;
		for (int m = 0; m < BASELINE_MEASURES; m++) {
			struct kept *k = &n->kept[m];

			/* a measure that no capture has is unknown, not 0 */
			baseline_stat_of(k->values, k->nr, k->present, k->present ? measured : 0,
					 &n->row.stat[m]);
			free(k->values);
			*k = (struct kept){0};
		}
	}
	return 0;
}

size_t baseline_captures(const struct baseline *b)
{
	return b->captures;
}

size_t baseline_measured(const struct baseline *b, enum profile_section section, enum pool pool)
{
	return section == PROFILE_GROWTH ? b->traced[pool] : b->measured[section];
}

const struct baseline_row *baseline_find(const struct baseline *b, enum profile_section section,
					 const char *key)
{
	struct node *n = baseline_node_find(b, section, key);

	return n ? &n->row : NULL;
}

const struct baseline_row *baseline_next(const struct baseline *b, enum profile_section section,
					 size_t *i)
{
	return *i < b->rows[section].nr ? b->rows[section].items[(*i)++] : NULL;
}
