// SPDX-License-Identifier: GPL-2.0-only
/* Names a few addresses: see kallsyms_few.h. */
#include "sym/kallsyms_few.h"

#include <string.h>

#include "base/array.h"
#include "sym/kallsyms.h"

#define DATA_LEAST 1000 /* symbols of data: without CONFIG_KALLSYMS_ALL, there are a few dozen */

struct naming {
	struct sym_few *few;
	size_t nr;
	size_t data; /* symbols of data of the kernel itself */
};

static bool type_is_data(char type)
{
	return type && strchr("bBdDrRvV", type) != NULL;
}

bool sym_few_is_data(const struct sym_few *s)
{
	return s->start && type_is_data(s->type);
}

/*
 * A symbol counts for the first address at or behind it. What is behind that has the same symbol,
 * unless another is nearer: see few_settle().
 */
static int few_visit(void *arg, const struct kallsyms_line *line)
{
	struct naming *n = arg;
	size_t first;
	struct sym_few *s;

	n->data += !line->module.len && type_is_data(line->type);
	SORTED_FIRST(first, n->nr, n->few[first].addr < line->addr);
	if (first == n->nr || !line->addr)
		return 0;
	s = &n->few[first];
	if (s->start >= line->addr)
		return 0; /* of several at one address, the first counts */
	s->start = line->addr;
	s->type = line->type;
	text_copy(line->name, s->name, sizeof(s->name));
	text_copy(line->module, s->module, sizeof(s->module));
	return 0;
}

static void few_settle(struct sym_few *few, size_t nr)
{
	for (size_t i = 1; i < nr; i++) {
		uint64_t addr = few[i].addr;

		if (few[i].start >= few[i - 1].start)
			continue;
		few[i] = few[i - 1];
		few[i].addr = addr;
	}
}

int kallsyms_few(const char *path, struct sym_few *few, size_t nr, bool *all)
{
	struct naming n = {.few = few, .nr = nr};
	int err = kallsyms_visit(path, few_visit, &n);

	if (err)
		return err;
	few_settle(few, nr);
	*all = n.data >= DATA_LEAST;
	return 0;
}
