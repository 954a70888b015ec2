// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user would lose: the levels with which everything else is compared. Each parser is
 * compared with a second way of reading (sscanf) on trees recorded on real kernels, and gets
 * hostile bytes.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "proc/pids_limits.h"
#include "proc/snapshot.h"
#include "tree.h"

#define KERNELS_MIN 3

#define assert_i64(a, b) \
	assert_true_msg((int64_t)(a), (int64_t)(b), #a " == " #b, __FILE__, __LINE__)

static void assert_true_msg(int64_t a, int64_t b, const char *what, const char *file, int line)
{
	if (a == b)
		return;
	print_error("%s: %" PRId64 " != %" PRId64 "\n", what, a, b);
	_fail(file, line);
}

/* ---- meminfo, vmstat ---- */

/* Each line of root/file is in *v, in order, as scanf reads it. */
static void named_values_of(const char *root, const char *file,
			    int (*parse)(const char *buf, size_t len, struct named_values *out),
			    const char *line_format, struct named_values *v)
{
	char *buf, *save = NULL, *line;
	size_t len, i = 0;

	buf = tree_read(root, file, &len);
	assert_i64(parse(buf, len, v), 0);
	assert_i64(v->bad_lines, 0);
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save), i++) {
		char name[64];
		int64_t value;

		assert_i64(sscanf(line, line_format, name, &value), 2);
		assert_true(i < v->nr);
		assert_string_equal(v->items[i].name, name);
		assert_i64(v->items[i].value, value);
		assert_i64(named_value_get(v, name, -1), value);
	}
	assert_i64(v->nr, i);
	free(buf);
}

static void meminfo_of_fixture(const char *root)
{
	struct named_values v;

	named_values_of(root, "meminfo", meminfo_parse, "%63[^:]: %" SCNd64, &v);
	assert_true(named_value_get(&v, "MemTotal", 0) > 100000);
	assert_true(named_value_get(&v, "Slab", 0) > 1000);
	assert_i64(named_value_get(&v, "NoSuchLine", -7), -7);
	ARRAY_FREE(&v);
}

static void meminfo_is_read_whole(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(meminfo_of_fixture) >= KERNELS_MIN);
}

static void vmstat_of_fixture(const char *root)
{
	struct named_values v;

	named_values_of(root, "vmstat", vmstat_parse, "%63s %" SCNd64, &v);
	ARRAY_FREE(&v);
}

static void vmstat_is_read_whole(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(vmstat_of_fixture) >= KERNELS_MIN);
}

static void hostile_meminfo_lines_are_counted_and_skipped(void **state)
{
	static const char text[] = "MemTotal:  1 kB\n"
				   "\n"
				   "NoColon 5 kB\n"
				   ": 5 kB\n"
				   "NoValue:\n"
				   "NoNumber: x kB\n"
				   "Negative: -5 kB\n"
				   "Wrapped: 18446744073709551000 kB\n"
				   "TooMuch: 9007199254740992 kB\n"
				   "Over64Bits: 99999999999999999999999 kB\n"
				   "Unit: 5 MB\n"
				   "HugePages_Total:  7\n"
				   "Last: 9 kB";
	struct named_values v;

	(void)state;
	assert_i64(meminfo_parse(text, sizeof(text) - 1, &v), 0);
	assert_i64(v.nr, 3);
	assert_i64(v.bad_lines, 10);
	assert_i64(named_value_get(&v, "MemTotal", -1), 1);
	assert_i64(named_value_get(&v, "HugePages_Total", -1), 7);
	assert_i64(named_value_get(&v, "Last", -1), 9);
	ARRAY_FREE(&v);
}

static void a_name_too_long_is_cut(void **state)
{
	struct named_values v;
	char text[300];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + 290, " 12", 3);
	assert_i64(vmstat_parse(text, 293, &v), 0);
	assert_i64(v.nr, 1);
	assert_i64(strlen(v.items[0].name), LEVEL_NAME_MAX - 1);
	assert_i64(v.items[0].value, 12);
	ARRAY_FREE(&v);
}

/* ---- slabinfo ---- */

