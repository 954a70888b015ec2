// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lenses of a census, without a kernel: what is added up under which name, what a sample of
 * blocks says of all, and how it is printed. What a user would lose: the cgroup and file system of
 * what holds their memory, and an interval that holds.
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "golden.h"
#include "model/census.h"
#include "model/lenses.h"
#include "proc/devices.h"
#include "proc/namespaces.h"
#include "render/census.h"
#include "sample_census.h"
#include "trace/lens_blocks.h"
#include "trace/lenses_holders.h"
#include "trace/lenses_tally.h"

/* ---- a kernel that does not exist ---- */

#define EXT4    0x1000 /* its super block */
#define EXT4_B  0x1001 /* another of the same name: a bind mount's, or one of a container */
#define TMPFS   0x1002
#define ANON    0x1003
#define SOCKFS  0x1004
#define GONE    0x1005
#define TCP     0x2000
#define OWNER_A 0x3000
#define OWNER_B 0x3001

static struct {
	int names, owners;
	uint64_t mount;
} asked;

static const struct kmt_lens_name *name_of(void *arg, uint32_t lens, uint64_t address)
{
	static struct kmt_lens_name n;
	static const struct {
		uint64_t address;
		const char *type, *device;
	} known[] = {{EXT4, "ext4", "sda1"},    {EXT4_B, "ext4", "sda1"},
		     {TMPFS, "tmpfs", "tmpfs"}, {ANON, "anon_inodefs", ""},
		     {SOCKFS, "sockfs", ""},    {TCP, "TCP", ""}};

	(void)arg;
	(void)lens;
	asked.names++;
	memset(&n, 0, sizeof(n));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].address == address) {
			n.known = 1;
			strcpy(n.type, known[i].type);
			strcpy(n.device, known[i].device);
		}
	return &n;
}

static uint32_t cgroup_of(void *arg, uint64_t owner)
{
	(void)arg;
	asked.owners++;
	return owner == OWNER_A ? 0 : owner == OWNER_B ? 1 : LENS_NO_CGROUP;
}

static void device_of(void *arg, bool block, uint32_t number, char name[24])
{
	(void)arg;
	snprintf(name, 24, "%s%u:%u", block ? "b" : "", number >> 20, number & 0xfffff);
}

/* Number n is /srv/dn; 9 is gone, and 8 was removed. Mounts are not asked for by file system. */
static const struct kmt_lens_path *path_of(void *arg, uint64_t dentry, uint64_t super,
					   uint64_t mount)
{
	static struct kmt_lens_path p;

	(void)arg;
	assert_true(super == EXT4 || (!super && mount));
	asked.mount = mount;
	memset(&p, 0, sizeof(p));
	p.known = dentry != 9;
	p.deleted = dentry == 8;
	p.levels = 2;
	snprintf(p.name[0], sizeof(p.name[0]), "d%d", (int)dentry);
	strcpy(p.name[1], "srv");
	return &p;
}

static struct lens_tally *tally_new(void)
{
	const struct lens_asking asking = {name_of, cgroup_of, device_of, path_of, NULL};
	struct lens_tally *t = lens_tally_new(&asking);

	assert_non_null(t);
	return t;
}

static void add(struct lens_tally *t, struct kmt_lens_record r)
{
	assert_int_equal(lens_tally_add(t, &r, 1), 0);
}

#define DENTRY(super, state, cgroup, n)                                                         \
	(struct kmt_lens_record)                                                                \
	{                                                                                       \
		.lens = KMT_LENS_DENTRY, .what = (super), .detail = (state), .owner = (cgroup), \
		.nr = (n)                                                                       \
	}

static const struct lens_population all_of_two = {.blocks = 2,
						  .objects = 100,
						  .bytes = 192,
						  .units = 1000,
						  .counted = 1000,
						  .page_bytes = 4096};

/* ---- names and sums ---- */

static const struct lens_row *row_find(const struct census_lenses *l, enum lens lens,
				       const char *what, const char *kind, const char *state)
{
	for (size_t i = 0; i < l->rows.nr; i++) {
		const struct lens_row *r = &l->rows.items[i];

		if (r->lens == lens && !strcmp(r->what, what) && !strcmp(r->kind, kind) &&
		    !strcmp(r->state, state))
			return r;
	}
	return NULL;
}

