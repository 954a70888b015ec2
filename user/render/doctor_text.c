// SPDX-License-Identifier: GPL-2.0-only
/* Prints what `doctor` found as text: see doctor.h. Each section is a function, in the order of
 * printing. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "render/doctor.h"
#include "render/section.h"
#include "render/table.h"

/* The first screen has at most 40 lines: once LINES_FULL are printed, no hook is added. */
#define LINES_FULL   33
#define LACK_LINES   3 /* at most, of one hook that is off */
#define LACK_COLUMNS 70

static void doctor_memory(struct page *p, const struct doctor *d)
{
	char bytes[4][UNITS_MAX], live[2][UNITS_MAX];

	if (d->memory_why[0]) {
		page_paragraph(p, 2, "Memory: %s.", d->memory_why);
		return;
	}
	page_paragraph(p, 2,
		       "Memory: record takes %s for %s live samples, or %s with --exact for %s "
		       "live objects, and about %s for the process. At present, --memory may be at "
		       "most %s.",
		       units_bytes(bytes[0], d->sampled.bytes),
		       units_count(live[0], d->sampled.live), units_bytes(bytes[1], d->exact.bytes),
		       units_count(live[1], d->exact.live), units_bytes(bytes[2], d->process_bytes),
		       units_bytes(bytes[3], d->most_bytes));
}

static void doctor_capabilities(struct page *p, const struct doctor *d)
{
	struct page_words w;

	if (!page_words_begin(p, &w))
		return;
	fprintf(w.f, "Capabilities:");
	for (size_t i = 0; i < DOCTOR_CAPS; i++) {
		const struct doctor_capability *c = &d->capabilities[i];

		fprintf(w.f, "%s %s%s", i ? "," : "", c->has ? "" : "no ", c->name);
		if (!c->has)
			fprintf(w.f, " (%s)", c->use);
	}
	fputc('.', w.f);
	page_words_end(p, &w, 2);
}

/* Does `census` work? If record does not work for the same reason, it was said before. */
static void doctor_census(struct page *p, const struct doctor *d)
{
	if (d->census_refusal[0] && !d->can_record)
		page_paragraph(p, 2, "Census: would not work, either.");
	else if (d->census_refusal[0])
		page_paragraph(p, 2, "Census: would NOT work: %s.", d->census_refusal);
	else if (d->census_lacks[0])
		page_paragraph(p, 2,
			       "Census: would work, but this kernel does not mark pages of: %s.",
			       d->census_lacks);
	else
		page_paragraph(p, 2, "Census: would work, with all kinds of pages.");
}

/* Would a census recognise what the objects of slab caches are? */
static void doctor_kinds(struct page *p, const struct doctor *d)
{
	if (d->census_refusal[0])
		page_paragraph(p, 2,
			       "Kinds of objects: would not be recognised, since that is a part of "
			       "the census.");
	else if (!d->symbols.works)
		page_paragraph(p, 2,
			       "Kinds of objects: would be recognised only by what they point to, "
			       "without names of functions (see Symbols).");
	else
		page_paragraph(p, 2, "Kinds of objects: would be recognised.");
}

/* What the kernel itself may say of its allocations, and what would make it do so. */
static void doctor_records(struct page *p, const struct alloc_uses *uses)
{
	static const char *const sites[] = {
		[ALLOC_UNKNOWN] = "/proc/allocinfo is unknown",
		[ALLOC_ABSENT] = "/proc/allocinfo is not in this kernel",
		[ALLOC_OFF] =
			"/proc/allocinfo is off (sysctl vm.mem_profiling=1 counts what is allocated from then on)",
		[ALLOC_ON] = "/proc/allocinfo is on",
	};
	static const char *const pages[] = {
		[ALLOC_UNKNOWN] = "debugfs is not mounted, so page_owner is unknown",
		[ALLOC_ABSENT] =
			"page_owner is off or not in this kernel (boot with page_owner=on)",
		[ALLOC_OFF] = "page_owner is off (boot with page_owner=on)",
		[ALLOC_ON] = "page_owner is on",
	};
	static const char *const slabs[] = {
		[ALLOC_UNKNOWN] = "and so are alloc_traces of slab caches",
		[ALLOC_ABSENT] = "alloc_traces of slab caches are not in this kernel",
		[ALLOC_OFF] = "alloc_traces of slab caches are off (boot with slub_debug=U)",
		[ALLOC_ON] = "alloc_traces of slab caches are on",
	};

	page_paragraph(p, 2, "The kernel's own records: %s; %s%s%s.", sites[uses->sites],
		       pages[uses->pages], uses->slabs == ALLOC_UNKNOWN ? ", " : "; ",
		       slabs[uses->slabs]);
}

