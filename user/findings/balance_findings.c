// SPDX-License-Identifier: GPL-2.0-only
/* Writes the findings about a balance sheet: see balance_findings.h. */
#include "findings/balance_findings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/append.h"
#include "base/units.h"

#define UNMAPPED_LEAST_KB (64 * 1024.0) /* as BALANCE_UNMAPPED_SHARE, on small machines */
#define FAULT_LINES       3             /* lines named at most when the sum is too large */

const char *finding_severity_name(enum finding_severity severity)
{
	static const char *const names[] = {"high", "caution", "info"};

	return names[severity];
}

static struct balance_finding *balance_find(struct balance_findings *out,
					    enum finding_severity severity, const char *rule)
{
	struct balance_finding *f;

	if (out->nr == BALANCE_FINDINGS)
		return NULL;
	f = &out->items[out->nr++];
	*f = (struct balance_finding){
		.severity = severity, .rule = rule, .kernels = "", .next = ""};
	return f;
}

#define SAY(finding, ...) append_words((finding)->text, sizeof((finding)->text), __VA_ARGS__)

static const char *balance_size(char buf[UNITS_MAX], double kb)
{
	return units_bytes(buf, kb * 1024);
}

/* ---- figures that are not believed ---- */

/* "Inactive (22.3 GiB) and Inactive(file) (22.2 GiB)": the figures to which this rule gave this
 * belief. */
static size_t name_figures(const struct beliefs *b, enum belief_rule rule, enum belief belief,
			   struct balance_finding *out)
{
	size_t nr = 0, said = 0;
	char a[UNITS_MAX];

	for (int f = 0; f < FIGURES; f++)
		nr += b->figures[f].rule == rule && b->figures[f].belief == belief;
	for (int f = 0; f < FIGURES; f++) {
		const struct believed *figure = &b->figures[f];
		const char *comma = !said ? "" : said + 1 == nr ? " and " : ", ";

		if (figure->rule != rule || figure->belief != belief)
			continue;
		append_words(out->subject, sizeof(out->subject), "%s%s", said ? ", " : "",
			     figure_name(f));
		SAY(out, "%s%s", comma, figure_name(f));
		if (!isnan(figure->read_kb))
			SAY(out, " (%s)", balance_size(a, figure->read_kb));
		said++;
	}
	return nr;
}

static void say_kernels(const struct belief_rule_def *def, struct balance_finding *out)
{
	out->kernels = def->kernels;
	if (def->kernels[0])
		SAY(out, " Known from: %s.", def->kernels);
}

static void say_contradicted(const struct beliefs *b, enum belief_rule rule,
			     struct balance_finding *out)
{
	char used[UNITS_MAX];
	size_t nr = name_figures(b, rule, BELIEF_CONTRADICTED, out);

	SAY(out, " cannot be true. %s", belief_rules[rule].reason);
	if (rule == RULE_LRU_BEYOND_MEMORY || rule == RULE_GPU_BEYOND_MEMORY ||
	    rule == RULE_BEYOND_MEMORY)
		SAY(out, " That is %s here.", balance_size(used, b->used_kb));
	say_kernels(&belief_rules[rule], out);
	SAY(out, nr == 1 ? " It is left out: what it should count is unknown."
			 : " They are left out: what they should count is unknown.");
}

static const char *source_of(const struct beliefs *b, enum belief_rule rule, double *kb)
{
	const char *source = "";

	for (int f = 0; f < FIGURES; f++)
		if (b->figures[f].rule == rule && b->figures[f].belief == BELIEF_CORRECTED) {
			source = b->figures[f].source;
			*kb = b->figures[f].kb;
		}
	return source;
}

static void say_corrected(const struct beliefs *b, enum belief_rule rule,
			  struct balance_finding *out)
{
	char a[UNITS_MAX];
	double kb = NAN;
	const char *source = source_of(b, rule, &kb);
	size_t nr = name_figures(b, rule, BELIEF_CORRECTED, out);

	if (rule == RULE_LINE_MISSING) {
		SAY(out,
		    nr == 1 ? " has no line in /proc/meminfo that can be read: "
			      "it is taken from %s."
			    : " have no lines in /proc/meminfo that can be read: they are "
			      "taken from %s.",
		    nr == 1 ? source : "other lines and from /proc/vmstat");
		return;
	}
	SAY(out, " cannot be believed. %s", belief_rules[rule].reason);
	say_kernels(&belief_rules[rule], out);
	SAY(out, " It is %s according to %s. This value is used.", balance_size(a, kb), source);
}

