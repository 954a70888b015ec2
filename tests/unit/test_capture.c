// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capture file: the reader returns what was written; kill -9 and full disks lose nothing that
 * was committed; no file, however it was made, crashes or hangs the reader, or gets a wrong value
 * past it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/cleanup.h"
#include "close.h"
#include "capture_file.h"
#include "capture/writer_internal.h"
#include "sample_census.h"

/* ---- helpers ---- */

/* Read `path`; on failure the message must be one line that names the file. */
static int read_capture(const char *path, struct capture **c)
{
	int err;

	*c = NULL;
	said_begin();
	err = capture_read(path, c);
	said_end();
	if (err) {
		assert_true(err < 0);
		assert_null(*c);
		assert_non_null(strstr(said, path));
		assert_non_null(strchr(said, '\n'));
		assert_string_equal(strchr(said, '\n'), "\n");
	} else {
		assert_non_null(*c);
		assert_true((*c)->nr_snapshots >= 1);
	}
	return err;
}

static void remove_file(void)
{
	char journal[128];

	snprintf(journal, sizeof(journal), "%s-journal", file);
	unlink(journal);
	unlink(file);
}

static void *slurp(const char *path, size_t *len)
{
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	char *buf;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*len = ftell(f);
	rewind(f);
	buf = malloc(*len + 1);
	assert_int_equal(fread(buf, 1, *len, f), *len);
	buf[*len] = '\0';
	return buf;
}

static void spill(const char *path, const void *buf, size_t len)
{
	_cleanup_fclose_ FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(buf, 1, len, f), len);
}

/* CPU time of this process, so that other work on the machine does not matter. */
static double cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* ---- one capture of everything ---- */

static void add_named(struct named_values *v, const char *name, int64_t value)
{
	struct named_value *n = ARRAY_PUSH(v);

	snprintf(n->name, sizeof(n->name), "%s", name);
	n->value = value;
}

static void add_slab(struct slab_levels *v, const char *name, int64_t active, int64_t slabs)
{
	struct slab_level *n = ARRAY_PUSH(v);

	snprintf(n->name, sizeof(n->name), "%s", name);
	n->active_objs = active;
	n->num_objs = slabs * 21;
	n->object_size = 192;
	n->objs_per_slab = 21;
	n->pages_per_slab = 1;
	n->active_slabs = n->num_slabs = slabs;
	n->cpu_free = slabs % 5 - 1;
}

/* A snapshot that depends on t: values change, caches appear and disappear, and ticks lack some
 * parts. */
static void make_snapshot(struct snapshot *s, int t, int last)
{
	*s = (struct snapshot){.kind = t ? t == last ? SNAPSHOT_END : SNAPSHOT_TICK
					 : SNAPSHOT_START,
			       .t_s = t,
			       .wall_s = 1.7e9 + t};
	add_named(&s->meminfo, "MemTotal", 16000000);
	add_named(&s->meminfo, "MemFree", 8000000 - 1000 * t);
	add_named(&s->meminfo, "Slab", 100000 + 10 * t);
	s->meminfo.bad_lines = 1;
	add_named(&s->vmstat, "nr_free_pages", 2000000 - 250 * t);
	add_named(&s->vmstat, "pgfault", INT64_MAX); /* saturates */
	add_slab(&s->slabs, "dentry", 1000 + 5 * t, 100 + t / 3);
	add_slab(&s->slabs, "twin", 7, 1);
	add_slab(&s->slabs, "twin", 8 + t, 1);
	if (t % 4 < 2)
		add_slab(&s->slabs, "comes and goes", 3, 1);
	if (t % 2 == 0) {
		struct zone_level *z = ARRAY_PUSH(&s->zones);

		*z = (struct zone_level){.node = 1,
					 .zone = "Normal",
					 .free = 5 * t,
					 .spanned = 10,
					 .present = 9,
					 .managed = 8,
					 .pcp = 7};
	}
	if (!t || t == last) {
		struct vmalloc_level *v = ARRAY_PUSH(&s->vmallocs);
		struct cgroup_level *g = ARRAY_PUSH(&s->cgroups);
		struct task_level *k;

		*g = (struct cgroup_level){.path = "/a\x1b[31m.slice",
					   .id = UINT64_MAX - 7,
					   .descendants = 9,
					   .dying = 400 + t};
		*ARRAY_PUSH(&s->nodes) =
			(struct node_level){.name = "MemFree", .node = 63, .value = 9 + t};
		*ARRAY_PUSH(&s->bpf) = (struct bpf_level){.object = "hash \x1b[31m",
							  .kind = BPF_KIND_PROGRAM,
							  .id = UINT32_MAX,
							  .vmalloc = 4096 + t,
							  .own = 1};
		*ARRAY_PUSH(&s->bpf_holders) = (struct bpf_holder){.name = "/sys/fs/bpf/x\n",
								   .id = 7,
								   .how = BPF_HELD_BY_PROGRAM,
								   .holder = 812};

		*v = (struct vmalloc_level){.caller = "load_module+0x1c2 [nf_tables]",
					    .kind = VMALLOC_IOREMAP,
					    .areas = 4,
					    .bytes = 65536 + t,
					    .pages = 12};
		k = ARRAY_PUSH(&s->tasks);
		*k = (struct task_level){.tgid = 4711,
					 .comm = "post\x1b[31mgres",
					 .cgroup_id = UINT64_MAX - 5,
					 .threads = 3,
					 .stack_bytes = 49152,
					 .pgtables_bytes = 8192 + t};
	}
}

#define TICKS 11 /* snapshots in the capture of everything */

static void put_snapshots(struct capture_writer *w)
{
	for (int t = 0; t < TICKS; t++) {
		struct snapshot s;

		make_snapshot(&s, t, TICKS - 1);
		assert_int_equal(capture_put_snapshot(w, &s), 0);
		assert_int_equal(capture_commit(w), 0);
		snapshot_free(&s);
	}
}

static void put_who_and_where(struct capture_writer *w)
{
	struct cap_frame frames[] = {
		{"alloc_msg", 0x2a, "vmlinux", "00ff"},
		{"nft_\x01\x7f\xff", 0, "nf_tables", ""},
		{"[unknown]", 0xffffffff81000000, "vmlinux",
		 "00ff"}, /* an address must not be stored */
	};
	char *aliases[] = {"pid", "key\nstroke"};
	struct cap_cache cache = {.name = "anon_vma",
				  .object_size = 88,
				  .size = 96,
				  .reclaimable = true,
				  .aliases = {aliases, 2, 2}};
	struct cap_cache large = {.name = "kmalloc-large", .large = true};
	struct cap_process process = {
		.tgid = 4711, .comm = "postgres", .cmdline = "postgres: idle", .cgroup = 1};
	struct cap_hook hook = {"vmalloc:alloc_vmap_area", POOL_VMALLOC, "", "absent before 6.2",
				"no callers"};
	uint32_t ids[3], id;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(capture_put_frame(w, &frames[i], &ids[i]), 0);
		assert_int_equal(ids[i], i + 1);
	}
	assert_int_equal(capture_put_frame(w, &frames[1], &id), 0);
	assert_int_equal(id, 2);
	assert_int_equal(capture_put_stack(w, &(struct cap_stack){3, ids, true}, &id), 0);
	assert_int_equal(id, 1);
	assert_int_equal(capture_put_stack(w, &(struct cap_stack){0, NULL, false}, &id), 0);
	assert_int_equal(id, 2);
	assert_int_equal(capture_put_stack(w, &(struct cap_stack){1, ids, false}, &id), 0);
	assert_int_equal(id, 3);
	assert_int_equal(capture_put_stack(w, &(struct cap_stack){3, ids, true}, &id), 0);
	assert_int_equal(id, 1);
	assert_int_equal(capture_put_cache(w, &cache, &id), 0);
	assert_int_equal(id, 1);
	assert_int_equal(capture_put_cache(w, &large, &id), 0);
	assert_int_equal(id, 2);
	assert_int_equal(capture_put_cgroup(w, "/system.slice/postgres.service", &id), 0);
	assert_int_equal(id, 1);
	assert_int_equal(capture_put_process(w, &process, &id), 0);
	assert_int_equal(id, 1);
	assert_int_equal(capture_put_hook(w, &hook), 0);
}

