// SPDX-License-Identifier: GPL-2.0-only
/* Makes the allocations that show where struct page is: see layout.h. */
#include "trace/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdlib.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/log.h"
#include "trace/program.h"

#define PAGES_AGREE     16 /* slabs that must agree on the place of struct page */
#define PAGES_TRIES     1000
#define PAGES_TRIES_OLD 20
#define AREAS           1024 /* see slabs_grow() */

/* Allocate and free in a few caches, so that audit_pages observes them. */
static void caches_touch(void)
{
	int fds[2];

	if (!pipe2(fds, O_CLOEXEC)) {
		close(fds[0]);
		close(fds[1]);
	}
	close(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
	munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
}

/*
 * For audit_pages_old: fill new slabs with vm_area_structs (a page whose protection differs from
 * its neighbours' has its own), free some of them, which leaves their slabs partial, then allocate
 * more pages for it to observe. The remaining areas stay mapped, so that the next call needs new
 * slabs again.
 */
static void slabs_grow(char *areas)
{
	size_t page = sysconf(_SC_PAGESIZE), bytes = AREAS * page;

	for (size_t i = 0; i < bytes; i += 2 * page)
		mprotect(areas + i, page, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < bytes / 2; i += 2 * page)
		munmap(areas + i, page);
	for (size_t i = bytes / 2; i < bytes / 2 + 4 * KMT_SEEN * page; i += 2 * page)
		areas[i] = 1;
}

/* Make allocations until enough slabs agree where struct page is. */
static void pages_vote(const volatile struct kmt_audit *a, bool old)
{
	size_t bytes = PAGES_TRIES_OLD * AREAS * sysconf(_SC_PAGESIZE);
	int tries = old ? PAGES_TRIES_OLD : PAGES_TRIES;
	char *areas = NULL;

	if (old)
		areas = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			     -1, 0);
	if (areas == MAP_FAILED)
		return;
	for (int i = 0; i < tries && a->page_for < PAGES_AGREE && !a->page_against; i++)
		old ? slabs_grow(areas + i * (bytes / PAGES_TRIES_OLD)) : caches_touch();
	if (old)
		munmap(areas, bytes);
}

int layout_learn_pages(const struct layout_programs *p, uint64_t *page_base)
{
	struct bpf_link *link = bpf_program__attach(p->pages);
	int err = (int)libbpf_get_error(link);

	if (err)
		return err;
	pages_vote(p->audit, p->old);
	bpf_link__destroy(link);
	log_debug("where struct page is: %llu slabs for it, %llu against it, %llu pages seen",
		  (unsigned long long)p->audit->page_for,
		  (unsigned long long)p->audit->page_against,
		  (unsigned long long)p->audit->seen_nr);
	if (p->audit->page_for < PAGES_AGREE || p->audit->page_against)
		return -ENOTSUP;
	*page_base = p->audit->page_base;
	return 0;
}

/* ---- frame numbers ---- */

#define OWN_PAGES     64
#define OWN_TRIES     4
#define PAGEMAP_FRAME ((UINT64_C(1) << 55) - 1) /* Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_THERE (UINT64_C(1) << 63)

