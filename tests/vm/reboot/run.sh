#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest's part of scripts/vm-reboot.sh: record while planting as many messages as the kernel's command line says
# (kmt_count=N), and send the capture to the host, with its report and the address of the kernel. It must run in busybox sh.
count=$(sed -n 's/.*kmt_count=\([0-9]*\).*/\1/p' /proc/cmdline)

hand_over() { # NAME COMMAND…
	name=$1
	shift
	printf '\n@@BEGIN %s\n' "$name"
	"$@"
	printf '\n@@END %s\n' "$name"
}

cat >/tmp/hold <<EOF
/t/plant/plant msg $count --size 976 --seconds 60 >/tmp/ready &
until grep -q READY /tmp/ready; do sleep 0.2; done
sleep 1
EOF
timeout -s KILL 90 ./kmemtrace record -q -f --exact -o /tmp/t.kmt -- sh /tmp/hold >/tmp/record.out 2>&1 || {
	printf '\nnot ok record - %s\n' "$(tail -n 1 /tmp/record.out)"
	exit 1
}
printf '\nok record\n'
hand_over text.addr sed -n 's/^\([0-9a-f]*\) T _text$/\1/p; s/^\([0-9a-f]*\) T _stext$/\1/p' /proc/kallsyms
hand_over record.json ./kmemtrace report --format json /tmp/t.kmt
gzip -c /tmp/t.kmt >/tmp/t.gz
hand_over capture.b64 base64 /tmp/t.gz
