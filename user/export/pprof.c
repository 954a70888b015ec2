// SPDX-License-Identifier: GPL-2.0-only
/*
 * The profile for pprof: see export.h. Field numbers are those of profile.proto. The strings of the
 * profile go out as soon as they are first used; readers collect the fields of a message in any
 * order. A kernel function is a location without an address, because captures store none; its
 * system_name is "function+0xoffset".
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/hash.h"
#include "base/units.h"
#include "base/vformat.h"
#include "export/export.h"
#include "export/pb.h"
#include "model/sampling.h"
#include "version.h"

enum pprof_field {
	PPROF_SAMPLE_TYPE = 1,
	PPROF_SAMPLE,
	PPROF_MAPPING,
	PPROF_LOCATION,
	PPROF_FUNCTION,
	PPROF_STRING,
	PPROF_TIME_NS = 9,
	PPROF_DURATION_NS,
	PPROF_PERIOD_TYPE,
	PPROF_PERIOD,
	PPROF_COMMENT,
	PPROF_DEFAULT_TYPE
};

/* A string, a module or a frame without a function, and its number in the profile. */
struct numbered {
	uint64_t number;
	UT_hash_handle hh;
	char key[];
};

struct pprof {
	struct pb_file f;
	struct numbered *strings, *modules, *names, *inlined;
	uint64_t nr_strings, nr_modules, nr_locations, nr_functions;
	/* Of each frame of the capture that is exported now, its location; 0: none yet. */
	uint64_t *location_of;
	const struct samples *s;
	struct pb sample, part, list; /* kept, so that their memory is reused */
	bool failed;
};

/* ---- tables ---- */

/*
 * The entry of a key; *is_new: it was added, with the next number of `nr`, which begins at `first`.
 * NULL without memory.
 */
static const struct numbered *number_get(struct numbered **table, const char *key, uint64_t *nr,
					 uint64_t first, bool *is_new)
{
	size_t len = strlen(key);
	struct numbered *n;

	HASH_FIND(hh, *table, key, len, n);
	*is_new = !n;
	if (n)
		return n;
	n = malloc(sizeof(*n) + len + 1);
	if (!n)
		return NULL;
	n->number = first + (*nr)++;
	memcpy(n->key, key, len + 1);
	HASH_ADD_KEYPTR(hh, *table, n->key, len, n);
	return n;
}

static void numbered_free(struct numbered **table)
{
	HASH_FREE(*table);
}

/* The index of a string. */
static int64_t pprof_string(struct pprof *p, const char *s)
{
	bool is_new;
	const struct numbered *n = number_get(&p->strings, s, &p->nr_strings, 0, &is_new);

	if (!n) {
		p->failed = true;
		return 0;
	}
	if (is_new)
		pb_file_bytes(&p->f, PPROF_STRING, s, strlen(s));
	return (int64_t)n->number;
}

/* The index of a name from the capture, which may be hostile. */
static int64_t pprof_name(struct pprof *p, const char *raw)
{
	_cleanup_free_ char *s = escape_terminal(raw[0] ? raw : "[unnamed]", true);

	p->failed |= !s;
	return s ? pprof_string(p, s) : 0;
}

/* ---- mappings ---- */

/* The mapping of a module; one for each module and build id. */
static int64_t pprof_mapping(struct pprof *p, const struct cap_frame *f)
{
	const char *build_id = f->build_id;
	_cleanup_free_ char *key = NULL;
	const struct numbered *n;
	bool is_new;

	if (!build_id[0] && !strcmp(f->module, "vmlinux"))
		build_id = capture_meta(p->s->r->c, META_BUILD_ID);
	if (asprintf(&key, "%s %s", build_id, f->module) < 0) {
		key = NULL;
		p->failed = true;
		return 0;
	}
	n = number_get(&p->modules, key, &p->nr_modules, 1, &is_new);
	p->failed |= !n;
	if (n && is_new) {
		pb_clear(&p->part);
		pb_int(&p->part, 1, (int64_t)n->number);
		pb_int(&p->part, 5, pprof_name(p, f->module));
		if (build_id[0])
			pb_int(&p->part, 6, pprof_name(p, build_id));
		pb_int(&p->part, 7, 1); /* functions are known: no symbolizer need look for them */
		for (unsigned int i = 8; p->s->r->c->lines && i <= 10; i++)
			pb_int(&p->part, i, 1); /* … and files, lines and inlined functions */
		pb_file_message(&p->f, PPROF_MAPPING, &p->part);
	}
	return n ? (int64_t)n->number : 0;
}

