// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user would lose: after a machine ran out of memory, its log is often all that is left. The
 * figures of reports from three kernels are calculated by hand here. Logs that are cut, mixed or
 * about something else are refused, or the problem is named. Fixtures: tests/fixtures/oom.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "cmd.h"
#include "findings/balance_sheet.h"
#include "proc/oom_report.h"
#include "screen.h"
#include "tree.h"

#define LOGS TESTS_DIR "/fixtures/oom"

static void sheet_of(const struct oom_report *r, struct balance_sheet *sheet)
{
	const struct balance_origin origin = {
		.oom = r,
		.hint = {.page_bytes = r->page_bytes, .oom_report = true},
		.reader_page_bytes = 4096,
		.page_bytes_source = "its free lists"};

	assert_int_equal(balance_sheet_now(&r->s, &origin, sheet), 0);
}

static void read_log(const char *name, struct oom_report *r, struct balance_sheet *sheet)
{
	size_t len;
	char *buf = tree_read(LOGS, name, &len);

	assert_int_equal(oom_report_parse(buf, len, r), 0);
	sheet_of(r, sheet);
	free(buf);
}

static bool found(const struct balance_sheet *sheet, const char *rule, const char *words)
{
	for (size_t i = 0; i < sheet->findings.nr; i++)
		if (!strcmp(sheet->findings.items[i].kind, rule) &&
		    strstr(sheet->findings.items[i].text, words))
			return true;
	return false;
}

static void assert_line(const struct balance_sheet *sheet, enum balance_id line, double kb)
{
	if (sheet->end.kb[line] != kb)
		fail_msg("%s is %.0f kB, not %.0f", balance_defs[line].name, sheet->end.kb[line],
			 kb);
}

static void a_report_of_6_1_is_divided_up(void **state)
{
	struct oom_report r;
	struct balance_sheet sheet;
	double total = (786298 - 26746) * 4.0, anon = (103532 - 4100) * 4.0;

	(void)state;
	read_log("6.1-dmesg-T.log", &r, &sheet);
	assert_true(r.is_oom && r.page_bytes == 4096 && r.line == 10 && r.reports == 1);
	assert_string_equal(r.release, "6.1.0-13-amd64");
	assert_non_null(strstr(r.trigger, "worker invoked oom-killer: gfp_mask="));
	assert_true(sheet.end.total_kb == total);
	assert_line(&sheet, BALANCE_MEM_FREE, 48000);
	assert_line(&sheet, BALANCE_PER_CPU_LISTS, 1200);
	assert_line(&sheet, BALANCE_ANON_HUGE, 204800);
	assert_line(&sheet, BALANCE_ANON_SMALL, anon - 204800);
	assert_line(&sheet, BALANCE_SHMEM, 12000);
	assert_line(&sheet, BALANCE_FILES, 4000);
	assert_line(&sheet, BALANCE_SWAP_CACHE, 400);
	assert_line(&sheet, BALANCE_HUGETLB, 32768);
	assert_line(&sheet, BALANCE_SLAB_RECLAIMABLE, 32000);
	assert_line(&sheet, BALANCE_SLAB_UNRECLAIMABLE, 1600000);
	assert_line(&sheet, BALANCE_MISC_RECLAIMABLE, 64);
	assert_line(&sheet, BALANCE_KERNEL_STACK, 4800);
	assert_line(&sheet, BALANCE_PAGE_TABLES, 10000);
	assert_line(&sheet, BALANCE_SEC_PAGE_TABLES, 256);
	assert_line(&sheet, BALANCE_REST,
		    total - 48000 - 1200 - anon - 12000 - 4000 - 400 - 32768 - 1632000 - 64 - 4800 -
			    10000 - 256);
	/* A report does not contain these, so they must be unknown, not 0. */
	assert_true(sheet.end.unknown[BALANCE_VMALLOC] && sheet.end.unknown[BALANCE_PERCPU]);
	assert_true(found(&sheet, "not-in-oom-report", "VmallocUsed and Percpu"));
	assert_true(found(&sheet, "oom-slab", "kmalloc-512 1.3 GiB, task_struct 5.5 MiB"));
	assert_int_equal(r.processes, 2);
	assert_true(r.rss_kb == 100000 * 4);
	assert_false(found(&sheet, "lru-unmapped", "")); /* the worker had it all */
	balance_sheet_free(&sheet);
	oom_report_free(&r);
}

