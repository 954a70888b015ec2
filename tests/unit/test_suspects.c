// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user would lose: a name for memory that no line of /proc/meminfo has. Each suspect of
 * Unaccounted comes from a file whose format is tested here, and says what it rests on; a balloon
 * without a counter is named by its signs, but only where memory is really missing.
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/balance.h"
#include "proc/mappings.h"
#include "proc/page_pools.h"
#include "proc/snapshot.h"
#include "proc/unlisted.h"
#include "tree.h"

#define LIES TESTS_DIR "/fixtures/lies/"

static const struct balance_candidate *suspect(const struct balance *b, const char *name)
{
	for (size_t i = 0; i < b->nr_candidates; i++)
		if (!strcmp(b->candidates[i].name, name))
			return &b->candidates[i];
	return NULL;
}

static void build(const char *root, const struct unlisted *u, struct snapshot *s, struct balance *b)
{
	struct input_report report = {0};

	assert_int_equal(snapshot_read_copy(root, SNAPSHOT_ALL, &report, s), 0);
	balance_build(s, &(struct beliefs_hint){.page_bytes = 4096}, u, b);
	input_report_free(&report);
}

static void set_value(struct named_values *v, const char *name, int64_t value)
{
	struct named_value *n = NULL;

	for (size_t i = 0; i < v->nr; i++)
		if (!strcmp(v->items[i].name, name))
			n = &v->items[i];
	if (!n)
		n = ARRAY_PUSH(v);
	assert_non_null(n);
	snprintf(n->name, sizeof(n->name), "%s", name);
	n->value = value;
}

static void a_hyperv_balloon_is_the_first_suspect_of_missing_memory(void **state)
{
	const struct beliefs_hint hint = {.page_bytes = 4096};
	struct unlisted u = UNLISTED_NONE;
	struct snapshot s;
	struct balance b;

	(void)state;
	/* By the areas of its drivers alone, as in a copy without modules. */
	build(LIES "x86-4.18-hyperv-balloon", NULL, &s, &b);
	assert_string_equal(b.candidates[0].name, "balloon");
	assert_true(isnan(b.candidates[0].kb));
	assert_non_null(strstr(b.candidates[0].explain, "Hyper-V"));
	assert_non_null(strstr(b.candidates[0].source, "vmallocinfo"));
	/* Its own file counts it. */
	u.balloon_kb = 5000000;
	balance_build(&s, &hint, &u, &b);
	assert_true(suspect(&b, "balloon")->kb == 5000000);
	/* Nothing is missing: there is no need to suspect it. */
	u.balloon_kb = -1;
	set_value(&s.meminfo, "MemFree", 851960 + 5400000);
	balance_build(&s, &hint, &u, &b);
	assert_null(suspect(&b, "balloon"));
	snapshot_free(&s);
}

static void a_balloon_is_named_by_driver_and_hypervisor(void **state)
{
	const struct beliefs_hint hint = {.page_bytes = 4096};
	struct unlisted u = UNLISTED_NONE;
	struct snapshot s;
	struct balance b;

	(void)state;
	build(LIES "vmalloc-is-ioremap", &u, &s, &b); /* a fifth of it is in no line */
	assert_null(suspect(&b, "balloon"));
	snprintf(u.hypervisor, sizeof(u.hypervisor), "microsoft");
	balance_build(&s, &hint, &u, &b);
	assert_non_null(strstr(suspect(&b, "balloon")->explain, "Hyper-V"));
	snprintf(u.hypervisor, sizeof(u.hypervisor), "vmware");
	balance_build(&s, &hint, &u, &b);
	assert_null(suspect(&b, "balloon")); /* not every guest has the driver */
	modules_parse("ext4 1 2\nvmw_balloon 20480 0 - Live 0x0\n", 40, &u);
	balance_build(&s, &hint, &u, &b);
	assert_non_null(strstr(suspect(&b, "balloon")->explain, "VMware"));
	/* The counter of virtio's is believed: 0 is none. */
	snprintf(u.balloon_driver, sizeof(u.balloon_driver), "virtio_balloon");
	set_value(&s.vmstat, "balloon_inflate", 0);
	balance_build(&s, &hint, &u, &b);
	assert_null(suspect(&b, "balloon"));
	set_value(&s.vmstat, "balloon_inflate", 1000);
	balance_build(&s, &hint, &u, &b);
	assert_true(suspect(&b, "balloon")->kb == 4000);
	snapshot_free(&s);
}

