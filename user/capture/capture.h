/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture file: one SQLite file (docs/capture-format.md, schema.sql) that `record` writes as
 * root and everything else reads as anyone. What is in it has the types of data/capture.h. writer.c
 * rows in, committed checkpoint by checkpoint, marked incomplete until capture_finish(); reader.c
 * a hostile file in, `struct capture` out, every value range-checked. No kernel address is ever
 * stored: symbols, offsets, modules and build ids only.
 */
#ifndef KMEMTRACE_CAPTURE_CAPTURE_H
#define KMEMTRACE_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "data/capture.h"
#include "version.h"

#define CAPTURE_APPLICATION_ID 0x6b6d7421 /* "kmt!" */

/* ---- writer: of one thread at a time ---- */

struct capture_writer;

/*
 * Create the capture at `path` (mode 0600; an existing file is replaced only when it is a capture
 * that nobody records, and `overwrite`). It appears there with the first capture_commit(). On
 * failure prints why, leaves nothing behind and what was there as it was, returns −errno.
 *
 * Every later call returns −ESTALE, after saying where the file is or that it is gone, once a
 * commit found that it is no longer at its path.
 */
int capture_writer_new(const char *path, bool overwrite, struct capture_writer **out);
/* Close without finishing: what was committed stays, marked incomplete. NULL is fine. */
void capture_writer_free(struct capture_writer *w);
/* Close and remove it: nothing stays. NULL is fine. */
void capture_writer_discard(struct capture_writer *w);

int capture_put_meta(struct capture_writer *w, const char *key, const char *value);
int capture_put_metaf(struct capture_writer *w, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int capture_put_snapshot(struct capture_writer *w, const struct snapshot *s);
int capture_put_hook(struct capture_writer *w, const struct cap_hook *h);

/* Interning: equal content gives an equal id. Strings are copied. */
int capture_put_frame(struct capture_writer *w, const struct cap_frame *f, uint32_t *id);
int capture_put_stack(struct capture_writer *w, const struct cap_stack *s, uint32_t *id);
int capture_put_cache(struct capture_writer *w, const struct cap_cache *c, uint32_t *id);
int capture_put_cgroup(struct capture_writer *w, const char *path, uint32_t *id);
int capture_put_process(struct capture_writer *w, const struct cap_process *p, uint32_t *id);

/* All rows of one interval, as one transaction with everything put before it. */
int capture_put_checkpoint(struct capture_writer *w, const struct cap_checkpoint *i);
/* Bytes of the file that are in use (what capture_thin() frees is used again), or −errno. */
int64_t capture_size(struct capture_writer *w);
/*
 * Make room in a long recording: of the intervals and ticks older than the newest quarter, every
 * second one is dropped, so that the older a thing is the coarser it is kept; what a dropped tick
 * changed is in the next one kept. Commits. Returns how many intervals and ticks went, 0 when there
 * are too few to drop any, or −errno.
 */
int capture_thin(struct capture_writer *w);

/*
 * Commit what was put, but give the file no name yet: what is left to do before the recording has
 * begun can still fail, and then changes nothing. The next capture_commit() names it.
 */
int capture_commit_unnamed(struct capture_writer *w);
/* Make everything put so far durable. */
int capture_commit(struct capture_writer *w);
/*
 * Mark complete, commit, close the database, give it to the user who called sudo; the writer is
 * freed whatever is returned.
 */
int capture_finish(struct capture_writer *w);

/* ---- reader ---- */

/*
 * Read the whole capture at `path` as hostile input: opened read-only, trusted_schema off,
 * defensive, application id and version checked, quick_check run, every id and number
 * range-checked. On failure prints what is wrong and what to do, returns −errno (−EBADMSG for a
 * damaged or foreign file, −ENOTSUP for a newer schema). The caller frees with capture_free().
 */
int capture_read(const char *path, struct capture **out);
/*
 * The same for a reader that wants the rows of the checkpoints nearest to two times and of the last
 * one; NaN: that end of the recording. The other intervals are brief, so that a long recording fits
 * into memory.
 */
int capture_read_part(const char *path, double from_s, double to_s, struct capture **out);
#endif
