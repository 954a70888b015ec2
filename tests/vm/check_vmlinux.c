// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_vmlinux [-v] LOCAL.o NAME... : KERNEL.btf...
 * Compares the hand-written kernel types in the BTF of LOCAL.o with the BTF of real kernels. At
 * least one kernel must have each struct, union, enum and enumerator, and each member with a type
 * that CO-RE accepts. The NAMEs are functions (kfuncs) and enumerators of unnamed enums. Run by
 * scripts/check-vmlinux.sh. Exits with 1 if no kernel has something.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KERNELS 32

struct kernel {
	const char *name;
	struct btf *btf;
};

static struct kernel kernels[MAX_KERNELS];
static int nr_kernels;
static struct btf *local;
static bool verbose;
static int missing;

/* Length of a name without its ___flavour, which libbpf ignores. */
static size_t essential_length(const char *name)
{
	size_t len = strlen(name);
	size_t i;

	for (i = 1; i + 3 < len; i++)
		if (name[i - 1] != '_' && !strncmp(name + i, "___", 3) && name[i + 3] != '_')
			return i;
	return len;
}

static bool same_name(const char *ours, const char *theirs)
{
	size_t len = essential_length(ours);

	return strlen(theirs) == len && !strncmp(ours, theirs, len);
}

static const struct btf_type *strip(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static bool is_enum(const struct btf_type *t)
{
	return btf_is_any_enum(t);
}

static bool members_match(const struct btf_type *ours, const struct btf *btf,
			  const struct btf_type *theirs);

/* The rule of CO-RE (libbpf's relo_core.c): the kinds must agree; sizes are relocated. */
static bool types_match(__u32 our_id, const struct btf *btf, __u32 their_id)
{
	const struct btf_type *ours = strip(local, our_id);
	const struct btf_type *theirs = strip(btf, their_id);

	if (!ours || !theirs)
		return ours == theirs;
	if (btf_is_composite(ours) && btf_is_composite(theirs))
		return *btf__name_by_offset(local, ours->name_off) ||
		       members_match(ours, btf, theirs);
	if ((is_enum(ours) || btf_is_int(ours)) && (is_enum(theirs) || btf_is_int(theirs)))
		return true;
	if (btf_is_array(ours) && btf_is_array(theirs))
		return types_match(btf_array(ours)->type, btf, btf_array(theirs)->type);
	return btf_kind(ours) == btf_kind(theirs);
}

/* Find the member `name` of t, also in unnamed inner structs and unions. */
static const struct btf_member *member_find(const struct btf *btf, const struct btf_type *t,
					    const char *name)
{
	const struct btf_member *m = btf_members(t);
	int i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		const char *got = btf__name_by_offset(btf, m->name_off);
		const struct btf_type *inner = strip(btf, m->type);
		const struct btf_member *found;

		if (same_name(name, got))
			return m;
		if (*got || !inner || !btf_is_composite(inner))
			continue;
		found = member_find(btf, inner, name);
		if (found)
			return found;
	}
	return NULL;
}

static bool member_matches(const struct btf_member *m, const struct btf *btf,
			   const struct btf_type *theirs)
{
	const char *name = btf__name_by_offset(local, m->name_off);
	const struct btf_member *found;

	if (!*name)
		return members_match(strip(local, m->type), btf, theirs);
	found = member_find(btf, theirs, name);
	return found && types_match(m->type, btf, found->type);
}

static bool members_match(const struct btf_type *ours, const struct btf *btf,
			  const struct btf_type *theirs)
{
	const struct btf_member *m = btf_members(ours);
	int i;

	for (i = 0; i < btf_vlen(ours); i++, m++)
		if (!member_matches(m, btf, theirs))
			return false;
	return true;
}

static const char *enumerator_name(const struct btf *btf, const struct btf_type *t, int i)
{
	bool wide = btf_kind(t) == BTF_KIND_ENUM64;

	return btf__name_by_offset(btf, wide ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off);
}

static bool enum_has(const struct btf *btf, const struct btf_type *t, const char *name)
{
	int i;

	for (i = 0; i < btf_vlen(t); i++)
		if (same_name(name, enumerator_name(btf, t, i)))
			return true;
	return false;
}

/* Does btf have a type with the name and kind of `ours`, and with its member or enumerator `part`
 * (-1: any)? */
