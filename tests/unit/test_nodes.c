// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user would lose: on which NUMA node memory is and grows, with each page counted once on
 * its node; and that machines with one node are not told what they know.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "findings/node_use.h"
#include "proc/nodes.h"
#include "proc/snapshot.h"
#include "tree.h"

static void put_node(const char *sys, int node, int free_kb, int slab_kb)
{
	char name[128], text[1024];

	snprintf(name, sizeof(name), "devices/system/node/node%d/meminfo", node);
	snprintf(text, sizeof(text),
		 "Node %1$d MemTotal:  100000 kB\nNode %1$d MemFree: %2$d kB\n"
		 "Node %1$d Active: 10000 kB\nNode %1$d Inactive: 20000 kB\n"
		 "Node %1$d Unevictable: 100 kB\nNode %1$d Slab: %3$d kB\n"
		 "Node %1$d KReclaimable: 900 kB\nNode %1$d SReclaimable: 800 kB\n"
		 "Node %1$d KernelStack: 500 kB\nNode %1$d PageTables: 300 kB\n"
		 "Node %1$d HugePages_Total: 1\nNode %1$d Active(anon): 9000 kB\n",
		 node, free_kb, slab_kb);
	tree_put(sys, name, text);
	snprintf(name, sizeof(name), "devices/system/node/node%d/vmstat", node);
	tree_put(sys, name, "nr_free_pages 5\nnr_zspages 25\n");
	snprintf(name, sizeof(name), "devices/system/node/node%d/cpulist", node);
	tree_put(sys, name, node ? "2-4\n" : "0\n");
}

static void put_proc(const char *proc)
{
	tree_put(proc, "meminfo",
		 "MemTotal: 200000 kB\nPercpu: 4000 kB\nHugepagesize: 2048 kB\n"
		 "KernelStack: 1000 kB\n");
	tree_put(proc, "zoneinfo",
		 "Node 0, zone   Normal\n  pagesets\n    cpu: 0\n              count: 25\n"
		 "Node 1, zone   Normal\n  pagesets\n    cpu: 0\n              count: 50\n");
	tree_put(proc, "vmallocinfo",
		 "0x1-0x2 20480 dup_task_struct+0x1/0x2 pages=4 vmalloc N0=1 N1=3\n"
		 "0x1-0x2 8192 a+0x1/0x2 pages=249 vmalloc N1=249\n"
		 "0x1-0x2 8192 c+0x1/0x2 pages=24 vmalloc N0=24\n"
		 "0x1-0x2 8192 b+0x1/0x2 phys=0x5 ioremap\n"
		 "0x1-0x2 8192 d+0x1/0x2 pages=9 vmap N0=9\n"); /* vmap: counted elsewhere */
}

static void read_both(const char *proc, const char *sys, struct snapshot *s)
{
	assert_int_equal(snapshot_read(proc, SNAPSHOT_ALL, s), 0);
	assert_int_equal(nodes_read(sys, s), 0);
}

static void each_page_of_a_node_is_in_one_line(void **state)
{
	char *proc = tree_new(), *sys = tree_new();
	struct snapshot s;
	struct node_use u;

	(void)state;
	put_proc(proc);
	put_node(sys, 0, 50000, 4000);
	put_node(sys, 1, 40000, 5000);
	read_both(proc, sys, &s);
	node_use_build(NULL, &s, 4096, &u);
	assert_int_equal(u.nr, 2);
	assert_false(u.is_pair);
	for (size_t i = 0; i < 2; i++) {
		double sum = 0;

		for (int line = 0; line < NODE_LINES; line++)
			sum += u.rows[i].kb[line];
		assert_true(sum == 100000);
		assert_true(isnan(u.rows[i].start_kb[NODE_LINE_SLAB]));
	}
	assert_true(u.rows[0].kb[NODE_LINE_FREE] == 50100 && u.rows[1].kb[NODE_LINE_FREE] == 40200);
	assert_true(u.rows[0].kb[NODE_LINE_LRU] == 30100);
	assert_true(u.rows[0].kb[NODE_LINE_HUGE] == 2048);
	assert_true(u.rows[0].kb[NODE_LINE_VMALLOC] == 100);
	assert_true(u.rows[1].kb[NODE_LINE_VMALLOC] == 1008);
	assert_true(u.rows[0].kb[NODE_LINE_STACKS] == 0); /* in vmalloc */
	assert_true(u.rows[0].kb[NODE_LINE_PERCPU] == 1000 &&
		    u.rows[1].kb[NODE_LINE_PERCPU] == 3000);
	assert_true(u.rows[0].kb[NODE_LINE_OTHER] == 200);
	assert_true(u.rows[0].kb[NODE_LINE_REST] ==
		    100000 - 50100 - 30100 - 2048 - 4000 - 100 - 300 - 1000 - 200);
	snapshot_free(&s);
	tree_remove(proc);
	tree_remove(sys);
}

