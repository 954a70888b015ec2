// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names the stacks. Reads kallsyms on first use, and once more if an address is missing. See
 * stacks.h.
 */
#include "record/stacks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#define HASH_FUNCTION HASH_JEN
#include "base/hash.h"
#include "base/log.h"
#include "base/normalise.h"
#include "trace/kernel_facts.h"
#include "sym/build_id.h"
#include "sym/kallsyms.h"

struct named_ip {
	uint64_t ip;
	uint32_t frame;   /* the capture's id */
	bool tracer;      /* a frame of the tracer or of the tracepoint */
	char symbol[128]; /* normalised */
	const char *module;
	UT_hash_handle hh;
};

struct named_module {
	char name[64];
	char build_id[BUILD_ID_HEX_SIZE];
	UT_hash_handle hh;
};

struct named_path {
	uint32_t id; /* 0: not yet named */
	struct stack_class class_;
};

struct stacks {
	const struct tracer_tables *tables;
	struct capture_writer *w;
	const char *proc_root, *sys_root;
	struct kallsyms *ks;
	int ks_err;
	char ks_why[SYMBOLS_WHY_MAX]; /* why there are no names, if kallsyms could not be read */
	bool ks_loaded;
	bool ks_again; /* an address was not found: modules or programs may have been loaded since
			*/
	struct named_ip *ips;
	struct named_module *modules;
	struct named_path *stacks; /* by row */
};

int stacks_new(const struct tracer_tables *tables, struct capture_writer *w, const char *proc_root,
	       const char *sys_root, struct stacks **out)
{
	struct stacks *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->stacks = calloc(tables->nr_stacks, sizeof(*s->stacks));
	if (!s->stacks) {
		free(s);
		return -ENOMEM;
	}
	s->tables = tables;
	s->w = w;
	s->proc_root = proc_root;
	s->sys_root = sys_root;
	*out = s;
	return 0;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	HASH_FREE(s->ips);
	HASH_FREE(s->modules);
	kallsyms_free(s->ks);
	free(s->stacks);
	free(s);
}

const char *stacks_symbols_state(const struct stacks *s)
{
	return !s->ks_loaded || !s->ks_err ? "ok" : s->ks_why;
}

static void symbols_load(struct stacks *s)
{
	char path[512];

	kallsyms_free(s->ks);
	s->ks = NULL;
	snprintf(path, sizeof(path), "%s/kallsyms", s->proc_root);
	s->ks_err = kallsyms_load(path, &s->ks);
	if (s->ks_err)
		symbols_why(s->ks_err, s->proc_root, s->ks_why);
	if (s->ks_err && !s->ks_loaded)
		log_warn("call stacks will have no names: %s", s->ks_why);
	s->ks_loaded = true;
}

static bool symbol_find(struct stacks *s, uint64_t ip, struct sym_ref *ref)
{
	if (!s->ks_loaded)
		symbols_load(s);
	if (s->ks && sym_resolve_return(s->ks, ip, ref))
		return true;
	if (!s->ks || s->ks_again)
		return false;
	s->ks_again = true;
	symbols_load(s);
	return s->ks && sym_resolve_return(s->ks, ip, ref);
}

static const struct named_module *module_of(struct stacks *s, const char *name)
{
	static const struct named_module none;
	struct named_module *m;

	if (!*name)
		return &none;
	HASH_FIND_STR(s->modules, name, m);
	if (m)
		return m;
	m = calloc(1, sizeof(*m));
	if (!m)
		return &none;
	snprintf(m->name, sizeof(m->name), "%s", name);
	if (!strcmp(name, "vmlinux"))
		build_id_kernel(s->sys_root, m->build_id);
	else if (strcmp(name, "bpf") != 0)
		build_id_module(s->sys_root, name, m->build_id);
	HASH_ADD_STR(s->modules, name, m);
	return m;
}

/*
 * Is this a frame between the allocator and the tracer? Such frames are present if the stack was
 * recorded without a call site.
 */
