// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user would lose: which BPF maps and programs take memory, where the kernel takes it from,
 * which of them grew, who keeps them, and which are the recorder's own.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "findings/bpf_use.h"
#include "render/bpf_use.h"
#include "trace/bpf_objects.h"

/* ---- where the memory of a map comes from ---- */

static struct bpf_level split(struct bpf_map_shape shape, int cpus)
{
	struct bpf_level l = {.vmalloc = -1, .percpu = -1, .slab = -1, .pages = -1};

	bpf_map_split(&shape, cpus, &l);
	assert_int_equal(l.vmalloc + l.percpu + l.slab + l.pages, shape.bytes);
	assert_true(l.vmalloc >= 0 && l.percpu >= 0 && l.slab >= 0 && l.pages >= 0);
	return l;
}

static void each_type_of_map_is_counted_where_it_belongs(void **state)
{
	struct bpf_level l;

	(void)state;
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_ARRAY, 0, 4, 64, 65536, 4194304}, 4);
	assert_int_equal(l.vmalloc, 4194304);
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_ARRAY, 0, 4, 64, 16, 1344}, 4);
	assert_int_equal(l.slab, 1344);
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, 4, 64, 16, 4416}, 4);
	assert_int_equal(l.vmalloc, 4416);
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_HASH, 0, 8, 64, 10000, 1200000}, 4);
	assert_int_equal(l.vmalloc, 1200000);
	l = split(
		(struct bpf_map_shape){BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, 8, 64, 10000, 900000},
		4);
	assert_int_equal(l.slab, 900000);
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_RINGBUF, 0, 0, 0, 1 << 20, 1070000}, 4);
	assert_int_equal(l.pages, 1070000);
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_TASK_STORAGE, BPF_F_NO_PREALLOC, 4, 64, 0,
					 70000},
		  4);
	assert_int_equal(l.slab, 70000);
}

/* 1,000 values of 12 bytes, rounded up to 16, on each of 8 possible CPUs. */
static void per_cpu_values_count_on_every_possible_cpu(void **state)
{
	struct bpf_level l;

	(void)state;
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_PERCPU_ARRAY, 0, 4, 12, 1000, 136320}, 8);
	assert_int_equal(l.percpu, 128000);
	assert_int_equal(l.slab, 8320);
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_PERCPU_HASH, 0, 8, 12, 1000, 250000}, 8);
	assert_int_equal(l.percpu, 128000);
	assert_int_equal(l.vmalloc, 122000);
	/* a figure that is too small for what the map must have, as of an old kernel, stays whole
	 */
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_PERCPU_ARRAY, 0, 4, 12, 1000, 4096}, 8);
	assert_int_equal(l.percpu, 4096);
	l = split((struct bpf_map_shape){BPF_MAP_TYPE_PERCPU_HASH, 0, UINT32_MAX, UINT32_MAX,
					 UINT32_MAX, 4096},
		  8192);
	assert_int_equal(l.percpu, 4096);
}

/* ---- what is said of them ---- */

static void put_object(struct snapshot *s, int kind, int64_t id, const char *object, int64_t bytes)
{
	struct bpf_level *l = ARRAY_PUSH(&s->bpf);

	assert_non_null(l);
	*l = (struct bpf_level){.kind = kind, .id = id, .vmalloc = bytes};
	snprintf(l->object, sizeof(l->object), "%s", object);
}

static void hold(struct snapshot *s, int kind, int64_t id, int how, const char *name, int64_t who)
{
	struct bpf_holder *h = ARRAY_PUSH(&s->bpf_holders);

	assert_non_null(h);
	*h = (struct bpf_holder){.kind = kind, .id = id, .how = how, .holder = who};
	snprintf(h->name, sizeof(h->name), "%s", name);
}

static void make(struct snapshot *a, struct snapshot *b)
{
	*a = *b = (struct snapshot){0};
	put_object(a, BPF_KIND_MAP, 9, "hash gone", 4096);
	put_object(a, BPF_KIND_MAP, 7, "hash ct", 1048576);
	put_object(a, BPF_KIND_PROGRAM, 7, "sched_cls to_container", 8192);
	put_object(a, BPF_KIND_MAP, 50, "array kmt", 33554432);
	a->bpf.items[3].own = 1;
	put_object(b, BPF_KIND_MAP, 50, "array kmt", 33554432);
	b->bpf.items[0].own = 1;
	put_object(b, BPF_KIND_PROGRAM, 7, "sched_cls to_container", 8192);
	put_object(b, BPF_KIND_MAP, 7, "hash ct", 3145728);
	put_object(b, BPF_KIND_MAP, 60, "hash \x1b[31mnew", 524288);
	hold(b, BPF_KIND_MAP, 7, BPF_HELD_BY_PROGRAM, "to_container", 7);
	hold(b, BPF_KIND_MAP, 7, BPF_HELD_BY_PROCESS, "cilium-agent", 812);
	hold(b, BPF_KIND_MAP, 7, BPF_HELD_BY_PIN, "/sys/fs/bpf/ct", 0);
	hold(b, BPF_KIND_PROGRAM, 7, BPF_HELD_BY_LINK, "netkit", 3);
}

