// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares counters with caches: see witness.h. slabinfo counts free objects on CPU lists as in
 * use, and counters change while they are read, so a difference is reported only if it is large
 * both in bytes and as a share.
 */
#include "findings/witness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "data/counter.h"

#define DIFFERENCE_SHARE   0.25            /* of the larger count */
#define DIFFERENCE_BYTES   1048576.0       /* where free objects on CPU lists were counted … */
#define DIFFERENCE_UNKNOWN (4 * 1048576.0) /* … and where they were not */

enum witness_id { FILES, INODES, DENTRIES, TCP, SOCKETS, KEYS, CONNECTIONS };

static const struct witness_def defs[WITNESSES] = {
	[FILES] = {"open_files", "open files", COUNTER_FILES, "filp", false,
		   "Closed files wait for an RCU grace period before they are freed.", ""},
	[INODES] = {"inodes", "inodes", COUNTER_INODES, "inode caches", false,
		    "File systems such as XFS keep inodes that the kernel no longer counts until "
		    "they are reclaimed.",
		    "Some inodes are in caches whose names do not show that they hold inodes."},
	[DENTRIES] = {"dentries", "dentries", COUNTER_DENTRIES, "dentry", false,
		      "Removed dentries wait for an RCU grace period before they are freed.", ""},
	[TCP] = {"tcp_sockets", "TCP sockets", COUNTER_TCP_ALLOCATED, "TCP, TCPv6", false,
		 "The counter leaves out closed sockets, which stay while something refers to them.",
		 ""},
	[SOCKETS] = {"sockets", "sockets here", COUNTER_SOCKETS, "sock_inode_cache", true,
		     "The counter is of the recorder's network namespace; the others are in other "
		     "namespaces.",
		     ""},
	[KEYS] = {"keys", "keys", COUNTER_KEYS, "key_jar", false,
		  "The other keys belong to users that this user namespace does not see, or wait "
		  "to be collected.",
		  ""},
	[CONNECTIONS] = {"connections", "connections here", COUNTER_CONNECTIONS, "nf_conntrack",
			 true,
			 "The counter is of the recorder's network namespace; the others are in "
			 "other namespaces, also in removed ones that wait to be cleaned up.",
			 ""},
};

static bool ends_with(const char *name, const char *end)
{
	size_t a = strlen(name), b = strlen(end);

	return a >= b && !strcmp(name + a - b, end);
}

/* Caches of inodes are never merged, because each has a constructor. By custom, their names end
 * alike. */
static bool cache_is_of(enum witness_id id, const char *name)
{
	static const char *const ends[] = {"inode_cache",   "_inode",     "_inode_info", "_icache",
					   "_inode_cachep", "bdev_cache", "_znode_cache"};

	switch (id) {
	case FILES:
		return !strcmp(name, "filp");
	case INODES: /* except caches of data that belongs to an inode */
		if (!strcmp(name, "lsm_inode_cache") || !strcmp(name, "fscrypt_inode_info"))
			return false;
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			if (ends_with(name, ends[i]))
				return true;
		return false;
	case DENTRIES:
		return !strcmp(name, "dentry");
	case TCP:
		return !strcmp(name, "TCP") || !strcmp(name, "TCPv6");
	case SOCKETS:
		return !strcmp(name, "sock_inode_cache");
	case KEYS:
		return !strcmp(name, "key_jar");
	case CONNECTIONS: /* before 4.7: one cache per namespace, with an address in its name */
		return !strncmp(name, "nf_conntrack", 12) && (!name[12] || name[12] == '_') &&
		       strcmp(name, "nf_conntrack_expect") != 0;
	}
	return false;
}

struct objects {
	double nr, bytes; /* NaN: no such cache */
	bool counted;     /* without the free objects on CPU lists */
};

static struct objects objects_of(const struct snapshot *s, enum witness_id id)
{
	struct objects sum = {0, 0, true};
	bool found = false;

	for (size_t i = 0; s && i < s->slabs.nr; i++) {
		const struct slab_level *l = &s->slabs.items[i];
		double nr;

		if (!cache_is_of(id, l->name))
			continue;
		found = true;
		nr = (double)l->active_objs - (l->cpu_free > 0 ? (double)l->cpu_free : 0);
		sum.counted &= l->cpu_free >= 0;
		sum.nr += fmax(nr, 0);
		sum.bytes += fmax(nr, 0) * (double)l->object_size;
	}
	return found ? sum : (struct objects){NAN, NAN, false};
}

static double count_of(const struct snapshot *s, const char *counter)
{
	int64_t value = s ? named_value_get(&s->vmstat, counter, -1) : -1;

	return value < 0 ? NAN : (double)value;
}

/* Do two counts of the same objects differ too much? They are read at different moments, which
 * explains a small difference. */
static bool differ(double a, double b, double object_bytes, double least_bytes)
{
	return fabs(a - b) > DIFFERENCE_SHARE * fmax(fabs(a), fabs(b)) &&
	       fabs(a - b) * object_bytes > least_bytes;
}

