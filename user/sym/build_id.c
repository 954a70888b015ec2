// SPDX-License-Identifier: GPL-2.0-only
/* Reads GNU build ids from ELF notes: elf(5), "Notes (Nhdr)". Sizes are checked before use. */
#include "sym/build_id.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file_read.h"

static size_t note_align(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static void hex_print(const unsigned char *bytes, size_t n, char *hex)
{
	for (size_t i = 0; i < n; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
}

int build_id_parse(const void *notes, size_t len, char hex[BUILD_ID_HEX_SIZE])
{
	const unsigned char *p = notes;
	Elf64_Nhdr note; /* Elf32_Nhdr is the same */

	while (len >= sizeof(note)) {
		const unsigned char *name = p + sizeof(note);
		size_t desc, size;

		memcpy(&note, p, sizeof(note));
		desc = sizeof(note) + note_align(note.n_namesz);
		size = desc + note.n_descsz;
		if (size > len) /* both sizes have 32 bits, so the sum does not overflow */
			return -EBADMSG;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) && note.n_descsz &&
		    note.n_descsz <= BUILD_ID_BYTES_MAX) {
			hex_print(p + desc, note.n_descsz, hex);
			return 0;
		}
		size = note_align(size);
		if (size >= len)
			break;
		p += size;
		len -= size;
	}
	return -ENOENT;
}

static int build_id_file(const char *path, char *hex)
{
	_cleanup_free_ char *buf = NULL;
	size_t len;
	int err = file_read(path, &buf, &len);

	return err ? err : build_id_parse(buf, len, hex);
}

int build_id_kernel(const char *sys_root, char hex[BUILD_ID_HEX_SIZE])
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/kernel/notes", sys_root) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return build_id_file(path, hex);
}

int build_id_module(const char *sys_root, const char *module, char hex[BUILD_ID_HEX_SIZE])
{
	char path[PATH_MAX];

	if (!*module || *module == '.' || strchr(module, '/'))
		return -EINVAL;
	if (snprintf(path, sizeof(path), "%s/module/%s/notes/.note.gnu.build-id", sys_root,
		     module) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return build_id_file(path, hex);
}
