// SPDX-License-Identifier: GPL-2.0-only
/* Prints what `doctor` found as JSON: docs/schema/doctor.schema.json describes it. */
#include "render/doctor.h"
#include "render/json_value.h"
#include "version.h"

static json_t *doctor_kernel_json(struct json_out *o, const struct doctor *d)
{
	json_t *j = json_object();

	put(o, j, "release", text(d->release));
	put(o, j, "arch", text(d->arch));
	put(o, j, "lockdown", text(d->lockdown));
	put(o, j, "virtualization", text(d->virtualization));
	return j;
}

static json_t *tables_json(struct json_out *o, const struct doctor_tables *t)
{
	json_t *j = json_object();

	put(o, j, "bytes", json_integer((json_int_t)t->bytes));
	put(o, j, "live_objects", json_integer((json_int_t)t->live));
	put(o, j, "stacks", json_integer((json_int_t)t->stacks));
	return j;
}

static json_t *doctor_memory_json(struct json_out *o, const struct doctor *d)
{
	json_t *j = json_object();

	put(o, j, "sampled", tables_json(o, &d->sampled));
	put(o, j, "exact", tables_json(o, &d->exact));
	put(o, j, "process_bytes", json_integer((json_int_t)d->process_bytes));
	put(o, j, "most_bytes", json_integer((json_int_t)d->most_bytes));
	return j;
}

static json_t *doctor_records_json(struct json_out *o, const struct alloc_uses *uses)
{
	json_t *j = json_object();

	put(o, j, ALLOC_SITES, json_string(alloc_use_name(uses->sites)));
	put(o, j, ALLOC_PAGES, json_string(alloc_use_name(uses->pages)));
	put(o, j, ALLOC_SLABS, json_string(alloc_use_name(uses->slabs)));
	return j;
}

static json_t *capabilities_json(struct json_out *o, const struct doctor *d)
{
	json_t *j = json_object();

	for (size_t i = 0; i < DOCTOR_CAPS; i++)
		put(o, j, d->capabilities[i].name, json_boolean(d->capabilities[i].has));
	return j;
}

static json_t *doctor_hooks_json(struct json_out *o, const struct doctor *d)
{
	json_t *hooks = json_array();

	for (size_t i = 0; i < d->nr_hooks; i++) {
		const struct doctor_hook *h = &d->hooks[i];

		append(o, hooks, hook_json(o, h->name, h->pool, h->how, h->reason, h->cost));
	}
	return hooks;
}

int doctor_json(const struct doctor *d, FILE *out)
{
	struct json_out o = {0};
	json_t *root = json_object(), *notes = json_array();

	put(&o, root, "schema", json_integer(JSON_SCHEMA_VERSION));
	put(&o, root, "can_record", json_boolean(d->can_record));
	put(&o, root, "refusal", text(d->refusal));
	put(&o, root, "kernel", doctor_kernel_json(&o, d));
	put(&o, root, "proc", json_boolean(d->proc));
	put(&o, root, "meminfo", json_boolean(d->meminfo));
	put(&o, root, "btf", json_boolean(d->btf.works));
	put(&o, root, "bpf_load", json_boolean(d->bpf_load.works));
	put(&o, root, "cmpxchg", json_boolean(d->cmpxchg));
	put(&o, root, "kptr_restrict", json_integer(d->kptr_restrict));
	put(&o, root, "symbols", json_boolean(d->symbols.works));
	put(&o, root, "slabinfo", json_boolean(d->slabinfo));
	put(&o, root, "vmallocinfo", json_boolean(d->vmallocinfo));
	put(&o, root, "counters_missing",
	    d->counters_missing[0] ? text(d->counters_missing) : json_null());
	put(&o, root, "bpf_objects", json_boolean(d->bpf_objects));
	put(&o, root, "can_census", json_boolean(!d->census_refusal[0]));
	put(&o, root, "census_refusal", text(d->census_refusal));
	put(&o, root, "census_lacks", d->census_lacks[0] ? text(d->census_lacks) : json_null());
	put(&o, root, "can_name_kinds",
	    json_string(d->census_refusal[0] ? "no"
			: d->symbols.works   ? "yes"
					     : "partly"));
	put(&o, root, "kernel_records", doctor_records_json(&o, &d->alloc_uses));
	put(&o, root, "memory", doctor_memory_json(&o, d));
	put(&o, root, "capabilities", capabilities_json(&o, d));
	put(&o, root, "hooks", doctor_hooks_json(&o, d));
	for (size_t i = 0; i < d->nr_notes; i++)
		append(&o, notes, text(d->notes[i]));
	put(&o, root, "notes", notes);
	return document_write(&o, root, out);
}
