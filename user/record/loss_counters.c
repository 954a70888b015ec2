// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names the counters of the BPF side. A counter without a name here breaks the build. See
 * loss_counters.h.
 */
#include "record/loss_counters.h"

#include <errno.h>
#include <string.h>

static const char *const loss_names[] = {
	[KMT_LOSS_LIVE_FULL] = "live_table_full",
	[KMT_LOSS_STACK_FULL] = "stack_table_full",
	[KMT_LOSS_PROCESS_FULL] = "process_table_full",
	[KMT_LOSS_CACHE_FULL] = "cache_table_full",
	[KMT_LOSS_STACK_FAILED] = "stack_failed",
	[KMT_LOSS_NESTED] = "nested_too_deep",
	[KMT_LOSS_NO_CPU] = "skipped_cpu",
	[KMT_LOSS_UNKNOWN_CACHE] = "unknown_cache",
	[KMT_LOSS_CONTENDED] = "table_row_locked",
};
_Static_assert(sizeof(loss_names) / sizeof(loss_names[0]) == KMT_LOSSES, "name every loss");

static const char *const stat_names[] = {
	[KMT_STAT_ALLOCS] = "allocs_tracked",
	[KMT_STAT_FREES] = "frees_tracked",
	[KMT_STAT_UNKNOWN_FREES] = "unknown_frees",
	[KMT_STAT_REUSED] = "reused_addresses",
	[KMT_STAT_SAMPLING_NS] = "sampling_ns",
	[KMT_STAT_RCU_PENDING] = "freed_after_rcu",
	[KMT_STAT_UNWIND_HITS] = "unwind_hits",
	[KMT_STAT_UNWIND_MISSES] = "unwind_misses",
	[KMT_STAT_UNWIND_LEARNED] = "unwind_learned",
	[KMT_STAT_UNWIND_FULL] = "unwind_not_learned_full",
	[KMT_STAT_UNWIND_AUDITED] = "unwind_audited",
	[KMT_STAT_UNWIND_WRONG] = "unwind_disagreed",
};
_Static_assert(sizeof(stat_names) / sizeof(stat_names[0]) == KMT_STATS, "name every counter");

static int loss_put(struct cap_checkpoint *out, const char *name, uint64_t value)
{
	struct cap_count *c = ARRAY_PUSH(&out->losses);

	if (!c)
		return -ENOMEM;
	c->name = (char *)name;
	c->value = value > INT64_MAX ? INT64_MAX : (int64_t)value;
	return 0;
}

uint64_t losses_events(const struct tracer_counts *counts)
{
	return counts->recursion_misses + counts->losses[KMT_LOSS_LIVE_FULL] +
	       counts->losses[KMT_LOSS_NESTED] + counts->losses[KMT_LOSS_NO_CPU] +
	       counts->losses[KMT_LOSS_CONTENDED];
}

int losses_put(const struct tracer_counts *counts, const struct audit_counts *audit,
	       uint64_t not_watched, struct cap_checkpoint *out)
{
	int err = loss_put(out, "recursion_misses", counts->recursion_misses);

	err = err ?: loss_put(out, "not_watched", not_watched);
	for (int i = 0; i < KMT_LOSSES && !err; i++)
		err = loss_put(out, loss_names[i], counts->losses[i]);
	for (int i = 0; i < KMT_STATS && !err; i++)
		err = loss_put(out, stat_names[i], counts->stats[i]);
	err = err ?: loss_put(out, "audit_runs", audit->runs);
	err = err ?: loss_put(out, "audit_ns", audit->ns);
	err = err ?: loss_put(out, "audit_judged", audit->verified);
	err = err ?: loss_put(out, "audit_live", audit->live);
	err = err ?: loss_put(out, "audit_ghosts", audit->unseen_frees);
	err = err ?: loss_put(out, "audit_unsure", audit->unsure);
	return err;
}
