// SPDX-License-Identifier: GPL-2.0-only
/*
 * --lines: a small "kernel" and a "module" are compiled with debug information and known build ids.
 * What is found must be right, inlined functions included; what is of another build must never be
 * used; and no file may crash the tool or hold it up.
 */
#include <arpa/inet.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/confined.h"
#include "base/file_read.h"
#include "cmd.h"
#include "findings/source_notes.h"
#include "golden.h"
#include "sample_capture.h"
#include "run_command.h"
#include "scratch.h"
#include "sym/debug_files.h"
#include "sym/debuginfod.h"
#include "sym/dwarf.h"
#include "sym/lines.h"
#include "write_capture.h"

#define RELEASE   "9.9.9-test"
#define KERNEL_ID "0123456789abcdef0123456789abcdef01234567"
#define MODULE_ID "fedcba9876543210fedcba9876543210fedcba98"

/* ---- the fixture ---- */

__attribute__((format(printf, 1, 2))) static void shell(const char *fmt, ...)
{
	char *command, *whole;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&command, fmt, ap) > 0);
	va_end(ap);
	assert_true(asprintf(&whole, "cd '%s' && %s", scratch, command) > 0);
	if (system(whole))
		fail_msg("%s", whole);
	free(command);
	free(whole);
}

#define KERNEL_PATH "debug/boot/vmlinux-" RELEASE
#define MODULE_DIR  "debug/lib/modules/" RELEASE "/kernel/fs"

/* The directories are those of Debian's packages. */
static int build_all(void **state)
{
	const char *cc = "gcc -g -O2 -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables";

	if (scratch_new(state))
		return -1;
	shell("mkdir -p debug/boot " MODULE_DIR " src/ipc");
	shell("cp %s/fixtures/lines/kernel.c %s/fixtures/lines/other.c src/ipc", TESTS_DIR,
	      TESTS_DIR);
	shell("cd src && %s -c ipc/kernel.c -o ../kernel.o && %s -c ipc/other.c -o ../other.o", cc,
	      cc);
	shell("gcc -nostdlib -static -no-pie -Wl,-Ttext=0x81000000 -Wl,--build-id=0x" KERNEL_ID
	      " -o " KERNEL_PATH " kernel.o other.o");
	shell("ld -r --build-id=0x" MODULE_ID " -o " MODULE_DIR "/test-fs.ko kernel.o");
	return 0;
}

/* The number of the line that has this comment. */
static uint32_t line_of(const char *comment)
{
	char *path = NULL, *text, *found;
	uint32_t line = 1;

	assert_true(asprintf(&path, "%s/fixtures/lines/kernel.c", TESTS_DIR) > 0);
	text = read_file(path);
	found = strstr(text, comment);
	assert_non_null(found);
	for (const char *c = text; c < found; c++)
		line += *c == '\n';
	free(text);
	free(path);
	return line;
}

/* Where `label` is in outer(), by the symbol table as nm prints it. */
static uint64_t offset_of(const char *file, const char *label)
{
	unsigned long long address, at[2] = {0};
	char *command, name[64];
	FILE *nm;

	assert_true(asprintf(&command, "nm --defined-only '%s/%s'", scratch, file) > 0);
	nm = popen(command, "r");
	assert_non_null(nm);
	while (fscanf(nm, "%llx %*c %63s", &address, name) == 2) {
		if (!strcmp(name, label))
			at[0] = address;
		if (!strcmp(name, "outer"))
			at[1] = address;
	}
	pclose(nm);
	free(command);
	assert_true(at[1] && at[0] > at[1]);
	return at[0] - at[1];
}

static void set_text(char **slot, const char *text)
{
	free(*slot);
	*slot = sample_text(text);
}

/* A capture of this kernel, and a frame in it. */
static struct capture *capture_of_kernel(void)
{
	struct capture *c = sample_new("exact");

	sample_meta(c, META_RELEASE, RELEASE);
	sample_meta(c, META_BUILD_ID, KERNEL_ID);
	return c;
}

