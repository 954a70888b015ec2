#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Objects that were held before a recording began look like those that the same programs allocate meanwhile: the report
# names their call path, and so does a census of later, from what the recording learned. The truth is known from outside:
# which system call makes them, and how many there are.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
CENSUS=() # as users record

# KIND OLDER NEWER CALL: what is planted before, and what during the recording.
plants='timerfds 15000 1500 timerfd_create()
	pipes 4000 1000 pipe2()
	msgq 4000 1000 msgget()'

plant_held() { # KIND COUNT: plant in the background, and wait until all exist
	"$PLANT" "$1" "$2" --seconds 60 >"$WORK/planted.$1.$2" 2>&1 &
	started+=($!)
	until_true 10 grep -q READY "$WORK/planted.$1.$2"
}

# type_of KIND: the type of its objects, from the kernel's source.
type_of() { sed -n 's/.* stack=\([^ ]*\) .*/\1/p' "$WORK/planted.$1."* | head -1; }

# like CENSUS TYPE FILE: print "OBJECTS SHARE_LOW OUTERMOST" of what objects of the plant's caches with its type look like. They
# may be of several kinds, because memory that was used before is not cleared: OBJECTS are those of all, the rest is of the
# largest.
like() {
	jq -r --arg type "$2" "[.$1.caches[] | select(.name | test(\"^kmalloc\")) | .kinds[] |
		select(.types[0].name? == \$type and (.looks_like | length) > 0)] | sort_by(-.objects) | select(. != []) |
		\"\(map(.objects) | add) \(.[0].looks_like[0].share_low) \(.[0].looks_like[0].stack | join(\" \"))\"" "$3"
}

# named FILE CENSUS: each plant must be found with its call path.
named() {
	local kind older newer call objects low stack syscall
	while read -r kind older newer call; do
		syscall="_sys_${call%%(*}"
		if ! read -r objects low stack < <(like "$2" "$(type_of "$kind")" "$1"); then
			jq -c ".$2.kinds, (.$2.caches[] | select(.kinds[].types[0].name? == \"$(type_of "$kind")\") | .kinds)" "$1"
			fail "$kind: nothing looks like it in $2"
		fi
		echo "$kind: $objects objects look like those of $stack (at least $low)"
		within "$kind that look like something" "${objects%.*}" "$older" 15
		[[ $stack =~ $syscall ]] || fail "$kind come from $call, not from $stack"
		[ "$(jq -n "$low > 0.9")" = true ] || fail "$kind: a share of $low only"
	done <<<"$plants"
}

test_1_older_objects_are_named_by_their_call_path() {
	local kind older newer call
	need_record
	while read -r kind older newer call; do plant_held "$kind" "$older"; done <<<"$plants"
	record_start -q --exact
	while read -r kind older newer call; do plant_held "$kind" "$newer"; done <<<"$plants"
	sleep 0.5
	record_stop
	report
	named "$REPORT" census.start
	# the ledger knows only what was traced
	[ "$(json '[.growth[] | select(.stack[0] | test("sys_timerfd_create")).objects] | add | . < 2000')" = true ] ||
		fail "older timers were attributed to the recording"
	"$KMEMTRACE" report --show census "$CAPTURE" >"$WORK/text"
	sed -n '/^CALL PATHS OF SIMILAR/,/^  Nothing traced/p' "$WORK/text"
	grep -q 'timerfd_create()' "$WORK/text" || fail "the text does not name it"

	# a census of now, with what the recording learned: both plants are there
	json_of census --census-budget 2s --like "$CAPTURE" >"$WORK/now.json"
	while read -r kind older newer call; do
		within "$kind now" "$(like census "$(type_of "$kind")" "$WORK/now.json" | awk '{ print int($1) }')" \
			$((older + newer)) 15
	done <<<"$plants"
	plants=$(awk '{ $2 += $3; print }' <<<"$plants")
	named "$WORK/now.json" census
	! grep -oiE '\b(0x)?ffff[0-9a-f]{12}\b' "$WORK/now.json" "$REPORT" || fail "an address is printed"
	! grep -oaiE 'ffff[89a-f][0-9a-f]{11}' "$CAPTURE" || fail "an address is stored"
}

test_2_a_capture_that_learned_nothing_is_refused() {
	need_record
	"$KMEMTRACE" census -o "$WORK/census.kmt" 2>/dev/null
	! "$KMEMTRACE" census --like "$WORK/census.kmt" >"$WORK/out" 2>"$WORK/err" || fail "it works"
	grep -q 'does not say what kinds of objects call paths allocate' "$WORK/err" || fail "$(cat "$WORK/err")"
	jq -e '.can_name_kinds == "yes"' <(json_of doctor) >/dev/null || fail "doctor does not say that it works"
}

run_tests
