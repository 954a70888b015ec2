/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memoised unwinder: which stack is this? Stacks at allocation repeat. Instead of unwinding
 * each time (1–1.7 µs), it remembers where on the stack the return addresses lie and looks there.
 * track_alloc() calls unwind_stack() for each sampled allocation. It must never return a stack that
 * it did not verify: a memo counts only if its sum matches.
 *
 * key:   the call site, and what the task is doing: its system call number, which is at the end of
 *        its stack; in a kernel thread or an interrupt, the distance of ctx from that end. There
 *        can be several memos for one key. Events that name no call site use the frames nearest
 *        to ctx instead: the distance from one return address to the next is the frame's size,
 *        which depends on the address alone, so it is learned once for each address (`chain`).
 * hit:   the words at a memo's offsets add up to its sum: the same stack. This takes tens of
 *        instructions and no call. Most offsets count from ctx. Frames of the kernel's entry are at
 *        a fixed distance from the end of the stack instead, wherever ctx is.
 * miss:  call bpf_get_stack(), then find each return address, in order, among the words of the
 *        stack, and store the offsets in a new memo.
 * audit: unwind every 4096th hit (cfg_audit) again; if the two disagree, count it and drop the
 *        memo.
 *
 * ctx of a raw tracepoint is on the current kernel stack, in bpf_trace_run's frame, below every
 * frame that matters. In interrupt context it is on an interrupt stack. Frames beyond that stack
 * belong to the interrupted task and say nothing about who allocated, so the stack is cut there.
 * The sum is a polynomial in the return addresses: see kmt_sum().
 */
#ifndef KMEMTRACE_UNWIND_BPF_H
#define KMEMTRACE_UNWIND_BPF_H

#include "state.bpf.h"

#define UNWIND_PREFIX \
	12 /* the most frames before the call site: program, trampoline and allocator */
#define UNWIND_OWN                                                                      \
	5 /* of these, frames below ctx: unwind_walk() and its callers (see there), and \
	     bpf_trace_run */
#define UNWIND_NEAR     8  /* frames that stand for the call site if the event names none */
#define UNWIND_CHAIN    13 /* log2 of the number of frame sizes remembered */
#define UNWIND_DEPTH    (KMT_FRAMES + UNWIND_PREFIX)
#define UNWIND_FUNCTION 3  /* frames of the program, the trampoline and the traced function */
#define UNWIND_CHUNK    64 /* words read at once */
#define UNWIND_CHUNKS   17 /* 8 KiB of stack, plus the chunk that ctx is in */
#define UNWIND_COARSE                                                                          \
	12 /* shift of the depth in the key of a system call: x86 varies the depth by 1 KiB at \
	      random on each call */
#define UNWIND_PART 3
#define PF_KTHREAD  0x00200000 /* in task_struct.flags (include/linux/sched.h) */
#define UNWIND_IRQ  0x8000     /* in the key: the depth is within an interrupt stack */
#define UNWIND_ODD  0x9E3779B97F4A7C15ull

/* What does not fit on the BPF stack. One for each CPU and nesting level. */
struct unwind_scratch {
	__u64 number; /* a pointer stored here and read back is a number to the verifier */
	__u64 addr;   /* the object that was allocated */
	struct kmt_object object;
	__u64 site;  /* the caller that the tracepoint names, or 0 */
	__u64 began; /* start time, if the time spent on samples is measured; else 0 */
	__u64 task;  /* the current task */
	__u64 sp;
	__u64 end; /* end of the stack */
	__u64 key;
	__u32 nr, start; /* number of frames in ip; the first one that counts */
	__u32 at;        /* the next frame to find */
	__u32 irq;
	__u64 ip[UNWIND_DEPTH];
	__u64 chunk[UNWIND_CHUNK];
	struct kmt_memo memo;
	struct kmt_stack stack;
};
_Static_assert(sizeof(struct unwind_scratch) <= KMT_SCRATCH, "the loader counts on this size");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* cfg_nest for each CPU */
	__type(key, __u32);
	__type(value, struct unwind_scratch);
} scratch SEC(".maps") WEAK;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmt_stack);
} stacks SEC(".maps") WEAK;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmt_memo);
} memos SEC(".maps") WEAK;

