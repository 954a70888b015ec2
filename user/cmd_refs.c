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
#include "refs_target.h"
#include "render/refs.h"
#include "trace/census.h"
#include "trace/refs.h"

struct refs_args {
	struct refs_options options;
	struct refs_target target;
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
	OPT_REFS_LEVELS,
	OPT_REFS_KIND,
	OPT_REFS_PATH
};

#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x)

static const struct argp_option options[] = {
	{"cache", OPT_REFS_CACHE, "NAME", 0, "The slab cache; `kmemtrace census` lists them", 0},
	{"kind", OPT_REFS_KIND, "KIND", 0,
	 "With --cache: only objects that look like this kind, as a census finds them. KIND is a "
	 "type, such as timerfd_ctx, or a number: 1 is the most frequent kind of the cache",
	 0},
	{"path", OPT_REFS_PATH, "RANK", 0,
	 "Instead of --cache: objects like those that call path RANK of the capture FILE holds "
	 "(1: the largest). It takes the cache of the path, and of this the kinds that the "
	 "recording learned of it",
	 0},
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
	"  sudo kmemtrace refs --cache kmalloc-256 --kind timerfd_ctx\n"
	"  sudo kmemtrace refs --path 1 now.kmt              like those of call path #1\n"
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

/* Is it clear which objects are meant? */
static void refs_check_args(struct argp_state *state, const struct refs_args *args)
{
	const struct refs_target *t = &args->target;

	if (t->rank && !t->file)
		argp_error(state, "name the capture of --path, such as --path 1 now.kmt");
	if (!t->rank && t->file)
		argp_error(state,
			   "refs takes a capture only with --path, but '%s' was given: name a "
			   "slab cache by --cache, or a call path of the capture by --path 1",
			   t->file);
	if (t->rank && (args->options.cache || t->kind))
		argp_error(state, "--path cannot be combined with --cache or --kind: it takes "
				  "cache and kind of the call path");
	if (!t->rank && !args->options.cache)
		argp_error(state, "name a slab cache by --cache, such as --cache filp");
	if (t->kind && (!t->kind[0] || !strcmp(t->kind, "0")))
		argp_error(state,
			   "invalid --kind '%s': give a type, such as timerfd_ctx, or a "
			   "number from 1",
			   t->kind);
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
	case OPT_REFS_KIND:
		args->target.kind = arg;
		return 0;
	case OPT_REFS_PATH:
		args->target.rank = refs_number_parse(state, "--path", arg, 1, UINT32_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (args->target.file)
			argp_error(state, "one capture is enough, but '%s' and '%s' were given",
				   args->target.file, arg);
		args->target.file = arg;
		return 0;
	case ARGP_KEY_END:
		refs_check_args(state, args);
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

static void refs_target_closed(struct refs_target **t)
{
	refs_target_close(*t);
}

int cmd_refs(int argc, char **argv)
{
	const struct argp argp = {.options = options,
				  .parser = refs_parse_option,
				  .args_doc = "[FILE]",
				  .doc = doc,
				  .children = args_document};
	struct refs_args args = {.options = {.objects = REFS_OBJECTS,
					     .budget_s = REFS_BUDGET_S,
					     .levels = REFS_LEVELS},
				 .top = 10};
	_cleanup_(refs_free) struct refs refs = {0};
	_cleanup_(refs_target_closed) struct refs_target *target = &args.target;
	int err;

	if (args_parse(&argp, 0, argc, argv, &args))
		return EXIT_USAGE;
	if (!args.top)
		args.top = SIZE_MAX;
	err = refs_target_open(target, &args.options);
	err = err ?: refs_of_host(&args, &refs);
	privileges_keep_none();
	if (!err)
		refs_target_tell(target, &refs);
	return err || refs_print(&refs, &args) ? EXIT_FAILED : EXIT_OK;
}
