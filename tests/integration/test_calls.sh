#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pipescope calls: as many as known loops make, of native functions (with exceptions, jumps, recursion,
# loops)
# and of Python functions; what costs too much ends by itself; and a busy program outlives breakpoints
# that come and go, whatever ends who set them, and one that is left.
. "$(dirname "$0")/lib.sh"

rounds=4
[ "${1:-}" != --full ] || rounds=100
need_recorder
command -v "${CXX:-c++}" >/dev/null || skip "needs a C++ compiler"
for program in called leaving; do
	"${CXX:-c++}" -O2 -g -o "$work/$program" "$tests/workloads/$program.cc" || die "$program.cc does not compile"
done
counter=

# shellcheck disable=SC2317 # wait_for calls it
counting_or_ended() {
	grep -q 'counting$' "$work/calls.err" || ! runs "$counter"
}

# start_counting OPTION...
start_counting() {
	: >"$work/calls.err" # the last one's words are not this one's
	"$PIPESCOPE" calls "$@" {go}>&- >"$work/calls.json" 2>"$work/calls.err" &
	counter=$!
	started+=("$counter")
	wait_for 30 counting_or_ended
	grep -q 'counting$' "$work/calls.err"
}

# start_workload NAME COMMAND...: waits for a line.
start_workload() {
	local name=$1

	shift
	mkfifo "$work/go.$name"
	"$@" <"$work/go.$name" >"$work/output.$name" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go.$name"
	wait_for 10 grep -q ready "$work/output.$name" || die "$name did not start"
}

# let_go NAME: the workload does what it can, and ends, and so does who counts.
let_go() {
	echo >&"$go"
	wait_for 30 grep -q '^{' "$work/output.$1" || die "$1 printed nothing"
	sleep 0.2
	exec {go}>&-
	wait "$workload" || fail "$1 failed"
	wait "$counter" || fail "calls ended with status $?: $(cat "$work/calls.err")"
	echo "$1"
}

# count_calls KIND NAME PATTERN...
count_calls() {
	local kind=$1 name=$2 pattern
	local -a patterns=()

	shift 2
	for pattern; do
		patterns+=(--function "$pattern")
	done
	if ! start_counting -p "$workload" --max-overhead 1000000 --format json "${patterns[@]}"; then
		sed 's/^/    /' "$work/calls.err"
		die "calls did not start"
	fi
	let_go "$name"
	python3 -B "$here/check_calls.py" "$kind" "$work/calls.json" "$work/output.$name" ||
		fail "calls of $name"
}

start_workload native "$work/called" once
count_calls native native 'work::*'

# How calls end: by return, jump, exception; where a loop is the whole function; deeper than is timed; by another name.
start_workload ways "$work/leaving"
count_calls ways ways 'way_*' 'turn_*' 'deep_*' 'name_second*'
grep -q 'deep_unknown: of 100 calls.*not told as recursive' "$work/calls.err" || fail "no word on deep calls"
grep -q 'way_pointer: 100 calls have no time.*jumps that are not watched' "$work/calls.err" ||
	fail "no word on jumps: $(cat "$work/calls.err")"
start_workload ways-untimed "$work/leaving"
start_counting -p "$workload" --count-only --max-overhead 1000000 --format json --function 'way_*' \
	--function 'turn_*' --function 'deep_*' --function name_second || die "calls --count-only did not start"
let_go ways-untimed
python3 -B "$here/check_calls.py" ways-untimed "$work/calls.json" "$work/output.ways-untimed" || fail "--count-only"

# By task, as Python's profilers save it; and a word on a function that the compiler has inlined.
cp "$work/called" "$work/pstask$$"
start_workload pstats "$work/pstask$$" once
if ! start_counting --task "pstask$$" --max-overhead 1000000 --format pstats -o "$work/calls.prof" \
	--function 'work::*' --function 'work::inlined'; then
	sed 's/^/    /' "$work/calls.err"
	die "calls --task did not start"
