#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Limits and filters of a recording are respected, and the report is still true: the limit of --max-overhead, full tables,
# one process, one cgroup. And a recognised stack is always the right one.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# load_start [OPTION…]: send messages on every CPU.
load_start() {
	local cpu
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		"$CHURN" msg 100000000 "$@" >"$WORK/load" 2>&1 &
		started+=($!)
		loads+=($!)
	done
}

load_stop() {
	kill "${loads[@]}"
	wait "${loads[@]}" 2>/dev/null || true
	loads=()
}
loads=()

says() { grep -q "$1" "$RECORD_ERR"; }

# Half of the plant exists before exact mode changes to sampling, half is allocated after it: none is lost or counted twice.
# With this load, exact tracing would take 1.1 % of all CPU time, the events alone 0.45 %.
test_exact_over_its_budget_goes_on_sampled() {
	local first
	need_record
	record_start --exact --max-overhead 0.7
	plant_start msg 50000 --size 960
	first=$PLANT_PID
	load_start --rate 40000
	until_true 20 says 'sampling since' || fail "still exact: $(cat "$RECORD_ERR")"
	load_stop
	plant_start msg 50000 --size 960
	record_stop
	report
	plant_stop
	kill "$first"
	[ "$(json .capture.mode)" = sampled ]
	[ "$(json "[.growth[] | select(.processes[].pid == $first)][0].stack[]" | grep -c msg)" -gt 0 ]
	# objects tracked in exact mode are still exact, sampled ones have an interval
	within "objects before" "$(of_process "$first")" 50000 1
	within "objects after" "$(of_process "$PLANT_PID")" 50000 50 # 5 standard deviations of 100 samples
	[ "$(json '[.growth[] | select(.pool == "slab")][0] | .bytes_low < .bytes and .bytes < .bytes_high')" = true ]
}

# of_process PID: print its slab objects, computed from the bytes of its messages.
of_process() {
	json "[.growth[] | select(.pool == \"slab\") | .processes[] | select(.pid == $1) | .bytes] | add / 1024"
}

test_exact_without_a_budget_says_what_it_costs() {
	need_record
	record_start --exact
	load_start
	until_true 20 says 'more than 1 %' || fail "not a word: $(cat "$RECORD_ERR")"
	load_stop
	record_stop
	report
	[ "$(json .capture.mode)" = exact ]
	[ "$(json '.capture.overhead_cpu_percent > 1')" = true ]
}

# programs_ns: print the run time of all BPF programs until now, as the kernel counts it.
programs_ns() { bpftool -j prog list | jq '[.[].run_time_ns // 0] | add'; }

# percent_of_5_s: print their share of all CPU time in the next 5 s.
percent_of_5_s() {
	local began ns
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	began=$EPOCHREALTIME
	ns=$(programs_ns)
	pause 5
	awk -v a="$ns" -v b="$(programs_ns)" -v ms="$(ms_since "$began")" -v cpus="$(nproc)" \
		'BEGIN { printf "%.2f", 100 * (b - a) / 1e6 / ms / cpus }'
	echo 0 >/proc/sys/kernel/bpf_stats_enabled
}

keeps_the_limit() { # WHEN: 1 % ± 0.3
	local cost
	cost=$(percent_of_5_s)
	echo "$1: $cost % of all CPU time"
	awk -v c="$cost" 'BEGIN { exit !(c <= 1.3) }' || fail "more than 1.3 %"
}

is_attached() { bpftool -j link list | jq -e 'any(.tp_name == "kmem_cache_alloc")' >/dev/null; }
is_detached() { ! is_attached; }

