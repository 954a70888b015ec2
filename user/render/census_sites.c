// SPDX-License-Identifier: GPL-2.0-only
/* What /proc/allocinfo says, beside a census: see census_parts.h. */
#include "render/census_parts.h"

#include "render/json_value.h"
#include "render/table.h"

#define PLACE_WIDTH 40

void census_text_sites(struct page *p, const struct alloc_sites *s, size_t most)
{
	static const struct table_column columns[] = {{"memory", 0, true},
						      {"allocations", 0, true},
						      {"file and line", PLACE_WIDTH, false},
						      {"function", 0, false}};
	struct table table = TABLE_INIT(p, columns);

	if (!s || !s->nr)
		return;
	page_heading(p, PAGE_BOLD,
		     "ALLOCATIONS BY LINE OF SOURCE  (/proc/allocinfo: what the kernel says)");
	for (size_t i = 0; i < s->nr && i < most; i++) {
		const struct alloc_site *site = &s->items[i];
		char place[160];

		snprintf(place, sizeof(place), "%s:%u", site->file, site->line);
		table_bytes(&table, (double)site->bytes, false);
		table_count(&table, (double)site->calls, false);
		table_words(&table, "%s", page_fit_middle(p, place, PLACE_WIDTH));
		table_words(&table, "%s%s%s%s", site->function, site->module[0] ? " [" : "",
			    site->module, site->module[0] ? "]" : "");
	}
	table_print(&table);
	if (s->bad_lines)
		page_paragraph(p, 2, "%llu lines of /proc/allocinfo could not be read.",
			       (unsigned long long)s->bad_lines);
}

static json_t *site_json(struct json_out *o, const struct alloc_site *site)
{
	json_t *j = json_object();

	put(o, j, "file", text(site->file));
	put(o, j, "line", json_integer(site->line));
	put(o, j, "module", site->module[0] ? text(site->module) : json_null());
	put(o, j, "function", text(site->function));
	put(o, j, "kb", number((double)site->bytes / 1024));
	put(o, j, "allocations", json_integer((json_int_t)site->calls));
	put(o, j, "accurate", json_boolean(!site->inaccurate));
	return j;
}

void census_sites_write(struct json_out *o, const struct alloc_sites *s)
{
	if (!s) {
		json_member(o, "allocinfo", json_null());
		return;
	}
	json_begin(o, "allocinfo", '{');
	json_member(o, "kb", number((double)s->bytes / 1024));
	json_member(o, "bad_lines", json_integer((json_int_t)s->bad_lines));
	json_begin(o, "sites", '[');
	for (size_t i = 0; i < s->nr && json_wanted(o); i++)
		json_member(o, NULL, site_json(o, &s->items[i]));
	json_end(o, ']');
	json_end(o, '}');
}
