// SPDX-License-Identifier: GPL-2.0-only
/* The table: see plain_words.h. Function names are those of kernels 5.10 to 7.3. */
#include "findings/plain_words.h"

#include <math.h>
#include <string.h>

#include "base/normalise.h"
#include "model/entry.h"

static const struct plain_words table[] = {
	/* kernel/fork.c */
	{"copy_process", "to start", "threads or processes", "task_struct", PLAIN_THREADS},
	{"begin_new_exec", "to run", "programs", "mm_struct", PLAIN_ANY},
	{"exec_binprm", "to run", "programs", NULL, PLAIN_ANY},
	{"alloc_bprm", "to run", "programs", NULL, PLAIN_ANY},
	/* fs/pipe.c, net/socket.c, net/unix, net/ipv4 */
	{"create_pipe_files", "for", "pipes", NULL, PLAIN_ANY},
	{"alloc_pipe_info", "for", "pipes", NULL, PLAIN_ANY},
	{"pipe_write", "for", "data in pipes that nobody has read", NULL, PLAIN_ANY},
	{"anon_pipe_write", "for", "data in pipes that nobody has read", NULL, PLAIN_ANY},
	{"__sys_socket", "for", "sockets", "sock_inode_cache", PLAIN_ANY},
	{"__sys_socketpair", "for", "pairs of sockets", NULL, PLAIN_ANY},
	{"__sys_accept4", "for", "accepted connections", "sock_inode_cache", PLAIN_ANY},
	{"do_accept", "for", "accepted connections", "sock_inode_cache", PLAIN_ANY},
	{"inet_csk_accept", "for", "accepted connections", NULL, PLAIN_ANY},
	{"tcp_conn_request", "for", "connections being opened", "request_sock_TCP", PLAIN_ANY},
	{"tcp_v4_syn_recv_sock", "for", "incoming connections", "TCP", PLAIN_ANY},
	{"tcp_v6_syn_recv_sock", "for", "incoming connections", "TCPv6", PLAIN_ANY},
	{"tcp_time_wait", "for", "closed connections that wait (TIME_WAIT)", "tw_sock_TCP",
	 PLAIN_ANY},
	{"inet_bind_bucket_create", "for", "ports in use", NULL, PLAIN_ANY},
	{"unix_stream_sendmsg", "for", "data queued in sockets", NULL, PLAIN_ANY},
	{"unix_dgram_sendmsg", "for", "data queued in sockets", NULL, PLAIN_ANY},
	{"tcp_sendmsg*", "for", "data sent over TCP that nobody has read", NULL, PLAIN_ANY},
	{"udp_sendmsg", "for", "data queued in sockets", NULL, PLAIN_ANY},
	{"netlink_sendmsg", "for", "netlink messages", NULL, PLAIN_ANY},
	{"packet_set_ring", "for", "rings of packet capture", NULL, PLAIN_ANY},
	{"nf_conntrack_in", "for", "tracked connections (conntrack)", "nf_conntrack", PLAIN_ANY},
	{"init_conntrack*", "for", "tracked connections (conntrack)", "nf_conntrack", PLAIN_ANY},
	{"neigh_create", "for", "neighbours (ARP)", NULL, PLAIN_ANY},
	{"copy_net_ns", "for", "network namespaces", "net_namespace", PLAIN_ANY},
	{"copy_mnt_ns", "for", "mount namespaces", NULL, PLAIN_ANY},
	{"create_new_namespaces", "for", "namespaces", NULL, PLAIN_ANY},
	/* ipc/ */
	{"do_msgsnd", "for", "messages in message queues", NULL, PLAIN_ANY},
	{"load_msg", "for", "messages in message queues", NULL, PLAIN_ANY},
	{"do_mq_timedsend", "for", "messages in message queues", NULL, PLAIN_ANY},
	{"ksys_msgget", "for", "message queues", NULL, PLAIN_ANY},
	{"ksys_semget", "for", "semaphores", NULL, PLAIN_ANY},
	{"do_semtimedop", "for", "semaphores", NULL, PLAIN_ANY},
	{"ksys_shmget", "for", "shared memory segments", NULL, PLAIN_ANY},
	{"do_shmat", "for", "attached shared memory", NULL, PLAIN_ANY},
	/* descriptors of other kinds: fs/, kernel/, mm/, io_uring/ */
	{"do_eventfd", "for", "eventfd descriptors", NULL, PLAIN_ANY},
	{"do_epoll_create", "for", "epoll descriptors", NULL, PLAIN_ANY},
	{"do_epoll_ctl", "for", "epoll watches", "eventpoll_epi", PLAIN_ANY},
	{"ep_insert", "for", "epoll watches", "eventpoll_epi", PLAIN_ANY},
	{"do_signalfd4", "for", "signalfd descriptors", NULL, PLAIN_ANY},
	{"__x64_sys_timerfd_create", "for", "timerfd descriptors", NULL, PLAIN_ANY},
	{"__do_sys_timerfd_create", "for", "timerfd descriptors", NULL, PLAIN_ANY},
	{"__arm64_sys_timerfd_create", "for", "timerfd descriptors", NULL, PLAIN_ANY},
	{"do_timer_create", "for", "POSIX timers", "posix_timers_cache", PLAIN_ANY},
	{"__sigqueue_alloc", "for", "queued signals", "sigqueue", PLAIN_ANY},
	{"send_signal*", "for", "queued signals", "sigqueue", PLAIN_ANY},
	{"do_inotify_init", "for", "inotify descriptors", NULL, PLAIN_ANY},
	{"inotify_new_watch", "for", "inotify watches", "inotify_inode_mark", PLAIN_ANY},
	{"__x64_sys_inotify_add_watch", "for", "inotify watches", "inotify_inode_mark", PLAIN_ANY},
	{"__arm64_sys_inotify_add_watch", "for", "inotify watches", "inotify_inode_mark",
	 PLAIN_ANY},
	{"fanotify_add_mark", "for", "fanotify marks", NULL, PLAIN_ANY},
	{"fanotify_handle_event", "for", "fanotify events nobody read", NULL, PLAIN_ANY},
	{"inotify_handle_inode_event", "for", "inotify events nobody read", NULL, PLAIN_ANY},
	{"__do_sys_memfd_create", "for", "memfd files", NULL, PLAIN_ANY},
	{"__do_sys_perf_event_open", "for", "perf events", "perf_event", PLAIN_ANY},
	{"perf_mmap", "for", "ring buffers of perf events", NULL, PLAIN_INSIDE},
	{"io_uring_create", "for", "io_uring instances", NULL, PLAIN_ANY},
	{"io_submit_sqes", "for", "io_uring requests", "io_kiocb", PLAIN_ANY},
	{"do_io_setup", "for", "asynchronous I/O contexts", NULL, PLAIN_ANY},
	{"posix_lock_inode", "for", "file locks", "file_lock_cache", PLAIN_ANY},
	{"flock_lock_inode", "for", "file locks", "file_lock_cache", PLAIN_ANY},
	{"expand_files", "for", "tables of open files", NULL, PLAIN_ANY},
	{"__do_sys_keyctl", "for", "keys", NULL, PLAIN_ANY},
	{"__do_sys_add_key", "for", "keys", "key_jar", PLAIN_ANY},
	{"key_alloc", "for", "keys", "key_jar", PLAIN_ANY},
	/* kernel/bpf */
	{"map_create", "for", "BPF maps", NULL, PLAIN_ANY},
	{"bpf_map_update_value", "for", "entries of BPF maps", NULL, PLAIN_ANY},
	{"bpf_prog_load", "for", "BPF programs", NULL, PLAIN_ANY},
	/* memory of processes: mm/ */
	{"handle_mm_fault", "for", "page tables of memory that was touched", NULL,
	 PLAIN_PAGE_TABLES},
	{"copy_page_range", "for", "page tables that fork copied", NULL, PLAIN_PAGE_TABLES},
	{"populate_vma_page_range", "for",
	 "page tables of memory that was locked or filled in advance", NULL, PLAIN_PAGE_TABLES},
	{"remap_pfn_range*", "for", "page tables of mapped devices", NULL, PLAIN_PAGE_TABLES},
	{"__anon_vma_prepare", "for", "memory that was touched", NULL, PLAIN_ANY},
	{"anon_vma_fork", "for", "memory that fork shares", NULL, PLAIN_ANY},
	{"do_mmap", "for", "memory mappings", "vm_area_struct", PLAIN_ANY},
	{"mmap_region", "for", "memory mappings", "vm_area_struct", PLAIN_ANY},
	{"do_brk_flags", "for", "memory mappings", "vm_area_struct", PLAIN_ANY},
	{"mprotect_fixup", "for", "memory mappings that were split", "vm_area_struct", PLAIN_ANY},
	{"__split_vma", "for", "memory mappings that were split", "vm_area_struct", PLAIN_ANY},
	{"madvise_vma_behavior", "for", "memory mappings that were split", "vm_area_struct",
	 PLAIN_ANY},
	/* files: fs/ */
	{"alloc_empty_file", "for", "open files", "filp", PLAIN_ANY},
	{"__d_alloc", "for", "dentries (looked-up names of files)", "dentry", PLAIN_ANY},
	{"d_alloc_parallel", "for", "dentries (looked-up names of files)", "dentry", PLAIN_ANY},
	{"alloc_inode", "for", "inodes (files that were opened or looked at)", NULL, PLAIN_ANY},
	{"iget_locked", "for", "inodes (files that were opened or looked at)", NULL, PLAIN_ANY},
	{"alloc_buffer_head", "for", "buffer heads (cached blocks of file systems)", "buffer_head",
	 PLAIN_ANY},
	{"create_empty_buffers", "for", "buffer heads (cached blocks of file systems)",
	 "buffer_head", PLAIN_ANY},
	{"xas_nomem", "for", "indexes of cached file pages", "radix_tree_node", PLAIN_ANY},
	{"filemap_add_folio", "for", "indexes of cached file pages", "radix_tree_node", PLAIN_ANY},
	{"do_add_mount", "for", "mounts", "mnt_cache", PLAIN_ANY},
	{"cgroup_mkdir", "for", "cgroups", NULL, PLAIN_ANY},
	{"kernfs_new_node", "for", "files of sysfs and cgroups", "kernfs_node_cache", PLAIN_ANY},
	{"__register_sysctl_table", "for", "files of /proc/sys", NULL, PLAIN_ANY},
	{"load_module", "for", "kernel modules", NULL, PLAIN_ANY},
};

