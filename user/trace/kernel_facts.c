// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the running kernel what it allows, one small probe per fact: a BTF lookup, a tiny program to
 * load, a file to read. Probes leave nothing loaded or attached. See kernel_facts.h.
 */
#include "trace/kernel_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/capability.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/limits.h"
#include "base/text.h"
#include "proc/alloc_records.h"
#include "proc/host.h"
#include "proc/snapshot.h"

#define KALLSYMS_LOOKED_AT                                                                       \
	(256UL << 10) /* read this much to find the first function: per-CPU variables come first \
		       */

static const char *const event_names[KERNEL_EVENTS] = {
	[EVENT_KMALLOC] = "kmalloc",
	[EVENT_KMEM_CACHE_ALLOC] = "kmem_cache_alloc",
	[EVENT_KMALLOC_NODE] = "kmalloc_node",
	[EVENT_KMEM_CACHE_ALLOC_NODE] = "kmem_cache_alloc_node",
	[EVENT_KFREE] = "kfree",
	[EVENT_KMEM_CACHE_FREE] = "kmem_cache_free",
	[EVENT_ALLOC_VMAP_AREA] = "alloc_vmap_area",
	[EVENT_FREE_VMAP_AREA] = "free_vmap_area_noflush",
	[EVENT_PERCPU_ALLOC] = "percpu_alloc_percpu",
	[EVENT_PERCPU_FREE] = "percpu_free_percpu",
	[EVENT_TASK_NEWTASK] = "task_newtask",
	[EVENT_PROCESS_EXIT] = "sched_process_exit",
	[EVENT_PAGE_ALLOC] = "mm_page_alloc",
	[EVENT_PAGE_FREE] = "mm_page_free",
	[EVENT_RCU_KFREE_BULK] = "rcu_invoke_kfree_bulk_callback",
	[EVENT_FREE_BULK] = "kmem_cache_free_bulk",
	[EVENT_PTE_ALLOC_ONE] = "pte_alloc_one",
	[EVENT_ALLOC_BULK] = "kmem_cache_alloc_bulk_noprof",
	[EVENT_CALL_RCU] = "kvfree_call_rcu",
	[EVENT_ITER_TASK] = "bpf_iter_task",
};

/* The name of the type at the end of a chain of pointers and qualifiers; "" for void. */
static const char *btf_base_name(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_ptr(t) || btf_is_mod(t)))
		t = btf__type_by_id(btf, t->type);
	return t && !btf_is_void(t) ? btf__name_by_offset(btf, t->name_off) : "";
}

static void event_read(const struct btf *btf, struct event_fact *event)
{
	const struct btf_param *params;
	const struct btf_type *t;
	char name[96];
	int id;

	event->args = -1;
	snprintf(name, sizeof(name), "btf_trace_%s", event->name);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	t = t ? btf__type_by_id(btf, t->type) : NULL;
	t = t && btf_is_ptr(t) ? btf__type_by_id(btf, t->type) : NULL;
	if (!t || !btf_is_func_proto(t) || btf_vlen(t) < 1)
		return;
	params = btf_params(t);
	event->args = btf_vlen(t) - 1;
	for (int i = 0; i < event->args && i < EVENT_ARGS_MAX; i++)
		snprintf(event->type[i], sizeof(event->type[i]), "%s",
			 btf_base_name(btf, params[i + 1].type));
}

/* Does the struct, or an unnamed struct or union inside it, have a member of this name? */
static bool members_have(const struct btf *btf, const struct btf_type *t, const char *member)
{
	const struct btf_member *m = btf_members(t);

	for (int i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(btf, m->name_off);
		const struct btf_type *inner = btf__type_by_id(btf, m->type);

		if (!strcmp(name, member))
			return true;
		if (!*name && inner && btf_is_composite(inner) && members_have(btf, inner, member))
			return true;
	}
	return false;
}

static bool struct_has(const struct btf *btf, const char *type, const char *member)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);

	return id > 0 && members_have(btf, btf__type_by_id(btf, id), member);
}

static bool enum_has(const struct btf *btf, const char *type, const char *name)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off), name))
			return true;
	return false;
}

/*
 * The audit needs SLUB's free lists and the mark of slab pages in a known form: see
 * bpf/compat.bpf.h.
 */
static const char *audit_obstacle(const struct btf *btf)
{
	if (!struct_has(btf, "kmem_cache", "offset"))
		return "the slab allocator is not SLUB";
	if (!struct_has(btf, "kmem_cache", "cpu_slab") &&
	    !struct_has(btf, "kmem_cache", "cpu_sheaves"))
		return "this SLUB keeps its free objects in an unknown way";
	if (!struct_has(btf, "slab", "freelist") && !struct_has(btf, "page", "freelist"))
		return "the layout of slab pages is unknown";
	if (!enum_has(btf, "pagetype", "PGTY_slab") && !enum_has(btf, "pageflags", "PG_slab"))
		return "the mark of slab pages is unknown";
	return "";
}

