#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# web-assets.sh [--check | --modules]: bundle user/render/web into user/render/html_assets.c with esbuild. The result is in
# the tree, so that a build needs no node. --check: is it what its sources give? --modules: print where the npm packages are.
# npm's packages are pinned by user/render/web/package-lock.json, and kept in $KMEMTRACE_NPM_CACHE, outside of the tree.
set -euo pipefail
cd "$(dirname "$0")/.."

WEB=user/render/web
CACHE=${KMEMTRACE_NPM_CACHE:-${XDG_CACHE_HOME:-/var/tmp}/kmemtrace-npm}

usage() { sed -n '3,5s/^# //p' scripts/web-assets.sh; }

# Install the packages of the lock file, unless they are there: print the directory.
modules() {
	local dir new
	dir=$CACHE/$(cat $WEB/package.json $WEB/package-lock.json | sha256sum | cut -c 1-16)
	if [ ! -d "$dir/node_modules" ]; then
		mkdir -p "$CACHE"
		new=$(mktemp -d "$CACHE/new.XXXXXX")
		cp $WEB/package.json $WEB/package-lock.json "$new"
		npm ci --prefix "$new" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
		mv -T "$new" "$dir" 2>/dev/null || rm -rf "$new" # another run was faster
	fi
	printf '%s\n' "$dir/node_modules"
}

bundle() {
	local dir
	dir=$(modules)
	NODE_PATH=$dir node $WEB/build.mjs
}

case ${1:-} in
-h | --help) usage ;;
--modules) modules ;;
--check)
	bundle | diff -q - user/render/html_assets.c >/dev/null || {
		echo "user/render/html_assets.c is not what user/render/web gives: run scripts/web-assets.sh, and commit the result"
		exit 1
	}
	;;
"")
	bundle >user/render/html_assets.c.new
	mv user/render/html_assets.c.new user/render/html_assets.c
	;;
*) usage >&2 && exit 2 ;;
esac
