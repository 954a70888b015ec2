#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What cannot work fails with one clear line on stderr and a status that is not zero, and leaves no file behind.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# refused STATUS PATTERN COMMAND…: fails with STATUS, and says one line that matches.
refused() {
	local want=$1 pattern=$2 status=0
	shift 2
	"$@" >"$WORK/out" 2>"$WORK/err" || status=$?
	[ $status = "$want" ] || fail "$*: status $status, not $want: $(cat "$WORK/err")"
	grep -qiE "$pattern" "$WORK/err" || fail "$*: nothing like '$pattern' in: $(cat "$WORK/err")"
	[ ! -s "$WORK/out" ] || fail "$*: printed on stdout: $(cat "$WORK/out")"
}

# One error; what was a warning before it is no part of it.
one_line() { [ "$(grep -vc '^kmemtrace: warning: ' "$WORK/err")" = 1 ] || fail "not one line: $(cat "$WORK/err")"; }

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

# A copy that nobody may run, wherever the checkout is.
binary_for_all() { install -m 0755 "$KMEMTRACE" "$WORK/kmemtrace"; }

test_unknown_option() {
	refused 2 "unrecognized option.*--nonsense" "$KMEMTRACE" record --nonsense
	refused 2 "unrecognized option.*--nonsense" "$KMEMTRACE" report --nonsense
	refused 2 "unknown command.*'nonsense'" "$KMEMTRACE" nonsense
}

test_bad_values() {
	refused 2 "'soon'" "$KMEMTRACE" record -d soon
	refused 2 "'-3'|'0'|invalid|no number" "$KMEMTRACE" record --max-live 0
	refused 2 "'few'" "$KMEMTRACE" record --sample few
	refused 2 "does not go with" "$KMEMTRACE" record --exact --sample 64K
}

test_no_such_cache() {
	need_record
	refused 1 "no cache.*'no-such-cache'.*slabinfo" "$KMEMTRACE" record --cache no-such-cache -d 1 -o "$WORK/x.kmt"
	one_line
	[ ! -e "$WORK/x.kmt" ]
}

test_no_types_in_the_file() {
	echo nonsense >"$WORK/btf"
	refused 1 "$WORK/btf cannot be read as BTF: .*pahole" "$KMEMTRACE" record --btf "$WORK/btf" -d 1 -o "$WORK/x.kmt"
	one_line
	refused 1 "$WORK/none cannot be read as BTF: No such file" "$KMEMTRACE" record --btf "$WORK/none" -d 1 -o "$WORK/x.kmt"
	[ ! -e "$WORK/x.kmt" ]
}

test_unwritable_path() {
	need_record
	refused 1 "/nonexistent/x.kmt" "$KMEMTRACE" record -d 1 -o /nonexistent/x.kmt
	one_line
	refused 1 "$WORK .*(directory|not a capture)" "$KMEMTRACE" record -d 1 -o "$WORK"
	one_line
}

test_a_capture_is_not_overwritten_unasked() {
	need_record
	"$KMEMTRACE" record -q -d 0.2 -o "$WORK/x.kmt" 2>/dev/null
	cp "$WORK/x.kmt" "$WORK/copy.kmt"
	refused 1 "x.kmt.*(exists|force)" "$KMEMTRACE" record -q -d 0.2 -o "$WORK/x.kmt"
	one_line
	cmp "$WORK/x.kmt" "$WORK/copy.kmt"
}

test_a_file_that_is_no_capture_is_never_overwritten() {
	need_record
	echo precious >"$WORK/notes"
	refused 1 "notes" "$KMEMTRACE" record -q -f -d 0.2 -o "$WORK/notes"
	[ "$(cat "$WORK/notes")" = precious ]
}

# On a file system of its own, in a mount namespace of its own.
test_disk_full_at_the_start() {
	need_record
	cat >"$WORK/full" <<-END
		mount -t tmpfs -o size=16k none /mnt && "$KMEMTRACE" record -q -d 1 -o /mnt/x.kmt; s=\$?
		ls /mnt >&3
		exit \$s
	END
	refused 1 "space|full" unshare -m bash "$WORK/full" 3>"$WORK/left"
	one_line
	[ ! -s "$WORK/left" ] || fail "left behind: $(cat "$WORK/left")"
}

