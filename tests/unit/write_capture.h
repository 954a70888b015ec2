/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes a capture that was built in memory, with the real writer. Include after cmocka.h and
 * sample_capture.h. */
#ifndef TESTS_UNIT_WRITE_CAPTURE_H
#define TESTS_UNIT_WRITE_CAPTURE_H

/* Write everything in c, in order of ids, so that the ids stay the same. */
SAMPLE_UNUSED static void write_capture(const struct capture *c, const char *path)
{
	struct capture_writer *w;
	uint32_t id;

	assert_int_equal(capture_writer_new(path, true, &w), 0);
	for (size_t i = 0; i < c->meta.nr; i++)
		assert_int_equal(capture_put_meta(w, c->meta.items[i].key, c->meta.items[i].value),
				 0);
	for (size_t i = 0; i < c->nr_snapshots; i++)
		assert_int_equal(capture_put_snapshot(w, &c->snapshots[i]), 0);
	for (size_t i = 0; i < c->nr_hooks; i++)
		assert_int_equal(capture_put_hook(w, &c->hooks[i]), 0);
	for (size_t i = 1; i < c->nr_frames; i++) {
		assert_int_equal(capture_put_frame(w, &c->frames[i], &id), 0);
		assert_int_equal(id, i);
	}
	for (size_t i = 1; i < c->nr_stacks; i++) {
		assert_int_equal(capture_put_stack(w, &c->stacks[i], &id), 0);
		assert_int_equal(id, i);
	}
	for (size_t i = 1; i < c->nr_caches; i++) {
		assert_int_equal(capture_put_cache(w, &c->caches[i], &id), 0);
		assert_int_equal(id, i);
	}
	for (size_t i = 1; i < c->nr_cgroups; i++) {
		assert_int_equal(capture_put_cgroup(w, c->cgroups[i], &id), 0);
		assert_int_equal(id, i);
	}
	for (size_t i = 1; i < c->nr_processes; i++) {
		assert_int_equal(capture_put_process(w, &c->processes[i], &id), 0);
		assert_int_equal(id, i);
	}
	for (size_t i = 0; i < c->nr_checkpoints; i++)
		assert_int_equal(capture_put_checkpoint(w, &c->checkpoints[i]), 0);
	for (int moment = 0; moment < CENSUS_MOMENTS; moment++)
		if (c->census[moment])
			assert_int_equal(capture_put_census(w, moment, c->census[moment]), 0);
	for (size_t i = 0; i < c->proofs.nr; i++)
		assert_int_equal(capture_put_proof(w, &c->proofs.items[i]), 0);
	assert_int_equal(capture_finish(w), 0);
}

#endif
