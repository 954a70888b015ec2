// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the notes and the verdict of a diff: see diff_findings.h. Names in the sentences are as
 * captured: the renderer must escape them.
 */
#include "findings/diff_findings.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "findings/verdict.h"
#include "model/confidence.h"
#include "model/losses.h"

#define NAME_SHOWN  64
#define STACK_SHOWN 120
#define SET_CAUTION 5 /* captures; fewer cannot show a spread */

struct words {
	struct diff *d;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void diff_say(struct words *w, const char *fmt, ...)
{
	char *text = NULL, **slot;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	slot = text ? ARRAY_PUSH(&w->d->verdict) : NULL;
	if (slot)
		*slot = text;
	else
		free(text);
	w->failed |= !slot;
}

__attribute__((format(printf, 3, 4))) static void diff_caution(struct words *w, bool grave,
							       const char *fmt, ...)
{
	struct diff_note *slot;
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	slot = text ? ARRAY_PUSH(&w->d->notes) : NULL;
	if (slot)
		*slot = (struct diff_note){.text = text, .grave = grave};
	else
		free(text);
	w->failed |= !slot;
}

/* ---- what cannot be compared ---- */

/* "slab, vmalloc": the pools that only one side traces; that side is the base if `of_base`. */
static bool pools_of_one(const struct diff_input *in, bool of_base, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (int pool = 0; pool < POOLS; pool++) {
		/* There is either a set or a base. NOLINTNEXTLINE(clang-analyzer-core.*) */
		bool base = !in->set ? in->base->traces[pool]
				     : baseline_measured(in->set, PROFILE_GROWTH, pool) > 0;
		bool new_ = in->new_->traces[pool];

		if (base != new_ && base == of_base)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? ", " : "",
					       pool_name(pool));
	}
	return at > 0;
}

static bool is_copy(const struct view *v)
{
	return v && capture_meta(v->c, META_COPY)[0];
}

/* Directories with copies of /proc have levels of one moment, and nothing else. */
static bool note_copies(struct words *w)
{
	bool base = is_copy(w->d->in.base_view), new_ = is_copy(w->d->in.new_view);

	if (base || new_)
		diff_caution(w, true, "%s: only levels are compared, and there are no rates.",
			     base && new_ ? "Both sides are copies of /proc"
			     : base       ? "The base is a copy of /proc"
					  : "The new side is a copy of /proc");
	return base || new_;
}

static void note_pools(struct words *w)
{
	const struct diff_input *in = &w->d->in;
	char pools[96];

	if (note_copies(w))
		return;
	if (!in->new_->sections[PROFILE_GROWTH].measured)
		diff_caution(
			w, true,
			"The new capture has no traced allocations: only levels are compared.");
	else if (in->base && !in->base->sections[PROFILE_GROWTH].measured)
		diff_caution(w, true,
			     "The base has no traced allocations: only levels are compared.");
	else {
		if (pools_of_one(in, true, pools, sizeof(pools)))
			diff_caution(
				w, false,
				"Only the base traced %s: growth in these pools is not compared.",
				pools);
		if (pools_of_one(in, false, pools, sizeof(pools)))
			diff_caution(
				w, false,
				"Only the new capture traced %s: growth in these pools is not compared.",
				pools);
	}
}

static void note_sections(struct words *w)
{
	static const char *const sources[PROFILE_GROWTH] = {
		[PROFILE_CACHES] = "slabinfo",
		[PROFILE_VMALLOC] = "vmallocinfo",
		[PROFILE_STACKS] = "levels by process",
	};
	const struct diff_input *in = &w->d->in;

	for (int s = 0; s < PROFILE_GROWTH; s++) {
		bool base = in->set ? baseline_measured(in->set, s, POOL_SLAB) > 0
				    : in->base->sections[s].measured;
		bool new_ = in->new_->sections[s].measured;

		if (sources[s] && base != new_)
			diff_caution(w, false, "Only the %s has %s: these levels are not compared.",
				     base ? "base" : "new capture", sources[s]);
	}
}

static void period_words(const struct profile *p, char *buf, size_t size)
{
	char bytes[UNITS_MAX];

	if (p->sample_bytes > 0)
		snprintf(buf, size, "sampled once for each %s on average",
			 units_bytes(bytes, p->sample_bytes));
	else
		snprintf(buf, size, "exact");
}

static const char *filtered_side(const struct profile *base, const struct profile *new_)
{
	if (!base || !base->cache_filter)
		return "The new capture";
	return new_->cache_filter ? "Both captures" : "The base";
}

