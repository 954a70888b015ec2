// SPDX-License-Identifier: GPL-2.0-only
/* The findings of a census: see census_findings.h. */
#include "findings/census_findings.h"

#include "base/units.h"

#define NOTABLE_KB    (64 * 1024)
#define NOTABLE_SHARE 0.01

static struct census_figure class_figure(const struct census_sheet *s, enum census_class class)
{
	return s->rows[class].figure;
}

/* Is it enough to be worth a sentence? Its lower limit counts. */
static bool census_is_notable(const struct census_sheet *s, double low_kb)
{
	return low_kb > NOTABLE_KB && low_kb > NOTABLE_SHARE * s->total.kb;
}

static void figure_add(struct finding *f, const char *name, const struct census_figure *figure)
{
	bool whole = figure->low_kb >= figure->high_kb;

	finding_figure(f, name, figure->kb, whole ? NAN : figure->low_kb,
		       whole ? NAN : figure->high_kb);
}

/* The classes of kernel memory that a reader can act on. */
static const enum census_class kernel_classes[] = {
	CENSUS_SLAB, CENSUS_LARGE,   CENSUS_TABLE,    CENSUS_REST,    CENSUS_UNMAPPED,
	CENSUS_POOL, CENSUS_HUGETLB, CENSUS_ZSMALLOC, CENSUS_OFFLINE,
};
#define KERNEL_CLASSES (sizeof(kernel_classes) / sizeof(kernel_classes[0]))

/* Where memory is, in one sentence. */
static void census_find_holders(const struct census_sheet *s, struct findings *out)
{
	enum census_class most = kernel_classes[0];
	char bytes[7][UNITS_MAX];
	struct census_figure held;
	struct finding *f;
	double user, kernel = 0;

	for (size_t i = 0; i < KERNEL_CLASSES; i++) {
		kernel += class_figure(s, kernel_classes[i]).kb;
		if (class_figure(s, kernel_classes[i]).kb > class_figure(s, most).kb)
			most = kernel_classes[i];
	}
	user = class_figure(s, CENSUS_ANON).kb + class_figure(s, CENSUS_FILE).kb;
	held = class_figure(s, most);
	f = findings_add(
		out, FINDING(FINDING_NOTICE, "census", ABOUT_HOST),
		"Of %s, %s is free. The page cache, with shared memory, holds %s, the kernel %s "
		"(the largest part, %s, in %s), processes %s of their own, and %s was reserved at "
		"boot.",
		units_bytes(bytes[0], s->total.kb * 1024),
		units_bytes(bytes[1], (class_figure(s, CENSUS_FREE).kb +
				       class_figure(s, CENSUS_CPU_FREE).kb) *
					      1024),
		units_bytes(bytes[2], class_figure(s, CENSUS_FILE).kb * 1024),
		units_bytes(bytes[3], kernel * 1024), units_bytes(bytes[4], held.kb * 1024),
		census_class_words(most),
		units_bytes(bytes[5], class_figure(s, CENSUS_ANON).kb * 1024),
		units_bytes(bytes[6], class_figure(s, CENSUS_RESERVED).kb * 1024));
	finding_figure(f, "kernel_kb", kernel, NAN, NAN);
	finding_figure(f, "processes_and_files_kb", user, NAN, NAN);
	figure_add(f, "largest_kb", &held);
	finding_evidence(f, "census.pages", "%s", census_class_name(most));
}

/* A counter of the kernel that does not fit the pages. */
static void census_find_differences(const struct census_sheet *s, struct findings *out)
{
	char bytes[3][UNITS_MAX];

	for (int class = 0; class < CENSUS_CLASSES; class ++) {
		const struct census_row *row = &s->rows[class];
		struct finding *f;

		if (!row->differs)
			continue;
		f = findings_add(
			out, FINDING(FINDING_CAUTION, "census-differs", ABOUT_COUNTER),
			"%s says %s, but %s were counted page by page: %s %s. If memory changes much, "
			"take the census again. If the difference stays, the counter is wrong, or this "
			"kernel marks such pages in a way that kmemtrace does not know.",
			row->line, units_bytes(bytes[0], row->line_kb * 1024),
			units_bytes(bytes[1], (row->line_kb + row->difference_kb) * 1024),
			units_bytes(bytes[2], fabs(row->difference_kb) * 1024),
			row->difference_kb > 0 ? "more" : "less");
		finding_subject(f, "%s", row->line);
		finding_figure(f, "line_kb", row->line_kb, NAN, NAN);
		finding_figure(f, "difference_kb", row->difference_kb, NAN, NAN);
		finding_evidence(f, "census.pages", "%s", census_class_name(class));
	}
}

