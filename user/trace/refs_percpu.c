// SPDX-License-Identifier: GPL-2.0-only
/* Static per-CPU variables: see refs_percpu.h. */
#include "trace/refs_percpu.h"

#include <string.h>

#include <bpf/btf.h>

#include "base/log.h"

#define STEP  4096        /* the section begins at a page */
#define EARLY (20u << 10) /* behind it, at least: PERCPU_DYNAMIC_RESERVE of linux/percpu.h */

static const struct btf_type *section_find(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, ".data..percpu", BTF_KIND_DATASEC);

	return id > 0 ? btf__type_by_id(btf, (unsigned int)id) : NULL;
}

static const char *variable_name(const struct btf *btf, const struct btf_var_secinfo *v)
{
	const struct btf_type *type = btf__type_by_id(btf, v->type);

	return type ? btf__name_by_offset(btf, type->name_off) : "";
}

/* The offset of a variable in the section. */
static bool variable_find(const struct btf *btf, const struct btf_type *section, const char *name,
			  uint32_t *offset)
{
	const struct btf_var_secinfo *v = btf_var_secinfos(section);

	for (uint16_t i = 0; i < btf_vlen(section); i++) {
		if (strcmp(variable_name(btf, &v[i]), name))
			continue;
		*offset = v[i].offset;
		return true;
	}
	return false;
}

/* Each CPU has its own offset in the variable this_cpu_off (x86). */
static bool start_is(const struct refs_percpu_input *in, uint64_t start, uint32_t this_cpu_off)
{
	size_t same = 0;

	for (size_t cpu = 0; cpu < in->cpus; cpu++) {
		if (!in->offsets[cpu])
			continue;
		if (!in->has(in->arg, start + in->offsets[cpu] + this_cpu_off, in->offsets[cpu]))
			return false;
		same++;
	}
	return same > 0;
}

/* Up to 6.14, x86 has the section at address 0; later kernels have it in the image. */
static bool start_find(const struct refs_percpu_input *in, uint32_t this_cpu_off, uint64_t *start)
{
	const struct refs_image *image = in->image;

	*start = 0;
	if (start_is(in, 0, this_cpu_off))
		return true;
	for (*start = image->address / STEP * STEP; *start < image->address + image->bytes;
	     *start += STEP)
		if (start_is(in, *start, this_cpu_off))
			return true;
	return false;
}

void refs_percpu_learn(const struct refs_percpu_input *in, struct refs_percpu *out)
{
	const struct btf *btf = in->types->btf;
	const struct btf_type *section = btf ? section_find(btf) : NULL;
	uint32_t this_cpu_off;
	uint64_t start;

	*out = (struct refs_percpu){.offsets = in->offsets, .cpus = in->cpus};
	if (!section || !variable_find(btf, section, "this_cpu_off", &this_cpu_off) ||
	    !start_find(in, this_cpu_off, &start)) {
		log_debug("references: where per-CPU variables are is not known");
		return;
	}
	out->btf = btf;
	out->section = section;
	out->start = start;
	out->bytes = section->size;
}

const char *refs_percpu_at(const struct refs_percpu *p, uint64_t address)
{
	const struct btf_type *section = p->section;

	for (size_t cpu = 0; section && cpu < p->cpus; cpu++) {
		const struct btf_var_secinfo *v = btf_var_secinfos(section);
		uint64_t at = address - p->offsets[cpu] - p->start;

		if (!p->offsets[cpu] || at >= p->bytes + EARLY)
			continue;
		for (uint16_t i = 0; i < btf_vlen(section); i++)
			if (at >= v[i].offset && at - v[i].offset < v[i].size)
				return variable_name(p->btf, &v[i]);
		return at < p->bytes ? NULL : "";
	}
	return NULL;
}