static void a_report_of_4_18_has_pages_of_64_kib(void **state)
{
	struct oom_report r;
	struct balance_sheet sheet;

	(void)state;
	read_log("4.18-64k-journal.log", &r, &sheet);
	assert_true(r.page_bytes == 65536 && r.is_oom);
	assert_string_equal(r.release, "4.18.0-305.el8.aarch64");
	assert_true(sheet.end.total_kb == 265856640);
	assert_line(&sheet, BALANCE_MEM_FREE, 19840000);
	assert_line(&sheet, BALANCE_PER_CPU_LISTS, 51200);
	assert_line(&sheet, BALANCE_KERNEL_STACK, 155000);
	assert_line(&sheet, BALANCE_SHMEM, 1728000);
	assert_line(&sheet, BALANCE_ANON_SMALL, (3737400 - 31700) * 64.0);
	assert_true(sheet.end.kb[BALANCE_REST] > 0 && !sheet.end.contradiction);
	assert_true(found(&sheet, "lru-unmapped", "At least 222.5 GiB on the LRU lists"));
	assert_int_equal(sheet.findings.items[0].severity, FINDING_WARNING);
	assert_true(found(&sheet, "page-size", "pages of 64.0 KiB"));
	balance_sheet_free(&sheet);
	oom_report_free(&r);
}

static void a_report_torn_apart_is_put_together(void **state)
{
	struct oom_report r;
	struct balance_sheet sheet;

	(void)state;
	read_log("4.9-interleaved.log", &r, &sheet);
	assert_false(r.is_oom || r.mixed);
	assert_string_equal(r.release, "4.9.0-3-amd64");
	assert_true(found(&sheet, "oom-report", "did not run out of memory there"));
	assert_true(sheet.end.total_kb == 4100000);
	assert_line(&sheet, BALANCE_MEM_FREE, 800000);
	assert_line(&sheet, BALANCE_PER_CPU_LISTS, 640);
	assert_line(&sheet, BALANCE_KERNEL_STACK, 3000);
	assert_line(&sheet, BALANCE_PAGE_TABLES, 4000);
	assert_line(&sheet, BALANCE_FILES, (572000 - 1900) * 4);
	assert_line(&sheet, BALANCE_ANON_SMALL,
		    (185000 + 32000 + 514000 + 56000 + 32 - 572000) * 4);
	assert_true(isnan(r.rss_kb));
	balance_sheet_free(&sheet);
	oom_report_free(&r);
}

/* 5.4 prints kernel stacks and page tables for each zone, and "shmem_thp: 0kB" with a blank. */
static void a_report_of_5_4_is_divided_up(void **state)
{
	struct oom_report r;
	struct balance_sheet sheet;
	double total = (2097022 - 48917) * 4.0, anon = (1830000 + 4096 + 560 - 141460) * 4.0;

	(void)state;
	read_log("5.4-dmesg.log", &r, &sheet);
	assert_true(r.is_oom && r.page_bytes == 4096 && r.line == 19 && r.reports == 1 && !r.mixed);
	assert_string_equal(r.release, "5.4.0-150-generic");
	assert_true(sheet.end.total_kb == total);
	assert_line(&sheet, BALANCE_MEM_FREE, 90624);
	assert_line(&sheet, BALANCE_PER_CPU_LISTS, 2816);
	assert_line(&sheet, BALANCE_ANON_HUGE, 614400);
	assert_line(&sheet, BALANCE_ANON_SMALL, anon - 614400);
	assert_line(&sheet, BALANCE_SHMEM, 560000);
	assert_line(&sheet, BALANCE_FILES, 2240);
	assert_line(&sheet, BALANCE_SWAP_CACHE, 3600);
	assert_line(&sheet, BALANCE_SLAB_RECLAIMABLE, 84000);
	assert_line(&sheet, BALANCE_SLAB_UNRECLAIMABLE, 380000);
	assert_line(&sheet, BALANCE_KERNEL_STACK, 16768);
	assert_line(&sheet, BALANCE_PAGE_TABLES, 36000);
	assert_line(&sheet, BALANCE_REST, 60897 * 4);
	assert_int_equal(r.processes, 5);
	assert_true(r.rss_kb == 1734100 * 4);
	assert_int_equal(r.nr_sites, 0);
	/* processes had it all: nothing about the figures is odd */
	for (size_t i = 0; i < sheet.findings.nr; i++)
		assert_true(sheet.findings.items[i].severity > FINDING_WARNING);
	balance_sheet_free(&sheet);
	oom_report_free(&r);
}