static void say_missing(const struct beliefs *b, enum belief_rule rule, struct balance_finding *out)
{
	size_t nr = name_figures(b, rule, BELIEF_MISSING, out);

	if (rule == RULE_NOT_IN_OOM_REPORT)
		SAY(out, nr == 1 ? " is not printed in an OOM report. It is unknown, and its "
				   "memory is in Unaccounted."
				 : " are not printed in an OOM report. They are unknown, and their "
				   "memory is in Unaccounted.");
	else
		SAY(out,
		    "%s missing from %s, or cannot be read, although every kernel prints %s: %s, "
		    "and %s memory is in Unaccounted.",
		    nr == 1 ? " is" : " are", b->oom_report ? "the report" : "/proc/meminfo",
		    nr == 1 ? "it" : "them", nr == 1 ? "it is unknown" : "they are unknown",
		    nr == 1 ? "its" : "their");
}

char *belief_describe(const struct beliefs *b, enum belief_rule rule, enum belief belief,
		      struct balance_finding *out)
{
	bool any = false;

	for (int f = 0; f < FIGURES; f++)
		any |= b->figures[f].rule == rule && b->figures[f].belief == belief;
	if (!any)
		return out->text;
	if (belief == BELIEF_CONTRADICTED)
		say_contradicted(b, rule, out);
	else if (belief == BELIEF_CORRECTED)
		say_corrected(b, rule, out);
	else if (belief == BELIEF_MISSING)
		say_missing(b, rule, out);
	return out->text;
}

static void find_beliefs(const struct beliefs *b, struct balance_findings *out)
{
	static const struct {
		enum belief belief;
		enum finding_severity severity;
	} order[] = {{BELIEF_CONTRADICTED, FINDING_CAUTION},
		     {BELIEF_MISSING, FINDING_CAUTION},
		     {BELIEF_CORRECTED, FINDING_INFO}};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		for (int rule = RULE_NONE + 1; rule < BELIEF_RULES; rule++) {
			struct balance_finding said = {.severity = order[i].severity,
						       .rule = belief_rules[rule].name,
						       .kernels = "",
						       .next = ""};

			if (*belief_describe(b, rule, order[i].belief, &said) &&
			    out->nr < BALANCE_FINDINGS)
				out->items[out->nr++] = said;
		}
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
static void name_lines_at_fault(const struct balance *b, struct balance_finding *out)
{
	double least = -b->kb[BALANCE_REST];
	bool named[BALANCE_LINES] = {0}, alone;
	enum balance_id line =
		b->kb[BALANCE_OTHER_LRU] >= least ? BALANCE_OTHER_LRU : next_line(b, named, least);
	char a[UNITS_MAX];

	alone = line != BALANCE_REST;
	if (!alone)
		line = next_line(b, named, 0);
	SAY(out, alone ? " Each of these lines may be too large by that much: "
		       : " No line alone is that large; the largest are: ");
	for (int i = 0; i < FAULT_LINES && line != BALANCE_REST; i++) {
		SAY(out, "%s%s (%s, from %s)", i ? "; " : "", balance_defs[line].label,
		    balance_size(a, b->kb[line]), balance_defs[line].source);
		append_words(out->subject, sizeof(out->subject), "%s%s", i ? ", " : "",
			     balance_defs[line].source);
		named[line] = true;
		line = next_line(b, named, alone ? least : 0);
	}
	SAY(out, ".");
}

static void find_contradiction(const struct balance *b, struct balance_findings *out)
{
	struct balance_finding *f;
	char over[UNITS_MAX], lag[UNITS_MAX];

	if (!b->contradiction)
		return;
	f = balance_find(out, FINDING_CAUTION, "lines-beyond-memory");
	if (!f)
		return;
	SAY(f,
	    "The figures contradict each other: the lines exceed MemTotal by %s, and counters "
	    "that CPUs have not passed on yet explain at most %s.",
	    balance_size(over, -b->kb[BALANCE_REST]),
	    balance_size(lag, beliefs_lag_kb(&b->beliefs)));
	if (b->beliefs.container) {
		snprintf(f->subject, sizeof(f->subject), "MemTotal");
		SAY(f,
		    " MemTotal is a container's (lxcfs), and other lines are the machine's. Read "
		    "/proc outside the container.");
		return;
	}
	name_lines_at_fault(b, f);
}

double balance_unmapped_lru_kb(const struct balance *b)
{
	double kb = b->kb[BALANCE_OTHER_LRU];

	if (b->unknown[BALANCE_OTHER_LRU] || !(kb >= UNMAPPED_LEAST_KB) ||
	    !(kb >= BALANCE_UNMAPPED_SHARE * b->total_kb))
		return 0;
	return kb;
}

static void find_unmapped(const struct balance *b, struct balance_findings *out)
{
	double kb = balance_unmapped_lru_kb(b);
	struct balance_finding *f = kb > 0 ? balance_find(out, FINDING_HIGH, "lru-unmapped") : NULL;
	char size[UNITS_MAX], total[UNITS_MAX];

	if (!f)
		return;
	snprintf(f->subject, sizeof(f->subject), "Active, Inactive, Unevictable");
	f->next = "kmemtrace record -d 180";
	SAY(f,
	    "%s of %s are on the LRU lists, but no process maps these pages and no cache has "
	    "them. Their user still holds a reference to them (RDMA, vhost, io_uring, device "
	    "passthrough: pinned and then unmapped), or they leaked. Reclaim cannot free them.",
	    balance_size(size, kb), balance_size(total, b->total_kb));
}

static void find_page_size(const struct balance_findings_facts *facts, struct balance_findings *out)
{
	double page_bytes = facts->b->beliefs.page_bytes;
	struct balance_finding *f;
	char theirs[UNITS_MAX], own[UNITS_MAX];

	if (!(facts->reader_page_bytes > 0) || facts->reader_page_bytes == page_bytes ||
	    !facts->page_bytes_source)
		return;
	f = balance_find(out, FINDING_INFO, "page-size");
	if (!f)
		return;
	snprintf(f->subject, sizeof(f->subject), "page size");
	SAY(f, "The figures are of a machine with pages of %s (this one has %s), as %s show.",
	    units_bytes(theirs, page_bytes), units_bytes(own, facts->reader_page_bytes),
	    facts->page_bytes_source);
}

/* ---- the input ---- */

/* "meminfo, vmstat and zoneinfo had CR LF line ends." Said at the first of these files. */
static void find_mended(const struct input_report *input, size_t first,
			struct balance_findings *out)
{
	const char *why = input->items[first].why;
	struct balance_finding *f;

	for (size_t i = 0; i < first; i++)
		if (input->items[i].why == why)
			return;
	f = balance_find(out, FINDING_INFO, "input-mended");
	for (size_t i = first; f && i < input->nr; i++)
		if (input->items[i].why == why)
			append_words(f->subject, sizeof(f->subject), "%s%s", i > first ? ", " : "",
				     input->items[i].file);
	if (f)
		SAY(f, "%s %s.", f->subject, why);
}

char *unread_lines_describe(const struct snapshot *s, struct balance_finding *out)
{
	const struct {
		const char *file;
		size_t lines;
	} files[] = {{"meminfo", s->meminfo.bad_lines},
		     {"vmstat", s->vmstat.bad_lines},
		     {"slabinfo", s->slabs.bad_lines},
		     {"zoneinfo", s->zones.bad_lines},
		     {"vmallocinfo", s->vmallocs.bad_lines}};
	bool any = false;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!files[i].lines)
			continue;
		append_words(out->subject, sizeof(out->subject), "%s%s", any ? ", " : "",
			     files[i].file);
		SAY(out, "%s%zu of /proc/%s",
		    any ? ", " : "Lines that could not be read: ", files[i].lines, files[i].file);
		any = true;
	}
	if (any)
		SAY(out,
		    ". They are left out. Their form is unknown, or a counter fell below zero, "
		    "which the kernel prints as a huge number.");
	return out->text;
}

