// SPDX-License-Identifier: GPL-2.0-only
/* Loads and runs bpf/lenses.bpf.c: see lenses.h. */
#include "trace/lenses.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"
#include "lenses.skel.h"
#include "proc/devices.h"
#include "trace/lenses_holders.h"
#include "trace/lenses_tally.h"
#include "trace/libbpf_log.h"
#include "trace/program.h"
#include "trace/tracer.h"

#define PROBE_SHARE  0.4       /* of the budget: for recognising caches */
#define PROBE_BLOCKS 16        /* of a cache, until an object fits a lens */
#define HOLDERS_NS   100000000 /* for visiting the open files of all processes */
#define BLOCKS_LEAST 2         /* looked at in each cache, even if no time is left */

struct lens_programs {
	struct lenses_bpf *skel;
	struct kmt_lenses *lenses;
	const struct lenses_options *options;
	struct lens_tally *tally;
	uint64_t began_ns, random;
};

/* A cache that was recognised. */
struct lens_target {
	struct lens_cache *cache;
	uint32_t lens, offset;
};

struct lens_targets {
	ARRAY_OF(struct lens_target);
};

void lenses_close(struct lens_programs *p)
{
	if (!p)
		return;
	lens_tally_free(p->tally);
	if (p->lenses)
		munmap(p->lenses, sizeof(*p->lenses));
	lenses_bpf__destroy(p->skel);
	free(p);
}

uint64_t lenses_own_bytes(const struct lens_programs *p)
{
	return p ? bpf_object_bytes(p->skel->obj) : 0;
}

static bool lenses_over(const struct lens_programs *p, double share)
{
	double budget = (double)p->options->budget_ns;

	return budget > 0 && (double)(clock_thread_ns() - p->began_ns) > budget * share;
}

/* `by_process`: with the iterator, which not every kernel and process may load. */
static int lenses_load(struct lens_programs *p, const struct plan *plan, bool by_process)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		    .btf_custom_path = plan->btf_source[0] ? plan->btf_source : KERNEL_BTF);
	int err;

	libbpf_log_begin();
	p->skel = lenses_bpf__open_opts(&opts);
	if (!p->skel)
		return -errno;
	p->skel->rodata->cfg_page_size = sysconf(_SC_PAGESIZE);
	p->skel->rodata->cfg_page_shift = ffs((int)sysconf(_SC_PAGESIZE)) - 1;
	bpf_program__set_autoload(p->skel->progs.lens_scan, true);
	bpf_program__set_autoload(p->skel->progs.lens_name, true);
	bpf_program__set_autoload(p->skel->progs.lens_path, true);
	bpf_program__set_autoload(p->skel->progs.lens_holders, by_process);
	bpf_map__set_max_entries(p->skel->maps.audit_cpu_offset, 1);
	err = lenses_bpf__load(p->skel);
	if (err)
		return err;
	p->lenses = mmap(NULL, sizeof(*p->lenses), PROT_READ | PROT_WRITE, MAP_SHARED,
			 bpf_map__fd(p->skel->maps.lenses), 0);
	if (p->lenses == MAP_FAILED) {
		p->lenses = NULL;
		return -errno;
	}
	return 0;
}

int lenses_open(const struct plan *plan, struct lens_programs **out)
{
	struct lens_programs *p = calloc(1, sizeof(*p));
	int err = p ? lenses_load(p, plan, true) : -ENOMEM;

	if (p && err && err != -ENOMEM) {
		log_debug("open files are not looked for by process (%s)", strerror(-err));
		lenses_bpf__destroy(p->skel);
		p->skel = NULL;
		err = lenses_load(p, plan, false);
	}
	if (err) {
		lenses_close(p);
		return err;
	}
	*out = p;
	return 0;
}

static const struct kmt_lens_name *lens_name_ask(void *arg, uint32_t lens, uint64_t address)
{
	struct lens_programs *p = arg;

	if (program_call(p->skel->progs.lens_name, (uint64_t[3]){address, lens}))
		return NULL;
	return &p->lenses->name;
}

static const struct kmt_lens_path *lens_path_ask(void *arg, uint64_t dentry, uint64_t super,
						 uint64_t mount)
{
	struct lens_programs *p = arg;

	if (program_call(p->skel->progs.lens_path, (uint64_t[3]){dentry, super, mount}))
		return NULL;
	return &p->lenses->path;
}

static void lens_device_ask(void *arg, bool block, uint32_t number, char name[24])
{
	(void)arg;
	device_name("/sys", "/proc", block, number, name, 24);
}