test_disk_full_while_recording() {
	need_record
	cat >"$WORK/full" <<-END
		mount -t tmpfs -o size=600k none /mnt
		"$KMEMTRACE" record --exact -q -d 30 -o /mnt/x.kmt -- "$PLANT" stacks 5000 --seconds 20 >/dev/null; s=\$?
		"$KMEMTRACE" report --format json /mnt/x.kmt >&3 2>&1 || ls -l /mnt >&3
		exit \$s
	END
	refused 1 "space|full" unshare -m bash "$WORK/full" 3>"$WORK/left"
	one_line
	grep -q 'warning: .* can be read: kmemtrace report /mnt/x.kmt$' "$WORK/err"
	[ "$(jq .capture.complete "$WORK/left")" = false ] || fail "what is left does not open: $(cat "$WORK/left")"
}

test_record_without_root() {
	[ "$(id -u)" = 0 ] || skip "needs root to become nobody"
	binary_for_all
	refused 1 "root|sudo|CAP_" as_nobody "$WORK/kmemtrace" record -d 1 -o /tmp/kmemtrace-nobody.kmt
	one_line
	[ ! -e /tmp/kmemtrace-nobody.kmt ]
}

# Root in name only: without the capabilities, or with those of a user namespace.
test_record_as_root_of_a_container() {
	[ "$(id -u)" = 0 ] || skip "needs root to give up capabilities"
	refused 1 "container needs CAP_BPF and CAP_PERFMON" \
		setpriv --bounding-set=-bpf,-perfmon,-sys_admin "$KMEMTRACE" record -d 1 -o "$WORK/x.kmt"
	one_line
	refused 1 "no user namespace of its own" unshare -Ur "$KMEMTRACE" record -d 1 -o "$WORK/x.kmt"
	one_line
	[ ! -e "$WORK/x.kmt" ]
}

test_doctor_without_root() {
	[ "$(id -u)" = 0 ] || skip "needs root to become nobody"
	binary_for_all
	local status=0
	as_nobody "$WORK/kmemtrace" doctor >"$WORK/out" 2>&1 || status=$?
	[ $status = 1 ]
	grep -qiE "would not work.*(root|sudo|CAP_)" "$WORK/out"
}

test_a_capture_is_private_and_then_readable_by_anyone() {
	need_record
	binary_for_all
	"$KMEMTRACE" record -q -d 0.2 -o "$WORK/x.kmt" 2>/dev/null
	[ "$(stat -c %a "$WORK/x.kmt")" = 600 ]
	refused 1 "x.kmt.*[Pp]ermission" as_nobody "$WORK/kmemtrace" report "$WORK/x.kmt"
	chmod 644 "$WORK/x.kmt"
	as_nobody "$WORK/kmemtrace" report --format json "$WORK/x.kmt" | jq -e .schema >/dev/null
}

test_report_of_what_is_no_capture() {
	refused 1 "nothing.kmt" "$KMEMTRACE" report "$WORK/nothing.kmt"
	one_line
	head -c 8192 /dev/urandom >"$WORK/noise.kmt"
	refused 1 "noise.kmt" "$KMEMTRACE" report "$WORK/noise.kmt"
	one_line
	: >"$WORK/empty.kmt"
	refused 1 "empty.kmt" "$KMEMTRACE" report "$WORK/empty.kmt"
	one_line
}

test_output_that_cannot_be_written() {
	need_record
	"$KMEMTRACE" record -q -d 0.2 -o "$WORK/x.kmt" 2>/dev/null
	refused 1 "write" bash -c "'$KMEMTRACE' report '$WORK/x.kmt' >/dev/full"
	one_line
}

# "| head" that has seen enough: not a success, and not a word.
test_a_reader_that_goes_away_is_not_bothered() {
	need_record
	"$KMEMTRACE" record -q -d 0.2 -o "$WORK/x.kmt" 2>/dev/null
	{
		sleep 0.2
		"$KMEMTRACE" report "$WORK/x.kmt" 2>"$WORK/err" || echo "status $?" >>"$WORK/err"
	} | true
	[ "$(cat "$WORK/err")" = "status 1" ] || fail "$(cat "$WORK/err")"
}

# On a narrow terminal: no line of progress is wider, and a message has a line of its own.
test_progress_fits_the_terminal() {
	need_record
	cat >"$WORK/narrow" <<-END
		stty cols 40
		"$KMEMTRACE" record -d 2.2 -o "$WORK/x.kmt"
	END
	script -qec "bash $WORK/narrow" /dev/null </dev/null | tr -s '\r' '\n' | sed 's/\x1b\[K//' >"$WORK/shown"
	grep -q '^1/2 s  Slab ' "$WORK/shown" || fail "no progress: $(cat "$WORK/shown")"
	grep -q '^kmemtrace: wrote ' "$WORK/shown" || fail "no line of its own: $(cat "$WORK/shown")"
	! grep -E '^[0-9]+/2 s.{40}' "$WORK/shown"
}

run_tests
