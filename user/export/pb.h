/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a protocol buffer message, compressed with gzip, piece by piece: each field of the
 * outermost message goes out as soon as it is complete. pprof.c uses it. Failures are remembered,
 * and pb_file_end() returns them. The wire format is described at
 * https://protobuf.dev/programming-guides/encoding/.
 */
#ifndef KMEMTRACE_EXPORT_PB_H
#define KMEMTRACE_EXPORT_PB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

#include "base/array.h"

/* A message that is being made, or a packed list. */
struct pb {
	ARRAY_OF(uint8_t);
	bool failed; /* memory was short */
};

/* A field of the types int64 and uint64. As proto3 does, a value of 0 is left out. */
void pb_int(struct pb *m, unsigned int field, int64_t value);
/* A field of the types string and message. */
void pb_bytes(struct pb *m, unsigned int field, const void *bytes, size_t size);
/* One value of a packed list, which pb_bytes() then puts into a message. */
void pb_packed(struct pb *list, int64_t value);
/* Begin anew; the memory is kept. */
void pb_clear(struct pb *m);
void pb_free(struct pb *m);

/* The outermost message, in a file. */
struct pb_file {
	z_stream z;
	FILE *out;
	int err;
	uint8_t buf[32768];
};

int pb_file_begin(struct pb_file *f, FILE *out); /* 0 or −ENOMEM */
/* A field of the outermost message: a number, bytes, or the message `m`, which is then cleared. */
void pb_file_int(struct pb_file *f, unsigned int field, int64_t value);
void pb_file_bytes(struct pb_file *f, unsigned int field, const void *bytes, size_t size);
void pb_file_message(struct pb_file *f, unsigned int field, struct pb *m);
int pb_file_end(struct pb_file *f); /* 0, −ENOMEM or −EIO */

#endif
