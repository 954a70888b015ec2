// SPDX-License-Identifier: GPL-2.0-only
/* Namespaces of processes: see namespaces.h. */
#include "proc/namespaces.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PROCESSES_MOST 65536
#define PID_NAMESPACE_FIRST \
	0xEFFFFFFCu /* its inode: PROC_PID_INIT_INO of include/linux/proc_ns.h, since 3.8 */

/* The number in the target of PID/ns/NAME, such as "net:[4026531840]"; 0 if there is none. */
static uint32_t namespace_number(int proc, const char *pid, const char *name)
{
	char path[64], target[64];
	unsigned int number;
	ssize_t len;

	snprintf(path, sizeof(path), "%.16s/ns/%s", pid, name);
	len = readlinkat(proc, path, target, sizeof(target) - 1);
	if (len <= 0)
		return 0;
	target[len] = '\0';
	return sscanf(target, "%*[a-z]:[%u]", &number) == 1 ? number : 0;
}

static void comm_read(int proc, const char *pid, char comm[16])
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%.16s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, comm, 15);
	comm[len > 0 ? len : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static int space_add(int proc, const char *pid, bool net, struct lens_spaces *out)
{
	uint32_t number = namespace_number(proc, pid, net ? "net" : "mnt");
	struct lens_space *s = NULL;

	if (!number)
		return 0;
	for (size_t i = 0; i < out->nr && !s; i++)
		if (out->items[i].number == number && out->items[i].net == net)
			s = &out->items[i];
	if (!s) {
		s = ARRAY_PUSH(out);
		if (!s)
			return -ENOMEM;
		s->number = number;
		s->net = net;
		s->pid = atoi(pid);
		comm_read(proc, pid, s->comm);
	}
	s->processes++;
	return 0;
}

bool namespaces_all_seen(const char *proc_root)
{
	char path[PATH_MAX];
	struct stat ns;

	snprintf(path, sizeof(path), "%s/self/ns/pid", proc_root);
	return stat(path, &ns) || ns.st_ino == PID_NAMESPACE_FIRST;
}

int namespaces_read(const char *proc_root, struct lens_spaces *out, bool *whole)
{
	struct lens_spaces read = {0};
	const struct dirent *entry;
	DIR *dir = opendir(proc_root);
	int err = dir ? 0 : -errno;
	size_t nr = 0;

	while (dir && !err && nr < PROCESSES_MOST && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		nr++;
		err = space_add(dirfd(dir), entry->d_name, true, &read);
		err = err ?: space_add(dirfd(dir), entry->d_name, false, &read);
	}
	if (dir)
		closedir(dir);
	if (err) {
		ARRAY_FREE(&read);
		return err;
	}
	*whole = nr < PROCESSES_MOST && namespaces_all_seen(proc_root);
	*out = read;
	return 0;
}
