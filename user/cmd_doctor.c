// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace doctor`: what this kernel lets the tool see, from the very plan that `record` carries out. */
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <linux/capability.h>

#include "base/log.h"
#include "cmd.h"
#include "base/units.h"
#include "live/plan.h"
#include "live/tracer.h"
#include "proc/host.h"

enum { FORMAT_TEXT, FORMAT_JSON };

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0, "text (default) or json", 0},
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
	int *format = state->input;

	switch (key) {
	case 'f':
		if (strcmp(arg, "text") && strcmp(arg, "json"))
			argp_error(state, "unknown format '%s'; there are text and json", arg);
		*format = strcmp(arg, "json") ? FORMAT_TEXT : FORMAT_JSON;
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
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "stands for CAP_BPF and CAP_PERFMON; BPF run-time statistics"},
	{CAP_BPF, "CAP_BPF", "load BPF programs"},
	{CAP_PERFMON, "CAP_PERFMON", "attach them to the kernel"},
	{CAP_SYSLOG, "CAP_SYSLOG", "see symbol addresses"},
	{CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "needed before 5.11 only, for locked memory"},
};
#define NR_CAPS (sizeof(caps) / sizeof(caps[0]))

static bool has_cap(const struct kernel_facts *f, int bit)
{
	return f->caps >> bit & 1;
}

/* What the tables of a recording with default options take. */
static void sizes_read(bool exact, struct sizes *out)
{
	const struct tracer_options recording = {.exact = exact};

	if (tracer_sizes(&recording, out))
		memset(out, 0, sizeof(*out));
}

static void print_memory(void)
{
	struct sizes sampled, exact;
	char bytes[2][UNITS_MAX], live[2][UNITS_MAX];

	sizes_read(false, &sampled);
	sizes_read(true, &exact);
	printf("Memory         record takes %s for %s live samples, --exact %s for %s live objects; see --memory\n",
	       units_bytes(bytes[0], sampled.bytes), units_count(live[0], sampled.live),
	       units_bytes(bytes[1], exact.bytes), units_count(live[1], exact.live));
}

static json_t *memory_json(bool exact)
{
	struct sizes s;

	sizes_read(exact, &s);
	return json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)s.bytes, "live_objects", (json_int_t)s.live, "stacks",
			 (json_int_t)1 << s.path_bits);
}

static void print_text(const struct host_facts *h, const struct kernel_facts *f, const struct plan *p)
{
	printf("Kernel         %s, %s, lockdown %s, virtualization %s\n", h->release, h->arch, f->lockdown,
	       h->virtualization);
	printf("BTF            %s\n", f->btf ? strerror(-f->btf) : "yes (/sys/kernel/btf/vmlinux)");
	printf("BPF programs   %s\n", f->bpf_load ? strerror(-f->bpf_load) : "may be loaded");
	printf("Symbols        kptr_restrict %d%s\n", f->kptr_restrict,
	       f->kptr_restrict == 2 ? ": hidden, call paths will have no names" : "");
	printf("slabinfo       %s\n", f->slabinfo ? "readable" : "not readable");
	printf("vmallocinfo    %s\n", f->vmallocinfo ? "readable" : "not readable");
	print_memory();
	printf("Capabilities  ");
	for (size_t i = 0; i < NR_CAPS; i++)
		printf(" %s%s", has_cap(f, caps[i].bit) ? "" : "no ", caps[i].name);
	printf("\n\n%-35s %-10s %-9s %s\n", "HOOK", "POOL", "HOW", "WHY NOT, AND WHAT IT COSTS");
	for (size_t i = 0; i < p->nr; i++) {
		const struct plan_hook *hook = &p->hooks[i];

		printf("%-35s %-10s %-9s", hook->def->name, pool_name(hook->def->pool),
		       hook->on ? hook->def->how : "off");
		if (!hook->on)
			printf(" %s: %s", hook->reason, hook->def->cost);
		printf("\n");
	}
	for (size_t i = 0; i < p->nr_notes; i++)
		printf("\nNote: %s", p->notes[i]);
	printf("\n%s%s\n", p->can_record ? "record would work here." : "record would NOT work here: ", p->refusal);
}

static json_t *hooks_json(const struct plan *p)
{
	json_t *hooks = json_array();

	for (size_t i = 0; i < p->nr; i++) {
		const struct plan_hook *hook = &p->hooks[i];

		json_array_append_new(hooks, json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "name", hook->def->name,
						       "pool", pool_name(hook->def->pool), "how",
						       hook->on ? hook->def->how : "", "attached", hook->on,
						       "reason", hook->reason, "cost",
						       hook->on ? "" : hook->def->cost));
	}
	return hooks;
}

static int print_json(const struct host_facts *h, const struct kernel_facts *f, const struct plan *p)
{
	json_t *capabilities = json_object(), *notes = json_array(), *root;

	for (size_t i = 0; i < NR_CAPS; i++)
		json_object_set_new(capabilities, caps[i].name, json_boolean(has_cap(f, caps[i].bit)));
	for (size_t i = 0; i < p->nr_notes; i++)
		json_array_append_new(notes, json_string(p->notes[i]));
	root = json_pack("{s:i, s:b, s:s, s:{s:s, s:s, s:s, s:s}, s:b, s:b, s:b, s:i, s:b, s:b, s:{s:o, s:o}, s:o, s:o, s:o}",
			 "schema", 1, "can_record", p->can_record, "refusal", p->refusal, "kernel", "release",
			 h->release, "arch", h->arch, "lockdown", f->lockdown, "virtualization", h->virtualization,
			 "btf", !f->btf, "bpf_load", !f->bpf_load, "cmpxchg", f->cmpxchg,
			 "kptr_restrict", f->kptr_restrict, "slabinfo", f->slabinfo, "vmallocinfo",
			 f->vmallocinfo, "memory", "sampled", memory_json(false), "exact", memory_json(true),
			 "capabilities", capabilities, "hooks", hooks_json(p), "notes", notes);
	if (!root)
		return log_error(ENOMEM, "out of memory");
	json_dumpf(root, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(root);
	return 0;
}

int cmd_doctor(int argc, char **argv)
{
	const struct argp argp = {options, parse_option, "", doc, NULL, NULL, NULL};
	struct plan_request request = {};
	struct kernel_facts facts;
	struct host_facts host = {};
	struct plan plan;
	int format = FORMAT_TEXT;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &format))
		return EXIT_USAGE;
	host_facts_read("/proc", "/sys", &host);
	kernel_facts_read("/proc", NULL, &facts);
	plan_build(&facts, &request, &plan);
	if (format == FORMAT_JSON) {
		if (print_json(&host, &facts, &plan))
			return EXIT_FAILED;
	} else {
		print_text(&host, &facts, &plan);
	}
	if (fflush(stdout) || ferror(stdout)) {
		log_error(errno, "cannot write the output (%s)", strerror(errno));
		return EXIT_FAILED;
	}
	return plan.can_record ? EXIT_OK : EXIT_FAILED;
}
