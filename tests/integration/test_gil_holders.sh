#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whose Python function kept the interpreter's lock while others waited for it (metric held), in the oldest and the newest
# CPython that is here and in the system's own; --full: longer.
. "$(dirname "$0")/lib.sh"

seconds=2
[ "${1:-}" != --full ] || seconds=10
need_recorder
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
chosen=("${pythons[0]#* }" "${pythons[-1]#* }")
[ ! -x /usr/bin/python3 ] || chosen+=("$(readlink -f /usr/bin/python3)")
mapfile -t chosen < <(printf '%s\n' "${chosen[@]}" | sort -u)
number=0
for python in "${chosen[@]}"; do
	number=$((number + 1))
	mkfifo "$work/go.$number"
	# On one CPU every change of hands is a wake-up.
	taskset -c 0 "$python" "$tests/workloads/gil_holders.py" $seconds <"$work/go.$number" >"$work/out.$number" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go.$number"
	wait_for 10 grep -q pid "$work/out.$number" || die "gil_holders.py did not start"
	start_recorder -p "$workload" --sources cpu,offcpu -o "$work/$number.rec" || die "the recorder did not start"
	echo >&"$go"
	wait_for 30 grep -q waits "$work/out.$number" || die "gil_holders.py printed nothing"
	stop_recorder INT || fail "the recorder ended with status $?"
	exec {go}>&-
	wait "$workload" || fail "gil_holders.py failed"
	"$PIPESCOPE" report --by stack --metric held --where wait=gil --limit 0 -f json "$work/$number.rec" >"$work/held.json" ||
		fail "report --metric held"
	"$PIPESCOPE" report --by function --metric held --limit 0 -f json "$work/$number.rec" >"$work/functions.json" ||
		fail "report --by function --metric held"
	"$PIPESCOPE" report --by thread,wait --where wait=gil -f json "$work/$number.rec" >"$work/waits.json" || fail "report"
	"$PIPESCOPE" export --metric held --format collapsed -o "$work/collapsed" "$work/$number.rec" || fail "export --metric held"
	grep -q 'greedy' "$work/collapsed" || fail "greedy() is not in the exported stacks"
	python3 - "$work/held.json" "$work/functions.json" "$work/waits.json" "$work/out.$number" "$python" <<-'END' ||
		import json, sys
		held, functions, waits = (json.load(open(name))["rows"] for name in sys.argv[1:4])
		told = json.loads(open(sys.argv[4]).read().splitlines()[-1])
		total = sum(row["offcpu_s"] for row in held)
		greedy = sum(row["offcpu_s"] for row in held if "greedy" in json.dumps(row["stack"]))
		waited = sum(row["offcpu_s"] for row in waits if row["thread"] == told["modest"])
		inside = [row["total"]["offcpu_s"] for row in functions if row["function"] == "greedy"]
		print("%s: %d waits; modest() waited %.3f s for the interpreter; held: %.3f s, %.3f s of it below greedy()"
		      % (sys.argv[5], told["waits"], waited, total, greedy))
		# It is told at the end of a wait, and is an estimate.
		sys.exit(not (waited > 0.2 and greedy > 0.9 * total and abs(greedy - waited) < 0.15 * waited
		              and inside and abs(inside[0] - greedy) < 0.2 * greedy))
	END
		fail "who held the interpreter's lock of $python"
done
"$PIPESCOPE" report --by thread --metric held "$work/1.rec" >/dev/null 2>&1 && fail "held by thread alone"
finish
