// SPDX-License-Identifier: GPL-2.0-only
/* Writes the findings about a balance sheet: see balance_findings.h. */
#include "findings/balance_findings.h"

#include <math.h>
#include <string.h>

#include "base/append.h"
#include "base/units.h"
#include "findings/level_limits.h"

#define FAULT_LINES 3 /* lines named at most when the sum is too large */

static const char *balance_size(char buf[UNITS_MAX], double kb)
{
	return units_bytes(buf, kb * 1024);
}

/* A figure in kB without an interval. */
static void put_kb(struct finding *f, const char *name, double kb)
{
	finding_figure(f, name, kb, NAN, NAN);
}

/* ---- figures that are not believed ---- */

/* The figures to which one rule gave one belief. */
struct decided {
	enum figure figures[FIGURES];
	size_t nr;
	char names[1536];           /* "Inactive (22.3 GiB) and Inactive(file) (22.2 GiB)" */
	char subject[FINDING_NAME]; /* "Inactive, Inactive(file)" */
	const struct believed *first;
};

static void decided_name(const struct beliefs *b, struct decided *d)
{
	char size[UNITS_MAX];

	for (size_t i = 0; i < d->nr; i++) {
		const struct believed *figure = &b->figures[d->figures[i]];
		const char *name = figure_name(d->figures[i]);

		append_words(d->subject, sizeof(d->subject), "%s%s", i ? ", " : "", name);
		append_words(d->names, sizeof(d->names), "%s%s",
			     !i               ? ""
			     : i + 1 == d->nr ? " and "
					      : ", ",
			     name);
		if (!isnan(figure->read_kb))
			append_words(d->names, sizeof(d->names), " (%s)",
				     balance_size(size, figure->read_kb));
	}
}

static void decided_find(const struct beliefs *b, enum belief_rule rule, enum belief belief,
			 struct decided *d)
{
	*d = (struct decided){.nr = 0};
	for (int f = 0; f < FIGURES; f++)
		if (b->figures[f].rule == rule && b->figures[f].belief == belief)
			d->figures[d->nr++] = f;
	if (!d->nr)
		return;
	d->first = &b->figures[d->figures[0]];
	decided_name(b, d);
}

static void say_kernels(struct findings *list, struct finding *f)
{
	if (f && f->kernels)
		finding_say(list, f, " Known from: %s.", f->kernels);
}

static void say_contradicted(const struct beliefs *b, enum belief_rule rule,
			     const struct decided *d, struct findings *list, struct finding *f)
{
	char used[UNITS_MAX];

	finding_say(list, f, " cannot be true. %s", belief_rules[rule].reason);
	if (rule == RULE_LRU_BEYOND_MEMORY || rule == RULE_GPU_BEYOND_MEMORY ||
	    rule == RULE_BEYOND_MEMORY)
		finding_say(list, f, " That is %s here.", balance_size(used, b->used_kb));
	say_kernels(list, f);
	finding_say(list, f, "%s",
		    d->nr == 1 ? " It is left out: what it should count is unknown."
			       : " They are left out: what they should count is unknown.");
}

static void say_corrected(enum belief_rule rule, const struct decided *d, struct findings *list,
			  struct finding *f)
{
	const struct believed *last;
	char a[UNITS_MAX];

	last = d->first;
	if (rule == RULE_LINE_MISSING) {
		if (d->nr == 1)
			finding_say(list, f,
				    " has no line in /proc/meminfo that can be read: it is taken "
				    "from %s.",
				    last->source);
		else
			finding_say(list, f,
				    " have no lines in /proc/meminfo that can be read: they are "
				    "taken from other lines and from /proc/vmstat.");
		return;
	}
	finding_say(list, f, " cannot be believed. %s", belief_rules[rule].reason);
	say_kernels(list, f);
	finding_say(list, f, " It is %s according to %s. This value is used.",
		    balance_size(a, last->kb), last->source);
}

static void say_missing(const struct beliefs *b, enum belief_rule rule, const struct decided *d,
			struct findings *list, struct finding *f)
{
	bool one = d->nr == 1;

	if (rule == RULE_NOT_IN_OOM_REPORT)
		finding_say(list, f, "%s",
			    one ? " is not printed in an OOM report. It is unknown, and its "
				  "memory is in Unaccounted."
				: " are not printed in an OOM report. They are unknown, and their "
				  "memory is in Unaccounted.");
	else
		finding_say(list, f,
			    "%s missing from %s, or cannot be read, although every kernel prints "
			    "%s: %s, and %s memory is in Unaccounted.",
			    one ? " is" : " are", b->oom_report ? "the report" : "/proc/meminfo",
			    one ? "it" : "them", one ? "it is unknown" : "they are unknown",
			    one ? "its" : "their");
}