static uint32_t frame_in(struct capture *c, const char *symbol, uint64_t offset, const char *module)
{
	uint32_t id = sample_frame(c, symbol, offset, module);

	set_text(&c->frames[id].build_id, strcmp(module, "vmlinux") ? MODULE_ID : KERNEL_ID);
	return id;
}

static void find_in(struct capture *c, const char *debug_dir)
{
	char *dir = path_of(debug_dir);
	struct lines_options o = {.debug_dir = dir, .root = scratch};
	bool wanted[64];

	assert_true(c->nr_frames <= 64);
	memset(wanted, 1, sizeof(wanted));
	assert_int_equal(lines_find(c, wanted, &o), 0);
	free(dir);
}

static void assert_line(const struct frame_lines *lines, size_t i, const char *function,
			const char *comment)
{
	const struct source_line *l = &lines->items[i];

	assert_true(i < lines->nr);
	if (function)
		assert_string_equal(l->function, function);
	else
		assert_null(l->function);
	assert_int_equal(l->inlined, function != NULL);
	assert_string_equal(l->file, "ipc/kernel.c");
	assert_int_equal(l->line, line_of(comment));
}

static bool notes_say(const struct capture *c, const char *words)
{
	struct source_notes notes;
	bool said = false;

	source_notes_build(c, &notes);
	assert_false(notes.failed);
	for (size_t i = 0; i < notes.nr; i++)
		said |= strstr(notes.items[i], words) != NULL;
	source_notes_free(&notes);
	return said;
}

static void assert_outer(const struct capture *c, uint32_t inlined, uint32_t plain)
{
	const struct frame_lines *lines = source_lines_of(c->lines, inlined);

	assert_non_null(lines);
	assert_int_equal(lines->nr, 3);
	assert_line(lines, 0, "inner", "/* line of inner */");
	assert_line(lines, 1, "middle", "/* line of middle */");
	assert_line(lines, 2, NULL, "/* line of outer */");
	lines = source_lines_of(c->lines, plain);
	assert_non_null(lines);
	assert_int_equal(lines->nr, 1);
	assert_line(lines, 0, NULL, "/* plain line of outer */");
}

/* ---- what is found ---- */

static void a_frame_of_the_kernel_has_its_line_and_inlined_functions(void **state)
{
	struct capture *c = capture_of_kernel();
	uint32_t inlined = frame_in(c, "outer", offset_of(KERNEL_PATH, "after_inner"), "vmlinux"),
		 plain = frame_in(c, "outer", offset_of(KERNEL_PATH, "after_outer"), "vmlinux");

	(void)state;
	find_in(c, "debug");
	assert_outer(c, inlined, plain);
	assert_int_equal(c->lines->modules.nr, 1);
	assert_int_equal(c->lines->modules.items[0].status, SOURCE_FOUND);
	assert_true(notes_say(c, "Source lines of vmlinux are from "));
	capture_free(c);
}

/* A module is not linked: its symbols and its debug information must be relocated. */
static void a_frame_of_a_module_has_its_line(void **state)
{
	struct capture *c = capture_of_kernel();
	uint32_t inlined = frame_in(c, "outer", offset_of(MODULE_DIR "/test-fs.ko", "after_inner"),
				    "test_fs"),
		 plain = frame_in(c, "outer", offset_of(MODULE_DIR "/test-fs.ko", "after_outer"),
				  "test_fs");

	(void)state;
	find_in(c, "debug");
	assert_outer(c, inlined, plain);
	capture_free(c);
}