/*
 * The first memo of each hash of the key. Memos stay in the order in which they were learned,
 * because what is seen first is seen most. The rows of memos are handed out one after the other, so
 * they are close together.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} memo_heads SEC(".maps") WEAK;

__u32 memo_next WEAK = 1; /* the first row that may be free */

static __always_inline struct unwind_scratch *scratch_of(__u32 row)
{
	return bpf_map_lookup_elem(&scratch, &row);
}

/* Turn a pointer into a number: the verifier allows no arithmetic on ctx or kernel pointers. */
static __always_inline __u64 scratch_number(struct unwind_scratch *s, const void *ptr)
{
	*(volatile __u64 *)&s->number = (__u64)ptr;
	return *(volatile __u64 *)&s->number;
}

/* The row of s->stack, added if it is new. Returns 0 if the table is full. */
GLOBAL int stack_intern(__u32 scratch_row)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	__u32 h;

	if (!s)
		return 0;
	h = hash_row(s->stack.hash, cfg_stack_shift);
	for (int i = 0; i < KMT_PROBES; i++) {
		__u32 row = h + i;
		struct kmt_stack *p = bpf_map_lookup_elem(&stacks, &row);

		if (!p) /* the loader makes KMT_PROBES more rows than the hash can name */
			break;
		if (!row)
			continue;
		if (p->hash == s->stack.hash)
			return row;
		if (p->hash || !compat_swap(&p->hash, row, 0, s->stack.hash)) {
			if (p->hash == s->stack.hash)
				return row;
			continue;
		}
		p->call_site = s->stack.call_site;
		p->flags = s->stack.flags;
		__builtin_memcpy(p->ip, s->stack.ip, sizeof(p->ip));
		p->nr = s->stack.nr;
		return row;
	}
	return 0;
}

/*
 * Frame sizes: a return address in the low 48 bits, and the words from it to the next return
 * address in the high 16. The distance from ctx to the first return address of an event is kept in
 * the same way, under a small number for the pool.
 */
__u64 chain[1 << UNWIND_CHAIN] WEAK = {};

#define CHAIN_ADDR ((1ull << 48) - 1)

static __always_inline __u32 chain_row(__u64 ip)
{
	return (ip * UNWIND_ODD) >> (64 - UNWIND_CHAIN);
}

/* Words from the return address ip to the next one; 0 if not known. */
static __always_inline __u32 chain_step(__u64 ip)
{
	__u64 known = chain[chain_row(ip)];

	return (known ^ ip) & CHAIN_ADDR ? 0 : known >> 48;
}

/* A row keeps the first address that it got: keys made from it must not change. */
static __always_inline void chain_learn(__u64 ip, __u64 words)
{
	__u64 *row = &chain[chain_row(ip)];

	if (words && words < 1 << 16 && (!*row || !((*row ^ ip) & CHAIN_ADDR)))
		*row = (ip & CHAIN_ADDR) | words << 48;
}

/*
 * What stands for the call site: the return addresses nearest to ctx, as far as frame sizes are
 * known.
 */
static __always_inline __u64 unwind_near_by(bool reads, __u64 sp, __u64 end, __u32 pool)
{
	__u64 ip = pool + 1, at = sp, near = 0;

	for (int i = 0; i <= UNWIND_NEAR; i++) {
		__u32 words = chain_step(ip);

		near = near * UNWIND_ODD + (words ? ip : 0);
		at += words * 8;
		if (!words || at >= end)
			break;
		ip = compat_read_word_by(reads, at);
	}
	return near;
}

static __always_inline __u64 unwind_near(__u64 sp, __u64 end, __u32 pool)
{
	return compat_reads() ? unwind_near_by(true, sp, end, pool)
			      : unwind_near_by(false, sp, end, pool);
}

