#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# deps.sh [GROUP…]: the one list of the Debian packages this project needs, by group (default: build). Installs what is
# missing with apt, as root; touches neither apt nor the network when nothing is. README.md gives each one's reason.
set -euo pipefail

# GROUP PACKAGE REASON
packages() {
	cat <<-EOF
		build gcc             the user side
		build make            the build
		build pkg-config      compiler and linker flags
		build clang           BPF programs; test.sh also builds the user side with it
		build libbpf-dev      loading BPF programs; its headers for both sides
		build bpftool         BPF linking and skeletons
		build libelf-dev      needed by libbpf
		build zlib1g-dev      needed by libelf
		build libsqlite3-dev  the capture file
		build libjansson-dev  JSON
		build uthash-dev      hash tables (headers only)
		build libcap-ng-dev   giving up capabilities
		test  libcmocka-dev   unit tests
		test  jq              live tests read reports with it
		test  python3-jsonschema  JSON output against docs/schema
		test  sqlite3         the example queries of docs/capture-format.md
		test  procps          live tests look at processes
		test  shellcheck      scripts
		test  cppcheck        C
		test  clang-format    the formatting of C
		test  clang-tidy      C: what compilers and cppcheck do not find
		test  mandoc          the man page
		test  stress-ng       mixed loads, here and in bench.sh
		fuzz  libclang-rt-dev libFuzzer and the sanitizers of clang
		vm    debian-archive-keyring  fetching kernels, checked by apt
		vm    lz4             kernels are compressed by it,
		vm    zstd            by it,
		vm    xz-utils        or by it
		debian debootstrap            bare roots of Debian releases, to build and test in
		debian debian-archive-keyring their packages, checked by apt
		arm64 gcc-aarch64-linux-gnu  the arm64 build
		arm64 libc6-dev-arm64-cross  the same
	EOF
}

usage() {
	printf 'usage: scripts/deps.sh [--list] [GROUP…]   groups: %s\n' \
		"$(packages | awk '{ print $1 }' | uniq | tr '\n' ' ')"
}

installed() { # PACKAGE
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The packages are installed as root; sudo is used where there is one.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "deps.sh: must be root to install packages: run it with sudo, or install these yourself" >&2
		return 1
	fi
}

install_missing() {
	local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@")

	echo "deps.sh: installing with apt: $*"
	# Package lists that are there are tried first: a fresh container has none, most hosts do.
	if ! as_root "${install[@]}" >/dev/null 2>&1; then
		echo "deps.sh: fetching package lists (apt-get update)"
		as_root apt-get update -qq
		as_root "${install[@]}" >/dev/null
	fi
}

main() {
	local group missing=()

	case ${1:-} in
	-h | --help) usage && return ;;
	--list) packages && return ;;
	esac
	command -v dpkg-query >/dev/null || {
		echo "deps.sh: this is not Debian or a relative of it; install what --list names in your system's way" >&2
		return 1
	}
	for group in "${@:-build}"; do
		packages | grep -q "^$group " || {
			usage >&2
			return 2
		}
		for package in $(packages | awk -v group="$group" '$1 == group { print $2 }'); do
			installed "$package" || missing+=("$package")
		done
	done
	if [ ${#missing[@]} = 0 ]; then
		echo "deps.sh: everything for '${*:-build}' is installed"
	else
		install_missing "${missing[@]}"
	fi
}

main "$@"