/* Where elfutils, Fedora and kernel builds put the files. */
static void debug_information_is_found_where_others_put_it(void **state)
{
	static const char *const places[][2] = {
		{"ids/.build-id/01/23456789abcdef0123456789abcdef01234567.debug",
		 "ids/.build-id/fe/dcba9876543210fedcba9876543210fedcba98.debug"},
		{"fedora/lib/modules/" RELEASE "/vmlinux",
		 "fedora/lib/modules/" RELEASE "/kernel/fs/test_fs.ko.debug"},
		{"suse/boot/vmlinux-" RELEASE ".debug",
		 "suse/usr/lib/modules/" RELEASE "/test_fs.ko.debug"},
		{"tree/vmlinux", "tree/drivers/some/where/test-fs.ko"},
		{"boot/vmlinux-" RELEASE, "lib/modules/" RELEASE "/extra/test_fs.ko"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct capture *c = capture_of_kernel();
		uint64_t inner = offset_of(KERNEL_PATH, "after_inner"),
			 outer = offset_of(KERNEL_PATH, "after_outer");
		uint32_t frames[] = {frame_in(c, "outer", inner, "vmlinux"),
				     frame_in(c, "outer", outer, "vmlinux"),
				     frame_in(c, "outer", inner, "test_fs"),
				     frame_in(c, "outer", outer, "test_fs")};
		char dir[64] = "";

		snprintf(dir, sizeof(dir), "%.*s", (int)strcspn(places[i][0], "/"), places[i][0]);
		for (size_t k = 0; k < 2; k++) {
			/* without the code, as distributions split it off */
			shell("mkdir -p $(dirname '%s') && objcopy --only-keep-debug %s '%s'",
			      places[i][k], k ? MODULE_DIR "/test-fs.ko" : KERNEL_PATH,
			      places[i][k]);
		}
		find_in(c, dir);
		assert_outer(c, frames[0], frames[1]);
		assert_outer(c, frames[2], frames[3]);
		capture_free(c);
	}
}

/* ---- what must not be used ---- */

static void another_build_is_refused(void **state)
{
	struct capture *c = capture_of_kernel();
	uint32_t frame = frame_in(c, "outer", offset_of(KERNEL_PATH, "after_inner"), "vmlinux");
	static const char other[] = "0123456789abcdef0123456789abcdef01234568";

	(void)state;
	set_text(&c->frames[frame].build_id, other);
	find_in(c, "debug");
	assert_null(source_lines_of(c->lines, frame));
	assert_int_equal(c->lines->modules.items[0].status, SOURCE_MISMATCH);
	assert_true(notes_say(c, KERNEL_PATH " was not used: it is of another build of vmlinux"));
	assert_true(notes_say(c, KERNEL_ID));
	assert_true(notes_say(c, other));
	capture_free(c);
}

static void without_a_build_id_nothing_is_used(void **state)
{
	struct capture *c = capture_of_kernel();
	uint32_t frame = frame_in(c, "outer", offset_of(KERNEL_PATH, "after_inner"), "test_fs");

	(void)state;
	set_text(&c->frames[frame].build_id, "");
	find_in(c, "debug");
	assert_null(source_lines_of(c->lines, frame));
	assert_true(notes_say(c, "The capture has no build id of test_fs"));
	capture_free(c);
}

static void missing_debug_information_is_said(void **state)
{
	struct capture *c = capture_of_kernel();
	uint32_t frame = frame_in(c, "outer", 4, "vmlinux");

	(void)state;
	unsetenv("DEBUGINFOD_URLS");
	shell("mkdir -p empty");
	set_text(&c->meta.items[c->meta.nr - 2].value, "8.8.8-other"); /* the release */
	find_in(c, "empty");
	assert_null(source_lines_of(c->lines, frame));
	assert_true(notes_say(c, "No debug information of vmlinux was found in "));
	assert_true(notes_say(c, "linux-image-8.8.8-other-dbg"));
	assert_true(notes_say(c, "DEBUGINFOD_URLS"));
	capture_free(c);
}

/* A stripped module has the right build id, and no lines. It must not hide a file that has them. */
static void a_stripped_module_does_not_hide_its_debug_information(void **state)
{
	struct capture *c = capture_of_kernel();
	uint64_t inner = offset_of(KERNEL_PATH, "after_inner"),
		 outer = offset_of(KERNEL_PATH, "after_outer");
	uint32_t inlined = frame_in(c, "outer", inner, "test_fs"),
		 plain = frame_in(c, "outer", outer, "test_fs");

	(void)state;
	shell("mkdir -p both/a both/b && strip -g -o both/a/test_fs.ko " MODULE_DIR
	      "/test-fs.ko && cp " MODULE_DIR "/test-fs.ko both/b/test_fs.ko");
	find_in(c, "both");
	assert_outer(c, inlined, plain);
	capture_free(c);
}

/* Two functions have the name, and the capture has no addresses: a guess would be wrong half the
 * time. */
static void a_name_that_exists_twice_gives_no_line(void **state)
{
	struct capture *c = capture_of_kernel();
	uint32_t twin = frame_in(c, "twin", 3, "vmlinux"), none = frame_in(c, "gone", 3, "vmlinux"),
		 beyond = frame_in(c, "outer", 0x10000, "vmlinux");

	(void)state;
	find_in(c, "debug");
	assert_null(source_lines_of(c->lines, twin));
	assert_null(source_lines_of(c->lines, none));
	assert_null(source_lines_of(c->lines, beyond));
	assert_true(notes_say(c, "1 of 3 frames have no line: several functions"));
	assert_true(notes_say(c, "2 of 3 frames have no line: the debug information lists no"));
	capture_free(c);
}

static void names_in_a_capture_do_not_lead_elsewhere(void **state)
{
	static const char *const names[] = {"../../secret", "a/b", "..", ".", ""};
	struct debug_files d = {.debug_dir = "/dir", .root = ""};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct path_queue paths = {.most = 100};

		d.release = names[i];
		assert_int_equal(debug_files_find(&d, "vmlinux", names[i], &paths), 0);
		assert_int_equal(paths.nr, 1);
		assert_string_equal(paths.items[0], "/dir/vmlinux");
		path_queue_free(&paths);
		paths = (struct path_queue){.most = 100};
		assert_int_equal(debug_files_find(&d, names[i], "../../../../etc/passwd", &paths),
				 0);
		assert_int_equal(paths.nr, 0);
		path_queue_free(&paths);
	}
	debug_files_free(&d);
}

