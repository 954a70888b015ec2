// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lenses look at the objects of slab caches whose kernel type is known: dentries, inodes, sockets,
 * open files, network namespaces and mounts. The loader (user/trace/lenses.c) knows from the census
 * in which blocks of page frames a cache has slabs, and runs lens_scan() on one such block after
 * the other, by BPF_PROG_TEST_RUN. Only sums of a few fields leave the kernel side: no contents.
 *
 * A cache is recognised by what its objects look like, not by its name: caches are merged, and each
 * file system has a cache of its own for inodes. Nothing that is read is trusted. An object counts
 * only if it is not on its slab's free list, if something refers to it, and if its pointers agree:
 * a dentry and its parent have the same super block, whose root dentry points back to it.
 */
#include "freelists.bpf.h"

#define RECORDS_NEAR    16 /* records that are searched for the same key */
#define WALK_TRIES      3
#define PROBE_OBJECTS   8  /* looked at in one slab to recognise the cache */
#define LENS_COPIES     4  /* times KMT_LENS_COPY bytes: no inode is larger */
#define LENS_STEPS      64 /* objects that one function looks at */
#define SOCKFS          0x534f434b
#define LENS_PAGES_MOST (1ull << 32) /* of one file in the page cache */
#define ANON_INODES     0x09041934
#define MOUNT_DOOMED    0x1000000 /* MNT_DOOMED: it is being freed */
#define TIME_WAIT       6
#define NEW_SYN_RECV    12
#define ERRORS_AT_MOST  4096 /* an address above −4096 is an error number */
#define UNIX            1
#define PATH_STEPS      64 /* up to the root, over names and mounts */

TABLE(lenses, struct kmt_lenses);

__u64 lens_frame_base = 0; /* struct page of page frame 0, set by the loader */

static __always_inline struct kmt_lenses *lenses_shared(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lenses, &zero);
}

/* Words of objects of any kind are tried as pointers. */
static __always_inline bool lens_may_read(__u64 addr)
{
	return compat_may_read(addr, lens_frame_base);
}

/* A member of what a pointer that is not trusted points to; 0 if that cannot be read. */
#define LENS_READ(pointer, member)                                                 \
	({                                                                         \
		typeof(pointer) at_ = (pointer);                                   \
		lens_may_read((__u64)at_) ? (__u64)BPF_CORE_READ(at_, member) : 0; \
	})

/* ---- recognising objects: each returns 1 if there is a live one, which is then in l->found ----
 */

/* Is this a super block? Its root dentry points back to it. */
GLOBAL int lens_super(__u64 super)
{
	struct super_block *s = (void *)super;
	struct kmt_lenses *l = lenses_shared();

	if (!l || !super)
		return 0;
	if (l->super == super)
		return 1;
	if (LENS_READ((struct dentry *)LENS_READ(s, s_root), d_sb) != super)
		return 0;
	l->super = super;
	return 1;
}

/* Start to fill in l->found. */
static __always_inline struct kmt_lens_record *lens_found(struct kmt_lenses *l, __u32 lens,
							  __u64 what)
{
	l->found.lens = lens;
	l->found.what = what;
	l->found.op = 0;
	l->found.bytes = 0;
	l->found.bytes2 = 0;
	l->found.detail = 0;
	l->found.space = 0;
	l->found.dentry = 0;
	l->found.mount = 0;
	for (int i = 0; i < KMT_LENS_TEXT; i++)
		l->found.text[i] = '\0';
	return &l->found;
}

GLOBAL int lens_dentry(__u64 object)
{
	struct dentry *d = (void *)object;
	struct kmt_lenses *l = lenses_shared();
	struct kmt_lens_record *r;
	__u64 parent, super;
	int count;

	if (!l)
		return 0;
	/* a dentry that is being freed has a count below 0 */
	count = BPF_CORE_READ(d, d_lockref.count);
	parent = (__u64)BPF_CORE_READ(d, d_parent);
	super = (__u64)BPF_CORE_READ(d, d_sb);
	if (count < 0 || !parent || !BPF_CORE_READ(d, d_name.name) || !lens_super(super))
		return 0;
	if (parent != object && LENS_READ((struct dentry *)parent, d_sb) != super)
		return 0;
	r = lens_found(l, KMT_LENS_DENTRY, super);
	if (l->names)
		r->dentry = parent;
	if (!BPF_CORE_READ(d, d_inode))
		r->detail = KMT_LENS_NEGATIVE;
	else
		r->detail = count ? KMT_LENS_IN_USE : KMT_LENS_UNUSED;
	return 1;
}