# If given, --max-overhead is a limit, from idle to full load and back. Expensive pools are paused, cheap ones are still
# traced, and the report says so. It finds what was planted before and after the pause, and does not call it a leak.
test_a_limit_pauses_what_it_cannot_hold() {
	local before arrays
	need_record
	record_start --exact --max-overhead 1
	is_attached || fail "bpftool link list shows nothing attached"
	plant_start msg 20000 --size 960
	before=$PLANT_PID
	load_start
	until_true 20 says 'not watched until' || fail "still watched: $(cat "$RECORD_ERR")"
	until_true 2 is_detached || fail "still attached: $(bpftool link list)"
	for _ in 1 2; do keeps_the_limit "under full load"; done
	plant_start bpfarray 1000 --size 65536
	arrays=$PLANT_PID
	load_stop
	until_true 20 says 'watching slab again' || fail "not watched again: $(cat "$RECORD_ERR")"
	keeps_the_limit idle
	until_true 5 is_attached || fail "not attached again: $(bpftool link list)"
	plant_start msg 50000 --size 960
	record_stop
	report
	plant_stop
	kill "$before" "$arrays"
	within "objects before" "$(of_process "$before")" 20000 1
	within "objects after" "$(of_process "$PLANT_PID")" 50000 50 # 5 standard deviations of 100 samples
	within "bytes of arrays" "$(json "[.growth[] | select(.pool == \"vmalloc\") | .processes[] | select(.pid == $arrays) | .bytes] | add")" 65536000 10
	[ "$(json '.capture.losses.not_watched > 1e6')" = true ] || fail "$(json .capture.losses)"
	json .capture.not_watched | grep -qE '^slab for [0-9.]+ s, ' || fail "$(json .capture.not_watched)"
	[ "$(json .verdict.leak)" = false ]
	[ "$(json '[.caches[] | select(.trust != "low" and .attributed_bytes > 0)] | length')" = 0 ]
}

# The default is a target, not a limit: record warns about the cost and continues to trace.
test_a_default_budget_pauses_nothing() {
	need_record
	record_start
	load_start
	until_true 20 says 'even without samples' || fail "not a word: $(cat "$RECORD_ERR")"
	pause 3
	is_attached || fail "not attached"
	load_stop
	plant_start msg 50000 --size 960
	record_stop
	report
	plant_stop
	within objects "$(of_process "$PLANT_PID")" 50000 60
	[ "$(json .capture.losses.not_watched)" = 0 ]
	[ "$(json .capture.not_watched)" = null ]
}

# If the table of call paths is full, paths are unknown and counted as losses, but the sums by cache are still right.
test_full_tables_lose_names_not_bytes() {
	local stacks
	need_record
	record_start --exact --memory 7M --max-live 60000
	plant_start stacks 2000
	stacks=$PLANT_PID
	plant_start msg 20000 --size 960
	record_stop
	report
	plant_stop
	kill "$stacks"
	[ "$(json '.capture.losses.stack_table_full > 1000')" = true ] || fail "$(json .capture.losses)"
	[ "$(json '.capture.losses.unwind_disagreed')" = 0 ]
	within "messages" "$(json '[.growth[] | select(.pool == "slab") | .caches[] | select(.name | test("1k|1024")) | .bytes] | add / 1024')" 20000 2 200
}

# There are more stacks with one call site and depth than the unwinder can store. It stops learning, and walks the stacks
# that it does not recognise. The report has every path, with one object; each recognised path is checked.
test_a_full_memo_only_costs_time() {
	need_record
	record_start --exact --audit-every 1
	plant_start stacks 3000
	record_stop
	report
	plant_stop
	echo "$(json .capture.counters.unwind_not_learned_full) not learned"
	[ "$(json '.capture.counters.unwind_not_learned_full > 2000')" = true ] || fail "$(json .capture.counters)"
	[ "$(json '.capture.losses | .stack_failed, .unwind_disagreed' | paste -sd' ')" = "0 0" ] || fail "$(json .capture.losses)"
	# 12,400 call paths in the stack table: after 16 rows that others have, one has no room. Where addresses are random,
	# that happens to a few, each boot to others; it is counted, and more than one in a thousand would be a fault.
	[ "$(json '.capture.losses.stack_table_full <= .capture.counters.unwind_not_learned_full / 1000')" = true ] ||
		fail "$(json .capture.losses)"
	json '[.growth[] | select(.pool == "slab" and (.stack[:3] | any(test("array_map_alloc"))) and
		.processes[0].comm == "plant") | .objects]' >"$WORK/paths"
	within objects "$(jq add "$WORK/paths")" 3000 1
	within paths "$(jq length "$WORK/paths")" 3000 1
}

# Every recognised stack is also walked: none may differ.
test_a_million_recognised_stacks_are_right() {
	need_record
	record_start --exact --audit-every 1
	"$CHURN" msg 400000 --seconds 0
	"$CHURN" eventfd 150000 --seconds 0
	"$CHURN" rename 20000 --seconds 0
	"$CHURN" mmap 20000 --seconds 0
	"$CHURN" udp 20000 --seconds 0
	"$CHURN" tcp 3000 --seconds 0
	record_stop
	report
	echo "$(json .capture.counters.unwind_audited) audited, $(json .capture.counters.unwind_misses) misses"
	[ "$(json '.capture.counters.unwind_audited > 1000000')" = true ] || fail "$(json .capture.counters)"
	[ "$(json '.capture.losses.unwind_disagreed')" = 0 ] || fail "$(json .capture.counters)"
}

# plant_when FILE KIND COUNT…: start a process that waits for FILE and then plants; set PLANT_PID.
plant_when() {
	local file=$1
	shift
	: >"$WORK/ready"
	sh -c 'until [ -e "$0" ]; do sleep 0.02; done; exec "$@"' "$file" "$PLANT" "$@" --seconds 600 >"$WORK/ready" &
	PLANT_PID=$!
	started+=("$PLANT_PID")
}

go() {
	touch "$1"
	until_true 60 plant_ready
	grep -q READY "$WORK/ready" || fail "the plant failed"
}

filtered() { # OPTION…: the plant matches the filter; another process that plants at the same time does not
	local other
	record_start --exact "$@"
	"$PLANT" msg 3000 --seconds 600 >/dev/null &
	other=$!
	started+=("$other")
	go "$WORK/go"
	record_stop
	report
	[ "$(json "[.growth[].processes[] | select(.pid == $other or .comm == \"kmemtrace\")] | length")" = 0 ] ||
		fail "asked for $PLANT_PID, got $(json '[.growth[].processes[] | {comm, pid}] | unique')"
	within "messages" "$(json '[.growth[] | select(.stack[] | test("msgsnd")) | .objects] | max')" 20000 1
	plant_stop
}

test_one_process() {
	need_record
	plant_when "$WORK/go" msg 20000
	filtered --pid "$PLANT_PID"
}

test_one_cgroup() {
	need_record
	cgroup_make
	plant_when "$WORK/go" msg 20000
	echo "$PLANT_PID" >"$CGROUP/cgroup.procs"
	filtered --cgroup "$CGROUP"
}

run_tests
