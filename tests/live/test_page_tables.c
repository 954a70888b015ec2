// SPDX-License-Identifier: GPL-2.0-only
/*
 * The liveness audit of page tables: what is given back unseen is found, by the marks that the kernel puts on pages. How many
 * there are is this process's own doing, and the kernel's own figure of it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "live/audit.h"
#include "live/tracer.h"

#define TABLES 300
#define SPREAD (2l << 20) /* what one page of page-table entries maps */

/* Bytes of this process's page tables, by the kernel's own account. */
static uint64_t own_tables(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long kb = 0;
	char line[128];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmPTE: %llu", &kb) == 1)
			break;
	fclose(f);
	return kb << 10;
}

/* Live pages by path: those of `path`, or (0) of the path that has most, which is returned in *path. */
static uint64_t pages_of(const struct tracer *t, uint32_t *path, uint64_t *looked)
{
	const struct tracer_tables *tables = tracer_tables(t);
	uint64_t *nr = calloc(tables->nr_paths, sizeof(*nr)), n;

	assert_non_null(nr);
	*looked = 0;
	for (uint32_t row = 0; row < tables->nr_buckets * KMT_KEYS; row++) {
		const struct kmt_object *o = &tables->live[row / KMT_KEYS].object[row % KMT_KEYS];

		if (!tables->live[row / KMT_KEYS].key[row % KMT_KEYS] || o->pool != KMT_PAGE)
			continue;
		nr[o->path]++;
		*looked += *path && o->path == *path && o->looked;
	}
	for (uint32_t i = 1; i < tables->nr_paths && !*path; i++)
		if (nr[i] >= TABLES)
			*path = i;
	n = *path ? nr[*path] : 0;
	free(nr);
	return n;
}

/* Fill pipes with as many pages, and say by which path they came. */
static uint32_t pipe_pages(const struct tracer *t, int (*pipes)[2], uint32_t tables)
{
	static char page[4096];

	for (int i = 0; i < TABLES; i++) {
		assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
		assert_int_equal(write(pipes[i][1], page, sizeof(page)), sizeof(page));
	}
	for (uint32_t path = 1, at; path < tracer_tables(t)->nr_paths; path++) {
		uint64_t looked;

		at = path;
		if (path != tables && pages_of(t, &at, &looked) >= TABLES)
			return path;
	}
	fail_msg("pages of pipes are not tracked");
	return 0;
}

/*
 * Page tables that are given back while nothing is attached: the audit finds that they are none any more. While they are, they
 * are live; other pages, of which it cannot tell, stay.
 */
static void page_tables_freed_unseen_are_found(void **state)
{
	const struct tracer_options o = {.exact = true, .max_live = 20000};
	uint64_t before, tracked, pages, looked, left;
	static int pipes[TABLES][2];
	uint32_t path = 0, pipe_path;
	struct plan_request request = {};
	struct audit *audit = NULL;
	struct kernel_facts facts;
	struct tracer *t = NULL;
	struct plan plan;
	char *region = mmap(NULL, TABLES * SPREAD, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)state;
	kernel_facts_read("/proc", NULL, &facts);
	plan_build(&facts, &request, &plan);
	assert_true(plan.can_record);
	assert_true(region != MAP_FAILED);
	madvise(region, TABLES * SPREAD, MADV_NOHUGEPAGE);
	assert_int_equal(tracer_new(&plan, &o, &t), 0);
	assert_int_equal(tracer_attach(t), 0);
	assert_int_equal(audit_new(t, &audit), 0);
	assert_string_equal(audit_state(audit), "ok");
	before = own_tables();
	tracer_gate(t, true);
	for (long i = 0; i < TABLES; i++)
		region[i * SPREAD] = 1;
	assert_true(own_tables() >= before + (TABLES - 2) * 4096);
	tracked = pages_of(t, &path, &looked);
	assert_true(path);
	pipe_path = pipe_pages(t, pipes, path);
	pages = pages_of(t, &pipe_path, &looked);
	tracer_detach(t);

	tracer_clock(t, 5000);
	assert_int_equal(audit_run(audit, 4000, 1), 0);
	assert_int_equal(pages_of(t, &path, &looked), tracked);
	assert_int_equal(looked, tracked);

	munmap(region, TABLES * SPREAD);
	assert_true(own_tables() <= before + 2 * 4096);
	usleep(500000); /* an RCU grace period */
	tracer_clock(t, 10000);
	assert_int_equal(audit_run(audit, 9000, 1), 0);
	left = pages_of(t, &path, &looked);
	print_message("%llu page tables, of which %llu are held after all were freed unseen; %llu other pages\n",
		      (unsigned long long)tracked, (unsigned long long)left, (unsigned long long)pages);
	assert_true(left <= tracked / 50); /* or they are some other process's page tables by now */
	assert_true(audit_counts(audit)->ghosts >= tracked - left);
	assert_int_equal(pages_of(t, &pipe_path, &looked), pages);
	assert_int_equal(looked, 0);
	for (int i = 0; i < TABLES; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	audit_free(audit);
	tracer_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_tables_freed_unseen_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
