#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# pprof and flamegraph.pl must show the figures of the report, whole call paths, and every difference.
# shellcheck source=tests/export/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# top OPTION… PROFILE: "FUNCTION BYTES" for all functions, as pprof -top says.
top() {
	pprof -top -nodefraction=0 -nodecount=0 -unit=B "$@" >"$WORK/top"
	awk 'table && $1 != "0" { sub(/B$/, "", $1); print $6, $1 } $1 == "flat" { table = 1 }' "$WORK/top" | sort
}

# innermost [FILTER]: the same from the JSON in $REPORT, of rows of growth that pass FILTER.
innermost() {
	json "[.growth[] | select(${1:-true}) | {f: (.stack[0] // \"[no\" | sub(\"[+ ].*\"; \"\")), b: .bytes}] |
		group_by(.f)[] | {f: .[0].f, b: (map(.b) | add)} | select(.b != 0) | \"\(.f) \(.b)\"" | sort
}

test_pprof_shows_the_figures_of_the_report() {
	local name
	viewers
	for name in 6.18 messages threads module; do # exact, and sampled
		CAPTURE=$(recorded $name)
		report
		export_as pprof -o "$WORK/p.pb.gz" "$CAPTURE"
		top "$WORK/p.pb.gz" >"$WORK/pprof"
		innermost >"$WORK/report"
		same "$name, by function" "$WORK/report" "$WORK/pprof"
		top -tagfocus=pool=slab "$WORK/p.pb.gz" >"$WORK/pprof"
		innermost '.pool == "slab"' >"$WORK/report"
		[ $name = module ] || same "$name, slab" "$WORK/report" "$WORK/pprof"
	done
}

test_pprof_shows_the_tags_of_the_report() {
	viewers
	CAPTURE=$(recorded threads)
	report
	export_as pprof -o "$WORK/p.pb.gz" "$CAPTURE"
	pprof -tags -unit=B "$WORK/p.pb.gz" >"$WORK/tags"
	# "  12345.0B (50.0%): slab" below " pool: Total 24690.0B"
	awk '$2 == "Total" { tag = $1 } tag == "pool:" && $1 ~ /^[1-9].*B$/ { sub(/\.0B$/, "", $1); print $NF, $1 }' "$WORK/tags" |
		sort >"$WORK/pprof"
	json '[.growth[] | {p: .pool, b: .bytes}] | group_by(.p)[] | "\(.[0].p) \(map(.b) | add)"' | sort >"$WORK/report"
	same "by pool" "$WORK/report" "$WORK/pprof"
	awk '$2 == "Total" { tag = $1 } tag == "process:" && $1 ~ /^[1-9].*B$/ { sub(/\.0B$/, "", $1); print $NF, $1 }' "$WORK/tags" |
		sort >"$WORK/pprof"
	# a process is rounded by itself in the JSON: one byte for each of its rows
	json '[.growth[].processes[] | select(.comm) | {p: .comm, b: .bytes}] | group_by(.p)[] | "\(.[0].p) \(map(.b) | add) \(length)"' |
		sort >"$WORK/report"
	join "$WORK/report" "$WORK/pprof" | awk '{ d = $2 - $4; if (d < 0) d = -d; if (d > $3) { print; bad = 1 } } END { exit bad || NR < 5 }' ||
		fail "by process: $(head "$WORK/report" "$WORK/pprof")"
}

test_allocations_are_those_of_the_report() {
	viewers
	CAPTURE=$(recorded 6.18)
	report
	export_as pprof -o "$WORK/p.pb.gz" "$CAPTURE"
	pprof -top -nodefraction=0 -nodecount=0 -sample_index=alloc_objects -focus='^load_msg$' "$WORK/p.pb.gz" |
		awk '$6 == "load_msg" { print $1 }' >"$WORK/pprof"
	json '[.growth[] | select(.stack[0] // "" | startswith("load_msg+")) | .allocs] | add' >"$WORK/report"
	same "allocations" "$WORK/report" "$WORK/pprof"
}

test_every_frame_has_its_module_and_build_id() {
	local name
	viewers
	for name in 6.18 6.12-boot2 module; do
		CAPTURE=$(recorded $name)
		report
		export_as pprof -o "$WORK/p.pb.gz" "$CAPTURE"
		node tests/export/pprof_paths.cjs "$VIEWERS" "$WORK/p.pb.gz" >"$WORK/pprof"
		# the text of a frame in the report, and with its module and build id
		sqlite3 -separator $'\t' "$CAPTURE" "SELECT symbol || printf('+0x%x', offset) ||
				CASE module WHEN 'vmlinux' THEN '' ELSE ' [' || module || ']' END,
			symbol || printf('+0x%x', offset) || ' [' || module || '] ' ||
				coalesce(nullif(build_id, ''), (SELECT value FROM meta WHERE key = 'kernel_build_id' AND module = 'vmlinux'), '')
			FROM frame" >"$WORK/frames"
		json '.growth[] | select(.bytes != 0) | [.bytes, .stack[], if .stack_truncated then "[deeper than recorded]" else empty end] | @tsv' >"$WORK/stacks"
		awk -F '\t' 'NR == FNR { whole[$1] = $2; next }
			{ path = NF > 1 ? "" : "[no call path recorded]"
			  for (i = 2; i <= NF; i++) path = path (i > 2 ? " < " : "") ($i in whole ? whole[$i] : $i)
			  bytes[path] += $1 }
			END { for (p in bytes) printf "%d %s\n", bytes[p], p }' "$WORK/frames" "$WORK/stacks" | sort >"$WORK/report"
		sort "$WORK/pprof" >"$WORK/sorted"
		same "$name, whole paths" "$WORK/report" "$WORK/sorted"
		grep -qE '\] [0-9a-f]{40}( |$)' "$WORK/sorted" || fail "no frame has a build id"
	done
}

