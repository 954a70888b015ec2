// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user would lose: the comparison of two directories with copies of /proc, taken by hand on
 * machines where nothing was recorded; and a clear word where a directory cannot be compared.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/wait.h>

#include "cmd.h"
#include "golden.h"
#include "proc_copy.h"
#include "tree.h"

static const char slabinfo[] =
	"slabinfo - version: 2.1\n"
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
	"dentry %d %d 192 21 1 : tunables 0 0 0 : slabdata %d %d 0\n";

static void put_copy(const char *root, int dentries, int slab_kb)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "MemTotal: 4000000 kB\nMemFree: 3000000 kB\nSlab: %d kB\nSReclaimable: %d kB\n"
		 "SUnreclaim: 1000 kB\nVmallocUsed: 9000 kB\nKernelStack: 2000 kB\n"
		 "PageTables: 3000 kB\n",
		 slab_kb, slab_kb - 1000);
	tree_put(root, "meminfo", text);
	snprintf(text, sizeof(text), slabinfo, dentries, dentries, dentries / 21, dentries / 21);
	tree_put(root, "slabinfo", text);
	snprintf(text, sizeof(text), "%d %d 45 0 0 0\n", dentries, dentries / 2);
	tree_put(root, "sys/fs/dentry-state", text);
	tree_put(root, "version", "Linux version 6.12.9-amd64 (a@b) #1 SMP\n");
}

