#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# incidents.sh NAME…: stage incidents for real, record each as a user would, and write NAME.kmt, NAME.truth (what was staged,
# in words) and NAME.kmt.gz (for tests/fixtures/incidents) into $INCIDENTS (default build/incidents). "all" stages all,
# "list" lists the names; the incident "module" boots a guest. test_first_screen_names_the_culprit.sh sources this file.
# shellcheck source=tests/live/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# NAME, the service at fault, and its plant: KIND COUNT RATE (of objects a second), and what a reader must find out. The
# names and command lines of the services do not tell what they leak.
incidents() {
	cat <<-EOF
		sockets    chat-gateway  udp 18000 1700 UDP sockets that are never closed
		threads    report-worker thread 2000 190 threads that are started and never end
		dentries   mail-indexer  negdentry 150000 14000 negative dentries: names looked up that do not exist; reclaimable
		pagetables db-backend    mapshare 110 10 page tables: processes that each map one shared file of 128 MiB with 4 KiB pages
		messages   order-bridge  msg 40000 3800 messages of 1 KiB in a System V message queue that nobody reads
		tcpdata    feed-reader   tcp 600 57 TCP connections to itself, each with 64 KiB of data that nobody reads
		perfrings  node-profiler perf 100 9 ring buffers of perf events, 512 KiB each
		pipes      log-shipper   pipedata 700 66 pipes, each with 64 KiB of data that nobody reads
		cgroup     thumbnailer   epoll 150000 14000 epoll watches, in one cgroup of ten whose services all make epoll watches
		bpfmaps    flow-agent    bpfarray 60 5 BPF array maps of 1 MiB each
	EOF
}

incident_names() { incidents | awk '{ print $1 }' && printf 'module\nnothing\n'; }

# service_start CGROUP NAME KIND COUNT RATE: run a plant as service NAME (its process and command line); set PLANT_PID.
service_start() {
	mkdir -p "$WORK/services"
	ln -sf "$PLANT" "$WORK/services/$2"
	: >"$WORK/ready"
	PLANT="$3 $4 --rate $5 --seconds 600" bash -c '[ -z "$1" ] || echo 0 >"$1/cgroup.procs"
		exec -a "$2" "$0/$2" --config "/etc/$2.conf"' "$WORK/services" "$1" "$2" >"$WORK/ready" 2>"$WORK/plant.err" &
	PLANT_PID=$!
	started+=("$PLANT_PID")
}

# neighbours_start: ten cgroups with a service each that makes few epoll watches; $CGROUP becomes the last one.
neighbours_start() {
	local n
	cgroup_make
	TEN=$CGROUP
	for n in 01 02 03 04 05 06 07 08 09 10; do
		mkdir -p "$TEN/shop-$n"
		[ $n = 10 ] || service_start "$TEN/shop-$n" "web-$n" epoll 1000 90
	done
	CGROUP=$TEN/shop-10
}

neighbours_end() {
	local n
	for n in "$TEN"/shop-*; do
		[ ! -d "$n" ] || until_true 5 rmdir "$n" 2>/dev/null || true
	done
	rmdir "$TEN" || true
}

# incident_run NAME: stage it, and record it into $CAPTURE. The service starts a second after the recording and grows until
# about its end. Sets SERVICE, PLANT_PID and WHAT (the truth).
incident_run() {
	local service kind count rate
	read -r service kind count rate WHAT < <(incidents | awk -v name="$1" '$1 == name { $1 = ""; print }') || true
	# shellcheck disable=SC2034 # for the test that sources this
	SERVICE=$service
	PLANT_PID='' CGROUP=''
	[ "$1" != cgroup ] || neighbours_start
	until_steady
	record_start -d 12
	pause 1
	if [ "$1" = nothing ]; then
		WHAT="nothing"
	else
		service_start "$CGROUP" "$service" "$kind" "$count" "$rate"
		WHAT="$service, process $PLANT_PID${CGROUP:+, cgroup /kmemtrace-test-${CGROUP##*/kmemtrace-test-}}: $count $WHAT"
	fi
	wait "$RECORD_PID" || fail "record ended with $?: $(cat "$RECORD_ERR")"
	if [ -n "$PLANT_PID" ]; then
		until_true 10 plant_ready
		in_file READY "$WORK/ready" || fail "the plant failed: $(cat "$WORK/plant.err")"
	fi
	end_started 2>/dev/null
	[ "$1" != cgroup ] || neighbours_end
	started=()
}

# ---- as a command ----

# reduce IN OUT: compress a capture without what the first screen does not need: traffic by call path and by interval, small
# holders before the end, the names of what holds nothing, and command lines of other programs.
# Fails if the first screen is not the same.
reduce() {
	cp "$1" "$2.kmt"
	sqlite3 "$2.kmt" "
		CREATE TEMP TABLE sums AS SELECT interval, pool, sum(allocs) a, sum(alloc_bytes) ab, sum(frees) f,
			sum(free_bytes) fb, sum(ghosts) g, sum(ghost_bytes) gb FROM churn GROUP BY interval, pool;
		DELETE FROM churn;
		INSERT INTO churn SELECT interval, pool, 0, a, ab, f, fb, g, gb FROM sums;
		DELETE FROM held WHERE interval < (SELECT max(id) FROM interval) AND bytes < 1e6;
		CREATE TEMP TABLE passed AS SELECT max(interval) i, cache, sum(allocs) a, sum(frees) f, sum(ghosts) g
			FROM cache_churn GROUP BY cache;
		DELETE FROM cache_churn;
		INSERT INTO cache_churn SELECT * FROM passed;
		CREATE TEMP TABLE lost AS SELECT max(interval) i, name, max(value) v FROM loss GROUP BY name;
		DELETE FROM loss;
		INSERT INTO loss SELECT * FROM lost;
		DELETE FROM stack_frame WHERE stack NOT IN (SELECT stack FROM held);
		UPDATE frame SET symbol = 'f', module = 'vmlinux', build_id = '', offset = 0
			WHERE id NOT IN (SELECT frame FROM stack_frame) AND id;
		UPDATE process SET tgid = 0, comm = '', cmdline = '', cgroup = 0 WHERE id NOT IN (SELECT process FROM held) AND id;
		UPDATE process SET cmdline = '' WHERE cmdline NOT LIKE '% --config /etc/%';
		VACUUM;"
	diff <("$KMEMTRACE" report "$1") <("$KMEMTRACE" report "$2.kmt") || fail "the first screen of $2 is not the same"
	gzip -9nc "$2.kmt" >"$2"
	rm "$2.kmt"
}

incident_write() { # NAME
	if [ "$1" = module ]; then
		tests/vm/module/incident.sh "$INCIDENTS/module.kmt"
		WHAT="the kernel module order_cache in a guest: 512 bytes by kmalloc() every 100 us from its kernel thread, never freed"
	else
		incident_run "$1"
		cp "$CAPTURE" "$INCIDENTS/$1.kmt"
	fi
	echo "$WHAT" >"$INCIDENTS/$1.truth"
	reduce "$INCIDENTS/$1.kmt" "$INCIDENTS/$1.kmt.gz"
	echo "$1: $WHAT"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -eEu -o pipefail
	INCIDENTS=${INCIDENTS:-build/incidents}
	mkdir -p "$INCIDENTS"
	[ "${1:-list}" != list ] || { incident_names; exit; }
	# shellcheck disable=SC2046 # words
	[ "$1" != all ] || set -- $(incident_names)
	trap 'end_started; rm -rf "$WORK" "$WORK.output"' EXIT
	for name; do incident_write "$name"; done
fi
