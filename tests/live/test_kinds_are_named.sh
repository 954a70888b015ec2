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
	page *[] file *[] obj_cgroup *[] device_private memory_block kern_ipc_perm user_namespace buffer_head ext4_inode_info kernfs_node'

# Chosen in the same way after the rules were made: docs/census.md has what was found of them at first. They have at
# least two words that point somewhere. Some plants hold several kinds.
plants_later='tuns 400 addrs6 800 policies 800 vsocks 600 mcast6 1500 nexthops 1000 overlays 400 inflights 600
	fanouts 300 timens 1000 rulesets 1500 devptss 600 fuses 400 utimeouts 1500 reuseports 600 classes 800
	flowlabels 1500 landrules 1500 filters 800 nftables 600 semundos 1500 keytrees 12000 priorities 1500
	ubuffers 3000 neighs 900 cgroupns 1500 routes6 900 users 1500 xattrs 1500 mountinfos 3000 tmpfss 500 xdps 600
	rules 900 mptcps 600 tries 900 addrs 900 routes 1000 ringbufs 600 sockmaps 500
	pipebuffers 600'

# What these hold besides, by the kernel's source.
besides_later='fs_context super_block backing_dev_info shrinker ovl_fs_context ovl_layer[] ovl_inode ovl_entry
	fuse_inode fuse_req fuse_mount tcf_block tcf_chain flow_indir_dev_info tcf_filter_chain_list_item
	netdev_hw_addr net inet6_dev in_device io_kiocb key msg_msg sem_array sk_buff tcp_sock inet_bind2_bucket
	inet_bind_bucket sock seq_file rt6_info fib_rules_ops xa_node'

plants_start() { # PLANTS; prints nothing; $WORK/planted.KIND has what the plant says
	local kind count plants_now=$1
	# shellcheck disable=SC2086 # these are words
	set -- $plants_now
	while [ $# -gt 0 ]; do
		kind=$1 count=$2
		shift 2
		"$PLANT" "$kind" "$count" --seconds 120 >"$WORK/planted.$kind" 2>&1 &
		started+=($!)
	done
	# shellcheck disable=SC2086
	set -- $plants_now
	while [ $# -gt 0 ]; do
		until_true 20 plant_said "$1" || fail "the plant $1 neither succeeds nor fails"
		shift 2
	done
}

plant_said() { [ -s "$WORK/planted.$1" ]; }

# likely FILE: "OBJECTS TYPE" of all kinds whose type is likely. Not of caches whose name has it: ext4_extent_status holds
# extent_status.
likely() {
	jq -r '.census.caches[] | .name as $cache | .kinds[] | select(.sure == "likely") |
		.types[0].name as $type | select($cache | contains($type) | not) | "\(.objects) \($type)"' "$1" | sort
}

# planted_types: the types that plants hold, one a line
planted_types() { sed -n 's/^READY.* stack=\([^ ]*\) .*/\1/p' "$WORK"/planted.* | tr ',' '\n'; }

# kinds_named LEAST OBJECTS: of the planted types, at least LEAST kinds, 85 % come first. A type that is likely for so
# many objects, and was not before, is planted or belongs to it.
kinds_named() {
	local type held=0 named=0 missed='' objects
	json_of census --census-budget 2s >"$WORK/after.json"
	grep -L READY "$WORK"/planted.* | xargs -r head
	for type in $(planted_types); do
		held=$((held + 1))
		if jq -e --arg type "$type" '[.census.caches[].kinds[] | select(.sure != "unknown" and
			.types[0].name == $type and .objects >= 20)] | length > 0' "$WORK/after.json" >/dev/null; then
			named=$((named + 1))
		else
			missed="$missed $type"
		fi
	done
	echo "$named of $held planted kinds are named; not:$missed; $(jq -c .census.kinds "$WORK/after.json")"
	[ $held -ge "$1" ] || fail "only $held kinds could be planted"
	[ $((100 * named)) -ge $((85 * held)) ] || fail "less than 17 of 20"

	# Rare kinds that were there before may have been missed by the first sample.
	likely "$WORK/before.json" | sed 's/^[0-9]* //' | sort -u >"$WORK/known"
	planted_types >>"$WORK/known"
	echo "$besides $besides_later" | tr -s ' \t' '\n' >>"$WORK/known"
	likely "$WORK/after.json" >"$WORK/likely"
	while read -r objects type; do
		[ "${objects%.*}" -ge "$2" ] || continue
		grep -qxF "$type" "$WORK/known" || grep -qxF "${type% *}" "$WORK/known" ||
			fail "$objects objects seem to be $type: $(jq -c --arg type "$type" '.census.caches[] | .name as $n |
				.kinds[] | select(.types[0].name? == $type) | [$n, .]' "$WORK/after.json" | head -c 2000)"
	done <"$WORK/likely"
}

test_1_planted_kinds_are_named() {
	need_record
	json_of census --census-budget 2s >"$WORK/before.json"
	plants_start "$plants"
	kinds_named 20 700
}

test_2_kinds_chosen_later_are_named() {
	need_record
	json_of census --census-budget 2s >"$WORK/before.json"
	plants_start "$plants_later"
	kinds_named 40 250
}

# Each sample of a kind that fills a cache says so: intervals are those of its share.
test_3_shares_are_those_planted() {
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
test_4_no_content_and_no_address_is_printed() {
	need_record
	plant_start key 2000 # their names are plant0, plant1, …
	json_of census --census-budget 2s >"$WORK/after.json"
	"$KMEMTRACE" census --show all >"$WORK/after.txt"
	! grep -qE 'plant[0-9]' "$WORK/after.json" "$WORK/after.txt" || fail "names of keys are printed"
	! grep -oiE '\b(0x)?ffff[0-9a-f]{12}\b' "$WORK/after.json" "$WORK/after.txt" || fail "an address is printed"
	! grep -oE '\b1844[0-9]{16}\b' "$WORK/after.json" || fail "an address is printed"
}

run_tests
