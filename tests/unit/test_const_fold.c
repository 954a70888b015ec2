// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings as numbers in the instructions. What a user would lose: the meaning of the programs.
 * Each program here runs before and after folding, in an interpreter for its few instructions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace/const_fold.h"

#define FD    7
#define OTHER 8
#define MOST  32

static const struct {
	uint8_t byte;
	uint8_t one;
	uint16_t half;
	uint32_t word;
	uint64_t large;
} settings = {
	.byte = 0xa5, .one = 1, .half = 0xbeef, .word = 0x7fffffff, .large = 0x123456789abcdef0};
#define AT(field) ((int)offsetof(typeof(settings), field))

#define INSN(...) ((struct bpf_insn){__VA_ARGS__})
#define LOAD(width, to, from, at)                                                         \
	INSN(.code = BPF_LDX | BPF_MEM | BPF_##width, .dst_reg = (to), .src_reg = (from), \
	     .off = (at))
#define MOVE(to, number)    INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (number))
#define COPY(to, from)      INSN(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from))
#define JUMP_IF_0(reg, far) INSN(.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = (reg), .off = (far))
#define JUMP(far)           INSN(.code = BPF_JMP | BPF_JA, .off = (far))
#define CALL                INSN(.code = BPF_JMP | BPF_CALL)
#define EXIT                INSN(.code = BPF_JMP | BPF_EXIT)
#define WIDE(reg, fd, off)                                                                         \
	INSN(.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = (reg), .src_reg = BPF_PSEUDO_MAP_VALUE, \
	     .imm = (fd)),                                                                         \
		INSN(.imm = (off))

/* The value that a load at `address` reads from the map. */
static uint64_t read_settings(uint64_t address, uint8_t width)
{
	uint64_t value = 0;

	assert_true(address + width <= sizeof(settings));
	memcpy(&value, (const char *)&settings + address, width);
	return value;
}

/* Run a program and return r0. r1 is `argument` at first. A pointer into the map of FD is an
 * offset. */
