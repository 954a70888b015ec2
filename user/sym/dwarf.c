// SPDX-License-Identifier: GPL-2.0-only
/*
 * Source lines by libdw: see dwarf.h. A capture has functions and offsets, so KASLR and the places
 * of modules do not matter: the symbol table of the file says where a function is in the file. A
 * kernel is linked, so libdw reads it as it is. A module (ET_REL) must be relocated, which libdwfl
 * does.
 *
 * A frame is where a call returns to, so the line is that of the byte before.
 */
#include "sym/dwarf.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

/* ---- paths ---- */

/* Copy an absolute or relative path without "//", "/./" and "/x/../". */
static void path_fold(const char *path, char *dst, size_t size)
{
	size_t len = 0;

	if (*path == '/')
		dst[len++] = '/';
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && !strncmp(path, "..", 2) && len > 1) {
			while (len && dst[len - 1] != '/')
				len--;
			len -= len > 1;
		} else if (n && !(n == 1 && *path == '.') && len + n + 2 < size) {
			if (len && dst[len - 1] != '/')
				dst[len++] = '/';
			memcpy(dst + len, path, n);
			len += n;
		}
		path += n;
	}
	dst[len] = '\0';
}

/* Bytes of the directory that both paths are in, with its '/'. */
static size_t common_directory(const char *a, const char *b)
{
	size_t common = 0, i = 0;

	for (; a[i] && (a[i] == b[i] || (a[i] == '/' && !b[i])); i++) {
		if (a[i] == '/')
			common = i + 1;
		if (!b[i])
			break;
	}
	return common;
}

void source_path_shorten(const char *path, const char *build_dir, char *dst, size_t size)
{
	char whole[2 * PATH_MAX + 2], folded[PATH_MAX], dir[PATH_MAX];
	size_t common, depth = 0;

	path_fold(build_dir ?: "", dir, sizeof(dir));
	if (*path == '/' || !dir[0])
		snprintf(whole, sizeof(whole), "%.4095s", path);
	else
		snprintf(whole, sizeof(whole), "%s/%.4095s", dir, path);
	path_fold(whole, folded, sizeof(folded));
	common = common_directory(folded, dir);
	for (size_t i = 0; i < common; i++)
		depth += folded[i] == '/';
	/* "/" and "/usr" are no directory of sources */
	snprintf(dst, size, "%s", !*path ? "" : folded + (depth > 2 ? common : 0));
}

#ifndef KMT_LIBDW

const char *dwarf_library(void)
{
	return NULL;
}

int dwarf_write_lines(void *arg, FILE *out)
{
	(void)arg;
	(void)out;
	return -ENOTSUP;
}

#else

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <elfutils/version.h>
#include <gelf.h>

#include "base/hash.h"

const char *dwarf_library(void)
{
	return dwfl_version(NULL);
}

/* ---- what is written ---- */

struct dwarf_text {
	const char *function, *file;
};

static void record_put(FILE *out, struct dwarf_record r, struct dwarf_text t)
{
	const char *function = t.function ?: "", *file = t.file ?: "";

	r.function_len = (uint32_t)strnlen(function, DWARF_TEXT_MAX);
	r.file_len = (uint32_t)strnlen(file, DWARF_TEXT_MAX);
	fwrite(&r, sizeof(r), 1, out);
	fwrite(function, 1, r.function_len, out);
	fwrite(file, 1, r.file_len, out);
}

static void record_about(FILE *out, enum dwarf_says says, uint32_t frame)
{
	record_put(out, (struct dwarf_record){.says = says, .frame = frame},
		   (struct dwarf_text){0});
}

/* ---- an open file ---- */

struct dwarf_file {
	const struct dwarf_job *job;
	FILE *out;
	Elf *elf;
	Dwfl *dwfl; /* of a module */
	Dwfl_Module *mod;
	Dwarf *dw;
	uint64_t bias; /* of addresses in `dw` to those of symbols */
};

