#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Of two recordings diff names what grows in the second, first and at its rate, beside far more traffic; of recordings
# in which nothing grows it names nothing; and one long recording can be compared with itself.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

DIFF=$WORK/diff.json

record_to() { # FILE OPTION…
	local file=$1
	shift
	"$KMEMTRACE" record -q -f -o "$file" "$@" 2>"$RECORD_ERR" || fail "record: $(cat "$RECORD_ERR")"
}

# compare BASE NEW OPTION…: into $DIFF
compare() { "$KMEMTRACE" diff --format json "$@" >"$DIFF"; }

diff_json() { jq -r "$1" "$DIFF"; }

# in_background COMMAND…
in_background() {
	"$@" >/dev/null 2>&1 &
	started+=("$!")
}

# 1 MB/s for 10 s, beside 200 MB/s that is freed again, at the default sampling.
test_growth_beside_traffic_is_first() {
	need_record
	in_background "$CHURN" msg 100000000 --size 4048 --rate 50000
	sleep 1
	record_to "$WORK/base.kmt" -d 10
	in_background "$PLANT" msg 10240 --size 976 --rate 1024 --seconds 60
	record_to "$WORK/new.kmt" -d 10
	compare "$WORK/base.kmt" "$WORK/new.kmt"
	diff_json '.growth[0] | "\(.status) \(.pool) \(.process) \(.bytes_low) to \(.bytes_high): \(.name)"'
	[ "$(diff_json .growth[0].process)" = plant ]
	case $(diff_json .growth[0].status) in new | grown) ;; *) fail "status: $(diff_json .growth[0].status)" ;; esac
	diff_json .growth[0].name | grep -q load_msg || diff_json '.growth[0].stack[]' | grep -q alloc_msg
	# the truth is 1 KiB × 1024 a second, started a moment before the recording: inside the 95 % interval, or within
	# 25 % beyond it
	diff_json '.growth[0] | (.delta_bytes_per_s_low * 0.75 <= 1048576 and 1048576 <= .delta_bytes_per_s_high * 1.25)' | grep -q true
	diff_json '.verdict.sentences[0]' | grep -q 'grows by'
	diff_json .verdict.next | grep -q 'record --exact --cache'
}

# Twenty-one comparisons of seven recordings of the host as it is.
test_no_growth_is_no_news() {
	local i k alarms=0
	need_record
	for i in 1 2 3 4 5 6 7; do record_to "$WORK/$i.kmt" -d 4; done
	for i in 1 2 3 4 5 6; do
		for k in $(seq $((i + 1)) 7); do
			compare "$WORK/$i.kmt" "$WORK/$k.kmt"
			if [ "$(diff_json .growth_changed)" != 0 ]; then
				alarms=$((alarms + 1))
				diff_json '.growth[] | "\(.status) \(.delta_bytes_per_s) \(.process) \(.name)"'
			fi
		done
	done
	echo "$alarms of 21 comparisons report growth"
	[ "$alarms" -le 1 ]
}

test_parts_of_one_recording_compare() {
	need_record
	record_start --exact --every 2s -d 12
	sleep 7
	in_background "$PLANT" msg 20000 --size 976 --seconds 60
	wait "$RECORD_PID" || fail "record: $(cat "$RECORD_ERR")"
	compare --base-to 6 --from 6 "$CAPTURE" "$CAPTURE"
	[ "$(diff_json .growth[0].process)" = plant ]
	diff_json '.growth[0] | "\(.status): \(.base.bytes) then \(.new.bytes): \(.name)"'
	[ "$(diff_json '.growth[0].base.bytes // 0 | . < 100000')" = true ]
	within "bytes of the part" "$(diff_json .growth[0].new.bytes)" $((20000 * 1024)) 2
	"$KMEMTRACE" report --format json --to 6 "$CAPTURE" | jq -e '[.growth[] | select(.processes[0].comm == "plant")] == []' >/dev/null
}

test_growth_fails_a_script() {
	need_record
	record_start --exact -d 6
	in_background "$PLANT" msg 20000 --size 976 --seconds 60
	wait "$RECORD_PID" || fail "record: $(cat "$RECORD_ERR")"
	"$KMEMTRACE" report --fail-if-growth slab=1G "$CAPTURE" >/dev/null
	if "$KMEMTRACE" report --fail-if-growth slab=16M "$CAPTURE" >/dev/null 2>"$WORK/said"; then fail "status 0"; else [ $? = 3 ]; fi
	grep -q 'Slab grew by' "$WORK/said"
}

run_tests
