#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bench.sh [--rounds N] [--json] [--no-peers] [WORKLOAD...]: what tracing costs, in one sitting (root).
# Runs each workload of tests/bench with nothing attached, with an empty program on each event that kmemtrace
# attaches to (the floor), under kmemtrace and under a tracer of the classic design, in turns of a tenth of a second in one
# process (tests/bench/bench_turns.c), N rounds of five turns each (12), of the floor and sampled, which are close to each
# other, three times as many, and a few times under other tracers that are installed, and prints what each adds; then what
# one allocation costs, what a thousand and a million live objects do to it, and what the governor makes of 10 s each of an
# idle, a paced and a full machine. Some thirty-five minutes; ratios within one run mean something, figures of two do not.
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
[ "$(id -u)" = 0 ] || { echo "bench.sh: run it as root: it attaches to the kernel" >&2; exit 1; }
make -s all bench-tools plants >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bench_load=$PWD/$B/bench/bench_load
[ ${#loads[@]} -gt 0 ] || mapfile -t loads < <("$bench_load" names)
load=()
kmemtrace=$B/kmemtrace
attach=$B/bench/bench_attach
turns=$B/bench/bench_turns

# the events that record attaches to, by the plan it carries out
mapfile -t events < <("$kmemtrace" doctor --format json | awk -F'"' '
	$2 == "name" { split($4, n, ":") }
	$2 == "how" && $4 == "raw_tp" && n[2] { print n[2] }')

# a cache that these workloads leave alone
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
		# installed, and works here: both need tracefs
		if command -v $peer >/dev/null && (load=("$bench_load" msg); run_$peer) | grep -c . >/dev/null; then
			others+=("$peer")
		fi
	done
fi

recorder="exec $kmemtrace record -q -f -o $work/capture.kmt"
close=(floor "exec $attach floor ${events[*]} -- sleep 600" sampled+12 "$recorder") # a fork's many stacks are learned slowly
all=("${close[@]}" exact+4 "$recorder --exact" focused+2 "$recorder --cache $idle"
	classic "exec $attach classic -- sleep 600")

# take_turns ROUNDS TRACER…: so many more of each workload, with programs loaded anew: where in memory they lie makes a
# difference, too
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

# where the time goes, each workload by itself: the kernel's run-time figures slow everything down a little
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

# the message loop in exact mode, with so many other objects live
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

# every other 5 s of an idle, a paced and a full machine, and an idle one again, by the kernel's account of the
# programs' run time; what empty programs would take of the full one comes with it. 1 % is the default's target,
# and a limit where it is given.
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
