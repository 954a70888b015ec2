// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry for captures. Any bytes as a file must be refused, or read and then shown by
 * report and balance. SQLite is not instrumented: this looks for faults of the reader, the model
 * and the renderers. Run it with scripts/fuzz.sh capture.
 */
#include "capture/capture.h"
#include "fuzz.h"

static const char *path;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_quiet();
	path = fuzz_file("capture");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The last bytes of a capture belong to its last page, and are usually unused. */
	struct fuzz_show show =
		size > 1 ? fuzz_show_of(data[size - 1], data[size - 2]) : fuzz_show_of(0, 0);
	struct capture *c = NULL;
	struct view v;

	fuzz_write(path, data, size);
	fuzz_clock_start();
	if (capture_read(path, &c)) {
		fuzz_clock_check();
		return 0;
	}
	view_whole(c, &v);
	fuzz_report(&v, &show);
	fuzz_balance(&v, &show);
	capture_free(c);
	fuzz_clock_check();
	return 0;
}
