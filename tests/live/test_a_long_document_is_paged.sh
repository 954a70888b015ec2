#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A document that is longer than the terminal goes through a pager, completely. A shorter one does not, and neither does
# output that is not for a terminal. script(1) creates the terminal. Needs no root and no BPF.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

PAGED="sed s/^/paged:/"

# on_terminal ROWS COMMAND…: print its output on a terminal with ROWS rows.
on_terminal() {
	local rows=$1
	shift
	script -qec "stty rows $rows cols 80; $*" /dev/null </dev/null | tr -d '\r'
}

test_what_does_not_fit_is_paged() {
	KMEMTRACE_PAGER=$PAGED on_terminal 10 "$KMEMTRACE" explain >"$WORK/paged"
	"$KMEMTRACE" explain >"$WORK/plain"
	[ "$(wc -l <"$WORK/plain")" -gt 10 ]
	diff <(sed 's/^/paged:/' "$WORK/plain") <(sed 's/\x1b\[[0-9;]*m//g' "$WORK/paged") || fail "$(cat "$WORK/paged")"
}

test_what_fits_is_not_paged() {
	KMEMTRACE_PAGER=$PAGED on_terminal 100 "$KMEMTRACE" explain >"$WORK/out"
	! grep -q paged: "$WORK/out" || fail "$(cat "$WORK/out")"
	KMEMTRACE_PAGER=$PAGED "$KMEMTRACE" explain >"$WORK/out"
	! grep -q paged: "$WORK/out" || fail "$(cat "$WORK/out")"
}

test_without_a_pager_everything_is_printed() {
	for pager in "" cat /nonexistent/pager; do
		KMEMTRACE_PAGER=$pager on_terminal 10 "$KMEMTRACE" explain >"$WORK/out" || fail "$(cat "$WORK/out")"
		[ "$(grep -c . "$WORK/out")" -ge "$("$KMEMTRACE" explain | grep -c .)" ] || fail "'$pager': $(cat "$WORK/out")"
	done
}

# It is not a failure if the user quits the pager early.
test_a_pager_that_ends_early() {
	KMEMTRACE_PAGER="head -n 1" on_terminal 10 "$KMEMTRACE" explain >"$WORK/out" || fail "status $?: $(cat "$WORK/out")"
	[ "$(wc -l <"$WORK/out")" = 1 ]
}

# Root must not run what somebody put into $PAGER, and less must not give anybody a shell.
test_root_runs_no_foreign_pager() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	PAGER="touch $WORK/ran" on_terminal 10 env KMEMTRACE_PAGER= "$KMEMTRACE" explain >/dev/null
	PAGER="touch $WORK/ran" on_terminal 10 "PATH=/nonexistent $KMEMTRACE explain" >/dev/null || true
	[ ! -e "$WORK/ran" ]
	# shellcheck disable=SC2016
	KMEMTRACE_PAGER='echo "secure: $LESSSECURE"' on_terminal 10 "$KMEMTRACE" explain >"$WORK/out"
	grep -q 'secure: 1' "$WORK/out" || fail "$(cat "$WORK/out")"
}

# colours yes|no COMMAND…: does it print any?
colours() {
	local want=$1 got=no
	shift
	"$@" >"$WORK/out" || fail "$(cat "$WORK/out")"
	if grep -q "$(printf '\033')" "$WORK/out"; then got=yes; fi
	[ $got = "$want" ] || fail "colours: $got, with $*"
}

test_colour_is_on_a_terminal_or_when_asked_for() {
	colours yes on_terminal 100 "$KMEMTRACE" explain trust
	colours no on_terminal 100 "$KMEMTRACE" explain --color=never trust
	colours no "$KMEMTRACE" explain trust
	colours yes "$KMEMTRACE" explain --color=always trust
	NO_COLOR=1 colours no on_terminal 100 "$KMEMTRACE" explain trust
	! "$KMEMTRACE" explain --color=blue trust 2>"$WORK/out" || fail "blue is a colour"
	grep -q 'use auto, always or never' "$WORK/out"
}

run_tests