static void assert_site(const struct oom_site *site, double kb, double calls, const char *place,
			const char *function)
{
	if (site->kb != kb || site->calls != calls)
		fail_msg("%s has %.3f kB in %.0f allocations", site->place, site->kb, site->calls);
	assert_string_equal(site->place, place);
	assert_string_equal(site->function, function);
}

/* With memory allocation profiling, the report names the code that took the memory. */
static void the_code_that_allocated_the_most_is_named(void **state)
{
	struct oom_report r;
	struct balance_sheet sheet;

	(void)state;
	read_log("7.2-allocations.log", &r, &sheet);
	assert_int_equal(r.nr_sites, OOM_SITES);
	assert_false(r.profiling_off);
	assert_site(&r.sites[0], 402 * 1024, 102912, "drivers/net/demo/demo_rx.c:322",
		    "demo_fill_ring");
	assert_string_equal(r.sites[0].module, "demo_net");
	assert_site(&r.sites[1], 156 * 1024, 39936, "mm/memory.c:1061", "folio_prealloc");
	assert_string_equal(r.sites[1].module, "");
	assert_site(&r.sites[6], 7.36 * 1024, 116, "security/apparmor/policy_unpack.c:1361",
		    "compress_zstd");
	assert_site(&r.sites[9], 1013, 253, "mm/shmem.c:1854", "shmem_alloc_folio");
	assert_true(found(&sheet, "oom-allocations",
			  "402.0 MiB demo_fill_ring (drivers/net/demo/demo_rx.c:322 of demo_net), "
			  "156.0 MiB folio_prealloc (mm/memory.c:1061)"));
	assert_false(found(&sheet, "oom-allocations", "turned off"));
	/* these lines are new in such kernels */
	assert_line(&sheet, BALANCE_BALLOON, 65536);
	assert_line(&sheet, BALANCE_GPU, 16384);
	assert_line(&sheet, BALANCE_COMPRESSED, 20480);
	assert_true(found(&sheet, "unaccounted", "is Unaccounted: no figure of the report"));
	balance_sheet_free(&sheet);
	oom_report_free(&r);
}

/* Write `text` after the log of 6.1, or with a part of it. */
static char *log_with(const char *before, size_t cut_after, const char *after)
{
	char *log = tree_read(LOGS, "6.1-dmesg-T.log", NULL), *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	fprintf(f, "%s%.*s%s", before, cut_after ? (int)cut_after : (int)strlen(log), log, after);
	assert_int_equal(fclose(f), 0);
	free(log);
	return out;
}

static size_t offset_of(const char *words)
{
	char *log = tree_read(LOGS, "6.1-dmesg-T.log", NULL);
	const char *at = strstr(log, words);
	size_t offset = at ? (size_t)(at - log) : 0;

	assert_non_null(at);
	free(log);
	return offset;
}

/* The log of 6.1 with these lines where a kernel with allocation profiling prints its list. */
static void read_sites(const char *lines, struct oom_report *r)
{
	char *log = log_with("", offset_of("Unreclaimable slab info"), lines);

	assert_int_equal(oom_report_parse(log, strlen(log), r), 0);
	free(log);
}

