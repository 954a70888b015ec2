#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# deps.sh [GROUP…]: install the Debian packages of these groups (default: build) that are missing, with apt, as root. If
# none is missing, it uses neither apt nor the network. This is the only list of packages; README.md says why each is needed.
set -euo pipefail

# GROUP PACKAGE REASON
packages() {
	cat <<-EOF
		build gcc             the user-space program
		build make            the build
		build pkg-config      compiler and linker flags
		build clang           BPF programs; test.sh also builds the user-space program with it
		build libbpf-dev      loads BPF programs; headers for both halves
		build bpftool         BPF linking and skeletons
		build libelf-dev      needed by libbpf
		build zlib1g-dev      needed by libelf
		build libsqlite3-dev  the capture file
		build libjansson-dev  JSON
		build uthash-dev      hash tables (headers only)
		build libcap-ng-dev   drops capabilities
		build libdw-dev       file and line of functions (report --lines); optional
		test  libcmocka-dev   unit tests
		test  libdebuginfod1  fetches debug information, as in a test
		test  binutils        splits debug information off, as distributions do
		test  jq              live tests read reports with it
		test  python3-jsonschema  JSON output against docs/schema
		test  sqlite3         the example queries of docs/capture-format.md
		test  procps          live tests inspect processes
		test  shellcheck      scripts
		test  cppcheck        C
		test  universal-ctags  lists the names that C defines
		test  clang-format    the formatting of C
		test  clang-tidy      C: finds what compilers and cppcheck do not
		test  mandoc          the man page
		test  stress-ng       mixed loads, here and in bench.sh
		export nodejs         decodes profiles, runs DuckDB
		export npm            fetches what tests/export uses
		export chromium       opens profiles in speedscope
		export fonts-dejavu-core  its text
		fuzz  libclang-rt-dev libFuzzer and the sanitizers of clang
		web   chromium        opens HTML reports in tests
		web   fonts-dejavu-core  its text
		web   nodejs          runs the bundler and the tests of HTML reports
		web   npm             installs what user/render/web/package-lock.json pins
		vm    debian-archive-keyring  verifies downloaded kernels
		vm    lz4             unpacks kernels
		vm    zstd            unpacks kernels
		vm    xz-utils        unpacks kernels
		debian debootstrap            creates minimal Debian systems to build and test in
		debian debian-archive-keyring verifies their packages
		arm64 gcc-aarch64-linux-gnu  the arm64 build
		arm64 libc6-dev-arm64-cross  the same
		services postgresql    pgbench and its server, for bench-services.sh
		services nginx         a web server, for the same
		services apache2-utils ab, the client of nginx
		services redis-server  redis and its client
		services bpfcc-tools   memleak, a tracer to compare with
	EOF
}

usage() {
	printf 'usage: scripts/deps.sh [--list] [GROUP…]   groups: %s\n' \
		"$(packages | awk '{ print $1 }' | uniq | tr '\n' ' ')"
}

installed() { # PACKAGE; other builds of node than Debian's contain npm
	[ "$1" != npm ] || ! command -v npm >/dev/null || return 0
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Run a command as root, with sudo if needed and installed.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "deps.sh: only root can install packages: run this as root, or install the packages yourself" >&2
		return 1
	fi
}

install_missing() {
	local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@")

	echo "deps.sh: installing with apt: $*"
	# Try with the existing package lists first: most hosts have them, but a fresh container does not.
	if ! as_root "${install[@]}" >/dev/null 2>&1; then
		echo "deps.sh: fetching package lists (apt-get update)"
		as_root apt-get update -qq
		as_root "${install[@]}" >/dev/null
	fi
}

# Packages of services start these at once, and at each boot. Prevent both: bench-services.sh starts its own. A host that
# has a policy already has its own rule of what may start.
POLICY=/usr/sbin/policy-rc.d
install_services() { # PACKAGE…
	local package

	if [ ! -e $POLICY ]; then
		trap 'as_root rm -f $POLICY' EXIT
		printf '#!/bin/sh\nexit 101\n' | as_root tee $POLICY >/dev/null
		as_root chmod 755 $POLICY
	fi
	install_missing "$@"
	for package in "$@"; do
		case $package in
		postgresql | nginx | redis-server) as_root update-rc.d "$package" disable ;;
		esac
	done
}

main() {
	local group missing=()

	case ${1:-} in
	-h | --help) usage && return ;;
	--list) packages && return ;;
	esac
	command -v dpkg-query >/dev/null || {
		echo "deps.sh: this is not a Debian system: install the packages that --list names with your package manager" >&2
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
	elif [[ " $* " = *" services "* ]]; then
		install_services "${missing[@]}"
	else
		install_missing "${missing[@]}"
	fi
}

main "$@"