/* Remember the sizes of the frames nearest to ctx, from the offsets in s->memo. */
GLOBAL int unwind_near_learn(__u32 scratch_row, __u32 nr)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	__u64 ip, from = 0, start;

	if (!s)
		return 0;
	ip = s->object.pool + 1;
	start = s->start;
	if (start >= UNWIND_PREFIX)
		return 0;
	barrier_var(start);
	for (__u32 i = 0; i <= UNWIND_NEAR; i++) {
		if (i >= nr)
			break;
		chain_learn(ip, s->memo.word[i] - from);
		ip = s->ip[start + i];
		from = s->memo.word[i];
	}
	return 0;
}

/* Find the first frame that counts: the call site, or else the first frame that is above ctx. */
static __always_inline void unwind_find_start(struct unwind_scratch *s)
{
	s->start = 0;
	if (s->site) {
		for (__u32 i = 0; i < UNWIND_PREFIX; i++)
			if (i < s->nr && s->ip[i] == s->site) {
				s->start = i;
				return;
			}
		return;
	}
	/*
	 * the first UNWIND_OWN frames are below ctx. Skip them: an earlier, deeper run can have
	 * left copies of them above ctx
	 */
	s->start = UNWIND_OWN;
	if (bpf_probe_read_kernel(s->chunk, sizeof(s->chunk), (void *)s->sp))
		return;
	for (__u32 i = UNWIND_OWN; i < UNWIND_PREFIX; i++) {
		if (i >= s->nr)
			return;
		for (int w = 0; w < UNWIND_CHUNK; w++)
			if (s->chunk[w] == s->ip[i]) {
				s->start = i;
				return;
			}
	}
}

/*
 * Find further frames in the chunk of stack at `at`. The loop keeps its state in map memory and
 * reads it as volatile; otherwise the verifier would follow every value.
 */
GLOBAL int unwind_learn_chunk(__u32 scratch_row, __u64 at)
{
	struct unwind_scratch *s = scratch_of(scratch_row);

	if (!s || bpf_probe_read_kernel(s->chunk, sizeof(s->chunk), (void *)at))
		return 0;
	for (__u32 w = 0; w < UNWIND_CHUNK; w++) {
		__u32 i = *(volatile __u32 *)&s->at;
		__u32 m = i - *(volatile __u32 *)&s->start;
		__u64 addr = at + w * 8;

		if (i >= UNWIND_DEPTH || i >= *(volatile __u32 *)&s->nr || m >= KMT_FRAMES)
			break;
		if (addr < *(volatile __u64 *)&s->sp ||
		    *(volatile __u64 *)&s->chunk[w] != *(volatile __u64 *)&s->ip[i])
			continue;
		s->memo.word[m] = (addr - s->sp) >> 3;
		s->at = i + 1;
	}
	return 1;
}

/*
 * Find s->ip[s->start…], in order, among the words from s->sp to s->end, and write their offsets to
 * s->memo. Returns how many were found.
 */
GLOBAL int unwind_learn(__u32 scratch_row)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	__u64 at;

	if (!s)
		return 0;
	at = s->sp & ~(UNWIND_CHUNK * 8ull - 1);
	s->at = s->start;
	for (int c = 0; c < UNWIND_CHUNKS; c++) {
		if (at >= s->end || s->at >= s->nr)
			break;
		if (!unwind_learn_chunk(scratch_row, at))
			break;
		at += UNWIND_CHUNK * 8;
	}
	return s->at - s->start;
}

/* Fill in s->stack and s->memo.sum from nr frames at s->start. */
GLOBAL int unwind_sum(__u32 scratch_row, __u32 nr)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	__u64 sum = 0, start;

	if (!s)
		return 0;
	start = s->start;
	if (start >= UNWIND_PREFIX)
		return 0;
	barrier_var(start);
	__builtin_memset(s->stack.ip, 0, sizeof(s->stack.ip));
	for (__u32 i = 0; i < KMT_FRAMES; i++) {
		if (i >= nr)
			break;
		if (i == UNWIND_PART)
			s->memo.part = sum;
		s->stack.ip[i] = s->ip[start + i];
		sum = kmt_sum(sum, s->ip[start + i]);
	}
	s->stack.nr = nr;
	s->memo.sum = sum;
	s->stack.hash = (sum ^ s->site ^ nr ^ (__u64)s->object.pool << 56) | 1;
	s->stack.call_site = s->site;
	return 0;
}

