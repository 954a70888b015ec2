// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF handlers, run with arguments made up here (BPF_PROG_TEST_RUN) and attached to nothing:
 * every count is known. What a user would lose if these failed: objects that are there, or bytes
 * that are not.
 */
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "live_plan.h"
#include "record/estimate.h"
#include "trace/tracer.h"
#include "proc/host.h"

#define KERNEL_ADDR 0xffffa00000000000ull /* no object is there: its cache is "large" */
#define CALL_SITE   0xffffffff81234567ull
#define PERIOD      16384

static struct tracer *tracer_make(const struct tracer_options *options)
{
	struct tracer_options o = *options;
	struct tracer *t = NULL;

	o.thread_size = host_thread_size("/proc");
	assert_int_equal(tracer_new(&plan, &o, &t), 0);
	tracer_enable_pools(t, true);
	return t;
}

static void run(struct tracer *t, const char *program, const uint64_t args[6])
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = args, .ctx_size_in = 6 * sizeof(args[0]));
	int fd = tracer_program_fd(t, program);

	assert_true(fd >= 0);
	assert_int_equal(bpf_prog_test_run_opts(fd, &o), 0);
}

static void do_kmalloc(struct tracer *t, uint64_t addr, uint64_t size)
{
	const uint64_t args[6] = {CALL_SITE, addr, size, size, 0, 0};

	run(t, "slab_kmalloc_event", args);
}

static void do_kfree(struct tracer *t, uint64_t addr)
{
	const uint64_t args[6] = {CALL_SITE, addr};

	run(t, "slab_kfree", args);
}

static void do_cache_free(struct tracer *t, uint64_t addr)
{
	const uint64_t args[6] = {CALL_SITE, addr};

	run(t, "slab_kmem_cache_free", args);
}

/* What the live table holds. */
static uint64_t live_count(const struct tracer *t, uint64_t *bytes)
{
	const struct tracer_tables *tables = tracer_tables(t);
	uint64_t n = 0, spilled = 0;

	*bytes = 0;
	for (uint32_t b = 0; b < tables->nr_buckets; b++) {
		assert_true(tables->live[b].spilled <= INT32_MAX); /* not below 0 */
		spilled += tables->live[b].spilled;
		for (int i = 0; i < KMT_KEYS; i++) {
			if (!tables->live[b].key[i])
				continue;
			assert_true(tables->live[b].key[i] != KMT_BUSY);
			*bytes += tables->live[b].object[i].size;
			n++;
		}
	}
	assert_true(spilled <= n); /* each is counted once, where it belongs */
	return n;
}

static struct tracer_counts counts_of(const struct tracer *t)
{
	struct tracer_counts c;

	tracer_counts(t, &c);
	return c;
}

static const struct tracer_options exact = {.exact = true, .max_live = 1000};

static void an_object_is_live_until_it_is_freed(void **state)
{
	struct tracer *t = tracer_make(&exact);
	uint64_t bytes;

	(void)state;
	do_kmalloc(t, KERNEL_ADDR, 192);
	do_kmalloc(t, KERNEL_ADDR + 256, 64);
	assert_int_equal(live_count(t, &bytes), 2);
	assert_int_equal(bytes, 256);
	do_kfree(t, KERNEL_ADDR);
	assert_int_equal(live_count(t, &bytes), 1);
	do_cache_free(t, KERNEL_ADDR + 256); /* whichever function frees it */
	assert_int_equal(live_count(t, &bytes), 0);
	assert_int_equal(counts_of(t).stats[KMT_STAT_ALLOCS], 2);
	assert_int_equal(counts_of(t).stats[KMT_STAT_FREES], 2);
	tracer_free(t);
}

static void no_object_is_made_of_null_or_of_size_zero(void **state)
{
	struct tracer *t = tracer_make(&exact);
	uint64_t bytes;

	(void)state;
	do_kmalloc(t, 0, 64);
	do_kmalloc(t, 16, 0); /* ZERO_SIZE_PTR */
	do_kfree(t, 0);
	do_kfree(t, 16);
	assert_int_equal(live_count(t, &bytes), 0);
	assert_int_equal(counts_of(t).stats[KMT_STAT_UNKNOWN_FREES], 0);
	tracer_free(t);
}