static struct cap_held made_held(int i)
{
	struct cap_held h = {.pool = POOL_SLAB,
			     .cache = 1,
			     .stack = 1,
			     .process = 1,
			     .tracked = 10 + i,
			     .objects = 20.5,
			     .bytes = 1968,
			     .bytes_var = 12.25,
			     .bytes_missed = 1.5,
			     .oldest_s = 9.5,
			     .verified = 10,
			     .verified_live = 9,
			     .verified_twice = 8};

	for (int b = 0; b < AGE_BUCKETS; b++)
		h.age_hist[b] = b * 1.5;
	return h;
}

static void put_intervals(struct capture_writer *w)
{
	struct cap_held held[2] = {made_held(0), made_held(1)};
	struct cap_churn churn = {POOL_PAGE, 3, 100, 409600, 90, 368640, 1, 4096, 1e9};
	struct cap_cache_churn cache_churn = {2, 7, 6, 0.5};
	struct cap_count loss = {"map_full", 12};
	struct cap_checkpoint in = {.start_s = 0,
				    .end_s = 5,
				    .held = {held, 2, 2},
				    .churn = {&churn, 1, 1},
				    .cache_churn = {&cache_churn, 1, 1},
				    .losses = {&loss, 1, 1}};

	held[1].pool = POOL_VMALLOC;
	held[1].cache = 0;
	strcpy(held[1].class_, "thread");
	assert_int_equal(capture_put_checkpoint(w, &in), 0);
	in.start_s = 5;
	in.end_s = 10;
	in.held.nr = 1;
	assert_int_equal(capture_put_checkpoint(w, &in), 0);
}

/* The capture of everything at `file`. */
static void put_census(struct capture_writer *w)
{
	_cleanup_(census_free) struct census c;

	sample_census(&c, 1000);
	sample_lenses(&c, 1e6);
	sample_census_kinds(&c, 1);
	assert_int_equal(capture_put_census(w, CENSUS_AT_START, &c), 0);
}

static void put_proof(struct capture_writer *w)
{
	struct proof p = {.stack = 1, .refs.cache = "kmalloc-64", .refs.object_bytes = 64};

	p.refs.sample = (struct refs_counts){.checked = 385, .unreferenced = 377};
	assert_int_equal(capture_put_proof(w, &p), 0);
}

static void write_sample(bool finished)
{
	struct capture_writer *w;

	remove_file();
	assert_int_equal(capture_writer_new(file, false, &w), 0);
	assert_int_equal(capture_put_meta(w, META_HOST, "db17"), 0);
	assert_int_equal(capture_put_meta(w, META_MODE, "exact"), 0);
	assert_int_equal(capture_put_metaf(w, META_CPUS, "%d", 64), 0);
	assert_int_equal(capture_put_meta(w, META_MODE, "sampled"), 0); /* replaces */
	put_snapshots(w);
	put_who_and_where(w);
	put_intervals(w);
	put_census(w);
	put_proof(w);
	if (finished)
		assert_int_equal(capture_finish(w), 0);
	else
		capture_writer_free(w);
}

/* ---- round trip ---- */

static void check_named(const struct named_values *a, const struct named_values *b)
{
	assert_int_equal(a->nr, b->nr);
	assert_int_equal(a->bad_lines, b->bad_lines);
	for (size_t i = 0; i < a->nr; i++) {
		assert_string_equal(a->items[i].name, b->items[i].name);
		assert_int_equal(a->items[i].value, b->items[i].value);
	}
}

static const struct slab_level *slab_after(const struct slab_levels *v, const char *name,
					   size_t from)
{
	for (size_t i = from; i < v->nr; i++)
		if (!strcmp(v->items[i].name, name))
			return &v->items[i];
	return NULL;
}

static void check_snapshot(const struct snapshot *got, int t)
{
	struct snapshot want;

	make_snapshot(&want, t, TICKS - 1);
	want.vmstat.items[1].value = 1LL << 53;
	assert_int_equal(got->kind, want.kind);
	assert_true(got->t_s == want.t_s && got->wall_s == want.wall_s);
	check_named(&got->meminfo, &want.meminfo);
	check_named(&got->vmstat, &want.vmstat);
	assert_int_equal(got->slabs.nr, want.slabs.nr);
	for (size_t i = 0; i < want.slabs.nr; i++)
		assert_memory_equal(
			&got->slabs.items[i].active_objs, &want.slabs.items[i].active_objs,
			sizeof(struct slab_level) - offsetof(struct slab_level, active_objs));
	assert_int_equal(!!slab_after(&got->slabs, "comes and goes", 0), t % 4 < 2);
	assert_int_equal(got->cgroups.nr, want.cgroups.nr);
	if (want.cgroups.nr) {
		assert_string_equal(got->cgroups.items[0].path, want.cgroups.items[0].path);
		assert_memory_equal(&got->cgroups.items[0].id, &want.cgroups.items[0].id,
				    3 * sizeof(int64_t));
		assert_memory_equal(got->nodes.items, want.nodes.items, sizeof(struct node_level));
		assert_memory_equal(got->bpf.items, want.bpf.items, sizeof(struct bpf_level));
		assert_memory_equal(got->bpf_holders.items, want.bpf_holders.items,
				    sizeof(struct bpf_holder));
	}
	assert_int_equal(got->zones.nr, want.zones.nr);
	if (want.zones.nr)
		assert_memory_equal(&got->zones.items[0].free, &want.zones.items[0].free,
				    5 * sizeof(int64_t));
	assert_int_equal(got->vmallocs.nr, want.vmallocs.nr);
	assert_int_equal(got->tasks.nr, want.tasks.nr);
	if (want.tasks.nr) {
		assert_string_equal(got->vmallocs.items[0].caller, want.vmallocs.items[0].caller);
		assert_int_equal(got->vmallocs.items[0].kind, VMALLOC_IOREMAP);
		assert_memory_equal(&got->vmallocs.items[0].areas, &want.vmallocs.items[0].areas,
				    3 * sizeof(int64_t));
		assert_string_equal(got->tasks.items[0].comm, want.tasks.items[0].comm);
		assert_int_equal(got->tasks.items[0].tgid, 4711);
		assert_true(got->tasks.items[0].cgroup_id == UINT64_MAX - 5);
		assert_memory_equal(&got->tasks.items[0].threads, &want.tasks.items[0].threads,
				    3 * sizeof(int64_t));
	}
	snapshot_free(&want);
}

