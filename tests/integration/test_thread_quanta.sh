#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several quanta at once: a worker whose threads take tasks off a queue, by a rule with the scope of a thread. On the
# oldest and the newest CPython; with --full on each.
. "$(dirname "$0")/lib.sh"

need_recorder
"$PIPESCOPE" rules check "$tests/workloads/thread_pool.rules" >/dev/null || fail "rules check"
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
[ "${1:-}" = --full ] || pythons=("${pythons[0]}" "${pythons[-1]}")
head -c 1048576 /dev/zero >"$work/blocks"
# Only of this shell and its children: elsewhere too many files at once may be in use.
start_recorder -p $$ --rules "$tests/workloads/thread_pool.rules" -o "$work/pool.rec" || die "the recorder did not start"
for number in "${!pythons[@]}"; do
	"${pythons[number]#* }" "$tests/workloads/thread_pool.py" 24 "$work/blocks" >"$work/out.$number" ||
		fail "thread_pool.py failed on ${pythons[number]}"
done
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_thread_quanta.py" "$work/pool.rec" "$work"/out.* || fail "quanta of threads"
"$PIPESCOPE" quanta -f csv "$work/pool.rec" >"$work/quanta.csv" || fail "pipescope quanta"
"$PIPESCOPE" report --by task -f csv "$work/pool.rec" >"$work/tasks.csv" || fail "report --by task"
"$PIPESCOPE" report --by process -f csv "$work/pool.rec" >"$work/processes.csv" || fail "report --by process"
python3 - "$work"/{quanta,tasks,processes}.csv "$work"/out.* <<'END' || fail "reports of quanta of threads"
import csv, json, sys
quanta, tasks, processes = ([row for row in csv.DictReader(open(name, newline=""))] for name in sys.argv[1:4])
pids = {json.loads(open(name).readline())["pid"] for name in sys.argv[4:]}
quanta = [row for row in quanta if row["label"] in ("square", "cube")]
tasks = {row["task"]: row for row in tasks}
own = 0
for name in "square", "cube":
    mine = [float(row["elapsed_s"]) for row in quanta if row["label"] == name]
    row = tasks[name]
    print(name, len(mine), "quanta,", sum(mine), "s; the task:", row["quanta"], row["elapsed_s"])
    own += 6 * len(pids) < len(mine) == int(row["quanta"]) and abs(sum(mine) - float(row["elapsed_s"])) < 0.01
# The threads' time lies within the process's.
alive = [float(row["elapsed_s"]) for row in processes if int(row["pid"]) in pids]
sys.exit(not (own == 2 and len(alive) == len(pids) and sum(alive) < sum(float(r["elapsed_s"]) for r in quanta)))
END
finish
