/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests that read files: the recorded trees of tests/fixtures/proc, temporary trees, and
 * damaged copies of a buffer. A failure here is an error of the test itself, and aborts it.
 */
#ifndef KMEMTRACE_TESTS_TREE_H
#define KMEMTRACE_TESTS_TREE_H

#include <assert.h>
#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_read.h"

#define FIXTURES TESTS_DIR "/fixtures/proc"

/* "root/name" into path[PATH_MAX]. */
static inline void tree_path(char *path, const char *root, const char *name)
{
	if (snprintf(path, PATH_MAX, "%s/%s", root, name) >= PATH_MAX)
		abort();
}

/* Call `visit` with the path of each recorded proc tree; returns how many there were. */
static inline int tree_each_fixture(void (*visit)(const char *root))
{
	struct dirent **entries;
	int n = scandir(FIXTURES, &entries, NULL, alphasort), seen = 0;

	for (int i = 0; i < n; i++) {
		char root[PATH_MAX];

		snprintf(root, sizeof(root), "%s/%s/meminfo", FIXTURES, entries[i]->d_name);
		if (*entries[i]->d_name != '.' && !access(root, R_OK)) {
			*strrchr(root, '/') = '\0';
			visit(root);
			seen++;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return seen;
}

/* The file root/name as a NUL-terminated string, to be freed. */
static inline char *tree_read(const char *root, const char *name, size_t *len)
{
	char path[PATH_MAX], *buf = NULL;
	size_t n;
	int err;

	tree_path(path, root, name);
	err = file_read(path, &buf, len ? len : &n);
	if (err) {
		fprintf(stderr, "%s: %s\n", path, strerror(-err));
		abort();
	}
	return buf;
}

/* A new empty directory; tree_remove() takes it away. */
static inline char *tree_new(void)
{
	char *dir = strdup("/tmp/kmemtrace-test-XXXXXX");

	assert(dir && mkdtemp(dir));
	return dir;
}

static inline void tree_dirs(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
}

/* Create the file root/name and the directories on the way; a name in "/" is a directory. */
static inline void tree_put_bytes(const char *root, const char *name, const void *data, size_t len)
{
	char path[PATH_MAX];
	FILE *f;

	tree_path(path, root, name);
	tree_dirs(path);
	if (path[strlen(path) - 1] == '/')
		return;
	f = fopen(path, "w");
	assert(f && fwrite(data, 1, len, f) == len);
	fclose(f);
}

static inline void tree_put(const char *root, const char *name, const char *text)
{
	tree_put_bytes(root, name, text, strlen(text));
}

static inline void tree_link(const char *root, const char *name, const char *target)
{
	char path[PATH_MAX];
	int err;

	tree_path(path, root, name);
	tree_dirs(path);
	err = symlink(target, path);
	assert(!err);
	(void)err;
}

static inline int tree_remove_one(const char *path, const struct stat *st, int flag,
				  struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static inline void tree_remove(char *dir)
{
	nftw(dir, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

/*
 * Call `parse` with damaged copies of buf: cut off anywhere, bytes changed. Each copy is a block of
 * its own of exactly its length, so that ASan sees a read past the end. Deterministic.
 */
static inline void tree_damage(const char *buf, size_t len,
			       void (*parse)(const char *buf, size_t len))
{
	static const char bytes[] = "\0\n\t :=-[]09f\xff";
	uint32_t seed = 1;

	for (int round = 0; round < 300; round++) {
		size_t cut;
		char *copy;

		seed = seed * 1664525 + 1013904223;
		cut = round % 3 ? len : (seed >> 8) % (len + 1);
		copy = malloc(cut ? cut : 1);
		assert(copy);
		memcpy(copy, buf, cut);
		for (int i = 0; cut && i < round % 50; i++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 4) % cut] = bytes[(seed >> 28) % (sizeof(bytes) - 1)];
		}
		parse(copy, cut);
		free(copy);
	}
}

#endif
