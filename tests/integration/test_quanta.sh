#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Quanta of the stand-in middleware, in each of its layouts, on each CPython: label, class, data, run,
# id, boundaries and CPU time of every one. Layouts and modes alternate between the interpreters, one of
# each version; with --full every one runs them all.
. "$(dirname "$0")/lib.sh"

full=
[ "${1:-}" != --full ] || full=1
need_recorder
mkdir "$work/errors"
mapfile -t pythons < <(find_all_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
layouts=(v23 v24 v27 v29 v30)
[ -n "$full" ] || mapfile -t pythons < <(printf '%s\n' "${pythons[@]}" | awk '!met[$1]++')
# Clustered jobs have this command line, since the layout of v27.
ln -s "$tests/workloads/middleware/pipetask.py" "$work/pipetask"
node=01234567-89ab-cdef-0000-00000000000
# A rule of threads with the name of a built-in one changes nothing.
printf '[frame of-threads]\nfile = */nowhere.py\nfunction = execute\nscope = thread\nquantum = x\nlabel = x\n' >"$work/rules"
start_recorder -a --rules "$work/rules" -o "$work/quanta.rec" || die "the recorder did not start"
number=0
for python in "${pythons[@]}"; do
	chosen=("${layouts[number % 5]}")
	modes=(serial spawn)
	[ $((number % 2)) = 0 ] || modes=(foreign fork)
	[ -z "$full" ] || chosen=("${layouts[@]}") modes=(serial spawn fork foreign)
	for layout in "${chosen[@]}"; do
		for mode in "${modes[@]}"; do
			name=$mode.$layout.${python%% *}.$number
			"${python#* }" "$tests/workloads/middleware/pipetask.py" "$layout" "$mode" 4 0.06 0.05 \
				>"$work/$name" 2>"$work/errors/$name" &
			started+=($!)
		done
		if [[ $layout > v24 ]]; then
			name=qbb.$layout.${python%% *}.$number
			LAYOUT=$layout CPU=0.06 SLEEP=0.05 "${python#* }" "$work/pipetask" --long-log run-qbb \
				/repo/main run.qg --qgraph-node-id ${node}3,${node}1,${node}2 \
				>"$work/$name" 2>"$work/errors/$name" &
			started+=($!)
		fi
		for pid in "${started[@]}"; do
			wait "$pid" || fail "pipetask.py $layout failed on $python: $(tail -qn 1 "$work"/errors/*)"
		done
		started=()
	done
	number=$((number + 1))
done
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_quanta.py" "$work/quanta.rec" "$work"/*.v[0-9]*.3* || fail "quanta"
"$PIPESCOPE" quanta -f csv "$work/quanta.rec" >"$work/quanta.csv" || fail "pipescope quanta"
python3 - "$work/quanta.csv" <<'END' || fail "pipescope quanta -f csv"
import csv, sys
rows = [row for row in csv.DictReader(open(sys.argv[1], newline="")) if row["label"] in ("isr", "calibrate")]
ok = sum(row["run"] == "u/someone/run-1" for row in rows) >= 16 and all(
    row["dataid.visit"].startswith("20250515") and row["run"] in ("", "u/someone/run-1") and float(row["elapsed_s"]) > 0
    for row in rows)
sys.exit(not ok)
END
# A field of the data, a count, a sub-task: as keys and as filters, in reports and in exports.
"$PIPESCOPE" report --by subtask --where task=isr -f csv "$work/quanta.rec" >"$work/subtasks.csv" || fail "report"
python3 - "$work/subtasks.csv" <<'END' || fail "report --by subtask"
import csv, sys
rows = {row["subtask"]: row for row in csv.DictReader(open(sys.argv[1], newline=""))}
own = {name: float(rows[name]["cpu_s"]) for name in ("isr", "isr.fit")}
total = {name: float(rows[name]["total_cpu_s"]) for name in own}
print("sub-tasks, own and with callees:", own, total)
fits = 0.35 < own["isr.fit"] / sum(own.values()) < 0.65 and total["isr"] > 0.9 * sum(own.values())
sys.exit(not (fits and total["isr.fit"] < 0.7 * total["isr"]))
END
for where in task=isr subtask=isr.fit dataid.detector=2 dataid.inputs=3 quantum=detector=2; do
	for format in collapsed csv speedscope; do
		"$PIPESCOPE" export --where "$where" --format "$format" -o "$work/out" "$work/quanta.rec" ||
			fail "export --where $where --format $format"
		[ -s "$work/out" ] || fail "export --where $where --format $format is empty"
		rm -f "$work/out"
	done
done
"$PIPESCOPE" export --where subtask=isr.fit --format collapsed -o "$work/out" "$work/quanta.rec" || fail "export"
grep -q 'isr\.fit' "$work/out" || fail "no sub-task in the stacks"
! grep -q 'calibrate\.fit' "$work/out" || fail "another sub-task in the stacks"
"$PIPESCOPE" report --by dataid.inputs,task -f csv "$work/quanta.rec" >"$work/inputs.csv" || fail "report"
grep -q '^4,isr,' "$work/inputs.csv" || fail "report --by dataid.inputs"
"$PIPESCOPE" quanta --where dataid.detector=2 -f json "$work/quanta.rec" >"$work/two.json" || fail "pipescope quanta --where"
python3 - "$work/two.json" <<'END' || fail "pipescope quanta --where dataid.detector=2"
import json, sys
rows = [row for row in json.load(open(sys.argv[1]))["rows"] if row["class"] == "lsst.pipe.tasks.IsrTask"]
sys.exit(not (len(rows) >= 4 and all(row["dataid.detector"] == "2" and row["dataid.inputs"] == "4" for row in rows)))
END
"$PIPESCOPE" report "$work/quanta.rec" >"$work/plain" || fail "report"
[ "$(grep -m1 -oE '^(Tasks|Functions|Waiting|Operations|Files|Lines|Python)' "$work/plain")" = Tasks ] ||
	fail "the plain report does not begin with tasks"
"$PIPESCOPE" report --by task --where task=isr -f json "$work/quanta.rec" >"$work/task.json" || fail "report"
python3 - "$work/task.json" <<'END' || fail "report --by task --where task=isr"
import json, sys
row, = json.load(open(sys.argv[1]))["rows"]
order = [row["quantum_elapsed_" + name + "_s"] for name in ("median", "p95", "max")]
sys.exit(not (row["quanta"] >= 8 and order == sorted(order) and order[0] > 0.08))
END
finish
