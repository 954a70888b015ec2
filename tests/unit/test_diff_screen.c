// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first screen of a diff, and its findings. What a user would lose: an answer that fits one
 * terminal whatever the captures hold, names who allocates what, says since when and how sure that
 * is, and is short if nothing differs; and the same findings in text and JSON.
 */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff_pair.h"
#include "sample_census.h"
#include "golden.h"

static size_t lines_of(const char *text)
{
	size_t lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

/* The first line that begins with `label`, or NULL. */
static const char *line_of(const char *text, const char *label)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (!strncmp(text, label, strlen(label)))
			return text;
	return NULL;
}

static char *screen(const struct pair *p)
{
	const struct diff_options o = {.top = 10, .utf8 = true};
	char *text = render(p, false, &o);

	assert_terminal_safe(text, true);
	assert_true(lines_of(text) <= 40);
	return text;
}

/* Compare, and check the screen against a golden file. Frees the pair. */
static void as_agreed(struct pair *p, const char *golden)
{
	char *text = screen(p);

	compare_golden(golden, text);
	free(text);
	pair_free(p);
}

static const struct workload usual = {
	.period = 65536, .seconds = 20, .paths = 8, .churn = 2e6, .seed = 1, .boot = "a"};

/* A later recording of the same workload. */
static struct workload later(uint64_t seed)
{
	struct workload w = usual;

	w.seed = seed;
	return w;
}

/* Replace a fact of the capture, or add it. */
static void set_meta(struct capture *c, const char *key, const char *value)
{
	for (size_t i = 0; i < c->meta.nr; i++) /* the first row of a key is used */
		if (!strcmp(c->meta.items[i].key, key))
			strcpy(c->meta.items[i].key, "-");
	sample_meta(c, key, value);
}

/* Record it an hour after the usual one. */
static struct capture *record_later(const struct workload *w)
{
	struct capture *c = workload_record(w);

	set_meta(c, META_START, "1700003600");
	return c;
}

static void growth_comes_with_its_holder(void **state)
{
	struct workload w = later(2);
	struct pair p;

	(void)state;
	w.leak = 2e6;
	compare(&p, workload_record(&usual), record_later(&w));
	assert_int_equal(p.said.screen.state, DIFF_GROWING);
	as_agreed(&p, "diff-screen-grown.txt");
}

static void nothing_new_is_short(void **state)
{
	struct workload w = later(2);
	struct pair p;
	char *text;

	(void)state;
	compare(&p, workload_record(&usual), record_later(&w));
	assert_int_equal(p.said.screen.state, DIFF_QUIET);
	text = screen(&p);
	assert_true(lines_of(text) <= 12);
	free(text);
	as_agreed(&p, "diff-screen-quiet.txt");
}

static struct capture *with_records(uint64_t seed, uint64_t ring_bytes)
{
	struct workload w = later(seed);
	struct capture *c = workload_record(&w);
	struct alloc_site *slabs;

	c->census[CENSUS_AT_END] = calloc(1, sizeof(struct census));
	assert_non_null(c->census[CENSUS_AT_END]);
	sample_census(c->census[CENSUS_AT_END], 700000);
	sample_records(c->census[CENSUS_AT_END], ring_bytes);
	slabs = ARRAY_PUSH(&c->census[CENSUS_AT_END]->records.sites);
	assert_non_null(slabs);
	*slabs = (struct alloc_site){.file = "mm/slub.c",
				     .function = "alloc_slab_page",
				     .bytes = 2 * ring_bytes,
				     .calls = 1};
	return c;
}

/* What a diff says of the call sites; NULL: nothing. */
static const char *said_of_sites(const struct pair *p)
{
	for (size_t i = 0; i < p->said.list.nr; i++)
		if (!strcmp(p->said.list.items[i].kind, "census-site"))
			return p->said.list.items[i].text;
	return NULL;
}

