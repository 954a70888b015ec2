/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints a list of findings, for all commands. */
#ifndef KMEMTRACE_RENDER_FINDING_H
#define KMEMTRACE_RENDER_FINDING_H

#include "findings/finding.h"
#include "render/json_value.h"
#include "render/page.h"

/* The list `findings` of every JSON document; docs/schema/common.schema.json describes it. */
json_t *finding_list_json(struct json_out *o, const struct findings *list);

/* One finding as a paragraph: a caution says that it is one, and the next command is at the end. */
void finding_text(struct page *p, const struct finding *f);

#endif
