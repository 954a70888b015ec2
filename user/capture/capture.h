/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture file: one SQLite file (docs/capture-format.md, schema.sql) that `record` writes as
 * root and everything else reads as anyone. data/capture.h has the types of its rows. writer.c
 * writes rows and commits them checkpoint by checkpoint; the file is marked incomplete until
 * capture_finish(). reader.c reads a file that may be hostile into a `struct capture` and checks
 * the range of every value. No kernel address is ever stored, only symbols, offsets, modules and
 * build ids.
 */
#ifndef KMEMTRACE_CAPTURE_CAPTURE_H
#define KMEMTRACE_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "data/capture.h"
#include "version.h"

#define CAPTURE_APPLICATION_ID 0x6b6d7421 /* "kmt!" */

/* ---- writer: one thread at a time ---- */

struct capture_writer;

/*
 * Create the capture at `path` (mode 0600). An existing file is replaced only if `overwrite` is set
 * and it is a capture that is not being recorded. The file appears with the first capture_commit().
 * Returns 0, or −errno after printing why; it then leaves nothing behind and an old file unchanged.
 * Once a commit finds that the file is no longer at its path, it prints where the file is, and
 * every later call returns −ESTALE.
 */
int capture_writer_new(const char *path, bool overwrite, struct capture_writer **out);
/* Close without finishing: committed data stays, marked incomplete. NULL is fine. */
void capture_writer_free(struct capture_writer *w);
/* Close and remove the file. NULL is fine. */
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

/*
 * A census; at most one of each moment. Returns 0; −EINVAL if the reader would refuse it, and then
 * nothing is written and the capture is as good as before; or another −errno.
 */
int capture_put_census(struct capture_writer *w, enum census_moment moment,
		       const struct census *census);

/* A proof; the same holds for it. */
int capture_put_proof(struct capture_writer *w, const struct proof *proof);

/* All rows of one interval, as one transaction with everything put before it. */
int capture_put_checkpoint(struct capture_writer *w, const struct cap_checkpoint *i);
/*
 * Bytes of the file in use, or −errno. Space freed by capture_thin() is reused and does not count.
 */
int64_t capture_size(struct capture_writer *w);
/*
 * Make room in a long recording: keep the newest quarter of the intervals and ticks, and drop every
 * second one of the older, so that older data is coarser. The changes of a dropped tick move to the
 * next one kept. Commits. Returns the number dropped, 0 if there are too few to drop any, or
 * −errno.
 */
int capture_thin(struct capture_writer *w);

/*
 * Commit what was put, but do not name the file yet: starting the recording can still fail and must
 * then change nothing. The next capture_commit() names it.
 */
int capture_commit_unnamed(struct capture_writer *w);
/* Make everything put so far durable. */
int capture_commit(struct capture_writer *w);
/*
 * Mark the capture complete, commit, close, and give it to the user who called sudo. The writer is
 * freed even on failure.
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
 * The same, but with complete rows only for the checkpoints nearest to two times and for the last
 * one (NaN: that end of the recording). The other intervals are brief, so that a long recording
 * fits into memory.
 */
int capture_read_part(const char *path, double from_s, double to_s, struct capture **out);
#endif
