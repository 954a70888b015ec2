// SPDX-License-Identifier: GPL-2.0-only
/* A child with limits, whose output comes through a pipe: see confined.h. */
#include "base/confined.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* ---- the child ---- */

#if defined(__x86_64__)
#define CONFINED_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CONFINED_ARCH AUDIT_ARCH_AARCH64
#endif

#if defined(__SANITIZE_ADDRESS__)
#define CONFINED_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONFINED_SANITIZED
#endif
#endif

/* Fail all system calls but those that memory, open files and the end of a process need. */
static void confined_filter(void)
{
#ifdef CONFINED_ARCH
	static const uint32_t allowed[] = {
		__NR_read,         __NR_pread64,        __NR_write,     __NR_close,
		__NR_fstat,        __NR_newfstatat,     __NR_lseek,     __NR_mmap,
		__NR_munmap,       __NR_mremap,         __NR_mprotect,  __NR_madvise,
		__NR_brk,          __NR_futex,          __NR_getrandom, __NR_clock_gettime,
		__NR_rt_sigreturn, __NR_rt_sigprocmask, __NR_getpid,    __NR_gettid,
		__NR_sigaltstack,  __NR_tgkill,         __NR_exit,      __NR_exit_group,
	};
	struct sock_filter code[5 + 2 * sizeof(allowed) / sizeof(allowed[0])];
	unsigned short nr = 0;

	code[nr++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, arch));
	code[nr++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CONFINED_ARCH, 1, 0);
	code[nr++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[nr++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		code[nr++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
		code[nr++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	code[nr++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	/* a kernel without seccomp: the other limits must do */
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &(struct sock_fprog){.len = nr, .filter = code});
#endif
}

static void confined_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return;
	if (limit.rlim_cur > value)
		limit.rlim_cur = value;
	if (limit.rlim_max > value)
		limit.rlim_max = value;
	setrlimit(resource, &limit);
}

static void confined_bounds(const struct confinement *bounds)
{
	static const int fatal[] = {SIGXCPU, SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], SIG_DFL); /* no handler of the parent's may go on from here */
	confined_limit(RLIMIT_CPU, (rlim_t)ceil(bounds->seconds));
#ifndef CONFINED_SANITIZED /* a sanitizer maps terabytes that it does not use */
	confined_limit(RLIMIT_DATA, bounds->memory_bytes);
#endif
	confined_limit(RLIMIT_CORE, 0);
	if (!bounds->no_files)
		return;
	confined_limit(RLIMIT_FSIZE, 0); /* a pipe is not a file */
	confined_filter();
}

static void confined_child(int (*work)(void *arg, FILE *out), void *arg,
			   const struct confinement *bounds, int fd)
{
	FILE *out = fdopen(fd, "w");
	int err = out ? 0 : ENOMEM;

	confined_bounds(bounds);
	if (!err)
		err = -work(arg, out);
	if (!err && fflush(out))
		err = EIO;
	_exit(err < 0 || err > 125 ? EIO : err); /* nothing of the parent's is flushed */
}

/* ---- the parent ---- */

struct confined_output {
	ARRAY_OF(char);
};

/* Read all that comes until the end or the deadline. */
static int confined_read(int fd, const struct confinement *bounds, struct confined_output *o)
{
	uint64_t end_ns = clock_ns() + (uint64_t)(bounds->seconds * 1e9);

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		uint64_t now_ns = clock_ns();
		ssize_t got;

		if (now_ns >= end_ns)
			return -ETIMEDOUT;
		if (poll(&wait, 1, (int)((end_ns - now_ns) / 1000000) + 1) < 0 && errno != EINTR)
			return -errno;
		if (!wait.revents)
			continue;
		if (o->nr >= bounds->output_bytes)
			return -EFBIG;
		if (array_grow((void **)&o->items, &o->cap, 1, o->nr + 65536))
			return -ENOMEM;
		got = read(fd, o->items + o->nr, 65536);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return 0;
		o->nr += (size_t)got;
	}
}

static int confined_end(pid_t pid, int err)
{
	int status;

	if (err)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (err)
		return err;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ? -ETIMEDOUT
										  : -EFAULT;
	return -WEXITSTATUS(status);
}

int confined_run(int (*work)(void *arg, FILE *out), void *arg, const struct confinement *bounds,
		 char **output, size_t *len)
{
	struct confined_output o = {0};
	int pipes[2], err;
	pid_t pid;

	if (pipe(pipes))
		return -errno;
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		confined_child(work, arg, bounds, pipes[1]);
	}
	err = pid < 0 ? -errno : 0;
	close(pipes[1]);
	if (!err)
		err = confined_end(pid, confined_read(pipes[0], bounds, &o));
	close(pipes[0]);
	if (err) {
		ARRAY_FREE(&o);
		return err;
	}
	*output = o.items;
	*len = o.nr;
	return 0;
}
