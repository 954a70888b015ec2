/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first screen of a report: what happened, who holds the memory, how urgent it is, how sure
 * that is, what the recording could not see, and what to run next. report_findings.c builds it
 * last, from the other results; render/report_screen.c prints it. It must fit 40 lines of 80
 * columns whatever the capture holds, so it names at most SCREEN_HOLDERS holders. Names in it are
 * as captured: the renderer must escape them.
 */
#ifndef KMEMTRACE_FINDINGS_FIRST_SCREEN_H
#define KMEMTRACE_FINDINGS_FIRST_SCREEN_H

#include "findings/bpf_use.h"
#include "findings/exhaustion.h"
#include "findings/screen_words.h"
#include "findings/verdict.h"
#include "model/census.h"
#include "model/growth.h"
#include "model/ledger.h"
#include "model/losses.h"

#define SCREEN_HOLDERS 3

/* What the headline is about. */
enum screen_state {
	SCREEN_UNKNOWN, /* too little was recorded to say */
	SCREEN_CENSUS,  /* a census without a recording */
	SCREEN_QUIET,   /* nothing grew beyond noise */
	SCREEN_SHRANK,
	SCREEN_GREW,    /* it grew, and no longer does */
	SCREEN_GROWING, /* it was still growing at the end */
	SCREEN_LEAK     /* it was still growing, and docs/trust.md allows the word "leak" */
};

/*
 * Growth that one process holds in one cache, or one class of a pool, whatever the call paths. A
 * leak that is split by call path is one leak.
 */
struct screen_holder {
	double bytes, share;    /* share of the new memory of that pool, 0 … 1 */
	char who[SCREEN_WORDS]; /* "plant[16281]" */
	const char *has;        /* what it does with them: "allocated" */
	const char *cmdline;    /* "" unknown; of the capture, as is cgroup */
	const char *cgroup;     /* "" unknown or the root */
	char what[SCREEN_WORDS];
	char how[SCREEN_WORDS]; /* the largest call path, in short */
};

struct first_screen {
	enum screen_state state;
	char headline[SCREEN_WORDS];
	struct screen_holder holders[SCREEN_HOLDERS];
	size_t nr_holders;   /* 0: nobody stands out */
	const char *held_of; /* the pool that the holders' shares are of */
	char urgent[SCREEN_WORDS];
	char sure[SCREEN_WORDS];
	enum trust_level trust;    /* what `sure` begins with */
	const char *next_shows;    /* what the next command is for; "": it says so itself */
	char unseen[SCREEN_WORDS]; /* what the recording could not see; "" for nothing */
	char older[SCREEN_WORDS];  /* what was held before, as a census says, or at its moment; ""
				      for nothing */
};

struct screen_facts {
	const struct view *v;
	const struct losses *losses;
	const struct caches *caches;
	const struct ledger *ledger;
	const struct growth *growth;        /* by stack */
	const struct trust *recorded_trust; /* in the recording, without regard to single caches */
	const struct trust *trust;          /* in the whole report: as low as in its least certain
					       figure */
	const struct exhaustion *exhaustion;
	const struct bpf_use *bpf;
	const struct census_sheet *before; /* the census at its start; NULL: there is none */
	const struct likeness *like;       /* what objects of that census look like */
	struct findings *findings;         /* all but those of the screen, which are appended */
	const struct verdict *verdict;
};

/* "GROWING", … */
const char *screen_state_name(enum screen_state state);

/* 0 or −ENOMEM, *out then untouched. */
int first_screen_build(const struct screen_facts *f, struct first_screen *out);

#endif
