// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the counters of memory outside /proc/meminfo; see unlisted.h. Formats: net/ipv4/proc.c
 * sockstat_seq_show(), kernel/trace/trace.c tracing_total_entries_read(), mm/percpu.c
 * pcpu_embed_first_chunk().
 */
#include "proc/unlisted.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"
#include "proc/allocinfo.h"
#include "proc/host.h"
#include "proc/mappings.h"
#include "proc/page_pools.h"
#include "proc/virt.h"

#define VALUE_MAX    (INT64_C(1) << 40)
#define READ_ALL     3  /* klogctl: SYSLOG_ACTION_READ_ALL */
#define BUFFER_SIZE  10 /* klogctl: SYSLOG_ACTION_SIZE_BUFFER */
#define MESSAGES_MAX (16 << 20)
#define SITE_LEAST   (UINT64_C(1) << 20) /* a smaller one explains nothing */
#define CARDS_MAX    16

/* The number after the word `name` of a line. */
static bool value_after(struct text line, const char *name, int64_t *out)
{
	struct text word;

	while (text_word(&line, &word))
		if (text_is(word, name))
			return text_word(&line, &word) && text_count(word, VALUE_MAX, out);
	return false;
}

void sockstat_parse(const char *buf, size_t len, struct unlisted *out)
{
	struct text rest = {buf, len}, line;
	int64_t value;

	while (text_line(&rest, &line)) {
		if (text_starts(line, "TCP:") || text_starts(line, "UDP:")) {
			if (value_after(line, "mem", &value))
				out->socket_pages =
					(out->socket_pages > 0 ? out->socket_pages : 0) + value;
		} else if (text_starts(line, "FRAG:") && value_after(line, "memory", &value)) {
			out->fragment_bytes = value;
		}
	}
}

/* "percpu: Embedded 53 pages/cpu s185560 r0 d31528 u1048576" */
void boot_messages_parse(const char *buf, size_t len, struct unlisted *out)
{
	static const char mark[] = "percpu: Embedded ";
	struct text rest = {buf, len}, line, word;
	const char *at;

	while (text_line(&rest, &line)) {
		at = text_find(line, mark);
		if (!at)
			continue;
		line.len -= (size_t)(at - line.p) + strlen(mark);
		line.p = at + strlen(mark);
		if (text_word(&line, &word) &&
		    text_count(word, VALUE_MAX, &out->percpu_first_pages))
			return;
	}
}

static int read_under(const char *root, const char *name, char **buf, size_t *len)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", root, name) >= (int)sizeof(path))
		return -1;
	return file_read(path, buf, len);
}

static void trace_read(const char *sys_root, struct unlisted *out)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, word;
	size_t len;

	if (read_under(sys_root, "kernel/tracing/buffer_total_size_kb", &buf, &len))
		return;
	rest = (struct text){buf, strcspn(buf, "\n")};
	if (text_word(&rest, &word)) /* "14 (expanded: 2816)" while it is not in use */
		text_count(word, VALUE_MAX, &out->trace_kb);
}

/* The kernel's messages: only the running kernel has them, and they may have been overwritten. */
static void messages_read(struct unlisted *out)
{
	int size = klogctl(BUFFER_SIZE, NULL, 0);
	_cleanup_free_ char *buf = NULL;

	if (size <= 0 || size > MESSAGES_MAX)
		return;
	buf = malloc((size_t)size);
	if (!buf)
		return;
	size = klogctl(READ_ALL, buf, size);
	if (size > 0)
		boot_messages_parse(buf, (size_t)size, out);
}

/* Multiply one CPU's part by the number of CPUs. */
static void percpu_multiply(const char *sys_root, struct unlisted *out)
{
	char list[256], dir[PATH_MAX];
	int cpus = -1;

	if (snprintf(dir, sizeof(dir), "%s/devices/system/cpu", sys_root) < (int)sizeof(dir) &&
	    !file_read_line(dir, "possible", list, sizeof(list)))
		cpus = cpu_list_count(list);
	out->percpu_first_pages =
		cpus > 0 && out->percpu_first_pages > 0 ? out->percpu_first_pages * cpus : -1;
}

/*
 * "size 4 1234" (kstat), "pages_ballooned       : 1234", "total\t:      123 of      456",
 * "current:  1234 pages": the first number after the name. In a kstat that number is the type, and
 * the value is the next one.
 */
int64_t table_value_parse(const char *buf, size_t len, const char *name)
{
	struct text rest = {buf, len}, line, word;
	int64_t value, last = -1;

	while (text_line(&rest, &line)) {
		bool kstat = true;

		if (!text_word(&line, &word))
			continue;
		while (word.len && word.p[word.len - 1] == ':') {
			word.len--;
			kstat = false;
		}
		if (!text_is(word, name))
			continue;
		while (text_word(&line, &word)) {
			if (text_is(word, ":"))
				kstat = false;
			else if (text_count(word, VALUE_MAX, &value))
				last = value;
			else
				break;
			if (last >= 0 && !kstat)
				break;
		}
		return last;
	}
	return -1;
}

void modules_parse(const char *buf, size_t len, struct unlisted *out)
{
	static const char *const drivers[] = {"hv_balloon", "vmw_balloon", "virtio_balloon"};
	struct text rest = {buf, len}, line, word;

	while (text_line(&rest, &line)) {
		if (!text_word(&line, &word))
			continue;
		for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
			if (text_is(word, drivers[i]) && !out->balloon_driver[0])
				text_copy(word, out->balloon_driver, sizeof(out->balloon_driver));
	}
}

