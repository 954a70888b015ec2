// SPDX-License-Identifier: GPL-2.0-only
/* Short words for first screens: see screen_words.h. */
#include "findings/screen_words.h"

#include <stdio.h>
#include <string.h>

#include "base/append.h"
#include "model/entry.h"

#define PATH_FRAMES 3

/* Does a UTF-8 character begin at s? */
static bool character_begins(const char *s)
{
	return ((unsigned char)*s & 0xc0) != 0x80;
}

const char *screen_name(const char *name, char buf[SCREEN_NAME + 1])
{
	size_t len = strlen(name), head = (SCREEN_NAME - 2) / 2;
	const char *end;

	if (len <= SCREEN_NAME) {
		snprintf(buf, SCREEN_NAME + 1, "%s", name);
		return buf;
	}
	end = name + len - (SCREEN_NAME - 2 - head);
	while (head && !character_begins(name + head))
		head--;
	while (*end && !character_begins(end))
		end++;
	snprintf(buf, SCREEN_NAME + 1, "%.*s..%s", (int)head, name, end);
	return buf;
}

void screen_add_who(const struct capture *c, uint32_t process, char words[SCREEN_WORDS])
{
	const struct cap_process *p = &c->processes[process];
	char name[SCREEN_NAME + 1];

	if (!process)
		screen_add(words, "by unknown processes");
	else if (!p->tgid)
		screen_add(words, "in interrupts, not by a process");
	else
		screen_add(words, "%s[%d]", screen_name(p->comm, name), p->tgid);
}

const char *screen_cmdline(const struct capture *c, uint32_t process)
{
	return process ? c->processes[process].cmdline ?: "" : "";
}

const char *screen_cgroup(const struct capture *c, uint32_t cgroup)
{
	const char *path = c->cgroups[cgroup] ?: "";

	return strcmp(path, "/") ? path : "";
}

const char *screen_objects(enum pool pool)
{
	static const char *const names[POOLS] = {
		[POOL_SLAB] = "objects",           [POOL_VMALLOC] = "vmalloc areas",
		[POOL_PERCPU] = "per-CPU objects", [POOL_KSTACK] = "kernel stacks of threads",
		[POOL_PAGE] = "blocks of pages",   [POOL_PAGETABLE] = "page tables",
	};

	return names[pool];
}

int screen_noun_length(const struct plain_words *plain)
{
	return (int)(strchr(plain->noun, '(') ? strcspn(plain->noun, "(") - 1
					      : strlen(plain->noun));
}

void screen_add_purpose(const struct plain_words *plain, enum pool pool, char words[SCREEN_WORDS])
{
	const char *objects = screen_objects(pool), *noun = plain ? plain->noun : "";
	size_t same = strlen(objects);

	if (!plain)
		return;
	/* not "page tables for page tables of memory that was touched" */
	if (!strncmp(noun, objects, same) && noun[same] == ' ')
		screen_add(words, "%s", noun + same);
	else
		screen_add(words, " %s %.*s", plain->verb, screen_noun_length(plain), noun);
}

/* The innermost `shown` functions, and the entry. Returns the length. */
static size_t path_print_short(const struct capture *c, const struct cap_stack *s,
			       const struct entry *e, uint32_t shown, char words[SCREEN_WORDS])
{
	char name[SCREEN_NAME + 1];

	words[0] = '\0';
	for (uint32_t i = 0; i < shown; i++) {
		const struct cap_frame *f = &c->frames[s->frames[i]];

		screen_add(words, "%s%s", i ? " < " : "", screen_name(f->symbol, name));
		if (f->module[0] && strcmp(f->module, "vmlinux"))
			screen_add(words, " [%s]", screen_name(f->module, name));
	}
	if (e->frames > shown)
		screen_add(words, "%s..", shown ? " < " : "");
	if (e->kind != ENTRY_UNKNOWN)
		screen_add(words, "%s%s", words[0] ? " < " : "", screen_name(e->label, name));
	return strlen(words);
}

void screen_path(const struct capture *c, uint32_t stack, char words[SCREEN_WORDS])
{
	const struct cap_stack *s = &c->stacks[stack];
	struct entry e;
	uint32_t shown;

	words[0] = '\0';
	if (!s->nr_frames) {
		screen_add(words, "call path not recorded");
		return;
	}
	entry_of_stack(c, stack, &e);
	shown = e.frames < PATH_FRAMES ? e.frames : PATH_FRAMES;
	while (path_print_short(c, s, &e, shown, words) > SCREEN_LINE && shown > 1)
		shown--;
}
