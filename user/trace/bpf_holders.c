// SPDX-License-Identifier: GPL-2.0-only
/* Looks for what keeps BPF objects: see bpf_holders.h. What goes away meanwhile is skipped. */
#include "trace/bpf_holders.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/path_queue.h"
#include "base/text.h"
#include "proc/mounts.h"

#define MAPS_OF_PROGRAM 64
/*
 * Each descriptor that is read leaves a dentry and an inode of procfs behind, about 900 bytes,
 * until the process ends or memory is reclaimed. This limit keeps the sum to 18 MB.
 */
#define DESCRIPTORS_MAX 20000
#define MOUNTS_MAX      16   /* of bpffs */
#define PINS_MAX        4096 /* files and directories looked at in one bpffs */

double bpf_clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int64_t bpf_fdinfo_number(const char *pid, int fd, const char *name)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, line, word;
	char path[64];
	int64_t value;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%d", pid, fd);
	if (file_read(path, &buf, &len))
		return -1;
	rest = (struct text){buf, len};
	while (text_line(&rest, &line))
		if (text_word(&line, &word) && text_is(word, name))
			return text_word(&line, &word) && text_count(word, INT64_MAX, &value)
				       ? value
				       : -1;
	return -1;
}

/* Beyond BPF_OBJECTS_MAX holders further ones are left out. */
static int bpf_holder_add(const struct bpf_holder *holder, const char *name,
			  struct bpf_holders *out)
{
	struct bpf_holder *h;
	size_t len = strlen(name), room = sizeof(h->name) - 1 - strlen("…");

	if (out->nr >= BPF_OBJECTS_MAX)
		return 0;
	h = ARRAY_PUSH(out);
	if (!h)
		return -ENOMEM;
	*h = *holder;
	if (len < sizeof(h->name))
		memcpy(h->name, name, len + 1);
	else
		snprintf(h->name, sizeof(h->name), "…%s", name + len - room);
	return 0;
}

int bpf_holders_of_program(int fd, uint32_t id, const char *name, struct bpf_holders *out)
{
	__u32 maps[MAPS_OF_PROGRAM] = {0};
	struct bpf_prog_info info = {.nr_map_ids = MAPS_OF_PROGRAM, .map_ids = (uintptr_t)maps};
	__u32 len = sizeof(info);
	char shown[BPF_OBJ_NAME_LEN + 1];
	int err = 0;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	snprintf(shown, sizeof(shown), "%.*s", BPF_OBJ_NAME_LEN, name);
	for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_OF_PROGRAM && !err; i++)
		err = bpf_holder_add(&(struct bpf_holder){.kind = BPF_KIND_MAP,
							  .id = maps[i],
							  .how = BPF_HELD_BY_PROGRAM,
							  .holder = id},
				     shown, out);
	return err;
}

/* Add a row for an open descriptor if it refers to a map, a program or a link to a program. */
static int descriptor_add(const char *pid, int fd, const struct bpf_holder *like,
			  const char *holder, struct bpf_holders *out)
{
	struct bpf_holder h = *like;

	h.kind = BPF_KIND_MAP;
	h.id = bpf_fdinfo_number(pid, fd, "map_id:");
	if (h.id < 0) {
		h.kind = BPF_KIND_PROGRAM;
		h.id = bpf_fdinfo_number(pid, fd, "prog_id:");
	}
	return h.id < 0 || h.id > UINT32_MAX ? 0 : bpf_holder_add(&h, holder, out);
}

/* ---- processes ---- */

static bool is_bpf_link(int dir_fd, const char *name)
{
	char target[64];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);

	/* "anon_inode:bpf-map", "anon_inode:bpf_link" */
	return n > 0 && (target[n] = '\0', !strncmp(target, "anon_inode:bpf", 14));
}

static int process_read(const char *pid, size_t *budget, struct bpf_holders *out)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	char path[64], comm[64];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	snprintf(path, sizeof(path), "/proc/%.20s", pid);
	while (!err && *budget && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		--*budget;
		if (!is_bpf_link(dirfd(dir), entry->d_name))
			continue;
		(void)file_read_line(path, "comm", comm, sizeof(comm));
		err = descriptor_add(
			pid, atoi(entry->d_name),
			&(struct bpf_holder){.how = BPF_HELD_BY_PROCESS, .holder = atoi(pid)}, comm,
			out);
	}
	return err;
}

int bpf_holders_of_process(int pid, struct bpf_holders *out)
{
	size_t budget = DESCRIPTORS_MAX;
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	return process_read(name, &budget, out);
}

static int processes_read(int own_pid, double deadline_s, struct bpf_holders *out)
{
	size_t budget = DESCRIPTORS_MAX;
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int err = 0;

	while (proc && !err && budget && bpf_clock_s() < deadline_s && (entry = readdir(proc)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9' &&
		    atoi(entry->d_name) != own_pid)
			err = process_read(entry->d_name, &budget, out);
	return err;
}

/* ---- pins ---- */

/*
 * Read a pinned object. Opening other files of a bpffs (iterators, symbolic links) in this way
 * fails.
 */
static int pin_read(const char *path, struct bpf_holders *out)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);
	_cleanup_close_ int fd = bpf_obj_get_opts(path, &opts);

	if (fd < 0)
		fd = bpf_obj_get(path); /* programs and links do not accept the flag */
	if (fd < 0)
		return 0;
	return descriptor_add("self", fd, &(struct bpf_holder){.how = BPF_HELD_BY_PIN}, path, out);
}

static int pins_visit(struct path_queue *q, size_t i, struct bpf_holders *out)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	int fd = open(q->items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), err = 0;

	if (fd < 0)
		return pin_read(q->items[i], out);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return 0;
	}
	while (!err && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			err = path_queue_add(q, q->items[i], entry->d_name);
	return err;
}

static int bpffs_read(const char *mount, double deadline_s, struct bpf_holders *out)
{
	_cleanup_(path_queue_free) struct path_queue q = {.most = PINS_MAX};
	int err = path_queue_add(&q, mount, "");

	for (size_t i = 0; i < q.nr && !err && bpf_clock_s() < deadline_s; i++)
		err = pins_visit(&q, i, out);
	return err;
}

/* Every bpffs that is mounted here. Those of other mount namespaces are not seen. */
static int pins_read(double deadline_s, struct bpf_holders *out)
{
	struct mount_query q = {"/proc", "bpf", "", 0};
	char mount[PATH_MAX];
	int err = 0;

	for (; q.nth < MOUNTS_MAX && !err && !mount_find_nth(&q, mount, sizeof(mount)); q.nth++)
		err = bpffs_read(mount, deadline_s, out);
	return err;
}

/* ---- links ---- */

static int links_read(double deadline_s, struct bpf_holders *out)
{
	__u32 id = 0;
	int err = 0;

	while (!err && bpf_clock_s() < deadline_s && !bpf_link_get_next_id(id, &id)) {
		_cleanup_close_ int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info info = {0};
		__u32 len = sizeof(info);
		const char *type;

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			continue;
		type = libbpf_bpf_link_type_str(info.type);
		err = bpf_holder_add(&(struct bpf_holder){.kind = BPF_KIND_PROGRAM,
							  .id = info.prog_id,
							  .how = BPF_HELD_BY_LINK,
							  .holder = id},
				     type ?: "link", out);
	}
	return err;
}

int bpf_holders_read(int own_pid, double deadline_s, struct bpf_holders *out)
{
	int err = processes_read(own_pid, deadline_s, out);

	err = err ?: pins_read(deadline_s, out);
	return err ?: links_read(deadline_s, out);
}
