/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads whole small files into memory, and large ones piece by piece. /proc and /sys report size 0,
 * so the size is found by reading.
 */
#ifndef KMEMTRACE_BASE_FILE_READ_H
#define KMEMTRACE_BASE_FILE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Larger files are refused with −EFBIG. */
#define FILE_READ_MAX (256UL << 20)

/*
 * Open a regular file for reading. Anything that could block (a FIFO) or act on being opened (a
 * device) is −EMEDIUMTYPE. Returns the descriptor or −errno. file_why() explains each.
 */
int file_open(const char *path);
const char *file_why(int err);

/*
 * Read all of `path`, a regular file. On success *buf holds *len bytes and a NUL after them (files
 * may hold NULs of their own); the caller frees it. Returns 0 or −errno, the outputs then
 * untouched.
 */
int file_read(const char *path, char **buf, size_t *len);

/* The same for an open file, from its current position. */
int file_read_fd(int fd, char **buf, size_t *len);

/*
 * Read an open file piece by piece, in FILE_PIECE bytes of memory whatever the file's size: a
 * regular file, or a BPF iterator (which says EAGAIN when it skipped a million objects). `take`
 * gets what has been read and not yet taken, and returns how many bytes of it are done with: a
 * whole number of lines or records. `last` is set at the end of the file, and when the buffer is
 * full and nothing was taken: `take` must then take everything. Returns 0 or −errno, of reading or
 * of `take`.
 */
#define FILE_PIECE (64UL << 10)
typedef ssize_t (*file_take_t)(const char *buf, size_t len, bool last, void *arg);
int file_read_pieces(int fd, file_take_t take, void *arg);

/* How much of a piece a `take` of lines is done with: up to its last newline, or at `last` all. */
size_t file_whole_lines(const char *buf, size_t len, bool last);

/*
 * The first line of dir/name, without its newline and trailing blanks, cut to fit dst[size].
 * Returns 0 or −errno; dst is then "", so that a caller who does not care need not look.
 */
int file_read_line(const char *dir, const char *name, char *dst, size_t size);

#endif