/* ---- hostile files ---- */

/* Bytes of a file are changed at random. The tool must go on, quickly, whatever libdw does. */
static void damaged_files_do_no_harm(void **state)
{
	char *from = path_of(KERNEL_PATH), *bytes, *copy;
	size_t len, size, found = 0;
	unsigned int seed = 7;
	uint64_t start = clock_ns(), offset = offset_of(KERNEL_PATH, "after_inner");

	(void)state;
	assert_int_equal(file_read(from, &bytes, &len), 0);
	shell("mkdir -p damaged");
	copy = path_of("damaged/vmlinux");
	for (int i = 0; i < 150; i++) {
		struct capture *c = capture_of_kernel();
		_cleanup_free_ char *worse = malloc(len);
		FILE *f = fopen(copy, "w");
		uint32_t frame = frame_in(c, "outer", offset, "vmlinux");

		size = len;
		memcpy(worse, bytes, len);
		for (int k = 0; k < 1 << (i % 8); k++)
			worse[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
		if (i % 5 == 0) /* cut short */
			size = 1 + (size_t)rand_r(&seed) % len;
		assert_int_equal(fwrite(worse, 1, size, f), size);
		fclose(f);
		find_in(c, "damaged");
		found += source_lines_of(c->lines, frame) != NULL;
		capture_free(c);
	}
	assert_true(found > 10); /* else the damage is not in what is read */
	assert_true(clock_ns() - start < 60e9);
	free(bytes);
	free(copy);
	free(from);
}

/* Opening a FIFO would wait for ever, and a device may act on it. */
static void only_regular_files_are_opened(void **state)
{
	struct capture *c = capture_of_kernel();
	uint64_t start = clock_ns();

	(void)state;
	frame_in(c, "outer", 4, "vmlinux");
	shell("mkdir -p fifo/boot && mkfifo fifo/vmlinux && ln -s /dev/zero fifo/boot/vmlinux-" RELEASE);
	set_text(&c->meta.items[c->meta.nr - 2].value, "7.7.7");
	find_in(c, "fifo");
	assert_int_equal(c->lines->modules.items[0].status, SOURCE_MISSING);
	assert_true(clock_ns() - start < 5e9);
	capture_free(c);
}

static int work_hang(void *arg, FILE *out)
{
	volatile int *forever = arg;

	(void)out;
	while (*forever)
		;
	return 0;
}

static int work_crash(void *arg, FILE *out)
{
	(void)arg;
	(void)out;
	raise(SIGSEGV);
	return 0;
}

static int work_flood(void *arg, FILE *out)
{
	(void)arg;
	while (fputs("0123456789abcdef0123456789abcdef", out) >= 0)
		;
	return 0;
}

static int work_escape(void *arg, FILE *out)
{
	const char *path = arg;

	fprintf(out, "%d %d %d %d", open(path, O_RDONLY), open(path, O_CREAT | O_WRONLY, 0600),
		socket(AF_INET, SOCK_STREAM, 0), fork());
	return 0;
}

static int work_fail(void *arg, FILE *out)
{
	(void)arg;
	(void)out;
	return -ENOENT;
}

static void what_is_confined_can_do_no_harm(void **state)
{
	struct confinement bounds = {
		.seconds = 1, .memory_bytes = 1 << 30, .output_bytes = 1 << 20, .no_files = true};
	int forever = 1;
	char *said = NULL, *path = path_of("escaped");
	size_t len = 0;
	uint64_t start = clock_ns();

	(void)state;
	assert_int_equal(confined_run(work_hang, &forever, &bounds, &said, &len), -ETIMEDOUT);
	assert_true(clock_ns() - start < 5e9);
	assert_int_equal(confined_run(work_crash, NULL, &bounds, &said, &len), -EFAULT);
	bounds.seconds = 20;
	assert_int_equal(confined_run(work_flood, NULL, &bounds, &said, &len), -EFBIG);
	assert_int_equal(confined_run(work_fail, NULL, &bounds, &said, &len), -ENOENT);
	assert_null(said);
	assert_int_equal(confined_run(work_escape, path, &bounds, &said, &len), 0);
	assert_memory_equal(said, "-1 -1 -1 -1", len);
	assert_int_equal(access(path, F_OK), -1);
	free(said);
	free(path);
}

/* ---- paths ---- */

static void paths_begin_in_the_directory_of_the_sources(void **state)
{
	static const struct {
		const char *path, *dir, *shown;
	} cases[] = {
		{"ipc/msgutil.c", "/home/u/linux", "ipc/msgutil.c"},
		{"./include/linux/slab.h", "/home/u/linux", "include/linux/slab.h"},
		{"/home/u/linux/mm/slub.c", "/home/u/linux", "mm/slub.c"},
		/* Debian builds in a directory below the sources */
		{"/build/r/linux-6.1.192/ipc/msgutil.c",
		 "/build/r/linux-6.1.192/debian/build/build_amd64_none", "ipc/msgutil.c"},
		{"./arch/x86/include/generated/asm/x.h",
		 "/build/r/linux-6.1.192/debian/build/build_amd64_none",
		 "arch/x86/include/generated/asm/x.h"},
		{"../../lib/x.c", "/home/u/linux/a/b", "lib/x.c"},
		{"/usr/include/stdio.h", "/home/u/linux", "/usr/include/stdio.h"},
		{"/usr/include/stdio.h", "/usr/src/linux", "/usr/include/stdio.h"},
		{"/a//b/./c/../d.c", "", "/a/b/d.c"},
		{"x.c", "", "x.c"},
		{"../../../../../x.c", "/a", "/x.c"},
		{"", "/home/u/linux", ""},
	};
	char shown[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		source_path_shorten(cases[i].path, cases[i].dir, shown, sizeof(shown));
		assert_string_equal(shown, cases[i].shown);
	}
}

/* ---- debuginfod ---- */

/* A port of 127.0.0.1 that accepts connections and never answers, or that is free again. */
static int port_listen(int *fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(*fd, 8), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static void set_servers(int port)
{
	char url[64];
	char *cache = path_of("cache");

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	free(cache);
}

static void wait_for_port(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)port),
				.sin_addr = {htonl(INADDR_LOOPBACK)}};

	for (int i = 0; i < 200; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), up;

		up = connect(fd, (struct sockaddr *)&a, sizeof(a));
		close(fd);
		if (!up)
			return;
		usleep(50000);
	}
	fail_msg("the server does not start");
}

