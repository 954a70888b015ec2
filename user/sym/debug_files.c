// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where debug information is: see debug_files.h. Debian has DIR/boot/vmlinux-RELEASE and
 * DIR/lib/modules/RELEASE/…/NAME.ko; Fedora DIR/lib/modules/RELEASE/vmlinux and NAME.ko.debug;
 * SUSE adds ".debug" to all of them; elfutils and gdb look in DIR/.build-id; a kernel build has
 * vmlinux and NAME.ko anywhere below its own directory.
 */
#include "sym/debug_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/vformat.h"

#define DIRS_MOST    20000
#define ENTRIES_MOST 400000 /* a tree that somebody else filled must not take long to walk */
#define MODULES_MOST 50000

/* A name that is one component of a path. */
static bool is_component(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) < NAME_MAX;
}

static const char *debug_dir_of(const struct debug_files *d)
{
	return d->debug_dir ?: DEBUG_DIR;
}

__attribute__((format(printf, 2, 3))) static int path_add_to(struct path_queue *out,
							     const char *fmt, ...)
{
	_cleanup_free_ char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	path = vformat(fmt, ap);
	va_end(ap);
	if (!path)
		return -ENOMEM;
	return strlen(path) >= PATH_MAX ? 0 : path_queue_add(out, path, "");
}

/* ---- modules: found by their names ---- */

/* Is the file "NAME.ko" or "NAME.ko.debug"? Files may have '-' where the kernel has '_'. */
static bool is_module_file(const char *file, const char *module)
{
	size_t len = strlen(module);

	for (size_t i = 0; i < len; i++)
		if (file[i] != module[i] && !(file[i] == '-' && module[i] == '_'))
			return false;
	return !strcmp(file + len, ".ko") || !strcmp(file + len, ".ko.debug");
}

static bool is_any_module(const char *file)
{
	size_t len = strlen(file);

	return (len > 3 && !strcmp(file + len - 3, ".ko")) ||
	       (len > 9 && !strcmp(file + len - 9, ".ko.debug"));
}

/* Not every file system says what an entry is. Symbolic links are not followed. */
static bool is_directory(DIR *dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return !fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

static int walk_one(struct debug_files *d, struct path_queue *dirs, const char *path,
		    size_t *entries)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *e;
	int err = 0;

	while (!err && dir && *entries < ENTRIES_MOST && (e = readdir(dir))) {
		(*entries)++;
		if (e->d_name[0] == '.')
			continue;
		if (is_directory(dir, e))
			err = path_queue_add(dirs, path, e->d_name);
		else if (is_any_module(e->d_name))
			err = path_queue_add(&d->modules, path, e->d_name);
	}
	return err;
}

static int walk_modules(struct debug_files *d)
{
	_cleanup_(path_queue_free) struct path_queue dirs = {.most = DIRS_MOST};
	size_t entries = 0;
	int err = 0;

	if (d->walked)
		return 0;
	d->modules.most = MODULES_MOST;
	if (d->debug_dir)
		err = path_queue_add(&dirs, d->debug_dir, "");
	if (!d->debug_dir && is_component(d->release))
		err = path_add_to(&dirs, "%s/lib/modules/%s", DEBUG_DIR, d->release)
			      ?: path_add_to(&dirs, "%s/usr/lib/modules/%s", DEBUG_DIR, d->release);
	if (!err && is_component(d->release))
		err = path_add_to(&dirs, "%s/lib/modules/%s", d->root, d->release);
	for (size_t i = 0; !err && i < dirs.nr; i++)
		err = walk_one(d, &dirs, dirs.items[i], &entries);
	d->walked = !err;
	return err;
}

static int find_module(struct debug_files *d, const char *module, struct path_queue *out)
{
	int err = walk_modules(d);

	for (size_t i = 0; !err && i < d->modules.nr; i++) {
		const char *path = d->modules.items[i];

		if (is_module_file(strrchr(path, '/') + 1, module))
			err = path_queue_add(out, path, "");
	}
	return err;
}

/* ---- the kernel: at fixed places ---- */

static int find_kernel(const struct debug_files *d, struct path_queue *out)
{
	static const char *const suffixes[] = {"", ".debug"};
	const char *dir = debug_dir_of(d), *root = d->root, *release = d->release;
	int err = 0;

	for (size_t i = 0; !err && i < 2 && is_component(release); i++) {
		const char *s = suffixes[i];

		err = path_add_to(out, "%s/boot/vmlinux-%s%s", dir, release, s)
			      ?: path_add_to(out, "%s/lib/modules/%s/vmlinux%s", dir, release, s)
			      ?: path_add_to(out, "%s/usr/lib/modules/%s/vmlinux%s", dir, release,
					     s)
			      ?: path_add_to(out, "%s/vmlinux-%s%s", dir, release, s);
		err = err ?: path_add_to(out, "%s/boot/vmlinux-%s%s", root, release, s);
	}
	if (!err && is_component(release))
		err = path_add_to(out, "%s/lib/modules/%s/build/vmlinux", root, release)
			      ?: path_add_to(out, "%s/lib/modules/%s/vmlinux", root, release);
	return err ?: path_add_to(out, "%s/vmlinux", dir);
}

int debug_files_find(struct debug_files *d, const char *module, const char *build_id,
		     struct path_queue *out)
{
	size_t digits = strspn(build_id, "0123456789abcdef");
	int err = 0;

	if (digits > 4 && !build_id[digits])
		err = path_add_to(out, "%s/.build-id/%.2s/%s.debug", debug_dir_of(d), build_id,
				  build_id + 2);
	if (err)
		return err;
	if (!strcmp(module, "vmlinux"))
		return find_kernel(d, out);
	return is_component(module) ? find_module(d, module, out) : 0;
}

void debug_files_free(struct debug_files *d)
{
	path_queue_free(&d->modules);
	d->walked = false;
}

char *debug_files_places(const struct debug_files *d)
{
	char *places;

	return asprintf(&places, "%s, %s/boot and %s/lib/modules/%s", debug_dir_of(d), d->root,
			d->root, is_component(d->release) ? d->release : "RELEASE") < 0
		       ? NULL
		       : places;
}
