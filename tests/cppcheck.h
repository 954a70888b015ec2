/* SPDX-License-Identifier: GPL-2.0-only */
/* For cppcheck alone: what the macros of system headers do, as far as it must know. scripts/test.sh
 * includes it everywhere. */
#define LIBBPF_OPTS(type, name, ...) struct type name = {0}
#define HASH_ITER(hh, head, el, tmp) for (el = head, tmp = (void *)el; el; el = tmp)
