#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A recording writes only its own file, says correctly if that file is lost, and gives it to the user who called sudo.
# shellcheck disable=SC2119 # of the whole file: record_start needs no option
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

NOBODY=65534

# recorded STATUS PATTERN: check that the recording ended with STATUS and a message that matches.
recorded() {
	local status=0
	wait "$RECORD_PID" || status=$?
	[ $status = "$1" ] || fail "status $status, not $1: $(cat "$RECORD_ERR")"
	grep -qE "$2" "$RECORD_ERR" || fail "nothing like '$2' in: $(cat "$RECORD_ERR")"
	! grep -q 'wrote ' "$RECORD_ERR"
}

ended() { ! kill -0 "$RECORD_PID" 2>/dev/null; }

# The user who owns the directory replaces the file by a link as soon as it exists.
test_a_user_who_swaps_the_file_gains_nothing() {
	need_record
	local file=$WORK/his/x.kmt racer
	echo precious >"$WORK/victim"
	install -d -m 755 -o $NOBODY -g $NOBODY "$WORK/his"
	# shellcheck disable=SC2016 # its own arguments
	setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups bash -c '
		while :; do
			if [ -f "$1" ] && [ ! -L "$1" ]; then ln -sfn "$2" "$1" 2>/dev/null; fi
		done' racer "$file" "$WORK/victim" &
	racer=$!
	started+=("$racer")
	for _ in 1 2 3 4; do
		rm -f "$file"
		"$KMEMTRACE" record "${CENSUS[@]}" -q -f -d 0.3 -o "$file" 2>"$WORK/err" && fail "a success, and the file is a link"
		grep -qE 'was (moved|removed|replaced)|not a capture' "$WORK/err" || fail "$(cat "$WORK/err")"
		[ "$(cat "$WORK/victim")" = precious ]
	done
	kill -9 "$racer"
}

test_a_capture_that_is_removed_is_no_success() {
	need_record
	record_start
	rm "$CAPTURE"
	until_true 3 ended || fail "it goes on"
	recorded 1 'was removed while it was recorded: the recording is lost'
	[ ! -e "$CAPTURE" ]
}

test_a_capture_that_is_moved_is_found_where_it_is_said_to_be() {
	need_record
	record_start
	mv "$CAPTURE" "$WORK/moved.kmt"
	echo other >"$CAPTURE"
	until_true 3 ended || fail "it goes on"
	recorded 1 "was moved to $WORK/moved.kmt while .*kmemtrace report $WORK/moved.kmt$"
	[ "$(cat "$CAPTURE")" = other ]
	"$KMEMTRACE" report "$WORK/moved.kmt" >/dev/null
}

test_a_second_recording_does_not_take_the_file() {
	need_record
	local status=0
	record_start
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f -d 0.2 -o "$CAPTURE" 2>"$WORK/err" || status=$?
	[ $status = 1 ]
	grep -q 'is being recorded by another kmemtrace' "$WORK/err"
	pause 1.2
	record_stop
	report
	[ "$(json .capture.complete)" = true ]
	[ "$(find "$WORK" -name 'capture.kmt*' | wc -l)" = 1 ]
}

