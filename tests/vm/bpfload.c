// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfload OBJECT.o: test whether this kernel's verifier accepts each BPF program, and whether it
 * can be attached. Each program is loaded alone, so that one refusal does not hide others. Prints
 * lines as in tests/vm/lib.sh, and for a refused program the end of the verifier's log. For the
 * guests' suite, and for debugging.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static char log_buf[16 << 20];

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static void refused(const char *name, const char *step, int err)
{
	size_t len = strlen(log_buf);
	size_t tail = len > 2000 ? len - 2000 : 0;

	printf("not ok load-%s - %s: %s\n", name, step, strerror(-err));
	if (len)
		printf("%s\n", log_buf + tail);
}

/* Open the object, and select only the program `name` for loading. */
static struct bpf_object *object_open(const char *path, const char *name, __u32 log_level)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log_level ? log_buf : NULL,
		    .kernel_log_size = log_level ? sizeof(log_buf) : 0,
		    .kernel_log_level = log_level);
	struct bpf_object *object = bpf_object__open_file(path, &opts);
	struct bpf_program *program;

	if (object)
		bpf_object__for_each_program(program, object) bpf_program__set_autoload(
			program, !strcmp(bpf_program__name(program), name));
	return object;
}

/* Load and attach one program. If it is refused, load it again to get the verifier's log. */
static int program_try(const char *path, const char *name)
{
	struct bpf_object *object = object_open(path, name, 0);
	struct bpf_program *program;
	struct bpf_link *link;
	int err;

	if (!object)
		return -errno;
	program = bpf_object__find_program_by_name(object, name);
	log_buf[0] = '\0';
	err = bpf_object__load(object);
	if (err) {
		bpf_object__close(object);
		object = object_open(path, name, 1);
		if (object)
			bpf_object__load(object);
		refused(name, "load", err);
	} else if (!strcmp(bpf_program__section_name(program), "raw_tp")) {
		printf("ok load-%s\n", name); /* the loader runs it; it is not attached */
	} else {
		link = bpf_program__attach(program);
		/* no such event here, or fewer arguments: it loads, and doctor says that it has no
		 * place */
		if (!link && (errno == ENOENT || errno == EINVAL))
			printf("ok load-%s\n", name);
		else if (!link)
			refused(name, "attach", err = -errno);
		else
			printf("ok load-%s\n", name);
		bpf_link__destroy(link);
	}
	bpf_object__close(object);
	return err;
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program;
	int failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: bpfload OBJECT.o\n");
		return 2;
	}
	libbpf_set_print(quiet);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object) {
		fprintf(stderr, "bpfload: %s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	bpf_object__for_each_program(program, object) failed |=
		program_try(argv[1], bpf_program__name(program)) != 0;
	bpf_object__close(object);
	return failed;
}