/* On a kernel that counts by call site; where slabs come from says nothing of what is in them. */
static void the_call_site_that_grew_is_named_with_sizes(void **state)
{
	static const char words[] = "/proc/allocinfo: allocations of example_ring_new";
	const char *said;
	struct pair p;

	(void)state;
	compare(&p, with_records(1, 100 << 20), with_records(2, 400 << 20));
	said = said_of_sites(&p);
	assert_non_null(said);
	assert_int_equal(strncmp(said, words, strlen(words)), 0);
	assert_non_null(strstr(said, " grew by 300.0 MiB, from 100.0 MiB to 400.0 MiB."));
	pair_free(&p);
	compare(&p, with_records(1, 400 << 20), with_records(2, 100 << 20));
	said = said_of_sites(&p);
	assert_non_null(said);
	assert_non_null(strstr(said, " shrank by 300.0 MiB, from 400.0 MiB to 100.0 MiB."));
	pair_free(&p);
	compare(&p, with_records(1, 100 << 20), with_records(2, 101 << 20));
	assert_null(said_of_sites(&p));
	pair_free(&p);
}

static void what_shrank_is_no_alarm(void **state)
{
	struct workload w = usual, then = later(2);
	struct pair p;

	(void)state;
	w.leak = 2e6;
	compare(&p, workload_record(&w), record_later(&then));
	assert_int_equal(p.said.screen.state, DIFF_LOWER);
	as_agreed(&p, "diff-screen-shrunk.txt");
}

static void machines_of_different_size_are_compared_with_a_caution(void **state)
{
	struct workload w = later(2);
	struct pair p;

	(void)state;
	w.leak = 2e6;
	w.cpus = 8;
	w.mem_kb = 32000000;
	w.boot = "b";
	compare(&p, workload_record(&usual), record_later(&w));
	as_agreed(&p, "diff-screen-sizes.txt");
}

/* Raise a line of /proc/meminfo in all snapshots from the one at `from_s` on. */
static void raise_level(struct capture *c, const char *name, double from_s, int64_t kb)
{
	for (size_t i = 0; i < c->nr_snapshots; i++)
		for (size_t k = 0; k < c->snapshots[i].meminfo.nr; k++) {
			struct named_value *v = &c->snapshots[i].meminfo.items[k];

			if (c->snapshots[i].t_s >= from_s && !strcmp(v->name, name))
				v->value += kb;
		}
}

/* Since when a level is above the base's is read from the new capture; and if it was before that,
 * the screen says so. */
static void the_time_of_a_step_is_named(void **state)
{
	struct workload w = later(2);
	struct pair p;

	(void)state;
	for (int before = 0; before < 2; before++) {
		struct capture *new_ = record_later(&w);

		raise_level(new_, "PageTables", before ? 0 : 12, 900000);
		compare(&p, workload_record(&usual), new_);
		assert_int_equal(p.said.screen.state, DIFF_HIGHER);
		if (before) {
			assert_non_null(strstr(p.said.screen.since, "when the new capture began"));
			assert_non_null(strstr(p.said.screen.since, "59 min 40 s after the end"));
			pair_free(&p);
			continue;
		}
		assert_non_null(strstr(p.said.screen.since,
				       "since 12 s after the new capture began (2023-11-14 "
				       "23:13:32 UTC)"));
		as_agreed(&p, "diff-screen-step.txt");
	}
}

/* If the level fell below the base's again in between, it counts from the last time it rose. */
static void a_level_that_came_back_counts_from_then(void **state)
{
	struct workload w = later(2);
	struct capture *new_ = record_later(&w);
	struct pair p;

	(void)state;
	raise_level(new_, "PageTables", 3, 40000);
	raise_level(new_, "PageTables", 6, -40000);
	raise_level(new_, "PageTables", 15, 900000);
	compare(&p, workload_record(&usual), new_);
	assert_non_null(strstr(p.said.screen.since, "since 15 s after"));
	pair_free(&p);
}

/* ---- sure ---- */

