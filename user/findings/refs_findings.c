// SPDX-License-Identifier: GPL-2.0-only
/* The findings about references: see refs_findings.h. */
#include "findings/refs_findings.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/units.h"

#define CONTROL_WORDS 128

const char *refs_referrer_words(const struct refs_referrer *r, char buf[REFS_FROM_MAX])
{
	if (r->where[0])
		snprintf(buf, REFS_FROM_MAX, "%s", r->where);
	else if (r->class != CENSUS_SLAB)
		snprintf(buf, REFS_FROM_MAX, "%s",
			 r->class == CENSUS_RESERVED ? "kernel data, page structures"
						     : census_class_words(r->class));
	else if (r->type[0])
		snprintf(buf, REFS_FROM_MAX, "%s.%s", r->type, r->field);
	else
		snprintf(buf, REFS_FROM_MAX, "%s%s", r->cache[0] ? r->cache : "slab caches",
			 r->field);
	return buf;
}

const char *refs_holder_words(const struct refs_holder *h, char buf[REFS_HOLDER_MAX])
{
	static const char *const words[REFS_HOLDER_KINDS] = {
		[REFS_HOLDER_FILE_TABLE] = "open files of ",
		[REFS_HOLDER_PROCESS] = "process ",
		[REFS_HOLDER_SUPER_BLOCK] = "super block ",
		[REFS_HOLDER_NET_NAMESPACE] = "net namespace ",
		[REFS_HOLDER_MNT_NAMESPACE] = "mount namespace ",
		[REFS_HOLDER_IPC_NAMESPACE] = "IPC namespace ",
		[REFS_HOLDER_USER] = "user ",
	};

	if (h->pid)
		snprintf(buf, REFS_HOLDER_MAX, "%s%s[%d]", words[h->kind], h->name, h->pid);
	else
		snprintf(buf, REFS_HOLDER_MAX, "%s%s", words[h->kind], h->name);
	return buf;
}

const char *refs_held_words(const struct refs_holder *h)
{
	return h->certain ? "held" : "likely held";
}

const char *refs_verdict_words(enum refs_verdict verdict)
{
	switch (verdict) {
	case REFS_LEAKED:
	case REFS_DROPPED:
		return "most likely leaked";
	case REFS_HELD:
		return "not called leaked";
	case REFS_OWN_KIND:
		return "no verdict, only objects of the same cache point to them";
	default:
		return "no verdict";
	}
}

/* "nothing points to 2 of 385 objects of other caches". */
static const char *control_words(const struct refs *r, char buf[CONTROL_WORDS])
{
	static const char *const words[] = {
		[REFS_CONTROL_NONE] = "objects of other caches",
		[REFS_CONTROL_YOUNG] = "objects that were allocated a moment before",
		[REFS_CONTROL_PATHS] = "objects of the same cache, from other call paths",
		[REFS_CONTROL_OTHER] = "objects of other caches",
	};
	char hits[UNITS_MAX], of[UNITS_MAX];

	snprintf(buf, CONTROL_WORDS, "nothing points to %s of %s %s",
		 units_count(hits, (double)r->control.unreferenced),
		 units_count(of, (double)r->control.checked), words[r->control_kind]);
	return buf;
}

const char *refs_objects_words(const struct refs *r, char buf[REFS_OBJECTS_MAX])
{
	snprintf(buf, REFS_OBJECTS_MAX, "%s%s%s", r->cache, r->kind[0] ? " of the kind " : "",
		 r->kind);
	return buf;
}

/* The figures that every verdict rests on. */
static void refs_figures(struct finding *f, const struct refs_sheet *s,
			 const struct refs_subject *of)
{
	finding_figure(f, "objects", (double)s->refs->sample.checked, NAN, NAN);
	finding_figure(f, "unreferenced_share", s->unreferenced.share, s->unreferenced.low,
		       s->unreferenced.high);
	finding_figure(f, "control_unreferenced_share", s->control.share, s->control.low,
		       s->control.high);
	finding_subject(f, "%s", of->name);
	finding_evidence(f, of->table, "%s", of->name);
}

