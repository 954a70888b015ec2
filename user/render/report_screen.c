// SPDX-License-Identifier: GPL-2.0-only
/* The first screen of a report as text: see findings/first_screen.h and report.h. */
#include <string.h>

#include "base/cleanup.h"
#include "render/report_internal.h"

#define CGROUP_COLUMNS  24 /* of a cgroup's path, */
#define CMDLINE_COLUMNS 12 /* and at least of a command line, or it is left out */

static void print_pool(struct page *p, const struct ledger_row *row)
{
	char end[PAGE_CELL], change[PAGE_CELL], residual[PAGE_CELL];

	fprintf(p->out, "  %-13s %7s %8s  ", row->name,
		page_bytes(p, end, row->end_kb * 1024, false),
		page_bytes(p, change, row->delta_kb * 1024, true));
	page_bars(p, row->series, row->nr_series, false);
	if (row->trend.pattern != PATTERN_UNKNOWN)
		fprintf(p->out, " %s", pattern_name(row->trend.pattern));
	if (row->residual_matters)
		fprintf(p->out, ", residual %s",
			page_bytes(p, residual, row->residual_kb * 1024, true));
	fputc('\n', p->out);
}

static void print_pools(struct page *p, const struct report *r)
{
	page_heading(p, PAGE_BOLD, "%-15s %7s %8s", "POOLS", "end", "change");
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &r->ledger.rows[i];

		if (!row->empty)
			print_pool(p, row);
	}
}

/* All pools in one or two lines, for a report in which none grew. */
static void print_levels(struct page *p, const struct report *r)
{
	struct page_words words;
	char end[PAGE_CELL];
	bool first = true;

	if (!page_words_begin(p, &words))
		return;
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &r->ledger.rows[i];

		if (!(row->end_kb > 0))
			continue;
		fprintf(words.f, "%s%s %s", first ? "" : ", ", row->name,
			page_bytes(p, end, row->end_kb * 1024, false));
		first = false;
	}
	page_words_item(p, &words, &(struct page_label){"POOLS", PAGE_BOLD, 3});
}

static void item(struct page *p, const char *word, const char *words)
{
	page_item(p, &(struct page_label){word, PAGE_BOLD, 2}, "%s", words);
}

/* Who holds how much. The command line gets the remaining columns, and is cut in the middle. */
static void print_who(struct page *p, const struct screen_holder *h, const char *label)
{
	char bytes[UNITS_MAX], cgroup[PAGE_WIDTH] = "";
	_cleanup_free_ char *who = NULL;
	size_t room;

	if (h->cgroup[0])
		snprintf(cgroup, sizeof(cgroup), ", cgroup %s",
			 page_fit_middle(p, h->cgroup, CGROUP_COLUMNS));
	if (asprintf(&who, "%s (%.0f%%): %s", units_bytes(bytes, h->bytes), 100 * h->share,
		     h->who) < 0) {
		p->failed = true;
		who = NULL;
		return;
	}
	room = strlen(who) + strlen(cgroup) + strlen(" \"\"") + PAGE_LABEL;
	if (h->cmdline[0] && room + CMDLINE_COLUMNS <= PAGE_WIDTH)
		page_item(p, &(struct page_label){label, PAGE_BOLD, 1}, "%s \"%s\"%s", who,
			  page_fit_middle(p, h->cmdline, PAGE_WIDTH - room), cgroup);
	else
		page_item(p, &(struct page_label){label, PAGE_BOLD, 1}, "%s%s", who, cgroup);
}

static void print_holder(struct page *p, const struct screen_holder *h, bool first)
{
	print_who(p, h, first ? "WHO" : "");
	page_item(p, &(struct page_label){first ? "WHAT" : "", PAGE_BOLD, 1}, "%s", h->what);
	page_item(p, &(struct page_label){first ? "HOW" : "", PAGE_BOLD, 1}, "%s", h->how);
}

void report_screen(struct page *p, const struct report *r)
{
	const struct first_screen *s = &r->screen;
	struct page_label state = {screen_state_name(s->state), PAGE_BOLD, 3};

	if (s->state == SCREEN_LEAK)
		state.style = PAGE_RED;
	page_item(p, &state, "%s", s->headline);
	for (size_t i = 0; i < s->nr_holders; i++)
		print_holder(p, &s->holders[i], !i);
	item(p, "URGENT", s->urgent);
	item(p, "TRUST", s->sure);
	if (s->unseen[0])
		item(p, "UNSEEN", s->unseen);
	if (r->verdict.next)
		page_command(p, "NEXT", r->verdict.next);
	if (s->state >= SCREEN_SHRANK)
		print_pools(p, r);
	else
		print_levels(p, r);
}
