#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest-side suite: what must be true of kmemtrace on every kernel. Run by tests/vm/init in a booted guest, in a
# directory that holds kmemtrace, jsonq, bpfload, tracer.o and plant/. busybox sh only.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

# Planted kinds (tests/plant) and how many of each: one object of the named cache, from the named function, each.
PLANTED="file:5000 dentry:5000 msg:3000 pipe:500 epoll:3000 timerfd:2000"
# The same beside slab: POOL, the event it is traced by, kind, count, objects that each makes (a page or a ring's block).
POOLS="kstack task:task_newtask thread 300 1
pagetable kmem:mm_page_alloc sparse 1000 1
page kmem:mm_page_alloc pipedata 100 16
page kmem:mm_page_alloc packet 10 16
vmalloc vmalloc:alloc_vmap_area bpfarray 10 1
percpu percpu:percpu_alloc_percpu bpfpercpu 100 1"
CHURNED="msg:20000 pipe:10000 epoll:10000"
CAPTURE=/tmp/t.kmt
REPORT=/tmp/t.json

json() { ./jsonq "$REPORT" "$1" 2>/dev/null; }

test_version() {
	attempt version ./kmemtrace --version
}

# The kernels in the list all have BTF; one without would make every other failure here hard to read.
test_btf() {
	if [ -s /sys/kernel/btf/vmlinux ]; then ok btf; else not_ok btf "no /sys/kernel/btf/vmlinux"; fi
}

# Each BPF program by itself: the verifier's refusal is the first thing one wants to know.
test_load() {
	object=tracer.o
	[ "$(./jsonq /tmp/doctor.json cmpxchg)" = true ] || object=tracer_old.o
	./bpfload $object || failed=$((failed + 1))
}

test_doctor() {
	attempt doctor ./kmemtrace doctor
	file_block doctor /tmp/attempt.out
	./kmemtrace doctor --format json >/tmp/doctor.json 2>&1
	file_block doctor.json /tmp/doctor.json
}

# record NAME OPTION… -- COMMAND: record while the command runs, then report to $REPORT. A failure is NAME's.
record() {
	name=$1
	shift
	rm -f "$CAPTURE" "$REPORT"
	if ! timeout -s KILL 90 ./kmemtrace record -q -f -o "$CAPTURE" "$@" >/tmp/record.out 2>&1; then
		not_ok "$name" "record: $(grep -v ': wrote ' /tmp/record.out | tail -n 1)"
		return 1
	fi
	if ! ./kmemtrace report --format json "$CAPTURE" >"$REPORT" 2>/tmp/report.err; then
		not_ok "$name" "report failed: $(tail -n 1 /tmp/report.err)"
		return 1
	fi
}

test_record() {
	record record -d 2 || return
	if [ "$(json capture.complete)" = true ]; then ok record; else not_ok record "the capture is not complete"; fi
	within record-slab-level "$(json pools.name=Slab.end_kb)" 1000 200000
}

# ready FIELD: of the READY line that plant and churn print.
ready() { sed -n "s/^READY.* $1=\([^ ]*\).*/\1/p" /tmp/ready; }

# matches TEXT PATTERNS: one of the comma-separated shell patterns.
matches() {
	old_ifs=$IFS
	IFS=,
	set -f
	for pattern in $2; do
		# shellcheck disable=SC2254 # it is a pattern
		case $1 in $pattern) IFS=$old_ifs; set +f; return 0 ;; esac
	done
	IFS=$old_ifs
	set +f
	return 1
}

# cache_is GROWTH PATTERNS: its cache, or a name merged with it, is one of these; no name is no lie.
cache_is() {
	cache=$(json "growth.$1.cache")
	[ -n "$cache" ] || return 0
	# kmalloc-* is the caches; large kmalloc lies in none.
	[ "$cache" != kmalloc-large ] || [ "$2" = kmalloc-large ] || return 1
	for name in $cache $(json "caches.name=$cache.aliases.*"); do
		matches "$name" "$2" && return 0
	done
	return 1
}

# growth_of FUNCTIONS CACHES: the index of the first growth, of the three largest, with one of these in its stack and
# in one of these caches. Not always 0: a timer descriptor comes with a file, as large and from the same function.
growth_of() {
	for growth in 0 1 2; do
		json "growth.$growth.stack.*" | grep -qE "^($(echo "$1" | tr , '|'))\+" || continue
		if cache_is $growth "$2"; then
			echo $growth
			return
		fi
	done
}

