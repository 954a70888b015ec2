// SPDX-License-Identifier: GPL-2.0-only
/* The verdict: what it may and must not say, above all the word "leak", and hostile names in the
 * command to run next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/report_findings.h"
#include "sample_capture.h"

#define LOOK_AT_PLANT "ps -o pid,ppid,user,etime,nlwp,rss,args -p 4242  # can it be stopped?"

/* All sentences in one string; *leak and *next as in the verdict. */
static char *verdict_of(const struct capture *c, bool *leak, char **next)
{
	struct report r;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	for (size_t i = 0; i < r.verdict.nr; i++)
		fprintf(f, "%s ", r.verdict.items[i]);
	fclose(f);
	*leak = r.verdict.leak;
	*next = sample_text(r.verdict.next ?: "");
	report_free(&r);
	return text;
}

/* Check the verdict of c (freed here) for phrases: wanted ones, then after a NULL unwanted ones. */
static void check(struct capture *c, bool leak_wanted, const char *next_wanted,
		  const char *const *phrases)
{
	bool leak, wanted = true;
	char *next, *text = verdict_of(c, &leak, &next);

	for (int nulls = 0; nulls < 2; phrases++) {
		if (!*phrases) {
			nulls++;
			wanted = false;
		} else if ((strstr(text, *phrases) != NULL) != wanted) {
			fail_msg("%s: \"%s\" in: %s", wanted ? "missing" : "unwanted", *phrases,
				 text);
		}
	}
	assert_int_equal(leak, leak_wanted);
	assert_int_equal(leak, strstr(text, "leak") != NULL);
	assert_string_equal(next, next_wanted);
	free(text);
	free(next);
	capture_free(c);
}

#define CHECK(c, leak, next, ...) check(c, leak, next, (const char *const[]){__VA_ARGS__, NULL})

/* The same, but eight times slower: long enough to be sure. */
static struct capture *sample_slow(void)
{
	struct capture *c = sample_whole();

	for (size_t i = 0; i < c->nr_snapshots; i++)
		c->snapshots[i].t_s *= 8;
	for (size_t i = 0; i < c->nr_checkpoints; i++) {
		c->checkpoints[i].end_s *= 8;
		for (size_t k = 0; k < c->checkpoints[i].held.nr; k++) {
			struct cap_held *h = &c->checkpoints[i].held.items[k];

			h->oldest_s *= 8;
			memmove(h->age_hist + 3, h->age_hist,
				(AGE_BUCKETS - 3) * sizeof(h->age_hist[0]));
			memset(h->age_hist, 0, 3 * sizeof(h->age_hist[0]));
		}
	}
	return c;
}

/* Page tables grow, by more than anything in Slab. */
static struct capture *with_page_tables(struct capture *c)
{
	for (size_t i = 0; i < c->nr_snapshots; i++)
		for (size_t k = 0; k < c->snapshots[i].meminfo.nr; k++)
			if (!strcmp(c->snapshots[i].meminfo.items[k].name, "PageTables"))
				c->snapshots[i].meminfo.items[k].value += 2000 * (int64_t)i;
	return c;
}

/*
 * The verdict says whether the pool that grew most is still growing, and the next command fits that
 * pool. A leak in another pool names its cache.
 */
static void another_pool_than_slab_grew(void **state)
{
	(void)state;
	CHECK(with_page_tables(sample_whole()), false,
	      "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 180 --prove",
	      "these pools grew: PageTables by", "PageTables was still growing at the end, at",
	      "Slab by", "The oldest objects of kmalloc-cg-1k are still there", NULL,
	      "kmalloc-cg-1k was still");
	CHECK(with_page_tables(sample_slow()), true, LOOK_AT_PLANT,
	      "PageTables was still growing at the end, at", "kmalloc-cg-1k looks like a leak",
	      NULL, "This looks");
}

static void a_true_leak_is_called_one(void **state)
{
	(void)state;
	/* nothing is left to record, so the next step is to look at who does it */
	CHECK(sample_slow(), true, LOOK_AT_PLANT, "Slab by 1.7 MiB",
	      "1,200 objects of kmalloc-cg-1k", "alloc_pipe_info+0xc1, through pipe2()",
	      "plant[4242]", "still growing at the end, at 5.0 KiB/s",
	      "The kernel cannot reclaim kmalloc-cg-1k.", "looks like a leak",
	      "Trust in the whole report: high.", NULL, "estimates", "incomplete",
	      "Record for 3 minutes");
}