# The file appears with the first commit. So whenever it is killed, there is either a readable capture or no file.
test_kill_9_at_any_moment_leaves_a_capture_or_nothing() {
	need_record
	local i
	mkdir "$WORK/kills"
	for i in $(seq 1 20); do
		rm -f "$WORK/kills"/*
		"$KMEMTRACE" record "${CENSUS[@]}" -q -o "$WORK/kills/x.kmt" 2>/dev/null &
		RECORD_PID=$!
		started+=("$RECORD_PID")
		pause "0.$((RANDOM % 9))$((RANDOM % 10))"
		kill -9 "$RECORD_PID"
		wait "$RECORD_PID" || true
		[ -n "$(ls "$WORK/kills")" ] || continue
		TMPDIR=$WORK "$KMEMTRACE" report --show all "$WORK/kills/x.kmt" >"$WORK/text" 2>"$WORK/err" ||
			fail "round $i: $(cat "$WORK/err"): $(ls -l "$WORK/kills")"
		grep -qi incomplete "$WORK/text"
	done
	[ -z "$(find "$WORK" -name 'kmemtrace.*')" ]
}

test_a_failed_start_leaves_the_old_capture() {
	need_record
	local status=0
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 -o "$CAPTURE" 2>/dev/null
	cp "$CAPTURE" "$WORK/copy"
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f -o "$CAPTURE" -- "$WORK/no-such-command" 2>"$WORK/err" || status=$?
	[ $status = 127 ]
	cmp "$CAPTURE" "$WORK/copy"
}

# Run it as sudo does.
test_through_sudo_the_capture_is_the_users() {
	need_record
	install -m 0755 "$KMEMTRACE" "$WORK/kmemtrace"
	install -d -m 755 -o $NOBODY -g $NOBODY "$WORK/his"
	(cd "$WORK/his" && SUDO_UID=$NOBODY SUDO_GID=$NOBODY "$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 -o now.kmt 2>/dev/null)
	(cd "$WORK/his" && setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups "$WORK/kmemtrace" report now.kmt >"$WORK/text")
	grep -q ^TRUST "$WORK/text"
	[ "$(stat -c '%u %g %a' "$WORK/his/now.kmt")" = "$NOBODY $NOBODY 600" ]
	SUDO_UID=$NOBODY SUDO_GID=$NOBODY "$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 -o "$WORK/roots.kmt" 2>/dev/null
	[ "$(stat -c %u "$WORK/roots.kmt")" = 0 ]
}

test_a_fifo_does_not_hang_what_reads_it() {
	local status=0
	mkdir "$WORK/proc"
	mkfifo "$WORK/proc/meminfo"
	timeout 10 "$KMEMTRACE" balance --proc "$WORK/proc" 2>"$WORK/err" || status=$?
	[ $status = 1 ] || fail "balance --proc: status $status"
	grep -q 'it is not a regular file' "$WORK/err"
	rm "$WORK/proc/meminfo"
	cp /proc/meminfo "$WORK/proc/"
	mkfifo "$WORK/proc/vmstat" "$WORK/proc/zoneinfo"
	timeout 10 "$KMEMTRACE" balance --proc "$WORK/proc" >/dev/null || fail "balance with other FIFOs"
	status=0
	timeout 10 "$KMEMTRACE" record "${CENSUS[@]}" --btf "$WORK/proc/vmstat" -d 1 -o "$CAPTURE" 2>"$WORK/err" || status=$?
	[ $status = 1 ] || fail "record --btf: status $status"
	grep -q 'cannot be read as BTF' "$WORK/err"
}

# If reading one hung, reading the whole set would hang.
test_a_fifo_beside_one_of_a_set_does_not_hang_it() {
	need_record
	local status=0
	mkdir "$WORK/set"
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 -o "$WORK/set/a.kmt" 2>/dev/null
	cp "$WORK/set/a.kmt" "$WORK/set/b.kmt"
	cp "$WORK/set/a.kmt" "$WORK/new.kmt"
	mkfifo "$WORK/set/b.kmt-journal" "$WORK/set/c.kmt"
	timeout 20 "$KMEMTRACE" diff --base-set "$WORK/set" "$WORK/new.kmt" >/dev/null 2>"$WORK/err" || status=$?
	[ $status = 0 ] || fail "status $status: $(cat "$WORK/err")"
	grep -q 'b.kmt is left out of the set' "$WORK/err"
	grep -q 'c.kmt is left out of the set' "$WORK/err"
	mkfifo "$WORK/new.kmt-journal"
	timeout 10 "$KMEMTRACE" report "$WORK/new.kmt" 2>"$WORK/err" || status=$?
	[ $status = 1 ] || fail "report: status $status"
}

test_help_that_cannot_be_written_is_a_failure() {
	local words status
	for words in --help help version --version "record --help" "report --help" "diff --usage" "doctor --help"; do
		status=0
		# shellcheck disable=SC2086 # two words
		"$KMEMTRACE" $words >/dev/full 2>"$WORK/err" || status=$?
		[ $status = 1 ] || fail "$words: status $status"
		grep -q 'cannot write to standard output: No space left on device' "$WORK/err"
		# shellcheck disable=SC2086 # two words
		"$KMEMTRACE" $words >/dev/null 2>"$WORK/err" || fail "$words: $(cat "$WORK/err")"
	done
}

run_tests
