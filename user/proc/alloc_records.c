// SPDX-License-Identifier: GPL-2.0-only
/* Reads what the kernel itself says about its allocations: see alloc_records.h. */
#include "proc/alloc_records.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file_read.h"
#include "base/units.h"
#include "proc/alloc_paths.h"
#include "proc/allocinfo.h"

#define DEBUG_DIR "kernel/debug"

struct timed_reading {
	struct alloc_paths_sum *sum;
	uint64_t until_ns;
};

static ssize_t take_in_time(const char *buf, size_t len, bool last, void *arg)
{
	const struct timed_reading *r = arg;
	ssize_t taken = alloc_paths_take(buf, len, last, r->sum);

	return taken >= 0 && clock_ns() > r->until_ns ? -ETIME : taken;
}

/* A file, and what its call paths are of. */
struct paths_file {
	char path[PATH_MAX];
	enum alloc_format format;
	uint64_t unit;
	struct alloc_path like;
	size_t most;
	uint64_t until_ns;
};

/* Returns 0, −ENOENT: there is none, −ENOMEM, −ETIME: its beginning was read, or another −errno. */
static int paths_file_read(const struct paths_file *f, struct alloc_paths *out,
			   struct alloc_source *about)
{
	_cleanup_close_ int fd = file_open(f->path);
	struct timed_reading r = {.until_ns = f->until_ns};
	int err, end;

	if (fd < 0)
		return fd;
	r.sum = alloc_paths_new(f->format, f->unit);
	if (!r.sum)
		return -ENOMEM;
	err = file_read_pieces(fd, take_in_time, &r);
	end = err == -ENOMEM ? err : alloc_paths_end(r.sum, &f->like, f->most, out, about);
	alloc_paths_sum_free(r.sum);
	return end ?: err;
}

static uint64_t paths_deadline(void)
{
	return clock_ns() + (uint64_t)(ALLOC_PATHS_S * 1e9);
}

static int source_push(struct alloc_records *r, const struct alloc_source *about)
{
	struct alloc_source *s = ARRAY_PUSH(&r->sources);

	if (!s)
		return -ENOMEM;
	*s = *about;
	return 0;
}

/* ---- pages ---- */

/* What the kernel has added up itself; then page_owner is not needed. */
static int stacks_read(const char *sys_root, struct paths_file *f, struct alloc_records *r,
		       struct alloc_source *about)
{
	char dir[PATH_MAX], least[24];
	int err;

	snprintf(dir, sizeof(dir), "%s/" DEBUG_DIR "/page_owner_stacks", sys_root);
	if (snprintf(f->path, sizeof(f->path), "%s/show_stacks", dir) >= (int)sizeof(f->path))
		return -ENAMETOOLONG;
	f->format = ALLOC_FORMAT_STACKS;
	err = paths_file_read(f, &r->paths, about);
	if (!err && !file_read_line(dir, "count_threshold", least, sizeof(least)) &&
	    atoi(least) > 1)
		alloc_source_lacks(about,
				   "Call paths with less than %d pages are missing, because "
				   "page_owner_stacks/count_threshold says so.",
				   atoi(least));
	return err;
}

static int pages_read(const char *sys_root, struct alloc_records *r)
{
	struct paths_file f = {.unit = (uint64_t)sysconf(_SC_PAGESIZE),
			       .like = {.source = ALLOC_PAGES},
			       .most = ALLOC_PATHS_KEPT,
			       .until_ns = paths_deadline()};
	struct alloc_source about = {.name = ALLOC_PAGES};
	char read[UNITS_MAX];
	int err = stacks_read(sys_root, &f, r, &about);

	if (err == -ENOMEM)
		return err;
	if (!about.bytes) { /* before 6.10 */
		about = (struct alloc_source){.name = ALLOC_PAGES};
		snprintf(f.path, sizeof(f.path), "%s/" DEBUG_DIR "/page_owner", sys_root);
		f.format = ALLOC_FORMAT_PAGES;
		f.until_ns = paths_deadline();
		err = paths_file_read(&f, &r->paths, &about);
	}
	if (err == -ENOENT)
		return 0;
	if (err == -ENOMEM)
		return err;
	units_bytes(read, (double)about.bytes);
	if (err == -ETIME)
		alloc_source_lacks(
			&about,
			"Reading it stopped after %.0f s, at %s of pages%s, so this says nothing "
			"about the rest.",
			ALLOC_PATHS_S, read,
			f.format == ALLOC_FORMAT_PAGES ? " in the order of their addresses" : "");
	else if (err)
		alloc_source_lacks(&about, "Reading it failed after %s of pages: %s.", read,
				   strerror(-err));
	return source_push(r, &about);
}

/* ---- objects ---- */

/* Of which caches nothing was read, and why. */
struct traces_missing {
	const struct census_cache *large; /* the first of them: the largest */
	size_t nr_large, nr_late, nr_failed;
	double large_objects;
	int err;
};

