# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# lib.sh: prints the results of the guest suite. It must run in busybox sh. Each test is a line: "ok NAME",
# "not ok NAME - why" or "skip NAME - why". scripts/vm.sh reads them from the serial line; all other lines are for people.

failed=0

ok() { printf '\nok %s\n' "$1"; }
not_ok() {
	printf '\nnot ok %s - %s\n' "$1" "$2"
	failed=$((failed + 1))
}
skip() { printf '\nskip %s - %s\n' "$1" "$2"; }

# attempt NAME COMMAND…: the command must succeed within 60 s. If it does not, its last line of output is the reason.
attempt() {
	name=$1
	shift
	timeout -s KILL 60 "$@" >/tmp/attempt.out 2>&1
	status=$?
	if [ $status -eq 0 ]; then
		ok "$name"
	else
		not_ok "$name" "status $status: $(tail -n 1 /tmp/attempt.out)"
		sed 's/^/    /' /tmp/attempt.out
		return 1
	fi
}

# within NAME VALUE LOW HIGH [OF]: a number must be within bounds, which may be fractions. OF says what it counts.
within() {
	if awk -v v="$2" -v lo="$3" -v hi="$4" 'BEGIN { exit !(v != "" && v + 0 >= lo + 0 && v + 0 <= hi + 0) }'; then
		ok "$1"
	else
		not_ok "$1" "${2:-nothing}${5:+ of $5} is not within $3 … $4"
	fi
}

# file_block NAME FILE: send a file to the host, which keeps it as NAME next to the log.
file_block() {
	printf '\n@@BEGIN %s\n' "$1"
	cat "$2"
	printf '\n@@END %s\n' "$1"
}
