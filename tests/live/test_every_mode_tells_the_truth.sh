#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Sampled, focused and simultaneous recordings all report the same plant correctly. doctor prints the plan that record uses.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# 100 MB with a sample every 64 KiB give about 1,600 samples and a standard deviation of 2.5 %. Allow five of these.
test_sampled_is_near_the_truth() {
	need_record
	record_start --sample 64K
	plant_start msg 100000
	record_stop
	report
	plant_stop
	[ "$(json .capture.mode)" = sampled ]
	[ "$(json '.growth[0].processes[0].comm')" = plant ]
	within "bytes estimated" "$(json .growth[0].bytes)" $((100000 * 1024)) 12.5
	[ "$(json '.growth[0] | .bytes_low < .bytes and .bytes < .bytes_high')" = true ]
	[ "$(json '.growth[0].tracked_objects < 10000')" = true ]
}

test_focused_sees_its_cache_alone() {
	need_record
	slab_read "$WORK/before"
	plant_start msg 1000
	slab_read "$WORK/after"
	plant_stop
	read -r cache _ < <(slab_grown "$WORK/before" "$WORK/after")
	record_start --cache "$cache"
	plant_start msg 20000
	record_stop
	report
	plant_stop
	[ "$(json '[.growth[].cache] | unique | join(" ")')" = "$cache" ] ||
		fail "asked for $cache, got $(json '[.growth[].cache] | unique')"
	within "objects" "$(json .growth[0].objects)" 20000 1
	[ "$(json ".caches[] | select(.name == \"$cache\") | .agrees")" = yes ] || fail "slabinfo was not asked"
}

test_two_recordings_at_once() {
	need_record
	local other=$WORK/other.kmt pid comm objects
	record_start --exact
	"$KMEMTRACE" record "${CENSUS[@]}" -v --exact -o "$other" 2>"$WORK/other.err" &
	pid=$!
	started+=("$pid")
	until_true 10 in_file ' after the start' "$WORK/other.err" || fail "not tracing: $(cat "$WORK/other.err")"
	plant_start epoll 50000
	kill "$pid"
	wait "$pid"
	record_stop
	for CAPTURE in "$CAPTURE" "$other"; do
		report
		# compare slab only: in other pools, each sees the tables of the other
		json '[.growth[] | select(.pool == "slab")][0] | "\(.processes[0].comm) \(.objects)"' >"$WORK/first"
		read -r comm objects <"$WORK/first"
		[ "$comm" = plant ]
		within "objects in $CAPTURE" "$objects" 50000 1
	done
	plant_stop
}

# Objects that were allocated before the recording and are freed during it are neither growth nor an error.
test_older_objects_freed_are_not_growth() {
	need_record
	plant_start msg 50000
	record_start --exact
	plant_stop
	sleep 0.5
	record_stop
	report
	[ "$(json '[.growth[] | select(.bytes > 4194304)] | length')" = 0 ] || fail "$(json '.growth[0]')"
	[ "$(json '.capture.counters.unknown_frees >= 50000')" = true ]
	json '.pools[] | select(.name == "Slab") | .preexisting_freed_kb' |
		awk '{ if ($1 < 0) $1 = -$1; exit !($1 > 50000 * 0.99) }'
}

test_doctor_prints_the_plan_that_record_follows() {
	need_record
	json_of doctor | jq -S '[.hooks[] | {name, pool, how, attached}] | sort_by(.name)' >"$WORK/plan"
	record_start -d 0.2
	wait "$RECORD_PID"
	report
	json '.capture.hooks' | jq -S '[.[] | {name, pool, how, attached}] | sort_by(.name)' >"$WORK/done"
	diff "$WORK/plan" "$WORK/done"
}

# with_capabilities LIST: create a script that runs kmemtrace as nobody with these capabilities, in a writable directory.
with_capabilities() {
	install -m 0755 "$PWD/build/kmemtrace" "$WORK/binary"
	install -d -m 0777 "$WORK/open"
	CAPTURE=$WORK/open/capture.kmt
	cat >"$WORK/kmemtrace" <<-END
		#!/bin/sh
		exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=$1 --ambient-caps=$1 "$WORK/binary" "\$@"
	END
	chmod 755 "$WORK/kmemtrace"
	KMEMTRACE=$WORK/kmemtrace
}

test_capabilities_suffice_without_root() {
	need_record
	with_capabilities +bpf,+perfmon,+syslog,+dac_read_search
	record_start --exact
	plant_start epoll 20000
	record_stop
	report
	plant_stop
	within "objects" "$(json '[.growth[] | select(.pool == "slab")][0].objects')" 20000 1
	[ "$(json '[.growth[] | select(.pool == "slab")][0].stack | length > 3')" = true ] || fail "no call path"
	[ "$(json '.caches | length > 0')" = true ] || fail "no slabinfo"
	grep -q 'the cost of tracing cannot be measured .*CAP_SYS_ADMIN' "$RECORD_ERR"
}

# With the minimum of capabilities less is known, and the report says what is missing.
test_fewer_capabilities_tell_less_and_say_so() {
	need_record
	with_capabilities +bpf,+perfmon
	record_start --exact
	plant_start epoll 20000
	record_stop
	report
	plant_stop
	# paths without names look the same, so a few other objects are in the row
	within "objects" "$(json '[.growth[] | select(.pool == "slab")][0].objects')" 20000 5
	grep -q 'no names: .*CAP_SYSLOG' "$RECORD_ERR"
	"$KMEMTRACE" doctor --show all >"$WORK/doctor"
	tr -s ' \n' ' ' <"$WORK/doctor" >"$WORK/words"
	grep -q '/proc/slabinfo cannot be read' "$WORK/words"
	grep -q 'no CAP_SYS_ADMIN: the cost of tracing is not measured' "$WORK/words"
}

# Read types from a file, as for a kernel without BTF, and use the programs that such a kernel accepts.
test_types_from_a_file() {
	need_record
	cp /sys/kernel/btf/vmlinux "$WORK/btf"
	json_of doctor --btf "$WORK/btf" | jq -e .can_record >/dev/null ||
		skip "$(json_of doctor --btf "$WORK/btf" | jq -r .refusal)"
	record_start --exact --btf "$WORK/btf"
	plant_start epoll 20000
	record_stop
	report
	plant_stop
	within "objects" "$(json '[.growth[] | select(.pool == "slab")][0].objects')" 20000 1
	[ "$(json .capture.counters.audit_runs)" -gt 0 ] || fail "no liveness audit"
}

test_no_kernel_address_is_stored() {
	need_record
	record_start --exact
	plant_start pipe 1000
	record_stop
	plant_stop
	sqlite3 "$CAPTURE" .dump >"$WORK/dump"
	# as text or as a number, which is then below −2^31
	if grep -nE '0x[0-9a-f]{16}|ffff[0-9a-f]{12}|-[0-9]{10,}' "$WORK/dump"; then fail "an address"; fi
}

test_default_name_has_host_and_time() {
	need_record
	(cd "$WORK" && "$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 2>/dev/null)
	compgen -G "$WORK/kmemtrace-$(hostname)-20[0-9][0-9]*.kmt" >/dev/null
}

run_tests
