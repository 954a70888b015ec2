#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A program that allocates and frees a million objects and keeps none is not among the first ten growth paths, and
# nothing is called a leak. Only what is freed by the
# program itself: what is freed in bulk or in RCU batches is another promise.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

churned() { # KIND COUNT
	need_record
	record_start --exact
	"$CHURN" "$1" "$2" --seconds 0 >"$WORK/ready"
	sleep 1 # RCU grace periods: until then the last few thousand do exist
	record_stop
	report
	# a few objects of its own (its message queue's namespace, file pages it read) it may well leave behind
	json '[.growth[:10][] | select(.processes[0].comm == "churn" and .objects > '"$2"' / 1000)]' >"$WORK/blamed"
	[ "$(jq length "$WORK/blamed")" = 0 ] ||
		fail "$(jq -c '.[] | [.rank, .cache, .objects, .bytes, .stack[0:3]]' "$WORK/blamed")"
	[ "$(json '.capture.counters.allocs_tracked >= '"$2")" = true ] ||
		fail "only $(json .capture.counters.allocs_tracked) allocations were seen of $2 cycles"
	[ "$(json .verdict.leak)" = false ]
}

test_messages() { churned msg 1000000; }
test_event_descriptors() { churned eventfd 350000; }
test_pipes() { churned pipe 200000; }

run_tests
