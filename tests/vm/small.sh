#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# small.sh [KERNEL/MEMORY…]: kmemtrace in guests with little memory, by tests/vm/small/run.sh. Runs on the host and takes
# some seconds a guest. Called by scripts/test.sh vm. A compressed kernel cannot unpack itself in 64 MiB, so each guest
# starts in 256 MiB and uses MEMORY of it (mem=). In 64M, 6.1 does not get as far as its first program; 5.10 does.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- 6.1/256M 6.1/104M 6.1/80M 5.10/64M
arch=$(dpkg --print-architecture)
payload=$(mktemp -d) logs=$(mktemp -d)
trap 'rm -rf "$payload" "$logs"' EXIT

make -s STATIC=1 B="build/vm/$arch" "build/vm/$arch/kmemtrace"
# Packed twice: while the guest unpacks its file system, it has both the archive and the files in memory.
strip -o "$payload/kmemtrace" "build/vm/$arch/kmemtrace"
gzip -9 "$payload/kmemtrace"
cp tests/vm/lib.sh tests/vm/small/run.sh "$payload/"
chmod +x "$payload/run.sh"
# Once, before several ask for kernels at the same time.
printf '%s\n' "${@%/*}" | sort -u | xargs scripts/vm.sh -f >/dev/null

# small GUEST: run it; its output is in $logs/GUEST.
small() {
	local kernel=${1%/*} memory=${1#*/} status=0
	echo "$kernel with $memory:"
	KMEMTRACE_VM_APPEND="mem=$memory" scripts/vm.sh -m 256M -p "$payload" -o "build/vm/small-$memory" "$kernel" || status=1
	grep -aE 'Mem(Total|ory)|record' "build/vm/small-$memory/$kernel/result" || true
	return $status
}

failed=0 running=0
for guest in "$@"; do
	[ $((running++)) -lt "$(nproc)" ] || wait -n || failed=1
	small "$guest" >"$logs/${guest/\//-}" 2>&1 &
done
while [ -n "$(jobs -r)" ]; do wait -n || failed=1; done
cat "$logs"/*
exit $failed
