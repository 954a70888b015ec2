// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads /proc/kallsyms, which has lines "address type name[\t[module]]", into a sorted array. A
 * symbol takes 16 bytes, and all names are in one arena, so 200,000 symbols take about 10 MB. The
 * array is built once and then only searched.
 */
#include "sym/kallsyms.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/log.h"
#include "base/text.h"

/* No function is longer. Code farther away has no symbol, so its neighbour's name would be wrong.
 */
#define REACH_INSIDE (1UL << 20)
/*
 * The size of a module's last function is unknown, and anything may follow it: BPF programs whose
 * names bpf_jit_kallsyms hides are in the same address range.
 */
#define REACH_LAST (64UL << 10)

#define NAME_MAX_LEN 1024 /* KSYM_NAME_LEN is 512 from 6.1 on */
#define MODULES_MAX  UINT16_MAX

/* BPF programs, trampolines and dispatchers have "[bpf]" in place of a module name. */
enum { MODULE_VMLINUX, MODULE_BPF };

struct symbol {
	uint64_t addr;
	uint32_t name; /* offset into the arena; it increases with the line number */
	uint16_t module;
	bool section_end; /* _etext and similar: no code follows */
};

struct kallsyms {
	ARRAY_OF(struct symbol);
	char *arena;
	size_t arena_len;
	struct {
		ARRAY_OF(uint32_t); /* offsets into the arena */
	} modules;
	size_t bad_lines;
};

void kallsyms_free(struct kallsyms *ks)
{
	if (!ks)
		return;
	ARRAY_FREE(ks);
	ARRAY_FREE(&ks->modules);
	free(ks->arena);
	free(ks);
}

static void kallsyms_cleanup(struct kallsyms **ks)
{
	kallsyms_free(*ks);
}

/* The arena is as large as the input, which is enough, because less is kept than each line has. */
static uint32_t arena_add(struct kallsyms *ks, struct text t)
{
	uint32_t at = (uint32_t)ks->arena_len;

	memcpy(ks->arena + at, t.p, t.len);
	ks->arena[at + t.len] = '\0';
	ks->arena_len += t.len + 1;
	return at;
}

/* The symbols of a module are consecutive, so try the last module first. */
static int module_id(struct kallsyms *ks, struct text name, uint16_t *out)
{
	uint32_t *m;

	for (size_t i = ks->modules.nr; i-- > 0;) {
		if (text_is(name, ks->arena + ks->modules.items[i])) {
			*out = (uint16_t)i;
			return 0;
		}
	}
	if (ks->modules.nr == MODULES_MAX)
		return -E2BIG;
	m = ARRAY_PUSH(&ks->modules);
	if (!m)
		return -ENOMEM;
	*m = arena_add(ks, name);
	*out = (uint16_t)(ks->modules.nr - 1);
	return 0;
}

static bool line_parse(struct text text, struct kallsyms_line *l)
{
	struct text word;

	if (!text_word(&text, &word) || !text_hex(word, &l->addr))
		return false;
	if (!text_word(&text, &word) || word.len != 1)
		return false;
	l->type = *word.p;
	if (!text_word(&text, &l->name) || l->name.len > NAME_MAX_LEN ||
	    memchr(l->name.p, 0, l->name.len))
		return false;
	if (l->name.len && *l->name.p == '$') /* marks code or data in modules of arm64, no name */
		return false;
	l->module = (struct text){"", 0};
	if (text_word(&text, &word)) {
		if (word.len < 3 || word.p[0] != '[' || word.p[word.len - 1] != ']' ||
		    word.len > NAME_MAX_LEN || memchr(word.p, 0, word.len))
			return false;
		l->module = (struct text){word.p + 1, word.len - 2};
	}
	return true;
}

static bool name_ends_section(struct text name)
{
	return text_is(name, "_etext") || text_is(name, "_einittext");
}

/* Add a line if it is code, or marks the end of code, whatever type the linker gave that mark. */
static int line_add(struct kallsyms *ks, const struct kallsyms_line *l)
{
	bool ends = name_ends_section(l->name);
	struct symbol *s;
	uint16_t module = MODULE_VMLINUX;
	int err = 0;

	if (!ends && l->type != 't' && l->type != 'T' && l->type != 'w' && l->type != 'W')
		return 0;
	if (l->module.len)
		err = module_id(ks, l->module, &module);
	if (err)
		return err;
	s = ARRAY_PUSH(ks);
	if (!s)
		return -ENOMEM;
	s->addr = l->addr;
	s->module = module;
	s->section_end = ends;
	s->name = arena_add(ks, l->name);
	return 0;
}