/* For the live /proc only: for a copy, find_input() names each line. */
static void find_unread(const struct balance_findings_facts *facts, struct balance_findings *out)
{
	struct balance_finding said = {.severity = FINDING_CAUTION,
				       .rule = "lines-unread",
				       .kernels = "",
				       .next = "kmemtrace balance --proc /proc"};

	if (facts->s && !facts->input && !facts->oom && *unread_lines_describe(facts->s, &said) &&
	    out->nr < BALANCE_FINDINGS)
		out->items[out->nr++] = said;
}

static void find_input(const struct input_report *input, struct balance_findings *out)
{
	for (size_t i = 0; input && i < input->nr; i++) {
		const struct input_line *line = &input->items[i];
		struct balance_finding *f;

		if (line->fault == INPUT_MENDED) {
			find_mended(input, i, out);
			continue;
		}
		f = balance_find(out, FINDING_CAUTION,
				 line->fault == INPUT_DUPLICATE ? "input-duplicate"
								: "input-refused");
		if (!f)
			return;
		snprintf(f->subject, sizeof(f->subject), "%s", line->file);
		SAY(f, "%s, line %zu, was left out: %s: '%s'.", line->file, line->number, line->why,
		    line->text);
		if (line->count > 1)
			SAY(f, " So %s %zu other line%s.", line->count > 2 ? "were" : "was",
			    line->count - 1, line->count > 2 ? "s" : "");
	}
}

