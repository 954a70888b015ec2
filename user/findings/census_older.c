// SPDX-License-Identifier: GPL-2.0-only
/* What was held before a recording: see census_older.h. */
#include "findings/census_older.h"

#include <string.h>

#include "base/units.h"
#include "findings/screen_words.h"

#define OLDER_SHARE 0.5         /* of a pool: then it is worth a sentence */
#define OLDER_LEAST 0.01        /* of MemTotal, … */
#define OLDER_KB    (64 * 1024) /* … and at least this much, except in the headline's pool */
#define NAMED       3           /* caches, or cgroups, in the sentence, … */
#define NAMED_SHARE 0.05        /* … each with at least this share */
#define LIKE_KB     1024        /* older objects of a kind: worth a sentence if so much, … */
#define LIKE_TRACED 10          /* … and so many such objects were traced, … */
#define LIKE_SHARE  0.05        /* … and this share of Slab */
#define MOST_SHARE  0.5         /* of a cache: then its cgroup is named, too */

/* Memory that is older than the recording. */
struct older {
	double kb;
	const char *where;       /* "Slab" */
	const char *table;       /* of the report, and of the finding's evidence */
	enum census_class class; /* its pages; CENSUS_CLASSES: the census does not know whose */
};

static void consider(struct older *most, const struct older *o)
{
	if (o->kb > most->kb)
		*most = *o;
}

/* What of a pool is older: it was there at the end, and was not allocated meanwhile. */
static struct older older_of_pool(const struct ledger_row *row, size_t pool)
{
	double kb = row->end_kb - fmax(row->attributed_kb, 0);

	return (struct older){.kb = kb > OLDER_SHARE * row->end_kb ? kb : 0, /* 0 if it is NaN */
			      .where = row->name,
			      .table = "pools",
			      .class = pool == LEDGER_SLAB          ? CENSUS_SLAB
				       : pool == LEDGER_PAGE_TABLES ? CENSUS_TABLE
								    : CENSUS_CLASSES};
}

/* The pool in the headline if most of it is older; else where most such memory is. */
static struct older older_most(const struct older_facts *f)
{
	const struct census_row *rows = f->before->rows;
	struct older most = {0};

	if (f->headline && f->headline < &f->ledger->rows[LEDGER_UNACCOUNTED]) {
		most = older_of_pool(f->headline, f->headline - f->ledger->rows);
		if (most.kb > 0)
			return most;
	}
	for (size_t i = 0; i < LEDGER_UNACCOUNTED; i++) {
		struct older o = older_of_pool(&f->ledger->rows[i], i);

		consider(&most, &o);
	}
	if (census_tells(f->before->census, CENSUS_LARGE))
		consider(&most, &(struct older){.kb = rows[CENSUS_REST].difference_kb,
						.where = "pages in no line of /proc/meminfo",
						.table = "census",
						.class = CENSUS_REST});
	consider(&most, &(struct older){.kb = rows[CENSUS_UNMAPPED].figure.kb,
					.where = "pages that nobody maps, but that somebody pins",
					.table = "census",
					.class = CENSUS_UNMAPPED});
	consider(&most, &(struct older){.kb = rows[CENSUS_POOL].figure.kb,
					.where = "page pools of network devices",
					.table = "census",
					.class = CENSUS_POOL});
	if (most.kb < OLDER_KB || most.kb < OLDER_LEAST * f->total_kb)
		most.kb = 0;
	return most;
}

/* "removed cgroups below /pod" */
static const char *cgroup_words(const struct census_cgroup *g, char words[SCREEN_WORDS])
{
	char name[SCREEN_NAME + 1];

	words[0] = '\0';
	screen_add(words, "%s%s",
		   g->removed ? "the removed cgroup "
		   : g->below ? "removed cgroups below "
			      : "",
		   screen_name(g->path, name));
	return words;
}

/* "dentry 301.1 MiB (1,618,406 objects, most charged to /pod), …"; a cgroup that is that of the
 * cache before is not said again */
static size_t say_caches(const struct census_sheet *s, char *words)
{
	double all = s->rows[CENSUS_SLAB].figure.kb;
	char kb[UNITS_MAX], objects[UNITS_MAX], name[SCREEN_NAME + 1], cgroup[SCREEN_WORDS];
	const struct census_cgroup *last = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < s->nr_caches && nr < NAMED; i++) {
		const struct census_cache_row *row = &s->caches[i];
		const struct census_charge_row *most = row->charges;

		if (row->figure.kb < NAMED_SHARE * all)
			continue;
		screen_add(words, "%s%s %s (%s objects", nr++ ? ", " : "",
			   screen_name(row->cache->name, name),
			   units_bytes(kb, row->figure.kb * 1024),
			   units_count(objects, row->objects.kb));
		if (row->nr_charges && most->figure.kb > MOST_SHARE * row->figure.kb) {
			if (most->cgroup != last)
				screen_add(words, ", most charged to %s",
					   cgroup_words(most->cgroup, cgroup));
			last = most->cgroup;
		}
		screen_add(words, ")");
	}
	return nr;
}

