#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test.sh [--no-install] [SUITE…] [FILE…]: install what the tests need, build, and run the tests (default: all). The last
# line is "N passed, N failed, N skipped"; the line before it says how many passed only when they were run again.
# Suites: check unit export live web vm debian kernel-log. FILE is a test in tests/unit, tests/export or tests/live.
# build/test-logs has the output of each test; the output of failed ones is printed. With CI=true a skip is a failure.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

LOGS=build/test-logs
UNIT_TIMEOUT=120
EXPORT_TIMEOUT=120
WEB_TIMEOUT=400
LIVE_TIMEOUT=400 # the longest takes 160 s and may run twice
# The kernels that CI boots. `make test-vm` boots all that scripts/vm.sh declares.
VM_KERNELS="5.10 6.1 6.12 newest"
# Messages that must not appear in the kernel log while the tests run.
SPLAT='cut here|BUG:|WARNING: |Oops|Kernel panic|general protection|blocked for more than|rcu:.*stall|KASAN|UBSAN|KFENCE'

passed=0 failed=0 skipped=0 flaky=0
install=yes suites=() files=()

say() { printf '%s\n' "$*"; }

ok() { # NAME
	passed=$((passed + 1))
	say "ok       $1"
}

not_ok() { # NAME LOG
	failed=$((failed + 1))
	say "FAILED   $1"
	[ -s "${2:-}" ] && sed 's/^/    | /' "$2" | tail -n 60
}

skip() { # NAME REASON
	if [ "${CI:-}" = true ]; then
		failed=$((failed + 1))
		say "FAILED   $1: skipped in CI: $2"
	else
		skipped=$((skipped + 1))
		say "skipped  $1: $2"
	fi
}

# flaky NAME TEST LOG: the test failed, tests/live/lib.sh ran it again, and it passed. LOG has the log of the failure.
flaky() {
	passed=$((passed + 1)) flaky=$((flaky + 1))
	say "FLAKY    $1: $2 failed, and passed when it was run again"
	sed -n "/^# $2 failed, and is run once more:\$/,/^ok /s/^#  / |/p" "$3" | tail -n 60
}

# checked NAME: has the caller made this check already, with the same tools? $KMEMTRACE_CHECKED names what it made
# (scripts/debian-roots.sh).
checked() {
	case " ${KMEMTRACE_CHECKED:-} " in *" $1 "*) ;; *) return 1 ;; esac
}

# start NAME COMMAND…: run it beside what follows, if it leaves CPUs idle. finish, called by check and tap, waits for it.
declare -A started=()
start() {
	local name=$1
	shift
	"$@" >"$LOGS/$name.log" 2>&1 &
	started[$name]=$!
}

# finish NAME COMMAND…: run it, or wait for it if it was started. Returns its exit status; its output is in its log.
finish() {
	local name=$1
	shift
	if [ -n "${started[$name]:-}" ]; then wait "${started[$name]}"; else "$@" >"$LOGS/$name.log" 2>&1; fi
}

# check NAME COMMAND…: run one test; its exit status is the result. 77 is a skip, with the last line as its reason.
check() {
	local name=$1 log=$LOGS/$1.log status
	checked "$name" && say "note     $name was checked outside" && return
	shift
	finish "$name" "$@"
	status=$?
	case $status in
	0) ok "$name" ;;
	77) skip "$name" "$(tail -n 1 "$log")" ;;
	*) not_ok "$name" "$log" ;;
	esac
}

