#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# speedscope, in Chromium and without a network, must open both formats and show the figures of the report.
# shellcheck source=tests/export/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# self FILE: open it in speedscope, and print "FUNCTION FIGURE" of the functions that hold most by themselves.
self() {
	NODE_PATH=$MODULES node tests/export/speedscope.cjs "$VIEWERS/speedscope/dist/release/index.html" "$1" 2>"$WORK/speedscope.err" ||
		fail "$(cat "$WORK/speedscope.err")"
}

# expected: the same from the report, the largest ten.
expected() {
	json '[.growth[] | {f: (.stack[0] // "[no" | sub("[+ ].*"; "")), b: .bytes}] | group_by(.f) |
		map({f: .[0].f, b: (map(.b) | add)}) | sort_by(-.b)[:10][] | "\(.f) \(.b)"'
}

browser() {
	viewers
	command -v chromium >/dev/null || skip "needs chromium (scripts/deps.sh export)"
	node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
		skip "node $(node --version) is older than 20, which playwright needs"
	MODULES=$(scripts/web-assets.sh --modules) || skip "npm could not install playwright-core"
	CAPTURE=$(recorded threads)
	report
	expected >"$WORK/report"
}

test_speedscope_opens_folded_stacks() {
	browser
	export_as folded -o "$WORK/threads.folded" "$CAPTURE"
	self "$WORK/threads.folded" | head -n 10 >"$WORK/shown"
	same "speedscope" "$WORK/report" "$WORK/shown"
}

# It shows bytes with four digits.
test_speedscope_opens_a_profile() {
	browser
	export_as pprof -o "$WORK/threads.pb.gz" "$CAPTURE"
	self "$WORK/threads.pb.gz" | head -n 10 >"$WORK/shown"
	awk '{ v = $2; u = "B"; if (v >= 1024) { v /= 1024; u = "KB" } if (v >= 1024) { v /= 1024; u = "MB" }
		printf "%s %.2f%s\n", $1, v, u }' "$WORK/report" >"$WORK/rounded"
	same "speedscope" "$WORK/rounded" "$WORK/shown"
}

run_tests
