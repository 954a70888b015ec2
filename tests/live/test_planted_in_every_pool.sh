#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Memory beside slab that a known program takes is the first growth of its pool in an exact report, with the right
# call path and process, bytes within 1 % of the kernel's own figures; each pool's attributed bytes account for its
# change; and freed again, nothing of it is left.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

SLACK=$((256 << 10)) # what a pool may be off by for other reasons

meminfo() { awk -v name="$1:" '$1 == name { print $2 * 1024 }' /proc/meminfo; }

levels_read() {
	cat /proc/sys/vm/stat_refresh >/dev/null 2>&1 || true
	for name in KernelStack PageTables VmallocUsed Percpu; do echo "$name $(meminfo $name)"; done >"$1"
}

level_grown() { awk -v name="$1" 'NR == FNR { had[$1] = $2; next } $1 == name { print $2 - had[$1] }' "$WORK/before" "$WORK/after"; }

# planted KIND COUNT OPTION…: recorded in $mode, with the truth before and after.
mode=--exact
planted() {
	command -v sqlite3 >/dev/null || skip "needs sqlite3"
	need_record
	# shellcheck disable=SC2086 # "-s 64K" is two words
	record_start $mode
	levels_read "$WORK/before" # the recorder has page tables, too
	plant_start "$@"
	levels_read "$WORK/after"
	record_stop
	report
}

first() { json "[.growth[] | select(.pool == \"$1\")][0] | $2"; }

# first_is POOL: the plant and its call path are the first of the pool.
first_is() {
	[ "$(first "$1" '.processes[0] | "\(.comm) \(.pid)"')" = "plant $PLANT_PID" ] ||
		fail "first of $1 is $(first "$1" .)"
	first "$1" '.stack[]' | grep -qE "^($(ready stack | tr , '|'))\+0x" ||
		fail "no $(ready stack) in: $(first "$1" '.stack[]')"
}

# gone_bytes COLUMN: what processes held at the start that are gone at the end: freed, but older than the capture.
gone_bytes() {
	sqlite3 "$CAPTURE" "SELECT coalesce(sum($1), 0) FROM task WHERE kind = 'start' AND tgid NOT IN
		(SELECT tgid FROM task WHERE kind = 'end')"
}

