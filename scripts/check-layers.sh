#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-layers.sh [--self-test] [TREE]: check that the rooms of user/ include each other in one direction only, as the
# table below allows. --self-test checks that this script finds each kind of mistake.
set -euo pipefail

# ROOM: the rooms that it may include, besides itself and generated headers. "." is main.c and the commands.
rules() {
	cat <<-EOF
		base:
		data: base
		sym: base data
		proc: base data sym
		capture: base data
		trace: base data proc sym
		record: base data proc sym capture trace
		model: base data
		diff: base data model
		findings: base data model diff
		render: base data model diff findings
		export: base data model diff findings render
		.: base data proc sym capture trace record model diff findings render export
	EOF
}

# Commands print whole documents of render/, and do not use what documents are made of.
DOCUMENTS="balance census diff doctor refs report terms"

# The rooms that may include the shared headers of the BPF programs (bpf/*.h), and skeletons (*.skel.h).
BPF_ROOMS="trace record"

# includes DIR: print "FILE INCLUDED" for each quoted include.
includes() {
	grep -rHoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]+"' --include='*.[ch]' "$1" |
		sed -E 's/:[^"]*"([^"]*)"/ \1/'
}

# Each room of the table must exist.
check_rooms() { # TREE
	local room bad=0

	for room in $(rules | cut -d: -f1); do
		[ -d "$1/user/$room" ] || { echo "check-layers.sh names user/$room, which does not exist"; bad=1; }
	done
	return $bad
}

# Modules must not include each other in a circle. NAME.c, NAME.h and NAME_internal.h count as one module. Print the loops
# that tsort finds.
check_circles() { # TREE
	local loops

	loops=$(cd "$1/user" && includes . | sed -E 's/(_internal)?\.[ch]( |$)/\2/g; s/^\.\///' | awk '$1 != $2' |
		tsort 2>&1 >/dev/null | sed 's/^tsort: //') || true
	[ -z "$loops" ] && return
	printf 'modules that include each other in a circle:\n%s\n' "$loops"
	return 1
}

check_tree() { # TREE: print each violation; fail if there is one
	local tree=$1 bad=0 file included room allowed target document

	check_rooms "$tree" || bad=1
	check_circles "$tree" || bad=1
	while read -r file included; do
		room=${file#"$tree"/user/}
		case $room in */*) room=${room%%/*} ;; *) room=. ;; esac
		allowed=$(rules | sed -n "s/^$room:/ /p")
		if ! rules | grep -q "^$room:"; then
			echo "$file: user/$room is not in the table of check-layers.sh: add it, with the rooms that it may include"
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
		case $included in
		*_internal.h)
			echo "$file: includes $included, which only files of $target may include"
			bad=1
			continue
			;;
		render/*)
			document=${included#render/}
			if [ "$room" = . ] && [[ " $DOCUMENTS " != *" ${document%.h} "* ]]; then
				echo "$file: includes $included, but a command prints whole documents only: $DOCUMENTS"
				bad=1
				continue
			fi
			;;
		esac
		if [ "$target" = bpf ]; then allowed=; case " $BPF_ROOMS " in *" $room "*) allowed=" bpf" ;; esac; fi
		# the commands may use limits that the BPF programs set
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

# Check a tree without violations, and one with one violation of each kind.
self_test() {
	local tree out
	tree=$(mktemp -d)
	# shellcheck disable=SC2064 # expand the directory now
	trap "rm -rf '$tree'" EXIT
	mkdir -p "$tree"/user/{base,data,sym,proc,capture,trace,record,model,diff,findings,render,export} "$tree/bpf"
	: >"$tree/bpf/shared.h"
	echo '#include "base/log.h"' >"$tree/user/model/fine.c"
	echo '#include "shared.h"' >"$tree/user/trace/fine.c"
	printf '#include "trace/tracer.h"\n#include "render/report.h"\n' >"$tree/user/main.c"
	check_tree "$tree" || { echo "self-test: a clean tree was refused"; return 1; }
	echo '  #  include "render/text.h"' >"$tree/user/model/upward.c"
	for room in capture proc trace record; do
		echo "#include \"$room/some.h\"" >"$tree/user/render/of_$room.h"
	done
	echo '#include "render/table.h"' >"$tree/user/cmd_prints.c"
	echo '#include "trace/some_internal.h"' >"$tree/user/record/reaches.c"
	echo '#include "shared.h"' >"$tree/user/model/kernel.c"
	echo '#include "tracer.skel.h"' >"$tree/user/base/loads.c"
	echo '#include "cmd.h"' >"$tree/user/record/commands.c"
	mkdir "$tree/user/attic"
	echo '#include "base/log.h"' >"$tree/user/attic/stray.c"
	out=$(check_tree "$tree") && { echo "self-test: nothing was refused"; return 1; }
	for file in model/upward.c render/of_{capture,proc,trace,record}.h cmd_prints.c record/reaches.c model/kernel.c \
		base/loads.c record/commands.c attic/stray.c; do
		grep -q "user/$file: " <<<"$out" || { echo "self-test: $file was not refused"; return 1; }
	done
	[ "$(wc -l <<<"$out")" = 11 ] || { echo "self-test: too much was refused"; echo "$out"; return 1; }
	rm -r "$tree"/user/{attic,render/of_*.h,cmd_prints.c,record/reaches.c,model/upward.c,model/kernel.c}
	rm "$tree"/user/{base/loads.c,record/commands.c}
	echo '#include "model/two.h"' >"$tree/user/model/one.h"
	echo '#include "model/one.h"' >"$tree/user/model/two.h"
	check_tree "$tree" >/dev/null && { echo "self-test: a circle was not refused"; return 1; }
	rm "$tree/user/model/two.h"
	rmdir "$tree/user/findings"
	check_tree "$tree" >/dev/null && { echo "self-test: a room that does not exist was not refused"; return 1; }
	return 0
}

if [ "${1:-}" = --self-test ]; then
	self_test
else
	check_tree "${1:-$(cd "$(dirname "$0")/.." && pwd)}"
fi
