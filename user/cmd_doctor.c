// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace doctor`: what this kernel lets the tool see, from the very plan that `record` carries
 * out. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <jansson.h>
#include <linux/capability.h>

#include "args.h"
#include "base/privileges.h"
#include "cmd.h"
#include "trace/plan.h"
#include "trace/tracer.h"
#include "output.h"
#include "proc/host.h"
#include "render/table.h"
#include "version.h"

struct doctor {
	struct host_facts host;
	struct kernel_facts kernel;
	struct plan plan;
	struct sizes sampled, exact;
	int sizes_err; /* 0, or −errno and the reason */
	char sizes_why[TRACER_WHY_MAX];
	const char *btf_path;
	bool json;
};

enum { OPT_BTF = 256 };

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0, "text (default) or json", 0},
	{"btf", OPT_BTF, "FILE", 0, "Types of this kernel, where it has no BTF of its own", 0},
	{0},
};

static const char doc[] =
	"Say what this kernel lets kmemtrace see, how, and what is lost where it does not.\v"
	"Examples:\n"
	"  sudo kmemtrace doctor                  before the first recording on a host\n"
	"  sudo kmemtrace doctor --format json    for fleets\n\n"
	"Exit status: 0 when `record` would work here, 1 when it would not.";

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct doctor *d = state->input;

	switch (key) {
	case 'f':
		d->json = args_json(state, arg);
		return 0;
	case OPT_BTF:
		d->btf_path = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "doctor takes no arguments, '%s' was given", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct {
	int bit;
	const char *name;
	const char *why;
} caps[] = {
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "measure what tracing costs; stands for the next two"},
	{CAP_BPF, "CAP_BPF", "load BPF programs"},
	{CAP_PERFMON, "CAP_PERFMON", "attach them to the kernel"},
	{CAP_SYSLOG, "CAP_SYSLOG", "see symbol addresses"},
	{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "read /proc/slabinfo, when not as root"},
	{CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "needed before 5.11 only, for locked memory"},
};
#define NR_CAPS (sizeof(caps) / sizeof(caps[0]))

static bool has_cap(const struct kernel_facts *f, int bit)
{
	return f->caps >> bit & 1;
}

/* What the tables of a recording with default options take. Where there is no room for them,
 * `record` refuses. */
static void sizes_read(struct doctor *d)
{
	const struct tracer_options sampled = {.exact = false}, exact = {.exact = true};

	d->sizes_err = tracer_sizes(&exact, &d->exact, d->sizes_why);
	d->sizes_err = tracer_sizes(&sampled, &d->sampled, d->sizes_why) ?: d->sizes_err;
	if (!d->sizes_err || !d->plan.can_record)
		return;
	d->plan.can_record = false;
	snprintf(d->plan.refusal, sizeof(d->plan.refusal), "%s", d->sizes_why);
}

static json_t *memory_json(const struct sizes *s)
{
	return json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)s->bytes, "live_objects",
			 (json_int_t)s->live, "stacks", (json_int_t)1 << s->stack_bits);
}

static void memory_text(struct page *p, const struct doctor *d)
{
	char bytes[4][UNITS_MAX], live[2][UNITS_MAX];

	if (d->sizes_err) {
		page_paragraph(p, 2, "Memory: %s.", d->sizes_why);
		return;
	}
	page_paragraph(p, 2,
		       "Memory: record takes %s for %s live samples, --exact %s for %s live "
		       "objects, and about %s for itself; --memory may be up to %s here now.",
		       units_bytes(bytes[0], d->sampled.bytes),
		       units_count(live[0], d->sampled.live), units_bytes(bytes[1], d->exact.bytes),
		       units_count(live[1], d->exact.live), units_bytes(bytes[2], SIZES_PROCESS),
		       units_bytes(bytes[3], d->exact.most));
}

static void capabilities_text(struct page *p, const struct kernel_facts *f)
{
	struct page_words w;

	if (!page_words_begin(p, &w))
		return;
	fprintf(w.f, "Capabilities:");
	for (size_t i = 0; i < NR_CAPS; i++) {
		bool has = has_cap(f, caps[i].bit);

		fprintf(w.f, "%s %s%s", i ? "," : "", has ? "" : "no ", caps[i].name);
		if (!has)
			fprintf(w.f, " (%s)", caps[i].why);
	}
	fputc('.', w.f);
	page_words_end(p, &w, 2);
}

static void symbols_text(struct page *p, const struct kernel_facts *f)
{
	char restrict_[32] = "unknown";

	if (f->kptr_restrict >= 0)
		snprintf(restrict_, sizeof(restrict_), "%d", f->kptr_restrict);
	page_paragraph(p, 2, "Symbols: %s (kptr_restrict %s).",
		       !f->symbols            ? "readable"
		       : f->symbols == -EPERM ? "hidden: call paths will have no names"
					      : strerror(-f->symbols),
		       restrict_);
}

static void host_text(struct page *p, const struct doctor *d)
{
	const struct host_facts *h = &d->host;
	const struct kernel_facts *f = &d->kernel;

	page_heading(p, PAGE_BOLD, "HOST");
	page_paragraph(p, 2, "Kernel: %s, %s, lockdown %s, virtualization %s.", h->release, h->arch,
		       f->lockdown, h->virtualization);
	page_paragraph(p, 2, "BTF: %s (%s).",
		       !f->btf             ? "yes"
		       : f->btf == -EINVAL ? "unknown format"
					   : strerror(-f->btf),
		       f->btf_path ?: KERNEL_BTF);
	page_paragraph(p, 2, "BPF programs: %s.",
		       f->bpf_load ? strerror(-f->bpf_load) : "may be loaded");
	symbols_text(p, f);
	page_paragraph(p, 2, "slabinfo %s, vmallocinfo %s.",
		       f->slabinfo ? "readable" : "not readable",
		       f->vmallocinfo ? "readable" : "not readable");
	memory_text(p, d);
	capabilities_text(p, f);
}

