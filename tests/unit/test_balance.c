// SPDX-License-Identifier: GPL-2.0-only
/*
 * The balance sheet: every byte of MemTotal is in exactly one line, on recorded machines and on
 * made-up ones with known lines; and how it is printed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd.h"
#include "findings/balance_notes.h"
#include "golden.h"
#include "model/balance.h"
#include "proc/snapshot.h"
#include "proc/unlisted.h"
#include "render/balance.h"
#include "screen.h"
#include "tree.h"

#define PAGE 4096.0

static const struct beliefs_hint hint = {.page_bytes = PAGE};

static void read_tree(const char *root, struct snapshot *s)
{
	assert_int_equal(snapshot_read(root, SNAPSHOT_ALL & ~SNAPSHOT_SLABINFO, s), 0);
}

static void read_made(const char *name, struct snapshot *s, struct balance *b)
{
	char root[PATH_MAX];

	snprintf(root, sizeof(root), "%s/fixtures/balance/%s", TESTS_DIR, name);
	read_tree(root, s);
	balance_build(s, &hint, NULL, b);
}

static void meminfo_set(struct snapshot *s, const char *name, int64_t kb)
{
	for (size_t i = 0; i < s->meminfo.nr; i++)
		if (!strcmp(s->meminfo.items[i].name, name)) {
			s->meminfo.items[i].value = kb;
			return;
		}
	fail_msg("no %s", name);
}

static void assert_sums(const struct balance *b)
{
	double lines = 0, groups = 0;

	for (size_t i = 0; i < BALANCE_LINES; i++)
		lines += b->kb[i];
	for (size_t g = 0; g < BALANCE_GROUPS; g++)
		groups += balance_group_kb(b, g);
	assert_true(lines == b->total_kb);
	assert_true(groups == b->total_kb);
}

/* No line of a real machine is negative, and little is unaccounted. */
static void check_recorded(const char *root)
{
	struct snapshot s;
	struct balance b;
	double kb;

	read_tree(root, &s);
	balance_build(&s, &hint, NULL, &b);
	assert_true(b.total_kb == (double)named_value_get(&s.meminfo, "MemTotal", -1));
	assert_sums(&b);
	for (size_t i = 0; i < BALANCE_LINES; i++)
		if (b.kb[i] < 0)
			fail_msg("%s: %s is %.0f kB", root, balance_defs[i].name, b.kb[i]);
	if (b.kb[BALANCE_REST] > 0.015 * b.total_kb)
		fail_msg("%s: %.0f of %.0f kB unaccounted", root, b.kb[BALANCE_REST], b.total_kb);
	assert_true(b.placed && b.stacks_are_vmalloc);
	/* The identity of vmalloc holds, except for one or two threads between two reads. Stacks
	 * are part of it. */
	assert_true(fabs(b.vmallocinfo_kb - b.vmalloc_used_kb) <= 32);
	kb = balance_vmalloc_stacks_kb(&s, PAGE);
	assert_true(kb >= b.kb[BALANCE_KERNEL_STACK] * 0.9 && kb <= b.vmalloc_used_kb);
	snapshot_free(&s);
}

static void recorded_machines_are_placed_whole(void **state)
{
	(void)state;
	assert_int_equal(tree_each_fixture(check_recorded), 6);
}

