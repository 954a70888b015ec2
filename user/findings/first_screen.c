// SPDX-License-Identifier: GPL-2.0-only
/* Builds the first screen, one function for each of its parts: see first_screen.h. */
#include "findings/first_screen.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/append.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "data/counter.h"
#include "findings/census_older.h"
#include "findings/refs_findings.h"
#include "model/confidence.h"
#include "model/sampling.h"

#define HOLDER_BYTES   65536.0 /* holders of less are not named, */
#define HOLDER_SHARE   0.05 /* nor are those with a smaller share of the growth, except the first */
#define OLD_SHARE      0.5  /* say so if a larger share of a pool is older than the recording */
#define OLD_MEMORY     0.05 /* of a pool not in the headline: the share of the machine's memory */
#define BPF_MOST       0.5  /* of the growth of a pool: then it is BPF that took it */
#define UNSEEN_COLUMNS (3 * SCREEN_LINE - 8) /* three lines, less what wrapping wastes */
#define LATER_S        86400                 /* what lasts longer is not urgent */
#define NEARLY_ALL     0.9
#define NOTABLE_SHARE  0.0002 /* of MemTotal: who looks for lost memory looks for more */

const char *screen_state_name(enum screen_state state)
{
	static const char *const names[] = {
		[SCREEN_UNKNOWN] = "UNKNOWN", [SCREEN_CENSUS] = "CENSUS",
		[SCREEN_QUIET] = "QUIET",     [SCREEN_SHRANK] = "SHRANK",
		[SCREEN_GREW] = "GREW",       [SCREEN_GROWING] = "GROWING",
		[SCREEN_LEAK] = "LEAK",
	};

	return names[state];
}

/* ---- what happened ---- */

/* A change this small is no headline, though it is beyond noise. */
static bool is_notable(const struct screen_facts *f, double kb)
{
	double total_kb = view_mem_total_kb(f->v);

	return kb >= (isnan(total_kb) ? 0 : NOTABLE_SHARE * total_kb);
}

static bool is_census(const struct screen_facts *f)
{
	return f->before && capture_is_census(f->v->c);
}

static enum screen_state state_of(const struct screen_facts *f)
{
	const struct verdict *v = f->verdict;

	if (is_census(f))
		return SCREEN_CENSUS;
	if (v->leak)
		return SCREEN_LEAK;
	if (v->grew)
		return v->growing ? SCREEN_GROWING : SCREEN_GREW;
	if (v->shrunk && is_notable(f, -v->shrunk->delta_kb))
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

/* Say how much of the pool's growth was traced, if that is known. */
static void add_seen(char *words, const struct ledger_row *row)
{
	double share;

	if (!(row->delta_kb > 0) || isnan(row->residual_kb))
		return;
	share = 100 * (1 - fabs(row->residual_kb) / fmax(row->delta_kb, row->attributed_kb));
	if (!(row->attributed_kb > 0))
		screen_add(words, " None of it was traced.");
	else if (!(share > 0)) /* some was, and more than the growth is unexplained */
		screen_add(words, " Most of it is unexplained.");
	else if (row->residual_low_kb <= 0 && row->residual_high_kb >= 0 &&
		 row->residual_low_kb < row->residual_high_kb)
		screen_add(words, " All of it was traced, within the margin of error.");
	else
		screen_add(words,
			   share < 99.95 ? " %.1f%% of it was traced." : " All of it was traced.",
			   share);
}

/* How far a pool's level rose above both its start and its end; NaN: unknown. */
static double spike_kb(const struct ledger_row *row)
{
	double most = NAN;

	if (row->trend.pattern != PATTERN_SPIKE)
		return NAN;
	for (size_t i = 0; i < row->nr_series; i++)
		most = fmax(most, row->series[i]); /* skips NaN */
	return most - fmax(row->start_kb, row->end_kb);
}

/* Nothing grew for good, but a level may have risen a lot meanwhile. */
static void add_spike(char *words, const struct screen_facts *f)
{
	const struct ledger_row *most = NULL;
	char rise[UNITS_MAX];

	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &f->ledger->rows[i];

		if (spike_kb(row) > (most ? spike_kb(most) : 0))
			most = row;
	}
	if (most && is_notable(f, spike_kb(most)))
		screen_add(words, " %s rose by %s meanwhile, and fell again.", most->name,
			   units_bytes(rise, spike_kb(most) * 1024));
}