static void nothing_is_recorded_while_no_pool_is_enabled(void **state)
{
	struct tracer *t = tracer_make(&exact);
	uint64_t bytes;

	(void)state;
	tracer_enable_pools(t, false);
	do_kmalloc(t, KERNEL_ADDR, 64);
	assert_int_equal(live_count(t, &bytes), 0);
	tracer_free(t);
}

static void a_reused_address_is_an_unseen_free(void **state)
{
	struct tracer *t = tracer_make(&exact);
	uint64_t bytes;

	(void)state;
	do_kmalloc(t, KERNEL_ADDR, 64);
	do_kmalloc(t, KERNEL_ADDR, 96);
	assert_int_equal(live_count(t, &bytes), 1);
	assert_int_equal(bytes, 96);
	assert_int_equal(counts_of(t).stats[KMT_STAT_REUSED], 1);
	tracer_free(t);
}

static void a_free_of_something_older_changes_nothing(void **state)
{
	struct tracer *t = tracer_make(&exact);
	uint64_t bytes;

	(void)state;
	do_kmalloc(t, KERNEL_ADDR, 64);
	do_kfree(t, KERNEL_ADDR + 4096);
	assert_int_equal(live_count(t, &bytes), 1);
	assert_int_equal(counts_of(t).losses[KMT_LOSS_LIVE_FULL], 0);
	tracer_free(t);
}

static void the_promised_number_of_objects_fits_and_all_can_be_freed(void **state)
{
	const uint64_t n = 20000;
	const struct tracer_options o = {.exact = true, .max_live = n};
	struct tracer *t = tracer_make(&o);
	uint64_t bytes;

	(void)state;
	for (uint64_t i = 0; i < n; i++)
		do_kmalloc(t, KERNEL_ADDR + i * 192, 192);
	assert_int_equal(counts_of(t).losses[KMT_LOSS_LIVE_FULL], 0);
	assert_int_equal(live_count(t, &bytes), n);
	for (uint64_t i = 0; i < n; i++)
		do_kfree(t, KERNEL_ADDR + i * 192);
	assert_int_equal(live_count(t, &bytes), 0);
	assert_int_equal(counts_of(t).stats[KMT_STAT_FREES], n);
	for (uint32_t b = 0; b < tracer_tables(t)->nr_buckets; b++)
		assert_int_equal(tracer_tables(t)->live[b].spilled, 0);
	tracer_free(t);
}

/* A large live table is several maps, which readers see as one. */
static void objects_lie_in_all_parts_of_a_large_table(void **state)
{
	const uint64_t n = 20000, apart = 1 << 16, parts = 4;
	const struct tracer_options o = {.exact = true, .max_live = 600000};
	struct tracer *t = tracer_make(&o);
	uint64_t bytes, in[4] = {};

	(void)state;
	assert_int_equal(tracer_tables(t)->nr_buckets, parts << KMT_PART_BITS);
	for (uint64_t i = 0; i < n; i++)
		do_kmalloc(t, KERNEL_ADDR + i * apart, 192);
	assert_int_equal(live_count(t, &bytes), n);
	for (uint64_t row = 0; row < tracer_tables(t)->nr_buckets * KMT_KEYS; row++)
		in[row / KMT_KEYS >> KMT_PART_BITS] +=
			!!tracer_tables(t)->live[row / KMT_KEYS].key[row % KMT_KEYS];
	for (uint64_t i = 0; i < parts; i++)
		assert_true(in[i] > n / parts / 2);
	for (uint64_t i = 0; i < n; i++)
		do_kfree(t, KERNEL_ADDR + i * apart);
	assert_int_equal(live_count(t, &bytes), 0);
	assert_int_equal(counts_of(t).losses[KMT_LOSS_LIVE_FULL], 0);
	assert_int_equal(counts_of(t).stats[KMT_STAT_FREES], n);
	assert_true(tracer_own_bytes(t) >= tracer_sizes_of(t)->bytes / 10 * 9);
	assert_true(tracer_own_bytes(t) <= tracer_sizes_of(t)->bytes / 10 * 11);
	tracer_free(t);
}

