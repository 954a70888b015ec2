// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls libdebuginfod: see debuginfod.h. It is loaded only when it is used, as libdw does, because
 * it needs libcurl and 30 more libraries, which a recorder on a host without memory must not load.
 * It runs in a process of its own, so that a server that does not answer holds up nothing.
 */
#include "sym/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/confined.h"
#include "base/log.h"

#define FETCH_MEMORY (200u << 20) /* bytes; the file itself goes to disk */

bool debuginfod_wanted(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	return urls && urls[strspn(urls, " \t")];
}

/* A static program has no dlopen(), or one that loads nothing. */
#pragma weak dlopen
#pragma weak dlsym

/* Write the path of the file. Declared as in elfutils/debuginfod.h. */
static int fetch_work(void *arg, FILE *out)
{
	const char *build_id = arg;
	_cleanup_free_ char *path = NULL;
	void *(*begin)(void);
	int (*find)(void *client, const unsigned char *build_id, int len, char **path);
	void *library, *client;
	int fd;

	library = dlopen && dlsym ? dlopen("libdebuginfod.so.1", RTLD_NOW) : NULL;
	if (!library)
		return -ELIBACC;
	*(void **)&begin = dlsym(library, "debuginfod_begin");
	*(void **)&find = dlsym(library, "debuginfod_find_debuginfo");
	client = begin && find ? begin() : NULL;
	if (!client)
		return -ELIBACC;
	fd = find(client, (const unsigned char *)build_id, 0, &path);
	if (fd < 0)
		return fd;
	fputs(path ?: "", out);
	return 0;
}

int debuginfod_fetch(const char *module, const char *build_id, double seconds, char **path)
{
	const struct confinement bounds = {
		.seconds = seconds, .memory_bytes = FETCH_MEMORY, .output_bytes = 8192};
	char *text, *fetched;
	size_t len;
	int err;

	log_info("asking the servers of DEBUGINFOD_URLS for the debug information of %s (build id "
		 "%s)",
		 module, build_id);
	err = confined_run(fetch_work, (void *)build_id, &bounds, &text, &len);
	if (err)
		return err;
	fetched = len ? strndup(text, len) : NULL;
	free(text);
	if (!fetched)
		return -ENOENT;
	log_info("they have it: %s", fetched);
	*path = fetched;
	return 0;
}
