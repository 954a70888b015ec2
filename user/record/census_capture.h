/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A census without a recording, as a capture: `kmemtrace census -o`. It has the census, a snapshot
 * of the levels just after it, and the facts of the host.
 */
#ifndef KMEMTRACE_RECORD_CENSUS_CAPTURE_H
#define KMEMTRACE_RECORD_CENSUS_CAPTURE_H

#include <stdbool.h>

#include "data/census.h"

/*
 * Write the capture; the snapshot is read here, so call it soon after the census. Returns 0, or
 * −errno after printing why; it then leaves nothing behind and an old file unchanged.
 */
int census_capture_write(const char *path, bool overwrite, const struct census *census);

#endif
