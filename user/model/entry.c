// SPDX-License-Identifier: GPL-2.0-only
/* Finds the kernel entry among a stack's frames, by one table of names: see entry.h. */
#include "model/entry.h"

#include <stdio.h>
#include <string.h>

#include "base/normalise.h"

enum label {
	LABEL_FIXED,  /* the row's word */
	LABEL_SUFFIX, /* the rest of the symbol and "()": the system call's name */
	LABEL_INNER,  /* the row's word and the function called from there */
	LABEL_CALLED, /* the function called from there, without its prefix: a tail call removed the
			 system call's own frame */
};

/*
 * The functions that a call path may begin with. From x86 (arch/x86/entry), arm64
 * (arch/arm64/kernel/entry-common.c), the system call wrappers of riscv and s390
 * (arch/…/include/asm/syscall_wrapper.h), kernel/softirq.c, kernel/workqueue.c and kernel/kthread.c
 * of kernels 5.10 to 7.3. A trailing '*' matches any rest.
 */
static const struct boundary {
	const char *symbol;
	enum entry_kind kind;
	enum label label;
	const char *word;
} boundaries[] = {
	{"__x64_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__ia32_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__x64_compat_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__ia32_compat_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__arm64_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__arm64_compat_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__riscv_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__s390x_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__se_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__se_compat_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__do_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"__do_compat_sys_*", ENTRY_SYSCALL, LABEL_SUFFIX, ""},
	{"x64_sys_call", ENTRY_SYSCALL, LABEL_CALLED, ""},
	{"do_syscall_64", ENTRY_SYSCALL, LABEL_CALLED, ""},
	{"do_fast_syscall_32", ENTRY_SYSCALL, LABEL_CALLED, ""},
	{"__do_fast_syscall_32", ENTRY_SYSCALL, LABEL_CALLED, ""},
	{"invoke_syscall", ENTRY_SYSCALL, LABEL_CALLED, ""},
	{"el0_svc_common", ENTRY_SYSCALL, LABEL_CALLED, ""},
	{"do_el0_svc", ENTRY_SYSCALL, LABEL_CALLED, ""},
	{"el0_svc", ENTRY_SYSCALL, LABEL_CALLED, ""},
	{"exc_page_fault", ENTRY_FAULT, LABEL_FIXED, "page fault"},
	{"asm_exc_page_fault", ENTRY_FAULT, LABEL_FIXED, "page fault"},
	{"do_user_addr_fault", ENTRY_FAULT, LABEL_FIXED, "page fault"},
	{"do_page_fault", ENTRY_FAULT, LABEL_FIXED, "page fault"},
	{"do_translation_fault", ENTRY_FAULT, LABEL_FIXED, "page fault"},
	{"do_mem_abort", ENTRY_FAULT, LABEL_FIXED, "page fault"},
	{"__do_softirq", ENTRY_SOFTIRQ, LABEL_INNER, "softirq"},
	{"handle_softirqs", ENTRY_SOFTIRQ, LABEL_INNER, "softirq"},
	{"common_interrupt", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"__common_interrupt", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"asm_common_interrupt", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"sysvec_*", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"__sysvec_*", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"asm_sysvec_*", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"handle_irq_event", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"generic_handle_domain_irq", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"do_interrupt_handler", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"el1_interrupt", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"el0_interrupt", ENTRY_INTERRUPT, LABEL_FIXED, "interrupt"},
	{"process_one_work", ENTRY_WORK, LABEL_INNER, "work"},
	{"kthread", ENTRY_THREAD, LABEL_INNER, "kernel thread"},
	{"io_wq_worker", ENTRY_THREAD, LABEL_FIXED, "kernel thread io_wq_worker"},
	{"vhost_task_fn", ENTRY_THREAD, LABEL_FIXED, "kernel thread vhost_task_fn"},
	{"ret_from_fork", ENTRY_THREAD, LABEL_INNER, "kernel thread"},
	{"ret_from_fork_asm", ENTRY_THREAD, LABEL_INNER, "kernel thread"},
};

static const char *const kind_names[ENTRY_KINDS] = {
	[ENTRY_UNKNOWN] = "unknown",      [ENTRY_SYSCALL] = "syscall", [ENTRY_FAULT] = "page-fault",
	[ENTRY_INTERRUPT] = "interrupt",  [ENTRY_SOFTIRQ] = "softirq", [ENTRY_WORK] = "work",
	[ENTRY_THREAD] = "kernel-thread",
};

const char *entry_kind_name(enum entry_kind kind)
{
	return kind_names[kind];
}

/* The boundary that matches `symbol`, or NULL; *rest is what its '*' matched. */
static const struct boundary *boundary_find(const char *symbol, const char **rest)
{
	for (size_t i = 0; i < sizeof(boundaries) / sizeof(boundaries[0]); i++) {
		const char *pattern = boundaries[i].symbol;
		size_t n = strlen(pattern);

		if (pattern[n - 1] == '*' ? strncmp(symbol, pattern, n - 1)
					  : strcmp(symbol, pattern))
			continue;
		*rest = symbol + n - 1;
		return &boundaries[i];
	}
	return NULL;
}

/* ksys_write → "write", do_msgsnd → "msgsnd", ksys_mmap_pgoff → "mmap". */
static const char *called_name(const char *function)
{
	static const char *const prefixes[] = {"ksys_", "__sys_", "do_sys_", "do_"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(function, prefixes[i], strlen(prefixes[i])))
			function += strlen(prefixes[i]);
	return strcmp(function, "mmap_pgoff") ? function : "mmap";
}

static void entry_label(const struct boundary *b, const char *rest, const char *inner,
			struct entry *out)
{
	switch (b->label) {
	case LABEL_CALLED:
		rest = called_name(inner);
		__attribute__((fallthrough));
	case LABEL_SUFFIX:
		snprintf(out->label, sizeof(out->label), "%.*s()", ENTRY_LABEL_MAX - 3, rest);
		return;
	case LABEL_INNER:
		snprintf(out->label, sizeof(out->label), "%s%s%.*s", b->word, inner[0] ? " " : "",
			 ENTRY_LABEL_MAX - 20, inner);
		return;
	case LABEL_FIXED:
		snprintf(out->label, sizeof(out->label), "%s", b->word);
	}
}

void entry_of_stack(const struct capture *c, uint32_t stack, struct entry *out)
{
	const struct cap_stack *s = &c->stacks[stack];
	struct entry e = {.kind = ENTRY_UNKNOWN, .frames = s->nr_frames, .label = "unknown"};
	char symbol[ENTRY_LABEL_MAX], inner[ENTRY_LABEL_MAX] = "";
	const char *rest;

	for (uint32_t i = 0; i < s->nr_frames; i++) {
		const struct boundary *b;

		sym_normalise(c->frames[s->frames[i]].symbol, symbol, sizeof(symbol));
		b = boundary_find(symbol, &rest);
		if (b) {
			e.kind = b->kind;
			e.frames = i;
			entry_label(b, rest, inner, &e);
			break;
		}
		memcpy(inner, symbol, sizeof(inner));
	}
	*out = e;
}
