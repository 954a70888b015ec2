// SPDX-License-Identifier: GPL-2.0-only
/* Builds the first screen of a diff, one function for each of its parts: see diff_screen.h. */
#include "findings/diff_screen.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "model/confidence.h"

#define SOLE_SHARE                                                                               \
	0.9            /* a process that holds less of what it is named for has others beside it \
			*/
#define ROW_SHARE 0.05 /* rows with a smaller share of the faster growth are not named */

const char *diff_state_name(enum diff_state state)
{
	static const char *const names[] = {
		[DIFF_UNKNOWN] = "UNKNOWN", [DIFF_QUIET] = "QUIET",   [DIFF_SLOWER] = "SLOWER",
		[DIFF_LOWER] = "LOWER",     [DIFF_HIGHER] = "HIGHER", [DIFF_GREW] = "GREW",
		[DIFF_GROWING] = "GROWING",
	};

	return names[state];
}

const char *diff_share_words(char buf[DIFF_SHARE_MAX], const struct diff_figure *f)
{
	if (f->base > 0 && f->new_ >= 2 * f->base)
		snprintf(buf, DIFF_SHARE_MAX, "%.1f times", f->new_ / f->base);
	else if (f->base > 0)
		snprintf(buf, DIFF_SHARE_MAX, "%+.0f%%", 100 * f->delta / f->base);
	else
		snprintf(buf, DIFF_SHARE_MAX, "new");
	return buf;
}

/* ---- what changed ---- */

struct screen_writer {
	const struct diff *d;
	const struct trust *trust; /* in the first row of growth; NULL: it did not change */
	bool grew;                 /* held memory grows faster */
	struct diff_screen *s;
	const struct diff_row *pool; /* the pool that the headline is about; NULL: none */
};

/* The line of /proc/meminfo that a pool's memory is in. */
static const char *pool_line(enum pool pool)
{
	static const char *const lines[POOLS] = {
		[POOL_SLAB] = "Slab",        [POOL_VMALLOC] = "VmallocUsed",
		[POOL_PERCPU] = "Percpu",    [POOL_KSTACK] = "KernelStack",
		[POOL_PAGE] = "Unaccounted", [POOL_PAGETABLE] = "PageTables",
	};

	return lines[pool];
}

static const struct diff_row *pool_find(const struct diff *d, const char *line)
{
	const struct diff_rows *rows = &d->sections[PROFILE_POOLS];

	for (size_t i = 0; i < rows->nr; i++)
		if (!strcmp(diff_row_name(&rows->items[i]), line))
			return &rows->items[i];
	return NULL;
}

/* The row of the new capture's slab caches with this name; NULL: none. */
static const struct profile_row *cache_of(const struct diff *d, const char *name)
{
	if (!name[0])
		return NULL;
	return profile_find(&d->in.new_->sections[PROFILE_CACHES], match_cache(d->in.match, name));
}

static bool is_known(enum pattern p)
{
	return p != PATTERN_UNKNOWN;
}

/* What the memory of the first row of growth did in the new capture: its cache, else its pool. A
 * cache may be steady as its new objects fill slabs that exist. */
static enum pattern diff_growth_pattern(const struct screen_writer *w)
{
	const struct diff_row *row = &w->d->sections[PROFILE_GROWTH].items[0];
	const struct profile_row *cache = row->new_ ? cache_of(w->d, row->new_->cache) : NULL;
	const struct profile_row *pool = w->pool ? w->pool->new_ : NULL;

	if (cache && is_known(cache->pattern) && cache->pattern != PATTERN_STEADY)
		return cache->pattern;
	return pool ? pool->pattern : PATTERN_UNKNOWN;
}

static bool any_comparable(const struct diff *d)
{
	const struct diff_rows *pools = &d->sections[PROFILE_POOLS];

	for (int s = PROFILE_CACHES; s < PROFILE_SECTIONS; s++)
		if (d->sections[s].comparable)
			return true;
	for (size_t i = 0; i < pools->nr; i++)
		if (!isnan(pools->items[i].level.delta))
			return true;
	return false;
}

/* The section of levels that the headline is about: the first in which a level is higher, or with
 * `lower` the first in which one changed. PROFILE_GROWTH: none. */