/* Trust is that of docs/trust.md: a capture that lost events, or did not end, cannot give it. */
static void losses_and_a_broken_end_lower_the_trust(void **state)
{
	struct workload w = later(2);

	(void)state;
	w.leak = 2e6;
	for (int kind = 0; kind < 3; kind++)
		for (int side = 0; side < 2; side++) {
			struct capture *c[2] = {workload_record(&usual), record_later(&w)};
			struct pair p;

			if (kind == 1)
				sample_loss(&c[side]->checkpoints[0], "live_table_full", 10000000);
			c[side]->complete = kind != 2;
			compare(&p, c[0], c[1]);
			assert_true(p.said.list.items[0].judged);
			if (!kind)
				assert_int_equal(strncmp(p.said.screen.sure, "high", 4), 0);
			else
				assert_int_not_equal(strncmp(p.said.screen.sure, "high", 4), 0);
			assert_int_equal(strncmp(p.said.screen.sure,
						 trust_name(p.said.list.items[0].trust), 3),
					 0);
			if (kind)
				assert_int_equal(strstr(p.said.screen.sure, "in the base,") != NULL,
						 !side);
			pair_free(&p);
		}
}

/* ---- bounds ---- */

static const char nasty[] = "\x1b[31m\u202e\x07\nvery long name that goes on and on and on and on "
			    "until no terminal is wide enough to hold all of it on one single line";

/* Everything that a screen names is hostile and as long as possible, in many rows. */
static struct capture *hostile(const struct workload *w, int rows)
{
	struct capture *c = record_later(w);
	uint32_t cgroup = sample_cgroup(c, nasty);

	for (int i = 0; i < rows; i++) {
		uint32_t frames[6], cache, process;
		char name[sizeof(nasty) + 16];

		snprintf(name, sizeof(name), "%d%s", i, nasty);
		cache = sample_cache(c, name, 4096, 4096, i & 1);
		process = sample_process(c, 1000 + i, name, cgroup);
		free(c->processes[process].cmdline);
		c->processes[process].cmdline = sample_text(nasty);
		for (int k = 0; k < 6; k++)
			frames[k] = sample_frame(c, k ? nasty : name, 16, nasty);
		sample_held(&c->checkpoints[0], cache, sample_stack(c, 6, frames), process, 5000,
			    5000 * 4096.0)
			->age_hist[4] = 5000;
		for (size_t s = 0; s < c->nr_snapshots; s++)
			sample_slab(&c->snapshots[s], name, 5000, 4096, 8, 8,
				    1000 * (int64_t)(s + 1));
	}
	return c;
}

static void hostile_and_huge_captures_fit_a_terminal(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct workload w = later(2);
		struct diff_options o = {.utf8 = i & 1, .colour = i & 2, .top = 10};
		struct capture *new_ = hostile(&w, i & 4 ? 3000 : 5), *base = workload_record(&w);
		struct pair p;
		char *text;

		set_meta(new_, META_STACKS, nasty); /* a long grave caution */
		set_meta(new_, META_RELEASE, nasty);
		if (i & 4) { /* no trace: the screen names levels */
			new_->nr_checkpoints = 0;
		}
		compare(&p, base, new_);
		assert_int_equal(p.said.screen.nr_rows, DIFF_SCREEN_ROWS);
		assert_non_null(p.said.screen.caution);
		text = render(&p, false, &o);
		if (!o.colour)
			assert_terminal_safe(text, o.utf8);
		assert_null(strstr(text, "\x1b[31m"));
		assert_true(lines_of(text) <= 40);
		assert_non_null(line_of(text, o.colour ? "\033[1mPOOLS" : "POOLS"));
		free(text);
		new_->nr_checkpoints = 1;
		pair_free(&p);
	}
}

