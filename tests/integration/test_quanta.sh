#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Quanta of the stand-in middleware, in each of its layouts, on each CPython: label, class, data, run,
# id, boundaries and CPU time of every one. Layouts alternate between the interpreters; with --full
# every one runs every layout.
. "$(dirname "$0")/lib.sh"

full=
[ "${1:-}" != --full ] || full=1
need_recorder
mapfile -t pythons < <(find_pythons
	for more in ${PIPESCOPE_TEST_PYTHONS//:/ }; do echo "more $more"; done)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
layouts=(v23 v24 v27 v29 v30)
start_recorder -a --sources cpu,offcpu,io,quanta -o "$work/quanta.rec" || die "the recorder did not start"
number=0
for python in "${pythons[@]}"; do
	chosen=("${layouts[number % 5]}")
	[ -z "$full" ] || chosen=("${layouts[@]}")
	for layout in "${chosen[@]}"; do
		for mode in serial spawn fork foreign; do
			# What is no executable of its own cannot start itself.
			[ "$mode${python%% *}" != spawnmore ] || continue
			"${python#* }" "$tests/workloads/middleware/pipetask.py" "$layout" "$mode" 4 0.06 0.05 \
				>"$work/$mode.$layout.${python%% *}.$number" 2>"$work/errors" ||
				fail "pipetask.py $layout $mode failed on $python: $(tail -1 "$work/errors")"
		done
	done
	number=$((number + 1))
done
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_quanta.py" "$work/quanta.rec" "$work"/*.v[0-9]*.[3m]* || fail "quanta"
"$PIPESCOPE" quanta -f csv "$work/quanta.rec" >"$work/quanta.csv" || fail "pipescope quanta"
python3 - "$work/quanta.csv" <<'END' || fail "pipescope quanta -f csv"
import csv, sys
rows = [row for row in csv.DictReader(open(sys.argv[1], newline="")) if row["label"] in ("isr", "calibrate")]
ok = len(rows) >= 16 and all(
    row["dataid.visit"].startswith("20250515") and row["run"] == "u/someone/run-1" and float(row["elapsed_s"]) > 0
    for row in rows)
sys.exit(not ok)
END
"$PIPESCOPE" report --by task --where task=isr -f json "$work/quanta.rec" >"$work/task.json" || fail "report"
python3 - "$work/task.json" <<'END' || fail "report --by task --where task=isr"
import json, sys
row, = json.load(open(sys.argv[1]))["rows"]
order = [row["quantum_elapsed_" + name + "_s"] for name in ("median", "p95", "max")]
sys.exit(not (row["quanta"] >= 8 and order == sorted(order) and order[0] > 0.08))
END
finish