static void what_has_one_name_and_cgroup_is_one_row(void **state)
{
	struct lens_tally *t = tally_new();
	struct census_lenses l = {0};

	(void)state;
	asked.names = 0;
	lens_tally_block(t, 60);
	add(t, DENTRY(EXT4, KMT_LENS_NEGATIVE, OWNER_A, 30));
	add(t, DENTRY(EXT4, KMT_LENS_NEGATIVE, OWNER_A, 5)); /* again, after others */
	add(t, DENTRY(EXT4, KMT_LENS_IN_USE, 0, 2));
	lens_tally_block(t, 40);
	add(t, DENTRY(EXT4_B, KMT_LENS_NEGATIVE, OWNER_A, 7)); /* of the same name */
	add(t, DENTRY(EXT4, KMT_LENS_NEGATIVE, OWNER_B, 11));  /* of another cgroup */
	add(t, DENTRY(GONE, KMT_LENS_UNUSED, 0, 1));           /* unmounted meanwhile */
	assert_int_equal(lens_tally_cache(t, &all_of_two), 0);
	lens_tally_finish(t, &l);
	assert_int_equal(l.rows.nr, 4);
	assert_float_equal(l.rows.items[0].objects.value, 42, 0); /* the largest first */
	assert_string_equal(l.rows.items[0].what, "ext4");
	assert_string_equal(l.rows.items[0].device, "sda1");
	assert_string_equal(l.rows.items[0].state, "negative");
	assert_int_equal(l.rows.items[0].cgroup, 0);
	assert_float_equal(l.rows.items[0].kb.value, 42 * 192 / 1024.0, 1e-9);
	assert_float_equal(l.rows.items[0].objects.variance, 0, 0);
	assert_float_equal(l.rows.items[1].objects.value, 11, 0);
	assert_int_equal(l.rows.items[1].cgroup, 1);
	assert_non_null(row_find(&l, LENS_DENTRIES, "unknown", "", "unused"));
	assert_int_equal(row_find(&l, LENS_DENTRIES, "ext4", "", "")->cgroup, LENS_NO_CGROUP);
	assert_int_equal(asked.names, 3); /* each address once */
	census_lenses_free(&l);
	lens_tally_free(t);
}

static void each_kind_is_named_by_what_tells_it(void **state)
{
	struct lens_tally *t = tally_new();
	struct census_lenses l = {0};
	const struct lens_row *r;

	(void)state;
	lens_tally_block(t, 100);
	add(t, (struct kmt_lens_record){.lens = KMT_LENS_INODE,
					.what = TMPFS,
					.detail = 8 | KMT_LENS_UNUSED << KMT_LENS_STATE_SHIFT,
					.bytes = 10, /* pages */
					.nr = 2});
	add(t, (struct kmt_lens_record){.lens = KMT_LENS_SOCKET,
					.what = TCP,
					.detail = 2 | 8 << KMT_LENS_STATE_SHIFT,
					.space = 4026531840,
					.bytes = 2048,
					.bytes2 = 1024,
					.nr = 3});
	/* a socket from kmalloc(), found by its inode: its size is its own */
	add(t, (struct kmt_lens_record){.lens = KMT_LENS_SOCKET,
					.what = TCP,
					.op = 1024,
					.detail = 16 | 7 << KMT_LENS_STATE_SHIFT,
					.nr = 1});
	add(t, (struct kmt_lens_record){.lens = KMT_LENS_FILE, .what = EXT4, .detail = 4, .nr = 4});
	add(t, (struct kmt_lens_record){
		       .lens = KMT_LENS_FILE, .what = ANON, .op = 1, .text = "[eventfd]", .nr = 5});
	add(t, (struct kmt_lens_record){
		       .lens = KMT_LENS_FILE, .what = ANON, .op = 2, .text = "[timerfd]", .nr = 6});
	/* devices of different drivers are apart, wherever their files are */
	for (uint32_t minor = 200; minor < 202; minor++)
		add(t, (struct kmt_lens_record){.lens = KMT_LENS_FILE,
						.what = TMPFS,
						.detail = KMT_LENS_CHARACTER,
						.space = 10 << 20 | minor,
						.nr = minor});
	add(t, (struct kmt_lens_record){.lens = KMT_LENS_FILE,
					.what = TMPFS,
					.detail = KMT_LENS_BLOCK,
					.space = 8 << 20,
					.nr = 2});
	add(t, (struct kmt_lens_record){.lens = KMT_LENS_NET, .space = 7, .nr = 1});
	add(t,
	    (struct kmt_lens_record){.lens = KMT_LENS_MOUNT, .what = TMPFS, .space = 8, .nr = 9});
	add(t, (struct kmt_lens_record){.lens = 99, .nr = 9}); /* no lens */
	lens_tally_block(t, 0);
	assert_int_equal(lens_tally_cache(t, &all_of_two), 0);
	lens_tally_finish(t, &l);
	assert_int_equal(l.rows.nr, 11);
	assert_float_equal(row_find(&l, LENS_FILES, "tmpfs", "10:200", "")->objects.value, 200, 0);
	assert_int_equal(row_find(&l, LENS_FILES, "tmpfs", "10:201", "")->space, 0);
	assert_non_null(row_find(&l, LENS_FILES, "tmpfs", "b8:0", ""));
	r = row_find(&l, LENS_INODES, "tmpfs", "regular file", "unused");
	assert_float_equal(r->held_kb.value, 40, 0);
	r = row_find(&l, LENS_SOCKETS, "TCP", "", "CLOSE-WAIT");
	assert_string_equal(r->family, "inet");
	assert_int_equal(r->space, 4026531840);
	assert_float_equal(r->held_kb.value, 2, 0);
	assert_float_equal(r->queued_kb.value, 1, 0);
	assert_float_equal(r->kb.value, 3 * 192 / 1024.0, 1e-9);
	r = row_find(&l, LENS_SOCKETS, "TCP", "", "UNCONN");
	assert_string_equal(r->family, "netlink");
	assert_float_equal(r->kb.value, 1, 0);
	assert_non_null(row_find(&l, LENS_FILES, "ext4", "directory", ""));
	assert_float_equal(row_find(&l, LENS_FILES, "anon_inodefs", "eventfd", "")->objects.value,
			   5, 0);
	assert_float_equal(row_find(&l, LENS_FILES, "anon_inodefs", "timerfd", "")->objects.value,
			   6, 0);
	assert_int_equal(row_find(&l, LENS_NET_NAMESPACES, "", "", "")->space, 7);
	assert_int_equal(row_find(&l, LENS_MOUNTS, "tmpfs", "", "")->space, 8);
	census_lenses_free(&l);
	lens_tally_free(t);
}