static void check_who_and_where(const struct capture *c)
{
	assert_int_equal(c->nr_frames, 4);
	assert_string_equal(c->frames[0].symbol, "");
	assert_string_equal(c->frames[1].symbol, "alloc_msg");
	assert_int_equal(c->frames[1].offset, 0x2a);
	assert_string_equal(c->frames[2].symbol, "nft_\x01\x7f\xff");
	assert_string_equal(c->frames[2].module, "nf_tables");
	assert_int_equal(c->frames[3].offset, 0);
	assert_string_equal(c->frames[3].build_id, "00ff");
	assert_int_equal(c->nr_stacks, 4);
	assert_int_equal(c->stacks[1].nr_frames, 3);
	assert_true(c->stacks[1].truncated);
	assert_int_equal(c->stacks[1].frames[2], 3);
	assert_int_equal(c->stacks[2].nr_frames, 0);
	assert_int_equal(c->stacks[3].nr_frames, 1);
	assert_int_equal(c->nr_caches, 3);
	assert_string_equal(c->caches[1].name, "anon_vma");
	assert_int_equal(c->caches[1].aliases.nr, 2);
	assert_string_equal(c->caches[1].aliases.items[1], "key\nstroke");
	assert_true(c->caches[1].reclaimable && !c->caches[1].large && c->caches[2].large);
	assert_int_equal(c->caches[1].size, 96);
	assert_int_equal(c->nr_processes, 2);
	assert_string_equal(c->processes[1].cmdline, "postgres: idle");
	assert_int_equal(c->processes[1].cgroup, 1);
	assert_string_equal(c->cgroups[1], "/system.slice/postgres.service");
	assert_int_equal(c->nr_hooks, 1);
	assert_string_equal(c->hooks[0].reason, "absent before 6.2");
	assert_int_equal(c->hooks[0].pool, POOL_VMALLOC);
}

static void check_intervals(const struct capture *c)
{
	const struct cap_checkpoint *in = c->checkpoints;
	struct cap_held want = made_held(0);

	assert_int_equal(c->nr_checkpoints, 2);
	assert_true(in[1].start_s == 5 && in[1].end_s == 10);
	assert_int_equal(in[0].held.nr, 2);
	assert_int_equal(in[1].held.nr, 1);
	assert_memory_equal(&in[0].held.items[0], &want, sizeof(want));
	assert_string_equal(in[0].held.items[1].class_, "thread");
	assert_int_equal(in[0].held.items[1].pool, POOL_VMALLOC);
	assert_int_equal(in[0].churn.nr, 1);
	assert_int_equal(in[0].churn.items[0].pool, POOL_PAGE);
	assert_true(in[0].churn.items[0].unseen_free_bytes == 4096);
	assert_true(in[0].cache_churn.items[0].unseen_frees == 0.5);
	assert_string_equal(in[1].losses.items[0].name, "map_full");
	assert_int_equal(in[1].losses.items[0].value, 12);
}

static void check_sample(const char *path, bool finished)
{
	struct capture *c;

	assert_int_equal(read_capture(path, &c), 0);
	assert_int_equal(c->complete, finished);
	assert_string_equal(capture_meta(c, META_HOST), "db17");
	assert_string_equal(capture_meta(c, META_MODE), "sampled");
	assert_string_equal(capture_meta(c, "nonesuch"), "");
	assert_true(capture_meta_number(c, META_CPUS, -1) == 64);
	assert_true(capture_meta_number(c, META_HOST, -1) == -1);
	assert_int_equal(c->nr_snapshots, TICKS);
	assert_int_equal(c->nr_snapshots_stored, TICKS);
	for (int t = 0; t < TICKS; t++)
		check_snapshot(&c->snapshots[t], t);
	check_who_and_where(c);
	check_intervals(c);
	capture_free(c);
}

static void reader_returns_what_was_written(void **state)
{
	char journal[128];
	struct stat st;

	(void)state;
	write_sample(true);
	check_sample(file, true);
	snprintf(journal, sizeof(journal), "%s-journal", file);
	assert_int_equal(access(journal, F_OK), -1);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	write_sample(false);
	check_sample(file, false);
}

static void each_pool_has_one_name(void **state)
{
	enum pool pool = POOL_PAGE;

	(void)state;
	for (int p = 0; p < POOLS; p++) {
		assert_int_equal(pool_parse(pool_name(p), &pool), 0);
		assert_int_equal(pool, p);
	}
	assert_int_equal(pool_parse("slabs", &pool), -EINVAL);
}

static void no_kernel_address_is_stored(void **state)
{
	_cleanup_free_ uint8_t *buf = NULL;
	size_t len;

	(void)state;
	write_sample(true);
	buf = slurp(file, &len);
	assert_null(memmem(buf, len, "\xff\xff\xff\xff\x81\0\0\0", 8));
}

/* A mistake in `record` must not create a file that the reader refuses. */
static void the_writer_refuses_rows_that_the_reader_refuses(void **state)
{
	struct cap_held held = made_held(0);
	struct cap_checkpoint in = {.end_s = 1, .held = {&held, 1, 1}};
	struct snapshot s = {.t_s = 0.0 / 0.0};
	struct capture_writer *w;
	struct capture *c;
	uint32_t id = 77, none = 9;

	(void)state;
	remove_file();
	assert_int_equal(capture_writer_new(file, false, &w), 0);
	said_begin();
	assert_int_equal(capture_put_stack(w, &(struct cap_stack){1, &none, false}, &id), -EINVAL);
	assert_int_equal(capture_put_checkpoint(w, &in),
			 -EINVAL); /* no such cache, stack, process */
	held.cache = held.stack = held.process = 0;
	held.bytes = 0.0 / 0.0;
	assert_int_equal(capture_put_checkpoint(w, &in), -EINVAL);
	assert_int_equal(capture_put_snapshot(w, &s), -EINVAL);
	said_end();
	assert_int_equal(id, 77);
	make_snapshot(&s, 0, 1);
	assert_int_equal(capture_put_snapshot(w, &s), 0);
	snapshot_free(&s);
	assert_int_equal(capture_finish(w), 0);
	assert_int_equal(read_capture(file, &c), 0);
	assert_int_equal(c->nr_checkpoints, 0);
	capture_free(c);
}

/* SQLite keeps the bound values of the previous row: a forgotten column would get one of them. */
static void a_row_with_a_column_too_few_is_refused(void **state)
{
	struct capture_writer *w;
	struct insert_row row;

	(void)state;
	remove_file();
	assert_int_equal(capture_writer_new(file, false, &w), 0);
	assert_int_equal(capture_put_meta(w, "host", "a"), 0);
	row = insert_begin(w, INSERT_META);
	insert_name(&row, "kernel");
	said_begin();
	assert_int_equal(insert_end(&row), -EINVAL);
	said_end();
	assert_said("a row of 2 columns has 1");
	assert_int_equal(capture_put_meta(w, "host", "b"),
			 -EINVAL); /* nothing is written after it */
	capture_writer_discard(w);
}

/* ---- creation ---- */

static void expect_refused(const char *path, bool overwrite, int err, const char *words)
{
	struct capture_writer *w = NULL;

	said_begin();
	assert_int_equal(capture_writer_new(path, overwrite, &w), err);
	said_end();
	assert_null(w);
	assert_non_null(strstr(said, words));
	assert_non_null(strstr(said, path));
}