static enum profile_section level_section(const struct diff *d, bool lower)
{
	for (int s = 0; s < PROFILE_LEVELS; s++)
		if (lower ? d->sections[s].changed : diff_rows_grown(&d->sections[s]))
			return s;
	return PROFILE_GROWTH;
}

static bool level_is_higher(const struct diff *d)
{
	return level_section(d, false) != PROFILE_GROWTH;
}

static enum diff_state state_find(const struct screen_writer *w)
{
	const struct diff *d = w->d;

	if (w->grew)
		return diff_growth_pattern(w) == PATTERN_GROWING ? DIFF_GROWING : DIFF_GREW;
	if (level_is_higher(d))
		return DIFF_HIGHER;
	if (level_section(d, true) != PROFILE_GROWTH)
		return DIFF_LOWER;
	if (d->sections[PROFILE_GROWTH].changed)
		return DIFF_SLOWER;
	return any_comparable(d) ? DIFF_QUIET : DIFF_UNKNOWN;
}

/* ---- figures ---- */

/* Rows of growth added up. The interval is that of a sum of independent figures. */
struct growth_sum {
	double base, new_, delta;
	double below, above; /* squares of the distances to the interval's ends */
};

static void growth_sum_add(struct growth_sum *sum, const struct diff_figure *f)
{
	sum->base += f->base;
	sum->new_ += f->new_;
	sum->delta += f->delta;
	sum->below += (f->delta - f->low) * (f->delta - f->low);
	sum->above += (f->high - f->delta) * (f->high - f->delta);
}

static const char *growth_sum_interval(char buf[INTERVAL_WORDS_MAX], const char *lead,
				       const struct growth_sum *sum)
{
	return interval_words(buf, lead, sum->delta, sum->delta - sqrt(sum->below),
			      sum->delta + sqrt(sum->above), units_bytes);
}

/* "dentry", with words for what the row's section counts. */
static void add_level_name(char *words, enum profile_section section, const struct diff_row *row)
{
	static const char *const leads[PROFILE_SECTIONS] = {
		[PROFILE_POOLS] = "",
		[PROFILE_CACHES] = "Within Slab, ",
		[PROFILE_VMALLOC] = "The vmalloc areas of ",
		[PROFILE_STACKS] = "What kernel stacks take for ",
		[PROFILE_PAGE_TABLES] = "What page tables take for ",
	};
	char name[SCREEN_NAME + 1];

	screen_add(words, "%s%s", leads[section], screen_name(diff_row_name(row), name));
}

/* "38.1 MiB higher" */
static void add_difference(char *words, const struct diff_figure *f)
{
	char delta[UNITS_MAX];

	screen_add(words, "%s %s", units_bytes(delta, fabs(f->delta)),
		   f->delta > 0 ? "higher" : "lower");
}

/* "38.1 MiB higher than in the base: 120.1 MiB, was 82.1 MiB (+46%)" */
static void screen_add_level(const struct diff *d, char *words, const struct diff_figure *f)
{
	char base[UNITS_MAX], new_[UNITS_MAX], share[DIFF_SHARE_MAX];

	add_difference(words, f);
	screen_add(words, " than %s: %s, %s %s (%s)", d->in.set ? "usual" : "in the base",
		   units_bytes(new_, f->new_), d->in.set ? "usually" : "was",
		   units_bytes(base, f->base), diff_share_words(share, f));
}

/* Say whether the kernel can free a slab cache, if the capture knows: a copy of /proc does not. */
static void add_reclaimable(const struct profile_row *cache, char *words)
{
	if (cache && cache->reclaim_known)
		screen_add(words, cache->reclaimable ? ", reclaimable" : ", not reclaimable");
}

/* Seconds from the end of the base to the end of the new capture; NaN unless both are of one boot
 * and in this order. */
static double elapsed_s(const struct diff *d)
{
	const struct view *base = d->in.base_view, *new_ = d->in.new_view;
	const char *boot = capture_meta(new_->c, META_BOOT_ID);
	double s;

	if (!base || !boot[0] || strcmp(boot, capture_meta(base->c, META_BOOT_ID)))
		return NAN;
	s = view_wall_s(new_) + new_->duration_s - view_wall_s(base) - base->duration_s;
	return s > 0 ? s : NAN;
}

/* ---- the headline ---- */