/* The kinds of pages that bpf/compat.bpf.h (compat_pages_unknown()) cannot tell. */
static void census_lacks_read(const struct btf *btf, char *dst, size_t size)
{
	bool typed = enum_has(btf, "pagetype", "PGTY_slab");
	const struct {
		bool lacks;
		const char *words;
	} kinds[] = {
		{!enum_has(btf, "pagetype", "PGTY_large_kmalloc"), "large kmalloc"},
		{!struct_has(btf, "page", "pp_magic"), "network page pools"},
		{!typed && !struct_has(btf, "page", "compound_dtor"), "huge page pool"},
	};
	size_t at = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].lacks)
			at += (size_t)snprintf(dst + at, size - at, "%s%s", at ? ", " : "",
					       kinds[i].words);
}

/*
 * Try to attach a program that reads an argument of the function. Refused under lockdown, on a
 * kernel without trampolines, and without the helper (5.17, f92c1e183604).
 */
static int fentry_read(int function)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_10},
		/* NOLINTNEXTLINE(misc-redundant-expression): BPF_K is 0 like BPF_ADD */
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_3, .imm = -8},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_func_arg},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = function);
	_cleanup_close_ int prog = -1, link = -1;

	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "kmemtrace_may_i", "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), &opts);
	if (prog >= 0)
		link = bpf_raw_tracepoint_open(NULL, prog);
	return link < 0 ? -errno : 0;
}

static bool function_is(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* Read a function's arguments, and whether fentry can attach to it. */
static void function_read(const struct btf *btf, struct event_fact *event)
{
	int id = btf__find_by_name_kind(btf, event->name, BTF_KIND_FUNC);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	t = t ? btf__type_by_id(btf, t->type) : NULL;
	if (!t || !btf_is_func_proto(t))
		return;
	event->args = btf_vlen(t);
	event->fentry = fentry_read(id);
}

/*
 * Facts that need the kernel's own BTF, because programs refer to kernel functions by their BTF id.
 */
static void functions_read(const struct btf *btf, struct kernel_facts *out)
{
	for (int i = EVENT_FREE_BULK; i <= EVENT_PTE_ALLOC_ONE; i++)
		function_read(btf, &out->events[i]);
	if (function_is(btf, event_names[EVENT_ITER_TASK]))
		out->events[EVENT_ITER_TASK].args = 1;
	out->kfunc_get_kmem_cache = function_is(btf, "bpf_get_kmem_cache");
	out->kfunc_rdonly_cast = function_is(btf, "bpf_rdonly_cast");
	/* calling global functions with preemption off: not in 6.12, but in 6.18 */
	out->preempt_off = function_is(btf, "bpf_preempt_disable") &&
			   struct_has(btf, "bpf_subprog_info", "might_sleep");
}

/*
 * Open the file of --btf and name it by its descriptor, which stays open as long as the process
 * lives. Refuse anything but a regular file: libbpf would block on a FIFO.
 */
static int source_open(const char *path, char *source, size_t size)
{
	int fd = file_open(path);

	if (fd < 0)
		return fd == -EMEDIUMTYPE ? -EINVAL : fd;
	snprintf(source, size, "/proc/self/fd/%d", fd);
	return 0;
}

/* libbpf's own error codes for files that are not BTF become −EINVAL. */
static int btf_parse(const char *path, struct btf **out)
{
	struct btf *btf = btf__parse(path, NULL);
	long err = libbpf_get_error(btf);

	if (!err)
		*out = btf;
	return err < -__LIBBPF_ERRNO__START || err == -EPROTO ? -EINVAL : (int)err;
}

static void btf_read(const char *path, struct kernel_facts *out)
{
	struct btf *btf = NULL;

	for (int i = 0; i < KERNEL_EVENTS; i++)
		out->events[i] = (struct event_fact){.name = event_names[i], .args = -1};
	out->audit_obstacle = "no BTF";
	out->btf = path ? source_open(path, out->btf_source, sizeof(out->btf_source)) : 0;
	if (!out->btf)
		out->btf = btf_parse(path ? out->btf_source : KERNEL_BTF, &btf);
	if (out->btf)
		return;
	out->audit_obstacle = audit_obstacle(btf);
	census_lacks_read(btf, out->census_lacks, sizeof(out->census_lacks));
	for (int i = 0; i < KERNEL_EVENTS; i++)
		event_read(btf, &out->events[i]);
	/*
	 * Since 7.0 tracepoints run under SRCU instead of with preemption off. Up to 6.12 the same
	 * SRCU variable existed for the idle task; the kfunc of 6.13 tells the two apart.
	 */
	out->preemptible =
		function_is(btf, "bpf_get_kmem_cache") && function_is(btf, "bpf_preempt_disable") &&
		btf__find_by_name_kind(btf, "tracepoint_srcu_srcu_data", BTF_KIND_VAR) > 0;
	if (!path)
		functions_read(btf, out);
	btf__free(btf);
}

/* Load a raw tracepoint program: the kernel itself says whether we may. */
static int load_try(const struct bpf_insn *insns, size_t nr)
{
	_cleanup_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "kmemtrace_may_i",
					       "GPL", insns, nr, NULL);

	return fd < 0 ? -errno : 0;
}

