#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# However a recording ends, the capture can be read and says whether it is complete, and nothing stays in the kernel.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

links_of() { cat /proc/"$1"/fdinfo/* 2>/dev/null | grep -c 'link_type:.*raw_tracepoint' || true; }
attached() { [ "$(links_of "$RECORD_PID")" -ge 4 ]; }
detached() { [ "$(links_of "$RECORD_PID")" = 0 ]; }
gone() { ! kill -0 "$RECORD_PID" 2>/dev/null; }
no_new_programs() { [ "$(bpf_programs | comm -13 "$WORK/programs" -)" = "" ]; }

# The goal is half a second. It takes 0.26 s on one machine and 0.43 to 0.52 s on another. Allow twice the goal for slow
# machines.
ATTACH_MS=1000

test_attaches_soon() {
	need_record
	local since=$EPOCHREALTIME
	"$KMEMTRACE" record "${CENSUS[@]}" -v -d 2 -o "$CAPTURE" 2>"$RECORD_ERR" &
	RECORD_PID=$!
	started+=("$RECORD_PID")
	until_true 5 attached
	since=$(ms_since "$since")
	wait "$RECORD_PID"
	echo "attached after $since ms; $(grep 'after the start' "$RECORD_ERR")"
	[ "$since" -lt $ATTACH_MS ]
	sed -n 's/.*tracing \([0-9.]*\) s after the start/\1/p' "$RECORD_ERR" |
		awk -v most=$ATTACH_MS '{ n++; exit !($1 * 1000 < most) } END { if (!n) exit 1 }'
}

test_ctrl_c_detaches_within_half_a_second_and_completes() {
	need_record
	local since
	rm -f "$CAPTURE"
	record_start
	sleep 1.2
	since=$EPOCHREALTIME
	kill -INT "$RECORD_PID"
	until_true 5 detached
	since=$(ms_since "$since")
	wait "$RECORD_PID"
	echo "detached after $since ms"
	[ "$since" -lt 500 ]
	report
	[ "$(json .capture.complete)" = true ]
	[ "$(json '.capture.duration_s > 1')" = true ]
}

test_ctrl_c_right_after_the_start() {
	need_record
	record_start
	record_stop
	report
	[ "$(json .capture.complete)" = true ]
}

test_sigterm_completes() {
	need_record
	record_start
	kill -TERM "$RECORD_PID"
	wait "$RECORD_PID"
	report
	[ "$(json .capture.complete)" = true ]
}

# Kill at any time: before tracing begins there is no file; afterwards it can be read, and is marked incomplete.
test_kill_9_leaves_a_readable_capture_marked_incomplete() {
	need_record
	local delay
	for delay in 0.02 0.08 0.2; do
		rm -f "$CAPTURE"*
		"$KMEMTRACE" record "${CENSUS[@]}" --exact -o "$CAPTURE" 2>"$RECORD_ERR" &
		RECORD_PID=$!
		started+=("$RECORD_PID")
		sleep $delay
		kill -9 "$RECORD_PID"
		wait "$RECORD_PID" || true
		[ ! -e "$CAPTURE" ] || report
	done
	for delay in 0.2 0.7 1.5; do
		rm -f "$CAPTURE"*
		record_start --exact
		until_true 5 [ -e "$CAPTURE" ]
		sleep $delay
		kill -9 "$RECORD_PID"
		wait "$RECORD_PID" || true
		report
		[ "$(json .capture.complete)" = false ]
		"$KMEMTRACE" report --show all "$CAPTURE" >"$WORK/text"
		grep -qi incomplete "$WORK/text"
	done
}

test_nothing_stays_attached() {
	need_record
	bpf_programs >"$WORK/programs"
	record_start -d 1
	wait "$RECORD_PID"
	until_true 3 no_new_programs
	record_start --exact
	kill -9 "$RECORD_PID"
	wait "$RECORD_PID" || true
	until_true 3 no_new_programs
}

test_duration_is_kept() {
	need_record
	local since=$EPOCHREALTIME
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f -d 2 -o "$CAPTURE" 2>"$RECORD_ERR"
	within "milliseconds for -d 2" "$(ms_since "$since")" 2000 0 1000
	report
	within "seconds recorded" "$(json .capture.duration_s)" 2 0 0.3
}

run_tests
