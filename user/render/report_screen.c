// SPDX-License-Identifier: GPL-2.0-only
/* The first screen of a report as text: see findings/first_screen.h and report.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "render/report_internal.h"

#define CGROUP_COLUMNS  32
#define CMDLINE_COLUMNS 64
#define CMDLINE_LEAST   16
#define WHO_COLUMNS     142 /* of two lines after the label, … */
#define WRAP_COLUMNS    12  /* … of which the wrapping of words may waste this many */

static void print_pool(struct page *p, const struct ledger_row *row)
{
	char end[PAGE_CELL], change[PAGE_CELL], residual[PAGE_CELL];

	fprintf(p->out, "  %-13s %7s %8s  ", row->name,
		page_bytes(p, end, row->end_kb * 1024, false),
		page_bytes(p, change, row->delta_kb * 1024, true));
	/* each sparkline has its own scale, so noise would look like a change */
	if (row->trend.pattern != PATTERN_STEADY && row->trend.pattern != PATTERN_UNKNOWN) {
		page_bars(p, row->series, row->nr_series, false);
		fputc(' ', p->out);
	}
	fputs(row->trend.pattern == PATTERN_UNKNOWN ? "too short for a trend"
						    : pattern_name(row->trend.pattern),
	      p->out);
	if (row->residual_matters && row->trend.pattern != PATTERN_STEADY)
		fprintf(p->out, row->residual_kb > 0 ? ", %s unexplained" : ", %s less than traced",
			page_bytes(p, residual, fabs(row->residual_kb) * 1024, false));
	fputc('\n', p->out);
}

static void print_pools(struct page *p, const struct report *r)
{
	page_heading(p, PAGE_BOLD, "%-15s %7s %8s  %s", "POOLS", "end", "change",
		     "(K, M, G: KiB, MiB, GiB)");
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

/* Who holds how much: two lines at most. The command line comes last, and is cut in the middle to
 * fit, so that both of its ends can be recognised. */
static void print_who(struct page *p, const struct first_screen *s, const struct screen_holder *h)
{
	const struct page_label label = {"WHO", PAGE_BOLD, 2};
	_cleanup_free_ char *words = NULL;
	char bytes[UNITS_MAX];
	size_t used, left;

	if (asprintf(&words, "%s: %s %s, %.0f%% of the new memory in %s%s%s", h->who, h->has,
		     units_bytes(bytes, h->bytes), 100 * h->share, s->held_of,
		     h->cgroup[0] ? "; cgroup " : "",
		     h->cgroup[0] ? page_fit_middle(p, h->cgroup, CGROUP_COLUMNS) : "") < 0) {
		words = NULL;
		p->failed = true;
		return;
	}
	used = strlen(words) + WRAP_COLUMNS;
	left = used < WHO_COLUMNS ? WHO_COLUMNS - used : 0;
	if (!h->cmdline[0] || left < CMDLINE_LEAST)
		page_item(p, &label, "%s", words);
	else
		page_item(p, &label, "%s; \"%s\"", words,
			  page_fit_middle(p, h->cmdline,
					  left < CMDLINE_COLUMNS ? left : CMDLINE_COLUMNS));
}

static void print_holder(struct page *p, const struct first_screen *s,
			 const struct screen_holder *h)
{
	print_who(p, s, h);
	page_item(p, &(struct page_label){"WHAT", PAGE_BOLD, 2}, "%s", h->what);
	page_item(p, &(struct page_label){"HOW", PAGE_BOLD, 1}, "%s", h->how);
}

static void print_next(struct page *p, const struct first_screen *s, const char *next)
{
	char command[SCREEN_WORDS] = "";

	screen_add(command, "%s%s%s", next, s->next_shows[0] ? "  # " : "", s->next_shows);
	page_command(p, "NEXT", command);
}

void report_screen(struct page *p, const struct report *r)
{
	const struct first_screen *s = &r->screen;
	struct page_label state = {screen_state_name(s->state), PAGE_BOLD, 3};

	if (s->state == SCREEN_LEAK)
		state.style = PAGE_RED;
	if (s->state == SCREEN_CENSUS)
		state.lines = 5;
	page_item(p, &state, "%s", s->headline);
	for (size_t i = 0; i < s->nr_holders; i++)
		print_holder(p, s, &s->holders[i]);
	if (s->state >= SCREEN_GREW && !s->nr_holders)
		item(p, "WHO", "unknown: no process or call path stands out.");
	page_item(p, &(struct page_label){"URGENT", PAGE_BOLD, 3}, "%s", s->urgent);
	page_item(p, &(struct page_label){"TRUST", PAGE_BOLD, 3}, "%s", s->sure);
	if (s->older[0])
		page_item(p,
			  &(struct page_label){s->state == SCREEN_CENSUS ? "HELD" : "OLDER",
					       PAGE_BOLD, 6},
			  "%s", s->older);
	if (s->unseen[0])
		page_item(p, &(struct page_label){"UNSEEN", PAGE_BOLD, 3}, "%s", s->unseen);
	if (r->verdict.next)
		print_next(p, s, r->verdict.next);
	if (s->state >= SCREEN_SHRANK)
		print_pools(p, r);
	else
		print_levels(p, r);
}
