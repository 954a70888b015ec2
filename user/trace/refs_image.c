// SPDX-License-Identifier: GPL-2.0-only
/* Where the kernel's image is: see refs_image.h. */
#include "trace/refs_image.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/log.h"
#include "proc/iomem.h"
#include "sym/kallsyms.h"

#define PROBES 8 /* places of the code that must be the same */

/* "Kernel code" of /proc/iomem begins at one of these: on arm64, that depends on the kernel. */
static const char *const start_names[] = {"_text", "_stext"};
#define STARTS (sizeof(start_names) / sizeof(start_names[0]))

static int refs_start_visit(void *arg, const struct kallsyms_line *line)
{
	uint64_t *starts = arg;
	size_t known = 0;

	for (size_t i = 0; i < STARTS; i++) {
		if (!line->module.len && text_is(line->name, start_names[i]))
			starts[i] = line->addr;
		known += starts[i] != 0;
	}
	return known == STARTS;
}

int refs_image_learn(const char *proc, refs_same_t same, void *arg, struct refs_image *out)
{
	char iomem[PATH_MAX], kallsyms[PATH_MAX];
	uint64_t starts[STARTS] = {0};
	_cleanup_free_ char *text = NULL;
	struct iomem_image image;
	size_t len;
	int err;

	snprintf(iomem, sizeof(iomem), "%s/iomem", proc);
	snprintf(kallsyms, sizeof(kallsyms), "%s/kallsyms", proc);
	err = file_read(iomem, &text, &len);
	err = err ?: iomem_image_parse(text, len, &image);
	err = err ?: kallsyms_visit(kallsyms, refs_start_visit, starts);
	for (size_t i = 0; i < STARTS && !err; i++) {
		uint64_t step = (image.code.end - image.code.first) / PROBES & ~UINT64_C(7);
		int probe = 0;

		while (starts[i] && probe < PROBES &&
		       same(arg, starts[i] + probe * step, image.code.first + probe * step))
			probe++;
		if (probe < PROBES)
			continue;
		*out = (struct refs_image){.address = starts[i],
					   .place = image.all.first,
					   .bytes = image.all.end - image.all.first,
					   .nr_parts = image.nr_parts};
		memcpy(out->parts, image.parts, sizeof(out->parts));
		return 0;
	}
	log_debug("references: where the kernel's static variables are is not known");
	return err ?: -ENODATA;
}

bool refs_image_has(const struct refs_image *image, uint64_t place)
{
	for (size_t i = 0; i < image->nr_parts; i++)
		if (place >= image->parts[i].first && place < image->parts[i].end)
			return true;
	return false;
}
