// SPDX-License-Identifier: GPL-2.0-only
/* What libbpf says. See libbpf_log.h. */
#include "trace/libbpf_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/log.h"

static char first[4096];

static int libbpf_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[1024];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("libbpf: %s", line);
	if (level == LIBBPF_WARN && !first[0])
		snprintf(first, sizeof(first), "%s", line);
	return 0;
}

void libbpf_log_begin(void)
{
	first[0] = '\0';
	libbpf_set_print(libbpf_log);
}

const char *libbpf_log_first(void)
{
	return first;
}
