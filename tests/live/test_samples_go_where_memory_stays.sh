#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# On a host whose every CPU allocates and frees without pause, the default recording still finds what grows beside it: with
# its call path, and close to the true size. Before each call site had its own sampling period, nearly all samples fell on
# what was freed at once: growth of 4 MiB was missed, or estimated from two samples.
# shellcheck disable=SC2119 # of the whole file: record_start needs no option
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

churn_everywhere() {
	local cpu
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		taskset -c "$cpu" "$CHURN" eventfd 1000000000 </dev/zero >/dev/null &
		started+=($!)
	done
	pause 0.5
}

# growth_of FUNCTION CACHE: set rank, bytes, low, high and period of the first group of this cache with this function in its
# call path. Both are regular expressions.
growth_of() {
	# shellcheck disable=SC2034 # for the caller
	read -r rank bytes low high period < <(json '[.growth[] | select((.cache // "" | test("'"$2"'")) and
		(.stack | any(test("'"$1"'"))))][0] // {}
		| "\(.rank) \(.bytes // 0 | round) \(.bytes_low // 0 | round) \(.bytes_high // 0 | round) \(.sample_bytes)"')
	[ "$rank" != null ] || fail "no growth by $1 in: $(json '.growth[:10][] | [.rank, .bytes, .cache, .stack[:3]] | tostring')"
	echo "$1: rank $rank, $bytes bytes ($low to $high), one sample for each $period bytes"
}

test_growth_beside_churn_is_found() {
	local rank bytes low high period
	need_record
	churn_everywhere
	record_start
	pause 2
	plant_start msg 40960 --size 1024
	plant_start timerfd 2048
	pause 4
	record_stop
	report
	[ "$(json .capture.mode)" = sampled ]
	growth_of ^load_msg '1k|1024'
	[ "$rank" = 1 ]
	within "bytes of 40 MiB of messages" "$bytes" $((40960 * 1024)) 10
	growth_of timerfd_create kmalloc-.*256
	[ "$rank" -le 20 ]
	within "bytes of 512 KiB of timers" "$bytes" $((2048 * 256)) 20
	# the cost of samples is given apart from that of events, and is a small part of it
	[ "$(json '.capture | .sampling_cpu_percent > 0 and .sampling_cpu_percent < .overhead_cpu_percent / 2')" = true ] ||
		fail "$(json '.capture | [.sampling_cpu_percent, .overhead_cpu_percent] | tostring')"
}

# One object of a thousand that pass stays, in the same call site and cache as those that are freed at once.
test_growth_inside_churn_is_found() {
	local rank bytes low high period
	need_record
	churn_everywhere
	record_start
	plant_start file 8000 --rate 800
	pause 1
	record_stop
	report
	growth_of ^alloc_empty_file filp
	[ "$rank" -le 5 ]
	[ "$low" -le $((8000 * 256 * 11 / 10)) ] || fail "8,000 files have less"
	[ "$high" -ge $((8000 * 192)) ] || fail "8,000 files have more"
}

run_tests
