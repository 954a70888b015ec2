#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tool runs on hosts that are short of memory. So a recording takes only memory that the host can spare; if asked for
# more, it names what it can get; and the OOM killer ends it first.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
CENSUS=() # as users record

# refused PATTERN OPTION…: check for status 1, one line that matches, no file and no tables.
refused() {
	local pattern=$1 status=0
	shift
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 1 -o "$WORK/x.kmt" "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
	[ $status = 1 ] || fail "record $*: status $status: $(cat "$WORK/err")"
	grep -qE "$pattern" "$WORK/err" || fail "record $*: nothing like '$pattern' in: $(cat "$WORK/err")"
	[ "$(wc -l <"$WORK/err")" = 1 ] || fail "not one line: $(cat "$WORK/err")"
	[ ! -e "$WORK/x.kmt" ] || fail "it left a file behind"
}

test_more_than_the_host_can_spare_is_refused() {
	local advice
	need_record
	refused '^kmemtrace: --memory 100\.0 TiB is more than this host can spare: .* are available, .*give --memory [0-9]+M or less$' \
		--memory 100T
	# the advised size must be accepted; use 64 MiB less, because other programs may take memory
	advice=$(grep -oE '[0-9]+M or less' "$WORK/err")
	advice=${advice%M or less}
	[ "$advice" -lt $(($(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo) / 1024 / 2 + 64)) ] ||
		fail "half of what is available is less than $advice MiB"
	refused 'no table holds 260,000,000 objects|--max-live 260,000,000 takes' --max-live 260000000
}

# doctor_memory FIELD
doctor_memory() { json_of doctor | jq -r ".memory.$1"; }

# record takes what doctor says, and the report shows it as the tool's own memory.
test_doctor_says_what_record_takes() {
	need_record
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.5 -f -o "$CAPTURE" 2>/dev/null
	report
	within "bytes of tables" "$(json .capture.own_kernel_bytes)" "$(doctor_memory sampled.bytes)" 10 1000000
	"$KMEMTRACE" record "${CENSUS[@]}" -q --exact -d 0.5 -f -o "$CAPTURE" 2>/dev/null
	report
	within "bytes of tables, exact" "$(json .capture.own_kernel_bytes)" "$(doctor_memory exact.bytes)" 10 1000000
	[ "$(doctor_memory most_bytes)" -gt 1000000 ]
	"$KMEMTRACE" doctor | tr -s ' \n' ' ' | grep -qE 'Memory: record takes .* for the process\. At present, --memory may be at most ' ||
		fail "$("$KMEMTRACE" doctor)"
}

# short_of_space KIB OPTION…: record with this much address space.
short_of_space() {
	local kib=$1
	shift
	(
		ulimit -v "$kib"
		"$KMEMTRACE" record "${CENSUS[@]}" -q -f -d 0.5 -o "$CAPTURE" --exact "$@" 2>"$WORK/err"
	)
}

# If memory seemed available but cannot be allocated (here because address space is limited), record takes less, unless the
# user requested this size.
test_less_is_taken_where_there_is_less() {
	need_record
	short_of_space 70000 || fail "$(cat "$WORK/err")"
	grep -qE '^kmemtrace: warning: no memory for tables of .* MiB: trying with .* MiB$' "$WORK/err" || fail "$(cat "$WORK/err")"
	report
	[ "$(json .capture.complete)" = true ]
	[ "$(json .capture.own_kernel_bytes)" -lt "$(doctor_memory exact.bytes)" ]
	if short_of_space 70000 --memory 128M; then fail "not refused"; fi
	grep -qE '^kmemtrace: no memory for tables of .* \(.*\): give a smaller --memory' "$WORK/err" || fail "$(cat "$WORK/err")"
	[ "$(wc -l <"$WORK/err")" = 1 ] || fail "$(cat "$WORK/err")"
}

# limited BYTES COMMAND…: run it in a cgroup with this memory limit, of version 1 or 2.
limited() {
	local root limit=memory.max bytes=$1
	shift
	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	if ! grep -qs memory "$root/cgroup.controllers"; then
		root=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
		limit=memory.limit_in_bytes
		[ -n "$root" ] || skip "no memory cgroups here"
	elif ! grep -q memory "$root/cgroup.subtree_control"; then
		echo +memory >"$root/cgroup.subtree_control" || skip "no memory cgroups here"
	fi
	CGROUP=$root/kmemtrace-test-$$
	mkdir -p "$CGROUP" || skip "no cgroup can be made in $root"
	echo "$bytes" >"$CGROUP/$limit"
	# shellcheck disable=SC2016 # for that shell
	sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$CGROUP" "$@"
}

# In a container, only what its limit leaves is available: with 128 MiB of tables the process would be killed.
test_a_memory_limit_is_kept() {
	need_record
	limited 120000000 "$KMEMTRACE" record "${CENSUS[@]}" -q -f -d 1 -o "$CAPTURE" --exact 2>"$WORK/err" || fail "$(cat "$WORK/err")"
	report
	[ "$(json .capture.complete)" = true ]
	[ "$(json .capture.own_kernel_bytes)" -lt 60000000 ] || fail "$(json .capture.own_kernel_bytes) bytes of tables"
	rm "$CAPTURE"
	if limited 20000000 "$KMEMTRACE" record "${CENSUS[@]}" -q -d 1 -o "$CAPTURE" 2>"$WORK/err"; then fail "not refused"; fi
	grep -qE '^kmemtrace: too little memory is left to record: the memory limit of /.* leaves .*kmemtrace balance' "$WORK/err" ||
		fail "$(cat "$WORK/err")"
	if limited 20000000 "$KMEMTRACE" doctor >"$WORK/doctor"; then fail "doctor says that it would work"; fi
	grep -q 'record would NOT work here: too little memory' "$WORK/doctor" || fail "$(cat "$WORK/doctor")"
}

adj_of() { cat "/proc/$1/oom_score_adj"; }

# The OOM killer ends the recorder first, but not its command.
test_the_oom_killer_takes_the_recorder_first() {
	local mine
	need_record
	mine=$(adj_of self)
	# shellcheck disable=SC2016 # for that shell
	record_start -- sh -c 'cat /proc/self/oom_score_adj >"$0"; sleep 1' "$WORK/adj"
	[ "$(adj_of "$RECORD_PID")" = 1000 ] || fail "$(adj_of "$RECORD_PID")"
	until_true 5 test -s "$WORK/adj"
	[ "$(cat "$WORK/adj")" = "$mine" ] || fail "COMMAND has $(cat "$WORK/adj"), not $mine"
	wait "$RECORD_PID"
}

run_tests