/* An inode that nothing refers to any more is off its super block's list before it is freed. */
GLOBAL int lens_inode(__u64 object)
{
	struct inode *i = (void *)object;
	struct kmt_lenses *l = lenses_shared();
	struct kmt_lens_record *r;
	__u64 super, pages, list, next;
	int count;

	if (!l || (__u64)BPF_CORE_READ(i, i_data.host) != object)
		return 0;
	super = (__u64)BPF_CORE_READ(i, i_sb);
	if (!lens_super(super))
		return 0;
	count = BPF_CORE_READ(i, i_count.counter);
	list = FIELD_ADDRESS(object, struct inode, i_sb_list);
	next = compat_read_word(list);
	if (count <= 0 && (next == list || !next))
		return 0;
	r = lens_found(l, KMT_LENS_INODE, super);
	r->detail = BPF_CORE_READ(i, i_mode) >> 12 | (count > 0 ? KMT_LENS_IN_USE : KMT_LENS_UNUSED)
							     << KMT_LENS_STATE_SHIFT;
	pages = BPF_CORE_READ(i, i_data.nrpages);
	r->bytes = pages < LENS_PAGES_MOST ? pages : 0; /* else it is no inode any more */
	return 1;
}

/* The cache that a socket is from. Sockets of TCP that are not yet or no longer whole have others.
 */
static __always_inline __u64 lens_socket_cache(struct sock *k, __u32 state)
{
	struct proto *p = BPF_CORE_READ(k, __sk_common.skc_prot);

	if (state == TIME_WAIT)
		return LENS_READ((struct timewait_sock_ops *)LENS_READ(p, twsk_prot), twsk_slab);
	if (state == NEW_SYN_RECV)
		return LENS_READ((struct request_sock_ops *)LENS_READ(p, rsk_prot), slab);
	return LENS_READ(BPF_CORE_READ(k, sk_prot_creator), slab);
}

/* `cache`: that it must be from; 0: kmalloc(). */
GLOBAL int lens_socket(__u64 object, __u64 cache)
{
	struct sock *k = (void *)object;
	struct kmt_lenses *l = lenses_shared();
	struct kmt_lens_record *r;
	int received, queued;
	__u32 state;

	if (!l)
		return 0;
	state = BPF_CORE_READ(k, __sk_common.skc_state);
	if (lens_socket_cache(k, state) != cache ||
	    BPF_CORE_READ(k, __sk_common.skc_refcnt.refs.counter) <= 0)
		return 0;
	r = lens_found(l, KMT_LENS_SOCKET, (__u64)BPF_CORE_READ(k, __sk_common.skc_prot));
	r->detail = BPF_CORE_READ(k, __sk_common.skc_family) | state << KMT_LENS_STATE_SHIFT;
	r->space = LENS_READ(BPF_CORE_READ(k, __sk_common.skc_net.net), ns.inum);
	if (state == TIME_WAIT || state == NEW_SYN_RECV)
		return 1;
	received = BPF_CORE_READ(k, sk_backlog.rmem_alloc.counter);
	queued = BPF_CORE_READ(k, sk_wmem_queued);
	/* only TCP uses it; of others, what the kernel still has to send is charged, plus one */
	if (queued <= 0)
		queued = BPF_CORE_READ(k, sk_wmem_alloc.refs.counter) - 1;
	r->bytes = received > 0 ? received : 0;
	r->bytes2 = queued > 0 ? queued : 0;
	return 1;
}

