#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm.sh: boot Debian's kernels in QEMU and run tests/vm/run.sh in each. `make test-vm` calls it.
# It fetches kernels, QEMU and busybox by name into a cache. It installs nothing and does not need root.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/debian-lib.sh
. scripts/debian-lib.sh

DECLARED="5.10 6.1 6.12 6.18 7.0 newest 6.12-arm64 6.12-arm64-16k"
MIN_SERIES=5
BOOT_TIMEOUT=${KMEMTRACE_VM_TIMEOUT:-300} # seconds for everything in a guest; booting takes 3 to 10
CACHE=${KMEMTRACE_VM_CACHE:-${XDG_CACHE_HOME:-/var/tmp}/kmemtrace-vm}
OUT=build/vm/results
JOBS=$(($(nproc) / 2))
MEMORY=768M
PAYLOAD=
NODES=
HOST_ARCH=$(dpkg --print-architecture)
# What a guest's log must not contain, besides "cut here".
SPLAT='cut here \]|BUG:|WARNING: .* at |Oops|Kernel panic|Internal error|general protection|blocked for more than|rcu:.*stall|KASAN|UBSAN|KFENCE'

usage() {
	cat <<-EOF
		usage: scripts/vm.sh [-j N] [-m SIZE] [-p DIR] [-o DIR] [-f] [-l] [KERNEL…]
		  KERNEL  5.10, 6.12-arm64, newest, newest-arm64, all, all-arm64; with pages of 16 KiB
		          6.12-arm64-16k, newest-arm64-16k, all-arm64-16k; without any:
		          $DECLARED
		  -j N    boots at once (default: half the CPUs)
		  -m SIZE memory of a guest (default $MEMORY)
		  -p DIR  run DIR/run.sh in the guests instead of building kmemtrace and its suite
		  -o DIR  where logs and results go (default $OUT)
		  -f      only fetch: print each kernel's directory in the cache (vmlinuz or Image, btf, version)
		  -l      only list what Debian has now
		Cache: $CACHE (KMEMTRACE_VM_CACHE), seconds for one guest: KMEMTRACE_VM_TIMEOUT=$BOOT_TIMEOUT
	EOF
}

# ---- which kernels ----

# kernels_resolve NAME…: print lines "NAME SERIES ARCH VERSION PACKAGE"; only "NAME" for one that Debian no longer has.
kernels_resolve() {
	local available name arch series rest
	available=$(debian_kernels)
	for name in "$@"; do
		arch=amd64
		case $name in *-arm64*) arch=arm64${name#*-arm64} ;; esac
		series=${name%-arm64*}
		case $series in
		all)
			awk -v arch="$arch" '$2 == arch { print $1 (arch == "amd64" ? "" : "-" arch), $0 }' <<<"$available"
			continue
			;;
		newest) series=$(awk -v arch="$arch" '$2 == arch { s = $1 } END { print s }' <<<"$available") ;;
		esac
		rest=$(awk -v s="$series" -v arch="$arch" '$1 == s && $2 == arch' <<<"$available")
		case $name in newest*) name=$series${name#newest} ;; esac
		printf '%s %s\n' "$name" "$rest"
	done | sort -u -k1,1V
}

# kernels_fetch: read the lines of kernels_resolve, and print the names that are now in the cache.
kernels_fetch() {
	local name series arch version package
	while read -r name series arch version package; do
		if [ -n "$package" ] && debian_kernel_fetch "$series" "$arch" "$version" "$package"; then
			printf '%s\n' "$name"
		elif [ -s "$CACHE/kernels/$name/version" ]; then
			debian_say "$name: no longer fetched, using $(cat "$CACHE/kernels/$name/version") from the cache"
			printf '%s\n' "$name"
		else
			debian_say "$name: can no longer be fetched"
		fi
	done
}

# ---- QEMU ----

qemu_major() { "$@" --version 2>/dev/null | sed -nE '1s/.*version ([0-9]+).*/\1/p'; }

