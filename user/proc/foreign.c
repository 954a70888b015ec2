// SPDX-License-Identifier: GPL-2.0-only
/* Copies of /proc files that were quoted, converted or cut: see foreign.h. */
#include "proc/foreign.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static const char *const names[FOREIGN_FILES] = {"meminfo", "vmstat", "slabinfo", "zoneinfo",
						 "vmallocinfo"};

static const char mended_utf16[] = "was UTF-16 text, as PowerShell writes it";
static const char mended_bom[] = "began with a byte order mark";
static const char mended_crlf[] = "had CR LF line ends";
static const char mended_nbsp[] = "had no-break spaces";
static const char mended_quote[] = "was quoted with '>' or '|'";
static const char mended_shell[] = "had the lines of a shell or of markup around it";

/*
 * Add a line to the report. If the file already has a line with this fault there, only raise its
 * count. 0 or −ENOMEM.
 */
static int report_add(struct input_report *report, enum foreign_file file, enum input_fault fault,
		      const char *why, size_t number, struct text text)
{
	struct input_line *line;

	for (size_t i = 0; i < report->nr; i++) {
		line = &report->items[i];
		if (line->fault != fault || line->why != why || line->file != names[file])
			continue;
		line->count++;
		return 0;
	}
	line = ARRAY_PUSH(report);
	if (!line)
		return -ENOMEM;
	*line = (struct input_line){
		.fault = fault, .file = names[file], .number = number, .count = 1, .why = why};
	text_copy(text, line->text, sizeof(line->text));
	return 0;
}

static int report_mended(struct input_report *report, enum foreign_file file, const char *why)
{
	return report_add(report, file, INPUT_MENDED, why, 0, (struct text){"", 0});
}

/* ---- bytes ---- */

/*
 * Keep only every second byte of UTF-16 (little endian), because /proc is ASCII. Returns the new
 * length.
 */
static size_t utf16_narrow(char *buf, size_t len)
{
	size_t n = 0;

	for (size_t i = 2; i < len; i += 2)
		buf[n++] = i + 1 < len && buf[i + 1] ? '?' : buf[i];
	return n;
}

static size_t spaces_replace(char *buf, size_t len)
{
	/* no-break space, narrow no-break space, zero width space, byte order mark */
	static const struct {
		const char *bytes, *with;
	} spaces[] = {{"\xc2\xa0", " "},
		      {"\xe2\x80\xaf", " "},
		      {"\xe2\x80\x8b", ""},
		      {"\xef\xbb\xbf", ""}};
	size_t n = 0, i = 0;

	while (i < len) {
		size_t k;

		for (k = 0; k < 4; k++)
			if (text_starts((struct text){buf + i, len - i}, spaces[k].bytes))
				break;
		if (k == 4) {
			buf[n++] = buf[i++];
			continue;
		}
		if (*spaces[k].with)
			buf[n++] = *spaces[k].with;
		i += strlen(spaces[k].bytes);
	}
	return n;
}

/* Convert byte order marks, UTF-16 and unusual spaces, in place. Returns 0 or −ENOMEM. */
static int bytes_clean(enum foreign_file file, char *buf, size_t *len, struct input_report *report)
{
	size_t n;

	if (*len >= 2 && !memcmp(buf, "\xff\xfe", 2)) {
		*len = utf16_narrow(buf, *len);
		if (report_mended(report, file, mended_utf16))
			return -ENOMEM;
	}
	if (*len >= 3 && !memcmp(buf, "\xef\xbb\xbf", 3)) {
		memmove(buf, buf + 3, *len -= 3);
		if (report_mended(report, file, mended_bom))
			return -ENOMEM;
	}
	n = spaces_replace(buf, *len);
	if (n < *len && report_mended(report, file, mended_nbsp))
		return -ENOMEM;
	*len = n;
	return 0;
}

/* ---- lines ---- */

static struct text line_trim(struct text line)
{
	while (line.len && text_is_blank(*line.p)) {
		line.p++;
		line.len--;
	}
	while (line.len && text_is_blank(line.p[line.len - 1]))
		line.len--;
	return line;
}

static bool line_quoted(struct text line)
{
	line = line_trim(line);
	return line.len && (*line.p == '>' || *line.p == '|');
}

/*
 * Is the whole text quoted? It is if more than half of the lines are: a mark before a single line
 * may belong to that line.
 */