/* A script that acts on the list finds the leak first, with what it rests on and what to do. */
static void a_leak_is_a_critical_finding(void **state)
{
	struct capture *c = sample_slow();
	const struct finding *f;
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	f = &r.findings.items[0];
	assert_int_equal(f->severity, FINDING_CRITICAL);
	assert_string_equal(f->kind, "leak");
	assert_int_equal(f->about, ABOUT_CACHE);
	assert_string_equal(f->subject, "kmalloc-cg-1k");
	assert_true(f->judged && f->trust == TRUST_HIGH);
	assert_int_equal(f->nr_figures, 4);
	assert_string_equal(f->figures[0].name, "bytes");
	assert_true(f->figures[0].value == r.growth.groups[0].bytes);
	assert_true(f->figures[0].low <= f->figures[0].value &&
		    f->figures[0].value <= f->figures[0].high);
	assert_string_equal(f->figures[3].name, "slope_kb_per_s");
	assert_int_equal(f->nr_evidence, 2);
	assert_string_equal(f->evidence[0].table, "growth");
	assert_string_equal(f->evidence[0].row, "1");
	assert_string_equal(f->evidence[1].table, "caches");
	assert_string_equal(f->evidence[1].row, "kmalloc-cg-1k");
	assert_string_equal(f->next, LOOK_AT_PLANT);
	assert_ptr_equal(f->next, r.verdict.next);
	report_free(&r);
	capture_free(c);
}

/* Objects that are freed after a minute look like a leak for a minute. */
static void a_short_recording_never_says_leak(void **state)
{
	(void)state;
	CHECK(sample_whole(), false,
	      "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 180 --prove",
	      "still growing at the end, at 40.0 KiB/s",
	      "30 s is too short to tell lasting growth from delayed frees",
	      "Record for 3 minutes.", NULL, "looks like");
}

static void a_reclaimable_cache_is_never_a_leak(void **state)
{
	struct capture *c = sample_slow();

	(void)state;
	c->caches[1].reclaimable = true;
	CHECK(c, false,
	      "echo 2 | sudo tee /proc/sys/vm/drop_caches  # only if memory is short: slows file access",
	      "kmalloc-cg-1k is a reclaimable cache", "the kernel frees up to 1.3 MiB",
	      "file access is slow until they are read again", NULL, "cannot reclaim");
}

/* Pages grew, Slab did not, and no path holds half of anything: do not advise to trace or drop a
 * cache. */
static void growth_elsewhere_is_not_blamed_on_a_cache(void **state)
{
	struct capture *c = sample_whole();

	(void)state;
	c->caches[1].reclaimable = true;
	c->checkpoints[0].held.items[0].bytes = 500 * 1024;
	for (size_t i = 0; i < c->nr_snapshots; i++)
		for (size_t v = 0; v < c->snapshots[i].meminfo.nr; v++) {
			struct named_value *value = &c->snapshots[i].meminfo.items[v];

			if (!strcmp(value->name, "Slab"))
				value->value = 90000;
			if (!strcmp(value->name, "MemFree"))
				value->value -= 1000 * (int64_t)i;
		}
	CHECK(c, false, "sudo kmemtrace record --exact --pool Unaccounted -d 180",
	      "these pools grew: Unaccounted by", "within Slab, kmalloc-cg-1k grew",
	      "100% of it by plant[4242]: for pipes (500.0 KiB", NULL);
}

/* Where no recording can tell more, what points to the objects does. */
static void where_recording_ends_the_next_command_is_refs(void **state)
{
	static const char refs[] =
		"sudo kmemtrace refs --cache kmalloc-cg-1k  # what holds its objects?";
	struct capture *c = sample_slow();

	(void)state;
	for (size_t i = 0; i < c->nr_processes; i++)
		c->processes[i].tgid = 0; /* nobody to look at */
	CHECK(c, true, refs, "kmalloc-cg-1k looks like a leak", NULL);
	/* only this cache was traced, for long enough, and its trust is low all the same */
	c = sample_slow();
	free(c->meta.items[0].value);
	c->meta.items[0].value = sample_text("focused");
	c->checkpoints[0].held.items[0].verified = c->checkpoints[0].held.items[0].verified_live =
		0;
	c->checkpoints[0].cache_churn.items[0].unseen_frees = 500;
	CHECK(c, false, refs, "trust in kmalloc-cg-1k is low", NULL, "looks like a leak");
}

static void young_objects_are_never_a_leak(void **state)
{
	struct capture *c = sample_slow();
	struct cap_held *h = &c->checkpoints[0].held.items[0];

	(void)state;
	memset(h->age_hist, 0, sizeof(h->age_hist));
	h->age_hist[1] = 1200;
	h->oldest_s = 2;
	CHECK(c, false, "", "still growing",
	      "not known to be lasting growth: its objects come and go: half are younger than 1.5 s, "
	      "and the oldest is 2.0 s old, in a recording of 4 min (condition 7)",
	      NULL, "looks like");
}

static void unaudited_unseen_frees_are_never_a_leak(void **state)
{
	struct capture *c = sample_slow();

	(void)state;
	c->checkpoints[0].held.items[0].verified = c->checkpoints[0].held.items[0].verified_live =
		0;
	c->checkpoints[0].cache_churn.items[0].unseen_frees = 500;
	CHECK(c, false, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 180 --prove",
	      "Trust in the whole report: low (kmalloc-cg-1k: 83% of its frees fired no event).",
	      "not known to be lasting growth: trust in kmalloc-cg-1k is low (83% of its frees fired "
	      "no event; condition 4)",
	      NULL,

	      "looks like");
}

