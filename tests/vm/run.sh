#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest-side suite: what must be true of kmemtrace on every kernel. Run by tests/vm/init in a booted guest, in a
# directory that holds kmemtrace, jsonq, bpfload, tracer.o and plant/. busybox sh only.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

# Planted kinds (tests/plant) and how many of each: one object of the named cache, from the named function, each.
PLANTED="file:5000 dentry:5000 msg:3000 pipe:500 epoll:3000 timerfd:2000"
# The same beside slab: POOL, the event it is traced by, kind, count, objects that each makes (a page or a ring's block).
POOLS="kstack task:task_newtask thread 300 1
pagetable kmem:mm_page_alloc sparse 1000 1
page kmem:mm_page_alloc pipedata 100 16
page kmem:mm_page_alloc packet 10 16
vmalloc vmalloc:alloc_vmap_area bpfarray 10 1
percpu percpu:percpu_alloc_percpu bpfpercpu 100 1"
CHURNED="msg:20000 pipe:10000 epoll:10000 timerfd:5000"
CAPTURE=/tmp/t.kmt
REPORT=/tmp/t.json

json() { ./jsonq "$REPORT" "$1" 2>/dev/null; }

test_version() {
	attempt version ./kmemtrace --version
}

# The kernels in the list all have BTF; one without would make every other failure here hard to read.
test_btf() {
	if [ -s /sys/kernel/btf/vmlinux ]; then ok btf; else not_ok btf "no /sys/kernel/btf/vmlinux"; fi
}

# Each BPF program by itself, when they cannot be loaded together: the verifier's refusal is what one wants to know.
load_each() {
	object=tracer.o
	[ "$(./jsonq /tmp/doctor.json cmpxchg)" = true ] || object=tracer_legacy.o
	./bpfload $object
}

test_doctor() {
	attempt doctor ./kmemtrace doctor
	file_block doctor /tmp/attempt.out
	./kmemtrace doctor --format json >/tmp/doctor.json 2>&1
	file_block doctor.json /tmp/doctor.json
}

# record NAME OPTION… -- COMMAND: record while the command runs, then report to $REPORT. A failure is NAME's.
record() {
	name=$1
	shift
	rm -f "$CAPTURE" "$REPORT"
	if ! timeout -s KILL 90 ./kmemtrace record -q -f -o "$CAPTURE" "$@" >/tmp/record.out 2>&1; then
		not_ok "$name" "record: $(grep -v ': wrote ' /tmp/record.out | tail -n 1)"
		return 1
	fi
	if ! ./kmemtrace report --format json "$CAPTURE" >"$REPORT" 2>/tmp/report.err; then
		not_ok "$name" "report failed: $(tail -n 1 /tmp/report.err)"
		return 1
	fi
	file_block "$name.json" "$REPORT"
}

test_record() {
	record record --verbose -d 2 || { load_each; return; }
	gzip -c "$CAPTURE" | base64 >/tmp/capture.b64
	file_block capture.b64 /tmp/capture.b64
	if [ "$(json capture.complete)" = true ]; then ok record; else not_ok record "the capture is not complete"; fi
	within record-slab-level "$(json pools.name=Slab.end_kb)" 1000 200000
	# where the number of a task's system call lies: paths are told apart by it
	within record-system-call "$(sed -n 's/.*system call number is \([0-9]*\) bytes.*/\1/p' /tmp/record.out)" 16 128
}

# ready KIND FIELD: of the READY line that the plant printed.
ready() { sed -n "s/^READY.* $2=\([^ ]*\).*/\1/p" "/tmp/ready.$1"; }

# matches TEXT PATTERNS: one of the comma-separated shell patterns.
matches() {
	old_ifs=$IFS
	IFS=,
	set -f
	for pattern in $2; do
		# shellcheck disable=SC2254 # it is a pattern
		case $1 in $pattern) IFS=$old_ifs; set +f; return 0 ;; esac
	done
	IFS=$old_ifs
	set +f
	return 1
}

# cache_is CACHE PATTERNS: it, or a name merged with it, is one of these; no name is no lie.
cache_is() {
	[ "$1" != - ] || return 0
	# kmalloc-* is the caches; large kmalloc lies in none.
	[ "$1" != kmalloc-large ] || [ "$2" = kmalloc-large ] || return 1
	for name in $1 $(json "caches.name=$1.aliases.*"); do
		matches "$name" "$2" && return 0
	done
	return 1
}

# stack_has STACK FUNCTIONS: one of the comma-separated functions.
stack_has() {
	for function in $(echo "$2" | tr , ' '); do
		case " $1" in *" $function+"*) return 0 ;; esac
	done
	return 1
}