/* How fast a level rose, if that is known: from the base to the new capture, else within it. */
static void add_level_rate(const struct diff *d, char *words, const struct diff_row *row)
{
	char rate[UNITS_MAX], time[UNITS_MAX];
	double s = elapsed_s(d), now = row->growth.new_;

	if (s > 0)
		screen_add(words, " That is %s/s in the %s from one to the other.",
			   units_bytes(rate, fabs(row->level.delta) / s), units_duration(time, s));
	else if (now * d->in.new_view->duration_s > DIFF_HELD_FLOOR)
		screen_add(words, " It grew by %s/s during the new capture.",
			   units_bytes(rate, now));
}

static void headline_growth(struct screen_writer *w)
{
	const struct diff_rows *rows = &w->d->sections[PROFILE_GROWTH];
	const struct diff_rows *pools = &w->d->sections[PROFILE_POOLS];
	const struct diff_row *level = diff_rows_grown(pools) ? &pools->items[0] : NULL;
	enum pool pool = diff_row_pool(&rows->items[0]);
	bool set = w->d->in.set, growing = w->s->state == DIFF_GROWING;
	char more[UNITS_MAX], base[UNITS_MAX], now[UNITS_MAX], interval[INTERVAL_WORDS_MAX];
	enum pattern pattern = diff_growth_pattern(w);
	struct growth_sum sum = {0};
	char *words = w->s->headline;

	for (size_t i = 0; i < diff_rows_grown(rows); i++)
		if (diff_row_pool(&rows->items[i]) == pool)
			growth_sum_add(&sum, &rows->items[i].growth);
	screen_add(words, "Held memory in %s %s %s/s faster than %s%s: %s/s, %s %s/s.",
		   pool_line(pool), growing ? "grows" : "grew", units_bytes(more, sum.delta),
		   set ? "usual" : "in the base",
		   growth_sum_interval(interval, " (95% interval ", &sum),
		   units_bytes(now, sum.new_), set ? "usually" : "before",
		   units_bytes(base, sum.base));
	if (!level && w->pool && w->pool->level.status != DIFF_SAME)
		level = w->pool; /* it is lower, although something in it grows */
	if (level) {
		screen_add(words, " %s is ", diff_row_name(level));
		screen_add_level(w->d, words, &level->level);
		screen_add(words, ".");
	}
	if (!is_known(pattern))
		screen_add(words, " Too few readings to say whether it still grows.");
	else if (pattern == PATTERN_STEP)
		screen_add(words, " It has stopped growing.");
}

/* Of a level that is higher, or if none is, of one that is lower. */
static void headline_level(struct screen_writer *w)
{
	const struct diff *d = w->d;
	enum profile_section section = level_section(d, w->s->state == DIFF_LOWER);
	const struct diff_row *row = &d->sections[section].items[0];
	char *words = w->s->headline;

	if (w->s->state == DIFF_LOWER)
		screen_add(words, "Nothing is higher%s. ",
			   d->sections[PROFILE_GROWTH].comparable ? ", and nothing grows faster"
								  : "");
	add_level_name(words, section, row);
	screen_add(words, " is ");
	screen_add_level(d, words, &row->level);
	screen_add(words, ".");
	if (w->s->state == DIFF_LOWER) {
		if (d->sections[PROFILE_GROWTH].changed)
			screen_add(words, " Some held memory grows slower (--show growth).");
		return;
	}
	add_level_rate(d, words, row);
	if (d->sections[PROFILE_GROWTH].comparable)
		screen_add(words, " No held memory grows faster.");
}

static void headline_slower(struct screen_writer *w)
{
	const struct diff_row *row = &w->d->sections[PROFILE_GROWTH].items[0];
	char less[UNITS_MAX], interval[INTERVAL_WORDS_MAX], base[UNITS_MAX], now[UNITS_MAX];
	const struct diff_figure *f = &row->growth;
	bool set = w->d->in.set;

	screen_add(w->s->headline,
		   "Nothing is higher, and nothing grows faster. Held memory in %s grows %s/s "
		   "slower than %s%s: %s/s, %s %s/s.",
		   pool_line(diff_row_pool(row)), units_bytes(less, -f->delta),
		   set ? "usual" : "in the base",
		   interval_words(interval, " (95% interval ", -f->delta, -f->high, -f->low,
				  units_bytes),
		   units_bytes(now, f->new_), set ? "usually" : "before",
		   units_bytes(base, f->base));
}

