// SPDX-License-Identifier: GPL-2.0-only
/* Finds the suspects of Unaccounted: see suspects.h. Each suspect has the source it was found
 * by. */
#include "model/suspects.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_REST 0.05 /* of MemTotal; suspects without a size are named only above it */

struct list {
	const struct suspects_facts *f;
	struct balance_candidate *items;
	size_t nr;
};

static struct balance_candidate *add(struct list *l, struct balance_candidate candidate)
{
	if (!(candidate.kb > 0 || isnan(candidate.kb)) || l->nr == BALANCE_CANDIDATES)
		return NULL;
	l->items[l->nr] = candidate;
	return &l->items[l->nr++];
}

static void add_detail(struct balance_candidate *c, const char *detail)
{
	if (c)
		snprintf(c->detail, sizeof(c->detail), "%s", detail);
}

static double pages_kb(const struct list *l, int64_t pages)
{
	return (double)pages * l->f->page_bytes / 1024;
}

static double vmstat_pages(const struct list *l, const char *name)
{
	return (double)named_value_get(&l->f->s->vmstat, name, 0);
}

/* The size of the huge zero page: what one page of a middle page table maps, so a page for each of
 * its 8-byte entries; or Hugepagesize if that is less (s390, ppc64). */
static double huge_zero_page_kb(const struct list *l)
{
	double kb = l->f->page_bytes / 8 * l->f->page_bytes / 1024,
	       size = (double)named_value_get(&l->f->s->meminfo, "Hugepagesize", 0);

	return size > 0 ? fmin(size, kb) : kb;
}

/* ---- balloons ---- */

static const struct {
	const char *driver;     /* its module */
	const char *hypervisor; /* as proc/virt.h names it */
	const char *caller;     /* in /proc/vmallocinfo, of a guest of this hypervisor */
	const char *explain;
	bool always;  /* there is one in every such guest, built in or not */
	bool counted; /* balloon_inflate in /proc/vmstat counts it, so 0 there means none */
} balloons[] = {
	{"hv_balloon", "microsoft", "hv_",
	 "a balloon of Hyper-V, memory given back to the hypervisor", true, false},
	{"vmw_balloon", "vmware", "vmw_",
	 "a balloon of VMware, memory given back to the hypervisor", false, false},
	{"virtio_balloon", "kvm", "virtio",
	 "a balloon of KVM (virtio), memory given back to the hypervisor", false, true},
};

static bool vmalloc_has_caller(const struct snapshot *s, const char *part)
{
	for (size_t i = 0; i < s->vmallocs.nr; i++) {
		const char *caller = s->vmallocs.items[i].caller, *module = strchr(caller, '[');

		if (!strncmp(caller, part, strlen(part)) ||
		    (module && !strncmp(module + 1, part, strlen(part))))
			return true;
	}
	return false;
}

/* The index of the balloon that this guest may have, and the source of that; −1: none. */
static int balloon_of(const struct list *l, const char **source)
{
	const struct unlisted *u = l->f->unlisted;

	for (int i = 0; i < (int)(sizeof(balloons) / sizeof(balloons[0])); i++) {
		if (balloons[i].counted &&
		    named_value_get(&l->f->s->vmstat, "balloon_inflate", -1) >= 0)
			continue;
		*source = "its driver is loaded";
		if (u && !strcmp(u->balloon_driver, balloons[i].driver))
			return i;
		*source = "the hypervisor";
		if (u && balloons[i].always && strstr(u->hypervisor, balloons[i].hypervisor))
			return i;
		*source = "/proc/vmallocinfo has areas of this hypervisor's drivers";
		if (balloons[i].always && vmalloc_has_caller(l->f->s, balloons[i].caller))
			return i;
	}
	return -1;
}

/* Newer kernels print a line Balloon. The sheet already has it, so it is no suspect. */
static void find_balloon(struct list *l)
{
	double inflated = vmstat_pages(l, "balloon_inflate") - vmstat_pages(l, "balloon_deflate");
	const struct unlisted *u = l->f->unlisted;
	const char *source;
	int i;

	if (named_value_get(&l->f->s->meminfo, "Balloon", -1) > 0)
		return;
	if (inflated > 0) {
		add(l, (struct balance_candidate){"balloon", pages_kb(l, (int64_t)inflated), true,
						  "vmstat balloon_inflate - balloon_deflate",
						  "given back to the hypervisor", ""});
		return;
	}
	if (u && u->balloon_kb >= 0) {
		add(l, (struct balance_candidate){"balloon", (double)u->balloon_kb, true,
						  "the balloon driver's file in debugfs",
						  "given back to the hypervisor", ""});
		return;
	}
	i = balloon_of(l, &source);
	if (i >= 0 && l->f->rest_kb > LARGE_REST * l->f->total_kb)
		add(l, (struct balance_candidate){"balloon", NAN, true, source, balloons[i].explain,
						  ""});
}

/* ---- what other files count ---- */

static void find_mapped(struct list *l, const struct unlisted *u)
{
	add(l, (struct balance_candidate){"perf_rings", (double)u->perf_kb, true, "/proc/PID/maps",
					  "ring buffers of perf events, mapped by processes", ""});
	add(l,
	    (struct balance_candidate){"packet_rings", (double)u->packet_kb, true, "/proc/PID/maps",
				       "rings of packet sockets, mapped by processes", ""});
	add(l, (struct balance_candidate){"io_uring", (double)u->uring_kb, true, "/proc/PID/maps",
					  "queues of io_uring, mapped by processes", ""});
	add_detail(add(l,
		       (struct balance_candidate){
			       "pinned", (double)u->pinned_kb, true, "VmPin of all processes",
			       "pages pinned for devices; those still mapped are in other "
			       "lines",
			       ""}),
		   u->pinned_by);
}

