#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest suite: tests that must pass on every kernel. tests/vm/init runs it in a booted guest, in a directory that
# contains kmemtrace, jsonq, bpfload, tracer.o and plant/. It must run in busybox sh.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

# Planted kinds (tests/plant) and numbers. Each creates one object of the named cache, from the named function.
PLANTED="file:5000 dentry:5000 msg:3000 pipe:500 epoll:3000 timerfd:2000"
# The same for other pools: POOL, its event, kind, count, objects of each (a page, or a block of a ring).
PAGE_KB=$(awk '$1 == "KernelPageSize:" { print $2; exit }' /proc/self/smaps)
POOLS="kstack task:task_newtask thread 300 1
pagetable kmem:mm_page_alloc sparse 1000 1
page kmem:mm_page_alloc pipedata 100 $((64 / PAGE_KB))
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

# All kernels in the list have BTF. Without it, all other failures would be hard to understand.
test_btf() {
	if [ -s /sys/kernel/btf/vmlinux ]; then ok btf; else not_ok btf "no /sys/kernel/btf/vmlinux"; fi
}

# If the BPF programs cannot be loaded together, load each one alone, to see which the verifier refuses and why.
load_each() {
	object=tracer.o
	[ "$(./jsonq /tmp/doctor.json cmpxchg)" = true ] || object=tracer_legacy.o
	./bpfload $object
}

test_doctor() {
	attempt doctor ./kmemtrace doctor --show all
	file_block doctor /tmp/attempt.out
	./kmemtrace doctor --format json >/tmp/doctor.json 2>&1
	file_block doctor.json /tmp/doctor.json
}

# The census on this kernel: all page frames are counted, and the sums are those of /proc/meminfo. Slab is not compared where
# large kmalloc is not marked (difference_kb is then large kmalloc), and a guest is small: 2 MiB of each line may differ.
# One kernel is booted to keep call paths of mounts (scripts/vm.sh); 50 of these come from one call path.
test_census() {
	traces='' mounts=0
	if grep -q slub_debug= /proc/cmdline; then
		traces=--traces
		mount -t debugfs debugfs /sys/kernel/debug
		while [ $mounts -lt 50 ]; do
			mkdir -p /tmp/mnt/$mounts && mount -t tmpfs none /tmp/mnt/$mounts
			mounts=$((mounts + 1))
		done
	fi
	attempt census ./kmemtrace census --verbose
	file_block census /tmp/attempt.out
	if ! ./kmemtrace census --format json --census-budget 60s $traces >/tmp/census.json 2>/tmp/census.err; then
		not_ok census-json "$(tail -n 1 /tmp/census.err)"
		return
	fi
	file_block census.json /tmp/census.json
	within census-whole "$(./jsonq /tmp/census.json census.scanned_fraction)" 1 1
	# dentries are in every kernel, and those of a guest are charged to the root cgroup, if to any
	within census-caches "$(./jsonq /tmp/census.json census.caches)" 30 1000
	within census-dentries "$(./jsonq /tmp/census.json census.caches.name=dentry.objects)" 100 1000000
	within census-cpu-lists "$(./jsonq /tmp/census.json census.caches.name=dentry.cpu_free)" 0 100000
	within census-lost "$(./jsonq /tmp/census.json census.lost)" 0 0
	if [ "$traces" ]; then
		within census-traces "$(./jsonq /tmp/census.json census.kernel_records.slab_traces.paths.cache=mnt_cache.allocations)" 50 70
		if grep -A 12 '"cache": "mnt_cache"' /tmp/census.json | grep -q '"alloc_vfsmnt+0x'; then
			ok census-traces-path
		else
			not_ok census-traces-path "no call path of mnt_cache has alloc_vfsmnt"
		fi
		while [ $mounts -gt 0 ]; do
			mounts=$((mounts - 1))
			umount /tmp/mnt/$mounts
		done
		umount /sys/kernel/debug
	fi
	for class in free slab page_tables anonymous file; do
		differs=$(./jsonq /tmp/census.json "census.pages.class=$class.differs")
		within "census-$class" "$(./jsonq /tmp/census.json "census.pages.class=$class.kb")" 1 2000000000
		if [ "$differs" = true ]; then
			not_ok "census-$class-fits" "differs by $(./jsonq /tmp/census.json "census.pages.class=$class.difference_kb") kB"
		else
			ok "census-$class-fits"
		fi
	done
}

