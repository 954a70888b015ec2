#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-vmlinux.sh [-v] [KERNEL…]: check that every kernel type, member and enumerator in vmlinux/*.h, and every
# ___flavour and kfunc in bpf/, exists in the BTF of at least one kernel, so that misspelt names are found. KERNEL is a name
# of vm.sh; the default is the list below and the running kernel. Also check that some kernel accepts each access of the
# programs, and that each test for a feature is true on one kernel and false on another. -v prints which kernels have what.
set -euo pipefail
cd "$(dirname "$0")/.."

verbose=()
if [ "${1:-}" = -v ]; then
	verbose=(-v)
	shift
fi
[ $# -gt 0 ] || set -- 5.10 6.1 6.12 6.18 7.0 newest 6.12-arm64 6.12-arm64-16k
work=build/check-vmlinux
mkdir -p "$work"

# The compiler writes a type into BTF only if a variable uses it, so define one variable of each type.
types_defined() {
	sed -nE 's/^(struct|union|enum) ([A-Za-z0-9_]+) \{$/\1 \2/p' vmlinux/*.h
	sed -nE 's/^(struct|union|enum) ([A-Za-z0-9_]+___[a-z0-9_]+) \{.*/\1 \2/p' bpf/*.h bpf/*.bpf.c
}
{
	printf '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\n#include <bpf/bpf_core_read.h>\n'
	for header in vmlinux/*.h bpf/compat.bpf.h; do printf '#include "%s"\n' "${header#*/}"; done
	types_defined | sort -u | awk '{ print $1, $2, "checked_" NR ";" }'
} >"$work/types.bpf.c"
arch=$(uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
compile() {
	clang -O2 -g -target bpf "-D__TARGET_ARCH_$arch" -std=gnu11 -Ivmlinux -Ibpf -c "$work/$1.bpf.c" -o "$work/$1.o"
}
compile types
# Check the checker: it must find a misspelt member, type and enumerator.
cat >"$work/misspelt.bpf.c" <<-'EOF'
	struct task_struct { int tgid, tigd; } checked_1;
	struct taks_struct { int tgid; } checked_2;
	enum bpf_map_type { BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_HAHS } checked_3;
	struct css_set { struct { int x; } dfl_cgrp; } checked_4;
EOF
compile misspelt

# Kfuncs, and the enumerators of unnamed enums.
names=$({
	sed -nE 's/^KFUNC\([^,]*, ([a-z0-9_]+),.*/\1/p' bpf/*.h
	awk '/^enum \{.*\};/ { gsub(/^enum \{|\};.*|,/, " "); for (i = 1; i <= NF; i++) print $i; next }
		/^enum \{/ { inside = 1; next } /^\}/ { inside = 0 } inside { gsub(/[ \t,=].*/, "", $1); print $1 }' vmlinux/*.h
} | sort -u)

# shellcheck disable=SC2046
gcc -O2 -Wall -Wextra -Wshadow -Werror -o "$work/check_vmlinux" tests/vm/check_vmlinux.c \
	$(pkg-config --cflags --libs libbpf)
mapfile -t btf < <(scripts/vm.sh -f "$@" | sed 's,$,/btf,')
[ "${#btf[@]}" -gt 0 ] || { echo "check-vmlinux: no kernel could be fetched" >&2; exit 1; }
[ ! -r /sys/kernel/btf/vmlinux ] || btf+=(/sys/kernel/btf/vmlinux)
found=$("$work/check_vmlinux" "$work/misspelt.o" bpf_no_such_kfunc : "${btf[@]}" 2>/dev/null) || true
case $found in
*" 6 wrong") ;; # taks_struct and its member count as two
*) echo "check-vmlinux: the checker misses misspelt names: $found" >&2; exit 1 ;;
esac
# shellcheck disable=SC2086
"$work/check_vmlinux" "${verbose[@]}" "$work/types.o" $names : "${btf[@]}"

# relocations OBJECT…: print how libbpf resolves each access (relocation) on each kernel: "KERNEL yes|no ACCESS".
relocations() {
	local kernel object
	for kernel in "${btf[@]}"; do
		for object in "$@"; do
			"$bpftool" -d gen min_core_btf "$kernel" "$work/min" "$object" 2>&1 | awk -v kernel="$kernel" '
				function done() { if (access != "") print kernel, taken, access }
				/: relo #[0-9]+: </ {
					done()
					sub(/.*: relo #[0-9]+: /, ""); sub(/ \[[0-9]+\]/, ""); sub(/ \(.*/, "")
					access = $0
					taken = "no"
				}
				/: matching candidate/ { taken = "yes" }
				END { done() }'
		done
	done | sort -u
}

# Every kernel of Debian has hardened free lists, slub_debug, kernel stacks in vmalloc, and no module for Unix sockets.
ALWAYS='<field_exists> struct kmem_cache___hardened.random|<field_exists> struct kmem_cache___red.red_left_pad'
ALWAYS+='|<field_exists> struct task_struct___vmap_stack.stack_vm_area|<type_exists> struct unix_sock'

# Some kernel must accept each access, and each test for a feature must have both results. On a kernel that lacks the target
# of an access, the verifier ensures that the access is never reached: tests/vm loads the programs.
relocations_judge() {
	awk -v verbose="${verbose[*]}" -v always="$ALWAYS" '
		{ kernel = $1; taken = $2; $1 = $2 = ""; access = substr($0, 3); accesses[access]; kernels[kernel]; n[access, taken]++ }
		function wrong(why) { print "check-vmlinux: " access " " why; bad++ }
		END {
			for (access in accesses) {
				if (verbose)
					print access ": " n[access, "yes"] + 0 " kernels"
				if (!n[access, "yes"])
					wrong("is taken by no kernel")
				if (access ~ /_exists>/ && !index("|" always "|", "|" access "|") && !n[access, "no"])
					wrong("is true of every kernel: why ask?")
			}
			printf "check-vmlinux: %d accesses relocated for %d kernels, %d wrong\n",
				length(accesses), length(kernels), bad
			exit bad || !length(accesses)
		}'
}

cat >"$work/unasked.bpf.c" <<-'EOF'
	#include "vmlinux.h"
	#include <bpf/bpf_helpers.h>
	#include <bpf/bpf_core_read.h>
	#define HELD __attribute__((preserve_access_index))
	struct task_struct___a { int tigd; } HELD;
	struct task_struct___b { int tgid; } HELD;
	SEC("?raw_tp") int program(void *ctx)
	{
		return bpf_core_field_exists(struct task_struct___a, tigd) + bpf_core_field_exists(struct task_struct___b, tgid);
	}
EOF
compile unasked
bpftool=$(command -v bpftool || echo /usr/sbin/bpftool)
found=$(relocations "$work/unasked.o" | relocations_judge) || true
case $found in
*"2 accesses relocated"*" 2 wrong") ;;
*) echo "check-vmlinux: the checker misses misspelt and needless feature tests: $found" >&2; exit 1 ;;
esac
make -s vm-tools
relocations build/bpf/tracer*.o build/bpf/census.o build/bpf/kinds.o build/bpf/lenses.o build/bpf/origins.o build/bpf/refs.o build/bpf/roots.o | relocations_judge

# Each accessor must be called somewhere.
for accessor in $(grep -oE '\bcompat_[a-z_]+\(' bpf/compat.bpf.h | sort -u | tr -d '('); do
	[ "$(cat bpf/*.[ch] | grep -cE "\b$accessor\(")" -gt 1 ] ||
		{ echo "check-vmlinux: nothing calls $accessor() of bpf/compat.bpf.h" >&2; exit 1; }
done