/* The socket of an inode of sockfs if it is from kmalloc(), so that no cache leads to it. */
GLOBAL int lens_inode_socket(__u64 inode)
{
	__u64 at = inode - bpf_core_field_offset(struct socket_alloc, vfs_inode), k;
	struct kmt_lenses *l = lenses_shared();

	at = FIELD_ADDRESS(at, struct socket_alloc, socket);
	k = (__u64)BPF_CORE_READ((struct socket *)at, sk);
	if (LENS_READ((struct sock *)k, sk_socket) != at)
		return 0;
	if (!l || !lens_socket(k, 0))
		return 0;
	l->found.op = BPF_CORE_READ((struct sock *)k, sk_prot_creator, obj_size);
	return 1;
}

GLOBAL int lens_file(__u64 object)
{
	struct file *f = (void *)object;
	struct kmt_lenses *l = lenses_shared();
	struct kmt_lens_record *r;
	__u64 super, op;

	if (!l)
		return 0;
	op = (__u64)BPF_CORE_READ(f, f_op);
	super = LENS_READ(BPF_CORE_READ(f, f_path.dentry), d_sb);
	if (!op || !super || LENS_READ(BPF_CORE_READ(f, f_inode), i_sb) != super ||
	    !lens_super(super) || !compat_file_is_open(object))
		return 0;
	r = lens_found(l, KMT_LENS_FILE, super);
	r->op = op;
	r->detail = BPF_CORE_READ(f, f_inode, i_mode) >> 12;
	if (r->detail == KMT_LENS_CHARACTER || r->detail == KMT_LENS_BLOCK)
		r->space = BPF_CORE_READ(f, f_inode, i_rdev);
	/* such a file has no path: its name is a constant of the kernel, such as [eventfd] */
	if (BPF_CORE_READ((struct super_block *)super, s_magic) == ANON_INODES)
		bpf_probe_read_kernel_str(r->text, sizeof(r->text),
					  (void *)BPF_CORE_READ(f, f_path.dentry, d_name.name));
	return 1;
}

GLOBAL int lens_net(__u64 object)
{
	struct net *n = (void *)object;
	struct kmt_lenses *l = lenses_shared();

	if (!l || !l->net_ops || (__u64)BPF_CORE_READ(n, ns.ops) != l->net_ops ||
	    BPF_CORE_READ(n, passive.refs.counter) <= 0)
		return 0;
	lens_found(l, KMT_LENS_NET, 0)->space = BPF_CORE_READ(n, ns.inum);
	return 1;
}

GLOBAL int lens_mount(__u64 object)
{
	struct mount *m = (void *)object;
	struct kmt_lenses *l = lenses_shared();
	struct kmt_lens_record *r;
	__u64 super, space, above;

	if (!l)
		return 0;
	super = (__u64)BPF_CORE_READ(m, mnt.mnt_sb);
	if (!super || LENS_READ(BPF_CORE_READ(m, mnt.mnt_root), d_sb) != super ||
	    !lens_super(super) || BPF_CORE_READ(m, mnt.mnt_flags) & MOUNT_DOOMED)
		return 0;
	space = (__u64)BPF_CORE_READ(m, mnt_ns);
	if (space < -(__u64)ERRORS_AT_MOST)
		space = LENS_READ((struct mnt_namespace *)space, ns.inum);
	else
		space = 0; /* a mount of the kernel's own */
	r = lens_found(l, KMT_LENS_MOUNT, super);
	r->space = space;
	above = (__u64)BPF_CORE_READ(m, mnt_parent);
	if (l->names && above != object) {
		r->dentry = (__u64)BPF_CORE_READ(m, mnt_mountpoint);
		r->mount = FIELD_ADDRESS(above, struct mount, mnt);
	}
	return 1;
}

/* ---- recognising caches ---- */

/*
 * Find the struct inode in an object: one of the words of the object, i_data.host, is the address
 * of the inode. Is it word `i` of those copied from the offset `from` on? The copy may reach into
 * the objects behind this one.
 */
