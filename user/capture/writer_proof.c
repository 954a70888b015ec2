// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes proofs into a capture: what `record --prove` found. A proof is checked first, by the
 * limits of the reader, and so is either written whole or not at all.
 */
#include <errno.h>

#include "base/log.h"
#include "capture/proof_internal.h"
#include "capture/writer_internal.h"

static bool counts_fit(const struct refs_counts *c)
{
	return c->checked <= PROOF_OBJECTS_MAX && c->freed <= PROOF_OBJECTS_MAX &&
	       c->unreferenced <= c->checked && c->weak <= c->checked &&
	       c->own_kind <= c->checked && c->changed <= c->checked && c->dropped <= c->own_kind &&
	       c->unreferenced + c->weak + c->own_kind + c->changed <= c->checked;
}

/* The scan that saw less decides what the proof is worth. */
static const struct refs_scan *lesser_scan(const struct refs *r)
{
	const struct refs_scan *a = &r->scans[0], *b = &r->scans[1];

	return (double)a->frames * (double)b->frames_all < (double)b->frames * (double)a->frames_all
		       ? a
		       : b;
}

static bool rows_of_proof_fit(const struct refs *r)
{
	for (size_t i = 0; i < r->referrers.nr; i++)
		if (r->referrers.items[i].objects > r->sample.checked ||
		    r->referrers.items[i].references > CAPTURE_LEVEL_MAX)
			return false;
	for (size_t i = 0; i < r->holders.nr; i++)
		if (r->holders.items[i].objects > r->sample.checked || r->holders.items[i].pid < 0)
			return false;
	return true;
}

static bool proof_fits(const struct capture_writer *w, const struct proof *p)
{
	const struct refs *r = &p->refs;
	const struct refs_scan *scan = lesser_scan(r);

	return p->stack >= 1 && p->stack <= w->stacks.nr && w->nr_proofs < PROOFS_MAX &&
	       r->in_use <= CAPTURE_LEVEL_MAX && counts_fit(&r->sample) &&
	       counts_fit(&r->control) && r->referenced <= r->sample.checked &&
	       r->held <= r->sample.checked && scan->frames_all <= CAPTURE_LEVEL_MAX &&
	       scan->frames <= scan->frames_all && scan->faults <= CAPTURE_LEVEL_MAX &&
	       real_fits(r->wall_s) && real_fits(r->took_s) && real_fits(r->cpu_s) &&
	       real_fits(r->apart_s) && rows_of_proof_fit(r);
}

static int put_counts(struct capture_writer *w, const struct proof *p, int64_t id)
{
	const struct refs *r = &p->refs;
	const struct refs_scan *scan = lesser_scan(r);
	struct insert_row row = insert_begin(w, INSERT_PROOF);

	insert_int(&row, id);
	insert_int(&row, p->stack);
	insert_name(&row, r->cache);
	insert_int(&row, r->object_bytes);
	insert_int(&row, (int64_t)r->in_use);
	insert_int(&row, r->all_objects);
	insert_int(&row, (int64_t)r->sample.checked);
	insert_int(&row, (int64_t)r->sample.unreferenced);
	insert_int(&row, (int64_t)r->sample.weak);
	insert_int(&row, (int64_t)r->sample.own_kind);
	insert_int(&row, (int64_t)r->sample.changed);
	insert_int(&row, (int64_t)r->sample.freed);
	insert_int(&row, (int64_t)r->sample.dropped);
	insert_int(&row, r->closed);
	insert_int(&row, r->too_short);
	insert_name(&row, refs_control_name(r->control_kind));
	insert_int(&row, (int64_t)r->control.checked);
	insert_int(&row, (int64_t)r->control.unreferenced);
	insert_int(&row, (int64_t)r->referenced);
	insert_int(&row, (int64_t)r->held);
	insert_int(&row, r->holders_known);
	insert_int(&row, r->holders_partial);
	insert_int(&row, r->levels);
	insert_int(&row, (int64_t)scan->frames);
	insert_int(&row, (int64_t)scan->frames_all);
	insert_int(&row, (int64_t)r->scans[REFS_SCANS - 1].faults);
	insert_real(&row, r->wall_s);
	insert_real(&row, r->took_s);
	insert_real(&row, r->cpu_s);
	insert_real(&row, r->apart_s);
	return insert_end(&row);
}

static int put_referrer(struct capture_writer *w, const struct refs_referrer *from, int64_t id)
{
	struct insert_row row = insert_begin(w, INSERT_PROOF_REFERRER);

	insert_int(&row, id);
	insert_name(&row, census_class_name(from->class));
	insert_name(&row, from->cache);
	insert_name(&row, from->type);
	insert_name(&row, from->field);
	insert_name(&row, from->where);
	insert_int(&row, from->own_kind);
	insert_int(&row, (int64_t)from->objects);
	insert_int(&row, (int64_t)from->references);
	return insert_end(&row);
}

static int put_holder(struct capture_writer *w, const struct refs_holder *h, int64_t id)
{
	struct insert_row row = insert_begin(w, INSERT_PROOF_HOLDER);

	insert_int(&row, id);
	insert_name(&row, refs_holder_kind_name(h->kind));
	insert_name(&row, h->name);
	insert_int(&row, h->pid);
	insert_name(&row, h->cgroup_path);
	insert_name(&row, h->through);
	insert_int(&row, h->certain);
	insert_int(&row, (int64_t)h->objects);
	return insert_end(&row);
}

int capture_put_proof(struct capture_writer *w, const struct proof *p)
{
	const struct refs *r = &p->refs;
	int64_t id = w->nr_proofs + 1;
	int err = w->failed;

	if (!err && !proof_fits(w, p))
		return log_error(EINVAL, "a proof is out of range (a bug in kmemtrace)");
	err = err ?: put_counts(w, p, id);
	for (size_t i = 0; i < r->referrers.nr && i < PROOF_ROWS_MAX && !err; i++)
		err = put_referrer(w, &r->referrers.items[i], id);
	for (size_t i = 0; i < r->holders.nr && i < PROOF_ROWS_MAX && !err; i++)
		err = put_holder(w, &r->holders.items[i], id);
	if (!err)
		w->nr_proofs++;
	return err;
}
