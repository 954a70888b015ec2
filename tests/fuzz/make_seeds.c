// SPDX-License-Identifier: GPL-2.0-only
/*
 * make_seeds DIR: write the seeds of the fuzzers. DIR/capture gets honest captures, made by the
 * writer and recorded on real kernels, with small pages so that mutations stay local. DIR/proc gets
 * recorded files of /proc, each after the byte that selects its parser. DIR/sql gets lists of edits
 * that once led to a fault; they do so only as long as the structs of fuzz_sql.c stay as they are.
 */
#include <limits.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#define assert_true(x)              \
	do {                        \
		if (!(x)) {         \
			perror(#x); \
			abort();    \
		}                   \
	} while (0)
#define assert_int_equal(a, b) assert_true((int64_t)(a) == (int64_t)(b))
#define assert_non_null(x)     assert_true((x) != NULL)

#include "sample_capture.h"
#include "sample_census.h"
#include "recorded.h"
#include "workload.h"
#include "write_capture.h"

#include "base/file_read.h"

static const char *dir;

static const char *path_in(const char *sub, const char *name)
{
	static char path[PATH_MAX];

	assert_true(snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, name) < PATH_MAX);
	return path;
}

/* The same capture with pages of 512 bytes, because each table needs at least one. */
static void shrink(const char *path)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA page_size=512; VACUUM", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void put(struct capture *c, const char *name)
{
	write_capture(c, path_in("capture", name));
	shrink(path_in("capture", name));
	capture_free(c);
}

/* A recording with four checkpoints, so that parts of it can be reported. */
static struct capture *with_checkpoints(void)
{
	struct capture *c = sample_whole();
	struct cap_checkpoint last = c->checkpoints[0];

	for (int i = 1; i < 4; i++) {
		struct cap_checkpoint *at;

		c->checkpoints[i - 1] = (struct cap_checkpoint){
			.start_s = i == 1 ? 0 : 8.0 * (i - 1), .end_s = 8.0 * i};
		sample_held(&c->checkpoints[i - 1], 1, 1, 1, 300 * i, 300.0 * i * 1024)
			->age_hist[2] = 300 * i;
		sample_held(&c->checkpoints[i - 1], 2, 2, 1, 900, 900 * 192)->age_hist[1] = 900;
		sample_churn(&c->checkpoints[i - 1], 1, 320 * i, 20 * i, 0);
		sample_cache_churn(&c->checkpoints[i - 1], 1, 320 * i, 20 * i, 0);
		sample_loss(&c->checkpoints[i - 1], "recursion_misses", i);
		at = sample_interval(c, 0);
		*at = last;
	}
	c->checkpoints[3].start_s = 24;
	return c;
}

static struct capture *without_tracing(void)
{
	struct capture *c = sample_new("sampled");

	sample_fill_snapshot(sample_snapshot(c, 0), 0);
	return c;
}

static struct capture *with_censuses(void)
{
	struct capture *c = sample_whole();

	for (int moment = 0; moment < CENSUS_MOMENTS; moment++) {
		c->census[moment] = calloc(1, sizeof(struct census));
		assert_non_null(c->census[moment]);
		sample_census(c->census[moment], 700000 + 5000 * moment);
		sample_lenses(c->census[moment], 1e6 + 1e5 * moment);
		sample_records(c->census[moment], (4 + moment) << 20);
	}
	c->census[CENSUS_AT_END]->counted /= 50; /* a sample */
	return c;
}

static void captures(void)
{
	static const char *const recorded[] = {"6.12-boot1", "6.18"};
	const struct workload sampled = {
		.seed = 5, .period = 4096, .seconds = 20, .paths = 12, .churn = 3e6, .leak = 2e5};

	put(sample_whole(), "whole.kmt");
	put(with_checkpoints(), "checkpoints.kmt");
	put(without_tracing(), "untraced.kmt");
	put(with_censuses(), "with-censuses.kmt");
	put(workload_record(&sampled), "sampled.kmt");
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		const char *path = path_in("capture", recorded[i]);

		recorded_unpack(recorded[i], path);
		shrink(path);
	}
}

static void seed(const char *name, unsigned char parser, const void *data, size_t len)
{
	FILE *f = fopen(path_in("proc", name), "w");

	assert_non_null(f);
	assert_true(fputc(parser, f) != EOF && fwrite(data, 1, len, f) == len);
	assert_int_equal(fclose(f), 0);
}

static void seed_text(const char *name, unsigned char parser, const char *text)
{
	seed(name, parser, text, strlen(text));
}

/* What debugfs has of call paths: the byte after the parser's says which file it is. */
static void call_paths(void)
{
	static const char *const names[] = {"page_owner", "show_stacks", "alloc_traces"};

	for (unsigned char i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_free_ char *buf = NULL;
		char path[PATH_MAX];
		size_t len;

		snprintf(path, sizeof(path), TESTS_DIR "/fixtures/alloc_paths/%s", names[i]);
		assert_int_equal(file_read(path, &buf, &len), 0);
		memmove(buf + 1, buf, len - 1);
		buf[0] = (char)i;
		seed(names[i], 14, buf, len);
	}
}

/* The numbers of the parsers, as in fuzz_proc.c. */
static const char *const files[] = {[0] = "meminfo",  [1] = "vmstat",      [2] = "slabinfo",
				    [3] = "zoneinfo", [4] = "vmallocinfo", [8] = "kallsyms"};

static const char sockstat[] = "sockets: used 15\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 80\n"
			       "UDP: inuse 2 mem 3\nFRAG: inuse 1 memory 4096\n";