/* What lies close in memory shares buckets, which so fill unevenly. */
static void objects_on_pages_here_and_there_fit_too(void **state)
{
	const uint64_t n = 20000, most = 1 << 20;
	const struct tracer_options o = {.exact = true, .max_live = n};
	struct tracer *t = tracer_make(&o);
	uint64_t bytes, lost, page = 1;

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		if (i % 64 == 0)
			page = page * 6364136223846793005ull + 1442695040888963407ull;
		do_kmalloc(t, KERNEL_ADDR + (page >> 32) % most * 4096 + i % 64 * 64, 64);
	}
	lost = counts_of(t).losses[KMT_LOSS_LIVE_FULL];
	print_message("%lu of %lu found no room\n", (unsigned long)lost, (unsigned long)n);
	assert_true(lost <= n / 1000);
	assert_int_equal(live_count(t, &bytes), n - lost);
	tracer_free(t);
}

static void a_full_table_is_counted_and_harms_nothing(void **state)
{
	const struct tracer_options o = {.exact = true, .max_live = 16};
	struct tracer *t = tracer_make(&o);
	uint64_t bytes, held, n = 2000;

	(void)state;
	for (uint64_t i = 0; i < n; i++)
		do_kmalloc(t, KERNEL_ADDR + i * 64, 64);
	held = live_count(t, &bytes);
	assert_true(held >= 16);
	assert_int_equal(counts_of(t).losses[KMT_LOSS_LIVE_FULL], n - held);
	for (uint64_t i = 0; i < n; i++)
		do_kfree(t, KERNEL_ADDR + i * 64);
	assert_int_equal(live_count(t, &bytes), 0);
	tracer_free(t);
}

static void small_ones_are_left_out_when_asked(void **state)
{
	const struct tracer_options o = {.exact = true, .max_live = 1000, .min_size = 128};
	struct tracer *t = tracer_make(&o);
	uint64_t bytes;

	(void)state;
	do_kmalloc(t, KERNEL_ADDR, 127);
	do_kmalloc(t, KERNEL_ADDR + 4096, 128);
	assert_int_equal(live_count(t, &bytes), 1);
	tracer_free(t);
}

/* What the live table says of the objects of one size. */
static struct cap_held estimate_of(const struct tracer *t, uint64_t size)
{
	const struct tracer_tables *tables = tracer_tables(t);
	struct cap_held h = {0};

	for (uint32_t row = 0; row < tables->nr_buckets * KMT_KEYS; row++) {
		const struct kmt_object *o = &tables->live[row / KMT_KEYS].object[row % KMT_KEYS];

		if (tables->live[row / KMT_KEYS].key[row % KMT_KEYS] && o->size == size)
			estimate_add(&h, o, 0, false);
	}
	return h;
}

static void assert_estimates(const char *what, const struct cap_held *h, double truth)
{
	double sigma = sqrt(h->bytes_var);

	print_message("%s: %llu sampled, off by %+.2f sigma\n", what,
		      (unsigned long long)h->tracked, sigma > 0 ? (h->bytes - truth) / sigma : 0);
	assert_true(fabs(h->bytes - truth) <= 5 * sigma);
}

/* Horvitz–Thompson: each sample of s bytes stands for s / (1 − e^(−s/period)). */
static void samples_add_up_to_what_was_allocated(void **state)
{
	const struct tracer_options o = {.sample_bytes = PERIOD, .max_live = 100000};
	const uint64_t sizes[] = {64, 192, 1024, 8192, 65536}, n = 40000;

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct tracer *t = tracer_make(&o);
		struct cap_held h;
		char what[32];

		for (uint64_t i = 0; i < n; i++)
			do_kmalloc(t, KERNEL_ADDR + i * 65536, sizes[k]);
		h = estimate_of(t, sizes[k]);
		snprintf(what, sizeof(what), "size %llu", (unsigned long long)sizes[k]);
		assert_true(h.tracked < n * 0.99);
		assert_estimates(what, &h, (double)n * sizes[k]);
		tracer_free(t);
	}
}

/* ---- strata ---- */

#define MANY_SAMPLES 1e9 /* a CPU's own limit, which these tests do not reach */