static bool symbol_is_tracer(const struct sym_ref *ref)
{
	static const char *const prefixes[] = {"bpf_trace_run", "__bpf_trace_", "__traceiter_",
					       "bpf_get_stack", "trace_event_"};

	if (!strcmp(ref->module, "bpf"))
		return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(ref->name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static int ip_name(struct stacks *s, uint64_t ip, struct named_ip **out)
{
	struct sym_ref ref = {"[unknown]", 0, "vmlinux"};
	struct named_ip *n;
	struct cap_frame frame;
	int err;

	HASH_FIND(hh, s->ips, &ip, sizeof(ip), n);
	if (n) {
		*out = n;
		return 0;
	}
	if (!symbol_find(s, ip, &ref))
		ref = (struct sym_ref){"[unknown]", 0, ""};
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->ip = ip;
	n->tracer = symbol_is_tracer(&ref);
	n->module = module_of(s, ref.module)->name;
	sym_normalise(ref.name, n->symbol, sizeof(n->symbol));
	frame = (struct cap_frame){
		.symbol = (char *)ref.name,
		.offset = ref.offset,
		.module = (char *)ref.module,
		.build_id = (char *)module_of(s, ref.module)->build_id,
	};
	err = capture_put_frame(s->w, &frame, &n->frame);
	if (err) {
		free(n);
		return err;
	}
	HASH_ADD(hh, s->ips, ip, sizeof(n->ip), n);
	*out = n;
	return 0;
}

/*
 * Store the frames that name who allocated: without those of the tracer and the allocator at the
 * inner end.
 */
static int stack_put(struct stacks *s, const struct kmt_stack *p, uint32_t nr, enum pool traced,
		     struct named_path *out)
{
	struct classify_frame named[KMT_FRAMES];
	uint32_t frames[KMT_FRAMES], first = 0;
	struct cap_stack stack = {.truncated = p->flags & KMT_STACK_TRUNCATED};
	size_t nr_named = 0;

	for (uint32_t i = 0; i < nr; i++) {
		struct named_ip *n;
		int err = ip_name(s, p->ip[i], &n);

		if (err)
			return err;
		if (!nr_named && n->tracer)
			continue;
		named[nr_named] = (struct classify_frame){n->symbol, n->module};
		frames[nr_named++] = n->frame;
	}
	classify_stack(traced, named, nr_named, &out->class_);
	while (first + 1 < nr_named && classify_is_allocator(traced, named[first].symbol))
		first++;
	stack.frames = frames + first;
	stack.nr_frames = nr_named - first;
	return capture_put_stack(s->w, &stack, &out->id);
}

int stacks_id(struct stacks *s, uint32_t row, enum pool traced, uint32_t *id,
	      struct stack_class *class_)
{
	struct named_path *named;
	uint32_t nr, flags;
	int err = 0;

	*id = 0;
	*class_ = (struct stack_class){.pool = traced, .class_ = ""};
	if (!row || row >= s->tables->nr_stacks)
		return 0;
	named = &s->stacks[row];
	nr = __atomic_load_n(&s->tables->stacks[row].nr, __ATOMIC_ACQUIRE);
	if (!nr)
		return 0;
	if (!named->id)
		err = stack_put(s, &s->tables->stacks[row], nr < KMT_FRAMES ? nr : KMT_FRAMES,
				traced, named);
	*id = named->id;
	*class_ = named->class_;
	flags = __atomic_load_n(&s->tables->stacks[row].flags, __ATOMIC_RELAXED);
	if (flags & KMT_STACK_PTE)
		*class_ = (struct stack_class){.pool = POOL_PAGETABLE, .class_ = "pte"};
	else if (flags & KMT_STACK_TABLE && class_->pool != POOL_PAGETABLE)
		*class_ = (struct stack_class){.pool = POOL_PAGETABLE, .class_ = "other"};
	return err;
}
