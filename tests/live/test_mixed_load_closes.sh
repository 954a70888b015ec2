#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# After a minute of forks, sockets, pipes, mappings and names at the same time, most of them freed again, the ledger of each
# pool still closes against the kernel's own levels.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

SLACK=$((256 << 10)) # allowed error of a pool for other reasons
MOMENT=$((4 << 20))  # allowed change of a level between two readings

level() { awk -v name="$2" '$1 == name { print $2 }' "$WORK/$1"; }

load() {
	stress-ng --quiet --fork 1 --sock 1 --pipe 1 --mmap 1 --mmap-bytes 64m --dentry 1 --temp-path "$WORK" --timeout 60s
}

# closes NAME…: check that the levels are the kernel's, and that the residual is at most 2 % of held memory plus old freed
# memory (their sum, not their difference).
closes() {
	local name start end gross residual
	for name in "$@"; do
		json ".pools[] | select(.name == \"$name\")
			| [.start_kb, .end_kb, .attributed_kb + (.preexisting_freed_kb // 0), .residual_kb]
			| map(. * 1024 | floor) | join(\" \")" >"$WORK/row"
		read -r start end gross residual <"$WORK/row"
		echo "$name: $start to $end, $gross gross, residual $residual"
		[ $((${residual#-} * 2)) -le $SLACK ] || json '.capture | .losses, .counters' | tr -d '\n" '
		within "$name's residual" "$residual" 0 0 $((gross / 50 > SLACK ? gross / 50 : SLACK))
		within "$name at the start" "$start" "$(level before "$name")" 1 $MOMENT
		within "$name at the end" "$end" "$(level after "$name")" 1 $MOMENT
	done
}

# Wait until connections of earlier tests have ended: they hold memory for up to a minute, and the owner of pages that are
# older than the recording is unknown. Frees that a CPU deferred (skb_attempt_defer_free()) happen with the next packet.
no_connections() { in_file ' orphan 0 tw 0 ' /proc/net/sockstat; }
packet_on_each_cpu() {
	local cpu
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		taskset -c "$cpu" bash -c 'echo >/dev/udp/127.0.0.1/9' 2>/dev/null || true
	done
}

test_a_minute_of_everything() {
	command -v stress-ng >/dev/null || skip "needs stress-ng"
	need_record
	until_true 90 no_connections || true
	packet_on_each_cpu
	until_steady
	record_start --exact
	levels_read "$WORK/before"
	load
	packet_on_each_cpu
	until_steady
	levels_read "$WORK/after"
	record_stop
	report
	closes Slab VmallocUsed KernelStack PageTables Percpu Unaccounted
}

run_tests
