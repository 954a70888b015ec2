# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# debian-lib.sh: fetch Debian packages by name and unpack them into a cache directory. Sourced by vm.sh, check-vmlinux.sh
# and others. It never changes the system's own packages; apt checks signatures and checksums. The mirror is the one that
# apt is configured with, or KMEMTRACE_MIRROR on hosts that are not Debian.

DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
DEBIAN_LISTS_MAX_AGE_MIN=360
# Where to find kernels: an old series stays in its release's security suite, new ones are in backports.
# shellcheck disable=SC2034 # used by the scripts that source this
DEBIAN_KERNEL_SUITES="bullseye-security bookworm-security trixie-security trixie-backports"

debian_say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
debian_die() { debian_say "$*"; exit 1; }

# debian_init CACHE: call this before all other functions.
debian_init() {
	local codename
	DEBIAN_CACHE=$1
	mkdir -p "$DEBIAN_CACHE"
	[ -r "$DEBIAN_KEYRING" ] || debian_die "needs the package debian-archive-keyring"
	DEBIAN_MIRROR=${KMEMTRACE_MIRROR:-$(apt-get indextargets --format "\$(SITE)" 'Created-By: Packages' |
		sed -n 's,/debian/*$,,p' | sort -u | head -n 1)}
	[ -n "$DEBIAN_MIRROR" ] || debian_die "apt knows no Debian mirror: set KMEMTRACE_MIRROR=URL (without /debian)"
	# Take tools and libraries from the release of this host, so that they fit the installed ones.
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	DEBIAN_RELEASE=${KMEMTRACE_RELEASE:-$codename}
}

debian_source() { # SUITE: print its line for sources.list
	local archive=debian
	case $1 in *-security) archive=debian-security ;; esac
	printf 'deb [arch=amd64,arm64 signed-by=%s] %s/%s %s main\n' "$DEBIAN_KEYRING" "$DEBIAN_MIRROR" "$archive" "$1"
}

# debian_apt SET COMMAND…: run an apt command that sees only the suites of SET ("kernels" or "release").
debian_apt() {
	local dir=$DEBIAN_CACHE/apt-$1 command=$2
	shift 2
	"$command" -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir" -o Debug::NoLocking=1 \
		-o APT::Sandbox::User=root -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 \
		-o APT::Install-Recommends=0 -o Acquire::Languages=none -o Acquire::Retries=3 \
		-o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false "$@"
}

# debian_update SET SUITE…: fetch package lists that are older than DEBIAN_LISTS_MAX_AGE_MIN.
debian_update() {
	local set=$1 dir=$DEBIAN_CACHE/apt-$1 suite
	shift
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	for suite in "$@"; do debian_source "$suite"; done >"$dir/sources.new"
	if cmp -s "$dir/sources.new" "$dir/sources.list" &&
		[ -n "$(find "$dir/updated" -mmin "-$DEBIAN_LISTS_MAX_AGE_MIN" 2>/dev/null)" ]; then
		return 0
	fi
	mv "$dir/sources.new" "$dir/sources.list"
	rm -f "$dir/updated"
	# If one suite is missing, only its own kernels are missing.
	if debian_apt "$set" apt-get -qq update >&2; then
		touch "$dir/updated"
	else
		debian_say "some package lists could not be fetched"
	fi
}

debian_download() { # SET DIR PACKAGE[:ARCH][=VERSION]…
	local set=$1 dir=$2
	shift 2
	mkdir -p "$dir"
	(cd "$dir" && debian_apt "$set" apt-get -qq download "$@" >&2)
}

# ---- kernels ----

# debian_kernels: print "SERIES ARCH VERSION PACKAGE" for the newest version of each series that Debian has now. It selects
# the cloud flavour, which is small, boots here without modules, and has BTF; and, as the architecture arm64-16k, the kernel
# with pages of 16 KiB, of which there is only one flavour. From 6.19, linux-image is empty and linux-binary contains the
# kernel; linux-binary-unsigned appears first in a suite and is the second choice.
debian_kernels() {
	debian_apt kernels apt-cache dumpavail | awk '
		/^Package: / { package = $2 }
		/^Version: / { version = $2 }
		/^Architecture: / { arch = $2 }
		/^Size: / { size = $2 }
		/^$/ {
			if (package ~ /-arm64-16k$/)
				arch = "arm64-16k"
			if (package ~ /^linux-(image|binary|binary-unsigned)-[0-9].*-(cloud-(amd64|arm64)|arm64-16k)$/)
				if (size > 1000000 && match(version, /^[0-9]+\.[0-9]+/))
					print substr(version, 1, RLENGTH), arch, package !~ /-unsigned-/, version, package
			package = ""
		}' | sort -k1,1V -k2,2 -k3,3n -k4,4V |
		awk '{ newest[$1 " " $2] = $4 " " $5 } END { for (k in newest) print k, newest[k] }' | sort -k2,2 -k1,1V
}

