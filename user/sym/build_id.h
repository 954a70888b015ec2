/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the GNU build ids of kernel and modules. If two captures have the same id, "symbol+0x1c"
 * means the same code in both.
 */
#ifndef KMEMTRACE_SYM_BUILD_ID_H
#define KMEMTRACE_SYM_BUILD_ID_H

#include <stddef.h>

#define BUILD_ID_BYTES_MAX 64
#define BUILD_ID_HEX_SIZE  (2 * BUILD_ID_BYTES_MAX + 1)

/*
 * Find the first GNU build id in ELF notes (in this machine's byte order), as lower-case hex. The
 * input may be any bytes. Returns 0, −ENOENT if there is none, or −EBADMSG if a note extends beyond
 * the end. On failure hex is untouched.
 */
int build_id_parse(const void *notes, size_t len, char hex[BUILD_ID_HEX_SIZE]);

/* Read that of the kernel, from SYS_ROOT/kernel/notes. Returns 0 or −errno. */
int build_id_kernel(const char *sys_root, char hex[BUILD_ID_HEX_SIZE]);

/* Read that of a module, from SYS_ROOT/module/NAME/notes/.note.gnu.build-id. Returns 0 or −errno;
 * −EINVAL if the name is a path. */
int build_id_module(const char *sys_root, const char *module, char hex[BUILD_ID_HEX_SIZE]);

#endif
