/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the objects of some slab caches are: dentries, inodes, sockets, open files, network
 * namespaces and mounts, added up by file system, protocol, state and cgroup. A part of a census
 * (data/census.h). trace/lenses.c counts them, model/lenses.c turns sums into figures.
 */
#ifndef KMEMTRACE_DATA_LENSES_H
#define KMEMTRACE_DATA_LENSES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"

enum lens {
	LENS_DENTRIES,
	LENS_INODES,
	LENS_SOCKETS,
	LENS_FILES,
	LENS_NET_NAMESPACES,
	LENS_MOUNTS,
	LENSES
};

/* The name in JSON: "net_namespaces". */
const char *lens_word(enum lens lens);
/* The lens of that name. Returns 0 or −EINVAL. */
int lens_parse(const char *name, enum lens *out);

/* An estimated sum. If all blocks of its caches were looked at, the variance is 0. */
struct lens_sum {
	double value, variance;
	uint64_t hits; /* blocks in which it was not 0 */
};

struct lens_row {
	enum lens lens;
	char what[32];   /* file system or protocol; "" for namespaces */
	char device[32]; /* that the file system is on, or again its name */
	char kind[24];   /* type of file, or what the kernel calls a file without a path */
	char state[16];  /* "negative", "unused", "LISTEN" …; "": in use */
	char family[12]; /* of a socket */
	uint32_t space;  /* inode number of the network or mount namespace; 0: none */
	uint32_t cgroup; /* index in census.cgroups; LENS_NO_CGROUP: charged to none */
	struct lens_sum objects;
	struct lens_sum kb;        /* that the objects themselves occupy */
	struct lens_sum held_kb;   /* inodes: page cache; sockets: received, but not yet read */
	struct lens_sum queued_kb; /* sockets: still to be sent */
};
#define LENS_NO_CGROUP UINT32_MAX

/* Processes in a namespace. */
struct lens_space {
	uint32_t number; /* inode number: the rows' `space` */
	bool net;        /* a network namespace; otherwise a mount namespace */
	uint32_t processes;
	int pid; /* the first of them, … */
	char comm[16];
};

/* A directory whose entries take much memory. Only if names are wanted. */
struct lens_directory {
	char what[32], device[32]; /* its file system */
	char path[256];            /* below the root of that; "…" and the end if it is longer */
	struct lens_sum objects, negative; /* dentries in it, without those below */
	double kb;
};
#define LENS_DIRECTORIES 20 /* at most, the largest first */

struct lens_directories {
	ARRAY_OF(struct lens_directory);
};

/*
 * A path that several open files have, that several sockets are bound to, or that several mounts
 * are on. Only if names are wanted.
 */
struct lens_path {
	enum lens lens;            /* LENS_FILES, LENS_SOCKETS or LENS_MOUNTS */
	char what[32], device[32]; /* file system that it is in; "" of mounts */
	char path[256];            /* "…" and the end if it is longer */
	bool deleted;              /* the path had this name before it was removed */
	/* Mounts; or descriptors of files and sockets, so what several processes have counts for
	 * each of them. */
	struct lens_sum objects;
	uint32_t processes; /* that have some; 0 of mounts */
	int pid;            /* of the process that has most of them, … */
	char comm[16];
	uint64_t most; /* … and how many */
};
#define LENS_PATHS   20 /* of each lens at most, the largest first */
#define LENS_SEVERAL 2  /* objects that a path must have */

struct lens_paths {
	ARRAY_OF(struct lens_path);
};

/*
 * Open files or sockets of one kind that processes of one name have. What several processes have
 * open counts for each of them.
 */
struct lens_holder {
	enum lens lens;                                             /* LENS_FILES or LENS_SOCKETS */
	char what[32], device[32], kind[24], state[16], family[12]; /* as in struct lens_row */
	char comm[16];
	uint32_t processes;
	int pid; /* of the first of them */
	uint64_t objects;
	double held_kb, queued_kb;
};
#define LENS_HOLDERS 1000 /* at most, the largest first */

struct lens_holders {
	ARRAY_OF(struct lens_holder);
};

struct lens_rows {
	ARRAY_OF(struct lens_row);
};

struct lens_spaces {
	ARRAY_OF(struct lens_space);
};

struct census_lenses {
	bool taken;       /* lenses were asked for, so the rest says something */
	char absent[200]; /* why there are none; "" if there are */
	struct lens_rows rows;
	struct lens_spaces spaces; /* in which a process is */
	struct lens_directories directories;
	struct lens_paths paths;
	struct lens_holders holders;
	bool holders_whole; /* all open files of all processes were visited */
	bool spaces_whole;  /* all processes may be seen: a namespace with none has none */
	bool named;         /* names were wanted, so `directories` and `paths` say something */
	double cpu_s;
	bool sampled[LENSES]; /* not all blocks of its caches were looked at */
	double share[LENSES]; /* of these blocks that were; NaN: no cache of this kind was found */
	double unrecognised;  /* objects of caches that there was no time to recognise */
	uint64_t lost;        /* objects that had no row, and slabs that changed meanwhile */
};

void census_lenses_free(struct census_lenses *l);

#endif
