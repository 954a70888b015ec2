// SPDX-License-Identifier: GPL-2.0-only
/*
 * The headline of a verdict: who allocated what grew, and for what. What one process (or cgroup)
 * allocated by many call paths is added up and named once. See verdict_internal.h.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "findings/plain_words.h"
#include "findings/verdict_internal.h"
#include "model/container.h"
#include "model/entry.h"
#include "model/sampling.h"

#define COMMON       0.5       /* of what grew: who has more of it is named */
#define ONE_PATH     (2 / 3.0) /* of a holder's bytes: a call path with more is named instead */
#define PARTS_SHOWN  3         /* of what a holder allocated for */
#define PARTS_GROUPS 2000      /* groups beyond are too small to change what is named */
#define PATH_SHOWN   256       /* characters of a cgroup's path */

/* A process or a cgroup, and what it has of all that grew. */
struct holder {
	bool cgroup;
	uint32_t id; /* 0: none */
	double bytes, var;
	double largest; /* by one call path */
	size_t paths;
};

/* "pipe_write+0x1a [mod]", or words for a call path without frames. */
static void describe_site(const struct capture *c, uint32_t stack, char *buf, size_t size)
{
	const struct cap_stack *s = &c->stacks[stack];
	const struct cap_frame *f;

	if (!s->nr_frames) {
		snprintf(buf, size, "a call path that was not recorded");
		return;
	}
	f = &c->frames[s->frames[0]];
	if (f->module[0] && strcmp(f->module, "vmlinux"))
		snprintf(buf, size, "%.*s+0x%llx [%.*s]", NAME_SHOWN, f->symbol,
			 (unsigned long long)f->offset, NAME_SHOWN, f->module);
	else
		snprintf(buf, size, "%.*s+0x%llx", NAME_SHOWN, f->symbol,
			 (unsigned long long)f->offset);
}

/* ", through pipe2()": the system call; "" when the call path began otherwise. */
static void describe_entry(const struct capture *c, uint32_t stack, char *buf, size_t size)
{
	struct entry e;

	entry_of_stack(c, stack, &e);
	buf[0] = '\0';
	if (e.kind == ENTRY_SYSCALL)
		snprintf(buf, size, ", through %.*s", NAME_SHOWN, e.label);
}

/* ---- plain words ---- */

/* What the process started: threads of its own, or processes. The task list tells. */
static const char *started_noun(const struct writer *w, uint32_t process, double count)
{
	const struct holders *l = w->f->levels;
	int32_t tgid = w->f->v->c->processes[process].tgid;

	if (!l->tasks_known || !tgid)
		return "threads or processes";
	for (size_t i = 0; i < l->processes.nr; i++) {
		const struct process_level *p = &l->processes.items[i];

		if (p->tgid == tgid &&
		    p->threads.end - p->threads.start >= fmax(isnan(count) ? 2 : count / 2, 2))
			return "threads";
	}
	return "processes";
}

/* "for 3,000 sockets", "to start 6,000 threads". */
static void describe_things(const struct writer *w, const struct plain_words *words, double count,
			    uint32_t process, char *buf, size_t size)
{
	const char *noun =
		words->of == PLAIN_THREADS ? started_noun(w, process, count) : words->noun;
	char number[UNITS_MAX];

	if (count >= 1)
		snprintf(buf, size, "%s %s%s %s", words->verb, w->f->v->exact ? "" : "about ",
			 units_count(number, round(count)), noun);
	else
		snprintf(buf, size, "%s %s", words->verb, noun);
}

/* ---- one call path (or whatever growth was added up by) ---- */

/* " of dentry", " of TCP and 5 other caches"; "" outside slab. */
static void describe_caches(const struct writer *w, const struct growth_group *g, char *buf,
			    size_t size)
{
	const struct cache_row *cache = growth_cache(g, w->f->caches);

	buf[0] = '\0';
	if (!cache)
		return;
	if (g->caches.nr > 1)
		snprintf(buf, size, " of %.*s and %zu other cache%s", NAME_SHOWN, cache->name,
			 g->caches.nr - 1, g->caches.nr > 2 ? "s" : "");
	else
		snprintf(buf, size, " of %.*s", NAME_SHOWN, cache->name);
}