static uint64_t run(const struct bpf_insn *in, size_t nr, uint64_t argument)
{
	static const uint8_t widths[] = {
		[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8};
	uint64_t reg[MAX_BPF_REG] = {[1] = argument};

	for (size_t i = 0; i < nr; i++) {
		const struct bpf_insn *at = &in[i];

		if (at->code == (BPF_LD | BPF_IMM | BPF_DW)) {
			reg[at->dst_reg] = at->src_reg
						   ? (uint64_t)at[1].imm
						   : (uint32_t)at->imm | (uint64_t)at[1].imm << 32;
			i++;
		} else if (BPF_CLASS(at->code) == BPF_LDX) {
			reg[at->dst_reg] = read_settings(reg[at->src_reg] + at->off,
							 widths[BPF_SIZE(at->code) >> 3]);
		} else if (at->code == (BPF_ALU64 | BPF_MOV | BPF_K)) {
			reg[at->dst_reg] = (int64_t)at->imm;
		} else if (at->code == (BPF_ALU64 | BPF_MOV | BPF_X)) {
			reg[at->dst_reg] = reg[at->src_reg];
		} else if (at->code == (BPF_JMP | BPF_JEQ | BPF_K)) {
			i += reg[at->dst_reg] == (uint64_t)at->imm ? at->off : 0;
		} else if (at->code == (BPF_JMP | BPF_JA)) {
			i += at->off;
		} else if (at->code == (BPF_JMP | BPF_CALL)) {
			for (int r = 0; r < BPF_REG_6; r++)
				reg[r] = AT(half); /* a call leaves another pointer there */
		} else {
			assert_int_equal(at->code, BPF_JMP | BPF_EXIT);
			return reg[0];
		}
	}
	fail();
	return 0;
}

static size_t loads(const struct bpf_insn *in, size_t nr)
{
	size_t n = 0;

	for (size_t i = 0; i < nr; i++)
		n += BPF_CLASS(in[i].code) == BPF_LDX;
	return n;
}

/* Fold: `left` loads remain, and the program's result is the same. */
static void folds(const struct bpf_insn *program, size_t nr, size_t left)
{
	struct bpf_insn folded[MOST];

	assert_true(nr <= MOST);
	memcpy(folded, program, nr * sizeof(*program));
	assert_int_equal(const_fold_settings(folded, nr, FD, &settings, sizeof(settings)), 0);
	assert_int_equal(loads(folded, nr), left);
	for (uint64_t argument = 0; argument < 2; argument++)
		assert_int_equal(run(folded, nr, argument), run(program, nr, argument));
}
#define FOLDS(left, ...)                                                    \
	do {                                                                \
		const struct bpf_insn program[] = {__VA_ARGS__};            \
		folds(program, sizeof(program) / sizeof(program[0]), left); \
	} while (0)

static void loads_of_every_width_become_numbers(void **state)
{
	(void)state;
	FOLDS(0, WIDE(0, FD, AT(byte)), LOAD(B, 0, 0, 0), EXIT);
	FOLDS(0, WIDE(0, FD, AT(half)), LOAD(H, 0, 0, 0), EXIT);
	FOLDS(0, WIDE(0, FD, AT(word)), LOAD(W, 0, 0, 0), EXIT);
	FOLDS(0, WIDE(0, FD, AT(large)), LOAD(DW, 0, 0, 0), EXIT);
	FOLDS(0, WIDE(0, FD, 0), LOAD(W, 0, 0, AT(word)), EXIT); /* the offset is in the load */
}

static void one_pointer_may_serve_several_loads(void **state)
{
	(void)state;
	FOLDS(0, WIDE(6, FD, 0), LOAD(B, 1, 6, AT(byte)), LOAD(H, 0, 6, AT(half)), EXIT);
	FOLDS(0, WIDE(6, FD, AT(one)), CALL, LOAD(B, 0, 6, 0), EXIT); /* a call keeps it */
	FOLDS(1, WIDE(6, FD, 0), LOAD(DW, 0, 6, AT(large)),
	      EXIT); /* no instruction can load such a large number */
	FOLDS(0, WIDE(6, FD, 0), LOAD(B, 1, 6, AT(one)), JUMP_IF_0(1, 1), LOAD(B, 0, 6, AT(byte)),
	      EXIT);
}

static void unknown_values_are_not_folded(void **state)
{
	(void)state;
	FOLDS(1, WIDE(0, OTHER, AT(byte)), LOAD(B, 0, 0, 0), EXIT);
	FOLDS(1, WIDE(2, FD, AT(byte)), CALL, LOAD(B, 0, 2, 0), EXIT); /* a call does not keep it */
	FOLDS(1, WIDE(2, FD, AT(byte)), MOVE(2, AT(one)), LOAD(B, 0, 2, 0), EXIT); /* overwritten */
	FOLDS(1, WIDE(2, FD, AT(byte)), WIDE(2, OTHER, AT(one)), LOAD(B, 0, 2, 0), EXIT);
	FOLDS(1, WIDE(2, FD, AT(byte)), MOVE(3, 0), COPY(3, 2), LOAD(B, 0, 3, 0),
	      EXIT); /* a copy is not followed */
}

static void values_are_unknown_where_paths_join(void **state)
{
	(void)state;
	/* r2 is one pointer or the other */
	FOLDS(1, MOVE(2, AT(one)), JUMP_IF_0(1, 2), WIDE(2, FD, AT(byte)), LOAD(B, 0, 2, 0), EXIT);
	/* also backward: in the second iteration it is the other pointer */
	FOLDS(1, MOVE(3, 1), WIDE(2, FD, AT(byte)), LOAD(B, 0, 2, 0), JUMP_IF_0(3, 3), MOVE(3, 0),
	      MOVE(2, AT(one)), JUMP(-5), EXIT);
}

/* Nothing in this program is folded. */
static void assert_stays(const struct bpf_insn *program, size_t nr)
{
	struct bpf_insn folded[16];

	assert_in_range(nr, 1, sizeof(folded) / sizeof(folded[0]));
	memcpy(folded, program, nr * sizeof(*program));
	assert_int_equal(const_fold_settings(folded, nr, FD, &settings, sizeof(settings)), 0);
	assert_memory_equal(folded, program, nr * sizeof(*program));
}

static void each_function_starts_with_unknown_values(void **state)
{
	const struct bpf_insn program[] = {WIDE(1, FD, AT(byte)), MOVE(0, 0), EXIT,
					   /* and one that is called with r1 */ LOAD(B, 0, 1, 0),
					   EXIT};

	(void)state;
	assert_stays(program, sizeof(program) / sizeof(program[0]));
}

static void loads_outside_the_settings_are_kept(void **state)
{
	const struct bpf_insn program[] = {WIDE(0, FD, sizeof(settings)),
					   LOAD(B, 0, 0, 0),
					   WIDE(0, FD, AT(large) + 1),
					   LOAD(DW, 0, 0, 0),
					   WIDE(0, FD, 0),
					   LOAD(B, 0, 0, -1),
					   WIDE(0, FD, -1),
					   LOAD(B, 0, 0, 0),
					   EXIT};

	(void)state;
	assert_stays(program, sizeof(program) / sizeof(program[0]));
}

static size_t count(const struct bpf_insn *in, size_t nr, struct bpf_insn what)
{
	size_t n = 0;

	for (size_t i = 0; i < nr; i++)
		n += in[i].code == what.code && in[i].off == what.off;
	return n;
}

/* Like folds(), and check how many jumps still depend on a register, and how many instructions do
 * nothing. */
static void decides(const struct bpf_insn *program, size_t nr, size_t jumps, size_t nothing)
{
	struct bpf_insn folded[MOST];

	folds(program, nr, loads(program, nr) - 1);
	memcpy(folded, program, nr * sizeof(*program));
	assert_int_equal(const_fold_settings(folded, nr, FD, &settings, sizeof(settings)), 0);
	assert_int_equal(count(folded, nr, (struct bpf_insn)JUMP_IF_0(0, 2)), jumps);
	assert_int_equal(count(folded, nr, (struct bpf_insn)JUMP(0)), nothing);
}
#define DECIDES(jumps, nothing, ...)                                                    \
	do {                                                                            \
		const struct bpf_insn program[] = {__VA_ARGS__};                        \
		decides(program, sizeof(program) / sizeof(program[0]), jumps, nothing); \
	} while (0)

static void decided_jumps_are_removed(void **state)
{
	(void)state;
	/* the code that r2 excludes is also a target of the previous jump: pointer, number and jump
	 * are removed */
	DECIDES(0, 4, JUMP_IF_0(1, 6), WIDE(2, FD, AT(one)), LOAD(B, 2, 2, 0), JUMP_IF_0(2, 2),
		MOVE(2, 5), COPY(0, 2), EXIT, MOVE(0, 7), EXIT);
	/* it has no other predecessor: the verifier must still be able to reach it */
	DECIDES(1, 2, WIDE(2, FD, AT(one)), LOAD(B, 2, 2, 0), JUMP_IF_0(2, 2), MOVE(0, 5), EXIT,
		MOVE(0, 7), EXIT);
	/* the branch that is taken has another predecessor, with another number */
	DECIDES(1, 2, MOVE(2, 0), JUMP_IF_0(1, 3), WIDE(2, FD, AT(one)), LOAD(B, 2, 2, 0),
		JUMP_IF_0(2, 2), MOVE(0, 5), EXIT, MOVE(0, 7), EXIT);
}

static void used_code_is_kept(void **state)
{
	(void)state;
	DECIDES(0, 2, WIDE(2, FD, AT(byte)), LOAD(B, 2, 2, 0), COPY(0, 2), EXIT);
	DECIDES(0, 3, WIDE(2, FD, AT(byte)), LOAD(B, 2, 2, 0), MOVE(0, 3), MOVE(2, 4), EXIT);
	/* on one way only */
	DECIDES(1, 2, WIDE(2, FD, AT(byte)), LOAD(B, 2, 2, 0), JUMP_IF_0(1, 2), COPY(0, 2), EXIT,
		MOVE(0, 1), EXIT);
	/* in a called function, whose arguments are unknown */
	DECIDES(0, 2, WIDE(2, FD, AT(byte)), LOAD(B, 2, 2, 0), CALL, MOVE(2, 1), EXIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_of_every_width_become_numbers),
		cmocka_unit_test(one_pointer_may_serve_several_loads),
		cmocka_unit_test(unknown_values_are_not_folded),
		cmocka_unit_test(values_are_unknown_where_paths_join),
		cmocka_unit_test(each_function_starts_with_unknown_values),
		cmocka_unit_test(loads_outside_the_settings_are_kept),
		cmocka_unit_test(decided_jumps_are_removed),
		cmocka_unit_test(used_code_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