static void allocations_are_read_as_each_kernel_prints_them(void **state)
{
	struct balance_sheet sheet;
	struct oom_report r;

	(void)state;
	/* without units, and with other messages and a second list in between, as before 6.18 */
	read_sites("x\n[1.0] Memory allocations:\n"
		   "[1.0]    327155712    83635 mm/compaction.c:1880 func:compaction_alloc\n"
		   "[1.0]     48.4 GiB 12684937 mm/memory.c:1061 func:folio_prealloc\n"
		   "[1.0] usb 1-1: new device func: 12 34\n"
		   "[1.0]    327155712    83635 mm/compaction.c:1880 func:compaction_alloc\n"
		   "[1.0]          0 B        0 mm/slub.c:1 func:alloc_slab_page\n"
		   "[1.0]     1.5 XiB        1 mm/slub.c:2 func:a\n"
		   "[1.0]     nan MiB        1 mm/slub.c:3 func:a\n"
		   "[1.0]  1.2345 MiB        1 mm/slub.c:4 func:a\n"
		   "[1.0]      99 MiB       -1 mm/slub.c:5 func:a\n",
		   &r);
	assert_int_equal(r.nr_sites, 2);
	assert_site(&r.sites[0], 48.4 * 1024 * 1024, 12684937, "mm/memory.c:1061",
		    "folio_prealloc");
	assert_site(&r.sites[1], 327155712 / 1024.0, 83635, "mm/compaction.c:1880",
		    "compaction_alloc");
	oom_report_free(&r);
	read_sites("x\n[1.0] Memory allocations (profiling is currently turned off):\n"
		   "[1.0]      99 MiB        3 mm/slub.c:5 func:a\n",
		   &r);
	sheet_of(&r, &sheet);
	assert_true(r.profiling_off && found(&sheet, "oom-allocations", "was turned off"));
	balance_sheet_free(&sheet);
	oom_report_free(&r);
	/* not in a list */
	read_sites("x\n[1.0]      99 MiB        3 mm/slub.c:5 func:a\n", &r);
	assert_int_equal(r.nr_sites, 0);
	oom_report_free(&r);
}

/* Slab that memory pressure cannot free took half of this machine. */
static void slab_that_took_the_memory_is_a_warning(void **state)
{
	struct balance_sheet sheet;
	struct oom_report r;

	(void)state;
	read_log("6.1-dmesg-T.log", &r, &sheet);
	assert_int_equal(sheet.screen.odd[0]->severity, FINDING_WARNING);
	assert_string_equal(sheet.screen.odd[0]->kind, "slab-unreclaimable");
	assert_non_null(
		strstr(sheet.screen.odd[0]->text, "SUnreclaim is 1.5 GiB, 52.7% of memory"));
	assert_string_equal(sheet.screen.caches->kind, "oom-slab");
	balance_sheet_free(&sheet);
	oom_report_free(&r);
}

static void the_last_of_several_reports_counts(void **state)
{
	static const char second[] =
		"[ 9000.1] java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=1\n"
		"[ 9000.2] Mem-Info:\n"
		"[ 9000.2] active_anon:10 inactive_anon:20 isolated_anon:0\n"
		" active_file:1 inactive_file:2 isolated_file:0\n"
		" slab_reclaimable:3 slab_unreclaimable:4\n mapped:0 shmem:0 pagetables:5\n"
		" free:100 free_pcp:1 free_cma:0\n"
		"[ 9000.2] Node 0 DMA free:400kB present:4000kB managed:4000kB free_pcp:4kB\n"
		"[ 9000.2] Node 0 DMA: 100*4kB = 400kB\n"
		"[ 9000.2] 3 total pagecache pages\n[ 9000.2] 1000 pages RAM\n"
		"[ 9000.2] 0 pages reserved\n";
	struct balance_sheet sheet;
	struct oom_report r;
	char *log = log_with("", 0, second);

	(void)state;
	assert_int_equal(oom_report_parse(log, strlen(log), &r), 0);
	sheet_of(&r, &sheet);
	assert_int_equal(r.reports, 2);
	assert_true(sheet.end.total_kb == 4000 && sheet.end.kb[BALANCE_ANON_SMALL] == 120);
	assert_true(isnan(r.rss_kb) &&
		    r.nr_caches == 0); /* the figures of the first report do not belong to it */
	assert_true(found(&sheet, "oom-report", "the last of 2 reports: 'java invoked oom-killer"));
	balance_sheet_free(&sheet);
	oom_report_free(&r);
	free(log);

	/* The last one is cut, so the one before it counts, and that is said. */
	log = log_with("", 0,
		       "[ 9000.1] java invoked oom-killer: x\n[ 9000.2] Mem-Info:\n"
		       "[ 9000.2] active_anon:10 inactive_anon:20 isol");
	assert_int_equal(oom_report_parse(log, strlen(log), &r), 0);
	sheet_of(&r, &sheet);
	assert_true(r.reports == 1 && r.later_cut && r.line == 10);
	assert_true(found(&sheet, "oom-cut", "later report in this log is cut"));
	balance_sheet_free(&sheet);
	oom_report_free(&r);
	free(log);
}