# qemu_find ARCH: set QEMU to the command. x86 needs version 8 (7.2 corrupts EFLAGS after cmpxchg16b, so SLUB crashes on
# 6.5 to 6.18), arm64 version 10 (for the second serial line). If the installed one is older, a newer one is unpacked into
# the cache.
qemu_find() {
	local program=qemu-system-x86_64 need=8 root=$CACHE/qemu major
	[ "$1" = arm64 ] && program=qemu-system-aarch64 && need=10
	QEMU=("$program")
	major=$(qemu_major "${QEMU[@]}") || true
	[ "${major:-0}" -ge $need ] && return 0
	debian_unpack "$root" qemu-system-x86 qemu-system-arm || debian_die "cannot fetch QEMU"
	QEMU=(env "LD_LIBRARY_PATH=$root/usr/lib/$(uname -m)-linux-gnu:$root/lib/$(uname -m)-linux-gnu"
		"$root/usr/bin/$program" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios")
	major=$(qemu_major "${QEMU[@]}") || true
	[ "${major:-0}" -ge $need ] || debian_die "needs QEMU $need or newer, $DEBIAN_RELEASE has ${major:-none}"
}

# ---- the guest's file system ----

payload_build() { # ARCH: build/vm/ARCH/payload
	local dir=build/vm/$1 cross=()
	if [ "$1" = arm64 ]; then
		scripts/sysroot-arm64.sh "$CACHE/sysroot-arm64"
		cross=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- SYSROOT="$CACHE/sysroot-arm64")
	fi
	make --no-print-directory STATIC=1 B="$dir" "${cross[@]}" all plants vm-tools >"$dir.log" 2>&1 ||
		{ tail -n 20 "$dir.log" >&2; debian_die "building for $1 failed, see $dir.log"; }
	rm -rf "$dir/payload"
	mkdir -p "$dir/payload/plant"
	cp "$dir/kmemtrace" "$dir"/vm-tools/* "$dir"/bpf/tracer{,_legacy}.o tests/vm/*.sh "$dir/payload/"
	find "$dir/plant" -maxdepth 1 -type f -perm -u+x -exec cp -t "$dir/payload/plant" {} + 2>/dev/null || true
}

initramfs_build() { # ARCH PAYLOAD OUT
	local busybox=$CACHE/busybox-$1 root
	debian_unpack_foreign "$busybox" "$1" busybox-static || debian_die "cannot fetch busybox-static"
	root=$(mktemp -d)
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,t}
	cp "$busybox/bin/busybox" "$root/bin/"
	ln -s busybox "$root/bin/sh"
	cp tests/vm/init "$root/init"
	cp -a "$2/." "$root/t/"
	# The host's busybox creates the archive, because cpio is not always installed.
	(cd "$root" && find . | "$CACHE/busybox-$HOST_ARCH/bin/busybox" cpio -o -H newc 2>/dev/null |
		gzip -1) >"$3"
	rm -rf "$root"
}

# ---- one boot ----

# Additional boot parameters of a kernel: one of them boots without memory cgroups, one keeps call paths of mounts, and one
# is told that it has two nodes.
boot_parameters() { # NAME
	case $1 in
	6.1) echo cgroup_disable=memory ;;
	6.18) echo slub_debug=U,mnt_cache ;;
	esac
	[ "$1" != "$NODES" ] || echo kmt_nodes=2
}

# The newest kernel has two NUMA nodes, with a CPU and half of the memory each. CPUs of one socket cannot be on two nodes.
cpu_options() { # NAME
	[ "$1" = "$NODES" ] || { echo "-smp 2"; return; }
	local half=$((${MEMORY%M} / 2))M
	echo "-smp 2,sockets=2 -object memory-backend-ram,id=m0,size=$half -object memory-backend-ram,id=m1,size=$half" \
		"-numa node,cpus=0,memdev=m0 -numa node,cpus=1,memdev=m1"
}

boot() { # NAME
	local name=$1 dir=$OUT/$1 arch=amd64 status=0 machine console results kernel
	case $name in *-arm64*) arch=arm64 ;; esac
	rm -rf "$dir"
	mkdir -p "$dir"
	if [ $arch = arm64 ]; then
		machine=(-M virt -cpu cortex-a72) console=ttyAMA0 results=ttyAMA1 kernel=Image
		# that one has no pages of 16 KiB
		case $name in *-16k) machine=(-M virt -cpu neoverse-n1) ;; esac
	else
		machine=(-cpu max) console=ttyS0 results=ttyS1 kernel=vmlinuz
	fi
	qemu_find $arch
	# shellcheck disable=SC2046 # words
	timeout -k 5 "$BOOT_TIMEOUT" "${QEMU[@]}" "${machine[@]}" -accel tcg,thread=single -m "$MEMORY" \
		$(cpu_options "$name") \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$dir/console" -serial "file:$dir/serial" \
		-kernel "$CACHE/kernels/$name/$kernel" -initrd "$OUT/$arch.initrd" \
		-append "console=$console kmt_results=$results panic=-1 oops=panic $(boot_parameters "$name") ${KMEMTRACE_VM_APPEND:-}" \
		</dev/null >"$dir/qemu" 2>&1 || status=$?
	results_read "$name" "$status" >"$dir/tests"
	printf '%-12s %s\n' "$name" "$(awk '{ n[$1]++ } END { printf "%d ok, %d failed, %d skipped", n["ok"], n["fail"], n["skip"] }' \
		"$dir/tests") ($(cat "$CACHE/kernels/$name/version"))" >&2
}

# results_read NAME STATUS: print lines "ok|fail|skip TEST WHY" from the files of the guest. The host adds three tests.
results_read() {
	local dir=$OUT/$1 splat
	tr -d '\r' <"$dir/serial" 2>/dev/null >"$dir/result" || :
	if grep -q '^@@RC [0-9]' "$dir/result"; then
		printf 'ok boot\n'
		grep -q '^@@RC 0$' "$dir/result" || grep -q '^not ok ' "$dir/result" ||
			printf 'fail suite it ended with status %s\n' "$(sed -n 's/^@@RC //p' "$dir/result")"
	else
		case $2 in
		124 | 137) printf 'fail boot no result within %s s, see %s/console\n' "$BOOT_TIMEOUT" "$dir" ;;
		*) printf 'fail boot it ended without a result (QEMU status %s), see %s/console\n' "$2" "$dir" ;;
		esac
	fi
	splat=$(tr -d '\r' <"$dir/console" 2>/dev/null | grep -E -m 1 "$SPLAT") || true
	if [ -s "$dir/console" ] && [ -z "$splat" ]; then
		printf 'ok kernel-log\n'
	else
		printf 'fail kernel-log %s\n' "${splat:-nothing on the console}"
	fi
	sed -nE 's/^ok ([^ ]+)$/ok \1/p; s/^not ok ([^ ]+) - (.*)/fail \1 \2/p; s/^skip ([^ ]+) - (.*)/skip \1 \2/p' "$dir/result"
	# Files that the guest sent.
	awk -v dir="$dir" '/^@@BEGIN [a-z0-9.-]+$/ { f = dir "/" $2; next } /^@@END / { f = "" } f { print >f }' "$dir/result"
	[ ! -s "$dir/capture.b64" ] || capture_read "$dir"
}

# capture_read DIR: the report here must equal the report in the guest, whatever the two architectures are.
capture_read() {
	grep . "$1/capture.b64" | base64 -d | gunzip >"$1/capture.kmt"
	if diff <(jq -S . "$1/record.json") <("build/vm/$HOST_ARCH/kmemtrace" report --format json "$1/capture.kmt" | jq -S .) \
		>"$1/capture.diff"; then
		printf 'ok read-on-host\n'
	else
		printf 'fail read-on-host the report on this host differs, see %s\n' "$1/capture.diff"
	fi
}

# ---- what comes out ----

# results_table NAME…: print a table with tests as rows and kernels as columns, then each failure and skip, then the sums.
results_table() {
	local name
	for name in "$@"; do sed "s/^/$name /" "$OUT/$name/tests"; done | tee "$OUT/all" | awk '
		!($1 in kernel) { kernel[$1]; order[++kernels] = $1 }
		!($3 in test) { test[$3]; tests[++n] = $3; if (length($3) > width) width = length($3) }
		{ got[$1, $3] = $2; count[$2]++ }
		$2 != "ok" { why = why sprintf("%s %s %s:", $2 == "fail" ? "FAIL" : "skip", $1, $3) substr($0, length($1 $2 $3) + 3) "\n" }
		END {
			printf "\n%-*s", width, "test"
			for (k = 1; k <= kernels; k++) printf "  %-10s", order[k]
			print ""
			for (t = 1; t <= n; t++) {
				printf "%-*s", width, tests[t]
				for (k = 1; k <= kernels; k++) {
					r = got[order[k], tests[t]]
					printf "  %-10s", r == "fail" ? "FAIL" : r == "" ? "not run" : r
				}
				print ""
			}
			printf "\n%s\n%d passed, %d failed, %d skipped\n", why, count["ok"], count["fail"], count["skip"]
			exit count["fail"] > 0
		}'
}

main() {
	local only='' names series declared=1 arch name status=0 asked
	while getopts j:m:p:o:flh option; do
		case $option in
		j) JOBS=$OPTARG ;;
		m) MEMORY=$OPTARG ;;
		p) PAYLOAD=$OPTARG ;;
		o) OUT=$OPTARG ;;
		f) only=fetch ;;
		l) only=list ;;
		h) usage; exit 0 ;;
		*) usage >&2; exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	[ "$JOBS" -ge 1 ] || JOBS=1
	debian_init "$CACHE"
	# shellcheck disable=SC2086 # lists of words
	debian_update kernels $DEBIAN_KERNEL_SUITES
	[ "$only" = list ] && { debian_kernels; exit 0; }
	[ $# -gt 0 ] && declared=
	# shellcheck disable=SC2086
	[ $# -gt 0 ] || set -- $DECLARED
	asked=$(kernels_resolve "$@")
	names=$(kernels_fetch <<<"$asked")
	series=$(tr ' ' '\n' <<<"$names" | sed 's/-arm64.*//' | sort -u | grep -c .) || true
	if [ -n "$declared" ] && [ "$series" -lt $MIN_SERIES ]; then
		debian_die "only $series series could be fetched, at least $MIN_SERIES are needed"
	fi
	if [ -z "$declared" ] && [ "$(wc -w <<<"$names")" -ne "$(grep -c . <<<"$asked")" ]; then
		debian_die "not every kernel that was named could be fetched"
	fi
	if [ "$only" = fetch ]; then
		for name in $names; do printf '%s\n' "$CACHE/kernels/$name"; done
		exit 0
	fi
	# of another suite (-p), no guest has nodes
	[ -n "$PAYLOAD" ] || NODES=$(tr ' ' '\n' <<<"$names" | sed '/-arm64/d' | sort -V | tail -n 1)
	mkdir -p build/vm "$OUT"
	debian_unpack_foreign "$CACHE/busybox-$HOST_ARCH" "$HOST_ARCH" busybox-static
	[ -n "$PAYLOAD" ] || payload_build "$HOST_ARCH"
	for arch in amd64 arm64; do
		case $arch in
		arm64) grep -q -e '-arm64' <<<"$names" || continue ;;
		*) grep -qv -e '-arm64' <<<"$names" || continue ;;
		esac
		qemu_find "$arch"
		[ -n "$PAYLOAD" ] || [ "$arch" = "$HOST_ARCH" ] || payload_build "$arch"
		initramfs_build "$arch" "${PAYLOAD:-build/vm/$arch/payload}" "$OUT/$arch.initrd"
	done
	for name in $names; do
		while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n || status=$?; done
		boot "$name" &
	done
	wait
	# shellcheck disable=SC2086
	results_table $names
}

main "$@"
