#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Signals, limits and failing streams end neither the recording nor its command too early.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

complete() {
	report
	[ "$(json .capture.complete)" = true ] || fail "incomplete: $(cat "$RECORD_ERR")"
}

lasted() { # SECONDS
	complete
	within "seconds recorded" "$(json .capture.duration_s)" "$1" 0 0.4
}

gone() { ! kill -0 "$RECORD_PID" 2>/dev/null; }

# ---- signals that are ignored on entry ----

test_nohup_survives_the_hangup() {
	need_record
	(
		trap '' HUP
		exec "$KMEMTRACE" record "${CENSUS[@]}" -v -d 2 -o "$CAPTURE" 2>"$RECORD_ERR"
	) &
	RECORD_PID=$!
	started+=("$RECORD_PID")
	until_true 5 is_tracing
	kill -HUP "$RECORD_PID"
	wait "$RECORD_PID"
	lasted 2
}

# In commands that a script starts with &, its shell ignores SIGINT: Ctrl-C is for the foreground.
test_ctrl_c_for_another_does_not_end_it() {
	need_record
	"$KMEMTRACE" record "${CENSUS[@]}" -v -o "$CAPTURE" 2>"$RECORD_ERR" &
	RECORD_PID=$!
	started+=("$RECORD_PID")
	until_true 5 is_tracing
	in_file "SIGINT is ignored" "$RECORD_ERR"
	in_file "with kill $RECORD_PID" "$RECORD_ERR"
	kill -INT "$RECORD_PID"
	sleep 1
	kill "$RECORD_PID"
	wait "$RECORD_PID"
	lasted 1
}

# ---- signals that end it ----

test_signals_meant_for_others_complete_the_capture() {
	need_record
	local name
	for name in ALRM USR1 XCPU; do
		record_start -q
		kill -$name "$RECORD_PID"
		wait "$RECORD_PID" || fail "$name: ended with $?"
		in_file "wrote $CAPTURE" "$RECORD_ERR" || fail "$name: $(cat "$RECORD_ERR")"
		complete
	done
}

test_more_ctrl_c_lose_nothing() {
	need_record
	local delay
	for delay in 0.005 0.05 0.2; do
		record_start -q
		pause 0.3
		kill -INT "$RECORD_PID"
		pause $delay
		kill -INT "$RECORD_PID" 2>/dev/null || true
		pause $delay
		kill -INT "$RECORD_PID" 2>/dev/null || true
		wait "$RECORD_PID" || fail "ended with $?, the second after $delay s"
		in_file "wrote $CAPTURE" "$RECORD_ERR" || fail "$delay s: $(cat "$RECORD_ERR")"
		complete
	done
}

# ---- streams that fail ----

test_a_log_that_nobody_reads_does_not_end_it() {
	need_record
	"$KMEMTRACE" record "${CENSUS[@]}" -v -d 1.5 -o "$CAPTURE" 2>&1 | true
	lasted 1.5
}

# A recording without a limit would continue forever unnoticed. With nohup, that is what the user wants.
test_an_open_ended_one_ends_with_its_reader() {
	need_record
	timeout 10 "$KMEMTRACE" record "${CENSUS[@]}" -v -o "$CAPTURE" 2>&1 | read -rt 1 _ || true
	complete
	[ "$(json '.capture.duration_s < 3')" = true ]
	(
		trap '' HUP
		exec "$KMEMTRACE" record "${CENSUS[@]}" -v -f -o "$CAPTURE" 2> >(read -rt 1 _)
	) &
	RECORD_PID=$!
	started+=("$RECORD_PID")
	sleep 3
	gone && fail "it has ended"
	kill "$RECORD_PID"
	wait "$RECORD_PID"
	complete
}

