// SPDX-License-Identifier: GPL-2.0-only
/* What processes have: see refs_roots.h. */
#include "trace/refs_roots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "roots.skel.h"
#include "trace/libbpf_log.h"
#include "trace/program.h"

#define NAMESPACE_FIRST \
	0xEFFFFFF7u /* below all inodes of namespaces: enum init_ns_ino of uapi/linux/nsfs.h */
#define ROOTS_MOST (1u << 20) /* kept: more would take too much memory, and time to read */

/* How to come from a task or a file to an object that it has. '>' is a pointer. */
static const char *const task_paths[KMT_ROOT_PLACES] = {
	"mm",         "signal",        "sighand",        "files",
	"fs",         "cred",          "real_cred",      "nsproxy",
	"thread_pid", "io_uring",      "nsproxy>mnt_ns", "files>fdt",
	"signal>tty", "nsproxy>net_ns"};
static const char *const file_paths[KMT_ROOT_PLACES] = {"private_data", "f_inode", "f_path.dentry"};

/* The struct that a path goes on with behind its first pointer. */
static const char *path_struct(const char *field, size_t len)
{
	static const char *const structs[][2] = {
		{"files", "files_struct"}, {"signal", "signal_struct"}, {"nsproxy", "nsproxy"}};

	for (size_t i = 0; i < sizeof(structs) / sizeof(structs[0]); i++)
		if (strlen(structs[i][0]) == len && !memcmp(structs[i][0], field, len))
			return structs[i][1];
	return NULL;
}

const char *refs_root_words(const struct refs_root *root)
{
	static const char *const of_file[] = {"file.private_data", "file.f_inode", "file.f_path"};
	static const char *const of_task[KMT_ROOT_PLACES] = {
		"task_struct.mm",        "task_struct.signal",  "task_struct.sighand",
		"task_struct.files",     "task_struct.fs",      "task_struct.cred",
		"task_struct.real_cred", "task_struct.nsproxy", "task_struct.thread_pid",
		"task_struct.io_uring",  "nsproxy.mnt_ns",      "files_struct.fdt",
		"signal_struct.tty",     "nsproxy.net_ns"};

	if (root->how == REFS_ROOT_STACK)
		return "its kernel stack";
	if (root->kind == REFS_HOLDER_FILE_TABLE)
		return root->how < sizeof(of_file) / sizeof(of_file[0]) ? of_file[root->how]
									: "an open file";
	return root->how < KMT_ROOT_PLACES ? of_task[root->how] : "task_struct";
}

/* ---- the list ---- */

void refs_roots_free(struct refs_roots *r)
{
	ARRAY_FREE(&r->processes);
	ARRAY_FREE(&r->all);
}

/* The iterators visit a process's files, and its tasks, in a row. */
static struct refs_process *refs_process_of(struct refs_roots *r, const struct kmt_root *record)
{
	size_t nr = r->processes.nr;
	struct refs_process *p;

	if (nr && r->processes.items[nr - 1].tgid == record->tgid)
		return &r->processes.items[nr - 1];
	p = ARRAY_PUSH(&r->processes);
	if (!p)
		return NULL;
	p->tgid = record->tgid;
	p->cgroup = record->cgroup;
	snprintf(p->comm, sizeof(p->comm), "%.*s", (int)sizeof(record->comm), record->comm);
	return p;
}

static int refs_root_add(struct refs_roots *r, uint64_t place, uint8_t how, uint8_t kind)
{
	struct refs_root *root;

	if (place >= KMT_ROOT_NOWHERE)
		return 0;
	if (r->all.nr >= ROOTS_MOST) {
		r->partial = true;
		return 0;
	}
	root = ARRAY_PUSH(&r->all);
	if (!root)
		return -ENOMEM;
	*root = (struct refs_root){.place = place,
				   .process = (uint32_t)(r->processes.nr - 1),
				   .how = how,
				   .kind = kind};
	return 0;
}

