/* SPDX-License-Identifier: GPL-2.0-only */
/* Which cgroup a process is in, by its number: known of those that allocated while tracing. */
#ifndef KMEMTRACE_MODEL_CGROUP_OF_H
#define KMEMTRACE_MODEL_CGROUP_OF_H

#include "base/array.h"
#include "data/capture.h"

struct cgroup_of {
	ARRAY_OF(const struct cap_process
			 *); /* those with a cgroup, by tgid; borrowed from the capture */
};

/* 0 or −ENOMEM. Free with cgroup_of_free(). */
int cgroup_of_build(const struct capture *c, struct cgroup_of *out);
void cgroup_of_free(struct cgroup_of *of);

/* The id of its path in c->cgroups, 0 when it is not known. */
uint32_t cgroup_of_id(const struct cgroup_of *of, int32_t tgid);
/* Its path, borrowed from the capture; NULL when it is not known. */
const char *cgroup_of(const struct capture *c, const struct cgroup_of *of, int32_t tgid);

#endif