GLOBAL int lens_word_fits(__u64 object, __u32 from, __u32 i)
{
	__u64 where = object + from + i * 8, word;
	struct kmt_lenses *l = lenses_shared();

	if (!l || i >= KMT_LENS_COPY / 8)
		return 0;
	word = ((const __u64 *)l->copy)[i];
	if (word + bpf_core_field_offset(struct inode, i_data.host) != where || word < object ||
	    word - object + bpf_core_type_size(struct inode) > l->object_bytes)
		return 0;
	l->offset_found = word - object;
	return 1;
}

/* Search KMT_LENS_COPY bytes of the object. */
GLOBAL int lens_search(__u64 object, __u32 from)
{
	struct kmt_lenses *l = lenses_shared();

	if (!l || bpf_probe_read_kernel(l->copy, sizeof(l->copy), (void *)(object + from)))
		return 0;
	for (__u32 i = 0; i < KMT_LENS_COPY / 8; i++)
		if (lens_word_fits(object, from, i))
			return 1;
	return 0;
}

GLOBAL int lens_find_inode(__u64 object)
{
	struct kmt_lenses *l = lenses_shared();

	if (!l)
		return 0;
	for (__u32 i = 0; i < LENS_COPIES; i++) {
		if (i * KMT_LENS_COPY >= l->object_bytes)
			break;
		if (lens_search(object, i * KMT_LENS_COPY))
			return lens_inode(object + l->offset_found);
	}
	return 0;
}

/* Which lens does an object fit? */
GLOBAL int lens_probe(__u64 object)
{
	struct kmt_lenses *l = lenses_shared();
	__u32 lens = 0;

	if (!l)
		return 0;
	if (lens_socket(object, l->cache))
		lens = KMT_LENS_SOCKET;
	else if (lens_net(object))
		lens = KMT_LENS_NET;
	else if (lens_file(object))
		lens = KMT_LENS_FILE;
	else if (lens_mount(object))
		lens = KMT_LENS_MOUNT;
	else if (lens_dentry(object))
		lens = KMT_LENS_DENTRY;
	else if (lens_find_inode(object))
		lens = KMT_LENS_INODE;
	if (lens)
		l->fits[lens & 7]++;
	return 0;
}

/* ---- adding up ---- */

/* Is l->found of the same key as record `i`? Then add it to the record. */
GLOBAL int lens_add_to(__u32 i)
{
	struct kmt_lenses *l = lenses_shared();
	struct kmt_lens_record *r;

	if (!l || i >= KMT_LENS_RECORDS)
		return 0;
	r = &l->records[i];
	if (r->what != l->found.what || r->owner != l->found.owner ||
	    r->detail != l->found.detail || r->op != l->found.op || r->space != l->found.space ||
	    r->lens != l->found.lens || r->dentry != l->found.dentry)
		return 0;
	r->nr++;
	r->bytes += l->found.bytes;
	r->bytes2 += l->found.bytes2;
	return 1;
}

/* Add l->found to one of the last records, or to a new one. */
GLOBAL int lens_add(__u64 owner)
{
	struct kmt_lenses *l = lenses_shared();
	__u32 end;

	if (!l)
		return 0;
	l->found.owner = owner;
	l->found.nr = 1;
	end = LOAD(l->records_nr);
	for (__u32 back = 1; back <= RECORDS_NEAR; back++) {
		if (back > end)
			break;
		if (lens_add_to(end - back))
			return 0;
	}
	if (end >= KMT_LENS_RECORDS) {
		l->lost++;
		return 0;
	}
	l->records[end & (KMT_LENS_RECORDS - 1)] = l->found;
	STORE(l->records_nr, end + 1);
	return 0;
}

/* Look at an object by the lens of its cache. */
static __always_inline int lens_apply(__u64 object, __u64 owner)
{
	struct kmt_lenses *l = lenses_shared();
	struct super_block *super;
	int fits = 0;

	if (!l)
		return 0;
	switch (l->lens) {
	case KMT_LENS_PROBE:
		return lens_probe(object);
	case KMT_LENS_DENTRY:
		fits = lens_dentry(object);
		break;
	case KMT_LENS_INODE:
		fits = lens_inode(object + l->offset);
		break;
	case KMT_LENS_SOCKET:
		fits = lens_socket(object, l->cache);
		break;
	case KMT_LENS_FILE:
		fits = lens_file(object);
		break;
	case KMT_LENS_NET:
		fits = lens_net(object);
		break;
	case KMT_LENS_MOUNT:
		fits = lens_mount(object);
		break;
	}
	if (!fits)
		return 0;
	super = (void *)l->found.what;
	lens_add(owner);
	if (l->lens == KMT_LENS_INODE && BPF_CORE_READ(super, s_magic) == SOCKFS &&
	    lens_inode_socket(object + l->offset))
		lens_add(owner);
	return 0;
}