# stderr is closed, so the next opened file gets descriptor 2. Messages must not be written into it.
test_messages_do_not_go_into_another_file() {
	need_record
	"$KMEMTRACE" record "${CENSUS[@]}" -v -d 0.5 -o "$CAPTURE" -- readlink /proc/self/fd/2 >"$WORK/fd" 2>&- || true
	complete
	[ ! -s "$WORK/fd" ] || fail "the command was given $(cat "$WORK/fd")"
}

# ---- limits ----

# The limit applies to the recorder, too. What was committed before can be read.
test_file_size_limit() {
	need_record
	local status=0 began=$EPOCHREALTIME
	(
		ulimit -f 300
		exec "$KMEMTRACE" record "${CENSUS[@]}" --exact -q -d 30 -o "$CAPTURE" -- sh -c "'$PLANT' stacks 5000 --seconds 3 >/dev/null;
			echo whole >'$WORK/command'"
	) 2>"$RECORD_ERR" || status=$?
	[ $status = 1 ] || fail "status $status: $(cat "$RECORD_ERR")"
	[ "$(grep -c 'ulimit -f' "$RECORD_ERR")" = 1 ] || fail "$(cat "$RECORD_ERR")"
	[ "$(grep -vc warning: "$RECORD_ERR")" = 1 ] || fail "$(cat "$RECORD_ERR")"
	in_file whole "$WORK/command" || fail "the command was ended: $(cat "$RECORD_ERR")"
	[ "$(ms_since "$began")" -lt 20000 ]
	report
	[ "$(json .capture.complete)" = false ]
}

# If the limit is too small from the start, no file is left.
test_file_size_limit_from_the_start() {
	need_record
	local status=0
	(
		ulimit -f 8
		exec "$KMEMTRACE" record "${CENSUS[@]}" -q -d 30 -o "$CAPTURE"
	) 2>"$RECORD_ERR" || status=$?
	[ $status = 1 ] || fail "status $status: $(cat "$RECORD_ERR")"
	in_file 'ulimit -f' "$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	[ ! -e "$CAPTURE" ]
	[ ! -e "$CAPTURE-journal" ]
}

# The recorder raises the soft limit for itself, because it needs more files. The command gets the original limit.
test_soft_limit_on_open_files() {
	need_record
	local hard
	hard=$(ulimit -Hn)
	[ "$hard" -ge 512 ] || skip "the hard limit on open files is $hard"
	(
		ulimit -Sn 16
		exec "$KMEMTRACE" record "${CENSUS[@]}" -q -o "$CAPTURE" -- bash -c 'ulimit -Sn; ulimit -Hn' >"$WORK/limits" 2>"$RECORD_ERR"
	) || fail "$(cat "$RECORD_ERR")"
	[ "$(paste -sd' ' "$WORK/limits")" = "16 $hard" ] || fail "the command has $(cat "$WORK/limits")"
	complete
}

# ---- the command ----

# given: print what a process inherits: signals, privileges, limits, open files.
given() {
	cat <<-'END'
		grep -E '^(Sig(Blk|Ign|Cgt)|Cap...|NoNewPrivs|Seccomp|Uid|Gid|Groups|CoreDumping)' /proc/self/status
		cat /proc/self/limits
		ls /proc/self/fd
	END
}

# same_as_without SETUP: check that a command inherits the same with and without a recording. Do not use timeout -v: it would
# print into what is compared.
same_as_without() {
	cat >"$WORK/run" <<-END
		$1
		exec \$WITH bash "$WORK/given"
	END
	given >"$WORK/given"
	WITH="" timeout 20 bash "$WORK/run" >"$WORK/without" 2>/dev/null </dev/null
	WITH="$KMEMTRACE record -q -f -o $CAPTURE --" timeout 20 bash "$WORK/run" >"$WORK/with" 2>"$RECORD_ERR" </dev/null ||
		fail "$1: ended with $?: $(cat "$RECORD_ERR")"
	diff "$WORK/without" "$WORK/with" || fail "$1: a recorded command (>) is given something else"
	complete
}