static const struct plain_words *row_find(const char *symbol, enum pool pool)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = strlen(table[i].symbol);

		if (table[i].of == PLAIN_PAGE_TABLES && pool != POOL_PAGETABLE)
			continue;
		if (table[i].symbol[n - 1] == '*' ? !strncmp(symbol, table[i].symbol, n - 1)
						  : !strcmp(symbol, table[i].symbol))
			return &table[i];
	}
	return NULL;
}

const struct plain_words *plain_words_of(const struct capture *c, uint32_t stack, enum pool pool)
{
	const struct cap_stack *s = &c->stacks[stack];
	const struct plain_words *outermost = NULL;
	char symbol[ENTRY_LABEL_MAX];
	struct entry e;

	entry_of_stack(c, stack, &e);
	/* the entry's own frame counts too: __x64_sys_inotify_add_watch is one */
	for (uint32_t i = e.frames < s->nr_frames ? e.frames + 1 : s->nr_frames; i > 0; i--) {
		const struct plain_words *row;

		sym_normalise(c->frames[s->frames[i - 1]].symbol, symbol, sizeof(symbol));
		row = row_find(symbol, pool);
		if (row && row->of >= PLAIN_INSIDE)
			return row;
		if (!outermost)
			outermost = row;
	}
	return outermost;
}