static void swap_cache_counts_once(void **state)
{
	struct snapshot s;
	struct balance b;

	(void)state;
	read_made("swap", &s, &b);
	assert_sums(&b);
	assert_true(b.kb[BALANCE_PER_CPU_LISTS] == 5000 * 4);
	assert_true(b.kb[BALANCE_ANON_SMALL] == 1300000);
	assert_true(b.kb[BALANCE_ANON_HUGE] == 800000);
	assert_true(b.kb[BALANCE_SHMEM] == 200000);
	assert_true(b.kb[BALANCE_FILES] == 700000);
	assert_true(b.kb[BALANCE_BUFFERS] == 30000);
	assert_true(b.kb[BALANCE_SWAP_CACHE] == 15000);
	assert_true(b.kb[BALANCE_OTHER_LRU] == 0);
	assert_true(b.kb[BALANCE_MISC_RECLAIMABLE] == 10000);
	assert_true(b.kb[BALANCE_VMALLOC] == 44000);
	assert_true(b.kb[BALANCE_COMPRESSED] == 80000); /* zswap's 30,000 are in zsmalloc's */
	assert_true(b.kb[BALANCE_WRITEBACK_TMP] == 512);
	assert_true(b.kb[BALANCE_POISONED] == 8);
	assert_true(b.kb[BALANCE_REST] == 4000000 - 300000 - 20000 - 3045000 - 400000 - 10000 -
						  60000 - 40000 - 1200 - 8000 - 80000 - 512 - 8);
	assert_int_equal(b.nr_candidates, 1); /* the huge page of zeroes */

	/* If the lists are longer than all known memory, there are pinned pages, and no negative
	 * swap cache. */
	meminfo_set(&s, "Active", 1600000);
	balance_build(&s, &hint, NULL, &b);
	assert_sums(&b);
	assert_true(b.kb[BALANCE_SWAP_CACHE] == 40000);
	assert_true(b.kb[BALANCE_OTHER_LRU] == 75000);
	/* Another allocator's zswap pool is not among zsmalloc's pages. */
	meminfo_set(&s, "Zswap", 90000);
	balance_build(&s, &hint, NULL, &b);
	assert_true(b.kb[BALANCE_COMPRESSED] == 170000);
	snapshot_free(&s);
}

static bool noted(const struct snapshot *s, const struct balance *b, const char *words)
{
	struct findings notes = {0};
	bool said = false;

	balance_notes(s, b, &notes);
	for (size_t i = 0; i < notes.nr; i++) {
		assert_true(balance_is_note(&notes.items[i]));
		said |= strstr(notes.items[i].text, words) != NULL;
	}
	findings_free(&notes);
	return said;
}

/* Is there a finding by this rule, with these words? */
static bool found(const struct balance *b, const char *rule, const char *words)
{
	struct findings list = {0};
	bool said = false;

	balance_findings_build(&(struct balance_findings_facts){.b = b}, &list);
	for (size_t i = 0; i < list.nr; i++)
		said |= !strcmp(list.items[i].kind, rule) && strstr(list.items[i].text, words);
	findings_free(&list);
	return said;
}

/* A container's meminfo is that of its cgroup, other files are the host's. The sheet still sums,
 * and says that this cannot be true. */
static void container_is_shown(void **state)
{
	struct snapshot s;
	struct balance b;

	(void)state;
	read_made("container", &s, &b);
	assert_sums(&b);
	assert_true(b.kb[BALANCE_REST] < 0);
	assert_true(b.contradiction);
	assert_true(found(&b, "lines-beyond-memory", "MemTotal is a container's (lxcfs)"));
	assert_true(noted(&s, &b, "shows a container (lxcfs)"));
	snapshot_free(&s);
}

static void huge_pages_and_what_devices_hold(void **state)
{
	struct snapshot s, later;
	struct balance b, c;

	(void)state;
	read_made("huge", &s, &b);
	assert_sums(&b);
	assert_true(b.kb[BALANCE_MEM_FREE] == 20000000); /* CmaFree and Unaccepted are in it */
	assert_true(b.kb[BALANCE_HUGETLB] == 5242880);   /* both sizes */
	assert_true(b.kb[BALANCE_OTHER_LRU] == 100000);
	assert_true(b.kb[BALANCE_GPU] == 2100000);
	assert_true(b.kb[BALANCE_BALLOON] == 16777216 && b.balloon_in_total);
	assert_true(b.kb[BALANCE_REST] > 0);
	assert_true(noted(&s, &b, "NewKernelLine"));
	assert_true(noted(&s, &b, "HugePages_Free"));
	assert_false(noted(&s, &b, "has already lowered MemTotal"));

	/* The balloon driver lowered MemTotal, so the balloon must not be subtracted again, at
	 * either end. */
	read_made("huge", &later, &c);
	meminfo_set(&later, "MemTotal", 65000000 - 16777216);
	balance_pair(&s, &later, &hint, &b, &c);
	assert_false(b.balloon_in_total || c.balloon_in_total);
	assert_true(b.kb[BALANCE_BALLOON] == 0 && c.kb[BALANCE_BALLOON] == 0);
	assert_true(noted(&later, &c, "has already lowered MemTotal"));
	assert_sums(&b);
	assert_sums(&c);
	snapshot_free(&s);
	snapshot_free(&later);
}

