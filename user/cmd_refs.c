// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace refs`: shows what points to objects of a slab cache. Options and wiring only. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "args.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/privileges.h"
#include "cmd.h"
#include "findings/refs_findings.h"
#include "output.h"
#include "render/refs.h"
#include "trace/census.h"
#include "trace/refs.h"

struct refs_args {
	struct refs_options options;
	const char *btf_path;
	size_t top;
	bool json;
};

enum {
	OPT_REFS_BTF = 256,
	OPT_REFS_BUDGET,
	OPT_REFS_OBJECTS,
	OPT_REFS_CACHE,
	OPT_REFS_CPUS,
	OPT_REFS_LEVELS
};

#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x)

static const struct argp_option options[] = {
	{"cache", OPT_REFS_CACHE, "NAME", 0, "The slab cache; `kmemtrace census` lists them", 0},
	{"objects", OPT_REFS_OBJECTS, "N", 0,
	 "Look for pointers to N objects of it, drawn at random (default " STRINGIFY(
		 REFS_OBJECTS) ", which tells shares to within 5%; at most " STRINGIFY(REFS_OBJECTS_MOST) ")",
	 0},
	{"refs-cpus", OPT_REFS_CPUS, "N", 0,
	 "Scan on N CPUs at the same time (default: one for every 64 GiB of memory, and at most "
	 "half of the CPUs)",
	 0},
	{"refs-budget", OPT_REFS_BUDGET, "TIME", 0,
	 "Use at most about this much CPU time (default 10s, at most 1h). If that is too "
	 "short to scan all memory of the kernel, there is no verdict",
	 0},
	{"levels", OPT_REFS_LEVELS, "N", 0,
	 "To find holders, follow pointers back N steps from the objects at most (default " STRINGIFY(
		 REFS_LEVELS) ", at most " STRINGIFY(REFS_LEVELS_MOST) "); each step is one more scan",
	 0},
	{"format", 'f', "FORMAT", 0, "text (default) or json", 0},
	{"top", 'n', "N", 0, "Print N holders and N referrers (default 10; 0: all)", 0},
	{"btf", OPT_REFS_BTF, "FILE", 0,
	 "Read this kernel's types from FILE if this kernel has no BTF of its own", 0},
	{"verbose", 'v', NULL, 0, "Say what is done", 0},
	{0},
};

static const char doc[] =
	"Show what in the kernel points to objects of a slab cache, and whether nothing does, which "
	"is what a leak is. Scans all memory of the kernel twice, a few seconds apart, for pointers "
	"to a sample of the objects. Traces nothing, changes nothing, and works on objects that "
	"were allocated at any time. Needs root.\v"
	"Examples:\n"
	"  sudo kmemtrace refs --cache filp                  what holds open files\n"
	"  sudo kmemtrace refs --cache kmalloc-512           is it a leak?\n"
	"  sudo kmemtrace refs --cache dentry --format json | jq .refs.verdict\n";

static uint32_t refs_number_parse(struct argp_state *state, const char *option, const char *arg,
				  uint32_t least, uint32_t most)
{
	char *end;
	unsigned long nr;

	errno = 0;
	nr = strtoul(arg, &end, 10);
	if (errno || *end || arg[0] < '0' || arg[0] > '9' || nr < least || nr > most)
		argp_error(state, "invalid %s '%s': give a number from %u to %u", option, arg,
			   least, most);
	return (uint32_t)nr;
}

static error_t refs_parse_option(int key, char *arg, struct argp_state *state)
{
	struct refs_args *args = state->input;

	switch (key) {
	case OPT_REFS_CACHE:
		args->options.cache = arg;
		return 0;
	case OPT_REFS_OBJECTS:
		args->options.objects =
			refs_number_parse(state, "--objects", arg, 1, REFS_OBJECTS_MOST);
		return 0;
	case OPT_REFS_CPUS:
		args->options.threads =
			refs_number_parse(state, "--refs-cpus", arg, 1, REFS_THREADS_MOST);
		return 0;
	case OPT_REFS_LEVELS:
		args->options.levels =
			refs_number_parse(state, "--levels", arg, 0, REFS_LEVELS_MOST);
		return 0;
	case OPT_REFS_BUDGET:
		args->options.budget_s = args_refs_budget(state, "--refs-budget", arg);
		return 0;
	case OPT_REFS_BTF:
		args->btf_path = arg;
		return 0;
	case 'f':
		args->json = args_json(state, arg);
		return 0;
	case 'n':
		args->top = args_top(state, arg);
		return 0;
	case 'v':
		log_verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state,
			   "refs takes no arguments, but '%s' was given: name a slab cache "
			   "by --cache",
			   arg);
		return EINVAL;
	case ARGP_KEY_END:
		if (!args->options.cache)
			argp_error(state, "name a slab cache by --cache, such as --cache filp");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct refs_rendering {
	const struct refs_document *document;
	const struct refs_args *args;
};

static int refs_render(const void *arg, FILE *out)
{
	const struct refs_rendering *what = arg;
	const struct refs_text_options show = {
		.rows = what->args->top, .colour = output_wants_colour(), .utf8 = output_is_utf8()};

	return what->args->json ? refs_json(what->document, out)
				: refs_text(what->document, &show, out);
}

/* Look at this machine. Returns 0, or −errno after printing the reason. */
static int refs_of_host(const struct refs_args *args, struct refs *out)
{
	const struct plan_request everything = {};
	struct kernel_facts facts;
	struct plan plan;
	char why[CENSUS_WHY_MAX];

	kernel_facts_read("/proc", args->btf_path, &facts);
	if (census_refusal(&facts, why)[0])
		return log_error(EPERM, "cannot look for references: %s", why);
	plan_build(&facts, &everything, &plan);
	return refs_take(&plan, &args->options, out);
}

static int refs_print(const struct refs *refs, const struct refs_args *args)
{
	_cleanup_(findings_free) struct findings findings = {0};
	struct refs_sheet sheet;
	struct utsname uts = {0};
	struct refs_document document = {.sheet = &sheet, .findings = &findings, .kernel = ""};

	if (!uname(&uts))
		document.kernel = uts.release;
	refs_sheet_build(refs, &sheet);
	refs_findings(&sheet, &findings);
	if (findings.failed)
		return log_error(ENOMEM, "not enough memory for the references");
	return output_document("references", refs_render,
			       &(struct refs_rendering){.document = &document, .args = args});
}

int cmd_refs(int argc, char **argv)
{
	const struct argp argp = {.options = options,
				  .parser = refs_parse_option,
				  .doc = doc,
				  .children = args_document};
	struct refs_args args = {.options = {.objects = REFS_OBJECTS,
					     .budget_s = REFS_BUDGET_S,
					     .levels = REFS_LEVELS},
				 .top = 10};
	_cleanup_(refs_free) struct refs refs = {0};
	int err;

	if (args_parse(&argp, 0, argc, argv, &args))
		return EXIT_USAGE;
	if (!args.top)
		args.top = SIZE_MAX;
	err = refs_of_host(&args, &refs);
	privileges_keep_none();
	return err || refs_print(&refs, &args) ? EXIT_FAILED : EXIT_OK;
}