/* Add what a finding of the census says. */
static void add_finding(char *words, const struct screen_facts *f, const char *kind)
{
	const struct finding *found = findings_of(f->findings, kind);

	if (found)
		screen_add(words, "%s%s", words[0] ? " " : "", found->text);
}

/* What holds the objects of the largest call path, or that nothing does. */
static void add_proof(char *words, const struct refs_sheet *proof)
{
	const struct refs *r = proof->refs;
	char found[UNITS_MAX], of[UNITS_MAX], holder[REFS_HOLDER_MAX];

	if (refs_verdict_is_leak(proof->verdict))
		screen_add(
			words,
			" Most likely leaked: nothing else points to %s of %s sampled objects of "
			"its largest call path.",
			units_count(found, (double)(r->sample.unreferenced + r->sample.dropped)),
			units_count(of, (double)r->sample.checked));
	else if (r->holders.nr)
		screen_add(words,
			   " Not called leaked: %s of %s sampled objects of its largest call path "
			   "are %s by the %s.",
			   units_count(found, (double)r->holders.items[0].objects),
			   units_count(of, (double)r->sample.checked),
			   refs_held_words(&r->holders.items[0]),
			   refs_holder_words(&r->holders.items[0], holder));
	else
		screen_add(words, " Not called leaked: something points to the objects of its "
				  "largest call path.");
}

static void write_headline(const struct screen_facts *f, struct first_screen *s)
{
	const struct verdict *v = f->verdict;
	char *words = s->headline;
	char duration[UNITS_MAX], name[SCREEN_NAME + 1];

	switch (s->state) {
	case SCREEN_CENSUS:
		screen_add(words, "A census without a recording: where memory was, not what grew.");
		add_finding(words, f, "census");
		return;
	case SCREEN_UNKNOWN:
		screen_add(
			words,
			"The capture has only one reading of the levels, so it cannot show growth.");
		return;
	case SCREEN_QUIET:
		screen_add(words, "Nothing grew beyond noise in %s.",
			   units_duration(duration, f->v->duration_s));
		add_spike(words, f);
		return;
	case SCREEN_SHRANK:
		screen_add(words, "Nothing grew. %s shrank by ", v->shrunk->name);
		add_change(words, f->v, v->shrunk->delta_kb);
		screen_add(words, ".");
		add_spike(words, f);
		return;
	default:
		break;
	}
	if (v->most) {
		screen_add(words, "%s grew by ",
			   v->most == &f->ledger->rows[LEDGER_UNACCOUNTED]
				   ? "Unaccounted (memory that no line of /proc/meminfo counts)"
				   : v->most->name);
		add_change(words, f->v, v->most->delta_kb);
	} else {
		screen_add(words, "Within Slab, %s grew by ", screen_name(v->cache->name, name));
		add_change(words, f->v, v->cache->delta_kb);
	}
	screen_add(words, "%s",
		   s->state == SCREEN_GREW && !v->too_few ? ", and stopped growing." : ".");
	if (v->most)
		add_seen(words, v->most);
	if (v->proof)
		add_proof(words, v->proof);
	else if (s->state == SCREEN_LEAK)
		screen_add(words, " It looks like a leak.");
	else if (v->too_few)
		screen_add(words, " Too few readings to say whether it still grows.");
	else if (v->too_short)
		screen_add(
			words,
			" Too short to tell whether it is ever freed: record for 150 s or more.");
}

/* ---- who holds it ---- */

