/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The proof at the end of a recording (`record --prove`): looks for what points to the objects that
 * the largest call paths still hold. Without it, the recording is as good as before; META_PROOF
 * then says why there is none.
 */
#ifndef KMEMTRACE_RECORD_RECORDER_PROVE_H
#define KMEMTRACE_RECORD_RECORDER_PROVE_H

#include "record/collector.h"
#include "record/options.h"

struct recorder_proving {
	const struct recorder_options *options;
	const struct tracer *tracer; /* its tables are read; no pool may be enabled any more */
	const struct audit *audit;   /* its last run was a moment ago */
	struct collector *collector;
	struct capture_writer *w;
	bool (*stop)(void *arg); /* give it up? */
	void *arg;
};

/* Does nothing without --prove. Returns 0, or −errno if the capture cannot be written. */
int recorder_prove(const struct recorder_proving *how);

#endif