static void traces_lack(const struct traces_missing *m, struct alloc_source *about)
{
	if (m->nr_large)
		alloc_source_lacks(
			about,
			"Of %zu caches, nothing was read, because they have so many "
			"objects that interrupts would be off for too long: %s has %.0f.",
			m->nr_large, m->large->name, m->large_objects);
	if (m->nr_late)
		alloc_source_lacks(about, "For %zu caches, there was no time.", m->nr_late);
	if (m->nr_failed)
		alloc_source_lacks(about, "%zu caches could not be read: %s.", m->nr_failed,
				   strerror(-m->err));
}

static int cache_read(const struct census *c, const struct census_cache *cache,
		      struct paths_file *f, struct traces_missing *missing, struct alloc_records *r,
		      struct alloc_source *about)
{
	double objects = cache->used.sum * (double)c->units / (double)c->counted;
	int err;

	if (access(f->path, F_OK))
		return -ENOENT;
	if (objects > ALLOC_OBJECTS_MOST) {
		if (!missing->nr_large++) {
			missing->large = cache;
			missing->large_objects = objects;
		}
		return 0;
	}
	if (clock_ns() > f->until_ns) {
		missing->nr_late++;
		return 0;
	}
	err = paths_file_read(f, &r->paths, about);
	if (err == -ENOMEM)
		return err;
	if (err && err != -ETIME) {
		missing->nr_failed++;
		missing->err = err;
	}
	missing->nr_late += err == -ETIME;
	return 0;
}

static int compare_paths(const void *x, const void *y)
{
	const struct alloc_path *a = x, *b = y;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return strcmp(a->cache, b->cache) ?: strcmp(a->frames, b->frames);
}

static int slabs_read(const char *sys_root, const struct census *c, struct alloc_records *r)
{
	struct paths_file f = {.format = ALLOC_FORMAT_SLAB,
			       .like = {.source = ALLOC_SLABS},
			       .most = ALLOC_PATHS_CACHE,
			       .until_ns = paths_deadline()};
	struct alloc_source about = {.name = ALLOC_SLABS};
	struct traces_missing missing = {0};
	size_t first = r->paths.nr;
	bool any = false;

	for (size_t i = 0; i < c->caches.nr; i++) {
		const struct census_cache *cache = &c->caches.items[i];
		int err;

		if (strchr(cache->name, '/') ||
		    snprintf(f.path, sizeof(f.path), "%s/" DEBUG_DIR "/slab/%s/alloc_traces",
			     sys_root, cache->name) >= (int)sizeof(f.path))
			continue;
		f.unit = cache->object_bytes;
		snprintf(f.like.cache, sizeof(f.like.cache), "%s", cache->name);
		err = cache_read(c, cache, &f, &missing, r, &about);
		if (err == -ENOMEM)
			return err;
		any |= !err;
	}
	if (!any)
		return 0;
	if (r->paths.nr > first)
		qsort(r->paths.items + first, r->paths.nr - first, sizeof(*r->paths.items),
		      compare_paths);
	if (r->paths.nr > first + ALLOC_PATHS_KEPT)
		r->paths.nr = first + ALLOC_PATHS_KEPT;
	traces_lack(&missing, &about);
	return source_push(r, &about);
}

int alloc_records_read(const char *proc_root, const char *sys_root, bool paths, struct census *c)
{
	struct alloc_source about = {0};
	struct alloc_records r = {0};
	int err = alloc_sites_read(proc_root, &r.sites, &about);

	if (err != -ENOMEM)
		err = err ? 0 : source_push(&r, &about);
	if (paths)
		err = err ?: pages_read(sys_root, &r) ?: slabs_read(sys_root, c, &r);
	if (err)
		alloc_records_free(&r);
	else
		c->records = r;
	return err;
}

/* ---- what there is ---- */

static bool has_entries(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			return true;
	return false;
}

void alloc_uses_read(const char *proc_root, const char *sys_root, struct alloc_uses *out)
{
	enum alloc_use missing = ALLOC_UNKNOWN;
	char path[PATH_MAX];
	struct statfs fs;

	snprintf(path, sizeof(path), "%s/allocinfo", proc_root);
	out->sites = access(path, F_OK)               ? ALLOC_ABSENT
		     : alloc_sites_counted(proc_root) ? ALLOC_ON
						      : ALLOC_OFF;
	snprintf(path, sizeof(path), "%s/" DEBUG_DIR, sys_root);
	if (!statfs(path, &fs) && fs.f_type == DEBUGFS_MAGIC)
		missing = ALLOC_ABSENT;
	snprintf(path, sizeof(path), "%s/" DEBUG_DIR "/page_owner", sys_root);
	out->pages = access(path, F_OK) ? missing : ALLOC_ON;
	snprintf(path, sizeof(path), "%s/" DEBUG_DIR "/slab", sys_root);
	out->slabs = access(path, F_OK) ? missing : has_entries(path) ? ALLOC_ON : ALLOC_OFF;
}
