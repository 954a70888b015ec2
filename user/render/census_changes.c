// SPDX-License-Identifier: GPL-2.0-only
/* What changed between two censuses, as text and as JSON: see census_parts.h. */
#include "render/census_parts.h"

#include <string.h>

#include "render/census_lenses.h"
#include "render/rows.h"
#include "render/table.h"

#define LEAST_KB     16 /* smaller changes are not printed */
#define NAME_COLUMNS 32

/* Is it worth a row? Sampling error alone is not. */
static bool is_shown(const struct census_change *c)
{
	return c->surely && fabs(c->kb.kb) >= LEAST_KB;
}

static void change_row(struct page *p, struct table *t, const struct census_change *c)
{
	char low[PAGE_CELL], high[PAGE_CELL];

	if (c->lens != LENSES)
		table_words(t, "%s: %s", lens_short_word(c->lens),
			    page_fit_middle(p, c->name,
					    NAME_COLUMNS - strlen(lens_short_word(c->lens)) - 2));
	else
		table_words(t, "%s%s", page_fit_middle(p, c->name, NAME_COLUMNS),
			    c->cgroup ? census_removal_words(c->cgroup) : "");
	table_bytes(t, c->before.kb * 1024, false);
	table_bytes(t, c->after.kb * 1024, false);
	table_bytes(t, c->kb.kb * 1024, true);
	if (c->kb.low_kb < c->kb.high_kb)
		table_words(t, "%s to %s", page_bytes(p, low, c->kb.low_kb * 1024, true),
			    page_bytes(p, high, c->kb.high_kb * 1024, true));
	else if (!isnan(c->objects))
		table_words(t, "%s objects", page_count(p, low, c->objects, true));
	else
		table_words(t, "%s", "");
}

static size_t changes_rows(struct page *p, struct table *t, const struct census_changes *list,
			   size_t most)
{
	size_t nr = 0;

	for (size_t i = 0; i < list->nr && nr < most; i++)
		if (is_shown(&list->items[i])) {
			change_row(p, t, &list->items[i]);
			nr++;
		}
	return nr;
}

void census_changes_text(struct page *p, const struct census_delta *d, size_t most)
{
	static const char *const heads[] = {"pages", "slab cache", "objects", "cgroup",
					    "function (allocinfo)"};
	const struct census_changes *lists[] = {&d->pages, &d->caches, &d->objects, &d->cgroups,
						&d->sites};
	bool any = false;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct table_column columns[] = {{heads[i], 0, false},
						       {"before", 0, true},
						       {"after", 0, true},
						       {"change", 0, true},
						       {"", 0, false}};
		struct table table = TABLE_INIT(p, columns);

		any |= changes_rows(p, &table, lists[i], most) > 0;
		table_print(&table);
	}
	if (!any)
		page_paragraph(p, 2, "Nothing changed by more than %d KiB.", LEAST_KB);
}

static void change_write(struct json_out *o, const struct census_change *c)
{
	json_t *j = json_object();

	put(o, j, "name", text(c->name));
	if (c->lens != LENSES)
		put(o, j, "lens", json_string(lens_word(c->lens)));
	if (c->cgroup) {
		put(o, j, "removed", json_boolean(c->cgroup->removed));
		put(o, j, "removed_below", json_boolean(c->cgroup->below));
	}
	put(o, j, "before_kb", number(c->before.kb));
	put(o, j, "after_kb", number(c->after.kb));
	put(o, j, "delta_kb", number(c->kb.kb));
	put(o, j, "delta_kb_low", number(c->kb.low_kb));
	put(o, j, "delta_kb_high", number(c->kb.high_kb));
	if (!isnan(c->objects))
		put(o, j, "objects_delta", whole(c->objects));
	json_member(o, NULL, j);
}

void census_changes_write(struct json_out *o, const char *key, const struct census_delta *d)
{
	static const char *const names[] = {"pages", "caches", "cgroups", "objects", "sites"};
	const struct census_changes *lists[] = {&d->pages, &d->caches, &d->cgroups, &d->objects,
						&d->sites};

	json_begin(o, key, '{');
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		json_begin(o, names[i], '[');
		for (size_t k = 0; k < lists[i]->nr && json_wanted(o); k++)
			change_write(o, &lists[i]->items[k]);
		json_end(o, ']');
	}
	json_end(o, '}');
}