static void a_cut_report_is_refused_or_its_gaps_are_named(void **state)
{
	struct balance_sheet sheet;
	struct oom_report r;
	char *log = log_with("", offset_of("Node 0 DMA free:"), "");

	(void)state;
	memset(&r, 0x5a, sizeof(r));
	assert_int_equal(oom_report_parse(log, strlen(log), &r), -EBADMSG);
	assert_int_equal(r.reports, 0x5a5a5a5a5a5a5a5a); /* untouched */
	free(log);
	/* Without the last lines, the zones say how much memory there is. */
	log = log_with("", offset_of("4100 total pagecache"), "");
	assert_int_equal(oom_report_parse(log, strlen(log), &r), 0);
	sheet_of(&r, &sheet);
	assert_true(sheet.end.total_kb == 15360 + 3022848);
	assert_line(&sheet, BALANCE_FILES, 4000);
	assert_true(sheet.end.kb[BALANCE_REST] > 0);
	balance_sheet_free(&sheet);
	oom_report_free(&r);
	free(log);
}

static void reports_that_are_mixed_into_each_other_are_called_so(void **state)
{
	struct balance_sheet sheet;
	struct oom_report r;
	char *log = log_with("", offset_of("Node 0 active_anon"),
			     "x] active_anon:7 inactive_anon:8 isolated_anon:0\n"
			     "x] free:9 free_pcp:1\n1000 pages RAM\n");

	(void)state;
	assert_int_equal(oom_report_parse(log, strlen(log), &r), 0);
	r.page_bytes = 4096;
	sheet_of(&r, &sheet);
	assert_true(r.mixed && found(&sheet, "oom-mixed", "mixed into each other"));
	balance_sheet_free(&sheet);
	oom_report_free(&r);
	free(log);
}

static void what_is_no_report_is_refused_with_a_reason(void **state)
{
	static const char cgroup[] =
		"[1.0] memory: usage 102400kB, limit 102400kB, failcnt 12\n"
		"[1.0] Memory cgroup stats for /user.slice:\n[1.0] anon 1000\n"
		"[1.1] Memory cgroup out of memory: Killed process 7 (a) total-vm:1kB\n";
	struct oom_report r;

	(void)state;
	assert_int_equal(oom_report_parse(cgroup, sizeof(cgroup) - 1, &r), -ENODATA);
	assert_int_equal(oom_report_parse("", 0, &r), -ENOENT);
	assert_int_equal(oom_report_parse("MemTotal: 5 kB\n", 15, &r), -ENOENT);
}

/* If a cpuset limits the allocation, not all processes are listed. */
static void processes_of_one_cpuset_prove_nothing(void **state)
{
	struct oom_report r;
	char *log = log_with("", offset_of("oom-kill:constraint"),
			     "oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=0\n");

	(void)state;
	assert_int_equal(oom_report_parse(log, strlen(log), &r), 0);
	assert_true(isnan(r.rss_kb));
	oom_report_free(&r);
	free(log);
}