void belief_find(const struct beliefs *b, enum belief_rule rule, enum belief belief,
		 struct findings *out)
{
	const struct belief_rule_def *def = &belief_rules[rule];
	struct decided d;
	struct finding *f;

	decided_find(b, rule, belief, &d);
	if (!d.nr || belief < BELIEF_CORRECTED)
		return;
	f = findings_add(out,
			 &(struct finding){.severity = belief == BELIEF_CORRECTED ? FINDING_NOTICE
										  : FINDING_CAUTION,
					   .kind = def->name,
					   .about = ABOUT_COUNTER,
					   .kernels = def->kernels[0] ? def->kernels : NULL},
			 "%s", d.names);
	finding_subject(f, "%s", d.subject);
	if (d.nr == 1) {
		put_kb(f, "read_kb", d.first->read_kb);
		put_kb(f, "used_kb", d.first->kb);
	}
	for (size_t i = 0; i < d.nr; i++)
		finding_evidence(f, "figures", "%s", figure_name(d.figures[i]));
	if (belief == BELIEF_CONTRADICTED)
		say_contradicted(b, rule, &d, out, f);
	else if (belief == BELIEF_CORRECTED)
		say_corrected(rule, &d, out, f);
	else
		say_missing(b, rule, &d, out, f);
}

static void find_beliefs(const struct beliefs *b, struct findings *out)
{
	static const enum belief severe_first[] = {BELIEF_CONTRADICTED, BELIEF_MISSING,
						   BELIEF_CORRECTED};

	for (size_t i = 0; i < sizeof(severe_first) / sizeof(severe_first[0]); i++)
		for (int rule = RULE_NONE + 1; rule < BELIEF_RULES; rule++)
			belief_find(b, rule, severe_first[i], out);
}

/* ---- the sheet as a whole ---- */

/* The largest line that was not named yet and is at least `least`; BALANCE_REST for none. */
static enum balance_id next_line(const struct balance *b, const bool *named, double least)
{
	enum balance_id best = BALANCE_REST;

	for (size_t i = 0; i < BALANCE_REST; i++)
		if (!named[i] && b->kb[i] > 0 && b->kb[i] >= least &&
		    (best == BALANCE_REST || b->kb[i] > b->kb[best]))
			best = i;
	return best;
}

/*
 * Which lines may be too large: each line that alone is as large as the excess. "pages only on LRU
 * lists" comes first, because it is a difference and takes the errors of all it is computed from.
 */
static void name_lines_at_fault(const struct balance *b, struct findings *list, struct finding *f)
{
	double least = -b->kb[BALANCE_REST];
	bool named[BALANCE_LINES] = {0}, alone;
	enum balance_id line =
		b->kb[BALANCE_OTHER_LRU] >= least ? BALANCE_OTHER_LRU : next_line(b, named, least);
	char a[UNITS_MAX], subject[FINDING_NAME] = "";

	alone = line != BALANCE_REST;
	if (!alone)
		line = next_line(b, named, 0);
	finding_say(list, f, "%s",
		    alone ? " Each of these lines may be too large by that much: "
			  : " No line alone is that large; the largest are: ");
	for (int i = 0; i < FAULT_LINES && line != BALANCE_REST; i++) {
		finding_say(list, f, "%s%s (%s, from %s)", i ? "; " : "", balance_defs[line].label,
			    balance_size(a, b->kb[line]), balance_defs[line].source);
		append_words(subject, sizeof(subject), "%s%s", i ? ", " : "",
			     balance_defs[line].source);
		finding_evidence(f, "lines", "%s", balance_defs[line].name);
		named[line] = true;
		line = next_line(b, named, alone ? least : 0);
	}
	finding_say(list, f, ".");
	finding_subject(f, "%s", subject);
}