/* NOLINTNEXTLINE(readability-function-size): libdwfl wants eight parameters */
static int no_debuginfo(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			const char *file, const char *debuglink, GElf_Word crc, char **path)
{
	(void)mod, (void)userdata, (void)name, (void)base;
	(void)file, (void)debuglink, (void)crc, (void)path;
	return -1;
}

static int no_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base, char **file,
		  Elf **elf)
{
	(void)mod, (void)userdata, (void)name, (void)base, (void)file, (void)elf;
	return -1;
}

static const Dwfl_Callbacks dwarf_callbacks = {.find_elf = no_elf,
					       .find_debuginfo = no_debuginfo,
					       .section_address = dwfl_offline_section_address};

/* Write the build id; is it the right one? */
static bool build_id_is_right(const struct dwarf_file *f)
{
	const void *id;
	ssize_t len = dwelf_elf_gnu_build_id(f->elf, &id);
	char hex[2 * 64 + 1] = "";

	for (ssize_t i = 0; i < len && i < 64; i++)
		sprintf(hex + 2 * i, "%02x", ((const unsigned char *)id)[i]);
	record_put(f->out, (struct dwarf_record){.says = DWARF_BUILD_ID},
		   (struct dwarf_text){.function = hex});
	return hex[0] && !strcmp(hex, f->job->build_id);
}

static void dwarf_open_module(struct dwarf_file *f)
{
	Dwarf_Addr bias = 0;

	f->dwfl = dwfl_begin(&dwarf_callbacks);
	f->mod = f->dwfl ? dwfl_report_offline(f->dwfl, "module", "module", f->job->fd) : NULL;
	if (f->dwfl)
		dwfl_report_end(f->dwfl, NULL, NULL);
	f->dw = f->mod ? dwfl_module_getdwarf(f->mod, &bias) : NULL;
	f->bias = bias;
}

/* The process ends soon, so nothing is ever closed. Returns false if there is nothing to read. */
static bool dwarf_open(struct dwarf_file *f)
{
	GElf_Ehdr header;

	elf_version(EV_CURRENT);
	/* mapped read-only, a file of half a gigabyte takes no private memory */
	f->elf = elf_begin(f->job->fd, ELF_C_READ_MMAP, NULL);
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &header)) {
		record_about(f->out, DWARF_NOT_ELF, 0);
		return false;
	}
	if (!build_id_is_right(f))
		return false;
	if (header.e_type == ET_REL)
		dwarf_open_module(f);
	else
		f->dw = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
	if (f->dw)
		return true;
	record_about(f->out, DWARF_NO_INFO, 0);
	return false;
}

/* ---- functions: where they are in the file ---- */

struct wanted_symbol {
	const char *name;
	UT_hash_handle hh;
	size_t nr;
	struct dwarf_want **wants;
};

static int symbols_index(const struct dwarf_job *job, struct wanted_symbol **index)
{
	for (size_t i = 0; i < job->nr; i++) {
		struct dwarf_want *w = &job->wants[i], **list;
		struct wanted_symbol *s;

		HASH_FIND_STR(*index, w->symbol, s);
		if (!s) {
			s = calloc(1, sizeof(*s));
			if (!s)
				return -ENOMEM;
			s->name = w->symbol;
			HASH_ADD_KEYPTR(hh, *index, s->name, strlen(s->name), s);
		}
		list = reallocarray(s->wants, s->nr + 1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		list[s->nr++] = w;
		s->wants = list;
	}
	return 0;
}

/* A symbol of the file: does it contain what is wanted? One without a size is a label. */
static void symbol_take(const struct wanted_symbol *index, const char *name, const GElf_Sym *sym,
			uint64_t addr)
{
	int type = GELF_ST_TYPE(sym->st_info);
	struct wanted_symbol *s;

	if (!name || sym->st_shndx == SHN_UNDEF ||
	    (type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC))
		return;
	HASH_FIND_STR(index, name, s);
	for (size_t i = 0; s && i < s->nr; i++) {
		struct dwarf_want *w = s->wants[i];
		uint64_t pc = addr + w->offset - (w->offset > 0);

		if (sym->st_size && w->offset > sym->st_size)
			continue;
		if (w->found && w->pc == pc)
			continue;
		w->pc = pc;
		w->found++;
	}
}

static void symbols_of_module(const struct dwarf_file *f, const struct wanted_symbol *index)
{
	int nr = dwfl_module_getsymtab(f->mod);

	for (int i = 1; i < nr; i++) {
		GElf_Sym sym;
		GElf_Addr addr;
		const char *name =
			dwfl_module_getsym_info(f->mod, i, &sym, &addr, NULL, NULL, NULL);

		symbol_take(index, name, &sym, addr);
	}
}

static void symbols_of_kernel(const struct dwarf_file *f, const struct wanted_symbol *index)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(f->elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;
		GElf_Sym sym;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(section, NULL);
		for (int i = 1; data && gelf_getsym(data, i, &sym); i++)
			symbol_take(index, elf_strptr(f->elf, header.sh_link, sym.st_name), &sym,
				    sym.st_value);
	}
}

