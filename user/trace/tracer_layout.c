// SPDX-License-Identifier: GPL-2.0-only
/*
 * Learns where the kernel keeps struct page and each CPU's variables. This file makes allocations,
 * and the audit's programs observe them. The audit calls it once through tracer_learn_layout(). It
 * must never guess: unless enough slabs agree, there is no audit.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/log.h"
#include "trace/tracer_internal.h"

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

static int pages_learn(struct tracer *t)
{
	const volatile struct kmt_audit *a = t->tables.audit;
	struct bpf_program *program = tracer_pages_program(t);
	struct bpf_link *link = bpf_program__attach(program);
	int err = libbpf_get_error(link);

	if (err)
		return err;
	pages_vote(a, program == t->skel->progs.audit_pages_old);
	bpf_link__destroy(link);
	log_debug("where struct page is: %llu slabs for it, %llu against it, %llu pages seen",
		  (unsigned long long)a->page_for, (unsigned long long)a->page_against,
		  (unsigned long long)a->seen_nr);
	if (a->page_for < PAGES_AGREE || a->page_against)
		return -ENOTSUP;
	__atomic_store_n(&t->skel->bss->page_base, a->page_base, __ATOMIC_SEQ_CST);
	return 0;
}

int tracer_learn_layout(struct tracer *t)
{
	const uint64_t none[3] = {0};
	int err, known = 0;

	if (!plan_audits(t->plan))
		return -ENOTSUP;
	err = pages_learn(t);
	/* an offline CPU returns an error; it has no objects on its free lists */
	for (int cpu = 0; cpu < t->nr_cpus && !err; cpu++)
		known += !tracer_run(t, TRACER_AUDIT_CPU, none, cpu);
	return err ?: known ? 0 : -ENOTSUP;
}
