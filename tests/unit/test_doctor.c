// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `doctor` prints for a host on which this test never ran. What a user would lose: the reason
 * why something cannot be traced, or why nothing can be recorded.
 */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/capability.h>

#include "render/doctor.h"
#include "trace/doctor.h"

static const struct hook_def kmalloc = {.name = "kmem:kmalloc", .pool = POOL_SLAB, .how = "raw_tp"};
static const struct hook_def vmap = {.name = "vmalloc:alloc_vmap_area",
				     .pool = POOL_VMALLOC,
				     .how = "raw_tp",
				     .cost = "vmalloc is not traced"};

/* A host with one of two hooks attached, and only CAP_BPF. */
static void facts_fill(struct doctor_facts *f)
{
	*f = (struct doctor_facts){
		.host = {.release = "6.1.0", .arch = "arm64", .virtualization = "none"},
		.kernel = {.lockdown = "integrity",
			   .kptr_restrict = 2,
			   .symbols = -EPERM,
			   .btf = -EINVAL,
			   .slabinfo = true,
			   .counters_missing = "sys/fs/file-nr",
			   .caps = 1ull << CAP_BPF},
		.plan = {.hooks = {{.def = &kmalloc, .on = true},
				   {.def = &vmap, .reason = "this kernel has no event"}},
			 .nr = 2,
			 .can_record = true,
			 .notes = {"Call paths have no names."},
			 .nr_notes = 1},
		.sampled = {.bytes = 1 << 20, .live = 1000, .stack_bits = 10},
		.exact = {.bytes = 4 << 20, .live = 4000, .stack_bits = 12, .most = 64 << 20},
	};
}

static char *print_sections(const struct doctor *d, bool json, unsigned int sections)
{
	const struct doctor_options o = {.sections = sections, .utf8 = true};
	char *document = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&document, &size);

	assert_int_equal(json ? doctor_json(d, f) : doctor_text(d, &o, f), 0);
	assert_int_equal(fclose(f), 0);
	return document;
}

static char *print(const struct doctor *d, bool json)
{
	return print_sections(d, json, doctor_section_parse("all", 3));
}

/* Join the lines of each paragraph. */
static void unwrap(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (!strncmp(from, "\n  ", 3)) {
			*to++ = ' ';
			from += 2;
		} else if (*from != ' ' || to == text || to[-1] != ' ') { /* one blank */
			*to++ = *from;
		}
	*to = '\0';
}

static void what_is_off_is_printed_with_its_reason_and_its_cost(void **state)
{
	static const char *const words[] = {
		"Kernel: 6.1.0, arm64, lockdown integrity, virtualization none.",
		"BTF: unknown format (/sys/kernel/btf/vmlinux).",
		"BPF programs: may be loaded.",
		"Symbols: hidden: call paths will have no names (kptr_restrict 2).",
		"slabinfo readable, vmallocinfo not readable.",
		"Not readable: sys/fs/file-nr. Reports lack these counts",
		"BPF maps and programs of the machine cannot be listed",
		"no CAP_SYSLOG (see symbol addresses)",
		", CAP_BPF,",
		"vmalloc:alloc_vmap_area vmalloc off",
		"vmalloc:alloc_vmap_area: this kernel has no event; vmalloc is not traced.",
		"Note: Call paths have no names.",
		"YES record would work here. 1 of",
	};
	struct doctor_facts facts;
	struct doctor d;
	char *text;

	(void)state;
	facts_fill(&facts);
	doctor_build(&facts, &d);
	assert_true(d.can_record);
	assert_int_equal(d.hooks_off, 1);
	text = print(&d, false);
	unwrap(text);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strstr(text, words[i]))
			fail_msg("'%s' is not in:\n%s", words[i], text);
	free(text);
}

/* The plan would work, but there is no memory for its tables. */
static void a_host_without_room_cannot_record(void **state)
{
	struct doctor_facts facts;
	struct doctor d;
	json_t *j;
	char *text;

	(void)state;
	facts_fill(&facts);
	strcpy(facts.memory_why, "there is no room: free some");
	doctor_build(&facts, &d);
	assert_false(d.can_record);
	text = print(&d, false);
	assert_non_null(strstr(text, "Memory: there is no room: free some.\n"));
	unwrap(text);
	assert_non_null(
		strstr(text, "NO record would NOT work here: there is no room: free some."));
	free(text);

	text = print(&d, true);
	j = json_loads(text, 0, NULL);
	assert_true(json_is_false(json_object_get(j, "can_record")));
	assert_string_equal(json_string_value(json_object_get(j, "refusal")),
			    "there is no room: free some");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(j, "hooks"), 1), "cost")),
			    "vmalloc is not traced");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(j, "hooks"), 0), "how")),
			    "raw_tp");
	json_decref(j);
	free(text);

	/* The refusal of the plan comes first. */
	facts.plan.can_record = false;
	strcpy(facts.plan.refusal, "run as root");
	doctor_build(&facts, &d);
	assert_string_equal(d.refusal, "run as root");
}

/* However much is off, the answer comes first, and all fits a terminal of 40 lines; the rest is
 * counted, and --show prints it. */
static void the_first_screen_of_doctor_fits_a_terminal(void **state)
{
	struct doctor_facts facts;
	struct doctor d;

	(void)state;
	facts_fill(&facts);
	facts.kernel.slabinfo = false;
	doctor_build(&facts, &d);
	d.counters_missing = "sys/fs/file-nr, sys/fs/inode-nr, sys/fs/dentry-state, net/sockstat, "
			     "net/sockstat6, key-users, sys/net/netfilter/nf_conntrack_count";
	for (size_t off = 0; off <= DOCTOR_HOOKS_MAX; off += DOCTOR_HOOKS_MAX / 4) {
		size_t lines = 0, column = 0, shown = 0;
		char *text, *more, *all;

		d.nr_hooks = d.hooks_off = off;
		for (size_t i = 0; i < off; i++)
			d.hooks[i] = (struct doctor_hook){
				.name = "some_subsystem:some_tracepoint_of_it",
				.reason =
					"the kernel refuses fentry, and this goes on for longer "
					"than the words for any reason do until now, so that it "
					"takes more than three lines of a terminal, which is much "
					"more than a person wants to read about one hook",
				.cost = "reports lack it"};
		text = print_sections(&d, false, 0);
		all = print(&d, false);
		assert_int_equal(strncmp(text, "YES ", 4), 0);
		for (const char *p = text; *p; p++) {
			column = *p == '\n' ? 0 : column + ((*p & 0xc0) != 0x80);
			assert_true(column <= 80);
			lines += *p == '\n';
		}
		assert_true(lines <= 40);
		for (const char *p = text; (p = strstr(p, "some_subsystem:")); p++)
			shown++;
		more = strstr(text, " more: --show hooks");
		assert_int_equal(more != NULL, shown < off);
		while (more && more > text && more[-1] != ' ')
			more--;
		if (more)
			assert_int_equal(strtoul(more, NULL, 10), off - shown);
		shown = 0; /* the whole list has each of them, in the table and below it */
		for (const char *p = all; (p = strstr(p, "some_subsystem:")); p++)
			shown++;
		assert_int_equal(shown, 2 * off);
		assert_null(strstr(all, "more: --show"));
		free(text);
		free(all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_off_is_printed_with_its_reason_and_its_cost),
		cmocka_unit_test(the_first_screen_of_doctor_fits_a_terminal),
		cmocka_unit_test(a_host_without_room_cannot_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