static void diff_write_headline(struct screen_writer *w)
{
	const struct diff *d = w->d;

	switch (w->s->state) {
	case DIFF_UNKNOWN:
		screen_add(w->s->headline,
			   "Nothing can be compared: the two sides have no figures in common.");
		return;
	case DIFF_QUIET:
		screen_add(w->s->headline, "Nothing differs beyond noise: %s%s.",
			   d->sections[PROFILE_GROWTH].comparable
				   ? "all levels are alike, and held memory grows alike"
				   : "all levels are alike",
			   d->nr_churn ? "; only traffic differs (--show churn)" : "");
		return;
	case DIFF_SLOWER:
		headline_slower(w);
		return;
	case DIFF_LOWER:
	case DIFF_HIGHER:
		headline_level(w);
		return;
	default:
		headline_growth(w);
	}
}

/* ---- who holds it: rows of growth ---- */

/* Rows of growth that belong together: what one process takes for one purpose, or in one cache. */
struct diff_bunch {
	const struct diff_row *first; /* the largest */
	const struct plain_words *words;
	struct growth_sum sum;
	double held, objects, base_objects;
	double by_process; /* bytes of `held` that are known to be of that process */
	bool other_caches;
};

static const struct plain_words *row_words(const struct diff *d, const struct diff_row *row)
{
	const struct profile_row *side = diff_row_side(row);
	const struct view *v = diff_row_view(d, row);

	return side && v ? plain_words_of(v->c, side->stack, diff_row_pool(row)) : NULL;
}

/* Is each row a call path, so that one process and one purpose stand behind it? */
static bool is_by_path(const struct diff *d)
{
	return d->in.new_->by == GROWTH_BY_STACK || d->in.new_->by == GROWTH_BY_SITE;
}

static bool bunch_takes(const struct diff *d, const struct diff_bunch *b,
			const struct diff_row *row, const struct plain_words *words)
{
	const struct profile_row *x = b->first->new_, *y = row->new_;

	if (!is_by_path(d) || !x || !y || x->pool != y->pool || x->process != y->process)
		return false;
	if (words && b->words)
		return !strcmp(words->noun, b->words->noun);
	return !strcmp(x->cache, y->cache) && !strcmp(x->class_, y->class_);
}

static int compare_diff_bunch(const void *a, const void *b)
{
	const struct diff_bunch *x = a, *y = b;

	return x->sum.delta > y->sum.delta ? -1 : x->sum.delta < y->sum.delta;
}

static void bunch_add(struct diff_bunch *b, const struct diff_row *row)
{
	growth_sum_add(&b->sum, &row->growth);
	if (row->new_) {
		b->held += row->new_->held;
		b->by_process += row->new_->held * row->new_->who_share;
		b->objects += row->new_->objects;
		b->other_caches |=
			b->first->new_ && strcmp(row->new_->cache, b->first->new_->cache);
	}
	b->base_objects += row->base ? row->base->objects : 0;
}

#define BUNCH_ROWS 2000 /* later rows are too small to change who comes first */

/* Bunch the rows that grow faster, largest first. */
static size_t diff_bunches(const struct diff *d, size_t nr_rows, struct diff_bunch *out)
{
	const struct diff_row *rows = d->sections[PROFILE_GROWTH].items;
	size_t nr = 0, k;

	for (size_t i = 0; i < nr_rows; i++) {
		const struct plain_words *words = row_words(d, &rows[i]);

		for (k = 0; k < nr && !bunch_takes(d, &out[k], &rows[i], words); k++)
			;
		if (k == nr)
			out[nr++] = (struct diff_bunch){.first = &rows[i], .words = words};
		bunch_add(&out[k], &rows[i]);
	}
	if (nr)
		qsort(out, nr, sizeof(*out), compare_diff_bunch);
	return nr;
}