static struct finding *refs_find_leak(const struct refs_sheet *s, const struct refs_subject *of,
				      struct findings *out)
{
	const struct refs *r = s->refs;
	char count[3][UNITS_MAX], bytes[UNITS_MAX], percent[3][UNITS_MAX], control[CONTROL_WORDS];
	struct finding *f;

	f = findings_add(
		out, FINDING(FINDING_CRITICAL, "refs-leaked", of->about),
		"Most likely leaked: nothing that was scanned points to %s of %s sampled objects of "
		"%s (control: %s). By that share, %s%% to %s%% (95 %% interval), about %s objects "
		"with %s are leaked.",
		units_count(count[0], (double)r->sample.unreferenced),
		units_count(count[1], (double)r->sample.checked), of->objects,
		control_words(r, control), units_share(percent[0], 100 * s->unreferenced.low),
		units_share(percent[1], 100 * s->unreferenced.high),
		units_count(count[2], s->lost_objects), units_bytes(bytes, s->lost_kb * 1024));
	if (r->sample.dropped)
		finding_say(out, f,
			    " Besides, %s are in rings or lists to which nothing else points.",
			    units_count(count[0], (double)r->sample.dropped));
	return f;
}

static struct finding *refs_find_held(const struct refs_sheet *s, const struct refs_subject *of,
				      struct findings *out)
{
	const struct refs *r = s->refs;
	uint64_t unsure = r->sample.weak + r->sample.changed;
	uint64_t held = r->sample.checked - r->sample.unreferenced - unsure;
	bool all = held == r->sample.checked;
	char count[2][UNITS_MAX], percent[UNITS_MAX], from[REFS_FROM_MAX], holder[REFS_HOLDER_MAX];
	struct finding *f;

	f = findings_add(out, FINDING(FINDING_NOTICE, "refs-held", of->about),
			 "Not called leaked: something in the kernel points to ");
	if (!all)
		finding_say(out, f, "%s of ", units_count(count[0], (double)held));
	finding_say(out, f, "%s%s sampled objects of %s.", all ? "all " : "",
		    units_count(count[1], (double)r->sample.checked), of->objects);
	if (r->referrers.nr && r->referenced)
		finding_say(out, f, " The most, %s%%, are pointed to by %s.",
			    units_percent(percent, 100.0 * (double)r->referrers.items[0].objects /
							   (double)r->sample.checked),
			    refs_referrer_words(&r->referrers.items[0], from));
	if (r->holders.nr)
		finding_say(out, f, " %s%% of the sample are %s by the %s.",
			    units_percent(percent, 100.0 * (double)r->holders.items[0].objects /
							   (double)r->sample.checked),
			    refs_held_words(&r->holders.items[0]),
			    refs_holder_words(&r->holders.items[0], holder));
	if (r->closed)
		finding_say(
			out, f,
			" Only objects of the same cache point to %s of them, but something "
			"else points to their list or tree.",
			units_count(count[0], (double)(r->sample.own_kind - r->sample.dropped)));
	if (r->sample.unreferenced)
		finding_say(out, f,
			    " Nothing that was scanned points to %s%s, but these are too few to "
			    "call them leaked.",
			    unsure ? "" : "the other ",
			    units_count(count[0], (double)r->sample.unreferenced));
	if (unsure)
		finding_say(out, f,
			    " Of %s others, only the page is pointed to, or they changed between "
			    "the scans: they do not count as leaked.",
			    units_count(count[0], (double)unsure));
	return f;
}

static struct finding *refs_find_own_kind(const struct refs_sheet *s, const struct refs_subject *of,
					  struct findings *out)
{
	const struct refs *r = s->refs;
	char count[2][UNITS_MAX];
	struct finding *f;