/* If nothing differs, twelve lines are enough, whatever the names and cautions. */
static void nothing_new_is_short_whatever_the_names(void **state)
{
	static const char *const pools[] = {"SecPageTables", "Unevictable", "Bounce"};
	struct workload w = later(2);

	(void)state;
	for (int utf8 = 0; utf8 < 2; utf8++) {
		struct diff_options o = {.utf8 = utf8, .top = 10};
		struct capture *c[2] = {workload_record(&usual), record_later(&w)};
		struct pair p;
		char *text;

		for (int side = 0; side < 2; side++) {
			set_meta(c[side], META_STACKS, nasty);
			for (size_t i = 0; i < 3 * c[side]->nr_snapshots; i++)
				sample_meminfo(&c[side]->snapshots[i / 3], pools[i % 3], 1234567);
		}
		compare(&p, c[0], c[1]);
		assert_int_equal(p.said.screen.state, DIFF_QUIET);
		text = render(&p, false, &o);
		assert_terminal_safe(text, utf8);
		assert_non_null(line_of(text, "CAUTION"));
		assert_true(lines_of(text) <= 12);
		free(text);
		pair_free(&p);
	}
}

/* The parts that a screen leaves out are there with --show, and only those that are asked for. */
static void sections_come_when_they_are_asked_for(void **state)
{
	static const struct {
		const char *name, *title;
	} t[] = {{"verdict", "VERDICT"},     {"notes", "COMPARED"},
		 {"pools", "POOLS  ("},      {"caches", "SLAB CACHES"},
		 {"vmalloc", "VMALLOC CA"},  {"stacks", "KERNEL STACKS"},
		 {"counters", "COUNTED BY"}, {"growth", "GROWTH, by"},
		 {"churn", "CHURN"},         {"stacks", "PAGE TABLES BY"},
		 {"census", "CENSUS  ("}};
	struct workload w = later(2);
	unsigned int all = 0;
	struct pair p;

	(void)state;
	w.leak = 2e6;
	compare(&p, workload_record(&usual), record_later(&w));
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct diff_options o = {.sections =
						 diff_section_parse(t[i].name, strlen(t[i].name))};
		char *text = render(&p, false, &o);

		assert_int_not_equal(o.sections, 0);
		all |= o.sections;
		assert_terminal_safe(text, false);
		for (size_t k = 0; k < sizeof(t) / sizeof(t[0]); k++)
			assert_int_equal(line_of(text, t[k].title) != NULL,
					 !strcmp(t[k].name, t[i].name));
		assert_null(line_of(text, "MORE"));
		free(text);
	}
	assert_int_equal(all, DIFF_SECTIONS_ALL);
	assert_int_equal(diff_section_parse("all,", 3), DIFF_SECTIONS_ALL);
	assert_int_equal(diff_section_parse("pool", 4), 0);
	assert_int_equal(diff_section_parse("", 0), 0);
	pair_free(&p);
}

/* ---- findings ---- */

/* Text and JSON print one list: sentences and notes are its texts, the most severe come first, each
 * row of evidence exists, and there is one command. */