static uint32_t lens_cgroup_ask(void *arg, uint64_t owner)
{
	const struct lens_programs *p = arg;

	return p->options->cgroup(p->options->arg, owner);
}

/* Look at a block, in short runs, and add up what is found. Returns 0 or −errno. */
static int block_look(struct lens_programs *p, const struct lens_target *target,
		      const struct lens_block *block, struct lens_tally *tally)
{
	struct kmt_lenses *l = p->lenses;
	int err = 0;

	l->cache = target->cache->address;
	l->pfn = block->pfn;
	l->frames = block->frames;
	l->lens = target->lens;
	l->offset = target->offset;
	l->next = 0;
	while (l->next < l->frames && !err) {
		uint32_t before = l->next;

		err = program_call(p->skel->progs.lens_scan, (uint64_t[3]){0});
		if (!err && l->next <= before)
			err = -EIO;
		p->options->rest(p->options->arg);
		if (!err && tally)
			err = lens_tally_add(tally, l->records,
					     l->records_nr < KMT_LENS_RECORDS ? l->records_nr
									      : KMT_LENS_RECORDS);
	}
	return err;
}

/* ---- which caches ---- */

/* The lens that fits most of the objects that were probed; KMT_LENS_PROBE: none. */
static uint32_t lens_that_fits(const struct kmt_lenses *l)
{
	uint32_t best = KMT_LENS_PROBE;

	for (uint32_t lens = 1; lens < KMT_LENSES; lens++)
		if (l->fits[lens] > (best ? l->fits[best] : 0))
			best = lens;
	return best;
}

/* Look at objects in use until one fits a lens. Their number is not exact: some may be free. */
static int cache_probe(struct lens_programs *p, const struct lens_target *target)
{
	int err = 0;

	for (size_t i = 0, tried = 0; i < target->cache->nr && tried < PROBE_BLOCKS && !err; i++) {
		if (lens_that_fits(p->lenses))
			break;
		if (!target->cache->items[i].used)
			continue;
		err = block_look(p, target, &target->cache->items[i], NULL);
		tried++;
	}
	return err;
}

/*
 * Recognise the caches. Those with most blocks come first, and small ones when time is left; *left
 * becomes the number of objects of those for which there was none.
 */
static int lenses_recognise(struct lens_programs *p, struct lens_targets *out, double *left)
{
	_cleanup_free_ struct lens_cache **caches = NULL;
	size_t nr = 0;
	int err = lens_blocks_list(p->options->blocks, &caches, &nr);

	for (size_t i = 0; i < nr && !err; i++) {
		struct lens_target target = {.cache = caches[i], .lens = KMT_LENS_PROBE}, *new;

		if (lenses_over(p, PROBE_SHARE)) {
			*left += caches[i]->used;
			continue;
		}
		memset(p->lenses->fits, 0, sizeof(p->lenses->fits));
		err = cache_probe(p, &target);
		target.lens = lens_that_fits(p->lenses);
		target.offset = target.lens == KMT_LENS_INODE ? p->lenses->offset_found : 0;
		if (err || !target.lens)
			continue;
		new = ARRAY_PUSH(out);
		if (!new)
			return -ENOMEM;
		*new = target;
	}
	return err;
}

/* ---- all of them ---- */

/* Look at the blocks of a cache in random order while there is time. */
static int cache_look(struct lens_programs *p, const struct lens_target *target, double until,
		      struct census_lenses *out)
{
	const struct lenses_options *o = p->options;
	const struct kmt_census_cache *info = o->cache(o->arg, target->cache->address);
	struct lens_population population = {.blocks = target->cache->nr,
					     .objects = target->cache->used,
					     .units = o->units,
					     .counted = o->counted,
					     .page_bytes = sysconf(_SC_PAGESIZE)};
	struct lens_block *blocks = target->cache->items;
	size_t nr = target->cache->nr, i;
	enum lens lens = target->lens - 1;
	int err = 0;

	population.bytes = info ? info->size : 0;
	for (i = 0; i < nr && !err; i++) {
		size_t j = i + random_below(&p->random, nr - i);
		struct lens_block block = blocks[j];

		if (i >= BLOCKS_LEAST && lenses_over(p, until))
			break;
		blocks[j] = blocks[i];
		blocks[i] = block;
		lens_tally_block(p->tally, block.used);
		err = block_look(p, target, &block, p->tally);
	}
	if (i < nr || o->counted < o->units)
		out->sampled[lens] = true;
	if (nr && !(out->share[lens] < (double)i / (double)nr))
		out->share[lens] = (double)i / (double)nr;
	return err ?: lens_tally_cache(p->tally, &population);
}