static void growth_that_ended_is_never_a_leak(void **state)
{
	struct capture *c = sample_slow();

	(void)state;
	/* All at second 5, and then nothing. */
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		struct slab_level *l = &c->snapshots[i].slabs.items[1];

		l->active_objs = i < 5 ? 160 : 1360;
		l->num_slabs = i < 5 ? 10 : 85;
	}
	CHECK(c, false, "sudo kmemtrace record -d 600", "it is not growing any more",
	      "not growing any more at the end (condition 3)", NULL, "still growing");
}

static void a_quiet_machine_is_called_quiet(void **state)
{
	struct capture *c = sample_new("exact");

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct snapshot *s = sample_snapshot(c, i);

		sample_meminfo(s, "Slab", 100000 + (i * 37) % 90);
		sample_slab(s, "obj", 1000, 100, 40, 1, 25);
	}
	sample_interval(c, 19);
	CHECK(c, false, "sudo kmemtrace record -d 600", "Nothing grew beyond noise in 19 s", NULL,
	      "grew:", "largest part");
}

/* In a short recording, half of the differences are the step itself, which must not count as noise.
 * */
static void a_step_in_a_short_recording_is_growth(void **state)
{
	const int64_t slab_kb[] = {200000, 245000, 260000, 260000};
	struct capture *c = sample_new("exact");

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct snapshot *s = sample_snapshot(c, i);

		sample_meminfo(s, "Slab", slab_kb[i]);
		sample_slab(s, "obj", 1000, 100, 40, 1, 25);
	}
	sample_interval(c, 3);
	CHECK(c, false, "sudo kmemtrace record --exact --pool Slab -d 180",
	      "these pools grew: Slab by 58.6 MiB", NULL, "Nothing grew");
}

/* Six readings are too few to measure noise; one that goes up and down ends higher by chance. */
static void up_and_down_in_a_short_recording_is_no_growth(void **state)
{
	const int64_t slab_kb[] = {200000, 204000, 201000, 203500, 200500, 203000};
	struct capture *c = sample_new("exact");

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct snapshot *s = sample_snapshot(c, i);

		sample_meminfo(s, "Slab", slab_kb[i]);
		sample_slab(s, "obj", 1000, 100, 40, 1, 25);
	}
	sample_interval(c, 5);
	CHECK(c, false, "sudo kmemtrace record -d 600", "Nothing grew beyond noise", NULL,
	      "these pools grew");
}

/* `objects` more objects of 256 bytes in slabinfo, without an event. */
static struct capture *sample_bulk(const char *mode, int64_t objects)
{
	struct capture *c = sample_new(mode);

	for (int i = 0; i < 2; i++) {
		struct snapshot *s = sample_snapshot(c, i * 10);
		int64_t slabs = 100 + i * objects / 16;

		sample_meminfo(s, "Slab", 1000 + slabs * 4);
		sample_slab(s, "io_kiocb", slabs * 16, 256, 16, 1, slabs);
	}
	sample_hook(c, "kmem:kmem_cache_alloc", POOL_SLAB, "raw_tp", "", "");
	sample_interval(c, 10);
	return c;
}

static void bulk_allocations_without_events_are_reported(void **state)
{
	struct capture *c = sample_bulk("sampled", 20000);

	(void)state;
	CHECK(sample_bulk("exact", 20000), false,
	      "sudo kmemtrace record --exact --pool Slab -d 180",
	      "About 19,864 objects of io_kiocb (4.8 MiB) were allocated without an event, most likely in bulk",
	      "Trust in the whole report: low (io_kiocb: slabinfo shows 99% more", NULL);
	sample_meta(c, META_PERIOD, "524288");
	CHECK(c, false, "sudo kmemtrace record --exact --pool Slab -d 180", "objects of io_kiocb",
	      NULL);
	/* so few may be between two samples */
	c = sample_bulk("sampled", 4800);
	sample_meta(c, META_PERIOD, "524288");
	CHECK(c, false, "sudo kmemtrace record --exact --pool Slab -d 180",
	      "No sample fell on this growth",
	      "Trust in the whole report: low (the 0 B held of Slab may be 0 B to 1.2 MiB).", NULL,
	      "in bulk", "high");
}

/* Memory outside the filter is neither unexplained nor allocated in bulk. */
static void a_filtered_recording_knows_what_it_left_out(void **state)
{
	struct capture *c = sample_bulk("exact", 20000);

	(void)state;
	sample_cache_churn(&c->checkpoints[0], sample_cache(c, "other", 64, 64, false), 5, 5, 0);
	sample_meta(c, META_FILTER, "of process 42");
	CHECK(c, false, "sudo kmemtrace record --exact --pool Slab -d 180",
	      "4.9 MiB (100.0%) of Slab's growth was not traced",
	      "Only allocations of process 42 were traced.",
	      "Trust in the whole report, which is of the traced part only: high.", NULL, "in bulk",
	      "not explained", "low", "these figures");
}