/* The status of `kmemtrace diff ARGUMENTS`; what it prints is in out and err. */
static int run(char *const argv[], char out[65536], char err[4096])
{
	char out_path[] = "/tmp/kmemtrace-test-out-XXXXXX",
	     err_path[] = "/tmp/kmemtrace-test-err-XXXXXX";
	int out_fd = mkstemp(out_path), err_fd = mkstemp(err_path), status, argc = 0;
	ssize_t n;
	pid_t pid;

	assert_true(out_fd >= 0 && err_fd >= 0);
	while (argv[argc])
		argc++;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(out_fd, STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		exit(cmd_diff(argc, (char **)argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	n = pread(out_fd, out, 65535, 0);
	out[n > 0 ? n : 0] = '\0';
	n = pread(err_fd, err, 4095, 0);
	err[n > 0 ? n : 0] = '\0';
	close(out_fd);
	close(err_fd);
	unlink(out_path);
	unlink(err_path);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static char out[65536], err[4096];

static void two_copies_are_compared_by_levels(void **state)
{
	char *base = tree_new(), *new_ = tree_new();
	json_t *j, *counter;

	(void)state;
	put_copy(base, 21000, 9000);
	put_copy(new_, 210000, 45000);
	assert_int_equal(
		run((char *[]){"kmemtrace diff", "--show=all", base, new_, NULL}, out, err), 0);
	assert_non_null(strstr(out, "Slab higher by 35.2 MiB"));
	assert_non_null(strstr(out, "dentry higher by 35.2 MiB (3.9 MiB to 39.1 MiB"));
	assert_non_null(strstr(out, "Both sides are copies of /proc"));
	assert_non_null(strstr(out, "6.12.9-amd64, 3.8 GiB"));
	assert_null(strstr(out, "+?")); /* one reading has no rates */
	assert_null(strstr(out, "traced"));
	assert_string_equal(err, "");

	assert_int_equal(
		run((char *[]){"kmemtrace diff", "--format=json", base, new_, NULL}, out, err), 0);
	j = json_loads(out, 0, NULL);
	assert_non_null(j);
	counter = json_array_get(json_object_get(j, "counters"), 0);
	assert_string_equal(json_string_value(json_object_get(counter, "name")), "dentries");
	assert_int_equal(json_integer_value(json_object_get(counter, "count_start")), 21000);
	assert_int_equal(json_integer_value(json_object_get(counter, "count")), 210000);
	assert_int_equal(json_integer_value(json_object_get(counter, "objects")), 210000);
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(json_object_get(j, "base"), "capture"), "proc_copy")),
		base);
	json_decref(j);
	tree_remove(base);
	tree_remove(new_);
}

static void equal_copies_differ_in_nothing(void **state)
{
	char *base = tree_new();

	(void)state;
	put_copy(base, 21000, 9000);
	assert_int_equal(
		run((char *[]){"kmemtrace diff", "--show=all", base, base, NULL}, out, err), 0);
	assert_non_null(strstr(out, "No level changed"));
	tree_remove(base);
}

static void what_cannot_be_compared_is_refused_with_a_reason(void **state)
{
	char *base = tree_new(), *empty = tree_new(), *broken = tree_new();
	char set[PATH_MAX + 16];

	(void)state;
	put_copy(base, 21000, 9000);
	assert_int_equal(run((char *[]){"kmemtrace diff", base, empty, NULL}, out, err), 1);
	assert_non_null(strstr(err, "/meminfo: No such file"));
	assert_non_null(strstr(err, "copies of /proc/meminfo"));
	tree_put(broken, "meminfo", "MemTotal: much\n");
	assert_int_equal(run((char *[]){"kmemtrace diff", broken, base, NULL}, out, err), 1);
	assert_non_null(strstr(err, "no MemTotal"));
	assert_int_equal(run((char *[]){"kmemtrace diff", "--from=5", base, base, NULL}, out, err),
			 1);
	assert_non_null(strstr(err, "leave out the times"));
	snprintf(set, sizeof(set), "--base-set=%s", empty);
	assert_int_equal(run((char *[]){"kmemtrace diff", set, base, NULL}, out, err), 1);
	assert_non_null(strstr(err, "give a file written by kmemtrace record"));
	tree_remove(base);
	tree_remove(empty);
	tree_remove(broken);
}

static void recorded_kernels_are_compared(void **state)
{
	(void)state;
	assert_int_equal(run((char *[]){"kmemtrace diff", "--show=all", FIXTURES "/6.12",
					FIXTURES "/7.3", NULL},
			     out, err),
			 0);
	assert_non_null(strstr(out, "VMALLOC CALLERS"));
	assert_non_null(strstr(out, "Kernels differ (6.12"));
	assert_null(strstr(out, "+?"));
}

/* The first screen of two copies: levels, the largest of them, and that there are no rates. */
static void copies_fit_a_terminal(void **state)
{
	(void)state;
	assert_int_equal(run((char *[]){"kmemtrace diff", FIXTURES "/6.12", FIXTURES "/7.3", NULL},
			     out, err),
			 0);
	compare_golden("diff-screen-copies.txt", out);
}

static void a_copy_says_its_kernel_and_its_cpus(void **state)
{
	struct capture *c;
	char *dir = tree_new();

	(void)state;
	put_copy(dir, 21000, 9000);
	tree_put(dir, "zoneinfo",
		 "Node 0, zone Normal\n  pages free 5\n  pagesets\n    cpu: 0\n"
		 "              count: 1\n    cpu: 7\n              count: 1\n");
	assert_int_equal(proc_copy_capture(dir, &c), 0);
	assert_string_equal(capture_meta(c, META_RELEASE), "6.12.9-amd64");
	assert_true(capture_meta_number(c, META_CPUS, 0) == 8);
	assert_string_equal(capture_meta(c, META_COPY), dir);
	capture_free(c);
	tree_put(dir, "sys/kernel/osrelease", "7.1.0\n");
	assert_int_equal(proc_copy_capture(dir, &c), 0);
	assert_string_equal(capture_meta(c, META_RELEASE), "7.1.0");
	capture_free(c);
	tree_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_copies_are_compared_by_levels),
		cmocka_unit_test(equal_copies_differ_in_nothing),
		cmocka_unit_test(what_cannot_be_compared_is_refused_with_a_reason),
		cmocka_unit_test(recorded_kernels_are_compared),
		cmocka_unit_test(copies_fit_a_terminal),
		cmocka_unit_test(a_copy_says_its_kernel_and_its_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