static bool text_quoted(struct text all)
{
	size_t quoted = 0, lines = 0;
	struct text line;

	while (text_line(&all, &line)) {
		line = line_trim(line);
		lines += line.len > 0;
		quoted += line_quoted(line);
	}
	return quoted * 2 > lines;
}

/* Remove "> ", "| " or "> > " at the start, and " |" at the end (of a table's row). */
static struct text line_unquote(struct text line)
{
	while (line_quoted(line)) {
		line = line_trim(line);
		line.p++;
		line.len--;
		if (line.len && *line.p == ' ') {
			line.p++;
			line.len--;
		}
	}
	while (line.len && line.p[line.len - 1] == '|')
		line = line_trim((struct text){line.p, line.len - 1});
	return line;
}

/*
 * Is this line from a shell or from formatting, not from the file?
 * "root@host:~# cat /proc/meminfo", a prompt after the file, "```".
 */
static bool line_is_shell(struct text line)
{
	if (text_starts(line, "```") || text_starts(line, "{code") ||
	    text_starts(line, "{noformat"))
		return true;
	if (text_contains(line, "/proc/") &&
	    (text_contains(line, "cat ") || text_contains(line, "more ") ||
	     text_contains(line, "head ") || text_contains(line, "less ")))
		return true;
	return line.len && text_contains(line, "@") &&
	       (line.p[line.len - 1] == '#' || line.p[line.len - 1] == '$');
}

/*
 * May this last line, which has no newline, have been cut within its number? A line of meminfo is
 * complete if it ends in kB.
 */
static bool line_cut(enum foreign_file file, struct text line)
{
	struct text last;

	if (file != FOREIGN_MEMINFO)
		return true;
	line = line_trim(line);
	if (!text_starts(line, "HugePages_") && text_last_word(&line, &last))
		return text_contains(last, ":") || isdigit((unsigned char)*last.p);
	return true;
}

struct cleaner {
	enum foreign_file file;
	struct input_report *report;
	struct foreign_text *out;
	struct text first; /* the line with which the file begins */
	bool quoted, units;
};

/*
 * Does this line begin a second copy of the file? Each zone and area is there once; areas whose
 * addresses are hidden may look alike.
 */
static bool line_is_second_copy(struct cleaner *c, struct text line)
{
	static const char *const first[FOREIGN_FILES] = {"MemTotal:", "nr_free_pages ",
							 "slabinfo - version", "Node ", "0x"};

	if (!text_starts(line, first[c->file]) ||
	    text_starts(line, "0x0000000000000000-0x0000000000000000"))
		return false;
	if (!c->first.len) {
		c->first = line;
		return false;
	}
	return c->file < FOREIGN_ZONEINFO ||
	       (c->first.len == line.len && !memcmp(c->first.p, line.p, line.len));
}

static int line_keep(struct cleaner *c, struct text line, size_t number)
{
	size_t *where = ARRAY_PUSH(&c->out->numbers);

	if (!where)
		return -ENOMEM;
	*where = number;
	memcpy(c->out->buf + c->out->len, line.p, line.len);
	c->out->len += line.len;
	c->out->buf[c->out->len++] = '\n';
	return 0;
}

/* One line of the copy: 0, −ENOMEM, or 1: the rest is a second copy. */
static int line_clean(struct cleaner *c, struct text line, size_t number, bool whole)
{
	static const char again[] = "the file is here a second time, only the first is read";
	static const char cut[] = "it is the last line and may have been cut";

	if (line.len && line.p[line.len - 1] == '\r') {
		line.len--;
		if (report_mended(c->report, c->file, mended_crlf))
			return -ENOMEM;
	}
	if (c->quoted)
		line = line_unquote(line);
	line = line_trim(line);
	if (!line.len)
		return 0;
	if (line_is_shell(line))
		return report_mended(c->report, c->file, mended_shell);
	if (line_is_second_copy(c, line))
		return report_add(c->report, c->file, INPUT_DUPLICATE, again, number, line)
			       ? -ENOMEM
			       : 1;
	if (!whole && (c->units || c->file != FOREIGN_MEMINFO) && line_cut(c->file, line))
		return report_add(c->report, c->file, INPUT_REFUSED, cut, number, line);
	c->units |= text_contains(line, " kB") || text_contains(line, " KB");
	return line_keep(c, line, number);
}