static void describe_process(const struct writer *w, const struct growth_group *g, char *buf,
			     size_t size)
{
	const struct growth_share *most = g->processes.items;
	const struct cap_process *p = &w->f->v->c->processes[most->id];

	buf[0] = '\0';
	if (!most->id || !(g->bytes > 0))
		return;
	if (p->tgid)
		snprintf(buf, size, ", %.0f%% of it by %.32s[%d]", 100 * most->bytes / g->bytes,
			 p->comm, p->tgid);
	else
		snprintf(buf, size, ", %.0f%% of it in interrupts", 100 * most->bytes / g->bytes);
}

/* What a finding about a group of growth rests on. */
static void finding_group(const struct writer *w, struct finding *f, const struct growth_group *g)
{
	const struct cache_row *cache = growth_cache(g, w->f->caches);
	size_t rank = (size_t)(g - w->f->growth->groups) + 1;

	finding_subject(f, "%s %zu", pool_name(g->pool), rank);
	finding_figure(f, "bytes", g->bytes, g->bytes_low, g->bytes_high);
	finding_figure(f, "objects", g->objects, NAN, NAN);
	finding_figure(f, "share", g->bytes / w->f->growth->bytes, NAN, NAN);
	finding_evidence(f, "growth", "%zu", rank);
	if (!cache)
		return;
	finding_evidence(f, "caches", "%s", cache->name);
	finding_trust(f, cache->trust.level);
}

static void say_group(struct writer *w, const struct growth_group *g, bool second)
{
	struct finding *f;
	const struct capture *c = w->f->v->c;
	uint32_t stack = g->stacks.items[0].id;
	const struct plain_words *words = plain_words_of(c, stack, g->pool);
	char held[UNITS_MAX], objects[UNITS_MAX], site[256], entry[96], process[96], things[160],
		of_caches[NAME_SHOWN + 64], what_for[192] = "";

	describe_site(c, stack, site, sizeof(site));
	describe_entry(c, stack, entry, sizeof(entry));
	describe_process(w, g, process, sizeof(process));
	describe_caches(w, g, of_caches, sizeof(of_caches));
	if (words) {
		describe_things(w, words, plain_words_count(words, g, w->f->caches),
				g->processes.items[0].id, things, sizeof(things));
		snprintf(what_for, sizeof(what_for), "%s, ", things);
	}
	w->named = true;
	f = verdict_say(w, FINDING(w->severity, "path", ABOUT_PATH),
			"The %s part, %s (%.0f%% of held memory, %s object%s%s), was allocated "
			"%s%s%s%s%s%s.",
			second ? "second largest" : "largest", units_bytes(held, g->bytes),
			100 * g->bytes / w->f->growth->bytes, units_count(objects, g->objects),
			g->objects == 1 ? "" : "s", of_caches, what_for,
			g->stacks.nr > 1 ? "mostly " : "", "at ", site, entry, process);
	finding_group(w, f, g);
}

static void say_groups(struct writer *w)
{
	const struct growth *g = w->f->growth;
	const struct growth_group *first = NULL;

	for (size_t i = w->top_rank; i < g->nr && g->groups[i].bytes >= HELD_BYTES; i++) {
		const struct growth_group *group = &g->groups[i];

		if (!verdict_group_grew(w, group))
			continue;
		if (sampling_samples(group->bytes, group->traced_var) < SAMPLING_TO_NAME)
			return;
		/* Name the second group only if it is at least half as large as the first. */
		if (first && group->bytes < first->bytes / 2)
			return;
		say_group(w, group, first != NULL);
		if (first)
			return;
		first = group;
	}
}

/* ---- a process or a cgroup, through many call paths ---- */

static const struct growth_shares *holder_shares(const struct growth_group *g, bool cgroup)
{
	return cgroup ? &g->cgroups : &g->processes;
}

