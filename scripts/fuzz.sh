#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fuzz.sh FUZZER [SECONDS]: run a fuzzer (capture, proc or sql) for SECONDS (default 600), at idle priority and on tmpfs,
# until the first fault. fuzz.sh --smoke: run each fuzzer on all its seeds and a few hundred more inputs, always the same.
# The corpus grows in build/fuzz/corpus; inputs that cause faults are kept in build/fuzz/findings.
set -euo pipefail
cd "$(dirname "$0")/.." || exit 1

FUZZERS="capture proc sql"
OUT=build/fuzz

usage() { sed -n '3,5s/^# //p' scripts/fuzz.sh; }

# The maximum length of an input: real captures with small pages, files of /proc, a dozen edits.
longest() { # FUZZER
	case $1 in
	capture) echo 262144 ;;
	proc) echo 65536 ;;
	sql) echo 200 ;;
	esac
}

fuzzer() { # FUZZER OPTION… CORPUS…
	local name=$1
	shift
	# A limit on wall-clock time is useless on a busy machine, so the fuzzers check their CPU time themselves.
	# shellcheck disable=SC2086 # a list of words
	TMPDIR=$tmp UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=quarantine_size_mb=64:malloc_context_size=8 \
		$idle "$OUT/fuzz_$name" -max_len="$(longest "$name")" -timeout=600 -rss_limit_mb=2048 \
		-malloc_limit_mb=1200 -artifact_prefix="$OUT/findings/$name-" "$@"
}

smoke() {
	local name seeds
	for name in $FUZZERS; do
		seeds=()
		[ -d "$OUT/seeds/$name" ] && seeds=("$OUT/seeds/$name")
		mkdir "$tmp/$name"
		fuzzer "$name" -seed=17 -runs="$(case $name in proc) echo 2000 ;; capture) echo 300 ;; *) echo 150 ;; esac)" \
			"$tmp/$name" "${seeds[@]}" >"$tmp/log" 2>&1 || {
			tail -n 80 "$tmp/log"
			return 1
		}
		echo "$name: $(grep -o 'cov: [0-9]*' "$tmp/log" | tail -n 1), $(tail -n 1 "$tmp/log")"
	done
}

main() {
	local name=${1:-} seeds=()

	idle=
	make -s fuzz || return 1
	mkdir -p "$OUT/findings"
	tmp=$(mktemp -d "$(test -w /dev/shm && echo /dev/shm || echo /tmp)/kmemtrace-fuzz.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	case $name in
	--smoke) smoke && return ;;
	capture | proc | sql)
		[ -d "$OUT/seeds/$name" ] && seeds=("$OUT/seeds/$name")
		mkdir -p "$OUT/corpus/$name"
		echo 19 >/proc/self/autogroup 2>/dev/null || true # else idle means: within this session
		idle="chrt -i 0 nice -n 19"
		time fuzzer "$name" -max_total_time="${2:-600}" -print_final_stats=1 \
			"$OUT/corpus/$name" "${seeds[@]}"
		;;
	*) usage >&2 && return 2 ;;
	esac
}

main "$@"