/* Words from ctx to the end of the stack. */
static __always_inline __s32 unwind_depth(const struct unwind_scratch *s)
{
	return (s->end - s->sp) >> 3;
}

/*
 * The stack in s is known at `memo_row`, but its frames lie elsewhere now. If those that moved kept
 * their distance from the end of the stack, the memo uses that distance from now on. Returns
 * whether it does.
 */
GLOBAL int unwind_moved(__u32 scratch_row, __u32 memo_row)
{
	struct kmt_memo *m = bpf_map_lookup_elem(&memos, &memo_row);
	struct unwind_scratch *s = scratch_of(scratch_row);
	__s32 depth;
	__u32 nr;

	if (!s || !m || !m->nr || m->nr != s->stack.nr)
		return 0;
	nr = m->nr;
	depth = unwind_depth(s);
	s->at = 0;
	for (__u32 i = 0; i < KMT_FRAMES; i++) {
		__s32 was, from_ctx, from_end;

		if (i >= nr)
			break;
		was = m->word[i];
		from_ctx = s->memo.word[i];
		from_end = from_ctx - depth;
		if (was == from_ctx || was == from_end)
			continue;
		if (was < 0 || was - m->depth != from_end)
			return 0;
		m->word[i] = from_end;
		s->at = 1;
	}
	return s->at;
}

/* Claim a free memo for a key. Returns its row, or 0 if the table is full. */
GLOBAL int memo_claim(__u64 key)
{
	__u32 from = memo_next;

	for (int i = 0; i < KMT_PROBES; i++) {
		__u32 row = from + i;
		struct kmt_memo *m = bpf_map_lookup_elem(&memos, &row);

		if (!m)
			break;
		if (m->key || !compat_swap(&m->key, row, 0, key))
			continue;
		memo_next = row + 1;
		return row;
	}
	return 0;
}

/* Remember the stack in s under s->key. Returns whether that worked. */
GLOBAL int unwind_remember(__u32 scratch_row, __u32 stack)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	__u32 h, row, last;
	struct kmt_memo *m;
	__u64 *link;

	if (!s)
		return 0;
	h = hash_row(s->key, cfg_memo_shift);
	link = bpf_map_lookup_elem(&memo_heads, &h);
	if (!link)
		return 0;
	for (int w = 0; *link; w++) {
		row = *link;
		m = w < KMT_WAYS ? bpf_map_lookup_elem(&memos, &row) : NULL;
		if (!m)
			return 0;
		if (m->key == s->key && m->stack == stack && unwind_moved(scratch_row, row))
			return 1;
		link = &m->next;
	}
	row = memo_claim(s->key);
	m = row ? bpf_map_lookup_elem(&memos, &row) : NULL;
	if (!m)
		return 0;
	m->sum = s->memo.sum;
	m->part = s->memo.part;
	m->stack = stack;
	m->depth = unwind_depth(s);
	__builtin_memcpy(m->word, s->memo.word, sizeof(m->word));
	/* the kernel's entry frame is at the end of the stack, wherever ctx is */
	last = s->stack.nr - 1;
	barrier_var(last);
	if (last < KMT_FRAMES && !(s->stack.flags & (KMT_STACK_IRQ | KMT_STACK_TRUNCATED)))
		m->word[last] -= m->depth; /* now below 0: from the end of the stack */
	m->nr = s->stack.nr;
	return compat_swap(link, h, 0, row); /* if another CPU linked a memo of the same hash first,
						learn this one the next time */
}

/*
 * Unwind into s->ip; the frames that count are [start, nr). Returns how many there are, or 0 on
 * failure. If the event names no call site, the caller must be unwind_miss() or unwind_audit(),
 * called from a global function of the program: UNWIND_OWN depends on it.
 */
