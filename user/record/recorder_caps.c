// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decides which capabilities a recording needs; see recorder_caps.h. The user id stays root,
 * because /proc/slabinfo, /proc/vmallocinfo and /proc/sys/vm/stat_refresh belong to root.
 */
#include "record/recorder_caps.h"

#include <fcntl.h>
#include <libgen.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/privileges.h"

static bool tracing_works(const void *arg)
{
	return tracer_is_permitted(((const struct recorder_caps *)arg)->tracer);
}

/* Does the file show addresses? Hidden ones read as zero. */
static bool symbols_are_shown(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[256];

	for (int i = 0; f && i < 100 && fgets(line, sizeof(line), f); i++)
		if (line[strspn(line, "0")] != ' ' && line[strspn(line, "0")] != '-')
			return true;
	return false;
}

static bool names_work(const void *arg)
{
	(void)arg;
	return symbols_are_shown("/proc/kallsyms") &&
	       (faccessat(AT_FDCWD, "/proc/vmallocinfo", R_OK, AT_EACCESS) ||
		symbols_are_shown("/proc/vmallocinfo"));
}

static bool levels_work(const void *arg)
{
	(void)arg;
	return !faccessat(AT_FDCWD, "/proc/slabinfo", R_OK, AT_EACCESS) &&
	       !faccessat(AT_FDCWD, "/proc/vmallocinfo", R_OK, AT_EACCESS);
}

/* Can /proc/PID of other users be read? Not if /proc is mounted with hidepid. */
static bool processes_work(const void *arg)
{
	(void)arg;
	return !faccessat(AT_FDCWD, "/proc/1/cmdline", R_OK, AT_EACCESS);
}

struct spot {
	struct stat dir, file;
	bool writable; /* the directory */
};

static bool spot_read(const struct recorder_caps *caps, struct spot *p)
{
	_cleanup_free_ char *copy = strdup(caps->path);
	const char *dir = copy ? dirname(copy) : "";

	p->writable = !faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS);
	return !stat(dir, &p->dir) && !stat(caps->path, &p->file);
}

static bool directory_works(const void *arg)
{
	struct spot p;

	spot_read(arg, &p);
	return p.writable;
}

/*
 * Is a capability needed to remove files? In a sticky directory of another user only a file's owner
 * can.
 */
static bool removing_needs(const void *arg)
{
	struct spot p;

	return spot_read(arg, &p) && p.dir.st_mode & S_ISVTX && p.dir.st_uid != geteuid() &&
	       p.file.st_uid != geteuid();
}

/*
 * Is a capability needed to change file owners? SQLite gives the journal the owner of the file, and
 * the capture may go to the user who called sudo.
 */
static bool owners_need(const void *arg)
{
	struct spot p;

	if (!spot_read(arg, &p))
		return false;
	return p.file.st_uid != geteuid() ||
	       (getenv("SUDO_UID") && (p.dir.st_uid != geteuid() || p.dir.st_mode & S_IWOTH));
}

static bool stats_or_proof_need(const void *arg)
{
	const struct recorder_caps *caps = arg;

	return !caps->helper || caps->prove;
}

static bool command_needs(const void *arg)
{
	return ((const struct recorder_caps *)arg)->command;
}

void recorder_caps_give_up(const struct recorder_caps *caps)
{
	static const struct privilege wanted[] = {
		{CAP_BPF, "read the tables and run the audit", tracing_works, NULL},
		{CAP_PERFMON, "attach again", tracing_works, NULL},
		{CAP_SYSLOG, "see names of functions", names_work, NULL},
		{CAP_DAC_READ_SEARCH, "read /proc/slabinfo", levels_work, NULL},
		{CAP_SYS_PTRACE, "see processes in /proc", processes_work, NULL},
		{CAP_DAC_OVERRIDE, "write to a directory of another user", directory_works, NULL},
		{CAP_FOWNER, "remove files of the capture's owner", NULL, removing_needs},
		{CAP_CHOWN, "give the capture to its user", NULL, owners_need},
		{CAP_SYS_ADMIN, "measure what tracing costs, or see where memory is (--prove)",
		 NULL, stats_or_proof_need},
		{CAP_KILL, "end the command", NULL, command_needs},
	};

	privileges_keep(wanted, sizeof(wanted) / sizeof(wanted[0]), caps);
}