/* The holder with most of what grew, and how much grew in all. */
static int holder_find(const struct writer *w, bool cgroup, struct holder *out, double *all)
{
	const struct growth *g = w->f->growth;
	size_t ids = cgroup ? w->f->v->c->nr_cgroups : w->f->v->c->nr_processes;
	_cleanup_free_ struct holder *holders = calloc(ids + 1, sizeof(*holders));
	size_t best = 0;

	if (!holders)
		return -ENOMEM;
	*all = 0;
	for (size_t i = 0; i < g->nr; i++) {
		const struct growth_group *group = &g->groups[i];
		const struct growth_shares *shares = holder_shares(group, cgroup);

		if (!verdict_group_grew(w, group))
			continue;
		*all += group->bytes;
		for (size_t k = 0; k < shares->nr; k++) {
			const struct growth_share *share = &shares->items[k];
			struct holder *h = &holders[share->id];

			h->bytes += share->bytes;
			h->var += group->bytes > 0 ? group->traced_var * share->bytes / group->bytes
						   : 0;
			h->largest = fmax(h->largest, share->bytes);
			h->paths += group->stacks.nr;
		}
	}
	for (size_t id = 1; id < ids; id++)
		if (holders[id].bytes > holders[best].bytes || !best)
			best = id;
	*out = holders[best];
	out->id = (uint32_t)best;
	out->cgroup = cgroup;
	return 0;
}

/* What a holder allocated for: call paths with the same words are one part. */
struct part {
	const struct plain_words *words;  /* NULL: `group` alone, by its place */
	const struct growth_group *group; /* its largest */
	double bytes, count;
};

