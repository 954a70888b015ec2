#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# debian-roots.sh [RELEASE…]: do what a new user does, in a minimal system of each Debian release (default: 12 and 13): run
# the commands of README.md as written there, on a tree without .git, and `make STATIC=1`. Run it as root. Systems and
# packages are kept in a cache; the mirror is that of apt. The results are in $OUT, as lines "RELEASE ok|fail|skip TEST WHY".
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/debian-lib.sh
. scripts/debian-lib.sh

RELEASES="bookworm trixie"
CACHE=${KMEMTRACE_DEBIAN_CACHE:-${XDG_CACHE_HOME:-/var/tmp}/kmemtrace-debian}
OUT=build/debian-roots
BASE_MAX_AGE_DAYS=30 # of the cached system; apt in it always fetches current packages
STEP_TIMEOUT=1200    # seconds
# What CI has checked on the machine itself, takes long, and hardly depends on the release; and what gives the same result in
# a system of the machine's own release. A static build is a step of its own here.
CHECKED="fuzz json-schemas-self-test names-self-test"
CHECKED_SAME="clang-tidy clang-build unit-tests live-test_hostile_captures_stay_bounded"
LIVE_WITHOUT_BPF="setpriv --bounding-set=-sys_admin,-bpf,-perfmon --inh-caps=-sys_admin,-bpf,-perfmon ./scripts/test.sh --no-install live | tee /dev/stderr |
	grep -E '^[1-9][0-9]* passed, 0 failed, [1-9][0-9]* skipped'"

usage() { sed -n '3,5s/^# //p' "$0"; }

# ---- a bare root ----

apt_proxy() { apt-config dump | grep -E '^Acquire::(http|https)(::[^ ]*)?::?Proxy' || true; }

base_fresh() { [ -n "$(find "$1" -mtime "-$BASE_MAX_AGE_DAYS" 2>/dev/null)" ]; }

# base_make RELEASE: create $CACHE/RELEASE.tar, a minbase system from debootstrap.
base_make() {
	local tar=$CACHE/$1.tar root proxy include=()
	base_fresh "$tar" && return 0
	root=$(mktemp -d "$CACHE/new-$1.XXXXXX")
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	case $DEBIAN_MIRROR in https:*) include=(--include=ca-certificates) ;; esac
	debian_say "$1: creating a minimal system"
	if http_proxy=${proxy:-${http_proxy:-}} debootstrap --variant=minbase "${include[@]}" --keyring="$DEBIAN_KEYRING" \
		"$1" "$root" "$DEBIAN_MIRROR/debian" >"$OUT/$1.debootstrap" 2>&1; then
		rm -f "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*_*
		tar -C "$root" -cf "$tar.new" . && mv "$tar.new" "$tar"
	fi
	rm -rf --one-file-system "$root"
	base_fresh "$tar" && return 0
	[ -s "$tar" ] && debian_say "$1: no new system could be created, using that of $(date -r "$tar" +%F)" && return 0
	tail -n 5 "$OUT/$1.debootstrap" >&2
	return 1
}

# root_unpack RELEASE DIR: unpack the system, with the project in /kmemtrace as from a tarball.
root_unpack() {
	local suite
	tar -C "$2" -xf "$CACHE/$1.tar"
	chmod 755 "$2" # for users other than root in it
	for suite in debian:"$1" debian:"$1"-updates debian-security:"$1"-security; do
		printf 'deb %s/%s %s main\n' "$DEBIAN_MIRROR" "${suite%%:*}" "${suite#*:}"
	done >"$2/etc/apt/sources.list"
	apt_proxy >"$2/etc/apt/apt.conf.d/80host"
	echo force-unsafe-io >"$2/etc/dpkg/dpkg.cfg.d/80fast" # a temporary system needs no fsync
	cp -L /etc/resolv.conf /etc/hosts "$2/etc/"
	mkdir "$2/kmemtrace"
	tar -c --anchored --no-wildcards-match-slash --exclude=./build --exclude=./.git --exclude='./*.kmt' . | tar -C "$2/kmemtrace" -x
	mkdir -p "$CACHE/archives-$1/partial"
}

# checked RELEASE: print the checks that need not be made in its root.
checked() {
	echo static-build
	[ "${CI:-}" = true ] || return 0
	echo "$CHECKED"
	[ "$(. /etc/os-release && echo "$VERSION_CODENAME")" != "$1" ] || echo "$CHECKED_SAME"
}

# in_root RELEASE DIR COMMAND: run it with bash in the system's /kmemtrace. Mounts disappear with the namespace.
in_root() {
	# shellcheck disable=SC2016 # expanded by the shell inside
	timeout -k 10 $STEP_TIMEOUT unshare -m --propagation private bash -euc '
		mount --bind "$1" "$1"
		mount -t proc proc "$1/proc"
		mount --rbind /sys "$1/sys"
		mount --rbind /dev "$1/dev"
		mount --bind "$2" "$1/var/cache/apt/archives"
		exec chroot "$1" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin KMEMTRACE_CHECKED="$4" \
			bash -c "cd /kmemtrace && $3"' _ "$2" "$CACHE/archives-$1" "$3" "$(checked "$1" | tr "\n" " ")"
}