# debian_kernel_fetch SERIES ARCH VERSION PACKAGE: create kernels/SERIES[-arm64[-16k]]/{vmlinuz,Image,btf,version}.
debian_kernel_fetch() {
	local series=$1 arch=$2 version=$3 package=$4 dir file deb
	dir=$(debian_kernel_dir "$series" "$arch")
	[ "$(cat "$dir/version" 2>/dev/null)" = "$version" ] && return 0
	rm -rf "$dir"
	debian_download kernels "$dir" "$package:${arch%-16k}=$version" || return 1
	deb=$(find "$dir" -name '*.deb')
	# It is in /boot up to 7.1, in /usr/lib/modules/V from 7.2.
	file=$(dpkg-deb -c "$deb" | awk '$1 ~ /^-/ && $6 ~ /\/vmlinuz[^\/]*$/ { print $6 }' | head -n 1)
	[ -n "$file" ] || return 1
	dpkg-deb --fsys-tarfile "$deb" | tar xO "$file" >"$dir/vmlinuz"
	rm -f "$deb"
	kernel_decompress "$dir/vmlinuz" "$dir/Image" || return 1
	kernel_btf "$dir/Image" "$dir/btf" || return 1
	# QEMU boots a compressed kernel on x86 and a plain image on arm64.
	case $arch in arm64*) rm -f "$dir/vmlinuz" ;; *) rm -f "$dir/Image" ;; esac
	printf '%s\n' "$version" >"$dir/version"
}

debian_kernel_dir() { # SERIES ARCH
	case $2 in
	amd64) printf '%s/kernels/%s\n' "$DEBIAN_CACHE" "$1" ;;
	*) printf '%s/kernels/%s-%s\n' "$DEBIAN_CACHE" "$1" "$2" ;;
	esac
}

u32_at() { od -An -tu4 -j"$2" -N4 "$1" | tr -d ' '; }
bytes_at() { tail -c +$(($2 + 1)) "$1" | head -c "$3"; }

# kernel_decompress VMLINUZ OUT: extract the kernel from a bzImage, an EFI zboot image or a gzip file, with the offsets
# in their headers (Documentation/arch/x86/boot.rst; zboot: drivers/firmware/efi/libstub/zboot-header.S).
kernel_decompress() {
	local offset length
	if [ "$(bytes_at "$1" 514 4)" = HdrS ]; then
		offset=$((($(od -An -tu1 -j497 -N1 "$1") + 1) * 512 + $(u32_at "$1" 584)))
		length=$(u32_at "$1" 588)
	elif [ "$(bytes_at "$1" 4 4)" = zimg ]; then
		offset=$(u32_at "$1" 8)
		length=$(u32_at "$1" 12)
	else
		offset=0
		length=$(stat -c %s "$1")
	fi
	bytes_at "$1" "$offset" "$length" >"$2.packed"
	# Decompressors complain about the 4-byte size that kernels append, so check only the output.
	case $(od -An -tx1 -N4 "$2.packed" | tr -d ' ') in
	28b52ffd) zstd -dcq "$2.packed" >"$2" 2>/dev/null || true ;;
	fd377a58) xz -dcq --single-stream "$2.packed" >"$2" 2>/dev/null || true ;;
	02214c18) lz4 -dcq "$2.packed" >"$2" 2>/dev/null || true ;;
	1f8b*) gzip -dcq "$2.packed" >"$2" 2>/dev/null || true ;;
	*) cp "$2.packed" "$2" ;;
	esac
	rm -f "$2.packed"
	[ -s "$2" ]
}

# kernel_btf IMAGE OUT: find the kernel's BTF by its header and extract it, from an ELF file or a plain image.
kernel_btf() {
	local offset types strings
	while IFS=: read -r offset _; do
		types=$(u32_at "$1" $((offset + 12)))
		strings=$(u32_at "$1" $((offset + 20)))
		# The strings follow the types directly, and a kernel has megabytes of both.
		if [ "$(u32_at "$1" $((offset + 16)))" != "$types" ] || [ "$types" -lt 500000 ]; then continue; fi
		bytes_at "$1" "$offset" $((24 + types + strings)) >"$2"
		return 0
	done < <(LC_ALL=C grep -aboP '\x9f\xeb\x01\x00\x18(\x00){7}' "$1" | tr -d '\0')
	return 1
}

# ---- tools and libraries ----

# debian_unpack DIR PACKAGE…: unpack the packages, and those that they need and are not installed, below DIR.
debian_unpack() {
	local dir=$1 deb
	shift
	[ -e "$dir/.complete" ] && return 0
	debian_update release "$DEBIAN_RELEASE" "$DEBIAN_RELEASE-backports"
	rm -rf "$dir" "$DEBIAN_CACHE"/apt-release/archives/*.deb
	mkdir -p "$dir"
	debian_apt release apt-get -qq -y --download-only -t "$DEBIAN_RELEASE-backports" install "$@" >&2 ||
		return 1
	for deb in "$DEBIAN_CACHE"/apt-release/archives/*.deb; do dpkg-deb -x "$deb" "$dir"; done
	rm -f "$DEBIAN_CACHE"/apt-release/archives/*.deb
	touch "$dir/.complete"
}

# debian_unpack_foreign DIR ARCH PACKAGE…: unpack only these packages, of another architecture.
debian_unpack_foreign() {
	local dir=$1 arch=$2 deb
	shift 2
	[ -e "$dir/.complete" ] && return 0
	debian_update release "$DEBIAN_RELEASE" "$DEBIAN_RELEASE-backports"
	rm -rf "$dir"
	debian_download release "$dir/debs" "${@/%/:$arch}" || return 1
	for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir"; done
	rm -rf "$dir/debs"
	touch "$dir/.complete"
}