static bool kernel_has(const struct btf *btf, const struct btf_type *ours, int part)
{
	const char *name = btf__name_by_offset(local, ours->name_off);
	__u32 id;

	for (id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (is_enum(ours) ? !is_enum(t) : btf_kind(t) != btf_kind(ours))
			continue;
		if (!same_name(name, btf__name_by_offset(btf, t->name_off)))
			continue;
		if (part < 0)
			return true;
		if (is_enum(ours) ? enum_has(btf, t, enumerator_name(local, ours, part))
				  : member_matches(btf_members(ours) + part, btf, t))
			return true;
	}
	return false;
}

/* Is there a function, or an enumerator of any enum, with this name? */
static bool kernel_has_name(const struct btf *btf, const char *name)
{
	__u32 id;

	if (btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0)
		return true;
	for (id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (is_enum(t) && enum_has(btf, t, name))
			return true;
	}
	return false;
}

static void check(const char *what, const char *part, const struct btf_type *ours, int index)
{
	int found = 0;
	int k;

	if (verbose)
		printf("%s%s%s:", what, *part ? "." : "", part);
	for (k = 0; k < nr_kernels; k++) {
		if (!(ours ? kernel_has(kernels[k].btf, ours, index)
			   : kernel_has_name(kernels[k].btf, what)))
			continue;
		found++;
		if (verbose)
			printf(" %s", kernels[k].name);
	}
	if (verbose)
		printf("\n");
	if (found)
		return;
	missing++;
	fprintf(stderr, "check-vmlinux: %s%s%s is in none of %d kernels, or not with such a type\n",
		what, *part ? "." : "", part, nr_kernels);
}

static void check_type(const struct btf_type *t)
{
	const char *name = btf__name_by_offset(local, t->name_off);
	int i;

	if (!strncmp(name, "kmt_", strlen("kmt_"))) /* of bpf/kmemtrace.h: no kernel has it */
		return;
	check(name, "", t, -1);
	for (i = 0; i < btf_vlen(t); i++) {
		const char *part = is_enum(t)
					   ? enumerator_name(local, t, i)
					   : btf__name_by_offset(local, btf_members(t)[i].name_off);

		check(name, *part ? part : "(unnamed)", t, i);
	}
}

static int kernels_load(int nr, char **paths)
{
	for (; nr; nr--, paths++) {
		char *slash;

		if (nr_kernels == MAX_KERNELS)
			return -E2BIG;
		kernels[nr_kernels].btf = btf__parse(*paths, NULL);
		if (!kernels[nr_kernels].btf)
			return -errno;
		/* …/SERIES/btf: the directory names the kernel. */
		slash = strrchr(*paths, '/');
		if (slash && !strcmp(slash, "/btf")) {
			*slash = '\0';
			slash = strrchr(*paths, '/');
			kernels[nr_kernels].name = slash ? slash + 1 : *paths;
		} else {
			kernels[nr_kernels].name = "running";
		}
		nr_kernels++;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int i, colon, err, checked = 0;
	__u32 id;

	if (argc > 1 && !strcmp(argv[1], "-v")) {
		verbose = true;
		argc--;
		argv++;
	}
	for (colon = 2; colon < argc && strcmp(argv[colon], ":"); colon++)
		;
	if (colon + 1 >= argc) {
		fprintf(stderr, "usage: check_vmlinux [-v] LOCAL.o NAME... : KERNEL.btf...\n");
		return 2;
	}
	local = btf__parse(argv[1], NULL);
	err = local ? kernels_load(argc - colon - 1, argv + colon + 1) : -errno;
	if (err) {
		fprintf(stderr, "check-vmlinux: cannot read the BTF of %s or a kernel: %s\n",
			argv[1], strerror(-err));
		return 2;
	}
	for (id = 1; id < btf__type_cnt(local); id++) {
		const struct btf_type *t = btf__type_by_id(local, id);

		if ((!btf_is_composite(t) && !is_enum(t)) ||
		    !*btf__name_by_offset(local, t->name_off))
			continue;
		check_type(t);
		checked++;
	}
	for (i = 2; i < colon; i++, checked++)
		check(argv[i], "", NULL, -1);
	printf("check-vmlinux: %d types and names held against %d kernels, %d wrong\n", checked,
	       nr_kernels, missing);
	return checked == 0 || missing ? 1 : 0;
}
