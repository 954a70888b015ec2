#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In a staged incident, the first screen of a default recording names the pool that grew, the process at fault (name and PID),
# what it holds, and a next command that fits. The truth is known from the staging, not from the tool.
# shellcheck source=tests/live/incidents.sh
. "$(dirname "$0")/incidents.sh"

# NAME, the pool in the headline, words of the object, and the next command, as extended regular expressions. A machine that
# is short of memory or PIDs for other reasons is told so first, with `ps` as the next command.
expected() {
	cat <<-'EOF'
		sockets|Slab|sockets|record --exact --cache [A-Za-z0-9_-]+ -d 180
		dentries|Slab|dentries .*reclaimable|drop_caches
		perfrings|Unaccounted .*|ring buffers of perf events|record --exact --pool Unaccounted -d 180
		pipes|Unaccounted .*|data in pipes|record --exact --pool Unaccounted -d 180
		bpfmaps|VmallocUsed|BPF map|record --exact --pool VmallocUsed -d 180
	EOF
}

# screen_line LABEL: print the words of the first line with this label and of its continuations.
screen_line() {
	awk -v label="$1" '
		substr($0, 1, 1) != " " { on = !seen && $1 ~ "^(" label ")$"; seen += on }
		on { printf "%s%s", sep, substr($0, 10); sep = " " }
		END { print "" }' "$WORK/screen"
}

# says LABEL PATTERN
says() {
	screen_line "$1" | grep -qE "$2" || fail "$1 does not say '$2': $(cat "$WORK/screen")"
}

culprit() { # NAME
	local pool object next
	need_record
	IFS='|' read -r pool object next < <(expected | sed -n "s/^$1|//p")
	incident_run "$1"
	COLUMNS=80 "$KMEMTRACE" report --color never "$CAPTURE" >"$WORK/screen"
	cat "$WORK/screen"
	says 'GROWING|GREW' "^$pool grew by [0-9.]+ MiB in 1[0-9] s"
	says WHO "^$SERVICE\\[$PLANT_PID\\]: (allocated|keeps) [0-9.]+ MiB"
	says WHAT "$object"
	says NEXT "$next|^ps "
	[ "$(wc -l <"$WORK/screen")" -le 40 ]
	[ "$(wc -L <"$WORK/screen")" -le 80 ]
}

while IFS='|' read -r name _; do eval "test_${name}_are_named() { culprit $name; }"; done < <(expected)

run_tests
