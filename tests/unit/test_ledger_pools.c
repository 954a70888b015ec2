// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ledger of the pools other than slab, and who holds their levels: each term from its own
 * source, with results calculated by hand, and how they are printed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "close.h"
#include "golden.h"
#include "findings/report_findings.h"
#include "render/report.h"
#include "sample_capture.h"

static void put_area(struct snapshot *s, const char *caller, enum vmalloc_kind kind, int64_t areas,
		     int64_t pages)
{
	struct vmalloc_level *l = ARRAY_PUSH(&s->vmallocs);

	assert_non_null(l);
	snprintf(l->caller, sizeof(l->caller), "%s", caller);
	l->kind = kind;
	l->areas = areas;
	l->pages = kind == VMALLOC_VMALLOC ? pages : 0;
	l->bytes = (pages + areas) * 4096; /* a guard page each */
}

static void put_task(struct snapshot *s, int tgid, const char *comm, uint64_t cgroup,
		     int64_t threads, int64_t pgtables_kb)
{
	struct task_level *t = ARRAY_PUSH(&s->tasks);

	assert_non_null(t);
	*t = (struct task_level){.tgid = tgid,
				 .cgroup_id = cgroup,
				 .threads = threads,
				 .stack_bytes = threads * 16384,
				 .pgtables_bytes = pgtables_kb * 1024};
	strncpy(t->comm, comm, sizeof(t->comm) - 1);
}

static void put_held(struct cap_checkpoint *at, enum pool pool, const char *class_, uint32_t stack,
		     double kb)
{
	struct cap_held *h = sample_held(at, 0, stack, 0, 1, kb * 1024);

	h->pool = pool;
	snprintf(h->class_, sizeof(h->class_), "%s", class_);
}

static void put_zone(struct snapshot *s)
{
	struct zone_level *z = ARRAY_PUSH(&s->zones);

	assert_non_null(z);
	*z = (struct zone_level){.managed = 250000, .present = 260000, .pcp = 1000};
}

/*
 * Everything changes: a process with 2 threads gets 8 more, and one old thread ends. One caller
 * gets 40 areas of 100 kB, and 10 old ones are freed. The page tables of "old" are freed with it.
 * The per-CPU allocator populates 800 kB for 600 kB of objects. Pipes take 3000 kB.
 */
static struct capture *sample_pools(bool vmalloc_events)
{
	struct capture *c = sample_new("exact");
	uint32_t thread[3], area[2], stacks[3];
	struct cap_checkpoint *at;
	struct snapshot *s;

	thread[0] = sample_frame(c, "copy_process", 0xe41, "vmlinux");
	thread[1] = sample_frame(c, "kernel_clone", 0x94, "vmlinux");
	thread[2] = sample_frame(c, "__do_sys_clone3", 0x9f, "vmlinux");
	area[0] = sample_frame(c, "ring_grow", 0x20, "leaky");
	area[1] = sample_frame(c, "ring_ioctl", 0x44, "leaky");
	stacks[0] = sample_stack(c, 3, thread);
	stacks[1] = sample_stack(c, 2, area);
	stacks[2] = sample_stack(c, 1, &thread[2]);
	sample_process(c, 100, "server", sample_cgroup(c, "/system.slice/server"));

	s = sample_snapshot(c, 0);
	put_zone(s);
	sample_meminfo(s, "MemTotal", 1000000);
	sample_meminfo(s, "MemFree", 900000);
	sample_meminfo(s, "Slab", 0);
	sample_meminfo(s, "KernelStack", 3 * 16);
	sample_meminfo(s, "PageTables", 500);
	sample_meminfo(s, "SecPageTables", 0);
	sample_meminfo(s, "VmallocUsed", 3 * 16 + 16 + 20 * 100);
	sample_meminfo(s, "Percpu", 1000);
	put_area(s, "kernel_clone+0x94", VMALLOC_VMALLOC, 4, 16); /* one of them cached */
	put_area(s, "ring_grow.constprop.0+0x20 [leaky]", VMALLOC_VMALLOC, 20, 500);
	put_area(s, "acpi_os_map_iomem+0x1bc", VMALLOC_IOREMAP, 7, 70);
	put_task(s, 100, "server", 55, 2, 200);
	put_task(s, 200, "old", 56, 1, 120);

