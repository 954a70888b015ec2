// SPDX-License-Identifier: GPL-2.0-only
/* Loads and runs the programs of bpf/kinds.bpf.c: see kinds_load.h. */
#include "trace/kinds_load.h"

#include <errno.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kinds.skel.h"
#include "trace/kernel_facts.h"
#include "trace/libbpf_log.h"
#include "trace/program.h"

static int programs_open(const struct plan *plan, const struct bpf_map *audit,
			 const struct bpf_map *cpu_offsets, struct kinds_programs *p)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		    .btf_custom_path = plan->btf_source[0] ? plan->btf_source : KERNEL_BTF);
	void *row;
	int err;

	libbpf_log_begin();
	p->skel = kinds_bpf__open_opts(&opts);
	if (!p->skel)
		return -errno;
	p->skel->rodata->cfg_page_size = sysconf(_SC_PAGESIZE);
	p->skel->rodata->cfg_page_shift = ffs((int)sysconf(_SC_PAGESIZE)) - 1;
	bpf_program__set_autoload(p->skel->progs.kinds_look, true);
	bpf_program__set_autoload(p->skel->progs.kinds_table, true);
	err = bpf_map__reuse_fd(p->skel->maps.audit, bpf_map__fd(audit));
	err = err ?: bpf_map__reuse_fd(p->skel->maps.audit_cpu_offset, bpf_map__fd(cpu_offsets));
	err = err ?: kinds_bpf__load(p->skel);
	if (err)
		return err;
	row = mmap(NULL, sizeof(*p->kinds), PROT_READ | PROT_WRITE, MAP_SHARED,
		   bpf_map__fd(p->skel->maps.kinds), 0);
	if (row == MAP_FAILED)
		return -errno;
	p->kinds = row;
	return 0;
}

int kinds_programs_load(const struct plan *plan, const struct bpf_map *audit,
			const struct bpf_map *cpu_offsets, struct kinds_programs *out)
{
	struct kinds_programs p = {0};
	int err = programs_open(plan, audit, cpu_offsets, &p);

	if (err)
		kinds_programs_unload(&p);
	else
		*out = p;
	return err;
}

void kinds_programs_unload(struct kinds_programs *p)
{
	if (p->kinds)
		munmap(p->kinds, sizeof(*p->kinds));
	kinds_bpf__destroy(p->skel);
	*p = (struct kinds_programs){0};
}

void kinds_programs_layout(const struct kinds_programs *p, const struct kinds_layout *layout)
{
	p->skel->bss->page_base = layout->page_base;
	p->skel->bss->kinds_frame_base = layout->frame_base;
	p->skel->bss->kinds_frames = layout->frames;
	p->skel->bss->kinds_direct_base = layout->direct_base;
	p->skel->bss->kinds_percpu = layout->percpu;
	p->skel->bss->kinds_image = layout->image;
	p->skel->bss->kinds_image_bytes = layout->image_bytes;
	p->skel->bss->kinds_modules = layout->modules;
	p->skel->bss->kinds_modules_bytes = layout->modules_bytes;
}

int kinds_programs_look(const struct kinds_programs *p, uint32_t nr)
{
	return program_call(p->skel->progs.kinds_look, (uint64_t[3]){nr});
}

int kinds_programs_table(const struct kinds_programs *p, uint64_t address)
{
	return program_call(p->skel->progs.kinds_table, (uint64_t[3]){address});
}

const struct bpf_object *kinds_programs_object(const struct kinds_programs *p)
{
	return p->skel ? p->skel->obj : NULL;
}
