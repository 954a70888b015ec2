// SPDX-License-Identifier: GPL-2.0-only
/* What limits a comparison, one function for each kind of limit: see diff_notes.h. */
#include "findings/diff_notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "base/vformat.h"
#include "model/losses.h"

#define SET_CAUTION 5 /* captures; fewer cannot show a spread */

struct notes {
	const struct diff *d;
	struct findings *lists; /* by weight */
};

/* `kind` is stable, for scripts. */
__attribute__((format(printf, 4, 5))) static struct finding *caution(struct notes *w,
								     enum note_weight weight,
								     const char *kind,
								     const char *fmt, ...)
{
	const struct finding as = {
		.severity = FINDING_CAUTION, .kind = kind, .about = ABOUT_RECORDING};
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = vformat(fmt, ap);
	va_end(ap);
	if (!text) {
		w->lists[weight].failed = true;
		return NULL;
	}
	return findings_add(&w->lists[weight], &as, "%s", text);
}

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

/* Directories with copies of /proc have levels of one moment, and nothing else. */
static bool note_copies(struct notes *w)
{
	bool base = diff_is_copy(w->d->in.base_view), new_ = diff_is_copy(w->d->in.new_view);

	if (base || new_)
		caution(w, NOTE_GRAVE, "copies",
			"%s: only levels are compared, and there are no rates.",
			base && new_ ? "Both sides are copies of /proc"
			: base       ? "The base is a copy of /proc"
				     : "The new side is a copy of /proc");
	return base || new_;
}

static void note_pools(struct notes *w)
{
	const struct diff_input *in = &w->d->in;
	char pools[96];

	if (note_copies(w))
		return;
	if (!in->new_->sections[PROFILE_GROWTH].measured)
		caution(w, NOTE_GRAVE, "not-traced",
			"The new capture has no traced allocations: only levels are compared.");
	else if (in->base && !in->base->sections[PROFILE_GROWTH].measured)
		caution(w, NOTE_GRAVE, "not-traced",
			"The base has no traced allocations: only levels are compared.");
	else {
		if (pools_of_one(in, true, pools, sizeof(pools)))
			caution(w, NOTE_PLAIN, "pools-traced",
				"Only the base traced %s: growth in these pools is not compared.",
				pools);
		if (pools_of_one(in, false, pools, sizeof(pools)))
			caution(w, NOTE_PLAIN, "pools-traced",
				"Only the new capture traced %s: growth in these pools is not compared.",
				pools);
	}
}