static void slabinfo_of_fixture(const char *root)
{
	int64_t pages = 0, slab_kb;
	struct named_values meminfo;
	char *buf, *mem, *save = NULL, *line;
	struct slab_levels slabs;
	size_t len, i = 0;

	buf = tree_read(root, "slabinfo", &len);
	assert_i64(slabinfo_parse(buf, len, &slabs), 0);
	assert_i64(slabs.bad_lines, 0);
	strtok_r(buf, "\n", &save);
	strtok_r(NULL, "\n", &save);
	for (line = strtok_r(NULL, "\n", &save); line; line = strtok_r(NULL, "\n", &save), i++) {
		struct slab_level want, *got = &slabs.items[i];

		assert_true(i < slabs.nr);
		assert_i64(sscanf(line,
				  "%63s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
				  " : tunables %*d %*d %*d : slabdata %" SCNd64 " %" SCNd64,
				  want.name, &want.active_objs, &want.num_objs, &want.object_size,
				  &want.objs_per_slab, &want.pages_per_slab, &want.active_slabs,
				  &want.num_slabs),
			   8);
		assert_string_equal(got->name, want.name);
		assert_i64(got->active_objs, want.active_objs);
		assert_i64(got->num_objs, want.num_objs);
		assert_i64(got->object_size, want.object_size);
		assert_i64(got->objs_per_slab, want.objs_per_slab);
		assert_i64(got->pages_per_slab, want.pages_per_slab);
		assert_i64(got->active_slabs, want.active_slabs);
		assert_i64(got->num_slabs, want.num_slabs);
		pages += got->num_slabs * got->pages_per_slab;
	}
	assert_i64(slabs.nr, i);

	/* Slab consists of caches and large kmalloc: the caches are most of it, and never much
	 * more. */
	mem = tree_read(root, "meminfo", &len);
	assert_i64(meminfo_parse(mem, len, &meminfo), 0);
	slab_kb = named_value_get(&meminfo, "Slab", 0);
	assert_true(pages * 4 < slab_kb + slab_kb / 20);
	assert_true(pages * 4 > slab_kb / 2);
	ARRAY_FREE(&meminfo);
	ARRAY_FREE(&slabs);
	free(buf);
	free(mem);
}

static void slabinfo_is_read_whole(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(slabinfo_of_fixture) >= KERNELS_MIN);
}

#define SLAB_TAIL " : tunables 0 0 0 : slabdata 1 2 0\n"

static void hostile_slabinfo_lines_are_counted_and_skipped(void **state)
{
	static const char text[] =
		"slabinfo - version: 2.1\n"
		"# name            <active_objs> <num_objs>\n"
		"good 1 2 3 4 5" SLAB_TAIL "with blanks(1:a b) 6 7 8 9 10" SLAB_TAIL
		"wrapped 18446744073709551614 2 3 4 5" SLAB_TAIL "1 2 3 4 5" SLAB_TAIL /* no name */
		"short 2 3 4" SLAB_TAIL                /* a column missing */
		"minus -1 2 3 4 5" SLAB_TAIL           /* not a count */
		"huge 1 9999999999999 3 4 5" SLAB_TAIL /* more objects than any machine holds */
		"over 1 99999999999999999999 3 4 5" SLAB_TAIL
		"tunables 1 2 3 4 5 : tunables 0 0 0\n" /* no slabdata */
		"cut 1 2 3 4 5 : tunables 0 0 0 : slabdata 1\n"
		" : tunables  : slabdata \n"
		"\n"
		"last 1 2 3 4 5 : tunables 0 0 0 : slabdata 8 9";
	struct slab_levels s;

	(void)state;
	assert_i64(slabinfo_parse(text, sizeof(text) - 1, &s), 0);
	assert_i64(s.nr, 4);
	assert_i64(s.bad_lines, 9);
	assert_string_equal(s.items[0].name, "good");
	assert_string_equal(s.items[1].name, "with blanks(1:a b)");
	assert_i64(s.items[1].active_objs, 6);
	assert_i64(s.items[1].pages_per_slab, 10);
	assert_string_equal(s.items[2].name, "wrapped");
	assert_i64(s.items[2].active_objs, 0);
	assert_i64(s.items[3].active_slabs, 8);
	assert_i64(s.items[3].num_slabs, 9);
	assert_i64(s.items[3].cpu_free, -1);
	ARRAY_FREE(&s);
}

