// SPDX-License-Identifier: GPL-2.0-only
/* Writes a census as a capture: see census_capture.h. */
#include "record/census_capture.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/limits.h"
#include "base/log.h"
#include "capture/capture.h"
#include "proc/cgroup_levels.h"
#include "proc/nodes.h"
#include "proc/snapshot.h"
#include "record/metadata.h"
#include "trace/bpf_objects.h"

/* What `record` stores of one moment, as far as it needs no tracer. */
static int levels_read(struct snapshot *out)
{
	struct bpf_objects o = {0};
	int err = snapshot_read("/proc", SNAPSHOT_ALL, out);

	if (err)
		return log_error(-err, "cannot read /proc/meminfo: %s", file_why(-err));
	out->kind = SNAPSHOT_START;
	out->t_s = 0;
	if (cgroup_levels_read("/proc", &out->cgroups) || nodes_read("/sys", out))
		return limits_no_memory("counting cgroups and NUMA nodes");
	err = bpf_objects_read((int)getpid(), &o);
	if (err)
		log_debug("the BPF objects of this machine are not known (%s)", strerror(-err));
	out->bpf = o.levels;
	out->bpf_holders = o.holders;
	return 0;
}

static int rows_put(struct capture_writer *w, const struct census *census,
		    const struct snapshot *levels)
{
	int err = metadata_put_host(w);

	err = err ?: capture_put_metaf(w, META_START, "%.3f", census->wall_s);
	err = err ?: capture_put_meta(w, META_MODE, MODE_CENSUS);
	err = err ?: capture_put_meta(w, META_CENSUS, "ok");
	err = err ?: capture_put_snapshot(w, levels);
	return err ?: capture_put_census(w, CENSUS_AT_START, census);
}

int census_capture_write(const char *path, bool overwrite, const struct census *census)
{
	_cleanup_(snapshot_free) struct snapshot levels = {0};
	struct capture_writer *w = NULL;
	int err = levels_read(&levels);

	err = err ?: capture_writer_new(path, overwrite, &w);
	if (err)
		return err;
	err = rows_put(w, census, &levels);
	if (err) {
		capture_writer_discard(w);
		return err;
	}
	return capture_finish(w);
}