static void what_is_missing_is_fetched_if_servers_are_named(void **state)
{
	struct capture *c = capture_of_kernel();
	uint32_t inlined = frame_in(c, "outer", offset_of(KERNEL_PATH, "after_inner"), "vmlinux"),
		 plain = frame_in(c, "outer", offset_of(KERNEL_PATH, "after_outer"), "vmlinux");
	char *log = path_of("requests"), *www = path_of("www"), port_text[16], *requests;
	int fd, port = port_listen(&fd);
	pid_t pid;

	(void)state;
	close(fd);
	shell("mkdir -p empty www/buildid/" KERNEL_ID " && cp " KERNEL_PATH
	      " www/buildid/" KERNEL_ID "/debuginfo");
	snprintf(port_text, sizeof(port_text), "%d", port);
	pid = fork();
	if (!pid) {
		if (!freopen(log, "w", stderr))
			_exit(1);
		execlp("python3", "python3", "-m", "http.server", "--bind", "127.0.0.1",
		       "--directory", www, port_text, NULL);
		_exit(1);
	}
	wait_for_port(port);
	set_text(&c->meta.items[c->meta.nr - 2].value, "7.7.7");
	unsetenv("DEBUGINFOD_URLS"); /* without servers, nothing is asked */
	find_in(c, "empty");
	assert_null(source_lines_of(c->lines, inlined));
	requests = read_file(log);
	assert_null(strstr(requests, "GET"));
	free(requests);
	set_servers(port);
	find_in(c, "empty");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unsetenv("DEBUGINFOD_URLS");
	assert_outer(c, inlined, plain);
	requests = read_file(log);
	assert_non_null(strstr(requests, "GET /buildid/" KERNEL_ID "/debuginfo"));
	free(requests);
	free(log);
	free(www);
	capture_free(c);
}

