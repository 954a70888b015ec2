#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The suite of a guest that gets what a newer Debian has built, run by tests/vm/newer_clang.sh: its programs load, one by
# one, and its kmemtrace records. It must run in busybox sh.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

attempt doctor ./kmemtrace doctor
./kmemtrace doctor --format json >/tmp/doctor.json 2>&1
object=tracer.o
[ "$(./jsonq /tmp/doctor.json cmpxchg)" = true ] || object=tracer_legacy.o
./bpfload $object
attempt record-exact ./kmemtrace record -q -d 1 --exact -o /tmp/exact.kmt
attempt record ./kmemtrace record -q -d 1 -o /tmp/sampled.kmt
attempt report ./kmemtrace report /tmp/sampled.kmt
exit $failed