/* By severity, and in the order of finding within it. */
static void sort_findings(struct balance_findings *list)
{
	struct balance_findings sorted = {.nr = 0};

	for (int severity = FINDING_HIGH; severity <= FINDING_INFO; severity++)
		for (size_t i = 0; i < list->nr; i++)
			if (list->items[i].severity == (enum finding_severity)severity)
				sorted.items[sorted.nr++] = list->items[i];
	*list = sorted;
}

/* ---- an OOM report ---- */

static void find_oom_report(const struct oom_report *oom, struct balance_findings *out)
{
	struct balance_finding *f = balance_find(out, FINDING_INFO, "oom-report");

	if (!f)
		return;
	snprintf(f->subject, sizeof(f->subject), "line %zu", oom->line);
	SAY(f, "These are the figures that begin at line %zu of the log", oom->line);
	if (oom->reports > 1)
		SAY(f, ", the last of %zu reports", oom->reports);
	if (oom->trigger[0])
		SAY(f, ": '%s'", oom->trigger);
	SAY(f, ".%s",
	    oom->is_oom || !oom->trigger[0]
		    ? ""
		    : " The kernel did not run out of memory there: it showed memory for another "
		      "reason.");
	SAY(f, " An OOM report has no AnonPages. Here, anonymous memory means all pages on the LRU "
	       "lists outside the page cache, whether a process maps them or not.");
}

static void find_oom_damage(const struct oom_report *oom, struct balance_findings *out)
{
	struct balance_finding *f =
		oom->later_cut ? balance_find(out, FINDING_CAUTION, "oom-cut") : NULL;

	if (f) {
		snprintf(f->subject, sizeof(f->subject), "log");
		SAY(f, "A later report in this log is cut: its figures are left out. dmesg or the "
		       "journal of that boot may have all of it.");
	}
	f = oom->mixed ? balance_find(out, FINDING_CAUTION, "oom-mixed") : NULL;
	if (f) {
		snprintf(f->subject, sizeof(f->subject), "log");
		SAY(f, "Two reports are mixed into each other here: some sums are there twice with "
		       "different values, and the first ones are used.");
	}
}

/* Anonymous pages beyond what all listed processes map, even if each shared page is counted once
 * per process. */
static void find_oom_unmapped(const struct balance *b, const struct oom_report *oom,
			      struct balance_findings *out)
{
	double anon = b->kb[BALANCE_ANON_SMALL] + b->kb[BALANCE_ANON_HUGE], kb = anon - oom->rss_kb;
	struct balance_finding *f;
	char size[UNITS_MAX], rss[UNITS_MAX], lists[UNITS_MAX];

	if (!(kb >= UNMAPPED_LEAST_KB) || !(kb >= BALANCE_UNMAPPED_SHARE * b->total_kb))
		return;
	f = balance_find(out, FINDING_HIGH, "lru-unmapped");
	if (!f)
		return;
	snprintf(f->subject, sizeof(f->subject), "active_anon, inactive_anon, unevictable");
	SAY(f,
	    "At least %s on the LRU lists are mapped by no process: the lists have %s outside the "
	    "page cache, and the %zu processes of the report map at most %s. The user of these "
	    "pages still holds a reference to them (RDMA, vhost, io_uring, device passthrough: "
	    "pinned and then unmapped), or they leaked. Killing processes does not free them.",
	    balance_size(size, kb), balance_size(lists, anon), oom->processes,
	    balance_size(rss, oom->rss_kb));
}

static void find_oom_caches(const struct oom_report *oom, struct balance_findings *out)
{
	struct balance_finding *f =
		oom->nr_caches ? balance_find(out, FINDING_INFO, "oom-slab") : NULL;
	char size[UNITS_MAX];

	if (!f)
		return;
	snprintf(f->subject, sizeof(f->subject), "slab_unreclaimable");
	SAY(f, "The largest unreclaimable slab caches in the report: ");
	for (size_t i = 0; i < oom->nr_caches; i++)
		SAY(f, "%s%s %s", i ? ", " : "", oom->caches[i].name,
		    balance_size(size, oom->caches[i].kb));
	SAY(f, ".");
}

static void find_oom(const struct balance *b, const struct oom_report *oom,
		     struct balance_findings *out)
{
	if (!oom)
		return;
	find_oom_report(oom, out);
	find_oom_damage(oom, out);
	find_oom_unmapped(b, oom, out);
	find_oom_caches(oom, out);
}

void balance_findings_build(const struct balance_findings_facts *facts,
			    struct balance_findings *out)
{
	out->nr = 0;
	if (isnan(facts->b->total_kb))
		return;
	find_unmapped(facts->b, out);
	find_contradiction(facts->b, out);
	find_beliefs(&facts->b->beliefs, out);
	find_input(facts->input, out);
	find_unread(facts, out);
	find_page_size(facts, out);
	find_oom(facts->b, facts->oom, out);
	sort_findings(out);
}
