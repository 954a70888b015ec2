// SPDX-License-Identifier: GPL-2.0-only
/* Plants in other pools than slab, made by ordinary system calls: areas, threads, page tables, pipe
 * pages. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#include "plant.h"

#define SPREAD (2l << 20) /* what one page of page-table entries maps */

static char *region;

static int region_map(size_t bytes, int prot)
{
	void *p = mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	region = p;
	return 0;
}

/* Map every other page, so that areas do not merge. At most vm.max_map_count. */
static int vma_setup(long count, long size)
{
	int err = region_map((size_t)count * 2 * (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);

	(void)size;
	return err ? err
		   : result(munmap(region, (size_t)count * 2 * (size_t)sysconf(_SC_PAGESIZE)));
}

static int vma_step(long i, long size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(region + (size_t)i * 2 * page, page, PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	(void)size;
	return p == MAP_FAILED ? -errno : 0;
}

static void *park(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static int thread_step(long i, long size)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	(void)i, (void)size;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN > 65536 ? PTHREAD_STACK_MIN : 65536);
	err = pthread_create(&thread, &attr, park, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

/* Reading maps only the zero page, so nothing but the page table is allocated. */
static int sparse_setup(long count, long size)
{
	size_t bytes = (size_t)(count + 1) * SPREAD;
	int err = region_map(bytes, PROT_READ | PROT_WRITE);

	(void)size;
	if (err)
		return err;
	region = (char *)(((unsigned long)region + SPREAD - 1) & ~(unsigned long)(SPREAD - 1));
	madvise(region, bytes - SPREAD, MADV_NOHUGEPAGE); /* fails if there are no huge pages */
	return 0;
}

static int sparse_step(long i, long size)
{
	(void)size;
	return *(volatile char *)(region + i * SPREAD) ? -EIO : 0;
}

static int pipedata_step(long i, long size)
{
	static char data[65536];
	int fds[2];

	(void)i;
	if (size > (long)sizeof(data))
		return -EINVAL;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	return write(fds[1], data, (size_t)size) == size ? 0 : -ENOSPC;
}

const struct kind memory_kinds[] = {
	{"vma", "memory areas (mmap), at most vm.max_map_count", "vm_area_struct",
	 "vm_area_alloc,mmap_region,__mmap_region", "mmap", 0, vma_setup, vma_step, NULL},
	{"thread", "parked threads (kernel stacks)", "-", "copy_process,kernel_clone", "clone", 0,
	 NULL, thread_step, NULL},
	{"sparse", "page tables: one page touched in each 2 MiB", "-", "__pte_alloc,pte_alloc_one",
	 "page-fault", 4096, sparse_setup, sparse_step, NULL},
	{"pipedata", "pipes filled with --size bytes (pages in no meminfo line)", "-",
	 "pipe_write,anon_pipe_write", "write", 65536, NULL, pipedata_step, NULL},
	{0},
};
