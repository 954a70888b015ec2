#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A program that allocates and frees a million objects and keeps none is not among the first ten growth paths. Here the
# program itself frees them; another test has frees in bulk and in RCU batches.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

churned() { # KIND COUNT
	need_record
	record_start --exact
	"$CHURN" "$1" "$2" --seconds 0 >"$WORK/ready"
	sleep 1 # until an RCU grace period has passed, the last few thousand still exist
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