/* Growth that belongs together: by processes of one name in one cgroup, for one thing. */
struct bunch {
	const struct growth_group *first; /* the largest that is part of it */
	const struct plain_words *words;  /* what it is for; NULL: not known */
	uint32_t process;                 /* the first one; 0: unknown */
	bool other_caches;                /* objects of further caches are in it */
	double bytes, objects, var;       /* var: from sampling */
	double things;                    /* how many of the things in `words`; 0: unknown */
};

/* One call path of one process. */
struct bunch_part {
	const struct growth_group *group;
	const struct plain_words *words;
	uint32_t process;
	double bytes;
};

static uint32_t main_share(const struct growth_shares *shares)
{
	return shares->nr ? shares->items[0].id : 0;
}

/* Processes of one name belong together: a server has many. Those of another cgroup are another
 * service. */
static bool processes_alike(const struct capture *c, uint32_t a, uint32_t b)
{
	const struct cap_process *x = &c->processes[a], *y = &c->processes[b];

	return a == b || (a && b && x->tgid && y->tgid && x->cgroup == y->cgroup &&
			  !strcmp(x->comm, y->comm));
}

/* One action of a process takes memory in many places: a new thread has a task_struct, a stack and
 * more. Parts for the same thing belong together. If the thing is not known, parts in the same
 * cache do. */
static bool belongs(const struct capture *c, const struct bunch *b, const struct bunch_part *part)
{
	const struct growth_group *g = part->group;

	if (!processes_alike(c, b->process, part->process))
		return false;
	if (part->words && b->words)
		return !strcmp(part->words->noun, b->words->noun);
	return main_share(&b->first->caches) == main_share(&g->caches) &&
	       !strcmp(b->first->class_, g->class_);
}

static void bunch_grow(struct bunch *b, const struct bunch_part *part, const struct caches *caches)
{
	const struct growth_group *g = part->group;
	double things = part->words ? plain_words_count(part->words, g, caches) : NAN;
	double share = g->bytes > 0 ? part->bytes / g->bytes : 0;

	b->bytes += part->bytes;
	b->objects += g->objects * share;
	b->var += g->traced_var * share;
	b->things += isnan(things) ? 0 : things * share;
	b->other_caches |=
		main_share(&g->caches) != main_share(&b->first->caches) || g->caches.nr > 1;
}

