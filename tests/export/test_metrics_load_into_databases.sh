#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# promtool, Prometheus and VictoriaMetrics must accept the metrics of a capture, and give its figures back.
# shellcheck source=tests/export/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# server COMMAND…: start a server; until its /health answers. It is ended with the test.
server() { # PORT COMMAND…
	local port=$1
	shift
	"$@" >"$WORK/server.log" 2>&1 &
	started+=($!)
	until_true 20 is_up "$port" || fail "$1 does not answer: $(tail -n 5 "$WORK/server.log")"
}

is_up() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port: print a port of 127.0.0.1 that nothing listens on.
free_port() {
	local port
	while port=$((20000 + RANDOM % 20000)) && is_up $port; do :; done
	echo $port
}

# metrics NAME: write the metrics of a recorded capture into $WORK/om, and its report.
metrics() {
	viewers
	CAPTURE=$(recorded "$1")
	report
	export_as openmetrics -o "$WORK/om" "$CAPTURE"
	END=$(awk '$1 ~ /^kmemtrace_capture_info/ { print $3 }' "$WORK/om")
}

# expected: "SERIES VALUE" of the figures that the report has for the end of the recording.
expected() {
	{
		json '.pools[] | select(.end_kb != null) | "kmemtrace_pool_bytes \(.name) \(.end_kb * 1024)"'
		"$KMEMTRACE" report --format json --by pool "$CAPTURE" | jq -r '.growth[] | "held \(.pool) \(.bytes)"'
		json '"kmemtrace_trust \(.trust.level) 1", "kmemtrace_own_kernel_bytes - \(.capture.own_kernel_bytes)"'
		json '.capture.losses | to_entries[] | select(.value > 0) | "lost \(.key) \(.value)"'
	} | sort
}

# queried URL: the same from a Prometheus API.
queried() {
	local query
	for query in 'kmemtrace_pool_bytes' 'kmemtrace_held_bytes' 'kmemtrace_trust == 1' kmemtrace_own_kernel_bytes \
		'{__name__=~"kmemtrace_lost_(events|details)_total"} > 0'; do
		"$VIEWERS/promtool" query instant --time="$END" "$1" "$query" || fail "no answer to $query"
	done | awk '/=>/ {
		name = $1; sub(/\{.*/, "", name)
		label = match($0, /(pool|level|cause)="[^"]*"/) ? substr($0, RSTART, RLENGTH) : "=\"-\""
		gsub(/.*="|"/, "", label)
		sub(/^kmemtrace_held_bytes$/, "held", name); sub(/^kmemtrace_lost_.*/, "lost", name)
		value = $0; sub(/.*=> /, "", value); sub(/ @.*/, "", value)
		printf "%s %s %d\n", name, label, value
	}' | sort
}

test_prometheus_gives_the_figures_back() {
	local port name
	for name in 6.18 messages; do # exact, and sampled
		metrics $name
		"$VIEWERS/promtool" tsdb create-blocks-from openmetrics "$WORK/om" "$WORK/tsdb" >"$WORK/promtool" 2>&1 ||
			fail "$(cat "$WORK/promtool")"
		port=$(free_port)
		echo >"$WORK/prometheus.yml"
		server "$port" "$VIEWERS/prometheus" --config.file="$WORK/prometheus.yml" --storage.tsdb.path="$WORK/tsdb" \
			--storage.tsdb.retention.time=90y --web.listen-address="127.0.0.1:$port"
		until_true 20 "$VIEWERS/promtool" query instant "http://127.0.0.1:$port" vector\(1\) >/dev/null
		expected >"$WORK/report"
		queried "http://127.0.0.1:$port" >"$WORK/prometheus"
		same "$name in Prometheus" "$WORK/report" "$WORK/prometheus"
		end_started
		rm -r "$WORK/tsdb"
	done
}

test_victoriametrics_gives_every_point_back() {
	local port
	metrics messages
	port=$(free_port)
	server "$port" "$VIEWERS/victoria-metrics" -storageDataPath="$WORK/vm" -httpListenAddr="127.0.0.1:$port" \
		-retentionPeriod=90y -loggerLevel=ERROR
	node tests/export/victoria.cjs "http://127.0.0.1:$port" "$WORK/om" >"$WORK/back" || fail "no import: $(cat "$WORK/server.log")"
	grep -v '^#' "$WORK/om" | sed -E 's/\.([0-9]{3})$/\1/' | node tests/export/victoria.cjs --sort >"$WORK/sent"
	same "VictoriaMetrics" "$WORK/sent" "$WORK/back"
	[ "$(wc -l <"$WORK/back")" -ge 100 ]
}

