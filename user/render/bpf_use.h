/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints what BPF maps and programs take: a section of the report, as text and as JSON. */
#ifndef KMEMTRACE_RENDER_BPF_USE_H
#define KMEMTRACE_RENDER_BPF_USE_H

#include "findings/bpf_use.h"
#include "render/json_value.h"
#include "render/page.h"

/* Print the `top` largest; 0: all. Print nothing if there are none. */
void bpf_use_text(struct page *p, const struct bpf_use *u, size_t top);
/* Write member "bpf". */
void bpf_use_json(struct json_out *o, const struct bpf_use *u);

#endif
