#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The census counts each page once and in the right class: its sums are those of /proc/meminfo, and planted memory is in
# the class where it belongs. It leaves nothing behind, and says why if it cannot be taken.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# census FILE OPTION…: take one, as JSON. Pages that an earlier test freed return to their lists first.
census() {
	cat /proc/sys/vm/stat_refresh >/dev/null 2>&1 || true
	json_of census "${@:2}" >"$1" || fail "census failed"
}

class_kb() { jq ".census.pages[] | select(.class == \"$1\").kb" "$WORK/$2"; }

class_grown() { # CLASS: kB from before.json to after.json
	echo $(($(class_kb "$1" after.json) - $(class_kb "$1" before.json)))
}

# Within 0.5 % or 2 MiB, and by how much the line itself moved meanwhile. What other programs do is in both.
test_1_the_sums_are_those_of_meminfo() {
	local name difference line moved
	need_record
	census "$WORK/census.json" --census-budget 10s
	jq -e '.census.scanned_fraction == 1' "$WORK/census.json" >/dev/null || fail "not all page frames were counted"
	jq -r '.census.pages[] | select(.differs != null) | "\(.class) \(.difference_kb) \(.meminfo.kb)"' \
		"$WORK/census.json" >"$WORK/lines"
	[ "$(wc -l <"$WORK/lines")" -ge 5 ] || fail "only these are compared: $(cat "$WORK/lines")"
	while read -r name difference line; do
		echo "$name: $difference kB of $line"
		moved=2048
		case $name in anonymous | file | free) moved=16384 ;; esac # other programs
		within "$name" "$(awk -v d="$difference" -v l="$line" 'BEGIN { print d + l }')" "$line" 0.5 $moved
	done <"$WORK/lines"
	[ "$(jq '[.findings[] | select(.kind == "census-differs")] | length' "$WORK/census.json")" = 0 ] ||
		fail "$(jq -r '.findings[].text' "$WORK/census.json")"
	jq -e '.census.cpu_s < 5' "$WORK/census.json" >/dev/null || fail "it took $(jq .census.cpu_s "$WORK/census.json") s"
}

# Processes with 150 MiB each come and go during the scan: AnonPages is then the same before and after, or is not.
test_7_processes_that_come_and_go_are_no_finding() {
	local run
	need_record
	# shellcheck disable=SC2016 # of the inner shell
	sh -c 'while :; do head -c 157286400 /dev/zero | tail -c 157286400 >/dev/null; sleep 0.05; done' &
	started+=($!)
	for run in 1 2 3 4; do
		json_of census --census-budget 10s >"$WORK/busy.json" || fail "census failed"
		jq -c "[$run, (.census.pages[] | select(.class == \"anonymous\") | .kb, .meminfo.kb)]" "$WORK/busy.json"
		[ "$(jq '[.findings[] | select(.kind == "census-differs")] | length' "$WORK/busy.json")" = 0 ] ||
			fail "$(jq -r '.findings[] | select(.kind == "census-differs").text' "$WORK/busy.json")"
	done
	end_started || true
}

meminfo_kb() {
	cat /proc/sys/vm/stat_refresh >/dev/null 2>&1 || true
	awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo
}

dentries() { jq '.census.caches[] | select(.name == "dentry").objects' "$WORK/$1"; }

test_2_planted_memory_is_in_its_class() {
	local slab
	need_record
	until_steady
	census "$WORK/before.json" --census-budget 10s
	plant_start sparse 8000 # a page table each
	census "$WORK/after.json" --census-budget 10s
	within "page tables" "$(class_grown page_tables)" $((8000 * $(getconf PAGESIZE) / 1024)) 5 1024
	plant_stop

	census "$WORK/before.json" --census-budget 10s
	plant_start pipedata 400 --size 65536 # in no line of meminfo
	census "$WORK/after.json" --census-budget 10s
	within "other pages" "$(class_grown other)" $((400 * 64)) 10 1024
	plant_stop

	# Some of them fill free slots of slabs that earlier tests left, so the kernel itself says how many pages they took.
	census "$WORK/before.json" --census-budget 10s
	slab=$(meminfo_kb Slab)
	plant_start dentry 50000
	census "$WORK/after.json" --census-budget 10s
	slab=$(($(meminfo_kb Slab) - slab))
	within "slab pages" $(($(class_grown slab) + $(class_grown large_kmalloc))) "$slab" 5 1024
	within "dentries in use" $(($(dentries after.json) - $(dentries before.json))) 50000 2 1000
	plant_stop
}

# charged_kb NAME: the slab objects of the cgroup, each with its entry of 8 bytes in a vector of owners, which the kernel
# charges, too; and its page tables and other kernel pages.
charged_kb() {
	jq --arg name "/$1" '.census | ([.caches[].cgroups[] | select((.path | endswith($name)) and (.removed_below | not)) |
		.kb + .objects * 8 / 1024] + [.cgroups[] | select(.path | endswith($name)) | .page_tables_kb + .other_kb]) |
		add // 0' "$WORK/after.json"
}

