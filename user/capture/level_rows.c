// SPDX-License-Identifier: GPL-2.0-only
/*
 * Converts levels between struct snapshot, where each part has its own fields, and the generic rows
 * that a capture stores for all parts (format_internal.h). Used by writer_levels.c and
 * reader_levels.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/format_internal.h"

#define TEXT_SIZE(type, member) sizeof(((type *)0)->member)

const struct level_form level_forms[LEVEL_PARTS] = {
	[LEVEL_MEMINFO] = {.name = "meminfo",
			   .text_size = TEXT_SIZE(struct named_value, name),
			   .row_size = sizeof(struct named_value),
			   .nr_values = 1},
	[LEVEL_VMSTAT] = {.name = "vmstat",
			  .text_size = TEXT_SIZE(struct named_value, name),
			  .row_size = sizeof(struct named_value),
			  .nr_values = 1},
	[LEVEL_SLAB] = {.name = "slab",
			.text_size = TEXT_SIZE(struct slab_level, name),
			.row_size = sizeof(struct slab_level),
			.nr_dims = 3,
			.dim_max = {INT32_MAX, INT32_MAX, INT32_MAX},
			.nr_values = 5,
			.value_min = {0, 0, 0, 0, -1}}, /* cpu_free is −1 if it is not known */
	[LEVEL_ZONE] = {.name = "zone",
			.text_size = TEXT_SIZE(struct zone_level, zone),
			.row_size = sizeof(struct zone_level),
			.nr_dims = 1,
			.dim_max = {INT32_MAX},
			.nr_values = 5},
	[LEVEL_VMALLOC] = {.name = "vmalloc",
			   .text_size = TEXT_SIZE(struct vmalloc_level, caller),
			   .row_size = sizeof(struct vmalloc_level),
			   .nr_dims = 1,
			   .dim_max = {VMALLOC_KINDS - 1},
			   .nr_values = 3},
	[LEVEL_TASK] = {.name = "task",
			.text_size = TEXT_SIZE(struct task_level, comm),
			.row_size = sizeof(struct task_level),
			.nr_dims = 2,
			.dim_min = {0, INT64_MIN},
			.dim_max = {INT32_MAX, INT64_MAX},
			.nr_values = 3},
	[LEVEL_CGROUP] = {.name = "cgroup_count",
			  .text_size = TEXT_SIZE(struct cgroup_level, path),
			  .row_size = sizeof(struct cgroup_level),
			  .nr_dims = 1,
			  .dim_min = {INT64_MIN},
			  .dim_max = {INT64_MAX},
			  .nr_values = 2,
			  .value_min = {-1, -1}},
	[LEVEL_BPF] = {.name = "bpf",
		       .text_size = TEXT_SIZE(struct bpf_level, object),
		       .row_size = sizeof(struct bpf_level),
		       .nr_dims = 2,
		       .dim_max = {BPF_KINDS - 1, UINT32_MAX},
		       .nr_values = 5},
	[LEVEL_BPF_HOLDER] = {.name = "bpf_holder",
			      .text_size = TEXT_SIZE(struct bpf_holder, name),
			      .row_size = sizeof(struct bpf_holder),
			      .nr_dims = 3,
			      .dim_max = {BPF_KINDS - 1, UINT32_MAX, BPF_HOLDS - 1},
			      .nr_values = 1},
	[LEVEL_NODE] = {.name = "node",
			.text_size = TEXT_SIZE(struct node_level, name),
			.row_size = sizeof(struct node_level),
			.nr_dims = 1,
			.dim_max = {NODES_MAX - 1},
			.nr_values = 1},
};

size_t level_count(const struct snapshot *s, enum level_part part)
{
	const size_t counts[LEVEL_PARTS] = {
		s->meminfo.nr, s->vmstat.nr,  s->slabs.nr, s->zones.nr,       s->vmallocs.nr,
		s->tasks.nr,   s->cgroups.nr, s->bpf.nr,   s->bpf_holders.nr, s->nodes.nr,
	};

	return counts[part];
}

size_t *level_bad_lines(struct snapshot *s, enum level_part part)
{
	size_t *const bad[LEVEL_PARTS] = {&s->meminfo.bad_lines, &s->vmstat.bad_lines,
					  &s->slabs.bad_lines, &s->zones.bad_lines,
					  &s->vmallocs.bad_lines};

	return bad[part];
}