# tap_skip NAME LINE LOG: report a skipped test. Our scripts print "ok 3 - TEST # SKIP WHY". cmocka prints "ok 3 # SKIP TEST"
# ("not ok" in some versions) without a reason, so the test prints the reason in another line, "# skip TEST: WHY".
tap_skip() {
	local test why=${2#*# SKIP}

	why=${why# }
	test=$(sed -E 's/^(not )?ok [0-9]+ *-? *//; s/ *# SKIP.*//' <<<"$2")
	if [ -z "$test" ]; then
		test=$why
		why=$(sed -n "s/^# skip $test: //p" "$3" | head -n 1)
	fi
	skip "$1: $test" "${why:-it gives no reason}"
}

# tap NAME SECONDS COMMAND…: run a program that prints TAP, and count its tests. It also counts as a failure if the program
# crashes, runs fewer tests than planned, or runs none.
tap() {
	local name=$1 limit=$2 log=$LOGS/$1.log status run=0 bad=0 plan line
	checked "$name" && say "note     $name was checked outside" && return
	shift 2
	finish "$name" timeout -k 10 "$limit" "$@"
	status=$?
	while read -r line; do
		run=$((run + 1))
		case $line in
		*"# SKIP"*) tap_skip "$name" "$line" "$log" ;;
		*"# FLAKY"*) [[ $line =~ -\ ([^ ]+) ]] && flaky "$name" "${BASH_REMATCH[1]}" "$log" ;;
		ok*) passed=$((passed + 1)) ;;
		not*) bad=$((bad + 1)) failed=$((failed + 1)) && say "FAILED   $name: ${line#not ok }" ;;
		esac
	done < <(grep -E '^(not )?ok [0-9]+' "$log")
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | tail -n 1)
	if [ "$bad" -gt 0 ]; then
		sed '/^ok /d; s/^/    | /' "$log" | tail -n 80
	elif [ "$status" != 0 ] || [ "$run" = 0 ] || [ "$run" != "${plan:-$run}" ]; then
		not_ok "$name: ended with $status after $run of ${plan:-?} tests" "$log"
	else
		say "ok       $name ($run tests)"
	fi
}

# start_tap NAME SECONDS COMMAND…: start what tap will be called for.
start_tap() {
	local name=$1 limit=$2
	shift 2
	start "$name" timeout -k 10 "$limit" "$@"
}