# hold KIND COUNT: the command that is recorded: leaves a plant behind that holds its objects.
hold() {
	cat >/tmp/hold <<-EOF
		plant/plant $1 $2 --seconds 120 >/tmp/ready 2>/tmp/plant.err &
		echo \$! >/tmp/plant.pid
		while ! grep -q READY /tmp/ready; do kill -0 \$! || exit 1; sleep 1; done
		sleep 1
	EOF
	rm -f /tmp/ready
	: >/tmp/ready
}

# Planted objects are at the top of the report, all of them, under their cache and with their call path.
test_planted() {
	test=planted-$1
	hold "$1" "$2"
	if record "$test" --exact -- sh /tmp/hold; then
		at=$(growth_of "$(ready stack)" "$(ready caches)")
		if [ -n "$at" ]; then
			within "$test" "$(json "growth.$at.objects")" "$2" $(($2 + $2 / 50 + 20))
		else
			not_ok "$test" "no $(ready caches) of $(ready stack) in the first three, but $(for at in 0 1 2; do
				json "growth.$at.cache"
				json "growth.$at.stack.*" | head -n 3
			done | tr '\n' ' ')"
		fi
	else
		cat /tmp/plant.err
	fi
	kill "$(cat /tmp/plant.pid)" 2>/dev/null
}

# pool_objects POOL FUNCTIONS: of the largest growths of the pool, for as long as one of these is in the stack (7.3
# fills a pipe by two paths); nothing when the first has none.
pool_objects() {
	objects=
	for growth in 0 1 2 3 4 5; do
		[ "$(json "growth.$growth.pool")" = "$1" ] || continue
		json "growth.$growth.stack.*" | grep -qE "^($(echo "$2" | tr , '|'))\+" || break
		objects=$((${objects:-0} + $(json "growth.$growth.objects")))
	done
	echo $objects
}

# test_pool POOL EVENT KIND COUNT OBJECTS: planted memory is the first of its pool, all of it, with its path.
test_pool() {
	test=pool-$3
	if [ "$(./jsonq /tmp/doctor.json "hooks.name=$2.attached")" != true ]; then
		skip "$test" "$(./jsonq /tmp/doctor.json "hooks.name=$2.reason")"
		return
	fi
	hold "$3" "$4"
	if record "$test" --exact -- sh /tmp/hold; then
		objects=$(pool_objects "$1" "$(ready stack)")
		if [ -n "$objects" ]; then
			within "$test" "$objects" $(($4 * $5)) $(($4 * $5 + $4 * $5 / 50 + 20))
		else
			not_ok "$test" "no $1 of $(ready stack), but $(for at in 0 1 2; do
				json "growth.$at.pool"
				json "growth.$at.stack.*" | head -n 4
			done | tr '\n' ' ')"
		fi
	else
		cat /tmp/plant.err
	fi
	kill "$(cat /tmp/plant.pid)" 2>/dev/null
}

# What is allocated and freed again is not held: nothing the churn made is left in the first growth.
test_churn() {
	test=churn-$1
	if record "$test" --exact -- plant/churn "$1" "$2" --seconds 2; then
		held=$(json growth.0.objects)
		within "$test" "${held:-0}" 0 $(($2 / 100 + 50)) "$(json growth.0.cache)"
		if [ "$(json verdict.leak)" = true ]; then not_ok "$test-verdict" "it is called a leak"; else ok "$test-verdict"; fi
	fi
}

# The sampled figure of a planted kind is near the truth: 8 MB in 16 KiB samples, ± 5 standard deviations.
test_sampled() {
	hold msg 8000
	if record sampled -s 16K -- sh /tmp/hold; then
		within sampled "$(json growth.0.objects)" 6000 10000
	fi
	kill "$(cat /tmp/plant.pid)" 2>/dev/null
}

test_version
test_btf
test_doctor
test_load
test_record
for kind in $PLANTED; do test_planted "${kind%:*}" "${kind#*:}"; done
# shellcheck disable=SC2086 # five words
echo "$POOLS" | { while read -r pool; do test_pool $pool; done; exit $failed; } || failed=$?
test_sampled
for kind in $CHURNED; do test_churn "${kind%:*}" "${kind#*:}"; done
[ "$failed" -eq 0 ]
