/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists the files that may have the debug information of a kernel or a module: where distributions,
 * elfutils and kernel builds put them. Their build ids are not checked here, and nothing is opened
 * but directories. sym/lines.c uses it.
 */
#ifndef KMEMTRACE_SYM_DEBUG_FILES_H
#define KMEMTRACE_SYM_DEBUG_FILES_H

#include <stdbool.h>

#include "base/path_queue.h"

#define DEBUG_DIR "/usr/lib/debug"

struct debug_files {
	const char *debug_dir; /* of --debug-dir; NULL: DEBUG_DIR */
	const char *root;      /* has /boot and /lib/modules; "": this system */
	const char *release;   /* of the kernel */
	bool walked;
	struct path_queue modules; /* all modules that the directories hold */
};

/*
 * Add the candidates for a module ("vmlinux": the kernel) to `out`, the most likely one first. They
 * need not exist. Names and build id come from a capture: they are used only if they cannot lead
 * out of the directories. Returns 0 or −ENOMEM.
 */
int debug_files_find(struct debug_files *d, const char *module, const char *build_id,
		     struct path_queue *out);
void debug_files_free(struct debug_files *d);
/* "/usr/lib/debug, /boot and /lib/modules/6.1": malloc'ed; NULL without memory. */
char *debug_files_places(const struct debug_files *d);

#endif