/* ---- zoneinfo ---- */

/* The sum of the numbers after `prefix` on the lines of the zone with that index. */
static int64_t zone_sum(const char *text, size_t want_zone, const char *prefix)
{
	int64_t sum = 0, value;
	size_t zone = 0;
	char line[256];

	for (const char *p = text; *p; p += strcspn(p, "\n") + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(p, "\n"), p);
		zone += !strncmp(line, "Node ", 5);
		if (zone == want_zone + 1 && !strncmp(line, prefix, strlen(prefix)) &&
		    sscanf(line + strlen(prefix), "%" SCNd64, &value) == 1)
			sum += value;
	}
	return sum;
}

static void zoneinfo_of_fixture(const char *root)
{
	struct zone_levels zones;
	size_t len, i = 0;
	char *buf;

	buf = tree_read(root, "zoneinfo", &len);
	assert_i64(zoneinfo_parse(buf, len, &zones), 0);
	assert_i64(zones.bad_lines, 0);
	for (const char *p = buf; (p = strstr(p, "Node ")); p++, i++) {
		const struct zone_level *z = &zones.items[i];
		char name[16];
		int node;

		assert_true(i < zones.nr);
		assert_i64(sscanf(p, "Node %d, zone %15s", &node, name), 2);
		assert_i64(z->node, node);
		assert_string_equal(z->zone, name);
		assert_i64(z->free, zone_sum(buf, i, "  pages free"));
		assert_i64(z->spanned, zone_sum(buf, i, "        spanned"));
		assert_i64(z->present, zone_sum(buf, i, "        present"));
		assert_i64(z->managed, zone_sum(buf, i, "        managed"));
		assert_i64(z->pcp, zone_sum(buf, i, "              count:"));
		assert_true(z->managed <= z->present && z->present <= z->spanned);
	}
	assert_i64(zones.nr, i);
	assert_true(zones.nr >= 2);
	ARRAY_FREE(&zones);
	free(buf);
}

static void zoneinfo_is_read_whole(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(zoneinfo_of_fixture) >= KERNELS_MIN);
}

static void hostile_zoneinfo_lines_reach_no_other_zone(void **state)
{
	static const char text[] = "  pages free     9\n" /* before any zone: bad */
				   "Node 0, zone   Normal\n"
				   "  pages free     100\n"
				   "  pages\n"
				   "        spanned  nonsense\n"             /* bad */
				   "        present  99999999999999999999\n" /* bad */
				   "        managed  70\n"
				   "        new_in_9.0  1 2 3\n"
				   "              count:    5\n"
				   "              count:\n" /* bad */
				   "              count:    6\n"
				   "Node x, zone\n"     /* bad */
				   "  pages free 777\n" /* of no zone: bad */
				   "Node 3, zone Averyveryverylongname\n"
				   "        managed 8";
	struct zone_levels z;

	(void)state;
	assert_i64(zoneinfo_parse(text, sizeof(text) - 1, &z), 0);
	assert_i64(z.bad_lines, 6);
	assert_i64(z.nr, 2);
	assert_i64(z.items[0].free, 100);
	assert_i64(z.items[0].spanned, 0);
	assert_i64(z.items[0].present, 0);
	assert_i64(z.items[0].managed, 70);
	assert_i64(z.items[0].pcp, 11);
	assert_i64(z.items[1].node, 3);
	assert_i64(z.items[1].managed, 8);
	assert_i64(strlen(z.items[1].zone), sizeof(z.items[1].zone) - 1);
	ARRAY_FREE(&z);
}

/* ---- vmallocinfo ---- */