GLOBAL int unwind_walk(struct bpf_raw_tracepoint_args *ctx, __u32 scratch_row)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	long len;

	if (!s)
		return 0;
	len = bpf_get_stack(ctx, s->ip, sizeof(s->ip), 0);
	if (len <= 0)
		return 0;
	s->nr = len / 8;
	if (s->nr > UNWIND_DEPTH)
		s->nr = UNWIND_DEPTH;
	unwind_find_start(s);
	return s->nr > s->start ? s->nr - s->start : 0;
}

/*
 * Intern the stack of `nr` frames at s->start. `found` of them lie on the stack at s->sp; in an
 * interrupt, the others belong to the interrupted task. Returns the stack's row; s->stack.nr is the
 * number of frames kept. It is inlined because the call chain is already at the depth limit.
 */
static __always_inline int unwind_intern(struct unwind_scratch *s, __u32 scratch_row, __u32 nr,
					 __u32 found)
{
	int stack;

	s->stack.flags = (s->irq ? KMT_STACK_IRQ : 0) | s->object.pool << KMT_STACK_POOL;
	if (nr > KMT_FRAMES) {
		s->stack.flags |= KMT_STACK_TRUNCATED;
		nr = KMT_FRAMES;
	}
	if (s->irq && found && found < nr) {
		nr = found;
		s->stack.flags &= ~KMT_STACK_TRUNCATED;
	}
	unwind_sum(scratch_row, nr);
	stack = stack_intern(scratch_row);
	if (!stack)
		loss_shared(KMT_LOSS_STACK_FULL);
	return stack;
}

/* Handle a miss: unwind, learn, intern. Returns the stack's row. */
GLOBAL int unwind_miss(struct bpf_raw_tracepoint_args *ctx, __u32 scratch_row, __u32 cpu_id)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	__u32 nr, found = 0;
	int stack;

	if (!s || !cpu)
		return 0;
	cpu->stats[KMT_STAT_UNWIND_MISSES]++;
	nr = unwind_walk(ctx, scratch_row);
	if (!nr) { /* the call site alone is better than nothing */
		cpu->losses[KMT_LOSS_STACK_FAILED]++;
		s->ip[0] = s->site;
		s->start = 0;
		nr = 1;
	} else {
		found = unwind_learn(scratch_row);
		if (!s->site)
			unwind_near_learn(scratch_row, found);
	}
	stack = unwind_intern(s, scratch_row, nr, found);
	if (!stack || found < s->stack.nr)
		return stack;
	if (unwind_remember(scratch_row, stack))
		cpu->stats[KMT_STAT_UNWIND_LEARNED]++;
	else
		cpu->stats[KMT_STAT_UNWIND_FULL]++;
	return stack;
}

/*
 * What the task is doing, for the key, in 16 bits: its system call, or how deep a kernel thread's
 * stack is.
 */
static __always_inline __u64 unwind_activity(struct unwind_scratch *s, struct task_struct *task,
					     __u64 depth)
{
	__u64 activity = 0;

	if (TASK_READ(task, flags) & PF_KTHREAD)
		activity = depth >> 3;
	else if (likely(syscall_at))
		activity = compat_read_word(s->end - syscall_at) << 2 ^ depth >> UNWIND_COARSE;
	return activity & ~UNWIND_IRQ;
}

/* Find out where s->sp lies: sets s->task, s->irq, s->end and s->key. */
static __always_inline void unwind_locate(struct unwind_scratch *s)
{
	struct task_struct *task = compat_task();
	__u64 base, depth, activity;

	s->task = scratch_number(s, task);
	base = scratch_number(s, TASK_READ(task, stack));
	depth = s->sp - base;
	s->irq = depth >= cfg_thread_size;
	if (unlikely(s->irq)) {
		s->end = s->sp +
			 UNWIND_CHUNKS * UNWIND_CHUNK * 8; /* reading stops at the guard page */
		activity = ((s->sp & 0x3fff) >> 3) | UNWIND_IRQ;
	} else {
		s->end = base + cfg_thread_size;
		activity = unwind_activity(s, task, depth);
	}
	s->key = (s->site ?: unwind_near(s->sp, s->end, s->object.pool)) ^ activity << 48;
}