# plant_start KIND:COUNT…, plants_ready KIND:COUNT…: lines of a script that leaves plants behind that hold their objects,
# each with its READY line in /tmp/ready.KIND. Ended by release.
plant_start() {
	for plant in "$@"; do
		kind=${plant%%:*}
		echo "plant/plant $kind ${plant#*:} --seconds 120 >/tmp/ready.$kind 2>&1 & echo \$! >>/tmp/plant.pids"
	done
}

plants_ready() {
	for plant in "$@"; do
		kind=${plant%%:*}
		echo "n=0; until grep -q READY /tmp/ready.$kind; do n=\$((n + 1)); [ \$n -lt 200 ] || exit 1; sleep 0.2; done"
	done
}

# hold KIND:COUNT…: the command that is recorded: the plants, one after the other (see test_together).
hold() {
	rm -f /tmp/ready.* /tmp/plant.pids
	for plant in "$@"; do
		plant_start "$plant"
		plants_ready "$plant"
	done >/tmp/hold
	echo "sleep 1" >>/tmp/hold
}

release() {
	while read -r pid; do kill "$pid" 2>/dev/null; done </tmp/plant.pids
	wait
}

# growths: of the report that was made last, the largest first, into /tmp/growths.
growths() { ./jsonq "$REPORT" growth pool cache objects stack | head -n 40 >/tmp/growths; }

# slab_objects FUNCTIONS CACHES: of the largest growth that was allocated by one of these from one of these. A timer
# descriptor comes with a file, from the same function.
slab_objects() {
	while IFS='	' read -r pool cache objects stack; do
		if [ "$pool" = slab ] && stack_has "$stack" "$1" && cache_is "$cache" "$2"; then
			echo "$objects"
			return
		fi
	done </tmp/growths
}

# pool_objects POOL FUNCTIONS: of all growths of the pool with one of these in the stack (7.3 fills a pipe by two paths).
pool_objects() {
	sum=
	while IFS='	' read -r pool cache objects stack; do
		[ "$pool" = "$1" ] && stack_has "$stack" "$2" && sum=$((${sum:-0} + objects))
	done </tmp/growths
	echo $sum
}

# lost: how many events the report of the last recording says it missed; 0 where it asks for full trust all the same.
lost() {
	[ "$(json trust.level)" = high ] && echo 0 && return
	for loss in recursion_misses live_table_full; do ./jsonq "$REPORT" capture.losses.$loss; done | awk '{ n += $1 } END { print n }'
}

# held TEST OBJECTS WANTED [MORE]: planted memory is in the report, all of it but for what it says it lost. What there is
# instead, when it is not.
held() {
	if [ -n "$2" ]; then
		within "$1" "$2" $(($3 - $3 / 100 - $(lost))) $(($3 + $3 / 50 + 20 + ${4:-0}))
	else
		not_ok "$1" "not among the growths, which begin: $(cut -c 1-120 /tmp/growths | head -n 4 | tr '\n\t' '; ')"
	fi
}

# Planted objects are in the report, all of them, under their cache and with their call path.
test_planted() {
	# shellcheck disable=SC2086 # words
	hold $PLANTED
	if record planted --exact -- sh /tmp/hold; then
		ok planted
		growths
		for plant in $PLANTED; do
			kind=${plant%%:*}
			held "planted-$kind" "$(slab_objects "$(ready "$kind" stack)" "$(ready "$kind" caches)")" "${plant#*:}"
		done
	else
		cat /tmp/ready.*
	fi
	release
}

# What is allocated in bulk, where no event tells: traced by fexit where the kernel allows it, else estimated from slabinfo.
test_bulk() {
	hold iouring:4000
	if record bulk --exact -- sh /tmp/hold; then
		growths
		if [ "$(./jsonq /tmp/doctor.json hooks.name=kmem_cache_alloc_bulk.attached)" = true ]; then
			held bulk-traced "$(slab_objects "$(ready iouring stack)" "$(ready iouring caches)")" 4000
		else
			# of a cache that may be merged with others
			unseen=$(./jsonq "$REPORT" caches unseen_alloc_objects | sort -n | tail -n 1)
			within bulk-estimated "${unseen%.*}" 3600 4400
		fi
	fi
	release
}