fi
let_go pstats
grep -q "no function fits 'work::inlined'.*inlined" "$work/calls.err" || fail "no word on an inlined function"
grep -q "work::inlined: inlined into its callers, at 1 place: there are no calls" "$work/calls.err" ||
	fail "no word on where it is: $(cat "$work/calls.err")"
python3 -B "$here/check_calls.py" pstats "$work/calls.prof" "$work/output.pstats" || fail "pstats"
if "$PIPESCOPE" calls --task "none$$" --function x 2>"$work/calls.err" ||
	! grep -q '0 processes work at it' "$work/calls.err"; then
	fail "a task that nobody works at: $(cat "$work/calls.err")"
fi

mapfile -t pythons < <(find_pythons)
for python in "${pythons[0]:-}" "${pythons[-1]:-}"; do
	if [ -z "$python" ] || [ -e "$work/go.${python%% *}" ]; then
		continue
	fi
	start_workload "${python%% *}" "${python#* }" "$tests/workloads/called.py"
	"$PIPESCOPE" doctor >"$work/doctor.txt"
	grep -A 5 "^Python ${python%% *} in .*: process" "$work/doctor.txt" >"$work/offers.txt" ||
		fail "doctor knows of no Python ${python%% *}"
	if ! grep -q 'calls: [et]' "$work/offers.txt" || ! grep -q 'allocations: malloc, .* of /' "$work/offers.txt" ||
		! grep -q 'PyObject_Malloc' "$work/offers.txt"; then
		fail "doctor: $(cat "$work/offers.txt")"
	fi
	count_calls python "${python%% *}" from_python from_c from_map Thing.from_map nested \
		half_from_c never_from_c always_from_c generates Thing.absent
	grep -q 'not counted' "$work/calls.err" && fail "a word on calls that are not counted: $(cat "$work/calls.err")"
	word='no call was seen of what fits .Thing.absent.*or only from Python'
	minor=${python%% *}
	[ "${minor#3.}" -ge 11 ] || word='whose functions have no qualified names.*Thing.absent'
	grep -q "$word" "$work/calls.err" || fail "no word on a function that is not met: $(cat "$work/calls.err")"
done

# What it costs a program that does little else is about all of the CPU time that it used before, more
# when others had the CPUs then; and what is shorter than a breakpoint has no time.
start_workload always "$work/called" always
echo >&"$go"
wait_for 30 grep -q '^{' "$work/output.always" || die "the program that always calls printed nothing"
"$PIPESCOPE" calls -p "$workload" -d 1 --max-overhead 1000000 --function 'work::*' >"$work/calls.txt" \
	2>"$work/calls.err" || fail "calls: $(cat "$work/calls.err")"
cost=$(sed -n 's/.*counting costs these processes \([0-9]*\)[.0-9]* % of .*/\1/p' "$work/calls.err")
if [ -z "$cost" ] || [ "$cost" -lt 20 ] || [ "$cost" -ge 1000 ]; then
	fail "counting costs a program that only calls $cost %: $(cat "$work/calls.err")"
fi
grep -q 'work::throws.* < [0-9.]* us *< [0-9.]* us' "$work/calls.txt" ||
	fail "calls that are shorter than a breakpoint have times: $(cat "$work/calls.txt")"
exec {go}>&-
wait "$workload" || fail "the program that always calls failed: $?"

# A file that cannot be written is told before anything is counted.
for output in "$work/none/calls.json" "$work"; do
	status=0
	"$PIPESCOPE" calls -p $$ -d 1 --function x -o "$output" >"$work/calls.txt" 2>"$work/calls.err" || status=$?
	if [ $status != 1 ] || [ "$(wc -l <"$work/calls.err")" != 1 ] || ! grep -q ' written' "$work/calls.err"; then
		fail "calls -o $output: status $status, $(cat "$work/calls.err")"
	fi
done