static int compare_base(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

uint64_t layout_vote(const uint64_t *pages, size_t nr_pages, const uint64_t *frames,
		     size_t nr_frames, uint32_t page_bytes)
{
	_cleanup_free_ uint64_t *bases = calloc(nr_pages * nr_frames + 1, sizeof(*bases));
	size_t nr = nr_pages * nr_frames, most = 0;
	uint64_t best = 0;

	for (size_t i = 0; bases && i < nr; i++)
		bases[i] = pages[i / nr_frames] - frames[i % nr_frames] * page_bytes;
	if (!bases || !nr)
		return 0;
	qsort(bases, nr, sizeof(*bases), compare_base);
	for (size_t i = 0, same; i < nr; i += same) {
		for (same = 1; i + same < nr && bases[i + same] == bases[i];)
			same++;
		if (same > most) {
			most = same;
			best = bases[i];
		}
	}
	return 2 * most >= nr_frames ? best : 0;
}

/*
 * Touch new pages and read their frame numbers. *nr counts those that are known. Returns 0, −EPERM
 * if the numbers are hidden, or −errno.
 */
static int own_frames(const char *pages, uint64_t frames[OWN_PAGES], size_t *nr)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t page = sysconf(_SC_PAGESIZE);
	uint64_t entries[OWN_PAGES];
	ssize_t got;
	bool hidden = false;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < OWN_PAGES; i++)
		*(volatile char *)(pages + i * page) = 1;
	got = pread(fd, entries, sizeof(entries), (off_t)((uintptr_t)pages / page * 8));
	if (got < 0)
		return -errno;
	*nr = 0;
	for (size_t i = 0; i < (size_t)got / sizeof(entries[0]); i++) {
		if (!(entries[i] & PAGEMAP_THERE))
			continue;
		hidden |= !(entries[i] & PAGEMAP_FRAME);
		frames[(*nr)++] = entries[i] & PAGEMAP_FRAME;
	}
	return hidden ? -EPERM : 0;
}

/* Map new pages, touch them, and compare what the kernel and the programs say of them. */
static int frames_vote(const struct layout_frames *p, uint64_t *frame_base)
{
	size_t bytes = OWN_PAGES * sysconf(_SC_PAGESIZE), nr = 0, seen;
	uint64_t frames[OWN_PAGES] = {0}, pages[KMT_CENSUS_SEEN] = {0};
	char *own = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	if (own == MAP_FAILED)
		return -errno;
	madvise(own, bytes, MADV_NOHUGEPAGE); /* each page is allocated by itself */
	p->census->seen_nr = 0;
	err = own_frames(own, frames, &nr);
	munmap(own, bytes);
	if (err)
		return err;
	seen = p->census->seen_nr < KMT_CENSUS_SEEN ? p->census->seen_nr : KMT_CENSUS_SEEN;
	for (size_t i = 0; i < seen; i++)
		pages[i] = p->census->seen[i];
	*frame_base = layout_vote(pages, seen, frames, nr, p->census->page_bytes);
	log_debug("where frame 0 is: %zu frames and %zu pages seen, %s", nr, seen,
		  *frame_base ? "they agree" : "they disagree");
	return *frame_base ? 0 : -EAGAIN;
}

int layout_learn_frames(const struct layout_frames *p, uint64_t *frame_base)
{
	const uint64_t none[3] = {0};
	struct bpf_link *link;
	uint64_t base = 0;
	int err = program_call(p->self, none);

	if (err)
		return err;
	link = bpf_program__attach(p->seen);
	err = (int)libbpf_get_error(link);
	if (err)
		return err;
	for (int try = 0; try < OWN_TRIES; try++) {
		err = frames_vote(p, &base);
		if (err != -EAGAIN)
			break;
	}
	bpf_link__destroy(link);
	if (!err)
		*frame_base = base;
	return err == -EAGAIN ? -ENOTSUP : err;
}

int layout_learn_cpus(const struct layout_programs *p)
{
	const uint64_t none[3] = {0};
	int known = 0;

	/* an offline CPU returns an error; it has no objects on its free lists */
	for (int cpu = 0; cpu < p->nr_cpus; cpu++)
		known += !program_call_on(p->cpu, none, cpu);
	return known ? 0 : -ENOTSUP;
}

/* The file says "0-3", "0,2" or "0". */
uint32_t nodes_possible(const char *sys_root)
{
	char line[128];
	size_t last;

	if (file_read_line(sys_root, "devices/system/node/possible", line, sizeof(line)))
		return 1; /* no NUMA */
	for (last = strlen(line); last > 0 && line[last - 1] >= '0' && line[last - 1] <= '9';)
		last--;
	return atoi(line + last) + 1;
}
