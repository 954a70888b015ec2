// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user would lose: the kernel's own counts of files, inodes, dentries, sockets, keys,
 * connections and threads, and how many removed cgroups still exist.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/counter.h"
#include "proc/cgroup_levels.h"
#include "proc/snapshot.h"
#include "tree.h"

static int64_t value(const struct named_values *v, const char *name)
{
	return named_value_get(v, name, -1);
}

static void put_counters(const char *root)
{
	tree_put(root, "sys/fs/file-nr", "692\t0\t9223372036854775807\n");
	tree_put(root, "sys/fs/inode-nr", "116718\t12\n");
	tree_put(root, "sys/fs/dentry-state", "196078\t182600\t45\t0\t75622\t0\n");
	tree_put(root, "sys/kernel/threads-max", "185132\n");
	tree_put(root, "sys/kernel/pid_max", "4194304\n");
	tree_put(root, "sys/net/netfilter/nf_conntrack_count", "31\n");
	tree_put(root, "sys/net/netfilter/nf_conntrack_max", "262144\n");
	tree_put(root, "loadavg", "1.61 1.52 1.67 4/107 29518\n");
	tree_put(root, "key-users",
		 "    0:    57 56/56 44/1000000 950/25000000\n"
		 " 1000:     9 8/8 3/200 1966/20000\n");
	tree_put(root, "net/sockstat",
		 "sockets: used 17\nTCP: inuse 5 orphan 1 tw 2 alloc 9 mem 43\nUDP: inuse 3 mem 6\n"
		 "UDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 8192\n");
	tree_put(root, "net/sockstat6",
		 "TCP6: inuse 4\nUDP6: inuse 2\nRAW6: inuse 0\nFRAG6: inuse 0 memory 1\n");
}

static void every_counter_is_read_under_its_name(void **state)
{
	static const struct {
		const char *name;
		int64_t value;
	} want[] = {
		{COUNTER_FILES, 692},
		{COUNTER_FILES_MAX, INT64_MAX},
		{COUNTER_INODES, 116718},
		{COUNTER_INODES_UNUSED, 12},
		{COUNTER_DENTRIES, 196078},
		{COUNTER_DENTRIES_UNUSED, 182600},
		{COUNTER_DENTRIES_NEGATIVE, 75622},
		{COUNTER_THREADS, 107},
		{COUNTER_THREADS_MAX, 185132},
		{COUNTER_PID_MAX, 4194304},
		{COUNTER_KEYS, 64},
		{COUNTER_CONNECTIONS, 31},
		{COUNTER_CONNECTIONS_MAX, 262144},
		{COUNTER_SOCKETS, 17},
		{COUNTER_TCP_IN_USE, 5},
		{COUNTER_TCP_ORPHANS, 1},
		{COUNTER_TCP_TIME_WAIT, 2},
		{COUNTER_TCP_ALLOCATED, 9},
		{COUNTER_TCP_PAGES, 43},
		{COUNTER_UDP_IN_USE, 3},
		{COUNTER_UDP_PAGES, 6},
		{COUNTER_FRAGMENT_BYTES, 8192},
		{COUNTER_TCP6_IN_USE, 4},
		{COUNTER_UDP6_IN_USE, 2},
		{COUNTER_FRAGMENT6_BYTES, 1},
	};
	char *root = tree_new();
	struct snapshot s;

	(void)state;
	tree_put(root, "meminfo", "MemTotal: 5 kB\n");
	put_counters(root);
	assert_int_equal(snapshot_read(root, SNAPSHOT_ALL, &s), 0);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (value(&s.vmstat, want[i].name) != want[i].value)
			fail_msg("%s is %lld", want[i].name,
				 (long long)value(&s.vmstat, want[i].name));
	assert_int_equal(s.vmstat.nr, sizeof(want) / sizeof(want[0]));
	snapshot_free(&s);
	tree_remove(root);
}

static void a_counter_whose_file_is_missing_is_not_there(void **state)
{
	char *root = tree_new();
	struct snapshot s;

	(void)state;
	tree_put(root, "meminfo", "MemTotal: 5 kB\n");
	tree_put(root, "sys/fs/file-nr", "692\t0\t1000\n");
	assert_int_equal(snapshot_read(root, SNAPSHOT_ALL, &s), 0);
	assert_int_equal(s.vmstat.nr, 2);
	assert_int_equal(value(&s.vmstat, COUNTER_INODES), -1);
	snapshot_free(&s);
	assert_int_equal(snapshot_read(root, SNAPSHOT_ALL & ~SNAPSHOT_COUNTERS, &s), 0);
	assert_int_equal(s.vmstat.nr, 0);
	snapshot_free(&s);
	tree_remove(root);
}