static void without_root_or_meminfo(void **state)
{
	struct snapshot s;
	struct balance b;

	(void)state;
	read_made("huge", &s, &b);
	assert_true(isnan(b.vmallocinfo_kb) && isnan(b.cached_stacks_kb) && b.stacks_are_vmalloc);
	assert_true(noted(&s, &b, "needs root"));
	/* If stacks exceed vmalloc, they cannot be part of it. */
	meminfo_set(&s, "VmallocUsed", 50000);
	balance_build(&s, &hint, NULL, &b);
	assert_false(b.stacks_are_vmalloc);
	assert_true(b.kb[BALANCE_VMALLOC] == 50000);
	ARRAY_FREE(&s.zones);
	balance_build(&s, &hint, NULL, &b);
	assert_false(b.placed);
	assert_sums(&b);
	assert_true(noted(&s, &b, "/proc/zoneinfo could not be read"));
	/* If a container hides Slab, no line is negative, and the lines still sum to MemTotal. */
	meminfo_set(&s, "Slab", 0);
	meminfo_set(&s, "SReclaimable", 20000);
	balance_build(&s, &hint, NULL, &b);
	assert_true(b.kb[BALANCE_SLAB_RECLAIMABLE] == 20000 &&
		    b.kb[BALANCE_SLAB_UNRECLAIMABLE] == 0);
	assert_sums(&b);
	/* With a MemTotal of 0 there are no shares; "inf%" was printed. */
	meminfo_set(&s, "MemFree", 1000);
	meminfo_set(&s, "MemTotal", 0);
	balance_build(&s, &hint, NULL, &b);
	assert_true(isnan(b.total_kb) && isnan(b.kb[BALANCE_MEM_FREE]));
	ARRAY_FREE(&s.meminfo);
	balance_build(&s, &hint, NULL, &b);
	assert_true(isnan(b.total_kb) && isnan(b.kb[BALANCE_MEM_FREE]));
	assert_true(noted(&s, &b, "no MemTotal"));
	snapshot_free(&s);
}

static void names_are_unique_and_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < BALANCE_LINES; i++) {
		assert_non_null(balance_defs[i].name);
		assert_true(strlen(balance_defs[i].label) <= 24);
		assert_true(strlen(balance_defs[i].source) <= 29);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(balance_defs[i].name, balance_defs[k].name);
		assert_true(!i || balance_defs[i].group >= balance_defs[i - 1].group);
	}
}

static void what_is_outside_meminfo_is_parsed(void **state)
{
	static const char sockstat[] =
		"sockets: used 15\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 80\n"
		"UDP: inuse 2 mem 7\nUDPLITE: inuse 0\nRAW: inuse 0\n"
		"FRAG: inuse 0 memory 4096\n";
	static const char messages[] =
		"<6>[    0.1] percpu: Embedded 53 pages/cpu s185560 r0 d31528 u1048576\n";
	struct unlisted u = UNLISTED_NONE;
	char *root = tree_new();

	(void)state;
	sockstat_parse(sockstat, sizeof(sockstat) - 1, &u);
	boot_messages_parse(messages, sizeof(messages) - 1, &u);
	assert_int_equal(u.socket_pages, 87);
	assert_int_equal(u.fragment_bytes, 4096);
	assert_int_equal(u.percpu_first_pages, 53);
	tree_put(root, "proc/net/sockstat", sockstat);
	tree_put(root, "sys/kernel/tracing/buffer_total_size_kb", "14 (expanded: 2816)\n");
	char proc[PATH_MAX], sys[PATH_MAX];

	tree_path(proc, root, "proc");
	tree_path(sys, root, "sys");
	unlisted_read(proc, sys, &u);
	assert_int_equal(u.socket_pages, 87);
	assert_int_equal(u.trace_kb, 14);
	assert_int_equal(u.percpu_first_pages, -1); /* not this machine's */
	tree_remove(root);
	unlisted_read("/nonexistent", "/nonexistent", &u);
	assert_int_equal(u.socket_pages, -1);
}