/* Small caches first: what they leave of the time, larger ones may use. */
static int lenses_look(struct lens_programs *p, struct lens_targets *targets,
		       struct census_lenses *out)
{
	double used, left;
	int err = 0;

	for (size_t i = targets->nr; i-- > 0 && !err;) {
		used = p->options->budget_ns ? (double)(clock_thread_ns() - p->began_ns) /
						       (double)p->options->budget_ns
					     : 0;
		left = fmax(1 - used, 0);
		err = cache_look(p, &targets->items[i], used + left / (double)(i + 1), out);
	}
	return err;
}

/* ---- by process ---- */

static int lens_holders_take(void *found, const void *records, size_t nr)
{
	return lens_holders_add(found, records, nr);
}

/* Which processes have what open. The rest is complete without it. Returns 0 or −ENOMEM. */
static int lens_holders_read(struct lens_programs *p, struct census_lenses *out)
{
	struct lens_holders_found *found;
	int err;

	if (!bpf_program__autoload(p->skel->progs.lens_holders))
		return 0;
	found = lens_holders_new();
	p->lenses->records_nr = 0;
	p->lenses->late = 0;
	p->lenses->holder.tgid = 0;
	p->lenses->super = 0;
	p->lenses->until_ns = clock_ns() + HOLDERS_NS;
	err = found ? program_records(p->skel->progs.lens_holders, sizeof(struct kmt_lens_holder),
				      lens_holders_take, found)
		    : -ENOMEM;
	out->holders_whole = !err && !p->lenses->late;
	err = err ?: lens_holders_finish(found, p->tally, out);
	lens_holders_free(found);
	if (err && err != -ENOMEM)
		log_debug("open files by process are not known (%s)", strerror(-err));
	return err == -ENOMEM ? err : 0;
}

static void lenses_refuse(int err, struct census_lenses *out)
{
	char why[LIMITS_MAX];

	if (err == -ENODATA)
		snprintf(out->absent, sizeof(out->absent),
			 "where the kernel keeps the objects of a slab could not be learned");
	else if (err == -ENOBUFS)
		snprintf(out->absent, sizeof(out->absent), "%.190s", limits_explain(-err, why));
	else
		snprintf(out->absent, sizeof(out->absent),
			 "this kernel does not load the programs that look at objects (%s)",
			 strerror(-err));
	log_debug("no lenses: %s", out->absent);
}

/* Recognise caches and look at their objects. Returns 0 or −errno. */
static int lenses_run(struct lens_programs *p, struct census_lenses *out)
{
	struct lens_targets targets = {0};
	int err;

	p->tally = lens_tally_new(&(struct lens_asking){lens_name_ask, lens_cgroup_ask,
							lens_device_ask, lens_path_ask, p});
	err = p->tally ? lenses_recognise(p, &targets, &out->unrecognised) : -ENOMEM;
	log_debug("lenses: %zu caches recognised in %.1f ms", targets.nr,
		  (double)(clock_thread_ns() - p->began_ns) / 1e6);
	err = err ?: lenses_look(p, &targets, out);
	err = err ?: lens_holders_read(p, out);
	ARRAY_FREE(&targets);
	if (!err)
		lens_tally_finish(p->tally, out);
	/* of a sampled census, so many more */
	if (p->options->counted)
		out->unrecognised *= (double)p->options->units / (double)p->options->counted;
	lens_tally_free(p->tally);
	p->tally = NULL;
	return err;
}

int lenses_take(struct lens_programs *p, int why, const struct lenses_options *options,
		struct census_lenses *out)
{
	struct census_lenses taken = {.taken = true};

	for (int lens = 0; lens < LENSES; lens++)
		taken.share[lens] = NAN;
	if (!why && !options->page_base)
		why = -ENODATA;
	if (!why) {
		p->options = options;
		p->random = options->seed;
		p->lenses->names = options->names;
		taken.named = options->names;
		p->began_ns = clock_thread_ns();
		__atomic_store_n(&p->skel->bss->page_base, options->page_base, __ATOMIC_SEQ_CST);
		__atomic_store_n(&p->skel->bss->lens_frame_base, options->frame_base,
				 __ATOMIC_SEQ_CST);
		why = lenses_run(p, &taken);
		taken.cpu_s = (double)(clock_thread_ns() - p->began_ns) / 1e9;
		taken.lost +=
			lens_blocks_lost(options->blocks) + p->lenses->lost + p->lenses->doubtful;
	}
	if (why == -ENOMEM)
		return why;
	if (why)
		lenses_refuse(why, &taken);
	*out = taken;
	return 0;
}
