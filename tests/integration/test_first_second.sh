#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The first second of a recording on a node where processes with many libraries run already: how soon the
# first sample comes, whether its stack and the following ones are whole, and what memory that takes.
# 10 processes of 20 libraries; --full: 100 of 100, a million rows of unwind tables in all.
. "$(dirname "$0")/chains.sh"

processes=10
libraries=20
rows=2000
hz=199
max_start_s=2
max_maps_mb=48
max_rss_mb=150
need_recorder
need_native_stacks
if [ "${1:-}" = --full ]; then
	processes=100
	libraries=100
	rows=10000
fi
for tool in as ld; do
	command -v $tool >/dev/null || skip "needs $tool"
done
compile many_libraries
mkdir "$work/libraries"
bash "$tests/workloads/many_libraries.sh" "$work/libraries" $libraries $rows ||
	die "the libraries could not be made"
mkfifo "$work/go"
exec {go}<>"$work/go"
# All of them together do the same work.
for ((i = 0; i < processes; i++)); do
	"$work/many_libraries" "$work/libraries" $libraries \
		$((processes * 500)) <"$work/go" >"$work/ready.$i" &
	started+=($!)
	echo $! >>"$work/pids"
done

# shellcheck disable=SC2317 # called by wait_for
all_ready() {
	[ "$(cat "$work"/ready.* | grep -c ready)" = "$processes" ]
}

wait_for 60 all_ready || die "the processes did not load their libraries"
for ((i = 0; i < processes; i++)); do
	echo >&"$go"
done
sleep 1
begin=$EPOCHREALTIME
start_recorder -a -F $hz --sources cpu -o "$work/first.rec" || die "the recorder did not start"
sleep 3
# The maps that the recorder holds, and its own memory.
cat /proc/"$recorder"/fdinfo/* >"$work/fdinfo" 2>/dev/null
cat "/proc/$recorder/status" >"$work/status"
stop_recorder INT || fail "the recorder ended with status $?"
kill "${started[@]}"
wait "${started[@]}" 2>/dev/null
started=()
[ -z "${KEEP:-}" ] || cp "$work/first.rec" "$work/pids" "$KEEP"
python3 -B "$here/check_first_second.py" --begin "$begin" --start $max_start_s --maps $max_maps_mb \
	--rss $max_rss_mb "$work/first.rec" "$work/pids" "$work/fdinfo" "$work/status" ||
	fail "the first second"
finish
