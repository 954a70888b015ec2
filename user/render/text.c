// SPDX-License-Identifier: GPL-2.0-only
/* The report as text: see text.h. One function a section, in the order they are printed. */
#include "render/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "model/container.h"
#include "render/insight.h"
#include "render/table.h"
#include "render/wrap.h"

#define ALIASES_SHOWN 8
#define WHO_SHOWN     3 /* processes and cgroups of a call path */
#define SPARK_POINTS  32
#define CELL_MAX      (UNITS_MAX + 1) /* a formatted figure with a sign */

/* What differs between a terminal that shows UTF-8 and one that does not. */
struct glyphs {
	const char *none, *ellipsis, *differs;
	const char *bars[8];
};

static const struct glyphs glyphs_utf8 = {.none = "–",
					  .ellipsis = "…",
					  .differs = "≠",
					  .bars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}};
static const struct glyphs glyphs_ascii = {.none = "-",
					   .ellipsis = "~",
					   .differs = "!=",
					   .bars = {"_", ".", ",", "-", "=", "+", "*", "#"}};

enum style { STYLE_HEAD, STYLE_STRONG, STYLE_LEAK };

struct text {
	const struct report *r;
	const struct text_options *o;
	const struct glyphs *g;
	FILE *out;
	ARRAY_OF(char *) escaped; /* every string safe() made, freed at the end */
	bool failed;
};

/* Keep a malloc'ed string until the end; NULL becomes "". */
static const char *keep(struct text *t, char *made)
{
	char **slot = made ? ARRAY_PUSH(&t->escaped) : NULL;

	if (!slot) {
		free(made);
		t->failed = true;
		return "";
	}
	*slot = made;
	return made;
}

/* s, fit for the terminal. Lives as long as t. */
static const char *safe(struct text *t, const char *s)
{
	return keep(t, escape_terminal(s, t->o->utf8));
}

/* The same, at most `columns` wide. Lives as long as t. */
static const char *safe_fit(struct text *t, const char *s, size_t columns)
{
	const char *whole = safe(t, s);
	char *cut = NULL;

	if (utf8_width(whole) <= columns)
		return whole;
	if (asprintf(&cut, "%.*s%s", (int)utf8_fit(whole, columns - 1), whole, t->g->ellipsis) < 0)
		cut = NULL;
	return keep(t, cut);
}

static const char *on(const struct text *t, enum style style)
{
	static const char *const codes[] = {
		[STYLE_HEAD] = "\033[1m", [STYLE_STRONG] = "\033[1m", [STYLE_LEAK] = "\033[31m"};

	return t->o->colour ? codes[style] : "";
}

static const char *off(const struct text *t)
{
	return t->o->colour ? "\033[0m" : "";
}

static void section(struct text *t, const char *title)
{
	fprintf(t->out, "\n%s%s%s\n", on(t, STYLE_HEAD), title, off(t));
}

static void paragraph(struct text *t, unsigned int indent, const char *words)
{
	wrap_print(t->out, indent, words);
}

__attribute__((format(printf, 3, 4))) static void paragraphf(struct text *t, unsigned int indent,
							     const char *fmt, ...)
{
	_cleanup_free_ char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&words, fmt, ap) < 0) {
		words = NULL;
		t->failed = true;
	} else {
		paragraph(t, indent, words);
	}
	va_end(ap);
}

/* Text put together piece by piece, then printed as one paragraph. */
struct line {
	FILE *f;
	char *words;
	size_t size;
};

static bool line_open(struct text *t, struct line *l)
{
	*l = (struct line){0};
	l->f = open_memstream(&l->words, &l->size);
	if (!l->f)
		t->failed = true;
	return l->f != NULL;
}

static void line_print(struct text *t, struct line *l, unsigned int indent)
{
	if (fclose(l->f))
		t->failed = true;
	else
		paragraph(t, indent, l->words);
	free(l->words);
}

/* A formatted figure lies in cell + 1: give it a '+' in front when it should have one. */
static const char *with_sign(char cell[CELL_MAX], bool positive)
{
	cell[0] = '+';
	return positive && strcmp(cell + 1, "0") ? cell : cell + 1;
}

