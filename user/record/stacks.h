/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths of the BPF side as stacks of the capture: names each return address once, drops the
 * tracer's frames. */
#ifndef KMEMTRACE_RECORD_STACKS_H
#define KMEMTRACE_RECORD_STACKS_H

#include "capture/capture.h"
#include "record/classify.h"
#include "trace/tracer.h"

struct stacks;

int stacks_new(const struct tracer_tables *tables, struct capture_writer *w, const char *proc_root,
	       const char *sys_root, struct stacks **out);
void stacks_free(struct stacks *s);

/*
 * The capture's id of the path in `row`; 0 for row 0, or a row that is not filled yet. *class_ is
 * what its functions say, or a hook has, for objects of the pool `traced`.
 */
int stacks_id(struct stacks *s, uint32_t row, enum pool traced, uint32_t *id,
	      struct stack_class *class_);

/* "ok", or why there are no names. */
const char *stacks_symbols_state(const struct stacks *s);

#endif
