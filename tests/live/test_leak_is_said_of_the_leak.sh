#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A report calls only a leak a leak. In a recording that is long enough (docs/trust.md), with all kinds of churn at the same
# time, it names the one program that leaks, and none that churns.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

CYCLES=200000
SECONDS_CHURNED=150
LEAKED=$((CYCLES / 100))

# churns_run SIZE: run all kinds evenly in $CGROUP, and return when the memory that they freed is really free
# (KFREE_DRAIN_JIFFIES). Not fork, because areas of freed stacks stay until there are lazy_max_pages(). Set churned to the
# number of cycles.
churns_run() {
	local kind pid pids=()
	for kind in $("$CHURN" --help | awk '/^  / && $1 != "fork" { print $1 }'); do
		sh -c 'echo 0 >"$0" && exec "$@"' "$CGROUP/cgroup.procs" \
			"$CHURN" "$kind" $CYCLES --size "$1" --rate $((CYCLES / SECONDS_CHURNED)) --seconds 0 >>"$WORK/churned" &
		pids+=($!)
	done
	churned=$((${#pids[@]} * CYCLES))
	started+=("${pids[@]}")
	for pid in "${pids[@]}"; do wait "$pid"; done
	pause 6
}

# The leak is a hundredth of the churn on its path and in its cache, and less of all churn. There are two recordings: one of
# everything, one only of the churn, whose cache also grows by the leak.
test_every_churn_beside_a_leak() {
	local other=$WORK/churns.kmt pid churned
	need_record
	cgroup_make
	record_start --exact
	"$KMEMTRACE" record "${CENSUS[@]}" -q --exact --cgroup "$CGROUP" -o "$other" 2>"$WORK/other.err" &
	pid=$!
	started+=("$pid")
	pause 1
	"$PLANT" msg $LEAKED --size 4096 --rate $((LEAKED / SECONDS_CHURNED)) --seconds 600 >"$WORK/ready" &
	PLANT_PID=$!
	started+=("$PLANT_PID")
	churns_run 4048 # with a header of 48 bytes, like the leak's
	until_true 20 plant_ready
	kill "$pid"
	wait "$pid" || fail "$(cat "$WORK/other.err")"
	record_stop
	plant_stop
	report
	json '.verdict.sentences[]'
	churn_not_blamed "$churned"
	[ "$(json .verdict.leak)" = true ]
	[ "$(json '.findings[] | select(.kind == "leak") | "\(.severity) \(.subject) \(.trust) \(.evidence[0].table) \(.next)"')" = \
		"critical msg_msg-4k high growth ps -o pid,ppid,user,etime,nlwp,rss,args -p $PLANT_PID  # can it be stopped?" ] ||
		fail "the leak is not a finding to act on: $(json '.findings[0]')"
	json '.verdict.sentences[]' | grep -q "of it by plant\\[$PLANT_PID\\]"
	json '.growth[0].stack[]' | grep -qE 'load_msg|alloc_msg'
	within "leaked objects" "$(json '.growth[0].objects')" $LEAKED 1
	much_passed $((LEAKED * 4096))

	CAPTURE=$other
	report
	json '.verdict.sentences[]'
	churn_not_blamed "$churned"
	[ "$(json .verdict.leak)" = false ]
	# check that the report could have said "leak"
	[ "$(json '.capture.duration_s >= 150')" = true ]
	[ "$(json "[.caches[] | select(.allocs >= $CYCLES and .pattern == \"growing\")] | length > 0")" = true ] ||
		fail "no cache of a churn was growing"
}

run_tests
