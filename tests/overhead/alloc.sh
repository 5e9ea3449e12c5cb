#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What counting allocators costs: CPU time of a round of work with one pair of malloc() and free(), without
# a recorder and with one, for several programs and limits, against what the recorder predicted. Fails
# where the limit was not kept, or where the prediction is not within a factor 1.5.
# --smoke: short, to see that it works. ROUNDS and SECONDS_EACH may be set.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/allocations.sh"

rounds=${ROUNDS:-2}
seconds=${SECONDS_EACH:-15}
need_recorder
build_allocations
mapfile -t pythons < <(find_pythons)
python="${pythons[-1]#* }"
runs=0
kept=0

# measure LIMIT NAME COMMAND...
measure() {
	local limit=$1

	printf '%-16s' "$2"
	shift 2
	runs=$((runs + 1))
	slow_down "$seconds" "$limit" "$@" && kept=$((kept + 1))
}

printf '%-16s %9s %10s %9s %9s %7s %7s %12s %12s\n' work 'ns alone' 'ns with' 'slower %' 'expect %' factor limit \
	rounds estimated
if [ "${1:-}" = --smoke ]; then
	seconds=4
	measure 20 "C++, 30000" "$work/allocations" busy 30000
else
	for ((round = 0; round < rounds; round++)); do
		for loops in 300 3000 30000 300000; do
			measure 20 "C++, $loops" "$work/allocations" busy $loops
		done
		for limit in 5 50; do
			measure $limit "C++, 3000" "$work/allocations" busy 3000
		done
		measure 20 "4 threads, 3000" "$work/allocations" busy 3000 4
		[ -z "$python" ] || measure 20 "Python, 30" "$python" -B "$tests/workloads/allocates.py" 30
	done
fi
echo "$kept of $runs runs kept the limit and the factor"
[ "$failures" = 0 ] && [ "$kept" = "$runs" ] || exit 1
