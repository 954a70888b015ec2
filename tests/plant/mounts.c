// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plants of file systems, namespaces, and what hangs on files. File systems are made, but mounted
 * nowhere, so they go with the descriptors. `stack` has the types, by the kernel's source.
 */
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "plant.h"

/* As in linux/mount.h, which does not go with sys/mount.h everywhere. */
#define SET_STRING 1
#define CMD_CREATE 6

#define XATTRS 8 /* of a file */

/* ---- file systems ---- */

static int fs_string(int fd, const char *key, const char *value)
{
	return result(syscall(SYS_fsconfig, fd, SET_STRING, key, value, 0));
}

static int fs_open(const char *type)
{
	return (int)syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */);
}

static int fs_create(int fd)
{
	return fd < 0 ? -errno : result(syscall(SYS_fsconfig, fd, CMD_CREATE, NULL, NULL, 0));
}

static int tmpfs_step(long i, long size)
{
	(void)i, (void)size;
	return fs_create(fs_open("tmpfs"));
}

static int devpts_step(long i, long size)
{
	(void)i, (void)size;
	return fs_create(fs_open("devpts"));
}

/* Nobody answers the kernel's first request, and nothing waits for that. */
static int fuse_step(long i, long size)
{
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC), fd = fs_open("fuse");
	char number[16];

	(void)i, (void)size;
	if (device < 0 || fd < 0)
		return -errno;
	snprintf(number, sizeof(number), "%d", device);
	return fs_string(fd, "fd", number) ?: fs_string(fd, "rootmode", "40000")
		?: fs_string(fd, "user_id", "0") ?: fs_string(fd, "group_id", "0") ?: fs_create(fd);
}

static int tmp_setup(long count, long size)
{
	(void)count, (void)size;
	return private_tmpfs();
}

static int overlay_setup(long count, long size)
{
	return tmp_setup(count, size) ?: result(mkdir("lower", 0700));
}

static int overlay_step(long i, long size)
{
	int fd = fs_open("overlay");
	char upper[32], work[32];

	(void)size;
	snprintf(upper, sizeof(upper), "/tmp/upper%ld", i);
	snprintf(work, sizeof(work), "/tmp/work%ld", i);
	if (fd < 0 || mkdir(upper, 0700) || mkdir(work, 0700))
		return -errno;
	return fs_string(fd, "lowerdir", "/tmp/lower") ?: fs_string(fd, "upperdir", upper)
		?: fs_string(fd, "workdir", work) ?: fs_create(fd);
}

/* ---- files ---- */

static int mountinfo_step(long i, long size)
{
	(void)i, (void)size;
	return result(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
}

static int xattr_step(long i, long size)
{
	char file[24], name[32], value[40] = "plant";

	(void)size;
	snprintf(file, sizeof(file), "%ld", i / XATTRS);
	snprintf(name, sizeof(name), "trusted.plant%ld", i % XATTRS);
	if (i % XATTRS == 0 && mknod(file, S_IFREG | 0600, 0))
		return -errno;
	return result(setxattr(file, name, value, sizeof(value), 0));
}

static int ruleset_new(void)
{
	const struct landlock_ruleset_attr a = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE};

	return (int)syscall(SYS_landlock_create_ruleset, &a, sizeof(a), 0);
}

static int ruleset_step(long i, long size)
{
	(void)i, (void)size;
	return result(ruleset_new());
}

static int ruleset = -1;

static int landrule_setup(long count, long size)
{
	int err = tmp_setup(count, size);

	ruleset = err ? -1 : ruleset_new();
	return err ?: result(ruleset);
}

/* A rule for a file of its own. */
static int landrule_step(long i, long size)
{
	struct landlock_path_beneath_attr a = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
	char name[24];
	int err;

	(void)size;
	snprintf(name, sizeof(name), "%ld", i);
	a.parent_fd = open(name, O_CREAT | O_CLOEXEC, 0600);
	if (a.parent_fd < 0)
		return -errno;
	err = result(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0));
	close(a.parent_fd);
	return err;
}

/* ---- namespaces and users ---- */

static int cgroupns_step(long i, long size)
{
	(void)i, (void)size;
	if (unshare(CLONE_NEWCGROUP))
		return -errno;
	return result(open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC));
}

static int timens_step(long i, long size)
{
	(void)i, (void)size;
	if (unshare(0x80 /* CLONE_NEWTIME */))
		return -errno;
	return result(open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC));
}

/* A file that another user has opened keeps what the kernel counts for this user. */
static int users_step(long i, long size)
{
	long err, uid = 100000 + i;

	(void)size;
	if (syscall(SYS_setresuid, uid, 0, 0))
		return -errno;
	err = result(open("/dev/null", O_RDONLY | O_CLOEXEC));
	return (int)err ?: result(syscall(SYS_setresuid, 0, 0, 0));
}

const struct kind mounts_kinds[] = {
	{"tmpfss", "file systems: tmpfs", "kmalloc*", "shmem_sb_info", "fsconfig", 0, NULL,
	 tmpfs_step, NULL},
	{"devptss", "file systems: devpts", "kmalloc*", "pts_fs_info", "fsopen", 0, NULL,
	 devpts_step, NULL},
	{"fuses", "file systems: FUSE, without a server", "kmalloc*", "fuse_conn,fuse_dev",
	 "fsconfig", 0, NULL, fuse_step, NULL},
	{"overlays", "file systems: overlays", "kmalloc*", "ovl_fs", "fsconfig", 0, overlay_setup,
	 overlay_step, NULL},
	{"mountinfos", "open /proc/self/mountinfo", "kmalloc*", "proc_mounts", "openat", 0, NULL,
	 mountinfo_step, NULL},
	{"xattrs", "extended attributes in tmpfs", "kmalloc*", "simple_xattr", "setxattr", 0,
	 tmp_setup, xattr_step, NULL},
	{"rulesets", "rule sets of Landlock", "kmalloc*", "landlock_ruleset",
	 "landlock_create_ruleset", 0, NULL, ruleset_step, NULL},
	{"landrules", "rules of Landlock, each for a file", "kmalloc*",
	 "landlock_rule,landlock_object", "landlock_add_rule", 0, landrule_setup, landrule_step,
	 NULL},
	{"cgroupns", "cgroup namespaces", "kmalloc*", "cgroup_namespace", "unshare", 0, NULL,
	 cgroupns_step, NULL},
	{"timens", "time namespaces", "kmalloc*", "time_namespace", "unshare", 0, NULL, timens_step,
	 NULL},
	{"users", "what is counted for a user", "kmalloc*", "ucounts", "setresuid", 0, NULL,
	 users_step, NULL},
	{0},
};
