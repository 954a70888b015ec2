// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/zoneinfo: a "Node N, zone NAME" line opens a zone, the indented lines up to the next belong
 * to it. Called every second by snapshot_read(). Only what the balance sheet needs is kept; names
 * it does not know are skipped silently, because every kernel adds some.
 */
#include "proc/snapshot.h"

#include <errno.h>

#include "base/text.h"

#define PAGES_MAX (INT64_C(1) << 48)
#define NODE_MAX  4096

static bool zone_header(struct text line, struct zone_level *z)
{
	struct text word[4];
	int64_t node;

	for (int i = 0; i < 4; i++)
		if (!text_word(&line, &word[i]))
			return false;
	if (word[1].p[word[1].len - 1] != ',' || !text_is(word[2], "zone"))
		return false;
	word[1].len--;
	if (!text_count(word[1], NODE_MAX, &node))
		return false;
	*z = (struct zone_level){.node = (int)node};
	text_copy(word[3], z->zone, sizeof(z->zone));
	return true;
}

/*
 * The member that the first word of a line names; NULL if it is not kept. `line` then begins at the
 * value.
 */
static int64_t *zone_member(struct zone_level *z, struct text *line)
{
	struct text key;

	if (!text_word(line, &key))
		return NULL;
	switch (*key.p) {
	case 'p':
		if (text_is(key, "pages")) /* "pages free N" */
			return text_word(line, &key) && text_is(key, "free") ? &z->free : NULL;
		return text_is(key, "present") ? &z->present : NULL;
	case 's':
		if (text_is(key, "start_pfn:"))
			return &z->start;
		return text_is(key, "spanned") ? &z->spanned : NULL;
	case 'm':
		return text_is(key, "managed") ? &z->managed : NULL;
	case 'c':
		return text_is(key, "count:") ? &z->pcp : NULL;
	default:
		return NULL;
	}
}

static bool zone_line(struct text line, struct zone_level *z)
{
	int64_t value, *member = zone_member(z, &line);
	struct text number;

	if (!member)
		return true;
	if (!text_word(&line, &number) || !text_count(number, PAGES_MAX, &value))
		return false;
	if (member == &z->pcp) { /* one for each CPU */
		value += z->pcp;
		z->cpus++;
	}
	if (value > PAGES_MAX)
		return false;
	*member = value;
	return true;
}

int zoneinfo_parse(const char *buf, size_t len, struct zone_levels *out)
{
	struct text rest = {buf, len}, line;
	struct zone_level header, nowhere;
	struct zone_levels zones = {0};
	struct zone_level *zone = NULL;

	while (text_line(&rest, &line)) {
		while (line.len && text_is_blank(*line.p)) { /* copies are indented as a whole */
			line.p++;
			line.len--;
		}
		if (text_starts(line, "Node ")) {
			zone = NULL; /* lines after a damaged header must not count for the zone
					before it */
			if (!zone_header(line, &header)) {
				zones.bad_lines++;
				continue;
			}
			zone = ARRAY_PUSH(&zones);
			if (!zone) {
				ARRAY_FREE(&zones);
				return -ENOMEM;
			}
			*zone = header;
		} else if (zone) {
			zones.bad_lines += !zone_line(line, zone);
		} else {
			zones.bad_lines += zone_member(&nowhere, &line) != NULL;
		}
	}
	*out = zones;
	return 0;
}
