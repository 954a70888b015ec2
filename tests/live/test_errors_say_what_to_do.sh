#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A command that cannot work prints one clear line on stderr, exits with a status other than 0, and leaves no file.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# refused STATUS PATTERN COMMAND…: check that it fails with STATUS and prints a line that matches.
refused() {
	local want=$1 pattern=$2 status=0
	shift 2
	"$@" >"$WORK/out" 2>"$WORK/err" || status=$?
	[ $status = "$want" ] || fail "$*: status $status, not $want: $(cat "$WORK/err")"
	grep -qiE -e "$pattern" "$WORK/err" || fail "$*: nothing like '$pattern' in: $(cat "$WORK/err")"
	[ ! -s "$WORK/out" ] || fail "$*: printed on stdout: $(cat "$WORK/out")"
}

# one_line: check that there is exactly one error line; warnings before it do not count.
one_line() { [ "$(grep -vc '^kmemtrace: warning: ' "$WORK/err")" = 1 ] || fail "not one line: $(cat "$WORK/err")"; }

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

# A copy that the user nobody can run, wherever the checkout is.
binary_for_all() { install -m 0755 "$KMEMTRACE" "$WORK/kmemtrace"; }

test_unknown_option() {
	refused 2 "unrecognized option.*--nonsense" "$KMEMTRACE" record "${CENSUS[@]}" --nonsense
	refused 2 "unrecognized option.*--nonsense" "$KMEMTRACE" report --nonsense
	refused 2 "unknown command.*'nonsense'" "$KMEMTRACE" nonsense
}

test_bad_values() {
	refused 2 "'soon'" "$KMEMTRACE" record "${CENSUS[@]}" -d soon
	refused 2 "invalid number of objects '0'" "$KMEMTRACE" record "${CENSUS[@]}" --max-live 0
	refused 2 "'few'" "$KMEMTRACE" record "${CENSUS[@]}" --sample few
	refused 2 "cannot be combined with" "$KMEMTRACE" record "${CENSUS[@]}" --exact --sample 64K
}

# A number with a wrong unit must be refused, not interpreted.
test_a_process_number_has_no_unit() {
	refused 2 "invalid process number '4K'" "$KMEMTRACE" record "${CENSUS[@]}" --pid 4K
	refused 2 "invalid number of objects '4MiB'" "$KMEMTRACE" record "${CENSUS[@]}" --max-live 4MiB
}

test_a_limit_on_growth_has_a_unit() {
	refused 2 "'Slab=16' has no unit.*Slab=16M" "$KMEMTRACE" report --fail-if-growth Slab=16 x.kmt
	refused 2 "'slab=16/1h' has no unit" "$KMEMTRACE" diff --fail-if-growth slab=16/1h a.kmt b.kmt
	refused 1 "x.kmt: No such file" "$KMEMTRACE" report --fail-if-growth Slab=16B --fail-if-growth Percpu=0 "$WORK/x.kmt"
}

# Options that contradict each other are refused: none is silently ignored.
test_options_that_exclude_each_other() {
	refused 2 "--every 10m is longer than .*--duration 5" "$KMEMTRACE" record "${CENSUS[@]}" -d 5 --every 10m
	refused 2 "--duration .*twice.* 1 and .* 2" "$KMEMTRACE" record "${CENSUS[@]}" --for 1 -d 2
	refused 2 "--pid is given twice" "$KMEMTRACE" record "${CENSUS[@]}" --pid 1 --pid 2
	refused 2 "--cgroup is given twice" "$KMEMTRACE" record "${CENSUS[@]}" --cgroup /a --cgroup /b
	refused 2 "--output is given twice" "$KMEMTRACE" record "${CENSUS[@]}" -o a.kmt -o b.kmt
	refused 2 "--pool cannot be combined with --cache" "$KMEMTRACE" record "${CENSUS[@]}" --cache dentry --pool vmalloc
	refused 2 "--from \(40 s\) is after --to \(20 s\)" "$KMEMTRACE" report --from 40 --to 20 x.kmt
	refused 2 "--from and --to are the same time" "$KMEMTRACE" report --from 5 --to 5 x.kmt
	refused 2 "--base-from .*is after --base-to" "$KMEMTRACE" diff --base-from 40 --base-to 20 a.kmt b.kmt
}