static void find_contradiction(const struct balance *b, struct findings *out)
{
	struct finding *f;
	char over[UNITS_MAX], lag[UNITS_MAX];

	if (!b->contradiction)
		return;
	f = findings_add(out,
			 &(struct finding){.severity = FINDING_CAUTION,
					   .kind = "lines-beyond-memory",
					   .about = ABOUT_COUNTER},
			 "The figures contradict each other: the lines exceed MemTotal by %s, and "
			 "counters that CPUs have not passed on yet explain at most %s.",
			 balance_size(over, -b->kb[BALANCE_REST]),
			 balance_size(lag, beliefs_lag_kb(&b->beliefs)));
	put_kb(f, "excess_kb", -b->kb[BALANCE_REST]);
	if (!b->beliefs.container) {
		name_lines_at_fault(b, out, f);
		return;
	}
	finding_subject(f, "MemTotal");
	finding_say(out, f,
		    " MemTotal is a container's (lxcfs), and other lines are the machine's. Read "
		    "/proc outside the container.");
}

bool balance_unmapped_matters(const struct balance *b, double kb)
{
	return kb >= LEVEL_LEAST_KB && kb >= BALANCE_UNMAPPED_SHARE * b->total_kb;
}

double balance_unmapped_lru_kb(const struct balance *b)
{
	double kb = b->kb[BALANCE_OTHER_LRU];

	return !b->unknown[BALANCE_OTHER_LRU] && balance_unmapped_matters(b, kb) ? kb : 0;
}

static void find_unmapped(const struct balance *b, struct findings *out)
{
	double kb = balance_unmapped_lru_kb(b);
	char size[UNITS_MAX], total[UNITS_MAX];
	struct finding *f;

	if (!(kb > 0))
		return;
	f = findings_add(out,
			 &(struct finding){.severity = FINDING_WARNING,
					   .kind = "lru-unmapped",
					   .about = ABOUT_COUNTER},
			 "%s of %s are on the LRU lists, but no process maps these pages and no "
			 "cache has them. " BALANCE_UNMAPPED_WHY " Reclaim cannot free them.",
			 balance_size(size, kb), balance_size(total, b->total_kb));
	finding_subject(f, "Active, Inactive, Unevictable");
	put_kb(f, "unmapped_kb", kb);
	finding_evidence(f, "lines", "%s", balance_defs[BALANCE_OTHER_LRU].name);
	finding_next(out, f, "sudo kmemtrace record -d 180");
}

/*
 * Unaccounted is never 0: the kernel has no counter for some of its pages. Beyond this share,
 * memory is held by somebody whom no counter shows.
 */
static void find_unaccounted(const struct balance *b, struct findings *out)
{
	double kb = b->kb[BALANCE_REST], share = kb / b->total_kb;
	const struct balance_candidate *top = b->nr_candidates ? b->candidates : NULL;
	char size[UNITS_MAX], part[UNITS_MAX];
	bool oom = b->beliefs.oom_report, gaps = false;
	struct finding *f;

	if (!(share >= BALANCE_UNACCOUNTED_SHARE))
		return;
	for (size_t i = 0; i < BALANCE_REST; i++)
		gaps |= b->unknown[i];
	/*
	 * A line that is unknown may be all of it, but an OOM report never has all lines. On a
	 * small machine, 5 % is nothing to act on.
	 */
	f = findings_add(out,
			 &(struct finding){.severity = (gaps && !oom) || kb < LEVEL_LEAST_KB
							       ? FINDING_NOTICE
							       : FINDING_WARNING,
					   .kind = "unaccounted",
					   .about = ABOUT_POOL},
			 "%s, %.1f%% of memory, is Unaccounted: no %s counts it.%s",
			 balance_size(size, kb), 100 * share,
			 oom ? "figure of the report" : "line of /proc/meminfo",
			 gaps ? " It includes the lines that are unknown." : "");
	finding_subject(f, "Unaccounted");
	put_kb(f, "unaccounted_kb", kb);
	finding_evidence(f, "lines", "%s", balance_defs[BALANCE_REST].name);
	if (top && isnan(top->kb))
		finding_say(out, f, " Possible reason: %s.", top->explain);
	else if (top && top->kb >= BALANCE_PART_SHARE * kb)
		finding_say(out, f, " Largest known part: %s%s, %s.",
			    top->at_most ? "at most " : "", balance_size(part, top->kb),
			    top->explain);
	if (!oom && !gaps && !(top && isnan(top->kb))) /* record does not see a balloon */
		finding_next(out, f, "sudo kmemtrace record --exact --pool page -d 180");
}

