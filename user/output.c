// SPDX-License-Identifier: GPL-2.0-only
/* Prints documents: see output.h. */
#include "output.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bounds.h"
#include "base/log.h"
#include "cmd.h"
#include "pager.h"

static void check_written(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return;
	if (errno != EPIPE)
		log_error(errno, "cannot write to standard output: %s", strerror(errno ?: EIO));
	_exit(EXIT_FAILED);
}

void output_check_at_exit(void)
{
	atexit(check_written);
}

static enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour;

int output_set_colour(const char *when)
{
	static const char *const names[] = {
		[COLOUR_AUTO] = "auto", [COLOUR_ALWAYS] = "always", [COLOUR_NEVER] = "never"};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(when, names[i])) {
			colour = i;
			return 0;
		}
	return -EINVAL;
}

bool output_wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	if (colour != COLOUR_AUTO)
		return colour == COLOUR_ALWAYS;

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

bool output_file_wants_colour(const char *path)
{
	if (!path || !strcmp(path, "-"))
		return output_wants_colour();
	return colour == COLOUR_ALWAYS;
}

bool output_is_utf8(void)
{
	setlocale(LC_CTYPE, "");
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* A document that is being printed. */
struct sink {
	ARRAY_OF(char) kept;
	bool passing; /* it is too large to keep, so it is written as it is made */
	int err;      /* errno of the write that failed */
};

static void sink_write(struct sink *s, const char *data, size_t size)
{
	while (size && !s->err) {
		ssize_t n = write(STDOUT_FILENO, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			s->err = errno;
			return;
		}
		data += n;
		size -= (size_t)n;
	}
}

static void sink_pass(struct sink *s)
{
	if (!s->passing)
		sink_write(s, s->kept.items, s->kept.nr);
	s->passing = true;
}

/* Print a complete document: through the pager if it does not fit the terminal. */
static void sink_show(struct sink *s)
{
	if (!s->passing && pager_wanted(s->kept.items, s->kept.nr) &&
	    pager_show(s->kept.items, s->kept.nr))
		return;
	sink_pass(s);
}

/* A cookie_write_function_t: it returns 0 on failure. */
static ssize_t sink_take(void *cookie, const char *data, size_t size)
{
	struct sink *s = cookie;

	if (s->kept.nr + size > OUTPUT_KEPT)
		sink_pass(s);
	if (s->passing) {
		sink_write(s, data, size);
	} else if (array_grow((void **)&s->kept.items, &s->kept.cap, 1, s->kept.nr + size)) {
		s->err = ENOMEM;
	} else {
		memcpy(s->kept.items + s->kept.nr, data, size);
		s->kept.nr += size;
	}
	return s->err ? 0 : (ssize_t)size;
}

static int output_failed(const char *what, int err)
{
	if (err == EPIPE)
		return -err;
	if (err == ENOMEM)
		return log_error(err, "not enough memory to print the %s%s", what,
				 bounds_memory_hint());
	return log_error(err, "cannot write the %s to standard output: %s", what, strerror(err));
}

int output_document(const char *what, int (*render)(const void *arg, FILE *out), const void *arg)
{
	struct sink s = {0};
	FILE *f = fopencookie(&s, "w", (cookie_io_functions_t){.write = sink_take});
	int err;

	if (!f)
		return output_failed(what, ENOMEM);
	setvbuf(f, NULL, _IOFBF, 64 << 10);
	fflush(stdout);
	err = render(arg, f) ? ENOMEM : 0;
	if (fclose(f) && !err)
		err = ENOMEM;
	if (!err)
		sink_show(&s);
	ARRAY_FREE(&s.kept);
	err = s.err ?: err;
	errno = err;
	return err ? output_failed(what, err) : 0;
}
