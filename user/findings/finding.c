// SPDX-License-Identifier: GPL-2.0-only
/* Lists of findings: see finding.h. */
#include "findings/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/vformat.h"

const char *finding_severity_name(enum finding_severity severity)
{
	static const char *const names[] = {"critical", "warning", "notice", "caution"};

	return names[severity];
}

const char *finding_about_name(enum finding_about about)
{
	static const char *const names[] = {"host",    "recording", "pool",    "cache", "path",
					    "process", "cgroup",    "counter", "input"};

	return names[about];
}

struct finding *findings_add(struct findings *list, const struct finding *as, const char *fmt, ...)
{
	char *text = NULL;
	struct finding *f;
	va_list ap;

	va_start(ap, fmt);
	text = vformat(fmt, ap);
	va_end(ap);
	f = text ? ARRAY_PUSH(list) : NULL;
	if (!f) {
		free(text);
		list->failed = true;
		return NULL;
	}
	f->severity = as->severity;
	f->kind = as->kind;
	f->about = as->about;
	f->part = as->part;
	f->judged = as->judged;
	f->trust = as->trust;
	f->kernels = as->kernels;
	f->text = text;
	return f;
}

void finding_say(struct findings *list, struct finding *f, const char *fmt, ...)
{
	_cleanup_free_ char *more = NULL;
	char *all = NULL;
	va_list ap;

	if (!f)
		return;
	va_start(ap, fmt);
	more = vformat(fmt, ap);
	va_end(ap);
	if (!more || asprintf(&all, "%s%s", f->text, more) < 0) {
		list->failed = true;
		return;
	}
	free(f->text);
	f->text = all;
}

void finding_subject(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	if (!f)
		return;
	va_start(ap, fmt);
	vsnprintf(f->subject, sizeof(f->subject), fmt, ap);
	va_end(ap);
}

void finding_figure(struct finding *f, const char *name, double value, double low, double high)
{
	if (f && !isnan(value) && f->nr_figures < FINDING_FIGURES)
		f->figures[f->nr_figures++] = (struct finding_figure){name, value, low, high};
}

void finding_evidence(struct finding *f, const char *table, const char *fmt, ...)
{
	struct finding_evidence *evidence;
	va_list ap;

	if (!f || f->nr_evidence == FINDING_EVIDENCE)
		return;
	evidence = &f->evidence[f->nr_evidence++];
	evidence->table = table;
	va_start(ap, fmt);
	vsnprintf(evidence->row, sizeof(evidence->row), fmt, ap);
	va_end(ap);
}

void finding_trust(struct finding *f, enum trust_level trust)
{
	if (!f)
		return;
	f->judged = true;
	f->trust = trust;
}

void finding_next(struct findings *list, struct finding *f, const char *command)
{
	if (!f || !command)
		return;
	free(f->next);
	f->next = strdup(command);
	if (!f->next)
		list->failed = true;
}

void findings_move(struct findings *to, struct findings *from)
{
	to->failed |= from->failed;
	if (ARRAY_APPEND(to, from->items, from->nr))
		to->failed = from->failed = true;
	else
		ARRAY_FREE(from);
}

const struct finding *findings_of(const struct findings *list, const char *kind)
{
	for (size_t i = 0; i < list->nr; i++)
		if (!strcmp(list->items[i].kind, kind))
			return &list->items[i];
	return NULL;
}

void findings_sort(struct findings *list)
{
	struct findings sorted = {.failed = list->failed};

	/* each severity in two passes: what the verdict says, then the rest */
	for (int pass = 0; pass <= 2 * FINDING_CAUTION + 1; pass++)
		for (size_t i = 0; i < list->nr; i++) {
			const struct finding *found = &list->items[i];
			struct finding *f = NULL;

			if (found->severity != (enum finding_severity)(pass / 2) ||
			    (found->part != PART_VERDICT) != (pass % 2))
				continue;
			f = ARRAY_PUSH(&sorted);
			if (!f) {
				list->failed = true;
				ARRAY_FREE(&sorted);
				return;
			}
			*f = *found;
		}
	ARRAY_FREE(list);
	*list = sorted;
}

void findings_free(struct findings *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		free(list->items[i].text);
		free(list->items[i].next);
	}
	ARRAY_FREE(list);
	list->failed = false;
}
