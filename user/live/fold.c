// SPDX-License-Identifier: GPL-2.0-only
/* Settings as numbers in the instructions. See fold.h. */
#include "live/fold.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_jump(const struct bpf_insn *in)
{
	uint8_t class = BPF_CLASS(in->code), op = BPF_OP(in->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* Instructions that one comes to by a jump as well: what the one before has loaded is not known there. */
static bool *targets_of(const struct bpf_insn *insns, size_t nr)
{
	bool *target = calloc(nr, sizeof(*target));

	for (size_t i = 0; target && i < nr; i++)
		if (is_jump(&insns[i]) && i + 1 + insns[i].off < nr)
			target[i + 1 + insns[i].off] = true;
	return target;
}

static bool is_wide(const struct bpf_insn *in)
{
	return in->code == (BPF_LD | BPF_IMM | BPF_DW);
}

/* What a load reads from `at` in `size` bytes of values. False when it is none, or reads beyond them. */
static bool load_value(const struct bpf_insn *in, uint64_t at, const void *values, size_t size, uint64_t *value)
{
	const void *from = (const char *)values + at;
	size_t left = at < size ? size - at : 0;
	uint16_t half;
	uint32_t word;

	switch (in->code) {
	case BPF_LDX | BPF_MEM | BPF_B:
		return left >= 1 && (*value = *(const uint8_t *)from, true);
	case BPF_LDX | BPF_MEM | BPF_H:
		return left >= 2 && (memcpy(&half, from, 2), *value = half, true);
	case BPF_LDX | BPF_MEM | BPF_W:
		return left >= 4 && (memcpy(&word, from, 4), *value = word, true);
	case BPF_LDX | BPF_MEM | BPF_DW:
		return left >= 8 && (memcpy(value, from, 8), true);
	}
	return false;
}

/* Of each register, which wide instruction made it point into the map; NULL: none is known to have. */
struct pointers {
	struct bpf_insn *by[MAX_BPF_REG];
};

static void pointers_forget(struct pointers *p, const struct bpf_insn *in)
{
	uint8_t class = BPF_CLASS(in->code);

	if (in->code == (BPF_JMP | BPF_EXIT) || in->code == (BPF_JMP | BPF_JA))
		*p = (struct pointers){}; /* what comes next is another function, or jumped to */
	else if (in->code == (BPF_JMP | BPF_CALL))
		memset(p->by, 0, BPF_REG_6 * sizeof(p->by[0])); /* a call keeps r6 to r9 */
	else if (class == BPF_ALU || class == BPF_ALU64 || class == BPF_LD || class == BPF_LDX)
		p->by[in->dst_reg] = NULL;
	else if (class == BPF_STX && BPF_MODE(in->code) == BPF_ATOMIC)
		p->by[BPF_REG_0] = p->by[in->src_reg] = NULL; /* what was there before */
}

/* A load by the pointer that `wide` made. One that cannot be told in an instruction stays. */
static void load_fold(struct bpf_insn *in, struct bpf_insn *wide, const void *values, size_t size)
{
	uint64_t value;

	if (!load_value(in, (uint64_t)(uint32_t)wide[1].imm + in->off, values, size, &value))
		return;
	if (in == wide + 2 && in->dst_reg == in->src_reg) { /* the pointer served for this alone */
		wide->src_reg = 0;
		wide->imm = (uint32_t)value;
		wide[1].imm = value >> 32;
		*in = (struct bpf_insn){.code = BPF_JMP | BPF_JA}; /* to the next one: the verifier takes it out */
	} else if (value <= INT32_MAX) {
		*in = (struct bpf_insn){
			.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = in->dst_reg, .imm = (int32_t)value};
	}
}

int fold_settings(struct bpf_insn *insns, size_t nr, int fd, const void *values, size_t size)
{
	bool *target = targets_of(insns, nr);
	struct pointers pointers = {};

	if (!target)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		struct bpf_insn *in = &insns[i], *wide;

		if (target[i])
			pointers = (struct pointers){};
		wide = BPF_CLASS(in->code) == BPF_LDX ? pointers.by[in->src_reg] : NULL;
		pointers_forget(&pointers, in);
		if (wide)
			load_fold(in, wide, values, size);
		if (!is_wide(in))
			continue;
		if (in->src_reg == BPF_PSEUDO_MAP_VALUE && in->imm == fd)
			pointers.by[in->dst_reg] = in;
		i++; /* its second half */
	}
	free(target);
	return 0;
}
