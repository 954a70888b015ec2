#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-layers.sh [--self-test] [TREE]: the rooms of user/ may include each other in one direction only. The table
# below is the whole rule; --self-test shows that it catches what it should.
set -euo pipefail

# ROOM: the rooms it may include, besides itself and generated headers. "." is main.c and the commands.
rules() {
	cat <<-EOF
		base:
		proc: base sym
		sym: base
		capture: base proc
		model: base proc capture
		render: base proc capture model
		tui: base proc capture model render
		live: base proc sym capture
		.: base proc sym capture model render tui live
	EOF
}

# Who may read what the kernel side shares (bpf/*.h) and load skeletons (*.skel.h).
BPF_ROOMS="live"

# includes DIR: "FILE INCLUDED" for each quoted include.
includes() {
	grep -rHoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]+"' --include='*.[ch]' "$1" |
		sed -E 's/:[^"]*"([^"]*)"/ \1/'
}

check_tree() { # TREE: prints each offence, fails when there is one
	local tree=$1 bad=0 file included room allowed target

	while read -r file included; do
		room=${file#"$tree"/user/}
		case $room in */*) room=${room%%/*} ;; *) room=. ;; esac
		allowed=$(rules | sed -n "s/^$room:/ /p")
		if ! rules | grep -q "^$room:"; then
			echo "$file: user/$room is no room of check-layers.sh: add it with what it may include"
			bad=1
			continue
		fi
		case $included in
		*.skel.h) target=bpf ;;
		cmd.h) target=. ;;
		*/*) target=${included%%/*} ;;
		*) if [ -e "$tree/bpf/$included" ]; then target=bpf; else continue; fi ;;
		esac
		[ "$target" = "$room" ] && continue
		if [ "$target" = bpf ]; then allowed=; case " $BPF_ROOMS " in *" $room "*) allowed=" bpf" ;; esac; fi
		# the commands may name limits the kernel side sets
		[ "$target $room" = "bpf ." ] && continue
		case "$allowed " in
		*" $target "*) ;;
		*)
			echo "$file: includes $included, but $room may only include:${allowed:- nothing}"
			bad=1
			;;
		esac
	done < <(includes "$tree/user")
	return $bad
}

# A tree with one offence of each sort, and one without any.
self_test() {
	local tree out
	tree=$(mktemp -d)
	# shellcheck disable=SC2064 # the directory of now
	trap "rm -rf '$tree'" EXIT
	mkdir -p "$tree"/user/{base,model,live,render} "$tree/bpf"
	: >"$tree/bpf/shared.h"
	echo '#include "base/log.h"' >"$tree/user/model/fine.c"
	echo '#include "shared.h"' >"$tree/user/live/fine.c"
	echo '#include "live/tracer.h"' >"$tree/user/main.c"
	check_tree "$tree" || { echo "self-test: a clean tree was refused"; return 1; }
	echo '  #  include "render/text.h"' >"$tree/user/model/upward.c"
	echo '#include "live/tracer.h"' >"$tree/user/render/rooted.h"
	echo '#include "shared.h"' >"$tree/user/model/kernel.c"
	echo '#include "tracer.skel.h"' >"$tree/user/base/loads.c"
	echo '#include "cmd.h"' >"$tree/user/live/commands.c"
	mkdir "$tree/user/attic"
	echo '#include "base/log.h"' >"$tree/user/attic/stray.c"
	out=$(check_tree "$tree") && { echo "self-test: nothing was refused"; return 1; }
	for file in model/upward.c render/rooted.h model/kernel.c base/loads.c live/commands.c attic/stray.c; do
		grep -q "user/$file: " <<<"$out" || { echo "self-test: $file was not refused"; return 1; }
	done
	[ "$(wc -l <<<"$out")" = 6 ] || { echo "self-test: too much was refused"; echo "$out"; return 1; }
}

if [ "${1:-}" = --self-test ]; then
	self_test
else
	check_tree "${1:-$(cd "$(dirname "$0")/.." && pwd)}"
fi