static void a_server_that_does_not_answer_holds_up_nothing(void **state)
{
	int fd, port = port_listen(&fd);
	uint64_t start = clock_ns();
	char *path = NULL;

	(void)state;
	set_servers(port);
	assert_int_equal(debuginfod_fetch("vmlinux", MODULE_ID, 1, &path), -ETIMEDOUT);
	assert_true(clock_ns() - start < 10e9);
	assert_null(path);
	close(fd);
	unsetenv("DEBUGINFOD_URLS");
}

/* ---- the commands ---- */

/* A capture in a file whose largest call path is in the fixture. */
static char *capture_file(void)
{
	struct capture *c = sample_whole();
	char *path = path_of("lines.kmt");
	uint32_t frame = c->stacks[1].frames[0];

	for (size_t i = 0; i < c->meta.nr; i++) {
		if (!strcmp(c->meta.items[i].key, META_RELEASE))
			set_text(&c->meta.items[i].value, RELEASE);
		if (!strcmp(c->meta.items[i].key, META_BUILD_ID))
			set_text(&c->meta.items[i].value, KERNEL_ID);
	}
	set_text(&c->frames[frame].symbol, "outer");
	set_text(&c->frames[frame].module, "vmlinux");
	set_text(&c->frames[frame].build_id, KERNEL_ID);
	c->frames[frame].offset = offset_of(KERNEL_PATH, "after_inner");
	write_capture(c, path);
	capture_free(c);
	return path;
}

#define RUN(command, out, ...) \
	run_command(command, out, (char *[]){(char *)"kmemtrace", __VA_ARGS__, NULL})

static void assert_prints(int (*command)(int argc, char **argv), char *format, const char *words)
{
	char *path = capture_file(), *out = path_of("out"), *dir = path_of("debug"), *text;

	if (RUN(command, out, format, (char *)"--debug-dir", dir, path) != EXIT_OK)
		fail_msg("%s", read_file(path_of("stderr")));
	text = read_file(out);
	if (!strstr(text, words))
		fail_msg("'%s' is not in:\n%s", words, text);
	free(text);
	free(path);
	free(out);
	free(dir);
}