static void find_page_size(const struct balance_findings_facts *facts, struct findings *out)
{
	double page_bytes = facts->b->beliefs.page_bytes;
	char theirs[UNITS_MAX], own[UNITS_MAX];
	struct finding *f;

	if (!(facts->reader_page_bytes > 0) || facts->reader_page_bytes == page_bytes ||
	    !facts->page_bytes_source)
		return;
	f = findings_add(
		out,
		&(struct finding){
			.severity = FINDING_NOTICE, .kind = "page-size", .about = ABOUT_HOST},
		"The figures are of a machine with pages of %s (this one has %s), as %s show.",
		units_bytes(theirs, page_bytes), units_bytes(own, facts->reader_page_bytes),
		facts->page_bytes_source);
	finding_figure(f, "page_bytes", page_bytes, NAN, NAN);
}

/* ---- the input ---- */

/* "meminfo, vmstat and zoneinfo had CR LF line ends." Said at the first of these files. */
static void find_mended(const struct input_report *input, size_t first, struct findings *out)
{
	const char *why = input->items[first].why;
	char files[FINDING_NAME] = "";
	struct finding *f;

	for (size_t i = 0; i < first; i++)
		if (input->items[i].why == why)
			return;
	for (size_t i = first; i < input->nr; i++)
		if (input->items[i].why == why)
			append_words(files, sizeof(files), "%s%s", i > first ? ", " : "",
				     input->items[i].file);
	f = findings_add(out,
			 &(struct finding){.severity = FINDING_NOTICE,
					   .kind = "input-mended",
					   .about = ABOUT_INPUT},
			 "%s %s.", files, why);
	finding_subject(f, "%s", files);
}

void unread_lines_find(const struct snapshot *s, struct findings *out)
{
	const struct {
		const char *file;
		size_t lines;
	} files[] = {{"meminfo", s->meminfo.bad_lines},
		     {"vmstat", s->vmstat.bad_lines},
		     {"slabinfo", s->slabs.bad_lines},
		     {"zoneinfo", s->zones.bad_lines},
		     {"vmallocinfo", s->vmallocs.bad_lines}};
	char subject[FINDING_NAME] = "", counts[256] = "";
	struct finding *f;
	double lines = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!files[i].lines)
			continue;
		append_words(subject, sizeof(subject), "%s%s", lines > 0 ? ", " : "",
			     files[i].file);
		append_words(counts, sizeof(counts), "%s%zu of /proc/%s", lines > 0 ? ", " : "",
			     files[i].lines, files[i].file);
		lines += (double)files[i].lines;
	}
	if (!(lines > 0))
		return;
	f = findings_add(out,
			 &(struct finding){.severity = FINDING_CAUTION,
					   .kind = "lines-unread",
					   .about = ABOUT_INPUT},
			 "Lines that could not be read: %s. They are left out. Their form is "
			 "unknown, or a counter fell below zero, which the kernel prints as a huge "
			 "number.",
			 counts);
	finding_subject(f, "%s", subject);
	finding_figure(f, "lines", lines, NAN, NAN);
}

/* For the live /proc only: for a copy, find_input() names each line. */
static void find_unread(const struct balance_findings_facts *facts, struct findings *out)
{
	size_t before = out->nr;

	if (!facts->s || facts->input || facts->oom)
		return;
	unread_lines_find(facts->s, out);
	if (out->nr > before)
		finding_next(out, &out->items[before], "kmemtrace balance --proc /proc");
}

static void find_input(const struct input_report *input, struct findings *out)
{
	for (size_t i = 0; input && i < input->nr; i++) {
		const struct input_line *line = &input->items[i];
		const char *more = line->count > 2 ? "s" : "";
		struct finding *f;

		if (line->fault == INPUT_MENDED) {
			find_mended(input, i, out);
			continue;
		}
		f = findings_add(out,
				 &(struct finding){.severity = FINDING_CAUTION,
						   .kind = line->fault == INPUT_DUPLICATE
								   ? "input-duplicate"
								   : "input-refused",
						   .about = ABOUT_INPUT},
				 "%s, line %zu, was left out: %s: '%s'.", line->file, line->number,
				 line->why, line->text);
		finding_subject(f, "%s", line->file);
		finding_figure(f, "lines", (double)line->count, NAN, NAN);
		if (line->count > 1)
			finding_say(out, f, " So %s %zu other line%s.",
				    line->count > 2 ? "were" : "was", line->count - 1, more);
	}
}

void balance_findings_build(const struct balance_findings_facts *facts, struct findings *out)
{
	if (isnan(facts->b->total_kb))
		return;
	find_unmapped(facts->b, out);
	find_unaccounted(facts->b, out);
	find_contradiction(facts->b, out);
	find_beliefs(&facts->b->beliefs, out);
	find_input(facts->input, out);
	find_unread(facts, out);
	find_page_size(facts, out);
	findings_sort(out);
}