/* A size in kB for a table, signed when `sign`, "–" when not measured. */
static const char *kb(const struct text *t, char cell[CELL_MAX], double value, bool sign)
{
	if (isnan(value))
		return t->g->none;
	units_bytes_short(cell + 1, value * 1024);
	return with_sign(cell, sign && value > 0);
}

static const char *count(const struct text *t, char cell[CELL_MAX], double value, bool sign)
{
	if (isnan(value))
		return t->g->none;
	units_count(cell + 1, value);
	return with_sign(cell, sign && value > 0);
}

/* Bars for `nr` figures, thinned to SPARK_POINTS, from their own minimum (or 0) to their maximum.
 */
static void sparkline(struct text *t, const double *y, size_t nr, bool from_zero)
{
	size_t points = nr < SPARK_POINTS ? nr : SPARK_POINTS;
	double low = from_zero ? 0 : INFINITY, high = -INFINITY;

	for (size_t i = 0; i < nr; i++) {
		if (isnan(y[i]))
			continue;
		low = fmin(low, y[i]);
		high = fmax(high, y[i]);
	}
	for (size_t i = 0; i < points; i++) {
		double value = y[points > 1 ? i * (nr - 1) / (points - 1) : 0];
		double level = high > low ? (value - low) / (high - low) * 7.999 : 0;

		fputs(isnan(value) || (from_zero && !(value > 0)) ? " " : t->g->bars[(size_t)level],
		      t->out);
	}
}

/* ---- verdict and capture ---- */

static void text_verdict(struct text *t)
{
	const struct verdict *v = &t->r->verdict;
	_cleanup_free_ char *all = NULL;
	size_t size = 1, at = 0;

	for (size_t i = 0; i < v->nr; i++)
		size += strlen(v->items[i]) + 1;
	all = calloc(1, size);
	if (!all) {
		t->failed = true;
		return;
	}
	for (size_t i = 0; i < v->nr; i++)
		at += (size_t)snprintf(all + at, size - at, "%s%s", i ? " " : "", v->items[i]);
	fprintf(t->out, "%sVERDICT%s\n", on(t, v->leak ? STYLE_LEAK : STYLE_HEAD), off(t));
	paragraph(t, 2, safe(t, all));
	if (v->next && v->next[0])
		fprintf(t->out, "  Next: %s%s%s\n", on(t, STYLE_STRONG), safe(t, v->next), off(t));
}

static const char *meta(struct text *t, const char *key)
{
	const char *value = capture_meta(t->r->c, key);

	return value[0] ? safe_fit(t, value, WRAP_WIDTH / 2) : t->g->none;
}

static void text_capture(struct text *t)
{
	double wall = capture_meta_number(t->r->c, META_START, NAN);
	double overhead = capture_meta_number(t->r->c, META_OVERHEAD, NAN);
	double own = capture_meta_number(t->r->c, META_OWN_BYTES, NAN);
	char when[32] = "at an unknown time", a[UNITS_MAX], b[UNITS_MAX];
	time_t seconds = (time_t)wall;
	struct tm tm;

	if (wall > 0 && wall < 253402300800.0 && gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	section(t, "CAPTURE");
	paragraphf(t, 2, "Host %s, Linux %s %s, virtualization %s, lockdown %s, %.0f CPUs, %s.",
		   meta(t, META_HOST), meta(t, META_RELEASE), meta(t, META_ARCH),
		   meta(t, META_VIRT), meta(t, META_LOCKDOWN), t->r->view.cpus,
		   units_bytes(a, snapshot_meminfo(t->r->view.end, "MemTotal") * 1024));
	paragraphf(t, 2, "Recorded %s for %s, mode %s, %s.", when,
		   units_duration(a, t->r->view.duration_s), meta(t, META_MODE),
		   t->r->view.complete ? "complete" : "incomplete");
	if (!isnan(overhead))
		paragraphf(t, 2, "Recording took %.2f%% of the machine's CPU time%s%s%s.", overhead,
			   isnan(own) ? "" : " and ", isnan(own) ? "" : units_bytes(b, own),
			   isnan(own) ? "" : " of kernel memory");
}

/* ---- pools ---- */

static void text_pool_trends(struct text *t)
{
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &t->r->ledger.rows[i];
		char a[UNITS_MAX];

		if (row->trend.pattern == PATTERN_UNKNOWN || row->trend.pattern == PATTERN_STEADY)
			continue;
		fprintf(t->out, "  %-13s ", row->name);
		sparkline(t, row->series, row->nr_series, false);
		fprintf(t->out, "  %s", pattern_name(row->trend.pattern));
		if (row->trend.pattern == PATTERN_GROWING)
			fprintf(t->out, ", %s/s", units_bytes(a, row->trend.slope * 1024));
		else if ((row->trend.pattern == PATTERN_STEP || row->trend.pattern == PATTERN_DROP) &&
			 row->trend.change_p < 0.05)
			fprintf(t->out, " at %s", units_duration(a, row->trend.change_t));
		fputc('\n', t->out);
	}
}