/* The same name in two caches, as inodes of two file systems may have. */
static void caches_add_up(void **state)
{
	struct lens_tally *t = tally_new();
	struct census_lenses l = {0};

	(void)state;
	for (int cache = 0; cache < 2; cache++) {
		lens_tally_block(t, 50);
		add(t, DENTRY(EXT4, KMT_LENS_UNUSED, OWNER_A, 10));
		lens_tally_block(t, 50);
		add(t, DENTRY(EXT4, KMT_LENS_UNUSED, OWNER_A, 20));
		assert_int_equal(lens_tally_cache(t, &all_of_two), 0);
	}
	lens_tally_finish(t, &l);
	assert_int_equal(l.rows.nr, 1);
	assert_float_equal(l.rows.items[0].objects.value, 60, 0);
	assert_int_equal(l.rows.items[0].objects.hits, 4);
	census_lenses_free(&l);
	lens_tally_free(t);
}

/* With --names, the kernel side sends the parent of each dentry. The rows are the same. */
static void the_directories_with_most_dentries_are_named(void **state)
{
	struct lens_population half = all_of_two;
	struct lens_tally *t = tally_new();
	struct census_lenses l = {0};
	struct kmt_lens_record r;

	(void)state;
	half.blocks = 4; /* two of four are looked at, with 50 of 100 objects in each */
	half.objects = 200;
	for (int block = 0; block < 2; block++) {
		lens_tally_block(t, 50);
		for (uint64_t d = 1; d <= 30; d++) {
			r = DENTRY(EXT4, d % 2 ? KMT_LENS_NEGATIVE : KMT_LENS_IN_USE, OWNER_A, 1);
			r.dentry = d;
			r.nr = (uint32_t)(d == 9 ? 1000 : d);
			add(t, r);
		}
		r.dentry = 30;
		r.nr = 5;
		r.detail = KMT_LENS_NEGATIVE;
		add(t, r);
	}
	assert_int_equal(lens_tally_cache(t, &half), 0);
	lens_tally_finish(t, &l);
	assert_int_equal(l.rows.nr, 2); /* negative, and in use */
	assert_int_equal(l.directories.nr, LENS_DIRECTORIES);
	assert_string_equal(l.directories.items[0].path, "/srv/d30"); /* not d9: it is gone */
	assert_string_equal(l.directories.items[0].what, "ext4");
	assert_float_equal(l.directories.items[0].objects.value, 2 * 35 * 2, 1e-9);
	assert_float_equal(l.directories.items[0].negative.value, 2 * 5 * 2, 1e-9);
	assert_float_equal(l.directories.items[0].kb, 140 * 192 / 1024.0, 1e-9);
	assert_string_equal(l.directories.items[1].path, "/srv/d29");
	assert_float_equal(l.directories.items[1].negative.value, 2 * 29 * 2, 1e-9);
	census_lenses_free(&l);
	lens_tally_free(t);
}

/* Mounts in several namespaces, and of several file systems, may be on one mount point. */
static void the_mount_points_with_most_mounts_are_named(void **state)
{
	struct kmt_lens_record r = {
		.lens = KMT_LENS_MOUNT, .what = TMPFS, .mount = 77, .dentry = 8, .nr = 3};
	struct lens_population half = all_of_two;
	struct lens_tally *t = tally_new();
	struct census_lenses l = {0};

	(void)state;
	half.blocks = 4;
	half.objects = 200;
	for (int block = 0; block < 2; block++) {
		lens_tally_block(t, 50);
		r.space = block;
		r.nr = 3 + block;
		add(t, r);
		r.what = EXT4;
		add(t, r);
	}
	r.dentry = 9;
	add(t, r);                                       /* is gone */
	for (r.dentry = 100; r.dentry < 130; r.dentry++) /* fewer than the first */
		add(t, r);
	assert_int_equal(lens_tally_cache(t, &half), 0);
	lens_tally_finish(t, &l);
	assert_int_equal(l.paths.nr, LENS_PATHS);
	assert_int_equal(l.paths.items[0].lens, LENS_MOUNTS);
	assert_string_equal(l.paths.items[0].path, "/srv/d8");
	assert_float_equal(l.paths.items[0].objects.value, 28, 1e-9);
	assert_true(l.paths.items[0].objects.variance > 0);
	assert_string_equal(l.paths.items[0].what, "");
	assert_int_equal(l.paths.items[0].processes, 0);
	assert_int_equal(asked.mount, 77);
	assert_int_equal(l.directories.nr, 0);
	census_lenses_free(&l);
	lens_tally_free(t);
}

