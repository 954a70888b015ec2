// SPDX-License-Identifier: GPL-2.0-only
/* What `record --prove` found, beside the growth that it is about: see refs_parts.h. */
#include <string.h>

#include "findings/refs_findings.h"
#include "render/refs_parts.h"

void proof_text(struct page *p, const struct refs_sheet *s, int indent)
{
	const struct refs *r = s->refs;
	char lost[UNITS_MAX], of[UNITS_MAX], held[UNITS_MAX], from[REFS_FROM_MAX];
	char holder[REFS_HOLDER_MAX];
	struct page_words w;

	if (!page_words_begin(p, &w))
		return;
	if (s->verdict == REFS_DROPPED)
		fprintf(w.f, "references: only their own lists point to %s of %s objects of %s",
			units_count(lost, (double)r->sample.dropped),
			units_count(of, (double)r->sample.checked), page_fit(p, r->cache, 32));
	else
		fprintf(w.f, "references: nothing points to %s of %s objects of %s",
			units_count(lost, (double)r->sample.unreferenced),
			units_count(of, (double)r->sample.checked), page_fit(p, r->cache, 32));
	if (r->control.checked)
		fprintf(w.f, " (control: nothing points to %s of %s)",
			units_count(held, (double)r->control.unreferenced),
			units_count(of, (double)r->control.checked));
	if (r->referrers.nr)
		fprintf(w.f, "; %s to %s",
			page_fit(p, refs_referrer_words(&r->referrers.items[0], from), 40),
			units_count(held, (double)r->referrers.items[0].objects));
	if (r->holders.nr)
		fprintf(w.f, "; %s %s by %s",
			units_count(held, (double)r->holders.items[0].objects),
			refs_held_words(&r->holders.items[0]),
			page_fit(p, refs_holder_words(&r->holders.items[0], holder), 60));
	fprintf(w.f, ": %s", refs_verdict_words(s->verdict));
	page_words_end(p, &w, indent);
}

/* The sentence of the finding that has proof `number` as its evidence. */
static const char *proof_sentence(const struct findings *list, size_t number)
{
	char row[32];

	snprintf(row, sizeof(row), "%zu", number);
	for (size_t i = 0; i < list->nr; i++)
		for (size_t e = 0; e < list->items[i].nr_evidence; e++)
			if (!strcmp(list->items[i].evidence[e].table, "proof.paths") &&
			    !strcmp(list->items[i].evidence[e].row, row))
				return list->items[i].text;
	return NULL;
}

json_t *proofs_json(struct json_out *o, const struct report *r)
{
	const char *why = capture_why(r->c, META_PROOF);
	json_t *j = json_object(), *paths = json_array();

	for (size_t i = 0; i < r->proofs.nr; i++) {
		const struct proof_row *row = &r->proofs.items[i];
		json_t *path = json_object();

		put(o, path, "rank",
		    row->group == PROOF_NO_GROUP ? json_null()
						 : json_integer((json_int_t)row->group + 1));
		put(o, path, "references",
		    refs_found_json(o, &row->sheet, proof_sentence(&r->findings, i + 1), false));
		append(o, paths, path);
	}
	put(o, j, "missing", why ? text(why) : json_null());
	put(o, j, "paths", paths);
	return j;
}