static void witness_say(struct witness *w, double counted, double objects, bool is_growth)
{
	const char *why = objects > counted ? w->def->more : w->def->fewer;
	char bytes[UNITS_MAX], has[UNITS_MAX], counts[UNITS_MAX];

	units_bytes(bytes, fabs(objects) * w->object_bytes);
	units_count(has, fabs(objects));
	units_count(counts, fabs(counted));
	if (is_growth)
		snprintf(
			w->text, sizeof(w->text),
			"%s %s by %s objects (%s), while the kernel's count of %s (%s) %s by %s.%s%s",
			w->def->caches, objects < 0 ? "shrank" : "grew", has, bytes, w->def->label,
			w->def->counter, counted < 0 ? "fell" : "rose", counts, *why ? " " : "",
			why);
	else
		snprintf(w->text, sizeof(w->text),
			 "%s: %s objects (%s) in use, but the kernel counts %s %s (%s).%s%s",
			 w->def->caches, has, bytes, counts, w->def->label, w->def->counter,
			 *why ? " " : "", why);
}

static void judge(struct witness *w, bool counted)
{
	double least = counted ? DIFFERENCE_BYTES : DIFFERENCE_UNKNOWN;
	double count = w->count_delta, objects = w->objects_delta;

	if (isnan(w->objects_end))
		return;
	w->state = WITNESS_AGREES;
	if (differ(w->count_end, w->objects_end, w->object_bytes, least)) {
		w->state = w->def->is_of_namespace && w->objects_end > w->count_end
				   ? WITNESS_PART
				   : WITNESS_DIFFERS;
		witness_say(w, w->count_end, w->objects_end, false);
	} else if (!isnan(count) && !isnan(objects) &&
		   differ(count, objects, w->object_bytes, least)) {
		w->state =
			w->def->is_of_namespace && objects > count ? WITNESS_PART : WITNESS_DIFFERS;
		witness_say(w, count, objects, true);
	}
}

void witnesses_build(const struct snapshot *start, const struct snapshot *end,
		     struct witnesses *out)
{
	out->nr = 0;
	for (size_t i = 0; i < WITNESSES; i++) {
		struct objects first = objects_of(start, (enum witness_id)i),
			       last = objects_of(end, (enum witness_id)i);
		struct witness w = {
			.def = &defs[i],
			.count_start = count_of(start, defs[i].counter),
			.count_end = count_of(end, defs[i].counter),
			.objects_start = first.nr,
			.objects_end = last.nr,
			.object_bytes = last.nr > 0    ? last.bytes / last.nr
					: first.nr > 0 ? first.bytes / first.nr
						       : 0,
		};

		if (isnan(w.count_end))
			continue;
		w.count_delta = w.count_end - w.count_start;
		w.objects_delta = w.objects_end - w.objects_start;
		w.bytes_end = w.objects_end * w.object_bytes;
		judge(&w, last.counted && (!start || first.counted));
		out->items[out->nr++] = w;
	}
}

void witnesses_find(const struct witnesses *w, struct findings *list)
{
	for (size_t i = 0; i < w->nr; i++) {
		const struct witness *it = &w->items[i];
		struct finding *f;

		if (!it->text[0])
			continue;
		f = findings_add(list,
				 FINDING(FINDING_NOTICE, "counts-differ", ABOUT_COUNTER,
					 .part = PART_COUNTERS),
				 "%s", it->text);
		finding_subject(f, "%s", it->def->counter);
		finding_figure(f, "count", it->count_end, NAN, NAN);
		finding_figure(f, "objects", it->objects_end, NAN, NAN);
		finding_evidence(f, "counters", "%s", it->def->name);
	}
}

const char *witness_state_name(enum witness_state state)
{
	static const char *const names[] = {[WITNESS_UNKNOWN] = "unknown",
					    [WITNESS_AGREES] = "agrees",
					    [WITNESS_PART] = "part",
					    [WITNESS_DIFFERS] = "differs"};

	return names[state];
}

/* The tree with most removed cgroups. A machine with both cgroup versions has the memory controller
 * in only one of the two trees. */
static const struct cgroup_level *cgroup_tree(const struct snapshot *s)
{
	const struct cgroup_level *best = NULL;

	for (size_t i = 0; i < s->cgroups.nr; i++) {
		const struct cgroup_level *l = &s->cgroups.items[i];

		if ((!strcmp(l->path, "/") || !strcmp(l->path, CGROUP_V1_MEMORY)) &&
		    (!best || l->dying > best->dying))
			best = l;
	}
	return best;
}

double removed_cgroups(const struct snapshot *s)
{
	const struct cgroup_level *tree = cgroup_tree(s);

	return tree && tree->dying >= 0 ? (double)tree->dying : NAN;
}

double present_cgroups(const struct snapshot *s)
{
	const struct cgroup_level *tree = cgroup_tree(s);

	return tree && tree->descendants >= 0 ? (double)tree->descendants : NAN;
}

static double dying_at_start(const struct snapshot *start, const struct cgroup_level *end)
{
	for (size_t i = 0; start && i < start->cgroups.nr; i++)
		if (start->cgroups.items[i].id == end->id &&
		    !strcmp(start->cgroups.items[i].path, end->path))
			return (double)start->cgroups.items[i].dying;
	return NAN;
}

void removed_below(const struct snapshot *start, const struct snapshot *end, size_t i,
		   struct removed_below *out)
{
	const struct cgroup_level *l = &end->cgroups.items[i];

	*out = (struct removed_below){
		.path = l->path,
		.removed_start = dying_at_start(start, l),
		.removed = l->dying < 0 ? NAN : (double)l->dying,
		.present = l->descendants < 0 ? NAN : (double)l->descendants,
	};
}
