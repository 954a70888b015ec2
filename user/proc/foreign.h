/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of /proc files that went through mail, chat, tickets and Windows: brings them back into
 * the kernel's form where the meaning is plain, and names each line that cannot be read, with its
 * number and the reason. Only for copies: the live /proc needs none of it. Pure.
 */
#ifndef KMEMTRACE_PROC_FOREIGN_H
#define KMEMTRACE_PROC_FOREIGN_H

#include <stddef.h>

#include "data/input.h"

enum foreign_file {
	FOREIGN_MEMINFO,
	FOREIGN_VMSTAT,
	FOREIGN_SLABINFO,
	FOREIGN_ZONEINFO,
	FOREIGN_VMALLOCINFO,
	FOREIGN_FILES
};

/* A file in the kernel's form, and which lines of the copy its lines are. */
struct foreign_text {
	char *buf; /* a NUL after len bytes */
	size_t len;
	ARRAY_OF(size_t) numbers;
};

/*
 * Put buf right: byte order marks, UTF-16, CR LF, no-break spaces, quoting, a shell's lines around
 * it, a second copy behind the first, a last line that was cut. What was done is added to
 * *report. Returns 0 or −ENOMEM; free *out with foreign_text_free().
 */
int foreign_clean(enum foreign_file file, const char *buf, size_t len, struct input_report *report,
		  struct foreign_text *out);
void foreign_text_free(struct foreign_text *t);

/*
 * Report the lines that `parse_bad` does not take (it returns the number of bad lines of the text
 * it is given), and names that are there twice. 0 or −ENOMEM.
 */
int foreign_report(enum foreign_file file, const struct foreign_text *t,
		   size_t (*parse_bad)(const char *buf, size_t len), struct input_report *report);

#endif
