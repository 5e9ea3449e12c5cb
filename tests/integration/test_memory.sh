#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory by function: what is mapped, moved and released exactly, with number, bytes, live and peak;
# what comes by page faults, of user code and of the kernel, in huge pages, in a child, within 5 %.
. "$(dirname "$0")/lib.sh"

scale=40
[ "${1:-}" != --full ] || scale=200
need_recorder
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
[ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -gt 700000 ] || skip "needs 700 MB of memory"

record_memory() {
	local version=$1 python=$2 workload go name=$1

	mkfifo "$work/go.$name"
	"$python" "$tests/workloads/memory.py" --scale $scale <"$work/go.$name" >"$work/memory.$name" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go.$name"
	wait_for 10 grep -q ready "$work/memory.$name" || die "memory.py did not start"
	start_recorder -p "$workload" --sources cpu,mem -o "$work/$name.rec" ||
		die "the recorder did not start"
	echo >&"$go"
	wait_for 100 grep -q '}}' "$work/memory.$name" || die "memory.py printed nothing"
	stop_recorder INT || fail "the recorder ended with status $?"
	exec {go}>&-
	wait "$workload" || fail "memory.py failed"
	echo "CPython $version"
	"$PIPESCOPE" report "$work/$name.rec" --by function --metric rss_growth -n 0 --format json \
		>"$work/$name.json" || fail "report ended with status $?"
	python3 -B "$here/check_memory.py" "$work/$name.rec" "$work/memory.$name" "$work/$name.json" ||
		fail "memory of CPython $version"
}

record_memory "${pythons[-1]%% *}" "${pythons[-1]#* }"
[ "${1:-}" != --full ] || record_memory "${pythons[0]%% *}" "${pythons[0]#* }"
finish