# kernel_kb DIRECTORY: what the kernel says is charged to the cgroup for kernel memory.
kernel_kb() {
	if [ -e "$1/memory.kmem.usage_in_bytes" ]; then
		awk '{ print $1 / 1024 }' "$1/memory.kmem.usage_in_bytes"
	else
		awk '$1 == "slab" || $1 == "pagetables" { kb += $2 / 1024 } END { print kb }' "$1/memory.stat"
	fi
}

# Two cgroups with planted objects, of which the kernel itself counts the memory.
test_3_objects_are_charged_to_the_cgroup_that_holds_them() {
	local tree name counted said
	need_record
	tree=$(memory_tree)
	for name in one two; do mkdir -p "$tree/kmemtrace-census-$name-$$"; done
	CGROUP=$tree/kmemtrace-census-one-$$
	[ -e "$CGROUP/memory.stat" ] || { rmdir "$tree/kmemtrace-census-two-$$"; skip "no memory controller in $tree"; }
	in_cgroup "$tree/kmemtrace-census-one-$$" dentry 60000
	in_cgroup "$tree/kmemtrace-census-two-$$" msg 12000 --size 1024
	sleep 3 # the kernel sums memory.stat up every 2 s
	census "$WORK/after.json" --census-budget 10s
	for name in one two; do
		counted=$(charged_kb "kmemtrace-census-$name-$$")
		said=$(kernel_kb "$tree/kmemtrace-census-$name-$$")
		echo "$name: $counted kB, and the kernel says $said"
		within "$name" "$counted" "$said" 2
	done
	jq -e '.census.caches[] | select(.name == "dentry") | .cgroups[] |
		select(.path | endswith("kmemtrace-census-one-'$$'")) | .objects >= 60000 and .objects <= 61200' \
		"$WORK/after.json" >/dev/null || fail "not 60,000 dentries: $(jq -c '.census.caches[] |
		select(.name == "dentry").cgroups' "$WORK/after.json" | head -c 2000)"
	end_started || true # a cgroup is busy until its last process is gone
	for name in one two; do
		until_true 5 cgroup_gone "$tree/kmemtrace-census-$name-$$" || fail "a cgroup stays busy"
	done
	CGROUP=
}

test_4_a_short_budget_is_kept_and_the_truth_is_in_the_interval() {
	local holds=0 slab run
	need_record
	for run in 1 2 3 4 5 6 7 8; do
		census "$WORK/short.json" --census-budget 5ms
		jq -e '.census.scanned_fraction < 0.9 and .census.cpu_s < 0.05' "$WORK/short.json" >/dev/null ||
			fail "$(jq -c '.census | del(.pages)' "$WORK/short.json")"
		slab=$(awk '$1 == "Slab:" { print $2 }' /proc/meminfo)
		jq -e "[.census.pages[] | select(.class == \"slab\" or .class == \"large_kmalloc\")] |
			(map(.kb_low) | add) <= $slab and $slab <= (map(.kb_high) | add)" "$WORK/short.json" >/dev/null &&
			holds=$((holds + 1))
		grep -q census-sampled "$WORK/short.json" || fail "it does not say that it is a sample"
	done
	[ $holds -ge 6 ] || fail "only $holds of $run intervals hold"
}

test_5_nothing_is_left_behind() {
	local before after
	need_record
	before=$(bpf_programs)
	"$KMEMTRACE" census >/dev/null
	after=$(bpf_programs)
	[ "$before" = "$after" ] || fail "programs before: $before; after: $after"
}

test_6_without_privileges_it_says_what_it_needs() {
	local status=0
	need_record
	without_capabilities sys_admin,bpf,perfmon,sys_ptrace "$KMEMTRACE" census >"$WORK/out" 2>"$WORK/err" || status=$?
	[ $status = 1 ] || fail "status $status"
	grep -q 'no census: .*run as root' "$WORK/err" || fail "$(cat "$WORK/err")"
	[ ! -s "$WORK/out" ] || fail "it printed something"
	status=0
	without_capabilities sys_admin "$KMEMTRACE" census >"$WORK/out" 2>"$WORK/err" || status=$?
	[ $status = 1 ] || fail "status $status without CAP_SYS_ADMIN"
	grep -q 'no census: .*CAP_SYS_ADMIN' "$WORK/err" || fail "$(cat "$WORK/err")"
	"$KMEMTRACE" census --census-budget 0 >/dev/null 2>"$WORK/err" && fail "a budget of 0 is accepted"
	grep -q 'give a time of at most 10m' "$WORK/err" || fail "$(cat "$WORK/err")"
}

run_tests