static void other_files_are_not_overwritten(void **state)
{
	struct capture_writer *w;
	char link[128];

	(void)state;
	write_sample(true);
	expect_refused(file, false, -EEXIST, "exists already");
	snprintf(link, sizeof(link), "%s.link", file);
	assert_int_equal(symlink(file, link), 0);
	expect_refused(link, true, -EEXIST, "not a capture");
	unlink(link);
	check_sample(file, true);
	assert_int_equal(capture_writer_new(file, true, &w), 0);
	capture_writer_free(w);
	spill(file, "precious", 8);
	expect_refused(file, true, -EEXIST, "not a capture");
	expect_refused(scratch, true, -EEXIST, "not a capture");
	expect_refused("/nonexistent/x.kmt", false, -ENOENT, "cannot create");
}

/* ---- kill -9 and full disks ---- */

/* Child: commit snapshots forever, and tell the parent after each. */
static void record_for_ever(int told)
{
	struct capture_writer *w;

	if (capture_writer_new(file, false, &w))
		_exit(1);
	for (int t = 0;; t++) {
		struct snapshot s;

		make_snapshot(&s, t, 1 << 30);
		for (int i = 0; i < 200; i++) {
			char name[32];

			snprintf(name, sizeof(name), "cache-%d", i);
			add_slab(&s.slabs, name, t + i, 1 + t);
		}
		if (capture_put_snapshot(w, &s) || capture_commit(w))
			_exit(1);
		snapshot_free(&s);
		if (write(told, &t, sizeof(t)) != sizeof(t))
			_exit(1);
	}
}

/* The capture must hold at least what was committed, and say that it is incomplete. */
static void check_survives(const char *path, int committed)
{
	struct capture *c;

	if (read_capture(path, &c))
		fail_msg("%s", said);
	assert_false(c->complete);
	assert_true(c->nr_snapshots_stored >= (size_t)committed);
	assert_true(c->nr_snapshots_stored <= (size_t)committed + 1);
	capture_free(c);
}

static int last_told(int fd)
{
	int t, last = -1;

	while (read(fd, &t, sizeof(t)) == sizeof(t))
		last = t;
	return last + 1;
}

static void kill_9_loses_nothing_committed(void **state)
{
	int with_journal = 0;

	(void)state;
	for (int round = 0; round < 40; round++) {
		char journal[128];
		int pipefd[2], t, status;
		pid_t pid;

		remove_file();
		assert_int_equal(pipe(pipefd), 0);
		pid = fork();
		if (!pid) {
			close(pipefd[0]);
			record_for_ever(pipefd[1]);
		}
		close(pipefd[1]);
		assert_int_equal(read(pipefd[0], &t, sizeof(t)), sizeof(t));
		usleep(rand() % 20000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		t = last_told(pipefd[0]);
		close(pipefd[0]);
		snprintf(journal, sizeof(journal), "%s-journal", file);
		with_journal += !access(journal, F_OK);
		check_survives(file, t ? t : 1);
	}
	print_message("killed in mid-commit: %d of 40\n", with_journal);
}

/*
 * Killed in the middle of a commit for certain: the kernel kills the child when the file exceeds a
 * limit. At that time pages of the file have been changed, and the journal is needed.
 */
static int die_in_mid_commit(void)
{
	int pipefd[2], t, status;
	pid_t pid;

	remove_file();
	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	if (!pid) {
		struct rlimit limit = {900 << 10, 900 << 10}, core = {0, 0};

		close(pipefd[0]);
		setrlimit(RLIMIT_FSIZE, &limit);
		setrlimit(RLIMIT_CORE, &core);
		record_for_ever(pipefd[1]);
	}
	close(pipefd[1]);
	t = last_told(pipefd[0]);
	close(pipefd[0]);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXFSZ);
	assert_true(t > 0);
	return t;
}

static void kill_in_mid_commit_is_rolled_back(void **state)
{
	char journal[128];
	_cleanup_free_ uint8_t *before = NULL, *after = NULL;
	size_t len, len_after;
	int t = die_in_mid_commit();

	(void)state;
	snprintf(journal, sizeof(journal), "%s-journal", file);
	assert_int_equal(access(journal, F_OK), 0);
	before = slurp(file, &len);
	chmod(file, 0400);
	chmod(scratch, 0500);
	check_survives(file, t);
	check_survives(file, t); /* reading changed nothing */
	chmod(scratch, 0700);
	after = slurp(file, &len_after);
	assert_int_equal(len, len_after);
	assert_memory_equal(before, after, len);
}