static int compare_grown(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

static double holder_share(const struct growth_group *g, const struct holder *h)
{
	const struct growth_shares *shares = holder_shares(g, h->cgroup);

	for (size_t i = 0; i < shares->nr; i++)
		if (shares->items[i].id == h->id)
			return shares->items[i].bytes;
	return 0;
}

/* Add the group to the part with its words, or begin one. `parts` has room for one per group. */
static void part_add(const struct writer *w, const struct growth_group *g, double bytes,
		     struct part *parts, size_t *nr)
{
	const struct plain_words *words =
		plain_words_of(w->f->v->c, g->stacks.items[0].id, g->pool);
	double count = words ? plain_words_count(words, g, w->f->caches) : NAN;
	size_t i = 0;

	while (i < *nr && !(words && parts[i].words && !strcmp(parts[i].words->noun, words->noun)))
		i++;
	if (i == *nr)
		parts[(*nr)++] = (struct part){.words = words, .group = g, .count = NAN};
	parts[i].bytes += bytes;
	/* a thread's stack and its task_struct are one thread */
	parts[i].count = fmax(parts[i].count, count * bytes / g->bytes);
}

static int describe_parts(const struct writer *w, const struct holder *h, char *buf, size_t size)
{
	const struct growth *g = w->f->growth;
	_cleanup_free_ struct part *parts = calloc(g->nr + 1, sizeof(*parts));
	size_t nr = 0, at = 0;

	if (!parts)
		return -ENOMEM;
	for (size_t i = 0; i < g->nr && i < PARTS_GROUPS; i++) {
		double bytes =
			verdict_group_grew(w, &g->groups[i]) ? holder_share(&g->groups[i], h) : 0;

		if (bytes > 0)
			part_add(w, &g->groups[i], bytes, parts, &nr);
	}
	if (nr)
		qsort(parts, nr, sizeof(*parts), compare_grown);
	buf[0] = '\0';
	for (size_t i = 0; i < nr && i < PARTS_SHOWN && at < size; i++) {
		const struct part *p = &parts[i];
		char bytes[UNITS_MAX], site[256], what[272] = "at ";

		if (i && p->bytes < h->bytes / 20)
			break;
		if (p->words)
			describe_things(w, p->words, p->count,
					h->cgroup ? p->group->processes.items[0].id : h->id, what,
					sizeof(what));
		else
			describe_site(w->f->v->c, p->group->stacks.items[0].id, what + 3,
				      sizeof(what) - 3);
		describe_site(w->f->v->c, p->group->stacks.items[0].id, site, sizeof(site));
		at += (size_t)snprintf(buf + at, size - at, "%s%s (%s%s%s)", i ? ", " : "", what,
				       units_bytes(bytes, p->bytes),
				       !i && p->words ? ", most of it at " : "",
				       !i && p->words ? site : "");
	}
	return 0;
}

static void describe_holder(const struct capture *c, const struct holder *h, char *buf, size_t size)
{
	struct container container;
	char label[128];

	if (!h->cgroup) {
		snprintf(buf, size, "by %.32s[%d]", c->processes[h->id].comm,
			 c->processes[h->id].tgid);
		return;
	}
	container_of_cgroup(c->cgroups[h->id], &container);
	container_label(&container, label, sizeof(label));
	snprintf(buf, size, "in cgroup %.*s%s%s%s", PATH_SHOWN, c->cgroups[h->id],
		 label[0] ? " (" : "", label, label[0] ? ")" : "");
}

static void say_holder(struct writer *w, const struct holder *h)
{
	struct finding *f;
	char held[UNITS_MAX], who[PATH_SHOWN + 192], parts[1024];

	if (describe_parts(w, h, parts, sizeof(parts))) {
		w->failed = true;
		return;
	}
	describe_holder(w->f->v->c, h, who, sizeof(who));
	w->named = true;
	f = verdict_say(w, FINDING(w->severity, "holder", h->cgroup ? ABOUT_CGROUP : ABOUT_PROCESS),
			"The largest part, %s (%.0f%% of held memory), was allocated through %zu "
			"call path%s, 100%% of it %s: %s.",
			units_bytes(held, h->bytes), 100 * h->bytes / w->f->growth->bytes, h->paths,
			h->paths == 1 ? "" : "s", who, parts);
	finding_figure(f, "bytes", h->bytes, NAN, NAN);
	finding_figure(f, "share", h->bytes / w->f->growth->bytes, NAN, NAN);
	if (h->cgroup)
		finding_subject(f, "%s", w->f->v->c->cgroups[h->id]);
	else
		finding_subject(f, "%.32s[%d]", w->f->v->c->processes[h->id].comm,
				w->f->v->c->processes[h->id].tgid);
	if (w->top)
		finding_evidence(f, "growth", "%zu", w->top_rank + 1);
}

/* Does most of the growth belong to this process or cgroup, and not to a single call path of it? */
static bool holder_is_common(const struct writer *w, const struct holder *h, double all)
{
	const struct capture *c = w->f->v->c;

	if (!h->id || h->bytes < HELD_BYTES ||
	    sampling_samples(h->bytes, h->var) < SAMPLING_TO_NAME)
		return false;
	if (w->f->growth->by == (h->cgroup ? GROWTH_BY_CGROUP : GROWTH_BY_PROCESS))
		return h->cgroup || c->processes[h->id].tgid;
	if (h->cgroup ? !strcmp(c->cgroups[h->id], "/") : !c->processes[h->id].tgid)
		return false;
	return h->bytes >= COMMON * all && h->largest < ONE_PATH * h->bytes;
}

static bool say_common(struct writer *w)
{
	bool by_cgroup = w->f->growth->by == GROWTH_BY_CGROUP;

	for (int i = 0; i < 2; i++) {
		bool cgroup = by_cgroup ? !i : i;
		struct holder h;
		double all;

		if (holder_find(w, cgroup, &h, &all)) {
			w->failed = true;
			return true;
		}
		if (holder_is_common(w, &h, all)) {
			say_holder(w, &h);
			return true;
		}
		/* one call path of one process says more than its cgroup */
		if (h.id && h.bytes >= COMMON * all && !by_cgroup)
			return false;
	}
	return false;
}

void verdict_say_where(struct writer *w)
{
	if (!w->traced)
		return;
	if (!say_common(w) && w->top)
		say_groups(w);
	if (!w->named && !w->failed)
		verdict_say(w, FINDING(FINDING_CAUTION, "holder-unknown", ABOUT_RECORDING),
			    "Too few samples fell on what grew, so who allocated it is unknown.");
}