static const char messages[] =
	"<6>[    0.1] percpu: Embedded 53 pages/cpu s185560 r0 d31528 u1048576\n";

/* Write each file of a tree of /proc, and the files that `balance` reads as one seed. */
static void proc_tree(const char *tree)
{
	char from[PATH_MAX], name[128], *sheet = NULL;
	size_t size = 0;
	FILE *all = open_memstream(&sheet, &size);

	assert_non_null(all);
	for (unsigned char i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		_cleanup_free_ char *buf = NULL;
		size_t len;

		if (!files[i])
			continue;
		snprintf(from, sizeof(from), TESTS_DIR "/fixtures/%s/%s", tree, files[i]);
		if (file_read(from, &buf, &len))
			continue;
		snprintf(name, sizeof(name), "%s-%s", strrchr(tree, '/') + 1, files[i]);
		len = len > 40000 ? 40000 : len;
		seed(name, i, buf, len);
		if (i == 0 || i == 1 || i == 3 || i == 4)
			fwrite(buf, 1, len > 4500 && i == 4 ? 4500 : len, all);
		if (i == 0 || i == 1 || i == 3 || i == 4)
			fputc('\0', all);
	}
	fwrite(sockstat, 1, sizeof(sockstat), all);
	fwrite(messages, 1, sizeof(messages), all);
	assert_int_equal(fclose(all), 0);
	snprintf(name, sizeof(name), "%s-sheet", strrchr(tree, '/') + 1);
	seed(name, 10, sheet, size);
	free(sheet);
}

static void proc(void)
{
	static const char *const trees[] = {"proc/5.10",         "proc/6.12-numa", "proc/7.3",
					    "balance/container", "balance/huge",   "balance/swap"};
	static const char *const logs[] = {"6.1-dmesg-T.log", "4.18-64k-journal.log",
					   "4.9-interleaved.log", "5.4-dmesg.log",
					   "7.2-allocations.log"};
	static const unsigned char note[] = {4,   0,   0,   0,  20, 0,  0,  0,  3,  0,  0,  0,
					     'G', 'N', 'U', 0,  1,  2,  3,  4,  5,  6,  7,  8,
					     9,   10,  11,  12, 13, 14, 15, 16, 17, 18, 19, 20};

	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
		proc_tree(trees[i]);
	call_paths();
	seed_text("sockstat", 5, sockstat);
	seed_text("messages", 6, messages);
	seed("build-id", 7, note, sizeof(note));
	seed_text("copy-quoted", 11,
		  "\xef\xbb\xbf> root@h:~# cat /proc/meminfo\r\n> MemTotal:  5 kB\r\n"
		  "> MemFree:\xc2\xa0 1 KB\r\n> Cached: 1 MB\r\n> MemTotal: 5 kB");
	seed("copy-utf16", 11,
	     "\xff\xfe"
	     "M\0e\0m\0:\0 \0\x31\0\n\0",
	     16);
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		_cleanup_free_ char *buf = NULL;
		char from[PATH_MAX];
		size_t len;

		snprintf(from, sizeof(from), TESTS_DIR "/fixtures/oom/%s", logs[i]);
		assert_int_equal(file_read(from, &buf, &len), 0);
		seed(logs[i], 12, buf, len);
	}
	seed_text("hints", 13,
		  "size 4 1073741824\nhv_balloon 1 2\nName: a\nVmPin: 5 kB\n"
		  "1000-3000 rw-s 0 00:0e 1 anon_inode:[perf_event]\n"
		  "134479872 32832 kernel/events/ring_buffer.c:811 func:perf_mmap_alloc_page\n");
	seed_text("size", 9, "64KiB");
	seed_text("duration", 9, "1.5h");
}

/* After them, Slab is unknown in one snapshot: a slope was outside its interval. */
static const unsigned char slab_unknown[] = {
	0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* struct header */
	0x4b, 0x0a, 0x1e, 0x05, 0xe8, 0xc6, 0xcc, 0xd7, 0x4e, 0x2a, 0x05, 0xbe, 0x63, 0xb1,
	0xf5, 0x25, 0x83, 0x8a, 0xed, 0x12, 0x3a, 0x74, 0x84, 0x09, 0x48, 0x3f, 0x0a, 0xb5,
	0xf0, 0x5f, 0x65, 0xa7, 0x4b, 0x0a, 0x1e, 0x05, 0xe8, 0xc6, 0xcc, 0xd7, 0x4e, 0x2a,
	0x05, 0xbe, 0x61, 0xb1, 0x79, 0x25, 0x4b, 0x0a, 0x1e, 0x05, 0xe8, 0xc6, 0xcc, 0xd7,
	0x4e, 0x2a, 0x05, 0xbe, 0x61, 0xb1, 0x79, 0x25, 0x4b, 0x0a, 0x1e, 0x05, 0xe8, 0xc6,
	0xcc, 0xd7, 0x4e, 0x2a, 0x05, 0xbe, 0x61, 0xb1, 0x79, 0x25,
};

static void sql(void)
{
	FILE *f = fopen(path_in("sql", "slab-unknown"), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(slab_unknown, 1, sizeof(slab_unknown), f), sizeof(slab_unknown));
	assert_int_equal(fclose(f), 0);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: make_seeds DIR\n", stderr);
		return 2;
	}
	dir = argv[1];
	mkdir(dir, 0755);
	mkdir(path_in("capture", ""), 0755);
	mkdir(path_in("proc", ""), 0755);
	mkdir(path_in("sql", ""), 0755);
	captures();
	proc();
	sql();
	return 0;
}