	f = findings_add(
		out, FINDING(FINDING_WARNING, "refs-own-kind", of->about),
		"Only objects of the same cache point to %s of %s sampled objects of %s. A list or "
		"ring that was dropped as a whole looks like this, and so does a tree of objects "
		"in use, which something else holds at its root. So there is no verdict.",
		units_count(count[0], (double)r->sample.own_kind),
		units_count(count[1], (double)r->sample.checked), of->objects);
	if (r->too_short)
		finding_say(out, f,
			    " To tell these apart, all objects of the cache must be looked for: "
			    "give more time, such as %s 2m.",
			    of->budget);
	else if (!r->closed)
		finding_say(out, f,
			    " To tell these apart, all objects of the cache must be looked for, "
			    "but there are too many.");
	else
		finding_say(out, f,
			    " All objects of the cache were looked for: nothing else leads to %s "
			    "of these, which is too few, or too near the control, to call them "
			    "leaked.",
			    units_count(count[0], (double)r->sample.dropped));
	return f;
}

static struct finding *refs_find_dropped(const struct refs_sheet *s, const struct refs_subject *of,
					 struct findings *out)
{
	const struct refs *r = s->refs;
	char count[3][UNITS_MAX], percent[2][UNITS_MAX], control[CONTROL_WORDS];
	struct finding *f;

	f = findings_add(
		out, FINDING(FINDING_CRITICAL, "refs-dropped", of->about),
		"Most likely leaked in rings or lists that were dropped as a whole: only objects of "
		"the same cache point to %s of %s sampled objects of %s. All objects of the cache "
		"were looked for, and nothing else that was scanned points to any of these rings "
		"(control: %s). By that share, %s%% to %s%% (95 %% interval), "
		"about %s objects are leaked.",
		units_count(count[0], (double)r->sample.dropped),
		units_count(count[1], (double)r->sample.checked), of->objects,
		control_words(r, control), units_share(percent[0], 100 * s->dropped.low),
		units_share(percent[1], 100 * s->dropped.high),
		units_count(count[2], s->dropped.share * (double)r->in_use));
	finding_figure(f, "dropped_share", s->dropped.share, s->dropped.low, s->dropped.high);
	return f;
}

/* Why there is no verdict. */
static struct finding *refs_find_undecided(const struct refs_sheet *s,
					   const struct refs_subject *of, struct findings *out)
{
	const struct refs *r = s->refs;
	char count[2][UNITS_MAX], percent[UNITS_MAX], control[CONTROL_WORDS];
	struct finding *f;

	f = findings_add(out, FINDING(FINDING_CAUTION, "refs-undecided", of->about),
			 "No verdict: ");
	switch (s->verdict) {
	case REFS_FEW_OBJECTS:
		finding_say(out, f,
			    "only %s objects of %s could be checked before and after the scans.",
			    units_count(count[0], (double)r->sample.checked), of->objects);
		break;
	case REFS_PARTIAL:
		finding_say(out, f,
			    "only %s%% of the kernel's memory was scanned, so an object to which "
			    "nothing seems to point may be pointed to from the rest. Give more "
			    "time, such as %s 2m, if the budget was too small.",
			    units_share(percent, 100 * s->scanned_fraction), of->budget);
		break;
	case REFS_BLIND:
	case REFS_NO_CONTROL:
	default:
		finding_say(out, f,
			    "nothing that was scanned points to %s of %s sampled objects of %s",
			    units_count(count[0], (double)r->sample.unreferenced),
			    units_count(count[1], (double)r->sample.checked), of->objects);
		if (s->verdict == REFS_NO_CONTROL)
			finding_say(out, f,
				    ", but there were too few other objects to show whether the "
				    "scan would have seen pointers.");
		else
			finding_say(out, f,
				    " (control: %s), which is too %s to tell a leak from objects "
				    "whose pointers the scan cannot see.",
				    control_words(r, control),
				    s->verdict == REFS_BLIND ? "similar" : "little");
		break;
	}
	return f;
}