/* Long and hostile names, each kind of finding. */
static void the_first_screen_fits(void **state)
{
	static const char *const logs[] = {"4.18-64k-journal.log", "4.9-interleaved.log",
					   "5.4-dmesg.log", "6.1-dmesg-T.log",
					   "7.2-allocations.log"};
	struct balance_sheet sheet;
	struct oom_report r;
	char line[512], *lines = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&lines, &size);

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		read_log(logs[i], &r, &sheet);
		assert_screen_fits(&sheet);
		balance_sheet_free(&sheet);
		oom_report_free(&r);
	}
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	fprintf(f, "x\nMemory allocations:\n");
	for (int i = 0; i < 12; i++)
		fprintf(f, "9%d.9 GiB 1 %d\x1b[2J%s:1 [%s] func:%s\n", i, i, line, line, line);
	assert_int_equal(fclose(f), 0);
	read_sites(lines, &r);
	memset(r.trigger, '"', sizeof(r.trigger) - 1);
	memset(r.caches[0].name, '\x1b', sizeof(r.caches[0].name) - 1);
	r.later_cut = r.mixed = true;
	sheet_of(&r, &sheet);
	assert_int_equal(r.nr_sites, OOM_SITES);
	assert_screen_fits(&sheet);
	balance_sheet_free(&sheet);
	oom_report_free(&r);
	free(lines);
}

static void survive(const char *buf, size_t len)
{
	struct balance_sheet sheet;
	struct oom_report r;

	if (oom_report_parse(buf, len, &r))
		return;
	sheet_of(&r, &sheet);
	for (size_t i = 0; i < BALANCE_REST; i++)
		assert_true(!(sheet.end.kb[i] < 0));
	balance_sheet_free(&sheet);
	oom_report_free(&r);
}

static void hostile_logs_are_survived(void **state)
{
	static const char text[] =
		"Memory allocations:\n9.9 GiB 1 a:1 [] func:\n1 2 : [x func:y\n"
		"Mem-Info:\nMemory allocations:\n9.9 GiB 1 a:1 [m] func:f\n 3 1 b:2 func:g\n"
		"active_anon:1 inactive_anon:2 free:3\nfree:9999999999999999kB\n"
		"managed:1125899906842624kB 9*4kB hugepages_total=99999999999 "
		"hugepages_size=99999999999kB\n1125899906842624 pages RAM\n"
		"Unreclaimable slab info:\na 1KB 2KB\nb 1KB 3KB\ntotal_vm rss\n[ 1] 2 3 4 5\n";

	(void)state;
	tree_damage(text, sizeof(text) - 1, survive);
}

static int exit_status(const char *argument, const char *second)
{
	char *argv[] = {(char *)"kmemtrace balance", (char *)argument, (char *)second, NULL};
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(99);
		exit(cmd_balance(second ? 3 : 2, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void exit_statuses_tell_what_went_wrong(void **state)
{
	(void)state;
	assert_int_equal(exit_status("--oom=" LOGS "/6.1-dmesg-T.log", NULL), EXIT_OK);
	assert_int_equal(exit_status("--oom=" LOGS "/6.1-dmesg-T.log", "--format=json"), EXIT_OK);
	assert_int_equal(exit_status("--oom=" LOGS "/README.md", NULL), EXIT_FAILED);
	assert_int_equal(exit_status("--oom=" LOGS, NULL), EXIT_FAILED);
	assert_int_equal(exit_status("--oom=x", "--proc=y"), EXIT_USAGE);
	assert_int_equal(exit_status("--oom=x", "y.kmt"), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_of_6_1_is_divided_up),
		cmocka_unit_test(a_report_of_4_18_has_pages_of_64_kib),
		cmocka_unit_test(a_report_of_5_4_is_divided_up),
		cmocka_unit_test(the_code_that_allocated_the_most_is_named),
		cmocka_unit_test(allocations_are_read_as_each_kernel_prints_them),
		cmocka_unit_test(slab_that_took_the_memory_is_a_warning),
		cmocka_unit_test(a_report_torn_apart_is_put_together),
		cmocka_unit_test(the_last_of_several_reports_counts),
		cmocka_unit_test(a_cut_report_is_refused_or_its_gaps_are_named),
		cmocka_unit_test(reports_that_are_mixed_into_each_other_are_called_so),
		cmocka_unit_test(what_is_no_report_is_refused_with_a_reason),
		cmocka_unit_test(processes_of_one_cpuset_prove_nothing),
		cmocka_unit_test(the_first_screen_fits),
		cmocka_unit_test(hostile_logs_are_survived),
		cmocka_unit_test(exit_statuses_tell_what_went_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
