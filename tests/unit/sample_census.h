/* SPDX-License-Identifier: GPL-2.0-only */
/* A census built in memory: 8 GiB, two caches, two cgroups, a node. Include after cmocka.h. */
#ifndef TESTS_UNIT_SAMPLE_CENSUS_H
#define TESTS_UNIT_SAMPLE_CENSUS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/census.h"
#include "proc/snapshot.h"

__attribute__((unused)) static void sample_census_meminfo(struct census *c, const char *meminfo)
{
	assert_int_equal(meminfo_parse(meminfo, strlen(meminfo), &c->before.meminfo), 0);
	assert_int_equal(meminfo_parse(meminfo, strlen(meminfo), &c->after.meminfo), 0);
}

static struct census_sum sample_sum(double sum, double squares, uint64_t hits)
{
	return (struct census_sum){.sum = sum, .squares = squares, .hits = hits};
}

static void sample_census_cache(struct census *c, const char *name, uint32_t object_bytes,
				double pages, double used)
{
	struct census_cache *cache = ARRAY_PUSH(&c->caches);

	assert_non_null(cache);
	snprintf(cache->name, sizeof(cache->name), "%s", name);
	cache->object_bytes = object_bytes;
	cache->cpu_free = -1;
	cache->pages = sample_sum(pages, 12.5, 90);
	cache->empty = sample_sum(pages / 100, 0, 1);
	cache->objects = sample_sum(pages * 4096 / object_bytes, 3, 90);
	cache->used = sample_sum(used, 4, 88);
}

static void sample_census_cgroup(struct census *c, const char *path, uint64_t id, bool removed)
{
	struct census_cgroup *g = ARRAY_PUSH(&c->cgroups);

	assert_non_null(g);
	snprintf(g->path, sizeof(g->path), "%s", path);
	g->id = id;
	g->removed = removed;
	g->owners = 1;
}

static void sample_census_charge(struct census *c, uint32_t cache, enum census_class class,
				 uint32_t cgroup, double nr)
{
	struct census_charge *charge = ARRAY_PUSH(&c->charges);

	assert_non_null(charge);
	*charge = (struct census_charge){
		.cache = cache, .class = class, .cgroup = cgroup, .nr = sample_sum(nr, 1, 20)};
}

static void sample_census_origin(struct census *c, const char *kind, const char *name, double pages)
{
	struct census_origin *o = ARRAY_PUSH(&c->origins);

	assert_non_null(o);
	snprintf(o->kind, sizeof(o->kind), "%s", kind);
	snprintf(o->name, sizeof(o->name), "%s", name);
	o->counted = !strcmp(kind, CENSUS_ORIGIN_PIPE);
	o->nr = 3;
	o->pages = sample_sum(pages, 0, 20);
}

/* What the kernel itself says; `ring_bytes` of a driver. */
__attribute__((unused)) static void sample_records(struct census *c, uint64_t ring_bytes)
{
	struct alloc_records *r = &c->records;
	struct alloc_source *sources[3];
	struct alloc_site *site = ARRAY_PUSH(&r->sites);
	struct alloc_path *path = ARRAY_PUSH(&r->paths);

	assert_true(site && path);
	*site = (struct alloc_site){.file = "drivers/net/example/ring.c",
				    .line = 20,
				    .module = "example",
				    .function = "example_ring_new\033[31m",
				    .bytes = ring_bytes,
				    .calls = 1010,
				    .inaccurate = true};
	site = ARRAY_PUSH(&r->sites);
	assert_non_null(site);
	*site = (struct alloc_site){.file = "kernel/fork.c",
				    .line = 307,
				    .function = "alloc_thread_stack_node",
				    .bytes = 4096,
				    .calls = 1};
	*path = (struct alloc_path){.source = ALLOC_PAGES,
				    .frames = "post_alloc_hook+0xb8 < example_ring_new+0x1c "
					      "[example] < \033[31m?",
				    .bytes = 8 << 20,
				    .nr = 1024};
	path = ARRAY_PUSH(&r->paths);
	assert_non_null(path);
	*path = (struct alloc_path){.source = ALLOC_SLABS,
				    .cache = "kmalloc-64",
				    .frames = "example_open+0x2a [example] < do_sys_open+0x10",
				    .bytes = 64000,
				    .nr = 1000};
	for (int i = 0; i < 3; i++)
		assert_non_null(ARRAY_PUSH(&r->sources));
	for (int i = 0; i < 3; i++)
		sources[i] = &r->sources.items[i];
	*sources[0] = (struct alloc_source){.name = ALLOC_SITES, .bytes = ring_bytes + 4096};
	*sources[1] = (struct alloc_source){.name = ALLOC_PAGES,
					    .bytes = 9 << 20,
					    .bad_lines = 2,
					    .lacks = "It stopped early."};
	*sources[2] = (struct alloc_source){.name = ALLOC_SLABS, .bytes = 64000};
}

