/* SPDX-License-Identifier: GPL-2.0-only */
/* Collects what the code under test prints on stderr. Include after cmocka.h. */
#ifndef TESTS_UNIT_SAID_H
#define TESTS_UNIT_SAID_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char said[4096]; /* what was printed between said_begin() and said_end() */
static int said_saved;

static void said_begin(void)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	fflush(stderr);
	said_saved = dup(2);
	dup2(fileno(f), 2);
	fclose(f);
}

static void said_end(void)
{
	ssize_t n = pread(2, said, sizeof(said) - 1, 0);

	said[n > 0 ? n : 0] = '\0';
	dup2(said_saved, 2);
	close(said_saved);
}

/* Check for exactly one line, which contains these words. */
__attribute__((unused)) static void assert_said(const char *words)
{
	if (!strstr(said, words))
		fail_msg("nothing like '%s' in: %s", words, said);
	assert_string_equal(strchr(said, '\n'), "\n");
}

#endif