static void findings_hold_all_that_is_said(void **state)
{
	const struct diff_options o = {.all = true};
	struct workload w = later(2);
	json_t *root, *findings, *verdict, *item, *evidence;
	enum finding_severity last = FINDING_CRITICAL;
	size_t i, k, nr_next = 0, cautions = 0;
	struct pair p;
	char *text;

	(void)state;
	w.leak = 2e6;
	w.cpus = 8;
	w.other_kernel = true;
	compare(&p, workload_record(&usual), record_later(&w));
	for (i = 0; i < p.said.list.nr; i++) {
		assert_true(p.said.list.items[i].severity >= last);
		last = p.said.list.items[i].severity;
		cautions += last == FINDING_CAUTION;
	}
	assert_int_equal(p.said.notes.nr, cautions);
	text = render(&p, true, &o);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	findings = json_object_get(root, "findings");
	verdict = json_object_get(json_object_get(root, "verdict"), "sentences");
	assert_int_equal(json_array_size(findings), p.said.list.nr);
	json_array_foreach(verdict, i, item) assert_string_equal(
		json_string_value(item),
		json_string_value(json_object_get(json_array_get(findings, i), "text")));
	json_array_foreach(findings, i, item)
	{
		nr_next += json_is_string(json_object_get(item, "next"));
		json_array_foreach(json_object_get(item, "evidence"), k, evidence)
		{
			const char *table = json_string_value(json_object_get(evidence, "table"));
			const char *row = json_string_value(json_object_get(evidence, "row"));
			json_t *rows = json_object_get(root, table), *found = NULL, *it;
			size_t n;

			json_array_foreach(rows, n, it)
			{
				char rank[24];

				snprintf(rank, sizeof(rank), "%zu", n + 1);
				if (!strcmp(row, rank) ||
				    !strcmp(row, json_string_value(json_object_get(it, "name"))))
					found = it;
			}
			assert_non_null(found);
		}
	}
	assert_int_equal(nr_next, 1);
	item = json_array_get(findings, 0);
	assert_string_equal(json_string_value(json_object_get(item, "kind")), "growth");
	assert_string_equal(json_string_value(json_object_get(item, "subject")), "slab 1");
	assert_string_equal(
		json_string_value(json_object_get(item, "next")),
		json_string_value(json_object_get(json_object_get(root, "verdict"), "next")));
	assert_true(fabs(json_number_value(json_object_get(
				 json_array_get(json_object_get(item, "figures"), 0), "value")) /
				 2e6 -
			 1) < 0.25);
	json_decref(root);
	free(text);
	pair_free(&p);
}

/* Grave cautions come first on the screen, and trivial ones not at all. */
static void the_gravest_caution_is_on_the_screen(void **state)
{
	struct workload w = later(2);
	struct capture *c;
	struct pair p;

	(void)state;
	w.other_kernel = true;
	c = record_later(&w);
	c->nr_checkpoints = 0;
	compare(&p, workload_record(&usual), c);
	assert_non_null(strstr(p.said.screen.caution, "no traced allocations"));
	assert_int_equal(p.said.screen.more, p.said.notes.nr - 1);
	c->nr_checkpoints = 1;
	pair_free(&p);

	w = later(2);
	c = record_later(&w);
	sample_meta(c, META_OWN_BYTES, "1000000"); /* true of every recording */
	compare(&p, workload_record(&usual), c);
	assert_int_equal(p.said.notes.nr, 1);
	assert_null(p.said.screen.caution);
	pair_free(&p);

	for (int times = 1; times < 4;
	     times += 2) { /* so is a slightly different sampling period */
		w.period = usual.period * (times + 0.1);
		compare(&p, workload_record(&usual), record_later(&w));
		assert_int_equal(p.said.screen.caution != NULL, times > 2);
		assert_int_equal(p.said.notes.nr, 1);
		pair_free(&p);
	}
}

/* What one process takes for one purpose is one line, however many call paths and caches. */
static void call_paths_of_one_purpose_are_one_row(void **state)
{
	struct workload w = later(2);
	struct capture *c = record_later(&w);
	uint32_t nginx = sample_process(c, 77, "nginx", 0);
	struct pair p;

	(void)state;
	for (int i = 0; i < 3; i++) {
		char name[32];
		uint32_t frames[3];

		snprintf(name, sizeof(name), "alloc_part_%d", i);
		frames[0] = sample_frame(c, name, 16, "vmlinux");
		frames[1] = sample_frame(c, "__sys_socket", 16, "vmlinux");
		frames[2] = sample_frame(c, "__x64_sys_socket", 16, "vmlinux");
		sample_held(&c->checkpoints[0], 3 + (uint32_t)(i & 1), sample_stack(c, 3, frames),
			    nginx, 5000, 5000 * 1024.0 * (i + 1))
			->age_hist[4] = 5000;
	}
	compare(&p, workload_record(&usual), c);
	assert_int_equal(p.said.screen.nr_rows, 1);
	assert_non_null(strstr(p.said.screen.rows[0].words, "nginx[77]: 1.5 MiB/s faster"));
	assert_non_null(strstr(p.said.screen.rows[0].what, "and other caches for sockets"));
	assert_non_null(strstr(p.said.screen.rows[0].how, "alloc_part_2 < __sys_socket"));
	pair_free(&p);
}