static void journal_that_would_delete_files_is_refused(void **state)
{
	char journal[128], victim[128];
	struct capture *c;
	FILE *f;

	(void)state;
	die_in_mid_commit();
	snprintf(victim, sizeof(victim), "%s/victim", scratch);
	spill(victim, "x", 1);
	snprintf(journal, sizeof(journal), "%s-journal", file);
	f = fopen(journal, "a");
	fwrite("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 1, 8, f);
	fclose(f);
	assert_int_equal(read_capture(file, &c), -EBADMSG);
	assert_int_equal(access(victim, F_OK), 0);
	unlink(victim);
}

/* Child: like record_for_ever(), but exits with its error and the number of commits. */
static int fill_up(int *committed)
{
	struct capture_writer *w;
	int err = capture_writer_new(file, false, &w);

	*committed = 0;
	for (int t = 0; !err && t < 100000; t++) {
		struct snapshot s;

		make_snapshot(&s, t, 1 << 30);
		for (int i = 0; i < 200; i++)
			add_slab(&s.slabs, (char[]){'a' + i / 16, 'a' + i % 16, 0}, t + i, 1 + t);
		err = capture_put_snapshot(w, &s);
		if (!err)
			err = capture_commit(w);
		snapshot_free(&s);
		*committed += !err;
	}
	if (*committed && capture_finish(w) != err) /* later errors do not replace the first */
		return -1;
	return err;
}

static void check_disk_full(int err)
{
	int committed, got;

	remove_file();
	said_begin();
	got = fill_up(&committed);
	said_end();
	assert_int_equal(got, -err);
	assert_non_null(strstr(said, err == EFBIG ? "ulimit -f" : "free some space"));
	assert_string_equal(strchr(said, '\n'), "\n"); /* said once */
	assert_true(committed > 3);
	check_survives(file, committed);
}

static void in_limited_child(void (*test)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		setenv("CMOCKA_TEST_ABORT", "1",
		       1); /* an assertion that fails ends the child, not the test */
		test();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void file_limit_child(void)
{
	struct rlimit limit = {900 << 10, 900 << 10};

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	check_disk_full(EFBIG);
}

static void a_file_size_limit_keeps_what_was_committed(void **state)
{
	(void)state;
	in_limited_child(file_limit_child);
}

static void full_tmpfs_child(void)
{
	char path[96];
	struct capture_writer *w;
	struct stat st;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", scratch, "tmpfs", 0, "size=1m")) {
		printf("# skip a_full_disk_keeps_what_was_committed: a tmpfs cannot be mounted here: %s\n",
		       strerror(errno));
		fflush(stdout);
		_exit(77);
	}
	check_disk_full(ENOSPC);
	remove_file();
	/* not even enough space to create it: no file is left */
	if (system("head -c 1000k /dev/zero > \"$KMT_DIR/filler\"; mkdir \"$KMT_DIR/d\""))
		_exit(1);
	snprintf(path, sizeof(path), "%s/d/x.kmt", scratch);
	said_begin();
	assert_true(capture_writer_new(path, false, &w) < 0);
	said_end();
	assert_int_equal(stat(path, &st), -1);
	assert_string_equal(strchr(said, '\n'), "\n");
}

static void a_full_disk_keeps_what_was_committed(void **state)
{
	(void)state;
	setenv("KMT_DIR", scratch, 1);
	in_limited_child(full_tmpfs_child);
}

/* ---- reading without rights, and while it is written ---- */

static void read_only_child(void)
{
	if (!getuid() && (setgid(65534) || setuid(65534)))
		_exit(77);
	check_sample(file, true);
}

static void a_read_only_file_in_a_read_only_directory_is_read(void **state)
{
	(void)state;
	write_sample(true);
	chmod(file, 0444);
	chmod(scratch, 0555);
	in_limited_child(read_only_child);
	chmod(scratch, 0700);
}

static void other_reader(void)
{
	struct capture *c;

	assert_int_equal(read_capture(file, &c), 0);
	capture_free(c);
}

static void reading_while_it_is_written(void **state)
{
	struct capture_writer *w;
	struct snapshot s;

	(void)state;
	for (int shared = 0; shared < 2; shared++) {
		remove_file();
		chmod(scratch, shared ? 01777 : 0700);
		assert_int_equal(capture_writer_new(file, false, &w), 0);
		make_snapshot(&s, 0, 1);
		assert_int_equal(capture_put_snapshot(w, &s), 0);
		assert_int_equal(capture_commit(w), 0);
		in_limited_child(other_reader);
		s.t_s = 1;
		assert_int_equal(capture_put_snapshot(w, &s), 0); /* in mid-transaction */
		in_limited_child(other_reader);
		snapshot_free(&s);
		assert_int_equal(capture_finish(w), 0);
		in_limited_child(other_reader);
	}
	chmod(scratch, 0700);
}

/* A reader that keeps the file open must not stop the recorder, which catches up. */
static void reader_that_stays_does_not_stop_the_writer(void **state)
{
	int ready[2], go[2], status;
	struct capture_writer *w;
	struct snapshot s;
	char byte = 0;
	pid_t pid;

	(void)state;
	remove_file();
	assert_int_equal(capture_writer_new(file, false, &w), 0);
	make_snapshot(&s, 0, 1);
	assert_int_equal(capture_put_snapshot(w, &s), 0);
	assert_int_equal(capture_commit(w), 0);
	assert_int_equal(pipe(ready) | pipe(go), 0);
	pid = fork();
	if (!pid) {
		sqlite3 *db;

		sqlite3_open(file, &db);
		sqlite3_exec(db, "BEGIN; SELECT * FROM meta", NULL, NULL, NULL);
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	said_begin();
	s.kind = SNAPSHOT_TICK;
	for (s.t_s = 1; s.t_s < 4; s.t_s++) {
		assert_int_equal(capture_put_snapshot(w, &s), 0);
		assert_int_equal(capture_commit(w), 0);
	}
	said_end();
	assert_non_null(strstr(said, "is being read"));
	assert_string_equal(strchr(said, '\n'), "\n");
	assert_int_equal(write(go[1], &byte, 1), 1);
	waitpid(pid, &status, 0);
	assert_int_equal(capture_finish(w), 0);
	snapshot_free(&s);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
	in_limited_child(other_reader);
}

/* ---- hostile files ---- */

static void a_file_cut_anywhere_is_refused(void **state)
{
	_cleanup_free_ uint8_t *buf = NULL;
	struct capture *c;
	size_t len;

	(void)state;
	write_sample(true);
	buf = slurp(file, &len);
	for (size_t cut = 0; cut < len; cut += 512) {
		spill(file, buf, cut);
		if (!read_capture(file, &c))
			fail_msg("truncated to %zu of %zu bytes, and it was read", cut, len);
	}
}

static void random_bytes_are_refused(void **state)
{
	_cleanup_free_ uint8_t *buf = NULL;
	struct capture *c;
	size_t len;

	(void)state;
	write_sample(true);
	buf = slurp(file, &len);
	for (int round = 0; round < 50; round++) {
		/* with and without a valid header */
		for (size_t i = round % 2 ? 100 : 0; i < len; i++)
			buf[i] = rand();
		spill(file, buf, len);
		assert_int_not_equal(read_capture(file, &c), 0);
	}
}

static void flipped_bytes_never_crash_the_reader(void **state)
{
	_cleanup_free_ uint8_t *buf = NULL, *bad = NULL;
	double end = cpu_s() + 6;
	struct capture *c;
	size_t len;
	int rounds = 0;

	(void)state;
	write_sample(true);
	buf = slurp(file, &len);
	bad = malloc(len);
	for (; cpu_s() < end && rounds < 3000; rounds++) {
		memcpy(bad, buf, len);
		for (int n = 1 + rand() % 4; n; n--)
			bad[(rand() % 2 ? (size_t)rand() % 4096 : (size_t)rand()) % len] ^=
				1 << rand() % 8;
		spill(file, bad, len);
		if (!read_capture(file, &c))
			capture_free(c);
	}
	assert_true(rounds > 100);
}

struct hostile {
	const char *sql;
	int err;
	const char *words;
};

static void expect_hostile(const struct hostile *h)
{
	struct capture *c;
	double start;

	write_sample(true);
	sql(h->sql);
	start = cpu_s();
	if (read_capture(file, &c) != h->err || (h->err && !strstr(said, h->words)))
		fail_msg("%s: %s", h->sql, said);
	assert_true(cpu_s() - start < 15);
	capture_free(c);
}

/* Replaces that of libc: a host so busy that a minute passes between two readings of the clock. */
static time_t busy_s;

int clock_gettime(clockid_t clock, struct timespec *t);
int clock_gettime(clockid_t clock, struct timespec *t)
{
	int err = (int)syscall(SYS_clock_gettime, clock, t);

	if (busy_s && clock == CLOCK_MONOTONIC)
		t->tv_sec += busy_s += 60;
	return err;
}

static void a_busy_host_does_not_damage_a_capture(void **state)
{
	struct capture *c;

	(void)state;
	write_sample(true);
	sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 20000) INSERT INTO held "
	    "SELECT held.* FROM held, n LIMIT 20000");
	busy_s = 60;
	if (read_capture(file, &c))
		fail_msg("%s", said);
	busy_s = 0;
	capture_free(c);
}

#define UNLOCK "PRAGMA writable_schema=ON; "
#define AS_VIEW(sql) \
	UNLOCK "UPDATE sqlite_master SET type='view', rootpage=0, sql='" sql "' WHERE name='held'"
#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "

/* The previous schema did not count cgroups. Its captures are still read, without them. */
static void a_capture_of_schema_1_is_still_read(void **state)
{
	static const char older[] =
		"DROP TABLE cgroup_count_name; DROP TABLE cgroup_count_level; DROP TABLE bpf_name;"
		"DROP TABLE bpf_level; DROP TABLE bpf_holder_name; DROP TABLE bpf_holder_level; DROP TABLE node_name; DROP TABLE node_level; UPDATE snapshot SET parts = parts & 63;"
		"PRAGMA user_version=1";
	struct capture *c;

	(void)state;
	write_sample(true);
	sql(older);
	assert_int_equal(read_capture(file, &c), 0);
	assert_int_equal(c->nr_snapshots, TICKS);
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		assert_int_equal(c->snapshots[i].meminfo.nr, 3);
		assert_int_equal(c->snapshots[i].cgroups.nr, 0);
	}
	capture_free(c);
}