static void a_long_path_of_a_directory_keeps_its_end(void **state)
{
	struct kmt_lens_path p = {.known = 1};
	char path[256];

	(void)state;
	lens_path_words(&p, path);
	assert_string_equal(path, "/");
	p.levels = 2;
	strcpy(p.name[0], "b\n");
	strcpy(p.name[1], "a");
	lens_path_words(&p, path);
	assert_string_equal(path, "/a/b\n"); /* escaped when it is printed */
	p.levels = 99;
	p.more = 1;
	for (int i = 0; i < KMT_LENS_LEVELS; i++)
		memset(p.name[i], 'a' + i, KMT_LENS_NAME); /* without an end */
	lens_path_words(&p, path);
	assert_int_equal(strncmp(path, "…", strlen("…")), 0);
	assert_true(strlen(path) < sizeof(path));
	assert_int_equal(path[strlen(path) - 1], 'a');
}

/* ---- samples ---- */

#define BLOCKS 2000
#define LOOKED 200

struct planted {
	uint32_t used[BLOCKS], negative[BLOCKS];
	double all_used, all_negative;
};

/* Blocks with 0 to 400 objects. What is negative comes in long stretches, as it was allocated. */
static void plant(struct planted *p, uint64_t *random)
{
	bool run = false;

	p->all_used = p->all_negative = 0;
	for (int i = 0; i < BLOCKS; i++) {
		if (!random_below(random, 20))
			run = !run;
		p->used[i] = 1 + (uint32_t)random_below(random, 400);
		p->negative[i] = run ? p->used[i] - (uint32_t)random_below(random, p->used[i]) / 10
				     : (uint32_t)random_below(random, p->used[i]) / 20;
		p->all_used += p->used[i];
		p->all_negative += p->negative[i];
	}
}

/* Look at LOOKED of the blocks. Returns whether the truth is in the interval; *width is its share
 * of the truth. */