static void parse_damaged(const char *buf, size_t len)
{
	struct unlisted u = UNLISTED_NONE;

	sockstat_parse(buf, len, &u);
	boot_messages_parse(buf, len, &u);
}

static void hostile_bytes_are_survived(void **state)
{
	static const char text[] = "TCP: inuse 1 mem 80\nFRAG: memory 99999999999999999999\n"
				   "x percpu: Embedded 53 pages/cpu\npercpu: Embedded \n";

	(void)state;
	tree_damage(text, sizeof(text) - 1, parse_damaged);
}

static void compare_sheet(const char *name, const struct balance_sheet *sheet,
			  const struct balance_text_options *o)
{
	char *got = print(sheet, o);

	compare_golden(name, got);
	free(got);
}

static const struct unlisted some_unlisted = {
	.socket_pages = 80, .fragment_bytes = 4096, .trace_kb = 2820, .percpu_first_pages = 106};

static void put_bpf(struct snapshot *s)
{
	struct bpf_level *l = ARRAY_PUSH(&s->bpf);
	struct bpf_holder *h = ARRAY_PUSH(&s->bpf_holders);

	assert_true(l && h);
	*l = (struct bpf_level){.kind = BPF_KIND_MAP, .id = 7, .vmalloc = 3 << 20};
	snprintf(l->object, sizeof(l->object), "hash flows");
	*h = (struct bpf_holder){
		.kind = BPF_KIND_MAP, .id = 7, .how = BPF_HELD_BY_PROCESS, .holder = 812};
	snprintf(h->name, sizeof(h->name), "agent");
}

static void printed_sheets(void **state)
{
	struct snapshot s;
	struct balance b;
	struct balance_sheet sheet;

	(void)state;
	read_made("swap", &s, &b);
	put_bpf(&s);
	assert_int_equal(balance_sheet_now(
				 &s,
				 &(struct balance_origin){.hint = hint, .unlisted = &some_unlisted},
				 &sheet),
			 0);
	sheet.kernel = "6.18.0";
	sheet.wall_s = 1700000000;
	compare_sheet("balance.txt", &sheet, &(struct balance_text_options){.utf8 = true});
	compare_sheet("balance-all.txt", &sheet,
		      &(struct balance_text_options){.sections = balance_section_parse("all", 3),
						     .utf8 = true});
	compare_sheet("balance-explain-ascii.txt", &sheet,
		      &(struct balance_text_options){.explain = true});
	compare_sheet("balance.json", &sheet, NULL);
	balance_sheet_free(&sheet);
	snapshot_free(&s);
}

/* In a capture, what changed comes first. */
static void printed_changes(void **state)
{
	struct snapshot s, later;
	struct balance b;
	struct balance_sheet sheet;
	struct cap_meta release = {.key = META_RELEASE, .value = "6.18.0"};
	struct capture c = {.meta = {.items = &release, .nr = 1}};
	struct view v = {.c = &c,
			 .start = &s,
			 .end = &later,
			 .duration_s = 30,
			 .page_bytes = PAGE,
			 .hint = hint};
	char *text;

	(void)state;
	read_made("swap", &s, &b);
	read_made("swap", &later, &b);
	meminfo_set(&later, "MemFree", 200000);
	meminfo_set(&later, "Slab", 450000);
	meminfo_set(&later, "SUnreclaim", 230000);
	assert_int_equal(balance_sheet_view(&v, &sheet), 0);
	compare_sheet("balance-capture.txt", &sheet, &(struct balance_text_options){.utf8 = true});
	balance_sheet_free(&sheet);

	/* a line that changed is in the table, however small it is */
	meminfo_set(&later, "MemFree", 300000 - 3000);
	meminfo_set(&later, "Slab", 400000);
	meminfo_set(&later, "SUnreclaim", 180000);
	meminfo_set(&later, "SecPageTables", 1200 + 3000);
	assert_int_equal(balance_sheet_view(&v, &sheet), 0);
	text = print(&sheet, &(struct balance_text_options){0});
	assert_non_null(strstr(text, "CHANGE   "));
	assert_non_null(strstr(text, "secondary page tables +2.9 MiB"));
	assert_non_null(strstr(text, "    secondary page tables"));
	free(text);
	balance_sheet_free(&sheet);
	snapshot_free(&s);
	snapshot_free(&later);
}

