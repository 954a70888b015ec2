// SPDX-License-Identifier: GPL-2.0-only
/* Printing documents: see output.h. */
#include "output.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

bool output_wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

bool output_is_utf8(void)
{
	setlocale(LC_CTYPE, "");
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

int output_document(const char *what, int (*render)(const void *arg, FILE *out), const void *arg)
{
	_cleanup_free_ char *document = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&document, &size);
	int err;

	if (!f)
		return log_error(ENOMEM, "not enough memory to print the %s", what);
	err = render(arg, f);
	if (fclose(f) || err)
		return log_error(ENOMEM, "not enough memory to print the %s", what);
	if (fwrite(document, 1, size, stdout) != size || fflush(stdout)) {
		err = errno;
		if (err == EPIPE)
			return -err;
		return log_error(err, "cannot write the %s to standard output: %s", what,
				 strerror(err));
	}
	return 0;
}
