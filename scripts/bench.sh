#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bench.sh [--rounds N] [--json] [--no-peers] [WORKLOAD...]: measure the cost of tracing. Needs root; takes about 35 minutes.
# Each workload of tests/bench runs with nothing attached, with an empty program on each event that kmemtrace uses (the
# floor), under kmemtrace, and under a tracer of the classic design. They take turns of a tenth of a second in one process
# (tests/bench/bench_turns.c), in N rounds (default 12) of five turns each. The floor and sampled mode differ little, so they
# get three times as many rounds; other installed tracers get only a few. The script prints what each adds, the cost of one
# allocation, the effect of a thousand and of a million live objects, and what the governor does on an idle, a paced and a
# full machine, for 10 s each. Compare ratios within one run; do not compare figures of two runs.
set -euo pipefail
cd "$(dirname "$0")/.."

B=${B:-build}
PEER_ROUNDS=4
rounds=12 json='' peers=1
loads=()
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2; shift ;;
	--json) json=1 ;;
	--no-peers) peers= ;;
	--help | -h) sed -n '3,9s/^# //p' "$0"; exit 0 ;;
	-*) echo "bench.sh: unknown option $1; see --help" >&2; exit 2 ;;
	*) loads+=("$1") ;;
	esac
	shift
done
[ "$(id -u)" = 0 ] || { echo "bench.sh: needs root, because it attaches BPF programs: run it with sudo" >&2; exit 1; }
make -s all bench-tools plants >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bench_load=$PWD/$B/bench/bench_load
[ ${#loads[@]} -gt 0 ] || mapfile -t loads < <("$bench_load" names)
load=()
kmemtrace=$B/kmemtrace
attach=$B/bench/bench_attach
turns=$B/bench/bench_turns

# the events that record attaches to, according to doctor
mapfile -t events < <("$kmemtrace" doctor --format json | awk -F'"' '
	$2 == "name" { split($4, n, ":") }
	$2 == "how" && $4 == "raw_tp" && n[2] { print n[2] }')

# a cache that these workloads do not use
idle=
for cache in mqueue_inode_cache posix_timers_cache fuse_inode btrfs_inode ext4_inode_cache dnotify_struct; do
	if grep -q "^$cache " /proc/slabinfo; then idle=$cache; break; fi
done

record() { "$kmemtrace" record -q -f -o "$work/capture.kmt" "$@" 2>>"$work/log"; }
run_nothing() { "${load[@]}"; }
run_bpftrace() {
	bpftrace -c "${load[*]}" -e '
		tracepoint:kmem:kmalloc,tracepoint:kmem:kmem_cache_alloc { @live[args->ptr] = kstack; }
		tracepoint:kmem:kfree,tracepoint:kmem:kmem_cache_free { delete(@live[args->ptr]); }
		END { clear(@live); }' 2>>"$work/log" | awk 'NF == 2 && $2 + 0'
}
run_perf() {
	perf record -q -a -g -o "$work/perf.data" -e kmem:kmalloc -e kmem:kmem_cache_alloc -e kmem:kfree \
		-e kmem:kmem_cache_free -- "${load[@]}" 2>>"$work/log"
	rm -f "$work/perf.data"
}

others=()
if [ "$peers" ]; then
	for peer in bpftrace perf; do
		# Is it installed, and does it work here? Both need tracefs.
		if command -v $peer >/dev/null && (load=("$bench_load" msg); run_$peer) | grep -c . >/dev/null; then
			others+=("$peer")
		fi
	done
fi

recorder="exec $kmemtrace record -q -f -o $work/capture.kmt"
close=(floor "exec $attach floor ${events[*]} -- sleep 600" sampled+12 "$recorder") # it takes long to learn the many stacks of a fork
all=("${close[@]}" exact+4 "$recorder --exact" focused+2 "$recorder --cache $idle"
	classic "exec $attach classic -- sleep 600")

# take_turns ROUNDS TRACER…: run more rounds of each workload. The programs are loaded again each time, because their
# place in memory also affects the result.
done=0
take_turns() {
	local nr=$1 name
	shift
	for name in "${loads[@]}"; do
		echo "bench.sh: rounds $((done + 1)) to $((done + nr)), $name" >&2
		"$turns" "$name" "$nr" "$@" 2>>"$work/log" | awk -v from="$done" '{ $1 += from; print }' >>"$work/times"
	done
	done=$((done + nr))
}
half=$(((rounds + 1) / 2)) rounds=$((2 * half))
take_turns "$half" "${all[@]}"
take_turns "$half" "${all[@]}"
while [ "$done" -lt $((3 * rounds)) ]; do take_turns "$half" "${close[@]}"; done
if [ ${#others[@]} -gt 0 ]; then
	for ((r = done + 1; r <= done + PEER_ROUNDS; r++)); do
		for name in "${loads[@]}"; do
			echo "bench.sh: round $((r - done)) of $PEER_ROUNDS, $name with peers" >&2
			load=("$bench_load" "$name")
			for t in nothing "${others[@]}"; do
				run_"$t" | awk -v t="$t" -v r="$r" 'NF == 2 { print r, t, $1, $2 }' >>"$work/times"
			done
		done
	done
fi

# Measure the time in the programs, with each workload on its own, because counting run time slows everything a little.
for name in "${loads[@]}"; do
	load=("$bench_load" "$name")
	"$attach" stats -- "$attach" floor "${events[@]}" -- "${load[@]}" |
		awk -v w="$name" '$1 == "program" { n += $3; ns += $3 * $4 } END { print "empty", w, n ? ns / n : 0 }'
	for mode in sampled exact; do
		how=()
		[ $mode = exact ] && how=(--exact)
		"$attach" stats -- "$kmemtrace" record -q -f -o "$work/capture.kmt" "${how[@]}" -- "${load[@]}" 2>>"$work/log" |
			awk -v w="$name" -v m=$mode '
				$1 == "program" { n += $3; ns += $3 * $4 }
				$1 == "program" && $2 ~ /^slab_(kmalloc|kmem_cache_alloc)/ { na += $3; nsa += $3 * $4 }
				END { print m, w, n ? ns / n : 0; print m "_alloc", w, na ? nsa / na : 0 }'
	done
	"$kmemtrace" report --format json "$work/capture.kmt" | awk -F'[":, ]+' -v w="$name" '
		$2 ~ /^unwind_(hits|misses|audited|disagreed)$/ { print $2, w, $3 }'
done >"$work/programs"

# Run the message loop in exact mode, with COUNT other live objects.
run_held() { # COUNT
	# shellcheck disable=SC2016 # for the inner shell
	record --exact --max-live 2M -- bash -c '
		"$1" msg "$2" --size 64 --seconds 600 >"$3" &
		until grep -q READY "$3"; do sleep 0.1; done
		"$4" msg
		kill $!' - "$B/plant/plant" "$1" "$work/ready" "$bench_load"
}
for ((r = 1; r <= rounds; r += 4)); do
	for held in 1000 1000000; do
		echo "bench.sh: $held live" >&2
		: >"$work/ready"
		run_held $held | awk -v n=$held '{ print "held", n, $2 }' >>"$work/programs"
	done
done

# Measure the programs' run time in every other 5 s, as the kernel counts it: on an idle, a paced and a full machine, then on
# an idle one again. "floor" shows what empty programs take. By default 1 % is a target; with --max-overhead it is a limit.
echo "bench.sh: the governor" >&2
cat >"$work/phases" <<-EOF
	churn() { for ((cpu = 0; cpu < \$(nproc); cpu++)); do timeout 10 $B/plant/churn msg 1000000000 "\$@" >/dev/null & done; wait; }
	sleep 10; churn --rate 40000 --size 3900; churn; sleep 11
EOF
for who in floor target limit; do
	how=("$attach" floor "${events[@]}")
	[ $who = floor ] || how=("$kmemtrace" record -q -f -o "$work/capture.kmt")
	[ $who != limit ] || how+=(--max-overhead 1)
	"$attach" stats -- "${how[@]}" -- bash "$work/phases" 2>>"$work/log" |
		awk -v who=$who '$1 == "window" { print who, ++n, $2 }' >>"$work/programs"
done

awk -v json="$json" -v rounds="$rounds" -v close_rounds="$done" -v peer_rounds=$PEER_ROUNDS -v release="$(uname -r)" \
	-v cpus="$(nproc)" -v date="$(date -u +%F)" \
	-v model="$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)" -v events="${#events[@]}" \
	-v idle="$idle" -f scripts/bench.awk "$work/times" "$work/programs"
