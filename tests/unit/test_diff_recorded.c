// SPDX-License-Identifier: GPL-2.0-only
/*
 * `kmemtrace diff` of recorded captures (tests/fixtures/captures), of two boots of one kernel with
 * different KASLR offsets, and of another kernel: it prints the golden output, recognises the
 * planted path, and is symmetric.
 */
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd.h"
#include "golden.h"
#include "recorded.h"
#include "scratch.h"

static const char *const names[] = {"6.12-boot1", "6.12-boot2", "6.18"};

/* Print `kmemtrace diff` of two recorded captures; it must succeed. */
static char *diff(const char *base, const char *new_, const char *format)
{
	char *out = path_of("out"), *a = path_of(base), *b = path_of(new_), *text;
	char *argv[] = {(char *)"kmemtrace diff",
			(char *)"--show=all",
			(char *)"--format",
			(char *)format,
			a,
			b,
			NULL};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		setenv("LC_ALL", "C.UTF-8", 1);
		dup2(fd, 1);
		_exit(cmd_diff(6, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_OK);
	text = read_file(out);
	free(out);
	free(a);
	free(b);
	return text;
}

static void recorded_diffs_are_as_agreed(void **state)
{
	char *text;

	(void)state;
	text = diff("6.12-boot1", "6.12-boot2", "text");
	compare_golden("diff-reboot.txt", text);
	free(text);
	text = diff("6.12-boot1", "6.18", "text");
	compare_golden("diff-kernels.txt", text);
	free(text);
}

/* 3,000 messages of 1 KiB, then 9,000: this is the first row, however the captures differ; also in
 * the other direction. */
static void the_planted_path_is_recognised(void **state)
{
	(void)state;
	for (int k = 1; k < 3; k++)
		for (int back = 0; back < 2; back++) {
			char *text = diff(names[back ? k : 0], names[back ? 0 : k], "json");
			json_t *root = json_loads(text, 0, NULL);
			json_t *row = json_array_get(json_object_get(root, "growth"), 0);
			json_t *base = json_object_get(row, "base"),
			       *new_ = json_object_get(row, "new");

			assert_string_equal(json_string_value(json_object_get(row, "status")),
					    back ? "shrunk" : "grown");
			assert_string_equal(json_string_value(json_object_get(row, "process")),
					    "plant");
			assert_int_equal(json_integer_value(json_object_get(base, "objects")),
					 back ? 9000 : 3000);
			assert_int_equal(json_integer_value(json_object_get(new_, "objects")),
					 back ? 3000 : 9000);
			assert_false(json_is_true(json_object_get(row, "similar")));
			json_decref(root);
			free(text);
		}
}

/* A capture compared with itself has not changed. */
static void a_capture_does_not_differ_from_itself(void **state)
{
	(void)state;
	for (int k = 0; k < 3; k++) {
		char *text = diff(names[k], names[k], "json");
		json_t *root = json_loads(text, 0, NULL);

		assert_int_equal(json_array_size(json_object_get(root, "growth")), 0);
		assert_int_equal(json_array_size(json_object_get(root, "caches")), 0);
		assert_int_equal(json_array_size(json_object_get(root, "traffic")), 0);
		json_decref(root);
		free(text);
	}
}

static int unpack(void **state)
{
	if (scratch_new(state))
		return -1;
	for (int i = 0; i < 3; i++) {
		char *to = path_of(names[i]);

		recorded_unpack(names[i], to);
		free(to);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_diffs_are_as_agreed),
		cmocka_unit_test(the_planted_path_is_recognised),
		cmocka_unit_test(a_capture_does_not_differ_from_itself),
	};

	return cmocka_run_group_tests(tests, unpack, scratch_remove);
}