/* ---- /proc/allocinfo ---- */

/* Places whose pages /proc/meminfo has: slab, anonymous and file pages, page tables, vmalloc,
 * per-CPU chunks, huge pages, stacks. */
static bool site_is_listed(struct text where)
{
	static const char *const files[] = {
		"mm/slub.c",           "mm/slab",      "mm/memory.c",      "mm/filemap.c",
		"mm/readahead.c",      "mm/shmem.c",   "mm/huge_memory.c", "mm/khugepaged.c",
		"mm/percpu",           "mm/vmalloc.c", "mm/hugetlb",       "mm/swap_state.c",
		"mm/zsmalloc.c",       "mm/migrate.c", "mm/mempolicy.c",   "mm/pgtable-generic.c",
		"mm/execmem.c",        "mm/ksm.c",     "mm/userfaultfd.c", "kernel/fork.c",
		"mm/page-writeback.c",
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (text_starts(where, files[i]))
			return true;
	return text_contains(where, "/pgtable.c") || text_contains(where, "pgalloc.h");
}

/*
 * A place counts as allocating pages if its allocations have a mean size of a page or more. Some of
 * these are slab objects (kmalloc() up to two pages), so the sum is an upper limit ("at most").
 */
static bool site_allocates_pages(const struct alloc_site *s, uint64_t page_bytes)
{
	return s->bytes >= SITE_LEAST && s->calls && s->bytes / s->calls >= page_bytes &&
	       s->bytes % page_bytes == 0 && !site_is_listed(text_of(s->file));
}

void allocinfo_parse(const char *buf, size_t len, uint64_t page_bytes, struct unlisted *out)
{
	struct alloc_source about;
	struct alloc_sites sites = {0};

	if (alloc_sites_parse(buf, len, &sites, &about))
		return;
	for (size_t i = 0; i < sites.nr && out->nr_sites < UNLISTED_SITES; i++) {
		const struct alloc_site *s = &sites.items[i];
		struct unlisted_site *to = &out->sites[out->nr_sites];
		char where[sizeof(*s) + 32];

		if (!site_allocates_pages(s, page_bytes))
			continue;
		to->bytes = (int64_t)s->bytes;
		snprintf(where, sizeof(where), "%s:%u%s%s%s func:%s", s->file, s->line,
			 s->module[0] ? " [" : "", s->module, s->module[0] ? "]" : "", s->function);
		text_copy(text_of(where), to->where, sizeof(to->where));
		out->nr_sites++;
	}
	ARRAY_FREE(&sites);
}

/* ---- reading ---- */

static int64_t read_value(const char *root, const char *file, const char *name)
{
	_cleanup_free_ char *buf = NULL;
	size_t len;

	return read_under(root, file, &buf, &len) ? -1 : table_value_parse(buf, len, name);
}

static void balloon_read(const char *sys_root, struct unlisted *out)
{
	int64_t hyperv = read_value(sys_root, "kernel/debug/hv-balloon", "pages_ballooned"),
		vmware = read_value(sys_root, "kernel/debug/vmmemctl", "current");

	/* Both count in pages of 4 KiB, whatever the guest's are. */
	if (hyperv >= 0 || vmware >= 0)
		out->balloon_kb = (hyperv >= 0 ? hyperv : vmware) * 4;
}

static void graphics_read(const char *sys_root, struct unlisted *out)
{
	char path[PATH_MAX], line[32];

	out->ttm_pages = read_value(sys_root, "kernel/debug/ttm/page_pool", "total");
	for (int card = 0; card < CARDS_MAX; card++) {
		int64_t used;

		if (snprintf(path, sizeof(path), "%s/class/drm/card%d/device", sys_root, card) >=
			    (int)sizeof(path) ||
		    file_read_line(path, "mem_info_gtt_used", line, sizeof(line)) ||
		    !text_count(text_of(line), VALUE_MAX, &used))
			continue;
		out->gtt_bytes = (out->gtt_bytes > 0 ? out->gtt_bytes : 0) + used;
	}
}

void unlisted_read_copy(const char *proc_root, struct unlisted *out)
{
	_cleanup_free_ char *sockstat = NULL, *modules = NULL, *allocinfo = NULL;
	size_t len;

	*out = UNLISTED_NONE;
	if (!read_under(proc_root, "net/sockstat", &sockstat, &len))
		sockstat_parse(sockstat, len, out);
	if (!read_under(proc_root, "modules", &modules, &len))
		modules_parse(modules, len, out);
	if (!read_under(proc_root, "allocinfo", &allocinfo, &len))
		allocinfo_parse(allocinfo, len, (uint64_t)sysconf(_SC_PAGESIZE), out);
	out->arc_bytes = read_value(proc_root, "spl/kstat/zfs/arcstats", "size");
}

void unlisted_read(const char *proc_root, const char *sys_root, struct unlisted *out)
{
	unlisted_read_copy(proc_root, out);
	trace_read(sys_root, out);
	balloon_read(sys_root, out);
	graphics_read(sys_root, out);
	if (!strcmp(proc_root, "/proc")) {
		struct virt_clues clues;
		char name[VIRT_NAME_MAX];

		messages_read(out);
		virt_clues_read(proc_root, sys_root, &clues);
		virt_name(&clues, name);
		snprintf(out->hypervisor, sizeof(out->hypervisor), "%.*s",
			 (int)sizeof(out->hypervisor) - 1, name);
		mappings_read(proc_root, out);
		out->page_pool_bytes = page_pools_read();
	}
	percpu_multiply(sys_root, out);
}
