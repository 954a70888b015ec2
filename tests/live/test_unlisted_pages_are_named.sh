#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Pages in no line of /proc/meminfo that were taken before: the census says what they belong to, and who has them.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# origin_kb KIND: what the process `plant` has of it, as the census says, in kB.
origin_kb() {
	json_of census --census-budget 10s >"$WORK/census.json" || fail "census failed"
	jq --arg kind "$1" '[.census.unlisted.origins[] | select(.kind == $kind and .name == "plant").kb] | add // 0' \
		"$WORK/census.json"
}

# planted KIND PLANT COUNT KB [OPTION…]: plant COUNT of them with KB kB altogether, and no more may be found than that.
planted() {
	local kind=$1 plant=$2 count=$3 kb=$4 unknown
	need_record
	[ "$(origin_kb "$kind")" = 0 ] || fail "there is some of it already"
	unknown=$(jq .census.unlisted.unknown_kb "$WORK/census.json")
	plant_start "$plant" "$count" "${@:5}"
	within "$kind" "$(origin_kb "$kind")" "$kb" 0 0
	# what is found is what was not explained before
	within "not explained" "$(jq .census.unlisted.unknown_kb "$WORK/census.json")" "$unknown" 0 4096
	"$KMEMTRACE" census --show unlisted >"$WORK/text" || fail "census failed"
	grep -q ' plant$' "$WORK/text" || fail "$(sed -n '/IN NO LINE/,$p' "$WORK/text")"
	plant_stop
}

page_kb() { echo $(($(getconf PAGESIZE) / 1024)); }

test_1_data_in_pipes() {
	planted pipe pipedata 100 $((100 * 64)) --size 65536
}

test_2_rings_of_packet_sockets() {
	planted packet_ring packet 20 $((20 * 256)) --size 262144
}

test_3_rings_of_perf_events() {
	planted perf_ring perf 20 $((20 * (512 + $(page_kb)))) --size 524288 # and a page that is shared with the reader
}

run_tests