static void growth_is_of_each_object_and_without_the_recorder(void **state)
{
	struct snapshot a, b;
	struct bpf_use u;

	(void)state;
	make(&a, &b);
	assert_int_equal(bpf_use_build(&a, &b, &u), 0);
	assert_true(u.known && u.is_pair);
	assert_int_equal(u.nr, 5);
	assert_true(u.maps.nr == 2 && u.maps.bytes == 3670016);
	assert_true(u.programs.nr == 1 && u.programs.bytes == 8192);
	assert_true(u.own.nr == 1 && u.own.bytes == 33554432);
	assert_true(u.maps_grew == 3145728 - 1048576 + 524288 - 4096);
	assert_true(u.programs_grew == 0);
	assert_int_equal(u.items[4].level->id, 50);
	assert_int_equal(u.items[0].level->id, 7);
	assert_string_equal(u.items[0].name, "ct");
	assert_true(u.items[0].start_bytes == 1048576 && u.items[0].end_bytes == 3145728);
	assert_string_equal(u.items[0].who, "pinned at /sys/fs/bpf/ct, cilium-agent[812], "
					    "used by program to_container");
	assert_string_equal(u.items[2].who, "attached (netkit)");
	assert_true(u.items[3].end_bytes == 0 && u.items[3].start_bytes == 4096);
	assert_non_null(strstr(u.text, "2 BPF maps hold 3.5 MiB, 2.5 MiB more than at the start"));
	assert_non_null(strstr(u.text, "kmemtrace's own 1 take another 32.0 MiB"));
	bpf_use_free(&u);
	snapshot_free(&a);
	snapshot_free(&b);
}

/* An agent with 50 new maps of 1 MiB: none of them is the answer, all of them are. */
static void many_maps_of_one_process_are_one_holder(void **state)
{
	struct ledger_row pool = {.pool = POOL_VMALLOC, .delta_kb = 60 * 1024};
	struct snapshot a = {0}, b = {0};
	struct bpf_growth g;
	struct bpf_use u;

	(void)state;
	put_object(&a, BPF_KIND_MAP, 98, "array", 4096);
	put_object(&b, BPF_KIND_MAP, 98, "array", 4096);
	for (int64_t id = 1; id <= 50; id++) {
		put_object(&b, BPF_KIND_MAP, id, "array", 1048576);
		hold(&b, BPF_KIND_MAP, id, BPF_HELD_BY_PROCESS, "agent", 812);
	}
	put_object(&b, BPF_KIND_MAP, 99, "array", 65536);
	assert_int_equal(bpf_use_build(&a, &b, &u), 0);
	assert_true(u.is_pair);
	assert_true(bpf_growth_of(&u, &pool, &g));
	assert_int_equal(g.nr, 51);
	assert_int_equal(g.kept_nr, 50);
	assert_float_equal(g.kept_bytes, 50 * 1048576.0, 1);
	assert_string_equal(g.row->who, "agent[812]");
	bpf_use_free(&u);
	snapshot_free(&a);
	snapshot_free(&b);
}

static void one_snapshot_shows_no_growth_and_no_maps_show_nothing(void **state)
{
	struct snapshot a, b, none = {0};
	struct bpf_use u;

	(void)state;
	make(&a, &b);
	assert_int_equal(bpf_use_build(NULL, &b, &u), 0);
	assert_true(u.known && !u.is_pair && isnan(u.maps_grew));
	assert_null(strstr(u.text, "than at the start"));
	bpf_use_free(&u);
	assert_int_equal(bpf_use_build(&none, &none, &u), 0);
	assert_true(!u.known && !u.nr);
	assert_string_equal(u.text, "");
	bpf_use_free(&u);
	snapshot_free(&a);
	snapshot_free(&b);
}

static void hostile_names_are_printed_escaped(void **state)
{
	struct json_out o = {0};
	struct snapshot a, b;
	struct bpf_use u;
	struct page p;
	char *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	(void)state;
	make(&a, &b);
	b.bpf_holders.items[2].name[3] = '\x1b';
	b.bpf_holders.items[1].name[3] = '\xff';
	assert_int_equal(bpf_use_build(&a, &b, &u), 0);
	page_begin(&p, f, false, true);
	bpf_use_text(&p, &u, 0);
	assert_int_equal(page_end(&p), 0);
	json_document_begin(&o, f);
	bpf_use_json(&o, &u);
	assert_int_equal(json_document_end(&o), 0);
	fclose(f);
	assert_null(strchr(out, '\x1b'));
	assert_null(strchr(out, '\xff'));
	assert_non_null(strstr(out, "kmemtrace's own"));
	free(out);
	bpf_use_free(&u);
	snapshot_free(&a);
	snapshot_free(&b);
}

/* ---- what the helper sends ---- */

static void what_the_helper_sends_is_checked(void **state)
{
	struct bpf_objects o = {0}, got;
	int fd = memfd_create("test", 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(bpf_objects_load(fd, &got), -EPROTO);
	assert_non_null(ARRAY_PUSH(&o.levels));
	o.levels.items[0] = (struct bpf_level){.object = "hash x", .id = 5, .percpu = 9};
	assert_non_null(ARRAY_PUSH(&o.holders));
	o.holders.items[0] = (struct bpf_holder){.name = "y", .holder = 3};
	assert_int_equal(bpf_objects_write(fd, &o), 0);
	assert_int_equal(bpf_objects_load(fd, &got), 0);
	assert_int_equal(got.levels.nr, 1);
	assert_string_equal(got.levels.items[0].object, "hash x");
	assert_int_equal(got.holders.items[0].holder, 3);
	bpf_objects_free(&got);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(bpf_objects_load(fd, &got), -EPROTO);
	close(fd);
	bpf_objects_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_of_map_is_counted_where_it_belongs),
		cmocka_unit_test(per_cpu_values_count_on_every_possible_cpu),
		cmocka_unit_test(growth_is_of_each_object_and_without_the_recorder),
		cmocka_unit_test(many_maps_of_one_process_are_one_holder),
		cmocka_unit_test(one_snapshot_shows_no_growth_and_no_maps_show_nothing),
		cmocka_unit_test(hostile_names_are_printed_escaped),
		cmocka_unit_test(what_the_helper_sends_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