	s = sample_snapshot(c, 10);
	put_zone(s);
	sample_meminfo(s, "MemTotal", 1000000);
	sample_meminfo(s, "MemFree", 900000 - 3000 - 3112 - 800 - 580);
	sample_meminfo(s, "Slab", 0);
	sample_meminfo(s, "KernelStack", 10 * 16);
	sample_meminfo(s, "PageTables", 500 + 400 - 120);
	sample_meminfo(s, "SecPageTables", 300);
	sample_meminfo(s, "VmallocUsed", 11 * 16 + 50 * 100 + 8);
	sample_meminfo(s, "Percpu", 1800);
	put_area(s, "kernel_clone+0x94", VMALLOC_VMALLOC, 11, 44);
	put_area(s, "ring_grow.constprop.0+0x20 [leaky]", VMALLOC_VMALLOC, 50, 1250);
	put_area(s, "acpi_os_map_iomem+0x1bc", VMALLOC_IOREMAP, 7, 70);
	put_area(s, "pack+0x1", VMALLOC_VMALLOC, 1, 0);
	s->vmallocs.items[3].pages = 2; /* no guard page: two pages in an area of one */
	s->vmallocs.items[3].bytes = 2 * 4096;
	put_task(s, 100, "server", 55, 10, 600);

	at = sample_interval(c, 10);
	put_held(at, POOL_KSTACK, "user", stacks[0], 8 * 16);
	put_held(at, POOL_PAGETABLE, "pte", stacks[2], 400);
	put_held(at, POOL_PAGETABLE, "kvm", stacks[2], 300);
	put_held(at, POOL_PERCPU, "", stacks[2], 600);
	put_held(at, POOL_PAGE, "percpu-backing", 0, 800);
	put_held(at, POOL_PAGE, "user", 0, 77777);
	put_held(at, POOL_PAGE, "pipe", stacks[2], 3000);
	if (vmalloc_events) {
		put_held(at, POOL_VMALLOC, "thread", stacks[0], 8 * 16);
		put_held(at, POOL_VMALLOC, "vmalloc", stacks[1], 40 * 100);
		put_held(at, POOL_VMALLOC, "ioremap", stacks[2], 5000);
	}
	return c;
}

static void assert_row(const struct report *r, enum ledger_pool pool, double delta,
		       double attributed, double preexisting, double overhead, double residual)
{
	const struct ledger_row *row = &r->ledger.rows[pool];

	assert_close(row->delta_kb, delta, 0);
	assert_close(row->attributed_kb, attributed, 0);
	if (isnan(preexisting))
		assert_true(isnan(row->preexisting_freed_kb) && row->remark[0]);
	else
		assert_close(row->preexisting_freed_kb, preexisting, 0);
	assert_close(row->allocator_overhead_kb, overhead, 0);
	assert_close(row->residual_kb, residual, 0);
}

static void every_pool_closes(void **state)
{
	struct capture *c = sample_pools(true);
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	/* There are 7 more stack areas although 8 are new, so one old one was freed. The area
	 * without a guard page fired no event: it is the residual, minus its rounding. */
	assert_row(&r, LEDGER_VMALLOC, 7 * 16 + 30 * 100 + 8, 8 * 16 + 4000, 16 + 1000, 4, 4);
	assert_row(&r, LEDGER_KERNEL_STACK, 7 * 16, 8 * 16, 16, 0, 0);
	assert_row(&r, LEDGER_PAGE_TABLES, 280, 400, 120, 0, 0);
	assert_row(&r, LEDGER_SEC_PAGE_TABLES, 300, 300, NAN, 0, 0);
	assert_row(&r, LEDGER_PERCPU, 800, 600, 0, 200, 0);
	/* The remainder of the balance sheet: memory that left MemFree but is in no line. */
	assert_row(&r, LEDGER_UNACCOUNTED, 3000 + 3112 + 800 + 580 - 3120 - 800 - 280 - 300, 3000,
		   NAN, 0, -8);
	assert_string_equal(r.ledger.rows[LEDGER_VMALLOC].attributed_from, "events");
	report_free(&r);

	/* Chunks from before the capture were freed: 800 kB of pages were added, but Percpu is 100
	 * kB smaller. */
	assert_string_equal(c->snapshots[1].meminfo.items[7].name, "Percpu");
	c->snapshots[1].meminfo.items[7].value = 900;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_row(&r, LEDGER_PERCPU, -100, 600, 900, 200, 0);
	report_free(&r);
	capture_free(c);
}

static double interval_kb(const struct report *r, enum ledger_pool pool)
{
	const struct ledger_row *row = &r->ledger.rows[pool];

	assert_true(row->residual_low_kb <= row->residual_kb &&
		    row->residual_kb <= row->residual_high_kb);
	return row->residual_high_kb - row->residual_low_kb;
}

/* Sampled: the residual is as uncertain as the held memory; in a pool without a sample, as with one
 * sample. */
