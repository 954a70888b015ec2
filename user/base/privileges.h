/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gives up capabilities. `record` calls it once everything is attached and its command runs;
 * commands that read a capture call it before and after reading. A capability must be kept only if
 * a needed operation fails without it. Trying the operation shows that.
 */
#ifndef KMEMTRACE_BASE_PRIVILEGES_H
#define KMEMTRACE_BASE_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

struct privilege {
	int cap;          /* CAP_… */
	const char *what; /* what it is needed for: "end the command" */
	/* Does it work with the effective capabilities? NULL: that cannot be tried, so ask
	 * needed(). */
	bool (*works)(const void *arg);
	/* Is the capability needed? Asked only if works is NULL. NULL: yes. */
	bool (*needed)(const void *arg);
};

/*
 * Keep the needed capabilities of `wanted`, tried in order, and give up all others for good: in
 * every set including the bounding set, and for any program run later (no_new_privs). The user id
 * stays. `arg` is passed to works(). --verbose prints what was given up and what was kept, and why.
 * Returns 0 or −errno; on failure possibly nothing was given up, which --verbose prints too.
 */
int privileges_keep(const struct privilege *wanted, size_t nr, const void *arg);

/*
 * For commands that read captures: keep only what is needed to read the `nr` files at `paths`,
 * including files in directories among them; NULLs are skipped. Nothing is kept unless a file
 * belongs to somebody else and only root can read it. After reading, call privileges_keep_none().
 */
void privileges_keep_for(const char *const *paths, size_t nr);
void privileges_keep_none(void);

/* Has this process the capability now? */
bool privileges_have(int capability);

#endif
