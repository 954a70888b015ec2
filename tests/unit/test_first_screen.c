// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first screen names the culprit. It is checked with the recorded captures of staged incidents
 * (tests/fixtures/incidents, one golden file each), and with small captures for single rules.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd.h"
#include "golden.h"
#include "recorded.h"
#include "sample_capture.h"
#include "scratch.h"

/* ---- staged incidents ---- */

static const char *const incidents[] = {"sockets",  "threads", "dentries",  "pagetables",
					"messages", "tcpdata", "perfrings", "pipes",
					"module",   "cgroup",  "bpfmaps",   "nothing"};

#define INCIDENTS (sizeof(incidents) / sizeof(incidents[0]))

/* Print `kmemtrace report` of an incident; it must succeed. */
static char *shown_of(const char *name, const char *sections)
{
	char *out = path_of("out"), *capture = path_of(name), *text;
	char *argv[] = {(char *)"kmemtrace report",
			(char *)"--color",
			(char *)"never",
			capture,
			sections ? (char *)"--show" : NULL,
			(char *)sections,
			NULL};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		setenv("LC_ALL", "C.UTF-8", 1);
		unsetenv("COLUMNS");
		dup2(fd, 1);
		_exit(cmd_report(sections ? 6 : 4, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_OK);
	text = read_file(out);
	free(out);
	free(capture);
	return text;
}

static char *screen_of(const char *name)
{
	return shown_of(name, NULL);
}

/* At most `most` lines, and none of more than 80 columns. All characters here are one column wide,
 * so those are the bytes that begin a character. */
static void assert_fits(const char *text, size_t most)
{
	size_t lines = 0, columns = 0;

	for (; *text; text++) {
		columns += (*text & 0xc0) != 0x80 && *text != '\n';
		assert_true(columns <= 80);
		if (*text == '\n') {
			lines++;
			columns = 0;
		}
	}
	assert_true(lines <= most);
}

static void each_incident_is_answered_on_one_screen(void **state)
{
	(void)state;
	for (size_t i = 0; i < INCIDENTS; i++) {
		char *text = screen_of(incidents[i]), golden[64];

		snprintf(golden, sizeof(golden), "incident_%s.txt", incidents[i]);
		compare_golden(golden, text);
		assert_fits(text, strcmp(incidents[i], "nothing") ? 40 : 12);
		free(text);
	}
}

/* The first word after `label`: "high". */
static const char *level_after(const char *text, const char *label, char level[16])
{
	const char *found = strstr(text, label);

	assert_non_null(found);
	found += strlen(label);
	found += strspn(found, " \n");
	snprintf(level, 16, "%.*s", (int)strcspn(found, " .:\n"), found);
	return level;
}

/* TRUST is that of the headline, and the verdict's that of the whole report. Without a word, a
 * reader would take them for two answers to one question. */
static void two_levels_of_trust_are_told_apart(void **state)
{
	size_t differ = 0;

	(void)state;
	for (size_t i = 0; i < INCIDENTS; i++) {
		char *text = shown_of(incidents[i], "verdict"), *screen = screen_of(incidents[i]),
		     headline[16], whole[16], others[64];

		level_after(screen, "\nTRUST ", headline);
		for (char *c = text; *c; c++)
			*c = *c == '\n' ? ' ' : *c;
		for (char *c; (c = strstr(text, "  "));)
			memmove(c, c + 1, strlen(c));
		level_after(text, "Trust in the whole report: ", whole);
		snprintf(others, sizeof(others), "%c%s for some other figures",
			 whole[0] - 'a' + 'A', whole + 1);
		assert_int_equal(strstr(text, others) != NULL, strcmp(headline, whole) != 0);
		differ += strcmp(headline, whole) != 0;
		free(screen);
		free(text);
	}
	assert_true(differ > 3 && differ < INCIDENTS);
}

/* ---- single rules ---- */

/* A capture in which a pool grew by 1 MiB a second for 30 s: its line of meminfo is `line`. */
static struct capture *grown(const char *line)
{
	struct capture *c = sample_new("exact");

	for (int i = 0; i <= 30; i++) {
		struct snapshot *s = sample_snapshot(c, i);

		sample_meminfo(s, "MemTotal", 4 << 20);
		sample_meminfo(s, "MemFree", (3 << 20) - 1024 * i);
		sample_meminfo(s, "MemAvailable", (3 << 20) - 1024 * i);
		sample_meminfo(s, line, 100000 + 1024 * i);
	}
	sample_interval(c, 30);
	sample_hook(c, "kmem:mm_page_alloc", POOL_PAGETABLE, "raw_tp", "", "");
	return c;
}

/* Memory of a process, by the functions of a call path, innermost first. "[mod_a]run" is a function
 * of module mod_a. */
static void holds(struct capture *c, enum pool pool, uint32_t process, double bytes,
		  const char *const *symbols)
{
	uint32_t frames[8], nr = 0;
	struct cap_held *h;

	for (; symbols[nr]; nr++)
		frames[nr] = symbols[nr][0] == '[' ? sample_frame(c, symbols[nr] + 7, 16, "mod_a")
						   : sample_frame(c, symbols[nr], 16, "vmlinux");
	h = sample_held(&c->checkpoints[0], 0, sample_stack(c, nr, frames), process,
			(int64_t)(bytes / 4096), bytes);
	h->pool = pool;
	h->oldest_s = 30;
}

static int64_t *meminfo(struct snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->meminfo.nr; i++)
		if (!strcmp(s->meminfo.items[i].name, name))
			return &s->meminfo.items[i].value;
	fail_msg("no %s", name);
	return NULL;
}

