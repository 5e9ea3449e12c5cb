#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# CPU time per process and thread, against what wait4() and the threads' own clocks say: within 1 %
# or 10 ms. Short ones, threads that end early, forks, execs, one older than the recording.
. "$(dirname "$0")/lib.sh"

need_recorder
compile cpu_exact
mkfifo "$work/go"
"$work/cpu_exact" <"$work/go" >"$work/expected" &
workload=$!
started+=("$workload")
exec {go}>"$work/go"
wait_for 10 grep -q ready "$work/expected" || die "cpu_exact did not start"
start_recorder -a -o "$work/exact.rec" || die "the recorder did not start"
echo >&"$go"
wait_for 30 grep -q threads.: "$work/expected" || die "cpu_exact printed nothing"
wait_for 10 grep -q ']}' "$work/expected" || die "cpu_exact printed half"
stop_recorder INT || fail "the recorder ended with status $?"
exec {go}>&-
wait $workload || fail "cpu_exact failed"
python3 -B "$here/check_cpu_exact.py" "$work/exact.rec" "$work/expected" || fail "CPU times"
finish