/* Sockets that a program never reads, and did not close. */
static const struct lens_holder sample_socket_holder = {.lens = LENS_SOCKETS,
							.what = "TCP",
							.state = "CLOSE-WAIT",
							.family = "inet",
							.comm = "web\033[31m",
							.processes = 3,
							.pid = 812,
							.objects = 500,
							.held_kb = 64000};

/* Lenses of the sample: negative dentries of /pod, sockets in a namespace with a process. */
__attribute__((unused)) static void sample_lenses(struct census *c, double dentries)
{
	struct census_lenses *l = &c->lenses;
	struct lens_directory *d = ARRAY_PUSH(&l->directories);
	struct lens_path *path = ARRAY_PUSH(&l->paths);
	struct lens_space *space = ARRAY_PUSH(&l->spaces);
	struct lens_row *row = ARRAY_PUSH(&l->rows);
	struct lens_holder *holder;

	assert_true(d && path && space && row);
	*row = (struct lens_row){.lens = LENS_DENTRIES,
				 .what = "ext4",
				 .device = "sda1",
				 .state = "negative",
				 .objects = {dentries, 2500, 0},
				 .kb = {dentries * 192 / 1024, 90, 0}};
	row = ARRAY_PUSH(&l->rows);
	assert_non_null(row);
	*row = (struct lens_row){.lens = LENS_SOCKETS,
				 .what = "TCP",
				 .state = "CLOSE-WAIT",
				 .family = "inet\033[31m",
				 .space = 4026532000,
				 .cgroup = LENS_NO_CGROUP,
				 .objects = {500, 0, 0},
				 .kb = {1200, 0, 0},
				 .held_kb = {64000, 0, 0},
				 .queued_kb = {1, 0, 0}};
	*space = (struct lens_space){
		.number = 4026532000, .net = true, .processes = 3, .pid = 812, .comm = "web"};
	*d = (struct lens_directory){.what = "ext4",
				     .device = "sda1",
				     .path = "/srv/\033[31mmissing",
				     .objects = {dentries / 2, 100, 0},
				     .negative = {dentries / 2, 100, 0},
				     .kb = dentries * 96 / 1024};
	*path = (struct lens_path){.lens = LENS_FILES,
				   .what = "ext4",
				   .device = "sda1",
				   .path = "/srv/log\033[31m",
				   .deleted = true,
				   .objects = {dentries / 4, 0, 0},
				   .processes = 2,
				   .pid = 812,
				   .comm = "web\033[32m",
				   .most = 17};
	for (int lens = 0; lens < LENSES; lens++)
		l->share[lens] = NAN;
	holder = ARRAY_PUSH(&l->holders);
	assert_non_null(holder);
	*holder = sample_socket_holder;
	holder->queued_kb = 1;
	l->holders_whole = true;
	l->share[LENS_DENTRIES] = 0.5;
	l->sampled[LENS_DENTRIES] = true;
	l->share[LENS_SOCKETS] = 1;
	l->cpu_s = 0.02;
	l->unrecognised = 12;
	l->lost = 3;
	l->taken = l->named = l->spaces_whole = true;
}