# Several at a time. From 7.0 on, events are lost while a task that was preempted in a program waits for its turn; an
# emulator makes that frequent. Whatever is missing, the report has counted it, and does not ask for trust.
test_together() {
	rm -f /tmp/ready.* /tmp/plant.pids
	# shellcheck disable=SC2086 # words
	{ plant_start $PLANTED; plants_ready $PLANTED; } >/tmp/hold
	if record together --exact -- sh /tmp/hold; then
		growths
		missing=0
		for plant in $PLANTED; do
			kind=${plant%%:*} count=${plant#*:}
			objects=$(slab_objects "$(ready "$kind" stack)" "$(ready "$kind" caches)")
			[ "${objects:-0}" -ge "$count" ] || missing=$((missing + count - ${objects:-0}))
		done
		within together "$missing" 0 $((150 + $(lost))) "what is missing"
	fi
	release
}

# Types from a file, on a kernel that shows none of its own; from 7.0 on that is refused.
test_btf_file() {
	cp /sys/kernel/btf/vmlinux /tmp/btf
	mount -t tmpfs none /sys/kernel/btf
	if ./kmemtrace record -q -d 1 -f -o "$CAPTURE" 2>/tmp/attempt.out || ! grep -q 'no BTF.*--btf FILE' /tmp/attempt.out; then
		not_ok no-btf "$(cat /tmp/attempt.out)"
	else
		ok no-btf
	fi
	hold msg:3000
	if ./kmemtrace doctor --btf /tmp/btf >/tmp/attempt.out; then
		record btf-file --btf /tmp/btf --exact -- sh /tmp/hold && within btf-file "$(json growth.0.objects)" 2970 3080
	elif grep -q "must turn preemption off" /tmp/attempt.out; then
		ok btf-file
	else
		not_ok btf-file "$(tail -n 1 /tmp/attempt.out)"
	fi
	release
	umount /sys/kernel/btf
}

# Planted memory of the other pools is in the report, all of it, with its path; where the pool is traced.
test_pools() {
	# shellcheck disable=SC2046 # words
	hold $(echo "$POOLS" | awk '{ print $3 ":" $4 }')
	if record pools --exact -- sh /tmp/hold; then
		ok pools
		growths
		while read -r of event kind count each; do
			if [ "$(./jsonq /tmp/doctor.json "hooks.name=$event.attached")" = true ]; then
				more=0
				[ "$of" != pagetable ] || more=300 # the stacks of the planted threads, if they share no table
				held "pool-$kind" "$(pool_objects "$of" "$(ready "$kind" stack)")" $((count * each)) $more
			elif [ "$of" = vmalloc ]; then # the difference of vmallocinfo carries the pool, by caller (before 6.2)
				./jsonq "$REPORT" levels.vmalloc.callers caller delta_kb >/tmp/callers
				within "pool-$kind" "$(awk -v f="$(ready "$kind" stack)" '
					BEGIN { split(f, names, ","); for (i in names) wanted[names[i]] }
					{ sub(/\+.*/, "", $1) } $1 in wanted { sum += $2 } END { print sum + 0 }' /tmp/callers)" \
					$((count * 1024)) $((count * 1024 + 512))
				if [ "$(json pools.name=VmallocUsed.attributed_from)" != vmallocinfo ]; then
					not_ok "pool-$kind-said" "the report does not say that vmallocinfo carries the pool"
				fi
			else
				skip "pool-$kind" "$(./jsonq /tmp/doctor.json "hooks.name=$event.reason")"
			fi
		done <<-EOF
			$POOLS
		EOF
		# page tables are marked as such, on each kernel in its own way
		within pool-sparse-looked-up "$(./jsonq "$REPORT" growth pool judged_objects |
			awk -F '\t' '$1 == "pagetable" { n += $2 } END { print n + 0 }')" $((990 - $(lost))) 2000
	else
		cat /tmp/ready.*
	fi
	release
}

# Where no function has a name all is seen but names, and that is said. Page tables are known all the same; where
# pte_alloc_one() cannot be attached to, by the audit alone, and doctor has a reason.
test_unnamed() {
	echo 2 >/proc/sys/kernel/kptr_restrict
	hold msg:3000 sparse:1000
	if record unnamed --exact -- sh /tmp/hold; then
		growths
		held unnamed "$(awk -F '\t' '$1 == "slab" { print $3; exit }' /tmp/growths)" 3000
		if grep -q 'names: .*kptr_restrict' /tmp/record.out; then
			ok unnamed-said
		else
			not_ok unnamed-said "$(tr '\n' ' ' </tmp/record.out)"
		fi
		held unnamed-tables "$(awk -F '\t' '$1 == "pagetable" { n += $3 } END { print n }' /tmp/growths)" 1000
		if [ "$(./jsonq /tmp/doctor.json hooks.name=pte_alloc_one.attached)" != true ] &&
			[ -z "$(./jsonq /tmp/doctor.json hooks.name=pte_alloc_one.reason)" ]; then
			not_ok unnamed-tables-why "pte_alloc_one is not attached, and doctor does not say why"
		fi
	fi
	release
	echo 0 >/proc/sys/kernel/kptr_restrict
}