static void hooks_text(struct page *p, const struct plan *plan)
{
	static const struct table_column columns[] = {
		{"hook", 0, false}, {"pool", 0, false}, {"how", 0, false}};
	struct table table = TABLE_INIT(p, columns);
	size_t off = 0;

	page_heading(p, PAGE_BOLD, "HOOKS");
	for (size_t i = 0; i < plan->nr; i++) {
		const struct plan_hook *hook = &plan->hooks[i];

		table_words(&table, "%s", hook->def->name);
		table_words(&table, "%s", pool_name(hook->def->pool));
		table_words(&table, "%s", hook->on ? hook->def->how : "off");
		off += !hook->on;
	}
	table_print(&table);
	if (off || plan->nr_notes)
		page_heading(p, PAGE_BOLD, "WHAT IS OFF, AND WHAT THAT COSTS");
	for (size_t i = 0; i < plan->nr; i++)
		if (!plan->hooks[i].on)
			page_paragraph(p, 2, "%s: %s: %s.", plan->hooks[i].def->name,
				       plan->hooks[i].reason, plan->hooks[i].def->cost);
	for (size_t i = 0; i < plan->nr_notes; i++)
		page_paragraph(p, 2, "Note: %s", plan->notes[i]);
}

static int print_text(const struct doctor *d, FILE *out)
{
	struct page p;

	page_begin(&p, out, output_wants_colour(), output_is_utf8());
	host_text(&p, d);
	hooks_text(&p, &d->plan);
	fprintf(out, "\n%s%s\n",
		d->plan.can_record ? "record would work here." : "record would NOT work here: ",
		d->plan.refusal);
	return page_end(&p);
}

static json_t *hooks_json(const struct plan *p)
{
	json_t *hooks = json_array();

	for (size_t i = 0; i < p->nr; i++) {
		const struct plan_hook *hook = &p->hooks[i];

		json_array_append_new(hooks,
				      json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "name",
						hook->def->name, "pool", pool_name(hook->def->pool),
						"how", hook->on ? hook->def->how : "", "attached",
						hook->on, "reason", hook->reason, "cost",
						hook->on ? "" : hook->def->cost));
	}
	return hooks;
}

static int print_json(const struct doctor *d, FILE *out)
{
	const struct host_facts *h = &d->host;
	const struct kernel_facts *f = &d->kernel;
	const struct plan *p = &d->plan;
	json_t *capabilities = json_object(), *notes = json_array(), *root;

	for (size_t i = 0; i < NR_CAPS; i++)
		json_object_set_new(capabilities, caps[i].name,
				    json_boolean(has_cap(f, caps[i].bit)));
	for (size_t i = 0; i < p->nr_notes; i++)
		json_array_append_new(notes, json_string(p->notes[i]));
	root = json_pack(
		"{s:i, s:b, s:s, s:{s:s, s:s, s:s, s:s}, s:b, s:b, s:b, s:b, s:b, s:i, s:b, s:b, s:b, "
		"s:{s:o, s:o, s:I, s:I}, s:o, s:o, s:o}",
		"schema", JSON_SCHEMA_VERSION, "can_record", p->can_record, "refusal", p->refusal,
		"kernel", "release", h->release, "arch", h->arch, "lockdown", f->lockdown,
		"virtualization", h->virtualization, "proc", !f->proc, "meminfo", !f->meminfo,
		"btf", !f->btf, "bpf_load", !f->bpf_load, "cmpxchg", f->cmpxchg, "kptr_restrict",
		f->kptr_restrict, "symbols", !f->symbols, "slabinfo", f->slabinfo, "vmallocinfo",
		f->vmallocinfo, "memory", "sampled", memory_json(&d->sampled), "exact",
		memory_json(&d->exact), "process_bytes", (json_int_t)SIZES_PROCESS, "most_bytes",
		(json_int_t)d->exact.most, "capabilities", capabilities, "hooks", hooks_json(p),
		"notes", notes);
	if (!root)
		return -ENOMEM;
	json_dumpf(root, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(root);
	return 0;
}

static int render(const void *arg, FILE *out)
{
	const struct doctor *d = arg;

	return d->json ? print_json(d, out) : print_text(d, out);
}

/* What the kernel says of itself where /proc does not. */
static void host_fallback(struct host_facts *h)
{
	struct utsname self;

	snprintf(h->virtualization, sizeof(h->virtualization), "unknown");
	if (uname(&self))
		return;
	snprintf(h->release, sizeof(h->release), "%.*s", (int)sizeof(h->release) - 1, self.release);
	snprintf(h->arch, sizeof(h->arch), "%.*s", (int)sizeof(h->arch) - 1, self.machine);
}

int cmd_doctor(int argc, char **argv)
{
	const struct argp argp = {options, parse_option, "", doc, NULL, NULL, NULL};
	const struct plan_request everything = {};
	struct doctor d = {};

	if (args_parse(&argp, 0, argc, argv, &d))
		return EXIT_USAGE;
	if (host_facts_read("/proc", "/sys", &d.host))
		host_fallback(&d.host);
	kernel_facts_read("/proc", d.btf_path, &d.kernel);
	plan_build(&d.kernel, &everything, &d.plan);
	sizes_read(&d);
	privileges_keep_none();
	if (output_document("plan", render, &d))
		return EXIT_FAILED;
	return d.plan.can_record ? EXIT_OK : EXIT_FAILED;
}
