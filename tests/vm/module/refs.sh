#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# refs.sh [-a] [KERNEL…]: what `kmemtrace refs` says of objects that are really leaked, and of others that are kept, in guests
# (default: 5.10 and the newest). It builds orphans.c with the headers of each kernel and loads it there; refs_guest.sh has the
# tests. -a: each way to leak and to keep apart, which takes a minute a guest. Called by scripts/test.sh vm.
set -euo pipefail
cd "$(dirname "$0")/../../.."
# shellcheck source=scripts/debian-lib.sh
. scripts/debian-lib.sh
# shellcheck source=tests/vm/module/build.sh
. tests/vm/module/build.sh
payload=$(mktemp -d)
trap 'rm -rf "$payload"' EXIT
ways=together
if [ "${1:-}" = -a ]; then ways=apart && shift; fi
[ $# -gt 0 ] || set -- 5.10 newest
B=${KMEMTRACE_VM_BUILD:-}

debian_init "${KMEMTRACE_VM_CACHE:-${XDG_CACHE_HOME:-/var/tmp}/kmemtrace-vm}"
mapfile -t kernels < <(scripts/vm.sh -f "$@" | xargs -n 1 basename)
arch=amd64 cross=() # of all guests: a payload has one program
case ${kernels[*]} in *-arm64*)
	arch=arm64
	scripts/sysroot-arm64.sh "$DEBIAN_CACHE/sysroot-arm64"
	cross=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- SYSROOT="$DEBIAN_CACHE/sysroot-arm64")
	;;
esac
make -s STATIC=1 B="${B:=build/vm/$arch}" "${cross[@]}" all vm-tools
for kernel in "${kernels[@]}"; do module_build "$kernel" tests/vm/module/orphans.c "$payload/orphans-$kernel.ko"; done
cp "$B/kmemtrace" "$B/vm-tools/jsonq" tests/vm/lib.sh "$payload/"
cp tests/vm/module/refs_guest.sh "$payload/run.sh"
echo "$ways" >"$payload/ways"
scripts/vm.sh -j "$(nproc)" -o build/vm/refs -p "$payload" "${kernels[@]}"