static void get_named(const struct named_value *v, struct level *out)
{
	*out = (struct level){.values = {v->value}};
	memcpy(out->text, v->name, sizeof(v->name));
}

static void get_slab(const struct slab_level *v, struct level *out)
{
	*out = (struct level){.dims = {v->object_size, v->objs_per_slab, v->pages_per_slab},
			      .values = {v->active_objs, v->num_objs, v->active_slabs, v->num_slabs,
					 v->cpu_free}};
	memcpy(out->text, v->name, sizeof(v->name));
}

static void get_zone(const struct zone_level *v, struct level *out)
{
	*out = (struct level){.dims = {v->node},
			      .values = {v->free, v->spanned, v->present, v->managed, v->pcp}};
	memcpy(out->text, v->zone, sizeof(v->zone));
}

static void get_vmalloc(const struct vmalloc_level *v, struct level *out)
{
	*out = (struct level){.dims = {v->kind}, .values = {v->areas, v->bytes, v->pages}};
	memcpy(out->text, v->caller, sizeof(v->caller));
}

static void get_task(const struct task_level *v, struct level *out)
{
	*out = (struct level){.dims = {v->tgid, (int64_t)v->cgroup_id},
			      .values = {v->threads, v->stack_bytes, v->pgtables_bytes}};
	memcpy(out->text, v->comm, sizeof(v->comm));
}

static void get_cgroup(const struct cgroup_level *v, struct level *out)
{
	*out = (struct level){.dims = {(int64_t)v->id}, .values = {v->descendants, v->dying}};
	memcpy(out->text, v->path, sizeof(v->path));
}

static void get_bpf(const struct bpf_level *v, struct level *out)
{
	*out = (struct level){.dims = {v->kind, v->id},
			      .values = {v->vmalloc, v->percpu, v->slab, v->pages, v->own}};
	memcpy(out->text, v->object, sizeof(v->object));
}

static void get_bpf_holder(const struct bpf_holder *v, struct level *out)
{
	*out = (struct level){.dims = {v->kind, v->id, v->how}, .values = {v->holder}};
	memcpy(out->text, v->name, sizeof(v->name));
}

static void get_node(const struct node_level *v, struct level *out)
{
	*out = (struct level){.dims = {v->node}, .values = {v->value}};
	memcpy(out->text, v->name, sizeof(v->name));
}

static int64_t saturate(int64_t v, int64_t min, int64_t max)
{
	return v < min ? min : v > max ? max : v;
}

void level_get(const struct snapshot *s, enum level_part part, size_t i, struct level *out)
{
	const struct level_form *form = &level_forms[part];

	switch (part) {
	case LEVEL_MEMINFO:
		get_named(&s->meminfo.items[i], out);
		break;
	case LEVEL_VMSTAT:
		get_named(&s->vmstat.items[i], out);
		break;
	case LEVEL_SLAB:
		get_slab(&s->slabs.items[i], out);
		break;
	case LEVEL_ZONE:
		get_zone(&s->zones.items[i], out);
		break;
	case LEVEL_VMALLOC:
		get_vmalloc(&s->vmallocs.items[i], out);
		break;
	case LEVEL_TASK:
		get_task(&s->tasks.items[i], out);
		break;
	case LEVEL_CGROUP:
		get_cgroup(&s->cgroups.items[i], out);
		break;
	case LEVEL_BPF:
		get_bpf(&s->bpf.items[i], out);
		break;
	case LEVEL_BPF_HOLDER:
		get_bpf_holder(&s->bpf_holders.items[i], out);
		break;
	case LEVEL_NODE:
	case LEVEL_PARTS:
		get_node(&s->nodes.items[i], out);
		break;
	}
	out->text[form->text_size - 1] = '\0';
	for (int d = 0; d < form->nr_dims; d++)
		out->dims[d] = saturate(out->dims[d], form->dim_min[d], form->dim_max[d]);
	for (int v = 0; v < form->nr_values; v++)
		out->values[v] = saturate(out->values[v], form->value_min[v], CAPTURE_LEVEL_MAX);
}

/* Append a row to array `a` and fill in its text field; NULL if memory runs out. */
#define PUSH_TEXT(a, member, level)                                             \
	({                                                                      \
		__typeof__((a)->items) _row = ARRAY_PUSH(a);                    \
		if (_row)                                                       \
			snprintf(_row->member, sizeof(_row->member), "%.*s",    \
				 (int)sizeof(_row->member) - 1, (level)->text); \
		_row;                                                           \
	})