/* ---- whatever the input, the first screen fits ---- */

/* Everything is odd, and names are hostile. */
static void make_worst(struct snapshot *s)
{
	static const char hostile[] = "\x1b[31m\xe6\x97\xa5\n\xff";
	struct cgroup_level *cgroup = ARRAY_PUSH(&s->cgroups);

	assert_non_null(cgroup);
	*cgroup = (struct cgroup_level){.descendants = 3, .dying = 5000};
	snprintf(cgroup->path, sizeof(cgroup->path), "/");
	for (int i = 0; i < 40; i++) {
		struct named_value *v = ARRAY_PUSH(&s->meminfo);

		assert_non_null(v);
		snprintf(v->name, sizeof(v->name), "%s%d", hostile, i);
		v->value = 1000;
		put_bpf(s);
		snprintf(s->bpf.items[i].object, sizeof(s->bpf.items[i].object), "%s %s", hostile,
			 hostile);
	}
	for (int i = 0; i < 5; i++) {
		struct slab_level *c = ARRAY_PUSH(&s->slabs);

		assert_non_null(c);
		*c = (struct slab_level){.num_slabs = INT64_MAX, .pages_per_slab = 1024};
		memset(c->name, 'x', sizeof(c->name) - 1);
	}
	s->zones.bad_lines = s->meminfo.bad_lines = SIZE_MAX;
	meminfo_set(s, "SUnreclaim", 3000000);
	meminfo_set(s, "Slab", 3500000);
	meminfo_set(s, "VmallocUsed", 900000);
	meminfo_set(s, "KernelStack", 800000);
	meminfo_set(s, "PageTables", 2000000);
	meminfo_set(s, "Percpu", 3000000);
}

static void the_first_screen_fits_whatever_the_input(void **state)
{
	static char name[4096];
	struct balance_sheet sheet;
	struct snapshot s;
	struct balance b;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	memcpy(name, "\x1b[2J\n", 5);
	read_made("swap", &s, &b);
	make_worst(&s);
	for (int64_t free_kb = 0; free_kb <= 4000000; free_kb += 500000) {
		meminfo_set(&s, "MemFree", free_kb);
		assert_int_equal(
			balance_sheet_now(&s, &(struct balance_origin){.hint = hint}, &sheet), 0);
		sheet.kernel = name;
		sheet.moment = name;
		assert_screen_fits(&sheet);
		balance_sheet_free(&sheet);
	}
	snapshot_free(&s);
}

/* Is this a finding of the sheet if the line of meminfo has this size? */
static bool level_is_said(const char *line, int64_t kb, const char *kind,
			  enum finding_severity severity)
{
	struct balance_sheet sheet;
	struct snapshot s;
	struct balance b;
	bool said = false;

	read_made("swap", &s, &b);
	meminfo_set(&s, line, kb);
	if (!strcmp(line, "SUnreclaim"))
		meminfo_set(&s, "Slab", kb + 220000);
	if (!strcmp(line, "SReclaimable"))
		meminfo_set(&s, "Slab", kb + 180000);
	assert_int_equal(balance_sheet_now(&s, &(struct balance_origin){.hint = hint}, &sheet), 0);
	for (size_t i = 0; i < sheet.findings.nr; i++)
		said |= !strcmp(sheet.findings.items[i].kind, kind) &&
			sheet.findings.items[i].severity == severity;
	balance_sheet_free(&sheet);
	snapshot_free(&s);
	return said;
}