static int compare_wants(const void *a, const void *b)
{
	const struct dwarf_want *x = a, *y = b;

	return (x->pc > y->pc) - (x->pc < y->pc);
}

/* Find all functions; keep those that are there once, sorted by address. Returns how many. */
static int symbols_find(const struct dwarf_file *f, size_t *nr)
{
	struct wanted_symbol *index = NULL;
	struct dwarf_want *wants = f->job->wants;
	int err = symbols_index(f->job, &index);

	if (err)
		return err;
	if (f->mod)
		symbols_of_module(f, index);
	else
		symbols_of_kernel(f, index);
	*nr = 0;
	for (size_t i = 0; i < f->job->nr; i++) {
		if (wants[i].found == 1)
			wants[(*nr)++] = wants[i];
		else
			record_about(f->out, wants[i].found ? DWARF_AMBIGUOUS : DWARF_UNLISTED,
				     wants[i].frame);
	}
	if (*nr)
		qsort(wants, *nr, sizeof(*wants), compare_wants);
	return 0;
}

/* ---- lines ---- */

/* One compilation unit, and the wanted places in it. */
struct dwarf_unit {
	const struct dwarf_file *f;
	Dwarf_Die die;
	const char *dir;          /* that it was compiled in */
	struct dwarf_want *wants; /* all of the file, sorted */
	size_t nr;
	bool *done; /* of each: its line is written */
};

/* The first of the sorted places that is not below `pc`. */
static size_t first_want(const struct dwarf_unit *u, uint64_t pc)
{
	size_t first;

	SORTED_FIRST(first, u->nr, u->wants[first].pc - u->f->bias < pc);
	return first;
}

static void line_put(const struct dwarf_unit *u, uint32_t frame, const char *function,
		     const char *file, int line, bool inlined)
{
	char shown[DWARF_TEXT_MAX] = "";

	if (file)
		source_path_shorten(file, u->dir, shown, sizeof(shown));
	record_put(u->f->out,
		   (struct dwarf_record){.says = DWARF_LINE,
					 .frame = frame,
					 .line = line > 0 ? (uint32_t)line : 0,
					 .inlined = inlined},
		   (struct dwarf_text){function, shown});
}

/* The inlined functions that contain `pc`, outermost first. Returns how many. */
static size_t inlined_at(Dwarf_Die *function, Dwarf_Addr pc, Dwarf_Die chain[DWARF_INLINE_MAX])
{
	Dwarf_Die at = *function, child;
	size_t nr = 0, depth = 0;
	int none = dwarf_child(&at, &child);

	while (!none && nr < DWARF_INLINE_MAX && depth < 256) {
		int tag = dwarf_tag(&child);

		if ((tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) ||
		    dwarf_haspc(&child, pc) <= 0) {
			none = dwarf_siblingof(&child, &child);
			continue;
		}
		if (tag == DW_TAG_inlined_subroutine)
			chain[nr++] = child;
		depth++;
		at = child;
		none = dwarf_child(&at, &child);
	}
	return nr;
}