/* It traced nothing, so its trust is low. */
static void a_filter_that_nothing_passed_is_said_and_not_trusted(void **state)
{
	struct capture *c = sample_bulk("exact", 20000);

	(void)state;
	sample_meta(c, META_FILTER, "of process 42");
	CHECK(c, false, "sudo kmemtrace record --exact --pool Slab -d 180",
	      "No allocation of process 42 was traced",
	      "Trust in the whole report, which is of the traced part only: low (no allocation passed the filter).",
	      NULL, "high");
	c = sample_bulk("sampled", 20000);
	sample_meta(c, META_FILTER, "of at least 1.0 GiB");
	CHECK(c, false, "sudo kmemtrace record --exact --pool Slab -d 180",
	      "No allocation of at least 1.0 GiB was sampled (--exact traces every one)", NULL,
	      "high");
	c = sample_bulk("focused", 20000);
	CHECK(c, false, "sudo kmemtrace record --exact --pool Slab -d 180",
	      "No allocation from the caches named with --cache was traced", NULL, "high");
}

/* Pools that --pool left out were not traced. */
static void trust_is_stated_only_for_traced_pools(void **state)
{
	struct capture *c = sample_bulk("exact", 0);

	(void)state;
	sample_meta(c, META_POOLS, "vmalloc, kstack");
	CHECK(c, false, "sudo kmemtrace record -d 600",
	      "Only these pools were watched: vmalloc, kstack.",
	      "Trust in the whole report, which is of the traced part only: high.", NULL,
	      "these figures");
}

static int64_t *meminfo_of(struct snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->meminfo.nr; i++)
		if (!strcmp(s->meminfo.items[i].name, name))
			return &s->meminfo.items[i].value;
	abort();
}

/* Another cache shrinks by what this one grows. */
static void a_leak_is_found_in_a_pool_that_shrank(void **state)
{
	struct capture *c = sample_slow();
	int64_t first = *meminfo_of(&c->snapshots[0], "Slab");

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		int64_t *slab = meminfo_of(&c->snapshots[i], "Slab");
		int64_t grown = *slab - first;

		*slab += 4000 - grown; /* the pages of "fading" are also in Slab */
		*meminfo_of(&c->snapshots[i], "MemFree") += grown;
		sample_slab(&c->snapshots[i], "fading", (1000 - grown / 4) * 16, 256, 16, 1,
			    1000 - grown / 4);
	}
	CHECK(c, true, LOOK_AT_PLANT, "No pool grew beyond noise in 4 min",
	      "but within Slab, kmalloc-cg-1k grew by 1.2 MiB",
	      "for pipes, at alloc_pipe_info+0xc1", "still growing at the end", NULL,
	      "pools grew:");
}

static void modes_and_missing_names_are_said(void **state)
{
	struct capture *c = sample_slow();

	(void)state;
	strcpy(c->meta.items[0].value, "focus"); /* an unknown mode does not count as exact */
	sample_meta(c, META_PERIOD, "65536");
	strcpy(c->meta.items[3].value, "no"); /* stack_symbols */
	CHECK(c, true, LOOK_AT_PLANT,
	      "Figures are estimates from samples: of slab, one for each 64.0 KiB",
	      "Call paths have no names: no.", NULL, "Only the caches");
}

/* A cache name that would run another program must not get into a command that people paste. */
static void hostile_cache_names_stay_out_of_commands(void **state)
{
	static const char *const names[] = {"$(reboot)", "a;reboot", "-rf", "a b",
					    "\x1b[2J",   "",         "a\nb"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct capture *c = sample_whole();

		free(c->caches[1].name);
		c->caches[1].name = sample_text(names[i]);
		sample_alias(c, 1, "kmalloc-cg-1k");
		CHECK(c, false, "sudo kmemtrace record --exact -d 180", "Slab by 1.7 MiB", NULL);
	}
}

/* ---- what reports said falsely ---- */

/* n readings, one a second, of Slab alone; the figures are the caller's, NaN: not read. */
static struct capture *levels_of(size_t n, const double *slab_kb)
{
	struct capture *c = sample_new("exact");

	for (size_t i = 0; i < n; i++) {
		struct snapshot *s = sample_snapshot(c, (double)i);

		if (!isnan(slab_kb[i]))
			sample_meminfo(s, "Slab", (int64_t)slab_kb[i]);
		sample_slab(s, "obj", 1000, 100, 40, 1, 25);
	}
	sample_interval(c, (double)n - 1);
	return c;
}

/* 8.0 of 8.1 GiB went at 5 s, and the rest over ten minutes: ranks have their change point in the
 * middle of these. */