/* ---- functions ---- */

/* The strings of a function, by their indexes; `file`: 0 if unknown. */
struct pprof_function {
	int64_t name, system_name, file;
};

static int64_t pprof_add_function(struct pprof *p, const struct pprof_function *f)
{
	int64_t id = (int64_t)++p->nr_functions;

	pb_clear(&p->part);
	pb_int(&p->part, 1, id);
	pb_int(&p->part, 2, f->name);
	pb_int(&p->part, 3, f->system_name);
	pb_int(&p->part, 4, f->file);
	pb_file_message(&p->f, PPROF_FUNCTION, &p->part);
	return id;
}

/* An inlined function is one of its name in its file, wherever it was inlined. */
static int64_t pprof_inlined(struct pprof *p, const struct source_line *l)
{
	_cleanup_free_ char *key = NULL;
	const struct numbered *n;
	uint64_t unused = 0;
	bool is_new;

	if (asprintf(&key, "%s %s", l->file, l->function) < 0) {
		key = NULL;
		p->failed = true;
		return 0;
	}
	n = number_get(&p->inlined, key, &unused, p->nr_functions + 1, &is_new);
	p->failed |= !n;
	if (n && is_new) {
		struct pprof_function f = {.name = pprof_name(p, l->function)};

		f.system_name = f.name;
		f.file = l->file[0] ? pprof_name(p, l->file) : 0;
		pprof_add_function(p, &f);
	}
	return n ? (int64_t)n->number : 0;
}

/* ---- locations ---- */

/* A line of the location that is being made. */
static void put_source_line(struct pprof *p, struct pb *location, int64_t function, uint32_t line)
{
	struct pb m = {0};

	pb_int(&m, 1, function);
	pb_int(&m, 2, line);
	pb_bytes(location, 4, m.items, m.nr);
	p->failed |= m.failed;
	pb_free(&m);
}

/* A new location of a function; `lines` are of inlined functions and of the function; or NULL. */
static uint64_t pprof_add_location(struct pprof *p, int64_t mapping, struct pprof_function *f,
				   const struct frame_lines *lines)
{
	int64_t id = (int64_t)++p->nr_locations;
	const struct source_line *own = lines ? &lines->items[lines->nr - 1] : NULL;
	struct pb location = {0};

	pb_int(&location, 1, id);
	pb_int(&location, 2, mapping);
	for (size_t i = 0; lines && i + 1 < lines->nr; i++)
		put_source_line(p, &location, pprof_inlined(p, &lines->items[i]),
				lines->items[i].line);
	f->file = own && own->file[0] ? pprof_name(p, own->file) : 0;
	put_source_line(p, &location, pprof_add_function(p, f), own ? own->line : 0);
	pb_file_message(&p->f, PPROF_LOCATION, &location);
	pb_free(&location);
	return (uint64_t)id;
}

static uint64_t location_of_frame(struct pprof *p, const struct cap_frame *f, uint32_t id)
{
	_cleanup_free_ char *system_name = NULL;
	struct pprof_function function;

	if (p->location_of[id])
		return p->location_of[id];
	if (asprintf(&system_name, "%s+0x%" PRIx64, f->symbol, f->offset) < 0) {
		system_name = NULL;
		p->failed = true;
		return 0;
	}
	function = (struct pprof_function){pprof_name(p, f->symbol), pprof_name(p, system_name), 0};
	p->location_of[id] = pprof_add_location(p, pprof_mapping(p, f), &function,
						source_lines_of(p->s->r->c->lines, id));
	return p->location_of[id];
}

