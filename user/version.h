/* SPDX-License-Identifier: GPL-2.0-only */
#define KMEMTRACE_VERSION "0.1.0"
