// SPDX-License-Identifier: GPL-2.0-only
/* Collects the facts of a recording and stores them in the capture. See metadata.h. */
#include "record/metadata.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "proc/host.h"
#include "version.h"

static int put_command(struct capture_writer *w, char **command)
{
	_cleanup_free_ char *line = NULL;
	size_t len;
	FILE *f = open_memstream(&line, &len);

	if (!f)
		return -ENOMEM;
	for (char **arg = command; arg && *arg; arg++)
		fprintf(f, "%s%s", arg == command ? "" : " ", *arg);
	fclose(f);
	return capture_put_meta(w, META_COMMAND, line);
}

int metadata_put_host(struct capture_writer *w)
{
	struct host_facts h;
	int err = host_facts_read("/proc", "/sys", &h);

	if (err)
		return log_error(-err,
				 "cannot tell which kernel this is from /proc (%s): is it mounted?",
				 strerror(-err));
	const struct {
		const char *key, *value;
	} texts[] = {
		{META_HOST, h.hostname},         {META_RELEASE, h.release},
		{META_VERSION, h.version},       {META_ARCH, h.arch},
		{META_BUILD_ID, h.build_id},     {META_LOCKDOWN, h.lockdown},
		{META_VIRT, h.virtualization},   {META_BOOT_ID, h.boot_id},
		{META_MACHINE_ID, h.machine_id}, {META_TOOL, KMEMTRACE_VERSION},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !err; i++)
		err = capture_put_meta(w, texts[i].key, texts[i].value);
	err = err ?: capture_put_metaf(w, META_CPUS, "%d", h.cpus_online);
	err = err ?: capture_put_metaf(w, META_POSSIBLE, "%d", h.cpus_possible);
	err = err ?: capture_put_metaf(w, META_UPTIME, "%.2f", h.uptime_s);
	err = err ?: capture_put_metaf(w, META_PAGE_SIZE, "%lld", (long long)h.page_size);
	return err;
}

static int put_hooks(struct capture_writer *w, const struct plan *plan)
{
	int err = 0;

	for (size_t i = 0; i < plan->nr && !err; i++) {
		const struct plan_hook *hook = &plan->hooks[i];
		struct cap_hook row = {
			.name = (char *)hook->def->name,
			.pool = hook->def->pool,
			.how = (char *)(hook->on ? hook->def->how : ""),
			.reason = (char *)hook->reason,
			.cost = (char *)(hook->on ? "" : hook->def->cost),
		};

		err = capture_put_hook(w, &row);
	}
	return err;
}

int metadata_filter(const struct tracer_options *o, char **out)
{
	char *text = NULL, size[UNITS_MAX];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return -ENOMEM;
	if (o->pid)
		fprintf(f, " of process %d", o->pid);
	if (o->cgroup)
		fprintf(f, " in cgroup %s", o->cgroup_path ?: "(unknown)");
	/* a limit below the size of every named cache excludes nothing */
	if (o->min_size > o->cache_min_size)
		fprintf(f, " of at least %s", units_bytes(size, o->min_size));
	if (fclose(f)) {
		free(text);
		return -ENOMEM;
	}
	*out = text;
	return 0;
}

static int put_filter(struct capture_writer *w, const struct tracer_options *o)
{
	_cleanup_free_ char *text = NULL;
	int err = metadata_filter(o, &text);

	return !err && text[0] ? capture_put_meta(w, META_FILTER, text + 1) : err;
}

static int put_pools(struct capture_writer *w, const struct plan *plan)
{
	char text[96] = "";
	size_t at = 0;

	for (int p = 0; p < POOLS; p++)
		if (plan->asked[p])
			at += snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "",
				       pool_name(p));
	return at ? capture_put_meta(w, META_POOLS, text) : 0;
}

int metadata_put(struct capture_writer *w, const struct plan *plan,
		 const struct recorder_options *options, const struct tracer *tracer)
{
	const struct tracer_options *o = &options->tracer;
	int err = metadata_put_host(w);

	err = err ?: capture_put_metaf(w, META_START, "%.3f", clock_wall_s());
	err = err
		      ?: capture_put_meta(w, META_MODE,
					  o->nr_caches ? "focused"
					  : o->exact   ? "exact"
						       : "sampled");
	err = err
		      ?: capture_put_metaf(w, META_PERIOD, "%llu",
					   o->exact ? 0ull : (unsigned long long)o->sample_bytes);
	err = err ?: put_filter(w, o);
	if (!o->nr_caches)
		err = err ?: put_pools(w, plan);
	err = err ?: put_command(w, options->command);
	err = err
		      ?: capture_put_metaf(w, META_OWN_BYTES, "%llu",
					   (unsigned long long)tracer_own_bytes(tracer));
	return err ?: put_hooks(w, plan);
}
