#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest-side suite: what must be true of kmemtrace on every kernel. Run by tests/vm/init in a booted guest, in a
# directory that holds kmemtrace, jsonq, bpfload, tracer.o and plant/. busybox sh only.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

test_version() {
	attempt version ./kmemtrace --version
}

# The kernels in the list all have BTF; one without would make every other failure here hard to read.
test_btf() {
	if [ -s /sys/kernel/btf/vmlinux ]; then ok btf; else not_ok btf "no /sys/kernel/btf/vmlinux"; fi
}

# Each BPF program by itself: the verifier's refusal is the first thing one wants to know.
test_load() {
	./bpfload tracer.o || failed=$((failed + 1))
}

test_version
test_btf
test_load

[ "$failed" -eq 0 ]