static void a_drop_is_said_when_its_size_fell(void **state)
{
	double kb[600];

	(void)state;
	for (size_t i = 0; i < 600; i++)
		kb[i] = (i < 5 ? 9e6 : 600e3) - 170 * (double)i;
	CHECK(levels_of(600, kb), false, "sudo kmemtrace record -d 600", "Slab shrank by 8.1 GiB",
	      ", most of it at 5.0 s.", NULL, "at 7 min", "rose");
	/* an even fall has no time */
	for (size_t i = 0; i < 600; i++)
		kb[i] = 9e6 - 13e3 * (double)i;
	CHECK(levels_of(600, kb), false, "sudo kmemtrace record -d 600", "Slab shrank by", NULL,
	      "most of it");
}

/* Short-lived processes: the first reading saw the page tables of one, and later ones did not. */
static void a_high_first_reading_is_no_shrinking(void **state)
{
	double first[13], last[13], both[13];

	(void)state;
	for (size_t i = 0; i < 13; i++) {
		first[i] = i ? 27e3 + 100 * (double)(i % 3) : 34.4e3;
		last[i] = i < 12 ? 34e3 + 100 * (double)(i % 3) : 27e3;
		both[i] = i < 6 ? 34.4e3 : 27e3;
	}
	CHECK(levels_of(13, first), false, "sudo kmemtrace record -d 600", "Nothing grew", NULL,
	      "shrank");
	CHECK(levels_of(13, last), false, "sudo kmemtrace record -d 600", "Nothing grew", NULL,
	      "shrank");
	CHECK(levels_of(13, both), false, "sudo kmemtrace record -d 600", "Slab shrank by 7.2 MiB",
	      NULL, "rose");
	both[1] = both[11] = NAN; /* the nearest that are known count instead */
	CHECK(levels_of(13, both), false, "sudo kmemtrace record -d 600", "Slab shrank by 7.2 MiB",
	      NULL, "rose");
}

/* "rises and falls again and again, between 1.4 GiB and 1.4 GiB" */
static void a_flat_level_does_not_swing(void **state)
{
	double kb[200];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		kb[i] = 1468000 + (i % 40 < 20 ? 12000 : 0);
	CHECK(levels_of(200, kb), false, "sudo kmemtrace record -d 600", "Nothing grew", NULL,
	      "rises and falls");
	for (size_t i = 0; i < 200; i++)
		kb[i] = 1448000 + (i % 40 < 20 ? 40000 : 0);
	CHECK(levels_of(200, kb), false, "sudo kmemtrace record -d 600",
	      "Slab rises and falls again and again, by 39.1 MiB around 1.4 GiB.", NULL, "between");
}

/* What is held is no news where nothing grew: the headline was made of it. */
static void held_memory_is_no_headline_if_nothing_grew(void **state)
{
	struct capture *c = sample_whole();

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		*meminfo_of(&c->snapshots[i], "Slab") = 90000 - 100 * (int64_t)i;
		*meminfo_of(&c->snapshots[i], "MemFree") = 3000000 + 100 * (int64_t)i;
		for (size_t k = 0; k < c->snapshots[i].slabs.nr; k++)
			c->snapshots[i].slabs.items[k].num_slabs = 100;
	}
	CHECK(c, false, "sudo kmemtrace record -d 600", "Nothing grew beyond noise in 30 s",
	      "Slab shrank by 2.9 MiB", NULL, "part", "plant", "pipe", "of older", "reclaim");
}

/* The governor sampled one in 1 to 5 MiB: no sample fell, and 4.9 MiB were called unseen, because
 * the recording had begun with 512 KiB. */
static void rules_about_samples_use_the_periods_in_force(void **state)
{
	struct capture *c = sample_bulk("sampled", 20000);

	(void)state;
	sample_meta(c, META_PERIOD, "524288");
	sample_meta(c, META_PERIODS, "percpu 10649 4096 39321; slab 1363149 524288 5033165");
	CHECK(c, false, "sudo kmemtrace record --exact --pool Slab -d 180",
	      "of slab, one for each 1.3 MiB allocated on average (512.0 KiB to 4.8 MiB)", NULL,
	      "without an event", "in bulk", "high");
}

/* "11.1 MiB, give or take 13.3 MiB", trust high */
static void a_wide_interval_is_not_trusted(void **state)
{
	static const struct {
		double samples;
		const char *trust;
	} t[] = {{2, "low"}, {20, "fair"}, {200, "high"}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct capture *c = sample_slow();
		struct cap_held *h = &c->checkpoints[0].held.items[0];
		char trust[64];

		strcpy(c->meta.items[0].value, "focus"); /* an unknown mode counts as sampled */
		h->bytes_var = h->bytes * h->bytes / t[i].samples;
		snprintf(trust, sizeof(trust), "Trust in the whole report: %s", t[i].trust);
		if (i == 2)
			CHECK(c, true, LOOK_AT_PLANT, trust, NULL);
		else
			CHECK(c, false,
			      i ? "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 180 --prove"
				: "sudo kmemtrace record --exact --pool Slab -d 180",
			      trust, "was allocated and is still held", NULL,
			      "Trust in the whole report: high",
			      i ? "MiB of older" : "give or take");
	}
}