static void text_pools(struct text *t)
{
	static const struct table_column columns[] = {
		{"", 0, false},	       {"start", 0, true},    {"end", 0, true},
		{"change", 0, true},   {"held", 0, true},     {"old freed", 0, true},
		{"overhead", 0, true}, {"residual", 0, true},
	};
	struct table table = {.columns = columns, .nr_columns = 8, .ellipsis = t->g->ellipsis};
	char a[7][CELL_MAX];

	section(t, "POOLS  (K, M, G: KiB, MiB, GiB)");
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &t->r->ledger.rows[i];

		table_cell(&table, "%s", row->name);
		table_cell(&table, "%s", kb(t, a[0], row->start_kb, false));
		table_cell(&table, "%s", kb(t, a[1], row->end_kb, false));
		table_cell(&table, "%s", kb(t, a[2], row->delta_kb, true));
		table_cell(&table, "%s", kb(t, a[3], row->attributed_kb, true));
		table_cell(&table, "%s", kb(t, a[4], -row->preexisting_freed_kb, true));
		table_cell(&table, "%s", kb(t, a[5], row->allocator_overhead_kb, true));
		table_cell(&table, "%s", kb(t, a[6], row->residual_kb, true));
	}
	t->failed |= table_print(&table, t->out, 2) < 0;
	text_pool_trends(t);
	paragraphf(t, 2,
		   "change = held (allocated while tracing, not freed) + old freed (older than the "
		   "capture) + "
		   "overhead (of the allocator) + residual (not explained). %s: not measured; of Percpu "
		   "it is in the overhead, of SecPageTables and Unaccounted in the residual. "
		   "VmallocUsed includes "
		   "KernelStack where thread stacks are vmalloc areas.",
		   t->g->none);
}

/* ---- levels ---- */

static size_t levels_shown(const struct text *t, size_t nr)
{
	return t->o->top && t->o->top < nr ? t->o->top : nr;
}

static void text_vmalloc_identity(struct text *t, const char *when, const struct vmalloc_sum *v)
{
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], d[UNITS_MAX];

	if (isnan(v->info_kb - v->used_kb)) {
		paragraphf(t, 2, "At the %s /proc/vmallocinfo could not be compared with VmallocUsed.", when);
		return;
	}
	if (v->info_kb != v->used_kb)
		paragraphf(t, 2,
			   "At the %s VmallocUsed was %s but the areas of /proc/vmallocinfo added up to %s: "
			   "areas came or went between reading the two.",
			   when, units_bytes(a, v->used_kb * 1024), units_bytes(b, v->info_kb * 1024));
	else
		paragraphf(t, 2, "At the %s VmallocUsed was %s, all of it in /proc/vmallocinfo.", when,
			   units_bytes(a, v->used_kb * 1024));
	if (!isnan(v->stacks_kb))
		paragraphf(t, 2, "%s without thread stacks; %s are stacks, %s of them kept for the next threads.",
			   units_bytes(b, (v->used_kb - v->stacks_kb) * 1024),
			   units_bytes(c, v->stacks_kb * 1024), units_bytes(d, v->cached_stacks_kb * 1024));
}

