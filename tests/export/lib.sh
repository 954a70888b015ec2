# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# lib.sh: functions that the tests of exports share. They need no root, and run the programs that scripts/viewers.sh fetches.
# shellcheck source=tests/live/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.sh"

# viewers: set VIEWERS, or skip the test.
viewers() {
	command -v node >/dev/null || skip "needs node"
	VIEWERS=$(scripts/viewers.sh) || skip "the programs that read exports could not be fetched (scripts/viewers.sh)"
	export HOME=$WORK # pprof and Prometheus keep files there
}

# recorded NAME: unpack a recorded capture and print its path.
recorded() {
	local file
	file=$(find tests/fixtures -name "$1.kmt.gz")
	gunzip -c "$file" >"$WORK/$1.kmt"
	echo "$WORK/$1.kmt"
}

# report: as in the live tests, but without a check of the JSON: others check that of these captures.
report() { "$KMEMTRACE" report --format json --top 0 "$CAPTURE" >"$REPORT"; }

export_as() { "$KMEMTRACE" export --format "$@"; } # FORMAT OPTION… FILE

pprof() { "$VIEWERS/pprof" "$@" 2>"$WORK/pprof.err" || fail "pprof $*: $(cat "$WORK/pprof.err")"; }

# same WHAT FILE FILE: fail with the first differences unless both files are equal and not empty.
same() {
	[ -s "$2" ] || fail "$1: $2 is empty"
	diff "$2" "$3" >"$WORK/differences" || fail "$1: $(head -n 20 "$WORK/differences")"
}