static void census_find_unmapped(const struct census_sheet *s, struct findings *out)
{
	struct census_figure pinned = class_figure(s, CENSUS_UNMAPPED);
	char bytes[UNITS_MAX];
	struct finding *f;

	if (!census_is_notable(s, pinned.low_kb))
		return;
	f = findings_add(
		out, FINDING(FINDING_WARNING, "census-unmapped", ABOUT_HOST),
		"%s are pages of processes or files that nobody maps any more, but that "
		"cannot be freed because somebody pins them: io_uring buffers, RDMA, "
		"virtual machines' memory and the like. They are in no Anon or Cached line "
		"of /proc/meminfo.",
		units_bytes(bytes, pinned.kb * 1024));
	figure_add(f, "unmapped_kb", &pinned);
	finding_evidence(f, "census.pages", "%s", census_class_name(CENSUS_UNMAPPED));
}

/* Kernel pages in no line of /proc/meminfo. */
static void census_find_unlisted(const struct census_sheet *s, struct findings *out)
{
	const struct census_row *rest = &s->rows[CENSUS_REST];
	struct census_figure unlisted = {rest->difference_kb, rest->figure.low_kb - rest->line_kb,
					 rest->figure.high_kb - rest->line_kb};
	char bytes[2][UNITS_MAX];
	struct finding *f;

	if (!census_is_notable(s, unlisted.low_kb))
		return;
	if (!census_tells(s->census, CENSUS_LARGE))
		return; /* large kmalloc is among them */
	f = findings_add(
		out, FINDING(FINDING_WARNING, "census-unlisted", ABOUT_HOST),
		"%s of kernel pages are in no line of /proc/meminfo: %s were counted, but "
		"VmallocUsed and Percpu explain no more. Pipes, packet rings, perf buffers "
		"and drivers take such pages.",
		units_bytes(bytes[0], unlisted.kb * 1024),
		units_bytes(bytes[1], rest->figure.kb * 1024));
	figure_add(f, "unlisted_kb", &unlisted);
	finding_evidence(f, "census.pages", "%s", census_class_name(CENSUS_REST));
	finding_next(out, f, "sudo kmemtrace balance --show unaccounted");
}

#define CACHES_NAMED 3

/* The largest slab caches. */
static void census_find_caches(const struct census_sheet *s, struct findings *out)
{
	size_t nr = s->nr_caches < CACHES_NAMED ? s->nr_caches : CACHES_NAMED;
	char bytes[UNITS_MAX], count[UNITS_MAX];
	struct finding *f;

	if (!nr || s->caches[0].figure.low_kb < NOTABLE_KB)
		return;
	f = findings_add(out, FINDING(FINDING_NOTICE, "census-caches", ABOUT_CACHE),
			 "The largest slab caches:");
	finding_subject(f, "%s", s->caches[0].cache->name);
	for (size_t i = 0; i < nr; i++) {
		const struct census_cache_row *row = &s->caches[i];

		finding_say(out, f, "%s %s (%s, %s objects in use)", i ? "," : "", row->cache->name,
			    units_bytes(bytes, row->figure.kb * 1024),
			    units_count(count, row->objects.kb));
		finding_evidence(f, "census.caches", "%s", row->cache->name);
	}
	finding_say(out, f, ".");
	figure_add(f, "largest_kb", &s->caches[0].figure);
}

/* Caches with much room and few objects. */
static void census_find_fragmented(const struct census_sheet *s, struct findings *out)
{
	char bytes[3][UNITS_MAX], share[UNITS_MAX];

	for (size_t i = 0; i < s->nr_caches; i++) {
		const struct census_cache_row *row = &s->caches[i];
		struct finding *f;

		if (row->used_share > 0.5 || !census_is_notable(s, row->free_kb))
			continue;
		f = findings_add(
			out, FINDING(FINDING_NOTICE, "census-fragmented", ABOUT_CACHE),
			"The slab cache %s takes %s, but only %s%% of it is in use: %s are free "
			"inside its slabs. Shrinking it would give back the slabs without an object "
			"in use, now %s.",
			row->cache->name, units_bytes(bytes[0], row->figure.kb * 1024),
			units_percent(share, 100 * row->used_share),
			units_bytes(bytes[1], row->free_kb * 1024),
			units_bytes(bytes[2], row->empty_kb * 1024));
		finding_subject(f, "%s", row->cache->name);
		finding_figure(f, "free_kb", row->free_kb, NAN, NAN);
		finding_figure(f, "empty_kb", row->empty_kb, NAN, NAN);
		finding_evidence(f, "census.caches", "%s", row->cache->name);
	}
}