/* MemTotal is 4,000,000 kB. The limits are those of a report. */
static void levels_beyond_the_limits_are_odd(void **state)
{
	static const struct {
		const char *line;
		int64_t limit;
		const char *kind;
		enum finding_severity severity;
	} rules[] = {{"SUnreclaim", 400000, "slab-unreclaimable", FINDING_WARNING},
		     {"SReclaimable", 1200000, "slab-reclaimable", FINDING_NOTICE},
		     {"KernelStack", 80000, "stacks-of-memory", FINDING_WARNING},
		     {"VmallocUsed", 200000 + 16000, "vmalloc-of-memory", FINDING_WARNING}};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (level_is_said(rules[i].line, rules[i].limit, rules[i].kind, rules[i].severity))
			fail_msg("%s is said at its limit", rules[i].kind);
		if (!level_is_said(rules[i].line, rules[i].limit + 400, rules[i].kind,
				   rules[i].severity))
			fail_msg("%s is not said above its limit", rules[i].kind);
	}
	assert_true(level_is_said("PageTables", 400000, "page-tables-of-mapped", FINDING_WARNING));
	assert_false(level_is_said("PageTables", 65536, "page-tables-of-mapped", FINDING_WARNING));
}

/* MemTotal of a container is not the memory that the machine's kernel lines are part of. */
static void a_container_has_no_unusual_levels(void **state)
{
	struct balance_sheet sheet;
	struct snapshot s;
	struct balance b;

	(void)state;
	read_made("container", &s, &b);
	assert_int_equal(balance_sheet_now(&s, &(struct balance_origin){.hint = hint}, &sheet), 0);
	assert_true(b.beliefs.container && b.kb[BALANCE_KERNEL_STACK] > 0.04 * b.total_kb);
	assert_int_equal(sheet.screen.all_odd, 0);
	balance_sheet_free(&sheet);
	snapshot_free(&s);
}

static void the_largest_caches_are_named(void **state)
{
	static const struct {
		const char *name;
		int64_t slabs;
	} caches[] = {{"dentry", 100}, {"filp", 300}, {"kmalloc-512", 200}, {"inode", 250}};
	struct balance_sheet sheet;
	struct snapshot s;
	struct balance b;
	char *text;

	(void)state;
	read_made("swap", &s, &b);
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		struct slab_level *c = ARRAY_PUSH(&s.slabs);

		assert_non_null(c);
		*c = (struct slab_level){.num_slabs = 10 * caches[i].slabs, .pages_per_slab = 2};
		snprintf(c->name, sizeof(c->name), "%s", caches[i].name);
	}
	assert_int_equal(balance_sheet_now(&s, &(struct balance_origin){.hint = hint}, &sheet), 0);
	text = print(&sheet, &(struct balance_text_options){0});
	assert_non_null(strstr(text, "SLAB     The largest slab caches: filp 23.4 MiB, inode "
				     "19.5 MiB, kmalloc-512"));
	free(text);
	balance_sheet_free(&sheet);
	snapshot_free(&s);
}

/* "10.9 MiB, but … 10.9 MiB" says nothing. */
static void a_difference_that_cannot_be_seen_is_not_said(void **state)
{
	struct snapshot s;
	struct balance b;

	(void)state;
	assert_int_equal(snapshot_read(TESTS_DIR "/fixtures/proc/6.12-numa", SNAPSHOT_ALL, &s), 0);
	balance_build(&s, &hint, NULL, &b);
	assert_true(b.vmallocinfo_kb != b.vmalloc_used_kb);
	assert_false(noted(&s, &b, "areas were allocated or freed"));
	meminfo_set(&s, "VmallocUsed", (int64_t)b.vmallocinfo_kb + 512);
	balance_build(&s, &hint, NULL, &b);
	assert_true(noted(&s, &b, "areas were allocated or freed"));
	snapshot_free(&s);
}

