/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adds up which processes have which files and sockets open, and which paths these have, from the
 * records of the iterator lens_holders (bpf/lenses.bpf.c). lenses.c calls it. Apart from BPF, so
 * that tests can make records.
 */
#ifndef KMEMTRACE_TRACE_LENSES_HOLDERS_H
#define KMEMTRACE_TRACE_LENSES_HOLDERS_H

#include "trace/lenses_tally.h"

struct lens_holders_found;

struct lens_holders_found *lens_holders_new(void); /* NULL: memory is short */
void lens_holders_free(struct lens_holders_found *f);

/* Add records; those of a process follow each other. Returns 0 or −ENOMEM. */
int lens_holders_add(struct lens_holders_found *f, const struct kmt_lens_holder *records,
		     size_t nr);

/*
 * Add the rows to out->holders, the largest first, and the paths to the tally, whose names are
 * used. Returns 0 or −ENOMEM.
 */
int lens_holders_finish(struct lens_holders_found *f, struct lens_tally *t,
			struct census_lenses *out);

#endif
