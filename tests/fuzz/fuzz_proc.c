// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry for parsers of /proc. The first byte selects the parser, and the rest is the
 * file. Or the rest is meminfo, vmstat, zoneinfo and vmallocinfo, separated by NUL, and a balance
 * sheet is made from them. Run it with scripts/fuzz.sh proc.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/units.h"
#include "fuzz.h"
#include "proc/alloc_paths.h"
#include "proc/allocinfo.h"
#include "proc/foreign.h"
#include "proc/mappings.h"
#include "proc/oom_report.h"
#include "proc/page_pools.h"
#include "proc/snapshot.h"
#include "proc/unlisted.h"
#include "sym/build_id.h"
#include "sym/kallsyms.h"

static void kallsyms(const char *buf, size_t len)
{
	struct kallsyms *ks = NULL;
	struct sym_ref ref;

	if (kallsyms_parse(buf, len, &ks))
		return;
	for (uint64_t addr = 1; addr; addr <<= 1)
		sym_resolve_return(ks, addr, &ref);
	kallsyms_free(ks);
}

static void words(const char *buf)
{
	char text[UNITS_MAX];
	int64_t bytes;
	double seconds;

	if (!units_parse_size(buf, &bytes))
		units_bytes(text, (double)bytes);
	if (!units_parse_duration(buf, &seconds)) {
		if (!(seconds > 0 && seconds < 1e9))
			fuzz_die("'%s' is %g s", buf, seconds);
		units_duration(text, seconds);
	}
}

/* Change a letter in names that look like an invalid figure to fuzz_check_text(). */
static void rename_figures(char *buf, size_t len)
{
	for (size_t i = 0; i + 2 < len; i++)
		if ((buf[i] == 'n' && buf[i + 1] == 'a' && buf[i + 2] == 'n') ||
		    (buf[i] == 'i' && buf[i + 1] == 'n' && buf[i + 2] == 'f'))
			buf[i + 1] = '-';
}

static void sheet(char *buf, size_t len, struct snapshot *s)
{
	struct fuzz_show show = fuzz_show_of(0, len ? (uint8_t)buf[len - 1] : 0);
	struct unlisted unlisted = UNLISTED_NONE;
	size_t at = 0, n;

	rename_figures(buf, len);
	for (int i = 0; i < 6 && at < len; i++, at += n + 1) {
		n = strlen(buf + at);
		switch (i) {
		case 0:
			meminfo_parse(buf + at, n, &s->meminfo);
			break;
		case 1:
			vmstat_parse(buf + at, n, &s->vmstat);
			break;
		case 2:
			zoneinfo_parse(buf + at, n, &s->zones);
			break;
		case 3:
			vmallocinfo_parse(buf + at, n, &s->vmallocs);
			break;
		case 4:
			sockstat_parse(buf + at, n, &unlisted);
			break;
		case 5:
			boot_messages_parse(buf + at, n, &unlisted);
			break;
		}
	}
	fuzz_balance_now(s, &unlisted, &show);
}

static size_t bad_lines(const char *buf, size_t len)
{
	struct named_values v;
	size_t bad;

	if (meminfo_parse(buf, len, &v))
		return 0;
	bad = v.bad_lines;
	ARRAY_FREE(&v);
	return bad;
}

/* A copy that somebody made: as meminfo, and what is put right is put right for good. */
static void foreign(const char *buf, size_t len)
{
	for (int file = 0; file < FOREIGN_FILES; file++) {
		struct input_report report = {0};
		struct foreign_text once = {0};

		if (!foreign_clean(file, buf, len, &report, &once)) {
			if (once.len > len + 1)
				fuzz_die("a copy grew");
			foreign_report(file, &once, bad_lines, &report);
		}
		foreign_text_free(&once);
		input_report_free(&report);
	}
}

