#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Lenses say what the objects of slab caches are: planted dentries, inodes, sockets, files, namespaces, mounts and BPF maps
# are there in the number that the kernel itself says, with their file system, state, namespace and cgroup.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# lenses FILE OPTION…: take a census, as JSON, with time for all objects.
# A slab that changes while it is read is left out, and counted as lost: then it is taken again.
lenses() {
	local try
	for try in 1 2 3; do
		json_of census --census-budget 10s "${@:2}" >"$1" || fail "census failed"
		jq -e '.census.lenses.lost > 0' "$1" >/dev/null || return 0
		echo "try $try lost $(jq .census.lenses.lost "$1")"
	done
}

# objects FILE LENS FILTER: the sum of `objects` over the rows that the jq filter selects.
objects() { jq "[.census.lenses.$2.rows[] | select($3).objects] | add // 0" "$WORK/$1"; }

more() { echo $(($(objects after.json "$@") - $(objects before.json "$@"))); } # LENS FILTER

# The kernel counts on each CPU, so its figures may be off by some for each.
test_1_all_objects_are_those_of_the_kernel() {
	local dentries negative inodes files lens
	need_record
	until_steady
	lenses "$WORK/before.json"
	read -r dentries _ _ _ negative _ </proc/sys/fs/dentry-state
	read -r inodes _ </proc/sys/fs/inode-nr
	read -r files _ </proc/sys/fs/file-nr
	jq -e '.census.lenses | .absent == null and .lost < 100' "$WORK/before.json" >/dev/null || fail "no lenses, or losses"
	for lens in dentries inodes sockets files mounts; do
		jq -e ".census.lenses.$lens.looked_fraction == 1" "$WORK/before.json" >/dev/null ||
			fail "not all $lens were looked at"
	done
	within dentries "$(objects before.json dentries true)" "$dentries" 1 2000
	within "negative dentries" "$(objects before.json dentries '.state == "negative"')" "$negative" 1 2000
	within inodes "$(objects before.json inodes true)" "$inodes" 1 1000
	within files "$(objects before.json files true)" "$files" 5 300
	# what is taken for an inode and is none has any number of pages
	within "page cache of all inodes, kB" "$(jq '[.census.lenses.inodes.rows[].page_cache_kb] | add' "$WORK/before.json")" \
		"$(awk '/^(Cached|Buffers):/ { kb += $2 } END { print kb }' /proc/meminfo)" 3 20000
}

# The cgroup is removed while its dentries are still there: then they are of removed cgroups.
test_2_negative_dentries_are_charged_to_their_cgroup_and_stay_so() {
	local tree dir=$WORK/missing fs row path
	need_record
	tree=$(memory_tree)
	CGROUP=$tree/kmemtrace-lens-$$
	mkdir -p "$CGROUP" "$dir"
	[ -e "$CGROUP/memory.stat" ] || skip "no memory controller in $tree"
	fs=$(stat -f -c %T "$dir")
	lenses "$WORK/before.json"
	TMPDIR=$dir in_cgroup "$CGROUP" negdentry 40000
	in_cgroup "$CGROUP" memfd 300
	lenses "$WORK/after.json"
	row='.type == "regular file" and .state == "used" and ((.cgroup // "") | endswith("kmemtrace-lens-'$$'"))'
	within "inodes of the cgroup" "$(objects after.json inodes "$row")" 300 1 5
	row='.state == "negative" and ((.cgroup // "") | endswith("kmemtrace-lens-'$$'"))'
	# files that the plants looked for when they started are among them
	within "those of the cgroup" "$(objects after.json dentries "$row")" 40000 5 100
	path=$(jq -r "first(.census.lenses.dentries.rows[] | select($row)).cgroup" "$WORK/after.json")
	echo "on $fs: $(jq -c ".census.lenses.dentries.rows[] | select($row)" "$WORK/after.json")"
	! grep -q missing "$WORK/after.json" || fail "a file name left the kernel"
	jq -e '.census.lenses.directories == null' "$WORK/after.json" >/dev/null || fail "directories without --names"
	lenses "$WORK/names.json" --names
	jq -c '.census.lenses.directories[] | select(.path | contains("/missing"))' "$WORK/names.json"
	within "dentries of the directory" "$(jq '[.census.lenses.directories[] | select(.path | contains("/missing")).negative] | add // 0' \
		"$WORK/names.json")" 40000 1 100
	kill -9 "${started[@]}" # so that it does not drop them
	wait "${started[@]}" || true
	started=()
	until_true 5 cgroup_gone "$CGROUP" || fail "the cgroup stays busy"
	CGROUP=
	lenses "$WORK/after.json"
	# they are handed to the cgroup above, or stay with the removed one
	row='.state == "negative" and ((.removed and .cgroup == "'$path'") or (.removed_below and .cgroup == "'$(dirname "$path")'"))'
	within "those of removed cgroups" "$(more dentries "$row")" 40000 5 1000
	rm -rf "$dir"
}