/* Object `i` of the slab that was taken. */
GLOBAL int lens_object(__u32 i)
{
	struct kmt_lenses *l = lenses_shared();
	struct kmt_audit *a = audit_shared();
	__u64 owner = 0;

	if (!l || !a || i >= KMT_SLAB_MAX || a->free[i >> 6] >> (i & 63) & 1)
		return 0;
	l->live++;
	if (l->owners)
		owner = compat_read_word(l->owners + (__u64)i * l->stride) & ~7ull;
	return lens_apply(a->base + (__u64)i * a->size +
				  compat_cache_red_pad((struct kmem_cache *)a->cache),
			  owner);
}

/* Look at up to LENS_STEPS objects from `first` on. Returns 1 if there are more to look at. */
GLOBAL int lens_objects(__u32 first)
{
	struct kmt_lenses *l = lenses_shared();
	struct kmt_audit *a = audit_shared();

	if (!l || !a)
		return 0;
	for (__u32 i = 0; i < LENS_STEPS; i++) {
		if (first + i >= a->objects ||
		    (l->lens == KMT_LENS_PROBE && l->live >= PROBE_OBJECTS))
			return 0;
		lens_object(first + i);
	}
	return 1;
}

GLOBAL int lens_slab(__u64 page)
{
	struct kmt_lenses *l = lenses_shared();
	struct kmt_audit *a = audit_shared();
	__u32 inuse, objects;
	bool walked;

	if (!l || !a)
		return 0;
	compat_slab_counts(page, &inuse, &objects);
	slab_take(a, address_of(page), objects == (a->order & 0xffff) ? a->order : a->min_order);
	walked = audit_slab_try();
	if (!walked)
		walked = audit_slab_try();
	if (!walked || a->objects != objects) {
		l->doubtful++;
		return 0;
	}
	l->owners = compat_slab_owners(page);
	if (l->owners)
		l->stride = compat_owners_stride(page, a->size);
	for (__u32 i = 0; i < KMT_SLAB_MAX / LENS_STEPS; i++)
		if (!lens_objects(i * LENS_STEPS))
			break;
	return 0;
}

/* Argument of the loader: l->cache and the members after it. */
SEC("?raw_tp")
int lens_scan(void *ctx)
{
	struct kmt_lenses *l = lenses_shared();
	struct kmt_audit *a = audit_shared();
	struct kmem_cache *s;

	if (!l || !a)
		return 0;
	l->records_nr = 0;
	l->live = 0;
	l->super = 0;
	if (!l->net_ops)
		l->net_ops = (__u64)BPF_CORE_READ((struct task_struct *)bpf_get_current_task(),
						  nsproxy, net_ns, ns.ops);
	audit_cache(l->cache);
	s = (void *)l->cache;
	l->object_bytes = BPF_CORE_READ(s, object_size);
	for (__u32 i = 0; i < KMT_CENSUS_FRAMES; i++) {
		__u64 page = lens_frame_base + (l->pfn + i) * bpf_core_type_size(struct page);

		if (i < LOAD(l->next))
			continue;
		if (i >= l->frames || LOAD(l->live) >= KMT_LENS_OBJECTS)
			break;
		STORE(l->next, i + 1);
		if (compat_page_is_slab(page) && compat_slab_cache(page) == l->cache)
			lens_slab(page);
	}
	return 0;
}

/* ---- by process ---- */

/*
 * Write the records of the current process. If there is no room, the kernel drops what was written
 * and shows the same file again, so they are kept. Returns 1 if they were written.
 */
