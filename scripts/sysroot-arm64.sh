#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sysroot-arm64.sh DIR: unpack the arm64 development packages for the static build into DIR. Then build with:
#   make STATIC=1 B=build/arm64 ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- SYSROOT=DIR
# Because they are in a directory of their own, dpkg on the build host needs no foreign architecture.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/debian-lib.sh
. scripts/debian-lib.sh

[ $# -eq 1 ] || { echo "usage: scripts/sysroot-arm64.sh DIR" >&2; exit 2; }
debian_init "$(dirname "$1")"
debian_unpack_foreign "$1" arm64 libbpf-dev libelf-dev zlib1g-dev libsqlite3-dev libjansson-dev libcap-ng-dev \
	libzstd-dev libprotobuf-c-dev libncurses-dev ||
	debian_die "cannot fetch the arm64 libraries"