/* 0.15 % of all events lost, and slabinfo says the same of each object. */
static void few_losses_do_not_undo_what_slabinfo_confirms(void **state)
{
	struct capture *c = sample_slow();

	(void)state;
	c->checkpoints[0].losses.items[0].value = 207;
	CHECK(c, true, LOOK_AT_PLANT, "207 events were lost (0.15% of all)", "looks like a leak",
	      NULL);
}

static struct cap_held *held_more(struct capture *c, uint32_t cache, const char *const *symbols,
				  size_t nr, uint32_t process, double bytes)
{
	uint32_t frames[8];
	struct cap_held *h;

	for (size_t i = 0; i < nr; i++)
		frames[i] = sample_frame(c, symbols[i], 16, "vmlinux");
	h = sample_held(&c->checkpoints[0], cache, sample_stack(c, (uint32_t)nr, frames), process,
			(int64_t)bytes / 1024, bytes);
	h->oldest_s = 30;
	h->age_hist[5] = h->objects;
	return h;
}

/* One program starts threads: the kernel allocates for each at many places. */
static struct capture *sample_threads(void)
{
	static const char *const paths[][4] = {
		{"dup_task_struct", "copy_process", "kernel_clone", "__x64_sys_clone3"},
		{"copy_signal", "copy_process", "kernel_clone", "__x64_sys_clone3"},
		{"alloc_pid", "copy_process", "kernel_clone", "__x64_sys_clone3"},
		{"vm_area_alloc", "mmap_region", "do_mmap", "__x64_sys_mmap"},
	};
	struct capture *c = sample_whole();
	uint32_t tasks = sample_cache(c, "task_struct", 4096, 4096, false);
	struct cap_checkpoint *at = &c->checkpoints[0];

	at->held.items[0].bytes = at->held.items[1].bytes = 1000; /* others hold little */
	at->held.items[0].process = 2;
	at->held.items[1].process = 2;
	held_more(c, tasks, paths[0], 4, 1, 24e6)->objects = 6000;
	held_more(c, sample_cache(c, "signal_cache", 1024, 1024, false), paths[1], 4, 1, 12e6);
	held_more(c, sample_cache(c, "pid", 128, 128, false), paths[2], 4, 1, 9e6);
	held_more(c, sample_cache(c, "vma", 200, 200, false), paths[3], 4, 1, 8e6);
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		struct task_level *task = ARRAY_PUSH(&c->snapshots[i].tasks);

		*task = (struct task_level){.tgid = 4242, .comm = "plant", .threads = i ? 6001 : 1};
	}
	return c;
}

static void one_leak_by_many_paths_is_one_leak(void **state)
{
	struct capture *c = sample_threads();
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.screen.nr_holders, 2);
	assert_true(r.screen.holders[0].bytes > 44e6 && r.screen.holders[0].bytes < 46e6);
	assert_non_null(strstr(r.screen.holders[0].what, "6,000 threads or processes ("));
	assert_non_null(
		strstr(r.screen.holders[0].what, " objects of task_struct and other caches)"));
	report_free(&r);
	CHECK(c, false, "sudo kmemtrace record --exact --cache task_struct -d 180 --prove",
	      "The largest part, 50.6 MiB (99% of held memory), was allocated through",
	      "100% of it by plant[4242]: to start 6,000 threads (42.9 MiB, most of it at "
	      "dup_task_struct+0x10), for memory mappings (7.6 MiB).",
	      NULL, "second largest");
}

/* A sample that stands for half a MiB is not "most, 75 %". */
static void one_sampled_object_is_not_a_headline(void **state)
{
	static const char *const path[] = {"mas_alloc_nodes", "do_mmap", "__x64_sys_mmap"};
	struct capture *c = sample_whole();
	struct cap_held *h;

	(void)state;
	strcpy(c->meta.items[0].value, "focus");
	for (size_t i = 0; i < c->checkpoints[0].held.nr; i++)
		c->checkpoints[0].held.items[i].bytes = 1000;
	h = held_more(c, 1, path, 3, 1, 524288);
	h->tracked = 1;
	h->objects = 2048;
	h->bytes_var = h->bytes * h->bytes;
	CHECK(c, false, "sudo kmemtrace record --exact --pool Slab -d 180",
	      "Too few samples fell on what grew, so who allocated it is unknown.", NULL,
	      "largest part", "mas_alloc_nodes", "high");
}