static bool sample_holds(const struct planted *p, const struct lens_population *population,
			 uint64_t *random, double *width)
{
	struct lens_tally *t = tally_new();
	struct census_lenses l = {0};
	int order[BLOCKS];
	struct lens_figure f;

	for (int i = 0; i < BLOCKS; i++) {
		int j = (int)random_below(random, i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (int i = 0; i < LOOKED; i++) {
		lens_tally_block(t, p->used[order[i]]);
		if (p->negative[order[i]])
			add(t, DENTRY(EXT4, KMT_LENS_NEGATIVE, 0, p->negative[order[i]]));
	}
	assert_int_equal(lens_tally_cache(t, population), 0);
	lens_tally_finish(t, &l);
	f = lens_estimate(&l.rows.items[0].objects);
	*width = (f.high - f.low) / p->all_negative;
	census_lenses_free(&l);
	lens_tally_free(t);
	return f.low <= p->all_negative && p->all_negative <= f.high;
}

static void intervals_of_a_sample_of_blocks_hold(void **state)
{
	static struct planted p;
	uint64_t random = 42;
	double width, most = 0;
	int holds = 0;

	(void)state;
	for (int trial = 0; trial < 400; trial++) {
		struct lens_population population = all_of_two;

		plant(&p, &random);
		population.blocks = BLOCKS;
		population.objects = p.all_used;
		holds += sample_holds(&p, &population, &random, &width);
		most = fmax(most, width);
	}
	print_message("%d of 400 intervals hold, the widest is %.0f%% of the truth\n", holds,
		      most * 100);
	assert_in_range(holds, 368, 396); /* 95 %, three standard errors; and not all of them */
	assert_true(most < 0.6);
}

/* The census itself counted a tenth of memory, and all that it found was looked at. */
static void of_a_sampled_census_the_interval_holds_for_all_memory(void **state)
{
	static struct planted p;
	uint64_t random = 7;
	double width;
	int holds = 0;

	(void)state;
	for (int trial = 0; trial < 400; trial++) {
		struct lens_population population = all_of_two;

		plant(&p, &random);
		population.blocks = LOOKED;
		population.units = 5 * BLOCKS; /* others have no slab of the cache */
		population.counted = 5 * LOOKED;
		population.objects = p.all_used * LOOKED / BLOCKS;
		holds += sample_holds(&p, &population, &random, &width);
	}
	print_message("%d of 400 intervals hold\n", holds);
	assert_true(holds >= 368);
}

static void what_was_all_looked_at_has_no_interval(void **state)
{
	const struct lens_sum all = {.value = 12, .hits = 3}, few = {.value = 12, .variance = 9};
	struct lens_figure f = lens_estimate(&all);

	(void)state;
	assert_float_equal(f.low, 12, 0);
	assert_float_equal(f.high, 12, 0);
	f = lens_estimate(&few);
	assert_true(f.low > 5 && f.low < 9 && f.high > 16 && f.high < 22);
}

/* ---- blocks ---- */

static void only_blocks_with_slabs_are_remembered(void **state)
{
	const struct kmt_census_block blocks[KMT_CENSUS_BLOCKS] = {{.pfn = 64, .frames = 64},
								   {.pfn = 128, .frames = 32}};
	const struct kmt_census_record records[] = {
		{.cache = 1, .block = 0, .objects = 21, .used = 21},
		{.cache = 1, .owner = 5, .block = 0, .used = 20}, /* a charge */
		{.cache = 1, .block = 0, .objects = 21, .used = 4},
		{.cache = 2, .block = 0, .objects = 8, .used = 8},
		{.cache = 1, .block = 1, .objects = 21, .used = 1},
		{.cache = 1, .block = 1, .objects = 21, .used = 22}, /* torn */
		{.cache = 1, .block = 99, .objects = 21, .used = 1},
		{.owner = 6, .block = 1, .used = 3}, /* pages */
	};
	struct lens_blocks *b = lens_blocks_new();
	struct lens_cache **caches;
	size_t nr;

	(void)state;
	assert_non_null(b);
	assert_int_equal(lens_blocks_add(b, blocks, records, 8), 0);
	assert_int_equal(lens_blocks_list(b, &caches, &nr), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(caches[0]->address, 1);
	assert_int_equal(caches[0]->nr, 2);
	assert_float_equal(caches[0]->used, 26, 0);
	assert_int_equal(caches[0]->items[0].used, 25);
	assert_int_equal(caches[0]->items[1].pfn, 128);
	assert_int_equal(caches[0]->items[1].frames, 32);
	assert_int_equal(caches[1]->items[0].used, 8);
	assert_int_equal(lens_blocks_lost(b), 0);
	free(caches);
	lens_blocks_forget(b);
	assert_int_equal(lens_blocks_list(b, &caches, &nr), 0);
	assert_int_equal(nr, 0);
	free(caches);
	lens_blocks_free(b);
}

/* A machine of any size: the memory that this takes has a limit, and what was left out is said. */
static void blocks_beyond_the_limit_are_lost_and_counted(void **state)
{
	const struct kmt_census_record record = {.cache = 1, .objects = 21, .used = 21};
	struct kmt_census_block block = {.frames = 64};
	struct lens_blocks *b = lens_blocks_new();
	struct lens_cache **caches;
	size_t nr;

	(void)state;
	assert_non_null(b);
	for (uint64_t i = 0; i < (1 << 20) + 1000; i++) {
		block.pfn = i * 64;
		assert_int_equal(lens_blocks_add(b, &block, &record, 1), 0);
	}
	assert_int_equal(lens_blocks_lost(b), 1000);
	assert_int_equal(lens_blocks_list(b, &caches, &nr), 0);
	assert_int_equal(caches[0]->nr, 1 << 20);
	free(caches);
	lens_blocks_free(b);
}

/* ---- namespaces of processes ---- */

static void process_make(const char *root, const char *pid, const char *net, const char *comm)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, pid);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/comm", root, pid);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", comm);
	fclose(f);
	snprintf(path, sizeof(path), "%s/%s/ns", root, pid);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/ns/net", root, pid);
	assert_int_equal(symlink(net, path), 0);
}

