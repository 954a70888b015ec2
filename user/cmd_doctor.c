// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace doctor`: shows what can be traced on this kernel, from the plan that `record` uses.
 * Options and wiring only. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "args.h"
#include "base/privileges.h"
#include "cmd.h"
#include "output.h"
#include "proc/host.h"
#include "render/doctor.h"
#include "trace/census.h"
#include "trace/doctor.h"
#include "trace/tracer.h"

struct doctor_args {
	const char *btf_path;
	bool json;
	unsigned int sections; /* of --show */
};

enum { OPT_BTF = 256 };

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0, "text (default) or json", 0},
	{"show", 's', "SECTIONS", 0,
	 "Also print this section: " DOCTOR_SECTION_WORDS " (how each hook attaches)", 0},
	{"btf", OPT_BTF, "FILE", 0,
	 "Read this kernel's types from FILE if this kernel has no BTF of its own", 0},
	{0},
};

static const char doc[] =
	"Show what kmemtrace can trace on this kernel, how each hook attaches, and what a report "
	"lacks if a hook cannot be attached.\v"
	"Examples:\n"
	"  sudo kmemtrace doctor                  run it before the first recording\n"
	"  sudo kmemtrace doctor --show all       also how each hook attaches\n"
	"  sudo kmemtrace doctor --format json    for scripts\n\n"
	"Exit status: 0 if `record` would work here, 1 if it would not.";

static error_t doctor_parse_option(int key, char *arg, struct argp_state *state)
{
	struct doctor_args *args = state->input;

	switch (key) {
	case 'f':
		args->json = args_json(state, arg);
		return 0;
	case 's':
		args->sections |=
			args_sections(state, arg, doctor_section_parse, DOCTOR_SECTION_WORDS);
		return 0;
	case OPT_BTF:
		args->btf_path = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "doctor takes no arguments, but '%s' was given", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Read the size of the tables with default options, or why there is no memory for them. */
static void sizes_read(struct doctor_facts *f)
{
	const struct tracer_options sampled = {.exact = false}, exact = {.exact = true};
	int err = tracer_sizes(&exact, &f->exact, f->memory_why);

	err = tracer_sizes(&sampled, &f->sampled, f->memory_why) ?: err;
	if (!err)
		f->memory_why[0] = '\0';
}

struct doctor_rendering {
	const struct doctor *d;
	const struct doctor_args *args;
};

static int doctor_render(const void *arg, FILE *out)
{
	const struct doctor_rendering *what = arg;

	const struct doctor_options show = {.sections = what->args->sections,
					    .colour = output_wants_colour(),
					    .utf8 = output_is_utf8()};

	return what->args->json ? doctor_json(what->d, out) : doctor_text(what->d, &show, out);
}

/* Ask uname(2) if /proc cannot be read. */
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
	const struct argp argp = {.options = options,
				  .parser = doctor_parse_option,
				  .doc = doc,
				  .children = args_document};
	const struct plan_request everything = {};
	struct doctor_args args = {};
	struct doctor_facts facts = {};
	struct doctor d;

	if (args_parse(&argp, 0, argc, argv, &args))
		return EXIT_USAGE;
	if (host_facts_read("/proc", "/sys", &facts.host))
		host_fallback(&facts.host);
	kernel_facts_read("/proc", args.btf_path, &facts.kernel);
	plan_build(&facts.kernel, &everything, &facts.plan);
	census_refusal(&facts.kernel, facts.census_why);
	sizes_read(&facts);
	privileges_keep_none();
	doctor_build(&facts, &d);
	if (output_document("plan", doctor_render,
			    &(struct doctor_rendering){.d = &d, .args = &args}))
		return EXIT_FAILED;
	return d.can_record ? EXIT_OK : EXIT_FAILED;
}