static int bpf_load_read(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return load_try(insns, sizeof(insns) / sizeof(insns[0]));
}

/*
 * Try a helper call with an 8-byte stack buffer, its size and address 0 as arguments. That fits the
 * helpers probed here.
 */
static int helper_read(int helper)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10},
		/* NOLINTNEXTLINE(misc-redundant-expression): BPF_K is 0 like BPF_ADD */
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3},
		{.code = BPF_JMP | BPF_CALL, .imm = helper},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return load_try(insns, sizeof(insns) / sizeof(insns[0]));
}

/* *(u64 *)(fp − 8) = 0; r0 = cmpxchg(that, 0, 0) */
static bool cmpxchg_read(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_STX | BPF_MEM | BPF_DW,
		 .dst_reg = BPF_REG_10,
		 .src_reg = BPF_REG_0,
		 .off = -8},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_10,
		 .src_reg = BPF_REG_0,
		 .off = -8,
		 .imm = BPF_CMPXCHG},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return !load_try(insns, sizeof(insns) / sizeof(insns[0]));
}

static bool lock_is_limited(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_max != RLIM_INFINITY;
}

static bool run_time_read(void)
{
	_cleanup_close_ int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	return fd >= 0;
}

/* Ask the kernel, not /proc, which may not be mounted. */
static unsigned long long capabilities_ask(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return data[0].effective | (unsigned long long)data[1].effective << 32;
}

static int meminfo_read(const char *proc_root)
{
	struct snapshot s = {};
	int err = snapshot_read(proc_root, SNAPSHOT_MEMINFO | SNAPSHOT_REFRESHED, &s);

	if (!err && named_value_get(&s.meminfo, "MemTotal", 0) <= 0)
		err = -ENODATA;
	snapshot_free(&s);
	return err;
}

/* Count the files that can be opened, by opening and closing them. */
static int files_left(void)
{
	int fds[RECORD_FILES], nr = 0;

	while (nr < RECORD_FILES && (fds[nr] = open("/", O_PATH | O_CLOEXEC)) >= 0)
		nr++;
	for (int i = 0; i < nr; i++)
		close(fds[i]);
	return nr;
}

/* The limit in bytes, or `enough` if it is no lower. */
static unsigned long long limit_read(__rlimit_resource_t resource, unsigned long long enough)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) || limit.rlim_cur > enough ? enough : limit.rlim_cur;
}

/* Is this line a function: "ffffffff81000000 T _stext"? *hidden: its address is shown as 0. */
static bool function_line(struct text line, bool *hidden)
{
	struct text address, type;
	uint64_t value;

	if (!text_word(&line, &address) || !text_word(&line, &type) || type.len != 1 ||
	    (*type.p != 'T' && *type.p != 't') || !text_hex(address, &value))
		return false;
	*hidden = !value;
	return true;
}

static int symbols_read(const char *proc_root)
{
	_cleanup_free_ char *buf = malloc(KALLSYMS_LOOKED_AT);
	_cleanup_close_ int fd = -1;
	struct text rest, line;
	bool hidden = false;
	size_t len = 0;
	ssize_t got = 1;
	char path[256];

	if (!buf)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/kallsyms", proc_root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (; len < KALLSYMS_LOOKED_AT && got > 0; len += got > 0 ? got : 0)
		got = read(fd, buf + len, KALLSYMS_LOOKED_AT - len);
	if (got < 0)
		return -errno;
	rest = (struct text){buf, len};
	while (text_line(&rest, &line))
		if (function_line(line, &hidden))
			return hidden ? -EPERM : 0;
	return len ? 0 : -ENODATA;
}

static int kptr_restrict_read(const char *proc_root)
{
	char line[32];

	return file_read_line(proc_root, "sys/kernel/kptr_restrict", line, sizeof(line))
		       ? -1
		       : atoi(line);
}

