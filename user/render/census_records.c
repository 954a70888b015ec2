// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel itself says about its allocations, beside a census: see census_parts.h. */
#include "render/census_parts.h"

#include <string.h>

#include "render/json_value.h"
#include "render/table.h"

#define PLACE_WIDTH 40
#define FRAMES_MOST 6 /* of a call path, in text */

static void lacks_text(struct page *p, const struct alloc_source *s, const char *file)
{
	if (s->lacks[0])
		page_paragraph(p, 2, "%s", s->lacks);
	if (s->bad_lines)
		page_paragraph(p, 2, "%llu lines or records of %s could not be read.",
			       (unsigned long long)s->bad_lines, file);
}

static void sites_text(struct page *p, const struct alloc_records *r, size_t most)
{
	static const struct table_column columns[] = {{"memory", 0, true},
						      {"allocations", 0, true},
						      {"file and line", PLACE_WIDTH, false},
						      {"function", 0, false}};
	const struct alloc_source *source = alloc_source_get(r, ALLOC_SITES);
	struct table table = TABLE_INIT(p, columns);

	if (!source)
		return;
	page_heading(p, PAGE_BOLD,
		     "ALLOCATIONS BY LINE OF SOURCE  (/proc/allocinfo: what the kernel says)");
	for (size_t i = 0; i < r->sites.nr && i < most; i++) {
		const struct alloc_site *site = &r->sites.items[i];
		char place[160];

		snprintf(place, sizeof(place), "%s:%u", site->file, site->line);
		table_bytes(&table, (double)site->bytes, false);
		table_count(&table, (double)site->calls, false);
		table_words(&table, "%s", page_fit_middle(p, place, PLACE_WIDTH));
		table_words(&table, "%s%s%s%s", site->function, site->module[0] ? " [" : "",
			    site->module, site->module[0] ? "]" : "");
	}
	table_print(&table);
	lacks_text(p, source, "/proc/allocinfo");
}

/* The next frame; `*rest` is what follows it, NULL: it was the last. */
static size_t frame_next(const char **rest, const char **frame)
{
	const char *end;

	*frame = *rest;
	end = strstr(*rest, ALLOC_FRAME_END);
	*rest = end ? end + strlen(ALLOC_FRAME_END) : NULL;
	return end ? (size_t)(end - *frame) : strlen(*frame);
}

static void path_text(struct page *p, const struct alloc_path *path)
{
	const char *rest = path->frames, *frame;
	char bytes[PAGE_CELL], nr[PAGE_CELL];

	page_paragraph(p, 2, "%s%s%s%s%s%s", page_bytes(p, bytes, (double)path->bytes, false),
		       path->nr ? " in " : "",
		       path->nr ? page_count(p, nr, (double)path->nr, false) : "",
		       path->nr ? (path->cache[0] ? " objects" : " allocations") : "",
		       path->cache[0] ? " of " : "", path->cache);
	for (int i = 0; rest && i < FRAMES_MOST; i++) {
		size_t len = frame_next(&rest, &frame);

		page_paragraph(p, 6, "%.*s", (int)len, frame);
	}
}

static void paths_text(struct page *p, const struct alloc_records *r, const char *name,
		       const char *title, size_t most)
{
	const struct alloc_source *source = alloc_source_get(r, name);
	size_t nr = 0;

	if (!source)
		return;
	page_heading(p, PAGE_BOLD, "%s", title);
	for (size_t i = 0; i < r->paths.nr && nr < most; i++)
		if (!strcmp(r->paths.items[i].source, name)) {
			path_text(p, &r->paths.items[i]);
			nr++;
		}
	lacks_text(p, source, name);
}

void census_records_text(struct page *p, const struct alloc_records *r, size_t most)
{
	sites_text(p, r, most);
	paths_text(p, r, ALLOC_PAGES, "PAGES BY CALL PATH  (page_owner: what the kernel says)",
		   most);
	paths_text(p, r, ALLOC_SLABS, "OBJECTS BY CALL PATH  (alloc_traces: what the kernel says)",
		   most);
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

static json_t *frames_json(struct json_out *o, const char *frames)
{
	json_t *j = json_array();
	const char *frame;

	while (frames) {
		size_t len = frame_next(&frames, &frame);
		char one[sizeof(((struct alloc_path *)0)->frames)];

		snprintf(one, sizeof(one), "%.*s", (int)len, frame);
		append(o, j, text(one));
	}
	return j;
}

static json_t *alloc_path_json(struct json_out *o, const struct alloc_path *path)
{
	json_t *j = json_object();

	put(o, j, "cache", path->cache[0] ? text(path->cache) : json_null());
	put(o, j, "kb", number((double)path->bytes / 1024));
	put(o, j, "allocations", path->nr ? json_integer((json_int_t)path->nr) : json_null());
	put(o, j, "frames", frames_json(o, path->frames));
	return j;
}

/* Begin the object of a source, and say what there is to say of each. False: it is null. */
static bool source_begin(struct json_out *o, const struct alloc_records *r, const char *name)
{
	const struct alloc_source *s = alloc_source_get(r, name);

	if (!s) {
		json_member(o, name, json_null());
		return false;
	}
	json_begin(o, name, '{');
	json_member(o, "kb", number((double)s->bytes / 1024));
	json_member(o, "bad_lines", json_integer((json_int_t)s->bad_lines));
	json_member(o, "lacks", s->lacks[0] ? text(s->lacks) : json_null());
	return true;
}

static void paths_write(struct json_out *o, const struct alloc_records *r, const char *name)
{
	if (!source_begin(o, r, name))
		return;
	json_begin(o, "paths", '[');
	for (size_t i = 0; i < r->paths.nr && json_wanted(o); i++)
		if (!strcmp(r->paths.items[i].source, name))
			json_member(o, NULL, alloc_path_json(o, &r->paths.items[i]));
	json_end(o, ']');
	json_end(o, '}');
}

void census_records_write(struct json_out *o, const struct alloc_records *r)
{
	json_begin(o, "kernel_records", '{');
	if (source_begin(o, r, ALLOC_SITES)) {
		json_begin(o, "sites", '[');
		for (size_t i = 0; i < r->sites.nr && json_wanted(o); i++)
			json_member(o, NULL, site_json(o, &r->sites.items[i]));
		json_end(o, ']');
		json_end(o, '}');
	}
	paths_write(o, r, ALLOC_PAGES);
	paths_write(o, r, ALLOC_SLABS);
	json_end(o, '}');
}
