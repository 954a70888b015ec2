#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The suite of a guest that gets what a newer Debian has built, run by tests/vm/newer_clang.sh: its kmemtrace records. If it
# does not, each program is loaded alone, to see which one the verifier refuses and why. It must run in busybox sh.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

attempt doctor ./kmemtrace doctor
attempt record-exact ./kmemtrace record -q -d 1 --exact -o /tmp/exact.kmt
attempt record ./kmemtrace record -q -d 1 -o /tmp/sampled.kmt
# All that doctor promises is attached: doctor loads nothing, and a recording goes on without what the verifier refuses.
./kmemtrace doctor --format json >/tmp/doctor.json 2>&1
./kmemtrace report --format json /tmp/exact.kmt >/tmp/report.json
./jsonq /tmp/doctor.json hooks name how >/tmp/promised
./jsonq /tmp/report.json capture.hooks name how >/tmp/attached
attempt hooks diff /tmp/promised /tmp/attached
attempt audit test "$(./jsonq /tmp/report.json capture.audit)" = ok
if [ "$failed" != 0 ]; then
	object=tracer.o
	[ "$(./jsonq /tmp/doctor.json cmpxchg)" = true ] || object=tracer_legacy.o
	./bpfload $object | sed 's/^\(not \)\{0,1\}ok /# &/'
fi
exit "$failed"