static void text_callers(struct text *t)
{
	static const struct table_column columns[] = {
		{"vmalloc by caller", 40, false}, {"areas", 0, true}, {"start", 0, true}, {"end", 0, true},
		{"change", 0, true},
	};
	struct table table = {.columns = columns, .nr_columns = 5, .ellipsis = t->g->ellipsis};
	double own = capture_meta_number(t->r->c, META_OWN_BYTES, NAN);
	const struct levels *l = &t->r->levels;
	char a[4][CELL_MAX];

	for (size_t i = 0; i < levels_shown(t, l->callers.nr); i++) {
		const struct caller_level *c = &l->callers.items[i];

		table_cell(&table, "%s", c->caller[0] ? safe(t, c->caller) : "(no caller printed)");
		table_cell(&table, "%s", count(t, a[0], c->areas.end, false));
		table_cell(&table, "%s", kb(t, a[1], c->kb.start, false));
		table_cell(&table, "%s", kb(t, a[2], c->kb.end, false));
		table_cell(&table, "%s", kb(t, a[3], c->kb.end - c->kb.start, true));
	}
	t->failed |= table_print(&table, t->out, 2) < 0;
	if (own > 0)
		paragraphf(t, 2, "%s of it are the recorder's own tables (array_map_alloc), there from the first reading on.",
			   units_bytes(a[0], own));
}

static void text_holders(struct text *t, const char *title, const struct process_level *rows, size_t nr,
			 bool processes)
{
	const struct table_column columns[] = {
		{title, 28, false}, {"threads", 0, true}, {"stacks", 0, true}, {"change", 0, true},
		{"page tables", 0, true}, {"change", 0, true},
	};
	struct table table = {.columns = columns, .nr_columns = 6, .ellipsis = t->g->ellipsis};
	char a[5][CELL_MAX];

	for (size_t i = 0; i < levels_shown(t, nr); i++) {
		const struct process_level *p = &rows[i];

		if (processes)
			table_cell(&table, "%s[%d]", safe(t, p->comm), p->tgid);
		else if (p->cgroup[0])
			table_cell(&table, "%s", safe(t, p->cgroup));
		else
			table_cell(&table, "(cgroup number %llu)", (unsigned long long)p->cgroup_id);
		table_cell(&table, "%s", count(t, a[0], p->threads.end, false));
		table_cell(&table, "%s", kb(t, a[1], p->stack_kb.end, false));
		table_cell(&table, "%s", kb(t, a[2], p->stack_kb.end - p->stack_kb.start, true));
		table_cell(&table, "%s", kb(t, a[3], p->pgtables_kb.end, false));
		table_cell(&table, "%s", kb(t, a[4], p->pgtables_kb.end - p->pgtables_kb.start, true));
	}
	t->failed |= table_print(&table, t->out, 2) < 0;
}

/* The iterator walks the tasks of its own PID namespace; idle tasks are in none. */
static void text_unlisted_stacks(struct text *t)
{
	double listed = 0, level = t->r->ledger.rows[LEDGER_KERNEL_STACK].end_kb;
	char a[UNITS_MAX];

	for (size_t i = 0; i < t->r->levels.processes.nr; i++)
		listed += t->r->levels.processes.items[i].stack_kb.end;
	if (level > listed)
		paragraphf(t, 2, "Stacks of tasks outside the recorder's PID namespace, and of idle tasks: %s.",
			   units_bytes(a, (level - listed) * 1024));
}

/* What was there when tracing began has no call path, but it has a holder. */
static void text_levels(struct text *t)
{
	const struct levels *l = &t->r->levels;

	if (!l->tasks_known && !l->callers_known)
		return;
	section(t, "HOLDERS  (at the end, and the change; older than the capture or not)");
	if (l->callers_known) {
		text_callers(t);
		text_vmalloc_identity(t, "start", &l->vmalloc_start);
		text_vmalloc_identity(t, "end", &l->vmalloc_end);
	}
	if (t->r->ledger.rows[LEDGER_VMALLOC].attributed_from[0] == 'v')
		paragraph(t, 2,
			  "vmalloc was not traced: its held and old freed are growth and shrinking by caller, "
			  "from /proc/vmallocinfo alone.");
	if (l->tasks_known) {
		text_holders(t, "by process", l->processes.items, l->processes.nr, true);
		text_holders(t, "by cgroup", l->cgroups, l->nr_cgroups, false);
		text_unlisted_stacks(t);
	}
}

/* ---- caches ---- */

static const char *agreement_mark(const struct text *t, enum agreement a)
{
	switch (a) {
	case AGREE_YES:
		return "=";
	case AGREE_FREED_OLD:
		return "old";
	case AGREE_NO:
		return t->g->differs;
	case AGREE_UNKNOWN:
		break;
	}
	return "?";
}

