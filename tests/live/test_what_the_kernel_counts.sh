#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the kernel itself counts is in the sheet and in the report, and is right: open files; cgroups that were removed but
# still exist because a file in tmpfs is charged to them; and BPF maps, with what they take and who keeps them.
# shellcheck disable=SC2119 # record_start takes options, and needs none
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

REMOVED=150
FILES=6000

balance_json() { json_of balance >"$WORK/balance.json"; } # the newest sheet of this machine

# The directory of the memory hierarchy, whichever version of cgroups it is.
memory_tree() {
	awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/self/mounts
}

removed() { jq '[.removed_cgroups[] | select(.cgroup == "v1:memory" or .cgroup == "/") | .removed] | max' "$1"; }

# A program of its own in each cgroup leaves a file in tmpfs there, which stays charged to it.
plant_removed() { # TREE DIRECTORY
	local i
	for i in $(seq $REMOVED); do
		mkdir "$1/kmemtrace-test-$i"
		# shellcheck disable=SC2016 # $$, $0 and $1 are of the inner shell
		sh -c 'echo $$ >"$0/cgroup.procs" && head -c 65536 /dev/zero >"$1"' "$1/kmemtrace-test-$i" "$2/$i"
		rmdir "$1/kmemtrace-test-$i" || { sleep 0.1; rmdir "$1/kmemtrace-test-$i"; }
	done
}

# What a test before this one removed is freed later, by the kernel's own workers: waits until the level stays, a minute
# at most.
removed_settles() {
	local last='' now i
	for i in $(seq 30); do
		balance_json
		now=$(removed "$WORK/balance.json")
		[ "$now" = "$last" ] && return
		last=$now
		sleep 2
	done
	echo "# $i readings, and removed cgroups still change: $last, $now"
}

test_removed_cgroups() {
	local tree dir before now least
	need_record
	tree=$(memory_tree)
	[ -n "$tree" ] || { tree=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts) &&
		grep -qw memory "$tree/cgroup.subtree_control"; } || skip "no memory controller to make cgroups in"
	[ "$(stat -c %i "$tree")" = 1 ] || skip "this is a part of the cgroup tree only"
	dir=$(mktemp -d /dev/shm/kmemtrace-test.XXXXXX)
	removed_settles
	before=$(removed "$WORK/balance.json")
	least=$((REMOVED - REMOVED / 10)) # of those that were there before, some may be freed meanwhile
	record_start
	plant_removed "$tree" "$dir"
	record_stop
	balance_json
	now=$(removed "$WORK/balance.json")
	report
	rm -rf "$dir"
	[ $((now - before)) -ge $least ] || fail "balance counts $now removed cgroups, $before before $REMOVED were removed"
	[ $((now - before)) -le $((REMOVED + 20)) ] || fail "balance counts $now, $before before"
	jq -e '.notes | any(contains("removed cgroups still exist"))' "$WORK/balance.json" >/dev/null || fail "balance does not say it"
	[ "$(json '[.removed_cgroups[] | .removed - (.removed_start // 0)] | max >= '$least)" = true ] ||
		fail "the report has $(json .removed_cgroups)"
	[ "$(json '.proportions | any(.rule == "removed-cgroups")')" = true ] || fail "the report does not say it"
}

