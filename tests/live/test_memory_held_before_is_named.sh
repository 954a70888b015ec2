#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Most people come when the memory is already gone. A recording that began too late still says what took it and in which
# cgroup, because it counts all pages before it begins. It must begin and end in time, and never fail because of that.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
CENSUS=() # as users record

MESSAGES=200000
BYTES=1000 # header and text: of kmalloc-cg-1k, or kmalloc-1k

# held_before: plant messages in a cgroup of their own, and wait until they all exist.
held_before() {
	local tree
	tree=$(memory_tree)
	CGROUP=$tree/kmemtrace-held-$$
	mkdir -p "$CGROUP" || skip "no cgroup can be made in $tree"
	in_cgroup "$CGROUP" msg $MESSAGES --size $BYTES
}

# cache_of FILE MOMENT: print the row of the messages' cache in a census of a report.
cache_of() { jq -c ".census.$2.caches[] | select(.name | test(\"^(kmalloc-(cg-)?1k|msg_msg-1k)$\"))" "$1"; }

test_1_what_was_held_before_is_on_the_first_screen() {
	need_record
	"$KMEMTRACE" census -o "$WORK/before.kmt" 2>/dev/null
	held_before
	"$KMEMTRACE" record -q -f -d 2 -o "$CAPTURE" 2>"$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	"$KMEMTRACE" report "$CAPTURE" >"$WORK/screen"
	cat "$WORK/screen"
	tr -s ' \n' ' ' <"$WORK/screen" >"$WORK/words"
	grep -qE 'OLDER [0-9.]+ [MG]iB of Slab are older than this recording: .*(kmalloc-(cg-)?1k|msg_msg-1k) [0-9.]+ [MG]iB' \
		"$WORK/words" || fail "the first screen does not name the cache"
	report
	cache_of "$REPORT" start >"$WORK/cache"
	[ -s "$WORK/cache" ] || fail "no cache of 1 KiB objects"
	within "messages before" "$(jq .objects "$WORK/cache")" $MESSAGES 20
	within "messages of the cgroup" \
		"$(jq "[.cgroups[] | select(.path | endswith(\"/${CGROUP##*/}\")).objects] | add" "$WORK/cache")" $MESSAGES 2
	within "messages after" "$(cache_of "$REPORT" end | jq .objects)" "$(jq .objects "$WORK/cache")" 2
	# they are older, so nothing of them was traced
	[ "$(json '[.growth[] | select(.stack[0] | test("load_msg")).bytes] | add // 0 | . < 1e6')" = true ] ||
		fail "older messages were attributed to the recording"
}

# The census of a good moment, and that of a recording: what came between the two.
test_2_diff_says_what_came_between() {
	need_record
	"$KMEMTRACE" census -o "$WORK/before.kmt" 2>/dev/null
	held_before
	"$KMEMTRACE" census -o "$WORK/after.kmt" 2>/dev/null
	json_of diff "$WORK/before.kmt" "$WORK/after.kmt" >"$WORK/diff.json"
	jq -c '.census.caches[:3][], .census.cgroups[:3][]' "$WORK/diff.json"
	within "messages that came" \
		"$(jq '[.census.caches[] | select(.name | test("^(kmalloc-(cg-)?1k|msg_msg-1k)$")).objects_delta] | add' \
			"$WORK/diff.json")" $MESSAGES 2
	within "kB of the cgroup" \
		"$(jq "[.census.cgroups[] | select(.name | endswith(\"/${CGROUP##*/}\")).delta_kb] | add" "$WORK/diff.json")" \
		$((MESSAGES)) 6
	"$KMEMTRACE" diff --show census "$WORK/before.kmt" "$WORK/after.kmt" >/dev/null
	"$KMEMTRACE" balance "$WORK/after.kmt" >/dev/null
}

# A signal during the first census, and a second one during the last: the recording ends at once, and is complete.
test_3_a_signal_does_not_wait_for_a_census() {
	local since
	need_record
	since=$EPOCHREALTIME
	"${HEEDS_CTRL_C[@]}" "$KMEMTRACE" record -v -f -o "$CAPTURE" 2>"$RECORD_ERR" &
	RECORD_PID=$!
	started+=("$RECORD_PID")
	until_true 5 in_file "where frame 0 is" "$RECORD_ERR"
	kill -INT "$RECORD_PID"
	wait "$RECORD_PID" || fail "record ended with $?: $(cat "$RECORD_ERR")"
	echo "ended $(ms_since "$since") ms after its start"
	report
	[ "$(json .capture.complete)" = true ] || fail "incomplete: $(cat "$RECORD_ERR")"

	record_start -q
	sleep 1
	since=$EPOCHREALTIME
	kill -INT "$RECORD_PID"
	until_true 5 in_file "detached" "$RECORD_ERR"
	kill -INT "$RECORD_PID"
	wait "$RECORD_PID" || fail "record ended with $?: $(cat "$RECORD_ERR")"
	within "milliseconds from the first signal to the end" "$(ms_since "$since")" 0 0 3000
	report
	[ "$(json .capture.complete)" = true ] || fail "incomplete: $(cat "$RECORD_ERR")"
	[ "$(json '.census.start != null')" = true ] || fail "no census before: $(json .census.missing)"
	if [ "$(json '.census.end == null')" = true ]; then
		[[ $(json .census.missing) == *"a signal cut the census at the end short"* ]] || fail "$(json .census.missing)"
	fi
}

# Where page frames are hidden, there is one note, and a recording.
test_4_without_a_census_there_is_still_a_recording() {
	need_record
	without_capabilities sys_admin "$KMEMTRACE" record -q -f -d 0.5 -o "$CAPTURE" 2>"$RECORD_ERR" ||
		fail "$(cat "$RECORD_ERR")"
	[ "$(grep -c 'no census' "$RECORD_ERR")" = 1 ] || fail "not one note: $(cat "$RECORD_ERR")"
	report
	[ "$(json .capture.complete)" = true ] || fail "incomplete"
	[ "$(json '.census.start == null and .census.end == null')" = true ] || fail "there is a census"
	[[ $(json .census.missing) == *pagemap* ]] || fail "$(json .census.missing)"
	"$KMEMTRACE" record --no-census -q -f -d 0.5 -o "$CAPTURE" 2>"$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	report
	[[ $(json .census.missing) == *--no-census* ]] || fail "$(json .census.missing)"
}

# With a small budget, the censuses of a recording are samples, and the report says so.
test_5_the_budget_is_kept() {
	need_record
	"$KMEMTRACE" record --census-budget 20ms -q -f -d 0.5 -o "$CAPTURE" 2>"$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	report
	json '.census | [.start, .end][] | [.cpu_s, .scanned_fraction]' >"$WORK/budget"
	tr '\n' ' ' <"$WORK/budget"
	echo
	[ "$(json '[.census | [.start, .end][] | .scanned_fraction < 1 and .cpu_s < 0.2] | all')" = true ] ||
		fail "not sampled, or too slow"
}

# of_cgroup LENS FILTER: objects of the cgroup in the census before tracing, as its lens says.
of_cgroup() {
	jq "[.census.start.lenses.$1.rows[] | select($2) | select((.cgroup // \"\") | endswith(\"/${CGROUP##*/}\")).objects] | add // 0" \
		"$REPORT"
}

# What an incident leaves: sockets, messages, pipes and timers, all of them older than the recording. A capture says what
# they are and in which cgroup, without a call path.
test_6_sockets_messages_pipes_and_timers_are_named_by_the_capture() {
	local tree kind
	need_record
	tree=$(memory_tree)
	CGROUP=$tree/kmemtrace-older-$$
	mkdir -p "$CGROUP" || skip "no cgroup can be made in $tree"
	for kind in 'msg 30000 --size 1000' 'timerfd 15000' 'pipe 3000' 'udp 12000'; do
		# shellcheck disable=SC2086 # words
		in_cgroup "$CGROUP" $kind
	done
	# nothing may be left out for lack of time
	"$KMEMTRACE" record --census-budget 10s -q -f -d 0.5 -o "$CAPTURE" 2>"$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	report
	within timers "$(of_cgroup files '.type == "timerfd"')" 15000 0 0
	within "ends of pipes" "$(of_cgroup files '.type == "pipe"')" 6000 0 10
	within sockets "$(of_cgroup sockets '.protocol == "UDP" or .protocol == "UDPv6"')" 12000 0 0
	within messages "$(cache_of "$REPORT" start |
		jq "[.cgroups[] | select(.path | endswith(\"/${CGROUP##*/}\")).objects] | add // 0")" 30000 2
	"$KMEMTRACE" report --show census "$CAPTURE" >"$WORK/census"
	grep -Eq '^ +timerfd +1[56],...' "$WORK/census" || fail "$(sed -n '/^OPEN FILES/,/^$/p' "$WORK/census")"
	grep -Eq '^ +UDP(v6)? UNCONN +12,...' "$WORK/census" || fail "$(sed -n '/^SOCKETS/,/^$/p' "$WORK/census")"
	# the kinds say the same of the objects behind the files
	json_of census --census-budget 5s >"$WORK/kinds.json"
	for kind in timerfd_ctx pipe_inode_info; do
		jq -e --arg type $kind '[.census.caches[].kinds[0].types[0].name] | index($type)' "$WORK/kinds.json" >/dev/null ||
			fail "$kind comes first in no cache"
	done
	end_started || true
	until_true 5 cgroup_gone "$CGROUP" || fail "the cgroup stays busy"
	CGROUP=
}

run_tests