/* Each CPU has strata of its own. */
static void move_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void move_anywhere(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void tick(struct tracer *t, uint32_t period)
{
	uint32_t periods[KMT_STRATA];

	for (int i = 0; i < KMT_STRATA; i++)
		periods[i] = period;
	tracer_strata_set(t, periods, MANY_SAMPLES);
}

static void do_kmalloc_at(struct tracer *t, uint64_t site, uint64_t addr, uint64_t size)
{
	const uint64_t args[6] = {site, addr, size, size, 0, 0};

	run(t, "slab_kmalloc_event", args);
}

/* The stratum of a site that allocates objects of one size: see stratum_slab(). */
static uint32_t stratum_of_site(uint64_t site, uint64_t size)
{
	return KMT_STRATUM_SLAB +
	       ((uint32_t)(site ^ size << 14) * 0x61C88647u >> (32 - KMT_STRATA_BITS));
}

static void stratum_read(const struct tracer *t, uint32_t stratum, struct stratum_counts *out)
{
	struct stratum_counts all[KMT_STRATA];

	tracer_strata(t, all);
	*out = all[stratum];
}

static const struct tracer_options sampled = {.sample_bytes = KMT_EVERY, .max_live = 100000};

/* A burst comes between two ticks of the loader. */
static void a_burst_throttles_its_stratum_and_is_still_summed_right(void **state)
{
	struct tracer *t = tracer_make(&sampled);
	const uint64_t n = 60000, size = 64;
	struct stratum_counts counts;
	struct cap_held h;

	(void)state;
	move_to_cpu(0);
	tick(t, KMT_EVERY);
	for (uint64_t i = 0; i < n; i++) {
		do_kmalloc(t, KERNEL_ADDR + i * size, size);
		if (i == 999)
			assert_int_equal(estimate_of(t, size).tracked, 1000);
	}
	h = estimate_of(t, size);
	assert_estimates("burst", &h, (double)n * size);
	assert_true(h.tracked > 5000 && h.tracked < 10000); /* some 1,024 for each doubling */
	stratum_read(t, stratum_of_site(CALL_SITE, size), &counts);
	assert_int_equal(counts.samples, h.tracked);
	assert_int_equal(counts.size, size);

	/* other strata of this CPU were not throttled, and the next tick ends it for this one */
	for (uint64_t i = 0; i < 500; i++)
		do_kmalloc(t, KERNEL_ADDR + (n + i * 4) * size, 192);
	assert_int_equal(estimate_of(t, 192).tracked, 500);
	tick(t, KMT_EVERY);
	for (uint64_t i = 0; i < 500; i++)
		do_kmalloc(t, KERNEL_ADDR + (2 * n + i) * size, size);
	assert_int_equal(estimate_of(t, size).tracked, h.tracked + 500);
	/* … but what was missed before is not forgotten */
	stratum_read(t, stratum_of_site(CALL_SITE, size), &counts);
	assert_true(counts.longest >= 2048 && counts.longest <= 65536);
	move_anywhere();
	tracer_free(t);
}

/* A CPU's own limit throttles all its strata, however the samples are spread over them. */
static void many_quiet_strata_together_are_throttled_too(void **state)
{
	struct tracer *t = tracer_make(&sampled);
	const uint64_t sites = 300, each = 100, size = 64;
	uint32_t periods[KMT_STRATA];
	struct cap_held h;

	(void)state;
	move_to_cpu(0);
	for (int i = 0; i < KMT_STRATA; i++)
		periods[i] = KMT_EVERY;
	tracer_strata_set(t, periods, 1024);
	for (uint64_t i = 0; i < sites * each; i++)
		do_kmalloc_at(t, CALL_SITE + i % sites * 40, KERNEL_ADDR + i * size, size);
	h = estimate_of(t, size);
	assert_estimates("many sites", &h, (double)sites * each * size);
	assert_true(h.tracked < 8 * 1024);
	move_anywhere();
	tracer_free(t);
}

/* A site that was churn begins to keep its objects: the period that was drawn must not last. */
static void a_stratum_that_is_to_be_fine_is_fine_at_once(void **state)
{
	struct tracer *t = tracer_make(&sampled);
	uint64_t bytes, held;

	(void)state;
	move_to_cpu(0);
	tick(t, KMT_PERIOD_MOST / 16);
	for (uint64_t i = 0; i < 100; i++)
		do_kmalloc(t, KERNEL_ADDR + i * 64, 64);
	held = live_count(t, &bytes);
	assert_true(held <= 1);
	tick(t, KMT_EVERY);
	for (uint64_t i = 0; i < 100; i++)
		do_kmalloc(t, KERNEL_ADDR + (200 + i) * 64, 64);
	assert_int_equal(live_count(t, &bytes), held + 100);
	move_anywhere();
	tracer_free(t);
}

/* Asking for another draw again and again must not favour early samples. */
static void redraws_leave_sums_right(void **state)
{
	struct tracer *t = tracer_make(&sampled);
	const uint64_t n = 60000, size = 1024;
	struct cap_held h;

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		if (i % 8 == 0) /* from long to short and back */
			tick(t, i % 16 ? 16 << 10 : 128 << 10);
		do_kmalloc(t, KERNEL_ADDR + i * size, size);
	}
	h = estimate_of(t, size);
	assert_estimates("redrawn", &h, (double)n * size);
	tracer_free(t);
}