static void residuals_have_sampling_intervals(void **state)
{
	struct capture *c = sample_pools(true);
	struct report r;

	(void)state;
	for (size_t i = 0; i < c->checkpoints[0].held.nr; i++) {
		struct cap_held *h = &c->checkpoints[0].held.items[i];

		if (!strcmp(h->class_, "pte") || h->pool == POOL_PERCPU)
			h->bytes_var = h->bytes * h->bytes / 100; /* 100 samples */
	}
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_close(interval_kb(&r, LEDGER_PAGE_TABLES), 2 * 1.96 * 40, 2);
	assert_close(interval_kb(&r, LEDGER_PERCPU), 0, 0); /* its pages are exact */
	assert_close(interval_kb(&r, LEDGER_VMALLOC), 0, 0);
	assert_close(interval_kb(&r, LEDGER_KERNEL_STACK), 0, 0);
	report_free(&r);

	assert_string_equal(c->meta.items[0].key, META_MODE);
	free(c->meta.items[0].value);
	c->meta.items[0].value = strdup("sampled");
	sample_meta(c, META_PERIOD, "65536");
	for (size_t i = 0; i < c->checkpoints[0].held.nr; i++)
		if (!strcmp(c->checkpoints[0].held.items[i].class_, "kvm"))
			c->checkpoints[0].held.items[i].pool = POOL_SLAB;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_close(r.ledger.rows[LEDGER_SEC_PAGE_TABLES].residual_kb, 300, 0);
	assert_close(interval_kb(&r, LEDGER_SEC_PAGE_TABLES), 32 * 5.02,
		     4); /* χ² of one degree, 97.5 %, roughly */
	report_free(&r);
	capture_free(c);
}

static const struct caller_level *find_caller(const struct report *r, const char *name)
{
	for (size_t i = 0; i < r->holders.callers.nr; i++)
		if (!strcmp(r->holders.callers.items[i].caller, name))
			return &r->holders.callers.items[i];
	fail_msg("no caller %s", name);
	return NULL;
}

/* An area counts for the caller that vmallocinfo names, wherever it is in the stack, under either
 * name. */
static void areas_are_grouped_by_caller(void **state)
{
	struct capture *c = sample_pools(true);
	const struct caller_level *l;
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.holders.callers.nr, 3); /* address space without pages does not count */
	l = find_caller(&r, "ring_grow.constprop.0+0x20 [leaky]");
	assert_close(l->kb.start, 2000, 0);
	assert_close(l->kb.end, 5000, 0);
	assert_close(l->attributed_kb, 4000, 0);
	assert_close(l->preexisting_freed_kb, 1000, 0);
	assert_true(&r.holders.callers.items[0] == l && !l->stacks);
	l = find_caller(&r, "kernel_clone+0x94");
	assert_true(l->stacks);
	assert_close(l->areas.end - l->areas.start, 7, 0);
	assert_close(l->preexisting_freed_kb, 16, 0);
	/* The identity, and its parts. */
	assert_close(r.holders.vmalloc_start.info_kb, r.holders.vmalloc_start.used_kb, 0);
	assert_close(r.holders.vmalloc_end.info_kb, r.holders.vmalloc_end.used_kb, 0);
	assert_close(r.holders.vmalloc_start.cached_stacks_kb, 16, 0);
	assert_close(r.holders.vmalloc_end.stacks_kb, 11 * 16, 0);
	report_free(&r);
	capture_free(c);
}

/* Before 6.2 there are no events: the pool is known from the change of vmallocinfo, and the report
 * says so. */
static void without_events_vmallocinfo_gives_the_pool(void **state)
{
	struct capture *c = sample_pools(false);
	struct report r;

	(void)state;
	for (size_t i = 0; i < c->snapshots[1].vmallocs.nr; i++)
		if (strstr(c->snapshots[1].vmallocs.items[i].caller, "kernel_clone"))
			c->snapshots[1].vmallocs.items[i].pages -=
				36; /* two stacks left: 28 + 36 = 64 fewer */
	c->snapshots[1].meminfo.items[6].value -= 36 * 4;
	assert_string_equal(c->snapshots[1].meminfo.items[6].name, "VmallocUsed");
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_row(&r, LEDGER_VMALLOC, 3008 + (44 - 36 - 16) * 4, 3008, 32, 0, 0);
	assert_string_equal(r.ledger.rows[LEDGER_VMALLOC].attributed_from, "vmallocinfo");
	assert_true(isnan(find_caller(&r, "kernel_clone+0x94")->attributed_kb));
	report_free(&r);
	capture_free(c);
}

