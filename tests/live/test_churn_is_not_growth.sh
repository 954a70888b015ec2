#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A program that allocates and frees a million objects and keeps none is not among the first ten growth paths. Only what
# is freed by the program itself: what is freed in bulk or in RCU batches is another promise.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

churned() { # KIND COUNT
	need_record
	record_start --exact
	"$CHURN" "$1" "$2" --seconds 0 >"$WORK/ready"
	sleep 1 # RCU grace periods: until then the last few thousand do exist
	record_stop
	report
	churn_not_blamed "$2"
	[ "$(json '.capture.counters.allocs_tracked >= '"$2")" = true ] ||
		fail "only $(json .capture.counters.allocs_tracked) allocations were seen of $2 cycles"
}

test_messages() { churned msg 1000000; }
test_event_descriptors() { churned eventfd 350000; }
test_pipes() { churned pipe 200000; }

run_tests
