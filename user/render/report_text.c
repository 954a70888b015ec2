// SPDX-License-Identifier: GPL-2.0-only
/* The report as text: see report.h. One function a section, in the order they are printed. */
#include <math.h>
#include <string.h>

#include "model/confidence.h"
#include "render/findings.h"
#include "render/report.h"
#include "render/report_internal.h"
#include "render/table.h"

static const char *meta(struct page *p, const struct report *r, const char *key)
{
	const char *value = capture_meta(r->c, key);

	return value[0] ? page_fit(p, value, PAGE_WIDTH / 2) : p->glyphs->none;
}

static void metadata_capture(struct page *p, const struct report *r)
{
	double wall = capture_meta_number(r->c, META_START, NAN) + r->view.start->t_s;
	double overhead = capture_meta_number(r->c, META_OVERHEAD, NAN);
	double own = capture_meta_number(r->c, META_OWN_BYTES, NAN);
	char when[UNITS_MAX], a[UNITS_MAX], b[UNITS_MAX];

	page_heading(p, PAGE_BOLD, "CAPTURE");
	page_paragraph(p, 2, "Host %s, Linux %s %s, virtualization %s, lockdown %s, %.0f CPUs, %s.",
		       meta(p, r, META_HOST), meta(p, r, META_RELEASE), meta(p, r, META_ARCH),
		       meta(p, r, META_VIRT), meta(p, r, META_LOCKDOWN), r->view.cpus,
		       units_bytes(a, snapshot_meminfo(r->view.end, "MemTotal") * 1024));
	page_paragraph(p, 2, "Recorded %s for %s, mode %s, %s.",
		       units_time(when, "%Y-%m-%d %H:%M:%S UTC", wall) ?: "at an unknown time",
		       units_duration(a, r->view.duration_s), meta(p, r, META_MODE),
		       r->view.complete ? "complete" : "incomplete");
	if (!isnan(overhead))
		page_paragraph(p, 2, "Recording took %.2f%% of the machine's CPU time%s%s%s.",
			       overhead, isnan(own) ? "" : " and ",
			       isnan(own) ? "" : units_bytes(b, own),
			       isnan(own) ? "" : " of kernel memory");
}

static void pool_trends(struct page *p, const struct report *r)
{
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &r->ledger.rows[i];
		char a[UNITS_MAX];

		if (row->trend.pattern == PATTERN_UNKNOWN || row->trend.pattern == PATTERN_STEADY)
			continue;
		fprintf(p->out, "  %-13s ", row->name);
		page_bars(p, row->series, row->nr_series, false);
		fprintf(p->out, "  %s", pattern_name(row->trend.pattern));
		if (trend_has_rate(&row->trend))
			fprintf(p->out, ", %s/s", units_bytes(a, row->trend.slope * 1024));
		else if ((row->trend.pattern == PATTERN_STEP ||
			  row->trend.pattern == PATTERN_DROP) &&
			 row->trend.change_p < 0.05)
			fprintf(p->out, " at %s", units_duration(a, row->trend.change_t));
		fputc('\n', p->out);
	}
}

/* What sampling leaves of the residuals. */
static void pool_intervals(struct page *p, const struct report *r)
{
	struct page_words words;
	const char *lead = "Residuals are uncertain where held is an estimate (95% intervals): ";

	if (!page_words_begin(p, &words))
		return;
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &r->ledger.rows[i];
		char low[PAGE_CELL], high[PAGE_CELL];

		if (!interval_shows(row->residual_kb, row->residual_low_kb, row->residual_high_kb))
			continue;
		fprintf(words.f, "%s%s %s to %s", lead, row->name,
			page_bytes(p, low, row->residual_low_kb * 1024, true),
			page_bytes(p, high, row->residual_high_kb * 1024, true));
		lead = ", ";
	}
	if (lead[0] == ',')
		fprintf(words.f, ". One that holds 0 can be sampling error alone.");
	page_words_end(p, &words, 2);
}

static void pools(struct page *p, const struct report *r)
{
	static const struct table_column columns[] = {
		{"", 0, false},        {"start", 0, true},    {"end", 0, true},
		{"change", 0, true},   {"held", 0, true},     {"old freed", 0, true},
		{"overhead", 0, true}, {"residual", 0, true},
	};
	struct table table = TABLE_INIT(p, columns);

	page_heading(p, PAGE_BOLD, "POOLS  (K, M, G: KiB, MiB, GiB)");
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &r->ledger.rows[i];

		table_words(&table, "%s", row->name);
		table_bytes(&table, row->start_kb * 1024, false);
		table_bytes(&table, row->end_kb * 1024, false);
		table_bytes(&table, row->delta_kb * 1024, true);
		table_bytes(&table, row->attributed_kb * 1024, true);
		table_bytes(&table, -row->preexisting_freed_kb * 1024, true);
		table_bytes(&table, row->allocator_overhead_kb * 1024, true);
		table_bytes(&table, row->residual_kb * 1024, true);
	}
	table_print(&table);
	pool_trends(p, r);
	page_paragraph(p, 2,
		       "change = held (allocated while tracing, not freed) + old freed (older than "
		       "the capture) + overhead (of the allocator) + residual (not explained). %s: "
		       "not measured; of SecPageTables and Unaccounted it is in the residual. "
		       "VmallocUsed includes KernelStack where thread stacks are vmalloc areas.",
		       p->glyphs->none);
	pool_intervals(p, r);
}

