#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check-help.sh [KMEMTRACE [MANUAL]]: check that `kmemtrace COMMAND --help` and the manual page's section on COMMAND list
# the same options, and that examples fit into 80 columns.
set -euo pipefail
cd "$(dirname "$0")/.."

kmemtrace=${1:-build/kmemtrace} manual=${2:-docs/kmemtrace.8}
bad=0
[ -x "$kmemtrace" ] || { echo "check-help.sh: there is no $kmemtrace: run make first" >&2; exit 1; }

help_of() { ARGP_HELP_FMT=rmargin=200 "$kmemtrace" "$1" --help; }

options_in_help() { # COMMAND; without the options that argp adds
	help_of "$1" | sed -nE 's/^ +(-., )?--([a-z-]+).*/\2/p' | grep -vxE 'help|usage' | sort
}

options_in_manual() { # COMMAND: the long options of the .It lines
	sed -n "/^\.Ss kmemtrace $1\$/,/^\.S[hs] /{/^\.It /p}" "$manual" | tr ' ' '\n' | sed -nE 's/^-([a-z-]+)$/\1/p' | sort
}

for command in $("$kmemtrace" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p'); do
	[ "$command" = version ] && continue # it has no options
	if ! differences=$(diff <(options_in_help "$command") <(options_in_manual "$command")); then
		echo "$command: only in --help (<) or only in $manual (>):"
		grep '^[<>]' <<<"$differences"
		bad=1
	fi
	if help_of "$command" | sed -n '/^Examples:/,$p' | grep -E '.{80}'; then
		echo "$command: an example is wider than 79 columns"
		bad=1
	fi
done
exit $bad