# Sockets of all kinds, made in a network namespace of their own. `ss` in that namespace is the other witness.
sockets_plant() {
	cat >"$WORK/sockets.py" <<-'END'
		import ctypes, os, socket, sys
		libc = ctypes.CDLL(None, use_errno=True)
		if libc.unshare(0x40000000):
		    sys.exit("unshare: " + os.strerror(ctypes.get_errno()))
		os.system("ip link set lo up")
		kept = []
		def keep(*args):
		    kept.append(socket.socket(*args))
		    return kept[-1]
		listener = keep(socket.AF_INET, socket.SOCK_STREAM)
		listener.bind(("127.0.0.1", 0))
		listener.listen(200)
		for i in range(120):  # each with data that nobody reads
		    client = keep(socket.AF_INET, socket.SOCK_STREAM)
		    client.connect(listener.getsockname())
		    client.send(b"x" * 20000)
		    kept.append(listener.accept()[0])
		for i in range(40):  # closed in good order: TIME-WAIT
		    client = socket.create_connection(listener.getsockname())
		    server = listener.accept()[0]
		    client.close()
		    assert server.recv(1) == b""
		    server.close()
		for i in range(30):
		    client = keep(socket.AF_INET, socket.SOCK_STREAM)
		    client.connect(listener.getsockname())
		    kept.append(listener.accept()[0])
		    client.shutdown(socket.SHUT_WR)  # FIN-WAIT-2 and CLOSE-WAIT
		for i in range(70):
		    here = keep(socket.AF_INET6, socket.SOCK_DGRAM)
		    here.bind(("::1", 0))
		    here.sendto(b"x" * 3000, here.getsockname())
		for i in range(50):
		    kept.extend(socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
		for i in range(25):
		    keep(socket.AF_NETLINK, socket.SOCK_RAW, 0)
		    keep(socket.AF_PACKET, socket.SOCK_RAW, 0)
		    keep(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
		print("READY", flush=True)
		sys.stdin.read()
	END
	mkfifo "$WORK/until"
	python3 "$WORK/sockets.py" <"$WORK/until" >"$WORK/sockets.out" 2>&1 &
	started+=($!)
	exec {until}>"$WORK/until"
	until_true 20 in_file READY "$WORK/sockets.out" || fail "$(cat "$WORK/sockets.out")"
}

# ss_states OPTION: "STATE NUMBER" of the sockets in the namespace, in ss's own words.
ss_states() { nsenter -t "${started[0]}" -n ss -H -a "$@" | awk '{ n[$1]++ } END { for (s in n) print s, n[s] }' | sort; }

test_3_sockets_by_protocol_state_and_namespace_are_those_of_ss() {
	local ns state number row said
	need_record
	if ! command -v ss >/dev/null || ! command -v python3 >/dev/null; then skip "this needs ss and python3"; fi
	sockets_plant
	ns=$(stat -L -c %i "/proc/${started[0]}/ns/net")
	lenses "$WORK/after.json"
	row=".namespace == $ns and .process == \"python3\" and"
	while read -r state number; do
		echo "TCP $state: $number"
		within "TCP $state" "$(objects after.json sockets "$row .protocol == \"TCP\" and .state == \"$state\"")" "$number" 0
	done < <(ss_states -t4n)
	[ "$(objects after.json sockets "$row .protocol == \"TCP\" and .state == \"TIME-WAIT\"")" = 40 ] || fail "no TIME-WAIT"
	[ "$(objects after.json sockets "$row .protocol == \"UDPv6\" and .family == \"inet6\"")" = 70 ] || fail "not 70 UDPv6"
	for state in '100 unix' '25 packet'; do
		[ "$(objects after.json sockets "$row .family == \"${state#* }\"")" = "${state% *}" ] || fail "not $state"
	done
	[ "$(objects after.json sockets "$row .protocol == \"RAW\"")" -ge 25 ] || fail "not 25 RAW"
	[ "$(objects after.json sockets "$row .family == \"netlink\"")" -ge 25 ] || fail "not 25 netlink"
	# skmem:(rR,…,wW: memory of what was received, and of what is to be sent
	said=$(nsenter -t "${started[0]}" -n ss -H -a -n -t -u -m | sed -n 's/.*skmem:(r\([0-9]*\),.*/\1/p' | awk '{ s += $1 } END { print s / 1024 }')
	within "received" "$(jq "[.census.lenses.sockets.rows[] | select(.namespace == $ns and (.protocol | test(\"TCP|UDP\"))).received_kb] |
		add" "$WORK/after.json")" "$said" 0 1
	awk -v kb="$said" 'BEGIN { exit !(kb > 1000) }' || fail "ss saw only $said kB queued"
	exec {until}>&-
}

fds() { # PATTERN: descriptors of the plants that lead there
	local pid
	for pid in "${started[@]}"; do find "/proc/$pid/fd" -lname "$1" 2>/dev/null; done | wc -l
}

test_4_open_files_by_kind_are_those_of_proc() {
	local kind
	need_record
	lenses "$WORK/before.json"
	for kind in timerfd:700 pipe:300 file:500 memfd:200; do
		: >"$WORK/ready.$kind"
		"$PLANT" "${kind%:*}" "${kind#*:}" --seconds 600 >"$WORK/ready.$kind" &
		started+=($!)
		until_true 30 in_file READY "$WORK/ready.$kind" || fail "the plant of $kind failed"
	done
	lenses "$WORK/after.json"
	[ "$(fds 'anon_inode:*timerfd*')" = 700 ] || fail "the plant has $(fds '*timerfd*') timers"
	within timerfd "$(more files '.type == "timerfd"')" "$(fds 'anon_inode:*timerfd*')" 5 2
	within pipes "$(more files '.type == "pipe"')" "$(fds 'pipe:*')" 0 20
	within "/dev/null" "$(more files '.type == "null"')" "$(fds /dev/null)" 0 20
	within memfd "$(more files '.file_system == "tmpfs" and .type == "regular file"')" "$(fds '/memfd:*')" 0 5
	jq -c '.census.lenses.holders[:6][]' "$WORK/after.json"
	for kind in timerfd:700 pipe:600 null:500; do
		within "$kind of the plants" "$(jq "[.census.lenses.holders[] | select(.process == \"plant\" and .type == \"${kind%:*}\").objects] |
			add // 0" "$WORK/after.json")" "${kind#*:}" 0 10
	done
}

leads_elsewhere() { [ "$(readlink "$2")" != "$1" ]; } # TARGET LINK

test_5_namespaces_and_mounts_are_those_of_their_processes() {
	local ns fs number pid made mine
	need_record
	plant_start netns 12
	unshare -m --propagation private sleep 600 &
	pid=$!
	started+=("$pid")
	until_true 5 leads_elsewhere "$(readlink /proc/self/ns/mnt)" "/proc/$pid/ns/mnt"
	ns=$(stat -L -c %i "/proc/$pid/ns/mnt")
	lenses "$WORK/after.json"
	made=$(find "/proc/$PLANT_PID/fd" -lname 'net:*' -printf '%l\n' | sed 's/.*\[\(.*\)]/\1/' | sort -u | paste -sd,)
	echo "network namespaces: $made"
	mine=".namespace | IN($made)"
	[ "$(objects after.json net_namespaces "$mine")" = 12 ] || fail "$(objects after.json net_namespaces "$mine") namespaces, not 12"
	[ "$(objects after.json net_namespaces "($mine) and .processes == 0")" = 11 ] || fail "11 of them have no process"
	[ "$(objects after.json net_namespaces "($mine) and .process == \"plant\"")" = 1 ] || fail "the plant is in one of them"
	# mountinfo lists what can be reached from the root of the process
	while read -r number fs; do
		[ "$(objects after.json mounts ".namespace == $ns and .file_system == \"$fs\"")" = "$number" ] ||
			fail "$fs: $(objects after.json mounts ".namespace == $ns and .file_system == \"$fs\"") mounts, not $number"
	done < <(awk '{ for (i = 7; $i != "-"; i++); print $(i + 1) }' "/proc/$pid/mountinfo" | sort | uniq -c)
	[ "$(jq "[.census.lenses.mounts.rows[] | select(.namespace == $ns).process] | unique == [\"sleep\"]" "$WORK/after.json")" = true ] ||
		fail "the process in the namespace is not named"
}

test_6_bpf_maps_are_those_of_bpftool() {
	need_record
	plant_start bpfarray 20 --size 65536
	bpftool -j map list >"$WORK/maps"
	lenses "$WORK/after.json"
	within maps "$(jq '.census.lenses.bpf.maps.count' "$WORK/after.json")" "$(jq length "$WORK/maps")" 0 2
	within "their memory" "$(jq '.census.lenses.bpf.maps.bytes' "$WORK/after.json")" "$(jq 'map(.bytes_memlock) | add' "$WORK/maps")" 1 16384
	jq -e '[.census.lenses.bpf.objects[] | select((.kept_by // "") | test("plant"))] | length == 20' "$WORK/after.json" \
		>/dev/null || fail "the holder of 20 maps is not named"
}

test_7_a_short_budget_is_kept_and_the_truth_is_in_the_interval() {
	local run holds=0 inodes spent
	need_record
	for run in 1 2 3 4 5 6 7 8; do
		json_of census --census-budget 40ms >"$WORK/short.json" || fail "census failed"
		read -r inodes _ </proc/sys/fs/inode-nr
		spent=$(jq .census.cpu_s "$WORK/short.json")
		awk -v s="$spent" 'BEGIN { exit !(s < 0.1) }' || fail "it took $spent s instead of 0.04"
		jq -e ".census.lenses.inodes | .objects_low <= $inodes and $inodes <= .objects_high" "$WORK/short.json" >/dev/null &&
			holds=$((holds + 1))
	done
	[ $holds -ge 6 ] || fail "only $holds of $run intervals hold"
	"$KMEMTRACE" census --census-budget 40ms --show lenses >"$WORK/text"
	grep -q '^INODES  ([0-9]' "$WORK/text" || fail "$(sed -n '/^CGROUPS/,$p' "$WORK/text")"
	! grep -Eq 'ffff[0-9a-f]{12}' "$WORK/short.json" || fail "a kernel address"
}

# Files are held open by two processes, sockets were accepted at one path, and mounts are on one directory.
paths_plant() { # NAME
	local name=$1 nr
	: >"$WORK/$name-file"
	mkdir "$WORK/$name-mount"
	cat >"$WORK/paths.py" <<-'END'
		import socket, sys, time
		listener = socket.socket(socket.AF_UNIX)
		listener.bind(sys.argv[1])
		listener.listen(200)
		kept = []
		for i in range(150):
		    client = socket.socket(socket.AF_UNIX)
		    client.connect(sys.argv[1])
		    kept += [client, listener.accept()[0]]
		print("READY", flush=True)
		time.sleep(600)
	END
	python3 "$WORK/paths.py" "$WORK/$name-socket" >"$WORK/paths.out" 2>&1 &
	started+=($!)
	for nr in 600 200; do
		bash -c 'for ((i = 0; i < $2; i++)); do exec {fd}<"$1"; done; echo READY; exec sleep 600' - "$WORK/$name-file" $nr >"$WORK/$nr.out" &
		started+=($!)
	done
	# shellcheck disable=SC2016 # of the inner shell
	unshare -m --propagation private sh -c 'for i in 1 2 3 4; do mount --bind "$1" "$1"; done; echo READY; exec sleep 600' - \
		"$WORK/$name-mount" >"$WORK/mounts.out" 2>&1 &
	started+=($!)
	for nr in paths 600 200 mounts; do
		until_true 20 in_file READY "$WORK/$nr.out" || fail "$nr: $(cat "$WORK/$nr.out")"
	done
	rm "$WORK/$name-file"
}

# path_is FILE LENS NAME MEMBER: of the row with the path that ends in NAME.
path_is() { jq -r "[.census.lenses.paths[] | select(.lens == \"$2\" and (.path | endswith(\"$3\"))).$4] | first" "$1"; }

test_8_paths_are_named_only_if_asked_for() {
	local name=planted-$$ file
	need_record
	command -v python3 >/dev/null || skip "this needs python3"
	paths_plant "$name"
	lenses "$WORK/without.json"
	jq -e '.census.lenses.paths == null' "$WORK/without.json" >/dev/null || fail "paths without --names"
	"$KMEMTRACE" census --show all >"$WORK/without.txt"
	"$KMEMTRACE" census -o "$WORK/without.kmt" 2>/dev/null
	for file in without.json without.txt without.kmt; do
		! grep -aq "$name" "$WORK/$file" || fail "$file has a name that was not asked for"
	done
	lenses "$WORK/with.json" --names
	jq -c '.census.lenses.paths[]' "$WORK/with.json" | cut -c 1-300
	file=$(find "/proc/${started[1]}/fd" -lname "*/$name-file*" -printf '%l\n' | sort -u)
	[ "$(path_is "$WORK/with.json" files "$name-file" path)" = "${file% (deleted)}" ] || fail "it is $file"
	[ "$(path_is "$WORK/with.json" files "$name-file" deleted)" = true ] || fail "it was removed"
	[ "$(path_is "$WORK/with.json" files "$name-file" objects)" = "$(fds "$file")" ] || fail "not $(fds "$file") descriptors"
	[ "$(path_is "$WORK/with.json" files "$name-file" process_objects)" = 600 ] || fail "no process with 600"
	[ "$(path_is "$WORK/with.json" files "$name-file" pid)" = "${started[1]}" ] || fail "not process ${started[1]}"
	[ "$(path_is "$WORK/with.json" sockets "$name-socket" objects)" = "$(grep -c "$name-socket" /proc/net/unix)" ] ||
		fail "not the sockets of /proc/net/unix"
	[ "$(path_is "$WORK/with.json" mounts "$name-mount" objects)" = "$(grep -c "$name-mount" "/proc/${started[3]}/mountinfo")" ] ||
		fail "not the mounts of mountinfo"
	"$KMEMTRACE" census --names -o "$WORK/with.kmt" 2>/dev/null
	"$KMEMTRACE" report --show census "$WORK/with.kmt" >"$WORK/with.txt"
	grep -q "(deleted) *$(fds "$file") *files *sleep *600$" "$WORK/with.txt" ||
		fail "$(sed -n '/^PATHS/,$p' "$WORK/with.txt")"
}

run_tests
