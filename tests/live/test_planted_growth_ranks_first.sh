#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Memory of a known program is the first growth of an exact report, with the right cache, call path and process. Its bytes
# are within 1 % of objects × size, and its objects within 1 % of what slabinfo shows.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# planted KIND COUNT OPTION…: record a plant, then read the true figures and the report.
planted() {
	need_record
	record_start --exact # first: what the programs themselves take is not planted
	slab_read "$WORK/before"
	plant_start "$@"
	slab_read "$WORK/after"
	record_stop
	report
	[ "$(json .capture.complete)" = true ]
	[ "$(json .growth[0].pool)" = slab ]
	[ "$(json .growth[0].rank)" = 1 ]
	[ "$(json '.growth[0].processes[0] | "\(.comm) \(.pid)"')" = "plant $PLANT_PID" ] ||
		fail "first is $(json '.growth[0].processes[0]')"
	json '.growth[0].stack[]' | grep -qE "^($(ready stack | tr , '|'))\+0x" ||
		fail "no $(ready stack) in: $(json '.growth[0].stack[]')"
	plant_stop
}

# grown_as PATTERNS COUNT: find the planted cache in slabinfo; set cache, grown and size.
grown_as() {
	while read -r cache grown size; do
		if cache_is "$cache" "$1"; then
			within "$cache by slabinfo" "$grown" "$2" 1 128
			return
		fi
	done < <(slab_grown "$WORK/before" "$WORK/after")
	fail "no cache $1 grew: $(slab_grown "$WORK/before" "$WORK/after" | head -n 5)"
}

planted_in_cache() { # KIND COUNT OPTION…
	local cache grown size
	planted "$@"
	grown_as "$(ready caches)" "$2"
	cache_is "$cache" "$(json .growth[0].cache)" ||
		fail "first is cache $(json .growth[0].cache); slabinfo says $cache"
	within "objects reported" "$(json .growth[0].objects)" "$2" 1
	within "bytes reported" "$(json .growth[0].bytes)" $(($2 * size)) 1
	within "objects against slabinfo" "$(json .growth[0].objects)" "$grown" 1 128
}

test_pipes() { planted_in_cache pipe 9000; }
test_messages() { planted_in_cache msg 20000; }
test_small_messages() { planted_in_cache msg 100000 --size 96; }
test_packets_in_unix_sockets() { planted_in_cache unix 20000; }
test_large_packets_in_unix_sockets() { planted_in_cache unix 4000 --size 3000; }
test_udp_sockets() { planted_in_cache udp 5000; }
test_epoll_items() { planted_in_cache epoll 50000; }
test_inotify_watches() { planted_in_cache inotify 50000; }
test_dentries() { planted_in_cache dentry 30000; }
test_open_files() { planted_in_cache file 18000; }
test_timers() { planted_in_cache timerfd 18000; }
test_inodes() { planted_in_cache memfd 5000; }
test_keys() { planted_in_cache key 20000; }
test_memory_areas() { planted_in_cache vma 30000; }

# Above 8 KiB, kmalloc allocates whole pages, a power of two of them, which are part of Slab but of no cache.
test_large_kmalloc() {
	local before after
	planted pipering 1000
	before=$(slab_large_bytes "$WORK/before")
	after=$(slab_large_bytes "$WORK/after")
	[ "$(json .growth[0].cache)" = kmalloc-large ]
	within "large kmalloc by meminfo less slabinfo" $((after - before)) $((1000 * 16384)) 1 262144
	within "bytes reported" "$(json .growth[0].bytes)" $((1000 * 16384)) 1
	within "objects reported" "$(json .growth[0].objects)" 1000 1
}

run_tests
