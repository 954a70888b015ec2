// SPDX-License-Identifier: GPL-2.0-only
/* Reads the captures of a directory: see base_set.h. Only one of them is in memory at a time. */
#include "base_set.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "capture_input.h"

static int is_capture(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && !strcmp(e->d_name + n - 4, ".kmt");
}

/* Add the profile of one capture, and free the capture. */
static int set_add(const char *path, const struct capture *new_, enum growth_by by,
		   struct baseline *set)
{
	_cleanup_(capture_input_free) struct capture_input input = {0};
	_cleanup_(profile_free) struct profile p = {0};
	struct match *match = NULL;
	int err;

	bounds_renew();
	if (capture_input_read(path, NAN, NAN, &input)) {
		log_warn("%s is left out of the set", path);
		return 0;
	}
	err = match_new(new_, input.c, false, &match);
	err = err ?: profile_build(&input.range.view, match, by, true, &p);
	err = err ?: baseline_add(set, &p);
	match_free(match);
	return err;
}

int base_set_read(const char *dir, const struct capture *new_, enum growth_by by,
		  struct baseline *set)
{
	struct dirent **entries = NULL;
	int nr = scandir(dir, &entries, is_capture, alphasort), err = 0;

	if (nr < 0)
		return log_error(errno, "cannot read the directory %s: %s", dir, strerror(errno));
	for (int i = 0; i < nr; i++) {
		_cleanup_free_ char *path = NULL;

		if (!err && asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0) {
			path = NULL;
			err = -ENOMEM;
		}
		err = err ?: set_add(path, new_, by, set);
		free(entries[i]);
	}
	free(entries);
	err = err ?: baseline_finish(set);
	if (err)
		return log_error(-err, "not enough memory to compare the captures%s",
				 bounds_memory_hint());
	if (!baseline_captures(set))
		return log_error(
			ENOENT,
			"%s contains no readable capture (*.kmt): put some there, or name another directory",
			dir);
	return 0;
}
