// SPDX-License-Identifier: GPL-2.0-only
/* The report as text: see report.h. Each section is a function, in the order of printing. */
#include <math.h>

#include "model/confidence.h"
#include "model/sampling.h"
#include "render/bpf_use.h"
#include "render/node_use.h"
#include "render/report_findings.h"
#include "render/report.h"
#include "render/report_internal.h"
#include "render/section.h"
#include "render/table.h"
#include "render/witness.h"

static const char *meta(struct page *p, const struct report *r, const char *key)
{
	const char *value = capture_meta(r->c, key);

	return value[0] ? page_fit(p, value, PAGE_WIDTH / 2) : p->glyphs->none;
}

/* How rare samples were, pool by pool. */
static void metadata_sampling(struct page *p, const struct report *r)
{
	static const struct {
		enum pool pool;
		const char *words;
	} pools[] = {{POOL_SLAB, "slab"},
		     {POOL_PAGE, "pages and page tables"},
		     {POOL_KSTACK, "kernel stacks"},
		     {POOL_PERCPU, "per-CPU memory"}};
	struct page_words words;
	bool any = false;

	if (!page_words_begin(p, &words))
		return;
	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		char mean[SAMPLING_WORDS_MAX], range[SAMPLING_RANGE_MAX];
		struct sampling s;

		sampling_of(&r->view, pools[i].pool, &s);
		if (!(s.mean > 0) || !view_traces(&r->view, pools[i].pool))
			continue;
		fprintf(words.f, "%s %s: %s allocated%s", any ? ";" : "Samples of", pools[i].words,
			sampling_words(mean, s.mean), sampling_range_words(range, &s));
		any = true;
	}
	if (any)
		fputs(".", words.f);
	page_words_end(p, &words, 2);
}

/* What events and samples took. */
static const char *cost_words(char buf[128], double overhead, double samples)
{
	buf[0] = '\0';
	if (samples >= 0 && samples <= overhead)
		snprintf(buf, 128,
			 " Samples took %.2f%%; events that were not sampled took %.2f%%.", samples,
			 overhead - samples);
	return buf;
}

static void metadata_capture(struct page *p, const struct report *r)
{
	double overhead = capture_meta_number(r->c, META_OVERHEAD, NAN);
	double samples = capture_meta_number(r->c, META_SAMPLING, NAN);
	double own = capture_meta_number(r->c, META_OWN_BYTES, NAN);
	char when[UNITS_MAX], a[UNITS_MAX], b[UNITS_MAX], cost[128];

	page_heading(p, PAGE_BOLD, "CAPTURE");
	page_paragraph(p, 2, "Host %s, Linux %s %s, virtualization %s, lockdown %s, %.0f CPUs, %s.",
		       meta(p, r, META_HOST), meta(p, r, META_RELEASE), meta(p, r, META_ARCH),
		       meta(p, r, META_VIRT), meta(p, r, META_LOCKDOWN), r->view.cpus,
		       units_bytes(a, view_mem_total_kb(&r->view) * 1024));
	page_paragraph(p, 2, "Recorded %s for %s, mode %s, %s.",
		       units_time(when, "%Y-%m-%d %H:%M:%S UTC", view_wall_s(&r->view))
			       ?: "at an unknown time",
		       units_duration(a, r->view.duration_s), meta(p, r, META_MODE),
		       r->view.complete ? "complete" : "incomplete");
	metadata_sampling(p, r);
	if (!isnan(overhead))
		page_paragraph(
			p, 2, "Recording took %.2f%% of the machine's CPU time%s%s%s.%s", overhead,
			isnan(own) ? "" : " and ", isnan(own) ? "" : units_bytes(b, own),
			isnan(own) ? "" : " of kernel memory", cost_words(cost, overhead, samples));
}

static void pool_trends(struct page *p, const struct report *r)
{
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &r->ledger.rows[i];
		char a[UNITS_MAX];

		if (!trend_is_notable(&row->trend))
			continue;
		fprintf(p->out, "  %-13s ", row->name);
		page_bars(p, row->series, row->nr_series, false);
		fprintf(p->out, "  %s", pattern_name(row->trend.pattern));
		if (trend_has_rate(&row->trend))
			fprintf(p->out, ", %s/s", units_bytes(a, row->trend.slope * 1024));
		else if (trend_has_moment(&row->trend))
			fprintf(p->out, " at %s", units_duration(a, row->trend.change_t));
		fputc('\n', p->out);
	}
}

/* The intervals of the residuals in a sampled report. */
static void pool_intervals(struct page *p, const struct report *r)
{
	struct page_words words;
	const char *lead =
		"Held is an estimate in these pools, so their residuals are uncertain (95% "
		"intervals): ";

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
		fprintf(words.f, ". An interval that includes 0 may be sampling error.");
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

		if (!row->shown)
			continue;
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
		       "not measured; for SecPageTables and Unaccounted, old freed is part of the "
		       "residual. VmallocUsed includes KernelStack if thread stacks are vmalloc "
		       "areas.",
		       p->glyphs->none);
	pool_intervals(p, r);
}

static void hooks(struct page *p, const struct report *r)
{
	findings_part_text(p, &r->findings, PART_HOOKS, "HOOKS");
}

static void verdict(struct page *p, const struct report *r)
{
	page_verdict(p, r->verdict.leak, r->verdict.items, r->verdict.nr, r->verdict.next);
}

static void losses_and_audit(struct page *p, const struct report *r)
{
	findings_part_text(p, &r->findings, PART_LOSSES, "LOSSES");
	findings_part_text(p, &r->findings, PART_AUDIT, "LIVENESS AUDIT");
}

static void caches_and_counts(struct page *p, const struct report *r, size_t top)
{
	report_caches(p, r, top);
	witnesses_text(p, &r->witnesses, true);
	bpf_use_text(p, &r->bpf, top);
}

static void pools_and_nodes(struct page *p, const struct report *r)
{
	pools(p, r);
	node_use_text(p, &r->nodes);
}

/* The sections, in the order of printing, which is that of enum report_section. */
static const char *const section_names[] = {"verdict",  "host",    "pools",  "caches", "stacks",
					    "findings", "holders", "losses", "hooks",  "census"};
#define NR_SECTIONS (sizeof(section_names) / sizeof(section_names[0]))

static const struct section {
	void (*print)(struct page *p, const struct report *r);
	void (*print_top)(struct page *p, const struct report *r, size_t top);
} sections[NR_SECTIONS] = {
	{verdict, NULL},           {metadata_capture, NULL}, {pools_and_nodes, NULL},
	{NULL, caches_and_counts}, {NULL, report_growth},    {findings_text, NULL},
	{NULL, report_holders},    {losses_and_audit, NULL}, {hooks, NULL},
	{NULL, report_census},
};

unsigned int section_parse(const char *name, size_t len)
{
	return section_bit(section_names, NR_SECTIONS, name, len);
}

int report_text(const struct report *r, const struct report_options *options, FILE *out)
{
	struct page p;

	page_begin(&p, out, options->colour, options->utf8);
	report_screen(&p, r);
	if (!options->sections)
		section_more(&p, section_names, NR_SECTIONS);
	for (size_t i = 0; i < NR_SECTIONS; i++) {
		const struct section *s = &sections[i];

		if (!(options->sections >> i & 1))
			continue;
		if (s->print)
			s->print(&p, r);
		else
			s->print_top(&p, r, options->top);
	}
	return page_end(&p);
}