/* The name of a row that is not a call path: "cgroup /a". */
static void add_group(const struct diff *d, const struct diff_row *row, char *words)
{
	static const char *const leads[GROWTH_BYS] = {
		[GROWTH_BY_CACHE] = "slab cache ", [GROWTH_BY_PROCESS] = "processes named ",
		[GROWTH_BY_CGROUP] = "cgroup ",    [GROWTH_BY_MODULE] = "module ",
		[GROWTH_BY_POOL] = "pool ",        [GROWTH_BY_SYSCALL] = "",
	};
	char name[SCREEN_NAME + 1];

	screen_add(words, "%s%s", leads[d->in.new_->by] ?: "",
		   diff_row_name(row)[0] ? screen_name(diff_row_name(row), name) : "(not known)");
}

/* "plant[16281] and others: 3.7 MiB/s faster (3.6 MiB to 3.9 MiB), 5.9 MiB/s now" */
static void bunch_who(const struct diff *d, const struct diff_bunch *b, struct diff_screen_row *out)
{
	const struct profile_row *side = diff_row_side(b->first);
	const struct view *v = diff_row_view(d, b->first);
	char more[UNITS_MAX], interval[INTERVAL_WORDS_MAX], now[UNITS_MAX];
	bool path = is_by_path(d);

	out->label = "WHO";
	out->cmdline = path ? screen_cmdline(v->c, side->process) : "";
	out->cgroup = path ? screen_cgroup(v->c, side->cgroup) : "";
	if (path)
		screen_add_who(v->c, side->process, out->words);
	else
		add_group(d, b->first, out->words);
	if (path && b->by_process < SOLE_SHARE * b->held)
		screen_add(out->words, " and others");
	screen_add(out->words, ": %s/s faster%s, %s/s now", units_bytes(more, b->sum.delta),
		   growth_sum_interval(interval, " (", &b->sum), units_bytes(now, b->sum.new_));
	if (path || !side->process || d->in.new_->by == GROWTH_BY_PROCESS)
		return;
	screen_add(out->words, "; the largest part by ");
	screen_add_who(v->c, side->process, out->words);
}

/* "8.8 MiB in 9,000 objects of msg_msg-1k for messages in message queues (base: 3,000), not
 * reclaimable". A row that is not a call path can have objects of many kinds. */
static void bunch_what(const struct diff *d, const struct diff_bunch *b, char *words)
{
	const struct profile_row *side = diff_row_side(b->first), *cache = cache_of(d, side->cache);
	char held[UNITS_MAX], objects[UNITS_MAX], name[SCREEN_NAME + 1];
	bool path = is_by_path(d);

	screen_add(words, "%s in %s%s ", units_bytes(held, b->held),
		   d->in.new_->sample_bytes > 0 ? "about " : "", units_count(objects, b->objects));
	if (side->cache[0])
		screen_add(words, "objects%s of %s%s", path ? "" : ", the largest part",
			   screen_name(side->cache, name),
			   b->other_caches ? " and other caches" : "");
	else
		screen_add(words, "%s", screen_objects(side->pool));
	if (path)
		screen_add_purpose(b->words, side->pool, words);
	if (!d->in.set)
		screen_add(words, " (base: %s)", units_count(objects, b->base_objects));
	if (path)
		add_reclaimable(cache, words);
}

static int screen_growth_rows(struct screen_writer *w)
{
	const struct diff_rows *rows = &w->d->sections[PROFILE_GROWTH];
	size_t grown = diff_rows_grown(rows), nr = grown < BUNCH_ROWS ? grown : BUNCH_ROWS;
	_cleanup_free_ struct diff_bunch *bunches = calloc(nr + 1, sizeof(*bunches));
	double all = 0;

	if (!bunches)
		return -ENOMEM;
	nr = diff_bunches(w->d, nr, bunches);
	for (size_t i = 0; i < nr; i++)
		all += bunches[i].sum.delta;
	for (size_t i = 0; i < nr && w->s->nr_rows < DIFF_SCREEN_ROWS; i++) {
		const struct diff_bunch *b = &bunches[i];
		const struct view *v = diff_row_view(w->d, b->first);
		struct diff_screen_row *out = &w->s->rows[w->s->nr_rows];

		if (!v || (i && b->sum.delta < ROW_SHARE * all))
			continue;
		bunch_who(w->d, b, out);
		bunch_what(w->d, b, out->what);
		screen_path(v->c, diff_row_side(b->first)->stack, out->how);
		w->s->nr_rows++;
	}
	return 0;
}

/* ---- what is higher: rows of levels ---- */