# The innermost function of a recorded path is renamed to one of a small kernel that is compiled here.
test_pprof_shows_source_lines() {
	local kernel=$WORK/vmlinux id=0123456789abcdef0123456789abcdef01234567 offset line
	viewers
	CAPTURE=$(recorded 6.18)
	gcc -g -O2 -fno-pie -nostdlib -static -no-pie -Wl,--build-id=0x$id -o "$kernel" tests/fixtures/lines/kernel.c tests/fixtures/lines/other.c
	offset=$(nm "$kernel" | awk '$3 == "outer" { from = $1 } $3 == "after_inner" { to = $1 } END { printf "0x%s 0x%s", to, from }')
	offset=$((${offset% *} - ${offset#* }))
	sqlite3 "$CAPTURE" "UPDATE meta SET value = '$id' WHERE key = 'kernel_build_id'; UPDATE frame SET build_id = '$id';
		UPDATE frame SET symbol = 'outer', offset = $offset WHERE symbol = 'load_msg'"
	export_as pprof --debug-dir "$WORK" -o "$WORK/p.pb.gz" "$CAPTURE" 2>"$WORK/notes"
	grep -q "Source lines of vmlinux are from $kernel" "$WORK/notes" || fail "$(cat "$WORK/notes")"
	pprof -traces -lines "$WORK/p.pb.gz" >"$WORK/traces"
	for line in inner middle outer; do
		line="$line .*/*kernel.c:$(grep -n "/\* line of $line \*/" tests/fixtures/lines/kernel.c | cut -d: -f1)"
		grep -qE "$line" "$WORK/traces" || fail "no '$line' in $(head -n 40 "$WORK/traces")"
	done
	grep -qE 'inner .*\(inline\)' "$WORK/traces" || fail "inner is not shown as inlined: $(head -n 40 "$WORK/traces")"
	# the figures stay those of the report, now at the innermost inlined function
	report
	innermost | sed 's/^outer /inner /' | sort >"$WORK/report"
	top "$WORK/p.pb.gz" >"$WORK/pprof"
	same "by function" "$WORK/report" "$WORK/pprof"
}

test_pprof_shows_what_changed() {
	local base new
	viewers
	base=$(recorded 6.12-boot1) new=$(recorded 6.12-boot2)
	export_as pprof -o "$WORK/base.pb.gz" "$base"
	export_as pprof -o "$WORK/new.pb.gz" "$new"
	export_as pprof -o "$WORK/diff.pb.gz" --base "$base" "$new"
	for CAPTURE in "$base" "$new"; do
		report
		innermost >"$WORK/$(basename "$CAPTURE")"
	done
	awk 'NR == FNR { b[$1] = $2; next } { n[$1] = $2; b[$1] += 0 }
		END { for (f in b) if (n[f] != b[f]) print f, n[f] - b[f] }' "$WORK/6.12-boot1.kmt" "$WORK/6.12-boot2.kmt" | sort >"$WORK/report"
	top -diff_base="$WORK/base.pb.gz" "$WORK/new.pb.gz" >"$WORK/pprof"
	same "-diff_base" "$WORK/report" "$WORK/pprof"
	top "$WORK/diff.pb.gz" >"$WORK/pprof"
	same "--base" "$WORK/report" "$WORK/pprof"
}

# Both formats are of the same paths.
test_a_flame_graph_has_all_that_is_held() {
	viewers
	CAPTURE=$(recorded threads)
	report
	export_as folded -o "$WORK/folded" "$CAPTURE"
	perl "$VIEWERS/flamegraph.pl" --countname bytes "$WORK/folded" >"$WORK/svg" 2>"$WORK/flamegraph.err"
	[ ! -s "$WORK/flamegraph.err" ] || fail "$(cat "$WORK/flamegraph.err")"
	sed -n 's/.*>all (\([0-9,]*\) bytes, 100%).*/\1/p' "$WORK/svg" | tr -d , | head -n 1 >"$WORK/flame"
	json '[.growth[].bytes] | add' >"$WORK/report"
	same "the sum" "$WORK/report" "$WORK/flame"
	sed -n 's/.*>slab (\([0-9,]*\) bytes, .*/\1/p' "$WORK/svg" | tr -d , | head -n 1 >"$WORK/flame"
	json '[.growth[] | select(.pool == "slab") | .bytes] | add' >"$WORK/report"
	same "slab" "$WORK/report" "$WORK/flame"
}

test_a_flame_graph_colours_what_changed() {
	local base new
	viewers
	base=$(recorded 6.12-boot1) new=$(recorded 6.12-boot2)
	export_as folded --base "$base" "$new" >"$WORK/folded"
	perl "$VIEWERS/flamegraph.pl" "$WORK/folded" >"$WORK/svg"
	awk '{ b += $(NF - 1); n += $NF } END { print b, n }' "$WORK/folded" >"$WORK/sums"
	for CAPTURE in "$base" "$new"; do
		report
		json '[.growth[].bytes] | add'
	done | paste -sd' ' >"$WORK/report"
	same "both sums" "$WORK/report" "$WORK/sums"
	grep -q 'load_msg.*; +[0-9]' "$WORK/svg" || fail "load_msg does not show what it grew by"
}

run_tests
