#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What counting allocators costs: CPU time of a round of work with one malloc() and free(), without a
# recorder and with one, for several rates of calls and limits, against what the recorder predicted.
# --smoke: short, to see that it works. ROUNDS and SECONDS_EACH may be set.
. "$(dirname "$0")/../integration/lib.sh"

rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-20}
limits="5 20 100"
if [ "${1:-}" = --smoke ]; then
	rounds=1
	seconds=4
	limits=20
fi
need_recorder
command -v "${CXX:-c++}" >/dev/null || skip "needs a C++ compiler"
"${CXX:-c++}" -O2 -g -o "$work/allocations" "$tests/workloads/allocations.cc" -ldl ||
	die "allocations.cc does not compile"

# run NAME SECONDS WORK [LIMIT]: with a limit under a recorder.
run() {
	local go workload name=$1

	mkfifo "$work/go.$name"
	"$work/allocations" busy "$2" "$3" <"$work/go.$name" >"$work/$name" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go.$name"
	wait_for 10 grep -q ready "$work/$name" || die "the workload did not start"
	if [ -n "${4:-}" ]; then
		start_recorder -p "$workload" --sources cpu,alloc --max-overhead "$4" -o "$work/$name.rec" ||
			die "the recorder did not start"
	fi
	echo >&"$go"
	exec {go}>&-
	wait_for $(($2 + 60)) grep -q rounds "$work/$name" || die "the workload did not end"
	[ -z "${4:-}" ] || stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
	wait "$workload" || die "the workload failed: $(tail -1 "$work/$name")"
}

printf '%-10s %6s %12s %12s %9s %9s %8s\n' work limit 'ns without' 'ns with' 'slower %' 'expect %' factor
for loops in 300 3000 30000 300000; do
	for limit in $limits; do
		for ((i = 0; i < rounds; i++)); do
			run "without.$loops.$limit.$i" 2 $loops
			run "with.$loops.$limit.$i" "$seconds" $loops "$limit"
		done
		python3 -B - "$work" $loops "$limit" "$rounds" <<-'END'
			import json, os, sqlite3, statistics, sys

			work, loops, limit, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

			def each(kind, i):
			    bare = kind == "without"
			    with open(os.path.join(work, "with.%s.%s.%d" % (loops, limit, i))) as stream:
			        output = json.loads([line for line in stream if line.startswith("{")][-1])
			    if bare and output["bare_rounds"] * 5 < output["rounds"]: # the window stayed open
			        with open(os.path.join(work, "without.%s.%s.%d" % (loops, limit, i))) as stream:
			            output = json.loads([line for line in stream if line.startswith("{")][-1])
			        return output["cpu_ns"] / output["rounds"]
			    return output["bare_ns"] / output["bare_rounds"] if bare else output["cpu_ns"] / output["rounds"]

			def expected(i):
			    path = os.path.join(work, "with.%s.%s.%d.rec" % (loops, limit, i))
			    return float(sqlite3.connect(path).execute(
			        "SELECT value FROM meta WHERE key = 'alloc_predicted_percent'").fetchone()[0])

			without = statistics.median(each("without", i) for i in range(rounds))
			with_ = statistics.median(each("with", i) for i in range(rounds))
			slower = 100 * (with_ / without - 1)
			expect = statistics.median(expected(i) for i in range(rounds))
			print("%-10s %6s %12.0f %12.0f %9.1f %9.1f %8.2f" % (
			    loops, limit, without, with_, slower, expect, slower / expect if expect else 0))
		END
		rm -f "$work"/*.rec*
	done
done
