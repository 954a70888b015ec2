/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of a capture being written: created without a name, named at the first commit, watched
 * until the end. writer.c uses it and writes the content; this module must never touch the content.
 */
#ifndef KMEMTRACE_CAPTURE_WRITER_FILE_H
#define KMEMTRACE_CAPTURE_WRITER_FILE_H

#include "base/place.h"
#include "capture/vfs.h"

struct writer_file {
	char *path; /* as the user gave it */
	struct place place;
	int fd; /* −1: none */
	struct vfs *vfs;
	bool named;
	int name_fd;   /* O_PATH descriptor of the named file, by which the kernel tells where it
			  moves; −1: none */
	bool replaces; /* --force replaces an existing capture: this file … */
	struct stat old;
	bool replaces_journal; /* … and the journal that its recording left */
	struct stat old_journal;
};

/* Returns 0, or −errno after printing why, with nothing changed. */
int writer_file_new(const char *path, bool overwrite, struct writer_file *f);

/* Name the file if it has no name yet. Returns 0, or −errno after printing why. */
int writer_file_publish(struct writer_file *f);

/*
 * Check that the file is still at its path. Returns 0, or −ESTALE after printing where it is or
 * that it is gone. `whole`: the recording has ended and the capture is complete.
 */
int writer_file_check(const struct writer_file *f, bool whole);

/* Give the file to the user who called sudo, if that is safe. */
void writer_file_hand_over(const struct writer_file *f);

/* Remove it, if it is still there. */
void writer_file_remove(const struct writer_file *f);

/* After the database is closed. */
void writer_file_close(struct writer_file *f);

#endif