/* A frame that is no function of the kernel: it has no mapping. */
static uint64_t location_of_name(struct pprof *p, const char *name)
{
	const struct numbered *n;
	uint64_t unused = 0;
	bool is_new;

	n = number_get(&p->names, name, &unused, p->nr_locations + 1, &is_new);
	p->failed |= !n;
	if (n && is_new) {
		int64_t text = pprof_name(p, name);

		pprof_add_location(p, 0, &(struct pprof_function){text, text, 0}, NULL);
	}
	return n ? n->number : 0;
}

/* ---- samples ---- */

static void put_label(struct pprof *p, int64_t key, int64_t text)
{
	pb_clear(&p->part);
	pb_int(&p->part, 1, key);
	pb_int(&p->part, 2, text);
	p->failed |= p->part.failed;
	pb_bytes(&p->sample, 3, p->part.items, p->part.nr);
}

static void put_labels(struct pprof *p, const struct sample *x, bool is_base)
{
	for (unsigned int i = 0; i < SAMPLE_LABELS; i++) {
		_cleanup_free_ char *text =
			sample_label_text(p->s, x, (enum sample_label)i, &p->failed);

		if (text)
			put_label(p, pprof_string(p, sample_label_name((enum sample_label)i)),
				  pprof_string(p, text));
	}
	/* pprof marks the samples of a base so, and then shows shares of the base's total. */
	if (is_base)
		put_label(p, pprof_string(p, "pprof::base"), pprof_string(p, "true"));
}

static void put_sample(struct pprof *p, const struct sample *x, unsigned int first, bool is_base)
{
	struct sample_frame frame;
	bool any = false;

	for (unsigned int i = first; i < SAMPLE_VALUES; i++)
		any |= x->values[i];
	if (!any)
		return;
	pb_clear(&p->list);
	for (uint32_t i = 0; i < sample_depth(p->s, x); i++) {
		sample_frame_get(p->s, x, i, &frame);
		pb_packed(&p->list,
			  (int64_t)(frame.frame ? location_of_frame(p, frame.frame, frame.id)
						: location_of_name(p, frame.name)));
	}
	p->failed |= p->list.failed;
	pb_bytes(&p->sample, 1, p->list.items, p->list.nr);
	pb_clear(&p->list);
	for (unsigned int i = first; i < SAMPLE_VALUES; i++)
		pb_packed(&p->list, is_base ? -x->values[i] : x->values[i]);
	pb_bytes(&p->sample, 2, p->list.items, p->list.nr);
	put_labels(p, x, is_base);
	pb_file_message(&p->f, PPROF_SAMPLE, &p->sample);
}

static void put_samples(struct pprof *p, const struct samples *s, unsigned int first, bool is_base)
{
	_cleanup_free_ uint64_t *location_of = calloc(s->r->c->nr_frames + 1, sizeof(*location_of));

	p->location_of = location_of;
	p->s = s;
	if (!location_of) {
		p->failed = true;
		return;
	}
	for (size_t i = 0; i < s->nr && !p->failed && !p->f.err; i++)
		put_sample(p, &s->items[i], first, is_base);
}

/* ---- what describes the profile ---- */

static void put_type(struct pprof *p, unsigned int field, const char *type, const char *unit)
{
	struct pb m = {0};

	pb_int(&m, 1, pprof_string(p, type));
	pb_int(&m, 2, pprof_string(p, unit));
	pb_file_message(&p->f, field, &m);
	pb_free(&m);
}

__attribute__((format(printf, 2, 3))) static void put_comment(struct pprof *p, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = vformat(fmt, ap);
	va_end(ap);
	p->failed |= !text;
	if (text)
		pb_file_int(&p->f, PPROF_COMMENT, pprof_name(p, text));
}

