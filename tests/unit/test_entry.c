// SPDX-License-Identifier: GPL-2.0-only
/* Names of entries into the kernel, from the frames of a stack, and of containers, from the path of
 * a cgroup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/container.h"
#include "findings/plain_words.h"
#include "model/entry.h"
#include "findings/report_findings.h"
#include "sample_capture.h"

static void the_system_call_is_named_on_every_architecture(void **state)
{
	static const struct {
		const char *frames[5];
		enum entry_kind kind;
		const char *label;
		uint32_t inside;
	} t[] = {
		{{"alloc_pipe_info", "do_pipe2", "__x64_sys_pipe2", "do_syscall_64"},
		 ENTRY_SYSCALL,
		 "pipe2()",
		 2},
		{{"alloc_pipe_info", "do_pipe2", "__arm64_sys_pipe2", "invoke_syscall"},
		 ENTRY_SYSCALL,
		 "pipe2()",
		 2},
		{{"x", "__do_sys_bpf", "__x64_sys_bpf"}, ENTRY_SYSCALL, "bpf()", 1},
		{{"x", "__se_sys_bpf.isra.0"}, ENTRY_SYSCALL, "bpf()", 1},
		{{"pte_alloc_one", "handle_mm_fault", "exc_page_fault", "__x64_sys_read"},
		 ENTRY_FAULT,
		 "page fault",
		 2},
		{{"__alloc_skb", "net_rx_action", "handle_softirqs", "common_interrupt"},
		 ENTRY_SOFTIRQ,
		 "softirq net_rx_action",
		 2},
		{{"x", "sysvec_apic_timer_interrupt"}, ENTRY_INTERRUPT, "interrupt", 1},
		{{"x", "bpf_map_free_deferred", "process_one_work", "worker_thread", "kthread"},
		 ENTRY_WORK,
		 "work bpf_map_free_deferred",
		 2},
		{{"x", "kswapd", "kthread", "ret_from_fork"},
		 ENTRY_THREAD,
		 "kernel thread kswapd",
		 2},
		{{"load_msg", "do_msgsnd", "do_syscall_64"}, ENTRY_SYSCALL, "msgsnd()", 2},
		{{"vfs_write", "ksys_write", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"},
		 ENTRY_SYSCALL,
		 "write()",
		 2},
		{{"vm_area_alloc", "ksys_mmap_pgoff", "x64_sys_call", "do_syscall_64"},
		 ENTRY_SYSCALL,
		 "mmap()",
		 2},
		{{"x", "y"}, ENTRY_UNKNOWN, "unknown", 2},
		{{"kthread_create"}, ENTRY_UNKNOWN, "unknown", 1},
		{{"__x64_sys_"}, ENTRY_SYSCALL, "()", 0},
		{{NULL}, ENTRY_UNKNOWN, "unknown", 0},
	};
	struct capture *c = sample_new("exact");

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint32_t frames[5], nr = 0;
		struct entry e;

		for (; nr < 5 && t[i].frames[nr]; nr++)
			frames[nr] = sample_frame(c, t[i].frames[nr], 1, "vmlinux");
		entry_of_stack(c, sample_stack(c, nr, frames), &e);
		assert_string_equal(e.label, t[i].label);
		assert_int_equal(e.kind, t[i].kind);
		assert_int_equal(e.frames, t[i].inside);
	}
	capture_free(c);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID   "8b1c2d3e-1111-2222-3333-44445555aaaa"
#define UID_  "8b1c2d3e_1111_2222_3333_44445555aaaa"

static void containers_are_read_from_cgroup_paths(void **state)
{
	static const struct {
		const char *path, *label, *unit, *normal;
	} t[] = {
		{"/", "", "", "/"},
		{"", "", "", ""},
		{"/system.slice/nginx.service", "", "nginx.service", "/system.slice/nginx.service"},
		{"/system.slice/docker-" HEX64 ".scope", "docker 0123456789ab",
		 "docker-" HEX64 ".scope", "/system.slice/docker-*.scope"},
		{"/docker/" HEX64, "docker 0123456789ab", "", "/docker/*"},
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
		 ".slice/cri-containerd-" HEX64 ".scope",
		 "pod " UID " containerd 0123456789ab", "cri-containerd-" HEX64 ".scope",
		 "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod*.slice/cri-containerd-*.scope"},
		{"/kubepods/besteffort/pod" UID "/" HEX64, "pod " UID " cri 0123456789ab", "",
		 "/kubepods/besteffort/pod*/*"},
		{"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" HEX64 ".scope/container",
		 "pod " UID " cri-o 0123456789ab", "crio-" HEX64 ".scope",
		 "/kubepods.slice/kubepods-pod*.slice/crio-*.scope/container"},
		{"/machine.slice/libpod-" HEX64 ".scope", "podman 0123456789ab",
		 "libpod-" HEX64 ".scope", "/machine.slice/libpod-*.scope"},
		{"/lxc.payload.web1/system.slice", "lxc web1", "system.slice",
		 "/lxc.payload.web1/system.slice"},
		{"/lxc/web1", "lxc web1", "", "/lxc/web1"},
		{"/machine.slice/machine-deb.scope", "nspawn deb", "machine-deb.scope",
		 "/machine.slice/machine-deb.scope"},
		{"/user.slice/user-1000.slice/session-12.scope", "", "session-12.scope",
		 "/user.slice/user-1000.slice/session-*.scope"},
		{"/user.slice/session-c3.scope", "", "session-c3.scope",
		 "/user.slice/session-*.scope"},
		{"/system.slice/run-u44.service", "", "run-u44.service",
		 "/system.slice/run-*.service"},
		/* not ids: too short, not hex, no such runtime */
		{"/system.slice/docker-0123.scope", "", "docker-0123.scope",
		 "/system.slice/docker-0123.scope"},
		{"/docker/zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "", "",
		 "/docker/zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
		{"/kubepods/podless/x", "", "", "/kubepods/podless/x"},
		{"/system.slice/session-manager.service", "", "session-manager.service",
		 "/system.slice/session-manager.service"},
		{"/feedface.service", "", "feedface.service", "/feedface.service"},
		{"/a/pod", "", "", "/a/pod"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct container c;
		char label[128], normal[512];

		container_of_cgroup(t[i].path, &c);
		assert_string_equal(container_label(&c, label, sizeof(label)), t[i].label);
		assert_string_equal(c.unit, t[i].unit);
		cgroup_normalise(t[i].path, normal, sizeof(normal));
		assert_string_equal(normal, t[i].normal);
	}
}