/*
 * Follows kallsyms_show_value() of kernel/ksyms_common.c: kptr_restrict 2 hides addresses from
 * everyone, otherwise CAP_SYSLOG shows them.
 */
const char *symbols_hidden_why(int kptr_restrict, bool cap_syslog, char buf[SYMBOLS_WHY_MAX])
{
	if (kptr_restrict >= 2)
		snprintf(
			buf, SYMBOLS_WHY_MAX,
			"kernel.kptr_restrict is %d, which hides symbol addresses from everyone: run "
			"`sysctl kernel.kptr_restrict=1` before recording%s",
			kptr_restrict, cap_syslog ? "" : ", and record with CAP_SYSLOG");
	else if (!cap_syslog)
		snprintf(
			buf, SYMBOLS_WHY_MAX,
			"symbol addresses are hidden from a process without CAP_SYSLOG: record as root with that "
			"capability");
	else
		snprintf(
			buf, SYMBOLS_WHY_MAX,
			"/proc/kallsyms shows no addresses although the process has CAP_SYSLOG: record outside the user namespace or sandbox that hides them");
	return buf;
}

const char *symbols_why(int err, const char *proc_root, char buf[SYMBOLS_WHY_MAX])
{
	char why[LIMITS_MAX];

	if (err == -EPERM)
		return symbols_hidden_why(kptr_restrict_read(proc_root),
					  capabilities_ask() >> CAP_SYSLOG & 1, buf);
	if (err == -ENODATA)
		snprintf(
			buf, SYMBOLS_WHY_MAX,
			"/proc/kallsyms is empty: the kernel lacks CONFIG_KALLSYMS, or the file is masked");
	else
		snprintf(buf, SYMBOLS_WHY_MAX, "cannot read /proc/kallsyms: %s",
			 limits_explain(-err, why));
	return buf;
}

static bool readable(const char *proc_root, const char *name)
{
	_cleanup_close_ int fd = -1;
	char path[256], byte;

	snprintf(path, sizeof(path), "%s/%s", proc_root, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &byte, 1) == 1;
}

/*
 * The same without reading. From 6.9 on, the kernel writes all of vmallocinfo for the first byte,
 * and nothing else runs on the CPU meanwhile: 2 ms on a small machine.
 */
static bool opens(const char *proc_root, const char *name)
{
	_cleanup_close_ int fd = -1;
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", proc_root, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* a container may hide a file behind /dev/null */
	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/*
 * The kernel's own counts beside the slab caches. Where conntrack is unused, its count is missing.
 */
static void counters_missing_read(const char *proc_root, char *dst, size_t size)
{
	static const char *const files[] = {"sys/fs/file-nr", "sys/fs/inode-nr",
					    "sys/fs/dentry-state", "net/sockstat", "key-users"};
	size_t at = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!readable(proc_root, files[i]))
			at += (size_t)snprintf(dst + at, size - at, "%s%s", at ? ", " : "",
					       files[i]);
}

void kernel_facts_read(const char *proc_root, const char *btf_path, struct kernel_facts *out)
{
	struct host_facts host;
	struct stat st;

	libbpf_set_print(NULL); /* we explain refusals ourselves */
	memset(out, 0, sizeof(*out));
	out->btf_path = btf_path;
	out->files = files_left();
	out->address_bytes = limit_read(RLIMIT_AS, RECORD_ADDRESS_BYTES);
	out->data_bytes = limit_read(RLIMIT_DATA, RECORD_DATA_BYTES);
	btf_read(btf_path, out);
	out->bpf_load = bpf_load_read();
	out->read_kernel = helper_read(BPF_FUNC_probe_read_kernel);
	/*
	 * 5.11 brought both the helper (3ca1032ab7ab) and accounting by memory cgroup
	 * (d05512618056)
	 */
	out->locked = helper_read(BPF_FUNC_get_current_task_btf) && lock_is_limited();
	out->run_time = run_time_read();
	out->cmpxchg = cmpxchg_read();
	out->caps = capabilities_ask();
	out->meminfo = meminfo_read(proc_root);
	out->sysfs = !stat("/sys/devices/system/cpu", &st);
	out->slabinfo = readable(proc_root, "slabinfo");
	out->vmallocinfo = opens(proc_root, "vmallocinfo");
	alloc_uses_read(proc_root, "/sys", &out->alloc_uses);
	counters_missing_read(proc_root, out->counters_missing, sizeof(out->counters_missing));
	out->symbols = symbols_read(proc_root);
	out->kptr_restrict = kptr_restrict_read(proc_root);
	out->proc = host_facts_read(proc_root, "/sys", &host);
	snprintf(out->lockdown, sizeof(out->lockdown), "%s", out->proc ? "unknown" : host.lockdown);
}