static void growth_is_said_to_be_on_its_node(void **state)
{
	char *proc = tree_new(), *sys = tree_new();
	struct snapshot a, b;
	struct node_use u;

	(void)state;
	put_proc(proc);
	put_node(sys, 0, 50000, 4000);
	put_node(sys, 1, 40000, 5000);
	read_both(proc, sys, &a);
	put_node(sys, 0, 49000, 5000);
	put_node(sys, 1, 20000, 25000);
	read_both(proc, sys, &b);
	node_use_build(&a, &b, 4096, &u);
	assert_true(u.is_pair);
	assert_true(u.rows[1].kb[NODE_LINE_SLAB] - u.rows[1].start_kb[NODE_LINE_SLAB] == 20000);
	assert_string_equal(u.text, "Of the growth of Slab, 19.5 MiB of 20.5 MiB is on node 1.");
	/* the same memory as nothing that is counted */
	put_node(sys, 0, 49000, 4000);
	put_node(sys, 1, 20000, 5000);
	snapshot_free(&b);
	read_both(proc, sys, &b);
	node_use_build(&a, &b, 4096, &u);
	assert_non_null(strstr(u.text, "what is unaccounted, 19.5 MiB of 20.5 MiB is on node 1"));
	snapshot_free(&a);
	snapshot_free(&b);
	tree_remove(proc);
	tree_remove(sys);
}

static void one_node_and_damage_say_nothing(void **state)
{
	char *proc = tree_new(), *sys = tree_new();
	struct node_levels out = {0};
	struct snapshot s;
	struct node_use u;
	static const char bad[] = "Node 0 MemTotal: 5\nNode 1 MemTotal: 5\nNode 0 X 5\nNode 0\n"
				  "Node 0 MemFree: -5\nNode 0 : 5\n\nNode 0 Slab: 7 kB";

	(void)state;
	put_proc(proc);
	put_node(sys, 0, 50000, 4000);
	read_both(proc, sys, &s);
	assert_int_equal(s.nodes.nr, 0);
	node_use_build(&s, &s, 4096, &u);
	assert_int_equal(u.nr, 0);
	snapshot_free(&s);
	read_both(proc, "/nonexistent", &s);
	assert_int_equal(s.nodes.nr, 0);
	snapshot_free(&s);
	assert_int_equal(node_meminfo_parse(bad, strlen(bad), 0, &out), 0);
	assert_int_equal(out.nr, 2);
	assert_string_equal(out.items[1].name, "Slab");
	ARRAY_FREE(&out);
	tree_remove(proc);
	tree_remove(sys);
}

static void without_vmallocinfo_what_is_unaccounted_is_unknown(void **state)
{
	char *proc = tree_new(), *sys = tree_new();
	struct snapshot s;
	struct node_use u;

	(void)state;
	put_proc(proc);
	tree_put(proc, "vmallocinfo", "");
	put_node(sys, 0, 50000, 4000);
	put_node(sys, 1, 40000, 5000);
	read_both(proc, sys, &s);
	node_use_build(NULL, &s, 4096, &u);
	assert_true(isnan(u.rows[0].kb[NODE_LINE_VMALLOC]) && isnan(u.rows[0].kb[NODE_LINE_REST]));
	assert_true(u.rows[0].kb[NODE_LINE_SLAB] == 4000);
	snapshot_free(&s);
	tree_remove(proc);
	tree_remove(sys);
}

static void parse_any(const char *buf, size_t len)
{
	struct node_levels out = {0};
	struct vmalloc_levels areas = {0};

	assert_int_equal(node_meminfo_parse(buf, len, 0, &out), 0);
	assert_int_equal(vmallocinfo_parse(buf, len, &areas), 0);
	for (int node = 0; node < NODES_MAX; node++)
		assert_true(areas.node_pages[node] >= 0);
	ARRAY_FREE(&out);
	ARRAY_FREE(&areas);
}

static void damage_never_crashes_a_parser(void **state)
{
	static const char text[] = "Node 0 MemTotal: 5 kB\n"
				   "0x1-0x2 8192 a+0x1/0x2 pages=2 vmalloc N1=1 N0=1\n"
				   "0x1-0x2 8192 a+0x1/0x2 pages=2 vmalloc N64=1 N=1 N0=\n";

	(void)state;
	parse_any("", 0);
	tree_damage(text, strlen(text), parse_any);
}

/* A recorded machine: the nodes of vmallocinfo add up to all pages of its areas. */
static void pages_of_areas_by_node_add_up(void **state)
{
	struct snapshot s;
	int64_t sum = 0;

	(void)state;
	assert_int_equal(snapshot_read(FIXTURES "/6.12-numa", SNAPSHOT_ALL, &s), 0);
	for (int node = 0; node < NODES_MAX; node++)
		sum += s.vmallocs.node_pages[node];
	assert_true(s.vmallocs.node_pages[0] > 0 && s.vmallocs.node_pages[1] > 0);
	assert_int_equal(sum, vmalloc_levels_pages(&s.vmallocs));
	snapshot_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_page_of_a_node_is_in_one_line),
		cmocka_unit_test(growth_is_said_to_be_on_its_node),
		cmocka_unit_test(one_node_and_damage_say_nothing),
		cmocka_unit_test(without_vmallocinfo_what_is_unaccounted_is_unknown),
		cmocka_unit_test(damage_never_crashes_a_parser),
		cmocka_unit_test(pages_of_areas_by_node_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
