#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-vmlinux.sh [-v] [KERNEL…]: every kernel type, member and enumerator written by hand in vmlinux/*.h, every
# ___flavour and every kfunc in bpf/, must exist in the BTF of at least one kernel (vm.sh's names; default below,
# and the running one). A misspelt one fails. -v prints which kernels have what.
set -euo pipefail
cd "$(dirname "$0")/.."

verbose=()
if [ "${1:-}" = -v ]; then
	verbose=(-v)
	shift
fi
[ $# -gt 0 ] || set -- 5.10 6.1 6.12 6.18 newest 6.12-arm64
work=build/check-vmlinux
mkdir -p "$work"

# BTF keeps a type only where a variable has it: one variable for each type that is defined.
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
# The checker itself is held to it that a misspelt member, type and enumerator are each found wrong.
cat >"$work/misspelt.bpf.c" <<-'EOF'
	struct task_struct { int tgid, tigd; } checked_1;
	struct taks_struct { int tgid; } checked_2;
	enum bpf_map_type { BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_HAHS } checked_3;
	struct css_set { struct { int x; } dfl_cgrp; } checked_4;
EOF
compile misspelt

# kfuncs, and the enumerators of enums without a name.
names=$({
	sed -nE 's/^extern .*[ *]([a-z0-9_]+)\(.*__ksym.*/\1/p' bpf/*.h bpf/*.bpf.c
	awk '/^enum \{/ { inside = 1; next } /^\}/ { inside = 0 } inside { gsub(/[ \t,=].*/, "", $1); print $1 }' vmlinux/*.h
} | sort -u)

# shellcheck disable=SC2046
gcc -O2 -Wall -Wextra -Wshadow -Werror -o "$work/check_vmlinux" tests/vm/check_vmlinux.c \
	$(pkg-config --cflags --libs libbpf)
mapfile -t btf < <(scripts/vm.sh -f "$@" | sed 's,$,/btf,')
[ "${#btf[@]}" -gt 0 ] || { echo "check-vmlinux: no kernel could be fetched" >&2; exit 1; }
[ ! -r /sys/kernel/btf/vmlinux ] || btf+=(/sys/kernel/btf/vmlinux)
found=$("$work/check_vmlinux" "$work/misspelt.o" bpf_no_such_kfunc : "${btf[@]}" 2>/dev/null) || true
case $found in
*" 6 wrong") ;; # taks_struct counts with its member
*) echo "check-vmlinux: the checker misses misspelt names: $found" >&2; exit 1 ;;
esac
# shellcheck disable=SC2086
"$work/check_vmlinux" "${verbose[@]}" "$work/types.o" $names : "${btf[@]}"
