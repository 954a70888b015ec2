/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan for this kernel, for tests that load the programs. Include after cmocka.h. */
#ifndef TESTS_LIVE_LIVE_PLAN_H
#define TESTS_LIVE_LIVE_PLAN_H

#include "trace/plan.h"

static struct plan plan;

/* A group's setup: fails where nothing can be recorded. */
static inline int plan_make(void **state)
{
	static struct kernel_facts facts;
	struct plan_request request = {};

	(void)state;
	kernel_facts_read("/proc", NULL, &facts);
	plan_build(&facts, &request, &plan);
	if (!plan.can_record)
		print_message("%s\n", plan.refusal);
	return plan.can_record ? 0 : -1;
}

#endif