# The same program, which never stops calling now: its exceptions pass functions with breakpoints.
start_workload busy "$work/called"
echo >&"$go"
wait_for 30 grep -q '^{' "$work/output.busy" || die "the busy program printed nothing"
status=0
"$PIPESCOPE" calls -p "$workload" -d 10 --max-overhead 1 --function 'work::*' \
	>"$work/calls.json" 2>"$work/calls.err" || status=$?
if [ $status != 1 ] || ! grep -q 'more than --max-overhead' "$work/calls.err"; then
	fail "1 % was no limit: status $status, $(cat "$work/calls.err")"
fi
# What ends in the trial has a time, too.
"$PIPESCOPE" calls -p "$workload" --max-overhead 0.1 --function 'work::*' --format json >"$work/calls.json" \
	2>"$work/calls.err" && fail "0.1 % was no limit"
python3 -B -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["seconds"] < 0.9)' "$work/calls.json" ||
	fail "a trial without a time: $(head -c 100 "$work/calls.json")"
# shellcheck disable=SC2317 # wait_for calls it
has_begun() {
	[ "/proc/$counter/exe" -ef "$PIPESCOPE" ] || ! runs "$counter"
}
for ((round = 0; round < rounds; round++)); do
	"$PIPESCOPE" calls -p "$workload" --max-overhead 1000000 --function 'work::*' {go}>&- \
		>"$work/calls.json" 2>"$work/calls.err" &
	counter=$!
	started+=("$counter")
	# Until then it is a shell, which loses signals that it has a trap for.
	wait_for 10 has_begun || fail "calls did not start in round $round"
	sleep "0.$((RANDOM % 9))"
	if [ $((round % 2)) = 0 ]; then
		kill -KILL "$counter"
	else
		kill -TERM "$counter" # a shell lets its children ignore SIGINT until they choose
	fi
	{ wait "$counter"; } 2>/dev/null
	runs "$workload" || break
done
runs "$workload" || fail "the busy program ended in round $round"
# shellcheck disable=SC2317 # the same
programs_left() {
	command -v bpftool >/dev/null && bpftool prog show 2>/dev/null | grep -q 'name calls_hit'
}
wait_for 5 not programs_left || fail "a breakpoint's program is left behind"

# A breakpoint that nobody wants is taken away even when the kernel has no copy of the instruction any
# more: the guard waits until all has gone before it sets its own. Others that mapped the file when the
# breakpoints were set have ended.
sweep_left() {
	local guard address
	local -a others=()

	while [ ${#others[@]} -lt 2 ]; do
		"$work/called" < <(exec sleep 60) {go}>&- >/dev/null &
		others+=($!)
	done
	started+=("${others[@]}")
	sleep 0.2
	start_counting -p "${others[0]},$workload,${others[1]}" --max-overhead 1000000 --function 'work::*' || die "calls did not start"
	guard=$(pgrep -P "$counter" -x pipescope-guard) || die "there is no guard"
	started+=("$guard")
	address=$(python3 -B "$here/leave_breakpoint.py" find "$workload" "$work/called") ||
		die "no breakpoint was set"
	kill -STOP "$guard" "$workload"
	kill -KILL "${others[@]}" "$counter"
	{ wait "${others[@]}" "$counter"; } 2>/dev/null
	python3 -B "$here/leave_breakpoint.py" leave "$workload" "$work/called" "$address" ||
		fail "no breakpoint could be left"
	kill -CONT "$guard"
	wait_for 20 not runs "$guard" || fail "the guard did not end"
	python3 -B "$here/leave_breakpoint.py" check "$workload" "$work/called" ||
		fail "the code is not what it was"
	kill -CONT "$workload"
	echo "left breakpoints"
}
[ "$(uname -m)" != x86_64 ] || sweep_left
exec {go}>&-
wait "$workload" || fail "the busy program failed: $?"
echo "$rounds rounds of breakpoints, half of them ended by SIGKILL"
finish
