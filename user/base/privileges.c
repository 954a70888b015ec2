// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds out which capabilities are needed by trying without each one, and gives up the rest. See
 * privileges.h.
 */
#include "base/privileges.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define BIT(cap) (UINT64_C(1) << (cap))

static uint64_t caps_read(capng_type_t set)
{
	uint64_t caps = 0;

	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (capng_have_capability(set, cap))
			caps |= BIT(cap);
	return caps;
}

static void caps_choose(unsigned int sets, uint64_t caps)
{
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (caps & BIT(cap))
			capng_update(CAPNG_ADD, sets, cap);
}

/* Make only `effective` effective; everything in `permitted` can be raised again. */
static int caps_try(uint64_t permitted, uint64_t effective)
{
	capng_clear(CAPNG_SELECT_CAPS);
	caps_choose(CAPNG_PERMITTED, permitted);
	caps_choose(CAPNG_EFFECTIVE, effective);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

/* Does the operation work only with this capability? Returns 1, 0 or −errno. */
static int cap_is_needed(const struct privilege *p, const void *arg, uint64_t had, uint64_t kept)
{
	int err;

	if (!p->works)
		return !p->needed || p->needed(arg);
	err = caps_try(had, kept);
	if (err || p->works(arg))
		return err;
	err = caps_try(had, kept | BIT(p->cap));
	return err ? err : p->works(arg);
}

static int caps_needed(const struct privilege *wanted, size_t nr, const void *arg, uint64_t had,
		       uint64_t *out)
{
	uint64_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		int needed =
			had & BIT(wanted[i].cap) ? cap_is_needed(&wanted[i], arg, had, kept) : 0;

		if (needed < 0)
			return needed;
		if (needed)
			kept |= BIT(wanted[i].cap);
	}
	*out = kept;
	return 0;
}

/* Give up capabilities for good. Changing the bounding set needs CAP_SETPCAP. */
static int caps_give_up(uint64_t had, uint64_t kept)
{
	bool all = had & BIT(CAP_SETPCAP);

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	if (all && (caps_try(had, BIT(CAP_SETPCAP)) || capng_lock()))
		log_debug("cannot lock the securebits");
	capng_clear(CAPNG_SELECT_ALL);
	caps_choose(CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept);
	if (capng_apply(all ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS))
		return -EPERM;
	if (capng_get_caps_process() || caps_read(CAPNG_PERMITTED) & ~kept)
		return -EPERM;
	return 0;
}

/* "CAP_SYSLOG (names of functions), …" */
static void caps_words(const struct privilege *wanted, size_t nr, uint64_t kept, char *buf,
		       size_t size)
{
	size_t at = 0;

	snprintf(buf, size, "none");
	for (size_t i = 0; i < nr && at < size; i++) {
		char name[32];

		if (!(kept & BIT(wanted[i].cap)))
			continue;
		kept &= ~BIT(wanted[i].cap);
		snprintf(name, sizeof(name), "%s",
			 capng_capability_to_name(wanted[i].cap) ?: "unknown");
		for (char *c = name; *c; c++)
			*c = *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c;
		at += snprintf(buf + at, size - at, "%sCAP_%s (to %s)", at ? ", " : "", name,
			       wanted[i].what);
	}
}

int privileges_keep(const struct privilege *wanted, size_t nr, const void *arg)
{
	uint64_t had, kept = 0;
	char words[512];
	int err;

	if (capng_get_caps_process()) {
		log_debug("cannot read the capabilities of this process: none was given up");
		return -EPERM;
	}
	had = caps_read(CAPNG_PERMITTED);
	err = caps_needed(wanted, nr, arg, had, &kept) ?: caps_give_up(had, kept);
	if (err) {
		caps_try(had, had);
		log_debug("cannot give up capabilities (%s)", strerror(-err));
		return err;
	}
	caps_words(wanted, nr, kept, words, sizeof(words));
	log_debug("gave up %d capabilities, kept: %s", __builtin_popcountll(had & ~kept), words);
	return 0;
}

/* ---- for commands that read captures ---- */

struct paths {
	const char *const *items;
	size_t nr;
};

static bool can_read_at(int dir, const char *path)
{
	return !faccessat(dir, path, R_OK, AT_EACCESS) || errno != EACCES;
}

/* Can the file be read, or all files of the directory? */
static bool can_read_within(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (!can_read_at(dirfd(dir), e->d_name))
			return false;
	return true;
}

static bool can_read(const void *arg)
{
	const struct paths *paths = arg;

	for (size_t i = 0; i < paths->nr; i++) {
		const char *path = paths->items[i];
		struct stat st;

		if (!path)
			continue;
		if (!can_read_at(AT_FDCWD, path))
			return false;
		if (!stat(path, &st) && S_ISDIR(st.st_mode) && !can_read_within(path))
			return false;
	}
	return true;
}

void privileges_keep_for(const char *const *paths, size_t nr)
{
	static const struct privilege reading[] = {
		{CAP_DAC_READ_SEARCH, "read files of others", can_read, NULL},
		/* a security module or a container may allow only this one */
		{CAP_DAC_OVERRIDE, "read files of others", can_read, NULL},
	};

	privileges_keep(reading, sizeof(reading) / sizeof(reading[0]), &(struct paths){paths, nr});
}

void privileges_keep_none(void)
{
	privileges_keep(NULL, 0, NULL);
}

bool privileges_have(int capability)
{
	return !capng_get_caps_process() &&
	       capng_have_capability(CAPNG_EFFECTIVE, (unsigned int)capability);
}