/* Slab grew by 100 KiB more than usual noise allows, and one sample stands for 3.7 MiB. */
static void one_sample_is_no_proof_of_growth(void **state)
{
	struct capture *c = sample_new("sampled");
	struct cap_held *h;

	(void)state;
	sample_meta(c, META_PERIOD, "524288");
	sample_cache(c, "obj", 100, 100, false);
	sample_call(c, "taker", 1, "vmlinux");
	for (int i = 0; i < 20; i++) {
		struct snapshot *s = sample_snapshot(c, i);

		sample_meminfo(s, "Slab", 100000 + (i == 19 ? 500 : (i * i * 31) % 97 * 30));
		sample_slab(s, "obj", 1000, 100, 40, 1, 25);
	}
	h = sample_held(sample_interval(c, 19), 1, 1, 0, 1, 3.7e6);
	h->bytes_var = h->bytes * h->bytes;
	sample_hook(c, "kmem:kmalloc", POOL_SLAB, "raw_tp", "", "");
	CHECK(c, false, "sudo kmemtrace record -d 600", "Nothing grew beyond noise in 19 s", NULL,
	      "pools grew", "part");
}

/* A call path that fills many caches is not "objects of TCP". */
static void objects_of_several_caches_are_not_of_one(void **state)
{
	struct capture *c = sample_whole();
	struct cap_held *h;

	(void)state;
	h = sample_held(&c->checkpoints[0], 2, 1, 1, 900, 900 * 1024);
	h->oldest_s = 30;
	CHECK(c, false, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 180 --prove",
	      "2,100 objects of kmalloc-cg-1k and 1 other cache)", NULL);
}

/* Thread stacks are vmalloc areas: both lines of meminfo grew by the same stacks. */
static void thread_stacks_are_said_once(void **state)
{
	struct capture *c = sample_whole();

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		*meminfo_of(&c->snapshots[i], "KernelStack") += 1600 * (int64_t)i;
		*meminfo_of(&c->snapshots[i], "VmallocUsed") += 1600 * (int64_t)i;
		*meminfo_of(&c->snapshots[i], "MemFree") -= 1600 * (int64_t)i;
	}
	CHECK(c, false, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 180 --prove",
	      "these pools grew: KernelStack by 46.9 MiB (2.0 MiB to 48.8 MiB) and VmallocUsed with "
	      "it, Slab by",
	      "KernelStack was still growing", NULL, "VmallocUsed by");
}

/* Programs that look for files that are not there. */
static void negative_dentries_are_said(void **state)
{
	struct capture *c = sample_slow();
	struct snapshot *end = &c->snapshots[c->nr_snapshots - 1];
	static const struct {
		const char *name;
		int64_t value;
	} t[] = {{"fs.dentry-state.nr", 1000000}, {"fs.dentry-state.negative", 900000}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct named_value *v = ARRAY_PUSH(&end->vmstat);

		snprintf(v->name, sizeof(v->name), "%s", t[i].name);
		v->value = t[i].value;
	}
	c->checkpoints[0].held.items[0].bytes = 1000;
	CHECK(c, false,
	      "echo 2 | sudo tee /proc/sys/vm/drop_caches  # only if memory is short: slows file access",
	      "ext4_merged is a reclaimable cache",
	      "Of 1,000,000 dentries, 900,000 (90%) are negative: names that were looked up and do "
	      "not exist.",
	      NULL);
}

/* A pod of many short-lived workers: none of them has much, the cgroup has it all. */
static void many_processes_of_one_cgroup_are_the_cgroup(void **state)
{
	static const char *const paths[][3] = {{"f0", "g0", "__x64_sys_bpf"},
					       {"f1", "g1", "__x64_sys_bpf"},
					       {"f2", "g2", "__x64_sys_bpf"},
					       {"f3", "g3", "__x64_sys_bpf"}};
	struct capture *c = sample_whole();
	uint32_t pod = sample_cgroup(c, "/kubepods/pod1");

	(void)state;
	for (size_t i = 0; i < c->checkpoints[0].held.nr; i++)
		c->checkpoints[0].held.items[i].bytes = 1000;
	for (int i = 0; i < 4; i++)
		held_more(c, 1, paths[i], 3, sample_process(c, 100 + i, "worker", pod), 1e6);
	CHECK(c, false, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 180 --prove",
	      "was allocated through 4 call paths, 100% of it in cgroup /kubepods/pod1: at f", NULL,
	      "second largest");
}

/* Pages grew, and no call path of them is known: who holds slab is not the answer. */
static void holders_are_of_what_grew(void **state)
{
	struct capture *c = sample_whole();
	struct report r;

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		*meminfo_of(&c->snapshots[i], "Slab") = 90000;
		*meminfo_of(&c->snapshots[i], "MemFree") -= 1000 * (int64_t)i;
		for (size_t k = 0; k < c->snapshots[i].slabs.nr; k++)
			c->snapshots[i].slabs.items[k].num_slabs = 100;
	}
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.screen.state, SCREEN_GROWING);
	assert_int_equal(r.screen.nr_holders, 0);
	for (size_t i = 0; i < r.verdict.nr; i++)
		assert_null(strstr(r.verdict.items[i], "largest part"));
	report_free(&r);
	capture_free(c);
}

