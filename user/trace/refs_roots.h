/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects that processes have: those of their tasks (mm_struct, cred …) and of their open
 * files, by place, found by iterators (bpf/roots.bpf.c). refs_holders.c looks in this list for
 * objects that point to a sample. It also follows single pointers, and names super blocks and
 * namespaces.
 */
#ifndef KMEMTRACE_TRACE_REFS_ROOTS_H
#define KMEMTRACE_TRACE_REFS_ROOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "data/refs.h"
#include "roots_shared.h"
#include "trace/refs_image.h"
#include "trace/refs_types.h"

/* A process that has objects. */
struct refs_process {
	uint32_t tgid;
	char comm[16];
	uint64_t cgroup; /* id */
};

/* An object that a process has. */
struct refs_root {
	uint64_t place;
	uint32_t process; /* its number */
	uint8_t how; /* number of the path to it: KMT_ROOT_PLACES is the task or file itself, … */
	uint8_t kind; /* enum refs_holder_kind: of a file table, or of a task */
};

#define REFS_ROOT_SELF  KMT_ROOT_PLACES
#define REFS_ROOT_STACK (KMT_ROOT_PLACES + 1) /* … and this a page of the task's kernel stack */

struct refs_roots {
	struct {
		ARRAY_OF(struct refs_process);
	} processes;
	struct {
		ARRAY_OF(struct refs_root);
	} all;        /* by place, after refs_roots_sort() */
	bool partial; /* there were too many to keep */
};

/* Add what one task or file has. Returns 0 or −ENOMEM. */
int refs_roots_add(struct refs_roots *r, const struct kmt_root *record);
void refs_roots_sort(struct refs_roots *r);
void refs_roots_free(struct refs_roots *r);

/* The roots with a place from `start` to before `end`: the first, and *nr of them. */
const struct refs_root *refs_roots_find(const struct refs_roots *r, uint64_t start, uint64_t end,
					size_t *nr);
/* How it is found: "file.private_data", "task_struct.mm", "file". */
const char *refs_root_words(const struct refs_root *root);

/* ---- from the kernel ---- */

struct refs_follower; /* the programs, loaded */

struct refs_memory_place {
	uint64_t direct, direct_bytes; /* of the direct map */
	uint64_t frame_base;           /* the struct page of page frame 0, … */
	uint32_t frame_bytes;          /* … and its size */
	uint32_t page_shift;
};

/* Returns 0, or −errno where the kernel allows no such programs; *out is then unchanged. */
int refs_follower_open(const char *btf_path, const struct refs_types *types,
		       const struct refs_memory_place *where, struct refs_follower **out);
void refs_follower_close(struct refs_follower *f);

/* Read the roots of all processes. Returns 0 or −errno. */
int refs_follower_roots(const struct refs_follower *f, struct refs_roots *out);
/* Where the word at `place` points to; KMT_ROOT_NOWHERE: nowhere. */
uint64_t refs_follower_follow(void *follower, uint64_t place);
/* Name what is at `place`: "ext4 (sda1)", "net:[4026531840]". False: it is nothing of that kind. */
bool refs_follower_name(void *follower, enum refs_holder_kind kind, uint64_t place, char *name,
			size_t size);

/* ---- areas: see refs_areas.h ---- */

const struct refs_image *refs_follower_where_image(const struct refs_follower *f);
/* Is the word at the address? */
bool refs_follower_has(void *follower, uint64_t address, uint64_t word);
/* The vmalloc area whose vmap_area is at `place`. False: there is none. */
bool refs_follower_area(const struct refs_follower *f, uint64_t place, struct kmt_root_area *out);
/* The frames of pages `first` to at most KMT_ROOT_PAGES behind it. Returns how many these are. */
size_t refs_follower_area_frames(const struct refs_follower *f, const struct kmt_root_area *area,
				 uint32_t first, uint64_t frames[KMT_ROOT_PAGES]);
/* Is the frame in a chunk of per-CPU memory that begins where is_start() says that one does? */
typedef bool (*refs_start_t)(void *arg, uint64_t address);
bool refs_follower_chunk(const struct refs_follower *f, uint64_t frame, refs_start_t is_start,
			 void *arg);

#endif
