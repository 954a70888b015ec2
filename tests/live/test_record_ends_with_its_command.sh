#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# record -- COMMAND ends when the command ends, with its exit status.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
CENSUS=() # as users record

status_of() { # COMMAND…: print the exit status of recording it
	local status=0
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f -o "$CAPTURE" -- "$@" >"$WORK/out" 2>"$RECORD_ERR" || status=$?
	echo $status
}

test_success() {
	need_record
	[ "$(status_of true)" = 0 ]
	report
	[ "$(json .capture.complete)" = true ]
	[ "$(json .capture.command)" = true ]
}

test_failure() {
	need_record
	[ "$(status_of sh -c 'exit 7')" = 7 ]
	report
	[ "$(json .capture.complete)" = true ]
}

test_death_by_signal() {
	need_record
	# shellcheck disable=SC2016 # the inner shell's own pid
	[ "$(status_of sh -c 'kill -TERM $$')" = 143 ]
}

# could_not_run STATUS COMMAND: check that one line says so, and that no capture is left.
could_not_run() {
	need_record
	[ "$(status_of "$2")" = "$1" ]
	[ "$(wc -l <"$RECORD_ERR")" = 1 ]
	grep -q "cannot run $2" "$RECORD_ERR"
	[ "$(ls "$WORK")" = "$(printf '%s\n' doctor json out record.err)" ]
}

test_no_such_command() { could_not_run 127 /nonexistent/command; }
test_not_a_command() { could_not_run 126 /dev/null; }

test_output_is_the_commands_own() {
	need_record
	[ "$(status_of echo 'hello there')" = 0 ]
	[ "$(cat "$WORK/out")" = "hello there" ]
}

# A command that runs for longer than the duration is ended, and the capture is complete.
test_duration_ends_the_command() {
	need_record
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f -d 1 -o "$CAPTURE" -- sleep 60 2>"$RECORD_ERR" || true
	report
	[ "$(json .capture.complete)" = true ]
	within "seconds recorded" "$(json .capture.duration_s)" 1 0 0.3
}

# The report shows what the command left allocated.
test_what_it_leaves_is_found() {
	need_record
	cat >"$WORK/leave" <<-END
		"$PLANT" msg 5000 --seconds 60 >"$WORK/ready" &
		echo \$! >"$WORK/pid"
		while ! grep -q READY "$WORK/ready"; do sleep 0.05; done
	END
	: >"$WORK/ready"
	[ "$(status_of sh "$WORK/leave")" = 0 ]
	kill "$(cat "$WORK/pid")" 2>/dev/null || true
	[ "$(status_of sh -c : )" = 0 ]
	"$KMEMTRACE" record "${CENSUS[@]}" --exact -q -f -o "$CAPTURE" -- sh "$WORK/leave" 2>"$RECORD_ERR"
	kill "$(cat "$WORK/pid")"
	report
	[ "$(json '.growth[0].processes[0].comm')" = plant ]
	within "objects" "$(json .growth[0].objects)" 5000 1
}

run_tests
