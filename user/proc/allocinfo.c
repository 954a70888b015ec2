// SPDX-License-Identifier: GPL-2.0-only
/* See allocinfo.h. */
#include "proc/allocinfo.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file_read.h"

#define SITES_MOST 65536 /* a kernel has about 5000, its modules some more */
#define LINE_MOST  1024
#define HEADER     "allocinfo - version: "

/* Copy a word; its end, after "…", if it is too long. */
static void word_copy(char *dst, size_t size, const char *word)
{
	size_t len = strlen(word);

	if (len < size)
		memcpy(dst, word, len + 1);
	else
		snprintf(dst, size, "…%s", word + len - (size - strlen("…") - 1));
}

/* A number of at most 15 digits: what captures can hold. */
static int number_parse(const char *word, uint64_t *out)
{
	size_t digits = strspn(word, "0123456789");

	if (!digits || digits > 15 || word[digits])
		return -EINVAL;
	*out = strtoull(word, NULL, 10);
	return 0;
}

/* "mm/slub.c:1234" */
static int place_parse(char *word, struct alloc_site *site)
{
	char *colon = strrchr(word, ':');
	uint64_t line;

	if (!colon || colon == word)
		return -EINVAL;
	*colon = '\0';
	if (number_parse(colon + 1, &line) || line > UINT32_MAX)
		return -EINVAL;
	site->line = (uint32_t)line;
	word_copy(site->file, sizeof(site->file), word);
	return 0;
}

/* The words after the place: "[module]", "func:name", and marks of later versions. */
static int mark_parse(char *word, struct alloc_site *site)
{
	size_t len = strlen(word);

	if (word[0] == '[' && len > 2 && word[len - 1] == ']') {
		word[len - 1] = '\0';
		word_copy(site->module, sizeof(site->module), word + 1);
	} else if (!strncmp(word, "func:", 5)) {
		word_copy(site->function, sizeof(site->function), word + 5);
	} else if (!strcmp(word, "accurate:no")) {
		site->inaccurate = true;
	}
	return 0;
}

static int site_parse(char *line, struct alloc_site *site)
{
	char *at = NULL, *word = strtok_r(line, " \t", &at);
	int err = word ? number_parse(word, &site->bytes) : -EINVAL;

	word = err ? NULL : strtok_r(NULL, " \t", &at);
	err = word ? number_parse(word, &site->calls) : -EINVAL;
	word = err ? NULL : strtok_r(NULL, " \t", &at);
	err = word ? place_parse(word, site) : -EINVAL;
	while (!err && (word = strtok_r(NULL, " \t", &at)))
		err = mark_parse(word, site);
	return !err && site->function[0] ? 0 : -EINVAL;
}

static int compare_sites(const void *x, const void *y)
{
	const struct alloc_site *a = x, *b = y;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return strcmp(a->file, b->file) ?: (a->line > b->line) - (a->line < b->line);
}

/* A line without its newline. Returns 0 or −ENOMEM. */
static int site_line_add(struct alloc_sites *s, struct alloc_source *about, const char *text,
			 size_t len)
{
	struct alloc_site site = {0}, *row;
	char line[LINE_MOST];

	if (!len || text[0] == '#')
		return 0;
	if (len >= sizeof(line) || memchr(text, '\0', len)) {
		about->bad_lines++;
		return 0;
	}
	memcpy(line, text, len);
	line[len] = '\0';
	if (site_parse(line, &site) || s->nr >= SITES_MOST ||
	    site.bytes > ALLOC_BYTES_MAX - about->bytes) {
		about->bad_lines++;
		return 0;
	}
	if (!site.bytes)
		return 0;
	row = ARRAY_PUSH(s);
	if (!row)
		return -ENOMEM;
	*row = site;
	about->bytes += site.bytes;
	return 0;
}

int alloc_sites_parse(const char *buf, size_t len, struct alloc_sites *out,
		      struct alloc_source *about)
{
	struct alloc_source source = {.name = ALLOC_SITES};
	struct alloc_sites s = {0};
	int err = 0;

	if (len < strlen(HEADER) || strncmp(buf, HEADER, strlen(HEADER)))
		return -EINVAL;
	for (size_t at = 0, line = 0; at < len && !err; line++) {
		const char *end = memchr(buf + at, '\n', len - at);
		size_t size = end ? (size_t)(end - (buf + at)) : len - at;

		if (line)
			err = site_line_add(&s, &source, buf + at, size);
		at += size + 1;
	}
	if (err) {
		ARRAY_FREE(&s);
		return err;
	}
	if (s.nr)
		qsort(s.items, s.nr, sizeof(*s.items), compare_sites);
	*out = s;
	*about = source;
	return 0;
}

bool alloc_sites_counted(const char *root)
{
	char value[8];

	file_read_line(root, "sys/vm/mem_profiling", value, sizeof(value));
	return strcmp(value, "0") != 0;
}

int alloc_sites_read(const char *root, struct alloc_sites *out, struct alloc_source *about)
{
	_cleanup_free_ char *buf = NULL;
	char path[256];
	size_t len;
	int err;

	snprintf(path, sizeof(path), "%s/allocinfo", root);
	err = file_read(path, &buf, &len);
	err = err ?: alloc_sites_parse(buf, len, out, about);
	if (!err && !alloc_sites_counted(root))
		snprintf(about->lacks, sizeof(about->lacks),
			 "Counting is switched off now, so these figures are old. `sysctl "
			 "vm.mem_profiling=1` switches it on for what is allocated from then on.");
	return err;
}
