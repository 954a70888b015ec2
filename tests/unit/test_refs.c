// SPDX-License-Identifier: GPL-2.0-only
/*
 * What points to objects, without a kernel. What a user would lose: that device memory is never
 * read, that every page frame is read once, that "leaked" is said only where it holds, and that a
 * field gets the name of the right struct or none.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/btf.h>

#include "base/random.h"
#include "findings/refs_findings.h"
#include "golden.h"
#include "model/refs.h"
#include "proc/iomem.h"
#include "render/refs.h"
#include "trace/refs_memory.h"
#include "trace/refs_referrers.h"

/* ---- which memory is read ---- */

static const char iomem_text[] = "00000000-00000fff : Reserved\n"
				 "00001000-0009fbff : System RAM\n"
				 "000a0000-000fffff : PCI Bus 0000:00\n"
				 "00100000-bfffffff : System RAM\n"
				 "  01000000-02209987 : Kernel code\n"
				 "  02400000-02e09fff : Kernel rodata\n"
				 "  03000000-0327c0ff : Kernel data\n"
				 "  20000000-2fffffff : Crash kernel\n"
				 "  b8000000-bbffffff : GART\n"
				 "fec00000-fec003ff : IOAPIC 0\n"
				 "100000000-63fffffff : System RAM\n"
				 "  180000000-1bfffffff : reserved\n"
				 "640000000-67fffffff : Persistent Memory\n"
				 "  640000000-67fffffff : namespace0.0\n"
				 "680000000-6ffffffff : System RAM (kmem)\n";

static bool ram_has(const struct iomem_ranges *r, uint64_t byte)
{
	for (size_t i = 0; i < r->nr; i++)
		if (byte >= r->items[i].first && byte < r->items[i].end)
			return true;
	return false;
}