/* `dentry_pages` of the cache dentry; a quarter of its objects are charged to /pod. */
__attribute__((unused)) static void sample_census(struct census *c, double dentry_pages)
{
	static const double mb[CENSUS_CLASSES] = {
		[CENSUS_FREE] = 1000, [CENSUS_CPU_FREE] = 20, [CENSUS_SLAB] = 3000,
		[CENSUS_LARGE] = 100, [CENSUS_TABLE] = 50,    [CENSUS_ANON] = 2000,
		[CENSUS_FILE] = 1500, [CENSUS_UNMAPPED] = 10, [CENSUS_RESERVED] = 200,
		[CENSUS_REST] = 312,
	};
	double objects = dentry_pages * 4096 / 192;
	struct census_node *node;

	*c = (struct census){.wall_s = 1700000000,
			     .took_s = 0.2,
			     .cpu_s = 0.05,
			     .page_bytes = 4096,
			     .cpus = 2,
			     .units = 32768,
			     .counted = 32768,
			     .frames = 2097152,
			     .unknown = 1 << CENSUS_POOL};
	for (int class = 0; class < CENSUS_CLASSES; class ++)
		c->pages[class] = sample_sum(mb[class] * 256, 0, mb[class] > 0 ? 100 : 0);
	sample_census_meminfo(c, "MemTotal: 8184832 kB\nMemFree: 1044480 kB\nBuffers: 51200 kB\n"
				 "Cached: 1484800 kB\nSwapCached: 0 kB\nAnonPages: 2048000 kB\n"
				 "Slab: 3174400 kB\nPageTables: 51200 kB\nVmallocUsed: 200000 kB\n"
				 "Percpu: 10000 kB\nHugetlb: 0 kB\n");
	sample_census_cache(c, "dentry", 192, dentry_pages, objects);
	sample_census_cache(c, "kmalloc-64", 64, 40, 2000);
	c->caches.items[0].reclaimable = true;
	c->caches.items[1].cpu_free = 12;
	sample_census_cgroup(c, "/pod", UINT64_MAX - 1, false);
	sample_census_cgroup(c, "/\033[31mdead", 7, true);
	sample_census_charge(c, 0, CENSUS_SLAB, 0, objects / 4);
	sample_census_charge(c, CENSUS_NO_CACHE, CENSUS_FILE, 1, 30000);
	sample_census_origin(c, CENSUS_ORIGIN_PIPE, "\033[31mshell", 25600);
	sample_census_origin(c, CENSUS_ORIGIN_POOL, "eth0", 1000);
	c->origins_known = true;
	node = ARRAY_PUSH(&c->nodes);
	assert_non_null(node);
	*node = (struct census_node){.cache = 1, .node = 1, .pages = sample_sum(40, 0, 9)};
}

/* Kinds of the second cache, and call paths of the first two kinds; stack 0: no paths. */
__attribute__((unused)) static void sample_census_kinds(struct census *c, uint32_t stack)
{
	static const struct census_kind kinds[] = {
		{.cache = 1,
		 .objects = 240,
		 .effective = 300,
		 .sure = KIND_LIKELY,
		 .nr_types = 2,
		 .types = {{"timerfd_ctx", 14.885}, {"other", -3.5}},
		 .functions = {"timerfd_tmrproc", "timerfd_poll"},
		 .points_to = {"kmalloc-64", "filp"},
		 .signature = "0:self 40:timerfd_tmrproc() 144:self",
		 .cgroup = 1,
		 .charged = 200},
		{.cache = 1,
		 .objects = 60,
		 .cgroup = CENSUS_NO_CGROUP,
		 .effective = 290.5,
		 .sure = KIND_UNKNOWN,
		 .points_to = {"\033[5mcache"},
		 .signature = "0:->\033[5mcache 8:->pid"},
		{.cache = 1, .effective = 300, .signature = "8:->vmalloc"},
	};
	static const struct census_path paths[] = {{1, 0, 0, 80, 40, 40, 80},
						   {1, 1, 0, 30, 30, 15, 12.5},
						   {0, UINT32_MAX, 0, 9, 0, 0, 9}};
	struct kind_sample *sample = ARRAY_PUSH(&c->kinds.samples);

	assert_non_null(sample);
	*sample = (struct kind_sample){.cache = 1, .drawn = 460, .live = 300, .unsure = 2};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct census_kind *kind = ARRAY_PUSH(&c->kinds);

		assert_non_null(kind);
		*kind = kinds[i];
	}
	for (size_t i = 0; stack && i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct census_path *path = ARRAY_PUSH(&c->kinds.paths);

		assert_non_null(path);
		*path = paths[i];
		path->stack = stack;
	}
	c->kinds.cpu_s = 0.25;
	c->kinds.skipped = 3;
	snprintf(c->kinds.lacks, sizeof(c->kinds.lacks), "functions: run as root");
}

#endif
