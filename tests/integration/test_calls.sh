#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pipescope calls: as many as known loops make, of native functions (with exceptions, jumps, recursion)
# and of Python functions; what costs too much ends by itself; and a busy program outlives breakpoints
# that come and go, whatever ends who set them.
. "$(dirname "$0")/lib.sh"

# Setting breakpoints holds back every fork of the node for a while, and this script forks a lot: on a
# node with other tests it now and then takes minutes.
[ "${1:-}" = --full ] || skip "only with --full: takes minutes now and then"
rounds=100
need_recorder
command -v "${CXX:-c++}" >/dev/null || skip "needs a C++ compiler"
"${CXX:-c++}" -O2 -g -o "$work/called" "$tests/workloads/called.cc" || die "called.cc does not compile"
counter=

# shellcheck disable=SC2317 # wait_for calls it
counting_or_ended() {
	grep -q 'counting$' "$work/calls.err" || ! runs "$counter"
}

# start_counting OPTION...
start_counting() {
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

# count_calls KIND NAME PATTERN...
count_calls() {
	local kind=$1 name=$2 pattern
	local -a patterns=()

	shift 2
	for pattern; do
		patterns+=(--function "$pattern")
	done
	if ! start_counting -p "$workload" --max-overhead 1000000 --format json "${patterns[@]}"; then
		wait "$counter"; echo "    status $?"; sed "s/^/    /" "$work/calls.err"
		die "calls did not start"
	fi
	echo >&"$go"
	wait_for 30 grep -q '^{' "$work/output.$name" || die "$name printed nothing"
	sleep 0.2
	exec {go}>&-
	wait "$workload" || fail "$name failed"
	wait "$counter" || fail "calls ended with status $?: $(cat "$work/calls.err")"
	echo "$name"
	python3 -B "$here/check_calls.py" "$kind" "$work/calls.json" "$work/output.$name" ||
		fail "calls of $name"
}

start_workload native "$work/called" once
count_calls native native 'work::*'

mapfile -t pythons < <(find_pythons)
for python in "${pythons[0]:-}" "${pythons[-1]:-}"; do
	if [ -z "$python" ] || [ -e "$work/go.${python%% *}" ]; then
		continue
	fi
	start_workload "${python%% *}" "${python#* }" "$tests/workloads/called.py"
	count_calls python "${python%% *}" from_python from_c from_map Thing.from_map nested
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
for ((round = 0; round < rounds; round++)); do
	"$PIPESCOPE" calls -p "$workload" --max-overhead 1000000 --function 'work::*' {go}>&- \
		>"$work/calls.json" 2>"$work/calls.err" &
	counter=$!
	started+=("$counter")
	sleep "0.$((RANDOM % 9))"
	if [ $((round % 2)) = 0 ]; then
		kill -KILL "$counter"
	else
		kill -INT "$counter"
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
exec {go}>&-
wait "$workload" || fail "the busy program failed: $?"
echo "$rounds rounds of breakpoints, half of them ended by SIGKILL"
finish