static void a_namespace_is_that_of_its_processes(void **state)
{
	char root[] = "/tmp/kmemtrace-ns-XXXXXX", command[64];
	struct census_lenses l = {0};
	const struct lens_space *s;

	(void)state;
	assert_non_null(mkdtemp(root));
	process_make(root, "12", "net:[4026531840]", "init");
	process_make(root, "13", "net:[4026531840]", "other");
	process_make(root, "14", "net:[4026532000]", "a process of 15");
	process_make(root, "self", "net:[1]", "no number");
	process_make(root, "15", "nonsense", "odd");
	assert_int_equal(namespaces_read(root, &l.spaces, &l.spaces_whole), 0);
	assert_int_equal(l.spaces.nr, 2);
	s = lens_space_find(&l, true, 4026531840);
	assert_int_equal(s->processes, 2);
	s = lens_space_find(&l, true, 4026532000);
	assert_int_equal(s->pid, 14);
	assert_string_equal(s->comm, "a process of 15");
	assert_null(lens_space_find(&l, false, 4026531840));
	assert_null(lens_space_find(&l, true, 1));
	census_lenses_free(&l);
	assert_int_equal(namespaces_read("/nowhere", &l.spaces, &l.spaces_whole), -ENOENT);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

/* ---- devices ---- */

static void a_device_has_the_name_that_the_system_gives_it(void **state)
{
	char root[] = "/tmp/kmemtrace-devices.XXXXXX", command[256], name[24];

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p dev/char dev/block && ln -s ../../devices/virtual/misc/tun "
		 "dev/char/10:200 && ln -s ../../devices/vda dev/block/254:0 && printf 'Character "
		 "devices:\\n  1 mem\\n136 pts\\n\\nBlock devices:\\n  1 ramdisk\\n' >devices",
		 root);
	assert_int_equal(system(command), 0);
	device_name(root, root, false, 10 << 20 | 200, name, sizeof(name));
	assert_string_equal(name, "tun");
	device_name(root, root, true, 254 << 20, name, sizeof(name));
	assert_string_equal(name, "vda");
	device_name(root, root, false, 136 << 20 | 7, name, sizeof(name));
	assert_string_equal(name, "pts");
	device_name(root, root, true, 1 << 20, name, sizeof(name));
	assert_string_equal(name, "ramdisk");
	device_name(root, root, false, 300 << 20 | 5, name, sizeof(name));
	assert_string_equal(name, "300:5");
	device_name("/nowhere", "/nowhere", false, 136 << 20 | 7, name, sizeof(name));
	assert_string_equal(name, "136:7");
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

/* ---- by process ---- */

static struct kmt_lens_holder held_by(uint32_t tgid, const char *comm, struct kmt_lens_record held)
{
	struct kmt_lens_holder h = {.tgid = tgid, .held = held};

	strncpy(h.comm, comm, sizeof(h.comm) - 1);
	return h;
}

static void files_and_sockets_are_those_of_their_processes(void **state)
{
	const struct kmt_lens_record timer = {.lens = KMT_LENS_FILE,
					      .what = ANON,
					      .op = 2,
					      .text = "[timerfd]",
					      .nr = 40},
				     tcp = {.lens = KMT_LENS_SOCKET,
					    .what = TCP,
					    .detail = 2 | 8 << KMT_LENS_STATE_SHIFT,
					    .bytes = 1 << 20,
					    .nr = 10},
				     dentry = DENTRY(EXT4, 0, 0, 5);
	const struct kmt_lens_holder records[] = {
		held_by(7, "web", timer), held_by(7, "web", timer), held_by(7, "web", tcp),
		held_by(8, "web", timer), held_by(9, "db", timer),  held_by(9, "db", dentry)};
	struct lens_holders_found *found = lens_holders_new();
	struct lens_tally *t = tally_new();
	struct census_lenses l = {0};

	(void)state;
	assert_non_null(found);
	assert_int_equal(lens_holders_add(found, records, 4), 0);
	assert_int_equal(lens_holders_add(found, records + 4, 2), 0);
	assert_int_equal(lens_holders_finish(found, t, &l), 0);
	assert_int_equal(l.holders.nr, 3);
	assert_int_equal(l.holders.items[0].lens, LENS_SOCKETS); /* with what it queues */
	assert_string_equal(l.holders.items[0].state, "CLOSE-WAIT");
	assert_float_equal(l.holders.items[0].held_kb, 1024, 0);
	assert_string_equal(l.holders.items[1].kind, "timerfd");
	assert_string_equal(l.holders.items[1].comm, "web");
	assert_int_equal(l.holders.items[1].processes, 2);
	assert_int_equal(l.holders.items[1].pid, 7);
	assert_int_equal(l.holders.items[1].objects, 120);
	assert_string_equal(l.holders.items[2].comm, "db");
	assert_int_equal(l.holders.items[2].objects, 40);
	census_lenses_free(&l);
	lens_holders_free(found);
	lens_tally_free(t);
}

static struct kmt_lens_record path_with(uint64_t dentry, uint32_t lens, uint32_t nr)
{
	return (struct kmt_lens_record){.lens = KMT_LENS_PATH,
					.what = EXT4,
					.dentry = dentry,
					.detail = lens,
					.mount = 5,
					.nr = nr};
}

/* With --names, the iterator says where each open file is. */
static void the_paths_that_most_open_files_have_are_named(void **state)
{
	const struct kmt_lens_holder records[] = {
		held_by(7, "web", path_with(8, KMT_LENS_FILE, 40)),
		held_by(7, "web", path_with(9, KMT_LENS_FILE, 500)), /* closed meanwhile */
		held_by(7, "web", path_with(3, KMT_LENS_FILE, 1)),   /* no other has it */
		held_by(7, "web", path_with(4, KMT_LENS_SOCKET, 2)),
		held_by(8, "log\033[31m", path_with(8, KMT_LENS_FILE, 30)),
		held_by(8, "log\033[31m", path_with(8, KMT_LENS_FILE, 31)),
		held_by(9, "db", path_with(8, KMT_LENS_FILE, 50)),
		held_by(9, "db", path_with(4, KMT_LENS_FILE, 3))}; /* the socket's file itself */
	struct lens_holders_found *found = lens_holders_new();
	struct lens_tally *t = tally_new();
	struct census_lenses l = {0};
	const struct lens_path *p;

	(void)state;
	assert_non_null(found);
	assert_int_equal(lens_holders_add(found, records, 5), 0);
	assert_int_equal(lens_holders_add(found, records + 5, 3), 0);
	for (uint64_t n = 100; n < 130; n++) {
		struct kmt_lens_holder h = held_by(9, "db", path_with(n, KMT_LENS_FILE, 2));

		assert_int_equal(lens_holders_add(found, &h, 1), 0);
	}
	assert_int_equal(lens_holders_finish(found, t, &l), 0);
	lens_tally_finish(t, &l);
	assert_int_equal(l.holders.nr, 0);
	assert_int_equal(l.paths.nr, 1 + LENS_PATHS);
	p = &l.paths.items[0]; /* sockets come first */
	assert_int_equal(p->lens, LENS_SOCKETS);
	assert_string_equal(p->path, "/srv/d4");
	assert_float_equal(p->objects.value, 2, 0);
	p = &l.paths.items[1];
	assert_int_equal(p->lens, LENS_FILES);
	assert_string_equal(p->path, "/srv/d8");
	assert_string_equal(p->what, "ext4");
	assert_true(p->deleted);
	assert_float_equal(p->objects.value, 151, 0);
	assert_int_equal(p->processes, 3);
	assert_int_equal(p->most, 61);
	assert_int_equal(p->pid, 8);
	assert_string_equal(p->comm, "log\033[31m"); /* escaped when it is printed */
	assert_string_equal(l.paths.items[2].path, "/srv/d4");
	for (size_t i = 0; i < l.paths.nr; i++)
		assert_true(l.paths.items[i].objects.value >= 2);
	assert_int_equal(asked.mount, 5);
	census_lenses_free(&l);
	lens_holders_free(found);
	lens_tally_free(t);
}

/* ---- documents ---- */

static void census_make_lenses(struct census *c)
{
	static const struct lens_population some = {.blocks = 4,
						    .objects = 400000,
						    .bytes = 192,
						    .units = 1000,
						    .counted = 1000,
						    .page_bytes = 4096};
	struct lens_tally *t = tally_new();
	struct lens_directory *d;
	struct lens_path *path;
	struct lens_holder *h;
	struct census_cgroup *g;
	struct lens_space *s;

	*c = (struct census){.units = 1000,
			     .counted = 1000,
			     .frames = 64000,
			     .page_bytes = 4096,
			     .cpus = 2,
			     .wall_s = 1.8e9,
			     .cpu_s = 0.3,
			     .took_s = 0.4};
	g = ARRAY_PUSH(&c->cgroups);
	assert_non_null(g);
	strcpy(g->path, "/system.slice/web\033[31m.service");
	g = ARRAY_PUSH(&c->cgroups);
	assert_non_null(g);
	strcpy(g->path, "/kubepods/burstable");
	g->below = true;
	s = ARRAY_PUSH(&c->lenses.spaces);
	assert_non_null(s);
	*s = (struct lens_space){
		.number = 70, .net = true, .processes = 3, .pid = 812, .comm = "web"};
	/* a cache of which half was looked at, … */
	lens_tally_block(t, 100000);
	add(t, DENTRY(EXT4, KMT_LENS_NEGATIVE, OWNER_A, 80000));
	add(t, DENTRY(EXT4, KMT_LENS_NEGATIVE, OWNER_B, 9000));
	add(t, DENTRY(TMPFS, KMT_LENS_IN_USE, 0, 11000));
	lens_tally_block(t, 110000);
	add(t, DENTRY(EXT4, KMT_LENS_NEGATIVE, OWNER_A, 90000));
	assert_int_equal(lens_tally_cache(t, &some), 0);
	/* … and others that were looked at as a whole */
	lens_tally_block(t, 5000);
	add(t, (struct kmt_lens_record){.lens = KMT_LENS_INODE,
					.what = EXT4,
					.detail = 8,
					.bytes = 25600,
					.owner = OWNER_B,
					.nr = 4000});
	add(t, (struct kmt_lens_record){.lens = KMT_LENS_SOCKET,
					.what = TCP,
					.detail = 2 | 8 << KMT_LENS_STATE_SHIFT,
					.space = 70,
					.owner = OWNER_A,
					.bytes = 64 << 20,
					.bytes2 = 1 << 20,
					.nr = 500});
	add(t,
	    (struct kmt_lens_record){
		    .lens = KMT_LENS_FILE, .what = ANON, .op = 1, .text = "[eventfd]", .nr = 900});
	add(t, (struct kmt_lens_record){
		       .lens = KMT_LENS_FILE, .what = SOCKFS, .detail = 12, .nr = 500});
	add(t, (struct kmt_lens_record){.lens = KMT_LENS_NET, .space = 70, .nr = 1});
	add(t,
	    (struct kmt_lens_record){.lens = KMT_LENS_NET, .space = 71, .nr = 1, .owner = OWNER_B});
	add(t,
	    (struct kmt_lens_record){.lens = KMT_LENS_NET, .space = 72, .nr = 1, .owner = OWNER_B});
	add(t,
	    (struct kmt_lens_record){.lens = KMT_LENS_MOUNT, .what = TMPFS, .space = 9, .nr = 12});
	lens_tally_block(t, 0);
	assert_int_equal(lens_tally_cache(t, &all_of_two), 0);
	lens_tally_finish(t, &c->lenses);
	lens_tally_free(t);
	for (int lens = 0; lens < LENSES; lens++)
		c->lenses.share[lens] = 1;
	c->lenses.share[LENS_DENTRIES] = 0.5;
	c->lenses.sampled[LENS_DENTRIES] = true;
	c->lenses.cpu_s = 0.2;
	d = ARRAY_PUSH(&c->lenses.directories);
	assert_non_null(d);
	*d = (struct lens_directory){.what = "ext4",
				     .device = "sda1",
				     .path = "/var/lib/web/sess\033[31mions",
				     .objects = {.value = 300000},
				     .negative = {.value = 299000},
				     .kb = 56250};
	path = ARRAY_PUSH(&c->lenses.paths);
	assert_non_null(path);
	*path = (struct lens_path){.lens = LENS_FILES,
				   .what = "ext4",
				   .device = "sda1",
				   .path = "/var/log/web\033[31m/a-long-name/access.log",
				   .deleted = true,
				   .objects = {.value = 40310},
				   .processes = 3,
				   .pid = 77,
				   .comm = "db\033[32m",
				   .most = 40012};
	path = ARRAY_PUSH(&c->lenses.paths);
	assert_non_null(path);
	*path = (struct lens_path){
		.lens = LENS_MOUNTS, .path = "/run/netns/blue", .objects = {.value = 211}};
	h = ARRAY_PUSH(&c->lenses.holders);
	assert_non_null(h);
	*h = sample_socket_holder;
	h->held_kb = 65536;
	h = ARRAY_PUSH(&c->lenses.holders);
	assert_non_null(h);
	*h = (struct lens_holder){.lens = LENS_FILES,
				  .what = "anon_inodefs",
				  .device = "anon_inodefs",
				  .kind = "eventfd",
				  .comm = "db",
				  .processes = 1,
				  .pid = 77,
				  .objects = 900};
	c->lenses.holders_whole = true;
	c->lenses.named = c->lenses.taken = c->lenses.spaces_whole = true;
}

static char *print_lenses(const struct census *c, bool json, const char *sections)
{
	struct findings found = {0};
	struct census_sheet s = {0};
	const struct census_document d = {.sheet = &s, .findings = &found, .kernel = "6.18.0"};
	const struct census_text_options o = {
		.sections = census_section_parse(sections, strlen(sections)), .utf8 = true};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(census_sheet_build(c, &s), 0);
	assert_int_equal(json ? census_json(&d, f) : census_text(&d, &o, f), 0);
	assert_int_equal(fclose(f), 0);
	census_sheet_free(&s);
	return text;
}

static void lines_fit(char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		size_t columns = 0;

		for (const char *c = line; *c; c++)
			columns += (*c & 0xc0) != 0x80;
		if (columns > 80)
			fail_msg("%zu columns: %s", columns, line);
	}
}

