// SPDX-License-Identifier: GPL-2.0-only
/*
 * `kmemtrace balance` on this machine: it adds up, leaves under 0.5 % of MemTotal over, says what
 * /proc/meminfo says at the same time, and takes a moment only. Run from the top of the tree.
 */
#include <jansson.h>
#include <linux/if_packet.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/snapshot.h"

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static json_t *run(void)
{
	FILE *f = popen("build/kmemtrace balance --format json", "r");
	json_error_t error;
	json_t *root;

	assert_non_null(f);
	root = json_loadf(f, 0, &error);
	assert_int_equal(pclose(f), 0);
	assert_non_null(root);
	return root;
}

static double line_kb(const json_t *root, const char *name)
{
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(root, "lines"), i, line)
	{
		if (!strcmp(json_string_value(json_object_get(line, "name")), name))
			return json_number_value(json_object_get(line, "kb"));
	}
	fail_msg("no line %s", name);
	return NAN;
}

static void it_adds_up_and_leaves_little(void **state)
{
	double start = now_s(), sum = 0, took, percent;
	json_t *root = run(), *line;
	size_t i;

	(void)state;
	took = now_s() - start;
	json_array_foreach(json_object_get(root, "lines"), i, line)
	{
		sum += json_number_value(json_object_get(line, "kb"));
	}
	percent = json_number_value(json_object_get(root, "unaccounted_percent"));
	print_message("# %.0f kB of %.0f kB unaccounted (%.3f %%), in %.3f s\n",
		      json_number_value(json_object_get(root, "unaccounted_kb")), sum, percent,
		      took);
	assert_true(sum == json_number_value(json_object_get(root, "mem_total_kb")));
	assert_true(fabs(percent) < 0.5);
	assert_true(took < 0.3);
	json_decref(root);
}

/* Between two readings of /proc/meminfo, give or take what a busy machine does meanwhile. */
static void it_says_what_meminfo_says(void **state)
{
	static const struct {
		const char *line, *plus, *meminfo;
		double slack_kb;
	} same[] = {
		{"free", NULL, "MemFree", 65536},
		{"anonymous", "anonymous_huge", "AnonPages", 65536},
		{"files", "shmem", "Cached", 65536},
		{"buffers", NULL, "Buffers", 4096},
		{"slab_reclaimable", "slab_unreclaimable", "Slab", 16384},
		{"kernel_stack", NULL, "KernelStack", 1024},
		{"vmalloc", "kernel_stack", "VmallocUsed", 4096},
		{"page_tables", NULL, "PageTables", 4096},
		{"percpu", NULL, "Percpu", 1024},
		{"hugetlb", NULL, "Hugetlb", 0},
	};
	struct snapshot before, after;
	json_t *root;

	(void)state;
	assert_int_equal(snapshot_read("/proc", SNAPSHOT_MEMINFO, &before), 0);
	root = run();
	assert_int_equal(snapshot_read("/proc", SNAPSHOT_MEMINFO, &after), 0);
	assert_true(json_number_value(json_object_get(root, "mem_total_kb")) ==
		    (double)named_value_get(&after.meminfo, "MemTotal", -1));
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		double a = (double)named_value_get(&before.meminfo, same[i].meminfo, 0);
		double b = (double)named_value_get(&after.meminfo, same[i].meminfo, 0);
		double got = line_kb(root, same[i].line) +
			     (same[i].plus ? line_kb(root, same[i].plus) : 0);

		if (got < fmin(a, b) - same[i].slack_kb || got > fmax(a, b) + same[i].slack_kb)
			fail_msg("%s: %.0f kB, but /proc/meminfo had %.0f and then %.0f",
				 same[i].meminfo, got, a, b);
	}
	snapshot_free(&before);
	snapshot_free(&after);
	json_decref(root);
}

/* A ring of 4 MiB that a packet socket shares with this process: in no line, but a suspect. */
static void a_planted_packet_ring_is_named(void **state)
{
	const struct tpacket_req ring = {.tp_block_size = 65536,
					 .tp_block_nr = 64,
					 .tp_frame_size = 2048,
					 .tp_frame_nr = 2048};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	const json_t *suspect;
	double kb = 0;
	json_t *root;
	size_t i;
	void *p;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)), 0);
	p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	root = run();
	json_array_foreach(json_object_get(root, "suspects"), i, suspect)
	{
		if (!strcmp(json_string_value(json_object_get(suspect, "name")), "packet_rings"))
			kb = json_number_value(json_object_get(suspect, "kb"));
	}
	print_message("# packet rings: %.0f kB, 4096 of them planted\n", kb);
	assert_true(kb >= 4096);
	assert_int_equal(munmap(p, 4 << 20), 0);
	assert_int_equal(close(fd), 0);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_adds_up_and_leaves_little),
		cmocka_unit_test(it_says_what_meminfo_says),
		cmocka_unit_test(a_planted_packet_ring_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
