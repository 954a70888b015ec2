// SPDX-License-Identifier: GPL-2.0-only
/* Messages that cannot be written are counted, and the number is printed once that is possible. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

/* Redirect stderr to `path`; return the old descriptor. */
static int stderr_to(const char *path)
{
	int was = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(was >= 0 && fd >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
	return was;
}

static void stderr_back(int was)
{
	dup2(was, STDERR_FILENO);
	close(was);
}

static void missing_messages_are_counted(void **state)
{
	char path[] = "/tmp/kmemtrace-messages.XXXXXX", text[1024] = "";
	int fd = mkstemp(path), was;

	(void)state;
	assert_true(fd >= 0);
	was = stderr_to("/dev/full");
	log_warn("the first");
	log_error(1, "the second");
	stderr_back(was);
	was = stderr_to(path);
	log_warn("the third");
	log_warn("the fourth");
	stderr_back(was);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text,
			    "kmemtrace: warning: cannot write to standard error (No space left "
			    "on device): 2 messages are missing here\n"
			    "kmemtrace: warning: the third\n"
			    "kmemtrace: warning: the fourth\n");
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(missing_messages_are_counted)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
