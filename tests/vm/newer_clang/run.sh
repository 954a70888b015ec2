#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The suite of a guest that gets what a newer Debian has built, run by tests/vm/newer_clang.sh: its kmemtrace records. If it
# does not, each program is loaded alone, to see which one the verifier refuses and why. It must run in busybox sh.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

attempt doctor ./kmemtrace doctor
attempt record-exact ./kmemtrace record -q -d 1 --exact -o /tmp/exact.kmt
attempt record ./kmemtrace record -q -d 1 -o /tmp/sampled.kmt
attempt report ./kmemtrace report /tmp/sampled.kmt
if [ "$failed" != 0 ]; then
	./kmemtrace doctor --format json >/tmp/doctor.json 2>&1
	object=tracer.o
	[ "$(./jsonq /tmp/doctor.json cmpxchg)" = true ] || object=tracer_legacy.o
	./bpfload $object | sed 's/^\(not \)\{0,1\}ok /# &/'
fi
exit "$failed"
