/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cgroup of a process, by its tgid. Known only for processes that allocated while tracing.
 * holders.c and diff/profile_levels.c use it to name cgroups of levels. Paths stay the capture's.
 */
#ifndef KMEMTRACE_MODEL_CGROUP_OF_H
#define KMEMTRACE_MODEL_CGROUP_OF_H

#include "base/array.h"
#include "data/capture.h"

struct cgroup_of {
	ARRAY_OF(const struct cap_process
			 *); /* those with a cgroup, sorted by tgid; owned by the capture */
};

/* 0 or −ENOMEM. Free with cgroup_of_free(). */
int cgroup_of_build(const struct capture *c, struct cgroup_of *out);
void cgroup_of_free(struct cgroup_of *of);

/* The id of the process's cgroup in c->cgroups; 0 unknown. */
uint32_t cgroup_of_id(const struct cgroup_of *of, int32_t tgid);
/* The path of the process's cgroup, owned by the capture; NULL unknown. */
const char *cgroup_of(const struct capture *c, const struct cgroup_of *of, int32_t tgid);

#endif