# closes NAME [COLUMN]: what is attributed accounts for the change of the pool's level, COLUMN of the processes that
# went away meanwhile put back.
closes() {
	local gone=0
	if [ $# = 2 ]; then gone=$(gone_bytes "$2"); fi
	# shellcheck disable=SC2046 # two numbers
	set -- "$1" $(json ".pools[] | select(.name == \"$1\") | .delta_kb, .attributed_kb")
	within "$1's change" "$(awk -v d="$2" -v g="$gone" 'BEGIN { print d * 1024 + g }')" \
		"$(awk -v a="$3" 'BEGIN { print a * 1024 }')" 1 $SLACK
}

# Bytes of the areas in vmallocinfo that a caller like this made.
vmalloc_of() { awk -v c="$1" -v page="$(getconf PAGESIZE)" '$3 ~ c && match($0, /pages=[0-9]+/) { n += substr($0, RSTART + 6, RLENGTH - 6) } END { print n * page }' /proc/vmallocinfo; }

traced() { # EVENT: skip where the kernel has it not
	grep -qE "^ *$1 .* raw_tp" "$WORK/doctor" || skip "$(grep "^ *$1: " "$WORK/doctor")"
}

test_threads() {
	planted thread 1000
	first_is kstack
	within "threads reported" "$(first kstack .objects)" 1000 1
	within "stacks against KernelStack" "$(first kstack .bytes)" "$(level_grown KernelStack)" 1 $SLACK
	closes KernelStack stack_bytes
	closes VmallocUsed stack_bytes
}

# One stack in eight or more is sampled at -s 1M: five standard deviations of 2000 are 30 %.
test_threads_sampled() {
	mode="-s 1M"
	planted thread 2000
	first_is kstack
	within "threads reported" "$(first kstack .objects)" 2000 30
	[ "$(first kstack '.bytes_low < .bytes and .bytes < .bytes_high')" = true ]
}

test_sparse_mappings() {
	local own
	planted sparse 4000
	own=$(awk '$1 == "VmPTE:" { print $2 * 1024 }' "/proc/$PLANT_PID/status")
	first_is pagetable
	within "page tables reported" "$(first pagetable .bytes)" $((4000 * 4096)) 1
	within "page tables against VmPTE" "$(first pagetable .bytes)" "$own" 1 65536
	within "page tables against PageTables" "$(first pagetable .bytes)" "$(level_grown PageTables)" 1 $SLACK
	closes PageTables pgtables_bytes
}

test_sparse_mappings_sampled() {
	mode="-s 64K"
	planted sparse 6000
	first_is pagetable
	within "page tables reported" "$(first pagetable .bytes)" $((6000 * 4096)) 30 # 5 standard deviations of 375 samples
}

test_bpf_arrays() {
	local before
	need_record
	traced vmalloc:alloc_vmap_area
	before=$(vmalloc_of 'array_map_alloc|bpf_map_area_alloc')
	planted bpfarray 40
	first_is vmalloc
	within "areas against vmallocinfo" "$(first vmalloc .bytes)" $(($(vmalloc_of 'array_map_alloc|bpf_map_area_alloc') - before)) 1
	closes VmallocUsed stack_bytes
}

test_bpf_percpu_maps() {
	need_record
	traced percpu:percpu_alloc_percpu
	planted bpfpercpu 1000
	first_is percpu
	within "per-CPU bytes reported" "$(first percpu .bytes)" $((1000 * 4096 * $(getconf _NPROCESSORS_CONF))) 1
	within "per-CPU objects reported" "$(first percpu .objects)" 1000 1
}

test_pipe_data() {
	planted pipedata 400
	first_is page
	within "pipe pages reported" "$(first page .bytes)" $((400 * 65536)) 1
}

test_packet_rings() {
	planted packet 30
	first_is page
	within "ring pages reported" "$(first page .bytes)" $((30 << 20)) 1
}

# A network namespace takes something of each pool.
test_network_namespaces() {
	need_record
	traced percpu:percpu_alloc_percpu
	planted netns 40
	for pool in slab percpu; do
		json "[.growth[] | select(.pool == \"$pool\" and (.processes[0].comm == \"plant\"))][0].stack[]" |
			grep -qE "^(copy_net_ns|setup_net|ops_init)\+0x" || fail "no network namespace in the first $pool"
	done
	closes VmallocUsed stack_bytes
	closes KernelStack stack_bytes
}

# freed POOL KIND COUNT BYTES: planted and gone again before the recording ends.
freed() {
	local left
	need_record
	record_start --exact
	plant_start "$2" "$3"
	plant_stop
	sleep 1 # kernel stacks and page tables go after a grace period
	record_stop
	report
	left=$(json "[.growth[] | select(.pool == \"$1\") | .processes[] | select(.pid == $PLANT_PID) | .bytes] | add // 0 | floor")
	within "$1 left of $4 bytes" "$left" 0 0 $(($4 / 100 > SLACK ? $4 / 100 : SLACK))
}

test_freed_threads() { freed kstack thread 1000 16384000; }
test_freed_page_tables() { freed pagetable sparse 4000 16384000; }
test_freed_pipe_data() { freed page pipedata 400 26214400; }
test_freed_packet_rings() { freed page packet 30 31457280; }
test_freed_bpf_arrays() { freed vmalloc bpfarray 40 41943040; }
test_freed_percpu_maps() { freed percpu bpfpercpu 1000 8192000; }

# The level by process, from the task iterator, is what /proc says of it.
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