static void write_level_row(enum profile_section section, const struct diff_row *row,
			    struct diff_screen_row *out)
{
	static const struct {
		const char *label, *words;
	} forms[PROFILE_LEVELS] = {
		[PROFILE_CACHES] = {"WHAT", "slab cache "},
		[PROFILE_VMALLOC] = {"HOW", "vmalloc areas of "},
		[PROFILE_STACKS] = {"WHO", "kernel stacks of "},
		[PROFILE_PAGE_TABLES] = {"WHO", "page tables of "},
	};
	const char *noun =
		section == PROFILE_CACHES ? plain_words_of_cache(diff_row_name(row)) : NULL;
	char name[SCREEN_NAME + 1], base[UNITS_MAX], new_[UNITS_MAX], share[DIFF_SHARE_MAX];

	*out = (struct diff_screen_row){.label = forms[section].label, .cmdline = "", .cgroup = ""};
	screen_add(out->words, "%s%s%s%s%s: ", forms[section].words,
		   screen_name(diff_row_name(row), name), noun ? " (" : "", noun ?: "",
		   noun ? ")" : "");
	add_difference(out->words, &row->level);
	screen_add(out->words, " (%s to %s, %s)", units_bytes(base, row->level.base),
		   units_bytes(new_, row->level.new_), diff_share_words(share, &row->level));
	if (section == PROFILE_CACHES)
		add_reclaimable(row->new_, out->words);
}

/* The level that changed most and was not named yet; `next` counts those that were, by section. If
 * a level is higher, lower ones are not named. */
static const struct diff_row *level_next(const struct diff *d, size_t next[PROFILE_LEVELS],
					 enum profile_section *section)
{
	const struct diff_row *best = NULL;
	bool lower = !level_is_higher(d);

	for (int s = PROFILE_CACHES; s < PROFILE_LEVELS; s++) {
		const struct diff_rows *rows = &d->sections[s];

		if (next[s] >= (lower ? rows->changed : diff_rows_grown(rows)))
			continue;
		if (!best || fabs(rows->items[next[s]].level.delta) > fabs(best->level.delta)) {
			best = &rows->items[next[s]];
			*section = s;
		}
	}
	if (best)
		next[*section]++;
	return best;
}

static void screen_level_rows(struct screen_writer *w)
{
	size_t next[PROFILE_LEVELS] = {0};
	enum profile_section section;
	const struct diff_row *row;

	while (w->s->nr_rows < DIFF_SCREEN_ROWS && (row = level_next(w->d, next, &section)))
		write_level_row(section, row, &w->s->rows[w->s->nr_rows++]);
}

/* ---- since when, how sure ---- */

/* A moment of the new capture. */
static void add_moment(const struct view *v, double t_s, char *words)
{
	char after[UNITS_MAX], when[UNITS_MAX];

	screen_add(words, "%s after the new capture began", units_duration(after, t_s));
	if (units_time(when, "%Y-%m-%d %H:%M:%S UTC", view_wall_s(v) + t_s))
		screen_add(words, " (%s)", when);
}

/* The first reading from which on the pool of the headline was above the level of the base. */
static void write_since(struct screen_writer *w)
{
	const struct view *v = w->d->in.new_view;
	const struct diff_figure *f = w->pool ? &w->pool->level : NULL;
	char *words = w->s->since, time[UNITS_MAX];
	struct profile_series series;
	const char *than = w->d->in.set ? "its usual range" : "the level of the base";
	double limit, s = elapsed_s(w->d);
	size_t first;

	if (!f || (f->status != DIFF_GROWN && f->status != DIFF_NEW) || !(v->duration_s > 0))
		return;
	/* a tenth of the difference: an incident, not what came and went before it */
	limit = f->base_high + fmax(DIFF_LEVEL_FLOOR, (f->new_ - f->base_high) / 10);
	profile_pool_series(v, w->d->in.new_, diff_row_name(w->pool), &series);
	for (first = series.nr; first && series.y[first - 1] > limit; first--)
		;
	if (series.nr < 2 || first == series.nr)
		return;
	if (first) {
		screen_add(words, "%s has been above %s since ", diff_row_name(w->pool), than);
		add_moment(v, series.t[first] - v->start->t_s, words);
		screen_add(words, ".");
		return;
	}
	screen_add(words, "%s was above %s when the new capture began", diff_row_name(w->pool),
		   than);
	s -= v->duration_s;
	if (s > 0)
		screen_add(words, ", %s after the end of the base", units_duration(time, s));
	screen_add(words, ".");
}

