// SPDX-License-Identifier: GPL-2.0-only
/* The table of loss counters: see losses.h. */
#include "model/losses.h"

#include <string.h>

static const struct loss_row {
	const char *name;
	enum loss_kind kind;
	const char *meaning;
} loss_rows[] = {
	{"recursion_misses", LOSS_EVENT, "the tracer interrupted itself, so the kernel skipped it"},
	{"not_watched", LOSS_EVENT,
	 "estimated events while tracing was paused to keep within --max-overhead"},
	{"live_table_full", LOSS_EVENT,
	 "no room in the live table (raise --max-live): allocations not tracked"},
	{"nested_too_deep", LOSS_EVENT, "interrupts nested too deeply: not tracked"},
	{"skipped_cpu", LOSS_EVENT, "the tracer's tables have no room for this CPU: not tracked"},
	{"table_row_locked", LOSS_EVENT, "a row of a table was locked too long: not tracked"},
	{"stack_table_full", LOSS_DETAIL, "no room for another call path: counted without one"},
	{"stack_failed", LOSS_DETAIL, "the kernel gave no stack: only the call site was recorded"},
	{"process_table_full", LOSS_DETAIL, "no room for another process: counted without one"},
	{"cache_table_full", LOSS_DETAIL, "no room for another cache: counted without one"},
	{"unknown_cache", LOSS_DETAIL, "the object's cache was not found: counted without one"},
	{"unwind_disagreed", LOSS_DETAIL, "call paths that the kernel's own unwinder contradicted"},
	{"sampling_ns", LOSS_NONE, ""},
	{"unknown_frees", LOSS_NONE, "frees of objects older than the capture, or not sampled"},
	{"reused_addresses", LOSS_NONE, "addresses allocated again: their frees fired no event"},
	{"freed_after_rcu", LOSS_NONE, "objects passed to kfree_rcu(), held until RCU frees them"},
	{"allocs_tracked", LOSS_NONE, ""},
	{"frees_tracked", LOSS_NONE, ""},
	{"unwind_hits", LOSS_NONE, ""},
	{"unwind_misses", LOSS_NONE, ""},
	{"unwind_learned", LOSS_NONE, ""},
	{"unwind_not_learned_full", LOSS_NONE, ""},
	{"unwind_audited", LOSS_NONE, ""},
	{"audit_runs", LOSS_NONE, ""},
	{"audit_ns", LOSS_NONE, ""},
	{"audit_judged", LOSS_NONE, ""},
	{"audit_live", LOSS_NONE, ""},
	{"audit_ghosts", LOSS_NONE, ""},
	{"audit_unsure", LOSS_NONE, ""},
};

static const struct loss_row *loss_find(const char *name)
{
	for (size_t i = 0; i < sizeof(loss_rows) / sizeof(loss_rows[0]); i++)
		if (!strcmp(loss_rows[i].name, name))
			return &loss_rows[i];
	return NULL;
}

enum loss_kind loss_kind(const char *name)
{
	const struct loss_row *row = loss_find(name);

	return row ? row->kind : LOSS_EVENT;
}

const char *loss_meaning(const char *name)
{
	const struct loss_row *row = loss_find(name);

	return row ? row->meaning : "";
}

double losses_counter(const struct view *v, const char *name)
{
	for (size_t i = 0; v->at && i < v->at->losses.nr; i++)
		if (!strcmp(v->at->losses.items[i].name, name))
			return (double)v->at->losses.items[i].value;
	return 0;
}

void losses_sum(const struct view *v, struct losses *out)
{
	struct losses l = {.traced = v->at};

	if (v->at) {
		l.counters = v->at->losses.items;
		l.nr_counters = v->at->losses.nr;
	}
	for (size_t i = 0; i < l.nr_counters; i++) {
		const struct cap_count *count = &l.counters[i];
		enum loss_kind kind = loss_kind(count->name);

		if (kind == LOSS_EVENT)
			l.events += (double)count->value;
		else if (kind == LOSS_DETAIL)
			l.details += (double)count->value;
	}
	for (size_t i = 0; v->at && i < v->at->churn.nr; i++) {
		const struct cap_churn *churn = &v->at->churn.items[i];

		l.traffic += churn->allocs + churn->frees;
		l.frees += churn->frees;
		l.unseen_frees += churn->unseen_frees;
	}
	if (v->cache_filter || v->filter[0]) /* frees are not filtered, nor are losses */
		l.traffic += losses_counter(v, "unknown_frees");
	*out = l;
}

bool loss_is_said(const struct cap_count *counter)
{
	return counter->value &&
	       (loss_meaning(counter->name)[0] || loss_kind(counter->name) != LOSS_NONE);
}

double losses_ratio(const struct losses *l)
{
	return l->events > 0 ? l->events / (l->events + l->traffic) : 0;
}