static void note_modes(struct words *w)
{
	const struct profile *base = w->d->in.base, *new_ = w->d->in.new_;
	char a[64], b[64];

	if (new_->cache_filter || (base && base->cache_filter))
		diff_caution(
			w, true,
			"%s traced only the caches named with --cache: other growth is unknown.",
			filtered_side(base, new_));
	/* a copy was neither sampled nor exact */
	if (!base || is_copy(w->d->in.base_view) || is_copy(w->d->in.new_view))
		return;
	period_words(base, a, sizeof(a));
	period_words(new_, b, sizeof(b));
	if (strcmp(a, b))
		diff_caution(
			w, false,
			"The base is %s, the new capture is %s: the figures are comparable, but one side is less "
			"certain, as the intervals show.",
			a, b);
}

static void note_own(struct words *w)
{
	const struct profile *base = w->d->in.base, *new_ = w->d->in.new_;
	char a[UNITS_MAX], b[UNITS_MAX];

	if (base && (base->own_bytes > 0 || new_->own_bytes > 0))
		diff_caution(
			w, false,
			"VmallocUsed and its callers leave out the recorder's own tables (base: %s, new: %s).",
			units_bytes(a, base->own_bytes), units_bytes(b, new_->own_bytes));
}

static void note_durations(struct words *w)
{
	const struct profile *base = w->d->in.base, *new_ = w->d->in.new_;
	char a[UNITS_MAX], b[UNITS_MAX];

	if (is_copy(w->d->in.base_view) || is_copy(w->d->in.new_view))
		return;
	if (!(new_->duration_s > 0) || (base && !(base->duration_s > 0)))
		diff_caution(w, true,
			     "One side has only one reading of the levels, so it has no rates.");
	else if (base && (base->duration_s > 2 * new_->duration_s ||
			  new_->duration_s > 2 * base->duration_s))
		diff_caution(
			w, false,
			"The base lasted %s, the new capture %s. Rates are compared, but objects that outlive the "
			"shorter recording look like growth in it.",
			units_duration(a, base->duration_s), units_duration(b, new_->duration_s));
}

/* Captures of one boot have an order; time ranges of one recording may be the same. */
static void note_order(struct words *w)
{
	const struct view *base = w->d->in.base_view, *new_ = w->d->in.new_view;
	const char *boot = capture_meta(new_->c, META_BOOT_ID);
	double base_s, new_s;

	if (!base || !boot[0] || strcmp(boot, capture_meta(base->c, META_BOOT_ID)))
		return;
	base_s = view_wall_s(base);
	new_s = view_wall_s(new_);
	if (base_s == new_s && base->duration_s == new_->duration_s)
		diff_caution(
			w, true,
			"Base and new are the same time range of the same recording, so nothing can differ. To "
			"compare two time ranges of one recording, give --base-to and --from.");
	else if (new_s < base_s)
		diff_caution(
			w, true,
			"The new capture is older than the base (same boot), so growth is shown as shrinking. "
			"Swap the two files to see it as growth.");
}

static const char *release_words(const struct capture *c)
{
	return capture_meta(c, META_RELEASE)[0] ? capture_meta(c, META_RELEASE) : "unknown";
}

static void note_kernels(struct words *w)
{
	const struct diff_input *in = &w->d->in;
	const struct capture *base, *new_ = in->new_view->c;

	if (!in->base_view) {
		diff_caution(w, false,
			     "Call paths are matched by function and module, without offsets.");
		return;
	}
	base = in->base_view->c;
	if (capture_meta(base, META_ARCH)[0] && capture_meta(new_, META_ARCH)[0] &&
	    strcmp(capture_meta(base, META_ARCH), capture_meta(new_, META_ARCH)))
		diff_caution(
			w, false,
			"Architectures differ (%s and %s), and so do the sizes of objects and stacks.",
			capture_meta(base, META_ARCH), capture_meta(new_, META_ARCH));
	if (is_copy(in->base_view) || is_copy(in->new_view)) {
		if (strcmp(capture_meta(base, META_RELEASE), capture_meta(new_, META_RELEASE)))
			diff_caution(w, false, "Kernels differ (%s and %s).", release_words(base),
				     release_words(new_));
		return;
	}
	if (strcmp(capture_meta(base, META_RELEASE), capture_meta(new_, META_RELEASE)))
		diff_caution(
			w, false,
			"Kernels differ (%s and %s): call paths are matched by function and module, without "
			"offsets. Call paths that match only at both ends are marked.",
			capture_meta(base, META_RELEASE), capture_meta(new_, META_RELEASE));
	else if (!match_same_kernel(in->match))
		diff_caution(
			w, false,
			"The kernels may be different builds: call paths are matched without offsets.");
}

static void note_sizes(struct words *w)
{
	const struct profile *base = w->d->in.base, *new_ = w->d->in.new_;
	char a[UNITS_MAX], b[UNITS_MAX];

	if (!diff_sizes_differ(&w->d->in))
		return;
	diff_caution(
		w, false,
		"The machines differ in size (base: %.0f CPUs and %s; new: %.0f CPUs and %s), so levels are also "
		"given per CPU and per GiB.",
		base->cpus, units_bytes(a, base->mem_total_kb * 1024), new_->cpus,
		units_bytes(b, new_->mem_total_kb * 1024));
}

