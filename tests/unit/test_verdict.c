// SPDX-License-Identifier: GPL-2.0-only
/* The verdict: what it may say and what it must not, above all the word "leak" and a hostile
 * command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/report_findings.h"
#include "sample_capture.h"

/* All sentences as one string; *leak and *next as in the verdict. */
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
	*next = sample_text(r.verdict.next);
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

/* The same, eight times as slow: long enough to know. */
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

/* The page tables, by more than anything in Slab. */
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
	      "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 180",
	      "these pools grew: PageTables by", "PageTables was still growing at the end, at",
	      "Slab by", "The oldest objects of kmalloc-cg-1k are still there", NULL,
	      "kmalloc-cg-1k was still");
	CHECK(with_page_tables(sample_slow()), true,
	      "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 600",
	      "PageTables was still growing at the end, at", "kmalloc-cg-1k looks like a leak",
	      NULL, "This looks");
}

static void a_true_leak_is_called_one(void **state)
{
	(void)state;
	CHECK(sample_slow(), true, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 600",
	      "Slab by 1.7 MiB", "1,200 objects of kmalloc-cg-1k",
	      "alloc_pipe_info+0xc1, through pipe2()", "plant[4242]",
	      "still growing at the end, at 5.0 KiB/s", "The kernel cannot reclaim kmalloc-cg-1k.",
	      "looks like a leak", "Trust in these figures: high.", NULL, "estimates", "incomplete",
	      "Record for 3 minutes");
}

/* What is kept for a minute and then freed looks the same for a minute. */
static void a_short_recording_knows_no_leak(void **state)
{
	(void)state;
	CHECK(sample_whole(), false, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 180",
	      "still growing at the end, at 40.0 KiB/s",
	      "30 s is too short to tell lasting growth from delayed frees",
	      "Record for 3 minutes.", NULL, "looks like");
}

static void a_reclaimable_cache_is_never_a_leak(void **state)
{
	struct capture *c = sample_slow();

	(void)state;
	c->caches[1].reclaimable = true;
	CHECK(c, false, "echo 2 | sudo tee /proc/sys/vm/drop_caches",
	      "kmalloc-cg-1k is a reclaimable cache", "can free up to 1.3 MiB", NULL,
	      "cannot reclaim");
}

/* Pages grew, Slab did not, and no path holds half of anything: no cache is to be traced, or
 * dropped, for it. */
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
	CHECK(c, false, "sudo kmemtrace record --exact -d 60", "these pools grew: Unaccounted by",
	      "The largest part, 500.0 KiB (43% of held memory, ", NULL);
}

static void young_objects_are_never_a_leak(void **state)
{
	struct capture *c = sample_slow();
	struct cap_held *h = &c->checkpoints[0].held.items[0];

	(void)state;
	memset(h->age_hist, 0, sizeof(h->age_hist));
	h->age_hist[1] = 1200;
	h->oldest_s = 2;
	CHECK(c, false, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 600",
	      "still growing", NULL, "looks like");
}

static void unaudited_unseen_frees_are_never_a_leak(void **state)
{
	struct capture *c = sample_slow();

	(void)state;
	c->checkpoints[0].held.items[0].verified = c->checkpoints[0].held.items[0].verified_live =
		0;
	c->checkpoints[0].cache_churn.items[0].unseen_frees = 500;
	CHECK(c, false, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 600",
	      "Trust in these figures: low (kmalloc-cg-1k: 83% of its frees fired no event).", NULL,
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
	CHECK(c, false, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 600",
	      "it is not growing any more", NULL, "still growing");
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

/* Half of a short recording's differences are the step itself: it must not pass for noise. */
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
	CHECK(c, false, "sudo kmemtrace record --exact -d 60", "these pools grew: Slab by 58.6 MiB",
	      NULL, "Nothing grew");
}

/* `objects` more of 256 bytes in slabinfo, of which no event told. */
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

static void bulk_allocations_that_nobody_saw_are_named(void **state)
{
	struct capture *c = sample_bulk("sampled", 20000);

	(void)state;
	CHECK(sample_bulk("exact", 20000), false, "sudo kmemtrace record --exact -d 60",
	      "About 19,864 objects of io_kiocb (4.8 MiB) were allocated without an event, most likely in bulk",
	      "Trust in these figures: low (io_kiocb: slabinfo shows 99% more", NULL);
	sample_meta(c, META_PERIOD, "524288");
	CHECK(c, false, "sudo kmemtrace record --exact -d 60", "objects of io_kiocb", NULL);
	/* so few can hide between two samples */
	c = sample_bulk("sampled", 4800);
	sample_meta(c, META_PERIOD, "524288");
	CHECK(c, false, "sudo kmemtrace record --exact -d 60", "Trust in these figures: high.",
	      NULL, "in bulk");
}

/* What was not asked for is neither unexplained nor allocated in bulk. */
static void a_filtered_recording_knows_what_it_left_out(void **state)
{
	struct capture *c = sample_bulk("exact", 20000);

	(void)state;
	sample_cache_churn(&c->checkpoints[0], sample_cache(c, "other", 64, 64, false), 5, 5, 0);
	sample_meta(c, META_FILTER, "of process 42");
	CHECK(c, false, "sudo kmemtrace record --exact -d 60",
	      "4.9 MiB (100.0%) of Slab's growth was not traced",
	      "Only allocations of process 42 were traced.", "Trust in the traced part: high.",
	      NULL, "in bulk", "not explained", "low", "these figures");
}

/* It watched nothing, so that it can vouch for nothing. */
static void a_filter_that_nothing_passed_is_said_and_not_trusted(void **state)
{
	struct capture *c = sample_bulk("exact", 20000);

	(void)state;
	sample_meta(c, META_FILTER, "of process 42");
	CHECK(c, false, "sudo kmemtrace record --exact -d 60",
	      "No allocation of process 42 was traced",
	      "Trust in the traced part: low (no allocation passed the filter).", NULL, "high");
	c = sample_bulk("sampled", 20000);
	sample_meta(c, META_FILTER, "of at least 1.0 GiB");
	CHECK(c, false, "sudo kmemtrace record --exact -d 60",
	      "No allocation of at least 1.0 GiB was sampled (--exact traces every one)", NULL,
	      "high");
	c = sample_bulk("focused", 20000);
	CHECK(c, false, "sudo kmemtrace record --exact -d 60",
	      "No allocation from the caches named with --cache was traced", NULL, "high");
}

/* What --pool left out was not watched either. */
static void trust_is_claimed_of_the_pools_that_were_watched(void **state)
{
	struct capture *c = sample_bulk("exact", 0);

	(void)state;
	sample_meta(c, META_POOLS, "vmalloc, kstack");
	CHECK(c, false, "sudo kmemtrace record -d 600",
	      "Only these pools were watched: vmalloc, kstack.", "Trust in the traced part: high.",
	      NULL, "these figures");
}

static int64_t *meminfo_of(struct snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->meminfo.nr; i++)
		if (!strcmp(s->meminfo.items[i].name, name))
			return &s->meminfo.items[i].value;
	abort();
}

