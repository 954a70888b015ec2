#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# newer_clang.sh DIR [KERNEL…]: a newer clang writes other instructions, which the verifiers of old kernels may refuse. DIR has
# a static kmemtrace and its objects, tracer.o and tracer_legacy.o, as scripts/debian-roots.sh leaves them. Old kernels must
# load them (tests/vm/newer_clang/run.sh). Runs on the host, some 20 s a guest. Called by scripts/test.sh debian.
set -euo pipefail
cd "$(dirname "$0")/../.."
built=$1
shift
[ $# -gt 0 ] || set -- 5.10 6.1
[ -s "$built/kmemtrace" ] || { echo "nothing was built: there is no $built/kmemtrace"; exit 1; }
arch=$(dpkg --print-architecture)
payload=$(mktemp -d)
trap 'rm -rf "$payload"' EXIT

make -s STATIC=1 B="build/vm/$arch" vm-tools
cp "build/vm/$arch"/vm-tools/{bpfload,jsonq} "$built"/{kmemtrace,tracer.o,tracer_legacy.o} "$payload/"
cp tests/vm/lib.sh tests/vm/newer_clang/run.sh "$payload/"
chmod +x "$payload/run.sh"
scripts/vm.sh -p "$payload" -o build/vm/newer_clang "$@"
