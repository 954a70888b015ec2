#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Memory of a known program in other pools than slab is the first growth of its pool, with the right call path and process.
# Its bytes match the kernel's own figures: within 1 % in an exact report, within the printed interval in a sampled one. The
# ledger of the pool closes each time, and again when the memory is freed.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

SLACK=$((256 << 10)) # allowed error of a pool for other reasons
CPUS=$(getconf _NPROCESSORS_CONF)

# The plants: KIND (tests/plant), number, bytes of each, POOL, its row in the ledger, and the event that the pool needs to be
# traced. With a sample every SAMPLE bytes, each plant gives hundreds of samples.
SAMPLE=64K
plants() {
	cat <<-EOF
		thread    2000 16384           kstack    KernelStack task:task_newtask
		sparse    6000 4096            pagetable PageTables  kmem:mm_page_alloc
		bpfarray  40   1052672         vmalloc   VmallocUsed vmalloc:alloc_vmap_area
		bpfpercpu 3000 $((4096 * CPUS)) percpu    Percpu      percpu:percpu_alloc_percpu
		pipedata  400  65536           page      Unaccounted kmem:mm_page_alloc
		packet    30   1048576         page      Unaccounted kmem:mm_page_alloc
	EOF
}

# A network namespace allocates from every pool, from these most; bytes as the kernel counts them.
NAMESPACES=100

# ---- the truth ----

# truth KIND…: print the bytes of the plant as the kernel counts them, or as the plant computes them if the kernel does not.
truth() {
	case $1 in
	thread) awk -v size="$3" '$1 == "Threads:" { print ($2 - 1) * size }' "/proc/$PLANT_PID/status" ;;
	sparse) awk '$1 == "VmPTE:" { print $2 * 1024 }' "/proc/$PLANT_PID/status" ;;
	bpfarray) grown arrays ;;
	*) echo $(($2 * $3)) ;;
	esac
}

# ---- the report ----

traced() { # EVENT: skip if the kernel does not have it
	grep -qE "^ *$1 .* raw_tp" "$WORK/doctor" || skip "$(grep "^ *$1: " "$WORK/doctor")"
}

# planted KIND COUNT OPTION…: record a plant with these options, and read the true figures before and after.
planted() {
	local kind=$1 count=$2
	shift 2
	until_steady
	record_start "$@"
	levels_read "$WORK/before" # here, because the recorder also needs memory
	plant_start "$kind" "$count"
	levels_read "$WORK/after"
	record_stop
	report
}

first() { json "[.growth[] | select(.pool == \"$1\")][0] | $2"; }

# first_is POOL: check that the plant and its call path come first in the pool.
first_is() {
	[ "$(first "$1" '.processes[0] | "\(.comm) \(.pid)"')" = "plant $PLANT_PID" ] ||
		fail "first of $1 is $(first "$1" .)"
	first "$1" '.stack[]' | grep -qE "^($(ready stack | tr , '|'))\+0x" ||
		fail "no $(ready stack) in: $(first "$1" '.stack[]')"
}

# deviations LOW HIGH: print four standard deviations of an estimate with this 95 % interval.
deviations() { awk -v low="$1" -v high="$2" 'BEGIN { printf "%d\n", 4 * (high - low) / 3.92 }'; }