static const struct finding *find(const struct pair *p, const char *kind)
{
	for (size_t i = 0; i < p->said.list.nr; i++)
		if (!strcmp(p->said.list.items[i].kind, kind))
			return &p->said.list.items[i];
	return NULL;
}

/* "No level changed" would be false if only a caller of vmalloc or a process has more. */
static void levels_outside_pools_are_said(void **state)
{
	struct workload w = later(2);
	struct capture *base = workload_record(&usual), *new_ = record_later(&w);
	const struct finding *f;
	struct pair p;

	(void)state;
	for (size_t i = 0; i < base->nr_snapshots; i++)
		for (int side = 0; side < 2; side++) {
			struct snapshot *s = &(side ? new_ : base)->snapshots[i];
			struct vmalloc_level *l = ARRAY_PUSH(&s->vmallocs);

			assert_non_null(l);
			strcpy(l->caller, "bpf_map_alloc+0x7");
			l->areas = 10;
			l->pages = side ? 1000 : 100;
		}
	compare(&p, base, new_);
	f = find(&p, "level");
	assert_non_null(f);
	assert_int_equal(
		strncmp(f->text, "Callers of vmalloc: bpf_map_alloc higher by 3.5 MiB", 50), 0);
	assert_string_equal(f->subject, "VmallocUsed");
	assert_non_null(strstr(find(&p, "no-level")->text, "No pool and no slab cache"));
	assert_null(find(&p, "growth"));
	assert_int_equal(p.said.screen.state, DIFF_HIGHER);
	assert_int_equal(
		strncmp(p.said.screen.rows[0].words, "vmalloc areas of bpf_map_alloc: ", 32), 0);
	pair_free(&p);
}

/* Copies of /proc do not say which caches are reclaimable, so neither may the screen. */
static void what_is_not_known_of_a_cache_is_not_said(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct workload w = later(2);
		struct capture *base = workload_record(&usual), *new_ = record_later(&w);
		struct pair p;

		for (size_t i = 0; i < new_->nr_snapshots; i++)
			sample_slab(&new_->snapshots[i], known ? "dentry" : "xfs_inode", 50000, 192,
				    21, 1, 2400);
		compare(&p, base, new_);
		assert_int_equal(p.said.screen.nr_rows, 1);
		assert_int_equal(strstr(p.said.screen.rows[0].words, ", reclaimable") != NULL,
				 known);
		assert_null(strstr(p.said.screen.rows[0].words, "not reclaimable"));
		pair_free(&p);
	}
}

/* A call path that many processes took is not put down to one of them. */
static void a_path_of_many_processes_names_others(void **state)
{
	struct workload w = later(2);

	(void)state;
	for (int many = 0; many < 2; many++) {
		struct capture *c = record_later(&w);
		uint32_t stack = sample_call(c, "shared_by_all", 0, "vmlinux");
		struct pair p;

		for (int i = 0; i < 5; i++)
			sample_held(&c->checkpoints[0], 3, stack,
				    sample_process(c, 500 + i, "child", 0), i && !many ? 50 : 5000,
				    (i && !many ? 50 : 5000) * 1024.0)
				->age_hist[4] = i && !many ? 50 : 5000;
		compare(&p, workload_record(&usual), c);
		assert_int_equal(strncmp(p.said.screen.rows[0].words, "child[50", 8), 0);
		assert_int_equal(strstr(p.said.screen.rows[0].words, " and others: ") != NULL,
				 many);
		pair_free(&p);
	}
}

