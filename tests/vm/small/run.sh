#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The suite of a guest with very little memory, run by tests/vm/small.sh: a recording fits, or one line refuses it with the
# true reason, and the kernel kills no process. It must run in busybox sh.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

gunzip kmemtrace.gz && chmod +x kmemtrace
CAPTURE=/tmp/t.kmt

available_kb() { awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo; }

# one_of TEST DOCTOR_STATUS OPTION…: it must record to the end, or be refused for lack of memory, as doctor predicted.
one_of() {
	name=$1 doctor=$2
	shift 2
	rm -f "$CAPTURE"
	timeout -s KILL 60 ./kmemtrace record -q -d 1 -o "$CAPTURE" "$@" >/tmp/out 2>&1
	status=$?
	if [ $status = 0 ] && [ "$doctor" = 0 ]; then
		ok "$name"
	elif [ $status = 1 ] && [ "$doctor" = 1 ] && [ "$(wc -l </tmp/out)" = 1 ] &&
		grep -q 'too little memory is left to record' /tmp/out && [ ! -e "$CAPTURE" ]; then
		ok "$name"
	else
		not_ok "$name" "status $status, doctor's $doctor: $(tail -n 3 /tmp/out | tr '\n' ' ')"
	fi
}

# What the guest had beside: it must be alive at the end.
sleep 1000 &
victim=$!

echo "MemTotal, MemAvailable: $(awk '/^Mem(Total|Available)/ { print $2 }' /proc/meminfo | tr '\n' ' ')kB"
before=$(available_kb)
./kmemtrace doctor >/tmp/doctor 2>&1
doctor=$?
grep -A 3 'Memory:' /tmp/doctor
head -n 5 /tmp/doctor
one_of small-sampled "$doctor"
cat /tmp/out
one_of small-exact "$doctor" --exact
if ./kmemtrace record -q -f -d 1 -o "$CAPTURE" --memory 200M 2>/tmp/out; then
	not_ok small-refused "200 MiB of tables were made"
elif grep -qE 'more than this host can spare|too little memory is left' /tmp/out; then
	ok small-refused
else
	not_ok small-refused "$(cat /tmp/out)"
fi
# What the refusal sends the user to fits even here.
if ./kmemtrace balance >/tmp/out 2>&1 && grep -q Unaccounted /tmp/out; then
	ok small-balance
else
	not_ok small-balance "$(tail -n 3 /tmp/out | tr '\n' ' ')"
fi
dmesg >/tmp/dmesg
if grep -qiE 'out of memory|oom-kill|invoked oom' /tmp/dmesg; then
	not_ok small-nobody-killed "$(grep -iE -m 1 'out of memory|oom-kill|invoked oom' /tmp/dmesg)"
elif kill -0 $victim; then
	ok small-nobody-killed
else
	not_ok small-nobody-killed "the other process is gone"
fi
rm -f "$CAPTURE"
sleep 1
# what a recording took is given back: 6 MiB are for caches that have grown
within small-given-back "$(available_kb)" $((before - 6144)) 10000000
[ "$failed" -eq 0 ]