static void two_sites_that_share_a_stratum_are_each_summed_right(void **state)
{
	struct tracer *t = tracer_make(&sampled);
	const uint64_t n = 40000, sizes[] = {96, 1536};
	uint64_t site = CALL_SITE;
	struct stratum_counts counts;
	struct cap_held small, large;
	double sum;

	(void)state;
	while (stratum_of_site(site, sizes[1]) != stratum_of_site(CALL_SITE, sizes[0]))
		site += 64;
	tick(t, PERIOD);
	for (uint64_t i = 0; i < n; i++) {
		do_kmalloc(t, KERNEL_ADDR + i * 4096, sizes[0]);
		do_kmalloc_at(t, site, KERNEL_ADDR + i * 4096 + 2048, sizes[1]);
	}
	small = estimate_of(t, sizes[0]);
	large = estimate_of(t, sizes[1]);
	assert_estimates("small ones", &small, (double)n * sizes[0]);
	assert_estimates("large ones", &large, (double)n * sizes[1]);
	stratum_read(t, stratum_of_site(CALL_SITE, sizes[0]), &counts);
	assert_int_equal(counts.samples, small.tracked + large.tracked);
	sum = small.bytes + large.bytes;
	assert_true(fabs(counts.alloc_bytes - sum) < 0.005 * sum); /* weights are rounded */
	assert_true(fabs(counts.held_bytes - sum) < 0.005 * sum);
	tracer_free(t);
}

/* The loader sets the periods by these. Objects may be freed on another CPU. */
static void a_stratum_knows_what_it_allocated_and_what_it_still_holds(void **state)
{
	struct tracer *t = tracer_make(&sampled);
	const uint64_t n = 20000, size = 256;
	uint32_t stratum = stratum_of_site(CALL_SITE, size);
	struct stratum_counts all, half, none;
	struct cap_held h;

	(void)state;
	move_to_cpu(0);
	tick(t, 2048);
	for (uint64_t i = 0; i < n; i++)
		do_kmalloc(t, KERNEL_ADDR + i * size, size);
	do_kmalloc(t, KERNEL_ADDR, size); /* where one is already: its free was not seen */
	h = estimate_of(t, size);
	stratum_read(t, stratum, &all);
	assert_true(fabs(all.alloc_bytes - (double)n * size) <= 5 * sqrt(h.bytes_var));
	assert_true(fabs(all.held_bytes - h.bytes) < 0.005 * h.bytes);
	if (tracer_tables(t)->nr_cpus > 1)
		move_to_cpu(1);
	for (uint64_t i = 0; i < n / 2; i++)
		do_kfree(t, KERNEL_ADDR + i * size);
	h = estimate_of(t, size);
	stratum_read(t, stratum, &half);
	assert_true(fabs(half.held_bytes - h.bytes) < 0.005 * h.bytes);
	assert_true(half.alloc_bytes == all.alloc_bytes);
	for (uint64_t i = n / 2; i < n; i++)
		do_kfree(t, KERNEL_ADDR + i * size);
	stratum_read(t, stratum, &none);
	assert_true(none.held_bytes == 0); /* what was added is what was taken away */
	assert_true(none.alloc_bytes == all.alloc_bytes && none.samples == all.samples);
	move_anywhere();
	tracer_free(t);
}