# Paths of open files and mounts, across a mount: /tmp is a file system of its own.
test_census_names() {
	: >/tmp/named
	sh -c 'exec 5</tmp/named 6</tmp/named 7</tmp/named; exec sleep 600' &
	holder=$!
	mkdir /tmp/point
	mount -o bind /tmp/point /tmp/point && mount -o bind /tmp/point /tmp/point
	if ! ./kmemtrace census --format json --census-budget 60s --names >/tmp/names.json 2>/tmp/names.err; then
		not_ok census-names "$(tail -n 1 /tmp/names.err)"
	else
		within census-names "$(./jsonq /tmp/names.json census.lenses.paths.path=/tmp/named.objects)" 3 3
		within census-mounts "$(./jsonq /tmp/names.json census.lenses.paths.path=/tmp/point.objects)" 2 2
	fi
	file_block names.json /tmp/names.json
	umount /tmp/point
	umount /tmp/point
	kill $holder
}

# The verifier accepts the programs that look for references. What they see is tested by tests/vm/module/refs.sh.
test_refs_load() {
	if ./kmemtrace refs --cache dentry --refs-budget 1ms >/tmp/refs.out 2>&1 || grep -q 'refs-budget is too short' /tmp/refs.out; then
		ok refs-load
	else
		not_ok refs-load "$(tail -n 1 /tmp/refs.out)"
	fi
}

CENSUS=--no-census # one recording with censuses is enough, because they take time

# record NAME OPTION… -- COMMAND: record while the command runs, then write the report to $REPORT. A failure counts for NAME.
# shellcheck disable=SC2086 # CENSUS may be empty
record() {
	name=$1
	shift
	rm -f "$CAPTURE" "$REPORT"
	if ! timeout -s KILL 90 ./kmemtrace record $CENSUS -q -f -o "$CAPTURE" "$@" >/tmp/record.out 2>&1; then
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
	CENSUS='' # with censuses
	record record --verbose -d 2
	status=$? CENSUS=--no-census
	[ $status = 0 ] || { load_each; return; }
	if grep -q 'no census' /tmp/record.out; then
		if ./kmemtrace census >/dev/null 2>&1; then
			not_ok record-census "$(grep 'no census' /tmp/record.out)"
		fi
	else
		within record-census "$(json census.start.pages.class=slab.kb)" 1000 200000
		within record-census-end "$(json census.end.pages.class=slab.kb)" 1000 200000
	fi
	gzip -c "$CAPTURE" | base64 >/tmp/capture.b64
	file_block capture.b64 /tmp/capture.b64
	if [ "$(json capture.complete)" = true ]; then ok record; else not_ok record "the capture is not complete"; fi
	within record-slab-level "$(json pools.name=Slab.end_kb)" 1000 200000
	# print where the number of a task's system call is stored, because it distinguishes call paths
	within record-system-call "$(sed -n 's/.*system call number is \([0-9]*\) bytes.*/\1/p' /tmp/record.out)" 16 128
}

# ready KIND FIELD: print a field of the READY line of the plant.
ready() { sed -n "s/^READY.* $2=\([^ ]*\).*/\1/p" "/tmp/ready.$1"; }

# matches TEXT PATTERNS: does TEXT match one of the comma-separated shell patterns?
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

# cache_is CACHE PATTERNS: does the cache, or one merged with it, match? A cache without a name is accepted.
cache_is() {
	[ "$1" != - ] || return 0
	# kmalloc-* means the caches; large kmalloc belongs to none.
	[ "$1" != kmalloc-large ] || [ "$2" = kmalloc-large ] || return 1
	for name in $1 $(json "caches.name=$1.aliases.*"); do
		matches "$name" "$2" && return 0
	done
	return 1
}

# stack_has STACK FUNCTIONS: does the stack contain one of the comma-separated functions?
stack_has() {
	for function in $(echo "$2" | tr , ' '); do
		case " $1" in *" $function+"*) return 0 ;; esac
	done
	return 1
}

# plant_start KIND:COUNT…, plants_ready KIND:COUNT…: print the lines of a script that starts plants, which keep running and
# hold their objects. The READY line of each is in /tmp/ready.KIND. release ends them.
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

# hold KIND:COUNT…: write the command to record, which starts plants one after the other (see test_together).
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

# growths: write the growth rows of the last report, largest first, into /tmp/growths.
growths() { ./jsonq "$REPORT" growth pool cache objects stack | head -n 40 >/tmp/growths; }

# slab_objects FUNCTIONS CACHES: print the objects of the largest growth row from one of these functions and caches. (The
# same function also allocates a file for each timer descriptor.)
slab_objects() {
	while IFS='	' read -r pool cache objects stack; do
		if [ "$pool" = slab ] && stack_has "$stack" "$1" && cache_is "$cache" "$2"; then
			echo "$objects"
			return
		fi
	done </tmp/growths
}

