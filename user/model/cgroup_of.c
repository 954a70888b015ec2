// SPDX-License-Identifier: GPL-2.0-only
/* Looks processes up by tgid in a sorted list: see cgroup_of.h. */
#include "model/cgroup_of.h"

#include <errno.h>
#include <stdlib.h>

static int compare_tgid(const void *a, const void *b)
{
	const struct cap_process *x = *(struct cap_process *const *)a,
				 *y = *(struct cap_process *const *)b;

	return (x->tgid > y->tgid) - (x->tgid < y->tgid);
}

int cgroup_of_build(const struct capture *c, struct cgroup_of *out)
{
	struct cgroup_of of = {0};

	for (size_t i = 1; i < c->nr_processes; i++) {
		const struct cap_process *p = &c->processes[i], **slot;

		if (!p->cgroup || !p->tgid)
			continue;
		slot = ARRAY_PUSH(&of);
		if (!slot) {
			cgroup_of_free(&of);
			return -ENOMEM;
		}
		*slot = p;
	}
	if (of.nr)
		qsort(of.items, of.nr, sizeof(*of.items), compare_tgid);
	*out = of;
	return 0;
}

void cgroup_of_free(struct cgroup_of *of)
{
	ARRAY_FREE(of);
}

uint32_t cgroup_of_id(const struct cgroup_of *of, int32_t tgid)
{
	struct cap_process wanted = {.tgid = tgid}, *key = &wanted;
	const struct cap_process **found =
		of->nr ? bsearch(&key, of->items, of->nr, sizeof(*of->items), compare_tgid) : NULL;

	return found ? (*found)->cgroup : 0;
}

const char *cgroup_of(const struct capture *c, const struct cgroup_of *of, int32_t tgid)
{
	uint32_t id = cgroup_of_id(of, tgid);

	return id ? c->cgroups[id] : NULL;
}