/* A group of --by is not what its largest process holds: the screen names the group. */
static void groups_are_not_put_down_to_one_process(void **state)
{
	static const struct {
		enum growth_by by;
		const char *who;
	} t[] = {{GROWTH_BY_CGROUP, "cgroup /system.slice/worker.service: "},
		 {GROWTH_BY_PROCESS, "processes named worker: "},
		 {GROWTH_BY_CACHE, "slab cache kmalloc-1k: "},
		 {GROWTH_BY_MODULE, "module ext4: "},
		 {GROWTH_BY_POOL, "pool slab: "},
		 {GROWTH_BY_SYSCALL, "call0(): "}};
	struct workload w = later(2);

	(void)state;
	w.leak = 2e6;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct diff_screen_row *row;
		struct pair p;

		compare_by(&p, workload_record(&usual), record_later(&w), t[i].by);
		row = &p.said.screen.rows[0];
		assert_int_equal(p.said.screen.nr_rows, 1);
		assert_int_equal(strncmp(row->words, t[i].who, strlen(t[i].who)), 0);
		assert_int_equal(strstr(row->words, "the largest part by worker[100]") != NULL,
				 t[i].by != GROWTH_BY_PROCESS);
		assert_non_null(strstr(row->what, "objects, the largest part of kmalloc-1k"));
		free(screen(&p));
		pair_free(&p);
	}
}

/* A path that is too long loses functions in the middle, not its entry; and page tables are not
 * "for page tables". */
static void long_paths_keep_both_ends(void **state)
{
	static const char *const names[] = {"pte_alloc_one_with_a_long_name",
					    "do_something_that_has_a_long_name", "handle_mm_fault",
					    "do_user_addr_fault", "exc_page_fault"};
	struct capture *c = sample_new("exact");
	char path[SCREEN_WORDS], words[SCREEN_WORDS] = "7 page tables";
	char long_name[200];
	uint32_t frames[5];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		frames[i] = sample_frame(c, names[i], 16, "vmlinux");
	sample_stack(c, 5, frames);
	screen_path(c, 1, path);
	assert_string_equal(path, "pte_alloc_one_with_a_long_name < .. < page fault");
	screen_add_purpose(plain_words_of(c, 1, POOL_PAGETABLE), POOL_PAGETABLE, words);
	assert_string_equal(words, "7 page tables of memory that was touched");

	memset(long_name, 'x', sizeof(long_name));
	memcpy(long_name, "head", 4);
	memcpy(long_name + sizeof(long_name) - 5, "tail", 5);
	assert_int_equal(strlen(screen_name(long_name, path)), SCREEN_NAME);
	assert_int_equal(strncmp(path, "headxx", 6), 0);
	assert_string_equal(path + SCREEN_NAME - 6, "xxtail");
	capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(growth_comes_with_its_holder),
		cmocka_unit_test(nothing_new_is_short),
		cmocka_unit_test(what_shrank_is_no_alarm),
		cmocka_unit_test(the_call_site_that_grew_is_named_with_sizes),
		cmocka_unit_test(machines_of_different_size_are_compared_with_a_caution),
		cmocka_unit_test(the_time_of_a_step_is_named),
		cmocka_unit_test(a_level_that_came_back_counts_from_then),
		cmocka_unit_test(losses_and_a_broken_end_lower_the_trust),
		cmocka_unit_test(hostile_and_huge_captures_fit_a_terminal),
		cmocka_unit_test(nothing_new_is_short_whatever_the_names),
		cmocka_unit_test(sections_come_when_they_are_asked_for),
		cmocka_unit_test(findings_hold_all_that_is_said),
		cmocka_unit_test(the_gravest_caution_is_on_the_screen),
		cmocka_unit_test(levels_outside_pools_are_said),
		cmocka_unit_test(what_is_not_known_of_a_cache_is_not_said),
		cmocka_unit_test(a_path_of_many_processes_names_others),
		cmocka_unit_test(groups_are_not_put_down_to_one_process),
		cmocka_unit_test(long_paths_keep_both_ends),
		cmocka_unit_test(call_paths_of_one_purpose_are_one_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