static void note_sections(struct notes *w)
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
			caution(w, NOTE_PLAIN, "sources",
				"Only the %s has %s: these levels are not compared.",
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

static void note_modes(struct notes *w)
{
	const struct profile *base = w->d->in.base, *new_ = w->d->in.new_;
	char a[64], b[64];
	double ratio;

	if (new_->cache_filter || (base && base->cache_filter))
		caution(w, NOTE_GRAVE, "filter",
			"%s traced only the caches named with --cache: other growth is unknown.",
			filtered_side(base, new_));
	/* a copy was neither sampled nor exact */
	if (!base || diff_is_copy(w->d->in.base_view) || diff_is_copy(w->d->in.new_view))
		return;
	period_words(base, a, sizeof(a));
	period_words(new_, b, sizeof(b));
	ratio = base->sample_bytes > 0 && new_->sample_bytes > 0
			? new_->sample_bytes / base->sample_bytes
			: 0;
	/* a recorder that adapts to the load never samples twice in the same way */
	if (strcmp(a, b))
		caution(w, ratio > 0.5 && ratio < 2 ? NOTE_TRIVIAL : NOTE_PLAIN, "sampling",
			"The base is %s, the new capture is %s: the figures are comparable, but one side is less "
			"certain, as the intervals show.",
			a, b);
}

static void note_own(struct notes *w)
{
	const struct profile *base = w->d->in.base, *new_ = w->d->in.new_;
	char a[UNITS_MAX], b[UNITS_MAX];

	if (base && (base->own_bytes > 0 || new_->own_bytes > 0))
		caution(w, NOTE_TRIVIAL, "own-memory",
			"VmallocUsed and its callers leave out the recorder's own tables (base: %s, new: %s).",
			units_bytes(a, base->own_bytes), units_bytes(b, new_->own_bytes));
}

static void note_durations(struct notes *w)
{
	const struct profile *base = w->d->in.base, *new_ = w->d->in.new_;
	char a[UNITS_MAX], b[UNITS_MAX];

	if (diff_is_copy(w->d->in.base_view) || diff_is_copy(w->d->in.new_view))
		return;
	if (!(new_->duration_s > 0) || (base && !(base->duration_s > 0)))
		caution(w, NOTE_GRAVE, "readings",
			"One side has only one reading of the levels, so it has no rates.");
	else if (base && (base->duration_s > 2 * new_->duration_s ||
			  new_->duration_s > 2 * base->duration_s))
		caution(w, NOTE_PLAIN, "durations",
			"The base lasted %s, the new capture %s. Rates are compared, but objects that outlive the "
			"shorter recording look like growth in it.",
			units_duration(a, base->duration_s), units_duration(b, new_->duration_s));
}

/* Captures of one boot have an order; time ranges of one recording may be the same. */
static void note_order(struct notes *w)
{
	const struct view *base = w->d->in.base_view, *new_ = w->d->in.new_view;
	const char *boot = capture_meta(new_->c, META_BOOT_ID);
	double base_s, new_s;

	if (!base || !boot[0] || strcmp(boot, capture_meta(base->c, META_BOOT_ID)))
		return;
	base_s = view_wall_s(base);
	new_s = view_wall_s(new_);
	if (base_s == new_s && base->duration_s == new_->duration_s)
		caution(w, NOTE_GRAVE, "same-range",
			"Base and new are the same time range of the same recording, so nothing can differ. To "
			"compare two time ranges of one recording, give --base-to and --from.");
	else if (new_s < base_s)
		caution(w, NOTE_GRAVE, "order",
			"The new capture is older than the base (same boot), so growth is shown as shrinking. "
			"Swap the two files to see it as growth.");
}

static const char *release_words(const struct capture *c)
{
	return capture_meta(c, META_RELEASE)[0] ? capture_meta(c, META_RELEASE) : "unknown";
}

static void note_kernels(struct notes *w)
{
	const struct diff_input *in = &w->d->in;
	const struct capture *base, *new_ = in->new_view->c;

	if (!in->base_view) {
		caution(w, NOTE_TRIVIAL, "offsets",
			"Call paths are matched by function and module, without offsets.");
		return;
	}
	base = in->base_view->c;
	if (capture_meta(base, META_ARCH)[0] && capture_meta(new_, META_ARCH)[0] &&
	    strcmp(capture_meta(base, META_ARCH), capture_meta(new_, META_ARCH)))
		caution(w, NOTE_PLAIN, "architectures",
			"Architectures differ (%s and %s), and so do the sizes of objects and stacks.",
			capture_meta(base, META_ARCH), capture_meta(new_, META_ARCH));
	if (diff_is_copy(in->base_view) || diff_is_copy(in->new_view)) {
		if (strcmp(capture_meta(base, META_RELEASE), capture_meta(new_, META_RELEASE)))
			caution(w, NOTE_PLAIN, "kernels", "Kernels differ (%s and %s).",
				release_words(base), release_words(new_));
		return;
	}
	if (strcmp(capture_meta(base, META_RELEASE), capture_meta(new_, META_RELEASE)))
		caution(w, NOTE_PLAIN, "kernels",
			"Kernels differ (%s and %s): call paths are matched by function and module, without "
			"offsets. Call paths that match only at both ends are marked.",
			capture_meta(base, META_RELEASE), capture_meta(new_, META_RELEASE));
	else if (!match_same_kernel(in->match))
		caution(w, NOTE_PLAIN, "kernel-builds",
			"The kernels may be different builds: call paths are matched without offsets.");
}

static void note_sizes(struct notes *w)
{
	const struct profile *base = w->d->in.base, *new_ = w->d->in.new_;
	char a[UNITS_MAX], b[UNITS_MAX];

	if (!diff_sizes_differ(&w->d->in))
		return;
	caution(w, NOTE_PLAIN, "sizes",
		"The machines differ in size (base: %.0f CPUs and %s; new: %.0f CPUs and %s): compare "
		"levels per CPU and per GiB, too.",
		base->cpus, units_bytes(a, base->mem_total_kb * 1024), new_->cpus,
		units_bytes(b, new_->mem_total_kb * 1024));
}

static void note_side(struct notes *w, const struct view *v, const char *which)
{
	const char *unnamed = capture_why(v->c, META_STACKS);
	char count[UNITS_MAX], share[UNITS_MAX];
	struct losses losses;

	if (!v->complete)
		caution(w, NOTE_PLAIN, "incomplete",
			"The %s is incomplete: its recording did not end properly.", which);
	if (unnamed)
		caution(w, NOTE_GRAVE, "unnamed-paths",
			"Call paths of the %s have no names (%.200s), so they cannot be matched.",
			which, unnamed);
	losses_sum(v, &losses);
	if (losses_ratio(&losses) > 0.001)
		caution(w, NOTE_PLAIN, "losses", "The %s lost %s events (%s%% of all).", which,
			units_count(count, losses.events),
			units_share(share, 100 * losses_ratio(&losses)));
}

void diff_notes(const struct diff *d, struct findings lists[NOTE_WEIGHTS])
{
	struct notes notes = {.d = d, .lists = lists}, *w = &notes;
	const struct diff_input *in = &d->in;

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
		caution(w, NOTE_GRAVE, "small-set",
			"A set of %zu captures is too small to tell what is usual; use at least %d.",
			baseline_captures(in->set), SET_CAUTION);
}
