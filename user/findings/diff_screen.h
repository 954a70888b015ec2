/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first screen of a diff: what changed, who holds it, since when, and how sure that is.
 * diff_findings.c builds it last; render/diff_screen.c prints it. It must fit 40 lines of 80
 * columns whatever the captures hold. Names in it are as captured: the renderer must escape them.
 */
#ifndef KMEMTRACE_FINDINGS_DIFF_SCREEN_H
#define KMEMTRACE_FINDINGS_DIFF_SCREEN_H

#include "diff/diff.h"
#include "findings/screen_words.h"
#include "model/trust.h"

#define DIFF_SCREEN_ROWS 3

/* What the headline is about. */
enum diff_state {
	DIFF_UNKNOWN, /* nothing could be compared */
	DIFF_QUIET,   /* nothing differs beyond noise */
	DIFF_SLOWER,  /* held memory grows slower, and nothing else changed */
	DIFF_LOWER,   /* a level is lower, and nothing is higher */
	DIFF_HIGHER,  /* a level is higher; no held memory is known to grow faster */
	DIFF_GREW,    /* held memory grew faster; it has stopped, or that is not known */
	DIFF_GROWING  /* held memory grows faster, and was still growing at the end */
};

/* One thing that is higher or grows faster. */
struct diff_screen_row {
	const char *label;        /* what `words` begin with: "WHO", "WHAT" or "HOW" */
	char words[SCREEN_WORDS]; /* "plant[16281]: 3.7 MiB/s faster" */
	const char *cmdline;      /* "" unknown; of the capture, as is cgroup */
	const char *cgroup;       /* "" unknown or the root */
	char what[SCREEN_WORDS];  /* "" for a level */
	char how[SCREEN_WORDS];   /* the largest call path, in short; "" for a level */
};

struct diff_screen {
	enum diff_state state;
	char headline[SCREEN_WORDS];
	struct diff_screen_row rows[DIFF_SCREEN_ROWS];
	size_t nr_rows;
	char since[SCREEN_WORDS]; /* "" unknown */
	char sure[SCREEN_WORDS];
	bool judged;            /* `sure` begins with a level of trust, … */
	enum trust_level trust; /* … which is this one */
	const char *caution;    /* the gravest; NULL: none that matters here */
	size_t more;            /* how many others there are */
	const char *next;       /* the command to run next; NULL: none */
};

/* "+46%", "3.0 times" or "new": a level of NEW beside that of BASE. Returns buf. */
#define DIFF_SHARE_MAX 32
const char *diff_share_words(char buf[DIFF_SHARE_MAX], const struct diff_figure *f);

/* "GROWING", … */
const char *diff_state_name(enum diff_state state);

/* `trust` is that of the first row of growth, NULL if it did not change. 0 or −ENOMEM, *out then
 * untouched. `caution`, `more` and `next` are left to the caller. */
int diff_screen_build(const struct diff *d, const struct trust *trust, struct diff_screen *out);

#endif
