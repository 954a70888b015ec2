#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# selftest.sh [KERNEL]: check that scripts/vm.sh fails for a kernel warning, a panic, a suite that crashes or hangs, a failing
# test and a missing kernel, and passes for a clean run. Runs on the host; boots one kernel six times, in half a minute.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
kernel=${1:-6.1}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/payload"
failed=0

# expect STATUS TEXT SCRIPT [KERNEL]: vm.sh with SCRIPT as run.sh must end with STATUS and print TEXT.
expect() {
	local status=0
	printf '#!/bin/sh\n%s\n' "$3" >"$dir/payload/run.sh"
	chmod +x "$dir/payload/run.sh"
	scripts/vm.sh -o "$dir/out" -p "$dir/payload" "${4:-$kernel}" >"$dir/log" 2>&1 || status=$?
	if [ "$status" -eq "$1" ] && grep -qF "$2" "$dir/log"; then
		echo "ok   $2"
	else
		echo "FAIL status $status (want $1), '$2' expected in:"
		cat "$dir/log"
		failed=1
	fi
}

expect 0 '3 passed, 0 failed, 0 skipped' 'echo ok fine'
expect 1 'FAIL '"$kernel"' sums: 1 is not 2' 'echo "not ok sums - 1 is not 2"; exit 1'
expect 1 'kernel-log: [' 'echo "<4>WARNING: CPU: 0 PID: 1 at selftest" >/dev/kmsg'
expect 1 'boot: it ended without a result' 'echo c >/proc/sysrq-trigger'
expect 1 'suite: it ended with status 3' 'exit 3'
KMEMTRACE_VM_TIMEOUT=15 expect 1 'boot: no result within 15 s' 'sleep 100'
expect 1 '4.4: can no longer be fetched' 'true' 4.4
exit $failed
