// SPDX-License-Identifier: GPL-2.0-only
/* Builds the first screen, one function for each of its parts: see first_screen.h. */
#include "findings/first_screen.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "findings/plain_words.h"
#include "model/confidence.h"
#include "model/entry.h"
#include "model/sampling.h"

#define HOLDER_BYTES 65536.0 /* holders of less are not named, */
#define HOLDER_SHARE 0.05 /* nor are those with a smaller share of the growth, except the first */
#define NAME_SHOWN   48   /* characters of a name; the sections print all of it */
#define OLD_SHARE    0.5  /* say so if a larger share of a pool is older than the recording */
#define PATH_FRAMES  3

const char *screen_state_name(enum screen_state state)
{
	static const char *const names[] = {
		[SCREEN_UNKNOWN] = "UNKNOWN", [SCREEN_QUIET] = "QUIET",
		[SCREEN_SHRANK] = "SHRANK",   [SCREEN_GREW] = "GREW",
		[SCREEN_GROWING] = "GROWING", [SCREEN_LEAK] = "LEAK",
	};

	return names[state];
}

/* Append to a text of SCREEN_WORDS bytes, and cut what does not fit. */
__attribute__((format(printf, 2, 3))) static void screen_add(char *words, const char *fmt, ...)
{
	size_t at = strlen(words);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words + at, SCREEN_WORDS - at, fmt, ap);
	va_end(ap);
}

/* ---- what happened ---- */

static enum screen_state state_of(const struct screen_facts *f)
{
	const struct verdict *v = f->verdict;

	if (v->leak)
		return SCREEN_LEAK;
	if (v->grew)
		return v->growing ? SCREEN_GROWING : SCREEN_GREW;
	if (v->shrunk)
		return SCREEN_SHRANK;
	return f->v->duration_s > 0 ? SCREEN_QUIET : SCREEN_UNKNOWN;
}

/* "61.7 MiB in 12 s (5.1 MiB/s)" */
static void add_change(char *words, const struct view *v, double kb)
{
	char change[UNITS_MAX], duration[UNITS_MAX], rate[UNITS_MAX];

	screen_add(words, "%s in %s", units_bytes(change, fabs(kb) * 1024),
		   units_duration(duration, v->duration_s));
	if (v->duration_s > 0)
		screen_add(words, " (%s/s)", units_bytes(rate, fabs(kb) * 1024 / v->duration_s));
}

/* Say how much of the pool's growth is explained, if that is known. */
static void add_explained(char *words, const struct ledger_row *row)
{
	double share;

	if (!(row->delta_kb > 0) || isnan(row->residual_kb))
		return;
	if (row->residual_low_kb <= 0 && row->residual_high_kb >= 0 &&
	    row->residual_low_kb < row->residual_high_kb) {
		screen_add(words, ", explained within sampling error");
		return;
	}
	share = 100 * (1 - fabs(row->residual_kb) / fmax(row->delta_kb, row->attributed_kb));
	if (share > 0)
		screen_add(words, ", %.*f%% of it explained", share < 99.95 ? 1 : 0, share);
}

static void write_headline(const struct screen_facts *f, struct first_screen *s)
{
	const struct verdict *v = f->verdict;
	char *words = s->headline;
	char duration[UNITS_MAX];

	switch (s->state) {
	case SCREEN_UNKNOWN:
		screen_add(
			words,
			"The capture has only one reading of the levels, so it cannot show growth.");
		return;
	case SCREEN_QUIET:
		screen_add(words, "Nothing grew beyond noise in %s.",
			   units_duration(duration, f->v->duration_s));
		return;
	case SCREEN_SHRANK:
		screen_add(words, "Nothing grew. %s shrank by ", v->shrunk->name);
		add_change(words, f->v, v->shrunk->delta_kb);
		screen_add(words, ".");
		return;
	default:
		break;
	}
	if (v->most) {
		screen_add(words, "%s grew by ", v->most->name);
		add_change(words, f->v, v->most->delta_kb);
		add_explained(words, v->most);
	} else {
		screen_add(words, "Within Slab, %.*s grew by ", NAME_SHOWN, v->cache->name);
		add_change(words, f->v, v->cache->delta_kb);
	}
	if (s->state == SCREEN_GREW)
		screen_add(words, "%s",
			   v->too_few ? " (too few readings to say whether it still grows)"
				      : ", and no longer grows");
	screen_add(words, ".");
	if (s->state == SCREEN_LEAK)
		screen_add(words, " It looks like a leak.");
	else if (v->too_short)
		screen_add(words,
			   " The recording is too short to distinguish lasting growth from delayed "
			   "frees, which takes 150 s.");
}

