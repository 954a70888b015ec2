#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# incident.sh OUT: build order_cache.c for Debian's kernel 6.1 and its headers, load it in a guest while kmemtrace records
# there, and copy the capture to OUT. It fetches the headers by name into the cache of scripts/vm.sh.
set -euo pipefail
cd "$(dirname "$0")/../../.."
out=$(realpath -m "$1")
# shellcheck source=scripts/debian-lib.sh
. scripts/debian-lib.sh
SERIES=6.1
CACHE=${KMEMTRACE_VM_CACHE:-${XDG_CACHE_HOME:-/var/tmp}/kmemtrace-vm}
B=$PWD/build/vm/amd64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# headers_fetch VERSION: unpack the headers for the cloud kernel of this package version into $work/headers.
headers_fetch() {
	local package deb
	package=$(debian_apt kernels apt-cache dumpavail | awk -v version="$1" '
		/^Package: / { package = $2 }
		/^Version: / { if ($2 == version && package ~ /^linux-headers-.*-cloud-amd64$/) print package }' | head -n 1)
	[ -n "$package" ] || debian_die "there are no headers for linux $1"
	debian_download kernels "$work/debs" "$package=$1" "${package/cloud-amd64/common}=$1" "linux-kbuild-$SERIES"
	for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/headers"; done
	HEADERS=$work/headers/usr/src/$package
	echo "include ${HEADERS/cloud-amd64/common}/Makefile" >"$HEADERS/Makefile" # it has an absolute path
}

debian_init "$CACHE"
scripts/vm.sh -f $SERIES >/dev/null
headers_fetch "$(cat "$CACHE/kernels/$SERIES/version")"
cp tests/vm/module/order_cache.c "$work/"
echo 'obj-m := order_cache.o' >"$work/Kbuild"
make -s -C "$HEADERS" M="$work" modules
make -s STATIC=1 B="$B" all
mkdir "$work/payload"
cp "$B/kmemtrace" "$work/order_cache.ko" tests/vm/lib.sh "$work/payload/"
cat >"$work/payload/run.sh" <<'RUN'
#!/bin/sh
. ./lib.sh
./kmemtrace record -q -o /tmp/module.kmt -d 12 &
sleep 3
insmod order_cache.ko || not_ok module "insmod failed"
wait
gzip -c /tmp/module.kmt | base64 >/tmp/module.b64
file_block module.b64 /tmp/module.b64
[ "$failed" = 0 ] && ok module
RUN
chmod +x "$work/payload/run.sh"
scripts/vm.sh -o "$work/results" -p "$work/payload" $SERIES
grep . "$work/results/$SERIES/module.b64" | base64 -d | gunzip >"$out"
