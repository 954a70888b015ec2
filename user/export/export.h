/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The writers of `kmemtrace export`: each prints a report in a format that other tools read. They
 * compute nothing that the report does not have; samples.h says how figures are rounded.
 * cmd_export.c calls them, and checks first that the format has what the options ask for.
 */
#ifndef KMEMTRACE_EXPORT_EXPORT_H
#define KMEMTRACE_EXPORT_EXPORT_H

#include <stdio.h>

#include "export/samples.h"

struct export_options {
	unsigned int labels;    /* of samples: bits of enum sample_label */
	enum sample_value unit; /* folded: the figure; pprof: the figure that is shown first */
	enum sample_label root[SAMPLE_LABELS]; /* folded: labels that come before the call path */
	size_t nr_root;
};

/* What to export; `base` is what it is compared with, or NULL. */
struct export_input {
	const struct report *r, *base;
};

/* Each returns 0, −ENOMEM or −EIO. */

/*
 * A profile for pprof (https://github.com/google/pprof/blob/main/proto/profile.proto), compressed
 * with gzip. With a base, its samples are subtracted, as `pprof -diff_base` does.
 */
int export_pprof(const struct export_input *in, const struct export_options *o, FILE *out);

/*
 * Folded stacks for flame graphs: "outermost;…;innermost FIGURE", one line a path, without offsets.
 * With a base, each line has two figures, base and new, as difffolded.pl prints them. Lines that
 * would be negative are left out; *negative gets their sum, which is 0 or less.
 */
int export_folded(const struct export_input *in, const struct export_options *o, int64_t *negative,
		  FILE *out);

/*
 * The whole view as history, in the text format of OpenMetrics
 * (https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md): levels over
 * time, what is held at the end, trust, losses and own cost.
 */
int export_openmetrics(const struct report *r, FILE *out);

/*
 * One JSON object a line (https://github.com/ndjson/ndjson-spec): the recording, findings, pools
 * and their levels over time, caches, what is held, what was allocated, losses.
 */
int export_ndjson(const struct report *r, const struct export_options *o, FILE *out);

#endif