wanted() { # SUITE
	[ ${#suites[@]} = 0 ] && [ ${#files[@]} = 0 ] && return
	case " ${suites[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

# ---- the suites ----

# Without git, because a tree from a tarball has none.
shell_scripts() { find scripts tests .ci -name '*.sh' -o -path .ci/run; }

# cppcheck (2.10 to 2.17) does not understand "a ?: b", %1$s, that main's frame outlives its callees, the macros of
# tests/cppcheck.h, and _cleanup_free_ with early returns (LeakSanitizer checks these in unit tests).
run_cppcheck() {
	local mistaken=(--suppress=selfAssignment --suppress=invalidPrintfArgType_s:user/capture/writer_thin.c
		--suppress=autoVariables:user/main.c --suppress=memleak)

	cppcheck -q --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches "${mistaken[@]}" --error-exitcode=1 -j"$(nproc)" -D__linux__ \
		--include=tests/cppcheck.h -Iuser -Ibpf -Ibuild/gen user tests/plant
}

run_clang_build() { make -s -j"$(nproc)" CC=clang B=build/clang build/clang/kmemtrace plants; }

# Look for undefined behaviour, leaks and invalid output, with all seeds of each fuzzer and a few hundred more inputs.
run_fuzz() {
	local probe
	probe=$(mktemp) || return
	if ! echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return !p && n; }' |
		clang -fsanitize=fuzzer -x c -o "$probe" - 2>/dev/null; then
		rm -f "$probe"
		echo "clang has no libFuzzer: scripts/deps.sh fuzz"
		return 77
	fi
	rm -f "$probe"
	scripts/fuzz.sh --smoke
}

run_static_build() {
	make -s -j"$(nproc)" STATIC=1 B=build/static all plants || return
	is_static build/static/kmemtrace || { echo "build/static/kmemtrace needs shared libraries"; return 1; }
	build/static/kmemtrace version
}

# What is built if pkg-config finds no libdw must compile, too: it is one file.
run_without_libdw() { gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iuser -fsyntax-only user/sym/dwarf.c; }

# Build only the BPF programs for arm64: this needs no cross compiler, and all guests of CI are x86.
run_arm64_programs() { make -s ARCH=arm64 B=build/arm64-programs build/arm64-programs/bpf/tracer{,_legacy}.o; }

# is_static FILE: ldd fails for files without shared libraries.
is_static() { ! ldd "$1" >/dev/null 2>&1; }

# A changed setting must rebuild what it affects. This uses the build of run_clang_build.
run_settings() {
	local make=(make -s CC=clang B=build/clang) main=build/clang/obj/user/main.o

	"${make[@]}" build/clang/kmemtrace || return
	if is_static build/clang/kmemtrace; then echo "static without STATIC=1" && return 1; fi
	"${make[@]}" STATIC=1 build/clang/kmemtrace || return
	is_static build/clang/kmemtrace || { echo "make STATIC=1 after make left a dynamic program"; return 1; }
	"${make[@]}" build/clang/kmemtrace || return
	if is_static build/clang/kmemtrace; then echo "make after make STATIC=1 left a static program" && return 1; fi
	cp $main $main.before
	"${make[@]}" CFLAGS=-O1 $main || return
	if cmp -s $main $main.before; then echo "make did not recompile after CFLAGS changed" && return 1; fi
}

# Skips of our scripts and of cmocka must be counted, with name and reason.
run_skips_self_test() {
	local LOGS CI='' passed=0 failed=0 skipped=0 status
	LOGS=$(mktemp -d)
	tap self 5 printf '1..3\nok 1 - test_a # SKIP why a\n# skip test_b: why b\nnot ok 2 # SKIP test_b\nok 3 - test_c\n' \
		>"$LOGS/said"
	say "$passed $failed $skipped" >>"$LOGS/said"
	diff - "$LOGS/said" <<-EOF
		skipped  self: test_a: why a
		skipped  self: test_b: why b
		ok       self (3 tests)
		1 0 2
	EOF
	status=$?
	rm -rf "$LOGS"
	return $status
}

run_install() {
	local dir status
	dir=$(mktemp -d)
	mkdir -p "$dir/usr/sbin" && touch "$dir/usr/sbin/kmemtrace" # of an earlier version
	make -s install DESTDIR="$dir" PREFIX=/usr && "$dir/usr/bin/kmemtrace" version &&
		[ -s "$dir/usr/share/man/man8/kmemtrace.8" ] && [ ! -e "$dir/usr/sbin/kmemtrace" ] &&
		make -s uninstall DESTDIR="$dir" PREFIX=/usr && [ -z "$(find "$dir" -type f | tee /dev/stderr)" ]
	status=$?
	rm -rf "$dir"
	return $status
}

run_man() {
	local out
	out=$(mandoc -T lint -W warning docs/kmemtrace.8 2>&1) || { echo "$out"; return 1; }
}

# README.md must name each package that scripts/deps.sh installs.
run_dependencies() {
	local package missing=0
	for package in $(./scripts/deps.sh --list | awk '{ print $2 }'); do
		grep -qE "^\\|.*\\b$package\\b" README.md || { echo "README.md does not name $package"; missing=1; }
	done
	return $missing
}

# The JSON goldens of unit tests: COMMAND.json, COMMAND-WHAT.json, and one that is part of a report.
run_json_goldens() {
	local file name status=0
	for file in tests/golden/*.json; do
		name=${file##*/}
		case $name in
		report-levels.json) name=report#/properties/levels ;;
		*) name=${name%%[-.]*} ;;
		esac
		scripts/check-json.py "$name" "$file" || status=1
	done
	return $status
}

