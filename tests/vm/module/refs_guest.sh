#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a guest: load orphans.ko while recording, and compare what `record --prove` and `kmemtrace refs` say of each kind of
# object with what the module did. It must run in busybox sh.
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

# named CACHE WHERE: words there are said to point to the objects
named() {
	if grep -qF "\"where\": \"$2" "/tmp/$1.json"; then ok "$1-by-${2%% *}"; else not_ok "$1-by-${2%% *}" "not $2"; fi
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

# proven CACHE FIELD: what the proof at the end of the recording says of the call path that holds most in this cache
proven() {
	at=0
	while cache=$(./jsonq /tmp/leak.json "proof.paths.$at.references.cache"); do
		if [ "$cache" = "$1" ]; then
			./jsonq /tmp/leak.json "proof.paths.$at.references.$2"
			return
		fi
		at=$((at + 1))
	done
}

series=$(uname -r | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')
module=$(ls orphans-"$series".ko orphans-"$series"-*.ko 2>/dev/null)
if ./kmemtrace record --exact --prove --prove-budget 10m --no-census -o /tmp/leak.kmt -- insmod "$module" 2>/tmp/record.err; then
	./kmemtrace report --format json /tmp/leak.kmt >/tmp/leak.json
	file_block leak.json /tmp/leak.json
	# these two hold most, and are of the same size
	if [ "$(proven orphan_lost_1k verdict.reason)" = leaked ]; then ok proof-of-a-leak
	else not_ok proof-of-a-leak "$(proven orphan_lost_1k verdict.sentence) $(./jsonq /tmp/leak.json proof.missing)"; fi
	within proof-objects "$(proven orphan_lost_1k objects)" 300 1000
	within proof-unreferenced "$(proven orphan_lost_1k unreferenced_low)" 0.9 1
	if [ "$(proven orphan_xarray verdict.reason)" = held ]; then ok proof-of-a-holder
	else not_ok proof-of-a-holder "$(proven orphan_xarray verdict.sentence)"; fi
	within proof-of-a-holder-unreferenced "$(proven orphan_xarray unreferenced)" 0 0
else
	not_ok proof "$(tail -n 1 /tmp/record.err)"
	insmod "$module"
fi
sleep 1
# all ways together: 400 objects are kept, 400 are lost, and 40 are in a ring that was dropped; of a few of those that are
# lost, something points to the page, such as the CPU that allocates from it
if look orphan_mixed --objects 1000; then
	is_called orphan_mixed leaked
	within orphan_mixed-objects "$(said orphan_mixed objects)" 820 840
	lost=$(said orphan_mixed unreferenced) page=$(said orphan_mixed only_page)
	within orphan_mixed-unreferenced "$lost" 340 400
	within orphan_mixed-not-pointed-to $((lost + page)) 390 400
	within orphan_mixed-dropped "$(said orphan_mixed dropped)" 38 40
	named orphan_mixed 'static kept_rings [orphans]'
	named orphan_mixed 'vmalloc area of keep_inner_pointers [orphans]'
	case $(uname -rm) in 5.* | *aarch64) ;; *) named orphan_mixed 'per-CPU memory' ;; esac # docs/refs.md
	# its programs were accepted
	case $(said orphan_mixed held) in [0-9]*) ok holders ;; *) not_ok holders "not looked for" ;; esac
fi
if [ "$(cat ways)" = apart ]; then
	lost orphan_lost_64
	lost orphan_lost_192
	lost orphan_lost_1k
	# one pointer makes the difference
	look orphan_ring && is_called orphan_ring dropped
	for way in kept_ring list hash rb percpu; do look orphan_$way && is_called orphan_$way held; done
	for way in xarray maple inner stack rcu; do kept orphan_$way; done
	kept dentry
	kept inode_cache
fi
exit "$failed"