static void hostile_databases_are_refused(void **state)
{
	static const struct hostile cases[] = {
		/* wrong format numbers */
		{"PRAGMA user_version=4", -ENOTSUP, "newer kmemtrace"},
		{"PRAGMA user_version=0", -EBADMSG, "damaged"},
		{"PRAGMA application_id=0", -EBADMSG, "not a capture"},
		{"PRAGMA journal_mode=WAL", -EBADMSG, "damaged"},
		/* objects that are not tables */
		{"DROP TABLE held", -EBADMSG, "no table held"},
		{"DROP TABLE cgroup_count_name", -EBADMSG, "no table cgroup_count_name"},
		{"ALTER TABLE held RENAME TO h; CREATE VIEW held AS SELECT * FROM h", -EBADMSG,
		 "held"},
		{"DROP TABLE loss; CREATE VIEW loss AS " ENDLESS "SELECT 1, 'x', i FROM n",
		 -EBADMSG, "loss"},
		{"DROP TABLE loss; CREATE TABLE loss(interval, name, value AS (zeroblob(1e9)))",
		 -EBADMSG, "loss"},
		{"DROP TABLE loss; CREATE TABLE loss(interval INTEGER NOT NULL, name TEXT NOT "
		 "NULL)",
		 -EBADMSG, "loss"},
		{"ALTER TABLE held ADD COLUMN extra", -EBADMSG, "held"},
		{AS_VIEW("CREATE VIEW held AS SELECT 1"), -EBADMSG, "held"},
		{UNLOCK "UPDATE sqlite_master SET rootpage=(SELECT rootpage FROM sqlite_master "
			"WHERE name='meta') "
			"WHERE name='held'",
		 -EBADMSG, "damaged"},
		{UNLOCK "UPDATE sqlite_master SET rootpage=123456 WHERE name='held'", -EBADMSG,
		 "damaged"},
		{UNLOCK "UPDATE sqlite_master SET sql='CREATE TABLE held(' WHERE name='held'",
		 -EBADMSG, "damaged"},
		/* other objects: ignored */
		{"CREATE TRIGGER t AFTER INSERT ON held BEGIN DELETE FROM meta; END", 0, ""},
		{"CREATE VIEW evil AS " ENDLESS "SELECT * FROM n", 0, ""},
		{"CREATE INDEX i ON held(bytes)", 0, ""},
		/* wrong types */
		{"UPDATE held SET bytes='many'", -EBADMSG, "not a real"},
		{"UPDATE held SET bytes=x'00'", -EBADMSG, "not a real"},
		{"UPDATE held SET tracked=1.5", -EBADMSG, "not an integer"},
		{"UPDATE frame SET symbol=x'41'", -EBADMSG, "not a text"},
		{"UPDATE slab_level SET num_objs=NULL", -EBADMSG, "not an integer"},
		{"INSERT INTO meta VALUES (NULL, 'x')", -EBADMSG, "not a text"},
		/* values out of range */
		{"UPDATE held SET bytes=-1", -EBADMSG, "out of range"},
		{"UPDATE held SET bytes=9e999", -EBADMSG, "out of range"},
		{"UPDATE held SET age_15=-0.5", -EBADMSG, "out of range"},
		{"UPDATE held SET judged_live=judged+1", -EBADMSG, "out of range"},
		{"UPDATE held SET judged_twice=tracked+1", -EBADMSG, "out of range"},
		{"UPDATE held SET pool='slub'", -EBADMSG, "no such pool"},
		{"UPDATE held SET pool=printf('%.*c', 60000, 'x')", -EBADMSG, "too long"},
		{"UPDATE held SET class='this does not fit into twenty-four bytes'", -EBADMSG,
		 "too long"},
		{"UPDATE frame SET offset=-1", -EBADMSG, "out of range"},
		{"UPDATE frame SET offset=-2130706432 WHERE id=2", -EBADMSG, "out of range"},
		{"UPDATE process SET tgid=5000000000", -EBADMSG, "out of range"},
		{"UPDATE meminfo_level SET value=9223372036854775807", -EBADMSG, "out of range"},
		{"UPDATE meminfo_level SET value=-1", -EBADMSG, "out of range"},
		{"UPDATE slab_level SET num_slabs=-1", -EBADMSG, "out of range"},
		{"UPDATE slab_level SET cpu_free=-1", 0, ""}, /* not known */
		{"UPDATE slab_level SET cpu_free=-2", -EBADMSG, "out of range"},
		{"UPDATE cgroup_count_level SET dying=-2", -EBADMSG, "out of range"},
		{"UPDATE node_name SET node=64", -EBADMSG, "out of range"},
		{"UPDATE bpf_name SET kind=2", -EBADMSG, "out of range"},
		{"UPDATE bpf_level SET percpu=-1", -EBADMSG, "out of range"},
		{"UPDATE bpf_holder_name SET how=4", -EBADMSG, "out of range"},
		{"UPDATE cgroup_count_name SET path=zeroblob(9)", -EBADMSG, "cgroup_count_name"},
		{"UPDATE vmalloc_name SET kind=6", -EBADMSG, "out of range"},
		{"UPDATE zone_name SET zone='a zone with a long name'", -EBADMSG, "too long"},
		{"UPDATE snapshot SET kind='never'", -EBADMSG, "no such kind"},
		{"UPDATE snapshot SET t_s=99 WHERE id=2", -EBADMSG, "time order"},
		{"UPDATE snapshot SET parts=1024", -EBADMSG, "out of range"},
		{"UPDATE snapshot SET parts=parts & ~1 WHERE id=2", -EBADMSG, "no such snapshot"},
		{"UPDATE interval SET end_s=-1", -EBADMSG, "out of range"},
		{"UPDATE interval SET start_s=7, end_s=8 WHERE id=1", -EBADMSG, "time order"},
		{"UPDATE loss SET value=-1", -EBADMSG, "out of range"},
		/* ids */
		{"UPDATE held SET stack=4", -EBADMSG, "out of range"},
		{"UPDATE held SET stack=-1", -EBADMSG, "out of range"},
		{"UPDATE held SET stack=4294967297", -EBADMSG, "out of range"},
		{"UPDATE held SET interval=3", -EBADMSG, "out of range"},
		{"UPDATE held SET interval=0", -EBADMSG, "out of range"},
		{"UPDATE held SET cache=3", -EBADMSG, "out of range"},
		{"UPDATE held SET process=2", -EBADMSG, "out of range"},
		{"UPDATE churn SET stack=99", -EBADMSG, "out of range"},
		{"INSERT INTO churn_var VALUES (1, 99, 1)", -EBADMSG, "no such row"},
		{"INSERT INTO held_missed VALUES (1, 99, 1)", -EBADMSG, "no such row"},
		{"INSERT INTO held_missed VALUES (1, 0, 1)", -EBADMSG, "out of range"},
		{"UPDATE cache_churn SET cache=99", -EBADMSG, "out of range"},
		{"UPDATE process SET cgroup=2", -EBADMSG, "out of range"},
		{"UPDATE cache_alias SET cache=0", -EBADMSG, "out of range"},
		{"UPDATE cache_alias SET cache=99", -EBADMSG, "out of range"},
		{"UPDATE stack_frame SET frame=99", -EBADMSG, "out of range"},
		{"UPDATE stack_frame SET depth=1024 WHERE depth=2", -EBADMSG, "out of range"},
		{"DELETE FROM stack_frame WHERE depth=1", -EBADMSG, "out of order"},
		{"DELETE FROM frame WHERE id=2", -EBADMSG, "next id"},
		{"UPDATE frame SET id=-5 WHERE id=1", -EBADMSG, "out of range"},
		{"UPDATE cache SET id=9223372036854775807 WHERE id=2", -EBADMSG, "next id"},
		{"INSERT INTO slab_level VALUES (1, 1, 1, 1, 1, 1)", -EBADMSG, "no such snapshot"},
		{"INSERT INTO slab_level VALUES (-1, 1, 1, 1, 1, 1)", -EBADMSG, "out of range"},
		{"INSERT INTO slab_level VALUES (1 << 20, 1, 1, 1, 1, 1)", -EBADMSG,
		 "no such snapshot"},
		{"INSERT INTO slab_level VALUES ((99 << 20) + 1, 1, 1, 1, 1, 1)", -EBADMSG,
		 "no such snapshot"},
		{"INSERT INTO slab_level VALUES ((1 << 20) + 99, 1, 1, 1, 1, 1)", -EBADMSG,
		 "no such snapshot"},
		/* text */
		{"UPDATE cache SET name='a' || char(0) || 'b'", -EBADMSG, "NUL"},
		{"UPDATE cache SET name=printf('%.*c', 70000, 'x')", -EBADMSG, "too long"},
		{"UPDATE cache SET name=printf('%.*c', 4096, 'x')", 0, ""},
		{"UPDATE cache SET name=printf('%.*c', 4097, 'x')", -EBADMSG, "too long"},
		{"UPDATE frame SET symbol=printf('%.*c', 4097, 'x')", -EBADMSG, "too long"},
		{"UPDATE process SET cmdline=printf('%.*c', 65536, 'x')", 0, ""},
		{"UPDATE cache SET name=printf('%.*c', 3000000, 'x')", -EBADMSG, "damaged"},
		{"UPDATE cache SET name=char(27) || '[2J' || char(10)", 0,
		 ""}, /* the renderers' to escape */
		{"UPDATE cache SET name=''", 0, ""},
		/* nothing to report */
		{"DELETE FROM snapshot", -ENODATA, "no snapshot"},
		/* very many */
		{ENDLESS "INSERT INTO loss SELECT 1, 'x', i FROM n LIMIT 2000", -EBADMSG,
		 "more losses than there are causes"},
		{ENDLESS "INSERT INTO hook SELECT 'x', 'slab', '', '', '' FROM n LIMIT 2000",
		 -EFBIG, "more than 1024 rows"},
		{ENDLESS "INSERT INTO meminfo_name SELECT i + 3, 'x' FROM n LIMIT 1048600",
		 -EBADMSG, "too many"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_hostile(&cases[i]);
}

/* A capture may contain any facts about its machine. Impossible ones are unknown, and never used as
 * divisors. */
static void impossible_facts_are_unknown(void **state)
{
	static const struct {
		const char *key, *values[6];
	} cases[] = {
		{META_CPUS, {"0", "-2", "1e300", "nan", "inf", "2x"}},
		{META_POSSIBLE, {"0", "-0", "0.5", "-nan", "1e999", " "}},
		{META_PAGE_SIZE, {"0", "-4096", "1", "1e9", "infinity", ""}},
		{META_PERIOD, {"-1", "1e300", "nan", "-inf", "many", "-1e-9"}},
		{META_OVERHEAD, {"-3", "1e30", "nan", "inf", "1 %", "-1e300"}},
		{META_OWN_BYTES, {"-1", "1e30", "nan", "inf", "1M", "-9e999"}},
		{META_UPTIME, {"-1", "1e30", "nan", "inf", "1h", "-9e999"}},
		{META_START, {"-1", "1e30", "nan", "inf", "now", "-9e999"}},
	};
	struct cap_meta meta = {0};
	struct capture c = {.meta = {.items = &meta, .nr = 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t n = 0; n < 6; n++) {
			meta.key = (char *)cases[i].key;
			meta.value = (char *)cases[i].values[n];
			assert_true(capture_meta_number(&c, meta.key, 77) == 77);
		}
	meta.value = (char *)"4096";
	assert_true(capture_meta_number(&c, meta.key, 77) == 4096);
}

static void files_that_are_no_captures(void **state)
{
	struct capture *c;
	char wal[128];

	(void)state;
	remove_file();
	assert_int_equal(read_capture(file, &c), -ENOENT);
	assert_int_equal(read_capture(scratch, &c), -EBADMSG);
	assert_int_equal(read_capture("/dev/zero", &c), -EBADMSG);
	spill(file, "", 0);
	assert_int_equal(read_capture(file, &c), -EBADMSG);
	assert_non_null(strstr(said, "empty"));
	spill(file, "<html>", 6);
	assert_int_equal(read_capture(file, &c), -EBADMSG);
	assert_non_null(strstr(said, "not a capture"));
	unlink(file);
	sql("CREATE TABLE bookmarks(url)");
	assert_int_equal(read_capture(file, &c), -EBADMSG);
	assert_non_null(strstr(said, "not a capture"));
	write_sample(true);
	snprintf(wal, sizeof(wal), "%s-wal", file);
	spill(wal, "x", 1);
	assert_int_equal(read_capture(file, &c), -EBADMSG);
	unlink(wal);
}

/* ---- size and speed ---- */

static void long_recordings_are_thinned(void **state)
{
	struct capture_writer *w;
	struct capture *c;
	int n = 5000;

	(void)state;
	remove_file();
	assert_int_equal(capture_writer_new(file, false, &w), 0);
	for (int t = 0; t < n; t++) {
		struct snapshot s;

		make_snapshot(&s, t, n - 1);
		assert_int_equal(capture_put_snapshot(w, &s), 0);
		snapshot_free(&s);
	}
	assert_int_equal(capture_finish(w), 0);
	assert_int_equal(read_capture(file, &c), 0);
	assert_int_equal(c->nr_snapshots, CAPTURE_SNAPSHOTS_MAX);
	assert_int_equal(c->nr_snapshots_stored, n);
	assert_int_equal(c->snapshots[0].kind, SNAPSHOT_START);
	assert_int_equal(c->snapshots[CAPTURE_SNAPSHOTS_MAX - 1].kind, SNAPSHOT_END);
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		const struct snapshot *s = &c->snapshots[i];

		assert_true(i == 0 || s->t_s > s[-1].t_s);
		assert_int_equal(named_value_get(&s->meminfo, "MemFree", -1),
				 8000000 - 1000 * (int)s->t_s);
		assert_int_equal(slab_after(&s->slabs, "dentry", 0)->num_slabs,
				 100 + (int)s->t_s / 3);
		assert_int_equal(!!slab_after(&s->slabs, "comes and goes", 0), (int)s->t_s % 4 < 2);
	}
	capture_free(c);
}

/* 60 s of a host with 150 caches, 60 meminfo and 180 vmstat lines, a third of which change each
 * second. */
static void a_minute_takes_little_space(void **state)
{
	struct capture_writer *w;
	struct stat st;

	(void)state;
	remove_file();
	assert_int_equal(capture_writer_new(file, false, &w), 0);
	for (int t = 0; t <= 60; t++) {
		struct snapshot s = {.kind = t ? t == 60 ? SNAPSHOT_END : SNAPSHOT_TICK
					       : SNAPSHOT_START,
				     .t_s = t};
		char name[32];

		for (int i = 0; i < 180; i++) {
			snprintf(name, sizeof(name), "a_name_as_they_are_%d", i);
			if (i < 60)
				add_named(&s.meminfo, name, 1000000 + (i % 3 ? 0 : t));
			if (i < 150)
				add_slab(&s.slabs, name, 100000 + (i % 3 ? 0 : t), 5000);
			add_named(&s.vmstat, name, 100000000 + (i % 3 ? 0 : t));
		}
		assert_int_equal(capture_put_snapshot(w, &s), 0);
		assert_int_equal(capture_commit(w), 0);
		snapshot_free(&s);
	}
	assert_int_equal(capture_finish(w), 0);
	assert_int_equal(stat(file, &st), 0);
	print_message("a busy minute: %ld KiB\n", (long)st.st_size >> 10);
	assert_between(st.st_size, 1, 512 << 10);
}

static void twenty_thousand_stacks_are_read_in_time(void **state)
{
	enum { STACKS = 20000, FRAMES = 20, HELD = 50000 };
	struct cap_checkpoint in = {.end_s = 10};
	double t0 = cpu_s(), t1, t2;
	struct capture_writer *w;
	struct snapshot s;
	struct capture *c;
	uint32_t id;

	(void)state;
	remove_file();
	assert_int_equal(capture_writer_new(file, false, &w), 0);
	for (int i = 0; i < STACKS; i++) {
		uint32_t frames[FRAMES];
		char symbol[32];

		for (int f = 0; f < FRAMES; f++) {
			/* only the innermost frame differs between stacks */
			snprintf(symbol, sizeof(symbol), "symbol_%d",
				 f ? (i + f) % 4000 : i % 5000);
			assert_int_equal(capture_put_frame(w,
							   &(struct cap_frame){symbol, f ? f : i,
									       "vmlinux", ""},
							   &frames[f]),
					 0);
		}
		assert_int_equal(
			capture_put_stack(w, &(struct cap_stack){FRAMES, frames, false}, &id), 0);
	}
	assert_int_equal(id, STACKS);
	for (int i = 0; i < HELD; i++) {
		struct cap_held *h = ARRAY_PUSH(&in.held);

		*h = made_held(i);
		h->cache = h->process = 0;
		h->stack = 1 + i % id;
	}
	make_snapshot(&s, 0, 1);
	assert_int_equal(capture_put_snapshot(w, &s), 0);
	snapshot_free(&s);
	assert_int_equal(capture_put_checkpoint(w, &in), 0);
	assert_int_equal(capture_finish(w), 0);
	t1 = cpu_s();
	assert_int_equal(read_capture(file, &c), 0);
	t2 = cpu_s();
	assert_int_equal(c->checkpoints[0].held.nr, HELD);
	assert_int_equal(c->nr_stacks, STACKS + 1);
	print_message("%zu stacks, %d held: written in %.2f s of CPU time, read in %.2f s\n",
		      c->nr_stacks - 1, HELD, t1 - t0, t2 - t1);
	assert_true(t1 - t0 < 10 && t2 - t1 < 10);
	capture_free(c);
	ARRAY_FREE(&in.held);
}

/* ---- the documentation ---- */

static int count_row(void *rows, int n, char **values, char **names)
{
	(void)n, (void)values, (void)names;
	++*(int *)rows;
	return 0;
}

static void documented_queries_work(void **state)
{
	_cleanup_free_ char *doc = NULL;
	char *from, *to, *why = NULL;
	int queries = 0;
	sqlite3 *db;
	size_t len;

	(void)state;
	write_sample(true);
	doc = slurp(TESTS_DIR "/../docs/capture-format.md", &len);
	assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	for (from = doc; (from = strstr(from, "```sql\n")); from = to + 3) {
		int rows = 0;

		from += 7;
		to = strstr(from, "```");
		assert_non_null(to);
		*to = '\0';
		sqlite3_exec(db, from, count_row, &rows, &why);
		if (why || !rows)
			fail_msg("%s\n%s", from, why ? why : "no rows");
		*to = '`';
		queries++;
	}
	sqlite3_close(db);
	assert_true(queries >= 5);
}

/* Each table, column and meta key must be in the documentation. */
static void documentation_is_complete(void **state)
{
	static const char *const keys[] = {
		META_HOST,       META_RELEASE, META_VERSION,   META_ARCH,     META_BUILD_ID,
		META_LOCKDOWN,   META_CPUS,    META_POSSIBLE,  META_VIRT,     META_BOOT_ID,
		META_MACHINE_ID, META_UPTIME,  META_PAGE_SIZE, META_START,    META_MODE,
		META_PERIOD,     META_COMMAND, META_TOOL,      META_OVERHEAD, META_OWN_BYTES,
		META_STACKS,     META_COMPLETE};
	_cleanup_free_ char *doc = NULL;
	sqlite3_stmt *stmt;
	char word[128];
	sqlite3 *db;
	size_t len;

	(void)state;
	write_sample(true);
	doc = slurp(TESTS_DIR "/../docs/capture-format.md", &len);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(word, sizeof(word), "`%s`", keys[i]);
		if (!strstr(doc, word))
			fail_msg("meta key %s is not documented", word);
	}
	assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(
			db,
			"SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c "
			"WHERE t.type IN ('table', 'view') AND c.name NOT LIKE 'age!__%' ESCAPE "
			"'!'",
			-1, &stmt, NULL),
		SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		for (int i = 0; i < 2; i++) {
			snprintf(word, sizeof(word), "`%s`", sqlite3_column_text(stmt, i));
			if (!strstr(doc, word))
				fail_msg("%s of %s is not documented", word,
					 sqlite3_column_text(stmt, 0));
		}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static int setup(void **state)
{
	srand(1);
	return capture_file_new(state);
}

static int teardown(void **state)
{
	(void)state;
	remove_file();
	return rmdir(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_returns_what_was_written),
		cmocka_unit_test(each_pool_has_one_name),
		cmocka_unit_test(no_kernel_address_is_stored),
		cmocka_unit_test(the_writer_refuses_rows_that_the_reader_refuses),
		cmocka_unit_test(a_row_with_a_column_too_few_is_refused),
		cmocka_unit_test(other_files_are_not_overwritten),
		cmocka_unit_test(kill_9_loses_nothing_committed),
		cmocka_unit_test(kill_in_mid_commit_is_rolled_back),
		cmocka_unit_test(journal_that_would_delete_files_is_refused),
		cmocka_unit_test(a_file_size_limit_keeps_what_was_committed),
		cmocka_unit_test(a_full_disk_keeps_what_was_committed),
		cmocka_unit_test(a_read_only_file_in_a_read_only_directory_is_read),
		cmocka_unit_test(reading_while_it_is_written),
		cmocka_unit_test(reader_that_stays_does_not_stop_the_writer),
		cmocka_unit_test(a_file_cut_anywhere_is_refused),
		cmocka_unit_test(random_bytes_are_refused),
		cmocka_unit_test(flipped_bytes_never_crash_the_reader),
		cmocka_unit_test(a_capture_of_schema_1_is_still_read),
		cmocka_unit_test(hostile_databases_are_refused),
		cmocka_unit_test(files_that_are_no_captures),
		cmocka_unit_test(impossible_facts_are_unknown),
		cmocka_unit_test(a_busy_host_does_not_damage_a_capture),
		cmocka_unit_test(long_recordings_are_thinned),
		cmocka_unit_test(a_minute_takes_little_space),
		cmocka_unit_test(twenty_thousand_stacks_are_read_in_time),
		cmocka_unit_test(documented_queries_work),
		cmocka_unit_test(documentation_is_complete),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