double plain_words_count(const struct plain_words *words, const struct growth_group *g,
			 const struct caches *caches)
{
	const struct cache_row *cache = growth_cache(g, caches);

	if (words->of == PLAIN_THREADS && g->pool == POOL_KSTACK)
		return g->objects;
	if (!cache || !words->counted || g->caches.nr > 1)
		return NAN;
	if (!strcmp(cache->name, words->counted))
		return g->objects;
	for (size_t i = 0; cache->cap && i < cache->cap->aliases.nr; i++)
		if (!strcmp(cache->cap->aliases.items[i], words->counted))
			return g->objects;
	return NAN;
}

/* Caches of one kind of object. Of kmalloc and of caches that several kinds share, the name says
 * nothing. */
static const struct {
	const char *cache; /* a trailing '*' matches any rest, a leading one any beginning */
	const char *noun;
} caches[] = {
	{"dentry", "looked-up names of files"},
	{"inode_cache", "inodes"},
	{"sock_inode_cache", "sockets"},
	{"*_inode_cache", "inodes: files that were opened or looked at"},
	{"*_inode", "inodes: files that were opened or looked at"},
	{"filp", "open files"},
	{"task_struct", "threads"},
	{"mm_struct", "memory maps of processes"},
	{"vm_area_struct", "memory mappings"},
	{"TCP", "TCP sockets"},
	{"TCPv6", "TCP sockets"},
	{"UDP", "UDP sockets"},
	{"UDPv6", "UDP sockets"},
	{"UNIX*", "Unix sockets"},
	{"tw_sock_TCP*", "closed connections that wait"},
	{"request_sock_TCP*", "connections being opened"},
	{"nf_conntrack", "tracked connections"},
	{"skbuff_*", "network packets"},
	{"msg_msg*", "messages in message queues"},
	{"buffer_head", "cached blocks of file systems"},
	{"radix_tree_node", "indexes, often of cached file pages"},
	{"kernfs_node_cache", "files of sysfs and cgroups"},
	{"eventpoll_epi", "epoll watches"},
	{"inotify_inode_mark", "inotify watches"},
	{"file_lock_cache", "file locks"},
	{"key_jar", "keys"},
	{"sigqueue", "queued signals"},
	{"mnt_cache", "mounts"},
	{"net_namespace", "network namespaces"},
	{"posix_timers_cache", "POSIX timers"},
	{"perf_event", "perf events"},
};

static bool cache_matches(const char *pattern, const char *cache)
{
	size_t n = strlen(pattern), len = strlen(cache);

	if (pattern[0] == '*')
		return len >= n - 1 && !strcmp(cache + len - (n - 1), pattern + 1);
	return pattern[n - 1] == '*' ? !strncmp(cache, pattern, n - 1) : !strcmp(cache, pattern);
}

const char *plain_words_of_cache(const char *cache)
{
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++)
		if (cache_matches(caches[i].cache, cache))
			return caches[i].noun;
	return NULL;
}