static void text_cache_row(struct text *t, struct table *table, const struct cache_row *row)
{
	char a[5][CELL_MAX];

	table_cell(table, "%s", safe(t, row->name));
	table_cell(table, "%s", count(t, a[0], row->size, false));
	table_cell(table, "%s", kb(t, a[1], row->delta_kb, true));
	table_cell(table, "%s", kb(t, a[2], row->traced ? row->held_bytes / 1024 : NAN, false));
	table_cell(table, "%s", count(t, a[3], row->traced ? row->held_objects : NAN, false));
	table_cell(table, "%s", count(t, a[4], row->end_objects - row->start_objects, true));
	table_cell(table, "%s",
		   agreement_mark(t, row->traced ? row->trust.agreement : AGREE_UNKNOWN));
	table_cell(table, "%s", row->traced ? trust_name(row->trust.level) : t->g->none);
}

static void text_aliases(struct text *t, const struct cache_row *row)
{
	size_t nr = row->cap ? row->cap->aliases.nr : 0;
	struct line line;

	if (!nr || !line_open(t, &line))
		return;
	fprintf(line.f, "%s is also", safe_fit(t, row->name, 28));
	for (size_t i = 0; i < nr && i < ALIASES_SHOWN; i++)
		fprintf(line.f, "%s %s", i ? "," : "", safe_fit(t, row->cap->aliases.items[i], 28));
	if (nr > ALIASES_SHOWN)
		fprintf(line.f, " and %zu more names", nr - ALIASES_SHOWN);
	line_print(t, &line, 2);
}

/* Caches worth a line: their pages grew, or something of them is held. */
static bool cache_shown(const struct cache_row *row)
{
	return row->delta_kb > 0 || row->held_bytes > 0;
}

#define UNSEEN_OBJECTS 64 /* fewer are what lies on free lists, one way or the other */

/* Objects that slabinfo has and no event showed, when they are more than a twentieth of its change. */
static void text_unseen(struct text *t, const struct cache_row *row)
{
	char objects[UNITS_MAX], bytes[UNITS_MAX];

	if (!(row->unseen_objects > fmax(UNSEEN_OBJECTS, 0.05 * (row->end_objects - row->start_objects))))
		return;
	paragraphf(t, 2, "%s: about %s objects (%s) were allocated in bulk, unseen.",
		   safe_fit(t, row->name, 28), units_count(objects, row->unseen_objects),
		   units_bytes(bytes, row->unseen_bytes));
}

static void text_caches(struct text *t)
{
	static const struct table_column columns[] = {
		{"cache", 26, false}, {"size", 8, true},   {"pages", 0, true},
		{"held", 0, true},    {"traced", 0, true}, {"slabinfo", 0, true},
		{"", 3, false},	      {"trust", 0, false},
	};
	struct table table = {.columns = columns, .nr_columns = 8, .ellipsis = t->g->ellipsis};
	const struct caches *caches = &t->r->caches;
	size_t shown = 0, all = 0;

	section(t, "SLAB CACHES  (by growth of their pages)");
	for (size_t i = 0; i < caches->nr; i++) {
		if (!cache_shown(&caches->items[i]))
			continue;
		if (++all && t->o->top && shown == t->o->top)
			continue;
		text_cache_row(t, &table, &caches->items[i]);
		shown++;
	}
	if (!all) {
		paragraph(t, 2,
			  t->r->view.slab_start ? "No cache grew."
						: "slabinfo could not be read: no caches.");
		return;
	}
	t->failed |= table_print(&table, t->out, 2) < 0;
	if (all > shown)
		paragraphf(t, 2, "%zu more caches grew or hold something: --top %zu shows them.",
			   all - shown, all);
	for (size_t i = 0, n = 0; i < caches->nr && n < shown; i++) {
		if (!cache_shown(&caches->items[i]))
			continue;
		text_aliases(t, &caches->items[i]);
		text_unseen(t, &caches->items[i]);
		n++;
	}
	paragraphf(t, 2,
		   "traced: objects still held; slabinfo: change of its active objects. = they "
		   "agree; %s they do "
		   "not; old: objects older than the capture were freed; ? cannot be compared.",
		   t->g->differs);
}