static void doctor_host(struct page *p, const struct doctor *d)
{
	char restrict_[32] = "unknown";

	if (d->kptr_restrict >= 0)
		snprintf(restrict_, sizeof(restrict_), "%d", d->kptr_restrict);
	page_heading(p, PAGE_BOLD, "HOST");
	page_paragraph(p, 2, "Kernel: %s, %s, lockdown %s, virtualization %s.", d->release, d->arch,
		       d->lockdown, d->virtualization);
	page_paragraph(p, 2, "BTF: %s (%s).", d->btf.words, d->btf_path);
	page_paragraph(p, 2, "BPF programs: %s.", d->bpf_load.words);
	page_paragraph(p, 2, "Symbols: %s (kptr_restrict %s).", d->symbols.words, restrict_);
	page_paragraph(p, 2, "slabinfo %s, vmallocinfo %s.",
		       d->slabinfo ? "readable" : "not readable",
		       d->vmallocinfo ? "readable" : "not readable");
	if (d->counters_missing[0])
		page_paragraph(
			p, 2, "Not readable: %s. Reports lack these counts beside the slab caches.",
			d->counters_missing);
	if (!d->bpf_objects)
		page_paragraph(p, 2,
			       "BPF maps and programs of the machine cannot be listed: that takes "
			       "CAP_SYS_ADMIN.");
	doctor_census(p, d);
	doctor_kinds(p, d);
	doctor_records(p, &d->alloc_uses);
	doctor_memory(p, d);
	doctor_capabilities(p, d);
}

static void doctor_hooks(struct page *p, const struct doctor *d)
{
	static const struct table_column columns[] = {
		{"hook", 0, false}, {"pool", 0, false}, {"how", 0, false}};
	struct table table = TABLE_INIT(p, columns);

	page_heading(p, PAGE_BOLD, "HOOKS");
	for (size_t i = 0; i < d->nr_hooks; i++) {
		const struct doctor_hook *hook = &d->hooks[i];

		table_words(&table, "%s", hook->name);
		table_words(&table, "%s", pool_name(hook->pool));
		table_words(&table, "%s", hook->attached ? hook->how : "off");
	}
	table_print(&table);
}

/* A document that is made in memory, so that its lines can be counted. */
struct doctor_screen {
	struct page page;
	char *text;
	size_t size;
};

static size_t lines_printed(struct doctor_screen *s)
{
	size_t lines = 0;

	fflush(s->page.out);
	for (const char *at = s->text; (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

/* One thing that reports lack. Returns false if the screen is full. */
static bool doctor_lack(struct doctor_screen *s, bool all, const char *words)
{
	if (!all && lines_printed(s) >= LINES_FULL)
		return false;
	page_paragraph(&s->page, 2, "%s",
		       all ? words : page_fit(&s->page, words, LACK_LINES * LACK_COLUMNS));
	return true;
}

/* Notes, which concern the whole recording, and hooks that are off. Unless `all` are asked for,
 * only as many as fit the screen. */
static void doctor_lacks(struct doctor_screen *s, const struct doctor *d, bool all)
{
	size_t left = 0;

	if (!d->hooks_off && !d->nr_notes)
		return;
	page_heading(&s->page, PAGE_BOLD, "HOOKS THAT ARE OFF, AND WHAT REPORTS THEN LACK");
	for (size_t i = 0; i < d->nr_notes + d->nr_hooks; i++) {
		const struct doctor_hook *h = i < d->nr_notes ? NULL : &d->hooks[i - d->nr_notes];
		char words[1024];

		if (h && h->attached)
			continue;
		if (h)
			snprintf(words, sizeof(words), "%s: %s; %s.", h->name, h->reason, h->cost);
		else
			snprintf(words, sizeof(words), "Note: %s", d->notes[i]);
		left += left || !doctor_lack(s, all, words);
	}
	if (left)
		page_paragraph(&s->page, 2, "%zu more: --show hooks", left);
}

/* The answer, before everything that explains it. */
static void doctor_answer(struct page *p, const struct doctor *d)
{
	const struct page_label no = {"NO", PAGE_RED, SIZE_MAX}, yes = {"YES", PAGE_BOLD, 2};

	if (!d->can_record)
		page_item(p, &no, "record would NOT work here: %s.", d->refusal);
	else if (d->hooks_off)
		page_item(
			p, &yes,
			"record would work here. %zu of %zu hooks are off: see below what reports then lack.",
			d->hooks_off, d->nr_hooks);
	else
		page_item(p, &yes, "record would work here, with all %zu hooks.", d->nr_hooks);
}

static const char *const doctor_section_names[] = {"hooks"};
#define NR_DOCTOR_SECTIONS (sizeof(doctor_section_names) / sizeof(doctor_section_names[0]))

unsigned int doctor_section_parse(const char *name, size_t len)
{
	return section_bit(doctor_section_names, NR_DOCTOR_SECTIONS, name, len);
}

int doctor_text(const struct doctor *d, const struct doctor_options *options, FILE *out)
{
	struct doctor_screen s = {.text = NULL};
	FILE *mem = open_memstream(&s.text, &s.size);
	int err;

	if (!mem)
		return -ENOMEM;
	page_begin(&s.page, mem, options->colour, options->utf8);
	doctor_answer(&s.page, d);
	doctor_host(&s.page, d);
	if (options->sections)
		doctor_hooks(&s.page, d);
	doctor_lacks(&s, d, options->sections);
	if (!options->sections)
		section_more(&s.page, doctor_section_names, NR_DOCTOR_SECTIONS);
	err = page_end(&s.page);
	if (fclose(mem))
		err = -ENOMEM;
	if (!err)
		fputs(s.text, out);
	free(s.text);
	return err;
}