static void vmallocinfo_of_fixture(const char *root)
{
	int64_t areas = 0, bytes = 0, want_areas = 0, want_bytes = 0, used, kb;
	struct named_values meminfo;
	struct vmalloc_levels v;
	char *buf, *mem;
	size_t len;

	buf = tree_read(root, "vmallocinfo", &len);
	assert_i64(vmallocinfo_parse(buf, len, &v), 0);
	assert_i64(v.bad_lines, 0);
	for (const char *p = buf; *p; p += strcspn(p, "\n") + 1) {
		int64_t size;

		assert_i64(sscanf(p, "%*s %" SCNd64, &size), 1);
		want_areas++;
		want_bytes += size;
	}
	for (size_t i = 0; i < v.nr; i++) {
		areas += v.items[i].areas;
		bytes += v.items[i].bytes;
		assert_null(strchr(v.items[i].caller, '/'));
		if (v.items[i].kind != VMALLOC_VMALLOC)
			assert_i64(v.items[i].pages, 0);
		for (size_t j = 0; j < i; j++)
			assert_false(v.items[i].kind == v.items[j].kind &&
				     !strcmp(v.items[i].caller, v.items[j].caller));
	}
	assert_i64(areas, want_areas);
	assert_i64(bytes, want_bytes);

	/* The files were read one after the other, so a few stacks may have changed. */
	mem = tree_read(root, "meminfo", &len);
	assert_i64(meminfo_parse(mem, len, &meminfo), 0);
	used = named_value_get(&meminfo, "VmallocUsed", -1);
	kb = vmalloc_levels_pages(&v) * 4;
	print_message("%s: VmallocUsed %" PRId64 " kB, sum of pages %" PRId64 " kB\n",
		      strrchr(root, '/') + 1, used, kb);
	assert_true(kb >= used - 64 && kb <= used + 64);
	ARRAY_FREE(&meminfo);
	ARRAY_FREE(&v);
	free(buf);
	free(mem);
}

static void vmallocinfo_adds_up_to_vmallocused(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(vmallocinfo_of_fixture) >= KERNELS_MIN);
}

static const struct vmalloc_level *vmalloc_find(const struct vmalloc_levels *v, const char *caller,
						enum vmalloc_kind kind)
{
	for (size_t i = 0; i < v->nr; i++)
		if (!strcmp(v->items[i].caller, caller) && v->items[i].kind == kind)
			return &v->items[i];
	fail_msg("no level of kind %d with caller '%s'", (int)kind, caller);
	return NULL;
}

#define AREA "0x0000000000000000-0x0000000000000000 "

static void every_kind_of_vmalloc_area_is_told_apart(void **state)
{
	static const char text[] = AREA
		"  20480 kernel_clone+0x94/0x3e0 pages=4 vmalloc N0=4\n" AREA
		"  20480 kernel_clone+0x94/0x3e0 pages=4 vmalloc N0=3 N1=1\n" AREA
		"8392704 alloc_large_system_hash+0x127/0x246 pages=2048 vmalloc vpages "
		"N0=2048\n" AREA
		"  12288 load_module+0x1a/0x2000 [my_mod] pages=2 vmalloc user N0=2\n" AREA
		"   8192 acpi_os_map_iomem+0x1bc/0x1e0 phys=0x00000000000a0000 ioremap\n" AREA
		"  20480 irq_init_percpu_irqstack+0xca/0x100 vmap\n" AREA
		"  20480 gem_vmap+0x1/0x2 pages=4 vmap\n" /* VM_MAP_PUT_PAGES: not in VmallocUsed */
		AREA "2097152 pcpu_get_vm_areas+0x0/0x1180 vmalloc\n" AREA
		"   8192 dma_common_contiguous_remap+0x5/0x10 dma-coherent\n" AREA
		"   4096 vm_map_ram\n" AREA "  20480 unpurged vm_area\n" AREA
		"   8192 0xffffffffc0123456 pages=1 vmalloc N0=1\n" AREA "   8192";
	const struct vmalloc_level *l;
	struct vmalloc_levels v;

	(void)state;
	assert_i64(vmallocinfo_parse(text, sizeof(text) - 1, &v), 0);
	assert_i64(v.bad_lines, 0);
	l = vmalloc_find(&v, "kernel_clone+0x94", VMALLOC_VMALLOC);
	assert_i64(l->areas, 2);
	assert_i64(l->bytes, 40960);
	assert_i64(l->pages, 8);
	assert_i64(vmalloc_find(&v, "alloc_large_system_hash+0x127", VMALLOC_VMALLOC)->pages, 2048);
	assert_i64(vmalloc_find(&v, "load_module+0x1a [my_mod]", VMALLOC_VMALLOC)->pages, 2);
	vmalloc_find(&v, "acpi_os_map_iomem+0x1bc", VMALLOC_IOREMAP);
	vmalloc_find(&v, "irq_init_percpu_irqstack+0xca", VMALLOC_VMAP);
	assert_i64(vmalloc_find(&v, "gem_vmap+0x1", VMALLOC_VMAP)->pages, 4);
	vmalloc_find(&v, "pcpu_get_vm_areas+0x0", VMALLOC_PERCPU);
	vmalloc_find(&v, "dma_common_contiguous_remap+0x5", VMALLOC_OTHER);
	vmalloc_find(&v, "", VMALLOC_VM_MAP_RAM);
	assert_i64(vmalloc_find(&v, "", VMALLOC_OTHER)->bytes, 20480 + 8192);
	/* an address must not reach a capture as a name */
	assert_i64(vmalloc_find(&v, "", VMALLOC_VMALLOC)->pages, 1);
	assert_i64(vmalloc_levels_pages(&v), 8 + 2048 + 2 + 1);
	ARRAY_FREE(&v);
}

