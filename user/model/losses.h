/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each loss counter of a capture means, and how many events were lost in all. findings/ and
 * the renderers call it. A counter that this version does not know counts as lost events.
 */
#ifndef KMEMTRACE_MODEL_LOSSES_H
#define KMEMTRACE_MODEL_LOSSES_H

#include "model/view.h"

enum loss_kind {
	LOSS_EVENT,  /* an allocation or free was not recorded: figures are too low, or a freed
			object looks outstanding */
	LOSS_DETAIL, /* recorded, but without its call path, process or cache */
	LOSS_NONE    /* no loss: a count of what the tracer did */
};

enum loss_kind loss_kind(const char *name);
/* One clause for the report; "" for an unknown counter. */
const char *loss_meaning(const char *name);

struct losses {
	bool traced;                      /* false: nothing was traced, so nothing could be lost */
	double events;                    /* allocations and frees not recorded */
	double details;                   /* recorded incompletely */
	double traffic;                   /* allocations and frees that were recorded */
	double frees;                     /* of all call paths, with a free event */
	double unseen_frees;              /* … and without one */
	const struct cap_count *counters; /* all counters; owned by the capture */
	size_t nr_counters;
};

void losses_sum(const struct view *v, struct losses *out);
/* The value of counter `name` at the view's checkpoint; 0 when there is none. */
double losses_counter(const struct view *v, const char *name);
/* Does a report for people print this counter? Only if it counted something that matters there. */
bool loss_is_said(const struct cap_count *counter);

/* The share of all events that were lost, 0 … 1. */
double losses_ratio(const struct losses *l);

#endif