static void every_format_shows_the_lines(void **state)
{
	char words[512];
	unsigned int inner = line_of("/* line of inner */"),
		     middle = line_of("/* line of middle */"),
		     outer = line_of("/* line of outer */");

	(void)state;
	snprintf(words, sizeof(words),
		 "      inner (inlined)  ipc/kernel.c:%u\n      middle (inlined)  ipc/kernel.c:%u\n"
		 "      outer+0x%x  ipc/kernel.c:%u\n",
		 inner, middle, (unsigned int)offset_of(KERNEL_PATH, "after_inner"), outer);
	assert_prints(cmd_report, (char *)"--format=text", words);
	assert_prints(cmd_report, (char *)"--format=text", "Source lines of vmlinux are from");
	snprintf(
		words, sizeof(words),
		"\"function\": \"inner\",\n      \"file\": \"ipc/kernel.c\",\n      \"line\": %u,\n"
		"      \"inlined\": true",
		inner);
	assert_prints(cmd_report, (char *)"--format=json", words);
	assert_prints(cmd_report, (char *)"--format=json", "\"status\": \"found\"");
	snprintf(words, sizeof(words), "inner (inlined)  ipc/kernel.c:%u</bdi>", inner);
	assert_prints(cmd_report, (char *)"--format=html", words);
	snprintf(words, sizeof(words), "inner (inlined)  ipc/kernel.c:%u\\nmiddle (inlined)",
		 inner);
	assert_prints(cmd_report, (char *)"--format=html", words);
	snprintf(words, sizeof(words),
		 "{\"function\":\"outer\",\"file\":\"ipc/kernel.c\",\"line\":%u,\"inlined\":false}",
		 outer);
	assert_prints(cmd_export, (char *)"--format=ndjson", words);
}

static void without_the_option_nothing_is_looked_for(void **state)
{
	char *path = capture_file(), *out = path_of("out"), *text;

	(void)state;
	assert_int_equal(RUN(cmd_report, out, (char *)"--format=json", path), EXIT_OK);
	text = read_file(out);
	assert_null(strstr(text, "lines"));
	free(text);
	assert_int_equal(RUN(cmd_export, out, (char *)"--format=folded", (char *)"--lines", path),
			 EXIT_USAGE);
	free(path);
	free(out);
}

int main(void)
{
	static const struct CMUnitTest without_libdw[] = {
		cmocka_unit_test(names_in_a_capture_do_not_lead_elsewhere),
		cmocka_unit_test(what_is_confined_can_do_no_harm),
		cmocka_unit_test(paths_begin_in_the_directory_of_the_sources),
	};
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_of_the_kernel_has_its_line_and_inlined_functions),
		cmocka_unit_test(a_frame_of_a_module_has_its_line),
		cmocka_unit_test(debug_information_is_found_where_others_put_it),
		cmocka_unit_test(another_build_is_refused),
		cmocka_unit_test(without_a_build_id_nothing_is_used),
		cmocka_unit_test(missing_debug_information_is_said),
		cmocka_unit_test(a_stripped_module_does_not_hide_its_debug_information),
		cmocka_unit_test(a_name_that_exists_twice_gives_no_line),
		cmocka_unit_test(names_in_a_capture_do_not_lead_elsewhere),
		cmocka_unit_test(damaged_files_do_no_harm),
		cmocka_unit_test(only_regular_files_are_opened),
		cmocka_unit_test(what_is_confined_can_do_no_harm),
		cmocka_unit_test(paths_begin_in_the_directory_of_the_sources),
		cmocka_unit_test(what_is_missing_is_fetched_if_servers_are_named),
		cmocka_unit_test(a_server_that_does_not_answer_holds_up_nothing),
		cmocka_unit_test(every_format_shows_the_lines),
		cmocka_unit_test(without_the_option_nothing_is_looked_for),
	};

	if (!lines_library())
		return cmocka_run_group_tests(without_libdw, scratch_new, scratch_remove);
	return cmocka_run_group_tests(tests, build_all, scratch_remove);
}
