#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-guides.sh [--self-test] [TREE]: the files and functions that CONTRIBUTING.md and docs/architecture.md name must
# exist, so that nobody is sent to a place that was renamed.
set -euo pipefail

# Examples that the guides make up.
EXAMPLES="x_new x_free x_build thing_new thing_fill thing_free module_verb"

# Paths in `...` that begin with a directory of the tree and have no capital letter: user/NAME.c is a pattern.
missing_files() { # TREE GUIDE
	local path

	grep -oE '`(user|bpf|tests|scripts|docs|vmlinux)/[A-Za-z0-9_./*-]*' "$1/$2" | tr -d '\140' | sort -u |
		grep -vE '[A-Z]|\*' | while read -r path; do
		[ -e "$1/$path" ] || [ -n "$(compgen -G "$1/$path*")" ] || echo "$2 names $path, which does not exist"
	done
}

missing_functions() { # TREE GUIDE
	local name

	grep -oE '`[a-z_][a-z0-9_]+\(\)' "$1/$2" | tr -d '\140()' | sort -u | while read -r name; do
		[[ " $EXAMPLES " == *" $name "* ]] && continue
		grep -rqE "(^|[^A-Za-z0-9_])$name\(" "$1/user" "$1/bpf" "$1/vmlinux" ||
			echo "$2 names $name(), which no source has"
	done
}

check_tree() { # TREE
	local guide found=

	for guide in CONTRIBUTING.md docs/architecture.md; do
		found+=$(missing_files "$1" "$guide"; missing_functions "$1" "$guide")
	done
	[ -z "$found" ] && return
	printf '%s\n' "$found"
	return 1
}

self_test() {
	local tree out
	tree=$(mktemp -d)
	# shellcheck disable=SC2064 # the directory of now
	trap "rm -rf '$tree'" EXIT
	mkdir -p "$tree"/{user,bpf,vmlinux,docs}
	echo 'int here(void);' >"$tree/user/here.h"
	# shellcheck disable=SC2016 # the backticks of Markdown
	echo '`here()` is in `user/here.h`; new ones go into `user/NAME.h`' | tee "$tree/CONTRIBUTING.md" >"$tree/docs/architecture.md"
	check_tree "$tree" || { echo "self-test: a true guide was refused"; return 1; }
	# shellcheck disable=SC2016
	echo '`gone()`, in `user/gone.c`' >>"$tree/CONTRIBUTING.md"
	out=$(check_tree "$tree") && { echo "self-test: an untrue guide passed"; return 1; }
	[ "$(wc -l <<<"$out")" = 2 ] || { echo "self-test: said: $out"; return 1; }
}

if [ "${1:-}" = --self-test ]; then
	self_test
else
	check_tree "${1:-$(cd "$(dirname "$0")/.." && pwd)}"
fi
