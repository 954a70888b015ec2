// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the proofs of a capture, what `record --prove` found; as everything of the reader, it
 * trusts nothing. Captures of older versions have no such tables.
 */
#include "capture/proof_internal.h"
#include "capture/reader_cost.h"
#include "capture/reader_internal.h"

/* Counts of one sample from `column` on. */
static void read_sample(struct reader *r, int column, struct refs_counts *c)
{
	int64_t most;

	c->checked = reader_int(r, column, 0, PROOF_OBJECTS_MAX);
	most = (int64_t)c->checked;
	c->unreferenced = reader_int(r, column + 1, 0, most);
	c->weak = reader_int(r, column + 2, 0, most - (int64_t)c->unreferenced);
	most -= (int64_t)(c->unreferenced + c->weak);
	c->own_kind = reader_int(r, column + 3, 0, most);
	c->changed = reader_int(r, column + 4, 0, most - (int64_t)c->own_kind);
	c->freed = reader_int(r, column + 5, 0, PROOF_OBJECTS_MAX);
	c->dropped = reader_int(r, column + 6, 0, (int64_t)c->own_kind);
}

static void read_control(struct reader *r, int column, struct refs *out)
{
	char name[16] = "";

	reader_text_into(r, column, name, sizeof(name));
	if (!r->bad && refs_control_parse(name, &out->control_kind))
		reader_bad(r, column, "no such control");
	out->control.checked = reader_int(r, column + 1, 0, PROOF_OBJECTS_MAX);
	out->control.unreferenced = reader_int(r, column + 2, 0, (int64_t)out->control.checked);
}

static void read_scans(struct reader *r, int column, struct refs *out)
{
	struct refs_scan scan = {.frames_all = reader_int(r, column + 1, 0, CAPTURE_LEVEL_MAX)};

	scan.frames = reader_int(r, column, 0, (int64_t)scan.frames_all);
	scan.faults = reader_int(r, column + 2, 0, CAPTURE_LEVEL_MAX);
	for (int i = 0; i < REFS_SCANS; i++)
		out->scans[i] = scan;
}

static int read_proof(struct reader *r, void *arg)
{
	struct capture *c = r->c;
	struct proof *p = READER_PUSH(r, c->proofs.items, c->proofs.nr, c->proofs.cap);
	struct refs *out;
	int64_t checked;

	(void)arg;
	if (!p)
		return 0;
	out = &p->refs;
	reader_next_id(r, 0, c->proofs.nr);
	p->stack = reader_int(r, 1, 1, (int64_t)c->nr_stacks - 1);
	reader_refer_stack(r, p->stack);
	reader_text_into(r, 2, out->cache, sizeof(out->cache));
	out->object_bytes = reader_int(r, 3, 0, UINT32_MAX);
	out->in_use = reader_int(r, 4, 0, CAPTURE_LEVEL_MAX);
	out->all_objects = reader_bool(r, 5);
	read_sample(r, 6, &out->sample);
	checked = (int64_t)out->sample.checked;
	out->closed = reader_bool(r, 13);
	out->too_short = reader_bool(r, 14);
	read_control(r, 15, out);
	out->referenced = reader_int(r, 18, 0, checked);
	out->held = reader_int(r, 19, 0, checked);
	out->holders_known = reader_bool(r, 20);
	out->holders_partial = reader_bool(r, 21);
	out->levels = reader_int(r, 22, 0, INT32_MAX);
	read_scans(r, 23, out);
	out->found_all = true;
	out->wall_s = reader_real(r, 26, 0, CAPTURE_REAL_MAX);
	out->took_s = reader_real(r, 27, 0, CAPTURE_REAL_MAX);
	out->cpu_s = reader_real(r, 28, 0, CAPTURE_REAL_MAX);
	out->apart_s = reader_real(r, 29, 0, CAPTURE_REAL_MAX);
	reader_spend(r, COST_PROOF);
	return 0;
}

/* The proof whose id is in column 0; NULL with r->bad set if there is none. */
static struct refs *proof_of_row(struct reader *r)
{
	int64_t id;

	if (!r->c->proofs.nr) {
		r->bad = "there is no proof";
		return NULL;
	}
	id = reader_int(r, 0, 1, (int64_t)r->c->proofs.nr);
	return r->bad ? NULL : &r->c->proofs.items[id - 1].refs;
}

static bool is_full(struct reader *r, size_t nr)
{
	if (nr >= PROOF_ROWS_MAX)
		r->bad = "more rows than a proof has";
	return r->bad;
}

static int read_referrer(struct reader *r, void *arg)
{
	struct refs *proof = proof_of_row(r);
	struct refs_referrer *row;

	(void)arg;
	if (!proof || is_full(r, proof->referrers.nr))
		return 0;
	row = READER_PUSH(r, proof->referrers.items, proof->referrers.nr, proof->referrers.cap);
	if (!row)
		return 0;
	row->class = reader_class(r, 1);
	reader_text_into(r, 2, row->cache, sizeof(row->cache));
	reader_text_into(r, 3, row->type, sizeof(row->type));
	reader_text_into(r, 4, row->field, sizeof(row->field));
	reader_text_into(r, 5, row->where, sizeof(row->where));
	row->own_kind = reader_bool(r, 6);
	row->objects = reader_int(r, 7, 0, (int64_t)proof->sample.checked);
	row->references = reader_int(r, 8, 0, CAPTURE_LEVEL_MAX);
	reader_spend(r, COST_PROOF_ROW);
	return 0;
}

static int read_holder(struct reader *r, void *arg)
{
	struct refs *proof = proof_of_row(r);
	struct refs_holder *row;
	char kind[32] = "";

	(void)arg;
	if (!proof || is_full(r, proof->holders.nr))
		return 0;
	row = READER_PUSH(r, proof->holders.items, proof->holders.nr, proof->holders.cap);
	if (!row)
		return 0;
	reader_text_into(r, 1, kind, sizeof(kind));
	if (!r->bad && refs_holder_kind_parse(kind, &row->kind))
		reader_bad(r, 1, "no such kind of holders");
	reader_text_into(r, 2, row->name, sizeof(row->name));
	row->pid = (int32_t)reader_int(r, 3, 0, INT32_MAX);
	reader_text_into(r, 4, row->cgroup_path, sizeof(row->cgroup_path));
	reader_text_into(r, 5, row->through, sizeof(row->through));
	row->certain = reader_bool(r, 6);
	row->objects = reader_int(r, 7, 0, (int64_t)proof->sample.checked);
	reader_spend(r, COST_PROOF_ROW);
	return 0;
}

int reader_proofs(struct reader *r)
{
	int err = 0;

	if (reader_has(r, "proof"))
		err = reader_each(r, "proof", read_proof, NULL);
	if (!err && reader_has(r, "proof_referrer"))
		err = reader_each(r, "proof_referrer", read_referrer, NULL);
	if (!err && reader_has(r, "proof_holder"))
		err = reader_each(r, "proof_holder", read_holder, NULL);
	return err;
}
