#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What Python threads wait for, how long and where, in the oldest and the newest CPython that is
# here: exact sums by class within 2 % of what the threads measured, functions by samples within
# 5 %; among them two that never return.
. "$(dirname "$0")/lib.sh"

seconds=6
need_recorder
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
case $(stat -f -c %T "$work") in
tmpfs | ramfs | overlayfs) skip "$work is not on a disk; set TMPDIR" ;;
esac

record_waits() {
	local version=$1 python=$2 set=$3 workload go name=$1.$3

	mkfifo "$work/go.$name"
	"$python" "$tests/workloads/waits.py" --set "$set" --seconds $seconds --folder "$work" \
		<"$work/go.$name" >"$work/waits.$name" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go.$name"
	wait_for 10 grep -q ready "$work/waits.$name" || die "waits.py did not start"
	start_recorder -p "$workload" --sources cpu,offcpu -o "$work/$name.rec" ||
		die "the recorder did not start"
	echo >&"$go"
	wait_for 30 grep -q '}}' "$work/waits.$name" || die "waits.py printed nothing"
	stop_recorder INT || fail "the recorder ended with status $?"
	exec {go}>&-
	wait "$workload" || fail "waits.py failed"
	echo "CPython $version, $set"
	"$PIPESCOPE" report "$work/$name.rec" --by function,wait --metric offcpu -n 0 --format json \
		>"$work/$name.json" || fail "report ended with status $?"
	python3 -B "$here/check_waits.py" "$work/$name.rec" "$work/waits.$name" "$work/$name.json" ||
		fail "$set of CPython $version"
}

chosen=("${pythons[0]}")
[ ${#pythons[@]} -eq 1 ] || chosen+=("${pythons[-1]}")
for python in "${chosen[@]}"; do
	for set in calls faults; do
		record_waits "${python%% *}" "${python#* }" $set
	done
done
finish