static int push_named(struct named_values *a, const struct level *l)
{
	struct named_value *v = PUSH_TEXT(a, name, l);

	if (!v)
		return -ENOMEM;
	v->value = l->values[0];
	return 0;
}

static int push_slab(struct slab_levels *a, const struct level *l)
{
	struct slab_level *v = PUSH_TEXT(a, name, l);

	if (!v)
		return -ENOMEM;
	v->object_size = l->dims[0];
	v->objs_per_slab = l->dims[1];
	v->pages_per_slab = l->dims[2];
	v->active_objs = l->values[0];
	v->num_objs = l->values[1];
	v->active_slabs = l->values[2];
	v->num_slabs = l->values[3];
	v->cpu_free = l->values[4];
	return 0;
}

static int push_zone(struct zone_levels *a, const struct level *l)
{
	struct zone_level *v = PUSH_TEXT(a, zone, l);

	if (!v)
		return -ENOMEM;
	v->node = l->dims[0];
	v->free = l->values[0];
	v->spanned = l->values[1];
	v->present = l->values[2];
	v->managed = l->values[3];
	v->pcp = l->values[4];
	return 0;
}

static int push_vmalloc(struct vmalloc_levels *a, const struct level *l)
{
	struct vmalloc_level *v = PUSH_TEXT(a, caller, l);

	if (!v)
		return -ENOMEM;
	v->kind = l->dims[0];
	v->areas = l->values[0];
	v->bytes = l->values[1];
	v->pages = l->values[2];
	return 0;
}

static int push_task(struct task_levels *a, const struct level *l)
{
	struct task_level *v = PUSH_TEXT(a, comm, l);

	if (!v)
		return -ENOMEM;
	v->tgid = l->dims[0];
	v->cgroup_id = (uint64_t)l->dims[1];
	v->threads = l->values[0];
	v->stack_bytes = l->values[1];
	v->pgtables_bytes = l->values[2];
	return 0;
}

static int push_cgroup(struct cgroup_levels *a, const struct level *l)
{
	struct cgroup_level *v = PUSH_TEXT(a, path, l);

	if (!v)
		return -ENOMEM;
	v->id = (uint64_t)l->dims[0];
	v->descendants = l->values[0];
	v->dying = l->values[1];
	return 0;
}

static int push_bpf(struct bpf_levels *a, const struct level *l)
{
	struct bpf_level *v = PUSH_TEXT(a, object, l);

	if (!v)
		return -ENOMEM;
	v->kind = (int)l->dims[0];
	v->id = l->dims[1];
	v->vmalloc = l->values[0];
	v->percpu = l->values[1];
	v->slab = l->values[2];
	v->pages = l->values[3];
	v->own = l->values[4];
	return 0;
}

static int push_bpf_holder(struct bpf_holders *a, const struct level *l)
{
	struct bpf_holder *v = PUSH_TEXT(a, name, l);

	if (!v)
		return -ENOMEM;
	v->kind = (int)l->dims[0];
	v->id = l->dims[1];
	v->how = (int)l->dims[2];
	v->holder = l->values[0];
	return 0;
}

static int push_node(struct node_levels *a, const struct level *l)
{
	struct node_level *v = PUSH_TEXT(a, name, l);

	if (!v)
		return -ENOMEM;
	v->node = (int)l->dims[0];
	v->value = l->values[0];
	return 0;
}

int level_push(struct snapshot *s, enum level_part part, const struct level *level)
{
	switch (part) {
	case LEVEL_MEMINFO:
		return push_named(&s->meminfo, level);
	case LEVEL_VMSTAT:
		return push_named(&s->vmstat, level);
	case LEVEL_SLAB:
		return push_slab(&s->slabs, level);
	case LEVEL_ZONE:
		return push_zone(&s->zones, level);
	case LEVEL_VMALLOC:
		return push_vmalloc(&s->vmallocs, level);
	case LEVEL_TASK:
		return push_task(&s->tasks, level);
	case LEVEL_CGROUP:
		return push_cgroup(&s->cgroups, level);
	case LEVEL_BPF:
		return push_bpf(&s->bpf, level);
	case LEVEL_BPF_HOLDER:
		return push_bpf_holder(&s->bpf_holders, level);
	case LEVEL_NODE:
	case LEVEL_PARTS:
		break;
	}
	return push_node(&s->nodes, level);
}
