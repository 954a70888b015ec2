/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turns the call stacks of the BPF side into stacks of the capture: names each return address once
 * and drops the tracer's frames. The collector calls it. No raw address may reach the capture.
 */
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
 * The capture's id of the stack in `row`; 0 for row 0 and for a row not filled yet. *class_ is the
 * class of an object with this stack that the events of the pool `traced` saw. It follows from the
 * functions in the stack, or from what the programs marked (KMT_STACK_PTE, KMT_STACK_TABLE).
 */
int stacks_id(struct stacks *s, uint32_t row, enum pool traced, uint32_t *id,
	      struct stack_class *class_);

/* "ok", or why there are no names. */
const char *stacks_symbols_state(const struct stacks *s);

#endif