# What is allocated and freed again is not held: nothing the churn made is left in the first growth.
test_churn() {
	for churn in $CHURNED; do echo "plant/churn ${churn%:*} ${churn#*:} --seconds 2"; done >/tmp/churn
	echo "sleep 6" >>/tmp/churn # kfree_rcu() frees up to 5 s later
	if record churn --exact -- sh /tmp/churn; then
		growths
		objects=$(cut -f 3 /tmp/growths | head -n 1)
		within churn "${objects:-0}" 0 150 "$(head -n 1 /tmp/growths)"
		if [ "$(json verdict.leak)" = true ]; then not_ok churn-verdict "it is called a leak"; else ok churn-verdict; fi
		if [ "$(./jsonq /tmp/doctor.json hooks.name=kvfree_call_rcu.attached)" = true ]; then
			# timers, and from 6.12 on epoll items
			within churn-announced "$(json capture.counters.freed_after_rcu)" 4900 30000
		fi
	fi
}

# The sampled figure of a planted kind is near the truth: 8 MB in 16 KiB samples, ± 5 standard deviations. The period stays:
# an emulator is so slow that the governor would raise it.
test_sampled() {
	hold msg:8000
	if record sampled -s 16K --max-overhead 100 -- sh /tmp/hold; then
		within sampled "$(json growth.0.objects)" 6000 10000
	fi
	release
}

# A live table that is several maps (bpf/track.bpf.h), which each kernel's verifier must take.
test_parts() {
	hold msg:3000
	if record parts --exact --memory 96M -- sh /tmp/hold; then
		growths
		held parts "$(slab_objects "$(ready msg stack)" "$(ready msg caches)")" 3000
		within parts-bytes "$(json capture.own_kernel_bytes)" 50000000 100663296
	fi
	release
}

# refused TEST PATTERN COMMAND…: it fails with one line on stderr, which says this.
refused() {
	name=$1 pattern=$2
	shift 2
	if "$@" >/dev/null 2>/tmp/refused; then
		not_ok "$name" "it is not refused"
	elif [ "$(wc -l </tmp/refused)" = 1 ] && grep -q "$pattern" /tmp/refused; then
		ok "$name"
	else
		not_ok "$name" "no single line like '$pattern': $(head -n 3 /tmp/refused | tr '\n' ' ')"
	fi
}

# Capabilities in place of root: 38 PERFMON, 39 BPF, 2 DAC_READ_SEARCH, 34 SYSLOG, 24 SYS_RESOURCE.
test_capabilities() {
	mkdir -p /tmp/open && chmod 777 /tmp/open
	refused capabilities-none 'CAP_BPF and CAP_PERFMON' ./capexec 2,34 ./kmemtrace record -q -d 1 -o /tmp/open/none.kmt
	if [ "$(./jsonq /tmp/doctor.json cmpxchg)" = false ]; then
		refused capabilities-locked CAP_SYS_RESOURCE ./capexec 2,34,38,39 ./kmemtrace record -q -d 1 -o /tmp/open/few.kmt
	fi
	attempt capabilities ./capexec 2,24,34,38,39 ./kmemtrace record -q -d 1 -o /tmp/open/all.kmt
}

# What lockdown allows, from here on: it cannot be taken back, so this comes last.
test_lockdown() {
	if ! echo integrity 2>/dev/null >/sys/kernel/security/lockdown; then
		skip lockdown "this kernel has no lockdown"
		return
	fi
	hold msg:3000
	if record lockdown-integrity --exact -- sh /tmp/hold; then
		growths
		held lockdown-integrity "$(slab_objects "$(ready msg stack)" "$(ready msg caches)")" 3000
	fi
	release
	echo confidentiality >/sys/kernel/security/lockdown
	refused lockdown-confidentiality 'lockdown is confidentiality' ./kmemtrace record -q -d 1 -o /tmp/none.kmt
	attempt lockdown-balance ./kmemtrace balance
}

test_version
test_btf
test_doctor
test_record
test_planted
test_together
test_bulk
test_pools
test_unnamed
test_sampled
test_parts
test_churn
test_btf_file
test_capabilities
test_lockdown
[ "$failed" -eq 0 ]
