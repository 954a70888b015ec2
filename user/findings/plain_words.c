// SPDX-License-Identifier: GPL-2.0-only
/* The table: see plain_words.h. Function names are those of kernels 5.10 to 7.3. */
#include "findings/plain_words.h"

#include <string.h>

#include "base/normalise.h"
#include "model/entry.h"

static const struct plain_words table[] = {
	/* kernel/fork.c */
	{"copy_process", "to start", "threads or processes", "task_struct", true},
	{"begin_new_exec", "to run", "programs", "mm_struct", false},
	{"exec_binprm", "to run", "programs", NULL, false},
	{"alloc_bprm", "to run", "programs", NULL, false},
	/* fs/pipe.c, net/socket.c, net/unix, net/ipv4 */
	{"create_pipe_files", "for", "pipes", NULL, false},
	{"alloc_pipe_info", "for", "pipes", NULL, false},
	{"pipe_write", "for", "data in pipes", NULL, false},
	{"__sys_socket", "for", "sockets", "sock_inode_cache", false},
	{"__sys_socketpair", "for", "pairs of sockets", NULL, false},
	{"__sys_accept4", "for", "accepted connections", "sock_inode_cache", false},
	{"do_accept", "for", "accepted connections", "sock_inode_cache", false},
	{"inet_csk_accept", "for", "accepted connections", NULL, false},
	{"tcp_conn_request", "for", "connections being opened", "request_sock_TCP", false},
	{"tcp_v4_syn_recv_sock", "for", "incoming connections", "TCP", false},
	{"tcp_v6_syn_recv_sock", "for", "incoming connections", "TCPv6", false},
	{"tcp_time_wait", "for", "closed connections that wait (TIME_WAIT)", "tw_sock_TCP", false},
	{"inet_bind_bucket_create", "for", "ports in use", NULL, false},
	{"unix_stream_sendmsg", "for", "data queued in sockets", NULL, false},
	{"unix_dgram_sendmsg", "for", "data queued in sockets", NULL, false},
	{"tcp_sendmsg*", "for", "data queued in connections", NULL, false},
	{"udp_sendmsg", "for", "data queued in sockets", NULL, false},
	{"netlink_sendmsg", "for", "netlink messages", NULL, false},
	{"packet_set_ring", "for", "rings of packet capture", NULL, false},
	{"nf_conntrack_in", "for", "tracked connections (conntrack)", "nf_conntrack", false},
	{"init_conntrack*", "for", "tracked connections (conntrack)", "nf_conntrack", false},
	{"neigh_create", "for", "neighbours (ARP)", NULL, false},
	{"copy_net_ns", "for", "network namespaces", "net_namespace", false},
	{"copy_mnt_ns", "for", "mount namespaces", NULL, false},
	{"create_new_namespaces", "for", "namespaces", NULL, false},
	/* ipc/ */
	{"do_msgsnd", "for", "messages in message queues", NULL, false},
	{"load_msg", "for", "messages in message queues", NULL, false},
	{"do_mq_timedsend", "for", "messages in message queues", NULL, false},
	{"ksys_msgget", "for", "message queues", NULL, false},
	{"ksys_semget", "for", "semaphores", NULL, false},
	{"do_semtimedop", "for", "semaphores", NULL, false},
	{"ksys_shmget", "for", "shared memory segments", NULL, false},
	{"do_shmat", "for", "attached shared memory", NULL, false},
	/* descriptors of other kinds: fs/, kernel/, mm/, io_uring/ */
	{"do_eventfd", "for", "eventfd descriptors", NULL, false},
	{"do_epoll_create", "for", "epoll descriptors", NULL, false},
	{"do_epoll_ctl", "for", "epoll watches", "eventpoll_epi", false},
	{"ep_insert", "for", "epoll watches", "eventpoll_epi", false},
	{"do_signalfd4", "for", "signalfd descriptors", NULL, false},
	{"__x64_sys_timerfd_create", "for", "timerfd descriptors", NULL, false},
	{"__do_sys_timerfd_create", "for", "timerfd descriptors", NULL, false},
	{"__arm64_sys_timerfd_create", "for", "timerfd descriptors", NULL, false},
	{"do_timer_create", "for", "POSIX timers", "posix_timers_cache", false},
	{"__sigqueue_alloc", "for", "queued signals", "sigqueue", false},
	{"send_signal*", "for", "queued signals", "sigqueue", false},
	{"do_inotify_init", "for", "inotify descriptors", NULL, false},
	{"inotify_new_watch", "for", "inotify watches", "inotify_inode_mark", false},
	{"__x64_sys_inotify_add_watch", "for", "inotify watches", "inotify_inode_mark", false},
	{"__arm64_sys_inotify_add_watch", "for", "inotify watches", "inotify_inode_mark", false},
	{"fanotify_add_mark", "for", "fanotify marks", NULL, false},
	{"fanotify_handle_event", "for", "fanotify events nobody read", NULL, false},
	{"inotify_handle_inode_event", "for", "inotify events nobody read", NULL, false},
	{"__do_sys_memfd_create", "for", "memfd files", NULL, false},
	{"__do_sys_perf_event_open", "for", "perf events", "perf_event", false},
	{"perf_mmap", "for", "perf ring buffers", NULL, false},
	{"io_uring_create", "for", "io_uring instances", NULL, false},
	{"io_submit_sqes", "for", "io_uring requests", "io_kiocb", false},
	{"do_io_setup", "for", "asynchronous I/O contexts", NULL, false},
	{"posix_lock_inode", "for", "file locks", "file_lock_cache", false},
	{"flock_lock_inode", "for", "file locks", "file_lock_cache", false},
	{"expand_files", "for", "tables of open files", NULL, false},
	{"__do_sys_keyctl", "for", "keys", NULL, false},
	{"__do_sys_add_key", "for", "keys", "key_jar", false},
	{"key_alloc", "for", "keys", "key_jar", false},
	/* kernel/bpf */
	{"map_create", "for", "BPF maps", NULL, false},
	{"bpf_map_update_value", "for", "entries of BPF maps", NULL, false},
	{"bpf_prog_load", "for", "BPF programs", NULL, false},
	/* memory of processes: mm/ */
	{"handle_mm_fault", "for", "page tables of memory that was touched", NULL, false},
	{"copy_page_range", "for", "page tables that fork copied", NULL, false},
	{"populate_vma_page_range", "for", "page tables of locked memory", NULL, false},
	{"remap_pfn_range*", "for", "page tables of mapped devices", NULL, false},
	{"do_mmap", "for", "memory mappings", "vm_area_struct", false},
	{"mmap_region", "for", "memory mappings", "vm_area_struct", false},
	{"do_brk_flags", "for", "memory mappings", "vm_area_struct", false},
	{"mprotect_fixup", "for", "memory mappings that were split", "vm_area_struct", false},
	{"__split_vma", "for", "memory mappings that were split", "vm_area_struct", false},
	{"madvise_vma_behavior", "for", "memory mappings that were split", "vm_area_struct", false},
	/* files: fs/ */
	{"alloc_empty_file", "for", "open files", "filp", false},
	{"__d_alloc", "for", "dentries (looked-up names of files)", "dentry", false},
	{"d_alloc_parallel", "for", "dentries (looked-up names of files)", "dentry", false},
	{"alloc_inode", "for", "inodes (files that were opened or looked at)", NULL, false},
	{"iget_locked", "for", "inodes (files that were opened or looked at)", NULL, false},
	{"alloc_buffer_head", "for", "buffer heads (cached blocks of file systems)", "buffer_head",
	 false},
	{"create_empty_buffers", "for", "buffer heads (cached blocks of file systems)",
	 "buffer_head", false},
	{"xas_nomem", "for", "indexes of cached file pages", "radix_tree_node", false},
	{"filemap_add_folio", "for", "indexes of cached file pages", "radix_tree_node", false},
	{"do_add_mount", "for", "mounts", "mnt_cache", false},
	{"cgroup_mkdir", "for", "cgroups", NULL, false},
	{"kernfs_new_node", "for", "files of sysfs and cgroups", "kernfs_node_cache", false},
	{"__register_sysctl_table", "for", "files of /proc/sys", NULL, false},
	{"load_module", "for", "kernel modules", NULL, false},
};

static const struct plain_words *row_find(const char *symbol)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = strlen(table[i].symbol);

		if (table[i].symbol[n - 1] == '*' ? !strncmp(symbol, table[i].symbol, n - 1)
						  : !strcmp(symbol, table[i].symbol))
			return &table[i];
	}
	return NULL;
}

const struct plain_words *plain_words_of(const struct capture *c, uint32_t stack)
{
	const struct cap_stack *s = &c->stacks[stack];
	char symbol[ENTRY_LABEL_MAX];
	struct entry e;

	entry_of_stack(c, stack, &e);
	/* the entry's own frame counts too: __x64_sys_inotify_add_watch is one */
	for (uint32_t i = e.frames < s->nr_frames ? e.frames + 1 : s->nr_frames; i > 0; i--) {
		const struct plain_words *row;

		sym_normalise(c->frames[s->frames[i - 1]].symbol, symbol, sizeof(symbol));
		row = row_find(symbol);
		if (row)
			return row;
	}
	return NULL;
}