# Files of the kernel's own counter and objects of filp: both grow by what is opened, and agree.
test_open_files() {
	need_record
	record_start
	(
		ulimit -n $((FILES + 100))
		exec python3 -c '
import os, sys, time
held = [os.open("/proc/self/stat", os.O_RDONLY) for _ in range('$FILES')]
open(sys.argv[1], "w").close()
time.sleep(600)' "$WORK/opened"
	) &
	started+=($!)
	while [ ! -e "$WORK/opened" ]; do sleep 0.1; done
	record_stop
	report
	[ "$(json '.counters[] | select(.name == "open_files") |
		(.count - .count_start >= '$FILES') and (.objects - .objects_start >= '$FILES' * 0.9) and
		.state == "agrees"')" = true ] || fail "$(json '.counters[] | select(.name == "open_files")')"
	[ "$(json '.counters[] | select(.name == "dentries") | .state')" = agrees ] ||
		fail "$(json '.counters[] | select(.name == "dentries")')"
}

# bpftool knows the truth: each map's size in the kernel. A hash, an array on each CPU and a ring buffer are made while the
# recording runs, and pinned.
test_bpf_maps() {
	need_record
	command -v bpftool >/dev/null || skip "needs bpftool"
	local bpffs=$WORK/bpffs name ids truth
	mkdir "$bpffs"
	mount -t bpf none "$bpffs" || skip "a bpffs cannot be mounted"
	grep -q '^[^ ]* [^ ]* bpf ' /proc/self/mounts || fail "no bpffs"
	record_start
	bpftool map create "$bpffs/hash" type hash key 8 value 64 entries 50000 name kmt_live_hash
	bpftool map create "$bpffs/percpu" type percpu_array key 4 value 1024 entries 2000 name kmt_live_pcpu
	bpftool map create "$bpffs/ring" type ringbuf key 0 value 0 entries 1048576 name kmt_live_ring
	truth=$(bpftool -j map list | jq '[.[] | select(.name | startswith("kmt_live"))]')
	record_stop
	report
	balance_json
	"$KMEMTRACE" balance --show bpf >"$WORK/balance.txt"
	umount "$bpffs"
	[ "$(jq length <<<"$truth")" = 3 ] || fail "bpftool has $truth"
	for name in kmt_live_hash kmt_live_pcpu kmt_live_ring; do
		ids=$(jq -c ".[] | select(.name == \"$name\") | [.id, .bytes_memlock]" <<<"$truth")
		[ "$(json ".bpf.objects[] | select(.name == \"$name\" and .kind == \"map\") | [.id, .bytes]" | jq -c .)" = "$ids" ] ||
			fail "$name: bpftool says $ids, the report $(json ".bpf.objects[] | select(.name == \"$name\")")"
		[ "$(jq -c ".bpf.objects[] | select(.name == \"$name\") | [.id, .bytes]" "$WORK/balance.json")" = "$ids" ] ||
			fail "$name: bpftool says $ids, balance $(jq -c .bpf "$WORK/balance.json")"
	done
	jq -r '.bpf.objects[] | select(.name == "kmt_live_hash") | .kept_by' "$WORK/balance.json" | grep -q "pinned at .*/hash" ||
		fail "balance does not say where it is pinned"
	[ "$(jq .bpf.own.count "$WORK/balance.json")" = 0 ] || fail "balance has BPF objects of its own"
	grep -q '^  map [0-9]* *kmt_live_ring  *ringbuf ' "$WORK/balance.txt" || fail "not in the text of balance: $(cat "$WORK/balance.txt")"
	[ "$(json '.bpf.objects[] | select(.name == "kmt_live_hash") | .vmalloc_bytes == .bytes')" = true ]
	[ "$(json '.bpf.objects[] | select(.name == "kmt_live_ring") | .other_bytes == .bytes')" = true ]
	[ "$(json '.bpf.objects[] | select(.name == "kmt_live_pcpu") |
		.percpu_bytes == 2000 * 1024 * '"$(getconf _NPROCESSORS_CONF)")" = true ] ||
		fail "$(json '.bpf.objects[] | select(.name == "kmt_live_pcpu")')"
	[ "$(json '.bpf.maps.delta_bytes')" = "$(jq '[.[].bytes_memlock] | add' <<<"$truth")" ] ||
		fail "the maps are said to have grown by $(json .bpf.maps.delta_bytes), and $truth were made"
	json '.bpf.objects[] | select(.name == "kmt_live_hash") | .kept_by' | grep -q "pinned at .*/hash" ||
		fail "the report does not say where it is pinned: $(json '.bpf.objects[] | select(.name == "kmt_live_hash")')"
	json '.findings[] | select(.kind == "bpf-growth" and .subject == "VmallocUsed") | .text' |
		grep -q "(hash kmt_live_hash) grew most, by .*; it is pinned at .*/hash" || fail "no finding says that VmallocUsed grew by it"
	[ "$(json '.bpf.own | .count > 5 and .bytes > 100000')" = true ] || fail "its own are $(json .bpf.own)"
	[ "$(json '[.bpf.objects[] | select(.own) | .name | startswith("kmt_live")] | any')" = false ]
}

run_tests
