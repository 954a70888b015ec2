// SPDX-License-Identifier: GPL-2.0-only
/* Writes the findings about an OOM report: see oom_findings.h. */
#include "findings/oom_findings.h"

#include <math.h>

#include "base/units.h"
#include "findings/balance_findings.h"

static const char *oom_size(char buf[UNITS_MAX], double kb)
{
	return units_bytes(buf, kb * 1024);
}

static void oom_find_report(const struct oom_report *oom, struct findings *out)
{
	struct finding *f = findings_add(
		out,
		&(struct finding){
			.severity = FINDING_NOTICE, .kind = "oom-report", .about = ABOUT_INPUT},
		"These are the figures that begin at line %zu of the log", oom->line);

	finding_subject(f, "line %zu", oom->line);
	if (oom->reports > 1)
		finding_say(out, f, ", the last of %zu reports", oom->reports);
	if (oom->trigger[0])
		finding_say(out, f, ": '%s'", oom->trigger);
	finding_say(out, f, ".%s",
		    oom->is_oom || !oom->trigger[0]
			    ? ""
			    : " The kernel did not run out of memory there: it showed memory for "
			      "another reason.");
	finding_say(out, f,
		    " An OOM report has no AnonPages. Here, anonymous memory means all pages on "
		    "the LRU lists outside the page cache, whether a process maps them or not.");
}

static void oom_find_damage(const struct oom_report *oom, struct findings *out)
{
	static const struct finding cut = {
		.severity = FINDING_CAUTION, .kind = "oom-cut", .about = ABOUT_INPUT};
	static const struct finding mixed = {
		.severity = FINDING_CAUTION, .kind = "oom-mixed", .about = ABOUT_INPUT};

	if (oom->later_cut)
		finding_subject(findings_add(out, &cut,
					     "A later report in this log is cut: its figures are "
					     "left out. dmesg or the journal of that boot may have "
					     "all of it."),
				"log");
	if (oom->mixed)
		finding_subject(findings_add(out, &mixed,
					     "Two reports are mixed into each other here: some "
					     "sums are there twice with different values, and the "
					     "first ones are used."),
				"log");
}

/* Anonymous pages beyond what all listed processes map, even if each shared page is counted once
 * per process. */
static void oom_find_unmapped(const struct balance *b, const struct oom_report *oom,
			      struct findings *out)
{
	double anon = b->kb[BALANCE_ANON_SMALL] + b->kb[BALANCE_ANON_HUGE], kb = anon - oom->rss_kb;
	char size[UNITS_MAX], rss[UNITS_MAX], lists[UNITS_MAX];
	struct finding *f;

	if (!balance_unmapped_matters(b, kb)) /* nor if rss_kb is unknown */
		return;
	f = findings_add(
		out,
		&(struct finding){.severity = FINDING_WARNING,
				  .kind = "lru-unmapped",
				  .about = ABOUT_COUNTER},
		"At least %s on the LRU lists are mapped by no process: the lists have %s outside "
		"the page cache, and the %zu processes of the report map at most %s. " BALANCE_UNMAPPED_WHY
		" Killing processes does not free them.",
		oom_size(size, kb), oom_size(lists, anon), oom->processes,
		oom_size(rss, oom->rss_kb));
	finding_subject(f, "active_anon, inactive_anon, unevictable");
	finding_figure(f, "unmapped_kb", kb, NAN, NAN);
}

static void oom_find_caches(const struct oom_report *oom, struct findings *out)
{
	struct finding *f;
	char size[UNITS_MAX];

	if (!oom->nr_caches)
		return;
	f = findings_add(out,
			 &(struct finding){.severity = FINDING_NOTICE,
					   .kind = "oom-slab",
					   .about = ABOUT_CACHE},
			 "The largest unreclaimable slab caches in the report: ");
	finding_subject(f, "%s", oom->caches[0].name);
	finding_figure(f, "largest_kb", oom->caches[0].kb, NAN, NAN);
	for (size_t i = 0; i < oom->nr_caches; i++)
		finding_say(out, f, "%s%s %s", i ? ", " : "", oom->caches[i].name,
			    oom_size(size, oom->caches[i].kb));
	finding_say(out, f, ".");
}

#define SITES_SAID 5

/* What allocated the most, by place in the kernel's source (memory allocation profiling). */
static void oom_find_sites(const struct oom_report *oom, struct findings *out)
{
	const struct oom_site *top = oom->nr_sites ? &oom->sites[0] : NULL;
	struct finding *f;
	char size[UNITS_MAX];

	if (!top)
		return;
	f = findings_add(out,
			 &(struct finding){.severity = FINDING_NOTICE,
					   .kind = "oom-allocations",
					   .about = ABOUT_COUNTER},
			 "The places in the kernel that allocated the most: ");
	finding_subject(f, "Memory allocations");
	finding_figure(f, "largest_kb", top->kb, NAN, NAN);
	finding_figure(f, "largest_allocations", top->calls, NAN, NAN);
	for (size_t i = 0; i < oom->nr_sites && i < SITES_SAID; i++) {
		const struct oom_site *site = &oom->sites[i];

		finding_say(out, f, "%s%s %s (%s%s%s)", i ? ", " : "", oom_size(size, site->kb),
			    site->function, site->place, site->module[0] ? " of " : "",
			    site->module);
	}
	finding_say(out, f, ".%s",
		    oom->profiling_off ? " Profiling was turned off by then, so they are too low "
					 "or old."
				       : "");
}

void oom_findings_build(const struct balance *b, const struct oom_report *oom, struct findings *out)
{
	oom_find_report(oom, out);
	oom_find_damage(oom, out);
	oom_find_unmapped(b, oom, out);
	oom_find_caches(oom, out);
	oom_find_sites(oom, out);
}
