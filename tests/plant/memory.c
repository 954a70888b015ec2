// SPDX-License-Identifier: GPL-2.0-only
/* Plants in other pools than slab, made by ordinary system calls: areas, threads, page tables, pipe
 * pages, perf rings. */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "plant.h"

/* What one page of page-table entries maps: 2 MiB with pages of 4 KiB. */
static size_t spread(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return page / 8 * page;
}

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
	size_t bytes = (size_t)(count + 1) * spread();
	int err = region_map(bytes, PROT_READ | PROT_WRITE);

	(void)size;
	if (err)
		return err;
	region = (char *)(((unsigned long)region + spread() - 1) & ~(spread() - 1));
	madvise(region, bytes - spread(), MADV_NOHUGEPAGE); /* fails if there are no huge pages */
	return 0;
}

static int sparse_step(long i, long size)
{
	(void)size;
	return *(volatile char *)(region + (size_t)i * spread()) ? -EIO : 0;
}

/* Many processes map one shared file of --size bytes, with pages of 4 KiB: the pages exist once,
 * but each process has its own page tables. */
static int shared_file = -1;

static int mapshare_setup(long count, long size)
{
	char *p;

	(void)count;
	shared_file = (int)syscall(SYS_memfd_create, "plant", 1);
	if (shared_file < 0 || ftruncate(shared_file, size))
		return -errno;
	p = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, shared_file,
		 0);
	return p == MAP_FAILED ? -errno : result(munmap(p, (size_t)size));
}

static int mapshare_step(long i, long size)
{
	pid_t parent = getpid(), child;
	int done[2];
	char c;

	(void)i;
	if (pipe2(done, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child == 0) {
		volatile char *p = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, shared_file, 0);

		/* it must not outlive its parent, even if the parent is killed */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent || p == MAP_FAILED)
			_exit(1);
		for (long at = 0; at < size; at += sysconf(_SC_PAGESIZE))
			(void)p[at];
		if (write(done[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(done[1]);
	if (child > 0) /* end of file without a byte: the child failed */
		errno = read(done[0], &c, 1) == 1 ? 0 : ENOMEM;
	close(done[0]);
	return -errno;
}

/* The ring of a software event that never happens; the kernel adds one page for its header. */
static int perf_step(long i, long size)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_DUMMY,
				       .disabled = 1};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	void *p;

	(void)i;
	if (fd < 0)
		return -errno;
	p = mmap(NULL, (size_t)size + (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		 MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? -errno : 0;
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
	{"sparse", "page tables, one for each touched page", "-", "__pte_alloc,pte_alloc_one",
	 "page-fault", 4096, sparse_setup, sparse_step, NULL},
	{"mapshare", "processes that map one shared file of --size bytes (page tables)", "-",
	 "__pte_alloc,pte_alloc_one", "mmap", 128 << 20, mapshare_setup, mapshare_step, NULL},
	{"perf", "perf rings of --size bytes (pages in no meminfo line)", "-",
	 "perf_mmap,rb_alloc,perf_mmap_alloc_page", "mmap", 512 << 10, NULL, perf_step, NULL},
	{"pipedata", "pipes filled with --size bytes (pages in no meminfo line)", "-",
	 "pipe_write,anon_pipe_write", "write", 65536, NULL, pipedata_step, NULL},
	{"pipebuffers", "pipes filled with --size bytes: their arrays of buffers", "kmalloc*",
	 "pipe_buffer[]", "pipe2", 16384, NULL, pipedata_step, NULL},
	{0},
};
