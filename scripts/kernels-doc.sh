#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernels-doc.sh [RESULTS]: docs/kernels.md on stdout, from what the last run of scripts/vm.sh left behind (default
# build/vm/results): what each kernel's own `kmemtrace doctor` says, and which tests passed there. `make kernels-doc`
# writes it. Nothing here is typed in by hand.
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

doctors() { # the kernels that got as far as a doctor, one JSON document each, named
	local name
	for name in "${names[@]}"; do
		[ -s "$results/$name/doctor.json" ] || continue
		jq -c --arg name "$name" '. + {name: $name}' "$results/$name/doctor.json" 2>/dev/null || true
	done
}

cat <<'EOF'
# Kernels
Made by `make kernels-doc` from a run of `make test-vm`: Debian's kernels, each booted in QEMU with the suite of
`tests/vm/run.sh`. What a kernel does not let kmemtrace see is said by `kmemtrace doctor` on that kernel, and in each report.
Hooks: `raw_tp` a tracepoint, `fentry` a function, `iter` and `test_run` programs that are run when wanted, `off` for the
reason below; nothing where the kernel has no such event and needs none.

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
printf '\n\n## What is seen, and how\n'
table_head hook
doctors | jq -r '.hooks[].name' | awk '!seen[$0]++' | while read -r hook; do
	printf '| %s |' "$hook"
	for name in "${names[@]}"; do
		printf ' %s |' "$(doctors | jq -r --arg name "$name" --arg hook "$hook" 'select(.name == $name) | .hooks[] |
			select(.name == $hook) | if .attached then .how else "off" end')"
	done
	printf '\n'
done

printf '\n## Why not, and what it costs\n'
doctors | jq -rs '[.[] | .name as $kernel |
	(.hooks[] | select(.attached | not) | "`\(.name)`: \(.reason); \(.cost)"), .notes[] | {kernel: $kernel, why: .}] |
	group_by(.why)[] | "- \([.[].kernel] | join(", ")): \(.[0].why)"'

printf '\n## The suite\n'
table_head test
awk '{ print $3 }' "$results/all" | awk '!seen[$0]++' | while read -r test; do
	printf '| %s |' "$test"
	for name in "${names[@]}"; do
		printf ' %s |' "$(awk -v k="$name" -v t="$test" '$1 == k && $3 == t { r = $2 == "fail" ? "**FAIL**" : $2 }
			END { print r == "" ? "not run" : r }' "$results/all")"
	done
	printf '\n'
done