static void each_suspect_has_its_size_and_source(void **state)
{
	struct unlisted u = UNLISTED_NONE;
	struct snapshot s;
	struct balance b;

	(void)state;
	u.arc_bytes = 50 << 20;
	u.gtt_bytes = 30 << 20;
	u.ttm_pages = 1000;
	u.perf_kb = 2064;
	u.packet_kb = 4096;
	u.uring_kb = 64;
	u.pinned_kb = 9000;
	u.page_pool_bytes = 8 << 20;
	snprintf(u.pinned_by, sizeof(u.pinned_by), "qemu[7]");
	build(FIXTURES "/6.12", &u, &s, &b);
	assert_true(suspect(&b, "zfs_arc")->kb == 51200);
	assert_non_null(strstr(suspect(&b, "zfs_arc")->source, "arcstats"));
	assert_true(suspect(&b, "graphics_gtt")->kb == 30720);
	assert_true(suspect(&b, "graphics_pool")->kb == 4000);
	assert_false(suspect(&b, "graphics_pool")->at_most);
	assert_true(suspect(&b, "perf_rings")->kb == 2064);
	assert_true(suspect(&b, "packet_rings")->kb == 4096);
	assert_true(suspect(&b, "io_uring")->kb == 64);
	assert_true(suspect(&b, "pinned")->kb == 9000);
	assert_string_equal(suspect(&b, "pinned")->detail, "qemu[7]");
	assert_true(suspect(&b, "page_pools")->kb == 8192);
	for (size_t i = 1; i < b.nr_candidates; i++)
		assert_true(b.candidates[i].kb <= b.candidates[i - 1].kb);
	/* Where the kernel has lines for graphics, they are no suspects. */
	set_value(&s.meminfo, "GPUActive", 10);
	balance_build(&s, &(struct beliefs_hint){.page_bytes = 4096}, &u, &b);
	assert_null(suspect(&b, "graphics_gtt"));
	snapshot_free(&s);
}

static void rings_of_bpf_are_half_of_their_areas(void **state)
{
	static const char text[] = "0x1-0x2 1069056 bpf_ringbuf_area_alloc+0x1/0x2 vmap user\n"
				   "0x1-0x2 81920 hv_ringbuffer_init+0xb6/0x130 [hv_vmbus] vmap\n";
	struct snapshot s;
	struct balance b;

	(void)state;
	build(FIXTURES "/6.12", NULL, &s, &b);
	assert_null(suspect(&b, "bpf_rings"));
	ARRAY_FREE(&s.vmallocs);
	assert_int_equal(vmallocinfo_parse(text, sizeof(text) - 1, &s.vmallocs), 0);
	balance_build(&s, &(struct beliefs_hint){.page_bytes = 4096}, NULL, &b);
	assert_true(suspect(&b, "bpf_rings")->kb == 522);
	snapshot_free(&s);
}

/* The list of BPF maps says it exactly, and which map it is. */
static void rings_of_listed_maps_are_counted_exactly(void **state)
{
	static const char text[] = "0x1-0x2 1069056 bpf_ringbuf_area_alloc+0x1/0x2 vmap user\n";
	struct snapshot s;
	struct balance b;
	struct bpf_level *l;

	(void)state;
	build(FIXTURES "/6.12", NULL, &s, &b);
	ARRAY_FREE(&s.vmallocs);
	assert_int_equal(vmallocinfo_parse(text, sizeof(text) - 1, &s.vmallocs), 0);
	for (int i = 1; i <= 3; i++) {
		l = ARRAY_PUSH(&s.bpf);
		assert_non_null(l);
		*l = (struct bpf_level){.id = i, .vmalloc = 1 << 20, .pages = i % 3 * 524288};
		snprintf(l->object, sizeof(l->object), "ringbuf events%d", i);
	}
	balance_build(&s, &(struct beliefs_hint){.page_bytes = 4096}, NULL, &b);
	assert_true(suspect(&b, "bpf_rings")->kb == 1536 && !suspect(&b, "bpf_rings")->at_most);
	assert_string_equal(suspect(&b, "bpf_rings")->detail, "most in map 2, ringbuf events2");
	snapshot_free(&s);
}

