#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-names.sh [--self-test] [TREE]: no two functions of user/ and bpf/ share a name, static or not, and no two structs,
# enums or unions: whoever looks a name up must land in one place. A struct and a function may share one, as the kernel's
# own do: struct stat, stat().
set -euo pipefail

# names TREE: "NAME FILE LINE" of every definition, by kind: functions as they are called, types with their keyword.
names() {
	(cd "$1" && ctags -x --languages=C --langmap=C:.c.h --kinds-C=fsgu --_xformat='%K %N %F %n' -R user bpf) |
		awk '{ sub(/^(struct|enum|union)$/, "type", $1) } $2 !~ /^__anon/ { print }'
}

# A name twice in one file is one thing under an #if.
duplicates() { # TREE
	names "$1" | sort -k1,2 -k3,3 -u | awk '
		{ key = $1 " " $2; where[key] = where[key] (where[key] ? ", " : "") $3 ":" $4; n[key]++ }
		END { for (k in n) if (n[k] > 1) print k ": " where[k] }' | sort
}

self_test() {
	local tree found
	tree=$(mktemp -d)
	mkdir -p "$tree/user" "$tree/bpf"
	printf 'static int f(void)\n{\n\treturn 0;\n}\nstruct s {\n\tint i;\n};\n' >"$tree/user/a.c"
	printf 'struct s {\n\tint i;\n};\nint s(void)\n{\n\treturn 0;\n}\n' >"$tree/user/b.h"
	printf 'static __always_inline int f(void)\n{\n\treturn 0;\n}\nint once(void);\n' >"$tree/bpf/c.bpf.h"
	printf '#include "c.bpf.h"\nint once(void)\n{\n\treturn f();\n}\n' >"$tree/bpf/c.bpf.c"
	found=$(duplicates "$tree" | sed 's/:.*//' | tr '\n' ';')
	rm -rf "$tree"
	[ "$found" = "function f;type s;" ] || { echo "check-names.sh found '$found'"; return 1; }
}

if [ "${1:-}" = --self-test ]; then
	self_test
	exit
fi
found=$(duplicates "${1:-$(dirname "$0")/..}")
[ -z "$found" ] && exit
printf 'two definitions of one name (put the module before it, or a better word):\n%s\n' "$found"
exit 1