static void hostile_vmallocinfo_lines_are_counted_and_skipped(void **state)
{
	static const char text[] =
		"\n"
		"0x0 20480 f+0x1/0x2 pages=1 vmalloc\n" AREA
		"minus f+0x1/0x2 pages=1 vmalloc\n" AREA "-20480 f+0x1/0x2 pages=1 vmalloc\n" AREA
		"20480 f+0x1/0x2 pages= vmalloc\n" AREA
		"20480 f+0x1/0x2 pages=99999999999999999999 vmalloc\n" AREA
		"9223372036854775807 f+0x1/0x2 vmalloc\n" AREA
		"144115188075855872 f+0x1/0x2 vmalloc\n" /* 2^57: all there is … */
		AREA "1 f+0x1/0x2 vmalloc\n";            /* … and one more */
	struct vmalloc_levels v;

	(void)state;
	assert_i64(vmallocinfo_parse(text, sizeof(text) - 1, &v), 0);
	assert_i64(v.bad_lines, 8);
	assert_i64(v.nr, 1);
	assert_i64(v.items[0].areas, 1);
	ARRAY_FREE(&v);
}

/* ---- all of them ---- */

/*
 * A million areas are 100 MB of text. The reader reads them in pieces, and must find the same as
 * the parser in the whole text: also a line across two pieces, and a line longer than a piece.
 */
static void vmallocinfo_of_any_size_is_read_in_pieces(void **state)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fclose_ FILE *f = tmpfile();
	struct vmalloc_levels whole, pieces;
	size_t len = 0;

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 30000; i++)
		fprintf(f, "0x%016x-0x%016x   20480 caller_%d+0x1a/0x%x pages=4 vmalloc N0=%.*s4\n",
			i, i + 1, i % 7, i, i % 61,
			"000000000000000000000000000000000000000000000000000000000000");
	fprintf(f, "%*s\n0x1-0x2   8192 last+0x1/0x2 pages=1 vmalloc", (int)FILE_PIECE * 2, "long");
	rewind(f);
	assert_int_equal(file_read_fd(fileno(f), &text, &len), 0);
	assert_true(len > 10 * FILE_PIECE);
	assert_i64(vmallocinfo_parse(text, len, &whole), 0);
	rewind(f);
	assert_i64(vmallocinfo_read(fileno(f), &pieces), 0);
	assert_int_equal(pieces.nr, 8);
	assert_i64(vmalloc_levels_pages(&pieces), 4 * 30000 + 1);
	assert_int_equal(pieces.nr, whole.nr);
	assert_memory_equal(pieces.items, whole.items, whole.nr * sizeof(*whole.items));
	assert_true(pieces.bad_lines > 0);
	ARRAY_FREE(&whole);
	ARRAY_FREE(&pieces);
}