int refs_roots_add(struct refs_roots *r, const struct kmt_root *record)
{
	uint8_t kind = record->file ? REFS_HOLDER_FILE_TABLE : REFS_HOLDER_PROCESS;
	int err = refs_process_of(r, record) ? 0 : -ENOMEM;

	err = err ?: refs_root_add(r, record->self, REFS_ROOT_SELF, kind);
	for (uint8_t i = 0; i < KMT_ROOT_PLACES && !err; i++)
		err = refs_root_add(r, record->places[i], i, kind);
	for (uint32_t i = 0; i < KMT_ROOT_STACK && !err && !record->file; i++)
		err = refs_root_add(r, record->stack[i], REFS_ROOT_STACK, kind);
	return err;
}

static int refs_compare_roots(const void *x, const void *y)
{
	const struct refs_root *a = x, *b = y;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->process < b->process ? -1 : a->process > b->process;
}

void refs_roots_sort(struct refs_roots *r)
{
	size_t nr = 0;

	if (r->all.nr)
		qsort(r->all.items, r->all.nr, sizeof(*r->all.items), refs_compare_roots);
	for (size_t i = 0; i < r->all.nr; i++)
		if (!nr || refs_compare_roots(&r->all.items[i], &r->all.items[nr - 1]))
			r->all.items[nr++] = r->all.items[i];
	r->all.nr = nr;
}

const struct refs_root *refs_roots_find(const struct refs_roots *r, uint64_t start, uint64_t end,
					size_t *nr)
{
	size_t first;

	SORTED_FIRST(first, r->all.nr, r->all.items[first].place < start);
	*nr = 0;
	while (first + *nr < r->all.nr && r->all.items[first + *nr].place < end)
		(*nr)++;
	return *nr ? &r->all.items[first] : NULL;
}

/* ---- from the kernel ---- */

/* Namespaces that are named, by kind of holder. */
static const struct {
	const char *type, *proxy, *word; /* its struct; in nsproxy; as lsns has it */
} namespaces[REFS_HOLDER_KINDS] = {
	[REFS_HOLDER_NET_NAMESPACE] = {"net", "net_ns", "net"},
	[REFS_HOLDER_MNT_NAMESPACE] = {"mnt_namespace", "mnt_ns", "mnt"},
	[REFS_HOLDER_IPC_NAMESPACE] = {"ipc_namespace", "ipc_ns", "ipc"},
};

struct refs_follower {
	struct roots_bpf *skel;
	struct refs_memory_place where;
	struct refs_image image;
	/* of each kind of namespace; of a user, the first is that of the number */
	struct {
		bool known;
		uint32_t own, proxy;
	} offsets[REFS_HOLDER_KINDS];
};

void refs_follower_close(struct refs_follower *f)
{
	if (f)
		roots_bpf__destroy(f->skel);
	free(f);
}

/* The offsets of a path. A path that this kernel does not have stays unused. */
static struct kmt_root_path path_offsets(const struct refs_types *types, const char *type,
					 const char *path)
{
	struct kmt_root_path out = {0};

	while (path && path[0] && type && out.steps < KMT_ROOT_STEPS) {
		const char *end = strchrnul(path, '>');
		char field[REFS_FIELD];

		snprintf(field, sizeof(field), "%.*s", (int)(end - path), path);
		if (!refs_types_offset(types, type, field, &out.offsets[out.steps]))
			return (struct kmt_root_path){0};
		out.steps++;
		type = path_struct(path, (size_t)(end - path));
		path = *end ? end + 1 : NULL;
	}
	return out;
}

static void refs_follower_set(struct refs_follower *f, const struct refs_types *types)
{
	struct roots_bpf__rodata *cfg = f->skel->rodata;

	for (int i = 0; i < KMT_ROOT_PLACES; i++) {
		cfg->cfg_task_paths[i] = path_offsets(types, "task_struct", task_paths[i]);
		cfg->cfg_file_paths[i] = path_offsets(types, "file", file_paths[i]);
	}
	for (int kind = 0; kind < REFS_HOLDER_KINDS; kind++)
		f->offsets[kind].known = namespaces[kind].type &&
					 refs_types_offset(types, namespaces[kind].type, "ns",
							   &f->offsets[kind].own) &&
					 refs_types_offset(types, "nsproxy", namespaces[kind].proxy,
							   &f->offsets[kind].proxy);
	f->offsets[REFS_HOLDER_USER].known =
		refs_types_offset(types, "key_user", "uid", &f->offsets[REFS_HOLDER_USER].own);
	cfg->cfg_direct = f->where.direct;
	cfg->cfg_direct_bytes = f->where.direct_bytes;
	cfg->cfg_frame_base = f->where.frame_base;
}