/* Objects that could not be counted as either. */
static void refs_find_limits(const struct refs_sheet *s, struct findings *out)
{
	const struct refs *r = s->refs;
	const struct refs_scan *last = &r->scans[REFS_SCANS - 1];
	char count[UNITS_MAX];
	struct finding *f;

	if (r->sample.weak) {
		f = findings_add(
			out, FINDING(FINDING_CAUTION, "refs-weak", ABOUT_CACHE),
			"Nothing points to %s of the sampled objects themselves, but something "
			"points to their page. They may be held in this way, so they do not count "
			"as leaked.",
			units_count(count, (double)r->sample.weak));
		finding_subject(f, "%s", r->cache);
	}
	if (!r->found_all) {
		f = findings_add(
			out, FINDING(FINDING_CAUTION, "refs-sampled", ABOUT_CACHE),
			"The budget did not suffice to find all slabs of %s: the sample is "
			"of a random part of memory.",
			r->cache);
		finding_subject(f, "%s", r->cache);
	}
	if (last->faults) {
		f = findings_add(out, FINDING(FINDING_CAUTION, "refs-faults", ABOUT_HOST),
				 "%s pages of the kernel's memory could not be read. Pointers in "
				 "them were missed.",
				 units_count(count, (double)last->faults));
		finding_figure(f, "faults", (double)last->faults, NAN, NAN);
	}
}

/* The objects were chosen by what they look like. */
static void refs_find_likeness(const struct refs_sheet *s, struct findings *out)
{
	const struct refs *r = s->refs;
	struct finding *f = NULL;

	if (r->kind[0] && r->path[0])
		f = findings_add(out, FINDING(FINDING_CAUTION, "refs-likeness", ABOUT_CACHE),
				 "These are objects that look like those of call path %s. They are "
				 "not proven to be of that path: captures have no addresses. "
				 "record --prove looks at the objects of the path itself.",
				 r->path);
	else if (r->path[0])
		f = findings_add(
			out, FINDING(FINDING_CAUTION, "refs-likeness", ABOUT_CACHE),
			"These are objects of the cache of call path %s, but some may come "
			"from other paths: the recording did not learn what its objects "
			"look like. record --prove looks at the objects of the path itself.",
			r->path);
	else if (r->kind[0])
		f = findings_add(out, FINDING(FINDING_CAUTION, "refs-likeness", ABOUT_CACHE),
				 "The kind of an object is known by what it looks like, as in a "
				 "census: single objects may be of another.");
	finding_subject(f, "%s", r->cache);
}

struct finding *refs_verdict_find(const struct refs_sheet *s, const struct refs_subject *of,
				  struct findings *out)
{
	struct finding *f;

	switch (s->verdict) {
	case REFS_LEAKED:
		f = refs_find_leak(s, of, out);
		break;
	case REFS_HELD:
		f = refs_find_held(s, of, out);
		break;
	case REFS_DROPPED:
		f = refs_find_dropped(s, of, out);
		break;
	case REFS_OWN_KIND:
		f = refs_find_own_kind(s, of, out);
		break;
	default:
		f = refs_find_undecided(s, of, out);
		break;
	}
	refs_figures(f, s, of);
	return f;
}

void refs_findings(const struct refs_sheet *s, struct findings *out)
{
	const struct refs *r = s->refs;
	char objects[REFS_OBJECTS_MAX];
	const struct refs_subject of = {.about = ABOUT_CACHE,
					.name = r->cache,
					.objects = refs_objects_words(r, objects),
					.table = "refs.referrers",
					.budget = "--refs-budget"};
	struct finding *f = refs_verdict_find(s, &of, out);
	_cleanup_free_ char *next = NULL;

	if (s->verdict == REFS_LEAKED &&
	    asprintf(&next, "sudo kmemtrace record --cache %s -d 180 -o leak.kmt", s->refs->cache) <
		    0)
		out->failed = true;
	else if (s->verdict == REFS_LEAKED)
		finding_next(out, f, next);
	refs_find_likeness(s, out);
	refs_find_limits(s, out);
}
