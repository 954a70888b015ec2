// SPDX-License-Identifier: GPL-2.0-only
/*
 * capexec N,N... COMMAND ARGUMENT...: run the command as nobody, with only these capabilities (by
 * number, as in linux/capability.h). For the guests' suite, which has no setpriv.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

int main(int argc, char **argv)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {};
	int cap;

	if (argc < 3)
		return 2;
	for (char *at = argv[1]; *at; at += *at == ',') {
		cap = strtol(at, &at, 10);
		sets[cap / 32].effective |= 1u << (cap & 31);
		sets[cap / 32].permitted |= 1u << (cap & 31);
		sets[cap / 32].inheritable |= 1u << (cap & 31);
	}
	if (prctl(PR_SET_KEEPCAPS, 1) || setgid(NOBODY) || setuid(NOBODY) ||
	    syscall(SYS_capset, &header, sets)) {
		perror("capexec");
		return 2;
	}
	for (cap = 0; cap < 64; cap++)
		if (sets[cap / 32].inheritable >> (cap & 31) & 1)
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 2;
}
