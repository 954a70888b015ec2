/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of a capture that is written: made without a name, named at the first commit, watched
 * until the end. writer.c writes into it; this part never touches its content.
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
	int name_fd; /* O_PATH, of the name it got: the kernel knows where that goes; −1: none */
	bool replaces; /* --force, and there is a capture: this file, */
	struct stat old;
	bool replaces_journal; /* and the journal that its recording left */
	struct stat old_journal;
};

/* 0, or −errno after saying why; nothing has been changed then. */
int writer_file_new(const char *path, bool overwrite, struct writer_file *f);

/* Give it its name, if it has none yet. 0, or −errno after saying why. */
int writer_file_publish(struct writer_file *f);

/*
 * Is it still the file at its path? 0, or −ESTALE after saying where it is, or that it is gone.
 * `whole`: the capture is complete, and this is the end of the recording.
 */
int writer_file_check(const struct writer_file *f, bool whole);

/* Give it to the user who called sudo, where that is safe. */
void writer_file_hand_over(const struct writer_file *f);

/* Remove it, if it is still there. */
void writer_file_remove(const struct writer_file *f);

/* After the database is closed. */
void writer_file_close(struct writer_file *f);

#endif
