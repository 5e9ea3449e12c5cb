#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# File operations of all kinds, of threads and children, and millions of small reads: each is counted
# once, under its file, with its bytes and its errno, and nothing is lost at 1.5 million reads a
# second. Once from the program's start, once of a program that runs already.
. "$(dirname "$0")/lib.sh"

hot_reads=1500000 # by each of two threads
least_rate=1500000
need_recorder
need_host_root
compile files
mkdir -m 755 "$work/started" "$work/running"
chmod 755 "$work" # for the part that runs without privileges

check_rate() {
	local rate

	rate=$(sed -n 's/.*"hot_reads_per_second": \([0-9]*\).*/\1/p' "$1")
	[ "${rate:-0}" -ge $least_rate ] ||
		echo "note: only ${rate:-0} reads per second: this machine is too slow or too busy"
}

start_recorder --sources cpu,io -o "$work/started.rec" -- \
	"$work/files" "$work/started" --hot $hot_reads || die "the recorder did not start"
wait_for 50 not runs "$recorder" || die "the recorder did not end"
wait "$recorder" || fail "the recorder ended with status $?"
recorder=
mv "$work/recorder.out" "$work/started.out"
echo "record -- files"
check_rate "$work/started.out"
python3 -B "$here/check_files.py" "$work/started.rec" "$work/started.out" "$work/started" ||
	fail "files of a started program"

"$work/files" "$work/running" --wait --hot $hot_reads >"$work/running.out" &
workload=$!
started+=("$workload")
wait_for 10 grep -q ready "$work/running.out" || die "files did not start"
start_recorder -p "$workload" --sources cpu,io -o "$work/running.rec" ||
	die "the recorder did not start"
kill -USR1 "$workload"
wait_for 50 grep -q '^\]}' "$work/running.out" || die "files printed nothing"
stop_recorder INT || fail "the recorder ended with status $?"
kill -USR1 "$workload"
wait "$workload" || fail "files failed"
sed -i 1d "$work/running.out"
echo "record -p"
check_rate "$work/running.out"
python3 -B "$here/check_files.py" "$work/running.rec" "$work/running.out" "$work/running" ||
	fail "files of a running program"
finish