static void losses(struct page *p, const struct report *r)
{
	const struct cap_checkpoint *at = r->view.at;
	const struct losses *l = &r->losses;
	double unseen_frees = 0, frees = 0;
	char a[UNITS_MAX], b[UNITS_MAX];

	page_heading(p, PAGE_BOLD, "LOSSES");
	for (size_t i = 0; at && i < at->churn.nr; i++) {
		unseen_frees += at->churn.items[i].unseen_frees;
		frees += at->churn.items[i].frees;
	}
	if (!at)
		page_paragraph(p, 2, "Nothing was traced, so nothing was lost.");
	else if (!(l->events > 0) && !(l->details > 0))
		page_paragraph(p, 2, "No events were lost (of %s).", units_count(a, l->traffic));
	for (size_t i = 0; at && i < at->losses.nr; i++) {
		const struct cap_count *c = &at->losses.items[i];
		const char *meaning = loss_meaning(c->name);

		if (c->value && (meaning[0] || loss_kind(c->name) != LOSS_NONE))
			page_paragraph(p, 2, "%s %s%s%s.", units_count(a, (double)c->value),
				       c->name, meaning[0] ? ": " : "", meaning);
	}
	if (unseen_frees > 0)
		page_paragraph(p, 2, "%s of %s frees fired no event and were found otherwise.",
			       units_count(a, unseen_frees), units_count(b, unseen_frees + frees));
}

#define AUDIT_RATE_OF 100000

static void audit(struct page *p, const struct report *r)
{
	const struct view *v = &r->view;
	const char *state = capture_meta(v->c, META_AUDIT);
	double looked_up = count_of(v, "audit_judged") + count_of(v, "audit_unsure");
	double took_s = count_of(v, "audit_ns") / 1e9;
	char runs[UNITS_MAX], nr[UNITS_MAX], live[UNITS_MAX], unseen_frees[UNITS_MAX],
		unsure[UNITS_MAX];
	char each[48] = "";

	if (!v->at)
		return;
	page_heading(p, PAGE_BOLD, "LIVENESS AUDIT");
	if (strcmp(state, "ok")) {
		page_paragraph(
			p, 2,
			"No object was looked up in the allocator%s%s: one whose free fires no "
			"event looks outstanding.",
			state[0] ? ": " : "", state);
		return;
	}
	if (looked_up >= AUDIT_RATE_OF) /* of fewer, most is the fixed cost of the runs */
		snprintf(each, sizeof(each), ", %.3f s for each %s",
			 took_s * AUDIT_RATE_OF / looked_up, units_count(nr, AUDIT_RATE_OF));
	page_paragraph(
		p, 2,
		"%s look-ups of objects in the allocator's free lists, in %s runs that took %.3f s "
		"of one CPU%s: %s live, %s found free though no event had said so, %s undecided.",
		units_count(nr, looked_up), units_count(runs, count_of(v, "audit_runs")), took_s,
		each, units_count(live, count_of(v, "audit_live")),
		units_count(unseen_frees, count_of(v, "audit_ghosts")),
		units_count(unsure, count_of(v, "audit_unsure")));
}

static void hooks(struct page *p, const struct report *r)
{
	const struct capture *c = r->c;
	size_t missing = 0;

	for (size_t i = 0; i < c->nr_hooks; i++)
		missing += !c->hooks[i].how[0];
	page_heading(p, PAGE_BOLD, "HOOKS");
	if (!c->nr_hooks)
		page_paragraph(p, 2, "The capture does not say which hooks were attached.");
	else
		page_paragraph(p, 2, "%zu attached, %zu not.", c->nr_hooks - missing, missing);
	for (size_t i = 0; i < c->nr_hooks; i++) {
		const struct cap_hook *h = &c->hooks[i];

		if (!h->how[0])
			page_paragraph(p, 2, "%s: %s%s%s.", h->name,
				       h->reason[0] ? h->reason : "not attached",
				       h->cost[0] ? "; costs: " : "", h->cost);
	}
}

int report_text(const struct report *r, const struct report_options *options, FILE *out)
{
	struct page p;

	page_begin(&p, out, options->colour, options->utf8);
	page_verdict(&p, r->verdict.leak, r->verdict.items, r->verdict.nr, r->verdict.next);
	metadata_capture(&p, r);
	pools(&p, r);
	report_caches(&p, r, options->top);
	report_growth(&p, r, options->top);
	findings_text(&p, r);
	report_holders(&p, r, options->top);
	losses(&p, r);
	audit(&p, r);
	hooks(&p, r);
	return page_end(&p);
}