static void only_ram_of_the_kernel_is_read(void **state)
{
	static const uint64_t yes[] = {0x1000,      0x9fbff,     0x100000,    0x2400000,
				       0x3000000,   0x1fffffff,  0x30000000,  0xb7ffffff,
				       0xbc000000,  0xbfffffff,  0x100000000, 0x180000000,
				       0x63fffffff, 0x680000000, 0x6ffffffff};
	static const uint64_t no[] = {0,          0x9fc00,     0xa0000,     0xfffff,
				      0x1000000,  0x2209987,   0x20000000,  0x2fffffff,
				      0xb8000000, 0xbbffffff,  0xc0000000,  0xfec00000,
				      0xffffffff, 0x640000000, 0x67fffffff, 0x700000000};
	struct iomem_ranges ram = {0};

	(void)state;
	assert_int_equal(iomem_ram_parse(iomem_text, strlen(iomem_text), &ram), 0);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(ram_has(&ram, yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(ram_has(&ram, no[i]));
	for (size_t i = 1; i < ram.nr; i++)
		assert_true(ram.items[i - 1].end <= ram.items[i].first);
	ARRAY_FREE(&ram);
}

static void hidden_addresses_and_no_ram_are_refused(void **state)
{
	static const char hidden[] = "00000000-00000000 : Reserved\n"
				     "00000000-00000000 : System RAM\n"
				     "  00000000-00000000 : Kernel code\n";
	static const char devices[] =
		"fec00000-fec003ff : IOAPIC 0\nnonsense\n: \n-5 : System RAM\n";
	struct iomem_ranges ram = {0};

	(void)state;
	assert_int_equal(iomem_ram_parse(hidden, strlen(hidden), &ram), -EPERM);
	assert_int_equal(iomem_ram_parse(devices, strlen(devices), &ram), -ENODATA);
	assert_int_equal(iomem_ram_parse("", 0, &ram), -ENODATA);
	assert_null(ram.items);
}

static void memory_build(uint64_t seed, const uint64_t *own, size_t nr_own, struct refs_memory *out)
{
	struct frame_range zone[] = {{1, 0x100000, 0}, {0x100000, 0x640000, 0}};
	struct iomem_ranges ram = {0};
	const struct frame_ranges zones = {.items = zone, .nr = 2};
	struct refs_memory_input in = {.zones = &zones,
				       .ram = &ram,
				       .page_shift = 12,
				       .own = own,
				       .nr_own = nr_own,
				       .seed = seed};

	assert_int_equal(iomem_ram_parse(iomem_text, strlen(iomem_text), &ram), 0);
	assert_int_equal(refs_memory_build(&in, out), 0);
	ARRAY_FREE(&ram);
}

static void each_frame_is_read_once_and_the_tools_own_never(void **state)
{
	/* the first and the last of a chunk, some in a row, one twice, and one that is no RAM */
	static const uint64_t own[] = {1,        0x150000, 0x150001, 0x150002,
				       0x150002, 0x1507ff, 0x150800, 0x640000};
	uint8_t *seen = calloc(0x640000, 1);
	struct refs_memory m = {0};
	uint64_t frames = 0;

	(void)state;
	memory_build(5, own, sizeof(own) / sizeof(own[0]), &m);
	for (size_t i = 0; i < m.nr; i++) {
		const struct frame_range *chunk = &m.items[i];

		assert_true(chunk->end > chunk->first && chunk->end <= 0x640000);
		/* a chunk is in one run of blocks */
		assert_int_equal(chunk->first / REFS_CHUNK, (chunk->end - 1) / REFS_CHUNK);
		for (uint64_t pfn = chunk->first; pfn < chunk->end; pfn++, frames++)
			assert_int_equal(seen[pfn]++, 0);
	}
	assert_int_equal(frames, m.frames);
	for (size_t i = 0; i + 1 < sizeof(own) / sizeof(own[0]); i++)
		assert_int_equal(seen[own[i]], 0);
	assert_int_equal(seen[2], 1);
	assert_int_equal(seen[0x14ffff], 1);
	assert_int_equal(seen[0x150003], 1);
	assert_int_equal(seen[0x150801], 1);
	assert_int_equal(seen[0x1000], 0);  /* kernel code */
	assert_int_equal(seen[0x20000], 0); /* crash kernel */
	assert_int_equal(seen[0x63ffff], 1);
	assert_int_equal(m.end, 0x640000);
	free(seen);
	ARRAY_FREE(&m);
}

/* A scan that is stopped has seen a random part: the first tenth is not the lowest memory. */
static void memory_is_read_in_random_order(void **state)
{
	struct refs_memory m = {0};
	uint64_t low = 0, nr;

	(void)state;
	memory_build(5, NULL, 0, &m);
	nr = m.nr / 10;
	assert_true(nr > 100);
	for (size_t i = 0; i < nr; i++)
		low += m.items[i].first < 0x370000; /* about half of it */
	assert_in_range(low, nr * 3 / 10, nr * 7 / 10);
	ARRAY_FREE(&m);
}

/* ---- intervals ---- */

static void intervals_of_shares_are_those_of_clopper_and_pearson(void **state)
{
	struct refs_share s = refs_share_of(0, 385, false);

	(void)state;
	assert_float_equal(s.low, 0, 0);
	assert_float_equal(s.high, 1 - pow(0.025, 1 / 385.0), 1e-9);
	s = refs_share_of(385, 385, false);
	assert_float_equal(s.low, pow(0.025, 1 / 385.0), 1e-9);
	assert_float_equal(s.high, 1, 0);
	s = refs_share_of(10, 100, false); /* tables: 4.90 to 17.62 % */
	assert_float_equal(s.low, 0.0490, 0.00005);
	assert_float_equal(s.high, 0.1762, 0.00005);
	s = refs_share_of(3, 4, true);
	assert_float_equal(s.low, 0.75, 0);
	assert_float_equal(s.high, 0.75, 0);
	assert_true(isnan(refs_share_of(0, 0, false).share));
}

/* The interval holds in at least 95 of 100 samples, for any share. */
static void intervals_of_shares_hold(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (double p = 0.005; p < 1; p += 0.0995) {
		int holds = 0;

		for (int run = 0; run < 1000; run++) {
			struct refs_share s;
			uint64_t hits = 0;

			for (int i = 0; i < 100; i++)
				hits += (double)random_below(&seed, 1000000) < p * 1000000;
			s = refs_share_of(hits, 100, false);
			holds += s.low <= p && p <= s.high;
		}
		assert_true(holds >= 930); /* by chance once in 500 times */
	}
}

/* ---- verdict ---- */

/* 385 of 20,000 objects, of which nothing points to `lost`. */
static void refs_make(struct refs *r, uint64_t lost)
{
	*r = (struct refs){.cache = "kmalloc-512",
			   .object_bytes = 512,
			   .wall_s = 1795000000,
			   .took_s = 4.2,
			   .cpu_s = 1.25,
			   .page_bytes = 4096,
			   .in_use = 20000,
			   .found_all = true,
			   .apart_s = 3,
			   .sample = {.checked = 385, .unreferenced = lost, .freed = 4},
			   .control = {.checked = 385, .unreferenced = 2},
			   .control_kind = REFS_CONTROL_OTHER,
			   .referenced = 385 - lost};
	for (int i = 0; i < REFS_SCANS; i++)
		r->scans[i] = (struct refs_scan){
			.frames = 1000,
			.frames_all = 1000,
			.pages = {[CENSUS_SLAB] = 200000, [CENSUS_REST] = 100000},
			.cpu_s = 0.4};
}

static enum refs_verdict verdict_of(const struct refs *r)
{
	struct refs_sheet s;

	refs_sheet_build(r, &s);
	return s.verdict;
}

static void leaked_is_said_only_if_all_rules_hold(void **state)
{
	struct refs r;

	(void)state;
	refs_make(&r, 377);
	assert_int_equal(verdict_of(&r), REFS_LEAKED);
	for (int i = 0; i < REFS_SCANS; i++) { /* one frame was not looked at */
		refs_make(&r, 377);
		r.scans[i].frames--;
		assert_int_equal(verdict_of(&r), REFS_PARTIAL);
	}
	refs_make(&r, 377);
	r.control.checked = 29;
	assert_int_equal(verdict_of(&r), REFS_NO_CONTROL);
	r.control.checked = 30;
	assert_int_equal(verdict_of(&r), REFS_LEAKED);
	refs_make(&r, 377);
	r.control.unreferenced = 39; /* 10.1 % */
	assert_int_equal(verdict_of(&r), REFS_BLIND);
	r.control.unreferenced = 38; /* 9.9 %; the high end is 13.3 % */
	assert_int_equal(verdict_of(&r), REFS_LEAKED);
	r.sample.unreferenced = 110; /* 28.6 %, of which the low end is 24.1 % */
	assert_int_equal(verdict_of(&r), REFS_UNDECIDED);
	r.sample.unreferenced = 125; /* 32.5 %; 27.8 % */
	assert_int_equal(verdict_of(&r), REFS_LEAKED);
	refs_make(&r, 9);
	r.sample.checked = 9;
	assert_int_equal(verdict_of(&r), REFS_FEW_OBJECTS);
	r.all_objects = true;
	assert_int_equal(verdict_of(&r), REFS_LEAKED);
	r.sample.checked = r.sample.unreferenced = 0;
	assert_int_equal(verdict_of(&r), REFS_FEW_OBJECTS);
}

static void few_unreferenced_objects_are_no_leak(void **state)
{
	struct refs r;

	(void)state;
	refs_make(&r, 0);
	assert_int_equal(verdict_of(&r), REFS_HELD);
	r.control.checked = 0; /* a pointer is a pointer */
	assert_int_equal(verdict_of(&r), REFS_HELD);
	refs_make(&r, 9); /* 2.3 %, the high end 4.4 % */
	assert_int_equal(verdict_of(&r), REFS_HELD);
	refs_make(&r, 12); /* 3.1 %; 1.6 to 5.4 % */
	assert_int_equal(verdict_of(&r), REFS_UNDECIDED);
	refs_make(&r, 24); /* 6.2 %; 4.0 % or more, but the control has up to 1.9 % */
	assert_int_equal(verdict_of(&r), REFS_LEAKED);
	r.control.unreferenced = 3; /* up to 2.3 % */
	assert_int_equal(verdict_of(&r), REFS_UNDECIDED);
}

static void objects_of_their_own_kind_alone_are_no_verdict(void **state)
{
	struct refs r;

	(void)state;
	refs_make(&r, 0);
	r.sample.own_kind = 214; /* 55.6 %; 50.5 % or more */
	assert_int_equal(verdict_of(&r), REFS_OWN_KIND);
	r.sample.own_kind = 210;
	assert_int_equal(verdict_of(&r), REFS_HELD);
	refs_make(&r, 100);
	r.sample.own_kind = 250;
	assert_int_equal(verdict_of(&r), REFS_LEAKED); /* of what nothing points to */
}

static void a_dropped_ring_is_leaked_and_a_kept_list_is_not(void **state)
{
	struct refs r;

	(void)state;
	refs_make(&r, 0);
	r.sample.own_kind = 380;
	r.closed = true; /* all objects were looked for: something leads to all of them */
	assert_int_equal(verdict_of(&r), REFS_HELD);
	r.sample.dropped = 9; /* the high end is 4.4 % */
	assert_int_equal(verdict_of(&r), REFS_HELD);
	r.too_short = false;
	r.sample.dropped = 12; /* 3.1 %: neither one nor the other */
	assert_int_equal(verdict_of(&r), REFS_OWN_KIND);
	r.sample.dropped = 24;
	assert_int_equal(verdict_of(&r), REFS_DROPPED);
	r.sample.own_kind = 24; /* the others are held otherwise */
	assert_int_equal(verdict_of(&r), REFS_DROPPED);
	r.control.unreferenced = 3;
	assert_int_equal(verdict_of(&r), REFS_HELD);
	refs_make(&r, 100); /* the larger part decides */
	r.closed = true;
	r.sample.own_kind = r.sample.dropped = 99;
	assert_int_equal(verdict_of(&r), REFS_LEAKED);
	r.sample.own_kind = r.sample.dropped = 100;
	assert_int_equal(verdict_of(&r), REFS_DROPPED);
	refs_make(&r, 0);
	r.closed = true;
	r.sample.own_kind = r.sample.dropped = 380;
	r.control.unreferenced = 100; /* the scan fails to see what points to so many */
	assert_int_equal(verdict_of(&r), REFS_OWN_KIND);
	r.control = (struct refs_counts){0};
	assert_int_equal(verdict_of(&r), REFS_OWN_KIND);
}

/* Objects that changed, and those of which the page is pointed to, are not counted as lost. */
static void what_is_not_lost_for_sure_is_not_counted_as_lost(void **state)
{
	struct refs_sheet s;
	struct refs r;

	(void)state;
	refs_make(&r, 0);
	r.sample.changed = 200;
	r.sample.weak = 185;
	refs_sheet_build(&r, &s);
	assert_int_equal(s.verdict, REFS_HELD);
	assert_float_equal(s.lost_objects, 0, 0);
	refs_make(&r, 77); /* 20 % */
	refs_sheet_build(&r, &s);
	assert_float_equal(s.lost_objects, 4000, 0.01);
	assert_float_equal(s.lost_kb, 2000, 0.01);
}

/* ---- referrers ---- */

/* Types as BTF describes them: struct file { int; union { void *a; long b; }; struct path { list,
 * ptr } f_path; void *slots[4]; } of 64 bytes. */
static void types_make(struct refs_types *t)
{
	struct btf *b = btf__new_empty();
	int number = btf__add_int(b, "int", 4, 0), pointer, list, path, both, slots, word;

	assert_non_null(b);
	word = btf__add_int(b, "long", 8, 0);
	pointer = btf__add_ptr(b, 0);
	list = btf__add_struct(b, "list_head", 16);
	assert_int_equal(btf__add_field(b, "next", pointer, 0, 0), 0);
	assert_int_equal(btf__add_field(b, "prev", pointer, 64, 0), 0);
	path = btf__add_struct(b, "path", 24);
	assert_int_equal(btf__add_field(b, "mnt", list, 0, 0), 0);
	assert_int_equal(btf__add_field(b, "dentry", pointer, 128, 0), 0);
	both = btf__add_union(b, "", 8);
	assert_int_equal(btf__add_field(b, "small", number, 0, 0), 0);
	assert_int_equal(btf__add_field(b, "large", pointer, 0, 0), 0);
	slots = btf__add_array(b, number, pointer, 2);
	assert_true(word > 0 && btf__add_struct(b, "file", 64) > 0);
	assert_int_equal(btf__add_field(b, "flags", number, 0, 0), 0);
	assert_int_equal(btf__add_field(b, "", both, 64, 0), 0);
	assert_int_equal(btf__add_field(b, "f_path", path, 128, 0), 0);
	assert_int_equal(btf__add_field(b, "cookie", word, 320, 0), 0);
	assert_int_equal(btf__add_field(b, "slots", slots, 384, 0), 0);
	t->btf = b;
}

static void a_cache_has_a_struct_only_if_name_and_size_agree(void **state)
{
	struct refs_types t = {0};
	const char *name = "";

	(void)state;
	assert_int_equal(refs_types_struct(&t, "filp", 64, &name), 0); /* no types at all */
	types_make(&t);
	assert_true(refs_types_struct(&t, "filp", 64, &name) > 0);
	assert_string_equal(name, "file");
	assert_true(refs_types_struct(&t, "path", 24, &name) > 0);
	assert_string_equal(name, "path");
	assert_int_equal(refs_types_struct(&t, "filp", 72, &name), 0);
	assert_int_equal(refs_types_struct(&t, "filp", 56, &name), 0);
	assert_int_equal(refs_types_struct(&t, "kmalloc-64", 64, &name), 0);
	assert_int_equal(refs_types_struct(&t, "dentry", 64, &name), 0);
	refs_types_free(&t);
}

static void fields_are_named_down_to_the_pointer(void **state)
{
	static const struct {
		uint32_t offset;
		const char *field; /* NULL: no pointer is there */
	} wanted[] = {{0, NULL},          {8, "large"},          {16, "f_path.mnt"},
		      {24, "f_path.mnt"}, {32, "f_path.dentry"}, {40, "cookie"},
		      {48, "slots[]"},    {56, "slots[]"},       {64, NULL}};
	struct refs_types t = {0};
	const char *name;
	char field[REFS_FIELD];
	int type;

	(void)state;
	types_make(&t);
	type = refs_types_struct(&t, "filp", 64, &name);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		bool found = refs_types_field(&t, type, wanted[i].offset, field, sizeof(field));

		assert_int_equal(found, wanted[i].field != NULL);
		if (found)
			assert_string_equal(field, wanted[i].field);
	}
	refs_types_free(&t);
}

static const struct refs_referrer *referrer_of(const struct refs *r, const char *cache,
					       const char *field)
{
	for (size_t i = 0; i < r->referrers.nr; i++)
		if (!strcmp(r->referrers.items[i].cache, cache) &&
		    !strcmp(r->referrers.items[i].field, field))
			return &r->referrers.items[i];
	return NULL;
}

static void references_count_by_field_and_objects_once(void **state)
{
	static const struct refs_cache filp = {.name = "filp", .object_size = 64, .size = 64},
				       merged = {.name = "filp",
						 .object_size = 64,
						 .size = 64,
						 .merged = true},
				       many = {.name = "kmalloc-512", .size = 512},
				       few = {.name = "kmalloc-96", .size = 96};
	static const struct refs_place all[] = {
		{0, CENSUS_SLAB, &filp, 16, 0},
		{0, CENSUS_SLAB, &filp, 24, 0}, /* one list */
		{1, CENSUS_SLAB, &filp, 16, 0},
		{1, CENSUS_SLAB, &filp, 32, 0},
		{2, CENSUS_SLAB, &filp, 0, 0},
		{2, CENSUS_SLAB, &merged, 16, 0},
		{0, CENSUS_SLAB, &many, 8, 0},
		{0, CENSUS_SLAB, &many, 16, 0},
		{1, CENSUS_SLAB, &many, 24, 0},
		{1, CENSUS_SLAB, &many, 32, 0},
		{1, CENSUS_SLAB, &many, 40, 0},
		{0, CENSUS_SLAB, &few, 16, 0},
		{1, CENSUS_SLAB, &few, 16, 0},
		{2, CENSUS_SLAB, &few, REFS_NO_OFFSET, 0},
		{0, CENSUS_REST, NULL, 77, 0},
		{0, CENSUS_REST, NULL, 99, 0},
		{1, CENSUS_RESERVED, NULL, 5, 0},
		{3, CENSUS_RESERVED, NULL, 5, 0}, /* does not count */
	};
	static const bool counts[] = {true, true, true, false, true};
	struct refs_places places = {.items = (struct refs_place *)(uintptr_t)all,
				     .nr = sizeof(all) / sizeof(all[0])};
	const struct refs_counted objects = {.counts = counts, .nr = 5, .own = &few};
	const struct refs_referrer *row;
	struct refs_types t = {0};
	struct refs r = {0};

	(void)state;
	types_make(&t);
	assert_int_equal(refs_referrers_build(&places, &objects, &t, &r), 0);
	row = referrer_of(&r, "filp", "f_path.mnt");
	assert_non_null(row);
	assert_string_equal(row->type, "file");
	assert_int_equal(row->objects, 2);
	assert_int_equal(row->references, 3);
	assert_int_equal(referrer_of(&r, "filp", "f_path.dentry")->objects, 1);
	assert_string_equal(referrer_of(&r, "filp", "+16")->type, ""); /* merged */
	assert_int_equal(referrer_of(&r, "kmalloc-512", "")->references, 5);
	assert_int_equal(referrer_of(&r, "kmalloc-512", "")->objects, 2);
	assert_int_equal(referrer_of(&r, "kmalloc-96", "+16")->objects, 2);
	assert_true(referrer_of(&r, "kmalloc-96", "+16")->own_kind);
	assert_false(row->own_kind);
	assert_int_equal(referrer_of(&r, "kmalloc-96", "")->objects, 1);
	assert_int_equal(r.referenced, 3);
	for (size_t i = 0; i < r.referrers.nr; i++) {
		row = &r.referrers.items[i];
		if (row->class == CENSUS_REST)
			assert_true(row->objects == 1 && row->references == 2);
		if (row->class == CENSUS_RESERVED)
			assert_true(row->objects == 1 && row->references == 1);
		if (i)
			assert_true(row[-1].objects >= row->objects);
	}
	refs_free(&r);
	refs_types_free(&t);
}

static void words_on_a_kernel_stack_name_its_task(void **state)
{
	static const struct refs_place all[] = {
		{0, CENSUS_REST, NULL, REFS_NO_OFFSET, 0x5008},
		{1, CENSUS_REST, NULL, REFS_NO_OFFSET, 0x5ff8},
		{1, CENSUS_REST, NULL, REFS_NO_OFFSET, 0x6000},
		{0, CENSUS_RESERVED, NULL, REFS_NO_OFFSET, 0x5008}, /* not of that class */
	};
	static const bool counts[] = {true, true};
	struct refs_places places = {.items = (struct refs_place *)(uintptr_t)all, .nr = 4};
	struct kmt_root record = {.self = KMT_ROOT_NOWHERE, .tgid = 12, .comm = "worker"};
	struct refs_roots roots = {0};
	const struct refs_counted objects = {
		.counts = counts, .nr = 2, .roots = &roots, .page_shift = 12};
	struct refs_types t = {0};
	struct refs r = {0};

	(void)state;
	for (int i = 0; i < KMT_ROOT_PLACES; i++)
		record.places[i] = KMT_ROOT_NOWHERE;
	for (int i = 0; i < KMT_ROOT_STACK; i++)
		record.stack[i] = i ? KMT_ROOT_NOWHERE : 0x5000;
	record.places[0] = 0x6000; /* no stack */
	assert_int_equal(refs_roots_add(&roots, &record), 0);
	refs_roots_sort(&roots);
	assert_int_equal(refs_referrers_build(&places, &objects, &t, &r), 0);
	assert_int_equal(r.referrers.nr, 3);
	assert_string_equal(r.referrers.items[0].where, "kernel stack of worker[12]");
	assert_int_equal(r.referrers.items[0].objects, 2);
	assert_string_equal(r.referrers.items[1].where, "");
	assert_string_equal(r.referrers.items[2].where, "");
	refs_free(&r);
	refs_roots_free(&roots);
}

/* ---- documents ---- */

static char *refs_printed(const struct refs *r, bool json)
{
	struct findings found = {0};
	struct refs_sheet s;
	const struct refs_document d = {.sheet = &s, .findings = &found, .kernel = "6.18.0"};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	refs_sheet_build(r, &s);
	refs_findings(&s, &found);
	assert_false(found.failed);
	assert_int_equal(
		json ? refs_json(&d, f)
		     : refs_text(&d, &(struct refs_text_options){.rows = 10, .utf8 = true}, f),
		0);
	assert_int_equal(fclose(f), 0);
	findings_free(&found);
	return text;
}

/* Fails unless the text document has `words`, whatever its line breaks are. */
static void refs_says(const struct refs *r, const char *words)
{
	char *text = refs_printed(r, false), *to = text;

	for (const char *from = text; *from; from++) {
		char c = *from == '\n' ? ' ' : *from;

		if (c != ' ' || to == text || to[-1] != ' ')
			*to++ = c;
	}
	*to = '\0';
	if (!strstr(text, words))
		fail_msg("'%s' is not in: %s", words, text);
	free(text);
}

static void each_verdict_is_said_so_that_it_cannot_be_mistaken(void **state)
{
	struct refs r;

	(void)state;
	refs_make(&r, 377);
	refs_says(
		&r,
		"Most likely leaked: nothing that was scanned points to 377 of 385 sampled objects of "
		"kmalloc-512 (control: nothing points to 2 of 385 objects of other caches).");
	refs_says(&r, "about 19,584 objects with 9.6 MiB are leaked.");
	r.control_kind = REFS_CONTROL_YOUNG;
	refs_says(
		&r,
		"(control: nothing points to 2 of 385 objects that were allocated a moment before)");
	r.scans[1].frames = 500;
	refs_says(
		&r,
		"No verdict: only 50% of the kernel's memory was scanned, so an object to which nothing "
		"seems to point may be pointed to from the rest. Give more time, such as "
		"--refs-budget 2m, if the budget was too small.");
	refs_make(&r, 0);
	refs_says(&r,
		  "Not called leaked: something in the kernel points to all 385 sampled objects");
	refs_make(&r, 2);
	refs_says(&r, "points to 383 of 385 sampled objects");
	refs_says(&r, "Nothing that was scanned points to the other 2, but these are too few to "
		      "call them leaked.");
	r.sample.weak = 5;
	r.sample.changed = 3;
	refs_says(&r, "points to 375 of 385 sampled objects");
	refs_says(&r, "Nothing that was scanned points to 2, but these are too few to call them "
		      "leaked. Of 8 others, only the page is pointed to, or they changed between "
		      "the scans: they do not count as leaked.");
	refs_make(&r, 12);
	refs_says(&r, "No verdict: nothing that was scanned points to 12 of 385 sampled objects");
	r.sample.weak = 5;
	refs_says(&r, "Nothing points to 5 of the sampled objects themselves, but something points "
		      "to their page.");
	r.scans[1].faults = 3;
	refs_says(&r, "3 pages of the kernel's memory could not be read.");
	refs_make(&r, 300);
	r.control.unreferenced = 200;
	refs_says(&r,
		  "too similar to tell a leak from objects whose pointers the scan cannot see.");
	r.control = (struct refs_counts){0};
	refs_says(&r, "too few other objects to show whether the scan would have seen pointers.");
	refs_make(&r, 300);
	r.sample.own_kind = r.sample.dropped = 5;
	refs_says(&r, "Besides, 5 are in rings or lists to which nothing else points.");
	refs_make(&r, 0);
	r.sample.own_kind = 300;
	refs_says(&r, "Only objects of the same cache point to 300 of 385 sampled objects");
	refs_says(&r, "must be looked for, but there are too many");
	r.too_short = true;
	refs_says(&r, "must be looked for: give more time, such as --refs-budget 2m.");
	r.closed = true;
	refs_says(&r, "Only objects of the same cache point to 300 of them, but something else "
		      "points to their list or tree.");
	r.too_short = false;
	r.sample.dropped = 12;
	refs_says(&r,
		  "All objects of the cache were looked for: nothing else leads to 12 of these, "
		  "which is too few, or too near the control, to call them leaked.");
	r.sample.dropped = 290;
	refs_says(&r,
		  "point to 290 of 385 sampled objects of kmalloc-512. All objects of the cache "
		  "were looked for");
	r.sample.checked = 3;
	refs_says(&r, "only 3 objects of kmalloc-512 could be checked");
}

static void both_documents_of_references_stay_as_they_are(void **state)
{
	struct refs_referrer rows[] = {
		{CENSUS_SLAB, "filp", "file", "private_data", false, 300, 301, ""},
		{CENSUS_SLAB, "kmalloc-96", "", "+16", false, 40, 40, ""},
		{CENSUS_SLAB, "kmalloc-512", "", "", true, 30, 66, ""},
		{CENSUS_RESERVED, "", "", "", false, 20, 20, ""},
		{CENSUS_REST, "", "", "", false, 5, 9, ""},
		{CENSUS_REST, "", "", "", false, 3, 3, "kernel stack of evil\033[31m[12]"},
		{CENSUS_SLAB, "evil\033[31m", "", "+8", false, 1, 1, ""},
		{CENSUS_SLAB, "ext4_inode_cache", "ext4_inode_info",
		 "vfs_inode.i_data.i_mmap.rb_root.rb_node", false, 1, 1, ""},
	};
	struct refs_holder holders[] = {
		{REFS_HOLDER_FILE_TABLE, "frontend", 812, 7, "/system.slice/frontend.service",
		 "file.private_data", true, 250},
		{REFS_HOLDER_PROCESS, "evil\033[31m", 1, 0, "", "kmalloc-96+16, task_struct.mm",
		 false, 30},
		{REFS_HOLDER_SUPER_BLOCK, "ext4 (sda1)", 0, 0, "", "dentry.d_sb", true, 10},
		{REFS_HOLDER_NET_NAMESPACE, "net:[4026531840]", 0, 0, "", "sock_common.skc_net.net",
		 true, 2},
		{REFS_HOLDER_MNT_NAMESPACE, "mnt:[4026531841]", 0, 0, "", "", true, 1},
	};
	struct refs r;
	char *text;

	(void)state;
	refs_make(&r, 77);
	r.holders_known = true;
	r.held = 290;
	r.levels = 1;
	r.holders.items = holders;
	r.holders.nr = sizeof(holders) / sizeof(holders[0]);
	r.referrers.items = rows;
	r.referrers.nr = sizeof(rows) / sizeof(rows[0]);
	text = refs_printed(&r, false);
	assert_null(strchr(text, '\033'));
	compare_golden("refs.txt", text);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 82); /* two characters of several bytes */
	free(text);
	text = refs_printed(&r, true);
	assert_null(strchr(text, '\033'));
	compare_golden("refs.json", text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_ram_of_the_kernel_is_read),
		cmocka_unit_test(hidden_addresses_and_no_ram_are_refused),
		cmocka_unit_test(each_frame_is_read_once_and_the_tools_own_never),
		cmocka_unit_test(memory_is_read_in_random_order),
		cmocka_unit_test(intervals_of_shares_are_those_of_clopper_and_pearson),
		cmocka_unit_test(intervals_of_shares_hold),
		cmocka_unit_test(leaked_is_said_only_if_all_rules_hold),
		cmocka_unit_test(few_unreferenced_objects_are_no_leak),
		cmocka_unit_test(objects_of_their_own_kind_alone_are_no_verdict),
		cmocka_unit_test(a_dropped_ring_is_leaked_and_a_kept_list_is_not),
		cmocka_unit_test(what_is_not_lost_for_sure_is_not_counted_as_lost),
		cmocka_unit_test(a_cache_has_a_struct_only_if_name_and_size_agree),
		cmocka_unit_test(fields_are_named_down_to_the_pointer),
		cmocka_unit_test(references_count_by_field_and_objects_once),
		cmocka_unit_test(words_on_a_kernel_stack_name_its_task),
		cmocka_unit_test(each_verdict_is_said_so_that_it_cannot_be_mistaken),
		cmocka_unit_test(both_documents_of_references_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