/* ---- growth ---- */

static void text_frames(struct text *t, uint32_t id)
{
	const struct cap_stack *s = &t->r->c->stacks[id];

	if (!s->nr_frames)
		fprintf(t->out, "      (no call path recorded)\n");
	for (uint32_t i = 0; i < s->nr_frames; i++) {
		const struct cap_frame *f = &t->r->c->frames[s->frames[i]];
		const char *module =
			f->module[0] && strcmp(f->module, "vmlinux") ? f->module : NULL;

		fprintf(t->out, "      %s+0x%llx%s%s%s\n", safe_fit(t, f->symbol, module ? 32 : 56),
			(unsigned long long)f->offset, module ? " [" : "",
			module ? safe_fit(t, module, 20) : "", module ? "]" : "");
	}
	if (s->truncated)
		fprintf(t->out, "      (deeper than recorded)\n");
}

static void text_ages(struct text *t, const struct growth_group *g)
{
	char p50[UNITS_MAX], p90[UNITS_MAX], oldest[UNITS_MAX], label[UNITS_MAX];
	size_t buckets = 0;

	if (isnan(g->age_p50_s))
		return;
	for (size_t b = 0; b < AGE_BUCKETS; b++)
		if (g->age_hist[b] > 0)
			buckets = b + 1;
	fprintf(t->out, "    age: median %s, 90%% under %s, oldest %s",
		units_duration(p50, g->age_p50_s), units_duration(p90, g->age_p90_s),
		units_duration(oldest, g->oldest_s));
	if (buckets > 1) {
		fputs("  0 |", t->out);
		sparkline(t, g->age_hist, buckets, true);
		fprintf(t->out, "| %s", units_duration(label, ldexp(1, (int)buckets - 1)));
	}
	fputc('\n', t->out);
}

/* The container is named when the path says which: it is what people know. */
static void text_cgroup(struct text *t, const char *path, const char *bytes)
{
	struct container container;
	char label[128];

	container_of_cgroup(path, &container);
	container_label(&container, label, sizeof(label));
	fprintf(t->out, "    in: %s %s\n", safe_fit(t, path, 60), bytes);
	if (label[0])
		fprintf(t->out, "        %s\n", safe_fit(t, label, 70));
}

static void text_processes(struct text *t, const struct growth_group *g)
{
	char bytes[UNITS_MAX];
	struct line line;

	if (!line_open(t, &line))
		return;
	for (size_t i = 0; i < g->processes.nr && i < WHO_SHOWN; i++) {
		const struct growth_share *s = &g->processes.items[i];
		const struct cap_process *p = &t->r->c->processes[s->id];

		fprintf(line.f, "%s%s",
			i ? ", " : "by: ", s->id ? safe_fit(t, p->comm, 20) : "(unknown)");
		if (s->id && p->tgid)
			fprintf(line.f, "[%d]", p->tgid);
		if (g->processes.nr > 1)
			fprintf(line.f, " %s", units_bytes_short(bytes, s->bytes));
	}
	if (g->processes.nr > WHO_SHOWN)
		fprintf(line.f, " and %zu more", g->processes.nr - WHO_SHOWN);
	line_print(t, &line, 4);
	for (size_t i = 0; i < g->cgroups.nr && i < WHO_SHOWN; i++) {
		const struct growth_share *s = &g->cgroups.items[i];

		if (s->id)
			text_cgroup(t, t->r->c->cgroups[s->id], units_bytes_short(bytes, s->bytes));
	}
}