static void note_side(struct words *w, const struct view *v, const char *which)
{
	const char *stacks = capture_meta(v->c, META_STACKS);
	char count[UNITS_MAX], share[UNITS_MAX];
	struct losses losses;

	if (!v->complete)
		diff_caution(w, false, "The %s is incomplete: its recording did not end properly.",
			     which);
	if (stacks[0] && strcmp(stacks, "ok"))
		diff_caution(
			w, true,
			"Call paths of the %s have no names (%.200s), so they cannot be matched.",
			which, stacks);
	losses_sum(v, &losses);
	if (losses_ratio(&losses) > 0.001)
		diff_caution(w, false, "The %s lost %s events (%s%% of all).", which,
			     units_count(count, losses.events),
			     units_share(share, 100 * losses_ratio(&losses)));
}

static void say_notes(struct words *w)
{
	const struct diff_input *in = &w->d->in;

	note_order(w);
	note_pools(w);
	note_sections(w);
	note_modes(w);
	note_own(w);
	note_durations(w);
	note_kernels(w);
	note_sizes(w);
	if (in->base_view)
		note_side(w, in->base_view, "base");
	note_side(w, in->new_view, "new capture");
	if (in->set && baseline_captures(in->set) < SET_CAUTION)
		diff_caution(
			w, true,
			"A set of %zu captures is too small to tell what is usual; use at least %d.",
			baseline_captures(in->set), SET_CAUTION);
}

/* ---- verdict ---- */

static const char *share_words(char *buf, size_t size, const struct diff_figure *f)
{
	if (f->base > 0 && f->new_ >= 2 * f->base)
		snprintf(buf, size, "%.1f times", f->new_ / f->base);
	else if (f->base > 0)
		snprintf(buf, size, "%+.0f%%", 100 * f->delta / f->base);
	else
		snprintf(buf, size, "new");
	return buf;
}

/* "slab (kmalloc-1k) at a < b < call(), most of it by worker" */
static void describe_row(const struct diff_row *row, char *buf, size_t size)
{
	_cleanup_free_ char *label = diff_row_label(row);
	const struct profile_row *p = row->new_;
	char cache[NAME_SHOWN + 4] = "", who[64] = "";

	if (p && p->cache && p->cache[0])
		snprintf(cache, sizeof(cache), " (%.*s)", NAME_SHOWN, p->cache);
	if (p && p->who && p->who[0])
		snprintf(who, sizeof(who), ", most of it by %.32s", p->who);
	snprintf(buf, size, "%s%s at %.*s%s%s", pool_name(diff_row_pool(row)), cache, STACK_SHOWN,
		 label && label[0] ? label : "an unknown place",
		 label && strlen(label) > STACK_SHOWN ? " ..." : "", who);
}

/* "Held memory grows 1.9 MiB/s faster (95% interval …): slab (kmalloc-1k) at a < b; before, it grew
 * by 0 B/s." */
static void say_growth_row(struct words *w, const struct diff_row *row, bool first)
{
	char what[512], more[UNITS_MAX], interval[INTERVAL_WORDS_MAX], had[UNITS_MAX];
	const struct diff_figure *f = &row->growth;

	describe_row(row, what, sizeof(what));
	diff_say(
		w, "%s grows %s/s faster%s%s: %s; %s %s/s.",
		first ? "Held memory" : "The second largest", units_bytes(more, f->delta),
		w->d->in.set ? " than usual" : "",
		interval_words(interval, " (95% interval ", f->delta, f->low, f->high, units_bytes),
		what, w->d->in.set ? "usual growth is" : "before, it grew by",
		units_bytes(had, f->base));
}

static void diff_say_growth(struct words *w)
{
	const struct diff_rows *rows = &w->d->sections[PROFILE_GROWTH];
	size_t grown = 0;

	if (!rows->comparable)
		return;
	while (grown < rows->nr && (rows->items[grown].growth.status == DIFF_NEW ||
				    rows->items[grown].growth.status == DIFF_GROWN))
		grown++;
	if (!grown) {
		diff_say(w, "No held memory grows faster than in the base, beyond noise.");
		return;
	}
	say_growth_row(w, &rows->items[0], true);
	if (grown > 1 && rows->items[1].growth.delta > rows->items[0].growth.delta / 2)
		say_growth_row(w, &rows->items[1], false);
	if (grown > 2)
		diff_say(w, "In all, %zu rows of GROWTH grow faster than before.", grown);
}

