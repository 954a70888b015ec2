/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints the memory of each NUMA node: a section of the report and of the balance sheet. */
#ifndef KMEMTRACE_RENDER_NODE_USE_H
#define KMEMTRACE_RENDER_NODE_USE_H

#include "findings/node_use.h"
#include "render/json_value.h"
#include "render/page.h"

/* Nothing is printed where there is one node. */
void node_use_text(struct page *p, const struct node_use *u);
json_t *node_use_json(struct json_out *o, const struct node_use *u);

#endif
