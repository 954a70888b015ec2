// SPDX-License-Identifier: GPL-2.0-only
/* Settings as numbers in the instructions. See const_fold.h. */
#include "trace/const_fold.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_jump(const struct bpf_insn *in)
{
	uint8_t class = BPF_CLASS(in->code), op = BPF_OP(in->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* Mark the instructions that are jump targets: register contents are unknown there. */
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

/* How many bytes a load reads; 0 if `in` is no load. */
static size_t load_size(const struct bpf_insn *in)
{
	switch (in->code) {
	case BPF_LDX | BPF_MEM | BPF_B:
		return 1;
	case BPF_LDX | BPF_MEM | BPF_H:
		return 2;
	case BPF_LDX | BPF_MEM | BPF_W:
		return 4;
	case BPF_LDX | BPF_MEM | BPF_DW:
		return 8;
	}
	return 0;
}

/*
 * The value that a load reads at offset `at` of the `size` bytes of values. False if `in` is no
 * load or reads past the end.
 */
static bool load_value(const struct bpf_insn *in, uint64_t at, const void *values, size_t size,
		       uint64_t *value)
{
	size_t bytes = load_size(in);
	union {
		uint8_t byte;
		uint16_t half;
		uint32_t word;
		uint64_t two_words;
	} read;

	if (!bytes || at > size || size - at < bytes)
		return false;
	memcpy(&read, (const char *)values + at, bytes);
	*value = bytes == 1   ? read.byte
		 : bytes == 2 ? read.half
		 : bytes == 4 ? read.word
			      : read.two_words;
	return true;
}

/*
 * What is known of each register: the instruction that made it a pointer into the map, or a
 * constant (NULL: none did).
 */
struct registers {
	struct bpf_insn *pointer[MAX_BPF_REG], *number[MAX_BPF_REG];
};

static void registers_forget(struct registers *k, const struct bpf_insn *in)
{
	uint8_t class = BPF_CLASS(in->code);

	if (in->code == (BPF_JMP | BPF_EXIT) || in->code == (BPF_JMP | BPF_JA)) {
		*k = (struct registers){}; /* the next instruction is another function or a jump
					    * target
					    */
	} else if (in->code == (BPF_JMP | BPF_CALL)) {
		memset(k->pointer, 0,
		       BPF_REG_6 * sizeof(k->pointer[0])); /* a call keeps r6 to r9 */
		memset(k->number, 0, BPF_REG_6 * sizeof(k->number[0]));
	} else if (class == BPF_ALU || class == BPF_ALU64 || class == BPF_LD || class == BPF_LDX) {
		k->pointer[in->dst_reg] = k->number[in->dst_reg] = NULL;
	} else if (class == BPF_STX && BPF_MODE(in->code) == BPF_ATOMIC) {
		k->pointer[BPF_REG_0] = k->pointer[in->src_reg] = NULL; /* receives the old value */
		k->number[BPF_REG_0] = k->number[in->src_reg] = NULL;
	}
}

static const struct bpf_insn nothing = {
	.code = BPF_JMP | BPF_JA}; /* jump to the next instruction: the verifier removes it */

/*
 * Fold a load through the pointer that `wide` made. A value that does not fit one instruction stays
 * a load.
 */
static void load_fold(struct bpf_insn *in, struct bpf_insn *wide, const void *values, size_t size)
{
	uint64_t value;

	if (!load_value(in, (uint64_t)(uint32_t)wide[1].imm + in->off, values, size, &value))
		return;
	if (value <= INT32_MAX) {
		*in = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K,
					.dst_reg = in->dst_reg,
					.imm = (int32_t)value};
	} else if (in == wide + 2 &&
		   in->dst_reg == in->src_reg) { /* nothing else uses the pointer */
		wide->src_reg = 0;
		wide->imm = (uint32_t)value;
		wide[1].imm = value >> 32;
		*in = nothing;
	}
}

/* Which instructions of a program can be reached. */
struct reachable {
	const struct bpf_insn *insns;
	size_t nr, nr_seen, nr_todo;
	size_t nr_all; /* reachable before folding: see jump_fold() */
	bool *seen;
	size_t *todo; /* seen, successors not yet visited */
};

static void reach(struct reachable *r, size_t i)
{
	if (i >= r->nr || r->seen[i])
		return;
	r->seen[i] = true;
	r->nr_seen++;
	r->todo[r->nr_todo++] = i;
}

/* The number of reachable instructions. */
static size_t reach_all(struct reachable *r)
{
	memset(r->seen, 0, r->nr * sizeof(*r->seen));
	r->nr_seen = r->nr_todo = 0;
	reach(r, 0);
	while (r->nr_todo) {
		size_t i = r->todo[--r->nr_todo];
		const struct bpf_insn *in = &r->insns[i];
		bool function = is_wide(in) ? in->src_reg == BPF_PSEUDO_FUNC
					    : in->code == (BPF_JMP | BPF_CALL) &&
						      in->src_reg == BPF_PSEUDO_CALL;

		if (function)
			reach(r, i + 1 + in->imm);
		if (is_jump(in))
			reach(r, i + 1 + in->off);
		if (in->code != (BPF_JMP | BPF_EXIT) && in->code != (BPF_JMP | BPF_JA))
			reach(r, i + 1 + is_wide(in));
	}
	return r->nr_seen;
}

/*
 * Make a jump that depends on a constant unconditional. Keep the jump if code would become
 * unreachable: the verifier removes dead code that it finds itself, but rejects a program with
 * unreachable code.
 */
static void jump_fold(struct bpf_insn *in, int32_t number, struct reachable *r)
{
	uint8_t op = BPF_OP(in->code);
	struct bpf_insn was = *in;

	if (BPF_SRC(in->code) != BPF_K || (op != BPF_JEQ && op != BPF_JNE))
		return;
	*in = (struct bpf_insn){.code = BPF_JMP | BPF_JA,
				.off = (number == in->imm) == (op == BPF_JEQ) ? in->off : 0};
	if (reach_all(r) < r->nr_all)
		*in = was;
}

static bool is_number(const struct bpf_insn *in)
{
	return in->code == (BPF_ALU64 | BPF_MOV | BPF_K);
}

static void loads_and_jumps_fold(struct bpf_insn *insns, struct reachable *r, const bool *target,
				 int fd, const void *values, size_t size)
{
	struct registers known = {};

	for (size_t i = 0; i < r->nr; i++) {
		struct bpf_insn *in = &insns[i], was = *in;

		if (target[i])
			known = (struct registers){};
		if (BPF_CLASS(in->code) == BPF_LDX && known.pointer[in->src_reg])
			load_fold(in, known.pointer[in->src_reg], values, size);
		else if (is_jump(in) && known.number[in->dst_reg])
			jump_fold(in, known.number[in->dst_reg]->imm, r);
		registers_forget(&known, &was);
		if (is_number(in))
			known.number[in->dst_reg] = in;
		if (!is_wide(in))
			continue;
		if (in->src_reg == BPF_PSEUDO_MAP_VALUE && in->imm == fd)
			known.pointer[in->dst_reg] = in;
		i++; /* skip its second half */
	}
}

/* May an instruction read a register? */
static bool may_read(const struct bpf_insn *in, int reg)
{
	switch (BPF_CLASS(in->code)) {
	case BPF_LD:
		return !is_wide(in);
	case BPF_LDX:
		return in->src_reg == reg;
	case BPF_ST:
		return in->dst_reg == reg;
	case BPF_ALU:
	case BPF_ALU64:
		return (BPF_SRC(in->code) == BPF_X && in->src_reg == reg) ||
		       (BPF_OP(in->code) != BPF_MOV && in->dst_reg == reg);
	}
	return true; /* a call, or a conditional jump */
}

/* Is a register overwritten before it may be read, from `in` on? */
static bool is_dead(int reg, const struct bpf_insn *in, const struct bpf_insn *end)
{
	for (; in < end; in += 1 + is_wide(in)) {
		if (in->code == (BPF_JMP | BPF_JA) && in->off >= 0)
			in += in->off;
		else if (may_read(in, reg))
			return false;
		else if (BPF_CLASS(in->code) != BPF_ST && in->dst_reg == reg)
			return true;
	}
	return false;
}

/* Drop constants and pointers that nothing reads any more. */
static void unused_drop(struct bpf_insn *insns, size_t nr)
{
	for (size_t i = nr; i-- > 0;) {
		struct bpf_insn *in = &insns[i];
		size_t n = is_wide(in) ? 2 : 1;

		if (is_wide(in) && in->src_reg == BPF_PSEUDO_FUNC)
			continue; /* it makes that function reachable */
		if ((is_number(in) || is_wide(in)) && is_dead(in->dst_reg, in + n, insns + nr))
			for (size_t half = 0; half < n; half++)
				in[half] = nothing;
	}
}

int const_fold_settings(struct bpf_insn *insns, size_t nr, int fd, const void *values, size_t size)
{
	_cleanup_free_ bool *target = targets_of(insns, nr), *seen = calloc(nr, sizeof(*seen));
	_cleanup_free_ size_t *todo = calloc(nr, sizeof(*todo));
	struct reachable r = {.insns = insns, .nr = nr, .seen = seen, .todo = todo};

	if (!target || !seen || !todo)
		return -ENOMEM;
	r.nr_all = reach_all(&r);
	loads_and_jumps_fold(insns, &r, target, fd, values, size);
	unused_drop(insns, nr);
	return 0;
}
