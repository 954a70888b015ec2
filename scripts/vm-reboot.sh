#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm-reboot.sh [KERNEL [OTHER]]: record in a guest; reboot it, which changes the KASLR offset, and record again with three
# times as many planted objects; then record in a guest with another kernel. Each time, kmemtrace diff must recognise the
# planted path. Kernels are named as for vm.sh (default: 6.12 and 6.18). build/kmemtrace and a static build are made first.
set -euo pipefail
cd "$(dirname "$0")/.."

KERNEL=${1:-6.12}
OTHER=${2:-6.18}
OUT=build/vm/reboot
PAYLOAD=$OUT/payload
failed=0

# result NAME TEXT STATUS
result() {
	if [ "$3" = 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1 - $2"
		failed=1
	fi
}

# guest NAME KERNEL COUNT: write $OUT/NAME.kmt and $OUT/NAME.addr.
guest() {
	KMEMTRACE_VM_APPEND="kmt_count=$3" ./scripts/vm.sh -p "$PAYLOAD" -o "$OUT/$1" "$2" >"$OUT/$1.log" 2>&1 ||
		{ tail -n 20 "$OUT/$1.log"; echo "not ok boot of $2"; exit 1; }
	local dir
	dir=$(dirname "$(find "$OUT/$1" -name capture.b64)")
	cp "$dir/capture.kmt" "$OUT/$1.kmt"
	grep . "$dir/text.addr" | head -n 1 >"$OUT/$1.addr"
}

# compare BASE NEW COUNT_BASE COUNT_NEW: the planted path must be one row, which grew by the planted difference.
compare() {
	local json=$OUT/$1-$2.json got status
	./build/kmemtrace diff --format json --all --top 0 "$OUT/$1.kmt" "$OUT/$2.kmt" >"$json"
	got=$(jq -c '[.growth[] | select(.process == "plant" and (.name | test("load_msg|alloc_msg")))]' "$json")
	jq -e --argjson base "$3" --argjson new "$4" 'length == 1 and .[0].status == "grown" and .[0].rank == 1 and
		(.[0].base.bytes / ($base * 1024) - 1 | fabs) < 0.02 and
		(.[0].new.bytes / ($new * 1024) - 1 | fabs) < 0.02' <<<"$got" >/dev/null && status=0 || status=1
	result "$1-$2-planted-path-is-one" "$(jq -c '[.[] | [.status, .rank, .base.bytes, .new.bytes, .name]]' <<<"$got")" $status
	# both captures held memory of mostly the same code, so few paths may remain without a match
	jq -r '[.growth[] | select(.base.objects != null and .new.objects != null)] | length' "$json" >"$OUT/both"
	jq -r '.growth | length' "$json" >"$OUT/all"
	echo "# $1 against $2: $(cat "$OUT/both") of $(cat "$OUT/all") paths are in both"
}

main() {
	rm -rf "$OUT"
	mkdir -p "$PAYLOAD/plant"
	make --no-print-directory -j2 all >"$OUT/build.log" 2>&1
	make --no-print-directory -j2 STATIC=1 B=build/vm/amd64 all plants >>"$OUT/build.log" 2>&1 ||
		{ tail "$OUT/build.log"; exit 1; }
	cp build/vm/amd64/kmemtrace tests/vm/reboot/run.sh "$PAYLOAD/"
	cp build/vm/amd64/plant/plant "$PAYLOAD/plant/"
	guest first "$KERNEL" 3000
	guest second "$KERNEL" 9000
	guest other "$OTHER" 9000
	cmp -s "$OUT/first.addr" "$OUT/second.addr" && moved=1 || moved=0
	result kaslr-moved-the-kernel "$(cat "$OUT/first.addr") both times" "$moved"
	compare first second 3000 9000
	compare first other 3000 9000
	exit $failed
}

main
