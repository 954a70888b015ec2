# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# lib.sh: functions that the live tests share. A test file tests one promise of the tool. run_tests runs each of its
# functions test_*, in order of name, in a subshell under set -e, and prints the results as TAP. The true figures are read
# here from /proc, never from the tool.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

KMEMTRACE=$PWD/build/kmemtrace
PLANT=$PWD/build/plant/plant
# shellcheck disable=SC2034 # for those who source this
CHURN=$PWD/build/plant/churn
WORK=$(mktemp -d "${TMPDIR:-/tmp}/kmemtrace-live.XXXXXX")
chmod 711 "$WORK"
CAPTURE=$WORK/capture.kmt
REPORT=$WORK/report.json
RECORD_ERR=$WORK/record.err
# Recordings take no census, which takes more than half a second of each, unless a test file says CENSUS=() after it has
# sourced this, or WITH_CENSUS is set.
CENSUS=(--no-census)
[ -z "${WITH_CENSUS:-}" ] || CENSUS=(--census-budget=500ms) # the default; never empty, because scripts quote it
started=() # processes of the running test that are still to be ended
trap 'rm -rf "$WORK" "$WORK.output"' EXIT

fail() {
	echo "$*"
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

need_record() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	"$KMEMTRACE" doctor --show all >"$WORK/doctor" 2>&1 || skip "$(tr -s ' \n' ' ' <"$WORK/doctor" | sed 's/ HOST .*//')"
}