static void parse_all(const char *buf, size_t len)
{
	struct named_values n;
	struct vmalloc_levels v;
	struct slab_levels s;
	struct zone_levels z;

	assert_i64(meminfo_parse(buf, len, &n), 0);
	ARRAY_FREE(&n);
	assert_i64(vmstat_parse(buf, len, &n), 0);
	ARRAY_FREE(&n);
	assert_i64(slabinfo_parse(buf, len, &s), 0);
	ARRAY_FREE(&s);
	assert_i64(zoneinfo_parse(buf, len, &z), 0);
	ARRAY_FREE(&z);
	assert_i64(vmallocinfo_parse(buf, len, &v), 0);
	assert_true(vmalloc_levels_pages(&v) >= 0);
	ARRAY_FREE(&v);
}

static void damage_fixture(const char *root)
{
	static const char *const names[] = {"meminfo", "vmstat", "slabinfo", "zoneinfo",
					    "vmallocinfo"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t len;
		char *buf = tree_read(root, names[i], &len);

		tree_damage(buf, len < 20000 ? len : 20000, parse_all);
		free(buf);
	}
}

static void damaged_files_never_crash_a_parser(void **state)
{
	(void)state;
	parse_all("", 0);
	tree_each_fixture(damage_fixture);
}

static void snapshot_of_fixture(const char *root)
{
	struct snapshot s;

	assert_i64(snapshot_read(root, SNAPSHOT_ALL, &s), 0);
	assert_true(s.meminfo.nr && s.vmstat.nr && s.slabs.nr && s.zones.nr && s.vmallocs.nr);
	assert_i64(s.tasks.nr, 0);
	assert_true(s.wall_s > 1e9);
	snapshot_free(&s);

	assert_i64(snapshot_read(root, SNAPSHOT_MEMINFO | SNAPSHOT_ZONEINFO, &s), 0);
	assert_true(s.meminfo.nr && s.zones.nr);
	assert_true(!s.vmstat.nr && !s.slabs.nr && !s.vmallocs.nr);
	snapshot_free(&s);
}

static void a_snapshot_holds_the_parts_asked_for(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(snapshot_of_fixture) >= KERNELS_MIN);
}

static void a_snapshot_without_the_root_only_files_still_works(void **state)
{
	char *dir = tree_new();
	struct snapshot s, untouched;

	(void)state;
	memset(&s, 0x5a, sizeof(s));
	untouched = s;
	assert_i64(snapshot_read(dir, SNAPSHOT_ALL, &s), -ENOENT);
	assert_memory_equal(&s, &untouched, sizeof(s));
	tree_put(dir, "meminfo", "MemTotal: 5 kB\n");
	assert_i64(snapshot_read(dir, SNAPSHOT_ALL, &s), 0);
	assert_i64(s.meminfo.nr, 1);
	assert_i64(s.slabs.nr, 0);
	snapshot_free(&s);
	tree_remove(dir);
}

/* Threads and files have their own limits, and dentries can be negative; no line of meminfo or
 * vmstat shows that. */
