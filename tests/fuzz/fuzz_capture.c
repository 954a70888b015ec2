// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry for the capture reader: any bytes as a file, which must be read or refused, never
 * crash it. make fuzz && mkdir -p corpus && cp SOME.kmt corpus/ TMPDIR=/dev/shm
 * build/fuzz/fuzz_capture -close_fd_mask=2 -max_len=65536 -timeout=25 corpus SQLite itself is not
 * instrumented: what is looked for are faults of the reader.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/capture.h"

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
	if (!capture_read(path, &c))
		capture_free(c);
	return 0;
}