static __always_inline int lens_holder_write(struct kmt_lenses *l, struct seq_file *seq)
{
	__u32 nr = LOAD(l->records_nr);

	for (__u32 i = 0; i < KMT_LENS_HELD; i++) {
		if (i >= nr)
			break;
		l->holder.held = l->records[i];
		if (bpf_seq_write(seq, &l->holder, sizeof(l->holder)))
			return 0;
	}
	STORE(l->records_nr, 0);
	return 1;
}

/* What a file is, for l->found; of a socket, the socket. */
GLOBAL int lens_open_file(__u64 file, __u64 data)
{
	struct kmt_lenses *l = lenses_shared();
	struct socket *socket = (void *)data;
	struct sock *k;

	if (!l || !lens_file(file))
		return 0;
	if (l->found.detail != KMT_LENS_SOCKET_FILE)
		return 1;
	k = (void *)LENS_READ(socket, sk);
	if (LENS_READ(k, sk_socket) != data)
		return 1;
	if (lens_socket((__u64)k, lens_socket_cache(k, BPF_CORE_READ(k, __sk_common.skc_state))))
		l->found.space = 0;
	return 1;
}

/*
 * Where the file in l->found is, for l->found; of a Unix socket, what it is bound to. `data` is
 * that of lens_open_file(), which has checked the rest. Returns 0 if it has no path: a pipe, say,
 * has a dentry of its own without a parent.
 */
GLOBAL int lens_open_path(__u64 file, __u64 data)
{
	struct kmt_lenses *l = lenses_shared();
	__u64 at = 0, mount = 0, super, k;
	struct kmt_lens_record *r;
	__u32 lens;

	if (!l)
		return 0;
	lens = l->found.lens;
	if (lens == KMT_LENS_FILE) {
		at = (__u64)BPF_CORE_READ((struct file *)file, f_path.dentry);
		mount = (__u64)BPF_CORE_READ((struct file *)file, f_path.mnt);
	} else if ((l->found.detail & 0xffff) == UNIX && bpf_core_type_exists(struct unix_sock)) {
		k = LENS_READ((struct socket *)data, sk);
		at = LENS_READ((struct unix_sock *)k, path.dentry);
		mount = LENS_READ((struct unix_sock *)k, path.mnt);
	}
	super = LENS_READ((struct dentry *)at, d_sb);
	if (!super || !lens_super(super))
		return 0;
	if (LENS_READ((struct dentry *)at, d_parent) == at &&
	    LENS_READ((struct super_block *)super, s_root) != at)
		return 0;
	r = lens_found(l, KMT_LENS_PATH, super);
	r->detail = lens;
	r->dentry = at;
	r->mount = mount;
	return 1;
}

/* Visits each open file once for each process that has it. */
SEC("?iter/task_file")
int lens_holders(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct kmt_lenses *l = lenses_shared();
	struct task_struct *task = ctx->task;
	__u64 file = 0, data;
	__u32 tgid;

	if (!l)
		return 0;
	/* as a number, because a function of its own takes no pointers to kernel types */
	bpf_probe_read_kernel(&file, sizeof(file), &ctx->file);
	if (!task || !file) { /* the end of the list */
		lens_holder_write(l, seq);
		return 0;
	}
	tgid = BPF_CORE_READ(task, tgid);
	/* a file adds up to two */
	if ((tgid != l->holder.tgid || LOAD(l->records_nr) >= KMT_LENS_HELD - 1) &&
	    !lens_holder_write(l, seq))
		return 0;
	if (tgid != l->holder.tgid) {
		l->holder.tgid = tgid;
		bpf_probe_read_kernel_str(
			l->holder.comm, sizeof(l->holder.comm),
			(void *)FIELD_ADDRESS((__u64)BPF_CORE_READ(task, group_leader),
					      struct task_struct, comm));
	}
	if (bpf_ktime_get_ns() > l->until_ns) {
		l->late++;
		return 0;
	}
	data = (__u64)BPF_CORE_READ((struct file *)file, private_data);
	if (!lens_open_file(file, data))
		return 0;
	lens_add(0);
	if (l->names && lens_open_path(file, data))
		lens_add(0);
	return 0;
}