static void damaged_counters_are_left_out(void **state)
{
	static const char sockets[] = "TCP: inuse -5 orphan 1\nTCP:\n\nUDP: inuse\nFRAG: inuse 0 "
				      "memory 99999999999999999999\nsockets: used 4";
	static const char keys[] = "0:\n1: 5 7\nx 5 7/7\n  2: 5 3/3 1/1 1/1\n";
	struct named_values v = {0};

	(void)state;
	assert_int_equal(sockstat_counters_parse(sockets, strlen(sockets), &v), 0);
	assert_int_equal(v.nr, 1);
	assert_int_equal(value(&v, COUNTER_SOCKETS), 4);
	ARRAY_FREE(&v);
	assert_int_equal(key_users_parse(keys, strlen(keys), &v), 0);
	assert_int_equal(value(&v, COUNTER_KEYS), 3);
	assert_int_equal(v.nr, 1);
	ARRAY_FREE(&v);
}

static void parse_any(const char *buf, size_t len)
{
	struct named_values v = {0};

	assert_int_equal(sockstat_counters_parse(buf, len, &v), 0);
	assert_int_equal(key_users_parse(buf, len, &v), 0);
	(void)cgroup_v1_dying(buf, len, "memory", 3);
	ARRAY_FREE(&v);
}

static void damage_never_crashes_a_parser(void **state)
{
	static const char text[] =
		"TCP: inuse 5 orphan 1 tw 2 alloc 9 mem 43\n    0:    57 56/56 44/1000000\n"
		"memory\t4\t82\t1\nFRAG6: inuse 0 memory 1\n";

	(void)state;
	parse_any("", 0);
	tree_damage(text, strlen(text), parse_any);
}

/* ---- cgroups ---- */

static const struct cgroup_level *find(const struct cgroup_levels *l, const char *path)
{
	for (size_t i = 0; i < l->nr; i++)
		if (!strcmp(l->items[i].path, path))
			return &l->items[i];
	return NULL;
}

static void put_cgroup(const char *root, const char *path, int dying)
{
	char name[PATH_MAX], text[128];

	snprintf(name, sizeof(name), "cg%s/cgroup.stat", path);
	snprintf(text, sizeof(text), "nr_descendants 7\nnr_dying_descendants %d\n", dying);
	tree_put(root, name, text);
}

static void removed_cgroups_are_found_where_there_are_many(void **state)
{
	static const char lengthy[] =
		"/a-long-name-of-a-slice-0123456789-0123456789-0123456789-0123456789/"
		"a-long-name-of-a-pod-0123456789-0123456789-0123456789-0123456789/end";
	char *root = tree_new();
	char mounts[PATH_MAX];
	struct cgroup_levels l;
	const struct cgroup_level *g;

	(void)state;
	snprintf(mounts, sizeof(mounts), "cgroup2 %s/cg cgroup2 rw 0 0\n", root);
	tree_put(root, "self/mounts", mounts);
	put_cgroup(root, "", 423);
	put_cgroup(root, "/many", 400);
	put_cgroup(root, "/few", 2);
	put_cgroup(root, "/few/none", 0);
	put_cgroup(root, lengthy, 21);
	assert_int_equal(cgroup_levels_read(root, &l), 0);
	assert_int_equal(l.nr, 3);
	g = find(&l, "/");
	assert_non_null(g);
	assert_int_equal(g->dying, 423);
	assert_int_equal(g->descendants, 7);
	g = find(&l, "/many");
	assert_int_equal(g->dying, 400);
	assert_true(g->id > 0);
	for (size_t i = 0; i < l.nr; i++)
		if (l.items[i].dying == 21) {
			assert_true(!strncmp(l.items[i].path, "…", strlen("…")));
			assert_int_equal(strlen(l.items[i].path), sizeof(l.items[i].path) - 1);
			assert_string_equal(l.items[i].path + strlen(l.items[i].path) - 4, "/end");
		}
	ARRAY_FREE(&l);
	tree_remove(root);
}

static void a_machine_without_cgroups_has_no_counts(void **state)
{
	char *root = tree_new();
	struct cgroup_levels l;

	(void)state;
	assert_int_equal(cgroup_levels_read(root, &l), 0);
	assert_int_equal(l.nr, 0);
	tree_put(root, "self/mounts", "cgroup2 /nonexistent cgroup2 rw 0 0\n");
	assert_int_equal(cgroup_levels_read(root, &l), 0);
	assert_int_equal(l.nr, 0);
	tree_remove(root);
}

static void cgroup_v1_counts_what_has_no_directory(void **state)
{
	static const char text[] = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
				   "cpuset\t3\t1\t1\nmemory\t4\t82\t1\nmemory2\t4\t500\t1\n";

	(void)state;
	assert_int_equal(cgroup_v1_dying(text, strlen(text), "memory", 9), 73);
	assert_int_equal(cgroup_v1_dying(text, strlen(text), "memory", 90), 0); /* one came */
	assert_int_equal(cgroup_v1_dying(text, strlen(text), "pids", 9), -1);
	assert_int_equal(cgroup_v1_dying("memory\t4\tx\t1\n", 13, "memory", 9), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_is_read_under_its_name),
		cmocka_unit_test(a_counter_whose_file_is_missing_is_not_there),
		cmocka_unit_test(damaged_counters_are_left_out),
		cmocka_unit_test(damage_never_crashes_a_parser),
		cmocka_unit_test(removed_cgroups_are_found_where_there_are_many),
		cmocka_unit_test(a_machine_without_cgroups_has_no_counts),
		cmocka_unit_test(cgroup_v1_counts_what_has_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
