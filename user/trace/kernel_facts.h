/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel and this process allow: asked of BTF, the bpf system call and /proc, never of a
 * version number. The attach plan is a pure function of these facts; `doctor` prints them.
 */
#ifndef KMEMTRACE_TRACE_KERNEL_FACTS_H
#define KMEMTRACE_TRACE_KERNEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#define EVENT_ARGS_MAX 10
#define KERNEL_BTF     "/sys/kernel/btf/vmlinux"

/* A tracepoint, as the BTF typedef btf_trace_NAME describes it, or a function. */
struct event_fact {
	const char *name;
	int args; /* without the leading private pointer; −1: the event does not exist */
	char type[EVENT_ARGS_MAX]
		 [32]; /* what each argument is or points to: "kmem_cache", "" for void */
	int fentry;    /* of a function: 0, or −errno of attaching to it */
};

enum kernel_event {
	EVENT_KMALLOC,
	EVENT_KMEM_CACHE_ALLOC,
	EVENT_KMALLOC_NODE, /* up to 6.0, with the next */
	EVENT_KMEM_CACHE_ALLOC_NODE,
	EVENT_KFREE,
	EVENT_KMEM_CACHE_FREE,
	EVENT_ALLOC_VMAP_AREA,
	EVENT_FREE_VMAP_AREA,
	EVENT_PERCPU_ALLOC,
	EVENT_PERCPU_FREE,
	EVENT_TASK_NEWTASK,
	EVENT_PROCESS_EXIT,
	EVENT_PAGE_ALLOC,
	EVENT_PAGE_FREE,
	EVENT_RCU_KFREE_BULK,
	EVENT_FREE_BULK, /* no tracepoints: functions, for fentry and fexit, to … */
	EVENT_ALLOC_BULK,
	EVENT_CALL_RCU,
	EVENT_PTE_ALLOC_ONE, /* … here */
	EVENT_ITER_TASK, /* no tracepoint: the BPF iterator over tasks, of one argument where there
			    is one */
	KERNEL_EVENTS
};

/* Files that a recording keeps open at once, at the most: tables, programs, links, and a few
 * beside. */
#define RECORD_FILES 96
/* Address space that the least recording takes: its tables, BTF and the names of functions (32 to
 * 40 MiB on 6.18). */
#define RECORD_ADDRESS_BYTES (64ull << 20)

struct kernel_facts {
	int proc;    /* 0, or −errno of reading the kernel's release there: is it mounted? */
	int meminfo; /* 0, or −errno of reading it, −ENODATA where it has no MemTotal */
	bool sysfs;  /* /sys is mounted */
	unsigned long long
		address_bytes; /* that this process may use, up to RECORD_ADDRESS_BYTES */
	int files;             /* so many more files can be opened, of RECORD_FILES */
	int symbols; /* 0; −EPERM: the addresses in /proc/kallsyms are hidden; −errno of reading it
		      */
	const char *btf_path; /* of --btf; NULL: the kernel's own, which alone lets programs use its
				 functions */
	int btf;           /* 0, or −errno of reading it, −EINVAL where it is something else */
	int bpf_load;      /* 0, or −errno of loading a two-instruction program */
	bool preempt_off;  /* a program can turn preemption off and then call global functions (6.18
			      can) */
	int read_kernel;   /* 0, or −errno of loading one that reads kernel memory:
			      lockdown=confidentiality */
	bool locked;       /* what BPF tables take counts as locked memory (before 5.11) */
	bool run_time;     /* the kernel measures what programs cost, for us (CAP_SYS_ADMIN) */
	bool preemptible;  /* a task can be preempted in a program that does not forbid it (7.0) */
	bool cmpxchg;      /* programs may compare and exchange (5.12) */
	char lockdown[32]; /* "none", "integrity", "confidentiality", "unknown" */
	unsigned long long caps; /* in effect */
	int kptr_restrict;       /* −1 when it cannot be read */
	bool slabinfo;           /* /proc/slabinfo can be read */
	bool vmallocinfo;
	bool kfunc_get_kmem_cache;  /* 6.13: the cache of an object */
	bool kfunc_rdonly_cast;     /* 6.2: reading the stack without a helper call */
	const char *audit_obstacle; /* why free objects cannot be told from live ones, "" when they
				       can */
	struct event_fact events[KERNEL_EVENTS];
};

/* Ask the running kernel; its types by the BTF in the file btf_path, or NULL. Always succeeds: what
 * cannot be found out is a fact too. */
void kernel_facts_read(const char *proc_root, const char *btf_path, struct kernel_facts *out);

#define SYMBOLS_WHY_MAX 200

/*
 * Why functions have no names, and what to do: `err` as of kallsyms_load(), or facts->symbols. Asks
 * /proc and the kernel what hides them; symbols_hidden_why() is the pure part of it. Returns buf.
 */
const char *symbols_why(int err, const char *proc_root, char buf[SYMBOLS_WHY_MAX]);
const char *symbols_hidden_why(int kptr_restrict, bool cap_syslog, char buf[SYMBOLS_WHY_MAX]);

#endif