# shellcheck disable=SC2016 # expanded by the shell that runs them
test_the_command_is_given_what_it_has_without() {
	need_record
	same_as_without 'WITH="env --ignore-signal=HUP,INT,QUIT,PIPE,XFSZ,CHLD,USR1 $WITH"'
	same_as_without "ulimit -Sn 64; ulimit -Sc 0; ulimit -f 100000; ulimit -l 64"
	same_as_without 'exec 7</dev/null
		WITH="env --block-signal=INT,USR1 setpriv --bounding-set=-sys_module,-mknod --inh-caps=+kill $WITH"'
}

# If SIGCHLD is ignored, a parent cannot wait for its children.
test_the_status_is_known_although_sigchld_is_ignored() {
	need_record
	local status=0
	timeout 20 env --ignore-signal=CHLD "$KMEMTRACE" record "${CENSUS[@]}" -q -o "$CAPTURE" -- sh -c 'exit 7' 2>"$RECORD_ERR" || status=$?
	[ $status = 7 ] || fail "status $status"
	complete
}

status_of() { # OPTION… -- COMMAND…
	local status=0
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f -o "$CAPTURE" "$@" >"$WORK/out" 2>"$RECORD_ERR" || status=$?
	echo $status
}

# If the time limit ends the command, the status is 0. A command that failed before that has failed.
test_the_time_limit_is_no_failure() {
	need_record
	[ "$(status_of -d 0.5 -- sleep 60)" = 0 ] || fail "sleep: $(cat "$RECORD_ERR")"
	lasted 0.5
	[ "$(status_of -d 0.5 -- bash -c 'trap "exit 5" TERM; sleep 60 & wait')" = 0 ]
	[ "$(status_of -d 20 -- sh -c 'exit 3')" = 3 ]
	# shellcheck disable=SC2016 # the inner shell's own pid
	[ "$(status_of -d 0.5 -- sh -c 'kill -STOP $$')" = 0 ]
	! in_file 'still running' "$RECORD_ERR"
}

# A full disk ends only the recording: the command continues to its end, and the recorder waits for it.
test_a_full_disk_does_not_end_the_command() {
	need_record
	cat >"$WORK/full" <<-END
		mount -t tmpfs -o size=420k none /mnt
		"$KMEMTRACE" record "${CENSUS[@]}" --exact -q -o /mnt/x.kmt -- sh -c "'$PLANT' stacks 5000 --seconds 3 >/dev/null; echo whole >&3"
		echo \$? >&4
		cp /mnt/x.kmt "$CAPTURE"
	END
	unshare -m bash "$WORK/full" 3>"$WORK/command" 4>"$WORK/status" 2>"$RECORD_ERR"
	[ "$(cat "$WORK/status")" = 1 ] || fail "status $(cat "$WORK/status"): $(cat "$RECORD_ERR")"
	in_file whole "$WORK/command" || fail "the command was ended: $(cat "$RECORD_ERR")"
	grep -q 'the command (pid .*) is still running' "$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	report
	[ "$(json .capture.complete)" = false ]
}

# While the recorder waits, its time limit and signals still work.
test_the_time_limit_holds_after_a_failure() {
	need_record
	cat >"$WORK/full" <<-END
		mount -t tmpfs -o size=420k none /mnt
		"$KMEMTRACE" record "${CENSUS[@]}" --exact -q -d 4 -o /mnt/x.kmt -- "$PLANT" stacks 5000 --seconds 60 >/dev/null
		echo \$? >&4
	END
	local began=$EPOCHREALTIME
	unshare -m bash "$WORK/full" 4>"$WORK/status" 2>"$RECORD_ERR"
	[ "$(cat "$WORK/status")" = 1 ] || fail "status $(cat "$WORK/status"): $(cat "$RECORD_ERR")"
	grep -q 'the command (pid .*) is still running' "$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	within "milliseconds" "$(ms_since "$began")" 4000 0 2000
}

run_tests