static void find_drivers(struct list *l, const struct unlisted *u)
{
	/* GPUActive and GPUReclaim (7.1 and later) count both. */
	bool gpu_line = named_value_get(&l->f->s->meminfo, "GPUActive", -1) >= 0;

	add(l, (struct balance_candidate){"zfs_arc", (double)u->arc_bytes / 1024, true,
					  "spl/kstat/zfs/arcstats size",
					  "the cache of ZFS (ARC); part of it is slab", ""});
	if (!gpu_line) {
		add(l, (struct balance_candidate){"graphics_gtt", (double)u->gtt_bytes / 1024, true,
						  "drm mem_info_gtt_used",
						  "system memory that AMD graphics use", ""});
		add(l, (struct balance_candidate){"graphics_pool", pages_kb(l, u->ttm_pages), false,
						  "debugfs ttm/page_pool",
						  "free pages that graphics drivers keep", ""});
	}
	add(l, (struct balance_candidate){"page_pools", (double)u->page_pool_bytes / 1024, true,
					  "netlink page-pool-get, this network namespace",
					  "receive buffers of network devices (page pools)", ""});
}

static void find_sites(struct list *l, const struct unlisted *u)
{
	for (size_t i = 0; i < u->nr_sites; i++)
		add_detail(
			add(l,
			    (struct balance_candidate){
				    "alloc_site", (double)u->sites[i].bytes / 1024, true,
				    "allocinfo", "pages allocated at one place in the source", ""}),
			u->sites[i].where);
}

static void find_unlisted(struct list *l, const struct unlisted *u)
{
	add(l, (struct balance_candidate){"sockets", pages_kb(l, u->socket_pages), true,
					  "net/sockstat mem",
					  "TCP and UDP buffers; part of them is slab", ""});
	add(l, (struct balance_candidate){"fragments", (double)u->fragment_bytes / 1024, true,
					  "net/sockstat FRAG memory",
					  "IP fragments; part of them is slab", ""});
	add(l, (struct balance_candidate){"trace_buffers", (double)u->trace_kb, false,
					  "tracing/buffer_total_size_kb",
					  "ring buffers of the kernel's tracer", ""});
	find_mapped(l, u);
	find_drivers(l, u);
	find_sites(l, u);
}

/* Where BPF maps are listed (it takes root): what each has in pages that nothing counts.
 */
static void find_bpf_pages(struct list *l)
{
	const struct bpf_levels *bpf = &l->f->s->bpf;
	const struct bpf_level *top = NULL;
	char detail[UNLISTED_SITE] = "";
	double kb = 0;

	for (size_t i = 0; i < bpf->nr; i++) {
		kb += (double)bpf->items[i].pages / 1024;
		if (!top || bpf->items[i].pages > top->pages)
			top = &bpf->items[i];
	}
	if (top)
		snprintf(detail, sizeof(detail), "most in map %lld, %.48s", (long long)top->id,
			 top->object);
	add_detail(
		add(l, (struct balance_candidate){"bpf_rings", kb, false, "bpf(2), fdinfo of maps",
						  "ring buffers and arenas of BPF programs", ""}),
		detail);
}

/* A ring buffer's data pages are mapped twice, one after the other (kernel/bpf/ringbuf.c). */
static void find_bpf_rings(struct list *l)
{
	double kb = 0;

	for (size_t i = 0; i < l->f->s->vmallocs.nr; i++) {
		const struct vmalloc_level *v = &l->f->s->vmallocs.items[i];

		if (v->kind == VMALLOC_VMAP && strstr(v->caller, "ringbuf") &&
		    !strstr(v->caller, "hv_"))
			kb += (double)v->bytes / 1024 / 2;
	}
	add(l, (struct balance_candidate){"bpf_rings", kb, true, "vmallocinfo, areas of kind vmap",
					  "ring buffers of BPF programs", ""});
}

/* A suspect without a size comes first: it is in the list only if Unaccounted is large. */
static int compare_candidate(const void *a, const void *b)
{
	double x = ((const struct balance_candidate *)a)->kb,
	       y = ((const struct balance_candidate *)b)->kb;

	if (isnan(x) || isnan(y))
		return isnan(y) - isnan(x);
	return (x < y) - (x > y);
}

size_t suspects_find(const struct suspects_facts *f, struct balance_candidate *out)
{
	struct list l = {.f = f, .items = out};
	double zero_pages = vmstat_pages(&l, "thp_zero_page_alloc");

	find_balloon(&l);
	/* At most one exists: the kernel allocates a new one only after it freed the last. */
	add(&l,
	    (struct balance_candidate){"huge_zero_page", zero_pages > 0 ? huge_zero_page_kb(&l) : 0,
				       true, "vmstat thp_zero_page_alloc",
				       "the huge zero page, while any process maps it", ""});
	add(&l,
	    (struct balance_candidate){
		    "memmap", pages_kb(&l, (int64_t)vmstat_pages(&l, "nr_memmap_pages")), true,
		    "vmstat nr_memmap_pages", "page structures of memory added after boot", ""});
	if (f->s->bpf.nr)
		find_bpf_pages(&l);
	else
		find_bpf_rings(&l);
	if (f->unlisted)
		find_unlisted(&l, f->unlisted);
	if (l.nr)
		qsort(out, l.nr, sizeof(out[0]), compare_candidate);
	return l.nr;
}