/* "500.1 MiB charged to /pod, …" of the pages of a class */
static size_t say_cgroups(const struct census_sheet *s, const struct older *o, char *words)
{
	char kb[UNITS_MAX], cgroup[SCREEN_WORDS];
	double last_kb = INFINITY;
	size_t nr = 0;

	while (nr < NAMED) {
		const struct census_cgroup_row *most = NULL;

		/* the rows are in the order of all memory, not of this class */
		for (size_t i = 0; i < s->nr_cgroups; i++) {
			const struct census_cgroup_row *row = &s->cgroups[i];

			if (row->classes_kb[o->class] < last_kb &&
			    row->classes_kb[o->class] > (most ? most->classes_kb[o->class] : 0))
				most = row;
		}
		if (!most || most->classes_kb[o->class] < NAMED_SHARE * o->kb)
			break;
		last_kb = most->classes_kb[o->class];
		screen_add(words, "%s%s charged to %s", nr++ ? ", " : "",
			   units_bytes(kb, last_kb * 1024), cgroup_words(most->cgroup, cgroup));
	}
	return nr;
}

const char *census_older_find(const struct older_facts *f, struct findings *out)
{
	struct older o = older_most(f);
	char kb[UNITS_MAX], whose[SCREEN_WORDS] = "";
	struct finding *found;
	size_t said = 0;

	if (!(o.kb > 0))
		return NULL;
	if (o.class == CENSUS_SLAB)
		said = say_caches(f->before, whose);
	else if (o.class != CENSUS_CLASSES)
		said = say_cgroups(f->before, &o, whose);
	found = findings_add(
		out, FINDING(said ? FINDING_NOTICE : FINDING_CAUTION, "older-memory", ABOUT_POOL),
		"%s of %s are older than this recording%s%s.", units_bytes(kb, o.kb * 1024),
		o.where, said ? ": " : " (holders unknown)", said ? whose : "");
	finding_subject(found, "%s", o.where);
	finding_figure(found, "older_kb", o.kb, NAN, NAN);
	finding_evidence(found, o.table, "%s", o.where);
	if (o.class == CENSUS_SLAB && f->before->nr_caches)
		finding_evidence(found, "census.start.caches", "%s",
				 f->before->caches[0].cache->name);
	return found ? found->text : NULL;
}

/* ---- likeness ---- */

/* " 95-100% came from PATH" of one path, or of the first two. */
static void say_paths(const struct likeness *l, const struct like_row *row, struct findings *out,
		      struct finding *found)
{
	char low[UNITS_MAX], high[UNITS_MAX], path[SCREEN_WORDS];

	for (size_t i = 0; i < row->nr && i < 2; i++) {
		const struct like_path *p = &l->paths.items[row->first + i];

		path[0] = '\0';
		screen_path(l->taught, p->stack, path);
		finding_say(out, found, "%s%s-%s%% %s %s", i ? " and " : " ",
			    units_share(low, p->share_low * 100),
			    units_share(high, p->share_high * 100), i ? "from" : "came from", path);
	}
	finding_say(out, found, "%s.", row->nr > 2 ? ", and of other call paths" : "");
}

const char *census_older_like(const struct older_facts *f, struct findings *out)
{
	double slab_kb = f->before->rows[CENSUS_SLAB].figure.kb;
	char kb[UNITS_MAX], objects[UNITS_MAX], name[SCREEN_NAME + 1];
	size_t first = out->nr, nr = 0;

	for (size_t i = 0; f->like && i < f->like->nr && nr < NAMED; i++) {
		const struct like_row *row = &f->like->items[i];
		const char *cache = f->before->caches[row->cache].cache->name;
		struct finding *found;

		if (row->kb < LIKE_KB || row->kb < LIKE_SHARE * slab_kb)
			break;
		if (row->tracked < LIKE_TRACED)
			continue;
		found = findings_add(out, FINDING(FINDING_NOTICE, "older-like", ABOUT_CACHE),
				     "%s older objects of %s take %s. Of similar objects that were "
				     "traced,",
				     units_count(objects, row->objects), screen_name(cache, name),
				     units_bytes(kb, row->kb * 1024));
		say_paths(f->like, row, out, found);
		finding_subject(found, "%s", cache);
		finding_figure(found, "older_kb", row->kb, NAN, NAN);
		finding_figure(found, "share", f->like->paths.items[row->first].share,
			       f->like->paths.items[row->first].share_low,
			       f->like->paths.items[row->first].share_high);
		finding_evidence(found, "census.start.caches", "%s", cache);
		nr++;
	}
	return nr && !out->failed ? out->items[first].text : NULL;
}
