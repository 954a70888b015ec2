#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a recording may cost and what it is narrowed to hold, and what it still says then is true: the budget of
# --max-overhead, full tables, one process, one cgroup; and no stack that is recognised is another's.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# load_start: every CPU busy with messages, some 2 % of whose time exact tracing would take.
load_start() {
	local cpu
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		"$CHURN" msg 100000000 >"$WORK/load" 2>&1 &
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

# Half of the plant is there before exact mode gives in, half comes after: none of it is lost or counted twice.
test_exact_over_its_budget_goes_on_sampled() {
	local first
	need_record
	record_start --exact --max-overhead 0.5
	plant_start msg 50000 --size 960
	first=$PLANT_PID
	load_start
	until_true 20 says 'sampling from' || fail "still exact: $(cat "$RECORD_ERR")"
	load_stop
	plant_start msg 50000 --size 960
	record_stop
	report
	plant_stop
	kill "$first"
	[ "$(json .capture.mode)" = sampled ]
	[ "$(json "[.growth[] | select(.processes[].pid == $first)][0].stack[]" | grep -c msg)" -gt 0 ]
	# what was taken as it came is exact still, what was sampled has an interval
	within "objects before" "$(of_process "$first")" 50000 1
	within "objects after" "$(of_process "$PLANT_PID")" 50000 50 # 5 standard deviations of 100 samples
	[ "$(json '[.growth[] | select(.pool == "slab")][0] | .bytes_low < .bytes and .bytes < .bytes_high')" = true ]
}

# of_process PID: objects of slab in its hands, by what its messages' bytes stand for.
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

# No room for the call paths: they are counted as not known, and what was taken still adds up by cache.
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

# Every recognised stack is unwound once more: not one may differ.
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

# plant_when FILE KIND COUNT…: a process that waits for FILE and then plants; its pid in PLANT_PID.
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

narrowed() { # OPTION…: the plant falls under it, another process does the same at the same time and does not
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
	narrowed --pid "$PLANT_PID"
}

test_one_cgroup() {
	need_record
	cgroup_make
	plant_when "$WORK/go" msg 20000
	echo "$PLANT_PID" >"$CGROUP/cgroup.procs"
	narrowed --cgroup "$CGROUP"
}

run_tests
