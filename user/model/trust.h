/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far a figure can be believed, decided in this one place (docs/trust.md has the same table in
 * prose). Pure: facts in, level and reasons out. The word "leak" depends on trust_may_say_leak()
 * alone.
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
	double frees,
		unseen_frees; /* seen by an event; found out otherwise (address reuse, audit) */
	double held_objects;  /* outstanding at the end, corrected by the audit */
	double held_sd;       /* standard deviation of held_objects from sampling, 0 when exact */
	double tracked; /* objects in the live table, and how many of them the audit looked at */
	double verified, verified_live;
	double slabinfo_delta; /* change of active objects in slabinfo; NaN without it */
	double slabinfo_slack; /* objects slabinfo may count as active though they are free */
	double start_objects;  /* active at the start; NaN without slabinfo */
	double lost_ratio;     /* events lost of all, 0 … 1 */
	bool complete;         /* the capture was finished */
};

enum agreement {
	AGREE_UNKNOWN,   /* nothing to compare with */
	AGREE_YES,       /* within slabinfo's slack, sampling error and 5 % */
	AGREE_FREED_OLD, /* fewer than traced, the traced ones were verified: objects older than the
			    capture went */
	AGREE_NO         /* they contradict each other */
};

#define TRUST_REASONS 5

struct trust {
	enum trust_level level;
	enum agreement agreement;
	double unseen_free_ratio; /* ghosts of all frees, NaN without frees */
	double disagreement;      /* beyond slack and sampling error, of the larger of the two; NaN
				     without slabinfo */
	double audited_ratio;     /* judged of tracked, NaN with nothing tracked */
	double lost_ratio;
	size_t nr_reasons; /* why it is not higher */
	size_t deciding;   /* which of them set the level */
	char reasons[TRUST_REASONS][112];
};

void trust_judge(const struct trust_facts *facts, struct trust *out);
/* Lower to at most `level`, adding a reason. */
__attribute__((format(printf, 3, 4))) void trust_lower(struct trust *t, enum trust_level level,
						       const char *fmt, ...);

/*
 * The most free objects of one cache that slabinfo counts as active, for one CPU: those of its
 * current slab and of its partial slabs (mm/slub.c, set_cpu_partial(): 120 objects below 256 bytes,
 * 52 below 1 KiB, 24 below a page, else 6; on slabs assumed half full). `counted`: they were, and
 * taken out; what moved meanwhile is left, a slab of it at most.
 */
double trust_slabinfo_slack(double object_size, double objects_per_slab, bool counted);

/* What must all hold before growth is called a leak. Times in seconds. */
struct leak_facts {
	enum trust_level trust;
	bool still_growing;     /* pattern of the cache */
	bool reclaimable;       /* or not known */
	double duration;        /* of the view */
	double age_p50, oldest; /* of the path's outstanding objects */
	double verified;        /* share of them found live by the audit; NaN: not judged */
	double verified_twice;  /* share of those found live twice, some time apart; NaN likewise */
};

/*
 * High trust, still growing, not reclaimable, 90 % verified live where it was audited and half of
 * these twice, and older than the growth's own time scale: something that grows evenly and never
 * frees has a median age of half the duration and its oldest object is as old as the capture; churn
 * is younger. A quarter and three quarters leave room for the age classes, which double.
 */
bool trust_may_say_leak(const struct leak_facts *f);

/*
 * The least seconds of recording for that word. The kernel keeps some objects for a fixed time and
 * frees them then: a recording that is not well longer sees them do nothing but grow. TCP keeps a
 * closed connection for 60 s (TCP_TIMEWAIT_LEN); twice that, and a part more for the pattern to
 * show that growth has ended.
 */
#define TRUST_LEAK_S 150

/* Would the word be said, had the recording been long enough? */
bool trust_leak_needs_time(const struct leak_facts *f);

#endif
