# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# build.sh: builds a kernel module of one source file for a kernel of scripts/vm.sh. Sourced by the scripts beside it, after
# scripts/debian-lib.sh. It needs that kernel's headers, which it keeps in the cache, but not Debian's kbuild, whose programs
# run only on the release that they were made for: so it compiles, and adds the symbol versions, itself.

# module_headers NAME: unpack the headers of this kernel into the cache; set HEADERS and COMMON to the two directories.
module_headers() {
	local name=$1 arch=amd64 version package dir=$DEBIAN_CACHE/headers/$1 deb
	case $name in *-arm64) arch=arm64 ;; esac
	version=$(cat "$DEBIAN_CACHE/kernels/$name/version")
	if [ "$(cat "$dir/version" 2>/dev/null)" != "$version" ]; then
		package=$(debian_apt kernels apt-cache dumpavail | awk -v version="$version" -v arch="$arch" '
			/^Package: / { package = $2 }
			/^Version: / { if ($2 == version && package ~ "^linux-headers-[0-9].*-cloud-" arch "$") found = package }
			END { print found }')
		[ -n "$package" ] || debian_die "there are no headers for linux $version"
		rm -rf "$dir"
		debian_download kernels "$dir/debs" "$package:$arch=$version" "${package/cloud-$arch/common}=$version"
		for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir"; done
		rm -rf "$dir/debs"
		printf '%s\n' "$version" >"$dir/version"
	fi
	HEADERS=$(echo "$dir"/usr/src/linux-headers-*-cloud-$arch)
	COMMON=$(echo "$dir"/usr/src/linux-headers-*-common)
}

# module_cc ARCH: set CC, LD, NM, and FLAGS as the kernel's Makefile has them. Stack protectors, retpolines and tracing are
# left out: a module may be without.
module_cc() {
	local prefix='' arch=x86
	FLAGS=(-fcf-protection=none -m64 -mno-sse -mno-mmx -mno-sse2 -mno-3dnow -mno-avx -mno-80387 -mpreferred-stack-boundary=3
		-mno-red-zone -mcmodel=kernel)
	if [ "$1" = arm64 ]; then
		prefix=aarch64-linux-gnu- arch=arm64
		FLAGS=(-mgeneral-regs-only -mabi=lp64 -mno-outline-atomics -ffixed-x18)
	fi
	CC=${prefix}gcc LD=${prefix}ld NM=${prefix}nm
	FLAGS+=(-nostdinc -isystem "$("$CC" -print-file-name=include)" -D__KERNEL__ -DMODULE -DCC_USING_FENTRY "-I$COMMON/arch/$arch/include"
		"-I$HEADERS/arch/$arch/include/generated" "-I$COMMON/include" "-I$HEADERS/include" "-I$COMMON/arch/$arch/include/uapi"
		"-I$HEADERS/arch/$arch/include/generated/uapi" "-I$COMMON/include/uapi" "-I$HEADERS/include/generated/uapi"
		-include "$COMMON/include/linux/kconfig.h" -include "$COMMON/include/linux/compiler_types.h"
		-std=gnu11 -O2 -w -Werror=implicit-function-declaration -fms-extensions -fshort-wchar -funsigned-char -fno-common
		-fno-PIE -fno-strict-aliasing -fno-asynchronous-unwind-tables -fno-delete-null-pointer-checks -fno-stack-protector)
	# what headers for a newer compiler may use
	"$CC" -x c -fsyntax-only - 2>/dev/null <<<'__typeof_unqual__(int) x;' || FLAGS+=(-D__typeof_unqual__=__typeof__)
}

# module_build KERNEL SOURCE OUT: build OUT (….ko) for the kernel of this name.
module_build() {
	local arch=amd64 module dir
	case $1 in *-arm64) arch=arm64 ;; esac
	module_headers "$1"
	module_cc $arch
	module=$(basename "$2" .c)
	dir=$(mktemp -d)
	FLAGS+=("-DKBUILD_BASENAME=\"$module\"" "-DKBUILD_MODNAME=\"$module\"" "-D__KBUILD_MODNAME=kmod_$module")
	"$CC" "${FLAGS[@]}" -c -o "$dir/source.o" "$2"
	{
		cat <<-'C'
			#include <linux/module.h>
			#define INCLUDE_VERMAGIC
			#include <linux/vermagic.h>
			MODULE_INFO(vermagic, VERMAGIC_STRING);
			MODULE_INFO(name, KBUILD_MODNAME);
			struct module __this_module __section(".gnu.linkonce.this_module") = {
				.name = KBUILD_MODNAME, .init = init_module, .arch = MODULE_ARCH_INIT};
			static const struct modversion_info versions[] __used __section("__versions") = {
		C
		{ echo module_layout; "$NM" -u "$dir/source.o"; } | awk '
			NR == FNR { crc[$2] = $1; next }
			$NF in crc { printf "{%s, \"%s\"},\n", crc[$NF], $NF }' "$HEADERS/Module.symvers" -
		echo '};'
	} >"$dir/mod.c"
	"$CC" "${FLAGS[@]}" -c -o "$dir/mod.o" "$dir/mod.c"
	"$LD" -r -T "$(echo "$HEADERS"/arch/*/module.lds)" -o "$3" "$dir/source.o" "$dir/mod.o"
	rm -r "$dir"
}