static void report_of(struct capture *c, struct report *r)
{
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, r), 0);
}

static void report_end(struct capture *c, struct report *r)
{
	report_free(r);
	capture_free(c);
}

static const char *const fault[] = {"pte_alloc_one", "handle_mm_fault", "exc_page_fault", NULL};

/* Each worker maps the same file: none has much, the service has it all. */
static void workers_of_one_service_are_added_up(void **state)
{
	struct capture *c = grown("PageTables");
	uint32_t stack;
	struct report r;

	(void)state;
	holds(c, POOL_PAGETABLE, sample_process(c, 100, "db-backend", 0), 700e3, fault);
	stack = c->checkpoints[0].held.items[0].stack;
	for (int i = 1; i < 60; i++) {
		uint32_t process = sample_process(c, 100 + i, "db-backend", 0);
		struct cap_held *h = sample_held(&c->checkpoints[0], 0, stack, process, 122, 5e5);

		h->pool = POOL_PAGETABLE;
	}
	report_of(c, &r);
	assert_int_equal(r.screen.nr_holders, 1);
	assert_string_equal(r.screen.holders[0].who,
			    "db-backend (60 processes, the largest is pid 100)");
	assert_true(r.screen.holders[0].share > 0.9);
	report_end(c, &r);
}

/* Services in different cgroups stay apart, and so do programs with different names, even if the
 * memory comes from one call path. */
static void what_others_hold_is_not_blamed_on_the_first(void **state)
{
	struct capture *c = grown("PageTables");
	uint32_t stack, a = sample_cgroup(c, "/a"), b = sample_cgroup(c, "/b");
	struct report r;

	(void)state;
	holds(c, POOL_PAGETABLE, sample_process(c, 100, "web", a), 15e6, fault);
	stack = c->checkpoints[0].held.items[0].stack;
	sample_held(&c->checkpoints[0], 0, stack, sample_process(c, 200, "web", b), 2400, 10e6)
		->pool = POOL_PAGETABLE;
	sample_held(&c->checkpoints[0], 0, stack, sample_process(c, 300, "cron", a), 1200, 5e6)
		->pool = POOL_PAGETABLE;
	report_of(c, &r);
	assert_int_equal(r.screen.nr_holders, 3);
	assert_string_equal(r.screen.holders[0].who, "web[100]");
	assert_string_equal(r.screen.holders[0].cgroup, "/a");
	assert_true(r.screen.holders[0].bytes == 15e6);
	assert_string_equal(r.screen.holders[1].who, "web[200]");
	assert_string_equal(r.screen.holders[1].cgroup, "/b");
	assert_string_equal(r.screen.holders[2].who, "cron[300]");
	report_end(c, &r);
}