static void check_screen(const char *root)
{
	struct balance_sheet sheet;
	struct snapshot s;

	read_tree(root, &s);
	assert_int_equal(balance_sheet_now(&s, &(struct balance_origin){.hint = hint}, &sheet), 0);
	assert_screen_fits(&sheet);
	balance_sheet_free(&sheet);
	snapshot_free(&s);
}

static void the_first_screen_of_recorded_machines_fits(void **state)
{
	(void)state;
	assert_int_equal(tree_each_fixture(check_screen), 6);
}

/* A warning comes before the table; a line that no counter explains is one. */
static void memory_that_nothing_counts_is_odd(void **state)
{
	struct balance_sheet sheet;
	struct snapshot s;
	struct balance b;
	char *text;

	(void)state;
	read_made("swap", &s, &b);
	meminfo_set(&s, "MemFree", 0);
	assert_int_equal(balance_sheet_now(&s, &(struct balance_origin){.hint = hint}, &sheet), 0);
	text = print(&sheet, &(struct balance_text_options){0});
	assert_non_null(strstr(text, "ODD      327.4 MiB, 8.4% of memory, is Unaccounted"));
	assert_non_null(strstr(text, "NEXT     sudo kmemtrace record --exact --pool page -d 180"));
	free(text);
	assert_int_equal(sheet.findings.items[0].severity, FINDING_WARNING);
	assert_string_equal(sheet.findings.items[0].kind, "unaccounted");
	balance_sheet_free(&sheet);
	/* without a line, it may be that line: no advice */
	meminfo_set(&s, "PageTables", 9000000);
	assert_int_equal(balance_sheet_now(&s, &(struct balance_origin){.hint = hint}, &sheet), 0);
	assert_true(sheet.end.unknown[BALANCE_PAGE_TABLES]);
	for (size_t i = 0; i < sheet.findings.nr; i++)
		assert_true(sheet.findings.items[i].severity > FINDING_WARNING ||
			    strcmp(sheet.findings.items[i].kind, "unaccounted"));
	balance_sheet_free(&sheet);
	snapshot_free(&s);
}

/* The exit status of `kmemtrace balance ARGUMENT`, which prints nothing here. */
static int exit_status(const char *argument)
{
	char *argv[] = {(char *)"kmemtrace balance", (char *)argument, NULL};
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(99);
		exit(cmd_balance(2, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void exit_statuses_tell_what_went_wrong(void **state)
{
	(void)state;
	assert_int_equal(exit_status("--proc=" TESTS_DIR "/fixtures/proc/6.12"), EXIT_OK);
	assert_int_equal(exit_status("--proc=" TESTS_DIR "/fixtures/balance/container"), EXIT_OK);
	assert_int_equal(exit_status("--proc=/nonexistent"), EXIT_FAILED);
	assert_int_equal(exit_status(TESTS_DIR "/fixtures/proc/README.md"),
			 EXIT_FAILED); /* no capture */
	assert_int_equal(exit_status("--format=yaml"), EXIT_USAGE);
	assert_int_equal(exit_status("--show=lines,zones"), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_machines_are_placed_whole),
		cmocka_unit_test(swap_cache_counts_once),
		cmocka_unit_test(container_is_shown),
		cmocka_unit_test(huge_pages_and_what_devices_hold),
		cmocka_unit_test(without_root_or_meminfo),
		cmocka_unit_test(names_are_unique_and_short),
		cmocka_unit_test(what_is_outside_meminfo_is_parsed),
		cmocka_unit_test(hostile_bytes_are_survived),
		cmocka_unit_test(printed_sheets),
		cmocka_unit_test(printed_changes),
		cmocka_unit_test(the_first_screen_fits_whatever_the_input),
		cmocka_unit_test(the_first_screen_of_recorded_machines_fits),
		cmocka_unit_test(a_difference_that_cannot_be_seen_is_not_said),
		cmocka_unit_test(memory_that_nothing_counts_is_odd),
		cmocka_unit_test(levels_beyond_the_limits_are_odd),
		cmocka_unit_test(a_container_has_no_unusual_levels),
		cmocka_unit_test(the_largest_caches_are_named),
		cmocka_unit_test(exit_statuses_tell_what_went_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