static void the_documents_say_who_holds_what(void **state)
{
	struct census c;
	char *text;

	(void)state;
	census_make_lenses(&c);
	text = print_lenses(&c, false, "none");
	assert_null(strchr(text, '\033')); /* from a cgroup's name */
	compare_golden("lenses-screen.txt", text);
	lines_fit(text);
	free(text);
	text = print_lenses(&c, false, "lenses");
	assert_null(strchr(text, '\033'));
	compare_golden("lenses.txt", text);
	lines_fit(text);
	free(text);
	text = print_lenses(&c, true, "none");
	assert_null(strchr(text, '\033'));
	compare_golden("census-lenses.json", text);
	free(text);
	strcpy(c.lenses.absent, "this kernel does not load the programs");
	text = print_lenses(&c, false, "none");
	assert_non_null(strstr(text, "is not known: this"));
	free(text);
	census_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_one_name_and_cgroup_is_one_row),
		cmocka_unit_test(each_kind_is_named_by_what_tells_it),
		cmocka_unit_test(caches_add_up),
		cmocka_unit_test(the_directories_with_most_dentries_are_named),
		cmocka_unit_test(the_mount_points_with_most_mounts_are_named),
		cmocka_unit_test(a_long_path_of_a_directory_keeps_its_end),
		cmocka_unit_test(intervals_of_a_sample_of_blocks_hold),
		cmocka_unit_test(of_a_sampled_census_the_interval_holds_for_all_memory),
		cmocka_unit_test(what_was_all_looked_at_has_no_interval),
		cmocka_unit_test(only_blocks_with_slabs_are_remembered),
		cmocka_unit_test(blocks_beyond_the_limit_are_lost_and_counted),
		cmocka_unit_test(a_namespace_is_that_of_its_processes),
		cmocka_unit_test(a_device_has_the_name_that_the_system_gives_it),
		cmocka_unit_test(files_and_sockets_are_those_of_their_processes),
		cmocka_unit_test(the_paths_that_most_open_files_have_are_named),
		cmocka_unit_test(the_documents_say_who_holds_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
