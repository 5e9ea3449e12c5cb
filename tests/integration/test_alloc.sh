#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Allocators in windows of time: counts, bytes and frees of a burst exactly, places within 5 %; the
# slow-down that was predicted against the real one, and its limit (--full); breakpoints set and taken away again
# and again in a busy process, also by the death of the recorder.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/allocations.sh"

rounds=16000
kills=6
period=64 # bytes: some 5,000 samples and more of each place
seconds=4
[ "${1:-}" != --full ] || { rounds=160000 period=512 kills=100 seconds=20; }
need_recorder
build_allocations

# One window over all of a burst, as nothing is too much.
burst() {
	start_workload burst "$work/allocations" burst $rounds
	start_recorder -p "$workload" --sources cpu,alloc --alloc-period $period --max-overhead 1000000 \
		-o "$work/burst.rec" || die "the recorder did not start"
	wait_for 100 grep -q '}}' "$work/burst" || die "the burst did not end"
	stop_recorder INT || fail "the recorder ended with status $?"
	end_workload burst
	"$PIPESCOPE" report "$work/burst.rec" --by alloc -n 0 >"$work/burst.txt" ||
		fail "report ended with status $?"
	grep -q 'never freed' "$work/burst.txt" || fail "the report does not tell what was never freed"
	"$PIPESCOPE" report "$work/burst.rec" --by alloc -n 0 --format json >"$work/burst.json" ||
		fail "report ended with status $?"
	"$PIPESCOPE" report "$work/burst.rec" --by function --metric alloc_bytes -n 0 --format json \
		>"$work/function.json" || fail "report ended with status $?"
	"$PIPESCOPE" export "$work/burst.rec" --format collapsed --metric alloc_kept >"$work/kept" ||
		fail "export ended with status $?"
	python3 -B "$here/check_alloc.py" burst "$work/burst" "$work/burst.json" "$work/function.json" \
		"$work/kept" || fail "burst"
}

# shellcheck disable=SC2317 # by wait_for
is_clean() {
	asked=$((asked + 1))
	ask killed "$asked"
	tail -n 1 "$work/killed" | grep -q '"clean": 1'
}

# All in the same busy process. A recorder's end takes breakpoints away, and after one that was killed
# while it set them, its guard does so, a moment later. A third of them is killed with all of its process
# group.
kill_recorders() {
	local i signal guard asked=0

	launcher=(setsid)
	start_workload killed "$work/allocations" busy 200
	echo >&"$go"
	for ((i = 0; i < kills; i++)); do
		signal=KILL
		[ $((i % 3)) != 0 ] || signal=INT
		start_recorder -p "$workload" --sources cpu,alloc --max-overhead 1000000 \
			-o "$work/killed.rec" || die "the recorder did not start"
		guard=$(pgrep -P "$recorder" -x pipescope-guard) || fail "recorder $i has no guard"
		sleep "0.$((RANDOM % 9 + 1))"
		if [ $((i % 3)) = 1 ]; then
			kill -STOP "$guard" # else it may have done all before it is looked at
			{ kill -KILL -- "-$recorder" && sleep 0.1; } 2>/dev/null
			runs "$guard" || fail "the guard of recorder $i was killed with it"
			kill -CONT "$guard"
		fi
		{ stop_recorder $signal; } 2>/dev/null
		runs "$workload" || die "the workload did not survive recorder $i"
		wait_for 20 is_clean || fail "recorder $i left breakpoints"
		rm -f "$work"/killed.rec*
	done
	"$work/allocations" rounds 1000 0 </dev/null >"$work/other" # breakpoints are of one process
	kill -USR1 "$workload"
	wait_for 20 grep -q rounds "$work/killed" || fail "the workload did not end"
	end_workload killed
	launcher=()
	echo "$kills recorders, ended or killed"
}

"$PIPESCOPE" record --sources cpu,alloc -o "$work/no.rec" 2>/dev/null
[ $? = 2 ] || fail "allocators of all processes are not refused"
for option in "--task t" "--alloc-period 64" --alloc-python "--max-overhead 5"; do
	# shellcheck disable=SC2086 # an option and its value
	"$PIPESCOPE" record --sources cpu,io $option -o "$work/no.rec" -- true 2>"$work/words"
	[ $? = 2 ] || fail "$option without the source alloc is not refused"
	grep -q -e "${option% *} goes with the source alloc" "$work/words" || fail "$option: $(cat "$work/words")"
done
burst
slow_down $seconds 20 "$work/allocations" busy 3000 || fail "slow-down"
kill_recorders
finish
