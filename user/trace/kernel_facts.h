/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel and this process allow. The attach plan is a pure function of these facts;
 * `doctor` prints them. They come from BTF, the bpf system call and /proc, and must never come from
 * the kernel's version number.
 */
#ifndef KMEMTRACE_TRACE_KERNEL_FACTS_H
#define KMEMTRACE_TRACE_KERNEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "data/alloc_records.h"

#define EVENT_ARGS_MAX 10
#define KERNEL_BTF     "/sys/kernel/btf/vmlinux"

/* A tracepoint, as the BTF typedef btf_trace_NAME describes it, or a function. */
struct event_fact {
	const char *name;
	int args; /* without the private first pointer; −1: the event does not exist */
	char type[EVENT_ARGS_MAX]
		 [32]; /* the type that each argument is or points to: "kmem_cache"; "" for void */
	int fentry;    /* functions only: 0, or −errno of attaching to it */
};

enum kernel_event {
	EVENT_KMALLOC,
	EVENT_KMEM_CACHE_ALLOC,
	EVENT_KMALLOC_NODE, /* this one and the next: up to 6.0 */
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
	EVENT_FREE_BULK, /* from here: functions, for fentry and fexit */
	EVENT_ALLOC_BULK,
	EVENT_CALL_RCU,
	EVENT_PTE_ALLOC_ONE, /* last function */
	EVENT_ITER_TASK, /* no tracepoint: the BPF iterator over tasks; 1 argument if it exists */
	KERNEL_EVENTS
};

/* The most files that a recording has open at once: tables, programs, links and a few more. */
#define RECORD_FILES 144
/*
 * Address space that the smallest recording needs: tables, BTF and function names (32 to 40 MiB on
 * 6.18). Data means private memory: all of this without the code and the tables (19 to 23 MiB).
 */
#define RECORD_ADDRESS_BYTES (64ull << 20)
#define RECORD_DATA_BYTES    (32ull << 20)

struct kernel_facts {
	int proc;    /* 0, or −errno of reading the kernel's release from /proc: is it mounted? */
	int meminfo; /* 0, or −errno of reading it; −ENODATA if it has no MemTotal */
	bool sysfs;  /* /sys is mounted */
	unsigned long long address_bytes; /* address space this process may use, capped at
					     RECORD_ADDRESS_BYTES */
	unsigned long long data_bytes;    /* the same of data (ulimit -d), capped at
					     RECORD_DATA_BYTES */
	int files; /* files this process can still open, capped at RECORD_FILES */
	int symbols; /* 0; −EPERM: /proc/kallsyms hides the addresses; else −errno of reading it */
	const char *btf_path; /* file of --btf; NULL: the kernel's own BTF, without which programs
				 cannot call kernel functions */
	char btf_source[32];  /* where to read it: the same file, kept open since the check, so that
				 nobody can replace it by another file or a FIFO */
	int btf;              /* 0, or −errno of reading it; −EINVAL if it is not BTF */
	int bpf_load;         /* 0, or −errno of loading a two-instruction program */
	bool preempt_off;     /* a program can turn preemption off and then call global functions
				 (since 6.18) */
	int read_kernel;      /* 0, or −errno of loading one that reads kernel memory;
				 lockdown=confidentiality refuses it */
	bool locked;          /* BPF tables count as locked memory (before 5.11) */
	bool run_time;     /* we may have the kernel measure programs' run time (CAP_SYS_ADMIN) */
	bool preemptible;  /* a task can be preempted inside a program that does not turn preemption
			      off (7.0) */
	bool cmpxchg;      /* programs may use compare-and-exchange (5.12) */
	char lockdown[32]; /* "none", "integrity", "confidentiality", "unknown" */
	unsigned long long caps; /* effective capabilities */
	int kptr_restrict;       /* −1 when it cannot be read */
	bool slabinfo;           /* /proc/slabinfo can be read */
	bool vmallocinfo;
	struct alloc_uses alloc_uses; /* what the kernel itself says of allocations */
	char counters_missing[128]; /* "sys/fs/file-nr, …": files of counters that cannot be read */
	bool kfunc_get_kmem_cache;  /* 6.13: gives the cache of an object */
	bool kfunc_rdonly_cast;     /* 6.2: reads the stack without a helper call */
	const char *audit_obstacle; /* why the audit cannot tell free objects from live ones; "" if
				       it can */
	char census_lacks[96]; /* "large kmalloc, …": kinds of pages that the census cannot tell; ""
				  if it can tell all */
	struct event_fact events[KERNEL_EVENTS];
};

/*
 * Ask the running kernel. btf_path is a BTF file, or NULL for the kernel's own. Always succeeds: a
 * failed probe is a fact too.
 */
void kernel_facts_read(const char *proc_root, const char *btf_path, struct kernel_facts *out);

#define SYMBOLS_WHY_MAX 200

/*
 * Explain why functions have no names and what to do. `err` comes from kallsyms_load() or
 * facts->symbols. Asks /proc and the kernel what hides the names; symbols_hidden_why() is the pure
 * part. Returns buf.
 */
const char *symbols_why(int err, const char *proc_root, char buf[SYMBOLS_WHY_MAX]);
const char *symbols_hidden_why(int kptr_restrict, bool cap_syslog, char buf[SYMBOLS_WHY_MAX]);

#endif