# closes NAME…: check that the residual of these rows of the ledger is at most 1 % of the change, or SLACK; in a sampled
# report it may be four standard deviations larger, computed from the printed interval.
closes() {
	local name delta residual low high
	for name in "$@"; do
		json ".pools[] | select(.name == \"$name\") | [.delta_kb, .residual_kb, .residual_low_kb, .residual_high_kb]
			| map(. * 1024 | floor) | join(\" \")" >"$WORK/row"
		read -r delta residual low high <"$WORK/row"
		within "$name's residual of a change of $delta" "$residual" 0 0 \
			$((${delta#-} / 100 + SLACK + $(deviations "$low" "$high")))
	done
}

# ---- one plant: exact, sampled, and freed again ----

exact() { # KIND COUNT BYTES POOL LEDGER EVENT
	need_record
	traced "$6"
	planted "$1" "$2" --exact
	first_is "$4"
	within "$1 in the report" "$(first "$4" .bytes)" $(($2 * $3)) 1
	within "$1 against the kernel" "$(first "$4" .bytes)" "$(truth "$@")" 1 65536
	[ "$5" = Percpu ] || # Percpu may have had free space
		within "$1 against the growth of $5" "$(first "$4" .bytes)" "$(grown "$5")" 1 $SLACK
	closes "$5" VmallocUsed
}

sampled() { # as exact
	local bytes low high
	need_record
	traced "$6"
	planted "$1" "$2" -s $SAMPLE
	first_is "$4"
	first "$4" '[.bytes, .bytes_low, .bytes_high] | map(floor) | join(" ")' >"$WORK/row"
	read -r bytes low high <"$WORK/row"
	within "$1 in the report" "$bytes" "$(truth "$@")" 1 "$(deviations "$low" "$high")"
	within "half the interval" $(((high - low) / 2)) 0 0 $((bytes / 4))
	closes "$5" VmallocUsed
	if [ "$low" != "$high" ] && [ "$5" != Percpu ]; then
		"$KMEMTRACE" report --show all "$CAPTURE" | tr -s '\n ' ' ' | grep -q "their residuals are uncertain.* $5 " ||
			fail "the text does not say that the residual of $5 is uncertain"
	fi
}

freed() { # as exact
	local left
	need_record
	traced "$6"
	until_steady
	record_start --exact
	plant_start "$1" "$2"
	plant_stop
	sleep 2 # kernel stacks and page tables are freed after a grace period
	record_stop
	report
	left=$(json "[.growth[] | select(.pool == \"$4\") | .processes[] | select(.pid == $PLANT_PID) | .bytes] | add // 0 | floor")
	within "$1 left of $(($2 * $3)) bytes" "$left" 0 0 $(($2 * $3 / 100 > SLACK ? $2 * $3 / 100 : SLACK))
	closes "$5" VmallocUsed
}

while read -r kind plant; do
	for how in exact sampled freed; do eval "test_${kind}_$how() { $how $kind $plant; }"; done
done < <(plants)

# ---- all pools at once ----

namespaces() { # OPTION…
	need_record
	traced percpu:percpu_alloc_percpu
	planted netns $NAMESPACES "$@"
	first_is slab
	first_is percpu
	closes Slab VmallocUsed KernelStack PageTables Percpu Unaccounted
}

test_namespaces_exact() { namespaces --exact; }

test_namespaces_freed() {
	local left
	need_record
	traced percpu:percpu_alloc_percpu
	until_steady
	record_start --exact
	plant_start netns $NAMESPACES
	plant_stop
	sleep 3 # a worker destroys all of them, with grace periods in between
	unshare -n true # from 6.13 on a struct net is freed when the next namespaces go
	sleep 3
	record_stop
	report
	left=$(json "[.growth[].processes[] | select(.pid == $PLANT_PID) | .bytes] | add // 0 | floor")
	within "left of $NAMESPACES network namespaces" "$left" 0 0 $SLACK
	closes VmallocUsed KernelStack PageTables Percpu
}

test_namespaces_sampled() { namespaces -s $SAMPLE; }

# The level of a process, from the task iterator, equals what /proc says.
test_levels_by_process() {
	local level own
	command -v sqlite3 >/dev/null || skip "needs sqlite3"
	need_record
	grep -qE "^ *iter/task .* iter" "$WORK/doctor" || skip "$(grep "^ *iter/task: " "$WORK/doctor")"
	plant_start thread 300
	record_start -d 2
	wait "$RECORD_PID"
	own="$(awk '$1 == "Threads:" { print $2 }' "/proc/$PLANT_PID/status") $(awk '$1 == "VmPTE:" { print $2 * 1024 }' "/proc/$PLANT_PID/status")"
	level=$(sqlite3 -separator ' ' "$CAPTURE" "SELECT threads, pgtables_bytes FROM task WHERE kind = 'end' AND tgid = $PLANT_PID")
	[ "$level" = "$own" ] || fail "threads and page tables are $own, the capture says $level"
}

run_tests
