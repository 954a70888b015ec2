// SPDX-License-Identifier: GPL-2.0-only
/* Runs loaded BPF programs: see program.h. */
#include "trace/program.h"

#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"

int program_call_on(const struct bpf_program *program, const uint64_t args[3], int cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = 3 * sizeof(args[0]));

	if (cpu >= 0) {
		opts.flags = BPF_F_TEST_RUN_ON_CPU;
		opts.cpu = cpu;
	}
	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts) ? -errno : 0;
}

int program_call(const struct bpf_program *program, const uint64_t args[3])
{
	return program_call_on(program, args, -1);
}

int program_iterate(const struct bpf_program *program, file_take_t take, void *arg)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int err = (int)libbpf_get_error(link);
	_cleanup_close_ int fd = -1;

	if (err)
		return err;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? -errno : file_read_pieces(fd, take, arg);
	bpf_link__destroy(link);
	return err;
}

struct program_taking {
	size_t size;
	program_add_t add;
	void *arg;
};

/* The buffer of file_read_pieces() is aligned for any type, and begins with a whole record. */
static ssize_t program_take_records(const char *buf, size_t len, bool last, void *arg)
{
	const struct program_taking *t = arg;
	size_t nr = len / t->size;
	int err = nr ? t->add(t->arg, buf, nr) : 0;

	if (err)
		return err;
	return (ssize_t)(last ? len : nr * t->size);
}

int program_records(const struct bpf_program *program, size_t size, program_add_t add, void *arg)
{
	return program_iterate(program, program_take_records,
			       &(struct program_taking){size, add, arg});
}
