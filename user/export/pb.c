// SPDX-License-Identifier: GPL-2.0-only
/* The wire format of protocol buffers, and gzip around it: see pb.h. */
#include "export/pb.h"

#include <errno.h>
#include <string.h>

#define VARINT_MAX 10 /* bytes of a 64-bit number */

enum wire_type { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static size_t varint(uint8_t *to, uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		to[n++] = (uint8_t)(value | 0x80);
	to[n++] = (uint8_t)value;
	return n;
}

static void pb_append(struct pb *m, const void *bytes, size_t size)
{
	if (array_grow((void **)&m->items, &m->cap, 1, m->nr + size)) {
		m->failed = true;
		return;
	}
	if (size)
		memcpy(m->items + m->nr, bytes, size);
	m->nr += size;
}

void pb_packed(struct pb *list, int64_t value)
{
	uint8_t v[VARINT_MAX] = {0};
	size_t n = varint(v, (uint64_t)value);

	pb_append(list, v, n);
}

static void pb_key(struct pb *m, unsigned int field, enum wire_type type)
{
	pb_packed(m, (int64_t)field << 3 | type);
}

void pb_int(struct pb *m, unsigned int field, int64_t value)
{
	if (!value)
		return;
	pb_key(m, field, WIRE_VARINT);
	pb_packed(m, value);
}

void pb_bytes(struct pb *m, unsigned int field, const void *bytes, size_t size)
{
	pb_key(m, field, WIRE_BYTES);
	pb_packed(m, (int64_t)size);
	pb_append(m, bytes, size);
}

void pb_clear(struct pb *m)
{
	m->nr = 0;
}

void pb_free(struct pb *m)
{
	ARRAY_FREE(m);
}

/* ---- the file ---- */

#define GZIP_BITS (15 + 16) /* the largest window; a gzip header (zlib.h, deflateInit2) */

int pb_file_begin(struct pb_file *f, FILE *out)
{
	f->z = (z_stream){0};
	f->out = out;
	f->err = 0;
	return deflateInit2(&f->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_BITS, 8,
			    Z_DEFAULT_STRATEGY) == Z_OK
		       ? 0
		       : -ENOMEM;
}

/* Compress what is in f->z, and write it out; `flush` as in deflate(). */
static void file_deflate(struct pb_file *f, int flush)
{
	size_t made;

	do {
		f->z.next_out = f->buf;
		f->z.avail_out = sizeof(f->buf);
		if (deflate(&f->z, flush) == Z_STREAM_ERROR)
			f->err = -EIO;
		made = sizeof(f->buf) - f->z.avail_out;
		if (made && !f->err && fwrite(f->buf, 1, made, f->out) != made)
			f->err = -EIO;
	} while (!f->z.avail_out && !f->err);
}

static void file_write(struct pb_file *f, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size && !f->err) { /* z_stream counts in unsigned int */
		size_t part = size < 1 << 20 ? size : 1 << 20;

		f->z.next_in = (Bytef *)(uintptr_t)at;
		f->z.avail_in = (uInt)part;
		file_deflate(f, Z_NO_FLUSH);
		at += part;
		size -= part;
	}
}

static void file_key(struct pb_file *f, unsigned int field, enum wire_type type, uint64_t value)
{
	uint8_t v[2 * VARINT_MAX];
	size_t n = varint(v, (uint64_t)field << 3 | type);

	n += varint(v + n, value);
	file_write(f, v, n);
}

void pb_file_int(struct pb_file *f, unsigned int field, int64_t value)
{
	if (value)
		file_key(f, field, WIRE_VARINT, (uint64_t)value);
}

void pb_file_bytes(struct pb_file *f, unsigned int field, const void *bytes, size_t size)
{
	file_key(f, field, WIRE_BYTES, size);
	file_write(f, bytes, size);
}

void pb_file_message(struct pb_file *f, unsigned int field, struct pb *m)
{
	if (m->failed)
		f->err = f->err ?: -ENOMEM;
	pb_file_bytes(f, field, m->items, m->nr);
	pb_clear(m);
}

int pb_file_end(struct pb_file *f)
{
	f->z.avail_in = 0;
	if (!f->err)
		file_deflate(f, Z_FINISH);
	deflateEnd(&f->z);
	return f->err;
}