/* Files that hint at memory in no line of meminfo. */
static void hints(const char *buf, size_t len)
{
	struct unlisted unlisted = UNLISTED_NONE;
	struct mapping_totals totals = {0};
	struct alloc_source about = {0};
	struct alloc_sites sites = {0};
	int64_t bytes = 0;

	allocinfo_parse(buf, len, 4096, &unlisted);
	if (!alloc_sites_parse(buf, len, &sites, &about) && about.bytes > ALLOC_BYTES_MAX)
		fuzz_die("a sum that no capture holds");
	ARRAY_FREE(&sites);
	modules_parse(buf, len, &unlisted);
	table_value_parse(buf, len, "size");
	maps_parse(buf, len, &totals);
	pinned_parse(buf, len, 1, &totals);
	page_pools_parse(buf, len, &bytes);
	if (totals.perf_kb < 0 || totals.pinned_kb < 0 || bytes < -1)
		fuzz_die("a total below zero");
}

/* What the kernel keeps of call paths, in two pieces; the first byte says which file it is. */
static void call_paths(const char *buf, size_t len)
{
	const struct alloc_path like = {.source = ALLOC_PAGES};
	struct alloc_source about = {0};
	struct alloc_paths paths = {0};
	struct alloc_paths_sum *sum = len ? alloc_paths_new((unsigned char)buf[0] % 3, 4096) : NULL;
	ssize_t taken;

	if (!sum)
		return;
	buf++;
	len--;
	taken = alloc_paths_take(buf, len / 2, false, sum);
	if (taken < 0 || alloc_paths_take(buf + taken, len - (size_t)taken, true, sum) < 0)
		fuzz_die("call paths were refused");
	if (alloc_paths_end(sum, &like, 16, &paths, &about) || about.bytes > ALLOC_BYTES_MAX)
		fuzz_die("a sum that no capture holds");
	for (size_t i = 0; i < paths.nr; i++)
		if (paths.items[i].bytes > about.bytes || !paths.items[i].frames[0])
			fuzz_die("a call path that cannot be");
	ARRAY_FREE(&paths);
	alloc_paths_sum_free(sum);
}

/* A kernel log, and the sheet of its last OOM report. */
static void oom_log(char *buf, size_t len)
{
	struct fuzz_show show = fuzz_show_of(0, len ? (uint8_t)buf[len - 1] : 0);
	struct oom_report report;

	rename_figures(buf, len);
	if (oom_report_parse(buf, len, &report))
		return;
	fuzz_balance_oom(&report, &show);
	oom_report_free(&report);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_quiet();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unlisted unlisted = UNLISTED_NONE;
	struct snapshot s = {0};
	char hex[BUILD_ID_HEX_SIZE];
	size_t len = size - 1;
	char *buf;

	if (!size || !(buf = malloc(size)))
		return 0;
	memcpy(buf, data + 1, len);
	buf[len] = '\0'; /* as file_read() does */
	switch (data[0] % 15) {
	case 0:
		meminfo_parse(buf, len, &s.meminfo);
		break;
	case 1:
		vmstat_parse(buf, len, &s.vmstat);
		break;
	case 2:
		slabinfo_parse(buf, len, &s.slabs);
		break;
	case 3:
		zoneinfo_parse(buf, len, &s.zones);
		break;
	case 4:
		vmallocinfo_parse(buf, len, &s.vmallocs);
		break;
	case 5:
		sockstat_parse(buf, len, &unlisted);
		break;
	case 6:
		boot_messages_parse(buf, len, &unlisted);
		break;
	case 7:
		build_id_parse(buf, len, hex);
		break;
	case 8:
		kallsyms(buf, len);
		break;
	case 9:
		words(buf);
		break;
	case 10:
		sheet(buf, len, &s);
		break;
	case 11:
		foreign(buf, len);
		break;
	case 12:
		oom_log(buf, len);
		break;
	case 13:
		hints(buf, len);
		break;
	case 14:
		call_paths(buf, len);
		break;
	}
	snapshot_free(&s);
	free(buf);
	return 0;
}