/* The up to three levels of a section that changed most. */
static void say_levels(struct words *w, enum profile_section section, const char *head)
{
	const struct diff_rows *rows = &w->d->sections[section];
	char list[640] = "", delta[UNITS_MAX], base[UNITS_MAX], new_[UNITS_MAX], share[32];
	size_t at = 0, shown = 0;

	for (size_t i = 0; i < rows->nr && shown < 3; i++) {
		const struct diff_row *row = &rows->items[i];
		const struct diff_figure *f = &row->level;

		if (f->status == DIFF_SAME)
			break;
		units_bytes(delta, fabs(f->delta));
		at += (size_t)snprintf(
			list + at, sizeof(list) - at, "%s%.*s %s by %s (%s to %s, %s)",
			shown ? "; " : "", NAME_SHOWN, diff_row_name(row),
			f->delta > 0 ? "higher" : "lower", delta, units_bytes(base, f->base),
			units_bytes(new_, f->new_), share_words(share, sizeof(share), f));
		shown++;
		if (at >= sizeof(list))
			break;
	}
	if (shown)
		diff_say(w, "%s: %s.", head, list);
}

static void say_levels_all(struct words *w)
{
	size_t changed =
		w->d->sections[PROFILE_POOLS].changed + w->d->sections[PROFILE_CACHES].changed;

	say_levels(w, PROFILE_POOLS, "Pools");
	say_levels(w, PROFILE_CACHES, "Slab caches");
	if (!changed)
		diff_say(w, "No level changed beyond its own noise.");
}

/* One level says little about a pool that rises and falls. */
static void diff_say_swings(struct words *w)
{
	const struct diff_rows *pools = &w->d->sections[PROFILE_POOLS];

	for (size_t i = 0; i < pools->nr; i++) {
		const struct profile_row *row = pools->items[i].new_;
		enum pattern p =
			row && row->range > DIFF_LEVEL_FLOOR ? row->pattern : PATTERN_UNKNOWN;

		if (p == PATTERN_SPIKE || p == PATTERN_SAWTOOTH || p == PATTERN_DROP)
			diff_say(w, "In the new capture, %s %s%s.", diff_row_name(&pools->items[i]),
				 pattern_words(p),
				 p == PATTERN_DROP ? "" : ", so its level at the end says little");
	}
}

static void say_churn(struct words *w)
{
	const struct diff_row *row;
	char what[512], base[UNITS_MAX], new_[UNITS_MAX];

	if (!w->d->nr_churn)
		return;
	row = &w->d->sections[PROFILE_GROWTH].items[w->d->churn_order[0]];
	describe_row(row, what, sizeof(what));
	diff_say(w, "Traffic changed most in %s: %s/s allocated, %s %s/s.", what,
		 units_bytes(new_, row->churn.new_), w->d->in.set ? "usually" : "before",
		 units_bytes(base, row->churn.base));
}

static void diff_next(struct words *w)
{
	const struct diff_rows *growth = &w->d->sections[PROFILE_GROWTH],
			       *caches = &w->d->sections[PROFILE_CACHES];
	const struct diff_row *top = growth->changed && growth->nr ? &growth->items[0] : NULL;
	const struct diff_row *level = caches->changed && caches->nr ? &caches->items[0] : NULL;
	const char *cache = top && top->growth.delta > 0 && top->new_ && top->new_->cache
				    ? top->new_->cache
				    : "";
	int n = 0;

	if (top && top->growth.delta > 0 && is_plain_word(cache) && strcmp(cache, "kmalloc-large"))
		n = asprintf(&w->d->next, "sudo kmemtrace record --exact --cache %s -d 180", cache);
	else if (top && top->growth.delta > 0)
		n = asprintf(&w->d->next, "sudo kmemtrace record --exact --pool %s -d 180",
			     pool_name(diff_row_pool(top)));
	else if (level && level->level.delta > 0 && level->new_ && level->new_->reclaimable)
		n = asprintf(&w->d->next, "%s", VERDICT_DROP_CACHES);
	else if (level && level->level.delta > 0 && is_plain_word(diff_row_name(level)))
		n = asprintf(&w->d->next, "sudo kmemtrace record --exact --cache %s -d 600",
			     diff_row_name(level));
	else
		n = asprintf(&w->d->next, "sudo kmemtrace record -d 600");
	if (n < 0) {
		w->d->next = NULL;
		w->failed = true;
	}
}

int diff_findings(struct diff *d)
{
	struct words w = {.d = d};

	say_notes(&w);
	diff_say_growth(&w);
	say_levels_all(&w);
	diff_say_swings(&w);
	say_churn(&w);
	for (size_t i = 0; i < d->notes.nr; i++)
		if (d->notes.items[i].grave)
			diff_say(&w, "%s", d->notes.items[i].text);
	diff_next(&w);
	return w.failed ? -ENOMEM : 0;
}