# pool_objects POOL FUNCTIONS: print the objects of all growth rows of the pool with one of these functions in the stack (7.3
# fills a pipe by two paths).
pool_objects() {
	sum=
	while IFS='	' read -r pool cache objects stack; do
		[ "$pool" = "$1" ] && stack_has "$stack" "$2" && sum=$((${sum:-0} + objects))
	done </tmp/growths
	echo $sum
}

# lost MOST: print the number of lost events in the last report, at most MOST if its trust is high in spite of them. On a
# busy host, a guest of 7.0 and newer may skip some of the planted allocations (recursion_misses), and counts them.
lost() {
	lost=$(($(json capture.losses.recursion_misses) + $(json capture.losses.live_table_full)))
	[ "$(json trust.level)" != high ] || [ "$lost" -le "$1" ] || lost=$1
	echo "$lost"
}

# held TEST OBJECTS WANTED [MORE]: all planted memory must be in the report, except for events that it counts as lost. If it
# is not, print what is there instead.
held() {
	most=$(($3 / 10))
	if [ -n "$2" ]; then
		within "$1" "$2" $(($3 - $3 / 100 - $(lost $most))) $(($3 + $3 / 50 + 20 + ${4:-0}))
	else
		not_ok "$1" "not among the growths, which begin: $(cut -c 1-120 /tmp/growths | head -n 4 | tr '\n\t' '; ')"
	fi
}

# All planted objects are in the report, with their cache and call path.
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

# Bulk allocations fire no event. They are traced with fexit if the kernel allows it, otherwise estimated from slabinfo.
test_bulk() {
	hold iouring:4000
	if record bulk --exact -- sh /tmp/hold; then
		growths
		if [ "$(./jsonq /tmp/doctor.json hooks.name=kmem_cache_alloc_bulk.attached)" = true ]; then
			held bulk-traced "$(slab_objects "$(ready iouring stack)" "$(ready iouring caches)")" 4000
		else
			# the cache may be merged with others
			unseen=$(./jsonq "$REPORT" caches unseen_alloc_objects | sort -n | tail -n 1)
			within bulk-estimated "${unseen%.*}" 3600 4400
		fi
	fi
	release
}

# Several plants at the same time. From 7.0 on, events are lost while a task that was preempted inside a program waits for
# the CPU; in an emulator this is frequent. The report must count what is missing, and its trust must not be high.
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
		within together "$missing" 0 $((150 + $(lost 0))) "what is missing"
	fi
	release
}

# Read types from a file, on a kernel whose own BTF is hidden. From 7.0 on this is refused.
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
	elif tr -s '\n ' '  ' </tmp/attempt.out | grep -q "must turn preemption off"; then # the text is wrapped
		ok btf-file
	else
		not_ok btf-file "$(head -n 3 /tmp/attempt.out | tr -s '\n ' '  ')"
	fi
	release
	umount /sys/kernel/btf
}

# All planted memory of other pools is in the report with its path, if the pool is traced.
test_pools() {
	# shellcheck disable=SC2046 # words
	hold $(echo "$POOLS" | awk '{ print $3 ":" $4 }')
	if record pools --exact -- sh /tmp/hold; then
		ok pools
		growths
		while read -r of event kind count each; do
			if [ "$(./jsonq /tmp/doctor.json "hooks.name=$event.attached")" = true ]; then
				more=0
				[ "$of" != pagetable ] || more=300 # for the stacks of the planted threads, if they share no table
				held "pool-$kind" "$(pool_objects "$of" "$(ready "$kind" stack)")" $((count * each)) $more
			elif [ "$of" = vmalloc ]; then # before 6.2, the pool is known from the change of vmallocinfo, by caller
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
		# page tables are marked, differently on each kernel
		within pool-sparse-looked-up "$(./jsonq "$REPORT" growth pool judged_objects |
			awk -F '\t' '$1 == "pagetable" { n += $2 } END { print n + 0 }')" $((990 - $(lost 0))) 2000
	else
		cat /tmp/ready.*
	fi
	release
}

# node_grew NODE: print by how much what is unaccounted on a node grew, in KiB.
node_grew() { ./jsonq "$REPORT" nodes node unaccounted_delta_kb | awk -v node="$1" '$1 == node { print $2 }'; }