static void limits_of_threads_and_files_are_read(void **state)
{
	char *dir = tree_new();
	struct snapshot s;

	(void)state;
	tree_put(dir, "meminfo", "MemTotal: 5 kB\n");
	tree_put(dir, "vmstat", "nr_free_pages 7\n");
	tree_put(dir, "sys/fs/dentry-state", "197153\t183581\t45\t0\t76270\t0\n");
	tree_put(dir, "sys/fs/file-nr", "857\t0\t9223372036854775807\n");
	tree_put(dir, "sys/kernel/threads-max", "192730\n");
	tree_put(dir, "sys/kernel/pid_max", "nonsense\n");
	tree_put(dir, "loadavg", "0.00 0.01 0.05 3/127 4567\n");
	assert_i64(snapshot_read(dir, SNAPSHOT_ALL, &s), 0);
	assert_i64(named_value_get(&s.vmstat, "nr_free_pages", -1), 7);
	assert_i64(named_value_get(&s.vmstat, "fs.dentry-state.nr", -1), 197153);
	assert_i64(named_value_get(&s.vmstat, "fs.dentry-state.unused", -1), 183581);
	assert_i64(named_value_get(&s.vmstat, "fs.dentry-state.negative", -1), 76270);
	assert_i64(named_value_get(&s.vmstat, "fs.file-nr", -1), 857);
	assert_i64(named_value_get(&s.vmstat, "fs.file-max", -1), INT64_MAX);
	assert_i64(named_value_get(&s.vmstat, "kernel.threads-max", -1), 192730);
	assert_i64(named_value_get(&s.vmstat, "kernel.pid_max", -1), -1);
	assert_i64(named_value_get(&s.vmstat, "kernel.threads", -1), 127);
	assert_i64(s.vmstat.nr, 8);
	snapshot_free(&s);
	assert_i64(snapshot_read(dir, SNAPSHOT_ALL & ~SNAPSHOT_COUNTERS, &s), 0);
	assert_i64(s.vmstat.nr, 1);
	snapshot_free(&s);
	tree_remove(dir);
}

/* pids.max of a cgroup limits its threads long before the limit of the machine. */
static void the_limit_of_threads_of_a_cgroup_is_read(void **state)
{
	char *dir = tree_new(), mounts[PATH_MAX + 64];
	struct pids_limits limits;

	(void)state;
	assert_i64(pids_limits_read(dir, &limits), -ENOENT);
	snprintf(mounts, sizeof(mounts), "cgroup %s/tree cgroup rw,pids 0 0\n", dir);
	tree_put(dir, "self/mounts", mounts);
	tree_put(dir, "tree/a.slice/pids.max", "max\n");
	tree_put(dir, "tree/a.slice/pids.current", "900\n");
	tree_put(dir, "tree/a.slice/b.service/pids.max", "1000\n");
	tree_put(dir, "tree/a.slice/b.service/pids.current", "100\n");
	tree_put(dir, "tree/c.service/pids.max", "50\n");
	tree_put(dir, "tree/c.service/pids.current", "49\n");
	tree_put(dir, "tree/d.service/pids.max", "70\n"); /* gone meanwhile */
	assert_i64(pids_limits_read(dir, &limits), 0);
	assert_i64(limits.nr, 2);
	pids_limits_sort(&limits);
	assert_string_equal(limits.items[0].path, "/c.service");
	assert_i64(limits.items[0].max, 50);
	assert_i64(limits.items[0].current, 49);
	assert_i64(pids_limits_find(&limits, "/a.slice/b.service")->max, 1000);
	assert_null(pids_limits_find(&limits, "/a.slice"));
	pids_limits_free(&limits);
	tree_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meminfo_is_read_whole),
		cmocka_unit_test(vmstat_is_read_whole),
		cmocka_unit_test(hostile_meminfo_lines_are_counted_and_skipped),
		cmocka_unit_test(a_name_too_long_is_cut),
		cmocka_unit_test(slabinfo_is_read_whole),
		cmocka_unit_test(hostile_slabinfo_lines_are_counted_and_skipped),
		cmocka_unit_test(zoneinfo_is_read_whole),
		cmocka_unit_test(hostile_zoneinfo_lines_reach_no_other_zone),
		cmocka_unit_test(vmallocinfo_adds_up_to_vmallocused),
		cmocka_unit_test(every_kind_of_vmalloc_area_is_told_apart),
		cmocka_unit_test(hostile_vmallocinfo_lines_are_counted_and_skipped),
		cmocka_unit_test(vmallocinfo_of_any_size_is_read_in_pieces),
		cmocka_unit_test(damaged_files_never_crash_a_parser),
		cmocka_unit_test(a_snapshot_holds_the_parts_asked_for),
		cmocka_unit_test(a_snapshot_without_the_root_only_files_still_works),
		cmocka_unit_test(limits_of_threads_and_files_are_read),
		cmocka_unit_test(the_limit_of_threads_of_a_cgroup_is_read),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