/* ---- freed together ---- */

#define TOGETHER 600

/* A map of one value in kernel memory, which a program writes its own address to. */
static int kernel_array(uint64_t *address)
{
	uint64_t array[TOGETHER] = {0};
	uint32_t zero = 0;
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "kmemtrace_test", sizeof(zero), sizeof(array),
				 1, NULL);
	const struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = 1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = map},
		{.imm = 0},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int prog = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "kmemtrace_test", "GPL", insns,
				 sizeof(insns) / sizeof(insns[0]), NULL);
	LIBBPF_OPTS(bpf_test_run_opts, o);

	assert_true(map >= 0 && prog >= 0);
	assert_int_equal(bpf_prog_test_run_opts(prog, &o), 0);
	close(prog);
	assert_int_equal(bpf_map_lookup_elem(map, &zero, array), 0);
	assert_true(array[0] > KERNEL_ADDR >> 1);
	*address = array[0];
	return map;
}

/*
 * rcu:rcu_invoke_kfree_bulk_callback is in kernels with CONFIG_RCU_TRACE alone, which Debian's do
 * not set: here is its program with an array of the kernel's, as kfree_rcu() hands it over.
 */
static void what_rcu_frees_together_is_freed(void **state)
{
	struct tracer *t = tracer_make(&exact);
	uint64_t array[TOGETHER] = {0}, args[6] = {0}, bytes;
	int map = kernel_array(&args[2]);
	uint32_t zero = 0;

	(void)state;
	for (int i = 0; i < TOGETHER; i++)
		do_kmalloc(t, KERNEL_ADDR + i * 64, 64);
	for (int i = 0; i < 60; i++)
		array[i] = KERNEL_ADDR + i * 64;
	array[60] = 16; /* ZERO_SIZE_PTR, and then NULL */
	assert_int_equal(bpf_map_update_elem(map, &zero, array, 0), 0);
	args[1] = 62;
	run(t, "slab_rcu_kfree_bulk", args);
	assert_int_equal(live_count(t, &bytes), TOGETHER - 60);
	assert_int_equal(counts_of(t).stats[KMT_STAT_FREES], 60);
	assert_int_equal(counts_of(t).stats[KMT_STAT_UNKNOWN_FREES], 0);
	for (int i = 0; i < TOGETHER; i++)
		array[i] = KERNEL_ADDR + i * 64;
	assert_int_equal(bpf_map_update_elem(map, &zero, array, 0), 0);
	args[1] = TOGETHER;
	run(t, "slab_rcu_kfree_bulk",
	    args); /* more than kfree_rcu() ever hands over (a page): 512 of them */
	assert_int_equal(live_count(t, &bytes), TOGETHER - 512);
	args[2] = 8; /* nobody's memory */
	run(t, "slab_rcu_kfree_bulk", args);
	assert_int_equal(live_count(t, &bytes), TOGETHER - 512);
	close(map);
	tracer_free(t);
}

/* ---- the other pools ---- */

#define EVENT_ARGS  10
#define GFP_KERNEL  0xcc0u
#define GFP_MOVABLE 0x8u
#define GFP_COMP    0x40000u

/* False when the plan has the program off: this kernel lacks the event. */
static bool event(struct tracer *t, const char *program, const uint64_t args[EVENT_ARGS])
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = args,
		    .ctx_size_in = EVENT_ARGS * sizeof(args[0]));
	int fd = tracer_program_fd(t, program);

	if (fd < 0)
		return false;
	assert_int_equal(bpf_prog_test_run_opts(fd, &o), 0);
	return true;
}

#define EVENT(t, program, ...) event(t, program, (const uint64_t[EVENT_ARGS]){__VA_ARGS__})

static void user_pages_are_not_kernel_memory(void **state)
{
	struct tracer *t = tracer_make(&exact);
	uint64_t bytes;

	(void)state;
	assert_true(EVENT(t, "page_alloc", KERNEL_ADDR, 0, GFP_KERNEL | GFP_MOVABLE, 1));
	assert_true(EVENT(t, "page_alloc", 0, 0, GFP_KERNEL, 0)); /* failed */
	assert_true(EVENT(t, "page_free", KERNEL_ADDR, 0));
	assert_int_equal(live_count(t, &bytes), 0);
	assert_int_equal(counts_of(t).stats[KMT_STAT_ALLOCS], 0);
	tracer_free(t);
}