# Grafana is not in Debian. Its panels ask a data source for a range, which promtool does here with the queries of docs/export.md:
# each must draw the recording, and end at the figures of the report.
test_the_queries_for_grafana_draw_the_recording() {
	local port query start points
	metrics messages
	port=$(free_port)
	server "$port" "$VIEWERS/victoria-metrics" -storageDataPath="$WORK/vm" -httpListenAddr="127.0.0.1:$port" \
		-retentionPeriod=90y -loggerLevel=ERROR
	node -e 'fetch(process.argv[1], { method: "POST", body: require("fs").readFileSync(process.argv[2]) }).then((r) => process.exit(r.ok ? 0 : 1))' \
		"http://127.0.0.1:$port/api/v1/import/prometheus" "$WORK/om" || fail "no import: $(cat "$WORK/server.log")"
	# whole seconds before the end, so that the last step is the end
	start=$(awk -v end="$END" '$1 ~ /^kmemtrace_pool_bytes/ { printf "%.3f", end - int(end - $3); exit }' "$WORK/om")
	# shellcheck disable=SC2016 # these are marks of Markdown
	sed -n '/^| query | shows |/,/^$/s/^| `\([^`]*\)` |.*/\1/p' docs/export.md >"$WORK/queries"
	[ "$(wc -l <"$WORK/queries")" -ge 4 ] || fail "docs/export.md has no queries for Grafana"
	while read -r query; do
		until_true 20 answers "$query" || fail "no answer to $query"
		points=$(grep -c '@\[' "$WORK/range")
		[ "$points" -ge 10 ] || fail "$query: only $points points: $(head -n 20 "$WORK/range")"
	done <"$WORK/queries"
	# of each pool, the last point of the range
	answers kmemtrace_pool_bytes || fail "no pools"
	awk '/=>$/ { match($0, /pool="[^"]*"/); pool = substr($0, RSTART + 6, RLENGTH - 7) } /@\[/ { last[pool] = $1 }
		END { for (p in last) printf "%s %d\n", p, last[p] }' "$WORK/range" | sort >"$WORK/grafana"
	json '.pools[] | select(.end_kb != null) | "\(.name) \(.end_kb * 1024)"' | sort >"$WORK/report"
	same "pools" "$WORK/report" "$WORK/grafana"
}

# answers QUERY: ask for the range of the recording, as a panel does; true if there is a series.
answers() {
	"$VIEWERS/promtool" query range --start="$start" --end="$END" --step=1s "http://127.0.0.1:$port" "$1" >"$WORK/range" && grep -q '@\[' "$WORK/range"
}

# promtool lints the older text format: names, help and types. It has no float timestamps, and counters keep their suffix.
test_promtool_finds_nothing_to_lint() {
	metrics 6.18
	awk '/^# (UNIT|EOF)/ { next }
		/^# TYPE .* counter$/ { counter = $3 }
		/^#/ { if ($3 == counter) $3 = $3 "_total"; print; next }
		{ sub(/ [0-9.]+$/, ""); series = $0; sub(/ [^ ]*$/, "", series); if (!(series in seen)) print; seen[series] = 1 }' "$WORK/om" >"$WORK/text"
	"$VIEWERS/promtool" check metrics <"$WORK/text" >"$WORK/lint" 2>&1 || fail "$(cat "$WORK/lint")"
	[ ! -s "$WORK/lint" ] || fail "$(cat "$WORK/lint")"
}

# A wrong order, a missing "# EOF" or a series that is there twice makes promtool refuse the file, so it notices.
test_promtool_would_notice_a_broken_file() {
	metrics 6.18
	grep -v '^# EOF' "$WORK/om" >"$WORK/broken"
	! "$VIEWERS/promtool" tsdb create-blocks-from openmetrics "$WORK/broken" "$WORK/tsdb" >/dev/null 2>&1
}

test_two_captures_of_a_host_go_into_one_database() {
	viewers
	for CAPTURE in "$(recorded 6.12-boot1)" "$(recorded 6.12-boot2)"; do
		export_as openmetrics -o "$WORK/om" "$CAPTURE"
		"$VIEWERS/promtool" tsdb create-blocks-from openmetrics "$WORK/om" "$WORK/tsdb" >"$WORK/promtool" 2>&1 ||
			fail "$(cat "$WORK/promtool")"
	done
	mkdir -p "$WORK/tsdb/wal" "$WORK/data" # what some versions want to find
	(cd "$WORK" && "$VIEWERS/promtool" tsdb dump --match='kmemtrace_capture_info' "$WORK/tsdb") >"$WORK/dump" ||
		fail "$(cat "$WORK/dump")"
	[ "$(grep -c kmemtrace_capture_info "$WORK/dump")" = 2 ] || fail "$(cat "$WORK/dump")"
}

run_tests
