#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a guest: load orphans.ko, and compare what `kmemtrace refs` says of each kind of object with what the module did. It must
# run in busybox sh.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

# said CACHE FIELD: what the document of this cache says
said() { ./jsonq "/tmp/$1.json" "refs.$2"; }

# look CACHE [OPTION…]: look, and keep the document
look() {
	if ! ./kmemtrace refs --cache "$@" --refs-budget 10m -v --format json >"/tmp/$1.json" 2>/tmp/refs.err; then
		sed 's/^/    /' /tmp/refs.err
		not_ok "$1" "$(grep -v capabilities /tmp/refs.err | tail -n 1)"
		return 1
	fi
	file_block "$(echo "$1" | tr _ -).json" "/tmp/$1.json"
}

# is_called CACHE REASON: the verdict
is_called() {
	if [ "$(said "$1" verdict.reason)" = "$2" ]; then ok "$1"; else not_ok "$1" "$(said "$1" verdict.sentence)"; fi
}

# lost CACHE: nothing points to at least 90 % of the objects
lost() {
	look "$1" || return 0
	is_called "$1" leaked
	within "$1-objects" "$(said "$1" objects)" 370 385
	within "$1-unreferenced" "$(said "$1" unreferenced)" 347 385
}

# kept CACHE: something points to all of them
kept() {
	look "$1" || return 0
	within "$1-unreferenced" "$(said "$1" unreferenced)" 0 0
	if [ "$(said "$1" verdict.leaked)" = true ]; then not_ok "$1" "$(said "$1" verdict.sentence)"; else ok "$1"; fi
}

insmod "$(ls orphans-"$(uname -r | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')"*.ko)" || not_ok module "insmod failed"
sleep 1
# all ways together: 360 objects are kept, and 360 are lost
if look orphan_mixed --objects 1000; then
	is_called orphan_mixed leaked
	within orphan_mixed-objects "$(said orphan_mixed objects)" 700 720
	within orphan_mixed-unreferenced "$(said orphan_mixed unreferenced)" 350 360
fi
if [ "$(cat ways)" = apart ]; then
	lost orphan_lost_64
	lost orphan_lost_192
	lost orphan_lost_1k
	look orphan_ring && is_called orphan_ring own_kind
	for way in list hash rb xarray maple percpu inner stack rcu; do kept orphan_$way; done
	kept dentry
	kept inode_cache
fi
exit "$failed"