/* 341,714 timers looked outstanding, and slabinfo had 12,768 objects of their cache in all. */
static void more_objects_than_there_are_is_no_headline(void **state)
{
	struct capture *c = sample_whole();
	struct cap_held *h = &c->checkpoints[0].held.items[0];
	struct report r;
	bool said = false;

	(void)state;
	h->tracked = 30000;
	h->objects = 30000;
	h->bytes = 30000 * 1024;
	h->verified = h->verified_live = h->verified_twice = 0;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	for (size_t i = 0; i < r.screen.nr_holders; i++)
		assert_null(strstr(r.screen.holders[i].what, "kmalloc-cg-1k"));
	for (size_t i = 0; i < r.verdict.nr; i++) {
		assert_null(strstr(r.verdict.items[i], "30,000 objects"));
		assert_null(strstr(r.verdict.items[i], "is still held"));
		said |= strstr(r.verdict.items[i], "Most of that was freed without an event") !=
			NULL;
	}
	assert_true(said);
	report_free(&r);
	capture_free(c);
}

/* Growth without a call path, in a recording long enough to know. */
static void growth_that_nothing_traced_shows_names_its_condition(void **state)
{
	struct capture *c = sample_bulk("exact", 20000);

	(void)state;
	c->snapshots[1].t_s = 200;
	c->checkpoints[0].end_s = 200;
	CHECK(c, false, "", "no call path of it was traced (condition 1)", NULL, "Record for");
}

/* --by cgroup: what people know is the cgroup's name. */
static void by_cgroup_names_the_cgroup(void **state)
{
	struct capture *c = sample_whole();
	struct report r;
	bool named = false;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_CGROUP, &r), 0);
	for (size_t i = 0; i < r.verdict.nr; i++)
		named |= strstr(r.verdict.items[i],
				"100% of it in cgroup /system.slice/plant.service") != NULL;
	assert_true(named);
	report_free(&r);
	capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_true_leak_is_called_one),
		cmocka_unit_test(a_leak_is_a_critical_finding),
		cmocka_unit_test(another_pool_than_slab_grew),
		cmocka_unit_test(a_short_recording_never_says_leak),
		cmocka_unit_test(a_reclaimable_cache_is_never_a_leak),
		cmocka_unit_test(growth_elsewhere_is_not_blamed_on_a_cache),
		cmocka_unit_test(where_recording_ends_the_next_command_is_refs),
		cmocka_unit_test(young_objects_are_never_a_leak),
		cmocka_unit_test(unaudited_unseen_frees_are_never_a_leak),
		cmocka_unit_test(growth_that_ended_is_never_a_leak),
		cmocka_unit_test(a_quiet_machine_is_called_quiet),
		cmocka_unit_test(a_step_in_a_short_recording_is_growth),
		cmocka_unit_test(up_and_down_in_a_short_recording_is_no_growth),
		cmocka_unit_test(bulk_allocations_without_events_are_reported),
		cmocka_unit_test(a_filtered_recording_knows_what_it_left_out),
		cmocka_unit_test(a_filter_that_nothing_passed_is_said_and_not_trusted),
		cmocka_unit_test(trust_is_stated_only_for_traced_pools),
		cmocka_unit_test(a_leak_is_found_in_a_pool_that_shrank),
		cmocka_unit_test(modes_and_missing_names_are_said),
		cmocka_unit_test(hostile_cache_names_stay_out_of_commands),
		cmocka_unit_test(a_drop_is_said_when_its_size_fell),
		cmocka_unit_test(a_high_first_reading_is_no_shrinking),
		cmocka_unit_test(a_flat_level_does_not_swing),
		cmocka_unit_test(held_memory_is_no_headline_if_nothing_grew),
		cmocka_unit_test(rules_about_samples_use_the_periods_in_force),
		cmocka_unit_test(a_wide_interval_is_not_trusted),
		cmocka_unit_test(few_losses_do_not_undo_what_slabinfo_confirms),
		cmocka_unit_test(one_leak_by_many_paths_is_one_leak),
		cmocka_unit_test(one_sampled_object_is_not_a_headline),
		cmocka_unit_test(one_sample_is_no_proof_of_growth),
		cmocka_unit_test(objects_of_several_caches_are_not_of_one),
		cmocka_unit_test(thread_stacks_are_said_once),
		cmocka_unit_test(negative_dentries_are_said),
		cmocka_unit_test(by_cgroup_names_the_cgroup),
		cmocka_unit_test(many_processes_of_one_cgroup_are_the_cgroup),
		cmocka_unit_test(holders_are_of_what_grew),
		cmocka_unit_test(more_objects_than_there_are_is_no_headline),
		cmocka_unit_test(growth_that_nothing_traced_shows_names_its_condition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
