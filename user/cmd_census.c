// SPDX-License-Identifier: GPL-2.0-only
/* `kmemtrace census`: counts page by page what memory is used for. Options and wiring only. */
#include <argp.h>
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "args.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/units.h"
#include "capture/capture.h"
#include "cmd.h"
#include "findings/census_findings.h"
#include "model/census.h"
#include "model/likeness.h"
#include "output.h"
#include "proc/alloc_records.h"
#include "record/census_capture.h"
#include "render/census.h"
#include "trace/bpf_objects.h"
#include "trace/census.h"

struct census_args {
	const char *btf_path;
	double budget_s;
	bool names, traces;
	bool json, format_given, show_given;
	unsigned int sections; /* of --show, as bits */
	const char *output;    /* the capture of -o; NULL: print the census */
	const char *like;      /* the capture of --like; NULL: none */
	bool overwrite;
};

enum { OPT_BTF = 256, OPT_NAMES, OPT_BUDGET, OPT_FORCE, OPT_LIKE, OPT_TRACES };

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0, "text (default) or json", 0},
	{"show", 's', "SECTIONS", 0,
	 "Also print these sections, separated by commas: " CENSUS_SECTION_WORDS, 0},
	{"output", 'o', "FILE", 0,
	 "Print nothing, and keep the census as a capture in FILE, for report, diff and balance",
	 0},
	{"force", OPT_FORCE, NULL, 0, "Overwrite an existing capture", 0},
	{"like", OPT_LIKE, "FILE", 0,
	 "Name the call paths that allocated similar objects in the recording FILE", 0},
	{"census-budget", OPT_BUDGET, "TIME", 0, ARGS_CENSUS_BUDGET_HELP, 0},
	{"btf", OPT_BTF, "FILE", 0,
	 "Read this kernel's types from FILE if this kernel has no BTF of its own", 0},
	{"names", OPT_NAMES, NULL, 0,
	 "Name the directories that most dentries are in, and the paths that most open files, Unix "
	 "sockets and mounts have; without this, no name of a file or directory is read",
	 0},
	{"traces", OPT_TRACES, NULL, 0,
	 "Also read the call paths that the kernel itself keeps, if it was booted with "
	 "page_owner=on or slub_debug=U; this keeps CPUs busy for some seconds",
	 0},
	{"verbose", 'v', NULL, 0, "Say what is done", 0},
	{0},
};

static const char doc[] =
	"Count page by page what the memory of this machine is used for, and compare the sums with "
	"/proc/meminfo. Traces nothing, changes nothing, and works on memory that was allocated at "
	"any time. Needs root.\v"
	"Examples:\n"
	"  sudo kmemtrace census                       where memory is now\n"
	"  sudo kmemtrace census --census-budget 50ms  the same, in less time\n"
	"  sudo kmemtrace census -o before.kmt         keep it, to compare it later\n"
	"  sudo kmemtrace census --like good.kmt       what allocated similar objects\n"
	"  sudo kmemtrace census --format json | jq '.census.pages[] | [.class, .kb]'\n";

