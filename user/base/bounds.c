// SPDX-License-Identifier: GPL-2.0-only
/* Sets the limits with setrlimit() and explains them when they are reached. See bounds.h. */
#include "base/bounds.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static bool memory_bounded;

/* Async-signal-safe. */
static void cpu_time_is_over(int sig)
{
	static const char said[] =
		"kmemtrace: this takes more than 20 s of CPU time, far longer than any recording needs: ask for less (--top, --from and --to), or record anew if the capture is damaged\n";

	(void)sig;
	if (write(STDERR_FILENO, said, sizeof(said) - 1) < 0)
		_exit(1);
	_exit(1);
}

/* Lower a soft limit to `value`. */
static bool limit_lower(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return false;
	if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur <= value)
		return true;
	limit.rlim_cur = value;
	return !setrlimit(resource, &limit);
}

void bounds_set(void)
{
	struct sigaction action = {.sa_handler = cpu_time_is_over};

	memory_bounded = limit_lower(RLIMIT_DATA, BOUNDS_MEMORY);
	sigemptyset(&action.sa_mask);
	if (!sigaction(SIGXCPU, &action, NULL))
		limit_lower(RLIMIT_CPU, BOUNDS_CPU_S);
}

void bounds_renew(void)
{
	struct rusage used;
	struct rlimit limit;
	rlim_t wanted;

	if (!memory_bounded || getrusage(RUSAGE_SELF, &used) || getrlimit(RLIMIT_CPU, &limit))
		return;
	wanted = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1 + BOUNDS_CPU_S;
	if (limit.rlim_max != RLIM_INFINITY && wanted > limit.rlim_max)
		return;
	limit.rlim_cur = wanted;
	setrlimit(RLIMIT_CPU, &limit);
}

const char *bounds_memory_hint(void)
{
	return memory_bounded
		       ? " (kmemtrace takes 1,000 MiB at the most to read captures, and less where the machine "
			 "has less): ask for less with --top, or for a part with --from and --to"
		       : "";
}