/* Where PageHead cannot be read, as at these addresses, a block counts as not compound. */
static void pages_freed_piece_by_piece_are_all_freed(void **state)
{
	struct tracer *t = tracer_make(&exact);
	const uint64_t page =
		sizeof(uint64_t) * 8; /* struct page, as on every 64-bit distribution kernel */
	const uint64_t size = sysconf(_SC_PAGESIZE);
	uint64_t bytes;

	(void)state;
	EVENT(t, "page_alloc", KERNEL_ADDR, 2, GFP_KERNEL, 0);
	assert_int_equal(live_count(t, &bytes), 4);
	assert_int_equal(bytes, 4 * size);
	EVENT(t, "page_free", KERNEL_ADDR + 3 * page, 0);
	EVENT(t, "page_free", KERNEL_ADDR, 0);
	assert_int_equal(live_count(t, &bytes), 2);
	EVENT(t, "page_free", KERNEL_ADDR + page, 0);
	EVENT(t, "page_free", KERNEL_ADDR + 2 * page, 0);
	assert_int_equal(live_count(t, &bytes), 0);

	EVENT(t, "page_alloc", KERNEL_ADDR, 5, GFP_KERNEL, 0);
	assert_int_equal(live_count(t, &bytes), 32);
	EVENT(t, "page_free", KERNEL_ADDR, 5); /* and at once */
	assert_int_equal(live_count(t, &bytes), 0);

	EVENT(t, "page_alloc", KERNEL_ADDR, 3, GFP_KERNEL | GFP_COMP, 0);
	EVENT(t, "page_alloc", KERNEL_ADDR + 64 * page, 9, GFP_KERNEL,
	      0); /* too many to keep one by one */
	assert_int_equal(live_count(t, &bytes), 2);
	assert_int_equal(bytes, (8 + 512) * size);
	EVENT(t, "page_free", KERNEL_ADDR, 3);
	EVENT(t, "page_free", KERNEL_ADDR + 64 * page, 9);
	assert_int_equal(live_count(t, &bytes), 0);
	tracer_free(t);
}

/* Whatever the order, each piece is a sample of its own: Horvitz–Thompson over pages. */
static void sampled_pages_add_up(void **state)
{
	const struct tracer_options o = {.sample_bytes = 65536, .max_live = 100000};
	const uint64_t n = 20000, size = sysconf(_SC_PAGESIZE);

	(void)state;
	for (uint64_t order = 0; order <= 3; order++) {
		struct tracer *t = tracer_make(&o);
		struct cap_held h;
		char what[32];

		for (uint64_t i = 0; i < n; i++)
			EVENT(t, "page_alloc", KERNEL_ADDR + (i << 12), order, GFP_KERNEL, 0);
		h = estimate_of(t, size);
		snprintf(what, sizeof(what), "order %llu", (unsigned long long)order);
		assert_true(h.tracked < (int64_t)(n << order) / 2);
		assert_estimates(what, &h, (double)(n << order) * size);
		tracer_free(t);
	}
}

static void stacks_and_percpu_memory_come_and_go(void **state)
{
	struct tracer *t = tracer_make(&exact);
	uint64_t bytes, cpus = tracer_tables(t)->nr_cpus;

	(void)state;
	assert_true(EVENT(t, "kstack_alloc", KERNEL_ADDR, 0));
	assert_int_equal(live_count(t, &bytes), 1);
	assert_int_equal(bytes, host_thread_size("/proc"));
	assert_true(EVENT(t, "kstack_free", KERNEL_ADDR));
	assert_int_equal(live_count(t, &bytes), 0);
	if (EVENT(t, "percpu_alloc", CALL_SITE, 0, 0, 24, 8, KERNEL_ADDR, 64, 0x1a40,
		  24 * cpus + 48)) {
		assert_int_equal(live_count(t, &bytes), 1);
		assert_int_equal(bytes, 24 * cpus);
		EVENT(t, "percpu_free", KERNEL_ADDR, 64, 0x1a40);
	}
	assert_int_equal(live_count(t, &bytes), 0);
	tracer_free(t);
}