# run_test NAME: run one test in a subshell; its output goes to $WORK.output.
run_test() {
	local status
	rm -rf "${WORK:?}"/*
	mkdir "$WORK/json"
	(
		set -eEu -o pipefail
		trap 'end_started' EXIT
		trap 'echo "$BASH_SOURCE:$LINENO: failed: $BASH_COMMAND"' ERR
		"$1"
	) >"$WORK.output" 2>&1
	status=$?
	[ $status = 0 ] || return $status
	json_check >>"$WORK.output" 2>&1
}

# json_check: check that all JSON documents of a test match docs/schema. It is called after the test, because python needs
# much memory and many tests measure the levels of the whole machine.
json_check() {
	local command files status=0
	for command in report diff balance census refs doctor; do
		mapfile -t files < <(find "$WORK/json" -name "$command-*" -size +0)
		[ ${#files[@]} = 0 ] || scripts/check-json.py "$command" "${files[@]}" || status=1
	done
	return $status
}

# run_tests: run all test_* functions defined so far. They measure levels of the whole machine, which other programs also
# change, so a test that fails is run once more. If it then passes, it is marked FLAKY, and scripts/test.sh counts it and
# shows the log of the first run. A test that fails twice has failed.
run_tests() {
	local name status flaky n=0 tests
	mapfile -t tests < <(declare -F | sed -n 's/^declare -f \(test_\)/\1/p')
	echo "1..${#tests[@]}"
	for name in "${tests[@]}"; do
		n=$((n + 1))
		run_test "$name"
		status=$? flaky=
		if [ $status != 0 ] && [ $status != 77 ]; then
			flaky=" # FLAKY passed only when run again"
			echo "# $name failed, and is run once more:"
			sed 's/^/#   /' "$WORK.output"
			run_test "$name"
			status=$?
		fi
		case $status in
		0) echo "ok $n - $name$flaky" ;;
		77) echo "ok $n - $name # SKIP $(tail -n 1 "$WORK.output")" ;;
		*) echo "not ok $n - $name" ;;
		esac
		sed 's/^/# /' "$WORK.output"
	done
}

end_started() { # also removes what cgroup_make created
	local pid
	for pid in ${started[@]+"${started[@]}"}; do kill -9 "$pid" 2>/dev/null || true; done
	wait 2>/dev/null
	[ -z "${CGROUP:-}" ] || rmdir "$CGROUP" 2>/dev/null
}

# without_capabilities NAME[,NAME…] COMMAND…: run it with these capabilities in no set. Dropping them from the bounding set is
# not enough, because root regains inheritable capabilities on exec.
without_capabilities() {
	local none=-${1//,/,-}
	shift
	setpriv --bounding-set="$none" --inh-caps="$none" --ambient-caps="$none" "$@"
}

# pause SECONDS: sleep without starting a process.
exec {nothing}<> <(:)
pause() { read -rt "$1" -u "$nothing" || true; }

# until_true SECONDS COMMAND…: run it every 10 ms until it succeeds or SECONDS have passed.
until_true() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		pause 0.01
	done
}

# in_file TEXT FILE: search without starting a process. The page tables of an ended process are freed only after a grace
# period: hundreds of KiB that belong to no process, just when the levels are read.
in_file() {
	local all=
	{ read -rd '' all <"$2"; } 2>/dev/null || true
	[[ $all == *"$1"* ]]
}

# ms_since SINCE: print the milliseconds since SINCE (an EPOCHREALTIME).
ms_since() { echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000)); }

# within WHAT ACTUAL EXPECTED PERCENT [SLACK]: fail with the figures unless they agree.
within() {
	awk -v a="$2" -v e="$3" -v p="$4" -v s="${5:-0}" 'BEGIN { d = a - e; if (d < 0) d = -d; exit !(d <= e * p / 100 + s) }' ||
		fail "$1: $2, expected $3 ± $4 % + ${5:-0}"
}

# matches TEXT PATTERNS: does TEXT match one of the comma-separated shell patterns?
matches() {
	local pattern IFS=,
	local -
	set -f
	for pattern in $2; do
		# shellcheck disable=SC2254 # it is a pattern
		case $1 in $pattern) return 0 ;; esac
	done
	return 1
}

# ---- recording ----

is_tracing() { in_file ' after the start' "$RECORD_ERR"; }

# Put this before a command that is started with &, so that it gets Ctrl-C: a script's shell ignores SIGINT in such commands.
HEEDS_CTRL_C=(env --default-signal=INT)

# record_start OPTION…: record into $CAPTURE in the background; return when the hooks are attached.
record_start() {
	: >"$RECORD_ERR" # remove messages of an earlier recording
	"${HEEDS_CTRL_C[@]}" "$KMEMTRACE" record "${CENSUS[@]}" -v -f -o "$CAPTURE" "$@" 2>"$RECORD_ERR" &
	RECORD_PID=$!
	started+=("$RECORD_PID")
	until_true 10 is_tracing || fail "not tracing after 10 s: $(cat "$RECORD_ERR")"
}

# record_stop: end the recording as Ctrl-C does; the capture must be complete.
record_stop() {
	pause 0.1 # see in_file
	kill -INT "$RECORD_PID"
	wait "$RECORD_PID" || fail "record ended with $?: $(cat "$RECORD_ERR")"
}

# json_seen COMMAND: pass the JSON of COMMAND on, and keep a copy for json_check.
json_seen() { tee "$WORK/json/$1-$EPOCHREALTIME"; }

# json_of COMMAND ARG…: print its JSON. All tests get JSON from here, or pass it to json_seen (scripts/test.sh checks this).
json_of() { "$KMEMTRACE" "$1" --format json "${@:2}" | json_seen "$1"; }

# report: write the complete report of $CAPTURE, as JSON, into $REPORT.
report() { json_of report --top 0 "$CAPTURE" >"$REPORT"; }

json() { jq -r "$1" "$REPORT"; }

# churn_not_blamed CYCLES: check that churn is not among the first ten paths, except for a few objects that it may really
# leave: the namespace of its message queue, and file pages that it read.
churn_not_blamed() {
	json '[.growth[:10][] | select(.processes[0].comm == "churn" and .objects > '"$1"' / 1000)]' >"$WORK/blamed"
	[ "$(jq length "$WORK/blamed")" = 0 ] ||
		fail "$(jq -c '.[] | [.rank, .cache, .objects, .bytes, .stack[0:3]]' "$WORK/blamed")"
}

# much_passed BYTES: check that events of an exact recording show a hundred times as many bytes allocated from slab caches.
much_passed() {
	local passed
	passed=$(json '[.caches[] | (.allocs // 0) * (.size // 0)] | add')
	echo "$passed bytes were allocated, $1 were to stay"
	[ "$passed" -ge $((100 * $1)) ] || fail "less than a hundred times as much"
}

# ---- plants ----

plant_ready() {
	in_file READY "$WORK/ready" || ! kill -0 "$PLANT_PID"
}

# plant_start KIND COUNT OPTION…: start a plant; return when all its objects exist.
plant_start() {
	: >"$WORK/ready"
	"$PLANT" "$@" --seconds 600 >"$WORK/ready" 2>"$WORK/plant.err" &
	PLANT_PID=$!
	started+=("$PLANT_PID")
	until_true 60 plant_ready
	in_file READY "$WORK/ready" || fail "the plant failed: $(cat "$WORK/plant.err")"
}

plant_stop() {
	kill "$PLANT_PID"
	wait "$PLANT_PID"
}

ready() { sed -n "s/^READY.* $1=\([^ ]*\).*/\1/p" "$WORK/ready"; }

# cgroup_make: create a cgroup for the test and set CGROUP to its path, or skip the test.
cgroup_make() {
	local root
	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$root" ] || skip "no cgroup2 tree is mounted"
	CGROUP=$root/kmemtrace-test-$$
	mkdir -p "$CGROUP" || skip "no cgroup can be made in $root"
}

# in_cgroup DIRECTORY PLANT OPTION…: a plant whose memory is charged to the cgroup.
in_cgroup() {
	local dir=$1 ready=$WORK/ready.${1##*/}
	shift
	# shellcheck disable=SC2016 # $$, $0 and $@ are of the inner shell
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$dir" "$PLANT" "$@" --seconds 600 >"$ready" &
	started+=($!)
	until_true 60 in_file READY "$ready" || fail "the plant in $dir failed"
}

# memory_tree: print the root of the memory controller's tree, or skip the test. In version 2, the controller must be
# enabled for the children of its root.
memory_tree() {
	local root
	root=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/self/mounts)
	if [ -z "$root" ]; then
		root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
		if [ -n "$root" ]; then { echo +memory >"$root/cgroup.subtree_control"; } 2>/dev/null || true; fi
	fi
	[ -n "$root" ] || skip "no cgroups"
	echo "$root"
}

cgroup_gone() { rmdir "$1" 2>/dev/null || [ ! -e "$1" ]; }

# ---- the kernel's own figures ----

# levels_read FILE: write "NAME BYTES" for each line of meminfo, for Unaccounted, and for BPF arrays.
levels_read() {
	cat /proc/sys/vm/stat_refresh >/dev/null 2>&1 || true
	awk -v page="$(getconf PAGESIZE)" '
		FILENAME ~ /meminfo/ { sub(":", "", $1); kb[$1] = $2; next }
		FILENAME ~ /zoneinfo/ { if ($1 == "count:") lists += $2; next }
		$3 ~ /array_map_alloc|bpf_map_area_alloc/ && match($0, /pages=[0-9]+/) {
			arrays += substr($0, RSTART + 6, RLENGTH - 6)
		}
		END {
			for (name in kb)
				printf "%s %d\n", name, kb[name] * 1024
			split("MemFree AnonPages Cached Buffers SwapCached Slab VmallocUsed PageTables SecPageTables Percpu", known)
			for (i in known)
				kb["MemTotal"] -= kb[known[i]]
			printf "Unaccounted %d\n", kb["MemTotal"] * 1024 - lists * page
			printf "arrays %d\n", arrays * page
		}' /proc/meminfo /proc/zoneinfo /proc/vmallocinfo >"$1"
}

# grown NAME: print its value in $WORK/after minus that in $WORK/before.
grown() { awk -v name="$1" 'NR == FNR { had[$1] = $2; next } $1 == name { print $2 - had[$1] }' "$WORK/before" "$WORK/after"; }

steady() {
	levels_read "$WORK/before"
	sleep 0.5
	levels_read "$WORK/after"
	for name in KernelStack PageTables Percpu; do
		[ "$(grown $name | tr -d -)" -le 65536 ] || return 1
	done
}

# until_steady: wait until memory of earlier tests is freed: after a grace period, or later for per-CPU pages.
until_steady() { until_true 10 steady || true; }

# slab_read FILE: write "NAME ACTIVE_OBJECTS SIZE PAGES" for each cache, then "Slab: PAGES" from meminfo.
slab_read() {
	cat /proc/sys/vm/stat_refresh >/dev/null 2>&1 || true
	{
		awk 'NR > 2 { print $1, $2, $4, $6 * $15 }' /proc/slabinfo
		awk -v page="$(getconf PAGESIZE)" '$1 == "Slab:" { print $1, 0, 0, $2 * 1024 / page }' /proc/meminfo
	} >"$1"
}

# slab_grown BEFORE AFTER: print "NAME OBJECTS SIZE" for each cache that gained objects, most bytes first.
slab_grown() {
	awk 'NR == FNR { had[$1] = $2; next } $2 > had[$1] { print ($2 - had[$1]) * $3, $1, $2 - had[$1], $3 }' "$1" "$2" |
		sort -rn | cut -d' ' -f2-
}

# slab_large_bytes: print the bytes of Slab that belong to no cache: large kmalloc.
slab_large_bytes() {
	awk -v page="$(getconf PAGESIZE)" '{ n += $1 == "Slab:" ? $4 : -$4 } END { printf "%d\n", n * page }' "$1"
}

# cache_names NAME: print NAME and the names of the caches that it is merged with.
cache_names() {
	local target link
	echo "$1"
	target=$(readlink "/sys/kernel/slab/$1") || return 0
	for link in /sys/kernel/slab/*; do
		if [ "$(readlink "$link" || true)" = "$target" ]; then echo "${link##*/}"; fi
	done
}

# cache_is NAME PATTERNS: does one of the cache's names match?
cache_is() {
	local name names
	names=$(cache_names "$1")
	while read -r name; do
		if matches "$name" "$2"; then return 0; fi
	done <<<"$names"
	return 1
}

bpf_programs() { bpftool -j prog list | jq -r '.[].id' | sort -n; }