static int refs_follower_load(struct refs_follower *f, const char *btf_path,
			      const struct refs_types *types)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf_path);

	libbpf_log_begin();
	f->skel = roots_bpf__open_opts(&opts);
	if (!f->skel)
		return -errno;
	refs_follower_set(f, types);
	bpf_program__set_autoload(f->skel->progs.roots_files, true);
	bpf_program__set_autoload(f->skel->progs.roots_tasks, true);
	bpf_program__set_autoload(f->skel->progs.roots_follow, true);
	bpf_program__set_autoload(f->skel->progs.roots_super, true);
	bpf_program__set_autoload(f->skel->progs.roots_namespace, true);
	bpf_program__set_autoload(f->skel->progs.roots_read, true);
	bpf_program__set_autoload(f->skel->progs.roots_same, true);
	bpf_program__set_autoload(f->skel->progs.roots_area_of, true);
	bpf_program__set_autoload(f->skel->progs.roots_area_pages, true);
	bpf_program__set_autoload(f->skel->progs.roots_chunk, true);
	bpf_program__set_autoload(f->skel->progs.roots_has, true);
	return roots_bpf__load(f->skel);
}

static bool refs_follower_same(void *follower, uint64_t address, uint64_t place)
{
	const struct refs_follower *f = follower;

	return place < f->where.direct_bytes &&
	       !program_call(f->skel->progs.roots_same, (uint64_t[3]){address, place}) &&
	       __atomic_load_n(&f->skel->bss->roots_number, __ATOMIC_SEQ_CST);
}

/* Without it, nothing leads through the kernel's static variables. */
static void refs_follower_image(struct refs_follower *f)
{
	if (refs_image_learn("/proc", refs_follower_same, f, &f->image))
		return;
	f->skel->bss->roots_image = f->image.address;
	f->skel->bss->roots_image_place = f->image.place;
	f->skel->bss->roots_image_bytes = f->image.bytes;
}

int refs_follower_open(const char *btf_path, const struct refs_types *types,
		       const struct refs_memory_place *where, struct refs_follower **out)
{
	struct refs_follower *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->where = *where;
	err = refs_follower_load(f, btf_path, types);
	if (err) {
		log_debug("references: holders are not looked for: %s", libbpf_log_first());
		refs_follower_close(f);
		return err;
	}
	refs_follower_image(f);
	*out = f;
	return 0;
}

struct refs_reading {
	const struct refs_memory_place *where;
	struct refs_roots *out;
};

/* Pages of a stack: from the place of their struct page to that of the page. */
static void refs_stack_places(const struct refs_memory_place *w, struct kmt_root *r)
{
	for (uint32_t i = 0; i < KMT_ROOT_STACK; i++) {
		uint64_t pfn = r->stack[i] / w->frame_bytes;

		r->stack[i] = !r->file && pfn < w->direct_bytes >> w->page_shift
				      ? pfn << w->page_shift
				      : KMT_ROOT_NOWHERE;
	}
}

static int refs_roots_take(void *arg, const void *records, size_t nr)
{
	const struct refs_reading *reading = arg;
	const struct kmt_root *record = records;
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		struct kmt_root placed = record[i];

		refs_stack_places(reading->where, &placed);
		err = refs_roots_add(reading->out, &placed);
	}
	return !err && reading->out->partial ? -E2BIG : err;
}

static int refs_iterate(const struct bpf_program *program, struct refs_reading *reading)
{
	int err = program_records(program, sizeof(struct kmt_root), refs_roots_take, reading);

	return err == -E2BIG ? 0 : err; /* what was read until then counts */
}

int refs_follower_roots(const struct refs_follower *f, struct refs_roots *out)
{
	struct refs_roots roots = {0};
	struct refs_reading reading = {&f->where, &roots};
	/* there are fewer tasks than open files, so that both are known of many processes */
	int err = refs_iterate(f->skel->progs.roots_tasks, &reading);

	err = err ?: refs_iterate(f->skel->progs.roots_files, &reading);
	if (err) {
		refs_roots_free(&roots);
		return err;
	}
	refs_roots_sort(&roots);
	*out = roots;
	return 0;
}