/* Another cache gives back meanwhile what this one takes. */
static void a_leak_is_found_in_a_pool_that_shrank(void **state)
{
	struct capture *c = sample_slow();
	int64_t first = *meminfo_of(&c->snapshots[0], "Slab");

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		int64_t *slab = meminfo_of(&c->snapshots[i], "Slab");
		int64_t grown = *slab - first;

		*slab += 4000 - grown; /* fading's pages are in Slab, too */
		*meminfo_of(&c->snapshots[i], "MemFree") += grown;
		sample_slab(&c->snapshots[i], "fading", (1000 - grown / 4) * 16, 256, 16, 1,
			    1000 - grown / 4);
	}
	CHECK(c, true, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 600",
	      "No pool grew beyond noise in 4 min",
	      "but within Slab, kmalloc-cg-1k grew by 1.2 MiB", "still growing at the end", NULL,
	      "pools grew:");
}

static void modes_and_missing_names_are_said(void **state)
{
	struct capture *c = sample_slow();

	(void)state;
	strcpy(c->meta.items[0].value, "focus"); /* an unknown mode is not taken for an exact one */
	sample_meta(c, META_PERIOD, "65536");
	strcpy(c->meta.items[3].value, "no"); /* stack_symbols */
	CHECK(c, true, "sudo kmemtrace record --exact --cache kmalloc-cg-1k -d 600",
	      "Figures are estimates from one sample for each 64.0 KiB",
	      "Call paths have no names: no.", NULL, "Only the caches");
}

/* A cache whose name would run another program must not reach a command that people paste. */
static void hostile_cache_names_stay_out_of_commands(void **state)
{
	static const char *const names[] = {"$(reboot)", "a;reboot", "-rf", "a b",
					    "\x1b[2J",   "",         "a\nb"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct capture *c = sample_slow();

		free(c->caches[1].name);
		c->caches[1].name = sample_text(names[i]);
		sample_alias(c, 1, "kmalloc-cg-1k");
		CHECK(c, true, "sudo kmemtrace record --exact -d 60", "Slab by 1.7 MiB", NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_true_leak_is_called_one),
		cmocka_unit_test(another_pool_than_slab_grew),
		cmocka_unit_test(a_short_recording_knows_no_leak),
		cmocka_unit_test(a_reclaimable_cache_is_never_a_leak),
		cmocka_unit_test(growth_elsewhere_is_not_blamed_on_a_cache),
		cmocka_unit_test(young_objects_are_never_a_leak),
		cmocka_unit_test(unaudited_unseen_frees_are_never_a_leak),
		cmocka_unit_test(growth_that_ended_is_never_a_leak),
		cmocka_unit_test(a_quiet_machine_is_called_quiet),
		cmocka_unit_test(a_step_in_a_short_recording_is_growth),
		cmocka_unit_test(bulk_allocations_that_nobody_saw_are_named),
		cmocka_unit_test(a_filtered_recording_knows_what_it_left_out),
		cmocka_unit_test(a_filter_that_nothing_passed_is_said_and_not_trusted),
		cmocka_unit_test(trust_is_claimed_of_the_pools_that_were_watched),
		cmocka_unit_test(a_leak_is_found_in_a_pool_that_shrank),
		cmocka_unit_test(modes_and_missing_names_are_said),
		cmocka_unit_test(hostile_cache_names_stay_out_of_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