static void levels_name_processes_and_cgroups(void **state)
{
	struct capture *c = sample_pools(true);
	const struct process_level *p;
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.holders.processes.nr, 2);
	p = &r.holders.processes.items[0];
	assert_int_equal(p->tgid, 100);
	assert_string_equal(p->cgroup, "/system.slice/server");
	assert_close(p->stack_kb.start, 32, 0);
	assert_close(p->stack_kb.end, 160, 0);
	assert_close(p->pgtables_kb.end, 600, 0);
	assert_int_equal(r.holders.nr_cgroups, 2);
	assert_string_equal(r.holders.cgroups[0].cgroup, "/system.slice/server");
	assert_string_equal(r.holders.cgroups[1].cgroup, ""); /* its path is not in the capture */
	assert_int_equal(r.holders.cgroups[1].cgroup_id, 56);
	report_free(&r);

	/* The same process number with another program: the old page tables are gone, but the stack
	 * is not. */
	snprintf(c->snapshots[1].tasks.items[0].comm, sizeof(c->snapshots[1].tasks.items[0].comm),
		 "other");
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_close(r.holders.pgtables_lost_kb, 200 + 120, 0);
	assert_close(r.holders.stacks_lost_kb, 16, 0);
	report_free(&r);
	capture_free(c);
}

/* If tasks and areas were not read, their sums are unknown, and so are the terms computed from
 * them. */
static void without_iterator_or_vmallocinfo(void **state)
{
	struct capture *c = sample_pools(true);
	struct report r;

	(void)state;
	ARRAY_FREE(&c->snapshots[0].tasks);
	ARRAY_FREE(&c->snapshots[1].vmallocs);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_true(isnan(r.ledger.rows[LEDGER_KERNEL_STACK].preexisting_freed_kb));
	assert_true(isnan(r.ledger.rows[LEDGER_KERNEL_STACK].residual_kb));
	assert_true(isnan(r.ledger.rows[LEDGER_PAGE_TABLES].residual_kb));
	assert_true(isnan(r.ledger.rows[LEDGER_VMALLOC].preexisting_freed_kb));
	assert_true(isnan(r.ledger.rows[LEDGER_VMALLOC].residual_kb));
	assert_close(r.ledger.rows[LEDGER_VMALLOC].attributed_kb, 4128, 0);
	assert_true(isnan(r.holders.vmalloc_end.info_kb));
	report_free(&r);
	capture_free(c);
}

/* A hostile capture: the same process and caller twice, and endless names. */
static void doubled_rows_add_up(void **state)
{
	struct capture *c = sample_pools(true);
	struct report r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		put_task(&c->snapshots[i], 100, "server", 55, 1, 10);
		put_area(&c->snapshots[i], "kernel_clone+0x94", VMALLOC_VMALLOC, 1, 4);
		put_area(&c->snapshots[i], "+", VMALLOC_VMALLOC, 1, 1);
		put_area(&c->snapshots[i], "", VMALLOC_VMALLOC, 1, 1);
	}
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.holders.processes.nr, 2);
	assert_close(r.holders.processes.items[0].threads.end, 11, 0);
	assert_close(find_caller(&r, "kernel_clone+0x94")->areas.start, 5, 0);
	assert_false(r.holders.vmalloc_end.info_kb == r.holders.vmalloc_end.used_kb);
	report_free(&r);
	capture_free(c);
}

/* How pools and their holders are printed; other sections have other golden files. */
static void pools_are_printed(void **state)
{
	struct capture *c = sample_pools(true);
	struct report r;
	char *text = NULL, *json = NULL, *from, *to;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	json_t *root;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(report_text(&r,
				     &(struct report_options){
					     .sections = SECTIONS_ALL, .top = 10, .utf8 = true},
				     f),
			 0);
	assert_int_equal(fclose(f), 0);
	from = strstr(text, "POOLS  (K");
	to = from ? strstr(from, "\nLOSSES") : NULL;
	assert_non_null(to);
	*to = '\0';
	compare_golden("report-pools.txt", from);

	f = open_memstream(&json, &size);
	assert_int_equal(report_json(&r, 2, f), 0);
	assert_int_equal(fclose(f), 0);
	root = json_loads(json, 0, NULL);
	free(json);
	assert_non_null(root);
	json = json_dumps(json_object_get(root, "levels"), JSON_INDENT(1));
	compare_golden("report-levels.json", json);
	json_decref(root);
	free(json);
	free(text);
	report_free(&r);
	capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pool_closes),
		cmocka_unit_test(residuals_have_sampling_intervals),
		cmocka_unit_test(areas_are_grouped_by_caller),
		cmocka_unit_test(without_events_vmallocinfo_gives_the_pool),
		cmocka_unit_test(levels_name_processes_and_cgroups),
		cmocka_unit_test(without_iterator_or_vmallocinfo),
		cmocka_unit_test(doubled_rows_add_up),
		cmocka_unit_test(pools_are_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
