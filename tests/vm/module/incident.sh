#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# incident.sh OUT: build order_cache.c for Debian's kernel 6.1 and its headers, load it in a guest while kmemtrace records
# there, and copy the capture to OUT. It fetches the headers by name into the cache of scripts/vm.sh.
set -euo pipefail
cd "$(dirname "$0")/../../.."
out=$(realpath -m "$1")
# shellcheck source=scripts/debian-lib.sh
. scripts/debian-lib.sh
# shellcheck source=tests/vm/module/build.sh
. tests/vm/module/build.sh
SERIES=6.1
CACHE=${KMEMTRACE_VM_CACHE:-${XDG_CACHE_HOME:-/var/tmp}/kmemtrace-vm}
B=$PWD/build/vm/amd64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

debian_init "$CACHE"
scripts/vm.sh -f $SERIES >/dev/null
module_build $SERIES tests/vm/module/order_cache.c "$work/order_cache.ko"
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