/* Areas are few: all of them are tracked, however seldom the rest is sampled. */
static void areas_come_and_go(void **state)
{
	const struct tracer_options seldom = {.sample_bytes = 1 << 30, .max_live = 1000};
	struct tracer *t = tracer_make(&seldom);
	uint64_t bytes;

	(void)state;
	if (EVENT(t, "vmalloc_alloc", KERNEL_ADDR, 5 << 12, 1, 0, 0, 1)) { /* failed */
		assert_int_equal(live_count(t, &bytes), 0);
		EVENT(t, "vmalloc_alloc", KERNEL_ADDR, 5 << 12, 1, 0, 0, 0);
		assert_int_equal(live_count(t, &bytes), 1);
		assert_int_equal(bytes,
				 (5 << 12) - sysconf(_SC_PAGESIZE)); /* without its guard page */
		EVENT(t, "vmalloc_free", KERNEL_ADDR);
		assert_int_equal(live_count(t, &bytes), 0);
	}
	tracer_free(t);
}

static void sampled_stacks_add_up(void **state)
{
	const struct tracer_options o = {.sample_bytes = 128 << 10, .max_live = 100000};
	const uint64_t n = 20000, size = host_thread_size("/proc");
	struct tracer *t = tracer_make(&o);
	struct cap_held h;
	uint64_t bytes;

	(void)state;
	for (uint64_t i = 0; i < n; i++)
		EVENT(t, "kstack_alloc", KERNEL_ADDR + (i << 14), 0);
	h = estimate_of(t, size);
	assert_true(h.tracked < (int64_t)n / 2);
	assert_estimates("stacks", &h, (double)n * size);
	for (uint64_t i = 0; i < n; i++)
		EVENT(t, "kstack_free", KERNEL_ADDR + (i << 14));
	assert_int_equal(live_count(t, &bytes), 0);
	tracer_free(t);
}

/* Nothing is attached here, so the event of a hook need not exist. */
static int plan_make_bulk(void **state)
{
	int err = plan_make(state);

	for (size_t i = 0; i < plan.nr; i++)
		plan.hooks[i].on |= plan.hooks[i].def->event == EVENT_RCU_KFREE_BULK;
	return err;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_live_until_it_is_freed),
		cmocka_unit_test(no_object_is_made_of_null_or_of_size_zero),
		cmocka_unit_test(nothing_is_recorded_while_no_pool_is_enabled),
		cmocka_unit_test(a_reused_address_is_an_unseen_free),
		cmocka_unit_test(a_free_of_something_older_changes_nothing),
		cmocka_unit_test(the_promised_number_of_objects_fits_and_all_can_be_freed),
		cmocka_unit_test(objects_lie_in_all_parts_of_a_large_table),
		cmocka_unit_test(objects_on_pages_here_and_there_fit_too),
		cmocka_unit_test(a_full_table_is_counted_and_harms_nothing),
		cmocka_unit_test(small_ones_are_left_out_when_asked),
		cmocka_unit_test(samples_add_up_to_what_was_allocated),
		cmocka_unit_test(a_burst_throttles_its_stratum_and_is_still_summed_right),
		cmocka_unit_test(many_quiet_strata_together_are_throttled_too),
		cmocka_unit_test(a_stratum_that_is_to_be_fine_is_fine_at_once),
		cmocka_unit_test(redraws_leave_sums_right),
		cmocka_unit_test(two_sites_that_share_a_stratum_are_each_summed_right),
		cmocka_unit_test(a_stratum_knows_what_it_allocated_and_what_it_still_holds),
		cmocka_unit_test(what_rcu_frees_together_is_freed),
		cmocka_unit_test(user_pages_are_not_kernel_memory),
		cmocka_unit_test(pages_freed_piece_by_piece_are_all_freed),
		cmocka_unit_test(sampled_pages_add_up),
		cmocka_unit_test(stacks_and_percpu_memory_come_and_go),
		cmocka_unit_test(areas_come_and_go),
		cmocka_unit_test(sampled_stacks_add_up),
	};

	return cmocka_run_group_tests(tests, plan_make_bulk, NULL);
}
