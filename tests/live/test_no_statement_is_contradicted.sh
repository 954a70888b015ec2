#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a report says of growth, deadlines and leaks is not contradicted by the kernel's own counters, which are read here
# by another program meanwhile: in quiet recordings and in churning ones. RECORDINGS of each, 1 unless given, of
# RECORD_SECONDS, the first of number FIRST; KEEP names a directory for the reports.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

RECORDINGS=${RECORDINGS:-1}
RECORD_SECONDS=${RECORD_SECONDS:-4}
FIRST=${FIRST:-1} # churns take turns by this number

# levels_follow DIR: copies of the counters in DIR, ten times a second, until killed.
levels_follow() {
	local file
	while :; do
		for file in meminfo slabinfo zoneinfo loadavg; do cat /proc/$file >"$1/$now.$file"; done
		pause 0.1
		now=$EPOCHREALTIME
	done
}

# statements_hold NAME: record, and compare what the report says with the counters.
statements_hold() {
	local levels=$WORK/levels now=$EPOCHREALTIME pid status=0
	rm -rf "$levels"
	mkdir "$levels"
	levels_follow "$levels" &
	pid=$!
	started+=("$pid")
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f -d "$RECORD_SECONDS" -o "$CAPTURE" 2>"$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	pause 1
	kill "$pid"
	wait "$pid" || true
	find "$levels" -size 0 -delete # what was being written
	report
	scripts/check-statements.py "$REPORT" "$levels" "$CAPTURE" >"$WORK/judged" || status=1
	sed "s/^/$1: /" "$WORK/judged"
	[ -z "${KEEP:-}" ] || cp "$REPORT" "$KEEP/$1.json"
	[ $status = 0 ]
}

test_the_checker_finds_what_is_false() { scripts/check-statements.py --self-test; }

test_quiet_recordings() {
	local i
	need_record
	for ((i = FIRST; i < FIRST + RECORDINGS; i++)); do statements_hold "quiet-$i"; done
}

test_churning_recordings() {
	local i kinds pid
	need_record
	mapfile -t kinds < <("$CHURN" --help | awk '/^  / { print $1 }')
	for ((i = FIRST; i < FIRST + RECORDINGS; i++)); do
		"$CHURN" "${kinds[i % ${#kinds[@]}]}" 1000000000 --seconds 0 >/dev/null &
		pid=$!
		started+=("$pid")
		pause 1
		statements_hold "churn-$i-${kinds[i % ${#kinds[@]}]}"
		kill "$pid"
		wait "$pid" || true
	done
}

# A process that allocates nothing meanwhile is in a cgroup, too: its number says nothing to people.
test_a_cgroup_is_named_by_its_path() {
	need_record
	cgroup_make
	sh -c 'echo 0 >"$0" && exec sleep 600' "$CGROUP/cgroup.procs" &
	started+=($!)
	pause 0.5
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f -d 1 -o "$CAPTURE" 2>"$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	report
	[ "$(json '[.levels.cgroups[] | select(.cgroup == null)] | length')" = 0 ] ||
		fail "$(json '.levels.cgroups | map(select(.cgroup == null))')"
	json '.levels.cgroups[].cgroup' | grep -q "/${CGROUP##*/}\$"
}

run_tests