# The JSON that the commands print here, from recorded captures and without root. doctor fails if record would not work.
run_json_output() {
	local dir new=6.18.kmt by status=0 tool=$PWD/build/kmemtrace
	dir=$(mktemp -d)
	mkdir "$dir/set"
	for file in tests/fixtures/captures/*.kmt.gz; do gunzip -c "$file" >"$dir/set/$(basename "$file" .gz)"; done
	(
		set -e
		cd "$dir"
		for by in stack cache site process cgroup module pool syscall; do
			"$tool" report --format json --by $by --top 0 set/$new >report-$by
			"$tool" diff --format json --by $by --all set/6.12-boot1.kmt set/$new >diff-$by
			"$tool" diff --format json --by $by --all --base-set set set/$new >diff-set-$by
			"$tool" export --format ndjson --by $by set/$new | jq -s . >export-$by
		done
		"$tool" export --format ndjson --by process --labels none set/$new | jq -s . >export-unlabelled
		"$tool" balance --format json >balance-now
		"$tool" balance --format json set/$new >balance-capture
		"$tool" doctor --format json >doctor-here || [ -s doctor-here ]
	) || status=1
	for by in report diff balance doctor export; do scripts/check-json.py $by "$dir/$by"-* || status=1; done
	rm -rf "$dir"
	return $status
}

# Live tests check all their JSON through lib.sh. No test may bypass it.
run_json_live() {
	! grep -nE 'format[ =]json' tests/live/*.sh | grep -v 'json_seen'
}

# A live test must fail if its JSON does not match the schemas.
run_json_live_self_test() {
	# shellcheck disable=SC2016 # for the shell below
	bash -c '. tests/live/lib.sh
		KMEMTRACE=emit
		emit() { jq "$change" docs/schema/examples/doctor.json; }
		test_as_described() { change=. json_of doctor >/dev/null; }
		test_a_field_more() { change=".hooks[0].undescribed = 1" json_of doctor >/dev/null; }
		test_a_field_less() { change="del(.memory.exact.bytes)" json_of doctor >/dev/null; }
		test_no_json() { echo "{" | json_seen doctor >/dev/null; }
		run_tests' >"$LOGS/json-live-tap"
	cat "$LOGS/json-live-tap"
	[ "$(grep -E '^(not )?ok' "$LOGS/json-live-tap")" = "not ok 1 - test_a_field_less
not ok 2 - test_a_field_more
ok 3 - test_as_described
not ok 4 - test_no_json" ]
}

# A live test that fails once must be reported as flaky, with its log, and counted. One that fails twice has failed.
run_flaky_self_test() {
	local LOGS passed=0 failed=0 skipped=0 flaky=0 status
	LOGS=$(mktemp -d)
	# shellcheck disable=SC2016 # for the shell below
	tap self 60 bash -c '. tests/live/lib.sh
		test_fails_once() { [ -e "$WORK.ran" ] || { : >"$WORK.ran"; fail "the level was off"; }; }
		test_fails_twice() { fail "it leaks"; }
		test_passes() { :; }
		run_tests
		rm "$WORK.ran"' >"$LOGS/said"
	say "$passed passed, $failed failed, $flaky flaky" | tee -a "$LOGS/said"
	cat "$LOGS/self.log"
	diff - <(grep -vE '^    \|' "$LOGS/said") <<-EOF
		FLAKY    self: test_fails_once failed, and passed when it was run again
		 | the level was off
		FAILED   self: 2 - test_fails_twice
		2 passed, 1 failed, 1 flaky
	EOF
	status=$?
	rm -rf "$LOGS"
	return $status
}

# .clang-tidy lists the checks. Each file gets its own process, because clang-tidy 14 confuses the va_lists of several files.
run_clang_tidy() {
	make -s compile_commands.json || return
	find user -name '*.c' -print0 | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p . --quiet
}

# Use only the version of Debian 12: others have more checks, and nobody has examined what they find here.
check_clang_tidy() {
	case $(clang-tidy --version) in
	*" version 14."*) check clang-tidy run_clang_tidy ;;
	*) say "note     clang-tidy is only run in version 14" ;;
	esac
}

run_format() { find bpf tests user vmlinux -name '*.[ch]' -exec clang-format --dry-run -Werror {} +; }

# The tree is formatted by clang-format 14 (Debian 12). Version 19 (Debian 13) aligns some comments and macros differently.
check_format() {
	case $(clang-format --version) in
	*" version 14."*) check format run_format ;;
	*) say "note     clang-format is only run in version 14" ;;
	esac
}

# `kmemtrace version` must begin with "kmemtrace X.Y.Z" and print all that a bug report needs. CHANGELOG.md must begin with
# that version. Other tests check that JSON has the printed version.
run_version() {
	local version
	version=$(sed -n 's/^#define KMEMTRACE_VERSION "\([0-9]*\.[0-9]*\.[0-9]*\)"$/\1/p' user/version.h)
	build/kmemtrace version | sed 's/; built by .*//' | tee /dev/stderr | diff - <(cat <<-EOF
		kmemtrace $version
		capture schema $(sed -n 's/^#define CAPTURE_SCHEMA_VERSION //p' user/version.h), JSON schema $(jq -e '."$defs".schema_number.const' docs/schema/common.schema.json)
		libbpf $(pkg-config --modversion libbpf | cut -d. -f1-2), SQLite $(pkg-config --modversion sqlite3), jansson $(pkg-config --modversion jansson), libdw $(pkg-config --modversion libdw || echo absent)
	EOF
	) || return
	[ "$(sed -n 's/^## \([0-9.]*\) .*/\1/p' CHANGELOG.md | head -n 1)" = "$version" ] ||
		{ echo "CHANGELOG.md does not begin with $version"; return 1; }
}

