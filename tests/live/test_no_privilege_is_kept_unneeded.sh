#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tool keeps only the capabilities that it needs, which limits the damage of a flaw, and still reports all figures.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
CENSUS=() # as users record

# the bits of capabilities, from capabilities.h
declare -A BIT=([CHOWN]=0 [DAC_OVERRIDE]=1 [DAC_READ_SEARCH]=2 [KILL]=5 [SYS_PTRACE]=19 [SYS_ADMIN]=21 [SYSLOG]=34)

sets_of() { # PID: "PRM EFF BND AMB INH NNP"
	awk '{ sub(":", "", $1); v[$1] = $2 }
		END { print v["CapPrm"], v["CapEff"], v["CapBnd"], v["CapAmb"], v["CapInh"], v["NoNewPrivs"] }' "/proc/$1/status"
}

# has_only PID NAME…: check that every set has at most these, and that the process cannot gain more.
has_only() {
	local pid=$1 most=0 name prm eff bnd amb inh nnp
	shift
	for name; do most=$((most | 1 << BIT[$name])); done
	read -r prm eff bnd amb inh nnp < <(sets_of "$pid")
	echo "$pid: permitted $prm effective $eff bounding $bnd ambient $amb inheritable $inh no_new_privs $nnp"
	for set in "$prm" "$eff" "$bnd" "$amb" "$inh"; do
		[ $((0x$set & ~most)) = 0 ] || fail "0x$set is more than $* (pid $pid)"
	done
	[ "$nnp" = 1 ] || fail "it could gain privileges by running a program"
}

needs_all() { # skip unless the recorder starts with all capabilities
	[ "$(id -u)" = 0 ] || skip "needs root"
	[ $(($(awk '$1 == "CapEff:" { print "0x" $2 }' /proc/self/status) & 1 << BIT[SYS_ADMIN])) != 0 ] ||
		skip "has no CAP_SYS_ADMIN to give up"
}

is_reduced() { in_file "gave up " "$RECORD_ERR"; }

# child_of PID NAME: print the pid of a child of the recorder.
child_of() {
	{ cat /proc/[0-9]*/status 2>/dev/null || true; } |
		awk -v parent="$1" -v name="$2" '$1 == "Name:" { n = $2 } $1 == "Pid:" { p = $2 }
			$1 == "PPid:" && $2 == parent && n == name { print p }'
}

test_the_recorder_keeps_few_capabilities() {
	need_record
	needs_all
	local own helper command
	own=$(sets_of $BASHPID)
	record_start -d 30 -- sleep 60
	is_reduced
	has_only "$RECORD_PID" SYSLOG KILL
	helper=$(child_of "$RECORD_PID" kmemtrace-stats)
	[ -n "$helper" ] || fail "nobody measures the cost"
	has_only "$helper" SYS_ADMIN SYS_PTRACE
	[ "$(ls "/proc/$helper/fd")" = 3 ] || fail "the helper has open: $(ls -l "/proc/$helper/fd")"
	command=$(child_of "$RECORD_PID" sleep)
	[ "$(sets_of "$command")" = "$own" ] || fail "the command has $(sets_of "$command"), not $own"
	kill "$RECORD_PID"
	wait "$RECORD_PID" || true
	[ ! -e "/proc/$helper" ] || fail "the helper stays"
	grep -E 'gave up [0-9]+ capabilities, kept: CAP_' "$RECORD_ERR"
}

test_killed_it_leaves_no_helper() {
	need_record
	needs_all
	record_start
	local helper
	helper=$(child_of "$RECORD_PID" kmemtrace-stats)
	[ -n "$helper" ]
	kill -9 "$RECORD_PID"
	wait "$RECORD_PID" || true
	until_true 2 test ! -e "/proc/$helper" || fail "the helper stays"
}

# Audit, levels, names, tasks, cost, checkpoints: all these work after the capabilities are gone.
test_every_figure_is_still_there() {
	need_record
	needs_all
	record_start --exact
	is_reduced
	plant_start msg 20000 --size 1024
	plant_start epoll 20000
	kill "$PLANT_PID"
	sleep 5
	record_stop
	report
	[ "$(json .capture.complete)" = true ]
	[ "$(json .capture.audit)" = ok ]
	[ "$(json .capture.stack_symbols)" = ok ]
	[ "$(json '.capture.overhead_cpu_percent > 0')" = true ] || fail "the cost was not measured"
	[ "$(json '.capture.counters.audit_runs >= 2')" = true ] || fail "$(json .capture.counters)"
	[ "$(json '.capture.counters.audit_judged > 100')" = true ] || fail "$(json .capture.counters)"
	json '[.growth[] | select(.processes[0].comm == "plant" and .pool == "slab")][0] | "\(.objects) \(.stack[0:2])"'
	within "objects held" "$(json '[.growth[] | select(.pool == "slab" and (.processes[0].comm == "plant"))][0].objects')" 20000 1
	[ "$(json '[.caches[] | select(.agrees == "yes")] | length > 0')" = true ]
	! grep -iE 'permitted|permission|denied' "$RECORD_ERR"
}

