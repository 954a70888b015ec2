/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Giving up capabilities. `record` calls it once everything is attached and its command runs; what
 * reads a capture calls it before and after that. A capability is kept only where something that
 * must go on working fails without it: the kernel is asked, by trying.
 */
#ifndef KMEMTRACE_BASE_PRIVILEGES_H
#define KMEMTRACE_BASE_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

struct privilege {
	int cap;          /* CAP_… */
	const char *what; /* it is for: "end the command" */
	/* Does that work with the capabilities in effect? Where that cannot be tried, NULL: */
	bool (*works)(const void *arg);
	/* then, is it needed? NULL: yes. */
	bool (*needed)(const void *arg);
};

/*
 * Keep what is needed of `wanted`, in its order, and of what this process has; give up all other
 * capabilities for good: in every set, the bounding set included, and for any program that might be
 * run (no_new_privs). The user id stays. `arg` is passed to works(). What was given up, and what
 * not and why, is said with --verbose. 0 or −errno; then nothing may have been given up, and that
 * has been said with --verbose, too.
 */
int privileges_keep(const struct privilege *wanted, size_t nr, const void *arg);

/*
 * For those who read captures: keep what it takes to read the `nr` files at `paths`, and those in
 * directories among them; NULLs are skipped. That is nothing but for files of others which only
 * root can read. Once they are read, keep none.
 */
void privileges_keep_for(const char *const *paths, size_t nr);
void privileges_keep_none(void);

#endif