int foreign_clean(enum foreign_file file, const char *buf, size_t len, struct input_report *report,
		  struct foreign_text *out)
{
	_cleanup_(foreign_text_free) struct foreign_text t = {.buf = malloc(len + 2)};
	struct cleaner c = {.file = file, .report = report, .out = &t};
	_cleanup_free_ char *copy = malloc(len + 1);
	struct text rest, line;
	size_t number = 0;
	int err = 0;

	if (!copy || !t.buf)
		return -ENOMEM;
	memcpy(copy, buf, len);
	if (bytes_clean(file, copy, &len, report))
		return -ENOMEM;
	rest = (struct text){copy, len};
	c.quoted = text_quoted(rest);
	if (c.quoted && report_mended(report, file, mended_quote))
		return -ENOMEM;
	while (!err && text_line(&rest, &line)) {
		bool whole = line.p + line.len < copy + len;

		err = line_clean(&c, line, ++number, whole);
	}
	if (err < 0)
		return err;
	t.buf[t.len] = '\0';
	*out = t;
	t = (struct foreign_text){0};
	return 0;
}

void foreign_text_free(struct foreign_text *t)
{
	free(t->buf);
	t->buf = NULL;
	ARRAY_FREE(&t->numbers);
}

/* ---- lines that cannot be read ---- */

/* Why this is not a valid line of meminfo. */
static const char *why_meminfo(struct text line)
{
	struct text word, number;
	uint64_t value;

	if (!text_word(&line, &word) || word.p[word.len - 1] != ':' || word.len < 2 ||
	    !text_word(&line, &number))
		return "it is not 'NAME: NUMBER kB'";
	if (!text_u64(number, &value))
		return "its value is not a number";
	if (value > INT64_MAX >> 10)
		return "its counter fell below zero, which the kernel prints as a huge number";
	return "its unit is not kB";
}

static const char *why_bad(enum foreign_file file, struct text line)
{
	switch (file) {
	case FOREIGN_MEMINFO:
		return why_meminfo(line);
	case FOREIGN_VMSTAT:
		return "it is not 'NAME NUMBER'";
	case FOREIGN_SLABINFO:
		return "it is no line of slabinfo version 2.1";
	case FOREIGN_ZONEINFO:
		return "it is no line of zoneinfo";
	default:
		return "it is no line of vmallocinfo";
	}
}

/* Parse one line alone. A line of zoneinfo needs a line that opens a zone before it. */
static size_t bad_alone(enum foreign_file file, struct text line,
			size_t (*parse_bad)(const char *buf, size_t len))
{
	char with_zone[512];
	int n;

	if (file != FOREIGN_ZONEINFO || text_starts(line_trim(line), "Node "))
		return parse_bad(line.p, line.len);
	n = snprintf(with_zone, sizeof(with_zone), "Node 0, zone Normal\n%.*s",
		     line.len < 400 ? (int)line.len : 400, line.p);
	return n > 0 ? parse_bad(with_zone, (size_t)n) : 0;
}

static struct text line_name(struct text line)
{
	struct text word;

	text_word(&line, &word);
	return word;
}

/* Does an earlier line have the same name and another value? */
static bool line_repeats(const struct foreign_text *t, struct text line)
{
	struct text rest = {t->buf, (size_t)(line.p - t->buf)}, earlier, name = line_name(line);

	while (text_line(&rest, &earlier)) {
		struct text other = line_name(earlier);

		if (other.len == name.len && !memcmp(other.p, name.p, name.len))
			return earlier.len != line.len || memcmp(earlier.p, line.p, line.len) != 0;
	}
	return false;
}

#define NAMES_MAX 1000 /* lines whose names are compared with each other */

int foreign_report(enum foreign_file file, const struct foreign_text *t,
		   size_t (*parse_bad)(const char *buf, size_t len), struct input_report *report)
{
	static const char twice[] = "its name is there before, with another value";
	bool named = file == FOREIGN_MEMINFO || file == FOREIGN_VMSTAT;
	bool bad = parse_bad(t->buf, t->len) > 0;
	struct text rest = {t->buf, t->len}, line;

	for (size_t i = 0; (bad || named) && text_line(&rest, &line); i++) {
		size_t number = t->numbers.items[i];
		int err = 0;

		if (bad && bad_alone(file, line, parse_bad))
			err = report_add(report, file, INPUT_REFUSED, why_bad(file, line), number,
					 line);
		else if (named && i < NAMES_MAX && line_repeats(t, line))
			err = report_add(report, file, INPUT_DUPLICATE, twice, number, line);
		if (err)
			return err;
	}
	return 0;
}