static int symbol_cmp(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static bool is_sorted(const struct kallsyms *ks)
{
	for (size_t i = 1; i < ks->nr; i++)
		if (symbol_cmp(&ks->items[i - 1], &ks->items[i]) > 0)
			return false;
	return true;
}

/* Sort. Then keep only the first symbol at each address, and none at address zero. */
static void symbols_settle(struct kallsyms *ks)
{
	size_t kept = 0;

	if (!is_sorted(ks))
		qsort(ks->items, ks->nr, sizeof(*ks->items), symbol_cmp);
	for (size_t i = 0; i < ks->nr; i++) {
		if (!ks->items[i].addr)
			continue;
		if (kept && ks->items[kept - 1].addr == ks->items[i].addr)
			ks->items[kept - 1].section_end |= ks->items[i].section_end;
		else
			ks->items[kept++] = ks->items[i];
	}
	ks->nr = kept;
}

/* Free the memory that was allocated but is not needed. */
static void kallsyms_shrink(struct kallsyms *ks)
{
	char *arena = realloc(ks->arena, ks->arena_len);
	struct symbol *items = reallocarray(ks->items, ks->nr, sizeof(*items));

	if (arena)
		ks->arena = arena;
	if (items) {
		ks->items = items;
		ks->cap = ks->nr;
	}
}

/* Create an empty set with space for the names of `len` bytes of kallsyms. Returns NULL if there is
 * not enough memory. */
static struct kallsyms *kallsyms_new(size_t len)
{
	static const char fixed[][8] = {[MODULE_VMLINUX] = "vmlinux", [MODULE_BPF] = "bpf"};
	_cleanup_(kallsyms_cleanup) struct kallsyms *ks = calloc(1, sizeof(*ks));

	if (ks)
		ks->arena = malloc(len + sizeof(fixed));
	if (!ks || !ks->arena)
		return NULL;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
		uint16_t id;

		if (module_id(ks, text_of(fixed[i]), &id))
			return NULL;
	}
	return TAKE_PTR(ks);
}

int kallsyms_parse(const char *buf, size_t len, struct kallsyms **out)
{
	_cleanup_(kallsyms_cleanup) struct kallsyms *ks = NULL;
	struct text rest = {buf, len}, text;

	if (len > FILE_READ_MAX) /* offsets of names have 32 bits */
		return -EFBIG;
	ks = kallsyms_new(len);
	if (!ks)
		return -ENOMEM;
	while (text_line(&rest, &text)) {
		struct kallsyms_line l;
		int err = 0;

		if (line_parse(text, &l))
			err = line_add(ks, &l);
		else
			ks->bad_lines++;
		if (err)
			return err;
	}
	if (!ks->nr)
		return -ENODATA;
	symbols_settle(ks);
	if (!ks->nr)
		return -EPERM;
	kallsyms_shrink(ks);
	*out = TAKE_PTR(ks);
	return 0;
}

int kallsyms_load(const char *path, struct kallsyms **out)
{
	_cleanup_free_ char *buf = NULL;
	size_t len;
	int err = file_read(path, &buf, &len);

	err = err ?: kallsyms_parse(buf, len, out);
	if (!err)
		log_debug("%s: %zu symbols; %zu lines were skipped", path, (*out)->nr,
			  (*out)->bad_lines);
	return err;
}

size_t kallsyms_count(const struct kallsyms *ks)
{
	return ks->nr;
}

size_t kallsyms_bad_lines(const struct kallsyms *ks)
{
	return ks->bad_lines;
}

bool kallsyms_span(const struct kallsyms *ks, bool modules, uint64_t *first, uint64_t *last)
{
	bool found = false;

	for (size_t i = 0; i < ks->nr; i++) {
		const struct symbol *s = &ks->items[i];

		if (s->module == MODULE_BPF || (s->module != MODULE_VMLINUX) != modules)
			continue;
		if (!found)
			*first = s->addr;
		*last = s->addr;
		found = true;
	}
	return found;
}

/* The largest possible size of the symbol at `i`. The next symbol limits it, too. */
static uint64_t symbol_reach(const struct kallsyms *ks, size_t i)
{
	const struct symbol *s = &ks->items[i];

	if (s->section_end)
		return 0;
	if (s->module == MODULE_BPF || (i + 1 < ks->nr && s[1].module == s->module))
		return REACH_INSIDE;
	return REACH_LAST;
}

bool kallsyms_find(const struct kallsyms *ks, uint64_t addr, struct sym_ref *out)
{
	size_t above;
	const struct symbol *s;

	SORTED_FIRST(above, ks->nr, ks->items[above].addr <= addr);
	if (!above)
		return false;
	s = &ks->items[above - 1];
	if (addr - s->addr >= symbol_reach(ks, above - 1))
		return false;
	out->name = ks->arena + s->name;
	out->offset = addr - s->addr;
	out->module = ks->arena + ks->modules.items[s->module];
	return true;
}

bool sym_resolve_return(const struct kallsyms *ks, uint64_t addr, struct sym_ref *out)
{
	if (!addr || !kallsyms_find(ks, addr - 1, out))
		return false;
	out->offset++;
	return true;
}

/* ---- line by line ---- */

struct visiting {
	kallsyms_visit_t visit;
	void *arg;
	int stopped;
};

static ssize_t visit_lines(const char *buf, size_t len, bool last, void *arg)
{
	struct visiting *v = arg;
	size_t whole = file_whole_lines(buf, len, last);
	struct text rest = {buf, whole}, text;

	while (!v->stopped && text_line(&rest, &text)) {
		struct kallsyms_line l;

		if (line_parse(text, &l))
			v->stopped = v->visit(v->arg, &l);
	}
	return v->stopped ? -ECANCELED : (ssize_t)whole;
}

int kallsyms_visit(const char *path, kallsyms_visit_t visit, void *arg)
{
	struct visiting v = {.visit = visit, .arg = arg};
	_cleanup_close_ int fd = file_open(path);
	int err = fd < 0 ? fd : file_read_pieces(fd, visit_lines, &v);

	return err == -ECANCELED && v.stopped ? 0 : err;
}