/* "#1  45.2 MiB (44.9M to 45.5M) in 11,571 objects, slab kmalloc-4k [module]" */
static void text_group_head(struct text *t, const struct growth_group *g, size_t rank)
{
	const struct cache_row *cache = growth_cache(g, &t->r->caches);
	const struct capture *c = t->r->c;
	char bytes[UNITS_MAX], low[UNITS_MAX], high[UNITS_MAX], objects[UNITS_MAX];
	struct line line;

	if (!line_open(t, &line))
		return;
	fprintf(line.f, "#%zu  %s", rank, units_bytes(bytes, g->bytes));
	if (g->bytes_high > g->bytes_low)
		fprintf(line.f, " (%s to %s)", units_bytes_short(low, g->bytes_low),
			units_bytes_short(high, g->bytes_high));
	fprintf(line.f, " in %s objects, %s", units_count(objects, g->objects), pool_name(g->pool));
	if (g->class_[0])
		fprintf(line.f, " %s", safe_fit(t, g->class_, 16));
	if (cache)
		fprintf(line.f, " %s", safe_fit(t, cache->name, 32));
	if (g->pool == POOL_SLAB && g->caches.nr > 1)
		fprintf(line.f, " and %zu more", g->caches.nr - 1);
	if (t->r->growth.by == GROWTH_BY_PROCESS && g->key)
		fprintf(line.f, ", process %s[%d]", safe_fit(t, c->processes[g->key].comm, 20),
			c->processes[g->key].tgid);
	if (t->r->growth.by == GROWTH_BY_PROCESS && g->key && c->processes[g->key].cmdline[0])
		fprintf(line.f, " (%s)", safe_fit(t, c->processes[g->key].cmdline, 120));
	if (t->r->growth.by == GROWTH_BY_CGROUP && g->key)
		fprintf(line.f, ", cgroup %s", safe_fit(t, c->cgroups[g->key], 60));
	if (t->r->growth.by == GROWTH_BY_SYSCALL)
		fprintf(line.f, ", in %s", safe_fit(t, t->r->growth.names.items[g->key], 60));
	if (strcmp(g->module, "vmlinux"))
		fprintf(line.f, " [%s]", safe_fit(t, g->module, 20));
	fprintf(t->out, "\n%s", on(t, STYLE_STRONG));
	line_print(t, &line, 2);
	fputs(off(t), t->out);
}

/* What the group did from checkpoint to checkpoint. */
static void text_group_trend(struct text *t, size_t rank)
{
	const struct trend *trend = rank <= t->r->history.nr ? &t->r->history.trends[rank - 1] : NULL;
	char rate[UNITS_MAX];

	if (!trend || trend->pattern == PATTERN_UNKNOWN)
		return;
	if (trend->pattern == PATTERN_GROWING)
		paragraphf(t, 4, "over time: growing, %s/s", units_bytes(rate, trend->slope * 1024));
	else
		paragraphf(t, 4, "over time: %s", pattern_name(trend->pattern));
}

static void text_group(struct text *t, const struct growth_group *g, size_t rank)
{
	char allocs[UNITS_MAX], frees[UNITS_MAX], ghosts[UNITS_MAX];

	text_group_head(t, g, rank);
	if (g->judged > 0)
		paragraphf(t, 4, "looked up in the allocator: %s objects, %.1f%% live",
			   units_count(allocs, g->judged), 100 * g->judged_live / g->judged);
	if (g->allocs > 0)
		paragraphf(t, 4, "traffic: %s allocated, %s freed, %s freed unseen",
			   units_count(allocs, g->allocs), units_count(frees, g->frees),
			   units_count(ghosts, g->ghosts));
	text_group_trend(t, rank);
	text_ages(t, g);
	text_processes(t, g);
	if (g->stacks.nr > 1)
		paragraphf(t, 4, "the largest of %zu call paths (%.0f%%):", g->stacks.nr,
			   g->bytes > 0 ? 100 * g->stacks.items[0].bytes / g->bytes : 0);
	text_frames(t, g->stacks.items[0].id);
}

static void text_growth(struct text *t)
{
	const struct growth *g = &t->r->growth;
	size_t shown = t->o->top && t->o->top < g->nr ? t->o->top : g->nr;
	char all[UNITS_MAX];

	fprintf(t->out, "\n%sGROWTH  (allocated while tracing, still held, by %s: %s)%s\n",
		on(t, STYLE_HEAD), growth_by_name(g->by), units_bytes(all, g->bytes), off(t));
	if (!g->nr)
		paragraph(t, 2,
			  t->r->view.at ? "Nothing allocated while tracing is still held."
					: "Nothing was traced.");
	for (size_t i = 0; i < shown; i++)
		text_group(t, &g->groups[i], i + 1);
	if (g->nr > shown)
		fprintf(t->out, "\n  %zu smaller ones are not shown: --top %zu\n", g->nr - shown,
			g->nr);
}

