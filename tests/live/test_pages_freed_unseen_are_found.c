// SPDX-License-Identifier: GPL-2.0-only
/*
 * The liveness audit of pages: page tables and compound blocks that are given back unseen are
 * found, by the marks that the kernel puts on pages. How many there are is this process's own
 * doing, and the kernel's own figure of it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/audit.h"
#include "trace/tracer.h"

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

static bool page_read(const struct tracer *t, uint32_t row, struct kmt_object *o)
{
	const struct kmt_bucket *b = &tracer_tables(t)->live[row / KMT_KEYS];

	*o = b->object[row % KMT_KEYS];
	return b->key[row % KMT_KEYS] && o->pool == KMT_PAGE;
}

/* Live pages that came by the path; *looked: how many of them the audit found live. */
static uint64_t pages_of(const struct tracer *t, uint32_t path, uint64_t *checked)
{
	struct kmt_object o;
	uint64_t n = 0;

	*checked = 0;
	for (uint32_t row = 0; row < tracer_tables(t)->nr_buckets * KMT_KEYS; row++) {
		if (!page_read(t, row, &o) || o.stack != path)
			continue;
		n++;
		*checked += o.checked != 0;
	}
	return n;
}

/* The path by which most pages came, but for one. */
static uint32_t path_of_most(const struct tracer *t, uint32_t but)
{
	uint64_t *nr = calloc(tracer_tables(t)->nr_stacks, sizeof(*nr));
	struct kmt_object o;
	uint32_t path = 0;

	assert_non_null(nr);
	for (uint32_t row = 0; row < tracer_tables(t)->nr_buckets * KMT_KEYS; row++)
		if (page_read(t, row, &o) && o.stack != but && ++nr[o.stack] > nr[path])
			path = o.stack;
	free(nr);
	return path;
}

/* Live objects of eight pages: blocks, and slabs of that size. */
static uint64_t blocks(const struct tracer *t)
{
	struct kmt_object o;
	uint64_t n = 0;

	for (uint32_t row = 0; row < tracer_tables(t)->nr_buckets * KMT_KEYS; row++)
		n += page_read(t, row, &o) && o.size == 8 * 4096;
	return n;
}

/* A tracer that tracks everything, with the audit; ended by both_free(). */
static void both_make(struct tracer **t, struct audit **audit)
{
	const struct tracer_options o = {.exact = true, .max_live = 20000};
	struct plan_request request = {};
	struct kernel_facts facts;
	static struct plan plan;

	kernel_facts_read("/proc", NULL, &facts);
	plan_build(&facts, &request, &plan);
	assert_true(plan.can_record);
	assert_int_equal(tracer_new(&plan, &o, t), 0);
	assert_int_equal(tracer_attach(*t), 0);
	assert_int_equal(audit_new(*t, audit), 0);
	assert_string_equal(audit_state(*audit), "ok");
	tracer_enable_pools(*t, true);
}

static void both_free(struct tracer *t, struct audit *audit)
{
	audit_free(audit);
	tracer_free(t);
}

/* Look everything up that came by now, when the clock's hand is at `ms`. */
static void look(struct tracer *t, struct audit *audit, uint32_t ms)
{
	tracer_clock(t, ms);
	assert_int_equal(audit_run(audit, ms - 1000, 1), 0);
}

/*
 * Page tables that are given back while nothing is attached: the audit finds that they are none any
 * more. While they are, they are live; other pages, of which it cannot tell, stay.
 */
static void page_tables_freed_unseen_are_found(void **state)
{
	uint64_t before, tracked, pages, checked, left;
	static int pipes[TABLES][2];
	static char page[4096];
	uint32_t path, pipe_path;
	struct audit *audit;
	struct tracer *t;
	char *region = mmap(NULL, TABLES * SPREAD, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)state;
	assert_true(region != MAP_FAILED);
	madvise(region, TABLES * SPREAD, MADV_NOHUGEPAGE);
	both_make(&t, &audit);
	before = own_tables();
	for (long i = 0; i < TABLES; i++)
		region[i * SPREAD] = 1;
	assert_true(own_tables() >= before + (TABLES - 2) * 4096);
	path = path_of_most(t, 0);
	for (int i = 0; i < TABLES; i++) {
		assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
		assert_int_equal(write(pipes[i][1], page, sizeof(page)), sizeof(page));
	}
	pipe_path = path_of_most(t, path);
	tracer_detach(t);
	tracked = pages_of(t, path, &checked);
	pages = pages_of(t, pipe_path, &checked);
	assert_true(tracked >= TABLES - 2 && pages >= TABLES - 2);

	look(t, audit, 5000);
	left = pages_of(t, path, &checked);
	assert_true(
		left <= tracked &&
		left >= TABLES -
				2); /* other processes' come by this path, too, and may have gone */
	assert_int_equal(checked, left);

	munmap(region, TABLES * SPREAD);
	assert_true(own_tables() <= before + 2 * 4096);
	usleep(500000); /* an RCU grace period */
	look(t, audit, 10000);
	left = pages_of(t, path, &checked);
	print_message(
		"%llu page tables, of which %llu are held after all were freed unseen; %llu other pages\n",
		(unsigned long long)tracked, (unsigned long long)left, (unsigned long long)pages);
	assert_true(left <= tracked / 50); /* or they are some other process's page tables by now */
	assert_int_equal(pages_of(t, pipe_path, &checked), pages);
	assert_int_equal(checked, 0);
	for (int i = 0; i < TABLES; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	both_free(t, audit);
}

#define SENT  40
#define BYTES 100000

/* The same of blocks of pages that a socket holds until what is in them is read. */
static void blocks_freed_unseen_are_found(void **state)
{
	static char message[BYTES];
	uint64_t before, held, left;
	struct audit *audit;
	int sockets[2], size = 64 << 20;
	struct tracer *t;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	assert_int_equal(setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)),
			 0);
	both_make(&t, &audit);
	before = blocks(t);
	for (int i = 0; i < SENT; i++)
		assert_int_equal(write(sockets[0], message, BYTES), BYTES);
	tracer_detach(t);
	held = blocks(t) - before;
	if (held < SENT)
		print_message("only %llu blocks: memory has none of eight pages\n",
			      (unsigned long long)held);
	assert_true(held >= SENT);

	look(t, audit, 5000);
	left = blocks(t);
	assert_true(left >= before + held - 2); /* what is in use stays */

	for (int i = 0; i < SENT; i++)
		assert_int_equal(recv(sockets[1], message, BYTES, MSG_WAITALL), BYTES);
	close(sockets[0]);
	close(sockets[1]);
	usleep(100000);
	look(t, audit, 10000);
	left = blocks(t);
	print_message(
		"%llu blocks of eight pages, of which %lld are held after all were freed unseen\n",
		(unsigned long long)held, (long long)(left - before));
	assert_true(left <=
		    before + held / 5); /* or they are slabs by now: compound blocks again */
	both_free(t, audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_tables_freed_unseen_are_found),
		cmocka_unit_test(blocks_freed_unseen_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