test_a_mistyped_word_gets_a_suggestion() {
	refused 2 "'recrod'; did you mean record\?" "$KMEMTRACE" recrod
	refused 2 "'doc'; did you mean doctor\?" "$KMEMTRACE" doc
	refused 2 "kmemtrace report now.kmt" "$KMEMTRACE" now.kmt
	refused 2 "command must come before the option -d" "$KMEMTRACE" -d 3
	need_record
	refused 1 "'dentyr'; did you mean dentry\?" "$KMEMTRACE" record "${CENSUS[@]}" --cache dentyr -d 1 -o "$WORK/x.kmt"
	one_line
}

# --pid with a process that cannot be traced is refused before anything is recorded.
test_a_process_that_is_not_there() {
	need_record
	refused 1 "no process 99999999" "$KMEMTRACE" record "${CENSUS[@]}" --pid 99999999 -d 1 -o "$WORK/x.kmt"
	one_line
	plant_start thread 1
	local thread
	thread=$(find "/proc/$PLANT_PID/task" -mindepth 1 -maxdepth 1 -printf '%f\n' | grep -vx "$PLANT_PID")
	refused 1 "$thread is a thread of process $PLANT_PID: give --pid $PLANT_PID" \
		"$KMEMTRACE" record "${CENSUS[@]}" --pid "$thread" -d 1 -o "$WORK/x.kmt"
	one_line
	plant_stop
	# in this namespace, the process has a different number than in the kernel
	refused 1 "PID namespace of its own.*--pid=host" unshare -pf --mount-proc "$KMEMTRACE" record "${CENSUS[@]}" --pid 1 -d 1 -o "$WORK/x.kmt"
	[ ! -e "$WORK/x.kmt" ]
}

# If no allocation passed the filter, a message at the end and the report say so, and trust is low.
test_a_filter_that_nothing_passes() {
	need_record
	cgroup_make # with no process in it
	for filter in "--min-size 1G" "--cgroup $CGROUP"; do
		# shellcheck disable=SC2086 # two words
		"$KMEMTRACE" record "${CENSUS[@]}" -q -f --exact $filter -d 1 -o "$CAPTURE" 2>"$WORK/err" || fail "$(cat "$WORK/err")"
		grep -q '^kmemtrace: warning: no allocation .* was seen: the capture holds' "$WORK/err" || fail "$(cat "$WORK/err")"
		report
		[ "$(json .trust.level)" = low ] || fail "trust is $(json .trust.level)"
		json '.verdict.sentences[]' >"$WORK/verdict"
		grep -q '^No allocation .* was traced' "$WORK/verdict" || fail "$(cat "$WORK/verdict")"
	done
	"$KMEMTRACE" record "${CENSUS[@]}" -q -f --pool vmalloc -d 1 -o "$CAPTURE"
	report
	json '.verdict.sentences[]' >"$WORK/verdict"
	grep -q '^Only these pools were watched: vmalloc' "$WORK/verdict" || fail "$(cat "$WORK/verdict")"
	if grep -q 'Trust in the whole report:' "$WORK/verdict"; then fail "$(cat "$WORK/verdict")"; fi
}

test_captures_in_the_wrong_order() {
	need_record
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 1 -o "$WORK/first.kmt" 2>/dev/null
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 1 -o "$WORK/second.kmt" 2>/dev/null
	"$KMEMTRACE" diff "$WORK/first.kmt" "$WORK/second.kmt" | tr -s ' \n' ' ' >"$WORK/said"
	! grep -qE 'is older than|same time range' "$WORK/said" || fail "$(cat "$WORK/said")"
	"$KMEMTRACE" diff "$WORK/second.kmt" "$WORK/first.kmt" | tr -s ' \n' ' ' >"$WORK/said"
	grep -q 'new capture is older than the base' "$WORK/said" || fail "$(cat "$WORK/said")"
	"$KMEMTRACE" diff "$WORK/first.kmt" "$WORK/first.kmt" | tr -s ' \n' ' ' >"$WORK/said"
	grep -q 'same time range of the same recording' "$WORK/said" || fail "$(cat "$WORK/said")"
	refused 1 "first.kmt lasts only 1 s: ask for an earlier part" "$KMEMTRACE" report --from 10 "$WORK/first.kmt"
	one_line
}