/* What the first holder's memory is for, and by which path. */
static void assert_first(const char *line, enum pool pool, const char *const *symbols,
			 const char *what, const char *how)
{
	struct capture *c = grown(line);
	struct report r;

	holds(c, pool, sample_process(c, 100, "web", 0), 30 << 20, symbols);
	report_of(c, &r);
	assert_int_equal(r.screen.nr_holders, 1);
	assert_string_equal(r.screen.holders[0].what, what);
	assert_string_equal(r.screen.holders[0].how, how);
	report_end(c, &r);
}

static void memory_is_named_by_what_it_is_for(void **state)
{
	static const char *const fork[] = {"pte_alloc_one", "copy_page_range", "copy_process",
					   "__x64_sys_clone", NULL};
	static const char *const start[] = {"dup_task_struct", "copy_process", "__x64_sys_clone3",
					    NULL};

	(void)state;
	assert_first("PageTables", POOL_PAGETABLE, fault,
		     "7,680 page tables of memory that was touched",
		     "pte_alloc_one < handle_mm_fault < page fault");
	assert_first("PageTables", POOL_PAGETABLE, fork, "7,680 page tables that fork copied",
		     "pte_alloc_one < copy_page_range < copy_process < clone()");
	assert_first("KernelStack", POOL_KSTACK, start,
		     "7,680 threads or processes (their kernel stacks)",
		     "dup_task_struct < copy_process < clone3()");
}

/* A ring of perf events is more than a memory mapping, and the entry stays if names are long. */
static void pages_are_named_by_the_most_telling_function(void **state)
{
	static const char *const ring[] = {
		"perf_mmap_alloc_page", "rb_alloc", "perf_mmap", "mmap_region", "do_mmap",
		"__x64_sys_mmap",       NULL};
	static const char *const tcp[] = {"skb_page_frag_refill_with_a_long_name",
					  "sk_page_frag_refill",
					  "tcp_sendmsg_locked",
					  "tcp_sendmsg",
					  "__x64_sys_sendto",
					  NULL};
	static const char *const module[] = {"[mod_a]refill", "[mod_a]run", NULL};
	static const char *const pipe[] = {"anon_pipe_write", "vfs_write", "__x64_sys_write", NULL};

	(void)state;
	assert_first("Slab", POOL_SLAB, module, "7,680 objects allocated by kernel module mod_a",
		     "refill [mod_a] < run [mod_a]");
	assert_first("Slab", POOL_SLAB, pipe,
		     "7,680 objects for data in pipes that nobody has read",
		     "anon_pipe_write < vfs_write < write()");
	assert_first("Slab", POOL_SLAB, ring, "7,680 objects for ring buffers of perf events",
		     "perf_mmap_alloc_page < rb_alloc < perf_mmap < .. < mmap()");
	assert_first("Slab", POOL_SLAB, tcp,
		     "7,680 objects for data sent over TCP that nobody has read",
		     "skb_page_frag_refill_with_a_long_name < .. < sendto()");
}

/* Memory falls by 100 MiB/s, and the pool that grew takes 1 MiB/s of that: to stop its process does
 * not help. */
static void a_small_growth_is_not_blamed_for_the_end_of_memory(void **state)
{
	struct capture *c = grown("PageTables");
	struct report r;

	(void)state;
	for (size_t i = 0; i < c->nr_snapshots; i++)
		*meminfo(&c->snapshots[i], "MemAvailable") -= 100 * 1024 * (int64_t)i;
	holds(c, POOL_PAGETABLE, sample_process(c, 100, "web", 0), 30 << 20, fault);
	report_of(c, &r);
	assert_non_null(strstr(r.screen.urgent,
			       "YES: mostly not by the growth above. At this rate, the available"));
	assert_string_equal(r.verdict.next,
			    "ps -eo pid,user,rss,args --sort=-rss | head  # what takes memory?");
	report_end(c, &r);

	/* the pool takes all of it, so its process can be stopped */
	c = grown("PageTables");
	for (size_t i = 0; i < c->nr_snapshots; i++) {
		*meminfo(&c->snapshots[i], "MemAvailable") -= 20 * 1024 * (int64_t)i;
		*meminfo(&c->snapshots[i], "MemFree") -= 20 * 1024 * (int64_t)i;
		*meminfo(&c->snapshots[i], "PageTables") += 20 * 1024 * (int64_t)i;
	}
	holds(c, POOL_PAGETABLE, sample_process(c, 100, "web", 0), 630 << 20, fault);
	report_of(c, &r);
	assert_null(strstr(r.screen.urgent, "the growth above"));
	assert_string_equal(r.verdict.next,
			    "ps -o pid,ppid,user,etime,nlwp,rss,args -p 100  # can it be stopped?");
	report_end(c, &r);
}

