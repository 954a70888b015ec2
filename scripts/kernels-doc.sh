#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernels-doc.sh [RESULTS]: print docs/kernels.md from the results of the last run of scripts/vm.sh (default:
# build/vm/results): what `kmemtrace doctor` says on each kernel, and which tests passed there. `make kernels-doc` calls
# it. Nothing on that page is written by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
results=${1:-build/vm/results}
mapfile -t names < <(awk '{ print $1 }' "$results/all" 2>/dev/null | uniq)
[ "${#names[@]}" -gt 0 ] || { echo "kernels-doc: no results in $results: run scripts/vm.sh first" >&2; exit 1; }

table_head() { # FIRST-COLUMN
	printf '| %s |' "$1"
	printf ' %s |' "${names[@]}"
	printf '\n|---|'
	printf -- '---|%.0s' "${names[@]}"
	printf '\n'
}

doctors() { # the JSON of each kernel on which doctor ran, with the name of the kernel
	local name
	for name in "${names[@]}"; do
		[ -s "$results/$name/doctor.json" ] || continue
		jq -c --arg name "$name" '. + {name: $name}' "$results/$name/doctor.json" 2>/dev/null || true
	done
}

cat <<'EOF'
# Kernels
This page is generated. `make kernels-doc` writes it from the results of `make test-vm`, which boots each of these
Debian kernels in QEMU and runs `tests/vm/run.sh` there. `kmemtrace doctor` shows what can be traced on your kernel, and
so does each report.

The table of hooks shows the type of BPF program that each hook uses. `raw_tp` runs at a tracepoint, `fentry` at the
start of a kernel function, `fexit` at its end. `iter` and `test_run` are not attached; kmemtrace runs them when it
needs them. `off` means that the hook is not used; the reasons are below. An empty cell means that the kernel has no
such event and needs none.

A kernel whose name ends in `16k` has pages of 16 KiB, all others have pages of 4 KiB. Debian has no kernel with pages of
64 KiB: on 2026-11-29 there was none in trixie, trixie-security, trixie-backports and sid. Nothing in kmemtrace assumes a
size of pages: it asks the C library, gives the size to the BPF programs before they are loaded, and stores it in the
capture, whose report uses that one.

EOF
table_head kernel
printf '| release |'
for name in "${names[@]}"; do
	printf ' %s |' "$(doctors | jq -r --arg name "$name" 'select(.name == $name) | .kernel.release')"
done
printf '\n| recording |'
for name in "${names[@]}"; do
	printf ' %s |' "$(doctors | jq -r --arg name "$name" 'select(.name == $name) |
		if .can_record then "works" else "**does not**" end')"
done
printf '\n\n## How each hook is used\n'
table_head hook
doctors | jq -r '.hooks[].name' | awk '!seen[$0]++' | while read -r hook; do
	printf '| %s |' "$hook"
	for name in "${names[@]}"; do
		printf ' %s |' "$(doctors | jq -r --arg name "$name" --arg hook "$hook" 'select(.name == $name) | .hooks[] |
			select(.name == $hook) | if .attached then .how else "off" end')"
	done
	printf '\n'
done

printf '\n## Why a hook is off, and what the report then lacks\n'
doctors | jq -rs '[.[] | .name as $kernel |
	(.hooks[] | select(.attached | not) | "`\(.name)`: \(.reason); \(.cost)"), .notes[] | {kernel: $kernel, why: .}] |
	group_by(.why)[] | "- \([.[].kernel] | join(", ")): \(.[0].why)"'

printf '\n## Test results\n'
table_head test
awk '{ print $3 }' "$results/all" | awk '!seen[$0]++' | while read -r test; do
	printf '| %s |' "$test"
	for name in "${names[@]}"; do
		printf ' %s |' "$(awk -v k="$name" -v t="$test" '$1 == k && $3 == t { r = $2 == "fail" ? "**FAIL**" : $2 }
			END { print r == "" ? "not run" : r }' "$results/all")"
	done
	printf '\n'
done