uint64_t refs_follower_follow(void *follower, uint64_t place)
{
	const struct refs_follower *f = follower;

	if (program_call(f->skel->progs.roots_follow, (uint64_t[3]){place}))
		return KMT_ROOT_NOWHERE;
	return __atomic_load_n(&f->skel->bss->roots_place, __ATOMIC_SEQ_CST);
}

static bool refs_super_name(const struct refs_follower *f, uint64_t place, char *name, size_t size)
{
	if (program_call(f->skel->progs.roots_super, (uint64_t[3]){place}) ||
	    !f->skel->bss->roots_text[0][0])
		return false;
	snprintf(name, size, "%.*s (%.*s)", KMT_ROOT_TEXT - 1, f->skel->bss->roots_text[0],
		 KMT_ROOT_TEXT - 1, f->skel->bss->roots_text[1]);
	return true;
}

static bool refs_user_name(const struct refs_follower *f, uint64_t place, char *name, size_t size)
{
	if (program_call(f->skel->progs.roots_read,
			 (uint64_t[3]){place + f->offsets[REFS_HOLDER_USER].own}))
		return false;
	snprintf(name, size, "%u", __atomic_load_n(&f->skel->bss->roots_number, __ATOMIC_SEQ_CST));
	return true;
}

bool refs_follower_name(void *follower, enum refs_holder_kind kind, uint64_t place, char *name,
			size_t size)
{
	const struct refs_follower *f = follower;
	uint32_t number;

	if (kind == REFS_HOLDER_SUPER_BLOCK)
		return refs_super_name(f, place, name, size);
	if (!f->offsets[kind].known)
		return false;
	if (kind == REFS_HOLDER_USER)
		return refs_user_name(f, place, name, size);
	if (program_call(f->skel->progs.roots_namespace,
			 (uint64_t[3]){place, f->offsets[kind].own, f->offsets[kind].proxy}))
		return false;
	number = __atomic_load_n(&f->skel->bss->roots_number, __ATOMIC_SEQ_CST);
	if (number < NAMESPACE_FIRST)
		return false;
	snprintf(name, size, "%s:[%u]", namespaces[kind].word, number);
	return true;
}

/* ---- areas ---- */

const struct refs_image *refs_follower_where_image(const struct refs_follower *f)
{
	return &f->image;
}

bool refs_follower_has(void *follower, uint64_t address, uint64_t word)
{
	const struct refs_follower *f = follower;

	return !program_call(f->skel->progs.roots_has, (uint64_t[3]){address, word}) &&
	       __atomic_load_n(&f->skel->bss->roots_number, __ATOMIC_SEQ_CST);
}

bool refs_follower_area(const struct refs_follower *f, uint64_t place, struct kmt_root_area *out)
{
	if (program_call(f->skel->progs.roots_area_of, (uint64_t[3]){place}) ||
	    !f->skel->bss->roots_area.bytes)
		return false;
	*out = f->skel->bss->roots_area;
	return true;
}

size_t refs_follower_area_frames(const struct refs_follower *f, const struct kmt_root_area *area,
				 uint32_t first, uint64_t frames[KMT_ROOT_PAGES])
{
	uint64_t left = area->pages - first, nr = left < KMT_ROOT_PAGES ? left : KMT_ROOT_PAGES;

	if (program_call(f->skel->progs.roots_area_pages, (uint64_t[3]){area->vm, first, nr}) ||
	    !__atomic_load_n(&f->skel->bss->roots_number, __ATOMIC_SEQ_CST))
		return 0;
	for (size_t i = 0; i < nr; i++)
		frames[i] = f->skel->bss->roots_pages[i] / f->where.frame_bytes;
	return nr;
}

bool refs_follower_chunk(const struct refs_follower *f, uint64_t frame, refs_start_t is_start,
			 void *arg)
{
	if (program_call(f->skel->progs.roots_chunk, (uint64_t[3]){frame * f->where.frame_bytes}))
		return false;
	for (int i = 0; i < 8; i++)
		if (f->skel->bss->roots_pages[i] && is_start(arg, f->skel->bss->roots_pages[i]))
			return true;
	return false;
}