static const char *call_file(const struct dwarf_unit *u, Dwarf_Die *inlined)
{
	Dwarf_Die unit = u->die;
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	Dwarf_Word number;

	if (!dwarf_attr(inlined, DW_AT_call_file, &attr) || dwarf_formudata(&attr, &number) ||
	    dwarf_getsrcfiles(&unit, &files, NULL))
		return NULL;
	return dwarf_filesrc(files, number, NULL, NULL);
}

static int call_line(Dwarf_Die *inlined)
{
	Dwarf_Attribute attr;
	Dwarf_Word line;

	return dwarf_attr(inlined, DW_AT_call_line, &attr) && !dwarf_formudata(&attr, &line) &&
			       line < INT_MAX
		       ? (int)line
		       : 0;
}

/* The lines of one place: where it is, and where each function around it was inlined. */
static void lines_put(struct dwarf_unit *u, size_t want, Dwarf_Die *function)
{
	const struct dwarf_want *w = &u->wants[want];
	Dwarf_Addr pc = w->pc - u->f->bias;
	Dwarf_Die chain[DWARF_INLINE_MAX], unit = u->die;
	size_t nr = function ? inlined_at(function, pc, chain) : 0;
	Dwarf_Line *line = dwarf_getsrc_die(&unit, pc);
	const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	int number = 0;

	u->done[want] = true;
	if (!line && !nr)
		return;
	if (line && dwarf_lineno(line, &number))
		number = 0;
	while (nr) {
		Dwarf_Die *inlined = &chain[--nr];

		line_put(u, w->frame, dwarf_diename(inlined), file, number, true);
		file = call_file(u, inlined);
		number = call_line(inlined);
	}
	line_put(u, w->frame, NULL, file, number, false);
}

/* Call `each` for the wanted places in the ranges of a unit or a function. */
static bool wants_within(struct dwarf_unit *u, Dwarf_Die *die, Dwarf_Die *function)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;
	bool any = false;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0)
		for (size_t i = first_want(u, start);
		     i < u->nr && u->wants[i].pc - u->f->bias < end; i++) {
			any = true;
			if (function && !u->done[i])
				lines_put(u, i, function);
		}
	return any;
}

/* All functions among the children of a unit; Rust has them in namespaces. */
static void functions_of(struct dwarf_unit *u, Dwarf_Die *parent, int depth)
{
	Dwarf_Die child;
	int none = dwarf_child(parent, &child);

	for (; !none; none = dwarf_siblingof(&child, &child)) {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_subprogram)
			wants_within(u, &child, &child);
		else if (tag == DW_TAG_namespace && depth < 16)
			functions_of(u, &child, depth + 1);
	}
}

static void lines_of_unit(struct dwarf_unit *u)
{
	Dwarf_Addr base, start, end;
	Dwarf_Attribute attr;
	ptrdiff_t at = 0;

	if (!wants_within(u, &u->die, NULL))
		return;
	u->dir = dwarf_attr(&u->die, DW_AT_comp_dir, &attr) ? dwarf_formstring(&attr) : NULL;
	functions_of(u, &u->die, 0);
	/* assembler has lines, but no functions */
	while ((at = dwarf_ranges(&u->die, at, &base, &start, &end)) > 0)
		for (size_t i = first_want(u, start);
		     i < u->nr && u->wants[i].pc - u->f->bias < end; i++)
			if (!u->done[i])
				lines_put(u, i, NULL);
}

int dwarf_write_lines(void *arg, FILE *out)
{
	struct dwarf_file f = {.job = arg, .out = out};
	struct dwarf_unit u = {.f = &f, .wants = f.job->wants};
	Dwarf_CU *cu = NULL;
	uint8_t type;
	int err;

	if (!dwarf_open(&f))
		return 0;
	err = symbols_find(&f, &u.nr);
	u.done = calloc(u.nr + 1, sizeof(*u.done));
	if (err || !u.done)
		return -ENOMEM;
	while (u.nr && !dwarf_get_units(f.dw, cu, &cu, NULL, &type, &u.die, NULL))
		if (type == DW_UT_compile || type == DW_UT_partial)
			lines_of_unit(&u);
	return 0;
}

#endif
