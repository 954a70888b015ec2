#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# quickstart.sh [SECONDS]: install what is missing, build, record the running kernel for SECONDS (default 10), and print
# the report. Needs root; uses sudo if it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-10}
capture=quickstart-$(date +%Y%m%d-%H%M%S).kmt

if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "quickstart.sh: installing packages and recording need root: run this as root" >&2
		exit 1
	}
	exec sudo ./scripts/quickstart.sh "$@"
fi
./scripts/deps.sh build
echo "quickstart.sh: building"
make -s -j"$(nproc)"
if ! build/kmemtrace doctor >build/doctor.txt; then
	cat build/doctor.txt
	exit 1
fi
echo "quickstart.sh: recording this kernel for $seconds s into $capture; Ctrl-C ends it sooner"
build/kmemtrace record -d "$seconds" -o "$capture"
echo
build/kmemtrace report "$capture"
echo
echo "quickstart.sh: the program is build/kmemtrace; 'make install' (as root) installs it"
echo "quickstart.sh: to read this report again: build/kmemtrace report $capture"