# Planted by a program that runs on the CPU of the second node, pages of pipes are unaccounted there, not on the first.
test_nodes() {
	grep -q kmt_nodes=2 /proc/cmdline || return 0 # scripts/vm.sh gives two to one guest of each run
	if [ ! -e /sys/devices/system/node/node1/meminfo ]; then
		not_ok nodes "one NUMA node only"
		return
	fi
	hold pipedata:300
	if record nodes -- taskset 2 sh /tmp/hold; then
		ok nodes
		within nodes-memory "$(./jsonq "$REPORT" nodes mem_total_kb | awk '{ n += $1 } END { print n }')" \
			"$(awk '$1 == "MemTotal:" { print $2 - 8 }' /proc/meminfo)" "$(awk '$1 == "MemTotal:" { print $2 + 8 }' /proc/meminfo)"
		within nodes-slab "$(./jsonq "$REPORT" nodes slab_kb | awk '{ n += $1 } END { print n }')" \
			"$(($(json pools.name=Slab.end_kb) * 98 / 100))" "$(($(json pools.name=Slab.end_kb) * 102 / 100))"
		# 300 blocks of 64 KiB are 19,200 KiB
		within nodes-second "$(node_grew 1)" 16000 22000
		within nodes-first "$(node_grew 0)" -3000 3000
		within nodes-rest "$(./jsonq "$REPORT" nodes unaccounted_kb | awk '{ n += $1 } END { print n }')" \
			"$(json pools.name=Unaccounted.end_kb | awk '{ print $1 - 4096 }')" \
			"$(json pools.name=Unaccounted.end_kb | awk '{ print $1 + 4096 }')"
	else
		cat /tmp/ready.*
	fi
	release
}

# If functions have no names, everything else is still in the report, which says so. Page tables are still known: if
# pte_alloc_one() cannot be traced, only from the audit, and doctor gives the reason.
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

# Memory that is allocated and freed is not held: the first growth row contains nothing of the churn.
test_churn() {
	for churn in $CHURNED; do echo "plant/churn ${churn%:*} ${churn#*:} --seconds 2"; done >/tmp/churn
	echo "sleep 6" >>/tmp/churn # kfree_rcu() frees up to 5 s later
	if record churn --exact -- sh /tmp/churn; then
		growths
		objects=$(cut -f 3 /tmp/growths | head -n 1)
		within churn "${objects:-0}" 0 150 "$(head -n 1 /tmp/growths)"
		if [ "$(json verdict.leak)" = true ]; then not_ok churn-verdict "it is called a leak"; else ok churn-verdict; fi
		if [ "$(./jsonq /tmp/doctor.json hooks.name=kvfree_call_rcu.attached)" = true ]; then
			# timers, and epoll items from 6.12 on
			within churn-announced "$(json capture.counters.freed_after_rcu)" 4900 30000
		fi
	fi
}

# The sampled figure of a plant is close to the true one: 8 MB with a sample every 16 KiB, ± 5 standard deviations. The
# sampling period is fixed, because an emulator is so slow that the governor would raise it.
test_sampled() {
	hold msg:8000
	if record sampled -s 16K --max-overhead 100 -- sh /tmp/hold; then
		within sampled "$(json growth.0.objects)" 6000 10000
	fi
	release
}

# Each kernel's verifier must accept a live table that consists of several maps (bpf/track.bpf.h).
test_parts() {
	hold msg:3000
	if record parts --exact --memory 96M -- sh /tmp/hold; then
		growths
		held parts "$(slab_objects "$(ready msg stack)" "$(ready msg caches)")" 3000
		within parts-bytes "$(json capture.own_kernel_bytes)" 50000000 100663296
	fi
	release
}

# refused TEST PATTERN COMMAND…: it must fail with one line on stderr, which matches.
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

# Run with capabilities and without root: 38 PERFMON, 39 BPF, 2 DAC_READ_SEARCH, 34 SYSLOG, 24 SYS_RESOURCE.
test_capabilities() {
	mkdir -p /tmp/open && chmod 777 /tmp/open
	refused capabilities-none 'CAP_BPF and CAP_PERFMON' ./capexec 2,34 ./kmemtrace record -q -d 1 -o /tmp/open/none.kmt
	if [ "$(./jsonq /tmp/doctor.json cmpxchg)" = false ]; then
		refused capabilities-locked CAP_SYS_RESOURCE ./capexec 2,34,38,39 ./kmemtrace record -q -d 1 -o /tmp/open/few.kmt
	fi
	attempt capabilities ./capexec 2,24,34,38,39 ./kmemtrace record -q -d 1 -o /tmp/open/all.kmt
}

# Test lockdown last, because it cannot be undone.
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
	refused lockdown-census 'lockdown is confidentiality' ./kmemtrace census
	attempt lockdown-balance ./kmemtrace balance
}

test_version
test_btf
test_doctor
test_census
test_census_names
test_refs_load
test_record
test_planted
test_together
test_bulk
test_pools
test_nodes
test_unnamed
test_sampled
test_parts
test_churn
test_btf_file
test_capabilities
test_lockdown
[ "$failed" -eq 0 ]
