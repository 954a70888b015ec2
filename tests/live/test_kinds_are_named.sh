#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The census says of what type the objects in kmalloc's and other caches are. 24 kinds are planted, chosen from the
# kernel's source; the program names none of them. Most must be named, and nothing that is not there may seem likely.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# KIND COUNT: where limits or other objects of the cache call for it, not 1500.
plants='timerfds 1500 epolls 1500 eventfds 1500 pipes 1500 owner 1500 fsopen 1500 shm 1500 msgq 1500 sem 1500
	inotifies 100 netlinks 1500 packets 1500 unixes 1500 ptimer 1500 pty 400 uring 60 mcast 5000 maps 1500
	sysfs 2500 seccomp 1500 ipcns 150 faultfd 1500 locks 1500 sockfilter 1500'

# What these hold besides, by the kernel's source: files, inodes, terminals' parts, programs of filters, parts of
# namespaces, …
besides='file inode socket_alloc proc_inode seq_file dentry tty_port tty_ldisc tty_file_private cdev bpf_prog_aux
	bpf_prog super_block shmem_inode_info mqueue_inode_info mount cgroup obj_cgroup ctl_table_header vm_area_struct
	task_struct mm_struct signal_struct sighand_struct files_struct ip_mc_socklist udp_sock fsnotify_mark_connector
	pid cred kernfs_open_node ctl_table shrinker wait_queue_entry io_uring_task io_wq io_sq_data io_buffer_list
	hrtimer tcp_sock perf_event anon_vma anon_vma_chain maple_node xa_node vmap_area vm_struct net_device
	page *[] file *[] obj_cgroup *[] kern_ipc_perm user_namespace buffer_head ext4_inode_info kernfs_node'

plants_start() { # prints nothing; $WORK/KIND has what the plant says
	local kind count
	# shellcheck disable=SC2086 # these are words
	set -- $plants
	while [ $# -gt 0 ]; do
		kind=$1 count=$2
		shift 2
		"$PLANT" "$kind" "$count" --seconds 120 >"$WORK/planted.$kind" 2>&1 &
		started+=($!)
	done
	# shellcheck disable=SC2086
	set -- $plants
	while [ $# -gt 0 ]; do
		until_true 20 plant_said "$1" || fail "the plant $1 neither succeeds nor fails"
		shift 2
	done
}

plant_said() { [ -s "$WORK/planted.$1" ]; }

# likely FILE: "OBJECTS TYPE" of all kinds whose type is likely
likely() {
	jq -r '.census.caches[] | .name as $cache | .kinds[] | select(.sure == "likely") |
		"\(.objects) \(.types[0].name)"' "$1" | sort
}

test_1_planted_kinds_are_named() {
	local line type held=0 named=0 missed='' objects
	need_record
	json_of census --census-budget 2s >"$WORK/before.json"
	plants_start
	json_of census --census-budget 2s >"$WORK/after.json"
	for line in "$WORK"/planted.*; do
		in_file READY "$line" || { echo "not possible here: $(cat "$line")"; continue; }
		held=$((held + 1))
		type=$(sed -n 's/.* stack=\([^ ]*\) .*/\1/p' "$line")
		if jq -e --arg type "$type" '[.census.caches[].kinds[] | select(.sure != "unknown" and
			.types[0].name == $type and .objects >= 20)] | length > 0' "$WORK/after.json" >/dev/null; then
			named=$((named + 1))
		else
			missed="$missed $type"
		fi
	done
	echo "$named of $held planted kinds are named; not:$missed; $(jq -c .census.kinds "$WORK/after.json")"
	[ $held -ge 20 ] || fail "only $held kinds could be planted"
	[ $((100 * named)) -ge $((85 * held)) ] || fail "less than 17 of 20"

	# What is likely, of so many objects, and was not so before must be planted, or belong to it. Rare kinds
	# that were there before may have been missed by the first sample.
	likely "$WORK/before.json" | sed 's/^[0-9]* //' | sort -u >"$WORK/known"
	sed -n 's/.* stack=\([^ ]*\) .*/\1/p' "$WORK"/planted.* >>"$WORK/known"
	echo "$besides" | tr -s ' \t' '\n' >>"$WORK/known"
	likely "$WORK/after.json" >"$WORK/likely"
	while read -r objects type; do
		[ "${objects%.*}" -ge 700 ] || continue
		grep -qxF "$type" "$WORK/known" || grep -qxF "${type% *}" "$WORK/known" ||
			fail "$objects objects seem to be $type: $(jq -c --arg type "$type" '.census.caches[] | .name as $n |
				.kinds[] | select(.types[0].name? == $type) | [$n, .]' "$WORK/after.json" | head -c 2000)"
	done <"$WORK/likely"
}

# Each sample of a kind that fills a cache says so: intervals are those of its share.
test_2_shares_are_those_planted() {
	local share
	need_record
	plant_start faultfd 3000
	json_of census --census-budget 2s >"$WORK/after.json"
	share=$(jq '[.census.caches[].kinds[] | select(.types[0].name? == "userfaultfd_ctx") | .objects] | add // 0' \
		"$WORK/after.json")
	within "userfaultfds" "${share%.*}" 3000 5
	jq -e '[.census.caches[] | select(.kinds | length > 0) | [.kinds[].share] | add | . > 0.99 and . < 1.01] | all' \
		"$WORK/after.json" >/dev/null || fail "the shares of a cache do not add up"
	jq -e '[.census.caches[].kinds[] | .share_low <= .share and .share <= .share_high] | all' "$WORK/after.json" \
		>/dev/null || fail "a share is outside its interval"
}

# Neither what objects contain nor where they are.
test_3_no_content_and_no_address_is_printed() {
	need_record
	plant_start key 2000 # their names are plant0, plant1, …
	json_of census --census-budget 2s >"$WORK/after.json"
	"$KMEMTRACE" census --show all >"$WORK/after.txt"
	! grep -qE 'plant[0-9]' "$WORK/after.json" "$WORK/after.txt" || fail "names of keys are printed"
	! grep -oiE '\b(0x)?ffff[0-9a-f]{12}\b' "$WORK/after.json" "$WORK/after.txt" || fail "an address is printed"
	! grep -oE '\b1844[0-9]{16}\b' "$WORK/after.json" || fail "an address is printed"
}

run_tests
