#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# small.sh [KERNEL [MEMORY…]]: kmemtrace in guests of 256 MiB and of as little as the kernel boots in (default: 6.1 in
# 256M, 96M and 80M; in 64M it prints nothing): tests/vm/small/run.sh. Runs on the host; some seconds a guest. Called by
# scripts/test.sh vm.
set -euo pipefail
cd "$(dirname "$0")/../.."
kernel=${1:-6.1}
shift || true
[ $# -gt 0 ] || set -- 256M 96M 80M
arch=$(dpkg --print-architecture)
payload=$(mktemp -d)
trap 'rm -rf "$payload"' EXIT

make -s STATIC=1 B="build/vm/$arch" "build/vm/$arch/kmemtrace"
strip -o "$payload/kmemtrace" "build/vm/$arch/kmemtrace"
cp tests/vm/lib.sh tests/vm/small/run.sh "$payload/"
chmod +x "$payload/run.sh"
failed=0
for memory in "$@"; do
	echo "$kernel with $memory:"
	scripts/vm.sh -m "$memory" -p "$payload" -o "build/vm/small-$memory" "$kernel" || failed=1
	grep -aE 'Mem(Total|ory)|record' "build/vm/small-$memory/$kernel/result" || true
done
exit $failed