/* Old memory of another pool is worth a line only if it is much for the machine. */
static void old_memory_elsewhere_is_said_only_if_it_is_much(void **state)
{
	(void)state;
	for (int much = 0; much < 2; much++) {
		struct capture *c = grown("PageTables");
		struct report r;

		for (size_t i = 0; i < c->nr_snapshots; i++)
			sample_meminfo(&c->snapshots[i], "Slab", much ? 1 << 20 : 100000);
		holds(c, POOL_PAGETABLE, sample_process(c, 100, "web", 0), 120 << 20, fault);
		report_of(c, &r);
		assert_int_equal(strstr(r.screen.unseen, "in Slab") != NULL, much);
		report_end(c, &r);
	}
}

/* ---- who is named, and what is a headline ---- */

/* The sample, with these bytes held at one call path by each of `nr` processes of these names, and
 * next to nothing by others. */
static struct capture *held_by(size_t nr, const char *const *names, const double *bytes)
{
	struct capture *c = sample_whole();
	struct cap_checkpoint *at = &c->checkpoints[0];
	uint32_t frame = sample_frame(c, "new_one", 16, "vmlinux");
	uint32_t stack = sample_stack(c, 1, &frame);

	for (size_t i = 0; i < at->held.nr; i++)
		at->held.items[i].bytes = 1000;
	for (size_t i = 0; i < nr; i++) {
		struct cap_held *h =
			sample_held(at, 1, stack, sample_process(c, 5000 + (int32_t)i, names[i], 0),
				    (int64_t)bytes[i] / 1024, bytes[i]);

		h->age_hist[5] = h->objects;
		h->oldest_s = 30;
	}
	return c;
}

static void many_processes_of_one_name_are_one_holder(void **state)
{
	const char *names[40];
	double bytes[40];
	struct capture *c;
	struct report r;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		names[i] = "postgres";
		bytes[i] = i == 7 ? 40 << 10 : 20 << 10; /* none holds what is worth a name */
	}
	c = held_by(40, names, bytes);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.screen.nr_holders, 1);
	assert_string_equal(r.screen.holders[0].who,
			    "postgres (40 processes, the largest is pid 5007)");
	assert_float_equal(r.screen.holders[0].bytes, 41 * 20480, 1);
	report_free(&r);
	capture_free(c);
}

/* A second process of the name that has next to nothing does not hide who it is. */
static void one_process_that_has_nearly_all_is_named(void **state)
{
	const char *names[] = {"worker", "worker"};
	const double bytes[] = {800 << 10, 8 << 10};
	struct capture *c = held_by(2, names, bytes);
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.screen.nr_holders, 1);
	assert_string_equal(r.screen.holders[0].who, "worker[5000]");
	assert_float_equal(r.screen.holders[0].bytes, 819200, 1);
	assert_non_null(strstr(r.screen.holders[0].what, "800 objects"));
	report_free(&r);
	capture_free(c);
}

/* Two programs allocate at one call path: each is shown with its own part. */
static void nobody_is_given_what_others_hold(void **state)
{
	const char *names[] = {"nginx", "redis"};
	const double bytes[] = {700 << 10, 400 << 10};
	struct capture *c = held_by(2, names, bytes);
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.screen.nr_holders, 2);
	assert_string_equal(r.screen.holders[0].who, "nginx[5000]");
	assert_float_equal(r.screen.holders[0].bytes, 716800, 1);
	assert_non_null(strstr(r.screen.holders[0].what, "700 objects"));
	assert_string_equal(r.screen.holders[1].who, "redis[5001]");
	assert_float_equal(r.screen.holders[1].bytes, 409600, 1);
	report_free(&r);
	capture_free(c);
}

