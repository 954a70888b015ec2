#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# viewers.sh: fetch the programs that read what `kmemtrace export` writes, for tests/export, and print the directory that
# holds them. Of each package it takes one or two programs, and it installs nothing: the packages of Prometheus and
# VictoriaMetrics would start services, and Go takes 450 MB. apt and npm verify what they fetch (105 MB, once).
set -euo pipefail

CACHE=${KMEMTRACE_VIEWERS_CACHE:-${XDG_CACHE_HOME:-/var/tmp}/kmemtrace-viewers}
PPROF_FORMAT=2.3.2
SPEEDSCOPE=1.22.2
DUCKDB=1.5.6-r.1

NEEDED=(pprof promtool prometheus victoria-metrics flamegraph.pl pprof-format/package.json
	speedscope/package.json duckdb/node_modules)

complete() {
	local need
	for need in "${NEEDED[@]}"; do [ -e "$CACHE/$need" ] || return 1; done
}

die() {
	echo "viewers.sh: $*" >&2
	exit 1
}

# take PACKAGE PATTERN…: put the files of a Debian package that match into the cache.
take() {
	local package=$1 dir files=() pattern
	shift
	for pattern in "$@"; do [ -e "$CACHE/${pattern##*/}" ] || files+=("$pattern"); done
	[ ${#files[@]} -gt 0 ] || return 0
	dir=$(mktemp -d "$CACHE/fetch.XXXXXX")
	if (cd "$dir" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$package" >&2) &&
		dpkg-deb --fsys-tarfile "$dir"/*.deb | tar x -C "$dir" --wildcards "${files[@]}"; then
		find "$dir" -type f ! -name '*.deb' -exec mv -t "$CACHE" {} +
	fi
	rm -rf "$dir"
}

# Go's compiler package has pprof; its name has the version.
go_package() { apt-cache depends golang-go 2>/dev/null | sed -nE 's/^ *Depends: (golang-[0-9.]+-go)$/\1/p' | head -n 1; }

# take_npm NAME VERSION: put the contents of an npm package that needs no others into the cache.
take_npm() {
	local dir
	[ ! -e "$CACHE/$1/package.json" ] || return 0
	command -v npm >/dev/null || return 0
	dir=$(mktemp -d "$CACHE/fetch.XXXXXX")
	if (cd "$dir" && npm pack --silent "$1@$2" >/dev/null && tar xzf ./*.tgz); then
		mv "$dir/package" "$CACHE/$1"
	fi
	rm -rf "$dir"
}

# npm has the program for each kind of machine in a package of its own.
take_duckdb() {
	local dir
	[ ! -e "$CACHE/duckdb" ] || return 0
	command -v npm >/dev/null || return 0
	dir=$(mktemp -d "$CACHE/fetch.XXXXXX")
	if npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$dir" "@duckdb/node-api@$DUCKDB" >&2; then
		mv "$dir" "$CACHE/duckdb"
	else
		rm -rf "$dir"
	fi
}

main() {
	local need missing=()
	if complete; then
		echo "$CACHE"
		return
	fi
	mkdir -p "$CACHE"
	[ -n "$(go_package)" ] || apt-get -qq update >&2 || true # a fresh container has no package lists
	take "$(go_package)" '*/pkg/tool/linux_*/pprof' &
	if apt-cache show promtool >/dev/null 2>&1; then # its own package since Debian 13
		take promtool '*/bin/promtool' &
		take prometheus '*/bin/prometheus' &
	else
		take prometheus '*/bin/promtool' '*/bin/prometheus' &
	fi
	take victoria-metrics '*/bin/victoria-metrics' &
	take libdevel-nytprof-perl '*/flamegraph.pl' &
	take_npm pprof-format $PPROF_FORMAT &
	take_npm speedscope $SPEEDSCOPE &
	take_duckdb &
	wait
	for need in "${NEEDED[@]}"; do [ -e "$CACHE/$need" ] || missing+=("$need"); done
	complete || die "could not fetch ${missing[*]} with apt and npm"
	echo "$CACHE"
}

main "$@"