test_a_cgroup_is_named_by_its_path() {
	need_record
	cgroup_make
	local name=${CGROUP##*/}
	refused 1 "no cgroup 'a/b': give its path below ${CGROUP%/*}, such as" "$KMEMTRACE" record "${CENSUS[@]}" --cgroup a/b -d 1 -o "$WORK/x.kmt"
	one_line
	refused 1 "cgroup of version 1" "$KMEMTRACE" record "${CENSUS[@]}" --cgroup 4:memory:/a -d 1 -o "$WORK/x.kmt"
	one_line
	for path in "$name" "/$name" "$CGROUP" "0::/$name"; do
		"$KMEMTRACE" record "${CENSUS[@]}" -q -f --cgroup "$path" -d 0.1 -o "$WORK/x.kmt" 2>"$WORK/err" || fail "$path: $(cat "$WORK/err")"
	done
	"$KMEMTRACE" record "${CENSUS[@]}" --help | tr -s ' \n' ' ' | grep -q 'cgroup2, e.g. /system.slice/' || fail "help does not give the form"
}

# Inside a cgroup namespace, the depth of a cgroup is unknown, so the filter would match nothing.
test_a_cgroup_namespace_is_refused() {
	need_record
	cgroup_make
	mkdir "$CGROUP/sub" "$WORK/tree"
	cat >"$WORK/inside" <<-END
		mount -t cgroup2 none "$WORK/tree" && umount "${CGROUP%/*}"
		exec "$KMEMTRACE" record "${CENSUS[@]}" --cgroup /sub -d 0.5 -o "$WORK/x.kmt"
	END
	refused 1 "container's part.*--cgroupns=host" \
		unshare -m bash -c "mount --make-rprivate /; echo \$\$ >'$CGROUP/cgroup.procs'; exec unshare -C bash '$WORK/inside'"
	rmdir "$CGROUP/sub"
	[ ! -e "$WORK/x.kmt" ]
}

test_no_such_cache() {
	need_record
	refused 1 "no cache.*'no-such-cache'.*slabinfo" "$KMEMTRACE" record "${CENSUS[@]}" --cache no-such-cache -d 1 -o "$WORK/x.kmt"
	one_line
	[ ! -e "$WORK/x.kmt" ]
}

test_no_types_in_the_file() {
	echo nonsense >"$WORK/btf"
	refused 1 "$WORK/btf cannot be read as BTF: it is neither BTF nor an ELF file.*pahole" "$KMEMTRACE" record "${CENSUS[@]}" --btf "$WORK/btf" -d 1 -o "$WORK/x.kmt"
	one_line
	"$KMEMTRACE" doctor --btf "$WORK/btf" >"$WORK/doctor" || [ $? = 1 ]
	grep -q 'BTF: unknown format' "$WORK/doctor" || fail "$(cat "$WORK/doctor")"
	if grep -q 'Invalid argument' "$WORK/doctor"; then fail "$(cat "$WORK/doctor")"; fi
	mkfifo "$WORK/pipe"
	refused 1 "$WORK/pipe cannot be read as BTF" timeout 5 "$KMEMTRACE" record "${CENSUS[@]}" --btf "$WORK/pipe" -d 1 -o "$WORK/x.kmt"
	refused 1 "$WORK/none cannot be read as BTF: No such file" "$KMEMTRACE" record "${CENSUS[@]}" --btf "$WORK/none" -d 1 -o "$WORK/x.kmt"
	[ ! -e "$WORK/x.kmt" ]
}

# Hidden files and limits of this process must not be reported as a missing feature of the kernel.
# hidden PATTERN MOUNT…: with this mount, in a mount namespace, doctor and record must refuse with PATTERN.
hidden() {
	local pattern=$1
	shift
	printf 'mount --make-rprivate /\nmount %s || exit 99\nexec "$@"\n' "$*" >"$WORK/hide"
	refused 1 "$pattern" unshare -m bash "$WORK/hide" "$KMEMTRACE" record "${CENSUS[@]}" -d 0.5 -o "$WORK/x.kmt"
	one_line
	doctor_refuses "$pattern" unshare -m bash "$WORK/hide"
	[ ! -e "$WORK/x.kmt" ]
}

# doctor_refuses PATTERN PREFIX…: check that doctor, run with PREFIX, refuses with PATTERN.
doctor_refuses() {
	local status=0
	"${@:2}" "$KMEMTRACE" doctor >"$WORK/doctor" 2>&1 || status=$?
	[ $status = 1 ] || fail "doctor: status $status"
	tr -s ' \n' ' ' <"$WORK/doctor" | grep -qE -e "would NOT work here: .*$1.* HOST" || fail "doctor: $(cat "$WORK/doctor")"
}

test_proc_or_sys_is_missing() {
	need_record
	: >"$WORK/nothing"
	mkdir "$WORK/directory"
	hidden '/proc is not mounted here: run .mount -t proc' -t tmpfs none /proc
	grep -q "Kernel: $(uname -r)" "$WORK/doctor" || fail "$(cat "$WORK/doctor")"
	hidden '/sys is not mounted here: run .mount -t sysfs' -t tmpfs none /sys
	cp /sys/kernel/btf/vmlinux "$WORK/btf" # this does not help: the number of CPUs is also in /sys
	refused 1 '/sys is not mounted here' \
		unshare -m bash "$WORK/hide" "$KMEMTRACE" record "${CENSUS[@]}" --btf "$WORK/btf" -d 0.5 -o "$WORK/x.kmt"
	one_line
	if grep -q 'this kernel has no' "$WORK/doctor"; then fail "$(cat "$WORK/doctor")"; fi
	hidden '/proc/meminfo has no MemTotal' --bind "$WORK/nothing" /proc/meminfo
	printf 'mount --make-rprivate /\nmount --bind "%s" /proc/slabinfo || exit 99\nexec "$@"\n' "$WORK/nothing" >"$WORK/hide"
	refused 1 '--cache needs /proc/slabinfo' \
		unshare -m bash "$WORK/hide" "$KMEMTRACE" record "${CENSUS[@]}" --cache dentry -d 0.5 -o "$WORK/x.kmt"
	one_line
}

test_limits_of_this_process() {
	need_record
	for files in 5 20 60; do
		refused 1 'run .ulimit -n 1024. first' prlimit --nofile=$files "$KMEMTRACE" record "${CENSUS[@]}" -d 0.5 -o "$WORK/x.kmt"
		one_line
	done
	doctor_refuses 'ulimit -n 1024' prlimit --nofile=60
	for space in 16000000 19000000 30000000; do
		refused 1 'run .ulimit -v unlimited. first' prlimit --as=$space "$KMEMTRACE" record "${CENSUS[@]}" -d 0.5 -o "$WORK/x.kmt"
		one_line
	done
	doctor_refuses 'ulimit -v unlimited' prlimit --as=19000000
	for data in 500000 12000000 18000000; do
		refused 1 'run .ulimit -d unlimited. first' prlimit --data=$data "$KMEMTRACE" record "${CENSUS[@]}" -d 0.5 -o "$WORK/x.kmt"
		one_line
		doctor_refuses 'ulimit -d unlimited' prlimit --data=$data
	done
	refused 1 'ulimit -v unlimited' prlimit --as=100000000 "$KMEMTRACE" record "${CENSUS[@]}" --exact --memory 128M -d 0.5 -o "$WORK/x.kmt"
	one_line
	[ ! -e "$WORK/x.kmt" ]
	# with as many files as it asks for it works
	prlimit --nofile=160 "$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.5 -o "$WORK/x.kmt" 2>"$WORK/err" || fail "$(cat "$WORK/err")"
}

# The message must name the missing capability, not kptr_restrict, which does not hide names at 0 or 1.
test_names_that_are_hidden() {
	need_record
	[ "$(cat /proc/sys/kernel/kptr_restrict)" -le 1 ] || skip "kptr_restrict hides them from everyone"
	[ "$(cat /proc/sys/kernel/perf_event_paranoid)" -gt 1 ] || skip "perf_event_paranoid shows them to everyone"
	without_capabilities syslog "$KMEMTRACE" record "${CENSUS[@]}" -q --exact -d 1 -o "$WORK/x.kmt" 2>"$WORK/err"
	grep -q 'no names: .*without CAP_SYSLOG: record as root' "$WORK/err" || fail "$(cat "$WORK/err")"
	! grep -q sysctl "$WORK/err" || fail "$(cat "$WORK/err")"
	without_capabilities syslog "$KMEMTRACE" doctor | tr -s ' \n' ' ' >"$WORK/doctor"
	grep -q 'Symbols: hidden: call paths will have no names' "$WORK/doctor" || fail "$(cat "$WORK/doctor")"
}

test_unwritable_path() {
	need_record
	refused 1 "/nonexistent/x.kmt" "$KMEMTRACE" record "${CENSUS[@]}" -d 1 -o /nonexistent/x.kmt
	one_line
	refused 1 "$WORK .*(directory|not a capture)" "$KMEMTRACE" record "${CENSUS[@]}" -d 1 -o "$WORK"
	one_line
}

test_a_capture_is_not_overwritten_unasked() {
	need_record
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 -o "$WORK/x.kmt" 2>/dev/null
	cp "$WORK/x.kmt" "$WORK/copy.kmt"
	refused 1 "x.kmt.*(exists|force)" "$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 -o "$WORK/x.kmt"
	one_line
	cmp "$WORK/x.kmt" "$WORK/copy.kmt"
}

test_a_file_that_is_no_capture_is_never_overwritten() {
	need_record
	echo precious >"$WORK/notes"
	refused 1 "notes" "$KMEMTRACE" record "${CENSUS[@]}" -q -f -d 0.2 -o "$WORK/notes"
	[ "$(cat "$WORK/notes")" = precious ]
}

# Use a separate file system in a mount namespace.
test_disk_full_at_the_start() {
	need_record
	cat >"$WORK/full" <<-END
		mount -t tmpfs -o size=16k none /mnt && "$KMEMTRACE" record "${CENSUS[@]}" -q -d 1 -o /mnt/x.kmt; s=\$?
		ls /mnt >&3
		exit \$s
	END
	refused 1 "space|full" unshare -m bash "$WORK/full" 3>"$WORK/left"
	one_line
	[ ! -s "$WORK/left" ] || fail "left behind: $(cat "$WORK/left")"
}

test_disk_full_while_recording() {
	need_record
	cat >"$WORK/full" <<-END
		mount -t tmpfs -o size=600k none /mnt
		"$KMEMTRACE" record "${CENSUS[@]}" --exact -q -d 30 -o /mnt/x.kmt -- "$PLANT" stacks 5000 --seconds 4 >/dev/null; s=\$?
		"$KMEMTRACE" report --format json /mnt/x.kmt >&3 2>&1 || ls -l /mnt >&3 # json_seen below
		exit \$s
	END
	refused 1 "space|full" unshare -m bash "$WORK/full" 3>"$WORK/left"
	one_line
	grep -q "warning: .* can be read: $KMEMTRACE report /mnt/x.kmt\$" "$WORK/err"
	[ "$(json_seen report <"$WORK/left" | jq .capture.complete)" = false ] || fail "what is left does not open: $(cat "$WORK/left")"
}

test_record_without_root() {
	[ "$(id -u)" = 0 ] || skip "needs root to become nobody"
	binary_for_all
	refused 1 "root|sudo|CAP_" as_nobody "$WORK/kmemtrace" record -d 1 -o /tmp/kmemtrace-nobody.kmt
	one_line
	[ ! -e /tmp/kmemtrace-nobody.kmt ]
}

# Root without capabilities, or with those of a user namespace.
test_record_as_root_of_a_container() {
	[ "$(id -u)" = 0 ] || skip "needs root to give up capabilities"
	refused 1 "container needs CAP_BPF and CAP_PERFMON" \
		without_capabilities bpf,perfmon,sys_admin "$KMEMTRACE" record "${CENSUS[@]}" -d 1 -o "$WORK/x.kmt"
	one_line
	[ ! -e "$WORK/x.kmt" ]
}

test_record_in_a_user_namespace() {
	unshare -Ur true || skip "no user namespace can be made here; a chroot never may"
	refused 1 "not have a user namespace of its own" unshare -Ur "$KMEMTRACE" record "${CENSUS[@]}" -d 1 -o "$WORK/x.kmt"
	one_line
	[ ! -e "$WORK/x.kmt" ]
}

test_doctor_without_root() {
	[ "$(id -u)" = 0 ] || skip "needs root to become nobody"
	binary_for_all
	local status=0
	as_nobody "$WORK/kmemtrace" doctor >"$WORK/out" 2>&1 || status=$?
	[ $status = 1 ]
	tr -s ' \n' ' ' <"$WORK/out" | grep -qiE "would not work.*(root|sudo|CAP_)"
	{ as_nobody "$WORK/kmemtrace" doctor --format json || true; } | json_seen doctor | jq -e '.can_record == false' >/dev/null
}

test_a_capture_is_private_and_then_readable_by_anyone() {
	need_record
	binary_for_all
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 -o "$WORK/x.kmt" 2>/dev/null
	[ "$(stat -c %a "$WORK/x.kmt")" = 600 ]
	refused 1 "x.kmt.*[Pp]ermission" as_nobody "$WORK/kmemtrace" report "$WORK/x.kmt"
	chmod 644 "$WORK/x.kmt"
	as_nobody "$WORK/kmemtrace" report --format json "$WORK/x.kmt" | json_seen report | jq -e .schema >/dev/null
}

test_report_of_what_is_no_capture() {
	refused 1 "nothing.kmt" "$KMEMTRACE" report "$WORK/nothing.kmt"
	one_line
	head -c 8192 /dev/urandom >"$WORK/noise.kmt"
	refused 1 "noise.kmt" "$KMEMTRACE" report "$WORK/noise.kmt"
	one_line
	: >"$WORK/empty.kmt"
	refused 1 "empty.kmt" "$KMEMTRACE" report "$WORK/empty.kmt"
	one_line
}

test_output_that_cannot_be_written() {
	need_record
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 -o "$WORK/x.kmt" 2>/dev/null
	refused 1 "write" bash -c "'$KMEMTRACE' report '$WORK/x.kmt' >/dev/full"
	one_line
}

# If a reader such as "| head" goes away, the status is not 0, and there is no message.
test_a_reader_that_goes_away_is_not_bothered() {
	need_record
	"$KMEMTRACE" record "${CENSUS[@]}" -q -d 0.2 -o "$WORK/x.kmt" 2>/dev/null
	{
		sleep 0.2
		"$KMEMTRACE" report "$WORK/x.kmt" 2>"$WORK/err" || echo "status $?" >>"$WORK/err"
	} | true
	[ "$(cat "$WORK/err")" = "status 1" ] || fail "$(cat "$WORK/err")"
}

# On a narrow terminal, no progress line is too wide, and a message starts on a new line.
test_progress_fits_the_terminal() {
	need_record
	cat >"$WORK/narrow" <<-END
		stty cols 40
		"$KMEMTRACE" record "${CENSUS[@]}" -d 2.2 -o "$WORK/x.kmt"
	END
	script -qec "bash $WORK/narrow" /dev/null </dev/null | tr -s '\r' '\n' | sed 's/\x1b\[K//' >"$WORK/shown"
	grep -q '^1 of 2 s  ' "$WORK/shown" || fail "no progress: $(cat "$WORK/shown")"
	grep -q '^kmemtrace: wrote ' "$WORK/shown" || fail "no line of its own: $(cat "$WORK/shown")"
	! grep -E '^[0-9]+ of 2 s.{40}' "$WORK/shown"
}

run_tests