/*
 * The stack at a traced function. `ctx` is the program's context, on the trampoline's part of the
 * stack. Such calls are too rare to remember, and a global function does not accept such a context.
 */
static __always_inline int unwind_function(void *ctx, struct unwind_scratch *s, __u32 scratch_row)
{
	long len = bpf_get_stack(ctx, s->ip, sizeof(s->ip), 0);

	s->nr = len > 0 ? (__u64)len >> 3 : 0;
	if (s->nr <= UNWIND_FUNCTION) {
		loss_shared(KMT_LOSS_STACK_FAILED);
		return 0;
	}
	s->start = UNWIND_FUNCTION;
	s->sp = scratch_number(s, ctx);
	unwind_locate(s);
	return unwind_intern(s, scratch_row, s->nr - UNWIND_FUNCTION, unwind_learn(scratch_row));
}

/* Unwind a hit again: does it agree? If not, count that and drop the memo. */
GLOBAL int unwind_audit(struct bpf_raw_tracepoint_args *ctx, __u32 scratch_row, __u32 cpu_id,
			__u32 memo_row)
{
	struct kmt_memo *m = bpf_map_lookup_elem(&memos, &memo_row);
	struct unwind_scratch *s = scratch_of(scratch_row);
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	__u32 nr;

	if (!s || !m || !cpu)
		return 1;
	cpu->stats[KMT_STAT_UNWIND_AUDITED]++;
	nr = unwind_walk(ctx, scratch_row);
	if (s->irq ? nr >= m->nr : nr == m->nr || nr > KMT_FRAMES) {
		unwind_sum(scratch_row, m->nr);
		if (s->memo.sum == m->sum)
			return 1;
	}
	cpu->stats[KMT_STAT_UNWIND_WRONG]++;
	m->nr = 0;
	return 0;
}

/* Do the words at a memo's offsets add up to its sum, on the stack from sp to end? */
static __always_inline bool unwind_adds_up_by(bool reads, const struct kmt_memo *m, __u64 sp,
					      __u64 end)
{
	__u64 sum = 0;
	__u32 nr = m->nr;

	for (__u32 i = 0; i < KMT_FRAMES; i++) {
		__s64 word;

		if (i >= nr)
			break;
		if (i == UNWIND_PART && (__u32)sum != m->part)
			return false;
		word = m->word[i];
		sum = kmt_sum(sum, compat_read_word_by(reads, (word < 0 ? end : sp) + word * 8));
	}
	return nr && sum == m->sum;
}

/* The same for memo `memo_row`. */
GLOBAL int unwind_matches(__u32 memo_row, __u64 sp, __u64 end)
{
	struct kmt_memo *m = bpf_map_lookup_elem(&memos, &memo_row);

	if (!m)
		return 0;
	return compat_reads() ? unwind_adds_up_by(true, m, sp, end)
			      : unwind_adds_up_by(false, m, sp, end);
}

/*
 * The stack at this tracepoint. s->site is the caller that the tracepoint names, or 0. Sets s->irq
 * if the event happened in interrupt context.
 */
static __always_inline int unwind_stack(struct bpf_raw_tracepoint_args *ctx,
					struct unwind_scratch *s, __u32 scratch_row,
					struct kmt_cpu *cpu, __u32 cpu_id)
{
	struct kmt_memo *m;
	__u64 *head;
	__u32 row;

	s->sp = scratch_number(s, ctx);
	unwind_locate(s);
	row = hash_row(s->key, cfg_memo_shift);
	head = bpf_map_lookup_elem(&memo_heads, &row);
	row = head ? *head : 0;
	for (int w = 0; row && w < KMT_WAYS; w++, row = m->next) {
		m = bpf_map_lookup_elem(&memos, &row);
		if (!m)
			break;
		if (m->key != s->key || !unwind_matches(row, s->sp, s->end))
			continue;
		if ((++cpu->stats[KMT_STAT_UNWIND_HITS] & cfg_audit) == 0 &&
		    !unwind_audit(ctx, scratch_row, cpu_id, row))
			break;
		return m->stack;
	}
	return unwind_miss(ctx, scratch_row, cpu_id);
}

#endif
