// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry for a capture: any bytes as a file, which must be refused, or read and then
 * reported, never crash either. SQLite itself is not instrumented: what is looked for are faults of
 * the reader, the model and the renderers.
 *
 *   make fuzz && mkdir -p corpus && cp SOME.kmt corpus/
 *   TMPDIR=/dev/shm build/fuzz/fuzz_capture -close_fd_mask=2 -max_len=65536 -timeout=25 corpus
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "findings/report.h"
#include "render/report.h"

static char path[256];

static void remove_input(void)
{
	unlink(path);
}

static void make_input(void)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	snprintf(path, sizeof(path), "%s/fuzz-capture.XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	close(fd);
	atexit(remove_input);
}

static void report(const struct capture *c, enum growth_by by)
{
	const struct report_options options = {.colour = true, .utf8 = true};
	struct report r;
	struct view v;
	FILE *f = fopen("/dev/null", "w");

	view_whole(c, &v);
	if (!f || report_build(&v, by, &r))
		abort();
	report_text(&r, &options, f);
	report_json(&r, 0, f);
	report_free(&r);
	fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture *c = NULL;
	FILE *f;

	if (!path[0])
		make_input();
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		abort();
	if (!capture_read(path, &c)) {
		report(c, size ? data[size - 1] % (GROWTH_BY_SYSCALL + 1) : 0);
		capture_free(c);
	}
	return 0;
}
