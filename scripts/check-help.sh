#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-help.sh [KMEMTRACE [MANUAL]]: each option that `kmemtrace COMMAND --help` lists is described in the manual page's
# section on that command, and the reverse; each command has such a section; and examples fit a terminal.
set -euo pipefail
cd "$(dirname "$0")/.."

kmemtrace=${1:-build/kmemtrace} manual=${2:-docs/kmemtrace.8}
bad=0

help_of() { ARGP_HELP_FMT=rmargin=200 "$kmemtrace" "$1" --help; }

options_in_help() { # COMMAND; what argp adds by itself is not looked at
	help_of "$1" | sed -nE 's/^ +(-., )?--([a-z-]+).*/\2/p' | grep -vxE 'help|usage' | sort
}

options_in_manual() { # COMMAND: the long options of its list's heads
	sed -n "/^\.Ss kmemtrace $1\$/,/^\.S[hs] /{/^\.It /p}" "$manual" | tr ' ' '\n' | sed -nE 's/^-([a-z-]+)$/\1/p' | sort
}

for command in $("$kmemtrace" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p'); do
	[ "$command" = version ] && continue # it takes none
	if ! differences=$(diff <(options_in_help "$command") <(options_in_manual "$command")); then
		echo "$command: only in --help (<) or only in $manual (>):"
		grep '^[<>]' <<<"$differences"
		bad=1
	fi
	if help_of "$command" | sed -n '/^Examples:/,$p' | grep -E '.{80}'; then
		echo "$command: wider than a terminal"
		bad=1
	fi
done
exit $bad
