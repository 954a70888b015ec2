/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is held, and what was allocated, as rows that profilers understand: a call path, labels and
 * whole numbers. The writers of pprof, folded stacks and NDJSON print these rows. The figures are
 * the report's: the rows of each group of growth add up exactly to the rounded figure that the
 * report's JSON gives for the group. Pages that back another pool, and thread stacks in
 * VmallocUsed, are left out, so each byte counts once. Pure.
 */
#ifndef KMEMTRACE_EXPORT_SAMPLES_H
#define KMEMTRACE_EXPORT_SAMPLES_H

#include "findings/report_findings.h"
#include "model/container.h"

/* What a sample can say about itself besides its call path. */
enum sample_label {
	LABEL_POOL,
	LABEL_CLASS,
	LABEL_CACHE,
	LABEL_PROCESS, /* name of the process */
	LABEL_PID,
	LABEL_CGROUP,
	LABEL_CONTAINER,
	LABEL_POD,
	SAMPLE_LABELS
};

#define SAMPLE_LABEL_WORDS "pool, class, cache, process, pid, cgroup, container, pod or none"
/* All but pid: a process's name says enough, and thousands of pids would only split the samples. */
#define SAMPLE_LABELS_DEFAULT (((1u << SAMPLE_LABELS) - 1) & ~(1u << LABEL_PID))

const char *sample_label_name(enum sample_label label);
/* The bit of a name of `len` bytes; 0 if it is unknown. */
unsigned int sample_label_parse(const char *name, size_t len);

/* The figures of a sample, by the names that pprof gives them for the heap. */
enum sample_value {
	VALUE_ALLOC_OBJECTS, /* allocated while recording, freed or not */
	VALUE_ALLOC_SPACE,
	VALUE_INUSE_OBJECTS, /* held at the end */
	VALUE_INUSE_SPACE,
	SAMPLE_VALUES
};

#define SAMPLE_VALUE_WORDS "inuse_space, inuse_objects, alloc_space or alloc_objects"
const char *sample_value_name(enum sample_value value);           /* "inuse_space" */
const char *sample_value_unit(enum sample_value value);           /* "bytes" or "count" */
int sample_value_parse(const char *name, enum sample_value *out); /* 0 or −EINVAL */

struct sample {
	enum pool pool; /* POOLS: the label is not wanted */
	const char *class_;
	uint32_t cache;   /* id; 0 none, or not wanted */
	uint32_t process; /* id; stands for all processes with the same wanted labels; 0 none */
	uint32_t place; /* id of the stack; if grouped otherwise, growth's key (pool: enum pool) */
	int64_t values[SAMPLE_VALUES];
};

struct samples {
	const struct report *r; /* borrowed */
	unsigned int labels;    /* bits of the wanted ones */
	bool traffic;           /* false: allocations are not known by this grouping */
	ARRAY_OF(struct sample);
	struct container *containers; /* of each cgroup; NULL: not wanted */
};

/*
 * Traffic has no label but its pool: the capture counts it by call path only. The report is grouped
 * by call path, or by what --by names. Returns 0 or −ENOMEM. Free with samples_free().
 */
int samples_build(const struct report *r, unsigned int labels, struct samples *out);
void samples_free(struct samples *s);

/* The sum of two values, within ±INT64_MAX: so it can be negated. */
int64_t sample_add(int64_t a, int64_t b);

/* The text of a label as captured: it may be hostile. "": it has none. `buf` holds a number. */
const char *sample_label_raw(const struct samples *s, const struct sample *x,
			     enum sample_label label, char buf[16]);
/* The text of a label, escaped for terminals; malloc'ed. NULL and *failed unchanged: it has none.
 */
char *sample_label_text(const struct samples *s, const struct sample *x, enum sample_label label,
			bool *failed);

/* One frame of a sample's path. */
struct sample_frame {
	const struct cap_frame *frame; /* NULL: not a kernel function, see name */
	uint32_t id;                   /* of `frame` in the capture */
	char name[192]; /* "[no call path recorded]", or what the report is grouped by */
};

/* How many frames there are: at least one. Frame 0 is the innermost. */
uint32_t sample_depth(const struct samples *s, const struct sample *x);
void sample_frame_get(const struct samples *s, const struct sample *x, uint32_t i,
		      struct sample_frame *out);

#endif
