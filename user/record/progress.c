// SPDX-License-Identifier: GPL-2.0-only
/* Composes and prints the progress line: see progress.h. */
#include "record/progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"

#define GREW_KB   256 /* smaller changes are not named */
#define LOG_EVERY 60  /* seconds */

void progress_levels(struct progress *p, const struct snapshot *s)
{
	for (size_t i = 0; i < POOL_LABELS; i++)
		p->now_kb[i] = named_value_get(&s->meminfo, pool_labels[i].name, 0);
	if (s->kind == SNAPSHOT_START)
		memcpy(p->start_kb, p->now_kb, sizeof(p->start_kb));
}

/* The pool that grew most; POOL_LABELS if none grew. */
static size_t pool_grown(const struct progress *p)
{
	size_t most = POOL_LABELS;
	int64_t grown = GREW_KB;

	for (size_t i = 0; i < POOL_LABELS; i++)
		if (p->now_kb[i] - p->start_kb[i] >= grown) {
			grown = p->now_kb[i] - p->start_kb[i];
			most = i;
		}
	return most;
}

struct progress_line {
	char *buf;
	size_t size, columns, length;
};

/* Add a piece if it fits. The first one that does not fit ends the line. */
__attribute__((format(printf, 2, 3))) static void progress_add(struct progress_line *l,
							       const char *fmt, ...)
{
	char piece[128];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(piece, sizeof(piece), fmt, ap);
	va_end(ap);
	n = strlen(piece);
	if (l->length + n > l->columns || l->length + n >= l->size) {
		l->columns = 0;
		return;
	}
	memcpy(l->buf + l->length, piece, n + 1);
	l->length += n;
}

char *progress_line(const struct progress *p, const struct progress_facts *f, size_t columns,
		    char *buf, size_t size)
{
	struct progress_line l = {.buf = buf, .size = size, .columns = columns};
	double passed = f->now_s - p->shown_s;
	char a[UNITS_MAX], b[UNITS_MAX];
	size_t pool = pool_grown(p);

	buf[0] = '\0';
	if (f->duration_s > 0)
		progress_add(&l, "%.0f of %.0f s", f->now_s, f->duration_s);
	else
		progress_add(&l, "%.0f s", f->now_s);
	if (pool < POOL_LABELS)
		progress_add(&l, "  %s +%s", pool_labels[pool].name,
			     units_bytes(a, (double)(p->now_kb[pool] - p->start_kb[pool]) * 1024));
	else
		progress_add(&l, "  no pool grew");
	if (f->lost)
		progress_add(&l, "  %s events lost", units_count(a, (double)f->lost));
	progress_add(&l, "  %s events/s",
		     units_count(a, passed > 0 ? (double)(f->events - p->events) / passed : 0));
	progress_add(&l, "  %s objects held", units_count(b, (double)f->outstanding));
	if (!isnan(f->cpu_percent))
		progress_add(&l, "  CPU %.2f%%", f->cpu_percent);
	return buf;
}

void progress_show(struct progress *p, const struct progress_facts *f)
{
	size_t columns = log_progress_columns();
	char line[256];

	if (columns) {
		log_progress("%s", progress_line(p, f, columns, line, sizeof(line)));
	} else {
		if (f->now_s - p->logged_s < LOG_EVERY)
			return;
		p->logged_s = f->now_s;
		log_info("%s", progress_line(p, f, sizeof(line), line, sizeof(line)));
	}
	p->shown_s = f->now_s;
	p->events = f->events;
}