static void diff_screen_trust(struct diff_screen *s, enum trust_level level)
{
	s->judged = true;
	s->trust = level;
}

static void sure_growth(struct screen_writer *w)
{
	const struct trust *t = w->trust; /* never NULL here */
	const struct profile *base = w->d->in.base, *new_ = w->d->in.new_;
	bool exact = !(new_->sample_bytes > 0) && (!base || !(base->sample_bytes > 0));

	diff_screen_trust(w->s, t->level);
	screen_add(w->s->sure, "%s%s%s.", trust_name(t->level), t->nr_reasons ? ": " : "",
		   t->nr_reasons ? t->reasons[t->deciding] : "");
	if (w->d->in.set)
		screen_add(w->s->sure, " It is beyond what was seen in %zu captures.",
			   baseline_captures(w->d->in.set));
	else
		screen_add(w->s->sure, "%s",
			   exact ? " Every object was tracked, in both captures."
				 : " Held memory is estimated from samples.");
}

/* Does a pool rise and fall, so that its level at one moment says little? */
static bool row_swings(const struct diff_row *row)
{
	enum pattern p = row->new_ && row->new_->range > DIFF_LEVEL_FLOOR ? row->new_->pattern
									  : PATTERN_UNKNOWN;

	return p == PATTERN_SPIKE || p == PATTERN_SAWTOOTH;
}

static void sure_level(struct screen_writer *w)
{
	bool lower = w->s->state == DIFF_LOWER;
	const struct diff_row *row = &w->d->sections[level_section(w->d, lower)].items[0];

	diff_screen_trust(w->s, row_swings(row) ? TRUST_FAIR : TRUST_HIGH);
	if (row_swings(row))
		screen_add(w->s->sure,
			   "fair: in the new capture it %s, so its level at the end says little.",
			   pattern_words(row->new_->pattern));
	else
		screen_add(w->s->sure, "high: levels are read from /proc, not estimated.");
	if (w->d->in.set)
		screen_add(w->s->sure, " It is beyond what was seen in %zu captures.",
			   baseline_captures(w->d->in.set));
}

/* What is too small to be reported. */
static void sure_quiet(struct screen_writer *w)
{
	bool growth = w->d->sections[PROFILE_GROWTH].comparable;
	char level[UNITS_MAX], held[UNITS_MAX];

	screen_add(w->s->sure, "a pool must differ by more than %s to be reported",
		   units_bytes(level, DIFF_LEVEL_FLOOR));
	if (growth)
		screen_add(w->s->sure, ", growth by more than %s",
			   units_bytes(held, DIFF_HELD_FLOOR));
	screen_add(w->s->sure, "%s",
		   growth && w->d->in.new_->sample_bytes > 0 ? ", or more if it was sampled."
							     : ".");
}

static void diff_write_sure(struct screen_writer *w)
{
	if (w->s->state >= DIFF_GREW || w->s->state == DIFF_SLOWER)
		sure_growth(w);
	else if (w->s->state == DIFF_HIGHER || w->s->state == DIFF_LOWER)
		sure_level(w);
	else if (w->s->state == DIFF_QUIET)
		sure_quiet(w);
}

int diff_screen_build(const struct diff *d, const struct trust *trust, struct diff_screen *out)
{
	const struct diff_rows *growth = &d->sections[PROFILE_GROWTH];
	struct diff_screen s = {0};
	struct screen_writer w = {.d = d, .trust = trust, .s = &s};

	w.grew = growth->comparable && diff_rows_grown(growth);
	if (w.grew)
		w.pool = pool_find(d, pool_line(diff_row_pool(&growth->items[0])));
	else if (diff_rows_grown(&d->sections[PROFILE_POOLS]))
		w.pool = &d->sections[PROFILE_POOLS].items[0];
	s.state = state_find(&w);
	diff_write_headline(&w);
	if (w.grew && screen_growth_rows(&w))
		return -ENOMEM;
	if (s.state == DIFF_HIGHER || s.state == DIFF_LOWER)
		screen_level_rows(&w);
	write_since(&w);
	diff_write_sure(&w);
	*out = s;
	return 0;
}