/* ---- who holds it ---- */

/* Groups of growth that belong together: one process, one cache or class. */
struct bunch {
	const struct growth_group *first; /* the largest */
	const struct plain_words *words;  /* what it is for; NULL: not known */
	uint32_t process;                 /* 0: unknown */
	bool other_caches;                /* objects of further caches are in it */
	double bytes, objects, var;       /* var: from sampling */
};

static uint32_t main_share(const struct growth_shares *shares)
{
	return shares->nr ? shares->items[0].id : 0;
}

/* One thing that a process did takes memory in many places: a new thread has its task_struct, its
 * stack and more. What is for the same thing belongs together, else what is in the same cache. */
static bool belongs(const struct bunch *b, const struct growth_group *g,
		    const struct plain_words *words)
{
	if (b->first->pool != g->pool || b->process != main_share(&g->processes))
		return false;
	if (words && b->words)
		return !strcmp(words->noun, b->words->noun);
	return main_share(&b->first->caches) == main_share(&g->caches) &&
	       !strcmp(b->first->class_, g->class_);
}

static int compare_bunch(const void *a, const void *b)
{
	const struct bunch *x = a, *y = b;

	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

#define BUNCH_GROUPS 2000 /* later groups are too small to change who holds most */

/* Bunch the groups of `pool` (POOLS: all). *held is what they hold. */
static size_t bunches_make(const struct screen_facts *f, enum pool pool, struct bunch *out,
			   double *held)
{
	const struct growth *g = f->growth;
	size_t nr = 0, k;

	*held = 0;
	for (size_t i = 0; i < g->nr && i < BUNCH_GROUPS; i++) {
		const struct growth_group *group = &g->groups[i];
		const struct plain_words *words;

		if (pool != POOLS ? group->pool != pool : !f->verdict->pools_grew[group->pool])
			continue;
		*held += group->bytes;
		words = plain_words_of(f->v->c, main_share(&group->stacks), group->pool);
		for (k = 0; k < nr && !belongs(&out[k], group, words); k++)
			;
		if (k == nr)
			out[nr++] = (struct bunch){.first = group,
						   .words = words,
						   .process = main_share(&group->processes)};
		out[k].bytes += group->bytes;
		out[k].objects += group->objects;
		out[k].var += group->traced_var;
		out[k].other_caches |=
			main_share(&group->caches) != main_share(&out[k].first->caches) ||
			group->caches.nr > 1;
	}
	if (nr)
		qsort(out, nr, sizeof(*out), compare_bunch);
	return nr;
}

static void write_who(const struct screen_facts *f, const struct bunch *b, struct screen_holder *h)
{
	const struct capture *c = f->v->c;
	const struct cap_process *p = &c->processes[b->process];

	h->cmdline = b->process && p->cmdline ? p->cmdline : "";
	h->cgroup = c->cgroups[main_share(&b->first->cgroups)] ?: "";
	if (!strcmp(h->cgroup, "/"))
		h->cgroup = "";
	if (!b->process)
		screen_add(h->who, "by unknown processes");
	else if (!p->tgid)
		screen_add(h->who, "in interrupts, not by a process");
	else
		screen_add(h->who, "%.*s[%d]", NAME_SHOWN, p->comm, p->tgid);
}

/* "62,750 objects of msg_msg-1k for messages in message queues, growing, not reclaimable" */
static void write_what(const struct screen_facts *f, const struct bunch *b, char *words)
{
	const struct cache_row *cache = growth_cache(b->first, f->caches);
	const struct plain_words *plain = b->words;
	char objects[UNITS_MAX];

	screen_add(words, "%s ", units_count(objects, b->objects));
	if (cache)
		screen_add(words, "objects of %.*s%s", NAME_SHOWN, cache->name,
			   b->other_caches ? " and other caches" : "");
	else
		screen_add(words, "allocations of %s%s%s", pool_name(b->first->pool),
			   b->first->class_[0] ? " " : "", b->first->class_);
	if (plain) /* without the explanation in brackets */
		screen_add(words, " %s %.*s", plain->verb,
			   (int)(strchr(plain->noun, '(') ? strcspn(plain->noun, "(") - 1
							  : strlen(plain->noun)),
			   plain->noun);
	if (!cache)
		return;
	if (cache->trend.pattern != PATTERN_UNKNOWN && cache->trend.pattern != PATTERN_STEADY)
		screen_add(words, ", %s", pattern_name(cache->trend.pattern));
	if (cache->cap && !cache->large)
		screen_add(words, cache->cap->reclaimable ? ", reclaimable" : ", not reclaimable");
}

char *path_in_short(const struct capture *c, uint32_t stack, char *buf, size_t size)
{
	const struct cap_stack *s = &c->stacks[stack];
	struct entry e;
	size_t at = 0;

	if (!s->nr_frames) {
		snprintf(buf, size, "call path not recorded");
		return buf;
	}
	entry_of_stack(c, stack, &e);
	buf[0] = '\0';
	for (uint32_t i = 0; i < s->nr_frames && i < PATH_FRAMES && i < e.frames && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%.*s", i ? " < " : "", NAME_SHOWN,
				       c->frames[s->frames[i]].symbol);
	if (at < size && e.frames > PATH_FRAMES)
		at += (size_t)snprintf(buf + at, size - at, " < ..");
	if (at < size && e.kind != ENTRY_UNKNOWN)
		snprintf(buf + at, size - at, "%s%.*s", at ? " < " : "", NAME_SHOWN, e.label);
	return buf;
}

/* Name the holders of the pool in the headline, or of all pools that grew if that one was not
 * traced. */
static int write_holders(const struct screen_facts *f, struct first_screen *s)
{
	_cleanup_free_ struct bunch *bunches = NULL;
	const struct ledger_row *most = f->verdict->most;
	const struct growth *g = f->growth;
	size_t nr = g->nr < BUNCH_GROUPS ? g->nr : BUNCH_GROUPS;
	double held;

	if (!nr)
		return 0;
	bunches = calloc(nr, sizeof(*bunches));
	if (!bunches)
		return -ENOMEM;
	nr = bunches_make(f, most ? most->pool : POOL_SLAB, bunches, &held);
	if (!nr || bunches[0].bytes < HOLDER_BYTES)
		nr = bunches_make(f, POOLS, bunches, &held);
	for (size_t i = 0; i < nr && s->nr_holders < SCREEN_HOLDERS; i++) {
		const struct bunch *b = &bunches[i];
		struct screen_holder *h;

		if (b->bytes < HOLDER_BYTES || (i && b->bytes < HOLDER_SHARE * held))
			break;
		if (sampling_samples(b->bytes, b->var) < SAMPLING_TO_NAME)
			break; /* what holds less is not first, however well it is known */
		h = &s->holders[s->nr_holders];
		h->bytes = b->bytes;
		h->share = b->bytes / held;
		write_who(f, b, h);
		write_what(f, b, h->what);
		path_in_short(f->v->c, main_share(&b->first->stacks), h->how, sizeof(h->how));
		s->nr_holders++;
	}
	return 0;
}

/* ---- how urgent, how reliable, what was not seen ---- */

static void write_urgent(const struct screen_facts *f, struct first_screen *s)
{
	const struct exhaustion *o = f->exhaustion;
	const struct exhaustion_row *row = o->rows;
	char left[UNITS_MAX], when[UNITS_MAX], interval[INTERVAL_WORDS_MAX] = "";

	if (o->nr) {
		units_duration(when, row->seconds);
		interval_words(interval, " (", row->seconds, row->low, row->high, units_duration);
	}
	if (o->nr && row->of == EXHAUSTION_MEMORY)
		screen_add(s->urgent, "%s: the available %s lasts %s at this rate%s.", row->name,
			   units_bytes(left, row->left * 1024), when, interval);
	else if (o->nr)
		screen_add(s->urgent, "%s: the %s more %s that it allows last %s at this rate%s.",
			   row->name, units_count(left, row->left),
			   row->of == EXHAUSTION_FILES ? "open files" : "threads", when, interval);
	else if (!isnan(o->available_kb))
		screen_add(s->urgent, "no: at this rate, nothing runs out soon; %s are available.",
			   units_bytes(left, o->available_kb * 1024));
	else
		screen_add(s->urgent, "unknown: this kernel does not show available memory.");
}

static void write_sure(const struct screen_facts *f, struct first_screen *s)
{
	const struct trust *t = f->trust;

	screen_add(s->sure, "%s%s%s", trust_name(t->level), t->nr_reasons ? ": " : "",
		   t->nr_reasons ? t->reasons[t->deciding] : "");
	if (!f->v->exact)
		screen_add(s->sure, "; figures of held memory are estimates from samples");
	screen_add(s->sure, ".");
}

/* The pool with the most memory that is older than the recording. */
static const struct ledger_row *oldest_pool(const struct ledger *ledger, double *old_kb)
{
	const struct ledger_row *most = NULL;

	*old_kb = 0;
	for (size_t i = 0; i < LEDGER_UNACCOUNTED; i++) {
		const struct ledger_row *row = &ledger->rows[i];
		double old = row->end_kb - fmax(row->attributed_kb, 0);

		if (old > *old_kb && old > OLD_SHARE * row->end_kb) {
			*old_kb = old;
			most = row;
		}
	}
	return most;
}

static void write_unseen(const struct screen_facts *f, struct first_screen *s)
{
	char a[UNITS_MAX], b[UNITS_MAX];
	const struct ledger_row *row;
	double old_kb;

	if (!f->v->complete)
		screen_add(s->unseen, "The recording did not end properly. ");
	if (!f->v->at) {
		screen_add(s->unseen, "No allocations were traced, so only levels are known.");
		return;
	}
	if (view_filter_left_nothing(f->v))
		screen_add(s->unseen,
			   "No allocation passed the filter, so only levels are known. ");
	else if (view_is_filtered(f->v))
		screen_add(s->unseen, "Allocations that did not pass the filter. ");
	row = oldest_pool(f->ledger, &old_kb);
	if (row)
		screen_add(s->unseen, "%s of the %s in %s are older than this recording. ",
			   units_bytes(a, old_kb * 1024), units_bytes(b, row->end_kb * 1024),
			   row->name);
	if (f->losses->events > 0)
		screen_add(s->unseen, "%s events were lost (%s%% of all).",
			   units_count(a, f->losses->events),
			   units_share(b, 100 * losses_ratio(f->losses)));
}

int first_screen_build(const struct screen_facts *f, struct first_screen *out)
{
	struct first_screen s = {.state = state_of(f)};

	write_headline(f, &s);
	/* If nothing grew, held memory is of no interest. */
	if (s.state >= SCREEN_GREW && write_holders(f, &s))
		return -ENOMEM;
	write_urgent(f, &s);
	write_sure(f, &s);
	write_unseen(f, &s);
	*out = s;
	return 0;
}