# Test functions in C have no prefix (CONTRIBUTING.md, "Names").
run_test_names() { ! grep -rnE 'cmocka_unit_test[a-z_]*\((test|check)_' tests; }

# Functions and files that the guides name in backquotes, `name()` and `dir/file`, must exist, and so must FILE in comments
# that say "see FILE". Placeholders have capitals or "x_".
# shellcheck disable=SC2016 # the backquotes are part of the guides
run_guides() {
	local guides=(CONTRIBUTING.md docs/architecture.md) name bad=0
	while read -r name; do
		grep -rqE "\\b$name\\(" user bpf tests scripts || { echo "no function is called $name"; bad=1; }
	done < <(grep -ohE '`[a-z_]+\(\)`' "${guides[@]}" | tr -d '`()' | grep -vE '^(x_.*|module_verb)$' | sort -u)
	while read -r name; do
		[ -e "$name" ] || { echo "there is no $name"; bad=1; }
	done < <(grep -ohE '`(user|bpf|docs|scripts|tests|vmlinux)/[a-zA-Z0-9_./-]+`' "${guides[@]}" | tr -d '`' | grep -vE 'NAME|POOL' | sort -u)
	while read -r name; do
		[ -n "$(find bpf user tests vmlinux -name "$name")" ] || { echo "a comment refers to $name, which does not exist"; bad=1; }
	done < <(grep -rhoE '[Ss]ee [a-z_0-9]+\.(bpf\.)?[ch]\b' bpf user tests vmlinux | sed 's/^....//' | sort -u)
	return $bad
}

suite_check() {
	checked fuzz || start fuzz run_fuzz # 80 s of one CPU
	# shellcheck disable=SC2046 # our file names have no blanks
	check shellcheck shellcheck -x $(shell_scripts)
	check_format
	check cppcheck run_cppcheck
	check_clang_tidy
	check layers-self-test scripts/check-layers.sh --self-test
	check layers scripts/check-layers.sh
	check names-self-test scripts/check-names.sh --self-test
	check names scripts/check-names.sh
	check man-page run_man
	check help scripts/check-help.sh
	check without-libdw run_without_libdw
	check version run_version
	check dependencies run_dependencies
	check guides run_guides
	check test-names run_test_names
	check json-schemas-self-test scripts/check-json.py --self-test
	check json-schemas scripts/check-json.py --schemas
	check json-live-tests-self-test run_json_live_self_test
	check json-live-tests run_json_live
	check flaky-self-test run_flaky_self_test
	check clang-build run_clang_build
	check skips-self-test run_skips_self_test
	check settings run_settings
	check static-build run_static_build
	check fuzz run_fuzz
	check arm64-programs run_arm64_programs
	check install run_install
}