static void tables_of_each_format_are_read(void **state)
{
	static const char arcstats[] = "13 1 0x01 147 39984 4200 9\nname  type data\n"
				       "hits  4    123\nsize  4    1073741824\nc  4  7\n";
	static const char hyperv[] = "host_version          : 2.0\nstate                 : 3 (I)\n"
				     "pages_ballooned       : 1300000\n";
	static const char vmware[] = "target:       2000 pages\ncurrent:       1500 pages\n";
	static const char ttm[] = "\t  --- 0---\nwc\t:        1\n\ntotal\t:     4096 of  1000000\n";

	(void)state;
	assert_int_equal(table_value_parse(arcstats, sizeof(arcstats) - 1, "size"), 1073741824);
	assert_int_equal(table_value_parse(arcstats, sizeof(arcstats) - 1, "none"), -1);
	assert_int_equal(table_value_parse(hyperv, sizeof(hyperv) - 1, "pages_ballooned"), 1300000);
	assert_int_equal(table_value_parse(vmware, sizeof(vmware) - 1, "current"), 1500);
	assert_int_equal(table_value_parse(ttm, sizeof(ttm) - 1, "total"), 4096);
}

static void places_that_allocate_pages_are_named(void **state)
{
	static const char text[] =
		"allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n"
		"   134479872    32832 kernel/events/ring_buffer.c:811 func:perf_mmap_alloc_page\n"
		"  1014710272   247732 mm/filemap.c:1978 func:__filemap_get_folio\n"
		"  3341238272   412215 drivers/net/ice/ice_txrx.c:681 [ice] func:ice_alloc_page\n"
		"   102489024   533797 fs/dcache.c:1681 func:__d_alloc\n"
		"           0        0 mm/x.c:1 func:never\n";
	struct unlisted u = UNLISTED_NONE;

	(void)state;
	allocinfo_parse(text, sizeof(text) - 1, 4096, &u);
	assert_int_equal(u.nr_sites, 2);
	assert_int_equal(u.sites[0].bytes, 3341238272);
	assert_string_equal(u.sites[0].where,
			    "drivers/net/ice/ice_txrx.c:681 [ice] func:ice_alloc_page");
	assert_int_equal(u.sites[1].bytes, 134479872);
	/* with larger pages, all of these are parts of a page */
	u = UNLISTED_NONE;
	allocinfo_parse(text, sizeof(text) - 1, 16384, &u);
	assert_int_equal(u.nr_sites, 0);
}

static void mappings_and_pinned_pages_are_added_up(void **state)
{
	static const char maps[] =
		"7f0000000000-7f0000021000 rw-s 00000000 00:0e 10 anon_inode:[perf_event]\n"
		"7f0000100000-7f0000500000 rw-s 00000000 00:08 4711 socket:[4711]\n"
		"7f0000600000-7f0000610000 rw-s 10000000 00:0e 10 anon_inode:[io_uring]\n"
		"7f0000700000-7f0000701000 r-xp 00000000 08:01 99 /usr/lib/[perf_event]\n"
		"broken anon_inode:[perf_event]\nffff-1 rw-s 0 0 0 socket:[1]\n";
	static const char status[] = "Name:\tqemu\nVmLck:\t  1 kB\nVmPin:\t  2048 kB\n";
	struct mapping_totals t = {0};

	(void)state;
	maps_parse(maps, sizeof(maps) - 1, &t);
	assert_int_equal(t.perf_kb, 132);
	assert_int_equal(t.packet_kb, 4096);
	assert_int_equal(t.uring_kb, 64);
	pinned_parse(status, sizeof(status) - 1, 7, &t);
	pinned_parse("VmPin:\t 5 kB\n", 13, 8, &t);
	assert_int_equal(t.pinned_kb, 2053);
	assert_string_equal(t.pinned_by, "qemu[7]");
}

static void processes_of_a_tree_are_read_by_a_child(void **state)
{
	char *root = tree_new();
	struct unlisted u = UNLISTED_NONE;

	(void)state;
	tree_put(root, "12/status", "Name:\ta b\nVmPin:\t 100 kB\n");
	tree_put(root, "12/maps", "1000-3000 rw-s 0 00:0e 1 anon_inode:[io_uring]\n");
	tree_put(root, "34/status", "Name:\tc\nVmPin:\t 50 kB\n");
	tree_put(root, "self/status", "VmPin:\t 50 kB\n");
	mappings_read(root, &u);
	assert_int_equal(u.pinned_kb, 150);
	assert_int_equal(u.uring_kb, 8);
	assert_string_equal(u.pinned_by, "a[12]");
	tree_remove(root);
}