# Paused pools are attached again without the capability to load programs.
test_the_governor_may_attach_again() {
	need_record
	needs_all
	record_start -d 8 --max-overhead 0.001
	sleep 1
	"$CHURN" msg 2000000 >/dev/null 2>&1 &
	started+=($!)
	wait "$RECORD_PID" || fail "$(cat "$RECORD_ERR")"
	cat "$RECORD_ERR"
	grep -q 'not watched until' "$RECORD_ERR" || fail "nothing was paused"
	! grep -iE 'permitted|permission|denied|cannot' "$RECORD_ERR"
}

# Root in the directory of a user keeps what it needs to write there, and the capture is complete.
test_a_users_directory_can_be_written() {
	need_record
	needs_all
	mkdir "$WORK/user"
	chown 65534 "$WORK/user"
	chmod 700 "$WORK/user"
	CAPTURE=$WORK/user/x.kmt
	record_start --every 1s
	is_reduced
	has_only "$RECORD_PID" SYSLOG DAC_OVERRIDE
	grep -q 'kept: .*CAP_DAC_OVERRIDE (to write to a directory of another user)' "$RECORD_ERR"
	sleep 2
	record_stop
	report
	[ "$(json .capture.complete)" = true ]
	ls -A "$WORK/user"
	[ "$(ls -A "$WORK/user")" = x.kmt ]
}

# The command may change its user; the recorder must still be able to end it.
test_a_command_of_another_user_is_ended() {
	need_record
	needs_all
	local since=$EPOCHREALTIME
	"$KMEMTRACE" record "${CENSUS[@]}" -v -d 1 -o "$CAPTURE" -- setpriv --reuid=65534 --clear-groups sleep 60 2>"$RECORD_ERR"
	is_reduced
	! in_file "still running" "$RECORD_ERR" || fail "$(cat "$RECORD_ERR")"
	[ "$(ms_since "$since")" -lt 10000 ]
}

blocked() { in_file pipe_w "/proc/$1/wchan"; }

# none_left COMMAND…: check that it has no capabilities while it waits to write. The pipe is full before it starts.
none_left() {
	local pid full
	mkfifo "$WORK/out"
	exec {full}<>"$WORK/out"
	head -c 65536 /dev/zero >&"$full"
	"$@" >"$WORK/out" 2>"$WORK/err" &
	pid=$!
	started+=("$pid")
	exec {out}<"$WORK/out" {full}<&-
	until_true 5 blocked "$pid" || fail "it does not wait to write: $(cat "$WORK/err")"
	has_only "$pid"
	cat <&"$out" >"$WORK/document"
	exec {out}<&-
	wait "$pid"
	rm "$WORK/out"
	[ "$(stat -c %s "$WORK/document")" -gt 65536 ]
}

# Use a capture of another user, which only root can read.
test_readers_have_no_capabilities_left() {
	need_record
	needs_all
	record_start --exact
	plant_start stacks 2000
	record_stop
	plant_stop
	mkdir "$WORK/user"
	cp "$CAPTURE" "$WORK/user/a.kmt"
	cp "$CAPTURE" "$WORK/user/b.kmt"
	chown -R 65534 "$WORK/user"
	chmod 700 "$WORK/user"
	chmod 600 "$WORK/user/"*
	none_left "$KMEMTRACE" report -f json -n 0 "$WORK/user/a.kmt"
	none_left "$KMEMTRACE" export -f ndjson "$WORK/user/a.kmt"
	none_left "$KMEMTRACE" diff "$WORK/user/a.kmt" "$WORK/user/b.kmt"
	none_left "$KMEMTRACE" diff --base-set "$WORK/user" "$CAPTURE"
	none_left "$KMEMTRACE" balance "$WORK/user/a.kmt"
}

# doctor and live balance need capabilities to ask the kernel, but none to print.
test_printing_needs_no_capability() {
	needs_all
	none_left "$KMEMTRACE" doctor
	none_left "$KMEMTRACE" balance
}

run_tests