run_unit() { # tap|start_tap FILE
	local name=${2##*/}
	name=${name%.c}
	CMOCKA_MESSAGE_OUTPUT=TAP "$1" "unit-$name" $UNIT_TIMEOUT "build/tests/$name"
}

# As many unit tests at once as there are CPUs; the results are in order.
run_units() { # FILE…
	local files=("$@") ahead i
	ahead=$(($(nproc) - 1))
	for ((i = 0; i < $# + ahead; i++)); do
		[ $i -ge $# ] || run_unit start_tap "${files[i]}"
		[ $i -lt $ahead ] || run_unit tap "${files[i - ahead]}"
	done
}

# cannot_load FILE: print why this test cannot load BPF programs here, if it needs to.
cannot_load() {
	local said
	grep -q '^#include "trace/' "$1" || return
	said=$(build/kmemtrace doctor 2>&1) && return 1
	tr -s ' \n' ' ' <<<"$said" | sed 's/ HOST .*//'
}

run_live_program() { # tap|start_tap NAME
	CMOCKA_MESSAGE_OUTPUT=TAP "$1" "live-$2" $LIVE_TIMEOUT "build/live/$2"
}

run_live() { # FILE: a script, or a program that needs root
	local name=${1##*/} why
	case $1 in
	*.sh) tap "live-${name%.sh}" $LIVE_TIMEOUT "./$1" ;;
	*) if [ "$(id -u)" != 0 ]; then
		skip "live-${name%.c}" "needs root"
	elif why=$(cannot_load "$1"); then
		skip "live-${name%.c}" "$why"
	else
		run_live_program tap "${name%.c}"
	fi ;;
	esac
}

suite_unit() {
	if checked unit-tests; then say "note     the unit tests were run outside"; else run_units tests/unit/test_*.c; fi
	check json-goldens run_json_goldens
	check json-output run_json_output
	check sql-queries scripts/check-sql.py
}

run_export() { # FILE
	local name=${1##*/}
	tap "export-${name%.sh}" $EXPORT_TIMEOUT "./$1"
}

# What export writes, in the programs that it is for.
suite_export() {
	local file
	if [ "${CI:-}" != true ] && [[ " ${suites[*]} " != *" export "* ]]; then
		skip export "it fetches 105 MB of programs that read exports, once: run scripts/test.sh export"
		return
	fi
	check viewers scripts/viewers.sh
	for file in tests/export/test_*.sh; do run_export "$file"; done
}

# This live test may run beside others: it only reads captures, and measures its own CPU time and memory.
HOSTILE=test_hostile_captures_stay_bounded

suite_live() {
	local file
	[ -z "${started[live-$HOSTILE]:-}" ] || wait "${started[live-$HOSTILE]}" # the others want the machine for themselves
	for file in tests/live/test_*.[cs]*; do run_live "$file"; done
}

# Open HTML reports in Chromium. A build needs neither node nor Chromium, so other suites do not, either.
suite_web() {
	local program
	if [ "${CI:-}" != true ] && [[ " ${suites[*]} " != *" web "* ]]; then
		skip web "it installs Chromium: run scripts/test.sh web"
		return
	fi
	for program in chromium node npm; do
		command -v $program >/dev/null || { skip web "there is no $program: scripts/deps.sh web" && return; }
	done
	node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || {
		skip web "node $(node --version) is older than 20, which playwright needs"
		return
	}
	check web-assets scripts/web-assets.sh --check
	tap web-pages $WEB_TIMEOUT tests/web/test_pages.sh
}

# Check the JSON that kmemtrace printed in the guests, which have no python.
run_vm_json() {
	local doctors censuses reports status=0
	mapfile -t doctors < <(find build/vm/results -name doctor.json)
	mapfile -t censuses < <(find build/vm/results -name census.json -o -name names.json)
	mapfile -t reports < <(find build/vm/results -name '*.json' ! -name doctor.json ! -name census.json ! -name names.json)
	scripts/check-json.py doctor "${doctors[@]}" || status=1
	scripts/check-json.py census "${censuses[@]}" || status=1
	scripts/check-json.py report "${reports[@]}" || status=1
	return $status
}

# Each line of the guests' results is a test: "KERNEL ok|fail|skip TEST WHY".
suite_vm() {
	local log=$LOGS/vm.log results=build/vm/results/all kernel result name why
	if [ "${CI:-}" != true ] && [[ " ${suites[*]} " != *" vm "* ]]; then
		skip vm "it boots other kernels in QEMU: run scripts/test.sh vm"
		return
	fi
	scripts/vm.sh -f >"$log" 2>&1 # before several fetch the same
	start vmlinux scripts/check-vmlinux.sh
	check vm-self-test tests/vm/selftest.sh
	check vm-refs tests/vm/module/refs.sh
	check vmlinux scripts/check-vmlinux.sh
	check vm-small tests/vm/small.sh
	rm -f $results
	# shellcheck disable=SC2086 # a list of words
	scripts/vm.sh -j "$(nproc)" $VM_KERNELS >"$log" 2>&1
	if [ ! -s $results ]; then
		not_ok vm "$log"
		return
	fi
	check vm-json run_vm_json
	while read -r kernel result name why; do
		case $result in
		ok) ok "vm-$kernel $name" ;;
		skip) skip "vm-$kernel $name" "$why" ;;
		*) not_ok "vm-$kernel $name: $why" ;;
		esac
	done <$results
}

# Follow README.md in minimal Debian systems. Each line of the results is a test: "RELEASE ok|fail|skip TEST WHY".
suite_debian() {
	local log=$LOGS/debian.log built=build/debian-roots/trixie-built roots release result name why
	if [ "${CI:-}" != true ] && [[ " ${suites[*]} " != *" debian "* ]]; then
		skip debian "it creates minimal Debian 12 and 13 systems: run scripts/test.sh debian"
		return
	fi
	rm -rf build/debian-roots
	scripts/debian-roots.sh >"$log" 2>&1 &
	roots=$!
	# beside the roots' tests, some of which leave CPUs idle
	while [ ! -d $built ] && kill -0 $roots 2>/dev/null; do sleep 1; done
	start debian-objects-on-old-kernels tests/vm/newer_clang.sh $built
	wait $roots
	if ! cat build/debian-roots/*.results >"$LOGS/debian.results" 2>/dev/null; then
		not_ok debian "$log"
		return
	fi
	while read -r release result name why; do
		case $result in
		ok) ok "debian-$release $name ($why)" ;;
		skip) skip "debian-$release $name" "$why" ;;
		*) not_ok "debian-$release $name: $why" "build/debian-roots/$release-$name.log" ;;
		esac
	done <"$LOGS/debian.results"
	check debian-objects-on-old-kernels tests/vm/newer_clang.sh $built
}

# Errors in the kernel log since $1 (in seconds of its clock).
suite_kernel_log() {
	local log=$LOGS/kernel-log.log
	if ! dmesg >"$LOGS/dmesg" 2>&1; then
		skip kernel-log "dmesg is not readable"
		return
	fi
	awk -v since="$1" '{ t = $0; sub(/^\[ */, "", t); sub(/\].*/, "", t); if (t + 0 > since) print }' "$LOGS/dmesg" |
		grep -E "$SPLAT" >"$log"
	if [ -s "$log" ]; then not_ok kernel-log "$log"; else ok kernel-log; fi
}