static error_t census_parse_option(int key, char *arg, struct argp_state *state)
{
	struct census_args *args = state->input;

	switch (key) {
	case 'f':
		args->json = args_json(state, arg);
		args->format_given = true;
		return 0;
	case 's':
		args->sections |=
			args_sections(state, arg, census_section_parse, CENSUS_SECTION_WORDS);
		args->show_given = true;
		return 0;
	case 'v':
		log_verbose = true;
		return 0;
	case OPT_BUDGET:
		args->budget_s = args_census_budget(state, arg);
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case OPT_LIKE:
		args->like = arg;
		return 0;
	case OPT_FORCE:
		args->overwrite = true;
		return 0;
	case OPT_NAMES:
		args->names = true;
		args->sections |= census_section_parse("lenses", strlen("lenses"));
		return 0;
	case OPT_TRACES:
		args->traces = true;
		args->sections |= census_section_parse("sites", strlen("sites"));
		return 0;
	case OPT_BTF:
		args->btf_path = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "census takes no arguments, but '%s' was given", arg);
		return EINVAL;
	case ARGP_KEY_END:
		if (args->output && (args->format_given || args->show_given))
			argp_error(state,
				   "--output writes a capture: give %s to `kmemtrace report %s`",
				   args->format_given ? "--format" : "--show", args->output);
		if (args->output && args->like)
			argp_error(state, "--like cannot be used with --output: leave one of them "
					  "out");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct census_rendering {
	const struct census_document *document;
	const struct census_args *args;
};

static int census_render(const void *arg, FILE *out)
{
	const struct census_rendering *what = arg;
	const struct census_text_options show = {.sections = what->args->sections,
						 .colour = output_wants_colour(),
						 .utf8 = output_is_utf8()};

	return what->args->json ? census_json(what->document, out)
				: census_text(what->document, &show, out);
}

/* The BPF objects, before the census makes some of its own. It is complete without them. */
static void bpf_read_all(struct bpf_objects *out)
{
	int err = bpf_objects_read((int)getpid(), out);

	if (err)
		log_debug("the BPF objects of this machine are not known (%s)", strerror(-err));
}

/* With --traces, say what this kernel does not have. */
static void traces_miss(const struct census *c)
{
	struct alloc_uses uses;

	if (alloc_source_get(&c->records, ALLOC_PAGES) ||
	    alloc_source_get(&c->records, ALLOC_SLABS))
		return;
	alloc_uses_read("/proc", "/sys", &uses);
	if (uses.pages == ALLOC_UNKNOWN)
		log_warn("the kernel's call paths are in debugfs, which is not mounted: "
			 "mount -t debugfs debugfs /sys/kernel/debug");
	else
		log_warn("this kernel keeps no call paths: that takes page_owner=on (if it was "
			 "built with CONFIG_PAGE_OWNER) or slub_debug=U when it boots");
}

/* Take the census of this machine. Returns 0, or −errno after printing the reason. */
static int take(const struct census_args *args, struct census *out)
{
	const struct plan_request everything = {};
	struct kernel_facts facts;
	const struct census_options how = {.budget_s = args->budget_s,
					   .names = args->names,
					   .traces = args->traces,
					   .lenses = true,
					   .kinds = true};
	struct bpf_objects bpf = {0};
	struct plan plan;
	char why[CENSUS_WHY_MAX];
	int err;

	kernel_facts_read("/proc", args->btf_path, &facts);
	if (census_refusal(&facts, why)[0])
		return log_error(EPERM, "no census: %s", why);
	plan_build(&facts, &everything, &plan);
	if (!args->output) /* a capture reads BPF objects itself */
		bpf_read_all(&bpf);
	err = census_take(&plan, &how, out);
	if (err) {
		bpf_objects_free(&bpf);
		return err;
	}
	if (args->traces)
		traces_miss(out);
	out->after.bpf = bpf.levels;
	out->after.bpf_holders = bpf.holders;
	return 0;
}

/* Keep it as a capture. */
static int keep(const struct census *census, const struct census_args *args)
{
	int err = census_capture_write(args->output, args->overwrite, census);

	if (!err)
		log_info("wrote %s; read it with: %s report --show census %s", args->output,
			 program_invocation_name, args->output);
	return err;
}

/* Read the capture of --like; *out stays NULL without one. Returns 0, or −errno after printing why.
 */
static int taught_read(const struct census_args *args, struct capture **out)
{
	_cleanup_capture_ struct capture *c = NULL;
	int err = args->like ? capture_read(args->like, &c) : 0;

	if (err)
		return err;
	if (c && !likeness_learned(c))
		return log_error(ENODATA,
				 "%s does not say what kinds of objects call paths allocate: make "
				 "a new recording with `sudo kmemtrace record -d 180 -o FILE`, "
				 "without --no-census",
				 args->like);
	*out = TAKE_PTR(c);
	return 0;
}

static int print(const struct census *census, const struct capture *taught,
		 const struct census_args *args)
{
	_cleanup_(likeness_free) struct likeness like = {0};
	_cleanup_(findings_free) struct findings findings = {0};
	_cleanup_(census_sheet_free) struct census_sheet sheet = {0};
	_cleanup_(bpf_use_free) struct bpf_use bpf = {0};
	struct utsname uts = {0};
	struct census_document document = {.sheet = &sheet,
					   .like = taught ? &like : NULL,
					   .bpf = &bpf,
					   .findings = &findings,
					   .kernel = ""};

	if (!uname(&uts))
		document.kernel = uts.release;
	if (census_sheet_build(census, &sheet) || bpf_use_build(NULL, &census->after, &bpf) ||
	    (taught && likeness_build(&sheet, taught, &like)))
		findings.failed = true;
	else
		census_findings(&sheet, &findings);
	if (findings.failed)
		return log_error(ENOMEM, "not enough memory for the census");
	return output_document("census", census_render,
			       &(struct census_rendering){.document = &document, .args = args});
}

int cmd_census(int argc, char **argv)
{
	const struct argp argp = {.options = options,
				  .parser = census_parse_option,
				  .doc = doc,
				  .children = args_document};
	_cleanup_(census_free) struct census census = {0};
	_cleanup_capture_ struct capture *taught = NULL;
	struct census_args args = {.budget_s = CENSUS_BUDGET_S};
	int err;

	if (args_parse(&argp, 0, argc, argv, &args))
		return EXIT_USAGE;
	err = take(&args, &census);
	if (!err && args.output)
		return keep(&census, &args) ? EXIT_FAILED : EXIT_OK;
	/* the capture may belong to somebody else: read it with no more than that needs */
	privileges_keep_for(&args.like, 1);
	err = err ?: taught_read(&args, &taught);
	privileges_keep_none();
	err = err || print(&census, taught, &args);
	return err ? EXIT_FAILED : EXIT_OK;
}
