#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bench-refs.sh [--caches N] [--from N] [--runs N] [--churn] [CACHE…]: what `kmemtrace refs` says of this host's ordinary
# caches, in which nothing is known to leak. Needs root; takes about 6 seconds a cache. It looks at the caches that are named,
# or at the N largest (default 30) from number --from on (default 1), N times each (--runs, default 1), and prints for each
# look the number of objects to which nothing points, that of the control, and the verdict. With --churn, processes start and
# end, and files, sockets and pipes come and go meanwhile. It fails if anything is called leaked.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

B=${B:-build}
caches=30 from=1 runs=1 churn=
named=()
while [ $# -gt 0 ]; do
	case $1 in
	--caches | --from | --runs)
		[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { echo "bench-refs.sh: $1 needs a whole number from 1" >&2; exit 2; }
		declare "${1#--}=$2"
		shift
		;;
	--churn) churn=yes ;;
	--help | -h) sed -n '3,7s/^# //p' "$0"; exit 0 ;;
	-*) echo "bench-refs.sh: unknown option $1; see --help" >&2; exit 2 ;;
	*) named+=("$1") ;;
	esac
	shift
done
[ "$(id -u)" = 0 ] || { echo "bench-refs.sh: needs root: run it with sudo" >&2; exit 1; }
make -s all plants >&2

work=$(mktemp -d)
pids=()
finish() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap finish EXIT

# The names of the largest caches, the largest first.
largest() {
	"$B/kmemtrace" census --format json | jq -r '[.census.caches[]?] | sort_by(-.kb)[] | .name' | head -n $((from + caches - 1)) |
		tail -n +"$from"
}

churn_start() {
	(renice -n 19 $BASHPID >/dev/null; while :; do find /usr/share -xdev -type f -newer /etc/hostname >/dev/null 2>&1; done) &
	pids+=($!)
	(renice -n 19 $BASHPID >/dev/null; while :; do
		for kind in pipe timerfd socket fork epoll rename msg; do "$B/plant/churn" $kind 5000 >/dev/null 2>&1 || sleep 0.1; done
	done) &
	pids+=($!)
	(renice -n 19 $BASHPID >/dev/null; while :; do : >"$work/file" && rm "$work/file" && (exec /bin/true); done) &
	pids+=($!)
}

look() { # CACHE
	"$B/kmemtrace" refs --cache "$1" --refs-budget 30s --format json 2>>"$work/errors" | jq -r '.refs |
		def percent: if . == null then "-" else . * 1000 | round / 10 end;
		[.cache, .objects, .unreferenced, (.unreferenced_share | percent), .only_own_cache, .only_page, .changed, .freed,
		(.control.kind | split("_")[0]), .control.objects, .control.unreferenced, (.cpu_s * 100 | round / 100), .verdict.reason] | @tsv'
}

if [ ${#named[@]} -gt 0 ]; then printf '%s\n' "${named[@]}"; else largest; fi >"$work/caches"
[ -z "$churn" ] || churn_start
row() { awk -F '\t' '{ printf "%-22s", $1; for (i = 2; i <= NF; i++) printf " %-9s", $i; print "" }'; }

printf '%s\n' "cache objects no-ref % own-kind page changed freed control objects no-ref cpu_s verdict" | tr ' ' '\t' | row
for ((run = 0; run < runs; run++)); do
	while read -r cache; do look "$cache" | tee -a "$work/table" | row; done <"$work/caches"
done
[ ! -s "$work/errors" ] || cat "$work/errors" >&2
if awk -F '\t' '$NF == "leaked" { bad = 1 } END { exit !bad }' "$work/table"; then
	echo "bench-refs.sh: something was called leaked" >&2
	exit 1
fi
