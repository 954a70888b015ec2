/* SPDX-License-Identifier: GPL-2.0-only */
/* What each loss counter of a capture means to a reader, and how many events were lost in all. */
#ifndef KMEMTRACE_MODEL_LOSSES_H
#define KMEMTRACE_MODEL_LOSSES_H

#include "model/view.h"

enum loss_kind {
	LOSS_EVENT,  /* an allocation or free was not recorded: figures are too low, or frees look
			missing */
	LOSS_DETAIL, /* it was recorded, without its stack, process or cache */
	LOSS_NONE    /* nothing was lost: what the tracer did, so that the reader can judge */
};

enum loss_kind loss_kind(const char *name);
/* One clause for the report, "" for a counter this version does not know (it counts as
 * LOSS_EVENT). */
const char *loss_meaning(const char *name);

struct losses {
	double events;  /* allocations and frees not recorded */
	double details; /* recorded incompletely */
	double traffic; /* allocations and frees that were recorded */
};

void losses_sum(const struct view *v, struct losses *out);
/* The latest value of the capture's counter `name`, 0 where it has none. */
double count_of(const struct view *v, const char *name);

/* Events lost of all that happened, 0 … 1. */
double losses_ratio(const struct losses *l);

#endif
