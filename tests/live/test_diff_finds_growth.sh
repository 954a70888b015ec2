#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# diff of two recordings names what grows in the second one, first and with its rate, next to far more traffic. If nothing
# grows, it names nothing. Parts of one long recording can be compared. Growth is distinguished from other patterns.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

DIFF=$WORK/diff.json

record_to() { # FILE OPTION…
	local file=$1
	shift
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f -o "$file" "$@" 2>"$RECORD_ERR" || fail "record: $(cat "$RECORD_ERR")"
}

# compare BASE NEW OPTION…: write the comparison into $DIFF.
compare() { json_of diff "$@" >"$DIFF"; }

diff_json() { jq -r "$1" "$DIFF"; }

# in_background COMMAND…
in_background() {
	"$@" >/dev/null 2>&1 &
	started+=("$!")
}

# Grow by 1 MB/s for 10 s, next to 200 MB/s that is freed again, with default sampling.
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
	# the truth is 1,024 objects of 1 KiB a second, started just before the recording: it must be in the 95 % interval
	# extended by 25 %
	diff_json '.growth[0] | (.delta_bytes_per_s_low * 0.75 <= 1048576 and 1048576 <= .delta_bytes_per_s_high * 1.25)' | grep -q true
	diff_json '.verdict.sentences[0]' | grep -q 'grows .*faster'
	diff_json .verdict.next | grep -q 'record --exact --cache'
	diff_json '.findings[0] | "\(.severity) \(.kind) \(.subject) \(.trust): \(.next)"'
	[ "$(diff_json '.findings[0] | "\(.severity) \(.kind)"')" = "warning growth" ]
	screen_names plant
	grep -qE '^HOW +.*(load_msg|alloc_msg)' "$WORK/screen"
	grep -qE '^NEXT +sudo kmemtrace record --exact --cache' "$WORK/screen"
}

# screen_names PROCESS: the first screen of the last recordings fits a terminal, begins with growth, and names the process first.
screen_names() {
	"$KMEMTRACE" diff "$WORK/base.kmt" "$WORK/new.kmt" >"$WORK/screen"
	cat "$WORK/screen"
	[ "$(wc -l <"$WORK/screen")" -le 40 ]
	if grep -nE '.{81}' "$WORK/screen"; then fail "a line is wider than 80 columns"; fi
	grep -qE '^(GROWING|GREW) +Held memory in Slab gr' "$WORK/screen"
	grep -m 1 '^WHO' "$WORK/screen" | grep -q "$1\["
	grep -q '^TRUST' "$WORK/screen"
}

# Two programs grow at different rates, on different paths. Each rate must be in its interval extended by a quarter, the path
# must be "growing", and the growth of Slab must correlate with the program's.
test_each_rate_is_found() {
	local kind rate path of
	need_record
	record_to "$WORK/base.kmt" -d 10
	in_background "$PLANT" msg 100000 --size 976 --rate 256 --seconds 60
	in_background "$PLANT" unix 100000 --size 3000 --rate 1024 --seconds 60
	record_to "$CAPTURE" -d 10
	compare --top 0 "$WORK/base.kmt" "$CAPTURE"
	report
	while read -r kind rate path; do
		of='[.growth[] | select(.process == "plant" and (.stack | any(test("'$path'"))) and (.status == "new" or .status == "grown"))]'
		diff_json "${of}[] | \"$kind \\(.delta_bytes_per_s_low) to \\(.delta_bytes_per_s_high): \\(.cache) \\(.name)\""
		diff_json "$of | any(.[]; .delta_bytes_per_s_low * 0.75 <= $rate and $rate <= .delta_bytes_per_s_high * 1.25)" | grep -q true ||
			fail "$kind: not at $rate bytes a second"
		json '[.growth[] | select(.processes[0].comm == "plant" and (.stack | any(test("'"$path"'"))))][0].pattern' | grep -q growing
	done <<-END
		messages 262144 load_msg|alloc_msg
		packets 4194304 unix_stream_sendmsg|unix_dgram_sendmsg
	END
	json '[.follows[] | select(.pool == "Slab" and .comm == "plant")] != []' | grep -q true
	"$KMEMTRACE" report --show all "$CAPTURE" | grep -A12 '^CORRELATED WITH' | grep -q plant
}

# shape_is PATTERN REPORT DIFF: check the pattern of Slab in both commands, and how their verdicts say it.
shape_is() {
	report
	compare "$CAPTURE" "$CAPTURE"
	echo "Slab: $(json '.pools[] | select(.name == "Slab") | .pattern'), $(json .verdict.sentences[0:3])"
	[ "$(json '.pools[] | select(.name == "Slab") | .pattern')" = "$1" ]
	[ "$(diff_json '.pools[] | select(.name == "Slab") | .new.pattern')" = "$1" ]
	json '.verdict.sentences[]' | grep -qE "^Slab $2"
	diff_json '.verdict.sentences[]' | grep -qE "^In the new capture, Slab $3"
}

# 30 MB exist from about the third to the sixth of ten seconds.
test_a_spike_is_no_growth() {
	need_record
	record_start -d 10
	sleep 3
	"$PLANT" msg 30000 --size 976 --seconds 3 >"$WORK/ready"
	wait "$RECORD_PID" || fail "record: $(cat "$RECORD_ERR")"
	shape_is spike 'rose and fell back, between' 'rose and fell back'
}

# 30 MB are allocated and freed every three and a half seconds.
test_a_saw_tooth_is_no_growth() {
	need_record
	record_start -d 12
	for _ in 1 2 3; do
		"$PLANT" msg 30000 --size 976 --seconds 2 >"$WORK/ready"
		sleep 1.5
	done
	wait "$RECORD_PID" || fail "record: $(cat "$RECORD_ERR")"
	shape_is sawtooth 'rises and falls again and again, between' 'rises and falls'
}

test_a_drop_is_named() {
	need_record
	plant_start msg 30000 --size 976
	record_start -d 10
	sleep 5
	plant_stop
	wait "$RECORD_PID" || fail "record: $(cat "$RECORD_ERR")"
	shape_is drop 'shrank by' 'fell'
}

# Compare five recordings of an idle host in ten pairs. Skip if other programs start or end, because that is a real change.
test_without_growth_nothing_is_reported() {
	local i k alarms=0
	need_record
	for i in 1 2 3 4 5; do record_to "$WORK/$i.kmt" -d 4; done
	for i in 1 2 3 4; do
		for k in $(seq $((i + 1)) 5); do
			compare "$WORK/$i.kmt" "$WORK/$k.kmt"
			if [ "$(diff_json .growth_changed)" != 0 ]; then
				alarms=$((alarms + 1))
				diff_json '.growth[] | "\(.status) \(.delta_bytes_per_s) \(.process) \(.name)"'
			fi
		done
	done
	echo "$alarms of 10 comparisons report growth"
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
	json_of report --to 6 "$CAPTURE" | jq -e '[.growth[] | select(.processes[0].comm == "plant")] == []' >/dev/null
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