# ---- the steps ----

# readme_command WORD: print the line of a code block of README.md that runs scripts/WORD.
readme_command() {
	awk -v start="./scripts/$1" '/^```/ { block = !block; next } block && index($0, start) == 1' README.md | head -n 1
}

result() { # RELEASE RESULT TEST WHY
	printf '%s %s %s %s\n' "$@" | tee -a "$OUT/$1.results"
}

# step RELEASE DIR TEST COMMAND: run it; its output is in $OUT/RELEASE-TEST.log.
step() {
	local log=$OUT/$1-$3.log started=$SECONDS
	echo "\$ $4" >"$log"
	if [ -n "$4" ] && in_root "$1" "$2" "$4" >>"$log" 2>&1 </dev/null; then
		result "$1" ok "$3" "$((SECONDS - started)) s"
	else
		result "$1" fail "$3" "after $((SECONDS - started)) s, see $log: $(tail -n 1 "$log")"
		sed "s/^/    | /" "$log" | tail -n 40 >&2
		return 1
	fi
}

# tests RELEASE DIR COMMAND: run test suites. Their last line is the result; skipped tests and reasons are passed on.
tests() {
	local log=$OUT/$1-tests.log name why
	step "$1" "$2" tests "$3" || true
	while IFS=: read -r name why; do
		result "$1" skip "$name" "${why# }"
	done < <(sed -n 's/^skipped  \([^ ]*\): /\1:/p' "$log")
	grep -q '^[1-9][0-9]* passed' "$log" || result "$1" fail tests-ran "no test passed, see $log"
}

release_run() { # RELEASE
	local root
	: >"$OUT/$1.results"
	if ! base_make "$1"; then
		result "$1" fail root "debootstrap failed, see $OUT/$1.debootstrap"
		return
	fi
	root=$(mktemp -d "$CACHE/root-$1.XXXXXX")
	# shellcheck disable=SC2064 # expand the directory now
	trap "rm -rf --one-file-system '$root'" EXIT
	root_unpack "$1" "$root"
	# The command that quickstart.sh prints at its end must work as printed.
	if step "$1" "$root" quickstart "$(readme_command quickstart.sh)"; then
		step "$1" "$root" last-command \
			"$(sed -n '$s/^.*: \([^ ]*kmemtrace report .*\)/\1/p' "$OUT/$1-quickstart.log") >/dev/null" || true
	fi
	step "$1" "$root" static-after-make \
		"make -s STATIC=1 && ! ldd build/kmemtrace && build/kmemtrace version" || true
	# Old kernels get these in tests/vm/newer_clang.sh.
	mkdir -p "$OUT/$1-built.new"
	cp "$root"/kmemtrace/build/{kmemtrace,bpf/tracer.o,bpf/tracer_legacy.o} "$OUT/$1-built.new/" || true
	mv "$OUT/$1-built.new" "$OUT/$1-built"
	tests "$1" "$root" "$(readme_command test.sh)"
	# As in most containers: tests that cannot run must be skipped, and none may fail. One release is enough.
	[ "$1" != "${RELEASES%% *}" ] || step "$1" "$root" live-without-bpf "$LIVE_WITHOUT_BPF" || true
}

# why_not: print why no minimal system can be created here; nothing if it can.
why_not() {
	if [ "$(id -u)" != 0 ]; then
		echo "needs root"
	elif ! command -v debootstrap >/dev/null; then
		echo "needs debootstrap: scripts/deps.sh debian"
	elif ! unshare -m --propagation private mount -t tmpfs none /mnt 2>/dev/null; then
		echo "nothing can be mounted here (needs CAP_SYS_ADMIN)"
	fi
}

main() {
	local release reason
	case ${1:-} in -h | --help) usage && return ;; esac
	# shellcheck disable=SC2086 # a list of words
	[ $# -gt 0 ] || set -- $RELEASES
	rm -rf "$OUT"
	mkdir -p "$OUT"
	reason=$(why_not)
	if [ -n "$reason" ]; then
		for release in "$@"; do result "$release" skip root "$reason"; done
		return
	fi
	debian_init "$CACHE"
	# Remove what a killed run left. Nothing is mounted outside the namespace of a run.
	find "$CACHE" -maxdepth 1 -name '*-*.??????' -type d -mmin +180 -exec rm -rf --one-file-system {} +
	for release in "$@"; do (release_run "$release") & done
	wait
	! grep -q '^[^ ]* fail ' "$OUT"/*.results
}

main "$@"