/* The removed cgroup, or the one above removed ones, that holds most. NULL: there is none. */
static const struct census_cgroup_row *removed_most(const struct census_sheet *s)
{
	for (size_t i = 0; i < s->nr_cgroups; i++)
		if (s->cgroups[i].cgroup->removed || s->cgroups[i].cgroup->below)
			return &s->cgroups[i];
	return NULL;
}

/* Cgroups that were removed, but still hold memory. */
static void census_find_removed(const struct census_sheet *s, struct findings *out)
{
	const struct census_cgroup_row *most = removed_most(s);
	char count[UNITS_MAX], bytes[2][UNITS_MAX];
	struct finding *f;

	if (!most || !census_is_notable(s, s->removed_kb))
		return;
	f = findings_add(out, FINDING(FINDING_WARNING, "census-removed-cgroups", ABOUT_CGROUP),
			 "%s removed cgroup%s still hold%s %s. The most, %s, ",
			 units_count(count, (double)s->removed), s->removed == 1 ? "" : "s",
			 s->removed == 1 ? "s" : "", units_bytes(bytes[0], s->removed_kb * 1024),
			 units_bytes(bytes[1], most->figure.kb * 1024));
	if (most->cgroup->below)
		finding_say(
			out, f,
			"was charged to cgroups that were below %s, and is now charged to it. The "
			"kernel frees slab objects such as dentries and inodes when memory is short.",
			most->cgroup->path);
	else
		finding_say(out, f,
			    "is of %s. The kernel frees page cache and slab objects when memory is "
			    "short; shared memory stays until its file is deleted.",
			    most->cgroup->path);
	finding_subject(f, "%s", most->cgroup->path);
	finding_figure(f, "removed_cgroups", (double)s->removed, NAN, NAN);
	finding_figure(f, "removed_kb", s->removed_kb, NAN, NAN);
	finding_evidence(f, "census.removed_cgroups.top", "%s", most->cgroup->path);
}

/* What limits the figures. */
static void census_find_limits(const struct census_sheet *s, struct findings *out)
{
	const struct census *c = s->census;
	char share[UNITS_MAX];
	struct finding *f;

	if (!census_is_whole(c)) {
		f = findings_add(
			out, FINDING(FINDING_CAUTION, "census-sampled", ABOUT_HOST),
			"%s%% of the page frames were counted, a random sample, because "
			"counting all would have exceeded --census-budget. The true figures "
			"are within the intervals in 95 of 100 such samples.",
			units_share(share, s->counted_share * 100));
		finding_figure(f, "counted_percent", s->counted_share * 100, NAN, NAN);
	}
	if (c->lost)
		findings_add(
			out, FINDING(FINDING_CAUTION, "census-lost", ABOUT_HOST),
			"%s slabs or charges to cgroups had no room in a table: the figures of "
			"caches and cgroups are too small.",
			units_count(share, (double)c->lost));
	if (!census_tells(c, CENSUS_LARGE))
		findings_add(out, FINDING(FINDING_CAUTION, "census-unmarked", ABOUT_HOST),
			     "This kernel does not mark pages of large kmalloc allocations: they "
			     "count as other kernel pages, and Slab is larger by them.");
	if (!census_tells(c, CENSUS_HUGETLB))
		findings_add(out, FINDING(FINDING_CAUTION, "census-unmarked", ABOUT_HOST),
			     "This kernel does not mark the pool of huge pages: its pages count as "
			     "anonymous, page cache or free.");
	if (!census_tells(c, CENSUS_POOL))
		findings_add(out, FINDING(FINDING_CAUTION, "census-unmarked", ABOUT_HOST),
			     "This kernel does not mark pages of network page pools: they count as "
			     "other kernel pages.");
}

void census_findings(const struct census_sheet *s, struct findings *out)
{
	census_find_holders(s, out);
	census_find_differences(s, out);
	census_find_caches(s, out);
	census_find_fragmented(s, out);
	census_find_removed(s, out);
	census_find_unmapped(s, out);
	census_find_unlisted(s, out);
	census_find_limits(s, out);
	findings_sort(out);
}