static int compare_bunch(const void *a, const void *b)
{
	const struct bunch *x = a, *y = b;

	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

/* Later ones are too small to change who holds most. */
#define BUNCH_GROUPS 2000
#define BUNCH_PARTS  20000
#define BUNCHES      100

/* Go through the parts of the growth of `pool`, largest call path first. At the end, false. */
struct part_cursor {
	size_t group, share, nr;
};

static bool part_next(const struct screen_facts *f, enum pool pool, struct part_cursor *at,
		      struct bunch_part *out)
{
	const struct growth *g = f->growth;

	for (; at->group < g->nr && at->group < BUNCH_GROUPS && at->nr < BUNCH_PARTS;
	     at->group++, at->share = 0) {
		const struct growth_group *group = &g->groups[at->group];

		if (group->pool != pool || growth_is_contradicted(group, f->caches))
			continue;
		if (at->share == group->processes.nr)
			continue;
		if (!at->share)
			out->words = plain_words_of(f->v->c, main_share(&group->stacks), pool);
		out->group = group;
		out->process = group->processes.items[at->share].id;
		out->bytes = group->processes.items[at->share++].bytes;
		at->nr++;
		return true;
	}
	return false;
}

static double held_of_pool(const struct screen_facts *f, enum pool pool)
{
	double held = 0;

	for (size_t i = 0; i < f->growth->nr; i++) {
		const struct growth_group *g = &f->growth->groups[i];

		if (g->pool == pool && !growth_is_contradicted(g, f->caches))
			held += g->bytes;
	}
	return held;
}

/* Bunch the growth of `pool`. */
static size_t bunches_make(const struct screen_facts *f, enum pool pool, struct bunch *out)
{
	struct part_cursor at = {0};
	struct bunch_part part = {0};
	size_t nr = 0, k;

	while (part_next(f, pool, &at, &part)) {
		for (k = 0; k < nr && !belongs(f->v->c, &out[k], &part); k++)
			;
		if (k == BUNCHES)
			continue;
		if (k == nr)
			out[nr++] = (struct bunch){
				.first = part.group, .words = part.words, .process = part.process};
		bunch_grow(&out[k], &part, f->caches);
	}
	qsort(out, nr, sizeof(*out), compare_bunch);
	return nr;
}

/* How many processes are in a bunch, and which of them holds most. `bytes` has a place for each
 * process of the capture. */
static size_t bunch_processes(const struct screen_facts *f, enum pool pool, const struct bunch *b,
			      double *bytes, uint32_t *most)
{
	struct part_cursor at = {0};
	struct bunch_part part = {0};
	size_t nr = 0;

	memset(bytes, 0, f->v->c->nr_processes * sizeof(*bytes));
	*most = b->process;
	while (part_next(f, pool, &at, &part)) {
		if (!(part.bytes > 0) || !belongs(f->v->c, b, &part))
			continue;
		nr += bytes[part.process] == 0;
		bytes[part.process] += part.bytes;
		if (bytes[part.process] > bytes[*most])
			*most = part.process;
	}
	return nr;
}

/* "plant[16281]", "postgres (60 processes, the largest is 3997)" */
static void write_who(const struct screen_facts *f, const struct bunch *b, size_t nr, uint32_t most,
		      struct screen_holder *h)
{
	const struct capture *c = f->v->c;
	char count[UNITS_MAX], name[SCREEN_NAME + 1];

	h->cmdline = screen_cmdline(c, most);
	h->cgroup =
		screen_cgroup(c, most ? c->processes[most].cgroup : main_share(&b->first->cgroups));
	if (nr < 2)
		screen_add_who(c, most, h->who);
	else /* no sample may have fallen on a process with little memory */
		screen_add(h->who, "%s (%s%s processes, the largest is pid %d)",
			   screen_name(c->processes[most].comm, name),
			   f->v->exact ? "" : "at least ", units_count(count, (double)nr),
			   c->processes[most].tgid);
	if (most && !strcmp(c->processes[most].comm, "kmemtrace"))
		screen_add(h->who, " (this tool)");
}

/* Of the dentries that are new, are most for names that do not exist? */
static bool most_are_negative(const struct view *v)
{
	double all = snapshot_counter(v->end, COUNTER_DENTRIES) -
		     snapshot_counter(v->start, COUNTER_DENTRIES);
	double negative = snapshot_counter(v->end, COUNTER_DENTRIES_NEGATIVE) -
			  snapshot_counter(v->start, COUNTER_DENTRIES_NEGATIVE);

	return all > 0 && negative > all / 2; /* false if one is NaN */
}

/* "118,060 objects of UDP and other caches", "7,185 page tables" */
static void add_objects(const struct screen_facts *f, const struct bunch *b,
			const struct cache_row *cache, char *words)
{
	char objects[UNITS_MAX], name[SCREEN_NAME + 1];

	screen_add(words, "%s ", units_count(objects, b->objects));
	if (cache)
		screen_add(words, "objects of %s%s", screen_name(cache->name, name),
			   b->other_caches ? " and other caches" : "");
	else if (b->first->pool == POOL_PAGE && b->bytes < 1.01 * b->objects * f->v->page_bytes)
		screen_add(words, "pages");
	else
		screen_add(words, "%s", screen_objects(b->first->pool));
}

/* "62,750 objects of msg_msg-1k for messages in message queues, growing, not reclaimable", or if
 * the things can be counted "18,000 sockets (118,060 objects of UDP and other caches), growing" */
static void write_what(const struct screen_facts *f, const struct bunch *b, char *words)
{
	const struct cache_row *cache = growth_cache(b->first, f->caches);
	char count[UNITS_MAX], name[SCREEN_NAME + 1];

	screen_add(words, "%s", f->v->exact ? "" : "about ");
	if (b->words && b->things >= 1) {
		screen_add(words, "%s %.*s (", units_count(count, round(b->things)),
			   screen_noun_length(b->words), b->words->noun);
		if (b->first->pool == POOL_KSTACK)
			screen_add(words, "their kernel stacks");
		else
			add_objects(f, b, cache, words);
		screen_add(words, ")");
	} else {
		add_objects(f, b, cache, words);
		screen_add_purpose(b->words, b->first->pool, words);
		if (!b->words && strcmp(b->first->module, "vmlinux"))
			screen_add(words, " allocated by kernel module %s",
				   screen_name(b->first->module, name));
	}
	if (!cache)
		return;
	if (b->words && b->words->counted && !strcmp(b->words->counted, "dentry") &&
	    most_are_negative(f->v))
		screen_add(words, ", most of them negative (no such file)");
	if (cache->trend.pattern == PATTERN_GROWING)
		screen_add(words, "; growing");
	if (cache->cap && !cache->large)
		screen_add(words, cache->cap->reclaimable ? "; reclaimable" : "; not reclaimable");
}

static bool is_bpf(const struct bunch *b)
{
	return b->words && strstr(b->words->noun, "BPF");
}

/* If BPF took most of what the pool grew by, the kernel says which object, and what keeps it: more
 * than the call path that allocated it. */
static bool write_bpf(const struct screen_facts *f, const struct bunch *bunches, size_t nr,
		      struct first_screen *s)
{
	const struct ledger_row *most = f->verdict->most;
	struct screen_holder *h = &s->holders[s->nr_holders];
	char object[BPF_OBJECT_WORDS], all[UNITS_MAX];
	const struct bunch *b = NULL;
	struct bpf_growth g;

	if (!most || !bpf_growth_of(f->bpf, most, &g) || g.share < BPF_MOST)
		return false;
	for (size_t i = 0; i < nr && !b; i++)
		b = is_bpf(&bunches[i]) ? &bunches[i] : NULL;
	h->has = "keeps";
	h->bytes = g.kept_bytes;
	h->share = fmin(g.kept_bytes / (most->delta_kb * 1024), 1);
	h->cmdline = b ? screen_cmdline(f->v->c, b->process) : "";
	h->cgroup = b ? screen_cgroup(f->v->c, main_share(&b->first->cgroups)) : "";
	screen_add(h->who, "%s", g.row->who[0] ? g.row->who : "kept by nobody known");
	if (g.kept_nr > 1)
		screen_add(h->what, "%zu BPF maps and programs; the largest is ", g.kept_nr);
	screen_add(h->what, "%s", bpf_object_words(g.row, object, sizeof(object)));
	if (g.nr > g.kept_nr)
		screen_add(h->what, "; %zu more are kept by others, %s", g.nr - g.kept_nr,
			   units_bytes(all, g.bytes - g.kept_bytes));
	if (b)
		screen_path(f->v->c, main_share(&b->first->stacks), h->how);
	else
		screen_add(h->how, "bpf(): no call path of it was traced");
	s->nr_holders++;
	return true;
}

/* One holder: processes of one name, or only the one of them that has nearly all. */
static void write_holder(const struct screen_facts *f, enum pool pool, const struct bunch *all,
			 double *bytes, struct screen_holder *h)
{
	struct bunch b = *all;
	uint32_t most;
	size_t nr = bunch_processes(f, pool, all, bytes, &most);
	double share = bytes[most] / all->bytes;

	if (share >= NEARLY_ALL) {
		nr = 1;
		b.bytes *= share;
		b.objects *= share;
		b.things *= share;
	}
	h->has = "allocated";
	h->bytes = b.bytes;
	write_who(f, &b, nr, most, h);
	write_what(f, &b, h->what);
	screen_path(f->v->c, main_share(&b.first->stacks), h->how);
}

/* Name the holders of the pool in the headline. */
static int write_holders(const struct screen_facts *f, struct first_screen *s)
{
	_cleanup_free_ struct bunch *bunches = calloc(BUNCHES, sizeof(*bunches));
	_cleanup_free_ double *bytes = calloc(f->v->c->nr_processes + 1, sizeof(*bytes));
	const struct ledger_row *most = f->verdict->most;
	enum pool pool = most ? most->pool : POOL_SLAB;
	/* also what was not traced is new */
	double held = fmax(held_of_pool(f, pool), most ? most->delta_kb * 1024 : 0);
	size_t nr;
	bool bpf;

	s->held_of = most ? most->name : "Slab";
	if (!bunches || !bytes)
		return -ENOMEM;
	nr = bunches_make(f, pool, bunches);
	bpf = write_bpf(f, bunches, nr, s);
	for (size_t i = 0; i < nr && s->nr_holders < SCREEN_HOLDERS; i++) {
		const struct bunch *b = &bunches[i];
		struct screen_holder *h;

		if (bpf && is_bpf(b))
			continue; /* it was named */
		if (b->bytes < HOLDER_BYTES || (i && b->bytes < HOLDER_SHARE * held))
			break;
		if (sampling_samples(b->bytes, b->var) < SAMPLING_TO_NAME)
			break; /* later bunches hold less, so they must not come first, even with
				  enough samples */
		h = &s->holders[s->nr_holders];
		write_holder(f, pool, b, bytes, h);
		h->share = h->bytes / held;
		s->nr_holders++;
	}
	return 0;
}

/* ---- how urgent, how reliable, what was not seen ---- */

/* Nothing was running out. But if the pool keeps growing and cannot be reclaimed, it will use up
 * all memory: say when. *later: within a day. */
static const struct finding *find_memory_left(const struct screen_facts *f, bool *later)
{
	const struct verdict *v = f->verdict;
	const double left_kb = f->exhaustion->available_kb, total_kb = view_mem_total_kb(f->v);
	bool reclaimable = v->cache && v->cache->cap && v->cache->cap->reclaimable;
	char left[UNITS_MAX], all[UNITS_MAX], when[UNITS_MAX];
	struct finding *found;
	double seconds;

	found = findings_add(f->findings, FINDING(FINDING_NOTICE, "memory-left", ABOUT_HOST),
			     "%s of %s are available", units_bytes(left, left_kb * 1024),
			     units_bytes(all, total_kb * 1024));
	finding_figure(found, "available_kb", left_kb, NAN, NAN);
	finding_figure(found, "total_kb", total_kb, NAN, NAN);
	if (v->growing && reclaimable) {
		finding_say(f->findings, found,
			    ", and the kernel can free most of what grew when it needs to.");
		return found;
	}
	if (!v->growing || !v->most || !trend_has_rate(&v->most->trend)) {
		finding_say(f->findings, found, ".");
		return found;
	}
	seconds = left_kb / (v->most->delta_kb / f->v->duration_s); /* the rate of the headline */
	finding_say(f->findings, found, ". If %s goes on like this, they last about %s.",
		    v->most->name, units_duration(when, round(seconds / 60) * 60));
	finding_figure(found, "seconds", seconds, NAN, NAN);
	*later = seconds < LATER_S;
	return found;
}

/* "yes", "no" or "unknown" first; then what runs out, and when. */
static void write_urgent(const struct screen_facts *f, struct first_screen *s)
{
	const struct exhaustion *o = f->exhaustion;
	const struct finding *found = findings_of(f->findings, "exhaustion");
	bool urgent, later = found;

	if (!found && isnan(o->available_kb)) {
		screen_add(s->urgent, "unknown: this kernel does not show available memory.");
		return;
	}
	urgent = found && found->severity == FINDING_CRITICAL;
	if (!found)
		found = find_memory_left(f, &later);
	screen_add(s->urgent, "%s", urgent ? "YES: " : later ? "not at once: " : "no: ");
	if (o->nr && !exhaustion_is_of(o->rows, f->verdict->most))
		screen_add(s->urgent, "mostly not by the growth above. ");
	screen_add(s->urgent, "%s", found ? found->text : "");
}

/* How far a census can be trusted. */
static void write_counted(const struct census_sheet *census, struct first_screen *s)
{
	bool whole = census_is_whole(census->census);
	char share[UNITS_MAX];

	s->trust = whole ? TRUST_HIGH : TRUST_FAIR;
	if (whole)
		screen_add(s->sure, "%s: every page frame was counted.", trust_name(s->trust));
	else
		screen_add(
			s->sure,
			"%s: %s%% of the page frames were counted, a random sample; --show census "
			"has the 95%% intervals.",
			trust_name(s->trust), units_share(share, census->counted_share * 100));
}

/* Was every object tracked? If not, the interval of the new memory in the headline's pool. */
static void write_sampled(const struct screen_facts *f, struct first_screen *s)
{
	const struct ledger_row *most = f->verdict->most;
	char low[UNITS_MAX], high[UNITS_MAX];
	double margin_kb;

	if (f->v->exact || !most || !(most->attributed_kb > 0)) {
		screen_add(s->sure, "%s", f->v->exact ? " Every object was tracked." : "");
		return;
	}
	margin_kb = 1.96 * most->attributed_sd_kb;
	units_bytes(low, fmax(most->attributed_kb - margin_kb, 0) * 1024);
	units_bytes(high, (most->attributed_kb + margin_kb) * 1024);
	if (strcmp(low, high) != 0)
		screen_add(s->sure, " The new memory in %s is estimated from samples: %s to %s.",
			   most->name, low, high);
}

/* Say how far the headline can be trusted: as far as the recording, or as the cache in the headline
 * if its trust is lower. The verdict speaks of the whole report, whose trust is that of its least
 * certain figure: if that is lower, say so, because a single level would contradict the verdict. */
static void write_sure(const struct screen_facts *f, struct first_screen *s)
{
	const struct ledger_row *most = f->verdict->most;
	const struct trust *t = f->recorded_trust;
	char name[SCREEN_NAME + 1];

	if (is_census(f)) {
		write_counted(f->before, s);
		return;
	}
	if (f->verdict->cache && (!most || most->pool == POOL_SLAB) && s->state >= SCREEN_GREW &&
	    f->verdict->cache->trust.level < t->level)
		t = &f->verdict->cache->trust;
	s->trust = t->level;
	screen_add(s->sure, "%s", trust_name(t->level));
	if (t != f->recorded_trust)
		screen_add(s->sure, " for %s", screen_name(f->verdict->cache->name, name));
	else if (f->trust->level < t->level)
		screen_add(s->sure, " for this headline");
	screen_add(s->sure, "%s%s.", t->nr_reasons ? ": " : "",
		   t->nr_reasons ? t->reasons[t->deciding] : "");
	if (f->trust->level < t->level)
		screen_add(s->sure, " %s for some other figures (--show verdict).",
			   f->trust->level == TRUST_LOW ? "Low" : "Fair");
	write_sampled(f, s);
}

static double old_kb(const struct ledger_row *row)
{
	return row->end_kb - fmax(row->attributed_kb, 0);
}

/* The pool in the headline, if most of it is older than the recording; else the one with the most
 * such memory, if that is much for this machine. */
static const struct ledger_row *old_pool(const struct screen_facts *f)
{
	double least = OLD_MEMORY * view_mem_total_kb(f->v);
	const struct ledger_row *most = f->verdict->most;

	if (most && most < &f->ledger->rows[LEDGER_UNACCOUNTED] &&
	    old_kb(most) > OLD_SHARE * most->end_kb)
		return most;
	most = NULL;
	for (size_t i = 0; i < LEDGER_UNACCOUNTED; i++) {
		const struct ledger_row *row = &f->ledger->rows[i];

		if (old_kb(row) > OLD_SHARE * row->end_kb && old_kb(row) > least &&
		    (!most || old_kb(row) > old_kb(most)))
			most = row;
	}
	return most;
}

static void find_older(const struct screen_facts *f)
{
	const struct ledger_row *row = old_pool(f);
	char a[UNITS_MAX], b[UNITS_MAX];
	struct finding *found;

	if (!f->v->at || !row)
		return;
	found = findings_add(f->findings, FINDING(FINDING_CAUTION, "older-memory", ABOUT_POOL),
			     "%s of the %s in %s are older than the recording (holders unknown).",
			     units_bytes(a, old_kb(row) * 1024), units_bytes(b, row->end_kb * 1024),
			     row->name);
	finding_subject(found, "%s", row->name);
	finding_figure(found, "older_kb", old_kb(row), NAN, NAN);
	finding_evidence(found, "pools", "%s", row->name);
}

/* The same from a census, which knows whose it is. */
static void write_older(const struct screen_facts *f, struct first_screen *s)
{
	const struct older_facts facts = {.before = f->before,
					  .like = f->like,
					  .ledger = f->ledger,
					  .headline = f->verdict->most,
					  .total_kb = view_mem_total_kb(f->v)};
	const char *words;

	if (is_census(f)) {
		add_finding(s->older, f, "census-caches");
		add_finding(s->older, f, "census-removed-cgroups");
		return;
	}
	words = census_older_find(&facts, f->findings);
	screen_add(s->older, "%s", words ?: "");
	words = census_older_like(&facts, f->findings);
	if (words && strlen(s->older) + 1 + strlen(words) < SCREEN_WORDS)
		screen_add(s->older, "%s%s", s->older[0] ? " " : "", words);
}

/* The findings that say what the recording could not see, the gravest first, as far as they fit. */
static void write_unseen(const struct screen_facts *f, struct first_screen *s)
{
	static const char *const kinds[] = {"incomplete", "not-traced",       "filter-left-nothing",
					    "filter",     "allocated-unseen", "older-memory",
					    "events-lost"};

	if (f->before)
		write_older(f, s);
	else
		find_older(f);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (size_t i = 0; i < f->findings->nr; i++) {
			const struct finding *found = &f->findings->items[i];

			if (!strcmp(found->kind, kinds[k]) &&
			    (!s->older[0] || strcmp(kinds[k], "older-memory")) &&
			    (!s->unseen[0] ||
			     strlen(s->unseen) + strlen(found->text) < UNSEEN_COLUMNS))
				screen_add(s->unseen, "%s%s", s->unseen[0] ? " " : "", found->text);
		}
}

/* What another recording is for. */
static const char *next_shows(const struct screen_facts *f, enum screen_state state)
{
	const char *next = f->verdict->next;

	if (!next || !strstr(next, " record ") || strchr(next, '#'))
		return "";
	if (state == SCREEN_QUIET || state == SCREEN_SHRANK)
		return "finds slow growth";
	return state == SCREEN_GREW || state == SCREEN_GROWING ? "shows whether it is ever freed"
							       : "";
}

int first_screen_build(const struct screen_facts *f, struct first_screen *out)
{
	struct first_screen s = {.state = state_of(f)};

	write_headline(f, &s);
	/* If nothing grew, who holds memory is not printed. */
	if (s.state >= SCREEN_GREW && write_holders(f, &s))
		return -ENOMEM;
	write_urgent(f, &s);
	write_sure(f, &s);
	write_unseen(f, &s);
	s.next_shows = next_shows(f, s.state);
	*out = s;
	return 0;
}
