#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# record --prove: objects that a process holds are not called leaked, and the process is named, although the recording's own
# tables have their addresses; a second Ctrl-C ends the proof, not the capture. What is really leaked is tested in guests
# (tests/vm/module/refs.sh). refs --path then looks at objects like those of the path.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

proof() { jq -r "[.proof.paths[] | select(.references.cache | startswith(\"kmalloc\"))][0].references | $1" "$REPORT"; }

test_1_what_a_process_holds_is_not_called_leaked() {
	need_record
	CENSUS=(--census-budget=2s) # it learns what the call path allocates
	record_start --exact --prove
	plant_start timerfd 8000
	record_stop
	report
	proof '{cache, objects, control, unreferenced, took_s, cpu_s, verdict}' | jq -c .
	[ "$(json .proof.missing)" = null ] || fail "$(json .proof.missing)"
	[ "$(proof .verdict.leaked) $(json .verdict.leak)" = "false false" ] || fail "$(proof .verdict)"
	[ "$(proof '.objects >= 300 and .unreferenced == 0')" = true ] || fail "$(proof '{objects, unreferenced}')"
	[ "$(proof '.holders[0] | "\(.kind) \(.pid) \(.certain)"')" = "file_table $PLANT_PID true" ] || fail "$(proof .holders)"
	within "objects held by the plant" "$(proof '.holders[0].share * 100')" 100 3
	# if the recording's tables were read, they would point to every object
	within "pointers from other pages, in percent" \
		"$(proof '[.referrers[] | select(.class == "other").share * 100] | add // 0')" 0 0 20
	"$KMEMTRACE" report "$CAPTURE" >"$WORK/screen"
	tr -s ' \n' ' ' <"$WORK/screen" | grep -q "are held by the open files of plant\[$PLANT_PID\]" ||
		fail "$(head -n 4 "$WORK/screen")"
	like_the_path --path "$(json '[.proof.paths[] | select(.references.cache | startswith("kmalloc"))][0].rank')" "$CAPTURE"
	[ "$(jq -r .refs.path "$WORK/refs.json" | cut -d' ' -f1)" = "#$(json '.proof.paths[0].rank')" ] ||
		fail "$(jq -c .refs.path "$WORK/refs.json")"
	plant_stop
}

# like_the_path OPTION…: objects that look like timers are those of the plant, and as many as it has.
like_the_path() {
	json_of refs "$@" >"$WORK/refs.json" || fail "refs $* failed"
	jq -c '.refs | {kind, path, objects, in_use, holders: [.holders[:2][] | {name, pid, share}]}' "$WORK/refs.json"
	[ "$(jq -r .refs.kind "$WORK/refs.json")" = timerfd_ctx ] || fail "$(jq -c .refs.kind "$WORK/refs.json")"
	within "objects of the kind" "$(jq .refs.in_use "$WORK/refs.json")" 8000 10
	within "held by the plant, in percent" \
		"$(jq --argjson pid "$PLANT_PID" '[.refs.holders[] | select(.pid == $pid).share * 100] | add' "$WORK/refs.json")" 100 3
	jq -r '.findings[].text' "$WORK/refs.json" | grep -q 'not proven to be of that path' ||
		fail "it does not say that they are only alike"
}

test_2_a_signal_ends_the_proof_and_keeps_the_capture() {
	need_record
	record_start --exact --prove
	plant_start timerfd 2000
	kill -INT "$RECORD_PID"
	until_true 20 in_file 'looking for what points' "$RECORD_ERR" || fail "no proof began: $(cat "$RECORD_ERR")"
	kill -INT "$RECORD_PID"
	wait "$RECORD_PID" || fail "record ended with $?: $(cat "$RECORD_ERR")"
	report
	[ "$(json .capture.complete)" = true ] || fail "the capture is incomplete"
	[ "$(json .proof.missing)" = "a signal cut it short" ] || fail "$(json .proof)"
	[ "$(json '[.proof.paths[].references.verdict | select(.leaked != null)] | length')" = 0 ] || fail "$(json .proof)"
	plant_stop
}

# No time for a scan: there is no verdict, and the report says what to do.
test_3_a_proof_without_time_proves_nothing() {
	need_record
	record_start --exact --prove --prove-budget 10ms
	plant_start timerfd 2000
	record_stop
	report
	[ "$(proof '"\(.verdict.reason) \(.unreferenced)"')" = "partial null" ] || fail "$(json .proof)"
	json '.findings[].text' | grep -q 'Give more time, such as --prove-budget 2m' || fail "$(json '.findings[].text')"
	plant_stop
}

# Whoever ends the census after tracing does not want to wait for the proof.
test_4_a_signal_that_ends_the_census_ends_the_proof_too() {
	need_record
	CENSUS=(--census-budget=2s)
	record_start --exact --prove -v
	plant_start timerfd 2000
	kill -INT "$RECORD_PID"
	until_true 20 in_file 's after the end' "$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	kill -INT "$RECORD_PID"
	wait "$RECORD_PID" || fail "record ended with $?: $(cat "$RECORD_ERR")"
	report
	[ "$(json .census.missing)" = "a signal cut the census at the end short" ] || fail "$(json .census.missing)"
	[ "$(json .proof.missing)" = "a signal cut it short" ] || fail "$(json .proof.missing)"
	[ "$(json .capture.complete)" = true ] || fail "the capture is incomplete"
	plant_stop
}

run_tests