/* Arguments: a super block or a struct proto, and which. Answer: l->name. */
SEC("?raw_tp")
int lens_name(struct bpf_raw_tracepoint_args *ctx)
{
	struct super_block *s = (void *)ctx->args[0];
	struct proto *p = (void *)ctx->args[0];
	struct kmt_lenses *l = lenses_shared();

	if (!l)
		return 0;
	l->name.known = 0;
	l->name.type[0] = l->name.device[0] = '\0';
	l->super = 0;
	if (ctx->args[1] == KMT_LENS_SOCKET) {
		bpf_probe_read_kernel_str(l->name.type, sizeof(l->name.type),
					  (void *)FIELD_ADDRESS(ctx->args[0], struct proto, name));
		l->name.known = BPF_CORE_READ(p, slab) || l->name.type[0];
	} else if (lens_super(ctx->args[0])) {
		bpf_probe_read_kernel_str(l->name.type, sizeof(l->name.type),
					  (void *)BPF_CORE_READ(s, s_type, name));
		bpf_probe_read_kernel_str(
			l->name.device, sizeof(l->name.device),
			(void *)FIELD_ADDRESS(ctx->args[0], struct super_block, s_id));
		l->name.known = 1;
	}
	return 0;
}

enum { PATH_GONE, PATH_GOES_ON, PATH_ENDS, PATH_IS_LONG };

/*
 * One step up from l->at: to its parent, or from the root of what is mounted to the mount point.
 * What is there may be gone by now, so each dentry must still be of the file system that it should
 * be of.
 */
GLOBAL int lens_path_step(void)
{
	struct kmt_lenses *l = lenses_shared();
	struct dentry *d;
	__u64 parent, level;

	if (!l)
		return PATH_GONE;
	d = (void *)l->at;
	if (LENS_READ(d, d_sb) != l->super || (int)LENS_READ(d, d_lockref.count) < 0)
		return PATH_GONE;
	if (l->mount && LENS_READ((struct vfsmount *)l->mount, mnt_root) == l->at) {
		__u64 m = l->mount - bpf_core_field_offset(struct mount, mnt);

		parent = LENS_READ((struct mount *)m, mnt_parent);
		if (parent == m)
			return PATH_ENDS;
		l->at = LENS_READ((struct mount *)m, mnt_mountpoint);
		l->mount = FIELD_ADDRESS(parent, struct mount, mnt);
		return lens_super(LENS_READ((struct vfsmount *)l->mount, mnt_sb)) ? PATH_GOES_ON
										  : PATH_GONE;
	}
	parent = LENS_READ(d, d_parent);
	level = l->path.levels;
	if (parent == l->at)
		return PATH_ENDS;
	if (level >= KMT_LENS_LEVELS)
		return PATH_IS_LONG;
	l->path.name[level][0] = '\0';
	bpf_probe_read_kernel_str(l->path.name[level], KMT_LENS_NAME,
				  (void *)LENS_READ(d, d_name.name));
	l->path.levels = level + 1;
	l->at = parent;
	return PATH_GOES_ON;
}

/*
 * Arguments: a dentry, its super block (0: whichever it is of) and the struct vfsmount that it is
 * in (0: the path begins at the root of its file system). Answer: l->path.
 */
SEC("?raw_tp")
int lens_path(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmt_lenses *l = lenses_shared();
	struct dentry *d = (void *)ctx->args[0];
	__u64 super = ctx->args[1];
	int step = PATH_GOES_ON;

	if (!l)
		return 0;
	l->path.known = 0;
	l->path.levels = 0;
	l->super = 0;
	l->at = ctx->args[0];
	l->mount = ctx->args[2];
	if (!lens_super(super ?: LENS_READ(d, d_sb)))
		return 0;
	l->path.deleted = !LENS_READ(d, d_hash.pprev) && LENS_READ(d, d_parent) != l->at;
	for (int i = 0; i < PATH_STEPS && step == PATH_GOES_ON; i++)
		step = lens_path_step();
	l->path.known = step != PATH_GONE;
	l->path.more = step != PATH_ENDS;
	return 0;
}