/* Write every part of a long path into every small buffer, also with hostile bytes: nothing is read
 * or written beyond the ends. */
static void paths_of_any_length_fit(void **state)
{
	static const char path[] =
		"/kubepods/pod" UID "/cri-containerd-" HEX64 ".scope/session-12.scope\xff\x1b[2J";

	(void)state;
	for (size_t from = 0; from < sizeof(path); from++)
		for (size_t size = 1; size < sizeof(path); size++) {
			char *exact = strdup(path + from), *dst = malloc(size);
			struct container c;

			cgroup_normalise(exact, dst, size);
			assert_true(strlen(dst) < size);
			container_of_cgroup(exact, &c);
			free(exact);
			free(dst);
		}
}

static const char *group_name(const struct report *r, size_t i)
{
	return r->growth.names.items[r->growth.groups[i].key];
}

static void growth_is_added_up_by_who_asked_for_it(void **state)
{
	struct capture *c = sample_whole();
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_SYSCALL, &r), 0);
	assert_string_equal(group_name(&r, 0), "pipe2()");
	assert_true(r.growth.groups[0].allocs == 1300); /* traffic counts for the path */
	report_free(&r);
	assert_int_equal(report_whole(c, GROWTH_BY_MODULE, &r), 0);
	assert_string_equal(group_name(&r, 0), "vmlinux");
	assert_string_equal(group_name(&r, 1), "ext4");
	report_free(&r);
	assert_int_equal(report_whole(c, GROWTH_BY_POOL, &r), 0);
	assert_int_equal(r.growth.nr, 1); /* all of it is slab */
	report_free(&r);
	capture_free(c);
}

/* The reader of a report does not know the kernel's functions. */
static void call_paths_are_said_in_plain_words(void **state)
{
	static const struct {
		const char *frames[5];
		enum pool pool;
		const char *noun;
	} t[] = {
		{{"__d_alloc", "d_alloc_pseudo", "sock_alloc_file", "__sys_socket",
		  "__x64_sys_socket"},
		 POOL_SLAB,
		 "sockets"}, /* its dentry is for the socket */
		{{"__d_alloc", "d_alloc_parallel", "lookup_slow", "vfs_statx", "__x64_sys_statx"},
		 POOL_SLAB,
		 "dentries (looked-up names of files)"},
		{{"dup_task_struct.constprop.0", "copy_process", "kernel_clone",
		  "__x64_sys_clone3"},
		 POOL_KSTACK,
		 "threads or processes"},
		{{"pte_alloc_one", "__pte_alloc", "handle_mm_fault", "exc_page_fault"},
		 POOL_PAGETABLE,
		 "page tables of memory that was touched"},
		/* a page fault allocates more than page tables */
		{{"__anon_vma_prepare", "do_anonymous_page", "handle_mm_fault", "exc_page_fault"},
		 POOL_SLAB,
		 "memory that was touched"},
		{{"anything", "handle_mm_fault", "exc_page_fault"}, POOL_SLAB, NULL},
		{{"inotify_new_watch", "__x64_sys_inotify_add_watch"},
		 POOL_SLAB,
		 "inotify watches"},
		/* what was interrupted has nothing to do with it */
		{{"kmem", "net_rx_action", "__do_softirq", "create_pipe_files", "do_pipe2"},
		 POOL_SLAB,
		 NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct capture *c = sample_new("exact");
		const struct plain_words *words;
		uint32_t frames[5], nr = 0;

		for (; nr < 5 && t[i].frames[nr]; nr++)
			frames[nr] = sample_frame(c, t[i].frames[nr], 1, "vmlinux");
		words = plain_words_of(c, sample_stack(c, nr, frames), t[i].pool);
		if (t[i].noun)
			assert_string_equal(words ? words->noun : "", t[i].noun);
		else
			assert_null(words);
		capture_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_system_call_is_named_on_every_architecture),
		cmocka_unit_test(containers_are_read_from_cgroup_paths),
		cmocka_unit_test(paths_of_any_length_fit),
		cmocka_unit_test(growth_is_added_up_by_who_asked_for_it),
		cmocka_unit_test(call_paths_are_said_in_plain_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
