/* SPDX-License-Identifier: GPL-2.0-only */
/* GNU build ids of kernel and modules: what makes "symbol+0x1c" of two captures comparable. */
#ifndef KMEMTRACE_SYM_BUILD_ID_H
#define KMEMTRACE_SYM_BUILD_ID_H

#include <stddef.h>

#define BUILD_ID_BYTES_MAX 64
#define BUILD_ID_HEX_SIZE  (2 * BUILD_ID_BYTES_MAX + 1)

/*
 * The first GNU build id among ELF notes (this machine's byte order), as lower-case hex. Any bytes
 * will do as input. Returns 0, −ENOENT when there is none, or −EBADMSG when a note runs past the
 * end; hex is then untouched.
 */
int build_id_parse(const void *notes, size_t len, char hex[BUILD_ID_HEX_SIZE]);

/* The kernel's, from SYS_ROOT/kernel/notes. 0 or −errno. */
int build_id_kernel(const char *sys_root, char hex[BUILD_ID_HEX_SIZE]);

/* A module's, from SYS_ROOT/module/NAME/notes/.note.gnu.build-id. −EINVAL for a path as name. */
int build_id_module(const char *sys_root, const char *module, char hex[BUILD_ID_HEX_SIZE]);

#endif
