#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Dataset types: files and bytes written, files read, and which of them were written here, per task.
# Torn files: of processes that end in all kinds of ways while they write, just those are listed that
# leave a torn file.
. "$(dirname "$0")/lib.sh"

need_recorder
need_host_root
cat >"$work/rules" <<'END'
[process storage]
program = storage.py
capture name = option --task
task = {name}
END
mkdir -m 755 "$work/data" "$work/torn"
real=$(realpath "$work")
storage=$tests/workloads/storage.py
python3 "$storage" inputs "$work/data" || die "storage.py inputs"

start_recorder -a --sources cpu,io --rules "$work/rules" -o "$work/storage.rec" ||
	die "the recorder did not start"
for task in isr calibrate; do
	python3 "$storage" datasets "$work/data" --task $task >"$work/$task.out" ||
		die "storage.py datasets"
done
python3 "$storage" torn "$work/torn" >"$work/torn.out" || die "storage.py torn"
stop_recorder INT || fail "the recorder ended with status $?"

"$PIPESCOPE" report "$work/storage.rec" --by dataset,task -f json >"$work/datasets.json" ||
	fail "report --by dataset,task"
"$PIPESCOPE" report "$work/storage.rec" --by dataset --where "file=$real/*"
python3 -B "$here/check_storage.py" datasets "$work/datasets.json" "$work"/{isr,calibrate}.out ||
	fail "dataset types"
# Other programs of the node may be killed while this runs.
"$PIPESCOPE" report "$work/storage.rec" --by torn --where "file=$real/*" -f json >"$work/torn.json" ||
	fail "report --by torn -f json"
"$PIPESCOPE" report "$work/storage.rec" --by torn --where "file=$real/*" || fail "report --by torn"
python3 -B "$here/check_storage.py" torn "$work/torn.json" "$work/torn.out" || fail "torn files"
"$PIPESCOPE" report "$work/storage.rec" --by torn --where "file=$real/torn/plain" -f csv |
	grep -q "^$real/torn/plain,killed,signal,9,"  || fail "report --by torn -f csv"
finish
