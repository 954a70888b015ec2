#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest-side suite: what must be true of kmemtrace on every kernel. Run by tests/vm/init in a booted guest, in a
# directory that holds kmemtrace, jsonq and plant/. busybox sh only.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

test_version() {
	attempt version ./kmemtrace --version
}

# The kernels in the list all have BTF; one without would make every other failure here hard to read.
test_btf() {
	if [ -s /sys/kernel/btf/vmlinux ]; then ok btf; else not_ok btf "no /sys/kernel/btf/vmlinux"; fi
}

test_version
test_btf

[ "$failed" -eq 0 ]