/* One answer of netlink: a page pool with so many bytes in flight. */
static size_t put_pool(char *buf, uint64_t bytes, bool wide)
{
	uint32_t small = (uint32_t)bytes;
	size_t size = wide ? sizeof(bytes) : sizeof(small);
	struct nlattr a = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = 5};
	struct nlattr id = {.nla_len = NLA_HDRLEN + 4, .nla_type = 1};
	struct nlmsghdr m = {
		.nlmsg_type = 32,
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + GENL_HDRLEN + 8 + NLA_HDRLEN + size)};

	memset(buf, 0, m.nlmsg_len);
	memcpy(buf, &m, sizeof(m));
	memcpy(buf + NLMSG_HDRLEN + GENL_HDRLEN, &id, sizeof(id));
	memcpy(buf + NLMSG_HDRLEN + GENL_HDRLEN + 8, &a, sizeof(a));
	memcpy(buf + NLMSG_HDRLEN + GENL_HDRLEN + 8 + NLA_HDRLEN,
	       wide ? (void *)&bytes : (void *)&small, size);
	return NLMSG_ALIGN(m.nlmsg_len);
}

static void survive_answer(const char *buf, size_t len)
{
	int64_t bytes = 0;

	page_pools_parse(buf, len, &bytes);
	assert_true(bytes >= -1);
}

static void page_pools_are_added_up(void **state)
{
	struct nlmsghdr done = {.nlmsg_type = NLMSG_DONE, .nlmsg_len = NLMSG_HDRLEN};
	struct nlmsghdr refused = {.nlmsg_type = NLMSG_ERROR, .nlmsg_len = NLMSG_HDRLEN};
	char buf[512];
	int64_t bytes = 0;
	size_t len = put_pool(buf, 4096 * 1024, false);

	(void)state;
	len += put_pool(buf + len, UINT64_C(5) << 30, true);
	assert_false(page_pools_parse(buf, len, &bytes));
	memcpy(buf + len, &done, sizeof(done));
	bytes = 0;
	assert_true(page_pools_parse(buf, len + sizeof(done), &bytes));
	assert_int_equal(bytes, 4096 * 1024 + (INT64_C(5) << 30));
	assert_true(page_pools_parse(&refused, sizeof(refused), &bytes));
	assert_int_equal(bytes, -1);
	tree_damage(buf, len + sizeof(done), survive_answer);
	assert_true(page_pools_read() >= -1); /* whatever this kernel says */
}

static void parse_damaged(const char *buf, size_t len)
{
	struct unlisted u = UNLISTED_NONE;
	struct mapping_totals t = {0};

	allocinfo_parse(buf, len, 4096, &u);
	modules_parse(buf, len, &u);
	table_value_parse(buf, len, "size");
	maps_parse(buf, len, &t);
	pinned_parse(buf, len, 1, &t);
	assert_true(t.perf_kb >= 0 && t.pinned_kb >= 0);
}

static void hostile_bytes_are_survived(void **state)
{
	static const char text[] = "size 4 9\nVmPin: 99999999999999999999 kB\nName:\nName: x\n"
				   "0-ffffffffffffffff rw-s 0 0 0 socket:[1]\n"
				   "9223372036854775807 1 a.c:1 func:x\nhv_balloon\n";

	(void)state;
	tree_damage(text, sizeof(text) - 1, parse_damaged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hyperv_balloon_is_the_first_suspect_of_missing_memory),
		cmocka_unit_test(a_balloon_is_named_by_driver_and_hypervisor),
		cmocka_unit_test(each_suspect_has_its_size_and_source),
		cmocka_unit_test(rings_of_bpf_are_half_of_their_areas),
		cmocka_unit_test(rings_of_listed_maps_are_counted_exactly),
		cmocka_unit_test(tables_of_each_format_are_read),
		cmocka_unit_test(places_that_allocate_pages_are_named),
		cmocka_unit_test(mappings_and_pinned_pages_are_added_up),
		cmocka_unit_test(processes_of_a_tree_are_read_by_a_child),
		cmocka_unit_test(page_pools_are_added_up),
		cmocka_unit_test(hostile_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