/* n readings, one a second, of Slab on a machine of `total_kb`. */
static struct capture *levels_of(size_t n, const double *slab_kb, int64_t total_kb)
{
	struct capture *c = sample_new("exact");

	for (size_t i = 0; i < n; i++) {
		struct snapshot *s = sample_snapshot(c, (double)i);

		sample_meminfo(s, "MemTotal", total_kb);
		sample_meminfo(s, "Slab", (int64_t)slab_kb[i]);
	}
	sample_interval(c, (double)n - 1);
	return c;
}

static void headline_of(struct capture *c, enum screen_state state, const char *wanted,
			const char *unwanted)
{
	struct report r;

	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	if (!strstr(r.screen.headline, wanted) || strstr(r.screen.headline, unwanted))
		fail_msg("%s", r.screen.headline);
	assert_int_equal(r.screen.state, state);
	report_free(&r);
	capture_free(c);
}

/* 30 MiB came and went: "Nothing grew" alone hides it. */
static void a_spike_is_in_the_headline(void **state)
{
	double kb[20];

	(void)state;
	for (size_t i = 0; i < 20; i++)
		kb[i] = 400e3 + (i > 4 && i < 12 ? 5120 * (double)(i - 4) : 0);
	headline_of(levels_of(20, kb, 24 << 20), SCREEN_QUIET,
		    "Slab rose by 35.0 MiB meanwhile, and fell again.", "shrank");
}

static void small_shrinking_is_no_headline(void **state)
{
	double kb[20];

	(void)state;
	for (size_t i = 0; i < 20; i++)
		kb[i] = 34000 - (i > 9 ? 1500 : 0);
	headline_of(levels_of(20, kb, 24 << 20), SCREEN_QUIET, "Nothing grew", "shrank");
	/* of a small machine it is much */
	headline_of(levels_of(20, kb, 1 << 20), SCREEN_SHRANK, "Slab shrank by 1.5 MiB", "rose");
}

/* Most memory may be in caches that do not grow: they are listed by size. */
static void the_largest_caches_are_found(void **state)
{
	static const int pages[] = {5, 90, 3, 70, 1, 80, 60, 2, 50, 40, 30, 20};
	struct capture *c = sample_new("exact");
	struct report r;

	(void)state;
	for (int t = 0; t < 2; t++) {
		struct snapshot *s = sample_snapshot(c, t);

		for (size_t i = 0; i < 12; i++) {
			char name[16];

			snprintf(name, sizeof(name), "cache-%d", pages[i]);
			sample_slab(s, name, pages[i], 4096, 1, 1, pages[i]);
		}
	}
	sample_interval(c, 1);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.caches.nr_largest, CACHES_LARGEST);
	for (int i = 0; i < CACHES_LARGEST; i++)
		assert_float_equal(r.caches.items[r.caches.largest[i]].end_kb, 40 * (9 - i), 0.1);
	report_free(&r);
	capture_free(c);
}

static int unpack(void **state)
{
	if (scratch_new(state))
		return -1;
	for (size_t i = 0; i < INCIDENTS; i++) {
		char *to = path_of(incidents[i]);

		recorded_unpack_from("incidents", incidents[i], to);
		free(to);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_incident_is_answered_on_one_screen),
		cmocka_unit_test(two_levels_of_trust_are_told_apart),
		cmocka_unit_test(workers_of_one_service_are_added_up),
		cmocka_unit_test(what_others_hold_is_not_blamed_on_the_first),
		cmocka_unit_test(memory_is_named_by_what_it_is_for),
		cmocka_unit_test(pages_are_named_by_the_most_telling_function),
		cmocka_unit_test(a_small_growth_is_not_blamed_for_the_end_of_memory),
		cmocka_unit_test(old_memory_elsewhere_is_said_only_if_it_is_much),
		cmocka_unit_test(many_processes_of_one_name_are_one_holder),
		cmocka_unit_test(one_process_that_has_nearly_all_is_named),
		cmocka_unit_test(nobody_is_given_what_others_hold),
		cmocka_unit_test(a_spike_is_in_the_headline),
		cmocka_unit_test(small_shrinking_is_no_headline),
		cmocka_unit_test(the_largest_caches_are_found),
	};

	return cmocka_run_group_tests(tests, unpack, scratch_remove);
}