dmesg_now() { dmesg 2>/dev/null | tail -n 1 | sed 's/^\[ *//; s/\].*//'; }

usage() { sed -n '3,6s/^# //p' scripts/test.sh; }

main() {
	local arg file since extra=()
	for arg in "$@"; do
		case $arg in
		--no-install) install=no ;;
		check | unit | export | live | web | vm | debian | kernel-log) suites+=("$arg") ;;
		tests/unit/*.c | tests/export/*.sh | tests/live/*.c | tests/live/*.sh) files+=("$arg") ;;
		-h | --help) usage && return 0 ;;
		*) usage >&2 && return 2 ;;
		esac
	done
	mkdir -p "$LOGS" || return 1
	rm -f "$LOGS"/*.log
	if wanted vm; then extra+=(vm); fi
	if wanted debian; then extra+=(debian); fi
	if wanted export; then extra+=(export); fi
	if [[ ${CI:-} = true && ${#files[@]} = 0 && ${#suites[@]} = 0 || " ${suites[*]} " = *" web "* ]]; then extra+=(web); fi
	if [ $install = yes ]; then ./scripts/deps.sh build test fuzz "${extra[@]}" || return 1; fi
	since=$(dmesg_now)
	say "test.sh: building; logs are in $LOGS"
	if ! make -j"$(nproc)" all unit live plants >"$LOGS/build.log" 2>&1; then
		not_ok build "$LOGS/build.log"
	else
		ok build
		wanted check && suite_check
		wanted unit && suite_unit
		wanted live && run_live_program start_tap $HOSTILE
		wanted export && suite_export
		wanted web && suite_web
		wanted live && suite_live
		wanted vm && suite_vm
		wanted debian && suite_debian
		for file in ${files[@]+"${files[@]}"}; do
			case $file in
			tests/unit/*) run_unit tap "$file" ;;
			tests/export/*) run_export "$file" ;;
			*) run_live "$file" ;;
			esac
		done
		wanted kernel-log && suite_kernel_log "${since:-0}"
	fi
	say "flaky: $flaky passed only when run again"
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	[ "$failed" = 0 ]
}

main "$@"
