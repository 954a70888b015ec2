// SPDX-License-Identifier: GPL-2.0-only
/* Values that several JSON documents hold: see json_value.h. */
#include "render/json_value.h"

#include <string.h>

#include "base/units.h"

json_t *meta_text(const struct capture *c, const char *key)
{
	const char *value = capture_meta(c, key);

	return value[0] ? text(value) : json_null();
}

json_t *meta_number(const struct capture *c, const char *key)
{
	return number(capture_meta_number(c, key, NAN));
}

json_t *time_json(double wall_s)
{
	char buf[UNITS_MAX];

	return units_time(buf, "%Y-%m-%dT%H:%M:%SZ", wall_s) ? json_string(buf) : json_null();
}

static json_t *frame_json(const struct cap_frame *f)
{
	_cleanup_free_ char *symbol = escape_utf8(f->symbol), *module = escape_utf8(f->module);
	char offset[24];

	snprintf(offset, sizeof(offset), "%llx", (unsigned long long)f->offset);
	if (!symbol || !module)
		return NULL;
	if (module[0] && strcmp(module, "vmlinux"))
		return json_sprintf("%s+0x%s [%s]", symbol, offset, module);
	return json_sprintf("%s+0x%s", symbol, offset);
}

json_t *path_json(struct json_out *o, const struct capture *c, uint32_t stack)
{
	const struct cap_stack *s = &c->stacks[stack];
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->nr_frames; i++)
		append(o, list, frame_json(&c->frames[s->frames[i]]));
	return list;
}

int document_write(struct json_out *o, json_t *root, FILE *out)
{
	int err = 0;

	if (o->failed)
		err = -ENOMEM;
	else if (json_dumpf(root, out,
			    JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12)) ||
		 fputc('\n', out) == EOF)
		err = -EIO;
	json_decref(root);
	return err;
}