/* ---- losses and hooks ---- */

static void text_losses(struct text *t)
{
	const struct cap_interval *at = t->r->view.at;
	const struct losses *l = &t->r->losses;
	double ghosts = 0, frees = 0;
	char a[UNITS_MAX], b[UNITS_MAX];

	section(t, "LOSSES");
	for (size_t i = 0; at && i < at->churn.nr; i++) {
		ghosts += at->churn.items[i].ghosts;
		frees += at->churn.items[i].frees;
	}
	if (!at)
		paragraph(t, 2, "Nothing was traced, so nothing was lost.");
	else if (!(l->events > 0) && !(l->details > 0))
		paragraphf(t, 2, "No events were lost (of %s).", units_count(a, l->traffic));
	for (size_t i = 0; at && i < at->losses.nr; i++) {
		const struct cap_count *c = &at->losses.items[i];
		const char *meaning = loss_meaning(c->name);

		if (c->value && (meaning[0] || loss_kind(c->name) != LOSS_NONE))
			paragraphf(t, 2, "%s %s%s%s.", units_count(a, (double)c->value),
				   safe(t, c->name), meaning[0] ? ": " : "", meaning);
	}
	if (ghosts > 0)
		paragraphf(t, 2, "%s of %s frees fired no event and were found otherwise.",
			   units_count(a, ghosts), units_count(b, ghosts + frees));
}

static void text_audit(struct text *t)
{
	const struct view *v = &t->r->view;
	const char *state = capture_meta(v->c, META_AUDIT);
	char runs[UNITS_MAX], judged[UNITS_MAX], live[UNITS_MAX], ghosts[UNITS_MAX], unsure[UNITS_MAX];

	if (!v->at)
		return;
	section(t, "LIVENESS AUDIT");
	if (strcmp(state, "ok")) {
		paragraphf(t, 2,
			   "No object was looked up in the allocator%s%s: one whose free fires no event looks "
			   "outstanding.",
			   state[0] ? ": " : "", safe(t, state));
		return;
	}
	paragraphf(t, 2,
		   "%s look-ups of objects in the allocator's free lists, in %s runs that took %.3f s of one CPU: "
		   "%s live, %s found free though no event had said so, %s undecided.",
		   units_count(judged, count_of(v, "audit_judged") + count_of(v, "audit_unsure")),
		   units_count(runs, count_of(v, "audit_runs")),
		   count_of(v, "audit_ns") / 1e9,
		   units_count(live, count_of(v, "audit_live")),
		   units_count(ghosts, count_of(v, "audit_ghosts")),
		   units_count(unsure, count_of(v, "audit_unsure")));
}

static void text_hooks(struct text *t)
{
	const struct capture *c = t->r->c;
	size_t missing = 0;

	for (size_t i = 0; i < c->nr_hooks; i++)
		missing += !c->hooks[i].how[0];
	section(t, "HOOKS");
	if (!c->nr_hooks)
		paragraph(t, 2, "The capture does not say which hooks were attached.");
	else
		paragraphf(t, 2, "%zu attached, %zu not.", c->nr_hooks - missing, missing);
	for (size_t i = 0; i < c->nr_hooks; i++) {
		const struct cap_hook *h = &c->hooks[i];

		if (!h->how[0])
			paragraphf(t, 2, "%s: %s%s%s.", safe(t, h->name),
				   h->reason[0] ? safe(t, h->reason) : "not attached",
				   h->cost[0] ? "; costs: " : "", safe(t, h->cost));
	}
}

int text_render(const struct report *r, const struct text_options *options, FILE *out)
{
	struct text t = {.r = r,
			 .o = options,
			 .g = options->utf8 ? &glyphs_utf8 : &glyphs_ascii,
			 .out = out};

	text_verdict(&t);
	text_capture(&t);
	text_pools(&t);
	text_levels(&t);
	text_caches(&t);
	text_growth(&t);
	t.failed |= !insight_text(r, options->colour, options->utf8, out);
	text_losses(&t);
	text_audit(&t);
	text_hooks(&t);
	for (size_t i = 0; i < t.escaped.nr; i++)
		free(t.escaped.items[i]);
	ARRAY_FREE(&t.escaped);
	return t.failed ? -ENOMEM : 0;
}
