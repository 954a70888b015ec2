#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Rows must load into an SQL database as they are, and give the figures of the report.
# shellcheck source=tests/export/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

duckdb() { node tests/export/duckdb.cjs "$VIEWERS" "$1" 2>"$WORK/duckdb.err" || fail "$(cat "$WORK/duckdb.err")"; }

# rows NAME OPTION…: write the rows of a recorded capture into $WORK/rows.ndjson, and its report.
rows() {
	local name=$1
	shift
	viewers
	CAPTURE=$(recorded "$name")
	report
	export_as ndjson "$@" -o "$WORK/rows.ndjson" "$CAPTURE"
}

test_duckdb_gives_the_figures_of_the_report() {
	local name
	for name in 6.18 messages; do # exact, and sampled
		rows $name
		duckdb "SELECT pool, function, sum(bytes)::BIGINT, sum(objects)::BIGINT FROM '$WORK/rows.ndjson'
			WHERE type = 'held' GROUP BY ALL HAVING sum(bytes) <> 0" | sort >"$WORK/duckdb"
		json '[.growth[] | {p: .pool, f: (.stack[0] // "null" | sub("[+].*"; "")), b: .bytes, o: .objects}] | group_by([.p, .f])[] |
			select((map(.b) | add) != 0) | [.[0].p, .[0].f, (map(.b) | add), (map(.o | round) | add)] | @tsv' | sed 's/\tnull\t/\t\t/' | sort >"$WORK/report"
		same "$name, by function" "$WORK/report" "$WORK/duckdb"
		duckdb "SELECT pool, end_kb FROM '$WORK/rows.ndjson' WHERE type = 'pool'" | sort >"$WORK/duckdb"
		json '.pools[] | [.name, .end_kb] | @tsv' | sort >"$WORK/report"
		same "$name, pools" "$WORK/report" "$WORK/duckdb"
		duckdb "SELECT trust, lost_events::BIGINT, complete FROM '$WORK/rows.ndjson' WHERE type = 'capture'" >"$WORK/duckdb"
		json '[.trust.level, (.capture.losses | del(.stack_table_full, .stack_failed, .process_table_full, .cache_table_full,
			.unknown_cache, .unwind_disagreed) | add), .capture.complete] | @tsv' >"$WORK/report"
		same "$name, trust" "$WORK/report" "$WORK/duckdb"
	done
}

# Each level has its own time, and the last is that of the end.
test_levels_have_their_times() {
	rows 6.18
	duckdb "SELECT pool, arg_max(kb, time) FROM '$WORK/rows.ndjson' WHERE type = 'level' GROUP BY pool" | sort >"$WORK/duckdb"
	json '.pools[] | select(.end_kb != null) | [.name, .end_kb] | @tsv' | sort >"$WORK/report"
	same "levels" "$WORK/report" "$WORK/duckdb"
	duckdb "SELECT typeof(time) FROM '$WORK/rows.ndjson' LIMIT 1" >"$WORK/duckdb"
	grep -q TIMESTAMP "$WORK/duckdb" || fail "time is read as $(cat "$WORK/duckdb")"
}

test_rows_of_many_captures_are_told_apart() {
	rows 6.12-boot1
	mv "$WORK/rows.ndjson" "$WORK/1.ndjson"
	json '[.growth[].bytes] | add' >"$WORK/sums"
	rows 6.12-boot2
	mv "$WORK/rows.ndjson" "$WORK/2.ndjson"
	json '[.growth[].bytes] | add' >>"$WORK/sums"
	duckdb "SELECT sum(bytes)::BIGINT FROM '$WORK/*.ndjson' WHERE type = 'held' GROUP BY boot_id ORDER BY min(time)" >"$WORK/duckdb"
	same "two boots" "$WORK/sums" "$WORK/duckdb"
}

test_groups_are_those_of_the_report() {
	local by
	for by in cache process cgroup module pool syscall site; do
		rows 6.18 --by $by
		jq -s 'map(select(.type == "held") | .bytes) | add' "$WORK/rows.ndjson" >"$WORK/jq"
		json '[.growth[].bytes] | add' >"$WORK/report"
		same "by $by" "$WORK/report" "$WORK/jq"
		[ "$(jq -r --arg by $by 'select(.type == "held") | select(has($by) | not)' "$WORK/rows.ndjson")" = "" ] || fail "no column $by"
	done
	rows 6.18 --by process --labels none
	jq -r 'select(.type == "held") | .process' "$WORK/rows.ndjson" | grep -q '^[a-z].*\[[0-9]*\]$' ||
		fail "without labels, nothing says which process"
}

run_tests
