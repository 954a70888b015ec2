/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decides how far a figure can be trusted, and whether growth may be called a leak; nothing else
 * may decide it. docs/trust.md has the same rules in prose. caches.c and findings/ call it. Pure:
 * facts in, level and reasons out.
 */
#ifndef KMEMTRACE_MODEL_TRUST_H
#define KMEMTRACE_MODEL_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trust_level { TRUST_LOW, TRUST_FAIR, TRUST_HIGH };

const char *trust_name(enum trust_level level);

/* What was measured about one cache. */
struct trust_facts {
	double frees;        /* with a free event */
	double unseen_frees; /* without one: found by address reuse or by the audit */
	double held_objects; /* outstanding at the end, corrected by the audit */
	/* By how many objects held_objects may be too high (held_less) or too low (held_more), 95
	 * times in 100: the error of sampling and audit, 0 when exact. `missed` is the larger of
	 * held_more and what may exist without a sample. */
	double held_less, held_more, missed;
	double tracked;                 /* objects in the live table */
	double verified, verified_live; /* objects the audit checked, and those it found live */
	double slabinfo_delta;          /* change of active objects in slabinfo; NaN without it */
	double slabinfo_slack;          /* free objects that slabinfo may count as active */
	double start_objects;           /* active at the start; NaN without slabinfo */
	double lost_ratio;              /* share of events lost, 0 … 1 */
	bool complete;                  /* the recording ended properly */
	double held_bytes;              /* for words: of held_objects */
};

enum agreement {
	AGREE_UNKNOWN,   /* nothing to compare with */
	AGREE_YES,       /* within slabinfo's slack, sampling error and 5 % */
	AGREE_FREED_OLD, /* slabinfo shows fewer, but the traced ones were verified, so objects
			    older than the capture were freed */
	AGREE_NO         /* trace and slabinfo contradict each other */
};

#define TRUST_REASONS 5

struct trust {
	enum trust_level level;
	enum agreement agreement;
	bool confirmed;           /* they agree, on more objects than slabinfo's slack could hide */
	double unseen_free_ratio; /* unseen frees of all frees; NaN without frees */
	double disagreement;      /* of trace and slabinfo, beyond slack and sampling error, as a
				     share of the larger; NaN without slabinfo */
	double audited_ratio;     /* verified of tracked objects; NaN without tracked ones */
	double lost_ratio;
	size_t nr_reasons; /* reasons why the level is not higher */
	size_t deciding;   /* index of the reason that set the level */
	char reasons[TRUST_REASONS][112];
};

void trust_judge(const struct trust_facts *facts, struct trust *out);
/*
 * Trust in a figure as far as sampling decides it: HIGH when its 95 % interval is at most half as
 * wide as the figure itself, LOW when it is wider than twice the figure, else FAIR.
 */
enum trust_level trust_of_interval(double value, double low, double high);
/* Lower the level according to the share of events lost. A few lost events do not matter if
 * slabinfo, which loses none, confirms the figures (`confirmed`). */
void trust_losses(double lost_ratio, bool confirmed, struct trust *t);
/* Lower the level to at most `level`, and add a reason. */
__attribute__((format(printf, 3, 4))) void trust_lower(struct trust *t, enum trust_level level,
						       const char *fmt, ...);

/*
 * The most free objects of one cache that slabinfo counts as active, per CPU: those of the CPU's
 * current slab and of its partial slabs (mm/slub.c, set_cpu_partial(): 120 objects below 256 bytes,
 * 52 below 1 KiB, 24 below a page, else 6; slabs assumed half full). `counted`: these were counted
 * and subtracted. Then only objects that moved since the count are left, at most one slab.
 */
double trust_slabinfo_slack(double object_size, double objects_per_slab, bool counted);

/* The facts that decide whether growth is called a leak. Times in seconds. */
struct leak_facts {
	bool slab;              /* its objects can be checked in the allocator */
	enum trust_level trust; /* in the cache */
	bool still_growing;     /* the call path, else the cache */
	bool reclaimable;       /* false when unknown */
	double duration;        /* of the view */
	double age_p50, oldest; /* of the call path's outstanding objects */
	double verified;        /* share of checked objects that are live; NaN: none was checked */
	double verified_twice;  /* share of live ones found live twice; NaN: none is live */
};

/* Whether growth is a leak, or the first condition that does not hold. docs/trust.md numbers the
 * conditions in this order. */
enum leak_answer {
	LEAK_YES,
	LEAK_NOT_SLAB,
	LEAK_RECLAIMABLE,
	LEAK_ENDED,
	LEAK_TRUST,
	LEAK_NOT_LIVE,
	LEAK_NOT_TWICE,
	LEAK_YOUNG,
	LEAK_SHORT,
	LEAK_HELD /* never of trust_leak(): a proof showed that something points to it */
};

/*
 * May growth be called a leak? All of these must hold: it is slab memory, it is not reclaimable, it
 * is still growing, trust is high, and if it was audited, 90 % of its checked objects were found
 * live, half of these twice. Also, the objects must be as old as the growth. If memory grows at a
 * constant rate and nothing is freed, the median age is half the duration, and the oldest object is
 * as old as the capture. Objects that are freed again are younger. The limits, a quarter and three
 * quarters, allow for age buckets that double in width.
 */
enum leak_answer trust_leak(const struct leak_facts *f);

/*
 * The shortest recording, in seconds, that can show a leak. The kernel frees some objects only
 * after a fixed time, so a shorter recording sees them only grow. TCP keeps closed connections for
 * 60 s (TCP_TIMEWAIT_LEN). A recording of a little more than twice that shows in its pattern that
 * the growth has ended.
 */
#define TRUST_LEAK_S 150

#endif