/* Mode, trust and losses; `side` is "" or "base: ". */
static void put_comments(struct pprof *p, const struct report *r, const char *side)
{
	char period[UNITS_MAX], duration[UNITS_MAX], start[UNITS_MAX] = "?";
	struct sampling sampling;
	double wall = view_wall_s(&r->view);

	sampling_of(&r->view, POOL_SLAB, &sampling);
	if (!isnan(wall))
		units_time(start, "%Y-%m-%dT%H:%M:%SZ", wall);
	put_comment(p, "%shost %s, kernel %s, from %s for %s%s", side,
		    capture_meta(r->c, META_HOST), capture_meta(r->c, META_RELEASE), start,
		    units_duration(duration, r->view.duration_s),
		    r->view.complete ? "" : " (the recording did not end properly)");
	if (sampling.mean > 0)
		put_comment(p,
			    "%smode %s: figures are estimates from samples, on average one per %s "
			    "of slab memory",
			    side, capture_meta(r->c, META_MODE),
			    units_bytes(period, sampling.mean));
	else
		put_comment(p, "%smode %s: every object was tracked", side,
			    capture_meta(r->c, META_MODE));
	if (view_is_filtered(&r->view))
		put_comment(p, "%sonly a part was traced: %s %s", side,
			    r->view.filter[0] ? r->view.filter : "see the command",
			    capture_meta(r->c, META_POOLS));
	put_comment(p, "%strust %s%s%s", side, trust_name(r->trust.level),
		    r->trust.nr_reasons ? ": " : "",
		    r->trust.nr_reasons ? r->trust.reasons[r->trust.deciding] : "");
	put_comment(p, "%slost %.0f of %.0f events; %.0f details missing", side, r->losses.events,
		    r->losses.events + r->losses.traffic, r->losses.details);
}

static void put_description(struct pprof *p, const struct export_input *in,
			    const struct export_options *o, unsigned int first)
{
	const struct view *v = &in->r->view;
	struct sampling sampling;
	double wall = view_wall_s(v);

	sampling_of(v, POOL_SLAB, &sampling);
	pprof_string(p, ""); /* string 0 */
	for (unsigned int i = first; i < SAMPLE_VALUES; i++)
		put_type(p, PPROF_SAMPLE_TYPE, sample_value_name((enum sample_value)i),
			 sample_value_unit((enum sample_value)i));
	pb_file_int(&p->f, PPROF_DEFAULT_TYPE, pprof_string(p, sample_value_name(o->unit)));
	put_type(p, PPROF_PERIOD_TYPE, "space", "bytes");
	pb_file_int(&p->f, PPROF_PERIOD, sampling.mean > 1 ? (int64_t)sampling.mean : 1);
	if (wall > 0 && wall < 9e9)
		pb_file_int(&p->f, PPROF_TIME_NS, (int64_t)(wall * 1e9));
	if (v->duration_s > 0 && v->duration_s < 9e9)
		pb_file_int(&p->f, PPROF_DURATION_NS, (int64_t)(v->duration_s * 1e9));
	put_comment(p, "kernel memory, by kmemtrace %s", KMEMTRACE_VERSION);
	put_comments(p, in->r, "");
	if (in->base)
		put_comments(p, in->base, "base: ");
	put_comment(p, first ? "inuse: allocated while recording, and held at the end"
			     : "inuse: allocated while recording, and held at the end; alloc: all "
			       "that was allocated, by call path and pool only");
}

static void pprof_write(struct pprof *p, const struct export_input *in,
			const struct export_options *o, const struct samples *sides)
{
	/* Without traffic, there are no figures of allocations. */
	unsigned int first = sides[0].traffic ? 0 : VALUE_INUSE_OBJECTS;

	p->s = &sides[0];
	put_description(p, in, o, first);
	put_samples(p, &sides[0], first, false);
	if (in->base)
		put_samples(p, &sides[1], first, true);
}

int export_pprof(const struct export_input *in, const struct export_options *o, FILE *out)
{
	_cleanup_(samples_free) struct samples new_ = {0}, base = {0};
	_cleanup_free_ struct pprof *p = calloc(1, sizeof(*p));
	int err;

	if (!p || samples_build(in->r, o->labels, &new_) ||
	    (in->base && samples_build(in->base, o->labels, &base)))
		return -ENOMEM;
	err = pb_file_begin(&p->f, out);
	if (err)
		return err;
	pprof_write(p, in, o, (const struct samples[]){new_, base});
	err = pb_file_end(&p->f);
	numbered_free(&p->strings);
	numbered_free(&p->modules);
	numbered_free(&p->names);
	numbered_free(&p->inlined);
	pb_free(&p->sample);
	pb_free(&p->part);
	pb_free(&p->list);
	return err ?: p->failed ? -ENOMEM : 0;
}
